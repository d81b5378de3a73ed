// SPDX-License-Identifier: Apache-2.0
/*
 * The bus: from an address to a device. Regions are sorted and do not overlap, so that the last
 * one at or below an address is the only candidate.
 */
#include "bus.h"

#include <string.h>

#include <axvm/hal.h>

#include "text.h"
#include "vm_state.h"

/* The number of regions whose base is at or below `addr`. */
static uint32_t count_up_to(const struct axvm_bus *bus, uint64_t addr)
{
	uint32_t low = 0;
	uint32_t high = bus->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (bus->regions[middle].base <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int axvm_bus_attach(struct axvm_bus *bus, struct axvm_device *device, uint64_t base, uint64_t bytes,
		    uint64_t offset)
{
	if (bytes == 0)
		return AXVM_EINVAL;
	if (bus->count == AXVM_BUS_REGIONS_MAX || axvm_range_wraps(base, bytes) ||
	    axvm_range_wraps(offset, bytes))
		return AXVM_ERANGE;

	uint32_t at = count_up_to(bus, base);
	struct axvm_bus_region *next = &bus->regions[at];

	if (at > 0 && base - next[-1].base < next[-1].bytes)
		return AXVM_EEXIST;
	if (at < bus->count && next->base - base < bytes)
		return AXVM_EEXIST;

	memmove(next + 1, next, (bus->count - at) * sizeof(*next));
	*next = (struct axvm_bus_region){
		.base = base, .bytes = bytes, .device = device, .offset = offset
	};
	bus->count++;
	return 0;
}

const struct axvm_bus_region axvm_bus_nowhere;

const struct axvm_bus_region *axvm_bus_find(const struct axvm_bus *bus, uint64_t addr,
					    uint64_t bytes)
{
	uint32_t below = count_up_to(bus, addr);

	if (below == 0 || !axvm_bus_holds(&bus->regions[below - 1], addr, bytes))
		return NULL;
	return &bus->regions[below - 1];
}

/* True for the first access to a page, as long as there is room to remember it. */
static bool is_first_of_page(struct axvm_vm *vm, uint64_t addr)
{
	uint64_t key = (addr >> AXVM_PAGE_SHIFT) + 1;

	for (uint32_t i = 0; i < AXVM_UNCLAIMED_PAGES_MAX; i++) {
		uint64_t found = 0;

		if (atomic_compare_exchange_strong_explicit(&vm->unclaimed_pages[i], &found, key,
							    memory_order_relaxed,
							    memory_order_relaxed))
			return true;
		if (found == key)
			return false;
	}
	return false;
}

static void log_unclaimed(const struct axvm_vm *vm, uint64_t addr, unsigned bytes, bool write)
{
	char line[160];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, vm->config->name);
	axvm_text_string(&text, write ? ": write of " : ": read of ");
	axvm_text_size(&text, bytes);
	axvm_text_string(&text, " at ");
	axvm_text_hex(&text, addr);
	axvm_text_string(&text, ": no device and no memory there");
	axvm_hal_log(AXVM_LOG_WARNING, line);
}

const struct axvm_bus_region *axvm_bus_miss(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes)
{
	const struct axvm_bus_region *region = axvm_bus_find(&vcpu->vm->mmio, addr, bytes);

	if (region && ((region->base | region->bytes) & 7) == 0)
		vcpu->last_hit = region;
	return region;
}

void axvm_bus_unclaimed(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes, bool write)
{
	struct axvm_vm *vm = vcpu->vm;

	atomic_fetch_add_explicit(&vm->unclaimed_accesses, 1, memory_order_relaxed);
	if (is_first_of_page(vm, addr))
		log_unclaimed(vm, addr, bytes, write);
}
