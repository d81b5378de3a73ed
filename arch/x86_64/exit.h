/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the world switches enter. The functions run on the vCPU's CPU with interrupts masked: gpr, rip
 * and rflags in vcpu->arch, the segment and control registers in the hardware until they are synced.
 */
#ifndef AXVM_X86_64_EXIT_H
#define AXVM_X86_64_EXIT_H

#include <axvm/hal_x86_64.h>

#include "arch.h"
#include "regs.h"

/*
 * An exit that is the guest's doing: vcpu->arch.exit says which. The world switch takes requests
 * afterwards (axvm_vcpu_take_requests). Of the general registers it loads those that the procedure call
 * standard does not keep; a handler that changes rbx, rbp or r12 to r15 must say AXVM_ENTER_FULL.
 */
enum axvm_verdict axvm_x86_64_exit(struct axvm_vcpu *vcpu);

/*
 * From the hardware's own record of an exit to vcpu->arch.exit and, when an event's delivery was cut off
 * by it, vcpu->arch.event. Pure: svm_exit.c over a VMCB's control area, vmx_exit.c over the exit fields.
 */
struct axvm_vmcb;
void axvm_x86_64_svm_decode(const struct axvm_vmcb *vmcb, struct axvm_arch_vcpu *arch);

struct axvm_vmx_exit_fields {
	uint64_t reason;
	uint64_t qualification;
	uint64_t gpa;
	uint64_t linear;
	uint64_t instruction_bytes;
	uint64_t instruction_info;
	uint64_t interruption_info;
	uint64_t interruption_error;
	uint64_t vectoring_info;
	uint64_t vectoring_error;
};
void axvm_x86_64_vmx_decode(const struct axvm_vmx_exit_fields *fields, struct axvm_arch_vcpu *arch);

/*
 * Goes past the instruction, whose length is known or is found out. The interrupt shadow ends with it: the back
 * end drops what the hardware holds of one when RIP is not where it was at the exit, in axvm_hal_irq_sync too. With
 * TF set a single-step trap follows.
 */
void axvm_x86_64_skip(struct axvm_vcpu *vcpu, unsigned bytes);
/* The length of the instruction that exited: the hardware's word, else decoded. 0: an exception was injected. */
unsigned axvm_x86_64_exit_length(struct axvm_vcpu *vcpu);

/*
 * Exceptions into the guest, double faults made of what [SDM3 6.15] says. An interrupt or NMI whose delivery was cut
 * off comes first: the instruction is then executed again, and faults again.
 */
void axvm_x86_64_inject_exception(struct axvm_vcpu *vcpu, uint8_t vector);
void axvm_x86_64_inject_error(struct axvm_vcpu *vcpu, uint8_t vector, uint32_t error_code);
void axvm_x86_64_inject_page_fault(struct axvm_vcpu *vcpu, uint64_t linear, uint32_t error_code);

/* HLT: leaves with AXVM_EXIT_HALT when there is nothing to do. RIP is past it. */
enum axvm_verdict axvm_x86_64_wait(struct axvm_vcpu *vcpu);

/*
 * irq.c. axvm_arch_irq_fill takes vcpu->arch.event, rflags, sys.interrupt_shadow and sys.nmi_masked as
 * axvm_hal_irq_sync leaves them; it fills the event when there is none, and says in wants_window whether
 * more waits: after a WINDOW exit it is called again, and after the guest's IRET when nmi_pending and
 * sys.nmi_masked are set. An NMI is given in an interrupt shadow too: the back end ends the shadow.
 * axvm_x86_64_irq_note: before the vCPU waits (HLT), and in axvm_arch_vcpu_unbound, so that others know what
 * wakes it.
 */
void axvm_x86_64_irq_note(struct axvm_vcpu *vcpu);
/* The PIC's output: to LINT0 of vCPU 0 and pin 0 of the IOAPIC. Any CPU; no lock of rank IRQ is held. */
void axvm_x86_64_pic_output(struct axvm_vm *vm, bool level);

/* control.c: MOV to and from CR and DR, CLTS, LMSW, XSETBV. */
enum axvm_verdict axvm_x86_64_cr_access(struct axvm_vcpu *vcpu);
enum axvm_verdict axvm_x86_64_dr_access(struct axvm_vcpu *vcpu);
enum axvm_verdict axvm_x86_64_xsetbv(struct axvm_vcpu *vcpu);
/* The instruction at RIP, fetched and decoded; registers are synced. False: an exception was injected. */
struct axvm_x86_instruction;
bool axvm_x86_64_fetch_exited(struct axvm_vcpu *vcpu, struct axvm_x86_instruction *instruction);

/* call.c: VMMCALL or VMCALL; RIP is past it. */
enum axvm_verdict axvm_x86_64_call(struct axvm_vcpu *vcpu);
/* mmio.c: an access to what is no memory: decoded, given to the bus, registers and flags written. */
enum axvm_verdict axvm_x86_64_mmio(struct axvm_vcpu *vcpu);
/* port.c: IN, OUT, INS, OUTS. */
enum axvm_verdict axvm_x86_64_port(struct axvm_vcpu *vcpu);

#endif
