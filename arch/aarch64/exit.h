/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the EL2 vectors enter: one function per kind of exit. They run on the
 * vCPU's CPU with interrupts masked, x0-x30, pc and pstate in vcpu->arch.
 */
#ifndef AXVM_AARCH64_EXIT_H
#define AXVM_AARCH64_EXIT_H

#include "arch.h"

/*
 * A synchronous exception from EL1 or EL0, with ESR_EL2, FAR_EL2 and HPFAR_EL2.
 * Takes requests before it says AXVM_ENTER. A handler that changes x19 to x29
 * must say AXVM_ENTER_FULL: the world switch keeps those in place otherwise.
 */
enum axvm_verdict axvm_aarch64_exit_sync(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					 uint64_t hpfar);

/* SError from the guest: injected back as a virtual SError. */
enum axvm_verdict axvm_aarch64_exit_serror(struct axvm_vcpu *vcpu, uint64_t esr);

/* The EL1 virtual timer's physical interrupt arrived and is active at the host's distributor. */
void axvm_aarch64_virtual_timer_fired(struct axvm_vcpu *vcpu);

/* The maintenance interrupt: list registers have room again, or an end of interrupt is noted. */
void axvm_aarch64_maintenance(struct axvm_vcpu *vcpu);

#endif
