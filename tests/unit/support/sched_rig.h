/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler's file over a false machine: physical CPUs are threads, guests are functions; an
 * idle CPU leaves its wait for a kick alone, so that a wake-up that is lost stays lost.
 */
#ifndef AXVM_TEST_SCHED_RIG_H
#define AXVM_TEST_SCHED_RIG_H

#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <unistd.h>

#include "fake_bare.h"
#include "vm_parts.h"

#include "../../../hypervisor/sched.c"

#define VCPUS 300u
#define STRESS_ROUNDS 100000u

static const struct timespec a_while = { .tv_nsec = 20000000 };

static struct axvm_vm vms[4];
static struct axvm_config configs[4];
static struct axvm_vcpu vcpus[VCPUS];
static bool is_shared[VCPUS];
static uint32_t vcpu_total;

static _Atomic uint32_t kicked[AXVM_CPUS_MAX], stop_all, looks;
static _Atomic uint32_t runs[VCPUS], work[VCPUS], done[VCPUS];
static _Atomic uint32_t slices;
static struct axvm_timer *_Atomic slice_of[AXVM_CPUS_MAX];

/* What a vCPU does when it is entered; NULL: halts. False: axvm_vcpu_run is refused. */
typedef bool (*guest)(struct axvm_vcpu *vcpu, struct axvm_exit *exit);
static guest guests[VCPUS];

static uint32_t number(const struct axvm_vcpu *vcpu)
{
	return (uint32_t)(vcpu - vcpus);
}

/* ---- the library, as far as the scheduler knows it ------------------------------------------- */

uint32_t axvm_vm_vcpu_count(const struct axvm_vm *vm)
{
	return vm->vcpu_count;
}

struct axvm_vcpu *axvm_vm_vcpu(struct axvm_vm *vm, uint32_t index)
{
	return index < vm->vcpu_count ? vm->vcpus[index] : NULL;
}

const struct axvm_config *axvm_vm_config(const struct axvm_vm *vm)
{
	return vm->config;
}

enum axvm_vm_state axvm_vm_state(const struct axvm_vm *vm)
{
	return (enum axvm_vm_state)atomic_load(&vm->state);
}

struct axvm_vm *axvm_vcpu_vm(const struct axvm_vcpu *vcpu)
{
	return vcpu->vm;
}

uint32_t axvm_vcpu_index(const struct axvm_vcpu *vcpu)
{
	return vcpu->index;
}

enum axvm_vcpu_power axvm_vcpu_power(const struct axvm_vcpu *vcpu)
{
	return (enum axvm_vcpu_power)atomic_load(&vcpu->power);
}

void axvm_vcpu_set_owner(struct axvm_vcpu *vcpu, void *owner)
{
	vcpu->owner = owner;
}

void *axvm_vcpu_owner(const struct axvm_vcpu *vcpu)
{
	return vcpu->owner;
}

void axvm_vcpu_set_result(struct axvm_vcpu *vcpu, uint64_t value)
{
	CHECK_EQ(value, UINT64_MAX);
	atomic_fetch_add(&done[number(vcpu)], 1);
}

bool axvm_vcpu_has_work(const struct axvm_vcpu *vcpu)
{
	return axvm_vm_state(vcpu->vm) == AXVM_VM_RUNNING &&
	       axvm_vcpu_power(vcpu) != AXVM_POWER_OFF &&
	       (atomic_load(&vcpu->requests) != 0 || atomic_load(&work[number(vcpu)]) != 0);
}

void axvm_vcpu_request(struct axvm_vcpu *vcpu, uint32_t requests)
{
	atomic_fetch_or(&vcpu->requests, requests);
	uint32_t cpu = atomic_load(&vcpu->cpu);

	if (cpu == AXVM_CPU_NONE)
		axvm_hal_vcpu_wake(vcpu);
	else if (cpu != axvm_hal_cpu_id())
		axvm_hal_cpu_kick(cpu);
}

int axvm_vcpu_run(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	guest enter = guests[number(vcpu)];

	atomic_fetch_add(&runs[number(vcpu)], 1);
	if (axvm_vm_state(vcpu->vm) != AXVM_VM_RUNNING)
		return AXVM_ESTATE;
	atomic_store(&vcpu->cpu, fake_cpu);
	exit->reason = AXVM_EXIT_HALT;
	bool ran = enter == NULL || enter(vcpu, exit);
	atomic_store(&vcpu->cpu, AXVM_CPU_NONE);
	return ran ? 0 : AXVM_ESTATE;
}

/* ---- the machine ------------------------------------------------------------------------------ */

void axvm_hal_cpu_kick(uint32_t cpu)
{
	atomic_store(&kicked[cpu], 1);
}

void axvm_bare_idle(void)
{
	while (atomic_exchange(&kicked[fake_cpu], 0) == 0) {
		if (atomic_load(&stop_all) != 0)
			pthread_exit(NULL);
		sched_yield();
	}
}

void axvm_bare_vcpu_set_shared(struct axvm_vcpu *vcpu, bool shared)
{
	is_shared[number(vcpu)] = shared;
}

void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks)
{
	CHECK_EQ(deadline_ticks, 10000); /* 10 ms at the false machine's 1 MHz */
	atomic_store(&slice_of[fake_cpu], timer);
	atomic_fetch_add(&slices, 1);
}

void axvm_hal_timer_stop(struct axvm_timer *timer)
{
	CHECK_PTR_EQ(timer, atomic_load(&slice_of[fake_cpu]));
	atomic_store(&slice_of[fake_cpu], NULL);
}

void axvm_vms_settle(void)
{
}

static void (*on_look)(void);

void axvm_vms_look(struct axvm_vm *vm)
{
	CHECK(vm >= vms && vm < vms + 4);
	atomic_fetch_add(&looks, 1);
	if (on_look != NULL)
		on_look();
}

/* ---- making and running ----------------------------------------------------------------------- */

static void reset(uint32_t cpus)
{
	fake_machine(cpus);
	alarm(120);
	for (uint32_t i = 0; i < ENTITIES_MAX; i++)
		entities[i].vcpu = NULL;
	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++) {
		queues[i].count = 0;
		queues[i].last = 0;
		atomic_store(&kicked[i], 0);
		CHECK(atomic_load(&queues[i].current) == NULL);
	}
	memset(vms, 0, sizeof(vms));
	memset(configs, 0, sizeof(configs));
	memset(vcpus, 0, sizeof(vcpus));
	memset(guests, 0, sizeof(guests));
	for (uint32_t i = 0; i < VCPUS; i++) {
		atomic_store(&runs[i], 0);
		atomic_store(&work[i], 0);
		atomic_store(&done[i], 0);
	}
	vcpu_total = 0;
	on_look = NULL;
	atomic_store(&looks, 0);
	atomic_store(&slices, 0);
	atomic_store(&stop_all, 0);
}

static struct axvm_vm *make(uint32_t index, uint32_t count, const uint64_t *sets)
{
	struct axvm_vm *vm = &vms[index];

	vm->config = &configs[index];
	configs[index].phys_cpu_sets = sets;
	vm->vcpu_count = count;
	atomic_store(&vm->state, AXVM_VM_RUNNING);
	for (uint32_t i = 0; i < count; i++) {
		struct axvm_vcpu *vcpu = &vcpus[vcpu_total++];
		vm->vcpus[i] = vcpu;
		vcpu->vm = vm;
		vcpu->index = i;
		atomic_store(&vcpu->power, AXVM_POWER_ON);
		atomic_store(&vcpu->cpu, AXVM_CPU_NONE);
	}
	return vm;
}

static uint32_t cpu_of(uint32_t vcpu)
{
	const struct entity *entity = vcpus[vcpu].owner;

	return entity == NULL ? AXVM_CPU_NONE : entity->cpu;
}

static void *loop(void *cpu)
{
	fake_cpu = (uint32_t)(uintptr_t)cpu;
	axvm_sched_loop();
}

static pthread_t start(uint32_t cpu)
{
	pthread_t thread;

	pthread_create(&thread, NULL, loop, (void *)(uintptr_t)cpu);
	return thread;
}

/* The threads end when they are idle. */
static void end(pthread_t thread)
{
	atomic_store(&stop_all, 1);
	pthread_join(thread, NULL);
}

static void until(const _Atomic uint32_t *value, uint32_t least)
{
	while (atomic_load(value) < least)
		sched_yield();
}

#endif
