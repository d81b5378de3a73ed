// SPDX-License-Identifier: Apache-2.0
/*
 * The string functions that libfdt needs where there is no C library. string.h gives each of them
 * the prefix axvm_. Written for size: none of them is on a path that matters.
 */
#include <stdint.h>
#include <string.h>

/* C's own signatures take const and return what may be written to; this is the one place for it. */
static void *without_const(const void *pointer)
{
	return (void *)(uintptr_t)pointer;
}

void *memchr(const void *memory, int value, size_t bytes)
{
	const unsigned char *at = memory;

	for (size_t i = 0; i < bytes; i++) {
		if (at[i] == (unsigned char)value)
			return without_const(&at[i]);
	}
	return NULL;
}

size_t strnlen(const char *text, size_t limit_bytes)
{
	size_t bytes = 0;

	while (bytes < limit_bytes && text[bytes] != '\0')
		bytes++;
	return bytes;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t limit_bytes)
{
	for (size_t i = 0; i < limit_bytes; i++) {
		unsigned char left = (unsigned char)a[i];
		unsigned char right = (unsigned char)b[i];

		if (left != right)
			return left < right ? -1 : 1;
		if (left == '\0')
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int wanted)
{
	return memchr(text, wanted, strlen(text) + 1);
}

char *strrchr(const char *text, int wanted)
{
	for (size_t left = strlen(text) + 1; left > 0; left--) {
		if (text[left - 1] == (char)wanted)
			return without_const(&text[left - 1]);
	}
	return NULL;
}

char *strcpy(char *restrict to, const char *restrict from)
{
	return memcpy(to, from, strlen(from) + 1);
}
