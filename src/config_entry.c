/* SPDX-License-Identifier: Apache-2.0 */
/* Sections, and entries of arrays in both of their forms. */
#include <string.h>

#include "config_private.h"

static bool is_key(const struct axvm_toml_node *node, const char *name)
{
	for (uint32_t i = 0; i < node->key_bytes; i++) {
		if (name[i] == '\0' || name[i] != node->key[i])
			return false;
	}
	return name[node->key_bytes] == '\0';
}

const struct axvm_toml_node *axvm_config_get(const struct axvm_toml_node *table, const char *key)
{
	size_t bytes = 0;

	if (table == NULL)
		return NULL;
	while (key[bytes] != '\0')
		bytes++;
	return axvm_toml_get(table, key, bytes);
}

static bool by_position(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, const char *const *names, uint32_t count,
			const struct axvm_toml_node **fields)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);
	struct axvm_text *text;

	for (uint32_t i = 0; i < count && element != NULL; i++) {
		fields[i] = element;
		element = axvm_toml_next(element);
	}
	if (axvm_toml_count(node) == count)
		return true;
	text = axvm_config_error_begin(reader, place);
	axvm_text_string(text, " has ");
	axvm_text_decimal(text, axvm_toml_count(node));
	axvm_text_string(text, axvm_toml_count(node) == 1 ? " element" : " elements");
	axvm_text_string(text, "; expected ");
	axvm_text_decimal(text, count);
	for (uint32_t i = 0; i < count; i++) {
		axvm_text_string(text, i > 0 ? ", " : ": [");
		axvm_text_string(text, names[i]);
	}
	axvm_text_char(text, ']');
	axvm_config_error_end(reader, node);
	return false;
}

static bool by_name(struct axvm_config_reader *reader, struct axvm_config_place place,
		    const struct axvm_toml_node *node, const char *const *names, uint32_t count,
		    const struct axvm_toml_node **fields)
{
	const struct axvm_toml_node *member = axvm_toml_first(node);
	char where_buffer[64];
	struct axvm_text where = axvm_text(where_buffer, sizeof(where_buffer));
	bool good = true;

	axvm_config_put_place(&where, place);
	for (; member != NULL; member = axvm_toml_next(member)) {
		uint32_t i = 0;

		while (i < count && !is_key(member, names[i]))
			i++;
		if (i < count) {
			fields[i] = member;
			continue;
		}
		axvm_config_unknown_key(reader, where_buffer, member, names, count);
		good = false;
	}
	return good;
}

bool axvm_config_entry(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, const char *const *names, uint32_t count,
		       const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX])
{
	memset(fields, 0, AXVM_CONFIG_FIELDS_MAX * sizeof(fields[0]));
	if (node->type == AXVM_TOML_ARRAY)
		return by_position(reader, place, node, names, count, fields);
	if (node->type == AXVM_TOML_TABLE)
		return by_name(reader, place, node, names, count, fields);
	axvm_config_wrong_type(reader, place, node, "an array or a table");
	return false;
}

bool axvm_config_present(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *entry, const struct axvm_toml_node *field,
			 const char *name)
{
	struct axvm_text *text;

	if (field != NULL)
		return true;
	text = axvm_config_error_begin(reader, place);
	axvm_text_string(text, " has no ");
	axvm_text_string(text, name);
	axvm_config_error_end(reader, entry);
	return false;
}

static bool is_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	return a[i] == b[i];
}

bool axvm_config_is_misspelt(const struct axvm_toml_node *table, const char *const *names,
			     uint32_t count, const char *name)
{
	const struct axvm_toml_node *member = axvm_toml_first(table);

	for (; member != NULL; member = axvm_toml_next(member)) {
		uint32_t i = 0;

		while (i < count && !is_key(member, names[i]))
			i++;
		if (i == count &&
		    axvm_config_nearest(member->key, member->key_bytes, names, count) == name)
			return true;
	}
	return false;
}

#define KEYS_MAX 32u

static uint32_t key_names(const struct axvm_config_section *section, const char *names[KEYS_MAX])
{
	uint32_t count = 0;

	for (; count < section->count && count < KEYS_MAX; count++)
		names[count] = section->keys[count].name;
	return count;
}

bool axvm_config_has(const struct axvm_toml_node *table, const struct axvm_config_section *section,
		     const char *key)
{
	const char *names[KEYS_MAX];
	const uint32_t count = key_names(section, names);

	for (uint32_t i = 0; i < count; i++) {
		if (is_same(names[i], key))
			return axvm_config_get(table, key) != NULL ||
			       axvm_config_is_misspelt(table, names, count, names[i]);
	}
	return false;
}

static void unknown_in_section(struct axvm_config_reader *reader,
			       const struct axvm_config_section *section,
			       const struct axvm_toml_node *node)
{
	const char *names[KEYS_MAX];
	char where_buffer[24];
	struct axvm_text where = axvm_text(where_buffer, sizeof(where_buffer));

	axvm_text_char(&where, '[');
	axvm_text_string(&where, section->name);
	axvm_text_char(&where, ']');
	axvm_config_unknown_key(reader, where_buffer, node, names, key_names(section, names));
}

static void read_member(struct axvm_config_reader *reader,
			const struct axvm_config_section *section,
			const struct axvm_toml_node *member)
{
	for (uint32_t i = 0; i < section->count; i++) {
		const struct axvm_config_key *key = &section->keys[i];

		if (is_key(member, key->name)) {
			key->read(reader, axvm_config_place(key->name), member);
			return;
		}
	}
	unknown_in_section(reader, section, member);
}

static void report_missing(struct axvm_config_reader *reader, const struct axvm_toml_node *table,
			   const struct axvm_config_section *section, const char *key)
{
	struct axvm_text *text = &reader->text;

	reader->text = axvm_text(reader->buffer, sizeof(reader->buffer));
	axvm_text_string(text, "[");
	axvm_text_string(text, section->name);
	axvm_text_string(text, "] has no \"");
	axvm_text_string(text, key);
	axvm_text_string(text, "\", which is required");
	axvm_config_error_end(reader, table);
}

void axvm_config_section_read(struct axvm_config_reader *reader, const struct axvm_toml_node *table,
			      const struct axvm_config_section *section)
{
	const struct axvm_toml_node *member = axvm_toml_first(table);

	for (; member != NULL && !reader->out_of_memory; member = axvm_toml_next(member))
		read_member(reader, section, member);
	for (uint32_t i = 0; i < section->count; i++) {
		const struct axvm_config_key *key = &section->keys[i];

		if (key->required && !axvm_config_has(table, section, key->name))
			report_missing(reader, table, section, key->name);
	}
}
