/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs: run, requests, power. A run is bind, {enter, exit, handle}, unbind, and
 * there is one way through it, so that unbind happens on every path. Nothing
 * here takes a lock, but for what an exit that ends the VM does to its lifecycle.
 */
#include "arch.h"
#include "lifecycle.h"

const char *axvm_exit_name(enum axvm_exit_reason reason)
{
	static const char *const names[] = {
#define EXIT_NAME(id, name) [AXVM_EXIT_##id] = (name),
		AXVM_EXITS(EXIT_NAME)
#undef EXIT_NAME
	};

	return (unsigned)reason < AXVM_EXIT_COUNT ? names[reason] : "unknown";
}

uint32_t axvm_vcpu_index(const struct axvm_vcpu *vcpu)
{
	return vcpu->index;
}

struct axvm_vm *axvm_vcpu_vm(const struct axvm_vcpu *vcpu)
{
	return vcpu->vm;
}

enum axvm_vcpu_state axvm_vcpu_state(const struct axvm_vcpu *vcpu)
{
	return (enum axvm_vcpu_state)atomic_load_explicit(&vcpu->state, memory_order_acquire);
}

static uint32_t load_power(const struct axvm_vcpu *vcpu)
{
	/* seq_cst: one of the reasons to run, see axvm_vcpu_has_work */
	return atomic_load_explicit(&vcpu->power, memory_order_seq_cst);
}

enum axvm_vcpu_power axvm_vcpu_power(const struct axvm_vcpu *vcpu)
{
	uint32_t power = load_power(vcpu);

	return power == AXVM_POWER_CLAIMED ? AXVM_POWER_ON_PENDING : (enum axvm_vcpu_power)power;
}

void axvm_vcpu_set_owner(struct axvm_vcpu *vcpu, void *owner)
{
	vcpu->owner = owner;
}

void *axvm_vcpu_owner(const struct axvm_vcpu *vcpu)
{
	return vcpu->owner;
}

int axvm_vcpu_get_register(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value)
{
	return axvm_arch_get_register(vcpu, index, value);
}

int axvm_vcpu_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value)
{
	return axvm_arch_set_register(vcpu, index, value);
}

void axvm_vcpu_set_result(struct axvm_vcpu *vcpu, uint64_t value)
{
	axvm_arch_set_result(vcpu, value);
}

/* ---- requests ------------------------------------------------------------------------- */

void axvm_vcpu_kick(struct axvm_vcpu *vcpu)
{
	uint32_t cpu = atomic_load_explicit(&vcpu->cpu, memory_order_seq_cst);

	/* On its own CPU it is in its exit path, which looks before it enters again. */
	if (cpu != AXVM_CPU_NONE && cpu != axvm_hal_cpu_id())
		axvm_hal_cpu_kick(cpu);
}

void axvm_vcpu_request(struct axvm_vcpu *vcpu, uint32_t requests)
{
	atomic_fetch_or_explicit(&vcpu->requests, requests, memory_order_seq_cst);
	uint32_t cpu = atomic_load_explicit(&vcpu->cpu, memory_order_seq_cst);

	if (cpu == AXVM_CPU_NONE)
		axvm_hal_vcpu_wake(vcpu);
	else if (cpu != axvm_hal_cpu_id())
		axvm_hal_cpu_kick(cpu);
}

/* What ends a wait for an interrupt. */
static bool has_event(const struct axvm_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->requests, memory_order_seq_cst) != 0 ||
	       axvm_arch_irq_pending(vcpu);
}

bool axvm_vcpu_has_work(const struct axvm_vcpu *vcpu)
{
	uint32_t power = load_power(vcpu);

	if (axvm_vm_state(vcpu->vm) != AXVM_VM_RUNNING)
		return false;
	if (power == AXVM_POWER_ON_PENDING)
		return true;
	return power == AXVM_POWER_ON &&
	       (axvm_vcpu_state(vcpu) != AXVM_VCPU_BLOCKED || has_event(vcpu));
}

enum axvm_verdict axvm_vcpu_take_requests(struct axvm_vcpu *vcpu)
{
	uint32_t requests = atomic_exchange_explicit(&vcpu->requests, 0, memory_order_seq_cst);

	if (requests & AXVM_REQUEST_IRQ) {
		axvm_hal_irq_sync(vcpu);
		axvm_arch_irq_fill(vcpu);
		axvm_hal_irq_flush(vcpu);
	}
	if (!(requests & (AXVM_REQUEST_LEAVE | AXVM_REQUEST_PREEMPT)))
		return AXVM_ENTER_FULL; /* whatever the handler before it said */
	vcpu->exit.reason = requests & AXVM_REQUEST_LEAVE ? AXVM_EXIT_REQUEST : AXVM_EXIT_PREEMPTED;
	return AXVM_LEAVE;
}

/* ---- run ------------------------------------------------------------------------------- */

/* Wins the vCPU for this CPU; *before is the state to go back to when it may not run. */
static bool claim(struct axvm_vcpu *vcpu, uint32_t *before)
{
	*before = atomic_load_explicit(&vcpu->state, memory_order_relaxed);
	/* acquire: pairs with the release in unclaim, of another CPU perhaps */
	return (*before == AXVM_VCPU_FREE || *before == AXVM_VCPU_BLOCKED) &&
	       atomic_compare_exchange_strong_explicit(&vcpu->state, before, AXVM_VCPU_READY,
						       memory_order_acquire, memory_order_relaxed);
}

static void unclaim(struct axvm_vcpu *vcpu, uint32_t state)
{
	atomic_store_explicit(&vcpu->state, state, memory_order_release);
}

/* Whether it is on; one that is being switched on gets its power-on state here, on its own CPU. */
static bool power_up(struct axvm_vcpu *vcpu)
{
	uint32_t power = load_power(vcpu);

	if (power == AXVM_POWER_ON_PENDING) {
		axvm_arch_vcpu_reset(vcpu, vcpu->power_on_entry, vcpu->power_on_arg);
		atomic_store_explicit(&vcpu->power, AXVM_POWER_ON, memory_order_seq_cst);
		return true;
	}
	return power == AXVM_POWER_ON;
}

/*
 * Guests may number address spaces on each of their CPUs apart, and invalidate on one alone: vCPUs that
 * take turns on a CPU, or one that comes from another, must not meet each other's translations.
 */
static void note_place(struct axvm_vcpu *vcpu, uint32_t cpu)
{
	uint8_t *last = &vcpu->vm->last_vcpu[cpu];
	uint8_t own = (uint8_t)(vcpu->index + 1);

	vcpu->tlb_is_stale = *last != own || vcpu->last_cpu != cpu;
	*last = own;
	vcpu->last_cpu = cpu;
}

static void bind(struct axvm_vcpu *vcpu)
{
	struct axvm_aspace *aspace = &vcpu->vm->aspace;
	uint32_t cpu = axvm_hal_cpu_id();

	note_place(vcpu, cpu);
	/* seq_cst: before the first look at the requests, see axvm_vcpu_has_work */
	atomic_store_explicit(&vcpu->cpu, cpu, memory_order_seq_cst);
	if (!(atomic_load_explicit(&aspace->cpus, memory_order_relaxed) >> cpu & 1))
		atomic_fetch_or_explicit(&aspace->cpus, (uint64_t)1 << cpu, memory_order_seq_cst);
	axvm_arch_vcpu_bound(vcpu);
	axvm_hal_vcpu_bind(vcpu);
	unclaim(vcpu, AXVM_VCPU_RUNNING);
}

static void unbind(struct axvm_vcpu *vcpu)
{
	axvm_hal_vcpu_unbind(vcpu);
	axvm_arch_vcpu_unbound(vcpu);
	/* seq_cst: before the caller's look at has_work */
	atomic_store_explicit(&vcpu->cpu, AXVM_CPU_NONE, memory_order_seq_cst);
}

/* A back end that returns without saying why has broken its contract: that VM cannot go on. */
static void check_exit(struct axvm_vcpu *vcpu)
{
	if (vcpu->exit.reason != AXVM_EXIT_NONE)
		return;
	vcpu->exit.reason = AXVM_EXIT_FAULT;
	vcpu->exit.fault.what = "the world switch returned without an exit";
}

static void run_bound(struct axvm_vcpu *vcpu)
{
	do {
		if (atomic_load_explicit(&vcpu->requests, memory_order_seq_cst) != 0 &&
		    axvm_vcpu_take_requests(vcpu) == AXVM_LEAVE)
			return;
		vcpu->exit = (struct axvm_exit){ .reason = AXVM_EXIT_NONE };
		axvm_hal_vcpu_enter(vcpu);
		vcpu->exit_count++;
		check_exit(vcpu);
	} while (vcpu->exit.reason == AXVM_EXIT_HALT && has_event(vcpu));
}

int axvm_vcpu_run(struct axvm_vcpu *vcpu, struct axvm_exit *exit)
{
	struct axvm_vm *vm = vcpu->vm;
	uint32_t before;

	if (!axvm_lifecycle_enter(vm))
		return AXVM_ESTATE;
	/* From here on the VM cannot be reset: what follows touches the vCPU. */
	if (!claim(vcpu, &before)) {
		axvm_lifecycle_leave(vm);
		return AXVM_ESTATE;
	}
	if (!power_up(vcpu)) {
		unclaim(vcpu, before);
		axvm_lifecycle_leave(vm);
		return AXVM_ESTATE;
	}
	bind(vcpu);
	run_bound(vcpu);
	unbind(vcpu);
	*exit = vcpu->exit;
	axvm_lifecycle_exit(vcpu);
	unclaim(vcpu, exit->reason == AXVM_EXIT_HALT ? AXVM_VCPU_BLOCKED : AXVM_VCPU_FREE);
	axvm_lifecycle_leave(vm); /* from here on the VM may be reset */
	return 0;
}

/* ---- power ------------------------------------------------------------------------------- */

int axvm_vcpu_power_on(struct axvm_vm *vm, uint32_t index, uint64_t entry, uint64_t arg)
{
	struct axvm_vcpu *vcpu = axvm_vm_vcpu(vm, index);
	uint32_t power = AXVM_POWER_OFF;

	if (vcpu == NULL)
		return AXVM_ENOENT;
	if (!atomic_compare_exchange_strong_explicit(&vcpu->power, &power, AXVM_POWER_CLAIMED,
						     memory_order_seq_cst, memory_order_seq_cst))
		return power == AXVM_POWER_ON ? AXVM_EEXIST : AXVM_EBUSY;
	vcpu->power_on_entry = entry;
	vcpu->power_on_arg = arg;
	/* releases the entry to power_up on the target's CPU */
	atomic_store_explicit(&vcpu->power, AXVM_POWER_ON_PENDING, memory_order_seq_cst);
	if (atomic_load_explicit(&vcpu->cpu, memory_order_seq_cst) == AXVM_CPU_NONE)
		axvm_hal_vcpu_wake(vcpu);
	return 0;
}

void axvm_vcpu_power_off(struct axvm_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->power, AXVM_POWER_OFF, memory_order_seq_cst);
}
