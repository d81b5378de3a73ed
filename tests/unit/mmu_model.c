// SPDX-License-Identifier: Apache-2.0
/* The MMU model that watches the tests of the address space sees each kind of mistake. */
#include "mmu_model.h"

#include "axtest.h"
#include "pagetable.h"
#include "sim.h"

#define KIB4 ((uint64_t)1 << 12)
#define MIB2 ((uint64_t)1 << 21)
#define BASE ((uint64_t)1 << 30)

static struct axvm_budget budget = { .limit_pages = 1000 };
static struct axvm_aspace as;
static struct axvm_cursor cursor;

/* synthetic_formats[2] breaks before it makes. Three pages are mapped at BASE, the cursor at the first. */
static void start(void)
{
	axvm_sim_reset(NULL);
	mmu_model_start(1);
	atomic_store(&budget.used_pages, 0);
	CHECK_EQ(axvm_aspace_init(&as, synthetic_formats[2], 1, &budget), 0);
	CHECK_EQ(axvm_aspace_map(&as, axvm_gpa(BASE), axvm_hpa(BASE), 3 * KIB4, AXVM_MAP_RWX), 0);
	CHECK(mmu_model_settled(&as));
	mmu_model_expect_violations();
	axvm_cursor_open(&cursor, &as);
	axvm_cursor_seek(&cursor, BASE, 2);
}

static void end(uint64_t at_least)
{
	CHECK(mmu_model_violations() >= at_least);
	axvm_cursor_close(&cursor);
	axvm_sim_observe((struct axvm_sim_observer){ 0 });
	axvm_aspace_fini(&as);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

static uint64_t leaf(uint64_t hpa, uint32_t flags)
{
	return as.format->make_leaf(axvm_hpa(hpa), 2, flags);
}

TEST(a_right_that_changes_in_place_is_allowed)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_change_store(&change, &cursor, leaf(BASE, AXVM_MAP_READ));
	axvm_change_flush(&change);
	CHECK(mmu_model_settled(&as));
	end(0);
}

TEST(an_address_that_changes_in_place_is_found)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_change_store(&change, &cursor, leaf(BASE + KIB4, AXVM_MAP_RWX));
	end(1);
}

TEST(a_memory_type_that_changes_in_place_is_found)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_change_store(&change, &cursor, leaf(BASE, AXVM_MAP_RWX | AXVM_MAP_UNCACHED));
	end(1);
}

TEST(making_without_an_invalidation_is_found)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_change_break(&change, &cursor);
	axvm_change_store(&change, &cursor, leaf(BASE + KIB4, AXVM_MAP_RWX));
	end(1);
}

TEST(an_invalidation_of_another_range_does_not_count)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_change_break(&change, &cursor);
	axvm_hal_tlb_flush(&as, axvm_gpa(BASE + KIB4), KIB4);
	axvm_change_store(&change, &cursor, leaf(BASE + KIB4, AXVM_MAP_RWX));
	end(1);
}

TEST(an_invalidation_that_is_forgotten_is_found)
{
	struct axvm_change change = { .aspace = &as };

	start();
	mmu_model_touch(&as, BASE);
	axvm_change_store(&change, &cursor, 0);
	/* It was due, and the translation is still cached. */
	CHECK(!mmu_model_settled(&as));
	end(2);
}

TEST(a_table_that_is_freed_too_early_is_found)
{
	struct axvm_change change = { .aspace = &as };

	start();
	axvm_cursor_seek(&cursor, BASE, 2);
	mmu_model_touch(&as, BASE);
	for (uint64_t i = 0; i < 3; i++) {
		axvm_cursor_seek(&cursor, BASE + i * KIB4, 2);
		axvm_change_store(&change, &cursor, 0);
	}
	axvm_change_leave(&change, &cursor, UINT64_MAX);
	CHECK(change.unlinked.count > 0);
	axvm_tables_free(&as, &change.unlinked);
	end(1);
}

AXTEST_MAIN(a_right_that_changes_in_place_is_allowed, an_address_that_changes_in_place_is_found,
	    a_memory_type_that_changes_in_place_is_found, making_without_an_invalidation_is_found,
	    an_invalidation_of_another_range_does_not_count,
	    an_invalidation_that_is_forgotten_is_found, a_table_that_is_freed_too_early_is_found)
