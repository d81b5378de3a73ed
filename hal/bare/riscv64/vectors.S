/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world switch. While the guest runs, sscratch is the vCPU's address, and
 * in HS mode it is 0: one instruction tells where a trap comes from and gives
 * the register to store the others with. The handlers are C on the CPU's stack
 * and keep x8, x9 and x18 to x27 by the procedure call standard, and never use
 * x3: the way back loads them only when the handler says that it changed them.
 * hstatus and sstatus keep the privilege that sret goes back to.
 *
 * Requests of other CPUs are looked at last, before each entry. Interrupts stay
 * masked in HS mode; one that comes after that look is taken at the sret.
 *
 * host_sp points at the saved frame of axvm_hal_vcpu_enter:
 *   [0] vCPU, [8] x4, [16] x1, [24] x3, [32] x8, x9, [48] x18 ... [120] x27
 */
#include "offsets.h"

#define FRAME_BYTES 128

	.macro	store_all_but_a0
	sd	x1, 8(a0)
	sd	x2, 16(a0)
	sd	x3, 24(a0)
	sd	x4, 32(a0)
	sd	x5, 40(a0)
	sd	x6, 48(a0)
	sd	x7, 56(a0)
	sd	x8, 64(a0)
	sd	x9, 72(a0)
	.irp	n, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8 * \n(a0)
	.endr
	.endm

	.section .text.hot, "ax"
	.balign 64
	.global axvm_vectors
axvm_vectors:
	csrrw	a0, sscratch, a0
	beqz	a0, own_exception
	store_all_but_a0
	csrrw	t0, sscratch, zero
	csrr	t1, sepc
	ld	sp, AXVM_OFFSET_HOST_SP(a0)
	sd	t0, 80(a0)
	csrr	a1, scause
	sd	t1, AXVM_OFFSET_PC(a0)
	ld	tp, 8(sp)
	bltz	a1, interrupt
	csrr	a2, stval
	csrr	a3, AXVM_CSR_HTVAL
	csrr	a4, AXVM_CSR_HTINST
	jal	axvm_riscv64_exit	/* call is two instructions */
after_exit:
	ld	t0, 0(sp)
	lw	t1, AXVM_OFFSET_REQUESTS(t0)
	bnez	a0, after_exit_rare
	bnez	t1, take_requests
	ld	t1, AXVM_OFFSET_PC(t0)
	csrw	sscratch, t0
	csrw	sepc, t1
load_caller_saved:			/* x5: vCPU */
	ld	x1, 8(x5)
	ld	x2, 16(x5)
	ld	x4, 32(x5)
	ld	x6, 48(x5)
	ld	x7, 56(x5)
	.irp	n, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
	ld	x\n, 8 * \n(x5)
	.endr
	ld	x5, 40(x5)
	sret

interrupt:
	jal	axvm_bare_exit_irq
	j	after_exit

after_exit_rare:			/* t0: vCPU, t1: its requests */
	li	t2, 1			/* AXVM_ENTER_FULL */
	bne	a0, t2, leave
	bnez	t1, take_requests
enter_full:
	ld	t1, AXVM_OFFSET_PC(t0)
	csrw	sscratch, t0
	csrw	sepc, t1
	ld	x3, 24(t0)
	ld	x8, 64(t0)
	ld	x9, 72(t0)
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	ld	x\n, 8 * \n(t0)
	.endr
	j	load_caller_saved

take_requests:
	mv	a0, t0
	jal	axvm_vcpu_take_requests
	ld	t0, 0(sp)
	li	t1, 0
	j	after_exit_rare

/* void axvm_hal_vcpu_enter(struct axvm_vcpu *) */
	.global axvm_hal_vcpu_enter
axvm_hal_vcpu_enter:
	addi	sp, sp, -FRAME_BYTES
	sd	a0, 0(sp)
	sd	tp, 8(sp)
	sd	ra, 16(sp)
	sd	gp, 24(sp)
	sd	s0, 32(sp)
	sd	s1, 40(sp)
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	sd	x\n, 8 * (\n - 12)(sp)
	.endr
	sd	sp, AXVM_OFFSET_HOST_SP(a0)
	mv	t0, a0
	j	enter_full

leave:
	ld	ra, 16(sp)
	ld	gp, 24(sp)
	ld	s0, 32(sp)
	ld	s1, 40(sp)
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	ld	x\n, 8 * (\n - 12)(sp)
	.endr
	addi	sp, sp, FRAME_BYTES
	ret

/*
 * A defect of the hypervisor, with a0 in sscratch. The report is made on a stack
 * of its own, since the CPU's may be what has overflown: by the first that comes
 * here, and once. The address is what marks it as taken.
 */
own_exception:
	lla	a0, report_taken
	amoswap.d a0, a0, (a0)
	bnez	a0, 1f
	lla	a0, report_frame
	store_all_but_a0
	csrrw	t0, sscratch, zero
	sd	t0, 80(a0)
	lla	sp, report_stack_end
	call	axvm_bare_own_exception
1:	wfi
	j	1b

/* void axvm_bare_fp_save(struct axvm_riscv64_fp *), axvm_bare_fp_load; sstatus.FS is not 0 */
	.attribute arch, "rv64imafdcv1p0"
	.global axvm_bare_fp_save
axvm_bare_fp_save:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fsd	f\n, 8 * \n(a0)
	.endr
	csrr	t0, fcsr
	sd	t0, 256(a0)
	ret

	.global axvm_bare_fp_load
axvm_bare_fp_load:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fld	f\n, 8 * \n(a0)
	.endr
	ld	t0, 256(a0)
	csrw	fcsr, t0
	ret

/*
 * void axvm_bare_vector_save(struct axvm_riscv64_vector *), axvm_bare_vector_load; sstatus.VS is not 0.
 * Whole registers, whatever vtype says; vsetvl sets vl and vtype as they were [RISCV-U 31.6].
 */
	.global axvm_bare_vector_save
axvm_bare_vector_save:
	ld	t0, 0(a0)
	csrr	t1, vstart
	csrr	t2, vcsr
	csrr	t3, vl
	csrr	t4, vtype
	csrr	t5, vlenb
	sd	t1, 8(a0)
	sd	t2, 16(a0)
	sd	t3, 24(a0)
	sd	t4, 32(a0)
	slli	t5, t5, 3
	csrw	vstart, zero
	.irp	n, 0, 8, 16, 24
	vs8r.v	v\n, (t0)
	add	t0, t0, t5
	.endr
	ret

	.global axvm_bare_vector_load
axvm_bare_vector_load:
	ld	t0, 0(a0)
	csrr	t5, vlenb
	slli	t5, t5, 3
	csrw	vstart, zero
	.irp	n, 0, 8, 16, 24
	vl8re8.v v\n, (t0)
	add	t0, t0, t5
	.endr
	ld	t1, 8(a0)
	ld	t2, 16(a0)
	ld	t3, 24(a0)
	ld	t4, 32(a0)
	vsetvl	zero, t3, t4
	csrw	vcsr, t2
	csrw	vstart, t1
	ret

	.section .bss
	.balign 16
report_taken:
	.skip 16
report_frame:
	.skip 256
	.skip 8192
report_stack_end:
