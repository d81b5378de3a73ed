/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded builder of short texts: sentences for users, log lines. It never
 * writes beyond its buffer, always leaves it terminated, and cuts what does
 * not fit. No allocation, any context.
 *
 *	char why[AXVM_WHY_BYTES];
 *	struct axvm_text text = axvm_text(why, sizeof(why));
 *	axvm_text_string(&text, "memory at ");
 *	axvm_text_hex(&text, gpa.addr);
 *
 * A NULL buffer (capacity 0) is fine: nothing is written.
 */
#ifndef AXVM_TEXT_H
#define AXVM_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct axvm_text {
	char *buffer;
	size_t capacity; /* bytes, the final NUL included */
	size_t length;	 /* bytes written, without the NUL; below capacity when that is not 0 */
};

/* An empty text in `buffer`, terminated at once. `buffer` NULL counts as capacity 0. */
struct axvm_text axvm_text(char *buffer, size_t capacity);

void axvm_text_char(struct axvm_text *text, char character);
/* NULL appends "(none)". */
void axvm_text_string(struct axvm_text *text, const char *string);
/* At most `bytes` bytes; control characters become '?': for what files and guests name. */
void axvm_text_bytes(struct axvm_text *text, const char *string, size_t bytes);
/* "0x" and lower-case digits without leading zeros. */
void axvm_text_hex(struct axvm_text *text, uint64_t value);
void axvm_text_decimal(struct axvm_text *text, uint64_t value);
/* "512 MiB": the largest unit that divides it; "0 bytes", "1 byte", "4097 bytes". */
void axvm_text_size(struct axvm_text *text, uint64_t bytes);
/* "0x40000000-0x7fffffff", both ends inclusive; an empty range is "0x40000000 (empty)". */
void axvm_text_range(struct axvm_text *text, uint64_t base, uint64_t bytes);

#endif
