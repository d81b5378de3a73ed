/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM that is just enough for one emulated device: a bus, a budget, one vCPU, and in place of the
 * interrupt controller a record of the lines. For tests of devices, without the rest of the core.
 */
#ifndef DEVICE_VM_H
#define DEVICE_VM_H

#include <string.h>

#include <axvm/irq.h>

#include "axtest.h"
#include "bus_access.h"
#include "pte_format.h"
#include "sim.h"
#include "vm_parts.h"

#define DEVICE_BASE 0x9000000u
#define DEVICE_BYTES 0x1000u
#define DEVICE_IRQ 33u

static struct axvm_vm device_vm;
static struct axvm_vcpu device_vcpu;
static struct axvm_device device;
static const struct axvm_config device_vm_config = { .name = "test" };

static bool irq_level;
static uint32_t irq_changes;
static uint32_t irq_pulses;
static uint32_t device_irq = DEVICE_IRQ; /* the line that is expected */

int axvm_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level)
{
	CHECK_PTR_EQ(vm, &device_vm);
	CHECK_EQ(irq, device_irq);
	irq_changes++;
	irq_level = level;
	return 0;
}

/* The rest of <axvm/irq.h>, so that the core's own is not linked. */
int axvm_irq_pulse(struct axvm_vm *vm, uint32_t irq)
{
	CHECK_PTR_EQ(vm, &device_vm);
	CHECK_EQ(irq, device_irq);
	irq_pulses++;
	return 0;
}

int axvm_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level)
{
	(void)vcpu;
	(void)irq;
	(void)level;
	return AXVM_EINVAL;
}

int axvm_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq)
{
	(void)vm;
	(void)vcpu_mask;
	(void)irq;
	return AXVM_EINVAL;
}

static inline void device_vm_reset_on(const struct axvm_sim_machine *machine)
{
	axvm_sim_reset(machine);
	memset(&device_vm, 0, sizeof(device_vm));
	memset(&device_vcpu, 0, sizeof(device_vcpu));
	memset(&device, 0, sizeof(device));
	device_vm.config = &device_vm_config;
	device_vm.budget.limit_pages = 64;
	axvm_lock_init(&device_vm.lock, AXVM_LOCK_VM);
	CHECK_EQ(
		axvm_aspace_init(&device_vm.aspace, axvm_arch_pte_formats[0], 1, &device_vm.budget),
		0);
	device_vcpu.vm = &device_vm;
	device_vcpu.last_hit = &axvm_bus_nowhere;
	irq_level = false;
	irq_changes = 0;
	irq_pulses = 0;
	device_irq = DEVICE_IRQ;
}

static inline void device_vm_reset(void)
{
	device_vm_reset_on(NULL);
}

static inline int device_make(const struct axvm_device_type *type)
{
	const struct axvm_config_emu config = {
		.name = "device",
		.base = { DEVICE_BASE },
		.bytes = DEVICE_BYTES,
		.irq = DEVICE_IRQ,
		.type = type->emu_type,
	};

	device.type = type;
	device.vm = &device_vm;
	device.name = config.name;
	return type->create(&device, &config);
}

/* What every test ends with: nothing is left behind. */
static inline void device_end(void)
{
	if (device.state && device.type->destroy)
		device.type->destroy(&device);
	axvm_aspace_fini(&device_vm.aspace);
	axvm_vm_free_chunks(&device_vm);
	CHECK_EQ(device_vm.budget.used_pages, 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

static inline uint64_t bus_read(uint64_t addr, uint8_t bytes)
{
	uint64_t value = 0;

	CHECK(try_bus_read(&device_vcpu, addr, bytes, &value));
	return value;
}

static inline void bus_write(uint64_t addr, uint8_t bytes, uint64_t value)
{
	CHECK(try_bus_write(&device_vcpu, addr, bytes, value));
}

/* The device's registers, as a driver accesses them. */
static inline uint32_t reg_read(uint64_t offset)
{
	return (uint32_t)bus_read(DEVICE_BASE + offset, 4);
}

static inline void reg_write(uint64_t offset, uint32_t value)
{
	bus_write(DEVICE_BASE + offset, 4, value);
}

#endif
