// SPDX-License-Identifier: Apache-2.0
/* The bundle is made in an unlinked file, so that nothing is left over however the tool ends. */
#include "bundle_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bundle.h"
#include "cpio.h"

#define TRAILER "TRAILER!!!"
#define NAME_BYTES_MAX 4095u

/* "linux-aarch64" of "configs/linux-aarch64.toml". */
static char *stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return axvm_tool_print("%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
}

/* An image's name in the bundle, or NULL when there is no such image. */
static const char *entry_name(const struct axvm_tool_vmfile *vm, unsigned image)
{
	return vm->images[image].path ? axvm_bundle_path(axvm_tool_image_path(vm->config, image))
				      : NULL;
}

/* Whether the name can stand for an image: not for a VM, the trailer or the addition. */
static bool is_usable(const struct axvm_tool_vmfile *vm, unsigned image, const char *name)
{
	const struct axvm_bundle_entry entry = {
		.name = name,
		.name_bytes = strlen(name),
		.is_file = true,
	};
	const bool good = strcmp(name, TRAILER) != 0 && strcmp(name, AXVM_TOOL_APPEND) != 0 &&
			  !axvm_bundle_is_vm(&entry) && entry.name_bytes <= NAME_BYTES_MAX;

	if (!good)
		axvm_tool_vmfile_complain(vm, "kernel", axvm_tool_image_key(image),
					  "%s: no image in a bundle can be named '%s': rename it",
					  axvm_tool_image_key(image), name);
	return good;
}

struct use {
	const struct axvm_tool_vmfile *vm;
	unsigned image;
};

/* The first of the images before `use` that has its name, or one with vm NULL. */
static struct use first_use(const struct axvm_tool_vmfile *vms, struct use use)
{
	const char *name = entry_name(use.vm, use.image);

	for (const struct axvm_tool_vmfile *vm = vms; vm <= use.vm; vm++) {
		const unsigned end = vm == use.vm ? use.image : AXVM_TOOL_IMAGES;

		for (unsigned i = 0; i < end; i++) {
			if (entry_name(vm, i) && strcmp(entry_name(vm, i), name) == 0)
				return (struct use){ vm, i };
		}
	}
	return (struct use){ NULL, 0 };
}

static bool same_blob(struct axvm_blob a, struct axvm_blob b)
{
	return a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0;
}

/* VMs that name the same path share its entry; so it must be the same file. */
static bool add_image(struct axvm_tool_cpio *cpio, const struct axvm_tool_vmfile *vms,
		      struct use use)
{
	const struct axvm_tool_image *image = &use.vm->images[use.image];
	const char *name = entry_name(use.vm, use.image);
	const struct use first = first_use(vms, use);

	if (!is_usable(use.vm, use.image, name))
		return false;
	if (!first.vm) {
		axvm_tool_cpio_add(cpio, name, image->blob);
		return true;
	}
	if (same_blob(first.vm->images[first.image].blob, image->blob))
		return true;
	axvm_tool_vmfile_complain(use.vm, "kernel", axvm_tool_image_key(use.image),
				  "%s: %s is here %s, but for %s it is %s: give one another name",
				  axvm_tool_image_key(use.image), name, image->path, first.vm->path,
				  first.vm->images[first.image].path);
	return false;
}

static bool add_vms(struct axvm_tool_cpio *cpio, const struct axvm_tool_vmfile *vms, size_t count)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		char *name = stem(vms[i].path);
		char *entry = axvm_tool_print("vms/%02zu-%s.toml", i, name);

		axvm_tool_cpio_add(cpio, entry, vms[i].text);
	}
	for (size_t i = 0; i < count; i++) {
		for (unsigned j = 0; j < AXVM_TOOL_IMAGES; j++) {
			if (vms[i].images[j].path)
				good = add_image(cpio, vms, (struct use){ &vms[i], j }) && good;
		}
	}
	return good;
}

int axvm_tool_bundle_make(const struct axvm_tool_vmfile *vms, size_t count, const char *append,
			  uint64_t *bytes)
{
	const int fd = memfd_create("axvm-bundle", 0);
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	struct axvm_tool_cpio cpio = { .out = out };
	bool good;

	if (!out) {
		axvm_tool_complain("cannot make a bundle: %s", strerror(errno));
		return -1;
	}
	if (append && append[0])
		axvm_tool_cpio_add(&cpio, AXVM_TOOL_APPEND,
				   (struct axvm_blob){ append, strlen(append) });
	good = add_vms(&cpio, vms, count);
	if (!axvm_tool_cpio_end(&cpio) || fflush(out) != 0) {
		axvm_tool_complain("cannot make a bundle: %s",
				   strerror(cpio.failed ? cpio.error : errno));
		good = false;
	}
	*bytes = (uint64_t)ftello(out);
	fclose(out);
	if (good)
		return fd;
	close(fd);
	return -1;
}
