/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for a regular expression in what comes from the console, line by line. */
#ifndef AXVM_TOOL_CONSOLE_H
#define AXVM_TOOL_CONSOLE_H

#include <regex.h>

#include "tool.h"

/* A longer line is looked at in pieces of this size. */
#define AXVM_TOOL_LINE_BYTES 16384u

/* The hypervisor's own lines begin so. They are not the guests'. */
#define AXVM_TOOL_OWN_PREFIX "axvm: "

struct axvm_tool_console {
	const regex_t *regex; /* NULL: none is looked for */
	unsigned escape;      /* state in an escape sequence */
	size_t used;
	char line[AXVM_TOOL_LINE_BYTES]; /* as shown: without control characters */
	char last_own[256];		 /* the hypervisor's last line, for a reason */
};

/*
 * Takes the next bytes. True: the regular expression matches a guest's line, or as much as there
 * is of the one that has not ended.
 */
bool axvm_tool_console_take(struct axvm_tool_console *console, const char *data, size_t bytes);

#endif
