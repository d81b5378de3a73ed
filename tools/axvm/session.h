/* SPDX-License-Identifier: Apache-2.0 */
/* From QEMU's start to its end: the console, the time-out, signals. */
#ifndef AXVM_TOOL_SESSION_H
#define AXVM_TOOL_SESSION_H

#include "console.h"
#include "qemu.h"

struct axvm_tool_session {
	const struct axvm_tool_machine *machine;
	const char *until;    /* the expression, for messages; NULL: until the guests end */
	const regex_t *regex; /* of `until` */
	unsigned timeout_s;   /* 0: none */
	bool interactive;     /* QEMU has the terminal to itself */
};

/*
 * Runs it. No QEMU is left behind, and the terminal is as it was. Returns an enum
 * axvm_tool_status; after a signal that ends programs it does not return but ends by it.
 */
int axvm_tool_session_run(const struct axvm_tool_session *session);

#endif
