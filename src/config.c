/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM file from text to struct axvm_config: TOML, then sections key by key,
 * then what follows from several keys, then the checks between values.
 */
#include "config_private.h"

static void report_toml(struct axvm_config_reader *reader, const struct axvm_toml_error *error)
{
	struct axvm_text *text = &reader->text;

	reader->text = axvm_text(reader->buffer, sizeof(reader->buffer));
	axvm_text_string(text, error->message);
	if (error->excerpt[0] != '\0') {
		axvm_text_string(text, ", found \"");
		axvm_text_string(text, error->excerpt);
		axvm_text_char(text, '"');
	}
	if (error->earlier_line != 0) {
		axvm_text_string(text, "; first at line ");
		axvm_text_decimal(text, error->earlier_line);
		axvm_text_string(text, ", column ");
		axvm_text_decimal(text, error->earlier_column);
	}
	axvm_config_report_at(reader, error->line, error->column);
}

static int parse_toml(struct axvm_config_reader *reader)
{
	struct axvm_toml_error error = { 0 };
	const int result = axvm_toml_parse(reader->source->text, reader->source->bytes,
					   &reader->arena, &reader->root, &error);

	if (result == AXVM_EFORMAT)
		report_toml(reader, &error);
	return result;
}

static const char *const table_names[] = { "base", "kernel", "devices" };
#define TABLE_COUNT 3u

static void refuse_other_tables(struct axvm_config_reader *reader)
{
	const struct axvm_toml_node *node = axvm_toml_first(reader->root);

	for (; node != NULL; node = axvm_toml_next(node)) {
		uint32_t i = 0;

		while (i < TABLE_COUNT && axvm_config_get(reader->root, table_names[i]) != node)
			i++;
		if (i == TABLE_COUNT)
			axvm_config_unknown_key(reader, "the file", node, table_names, TABLE_COUNT);
	}
}

/* The section's table, or NULL after an error; absent is fine where it is not required. */
static const struct axvm_toml_node *section_table(struct axvm_config_reader *reader,
						  const char *name, bool required)
{
	const struct axvm_toml_node *node = axvm_config_get(reader->root, name);
	const struct axvm_config_place place = axvm_config_place(name);

	if (node == NULL && required &&
	    !axvm_config_is_misspelt(reader->root, table_names, TABLE_COUNT, name))
		axvm_config_refuse(reader, place, NULL,
				   ": this table is required, and the file has none");
	if (node == NULL || node->type == AXVM_TOML_TABLE)
		return node;
	axvm_config_wrong_type(reader, place, node, "a table");
	return NULL;
}

static void read_sections(struct axvm_config_reader *reader)
{
	refuse_other_tables(reader);
	reader->base = section_table(reader, "base", true);
	reader->kernel = section_table(reader, "kernel", true);
	reader->devices = section_table(reader, "devices", false);
	if (reader->base != NULL)
		axvm_config_section_read(reader, reader->base, &axvm_config_base_section);
	if (reader->kernel != NULL)
		axvm_config_section_read(reader, reader->kernel, &axvm_config_kernel_section);
	if (reader->devices != NULL)
		axvm_config_section_read(reader, reader->devices, &axvm_config_devices_section);
}

/* What follows from several keys. Without memory for all of them nothing can be said. */
static void finish_sections(struct axvm_config_reader *reader)
{
	if (reader->base != NULL)
		axvm_config_base_finish(reader);
	if (reader->kernel != NULL)
		axvm_config_kernel_finish(reader);
	axvm_config_devices_finish(reader);
}

static bool take_config(struct axvm_config_reader *reader)
{
	struct axvm_config *config = axvm_config_take(reader, 1, sizeof(*config));

	reader->config = config;
	if (config == NULL)
		return false;
	config->isa = reader->platform->isa;
	config->type = AXVM_VM_LINUX;
	config->vcpu_count = 1;
	config->cmdline = "";
	return true;
}

static struct axvm_config_reader make_reader(const struct axvm_config_source *source,
					     const struct axvm_platform *platform, void *memory,
					     size_t bytes)
{
	return (struct axvm_config_reader){ .source = source,
					    .platform = platform,
					    .arena = { memory, bytes, 0 } };
}

int axvm_config_parse(const struct axvm_config_source *source, const struct axvm_platform *platform,
		      void *memory, size_t bytes, const struct axvm_config **config)
{
	struct axvm_config_reader reader = make_reader(source, platform, memory, bytes);
	const int result = parse_toml(&reader);

	if (result < 0)
		return result;
	if (!take_config(&reader))
		return AXVM_ENOMEM;
	read_sections(&reader);
	if (!reader.out_of_memory)
		finish_sections(&reader);
	if (!reader.out_of_memory)
		axvm_config_check(&reader);
	if (reader.out_of_memory)
		return AXVM_ENOMEM;
	if (reader.error_count > 0)
		return AXVM_EFORMAT;
	*config = reader.config;
	return 0;
}

int axvm_config_isa(const struct axvm_config_source *source, void *memory, size_t bytes,
		    enum axvm_isa *isa)
{
	struct axvm_config_reader reader = make_reader(source, NULL, memory, bytes);
	const struct axvm_toml_node *node;
	const int result = parse_toml(&reader);
	uint32_t number;

	if (result < 0)
		return result;
	node = axvm_config_get(axvm_config_get(reader.root, "base"), "isa");
	if (node == NULL)
		return AXVM_ENOENT;
	if (!axvm_config_choice(&reader, axvm_config_place("isa"), node, &axvm_config_isas,
				&number))
		return AXVM_EFORMAT;
	*isa = (enum axvm_isa)number;
	return 0;
}
