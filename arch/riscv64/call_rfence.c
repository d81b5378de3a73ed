/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hart asks of others: IPI [SBI 7] and RFENCE [SBI 8]. A fence is one request to the host however
 * many harts and pages it is for; of a vCPU that is on no CPU it takes note, for when it is bound.
 */
#include "call.h"

#include "pmu.h"

#define IPI_SEND 0u

#define RFENCE_FENCE_I 0u
#define RFENCE_SFENCE_VMA 1u
#define RFENCE_SFENCE_VMA_ASID 2u

#define ASID_MASK 0xffffu
/* Firmware may go page by page, however long that takes: more than this is everything. */
#define RANGE_BYTES_MAX ((uint64_t)512 << AXVM_PAGE_SHIFT)

/* Keeps what is for many harts out of what is for one. */
#define OUT_OF_LINE __attribute__((noinline))

/* The vCPUs, by index; false: a hart is named that the VM does not have. */
static bool find_targets(const struct axvm_vm *vm, struct axvm_sbi_harts harts, uint64_t *targets)
{
	uint64_t mask = harts.mask;
	bool is_all = harts.base == UINT64_MAX;

	*targets = 0;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		uint64_t hart = vm->vcpus[i]->arch.hart;
		uint64_t bit = hart - harts.base;

		if (!is_all && (hart < harts.base || bit > 63 || (mask >> bit & 1) == 0))
			continue;
		mask &= ~((uint64_t)1 << (bit & 63));
		*targets |= (uint64_t)1 << i;
	}
	return is_all || mask == 0;
}

static inline void send_one(struct axvm_vcpu *vcpu, struct axvm_vcpu *target)
{
	axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_IPI_SENT);
	axvm_riscv64_pmu_receive(target, AXVM_RISCV64_EVENT_IPI_RECEIVED);
	axvm_riscv64_set_software(target);
}

OUT_OF_LINE int64_t axvm_sbi_send_ipi(struct axvm_vcpu *vcpu, struct axvm_sbi_harts harts)
{
	uint64_t targets;

	if (!find_targets(vcpu->vm, harts, &targets))
		return SBI_INVALID_PARAM;
	/* No search for the next bit: not every hart has Zbb. */
	for (uint32_t i = 0; targets != 0; i++, targets >>= 1) {
		if ((targets & 1) != 0)
			send_one(vcpu, vcpu->vm->vcpus[i]);
	}
	return SBI_SUCCESS;
}

/* Most IPIs are for one hart, which most callers name by the base; most harts have their vCPU's number. */
static inline struct axvm_vcpu *only_target(const struct axvm_vm *vm, struct axvm_sbi_harts harts)
{
	struct axvm_vcpu *target;

	if (harts.mask != 1 || harts.base >= vm->vcpu_count)
		return NULL;
	target = vm->vcpus[harts.base];
	return target->arch.hart == harts.base ? target : NULL;
}

enum axvm_verdict axvm_sbi_ipi(struct axvm_vcpu *vcpu, uint64_t function)
{
	struct axvm_sbi_harts harts = { axvm_sbi_argument(vcpu, 0), axvm_sbi_argument(vcpu, 1) };

	if (function != IPI_SEND)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);

	struct axvm_vcpu *target = only_target(vcpu->vm, harts);

	if (target == NULL)
		return axvm_sbi_error(vcpu, axvm_sbi_send_ipi(vcpu, harts));
	send_one(vcpu, target);
	return axvm_sbi_error(vcpu, SBI_SUCCESS);
}

/* The CPUs that must fence now. */
static uint64_t notify(struct axvm_vcpu *vcpu, uint64_t targets, enum axvm_riscv64_event sent)
{
	uint64_t cpus = 0;

	for (uint32_t i = 0; targets != 0; i++, targets >>= 1) {
		struct axvm_vcpu *target = vcpu->vm->vcpus[i];

		if ((targets & 1) == 0)
			continue;
		axvm_riscv64_pmu_count(vcpu, sent);
		axvm_riscv64_pmu_receive(target, (enum axvm_riscv64_event)(sent + 1));
		/*
		 * seq_cst, this store and then the load: when the load comes before the target's store
		 * of the CPU that it is bound to next, that bind finds the note.
		 */
		if (target != vcpu)
			atomic_store_explicit(&target->arch.fence, 1, memory_order_seq_cst);
		uint32_t cpu = atomic_load_explicit(&target->cpu, memory_order_seq_cst);

		if (cpu < AXVM_CPUS_MAX)
			cpus |= (uint64_t)1 << cpu;
	}
	return cpus;
}

static bool is_everything(const struct axvm_sbi_fence *fence)
{
	return fence->bytes == UINT64_MAX || (fence->start == 0 && fence->bytes == 0);
}

int64_t axvm_sbi_send_fence(struct axvm_vcpu *vcpu, struct axvm_sbi_harts harts,
			    struct axvm_sbi_fence fence)
{
	static const enum axvm_riscv64_event sent[] = {
		[AXVM_RISCV64_FENCE_I] = AXVM_RISCV64_EVENT_FENCE_I_SENT,
		[AXVM_RISCV64_FENCE_VMA] = AXVM_RISCV64_EVENT_SFENCE_VMA_SENT,
		[AXVM_RISCV64_FENCE_VMA_ASID] = AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_SENT,
	};
	bool is_all = is_everything(&fence);
	uint64_t targets;

	if (!find_targets(vcpu->vm, harts, &targets))
		return SBI_INVALID_PARAM;
	if (!is_all && axvm_range_wraps(fence.start, fence.bytes))
		return SBI_INVALID_ADDRESS;
	if (!is_all && fence.bytes == 0)
		return SBI_SUCCESS;
	if (fence.bytes > RANGE_BYTES_MAX)
		is_all = true;

	uint64_t cpus = notify(vcpu, targets, sent[fence.kind]);

	if (cpus != 0)
		axvm_hal_riscv64_fence(vcpu, cpus, fence.kind, is_all ? 0 : fence.start,
				       is_all ? UINT64_MAX : fence.bytes, fence.asid & ASID_MASK);
	return SBI_SUCCESS;
}

/* HFENCE_*, functions 3 to 6, are for harts with the H extension, which no guest has. */
enum axvm_verdict axvm_sbi_rfence(struct axvm_vcpu *vcpu, uint64_t function)
{
	struct axvm_sbi_harts harts = { axvm_sbi_argument(vcpu, 0), axvm_sbi_argument(vcpu, 1) };
	struct axvm_sbi_fence fence = { .start = axvm_sbi_argument(vcpu, 2),
					.bytes = axvm_sbi_argument(vcpu, 3) };

	switch (function) {
	case RFENCE_FENCE_I:
		fence = (struct axvm_sbi_fence){ .kind = AXVM_RISCV64_FENCE_I };
		break;
	case RFENCE_SFENCE_VMA:
		fence.kind = AXVM_RISCV64_FENCE_VMA;
		break;
	case RFENCE_SFENCE_VMA_ASID:
		fence.kind = AXVM_RISCV64_FENCE_VMA_ASID;
		fence.asid = axvm_sbi_argument(vcpu, 4);
		break;
	default:
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	}
	return axvm_sbi_error(vcpu, axvm_sbi_send_fence(vcpu, harts, fence));
}
