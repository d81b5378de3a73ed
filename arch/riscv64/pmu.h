/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's performance counters [SBI 11]: logical counter 0 is cycle, 1 is instret, the others count
 * firmware events. Each counts for this vCPU alone: cycle and instret stand while it is not bound.
 */
#ifndef AXVM_RISCV64_PMU_H
#define AXVM_RISCV64_PMU_H

#include <stdatomic.h>

#include "vcpu_state.h"

#define AXVM_RISCV64_PMU_HARDWARE 2u
#define AXVM_RISCV64_PMU_COUNTERS (AXVM_RISCV64_PMU_HARDWARE + AXVM_RISCV64_PMU_FIRMWARE)
#define AXVM_RISCV64_PMU_FREE UINT32_MAX /* of axvm_riscv64_pmu.event */

/*
 * Firmware events [SBI 11.6] that can happen to a guest here. Misaligned accesses do not trap to us, and
 * there is no H extension for the HFENCE events.
 */
enum axvm_riscv64_event {
	AXVM_RISCV64_EVENT_ACCESS_LOAD = 2,
	AXVM_RISCV64_EVENT_ACCESS_STORE,
	AXVM_RISCV64_EVENT_ILLEGAL,
	AXVM_RISCV64_EVENT_SET_TIMER,
	AXVM_RISCV64_EVENT_IPI_SENT,
	AXVM_RISCV64_EVENT_IPI_RECEIVED,
	AXVM_RISCV64_EVENT_FENCE_I_SENT,
	AXVM_RISCV64_EVENT_FENCE_I_RECEIVED,
	AXVM_RISCV64_EVENT_SFENCE_VMA_SENT,
	AXVM_RISCV64_EVENT_SFENCE_VMA_RECEIVED,
	AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_SENT,
	AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_RECEIVED, /* the last */
};

_Static_assert(AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_RECEIVED == 13 &&
		       AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_RECEIVED < AXVM_RISCV64_PMU_EVENTS,
	       "codes as the specification numbers them");

/* Counts an event that only the vCPU's own CPU counts: all but the RECEIVED ones. */
static inline void axvm_riscv64_pmu_count(struct axvm_vcpu *vcpu, enum axvm_riscv64_event event)
{
	_Atomic uint64_t *count = &vcpu->arch.pmu.events[event];

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* The same for a RECEIVED one: whoever sends counts it for the receiver. Any CPU. */
static inline void axvm_riscv64_pmu_receive(struct axvm_vcpu *vcpu, enum axvm_riscv64_event event)
{
	atomic_fetch_add_explicit(&vcpu->arch.pmu.events[event], 1, memory_order_relaxed);
}

/* The guest's cycle (0) or instret (1), running or not. Bound, on its CPU. */
uint64_t axvm_riscv64_pmu_read(struct axvm_vcpu *vcpu, unsigned which);

/* Power-on state: cycle and instret run, as without an SBI; no event is configured. Not bound. */
void axvm_riscv64_pmu_reset(struct axvm_vcpu *vcpu);

/* Just before bind, just after unbind; on the vCPU's CPU. */
void axvm_riscv64_pmu_bound(struct axvm_vcpu *vcpu);
void axvm_riscv64_pmu_unbound(struct axvm_vcpu *vcpu);

#endif
