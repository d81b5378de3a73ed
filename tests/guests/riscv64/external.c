// SPDX-License-Identifier: Apache-2.0
/*
 * External interrupts by whichever controller the device tree names: PLIC, APLIC, or an APLIC and the
 * harts' files [AIA 3, 4]. What a machine does not have is skipped.
 */
#include "runtime.h"

#define UART_IER 1u
#define UART_IIR 2u

static uint32_t taken_count;
static uint32_t taken[64];
static uint32_t other_count;

#define NEEDS_IMSIC()                           \
	do {                                    \
		if (guest_aia.imsic == 0)       \
			SKIP("needs an IMSIC"); \
	} while (0)

static void note(uint32_t irq)
{
	if (guest_aia_took(irq, note))
		return;
	if (taken_count == 64)
		guest_give_up("an interrupt comes as often as it was made");
	taken[taken_count] = irq - GUEST_IRQ_EXTERNAL;
	__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
}

static void begin(void)
{
	guest_irq_disable();
	guest_aia_start();
	guest_aia_start_cpu();
	taken_count = 0;
	guest_this_cpu()->on_irq = note;
}

static void on_uart(uint32_t irq)
{
	if (guest_aia_took(irq, on_uart))
		return;
	/* A controller may show a level once more that has fallen meanwhile; the device knows. */
	bool is_asked_for = (guest_read8(guest_machine.uart + UART_IIR) & 0xf) == 2;

	if (irq == GUEST_IRQ_EXTERNAL + guest_machine.uart_irq && is_asked_for) {
		guest_write8(guest_machine.uart + UART_IER, 0);
		__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
	}
}

/* The transmitter is empty: that is an interrupt as soon as it is asked for. */
TEST(the_consoles_interrupt_arrives)
{
	begin();
	guest_this_cpu()->on_irq = on_uart;
	guest_external_enable(guest_machine.uart_irq);
	guest_irq_enable();
	for (uint32_t round = 1; round <= 100; round++) {
		guest_write8(guest_machine.uart + UART_IER, 2); /* THRE */
		if (!guest_wait_for(&taken_count, round, 1000000))
			break;
	}
	CHECK_EQ(taken_count, 100);
	guest_irq_disable();
	guest_external_disable(guest_machine.uart_irq);
}

static void send(uint32_t cpu, uint32_t id)
{
	guest_write32(guest_aia_file(cpu), id);
}

TEST(a_message_of_each_identity_arrives)
{
	NEEDS_IMSIC();
	begin();
	guest_irq_enable();
	for (uint32_t id = 1; id <= guest_aia.ids; id++) {
		taken_count = 0;
		guest_aia_enable_id(id, true);
		send(0, id);
		bool arrived = guest_wait(&taken_count, 1000000);
		guest_aia_enable_id(id, false);
		REQUIRE(arrived);
		REQUIRE_EQ(taken[0], id);
	}
	guest_irq_disable();
}

static void on_other(uint32_t irq)
{
	if (guest_aia_took(irq, on_other))
		return;
	if (irq == GUEST_IRQ_EXTERNAL + 5)
		__atomic_fetch_add(&other_count, 1, __ATOMIC_RELEASE);
}

static void take_messages(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_other;
	guest_aia_start_cpu();
	guest_aia_enable_id(5, true);
	guest_irq_enable();
	__atomic_store_n(&taken_count, 1, __ATOMIC_RELEASE);
	(void)guest_wait_for(&other_count, 100, 10000000);
	guest_irq_disable();
	guest_aia_enable_id(5, false);
}

TEST(messages_reach_another_cpu)
{
	NEEDS_IMSIC();
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin();
	other_count = 0;
	REQUIRE_EQ(guest_cpu_start(1, take_messages, NULL), 0);
	REQUIRE(guest_wait(&taken_count, 5000000));
	for (uint32_t round = 1; round <= 100; round++) {
		send(1, 5);
		REQUIRE(guest_wait_for(&other_count, round, 5000000));
	}
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(other_count, 100);
}

TEST(sources_that_no_device_has_are_made_pending)
{
	if (guest_aia.aplic == 0)
		SKIP("needs an APLIC");
	begin();
	if (guest_aia.imsic != 0)
		guest_aia_enable_id(60, true);
	guest_aia_route(60, 0, GUEST_APLIC_EDGE);
	guest_irq_enable();
	for (uint32_t round = 1; round <= 50; round++) {
		guest_write32(guest_aia.aplic + GUEST_APLIC_SETIPNUM, 60);
		REQUIRE(guest_wait_for(&taken_count, round, 1000000));
		REQUIRE_EQ(taken[round - 1], 60);
	}
	guest_irq_disable();
	guest_aia_route(60, 0, 0);
	if (guest_aia.imsic != 0)
		guest_aia_enable_id(60, false);
}

TEST(registers_behind_the_selector_that_do_not_exist_are_survived)
{
	uint32_t faults = 0;

	if (!guest_isa_has("ssaia"))
		SKIP("needs AIA");
	for (uint64_t select = 0; select < 0x400; select++) {
		struct guest_fault fault;

		WRITE_CSR(0x150, select);
		fault = PROBE((void)READ_CSR(0x151));
		CHECK(fault.count == 0 || (fault.count == 1 && fault.cause == CAUSE_ILLEGAL));
		faults += (uint32_t)fault.count;
	}
	CHECK(faults > 0x200);
}

AXTEST_MAIN(the_consoles_interrupt_arrives, a_message_of_each_identity_arrives,
	    messages_reach_another_cpu, sources_that_no_device_has_are_made_pending,
	    registers_behind_the_selector_that_do_not_exist_are_survived)
