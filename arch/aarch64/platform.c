/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual platform of this ISA: addresses and interrupts of QEMU's `virt` with a
 * GICv3, and the device-tree nodes that belong to the machine itself.
 */
#include <axvm/platform.h>

#include "guest_fdt.h"

#define RAM_BASE 0x40000000ULL
#define RAM_LIMIT (1ULL << 40)
#define GICD_BASE 0x08000000ULL
#define GICD_BYTES 0x10000ULL
#define GICR_BASE 0x080a0000ULL
#define GICR_VCPU_BYTES 0x20000ULL
#define IRQ_COUNT 1020u /* INTIDs; SPIs end at 1019 */

/* Interrupt specifiers [DT, arm,gic-v3]. */
#define FDT_PPI 1u
#define FDT_CELLS 3u
#define FDT_SPI_FIRST 32u
#define FDT_LEVEL_HIGH 4u

static const uint64_t gic_args[] = { GICR_BASE };

static const struct axvm_config_emu devices[] = {
	{ .name = "gicv3",
	  .base = { GICD_BASE },
	  .bytes = GICD_BYTES,
	  .type = AXVM_EMU_GICV3,
	  .args = gic_args,
	  .arg_count = 1 },
	{ .name = "pl011",
	  .base = { 0x09000000 },
	  .bytes = 0x1000,
	  .irq = 33,
	  .type = AXVM_EMU_PL011 },
	{ .name = "pl031",
	  .base = { 0x09010000 },
	  .bytes = 0x1000,
	  .irq = 34,
	  .type = AXVM_EMU_PL031 },
};

static const struct axvm_machine machines[] = {
	{ "gicv3", devices, sizeof(devices) / sizeof(devices[0]) },
};

static void put_cpu(struct axvm_guest_fdt *fdt, uint64_t affinity, bool wide)
{
	const uint32_t reg[] = { (uint32_t)(affinity >> 32), (uint32_t)affinity };

	axvm_guest_fdt_begin_at(fdt, "cpu", affinity);
	axvm_guest_fdt_string(fdt, "device_type", "cpu");
	axvm_guest_fdt_string(fdt, "compatible", "arm,armv8");
	axvm_guest_fdt_cells(fdt, "reg", wide ? reg : reg + 1, wide ? 2 : 1);
	axvm_guest_fdt_string(fdt, "enable-method", "psci");
	axvm_guest_fdt_end(fdt);
}

static void put_cpus(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	bool wide = false;

	for (uint32_t i = 0; i < config->vcpu_count; i++)
		wide = wide || axvm_guest_cpu_id(config, AXVM_ISA_AARCH64, i) >> 32 != 0;
	axvm_guest_fdt_begin(fdt, "cpus");
	axvm_guest_fdt_u32(fdt, "#address-cells", wide ? 2 : 1);
	axvm_guest_fdt_u32(fdt, "#size-cells", 0);
	for (uint32_t i = 0; i < config->vcpu_count; i++)
		put_cpu(fdt, axvm_guest_cpu_id(config, AXVM_ISA_AARCH64, i), wide);
	axvm_guest_fdt_end(fdt);
}

static void put_psci(struct axvm_guest_fdt *fdt)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	axvm_guest_fdt_begin(fdt, "psci");
	axvm_guest_fdt_bytes(fdt, "compatible", compatible, sizeof(compatible));
	axvm_guest_fdt_string(fdt, "method", "hvc");
	axvm_guest_fdt_end(fdt);
}

/* Secure physical, physical, virtual and hypervisor timer, in the binding's order. */
static void put_timer(struct axvm_guest_fdt *fdt)
{
	static const uint32_t interrupts[] = {
		FDT_PPI, 13, FDT_LEVEL_HIGH, FDT_PPI, 14, FDT_LEVEL_HIGH,
		FDT_PPI, 11, FDT_LEVEL_HIGH, FDT_PPI, 10, FDT_LEVEL_HIGH,
	};

	axvm_guest_fdt_begin(fdt, "timer");
	axvm_guest_fdt_string(fdt, "compatible", "arm,armv8-timer");
	axvm_guest_fdt_cells(fdt, "interrupts", interrupts, 12);
	axvm_guest_fdt_flag(fdt, "always-on");
	axvm_guest_fdt_end(fdt);
}

/* Where the configuration's controller is; the default one when it has none of this type. */
static const struct axvm_config_emu *find_gic(const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (config->emu[i].type == AXVM_EMU_GICV3)
			return &config->emu[i];
	}
	return &devices[0];
}

static void put_gic(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	const struct axvm_config_emu *gic = find_gic(config);
	uint64_t gicd = gic->base.addr;
	uint64_t gicr = gic->arg_count > 0 ? gic->args[0] : gicd + (GICR_BASE - GICD_BASE);
	uint64_t gicr_bytes = GICR_VCPU_BYTES * config->vcpu_count;
	const uint32_t reg[] = {
		(uint32_t)(gicd >> 32), (uint32_t)gicd, 0, GICD_BYTES,
		(uint32_t)(gicr >> 32), (uint32_t)gicr, 0, (uint32_t)gicr_bytes,
	};

	axvm_guest_fdt_begin_at(fdt, "intc", gicd);
	axvm_guest_fdt_string(fdt, "compatible", "arm,gic-v3");
	axvm_guest_fdt_flag(fdt, "interrupt-controller");
	axvm_guest_fdt_u32(fdt, "#interrupt-cells", FDT_CELLS);
	axvm_guest_fdt_u32(fdt, "#address-cells", 2);
	axvm_guest_fdt_u32(fdt, "#size-cells", 2);
	axvm_guest_fdt_flag(fdt, "ranges");
	axvm_guest_fdt_u32(fdt, "#redistributor-regions", 1);
	axvm_guest_fdt_cells(fdt, "reg", reg, 8);
	axvm_guest_fdt_u32(fdt, "phandle", fdt->intc_phandle);
	axvm_guest_fdt_end(fdt);
	fdt->irq_cells = FDT_CELLS;
	fdt->irq_first = FDT_SPI_FIRST;
}

static int fdt_machine(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	put_cpus(fdt, config);
	put_psci(fdt);
	put_timer(fdt);
	put_gic(fdt, config);
	return fdt->error == 0 ? 0 : AXVM_ENOMEM;
}

const struct axvm_platform axvm_platform_aarch64 = {
	.isa = AXVM_ISA_AARCH64,
	.name = "aarch64",
	.ram_base = RAM_BASE,
	.ram_limit = RAM_LIMIT,
	.irq_first = 32, /* SPIs */
	.irq_count = IRQ_COUNT,
	.devices = devices,
	.device_count = sizeof(devices) / sizeof(devices[0]),
	.machines = machines,
	.machine_count = sizeof(machines) / sizeof(machines[0]),
	.fdt_has_root_controller = true,
	.fdt_machine = fdt_machine,
};
