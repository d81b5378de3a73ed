// SPDX-License-Identifier: Apache-2.0
/* The start of vCPU 0: chosen from what the VM was given, then brought into registers. */
#include "start.h"

#include <string.h>

#include "regs.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

#define MULTIBOOT_MAGIC 0x2badb002u

/* A file's entry point is for firmware, of ours or of others; for a kernel only if it lies in it. */
static uint64_t entry_in_kernel(const struct axvm_config *config, const struct axvm_plan *plan,
				uint64_t entry)
{
	if (config->has_entry && config->entry.addr >= plan->kernel_gpa &&
	    config->entry.addr - plan->kernel_gpa < plan->kernel.image_bytes)
		return config->entry.addr;
	return plan->kernel_gpa + entry;
}

void axvm_x86_64_start_choose(const struct axvm_config *config, const struct axvm_plan *plan,
			      uint64_t gpa, struct axvm_x86_start *start)
{
	const struct axvm_image_info *kernel = &plan->kernel;

	*start = (struct axvm_x86_start){ .gdt_gpa = gpa + AXVM_X86_BOOT_GDT };
	if (plan->bios_bytes > 0) {
		*start = (struct axvm_x86_start){ .mode = AXVM_X86_START_REAL, .rip = plan->entry };
	} else if (kernel->kind == AXVM_IMAGE_ELF && kernel->has_pvh && !config->has_entry) {
		start->mode = AXVM_X86_START_PROTECTED;
		start->rip = plan->kernel_gpa + kernel->pvh_entry;
		start->rbx = gpa + AXVM_X86_BOOT_START_INFO;
	} else if (kernel->kind == AXVM_IMAGE_RAW) {
		start->mode = AXVM_X86_START_PROTECTED;
		start->rip = entry_in_kernel(config, plan, 0);
		start->rax = MULTIBOOT_MAGIC;
		start->rbx = gpa + AXVM_X86_BOOT_MULTIBOOT;
	} else {
		start->mode = AXVM_X86_START_LONG;
		/* A bzImage has one 64-bit entry; its load address is what files often give. */
		start->rip = kernel->kind == AXVM_IMAGE_BZIMAGE
				     ? plan->kernel_gpa + kernel->entry
				     : entry_in_kernel(config, plan, kernel->entry);
		start->rsi = gpa + AXVM_X86_BOOT_ZERO_PAGE;
		start->cr3 = gpa + AXVM_X86_BOOT_TABLES;
	}
}

enum { /* attributes, see struct axvm_x86_segment */
       ATTRIBUTES_CODE_16 = 0x09b,
       ATTRIBUTES_CODE_32 = 0xc9b,
       ATTRIBUTES_CODE_64 = 0xa9b,
       ATTRIBUTES_DATA_16 = 0x093,
       ATTRIBUTES_DATA_32 = 0xc93,
       ATTRIBUTES_LDT = 0x082,
       ATTRIBUTES_TSS = 0x08b,
};

static const struct axvm_x86_segment real_data = { 0, ATTRIBUTES_DATA_16, 0xffff, 0 };
static const struct axvm_x86_segment flat_data = { AXVM_X86_BOOT_DATA, ATTRIBUTES_DATA_32,
						   UINT32_MAX, 0 };

static void set_segments(struct axvm_x86_sysregs *sys, const struct axvm_x86_segment *data)
{
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++)
		sys->segment[i] = *data;
	sys->ldtr = (struct axvm_x86_segment){ 0, ATTRIBUTES_LDT, 0xffff, 0 };
	sys->tr = (struct axvm_x86_segment){ 0, ATTRIBUTES_TSS, 0xffff, 0 };
	sys->gdtr = (struct axvm_x86_segment){ .limit = 0xffff };
	sys->idtr = (struct axvm_x86_segment){ .limit = 0xffff };
}

/*
 * As after power-on [SDM3 9.1.1], but for where: below 1 MiB in the segment that has the address at its
 * 64 KiB boundary, above with a base that no selector could give, as the reset vector has.
 */
static void apply_real(const struct axvm_x86_start *start, struct axvm_arch_vcpu *arch)
{
	uint64_t base = axvm_align_down(start->rip, 64 * KIB);
	bool is_high = base >= MIB;

	set_segments(&arch->sys, &real_data);
	arch->sys.segment[AXVM_X86_CS] = (struct axvm_x86_segment){
		.selector = is_high ? 0xf000 : (uint16_t)(base >> 4),
		.attributes = ATTRIBUTES_CODE_16,
		.limit = 0xffff,
		.base = base,
	};
	arch->rip = start->rip - base;
	arch->sys.cr0 = AXVM_X86_CR0_CD | AXVM_X86_CR0_NW | AXVM_X86_CR0_ET;
}

static void apply_flat(const struct axvm_x86_start *start, struct axvm_arch_vcpu *arch)
{
	bool is_long = start->mode == AXVM_X86_START_LONG;
	struct axvm_x86_sysregs *sys = &arch->sys;

	set_segments(sys, &flat_data);
	sys->segment[AXVM_X86_CS].selector =
		is_long ? AXVM_X86_BOOT_CODE_64 : AXVM_X86_BOOT_CODE_32;
	sys->segment[AXVM_X86_CS].attributes = is_long ? ATTRIBUTES_CODE_64 : ATTRIBUTES_CODE_32;
	sys->tr = (struct axvm_x86_segment){ AXVM_X86_BOOT_TSS, ATTRIBUTES_TSS, 0x67, 0 };
	sys->gdtr = (struct axvm_x86_segment){ .limit = AXVM_X86_BOOT_GDT_BYTES - 1,
					       .base = start->gdt_gpa };
	sys->idtr = (struct axvm_x86_segment){ 0 };
	sys->cr0 = AXVM_X86_CR0_PE | AXVM_X86_CR0_ET | AXVM_X86_CR0_NE;
	arch->rip = start->rip;
	if (!is_long)
		return;
	sys->cr0 |= AXVM_X86_CR0_PG;
	sys->cr3 = start->cr3;
	sys->cr4 = AXVM_X86_CR4_PAE;
	sys->efer = AXVM_X86_EFER_LME | AXVM_X86_EFER_LMA;
}

void axvm_x86_64_start_apply(const struct axvm_x86_start *start, struct axvm_arch_vcpu *arch)
{
	memset(arch->gpr, 0, sizeof(arch->gpr));
	arch->gpr[AXVM_X86_RAX] = start->rax;
	arch->gpr[AXVM_X86_RBX] = start->rbx;
	arch->gpr[AXVM_X86_RSI] = start->rsi;
	arch->rflags = AXVM_X86_RFLAGS_FIXED;
	arch->sys.cr2 = 0;
	arch->sys.cr3 = 0;
	arch->sys.cr4 = 0;
	arch->sys.efer = 0;
	arch->sys.cpl = 0;
	arch->sys.interrupt_shadow = false;
	arch->sys.nmi_masked = false;
	if (start->mode == AXVM_X86_START_REAL)
		apply_real(start, arch);
	else
		apply_flat(start, arch);
}
