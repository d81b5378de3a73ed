// SPDX-License-Identifier: Apache-2.0
/* VMSAv8-64 stage 2, bit by bit [ARM D8.3, D19.2 VTCR_EL2]. */
#include "pte.h"

#include "axtest.h"

#define RW (AXVM_MAP_READ | AXVM_MAP_WRITE)

static const struct axvm_pte_format *three_levels(void)
{
	return axvm_aarch64_stage2_format(40, false);
}

static const struct axvm_pte_format *four_levels(void)
{
	return axvm_aarch64_stage2_format(48, false);
}

TEST(a_table_descriptor_is_its_address_and_0b11)
{
	CHECK_EQ(three_levels()->make_table(axvm_hpa(0x40201000)), 0x40201003);
	CHECK_EQ(three_levels()->make_table(axvm_hpa(0xfffffffff000)), 0xfffffffff003);
	CHECK(!three_levels()->is_leaf(0x40201003, 0));
	CHECK(!three_levels()->is_leaf(0x40201003, 1));
	CHECK_EQ(three_levels()->address(0x40201003, 1).addr, 0x40201000);
}

TEST(pages_and_blocks_differ_in_bit_1)
{
	/* Valid, MemAttr 0b1111, S2AP 0b11, SH 0b11, AF; XN clear. */
	CHECK_EQ(three_levels()->make_leaf(axvm_hpa(0x80003000), 2, AXVM_MAP_RWX), 0x800037ff);
	CHECK_EQ(three_levels()->make_leaf(axvm_hpa(0x80200000), 1, AXVM_MAP_RWX), 0x802007fd);
	CHECK_EQ(three_levels()->make_leaf(axvm_hpa(0x80000000), 0, AXVM_MAP_RWX), 0x800007fd);
	CHECK_EQ(four_levels()->make_leaf(axvm_hpa(0x80003000), 3, AXVM_MAP_RWX), 0x800037ff);
	CHECK_EQ(four_levels()->make_leaf(axvm_hpa(0x80200000), 2, AXVM_MAP_RWX), 0x802007fd);
	CHECK_EQ(four_levels()->make_leaf(axvm_hpa(0x80000000), 1, AXVM_MAP_RWX), 0x800007fd);
	CHECK(three_levels()->is_leaf(0x800037ff, 2));
	CHECK(three_levels()->is_leaf(0x802007fd, 1));
	CHECK(four_levels()->is_leaf(0x800037ff, 3));
	CHECK(!four_levels()->is_leaf(0x800037ff, 2));
}

/* MemAttr 0b0110; device and non-cacheable as without FWB. */
TEST(forced_write_back_changes_normal_memory_alone)
{
	const struct axvm_pte_format *three = axvm_aarch64_stage2_format(40, true);
	const struct axvm_pte_format *four = axvm_aarch64_stage2_format(48, true);
	const struct axvm_pte_format *plain = three_levels();
	uint32_t device = RW | AXVM_MAP_DEVICE;
	uint32_t uncached = RW | AXVM_MAP_UNCACHED;

	CHECK_EQ(three->make_leaf(axvm_hpa(0x80003000), 2, AXVM_MAP_RWX), 0x800037db);
	CHECK_EQ(four->make_leaf(axvm_hpa(0x80200000), 2, AXVM_MAP_RWX), 0x802007d9);
	CHECK_EQ(three->flags(0x800037db), AXVM_MAP_RWX);
	CHECK_EQ(three->make_leaf(axvm_hpa(0), 2, device),
		 plain->make_leaf(axvm_hpa(0), 2, device));
	CHECK_EQ(three->make_leaf(axvm_hpa(0), 2, uncached),
		 plain->make_leaf(axvm_hpa(0), 2, uncached));
	CHECK_EQ(three->input_bits, plain->input_bits);
	CHECK_PTR_EQ(axvm_aarch64_stage2_format(49, true), NULL);
}

TEST(rights_are_s2ap_and_xn)
{
	const struct axvm_pte_format *format = three_levels();

	CHECK_EQ(format->make_leaf(axvm_hpa(0), 2, AXVM_MAP_READ), 0x4000000000077f);
	CHECK_EQ(format->make_leaf(axvm_hpa(0), 2, RW), 0x400000000007ff);
	CHECK_EQ(format->make_leaf(axvm_hpa(0), 2, AXVM_MAP_READ | AXVM_MAP_EXECUTE), 0x77f);
	CHECK_EQ(format->flags(0x4000000000077f), AXVM_MAP_READ);
	CHECK_EQ(format->flags(0x400000000007ff), RW);
	CHECK_EQ(format->flags(0x7ff), AXVM_MAP_RWX);
}

TEST(memory_types_are_device_ngnre_and_normal_non_cacheable)
{
	const struct axvm_pte_format *format = three_levels();

	/* MemAttr 0b0001, SH 0b00, never executable. */
	CHECK_EQ(format->make_leaf(axvm_hpa(0x9000000), 2, RW | AXVM_MAP_DEVICE), 0x400000090004c7);
	/* MemAttr 0b0101, SH 0b11. */
	CHECK_EQ(format->make_leaf(axvm_hpa(0x9000000), 2, RW | AXVM_MAP_UNCACHED),
		 0x400000090007d7);
	CHECK_EQ(format->flags(0x400000090004c7), RW | AXVM_MAP_DEVICE);
	CHECK_EQ(format->flags(0x400000090007d7), RW | AXVM_MAP_UNCACHED);
}

TEST(bit_0_alone_says_whether_an_entry_is_valid)
{
	CHECK(three_levels()->is_present(1));
	CHECK(!three_levels()->is_present(0));
	CHECK(!three_levels()->is_present(~(uint64_t)1));
}

struct expected {
	uint32_t asked_bits;
	uint32_t bits;
	uint32_t levels;
	uint32_t root_pages;
	uint32_t pa_range;
	uint64_t vtcr;
};

TEST(each_width_has_its_format_and_vtcr)
{
	/* RES1 | PS | SH0 inner | ORGN0 and IRGN0 write-back | SL0 | T0SZ */
	static const struct expected cases[] = {
		{ 1, 32, 3, 1, 0, 0x80003560 },	 { 32, 32, 3, 1, 0, 0x80003560 },
		{ 33, 36, 3, 1, 1, 0x8001355c }, { 39, 39, 3, 1, 2, 0x80023559 },
		{ 40, 40, 3, 2, 2, 0x80023558 }, { 41, 41, 3, 4, 3, 0x80033557 },
		{ 42, 42, 3, 8, 3, 0x80033556 }, { 43, 43, 3, 16, 4, 0x80043555 },
		{ 44, 44, 4, 1, 4, 0x80043594 }, { 45, 48, 4, 1, 5, 0x80053590 },
		{ 48, 48, 4, 1, 6, 0x80053590 },
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct axvm_pte_format *format =
			axvm_aarch64_stage2_format(cases[i].asked_bits, false);

		REQUIRE(format != NULL);
		CHECK_EQ(format->input_bits, cases[i].bits);
		CHECK_EQ(format->levels, cases[i].levels);
		CHECK_EQ(format->root_pages, cases[i].root_pages);
		CHECK_EQ(format->root_align_pages, cases[i].root_pages);
		CHECK(format->break_before_make);
		CHECK_EQ(axvm_aarch64_vtcr(format, cases[i].pa_range), cases[i].vtcr);
	}
	CHECK_PTR_EQ(axvm_aarch64_stage2_format(49, false), NULL);
	CHECK_PTR_EQ(axvm_aarch64_stage2_format(UINT32_MAX, false), NULL);
	CHECK_EQ(AXVM_AARCH64_VTCR_VS, 0x80000);
}

TEST(pa_range_is_decoded_and_what_is_unknown_is_refused)
{
	static const uint32_t bits[] = { 32, 36, 40, 42, 44, 48, 48, 48, 0, 0 };

	for (uint32_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		CHECK_EQ(axvm_aarch64_pa_bits(i), bits[i]);
	CHECK_EQ(axvm_aarch64_pa_bits(UINT32_MAX), 0);
}

AXTEST_MAIN(a_table_descriptor_is_its_address_and_0b11, pages_and_blocks_differ_in_bit_1,
	    forced_write_back_changes_normal_memory_alone, rights_are_s2ap_and_xn,
	    memory_types_are_device_ngnre_and_normal_non_cacheable,
	    bit_0_alone_says_whether_an_entry_is_valid, each_width_has_its_format_and_vtcr,
	    pa_range_is_decoded_and_what_is_unknown_is_refused)
