/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The x86_64 part of a vCPU and of a VM. gpr, rip, rflags and host_sp stay where they are: the world
 * switches of hal/bare/x86_64 are assembly and pin them (offsets.h).
 */
#ifndef AXVM_ARCH_TYPES_H
#define AXVM_ARCH_TYPES_H

#include <axvm/hal.h>

#include "intc/lapic.h"

/* As in a VMCB [APM2 15.5.1]: `attributes` are bits 55:52 and 47:40 of the descriptor, in 12 bits. */
struct axvm_x86_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

enum axvm_x86_segment_index { /* as instructions number them */
			      AXVM_X86_ES,
			      AXVM_X86_CS,
			      AXVM_X86_SS,
			      AXVM_X86_DS,
			      AXVM_X86_FS,
			      AXVM_X86_GS,
			      AXVM_X86_SEGMENTS,
};

/* What bind loads and unbind stores, and axvm_hal_sysreg_sync and flush between the two. */
struct axvm_x86_sysregs {
	struct axvm_x86_segment segment[AXVM_X86_SEGMENTS];
	struct axvm_x86_segment ldtr;
	struct axvm_x86_segment tr;
	struct axvm_x86_segment gdtr;
	struct axvm_x86_segment idtr;
	uint64_t cr0; /* as the guest sees it */
	uint64_t cr2;
	uint64_t cr3;
	uint64_t cr4;  /* as the guest sees it */
	uint64_t efer; /* as the guest sees it */
	uint64_t dr6;
	uint64_t dr7;
	uint64_t dr[4]; /* DR0 to DR3 */
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;
	uint64_t pat;
	uint32_t cpl;
	bool interrupt_shadow; /* after STI or MOV SS */
	bool nmi_masked;
};

/* What the guest takes when it is entered next; `type` as in EVENTINJ and the VM-entry field. */
enum axvm_x86_event_type {
	AXVM_X86_EVENT_INTERRUPT = 0,
	AXVM_X86_EVENT_NMI = 2,
	AXVM_X86_EVENT_EXCEPTION = 3,
	AXVM_X86_EVENT_SOFTWARE = 4, /* INT n, delivered again after an exit in the middle */
};

struct axvm_x86_event {
	bool valid;
	bool has_error_code;
	uint8_t vector;
	uint8_t type;
	uint8_t instruction_bytes; /* of SOFTWARE */
	uint32_t error_code;
};

/* What happened, whichever hardware told it. */
enum axvm_x86_exit_kind {
	AXVM_X86_EXIT_UNKNOWN,
	AXVM_X86_EXIT_CPUID,
	AXVM_X86_EXIT_HYPERCALL, /* VMMCALL, VMCALL */
	AXVM_X86_EXIT_RDMSR,
	AXVM_X86_EXIT_WRMSR,
	AXVM_X86_EXIT_IO,
	AXVM_X86_EXIT_NESTED_FAULT,
	AXVM_X86_EXIT_HLT,
	AXVM_X86_EXIT_PAUSE,
	AXVM_X86_EXIT_CR, /* MOV to or from, CLTS, LMSW */
	AXVM_X86_EXIT_DR,
	AXVM_X86_EXIT_XSETBV,
	AXVM_X86_EXIT_EXCEPTION,
	AXVM_X86_EXIT_INTERRUPT,      /* the host's */
	AXVM_X86_EXIT_NMI,	      /* the host's */
	AXVM_X86_EXIT_WINDOW,	      /* the guest can take an interrupt now */
	AXVM_X86_EXIT_SHUTDOWN,	      /* triple fault */
	AXVM_X86_EXIT_INVALIDATE,     /* INVD, WBINVD */
	AXVM_X86_EXIT_COUNTER,	      /* RDPMC, RDTSC, RDTSCP where they trap */
	AXVM_X86_EXIT_MONITOR,	      /* MONITOR, MWAIT */
	AXVM_X86_EXIT_VIRTUALIZATION, /* an instruction of SVM or VMX: the guest has neither */
	AXVM_X86_EXIT_TASK_SWITCH,
	AXVM_X86_EXIT_INVALID, /* the hardware refused the entry */
	AXVM_X86_EXIT_KINDS,
};

enum axvm_x86_counter { AXVM_X86_RDPMC, AXVM_X86_RDTSC, AXVM_X86_RDTSCP };

struct axvm_x86_exit {
	enum axvm_x86_exit_kind kind;
	uint8_t instruction_bytes; /* its length where the hardware says; 0: decode it */
	bool is_write;		   /* NESTED_FAULT, IO (out), CR (to) */
	bool is_fetch;		   /* NESTED_FAULT */
	bool is_walk;		   /* NESTED_FAULT: gpa is of the guest's page tables */
	bool is_string;		   /* IO: INS, OUTS */
	bool is_repeated;	   /* IO: REP */
	uint8_t bytes;		   /* IO: 1, 2, 4 */
	uint8_t address_bytes;	   /* IO string: 2, 4, 8; 0: unknown, decode it */
	uint8_t segment; /* IO string: enum axvm_x86_segment_index; 0xff: unknown, decode it */
	uint8_t index; /* CR, DR: its number. EXCEPTION: its vector. COUNTER: enum axvm_x86_counter */
	uint8_t reg;   /* CR, DR: general register, 0xff: unknown, decode it */
	uint16_t port;
	uint32_t error_code; /* EXCEPTION; NESTED_FAULT: as a page fault's */
	uint64_t gpa;	     /* NESTED_FAULT */
	uint64_t linear;     /* EXCEPTION 14: CR2 */
	uint64_t hardware;   /* exit code or reason, for reports */
	/* Instruction bytes that the hardware fetched (decode assists); count 0: fetch them. */
	uint8_t fetched_count;
	uint8_t fetched[15];
};

/*
 * Lengths of instructions that exit, where the hardware does not tell them: found out once per place. A
 * guest that puts another encoding of the same instruction there is stepped over by the old length.
 */
#define AXVM_X86_LENGTHS 16u
struct axvm_x86_length {
	uint64_t rip;
	uint8_t kind; /* enum axvm_x86_exit_kind */
	uint8_t bytes;
};

struct axvm_arch_vcpu {
	uint64_t gpr[16]; /* by number: rax rcx rdx rbx rsp rbp rsi rdi r8 ... */
	uint64_t rip;
	uint64_t rflags;
	uint64_t host_sp; /* the world switch's */
	void *hardware;	  /* the HAL's: VMCB or VMCS, mapped; a page of the VM's */
	struct axvm_hpa hardware_hpa;
	struct axvm_x86_event
		event;	   /* taken at the next entry; of the exit again when it was interrupted */
	bool wants_window; /* exit as soon as the guest can take an interrupt */
	bool nmi_pending;
	bool hlt_exits; /* always true at present; kept by axvm_bare_vcpu_set_shared */
	bool waits_for_sipi;
	_Atomic uint32_t init_sipi; /* AXVM_X86_INIT, and the SIPI's vector beside AXVM_X86_SIPI */
	_Atomic uint32_t nmi;	    /* an NMI was sent */
	_Atomic uint32_t wake;	    /* AXVM_X86_WAKE_..., see axvm_x86_64_irq_note */
	struct axvm_x86_exit exit; /* of the last exit, filled by the HAL before axvm_x86_64_exit */
	struct axvm_x86_sysregs sys;
	uint64_t xcr0;
	uint8_t *xsave; /* the guest's FP and vector state, from the VM's pages; 64-byte aligned */
	uint64_t tsc_offset; /* guest TSC = host TSC + this */
	uint64_t tsc_adjust;
	uint64_t tsc_aux;
	uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_variable[16]; /* kept, of no effect */
	uint64_t misc_enable;
	uint64_t apic_base;
	bool has_ended_vm; /* by a port, see power.h */
	struct axvm_x86_length lengths[AXVM_X86_LENGTHS];
	struct axvm_lapic lapic;
};

#define AXVM_X86_INIT ((uint32_t)1 << 31)
#define AXVM_X86_SIPI ((uint32_t)1 << 30)
/* What ends a wait of the vCPU: an interrupt, an NMI; or something has been brought in already. */
#define AXVM_X86_WAKE_INTERRUPT ((uint32_t)1 << 0)
#define AXVM_X86_WAKE_NMI ((uint32_t)1 << 1)
#define AXVM_X86_WAKE_NOW ((uint32_t)1 << 2)

struct axvm_ioapic;
struct axvm_pic;
struct axvm_pit;
struct axvm_rtc;
struct axvm_power;

struct axvm_arch_vm {
	struct axvm_bus ports;	    /* I/O ports */
	struct axvm_ioapic *ioapic; /* NULL: the VM has none; the same below */
	struct axvm_pic *pic;
	struct axvm_pit *pit;
	struct axvm_rtc *rtc;
	struct axvm_power *power;
	uint64_t tsc_at_start; /* host TSC at which guest time is 0 */
};

#endif
