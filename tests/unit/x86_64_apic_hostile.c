// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that writes anything anywhere, from several vCPUs: each access ends, what can never be is never,
 * and nothing is left behind. The sanitizers watch.
 */
#include "x86_64_intc_rig.h"

#define VCPUS 3u

static uint64_t state;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * below >> 32);
}

/* All bits, few bits, or one that may mean something. */
static uint64_t any_value(void)
{
	uint64_t value = (uint64_t)pick(UINT32_MAX) << 32 | pick(UINT32_MAX);

	switch (pick(4)) {
	case 0:
		return value;
	case 1:
		return value & 0xff;
	case 2:
		return value & 0x7ffff;
	default:
		return 1ULL << pick(64);
	}
}

static void step_page(uint32_t vcpu)
{
	unsigned bytes = 1u << pick(4);
	uint64_t offset = pick(8) == 0 ? pick(0x1000 - bytes) : pick(0x40) * 16;
	uint64_t value = 0;

	CHECK(try_bus_write(on(vcpu), PAGE + offset, bytes, any_value()));
	CHECK(try_bus_read(on(vcpu), PAGE + offset, bytes, &value));
}

static void step_msr(uint32_t vcpu)
{
	uint32_t msr = 0x800 + pick(0x44);
	uint64_t value = 0;

	(void)wrmsr(vcpu, msr, any_value());
	(void)rdmsr(vcpu, msr, &value);
}

static void step_enable(uint32_t vcpu)
{
	if (atomic_load(&rig_vcpus[vcpu].arch.lapic.mode) != AXVM_LAPIC_OFF)
		enable(vcpu);
}

static void step_mode(uint32_t vcpu)
{
	static const uint64_t modes[] = { 0, EN, EN, EN | EXTD, EN | EXTD, EXTD };

	(void)wrmsr(vcpu, APIC_BASE, pick(4) == 0 ? any_value() : PAGE | modes[pick(6)]);
}

static void step_time(uint32_t vcpu)
{
	(void)vcpu;
	axvm_sim_advance(pick(2) == 0 ? pick(1000) : pick(UINT32_MAX));
}

static void step_deadline(uint32_t vcpu)
{
	(void)wrmsr(vcpu, DEADLINE, pick(2) == 0 ? any_value() : axvm_hal_time_ticks() + pick(999));
	rig_vcpus[vcpu].arch.tsc_offset = pick(4) == 0 ? any_value() : 0;
	axvm_lapic_tsc_changed(on(vcpu));
}

static void step_ioapic(uint32_t vcpu)
{
	unsigned bytes = 1u << pick(4);
	uint64_t value = 0;

	CHECK(try_bus_write(on(vcpu), IOAPIC, bytes, pick(0x48)));
	CHECK(try_bus_write(on(vcpu), IOAPIC + 0x10, bytes, any_value()));
	CHECK(try_bus_write(on(vcpu), IOAPIC + pick(0x100), bytes, any_value()));
	CHECK(try_bus_read(on(vcpu), IOAPIC + 0x10, bytes, &value));
}

static void step_outside(uint32_t vcpu)
{
	(void)axvm_arch_irq_set_level(&rig_vm, pick(26), pick(2) == 0);
	(void)axvm_arch_irq_pulse(&rig_vm, pick(26));
	(void)axvm_arch_irq_set_private(on(vcpu), pick(8), pick(2) == 0);
	axvm_x86_64_pic_output(&rig_vm, pick(2) == 0);
}

static void step_power(uint32_t vcpu)
{
	struct axvm_vcpu *target = on(vcpu);

	if ((atomic_load(&target->requests) & AXVM_REQUEST_LEAVE) != 0)
		axvm_lapic_take_init(target);
	if (atomic_load(&target->power) == AXVM_POWER_ON_PENDING) {
		axvm_lapic_reset(target);
		atomic_store(&target->power, AXVM_POWER_ON);
	}
}

static void step_take(uint32_t vcpu)
{
	struct axvm_vcpu *target = on(vcpu);

	target->arch.rflags ^= pick(4) == 0 ? AXVM_X86_RFLAGS_IF : 0;
	target->arch.sys.interrupt_shadow = pick(8) == 0;
	target->arch.sys.nmi_masked = pick(4) == 0;
	/* However often it is asked for, what waits comes to an end. */
	for (uint32_t i = 0; i < 4 && atomic_load(&target->requests) != 0; i++) {
		atomic_store(&target->requests, 0);
		axvm_arch_irq_fill(target);
	}
	CHECK_EQ(atomic_load(&target->requests), 0);
	target->arch.event.valid = false;
	(void)axvm_arch_irq_pending(target);
}

static void step_eoi(uint32_t vcpu)
{
	if (atomic_load(&rig_vcpus[vcpu].arch.lapic.mode) != AXVM_LAPIC_OFF)
		eoi(vcpu);
}

static void (*const steps[])(uint32_t vcpu) = {
	step_page,   step_page,	   step_msr,	step_msr,   step_mode, step_time, step_deadline,
	step_ioapic, step_outside, step_enable, step_power, step_take, step_take, step_eoi,
};

static void check_possible(uint32_t vcpu)
{
	struct axvm_lapic *lapic = &rig_vcpus[vcpu].arch.lapic;

	CHECK_EQ(atomic_load(&lapic->irr[0]) & 0xffff, 0);
	CHECK_EQ(lapic->isr[0] & 0xffff, 0);
	CHECK(atomic_load(&lapic->ppr) <= 0xff);
	CHECK_EQ(atomic_load(&lapic->events) >> AXVM_LAPIC_LVTS, 0);
	CHECK_EQ(lapic->id, vcpu);
	if (lapic->timer_period == 0)
		CHECK_EQ(lapic->initial_count, 0);
}

static void storm(uint64_t seed, uint32_t length)
{
	state = seed * 0x9e3779b97f4a7c15 + 1;
	rig_start(VCPUS);
	rig_vm.arch.pic = &rig_pic;
	for (uint32_t i = 0; i < length; i++) {
		steps[pick(sizeof(steps) / sizeof(steps[0]))](pick(VCPUS));
		for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
			check_possible(vcpu);
	}
	CHECK(axvm_sim_armed_timers() <= VCPUS);
	rig_end();
}

TEST(no_sequence_of_accesses_does_more_than_its_own_vm_any_harm)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		storm(seed, 1000);
}

TEST(a_vm_that_is_reset_in_the_middle_is_as_at_power_on)
{
	rig_start(2);
	x2apic(1);
	enable(1);
	ipi(1, 1, 0x40);
	ipi(1, 1, INIT | 1u << 14);
	wr(1, LVT_TIMER, 0x50);
	wr(1, COUNT, 5);
	axvm_lapic_fini(on(1));
	axvm_lapic_reset(on(1));
	CHECK(!is_x2apic(1));
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.init_sipi), 0);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.nmi), 0);
	CHECK_EQ(rd(1, IRR + 0x20), 0);
	CHECK_EQ(rd(1, LVT_TIMER), MASKED);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(take(1), -1);
	rig_end();
}

AXTEST_MAIN(no_sequence_of_accesses_does_more_than_its_own_vm_any_harm,
	    a_vm_that_is_reset_in_the_middle_is_as_at_power_on)
