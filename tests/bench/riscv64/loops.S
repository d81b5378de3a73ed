/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured loops. Each is uint64_t bench_<row>(uint64_t count, uint64_t a, uint64_t b): runs its
 * body `count` times and returns the ticks of `time` that passed. What is in a loop beside the
 * measured instruction is said at the loop (bench.c takes it off again). SBI changes a0 and a1 alone.
 */
	.equ	SSIE, 1 << 1
	.equ	STIE, 1 << 5

	.macro	loop_begin name
	.text
	.balign	64
	.globl	bench_\name
bench_\name:
	mv	t0, a0
	mv	t1, a1
	mv	t2, a2
	mv	a7, a1
	mv	a6, a2
	li	t4, STIE
	rdtime	t3
	.balign	64
1:
	.endm

	.macro	loop_end
	addi	t0, t0, -1
	bnez	t0, 1b
	rdtime	a0
	sub	a0, a0, t3
	ret
	.endm

	loop_begin empty		/* addi, bnez: in every loop */
	loop_end

	loop_begin ten_nops
	.rept	10
	nop
	.endr
	loop_end

	loop_begin call			/* a: extension, b: function */
	ecall
	loop_end

	loop_begin call_one		/* the same with an argument of ~0; beside it: li */
	li	a0, -1
	ecall
	loop_end

	loop_begin read_word		/* a: address */
	lw	a0, 0(t1)
	loop_end

	loop_begin read_byte		/* a: address */
	lbu	a0, 0(t1)
	loop_end

/* From sending until the handler has taken it and returned. Beside it: li, li, mv, li. */
	loop_begin ipi			/* a: SBI's extension, b: hart */
	li	t5, 0
	li	a0, 1
	mv	a1, t2
	li	a6, 0
	ecall
2:	beqz	t5, 2b
	loop_end

/* Due at the moment it is set; the handler masks it, as Linux does. Beside it: li, li, csrs. */
	loop_begin sbi_timer		/* a: SBI's extension, b: 0 */
	li	t5, 0
	csrs	sie, t4
	li	a0, 0
	ecall
2:	beqz	t5, 2b
	loop_end

/* The same without SBI; the handler sets it to never. Beside it: li. */
	loop_begin sstc_timer
	li	t5, 0
	csrw	0x14d, zero		/* stimecmp */
2:	beqz	t5, 2b
	loop_end

/* An MSI to the own file: a store, and no exit where the file is hardware's. Beside it: li. */
	loop_begin imsic_ipi		/* a: the file's page, b: identity */
	li	t5, 0
	sw	t2, 0(t1)
2:	beqz	t5, 2b
	loop_end

/* The machine's UART, told to interrupt when it is empty, which it is. Beside it: li. */
	loop_begin wired		/* a: the UART, b: IER.ETBEI */
	li	t5, 0
	sb	t2, 1(t1)
2:	beqz	t5, 2b
	loop_end

	.balign	4
	.globl	bench_ipi_vector
bench_ipi_vector:
	csrci	sip, SSIE
	li	t5, 1
	sret

	.balign	4
	.globl	bench_sbi_timer_vector
bench_sbi_timer_vector:
	csrc	sie, t4
	li	t5, 1
	sret

	.balign	4
	.globl	bench_sstc_timer_vector
bench_sstc_timer_vector:
	li	t5, -1
	csrw	0x14d, t5
	sret

	.balign	4
	.globl	bench_imsic_ipi_vector
bench_imsic_ipi_vector:
	csrw	0x15c, zero		/* stopei */
	li	t5, 1
	sret

	.balign	4
	.globl	bench_wired_vector
bench_wired_vector:
	sb	zero, 1(t1)
	csrw	0x15c, zero
	li	t5, 1
	sret
