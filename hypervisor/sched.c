/* SPDX-License-Identifier: Apache-2.0 */
#include "sched.h"

#include "bare.h"
#include "text.h"
#include "vms.h"

#define ENTITIES_MAX 256u
#define SLICE_MS 10u

/*
 * ASLEEP: not before a wake. AWAKE: may run. RUNS: runs, and nobody has woken it since it began; only
 * from here does it fall asleep, so that a wake during the run is not lost.
 */
enum wakefulness { ASLEEP, AWAKE, RUNS };

/* A vCPU as the scheduler sees it. Entities are never freed, so that a late wake is harmless. */
struct entity {
	struct axvm_vcpu *vcpu; /* NULL: the entity is free */
	uint32_t cpu;
	_Atomic uint32_t wakefulness;
	_Atomic bool busy; /* from its pick until its exit is handled: its VM stays */
};

/* One CPU's queue: the entities placed on it, taken in turn from `last`. */
struct queue {
	struct axvm_lock lock; /* of members and count */
	struct entity *members[ENTITIES_MAX];
	uint32_t count;
	uint32_t last;
	struct entity *_Atomic current; /* never one that is ASLEEP */
	_Atomic uint32_t visitors;	/* of other CPUs, that look at `current`: its VM stays */
	struct axvm_timer slice;
};

static struct entity entities[ENTITIES_MAX];
static struct queue queues[AXVM_CPUS_MAX];
static struct axvm_lock placement_lock = { .rank = AXVM_LOCK_LIST };

/* ---- placement ---------------------------------------------------------------------------- */

static uint32_t least_loaded(uint64_t allowed)
{
	uint32_t best = AXVM_CPU_NONE;

	for (uint32_t cpu = 0; cpu < axvm_cpu_count_present; cpu++) {
		if ((allowed >> cpu & 1) != 0 && axvm_cpus[cpu].online &&
		    (best == AXVM_CPU_NONE || queues[cpu].count < queues[best].count))
			best = cpu;
	}
	return best;
}

/*
 * With company on a CPU every vCPU there gives it up when it waits; alone it need not. The one that
 * runs now is asked out, so that it comes back with the new setting.
 */
static void share(struct queue *queue)
{
	struct entity *current = atomic_load(&queue->current);

	for (uint32_t i = 0; i < queue->count; i++)
		axvm_bare_vcpu_set_shared(queue->members[i]->vcpu, queue->count > 1);
	if (current != NULL)
		axvm_vcpu_request(current->vcpu, AXVM_REQUEST_PREEMPT);
}

static struct entity *free_entity(void)
{
	for (uint32_t i = 0; i < ENTITIES_MAX; i++) {
		if (entities[i].vcpu == NULL)
			return &entities[i];
	}
	return NULL;
}

static int place(struct axvm_vcpu *vcpu, uint64_t allowed, char why[AXVM_WHY_BYTES])
{
	struct axvm_text text = axvm_text(why, AXVM_WHY_BYTES);
	uint32_t cpu = least_loaded(allowed);
	struct entity *entity = free_entity();

	if (cpu == AXVM_CPU_NONE) {
		axvm_text_string(&text, "vCPU ");
		axvm_text_decimal(&text, axvm_vcpu_index(vcpu));
		axvm_text_string(&text, " may run on CPUs ");
		axvm_text_hex(&text, allowed);
		axvm_text_string(&text, " only, and this machine has ");
		axvm_text_decimal(&text, axvm_cpu_count_present);
		axvm_text_string(&text, ": change phys_cpu_sets, or start it with more CPUs");
		return AXVM_ERANGE;
	}
	if (entity == NULL) {
		axvm_text_string(&text, "more vCPUs than the scheduler has room for");
		return AXVM_ENOMEM;
	}
	struct queue *queue = &queues[cpu];
	entity->vcpu = vcpu;
	entity->cpu = cpu;
	atomic_store(&entity->wakefulness, ASLEEP);
	axvm_vcpu_set_owner(vcpu, entity);
	axvm_lock_take(&queue->lock);
	queue->members[queue->count++] = entity;
	share(queue);
	axvm_lock_drop(&queue->lock);
	return 0;
}

static void unplace(struct entity *entity)
{
	struct queue *queue = &queues[entity->cpu];
	uint32_t at = 0;

	axvm_lock_take(&queue->lock);
	while (queue->members[at] != entity)
		at++;
	queue->members[at] = queue->members[--queue->count];
	share(queue);
	axvm_lock_drop(&queue->lock);
	/* It cannot be picked any more. seq_cst: against the visitors' order, see make_runnable. */
	while (atomic_load_explicit(&entity->busy, memory_order_seq_cst))
		;
	while (atomic_load_explicit(&queue->visitors, memory_order_seq_cst) != 0)
		;
	axvm_vcpu_set_owner(entity->vcpu, NULL);
	entity->vcpu = NULL;
}

static void slice_expired(struct axvm_timer *timer)
{
	struct queue *queue =
		(struct queue *)(void *)((char *)timer - offsetof(struct queue, slice));
	struct entity *current = atomic_load(&queue->current);

	if (current != NULL)
		axvm_vcpu_request(current->vcpu, AXVM_REQUEST_PREEMPT);
}

/* Before the first placement, not by each CPU as it comes: others use its queue already. */
static void prepare_queues(void)
{
	static bool done;

	if (done)
		return;
	for (uint32_t cpu = 0; cpu < AXVM_CPUS_MAX; cpu++) {
		axvm_lock_init(&queues[cpu].lock, AXVM_LOCK_LEAF);
		queues[cpu].slice.expired = slice_expired;
	}
	done = true;
}

int axvm_sched_add(struct axvm_vm *vm, char why[AXVM_WHY_BYTES])
{
	const struct axvm_config *config = axvm_vm_config(vm);
	int error = 0;

	axvm_lock_take(&placement_lock);
	prepare_queues();
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm) && error == 0; i++) {
		uint64_t allowed =
			config->phys_cpu_sets == NULL ? UINT64_MAX : config->phys_cpu_sets[i];
		error = place(axvm_vm_vcpu(vm, i), allowed, why);
	}
	axvm_lock_drop(&placement_lock);
	if (error != 0)
		axvm_sched_remove(vm);
	return error;
}

void axvm_sched_remove(struct axvm_vm *vm)
{
	axvm_lock_take(&placement_lock);
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++) {
		struct entity *entity = axvm_vcpu_owner(axvm_vm_vcpu(vm, i));
		if (entity != NULL)
			unplace(entity);
	}
	axvm_lock_drop(&placement_lock);
}

/* ---- wake-ups ------------------------------------------------------------------------------ */

static void make_runnable(struct entity *entity)
{
	struct queue *queue = &queues[entity->cpu];

	if (atomic_exchange_explicit(&entity->wakefulness, AWAKE, memory_order_seq_cst) != ASLEEP)
		return;
	atomic_fetch_add_explicit(&queue->visitors, 1, memory_order_seq_cst);
	struct entity *current = atomic_load_explicit(&queue->current, memory_order_seq_cst);
	if (current != NULL && current != entity)
		axvm_vcpu_request(current->vcpu, AXVM_REQUEST_PREEMPT);
	else if (axvm_hal_cpu_id() != entity->cpu)
		axvm_hal_cpu_kick(entity->cpu);
	atomic_fetch_sub_explicit(&queue->visitors, 1, memory_order_seq_cst);
}

void axvm_hal_vcpu_wake(struct axvm_vcpu *vcpu)
{
	struct entity *entity = axvm_vcpu_owner(vcpu);

	if (entity != NULL && axvm_vcpu_power(vcpu) != AXVM_POWER_OFF)
		make_runnable(entity);
}

void axvm_sched_start(struct axvm_vm *vm)
{
	axvm_hal_vcpu_wake(axvm_vm_vcpu(vm, 0));
}

uint32_t axvm_hal_cpu_id(void)
{
	return axvm_bare_this_cpu()->index;
}

/* ---- a CPU's loop --------------------------------------------------------------------------- */

static bool is_runnable(const struct entity *entity)
{
	return atomic_load_explicit(&entity->wakefulness, memory_order_seq_cst) != ASLEEP;
}

static struct entity *next_in_turn(struct queue *queue)
{
	for (uint32_t step = 1; step <= queue->count; step++) {
		uint32_t at = (queue->last + step) % queue->count;
		if (is_runnable(queue->members[at])) {
			queue->last = at;
			return queue->members[at];
		}
	}
	return NULL;
}

static bool has_other(const struct queue *queue, const struct entity *entity)
{
	for (uint32_t at = 0; at < queue->count; at++) {
		if (queue->members[at] != entity && is_runnable(queue->members[at]))
			return true;
	}
	return false;
}

/*
 * The next runnable in turn, from now on the current one; *others: whether there is more than one.
 * It is current before the others are looked at: whoever is woken later asks it out.
 */
static struct entity *pick(struct queue *queue, bool *others)
{
	axvm_lock_take(&queue->lock);
	struct entity *entity = next_in_turn(queue);
	if (entity != NULL) {
		atomic_store_explicit(&entity->busy, true, memory_order_seq_cst);
		/* A wake that this overwrites came before the run, which sees what it was for. */
		atomic_store_explicit(&entity->wakefulness, RUNS, memory_order_seq_cst);
		atomic_store_explicit(&queue->current, entity, memory_order_seq_cst);
		*others = has_other(queue, entity);
	}
	axvm_lock_drop(&queue->lock);
	return entity;
}

static void fall_asleep(struct entity *entity)
{
	uint32_t runs = RUNS;

	atomic_compare_exchange_strong_explicit(&entity->wakefulness, &runs, ASLEEP,
						memory_order_seq_cst, memory_order_seq_cst);
}

/* Asleep until a wake; what came while the vCPU was bound, or just now, has not woken it. */
static void wait(struct entity *entity)
{
	fall_asleep(entity);
	if (axvm_vcpu_has_work(entity->vcpu))
		make_runnable(entity);
}

static void handle(struct entity *entity, const struct axvm_exit *exit)
{
	switch (exit->reason) {
	case AXVM_EXIT_HALT:
	case AXVM_EXIT_CPU_DOWN:
		wait(entity);
		break;
	case AXVM_EXIT_HYPERCALL:
		axvm_vcpu_set_result(entity->vcpu, UINT64_MAX);
		break;
	default: /* of CPU_UP's target too: who switched it on has woken it */
		break;
	}
}

static void run(struct queue *queue, struct entity *entity, bool others)
{
	struct axvm_exit exit;

	if (others)
		axvm_hal_timer_start(&queue->slice,
				     axvm_hal_time_ticks() + axvm_hal_time_hz() * SLICE_MS / 1000);
	int error = axvm_vcpu_run(entity->vcpu, &exit);
	if (others)
		axvm_hal_timer_stop(&queue->slice);
	atomic_store_explicit(&queue->current, NULL, memory_order_seq_cst);
	if (error != 0)
		wait(entity);
	else
		handle(entity, &exit);
	/* Whatever it came out with, or was refused for, it may have been the last to leave. */
	struct axvm_vm *vm = axvm_vcpu_vm(entity->vcpu);
	if (axvm_vm_state(vm) != AXVM_VM_RUNNING)
		axvm_vms_look(vm);
	atomic_store_explicit(&entity->busy, false, memory_order_seq_cst);
}

_Noreturn void axvm_sched_loop(void)
{
	struct queue *queue = &queues[axvm_hal_cpu_id()];
	bool others = false;

	for (;;) {
		axvm_vms_settle();
		struct entity *entity = pick(queue, &others);
		if (entity != NULL)
			run(queue, entity, others);
		else
			axvm_bare_idle();
	}
}
