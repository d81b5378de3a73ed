/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the EL2 vectors enter: one function per kind of exit. They run on the
 * vCPU's CPU with interrupts masked, x0-x30, pc and pstate in vcpu->arch.
 */
#ifndef AXVM_AARCH64_EXIT_H
#define AXVM_AARCH64_EXIT_H

#include "arch.h"
#include "regs.h"

/*
 * A synchronous exception from EL1 or EL0, with ESR_EL2, FAR_EL2 and HPFAR_EL2.
 * The world switch takes requests afterwards (axvm_vcpu_take_requests). A handler that changes x19 to x29
 * must say AXVM_ENTER_FULL: the world switch keeps those in place otherwise.
 */
enum axvm_verdict axvm_aarch64_exit_sync(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					 uint64_t hpfar);

/* SError from the guest: injected back as a virtual SError. */
enum axvm_verdict axvm_aarch64_exit_serror(struct axvm_vcpu *vcpu, uint64_t esr);

/* The EL1 virtual timer's physical interrupt arrived and is active at the host's distributor. */
void axvm_aarch64_virtual_timer_fired(struct axvm_vcpu *vcpu);

/*
 * Bit n: the physical interrupt n, below 32, is active at the host on behalf of this vCPU, in a
 * list register or waiting for one. Unbind deactivates these on its CPU, bind makes them active
 * on its own, so that they neither fire again nor stay behind. Valid before bind, and after the
 * last axvm_hal_irq_sync and fill; a bit too many at unbind is harmless.
 */
uint32_t axvm_aarch64_linked_interrupts(const struct axvm_vcpu *vcpu);

/*
 * A passed-through SPI arrived from the host and is active there (priority dropped, not
 * deactivated): the guest's deactivation ends it. Any CPU. AXVM_EINVAL: the VM has no such line.
 */
int axvm_aarch64_physical_spi(struct axvm_vm *vm, uint32_t intid);

/* The maintenance interrupt: list registers have room again, or an end of interrupt is noted. */
void axvm_aarch64_maintenance(struct axvm_vcpu *vcpu);

/*
 * Makes the guest take a synchronous exception at EL1: ESR_EL1, FAR_EL1, ELR_EL1, SPSR_EL1, PSTATE
 * and PC as [ARM D1.3.1]. `esr` without its EC being checked. Bound, on the vCPU's CPU. Slow.
 */
void axvm_aarch64_inject_sync(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far);

/* The trapped instruction is UNDEFINED; `esr` is the trap's. PC is that of the instruction. */
void axvm_aarch64_inject_undefined(struct axvm_vcpu *vcpu, uint64_t esr);

/*
 * Goes past the trapped instruction, whose syndrome is `esr`; a software step is complete then.
 * skip_a64, skip_a32: the exception class, or PSTATE, has told which it is.
 */
void axvm_aarch64_skip_a32(struct axvm_vcpu *vcpu, uint64_t esr);
static inline void axvm_aarch64_skip_a64(struct axvm_vcpu *vcpu)
{
	uint64_t pc = vcpu->arch.pc;
	uint64_t pstate = vcpu->arch.pstate;

	vcpu->arch.pc = pc + 4;
	vcpu->arch.pstate = pstate & ~AXVM_AARCH64_PSTATE_SS;
}
static inline void axvm_aarch64_skip(struct axvm_vcpu *vcpu, uint64_t esr)
{
	if ((vcpu->arch.pstate & AXVM_AARCH64_PSTATE_A32) != 0)
		axvm_aarch64_skip_a32(vcpu, esr);
	else
		axvm_aarch64_skip_a64(vcpu);
}

/* WFI, and PSCI's standby: leaves with AXVM_EXIT_HALT when there is nothing to do. PC is past it. */
enum axvm_verdict axvm_aarch64_wait(struct axvm_vcpu *vcpu);

/* call.c: HVC or SMC; PC is past it. The number is in x0, the arguments in x1 and on. */
enum axvm_verdict axvm_aarch64_call(struct axvm_vcpu *vcpu);

#endif
