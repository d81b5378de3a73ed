/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the HS-mode trap vector enters. The functions run on the vCPU's CPU with interrupts masked,
 * x1 to x31 and pc in vcpu->arch.
 */
#ifndef AXVM_RISCV64_EXIT_H
#define AXVM_RISCV64_EXIT_H

#include <axvm/hal_riscv64.h>

#include "arch.h"
#include "regs.h"

/*
 * An exception from VS or VU mode, with scause, stval, htval and htinst. The world switch takes
 * requests afterwards (axvm_vcpu_take_requests). On the way back it loads x1, x2, x4 to x7, x10 to x17
 * and x28 to x31; a handler that changes another one (x3, x8, x9, x18 to x27) must say AXVM_ENTER_FULL.
 */
enum axvm_verdict axvm_riscv64_exit(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval,
				    uint64_t htval, uint64_t htinst);

/*
 * Makes the guest take an exception at VS level: vsstatus, vsepc, vscause, vstval, pc and privilege as
 * [RISCV-H 18.6] says. Bound, on the vCPU's CPU. Slow.
 */
void axvm_riscv64_inject(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval);
/* What a failed access on its behalf makes of it: its own faults go in, stage-2 ones as access faults. */
void axvm_riscv64_inject_trap(struct axvm_vcpu *vcpu, const struct axvm_riscv64_trap *trap);
/* The trapped instruction is illegal; `instruction` as stval of the trap, 0: unknown. */
void axvm_riscv64_inject_illegal(struct axvm_vcpu *vcpu, uint64_t instruction);

/* The trapped instruction, where the trap does not tell it. False: the guest has got why not, or tries again. */
bool axvm_riscv64_fetch(struct axvm_vcpu *vcpu, uint32_t *instruction);

/* WFI, and HSM's retentive suspend: leaves with AXVM_EXIT_HALT when there is nothing to do. PC is past it. */
enum axvm_verdict axvm_riscv64_wait(struct axvm_vcpu *vcpu);

/* call.c: ECALL from VS mode; steps over it. EID in a7, FID in a6, arguments in a0 to a5. */
enum axvm_verdict axvm_riscv64_call(struct axvm_vcpu *vcpu);

/* ---- irq.c: what a vCPU is asked to take ------------------------------------------------------- */

/* The controller's line to the vCPU (SEIP). Any CPU, controller's lock held or not. Idempotent. */
void axvm_riscv64_set_external(struct axvm_vcpu *vcpu, bool level);
/* One SSIP (an IPI). Any CPU. */
void axvm_riscv64_set_software(struct axvm_vcpu *vcpu);
/* The line of the SBI timer (STIP) where the host has no Sstc. Any CPU. */
void axvm_riscv64_set_timer(struct axvm_vcpu *vcpu, bool level);
/* No software interrupt, none enabled. Lines stay: they are their controller's. vCPU unbound. */
void axvm_riscv64_irq_reset(struct axvm_vcpu *vcpu);
/* Notes what hvip, vsie and vsip mean for axvm_arch_irq_pending, once sync or unbind has read them. */
void axvm_riscv64_irq_note(struct axvm_vcpu *vcpu);
/* HAL: the hardware interrupt file of an unbound vCPU has something to deliver. Any CPU. */
void axvm_riscv64_guest_file_signalled(struct axvm_vcpu *vcpu);

/*
 * HAL: an interrupt of the host that the VM has (axvm_hal_irq_attach) arrived; the host does not bring
 * it again before axvm_hal_riscv64_irq_complete. `edge`: an edge, otherwise the line is high until then.
 * Any CPU. AXVM_EINVAL: the VM has no such source.
 */
int axvm_riscv64_host_interrupt(struct axvm_vm *vm, uint32_t irq, bool edge);

#endif
