// SPDX-License-Identifier: Apache-2.0
/*
 * VMSAv8-64 stage 2, 4 KiB granule [ARM D8.3]. Up to 43 bits the walk begins at
 * level 1 with up to 16 concatenated tables, which saves a level; beyond, at level 0.
 */
#include "pte.h"

#define DESC_VALID ((uint64_t)1 << 0)
#define DESC_TABLE_OR_PAGE ((uint64_t)1 << 1)
#define DESC_MEMATTR(x) ((uint64_t)(x) << 2)
#define DESC_MEMATTR_MASK DESC_MEMATTR(0xf)
#define MEMATTR_DEVICE_NGNRE 0x1u
#define MEMATTR_NORMAL_NC 0x5u
#define MEMATTR_NORMAL_WB 0xfu
#define MEMATTR_FORCED_WB 0x6u /* with HCR_EL2.FWB; the other two are the same [ARM D8.6.6] */
#define DESC_S2AP_READ ((uint64_t)1 << 6)
#define DESC_S2AP_WRITE ((uint64_t)1 << 7)
#define DESC_SH_INNER ((uint64_t)3 << 8)
#define DESC_AF ((uint64_t)1 << 10)
#define DESC_XN ((uint64_t)2 << 53) /* XN[1:0] = 0b10: neither EL1 nor EL0 */
#define DESC_ADDRESS_MASK 0x0000fffffffff000u

static uint64_t make_table(struct axvm_hpa table)
{
	return table.addr | DESC_TABLE_OR_PAGE | DESC_VALID;
}

static uint64_t make_attributes(uint32_t flags, uint32_t normal)
{
	if (flags & AXVM_MAP_DEVICE)
		return DESC_MEMATTR(MEMATTR_DEVICE_NGNRE);
	if (flags & AXVM_MAP_UNCACHED)
		return DESC_MEMATTR(MEMATTR_NORMAL_NC) | DESC_SH_INNER;
	return DESC_MEMATTR(normal) | DESC_SH_INNER;
}

static uint64_t make_leaf(struct axvm_hpa hpa, uint32_t flags, bool last_level, uint32_t normal)
{
	uint64_t entry = hpa.addr | make_attributes(flags, normal) | DESC_AF | DESC_VALID;

	entry |= last_level ? DESC_TABLE_OR_PAGE : 0;
	entry |= flags & AXVM_MAP_READ ? DESC_S2AP_READ : 0;
	entry |= flags & AXVM_MAP_WRITE ? DESC_S2AP_WRITE : 0;
	entry |= flags & AXVM_MAP_EXECUTE ? 0 : DESC_XN;
	return entry;
}

static uint64_t make_leaf_3(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return make_leaf(hpa, flags, level == 2, MEMATTR_NORMAL_WB);
}

static uint64_t make_leaf_4(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return make_leaf(hpa, flags, level == 3, MEMATTR_NORMAL_WB);
}

static uint64_t make_leaf_fwb_3(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return make_leaf(hpa, flags, level == 2, MEMATTR_FORCED_WB);
}

static uint64_t make_leaf_fwb_4(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	return make_leaf(hpa, flags, level == 3, MEMATTR_FORCED_WB);
}

static bool is_present(uint64_t entry)
{
	return (entry & DESC_VALID) != 0;
}

static bool is_leaf_3(uint64_t entry, uint32_t level)
{
	return level == 2 || (entry & DESC_TABLE_OR_PAGE) == 0;
}

static bool is_leaf_4(uint64_t entry, uint32_t level)
{
	return level == 3 || (entry & DESC_TABLE_OR_PAGE) == 0;
}

static struct axvm_hpa address(uint64_t entry, uint32_t level)
{
	(void)level;
	return axvm_hpa(entry & DESC_ADDRESS_MASK);
}

static uint32_t memory_flags(uint64_t entry)
{
	switch ((entry & DESC_MEMATTR_MASK) / DESC_MEMATTR(1)) {
	case MEMATTR_NORMAL_WB:
	case MEMATTR_FORCED_WB:
		return 0;
	case MEMATTR_NORMAL_NC:
		return AXVM_MAP_UNCACHED;
	default:
		return AXVM_MAP_DEVICE;
	}
}

static uint32_t flags(uint64_t entry)
{
	uint32_t result = memory_flags(entry);

	result |= entry & DESC_S2AP_READ ? (uint32_t)AXVM_MAP_READ : 0;
	result |= entry & DESC_S2AP_WRITE ? (uint32_t)AXVM_MAP_WRITE : 0;
	result |= entry & DESC_XN ? 0 : (uint32_t)AXVM_MAP_EXECUTE;
	return result;
}

/* Leaves: 1 GiB, 2 MiB, 4 KiB, so the three last levels. */
#define STAGE2(level_count, bits, roots, leaf, kind)                                            \
	{                                                                                       \
		.name = "VMSAv8-64 stage 2, " #level_count " levels, " #bits " bits" kind,      \
		.levels = (level_count), .input_bits = (bits), .output_bits = 48,               \
		.root_pages = (roots), .root_align_pages = (roots),                             \
		.block_levels = 7u << ((level_count)-3), .break_before_make = true,             \
		.make_table = make_table, .make_leaf = leaf##level_count,                       \
		.is_present = is_present, .is_leaf = is_leaf_##level_count, .address = address, \
		.flags = flags,                                                                 \
	}

/* By width, so that the first that is wide enough is the narrowest. */
#define STAGE2_FORMATS(leaf, kind)                                                                \
	STAGE2(3, 32, 1, leaf, kind), STAGE2(3, 36, 1, leaf, kind), STAGE2(3, 39, 1, leaf, kind), \
		STAGE2(3, 40, 2, leaf, kind), STAGE2(3, 41, 4, leaf, kind),                       \
		STAGE2(3, 42, 8, leaf, kind), STAGE2(3, 43, 16, leaf, kind),                      \
		STAGE2(4, 44, 1, leaf, kind), STAGE2(4, 48, 1, leaf, kind)

static const struct axvm_pte_format plain[] = { STAGE2_FORMATS(make_leaf_, "") };
static const struct axvm_pte_format forced[] = { STAGE2_FORMATS(make_leaf_fwb_,
								", forced write-back") };
#define WIDTHS (sizeof(plain) / sizeof(plain[0]))

const struct axvm_pte_format *const axvm_arch_pte_formats[] = {
	&plain[0],  &plain[1],	&plain[2],  &plain[3],	&plain[4],  &plain[5],
	&plain[6],  &plain[7],	&plain[8],  &forced[0], &forced[1], &forced[2],
	&forced[3], &forced[4], &forced[5], &forced[6], &forced[7], &forced[8],
};
const uint32_t axvm_arch_pte_format_count = 2 * WIDTHS;
_Static_assert(sizeof(axvm_arch_pte_formats) / sizeof(axvm_arch_pte_formats[0]) == 2 * WIDTHS,
	       "every format stands in the list");

uint32_t axvm_aarch64_pa_bits(uint32_t pa_range)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };

	return pa_range < sizeof(bits) ? bits[pa_range] : 0;
}

const struct axvm_pte_format *axvm_aarch64_stage2_format(uint32_t ipa_bits, bool fwb)
{
	for (uint32_t i = 0; i < WIDTHS; i++) {
		if (plain[i].input_bits >= ipa_bits)
			return fwb ? &forced[i] : &plain[i];
	}
	return NULL;
}

#define VTCR_RES1 ((uint64_t)1 << 31)
#define VTCR_PS(x) ((uint64_t)(x) << 16)
#define VTCR_PS_48 5u
#define VTCR_SH0_INNER ((uint64_t)3 << 12)
#define VTCR_ORGN0_WBWA ((uint64_t)1 << 10)
#define VTCR_IRGN0_WBWA ((uint64_t)1 << 8)
#define VTCR_SL0(x) ((uint64_t)(x) << 6)

uint64_t axvm_aarch64_vtcr(const struct axvm_pte_format *format, uint32_t pa_range)
{
	uint32_t ps = pa_range < VTCR_PS_48 ? pa_range : VTCR_PS_48;

	/* SL0 is 1 for a walk that begins at level 1, 2 for one at level 0. */
	return VTCR_RES1 | VTCR_PS(ps) | VTCR_SH0_INNER | VTCR_ORGN0_WBWA | VTCR_IRGN0_WBWA |
	       VTCR_SL0(format->levels - 2) | (64 - format->input_bits);
}
