/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers: how the EL2 controls must stand for what this directory
 * assumes, and the answers to what they trap. docs/aarch64.md has the tables.
 */
#ifndef AXVM_AARCH64_REGS_H
#define AXVM_AARCH64_REGS_H

#include "affinity.h"
#include "arch.h"

/* HCR_EL2 [ARM D19.2.48]; E2H is 0. */
#define AXVM_AARCH64_HCR_VM (1ULL << 0)	  /* stage 2 on */
#define AXVM_AARCH64_HCR_SWIO (1ULL << 1) /* DC ISW cleans too: a guest cannot drop host data */
#define AXVM_AARCH64_HCR_PTW (1ULL << 2)  /* stage-1 tables in device memory fault */
#define AXVM_AARCH64_HCR_FMO (1ULL << 3)  /* physical FIQ to EL2, virtual to EL1 */
#define AXVM_AARCH64_HCR_IMO (1ULL << 4)
#define AXVM_AARCH64_HCR_AMO (1ULL << 5)
#define AXVM_AARCH64_HCR_VSE (1ULL << 8)     /* a virtual SError is pending */
#define AXVM_AARCH64_HCR_FB (1ULL << 9)	     /* TLBI and IC reach every CPU: vCPUs move */
#define AXVM_AARCH64_HCR_BSU_IS (1ULL << 10) /* barriers reach the inner shareable domain */
#define AXVM_AARCH64_HCR_TWI (1ULL << 13)    /* WFI traps */
#define AXVM_AARCH64_HCR_TID3 (1ULL << 18)   /* ID registers trap */
#define AXVM_AARCH64_HCR_TSC (1ULL << 19)    /* SMC traps: it never reaches firmware */
#define AXVM_AARCH64_HCR_TIDCP (1ULL << 20)  /* IMPLEMENTATION DEFINED registers trap */
#define AXVM_AARCH64_HCR_TACR (1ULL << 21)   /* ACTLR_EL1 traps */
#define AXVM_AARCH64_HCR_RW (1ULL << 31)     /* EL1 is AArch64 */
#define AXVM_AARCH64_HCR_TLOR (1ULL << 35)   /* LORegions trap */
#define AXVM_AARCH64_HCR_TERR (1ULL << 36)   /* RAS error records trap */
#define AXVM_AARCH64_HCR_APK (1ULL << 40)    /* pointer authentication keys do not trap */
#define AXVM_AARCH64_HCR_API (1ULL << 41)    /* nor do its instructions */
#define AXVM_AARCH64_HCR_FWB (1ULL << 46)    /* stage 2 forces write-back; where the CPU has it */

/* While a guest is bound; TWI is added where vcpu->arch.wfi_traps, VSE by an injected SError. */
#define AXVM_AARCH64_HCR                                                         \
	(AXVM_AARCH64_HCR_VM | AXVM_AARCH64_HCR_SWIO | AXVM_AARCH64_HCR_PTW |    \
	 AXVM_AARCH64_HCR_FMO | AXVM_AARCH64_HCR_IMO | AXVM_AARCH64_HCR_AMO |    \
	 AXVM_AARCH64_HCR_FB | AXVM_AARCH64_HCR_BSU_IS | AXVM_AARCH64_HCR_TID3 | \
	 AXVM_AARCH64_HCR_TSC | AXVM_AARCH64_HCR_TIDCP | AXVM_AARCH64_HCR_TACR | \
	 AXVM_AARCH64_HCR_RW | AXVM_AARCH64_HCR_TLOR | AXVM_AARCH64_HCR_TERR |   \
	 AXVM_AARCH64_HCR_APK | AXVM_AARCH64_HCR_API)
/* While none is: physical interrupts and SErrors still come to EL2. */
#define AXVM_AARCH64_HCR_HOST \
	(AXVM_AARCH64_HCR_FMO | AXVM_AARCH64_HCR_IMO | AXVM_AARCH64_HCR_AMO | AXVM_AARCH64_HCR_RW)

/* CPTR_EL2 with E2H 0: RES1, TZ (8, SVE), TSM (12, SME), TTA (20, trace), TAM (30, AMU); not TFP. */
#define AXVM_AARCH64_CPTR 0x401033ffULL

/*
 * MDCR_EL2: TPMCR (5), TPM (6), TDA (9), TDOSA (10), TDRA (11), TPMS (14), TTRF (19), TDCC (27);
 * E2PB (13:12) and E2TB (25:24) 0: the profiling and trace buffers are EL2's. HPMN (4:0) must be
 * PMCR_EL0.N of the CPU, which the HAL adds.
 */
#define AXVM_AARCH64_MDCR 0x08084e60ULL

/* CNTHCTL_EL2 with E2H 0: EL1PCTEN (0) lets CNTPCT_EL0 be read; EL1PCEN (1) is 0: CNTP_* trap. */
#define AXVM_AARCH64_CNTHCTL 0x1ULL

#define AXVM_AARCH64_HSTR 0ULL

/* SCTLR_EL1 at reset: its RES1 bits (29, 28, 23, 22, 20, 11); MMU and caches off. */
#define AXVM_AARCH64_SCTLR_RESET 0x30d00800ULL
#define AXVM_AARCH64_SCTLR_SPAN (1ULL << 23)
#define AXVM_AARCH64_SCTLR_DSSBS (1ULL << 44)

/* SPSR_EL2 and SPSR_EL1 [ARM C5.2.19]. */
#define AXVM_AARCH64_PSTATE_EL0T 0x0ULL
#define AXVM_AARCH64_PSTATE_EL1T 0x4ULL
#define AXVM_AARCH64_PSTATE_EL1H 0x5ULL
#define AXVM_AARCH64_PSTATE_MODE 0xfULL
#define AXVM_AARCH64_PSTATE_A32 (1ULL << 4)
#define AXVM_AARCH64_PSTATE_DAIF 0x3c0ULL
#define AXVM_AARCH64_PSTATE_SSBS (1ULL << 12)
#define AXVM_AARCH64_PSTATE_SS (1ULL << 21)
#define AXVM_AARCH64_PSTATE_PAN (1ULL << 22)
#define AXVM_AARCH64_PSTATE_DIT (1ULL << 24)
#define AXVM_AARCH64_PSTATE_NZCV 0xf0000000ULL

/* The guest's ID registers, from the host's through the table in id_registers.c. Once per VM. */
#define AXVM_AARCH64_ID_ROWS 8u /* CRm 0 to 7; op2 0 to 7 */
void axvm_aarch64_id_registers_init(struct axvm_vm *vm);

/* One guest ID register from a host's; `ipa_bits` limits PARange. For the above and for tests. */
uint64_t axvm_aarch64_id_register(unsigned crm, unsigned op2, uint64_t host, uint32_t ipa_bits);

/* A trapped MSR, MRS or system instruction, EC 0x18: answered, or UNDEF injected. */
enum axvm_verdict axvm_aarch64_system_register(struct axvm_vcpu *vcpu, uint64_t esr);

/* In vcpu.c: EL1 system registers at reset, timers excepted. */
void axvm_aarch64_sysregs_reset(struct axvm_vcpu *vcpu);

/* The vCPU with this affinity (bits outside of AXVM_AARCH64_AFFINITY must be 0), or NULL. */
struct axvm_vcpu *axvm_aarch64_vcpu_by_affinity(struct axvm_vm *vm, uint64_t affinity);

/* General register `index` of an instruction: 31 is the zero register. */
static inline uint64_t axvm_aarch64_get_x(const struct axvm_vcpu *vcpu, unsigned index)
{
	return index < 31 ? vcpu->arch.x[index] : 0;
}

/* Returns what the exit must say: x19 to x29 are loaded only by AXVM_ENTER_FULL. */
static inline enum axvm_verdict axvm_aarch64_set_x(struct axvm_vcpu *vcpu, unsigned index,
						   uint64_t value)
{
	if (index >= 31)
		return AXVM_ENTER;
	vcpu->arch.x[index] = value;
	return index - 19u < 11u ? AXVM_ENTER_FULL : AXVM_ENTER;
}

#endif
