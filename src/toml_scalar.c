// SPDX-License-Identifier: Apache-2.0
/*
 * TOML booleans, integers and floats. A value is first cut out as the longest run of characters
 * that such values are made of, then has to be one of them as a whole.
 */
#include "toml_private.h"

struct token {
	const char *text;
	size_t bytes;
};

static bool belongs_to_value(int c)
{
	return axvm_toml_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '+' || c == '-' || c == '.' || c == ':';
}

static size_t run_length(const struct axvm_toml_parser *p, size_t from)
{
	while (belongs_to_value(axvm_toml_peek(p, from)))
		from++;
	return from;
}

/* One space may stand between a date and a time of day. */
static struct token cut_out(const struct axvm_toml_parser *p)
{
	size_t bytes = run_length(p, 0);

	if (bytes == 10 && axvm_toml_looks_like_date(p->at, bytes) &&
	    axvm_toml_peek(p, 10) == ' ' && axvm_toml_is_digit(axvm_toml_peek(p, 11)))
		bytes = run_length(p, 11);
	return (struct token){ p->at, bytes };
}

static bool is_word(struct token t, const char *word)
{
	size_t i = 0;

	while (i < t.bytes && word[i] != '\0' && t.text[i] == word[i])
		i++;
	return i == t.bytes && word[i] == '\0';
}

static int at(struct token t, size_t i)
{
	return i < t.bytes ? (unsigned char)t.text[i] : -1;
}

static struct token skip(struct token t, size_t bytes)
{
	return (struct token){ t.text + bytes, t.bytes - bytes };
}

static struct token skip_sign(struct token t)
{
	return at(t, 0) == '+' || at(t, 0) == '-' ? skip(t, 1) : t;
}

static bool is_digit_of(int c, unsigned int base)
{
	int value = axvm_toml_digit_value(c);

	return value >= 0 && (unsigned int)value < base;
}

/* The length of digits with single underscores between them at the front; 0 if there are none. */
static size_t digits_length(struct token t, unsigned int base)
{
	size_t i = 0;

	while (is_digit_of(at(t, i), base) ||
	       (i > 0 && at(t, i) == '_' && is_digit_of(at(t, i + 1), base)))
		i++;
	return i;
}

static const char *integer_digits(struct token t, unsigned int base, uint64_t limit, uint64_t *out)
{
	uint64_t value = 0;

	if (t.bytes == 0 || digits_length(t, base) != t.bytes)
		return "not a valid value";
	for (size_t i = 0; i < t.bytes; i++) {
		if (t.text[i] == '_')
			continue;

		unsigned int digit = (unsigned int)axvm_toml_digit_value(t.text[i]);

		if (value > (limit - digit) / base)
			return "the integer does not fit 64 bits with sign";
		value = value * base + digit;
	}
	*out = value;
	return NULL;
}

static unsigned int base_of(struct token t)
{
	if (at(t, 0) != '0')
		return 10;
	return at(t, 1) == 'x' ? 16 : at(t, 1) == 'o' ? 8 : at(t, 1) == 'b' ? 2 : 10;
}

static const char *parse_integer(struct token t, struct axvm_toml_node *node)
{
	bool negative = at(t, 0) == '-';
	struct token digits = skip_sign(t);
	uint64_t magnitude = 0;
	const char *wrong;

	node->type = AXVM_TOML_INTEGER;
	if (base_of(t) != 10) {
		wrong = integer_digits(skip(t, 2), base_of(t), INT64_MAX, &magnitude);
	} else if (digits.bytes > 1 && at(digits, 0) == '0') {
		wrong = digits_length(digits, 10) == digits.bytes ? "a number may not begin with 0"
								  : "not a valid value";
	} else {
		wrong = integer_digits(digits, 10, (uint64_t)INT64_MAX + negative, &magnitude);
	}
	if (wrong != NULL)
		return wrong;
	node->u.integer =
		negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
	return NULL;
}

/* Digits, then a fraction, an exponent or both. */
static bool is_finite_float(struct token t)
{
	size_t whole = digits_length(t, 10);

	if (whole == 0 || (whole > 1 && at(t, 0) == '0'))
		return false;
	t = skip(t, whole);
	if (at(t, 0) == '.') {
		size_t digits = digits_length(skip(t, 1), 10);

		if (digits == 0)
			return false;
		t = skip(t, 1 + digits);
	}
	if (at(t, 0) == 'e' || at(t, 0) == 'E') {
		t = skip_sign(skip(t, 1));

		return t.bytes > 0 && digits_length(t, 10) == t.bytes;
	}
	return t.bytes == 0;
}

static bool has_float_mark(struct token t)
{
	for (size_t i = 0; i < t.bytes; i++)
		if (t.text[i] == '.' || t.text[i] == 'e' || t.text[i] == 'E')
			return true;
	return false;
}

static const char *parse_float(struct token t, struct axvm_toml_node *node)
{
	struct token magnitude = skip_sign(t);
	enum axvm_toml_float_class class = is_word(magnitude, "inf")   ? AXVM_TOML_INFINITE
					   : is_word(magnitude, "nan") ? AXVM_TOML_NAN
								       : AXVM_TOML_FINITE;

	if (class == AXVM_TOML_FINITE && !is_finite_float(magnitude))
		return "not a valid value";
	node->type = AXVM_TOML_FLOAT;
	node->u.floating = (struct axvm_toml_float){
		.text = t.text,
		.bytes = (uint32_t)t.bytes,
		.class = (uint8_t) class,
		.negative = at(t, 0) == '-',
	};
	return NULL;
}

static const char *parse_token(struct token t, struct axvm_toml_node *node)
{
	struct token magnitude = skip_sign(t);

	if (is_word(t, "true") || is_word(t, "false")) {
		node->type = AXVM_TOML_BOOL;
		node->u.boolean = at(t, 0) == 't';
		return NULL;
	}
	if (axvm_toml_looks_like_date(t.text, t.bytes) ||
	    axvm_toml_looks_like_time(t.text, t.bytes))
		return axvm_toml_parse_datetime(t.text, t.bytes, node);
	if (is_word(magnitude, "inf") || is_word(magnitude, "nan"))
		return parse_float(t, node);
	if (!axvm_toml_is_digit(at(magnitude, 0)))
		return "not a valid value; text needs quotes";
	if (base_of(t) == 10 && has_float_mark(t))
		return parse_float(t, node);
	return parse_integer(t, node);
}

int axvm_toml_parse_scalar(struct axvm_toml_parser *p, struct axvm_toml_node *node)
{
	struct token t = cut_out(p);

	if (t.bytes == 0)
		return axvm_toml_fail(p, axvm_toml_here(p), "expected a value");

	const char *wrong = parse_token(t, node);

	if (wrong != NULL)
		return axvm_toml_fail(p, axvm_toml_here(p), wrong);
	p->at += t.bytes;
	return 0;
}
