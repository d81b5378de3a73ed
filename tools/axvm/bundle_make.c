/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle is made in an unlinked file, so that nothing is left over however the tool ends. */
#include "bundle_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpio.h"

/* "linux-aarch64" of "configs/linux-aarch64.toml". For free(). */
static char *stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return axvm_tool_print("%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
}

static void add_vm(struct axvm_tool_cpio *cpio, const struct axvm_tool_vmfile *vm, size_t number)
{
	char *name = stem(vm->path);
	char *entry = axvm_tool_print("vms/%02zu-%s.toml", number, name);

	axvm_tool_cpio_add(cpio, entry, vm->text);
	free(entry);
	for (unsigned i = 0; i < AXVM_TOOL_IMAGES; i++) {
		if (!vm->images[i].path)
			continue;
		axvm_tool_cpio_add(cpio, axvm_tool_image_entry(vm, i), vm->images[i].blob);
	}
	free(name);
}

int axvm_tool_bundle_make(const struct axvm_tool_vmfile *vms, size_t count, const char *append,
			  uint64_t *bytes)
{
	const int fd = memfd_create("axvm-bundle", 0);
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	struct axvm_tool_cpio cpio = {.out = out};
	bool good;

	if (!out) {
		axvm_tool_complain("cannot make a bundle: %s", strerror(errno));
		return -1;
	}
	if (append && append[0])
		axvm_tool_cpio_add(&cpio, "cmdline-append",
				   (struct axvm_blob){append, strlen(append)});
	for (size_t i = 0; i < count; i++)
		add_vm(&cpio, &vms[i], i);
	good = axvm_tool_cpio_end(&cpio);
	*bytes = (uint64_t)ftello(out);
	if (fclose(out) == 0 && good)
		return fd;
	axvm_tool_complain("cannot make a bundle: %s", strerror(cpio.failed ? cpio.error : errno));
	close(fd);
	return -1;
}
