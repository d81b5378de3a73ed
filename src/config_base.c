/* SPDX-License-Identifier: Apache-2.0 */
/* [base]: who the VM is, and its CPUs. */
#include "config_private.h"

#define PHYS_CPU_ID_MAX 0xffffffffffull /* MPIDR affinity with Aff3 */

static void read_isa(struct axvm_config_reader *reader, struct axvm_config_place place,
		     const struct axvm_toml_node *node)
{
	struct axvm_text *text;
	uint32_t isa;

	if (!axvm_config_choice(reader, place, node, &axvm_config_isas, &isa))
		return;
	reader->config->has_isa = true;
	if (isa == (uint32_t)reader->platform->isa)
		return;
	text = axvm_config_error_begin(reader, place);
	axvm_text_char(text, ' ');
	axvm_config_put_value(text, node);
	axvm_text_string(text, ": this machine is \"");
	axvm_text_string(text, axvm_isa_name(reader->platform->isa));
	axvm_text_char(text, '"');
	axvm_config_error_end(reader, node);
}

static void read_id(struct axvm_config_reader *reader, struct axvm_config_place place,
		    const struct axvm_toml_node *node)
{
	uint64_t id;

	if (axvm_config_number(reader, place, node, AXVM_CONFIG_COUNT, 0, UINT32_MAX, &id))
		reader->config->id = (uint32_t)id;
}

static void read_name(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node)
{
	(void)axvm_config_label(reader, place, node, &reader->config->name);
}

static void read_vm_type(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node)
{
	uint32_t type;

	if (axvm_config_choice(reader, place, node, &axvm_config_vm_types, &type))
		reader->config->type = (enum axvm_vm_type)type;
}

static void read_cpu_num(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node)
{
	uint64_t count;

	reader->config->vcpu_count = 0; /* unknown unless it is right */
	if (axvm_config_number(reader, place, node, AXVM_CONFIG_COUNT, 1, AXVM_VCPUS_MAX, &count))
		reader->config->vcpu_count = (uint32_t)count;
}

/* An array of one number per vCPU; NULL after an error. */
static const uint64_t *read_per_cpu(struct axvm_config_reader *reader,
				    struct axvm_config_place place,
				    const struct axvm_toml_node *node, uint64_t min, uint64_t max)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);
	const uint32_t errors = reader->error_count;
	uint64_t *numbers;

	if (!axvm_config_array(reader, place, node, AXVM_VCPUS_MAX))
		return NULL;
	numbers = axvm_config_take(reader, axvm_toml_count(node), sizeof(*numbers));
	for (; numbers != NULL && element != NULL; element = axvm_toml_next(element)) {
		place.index++;
		(void)axvm_config_number(reader, place, element, AXVM_CONFIG_MASK, min, max,
					 &numbers[place.index]);
	}
	return reader->error_count == errors ? numbers : NULL;
}

static void report_twice(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node, uint64_t value, uint32_t first)
{
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_char(text, ' ');
	axvm_text_hex(text, value);
	axvm_text_string(text, " is given twice; it is ");
	place.index = (int32_t)first;
	axvm_config_put_place(text, place);
	axvm_text_string(text, " too");
	axvm_config_error_end(reader, node);
}

static void refuse_duplicates(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node, const uint64_t *numbers)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);

	for (uint32_t i = 0; element != NULL; i++, element = axvm_toml_next(element)) {
		uint32_t first = 0;

		while (numbers[first] != numbers[i])
			first++;
		place.index = (int32_t)i;
		if (first < i)
			report_twice(reader, place, element, numbers[i], first);
	}
}

static void read_phys_cpu_ids(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node)
{
	const uint64_t *ids = read_per_cpu(reader, place, node, 0, PHYS_CPU_ID_MAX);

	if (ids != NULL)
		refuse_duplicates(reader, place, node, ids);
	reader->config->phys_cpu_ids = ids;
}

static void read_phys_cpu_sets(struct axvm_config_reader *reader, struct axvm_config_place place,
			       const struct axvm_toml_node *node)
{
	reader->config->phys_cpu_sets = read_per_cpu(reader, place, node, 1, UINT64_MAX);
}

static const struct axvm_config_key keys[] = {
	{ "isa", read_isa, false },
	{ "id", read_id, true },
	{ "name", read_name, true },
	{ "vm_type", read_vm_type, false },
	{ "cpu_num", read_cpu_num, false },
	{ "phys_cpu_ids", read_phys_cpu_ids, false },
	{ "phys_cpu_sets", read_phys_cpu_sets, false },
};

const struct axvm_config_section axvm_config_base_section = { "base", keys,
							      sizeof(keys) / sizeof(keys[0]) };

/* One number for each vCPU. */
static void check_length(struct axvm_config_reader *reader, const char *key)
{
	const struct axvm_toml_node *node = axvm_config_get(reader->base, key);
	const uint32_t vcpus = reader->config->vcpu_count;
	struct axvm_text *text;

	if (node == NULL || node->type != AXVM_TOML_ARRAY || vcpus == 0 ||
	    axvm_toml_count(node) == vcpus || axvm_toml_count(node) > AXVM_VCPUS_MAX)
		return;
	text = axvm_config_error_begin(reader, axvm_config_place(key));
	axvm_text_string(text, " has ");
	axvm_text_decimal(text, axvm_toml_count(node));
	axvm_text_string(text, axvm_toml_count(node) == 1 ? " entry" : " entries");
	axvm_text_string(text, "; expected one for each vCPU: cpu_num is ");
	axvm_text_decimal(text, vcpus);
	axvm_config_error_end(reader, node);
}

void axvm_config_base_finish(struct axvm_config_reader *reader)
{
	check_length(reader, "phys_cpu_ids");
	check_length(reader, "phys_cpu_sets");
}
