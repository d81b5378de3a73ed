/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of a vCPU. A counter that runs is kept as the difference to what it follows (the hart's CSR,
 * or the occurrences of an event), so that counting costs nothing and starting is a subtraction.
 */
#include "pmu.h"

#include <axvm/hal_riscv64.h>

uint64_t axvm_riscv64_pmu_read(struct axvm_vcpu *vcpu, unsigned which)
{
	const struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;
	unsigned n = which & 1;

	if ((pmu->running >> n & 1) == 0)
		return pmu->base[n];
	return pmu->base[n] + axvm_hal_riscv64_counter(n);
}

void axvm_riscv64_pmu_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;

	pmu->running = (1u << AXVM_RISCV64_PMU_HARDWARE) - 1;
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_HARDWARE; n++)
		pmu->base[n] = 0;
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_FIRMWARE; n++)
		pmu->firmware[n] = 0;
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_COUNTERS; n++)
		pmu->event[n] = AXVM_RISCV64_PMU_FREE;
	/* Others may be counting what they send to it: no memset. */
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_EVENTS; n++)
		atomic_store_explicit(&pmu->events[n], 0, memory_order_relaxed);
}

/* Harts count apart: no difference to one of them is kept while the vCPU has none. */
void axvm_riscv64_pmu_bound(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;

	for (unsigned n = 0; n < AXVM_RISCV64_PMU_HARDWARE; n++) {
		if ((pmu->running >> n & 1) != 0)
			pmu->base[n] -= axvm_hal_riscv64_counter(n);
	}
}

void axvm_riscv64_pmu_unbound(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;

	for (unsigned n = 0; n < AXVM_RISCV64_PMU_HARDWARE; n++) {
		if ((pmu->running >> n & 1) != 0)
			pmu->base[n] += axvm_hal_riscv64_counter(n);
	}
}
