// SPDX-License-Identifier: Apache-2.0
/* CPUs started and stopped by PSCI, with every answer that the calls can give [PSCI 5]. */
#include "runtime.h"

static uint32_t ran_count;
static uint32_t release;
static uint64_t seen_mpidr[GUEST_CPUS_MAX];
static uint64_t seen_state;

static void note(void *argument)
{
	seen_mpidr[(uintptr_t)argument] = READ_SYSREG(mpidr_el1) & 0xff00ffffffull;
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

static int64_t affinity(uint64_t mpidr)
{
	return guest_hvc(PSCI_AFFINITY_INFO, mpidr, 0, 0);
}

/* An affinity value that no CPU of the machine has. */
static uint64_t no_such_cpu(void)
{
	return 0x00ff0f07;
}

TEST(the_machine_has_several_cpus)
{
	CHECK(guest_cpu_count() >= 2);
}

TEST(a_started_cpu_runs_with_its_own_mpidr_and_context)
{
	REQUIRE(guest_cpu_count() >= 2);
	begin();
	REQUIRE_EQ(guest_cpu_start(1, note, (void *)1), PSCI_SUCCESS);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(ran_count, 1);
	CHECK_EQ(seen_mpidr[1], guest_cpus[1].mpidr);
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

TEST(all_cpus_run_at_once)
{
	uint32_t others = guest_cpu_count() - 1;

	begin();
	for (uint32_t i = 1; i <= others; i++)
		REQUIRE_EQ(guest_cpu_start(i, note_and_stay, (void *)(uintptr_t)i), PSCI_SUCCESS);
	CHECK(guest_wait_for(&ran_count, others, 5000000));
	for (uint32_t i = 1; i <= others; i++)
		CHECK_EQ(seen_mpidr[i], guest_cpus[i].mpidr);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i <= others; i++)
		CHECK(guest_cpu_wait_off(i));
}

TEST(a_cpu_that_is_on_cannot_be_started)
{
	REQUIRE(guest_cpu_count() >= 2);
	begin();
	CHECK_EQ(guest_hvc(PSCI_CPU_ON, guest_cpus[0].mpidr, guest_machine.ram_base, 0),
		 PSCI_ALREADY_ON);
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, (void *)1), PSCI_SUCCESS);
	int64_t second = guest_hvc(PSCI_CPU_ON, guest_cpus[1].mpidr, guest_machine.ram_base, 0);
	CHECK(second == PSCI_ALREADY_ON || second == PSCI_ON_PENDING);
	CHECK(guest_wait(&ran_count, 5000000));
	CHECK_EQ(guest_hvc(PSCI_CPU_ON, guest_cpus[1].mpidr, guest_machine.ram_base, 0),
		 PSCI_ALREADY_ON);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(ran_count, 1);
}

TEST(affinity_info_follows_a_cpu_through_its_life)
{
	REQUIRE(guest_cpu_count() >= 2);
	begin();
	CHECK_EQ(affinity(guest_cpus[0].mpidr), 0);
	CHECK_EQ(affinity(guest_cpus[1].mpidr), 1);
	REQUIRE_EQ(guest_cpu_start(1, note_and_stay, (void *)1), PSCI_SUCCESS);
	int64_t starting = affinity(guest_cpus[1].mpidr);
	/* QEMU's own PSCI switches on later and until then says that the CPU is off. */
	CHECK(starting == 0 || starting == 2 || (starting == 1 && !guest_cmdline_has("axvm")));
	CHECK(guest_wait(&ran_count, 5000000));
	CHECK_EQ(affinity(guest_cpus[1].mpidr), 0);
	__atomic_store_n(&release, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(affinity(guest_cpus[1].mpidr), 1);
}

TEST(a_cpu_that_does_not_exist_is_refused)
{
	CHECK_EQ(guest_hvc(PSCI_CPU_ON, no_such_cpu(), guest_machine.ram_base, 0),
		 PSCI_INVALID_PARAMETERS);
	CHECK_EQ(affinity(no_such_cpu()), PSCI_INVALID_PARAMETERS);
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
	CHECK_EQ(guest_smc(PSCI_AFFINITY_INFO, guest_cpus[0].mpidr, 0, 0), 0);
	CHECK_EQ(guest_smc(PSCI_CPU_ON, no_such_cpu(), 0, 0), PSCI_INVALID_PARAMETERS);
	CHECK_EQ(guest_smc(0x84000050, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

TEST(a_suspended_cpu_comes_back)
{
	REQUIRE(guest_cpu_count() >= 2);
	guest_gic_enable(3);
	guest_gic_send_self(3);
	/* Standby state: returns at the pending, still masked interrupt. */
	CHECK_EQ(guest_hvc(PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
	guest_gic_clear_pending(3);
	guest_gic_disable(3);
}

TEST(a_cpu_goes_off_and_on_again_a_hundred_times)
{
	uint32_t last = guest_cpu_count() - 1;

	REQUIRE(last >= 1);
	begin();
	for (uint32_t round = 0; round < 100; round++) {
		uint32_t index = 1 + round % last;

		REQUIRE_EQ(guest_cpu_start(index, note, (void *)(uintptr_t)index), PSCI_SUCCESS);
		REQUIRE(guest_cpu_wait_off(index));
		REQUIRE_EQ(ran_count, round + 1);
	}
}

AXTEST_MAIN(the_machine_has_several_cpus, a_started_cpu_runs_with_its_own_mpidr_and_context,
	    a_started_cpu_begins_at_el1_with_interrupts_masked, all_cpus_run_at_once,
	    a_cpu_that_is_on_cannot_be_started, affinity_info_follows_a_cpu_through_its_life,
	    a_cpu_that_does_not_exist_is_refused, features_tells_what_there_is,
	    smccc_is_announced_and_there, smc_answers_as_hvc_does, a_suspended_cpu_comes_back,
	    a_cpu_goes_off_and_on_again_a_hundred_times)
