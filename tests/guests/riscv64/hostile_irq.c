// SPDX-License-Identifier: Apache-2.0
/* Interrupt storms, and random accesses over all of the PLIC from two CPUs. */
#include "runtime.h"

#define UART_IER 1u
#define UART_IER_THRI 2u
#define UART_IIR 2u
#define PLIC_USED 0x210000ull /* beyond it are contexts of nobody */

static uint32_t taken_count;

static void line_up(void)
{
	guest_write8(guest_machine.uart + UART_IER, UART_IER_THRI);
}

static void line_down(void)
{
	guest_write8(guest_machine.uart + UART_IER, 0);
	(void)guest_read8(guest_machine.uart + UART_IIR);
}

static void on_irq(uint32_t irq)
{
	if (irq == GUEST_IRQ_EXTERNAL + guest_machine.uart_irq)
		line_down();
	else if (irq != GUEST_IRQ_IPI)
		guest_give_up("only the storm's interrupts come");
	__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELAXED);
}

/* As after the start: nothing wanted, nothing pending, nothing in service. */
static void quiet(void)
{
	guest_irq_disable();
	guest_ipi_disable();
	guest_ipi_clear();
	line_down();
	for (uint32_t source = 1; source <= guest_plic.sources; source++)
		guest_plic_priority(source, 1);
	for (uint32_t cpu = 0; cpu < guest_cpu_count(); cpu++) {
		guest_plic_threshold(cpu, 0);
		for (uint32_t source = 1; source <= guest_plic.sources; source++) {
			guest_plic_enable(cpu, source, true);
			guest_plic_complete(cpu, source);
		}
		for (uint32_t source = guest_plic_claim(cpu); source != 0;
		     source = guest_plic_claim(cpu))
			guest_plic_complete(cpu, source);
		for (uint32_t source = 1; source <= guest_plic.sources; source++)
			guest_plic_enable(cpu, source, false);
	}
	for (uint32_t source = 1; source <= guest_plic.sources; source++)
		guest_plic_priority(source, 0);
	guest_this_cpu()->on_irq = NULL;
}

#define NEED_PLIC                             \
	do {                                  \
		if (guest_plic.base == 0)     \
			SKIP("needs a PLIC"); \
	} while (0)

/* ---- IPIs ------------------------------------------------------------------------------------------- */

TEST(two_hundred_thousand_interrupts_to_self)
{
	taken_count = 0;
	guest_this_cpu()->on_irq = on_irq;
	guest_ipi_enable();
	guest_irq_enable();
	for (uint32_t i = 1; i <= 200000; i++) {
		guest_ipi_send(0);
		while (__atomic_load_n(&taken_count, __ATOMIC_RELAXED) < i)
			;
	}
	CHECK_EQ(taken_count, 200000);
	guest_irq_disable();
	guest_ipi_disable();
	guest_this_cpu()->on_irq = NULL;
}

/* ---- a controller that is misused -------------------------------------------------------------------- */

TEST(claims_without_pending_and_completions_of_everything_change_nothing)
{
	NEED_PLIC;
	for (uint32_t i = 0; i < 5000; i++) {
		CHECK_EQ(guest_plic_claim(0), 0);
		guest_plic_complete(0, i);
		guest_plic_complete(0, i << 20 | guest_machine.uart_irq);
	}
	guest_plic_complete(0, UINT32_MAX);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, 0);
	quiet();
}

TEST(a_source_that_is_never_completed_is_quiet_and_the_rest_works)
{
	NEED_PLIC;
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's gateway forwards during the service");
	guest_plic_priority(guest_machine.uart_irq, 1);
	guest_plic_enable(0, guest_machine.uart_irq, true);
	line_up();
	CHECK_EQ(guest_plic_claim(0), guest_machine.uart_irq);
	for (uint32_t i = 0; i < 10000; i++) {
		line_down();
		line_up();
	}
	CHECK(!guest_plic_is_pending(guest_machine.uart_irq));
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_EXTERNAL, 0);
	quiet();
}

static uint32_t storm_ends;

/* Each CPU turns its own enables and the common priority; who gets the interrupt serves it. */
static void flip(uint32_t cpu, uint32_t round)
{
	guest_plic_enable(cpu, guest_machine.uart_irq, round % 2 != 0);
	if (round % 5 == 0)
		guest_plic_priority(guest_machine.uart_irq, round % 15);
	if (round % 7 == 0)
		guest_plic_threshold(cpu, round % 3);
}

static void flip_on(uint32_t cpu)
{
	guest_plic_threshold(cpu, 0);
	guest_plic_priority(guest_machine.uart_irq, 7);
	guest_plic_enable(cpu, guest_machine.uart_irq, true);
}

static void storm_cpu(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_irq;
	guest_irq_enable();
	for (uint32_t round = 0; __atomic_load_n(&storm_ends, __ATOMIC_RELAXED) == 0; round++)
		flip(1, round);
	flip_on(1);
	guest_irq_disable();
}

TEST(two_cpus_flip_enables_while_the_line_moves)
{
	NEED_PLIC;
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	storm_ends = 0;
	taken_count = 0;
	guest_this_cpu()->on_irq = on_irq;
	REQUIRE_EQ(guest_cpu_start(1, storm_cpu, NULL), 0);
	guest_irq_enable();
	/* The other may get to run late, where two emulated CPUs share one. */
	for (uint32_t round = 0; round < 100000 || (taken_count <= 100 && round < 10000000);
	     round++) {
		flip(0, round);
		if (round % 4 == 0)
			line_up();
	}
	__atomic_store_n(&storm_ends, 1, __ATOMIC_RELAXED);
	CHECK(guest_cpu_wait_off(1));
	CHECK(taken_count > 100);
	quiet();
}

static void access_wildly(uint64_t at, uint32_t kind, uint64_t value)
{
	switch (kind) {
	case 0:
		guest_write8(at, (uint8_t)value);
		break;
	case 1:
		guest_write16(at & ~1ull, (uint16_t)value);
		break;
	case 2:
		guest_write64(at & ~7ull, value);
		break;
	case 3:
		(void)guest_read8(at);
		break;
	case 4:
		(void)guest_read64(at & ~7ull);
		break;
	case 5:
	case 6:
		(void)guest_read32(at & ~3ull);
		break;
	default:
		guest_write32(at & ~3ull, (uint32_t)value);
		break;
	}
}

/* Interrupts masked: only the controller is tried, not the handlers. */
static void scribble(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t random = guest_random(&state);
		uint64_t bytes = random >> 4 & 1 ? PLIC_USED : guest_plic.bytes;
		uint64_t offset = (random >> 8) % bytes;

		if (random >> 5 & 1)
			offset = (random >> 6 & 1 ? 0x2000 : 0x200000) + offset % 0x2000;
		guest_probe_begin();
		access_wildly(guest_plic.base + offset, random & 15, guest_random(&state));
		if (guest_probe_end().count > 1)
			guest_give_up("an access makes one fault at most");
	}
}

TEST(random_accesses_all_over_the_controller)
{
	NEED_PLIC;
	scribble((void *)11);
	quiet();
}

TEST(random_accesses_from_two_cpus_at_once)
{
	NEED_PLIC;
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	REQUIRE_EQ(guest_cpu_start(1, scribble, (void *)21), 0);
	scribble((void *)22);
	CHECK(guest_wait(&guest_cpus[1].done, 60000000));
	CHECK(guest_cpu_wait_off(1));
	quiet();
}

TEST(the_controller_can_be_set_up_again_and_works)
{
	NEED_PLIC;
	taken_count = 0;
	guest_this_cpu()->on_irq = on_irq;
	guest_plic_priority(guest_machine.uart_irq, 1);
	guest_plic_enable(0, guest_machine.uart_irq, true);
	guest_irq_enable();
	line_up();
	CHECK(guest_wait(&taken_count, 1000000));
	CHECK(!guest_wait_for(&taken_count, 2, 1000));
	quiet();
}

AXTEST_MAIN(two_hundred_thousand_interrupts_to_self,
	    claims_without_pending_and_completions_of_everything_change_nothing,
	    a_source_that_is_never_completed_is_quiet_and_the_rest_works,
	    two_cpus_flip_enables_while_the_line_moves, random_accesses_all_over_the_controller,
	    random_accesses_from_two_cpus_at_once, the_controller_can_be_set_up_again_and_works)
