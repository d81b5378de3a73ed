/* SPDX-License-Identifier: Apache-2.0 */
/* [devices]: what is emulated, what is passed through, and how interrupts arrive. */
#include "config_private.h"

static void read_interrupt_mode(struct axvm_config_reader *reader, struct axvm_config_place place,
				const struct axvm_toml_node *node)
{
	uint32_t mode;

	if (!axvm_config_choice(reader, place, node, &axvm_config_irq_modes, &mode))
		return;
	reader->config->irq_mode = (enum axvm_irq_mode)mode;
}

/* Reads every entry of an array; the caller has made room for them. */
static void read_entries(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node,
			 void (*read)(struct axvm_config_reader *reader,
				      struct axvm_config_place place,
				      const struct axvm_toml_node *node))
{
	const struct axvm_toml_node *element = axvm_toml_first(node);

	for (; element != NULL && !reader->out_of_memory; element = axvm_toml_next(element)) {
		place.index++;
		read(reader, place, element);
	}
}

static bool read_irq(struct axvm_config_reader *reader, struct axvm_config_place place,
		     const struct axvm_toml_node *node, uint32_t *irq)
{
	uint64_t number;

	place = axvm_config_field(place, "irq_id");
	if (!axvm_config_number(reader, place, node, AXVM_CONFIG_COUNT, 0,
				reader->platform->irq_count - 1, &number))
		return false;
	*irq = (uint32_t)number;
	return true;
}

static void refuse_end(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint64_t base, uint64_t bytes,
		       uint64_t limit)
{
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_char(text, ' ');
	axvm_text_range(text, base, bytes);
	axvm_text_string(text, " ends beyond ");
	axvm_text_hex(text, limit - 1);
	axvm_text_string(text, ", the last there is");
	axvm_config_error_end(reader, node);
}

/* A base and a size in [0, limit), not empty. */
static bool read_range(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *base_node, const char *base_name,
		       const struct axvm_toml_node *size_node, uint64_t limit,
		       struct axvm_config_range *range)
{
	const struct axvm_config_place size = axvm_config_field(place, "length");
	bool good = axvm_config_number(reader, axvm_config_field(place, base_name), base_node,
				       AXVM_CONFIG_ADDRESS, 0, limit - 1, &range->base);

	good = axvm_config_number(reader, size, size_node, AXVM_CONFIG_SIZE, 1, limit,
				  &range->bytes) &&
	       good;
	if (good && range->bytes > limit - range->base) {
		refuse_end(reader, place, size_node, range->base, range->bytes, limit);
		return false;
	}
	return good;
}

/* ---- emulated devices --------------------------------------------------------------------- */

static const char *const emu_fields[] = { "name",   "base_gpa", "length",
					  "irq_id", "emu_type", "cfg_list" };
enum { EMU_NAME, EMU_BASE, EMU_LENGTH, EMU_IRQ, EMU_TYPE, EMU_ARGS, EMU_FIELDS };

bool axvm_emu_uses_ports(enum axvm_isa isa, enum axvm_emu_type type)
{
	return isa == AXVM_ISA_X86_64 && (type == AXVM_EMU_CONSOLE || type == AXVM_EMU_X86_PIT);
}

static const struct axvm_config_emu *find_type(const struct axvm_config_emu *devices,
					       uint32_t count, enum axvm_emu_type type)
{
	for (uint32_t i = 0; i < count; i++) {
		if (devices[i].type == type)
			return &devices[i];
	}
	return NULL;
}

const struct axvm_config_emu *axvm_config_default_device(const struct axvm_platform *platform,
							 enum axvm_emu_type type)
{
	const struct axvm_config_emu *found =
		find_type(platform->devices, platform->device_count, type);

	for (uint32_t i = 0; found == NULL && i < platform->machine_count; i++)
		found = find_type(platform->machines[i].devices, platform->machines[i].device_count,
				  type);
	return found;
}

/* How many numbers cfg_list has; a type that is not here takes any number of them. */
static const struct {
	enum axvm_emu_type type;
	uint32_t count;
	const char *sentence;
} arg_counts[] = {
	{ AXVM_EMU_GPPT_REDISTRIBUTOR, 3,
	  ": \"gppt-redistributor\" takes 3 numbers: [cpu_num, stride, pcpu_id]" },
	{ AXVM_EMU_GPPT_DISTRIBUTOR, 0, ": \"gppt-distributor\" takes none: []" },
	{ AXVM_EMU_GPPT_ITS, 1, ": \"gppt-its\" takes 1 number: [host_gits_base]" },
	{ AXVM_EMU_PPPT_GLOBAL, 1, ": \"pppt-global\" takes 1 number: [context_num]" },
	{ AXVM_EMU_PL011, 0, ": \"pl011\" takes none: []" },
	{ AXVM_EMU_NS16550, 0, ": \"ns16550\" takes none: []" },
	{ AXVM_EMU_PL031, 0, ": \"pl031\" takes none: []" },
	{ AXVM_EMU_PLIC, 0, ": \"plic\" takes none: []" },
	{ AXVM_EMU_APLIC, 0, ": \"aplic\" takes none: []" },
	{ AXVM_EMU_IMSIC, 0, ": \"imsic\" takes none: []" },
};

static void check_arg_count(struct axvm_config_reader *reader, struct axvm_config_place place,
			    const struct axvm_toml_node *node, const struct axvm_config_emu *emu)
{
	for (size_t i = 0; i < sizeof(arg_counts) / sizeof(arg_counts[0]); i++) {
		if (arg_counts[i].type == emu->type && arg_counts[i].count != emu->arg_count)
			axvm_config_refuse(reader, place, node, arg_counts[i].sentence);
	}
}

static bool read_args(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node, struct axvm_config_emu *emu)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);
	uint64_t *args;

	place = axvm_config_field(place, "cfg_list");
	if (!axvm_config_array(reader, place, node, AXVM_CONFIG_ARGS_MAX))
		return false;
	emu->arg_count = axvm_toml_count(node);
	args = axvm_config_take(reader, emu->arg_count, sizeof(*args));
	emu->args = args;
	for (; args != NULL && element != NULL; element = axvm_toml_next(element)) {
		place.item++;
		(void)axvm_config_number(reader, place, element, AXVM_CONFIG_ADDRESS, 0, UINT64_MAX,
					 &args[place.item]);
	}
	return !reader->out_of_memory;
}

/* Where the file says nothing: as the platform has a device of that type. */
static void fill_from_platform(struct axvm_config_reader *reader,
			       const struct axvm_toml_node *const *fields,
			       struct axvm_config_emu *emu)
{
	const struct axvm_config_emu *model =
		axvm_config_default_device(reader->platform, emu->type);

	emu->name = axvm_emu_type_name(emu->type);
	if (model == NULL)
		return;
	emu->name = model->name;
	emu->base = model->base;
	emu->bytes = model->bytes;
	emu->irq = model->irq;
	if (fields[EMU_ARGS] == NULL) {
		emu->args = model->args;
		emu->arg_count = model->arg_count;
	}
}

static void read_emu_range(struct axvm_config_reader *reader, struct axvm_config_place place,
			   const struct axvm_toml_node *node,
			   const struct axvm_toml_node *const *fields, struct axvm_config_emu *emu)
{
	const bool ports = axvm_emu_uses_ports(reader->platform->isa, emu->type);
	const uint64_t limit = ports ? AXVM_CONFIG_PORT_LIMIT : AXVM_CONFIG_GPA_LIMIT;
	const bool known = axvm_config_default_device(reader->platform, emu->type) != NULL;
	struct axvm_config_place base = axvm_config_field(place, "base_gpa");
	struct axvm_config_place length = axvm_config_field(place, "length");
	bool good = true;

	if (fields[EMU_BASE] != NULL)
		good = axvm_config_number(reader, base, fields[EMU_BASE], AXVM_CONFIG_ADDRESS, 0,
					  limit - 1, &emu->base.addr);
	else if (!known)
		good = axvm_config_present(reader, place, node, NULL, "base_gpa");
	if (fields[EMU_LENGTH] != NULL)
		good &= axvm_config_number(reader, length, fields[EMU_LENGTH], AXVM_CONFIG_SIZE,
					   emu->type == AXVM_EMU_DUMMY ? 0 : 1, limit, &emu->bytes);
	else if (!known)
		good &= axvm_config_present(reader, place, node, NULL, "length");
	if (good && emu->bytes > limit - emu->base.addr)
		refuse_end(reader, place, fields[EMU_LENGTH] != NULL ? fields[EMU_LENGTH] : node,
			   emu->base.addr, emu->bytes, limit);
}

static void read_emu_fields(struct axvm_config_reader *reader, struct axvm_config_place place,
			    const struct axvm_toml_node *node,
			    const struct axvm_toml_node *const *fields, struct axvm_config_emu *emu)
{
	const uint32_t errors = reader->error_count;

	fill_from_platform(reader, fields, emu);
	if (fields[EMU_NAME] != NULL)
		(void)axvm_config_label(reader, axvm_config_field(place, "name"), fields[EMU_NAME],
					&emu->name);
	read_emu_range(reader, place, node, fields, emu);
	if (fields[EMU_IRQ] != NULL)
		(void)read_irq(reader, place, fields[EMU_IRQ], &emu->irq);
	if (fields[EMU_ARGS] != NULL && !read_args(reader, place, fields[EMU_ARGS], emu))
		return;
	if (reader->error_count == errors)
		check_arg_count(reader, axvm_config_field(place, "cfg_list"),
				fields[EMU_ARGS] != NULL ? fields[EMU_ARGS] : node, emu);
}

static void read_emu(struct axvm_config_reader *reader, struct axvm_config_place place,
		     const struct axvm_toml_node *node)
{
	struct axvm_config_emu *emu = &reader->emu[place.index];
	struct axvm_config_mark *mark = &reader->emu_marks[place.index];
	const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX];
	const uint32_t errors = reader->error_count;
	uint32_t type;

	mark->base = node;
	if (!axvm_config_entry(reader, place, node, emu_fields, EMU_FIELDS, fields) ||
	    !axvm_config_present(reader, place, node, fields[EMU_TYPE], "emu_type") ||
	    !axvm_config_choice(reader, axvm_config_field(place, "emu_type"), fields[EMU_TYPE],
				&axvm_config_emu_types, &type))
		return;
	emu->type = (enum axvm_emu_type)type;
	read_emu_fields(reader, place, node, fields, emu);
	mark->base = fields[EMU_BASE] != NULL ? fields[EMU_BASE] : node;
	mark->irq = fields[EMU_IRQ] != NULL ? fields[EMU_IRQ] : node;
	mark->good = reader->error_count == errors && !reader->out_of_memory;
}

bool axvm_config_take_emu(struct axvm_config_reader *reader, uint32_t count)
{
	reader->emu = axvm_config_take(reader, count, sizeof(*reader->emu));
	reader->emu_marks = axvm_config_take(reader, count, sizeof(*reader->emu_marks));
	reader->config->emu = reader->emu;
	reader->config->emu_count = reader->out_of_memory ? 0 : count;
	return !reader->out_of_memory;
}

static void read_emu_devices(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node)
{
	if (axvm_config_array(reader, place, node, AXVM_CONFIG_EMU_MAX) &&
	    axvm_config_take_emu(reader, axvm_toml_count(node)))
		read_entries(reader, place, node, read_emu);
}

/* ---- passthrough devices -------------------------------------------------------------------- */

static const char *const passthrough_fields[] = { "name", "base_gpa", "base_hpa", "length",
						  "irq_id" };
enum { PT_NAME, PT_GPA, PT_HPA, PT_LENGTH, PT_IRQ, PT_FIELDS };

static bool read_tree_path(struct axvm_config_reader *reader, struct axvm_config_place place,
			   const struct axvm_toml_node *node, const char **path)
{
	const char *given;

	if (!axvm_config_string(reader, place, node, AXVM_CONFIG_PATH_BYTES, &given))
		return false;
	if (given[0] != '/') {
		struct axvm_text *text = axvm_config_error_begin(reader, place);

		axvm_text_char(text, ' ');
		axvm_config_put_value(text, node);
		axvm_text_string(text, " is no device-tree path; expected one such as "
				       "\"/pcie@10000000\"");
		axvm_config_error_end(reader, node);
		return false;
	}
	*path = given;
	return true;
}

static bool is_path(const struct axvm_toml_node *node)
{
	return node->type == AXVM_TOML_STRING && node->u.string.bytes > 0 &&
	       node->u.string.text[0] == '/';
}

static bool is_zero(const struct axvm_toml_node *node)
{
	return node == NULL || (node->type == AXVM_TOML_INTEGER && node->u.integer == 0);
}

/* A path and no numbers, or all of them 0: found in the host's device tree. */
static bool is_discovery(const struct axvm_toml_node *const *fields)
{
	return fields[PT_NAME] != NULL && is_path(fields[PT_NAME]) && is_zero(fields[PT_GPA]) &&
	       is_zero(fields[PT_HPA]) && is_zero(fields[PT_LENGTH]) && is_zero(fields[PT_IRQ]);
}

static void check_host_range(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node,
			     const struct axvm_config_passthrough *device)
{
	const uint64_t hpa = device->hpa.addr;
	struct axvm_text *text;

	if (device->bytes > AXVM_CONFIG_HPA_LIMIT - hpa) {
		refuse_end(reader, axvm_config_field(place, "base_hpa"), node, hpa, device->bytes,
			   AXVM_CONFIG_HPA_LIMIT);
		return;
	}
	if (axvm_is_aligned(hpa - device->gpa.addr, AXVM_PAGE_BYTES))
		return;
	text = axvm_config_error_begin(reader, axvm_config_field(place, "base_hpa"));
	axvm_text_char(text, ' ');
	axvm_text_hex(text, hpa);
	axvm_text_string(text, " and base_gpa ");
	axvm_text_hex(text, device->gpa.addr);
	axvm_text_string(text, " differ within a page; their last 12 bits must be equal");
	axvm_config_error_end(reader, node);
}

static void read_passthrough_range(struct axvm_config_reader *reader,
				   struct axvm_config_place place,
				   const struct axvm_toml_node *node,
				   const struct axvm_toml_node *const *fields,
				   struct axvm_config_passthrough *device)
{
	struct axvm_config_range range = { 0, 0 };
	bool good = axvm_config_present(reader, place, node, fields[PT_GPA], "base_gpa");

	good &= axvm_config_present(reader, place, node, fields[PT_LENGTH], "length");
	if (!good || !read_range(reader, place, fields[PT_GPA], "base_gpa", fields[PT_LENGTH],
				 AXVM_CONFIG_GPA_LIMIT, &range))
		good = false;
	device->gpa = axvm_gpa(range.base);
	device->hpa = axvm_hpa(range.base);
	device->bytes = range.bytes;
	if (fields[PT_HPA] != NULL &&
	    !axvm_config_number(reader, axvm_config_field(place, "base_hpa"), fields[PT_HPA],
				AXVM_CONFIG_ADDRESS, 0, AXVM_CONFIG_HPA_LIMIT - 1,
				&device->hpa.addr))
		return;
	if (good)
		check_host_range(reader, place, fields[PT_HPA] != NULL ? fields[PT_HPA] : node,
				 device);
}

static bool passthrough_entry(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node,
			      const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX])
{
	const struct axvm_toml_node *only = NULL;

	if (node->type == AXVM_TOML_STRING)
		only = node;
	else if (node->type == AXVM_TOML_ARRAY && axvm_toml_count(node) == 1)
		only = axvm_toml_first(node);
	if (only == NULL)
		return axvm_config_entry(reader, place, node, passthrough_fields, PT_FIELDS,
					 fields);
	for (uint32_t i = 0; i < AXVM_CONFIG_FIELDS_MAX; i++)
		fields[i] = NULL;
	fields[PT_NAME] = only;
	return read_tree_path(reader, place, only, &reader->passthrough[place.index].path);
}

static void read_passthrough(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node)
{
	struct axvm_config_passthrough *device = &reader->passthrough[place.index];
	struct axvm_config_mark *mark = &reader->passthrough_marks[place.index];
	const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX];
	const uint32_t errors = reader->error_count;

	mark->base = node;
	if (!passthrough_entry(reader, place, node, fields))
		return;
	if (is_discovery(fields)) {
		if (device->path == NULL)
			(void)read_tree_path(reader, axvm_config_field(place, "name"),
					     fields[PT_NAME], &device->path);
		device->name = device->path;
		return;
	}
	device->name = "passthrough";
	if (fields[PT_NAME] != NULL)
		(void)axvm_config_label(reader, axvm_config_field(place, "name"), fields[PT_NAME],
					&device->name);
	read_passthrough_range(reader, place, node, fields, device);
	if (fields[PT_IRQ] != NULL)
		(void)read_irq(reader, place, fields[PT_IRQ], &device->irq);
	mark->base = fields[PT_GPA] != NULL ? fields[PT_GPA] : node;
	mark->irq = fields[PT_IRQ] != NULL ? fields[PT_IRQ] : node;
	mark->good = reader->error_count == errors && !reader->out_of_memory;
}

static void read_passthrough_devices(struct axvm_config_reader *reader,
				     struct axvm_config_place place,
				     const struct axvm_toml_node *node)
{
	const uint32_t count = axvm_toml_count(node);

	if (!axvm_config_array(reader, place, node, AXVM_CONFIG_PASSTHROUGH_MAX))
		return;
	reader->passthrough = axvm_config_take(reader, count, sizeof(*reader->passthrough));
	reader->passthrough_marks =
		axvm_config_take(reader, count, sizeof(*reader->passthrough_marks));
	reader->config->passthrough = reader->passthrough;
	if (reader->out_of_memory)
		return;
	reader->config->passthrough_count = count;
	read_entries(reader, place, node, read_passthrough);
}

/* ---- addresses, ports, excluded devices ------------------------------------------------------ */

static const char *const address_fields[] = { "base_gpa", "length" };
static const char *const port_fields[] = { "base", "length" };

static struct axvm_config_range *read_ranges(struct axvm_config_reader *reader,
					     struct axvm_config_place place,
					     const struct axvm_toml_node *node,
					     const char *const *names, uint64_t limit,
					     struct axvm_config_mark **marks)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);
	const uint32_t count = axvm_toml_count(node);
	const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX];
	struct axvm_config_range *ranges;

	if (!axvm_config_array(reader, place, node, AXVM_CONFIG_PASSTHROUGH_MAX))
		return NULL;
	ranges = axvm_config_take(reader, count, sizeof(*ranges));
	*marks = axvm_config_take(reader, count, sizeof(**marks));
	if (ranges == NULL || *marks == NULL)
		return NULL;
	for (; element != NULL; element = axvm_toml_next(element)) {
		place.index++;
		(*marks)[place.index].base = element;
		if (!axvm_config_entry(reader, place, element, names, 2, fields))
			continue;
		if (!axvm_config_present(reader, place, element, fields[0], names[0]) ||
		    !axvm_config_present(reader, place, element, fields[1], names[1]))
			continue;
		(*marks)[place.index].base = fields[0];
		(*marks)[place.index].good = read_range(reader, place, fields[0], names[0],
							fields[1], limit, &ranges[place.index]);
	}
	return ranges;
}

static void read_addresses(struct axvm_config_reader *reader, struct axvm_config_place place,
			   const struct axvm_toml_node *node)
{
	struct axvm_config *config = reader->config;

	config->passthrough_addresses = read_ranges(reader, place, node, address_fields,
						    AXVM_CONFIG_GPA_LIMIT, &reader->address_marks);
	if (config->passthrough_addresses != NULL)
		config->passthrough_address_count = axvm_toml_count(node);
}

static void read_ports(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node)
{
	struct axvm_config *config = reader->config;
	struct axvm_config_mark *marks = NULL;

	config->passthrough_ports =
		read_ranges(reader, place, node, port_fields, AXVM_CONFIG_PORT_LIMIT, &marks);
	if (config->passthrough_ports == NULL)
		return;
	config->passthrough_port_count = axvm_toml_count(node);
	if (reader->platform->isa != AXVM_ISA_X86_64)
		axvm_config_refuse(reader, place, node,
				   ": only x86_64 has I/O ports; allowed here: []");
}

static void read_address_policy(struct axvm_config_reader *reader, struct axvm_config_place place,
				const struct axvm_toml_node *node)
{
	uint32_t policy;

	if (axvm_config_choice(reader, place, node, &axvm_config_policies, &policy))
		reader->config->address_space_passthrough = policy != 0;
}

static uint32_t count_paths(const struct axvm_toml_node *node)
{
	uint32_t count = 0;

	for (node = axvm_toml_first(node); node != NULL; node = axvm_toml_next(node))
		count += node->type == AXVM_TOML_ARRAY ? axvm_toml_count(node) : 1;
	return count;
}

/* An array of arrays of paths, or of paths; one list in the end. */
static void read_excluded(struct axvm_config_reader *reader, struct axvm_config_place place,
			  const struct axvm_toml_node *node)
{
	const uint32_t count = count_paths(node);
	const struct axvm_toml_node *group = axvm_toml_first(node);
	const char **paths;
	uint32_t next = 0;

	if (!axvm_config_array(reader, place, node, AXVM_CONFIG_EXCLUDED_MAX))
		return;
	if (count > AXVM_CONFIG_EXCLUDED_MAX) {
		axvm_config_refuse(reader, place, node, " has more than 64 paths");
		return;
	}
	paths = axvm_config_take(reader, count, sizeof(*paths));
	reader->config->excluded = paths;
	reader->config->excluded_count = paths != NULL ? count : 0;
	for (; paths != NULL && group != NULL; group = axvm_toml_next(group)) {
		const bool nested = group->type == AXVM_TOML_ARRAY;
		const struct axvm_toml_node *path = nested ? axvm_toml_first(group) : group;

		place.index++;
		place.item = -1;
		for (; path != NULL; path = nested ? axvm_toml_next(path) : NULL) {
			place.item = nested ? place.item + 1 : -1;
			(void)read_tree_path(reader, place, path, &paths[next++]);
		}
	}
}

static const struct axvm_config_key keys[] = {
	{ "interrupt_mode", read_interrupt_mode, false },
	{ "interrupt_controller", axvm_config_machine_read, false },
	{ "emu_devices", read_emu_devices, false },
	{ "passthrough_devices", read_passthrough_devices, false },
	{ "excluded_devices", read_excluded, false },
	{ "passthrough_addresses", read_addresses, false },
	{ "passthrough_ports", read_ports, false },
	{ "address_space_policy", read_address_policy, false },
};

const struct axvm_config_section axvm_config_devices_section = { "devices", keys,
								 sizeof(keys) / sizeof(keys[0]) };
