/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VM: owns its address space, vCPUs, devices, interrupt controller and page
 * budget. Counted, found by id, one lock.
 *
 *   state     boot     pause   resume   shutdown  left     reset  destroy  fail
 *   READY     RUNNING  -       -        STOPPED   -        READY  GONE     -
 *   RUNNING   -        PAUSED  -        STOPPING  -        (1)    -        FAILED
 *   PAUSED    -        -       RUNNING  STOPPING  -        READY  -        FAILED
 *   STOPPING  -        -       -        STOPPING  STOPPED  -      -        FAILED
 *   STOPPED   -        -       -        STOPPED   -        READY  GONE     -
 *   FAILED    -        -       -        -         -        READY  GONE     -
 *   GONE      -        -       -        -         -        -      -        -
 *
 * "-": AXVM_ESTATE, and nothing changes. "left": the last vCPU has left, which
 * happens by itself. "fail": a vCPU's FAULT or FAIL_ENTRY while RUNNING or
 * PAUSED, or images that can no longer be loaded at a reset. GONE is a
 * destroyed VM that somebody still holds a reference to.
 *
 * (1) STOPPING, then READY when the last vCPU has left. In truth every reset
 * goes through STOPPING: it clears RAM and copies images, which is too long for
 * a lock or for the exit path. So the reset of a VM without a vCPU inside
 * is complete when axvm_vm_reset returns; otherwise it waits, as a reset that the
 * guest asked for does, for axvm_vm_settle. A shutdown meanwhile wins: the VM
 * is then STOPPED.
 *
 * Pause, shutdown, reset and fail ask the vCPUs out of the guest; they are out
 * when axvm_vm_is_quiet says so. A shutdown of a VM without a vCPU inside
 * is STOPPED at once.
 */
#ifndef AXVM_VM_H
#define AXVM_VM_H

#include <axvm/aspace.h>
#include <axvm/config.h>
#include <axvm/device.h>
#include <axvm/error.h>
#include <axvm/types.h>
#include <axvm/vcpu.h>

#define AXVM_VM_STATES(X)       \
	X(READY, "ready")       \
	X(RUNNING, "running")   \
	X(PAUSED, "paused")     \
	X(STOPPING, "stopping") \
	X(STOPPED, "stopped")   \
	X(FAILED, "failed")     \
	X(GONE, "gone")

enum axvm_vm_state {
#define AXVM_VM_STATE_ID(id, name) AXVM_VM_##id,
	AXVM_VM_STATES(AXVM_VM_STATE_ID)
#undef AXVM_VM_STATE_ID
		AXVM_VM_STATE_COUNT
};

#define AXVM_VM_EVENTS(X)              \
	X(BOOT, "boot")                \
	X(PAUSE, "pause")              \
	X(RESUME, "resume")            \
	X(SHUTDOWN, "shutdown")        \
	X(LAST_LEFT, "last vCPU left") \
	X(RESET, "reset")              \
	X(DESTROY, "destroy")          \
	X(FAIL, "fail")

enum axvm_vm_event {
#define AXVM_VM_EVENT_ID(id, name) AXVM_EVENT_##id,
	AXVM_VM_EVENTS(AXVM_VM_EVENT_ID)
#undef AXVM_VM_EVENT_ID
		AXVM_EVENT_COUNT
};

/* Why a VM is no longer running; kept until it boots again. */
#define AXVM_STOP_REASONS(X)                \
	X(NONE, "not stopped")              \
	X(GUEST_SHUTDOWN, "guest shutdown") \
	X(GUEST_RESET, "guest reset")       \
	X(FORCED, "forced")                 \
	X(FAULT, "fault")

enum axvm_stop_reason {
#define AXVM_STOP_ID(id, name) AXVM_STOP_##id,
	AXVM_STOP_REASONS(AXVM_STOP_ID)
#undef AXVM_STOP_ID
};

struct axvm_stop {
	enum axvm_stop_reason reason;
	struct axvm_exit exit; /* the exit that ended it; reason NONE when forced from outside */
	uint32_t vcpu;
};

/* An image in host memory. The VM does not own it; it must stay until the VM is destroyed. */
struct axvm_blob {
	const void *data;
	uint64_t bytes;
};

struct axvm_vm_params {
	const struct axvm_config *config; /* copied where kept; strings must stay */
	struct axvm_blob kernel;
	struct axvm_blob initrd; /* bytes 0: none */
	struct axvm_blob dtb;	 /* the user's own; bytes 0: made from the configuration */
	struct axvm_blob bios;
	uint64_t overhead_pages; /* budget beside the configured memory; 0: a default */
};

/*
 * Looks at the machine and prepares the library; before anything else, once, by
 * the host kernel. AXVM_EUNSUPPORTED with *why set (static; `why` may be NULL):
 * the CPU lacks something. AXVM_EBUSY: VMs exist (calling it again is for tests).
 */
AXVM_MUST_USE int axvm_init(const char **why);

/*
 * Makes a VM in state READY: address space, memory, vCPUs, controller, devices,
 * images, device tree. An error leaves nothing behind and *vm untouched; `why`
 * (may be NULL) then gets a sentence of at most AXVM_WHY_BYTES for the user.
 * AXVM_ESTATE: no axvm_init. AXVM_EEXIST: id in use, or ranges that overlap.
 * AXVM_EBUSY: identical memory that is not free RAM. AXVM_EPERM: a host range
 * that a guest may not have. AXVM_ENOMEM, AXVM_ERANGE, AXVM_EFORMAT,
 * AXVM_EUNSUPPORTED, AXVM_EINVAL. The caller gets the first reference. May take
 * long: it clears memory and copies images.
 */
#define AXVM_WHY_BYTES 192u
AXVM_MUST_USE int axvm_vm_create(const struct axvm_vm_params *params, struct axvm_vm **vm,
				 char why[AXVM_WHY_BYTES]);

/*
 * Reference counting. find gives a reference or NULL; the last put of a destroyed
 * VM frees it. Whoever runs a vCPU holds a reference all the while.
 */
struct axvm_vm *axvm_vm_find(uint32_t id);
struct axvm_vm *axvm_vm_get(struct axvm_vm *vm);
void axvm_vm_put(struct axvm_vm *vm);

/* Lifecycle: each is one event of the table above; AXVM_ESTATE when the table says "-". */
AXVM_MUST_USE int axvm_vm_boot(struct axvm_vm *vm);
AXVM_MUST_USE int axvm_vm_pause(struct axvm_vm *vm);
AXVM_MUST_USE int axvm_vm_resume(struct axvm_vm *vm);
AXVM_MUST_USE int axvm_vm_shutdown(struct axvm_vm *vm, enum axvm_stop_reason reason);
AXVM_MUST_USE int axvm_vm_reset(struct axvm_vm *vm);
/*
 * Takes the VM out of the list and drops the caller's reference. Only ESTATE can
 * refuse it: the table, or a vCPU of a FAILED VM that is not out yet.
 */
AXVM_MUST_USE int axvm_vm_destroy(struct axvm_vm *vm);

/*
 * Completes a reset that had to wait for the last vCPU: clears RAM, resets
 * devices and vCPUs, loads the images again. A host calls it where it may
 * take long, no lock held, after axvm_vcpu_run has returned RESET, or REQUEST of
 * a VM that is STOPPING; the VM is READY then, and axvm_vm_boot runs it anew.
 * 0: done, or nothing was to do. AXVM_EBUSY: a vCPU is still inside, or another
 * thread is at it: call again later. Other errors: the images could not be
 * loaded, and the VM is FAILED; no memory is lost.
 */
AXVM_MUST_USE int axvm_vm_settle(struct axvm_vm *vm);

enum axvm_vm_state axvm_vm_state(const struct axvm_vm *vm);
const char *axvm_vm_state_name(enum axvm_vm_state state);
/* The state after an event (for (1): STOPPING), or -1 when the event is refused. The table itself. */
int axvm_vm_next_state(enum axvm_vm_state state, enum axvm_vm_event event);
struct axvm_stop axvm_vm_stop(struct axvm_vm *vm);
const char *axvm_stop_name(enum axvm_stop_reason reason);
/* No vCPU is bound to any CPU. */
bool axvm_vm_is_quiet(const struct axvm_vm *vm);

uint32_t axvm_vm_id(const struct axvm_vm *vm);
const char *axvm_vm_name(const struct axvm_vm *vm);
uint32_t axvm_vm_vcpu_count(const struct axvm_vm *vm);
struct axvm_vcpu *axvm_vm_vcpu(struct axvm_vm *vm, uint32_t index); /* NULL beyond */
const struct axvm_config *axvm_vm_config(const struct axvm_vm *vm);
struct axvm_aspace *axvm_vm_aspace(struct axvm_vm *vm);
uint64_t axvm_vm_used_pages(const struct axvm_vm *vm);

/* Guest memory, all or nothing; AXVM_EFAULT as axvm_aspace_read. */
AXVM_MUST_USE int axvm_vm_read(struct axvm_vm *vm, struct axvm_gpa gpa, void *buffer,
			       uint64_t bytes);
AXVM_MUST_USE int axvm_vm_write(struct axvm_vm *vm, struct axvm_gpa gpa, const void *buffer,
				uint64_t bytes);

/*
 * Maps a host range that the VM does not come to own, at any time before it is
 * destroyed; unmap takes back exactly one such range. Page aligned.
 * AXVM_EPERM: axvm_hal_may_pass_through says no. AXVM_EEXIST: overlaps memory or
 * a device. AXVM_ENOENT: no such range. AXVM_ESTATE: the VM is GONE.
 * AXVM_EINVAL, AXVM_ERANGE, AXVM_ENOMEM as axvm_aspace_map.
 */
AXVM_MUST_USE int axvm_vm_map_region(struct axvm_vm *vm, struct axvm_gpa gpa, struct axvm_hpa hpa,
				     uint64_t bytes, uint32_t flags);
AXVM_MUST_USE int axvm_vm_unmap_region(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t bytes);

/*
 * Zeroed memory that lives as long as the VM, from its budget; 16-byte aligned,
 * page aligned from a page on. NULL: no memory or no budget. During creation only.
 */
void *axvm_vm_alloc(struct axvm_vm *vm, uint64_t bytes);

/* Bytes for the guest's console from the outside; returns how many were taken. Any CPU. */
uint64_t axvm_vm_console_input(struct axvm_vm *vm, const char *data, uint64_t bytes);

#endif
