/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVC and SMC, which are the same here: PSCI 1.1 [PSCI 5], SMCCC [SMCCC 7], and
 * axvm's own hypercalls, which the caller of axvm_vcpu_run answers. Nothing ever
 * reaches the host's firmware.
 */
#include "exit.h"
#include "regs.h"

/* Function identifiers [SMCCC 2.5]: bit 30 tells 64-bit arguments. */
#define FID_64 0x40000000u
#define FID_OWNER 0xbf000000u /* without it */
#define OWNER_STANDARD 0x84000000u
#define OWNER_HYPERVISOR 0x86000000u /* vendor-specific hypervisor services */
#define HYPERCALLS_MAX 0xff00u	     /* function numbers of that range which are services */
#define HYPERCALL_BARE_LAST 6u	     /* numbers that stand in x0 as they are */

#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_1_2 0x10002u

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2 0x84000012u
#define PSCI_1_1 0x10001u

/* So that a call which only answers a number needs no stack frame. */
#define OUT_OF_LINE __attribute__((noinline))

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INVALID_ADDRESS (-9)

#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_ON_PENDING 2
#define MIGRATE_NOT_NEEDED 2 /* no trusted OS that would have to move */

#define POWER_STATE_DOWN (1ULL << 16)
#define POWER_STATE_VALID 0x0301ffffULL /* the original format [PSCI 5.4.2.1] */
#define RESET2_VENDOR (1ULL << 31)

static inline enum axvm_verdict answer(struct axvm_vcpu *vcpu, int64_t result)
{
	vcpu->arch.x[0] = (uint64_t)result;
	return AXVM_ENTER;
}

/* Argument n, 1 to 3: 32 bits of it when the identifier says so. */
static inline uint64_t argument(const struct axvm_vcpu *vcpu, unsigned n)
{
	uint64_t value = vcpu->arch.x[n];

	return (vcpu->arch.x[0] & FID_64) != 0 ? value : value & UINT32_MAX;
}

static enum axvm_verdict leave(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason)
{
	vcpu->exit.reason = reason;
	return AXVM_LEAVE;
}

/* An instruction could be fetched there: aligned, and RAM. */
static bool is_entry(struct axvm_vcpu *vcpu, uint64_t entry)
{
	struct axvm_mapping mapping;

	return (entry & 3) == 0 &&
	       axvm_aspace_query(&vcpu->vm->aspace, axvm_gpa(entry), &mapping) == 0 &&
	       (mapping.flags & AXVM_MAP_EXECUTE) != 0 && (mapping.flags & AXVM_MAP_DEVICE) == 0;
}

OUT_OF_LINE static enum axvm_verdict cpu_on(struct axvm_vcpu *vcpu)
{
	uint64_t affinity = argument(vcpu, 1);
	uint64_t entry = argument(vcpu, 2);
	struct axvm_vcpu *target = axvm_aarch64_vcpu_by_affinity(vcpu->vm, affinity);

	if (!target)
		return answer(vcpu, PSCI_INVALID_PARAMETERS);
	if (!is_entry(vcpu, entry))
		return answer(vcpu, PSCI_INVALID_ADDRESS);

	int error = axvm_vcpu_power_on(vcpu->vm, target->index, entry, argument(vcpu, 3));

	if (error == AXVM_EEXIST)
		return answer(vcpu, PSCI_ALREADY_ON);
	if (error == AXVM_EBUSY)
		return answer(vcpu, PSCI_ON_PENDING);
	if (error != 0)
		return answer(vcpu, PSCI_INVALID_PARAMETERS);
	vcpu->arch.x[0] = PSCI_SUCCESS;
	vcpu->exit.cpu_up.target = target->index;
	return leave(vcpu, AXVM_EXIT_CPU_UP);
}

OUT_OF_LINE static enum axvm_verdict cpu_off(struct axvm_vcpu *vcpu)
{
	axvm_vcpu_power_off(vcpu);
	return leave(vcpu, AXVM_EXIT_CPU_DOWN);
}

/* Power-down loses what a CPU loses; timers and the redistributor keep their power here. */
static enum axvm_verdict power_down(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t context)
{
	axvm_hal_sysreg_sync(vcpu);
	axvm_aarch64_sysregs_reset(vcpu);
	axvm_hal_sysreg_flush(vcpu);
	vcpu->arch.mdscr = 0;
	vcpu->arch.mdscr_step = 0;
	for (unsigned i = 1; i < 31; i++)
		vcpu->arch.x[i] = 0;
	vcpu->arch.x[0] = context;
	vcpu->arch.pc = entry;
	vcpu->arch.pstate = AXVM_AARCH64_PSTATE_EL1H | AXVM_AARCH64_PSTATE_DAIF;

	enum axvm_verdict verdict = axvm_aarch64_wait(vcpu);

	return verdict == AXVM_ENTER ? AXVM_ENTER_FULL : verdict;
}

OUT_OF_LINE static enum axvm_verdict cpu_suspend(struct axvm_vcpu *vcpu)
{
	uint64_t state = argument(vcpu, 1) & UINT32_MAX;
	uint64_t entry = argument(vcpu, 2);

	if ((state & ~POWER_STATE_VALID) != 0)
		return answer(vcpu, PSCI_INVALID_PARAMETERS);
	if ((state & POWER_STATE_DOWN) == 0) {
		vcpu->arch.x[0] = PSCI_SUCCESS;
		return axvm_aarch64_wait(vcpu);
	}
	if (!is_entry(vcpu, entry))
		return answer(vcpu, PSCI_INVALID_ADDRESS);
	return power_down(vcpu, entry, argument(vcpu, 3));
}

/* Level n leaves the affinity fields below n open; all of a node must be off for it to be. */
OUT_OF_LINE static enum axvm_verdict affinity_info(struct axvm_vcpu *vcpu)
{
	static const uint64_t masks[] = { AXVM_AARCH64_AFFINITY, 0xff00ffff00ULL, 0xff00ff0000ULL,
					  0xff00000000ULL };
	uint64_t affinity = argument(vcpu, 1);
	uint64_t level = argument(vcpu, 2);
	int64_t result = PSCI_INVALID_PARAMETERS;

	if (level > 3 || (affinity & ~AXVM_AARCH64_AFFINITY) != 0)
		return answer(vcpu, PSCI_INVALID_PARAMETERS);
	for (uint32_t i = 0; i < vcpu->vm->vcpu_count; i++) {
		const struct axvm_vcpu *other = vcpu->vm->vcpus[i];
		enum axvm_vcpu_power power = axvm_vcpu_power(other);

		if (((other->arch.mpidr ^ affinity) & masks[level]) != 0)
			continue;
		if (power == AXVM_POWER_ON)
			return answer(vcpu, AFFINITY_ON);
		if (power == AXVM_POWER_ON_PENDING)
			result = AFFINITY_ON_PENDING;
		else if (result == PSCI_INVALID_PARAMETERS)
			result = AFFINITY_OFF;
	}
	return answer(vcpu, result);
}

static enum axvm_verdict system_reset(struct axvm_vcpu *vcpu)
{
	vcpu->exit.reset.type = 0;
	return leave(vcpu, AXVM_EXIT_RESET);
}

/* Architectural type 0, a warm reset, is the only one; memory is not kept. */
OUT_OF_LINE static enum axvm_verdict system_reset2(struct axvm_vcpu *vcpu)
{
	uint64_t type = argument(vcpu, 1) & UINT32_MAX;

	if (type != 0)
		return answer(vcpu, (type & RESET2_VENDOR) != 0 ? PSCI_NOT_SUPPORTED
								: PSCI_INVALID_PARAMETERS);
	return system_reset(vcpu);
}

static bool has_64(uint32_t function)
{
	return function == PSCI_CPU_SUSPEND || function == PSCI_CPU_ON ||
	       function == PSCI_AFFINITY_INFO || function == PSCI_SYSTEM_RESET2;
}

static int64_t psci_features(uint32_t function)
{
	if ((function & FID_64) != 0 && !has_64(function & ~FID_64))
		return PSCI_NOT_SUPPORTED;
	switch (function & ~FID_64) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND: /* original power-state format, no OS-initiated mode */
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_SYSTEM_RESET2:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static enum axvm_verdict psci(struct axvm_vcpu *vcpu, uint32_t function)
{
	if ((function & FID_64) != 0 && !has_64(function & ~FID_64))
		return answer(vcpu, PSCI_NOT_SUPPORTED);
	switch (function & ~FID_64) {
	case PSCI_VERSION:
		return answer(vcpu, PSCI_1_1);
	case PSCI_CPU_SUSPEND:
		return cpu_suspend(vcpu);
	case PSCI_CPU_OFF:
		return cpu_off(vcpu);
	case PSCI_CPU_ON:
		return cpu_on(vcpu);
	case PSCI_AFFINITY_INFO:
		return affinity_info(vcpu);
	case PSCI_MIGRATE_INFO_TYPE:
		return answer(vcpu, MIGRATE_NOT_NEEDED);
	case PSCI_SYSTEM_OFF:
		return leave(vcpu, AXVM_EXIT_SHUTDOWN);
	case PSCI_SYSTEM_RESET:
		return system_reset(vcpu);
	case PSCI_FEATURES:
		return answer(vcpu, psci_features((uint32_t)argument(vcpu, 1)));
	case PSCI_SYSTEM_RESET2:
		return system_reset2(vcpu);
	default:
		return answer(vcpu, PSCI_NOT_SUPPORTED);
	}
}

static enum axvm_verdict hypercall(struct axvm_vcpu *vcpu, uint64_t number)
{
	vcpu->exit.hypercall.number = number;
	for (unsigned i = 0; i < 6; i++)
		vcpu->exit.hypercall.args[i] = vcpu->arch.x[i + 1];
	return leave(vcpu, AXVM_EXIT_HYPERCALL);
}

OUT_OF_LINE static enum axvm_verdict other_call(struct axvm_vcpu *vcpu, uint32_t function)
{
	if (function <= HYPERCALL_BARE_LAST)
		return hypercall(vcpu, function);
	if ((function & FID_OWNER) == OWNER_HYPERVISOR && (function & 0xffff) < HYPERCALLS_MAX)
		return hypercall(vcpu, function & 0xffff);
	if (function == SMCCC_VERSION)
		return answer(vcpu, SMCCC_1_2);
	if (function == SMCCC_ARCH_FEATURES) {
		uint32_t asked = (uint32_t)vcpu->arch.x[1];

		return answer(vcpu, asked == SMCCC_VERSION || asked == SMCCC_ARCH_FEATURES
					    ? PSCI_SUCCESS
					    : PSCI_NOT_SUPPORTED);
	}
	return answer(vcpu, PSCI_NOT_SUPPORTED);
}

enum axvm_verdict axvm_aarch64_call(struct axvm_vcpu *vcpu)
{
	uint32_t function = (uint32_t)vcpu->arch.x[0];

	if ((function & FID_OWNER) == OWNER_STANDARD)
		return psci(vcpu, function);
	return other_call(vcpu, function);
}
