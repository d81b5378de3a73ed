// SPDX-License-Identifier: Apache-2.0
/*
 * The check of a whole TOML text for what may stand nowhere in it: bytes that are not UTF-8 and
 * control characters. All later stages rely on it.
 */
#include "toml_private.h"

static bool is_continuation(const char *text, size_t left, size_t i)
{
	return i < left && ((unsigned char)text[i] & 0xc0) == 0x80;
}

/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte. */
static bool is_second_byte_valid(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t axvm_toml_utf8_bytes(const char *text, size_t left)
{
	if (left == 0)
		return 0;

	unsigned char lead = (unsigned char)text[0];

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;

	size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < bytes; i++)
		if (!is_continuation(text, left, i))
			return 0;
	return is_second_byte_valid(lead, (unsigned char)text[1]) ? bytes : 0;
}

static bool is_forbidden(int c)
{
	return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
}

static void skip_byte_order_mark(struct axvm_toml_parser *p)
{
	if (axvm_toml_peek(p, 0) == 0xef && axvm_toml_peek(p, 1) == 0xbb &&
	    axvm_toml_peek(p, 2) == 0xbf) {
		p->at += 3;
		p->line_start = p->at;
	}
}

static int check_character(struct axvm_toml_parser *p)
{
	size_t bytes = axvm_toml_utf8_bytes(p->at, axvm_toml_left(p));

	if (bytes == 0)
		return axvm_toml_fail(p, axvm_toml_here(p), "not valid UTF-8");
	if (axvm_toml_peek(p, 0) == '\r')
		return axvm_toml_fail(p, axvm_toml_here(p), "carriage return without line feed");
	if (is_forbidden(axvm_toml_peek(p, 0)))
		return axvm_toml_fail(p, axvm_toml_here(p), "control character");
	p->at += bytes;
	return 0;
}

int axvm_toml_check_text(struct axvm_toml_parser *p)
{
	skip_byte_order_mark(p);

	struct axvm_toml_place start = axvm_toml_here(p);

	while (p->at < p->end) {
		if (axvm_toml_newline(p))
			continue;

		int rc = check_character(p);

		if (rc != 0)
			return rc;
	}
	axvm_toml_go_to(p, start);
	return 0;
}
