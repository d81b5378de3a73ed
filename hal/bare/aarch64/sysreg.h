/* SPDX-License-Identifier: Apache-2.0 */
/* System registers as pairs of inline functions: read_vttbr_el2(), write_vttbr_el2(v). */
#ifndef AXVM_BARE_SYSREG_H
#define AXVM_BARE_SYSREG_H

#include <stdint.h>

#define AXVM_SYSREG_READ(name)                                    \
	static inline uint64_t read_##name(void)                  \
	{                                                         \
		uint64_t value;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value)); \
		return value;                                     \
	}
#define AXVM_SYSREG_WRITE(name)                                       \
	static inline void write_##name(uint64_t value)               \
	{                                                             \
		__asm__ volatile("msr " #name ", %0" : : "r"(value)); \
	}
#define AXVM_SYSREG(name)      \
	AXVM_SYSREG_READ(name) \
	AXVM_SYSREG_WRITE(name)

AXVM_SYSREG_READ(currentel)
AXVM_SYSREG_READ(midr_el1)
AXVM_SYSREG_READ(mpidr_el1)
AXVM_SYSREG_READ(id_aa64pfr0_el1)
AXVM_SYSREG_READ(id_aa64pfr1_el1)
AXVM_SYSREG_READ(id_aa64dfr0_el1)
AXVM_SYSREG_READ(id_aa64mmfr0_el1)
AXVM_SYSREG_READ(id_aa64mmfr1_el1)
AXVM_SYSREG_READ(id_aa64mmfr2_el1)
AXVM_SYSREG_READ(id_aa64isar0_el1)
AXVM_SYSREG_READ(ctr_el0)
AXVM_SYSREG_READ(id_aa64isar1_el1)
AXVM_SYSREG_READ(cntfrq_el0)
AXVM_SYSREG_READ(cntpct_el0)
AXVM_SYSREG_READ(esr_el2)
AXVM_SYSREG_READ(far_el2)
AXVM_SYSREG_READ(elr_el2)
AXVM_SYSREG_READ(spsr_el2)
AXVM_SYSREG(tpidr_el2)
AXVM_SYSREG(ttbr0_el2)
AXVM_SYSREG(sctlr_el2)
AXVM_SYSREG(vbar_el2)
AXVM_SYSREG(hcr_el2)
AXVM_SYSREG(hstr_el2)
AXVM_SYSREG(mdcr_el2)
AXVM_SYSREG(cptr_el2)
AXVM_SYSREG(vtcr_el2)
AXVM_SYSREG(vttbr_el2)
AXVM_SYSREG(vmpidr_el2)
AXVM_SYSREG(vpidr_el2)
AXVM_SYSREG(cnthctl_el2)
AXVM_SYSREG(cntvoff_el2)
AXVM_SYSREG(cnthp_ctl_el2)
AXVM_SYSREG(cnthp_cval_el2)
AXVM_SYSREG(sctlr_el1)
AXVM_SYSREG(cpacr_el1)
AXVM_SYSREG(ttbr0_el1)
AXVM_SYSREG(ttbr1_el1)
AXVM_SYSREG(tcr_el1)
AXVM_SYSREG(mair_el1)
AXVM_SYSREG(amair_el1)
AXVM_SYSREG(vbar_el1)
AXVM_SYSREG(esr_el1)
AXVM_SYSREG(far_el1)
AXVM_SYSREG(afsr0_el1)
AXVM_SYSREG(afsr1_el1)
AXVM_SYSREG(contextidr_el1)
AXVM_SYSREG(tpidr_el0)
AXVM_SYSREG(tpidrro_el0)
AXVM_SYSREG(tpidr_el1)
AXVM_SYSREG(par_el1)
AXVM_SYSREG(sp_el0)
AXVM_SYSREG(sp_el1)
AXVM_SYSREG(elr_el1)
AXVM_SYSREG(spsr_el1)
AXVM_SYSREG(csselr_el1)
AXVM_SYSREG(cntkctl_el1)
AXVM_SYSREG(cntv_ctl_el0)
AXVM_SYSREG(cntv_cval_el0)
AXVM_SYSREG(mdscr_el1)
/* The GIC's CPU interface and its virtual half [GICv3 12.2]. */
AXVM_SYSREG_READ(icc_iar1_el1)
AXVM_SYSREG_WRITE(icc_eoir1_el1)
AXVM_SYSREG_WRITE(icc_dir_el1)
AXVM_SYSREG_WRITE(icc_sgi1r_el1)
AXVM_SYSREG(icc_pmr_el1)
AXVM_SYSREG(icc_ctlr_el1)
AXVM_SYSREG(icc_bpr1_el1)
AXVM_SYSREG(icc_igrpen1_el1)
AXVM_SYSREG(icc_sre_el2)
AXVM_SYSREG_READ(ich_vtr_el2)
AXVM_SYSREG_READ(ich_elrsr_el2)
AXVM_SYSREG_READ(ich_misr_el2)
AXVM_SYSREG(ich_hcr_el2)
AXVM_SYSREG(ich_vmcr_el2)

static inline void axvm_isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void axvm_dsb_ish(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
}

static inline void axvm_wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

#endif
