/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts for a vCPU that waits for them, from other CPUs: a guest that takes what it gets and then does WFI,
 * on a host that sleeps as axvm_vcpu_has_work describes it. None is lost, wherever the two meet.
 */
#define _GNU_SOURCE

#include "exit.h"
#include "vcpu_runner.h"

#define ROUNDS 4000u

static _Atomic uint64_t software_taken;
static _Atomic uint64_t external_taken;

/* One step of the guest, for ever. The vCPU's memory is the hart: sip, hvip. */
static enum axvm_verdict guest(struct axvm_vcpu *vcpu, const uint64_t *args)
{
	uint64_t ready = vcpu->arch.hvip & vcpu->arch.vsie;

	(void)args;
	axvm_sim_push(vcpu, guest, NULL);
	if ((ready & AXVM_RISCV64_VSSI) != 0) {
		vcpu->arch.hvip &= ~AXVM_RISCV64_VSSI;
		atomic_fetch_add(&software_taken, 1);
		return AXVM_ENTER;
	}
	if ((ready & AXVM_RISCV64_VSEI) != 0) { /* as a claim does it */
		axvm_riscv64_set_external(vcpu, false);
		atomic_fetch_add(&external_taken, 1);
		return AXVM_ENTER;
	}
	return axvm_riscv64_wait(vcpu);
}

static bool begin(struct test_vm *test, struct runner *runner)
{
	if (!begin_booted(test, 1))
		return false;
	struct axvm_vcpu *vcpu = vcpu_of(test, 0);

	atomic_store(&software_taken, 0);
	atomic_store(&external_taken, 0);
	vcpu->arch.vsie = AXVM_RISCV64_HIDELEG;
	axvm_sim_push(vcpu, guest, NULL);
	start(runner, vcpu, 1, run_and_sleep);
	return true;
}

static void end(struct test_vm *test, struct runner *runner)
{
	finish(runner);
	CHECK(atomic_load(&runner->exits[AXVM_EXIT_HALT]) > 0);
	test_vm_end(test);
}

TEST(no_software_interrupt_of_a_vcpu_that_waits_is_lost)
{
	struct test_vm test;
	struct runner runner;

	REQUIRE(begin(&test, &runner));
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		axvm_riscv64_set_software(runner.vcpu);
		WAIT_FOR(atomic_load(&software_taken) >= i);
	}
	CHECK_EQ(atomic_load(&software_taken), ROUNDS);
	end(&test, &runner);
}

TEST(no_rise_of_the_external_line_of_a_vcpu_that_waits_is_lost)
{
	struct test_vm test;
	struct runner runner;

	REQUIRE(begin(&test, &runner));
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		/* The guest has let the line fall before it counts. */
		axvm_riscv64_set_external(runner.vcpu, true);
		WAIT_FOR(atomic_load(&external_taken) >= i);
	}
	CHECK_EQ(atomic_load(&external_taken), ROUNDS);
	end(&test, &runner);
}

static void *send_always(void *argument)
{
	struct runner *self = argument;

	axvm_sim_set_cpu(2);
	while (!atomic_load(&self->stop))
		axvm_riscv64_set_external(self->vcpu, true);
	return NULL;
}

/* Two lines, from two CPUs that never wait for each other. */
TEST(a_line_in_a_storm_of_another_is_taken)
{
	struct test_vm test;
	struct runner runner;
	struct runner storm;

	REQUIRE(begin(&test, &runner));
	memset(&storm, 0, sizeof(storm));
	storm.vcpu = runner.vcpu;
	CHECK_EQ(pthread_create(&storm.thread, NULL, send_always, &storm), 0);
	for (uint64_t i = 1; i <= ROUNDS / 4; i++) {
		axvm_riscv64_set_software(runner.vcpu);
		WAIT_FOR(atomic_load(&software_taken) >= i);
	}
	atomic_store(&storm.stop, true);
	pthread_join(storm.thread, NULL);
	CHECK_EQ(atomic_load(&software_taken), ROUNDS / 4);
	CHECK(atomic_load(&external_taken) > 0);
	WAIT_FOR(axvm_vcpu_state(runner.vcpu) == AXVM_VCPU_BLOCKED);
	end(&test, &runner);
}

AXTEST_MAIN(no_software_interrupt_of_a_vcpu_that_waits_is_lost,
	    no_rise_of_the_external_line_of_a_vcpu_that_waits_is_lost,
	    a_line_in_a_storm_of_another_is_taken)
