/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arm64 Image header [LINUX-BOOT], the first CPU's way into C (clears .bss, relocates) and the
 * other CPUs' (PSCI CPU_ON passes their struct guest_cpu in x0). Both arrive at EL1, MMU off.
 */
#include "offsets.h"

	.section .head, "ax"
	.globl _start
_start:
	b	first_cpu
	.long	0
	.quad	0			/* text_offset */
	.quad	__image_bytes
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0
	.quad	0
	.quad	0
	.ascii	"ARM\x64"
	.long	0

	.text
first_cpu:
	msr	daifset, #0xf
	mov	x20, x0			/* the device tree */
	adrp	x0, __bss_start
	add	x0, x0, :lo12:__bss_start
	adrp	x1, __bss_end
	add	x1, x1, :lo12:__bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b

2:	adrp	x2, _start		/* what was linked at 0 */
	adrp	x0, __rela_start
	add	x0, x0, :lo12:__rela_start
	adrp	x1, __rela_end
	add	x1, x1, :lo12:__rela_end
3:	cmp	x0, x1
	b.hs	4f
	ldp	x3, x4, [x0], #16	/* offset, kind */
	ldr	x5, [x0], #8		/* addend */
	cmp	w4, #1027		/* R_AARCH64_RELATIVE */
	b.ne	3b
	add	x5, x5, x2
	str	x5, [x2, x3]
	b	3b

4:	adrp	x19, guest_cpus
	add	x19, x19, :lo12:guest_cpus
	adrp	x0, guest_stacks + GUEST_STACK_BYTES
	add	x0, x0, :lo12:guest_stacks + GUEST_STACK_BYTES
	str	x0, [x19, #CPU_STACK]
	bl	enter_c
	bl	guest_mmu_build
	bl	guest_mmu_on
	mov	x0, x20
	bl	guest_first_cpu
	b	.

	.globl	guest_other_cpu_entry
guest_other_cpu_entry:
	msr	daifset, #0xf
	mov	x19, x0
	bl	enter_c
	bl	guest_mmu_on
	mov	x0, x19
	bl	guest_other_cpu
	b	.

/* x19: struct guest_cpu. */
enter_c:
	ldr	x0, [x19, #CPU_STACK]
	msr	spsel, #1
	mov	sp, x0
	msr	tpidr_el1, x19
	adrp	x0, guest_vectors
	add	x0, x0, :lo12:guest_vectors
	msr	vbar_el1, x0
	isb
	ret
