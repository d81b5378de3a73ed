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
	vgic_set(&bank->level, mostly_clear() & ~BIT(27)); /* linked: it has no line of ours */
	if (pick(8) == 0)
		vgic_set(&bank->active, mostly_clear());
	if (pick(16) == 0)
		vgic_set(&bank->drop_active, mostly_clear());
}

static void latch(struct axvm_vgic_bank *bank, uint32_t id, bool link)
{
	vgic_set(&bank->linked, link ? 1u << id : 0);
	vgic_set(&bank->latch, 1u << id);
}

/* One that arrives from the host is linked after the end of the one before. */
static void take_by_queue(struct axvm_vcpu *vcpu, uint32_t id, bool link, bool latched)
{
	if (link && !latched)
		axvm_vgic_fill(vcpu);
	latch(&vcpu->arch.vgic.bank, id, link);
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
	bool held = (vgic_get(&cpu->bank.held) >> id & 1) != 0;
	bool latched = pick(2) == 0 && !(link && held); /* then it is the fill's to find */

	memcpy(&before, cpu, sizeof(before));
	take_by_queue(vcpu, id, link, latched);
	memcpy(&expected, cpu, sizeof(expected));
	memcpy(cpu, &before, sizeof(before));
	if (latched) {
		latch(&cpu->bank, id, link);
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

/* The guest moves the deadline while the interrupt waits in its list register. */
TEST(the_virtual_timers_interrupt_follows_its_line_when_the_guest_looks)
{
	rig_start(1);
	gic_on();
	enable_private(0, 27);
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), BIT(27));
	axvm_sim_set_virtual_timers_due(false);
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), 0);
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);

	axvm_sim_set_virtual_timers_due(true); /* it fires again; now the guest takes it */
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(ack(0), 27);
	axvm_sim_set_virtual_timers_due(false);
	CHECK_EQ(rd(ICPENDR(GICR_SGI(0), 0)), 0);
	CHECK_EQ(rd(ISACTIVER(GICR_SGI(0), 0)), BIT(27));
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	eoi(0, 27);
	axvm_vgic_refill(on(0));
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	rig_end();
}

TEST(a_disabled_virtual_timers_interrupt_follows_its_line)
{
	rig_start(1);
	gic_on();
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), BIT(27));
	axvm_sim_set_virtual_timers_due(false);
	rig_unbind(0); /* then its deadline wakes the vCPU again */
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	rig_bind(0);
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), 0);
	rig_end();
}

/* What the guest makes pending by hand is not the line's, nor the host's. */
TEST(a_latch_beside_the_virtual_timers_line_stays)
{
	rig_start(1);
	gic_on();
	enable_private(0, 27);
	axvm_aarch64_virtual_timer_fired(on(0));
	wr(ISPENDR(GICR_SGI(0), 0), BIT(27));
	serve(0);
	axvm_sim_set_virtual_timers_due(false);
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), BIT(27));
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	CHECK_EQ(ack(0), 27);
	eoi(0, 27);
	axvm_vgic_refill(on(0));
	CHECK_EQ(rd(ISPENDR(GICR_SGI(0), 0)), 0);

	axvm_sim_set_virtual_timers_due(true);
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(ack(0), 27);
	wr(ISPENDR(GICR_SGI(0), 0), BIT(27)); /* while the linked one is active */
	serve(0);
	eoi(0, 27);
	axvm_vgic_refill(on(0));
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	axvm_sim_set_virtual_timers_due(false);
	CHECK_EQ(ack(0), 27);
	eoi(0, 27);
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	rig_end();
}

TEST(a_wait_does_not_end_for_a_virtual_timer_that_is_not_due)
{
	rig_start(1);
	gic_on();
	enable_private(0, 27);
	axvm_aarch64_virtual_timer_fired(on(0));
	axvm_sim_set_virtual_timers_due(false);
	CHECK_EQ(axvm_aarch64_exit_sync(on(0), 1ULL << 26 | 1ULL << 25, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	axvm_sim_set_virtual_timers_due(true);
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(axvm_aarch64_exit_sync(on(0), 1ULL << 26 | 1ULL << 25, 0, 0), AXVM_ENTER);
	rig_end();
}

AXTEST_MAIN(the_short_cut_leaves_what_the_queue_leaves,
	    a_linked_interrupt_is_let_go_by_the_cpu_that_has_it,
	    a_latch_that_is_set_after_the_acknowledge_outlives_the_line,
	    the_virtual_timers_interrupt_follows_its_line_when_the_guest_looks,
	    a_disabled_virtual_timers_interrupt_follows_its_line,
	    a_latch_beside_the_virtual_timers_line_stays,
	    a_wait_does_not_end_for_a_virtual_timer_that_is_not_due)
