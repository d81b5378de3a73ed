// SPDX-License-Identifier: Apache-2.0
/* The local APIC: modes, registers, priorities, messages, INIT and STARTUP. */
#include "x86_64_intc_rig.h"

/* ---- modes and registers ------------------------------------------------------------------------------ */

TEST(at_power_on_the_apic_is_in_xapic_mode_disabled_by_svr_and_all_is_masked)
{
	uint64_t base = 0;

	rig_start(2);
	CHECK(rdmsr(0, APIC_BASE, &base));
	CHECK_EQ(base, PAGE | EN | BSP);
	CHECK(rdmsr(1, APIC_BASE, &base));
	CHECK_EQ(base, PAGE | EN);
	CHECK_EQ(rd(1, ID), 1u << 24);
	CHECK_EQ(rd(0, VERSION), 0x01060014);
	CHECK_EQ(rd(0, SVR), 0xff);
	CHECK_EQ(rd(0, DFR), UINT32_MAX);
	CHECK_EQ(rd(0, LDR), 0);
	for (uint32_t reg = LVT_TIMER; reg <= LVT_ERROR; reg += 16)
		CHECK_EQ(rd(0, reg), MASKED);
	CHECK_EQ(rd(0, LVT_CMCI), MASKED);
	rig_end();
}

TEST(modes_change_only_as_the_manual_allows)
{
	static const uint64_t bits[4] = { 0, EXTD, EN, EN | EXTD };
	static const bool may[4][4] = {
		/* to off, bad, xAPIC, x2APIC */
		{ true, false, true, false },
		{ false, false, false, false },
		{ true, false, true, true },
		{ true, false, false, true },
	};

	rig_start(1);
	for (uint32_t from = 0; from < 4; from++) {
		for (uint32_t to = 0; to < 4; to++) {
			uint64_t base = 0;

			if (from == 1)
				continue;
			axvm_lapic_fini(&rig_vcpus[0]);
			if (from != 2)
				CHECK(wrmsr(0, APIC_BASE, PAGE | bits[from]));
			CHECK_EQ(wrmsr(0, APIC_BASE, PAGE | bits[to]), may[from][to]);
			CHECK(rdmsr(0, APIC_BASE, &base));
			CHECK_EQ(base, PAGE | BSP | bits[may[from][to] ? to : from]);
		}
	}
	for (uint32_t i = 0; i < 64; i++) {
		if (i != 8 && i != 10 && i != 11)
			CHECK(!wrmsr(0, APIC_BASE, (PAGE | EN) ^ 1ULL << i));
	}
	rig_end();
}

TEST(an_apic_that_was_off_comes_back_as_at_power_on_and_keeps_its_id)
{
	uint64_t value = 0;

	rig_start(3);
	enable(2);
	wr(2, TPR, 0x50);
	wr(2, LVT_TIMER, 0x40);
	wr(2, COUNT, 1000);
	ipi(2, 2, 0x60);
	CHECK(wrmsr(2, APIC_BASE, PAGE));
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK(!rdmsr(2, MSR(TPR), &value));
	CHECK(try_bus_read(on(2), PAGE + TPR, 4, &value));
	CHECK_EQ(value, UINT32_MAX);
	ipi(0, 2, 0x61);
	CHECK(wrmsr(2, APIC_BASE, PAGE | EN));
	CHECK_EQ(rd(2, ID), 2u << 24);
	CHECK_EQ(rd(2, TPR), 0);
	CHECK_EQ(rd(2, SVR), 0xff);
	CHECK_EQ(take(2), -1);
	rig_end();
}

TEST(x2apic_has_its_own_id_and_logical_id)
{
	uint64_t value = 0;

	rig_start(40);
	x2apic(37);
	CHECK_EQ(rd(37, ID), 37);
	CHECK_EQ(rd(37, LDR), 2u << 16 | 1u << 5);
	CHECK(try_bus_read(on(37), PAGE + ID, 4, &value));
	CHECK_EQ(value, UINT32_MAX);
	rig_end();
}

/* R, W, and the bits that may be written, by the tables of [SDM3 11.12.1]. */
struct x2_register {
	uint32_t number;
	bool read, write;
	uint64_t bits;
};

static const struct x2_register x2_registers[] = {
	{ 0x02, true, false, 0 },	  { 0x03, true, false, 0 },
	{ 0x08, true, true, 0xff },	  { 0x0a, true, false, 0 },
	{ 0x0b, false, true, 0 },	  { 0x0d, true, false, 0 },
	{ 0x0f, true, true, 0x11ff },	  { 0x28, true, true, 0 },
	{ 0x2f, true, true, 0x117ff },	  { 0x30, true, true, 0xffffffff000ccfff },
	{ 0x32, true, true, 0x710ff },	  { 0x33, true, true, 0x117ff },
	{ 0x34, true, true, 0x117ff },	  { 0x35, true, true, 0x1f7ff },
	{ 0x36, true, true, 0x1f7ff },	  { 0x37, true, true, 0x110ff },
	{ 0x38, true, true, 0xffffffff }, { 0x39, true, false, 0 },
	{ 0x3e, true, true, 0xb },	  { 0x3f, false, true, 0xff },
};

static struct x2_register x2_register(uint32_t number)
{
	if (number >= 0x10 && number < 0x28)
		return (struct x2_register){ number, true, false, 0 };
	for (uint32_t i = 0; i < sizeof(x2_registers) / sizeof(x2_registers[0]); i++) {
		if (x2_registers[i].number == number)
			return x2_registers[i];
	}
	return (struct x2_register){ number, false, false, 0 };
}

TEST(each_x2apic_msr_reads_and_writes_as_the_table_says_and_else_faults)
{
	rig_start(2);
	x2apic(0);
	for (uint32_t number = 0; number < 0x100; number++) {
		struct x2_register want = x2_register(number);
		uint64_t value = 0;

		CHECK_EQ(rdmsr(0, 0x800 + number, &value), want.read);
		CHECK_EQ(wrmsr(0, 0x800 + number, 0), want.write);
		for (uint32_t i = 0; i < 64 && want.write; i++)
			CHECK_EQ(wrmsr(0, 0x800 + number, 1ULL << i), (want.bits >> i & 1) != 0);
		CHECK_EQ(wrmsr(0, 0x800 + number, UINT64_MAX), false);
		CHECK_EQ(rdmsr(1, 0x800 + number, &value), false);
		CHECK_EQ(wrmsr(1, 0x800 + number, 0), false);
	}
	rig_end();
}

TEST(every_offset_and_width_of_the_page_is_answered)
{
	rig_start(2);
	enable(1);
	for (uint64_t offset = 0; offset < 0x1000; offset++) {
		for (unsigned bytes = 1; bytes <= 8 && offset + bytes <= 0x1000; bytes *= 2) {
			uint64_t value = 0;

			CHECK(try_bus_write(on(1), PAGE + offset, bytes, UINT64_MAX));
			CHECK(try_bus_read(on(1), PAGE + offset, bytes, &value));
			CHECK(try_bus_write(on(1), PAGE + offset, bytes, 0));
		}
	}
	CHECK_EQ(rd(1, ID), 1u << 24);
	rig_end();
}

TEST(only_whole_aligned_writes_change_a_register_and_its_bytes_can_be_read)
{
	uint64_t value = 0;

	rig_start(1);
	wr(0, LDR, 0xabffffff);
	CHECK_EQ(rd(0, LDR), 0xab000000);
	CHECK(try_bus_write(on(0), PAGE + LDR, 2, 0x1234));
	CHECK(try_bus_write(on(0), PAGE + LDR + 4, 4, 0x12345678));
	CHECK_EQ(rd(0, LDR), 0xab000000);
	CHECK(try_bus_read(on(0), PAGE + LDR + 3, 1, &value));
	CHECK_EQ(value, 0xab);
	CHECK(try_bus_read(on(0), PAGE + LDR + 4, 4, &value));
	CHECK_EQ(value, 0);
	wr(0, ID, 0x05000000);
	CHECK_EQ(rd(0, ID), 0);
	rig_end();
}

TEST(registers_that_are_not_there_are_an_error_once)
{
	rig_start(1);
	enable(0);
	wr(0, LVT_ERROR, 0xee);
	wr(0, 0x3f0, 0x40);
	CHECK_EQ(rd(0, ESR), 0);
	CHECK_EQ(rd(0, 0x400), 0);
	CHECK_EQ(take(0), 0xee);
	CHECK_EQ(take(0), -1);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x80);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0);
	rig_end();
}

/* ---- priorities [SDM3 11.8.3] --------------------------------------------------------------------------- */

TEST(the_highest_vector_comes_first_and_nests_by_class)
{
	rig_start(1);
	enable(0);
	ipi(0, 0, 0x41);
	ipi(0, 0, 0x45);
	CHECK_EQ(take(0), 0x45);
	CHECK_EQ(rd(0, PPR), 0x40);
	CHECK_EQ(take(0), -1);
	ipi(0, 0, 0x4f); /* the same class */
	CHECK_EQ(take(0), -1);
	ipi(0, 0, 0x50);
	CHECK_EQ(take(0), 0x50);
	CHECK(bit(0, ISR, 0x50) && bit(0, ISR, 0x45) && bit(0, IRR, 0x4f));
	eoi(0);
	CHECK_EQ(rd(0, PPR), 0x40);
	CHECK_EQ(take(0), -1);
	eoi(0);
	CHECK_EQ(take(0), 0x4f);
	eoi(0);
	CHECK_EQ(take(0), 0x41);
	eoi(0);
	CHECK_EQ(rd(0, PPR), 0);
	eoi(0); /* of nothing */
	CHECK_EQ(take(0), -1);
	rig_end();
}

TEST(the_task_priority_holds_back_its_class_and_those_below)
{
	rig_start(1);
	enable(0);
	wr(0, TPR, 0x6f);
	CHECK_EQ(rd(0, PPR), 0x6f);
	ipi(0, 0, 0x6f);
	CHECK(!axvm_lapic_has_pending(on(0)));
	CHECK_EQ(take(0), -1);
	ipi(0, 0, 0x70);
	CHECK(axvm_lapic_has_pending(on(0)));
	CHECK_EQ(take(0), 0x70);
	eoi(0);
	atomic_store(&rig_vcpus[0].requests, 0);
	axvm_lapic_set_cr8(on(0), 5);
	CHECK_EQ(atomic_load(&rig_vcpus[0].requests), AXVM_REQUEST_IRQ);
	CHECK_EQ(axvm_lapic_get_cr8(on(0)), 5);
	CHECK_EQ(rd(0, TPR), 0x50);
	CHECK_EQ(take(0), 0x6f);
	rig_end();
}

TEST(what_the_guest_cannot_take_yet_asks_for_a_window)
{
	struct axvm_vcpu *vcpu;

	rig_start(1);
	enable(0);
	vcpu = on(0);
	vcpu->arch.rflags &= ~AXVM_X86_RFLAGS_IF;
	ipi(0, 0, 0x40);
	CHECK_EQ(take(0), -1);
	CHECK(vcpu->arch.wants_window);
	CHECK(!axvm_arch_irq_pending(vcpu));
	vcpu->arch.rflags |= AXVM_X86_RFLAGS_IF;
	vcpu->arch.sys.interrupt_shadow = true;
	CHECK_EQ(take(0), -1);
	CHECK(vcpu->arch.wants_window);
	CHECK(axvm_arch_irq_pending(vcpu));
	vcpu->arch.sys.interrupt_shadow = false;
	vcpu->arch.event = (struct axvm_x86_event){ .valid = true,
						    .vector = 14,
						    .type = AXVM_X86_EVENT_EXCEPTION };
	axvm_arch_irq_fill(vcpu);
	CHECK_EQ(vcpu->arch.event.vector, 14);
	CHECK(vcpu->arch.wants_window);
	vcpu->arch.event.valid = false;
	CHECK_EQ(take(0), 0x40);
	CHECK(!vcpu->arch.wants_window);
	rig_end();
}

/* ---- errors --------------------------------------------------------------------------------------------- */

TEST(illegal_vectors_are_errors_and_never_pending)
{
	const struct axvm_lapic_message message = { .destination = 0, .vector = 3 };

	rig_start(1);
	enable(0);
	for (uint32_t vector = 0; vector < 16; vector++)
		ipi(0, 0, vector);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x20);
	CHECK(!axvm_lapic_send(&rig_vm, &message));
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x40);
	wr(0, LVT_THERMAL, 0x0f);
	axvm_lapic_signal(on(0), AXVM_LAPIC_THERMAL);
	CHECK_EQ(take(0), -1);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x40);
	CHECK_EQ(rd(0, IRR), 0);
	rig_end();
}

TEST(an_error_entry_with_an_illegal_vector_ends)
{
	rig_start(1);
	enable(0);
	wr(0, LVT_ERROR, 0x05);
	ipi(0, 0, 0x02);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(atomic_load(&rig_vcpus[0].requests), 0);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x60);
	rig_end();
}

TEST(while_svr_disables_nothing_fixed_is_taken_and_all_entries_are_masked)
{
	rig_start(2);
	enable(0);
	enable(1);
	wr(1, LVT_LINT1, NMI);
	ipi(0, 1, 0x40);
	wr(1, SVR, 0xff);
	CHECK_EQ(rd(1, LVT_LINT1), NMI | MASKED);
	wr(1, LVT_LINT1, NMI);
	CHECK_EQ(rd(1, LVT_LINT1), NMI | MASKED);
	ipi(0, 1, 0x50);
	CHECK(!bit(1, IRR, 0x50));
	CHECK_EQ(take(1), 0x40); /* held */
	ipi(0, 1, NMI);
	uint8_t type = 0;
	CHECK_EQ(take_typed(1, &type), 2);
	CHECK_EQ(type, AXVM_X86_EVENT_NMI);
	rig_end();
}

/* ---- destinations ------------------------------------------------------------------------------------------ */

/* Who has the vector now, taken and ended. */
static uint64_t taken(uint32_t vector)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++) {
		if (take(i) == (int)vector) {
			mask |= 1ULL << i;
			eoi(i);
		}
		CHECK_EQ(take(i), -1);
	}
	return mask;
}

static void enable_all(void)
{
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		enable(i);
}

TEST(physical_destinations_and_shorthands)
{
	rig_start(5);
	enable_all();
	ipi(1, 3, 0x40);
	CHECK_EQ(taken(0x40), 1u << 3);
	ipi(1, 77, 0x40);
	CHECK_EQ(taken(0x40), 0);
	ipi(1, 0xff, 0x40);
	CHECK_EQ(taken(0x40), 0x1f);
	ipi(1, 0, 1u << 18 | 0x41);
	CHECK_EQ(taken(0x41), 1u << 1);
	ipi(1, 0, 2u << 18 | 0x42);
	CHECK_EQ(taken(0x42), 0x1f);
	ipi(1, 0, 3u << 18 | 0x43);
	CHECK_EQ(taken(0x43), 0x1d);
	for (uint32_t i = 0; i < 5; i++)
		x2apic(i);
	ipi(1, UINT32_MAX, 0x44);
	CHECK_EQ(taken(0x44), 0x1f);
	ipi(1, 0xff, 0x44);
	CHECK_EQ(taken(0x44), 0);
	wr(2, SELF, 0x45);
	CHECK_EQ(taken(0x45), 1u << 2);
	rig_end();
}

TEST(logical_destinations_flat_cluster_and_x2apic)
{
	rig_start(20);
	enable_all();
	for (uint32_t i = 0; i < 8; i++)
		wr(i, LDR, 1u << (24 + i));
	ipi(0, 0x8a, LOGICAL | 0x40);
	CHECK_EQ(taken(0x40), 0x8a);
	ipi(0, 0xff, LOGICAL | 0x40); /* to everybody */
	CHECK_EQ(taken(0x40), 0xfffff);
	for (uint32_t i = 0; i < 20; i++) {
		wr(i, DFR, 0);
		wr(i, LDR, (i / 4) << 28 | 1u << (24 + i % 4));
	}
	ipi(0, 0x36, LOGICAL | 0x41);
	CHECK_EQ(taken(0x41), 0x6ULL << 12);
	for (uint32_t i = 0; i < 20; i++)
		x2apic(i);
	ipi(0, 1u << 16 | 0x5, LOGICAL | 0x42);
	CHECK_EQ(taken(0x42), 0x5ULL << 16);
	ipi(0, 0xff, LOGICAL | 0x42);
	CHECK_EQ(taken(0x42), 0xff);
	ipi(0, 7u << 16 | 0xffff, LOGICAL | 0x42);
	CHECK_EQ(taken(0x42), 0);
	rig_end();
}

TEST(lowest_priority_goes_to_one_with_the_lowest_priority)
{
	rig_start(4);
	enable_all();
	for (uint32_t i = 0; i < 4; i++) {
		wr(i, LDR, 1u << (24 + i));
		wr(i, TPR, 0x40 - 0x10 * i);
	}
	ipi(0, 0x07, LOGICAL | 1u << 8 | 0x80);
	CHECK_EQ(taken(0x80), 1u << 2);
	ipi(2, 2, 0x90);
	CHECK_EQ(take(2), 0x90);
	ipi(0, 0x07, LOGICAL | 1u << 8 | 0x80);
	CHECK(bit(1, IRR, 0x80));
	wr(1, SVR, 0xff);
	CHECK_EQ(take(1), 0x80);
	ipi(0, 0x02, LOGICAL | 1u << 8 | 0x81);
	CHECK(!bit(1, IRR, 0x81));
	rig_end();
}

TEST(what_an_icr_may_not_say_is_not_sent)
{
	rig_start(2);
	enable_all();
	ipi(0, 1, 3u << 8 | 0x40);  /* reserved */
	ipi(0, 1, EXTINT | 0x40);   /* not by an ICR */
	ipi(0, 0, 1u << 18 | NMI);  /* not to oneself */
	ipi(0, 0, 2u << 18 | INIT); /* nor with oneself */
	ipi(0, 1, INIT | LEVEL);    /* de-asserted */
	ipi(0, 1, 2u << 8 | 0x40);  /* SMI */
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQ(take(i), -1);
		CHECK_EQ(atomic_load(&rig_vcpus[i].arch.nmi), 0);
		CHECK_EQ(atomic_load(&rig_vcpus[i].arch.init_sipi), 0);
	}
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0);
	rig_end();
}

AXTEST_MAIN(at_power_on_the_apic_is_in_xapic_mode_disabled_by_svr_and_all_is_masked,
	    modes_change_only_as_the_manual_allows,
	    an_apic_that_was_off_comes_back_as_at_power_on_and_keeps_its_id,
	    x2apic_has_its_own_id_and_logical_id,
	    each_x2apic_msr_reads_and_writes_as_the_table_says_and_else_faults,
	    every_offset_and_width_of_the_page_is_answered,
	    only_whole_aligned_writes_change_a_register_and_its_bytes_can_be_read,
	    registers_that_are_not_there_are_an_error_once,
	    the_highest_vector_comes_first_and_nests_by_class,
	    the_task_priority_holds_back_its_class_and_those_below,
	    what_the_guest_cannot_take_yet_asks_for_a_window,
	    illegal_vectors_are_errors_and_never_pending,
	    an_error_entry_with_an_illegal_vector_ends,
	    while_svr_disables_nothing_fixed_is_taken_and_all_entries_are_masked,
	    physical_destinations_and_shorthands, logical_destinations_flat_cluster_and_x2apic,
	    lowest_priority_goes_to_one_with_the_lowest_priority,
	    what_an_icr_may_not_say_is_not_sent)
