/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a freestanding build has of <string.h>. The four memory functions belong to whoever links
 * the library; the few string functions that libfdt needs are ours (cross/string.c) and carry our
 * prefix, so that the library brings no foreign name into somebody else's kernel.
 */
#ifndef AXVM_FREESTANDING_STRING_H
#define AXVM_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#define memchr axvm_memchr
#define strlen axvm_strlen
#define strnlen axvm_strnlen
#define strcmp axvm_strcmp
#define strncmp axvm_strncmp
#define strchr axvm_strchr
#define strrchr axvm_strrchr
#define strcpy axvm_strcpy

void *memchr(const void *memory, int value, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit_bytes);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit_bytes);
char *strchr(const char *text, int wanted);
char *strrchr(const char *text, int wanted);
char *strcpy(char *restrict to, const char *restrict from);

#endif
