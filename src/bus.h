/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hit path of the bus, inlined into each ISA's exit handler: nearly every access goes where
 * the vCPU's last one went, and one comparison of the cached region decides it.
 */
#ifndef AXVM_BUS_H
#define AXVM_BUS_H

#include "vcpu_state.h"

/* Holds no address: what a vCPU's last hit is before its first. */
extern const struct axvm_bus_region axvm_bus_nowhere;

/* The region of the VM's MMIO bus, remembered; NULL: nobody claims it, which is counted and logged. */
const struct axvm_bus_region *axvm_bus_miss(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes,
					    bool write);

/* `addr` below the region's base wraps to an offset that no region is large enough for. */
static inline bool axvm_bus_holds(const struct axvm_bus_region *region, uint64_t addr,
				  uint64_t bytes)
{
	uint64_t offset = addr - region->base;

	return offset < region->bytes && bytes <= region->bytes - offset;
}

static inline const struct axvm_bus_region *axvm_bus_region(struct axvm_vcpu *vcpu, uint64_t addr,
							    unsigned bytes, bool write)
{
	const struct axvm_bus_region *region = vcpu->last_hit;

	if (__builtin_expect(axvm_bus_holds(region, addr, bytes), 1))
		return region;
	return axvm_bus_miss(vcpu, addr, bytes, write);
}

/* All ones in the low `bytes` bytes, 1 to 8. */
static inline uint64_t axvm_bus_mask(unsigned bytes)
{
	return UINT64_MAX >> ((64u - 8u * bytes) & 63u);
}

/*
 * An access on the VM's MMIO bus: `bytes` is 1, 2, 4 or 8; what is read is zero-extended. False:
 * nobody claims it; counted, logged once per page; the caller answers as its ISA does. An access
 * that straddles a region's end is not claimed.
 */
static inline bool axvm_bus_read(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes,
				 uint64_t *value)
{
	const struct axvm_bus_region *region = axvm_bus_region(vcpu, addr, bytes, false);

	if (region == NULL)
		return false;

	struct axvm_device *device = region->device;
	uint64_t offset = addr - region->base + region->offset;

	*value = device->type->read(device, vcpu, offset, bytes) & axvm_bus_mask(bytes);
	return true;
}

static inline bool axvm_bus_write(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes,
				  uint64_t value)
{
	const struct axvm_bus_region *region = axvm_bus_region(vcpu, addr, bytes, true);

	if (region == NULL)
		return false;

	struct axvm_device *device = region->device;
	uint64_t offset = addr - region->base + region->offset;

	device->type->write(device, vcpu, offset, bytes, value & axvm_bus_mask(bytes));
	return true;
}

#endif
