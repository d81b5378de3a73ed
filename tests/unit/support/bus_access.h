/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses on a vCPU's MMIO bus, as an ISA's exit path does them. */
#ifndef AXVM_TEST_BUS_ACCESS_H
#define AXVM_TEST_BUS_ACCESS_H

#include "bus.h"

static inline const struct axvm_bus_region *bus_region(struct axvm_vcpu *vcpu, uint64_t addr,
						       unsigned bytes, bool write)
{
	const struct axvm_bus_region *region = vcpu->last_hit;

	if (!axvm_bus_holds(region, addr, bytes))
		region = axvm_bus_miss(vcpu, addr, bytes);
	if (region == NULL)
		axvm_bus_unclaimed(vcpu, addr, bytes, write);
	return region;
}

static inline bool try_bus_read(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes,
				uint64_t *value)
{
	const struct axvm_bus_region *region = bus_region(vcpu, addr, bytes, false);

	if (region != NULL)
		*value = axvm_bus_read(vcpu, region, addr, bytes);
	return region != NULL;
}

static inline bool try_bus_write(struct axvm_vcpu *vcpu, uint64_t addr, unsigned bytes,
				 uint64_t value)
{
	const struct axvm_bus_region *region = bus_region(vcpu, addr, bytes, true);

	if (region != NULL)
		axvm_bus_write(vcpu, region, addr, bytes, value);
	return region != NULL;
}

#endif
