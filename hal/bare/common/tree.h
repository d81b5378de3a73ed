/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's device tree, read where it lies. It is looked at some forty times before the first
 * guest runs, and libfdt checks every byte of it each time; here it is checked once, and each
 * question after it takes some ten instructions for every property that it passes.
 *
 * A node is the offset of its FDT_BEGIN_NODE, which is what libfdt takes; the root is 0, and
 * negative is none. The tree does not change, and any CPU may read it.
 */
#ifndef AXVM_TREE_H
#define AXVM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXVM_TREE_DEPTH_MAX 32u

/* Whether it is one of version 17 and whole: to be asked before anything else is. */
bool axvm_tree_check(const void *fdt);

/* The node after `node` as they stand in the tree; the first for a negative one. */
int axvm_tree_next(const void *fdt, int node);
/* The child after the child `after`; the first for a negative one. */
int axvm_tree_child(const void *fdt, int node, int after);
int axvm_tree_parent(const void *fdt, int node);

/* By a path, or by an alias of one; a component can leave out the unit address. */
int axvm_tree_path(const void *fdt, const char *path, size_t bytes);
/* The first after `after` (negative: of all) whose compatible lists `name`. */
int axvm_tree_compatible(const void *fdt, int after, const char *name);
/* None has 0. */
int axvm_tree_by_phandle(const void *fdt, uint32_t phandle);

/* A property of `node`, which may be negative; NULL, and 0 bytes, where it is not there. */
const void *axvm_tree_property(const void *fdt, int node, const char *name, int *bytes);
/* One that is a string and terminated, else NULL. */
const char *axvm_tree_string(const void *fdt, int node, const char *name);
/* Whether one that is a list of strings has this one. */
bool axvm_tree_lists(const void *fdt, int node, const char *name, const char *string);
/* One of exactly one cell, else `otherwise`. */
uint32_t axvm_tree_cell(const void *fdt, int node, const char *name, uint32_t otherwise);
/* One of one or two cells, else 0. */
uint64_t axvm_tree_number(const void *fdt, int node, const char *name);

/*
 * Entry `index` of reg, by the numbers of cells that the parent says. False: there is none, or the
 * numbers are not 1 or 2; no cells for the size, as CPUs have it, gives 0 bytes.
 */
bool axvm_tree_reg(const void *fdt, int parent, int node, uint32_t index, uint64_t *base,
		   uint64_t *bytes);

#endif
