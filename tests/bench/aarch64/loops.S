/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured loops. Each is uint64_t bench_<row>(uint64_t count, uint64_t a, uint64_t b): runs its
 * body `count` times and returns the ticks of CNTVCT_EL0 that passed. What is in a loop beside the
 * measured instruction is said at the loop (bench.c takes it off again).
 */
	.macro	loop_begin name
	.text
	.balign	64
	.globl	bench_\name
bench_\name:
	mov	x12, x0
	mov	x13, x1
	mov	x14, x2
	mrs	x15, cntvct_el0
	isb
	.balign	64
1:
	.endm

	.macro	loop_end
	subs	x12, x12, #1
	b.ne	1b
	mrs	x0, cntvct_el0
	sub	x0, x0, x15
	ret
	.endm

	loop_begin empty		/* subs, b.ne: in every loop */
	loop_end

	loop_begin ten_nops
	.rept	10
	nop
	.endr
	loop_end

	loop_begin hvc			/* beside it: mov */
	mov	x0, x13
	hvc	#0
	loop_end

	loop_begin smc			/* beside it: mov */
	mov	x0, x13
	.inst	0xd4000003		/* smc #0 */
	loop_end

	loop_begin read			/* a: address */
	ldr	w0, [x13]
	loop_end

	loop_begin write		/* a: address, b: value */
	str	w14, [x13]
	loop_end

	loop_begin id_register
	mrs	x0, id_aa64mmfr0_el1
	loop_end

/* From sending until the handler has ended the interrupt and returned. Beside it: mov. */
	loop_begin sgi			/* a: value for ICC_SGI1R_EL1 */
	mov	w10, #0
	msr	s3_0_c12_c11_5, x13
2:	cbz	w10, 2b
	loop_end

/* The timer is due at the moment it is enabled; its handler disables it and ends the interrupt. */
	loop_begin timer		/* a: 1, CVAL is 0; beside it: mov */
	mov	w10, #0
	msr	cntv_ctl_el0, x13
2:	cbz	w10, 2b
	loop_end

	.macro	unexpected
	.balign	128
	b	.
	.endm

	.balign	2048
	.globl	bench_vectors
bench_vectors:
	unexpected
	unexpected
	unexpected
	unexpected
	unexpected			/* synchronous, this level */
	.balign	128			/* IRQ, this level */
	mrs	x9, s3_0_c12_c12_0	/* ICC_IAR1_EL1 */
	msr	s3_0_c12_c12_1, x9	/* ICC_EOIR1_EL1 */
	mov	w10, #1
	eret
	.rept	10
	unexpected
	.endr

	.balign	2048
	.globl	bench_timer_vectors
bench_timer_vectors:
	.rept	5
	unexpected
	.endr
	.balign	128
	mrs	x9, s3_0_c12_c12_0
	msr	cntv_ctl_el0, xzr
	msr	s3_0_c12_c12_1, x9
	mov	w10, #1
	eret
	.rept	10
	unexpected
	.endr
