// SPDX-License-Identifier: Apache-2.0
/* EPT [SDM3 29.3.2, 25.6.11] and NPT [APM2 15.25.5, 5.3.4], bit by bit. */
#include "pte.h"

#include "axtest.h"

#define RW (AXVM_MAP_READ | AXVM_MAP_WRITE)
#define NX ((uint64_t)1 << 63)

static const struct axvm_pte_format *ept(void)
{
	return axvm_x86_64_ept_format(4, true);
}

static const struct axvm_pte_format *npt(void)
{
	return axvm_x86_64_npt_format(4, true);
}

TEST(an_ept_table_entry_has_all_rights)
{
	CHECK_EQ(ept()->make_table(axvm_hpa(0x12345000)), 0x12345007);
	CHECK_EQ(ept()->make_table(axvm_hpa(0xffffffffff000)), 0xffffffffff007);
	CHECK_EQ(ept()->address(0x12345007, 0).addr, 0x12345000);
	CHECK(!ept()->is_leaf(0x12345007, 2));
	CHECK(ept()->is_leaf(0x12345007, 3));
}

TEST(an_ept_leaf_has_rights_memory_type_and_ignores_the_guests_pat)
{
	/* WB is 6 in bits 5 to 3, ignore PAT bit 6, large page bit 7. */
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_RWX), 0x200077);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x200000), 2, AXVM_MAP_RWX), 0x2000f7);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x40000000), 1, AXVM_MAP_RWX), 0x400000f7);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_READ), 0x200071);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x200000), 3, RW), 0x200073);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_READ | AXVM_MAP_EXECUTE),
		 0x200075);
	/* UC is 0, WC is 1. */
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0xfee00000), 3, RW | AXVM_MAP_DEVICE), 0xfee00043);
	CHECK_EQ(ept()->make_leaf(axvm_hpa(0xe0000000), 3, RW | AXVM_MAP_UNCACHED), 0xe000004b);
	CHECK_EQ(ept()->flags(0x200077), AXVM_MAP_RWX);
	CHECK_EQ(ept()->flags(0xfee00043), RW | AXVM_MAP_DEVICE);
	CHECK_EQ(ept()->flags(0xe000004b), RW | AXVM_MAP_UNCACHED);
	CHECK(ept()->is_leaf(0x2000f7, 2));
}

TEST(an_ept_entry_without_rights_is_absent)
{
	CHECK(!ept()->is_present(0));
	CHECK(!ept()->is_present(~(uint64_t)7));
	CHECK(ept()->is_present(1) && ept()->is_present(2) && ept()->is_present(4));
}

TEST(an_npt_table_entry_is_present_writable_user_accessed)
{
	CHECK_EQ(npt()->make_table(axvm_hpa(0x12345000)), 0x12345027);
	CHECK_EQ(npt()->make_table(axvm_hpa(0xffffffffff000)), 0xffffffffff027);
	CHECK(!npt()->is_leaf(0x12345027, 2));
	CHECK_EQ(npt()->address(0x12345027 | NX, 0).addr, 0x12345000);
}

TEST(an_npt_leaf_is_user_accessed_dirty)
{
	/* P RW US A D, PS above the last level. */
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_RWX), 0x200067);
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0x200000), 2, AXVM_MAP_RWX), 0x2000e7);
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0x40000000), 1, AXVM_MAP_RWX), 0x400000e7);
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_READ), 0x200065 | NX);
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0x200000), 3, RW), 0x200067 | NX);
	/* PCD and PWT: PAT entry 3, UC. PCD: PAT entry 2, UC-. */
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0xfee00000), 3, RW | AXVM_MAP_DEVICE), 0xfee0007f | NX);
	CHECK_EQ(npt()->make_leaf(axvm_hpa(0xe0000000), 3, RW | AXVM_MAP_UNCACHED),
		 0xe0000077 | NX);
	CHECK_EQ(npt()->flags(0x200067), AXVM_MAP_RWX);
	CHECK_EQ(npt()->flags(0x200065 | NX), AXVM_MAP_READ);
	CHECK_EQ(npt()->flags(0xfee0007f | NX), RW | AXVM_MAP_DEVICE);
	CHECK_EQ(npt()->flags(0xe0000077 | NX), RW | AXVM_MAP_UNCACHED);
}

TEST(bit_0_of_an_npt_entry_says_whether_it_is_present)
{
	CHECK(npt()->is_present(1));
	CHECK(!npt()->is_present(0));
	CHECK(!npt()->is_present(~(uint64_t)1));
}

static void check_shape(const struct axvm_pte_format *format, uint32_t levels, uint32_t bits,
			uint32_t leaves)
{
	REQUIRE(format != NULL);
	CHECK_EQ(format->levels, levels);
	CHECK_EQ(format->input_bits, bits);
	CHECK_EQ(format->output_bits, 52);
	CHECK_EQ(format->root_pages, 1);
	CHECK_EQ(format->block_levels, leaves);
}

TEST(formats_are_chosen_by_levels_and_page_sizes)
{
	check_shape(axvm_x86_64_ept_format(4, true), 4, 48, 0xe);
	check_shape(axvm_x86_64_ept_format(4, false), 4, 48, 0xc);
	check_shape(axvm_x86_64_ept_format(5, true), 5, 57, 0x1c);
	check_shape(axvm_x86_64_ept_format(5, false), 5, 57, 0x18);
	check_shape(axvm_x86_64_npt_format(4, true), 4, 48, 0xe);
	check_shape(axvm_x86_64_npt_format(4, false), 4, 48, 0xc);
	check_shape(axvm_x86_64_npt_format(5, true), 5, 57, 0x1c);
	check_shape(axvm_x86_64_npt_format(5, false), 5, 57, 0x18);
	CHECK_PTR_EQ(axvm_x86_64_ept_format(3, true), NULL);
	CHECK_PTR_EQ(axvm_x86_64_npt_format(6, true), NULL);
	/* Large pages are a leaf one level up in the five-level formats too. */
	CHECK_EQ(axvm_x86_64_ept_format(5, true)->make_leaf(axvm_hpa(0x200000), 4, RW), 0x200073);
	CHECK_EQ(axvm_x86_64_ept_format(5, true)->make_leaf(axvm_hpa(0x200000), 3, RW), 0x2000f3);
	CHECK_EQ(axvm_x86_64_npt_format(5, true)->make_leaf(axvm_hpa(0x200000), 4, AXVM_MAP_RWX),
		 0x200067);
	CHECK_EQ(axvm_x86_64_npt_format(5, true)->make_leaf(axvm_hpa(0x200000), 3, AXVM_MAP_RWX),
		 0x2000e7);
}

TEST(eptp_is_root_walk_length_and_write_back)
{
	CHECK_EQ(axvm_x86_64_make_eptp(ept(), axvm_hpa(0x1000)), 0x101e);
	CHECK_EQ(axvm_x86_64_make_eptp(axvm_x86_64_ept_format(5, true), axvm_hpa(0x1000)), 0x1026);
}

AXTEST_MAIN(an_ept_table_entry_has_all_rights,
	    an_ept_leaf_has_rights_memory_type_and_ignores_the_guests_pat,
	    an_ept_entry_without_rights_is_absent,
	    an_npt_table_entry_is_present_writable_user_accessed,
	    an_npt_leaf_is_user_accessed_dirty, bit_0_of_an_npt_entry_says_whether_it_is_present,
	    formats_are_chosen_by_levels_and_page_sizes, eptp_is_root_walk_length_and_write_back)
