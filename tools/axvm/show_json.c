// SPDX-License-Identifier: Apache-2.0
/* A VM for programs to read. Addresses and sizes are numbers, in bytes. */
#include "map.h"

#include <json-c/json.h>

static void put_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static void put_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *map_json(const struct axvm_tool_map *map)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < map->count; i++) {
		struct json_object *entry = json_object_new_object();

		put_number(entry, "base", map->entries[i].base);
		put_number(entry, "bytes", map->entries[i].bytes);
		put_string(entry, "class", axvm_tool_map_class_name(map->entries[i].class));
		put_string(entry, "name", map->entries[i].name);
		put_string(entry, "detail", map->entries[i].detail);
		json_object_array_add(array, entry);
	}
	return array;
}

static struct json_object *cpus_json(const struct axvm_config *config)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		struct json_object *cpu = json_object_new_object();

		put_number(cpu, "vcpu", i);
		if (config->phys_cpu_ids)
			put_number(cpu, "phys_id", config->phys_cpu_ids[i]);
		if (config->phys_cpu_sets)
			put_number(cpu, "phys_set", config->phys_cpu_sets[i]);
		json_object_array_add(array, cpu);
	}
	return array;
}

static struct json_object *interrupt_json(uint32_t irq, const char *name, bool passthrough)
{
	struct json_object *interrupt = json_object_new_object();

	put_number(interrupt, "irq", irq);
	put_string(interrupt, "device", name);
	json_object_object_add(interrupt, "passthrough", json_object_new_boolean(passthrough));
	return interrupt;
}

static struct json_object *interrupts_json(const struct axvm_config *config)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (config->emu[i].irq)
			json_object_array_add(array, interrupt_json(config->emu[i].irq,
								    config->emu[i].name, false));
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		if (config->passthrough[i].irq)
			json_object_array_add(array,
					      interrupt_json(config->passthrough[i].irq,
							     config->passthrough[i].name, true));
	}
	return array;
}

static struct json_object *plan_json(const struct axvm_tool_vmfile *vm)
{
	struct json_object *plan = json_object_new_object();

	put_number(plan, "entry", vm->plan.entry);
	put_number(plan, "kernel", vm->plan.kernel_gpa);
	if (vm->plan.initrd_bytes)
		put_number(plan, "initrd", vm->plan.initrd_gpa);
	if (vm->plan.dtb_bytes)
		put_number(plan, "dtb", vm->plan.dtb_gpa);
	if (vm->plan.boot_bytes)
		put_number(plan, "boot_block", vm->plan.boot_gpa);
	if (vm->plan.bios_bytes)
		put_number(plan, "bios", vm->plan.bios_gpa);
	return plan;
}

static struct json_object *vm_json(const struct axvm_tool_vmfile *vm,
				   const struct axvm_tool_map *map, bool planned)
{
	const struct axvm_config *config = vm->config;
	struct json_object *object = json_object_new_object();

	put_string(object, "file", vm->path);
	put_number(object, "id", config->id);
	put_string(object, "name", config->name);
	put_string(object, "isa", axvm_isa_name(config->isa));
	put_string(object, "type", axvm_vm_type_name(config->type));
	put_string(object, "boot_protocol", axvm_boot_protocol_name(config->boot_protocol));
	put_string(object, "cmdline", config->cmdline);
	put_string(object, "interrupt_mode", axvm_irq_mode_name(config->irq_mode));
	json_object_object_add(object, "cpus", cpus_json(config));
	json_object_object_add(object, "map", map_json(map));
	json_object_object_add(object, "interrupts", interrupts_json(config));
	json_object_object_add(object, "plan", planned ? plan_json(vm) : NULL);
	return object;
}

void axvm_tool_show_json(FILE *out, const struct axvm_tool_vmfile *const *vms,
			 const struct axvm_tool_map *maps, const bool *planned, size_t count)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, vm_json(vms[i], &maps[i], planned[i]));
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
}
