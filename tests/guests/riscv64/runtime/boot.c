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

void guest_machine_read_isa(const void *fdt)
{
	int node = guest_fdt_find(fdt, "ns16550a");
	uint64_t bytes;

	if (node >= 0 && guest_fdt_reg(fdt, node, 0, &guest_machine.uart, &bytes))
		(void)guest_fdt_cell(fdt, node, "interrupts", 0, &guest_machine.uart_irq);
	read_cpu(fdt);
	guest_plic_read(fdt);
}

uint32_t guest_device_places(uint64_t *places, uint32_t max)
{
	const uint64_t all[] = { guest_machine.uart, guest_plic.base,
				 guest_plic.base + PLIC_PENDING, guest_plic.base + PLIC_ENABLE,
				 guest_plic.base + PLIC_THRESHOLD };
	uint32_t count = guest_plic.base != 0 ? sizeof(all) / sizeof(all[0]) : 1;

	for (uint32_t i = 0; i < count && i < max; i++)
		places[i] = all[i];
	return count < max ? count : max;
}

void guest_first_cpu(const void *fdt, uint64_t hart)
{
	guest_machine_read(fdt, hart);
	guest_plic_start(fdt);
	guest_plic_start_cpu();
	guest_main();
	guest_power_off();
}
