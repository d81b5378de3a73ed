/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's GICv3: distributor, redistributors and CPU interface for the
 * hypervisor's own interrupts [GICv3]. Ends of interrupts are split (EOImode
 * 1), so that an interrupt can be handed to a guest that deactivates it itself.
 */
#include <libfdt.h>

#include <axvm/hal_aarch64.h>

#include "bare.h"
#include "cpu.h"
#include "exit.h"
#include "lines.h"
#include "mmio.h"
#include "sysreg.h"

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IGROUPR 0x0080
#define GICD_ISENABLER 0x0100
#define GICD_ICENABLER 0x0180
#define GICD_ICACTIVER 0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR 0x0c00
#define GICD_IROUTER 0x6000
#define GICD_CTLR_RWP (1u << 31)
#define GICD_CTLR_ARE_GRP1 (1u << 4 | 1u << 1)

#define GICR_FRAME_BYTES 0x20000u
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI 0x10000
#define GICR_IGROUPR0 (GICR_SGI + 0x080)
#define GICR_ISENABLER0 (GICR_SGI + 0x100)
#define GICR_ICENABLER0 (GICR_SGI + 0x180)
#define GICR_ISACTIVER0 (GICR_SGI + 0x300)
#define GICR_ICACTIVER0 (GICR_SGI + 0x380)
#define GICR_IPRIORITYR0 (GICR_SGI + 0x400)
#define WAKER_PROCESSOR_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)

/* Keeps a rare path's registers out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))

#define PRIORITY 0xa0u
#define SPI_LIMIT 1020u
#define REGIONS_MAX 4u

struct region {
	uint64_t hpa;
	uint64_t bytes;
};

static uintptr_t gicd;
static struct region regions[1 + REGIONS_MAX]; /* the distributor, then the redistributors */
static uint32_t region_count;
static uint32_t spi_limit;
static struct axvm_lock config_lock = { .rank = AXVM_LOCK_LEAF }; /* of GICD_ICFGR */

static uint64_t cells(const fdt32_t *cell, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 | fdt32_to_cpu(cell[i]);
	return value;
}

static bool read_regions(const void *fdt, int node)
{
	int parent = fdt_parent_offset(fdt, node);
	int address = fdt_address_cells(fdt, parent);
	int size = fdt_size_cells(fdt, parent);
	int bytes = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);
	const fdt32_t *count = fdt_getprop(fdt, node, "#redistributor-regions", NULL);
	uint32_t wanted = 1 + (count == NULL ? 1 : fdt32_to_cpu(*count));

	if (reg == NULL || wanted > 1 + REGIONS_MAX || bytes < (int)wanted * (address + size) * 4)
		return false;
	for (region_count = 0; region_count < wanted; region_count++) {
		regions[region_count].hpa = cells(reg, address);
		regions[region_count].bytes = cells(reg + address, size);
		reg += address + size;
	}
	return true;
}

static void wait_for_write(void)
{
	while ((axvm_mmio_read32(gicd + GICD_CTLR) & GICD_CTLR_RWP) != 0)
		;
}

static void init_distributor(void)
{
	uint32_t lines = (axvm_mmio_read32(gicd + GICD_TYPER) & 0x1f) + 1;

	spi_limit = lines * 32 < SPI_LIMIT ? lines * 32 : SPI_LIMIT;
	axvm_mmio_write32(gicd + GICD_CTLR, 0);
	wait_for_write();
	for (uint32_t i = AXVM_INTID_SPI; i < spi_limit; i += 32) {
		axvm_mmio_write32(gicd + GICD_ICENABLER + i / 8, UINT32_MAX);
		axvm_mmio_write32(gicd + GICD_IGROUPR + i / 8, UINT32_MAX);
	}
	for (uint32_t i = AXVM_INTID_SPI; i < spi_limit; i += 4)
		axvm_mmio_write32(gicd + GICD_IPRIORITYR + i, PRIORITY * 0x01010101u);
	axvm_mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ARE_GRP1);
	wait_for_write();
}

bool axvm_bare_irq_init(const void *fdt, const char **why)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");

	if (node < 0) {
		bool old = fdt_node_offset_by_compatible(fdt, -1, "arm,cortex-a15-gic") >= 0 ||
			   fdt_node_offset_by_compatible(fdt, -1, "arm,gic-400") >= 0;
		*why = old ? "this machine has a GICv2, which is not supported: a GICv3 is needed "
			     "(QEMU: -M virt,gic-version=3)"
			   : "the machine's device tree has no GICv3 (compatible \"arm,gic-v3\")";
		return false;
	}
	if ((read_id_aa64pfr0_el1() >> 24 & 0xf) == 0) {
		*why = "the CPU has no system-register interface to its GICv3 "
		       "(ID_AA64PFR0_EL1.GIC is 0)";
		return false;
	}
	if (!read_regions(fdt, node)) {
		*why = "the GICv3's reg property in the machine's device tree is malformed";
		return false;
	}
	for (uint32_t i = 0; i < region_count; i++) {
		if (axvm_bare_map_device(axvm_hpa(regions[i].hpa), regions[i].bytes) == NULL) {
			*why = "no memory to map the interrupt controller";
			return false;
		}
	}
	gicd = (uintptr_t)axvm_bare_map_device(axvm_hpa(regions[0].hpa), regions[0].bytes);
	init_distributor();
	axvm_bare_lines_init(fdt, node);
	return true;
}

bool axvm_bare_irq_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < region_count; i++) {
		if (axvm_ranges_overlap(hpa.addr, bytes, regions[i].hpa, regions[i].bytes))
			return true;
	}
	return false;
}

/* The redistributor whose TYPER names this CPU's affinity; 0: none. */
static uintptr_t find_redistributor(uint64_t hardware_id)
{
	uint64_t affinity = (hardware_id >> 8 & 0xff000000) | (hardware_id & 0xffffff);

	for (uint32_t i = 1; i < region_count; i++) {
		for (uint64_t at = 0; at + GICR_FRAME_BYTES <= regions[i].bytes;
		     at += GICR_FRAME_BYTES) {
			uintptr_t frame = (uintptr_t)axvm_hal_map(axvm_hpa(regions[i].hpa + at),
								  GICR_FRAME_BYTES);
			uint64_t typer = axvm_mmio_read64(frame + GICR_TYPER);
			if (typer >> 32 == affinity)
				return frame;
			if ((typer & 1u << 4) != 0) /* Last */
				break;
		}
	}
	return 0;
}

static void wake_redistributor(uintptr_t frame)
{
	uint32_t waker = axvm_mmio_read32(frame + GICR_WAKER);

	axvm_mmio_write32(frame + GICR_WAKER, waker & ~WAKER_PROCESSOR_SLEEP);
	while ((axvm_mmio_read32(frame + GICR_WAKER) & WAKER_CHILDREN_ASLEEP) != 0)
		;
}

void axvm_bare_gic_cpu_init(struct axvm_cpu *cpu)
{
	uintptr_t frame = find_redistributor(cpu->hardware_id);

	if (frame == 0)
		axvm_hal_panic(__FILE__, __LINE__, "no GICv3 redistributor names this CPU");
	cpu->interrupt_frame = frame;
	wake_redistributor(frame);
	axvm_mmio_write32(frame + GICR_ICENABLER0, UINT32_MAX);
	axvm_mmio_write32(frame + GICR_ICACTIVER0, UINT32_MAX);
	axvm_mmio_write32(frame + GICR_IGROUPR0, UINT32_MAX);
	for (uint32_t i = 0; i < AXVM_INTID_SPI; i += 4)
		axvm_mmio_write32(frame + GICR_IPRIORITYR0 + i, PRIORITY * 0x01010101u);
	axvm_mmio_write32(frame + GICR_ISENABLER0, 1u << AXVM_INTID_KICK |
							   1u << AXVM_INTID_MAINTENANCE |
							   1u << AXVM_INTID_HYPERVISOR_TIMER |
							   1u << AXVM_INTID_VIRTUAL_TIMER);
	write_icc_sre_el2(0xf);
	axvm_isb();
	write_icc_pmr_el1(0xff);
	write_icc_bpr1_el1(0);
	write_icc_ctlr_el1(1u << 1); /* EOImode: drop and deactivate apart */
	write_ich_hcr_el2(0);
	write_icc_igrpen1_el1(1);
	axvm_isb();
}

void axvm_bare_gic_set_active(struct axvm_cpu *cpu, uint32_t intid, bool active)
{
	uint32_t offset = active ? GICR_ISACTIVER0 : GICR_ICACTIVER0;

	axvm_mmio_write32(cpu->interrupt_frame + offset, 1u << intid);
}

void axvm_hal_aarch64_irq_deactivate(uint32_t intid)
{
	if (intid < AXVM_INTID_SPI)
		axvm_bare_gic_set_active(axvm_bare_this_cpu(), intid, false);
	else if (intid < spi_limit)
		axvm_mmio_write32(gicd + GICD_ICACTIVER + intid / 32 * 4, 1u << intid % 32);
}

uint32_t axvm_bare_gic_spi_limit(void)
{
	return spi_limit;
}

void axvm_bare_gic_disable_spi(uint32_t intid)
{
	axvm_mmio_write32(gicd + GICD_ICENABLER + intid / 32 * 4, 1u << intid % 32);
	wait_for_write();
}

/* A route is changed while the interrupt is disabled, as [GICv3 12.9.22] asks. */
void axvm_bare_gic_route_spi(uint32_t intid, const struct axvm_cpu *cpu)
{
	axvm_bare_gic_disable_spi(intid);
	axvm_mmio_write64(gicd + GICD_IROUTER + 8ULL * intid, cpu->hardware_id);
	axvm_mmio_write32(gicd + GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void axvm_bare_gic_enable_spi(uint32_t intid, bool edge, const struct axvm_cpu *cpu)
{
	uintptr_t config = gicd + GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << (intid % 16 * 2);

	axvm_lock_take(&config_lock);
	uint32_t value = axvm_mmio_read32(config);
	axvm_mmio_write32(config, edge ? value | bit : value & ~bit);
	axvm_lock_drop(&config_lock);
	axvm_bare_gic_route_spi(intid, cpu);
}

/* [DT, arm,gic-v3]: type (0 SPI, 1 PPI), number, flags (1 and 2 edge, 4 and 8 level). */
uint32_t axvm_bare_irq_from_fdt(const uint32_t *cell, uint32_t count, bool *edge)
{
	if (count < 3)
		return UINT32_MAX;
	*edge = (fdt32_to_cpu(cell[2]) & 3) != 0;
	return fdt32_to_cpu(cell[1]) + (fdt32_to_cpu(cell[0]) == 0 ? AXVM_INTID_SPI : 16);
}

void axvm_hal_cpu_kick(uint32_t cpu)
{
	uint64_t id = axvm_cpus[cpu].hardware_id;
	uint64_t aff0 = id & 0xff;

	axvm_dsb_ish(); /* what the other CPU shall see is visible before the interrupt */
	write_icc_sgi1r_el1((id >> 32 & 0xff) << 48 | (id >> 16 & 0xff) << 32 |
			    (id >> 8 & 0xff) << 16 | (aff0 >> 4) << 44 | 1u << (aff0 & 0xf) |
			    (uint64_t)AXVM_INTID_KICK << 24);
	axvm_isb();
}

OUT_OF_LINE static void take(struct axvm_vcpu *vcpu, uint32_t intid)
{
	write_icc_eoir1_el1(intid);
	if (intid >= AXVM_INTID_SPI && axvm_bare_line_arrived(intid))
		return; /* active until the guest deactivates it */
	if (intid == AXVM_INTID_HYPERVISOR_TIMER)
		axvm_timer_interrupt(axvm_bare_this_cpu());
	else if (intid == AXVM_INTID_MAINTENANCE && vcpu != NULL)
		axvm_aarch64_maintenance(vcpu);
	else if (intid >= AXVM_INTID_SPI)
		(void)axvm_bare_line_handle(intid);
	write_icc_dir_el1(intid);
}

enum axvm_verdict axvm_bare_exit_irq(struct axvm_vcpu *vcpu)
{
	uint32_t intid = (uint32_t)read_icc_iar1_el1();

	if (intid == AXVM_INTID_VIRTUAL_TIMER) {
		/* Stays active here until the guest deactivates it through its list register. */
		write_icc_eoir1_el1(intid);
		axvm_aarch64_virtual_timer_fired(vcpu);
	} else if (intid < SPI_LIMIT) {
		take(vcpu, intid);
	}
	return AXVM_ENTER;
}

void axvm_bare_idle(void)
{
	axvm_wfi();
	for (;;) {
		uint32_t intid = (uint32_t)read_icc_iar1_el1();
		if (intid >= SPI_LIMIT)
			return;
		take(NULL, intid);
	}
}
