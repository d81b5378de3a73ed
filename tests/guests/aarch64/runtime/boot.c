// SPDX-License-Identifier: Apache-2.0
/* From the start code to guest_main(): reads the device tree, starts the interrupt controller. */
#include <libfdt.h>

#include "internal.h"

struct guest_machine guest_machine = { .uart = 0x09000000, .cmdline = "" };
struct guest_cpu guest_cpus[GUEST_CPUS_MAX];
_Alignas(16) uint8_t guest_stacks[GUEST_CPUS_MAX][GUEST_STACK_BYTES];

struct guest_cpu *guest_this_cpu(void)
{
	return (struct guest_cpu *)(uintptr_t)READ_SYSREG(tpidr_el1);
}

uint32_t guest_cpu_count(void)
{
	return guest_machine.cpu_count;
}

const char *guest_cmdline(void)
{
	return guest_machine.cmdline;
}

void guest_console_put(char byte)
{
	while (guest_read32(guest_machine.uart + 0x18) & 0x20) /* FR.TXFF */
		;
	guest_write32(guest_machine.uart, (uint8_t)byte);
}

static uint64_t cells(const fdt32_t *cell, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 | fdt32_to_cpu(cell[i]);
	return value;
}

/* The index-th (address, size) of a node's "reg". */
static bool read_reg(const void *fdt, int node, int index, uint64_t *address, uint64_t *bytes)
{
	int parent = fdt_parent_offset(fdt, node);
	int address_cells = fdt_address_cells(fdt, parent);
	int size_cells = fdt_size_cells(fdt, parent);
	int length = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);
	int entry = address_cells + size_cells;

	if (reg == NULL || length < (index + 1) * entry * (int)sizeof(*reg))
		return false;
	*address = cells(&reg[index * entry], address_cells);
	*bytes = cells(&reg[index * entry + address_cells], size_cells);
	return true;
}

static void read_uart(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	int length = 0;
	uint64_t bytes;

	if (node < 0 || !read_reg(fdt, node, 0, &machine->uart, &bytes))
		return;
	const fdt32_t *irq = fdt_getprop(fdt, node, "interrupts", &length);
	if (irq != NULL && length >= 3 * (int)sizeof(*irq))
		machine->uart_irq = fdt32_to_cpu(irq[1]) + 32;
}

static void read_gic(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
	uint64_t bytes;

	if (node < 0 || !read_reg(fdt, node, 0, &machine->distributor, &bytes) ||
	    !read_reg(fdt, node, 1, &machine->redistributors, &machine->redistributors_bytes))
		guest_give_up("the device tree has a GICv3");
}

static void read_cpus(const void *fdt, struct guest_machine *machine)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;
	uint64_t mpidr;
	uint64_t none;

	if (cpus < 0)
		return;
	fdt_for_each_subnode(node, fdt, cpus)
	{
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);

		if (type == NULL || memcmp(type, "cpu", 4) != 0 ||
		    machine->cpu_count == GUEST_CPUS_MAX || !read_reg(fdt, node, 0, &mpidr, &none))
			continue;
		machine->mpidr[machine->cpu_count++] = mpidr;
	}
}

static void read_memory(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7);

	if (node < 0 || !read_reg(fdt, node, 0, &machine->ram_base, &machine->ram_bytes))
		guest_give_up("the device tree has memory");
}

static void read_cmdline(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_path_offset(fdt, "/chosen");
	const char *text = node < 0 ? NULL : fdt_getprop(fdt, node, "bootargs", NULL);

	if (text != NULL)
		machine->cmdline = text;
}

/* The caller is the CPU whose MPIDR is mpidr[0]: the order is made so. */
static void name_cpus(struct guest_machine *machine)
{
	uint64_t self = READ_SYSREG(mpidr_el1) & 0xff00ffffffull;

	if (machine->cpu_count == 0)
		machine->cpu_count = 1;
	for (uint32_t i = 1; i < machine->cpu_count; i++) {
		if (machine->mpidr[i] == self) {
			machine->mpidr[i] = machine->mpidr[0];
			machine->mpidr[0] = self;
		}
	}
	machine->mpidr[0] = self;
	for (uint32_t i = 0; i < machine->cpu_count; i++) {
		guest_cpus[i].index = i;
		guest_cpus[i].mpidr = machine->mpidr[i];
		guest_cpus[i].stack = (uint64_t)(uintptr_t)guest_stacks[i] + GUEST_STACK_BYTES;
	}
}

void guest_first_cpu(const void *fdt)
{
	if (fdt_check_header(fdt) != 0)
		guest_give_up("x0 holds a device tree");
	read_uart(fdt, &guest_machine);
	read_memory(fdt, &guest_machine);
	read_gic(fdt, &guest_machine);
	read_cpus(fdt, &guest_machine);
	read_cmdline(fdt, &guest_machine);
	name_cpus(&guest_machine);
	guest_mmu_tighten();
	guest_gic_start_distributor();
	guest_gic_start_cpu();
	guest_main();
	guest_power_off();
}
