/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual platform of riscv64: addresses and interrupts of QEMU's `virt` machine. */
#include <axvm/platform.h>

/* Two contexts, M and S, for each hart that a VM may have. */
static const uint64_t plic_args[] = { 2 * AXVM_VCPUS_MAX };

static const struct axvm_config_emu devices[] = {
	{
		.name = "plic",
		.base = { 0x0c000000 },
		.bytes = 0x600000,
		.type = AXVM_EMU_PPPT_GLOBAL,
		.args = plic_args,
		.arg_count = 1,
	},
	{
		.name = "uart",
		.base = { 0x10000000 },
		.bytes = 0x100,
		.irq = 10,
		.type = AXVM_EMU_NS16550,
	},
};

const struct axvm_platform axvm_platform_riscv64 = {
	.isa = AXVM_ISA_RISCV64,
	.name = "riscv64",
	.ram_base = 0x80000000,
	.ram_limit = 0x10000000000, /* half of what Sv39x4 translates; beyond it is PCI on `virt` */
	.irq_count = 96,
	.devices = devices,
	.device_count = sizeof(devices) / sizeof(devices[0]),
};
