/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs run by threads, each a CPU, and waits that end: a lost event is a failed check after 20 s. The includer
 * defines _GNU_SOURCE first.
 */
#ifndef VCPU_RUNNER_H
#define VCPU_RUNNER_H

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "test_vcpu.h"

#define WAIT_SECONDS 20

static inline int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec;
}

static bool wait_failed; /* then the rest of the program does not wait any more */

#define WAIT_FOR(condition)                                                      \
	do {                                                                     \
		int64_t wait_begin = now_seconds();                              \
		while (!(condition) && !wait_failed) {                           \
			wait_failed = now_seconds() - wait_begin > WAIT_SECONDS; \
			sched_yield();                                           \
		}                                                                \
		CHECK(condition);                                                \
	} while (0)

/* A host's thread for one vCPU: runs it whenever it may, as a CPU of its own. */
struct runner {
	pthread_t thread;
	struct axvm_vcpu *vcpu;
	uint32_t cpu;
	_Atomic bool stop;
	_Atomic uint64_t exits[AXVM_EXIT_COUNT];
	_Atomic uint64_t refusals;
};

static inline void *run_always(void *argument)
{
	struct runner *self = argument;
	struct axvm_exit exit;

	axvm_sim_set_cpu(self->cpu);
	while (!atomic_load(&self->stop)) {
		if (axvm_vcpu_run(self->vcpu, &exit) == 0) {
			atomic_fetch_add(&self->exits[exit.reason], 1);
		} else {
			atomic_fetch_add(&self->refusals, 1);
			sched_yield();
		}
	}
	return NULL;
}

/* Sleeps as axvm_vcpu_has_work describes it: looks once, then only a wake ends it. */
static inline void *run_and_sleep(void *argument)
{
	struct runner *self = argument;
	struct axvm_exit exit;

	axvm_sim_set_cpu(self->cpu);
	while (!atomic_load(&self->stop)) {
		uint64_t wakes = axvm_sim_wake_count(self->vcpu);
		int error = axvm_vcpu_run(self->vcpu, &exit);

		if (error == 0)
			atomic_fetch_add(&self->exits[exit.reason], 1);
		if (error == 0 && exit.reason != AXVM_EXIT_HALT)
			continue;
		/* What came before this line is in has_work; what comes after it wakes. */
		wakes = axvm_sim_wake_count(self->vcpu);
		if (axvm_vcpu_has_work(self->vcpu))
			continue;
		while (axvm_sim_wake_count(self->vcpu) == wakes && !atomic_load(&self->stop))
			sched_yield();
	}
	return NULL;
}

static inline void start(struct runner *runner, struct axvm_vcpu *vcpu, uint32_t cpu,
			 void *(*loop)(void *))
{
	memset(runner, 0, sizeof(*runner));
	runner->vcpu = vcpu;
	runner->cpu = cpu;
	CHECK_EQ(pthread_create(&runner->thread, NULL, loop, runner), 0);
}

static inline void finish(struct runner *runner)
{
	atomic_store(&runner->stop, true);
	pthread_join(runner->thread, NULL);
	check_out(runner->vcpu, axvm_vcpu_state(runner->vcpu));
}

#endif
