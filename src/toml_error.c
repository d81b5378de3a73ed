// SPDX-License-Identifier: Apache-2.0
/*
 * What is wrong with a TOML text and where: fills the caller's struct axvm_toml_error.
 */
#include "toml_private.h"

static bool ends_a_word(int c)
{
	switch (c) {
	case -1:
	case ' ':
	case '\t':
	case '\r':
	case '\n':
	case ',':
	case '#':
	case '=':
	case '[':
	case ']':
	case '{':
	case '}':
		return true;
	default:
		return false;
	}
}

/* Copies one character; returns the bytes consumed, 0 if it does not fit or is a newline. */
static size_t copy_character(const char *at, size_t left, char *out, size_t room, size_t *used)
{
	size_t bytes = axvm_toml_utf8_bytes(at, left);
	bool printable = bytes > 1 || (bytes == 1 && *at >= ' ' && *at != 0x7f);
	size_t out_bytes = printable ? bytes : 1;

	if (left == 0 || *at == '\n' || (*at == '\r' && left > 1 && at[1] == '\n'))
		return 0;
	if (room - *used < out_bytes)
		return 0;
	for (size_t i = 0; i < out_bytes; i++)
		out[*used + i] = printable ? at[i] : '?';
	*used += out_bytes;
	return bytes == 0 ? 1 : bytes;
}

/* The word at `at`, or the one character that separates words. */
static void copy_excerpt(const char *at, const char *end, char *out)
{
	const size_t room = AXVM_TOML_EXCERPT_BYTES - 1;
	size_t used = 0;

	for (;;) {
		size_t bytes = copy_character(at, (size_t)(end - at), out, room, &used);
		bool separator = bytes > 0 && ends_a_word((unsigned char)*at);

		at += bytes;
		if (bytes == 0 || separator || at == end || ends_a_word((unsigned char)*at))
			break;
	}
	out[used] = '\0';
}

int axvm_toml_fail(const struct axvm_toml_parser *p, struct axvm_toml_place place,
		   const char *message)
{
	*p->error = (struct axvm_toml_error){
		.message = message,
		.line = place.line,
		.column = axvm_toml_column(place),
	};
	copy_excerpt(place.at, p->end, p->error->excerpt);
	return AXVM_EFORMAT;
}

int axvm_toml_fail_redefined(const struct axvm_toml_parser *p, struct axvm_toml_place place,
			     const char *message, const struct axvm_toml_node *earlier)
{
	int rc = axvm_toml_fail(p, place, message);

	p->error->earlier_line = earlier->key_line != 0 ? earlier->key_line : earlier->line;
	p->error->earlier_column = earlier->key_line != 0 ? earlier->key_column : earlier->column;
	return rc;
}

int axvm_toml_fail_memory(const struct axvm_toml_parser *p)
{
	(void)!axvm_toml_fail(p, axvm_toml_here(p), "no memory left for the configuration");
	return AXVM_ENOMEM;
}
