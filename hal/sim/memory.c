// SPDX-License-Identifier: Apache-2.0
/*
 * Host RAM of the simulated machine. One byte of state per page makes the
 * accounting exact; under ASan freed pages are poisoned, so that a table or a
 * device state that is used after its release is found at the access.
 */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "sim_private.h"

#define FORBIDDEN_MAX 8u
/* Contents of fresh pages are undefined: not zero. Of big ones only the ends are filled. */
#define FILL_BYTE 0xa5
#define FILL_PAGES_MAX 256u

enum page_state { PAGE_FREE, PAGE_FREED, PAGE_USED, PAGE_RESERVED };

struct range {
	uint64_t base;
	uint64_t bytes;
};

static struct {
	uint8_t *ram;
	uint8_t *states;
	uint64_t base;
	uint64_t pages;
	uint64_t first_free; /* none below it */
	uint64_t used;
	uint64_t allocations;
	uint64_t succeed;
	bool has_failed;
	uint64_t mapped_bytes;
	uint64_t cleaned_bytes;
	uint64_t pushed_bytes;
	uint32_t forbidden_count;
	struct range forbidden[FORBIDDEN_MAX];
} memory;

static bool is_free(uint64_t page)
{
	return memory.states[page] <= PAGE_FREED;
}

static uint8_t *page_address(uint64_t page)
{
	return memory.ram + page * AXVM_PAGE_BYTES;
}

static void set_states(uint64_t page, uint64_t pages, enum page_state state)
{
	memset(&memory.states[page], (int)state, pages);
}

static void drop_ram(void)
{
	if (memory.ram == NULL)
		return;
	for (uint64_t page = 0; page < memory.pages; page++) {
		if (memory.states[page] == PAGE_FREED)
			ASAN_UNPOISON_MEMORY_REGION(page_address(page), AXVM_PAGE_BYTES);
	}
	munmap(memory.ram, memory.pages * AXVM_PAGE_BYTES);
	free(memory.states);
}

void axvm_sim_memory_reset(uint64_t base, uint64_t bytes)
{
	drop_ram();
	memset(&memory, 0, sizeof(memory));
	memory.base = base;
	memory.pages = bytes / AXVM_PAGE_BYTES;
	memory.succeed = AXVM_SIM_NEVER;
	memory.states = calloc(memory.pages, 1);
	memory.ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory.states == NULL || memory.ram == MAP_FAILED)
		axvm_hal_panic(__FILE__, __LINE__, "no memory for the simulated RAM");
}

/* Whether all of the range is RAM; then *page is its first page's index. */
static bool find_pages(struct axvm_hpa hpa, uint64_t pages, uint64_t *page)
{
	*page = (hpa.addr - memory.base) / AXVM_PAGE_BYTES;
	return hpa.addr >= memory.base && *page < memory.pages && pages <= memory.pages - *page;
}

static bool all_free(uint64_t page, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		if (!is_free(page + i))
			return false;
	}
	return true;
}

static void fill(uint64_t page, uint64_t pages)
{
	if (pages <= FILL_PAGES_MAX) {
		memset(page_address(page), FILL_BYTE, pages * AXVM_PAGE_BYTES);
		return;
	}
	memset(page_address(page), FILL_BYTE, AXVM_PAGE_BYTES);
	memset(page_address(page + pages - 1), FILL_BYTE, AXVM_PAGE_BYTES);
}

static void use(uint64_t page, uint64_t pages)
{
	ASAN_UNPOISON_MEMORY_REGION(page_address(page), pages * AXVM_PAGE_BYTES);
	set_states(page, pages, PAGE_USED);
	memory.used += pages;
	while (memory.first_free < memory.pages && !is_free(memory.first_free))
		memory.first_free++;
}

static bool fails_now(void)
{
	if (memory.succeed == AXVM_SIM_NEVER)
		return false;
	if (memory.succeed > 0) {
		memory.succeed--;
		return false;
	}
	memory.succeed = AXVM_SIM_NEVER;
	memory.has_failed = true;
	return true;
}

/* The first page of a free and aligned run, or memory.pages. */
static uint64_t find_run(uint64_t pages, uint64_t align_bytes)
{
	uint64_t step = align_bytes / AXVM_PAGE_BYTES;
	uint64_t page = memory.first_free;
	uint64_t over = (page + memory.base / AXVM_PAGE_BYTES) % step;

	page += over == 0 ? 0 : step - over;
	while (page < memory.pages && pages <= memory.pages - page) {
		if (all_free(page, pages))
			return page;
		page += step;
	}
	return memory.pages;
}

int axvm_hal_alloc_pages(uint64_t pages, uint64_t align_bytes, struct axvm_hpa *hpa)
{
	if (pages == 0 || align_bytes < AXVM_PAGE_BYTES || (align_bytes & (align_bytes - 1)) != 0)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_alloc_pages: bad size or alignment");
	axvm_sim_lock();

	uint64_t page = fails_now() ? memory.pages : find_run(pages, align_bytes);
	bool found = page < memory.pages;

	if (found) {
		use(page, pages);
		fill(page, pages);
		memory.allocations++;
		hpa->addr = memory.base + page * AXVM_PAGE_BYTES;
	}
	axvm_sim_unlock();
	return found ? 0 : AXVM_ENOMEM;
}

int axvm_hal_claim_pages(struct axvm_hpa hpa, uint64_t pages)
{
	uint64_t page;

	axvm_sim_lock();
	bool free_ram = axvm_is_aligned(hpa.addr, AXVM_PAGE_BYTES) &&
			find_pages(hpa, pages, &page) && all_free(page, pages);

	if (free_ram)
		use(page, pages);
	axvm_sim_unlock();
	return free_ram ? 0 : AXVM_EBUSY;
}

void axvm_hal_free_pages(struct axvm_hpa hpa, uint64_t pages)
{
	uint64_t page;

	if (!axvm_is_aligned(hpa.addr, AXVM_PAGE_BYTES) || !find_pages(hpa, pages, &page))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_free_pages: not RAM");
	for (uint64_t i = 0; i < pages; i++) {
		if (memory.states[page + i] != PAGE_USED)
			axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_free_pages: not in use");
	}
	axvm_sim_note_freed(hpa, pages);
	axvm_sim_lock();
	set_states(page, pages, PAGE_FREED);
	ASAN_POISON_MEMORY_REGION(page_address(page), pages * AXVM_PAGE_BYTES);
	if (pages > FILL_PAGES_MAX)
		madvise(page_address(page), pages * AXVM_PAGE_BYTES, MADV_DONTNEED);
	memory.used -= pages;
	if (page < memory.first_free)
		memory.first_free = page;
	axvm_sim_unlock();
}

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	uint64_t in_page = hpa.addr % AXVM_PAGE_BYTES;
	uint64_t pages =
		bytes / AXVM_PAGE_BYTES +
		(in_page + bytes % AXVM_PAGE_BYTES + AXVM_PAGE_BYTES - 1) / AXVM_PAGE_BYTES;
	uint64_t page;

	if (bytes == 0 || !find_pages(hpa, pages, &page))
		return NULL;
	for (uint64_t i = 0; i < pages; i++) {
		if (is_free(page + i))
			return NULL;
	}
	axvm_sim_lock();
	memory.mapped_bytes += bytes;
	axvm_sim_unlock();
	return page_address(page) + in_page;
}

void axvm_hal_unmap(void *address, uint64_t bytes)
{
	uintptr_t at = (uintptr_t)address;
	uintptr_t ram = (uintptr_t)memory.ram;

	if (!axvm_range_contains(ram, memory.pages * AXVM_PAGE_BYTES, at, bytes))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_unmap: not a mapping");
	axvm_sim_lock();
	if (bytes > memory.mapped_bytes)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_unmap: more than was mapped");
	memory.mapped_bytes -= bytes;
	axvm_sim_unlock();
}

void axvm_hal_cache_clean(void *address, uint64_t bytes)
{
	uintptr_t at = (uintptr_t)address;

	if (!axvm_range_contains((uintptr_t)memory.ram, memory.pages * AXVM_PAGE_BYTES, at, bytes))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_cache_clean: not a mapping");
	axvm_sim_lock();
	memory.cleaned_bytes += bytes;
	axvm_sim_unlock();
}

void axvm_hal_cache_push(const void *address, uint64_t bytes)
{
	uintptr_t at = (uintptr_t)address;

	if (!axvm_range_contains((uintptr_t)memory.ram, memory.pages * AXVM_PAGE_BYTES, at, bytes))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_cache_push: not a mapping");
	axvm_sim_lock();
	memory.pushed_bytes += bytes;
	axvm_sim_unlock();
}

static bool is_forbidden(struct axvm_hpa hpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < memory.forbidden_count; i++) {
		if (axvm_ranges_overlap(hpa.addr, bytes, memory.forbidden[i].base,
					memory.forbidden[i].bytes))
			return true;
	}
	return false;
}

bool axvm_hal_may_pass_through(struct axvm_hpa hpa, uint64_t bytes)
{
	if (bytes == 0 || axvm_range_wraps(hpa.addr, bytes) || is_forbidden(hpa, bytes))
		return false;

	uint64_t ram_bytes = memory.pages * AXVM_PAGE_BYTES;

	if (!axvm_ranges_overlap(hpa.addr, bytes, memory.base, ram_bytes))
		return true;

	uint64_t first = hpa.addr > memory.base ? hpa.addr - memory.base : 0;
	uint64_t last = hpa.addr + (bytes - 1) - memory.base;

	if (last >= ram_bytes)
		last = ram_bytes - 1;
	for (uint64_t page = first / AXVM_PAGE_BYTES; page <= last / AXVM_PAGE_BYTES; page++) {
		if (memory.states[page] != PAGE_RESERVED)
			return false;
	}
	return true;
}

uint64_t axvm_sim_used_pages(void)
{
	return memory.used;
}

uint64_t axvm_sim_allocation_count(void)
{
	return memory.allocations;
}

void axvm_sim_fail_allocation_after(uint64_t count)
{
	memory.succeed = count;
	memory.has_failed = false;
}

bool axvm_sim_has_failed_allocation(void)
{
	return memory.has_failed;
}

void axvm_sim_reserve(struct axvm_hpa hpa, uint64_t bytes)
{
	uint64_t page;
	uint64_t pages = bytes / AXVM_PAGE_BYTES;

	if (!find_pages(hpa, pages, &page) || !all_free(page, pages))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_sim_reserve: not free RAM");
	use(page, pages);
	set_states(page, pages, PAGE_RESERVED);
	memory.used -= pages;
}

void axvm_sim_forbid(struct axvm_hpa hpa, uint64_t bytes)
{
	if (memory.forbidden_count == FORBIDDEN_MAX)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_sim_forbid: too many ranges");
	memory.forbidden[memory.forbidden_count++] = (struct range){ hpa.addr, bytes };
}

uint64_t axvm_sim_mapped_bytes(void)
{
	return memory.mapped_bytes;
}

uint64_t axvm_sim_pushed_bytes(void)
{
	return memory.pushed_bytes;
}

uint64_t axvm_sim_cleaned_bytes(void)
{
	return memory.cleaned_bytes;
}
