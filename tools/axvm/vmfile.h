/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's file with the images that it names. */
#ifndef AXVM_TOOL_VMFILE_H
#define AXVM_TOOL_VMFILE_H

#include "tool.h"

enum { AXVM_TOOL_KERNEL, AXVM_TOOL_INITRD, AXVM_TOOL_DTB, AXVM_TOOL_BIOS, AXVM_TOOL_IMAGES };

struct axvm_tool_image {
	const char *path;      /* where it was found; NULL: the file names none */
	struct axvm_blob blob; /* its contents */
};

struct axvm_tool_vmfile {
	const char *path; /* as given */
	struct axvm_blob text;
	struct axvm_config config;
	struct axvm_tool_image images[AXVM_TOOL_IMAGES];
};

/* The key of an image in [kernel], and its name in a bundle. */
const char *axvm_tool_image_key(unsigned image);
const char *axvm_tool_image_entry(const struct axvm_tool_vmfile *vm, unsigned image);

/*
 * Reads and parses the file for the platform of `isa`. False after its errors have been printed,
 * each as "file:line:column: message".
 */
bool axvm_tool_vmfile_read(struct axvm_tool_vmfile *vm, const char *path, enum axvm_isa isa);

/*
 * Finds and maps the images: a relative path counts from `folder` when not NULL, else from the
 * file's own folder, then from the current one. False after complaints that name the key.
 */
bool axvm_tool_vmfile_map_images(struct axvm_tool_vmfile *vm, const char *folder);

#endif
