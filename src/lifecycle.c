/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lifecycle of a VM: one table, and what each event does beside changing
 * the state. The state is changed under the VM's lock only. vCPUs come and go
 * without that lock, by a counter: whoever changes the state first stores it
 * and then reads the counter, a vCPU first counts itself and then reads the
 * state, so that at least one of the two sees the other. What both may see, the
 * last vCPU's leaving, is decided under the lock.
 */
#include "lifecycle.h"

#include "arch.h"
#include "vm_parts.h"

#define REFUSED (-1)

/* Columns as in <axvm/vm.h>: boot, pause, resume, shutdown, left, reset, destroy, fail. */
static const int8_t next_states[AXVM_VM_STATE_COUNT][AXVM_EVENT_COUNT] = {
	[AXVM_VM_READY] = { AXVM_VM_RUNNING, REFUSED, REFUSED, AXVM_VM_STOPPED, REFUSED,
			    AXVM_VM_READY, AXVM_VM_GONE, REFUSED },
	[AXVM_VM_RUNNING] = { REFUSED, AXVM_VM_PAUSED, REFUSED, AXVM_VM_STOPPING, REFUSED,
			      AXVM_VM_STOPPING, REFUSED, AXVM_VM_FAILED },
	[AXVM_VM_PAUSED] = { REFUSED, REFUSED, AXVM_VM_RUNNING, AXVM_VM_STOPPING, REFUSED,
			     AXVM_VM_READY, REFUSED, AXVM_VM_FAILED },
	[AXVM_VM_STOPPING] = { REFUSED, REFUSED, REFUSED, AXVM_VM_STOPPING, AXVM_VM_STOPPED,
			       REFUSED, REFUSED, AXVM_VM_FAILED },
	[AXVM_VM_STOPPED] = { REFUSED, REFUSED, REFUSED, AXVM_VM_STOPPED, REFUSED, AXVM_VM_READY,
			      AXVM_VM_GONE, REFUSED },
	[AXVM_VM_FAILED] = { REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, AXVM_VM_READY,
			     AXVM_VM_GONE, REFUSED },
	[AXVM_VM_GONE] = { REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED },
};

_Static_assert(AXVM_EVENT_BOOT == 0 && AXVM_EVENT_PAUSE == 1 && AXVM_EVENT_RESUME == 2 &&
		       AXVM_EVENT_SHUTDOWN == 3 && AXVM_EVENT_LAST_LEFT == 4 &&
		       AXVM_EVENT_RESET == 5 && AXVM_EVENT_DESTROY == 6 && AXVM_EVENT_FAIL == 7,
	       "the table's columns are in this order");

int axvm_vm_next_state(enum axvm_vm_state state, enum axvm_vm_event event)
{
	if ((unsigned)state >= AXVM_VM_STATE_COUNT || (unsigned)event >= AXVM_EVENT_COUNT)
		return REFUSED;
	return next_states[state][event];
}

const char *axvm_vm_state_name(enum axvm_vm_state state)
{
	static const char *const names[] = {
#define STATE_NAME(id, name) [AXVM_VM_##id] = (name),
		AXVM_VM_STATES(STATE_NAME)
#undef STATE_NAME
	};

	return (unsigned)state < AXVM_VM_STATE_COUNT ? names[state] : "unknown";
}

const char *axvm_stop_name(enum axvm_stop_reason reason)
{
	static const char *const names[] = {
#define STOP_NAME(id, name) [AXVM_STOP_##id] = (name),
		AXVM_STOP_REASONS(STOP_NAME)
#undef STOP_NAME
	};

	return (unsigned)reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

enum axvm_vm_state axvm_vm_state(const struct axvm_vm *vm)
{
	/* seq_cst: has_work and axvm_lifecycle_enter order it against other stores */
	return (enum axvm_vm_state)atomic_load_explicit(&vm->state, memory_order_seq_cst);
}

static void set_state(struct axvm_vm *vm, enum axvm_vm_state state)
{
	atomic_store_explicit(&vm->state, (uint32_t)state, memory_order_seq_cst);
}

bool axvm_vm_is_quiet(const struct axvm_vm *vm)
{
	/* seq_cst: after a store of the state, see above; acquires what the vCPUs left behind */
	return atomic_load_explicit(&vm->bound_vcpus, memory_order_seq_cst) == 0;
}

static void ask_out(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		axvm_vcpu_request(vm->vcpus[i], AXVM_REQUEST_LEAVE);
}

/* To RUNNING: what an earlier pause or stop asked for is void. */
static void let_run(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		atomic_fetch_and_explicit(&vm->vcpus[i]->requests, ~(uint32_t)AXVM_REQUEST_LEAVE,
					  memory_order_seq_cst);
	set_state(vm, AXVM_VM_RUNNING);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (axvm_vcpu_power(vm->vcpus[i]) != AXVM_POWER_OFF)
			axvm_hal_vcpu_wake(vm->vcpus[i]);
	}
}

static void settle_stop(struct axvm_vm *vm)
{
	if (axvm_vm_state(vm) == AXVM_VM_STOPPING && !vm->reset_when_left && !vm->reloading &&
	    axvm_vm_is_quiet(vm))
		set_state(vm, AXVM_VM_STOPPED);
}

static bool is_live(const struct axvm_vm *vm)
{
	return axvm_vm_state(vm) == AXVM_VM_RUNNING || axvm_vm_state(vm) == AXVM_VM_PAUSED;
}

static void do_boot(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	(void)stop;
	vm->stop = (struct axvm_stop){ .reason = AXVM_STOP_NONE };
	let_run(vm);
}

static void do_pause(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	(void)stop;
	set_state(vm, AXVM_VM_PAUSED);
	ask_out(vm);
}

static void do_resume(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	(void)stop;
	let_run(vm);
}

/* The first reason stays, but for a reset that a shutdown turns into an end. */
static void do_shutdown(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	enum axvm_vm_state state = axvm_vm_state(vm);

	if (is_live(vm) || state == AXVM_VM_READY || vm->reset_when_left)
		vm->stop = *stop;
	vm->reset_when_left = false;
	if (state == AXVM_VM_READY || state == AXVM_VM_STOPPED) {
		set_state(vm, AXVM_VM_STOPPED);
		return;
	}
	set_state(vm, AXVM_VM_STOPPING);
	ask_out(vm);
	settle_stop(vm);
}

static void do_last_left(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	(void)stop;
	settle_stop(vm);
}

static void do_reset(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	if (is_live(vm))
		vm->stop = *stop;
	vm->reset_when_left = true;
	set_state(vm, AXVM_VM_STOPPING);
	ask_out(vm);
}

static void do_destroy(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	(void)stop;
	set_state(vm, AXVM_VM_GONE);
}

static void do_fail(struct axvm_vm *vm, const struct axvm_stop *stop)
{
	vm->stop = *stop;
	vm->reset_when_left = false;
	set_state(vm, AXVM_VM_FAILED);
	ask_out(vm);
}

static int apply_locked(struct axvm_vm *vm, enum axvm_vm_event event, const struct axvm_stop *stop)
	AXVM_REQUIRES(vm->lock)
{
	static void (*const acts[AXVM_EVENT_COUNT])(struct axvm_vm *, const struct axvm_stop *) = {
		[AXVM_EVENT_BOOT] = do_boot,	       [AXVM_EVENT_PAUSE] = do_pause,
		[AXVM_EVENT_RESUME] = do_resume,       [AXVM_EVENT_SHUTDOWN] = do_shutdown,
		[AXVM_EVENT_LAST_LEFT] = do_last_left, [AXVM_EVENT_RESET] = do_reset,
		[AXVM_EVENT_DESTROY] = do_destroy,     [AXVM_EVENT_FAIL] = do_fail,
	};

	if (axvm_vm_next_state(axvm_vm_state(vm), event) == REFUSED)
		return AXVM_ESTATE;
	if (event == AXVM_EVENT_DESTROY && !axvm_vm_is_quiet(vm))
		return AXVM_ESTATE;
	acts[event](vm, stop);
	return 0;
}

int axvm_lifecycle_apply(struct axvm_vm *vm, enum axvm_vm_event event, const struct axvm_stop *stop)
{
	axvm_lock_take(&vm->lock);
	int error = apply_locked(vm, event, stop);

	axvm_lock_drop(&vm->lock);
	return error;
}

bool axvm_lifecycle_enter(struct axvm_vm *vm)
{
	/* So that hosts that try in vain do not make a quiet VM look busy. */
	if (axvm_vm_state(vm) != AXVM_VM_RUNNING)
		return false;
	atomic_fetch_add_explicit(&vm->bound_vcpus, 1, memory_order_seq_cst);
	if (axvm_vm_state(vm) == AXVM_VM_RUNNING)
		return true;
	axvm_lifecycle_leave(vm);
	return false;
}

void axvm_lifecycle_leave(struct axvm_vm *vm)
{
	/* seq_cst: before the load of the state; releases what this vCPU did */
	uint32_t before = atomic_fetch_sub_explicit(&vm->bound_vcpus, 1, memory_order_seq_cst);

	if (before == 1 && axvm_vm_state(vm) == AXVM_VM_STOPPING) {
		/* refused: somebody else has settled it meanwhile */
		int error = axvm_lifecycle_apply(vm, AXVM_EVENT_LAST_LEFT, NULL);

		(void)error;
	}
}

/* Which event an exit is, and which reason it leaves. */
static enum axvm_vm_event event_of(const struct axvm_exit *exit, enum axvm_stop_reason *reason)
{
	switch (exit->reason) {
	case AXVM_EXIT_SHUTDOWN:
		*reason = AXVM_STOP_GUEST_SHUTDOWN;
		return AXVM_EVENT_SHUTDOWN;
	case AXVM_EXIT_RESET:
		*reason = AXVM_STOP_GUEST_RESET;
		return AXVM_EVENT_RESET;
	case AXVM_EXIT_FAULT:
	case AXVM_EXIT_FAIL_ENTRY:
		*reason = AXVM_STOP_FAULT;
		return AXVM_EVENT_FAIL;
	default:
		return AXVM_EVENT_COUNT;
	}
}

void axvm_lifecycle_exit(struct axvm_vcpu *vcpu)
{
	struct axvm_vm *vm = vcpu->vm;
	struct axvm_stop stop = { .exit = vcpu->exit, .vcpu = vcpu->index };
	enum axvm_vm_event event = event_of(&vcpu->exit, &stop.reason);

	if (event == AXVM_EVENT_COUNT)
		return;
	axvm_lock_take(&vm->lock);
	/* Otherwise another vCPU or the host was first: their reason stands. */
	if (is_live(vm)) {
		int error = apply_locked(vm, event, &stop);

		(void)error; /* the table takes all three from both states */
	}
	axvm_lock_drop(&vm->lock);
}

int axvm_vm_boot(struct axvm_vm *vm)
{
	return axvm_lifecycle_apply(vm, AXVM_EVENT_BOOT, NULL);
}

int axvm_vm_pause(struct axvm_vm *vm)
{
	return axvm_lifecycle_apply(vm, AXVM_EVENT_PAUSE, NULL);
}

int axvm_vm_resume(struct axvm_vm *vm)
{
	return axvm_lifecycle_apply(vm, AXVM_EVENT_RESUME, NULL);
}

int axvm_vm_shutdown(struct axvm_vm *vm, enum axvm_stop_reason reason)
{
	const struct axvm_stop stop = { .reason = reason };

	if (reason == AXVM_STOP_NONE || (unsigned)reason > AXVM_STOP_FAULT)
		return AXVM_EINVAL;
	return axvm_lifecycle_apply(vm, AXVM_EVENT_SHUTDOWN, &stop);
}

int axvm_vm_reset(struct axvm_vm *vm)
{
	const struct axvm_stop stop = { .reason = AXVM_STOP_FORCED };
	int error = axvm_lifecycle_apply(vm, AXVM_EVENT_RESET, &stop);

	if (error)
		return error;
	error = axvm_vm_settle(vm);
	return error == AXVM_EBUSY ? 0 : error; /* not yet: when the last vCPU has left */
}

/* Whether it is this thread that reloads the VM now; *error is the answer when it is not. */
static bool begin_reload(struct axvm_vm *vm, int *error)
{
	axvm_lock_take(&vm->lock);
	bool wanted = axvm_vm_state(vm) == AXVM_VM_STOPPING && vm->reset_when_left;
	bool mine = wanted && !vm->reloading && axvm_vm_is_quiet(vm);

	if (mine)
		vm->reloading = true;
	*error = (wanted && !mine) || vm->reloading ? AXVM_EBUSY : 0;
	axvm_lock_drop(&vm->lock);
	return mine;
}

static void end_reload(struct axvm_vm *vm, int error)
{
	struct axvm_stop stop = { .reason = AXVM_STOP_FAULT };

	stop.exit.reason = AXVM_EXIT_FAULT;
	stop.exit.fault.what = axvm_strerror(error);
	axvm_lock_take(&vm->lock);
	vm->reloading = false;
	if (error)
		do_fail(vm, &stop);
	else if (vm->reset_when_left)
		set_state(vm, AXVM_VM_READY);
	vm->reset_when_left = false;
	settle_stop(vm); /* a shutdown came while it was being loaded */
	axvm_lock_drop(&vm->lock);
}

int axvm_vm_settle(struct axvm_vm *vm)
{
	int error;

	if (!begin_reload(vm, &error))
		return error;
	error = axvm_vm_reload(vm, true);
	end_reload(vm, error);
	return error;
}

struct axvm_stop axvm_vm_stop(struct axvm_vm *vm)
{
	axvm_lock_take(&vm->lock);
	struct axvm_stop stop = vm->stop;

	axvm_lock_drop(&vm->lock);
	return stop;
}
