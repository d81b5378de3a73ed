/* SPDX-License-Identifier: Apache-2.0 */
/* Text to configuration to images; each complaint names the place in the file. */
#include "vmfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toml.h"

static const struct {
	const char *key;
} images[AXVM_TOOL_IMAGES] = {
	[AXVM_TOOL_KERNEL] = {"kernel_path"},
	[AXVM_TOOL_INITRD] = {"ramdisk_path"},
	[AXVM_TOOL_DTB] = {"dtb_path"},
	[AXVM_TOOL_BIOS] = {"bios_path"},
};

const char *axvm_tool_image_key(unsigned image)
{
	return images[image].key;
}

static const struct axvm_toml_node *get(const struct axvm_toml_node *table, const char *key)
{
	return table ? axvm_toml_get(table, key, strlen(key)) : NULL;
}

static const char *string_of(const struct axvm_toml_node *node)
{
	return node && node->type == AXVM_TOML_STRING
		       ? axvm_tool_print("%.*s", (int)node->u.string.bytes, node->u.string.text)
		       : NULL;
}

static uint64_t size_of(const struct axvm_toml_node *node)
{
	char *end = NULL;
	uint64_t value;

	if (!node)
		return 0;
	if (node->type == AXVM_TOML_INTEGER)
		return (uint64_t)node->u.integer;
	value = strtoull(string_of(node), &end, 0);
	return strstr(end, "GiB") ? value << 30 : strstr(end, "MiB") ? value << 20 : value;
}

static const uint64_t *numbers_of(const struct axvm_toml_node *array)
{
	const struct axvm_toml_node *node = axvm_toml_first(array);
	uint64_t *numbers = axvm_tool_alloc(AXVM_VCPUS_MAX, sizeof(*numbers));

	for (size_t i = 0; node && i < AXVM_VCPUS_MAX; i++, node = axvm_toml_next(node))
		numbers[i] = (uint64_t)node->u.integer;
	return numbers;
}

static void fill(struct axvm_config *config, const struct axvm_toml_node *root)
{
	const struct axvm_toml_node *base = get(root, "base");
	const struct axvm_toml_node *kernel = get(root, "kernel");
	struct axvm_config_memory *memory = axvm_tool_alloc(1, sizeof(*memory));

	config->name = string_of(get(base, "name"));
	config->vcpu_count = get(base, "cpu_num") ? (uint32_t)get(base, "cpu_num")->u.integer : 1;
	if (get(base, "phys_cpu_ids"))
		config->phys_cpu_ids = numbers_of(get(base, "phys_cpu_ids"));
	if (get(base, "phys_cpu_sets"))
		config->phys_cpu_sets = numbers_of(get(base, "phys_cpu_sets"));
	config->kernel.path = string_of(get(kernel, "kernel_path"));
	config->initrd.path = string_of(get(kernel, "ramdisk_path"));
	config->dtb.path = string_of(get(kernel, "dtb_path"));
	config->bios.path = string_of(get(kernel, "bios_path"));
	memory->bytes = size_of(get(kernel, "memory"));
	if (!memory->bytes)
		memory->bytes = (uint64_t)512 << 20;
	memory->gpa.addr = 0x40000000;
	config->memory = memory;
	config->memory_count = 1;
}

bool axvm_tool_vmfile_read(struct axvm_tool_vmfile *vm, const char *path, enum axvm_isa isa)
{
	const struct axvm_toml_node *root;
	struct axvm_toml_error error;
	struct axvm_arena arena;
	const int code = axvm_tool_file_map(path, &vm->text);

	(void)isa;
	vm->path = path;
	if (code) {
		axvm_tool_complain("%s: %s", path, strerror(code));
		return false;
	}
	arena.size = (vm->text.bytes + 2) * sizeof(struct axvm_toml_node);
	arena.base = axvm_tool_alloc(1, arena.size);
	arena.used = 0;
	if (axvm_toml_parse(vm->text.data, vm->text.bytes, &arena, &root, &error) < 0) {
		fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column, error.message);
		return false;
	}
	fill(&vm->config, root);
	return true;
}

static const char *configured_path(const struct axvm_config *config, unsigned image)
{
	const struct axvm_config_image *const all[AXVM_TOOL_IMAGES] = {
		[AXVM_TOOL_KERNEL] = &config->kernel,
		[AXVM_TOOL_INITRD] = &config->initrd,
		[AXVM_TOOL_DTB] = &config->dtb,
		[AXVM_TOOL_BIOS] = &config->bios,
	};

	return all[image]->path;
}

static int find_image(const struct axvm_tool_vmfile *vm, const char *path, const char *folder,
		      struct axvm_tool_image *image)
{
	char *beside = folder ? axvm_tool_print("%s/%s", folder, path)
			      : axvm_tool_path_beside(vm->path, path);
	const int error = axvm_tool_file_map(beside, &image->blob);

	image->path = beside;
	if (error != ENOENT || axvm_tool_file_map(path, &image->blob) != 0)
		return error;
	image->path = path;
	return 0;
}

bool axvm_tool_vmfile_map_images(struct axvm_tool_vmfile *vm, const char *folder)
{
	bool good = true;

	for (unsigned i = 0; i < AXVM_TOOL_IMAGES; i++) {
		const char *path = configured_path(&vm->config, i);
		const int error = path ? find_image(vm, path, folder, &vm->images[i]) : 0;

		if (error) {
			fprintf(stderr, "%s: %s %s: %s\n", vm->path, images[i].key,
				vm->images[i].path, strerror(error));
			vm->images[i].path = NULL;
			good = false;
		}
	}
	return good;
}

const char *axvm_tool_image_entry(const struct axvm_tool_vmfile *vm, unsigned image)
{
	const char *path = configured_path(&vm->config, image);

	while (path[0] == '/' || strncmp(path, "./", 2) == 0)
		path += path[0] == '/' ? 1 : 2;
	return path;
}
