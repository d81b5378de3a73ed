// SPDX-License-Identifier: Apache-2.0
/*
 * The TOML reader's contract beyond the grammar: positions, errors, memory, hostile texts. The
 * grammar itself is toml_suite.c's.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/toml.h"
#include "../axtest.h"

/* Text and arena in blocks of their exact size, so that the sanitizer sees a step outside. */
struct parsed {
	char *text;
	struct axvm_arena arena;
	const struct axvm_toml_node *root;
	struct axvm_toml_error error;
	int rc;
};

static struct parsed parse_bytes(const char *text, size_t bytes, size_t arena_bytes)
{
	struct parsed r = { .arena = { .base = malloc(arena_bytes), .size = arena_bytes } };

	r.text = malloc(bytes);
	memcpy(r.text, text, bytes);
	r.rc = axvm_toml_parse(r.text, bytes, &r.arena, &r.root, &r.error);
	return r;
}

static size_t sufficient(size_t bytes)
{
	return sizeof(struct axvm_toml_node) * (bytes + 2);
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text), sufficient(strlen(text)));
}

static void release(struct parsed *r)
{
	free(r->text);
	free(r->arena.base);
}

static const struct axvm_toml_node *get(const struct axvm_toml_node *table, const char *key)
{
	return table == NULL ? NULL : axvm_toml_get(table, key, strlen(key));
}

static bool is_at(const struct axvm_toml_node *node, unsigned int key_line, unsigned int key_column,
		  unsigned int line, unsigned int column)
{
	return node != NULL && node->key_line == key_line && node->key_column == key_column &&
	       node->line == line && node->column == column;
}

TEST(keys_and_values_know_their_position)
{
	struct parsed r = parse("# comment\n"
				"id = 1\n"
				"\t'quoted' =\t[ 2,\r\n"
				"  { x.y = 3 } ]\n"
				"[ base.sub ]\n"
				"long = \"\"\"\n\n\"\"\"\n"
				"after = true\n"
				"[[list]]\n[[list]]\n");

	REQUIRE_EQ(r.rc, 0);

	const struct axvm_toml_node *array = get(r.root, "quoted");
	const struct axvm_toml_node *second = axvm_toml_next(axvm_toml_first(array));
	const struct axvm_toml_node *base = get(r.root, "base");
	const struct axvm_toml_node *list = get(r.root, "list");

	CHECK(is_at(r.root, 0, 0, 1, 1));
	CHECK(is_at(get(r.root, "id"), 2, 1, 2, 6));
	CHECK(is_at(array, 3, 2, 3, 13));
	CHECK(is_at(axvm_toml_first(array), 0, 0, 3, 15));
	CHECK(is_at(second, 0, 0, 4, 3));
	CHECK(is_at(get(second, "x"), 4, 5, 4, 5));
	CHECK(is_at(get(get(second, "x"), "y"), 4, 7, 4, 11));
	CHECK(is_at(base, 5, 3, 5, 3));
	CHECK(is_at(get(base, "sub"), 5, 8, 5, 8));
	CHECK(is_at(get(get(base, "sub"), "long"), 6, 1, 6, 8));
	CHECK(is_at(get(get(base, "sub"), "after"), 9, 1, 9, 9));
	CHECK(is_at(list, 10, 3, 10, 3));
	CHECK_EQ(axvm_toml_count(list), 2);
	CHECK(is_at(axvm_toml_next(axvm_toml_first(list)), 0, 0, 11, 3));
	release(&r);
}

TEST(a_byte_order_mark_takes_no_column)
{
	struct parsed r = parse("\xef\xbb\xbf"
				"a = 1");

	REQUIRE_EQ(r.rc, 0);
	CHECK(is_at(get(r.root, "a"), 1, 1, 1, 5));
	release(&r);
}

TEST(members_stay_in_source_order)
{
	struct parsed r = parse("z = 1\na = 2\nm = 3\n\"\" = 4\nab = 5\n");
	int64_t expected = 1;

	REQUIRE_EQ(r.rc, 0);
	CHECK_EQ(axvm_toml_count(r.root), 5);
	for (const struct axvm_toml_node *node = axvm_toml_first(r.root); node != NULL;
	     node = axvm_toml_next(node))
		CHECK_EQ(node->u.integer, expected++);
	CHECK_EQ(expected, 6);
	release(&r);
}

TEST(lookup_tells_similar_keys_apart)
{
	static const char *const keys[] = { "", "a", "ab", "abc", "b", "B", "a-", "abd", "1" };
	struct parsed r = parse("\"\" = 0\na = 1\nab = 2\nabc = 3\nb = 4\nB = 5\na- = 6\n"
				"abd = 7\n1 = 8\n\"a\\u0000\" = 9\n");

	REQUIRE_EQ(r.rc, 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct axvm_toml_node *node = get(r.root, keys[i]);

		REQUIRE(node != NULL);
		CHECK_EQ(node->u.integer, i);
	}
	REQUIRE(axvm_toml_get(r.root, "a\0", 2) != NULL);
	CHECK_EQ(axvm_toml_get(r.root, "a\0", 2)->u.integer, 9);
	CHECK(get(r.root, "abcd") == NULL);
	CHECK(get(r.root, "c") == NULL);
	CHECK(axvm_toml_get(r.root, "a\0\0", 3) == NULL);
	CHECK(get(get(r.root, "a"), "a") == NULL);
	release(&r);
}

TEST(scalars_have_no_children)
{
	struct parsed r = parse("s = 'text'\n");

	REQUIRE_EQ(r.rc, 0);
	CHECK(axvm_toml_first(get(r.root, "s")) == NULL);
	CHECK_EQ(axvm_toml_count(get(r.root, "s")), 0);
	CHECK_STR_EQ(axvm_toml_type_name(get(r.root, "s")->type), "string");
	CHECK_STR_EQ(axvm_toml_type_name(99), "unknown");
	release(&r);
}

TEST(integers_reach_both_ends_of_64_bits)
{
	struct parsed r = parse("a = 9223372036854775807\nb = -9223372036854775808\n"
				"c = 0x7fff_ffff_ffff_ffff\nd = -0\n");

	REQUIRE_EQ(r.rc, 0);
	CHECK_EQ(get(r.root, "a")->u.integer, INT64_MAX);
	CHECK_EQ(get(r.root, "b")->u.integer, INT64_MIN);
	CHECK_EQ(get(r.root, "c")->u.integer, INT64_MAX);
	CHECK_EQ(get(r.root, "d")->u.integer, 0);
	release(&r);
}

TEST(a_float_keeps_its_source_text)
{
	struct parsed r = parse("a = -1_0.5e+0_1\nb = -inf\nc = +nan\n");

	REQUIRE_EQ(r.rc, 0);

	const struct axvm_toml_float *a = &get(r.root, "a")->u.floating;

	CHECK_EQ(a->bytes, 11);
	CHECK(memcmp(a->text, "-1_0.5e+0_1", 11) == 0);
	CHECK_EQ(a->class, AXVM_TOML_FINITE);
	CHECK(a->negative);
	CHECK_EQ(get(r.root, "b")->u.floating.class, AXVM_TOML_INFINITE);
	CHECK(get(r.root, "b")->u.floating.negative);
	CHECK_EQ(get(r.root, "c")->u.floating.class, AXVM_TOML_NAN);
	release(&r);
}

TEST(a_date_and_time_is_taken_apart)
{
	struct parsed r = parse("d = 2024-02-29 23:59:60.1234567891-08:30\n");

	REQUIRE_EQ(r.rc, 0);

	const struct axvm_toml_datetime *d = &get(r.root, "d")->u.datetime;

	CHECK_EQ(get(r.root, "d")->type, AXVM_TOML_OFFSET_DATETIME);
	CHECK_EQ(d->year, 2024);
	CHECK_EQ(d->month, 2);
	CHECK_EQ(d->day, 29);
	CHECK_EQ(d->hour, 23);
	CHECK_EQ(d->minute, 59);
	CHECK_EQ(d->second, 60);
	CHECK_EQ(d->nanosecond, 123456789);
	CHECK_EQ(d->offset_minutes, -510);
	release(&r);
}

struct error_case {
	const char *text;
	const char *message;
	const char *excerpt;
	unsigned int line;
	unsigned int column;
	unsigned int earlier_line;
	unsigned int earlier_column;
};

static const struct error_case error_cases[] = {
	{ "a = 1\nb = \n", "expected a value", "", 2, 5, 0, 0 },
	{ "a = yes # no", "not a valid value; text needs quotes", "yes", 1, 5, 0, 0 },
	{ "a = 01", "a number may not begin with 0", "01", 1, 5, 0, 0 },
	{ "a = 1__0", "not a valid value", "1__0", 1, 5, 0, 0 },
	{ "a = 9223372036854775808", "the integer does not fit 64 bits with sign",
	  "9223372036854775808", 1, 5, 0, 0 },
	{ "a = 2023-02-29", "not a valid date", "2023-02-29", 1, 5, 0, 0 },
	{ "a = 24:00:00", "not a valid time", "24:00:00", 1, 5, 0, 0 },
	{ "a = 2023-02-28T00:00", "not a valid date and time", "2023-02-28T00:00", 1, 5, 0, 0 },
	{ "a = 2023-02-28T00:00:00+24:00", "not a valid time offset", "2023-02-28T00:00:00+24:00",
	  1, 5, 0, 0 },
	{ "a = [\n 1\n 2 ]", "expected ',' or ']' in an array", "2", 3, 2, 0, 0 },
	{ "a = { b = 1\n}", "expected ',' or '}' in an inline table", "", 1, 12, 0, 0 },
	{ "a = { b = 1, }", "expected a key", "}", 1, 14, 0, 0 },
	{ "a = 1 b = 2", "expected the end of the line", "b", 1, 7, 0, 0 },
	{ "[a\n]", "expected ']' after the name of a table", "", 1, 3, 0, 0 },
	{ "[[a] ]", "expected ']]' after the name of a table", " ", 1, 5, 0, 0 },
	{ "key", "expected '=' after the key", "", 1, 4, 0, 0 },
	{ "a = \"x\\q\"", "unknown escape sequence in a string", "\\q\"", 1, 7, 0, 0 },
	{ "a = \"\\u12\"", "\\u needs 4 and \\U 8 hexadecimal digits", "\\u12\"", 1, 6, 0, 0 },
	{ "a = \"\\uD800\"", "not a Unicode scalar value", "\\uD800\"", 1, 6, 0, 0 },
	{ "a = 'x\n'", "a string is not closed on its line", "", 1, 7, 0, 0 },
	{ "a = '''\nx\n", "a multi-line string is not closed", "", 3, 1, 0, 0 },
	{ "a = '\xff'", "not valid UTF-8", "?'", 1, 6, 0, 0 },
	{ "a = 1\rb = 2", "carriage return without line feed", "?", 1, 6, 0, 0 },
	{ "# \x7f", "control character", "?", 1, 3, 0, 0 },
	{ "a = 1\n a = 2", "already defined", "a", 2, 2, 1, 1 },
	{ " [t]\n[t]", "already defined", "t", 2, 2, 1, 3 },
	{ "a = 1\na.b = 2", "already defined, not as a table", "a.b", 2, 1, 1, 1 },
	{ "a = 1\n[a.b]", "already defined, not as a table", "a.b", 2, 2, 1, 1 },
	{ "a = {}\n[a.b]", "an inline table cannot be added to", "a.b", 2, 2, 1, 1 },
	{ "a = {}\na.b = 1", "an inline table cannot be added to", "a.b", 2, 1, 1, 1 },
	{ "[a.b]\n[a]\nb.c = 1", "a dotted key cannot add to a table that has a header", "b.c", 3,
	  1, 1, 4 },
	{ "a = []\n[[a]]", "already defined, not by [[...]]", "a", 2, 3, 1, 1 },
	{ "a = \xc3\xa4xyz0123456789012345678901234567890123456789", "expected a value",
	  "\xc3\xa4xyz0123456789012345678901234567890123", 1, 5, 0, 0 },
	{ "a = xyz01234567890123456789012345678901234\xc3\xa4",
	  "not a valid value; text needs quotes", "xyz01234567890123456789012345678901234", 1, 5, 0,
	  0 },
};

TEST(an_error_says_what_and_where)
{
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
		const struct error_case *c = &error_cases[i];
		struct parsed r = parse(c->text);

		CHECK_EQ(r.rc, AXVM_EFORMAT);
		CHECK_STR_EQ(r.error.message, c->message);
		CHECK_STR_EQ(r.error.excerpt, c->excerpt);
		CHECK_EQ(r.error.line, c->line);
		CHECK_EQ(r.error.column, c->column);
		CHECK_EQ(r.error.earlier_line, c->earlier_line);
		CHECK_EQ(r.error.earlier_column, c->earlier_column);
		CHECK(r.root == NULL);
		CHECK_EQ(r.arena.used, 0);
		release(&r);
	}
}

static const char every_construct[] =
	"top.dotted.key = \"esc\\taped \\U0001F600\"\n"
	"'literal' = '''\nmore\n'''\n"
	"folded = \"\"\"\\\n  a\\n\"\"\"\n"
	"\"esc\\u0061ped\" = [ 1, [ 'x' ], { a.b = 2, c = {} }, ]\n"
	"when = [ 2024-01-01, 12:00:00, 2024-01-01T12:00:00Z, 1.5, true ]\n"
	"[a.b.c]\nx = 0xff\n[a]\ny = 1\n[[list]]\n[list.sub]\nz = 1\n[[list]]\n";

TEST(every_too_small_arena_fails_cleanly)
{
	size_t bytes = sizeof(every_construct) - 1;
	struct parsed whole = parse(every_construct);

	REQUIRE_EQ(whole.rc, 0);
	for (size_t size = 0; size < whole.arena.used; size++) {
		struct parsed r = parse_bytes(every_construct, bytes, size);

		CHECK_EQ(r.rc, AXVM_ENOMEM);
		CHECK_EQ(r.arena.used, 0);
		CHECK(r.root == NULL);
		CHECK(r.error.line > 0 && r.error.message != NULL);
		release(&r);
	}

	struct parsed exact = parse_bytes(every_construct, bytes, whole.arena.used);

	CHECK_EQ(exact.rc, 0);
	release(&exact);
	release(&whole);
}

TEST(every_prefix_of_a_text_is_read_within_bounds)
{
	for (size_t bytes = 0; bytes < sizeof(every_construct); bytes++) {
		struct parsed r = parse_bytes(every_construct, bytes, sufficient(bytes));

		CHECK(r.rc == 0 || r.rc == AXVM_EFORMAT);
		release(&r);
	}
}

/* One byte exchanged, for every byte and every place: no answer but the two, no step outside. */
TEST(every_changed_byte_is_read_within_bounds)
{
	char text[sizeof(every_construct)];
	size_t bytes = sizeof(every_construct) - 1;

	memcpy(text, every_construct, sizeof(text));
	for (size_t i = 0; i < bytes; i++) {
		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;

			struct parsed r = parse_bytes(text, bytes, sufficient(bytes));

			CHECK(r.rc == 0 || r.rc == AXVM_EFORMAT);
			release(&r);
		}
		text[i] = every_construct[i];
	}
}

TEST(an_arena_may_be_used_and_unaligned)
{
	static char block[4096];
	struct axvm_arena arena = { .base = block + 1, .size = sizeof(block) - 1, .used = 2 };
	const struct axvm_toml_node *root = NULL;
	struct axvm_toml_error error;

	CHECK_EQ(axvm_toml_parse("a = 1", 5, &arena, &root, &error), 0);
	REQUIRE(root != NULL);
	CHECK_EQ((uintptr_t)root % _Alignof(struct axvm_toml_node), 0);
	CHECK_EQ(get(root, "a")->u.integer, 1);

	size_t used = arena.used;

	CHECK_EQ(axvm_toml_parse("a = ", 4, &arena, &root, &error), AXVM_EFORMAT);
	CHECK_EQ(arena.used, used);
}

TEST(a_text_of_no_bytes_is_an_empty_table)
{
	struct axvm_toml_node block[1];
	struct axvm_arena arena = { .base = block, .size = sizeof(block) };
	const struct axvm_toml_node *root = NULL;
	struct axvm_toml_error error;

	CHECK_EQ(axvm_toml_parse(NULL, 0, &arena, &root, &error), 0);
	REQUIRE(root != NULL);
	CHECK_EQ(axvm_toml_count(root), 0);
	CHECK(get(root, "a") == NULL);
}

TEST(a_text_beyond_the_limit_is_refused)
{
	struct axvm_arena arena = { 0 };
	const struct axvm_toml_node *root = NULL;
	struct axvm_toml_error error;

	CHECK_EQ(axvm_toml_parse("", AXVM_TOML_TEXT_BYTES_MAX + 1, &arena, &root, &error),
		 AXVM_EINVAL);
	CHECK_STR_EQ(error.message, "the text is too long");
	CHECK_EQ(axvm_toml_parse("", 0, &arena, &root, &error), AXVM_ENOMEM);
}

/* `head`, `open` repeated, `middle`, `close` repeated. */
static char *repeated(const char *head, const char *open, const char *middle, const char *close,
		      size_t times)
{
	size_t bytes = strlen(head) + strlen(middle) + times * (strlen(open) + strlen(close));
	char *text = malloc(bytes + 1);
	char *at = text;

	at = stpcpy(at, head);
	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, close);
	return text;
}

static size_t depth_of(const struct axvm_toml_node *node)
{
	size_t depth = 0;

	for (; node != NULL; node = axvm_toml_first(node))
		depth++;
	return depth;
}

#define DEEP 100000

struct deep_case {
	const char *head;
	const char *open;
	const char *middle;
	const char *close;
	size_t depth; /* of nodes below the root */
	int rc;
};

static const struct deep_case deep_cases[] = {
	{ "a = ", "[", "", "]", DEEP, 0 },
	{ "a = ", "{a=", "1", "}", DEEP + 1, 0 },
	{ "a = ", "[{a.b.c=", "1", "}]", 4 * DEEP + 1, 0 },
	{ "", "a.", "a = 1", "", DEEP + 1, 0 },
	{ "[", "a.", "a]", "", DEEP + 1, 0 },
	{ "a = ", "[", "", "", 0, AXVM_EFORMAT },
	{ "a = ", "{a=", "", "", 0, AXVM_EFORMAT },
};

static void *parse_deep_cases(void *unused)
{
	for (size_t i = 0; i < sizeof(deep_cases) / sizeof(deep_cases[0]); i++) {
		const struct deep_case *c = &deep_cases[i];
		char *text = repeated(c->head, c->open, c->middle, c->close, DEEP);
		struct parsed r = parse(text);

		CHECK_EQ(r.rc, c->rc);
		CHECK_EQ(r.rc == 0 ? depth_of(axvm_toml_first(r.root)) : 0, c->depth);
		release(&r);
		r = parse_bytes(text, strlen(text), 1000 * sizeof(struct axvm_toml_node));
		CHECK_EQ(r.rc, AXVM_ENOMEM);
		release(&r);
		free(text);
	}
	return unused;
}

/* In a thread with little stack: growth by one byte per level would already overrun it. */
TEST(deep_nesting_takes_no_stack)
{
	pthread_attr_t attributes;
	pthread_t thread;

	REQUIRE_EQ(pthread_attr_init(&attributes), 0);
	REQUIRE_EQ(pthread_attr_setstacksize(&attributes, 65536), 0);
	REQUIRE_EQ(pthread_create(&thread, &attributes, parse_deep_cases, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
}

/* Many keys with a long common beginning, then one of them again. */
TEST(a_hundred_thousand_keys_are_each_found)
{
	const unsigned int count = 100000;
	char *text = malloc((size_t)count * 16 + 1);
	char *at = text;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int scrambled = i * 7919 % count;

		memcpy(at, "common_00000=1\n", 15);
		for (int digit = 4; digit >= 0; digit--, scrambled /= 10)
			at[7 + digit] = (char)('0' + scrambled % 10);
		at += 15;
	}

	size_t bytes = (size_t)(at - text);
	struct parsed r = parse_bytes(text, bytes, sufficient(count));

	REQUIRE_EQ(r.rc, 0);
	CHECK_EQ(axvm_toml_count(r.root), count);
	for (const struct axvm_toml_node *node = axvm_toml_first(r.root); node != NULL;
	     node = axvm_toml_next(node))
		CHECK_PTR_EQ(axvm_toml_get(r.root, node->key, node->key_bytes), node);
	memcpy(at - 15, text, 15);
	release(&r);
	r = parse_bytes(text, bytes, sufficient(count));
	CHECK_EQ(r.rc, AXVM_EFORMAT);
	CHECK_EQ(r.error.line, count);
	CHECK_EQ(r.error.earlier_line, 1);
	release(&r);
	free(text);
}

AXTEST_MAIN(keys_and_values_know_their_position, a_byte_order_mark_takes_no_column,
	    members_stay_in_source_order, lookup_tells_similar_keys_apart, scalars_have_no_children,
	    integers_reach_both_ends_of_64_bits, a_float_keeps_its_source_text,
	    a_date_and_time_is_taken_apart, an_error_says_what_and_where,
	    every_too_small_arena_fails_cleanly, every_prefix_of_a_text_is_read_within_bounds,
	    every_changed_byte_is_read_within_bounds, an_arena_may_be_used_and_unaligned,
	    a_text_of_no_bytes_is_an_empty_table, a_text_beyond_the_limit_is_refused,
	    deep_nesting_takes_no_stack, a_hundred_thousand_keys_are_each_found)
