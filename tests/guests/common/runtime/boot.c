// SPDX-License-Identifier: Apache-2.0
/* What the device tree says of the machine. */
#include "boot.h"

#include <libfdt.h>
#include <string.h>

struct guest_machine guest_machine = { .uart = GUEST_EARLY_UART, .cmdline = "" };
struct guest_cpu guest_cpus[GUEST_CPUS_MAX];
_Alignas(16) uint8_t guest_stacks[GUEST_CPUS_MAX][GUEST_STACK_BYTES];

uint32_t guest_cpu_count(void)
{
	return guest_machine.cpu_count;
}

const char *guest_cmdline(void)
{
	return guest_machine.cmdline;
}

static uint64_t cells(const fdt32_t *cell, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 | fdt32_to_cpu(cell[i]);
	return value;
}

bool guest_fdt_reg(const void *fdt, int node, int index, uint64_t *address, uint64_t *bytes)
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

int guest_fdt_find(const void *fdt, const char *compatible)
{
	return fdt_node_offset_by_compatible(fdt, -1, compatible);
}

bool guest_fdt_cell(const void *fdt, int node, const char *name, int index, uint32_t *value)
{
	int length = 0;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);

	if (cell == NULL || length < (index + 1) * (int)sizeof(*cell))
		return false;
	*value = fdt32_to_cpu(cell[index]);
	return true;
}

static void read_cpus(const void *fdt, struct guest_machine *machine)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;
	uint64_t id;
	uint64_t none;

	if (cpus < 0)
		return;
	fdt_for_each_subnode(node, fdt, cpus)
	{
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);

		if (type == NULL || memcmp(type, "cpu", 4) != 0 ||
		    machine->cpu_count == GUEST_CPUS_MAX ||
		    !guest_fdt_reg(fdt, node, 0, &id, &none))
			continue;
		machine->cpu_id[machine->cpu_count++] = id;
	}
}

static void read_memory(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7);

	if (node < 0 || !guest_fdt_reg(fdt, node, 0, &machine->ram_base, &machine->ram_bytes))
		guest_give_up("the device tree has memory");
}

static void read_cmdline(const void *fdt, struct guest_machine *machine)
{
	int node = fdt_path_offset(fdt, "/chosen");
	const char *text = node < 0 ? NULL : fdt_getprop(fdt, node, "bootargs", NULL);

	if (text != NULL)
		machine->cmdline = text;
}

/* The CPU that runs is the first: the order is made so. */
static void name_cpus(struct guest_machine *machine, uint64_t self)
{
	if (machine->cpu_count == 0)
		machine->cpu_count = 1;
	for (uint32_t i = 1; i < machine->cpu_count; i++) {
		if (machine->cpu_id[i] == self)
			machine->cpu_id[i] = machine->cpu_id[0];
	}
	machine->cpu_id[0] = self;
	for (uint32_t i = 0; i < machine->cpu_count; i++) {
		guest_cpus[i].index = i;
		guest_cpus[i].id = machine->cpu_id[i];
		guest_cpus[i].stack = (uint64_t)(uintptr_t)guest_stacks[i] + GUEST_STACK_BYTES;
	}
}

void guest_machine_read(const void *fdt, uint64_t self)
{
	if (fdt_check_header(fdt) != 0)
		guest_give_up("the first CPU is given a device tree");
	guest_machine_read_isa(fdt);
	read_memory(fdt, &guest_machine);
	read_cpus(fdt, &guest_machine);
	read_cmdline(fdt, &guest_machine);
	name_cpus(&guest_machine, self);
}
