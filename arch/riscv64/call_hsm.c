/* SPDX-License-Identifier: Apache-2.0 */
/* Harts that start, stop and sleep: HSM [SBI 9] and SUSP [SBI 13]. */
#include "call.h"

#define HSM_START 0u
#define HSM_STOP 1u
#define HSM_GET_STATUS 2u
#define HSM_SUSPEND 3u

#define STATUS_STARTED 0u
#define STATUS_STOPPED 1u
#define STATUS_START_PENDING 2u
#define STATUS_SUSPENDED 4u

#define SUSPEND_RETENTIVE 0u
#define SUSPEND_NON_RETENTIVE 0x80000000u

#define SUSP_SUSPEND 0u
#define SUSP_TO_RAM 0u

/* An instruction could be fetched there: aligned, and RAM. */
static bool is_entry(struct axvm_vcpu *vcpu, uint64_t entry)
{
	struct axvm_mapping mapping;

	return (entry & 1) == 0 &&
	       axvm_aspace_query(&vcpu->vm->aspace, axvm_gpa(entry), &mapping) == 0 &&
	       (mapping.flags & AXVM_MAP_EXECUTE) != 0 && (mapping.flags & AXVM_MAP_DEVICE) == 0;
}

static enum axvm_verdict start(struct axvm_vcpu *vcpu)
{
	struct axvm_vcpu *target = axvm_riscv64_vcpu_by_hart(vcpu->vm, axvm_sbi_argument(vcpu, 0));
	uint64_t entry = axvm_sbi_argument(vcpu, 1);

	if (target == NULL)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (!is_entry(vcpu, entry))
		return axvm_sbi_error(vcpu, SBI_INVALID_ADDRESS);

	int error = axvm_vcpu_power_on(vcpu->vm, target->index, entry, axvm_sbi_argument(vcpu, 2));

	if (error == AXVM_EEXIST || error == AXVM_EBUSY)
		return axvm_sbi_error(vcpu, SBI_ALREADY_AVAILABLE);
	if (error != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	(void)axvm_sbi_error(vcpu, SBI_SUCCESS);
	vcpu->exit.cpu_up.target = target->index;
	return axvm_sbi_leave(vcpu, AXVM_EXIT_CPU_UP);
}

static enum axvm_verdict stop(struct axvm_vcpu *vcpu)
{
	axvm_vcpu_power_off(vcpu);
	return axvm_sbi_leave(vcpu, AXVM_EXIT_CPU_DOWN);
}

/* Suspended is who waits because of a suspend: on the way there it still counts as started. */
static uint64_t status_of(const struct axvm_vcpu *vcpu)
{
	switch (axvm_vcpu_power(vcpu)) {
	case AXVM_POWER_OFF:
		return STATUS_STOPPED;
	case AXVM_POWER_ON_PENDING:
		return STATUS_START_PENDING;
	default:
		return axvm_vcpu_state(vcpu) == AXVM_VCPU_BLOCKED &&
				       atomic_load_explicit(&vcpu->arch.suspended,
							    memory_order_relaxed) != 0
			       ? STATUS_SUSPENDED
			       : STATUS_STARTED;
	}
}

static enum axvm_verdict get_status(struct axvm_vcpu *vcpu)
{
	const struct axvm_vcpu *target =
		axvm_riscv64_vcpu_by_hart(vcpu->vm, axvm_sbi_argument(vcpu, 0));

	if (target == NULL)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	return axvm_sbi_answer(vcpu, SBI_SUCCESS, status_of(target));
}

static enum axvm_verdict wait(struct axvm_vcpu *vcpu)
{
	enum axvm_verdict verdict = axvm_riscv64_wait(vcpu);

	if (verdict == AXVM_LEAVE)
		atomic_store_explicit(&vcpu->arch.suspended, 1, memory_order_relaxed);
	return verdict;
}

/* Loses what a hart loses; the timer and which interrupts are enabled stay, for they wake it. */
static enum axvm_verdict power_down(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t opaque)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_hal_sysreg_sync(vcpu);
	axvm_riscv64_sysregs_reset(vcpu);
	axvm_hal_sysreg_flush(vcpu);
	for (unsigned i = 1; i < 32; i++)
		arch->x[i] = 0;
	arch->x[SBI_A0] = arch->hart;
	arch->x[SBI_A1] = opaque;
	arch->pc = entry;

	enum axvm_verdict verdict = wait(vcpu);

	return verdict == AXVM_ENTER ? AXVM_ENTER_FULL : verdict;
}

static enum axvm_verdict suspend(struct axvm_vcpu *vcpu)
{
	uint64_t type = axvm_sbi_argument(vcpu, 0) & UINT32_MAX;
	uint64_t entry = axvm_sbi_argument(vcpu, 1);

	if (type == SUSPEND_RETENTIVE) {
		(void)axvm_sbi_error(vcpu, SBI_SUCCESS);
		return wait(vcpu);
	}
	if (type != SUSPEND_NON_RETENTIVE)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (!is_entry(vcpu, entry))
		return axvm_sbi_error(vcpu, SBI_INVALID_ADDRESS);
	return power_down(vcpu, entry, axvm_sbi_argument(vcpu, 2));
}

enum axvm_verdict axvm_sbi_hsm(struct axvm_vcpu *vcpu, uint64_t function)
{
	switch (function) {
	case HSM_START:
		return start(vcpu);
	case HSM_STOP:
		return stop(vcpu);
	case HSM_GET_STATUS:
		return get_status(vcpu);
	case HSM_SUSPEND:
		return suspend(vcpu);
	default:
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	}
}

/* When it is alone nobody can start another meanwhile: only a hart of the VM can. */
static bool is_alone(const struct axvm_vcpu *vcpu)
{
	for (uint32_t i = 0; i < vcpu->vm->vcpu_count; i++) {
		if (i != vcpu->index && axvm_vcpu_power(vcpu->vm->vcpus[i]) != AXVM_POWER_OFF)
			return false;
	}
	return true;
}

enum axvm_verdict axvm_sbi_susp(struct axvm_vcpu *vcpu, uint64_t function)
{
	uint64_t entry = axvm_sbi_argument(vcpu, 1);

	if (function != SUSP_SUSPEND)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	if ((axvm_sbi_argument(vcpu, 0) & UINT32_MAX) != SUSP_TO_RAM)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (!is_entry(vcpu, entry))
		return axvm_sbi_error(vcpu, SBI_INVALID_ADDRESS);
	if (!is_alone(vcpu))
		return axvm_sbi_error(vcpu, SBI_DENIED);
	return power_down(vcpu, entry, axvm_sbi_argument(vcpu, 2));
}
