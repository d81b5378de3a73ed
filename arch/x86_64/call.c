/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMMCALL and VMCALL: axvm's own hypercalls, which the caller of axvm_vcpu_run answers. The number is in rax, the
 * arguments in rdi, rsi, rdx, rcx, r8 and r9, the answer in rax. Programs (CPL 3) have none.
 */
#include "exit.h"

#define HYPERCALLS_MAX 0xff00u
#define REFUSED UINT64_MAX

/* So that a call which is refused needs no stack frame. */
#define OUT_OF_LINE __attribute__((noinline))

OUT_OF_LINE static enum axvm_verdict leave(struct axvm_vcpu *vcpu)
{
	static const uint8_t arguments[] = {
		AXVM_X86_RDI, AXVM_X86_RSI, AXVM_X86_RDX, AXVM_X86_RCX, 8, 9
	};
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_hal_sysreg_sync(vcpu);
	if (arch->sys.cpl != 0) {
		arch->gpr[AXVM_X86_RAX] = REFUSED;
		return AXVM_ENTER;
	}
	vcpu->exit.hypercall.number = arch->gpr[AXVM_X86_RAX];
	for (unsigned i = 0; i < 6; i++)
		vcpu->exit.hypercall.args[i] = arch->gpr[arguments[i]];
	vcpu->exit.reason = AXVM_EXIT_HYPERCALL;
	return AXVM_LEAVE;
}

enum axvm_verdict axvm_x86_64_call(struct axvm_vcpu *vcpu)
{
	if (vcpu->arch.gpr[AXVM_X86_RAX] < HYPERCALLS_MAX)
		return leave(vcpu);
	vcpu->arch.gpr[AXVM_X86_RAX] = REFUSED;
	return AXVM_ENTER;
}
