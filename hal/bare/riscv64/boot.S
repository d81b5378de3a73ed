/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the RISC-V Image header to C: page tables that map this image, the RAM
 * around it and the device tree, translation, a stack. Nothing here needs the
 * hypervisor extension, so that C can say that it is missing.
 */
#include "layout.h"

#define PTE_TABLE 0x01
#define PTE_RWX 0xef
#define PTE_RW 0xe7
#define GIB_SHIFT 30
#define DIRECT_GIBS (AXVM_DIRECT_LIMIT >> GIB_SHIFT)
#define DIRECT_ENTRY 256		/* of the root: where the upper half begins */
#define SBI_CONSOLE_PUTCHAR 1		/* legacy [SBI 5.2] */

	.section .head.text, "ax"
	.global axvm_image_head
axvm_image_head:
	.option	push
	.option	norvc
	j	primary_start		/* [LINUX-BOOT] boot-image-header.rst */
	nop
	.option	pop
	.quad	0x200000		/* text_offset: from the start of RAM, where firmware puts it */
	.quad	axvm_image_bytes	/* image_size, .bss included */
	.quad	0			/* little endian */
	.long	2			/* version 0.2 */
	.long	0
	.quad	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.long	0

/* a0: hart id, a1: device tree (physical). Translation off. */
	.balign	4
primary_start:
	csrw	sie, zero
	csrci	sstatus, 2		/* SIE */
	csrw	sscratch, zero		/* no vCPU */
	mv	tp, zero		/* no struct axvm_cpu yet */
	mv	s0, a0
	mv	s1, a1			/* device tree */
	lla	s2, axvm_image_head	/* physical base of the image */

	lla	t0, axvm_bss_start
	lla	t1, axvm_bss_end
1:	sd	zero, 0(t0)
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	addi	t0, t0, 32
	bltu	t0, t1, 1b
	lla	t0, axvm_bare_boot_hart
	sd	s0, 0(t0)

	/* The direct map must hold both. */
	srli	t0, s2, GIB_SHIFT
	srli	t1, s1, GIB_SHIFT
	li	t2, DIRECT_GIBS
	bgeu	t0, t2, too_high
	bgeu	t1, t2, too_high

	jal	make_boot_tables
	lla	a2, boot_root
	srli	a2, a2, 12
	li	t0, 1
	slli	t0, t0, AXVM_SATP_SV39_SHIFT
	or	a2, a2, t0
	lla	t0, to_primary
	ld	a3, 0(t0)
	j	enable_mmu

	.balign	4
primary_virtual:
	lla	sp, boot_stack_end
	mv	s0, zero
	lla	t0, axvm_vectors
	csrw	stvec, t0
	mv	a0, s1
	mv	a1, s2
	call	axvm_hypervisor_main
1:	wfi
	j	1b

/*
 * Other harts, from SBI HSM: a0 hart id, a1 the physical address of a struct
 * axvm_bare_start {stack top, argument, satp}, the first two virtual.
 */
	.global axvm_secondary_start
	.balign	4
axvm_secondary_start:
	csrw	sie, zero
	csrci	sstatus, 2
	csrw	sscratch, zero
	ld	s1, 0(a1)
	ld	s2, 8(a1)
	ld	a2, 16(a1)
	lla	t0, to_secondary
	ld	a3, 0(t0)
	j	enable_mmu

	.balign	4
secondary_virtual:
	mv	sp, s1
	mv	s0, zero
	lla	t0, axvm_vectors
	csrw	stvec, t0
	mv	tp, s2
	mv	a0, s2
	call	axvm_hypervisor_secondary
1:	wfi
	j	1b

/*
 * a2: satp, a3: where to go on, virtual. The physical address of the next
 * instruction is not mapped: its fetch traps to stvec, which is a3.
 */
	.balign	4
enable_mmu:
	csrw	stvec, a3
	sfence.vma
	csrw	satp, a2
	sfence.vma
	/* An address that both have in common, or a hart without Sv39, which has not written satp. */
	jr	a3

/* _Noreturn void axvm_bare_go_on(uint64_t stack_top, void (*function)(void)) */
	.global axvm_bare_go_on
axvm_bare_go_on:
	mv	sp, a0
	mv	s0, zero
	jalr	a1
1:	wfi
	j	1b

/*
 * Maps the image, by 2 MiB; and directly the GiB of the image, that of the
 * device tree and the one after it, into which a tree may reach.
 */
make_boot_tables:
	lla	t0, boot_root
	lla	t1, boot_image
	lla	t2, axvm_image_end

	li	t3, AXVM_IMAGE_BASE >> GIB_SHIFT
	slli	t3, t3, 3
	add	t3, t0, t3
	srli	t4, t1, 2
	ori	t4, t4, PTE_TABLE
	sd	t4, 0(t3)
	srli	t3, s2, 2
	ori	t3, t3, PTE_RWX
	mv	t4, s2
	li	t5, 0x200000
	srli	t6, t5, 2
1:	sd	t3, 0(t1)
	addi	t1, t1, 8
	add	t3, t3, t6
	add	t4, t4, t5
	bltu	t4, t2, 1b

	lla	t0, boot_root + DIRECT_ENTRY * 8
	srli	t1, s2, GIB_SHIFT
	srli	t2, s1, GIB_SHIFT
	li	t3, DIRECT_GIBS - 1
	slli	t4, t1, 3
	add	t4, t0, t4
	slli	t5, t1, GIB_SHIFT - 2
	ori	t5, t5, PTE_RW
	sd	t5, 0(t4)
	slli	t4, t2, 3
	add	t4, t0, t4
	slli	t5, t2, GIB_SHIFT - 2
	ori	t5, t5, PTE_RW
	sd	t5, 0(t4)
	bgeu	t2, t3, 2f
	li	t6, 1 << (GIB_SHIFT - 2)
	add	t5, t5, t6
	sd	t5, 8(t4)
2:	ret

/* There is neither a map nor C yet. */
too_high:
	lla	s0, too_high_text
1:	lbu	a0, 0(s0)
	beqz	a0, 2f
	li	a7, SBI_CONSOLE_PUTCHAR
	ecall
	addi	s0, s0, 1
	j	1b
2:	wfi
	j	2b
too_high_text:
	.asciz	"axvm: loaded, or given a device tree, beyond the 256 GiB that its map reaches\r\n"

	.balign	8
to_primary:
	.quad	primary_virtual
to_secondary:
	.quad	secondary_virtual

	.section .bss
	.balign 4096
boot_root:
	.skip 4096
boot_image:
	.skip 4096
boot_stack:
	.skip AXVM_STACK_BYTES
boot_stack_end:
	.global axvm_bare_boot_hart
	.balign 8
axvm_bare_boot_hart:
	.skip 8
