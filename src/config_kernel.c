/* SPDX-License-Identifier: Apache-2.0 */
/* [kernel]: images, how they are booted, and memory. */
#include "config_private.h"

static void read_path(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node, const char **path)
{
	const char *given;

	/* As upstream, an empty path is an absent one. */
	if (axvm_config_string(reader, place, node, AXVM_CONFIG_PATH_BYTES, &given) &&
	    given[0] != '\0')
		*path = given;
}

static void read_load(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node, struct axvm_config_image *image)
{
	image->has_load = axvm_config_number(reader, place, node, AXVM_CONFIG_ADDRESS, 0,
					     AXVM_CONFIG_GPA_LIMIT - 1, &image->load.addr);
}

#define PATH_READER(name, member)                                                           \
	static void name(struct axvm_config_reader *reader, struct axvm_config_place place, \
			 const struct axvm_toml_node *node)                                 \
	{                                                                                   \
		read_path(reader, place, node, &reader->config->member);                    \
	}

#define LOAD_READER(name, member)                                                           \
	static void name(struct axvm_config_reader *reader, struct axvm_config_place place, \
			 const struct axvm_toml_node *node)                                 \
	{                                                                                   \
		read_load(reader, place, node, &reader->config->member);                    \
	}

PATH_READER(read_ramdisk_path, initrd.path)
PATH_READER(read_dtb_path, dtb.path)
PATH_READER(read_bios_path, bios.path)
PATH_READER(read_disk_path, disk_path)
LOAD_READER(read_kernel_load, kernel)
LOAD_READER(read_ramdisk_load, initrd)
LOAD_READER(read_dtb_load, dtb)
LOAD_READER(read_bios_load, bios)

static void read_kernel_path(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node)
{
	const uint32_t errors = reader->error_count;

	read_path(reader, place, node, &reader->config->kernel.path);
	if (reader->config->kernel.path == NULL && reader->error_count == errors &&
	    !reader->out_of_memory)
		axvm_config_refuse(reader, place, node, " is empty; expected the kernel's file");
}

static void read_entry_point(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node)
{
	struct axvm_config *config = reader->config;

	config->has_entry = axvm_config_number(reader, place, node, AXVM_CONFIG_ADDRESS, 0,
					       AXVM_CONFIG_GPA_LIMIT - 1, &config->entry.addr);
}

static void read_image_location(struct axvm_config_reader *reader, struct axvm_config_place place,
				const struct axvm_toml_node *node)
{
	uint32_t location;

	if (axvm_config_choice(reader, place, node, &axvm_config_image_locations, &location))
		reader->config->image_location = (enum axvm_image_location)location;
}

static void read_cmdline(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *node)
{
	(void)axvm_config_string(reader, place, node, AXVM_CONFIG_CMDLINE_BYTES,
				 &reader->config->cmdline);
}

static void read_enable_bios(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *node)
{
	(void)axvm_config_bool(reader, place, node, &reader->enable_bios);
}

static void read_boot_protocol(struct axvm_config_reader *reader, struct axvm_config_place place,
			       const struct axvm_toml_node *node)
{
	uint32_t protocol;

	reader->boot_protocol_good =
		axvm_config_choice(reader, place, node, &axvm_config_boot_protocols, &protocol);
	if (reader->boot_protocol_good)
		reader->config->boot_protocol = (enum axvm_boot_protocol)protocol;
}

static void read_uefi_firmware(struct axvm_config_reader *reader, struct axvm_config_place place,
			       const struct axvm_toml_node *node)
{
	read_path(reader, place, node, &reader->uefi_firmware);
}

/* ---- memory ------------------------------------------------------------------------------ */

static bool take_memory(struct axvm_config_reader *reader, uint32_t count)
{
	reader->memory = axvm_config_take(reader, count, sizeof(*reader->memory));
	reader->memory_marks = axvm_config_take(reader, count, sizeof(*reader->memory_marks));
	reader->config->memory = reader->memory;
	reader->config->memory_count = reader->out_of_memory ? 0 : count;
	return !reader->out_of_memory;
}

static bool refuse_both(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node)
{
	if (reader->config->memory_count == 0)
		return false;
	axvm_config_refuse(reader, place, node, ": give either memory or memory_regions, not both");
	return true;
}

/* Whole pages, at least one. */
static bool read_pages(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint64_t *bytes)
{
	if (!axvm_config_number(reader, place, node, AXVM_CONFIG_SIZE, AXVM_PAGE_BYTES,
				AXVM_CONFIG_GPA_LIMIT, bytes))
		return false;
	if (axvm_is_aligned(*bytes, AXVM_PAGE_BYTES))
		return true;
	axvm_config_refuse_number(reader, place, node, *bytes,
				  " is no multiple of the page size, 4 KiB");
	return false;
}

static void refuse_memory(struct axvm_config_reader *reader, struct axvm_config_place place,
			  const struct axvm_toml_node *node, uint64_t bytes)
{
	const struct axvm_platform *platform = reader->platform;
	const uint64_t low_bytes = platform->ram_limit - platform->ram_base;
	const uint64_t high_bytes = platform->high_ram_limit - platform->high_ram_base;
	struct axvm_text *text = axvm_config_error_begin(reader, place);

	axvm_text_char(text, ' ');
	axvm_text_size(text, bytes);
	axvm_text_string(text, " does not fit; the platform has room for ");
	axvm_text_size(text, low_bytes + high_bytes);
	axvm_text_string(text, " at ");
	axvm_text_range(text, platform->ram_base, low_bytes);
	if (high_bytes > 0) {
		axvm_text_string(text, " and ");
		axvm_text_range(text, platform->high_ram_base, high_bytes);
	}
	axvm_config_error_end(reader, node);
}

/* memory = "512 MiB": where the platform has its RAM, in two regions where one has no room for it. */
static void read_memory(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node)
{
	const struct axvm_platform *platform = reader->platform;
	const uint64_t low_bytes = platform->ram_limit - platform->ram_base;
	const uint64_t high_bytes = platform->high_ram_limit - platform->high_ram_base;
	uint64_t bytes;

	if (refuse_both(reader, place, node) || !read_pages(reader, place, node, &bytes))
		return;
	if (bytes > low_bytes && bytes - low_bytes > high_bytes) {
		refuse_memory(reader, place, node, bytes);
		return;
	}

	const uint32_t count = bytes > low_bytes ? 2 : 1;

	if (!take_memory(reader, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		reader->memory[i] = (struct axvm_config_memory){
			.gpa = axvm_gpa(i == 0 ? platform->ram_base : platform->high_ram_base),
			.bytes = i == 0 && count == 2 ? low_bytes : bytes - i * low_bytes,
			.flags = AXVM_MAP_RWX,
			.map_type = AXVM_MEMORY_ALLOC,
		};
		reader->memory_marks[i] = (struct axvm_config_mark){ .base = node, .good = true };
	}
}

static const char *const memory_fields[] = { "gpa", "size", "flags", "map_type" };

/* The address may be left out of the first region: RAM is where the platform has it. */
static bool read_region_base(struct axvm_config_reader *reader, struct axvm_config_place place,
			     const struct axvm_toml_node *entry, const struct axvm_toml_node *node,
			     uint64_t *gpa)
{
	if (node == NULL && place.index == 0) {
		*gpa = reader->platform->ram_base;
		return true;
	}
	if (!axvm_config_present(reader, place, entry, node, "gpa"))
		return false;
	place.field = "gpa";
	if (!axvm_config_number(reader, place, node, AXVM_CONFIG_ADDRESS, 0,
				AXVM_CONFIG_GPA_LIMIT - 1, gpa))
		return false;
	if (axvm_is_aligned(*gpa, AXVM_PAGE_BYTES))
		return true;
	axvm_config_refuse_number(reader, place, node, *gpa, " is not aligned to a page, 4 KiB");
	return false;
}

static void check_device_flag(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node,
			      const struct axvm_config_memory *region)
{
	if ((region->flags & AXVM_MAP_DEVICE) == 0 || region->map_type == AXVM_MEMORY_RESERVED)
		return;
	axvm_config_refuse_number(reader, axvm_config_field(place, "flags"), node, region->flags,
				  " makes RAM a device; only \"reserved\" memory may be one: give "
				  "devices in passthrough_devices");
}

static void read_region(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, struct axvm_config_memory *region,
			struct axvm_config_mark *mark)
{
	const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX];
	const uint32_t errors = reader->error_count;
	uint32_t map_type = AXVM_MEMORY_ALLOC;

	mark->base = node;
	region->flags = AXVM_MAP_RWX;
	if (!axvm_config_entry(reader, place, node, memory_fields, 4, fields))
		return;
	mark->base = fields[0] != NULL ? fields[0] : node;
	(void)read_region_base(reader, place, node, fields[0], &region->gpa.addr);
	if (axvm_config_present(reader, place, node, fields[1], "size"))
		(void)read_pages(reader, axvm_config_field(place, "size"), fields[1],
				 &region->bytes);
	if (fields[2] != NULL)
		(void)axvm_config_flags(reader, axvm_config_field(place, "flags"), fields[2],
					&region->flags);
	if (fields[3] != NULL)
		(void)axvm_config_choice(reader, axvm_config_field(place, "map_type"), fields[3],
					 &axvm_config_map_types, &map_type);
	region->map_type = (enum axvm_map_type)map_type;
	if (reader->error_count == errors)
		check_device_flag(reader, place, fields[2], region);
	mark->good = reader->error_count == errors;
}

static void read_memory_regions(struct axvm_config_reader *reader, struct axvm_config_place place,
				const struct axvm_toml_node *node)
{
	const struct axvm_toml_node *element = axvm_toml_first(node);

	if (refuse_both(reader, place, node) ||
	    !axvm_config_array(reader, place, node, AXVM_CONFIG_MEMORY_MAX))
		return;
	if (element == NULL) {
		axvm_config_refuse(
			reader, place, node,
			" is empty; expected [gpa, size, flags, map_type] at least once");
		return;
	}
	if (!take_memory(reader, axvm_toml_count(node)))
		return;
	for (; element != NULL; element = axvm_toml_next(element)) {
		place.index++;
		read_region(reader, place, element, &reader->memory[place.index],
			    &reader->memory_marks[place.index]);
	}
}

/* ---- the section ------------------------------------------------------------------------- */

static const struct axvm_config_key keys[] = {
	{ "entry_point", read_entry_point, false },
	{ "image_location", read_image_location, false },
	{ "kernel_path", read_kernel_path, true },
	{ "kernel_load_addr", read_kernel_load, false },
	{ "bios_path", read_bios_path, false },
	{ "bios_load_addr", read_bios_load, false },
	{ "dtb_path", read_dtb_path, false },
	{ "dtb_load_addr", read_dtb_load, false },
	{ "ramdisk_path", read_ramdisk_path, false },
	{ "ramdisk_load_addr", read_ramdisk_load, false },
	{ "cmdline", read_cmdline, false },
	{ "disk_path", read_disk_path, false },
	{ "memory", read_memory, false },
	{ "memory_regions", read_memory_regions, false },
	{ "enable_bios", read_enable_bios, false },
	{ "boot_protocol", read_boot_protocol, false },
	{ "uefi_firmware_path", read_uefi_firmware, false },
};

const struct axvm_config_section axvm_config_kernel_section = { "kernel", keys,
								sizeof(keys) / sizeof(keys[0]) };

static const struct axvm_toml_node *get(const struct axvm_config_reader *reader, const char *key)
{
	return axvm_config_get(reader->kernel, key);
}

/*
 * Upstream's rule is multiboot where enable_bios is set. Its older files have no such key and name
 * a BIOS on x86_64 alone, which means the same.
 */
static void choose_protocol(struct axvm_config_reader *reader)
{
	const bool old_bios = get(reader, "enable_bios") == NULL &&
			      reader->config->bios.path != NULL &&
			      reader->platform->isa == AXVM_ISA_X86_64;

	if (get(reader, "boot_protocol") == NULL && (reader->enable_bios || old_bios))
		reader->config->boot_protocol = AXVM_BOOT_MULTIBOOT;
}

static void refuse_protocol(struct axvm_config_reader *reader, const char *key,
			    const char *sentence)
{
	const struct axvm_toml_node *node = get(reader, key);

	axvm_config_refuse(reader, axvm_config_place(key), node != NULL ? node : reader->kernel,
			   sentence);
}

static void check_firmware(struct axvm_config_reader *reader)
{
	const struct axvm_config *config = reader->config;
	const bool uefi = config->boot_protocol == AXVM_BOOT_UEFI;
	const char *key =
		get(reader, "uefi_firmware_path") != NULL ? "uefi_firmware_path" : "bios_path";

	if (uefi && config->bios.path == NULL && get(reader, key) == NULL)
		refuse_protocol(reader, "boot_protocol",
				" \"uefi\" needs uefi_firmware_path or bios_path");
	else if (uefi && config->bios.path == NULL)
		refuse_protocol(reader, key, " is empty; boot_protocol \"uefi\" needs a firmware");
	if ((uefi || config->bios.path != NULL) && get(reader, "bios_load_addr") == NULL)
		refuse_protocol(reader, uefi ? "boot_protocol" : "bios_path",
				uefi ? " \"uefi\" needs bios_load_addr"
				     : " needs bios_load_addr with boot_protocol \"multiboot\"");
}

static void check_protocol(struct axvm_config_reader *reader)
{
	const enum axvm_boot_protocol protocol = reader->config->boot_protocol;
	const char *key = get(reader, "boot_protocol") != NULL ? "boot_protocol" : "enable_bios";

	if (protocol == AXVM_BOOT_DIRECT) {
		if (reader->enable_bios)
			refuse_protocol(reader, "boot_protocol",
					" \"direct\" contradicts enable_bios = true");
		return;
	}
	if (reader->platform->isa != AXVM_ISA_X86_64) {
		refuse_protocol(
			reader, key,
			protocol == AXVM_BOOT_UEFI
				? " \"uefi\" is for x86_64 only; allowed: \"direct\""
				: ": \"multiboot\" is for x86_64 only; allowed: \"direct\"");
		return;
	}
	check_firmware(reader);
}

void axvm_config_kernel_finish(struct axvm_config_reader *reader)
{
	struct axvm_config *config = reader->config;
	const struct axvm_toml_node *protocol = get(reader, "boot_protocol");

	if (!axvm_config_has(reader->kernel, &axvm_config_kernel_section, "memory") &&
	    !axvm_config_has(reader->kernel, &axvm_config_kernel_section, "memory_regions"))
		axvm_config_refuse(reader, axvm_config_place("[kernel]"), reader->kernel,
				   " has no memory; give memory = \"512 MiB\" or memory_regions");
	choose_protocol(reader);
	if (reader->uefi_firmware != NULL && config->boot_protocol == AXVM_BOOT_UEFI)
		config->bios.path = reader->uefi_firmware;
	else if (reader->uefi_firmware != NULL && (protocol == NULL || reader->boot_protocol_good))
		refuse_protocol(reader, "uefi_firmware_path",
				" is for boot_protocol \"uefi\" only");
	if (protocol == NULL || reader->boot_protocol_good)
		check_protocol(reader);
}
