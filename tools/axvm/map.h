/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where in a VM's physical address space, in order: for people and for pictures. */
#ifndef AXVM_TOOL_MAP_H
#define AXVM_TOOL_MAP_H

#include "vmfile.h"

enum axvm_tool_map_class {
	AXVM_TOOL_MAP_MEMORY,
	AXVM_TOOL_MAP_IMAGE, /* within memory */
	AXVM_TOOL_MAP_DEVICE,
	AXVM_TOOL_MAP_PASSTHROUGH,
	AXVM_TOOL_MAP_PORT, /* x86: the other address space; these come last */
};

struct axvm_tool_map_entry {
	uint64_t base;
	uint64_t bytes; /* not 0 */
	enum axvm_tool_map_class class;
	const char *name;
	char *detail; /* "" when there is nothing to add */
};

struct axvm_tool_map {
	struct axvm_tool_map_entry *entries; /* by address; memory before the images in it */
	size_t count;
};

const char *axvm_tool_map_class_name(enum axvm_tool_map_class class);

/* `planned`: vm->plan is valid and its images are part of it. */
struct axvm_tool_map axvm_tool_map_make(const struct axvm_tool_vmfile *vm, bool planned);

/* "512 MiB"; the largest unit that divides it. */
char *axvm_tool_size(uint64_t bytes);
/* "rwx"; "r-x, device, uncached". */
char *axvm_tool_flags(uint32_t flags);

/* The three ways to show a VM, on `out`. */
void axvm_tool_show_text(FILE *out, const struct axvm_tool_vmfile *vm,
			 const struct axvm_tool_map *map, bool planned);
void axvm_tool_show_json(FILE *out, const struct axvm_tool_vmfile *const *vms,
			 const struct axvm_tool_map *maps, const bool *planned, size_t count);
void axvm_tool_show_svg(FILE *out, const struct axvm_tool_vmfile *vm,
			const struct axvm_tool_map *map);

#endif
