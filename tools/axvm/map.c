// SPDX-License-Identifier: Apache-2.0
/* The map is the configuration's ranges and the plan's, sorted. */
#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char *const class_names[] = {
	[AXVM_TOOL_MAP_MEMORY] = "memory", [AXVM_TOOL_MAP_IMAGE] = "image",
	[AXVM_TOOL_MAP_DEVICE] = "device", [AXVM_TOOL_MAP_PASSTHROUGH] = "passthrough",
	[AXVM_TOOL_MAP_PORT] = "port",
};

const char *axvm_tool_map_class_name(enum axvm_tool_map_class class)
{
	return class_names[class];
}

char *axvm_tool_size(uint64_t bytes)
{
	char buffer[32];
	struct axvm_text text = axvm_text(buffer, sizeof(buffer));

	axvm_text_size(&text, bytes);
	return axvm_tool_print("%s", buffer);
}

char *axvm_tool_flags(uint32_t flags)
{
	return axvm_tool_print(
		"%c%c%c%s%s%s", flags & AXVM_MAP_READ ? 'r' : '-',
		flags & AXVM_MAP_WRITE ? 'w' : '-', flags & AXVM_MAP_EXECUTE ? 'x' : '-',
		flags & AXVM_MAP_USER ? ", user" : "", flags & AXVM_MAP_DEVICE ? ", device" : "",
		flags & AXVM_MAP_UNCACHED ? ", uncached" : "");
}

static void add(struct axvm_tool_map *map, enum axvm_tool_map_class class, uint64_t base,
		uint64_t bytes, const char *name, char *detail)
{
	if (bytes == 0)
		return;
	map->entries = axvm_tool_resize(map->entries, map->count + 1, sizeof(*map->entries));
	map->entries[map->count++] = (struct axvm_tool_map_entry){
		.base = base,
		.bytes = bytes,
		.class = class,
		.name = name,
		.detail = detail,
	};
}

static void add_memory(struct axvm_tool_map *map, const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->memory_count; i++) {
		const struct axvm_config_memory *memory = &config->memory[i];
		char *flags = axvm_tool_flags(memory->flags);

		add(map, AXVM_TOOL_MAP_MEMORY, memory->gpa.addr, memory->bytes,
		    i == 0 ? "main memory" : "memory",
		    axvm_tool_print("%s, %s", flags, axvm_map_type_name(memory->map_type)));
	}
}

static enum axvm_tool_map_class device_class(const struct axvm_config *config,
					     enum axvm_emu_type type)
{
	const bool is_port = config->isa == AXVM_ISA_X86_64 &&
			     (type == AXVM_EMU_CONSOLE || type == AXVM_EMU_X86_PIT);

	return is_port ? AXVM_TOOL_MAP_PORT : AXVM_TOOL_MAP_DEVICE;
}

static void add_devices(struct axvm_tool_map *map, const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		const struct axvm_config_emu *emu = &config->emu[i];
		char *irq = emu->irq ? axvm_tool_print(", interrupt %u", emu->irq)
				     : axvm_tool_print("%s", "");

		add(map, device_class(config, emu->type), emu->base.addr, emu->bytes, emu->name,
		    axvm_tool_print("%s%s", axvm_emu_type_name(emu->type), irq));
	}
}

static void add_passthrough(struct axvm_tool_map *map, const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		const struct axvm_config_passthrough *device = &config->passthrough[i];

		add(map, AXVM_TOOL_MAP_PASSTHROUGH, device->gpa.addr, device->bytes, device->name,
		    axvm_tool_print("host 0x%llx, interrupt %u",
				    (unsigned long long)device->hpa.addr, device->irq));
	}
	for (uint32_t i = 0; i < config->passthrough_address_count; i++)
		add(map, AXVM_TOOL_MAP_PASSTHROUGH, config->passthrough_addresses[i].base,
		    config->passthrough_addresses[i].bytes, "passthrough range",
		    axvm_tool_print("%s", ""));
	for (uint32_t i = 0; i < config->passthrough_port_count; i++)
		add(map, AXVM_TOOL_MAP_PORT, config->passthrough_ports[i].base,
		    config->passthrough_ports[i].bytes, "passthrough", axvm_tool_print("%s", ""));
}

static const char *kind_name(const struct axvm_image_info *info)
{
	static const char *const names[] = {
		[AXVM_IMAGE_RAW] = "raw",	    [AXVM_IMAGE_ARM64] = "arm64 Image",
		[AXVM_IMAGE_RISCV] = "riscv Image", [AXVM_IMAGE_ELF] = "ELF",
		[AXVM_IMAGE_BZIMAGE] = "bzImage",
	};

	return names[info->kind];
}

static void add_images(struct axvm_tool_map *map, const struct axvm_tool_vmfile *vm)
{
	const struct axvm_plan *plan = &vm->plan;
	const struct axvm_tool_image *images = vm->images;

	if (images[AXVM_TOOL_KERNEL].path)
		add(map, AXVM_TOOL_MAP_IMAGE, plan->kernel_gpa, plan->kernel.image_bytes, "kernel",
		    axvm_tool_print("%s%s, entry 0x%llx, %s", kind_name(&plan->kernel),
				    plan->kernel.compressed ? " in gzip" : "",
				    (unsigned long long)plan->entry,
				    images[AXVM_TOOL_KERNEL].path));
	if (images[AXVM_TOOL_INITRD].path)
		add(map, AXVM_TOOL_MAP_IMAGE, plan->initrd_gpa, plan->initrd_bytes, "initrd",
		    axvm_tool_print("%s", images[AXVM_TOOL_INITRD].path));
	if (images[AXVM_TOOL_BIOS].path)
		add(map, AXVM_TOOL_MAP_IMAGE, plan->bios_gpa, plan->bios_bytes, "bios",
		    axvm_tool_print("%s", images[AXVM_TOOL_BIOS].path));
	add(map, AXVM_TOOL_MAP_IMAGE, plan->boot_gpa, plan->boot_bytes, "boot block",
	    axvm_tool_print("%s", "made from this file"));
	add(map, AXVM_TOOL_MAP_IMAGE, plan->dtb_gpa, plan->dtb_bytes, "device tree",
	    axvm_tool_print("%s", images[AXVM_TOOL_DTB].path ? images[AXVM_TOOL_DTB].path
							     : "made from this file"));
}

static int compare(const void *a, const void *b)
{
	const struct axvm_tool_map_entry *left = a;
	const struct axvm_tool_map_entry *right = b;

	const int ports =
		(left->class == AXVM_TOOL_MAP_PORT) - (right->class == AXVM_TOOL_MAP_PORT);

	if (ports != 0)
		return ports;
	if (left->base != right->base)
		return left->base < right->base ? -1 : 1;
	return (int)left->class - (int)right->class;
}

struct axvm_tool_map axvm_tool_map_make(const struct axvm_tool_vmfile *vm, bool planned)
{
	struct axvm_tool_map map = { NULL, 0 };

	add_memory(&map, vm->config);
	add_devices(&map, vm->config);
	add_passthrough(&map, vm->config);
	if (planned)
		add_images(&map, vm);
	if (map.count > 0)
		qsort(map.entries, map.count, sizeof(*map.entries), compare);
	return map;
}
