// SPDX-License-Identifier: Apache-2.0
/* GICv3 driver: one security state's view, all interrupts in group 1, system registers [GICv3]. */
#include "internal.h"

#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_DIR_EL1 s3_0_c12_c11_1
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICC_BPR1_EL1 s3_0_c12_c12_3
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7

struct guest_gic guest_gic;

uint64_t guest_gic_redistributor(void)
{
	return guest_gic.redistributor[guest_this_cpu()->index];
}

static void wait_for_writes(uint64_t base)
{
	while (guest_read32(base + GICD_CTLR) & 1u << 31)
		;
}

void guest_gic_start_distributor(void)
{
	uint64_t base = guest_gic.distributor;
	uint32_t lines = (guest_read32(base + GICD_TYPER) & 0x1f) + 1;

	guest_write32(base + GICD_CTLR, 1u << 4); /* affinity routing */
	wait_for_writes(base);
	for (uint32_t i = 1; i < lines; i++) {
		guest_write32(base + GICD_ICENABLER + 4 * i, ~0u);
		guest_write32(base + GICD_ICPENDR + 4 * i, ~0u);
		guest_write32(base + GICD_ICACTIVER + 4 * i, ~0u);
		guest_write32(base + GICD_IGROUPR + 4 * i, ~0u);
	}
	guest_write32(base + GICD_CTLR, 1u << 4 | 1u << 1);
	wait_for_writes(base);
}

/* The redistributor whose affinity is this CPU's. */
static uint64_t find_redistributor(uint64_t mpidr)
{
	uint64_t affinity = (mpidr >> 8 & 0xff000000u) | (mpidr & 0xffffff);
	uint64_t at = guest_gic.redistributors;
	uint64_t end = at + guest_gic.redistributors_bytes;

	for (; at < end; at += 0x20000) {
		uint64_t typer = guest_read64(at + GICR_TYPER);

		if (typer >> 32 == affinity)
			return at;
		if (typer & 1u << 4) /* the last one */
			break;
	}
	guest_give_up("every CPU has a redistributor");
}

void guest_gic_start_cpu(void)
{
	struct guest_cpu *cpu = guest_this_cpu();
	uint64_t base = find_redistributor(cpu->id);

	guest_gic.redistributor[cpu->index] = base;
	guest_write32(base + GICR_WAKER, guest_read32(base + GICR_WAKER) & ~2u);
	while (guest_read32(base + GICR_WAKER) & 4)
		;
	guest_write32(base + GICR_SGI + GICD_ICENABLER, ~0u);
	guest_write32(base + GICR_SGI + GICD_ICPENDR, ~0u);
	guest_write32(base + GICR_SGI + GICD_ICACTIVER, ~0u);
	guest_write32(base + GICR_SGI + GICD_IGROUPR, ~0u);
	for (uint32_t intid = 0; intid < 32; intid++)
		guest_gic_set_priority(intid, 0xa0);
	WRITE_SYSREG(ICC_SRE_EL1, READ_SYSREG(ICC_SRE_EL1) | 1);
	WRITE_SYSREG(ICC_CTLR_EL1, 0);
	WRITE_SYSREG(ICC_BPR1_EL1, 0);
	WRITE_SYSREG(ICC_PMR_EL1, 0xff);
	WRITE_SYSREG(ICC_IGRPEN1_EL1, 1);
}

/* The frame that holds an interrupt's registers: the distributor, or this CPU's SGI frame. */
static uint64_t frame(uint32_t intid)
{
	if (intid >= 32)
		return guest_gic.distributor;
	return guest_gic_redistributor() + GICR_SGI;
}

static uint64_t bit_register(uint32_t intid, uint32_t offset)
{
	return frame(intid) + offset + 4 * (intid / 32);
}

static void set_bit(uint32_t intid, uint32_t offset)
{
	guest_write32(bit_register(intid, offset), 1u << intid % 32);
	guest_barrier();
}

static bool get_bit(uint32_t intid, uint32_t offset)
{
	return guest_read32(bit_register(intid, offset)) >> intid % 32 & 1;
}

void guest_gic_enable(uint32_t intid)
{
	set_bit(intid, GICD_ISENABLER);
}

void guest_gic_disable(uint32_t intid)
{
	set_bit(intid, GICD_ICENABLER);
	wait_for_writes(frame(intid));
}

void guest_gic_set_priority(uint32_t intid, uint8_t priority)
{
	guest_write8(frame(intid) + GICD_IPRIORITYR + intid, priority);
}

void guest_gic_set_edge(uint32_t intid, bool edge)
{
	uint64_t at = frame(intid) + GICD_ICFGR + 4 * (intid / 16);
	uint32_t bit = 2u << 2 * (intid % 16);
	uint32_t value = guest_read32(at);

	guest_write32(at, edge ? value | bit : value & ~bit);
}

void guest_gic_set_pending(uint32_t intid)
{
	set_bit(intid, GICD_ISPENDR);
}

void guest_gic_clear_pending(uint32_t intid)
{
	set_bit(intid, GICD_ICPENDR);
}

bool guest_gic_is_pending(uint32_t intid)
{
	return get_bit(intid, GICD_ISPENDR);
}

bool guest_gic_is_active(uint32_t intid)
{
	return get_bit(intid, GICD_ISACTIVER);
}

void guest_gic_set_active(uint32_t intid)
{
	set_bit(intid, GICD_ISACTIVER);
}

void guest_gic_clear_active(uint32_t intid)
{
	set_bit(intid, GICD_ICACTIVER);
}

void guest_gic_route(uint32_t spi, uint64_t mpidr)
{
	guest_write64(guest_gic.distributor + GICD_IROUTER + 8 * (uint64_t)spi, mpidr);
}

void guest_gic_priority_mask(uint8_t mask)
{
	WRITE_SYSREG(ICC_PMR_EL1, mask);
}

void guest_gic_eoi_split(bool split)
{
	WRITE_SYSREG(ICC_CTLR_EL1, split ? 2 : 0);
}

void guest_gic_deactivate(uint32_t intid)
{
	WRITE_SYSREG(ICC_DIR_EL1, intid);
}

void guest_gic_send(uint64_t mpidr, uint32_t targets, uint32_t sgi)
{
	uint64_t value = targets | (mpidr >> 8 & 0xff) << 16 | (uint64_t)sgi << 24 |
			 (mpidr >> 16 & 0xff) << 32 | (mpidr >> 32 & 0xff) << 48;

	guest_barrier();
	WRITE_SYSREG(ICC_SGI1R_EL1, value);
}

void guest_gic_send_self(uint32_t sgi)
{
	uint64_t mpidr = guest_this_cpu()->id;

	guest_gic_send(mpidr, 1u << (mpidr & 0xf), sgi);
}

void guest_gic_send_others(uint32_t sgi)
{
	guest_barrier();
	WRITE_SYSREG(ICC_SGI1R_EL1, 1ull << 40 | (uint64_t)sgi << 24);
}

void guest_ipi_enable(void)
{
	guest_gic_enable(GUEST_IRQ_IPI);
}

void guest_ipi_disable(void)
{
	guest_gic_disable(GUEST_IRQ_IPI);
}

void guest_ipi_send(uint32_t index)
{
	uint64_t mpidr = guest_cpus[index].id;

	guest_gic_send(mpidr, 1u << (mpidr & 0xf), GUEST_IRQ_IPI);
}

void guest_ipi_clear(void)
{
	guest_gic_clear_pending(GUEST_IRQ_IPI);
}
