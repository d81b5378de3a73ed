/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one timer of a hart. With Sstc hardware compares while the vCPU is bound, and the host's timer is a
 * stand-in that only wakes it: the hardware raises the interrupt itself as soon as it is bound again.
 */
#include "timer.h"

#include "exit.h"
#include "regs.h"

#define OFF UINT64_MAX

/* So that the write of the CSR needs no stack frame. */
#define OUT_OF_LINE __attribute__((noinline))

static bool has_sstc(const struct axvm_vcpu *vcpu)
{
	return (vcpu->vm->arch.extensions & AXVM_RISCV64_EXT_SSTC) != 0;
}

static bool is_due(const struct axvm_vcpu *vcpu)
{
	return axvm_hal_time_ticks() + vcpu->vm->arch.htimedelta >= vcpu->arch.vstimecmp;
}

static void expired(struct axvm_timer *timer)
{
	char *arch = (char *)timer - offsetof(struct axvm_vcpu, arch.timer_wait);

	axvm_riscv64_set_timer((struct axvm_vcpu *)(void *)arch, true);
}

void axvm_riscv64_timer_init(struct axvm_vcpu *vcpu)
{
	vcpu->arch.timer_wait.expired = expired;
}

void axvm_riscv64_timer_reset(struct axvm_vcpu *vcpu)
{
	axvm_hal_timer_stop(&vcpu->arch.timer_wait);
	vcpu->arch.vstimecmp = OFF;
	atomic_store_explicit(&vcpu->arch.timer, 0, memory_order_relaxed);
}

/*
 * A guest's time may begin long after the host's, so that its deadline may lie beyond the end of the host's
 * counter: it never comes then.
 */
static void start(struct axvm_vcpu *vcpu)
{
	uint64_t begin = 0 - vcpu->vm->arch.htimedelta;
	uint64_t deadline = vcpu->arch.vstimecmp;

	if (deadline < OFF - begin)
		axvm_hal_timer_start(&vcpu->arch.timer_wait, begin + deadline);
}

/* The host's timer runs for it. Stopped first, so that the deadline before cannot raise the line after. */
OUT_OF_LINE static void set_emulated(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	axvm_hal_timer_stop(&vcpu->arch.timer_wait);
	vcpu->arch.vstimecmp = deadline;
	bool due = is_due(vcpu);

	axvm_riscv64_set_timer(vcpu, due);
	if (!due)
		start(vcpu);
}

void axvm_riscv64_timer_set(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	if (!has_sstc(vcpu)) {
		set_emulated(vcpu, deadline);
		return;
	}
	vcpu->arch.vstimecmp = deadline;
	axvm_hal_riscv64_set_vstimecmp(vcpu, deadline);
}

void axvm_riscv64_timer_bound(struct axvm_vcpu *vcpu)
{
	if (!has_sstc(vcpu))
		return;
	axvm_hal_timer_stop(&vcpu->arch.timer_wait);
	atomic_store_explicit(&vcpu->arch.timer, 0, memory_order_relaxed);
}

/* One that the guest does not listen to needs no waking. */
void axvm_riscv64_timer_unbound(struct axvm_vcpu *vcpu)
{
	if (!has_sstc(vcpu) || (vcpu->arch.vsie & AXVM_RISCV64_VSTI) == 0)
		return;
	if (!is_due(vcpu))
		start(vcpu);
	else /* seq_cst: its own CPU asks axvm_vcpu_has_work next */
		atomic_store_explicit(&vcpu->arch.timer, 1, memory_order_seq_cst);
}
