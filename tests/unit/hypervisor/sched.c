/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: placement, turns, wake-ups, and VMs that end while others run. */
#include "sched_rig.h"

/* ---- placement ---------------------------------------------------------------------------------- */

TEST(vcpus_go_to_the_least_loaded_cpu_of_their_set)
{
	static const uint64_t sets[] = { 4, 4, 3, 7 };
	char why[AXVM_WHY_BYTES];

	reset(4);
	axvm_cpus[3].online = false;
	REQUIRE_EQ(axvm_sched_add(make(0, 4, sets), why), 0);
	CHECK_EQ(cpu_of(0), 2);
	CHECK_EQ(cpu_of(1), 2);
	CHECK_EQ(cpu_of(2), 0);
	CHECK_EQ(cpu_of(3), 1);
	CHECK(is_shared[0] && is_shared[1] && !is_shared[2] && !is_shared[3]);
	REQUIRE_EQ(axvm_sched_add(make(1, 2, NULL), why), 0);
	CHECK_EQ(cpu_of(4), 0);
	CHECK_EQ(cpu_of(5), 1);
	CHECK(is_shared[2] && is_shared[3]);
	axvm_sched_remove(&vms[1]);
	CHECK(!is_shared[2] && !is_shared[3]);
	CHECK_EQ(cpu_of(4), AXVM_CPU_NONE);
	CHECK_EQ(queues[0].count, 1);
}

TEST(a_set_without_a_cpu_that_is_there_is_refused_and_leaves_nothing)
{
	static const uint64_t sets[] = { 1, 0xc };
	char why[AXVM_WHY_BYTES] = "";

	reset(2);
	CHECK_EQ(axvm_sched_add(make(0, 2, sets), why), AXVM_ERANGE);
	CHECK_STR_EQ(why, "vCPU 1 may run on CPUs 0xc only, and this machine has 2: change "
			  "phys_cpu_sets, or start it with more CPUs");
	CHECK_EQ(queues[0].count + queues[1].count, 0);
	CHECK(free_entity() == &entities[0]);
}

TEST(more_vcpus_than_there_is_room_for_are_refused)
{
	char why[AXVM_WHY_BYTES] = "";

	reset(1);
	for (uint32_t i = 0; i < 4; i++)
		REQUIRE_EQ(axvm_sched_add(make(i, 63, NULL), why), 0);
	vms[0].vcpu_count = 5; /* another five of the vCPUs that are not placed yet */
	for (uint32_t i = 0; i < 5; i++)
		vms[0].vcpus[i] = &vcpus[vcpu_total + i];
	for (uint32_t i = 0; i < 5; i++)
		vms[0].vcpus[i]->vm = &vms[0];
	CHECK_EQ(axvm_sched_add(&vms[0], why), AXVM_ENOMEM);
	CHECK_STR_EQ(why, "more vCPUs than the scheduler has room for");
	CHECK_EQ(queues[0].count, 252);
}

/* ---- turns --------------------------------------------------------------------------------------- */

/* Runs until it is asked out; the slice's end comes when nothing else does. */
static bool spins(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	for (uint32_t i = 0; i < 100; i++) {
		struct axvm_timer *slice = atomic_load(&slice_of[fake_cpu]);
		if (i == 50 && slice != NULL)
			slice->expired(slice);
		if ((atomic_exchange(&vcpu->requests, 0) & AXVM_REQUEST_PREEMPT) != 0) {
			exit->reason = AXVM_EXIT_PREEMPTED;
			return true;
		}
	}
	exit->reason = AXVM_EXIT_HALT; /* nobody asked it out */
	return true;
}

static void turn(uint32_t times)
{
	bool others = false;

	while (times-- > 0) {
		struct entity *entity = pick(&queues[fake_cpu], &others);
		REQUIRE(entity != NULL);
		run(&queues[fake_cpu], entity, others);
	}
}

TEST(vcpus_that_share_a_cpu_take_turns_in_slices)
{
	char why[AXVM_WHY_BYTES];

	reset(1);
	REQUIRE_EQ(axvm_sched_add(make(0, 3, NULL), why), 0);
	for (uint32_t i = 0; i < 3; i++) {
		guests[i] = spins;
		axvm_hal_vcpu_wake(&vcpus[i]);
	}
	turn(30);
	CHECK_EQ(runs[0], 10);
	CHECK_EQ(runs[1], 10);
	CHECK_EQ(runs[2], 10);
	CHECK_EQ(slices, 30);
}

TEST(a_vcpu_alone_has_no_slice_and_sleeps_when_it_waits)
{
	char why[AXVM_WHY_BYTES];
	bool others = false;

	reset(1);
	REQUIRE_EQ(axvm_sched_add(make(0, 2, NULL), why), 0);
	axvm_sched_start(&vms[0]);
	turn(1);
	CHECK_EQ(slices, 0);
	CHECK(pick(&queues[0], &others) == NULL);
	atomic_store(&vcpus[1].power, AXVM_POWER_OFF);
	axvm_hal_vcpu_wake(&vcpus[1]); /* off: not woken */
	CHECK(pick(&queues[0], &others) == NULL);
}

static bool wakes_the_other(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	axvm_hal_vcpu_wake(&vcpus[1]);
	return spins(vcpu, exit);
}

TEST(one_that_is_woken_preempts_the_one_that_runs)
{
	char why[AXVM_WHY_BYTES];

	reset(1);
	guests[0] = wakes_the_other;
	REQUIRE_EQ(axvm_sched_add(make(0, 2, NULL), why), 0);
	atomic_store(&vcpus[0].requests, 0);
	axvm_sched_start(&vms[0]);
	turn(2);
	CHECK_EQ(runs[1], 1);
	CHECK_EQ(atomic_load(&((struct entity *)vcpus[0].owner)->wakefulness), RUNS);
}

static void wake_second_once(const struct axvm_lock *lock)
{
	if (lock == &queues[0].lock) {
		atomic_store(&fake_on_drop, NULL);
		fake_cpu = 1;
		axvm_hal_vcpu_wake(&vcpus[1]);
		fake_cpu = 0;
	}
}

/* From another CPU, after the pick and before the run: the first must not keep the CPU for ever. */
TEST(one_that_is_woken_just_after_the_pick_gets_its_turn)
{
	static const uint64_t sets[] = { 1, 1 };
	char why[AXVM_WHY_BYTES];
	bool others = false;

	reset(2);
	guests[0] = spins;
	REQUIRE_EQ(axvm_sched_add(make(0, 2, sets), why), 0);
	atomic_store(&vcpus[0].requests, 0);
	axvm_sched_start(&vms[0]);
	atomic_store(&fake_on_drop, wake_second_once);
	struct entity *first = pick(&queues[0], &others);
	REQUIRE(first != NULL && first->vcpu == &vcpus[0]);
	run(&queues[0], first, others);
	CHECK_EQ(atomic_load(&first->wakefulness) == ASLEEP, false); /* asked out, did not halt */
	turn(1);
	CHECK_EQ(runs[1], 1);
}

/* ---- exits ---------------------------------------------------------------------------------------- */

static enum axvm_exit_reason next_reason;

static bool exits(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	exit->reason = next_reason;
	exit->cpu_up.target = 1;
	if (next_reason == AXVM_EXIT_CPU_DOWN)
		atomic_store(&vcpu->power, AXVM_POWER_OFF);
	return next_reason != AXVM_EXIT_NONE;
}

TEST(exits_are_answered)
{
	char why[AXVM_WHY_BYTES];
	bool others = false;

	reset(1);
	guests[0] = exits;
	REQUIRE_EQ(axvm_sched_add(make(0, 2, NULL), why), 0);
	axvm_sched_start(&vms[0]);
	next_reason = AXVM_EXIT_HYPERCALL;
	turn(1);
	CHECK_EQ(done[0], 1);
	next_reason = AXVM_EXIT_CPU_DOWN;
	turn(1);
	CHECK(pick(&queues[0], &others) == NULL);
	atomic_store(&vcpus[0].power, AXVM_POWER_ON);
	axvm_sched_start(&vms[0]);
	next_reason = AXVM_EXIT_CPU_UP;
	turn(1);
	/* A second wake-up would be one for nothing, in a sleep that the target has begun since. */
	CHECK_EQ(atomic_load(&((struct entity *)vcpus[1].owner)->wakefulness), ASLEEP);
	CHECK_EQ(looks, 0);
}

static bool ends_with_its_vm(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	atomic_store(&vms[0].state, AXVM_VM_STOPPED);
	return exits(vcpu, exit);
}

/* Another vCPU shut the VM down, and this one is the last to leave, by an exit of its own. */
TEST(the_last_to_leave_makes_the_vm_be_looked_at_whatever_its_exit)
{
	static const enum axvm_exit_reason reasons[] = {
		AXVM_EXIT_HALT,	    AXVM_EXIT_CPU_DOWN, AXVM_EXIT_PREEMPTED, AXVM_EXIT_HYPERCALL,
		AXVM_EXIT_SHUTDOWN, AXVM_EXIT_REQUEST,	AXVM_EXIT_FAULT,     AXVM_EXIT_NONE,
	};
	char why[AXVM_WHY_BYTES];

	for (uint32_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		reset(1);
		REQUIRE_EQ(axvm_sched_add(make(0, 1, NULL), why), 0);
		guests[0] = ends_with_its_vm;
		next_reason = reasons[i];
		axvm_sched_start(&vms[0]);
		turn(1);
		CHECK_EQ(looks, 1);
	}
}

/* ---- several CPUs ---------------------------------------------------------------------------------- */

/* Handles what is pending, and halts when there is no more. */
static bool works(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	uint32_t me = number(vcpu);

	for (;;) {
		(void)atomic_exchange(&kicked[fake_cpu], 0); /* the exit path takes interrupts */
		uint32_t requests = atomic_exchange(&vcpu->requests, 0);
		atomic_fetch_add(&done[me], atomic_exchange(&work[me], 0));
		if ((requests & AXVM_REQUEST_PREEMPT) != 0) {
			exit->reason = AXVM_EXIT_PREEMPTED;
			return true;
		}
		if (atomic_load(&vcpu->requests) == 0 && atomic_load(&work[me]) == 0)
			return true;
	}
}

static void give_work(uint32_t vcpu)
{
	atomic_fetch_add(&work[vcpu], 1);
	axvm_vcpu_request(&vcpus[vcpu], AXVM_REQUEST_IRQ);
}

TEST(no_wake_up_is_lost_in_many_rounds)
{
	static const uint64_t sets[] = { 2 };
	char why[AXVM_WHY_BYTES];

	reset(2);
	guests[0] = works;
	REQUIRE_EQ(axvm_sched_add(make(0, 1, sets), why), 0);
	pthread_t thread = start(1);
	for (uint32_t round = 1; round <= STRESS_ROUNDS; round++) {
		give_work(0);
		if (fake_random(2) == 0)
			until(&done[0], round);
	}
	until(&done[0], STRESS_ROUNDS);
	end(thread);
	CHECK_EQ(done[0], STRESS_ROUNDS);
}

TEST(no_wake_up_is_lost_where_two_share_a_cpu)
{
	static const uint64_t sets[] = { 2, 2 };
	char why[AXVM_WHY_BYTES];

	reset(2);
	guests[0] = guests[1] = works;
	REQUIRE_EQ(axvm_sched_add(make(0, 2, sets), why), 0);
	pthread_t thread = start(1);
	for (uint32_t round = 1; round <= STRESS_ROUNDS / 2; round++) {
		give_work(0);
		give_work(1);
		if (fake_random(4) == 0) {
			until(&done[0], round);
			until(&done[1], round);
		}
	}
	until(&done[0], STRESS_ROUNDS / 2);
	until(&done[1], STRESS_ROUNDS / 2);
	end(thread);
	CHECK_EQ(done[0] + done[1], STRESS_ROUNDS);
}

static _Atomic uint32_t reached, removed, removed_early;

/* On the CPU that runs a vCPU: lets the other CPU end its VM here, if it can. */
static void linger(void)
{
	atomic_store(&reached, 1);
	thrd_sleep(&a_while, NULL);
	if (atomic_load(&removed) != 0)
		atomic_store(&removed_early, 1);
}

/* It is picked, but not inside: another CPU finds the VM quiet. */
static bool lingers(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	(void)exit;
	atomic_store(&vcpu->vm->state, AXVM_VM_STOPPED);
	linger();
	return false;
}

static void remove_while_it_lingers(void)
{
	pthread_t thread = start(1);

	until(&reached, 1);
	axvm_sched_remove(&vms[0]);
	atomic_store(&removed, 1);
	end(thread);
	CHECK_EQ(removed_early, 0);
	CHECK(vcpus[0].owner == NULL);
}

static void ready_to_linger(void)
{
	static const uint64_t sets[] = { 2 };
	char why[AXVM_WHY_BYTES];

	reset(2);
	atomic_store(&reached, 0);
	atomic_store(&removed, 0);
	atomic_store(&removed_early, 0);
	REQUIRE_EQ(axvm_sched_add(make(0, 1, sets), why), 0);
	axvm_sched_start(&vms[0]);
}

/* A stop wakes all vCPUs, so that some CPU picks one just when another ends the VM. */
TEST(a_vm_stays_while_a_vcpu_of_it_is_picked)
{
	ready_to_linger();
	guests[0] = lingers;
	remove_while_it_lingers();
}

TEST(a_vm_stays_until_the_exits_of_its_vcpus_are_handled)
{
	ready_to_linger();
	guests[0] = ends_with_its_vm;
	next_reason = AXVM_EXIT_SHUTDOWN;
	on_look = linger;
	remove_while_it_lingers();
}

/* CPU 0 may be at work on the queue of a CPU that has not reached its loop. */
TEST(a_cpu_that_comes_to_its_loop_leaves_its_queue_as_it_is)
{
	static const uint64_t sets[] = { 2 };
	char why[AXVM_WHY_BYTES];

	reset(2);
	REQUIRE_EQ(axvm_sched_add(make(0, 1, sets), why), 0);
	axvm_sched_start(&vms[0]);
	axvm_lock_take(&queues[1].lock);
	pthread_t thread = start(1);
	thrd_sleep(&a_while, NULL);
	CHECK_EQ(runs[0], 0);
	axvm_lock_drop(&queues[1].lock);
	until(&runs[0], 1);
	end(thread);
	axvm_sched_remove(&vms[0]);
	CHECK_EQ(queues[1].count, 0);
}

AXTEST_MAIN(vcpus_go_to_the_least_loaded_cpu_of_their_set,
	    a_set_without_a_cpu_that_is_there_is_refused_and_leaves_nothing,
	    more_vcpus_than_there_is_room_for_are_refused,
	    vcpus_that_share_a_cpu_take_turns_in_slices,
	    a_vcpu_alone_has_no_slice_and_sleeps_when_it_waits,
	    one_that_is_woken_preempts_the_one_that_runs,
	    one_that_is_woken_just_after_the_pick_gets_its_turn, exits_are_answered,
	    the_last_to_leave_makes_the_vm_be_looked_at_whatever_its_exit,
	    no_wake_up_is_lost_in_many_rounds, no_wake_up_is_lost_where_two_share_a_cpu,
	    a_vm_stays_while_a_vcpu_of_it_is_picked,
	    a_vm_stays_until_the_exits_of_its_vcpus_are_handled,
	    a_cpu_that_comes_to_its_loop_leaves_its_queue_as_it_is)
