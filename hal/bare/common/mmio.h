/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of the host's devices, mapped by axvm_bare_map_device. */
#ifndef AXVM_BARE_MMIO_H
#define AXVM_BARE_MMIO_H

#include <stdint.h>

static inline uint32_t axvm_mmio_read32(uintptr_t address)
{
	return *(const volatile uint32_t *)address;
}

static inline void axvm_mmio_write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline uint64_t axvm_mmio_read64(uintptr_t address)
{
	return *(const volatile uint64_t *)address;
}

static inline void axvm_mmio_write64(uintptr_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

#endif
