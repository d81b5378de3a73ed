// SPDX-License-Identifier: Apache-2.0
/* The local APIC: what is no plain interrupt. NMI, INIT and STARTUP; the CPU's pins and the PIC behind them. */
#include "x86_64_intc_rig.h"

static void enable_all(void)
{
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		enable(i);
}

/* ---- NMI, INIT, STARTUP --------------------------------------------------------------------------------------- */

TEST(an_nmi_comes_before_interrupts_and_waits_for_the_end_of_another)
{
	uint8_t type = 0;

	rig_start(2);
	enable_all();
	ipi(0, 1, 0xf0);
	ipi(0, 1, NMI);
	ipi(0, 1, NMI);
	CHECK(axvm_arch_irq_pending(&rig_vcpus[1]));
	CHECK_EQ(take_typed(1, &type), 2);
	CHECK_EQ(type, AXVM_X86_EVENT_NMI);
	CHECK(rig_vcpus[1].arch.wants_window);
	rig_vcpus[1].arch.sys.nmi_masked = true;
	CHECK_EQ(take(1), 0xf0);
	ipi(0, 1, NMI);
	CHECK_EQ(take(1), -1);
	CHECK(rig_vcpus[1].arch.nmi_pending);
	CHECK(!rig_vcpus[1].arch.wants_window);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[1]));
	rig_vcpus[1].arch.sys.nmi_masked = false;
	CHECK_EQ(take_typed(1, &type), 2);
	CHECK_EQ(take(1), -1);
	rig_end();
}

static uint32_t power(uint32_t vcpu)
{
	return atomic_load(&rig_vcpus[vcpu].power);
}

TEST(a_startup_starts_who_waits_for_it_at_its_page)
{
	rig_start(3);
	enable(0);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_OFF);
	ipi(0, 1, INIT | 1u << 14); /* waits already */
	CHECK_EQ(atomic_load(&rig_vcpus[1].requests), 0);
	ipi(0, 1, STARTUP | 0x9a);
	CHECK_EQ(power(1), AXVM_POWER_ON_PENDING);
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x9a000);
	ipi(0, 1, STARTUP | 0x11); /* the second of two */
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x9a000);
	ipi(0, 2, STARTUP | 0x10); /* runs: no notice is taken */
	CHECK_EQ(power(2), AXVM_POWER_ON);
	CHECK_EQ(atomic_load(&rig_vcpus[2].arch.init_sipi), 0);
	rig_end();
}

TEST(init_takes_a_vcpu_out_and_off_and_its_apic_is_reset_in_its_mode)
{
	rig_start(2);
	enable(0);
	x2apic(1);
	enable(1);
	ipi(0, 1, 0x40);
	ipi(0, 1, INIT | 1u << 14 | LEVEL);
	CHECK((atomic_load(&rig_vcpus[1].requests) & AXVM_REQUEST_LEAVE) != 0);
	CHECK(axvm_arch_irq_pending(&rig_vcpus[1]));
	CHECK_EQ(power(1), AXVM_POWER_ON);
	axvm_lapic_take_init(on(1));
	CHECK_EQ(power(1), AXVM_POWER_OFF);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.init_sipi), 0);
	CHECK(is_x2apic(1));
	CHECK_EQ(rd(1, SVR), 0xff);
	CHECK_EQ(rd(1, LDR), 2);
	CHECK(!bit(1, IRR, 0x40));
	axvm_lapic_take_init(on(1));
	ipi(0, 1, STARTUP | 8);
	CHECK_EQ(power(1), AXVM_POWER_ON_PENDING);
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x8000);
	rig_end();
}

TEST(a_startup_that_comes_before_init_is_done_is_kept)
{
	rig_start(2);
	enable(0);
	ipi(0, 1, INIT | 1u << 14);
	ipi(0, 1, STARTUP | 0x77);
	ipi(0, 1, STARTUP | 0x78);
	CHECK_EQ(power(1), AXVM_POWER_ON);
	axvm_lapic_take_init(on(1));
	CHECK_EQ(power(1), AXVM_POWER_ON_PENDING);
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x77000);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_ON);
	ipi(0, 1, INIT | 1u << 14);
	ipi(0, 1, STARTUP | 0x77);
	ipi(0, 1, INIT | 1u << 14); /* the first STARTUP is void */
	ipi(0, 1, STARTUP | 0x12);
	axvm_lapic_take_init(on(1));
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x12000);
	rig_end();
}

/* The target has looked for an INIT, found none yet, and is off. */
static void goes_off(struct axvm_vcpu *vcpu)
{
	atomic_store(&vcpu->power, AXVM_POWER_OFF);
}

TEST(an_init_that_meets_a_vcpu_going_off_leaves_it_startable)
{
	rig_start(2);
	enable(0);
	rig_requested = goes_off;
	ipi(0, 1, INIT | 1u << 14);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.init_sipi), 0);
	ipi(0, 1, STARTUP | 0x21);
	CHECK_EQ(power(1), AXVM_POWER_ON_PENDING);
	CHECK_EQ(rig_vcpus[1].power_on_entry, 0x21000);
	rig_end();
}

/* ---- pins ---------------------------------------------------------------------------------------------------- */

TEST(the_pic_comes_through_lint0_where_its_entry_says_so)
{
	rig_start(2);
	rig_vm.arch.pic = &rig_pic;
	rig_pic.vector = 0x08;
	axvm_x86_64_pic_output(&rig_vm, true);
	CHECK_EQ(take(0), -1);
	enable(0);
	wr(0, LVT_LINT0, EXTINT);
	CHECK(axvm_lapic_has_pending(on(0)));
	CHECK_EQ(take(0), 0x08);
	CHECK_EQ(take(0), 0x08); /* the line is high yet */
	axvm_x86_64_pic_output(&rig_vm, false);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(rd(0, ISR), 0); /* no trace in the APIC */
	CHECK_EQ(rig_pic.acknowledged, 2);
	wr(0, LVT_LINT0, EXTINT | MASKED);
	axvm_x86_64_pic_output(&rig_vm, true);
	CHECK_EQ(take(0), -1);
	CHECK(wrmsr(0, APIC_BASE, PAGE | BSP)); /* without the APIC the pin is INTR */
	CHECK_EQ(take(0), 0x08);
	rig_end();
}

TEST(the_pic_comes_through_pin_0_as_an_extint_message)
{
	rig_start(2);
	rig_vm.arch.pic = &rig_pic;
	rig_pic.vector = 0x70;
	route(0, 1, EXTINT);
	axvm_x86_64_pic_output(&rig_vm, true);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(take(1), 0x70);
	rig_pic.vector = 0x71; /* the output has stayed high: it has one more */
	CHECK_EQ(take(1), 0x71);
	axvm_x86_64_pic_output(&rig_vm, false);
	CHECK_EQ(take(1), 0x71); /* was asked for before the output fell: the PIC says spurious */
	CHECK_EQ(take(1), -1);
	rig_end();
}

TEST(local_sources_deliver_as_their_entry_says)
{
	uint8_t type = 0;

	rig_start(1);
	enable(0);
	wr(0, LVT_LINT1, NMI);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_LINT1, true), 0);
	CHECK_EQ(take_typed(0, &type), 2);
	CHECK_EQ(type, AXVM_X86_EVENT_NMI);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_LINT1, true), 0);
	CHECK_EQ(take(0), -1); /* an edge */
	wr(0, LVT_CMCI, 0x51);
	wr(0, LVT_PERFORMANCE, 0x52);
	wr(0, LVT_THERMAL, 0x53 | MASKED);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_CMCI, true), 0);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_PERFORMANCE, true), 0);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_THERMAL, true), 0);
	CHECK_EQ(take(0), 0x52);
	eoi(0);
	CHECK_EQ(take(0), 0x51);
	eoi(0);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_TIMER, true), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_irq_set_private(on(0), AXVM_LAPIC_LVTS, true), AXVM_EINVAL);
	rig_end();
}

TEST(a_level_at_lint0_comes_again_until_it_falls)
{
	rig_start(1);
	enable(0);
	wr(0, LVT_LINT0, LEVEL | 0x60);
	axvm_lapic_set_line(on(0), AXVM_LAPIC_LINT0, true);
	CHECK_EQ(take(0), 0x60);
	CHECK_EQ(rd(0, LVT_LINT0), LEVEL | REMOTE_IRR | 0x60);
	CHECK_EQ(take(0), -1);
	eoi(0);
	CHECK_EQ(take(0), 0x60);
	axvm_lapic_set_line(on(0), AXVM_LAPIC_LINT0, false);
	eoi(0);
	CHECK_EQ(rd(0, LVT_LINT0), LEVEL | 0x60);
	CHECK_EQ(take(0), -1);
	rig_end();
}

AXTEST_MAIN(an_nmi_comes_before_interrupts_and_waits_for_the_end_of_another,
	    a_startup_starts_who_waits_for_it_at_its_page,
	    init_takes_a_vcpu_out_and_off_and_its_apic_is_reset_in_its_mode,
	    a_startup_that_comes_before_init_is_done_is_kept,
	    an_init_that_meets_a_vcpu_going_off_leaves_it_startable,
	    the_pic_comes_through_lint0_where_its_entry_says_so,
	    the_pic_comes_through_pin_0_as_an_extint_message,
	    local_sources_deliver_as_their_entry_says, a_level_at_lint0_comes_again_until_it_falls)
