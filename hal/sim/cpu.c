// SPDX-License-Identifier: Apache-2.0
/*
 * Simulated CPUs: each test thread is one. Kicks and wakes are only counted;
 * lock order is checked per thread, against the ranks of src/lock.h.
 */
#include <string.h>

#include "lock.h"
#include "sim_private.h"

#define WAKES_MAX 256u
#define HELD_MAX 8u

struct wakes {
	const struct axvm_vcpu *vcpu;
	uint64_t count;
};

static uint64_t kicks[AXVM_CPUS_MAX];
static struct wakes wakes[WAKES_MAX];
static uint64_t random_state;
static _Thread_local uint32_t this_cpu;
static _Thread_local const struct axvm_lock *held[HELD_MAX];
static _Thread_local uint32_t held_count;

void axvm_sim_cpu_reset(void)
{
	memset(kicks, 0, sizeof(kicks));
	memset(wakes, 0, sizeof(wakes));
	random_state = 0x9e3779b97f4a7c15;
	this_cpu = 0;
	held_count = 0;
}

static uint32_t cpu_count(void)
{
	return axvm_sim_machine()->cpu_count;
}

void axvm_sim_set_cpu(uint32_t cpu)
{
	if (cpu >= cpu_count())
		axvm_hal_panic(__FILE__, __LINE__, "axvm_sim_set_cpu: no such CPU");
	this_cpu = cpu;
}

uint32_t axvm_hal_cpu_id(void)
{
	return this_cpu;
}

void axvm_hal_cpu_kick(uint32_t cpu)
{
	if (cpu >= cpu_count())
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_cpu_kick: no such CPU");
	axvm_sim_lock();
	kicks[cpu]++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_kick_count(uint32_t cpu)
{
	return kicks[cpu];
}

/* The vCPU's counter, or a free one. */
static struct wakes *find_wakes(const struct axvm_vcpu *vcpu)
{
	for (uint32_t i = 0; i < WAKES_MAX; i++) {
		if (wakes[i].vcpu == vcpu || wakes[i].vcpu == NULL)
			return &wakes[i];
	}
	axvm_hal_panic(__FILE__, __LINE__, "too many vCPUs to count their wakes");
}

void axvm_hal_vcpu_wake(struct axvm_vcpu *vcpu)
{
	axvm_sim_lock();
	struct wakes *of = find_wakes(vcpu);

	of->vcpu = vcpu;
	of->count++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_wake_count(const struct axvm_vcpu *vcpu)
{
	axvm_sim_lock();
	uint64_t count = find_wakes(vcpu)->count;

	axvm_sim_unlock();
	return count;
}

bool axvm_hal_random(void *buffer, uint64_t bytes)
{
	uint8_t *out = buffer;

	for (uint64_t i = 0; i < bytes; i++) {
		random_state ^= random_state << 13;
		random_state ^= random_state >> 7;
		random_state ^= random_state << 17;
		out[i] = (uint8_t)random_state;
	}
	return true;
}

void axvm_lock_check_take(const struct axvm_lock *lock)
{
	if (lock->rank < AXVM_LOCK_LIST || lock->rank > AXVM_LOCK_LEAF)
		axvm_hal_panic(__FILE__, __LINE__, "a lock was taken that was never initialised");
	if (held_count > 0 && lock->rank <= held[held_count - 1]->rank)
		axvm_hal_panic(__FILE__, __LINE__, "locks were taken out of order");
	held[held_count++] = lock; /* ranks rise strictly: it cannot overflow */
}

void axvm_lock_check_drop(const struct axvm_lock *lock)
{
	for (uint32_t i = held_count; i-- > 0;) {
		if (held[i] != lock)
			continue;
		held_count--;
		memmove(&held[i], &held[i + 1], (held_count - i) * sizeof(held[0]));
		return;
	}
	axvm_hal_panic(__FILE__, __LINE__, "a lock was dropped that this CPU does not hold");
}

_Static_assert(AXVM_LOCK_LEAF <= HELD_MAX, "one lock of each rank can be held");

uint32_t axvm_sim_held_locks(void)
{
	return held_count;
}
