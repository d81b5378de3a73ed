/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trapped system registers. ID registers come from the VM's table; the few that are
 * emulated from a switch over the encoding; all others are UNDEFINED, as they are on
 * a CPU that has what the ID registers show and no more.
 */
#include "regs.h"

#include "exit.h"
#include "timer.h"

/* The encoding as it stands in the syndrome, without Rt and direction [ARM D19.2.37]. */
#define REG(op0, op1, crn, crm, op2)                                             \
	((uint32_t)(op0) << 20 | (uint32_t)(op2) << 17 | (uint32_t)(op1) << 14 | \
	 (uint32_t)(crn) << 10 | (uint32_t)(crm) << 1)
#define REG_MASK REG(3, 7, 15, 15, 7)
#define ISS_READ 1u

/* ID registers: S3_0_C0_C<m>_<op2>. */
#define ID_GROUP REG(3, 0, 0, 0, 0)
#define ID_GROUP_MASK REG(3, 7, 15, 0, 0)

#define CNTPCT_EL0 REG(3, 3, 14, 0, 1)
#define CNTPCTSS_EL0 REG(3, 3, 14, 0, 5)
#define CNTP_TVAL_EL0 REG(3, 3, 14, 2, 0)
#define CNTP_CTL_EL0 REG(3, 3, 14, 2, 1)
#define CNTP_CVAL_EL0 REG(3, 3, 14, 2, 2)

#define ICC_DIR_EL1 REG(3, 0, 12, 11, 1)
#define ICC_SGI1R_EL1 REG(3, 0, 12, 11, 5)
#define ICC_ASGI1R_EL1 REG(3, 0, 12, 11, 6)
#define ICC_SGI0R_EL1 REG(3, 0, 12, 11, 7)
#define ICC_SRE_EL1 REG(3, 0, 12, 12, 5)
#define ICC_SRE_FIXED 7ULL /* system registers only, no bypass */

#define ACTLR_EL1 REG(3, 0, 1, 0, 1)

#define DC_ISW REG(1, 0, 7, 6, 2)
#define DC_CSW REG(1, 0, 7, 10, 2)
#define DC_CISW REG(1, 0, 7, 14, 2)

#define OSDTRRX_EL1 REG(2, 0, 0, 0, 2)
#define MDCCINT_EL1 REG(2, 0, 0, 2, 0)
#define MDSCR_EL1 REG(2, 0, 0, 2, 2)
#define OSDTRTX_EL1 REG(2, 0, 0, 3, 2)
#define OSECCR_EL1 REG(2, 0, 0, 6, 2)
#define MDRAR_EL1 REG(2, 0, 1, 0, 0)
#define OSLAR_EL1 REG(2, 0, 1, 0, 4)
#define OSLSR_EL1 REG(2, 0, 1, 1, 4)
#define OSDLR_EL1 REG(2, 0, 1, 3, 4)
#define DBGPRCR_EL1 REG(2, 0, 1, 4, 4)
#define DBGCLAIMSET_EL1 REG(2, 0, 7, 8, 6)
#define DBGCLAIMCLR_EL1 REG(2, 0, 7, 9, 6)
#define DBGAUTHSTATUS_EL1 REG(2, 0, 7, 14, 6)
#define MDCCSR_EL0 REG(2, 3, 0, 1, 0)
#define DBGDTR_EL0 REG(2, 3, 0, 4, 0)
#define DBGDTRX_EL0 REG(2, 3, 0, 5, 0)

/* DBGBVR, DBGBCR, DBGWVR, DBGWCR <n>_EL1: S2_0_C0_C<n>_<4 to 7>; n of two, as ID_AA64DFR0_EL1 says. */
#define DEBUG_PAIR_MASK REG(3, 7, 15, 14, 4)
#define DEBUG_PAIR REG(2, 0, 0, 0, 4)

/* So that the read of an ID register needs no stack frame. */
#define OUT_OF_LINE __attribute__((noinline))

#define MDSCR_SS 1ULL
#define OSLSR_IMPLEMENTED 0x8ULL
#define OSLSR_LOCKED 0x2ULL

static enum axvm_verdict undefined(struct axvm_vcpu *vcpu, uint64_t esr)
{
	axvm_aarch64_inject_undefined(vcpu, esr);
	return AXVM_ENTER;
}

/* MDSCR_EL1 as written, of which hardware gets software step alone: there are no breakpoints. */
static uint64_t read_mdscr(struct axvm_vcpu *vcpu)
{
	return vcpu->arch.mdscr;
}

static void write_mdscr(struct axvm_vcpu *vcpu, uint64_t value)
{
	uint64_t step = value & MDSCR_SS;

	vcpu->arch.mdscr = value;
	if (step == vcpu->arch.mdscr_step)
		return;
	vcpu->arch.mdscr_step = step;
	axvm_hal_sysreg_sync(vcpu);
	vcpu->arch.sys.mdscr_el1 = step;
	axvm_hal_sysreg_flush(vcpu);
}

/* True: `*value` is the register's. */
static bool read(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value)
{
	*value = 0;
	switch (reg) {
	case CNTP_CTL_EL0:
		*value = axvm_aarch64_timer_read_ctl(vcpu);
		return true;
	case CNTP_CVAL_EL0:
		*value = axvm_aarch64_timer_read_cval(vcpu);
		return true;
	case CNTP_TVAL_EL0:
		*value = axvm_aarch64_timer_read_tval(vcpu);
		return true;
	case CNTPCT_EL0:
	case CNTPCTSS_EL0:
		*value = axvm_hal_time_ticks();
		return true;
	case ICC_SRE_EL1:
		*value = ICC_SRE_FIXED;
		return true;
	case MDSCR_EL1:
		*value = read_mdscr(vcpu);
		return true;
	case OSLSR_EL1:
		*value = OSLSR_IMPLEMENTED | (vcpu->arch.os_locked ? OSLSR_LOCKED : 0);
		return true;
	case ACTLR_EL1:
	case OSDTRRX_EL1:
	case MDCCINT_EL1:
	case OSDTRTX_EL1:
	case OSECCR_EL1:
	case MDRAR_EL1:
	case OSDLR_EL1:
	case DBGPRCR_EL1:
	case DBGCLAIMSET_EL1:
	case DBGCLAIMCLR_EL1:
	case DBGAUTHSTATUS_EL1:
	case MDCCSR_EL0:
	case DBGDTR_EL0:
	case DBGDTRX_EL0:
		return true;
	default:
		return (reg & DEBUG_PAIR_MASK) == DEBUG_PAIR;
	}
}

/* True: the register takes the value, or ignores it as the architecture allows. */
static bool write(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value)
{
	switch (reg) {
	case CNTP_CTL_EL0:
		axvm_aarch64_timer_write_ctl(vcpu, value);
		return true;
	case CNTP_CVAL_EL0:
		axvm_aarch64_timer_write_cval(vcpu, value);
		return true;
	case CNTP_TVAL_EL0:
		axvm_aarch64_timer_write_tval(vcpu, value);
		return true;
	case ICC_SGI0R_EL1:
	case ICC_ASGI1R_EL1:
		axvm_vgic_send_sgi(vcpu, value, false);
		return true;
	case ICC_DIR_EL1:
		axvm_vgic_deactivate(vcpu, value);
		return true;
	case MDSCR_EL1:
		write_mdscr(vcpu, value);
		return true;
	case OSLAR_EL1:
		vcpu->arch.os_locked = (value & 1) != 0;
		return true;
	case ICC_SRE_EL1:
	case ACTLR_EL1:
	case DC_ISW:
	case DC_CSW:
	case DC_CISW:
	case OSDTRRX_EL1:
	case MDCCINT_EL1:
	case OSDTRTX_EL1:
	case OSECCR_EL1:
	case OSDLR_EL1:
	case DBGPRCR_EL1:
	case DBGCLAIMSET_EL1:
	case DBGCLAIMCLR_EL1:
	case DBGDTR_EL0:
	case DBGDTRX_EL0:
		return true;
	default:
		return (reg & DEBUG_PAIR_MASK) == DEBUG_PAIR;
	}
}

OUT_OF_LINE static enum axvm_verdict send_sgi(struct axvm_vcpu *vcpu, unsigned target)
{
	axvm_aarch64_skip_a64(vcpu);
	axvm_vgic_send_sgi(vcpu, axvm_aarch64_get_x(vcpu, target), true);
	return AXVM_ENTER;
}

OUT_OF_LINE static enum axvm_verdict rare(struct axvm_vcpu *vcpu, uint64_t esr, uint32_t reg,
					  unsigned target)
{
	uint64_t value;

	if ((esr & ISS_READ) == 0) {
		if (!write(vcpu, reg, axvm_aarch64_get_x(vcpu, target)))
			return undefined(vcpu, esr);
		axvm_aarch64_skip_a64(vcpu);
		return AXVM_ENTER;
	}
	if (!read(vcpu, reg, &value))
		return undefined(vcpu, esr);
	axvm_aarch64_skip_a64(vcpu);
	return axvm_aarch64_set_x(vcpu, target, value);
}

enum axvm_verdict axvm_aarch64_system_register(struct axvm_vcpu *vcpu, uint64_t esr)
{
	uint32_t reg = (uint32_t)esr & REG_MASK;
	unsigned target = (unsigned)(esr >> 5) & 31;

	if (reg == ICC_SGI1R_EL1 && (esr & ISS_READ) == 0)
		return send_sgi(vcpu, target);
	if ((reg & ID_GROUP_MASK) == ID_GROUP && (esr & ISS_READ) != 0) {
		unsigned crm = reg >> 1 & 15;
		unsigned op2 = reg >> 17 & 7;

		axvm_aarch64_skip_a64(vcpu);
		return axvm_aarch64_set_x(
			vcpu, target,
			crm < AXVM_AARCH64_ID_ROWS ? vcpu->vm->arch.id_registers[crm][op2] : 0);
	}
	return rare(vcpu, esr, reg, target);
}
