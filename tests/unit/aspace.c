// SPDX-License-Identifier: Apache-2.0
/* The address space over every format of the ISA and some of no CPU, with the MMU model watching. */
#include "support/aspace_rig.h"

/* ---- mapping ------------------------------------------------------------------------------------ */

static void check_blocks(const struct axvm_pte_format *format)
{
	start(format);
	/* 4 KiB, then 2 MiB, up to 1 GiB + 2 MiB + 4 KiB beyond 2 GiB. */
	CHECK_EQ(map(GIB - MIB2 - KIB4, 2 * GIB - MIB2 - KIB4, GIB + 2 * MIB2 + 2 * KIB4,
		     AXVM_MAP_RWX),
		 0);
	CHECK_EQ(query(GIB - MIB2 - KIB4).block_bytes, KIB4);
	CHECK_EQ(query(GIB - MIB2).block_bytes, largest_block(format, MIB2));
	CHECK_EQ(query(GIB).block_bytes, largest_block(format, GIB));
	CHECK_EQ(query(GIB + 0x12345678).hpa.addr, 2 * GIB + 0x12345678);
	CHECK_EQ(query(2 * GIB).block_bytes, largest_block(format, MIB2));
	CHECK_EQ(query(2 * GIB + MIB2).block_bytes, KIB4);
	CHECK_EQ(query(2 * GIB + MIB2 + 1).hpa.addr, 3 * GIB + MIB2 + 1);
	CHECK(!is_mapped(2 * GIB + MIB2 + KIB4));
	CHECK(!is_mapped(GIB - MIB2 - KIB4 - 1));
	end();
}

TEST(the_largest_blocks_are_used)
{
	for_each_format(check_blocks);
}

static void check_misaligned_pair(const struct axvm_pte_format *format)
{
	start(format);
	CHECK_EQ(map(GIB, GIB + KIB4, 2 * MIB2, AXVM_MAP_RWX), 0);
	CHECK_EQ(query(GIB).block_bytes, KIB4);
	CHECK_EQ(query(GIB + MIB2 + 5).hpa.addr, GIB + KIB4 + MIB2 + 5);
	CHECK_EQ(query(GIB + 2 * MIB2 - KIB4).hpa.addr, GIB + 2 * MIB2);
	end();
}

TEST(addresses_that_differ_in_alignment_are_mapped_by_pages)
{
	for_each_format(check_misaligned_pair);
}

static void check_flags(const struct axvm_pte_format *format)
{
	static const struct {
		uint32_t asked;
		uint32_t got;
	} cases[] = {
		{ AXVM_MAP_READ, AXVM_MAP_READ },
		{ AXVM_MAP_WRITE, RW },
		{ AXVM_MAP_EXECUTE, AXVM_MAP_READ | AXVM_MAP_EXECUTE },
		{ AXVM_MAP_RWX | AXVM_MAP_USER, AXVM_MAP_RWX },
		{ RW | AXVM_MAP_UNCACHED, RW | AXVM_MAP_UNCACHED },
		{ AXVM_MAP_RWX | AXVM_MAP_DEVICE, RW | AXVM_MAP_DEVICE },
		{ AXVM_MAP_FLAGS_ALL, RW | AXVM_MAP_DEVICE },
	};

	start(format);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t gpa = i * 2 * MIB2;

		CHECK_EQ(map(gpa, GIB, MIB2 + KIB4, cases[i].asked), 0);
		CHECK_EQ(query(gpa).flags, cases[i].got);
		CHECK_EQ(query(gpa + MIB2).flags, cases[i].got);
		CHECK_EQ(query(gpa + MIB2).hpa.addr, GIB + MIB2);
	}
	end();
}

TEST(flags_come_back_as_they_took_effect)
{
	for_each_format(check_flags);
}

static void check_map_refusals(const struct axvm_pte_format *format)
{
	uint64_t limit = (uint64_t)1 << format->input_bits;
	uint64_t hpa_limit = (uint64_t)1 << format->output_bits;

	start(format);
	CHECK_EQ(map(0x40000000, GIB, 3 * KIB4, RW), 0);

	uint64_t tables = as.table_pages;
	uint64_t flushes = axvm_sim_flush_count();

	CHECK_EQ(map(1, GIB, KIB4, RW), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB + 1, KIB4, RW), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, KIB4 + 1, RW), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, 0, RW), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, KIB4, 0), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, KIB4, AXVM_MAP_DEVICE), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, KIB4, RW | 0x40), AXVM_EINVAL);
	CHECK_EQ(map(0, GIB, KIB4, RW | 0x80000000u), AXVM_EINVAL);
	CHECK_EQ(map(UINT64_MAX, GIB, KIB4, RW), AXVM_EINVAL);
	CHECK_EQ(map(limit, GIB, KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(limit - KIB4, GIB, 2 * KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(UINT64_MAX - KIB4 + 1, GIB, KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(UINT64_MAX - KIB4 + 1, GIB, 2 * KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(0, GIB, UINT64_MAX - KIB4 + 1, RW), AXVM_ERANGE);
	CHECK_EQ(map(KIB4, GIB, UINT64_MAX - KIB4 + 1, RW), AXVM_ERANGE);
	CHECK_EQ(map(0, hpa_limit, KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(0, hpa_limit - KIB4, 2 * KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(0, UINT64_MAX - KIB4 + 1, 2 * KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(map(0x40000000 - KIB4, GIB, 2 * KIB4, RW), AXVM_EEXIST);
	CHECK_EQ(map(0x40000000 + 2 * KIB4, GIB, 2 * KIB4, RW), AXVM_EEXIST);
	CHECK_EQ(map(0, 0, 2 * GIB, RW), AXVM_EEXIST);

	CHECK_EQ(as.table_pages, tables);
	CHECK_EQ(axvm_sim_flush_count(), flushes);
	CHECK(!is_mapped(0x40000000 - KIB4) && !is_mapped(0) && !is_mapped(0x40003000));
	CHECK_EQ(query(0x40001000).hpa.addr, GIB + KIB4);
	end();
}

TEST(a_refused_mapping_changes_nothing)
{
	for_each_format(check_map_refusals);
}

static void check_far_end(const struct axvm_pte_format *format)
{
	uint64_t limit = (uint64_t)1 << format->input_bits;
	uint64_t hpa_limit = (uint64_t)1 << format->output_bits;

	start(format);
	CHECK_EQ(map(limit - KIB4, hpa_limit - KIB4, KIB4, RW), 0);
	CHECK_EQ(map(0, 0, KIB4, RW), 0);
	CHECK_EQ(query(limit - 1).hpa.addr, hpa_limit - 1);
	CHECK_EQ(query(KIB4 - 1).hpa.addr, KIB4 - 1);
	CHECK(!is_mapped(limit));
	CHECK(!is_mapped(limit + KIB4));
	CHECK(!is_mapped(UINT64_MAX));
	CHECK_EQ(protect(limit - KIB4, KIB4, AXVM_MAP_READ), 0);
	CHECK_EQ(query(limit - 1).flags, AXVM_MAP_READ);
	CHECK_EQ(unmap(limit - KIB4, KIB4), 0);
	CHECK(!is_mapped(limit - 1));
	CHECK_EQ(map(limit - GIB, 2 * GIB, GIB, RW), 0);
	CHECK_EQ(unmap(limit - MIB2, MIB2), 0);
	CHECK_EQ(query(limit - MIB2 - 1).hpa.addr, 3 * GIB - MIB2 - 1);
	CHECK_EQ(unmap(0, limit), 0);
	CHECK_EQ(as.table_pages, format->root_pages);
	end();
}

TEST(the_last_addresses_work_and_those_beyond_do_not)
{
	for_each_format(check_far_end);
}

/* ---- unmapping -------------------------------------------------------------------------------- */

static void check_hole(const struct axvm_pte_format *format)
{
	uint64_t hole = GIB + 5 * MIB2 + 3 * KIB4;

	start(format);
	CHECK_EQ(map(GIB, 2 * GIB, GIB, AXVM_MAP_RWX), 0);

	uint64_t tables = as.table_pages;

	CHECK_EQ(unmap(hole, KIB4), 0);
	CHECK(is_mapped(hole - 1) && !is_mapped(hole) && !is_mapped(hole + KIB4 - 1));
	CHECK_EQ(query(hole + KIB4).hpa.addr, hole + KIB4 + GIB);
	CHECK_EQ(query(hole - 1).hpa.addr, hole - 1 + GIB);
	CHECK_EQ(query(GIB).block_bytes, largest_block(format, MIB2));
	CHECK_EQ(query(2 * GIB - 1).hpa.addr, 3 * GIB - 1);
	CHECK_EQ(map(hole, hole + GIB, KIB4, AXVM_MAP_RWX), 0);
	CHECK_EQ(query(hole).block_bytes, largest_block(format, GIB));
	CHECK_EQ(query(hole).hpa.addr, hole + GIB);
	CHECK_EQ(as.table_pages, tables);
	end();
}

TEST(a_hole_splits_blocks_and_filling_it_merges_them)
{
	for_each_format(check_hole);
}

static void check_no_merge(const struct axvm_pte_format *format)
{
	start(format);
	CHECK_EQ(map(GIB, GIB, MIB2 - KIB4, RW), 0);
	CHECK_EQ(map(GIB + MIB2 - KIB4, GIB + MIB2, KIB4, RW), 0);
	CHECK_EQ(query(GIB).block_bytes, KIB4);
	CHECK_EQ(map(GIB + MIB2, GIB, MIB2 - KIB4, RW), 0);
	CHECK_EQ(map(GIB + 2 * MIB2 - KIB4, GIB + MIB2 - KIB4, KIB4, AXVM_MAP_READ), 0);
	CHECK_EQ(query(GIB + MIB2).block_bytes, KIB4);
	CHECK_EQ(map(GIB + 2 * MIB2, GIB + KIB4, MIB2, RW), 0);
	CHECK_EQ(query(GIB + 2 * MIB2).block_bytes, KIB4);
	end();
}

TEST(what_differs_in_address_rights_or_alignment_is_not_merged)
{
	for_each_format(check_no_merge);
}

static void check_unmap_ranges(const struct axvm_pte_format *format)
{
	start(format);
	/* Islands with holes; the range begins and ends inside of blocks, in different tables. */
	CHECK_EQ(map(GIB, GIB, 2 * MIB2, RW), 0);
	CHECK_EQ(map(GIB + 3 * MIB2, GIB, 7 * KIB4, RW), 0);
	CHECK_EQ(map(2 * GIB, 2 * GIB, 3 * MIB2, RW), 0);
	CHECK_EQ(unmap(GIB + KIB4, GIB + MIB2), 0);
	CHECK(is_mapped(GIB) && !is_mapped(GIB + KIB4) && !is_mapped(GIB + MIB2));
	CHECK(!is_mapped(GIB + 3 * MIB2) && !is_mapped(2 * GIB + MIB2));
	CHECK(is_mapped(2 * GIB + MIB2 + KIB4));
	CHECK_EQ(query(2 * GIB + 2 * MIB2).block_bytes, largest_block(format, MIB2));
	CHECK_EQ(unmap(GIB, GIB), 0);
	CHECK_EQ(unmap(GIB, GIB), 0);
	CHECK_EQ(unmap(GIB + MIB2 + KIB4, 2 * GIB), 0);
	CHECK_EQ(as.table_pages, format->root_pages);
	end();
}

TEST(unmapping_passes_over_holes_and_frees_empty_tables)
{
	for_each_format(check_unmap_ranges);
}

static void check_unmap_refusals(const struct axvm_pte_format *format)
{
	uint64_t limit = (uint64_t)1 << format->input_bits;

	start(format);
	CHECK_EQ(map(0, GIB, KIB4, RW), 0);
	CHECK_EQ(unmap(1, KIB4), AXVM_EINVAL);
	CHECK_EQ(unmap(0, 0), AXVM_EINVAL);
	CHECK_EQ(unmap(0, 100), AXVM_EINVAL);
	CHECK_EQ(unmap(0, limit + KIB4), AXVM_ERANGE);
	CHECK_EQ(unmap(KIB4, limit), AXVM_ERANGE);
	CHECK_EQ(unmap(UINT64_MAX - KIB4 + 1, KIB4), AXVM_ERANGE);
	CHECK_EQ(unmap(KIB4, UINT64_MAX - KIB4 + 1), AXVM_ERANGE);
	CHECK_EQ(protect(1, KIB4, RW), AXVM_EINVAL);
	CHECK_EQ(protect(0, KIB4, 0), AXVM_EINVAL);
	CHECK_EQ(protect(0, KIB4, 0x100 | RW), AXVM_EINVAL);
	CHECK_EQ(protect(limit, KIB4, RW), AXVM_ERANGE);
	CHECK_EQ(protect(0, UINT64_MAX - KIB4 + 1, RW), AXVM_ERANGE);
	CHECK_EQ(query(0).flags, RW);
	end();
}

TEST(bad_ranges_are_refused_by_unmap_and_protect)
{
	for_each_format(check_unmap_refusals);
}

/* ---- protecting ------------------------------------------------------------------------------- */

static void check_protect(const struct axvm_pte_format *format)
{
	start(format);
	CHECK_EQ(map(GIB, GIB, GIB, AXVM_MAP_RWX), 0);

	uint64_t tables = as.table_pages;

	CHECK_EQ(protect(GIB + 3 * KIB4, MIB2, AXVM_MAP_READ), 0);
	CHECK_EQ(query(GIB + 2 * KIB4).flags, AXVM_MAP_RWX);
	CHECK_EQ(query(GIB + 3 * KIB4).flags, AXVM_MAP_READ);
	CHECK_EQ(query(GIB + MIB2 + 2 * KIB4).flags, AXVM_MAP_READ);
	CHECK_EQ(query(GIB + MIB2 + 3 * KIB4).flags, AXVM_MAP_RWX);
	CHECK_EQ(query(GIB + MIB2 + 3 * KIB4).hpa.addr, GIB + MIB2 + 3 * KIB4);
	/* Another memory type, over blocks and pages. */
	CHECK_EQ(protect(GIB + KIB4, 4 * MIB2, RW | AXVM_MAP_DEVICE), 0);
	CHECK_EQ(query(GIB + 3 * MIB2).flags, RW | AXVM_MAP_DEVICE);
	CHECK_EQ(query(GIB + 3 * MIB2).hpa.addr, GIB + 3 * MIB2);
	CHECK_EQ(query(GIB + 4 * MIB2 + KIB4).flags, AXVM_MAP_RWX);
	CHECK_EQ(protect(GIB, GIB, AXVM_MAP_RWX), 0);
	CHECK_EQ(query(GIB).block_bytes, largest_block(format, GIB));
	CHECK_EQ(as.table_pages, tables);
	/* Nothing to do: nothing is split and nothing invalidated. */
	uint64_t flushes = axvm_sim_flush_count();

	CHECK_EQ(protect(GIB + KIB4, KIB4, AXVM_MAP_RWX), 0);
	CHECK_EQ(as.table_pages, tables);
	CHECK_EQ(axvm_sim_flush_count(), flushes);
	end();
}

TEST(rights_and_types_change_for_exactly_the_range)
{
	for_each_format(check_protect);
}

static void check_protect_hole(const struct axvm_pte_format *format)
{
	start(format);
	CHECK_EQ(map(GIB, GIB, 2 * MIB2, AXVM_MAP_RWX), 0);
	CHECK_EQ(unmap(GIB + MIB2 + KIB4, KIB4), 0);

	uint64_t tables = as.table_pages;
	uint64_t flushes = axvm_sim_flush_count();

	CHECK_EQ(protect(GIB + KIB4, MIB2 + KIB4, AXVM_MAP_READ), AXVM_EFAULT);
	CHECK_EQ(protect(GIB + 2 * MIB2 - KIB4, 2 * KIB4, AXVM_MAP_READ), AXVM_EFAULT);
	CHECK_EQ(query(GIB + KIB4).flags, AXVM_MAP_RWX);
	CHECK_EQ(query(GIB).block_bytes, largest_block(format, MIB2));
	CHECK_EQ(query(GIB + 2 * MIB2 - KIB4).flags, AXVM_MAP_RWX);
	CHECK_EQ(as.table_pages, tables);
	CHECK_EQ(axvm_sim_flush_count(), flushes);
	end();
}

TEST(protecting_a_range_with_a_hole_changes_nothing)
{
	for_each_format(check_protect_hole);
}

/* ---- invalidation ------------------------------------------------------------------------------ */

static void check_flushes(const struct axvm_pte_format *format)
{
	start(format);
	uint64_t expected = format->caches_absent ? 1 : 0;

	CHECK_EQ(map(GIB, GIB, 16 * KIB4, RW), 0);
	CHECK_EQ(axvm_sim_flush_count(), expected);
	CHECK_EQ(unmap(2 * GIB, GIB), 0);
	CHECK_EQ(axvm_sim_flush_count(), expected);

	CHECK_EQ(unmap(GIB + 3 * KIB4, 5 * KIB4), 0);
	REQUIRE_EQ(axvm_sim_flush_count(), expected + 1);
	CHECK_EQ(axvm_sim_flush(expected).gpa, GIB + 3 * KIB4);
	CHECK_EQ(axvm_sim_flush(expected).bytes, 5 * KIB4);
	CHECK_EQ(axvm_sim_flush(expected).vmid, 7);

	/* A range larger than what was there: only what was there. */
	CHECK_EQ(unmap(0, 4 * GIB), 0);
	REQUIRE_EQ(axvm_sim_flush_count(), expected + 2);
	CHECK_EQ(axvm_sim_flush(expected + 1).gpa, GIB);
	CHECK_EQ(axvm_sim_flush(expected + 1).bytes, 16 * KIB4);
	end();
}

TEST(an_operation_invalidates_once_and_only_what_changed)
{
	for_each_format(check_flushes);
}

static void check_large_flush(const struct axvm_pte_format *format)
{
	start(format);
	CHECK_EQ(map(GIB, GIB + KIB4, 2 * MIB2, RW), 0);

	uint64_t flushes = axvm_sim_flush_count();

	CHECK_EQ(protect(GIB, MIB2, AXVM_MAP_READ), 0);
	REQUIRE_EQ(axvm_sim_flush_count(), flushes + 1);
	CHECK_EQ(axvm_sim_flush(flushes).bytes, MIB2);
	CHECK_EQ(unmap(GIB, 2 * MIB2), 0);
	REQUIRE_EQ(axvm_sim_flush_count(), flushes + 2);
	CHECK_EQ(axvm_sim_flush(flushes + 1).bytes, 0);
	end();
}

TEST(a_large_range_is_invalidated_with_its_vmid)
{
	for_each_format(check_large_flush);
}

/* ---- exhaustion -------------------------------------------------------------------------------- */

struct snapshot {
	uint64_t table_pages;
	uint64_t used_pages;
	uint64_t flushes;
	struct axvm_mapping mappings[8];
};

static const uint64_t watched[8] = {
	GIB - KIB4,	GIB,	 GIB + MIB2, GIB + 5 * MIB2 + 2 * KIB4, GIB + 6 * MIB2 + KIB4,
	2 * GIB - KIB4, 2 * GIB, 3 * GIB,
};

static struct snapshot take_snapshot(void)
{
	struct snapshot now;

	memset(&now, 0, sizeof(now));
	now.table_pages = as.table_pages;
	now.used_pages = budget.used_pages;
	now.flushes = axvm_sim_flush_count();
	for (uint32_t i = 0; i < 8; i++) {
		struct axvm_mapping mapping = query(watched[i]);

		now.mappings[i].hpa = mapping.hpa;
		now.mappings[i].block_bytes = mapping.block_bytes;
		now.mappings[i].flags = mapping.flags;
	}
	return now;
}

enum operation { MAP, UNMAP, PROTECT };

static int operate(enum operation operation)
{
	uint64_t gpa = GIB + 5 * MIB2 + KIB4;

	switch (operation) {
	case MAP: /* pages, blocks and pages again, in two new tables of each level */
		return map(3 * GIB - MIB2 - KIB4, 3 * GIB - MIB2 - KIB4, 2 * MIB2 + 2 * KIB4, RW);
	case UNMAP:
		return unmap(gpa, MIB2 + KIB4);
	default:
		return protect(gpa, MIB2 + KIB4, AXVM_MAP_READ | AXVM_MAP_UNCACHED);
	}
}

static void fail_each(const struct axvm_pte_format *format, enum operation operation, bool budgeted)
{
	uint64_t refusals = 0;
	int error = AXVM_ENOMEM;

	start(format);
	CHECK_EQ(map(GIB, GIB, GIB, AXVM_MAP_RWX), 0);

	struct snapshot before = take_snapshot();

	for (uint64_t n = 0; error != 0 && n < 20; n++) {
		if (budgeted)
			budget.limit_pages = before.used_pages + n;
		else
			axvm_sim_fail_allocation_after(n);
		error = operate(operation);
		if (error == 0)
			break;
		refusals++;
		CHECK_EQ(error, AXVM_ENOMEM);

		struct snapshot after = take_snapshot();

		CHECK_EQ(memcmp(&before, &after, sizeof(before)), 0);
		CHECK_EQ(axvm_sim_used_pages(), as.table_pages);
	}
	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
	CHECK_EQ(error, 0);
	CHECK_EQ(refusals, as.table_pages - before.table_pages);
	if (axvm_level_has_leaf(format, format->levels - 2) || operation == MAP)
		CHECK(refusals > 0);
	end();
}

static void check_exhaustion(const struct axvm_pte_format *format)
{
	for (enum operation operation = MAP; operation <= PROTECT; operation++) {
		fail_each(format, operation, false);
		mmu_model_start(operation);
		fail_each(format, operation, true);
		mmu_model_start(operation);
	}
}

TEST(no_memory_for_any_table_changes_nothing)
{
	for_each_format(check_exhaustion);
}

static void check_init_exhaustion(const struct axvm_pte_format *format)
{
	budget.limit_pages = format->root_pages - 1;
	atomic_store(&budget.used_pages, 0);
	CHECK_EQ(axvm_aspace_init(&as, format, 7, &budget), AXVM_ENOMEM);
	CHECK_EQ(budget.used_pages, 0);
	budget.limit_pages = format->root_pages;
	axvm_sim_fail_allocation_after(0);
	CHECK_EQ(axvm_aspace_init(&as, format, 7, &budget), AXVM_ENOMEM);
	CHECK_EQ(budget.used_pages, 0);
	CHECK_EQ(axvm_aspace_init(&as, format, 7, &budget), 0);
	CHECK_EQ(as.root.addr % (format->root_align_pages * KIB4), 0);
	CHECK_EQ(budget.used_pages, format->root_pages);
	CHECK_EQ(map(0, 0, KIB4, RW), AXVM_ENOMEM);
	end();
	/* Once more is harmless. */
	axvm_aspace_fini(&as);
	CHECK_EQ(budget.used_pages, 0);
}

TEST(init_takes_its_root_or_nothing)
{
	for_each_format(check_init_exhaustion);
}

static void check_fini(const struct axvm_pte_format *format)
{
	uint64_t limit = (uint64_t)1 << format->input_bits;

	start(format);
	CHECK_EQ(map(0, KIB4, 4 * MIB2, RW), 0);
	CHECK_EQ(map(3 * GIB + KIB4, GIB, KIB4, RW), 0);
	CHECK_EQ(map(limit - MIB2, 0, MIB2, RW), 0);

	uint64_t flushes = axvm_sim_flush_count();

	end();
	REQUIRE_EQ(axvm_sim_flush_count(), flushes + 1);
	CHECK_EQ(axvm_sim_flush(flushes).bytes, 0);
}

TEST(fini_gives_back_every_page_after_invalidating_the_vmid)
{
	for_each_format(check_fini);
}

TEST(a_format_that_contradicts_itself_is_refused)
{
	struct axvm_pte_format format = *axvm_arch_pte_formats[0];

	axvm_sim_reset(NULL);
	budget.limit_pages = PAGES_LIMIT;
	atomic_store(&budget.used_pages, 0);
	format.block_levels = 1;
	CHECK_EQ(axvm_aspace_init(&as, &format, 1, &budget), AXVM_EINVAL);
	format = *axvm_arch_pte_formats[0];
	format.levels = 6;
	CHECK_EQ(axvm_aspace_init(&as, &format, 1, &budget), AXVM_EINVAL);
	format = *axvm_arch_pte_formats[0];
	format.input_bits = 60;
	CHECK_EQ(axvm_aspace_init(&as, &format, 1, &budget), AXVM_EINVAL);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(budget.used_pages, 0);
}

AXTEST_MAIN(the_largest_blocks_are_used, addresses_that_differ_in_alignment_are_mapped_by_pages,
	    flags_come_back_as_they_took_effect, a_refused_mapping_changes_nothing,
	    the_last_addresses_work_and_those_beyond_do_not,
	    a_hole_splits_blocks_and_filling_it_merges_them,
	    what_differs_in_address_rights_or_alignment_is_not_merged,
	    unmapping_passes_over_holes_and_frees_empty_tables,
	    bad_ranges_are_refused_by_unmap_and_protect,
	    rights_and_types_change_for_exactly_the_range,
	    protecting_a_range_with_a_hole_changes_nothing,
	    an_operation_invalidates_once_and_only_what_changed,
	    a_large_range_is_invalidated_with_its_vmid, no_memory_for_any_table_changes_nothing,
	    init_takes_its_root_or_nothing, fini_gives_back_every_page_after_invalidating_the_vmid,
	    a_format_that_contradicts_itself_is_refused)
