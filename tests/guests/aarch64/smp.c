// SPDX-License-Identifier: Apache-2.0
/* What else PSCI answers [PSCI 5]. */
#include "runtime.h"

static uint32_t ran_count;
static uint32_t release;
static uint64_t seen_state;

static void note_and_stay(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&ran_count, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&release, __ATOMIC_ACQUIRE) == 0)
		;
}

static int64_t affinity(uint64_t mpidr)
{
	return guest_hvc(PSCI_AFFINITY_INFO, mpidr, 0, 0);
}

static void note_state(void *argument)
{
	(void)argument;
	seen_state = READ_SYSREG(daif) | READ_SYSREG(currentel);
}

TEST(a_started_cpu_begins_at_el1_with_interrupts_masked)
{
	REQUIRE(guest_cpu_count() >= 2);
	seen_state = 0;
	REQUIRE_EQ(guest_cpu_start(1, note_state, NULL), PSCI_SUCCESS);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(seen_state, 0x3c0 | 4);
}

TEST(affinity_info_follows_a_cpu_through_its_life)
{
	REQUIRE(guest_cpu_count() >= 2);
	ran_count = 0;
	release = 0;
	CHECK_EQ(affinity(guest_cpus[0].id), 0);
	CHECK_EQ(affinity(guest_cpus[1].id), 1);
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, (void *)1), PSCI_SUCCESS);
	int64_t starting = affinity(guest_cpus[1].id);
	/* QEMU's own PSCI switches on later and until then says that the CPU is off. */
	CHECK(starting == 0 || starting == 2 || (starting == 1 && !guest_cmdline_has("axvm")));
	CHECK(guest_wait(&ran_count, 5000000));
	CHECK_EQ(affinity(guest_cpus[1].id), 0);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(affinity(guest_cpus[1].id), 1);
}

TEST(affinity_info_of_a_cpu_that_does_not_exist_is_refused)
{
	CHECK_EQ(affinity(GUEST_NO_CPU_ID), PSCI_INVALID_PARAMETERS);
}

TEST(features_tells_what_there_is)
{
	static const uint32_t there[] = { PSCI_VERSION,	     PSCI_CPU_SUSPEND,	 PSCI_CPU_OFF,
					  PSCI_CPU_ON,	     PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF,
					  PSCI_SYSTEM_RESET, PSCI_FEATURES };

	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		CHECK_EQ(guest_hvc(PSCI_FEATURES, there[i], 0, 0), 0);
	CHECK_EQ(guest_hvc(PSCI_FEATURES, 0x84000050, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK_EQ(guest_hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

TEST(smccc_is_announced_and_there)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's own PSCI has no SMCCC");
	CHECK_EQ(guest_hvc(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
	CHECK(guest_hvc(SMCCC_VERSION, 0, 0, 0) >= 0x10001);
	CHECK_EQ(guest_hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	CHECK_EQ(guest_hvc(SMCCC_ARCH_FEATURES, 0x80000fff, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK_EQ(guest_hvc(PSCI_FEATURES, PSCI_SYSTEM_RESET2, 0, 0), 0);
	CHECK_EQ(guest_hvc(PSCI_VERSION, 0, 0, 0), 0x10001);
}

TEST(smc_answers_as_hvc_does)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("QEMU's own machine has no EL3 and SMC is undefined");
	CHECK_EQ(guest_smc(PSCI_VERSION, 0, 0, 0), guest_hvc(PSCI_VERSION, 0, 0, 0));
	CHECK_EQ(guest_smc(PSCI_AFFINITY_INFO, guest_cpus[0].id, 0, 0), 0);
	CHECK_EQ(guest_smc(PSCI_CPU_ON, GUEST_NO_CPU_ID, 0, 0), PSCI_INVALID_PARAMETERS);
	CHECK_EQ(guest_smc(0x84000050, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

AXTEST_MAIN(a_started_cpu_begins_at_el1_with_interrupts_masked,
	    affinity_info_follows_a_cpu_through_its_life,
	    affinity_info_of_a_cpu_that_does_not_exist_is_refused, features_tells_what_there_is,
	    smccc_is_announced_and_there, smc_answers_as_hvc_does)
