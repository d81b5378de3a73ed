/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The aarch64 part of a vCPU and of a VM. x, pc, pstate and host_sp stay where they are: the world
 * switch of hal/bare/aarch64 is assembly and pins them (offsets.h).
 */
#ifndef AXVM_ARCH_TYPES_H
#define AXVM_ARCH_TYPES_H

#include <axvm/hal.h>

#include "intc/vgic.h"

/* EL1 and EL0 state that bind loads and unbind stores [ARM D19]. */
struct axvm_aarch64_sysregs {
	uint64_t sctlr_el1;
	uint64_t cpacr_el1;
	uint64_t ttbr0_el1;
	uint64_t ttbr1_el1;
	uint64_t tcr_el1;
	uint64_t mair_el1;
	uint64_t amair_el1;
	uint64_t vbar_el1;
	uint64_t esr_el1;
	uint64_t far_el1;
	uint64_t afsr0_el1;
	uint64_t afsr1_el1;
	uint64_t contextidr_el1;
	uint64_t tpidr_el0;
	uint64_t tpidrro_el0;
	uint64_t tpidr_el1;
	uint64_t par_el1;
	uint64_t sp_el0;
	uint64_t sp_el1;
	uint64_t elr_el1;
	uint64_t spsr_el1;
	uint64_t csselr_el1;
	uint64_t cntkctl_el1;
	uint64_t cntv_ctl_el0;
	uint64_t cntv_cval_el0;
	uint64_t mdscr_el1;
	uint64_t pauth_keys[10]; /* APIA, APIB, APDA, APDB, APGA; low and high halves */
};

/* FP and Advanced SIMD registers; lazily owned, never seen by another vCPU. */
struct axvm_aarch64_fp {
	_Alignas(16) uint8_t v[32][16];
	uint64_t fpsr;
	uint64_t fpcr;
};

struct axvm_arch_vcpu {
	uint64_t x[31];
	uint64_t pc;	  /* ELR_EL2 */
	uint64_t pstate;  /* SPSR_EL2 */
	uint64_t host_sp; /* the world switch's */
	uint64_t mpidr;	  /* VMPIDR_EL2: what the guest reads as MPIDR_EL1 */
	/*
	 * HCR_EL2 while bound, but for TWI. Its VSE bit is a virtual SError that the guest has not taken:
	 * bind and axvm_hal_sysreg_flush load it, unbind and axvm_hal_sysreg_sync store it back.
	 */
	uint64_t hcr;
	struct axvm_aarch64_sysregs sys;
	struct axvm_aarch64_fp fp;
	struct axvm_vgic_cpu vgic;
	/* EL1 physical timer, emulated. */
	uint64_t cntp_ctl;
	uint64_t cntp_cval;
	struct axvm_timer physical_timer;
	/* Stands in for the hardware's virtual timer while the vCPU is unbound. */
	struct axvm_timer virtual_timer;
	bool wfi_traps;			/* HCR_EL2.TWI: set where several vCPUs share the CPU */
	_Atomic uint32_t timer_expired; /* the virtual timer's deadline passed while unbound */
	bool os_locked;			/* OSLSR_EL1.OSLK */
	uint64_t mdscr;			/* MDSCR_EL1 as the guest wrote it */
	uint64_t mdscr_step;		/* its SS, which is all that hardware gets */
};

struct axvm_arch_vm {
	struct axvm_vgic vgic;
	uint64_t cntvoff;	     /* CNTVOFF_EL2: host ticks at which guest time is 0 */
	uint64_t id_registers[8][8]; /* what trapped reads get: [CRm][op2] of S3_0_C0_Cm_op2 */
};

#endif
