// SPDX-License-Identifier: Apache-2.0
/*
 * CSRs: what S mode may use keeps what is written, what belongs to a hypervisor or to the machine is
 * illegal, counters count, and nothing of another VM is ever seen. Two VMs with different `vm=` on one
 * hart make the last test meaningful.
 */
#include "runtime.h"

static const uint64_t patterns[] = { 0, ~0ull, 0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a,
				     0x0123456789abcdef };

#define ROUND_TRIP(name, mask)                                                        \
	do {                                                                          \
		uint64_t old_value = READ_CSR(name);                                  \
		uint64_t differing = 0;                                               \
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) { \
			WRITE_CSR(name, patterns[i] & (mask));                        \
			differing |= READ_CSR(name) ^ (patterns[i] & (mask));         \
		}                                                                     \
		WRITE_CSR(name, old_value);                                           \
		CHECK_EQ(differing &(mask), 0);                                       \
	} while (0)

#define IS_ILLEGAL(statement)                                                     \
	__extension__({                                                           \
		struct guest_fault illegal_fault = PROBE(statement);              \
		illegal_fault.count == 1 && illegal_fault.cause == CAUSE_ILLEGAL; \
	})
#define CSR_IS_ILLEGAL(name) IS_ILLEGAL((void)READ_CSR(name))
#define RUN(word) __asm__ volatile("mv a5, sp\n\t.word " #word ::: "a0", "a5", "memory")

/* Its start code has written stvec, satp, sie, sstatus.FS and tp alone. */
TEST(the_registers_are_clean_at_the_beginning)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("the firmware was there before");
	CHECK_EQ(READ_CSR(sscratch), 0);
	CHECK_EQ(READ_CSR(sepc), 0);
	CHECK_EQ(READ_CSR(scause), 0);
	CHECK_EQ(READ_CSR(stval), 0);
	CHECK_EQ(READ_CSR(sip), 0);
	CHECK_EQ(READ_CSR(sstatus) & (SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SIE), 0);
}

TEST(trap_registers_keep_what_is_written)
{
	ROUND_TRIP(sscratch, ~0ull);
	ROUND_TRIP(stval, ~0ull);
	ROUND_TRIP(sepc, ~1ull);
	for (uint64_t cause = 0; cause < 16; cause++) {
		WRITE_CSR(scause, cause);
		CHECK_EQ(READ_CSR(scause), cause);
		WRITE_CSR(scause, cause | 1ull << 63);
		CHECK_EQ(READ_CSR(scause), cause | 1ull << 63);
	}
}

TEST(status_keeps_what_is_written)
{
	ROUND_TRIP(sstatus, SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_FS);
	CHECK_EQ(READ_CSR(sstatus) >> 32 & 3, 2); /* UXL: 64 */
}

TEST(interrupt_enables_keep_what_is_written)
{
	uint64_t mask = IRQ_BIT_SOFTWARE | IRQ_BIT_TIMER | IRQ_BIT_EXTERNAL;

	ROUND_TRIP(sie, mask);
	WRITE_CSR(sie, ~0ull);
	if (guest_cmdline_has("axvm"))
		CHECK_EQ(READ_CSR(sie) & 0xffff & ~mask, guest_isa_has("sscofpmf") ? 1u << 13 : 0);
	WRITE_CSR(sie, IRQ_BIT_EXTERNAL);
	SET_CSR(sip, IRQ_BIT_SOFTWARE);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_SOFTWARE, IRQ_BIT_SOFTWARE);
	CLEAR_CSR(sip, IRQ_BIT_SOFTWARE);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_SOFTWARE, 0);
}

TEST(counter_enables_keep_what_is_written)
{
	ROUND_TRIP(scounteren, 7ull);
}

TEST(counters_count)
{
	uint64_t cycle = READ_CSR(cycle);
	uint64_t instret = READ_CSR(instret);
	uint64_t ticks = READ_CSR(time);

	for (uint32_t i = 0; i < 10000; i++)
		__asm__ volatile("" ::: "memory");
	CHECK(READ_CSR(cycle) > cycle);
	CHECK(READ_CSR(instret) > instret);
	CHECK(guest_wait(&(const uint32_t){ 0 }, 100) == false);
	CHECK(READ_CSR(time) > ticks);
	CHECK(IS_ILLEGAL(WRITE_CSR(0xc00, 0)));
	CHECK(IS_ILLEGAL(WRITE_CSR(0xc01, 0)));
}

TEST(the_machines_registers_are_illegal)
{
	CHECK(CSR_IS_ILLEGAL(0x300));	    /* mstatus */
	CHECK(CSR_IS_ILLEGAL(0x301));	    /* misa */
	CHECK(CSR_IS_ILLEGAL(0x302));	    /* medeleg */
	CHECK(CSR_IS_ILLEGAL(0x344));	    /* mip */
	CHECK(CSR_IS_ILLEGAL(0x3a0));	    /* pmpcfg0 */
	CHECK(CSR_IS_ILLEGAL(0xb00));	    /* mcycle */
	CHECK(CSR_IS_ILLEGAL(0xf14));	    /* mhartid */
	CHECK(CSR_IS_ILLEGAL(0x7a0));	    /* tselect */
	CHECK(IS_ILLEGAL(RUN(0x30200073))); /* mret */
}

TEST(the_hypervisors_registers_are_illegal)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("on its own machine this is the hypervisor");
	CHECK(CSR_IS_ILLEGAL(0x600)); /* hstatus */
	CHECK(CSR_IS_ILLEGAL(0x602)); /* hedeleg */
	CHECK(CSR_IS_ILLEGAL(0x603)); /* hideleg */
	CHECK(CSR_IS_ILLEGAL(0x605)); /* htimedelta */
	CHECK(CSR_IS_ILLEGAL(0x60a)); /* henvcfg */
	CHECK(CSR_IS_ILLEGAL(0x645)); /* hvip */
	CHECK(CSR_IS_ILLEGAL(0x680)); /* hgatp */
	CHECK(CSR_IS_ILLEGAL(0xe12)); /* hgeip */
	CHECK(CSR_IS_ILLEGAL(0x200)); /* vsstatus */
	CHECK(CSR_IS_ILLEGAL(0x205)); /* vstvec */
	CHECK(CSR_IS_ILLEGAL(0x24d)); /* vstimecmp */
	CHECK(CSR_IS_ILLEGAL(0x280)); /* vsatp */
	CHECK(IS_ILLEGAL(WRITE_CSR(0x680, 0)));
	CHECK(IS_ILLEGAL(WRITE_CSR(0x280, 0)));
}

TEST(the_hypervisors_instructions_are_illegal)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("on its own machine this is the hypervisor");
	CHECK(IS_ILLEGAL(RUN(0x6007c573))); /* hlv.b a0, (a5) */
	CHECK(IS_ILLEGAL(RUN(0x6c07c573))); /* hlv.d a0, (a5) */
	CHECK(IS_ILLEGAL(RUN(0x6437c573))); /* hlvx.hu a0, (a5) */
	CHECK(IS_ILLEGAL(RUN(0x6ea7c073))); /* hsv.d a0, (a5) */
	CHECK(IS_ILLEGAL(RUN(0x22000073))); /* hfence.vvma */
	CHECK(IS_ILLEGAL(RUN(0x62000073))); /* hfence.gvma */
}

TEST(registers_that_do_not_exist_are_illegal)
{
	CHECK(CSR_IS_ILLEGAL(0x5c0));
	CHECK(CSR_IS_ILLEGAL(0x9c0));
	CHECK(CSR_IS_ILLEGAL(0x01f));
	CHECK(CSR_IS_ILLEGAL(0xdff));
	CHECK(IS_ILLEGAL(__asm__ volatile(".half 0")));
	CHECK(IS_ILLEGAL(RUN(0xffffffff)));
}

TEST(what_is_hidden_is_illegal)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("on its own machine the CPU may have more than it says");
	if (!guest_isa_has("ssaia")) {
		CHECK(CSR_IS_ILLEGAL(0x150)); /* siselect */
		CHECK(CSR_IS_ILLEGAL(0x15c)); /* stopei */
		CHECK(CSR_IS_ILLEGAL(0xdb0)); /* stopi */
	}
	if (!guest_isa_has("sstc"))
		CHECK(CSR_IS_ILLEGAL(0x14d));
	if (!guest_isa_has("zicboz"))
		CHECK(IS_ILLEGAL(RUN(0x0047a00f))); /* cbo.zero (a5) */
}

static void on_irq(uint32_t irq)
{
	(void)irq;
	guest_timers[0].off();
}

static void write_all(uint64_t value)
{
	WRITE_CSR(sscratch, value);
	WRITE_CSR(scounteren, value & 7);
	SET_CSR(sstatus, value & (SSTATUS_SUM | SSTATUS_MXR));
	WRITE_CSR(fcsr, value & 0x1f);
}

/* sepc, scause and stval as well, which an interrupt writes: so it stays masked, and only wakes. */
static bool sleep_masked(uint64_t value)
{
	uint64_t end = guest_ticks() + guest_us(200);
	bool same = true;

	guest_irq_disable();
	WRITE_CSR(sepc, value & ~1ull);
	WRITE_CSR(scause, value & 15);
	WRITE_CSR(stval, ~value);
	guest_timers[0].set(end);
	while (guest_ticks() < end)
		guest_wfi();
	same &= READ_CSR(sepc) == (value & ~1ull);
	same &= READ_CSR(scause) == (value & 15);
	same &= READ_CSR(stval) == ~value;
	guest_timers[0].off();
	return same;
}

TEST(no_register_changes_while_another_vm_runs)
{
	uint64_t seed = guest_cmdline_number("vm", 1);

	guest_this_cpu()->on_irq = on_irq;
	guest_timers[0].irq_enable();
	for (uint64_t round = 0; round < 300; round++) {
		uint64_t value = seed << 48 | (round * 0x9e3779b9 & 0xffffffffff);
		uint64_t flags = value & (SSTATUS_SUM | SSTATUS_MXR);
		uint64_t satp = READ_CSR(satp);

		write_all(value);
		REQUIRE(sleep_masked(value));
		guest_irq_enable();
		guest_sleep(50);
		guest_irq_disable();
		REQUIRE_EQ(READ_CSR(sscratch), value);
		REQUIRE_EQ(READ_CSR(scounteren) & 7, value & 7);
		REQUIRE_EQ(READ_CSR(sstatus) & (SSTATUS_SUM | SSTATUS_MXR), flags);
		REQUIRE_EQ(READ_CSR(fcsr), value & 0x1f);
		REQUIRE_EQ(READ_CSR(satp), satp);
		REQUIRE_EQ(READ_CSR(sie), IRQ_BIT_TIMER | IRQ_BIT_EXTERNAL);
		CLEAR_CSR(sstatus, SSTATUS_SUM | SSTATUS_MXR);
	}
	guest_timers[0].irq_disable();
}

/* What S mode sets for U mode, and the selector of AIA: shared with the host's CSRs or not, never lost. */
TEST(no_register_that_not_every_cpu_has_changes_while_another_vm_runs)
{
	uint64_t seed = guest_cmdline_number("vm", 1);
	bool has_blocks = guest_isa_has("zicbom") || guest_isa_has("zicboz");

	guest_this_cpu()->on_irq = on_irq;
	guest_timers[0].irq_enable();
	guest_irq_enable();
	for (uint64_t round = 0; round < 300; round++) {
		uint64_t envcfg = (seed + round) % 2 ? 0xf0 : 0;

		WRITE_CSR(0x10a, envcfg); /* senvcfg */
		envcfg = READ_CSR(0x10a);
		if (guest_isa_has("ssaia"))
			WRITE_CSR(0x150, 0x30 + seed % 8 * 2); /* siselect */
		guest_sleep(200);
		REQUIRE_EQ(READ_CSR(0x10a), envcfg);
		REQUIRE(!has_blocks || (seed + round) % 2 == 0 || envcfg != 0);
		if (guest_isa_has("ssaia"))
			REQUIRE_EQ(READ_CSR(0x150), 0x30 + seed % 8 * 2);
	}
	guest_irq_disable();
	guest_timers[0].irq_disable();
}

AXTEST_MAIN(the_registers_are_clean_at_the_beginning, trap_registers_keep_what_is_written,
	    status_keeps_what_is_written, interrupt_enables_keep_what_is_written,
	    counter_enables_keep_what_is_written, counters_count,
	    the_machines_registers_are_illegal, the_hypervisors_registers_are_illegal,
	    the_hypervisors_instructions_are_illegal, registers_that_do_not_exist_are_illegal,
	    what_is_hidden_is_illegal, no_register_changes_while_another_vm_runs,
	    no_register_that_not_every_cpu_has_changes_while_another_vm_runs)
