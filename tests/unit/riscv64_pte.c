// SPDX-License-Identifier: Apache-2.0
/* G-stage entries and hgatp, bit by bit [RISCV-H 18.2.10, 18.5.1]. */
#include "pte.h"

#include "axtest.h"

#define RW (AXVM_MAP_READ | AXVM_MAP_WRITE)

static const struct axvm_pte_format *plain(void)
{
	return axvm_riscv64_gstage_format(AXVM_RISCV64_HGATP_SV39X4, false);
}

static const struct axvm_pte_format *svpbmt(void)
{
	return axvm_riscv64_gstage_format(AXVM_RISCV64_HGATP_SV39X4, true);
}

TEST(a_table_entry_is_its_page_number_and_v)
{
	CHECK_EQ(plain()->make_table(axvm_hpa(0x80201000)), 0x20080401);
	CHECK_EQ(plain()->make_table(axvm_hpa(0xfffffffffff000)), 0x3ffffffffffc01);
	CHECK_EQ(plain()->address(0x20080401, 0).addr, 0x80201000);
	CHECK_EQ(plain()->address(0x3ffffffffffc01, 0).addr, 0xfffffffffff000);
	CHECK(!plain()->is_leaf(0x20080401, 0));
	CHECK(!plain()->is_leaf(0x20080401, 1));
}

TEST(leaves_are_for_user_mode_accessed_and_dirty_at_any_level)
{
	/* V R W X U A D */
	CHECK_EQ(plain()->make_leaf(axvm_hpa(0x80000000), 0, AXVM_MAP_RWX), 0x200000df);
	CHECK_EQ(plain()->make_leaf(axvm_hpa(0x80200000), 1, AXVM_MAP_RWX), 0x200800df);
	CHECK_EQ(plain()->make_leaf(axvm_hpa(0x80201000), 2, RW), 0x200804d7);
	CHECK_EQ(plain()->make_leaf(axvm_hpa(0x80201000), 2, AXVM_MAP_READ), 0x200804d3);
	CHECK_EQ(plain()->make_leaf(axvm_hpa(0x80201000), 2, AXVM_MAP_READ | AXVM_MAP_EXECUTE),
		 0x200804db);
	CHECK(plain()->is_leaf(0x200000df, 0));
	CHECK_EQ(plain()->flags(0x200000df), AXVM_MAP_RWX);
	CHECK_EQ(plain()->flags(0x200804d3), AXVM_MAP_READ);
}

TEST(memory_types_are_known_without_svpbmt_and_told_with_it)
{
	uint64_t device = plain()->make_leaf(axvm_hpa(0x10000000), 2, RW | AXVM_MAP_DEVICE);
	uint64_t uncached = plain()->make_leaf(axvm_hpa(0x10000000), 2, RW | AXVM_MAP_UNCACHED);

	/* Bits 63 to 54 are reserved without Svpbmt and must be 0; RSW is ours. */
	CHECK_EQ(device, 0x40001d7);
	CHECK_EQ(uncached, 0x40002d7);
	CHECK_EQ(plain()->flags(device), RW | AXVM_MAP_DEVICE);
	CHECK_EQ(plain()->flags(uncached), RW | AXVM_MAP_UNCACHED);
	/* PBMT: 2 is I/O, 1 is non-cacheable. */
	CHECK_EQ(svpbmt()->make_leaf(axvm_hpa(0x10000000), 2, RW | AXVM_MAP_DEVICE),
		 0x40000000040001d7);
	CHECK_EQ(svpbmt()->make_leaf(axvm_hpa(0x10000000), 2, RW | AXVM_MAP_UNCACHED),
		 0x20000000040002d7);
	CHECK_EQ(svpbmt()->make_leaf(axvm_hpa(0x80201000), 2, RW), 0x200804d7);
	CHECK_EQ(svpbmt()->address(0x40000000040001d7, 2).addr, 0x10000000);
	CHECK_EQ(svpbmt()->make_table(axvm_hpa(0x80201000)), 0x20080401);
}

TEST(v_alone_says_whether_an_entry_is_present)
{
	CHECK(plain()->is_present(1));
	CHECK(!plain()->is_present(0));
	CHECK(!plain()->is_present(~(uint64_t)1));
}

TEST(each_mode_has_its_shape)
{
	static const struct {
		uint32_t mode;
		uint32_t levels;
		uint32_t bits;
	} cases[] = { { 8, 3, 41 }, { 9, 4, 50 }, { 10, 5, 59 } };

	for (uint32_t i = 0; i < 6; i++) {
		const struct axvm_pte_format *format =
			axvm_riscv64_gstage_format(cases[i % 3].mode, i >= 3);

		CHECK_EQ(format->levels, cases[i % 3].levels);
		CHECK_EQ(format->input_bits, cases[i % 3].bits);
		CHECK_EQ(format->output_bits, 56);
		CHECK_EQ(format->root_pages, 4);
		CHECK_EQ(format->root_align_pages, 4);
		CHECK(format->caches_absent);
	}
	CHECK(plain() != svpbmt());
	CHECK_PTR_EQ(axvm_riscv64_gstage_format(0, false), NULL);
	CHECK_PTR_EQ(axvm_riscv64_gstage_format(7, false), NULL);
	CHECK_PTR_EQ(axvm_riscv64_gstage_format(11, true), NULL);
}

TEST(hgatp_is_mode_vmid_and_page_number)
{
	CHECK_EQ(axvm_riscv64_make_hgatp(8, 5, axvm_hpa(0x80204000)), 0x8000500000080204);
	CHECK_EQ(axvm_riscv64_make_hgatp(9, 0x3fff, axvm_hpa(0x80204000)), 0x93fff00000080204);
	/* VMIDs have 14 bits: nothing may spill into the mode. */
	CHECK_EQ(axvm_riscv64_make_hgatp(10, 0x4001, axvm_hpa(0x80204000)), 0xa000100000080204);
}

AXTEST_MAIN(a_table_entry_is_its_page_number_and_v,
	    leaves_are_for_user_mode_accessed_and_dirty_at_any_level,
	    memory_types_are_known_without_svpbmt_and_told_with_it,
	    v_alone_says_whether_an_entry_is_present, each_mode_has_its_shape,
	    hgatp_is_mode_vmid_and_page_number)
