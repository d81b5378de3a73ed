// SPDX-License-Identifier: Apache-2.0
/*
 * How a guest is told of its memory, its kernel's command line and its initrd: the same facts in the three
 * formats that there are, Linux's zero page, PVH's start info and Multiboot's information.
 */
#include "boot.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define FOUR_GIB ((uint64_t)1 << 32)
#define HOLE_BASE (640 * KIB)
#define HOLE_BYTES (MIB - HOLE_BASE)

/* ---- memory map ----------------------------------------------------------------------------- */

static bool is_ram(const struct axvm_config_memory *memory)
{
	return !(memory->flags & AXVM_MAP_DEVICE);
}

/* The lowest address from `from` on that is RAM, and where RAM that begins there ends; false: none. */
static bool next_ram(const struct axvm_config *config, uint64_t from, uint64_t *base, uint64_t *end)
{
	bool found = false;

	for (uint32_t i = 0; i < config->memory_count; i++) {
		const struct axvm_config_memory *memory = &config->memory[i];
		uint64_t last = memory->gpa.addr + (memory->bytes - 1);
		uint64_t first = memory->gpa.addr > from ? memory->gpa.addr : from;

		if (!is_ram(memory) || memory->bytes == 0 || last < from)
			continue;
		if (!found || first < *base || (first == *base && last + 1 > *end)) {
			*base = first;
			*end = last + 1;
		}
		found = true;
	}
	return found;
}

static bool contains(uint64_t base, uint64_t bytes, uint64_t at)
{
	return at >= base && at - base < bytes;
}

/* What comes first after `from`, if it comes before `end`: an edge of a range that is reserved. */
static uint64_t cut(uint64_t from, uint64_t end, uint64_t base, uint64_t bytes)
{
	if (bytes > 0 && base > from && base < end)
		end = base;
	if (bytes > 0 && base + bytes > from && base + bytes < end)
		end = base + bytes;
	return end;
}

static void add(struct axvm_x86_memory_map *map, uint64_t base, uint64_t end,
		enum axvm_x86_memory_type type)
{
	struct axvm_x86_memory *last = &map->entries[map->count > 0 ? map->count - 1 : 0];

	if (map->count > 0 && last->type == type && last->base + last->bytes == base) {
		last->bytes += end - base;
		return;
	}
	if (map->count == AXVM_X86_MEMORY_MAX)
		return;
	map->entries[map->count++] = (struct axvm_x86_memory){ base, end - base, type };
}

/* Each turn ends at an edge: of a region, of the hole or of what is reserved. */
void axvm_x86_64_memory_map(const struct axvm_config *config, uint64_t reserved, uint64_t bytes,
			    struct axvm_x86_memory_map *map)
{
	uint64_t base;
	uint64_t end;
	uint64_t at = 0;

	map->count = 0;
	while (next_ram(config, at, &base, &end)) {
		bool is_reserved =
			contains(HOLE_BASE, HOLE_BYTES, base) || contains(reserved, bytes, base);

		at = cut(base, cut(base, end, HOLE_BASE, HOLE_BYTES), reserved, bytes);
		add(map, base, at, is_reserved ? AXVM_X86_MEMORY_RESERVED : AXVM_X86_MEMORY_RAM);
	}
}

/* ---- zero page [LINUX-X86] ------------------------------------------------------------------ */

enum {
	ZERO_PAGE_BYTES = 0x1000,
	ZP_ACPI_RSDP = 0x070,
	ZP_EXT_RAMDISK_IMAGE = 0x0c0,
	ZP_EXT_RAMDISK_SIZE = 0x0c4,
	ZP_E820_ENTRIES = 0x1e8,
	ZP_SETUP = 0x1f1,
	ZP_BOOT_FLAG = 0x1fe,
	ZP_MAGIC = 0x202,
	ZP_VERSION = 0x206,
	ZP_TYPE_OF_LOADER = 0x210,
	ZP_LOADFLAGS = 0x211,
	ZP_CODE32_START = 0x214,
	ZP_RAMDISK_IMAGE = 0x218,
	ZP_RAMDISK_SIZE = 0x21c,
	ZP_CMD_LINE_PTR = 0x228,
	ZP_KERNEL_ALIGNMENT = 0x230,
	ZP_CMDLINE_SIZE = 0x238,
	ZP_SETUP_DATA = 0x250,
	ZP_E820 = 0x2d0,
	ZP_E820_MAX = 128,

	BOOT_FLAG = 0xaa55,
	BOOT_MAGIC = 0x53726448, /* "HdrS" */
	BOOT_VERSION = 0x20f,
	LOADER_UNKNOWN = 0xff,
	LOADED_HIGH = 1,
	ELF_CMDLINE_BYTES = 2047,
	ELF_ALIGNMENT = 0x1000000,
};

_Static_assert(AXVM_X86_MEMORY_MAX <= ZP_E820_MAX, "the zero page has room for every entry");

/* An ELF kernel has no setup header: what it reads of one is made. */
static void put_setup(struct axvm_x86_writer *writer, uint64_t from,
		      const struct axvm_image_info *kernel)
{
	for (uint32_t i = 0; i < kernel->setup_bytes; i++)
		axvm_x86_put_at(writer, from + ZP_SETUP + i, kernel->setup[i], 1);
	if (kernel->setup_bytes > 0)
		return;
	axvm_x86_put_at(writer, from + ZP_BOOT_FLAG, BOOT_FLAG, 2);
	axvm_x86_put_at(writer, from + ZP_MAGIC, BOOT_MAGIC, 4);
	axvm_x86_put_at(writer, from + ZP_VERSION, BOOT_VERSION, 2);
	axvm_x86_put_at(writer, from + ZP_LOADFLAGS, LOADED_HIGH, 1);
	axvm_x86_put_at(writer, from + ZP_KERNEL_ALIGNMENT, ELF_ALIGNMENT, 4);
	axvm_x86_put_at(writer, from + ZP_CMDLINE_SIZE, ELF_CMDLINE_BYTES, 4);
}

static void put_e820(struct axvm_x86_writer *writer, uint64_t from,
		     const struct axvm_x86_memory_map *map)
{
	uint64_t at = from + ZP_E820;

	axvm_x86_put_at(writer, from + ZP_E820_ENTRIES, map->count, 1);
	for (uint32_t i = 0; i < map->count; i++, at += 20) {
		axvm_x86_put_at(writer, at, map->entries[i].base, 8);
		axvm_x86_put_at(writer, at + 8, map->entries[i].bytes, 8);
		axvm_x86_put_at(writer, at + 16, map->entries[i].type, 4);
	}
}

void axvm_x86_64_put_zero_page(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot)
{
	uint64_t from = writer->at;

	axvm_x86_put_zeros(writer, ZERO_PAGE_BYTES);
	put_setup(writer, from, boot->kernel);
	axvm_x86_put_at(writer, from + ZP_TYPE_OF_LOADER, LOADER_UNKNOWN, 1);
	axvm_x86_put_at(writer, from + ZP_CODE32_START, boot->kernel_gpa, 4);
	axvm_x86_put_at(writer, from + ZP_SETUP_DATA, 0, 8); /* no list, whatever the file says */
	axvm_x86_put_at(writer, from + ZP_CMD_LINE_PTR, boot->cmdline_gpa, 4);
	axvm_x86_put_at(writer, from + ZP_ACPI_RSDP, boot->rsdp_gpa, 8);
	axvm_x86_put_at(writer, from + ZP_RAMDISK_IMAGE, boot->initrd_gpa, 4);
	axvm_x86_put_at(writer, from + ZP_RAMDISK_SIZE, boot->initrd_bytes, 4);
	axvm_x86_put_at(writer, from + ZP_EXT_RAMDISK_IMAGE, boot->initrd_gpa >> 32, 4);
	axvm_x86_put_at(writer, from + ZP_EXT_RAMDISK_SIZE, boot->initrd_bytes >> 32, 4);
	put_e820(writer, from, boot->map);
}

/* ---- start info [PVH] ----------------------------------------------------------------------- */

#define PVH_MAGIC 0x336ec578u
#define PVH_INFO_BYTES 56u
#define PVH_MODULE_BYTES 32u

void axvm_x86_64_put_start_info(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot,
				uint64_t gpa)
{
	bool has_initrd = boot->initrd_bytes > 0;

	axvm_x86_put(writer, PVH_MAGIC, 4);
	axvm_x86_put(writer, 1, 4); /* version: with a memory map */
	axvm_x86_put(writer, 0, 4);
	axvm_x86_put(writer, has_initrd, 4);
	axvm_x86_put(writer, has_initrd ? gpa + PVH_INFO_BYTES : 0, 8);
	axvm_x86_put(writer, boot->cmdline_gpa, 8);
	axvm_x86_put(writer, boot->rsdp_gpa, 8);
	axvm_x86_put(writer, gpa + PVH_INFO_BYTES + PVH_MODULE_BYTES, 8);
	axvm_x86_put(writer, boot->map->count, 4);
	axvm_x86_put(writer, 0, 4);
	axvm_x86_put(writer, boot->initrd_gpa, 8);
	axvm_x86_put(writer, boot->initrd_bytes, 8);
	axvm_x86_put(writer, 0, 8);
	axvm_x86_put(writer, 0, 8);
	for (uint32_t i = 0; i < boot->map->count; i++) {
		axvm_x86_put(writer, boot->map->entries[i].base, 8);
		axvm_x86_put(writer, boot->map->entries[i].bytes, 8);
		axvm_x86_put(writer, boot->map->entries[i].type, 4);
		axvm_x86_put(writer, 0, 4);
	}
}

/* ---- Multiboot information [MULTIBOOT 3.3] -------------------------------------------------- */

enum {
	MULTIBOOT_INFO_BYTES = 0x58,
	MULTIBOOT_MODULE_BYTES = 16,
	MULTIBOOT_MEMORY_BYTES = 24,
	MULTIBOOT_MEMORY = 1 << 0,
	MULTIBOOT_CMDLINE = 1 << 2,
	MULTIBOOT_MODULES = 1 << 3,
	MULTIBOOT_MAP = 1 << 6,
};

/* KiB of RAM from `base` on without a hole, below 4 GiB. */
static uint64_t ram_from(const struct axvm_x86_memory_map *map, uint64_t base)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct axvm_x86_memory *entry = &map->entries[i];

		if (entry->type != AXVM_X86_MEMORY_RAM ||
		    !contains(entry->base, entry->bytes, base))
			continue;

		uint64_t bytes = entry->bytes - (base - entry->base);

		return (bytes < FOUR_GIB - base ? bytes : FOUR_GIB - base) / KIB;
	}
	return 0;
}

/* A module's end must be below 4 GiB: an initrd that is not is left out. */
void axvm_x86_64_put_multiboot(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot,
			       uint64_t gpa)
{
	uint64_t modules = gpa + MULTIBOOT_INFO_BYTES;
	uint64_t end = boot->initrd_gpa + boot->initrd_bytes;
	bool has_initrd = boot->initrd_bytes > 0 && end < FOUR_GIB;

	axvm_x86_put(writer,
		     MULTIBOOT_MEMORY | MULTIBOOT_CMDLINE | MULTIBOOT_MODULES | MULTIBOOT_MAP, 4);
	axvm_x86_put(writer, ram_from(boot->map, 0), 4);
	axvm_x86_put(writer, ram_from(boot->map, MIB), 4);
	axvm_x86_put(writer, 0, 4); /* boot device */
	axvm_x86_put(writer, boot->cmdline_gpa, 4);
	axvm_x86_put(writer, has_initrd, 4);
	axvm_x86_put(writer, modules, 4);
	axvm_x86_put_zeros(writer, 16); /* symbols */
	axvm_x86_put(writer, (uint64_t)boot->map->count * MULTIBOOT_MEMORY_BYTES, 4);
	axvm_x86_put(writer, modules + MULTIBOOT_MODULE_BYTES, 4);
	axvm_x86_put_zeros(writer, MULTIBOOT_INFO_BYTES - 52);
	axvm_x86_put(writer, has_initrd ? boot->initrd_gpa : 0, 4);
	axvm_x86_put(writer, has_initrd ? end : 0, 4);
	axvm_x86_put(writer, 0, 8); /* its string */
	for (uint32_t i = 0; i < boot->map->count; i++) {
		axvm_x86_put(writer, MULTIBOOT_MEMORY_BYTES - 4, 4);
		axvm_x86_put(writer, boot->map->entries[i].base, 8);
		axvm_x86_put(writer, boot->map->entries[i].bytes, 8);
		axvm_x86_put(writer, boot->map->entries[i].type, 4);
	}
}
