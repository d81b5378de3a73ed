/* SPDX-License-Identifier: Apache-2.0 */
/* SBI for guests [SBI 2.0]: what the files of the extensions share. A handler per extension. */
#ifndef AXVM_RISCV64_CALL_H
#define AXVM_RISCV64_CALL_H

#include "exit.h"

/* Extensions. */
#define SBI_BASE 0x10u
#define SBI_TIME 0x54494d45u
#define SBI_IPI 0x735049u
#define SBI_RFENCE 0x52464e43u
#define SBI_HSM 0x48534du
#define SBI_SRST 0x53525354u
#define SBI_PMU 0x504d55u
#define SBI_DBCN 0x4442434eu
#define SBI_SUSP 0x53555350u
#define SBI_HVC 0x485643u /* axvm's hypercalls, for the caller of axvm_vcpu_run */

/* Errors [SBI 3]. */
#define SBI_SUCCESS 0
#define SBI_FAILED (-1)
#define SBI_NOT_SUPPORTED (-2)
#define SBI_INVALID_PARAM (-3)
#define SBI_DENIED (-4)
#define SBI_INVALID_ADDRESS (-5)
#define SBI_ALREADY_AVAILABLE (-6)
#define SBI_ALREADY_STARTED (-7)
#define SBI_ALREADY_STOPPED (-8)
#define SBI_NO_SHMEM (-9)

/* a0 to a7 are x10 to x17. */
#define SBI_A0 10u
#define SBI_A1 11u
#define SBI_A6 16u
#define SBI_A7 17u

static inline uint64_t axvm_sbi_argument(const struct axvm_vcpu *vcpu, unsigned n)
{
	return vcpu->arch.x[SBI_A0 + n];
}

static inline enum axvm_verdict axvm_sbi_answer(struct axvm_vcpu *vcpu, int64_t error,
						uint64_t value)
{
	vcpu->arch.x[SBI_A0] = (uint64_t)error;
	vcpu->arch.x[SBI_A1] = value;
	return AXVM_ENTER;
}

static inline enum axvm_verdict axvm_sbi_error(struct axvm_vcpu *vcpu, int64_t error)
{
	return axvm_sbi_answer(vcpu, error, 0);
}

static inline enum axvm_verdict axvm_sbi_leave(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason)
{
	vcpu->exit.reason = reason;
	return AXVM_LEAVE;
}

/* call.c; its table names them all. `function` is a6, every bit of it. */
enum axvm_verdict axvm_sbi_base(struct axvm_vcpu *vcpu, uint64_t function);
enum axvm_verdict axvm_sbi_srst(struct axvm_vcpu *vcpu, uint64_t function);
enum axvm_verdict axvm_sbi_hypercall(struct axvm_vcpu *vcpu, uint64_t function);
/* call_time.c */
enum axvm_verdict axvm_sbi_time(struct axvm_vcpu *vcpu, uint64_t function);
/* call_legacy.c: extensions 0 to 8, one function each. */
#define SBI_LEGACY_LAST 8u
#define SBI_LEGACY_END 16u /* 9 to 15 are reserved */
enum axvm_verdict axvm_sbi_legacy(struct axvm_vcpu *vcpu, uint64_t extension);
/* call_hsm.c */
enum axvm_verdict axvm_sbi_hsm(struct axvm_vcpu *vcpu, uint64_t function);
enum axvm_verdict axvm_sbi_susp(struct axvm_vcpu *vcpu, uint64_t function);
/* call_rfence.c */
enum axvm_verdict axvm_sbi_ipi(struct axvm_vcpu *vcpu, uint64_t function);
enum axvm_verdict axvm_sbi_rfence(struct axvm_vcpu *vcpu, uint64_t function);
/* call_dbcn.c */
enum axvm_verdict axvm_sbi_dbcn(struct axvm_vcpu *vcpu, uint64_t function);
/* call_pmu.c */
enum axvm_verdict axvm_sbi_pmu(struct axvm_vcpu *vcpu, uint64_t function);

/* Harts of the VM: bit n of `mask` is hart `base` + n; `base` UINT64_MAX: all [SBI 3.1]. */
struct axvm_sbi_harts {
	uint64_t mask;
	uint64_t base;
};

struct axvm_sbi_fence {
	enum axvm_riscv64_fence kind;
	uint64_t start;
	uint64_t bytes;
	uint64_t asid;
};

/* An error of SBI's, nothing done then, or SBI_SUCCESS. */
int64_t axvm_sbi_send_ipi(struct axvm_vcpu *vcpu, struct axvm_sbi_harts harts);
int64_t axvm_sbi_send_fence(struct axvm_vcpu *vcpu, struct axvm_sbi_harts harts,
			    struct axvm_sbi_fence fence);

#endif
