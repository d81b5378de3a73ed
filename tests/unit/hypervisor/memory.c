/* SPDX-License-Identifier: Apache-2.0 */
/* The host's page allocator against an array of bytes, one per page. */
#include "fake_bare.h"

#include "../../../hypervisor/memory.c"

#define MACHINE_PAGES 8192u
#define BLOCKS_MAX 256u

static _Alignas(4096) uint8_t ram[512 * AXVM_PAGE_BYTES]; /* bitmaps only: below page 512 */
static uint8_t model[MACHINE_PAGES];			  /* 1: in use */

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	if (hpa.addr > sizeof(ram) || bytes > sizeof(ram) - hpa.addr)
		axvm_hal_panic(__FILE__, __LINE__, "mapped beyond the test's RAM");
	return &ram[hpa.addr];
}

static struct axvm_hpa page(uint64_t number)
{
	return axvm_hpa(number * AXVM_PAGE_BYTES);
}

static void reset(void)
{
	fake_machine(1);
	memset(zones, 0, sizeof(zones));
	zone_count = 0;
	reserved_count = 0;
	free_pages = total_pages = 0;
	axvm_lock_init(&lock, AXVM_LOCK_LEAF);
	memset(ram, 0xa5, sizeof(ram)); /* RAM is not clear when the machine starts */
	memset(model, 1, sizeof(model));
}

static int add(uint64_t first, uint64_t pages, uint64_t bitmap)
{
	return axvm_memory_add(page(first), pages * AXVM_PAGE_BYTES, page(bitmap));
}

static bool model_free(uint64_t first, uint64_t pages)
{
	return pages <= MACHINE_PAGES && first <= MACHINE_PAGES - pages &&
	       memchr(&model[first], 1, pages) == NULL;
}

static bool model_has(uint64_t from, uint64_t end, uint64_t pages, uint64_t align)
{
	for (uint64_t at = (from + align - 1) / align * align; at + pages <= end; at += align) {
		if (model_free(at, pages))
			return true;
	}
	return false;
}

static uint64_t model_free_pages(void)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < MACHINE_PAGES; i++)
		count += model[i] == 0;
	return count;
}

static struct {
	uint64_t first, pages;
} blocks[BLOCKS_MAX];
static uint32_t block_count;

static void keep(uint64_t first, uint64_t pages)
{
	CHECK(model_free(first, pages));
	memset(&model[first], 1, pages);
	blocks[block_count].first = first;
	blocks[block_count++].pages = pages;
}

static void random_alloc(uint64_t zone_a_end)
{
	uint64_t pages = fake_random(4) != 0 ? 1 + fake_random(3) : 1 + fake_random(300);
	uint64_t align = 1ULL << fake_random(fake_random(2) != 0 ? 1 : 10);
	struct axvm_hpa hpa;
	int error = axvm_hal_alloc_pages(pages, align * AXVM_PAGE_BYTES, &hpa);
	bool possible = model_has(3, zone_a_end, pages, align) ||
			model_has(zone_a_end, MACHINE_PAGES, pages, align);

	CHECK_EQ(error, possible ? 0 : AXVM_ENOMEM);
	if (error == 0) {
		CHECK_EQ(hpa.addr % (align * AXVM_PAGE_BYTES), 0);
		keep(hpa.addr / AXVM_PAGE_BYTES, pages);
	}
}

static void random_claim(uint64_t zone_a_end)
{
	uint64_t first = fake_random(MACHINE_PAGES);
	uint64_t pages = 1 + fake_random(20);
	bool one_zone = first >= zone_a_end || first + pages <= zone_a_end;
	int error = axvm_hal_claim_pages(page(first), pages);

	CHECK_EQ(error, one_zone && model_free(first, pages) ? 0 : AXVM_EBUSY);
	if (error == 0)
		keep(first, pages);
}

/* A part may be given back alone. */
static void random_free(void)
{
	uint32_t at = (uint32_t)fake_random(block_count);
	uint64_t pages = 1 + fake_random(blocks[at].pages);

	axvm_hal_free_pages(page(blocks[at].first), pages);
	memset(&model[blocks[at].first], 0, pages);
	blocks[at].first += pages;
	blocks[at].pages -= pages;
	if (blocks[at].pages == 0)
		blocks[at] = blocks[--block_count];
}

static void random_reserve(void)
{
	uint64_t first = fake_random(MACHINE_PAGES);
	uint64_t pages = fake_random(3);

	axvm_memory_reserve(axvm_hpa(first * AXVM_PAGE_BYTES + fake_random(2)),
			    pages * AXVM_PAGE_BYTES);
}

/* Two zones side by side, neither a multiple of 64 pages, the first not at an aligned page. */
TEST(random_use_agrees_with_an_array)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		uint64_t middle = 200 + seed * 17;
		reset();
		fake_seed = seed;
		block_count = 0;
		REQUIRE_EQ(add(3, middle - 3, 5), 0);
		REQUIRE_EQ(add(middle, MACHINE_PAGES - middle - 7, middle), 0);
		memset(&model[3], 0, MACHINE_PAGES - 10);
		model[5] = 1;
		model[middle] = 1;
		axvm_memory_reserve(axvm_hpa(100 * AXVM_PAGE_BYTES + 1), AXVM_PAGE_BYTES);
		model[100] = model[101] = 1;
		for (uint32_t round = 0; round < 4000; round++) {
			uint64_t what = fake_random(10);
			if (what < 5 && block_count < BLOCKS_MAX)
				random_alloc(middle);
			else if (what < 6 && block_count < BLOCKS_MAX)
				random_claim(middle);
			else if (block_count > 0)
				random_free();
			REQUIRE_EQ(axvm_memory_free_pages(), model_free_pages());
		}
	}
}

TEST(reserved_pages_are_never_given_out)
{
	struct axvm_hpa hpa;

	reset();
	fake_seed = 9;
	REQUIRE_EQ(add(0, 2000, 0), 0);
	for (uint32_t i = 0; i < 50; i++)
		random_reserve();
	uint64_t left = axvm_memory_free_pages();
	axvm_memory_reserve(page(1000), 10 * AXVM_PAGE_BYTES);
	CHECK_EQ(axvm_hal_claim_pages(page(1009), 1), AXVM_EBUSY);
	for (left = axvm_memory_free_pages(); left > 0; left--) {
		REQUIRE_EQ(axvm_hal_alloc_pages(1, AXVM_PAGE_BYTES, &hpa), 0);
		CHECK(hpa.addr < 1000 * AXVM_PAGE_BYTES || hpa.addr >= 1010 * AXVM_PAGE_BYTES);
	}
	CHECK_EQ(axvm_hal_alloc_pages(1, AXVM_PAGE_BYTES, &hpa), AXVM_ENOMEM);
}

TEST(a_reserved_range_that_wraps_goes_to_the_end)
{
	struct axvm_hpa hpa;

	reset();
	REQUIRE_EQ(add(0, 100, 0), 0);
	axvm_memory_reserve(page(10), UINT64_MAX);
	CHECK_EQ(axvm_memory_free_pages(), 9);
	CHECK_EQ(axvm_hal_claim_pages(page(50), 1), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_alloc_pages(10, AXVM_PAGE_BYTES, &hpa), AXVM_ENOMEM);
}

/* The firmware's memory, or the bundle, at the start of a second range of RAM. */
TEST(a_bitmap_does_not_overwrite_what_is_reserved)
{
	reset();
	memset(&ram[100 * AXVM_PAGE_BYTES], 0x77, 20 * AXVM_PAGE_BYTES);
	axvm_memory_reserve(page(110), 10 * AXVM_PAGE_BYTES);
	axvm_memory_reserve(page(100), 10 * AXVM_PAGE_BYTES);
	REQUIRE_EQ(add(100, 100, 100), 0);
	for (uint64_t i = 0; i < 20 * AXVM_PAGE_BYTES; i++)
		REQUIRE(ram[100 * AXVM_PAGE_BYTES + i] == 0x77);
	CHECK_EQ(axvm_memory_free_pages(), 79);
	CHECK_EQ(axvm_hal_claim_pages(page(105), 1), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_claim_pages(page(120), 1), AXVM_EBUSY); /* the bitmap */
	CHECK_EQ(axvm_hal_claim_pages(page(121), 79), 0);
	axvm_memory_reserve(page(300), 50 * AXVM_PAGE_BYTES);
	CHECK_EQ(add(300, 50, 300), AXVM_ERANGE);
}

TEST(ram_that_is_named_twice_is_added_once)
{
	reset();
	REQUIRE_EQ(add(10, 100, 10), 0);
	CHECK_EQ(add(10, 100, 10), AXVM_ERANGE);
	CHECK_EQ(add(109, 50, 109), AXVM_ERANGE);
	CHECK_EQ(add(5, 6, 5), AXVM_ERANGE);
	CHECK_EQ(add(20, 5, 20), AXVM_ERANGE);
	CHECK_EQ(axvm_memory_total_pages(), 100);
	CHECK_EQ(add(110, 50, 110), 0);
	CHECK_EQ(axvm_memory_free_pages(), 148);
}

TEST(ranges_that_cannot_be_are_refused)
{
	reset();
	CHECK_EQ(axvm_memory_add(axvm_hpa(1), 2 * AXVM_PAGE_BYTES - 2, page(0)), AXVM_ERANGE);
	CHECK_EQ(axvm_memory_add(page(4), 0, page(4)), AXVM_ERANGE);
	CHECK_EQ(axvm_memory_add(page(4), UINT64_MAX, page(4)), AXVM_ERANGE);
	CHECK_EQ(add(4, 4, 8), AXVM_ERANGE); /* no room for the bitmap */
	for (uint32_t i = 0; i < ZONES_MAX; i++)
		CHECK_EQ(add(10 * i, 5, 0), 0);
	CHECK_EQ(add(10 * ZONES_MAX, 5, 0), AXVM_ERANGE);
	CHECK(axvm_memory_is_ram(page(14), AXVM_PAGE_BYTES));
	CHECK(!axvm_memory_is_ram(page(15), 5 * AXVM_PAGE_BYTES));
	CHECK(axvm_memory_is_ram(page(15), 5 * AXVM_PAGE_BYTES + 1));
}

TEST(what_cannot_be_freed_panics)
{
	struct axvm_hpa hpa;

	reset();
	REQUIRE_EQ(add(0, 130, 0), 0);
	REQUIRE_EQ(axvm_hal_alloc_pages(4, AXVM_PAGE_BYTES, &hpa), 0);
	axvm_hal_free_pages(hpa, 4);
	CHECK(FAKE_PANICS(axvm_hal_free_pages(hpa, 4)));
	CHECK_STR_EQ(fake_panic_what, "pages freed twice");
	axvm_lock_init(&lock, AXVM_LOCK_LEAF);
	CHECK(FAKE_PANICS(axvm_hal_free_pages(page(130), 1)));
	CHECK_STR_EQ(fake_panic_what, "pages freed that are not RAM");
	axvm_lock_init(&lock, AXVM_LOCK_LEAF);
	CHECK(FAKE_PANICS(axvm_hal_free_pages(page(1), UINT64_MAX)));
	axvm_lock_init(&lock, AXVM_LOCK_LEAF);
	REQUIRE_EQ(axvm_hal_alloc_pages(4, AXVM_PAGE_BYTES, &hpa), 0);
	CHECK(FAKE_PANICS(axvm_hal_free_pages(axvm_hpa(hpa.addr + 1), 1)));
}

TEST(senseless_requests_are_refused)
{
	struct axvm_hpa hpa;

	reset();
	REQUIRE_EQ(add(0, 130, 0), 0);
	CHECK_EQ(axvm_hal_alloc_pages(0, AXVM_PAGE_BYTES, &hpa), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_alloc_pages(1, 0, &hpa), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_alloc_pages(1, 3 * AXVM_PAGE_BYTES, &hpa), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_alloc_pages(UINT64_MAX, AXVM_PAGE_BYTES, &hpa), AXVM_ENOMEM);
	CHECK_EQ(axvm_hal_alloc_pages(1, 1ULL << 63, &hpa), AXVM_ENOMEM);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(4097), 1), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_claim_pages(page(100), UINT64_MAX), AXVM_EBUSY);
	CHECK_EQ(axvm_memory_free_pages(), 129);
}

/* Every second page in use: the free half is no use for pairs, and comes back whole. */
TEST(a_fragmented_zone_refuses_runs_and_recovers)
{
	struct axvm_hpa hpa;

	reset();
	REQUIRE_EQ(add(0, 1001, 0), 0);
	for (uint32_t i = 0; i < 1000; i++)
		REQUIRE_EQ(axvm_hal_alloc_pages(1, AXVM_PAGE_BYTES, &hpa), 0);
	CHECK_EQ(axvm_hal_alloc_pages(1, AXVM_PAGE_BYTES, &hpa), AXVM_ENOMEM);
	for (uint32_t i = 1; i < 1001; i += 2)
		axvm_hal_free_pages(page(i), 1);
	CHECK_EQ(axvm_memory_free_pages(), 500);
	CHECK_EQ(axvm_hal_alloc_pages(2, AXVM_PAGE_BYTES, &hpa), AXVM_ENOMEM);
	for (uint32_t i = 2; i < 1001; i += 2)
		axvm_hal_free_pages(page(i), 1);
	CHECK_EQ(axvm_hal_alloc_pages(1000, AXVM_PAGE_BYTES, &hpa), 0);
	CHECK_EQ(hpa.addr, AXVM_PAGE_BYTES);
}

AXTEST_MAIN(random_use_agrees_with_an_array, reserved_pages_are_never_given_out,
	    a_reserved_range_that_wraps_goes_to_the_end,
	    a_bitmap_does_not_overwrite_what_is_reserved, ram_that_is_named_twice_is_added_once,
	    ranges_that_cannot_be_are_refused, what_cannot_be_freed_panics,
	    senseless_requests_are_refused, a_fragmented_zone_refuses_runs_and_recovers)
