// SPDX-License-Identifier: Apache-2.0
/* An APLIC in direct mode, seen from inside [AIA 4.8], and what a hostile guest does to it. */
#include "aia.h"

#define FLIPS 3000u

static uint32_t counts[GUEST_CPUS_MAX];
static uint32_t last_source;
static uint32_t ready;
static uint32_t stop;

static uint32_t self(void)
{
	return (uint32_t)guest_this_cpu()->id;
}

static uint32_t claim(void)
{
	return guest_read32(APLIC_CLAIMI(self())) >> 16;
}

static void begin(void)
{
	aplic_start(APLIC_IE);
	guest_write32(APLIC_ITHRESHOLD(self()), 0);
	guest_write32(APLIC_IDELIVERY(self()), 1);
	ready = 0;
	stop = 0;
}

TEST(the_domain_is_little_endian_and_direct)
{
	guest_write32(APLIC_DOMAINCFG, ~0u);
	CHECK_EQ(guest_read32(APLIC_DOMAINCFG), 0x80000000u | APLIC_IE);
	guest_write32(APLIC_DOMAINCFG, 0);
	CHECK_EQ(guest_read32(APLIC_DOMAINCFG), 0x80000000u);
}

TEST(a_source_is_signalled_until_it_is_claimed)
{
	begin();
	aplic_source(20, APLIC_DETACHED, 0, 2);
	CHECK(!external_is_pending());
	guest_write32(APLIC_SETIPNUM, 20);
	CHECK(external_becomes(true));
	CHECK_EQ(guest_read32(APLIC_TOPI(self())), 20 << 16 | 2);
	CHECK_EQ(claim(), 20);
	CHECK(external_becomes(false));
	CHECK_EQ(claim(), 0);
}

TEST(sources_come_by_priority_and_then_by_number)
{
	static const uint32_t order[] = { 41, 30, 50, 3 };

	begin();
	aplic_source(3, APLIC_DETACHED, 0, 7);
	aplic_source(50, APLIC_DETACHED, 0, 4);
	aplic_source(30, APLIC_DETACHED, 0, 4);
	aplic_source(41, APLIC_DETACHED, 0, 1);
	guest_write32(APLIC_SETIP(0), 1u << 3 | 1u << 30);
	guest_write32(APLIC_SETIP(1), 1u << (41 - 32) | 1u << (50 - 32));
	for (uint32_t i = 0; i < 4; i++) {
		CHECK(external_becomes(true));
		CHECK_EQ(claim(), order[i]);
	}
	CHECK(external_becomes(false));
}

TEST(the_threshold_and_the_enables_withdraw_what_was_signalled)
{
	begin();
	aplic_source(20, APLIC_DETACHED, 0, 5);
	guest_write32(APLIC_SETIPNUM, 20);
	CHECK(external_becomes(true));
	guest_write32(APLIC_ITHRESHOLD(self()), 5);
	CHECK(external_becomes(false));
	guest_write32(APLIC_ITHRESHOLD(self()), 6);
	CHECK(external_becomes(true));
	guest_write32(APLIC_CLRIENUM, 20);
	CHECK(external_becomes(false));
	guest_write32(APLIC_SETIENUM, 20);
	CHECK(external_becomes(true));
	guest_write32(APLIC_IDELIVERY(self()), 0);
	CHECK(external_becomes(false));
	guest_write32(APLIC_IDELIVERY(self()), 1);
	guest_write32(APLIC_DOMAINCFG, 0);
	CHECK(external_becomes(false));
	guest_write32(APLIC_DOMAINCFG, APLIC_IE);
	CHECK(external_becomes(true));
	guest_write32(APLIC_SOURCECFG(20), APLIC_INACTIVE);
	CHECK(external_becomes(false));
}

TEST(a_level_pends_until_the_device_lowers_its_line)
{
	uint32_t irq = guest_machine.uart_irq;
	uint32_t bit = 1u << irq % 32;

	begin();
	aplic_source(irq, APLIC_LEVEL1, 0, 1);
	CHECK(!external_is_pending());
	guest_write8(UART_IER, UART_THRE_INTERRUPT);
	CHECK(external_becomes(true));
	CHECK_EQ(claim(), irq);
	CHECK_EQ(claim(), irq);
	guest_write32(APLIC_CLRIPNUM, irq);
	CHECK(guest_read32(APLIC_IN_CLRIP(irq / 32)) & bit);
	CHECK(guest_read32(APLIC_SETIP(irq / 32)) & bit);
	guest_write8(UART_IER, 0);
	if (!guest_cmdline_has("axvm"))
		return; /* QEMU's own goes on pending [AIA 4.7] */
	CHECK(external_becomes(false));
	CHECK_EQ(claim(), 0);
	guest_write32(APLIC_SETIPNUM, irq);
	CHECK(!external_is_pending());
}

static void on_external(uint32_t irq)
{
	if (irq != 9)
		guest_give_up("external interrupts come alone");
	uint32_t source = claim();

	if (source == 0)
		return;
	__atomic_store_n(&last_source, source, __ATOMIC_RELAXED);
	__atomic_fetch_add(&counts[guest_this_cpu()->index], 1, __ATOMIC_RELEASE);
}

static void take_externals(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_external;
	guest_write32(APLIC_ITHRESHOLD(self()), 0);
	guest_write32(APLIC_IDELIVERY(self()), 1);
	guest_irq_enable();
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		guest_wfi();
	guest_irq_disable();
	guest_write32(APLIC_IDELIVERY(self()), 0);
}

static void end(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		guest_write32(APLIC_IFORCE(guest_cpus[i].id), 1); /* out of wfi */
		CHECK(guest_cpu_wait_off(i));
	}
}

TEST(each_interrupt_reaches_the_hart_of_its_target_and_wakes_it)
{
	uint32_t cpus = guest_cpu_count();

	begin();
	for (uint32_t i = 1; i < cpus; i++)
		REQUIRE_EQ(guest_cpu_start(i, take_externals, NULL), 0);
	REQUIRE(guest_wait_for(&ready, cpus - 1, 5000000));
	aplic_source(33, APLIC_DETACHED, 0, 3);
	for (uint32_t round = 1; round <= 50; round++) {
		for (uint32_t i = 1; i < cpus; i++) {
			guest_write32(APLIC_TARGET(33), (uint32_t)guest_cpus[i].id << 18 | 3);
			guest_write32(APLIC_SETIPNUM, 33);
			REQUIRE(guest_wait_for(&counts[i], round, 5000000));
			CHECK_EQ(last_source, 33);
		}
	}
	CHECK_EQ(counts[0], 0);
	end();
}

/* ---- hostile ------------------------------------------------------------------------------------------- */

TEST(wild_registers_values_and_harts_do_no_harm)
{
	uint64_t state = 42;

	begin();
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t random = guest_random(&state);
		uint64_t at = APLIC + random % (APLIC_BYTES / 4) * 4;

		if (random >> 60 < 5)
			(void)guest_read32(at);
		else
			guest_write32(at, (uint32_t)(random >> 20));
	}
	begin();
	for (uint32_t source = 1; source < APLIC_SOURCES; source++)
		CHECK_EQ(guest_read32(APLIC_SOURCECFG(source)), APLIC_INACTIVE);
	guest_write32(APLIC_IFORCE(self()), 0);
	aplic_source(20, APLIC_DETACHED, 0, 2);
	guest_write32(APLIC_SETIPNUM, 20);
	CHECK(external_becomes(true));
	CHECK_EQ(claim(), 20);
}

static void flip(void *argument)
{
	uint32_t seed = (uint32_t)(uintptr_t)argument;

	for (uint32_t i = 0; i < FLIPS; i++) {
		uint32_t source = 1 + (i * 7 + seed) % 40;

		guest_write32(APLIC_SOURCECFG(source), i % 5 == 0 ? APLIC_INACTIVE : 1 + i % 7);
		guest_write32(APLIC_TARGET(source), i % 9 << 18 | i % 8);
		guest_write32(i % 2 ? APLIC_SETIENUM : APLIC_CLRIENUM, source);
		guest_write32(i % 3 ? APLIC_SETIPNUM : APLIC_CLRIPNUM, source);
		guest_write32(APLIC_DOMAINCFG, i % 4 ? APLIC_IE : 0);
		(void)guest_read32(APLIC_CLAIMI(i % 4));
	}
}

TEST(harts_that_change_the_same_sources_at_once_do_no_harm)
{
	uint32_t cpus = guest_cpu_count();

	begin();
	for (uint32_t i = 1; i < cpus; i++)
		REQUIRE_EQ(guest_cpu_start(i, flip, (void *)(uintptr_t)i), 0);
	flip(NULL);
	for (uint32_t i = 1; i < cpus; i++)
		CHECK(guest_cpu_wait_off(i));
	begin();
	guest_write32(APLIC_IFORCE(self()), 0);
	aplic_source(20, APLIC_DETACHED, 0, 2);
	CHECK(external_becomes(false));
	guest_write32(APLIC_SETIPNUM, 20);
	CHECK(external_becomes(true));
	CHECK_EQ(claim(), 20);
	CHECK(external_becomes(false));
}

AXTEST_MAIN(the_domain_is_little_endian_and_direct, a_source_is_signalled_until_it_is_claimed,
	    sources_come_by_priority_and_then_by_number,
	    the_threshold_and_the_enables_withdraw_what_was_signalled,
	    a_level_pends_until_the_device_lowers_its_line,
	    each_interrupt_reaches_the_hart_of_its_target_and_wakes_it,
	    wild_registers_values_and_harts_do_no_harm,
	    harts_that_change_the_same_sources_at_once_do_no_harm)
