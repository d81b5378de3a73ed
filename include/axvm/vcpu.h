/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPU: created -> free -> ready (bound to a physical CPU) -> running; blocked
 * while it waits for an interrupt. Bind loads the guest's system registers,
 * unbind stores them; between the two an exit saves only the general
 * registers. Nobody but the CPU that runs a vCPU touches its state: others set
 * a request bit and kick.
 */
#ifndef AXVM_VCPU_H
#define AXVM_VCPU_H

#include <axvm/error.h>
#include <axvm/types.h>

enum axvm_vcpu_state {
	AXVM_VCPU_CREATED, /* never set up */
	AXVM_VCPU_FREE,	   /* not on a physical CPU */
	AXVM_VCPU_READY,   /* bound, not in the guest */
	AXVM_VCPU_RUNNING, /* in the guest or in its exit path */
	AXVM_VCPU_BLOCKED, /* waits for an interrupt; not on a physical CPU */
};

enum axvm_vcpu_power { AXVM_POWER_OFF, AXVM_POWER_ON_PENDING, AXVM_POWER_ON };

/* X(identifier, name): what axvm_vcpu_run returns to its caller. */
#define AXVM_EXITS(X)                               \
	X(NONE, "none")                             \
	X(HYPERCALL, "hypercall")                   \
	X(HALT, "halt")                             \
	X(CPU_UP, "cpu-up")                         \
	X(CPU_DOWN, "cpu-down")                     \
	X(EXTERNAL_INTERRUPT, "external-interrupt") \
	X(PREEMPTED, "preempted")                   \
	X(REQUEST, "request")                       \
	X(SHUTDOWN, "shutdown")                     \
	X(RESET, "reset")                           \
	X(FAIL_ENTRY, "fail-entry")                 \
	X(FAULT, "fault")

enum axvm_exit_reason {
#define AXVM_EXIT_ID(id, name) AXVM_EXIT_##id,
	AXVM_EXITS(AXVM_EXIT_ID)
#undef AXVM_EXIT_ID
		AXVM_EXIT_COUNT
};

struct axvm_exit {
	enum axvm_exit_reason reason;
	union {
		/* Not one of ours; the caller answers with axvm_vcpu_set_result. */
		struct {
			uint64_t number;
			uint64_t args[6];
		} hypercall;
		/* vCPU `target` was switched on, its entry set; the caller lets it run. */
		struct {
			uint32_t target;
		} cpu_up;
		/* Guest asked for it: 0 shutdown or cold reset, else the architecture's reset type. */
		struct {
			uint32_t type;
		} reset;
		/* The VM cannot go on: what and where. */
		struct {
			const char *what;
			uint64_t pc;
			uint64_t address;
			uint64_t syndrome;
		} fault;
		/* The hardware refused to enter. */
		struct {
			uint64_t hardware_reason;
		} fail_entry;
	};
};

const char *axvm_exit_name(enum axvm_exit_reason reason);

/*
 * Runs the vCPU on this CPU until something is not handled inside: bind,
 * {enter, exit, handle}, unbind on every path. Called with preemption off by the
 * one thread that owns the vCPU.
 * HALT: it waits for an interrupt; call again when axvm_vcpu_has_work or after
 * axvm_hal_vcpu_wake. PREEMPTED, EXTERNAL_INTERRUPT, REQUEST: look around, call again.
 * SHUTDOWN, RESET, FAULT, FAIL_ENTRY: the VM's state has moved already (<axvm/vm.h>); the other
 * vCPUs are on their way out. CPU_UP: `target` was woken too (axvm_hal_vcpu_wake).
 * AXVM_ESTATE: the VM is not RUNNING, the vCPU is off, or it runs elsewhere; no exit is written.
 * Then sleep as after HALT, looking at axvm_vcpu_has_work first: the VM may just have gone on.
 * Boot, resume, a switch-on and every stop of the VM wake (axvm_hal_vcpu_wake).
 */
AXVM_MUST_USE int axvm_vcpu_run(struct axvm_vcpu *vcpu, struct axvm_exit *exit);

/*
 * Whether axvm_vcpu_run would find something to do: the VM is RUNNING, the vCPU is on, and it does
 * not wait for an interrupt, or has a deliverable one or a request. Any CPU, takes no lock.
 *
 * No wake-up is lost when a host sleeps like this: "take the sleeper's lock; if not has_work, mark
 * as asleep; drop", and wakes like this: "take the lock; mark as awake; drop". Every reason to run is
 * one store (pending state, request bit, power, VM state), then a load of the CPU that the vCPU is
 * bound to, all sequentially consistent; the vCPU's CPU stores "bound to none" and then, in
 * has_work, loads the reason. In their one total order either the requester's load comes after
 * the unbinding, and it wakes; or its store comes before has_work's load, and has_work says true.
 * While the vCPU is bound the same pair stands between its CPU's store "bound here" and its
 * look at the request bits before each entry: it is kicked, or sees the bit, or both.
 */
bool axvm_vcpu_has_work(const struct axvm_vcpu *vcpu);

/* Makes the CPU that runs it come out of the guest soon (request bits are looked at). Any CPU. */
void axvm_vcpu_kick(struct axvm_vcpu *vcpu);

uint32_t axvm_vcpu_index(const struct axvm_vcpu *vcpu);
struct axvm_vm *axvm_vcpu_vm(const struct axvm_vcpu *vcpu);
enum axvm_vcpu_state axvm_vcpu_state(const struct axvm_vcpu *vcpu);
enum axvm_vcpu_power axvm_vcpu_power(const struct axvm_vcpu *vcpu);

/* The caller's own pointer (scheduler entity). */
void axvm_vcpu_set_owner(struct axvm_vcpu *vcpu, void *owner);
void *axvm_vcpu_owner(const struct axvm_vcpu *vcpu);

/* Guest-visible general register, 0 to the ISA's last; AXVM_EINVAL beyond. Not while it runs. */
AXVM_MUST_USE int axvm_vcpu_get_register(const struct axvm_vcpu *vcpu, unsigned index,
					 uint64_t *value);
AXVM_MUST_USE int axvm_vcpu_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value);

/* The answer to a HYPERCALL exit, in the ISA's return register. */
void axvm_vcpu_set_result(struct axvm_vcpu *vcpu, uint64_t value);

#endif
