/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The legacy extensions [SBI 5]: each is one function, its result is in a0 alone, and hart masks are in
 * the guest's virtual memory.
 */
#include "call.h"

#include "pmu.h"
#include "sbi_console.h"
#include "timer.h"

#define LEGACY_SET_TIMER 0u
#define LEGACY_PUTCHAR 1u
#define LEGACY_GETCHAR 2u
#define LEGACY_CLEAR_IPI 3u
#define LEGACY_SEND_IPI 4u
#define LEGACY_FENCE_I 5u
#define LEGACY_SFENCE_VMA 6u
#define LEGACY_SFENCE_VMA_ASID 7u
#define LEGACY_SHUTDOWN 8u

static enum axvm_verdict answer(struct axvm_vcpu *vcpu, int64_t result)
{
	vcpu->arch.x[SBI_A0] = (uint64_t)result;
	return AXVM_ENTER;
}

static enum axvm_verdict set_timer(struct axvm_vcpu *vcpu)
{
	axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_SET_TIMER);
	axvm_riscv64_timer_set(vcpu, axvm_sbi_argument(vcpu, 0));
	return answer(vcpu, SBI_SUCCESS);
}

static enum axvm_verdict put_char(struct axvm_vcpu *vcpu)
{
	char byte = (char)axvm_sbi_argument(vcpu, 0);

	axvm_hal_console_write(vcpu->vm, &byte, 1);
	return answer(vcpu, SBI_SUCCESS);
}

static enum axvm_verdict get_char(struct axvm_vcpu *vcpu)
{
	char byte;

	if (axvm_sbi_console_take(vcpu->vm, &byte, 1) == 0)
		return answer(vcpu, -1);
	return answer(vcpu, (uint8_t)byte);
}

static enum axvm_verdict clear_ipi(struct axvm_vcpu *vcpu)
{
	axvm_hal_irq_sync(vcpu);
	bool was_pending = (vcpu->arch.hvip & AXVM_RISCV64_VSSI) != 0;

	/* acq_rel: of one that was sent, what its sender wrote before is seen */
	if (atomic_exchange_explicit(&vcpu->arch.software, 0, memory_order_acq_rel) != 0)
		was_pending = true;
	vcpu->arch.hvip &= ~AXVM_RISCV64_VSSI;
	axvm_hal_irq_flush(vcpu);
	return answer(vcpu, was_pending);
}

/* No pointer means all harts, as the firmware of that time took it. False: the guest takes its fault. */
static bool load_harts(struct axvm_vcpu *vcpu, struct axvm_sbi_harts *harts)
{
	uint64_t va = axvm_sbi_argument(vcpu, 0);
	struct axvm_riscv64_trap trap;

	*harts = (struct axvm_sbi_harts){ .base = va == 0 ? UINT64_MAX : 0 };
	if (va == 0 || axvm_hal_riscv64_load(vcpu, va, &harts->mask, &trap))
		return true;
	vcpu->arch.pc -= 4; /* the fault is the ECALL's */
	axvm_riscv64_inject_trap(vcpu, &trap);
	return false;
}

static enum axvm_verdict send_ipi(struct axvm_vcpu *vcpu)
{
	struct axvm_sbi_harts harts;

	if (!load_harts(vcpu, &harts))
		return AXVM_ENTER_FULL;
	return answer(vcpu, axvm_sbi_send_ipi(vcpu, harts));
}

static enum axvm_verdict send_fence(struct axvm_vcpu *vcpu, enum axvm_riscv64_fence kind)
{
	struct axvm_sbi_harts harts;
	struct axvm_sbi_fence fence = { .kind = kind };

	if (!load_harts(vcpu, &harts))
		return AXVM_ENTER_FULL;
	if (kind != AXVM_RISCV64_FENCE_I) {
		fence.start = axvm_sbi_argument(vcpu, 1);
		fence.bytes = axvm_sbi_argument(vcpu, 2);
	}
	if (kind == AXVM_RISCV64_FENCE_VMA_ASID)
		fence.asid = axvm_sbi_argument(vcpu, 3);
	return answer(vcpu, axvm_sbi_send_fence(vcpu, harts, fence));
}

enum axvm_verdict axvm_sbi_legacy(struct axvm_vcpu *vcpu, uint64_t extension)
{
	switch (extension) {
	case LEGACY_SET_TIMER:
		return set_timer(vcpu);
	case LEGACY_PUTCHAR:
		return put_char(vcpu);
	case LEGACY_GETCHAR:
		return get_char(vcpu);
	case LEGACY_CLEAR_IPI:
		return clear_ipi(vcpu);
	case LEGACY_SEND_IPI:
		return send_ipi(vcpu);
	case LEGACY_FENCE_I:
		return send_fence(vcpu, AXVM_RISCV64_FENCE_I);
	case LEGACY_SFENCE_VMA:
		return send_fence(vcpu, AXVM_RISCV64_FENCE_VMA);
	case LEGACY_SFENCE_VMA_ASID:
		return send_fence(vcpu, AXVM_RISCV64_FENCE_VMA_ASID);
	case LEGACY_SHUTDOWN:
		return axvm_sbi_leave(vcpu, AXVM_EXIT_SHUTDOWN);
	default:
		return answer(vcpu, SBI_NOT_SUPPORTED);
	}
}
