/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <string.h>

#include <axvm/hal.h>

#include "lock.h"

#define ZONES_MAX 16u
#define RESERVED_MAX 64u
#define WORD_PAGES 64u

/* A range of RAM. Bit set: in use. */
struct zone {
	uint64_t first_page;
	uint64_t pages;
	uint64_t *used;
	uint64_t hint; /* no free page lies below it */
};

/* What was reserved so far: a bitmap of RAM that comes later must not lie there. */
struct span {
	uint64_t first_page;
	uint64_t end_page;
};

static struct span reserved[RESERVED_MAX];
static uint32_t reserved_count;
static struct zone zones[ZONES_MAX];
static uint32_t zone_count;
static uint64_t free_pages, total_pages;
static struct axvm_lock lock = { .rank = AXVM_LOCK_LEAF };

/* Sets or clears bits [index, index + count); returns how many changed. */
static uint64_t mark(struct zone *zone, uint64_t index, uint64_t count, bool used)
{
	uint64_t changed = 0;

	while (count > 0) {
		uint64_t shift = index % WORD_PAGES;
		uint64_t here = WORD_PAGES - shift < count ? WORD_PAGES - shift : count;
		uint64_t mask = (here == WORD_PAGES ? UINT64_MAX : (1ULL << here) - 1) << shift;
		uint64_t *word = &zone->used[index / WORD_PAGES];
		uint64_t before = *word;

		*word = used ? before | mask : before & ~mask;
		changed += (uint64_t)__builtin_popcountll(before ^ *word);
		index += here;
		count -= here;
	}
	return changed;
}

/* The first used page at or after `index` and before `end`, or `end`. */
static uint64_t next_used(const struct zone *zone, uint64_t index, uint64_t end)
{
	while (index < end) {
		uint64_t word = zone->used[index / WORD_PAGES] >> index % WORD_PAGES;
		if (word != 0) {
			uint64_t found = index + (uint64_t)__builtin_ctzll(word);
			return found < end ? found : end;
		}
		index += WORD_PAGES - index % WORD_PAGES;
	}
	return end;
}

static uint64_t next_free(const struct zone *zone, uint64_t index)
{
	while (index < zone->pages) {
		uint64_t word = ~zone->used[index / WORD_PAGES] >> index % WORD_PAGES;
		if (word != 0)
			return index + (uint64_t)__builtin_ctzll(word);
		index += WORD_PAGES - index % WORD_PAGES;
	}
	return zone->pages;
}

/* The index of a free run, aligned as a page number; zone->pages: none. */
static uint64_t find_run(const struct zone *zone, uint64_t pages, uint64_t align_pages)
{
	uint64_t index = zone->hint;

	for (;;) {
		index = next_free(zone, index);
		uint64_t page = zone->first_page + index;
		index += axvm_align_down(page + align_pages - 1, align_pages) - page;
		if (index >= zone->pages || pages > zone->pages - index)
			return zone->pages;
		uint64_t blocker = next_used(zone, index, index + pages);
		if (blocker == index + pages)
			return index;
		index = blocker;
	}
}

int axvm_hal_alloc_pages(uint64_t pages, uint64_t align_bytes, struct axvm_hpa *hpa)
{
	uint64_t align_pages = align_bytes / AXVM_PAGE_BYTES;
	int error = AXVM_ENOMEM;

	if (pages == 0 || align_pages == 0 || (align_bytes & (align_bytes - 1)) != 0)
		return AXVM_EINVAL;
	axvm_lock_take(&lock);
	for (uint32_t i = 0; i < zone_count && error != 0; i++) {
		struct zone *zone = &zones[i];
		uint64_t index = find_run(zone, pages, align_pages);
		if (index == zone->pages)
			continue;
		free_pages -= mark(zone, index, pages, true);
		if (pages == 1 && align_pages == 1)
			zone->hint = index + 1;
		hpa->addr = (zone->first_page + index) * AXVM_PAGE_BYTES;
		error = 0;
	}
	axvm_lock_drop(&lock);
	return error;
}

static struct zone *zone_of(uint64_t page, uint64_t pages)
{
	for (uint32_t i = 0; i < zone_count; i++) {
		if (axvm_range_contains(zones[i].first_page, zones[i].pages, page, pages))
			return &zones[i];
	}
	return NULL;
}

void axvm_hal_free_pages(struct axvm_hpa hpa, uint64_t pages)
{
	uint64_t page = hpa.addr / AXVM_PAGE_BYTES;

	axvm_lock_take(&lock);
	struct zone *zone = zone_of(page, pages);
	if (zone == NULL || hpa.addr % AXVM_PAGE_BYTES != 0)
		axvm_hal_panic(__FILE__, __LINE__, "pages freed that are not RAM");
	uint64_t index = page - zone->first_page;
	uint64_t changed = mark(zone, index, pages, false);
	if (changed != pages)
		axvm_hal_panic(__FILE__, __LINE__, "pages freed twice");
	free_pages += changed;
	if (index < zone->hint)
		zone->hint = index;
	axvm_lock_drop(&lock);
}

int axvm_hal_claim_pages(struct axvm_hpa hpa, uint64_t pages)
{
	uint64_t page = hpa.addr / AXVM_PAGE_BYTES;
	int error = AXVM_EBUSY;

	if (hpa.addr % AXVM_PAGE_BYTES != 0)
		return AXVM_EINVAL;
	axvm_lock_take(&lock);
	struct zone *zone = zone_of(page, pages);
	if (zone != NULL) {
		uint64_t index = page - zone->first_page;
		if (next_used(zone, index, index + pages) == index + pages) {
			free_pages -= mark(zone, index, pages, true);
			error = 0;
		}
	}
	axvm_lock_drop(&lock);
	return error;
}

static uint64_t pages_up(uint64_t bytes)
{
	return bytes / AXVM_PAGE_BYTES + (bytes % AXVM_PAGE_BYTES != 0);
}

/* What of the pages [first, end) lies in the zone is in use from now on. */
static void take_out(struct zone *zone, uint64_t first, uint64_t end)
{
	uint64_t from = first > zone->first_page ? first : zone->first_page;
	uint64_t zone_end = zone->first_page + zone->pages;
	uint64_t to = end < zone_end ? end : zone_end;

	if (from < to)
		free_pages -= mark(zone, from - zone->first_page, to - from, true);
}

static bool has_ram(uint64_t first, uint64_t end)
{
	for (uint32_t i = 0; i < zone_count; i++) {
		if (axvm_ranges_overlap(first, end - first, zones[i].first_page, zones[i].pages))
			return true;
	}
	return false;
}

/* The first place at or after `page` for so many pages of which none is reserved. */
static uint64_t skip_reserved(uint64_t page, uint64_t pages)
{
	uint32_t i = 0;

	while (i < reserved_count) {
		const struct span *span = &reserved[i++];
		if (span->first_page < page + pages && page < span->end_page) {
			page = span->end_page;
			i = 0; /* only ever upwards: each span moves it once */
		}
	}
	return page;
}

int axvm_memory_add(struct axvm_hpa hpa, uint64_t bytes, struct axvm_hpa bitmap_from)
{
	uint64_t first = pages_up(hpa.addr);
	uint64_t end = (hpa.addr + bytes) / AXVM_PAGE_BYTES;
	uint64_t bitmap_page = pages_up(bitmap_from.addr);

	if (axvm_range_wraps(hpa.addr, bytes) || first >= end || zone_count == ZONES_MAX ||
	    has_ram(first, end))
		return AXVM_ERANGE;
	uint64_t words = (end - first + WORD_PAGES - 1) / WORD_PAGES;
	uint64_t bitmap_pages = pages_up(words * sizeof(uint64_t));
	if (bitmap_page < first)
		bitmap_page = first;
	bitmap_page = skip_reserved(bitmap_page, bitmap_pages);
	if (bitmap_page >= end || bitmap_pages > end - bitmap_page)
		return AXVM_ERANGE;

	struct zone *zone = &zones[zone_count];
	zone->first_page = first;
	zone->pages = end - first;
	zone->hint = 0;
	zone->used = axvm_hal_map(axvm_hpa(bitmap_page * AXVM_PAGE_BYTES),
				  bitmap_pages * AXVM_PAGE_BYTES);
	memset(zone->used, 0, words * sizeof(uint64_t));
	/* Pages beyond the end, in the last word. */
	(void)mark(zone, zone->pages, words * WORD_PAGES - zone->pages, true);
	(void)mark(zone, bitmap_page - first, bitmap_pages, true);
	free_pages += zone->pages - bitmap_pages;
	total_pages += zone->pages;
	zone_count++;
	for (uint32_t i = 0; i < reserved_count; i++)
		take_out(zone, reserved[i].first_page, reserved[i].end_page);
	return 0;
}

static void remember(uint64_t first, uint64_t end)
{
	for (uint32_t i = 0; i < reserved_count; i++) {
		if (reserved[i].first_page <= first && end <= reserved[i].end_page)
			return;
	}
	if (reserved_count < RESERVED_MAX)
		reserved[reserved_count++] = (struct span){ first, end };
}

void axvm_memory_reserve(struct axvm_hpa hpa, uint64_t bytes)
{
	uint64_t limit = UINT64_MAX - hpa.addr;
	uint64_t first = hpa.addr / AXVM_PAGE_BYTES;
	uint64_t end = pages_up(hpa.addr + (bytes < limit ? bytes : limit));

	if (bytes == 0)
		return;
	axvm_lock_take(&lock);
	remember(first, end);
	for (uint32_t i = 0; i < zone_count; i++)
		take_out(&zones[i], first, end);
	axvm_lock_drop(&lock);
}

bool axvm_memory_is_ram(struct axvm_hpa hpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < zone_count; i++) {
		if (axvm_ranges_overlap(hpa.addr, bytes, zones[i].first_page * AXVM_PAGE_BYTES,
					zones[i].pages * AXVM_PAGE_BYTES))
			return true;
	}
	return false;
}

uint64_t axvm_memory_free_pages(void)
{
	axvm_lock_take(&lock);
	uint64_t count = free_pages;
	axvm_lock_drop(&lock);
	return count;
}

uint64_t axvm_memory_total_pages(void)
{
	return total_pages;
}
