/* SPDX-License-Identifier: Apache-2.0 */
/* Every trap saves a struct guest_frame on the stack that is in use and calls guest_trap(frame). */
#include "offsets.h"

	.macro	each instruction
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\instruction x\n, 8*\n(sp)
	.endr
	.endm

	.text
	.globl	guest_vector
	.balign	4
guest_vector:
	addi	sp, sp, -FRAME_BYTES
	each	sd
	csrr	t0, sepc
	csrr	t1, sstatus
	sd	t0, 256(sp)
	sd	t1, 264(sp)
	mv	a0, sp
	call	guest_trap
	ld	t0, 256(sp)
	ld	t1, 264(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	each	ld
	addi	sp, sp, FRAME_BYTES
	sret
