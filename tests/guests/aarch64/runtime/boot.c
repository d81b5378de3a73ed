// SPDX-License-Identifier: Apache-2.0
/* From the start code to guest_main(): reads the device tree, starts the interrupt controller. */
#include "internal.h"

struct guest_cpu *guest_this_cpu(void)
{
	return (struct guest_cpu *)(uintptr_t)READ_SYSREG(tpidr_el1);
}

void guest_console_put(char byte)
{
	while (guest_read32(guest_machine.uart + 0x18) & 0x20) /* FR.TXFF */
		;
	guest_write32(guest_machine.uart, (uint8_t)byte);
}

static void read_uart(const void *fdt, struct guest_machine *machine)
{
	int node = guest_fdt_find(fdt, "arm,pl011");
	uint64_t bytes;

	if (node < 0 || !guest_fdt_reg(fdt, node, 0, &machine->uart, &bytes))
		return;
	if (guest_fdt_cell(fdt, node, "interrupts", 1, &machine->uart_irq))
		machine->uart_irq += 32;
}

void guest_machine_read_isa(const void *fdt)
{
	int node = guest_fdt_find(fdt, "arm,gic-v3");
	uint64_t bytes;

	read_uart(fdt, &guest_machine);
	if (node < 0 || !guest_fdt_reg(fdt, node, 0, &guest_gic.distributor, &bytes) ||
	    !guest_fdt_reg(fdt, node, 1, &guest_gic.redistributors,
			   &guest_gic.redistributors_bytes))
		guest_give_up("the device tree has a GICv3");
}

uint32_t guest_device_places(uint64_t *places, uint32_t max)
{
	const uint64_t all[] = { guest_gic.distributor + GICD_IPRIORITYR,
				 guest_gic.redistributors + GICR_SGI,
				 guest_gic.distributor + 0x10000 - 0x200, guest_machine.uart };
	uint32_t count = sizeof(all) / sizeof(all[0]);

	for (uint32_t i = 0; i < count && i < max; i++)
		places[i] = all[i];
	return count < max ? count : max;
}

void guest_first_cpu(const void *fdt)
{
	guest_machine_read(fdt, READ_SYSREG(mpidr_el1) & 0xff00ffffffull);
	guest_mmu_tighten();
	guest_gic_start_distributor();
	guest_gic_start_cpu();
	guest_main();
	guest_power_off();
}
