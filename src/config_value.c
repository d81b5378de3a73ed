/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of single values. Each refuses with a sentence that says what would be right. */
#include <string.h>

#include "config_private.h"

void *axvm_config_take(struct axvm_config_reader *reader, uint32_t count, size_t bytes)
{
	void *memory;

	if (count == 0)
		return NULL;
	memory = axvm_arena_take(&reader->arena, count * bytes, _Alignof(uint64_t));
	if (memory != NULL)
		memset(memory, 0, count * bytes);
	else
		reader->out_of_memory = true;
	return memory;
}

static int digit_of(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

static unsigned base_of(const char *text, size_t bytes)
{
	if (bytes < 2 || text[0] != '0')
		return 10;
	return text[1] == 'x' ? 16 : text[1] == 'o' ? 8 : text[1] == 'b' ? 2 : 10;
}

/* Reads digits with underscores between them; returns how many bytes, 0 when it is no number. */
static size_t read_digits(const char *text, size_t bytes, uint64_t *value, bool *overflow)
{
	const unsigned base = base_of(text, bytes);
	size_t i = base == 10 ? 0 : 2;
	bool after_digit = false;

	for (*value = 0; i < bytes; i++) {
		const int digit = digit_of(text[i]);

		if (text[i] == '_' && after_digit && i + 1 < bytes && digit_of(text[i + 1]) >= 0) {
			after_digit = false;
			continue;
		}
		if (digit < 0 || (unsigned)digit >= base)
			break;
		if (*value > (UINT64_MAX - (unsigned)digit) / base)
			*overflow = true;
		*value = *value * base + (unsigned)digit;
		after_digit = true;
	}
	return after_digit ? i : 0;
}

/* The shift of a unit: K, KiB, ... T, TiB; nothing is 0; -1 for anything else. */
static int unit_shift(const char *text, size_t bytes)
{
	static const char letters[] = "KMGT";

	if (bytes == 0)
		return 0;
	if (bytes != 1 && (bytes != 3 || text[1] != 'i' || text[2] != 'B'))
		return -1;
	for (int i = 0; i < 4; i++) {
		if (text[0] == letters[i])
			return 10 * (i + 1);
	}
	return -1;
}

enum quantity { QUANTITY_GOOD, QUANTITY_MALFORMED, QUANTITY_TOO_LARGE };

static enum quantity read_quantity(struct axvm_toml_string string, bool units, uint64_t *value)
{
	bool overflow = false;
	uint64_t number;
	size_t used = read_digits(string.text, string.bytes, &number, &overflow);
	int shift;

	if (used == 0)
		return QUANTITY_MALFORMED;
	if (units && used + 1 < string.bytes && string.text[used] == ' ')
		used++;
	shift = unit_shift(string.text + used, string.bytes - used);
	if (shift < 0 || (shift > 0 && !units))
		return QUANTITY_MALFORMED;
	if (overflow || number > UINT64_MAX >> shift)
		return QUANTITY_TOO_LARGE;
	*value = number << shift;
	return QUANTITY_GOOD;
}

static void put_styled(struct axvm_text *text, enum axvm_config_style style, uint64_t value)
{
	if (style == AXVM_CONFIG_COUNT)
		axvm_text_decimal(text, value);
	else if (style == AXVM_CONFIG_SIZE)
		axvm_text_size(text, value);
	else
		axvm_text_hex(text, value);
}

static void out_of_range(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node, enum axvm_config_style style,
			 uint64_t min, uint64_t max)
{
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_char(text, ' ');
	if (style == AXVM_CONFIG_COUNT && node->u.integer >= 0)
		axvm_text_decimal(text, (uint64_t)node->u.integer);
	else
		axvm_config_put_value(text, node);
	axvm_text_string(text, " is out of range; allowed: ");
	put_styled(text, style, min);
	axvm_text_string(text, " to ");
	put_styled(text, style, max);
	axvm_config_error_end(reader, node);
}

static const char *const expectations[] = {
	[AXVM_CONFIG_COUNT] = "an integer",
	[AXVM_CONFIG_MASK] = "an integer or a string such as \"0xff\"",
	[AXVM_CONFIG_ADDRESS] = "an address such as 0x4000_0000 or \"1 GiB\"",
	[AXVM_CONFIG_SIZE] = "a size such as 0x2000_0000 or \"512 MiB\"",
};

bool axvm_config_number(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, enum axvm_config_style style,
			uint64_t min, uint64_t max, uint64_t *out)
{
	const bool units = style == AXVM_CONFIG_ADDRESS || style == AXVM_CONFIG_SIZE;
	enum quantity quantity = QUANTITY_MALFORMED;
	uint64_t value = 0;

	if (node->type == AXVM_TOML_INTEGER) {
		value = (uint64_t)node->u.integer;
		quantity = node->u.integer < 0 ? QUANTITY_TOO_LARGE : QUANTITY_GOOD;
	} else if (node->type == AXVM_TOML_STRING && style != AXVM_CONFIG_COUNT) {
		quantity = read_quantity(node->u.string, units, &value);
	}
	if (quantity == QUANTITY_MALFORMED) {
		axvm_config_wrong_type(reader, place, node, expectations[style]);
		return false;
	}
	if (quantity == QUANTITY_TOO_LARGE || value < min || value > max) {
		out_of_range(reader, place, node, style, min, max);
		return false;
	}
	*out = value;
	return true;
}

static bool same(const char *name, struct axvm_toml_string string)
{
	for (size_t i = 0; i < string.bytes; i++) {
		if (name[i] == '\0' || name[i] != string.text[i])
			return false;
	}
	return name[string.bytes] == '\0';
}

static void put_choices(struct axvm_text *text, const struct axvm_config_enum *choices)
{
	const char *separator = "";

	for (uint32_t i = 0; i < choices->count; i++) {
		if (choices->names[i].name == NULL)
			continue;
		axvm_text_string(text, separator);
		axvm_text_char(text, '"');
		axvm_text_string(text, choices->names[i].name);
		axvm_text_char(text, '"');
		if (choices->by_number) {
			axvm_text_string(text, " (");
			axvm_text_hex(text, choices->names[i].number);
			axvm_text_char(text, ')');
		}
		separator = ", ";
	}
}

static bool is_choice(const struct axvm_config_name *name, const struct axvm_toml_node *node)
{
	if (name->name == NULL)
		return false;
	if (node->type == AXVM_TOML_INTEGER)
		return node->u.integer == (int64_t)name->number;
	return same(name->name, node->u.string);
}

bool axvm_config_choice(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, const struct axvm_config_enum *choices,
			uint32_t *out)
{
	const bool by_number = choices->by_number && node->type == AXVM_TOML_INTEGER;
	struct axvm_text *text;

	if (!by_number && node->type != AXVM_TOML_STRING) {
		axvm_config_wrong_type(reader, place, node,
				       choices->by_number ? "a name or its number" : "a name");
		return false;
	}
	for (uint32_t i = 0; i < choices->count; i++) {
		if (is_choice(&choices->names[i], node)) {
			*out = choices->names[i].number;
			return true;
		}
	}
	text = axvm_config_error_begin(reader, place);
	axvm_text_char(text, ' ');
	axvm_config_put_value(text, node);
	axvm_text_string(text, " is unknown; allowed: ");
	put_choices(text, choices);
	axvm_config_error_end(reader, node);
	return false;
}

bool axvm_config_bool(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node, bool *out)
{
	if (node->type != AXVM_TOML_BOOL) {
		axvm_config_wrong_type(reader, place, node, "true or false");
		return false;
	}
	*out = node->u.boolean;
	return true;
}

static bool has_nul(struct axvm_toml_string string)
{
	for (size_t i = 0; i < string.bytes; i++) {
		if (string.text[i] == '\0')
			return true;
	}
	return false;
}

bool axvm_config_string(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, uint32_t max, const char **out)
{
	const struct axvm_toml_string string = node->u.string;
	struct axvm_text *text;
	char *copy;

	if (node->type != AXVM_TOML_STRING) {
		axvm_config_wrong_type(reader, place, node, "a string");
		return false;
	}
	if (string.bytes > max) {
		text = axvm_config_error_begin(reader, place);
		axvm_text_string(text, " has ");
		axvm_text_decimal(text, string.bytes);
		axvm_text_string(text, " bytes; allowed: at most ");
		axvm_text_decimal(text, max);
		axvm_config_error_end(reader, node);
		return false;
	}
	if (has_nul(string)) {
		axvm_config_refuse(reader, place, node, " contains a NUL character");
		return false;
	}
	copy = axvm_arena_take(&reader->arena, string.bytes + 1, 1);
	if (copy == NULL) {
		reader->out_of_memory = true;
		return false;
	}
	if (string.bytes > 0)
		memcpy(copy, string.text, string.bytes);
	copy[string.bytes] = '\0';
	*out = copy;
	return true;
}

bool axvm_config_label(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, const char **out)
{
	const char *label;

	if (!axvm_config_string(reader, place, node, AXVM_NAME_BYTES - 1, &label))
		return false;
	if (label[0] == '\0') {
		axvm_config_refuse(reader, place, node, " is empty; allowed: 1 to 63 characters");
		return false;
	}
	for (const char *c = label; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~') {
			axvm_config_refuse(reader, place, node,
					   ": only printable ASCII characters are allowed");
			return false;
		}
	}
	*out = label;
	return true;
}

static uint32_t flag_of(char letter)
{
	static const char letters[] = "rwxudn";

	for (uint32_t i = 0; letters[i] != '\0'; i++) {
		if (letters[i] == letter)
			return 1u << i;
	}
	return 0;
}

/* 0: not a word of flag letters, each at most once. */
static uint32_t flags_of(struct axvm_toml_string string)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < string.bytes; i++) {
		const uint32_t flag = flag_of(string.text[i]);

		if (flag == 0 || (flags & flag) != 0)
			return 0;
		flags |= flag;
	}
	return flags;
}

bool axvm_config_flags(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint32_t *out)
{
	uint64_t flags = 0;

	if (node->type == AXVM_TOML_INTEGER) {
		if (!axvm_config_number(reader, place, node, AXVM_CONFIG_MASK, 1,
					AXVM_MAP_FLAGS_ALL, &flags))
			return false;
	} else if (node->type == AXVM_TOML_STRING) {
		flags = flags_of(node->u.string);
	}
	if (flags == 0) {
		axvm_config_wrong_type(reader, place, node,
				       "a number or letters of \"rwxudn\" (read, write, execute, "
				       "user, device, uncached)");
		return false;
	}
	if ((flags & AXVM_MAP_RWX) == 0) {
		axvm_config_refuse(reader, place, node,
				   " gives no right at all; allowed: at least one of r, w, x");
		return false;
	}
	*out = (uint32_t)flags;
	return true;
}

bool axvm_config_array(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint32_t max)
{
	struct axvm_text *text;

	if (node->type != AXVM_TOML_ARRAY) {
		axvm_config_wrong_type(reader, place, node, "an array");
		return false;
	}
	if (axvm_toml_count(node) <= max)
		return true;
	text = axvm_config_error_begin(reader, place);
	axvm_text_string(text, " has ");
	axvm_text_decimal(text, axvm_toml_count(node));
	axvm_text_string(text, " entries; allowed: at most ");
	axvm_text_decimal(text, max);
	axvm_config_error_end(reader, node);
	return false;
}
