/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A false machine under one file of the hypervisor, which its test includes: CPUs that are threads,
 * a clock that stands still, locks whose order is checked, panics that can be expected.
 */
#ifndef FAKE_BARE_H
#define FAKE_BARE_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axtest.h"
#include "bare.h"
#include "lock.h"

struct axvm_cpu axvm_cpus[AXVM_CPUS_MAX];
uint32_t axvm_cpu_count_present = 1;

static _Thread_local uint32_t fake_cpu; /* which CPU this thread is */
static _Thread_local uint32_t fake_ranks[8];
static _Thread_local uint32_t fake_held;
static _Atomic uint64_t fake_ticks;
static void (*_Atomic fake_on_drop)(const struct axvm_lock *lock); /* may be NULL */
static jmp_buf fake_panic;
static bool fake_panic_expected;
static const char *fake_panic_what;

/* Whether the statement ends in a panic; what it said is in fake_panic_what. */
#define FAKE_PANICS(statement)                                                               \
	(fake_panic_what = NULL, fake_panic_expected = true,                                 \
	 setjmp(fake_panic) == 0 ? (void)(statement) : (void)0, fake_panic_expected = false, \
	 fake_panic_what != NULL)

_Noreturn void axvm_hal_panic(const char *file, int line, const char *what)
{
	if (!fake_panic_expected) {
		fprintf(stderr, "%s:%d: panic: %s\n", file, line, what);
		abort();
	}
	fake_panic_what = what;
	fake_held = 0;
	longjmp(fake_panic, 1);
}

/* The rank is looked at when it is taken: a lock below one that is held, or beside it, is wrong. */
void axvm_lock_check_take(const struct axvm_lock *lock)
{
	if (fake_held > 0 && fake_ranks[fake_held - 1] >= lock->rank)
		axvm_hal_panic(__FILE__, __LINE__, "locks taken in a wrong order");
	if (fake_held == sizeof(fake_ranks) / sizeof(fake_ranks[0]))
		axvm_hal_panic(__FILE__, __LINE__, "too many locks held");
	fake_ranks[fake_held++] = lock->rank;
}

void axvm_lock_check_drop(const struct axvm_lock *lock)
{
	if (fake_held == 0 || fake_ranks[fake_held - 1] != lock->rank)
		axvm_hal_panic(__FILE__, __LINE__, "a lock dropped that is not the last taken");
	fake_held--;
	void (*hook)(const struct axvm_lock *) = atomic_load(&fake_on_drop);
	if (hook != NULL)
		hook(lock);
}

struct axvm_cpu *axvm_bare_this_cpu(void)
{
	return &axvm_cpus[fake_cpu];
}

uint64_t axvm_hal_time_ticks(void)
{
	return atomic_load(&fake_ticks);
}

uint64_t axvm_hal_time_hz(void)
{
	return 1000000;
}

static inline void fake_machine(uint32_t cpus)
{
	memset(axvm_cpus, 0, sizeof(axvm_cpus));
	axvm_cpu_count_present = cpus;
	for (uint32_t i = 0; i < cpus; i++) {
		axvm_cpus[i].index = i;
		axvm_cpus[i].online = true;
		axvm_lock_init(&axvm_cpus[i].timers_lock, AXVM_LOCK_LEAF);
	}
	atomic_store(&fake_ticks, 0);
	atomic_store(&fake_on_drop, NULL);
	fake_cpu = 0;
	fake_held = 0;
}

/* A generator for tests: the same numbers each time. */
static uint64_t fake_seed = 1;

static inline uint64_t fake_random(uint64_t below)
{
	fake_seed ^= fake_seed << 13;
	fake_seed ^= fake_seed >> 7;
	fake_seed ^= fake_seed << 17;
	return fake_seed % below;
}

#endif
