/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What axvm_tree_check has seen is relied upon: tags follow each other up to FDT_END, nodes are
 * nested, names and properties end before the blocks that they are in do.
 */
#include "tree.h"

#include <string.h>

#include <libfdt.h>

/* Tags as they are in memory, so that a walk swaps no bytes but those of lengths. */
#define TAG(tag) cpu_to_fdt32(tag)

#define ALIAS_BYTES 32u /* an alias is at most 31 characters [DT 3.3] */

static const fdt32_t *at_offset(const void *fdt, int node)
{
	return (const fdt32_t *)(const void *)((const char *)fdt + fdt_off_dt_struct(fdt) + node);
}

static int offset_of(const void *fdt, const fdt32_t *at)
{
	return (int)((const char *)at - ((const char *)fdt + fdt_off_dt_struct(fdt)));
}

static const char *names(const void *fdt)
{
	return (const char *)fdt + fdt_off_dt_strings(fdt);
}

/* The words of a text with its terminator; none of them is zero before the last. */
static const fdt32_t *after_name(const fdt32_t *at)
{
	while (((*at - 0x01010101u) & ~*at & 0x80808080u) == 0)
		at++;
	return at + 1;
}

static const fdt32_t *after_tag(const fdt32_t *at)
{
	if (*at == TAG(FDT_PROP))
		return at + 3 + (fdt32_to_cpu(at[1]) + 3) / 4;
	return *at == TAG(FDT_BEGIN_NODE) ? after_name(at + 1) : at + 1;
}

/* The first tag of a node that is neither a property nor a gap. */
static const fdt32_t *after_properties(const fdt32_t *at)
{
	while (*at == TAG(FDT_PROP) || *at == TAG(FDT_NOP))
		at = after_tag(at);
	return at;
}

/* ---- is it whole ----------------------------------------------------------------------------- */

struct check {
	uint32_t words;	  /* left, the tag's own too */
	uint32_t strings; /* bytes of the block of names up to the last terminator */
	uint32_t depth;
};

static bool name_ends(const fdt32_t *at, uint32_t words)
{
	const char *text = (const char *)at;

	return memchr(text, '\0', (size_t)words * 4) != NULL;
}

static bool tag_is_good(const fdt32_t *at, struct check *check)
{
	uint32_t words = check->words;

	switch (fdt32_to_cpu(*at)) {
	case FDT_BEGIN_NODE:
		return ++check->depth <= AXVM_TREE_DEPTH_MAX && name_ends(at + 1, words - 1);
	case FDT_END_NODE:
		return check->depth-- > 1 || (words > 1 && at[1] == TAG(FDT_END));
	case FDT_PROP:
		return check->depth > 0 && words >= 3 &&
		       fdt32_to_cpu(at[1]) <= (uint64_t)(words - 3) * 4 &&
		       fdt32_to_cpu(at[2]) < check->strings;
	case FDT_NOP:
		return check->depth > 0;
	default:
		return false;
	}
}

static bool structure_is_good(const void *fdt)
{
	const fdt32_t *at = at_offset(fdt, 0);
	struct check check = { .words = fdt_size_dt_struct(fdt) / 4,
			       .strings = fdt_size_dt_strings(fdt) };

	while (check.strings > 0 && names(fdt)[check.strings - 1] != '\0')
		check.strings--;
	if (check.words == 0 || *at != TAG(FDT_BEGIN_NODE))
		return false;
	for (;;) {
		if (check.words == 0 || !tag_is_good(at, &check))
			return false;
		const fdt32_t *next = after_tag(at);
		check.words -= (uint32_t)(next - at);
		if (check.depth == 0)
			return true;
		at = next;
	}
}

bool axvm_tree_check(const void *fdt)
{
	return ((uintptr_t)fdt & 3) == 0 && fdt_check_header(fdt) == 0 && fdt_version(fdt) >= 17 &&
	       fdt_off_dt_struct(fdt) % 4 == 0 && structure_is_good(fdt);
}

/* ---- from node to node ----------------------------------------------------------------------- */

int axvm_tree_next(const void *fdt, int node)
{
	if (node < 0)
		return 0;
	for (const fdt32_t *at = after_tag(at_offset(fdt, node)); *at != TAG(FDT_END);
	     at = after_tag(at)) {
		if (*at == TAG(FDT_BEGIN_NODE))
			return offset_of(fdt, at);
	}
	return -1;
}

/* Where a node's FDT_END_NODE ends. */
static const fdt32_t *after_node(const fdt32_t *at)
{
	uint32_t depth = 0;

	do {
		depth += *at == TAG(FDT_BEGIN_NODE);
		depth -= *at == TAG(FDT_END_NODE);
		at = after_tag(at);
	} while (depth > 0);
	return at;
}

int axvm_tree_child(const void *fdt, int node, int after)
{
	if (node < 0)
		return -1;
	const fdt32_t *at =
		after < 0 ? after_tag(at_offset(fdt, node)) : after_node(at_offset(fdt, after));

	at = after_properties(at);
	return *at == TAG(FDT_BEGIN_NODE) ? offset_of(fdt, at) : -1;
}

int axvm_tree_parent(const void *fdt, int node)
{
	const fdt32_t *at = at_offset(fdt, 0);
	const fdt32_t *wanted = at_offset(fdt, node);
	const fdt32_t *open[AXVM_TREE_DEPTH_MAX];
	uint32_t depth = 0;

	for (; at < wanted; at = after_tag(at)) {
		if (*at == TAG(FDT_BEGIN_NODE) && depth < AXVM_TREE_DEPTH_MAX)
			open[depth++] = at;
		else if (*at == TAG(FDT_END_NODE) && depth > 0)
			depth--;
	}
	return node < 0 || depth == 0 ? -1 : offset_of(fdt, open[depth - 1]);
}

/* ---- properties ------------------------------------------------------------------------------ */

static bool is_same(const char *a, const char *b)
{
	while (*a == *b) {
		if (*a == '\0')
			return true;
		a++, b++;
	}
	return false;
}

const void *axvm_tree_property(const void *fdt, int node, const char *name, int *bytes)
{
	const char *strings = names(fdt);

	*bytes = 0;
	if (node < 0)
		return NULL;
	for (const fdt32_t *at = after_tag(at_offset(fdt, node));
	     *at == TAG(FDT_PROP) || *at == TAG(FDT_NOP); at = after_tag(at)) {
		if (*at == TAG(FDT_PROP) && is_same(strings + fdt32_to_cpu(at[2]), name)) {
			*bytes = (int)fdt32_to_cpu(at[1]);
			return at + 3;
		}
	}
	return NULL;
}

const char *axvm_tree_string(const void *fdt, int node, const char *name)
{
	int bytes;
	const char *text = axvm_tree_property(fdt, node, name, &bytes);

	return text != NULL && bytes > 0 && text[bytes - 1] == '\0' ? text : NULL;
}

bool axvm_tree_lists(const void *fdt, int node, const char *name, const char *string)
{
	int bytes;
	const char *text = axvm_tree_property(fdt, node, name, &bytes);
	const char *end = text == NULL ? NULL : text + bytes;

	if (text == NULL || bytes == 0 || end[-1] != '\0')
		return false;
	for (; text < end; text += strlen(text) + 1) {
		if (is_same(text, string))
			return true;
	}
	return false;
}

static uint64_t take_cells(const fdt32_t *cell, uint32_t count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 32 | fdt32_to_cpu(*cell++);
	return value;
}

uint32_t axvm_tree_cell(const void *fdt, int node, const char *name, uint32_t otherwise)
{
	int bytes;
	const fdt32_t *cell = axvm_tree_property(fdt, node, name, &bytes);

	return bytes == 4 ? fdt32_to_cpu(*cell) : otherwise;
}

uint64_t axvm_tree_number(const void *fdt, int node, const char *name)
{
	int bytes;
	const fdt32_t *cell = axvm_tree_property(fdt, node, name, &bytes);

	return bytes == 4 || bytes == 8 ? take_cells(cell, (uint32_t)bytes / 4) : 0;
}

bool axvm_tree_reg(const void *fdt, int parent, int node, uint32_t index, uint64_t *base,
		   uint64_t *bytes)
{
	uint32_t address = axvm_tree_cell(fdt, parent, "#address-cells", 2);
	uint32_t size = axvm_tree_cell(fdt, parent, "#size-cells", 1);
	int reg_bytes;
	const fdt32_t *reg = axvm_tree_property(fdt, node, "reg", &reg_bytes);

	if (address < 1 || address > 2 || size > 2 ||
	    index >= (uint32_t)reg_bytes / 4 / (address + size))
		return false;
	reg += index * (address + size);
	*base = take_cells(reg, address);
	*bytes = take_cells(reg + address, size);
	return true;
}

/* ---- searches -------------------------------------------------------------------------------- */

int axvm_tree_compatible(const void *fdt, int after, const char *name)
{
	int node = after;

	do
		node = axvm_tree_next(fdt, node);
	while (node >= 0 && !axvm_tree_lists(fdt, node, "compatible", name));
	return node;
}

int axvm_tree_by_phandle(const void *fdt, uint32_t phandle)
{
	int node = -1;

	if (phandle == 0)
		return -1;
	do
		node = axvm_tree_next(fdt, node);
	while (node >= 0 && axvm_tree_cell(fdt, node, "phandle", 0) != phandle);
	return node;
}

static int child_named(const void *fdt, int node, const char *name, size_t bytes)
{
	bool has_unit = memchr(name, '@', bytes) != NULL;

	for (int child = axvm_tree_child(fdt, node, -1); child >= 0;
	     child = axvm_tree_child(fdt, node, child)) {
		const char *its = (const char *)(at_offset(fdt, child) + 1);

		if (strncmp(its, name, bytes) == 0 &&
		    (its[bytes] == '\0' || (its[bytes] == '@' && !has_unit)))
			return child;
	}
	return -1;
}

/* From `node` down. */
static int follow(const void *fdt, int node, const char *path, size_t bytes)
{
	const char *end = path + bytes;

	while (node >= 0 && path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const char *name_end = slash == NULL ? end : slash;

		if (name_end > path)
			node = child_named(fdt, node, path, (size_t)(name_end - path));
		path = name_end + 1;
	}
	return node;
}

int axvm_tree_path(const void *fdt, const char *path, size_t bytes)
{
	char alias[ALIAS_BYTES] = { 0 };

	if (bytes > 0 && path[0] == '/')
		return follow(fdt, 0, path, bytes);
	if (bytes >= sizeof(alias))
		return -1;
	memcpy(alias, path, bytes);
	path = axvm_tree_string(fdt, follow(fdt, 0, "aliases", 7), alias);
	return path == NULL || path[0] != '/' ? -1 : follow(fdt, 0, path, strlen(path));
}
