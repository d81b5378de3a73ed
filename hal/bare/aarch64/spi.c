/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared interrupts of the host that VMs have. One that arrives stays active at the
 * distributor until its guest deactivates it through a list register, so it can neither
 * storm nor be lost while the guest does not run.
 */
#include <axvm/hal_aarch64.h>

#include "cpu.h"
#include "exit.h"
#include "lines.h"

bool axvm_bare_line_exists(uint32_t irq)
{
	return irq >= AXVM_INTID_SPI && irq < axvm_bare_gic_spi_limit();
}

void axvm_bare_line_open(uint32_t irq, bool edge, struct axvm_cpu *cpu)
{
	axvm_bare_gic_enable_spi(irq, edge, cpu);
}

void axvm_bare_line_close(uint32_t irq)
{
	axvm_bare_gic_disable_spi(irq);
	axvm_hal_aarch64_irq_deactivate(irq);
}

/* The next one comes where the first vCPU runs now. */
static void follow(const struct axvm_vm *vm, uint32_t intid)
{
	uint32_t cpu = atomic_load_explicit(&vm->vcpus[0]->cpu, memory_order_relaxed);

	if (cpu != AXVM_CPU_NONE && cpu != axvm_bare_this_cpu()->index)
		axvm_bare_gic_route_spi(intid, &axvm_cpus[cpu]);
}

bool axvm_bare_line_bring(struct axvm_vm *vm, uint32_t irq)
{
	if (axvm_aarch64_physical_spi(vm, irq) != 0) {
		axvm_bare_gic_disable_spi(irq); /* nobody would quiet the device */
		return false;
	}
	follow(vm, irq);
	return true;
}
