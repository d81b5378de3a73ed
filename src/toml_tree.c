// SPDX-License-Identifier: Apache-2.0
/*
 * The tree of TOML nodes and the lookup of keys.
 *
 * The members of a table are indexed by a PATRICIA trie whose inner nodes are the members
 * themselves: no extra memory, no hash to attack, and a lookup that is bounded by the bits of the
 * keys. A key is read as an endless row of bits: bit 0 is always 0 and leads from the first member
 * to the others; then each byte is 9 bits, "there is a byte" and the byte's own 8, highest first.
 * Beyond the end all are 0. A link to a node whose bit is not larger than its holder's points
 * back up and ends the descent.
 */
#include "toml_private.h"

#define BITS_PER_BYTE 9u

void *axvm_arena_take(struct axvm_arena *arena, size_t bytes, size_t alignment)
{
	unsigned char *front = arena->base;
	size_t left = arena->size - arena->used;

	if (front == NULL)
		return NULL;
	front += arena->used;

	size_t padding = (size_t)(0 - (uintptr_t)front) & (alignment - 1);

	if (padding > left || bytes > left - padding)
		return NULL;
	arena->used += padding + bytes;
	return front + padding;
}

static unsigned int key_bit(const char *key, size_t bytes, uint32_t bit)
{
	if (bit == 0)
		return 0;

	size_t byte = (bit - 1) / BITS_PER_BYTE;
	unsigned int within = (bit - 1) % BITS_PER_BYTE;

	if (byte >= bytes)
		return 0;
	if (within == 0)
		return 1;
	return ((unsigned char)key[byte] >> (8 - within)) & 1u;
}

/* The first bit in which two different keys differ, 0 if they are equal. */
static uint32_t first_difference(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	size_t shorter = a_bytes < b_bytes ? a_bytes : b_bytes;
	size_t i = 0;

	while (i < shorter && a[i] == b[i])
		i++;
	if (i == a_bytes && i == b_bytes)
		return 0;

	uint32_t bit = (uint32_t)i * BITS_PER_BYTE + 1;

	while (key_bit(a, a_bytes, bit) == key_bit(b, b_bytes, bit))
		bit++;
	return bit;
}

/* The only member that can have that key. */
static struct axvm_toml_node *nearest(struct axvm_toml_node *root, struct axvm_toml_string name)
{
	struct axvm_toml_node *node = root->index_link[0];
	uint32_t bit = 0;

	while (node->index_bit > bit) {
		bit = node->index_bit;
		node = node->index_link[key_bit(name.text, name.bytes, bit)];
	}
	return node;
}

struct axvm_toml_node *axvm_toml_find(const struct axvm_toml_node *table,
				      struct axvm_toml_string name)
{
	if (table->type != AXVM_TOML_TABLE || table->u.children.index == NULL)
		return NULL;

	struct axvm_toml_node *node = nearest(table->u.children.index, name);

	return first_difference(node->key, node->key_bytes, name.text, name.bytes) == 0 ? node
											: NULL;
}

static void index_first(struct axvm_toml_node *table, struct axvm_toml_node *node)
{
	node->index_bit = 0;
	node->index_link[0] = node;
	node->index_link[1] = node;
	table->u.children.index = node;
}

static void index_member(struct axvm_toml_node *table, struct axvm_toml_node *node)
{
	struct axvm_toml_string name = { node->key, node->key_bytes };

	if (table->u.children.index == NULL) {
		index_first(table, node);
		return;
	}

	const struct axvm_toml_node *twin = nearest(table->u.children.index, name);
	uint32_t split = first_difference(twin->key, twin->key_bytes, name.text, name.bytes);
	struct axvm_toml_node **link = &table->u.children.index->index_link[0];
	uint32_t bit = 0;

	while ((*link)->index_bit > bit && (*link)->index_bit < split) {
		bit = (*link)->index_bit;
		link = &(*link)->index_link[key_bit(name.text, name.bytes, bit)];
	}

	unsigned int side = key_bit(name.text, name.bytes, split);

	node->index_bit = split;
	node->index_link[side] = node;
	node->index_link[1 - side] = *link;
	*link = node;
}

static struct axvm_toml_node *new_node(struct axvm_toml_parser *p, struct axvm_toml_place place)
{
	struct axvm_toml_node *node =
		axvm_arena_take(p->arena, sizeof(*node), _Alignof(struct axvm_toml_node));

	if (node != NULL)
		*node = (struct axvm_toml_node){
			.line = place.line,
			.column = axvm_toml_column(place),
		};
	return node;
}

static void append(struct axvm_toml_node *parent, struct axvm_toml_node *node)
{
	struct axvm_toml_children *children = &parent->u.children;

	node->parent = parent;
	if (children->last == NULL)
		children->first = node;
	else
		children->last->next = node;
	children->last = node;
	children->count++;
}

struct axvm_toml_node *axvm_toml_new_root(struct axvm_toml_parser *p)
{
	return new_node(p, axvm_toml_here(p));
}

struct axvm_toml_node *axvm_toml_add_member(struct axvm_toml_parser *p,
					    struct axvm_toml_node *table,
					    const struct axvm_toml_key *key)
{
	struct axvm_toml_node *node = new_node(p, key->place);

	if (node == NULL)
		return NULL;
	node->key = key->name.text;
	node->key_bytes = (uint32_t)key->name.bytes;
	node->key_line = node->line;
	node->key_column = node->column;
	index_member(table, node);
	append(table, node);
	return node;
}

struct axvm_toml_node *axvm_toml_add_element(struct axvm_toml_parser *p,
					     struct axvm_toml_node *array,
					     struct axvm_toml_place place)
{
	struct axvm_toml_node *node = new_node(p, place);

	if (node != NULL)
		append(array, node);
	return node;
}

const struct axvm_toml_node *axvm_toml_get(const struct axvm_toml_node *table, const char *key,
					   size_t key_bytes)
{
	return axvm_toml_find(table, (struct axvm_toml_string){ key, key_bytes });
}

static bool has_children(const struct axvm_toml_node *node)
{
	return node->type == AXVM_TOML_TABLE || node->type == AXVM_TOML_ARRAY;
}

const struct axvm_toml_node *axvm_toml_first(const struct axvm_toml_node *node)
{
	return has_children(node) ? node->u.children.first : NULL;
}

const struct axvm_toml_node *axvm_toml_next(const struct axvm_toml_node *node)
{
	return node->next;
}

uint32_t axvm_toml_count(const struct axvm_toml_node *node)
{
	return has_children(node) ? node->u.children.count : 0;
}

const char *axvm_toml_type_name(unsigned int type)
{
	static const char *const names[] = {
		[AXVM_TOML_TABLE] = "table",
		[AXVM_TOML_ARRAY] = "array",
		[AXVM_TOML_STRING] = "string",
		[AXVM_TOML_INTEGER] = "integer",
		[AXVM_TOML_FLOAT] = "float",
		[AXVM_TOML_BOOL] = "boolean",
		[AXVM_TOML_OFFSET_DATETIME] = "date and time with offset",
		[AXVM_TOML_LOCAL_DATETIME] = "date and time",
		[AXVM_TOML_LOCAL_DATE] = "date",
		[AXVM_TOML_LOCAL_TIME] = "time",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}
