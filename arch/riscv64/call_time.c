/* SPDX-License-Identifier: Apache-2.0 */
/* The timer [SBI 6]; the most frequent call of a guest without Sstc. */
#include "call.h"

#include "pmu.h"
#include "timer.h"

#define TIME_SET_TIMER 0u

enum axvm_verdict axvm_sbi_time(struct axvm_vcpu *vcpu, uint64_t function)
{
	uint64_t deadline = axvm_sbi_argument(vcpu, 0);

	if (function != TIME_SET_TIMER)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_SET_TIMER);
	(void)axvm_sbi_error(vcpu, SBI_SUCCESS);
	axvm_riscv64_timer_set(vcpu, deadline);
	return AXVM_ENTER;
}
