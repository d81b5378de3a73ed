// SPDX-License-Identifier: Apache-2.0
/*
 * The bus: from an address to a device. Regions are sorted and do not overlap, so that the last
 * one at or below an address is the only candidate. Nearly every access goes where the vCPU's
 * last one went, and is decided by one comparison of a cached region.
 */
#include <axvm/hal.h>

#include <string.h>

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

int axvm_bus_attach(struct axvm_bus *bus, struct axvm_device *device, uint64_t base,
		    uint64_t bytes, uint64_t offset)
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

/* `addr` below the region's base wraps to an offset that no region is large enough for. */
static inline bool holds(const struct axvm_bus_region *region, uint64_t addr, uint64_t bytes)
{
	uint64_t offset = addr - region->base;

	return offset < region->bytes && bytes <= region->bytes - offset;
}

const struct axvm_bus_region *axvm_bus_find(const struct axvm_bus *bus, uint64_t addr,
					    uint64_t bytes)
{
	uint32_t below = count_up_to(bus, addr);

	if (below == 0 || !holds(&bus->regions[below - 1], addr, bytes))
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

static void log_unclaimed(const struct axvm_vm *vm, const struct axvm_access *access)
{
	char line[160];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, vm->config->name);
	axvm_text_string(&text, access->write ? ": write of " : ": read of ");
	axvm_text_size(&text, access->bytes);
	axvm_text_string(&text, " at ");
	axvm_text_hex(&text, access->addr);
	axvm_text_string(&text, ": no device and no memory there");
	axvm_hal_log(AXVM_LOG_WARNING, line);
}

/* Finds the region anew and remembers it; NULL when nobody claims the access. */
static const struct axvm_bus_region *miss(struct axvm_vcpu *vcpu, const struct axvm_access *access)
{
	struct axvm_vm *vm = vcpu->vm;
	const struct axvm_bus_region *region = axvm_bus_find(&vm->mmio, access->addr,
							     access->bytes);

	if (region) {
		vcpu->last_hit = region;
		return region;
	}
	atomic_fetch_add_explicit(&vm->unclaimed_accesses, 1, memory_order_relaxed);
	if (is_first_of_page(vm, access->addr))
		log_unclaimed(vm, access);
	return NULL;
}

bool axvm_bus_mmio(struct axvm_vcpu *vcpu, struct axvm_access *access)
{
	const struct axvm_bus_region *region = vcpu->last_hit;

	if (!region || !holds(region, access->addr, access->bytes)) {
		region = miss(vcpu, access);
		if (!region)
			return false;
	}

	struct axvm_device *device = region->device;
	uint64_t offset = access->addr - region->base + region->offset;
	uint64_t mask = UINT64_MAX >> ((64u - 8u * access->bytes) & 63u);

	if (access->write)
		device->type->write(device, vcpu, offset, access->bytes, access->value & mask);
	else
		access->value = device->type->read(device, vcpu, offset, access->bytes) & mask;
	return true;
}
