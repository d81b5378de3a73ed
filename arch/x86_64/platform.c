/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual platform of x86_64: memory from 0, IOAPIC, PIT and COM1 where every PC has them. */
#include <axvm/platform.h>

#include "boot.h"

static const struct axvm_config_emu devices[] = {
	{
		.name = "ioapic",
		.base = { 0xfec00000 },
		.bytes = 0x1000,
		.type = AXVM_EMU_X86_IOAPIC,
	},
	{
		.name = "com1",
		.base = { 0x3f8 }, /* an I/O port */
		.bytes = 8,
		.irq = 4,
		.type = AXVM_EMU_CONSOLE,
	},
	{
		.name = "pit",
		.base = { 0x40 }, /* an I/O port */
		.bytes = 4,
		.type = AXVM_EMU_X86_PIT,
	},
};

static const struct axvm_machine machines[] = {
	{ "ioapic", devices, sizeof(devices) / sizeof(devices[0]) },
};

static const struct axvm_boot_block boot_block = {
	.gpa = AXVM_X86_BOOT_GPA,
	.bytes = AXVM_X86_BOOT_BYTES,
	.make = axvm_x86_64_boot_make,
};

const struct axvm_platform axvm_platform_x86_64 = {
	.isa = AXVM_ISA_X86_64,
	.name = "x86_64",
	.ram_base = 0,
	.ram_limit = 0xc0000000, /* PCI and the interrupt controllers are above */
	.high_ram_base = (uint64_t)1 << 32,
	.high_ram_limit = (uint64_t)1 << 40,
	.irq_first = 1,
	.irq_count = 24, /* pins of the IOAPIC */
	.devices = devices,
	.device_count = sizeof(devices) / sizeof(devices[0]),
	.machines = machines,
	.machine_count = sizeof(machines) / sizeof(machines[0]),
	.boot_block = &boot_block,
};
