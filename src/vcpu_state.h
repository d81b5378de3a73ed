/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a vCPU, for the library and its hal/ back ends. */
#ifndef AXVM_VCPU_STATE_H
#define AXVM_VCPU_STATE_H

#include <stdatomic.h>

#include <axvm/device.h>
#include <axvm/vcpu.h>

#include <axvm_arch_types.h> /* arch/<isa>/: struct axvm_arch_vcpu, struct axvm_arch_vm */

/* What other CPUs ask of a vCPU, see axvm_vcpu_request in arch.h; taken by its own CPU. */
enum axvm_request {
	AXVM_REQUEST_LEAVE = 1u << 0, /* return REQUEST from axvm_vcpu_run: pause, stop, reset */
	AXVM_REQUEST_IRQ = 1u << 1, /* interrupt state changed: bring it into the hardware slots */
	AXVM_REQUEST_PREEMPT = 1u << 2, /* return PREEMPTED: the scheduler wants this CPU */
};

/*
 * A vCPU that somebody has won the right to switch on, entry not yet written. Between OFF and
 * ON_PENDING; axvm_vcpu_power tells it as ON_PENDING.
 */
#define AXVM_POWER_CLAIMED 3u

struct axvm_vcpu {
	struct axvm_arch_vcpu arch; /* first: the world switch has the vCPU's address only */
	_Atomic uint32_t requests;  /* enum axvm_request */
	_Atomic uint32_t state;	    /* enum axvm_vcpu_state */
	_Atomic uint32_t power;	    /* enum axvm_vcpu_power */
	_Atomic uint32_t cpu;	    /* the physical CPU it is bound to, or AXVM_CPU_NONE */
	uint32_t last_cpu;	    /* the one it was bound to last, or AXVM_CPU_NONE */
	/*
	 * For axvm_hal_vcpu_bind: what this CPU's TLB holds under the VMID may be of another vCPU, or older
	 * than what this one has invalidated elsewhere. Its own (stage-1) translations are dropped.
	 */
	bool tlb_is_stale;
	const struct axvm_bus_region *last_hit; /* of the MMIO bus; never NULL, see bus.h */
	struct axvm_vm *vm;
	uint32_t index;
	struct axvm_exit exit;	 /* filled by the exit path before it says AXVM_LEAVE */
	uint64_t power_on_entry; /* valid while ON_PENDING */
	uint64_t power_on_arg;
	void *owner;
	uint64_t exit_count; /* returns of axvm_hal_vcpu_enter */
};

#endif
