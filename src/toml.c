// SPDX-License-Identifier: Apache-2.0
/*
 * The grammar of TOML: lines, keys, headers, and values within values.
 *
 * Nested arrays and inline tables need no recursion: the innermost open one is at hand, and the
 * one around it is found through the parents of its node.
 */
#include "toml_private.h"

static struct axvm_toml_node *as_table(struct axvm_toml_node *node, enum axvm_toml_form form)
{
	if (node != NULL) {
		node->type = AXVM_TOML_TABLE;
		node->form = (uint8_t)form;
	}
	return node;
}

static bool is_table(const struct axvm_toml_node *node, enum axvm_toml_form form)
{
	return node->type == AXVM_TOML_TABLE && node->form == form;
}

static bool is_array_of_tables(const struct axvm_toml_node *node)
{
	return node->type == AXVM_TOML_ARRAY && node->form == AXVM_TOML_FORM_TABLES;
}

static bool is_bare(int c)
{
	return axvm_toml_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

static void skip_comment(struct axvm_toml_parser *p)
{
	if (axvm_toml_peek(p, 0) != '#')
		return;
	while (p->at < p->end && axvm_toml_peek(p, 0) != '\n' && axvm_toml_peek(p, 0) != '\r')
		p->at++;
}

/* Blanks, comments and newlines. */
static void skip_space(struct axvm_toml_parser *p)
{
	do {
		axvm_toml_blanks(p);
		skip_comment(p);
	} while (axvm_toml_newline(p));
}

static bool take(struct axvm_toml_parser *p, int c)
{
	if (axvm_toml_peek(p, 0) != c)
		return false;
	p->at++;
	return true;
}

/* One part of a key, and the blanks around it. */
static int parse_key_part(struct axvm_toml_parser *p, struct axvm_toml_key *key)
{
	axvm_toml_blanks(p);
	key->place = axvm_toml_here(p);
	key->name = (struct axvm_toml_string){ p->at, 0 };
	if (axvm_toml_peek(p, 0) == '"' || axvm_toml_peek(p, 0) == '\'') {
		int rc = axvm_toml_parse_short_string(p, &key->name);

		if (rc != 0)
			return rc;
	} else {
		while (is_bare(axvm_toml_peek(p, 0)))
			p->at++;
		key->name.bytes = (size_t)(p->at - key->name.text);
		if (key->name.bytes == 0)
			return axvm_toml_fail(p, key->place, "expected a key");
	}
	axvm_toml_blanks(p);
	return 0;
}

static int add_table(struct axvm_toml_parser *p, struct axvm_toml_node **table,
		     const struct axvm_toml_key *key, enum axvm_toml_form form)
{
	struct axvm_toml_node *node = as_table(axvm_toml_add_member(p, *table, key), form);

	if (node == NULL)
		return axvm_toml_fail_memory(p);
	*table = node;
	return 0;
}

/* Moves *table to the member that a part of a dotted key, other than the last, names. */
static int enter_dotted(struct axvm_toml_parser *p, struct axvm_toml_node **table,
			const struct axvm_toml_key *key)
{
	struct axvm_toml_node *member = axvm_toml_find(*table, key->name);

	if (member == NULL)
		return add_table(p, table, key, AXVM_TOML_FORM_DOTTED);
	if (member->type != AXVM_TOML_TABLE)
		return axvm_toml_fail_redefined(p, key->place, "already defined, not as a table",
						member);
	if (member->form == AXVM_TOML_FORM_INLINE)
		return axvm_toml_fail_redefined(p, key->place, "an inline table cannot be added to",
						member);
	if (member->form == AXVM_TOML_FORM_HEADER)
		return axvm_toml_fail_redefined(
			p, key->place, "a dotted key cannot add to a table that has a header",
			member);
	member->form = AXVM_TOML_FORM_DOTTED;
	*table = member;
	return 0;
}

/* The same for a part of a header. */
static int enter_header(struct axvm_toml_parser *p, struct axvm_toml_node **table,
			const struct axvm_toml_key *key)
{
	struct axvm_toml_node *member = axvm_toml_find(*table, key->name);

	if (member == NULL)
		return add_table(p, table, key, AXVM_TOML_FORM_IMPLICIT);
	if (is_array_of_tables(member)) {
		*table = member->u.children.last;
		return 0;
	}
	if (member->type != AXVM_TOML_TABLE)
		return axvm_toml_fail_redefined(p, key->place, "already defined, not as a table",
						member);
	if (member->form == AXVM_TOML_FORM_INLINE)
		return axvm_toml_fail_redefined(p, key->place, "an inline table cannot be added to",
						member);
	*table = member;
	return 0;
}

typedef int enter_part(struct axvm_toml_parser *p, struct axvm_toml_node **table,
		       const struct axvm_toml_key *key);

/* Reads a.b.c, enters a and b, and leaves c in *key. */
static int parse_key(struct axvm_toml_parser *p, enter_part *enter, struct axvm_toml_node **table,
		     struct axvm_toml_key *key)
{
	for (;;) {
		int rc = parse_key_part(p, key);

		if (rc != 0 || !take(p, '.'))
			return rc;
		rc = enter(p, table, key);
		if (rc != 0)
			return rc;
	}
}

/* Begins a value at `node`; one that others can be nested in becomes *open. */
static int begin_value(struct axvm_toml_parser *p, struct axvm_toml_node *node,
		       struct axvm_toml_node **open)
{
	struct axvm_toml_place place = axvm_toml_here(p);
	int c = axvm_toml_peek(p, 0);

	node->line = place.line;
	node->column = axvm_toml_column(place);
	if (c == '[' || c == '{') {
		node->type = c == '[' ? AXVM_TOML_ARRAY : AXVM_TOML_TABLE;
		node->form = AXVM_TOML_FORM_INLINE;
		*open = node;
		p->at++;
		return 0;
	}
	if (c == '"' || c == '\'') {
		node->type = AXVM_TOML_STRING;
		return axvm_toml_parse_string(p, &node->u.string);
	}
	return axvm_toml_parse_scalar(p, node);
}

/* key = value; the value may be left open. */
static int begin_member(struct axvm_toml_parser *p, struct axvm_toml_node *table,
			struct axvm_toml_node **open)
{
	struct axvm_toml_key key;
	int rc = parse_key(p, enter_dotted, &table, &key);

	if (rc != 0)
		return rc;

	const struct axvm_toml_node *earlier = axvm_toml_find(table, key.name);

	if (earlier != NULL)
		return axvm_toml_fail_redefined(p, key.place, "already defined", earlier);
	if (!take(p, '='))
		return axvm_toml_fail(p, axvm_toml_here(p), "expected '=' after the key");
	axvm_toml_blanks(p);

	struct axvm_toml_node *node = axvm_toml_add_member(p, table, &key);

	return node == NULL ? axvm_toml_fail_memory(p) : begin_value(p, node, open);
}

/* The open array or inline table around `node`, or NULL where a header's table is reached. */
static struct axvm_toml_node *around(const struct axvm_toml_node *node)
{
	struct axvm_toml_node *parent = node->parent;

	while (is_table(parent, AXVM_TOML_FORM_DOTTED))
		parent = parent->parent;
	return parent->form == AXVM_TOML_FORM_INLINE ? parent : NULL;
}

static int close_value(struct axvm_toml_node **open)
{
	*open = around(*open);
	return 0;
}

/* In an array: goes on to its next element or closes it. */
static int step_array(struct axvm_toml_parser *p, struct axvm_toml_node **open)
{
	struct axvm_toml_node *array = *open;

	skip_space(p);
	if (take(p, ']'))
		return close_value(open);
	if (array->u.children.count > 0) {
		if (!take(p, ','))
			return axvm_toml_fail(p, axvm_toml_here(p),
					      "expected ',' or ']' in an array");
		skip_space(p);
		if (take(p, ']'))
			return close_value(open);
	}

	struct axvm_toml_node *node = axvm_toml_add_element(p, array, axvm_toml_here(p));

	return node == NULL ? axvm_toml_fail_memory(p) : begin_value(p, node, open);
}

/* The same in an inline table, which has no newlines and no comma at its end. */
static int step_inline_table(struct axvm_toml_parser *p, struct axvm_toml_node **open)
{
	axvm_toml_blanks(p);
	if (take(p, '}'))
		return close_value(open);
	if ((*open)->u.children.count > 0 && !take(p, ','))
		return axvm_toml_fail(p, axvm_toml_here(p),
				      "expected ',' or '}' in an inline table");
	return begin_member(p, *open, open);
}

static int parse_member(struct axvm_toml_parser *p)
{
	struct axvm_toml_node *open = NULL;
	int rc = begin_member(p, p->section, &open);

	while (rc == 0 && open != NULL)
		rc = open->type == AXVM_TOML_ARRAY ? step_array(p, &open)
						   : step_inline_table(p, &open);
	return rc;
}

/* [table] */
static int open_table(struct axvm_toml_parser *p, struct axvm_toml_node *parent,
		      const struct axvm_toml_key *key)
{
	struct axvm_toml_node *member = axvm_toml_find(parent, key->name);

	p->section = parent;
	if (member == NULL)
		return add_table(p, &p->section, key, AXVM_TOML_FORM_HEADER);
	if (!is_table(member, AXVM_TOML_FORM_IMPLICIT))
		return axvm_toml_fail_redefined(p, key->place, "already defined", member);
	member->form = AXVM_TOML_FORM_HEADER;
	p->section = member;
	return 0;
}

/* [[table]] */
static int open_element(struct axvm_toml_parser *p, struct axvm_toml_node *parent,
			const struct axvm_toml_key *key)
{
	struct axvm_toml_node *array = axvm_toml_find(parent, key->name);

	if (array == NULL) {
		array = axvm_toml_add_member(p, parent, key);
		if (array == NULL)
			return axvm_toml_fail_memory(p);
		array->type = AXVM_TOML_ARRAY;
		array->form = AXVM_TOML_FORM_TABLES;
	}
	if (!is_array_of_tables(array))
		return axvm_toml_fail_redefined(p, key->place, "already defined, not by [[...]]",
						array);
	p->section = as_table(axvm_toml_add_element(p, array, key->place), AXVM_TOML_FORM_HEADER);
	return p->section == NULL ? axvm_toml_fail_memory(p) : 0;
}

static int parse_header(struct axvm_toml_parser *p)
{
	bool element = axvm_toml_peek(p, 1) == '[';
	struct axvm_toml_node *table = p->root;
	struct axvm_toml_key key;

	p->at += element ? 2 : 1;

	int rc = parse_key(p, enter_header, &table, &key);

	if (rc != 0)
		return rc;
	if (!take(p, ']') || (element && !take(p, ']')))
		return axvm_toml_fail(p, axvm_toml_here(p),
				      element ? "expected ']]' after the name of a table"
					      : "expected ']' after the name of a table");
	return element ? open_element(p, table, &key) : open_table(p, table, &key);
}

static int expect_line_end(struct axvm_toml_parser *p)
{
	axvm_toml_blanks(p);
	skip_comment(p);
	if (p->at == p->end || axvm_toml_newline(p))
		return 0;
	return axvm_toml_fail(p, axvm_toml_here(p), "expected the end of the line");
}

static int parse_document(struct axvm_toml_parser *p)
{
	int rc = axvm_toml_check_text(p);

	if (rc != 0)
		return rc;
	p->root = as_table(axvm_toml_new_root(p), AXVM_TOML_FORM_HEADER);
	if (p->root == NULL)
		return axvm_toml_fail_memory(p);
	p->section = p->root;
	for (skip_space(p); rc == 0 && p->at < p->end; skip_space(p)) {
		rc = axvm_toml_peek(p, 0) == '[' ? parse_header(p) : parse_member(p);
		if (rc == 0)
			rc = expect_line_end(p);
	}
	return rc;
}

int axvm_toml_parse(const char *text, size_t bytes, struct axvm_arena *arena,
		    const struct axvm_toml_node **root, struct axvm_toml_error *error)
{
	size_t used = arena->used;
	struct axvm_toml_parser p = {
		.at = text,
		.end = text,
		.line_start = text,
		.line = 1,
		.arena = arena,
		.error = error,
	};

	if (bytes > AXVM_TOML_TEXT_BYTES_MAX) {
		(void)!axvm_toml_fail(&p, axvm_toml_here(&p), "the text is too long");
		return AXVM_EINVAL;
	}
	if (bytes > 0)
		p.end += bytes;

	int rc = parse_document(&p);

	if (rc != 0) {
		arena->used = used;
		return rc;
	}
	*root = p.root;
	return 0;
}
