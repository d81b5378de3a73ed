/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between second-stage table formats, as data and small pure
 * functions; src/pagetable.c walks them all.
 */
#ifndef AXVM_PTE_FORMAT_H
#define AXVM_PTE_FORMAT_H

#include <axvm/types.h>

#define AXVM_TABLE_LEVELS_MAX 5u

struct axvm_pte_format {
	const char *name;	   /* "VMSAv8-64 stage 2, 3 levels, 40 bits" */
	uint32_t levels;	   /* 3 to 5; level 0 is the root */
	uint32_t input_bits;	   /* GPA width */
	uint32_t output_bits;	   /* HPA width */
	uint32_t root_pages;	   /* 1; more for concatenated roots and Sv39x4, contiguous */
	uint32_t root_align_pages; /* alignment of the root */
	uint32_t block_levels; /* bit n: a leaf may stand at level n; from some level to the last */
	bool break_before_make; /* a live entry must be invalid and flushed before another replaces it */
	bool caches_absent; /* the TLB may keep that an entry was absent: flush after mapping too */
	/*
	 * Entries are 64 bits. Present ones have a bit of 0 to 2 set in every format: 0 is absent,
	 * and so is an address with any of the bits 3 to 11.
	 */
	/*
	 * `flags` are READ, READ|WRITE and either with EXECUTE, plus DEVICE (never with EXECUTE) or
	 * UNCACHED; `flags` of make_leaf's result gives the same back.
	 */
	uint64_t (*make_table)(struct axvm_hpa table);
	uint64_t (*make_leaf)(struct axvm_hpa hpa, uint32_t level, uint32_t flags);
	bool (*is_present)(uint64_t entry);
	bool (*is_leaf)(uint64_t entry, uint32_t level);
	struct axvm_hpa (*address)(uint64_t entry, uint32_t level);
	uint32_t (*flags)(uint64_t entry);
};

extern const struct axvm_pte_format *const axvm_arch_pte_formats[]; /* of this ISA */
extern const uint32_t axvm_arch_pte_format_count;

#endif
