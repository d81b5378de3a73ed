/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own map: the image by sections, a direct map of RAM and devices at an offset, a slot
 * for each CPU's stack. Addresses of a CPU that sign-extends them lose the upper bits here.
 */
#include "map.h"

#include "layout.h"

extern const char axvm_image_start[], axvm_text_end[], axvm_rodata_end[], axvm_image_end[];

static struct axvm_aspace own;
static struct axvm_budget own_budget = { .limit_pages = UINT64_MAX };
static struct axvm_hpa image_hpa;

static struct axvm_gpa place_of(uint64_t va)
{
	return axvm_gpa(va & (((uint64_t)1 << AXVM_VA_BITS) - 1));
}

static int map_section(const char *from, const char *to, uint32_t flags)
{
	uint64_t offset = (uint64_t)(from - axvm_image_start);

	if (from == to)
		return 0;
	return axvm_aspace_map(&own, place_of((uintptr_t)from), axvm_hpa(image_hpa.addr + offset),
			       (uint64_t)(to - from), flags);
}

int axvm_bare_mmu_init(struct axvm_hpa image)
{
	image_hpa = image;
	int error = axvm_aspace_init(&own, axvm_bare_map_format(), 0, &own_budget);

	if (error == 0)
		error = map_section(axvm_image_start, axvm_text_end,
				    AXVM_MAP_READ | AXVM_MAP_EXECUTE);
	if (error == 0)
		error = map_section(axvm_text_end, axvm_rodata_end, AXVM_MAP_READ);
	if (error == 0)
		error = map_section(axvm_rodata_end, axvm_image_end,
				    AXVM_MAP_READ | AXVM_MAP_WRITE);
	return error;
}

struct axvm_hpa axvm_bare_map_root(void)
{
	return own.root;
}

bool axvm_bare_map_is_own(const struct axvm_aspace *aspace)
{
	return aspace == &own;
}

uint64_t axvm_bare_image_bytes(void)
{
	return (uint64_t)(axvm_image_end - axvm_image_start);
}

uint64_t axvm_bare_image_hpa(const void *object)
{
	return image_hpa.addr + (uint64_t)((const char *)object - axvm_image_start);
}

int axvm_bare_map_ram(struct axvm_hpa hpa, uint64_t bytes)
{
	if (!axvm_range_contains(0, AXVM_DIRECT_LIMIT, hpa.addr, bytes))
		return AXVM_ERANGE;
	return axvm_aspace_map(&own, place_of(AXVM_DIRECT_BASE + hpa.addr), hpa, bytes,
			       AXVM_MAP_READ | AXVM_MAP_WRITE);
}

#define DEVICE_FLAGS (AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE)

static int map_device_pages(uint64_t first, uint64_t bytes)
{
	return axvm_aspace_map(&own, place_of(AXVM_DIRECT_BASE + first), axvm_hpa(first), bytes,
			       DEVICE_FLAGS);
}

/* Page by page: a part of the range is mapped already. */
static int map_missing_pages(uint64_t first, uint64_t bytes)
{
	for (uint64_t page = first; page - first < bytes; page += AXVM_PAGE_BYTES) {
		int error = map_device_pages(page, AXVM_PAGE_BYTES);

		if (error != 0 && error != AXVM_EEXIST)
			return error;
	}
	return 0;
}

void *axvm_bare_map_device(struct axvm_hpa hpa, uint64_t bytes)
{
	uint64_t first = axvm_align_down(hpa.addr, AXVM_PAGE_BYTES);

	if (bytes == 0 || axvm_range_wraps(hpa.addr, bytes) ||
	    !axvm_range_contains(0, AXVM_DIRECT_LIMIT, hpa.addr, bytes))
		return NULL;
	uint64_t last = axvm_align_down(hpa.addr + bytes - 1, AXVM_PAGE_BYTES);
	uint64_t page_bytes = last - first + AXVM_PAGE_BYTES;
	int error = map_device_pages(first, page_bytes);

	if (error == AXVM_EEXIST)
		error = map_missing_pages(first, page_bytes);
	return error == 0 ? (void *)(uintptr_t)(AXVM_DIRECT_BASE + hpa.addr) : NULL;
}

uint64_t axvm_bare_make_stack(uint32_t cpu)
{
	uint64_t bottom = AXVM_STACK_BASE + (uint64_t)cpu * AXVM_STACK_SLOT_BYTES + AXVM_PAGE_BYTES;
	struct axvm_hpa hpa;

	if (axvm_hal_alloc_pages(AXVM_STACK_BYTES / AXVM_PAGE_BYTES, AXVM_PAGE_BYTES, &hpa) != 0)
		return 0;
	if (axvm_aspace_map(&own, place_of(bottom), hpa, AXVM_STACK_BYTES,
			    AXVM_MAP_READ | AXVM_MAP_WRITE) != 0) {
		axvm_hal_free_pages(hpa, AXVM_STACK_BYTES / AXVM_PAGE_BYTES);
		return 0;
	}
	return bottom + AXVM_STACK_BYTES;
}

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	(void)bytes;
	return (void *)(uintptr_t)(AXVM_DIRECT_BASE + hpa.addr);
}

void axvm_hal_unmap(void *map, uint64_t bytes)
{
	(void)map;
	(void)bytes;
}
