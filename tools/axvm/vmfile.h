/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's file with the images that it names, and the plan that follows from both. */
#ifndef AXVM_TOOL_VMFILE_H
#define AXVM_TOOL_VMFILE_H

#include "image.h"
#include "toml.h"
#include "tool.h"

enum { AXVM_TOOL_KERNEL, AXVM_TOOL_INITRD, AXVM_TOOL_DTB, AXVM_TOOL_BIOS, AXVM_TOOL_IMAGES };

struct axvm_tool_image {
	const char *path;      /* where it was found; NULL: it was not, or the file names none */
	struct axvm_blob blob; /* its contents */
};

struct axvm_tool_vmfile {
	const char *path; /* as given */
	struct axvm_blob text;
	const struct axvm_toml_node *root; /* for places in the text */
	const struct axvm_platform *platform;
	const struct axvm_config *config;
	struct axvm_tool_image images[AXVM_TOOL_IMAGES];
	struct axvm_plan plan;
};

/* The key of an image in [kernel]. */
const char *axvm_tool_image_key(unsigned image);
/* The path as in the file, or NULL. */
const char *axvm_tool_image_path(const struct axvm_config *config, unsigned image);

/*
 * Reads and parses the file for the platform of `isa`; NULL: for the one that the file names, or
 * its kernel is for, or aarch64. False after its errors have been printed, each as
 * "file:line:column: message".
 */
bool axvm_tool_vmfile_read(struct axvm_tool_vmfile *vm, const char *path, const enum axvm_isa *isa);

/*
 * Finds and maps the images: a relative path counts from `folder` when not NULL, else from the
 * file's own folder, then from the current one. False after complaints, as above.
 */
bool axvm_tool_vmfile_map_images(struct axvm_tool_vmfile *vm, const char *folder);

/* Where the images go, checked: their kinds, their sizes, overlaps. False after a complaint. */
bool axvm_tool_vmfile_plan(struct axvm_tool_vmfile *vm);

/*
 * All of that for several files that will run on one machine: all of one ISA, no id twice. With
 * *isa NULL the first file decides, and *isa then points to it. NULL after complaints.
 */
struct axvm_tool_vmfile *axvm_tool_vmfiles_read(char *const *paths, size_t count,
						const enum axvm_isa **isa);

/* Complains about a key of the file, in its place: "file:line:column: ...". */
__attribute__((format(printf, 4, 5))) void
axvm_tool_vmfile_complain(const struct axvm_tool_vmfile *vm, const char *table, const char *key,
			  const char *format, ...);

#endif
