// SPDX-License-Identifier: Apache-2.0
/*
 * Mapped as a device, so that the guest never caches it, whatever its own tables say, and
 * guest memory access does not take it for RAM; each change is pushed out of our cache.
 */
#include "shadow.h"

#include <axvm/hal.h>

#include "vm_parts.h"

int axvm_shadow_make(struct axvm_shadow *shadow, struct axvm_vm *vm, struct axvm_gpa gpa,
		     uint64_t bytes, uint64_t register_bytes)
{
	struct axvm_hpa hpa;
	void *page = axvm_vm_alloc_page(vm, &hpa);

	if (page == NULL)
		return AXVM_ENOMEM;
	axvm_hal_cache_push(page, AXVM_PAGE_BYTES);
	*shadow = (struct axvm_shadow){
		.vm = vm,
		.words = page,
		.gpa = gpa,
		.hpa = hpa,
		.has_registers =
			axvm_is_aligned(gpa.addr, AXVM_PAGE_BYTES) && bytes >= register_bytes,
	};
	return 0;
}

/* Among the devices: memory and passed-through ranges in the page are mapped, so that mapping it fails. */
static bool is_alone(const struct axvm_shadow *shadow)
{
	const struct axvm_bus *bus = &shadow->vm->mmio;
	uint32_t found = 0;

	for (uint32_t i = 0; i < bus->count; i++)
		found += axvm_ranges_overlap(bus->regions[i].base, bus->regions[i].bytes,
					     shadow->gpa.addr, AXVM_PAGE_BYTES);
	return found == 1;
}

void axvm_shadow_map(struct axvm_shadow *shadow)
{
	if (shadow->is_mapped || !shadow->has_registers || !is_alone(shadow))
		return;
	shadow->is_mapped = axvm_aspace_map(&shadow->vm->aspace, shadow->gpa, shadow->hpa,
					    AXVM_PAGE_BYTES, AXVM_MAP_READ | AXVM_MAP_DEVICE) == 0;
}

void axvm_shadow_unmap(struct axvm_shadow *shadow)
{
	if (!shadow->is_mapped)
		return;
	/* A page from the host's RAM continues no device mapping: there is no block to split. */
	if (axvm_aspace_unmap(&shadow->vm->aspace, shadow->gpa, AXVM_PAGE_BYTES) != 0)
		axvm_hal_panic(__FILE__, __LINE__, "a shadow page has become part of a block");
	shadow->is_mapped = false;
}

void axvm_shadow_put(struct axvm_shadow *shadow, uint64_t offset, uint32_t value)
{
	_Atomic uint32_t *word = &shadow->words[offset / 4];

	atomic_store_explicit(word, value, memory_order_relaxed);
	axvm_hal_cache_push((void *)(uintptr_t)word, sizeof(*word));
}

static uint32_t byte_at(const struct axvm_shadow *shadow, uint64_t offset)
{
	if (offset >= AXVM_PAGE_BYTES)
		return 0;
	return axvm_shadow_get(shadow, offset) >> offset % 4 * 8 & 0xff;
}

uint64_t axvm_shadow_load(const struct axvm_shadow *shadow, uint64_t offset, unsigned bytes)
{
	uint64_t value = 0;

	if (offset % 4 == 0 && bytes <= 4 && offset < AXVM_PAGE_BYTES)
		return axvm_shadow_get(shadow, offset) & UINT32_MAX >> (32 - 8 * bytes);
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)byte_at(shadow, offset + i) << 8 * i;
	return value;
}
