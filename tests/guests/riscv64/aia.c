// SPDX-License-Identifier: Apache-2.0
/* IMSICs, and an APLIC that sends MSIs to them, seen from inside [AIA 3, 4.9]; and hostile uses of both. */
#include "aia.h"

#define ROUNDS 50u

static uint32_t counts[GUEST_CPUS_MAX];
static uint32_t ready;
static uint32_t stop;

static void begin(void)
{
	aplic_start(APLIC_IE | APLIC_DM);
	ei_start();
	ready = 0;
	stop = 0;
	for (uint32_t i = 0; i < GUEST_CPUS_MAX; i++)
		counts[i] = 0;
}

/* ---- the file's registers ---------------------------------------------------------------------------- */

TEST(the_registers_of_the_file_keep_what_is_written)
{
	begin();
	ei_write(EIDELIVERY, 0);
	CHECK_EQ(ei_read(EIDELIVERY), 0);
	ei_write(EITHRESHOLD, 77);
	CHECK_EQ(ei_read(EITHRESHOLD), 77);
	ei_write(EIP, ~0ull);
	CHECK_EQ(ei_read(EIP), ~1ull);
	ei_write(EIE + 2, 0x123456789abcdef0);
	CHECK_EQ(ei_read(EIE + 2), 0x123456789abcdef0);
	WRITE_CSR(0x150, EIP);
	CLEAR_CSR(0x151, 0xf0);
	CHECK_EQ(READ_CSR(0x151), ~0xf1ull);
	SET_CSR(0x151, 0x30);
	CHECK_EQ(READ_CSR(0x151), ~0xc1ull);
}

TEST(registers_of_32_bit_harts_are_illegal)
{
	for (uint32_t select = EIP + 1; select < 0x100; select += 2) {
		WRITE_CSR(0x150, select);
		CHECK_EQ(guest_fault_kind(PROBE((void)READ_CSR(0x151))), GUEST_FAULT_UNDEFINED);
		CHECK_EQ(guest_fault_kind(PROBE(WRITE_CSR(0x151, 0))), GUEST_FAULT_UNDEFINED);
	}
}

TEST(the_lowest_number_is_the_top_and_claimed_first)
{
	begin();
	msi_send(0, 200);
	msi_send(0, 30);
	CHECK(external_becomes(true));
	while ((ei_read(EIP) >> 30 & 1) == 0)
		;
	CHECK_EQ(READ_CSR(0x15c), 30 << 16 | 30);
	CHECK_EQ(READ_CSR(0xdb0) >> 16, 9);
	CHECK_EQ(ei_claim(), 30);
	CHECK_EQ(ei_claim(), 200);
	CHECK(external_becomes(false));
	CHECK_EQ(ei_claim(), 0);
}

TEST(the_threshold_the_enables_and_the_delivery_withdraw_a_signal)
{
	begin();
	msi_send(0, 40);
	CHECK(external_becomes(true));
	ei_write(EITHRESHOLD, 40);
	CHECK(external_becomes(false));
	CHECK_EQ(READ_CSR(0x15c), 0);
	ei_write(EITHRESHOLD, 41);
	CHECK(external_becomes(true));
	ei_write(EIE, ~(1ull << 40));
	CHECK(external_becomes(false));
	ei_write(EIE, ~0ull);
	ei_write(EIDELIVERY, 0);
	CHECK(external_becomes(false));
	ei_write(EIDELIVERY, 1);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 40);
}

/* ---- the APLIC ----------------------------------------------------------------------------------------- */

TEST(a_source_is_forwarded_as_its_number)
{
	begin();
	aplic_source(20, APLIC_DETACHED, 0, 99);
	CHECK_EQ(guest_read32(APLIC_TARGET(20)), (uint32_t)guest_cpus[0].id << 18 | 99);
	guest_write32(APLIC_SETIPNUM, 20);
	CHECK(external_becomes(true));
	CHECK_EQ(guest_read32(APLIC_SETIP(0)), 0);
	CHECK_EQ(ei_claim(), 99);
	guest_write32(APLIC_GENMSI, (uint32_t)guest_cpus[0].id << 18 | 98);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 98);
}

TEST(a_level_comes_again_when_setipnum_finds_it_high)
{
	uint32_t irq = guest_machine.uart_irq;

	begin();
	aplic_source(irq, APLIC_LEVEL1, 0, 60);
	guest_write8(UART_IER, UART_THRE_INTERRUPT);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 60);
	CHECK(external_becomes(false));
	guest_write32(APLIC_SETIPNUM_LE, irq);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 60);
	guest_write8(UART_IER, 0);
	guest_write32(APLIC_SETIPNUM_LE, irq);
	CHECK(!external_is_pending());
	CHECK_EQ(ei_claim(), 0);
}

/* ---- between CPUs -------------------------------------------------------------------------------------- */

static void on_external(uint32_t irq)
{
	if (irq != 9)
		guest_give_up("external interrupts come alone");
	while (ei_claim() != 0)
		__atomic_fetch_add(&counts[guest_this_cpu()->index], 1, __ATOMIC_RELEASE);
}

static void take_msis(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_external;
	ei_start();
	guest_irq_enable();
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		guest_wfi();
	guest_irq_disable();
	ei_write(EIDELIVERY, 0);
}

static void end(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		msi_send(i, 1);
		CHECK(guest_cpu_wait_off(i));
	}
}

static bool start_others(void)
{
	begin();
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (guest_cpu_start(i, take_msis, NULL) != 0)
			return false;
	}
	return guest_wait_for(&ready, guest_cpu_count() - 1, 5000000);
}

TEST(each_msi_reaches_the_cpu_of_its_page_and_wakes_it)
{
	uint32_t cpus = guest_cpu_count();

	REQUIRE(start_others());
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (uint32_t i = 1; i < cpus; i++) {
			msi_send(i, 1 + round % 255);
			REQUIRE(guest_wait_for(&counts[i], round, 5000000));
		}
	}
	for (uint32_t i = 1; i < cpus; i++)
		CHECK_EQ(counts[i], ROUNDS);
	CHECK(!external_is_pending());
	end();
}

TEST(a_source_follows_its_target_from_cpu_to_cpu)
{
	uint32_t cpus = guest_cpu_count();

	REQUIRE(start_others());
	aplic_source(70, APLIC_DETACHED, 0, 5);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (uint32_t i = 1; i < cpus; i++) {
			guest_write32(APLIC_TARGET(70), (uint32_t)guest_cpus[i].id << 18 | 5);
			guest_write32(APLIC_SETIPNUM, 70);
			REQUIRE(guest_wait_for(&counts[i], round, 5000000));
		}
	}
	end();
}

/* ---- hostile ----------------------------------------------------------------------------------------------- */

static void storm(void *argument)
{
	uint64_t state = (uintptr_t)argument + 7;

	for (uint32_t i = 0; i < 5000; i++) {
		uint64_t random = guest_random(&state);

		msi_send((uint32_t)random % guest_cpu_count(), (uint32_t)(random >> 20) % 1024);
		if (i % 16 == 0)
			guest_write32(APLIC + random % (APLIC_BYTES / 4) * 4,
				      (uint32_t)(random >> 16));
		if (i % 32 == 0)
			guest_write32(IMSIC + random % IMSIC_PAGE / 4 * 4, (uint32_t)random);
	}
}

TEST(storms_of_msis_and_wild_registers_do_no_harm)
{
	uint32_t cpus = guest_cpu_count();

	begin();
	for (uint32_t i = 1; i < cpus; i++)
		REQUIRE_EQ(guest_cpu_start(i, storm, (void *)(uintptr_t)i), 0);
	storm(NULL);
	for (uint32_t i = 1; i < cpus; i++)
		CHECK(guest_cpu_wait_off(i));
	begin();
	while (ei_claim() != 0)
		;
	CHECK(external_becomes(false));
	msi_send(0, 255);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 255);
}

TEST(wild_selections_are_answered_or_illegal)
{
	uint64_t state = 99;

	begin();
	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t random = guest_random(&state);
		uint64_t select = i < 0x400 ? i : random;
		struct guest_fault fault = PROBE(ei_write(select, random));
		enum guest_fault_kind kind = guest_fault_kind(fault);

		CHECK(kind == GUEST_FAULT_NONE || kind == GUEST_FAULT_UNDEFINED);
	}
	begin();
	msi_send(0, 17);
	CHECK(external_becomes(true));
	CHECK_EQ(ei_claim(), 17);
}

AXTEST_MAIN(the_registers_of_the_file_keep_what_is_written, registers_of_32_bit_harts_are_illegal,
	    the_lowest_number_is_the_top_and_claimed_first,
	    the_threshold_the_enables_and_the_delivery_withdraw_a_signal,
	    a_source_is_forwarded_as_its_number, a_level_comes_again_when_setipnum_finds_it_high,
	    each_msi_reaches_the_cpu_of_its_page_and_wakes_it,
	    a_source_follows_its_target_from_cpu_to_cpu,
	    storms_of_msis_and_wild_registers_do_no_harm, wild_selections_are_answered_or_illegal)
