// SPDX-License-Identifier: Apache-2.0
/*
 * Interrupts through the PLIC's whole path [PLIC]. The one source that a guest can raise by itself is its
 * UART: the transmitter's interrupt, whose line is high while it is enabled and not yet seen in IIR.
 */
#include <string.h>

#include "runtime.h"

#define UART_IER 1u
#define UART_IER_THRI 2u
#define UART_IIR 2u
#define LOG_MAX 64u

struct irq_log {
	uint32_t count;
	uint32_t source[LOG_MAX];
	bool pending[LOG_MAX]; /* as the PLIC said inside the handler */
};

static struct irq_log logs[GUEST_CPUS_MAX];
static struct irq_log *const log0 = &logs[0];
static uint32_t uart; /* its source */

static void line_up(void)
{
	guest_write8(guest_machine.uart + UART_IER, UART_IER_THRI);
}

static void line_down(void)
{
	guest_write8(guest_machine.uart + UART_IER, 0);
	(void)guest_read8(guest_machine.uart + UART_IIR);
}

static void note(uint32_t irq)
{
	struct irq_log *log = &logs[guest_this_cpu()->index];

	if (log->count == LOG_MAX)
		guest_give_up("an interrupt comes as often as it was made");
	log->source[log->count] = irq - GUEST_IRQ_EXTERNAL;
	log->pending[log->count] = guest_plic_is_pending(uart);
	__atomic_fetch_add(&log->count, 1, __ATOMIC_RELEASE);
}

static void serve(uint32_t irq)
{
	line_down();
	note(irq);
}

/* The UART's interrupt at priority 1 to this CPU, line low. */
static bool begin(void (*on_irq)(uint32_t irq))
{
	uart = guest_machine.uart_irq;
	if (guest_plic.base == 0)
		return false;
	memset(logs, 0, sizeof(logs));
	guest_irq_disable();
	line_down();
	guest_this_cpu()->on_irq = on_irq;
	guest_plic_threshold(0, 0);
	guest_plic_priority(uart, 1);
	guest_plic_enable(0, uart, true);
	return true;
}

static void end(void)
{
	guest_irq_disable();
	line_down();
	for (uint32_t cpu = 0; cpu < guest_cpu_count(); cpu++) {
		uint32_t source;

		guest_plic_enable(cpu, uart, true);
		source = guest_plic_claim(cpu);
		if (source != 0)
			guest_plic_complete(cpu, source);
		guest_plic_enable(cpu, uart, false);
	}
	guest_plic_priority(uart, 0);
	guest_this_cpu()->on_irq = NULL;
}

#define BEGIN(on_irq)                                 \
	do {                                          \
		if (!begin(on_irq))                   \
			SKIP("needs a PLIC");         \
		REQUIRE(guest_machine.uart_irq != 0); \
	} while (0)

/* Lets pending interrupts in for a moment. */
static void take(uint32_t at_least)
{
	guest_irq_enable();
	CHECK(guest_wait_for(&log0->count, at_least, 1000000));
	(void)guest_wait_for(&log0->count, at_least + 1, 200);
	guest_irq_disable();
	CHECK_EQ(log0->count, at_least);
}

static void take_none(void)
{
	uint32_t before = log0->count;

	guest_irq_enable();
	CHECK(!guest_wait_for(&log0->count, before + 1, 2000));
	guest_irq_disable();
}

/* ---- registers ------------------------------------------------------------------------------------- */

TEST(priorities_and_thresholds_have_three_bits)
{
	uint64_t threshold =
		guest_plic.base + PLIC_THRESHOLD + PLIC_CONTEXT * guest_plic.context_of_cpu[0];

	BEGIN(note);
	for (uint32_t source = 1; source <= guest_plic.sources; source++) {
		uint64_t at = guest_plic.base + PLIC_PRIORITY + 4 * (uint64_t)source;

		guest_plic_priority(source, UINT32_MAX);
		CHECK_EQ(guest_read32(at), 7);
		guest_plic_priority(source, 8);
		CHECK_EQ(guest_read32(at), 0);
	}
	guest_write32(threshold, UINT32_MAX);
	CHECK_EQ(guest_read32(threshold), 7);
	guest_write32(threshold, 0);
	end();
}

TEST(there_is_a_register_for_each_source_and_none_for_source_0)
{
	uint64_t enable =
		guest_plic.base + PLIC_ENABLE + PLIC_ENABLE_CONTEXT * guest_plic.context_of_cpu[0];

	BEGIN(note);
	CHECK(guest_plic.sources >= uart);
	CHECK_EQ(guest_read32(guest_plic.base + PLIC_PRIORITY), 0);
	CHECK_EQ(guest_read32(guest_plic.base + PLIC_PENDING) & 1, 0);
	for (uint32_t word = 0; word * 32 < guest_plic.sources; word++) {
		guest_write32(enable + 4 * word, 0xfffffffe);
		CHECK_EQ(guest_read32(enable + 4 * word), 0xfffffffe);
		guest_write32(enable + 4 * word, 0);
	}
	if (guest_cmdline_has("axvm")) {
		guest_plic_priority(guest_plic.sources + 1, 7);
		CHECK_EQ(guest_read32(guest_plic.base + 4 * (guest_plic.sources + 1)), 0);
	}
	end();
}

TEST(a_claim_without_anything_pending_is_0)
{
	BEGIN(note);
	for (uint32_t cpu = 0; cpu < guest_cpu_count(); cpu++)
		CHECK_EQ(guest_plic_claim(cpu), 0);
	take_none();
	end();
}

/* ---- one interrupt ---------------------------------------------------------------------------------- */

TEST(the_uarts_interrupt_arrives_once)
{
	BEGIN(serve);
	for (uint32_t i = 1; i <= 10; i++) {
		line_up();
		take(i);
		CHECK_EQ(log0->source[i - 1], uart);
		CHECK(!log0->pending[i - 1]);
	}
	end();
}

TEST(a_pending_interrupt_is_seen_and_claimed_without_being_taken)
{
	BEGIN(note);
	line_up();
	CHECK(guest_plic_is_pending(uart));
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, IRQ_BIT_EXTERNAL);
	CHECK_EQ(guest_plic_claim(0), uart);
	CHECK(!guest_plic_is_pending(uart));
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, 0);
	CHECK_EQ(guest_plic_claim(0), 0);
	line_down();
	guest_plic_complete(0, uart);
	take_none();
	end();
}

static void serve_in_the_third(uint32_t irq)
{
	if (log0->count == 2)
		line_down();
	note(irq);
}

TEST(a_level_comes_back_until_it_is_served)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's gateway does not look at its line again");
	BEGIN(serve_in_the_third);
	line_up();
	take(3);
	end();
}

static void serve_and_raise_again(uint32_t irq)
{
	line_down();
	if (log0->count == 0)
		line_up();
	note(irq);
}

TEST(a_line_that_rises_during_its_handler_comes_again)
{
	BEGIN(serve_and_raise_again);
	line_up();
	take(2);
	end();
}

TEST(a_request_stays_when_its_line_falls)
{
	BEGIN(note);
	line_up();
	line_down();
	CHECK(guest_plic_is_pending(uart));
	take(1);
	end();
}

/* ---- who gets it, and when ---------------------------------------------------------------------------- */

TEST(priority_0_never_interrupts)
{
	BEGIN(serve);
	guest_plic_priority(uart, 0);
	line_up();
	take_none();
	CHECK(guest_plic_is_pending(uart));
	CHECK_EQ(guest_plic_claim(0), 0);
	guest_plic_priority(uart, 1);
	take(1);
	end();
}

TEST(a_threshold_holds_back_what_is_not_above_it)
{
	BEGIN(serve);
	guest_plic_priority(uart, 3);
	guest_plic_threshold(0, 7);
	line_up();
	for (uint32_t threshold = 7; threshold >= 3; threshold--) {
		guest_plic_threshold(0, threshold);
		CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, 0);
	}
	take_none();
	guest_plic_threshold(0, 2);
	take(1);
	end();
}

TEST(a_source_that_is_not_enabled_waits)
{
	BEGIN(serve);
	guest_plic_enable(0, uart, false);
	line_up();
	take_none();
	CHECK(guest_plic_is_pending(uart));
	guest_plic_enable(0, uart, true);
	guest_plic_priority(uart, 1); /* QEMU's PLIC looks now, ours has at the enable */
	take(1);
	end();
}

TEST(an_enable_that_is_withdrawn_takes_the_interrupt_back)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's PLIC does not look at its targets when enables change");
	BEGIN(note);
	line_up();
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, IRQ_BIT_EXTERNAL);
	guest_plic_enable(0, uart, false);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, 0);
	CHECK_EQ(guest_plic_claim(0), 0);
	guest_plic_enable(0, uart, true);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, IRQ_BIT_EXTERNAL);
	end();
}

TEST(only_who_enables_a_source_completes_it)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's PLIC takes it from anybody");
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	BEGIN(note);
	line_up();
	CHECK_EQ(guest_plic_claim(0), uart);
	guest_plic_complete(1, uart);
	CHECK(!guest_plic_is_pending(uart));
	guest_plic_enable(0, uart, false);
	guest_plic_complete(0, uart);
	CHECK(!guest_plic_is_pending(uart));
	guest_plic_enable(1, uart, true);
	guest_plic_complete(1, uart);
	CHECK(guest_plic_is_pending(uart)); /* the line is still high */
	end();
}

/* ---- several CPUs --------------------------------------------------------------------------------------- */

static uint32_t others_ready;
static uint32_t others_release;

static void other_cpu(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = serve;
	guest_irq_enable();
	__atomic_fetch_add(&others_ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&others_release, __ATOMIC_ACQUIRE) == 0)
		;
	guest_irq_disable();
}

static bool start_others(void)
{
	others_ready = 0;
	others_release = 0;
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (guest_cpu_start(i, other_cpu, NULL) != 0)
			return false;
	}
	return guest_wait_for(&others_ready, guest_cpu_count() - 1, 5000000);
}

static void stop_others(void)
{
	__atomic_store_n(&others_release, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		CHECK(guest_cpu_wait_off(i));
}

TEST(an_interrupt_goes_to_the_cpu_that_enables_it)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	BEGIN(serve);
	REQUIRE(start_others());
	guest_irq_enable();
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		guest_plic_enable(i - 1, uart, false);
		guest_plic_enable(i, uart, true);
		line_up();
		CHECK(guest_wait(&logs[i].count, 1000000));
		CHECK_EQ(logs[i].source[0], uart);
	}
	guest_irq_disable();
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		CHECK_EQ(logs[i].count, 1);
	CHECK_EQ(log0->count, 0);
	stop_others();
	end();
}

static uint32_t total(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < guest_cpu_count(); i++)
		sum += __atomic_load_n(&logs[i].count, __ATOMIC_ACQUIRE);
	return sum;
}

TEST(an_interrupt_that_all_enable_is_taken_by_one)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	BEGIN(serve);
	REQUIRE(start_others());
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		guest_plic_enable(i, uart, true);
	guest_irq_enable();
	for (uint32_t round = 1; round <= 50; round++) {
		uint64_t deadline = guest_ticks() + guest_us(1000000);

		line_up();
		while (total() < round && guest_ticks() < deadline)
			;
		REQUIRE_EQ(total(), round);
	}
	guest_irq_disable();
	stop_others();
	end();
}

AXTEST_MAIN(priorities_and_thresholds_have_three_bits,
	    there_is_a_register_for_each_source_and_none_for_source_0,
	    a_claim_without_anything_pending_is_0, the_uarts_interrupt_arrives_once,
	    a_pending_interrupt_is_seen_and_claimed_without_being_taken,
	    a_level_comes_back_until_it_is_served, a_line_that_rises_during_its_handler_comes_again,
	    a_request_stays_when_its_line_falls, priority_0_never_interrupts,
	    a_threshold_holds_back_what_is_not_above_it, a_source_that_is_not_enabled_waits,
	    an_enable_that_is_withdrawn_takes_the_interrupt_back,
	    only_who_enables_a_source_completes_it, an_interrupt_goes_to_the_cpu_that_enables_it,
	    an_interrupt_that_all_enable_is_taken_by_one)
