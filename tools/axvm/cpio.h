/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer of cpio archives in the format newc, the same bytes for the same files: no times, no
 * owners, inode numbers in the order of the entries.
 */
#ifndef AXVM_TOOL_CPIO_H
#define AXVM_TOOL_CPIO_H

#include "tool.h"

struct axvm_tool_cpio {
	FILE *out;
	uint32_t entries;
	bool failed; /* sticky; errno of the first failure is in `error` */
	int error;
};

/* What an archive entry holds at most: its size field has 32 bits. */
#define AXVM_TOOL_CPIO_BYTES_MAX UINT32_MAX

void axvm_tool_cpio_add(struct axvm_tool_cpio *cpio, const char *name, struct axvm_blob data);

/* Writes the trailer. False: something could not be written. */
bool axvm_tool_cpio_end(struct axvm_tool_cpio *cpio);

#endif
