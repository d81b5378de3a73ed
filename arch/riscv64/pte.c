// SPDX-License-Identifier: Apache-2.0
/*
 * G-stage tables [RISCV-H 18.5.1]: the entries of Sv39, Sv48 and Sv57 with a root
 * four times as large. All accesses count as user mode, so leaves have U. A and D
 * are preset: no hart may then fault or write an entry to set them.
 */
#include "pte.h"

#define PTE_V ((uint64_t)1 << 0)
#define PTE_R ((uint64_t)1 << 1)
#define PTE_W ((uint64_t)1 << 2)
#define PTE_X ((uint64_t)1 << 3)
#define PTE_U ((uint64_t)1 << 4)
#define PTE_A ((uint64_t)1 << 6)
#define PTE_D ((uint64_t)1 << 7)
/* RSW, which harts ignore, keeps the memory type that entries without Svpbmt cannot express. */
#define PTE_RSW_DEVICE ((uint64_t)1 << 8)
#define PTE_RSW_UNCACHED ((uint64_t)1 << 9)
#define PTE_PBMT_NC ((uint64_t)1 << 61)
#define PTE_PBMT_IO ((uint64_t)2 << 61)
#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK ((((uint64_t)1 << 44) - 1) << PTE_PPN_SHIFT)

static uint64_t make_address(struct axvm_hpa hpa)
{
	return hpa.addr >> AXVM_PAGE_SHIFT << PTE_PPN_SHIFT;
}

static uint64_t make_table(struct axvm_hpa table)
{
	return make_address(table) | PTE_V;
}

static uint64_t make_leaf(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	uint64_t entry = make_address(hpa) | PTE_V | PTE_U | PTE_A | PTE_D;

	(void)level;
	entry |= flags & AXVM_MAP_READ ? PTE_R : 0;
	entry |= flags & AXVM_MAP_WRITE ? PTE_W : 0;
	entry |= flags & AXVM_MAP_EXECUTE ? PTE_X : 0;
	entry |= flags & AXVM_MAP_DEVICE ? PTE_RSW_DEVICE : 0;
	entry |= flags & AXVM_MAP_UNCACHED ? PTE_RSW_UNCACHED : 0;
	return entry;
}

static uint64_t make_leaf_svpbmt(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	uint64_t entry = make_leaf(hpa, level, flags);

	entry |= flags & AXVM_MAP_DEVICE ? PTE_PBMT_IO : 0;
	entry |= flags & AXVM_MAP_UNCACHED ? PTE_PBMT_NC : 0;
	return entry;
}

static bool is_present(uint64_t entry)
{
	return (entry & PTE_V) != 0;
}

static bool is_leaf(uint64_t entry, uint32_t level)
{
	(void)level;
	return (entry & (PTE_R | PTE_W | PTE_X)) != 0;
}

static struct axvm_hpa address(uint64_t entry, uint32_t level)
{
	(void)level;
	return axvm_hpa((entry & PTE_PPN_MASK) >> PTE_PPN_SHIFT << AXVM_PAGE_SHIFT);
}

static uint32_t flags(uint64_t entry)
{
	uint32_t result = 0;

	result |= entry & PTE_R ? (uint32_t)AXVM_MAP_READ : 0;
	result |= entry & PTE_W ? (uint32_t)AXVM_MAP_WRITE : 0;
	result |= entry & PTE_X ? (uint32_t)AXVM_MAP_EXECUTE : 0;
	result |= entry & PTE_RSW_DEVICE ? (uint32_t)AXVM_MAP_DEVICE : 0;
	result |= entry & PTE_RSW_UNCACHED ? (uint32_t)AXVM_MAP_UNCACHED : 0;
	return result;
}

/* Leaves: 1 GiB, 2 MiB, 4 KiB, so the three last levels. Harts may keep absent entries. */
#define GSTAGE(title, level_count, bits, leaf)                                                   \
	{                                                                                        \
		.name = title, .levels = (level_count), .input_bits = (bits), .output_bits = 56, \
		.root_pages = 4, .root_align_pages = 4, .block_levels = 7u << ((level_count)-3), \
		.break_before_make = false, .caches_absent = true, .make_table = make_table,     \
		.make_leaf = (leaf), .is_present = is_present, .is_leaf = is_leaf,               \
		.address = address, .flags = flags,                                              \
	}

static const struct axvm_pte_format sv39x4 = GSTAGE("Sv39x4", 3, 41, make_leaf);
static const struct axvm_pte_format sv48x4 = GSTAGE("Sv48x4", 4, 50, make_leaf);
static const struct axvm_pte_format sv57x4 = GSTAGE("Sv57x4", 5, 59, make_leaf);
static const struct axvm_pte_format sv39x4_pbmt =
	GSTAGE("Sv39x4 with Svpbmt", 3, 41, make_leaf_svpbmt);
static const struct axvm_pte_format sv48x4_pbmt =
	GSTAGE("Sv48x4 with Svpbmt", 4, 50, make_leaf_svpbmt);
static const struct axvm_pte_format sv57x4_pbmt =
	GSTAGE("Sv57x4 with Svpbmt", 5, 59, make_leaf_svpbmt);

const struct axvm_pte_format *const axvm_arch_pte_formats[] = {
	&sv39x4, &sv48x4, &sv57x4, &sv39x4_pbmt, &sv48x4_pbmt, &sv57x4_pbmt,
};
const uint32_t axvm_arch_pte_format_count =
	sizeof(axvm_arch_pte_formats) / sizeof(axvm_arch_pte_formats[0]);

const struct axvm_pte_format *axvm_riscv64_gstage_format(uint32_t mode, bool svpbmt)
{
	if (mode < AXVM_RISCV64_HGATP_SV39X4 || mode > AXVM_RISCV64_HGATP_SV57X4)
		return NULL;
	return axvm_arch_pte_formats[mode - AXVM_RISCV64_HGATP_SV39X4 + (svpbmt ? 3 : 0)];
}

uint64_t axvm_riscv64_make_hgatp(uint32_t mode, uint32_t vmid, struct axvm_hpa root)
{
	return (uint64_t)mode << 60 | (uint64_t)(vmid & 0x3fff) << 44 |
	       root.addr >> AXVM_PAGE_SHIFT;
}
