/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 reader. It allocates from the caller's arena only, keeps no state, uses no floating
 * point, and its stack use does not depend on the text. Source: [TOML].
 */
#ifndef AXVM_SRC_TOML_H
#define AXVM_SRC_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvm/error.h>

/* Memory handed out from the front of one block. The caller owns it; `base` may be unaligned. */
struct axvm_arena {
	void *base;
	size_t size; /* bytes */
	size_t used; /* bytes, at most `size` */
};

/*
 * Takes `bytes` bytes aligned to `alignment`, a power of two, from the arena. The memory is not
 * cleared. NULL if there is not enough left; the arena is then unchanged.
 */
void *axvm_arena_take(struct axvm_arena *arena, size_t bytes, size_t alignment);

enum axvm_toml_type {
	AXVM_TOML_TABLE,
	AXVM_TOML_ARRAY,
	AXVM_TOML_STRING,
	AXVM_TOML_INTEGER,
	AXVM_TOML_FLOAT,
	AXVM_TOML_BOOL,
	AXVM_TOML_OFFSET_DATETIME,
	AXVM_TOML_LOCAL_DATETIME,
	AXVM_TOML_LOCAL_DATE,
	AXVM_TOML_LOCAL_TIME,
};

/* How a table or an array came about; decides what may still be added to it while parsing. */
enum axvm_toml_form {
	AXVM_TOML_FORM_HEADER,	 /* [name], an element of [[name]], or the root */
	AXVM_TOML_FORM_IMPLICIT, /* the `a` of [a.b] */
	AXVM_TOML_FORM_DOTTED,	 /* the `a` of a.b = 1 */
	AXVM_TOML_FORM_INLINE,	 /* { ... } or [ ... ] */
	AXVM_TOML_FORM_TABLES,	 /* the array of [[name]] */
};

enum axvm_toml_float_class {
	AXVM_TOML_FINITE,
	AXVM_TOML_INFINITE,
	AXVM_TOML_NAN,
};

/* The largest text accepted: offsets, lines and columns fit 32 bits with room to spare. */
#define AXVM_TOML_TEXT_BYTES_MAX ((size_t)16 << 20)

struct axvm_toml_node;

struct axvm_toml_children {
	struct axvm_toml_node *first;
	struct axvm_toml_node *last;
	struct axvm_toml_node *index; /* private: root of the key index */
	uint32_t count;
};

/* UTF-8, not terminated; may hold NUL bytes. */
struct axvm_toml_string {
	const char *text;
	size_t bytes;
};

/* A valid float as it stands in the source: sign, underscores and all. */
struct axvm_toml_float {
	const char *text;
	uint32_t bytes;
	uint8_t class; /* enum axvm_toml_float_class */
	bool negative;
};

/* Fields that the type does not have are 0. `second` may be 60, a leap second. */
struct axvm_toml_datetime {
	uint32_t nanosecond; /* further digits are cut off */
	uint16_t year;
	int16_t offset_minutes; /* east of UTC */
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t minute;
	uint8_t second;
};

/*
 * One value. Read-only for the caller. `key` and strings point into the source text or into the
 * arena. Lines and columns count from 1; a column counts bytes. A table that a header or a dotted
 * key made has the position of that key as its value's position.
 */
struct axvm_toml_node {
	const char *key; /* UTF-8, not terminated; NULL for the root and for array elements */
	uint32_t key_bytes;
	uint32_t key_line; /* 0 where there is no key */
	uint32_t key_column;
	uint32_t line;
	uint32_t column;
	uint8_t type;			      /* enum axvm_toml_type */
	uint8_t form;			      /* enum axvm_toml_form; tables and arrays only */
	uint32_t index_bit;		      /* private */
	struct axvm_toml_node *index_link[2]; /* private */
	struct axvm_toml_node *parent;	      /* NULL for the root */
	struct axvm_toml_node *next;	      /* next sibling in source order, or NULL */
	union {
		struct axvm_toml_children children; /* tables and arrays */
		struct axvm_toml_string string;
		int64_t integer;
		struct axvm_toml_float floating;
		bool boolean;
		struct axvm_toml_datetime datetime;
	} u;
};

#define AXVM_TOML_EXCERPT_BYTES 40

struct axvm_toml_error {
	const char *message; /* static */
	uint32_t line;
	uint32_t column;
	uint32_t earlier_line; /* where what is redefined was defined; else 0 */
	uint32_t earlier_column;
	/*
	 * The offending text, terminated, cut to fit between two characters; bytes that cannot be
	 * shown are '?'. Empty at the end of the line or of the text.
	 */
	char excerpt[AXVM_TOML_EXCERPT_BYTES];
};

/*
 * Parses text[0..bytes) and stores the root table in *root.
 *
 * The nodes live in the arena and refer to `text`: both must outlive them. On failure the arena's
 * `used` is as before, *root is not written and *error says what is wrong and where.
 *
 * AXVM_EFORMAT: the text is not TOML 1.0.
 * AXVM_EINVAL: the text is longer than AXVM_TOML_TEXT_BYTES_MAX.
 * AXVM_ENOMEM: the arena is too small. sizeof(struct axvm_toml_node) * (bytes + 2) suffices for
 *              any text; ordinary configuration takes a tenth of that.
 *
 * Context: any; touches its arguments only. Cost: linear in `bytes` but for a small factor that
 * the lookup of keys adds; no text makes it quadratic.
 */
AXVM_MUST_USE int axvm_toml_parse(const char *text, size_t bytes, struct axvm_arena *arena,
				  const struct axvm_toml_node **root,
				  struct axvm_toml_error *error);

/* The member of that name, or NULL; NULL also if `table` is not a table. */
const struct axvm_toml_node *axvm_toml_get(const struct axvm_toml_node *table, const char *key,
					   size_t key_bytes);

/* The first member or element in source order, or NULL; NULL also for a node without children. */
const struct axvm_toml_node *axvm_toml_first(const struct axvm_toml_node *node);

/* The next sibling, or NULL. */
const struct axvm_toml_node *axvm_toml_next(const struct axvm_toml_node *node);

/* The number of members or elements; 0 for a node without children. */
uint32_t axvm_toml_count(const struct axvm_toml_node *node);

/* "table", "integer", ... for messages; a static string, never NULL. */
const char *axvm_toml_type_name(unsigned int type);

#endif
