/* SPDX-License-Identifier: Apache-2.0 */
/* One address space under test, with the MMU model watching each change. */
#ifndef AXVM_TEST_ASPACE_RIG_H
#define AXVM_TEST_ASPACE_RIG_H

#include <axvm/aspace.h>

#include <string.h>

#include "axtest.h"
#include "mmu_model.h"
#include "pagetable.h"
#include "sim.h"

#define KIB4 ((uint64_t)1 << 12)
#define MIB2 ((uint64_t)1 << 21)
#define GIB ((uint64_t)1 << 30)
#define RW (AXVM_MAP_READ | AXVM_MAP_WRITE)
#define PAGES_LIMIT 100000u

static struct axvm_budget budget;
static struct axvm_aspace as;

static inline void start(const struct axvm_pte_format *format)
{
	atomic_store(&budget.used_pages, 0);
	budget.limit_pages = PAGES_LIMIT;
	CHECK_EQ(axvm_aspace_init(&as, format, 7, &budget), 0);
}

static inline void end(void)
{
	CHECK(mmu_model_settled(&as));
	CHECK_EQ(budget.used_pages, as.table_pages);
	CHECK_EQ(axvm_sim_used_pages(), as.table_pages);
	axvm_aspace_fini(&as);
	CHECK_EQ(budget.used_pages, 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

static inline int map(uint64_t gpa, uint64_t hpa, uint64_t bytes, uint32_t flags)
{
	int error = axvm_aspace_map(&as, axvm_gpa(gpa), axvm_hpa(hpa), bytes, flags);

	CHECK(mmu_model_settled(&as));
	return error;
}

static inline int unmap(uint64_t gpa, uint64_t bytes)
{
	int error = axvm_aspace_unmap(&as, axvm_gpa(gpa), bytes);

	CHECK(mmu_model_settled(&as));
	return error;
}

static inline int protect(uint64_t gpa, uint64_t bytes, uint32_t flags)
{
	int error = axvm_aspace_protect(&as, axvm_gpa(gpa), bytes, flags);

	CHECK(mmu_model_settled(&as));
	return error;
}

static inline struct axvm_mapping query(uint64_t gpa)
{
	struct axvm_mapping mapping = { .hpa = { UINT64_MAX } };
	int error = axvm_aspace_query(&as, axvm_gpa(gpa), &mapping);

	CHECK(error == 0 || (error == AXVM_EFAULT && mapping.hpa.addr == UINT64_MAX));
	return mapping;
}

static inline bool is_mapped(uint64_t gpa)
{
	return axvm_aspace_query(&as, axvm_gpa(gpa), NULL) == 0;
}

static inline uint64_t largest_block(const struct axvm_pte_format *format, uint64_t at_most)
{
	for (uint32_t level = 0; level < format->levels; level++) {
		if (axvm_level_has_leaf(format, level) &&
		    axvm_level_bytes(format, level) <= at_most)
			return axvm_level_bytes(format, level);
	}
	return 0;
}

#endif
