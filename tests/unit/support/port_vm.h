/* SPDX-License-Identifier: Apache-2.0 */
/* Port accesses of the VM of device_vm.h, as an x86 guest's IN and OUT do them. */
#ifndef PORT_VM_H
#define PORT_VM_H

#include "device_vm.h"

static inline const struct axvm_bus_region *port_region(uint16_t port, unsigned bytes)
{
	const struct axvm_bus_region *region = axvm_bus_find(&device_vm.arch.ports, port, bytes);

	CHECK(region != NULL);
	return region;
}

static inline uint32_t port_read(uint16_t port, unsigned bytes)
{
	const struct axvm_bus_region *region = port_region(port, bytes);

	return region ? (uint32_t)axvm_bus_read(&device_vcpu, region, port, bytes) : 0;
}

static inline void port_write(uint16_t port, unsigned bytes, uint32_t value)
{
	const struct axvm_bus_region *region = port_region(port, bytes);

	if (region)
		axvm_bus_write(&device_vcpu, region, port, bytes, value);
}

static inline uint8_t inb(uint16_t port)
{
	return (uint8_t)port_read(port, 1);
}

static inline void outb(uint16_t port, uint32_t value)
{
	port_write(port, 1, value);
}

#endif
