// SPDX-License-Identifier: Apache-2.0
/* The archive is a sequence of header, name and data, the latter two padded to four bytes. */
#include "cpio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODE_FILE 0100644u

static void put(struct axvm_tool_cpio *cpio, const void *data, size_t bytes)
{
	if (!cpio->failed && bytes > 0 && fwrite(data, 1, bytes, cpio->out) != bytes) {
		cpio->failed = true;
		cpio->error = errno;
	}
}

static void pad(struct axvm_tool_cpio *cpio, uint64_t bytes)
{
	put(cpio, "\0\0\0", (size_t)(-bytes & 3));
}

static void entry(struct axvm_tool_cpio *cpio, const char *name, unsigned mode, unsigned inode,
		  struct axvm_blob data)
{
	const size_t name_bytes = strlen(name) + 1;
	char *header = axvm_tool_print("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
				       inode, mode, 0u, 0u, 1u, 0u, (unsigned)data.bytes, 0u, 0u,
				       0u, 0u, (unsigned)name_bytes, 0u);

	put(cpio, header, strlen(header));
	put(cpio, name, name_bytes);
	pad(cpio, strlen(header) + name_bytes);
	put(cpio, data.data, data.bytes);
	pad(cpio, data.bytes);
}

void axvm_tool_cpio_add(struct axvm_tool_cpio *cpio, const char *name, struct axvm_blob data)
{
	if (data.bytes > AXVM_TOOL_CPIO_BYTES_MAX) {
		cpio->failed = true;
		cpio->error = EFBIG;
		return;
	}
	cpio->entries++;
	entry(cpio, name, MODE_FILE, cpio->entries, data);
}

bool axvm_tool_cpio_end(struct axvm_tool_cpio *cpio)
{
	entry(cpio, "TRAILER!!!", 0, 0, (struct axvm_blob){ NULL, 0 });
	return !cpio->failed;
}
