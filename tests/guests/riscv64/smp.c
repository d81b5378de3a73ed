// SPDX-License-Identifier: Apache-2.0
/* What else SBI's HSM says [SBI 9]. */
#include "runtime.h"

static uint32_t ran_count;
static uint32_t release;

static void note_and_stay(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&ran_count, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&release, __ATOMIC_ACQUIRE) == 0)
		;
}

static uint64_t status(uint32_t index)
{
	return guest_sbi(SBI_HSM, SBI_HSM_STATUS, guest_cpus[index].id, 0, 0).value;
}

TEST(a_started_cpu_begins_without_translation_and_with_interrupts_masked)
{
	REQUIRE(guest_cpu_count() >= 2);
	ran_count = 0;
	release = 1;
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, NULL), 0);
	REQUIRE(guest_cpu_wait_off(1));
	CHECK_EQ(guest_cpus[1].arrived[1], 0);
	CHECK_EQ(guest_cpus[1].arrived[2] & SSTATUS_SIE, 0);
}

TEST(the_status_follows_a_cpu_through_its_life)
{
	REQUIRE(guest_cpu_count() >= 2);
	ran_count = 0;
	release = 0;
	CHECK_EQ(status(0), SBI_HART_STARTED);
	CHECK_EQ(status(1), SBI_HART_STOPPED);
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, NULL), 0);
	uint64_t starting = status(1);
	CHECK(starting == SBI_HART_STARTED || starting == SBI_HART_START_PENDING);
	CHECK(guest_wait(&ran_count, 5000000));
	CHECK_EQ(status(1), SBI_HART_STARTED);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(status(1), SBI_HART_STOPPED);
}

TEST(the_status_of_a_cpu_that_does_not_exist_is_refused)
{
	CHECK_EQ(guest_sbi(SBI_HSM, SBI_HSM_STATUS, GUEST_NO_CPU_ID, 0, 0).error,
		 SBI_ERR_INVALID_PARAM);
}

AXTEST_MAIN(a_started_cpu_begins_without_translation_and_with_interrupts_masked,
	    the_status_follows_a_cpu_through_its_life,
	    the_status_of_a_cpu_that_does_not_exist_is_refused)
