/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short cut of the fill against the queue: from the same state, both leave the same in the
 * vCPU, to the last bit. And what another vCPU may not do itself to a linked interrupt.
 */
#include "aarch64_rig.h"

#include <axvm/irq.h>

#include "intc/vgic_private.h"

#define SEEDS 20000u

static uint64_t state;

static uint32_t pick(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % limit;
}

/* Mostly bits that let an interrupt through. */
static uint32_t mostly_set(void)
{
	return pick(4) == 0 ? pick(UINT32_MAX) : UINT32_MAX;
}

static uint32_t mostly_clear(void)
{
	return pick(3) == 0 ? 1u << pick(32) : 0;
}

static void set_up_words(struct axvm_vgic_bank *bank)
{
	vgic_put(&rig_vm.arch.vgic.ctlr, pick(8) == 0 ? pick(4) : 3);
	vgic_put(&bank->enabled, mostly_set());
	vgic_put(&bank->group1, mostly_set());
	vgic_put(&bank->edge, VGIC_SGI_MASK | (pick(2) == 0 ? pick(UINT32_MAX) : 0));
	for (uint32_t i = 0; i < 8; i++)
		vgic_put(&bank->priority[i], pick(UINT32_MAX) & VGIC_PRIORITY_MASK);
}

/* The interrupt that came before, in whatever state the guest has left it. */
static void set_up_earlier(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t id = pick(32);
	bool linked = pick(2) == 0;

	if (pick(4) == 0)
		return;
	vgic_set(&cpu->bank.latch, 1u << id);
	if (linked)
		vgic_set(&cpu->bank.linked, 1u << id);
	axvm_vgic_fill(vcpu);
	if (pick(2) == 0) { /* acknowledged, and an exit saw it */
		cpu->lr[0] ^= 3ULL << 62;
		axvm_vgic_fill(vcpu);
	}
	if (pick(5) != 0) /* ended */
		cpu->lr[0] = 0;
}

static void set_up_later(struct axvm_vgic_bank *bank)
{
	vgic_set(&bank->latch, mostly_clear());
	vgic_set(&bank->level, mostly_clear());
	if (pick(8) == 0)
		vgic_set(&bank->active, mostly_clear());
	if (pick(16) == 0)
		vgic_set(&bank->drop_active, mostly_clear());
}

static void take_by_queue(struct axvm_vcpu *vcpu, uint32_t id, bool link)
{
	vgic_set(&vcpu->arch.vgic.bank.linked, link ? 1u << id : 0);
	vgic_set(&vcpu->arch.vgic.bank.latch, 1u << id);
	axvm_vgic_fill(vcpu);
}

static void take(struct axvm_vcpu *vcpu, uint32_t id, bool link)
{
	if (link)
		axvm_vgic_take_linked(vcpu, id);
	else
		axvm_vgic_take_private(vcpu, id);
}

/* True: the interrupt took the place of one that had ended, or of none. */
static bool check_one(struct axvm_vcpu *vcpu)
{
	static struct axvm_vgic_cpu before, expected;
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	bool link = pick(2) == 0;
	uint32_t id = link ? 27 : pick(16);
	bool latched = pick(2) == 0; /* then it is the fill's to find */

	memcpy(&before, cpu, sizeof(before));
	take_by_queue(vcpu, id, link);
	memcpy(&expected, cpu, sizeof(expected));
	memcpy(cpu, &before, sizeof(before));
	if (latched) {
		vgic_set(&cpu->bank.linked, link ? 1u << id : 0);
		vgic_set(&cpu->bank.latch, 1u << id);
		axvm_arch_irq_fill(vcpu);
	} else {
		take(vcpu, id, link);
	}
	CHECK(memcmp(cpu, &expected, sizeof(expected)) == 0);
	return cpu->lr_used == 1 && cpu->lr_id[0] == id && before.lr[0] >> 62 == 0;
}

TEST(the_short_cut_leaves_what_the_queue_leaves)
{
	uint32_t shortest = 0;

	rig_start(1);
	state = 0x9e3779b97f4a7c15ULL;
	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		struct axvm_vcpu *vcpu = on(0);

		axvm_vgic_device_type.reset(&rig_gic);
		vcpu->arch.vgic.lr_dirty = 0;
		vcpu->arch.vgic.hcr_dirty = 0;
		set_up_words(&vcpu->arch.vgic.bank);
		set_up_earlier(vcpu);
		set_up_later(&vcpu->arch.vgic.bank);
		shortest += check_one(vcpu);
	}
	CHECK(shortest > SEEDS / 8);
	CHECK(shortest < SEEDS);
	axvm_vgic_device_type.reset(&rig_gic);
	rig_end();
}

TEST(a_linked_interrupt_is_let_go_by_the_cpu_that_has_it)
{
	rig_start(2);
	gic_on();
	axvm_aarch64_virtual_timer_fired(on(0));
	mmio_write(1, ICPENDR(GICR_SGI(0), 0), 4, BIT(27));
	CHECK_EQ(axvm_sim_deactivations(27), 0);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), BIT(27));
	serve(0);
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	axvm_aarch64_virtual_timer_fired(on(0)); /* it arrives again */
	mmio_write(1, ISENABLER(GICR_SGI(0), 0), 4, BIT(27));
	serve_all();
	CHECK_EQ(ack(0), 27);
	eoi(0, 27);
	serve_all();
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	rig_end();
}

/* Made pending by another CPU after the guest's acknowledge, before any exit saw that. */
TEST(a_latch_that_is_set_after_the_acknowledge_outlives_the_line)
{
	rig_start(2);
	gic_on();
	enable_spi(33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK_EQ(ack(0), 33);
	mmio_write(1, ISPENDR(GICD, 33), 4, BIT(33));
	serve_all();
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, false), 0);
	serve_all();
	eoi(0, 33);
	serve_all();
	CHECK_EQ(ack(0), 33);
	eoi(0, 33);
	serve_all();
	CHECK_EQ(ack(0), 1023);

	mmio_write(1, ISPENDR(GICD, 33), 4, BIT(33)); /* before the acknowledge, which clears it */
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK_EQ(ack(0), 33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, false), 0);
	serve_all();
	eoi(0, 33);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

AXTEST_MAIN(the_short_cut_leaves_what_the_queue_leaves,
	    a_linked_interrupt_is_let_go_by_the_cpu_that_has_it,
	    a_latch_that_is_set_after_the_acknowledge_outlives_the_line)
