/* SPDX-License-Identifier: Apache-2.0 */
/* Short texts without a C library. Every function ends in axvm_text_char, which knows the bound. */
#include "text.h"

struct axvm_text axvm_text(char *buffer, size_t capacity)
{
	struct axvm_text text = { .buffer = buffer, .capacity = buffer == NULL ? 0 : capacity };

	if (text.capacity > 0)
		buffer[0] = '\0';
	return text;
}

void axvm_text_char(struct axvm_text *text, char character)
{
	if (text->capacity == 0 || text->length >= text->capacity - 1)
		return;
	text->buffer[text->length++] = character;
	text->buffer[text->length] = '\0';
}

void axvm_text_string(struct axvm_text *text, const char *string)
{
	for (const char *at = string == NULL ? "(none)" : string; *at != '\0'; at++)
		axvm_text_char(text, *at);
}

void axvm_text_bytes(struct axvm_text *text, const char *string, size_t bytes)
{
	for (size_t i = 0; i < bytes && string[i] != '\0'; i++) {
		unsigned char character = (unsigned char)string[i];

		axvm_text_char(text, character < 0x20 || character == 0x7f ? '?' : string[i]);
	}
}

void axvm_text_hex(struct axvm_text *text, uint64_t value)
{
	unsigned shift = 60;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	axvm_text_string(text, "0x");
	for (unsigned left = shift / 4 + 1; left > 0; left--)
		axvm_text_char(text, "0123456789abcdef"[value >> ((left - 1) * 4) & 0xf]);
}

void axvm_text_decimal(struct axvm_text *text, uint64_t value)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (count > 0)
		axvm_text_char(text, digits[--count]);
}

void axvm_text_size(struct axvm_text *text, uint64_t bytes)
{
	static const char *const units[] = { " bytes", " KiB", " MiB", " GiB",
					     " TiB",   " PiB", " EiB" };
	size_t unit = 0;

	while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	axvm_text_decimal(text, bytes);
	axvm_text_string(text, bytes == 1 && unit == 0 ? " byte" : units[unit]);
}

void axvm_text_range(struct axvm_text *text, uint64_t base, uint64_t bytes)
{
	axvm_text_hex(text, base);
	if (bytes == 0) {
		axvm_text_string(text, " (empty)");
		return;
	}
	axvm_text_char(text, '-');
	axvm_text_hex(text, base + (bytes - 1));
}
