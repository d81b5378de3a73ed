/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID, MSRs, control registers: each a table of what a guest gets; what is not in it is refused. */
#ifndef AXVM_X86_64_REGS_H
#define AXVM_X86_64_REGS_H

#include "arch.h"

enum axvm_x86_register { /* numbers of general registers */
			 AXVM_X86_RAX,
			 AXVM_X86_RCX,
			 AXVM_X86_RDX,
			 AXVM_X86_RBX,
			 AXVM_X86_RSP,
			 AXVM_X86_RBP,
			 AXVM_X86_RSI,
			 AXVM_X86_RDI,
};

#define AXVM_X86_CR0_PE ((uint64_t)1 << 0)
#define AXVM_X86_CR0_MP ((uint64_t)1 << 1)
#define AXVM_X86_CR0_EM ((uint64_t)1 << 2)
#define AXVM_X86_CR0_TS ((uint64_t)1 << 3)
#define AXVM_X86_CR0_ET ((uint64_t)1 << 4)
#define AXVM_X86_CR0_NE ((uint64_t)1 << 5)
#define AXVM_X86_CR0_WP ((uint64_t)1 << 16)
#define AXVM_X86_CR0_AM ((uint64_t)1 << 18)
#define AXVM_X86_CR0_NW ((uint64_t)1 << 29)
#define AXVM_X86_CR0_CD ((uint64_t)1 << 30)
#define AXVM_X86_CR0_PG ((uint64_t)1 << 31)
#define AXVM_X86_CR4_PSE ((uint64_t)1 << 4)
#define AXVM_X86_CR4_PAE ((uint64_t)1 << 5)
#define AXVM_X86_CR4_OSFXSR ((uint64_t)1 << 9)
#define AXVM_X86_CR4_LA57 ((uint64_t)1 << 12)
#define AXVM_X86_CR4_VMXE ((uint64_t)1 << 13)
#define AXVM_X86_CR4_OSXSAVE ((uint64_t)1 << 18)
#define AXVM_X86_CR4_SMEP ((uint64_t)1 << 20)
#define AXVM_X86_CR4_SMAP ((uint64_t)1 << 21)
#define AXVM_X86_EFER_SCE ((uint64_t)1 << 0)
#define AXVM_X86_EFER_LME ((uint64_t)1 << 8)
#define AXVM_X86_EFER_LMA ((uint64_t)1 << 10)
#define AXVM_X86_EFER_NXE ((uint64_t)1 << 11)
#define AXVM_X86_EFER_SVME ((uint64_t)1 << 12)
#define AXVM_X86_RFLAGS_FIXED ((uint64_t)1 << 1)
#define AXVM_X86_RFLAGS_TF ((uint64_t)1 << 8)
#define AXVM_X86_RFLAGS_IF ((uint64_t)1 << 9)
#define AXVM_X86_RFLAGS_DF ((uint64_t)1 << 10)
#define AXVM_X86_RFLAGS_RF ((uint64_t)1 << 16)

enum axvm_x86_vector {
	AXVM_X86_DB = 1,
	AXVM_X86_NMI_VECTOR = 2,
	AXVM_X86_UD = 6,
	AXVM_X86_DF = 8,
	AXVM_X86_GP = 13,
	AXVM_X86_PF = 14
};

struct axvm_x86_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/*
 * cpuid.c: a leaf as the guest sees it: the host's through the table (pass, mask, constant), with what
 * depends on the vCPU (APIC id, OSXSAVE, XSAVE sizes) filled in. Leaves 0x40000000 and 0x40000010 tell
 * the TSC's and the APIC timer's frequency.
 */
struct axvm_x86_cpuid axvm_x86_64_cpuid(const struct axvm_vcpu *vcpu, uint32_t leaf,
					uint32_t subleaf);
/* Bits of CR4 and XCR0 that a guest may set, by what its CPUID shows. */
uint64_t axvm_x86_64_cr4_allowed(const struct axvm_vcpu *vcpu);
uint64_t axvm_x86_64_xcr0_allowed(const struct axvm_vcpu *vcpu);

/*
 * The guest's writes to CR4 and EFER always exit, so arch.sys.cr4 and efer are right whether synced or not.
 *
 * msr.c: false: #GP. TSC_AUX (arch.tsc_aux) is written between a sync and a flush: bind and
 * axvm_hal_sysreg_flush load it into the hardware.
 * On the vCPU's CPU; may sync and flush.
 */
bool axvm_x86_64_read_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t *value);
bool axvm_x86_64_write_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t value);
/*
 * Whether the guest reads (or writes) the MSR without an exit: the few that the hardware switches or
 * bind and unbind do. The HAL's permission map is made from this. Pure.
 */
bool axvm_x86_64_msr_is_direct(uint32_t msr, bool write);

/* cr.c: a MOV to a control register, CLTS, LMSW; false: #GP. The registers are synced, the caller flushes. */
bool axvm_x86_64_write_cr(struct axvm_vcpu *vcpu, unsigned index, uint64_t value);
bool axvm_x86_64_write_efer(struct axvm_vcpu *vcpu, uint64_t value);
bool axvm_x86_64_write_xcr0(struct axvm_vcpu *vcpu, uint64_t value);

/* The vCPU with this APIC id, or NULL. */
struct axvm_vcpu *axvm_x86_64_vcpu_by_apic(struct axvm_vm *vm, uint32_t apic_id);

#endif
