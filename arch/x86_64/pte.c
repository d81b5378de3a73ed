// SPDX-License-Identifier: Apache-2.0
/*
 * EPT [SDM3 29.3.2] and NPT [APM2 15.25.5, 5.3.4]. Nested accesses count as user
 * mode, and accessed and dirty are preset so that no walk writes a table.
 */
#include "pte.h"

#define ADDRESS_MASK 0x000ffffffffff000u
#define ENTRY_LARGE ((uint64_t)1 << 7) /* in both: a leaf above the last level */

static struct axvm_hpa address(uint64_t entry, uint32_t level)
{
	(void)level;
	return axvm_hpa(entry & ADDRESS_MASK);
}

static bool is_leaf_4(uint64_t entry, uint32_t level)
{
	return level == 3 || (entry & ENTRY_LARGE) != 0;
}

static bool is_leaf_5(uint64_t entry, uint32_t level)
{
	return level == 4 || (entry & ENTRY_LARGE) != 0;
}

/* ---- EPT -------------------------------------------------------------------------------- */

#define EPT_READ ((uint64_t)1 << 0)
#define EPT_WRITE ((uint64_t)1 << 1)
#define EPT_EXECUTE ((uint64_t)1 << 2)
#define EPT_RWX (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_MEMTYPE(x) ((uint64_t)(x) << 3)
#define EPT_MEMTYPE_MASK EPT_MEMTYPE(7)
#define MEMTYPE_UC 0u
#define MEMTYPE_WC 1u
#define MEMTYPE_WB 6u
#define EPT_IGNORE_PAT ((uint64_t)1 << 6)

static uint64_t ept_make_table(struct axvm_hpa table)
{
	return table.addr | EPT_RWX;
}

/* The guest's PAT has no say: RAM stays coherent with the host's view, devices stay uncached. */
static uint64_t ept_memory_type(uint32_t flags)
{
	if (flags & AXVM_MAP_DEVICE)
		return EPT_MEMTYPE(MEMTYPE_UC) | EPT_IGNORE_PAT;
	if (flags & AXVM_MAP_UNCACHED)
		return EPT_MEMTYPE(MEMTYPE_WC) | EPT_IGNORE_PAT;
	return EPT_MEMTYPE(MEMTYPE_WB) | EPT_IGNORE_PAT;
}

static uint64_t ept_make_leaf(struct axvm_hpa hpa, uint32_t flags, bool last_level)
{
	uint64_t entry = hpa.addr | ept_memory_type(flags);

	entry |= last_level ? 0 : ENTRY_LARGE;
	entry |= flags & AXVM_MAP_READ ? EPT_READ : 0;
	entry |= flags & AXVM_MAP_WRITE ? EPT_WRITE : 0;
	entry |= flags & AXVM_MAP_EXECUTE ? EPT_EXECUTE : 0;
	return entry;
}

static uint64_t ept_make_leaf_4(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return ept_make_leaf(hpa, flags, level == 3);
}

static uint64_t ept_make_leaf_5(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return ept_make_leaf(hpa, flags, level == 4);
}

static bool ept_is_present(uint64_t entry)
{
	return (entry & EPT_RWX) != 0;
}

static uint32_t ept_flags(uint64_t entry)
{
	uint64_t type = entry & EPT_MEMTYPE_MASK;
	uint32_t result = 0;

	result |= type == EPT_MEMTYPE(MEMTYPE_UC) ? (uint32_t)AXVM_MAP_DEVICE : 0;
	result |= type == EPT_MEMTYPE(MEMTYPE_WC) ? (uint32_t)AXVM_MAP_UNCACHED : 0;
	result |= entry & EPT_READ ? (uint32_t)AXVM_MAP_READ : 0;
	result |= entry & EPT_WRITE ? (uint32_t)AXVM_MAP_WRITE : 0;
	result |= entry & EPT_EXECUTE ? (uint32_t)AXVM_MAP_EXECUTE : 0;
	return result;
}

/* ---- NPT -------------------------------------------------------------------------------- */

#define NPT_P ((uint64_t)1 << 0)
#define NPT_RW ((uint64_t)1 << 1)
#define NPT_US ((uint64_t)1 << 2)
#define NPT_PWT ((uint64_t)1 << 3)
#define NPT_PCD ((uint64_t)1 << 4)
#define NPT_A ((uint64_t)1 << 5)
#define NPT_D ((uint64_t)1 << 6)
#define NPT_NX ((uint64_t)1 << 63)

static uint64_t npt_make_table(struct axvm_hpa table)
{
	return table.addr | NPT_P | NPT_RW | NPT_US | NPT_A;
}

static uint64_t npt_make_leaf(struct axvm_hpa hpa, uint32_t flags, bool last_level)
{
	uint64_t entry = hpa.addr | NPT_P | NPT_US | NPT_A | NPT_D;

	entry |= last_level ? 0 : ENTRY_LARGE;
	entry |= flags & AXVM_MAP_WRITE ? NPT_RW : 0;
	entry |= flags & AXVM_MAP_EXECUTE ? 0 : NPT_NX;
	entry |= flags & AXVM_MAP_DEVICE ? NPT_PCD | NPT_PWT : 0;
	entry |= flags & AXVM_MAP_UNCACHED ? NPT_PCD : 0;
	return entry;
}

static uint64_t npt_make_leaf_4(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return npt_make_leaf(hpa, flags, level == 3);
}

static uint64_t npt_make_leaf_5(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return npt_make_leaf(hpa, flags, level == 4);
}

static bool npt_is_present(uint64_t entry)
{
	return (entry & NPT_P) != 0;
}

static uint32_t npt_flags(uint64_t entry)
{
	uint32_t result = AXVM_MAP_READ;

	result |= entry & NPT_RW ? (uint32_t)AXVM_MAP_WRITE : 0;
	result |= entry & NPT_NX ? 0 : (uint32_t)AXVM_MAP_EXECUTE;
	if (entry & NPT_PCD)
		result |= entry & NPT_PWT ? (uint32_t)AXVM_MAP_DEVICE : (uint32_t)AXVM_MAP_UNCACHED;
	return result;
}

/* ---- the formats ------------------------------------------------------------------------ */

#define KIB_MIB 3u     /* leaves of 2 MiB and 4 KiB: the two last levels */
#define KIB_MIB_GIB 7u /* and of 1 GiB */

#define FORMAT(title, kind, level_count, bits, leaves)                                           \
	{                                                                                        \
		.name = title, .levels = (level_count), .input_bits = (bits), .output_bits = 52, \
		.root_pages = 1, .root_align_pages = 1,                                          \
		.block_levels = (leaves) << ((level_count) - ((leaves) == KIB_MIB ? 2 : 3)),     \
		.break_before_make = false, .make_table = kind##_make_table,                     \
		.make_leaf = kind##_make_leaf_##level_count, .is_present = kind##_is_present,    \
		.is_leaf = is_leaf_##level_count, .address = address, .flags = kind##_flags,     \
	}

static const struct axvm_pte_format ept_4 = FORMAT("EPT, 4 levels", ept, 4, 48, KIB_MIB_GIB);
static const struct axvm_pte_format ept_4_small =
	FORMAT("EPT, 4 levels, no 1 GiB pages", ept, 4, 48, KIB_MIB);
static const struct axvm_pte_format ept_5 = FORMAT("EPT, 5 levels", ept, 5, 57, KIB_MIB_GIB);
static const struct axvm_pte_format ept_5_small =
	FORMAT("EPT, 5 levels, no 1 GiB pages", ept, 5, 57, KIB_MIB);
static const struct axvm_pte_format npt_4 = FORMAT("NPT, 4 levels", npt, 4, 48, KIB_MIB_GIB);
static const struct axvm_pte_format npt_4_small =
	FORMAT("NPT, 4 levels, no 1 GiB pages", npt, 4, 48, KIB_MIB);
static const struct axvm_pte_format npt_5 = FORMAT("NPT, 5 levels", npt, 5, 57, KIB_MIB_GIB);
static const struct axvm_pte_format npt_5_small =
	FORMAT("NPT, 5 levels, no 1 GiB pages", npt, 5, 57, KIB_MIB);

const struct axvm_pte_format *const axvm_arch_pte_formats[] = {
	&npt_4, &npt_4_small, &npt_5, &npt_5_small, &ept_4, &ept_4_small, &ept_5, &ept_5_small,
};
const uint32_t axvm_arch_pte_format_count =
	sizeof(axvm_arch_pte_formats) / sizeof(axvm_arch_pte_formats[0]);

const struct axvm_pte_format *axvm_x86_64_ept_format(uint32_t levels, bool gib_pages)
{
	if (levels == 4)
		return gib_pages ? &ept_4 : &ept_4_small;
	if (levels == 5)
		return gib_pages ? &ept_5 : &ept_5_small;
	return NULL;
}

uint64_t axvm_x86_64_make_eptp(const struct axvm_pte_format *format, struct axvm_hpa root)
{
	return root.addr | (uint64_t)(format->levels - 1) << 3 | MEMTYPE_WB;
}

const struct axvm_pte_format *axvm_x86_64_npt_format(uint32_t levels, bool gib_pages)
{
	if (levels == 4)
		return gib_pages ? &npt_4 : &npt_4_small;
	if (levels == 5)
		return gib_pages ? &npt_5 : &npt_5_small;
	return NULL;
}
