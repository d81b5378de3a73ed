/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECALL from VS mode: SBI 2.0, its legacy extensions, and axvm's own hypercalls, which the caller of
 * axvm_vcpu_run answers. Nothing of it reaches the host's firmware. The two calls that guests make most
 * are tested first; the table of the others is also what probe_extension answers from.
 */
#include "call.h"

#define BASE_GET_SPEC_VERSION 0u
#define BASE_GET_IMPL_ID 1u
#define BASE_GET_IMPL_VERSION 2u
#define BASE_PROBE_EXTENSION 3u
#define BASE_GET_MVENDORID 4u
#define BASE_GET_MARCHID 5u
#define BASE_GET_MIMPID 6u
#define SPEC_2_0 0x2000000u
#define IMPL_ID 0x6178766du  /* "axvm"; the specification has given out 0 to 11 */
#define IMPL_VERSION 0x0001u /* 0.1: the minor number in the low 8 bits */

#define SRST_RESET 0u
#define RESET_SHUTDOWN 0u
#define RESET_COLD 1u
#define RESET_WARM 2u
#define REASON_LAST 1u /* none, and system failure */

#define HYPERCALLS_MAX 0xff00u

/* So that a call which only answers a number needs no stack frame; for that TIME is elsewhere too. */
#define OUT_OF_LINE __attribute__((noinline))

/* The more frequent come first. */
static const struct extension {
	uint64_t id;
	enum axvm_verdict (*call)(struct axvm_vcpu *vcpu, uint64_t function);
} extensions[] = {
	{ SBI_IPI, axvm_sbi_ipi },   { SBI_RFENCE, axvm_sbi_rfence },
	{ SBI_DBCN, axvm_sbi_dbcn }, { SBI_HVC, axvm_sbi_hypercall },
	{ SBI_HSM, axvm_sbi_hsm },   { SBI_PMU, axvm_sbi_pmu },
	{ SBI_BASE, axvm_sbi_base }, { SBI_TIME, axvm_sbi_time },
	{ SBI_SRST, axvm_sbi_srst }, { SBI_SUSP, axvm_sbi_susp },
};

static const struct extension *find(uint64_t id)
{
	for (unsigned i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (extensions[i].id == id)
			return &extensions[i];
	}
	return NULL;
}

enum axvm_verdict axvm_sbi_base(struct axvm_vcpu *vcpu, uint64_t function)
{
	const struct axvm_riscv64_host *host = axvm_hal_riscv64_host();
	uint64_t asked = axvm_sbi_argument(vcpu, 0);

	switch (function) {
	case BASE_GET_SPEC_VERSION:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, SPEC_2_0);
	case BASE_GET_IMPL_ID:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, IMPL_ID);
	case BASE_GET_IMPL_VERSION:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, IMPL_VERSION);
	case BASE_PROBE_EXTENSION:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS,
				       asked <= SBI_LEGACY_LAST || find(asked) != NULL);
	case BASE_GET_MVENDORID:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, host->mvendorid);
	case BASE_GET_MARCHID:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, host->marchid);
	case BASE_GET_MIMPID:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, host->mimpid);
	default:
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	}
}

enum axvm_verdict axvm_sbi_srst(struct axvm_vcpu *vcpu, uint64_t function)
{
	uint64_t type = axvm_sbi_argument(vcpu, 0) & UINT32_MAX;
	uint64_t reason = axvm_sbi_argument(vcpu, 1) & UINT32_MAX;

	if (function != SRST_RESET)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	if (type > RESET_WARM || reason > REASON_LAST)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (type == RESET_SHUTDOWN)
		return axvm_sbi_leave(vcpu, AXVM_EXIT_SHUTDOWN);
	vcpu->exit.reset.type = type == RESET_COLD ? 0 : RESET_WARM;
	return axvm_sbi_leave(vcpu, AXVM_EXIT_RESET);
}

/* The function is the hypercall's number. a0 is the answer; a1 means nothing. */
enum axvm_verdict axvm_sbi_hypercall(struct axvm_vcpu *vcpu, uint64_t function)
{
	if (function >= HYPERCALLS_MAX)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	vcpu->exit.hypercall.number = function;
	for (unsigned i = 0; i < 6; i++)
		vcpu->exit.hypercall.args[i] = axvm_sbi_argument(vcpu, i);
	vcpu->arch.x[SBI_A1] = 0;
	return axvm_sbi_leave(vcpu, AXVM_EXIT_HYPERCALL);
}

OUT_OF_LINE static enum axvm_verdict other_call(struct axvm_vcpu *vcpu, uint64_t id)
{
	const struct extension *extension = find(id);

	if (extension != NULL)
		return extension->call(vcpu, vcpu->arch.x[SBI_A6]);
	if (id < SBI_LEGACY_END)
		return axvm_sbi_legacy(vcpu, id);
	return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
}

enum axvm_verdict axvm_riscv64_call(struct axvm_vcpu *vcpu)
{
	uint64_t id = vcpu->arch.x[SBI_A7];
	uint64_t function = vcpu->arch.x[SBI_A6];

	vcpu->arch.pc += 4;
	if (id == SBI_TIME)
		return axvm_sbi_time(vcpu, function);
	if (id == SBI_BASE && function == BASE_GET_SPEC_VERSION)
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, SPEC_2_0);
	return other_call(vcpu, id);
}
