/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world switch. While the guest runs, SP_EL2 is the vCPU's address, so an
 * exit stores the general registers with no register to spare. The handlers
 * are C on the CPU's stack and keep x19 to x29 by the procedure call standard:
 * the way back loads them only when the handler says that it changed them.
 *
 * Requests of other CPUs are looked at last, before each entry.
 *
 * host_sp points at the saved frame of axvm_hal_vcpu_enter:
 *   [0] vCPU, [8] x30, [16] x19 ... [96] x29
 */
#include "offsets.h"

#define FRAME_BYTES 112

	.macro	store_x2_to_x29
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.endm

	.macro	save_guest
	stp	x0, x1, [sp, #0]
	store_x2_to_x29
	str	x30, [sp, #240]
	mrs	x4, elr_el2
	mrs	x5, spsr_el2
	stp	x4, x5, [sp, #AXVM_OFFSET_PC]
	mov	x0, sp
	ldr	x6, [sp, #AXVM_OFFSET_HOST_SP]
	mov	sp, x6
	.endm

	.section .text.hot, "ax"
	.balign 2048
	.global axvm_vectors
axvm_vectors:
	/* The current EL: whatever arrives here is a defect of the hypervisor. */
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7
	.balign 128
	sub	sp, sp, #272
	stp	x0, x1, [sp, #0]
	mov	x1, #\kind
	b	own_exception
	.endr

	/* A lower EL, AArch64 then AArch32 (at EL0). */
	.irp	width, 64, 32
	.balign 128
	save_guest
	mrs	x1, esr_el2
	mrs	x2, far_el2
	mrs	x3, hpfar_el2
	bl	axvm_aarch64_exit_sync
	b	after_exit

	.balign 128
	save_guest
	bl	axvm_bare_exit_irq
	b	after_exit

	.balign 128
	save_guest
	bl	axvm_bare_exit_irq
	b	after_exit

	.balign 128
	save_guest
	mrs	x1, esr_el2
	bl	axvm_aarch64_exit_serror
	b	after_exit
	.endr

after_exit:
	ldr	x9, [sp]
	ldr	w10, [x9, #AXVM_OFFSET_REQUESTS]
	cbnz	w0, after_exit_rare
	cbnz	w10, take_requests
	ldp	x10, x11, [x9, #AXVM_OFFSET_PC]
	msr	elr_el2, x10
	msr	spsr_el2, x11
	mov	sp, x9
load_caller_saved:
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldr	x18, [sp, #144]
	ldr	x30, [sp, #240]
	eret
	dsb	nsh			/* no speculation past the return */
	isb

after_exit_rare:
	cmp	w0, #1			/* AXVM_ENTER_FULL */
	b.ne	leave
	cbnz	w10, take_requests
enter_full:				/* x9: vCPU */
	ldp	x10, x11, [x9, #AXVM_OFFSET_PC]
	msr	elr_el2, x10
	msr	spsr_el2, x11
	mov	sp, x9
	ldp	x19, x20, [sp, #152]
	ldp	x21, x22, [sp, #168]
	ldp	x23, x24, [sp, #184]
	ldp	x25, x26, [sp, #200]
	ldp	x27, x28, [sp, #216]
	ldr	x29, [sp, #232]
	b	load_caller_saved

take_requests:
	mov	x0, x9
	bl	axvm_vcpu_take_requests
	ldr	x9, [sp]
	mov	w10, wzr
	b	after_exit_rare

/* void axvm_hal_vcpu_enter(struct axvm_vcpu *) */
	.global axvm_hal_vcpu_enter
axvm_hal_vcpu_enter:
	stp	x0, x30, [sp, #-FRAME_BYTES]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x29, [sp, #96]
	mov	x9, sp
	str	x9, [x0, #AXVM_OFFSET_HOST_SP]
	mov	x9, x0
	b	enter_full

leave:
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldr	x29, [sp, #96]
	ldp	x0, x30, [sp], #FRAME_BYTES
	ret

/* x0, x1 stored; x1: which vector. Stores the rest for the report. */
own_exception:
	store_x2_to_x29
	add	x2, sp, #272
	stp	x30, x2, [sp, #240]
	mov	x0, sp
	bl	axvm_bare_own_exception
	b	.

/* void axvm_bare_fp_save(struct axvm_aarch64_fp *), axvm_bare_fp_load */
	.arch	armv8-a+fp+simd
	.irp	op, save, load
	.global axvm_bare_fp_\op
axvm_bare_fp_\op:
	.ifc	\op, save
	stp	q0, q1, [x0, #0]
	stp	q2, q3, [x0, #32]
	stp	q4, q5, [x0, #64]
	stp	q6, q7, [x0, #96]
	stp	q8, q9, [x0, #128]
	stp	q10, q11, [x0, #160]
	stp	q12, q13, [x0, #192]
	stp	q14, q15, [x0, #224]
	stp	q16, q17, [x0, #256]
	stp	q18, q19, [x0, #288]
	stp	q20, q21, [x0, #320]
	stp	q22, q23, [x0, #352]
	stp	q24, q25, [x0, #384]
	stp	q26, q27, [x0, #416]
	stp	q28, q29, [x0, #448]
	stp	q30, q31, [x0, #480]
	mrs	x1, fpsr
	mrs	x2, fpcr
	str	x1, [x0, #512]
	str	x2, [x0, #520]
	.else
	ldp	q0, q1, [x0, #0]
	ldp	q2, q3, [x0, #32]
	ldp	q4, q5, [x0, #64]
	ldp	q6, q7, [x0, #96]
	ldp	q8, q9, [x0, #128]
	ldp	q10, q11, [x0, #160]
	ldp	q12, q13, [x0, #192]
	ldp	q14, q15, [x0, #224]
	ldp	q16, q17, [x0, #256]
	ldp	q18, q19, [x0, #288]
	ldp	q20, q21, [x0, #320]
	ldp	q22, q23, [x0, #352]
	ldp	q24, q25, [x0, #384]
	ldp	q26, q27, [x0, #416]
	ldp	q28, q29, [x0, #448]
	ldp	q30, q31, [x0, #480]
	ldr	x1, [x0, #512]
	ldr	x2, [x0, #520]
	msr	fpsr, x1
	msr	fpcr, x2
	.endif
	ret
	.endr
