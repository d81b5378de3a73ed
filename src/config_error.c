/* SPDX-License-Identifier: Apache-2.0 */
/* What users read when a file is wrong: place, found value, what is allowed. */
#include <string.h>

#include "config_private.h"

#define FOUND_BYTES 40u

void axvm_config_report_at(struct axvm_config_reader *reader, uint32_t line, uint32_t column)
{
	const struct axvm_config_source *source = reader->source;
	struct axvm_config_error error = { line, column, reader->buffer };

	if (reader->error_count > AXVM_CONFIG_ERRORS_MAX)
		return;
	reader->error_count++;
	if (source->report == NULL)
		return;
	if (reader->error_count > AXVM_CONFIG_ERRORS_MAX)
		error.text = "and more errors, which are not shown";
	source->report(source->context, &error);
}

void axvm_config_put_place(struct axvm_text *text, struct axvm_config_place place)
{
	axvm_text_string(text, place.key);
	if (place.index >= 0) {
		axvm_text_char(text, '[');
		axvm_text_decimal(text, (uint64_t)place.index);
		axvm_text_char(text, ']');
	}
	if (place.field != NULL) {
		axvm_text_char(text, '.');
		axvm_text_string(text, place.field);
	}
	if (place.item >= 0) {
		axvm_text_char(text, '[');
		axvm_text_decimal(text, (uint64_t)place.item);
		axvm_text_char(text, ']');
	}
}

struct axvm_text *axvm_config_error_begin(struct axvm_config_reader *reader,
					  struct axvm_config_place place)
{
	reader->text = axvm_text(reader->buffer, sizeof(reader->buffer));
	axvm_config_put_place(&reader->text, place);
	return &reader->text;
}

void axvm_config_error_end(struct axvm_config_reader *reader, const struct axvm_toml_node *node)
{
	axvm_config_report_at(reader, node != NULL && node->line > 0 ? node->line : 1,
			      node != NULL && node->column > 0 ? node->column : 1);
}

void axvm_config_refuse(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, const char *sentence)
{
	axvm_text_string(axvm_config_error_begin(reader, place), sentence);
	axvm_config_error_end(reader, node);
}

void axvm_config_refuse_number(struct axvm_config_reader *reader, struct axvm_config_place place,
			       const struct axvm_toml_node *node, uint64_t value,
			       const char *sentence)
{
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_char(text, ' ');
	axvm_text_hex(text, value);
	axvm_text_string(text, sentence);
	axvm_config_error_end(reader, node);
}

static void put_quoted(struct axvm_text *text, const char *string, size_t bytes)
{
	axvm_text_char(text, '"');
	axvm_text_bytes(text, string, bytes < FOUND_BYTES ? bytes : FOUND_BYTES);
	axvm_text_string(text, bytes > FOUND_BYTES ? "...\"" : "\"");
}

static void put_integer(struct axvm_text *text, int64_t value)
{
	if (value < 0) {
		axvm_text_char(text, '-');
		axvm_text_decimal(text, (uint64_t)0 - (uint64_t)value);
	} else if (value >= 0x10000) {
		axvm_text_hex(text, (uint64_t)value);
	} else {
		axvm_text_decimal(text, (uint64_t)value);
	}
}

void axvm_config_put_value(struct axvm_text *text, const struct axvm_toml_node *node)
{
	const char *type = axvm_toml_type_name(node->type);

	switch (node->type) {
	case AXVM_TOML_INTEGER:
		put_integer(text, node->u.integer);
		return;
	case AXVM_TOML_STRING:
		put_quoted(text, node->u.string.text, node->u.string.bytes);
		return;
	case AXVM_TOML_BOOL:
		axvm_text_string(text, node->u.boolean ? "true" : "false");
		return;
	default:
		axvm_text_string(text, type[0] == 'a' || type[0] == 'o' ? "an " : "a ");
		axvm_text_string(text, type);
		return;
	}
}

void axvm_config_wrong_type(struct axvm_config_reader *reader, struct axvm_config_place place,
			    const struct axvm_toml_node *node, const char *what)
{
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_string(text, ": expected ");
	axvm_text_string(text, what);
	axvm_text_string(text, ", found ");
	axvm_config_put_value(text, node);
	axvm_config_error_end(reader, node);
}

#define WORD_MAX 40u

static uint8_t minimum(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance; both words are at most WORD_MAX bytes. */
static uint8_t distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	uint8_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_bytes; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 1; i <= a_bytes; i++) {
		uint8_t diagonal = row[0];

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_bytes; j++) {
			const uint8_t replaced = (uint8_t)(diagonal + (a[i - 1] != b[j - 1]));

			diagonal = row[j];
			row[j] = minimum(replaced, (uint8_t)(minimum(row[j - 1], row[j]) + 1));
		}
	}
	return row[b_bytes];
}

static size_t length_of(const char *string)
{
	size_t length = 0;

	while (string[length] != '\0')
		length++;
	return length;
}

static bool begins_with(const char *name, const char *word, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (name[i] == '\0' || name[i] != word[i])
			return false;
	}
	return true;
}

/* The first name that the word, of three letters at least, is the beginning of. */
static const char *completion(const char *word, size_t bytes, const char *const *names,
			      uint32_t count)
{
	for (uint32_t i = 0; bytes >= 3 && i < count; i++) {
		if (begins_with(names[i], word, bytes))
			return names[i];
	}
	return NULL;
}

const char *axvm_config_nearest(const char *word, size_t bytes, const char *const *names,
				uint32_t count)
{
	const char *nearest = NULL;
	uint8_t best = (uint8_t)(bytes > WORD_MAX ? 0 : 2 + bytes / 4);

	for (uint32_t i = 0; bytes <= WORD_MAX && i < count; i++) {
		const size_t length = length_of(names[i]);
		const uint8_t far =
			length > WORD_MAX ? best : distance(word, bytes, names[i], length);

		if (far < best && far < length) {
			best = far;
			nearest = names[i];
		}
	}
	return nearest != NULL ? nearest : completion(word, bytes, names, count);
}

static const struct axvm_config_section *const sections[] = {
	&axvm_config_base_section,
	&axvm_config_kernel_section,
	&axvm_config_devices_section,
};

/* The section that has this very key. */
static const char *home_of(const struct axvm_toml_node *node)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		for (uint32_t k = 0; k < sections[i]->count; k++) {
			const char *name = sections[i]->keys[k].name;

			if (node->key_bytes == length_of(name) &&
			    memcmp(name, node->key, node->key_bytes) == 0)
				return sections[i]->name;
		}
	}
	return NULL;
}

static void put_names(struct axvm_text *text, const char *const *names, uint32_t count)
{
	axvm_text_string(text, "; known keys: ");
	for (uint32_t i = 0; i < count; i++) {
		axvm_text_string(text, i > 0 ? ", " : "");
		axvm_text_string(text, names[i]);
	}
}

void axvm_config_unknown_key(struct axvm_config_reader *reader, const char *where,
			     const struct axvm_toml_node *node, const char *const *names,
			     uint32_t count)
{
	const char *nearest = axvm_config_nearest(node->key, node->key_bytes, names, count);
	const bool in_section =
		node->parent == reader->root || node->parent->parent == reader->root;
	const char *home = in_section ? home_of(node) : NULL;
	struct axvm_text *text = &reader->text;

	reader->text = axvm_text(reader->buffer, sizeof(reader->buffer));
	axvm_text_string(text, "unknown key ");
	put_quoted(text, node->key, node->key_bytes);
	axvm_text_string(text, " in ");
	axvm_text_string(text, where);
	if (home != NULL) {
		axvm_text_string(text, "; it belongs in [");
		axvm_text_string(text, home);
		axvm_text_char(text, ']');
	} else if (nearest != NULL) {
		axvm_text_string(text, "; did you mean \"");
		axvm_text_string(text, nearest);
		axvm_text_string(text, "\"?");
	} else {
		put_names(text, names, count);
	}
	axvm_config_report_at(reader, node->key_line, node->key_column);
}
