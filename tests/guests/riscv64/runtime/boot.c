// SPDX-License-Identifier: Apache-2.0
/* From the start code to guest_main(): reads the device tree, starts the interrupt controller. */
#include "internal.h"

#include <libfdt.h>
#include <string.h>

static uint64_t timebase_hz;
static const char *isa = "";

uint64_t guest_hz(void)
{
	return timebase_hz;
}

void guest_console_put(char byte)
{
	while ((guest_read8(guest_machine.uart + 5) & 0x20) == 0) /* LSR.THRE */
		;
	guest_write8(guest_machine.uart, (uint8_t)byte);
}

/* Single letters stand before the first underscore, after "rv64". */
static bool has_letter(char letter)
{
	for (const char *at = isa + 4; *at != '\0' && *at != '_'; at++) {
		if (*at == letter)
			return true;
	}
	return false;
}

bool guest_isa_has(const char *extension)
{
	size_t length = strlen(extension);

	if (strlen(isa) < 4)
		return false;
	if (length == 1)
		return has_letter(extension[0]);
	for (const char *at = strchr(isa, '_'); at != NULL; at = strchr(at, '_')) {
		at++;
		if (strncmp(at, extension, length) == 0 &&
		    (at[length] == '_' || at[length] == '\0'))
			return true;
	}
	return false;
}

static void read_cpu(const void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node = fdt_node_offset_by_prop_value(fdt, cpus, "device_type", "cpu", 4);
	const char *text = node < 0 ? NULL : fdt_getprop(fdt, node, "riscv,isa", NULL);
	uint32_t hz = 0;

	if (text == NULL || !guest_fdt_cell(fdt, cpus, "timebase-frequency", 0, &hz))
		guest_give_up("the device tree has riscv,isa and timebase-frequency");
	isa = text;
	timebase_hz = hz;
}

int guest_fdt_cpu_of_phandle(const void *fdt, uint32_t phandle)
{
	int node = fdt_node_offset_by_phandle(fdt, phandle);
	uint64_t id;
	uint64_t none;

	if (node < 0 || !guest_fdt_reg(fdt, fdt_parent_offset(fdt, node), 0, &id, &none))
		return -1;
	for (uint32_t i = 0; i < guest_machine.cpu_count; i++) {
		if (guest_machine.cpu_id[i] == id)
			return (int)i;
	}
	return -1;
}

void guest_machine_read_isa(const void *fdt)
{
	int node = guest_fdt_find(fdt, "ns16550a");
	uint64_t bytes;

	if (node >= 0 && guest_fdt_reg(fdt, node, 0, &guest_machine.uart, &bytes))
		(void)guest_fdt_cell(fdt, node, "interrupts", 0, &guest_machine.uart_irq);
	read_cpu(fdt);
	guest_plic_read(fdt);
}

void guest_controller_start_cpu(void)
{
	guest_plic_start_cpu();
	SET_CSR(sie, IRQ_BIT_EXTERNAL);
}

void guest_external_enable(uint32_t source)
{
	uint32_t cpu = (uint32_t)guest_this_cpu()->index;

	if (guest_plic.base != 0) {
		guest_plic_priority(source, 1);
		guest_plic_enable(cpu, source, true);
		return;
	}
	guest_aia_start();
	guest_aia_start_cpu();
	if (guest_aia.imsic != 0)
		guest_aia_enable_id(source, true);
	guest_aia_route(source, cpu, GUEST_APLIC_LEVEL);
}

void guest_external_disable(uint32_t source)
{
	uint32_t cpu = (uint32_t)guest_this_cpu()->index;

	if (guest_plic.base != 0)
		guest_plic_enable(cpu, source, false);
	else
		guest_aia_route(source, cpu, 0);
	if (guest_aia.imsic != 0)
		guest_aia_enable_id(source, false);
}

uint32_t guest_device_places(uint64_t *places, uint32_t max)
{
	const uint64_t plic = guest_plic.base;
	const uint64_t aplic = guest_aia.aplic;
	const uint64_t all[] = { guest_machine.uart, plic, plic + PLIC_PENDING, plic + PLIC_ENABLE,
				 plic + PLIC_THRESHOLD };
	const uint64_t of_aplic[] = { guest_machine.uart, aplic, aplic + 0x1c00, aplic + 0x3000 };
	uint32_t count = plic != 0 ? 5 : aplic != 0 ? 4 : 1;

	for (uint32_t i = 0; i < count && i < max; i++)
		places[i] = plic != 0 ? all[i] : of_aplic[i];
	return count < max ? count : max;
}

void guest_first_cpu(const void *fdt, uint64_t hart)
{
	guest_machine_read(fdt, hart);
	guest_plic_start(fdt);
	guest_aia_read_tree(fdt); /* which names CPUs */
	guest_controller_start_cpu();
	guest_main();
	guest_power_off();
}
