// SPDX-License-Identifier: Apache-2.0
/* Text to configuration to images to plan; each complaint names the place in the file. */
#include "vmfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <axvm/platform.h>

static const struct {
	const char *key;
	const char *name;
} images[AXVM_TOOL_IMAGES] = {
	[AXVM_TOOL_KERNEL] = { "kernel_path", "kernel" },
	[AXVM_TOOL_INITRD] = { "ramdisk_path", "initrd" },
	[AXVM_TOOL_DTB] = { "dtb_path", "device tree" },
	[AXVM_TOOL_BIOS] = { "bios_path", "bios" },
};

static const struct axvm_platform *const platforms[] = {
	[AXVM_ISA_AARCH64] = &axvm_platform_aarch64,
	[AXVM_ISA_RISCV64] = &axvm_platform_riscv64,
	[AXVM_ISA_X86_64] = &axvm_platform_x86_64,
};

const char *axvm_tool_image_key(unsigned image)
{
	return images[image].key;
}

const char *axvm_tool_image_path(const struct axvm_config *config, unsigned image)
{
	const struct axvm_config_image *const all[AXVM_TOOL_IMAGES] = {
		[AXVM_TOOL_KERNEL] = &config->kernel,
		[AXVM_TOOL_INITRD] = &config->initrd,
		[AXVM_TOOL_DTB] = &config->dtb,
		[AXVM_TOOL_BIOS] = &config->bios,
	};
	const char *path = all[image]->path;

	return path && path[0] ? path : NULL;
}

/* ---- complaints ----------------------------------------------------------------------------- */

/* The value of [table] key, or of the table, or NULL. */
static const struct axvm_toml_node *find_key(const struct axvm_tool_vmfile *vm, const char *table,
					     const char *key)
{
	const struct axvm_toml_node *outer =
		vm->root ? axvm_toml_get(vm->root, table, strlen(table)) : NULL;
	const struct axvm_toml_node *inner =
		outer && key ? axvm_toml_get(outer, key, strlen(key)) : NULL;

	return inner ? inner : outer;
}

void axvm_tool_vmfile_complain(const struct axvm_tool_vmfile *vm, const char *table,
			       const char *key, const char *format, ...)
{
	const struct axvm_toml_node *node = find_key(vm, table, key);
	va_list args;

	fprintf(stderr, "%s:%u:%u: ", vm->path, node ? node->line : 1, node ? node->column : 1);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void report(void *context, const struct axvm_config_error *error)
{
	const struct axvm_tool_vmfile *vm = context;

	fprintf(stderr, "%s:%u:%u: %s\n", vm->path, error->line, error->column, error->text);
}

/* ---- images --------------------------------------------------------------------------------- */

/* Returns 0 or an errno value, and the path that was found, or that was tried first. */
static int map_image(const char *file, const char *path, const char *folder,
		     struct axvm_tool_image *image)
{
	char *first = folder && path[0] != '/' ? axvm_tool_print("%s/%s", folder, path)
					       : axvm_tool_path_beside(file, path);
	const int error = axvm_tool_file_map(first, &image->blob);

	image->path = first;
	if (error != ENOENT || axvm_tool_file_map(path, &image->blob) != 0)
		return error;
	image->path = path;
	return 0;
}

static void complain_image(const struct axvm_tool_vmfile *vm, unsigned image, int error)
{
	const char *path = vm->images[image].path;
	const bool fetched = strstr(path, "guests/") != NULL;

	if (error == ENOENT)
		axvm_tool_vmfile_complain(vm, "kernel", images[image].key,
					  "%s: there is no file %s; relative paths count from the "
					  "VM file's folder%s",
					  images[image].key, path,
					  fetched ? "; `make guests` fetches the test guests" : "");
	else
		axvm_tool_vmfile_complain(vm, "kernel", images[image].key, "%s: %s: %s",
					  images[image].key, path, strerror(error));
}

bool axvm_tool_vmfile_map_images(struct axvm_tool_vmfile *vm, const char *folder)
{
	bool good = true;

	for (unsigned i = 0; i < AXVM_TOOL_IMAGES; i++) {
		const char *path = axvm_tool_image_path(vm->config, i);
		const int error = path ? map_image(vm->path, path, folder, &vm->images[i]) : 0;

		if (error) {
			complain_image(vm, i, error);
			vm->images[i].path = NULL;
			good = false;
		}
	}
	return good;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* For places only: what is wrong with the text the configuration's parser says. */
static void read_places(struct axvm_tool_vmfile *vm)
{
	struct axvm_toml_error error;
	struct axvm_arena arena = { .size = (vm->text.bytes + 2) * sizeof(*vm->root) };

	arena.base = axvm_tool_alloc(1, arena.size);
	if (axvm_toml_parse(vm->text.data, vm->text.bytes, &arena, &vm->root, &error) < 0)
		vm->root = NULL;
}

static bool guess_by_kernel(const struct axvm_tool_vmfile *vm, enum axvm_isa *isa)
{
	const struct axvm_toml_node *node = find_key(vm, "kernel", "kernel_path");
	struct axvm_tool_image image;
	struct axvm_image_info info;
	const char *why;
	char *path;

	if (!node || node->type != AXVM_TOML_STRING)
		return false;
	path = axvm_tool_print("%.*s", (int)node->u.string.bytes, node->u.string.text);
	if (map_image(vm->path, path, NULL, &image) != 0 ||
	    axvm_image_probe(image.blob, &info, &why) < 0 || !info.isa_known)
		return false;
	*isa = info.isa;
	return true;
}

bool axvm_tool_vmfile_read(struct axvm_tool_vmfile *vm, const char *path, const enum axvm_isa *isa)
{
	struct axvm_config_source source = { .file = path, .report = report, .context = vm };
	enum axvm_isa own = isa ? *isa : AXVM_ISA_AARCH64;
	size_t bytes;
	void *memory;
	int error;

	*vm = (struct axvm_tool_vmfile){ .path = path };
	error = axvm_tool_file_map(path, &vm->text);
	if (error) {
		axvm_tool_complain("%s: %s", path, strerror(error));
		return false;
	}
	read_places(vm);
	source.text = vm->text.data;
	source.bytes = vm->text.bytes;
	bytes = AXVM_CONFIG_MEMORY_BYTES(vm->text.bytes);
	memory = axvm_tool_alloc(1, bytes);
	if (!isa) {
		source.report = NULL;
		if (axvm_config_isa(&source, memory, bytes, &own) < 0)
			(void)guess_by_kernel(vm, &own);
		source.report = report;
	}
	vm->platform = platforms[own];
	error = axvm_config_parse(&source, vm->platform, memory, bytes, &vm->config);
	if (error && error != AXVM_EFORMAT)
		axvm_tool_complain("%s: %s", path, axvm_strerror(error));
	return error == 0;
}

/* ---- plan ----------------------------------------------------------------------------------- */

/* The image that a sentence of the planner is about: it begins with its name. */
static const char *blamed_key(const char *why)
{
	for (unsigned i = 0; i < AXVM_TOOL_IMAGES; i++) {
		const size_t length = strlen(images[i].name);

		if (strncmp(why, images[i].name, length) == 0 && why[length] == ':')
			return images[i].key;
	}
	return NULL;
}

bool axvm_tool_vmfile_plan(struct axvm_tool_vmfile *vm)
{
	const struct axvm_vm_params params = {
		.config = vm->config,
		.kernel = vm->images[AXVM_TOOL_KERNEL].blob,
		.initrd = vm->images[AXVM_TOOL_INITRD].blob,
		.dtb = vm->images[AXVM_TOOL_DTB].blob,
		.bios = vm->images[AXVM_TOOL_BIOS].blob,
	};
	char why[AXVM_WHY_BYTES] = "";
	const int error = axvm_plan_make(vm->config, vm->platform, &params, &vm->plan, why);

	if (error)
		axvm_tool_vmfile_complain(vm, "kernel", blamed_key(why), "%s",
					  why[0] ? why : axvm_strerror(error));
	return error == 0;
}

/* ---- several -------------------------------------------------------------------------------- */

static bool ids_differ(const struct axvm_tool_vmfile *vms, size_t count)
{
	bool good = true;

	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!vms[i].config || !vms[j].config ||
			    vms[i].config->id != vms[j].config->id)
				continue;
			axvm_tool_vmfile_complain(&vms[i], "base", "id",
						  "id %u is also that of %s: give each VM its own",
						  vms[i].config->id, vms[j].path);
			good = false;
			break;
		}
	}
	return good;
}

struct axvm_tool_vmfile *axvm_tool_vmfiles_read(char *const *paths, size_t count,
						const enum axvm_isa **isa)
{
	struct axvm_tool_vmfile *vms = axvm_tool_alloc(count, sizeof(*vms));
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		const bool parsed = axvm_tool_vmfile_read(&vms[i], paths[i], *isa);

		if (!*isa && vms[i].platform)
			*isa = &vms[i].platform->isa;
		good = parsed && axvm_tool_vmfile_map_images(&vms[i], NULL) &&
		       axvm_tool_vmfile_plan(&vms[i]) && good;
	}
	if (ids_differ(vms, count) && good)
		return vms;
	return NULL;
}
