/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs: one way through a run, whatever the exit; requests; power. */
#include "test_vcpu.h"

/* ---- one way through ------------------------------------------------------------------------ */

static void run_to(enum axvm_exit_reason reason)
{
	struct test_vm test;
	struct axvm_exit exit = { .reason = AXVM_EXIT_NONE };

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	axvm_sim_push_reason(vcpu, reason);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, reason == AXVM_EXIT_NONE ? AXVM_EXIT_FAULT : reason);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).binds, 1);
	CHECK_EQ(vcpu->exit_count, 1);
	check_out(vcpu, reason == AXVM_EXIT_HALT ? AXVM_VCPU_BLOCKED : AXVM_VCPU_FREE);
	if (axvm_vm_state(test.vm) == AXVM_VM_STOPPING)
		CHECK_EQ(axvm_vm_settle(test.vm), 0);
	test_vm_end(&test);
}

TEST(every_exit_unbinds_and_is_returned)
{
	for (unsigned reason = 0; reason < AXVM_EXIT_COUNT; reason++)
		run_to((enum axvm_exit_reason)reason);
}

TEST(the_payload_of_an_exit_arrives)
{
	struct axvm_exit pushed = { .reason = AXVM_EXIT_HYPERCALL };
	struct axvm_exit exit;
	struct test_vm test;
	uint64_t value = 0;

	REQUIRE(begin_booted(&test, 1));
	pushed.hypercall.number = 0x1234;
	pushed.hypercall.args[5] = 0x5678;
	axvm_sim_push_exit(vcpu_of(&test, 0), &pushed);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	CHECK_EQ(exit.hypercall.number, 0x1234);
	CHECK_EQ(exit.hypercall.args[5], 0x5678);
	axvm_vcpu_set_result(vcpu_of(&test, 0), 99);
	CHECK_EQ(test_register(vcpu_of(&test, 0), test_isa().result), 99);
	CHECK_EQ(axvm_vcpu_get_register(vcpu_of(&test, 0), 1000, &value), AXVM_EINVAL);
	CHECK_EQ(axvm_vcpu_set_register(vcpu_of(&test, 0), 1000, 0), AXVM_EINVAL);
	test_vm_end(&test);
}

static void check_refused(struct axvm_vcpu *vcpu)
{
	struct axvm_exit exit = { .reason = AXVM_EXIT_COUNT };
	uint64_t binds = axvm_sim_vcpu_counts(vcpu).binds;
	enum axvm_vcpu_state state = axvm_vcpu_state(vcpu);

	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), AXVM_ESTATE);
	CHECK_EQ(exit.reason, AXVM_EXIT_COUNT);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).binds, binds);
	check_out(vcpu, state);
}

TEST(a_vcpu_that_may_not_run_is_refused_and_unchanged)
{
	struct test_vm test;
	struct axvm_exit exit;

	REQUIRE(test_vm_begin(&test, 2));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	check_refused(vcpu); /* READY */
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	check_refused(vcpu_of(&test, 1)); /* off */
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(axvm_vcpu_state(vcpu), AXVM_VCPU_BLOCKED);
	CHECK_EQ(axvm_vm_pause(test.vm), 0);
	check_refused(vcpu); /* and stays BLOCKED */
	CHECK_EQ(axvm_vm_resume(test.vm), 0);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
	check_refused(vcpu); /* STOPPED */
	test_vm_end(&test);
}

static int nested_error;

static enum axvm_verdict run_again(struct axvm_vcpu *vcpu, const uint64_t *args)
{
	struct axvm_exit exit;

	(void)args;
	nested_error = axvm_vcpu_run(vcpu, &exit);
	return AXVM_ENTER;
}

TEST(a_vcpu_that_runs_is_not_run_twice)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	nested_error = 0;
	axvm_sim_push(vcpu_of(&test, 0), run_again, NULL);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	CHECK_EQ(nested_error, AXVM_ESTATE);
	CHECK_EQ(exit.reason, AXVM_EXIT_HALT);
	check_out(vcpu_of(&test, 0), AXVM_VCPU_BLOCKED);
	test_vm_end(&test);
}

/* ---- exits that end the VM ------------------------------------------------------------------ */

TEST(a_guest_that_shuts_down_stops_its_vm)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	axvm_sim_push_reason(vcpu_of(&test, 0), AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPED);
	struct axvm_stop stop = axvm_vm_stop(test.vm);

	CHECK_EQ(stop.reason, AXVM_STOP_GUEST_SHUTDOWN);
	CHECK_EQ(stop.exit.reason, AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(stop.vcpu, 0);
	test_vm_end(&test);
}

TEST(a_guest_that_resets_starts_again)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	for (unsigned life = 0; life < 3; life++) {
		axvm_sim_push_reason(vcpu, AXVM_EXIT_RESET);
		CHECK_EQ(axvm_vcpu_set_register(vcpu, test_isa().pc, 0), 0);
		CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
		CHECK_EQ(exit.reason, AXVM_EXIT_RESET);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPING);
		check_refused(vcpu);
		CHECK_EQ(axvm_vm_settle(test.vm), 0);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
		CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_RESET);
		CHECK_EQ(test_register(vcpu, test_isa().pc), test.vm->plan.entry);
		CHECK_EQ(axvm_vm_boot(test.vm), 0);
	}
	test_vm_end(&test);
}

TEST(a_fault_fails_the_vm_and_says_where)
{
	struct axvm_exit fault = { .reason = AXVM_EXIT_FAULT };
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 2));
	fault.fault.what = "a test";
	fault.fault.pc = 0x1234;
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0, 0), 0);
	axvm_sim_push_exit(vcpu_of(&test, 1), &fault);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 1), &exit), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_FAILED);
	struct axvm_stop stop = axvm_vm_stop(test.vm);

	CHECK_EQ(stop.reason, AXVM_STOP_FAULT);
	CHECK_EQ(stop.vcpu, 1);
	CHECK_EQ(stop.exit.fault.pc, 0x1234);
	CHECK_STR_EQ(stop.exit.fault.what, "a test");
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
	test_vm_end(&test);
}

static enum axvm_verdict pause_and_fault(struct axvm_vcpu *vcpu, const uint64_t *args)
{
	CHECK_EQ(args[0] ? axvm_vm_shutdown(vcpu->vm, AXVM_STOP_FORCED) : axvm_vm_pause(vcpu->vm),
		 0);
	vcpu->exit.reason = AXVM_EXIT_FAULT;
	return AXVM_LEAVE;
}

TEST(who_ended_the_vm_first_stays_the_reason)
{
	const uint64_t shut_down[AXVM_SIM_ARGS] = { 1 };
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	axvm_sim_push(vcpu_of(&test, 0), pause_and_fault, NULL);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_FAILED); /* a paused VM can still fail */
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	axvm_sim_push(vcpu_of(&test, 0), pause_and_fault, shut_down);
	CHECK_EQ(axvm_vcpu_run(vcpu_of(&test, 0), &exit), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPED);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_FORCED);
	test_vm_end(&test);
}

/* ---- requests -------------------------------------------------------------------------------- */

TEST(requests_are_taken_once_and_leave_goes_before_preempt)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	axvm_vcpu_request(vcpu, AXVM_REQUEST_PREEMPT);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_PREEMPTED);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).enters, 0);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_PREEMPT | AXVM_REQUEST_LEAVE);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_REQUEST);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_HALT);
	test_vm_end(&test);
}

TEST(a_vcpu_has_work_unless_it_waits_and_nothing_came)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 2));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	CHECK(!axvm_vcpu_has_work(vcpu)); /* not booted */
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK(axvm_vcpu_has_work(vcpu));
	CHECK(!axvm_vcpu_has_work(vcpu_of(&test, 1))); /* off */
	axvm_sim_push_reason(vcpu, AXVM_EXIT_HYPERCALL);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK(axvm_vcpu_has_work(vcpu)); /* it was in the middle of something */
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_HALT);
	CHECK(!axvm_vcpu_has_work(vcpu));
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	CHECK(axvm_vcpu_has_work(vcpu));
	CHECK_EQ(axvm_vm_pause(test.vm), 0);
	CHECK(!axvm_vcpu_has_work(vcpu));
	test_vm_end(&test);
}

TEST(an_interrupt_request_is_brought_to_the_hardware_without_leaving)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).irq_syncs, 1);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).irq_flushes, 1);
	test_vm_end(&test);
}

static enum axvm_verdict request_and_halt(struct axvm_vcpu *vcpu, const uint64_t *args)
{
	axvm_vcpu_request(vcpu, (uint32_t)args[0]);
	vcpu->exit.reason = AXVM_EXIT_HALT;
	return AXVM_LEAVE;
}

TEST(a_halt_with_work_does_not_leave)
{
	const uint64_t irq[AXVM_SIM_ARGS] = { AXVM_REQUEST_IRQ };
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	axvm_sim_push(vcpu, request_and_halt, irq);
	axvm_sim_push_reason(vcpu, AXVM_EXIT_HYPERCALL);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_HYPERCALL);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).binds, 1);
	CHECK_EQ(axvm_sim_kick_count(0), 0); /* it was its own CPU */
	CHECK_EQ(vcpu->exit_count, 2);
	test_vm_end(&test);
}

TEST(a_request_kicks_the_cpu_or_wakes_the_vcpu)
{
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);
	uint64_t wakes = axvm_sim_wake_count(vcpu);

	axvm_vcpu_kick(vcpu); /* bound nowhere: nobody to kick */
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	CHECK_EQ(axvm_sim_wake_count(vcpu), wakes + 1);
	atomic_store(&vcpu->cpu, 3);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	axvm_vcpu_kick(vcpu);
	CHECK_EQ(axvm_sim_kick_count(3), 2);
	CHECK_EQ(axvm_sim_wake_count(vcpu), wakes + 1);
	atomic_store(&vcpu->cpu, AXVM_CPU_NONE);
	test_vm_end(&test);
}

/* ---- power ------------------------------------------------------------------------------------ */

TEST(a_vcpu_is_switched_on_once_and_starts_at_its_entry)
{
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 2));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 1);

	CHECK_EQ(axvm_vcpu_power_on(test.vm, 2, 0, 0), AXVM_ENOENT);
	CHECK_EQ(axvm_vcpu_power_on(test.vm, UINT32_MAX, 0, 0), AXVM_ENOENT);
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 0, 0, 0), AXVM_EEXIST);
	CHECK(!axvm_vcpu_has_work(vcpu));
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0x40001000, 0xabc), 0);
	CHECK_EQ(axvm_sim_wake_count(vcpu), 1);
	CHECK(axvm_vcpu_has_work(vcpu));
	CHECK_EQ(axvm_vcpu_power(vcpu), AXVM_POWER_ON_PENDING);
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0x5000, 1), AXVM_EBUSY);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(axvm_vcpu_power(vcpu), AXVM_POWER_ON);
	CHECK_EQ(test_register(vcpu, test_isa().pc), 0x40001000);
	CHECK_EQ(test_register(vcpu, test_isa().arg), 0xabc);
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0x5000, 1), AXVM_EEXIST);
	test_vm_end(&test);
}

static enum axvm_verdict switch_off(struct axvm_vcpu *vcpu, const uint64_t *args)
{
	axvm_vcpu_power_off(vcpu);
	if (args[0]) /* as another vCPU would, before this one is out */
		CHECK_EQ(axvm_vcpu_power_on(vcpu->vm, vcpu->index, 0x7000, 7), 0);
	vcpu->exit.reason = AXVM_EXIT_CPU_DOWN;
	return AXVM_LEAVE;
}

TEST(a_vcpu_that_is_switched_on_while_it_goes_off_comes_back)
{
	const uint64_t on_again[AXVM_SIM_ARGS] = { 1 };
	struct axvm_exit exit;
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	struct axvm_vcpu *vcpu = vcpu_of(&test, 0);

	axvm_sim_push(vcpu, switch_off, on_again);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_CPU_DOWN);
	CHECK(axvm_vcpu_has_work(vcpu));
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(test_register(vcpu, test_isa().pc), 0x7000);
	axvm_sim_push(vcpu, switch_off, NULL);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(axvm_vcpu_power(vcpu), AXVM_POWER_OFF);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	CHECK(!axvm_vcpu_has_work(vcpu));
	check_refused(vcpu);
	test_vm_end(&test);
}

/* ---- translations of one that another may meet ---------------------------------------------------- */

/* One run on the CPU; whether it was told that the CPU's translations may be another's. */
static bool is_stale_on(struct axvm_vcpu *vcpu, uint32_t cpu)
{
	struct axvm_exit exit;

	axvm_sim_set_cpu(cpu);
	axvm_sim_push_reason(vcpu, AXVM_EXIT_HYPERCALL);
	CHECK_EQ(axvm_vcpu_run(vcpu, &exit), 0);
	CHECK_EQ(exit.reason, AXVM_EXIT_HYPERCALL);
	axvm_sim_set_cpu(0);
	return vcpu->tlb_is_stale;
}

TEST(one_that_stays_alone_on_its_cpu_keeps_its_translations)
{
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	CHECK(is_stale_on(vcpu_of(&test, 0), 1)); /* of a VM before this one */
	for (unsigned i = 0; i < 3; i++)
		CHECK(!is_stale_on(vcpu_of(&test, 0), 1));
	test_vm_end(&test);
}

TEST(two_that_take_turns_on_a_cpu_never_meet_each_others_translations)
{
	struct test_vm test;

	REQUIRE(begin_booted(&test, 2));
	CHECK_EQ(axvm_vcpu_power_on(test.vm, 1, 0, 0), 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(is_stale_on(vcpu_of(&test, 0), 1));
		CHECK(is_stale_on(vcpu_of(&test, 1), 1));
		CHECK(!is_stale_on(vcpu_of(&test, 1), 1));
	}
	/* On CPUs of their own they do not disturb each other. */
	CHECK(is_stale_on(vcpu_of(&test, 0), 2));
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!is_stale_on(vcpu_of(&test, 0), 2));
		CHECK(!is_stale_on(vcpu_of(&test, 1), 1));
	}
	test_vm_end(&test);
}

/* What it invalidated elsewhere is still where it comes back to. */
TEST(one_that_moves_away_and_back_drops_what_it_left_behind)
{
	struct test_vm test;

	REQUIRE(begin_booted(&test, 1));
	CHECK(is_stale_on(vcpu_of(&test, 0), 1));
	for (unsigned i = 0; i < 3; i++) {
		CHECK(is_stale_on(vcpu_of(&test, 0), 2));
		CHECK(is_stale_on(vcpu_of(&test, 0), 1));
		CHECK(!is_stale_on(vcpu_of(&test, 0), 1));
	}
	test_vm_end(&test);
}

AXTEST_MAIN(every_exit_unbinds_and_is_returned, the_payload_of_an_exit_arrives,
	    a_vcpu_that_may_not_run_is_refused_and_unchanged, a_vcpu_that_runs_is_not_run_twice,
	    a_guest_that_shuts_down_stops_its_vm, a_guest_that_resets_starts_again,
	    a_fault_fails_the_vm_and_says_where, who_ended_the_vm_first_stays_the_reason,
	    requests_are_taken_once_and_leave_goes_before_preempt,
	    a_vcpu_has_work_unless_it_waits_and_nothing_came,
	    an_interrupt_request_is_brought_to_the_hardware_without_leaving,
	    a_halt_with_work_does_not_leave, a_request_kicks_the_cpu_or_wakes_the_vcpu,
	    a_vcpu_is_switched_on_once_and_starts_at_its_entry,
	    a_vcpu_that_is_switched_on_while_it_goes_off_comes_back,
	    one_that_stays_alone_on_its_cpu_keeps_its_translations,
	    two_that_take_turns_on_a_cpu_never_meet_each_others_translations,
	    one_that_moves_away_and_back_drops_what_it_left_behind)
