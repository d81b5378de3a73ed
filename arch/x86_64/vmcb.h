/* SPDX-License-Identifier: Apache-2.0 */
/* The VMCB [APM2 B]: its layout, and the numbers that stand in it. */
#ifndef AXVM_X86_64_VMCB_H
#define AXVM_X86_64_VMCB_H

#include <stddef.h>

#include <axvm_arch_types.h>

/* EXITCODE [APM2 C]. */
enum axvm_svm_exit_code {
	AXVM_SVM_CR_READ = 0x000,  /* and the 15 after it */
	AXVM_SVM_CR_WRITE = 0x010, /* the same */
	AXVM_SVM_DR_READ = 0x020,
	AXVM_SVM_DR_WRITE = 0x030,
	AXVM_SVM_EXCEPTION = 0x040, /* and the 31 after it */
	AXVM_SVM_INTR = 0x060,
	AXVM_SVM_NMI = 0x061,
	AXVM_SVM_VINTR = 0x064,
	AXVM_SVM_CR0_SEL_WRITE = 0x065,
	AXVM_SVM_RDTSC = 0x06e,
	AXVM_SVM_RDPMC = 0x06f,
	AXVM_SVM_CPUID = 0x072,
	AXVM_SVM_RSM = 0x073,
	AXVM_SVM_INVD = 0x076,
	AXVM_SVM_PAUSE = 0x077,
	AXVM_SVM_HLT = 0x078,
	AXVM_SVM_INVLPGA = 0x07a,
	AXVM_SVM_IOIO = 0x07b,
	AXVM_SVM_MSR = 0x07c,
	AXVM_SVM_TASK_SWITCH = 0x07d,
	AXVM_SVM_SHUTDOWN = 0x07f,
	AXVM_SVM_VMRUN = 0x080,
	AXVM_SVM_VMMCALL = 0x081,
	AXVM_SVM_VMLOAD = 0x082,
	AXVM_SVM_VMSAVE = 0x083,
	AXVM_SVM_STGI = 0x084,
	AXVM_SVM_CLGI = 0x085,
	AXVM_SVM_SKINIT = 0x086,
	AXVM_SVM_RDTSCP = 0x087,
	AXVM_SVM_WBINVD = 0x089,
	AXVM_SVM_MONITOR = 0x08a,
	AXVM_SVM_MWAIT = 0x08b,
	AXVM_SVM_MWAIT_ARMED = 0x08c,
	AXVM_SVM_XSETBV = 0x08d,
	AXVM_SVM_RDPRU = 0x08e,
	AXVM_SVM_NPF = 0x400,
};
#define AXVM_SVM_INVALID UINT64_MAX

/* EXITINTINFO and EVENTINJ [APM2 15.20]. */
#define AXVM_SVM_EVENT_TYPE_SHIFT 8
#define AXVM_SVM_EVENT_HAS_ERROR ((uint64_t)1 << 11)
#define AXVM_SVM_EVENT_VALID ((uint64_t)1 << 31)
#define AXVM_SVM_EVENT_ERROR_SHIFT 32

/* interrupt_shadow. */
#define AXVM_SVM_SHADOW ((uint64_t)1 << 0)

struct axvm_vmcb_control {
	uint16_t intercept_cr_read;
	uint16_t intercept_cr_write;
	uint16_t intercept_dr_read;
	uint16_t intercept_dr_write;
	uint32_t intercept_exceptions;
	uint32_t intercept
		[3]; /* [0]: INTR to SHUTDOWN, [1]: VMRUN to CR writes after, [2]: the rest */
	uint8_t reserved_018[0x03c - 0x018];
	uint16_t pause_threshold;
	uint16_t pause_count;
	uint64_t iopm;
	uint64_t msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control; /* 8 bits, the rest reserved */
	uint64_t virtual_interrupt;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info_1;
	uint64_t exit_info_2;
	uint64_t exit_interrupt_info;
	uint64_t nested_paging;
	uint64_t avic_apic_bar;
	uint64_t ghcb;
	uint64_t event_injection;
	uint64_t nested_cr3;
	uint64_t virtualize;
	uint64_t clean_bits;
	uint64_t next_rip;
	uint8_t fetched_count;
	uint8_t fetched[15];
	uint64_t avic_backing_page;
	uint64_t reserved_0e8;
	uint64_t avic_logical_table;
	uint64_t avic_physical_table;
	uint8_t reserved_100[0x400 - 0x100];
};

struct axvm_vmcb_save {
	struct axvm_x86_segment es;
	struct axvm_x86_segment cs;
	struct axvm_x86_segment ss;
	struct axvm_x86_segment ds;
	struct axvm_x86_segment fs;
	struct axvm_x86_segment gs;
	struct axvm_x86_segment gdtr;
	struct axvm_x86_segment ldtr;
	struct axvm_x86_segment idtr;
	struct axvm_x86_segment tr;
	uint8_t reserved_0a0[0x0cb - 0x0a0];
	uint8_t cpl;
	uint32_t reserved_0cc;
	uint64_t efer;
	uint8_t reserved_0d8[0x148 - 0x0d8];
	uint64_t cr4;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t dr7;
	uint64_t dr6;
	uint64_t rflags;
	uint64_t rip;
	uint8_t reserved_180[0x1d8 - 0x180];
	uint64_t rsp;
	uint64_t s_cet;
	uint64_t ssp;
	uint64_t interrupt_ssp_table;
	uint64_t rax;
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_248[0x268 - 0x248];
	uint64_t pat;
	uint64_t debug_control;
	uint64_t branch_from;
	uint64_t branch_to;
	uint64_t exception_from;
	uint64_t exception_to;
	uint8_t reserved_298[0xc00 - 0x298];
};

struct axvm_vmcb {
	struct axvm_vmcb_control control;
	struct axvm_vmcb_save save;
};

#define AXVM_VMCB_AT(part, member, offset)                                    \
	_Static_assert(offsetof(struct axvm_vmcb_##part, member) == (offset), \
		       "the VMCB's layout: " #member)

_Static_assert(sizeof(struct axvm_x86_segment) == 16, "a VMCB's segment");
_Static_assert(sizeof(struct axvm_vmcb) == 4096, "a VMCB is a page");
_Static_assert(offsetof(struct axvm_vmcb, save) == 0x400, "the save area");
AXVM_VMCB_AT(control, intercept_dr_read, 0x004);
AXVM_VMCB_AT(control, intercept_exceptions, 0x008);
AXVM_VMCB_AT(control, intercept, 0x00c);
AXVM_VMCB_AT(control, pause_threshold, 0x03c);
AXVM_VMCB_AT(control, iopm, 0x040);
AXVM_VMCB_AT(control, msrpm, 0x048);
AXVM_VMCB_AT(control, tsc_offset, 0x050);
AXVM_VMCB_AT(control, asid, 0x058);
AXVM_VMCB_AT(control, tlb_control, 0x05c);
AXVM_VMCB_AT(control, virtual_interrupt, 0x060);
AXVM_VMCB_AT(control, interrupt_shadow, 0x068);
AXVM_VMCB_AT(control, exit_code, 0x070);
AXVM_VMCB_AT(control, exit_info_1, 0x078);
AXVM_VMCB_AT(control, exit_info_2, 0x080);
AXVM_VMCB_AT(control, exit_interrupt_info, 0x088);
AXVM_VMCB_AT(control, nested_paging, 0x090);
AXVM_VMCB_AT(control, avic_apic_bar, 0x098);
AXVM_VMCB_AT(control, event_injection, 0x0a8);
AXVM_VMCB_AT(control, nested_cr3, 0x0b0);
AXVM_VMCB_AT(control, virtualize, 0x0b8);
AXVM_VMCB_AT(control, clean_bits, 0x0c0);
AXVM_VMCB_AT(control, next_rip, 0x0c8);
AXVM_VMCB_AT(control, fetched_count, 0x0d0);
AXVM_VMCB_AT(control, avic_backing_page, 0x0e0);
AXVM_VMCB_AT(control, avic_logical_table, 0x0f0);
AXVM_VMCB_AT(control, avic_physical_table, 0x0f8);
AXVM_VMCB_AT(save, gdtr, 0x060);
AXVM_VMCB_AT(save, ldtr, 0x070);
AXVM_VMCB_AT(save, idtr, 0x080);
AXVM_VMCB_AT(save, tr, 0x090);
AXVM_VMCB_AT(save, cpl, 0x0cb);
AXVM_VMCB_AT(save, efer, 0x0d0);
AXVM_VMCB_AT(save, cr4, 0x148);
AXVM_VMCB_AT(save, cr0, 0x158);
AXVM_VMCB_AT(save, dr7, 0x160);
AXVM_VMCB_AT(save, rflags, 0x170);
AXVM_VMCB_AT(save, rip, 0x178);
AXVM_VMCB_AT(save, rsp, 0x1d8);
AXVM_VMCB_AT(save, rax, 0x1f8);
AXVM_VMCB_AT(save, star, 0x200);
AXVM_VMCB_AT(save, kernel_gs_base, 0x220);
AXVM_VMCB_AT(save, sysenter_cs, 0x228);
AXVM_VMCB_AT(save, cr2, 0x240);
AXVM_VMCB_AT(save, pat, 0x268);
AXVM_VMCB_AT(save, exception_to, 0x290);

#endif
