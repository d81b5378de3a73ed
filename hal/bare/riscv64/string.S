/* SPDX-License-Identifier: Apache-2.0 */
/* memcpy, memmove, memset, memcmp: what a freestanding compiler and the library call. */
	.section .text.string, "ax"

/*
 * a0: to, a1: from, a2: bytes. Keeps a0. Doublewords, or words (images in a bundle), where both can be
 * aligned together.
 */
	.global memcpy
memcpy:
	mv	a3, a0
	xor	t0, a0, a1
	andi	t1, t0, 3
	bnez	t1, 4f
	andi	t0, t0, 4
	bnez	t0, 8f
1:	andi	t0, a3, 7
	beqz	t0, 2f
	beqz	a2, 5f
	lbu	t1, 0(a1)
	sb	t1, 0(a3)
	addi	a1, a1, 1
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	1b
2:	li	t0, 64
3:	bltu	a2, t0, 6f
	ld	t1, 0(a1)
	ld	t2, 8(a1)
	ld	t3, 16(a1)
	ld	t4, 24(a1)
	ld	t5, 32(a1)
	ld	t6, 40(a1)
	ld	a4, 48(a1)
	ld	a5, 56(a1)
	sd	t1, 0(a3)
	sd	t2, 8(a3)
	sd	t3, 16(a3)
	sd	t4, 24(a3)
	sd	t5, 32(a3)
	sd	t6, 40(a3)
	sd	a4, 48(a3)
	sd	a5, 56(a3)
	addi	a1, a1, 64
	addi	a3, a3, 64
	addi	a2, a2, -64
	j	3b
6:	li	t0, 8
7:	bltu	a2, t0, 4f
	ld	t1, 0(a1)
	sd	t1, 0(a3)
	addi	a1, a1, 8
	addi	a3, a3, 8
	addi	a2, a2, -8
	j	7b
4:	beqz	a2, 5f
	lbu	t1, 0(a1)
	sb	t1, 0(a3)
	addi	a1, a1, 1
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	4b
5:	ret

8:	andi	t0, a3, 3
	beqz	t0, 9f
	beqz	a2, 5b
	lbu	t1, 0(a1)
	sb	t1, 0(a3)
	addi	a1, a1, 1
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	8b
9:	li	t0, 32
10:	bltu	a2, t0, 4b
	lw	t1, 0(a1)
	lw	t2, 4(a1)
	lw	t3, 8(a1)
	lw	t4, 12(a1)
	lw	t5, 16(a1)
	lw	t6, 20(a1)
	lw	a4, 24(a1)
	lw	a5, 28(a1)
	sw	t1, 0(a3)
	sw	t2, 4(a3)
	sw	t3, 8(a3)
	sw	t4, 12(a3)
	sw	t5, 16(a3)
	sw	t6, 20(a3)
	sw	a4, 24(a3)
	sw	a5, 28(a3)
	addi	a1, a1, 32
	addi	a3, a3, 32
	addi	a2, a2, -32
	j	10b

	.global memmove
memmove:
	sub	a3, a0, a1
	bgeu	a3, a2, memcpy		/* the target does not begin inside the source */
	add	a3, a0, a2
	add	a1, a1, a2
	xor	t0, a3, a1
	andi	t0, t0, 7
	bnez	t0, 3f
1:	andi	t0, a3, 7
	beqz	t0, 2f
	beqz	a2, 4f
	addi	a1, a1, -1
	addi	a3, a3, -1
	lbu	t1, 0(a1)
	sb	t1, 0(a3)
	addi	a2, a2, -1
	j	1b
2:	li	t0, 8
5:	bltu	a2, t0, 3f
	addi	a1, a1, -8
	addi	a3, a3, -8
	ld	t1, 0(a1)
	sd	t1, 0(a3)
	addi	a2, a2, -8
	j	5b
3:	beqz	a2, 4f
	addi	a1, a1, -1
	addi	a3, a3, -1
	lbu	t1, 0(a1)
	sb	t1, 0(a3)
	addi	a2, a2, -1
	j	3b
4:	ret

/* a0: to, a1: byte, a2: bytes. Keeps a0. Whole pages of zeros by cache blocks, where harts have Zicboz. */
	.global memset
memset:
	mv	a3, a0
	andi	a1, a1, 0xff
	bnez	a1, 9f
	srli	t0, a2, 12
	beqz	t0, 9f
	lla	t0, axvm_bare_zero_block
	ld	t0, 0(t0)
	beqz	t0, 9f
	addi	t1, t0, -1
10:	and	t2, a3, t1		/* up to the first whole block */
	beqz	t2, 11f
	sb	zero, 0(a3)
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	10b
11:	slli	t1, t0, 2
	bltu	a2, t1, 9f
	sub	t2, a2, t1
	add	t2, t2, a3		/* four whole blocks may begin here at the latest */
12:	.rept	4
	.insn i	0x0f, 2, x0, a3, 4	/* cbo.zero (a3) [RISCV-U 19.3] */
	add	a3, a3, t0
	.endr
	bleu	a3, t2, 12b
	add	a2, t2, t1
	sub	a2, a2, a3
9:
	slli	t0, a1, 8
	or	a1, a1, t0
	slli	t0, a1, 16
	or	a1, a1, t0
	slli	t0, a1, 32
	or	a1, a1, t0
1:	andi	t0, a3, 7
	beqz	t0, 2f
	beqz	a2, 5f
	sb	a1, 0(a3)
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	1b
2:	li	t0, 128
3:	bltu	a2, t0, 6f
	.irp	n, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
	sd	a1, \n(a3)
	.endr
	addi	a3, a3, 128
	addi	a2, a2, -128
	j	3b
6:	li	t0, 8
7:	bltu	a2, t0, 4f
	sd	a1, 0(a3)
	addi	a3, a3, 8
	addi	a2, a2, -8
	j	7b
4:	beqz	a2, 5f
	sb	a1, 0(a3)
	addi	a3, a3, 1
	addi	a2, a2, -1
	j	4b
5:	ret

	.global memcmp
memcmp:
1:	beqz	a2, 2f
	lbu	t0, 0(a0)
	lbu	t1, 0(a1)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	beq	t0, t1, 1b
	sub	a0, t0, t1
	ret
2:	li	a0, 0
	ret

	.section .bss
	.balign 8
	.global axvm_bare_zero_block	/* bytes that cbo.zero clears; 0: harts have none */
axvm_bare_zero_block:
	.skip 8
