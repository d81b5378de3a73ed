// SPDX-License-Identifier: Apache-2.0
/*
 * TOML strings. One without escapes is not copied. One with escapes is read twice by the same
 * code: first to count its bytes, then, with memory for exactly so many, to write them.
 */
#include "toml_private.h"

/* Where decoded bytes go; with `out` NULL they are only counted. */
struct sink {
	char *out;
	size_t bytes;
	bool decoded; /* an escape made it differ from the source */
};

static void put(struct sink *sink, char c)
{
	if (sink->out != NULL)
		sink->out[sink->bytes] = c;
	sink->bytes++;
}

static void put_unicode(struct sink *sink, uint32_t scalar)
{
	if (scalar < 0x80) {
		put(sink, (char)scalar);
	} else if (scalar < 0x800) {
		put(sink, (char)(0xc0 | scalar >> 6));
		put(sink, (char)(0x80 | (scalar & 0x3f)));
	} else if (scalar < 0x10000) {
		put(sink, (char)(0xe0 | scalar >> 12));
		put(sink, (char)(0x80 | (scalar >> 6 & 0x3f)));
		put(sink, (char)(0x80 | (scalar & 0x3f)));
	} else {
		put(sink, (char)(0xf0 | scalar >> 18));
		put(sink, (char)(0x80 | (scalar >> 12 & 0x3f)));
		put(sink, (char)(0x80 | (scalar >> 6 & 0x3f)));
		put(sink, (char)(0x80 | (scalar & 0x3f)));
	}
}

/* At the backslash of \uXXXX or \UXXXXXXXX. */
static int unicode_escape(struct axvm_toml_parser *p, struct sink *sink, size_t digits)
{
	uint32_t scalar = 0;

	for (size_t i = 0; i < digits; i++) {
		int value = axvm_toml_digit_value(axvm_toml_peek(p, 2 + i));

		if (value < 0)
			return axvm_toml_fail(p, axvm_toml_here(p),
					      "\\u needs 4 and \\U 8 hexadecimal digits");
		scalar = scalar << 4 | (uint32_t)value;
	}
	if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar < 0xe000))
		return axvm_toml_fail(p, axvm_toml_here(p), "not a Unicode scalar value");
	put_unicode(sink, scalar);
	p->at += 2 + digits;
	return 0;
}

static int escape(struct axvm_toml_parser *p, struct sink *sink)
{
	static const char letters[] = "btnfr\"\\";
	static const char meanings[] = "\b\t\n\f\r\"\\";
	int c = axvm_toml_peek(p, 1);

	sink->decoded = true;
	if (c == 'u')
		return unicode_escape(p, sink, 4);
	if (c == 'U')
		return unicode_escape(p, sink, 8);
	for (size_t i = 0; letters[i] != '\0'; i++) {
		if (c != letters[i])
			continue;
		put(sink, meanings[i]);
		p->at += 2;
		return 0;
	}
	return axvm_toml_fail(p, axvm_toml_here(p), "unknown escape sequence in a string");
}

/* Copies up to `bytes` bytes that stand for themselves. */
static void copy(struct axvm_toml_parser *p, struct sink *sink, size_t bytes)
{
	for (; bytes > 0; bytes--)
		put(sink, *p->at++);
}

/* A newline as it stands; counts the line. */
static bool copy_newline(struct axvm_toml_parser *p, struct sink *sink)
{
	const char *from = p->at;

	if (!axvm_toml_newline(p))
		return false;
	for (; from < p->at; from++)
		put(sink, *from);
	return true;
}

/* A backslash at the end of a line: drops it and all blanks and newlines that follow. */
static bool continued_line(struct axvm_toml_parser *p, struct sink *sink)
{
	struct axvm_toml_place start = axvm_toml_here(p);

	p->at++;
	axvm_toml_blanks(p);
	if (!axvm_toml_newline(p)) {
		axvm_toml_go_to(p, start);
		return false;
	}
	do
		axvm_toml_blanks(p);
	while (axvm_toml_newline(p));
	sink->decoded = true;
	return true;
}

static size_t quotes_at(const struct axvm_toml_parser *p, int quote, size_t most)
{
	size_t count = 0;

	while (count < most && axvm_toml_peek(p, count) == quote)
		count++;
	return count;
}

/* From behind the opening quote to before the closing one. */
static int short_body(struct axvm_toml_parser *p, struct sink *sink, int quote)
{
	int rc = 0;

	while (rc == 0) {
		int c = axvm_toml_peek(p, 0);

		if (c == quote)
			return 0;
		if (c == -1 || c == '\r' || c == '\n')
			return axvm_toml_fail(p, axvm_toml_here(p),
					      "a string is not closed on its line");
		if (c == '\\' && quote == '"')
			rc = escape(p, sink);
		else
			copy(p, sink, 1);
	}
	return rc;
}

/* The same for three quotes. Up to two quotes directly before the closing three are content. */
static int long_body(struct axvm_toml_parser *p, struct sink *sink, int quote)
{
	int rc = 0;

	while (rc == 0) {
		int c = axvm_toml_peek(p, 0);
		size_t quotes = quotes_at(p, quote, 5);

		if (c == -1)
			return axvm_toml_fail(p, axvm_toml_here(p),
					      "a multi-line string is not closed");
		if (quotes >= 3) {
			copy(p, sink, quotes - 3);
			return 0;
		}
		if (quotes > 0)
			copy(p, sink, quotes);
		else if (c == '\\' && quote == '"')
			rc = continued_line(p, sink) ? 0 : escape(p, sink);
		else if (!copy_newline(p, sink))
			copy(p, sink, 1);
	}
	return rc;
}

typedef int body_reader(struct axvm_toml_parser *p, struct sink *sink, int quote);

static int decode(struct axvm_toml_parser *p, body_reader *body, int quote,
		  struct axvm_toml_string *out)
{
	struct axvm_toml_place start = axvm_toml_here(p);
	struct sink sink = { 0 };
	int rc = body(p, &sink, quote);

	if (rc != 0)
		return rc;
	*out = (struct axvm_toml_string){ start.at, sink.bytes };
	if (!sink.decoded)
		return 0;

	struct sink writer = { .out = axvm_arena_take(p->arena, sink.bytes, 1) };

	axvm_toml_go_to(p, start);
	if (writer.out == NULL)
		return axvm_toml_fail_memory(p);
	rc = body(p, &writer, quote);
	*out = (struct axvm_toml_string){ writer.out, writer.bytes };
	return rc;
}

int axvm_toml_parse_short_string(struct axvm_toml_parser *p, struct axvm_toml_string *out)
{
	int quote = axvm_toml_peek(p, 0);

	p->at++;

	int rc = decode(p, short_body, quote, out);

	if (rc == 0)
		p->at++;
	return rc;
}

int axvm_toml_parse_string(struct axvm_toml_parser *p, struct axvm_toml_string *out)
{
	int quote = axvm_toml_peek(p, 0);

	if (quotes_at(p, quote, 3) < 3)
		return axvm_toml_parse_short_string(p, out);
	p->at += 3;
	(void)axvm_toml_newline(p);

	int rc = decode(p, long_body, quote, out);

	if (rc == 0)
		p->at += 3;
	return rc;
}
