/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the TOML reader only.
 *
 * Before anything else the whole text is checked by axvm_toml_check_text(). The other functions
 * rely on it: what is left is valid UTF-8, and below U+0020 only tab, LF, and CR followed by LF.
 */
#ifndef AXVM_SRC_TOML_PRIVATE_H
#define AXVM_SRC_TOML_PRIVATE_H

#include "toml.h"

struct axvm_toml_parser {
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	struct axvm_arena *arena;
	struct axvm_toml_error *error;
	struct axvm_toml_node *root;
	struct axvm_toml_node *section; /* the table that the last header opened */
};

/* A position in the text; p may be set back to it. */
struct axvm_toml_place {
	const char *at;
	const char *line_start;
	uint32_t line;
};

static inline struct axvm_toml_place axvm_toml_here(const struct axvm_toml_parser *p)
{
	return (struct axvm_toml_place){ p->at, p->line_start, p->line };
}

static inline void axvm_toml_go_to(struct axvm_toml_parser *p, struct axvm_toml_place place)
{
	p->at = place.at;
	p->line_start = place.line_start;
	p->line = place.line;
}

static inline uint32_t axvm_toml_column(struct axvm_toml_place place)
{
	return (uint32_t)(place.at - place.line_start) + 1;
}

static inline size_t axvm_toml_left(const struct axvm_toml_parser *p)
{
	return (size_t)(p->end - p->at);
}

/* The byte `ahead` of the present one, or -1 beyond the end of the text. */
static inline int axvm_toml_peek(const struct axvm_toml_parser *p, size_t ahead)
{
	return ahead < axvm_toml_left(p) ? (unsigned char)p->at[ahead] : -1;
}

static inline bool axvm_toml_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
static inline int axvm_toml_digit_value(int c)
{
	if (axvm_toml_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Steps over LF or CRLF; false, without moving, where there is none. */
static inline bool axvm_toml_newline(struct axvm_toml_parser *p)
{
	size_t bytes = axvm_toml_peek(p, 0) == '\r' ? 2 : 1;

	if (axvm_toml_peek(p, bytes - 1) != '\n')
		return false;
	p->at += bytes;
	p->line_start = p->at;
	p->line++;
	return true;
}

/* Steps over spaces and tabs. */
static inline void axvm_toml_blanks(struct axvm_toml_parser *p)
{
	while (axvm_toml_peek(p, 0) == ' ' || axvm_toml_peek(p, 0) == '\t')
		p->at++;
}

/* toml_error.c: fill *p->error. The first returns AXVM_EFORMAT, the last AXVM_ENOMEM. */
AXVM_MUST_USE int axvm_toml_fail(const struct axvm_toml_parser *p, struct axvm_toml_place place,
				 const char *message);
AXVM_MUST_USE int axvm_toml_fail_redefined(const struct axvm_toml_parser *p,
					   struct axvm_toml_place place, const char *message,
					   const struct axvm_toml_node *earlier);
AXVM_MUST_USE int axvm_toml_fail_memory(const struct axvm_toml_parser *p);

/*
 * The bytes of the UTF-8 sequence at text[0..left), 0 if it is not one. An ASCII byte, controls
 * included, is a sequence of one.
 */
size_t axvm_toml_utf8_bytes(const char *text, size_t left);

/* toml_text.c: steps over a byte-order mark and checks the whole text for forbidden bytes. */
AXVM_MUST_USE int axvm_toml_check_text(struct axvm_toml_parser *p);

/* toml_string.c: the string at `p`, which stands at its opening quote. */
AXVM_MUST_USE int axvm_toml_parse_string(struct axvm_toml_parser *p, struct axvm_toml_string *out);
/* The same, but never reads three quotes as one; for keys. */
AXVM_MUST_USE int axvm_toml_parse_short_string(struct axvm_toml_parser *p,
					       struct axvm_toml_string *out);

/* toml_scalar.c: anything that is not a string, an array or a table. Sets type and value. */
AXVM_MUST_USE int axvm_toml_parse_scalar(struct axvm_toml_parser *p, struct axvm_toml_node *node);

/*
 * toml_datetime.c: whether `bytes` bytes look like a date or a time of day, then their meaning.
 * axvm_toml_parse_datetime() sets type and value; its result is NULL or what is wrong.
 */
bool axvm_toml_looks_like_date(const char *text, size_t bytes);
bool axvm_toml_looks_like_time(const char *text, size_t bytes);
const char *axvm_toml_parse_datetime(const char *text, size_t bytes, struct axvm_toml_node *node);

/*
 * toml_tree.c. axvm_toml_find(): the member with that key, or NULL. axvm_toml_add_member(): a new
 * member of `table`, which has none of that key; axvm_toml_add_element(): a new element of `array`.
 * Both return NULL if the arena is full; the new node is otherwise all zero.
 */
struct axvm_toml_key {
	struct axvm_toml_string name;
	struct axvm_toml_place place;
};

struct axvm_toml_node *axvm_toml_find(const struct axvm_toml_node *table,
				      struct axvm_toml_string name);
struct axvm_toml_node *axvm_toml_add_member(struct axvm_toml_parser *p,
					    struct axvm_toml_node *table,
					    const struct axvm_toml_key *key);
struct axvm_toml_node *axvm_toml_add_element(struct axvm_toml_parser *p,
					     struct axvm_toml_node *array,
					     struct axvm_toml_place place);
struct axvm_toml_node *axvm_toml_new_root(struct axvm_toml_parser *p);

#endif
