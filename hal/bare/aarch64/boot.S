/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the arm64 Image header to C: page tables that map this image and the
 * RAM around it, the MMU, a stack. At EL1 the same happens with EL1's
 * registers, so that C can say that EL2 is missing.
 */
#include "layout.h"

#define PTE_TABLE 0x3
#define PTE_BLOCK 0x701			/* valid, AF, inner shareable, normal memory */
#define PTE_XN (1 << 54)
#define TCR_COMMON 0x3510		/* T0SZ 16, inner and outer WB, inner shareable, 4 KiB */

	.section .head.text, "ax"
	.global axvm_image_head
axvm_image_head:
	b	primary_start		/* [LINUX-BOOT] arm64 booting.rst, 4. */
	.long	0
	.quad	0			/* text_offset */
	.quad	axvm_image_bytes	/* image_size, .bss included */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/* x0: device tree (physical). MMU off. */
primary_start:
	msr	daifset, #0xf
	mov	x19, x0			/* device tree */
	adr	x20, axvm_image_head	/* physical base of the image */

	/* .bss is zero in memory, and no stale cache line hides that. */
	adrp	x0, axvm_bss_start
	adrp	x1, axvm_bss_end
1:	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	bl	make_boot_tables
	adrp	x0, axvm_bss_start
	adrp	x1, axvm_bss_end
	dsb	sy
2:	dc	ivac, x0
	add	x0, x0, #64
	cmp	x0, x1
	b.lo	2b
	dsb	sy

	bl	enable_mmu
	ldr	x8, =primary_virtual
	br	x8

primary_virtual:
	ldr	x8, =boot_stack_end
	mov	sp, x8
	mov	x29, xzr
	mov	x0, x19
	mov	x1, x20
	mrs	x2, currentel
	lsr	x2, x2, #2
	bl	axvm_hypervisor_main
	b	.

/*
 * Secondary CPUs, from PSCI: x0 is the physical address of a struct
 * axvm_bare_start {stack top, argument}, both virtual. The boot tables are
 * still there.
 */
	.global axvm_secondary_start
axvm_secondary_start:
	msr	daifset, #0xf
	ldp	x19, x20, [x0]
	bl	enable_mmu
	ldr	x8, =secondary_virtual
	br	x8

secondary_virtual:
	mov	x29, xzr
	mov	x0, x20
	/* The final tables, which map the stack. */
	ldr	x8, =axvm_bare_root
	ldr	x8, [x8]
	msr	ttbr0_el2, x8
	isb
	tlbi	alle2
	dsb	nsh
	isb
	mov	sp, x19
	bl	axvm_hypervisor_secondary
	b	.

/* _Noreturn void axvm_bare_go_on(uint64_t stack_top, void (*function)(void)) */
	.global axvm_bare_go_on
axvm_bare_go_on:
	mov	sp, x0
	mov	x29, xzr
	blr	x1
	b	.

/* Maps: this code at its physical address, the image, the GiB of the image and of the device tree. */
make_boot_tables:
	adrp	x0, boot_l0
	adrp	x1, boot_l1_identity
	adrp	x2, boot_l1_direct
	adrp	x3, boot_l1_image
	adrp	x4, boot_l2_image

	/* identity: L0[pa >> 39] -> L1[pa >> 30] = 1 GiB block */
	lsr	x5, x20, #39
	orr	x6, x1, #PTE_TABLE
	str	x6, [x0, x5, lsl #3]
	ubfx	x5, x20, #30, #9
	lsr	x6, x20, #30
	lsl	x6, x6, #30
	mov	x7, #PTE_BLOCK
	orr	x6, x6, x7
	str	x6, [x1, x5, lsl #3]

	/* direct map of the same GiB, and of the device tree's when it is in the same 512 GiB */
	mov	x9, #PTE_BLOCK
	orr	x9, x9, #PTE_XN
	lsr	x5, x20, #39
	add	x5, x5, #(AXVM_DIRECT_BASE >> 39)
	orr	x6, x2, #PTE_TABLE
	str	x6, [x0, x5, lsl #3]
	ubfx	x5, x20, #30, #9
	lsr	x6, x20, #30
	orr	x6, x9, x6, lsl #30
	str	x6, [x2, x5, lsl #3]
	ubfx	x5, x19, #30, #9
	lsr	x6, x19, #30
	orr	x6, x9, x6, lsl #30
	str	x6, [x2, x5, lsl #3]

	/* image: 2 MiB blocks from its physical base */
	ldr	x5, =AXVM_IMAGE_BASE
	lsr	x5, x5, #39
	orr	x6, x3, #PTE_TABLE
	str	x6, [x0, x5, lsl #3]
	orr	x6, x4, #PTE_TABLE
	str	x6, [x3]
	adrp	x5, axvm_image_end
	orr	x6, x20, x7
	mov	x8, x4
3:	str	x6, [x8], #8
	add	x6, x6, #0x200000
	cmp	x6, x5
	b.lo	3b
	ret

enable_mmu:
	adrp	x0, boot_l0
	ldr	x1, =AXVM_MAIR
	ldr	x2, =TCR_COMMON
	mrs	x3, id_aa64mmfr0_el1
	and	x3, x3, #0xf		/* PARange */
	mov	x4, #6
	cmp	x3, x4
	csel	x3, x3, x4, ls
	mrs	x4, currentel
	cmp	x4, #(2 << 2)
	b.ne	4f

	orr	x2, x2, x3, lsl #16	/* TCR_EL2.PS */
	ldr	x5, =0x80800000		/* RES1 */
	orr	x2, x2, x5
	msr	hcr_el2, xzr		/* E2H 0 */
	ldr	x5, =0x80000000		/* RW: EL1 is AArch64 */
	msr	hcr_el2, x5
	msr	mair_el2, x1
	msr	tcr_el2, x2
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	dsb	nsh
	ic	iallu
	dsb	nsh
	isb
	ldr	x5, =0x30c5183d		/* RES1, I, SA, C, A off, M [ARM D19.2.130] */
	bic	x5, x5, #2
	msr	sctlr_el2, x5
	isb
	ret

4:	orr	x2, x2, x3, lsl #32	/* TCR_EL1.IPS */
	orr	x2, x2, #(1 << 23)	/* EPD1 */
	msr	mair_el1, x1
	msr	tcr_el1, x2
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ldr	x5, =0x30d0183d		/* RES1, I, SA, C, M [ARM D19.2.129] */
	bic	x5, x5, #2
	msr	sctlr_el1, x5
	isb
	ret

	.section .bss
	.balign 4096
boot_l0:
	.skip 4096
boot_l1_identity:
	.skip 4096
boot_l1_direct:
	.skip 4096
boot_l1_image:
	.skip 4096
boot_l2_image:
	.skip 4096
boot_stack:
	.skip AXVM_STACK_BYTES
boot_stack_end:
