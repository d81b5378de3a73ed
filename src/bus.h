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

/*
 * The region of the VM's MMIO bus that holds all of the access; NULL: there is none. Remembered when its ends are
 * multiples of 8: so an aligned access whose first byte is in vcpu->last_hit is there with all of its bytes.
 */
const struct axvm_bus_region *axvm_bus_miss(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes);

/* Nobody claims the access: counted, logged once per page. The caller answers as its ISA does. */
void axvm_bus_unclaimed(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes, bool write);

/* `addr` below the region's base wraps to an offset that no region is large enough for. */
static inline bool axvm_bus_holds(const struct axvm_bus_region *region, uint64_t addr,
				  uint64_t bytes)
{
	uint64_t offset = addr - region->base;

	return offset < region->bytes && bytes <= region->bytes - offset;
}

/* All ones in the low `bytes` bytes, 1 to 8. */
static inline uint64_t axvm_bus_mask(unsigned bytes)
{
	return UINT64_MAX >> ((64u - 8u * bytes) & 63u);
}

/* An access to a region that holds it: `bytes` is 1, 2, 4 or 8; what is read is zero-extended. */
static inline uint64_t axvm_bus_read(struct axvm_vcpu *vcpu, const struct axvm_bus_region *region,
				     uint64_t addr, unsigned bytes)
{
	struct axvm_device *device = region->device;
	uint64_t offset = addr - region->base + region->offset;

	return device->type->read(device, vcpu, offset, bytes) & axvm_bus_mask(bytes);
}

/* The same by the offset within the region; of what is read the bytes beyond are whatever they are. */
static inline uint64_t axvm_bus_read_at(struct axvm_vcpu *vcpu,
					const struct axvm_bus_region *region, uint64_t offset,
					unsigned bytes)
{
	struct axvm_device *device = region->device;

	return device->type->read(device, vcpu, offset + region->offset, bytes);
}

static inline void axvm_bus_write(struct axvm_vcpu *vcpu, const struct axvm_bus_region *region,
				  uint64_t addr, unsigned bytes, uint64_t value)
{
	struct axvm_device *device = region->device;
	uint64_t offset = addr - region->base + region->offset;

	device->type->write(device, vcpu, offset, bytes, value & axvm_bus_mask(bytes));
}

#endif
