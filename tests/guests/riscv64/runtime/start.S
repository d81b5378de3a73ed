/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RISC-V Image header [LINUX-BOOT 6.12], the first CPU's way into C (clears .bss, relocates) and the
 * other CPUs' (SBI HSM passes their struct guest_cpu in a1). Both arrive in S mode, satp 0.
 */
#include "offsets.h"

	.section .head, "ax"
	.globl	_start
	.option norvc
_start:
	j	first_cpu
	nop
	.quad	0x200000		/* text_offset */
	.quad	__image_bytes
	.quad	0			/* little endian */
	.long	2			/* version 0.2 */
	.long	0
	.quad	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.long	0
	.option rvc

	.text
first_cpu:
	csrw	sie, zero
	csrci	sstatus, 2
	mv	s0, a0			/* hart */
	mv	s1, a1			/* the device tree */
	lla	t0, __bss_start
	lla	t1, __bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b

2:	lla	t2, _start		/* what was linked at 0 */
	lla	t0, __rela_start
	lla	t1, __rela_end
3:	bgeu	t0, t1, 4f
	ld	t3, 0(t0)		/* offset */
	lwu	t4, 8(t0)		/* kind */
	ld	t5, 16(t0)		/* addend */
	addi	t0, t0, 24
	addi	t4, t4, -3		/* R_RISCV_RELATIVE */
	bnez	t4, 3b
	add	t3, t3, t2
	add	t5, t5, t2
	sd	t5, 0(t3)
	j	3b

4:	lla	tp, guest_cpus
	lla	t0, guest_stacks
	li	t1, GUEST_STACK_BYTES
	add	t0, t0, t1
	sd	t0, CPU_STACK(tp)
	call	enter_c
	call	guest_mmu_build
	call	guest_mmu_on
	mv	a0, s1
	mv	a1, s0
	call	guest_first_cpu
	j	.

	.globl	guest_other_cpu_entry
	.balign	4
guest_other_cpu_entry:
	mv	tp, a1
	csrr	t0, satp
	csrr	t1, sstatus
	sd	a0, CPU_ARRIVED(tp)
	sd	t0, CPU_ARRIVED+8(tp)
	sd	t1, CPU_ARRIVED+16(tp)
	csrw	sie, zero
	call	enter_c
	call	guest_mmu_on
	mv	a0, tp
	call	guest_other_cpu
	j	.

/* tp: struct guest_cpu. */
enter_c:
	ld	sp, CPU_STACK(tp)
	lla	t0, guest_vector
	csrw	stvec, t0
	ret
