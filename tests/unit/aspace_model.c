// SPDX-License-Identifier: Apache-2.0
/*
 * Random operations on an address space against a flat array, one element per guest page. After
 * each step every page of the window is looked up, and the MMU model must not remember anything
 * that is no longer true. A failure prints the seed and the step, which repeat it.
 */
#include <axvm/aspace.h>

#include <stdlib.h>
#include <string.h>

#include "axtest.h"
#include "mmu_model.h"
#include "pagetable.h"
#include "sim.h"

#define PAGE ((uint64_t)1 << 12)
#define ABSENT UINT64_MAX

struct page {
	uint64_t hpa; /* ABSENT, or of the page */
	uint32_t flags;
};

struct window {
	uint64_t base;
	uint64_t hpa; /* of most of what is mapped at base */
	uint64_t pages;
	uint64_t align_pages; /* of most ranges' ends */
	uint32_t steps;
	uint32_t no_memory_every; /* steps in which an allocation fails; 0: none */
};

static struct page *model;
static struct window window;
static struct axvm_budget budget;
static struct axvm_aspace as;
static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t limit)
{
	return next_random() % limit;
}

/* ---- the array ------------------------------------------------------------------------------- */

struct range {
	uint64_t first; /* index of the first page */
	uint64_t pages;
};

/* Mostly with round ends, sometimes one page, sometimes all. */
static struct range choose_range(void)
{
	uint64_t unit = below(4) == 0 ? 1 : window.align_pages;
	uint64_t units = window.pages / unit;
	uint64_t first = below(units);
	uint64_t count = below(8) == 0 ? units - first : 1 + below((units - first + 3) / 4);
	struct range range = { first * unit, count * unit };

	if (below(6) == 0 && range.pages > 2) {
		range.first++;
		range.pages -= 2;
	}
	return range;
}

static uint32_t choose_flags(void)
{
	static const uint32_t choices[] = {
		AXVM_MAP_RWX,
		AXVM_MAP_RWX,
		AXVM_MAP_RWX,
		AXVM_MAP_READ,
		AXVM_MAP_READ | AXVM_MAP_WRITE,
		AXVM_MAP_READ | AXVM_MAP_EXECUTE,
		AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE,
		AXVM_MAP_RWX | AXVM_MAP_UNCACHED,
	};

	return choices[below(sizeof(choices) / sizeof(choices[0]))];
}

static uint64_t count_mapped(struct range range)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < range.pages; i++)
		count += model[range.first + i].hpa != ABSENT;
	return count;
}

static struct axvm_gpa gpa_of(uint64_t index)
{
	return axvm_gpa(window.base + index * PAGE);
}

/* ---- steps ------------------------------------------------------------------------------------ */

static bool is_refused_for_memory(int error)
{
	return error == AXVM_ENOMEM && axvm_sim_has_failed_allocation();
}

/* Mostly where an earlier mapping would continue, so that blocks come together again. */
static void step_map(struct range range)
{
	uint64_t offset = below(5) == 0 ? below(4) * PAGE : 0;
	uint32_t flags = choose_flags();
	struct axvm_hpa hpa = axvm_hpa(window.hpa + range.first * PAGE + offset);
	bool is_free = count_mapped(range) == 0;
	int error = axvm_aspace_map(&as, gpa_of(range.first), hpa, range.pages * PAGE, flags);

	if (is_refused_for_memory(error))
		return;
	CHECK_EQ(error, is_free ? 0 : AXVM_EEXIST);
	for (uint64_t i = 0; is_free && i < range.pages; i++)
		model[range.first + i] = (struct page){ hpa.addr + i * PAGE, flags };
}

/* A map that begins in the first hole, so that full windows are filled again. */
static void step_fill(struct range range)
{
	uint64_t first = 0;
	uint64_t pages = 0;

	while (first < window.pages && model[first].hpa != ABSENT)
		first++;
	while (first + pages < window.pages && pages < range.pages &&
	       model[first + pages].hpa == ABSENT)
		pages++;
	if (pages > 0)
		step_map((struct range){ first, pages });
}

static void step_unmap(struct range range)
{
	int error = axvm_aspace_unmap(&as, gpa_of(range.first), range.pages * PAGE);

	if (is_refused_for_memory(error))
		return;
	CHECK_EQ(error, 0);
	for (uint64_t i = 0; i < range.pages; i++)
		model[range.first + i].hpa = ABSENT;
}

static void step_protect(struct range range)
{
	uint32_t flags = choose_flags();
	bool is_whole = count_mapped(range) == range.pages;
	int error = axvm_aspace_protect(&as, gpa_of(range.first), range.pages * PAGE, flags);

	if (is_refused_for_memory(error))
		return;
	CHECK_EQ(error, is_whole ? 0 : AXVM_EFAULT);
	for (uint64_t i = 0; is_whole && i < range.pages; i++)
		model[range.first + i].flags = flags;
}

static void step(uint32_t number)
{
	struct range range = choose_range();
	uint64_t kind = below(10);

	if (window.no_memory_every != 0 && number % window.no_memory_every == 0)
		axvm_sim_fail_allocation_after(below(3));
	for (uint32_t i = 0; i < 8; i++)
		mmu_model_touch(&as, gpa_of(below(window.pages)).addr);
	if (kind < 2)
		step_map(range);
	else if (kind < 5)
		step_fill(range);
	else if (kind < 7)
		step_unmap(range);
	else
		step_protect(range);
	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
}

/* ---- comparison -------------------------------------------------------------------------------- */

/* Compares the pages of one look-up; returns how many, 0 at a difference. */
static uint64_t compare_at(uint64_t index)
{
	struct axvm_mapping found;

	if (axvm_aspace_query(&as, gpa_of(index), &found) != 0)
		return model[index].hpa == ABSENT ? 1 : 0;

	uint64_t block_pages = found.block_bytes / PAGE;
	uint64_t pages = block_pages - gpa_of(index).addr / PAGE % block_pages;

	for (uint64_t i = 0; i < pages; i++) {
		if (index + i >= window.pages ||
		    model[index + i].hpa != found.hpa.addr + i * PAGE ||
		    model[index + i].flags != found.flags)
			return 0;
	}
	return pages;
}

static bool agrees(void)
{
	uint64_t pages;

	for (uint64_t index = 0; index < window.pages; index += pages) {
		pages = compare_at(index);
		if (pages == 0) {
			axtest_puts("# the model differs at ");
			axtest_put_hex(gpa_of(index).addr);
			axtest_puts("\n");
			return false;
		}
	}
	return budget.used_pages == as.table_pages && axvm_sim_used_pages() == as.table_pages &&
	       axvm_sim_mapped_bytes() == 0 && mmu_model_settled(&as);
}

static bool run_steps(uint64_t seed)
{
	state = seed;
	for (uint32_t number = 1; number <= window.steps; number++) {
		step(number);
		if (agrees())
			continue;
		axtest_puts("# seed ");
		axtest_put_hex(seed);
		axtest_puts(", step ");
		axtest_put_dec(number);
		axtest_puts("\n");
		return false;
	}
	return true;
}

static void run_window(const struct axvm_pte_format *format, const struct window *with,
		       uint64_t seed)
{
	window = *with;
	/* The window in the middle of the last tables, or at the very end of all addresses. */
	if (seed % 2 == 1)
		window.base = ((uint64_t)1 << format->input_bits) - window.pages * PAGE;
	window.hpa = ((uint64_t)1 << 31) + window.base % ((uint64_t)1 << 30);
	model = malloc(window.pages * sizeof(*model));
	for (uint64_t i = 0; i < window.pages; i++)
		model[i].hpa = ABSENT;
	atomic_store(&budget.used_pages, 0);
	budget.limit_pages = 1u << 20;
	CHECK_EQ(axvm_aspace_init(&as, format, 3, &budget), 0);
	mmu_model_start(seed);
	CHECK(run_steps(seed));
	/* What is left is unmapped: then only the root is. */
	CHECK_EQ(axvm_aspace_unmap(&as, gpa_of(0), window.pages * PAGE), 0);
	CHECK_EQ(as.table_pages, format->root_pages);
	CHECK(mmu_model_settled(&as));
	axvm_aspace_fini(&as);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	free(model);
}

static void check_small(const struct axvm_pte_format *format)
{
	/* Three and a half tables of pages, not aligned to them. */
	static const struct window small = {
		.base = 0x3ff80000,
		.pages = 1792,
		.align_pages = 128,
		.steps = 150,
	};

	for (uint64_t seed = 0x1001; seed < 0x1005; seed++)
		run_window(format, &small, seed);
}

TEST(random_operations_on_pages_agree_with_an_array)
{
	for_each_format(check_small);
}

static void check_out_of_memory(const struct axvm_pte_format *format)
{
	static const struct window small = {
		.base = 0x3ff80000,
		.pages = 1792,
		.align_pages = 128,
		.steps = 150,
		.no_memory_every = 2,
	};

	for (uint64_t seed = 0x2001; seed < 0x2003; seed++)
		run_window(format, &small, seed);
}

TEST(random_failures_of_memory_leave_no_trace)
{
	for_each_format(check_out_of_memory);
}

static void check_large(const struct axvm_pte_format *format)
{
	/* 1 GiB and a half on each side of it. */
	static const struct window large = {
		.base = 0x20000000,
		.pages = 524288,
		.align_pages = 131072,
		.steps = 8,
	};

	/* Only the formats with blocks of 1 GiB: pages are tested above. */
	if (!axvm_level_has_leaf(format, format->levels - 3))
		return;
	run_window(format, &large, 0x3001);
	run_window(format, &large, 0x3002);
}

TEST(random_operations_on_gibibytes_agree_with_an_array)
{
	for_each_format(check_large);
}

AXTEST_MAIN(random_operations_on_pages_agree_with_an_array,
	    random_failures_of_memory_leave_no_trace,
	    random_operations_on_gibibytes_agree_with_an_array)
