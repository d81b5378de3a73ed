/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's console, DBCN [SBI 12]. The firmware knows host-physical addresses only, so that bytes
 * go through a buffer of the image's. The console's callers come one at a time.
 */
#include <string.h>

#include "map.h"
#include "sbi.h"

#define BUFFER_BYTES 256u

static _Alignas(BUFFER_BYTES) char buffer[BUFFER_BYTES]; /* within a page */

bool axvm_bare_has_firmware_console(void)
{
	const char *why;

	return axvm_bare_sbi_init(&why) && axvm_bare_sbi_has(AXVM_SBI_DBCN);
}

uint64_t axvm_bare_firmware_write(const char *data, uint64_t bytes)
{
	uint64_t piece = bytes < BUFFER_BYTES ? bytes : BUFFER_BYTES;

	memcpy(buffer, data, piece);
	uint64_t sent = axvm_bare_sbi_write(axvm_bare_image_hpa(buffer), piece);
	return sent < piece ? sent : piece;
}

int axvm_bare_firmware_read(void)
{
	static char received;

	if (axvm_bare_sbi_read(axvm_bare_image_hpa(&received), 1) != 1)
		return -1;
	return (unsigned char)received;
}
