/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's timers: order, replacement, and a stop that races with a callback. */
#include <pthread.h>
#include <sched.h>

#include "fake_bare.h"

#include "../../../hypervisor/timer.c"

static uint64_t programmed[AXVM_CPUS_MAX];

void axvm_bare_timer_program(uint64_t deadline_ticks)
{
	programmed[fake_cpu] = deadline_ticks;
}

static struct axvm_timer *fired[64];
static uint32_t fired_count;

static void note(struct axvm_timer *timer)
{
	CHECK_EQ(fake_held, 0);
	if (fired_count < 64)
		fired[fired_count++] = timer;
}

static struct axvm_timer timers[4];

static void reset(void)
{
	fake_machine(2);
	memset(timers, 0, sizeof(timers));
	for (uint32_t i = 0; i < 4; i++)
		timers[i].expired = note;
	fired_count = 0;
}

static void at(uint64_t ticks)
{
	atomic_store(&fake_ticks, ticks);
	axvm_timer_interrupt(&axvm_cpus[fake_cpu]);
}

TEST(timers_expire_in_order_of_deadline_then_of_start)
{
	reset();
	axvm_hal_timer_start(&timers[0], 30);
	axvm_hal_timer_start(&timers[1], 10);
	axvm_hal_timer_start(&timers[2], 30);
	axvm_hal_timer_start(&timers[3], 20);
	CHECK_EQ(programmed[0], 10);
	at(9);
	CHECK_EQ(fired_count, 0);
	at(20);
	CHECK_EQ(fired_count, 2);
	CHECK_EQ(programmed[0], 30);
	at(31);
	REQUIRE_EQ(fired_count, 4);
	CHECK_PTR_EQ(fired[0], &timers[1]);
	CHECK_PTR_EQ(fired[1], &timers[3]);
	CHECK_PTR_EQ(fired[2], &timers[0]);
	CHECK_PTR_EQ(fired[3], &timers[2]);
	CHECK_EQ(programmed[0], UINT64_MAX);
}

TEST(a_start_replaces_the_earlier_deadline_on_any_cpu)
{
	reset();
	axvm_hal_timer_start(&timers[0], 10);
	axvm_hal_timer_start(&timers[0], 20);
	at(15);
	CHECK_EQ(fired_count, 0);
	CHECK_EQ(programmed[0], 20);
	fake_cpu = 1;
	axvm_hal_timer_start(&timers[0], 30);
	CHECK_EQ(programmed[1], 30);
	fake_cpu = 0;
	at(40);
	CHECK_EQ(fired_count, 0);
	CHECK_EQ(programmed[0], UINT64_MAX);
	fake_cpu = 1;
	at(40);
	CHECK_EQ(fired_count, 1);
}

TEST(a_stopped_timer_does_not_expire)
{
	reset();
	axvm_hal_timer_stop(&timers[0]); /* never started */
	axvm_hal_timer_start(&timers[0], 10);
	axvm_hal_timer_start(&timers[1], 10);
	axvm_hal_timer_stop(&timers[0]);
	axvm_hal_timer_stop(&timers[0]);
	at(10);
	CHECK_EQ(fired_count, 1);
	CHECK_PTR_EQ(fired[0], &timers[1]);
	axvm_hal_timer_stop(&timers[1]); /* expired */
}

static void again_later(struct axvm_timer *timer)
{
	note(timer);
	axvm_hal_timer_start(timer, axvm_hal_time_ticks() + 10);
}

static void again_at_once(struct axvm_timer *timer)
{
	note(timer);
	axvm_hal_timer_start(timer, 0);
}

static void stops_itself(struct axvm_timer *timer)
{
	note(timer);
	axvm_hal_timer_stop(timer);
}

TEST(a_callback_may_start_or_stop_its_timer)
{
	reset();
	timers[0].expired = again_later;
	timers[1].expired = stops_itself;
	axvm_hal_timer_start(&timers[0], 10);
	axvm_hal_timer_start(&timers[1], 10);
	at(10);
	CHECK_EQ(fired_count, 2);
	CHECK_EQ(programmed[0], 20);
	at(25);
	CHECK_EQ(fired_count, 3);
	CHECK_EQ(programmed[0], 35);
}

TEST(a_timer_that_is_always_due_does_not_hold_the_cpu)
{
	reset();
	timers[0].expired = again_at_once;
	axvm_hal_timer_start(&timers[0], 1);
	at(5);
	CHECK_EQ(fired_count, CALLBACKS_MAX);
	CHECK_EQ(programmed[0], 0); /* and comes again */
}

/* ---- two CPUs -------------------------------------------------------------------------------- */

static struct axvm_lock device;
static _Atomic uint32_t inside, may_go;

/* As a device's: works under its lock, with which the device starts its timer. */
static void takes_the_device(struct axvm_timer *timer)
{
	(void)timer;
	atomic_store(&inside, 1);
	while (atomic_load(&may_go) == 0)
		sched_yield();
	axvm_lock_take(&device);
	axvm_lock_drop(&device);
	atomic_store(&inside, 2);
}

static void *second_cpu(void *ticks)
{
	fake_cpu = 1;
	at(*(const uint64_t *)ticks);
	return NULL;
}

static const uint64_t due = 10;

static pthread_t start_second(void (*expired)(struct axvm_timer *))
{
	pthread_t thread;

	axvm_lock_init(&device, AXVM_LOCK_DEVICE);
	atomic_store(&inside, 0);
	atomic_store(&may_go, 0);
	timers[0].expired = expired;
	fake_cpu = 1;
	axvm_hal_timer_start(&timers[0], due);
	fake_cpu = 0;
	pthread_create(&thread, NULL, second_cpu, (void *)(uintptr_t)&due);
	while (atomic_load(&inside) == 0)
		sched_yield();
	return thread;
}

TEST(a_start_does_not_wait_for_the_callback)
{
	reset();
	pthread_t thread = start_second(takes_the_device);
	axvm_lock_take(&device);
	atomic_store(&may_go, 1);
	axvm_hal_timer_start(&timers[0], 100); /* waiting here would be for ever */
	axvm_lock_drop(&device);
	pthread_join(thread, NULL);
	CHECK_EQ(timers[0].armed, 1);
	CHECK_EQ(programmed[0], 100);
}

static void starts_then_lingers(struct axvm_timer *timer)
{
	axvm_hal_timer_start(timer, 50);
	atomic_store(&inside, 1);
	for (uint32_t i = 0; i < 20000; i++)
		sched_yield();
	axvm_hal_timer_start(timer, 60);
	atomic_store(&inside, 2);
}

TEST(after_a_stop_the_callback_does_not_run_though_it_started_itself)
{
	reset();
	pthread_t thread = start_second(starts_then_lingers);
	axvm_hal_timer_stop(&timers[0]);
	CHECK_EQ(atomic_load(&inside), 2);
	CHECK_EQ(timers[0].armed, 0);
	pthread_join(thread, NULL);
	CHECK(axvm_cpus[1].timers == NULL);
}

TEST(after_a_stop_the_callback_does_not_run_though_another_cpu_started_it)
{
	reset();
	pthread_t thread = start_second(starts_then_lingers);
	axvm_hal_timer_start(&timers[0], 70);
	axvm_hal_timer_stop(&timers[0]);
	CHECK_EQ(atomic_load(&inside), 2);
	pthread_join(thread, NULL);
	CHECK_EQ(timers[0].armed, 0);
}

static _Atomic uint32_t allowed, wrong, stress_over;

static void must_be_allowed(struct axvm_timer *timer)
{
	(void)timer;
	if (atomic_load(&allowed) == 0)
		atomic_fetch_add(&wrong, 1);
}

static void *interrupts(void *unused)
{
	(void)unused;
	fake_cpu = 1;
	while (atomic_load(&stress_over) == 0)
		axvm_timer_interrupt(&axvm_cpus[1]);
	return NULL;
}

TEST(no_callback_comes_after_a_stop_in_many_rounds)
{
	pthread_t thread;

	reset();
	atomic_store(&wrong, 0);
	atomic_store(&stress_over, 0);
	timers[0].expired = must_be_allowed;
	pthread_create(&thread, NULL, interrupts, NULL);
	for (uint32_t round = 0; round < 2000; round++) {
		atomic_store(&allowed, 1);
		fake_cpu = 1; /* onto the list of the CPU that takes the interrupts */
		axvm_hal_timer_start(&timers[0], 0);
		fake_cpu = 0;
		axvm_hal_timer_stop(&timers[0]);
		atomic_store(&allowed, 0);
	}
	atomic_store(&stress_over, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(atomic_load(&wrong), 0);
}

AXTEST_MAIN(timers_expire_in_order_of_deadline_then_of_start,
	    a_start_replaces_the_earlier_deadline_on_any_cpu, a_stopped_timer_does_not_expire,
	    a_callback_may_start_or_stop_its_timer,
	    a_timer_that_is_always_due_does_not_hold_the_cpu,
	    a_start_does_not_wait_for_the_callback,
	    after_a_stop_the_callback_does_not_run_though_it_started_itself,
	    after_a_stop_the_callback_does_not_run_though_another_cpu_started_it,
	    no_callback_comes_after_a_stop_in_many_rounds)
