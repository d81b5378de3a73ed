/* SPDX-License-Identifier: Apache-2.0 */
/* memcpy, memmove, memset, memcmp: what a freestanding compiler and the library call. */
	.section .text.string, "ax"

/* x0: to, x1: from, x2: bytes. Keeps x0. */
	.global memcpy
memcpy:
	mov	x3, x0
1:	cmp	x2, #64
	b.lo	2f
	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	stp	x4, x5, [x3]
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	add	x1, x1, #64
	add	x3, x3, #64
	sub	x2, x2, #64
	b	1b
2:	cmp	x2, #8
	b.lo	3f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
	sub	x2, x2, #8
	b	2b
3:	cbz	x2, 4f
	ldrb	w4, [x1], #1
	strb	w4, [x3], #1
	sub	x2, x2, #1
	b	3b
4:	ret

	.global memmove
memmove:
	sub	x3, x0, x1
	cmp	x3, x2
	b.hs	memcpy			/* the target does not begin inside the source */
	add	x3, x0, x2
	add	x1, x1, x2
1:	cmp	x2, #8
	b.lo	2f
	ldr	x4, [x1, #-8]!
	str	x4, [x3, #-8]!
	sub	x2, x2, #8
	b	1b
2:	cbz	x2, 3f
	ldrb	w4, [x1, #-1]!
	strb	w4, [x3, #-1]!
	sub	x2, x2, #1
	b	2b
3:	ret

/* x0: to, w1: byte, x2: bytes. Large zero fills go by the block of DC ZVA. */
	.global memset
memset:
	mov	x3, x0
	and	x1, x1, #0xff
	orr	x1, x1, x1, lsl #8
	orr	x1, x1, x1, lsl #16
	orr	x1, x1, x1, lsl #32
	cmp	x2, #1024
	b.lo	3f
	cbnz	x1, 3f
	mrs	x4, dczid_el0
	tbnz	x4, #4, 3f		/* prohibited */
	and	x4, x4, #0xf
	mov	x5, #4
	lsl	x5, x5, x4		/* block bytes */
	sub	x6, x5, #1
1:	tst	x3, x6
	b.eq	2f
	strb	wzr, [x3], #1
	sub	x2, x2, #1
	b	1b
2:	lsl	x7, x5, #4
4:	cmp	x2, x7
	b.lo	3f
	.rept	16
	dc	zva, x3
	add	x3, x3, x5
	.endr
	sub	x2, x2, x7
	b	4b
3:	cmp	x2, #16
	b.lo	5f
	stp	x1, x1, [x3], #16
	sub	x2, x2, #16
	b	3b
5:	cbz	x2, 6f
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	5b
6:	ret

	.global memcmp
memcmp:
1:	cbz	x2, 2f
	ldrb	w3, [x0], #1
	ldrb	w4, [x1], #1
	sub	x2, x2, #1
	cmp	w3, w4
	b.eq	1b
	sub	w0, w3, w4
	ret
2:	mov	w0, wzr
	ret
