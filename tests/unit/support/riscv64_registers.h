/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A false device under one controller of hal/bare/riscv64: its registers are the test's functions, and
 * what irq_fdt.c would read from the tree is said here.
 */
#ifndef RISCV64_REGISTERS_H
#define RISCV64_REGISTERS_H

#define AXVM_BARE_MMIO_H /* the accessors are these */
#include "fake_bare.h"

#include "../../../hal/bare/riscv64/irq_fdt.h"

static uint32_t model_read(uint64_t offset);
static void model_write(uint64_t offset, uint32_t value);

#define MODEL_BASE 0x10000000u

static uint32_t fake_targets[AXVM_CPUS_MAX];
static uint64_t fake_bytes; /* of the region; 0: the node has none */
static uint32_t fake_sources;
static bool fake_map_fails;

static inline uint32_t axvm_mmio_read32(uintptr_t address)
{
	CHECK(address >= MODEL_BASE && address - MODEL_BASE < fake_bytes && address % 4 == 0);
	return model_read(address - MODEL_BASE);
}

static inline void axvm_mmio_write32(uintptr_t address, uint32_t value)
{
	CHECK(address >= MODEL_BASE && address - MODEL_BASE < fake_bytes && address % 4 == 0);
	model_write(address - MODEL_BASE, value);
}

void *axvm_bare_map_device(struct axvm_hpa hpa, uint64_t bytes)
{
	CHECK_EQ(bytes, fake_bytes);
	return fake_map_fails ? NULL : (void *)(uintptr_t)hpa.addr;
}

bool axvm_bare_irq_region(const void *fdt, int node, uint32_t index, struct axvm_irq_region *region)
{
	(void)fdt, (void)node, (void)index;
	*region = (struct axvm_irq_region){ MODEL_BASE, fake_bytes };
	return fake_bytes != 0;
}

uint32_t axvm_bare_irq_cell(const void *fdt, int node, const char *name, uint32_t otherwise)
{
	(void)fdt, (void)node, (void)name, (void)otherwise;
	return fake_sources;
}

uint32_t axvm_bare_irq_targets(const void *fdt, int node, uint32_t targets[AXVM_CPUS_MAX])
{
	uint32_t count = 0;

	(void)fdt, (void)node;
	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++) {
		targets[i] = fake_targets[i];
		count += targets[i] != AXVM_IRQ_NO_TARGET;
	}
	return count;
}

static inline void fake_device(uint32_t cpus, uint64_t bytes, uint32_t sources)
{
	fake_machine(cpus);
	fake_bytes = bytes;
	fake_sources = sources;
	fake_map_fails = false;
	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++)
		fake_targets[i] = AXVM_IRQ_NO_TARGET;
}

#endif
