/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power, requests, wake-ups and the lifecycle when several threads, each a CPU, do it at once.
 * Every wait ends: a lost event is a failed check or a panic of the simulated machine after 20 s.
 */
#define _GNU_SOURCE

#include "vcpu_runner.h"

#define POWER_ROUNDS 20000u

/* The other one; the test's own thread is the first. Two threads, since CI machines have two CPUs. */
struct contender {
	pthread_t thread;
	struct axvm_vm *vm;
	_Atomic uint32_t begun; /* rounds */
	_Atomic uint32_t done;
	int error;
};

static void *contend(void *argument)
{
	struct contender *self = argument;

	axvm_sim_set_cpu(2);
	for (uint32_t round = 1; round <= POWER_ROUNDS; round++) {
		for (uint32_t spins = 1; atomic_load(&self->begun) < round; spins++) {
			if (spins % 4096 == 0)
				sched_yield();
		}
		self->error = axvm_vcpu_power_on(self->vm, 1, 2, 102);
		atomic_store(&self->done, round);
	}
	return NULL;
}

/* A little later each time, so that the two meet in every way. */
static int contend_later(struct axvm_vm *vm, uint32_t steps)
{
	for (volatile uint32_t i = 0; i < steps; i++)
		;
	return axvm_vcpu_power_on(vm, 1, 1, 101);
}

TEST(of_two_that_switch_a_vcpu_on_at_once_exactly_one_wins)
{
	struct contender other;
	struct test_vm test;
	uint32_t wins[2] = { 0 };

	REQUIRE(begin_booted(&test, 2));
	struct axvm_vcpu *target = vcpu_of(&test, 1);

	memset(&other, 0, sizeof(other));
	other.vm = test.vm;
	CHECK_EQ(pthread_create(&other.thread, NULL, contend, &other), 0);
	for (uint32_t round = 1; round <= POWER_ROUNDS; round++) {
		atomic_store(&other.begun, round);
		int error = contend_later(test.vm, round % 256);

		while (atomic_load(&other.done) < round)
			sched_yield();
		uint32_t winner = error == 0 ? 0 : 1;

		CHECK_EQ(winner == 0 ? other.error : error, AXVM_EBUSY);
		CHECK_EQ(winner == 0 ? error : other.error, 0);
		CHECK_EQ(target->power_on_entry, winner + 1);
		CHECK_EQ(target->power_on_arg, winner + 101);
		wins[winner]++;
		axvm_vcpu_power_off(target);
	}
	pthread_join(other.thread, NULL);
	CHECK_EQ(wins[0] + wins[1], POWER_ROUNDS);
	test_vm_end(&test);
}

TEST(every_request_gets_a_busy_guest_out)
{
	struct test_vm test;
	struct runner runner;

	REQUIRE(begin_booted(&test, 1));
	axvm_sim_push_busy(vcpu_of(&test, 0));
	start(&runner, vcpu_of(&test, 0), 1, run_always);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t before = atomic_load(&runner.exits[AXVM_EXIT_PREEMPTED]);

		axvm_vcpu_request(runner.vcpu, AXVM_REQUEST_PREEMPT);
		WAIT_FOR(atomic_load(&runner.exits[AXVM_EXIT_PREEMPTED]) > before);
	}
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
	WAIT_FOR(axvm_vm_state(test.vm) == AXVM_VM_STOPPED);
	finish(&runner);
	test_vm_end(&test);
}

TEST(no_wake_up_of_a_halted_vcpu_is_lost)
{
	struct test_vm test;
	struct runner runner;

	REQUIRE(begin_booted(&test, 1));
	start(&runner, vcpu_of(&test, 0), 1, run_and_sleep); /* an empty script: it halts */
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t before = atomic_load(&runner.exits[AXVM_EXIT_PREEMPTED]);

		axvm_vcpu_request(runner.vcpu, AXVM_REQUEST_PREEMPT);
		WAIT_FOR(atomic_load(&runner.exits[AXVM_EXIT_PREEMPTED]) > before);
	}
	finish(&runner);
	test_vm_end(&test);
}

/* A vCPU that halts and comes back when it is switched on, or when its VM goes on. */
TEST(no_boot_pause_or_resume_is_lost_by_a_sleeping_host)
{
	struct test_vm test;
	struct runner runner;

	REQUIRE(test_vm_begin(&test, 1));
	axvm_sim_push_busy(vcpu_of(&test, 0));
	start(&runner, vcpu_of(&test, 0), 1, run_and_sleep);
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	for (unsigned i = 0; i < 500; i++) {
		WAIT_FOR(!axvm_vm_is_quiet(test.vm));
		CHECK_EQ(axvm_vm_pause(test.vm), 0);
		WAIT_FOR(axvm_vm_is_quiet(test.vm));
		CHECK_EQ(axvm_vm_resume(test.vm), 0);
	}
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
	WAIT_FOR(axvm_vm_state(test.vm) == AXVM_VM_STOPPED);
	finish(&runner);
	test_vm_end(&test);
}

#define BUSY_VCPUS 3u

static bool start_busy(struct test_vm *test, struct runner *runners)
{
	if (!test_vm_begin(test, BUSY_VCPUS))
		return false;
	for (uint32_t i = 0; i < BUSY_VCPUS; i++) {
		axvm_sim_push_busy(vcpu_of(test, i));
		start(&runners[i], vcpu_of(test, i), i + 1, run_always);
	}
	return true;
}

/* As a guest would, after each start: one vCPU switches on the others. */
static void switch_on_others(struct axvm_vm *vm)
{
	for (uint32_t i = 1; i < BUSY_VCPUS; i++)
		CHECK_EQ(axvm_vcpu_power_on(vm, i, 0x1000, i), 0);
}

TEST(the_last_vcpu_to_leave_always_ends_the_stop)
{
	static struct runner runners[BUSY_VCPUS];
	struct test_vm test;

	REQUIRE(start_busy(&test, runners));
	for (unsigned i = 0; i < 300; i++) {
		CHECK_EQ(axvm_vm_boot(test.vm), 0);
		switch_on_others(test.vm);
		if (i % 2 == 0) /* with all inside, or with some on their way in */
			WAIT_FOR(atomic_load(&test.vm->bound_vcpus) >= BUSY_VCPUS);
		CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
		WAIT_FOR(axvm_vm_state(test.vm) == AXVM_VM_STOPPED);
		WAIT_FOR(axvm_vm_is_quiet(test.vm));
		CHECK_EQ(axvm_vm_reset(test.vm), 0);
		WAIT_FOR(axvm_vm_settle(test.vm) == 0);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
	}
	for (uint32_t i = 0; i < BUSY_VCPUS; i++)
		finish(&runners[i]);
	test_vm_end(&test);
}

TEST(a_running_vm_is_reset_while_its_vcpus_compute)
{
	static struct runner runners[BUSY_VCPUS];
	struct test_vm test;

	REQUIRE(start_busy(&test, runners));
	for (unsigned i = 0; i < 100; i++) {
		char word[4] = "";

		CHECK_EQ(axvm_vm_boot(test.vm), 0);
		switch_on_others(test.vm);
		WAIT_FOR(atomic_load(&test.vm->bound_vcpus) >= BUSY_VCPUS);
		CHECK_EQ(axvm_vm_write(test.vm, axvm_gpa(TEST_RAM), "dirt", 4), 0);
		CHECK_EQ(axvm_vm_reset(test.vm), 0);
		WAIT_FOR(axvm_vm_settle(test.vm) == 0);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
		CHECK_EQ(axvm_vm_read(test.vm, axvm_gpa(TEST_RAM), word, 4), 0);
		CHECK(memcmp(word, test_kernel, 4) == 0);
		for (uint32_t v = 1; v < BUSY_VCPUS; v++)
			CHECK_EQ(axvm_vcpu_power(vcpu_of(&test, v)), AXVM_POWER_OFF);
	}
	for (uint32_t i = 0; i < BUSY_VCPUS; i++)
		finish(&runners[i]);
	test_vm_end(&test);
}

TEST(one_vcpu_that_shuts_down_takes_the_others_out)
{
	struct test_vm test;
	struct runner runner;
	struct axvm_exit exit;

	REQUIRE(begin_booted(&test, 2));
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0, 0), 0);
	axvm_sim_push_busy(vcpu_of(&test, 1));
	start(&runner, vcpu_of(&test, 1), 1, run_always);
	WAIT_FOR(!axvm_vm_is_quiet(test.vm));
	axvm_sim_push_reason(vcpu_of(&test, 0), AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	WAIT_FOR(axvm_vm_state(test.vm) == AXVM_VM_STOPPED);
	CHECK(atomic_load(&runner.exits[AXVM_EXIT_REQUEST]) <= 1);
	finish(&runner);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_SHUTDOWN);
	test_vm_end(&test);
}

AXTEST_MAIN(of_two_that_switch_a_vcpu_on_at_once_exactly_one_wins,
	    every_request_gets_a_busy_guest_out, no_wake_up_of_a_halted_vcpu_is_lost,
	    no_boot_pause_or_resume_is_lost_by_a_sleeping_host,
	    the_last_vcpu_to_leave_always_ends_the_stop,
	    a_running_vm_is_reset_while_its_vcpus_compute,
	    one_vcpu_that_shuts_down_takes_the_others_out)
