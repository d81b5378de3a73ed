// SPDX-License-Identifier: Apache-2.0
/* CPUs started and stopped by the firmware, and interrupts between them. */
#include "runtime.h"

#define IPI_ROUNDS 100u

static uint32_t ran_count;
static uint32_t release;
static uint64_t seen_id[GUEST_CPUS_MAX];
static uint32_t ipi_count[GUEST_CPUS_MAX];

static void note(void *argument)
{
	seen_id[(uintptr_t)argument] = guest_this_cpu()->arrived[0];
	__atomic_fetch_add(&ran_count, 1, __ATOMIC_RELEASE);
}

static void note_and_stay(void *argument)
{
	note(argument);
	while (__atomic_load_n(&release, __ATOMIC_ACQUIRE) == 0)
		;
}

static void begin(void)
{
	ran_count = 0;
	release = 0;
}

TEST(the_machine_has_several_cpus)
{
	CHECK(guest_cpu_count() >= 2);
}

TEST(a_started_cpu_runs_with_its_own_id_and_context)
{
	REQUIRE(guest_cpu_count() >= 2);
	begin();
	REQUIRE_EQ(guest_cpu_start(1, note, (void *)1), 0);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(ran_count, 1);
	CHECK_EQ(seen_id[1], guest_cpus[1].id);
}

TEST(all_cpus_run_at_once)
{
	uint32_t others = guest_cpu_count() - 1;

	begin();
	for (uint32_t i = 1; i <= others; i++)
		REQUIRE_EQ(guest_cpu_start(i, note_and_stay, (void *)(uintptr_t)i), 0);
	CHECK(guest_wait_for(&ran_count, others, 5000000));
	for (uint32_t i = 1; i <= others; i++)
		CHECK_EQ(seen_id[i], guest_cpus[i].id);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i <= others; i++)
		CHECK(guest_cpu_wait_off(i));
}

TEST(a_cpu_that_is_on_cannot_be_started)
{
	REQUIRE(guest_cpu_count() >= 2);
	begin();
	CHECK_EQ(guest_firmware_start(guest_cpus[0].id, (uintptr_t)guest_other_cpu_entry, 0),
		 GUEST_ALREADY_ON);
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, (void *)1), 0);
	int64_t second =
		guest_firmware_start(guest_cpus[1].id, (uintptr_t)guest_other_cpu_entry, 0);
	CHECK(second == GUEST_ALREADY_ON || second == GUEST_STARTING);
	CHECK(guest_wait(&ran_count, 5000000));
	CHECK_EQ(guest_firmware_start(guest_cpus[1].id, (uintptr_t)guest_other_cpu_entry, 0),
		 GUEST_ALREADY_ON);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(ran_count, 1);
}

TEST(a_cpu_that_does_not_exist_is_refused)
{
	CHECK_EQ(guest_firmware_start(GUEST_NO_CPU_ID, (uintptr_t)guest_other_cpu_entry, 0),
		 GUEST_NO_CPU);
}

TEST(a_suspended_cpu_comes_back)
{
	guest_ipi_enable();
	guest_ipi_send(0);
	/* Returns at the pending, still masked interrupt. */
	CHECK_EQ(guest_firmware_suspend(), 0);
	guest_ipi_clear();
	guest_ipi_disable();
}

TEST(a_cpu_goes_off_and_on_again_a_hundred_times)
{
	uint32_t last = guest_cpu_count() - 1;

	REQUIRE(last >= 1);
	begin();
	for (uint32_t round = 0; round < 100; round++) {
		uint32_t index = 1 + round % last;

		REQUIRE_EQ(guest_cpu_start(index, note, (void *)(uintptr_t)index), 0);
		REQUIRE(guest_cpu_wait_off(index));
		REQUIRE_EQ(ran_count, round + 1);
	}
}

static void on_ipi(uint32_t irq)
{
	if (irq != GUEST_IRQ_IPI)
		guest_give_up("only IPIs interrupt");
	__atomic_fetch_add(&ipi_count[guest_this_cpu()->index], 1, __ATOMIC_RELEASE);
}

static void take_ipis(void *argument)
{
	guest_this_cpu()->on_irq = on_ipi;
	guest_ipi_enable();
	guest_irq_enable();
	note_and_stay(argument);
	guest_irq_disable();
	guest_ipi_disable();
}

/* The next is sent when the last was taken, as several at once may become one. */
TEST(each_ipi_reaches_the_cpu_it_is_sent_to)
{
	uint32_t cpus = guest_cpu_count();

	REQUIRE(cpus >= 2);
	begin();
	for (uint32_t i = 1; i < cpus; i++)
		REQUIRE_EQ(guest_cpu_start(i, take_ipis, (void *)(uintptr_t)i), 0);
	REQUIRE(guest_wait_for(&ran_count, cpus - 1, 5000000));
	for (uint32_t round = 1; round <= IPI_ROUNDS; round++) {
		for (uint32_t i = 1; i < cpus; i++)
			guest_ipi_send(i);
		for (uint32_t i = 1; i < cpus; i++)
			REQUIRE(guest_wait_for(&ipi_count[i], round, 5000000));
	}
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < cpus; i++) {
		CHECK(guest_cpu_wait_off(i));
		CHECK_EQ(ipi_count[i], IPI_ROUNDS);
	}
	CHECK_EQ(ipi_count[0], 0);
}

TEST(an_ipi_wakes_a_cpu_that_waits)
{
	ipi_count[0] = 0;
	guest_this_cpu()->on_irq = on_ipi;
	guest_ipi_enable();
	for (uint32_t round = 1; round <= 100; round++) {
		guest_ipi_send(0);
		guest_wfi();
		guest_irq_enable();
		bool taken = guest_wait_for(&ipi_count[0], round, 1000000);
		guest_irq_disable();
		REQUIRE(taken);
	}
	CHECK_EQ(ipi_count[0], 100);
	guest_ipi_disable();
	guest_this_cpu()->on_irq = NULL;
}

GUEST_SHARED_TESTS(the_machine_has_several_cpus, a_started_cpu_runs_with_its_own_id_and_context,
		   all_cpus_run_at_once, a_cpu_that_is_on_cannot_be_started,
		   a_cpu_that_does_not_exist_is_refused, a_suspended_cpu_comes_back,
		   a_cpu_goes_off_and_on_again_a_hundred_times,
		   each_ipi_reaches_the_cpu_it_is_sent_to, an_ipi_wakes_a_cpu_that_waits)
