/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lifecycle, from the table: `wanted` below is the comment of <axvm/vm.h>
 * as text, and every state meets every event.
 */
#include <stdlib.h>

#include "lifecycle.h"
#include "test_vm.h"

/* READY, RUNNING, PAUSED, STOPPING, STOPPED, FAILED, GONE; "-" refused. The same order as there. */
static const char *const wanted[AXVM_VM_STATE_COUNT][AXVM_EVENT_COUNT] = {
	/*            boot       pause     resume     shutdown    left       reset      destroy fail */
	/* ready */ { "running", "-", "-", "stopped", "-", "ready", "gone", "-" },
	/* running */ { "-", "paused", "-", "stopping", "-", "stopping", "-", "failed" },
	/* paused */ { "-", "-", "running", "stopping", "-", "ready", "-", "failed" },
	/* stopping */ { "-", "-", "-", "stopping", "stopped", "-", "-", "failed" },
	/* stopped */ { "-", "-", "-", "stopped", "-", "ready", "gone", "-" },
	/* failed */ { "-", "-", "-", "-", "-", "ready", "gone", "-" },
	/* gone */ { "-", "-", "-", "-", "-", "-", "-", "-" },
};

static const char *next_name(enum axvm_vm_state state, enum axvm_vm_event event)
{
	int next = axvm_vm_next_state(state, event);

	return next < 0 ? "-" : axvm_vm_state_name((enum axvm_vm_state)next);
}

TEST(the_table_is_that_of_the_header)
{
	for (unsigned state = 0; state < AXVM_VM_STATE_COUNT; state++) {
		for (unsigned event = 0; event < AXVM_EVENT_COUNT; event++)
			CHECK_STR_EQ(
				next_name((enum axvm_vm_state)state, (enum axvm_vm_event)event),
				wanted[state][event]);
	}
	CHECK_EQ(axvm_vm_next_state(AXVM_VM_STATE_COUNT, AXVM_EVENT_BOOT), -1);
	CHECK_EQ(axvm_vm_next_state(AXVM_VM_READY, AXVM_EVENT_COUNT), -1);
}

/*
 * Brings a fresh VM into a state. One vCPU is kept counted as bound for the
 * states that a quiet VM leaves at once; *bound says so.
 */
static void bring(struct axvm_vm *vm, enum axvm_vm_state state, bool *bound)
{
	const struct axvm_stop fault = { .reason = AXVM_STOP_FAULT };

	*bound = state == AXVM_VM_STOPPING;
	if (state == AXVM_VM_READY)
		return;
	if (state == AXVM_VM_STOPPED || state == AXVM_VM_GONE) {
		CHECK_EQ(axvm_vm_shutdown(vm, AXVM_STOP_FORCED), 0);
		if (state == AXVM_VM_GONE)
			CHECK_EQ(axvm_vm_destroy(vm), 0);
		return;
	}
	CHECK_EQ(axvm_vm_boot(vm), 0);
	if (*bound)
		CHECK(axvm_lifecycle_enter(vm));
	if (state == AXVM_VM_PAUSED)
		CHECK_EQ(axvm_vm_pause(vm), 0);
	if (state == AXVM_VM_STOPPING)
		CHECK_EQ(axvm_vm_shutdown(vm, AXVM_STOP_GUEST_SHUTDOWN), 0);
	if (state == AXVM_VM_FAILED)
		CHECK_EQ(axvm_lifecycle_apply(vm, AXVM_EVENT_FAIL, &fault), 0);
}

static int do_event(struct axvm_vm *vm, enum axvm_vm_event event)
{
	const struct axvm_stop stop = { .reason = AXVM_STOP_FAULT, .vcpu = 7 };

	switch (event) {
	case AXVM_EVENT_BOOT:
		return axvm_vm_boot(vm);
	case AXVM_EVENT_PAUSE:
		return axvm_vm_pause(vm);
	case AXVM_EVENT_RESUME:
		return axvm_vm_resume(vm);
	case AXVM_EVENT_SHUTDOWN:
		return axvm_vm_shutdown(vm, AXVM_STOP_FORCED);
	case AXVM_EVENT_RESET:
		return axvm_vm_reset(vm);
	case AXVM_EVENT_DESTROY:
		return axvm_vm_destroy(vm);
	default:
		return axvm_lifecycle_apply(vm, event, &stop);
	}
}

/* For a quiet VM STOPPING is over at once: what the table says last. */
static const char *settled(const char *next, enum axvm_vm_event event, bool bound)
{
	if (bound || strcmp(next, "stopping") != 0)
		return next;
	return event == AXVM_EVENT_RESET ? "ready" : "stopped";
}

struct snapshot {
	struct axvm_stop stop;
	uint64_t pages;
	uint64_t wakes;
	uint32_t requests;
	uint32_t power;
};

static struct snapshot take_snapshot(struct axvm_vm *vm)
{
	return (struct snapshot){
		.stop = axvm_vm_stop(vm),
		.pages = axvm_vm_used_pages(vm),
		.wakes = axvm_sim_wake_count(vm->vcpus[0]),
		.requests = atomic_load(&vm->vcpus[0]->requests),
		.power = atomic_load(&vm->vcpus[0]->power),
	};
}

static void check_unchanged(struct axvm_vm *vm, const struct snapshot *before)
{
	const struct snapshot after = take_snapshot(vm);

	CHECK_EQ(after.stop.reason, before->stop.reason);
	CHECK_EQ(after.stop.vcpu, before->stop.vcpu);
	CHECK_EQ(after.pages, before->pages);
	CHECK_EQ(after.wakes, before->wakes);
	CHECK_EQ(after.requests, before->requests);
	CHECK_EQ(after.power, before->power);
}

static void meet(enum axvm_vm_state state, enum axvm_vm_event event)
{
	struct test_vm test;
	bool bound;

	REQUIRE(test_vm_begin(&test, 1));
	struct axvm_vm *vm = axvm_vm_get(test.vm); /* so that it outlives its destruction */

	bring(vm, state, &bound);
	CHECK_EQ(axvm_vm_state(vm), state);
	if (event == AXVM_EVENT_LAST_LEFT && bound) {
		axvm_lifecycle_leave(vm); /* by itself it is the event */
		bound = false;
		CHECK_EQ(axvm_vm_state(vm), AXVM_VM_STOPPED);
	} else {
		const struct snapshot before = take_snapshot(vm);
		const char *next = wanted[state][event];
		int error = do_event(vm, event);

		CHECK_EQ(error, strcmp(next, "-") == 0 ? AXVM_ESTATE : 0);
		CHECK_STR_EQ(axvm_vm_state_name(axvm_vm_state(vm)),
			     error ? axvm_vm_state_name(state) : settled(next, event, bound));
		if (error)
			check_unchanged(vm, &before);
	}
	if (bound)
		axvm_lifecycle_leave(vm);
	if (axvm_vm_state(vm) == AXVM_VM_RUNNING || axvm_vm_state(vm) == AXVM_VM_PAUSED ||
	    axvm_vm_state(vm) == AXVM_VM_STOPPING)
		CHECK_EQ(axvm_vm_shutdown(vm, AXVM_STOP_FORCED), 0);
	if (axvm_vm_state(vm) != AXVM_VM_GONE)
		CHECK_EQ(axvm_vm_destroy(vm), 0);
	axvm_vm_put(vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(every_state_meets_every_event_and_refused_ones_change_nothing)
{
	for (unsigned state = 0; state < AXVM_VM_STATE_COUNT; state++) {
		for (unsigned event = 0; event < AXVM_EVENT_COUNT; event++)
			meet((enum axvm_vm_state)state, (enum axvm_vm_event)event);
	}
}

TEST(a_stop_reason_is_kept_until_the_next_boot)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 1));
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_NONE);
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_NONE), AXVM_EINVAL);
	CHECK_EQ(axvm_vm_shutdown(test.vm, (enum axvm_stop_reason)99), AXVM_EINVAL);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_RUNNING);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_GUEST_SHUTDOWN), 0);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_SHUTDOWN);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_SHUTDOWN);
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_SHUTDOWN);
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_NONE);
	test_vm_end(&test);
}

TEST(a_reset_of_a_running_vm_waits_for_its_last_vcpu_and_for_settle)
{
	struct test_vm test;
	uint32_t word = 0;

	REQUIRE(test_vm_begin(&test, 2));
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK(axvm_lifecycle_enter(test.vm));
	CHECK(axvm_lifecycle_enter(test.vm));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPING);
	CHECK_EQ(axvm_vm_reset(test.vm), AXVM_ESTATE);
	CHECK_EQ(axvm_vm_settle(test.vm), AXVM_EBUSY);
	axvm_lifecycle_leave(test.vm);
	CHECK_EQ(axvm_vm_settle(test.vm), AXVM_EBUSY);
	CHECK_EQ(axvm_vm_write(test.vm, axvm_gpa(TEST_RAM), "dirt", 4), 0);
	axvm_lifecycle_leave(test.vm);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPING);
	CHECK_EQ(axvm_vm_settle(test.vm), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_FORCED);
	CHECK_EQ(axvm_vm_read(test.vm, axvm_gpa(TEST_RAM), &word, 4), 0);
	CHECK(memcmp(&word, test_kernel, 4) == 0);
	CHECK_EQ(axvm_vm_settle(test.vm), 0);
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	test_vm_end(&test);
}

TEST(a_shutdown_wins_over_a_reset_that_waits)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 1));
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK(axvm_lifecycle_enter(test.vm));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_GUEST_SHUTDOWN), 0);
	CHECK_EQ(axvm_vm_settle(test.vm), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPING);
	axvm_lifecycle_leave(test.vm);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPED);
	CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_GUEST_SHUTDOWN);
	test_vm_end(&test);

	/* With the last vCPU out, but nobody having settled it. */
	REQUIRE(test_vm_begin(&test, 1));
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK(axvm_lifecycle_enter(test.vm));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	axvm_lifecycle_leave(test.vm);
	CHECK_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_STOPPED);
	test_vm_end(&test);
}

TEST(a_failed_vm_goes_only_when_its_last_vcpu_has_left)
{
	const struct axvm_stop fault = { .reason = AXVM_STOP_FAULT, .vcpu = 1 };
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 2));
	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK(axvm_lifecycle_enter(test.vm));
	CHECK_EQ(axvm_lifecycle_apply(test.vm, AXVM_EVENT_FAIL, &fault), 0);
	CHECK(!axvm_vm_is_quiet(test.vm));
	CHECK_EQ(axvm_vm_destroy(test.vm), AXVM_ESTATE);
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_FAILED);
	struct axvm_vm *found = axvm_vm_find(1);

	CHECK_PTR_EQ(found, test.vm);
	axvm_vm_put(found);
	axvm_lifecycle_leave(test.vm);
	CHECK(axvm_vm_is_quiet(test.vm));
	CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_FAILED);
	CHECK_EQ(axvm_vm_stop(test.vm).vcpu, 1);
	test_vm_end(&test);
}

TEST(resume_takes_back_what_pause_asked_for_and_wakes)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 2));
	struct axvm_vcpu *first = axvm_vm_vcpu(test.vm, 0);

	CHECK_EQ(axvm_vm_boot(test.vm), 0);
	CHECK_EQ(axvm_sim_wake_count(first), 1);
	CHECK_EQ(axvm_sim_wake_count(axvm_vm_vcpu(test.vm, 1)), 0); /* off */
	CHECK_EQ(axvm_vm_pause(test.vm), 0);
	CHECK_EQ(atomic_load(&first->requests), AXVM_REQUEST_LEAVE);
	CHECK(!axvm_vcpu_has_work(first));
	uint64_t wakes = axvm_sim_wake_count(first);

	CHECK_EQ(axvm_vm_resume(test.vm), 0);
	CHECK_EQ(atomic_load(&first->requests), 0);
	CHECK_EQ(axvm_sim_wake_count(first), wakes + 1);
	test_vm_end(&test);
}

TEST(names_are_those_of_the_tables)
{
	CHECK_STR_EQ(axvm_vm_state_name(AXVM_VM_STOPPING), "stopping");
	CHECK_STR_EQ(axvm_vm_state_name((enum axvm_vm_state)99), "unknown");
	CHECK_STR_EQ(axvm_stop_name(AXVM_STOP_GUEST_RESET), "guest reset");
	CHECK_STR_EQ(axvm_stop_name((enum axvm_stop_reason)99), "unknown");
	CHECK_STR_EQ(axvm_exit_name(AXVM_EXIT_CPU_DOWN), "cpu-down");
	CHECK_STR_EQ(axvm_exit_name(AXVM_EXIT_COUNT), "unknown");
	CHECK_STR_EQ(axvm_error_name(AXVM_ESTATE), "AXVM_ESTATE");
	CHECK_STR_EQ(axvm_error_name(0), "0");
	CHECK_STR_EQ(axvm_error_name(-99), "?");
	CHECK_STR_EQ(axvm_strerror(0), "success");
	CHECK_STR_EQ(axvm_strerror(AXVM_ENOENT), "no such object");
	CHECK_STR_EQ(axvm_strerror(1), "unknown error");
}

AXTEST_MAIN(the_table_is_that_of_the_header,
	    every_state_meets_every_event_and_refused_ones_change_nothing,
	    a_stop_reason_is_kept_until_the_next_boot,
	    a_reset_of_a_running_vm_waits_for_its_last_vcpu_and_for_settle,
	    a_shutdown_wins_over_a_reset_that_waits,
	    a_failed_vm_goes_only_when_its_last_vcpu_has_left,
	    resume_takes_back_what_pause_asked_for_and_wakes, names_are_those_of_the_tables)
