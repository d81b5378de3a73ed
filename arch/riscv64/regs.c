/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual-instruction exceptions: what would have been allowed in HS mode but is not in the guest. WFI waits,
 * counters are the guest's own, the registers of an IMSIC without hardware are answered; all others are
 * illegal, as they are on a hart without what they are for.
 */
#include "regs.h"

#include "exit.h"
#include "pmu.h"

#define WFI 0x10500073u
#define WRS_NTO 0x00d00073u

#define OPCODE_MASK 0x7fu
#define OPCODE_SYSTEM 0x73u

/* CSR numbers [RISCV-PRIV 3.2, AIA 2]. */
#define CSR_CYCLE 0xc00u
#define CSR_TIME 0xc01u
#define CSR_INSTRET 0xc02u
#define CSR_HPMCOUNTER31 0xc1fu
#define CSR_SISELECT 0x150u
#define CSR_SIREG 0x151u
#define CSR_STOPEI 0x15cu
#define CSR_STOPI 0xdb0u

/* siselect: priorities of local interrupts, then the interrupt file [AIA 2.1]. */
#define SELECT_MASK 0xfffu
#define SELECT_IPRIO_FIRST 0x30u
#define SELECT_IPRIO_LAST 0x3fu
#define SELECT_IMSIC_FIRST 0x70u
#define SELECT_IMSIC_LAST 0xffu

#define EIID_SHIFT 16
#define TOPI_PRIORITY 1u /* while hvictl.IPRIOM is 0 [AIA 6.3.4] */

/* An instruction on a CSR: what it does beside reading, which it always may. */
struct csr_access {
	uint32_t csr;
	unsigned rd;
	bool writes;
	uint64_t mask;	/* the bits that become as in `value`; 0 where it only reads */
	uint64_t value; /* those of the mask, or of a write */
};

static struct csr_access csr_access(const struct axvm_vcpu *vcpu, uint32_t instruction)
{
	unsigned operation = instruction >> 12 & 3; /* 1: write, 2: set, 3: clear */
	unsigned field = instruction >> 15 & 31;
	bool is_immediate = (instruction >> 14 & 1) != 0;
	uint64_t operand = is_immediate ? field : axvm_riscv64_get_x(vcpu, field);
	bool writes = operation == 1 || field != 0;

	return (struct csr_access){
		.csr = instruction >> 20,
		.rd = instruction >> 7 & 31,
		.writes = writes,
		.mask = operation == 1 ? UINT64_MAX : operand,
		.value = operation == 3 ? 0 : operand,
	};
}

static uint64_t new_value(const struct csr_access *access, uint64_t old)
{
	return (old & ~access->mask) | (access->value & access->mask);
}

/* ---- counters -------------------------------------------------------------------------------------- */

/* Counters beyond cycle and instret count nothing [RISCV-PRIV 3.1.10]. */
static uint64_t read_counter(struct axvm_vcpu *vcpu, uint32_t csr)
{
	switch (csr) {
	case CSR_CYCLE:
		return axvm_riscv64_pmu_read(vcpu, 0);
	case CSR_INSTRET:
		return axvm_riscv64_pmu_read(vcpu, 1);
	case CSR_TIME:
		return axvm_hal_time_ticks() + vcpu->vm->arch.htimedelta;
	default:
		return 0;
	}
}

static bool is_counter(uint32_t csr)
{
	return csr >= CSR_CYCLE && csr <= CSR_HPMCOUNTER31;
}

/* User mode reads those that scounteren gives it. */
static bool access_counter(struct axvm_vcpu *vcpu, const struct csr_access *access, bool is_user,
			   uint64_t *value)
{
	uint64_t allowed = is_user ? vcpu->arch.sys.scounteren : UINT64_MAX;

	if (access->writes || (allowed >> (access->csr - CSR_CYCLE) & 1) == 0)
		return false;
	*value = read_counter(vcpu, access->csr);
	return true;
}

/* ---- the interrupt file of a VM whose IMSIC is software ----------------------------------------------- */

static bool access_select(struct axvm_vcpu *vcpu, const struct csr_access *access, uint64_t *value)
{
	*value = vcpu->arch.sys.vsiselect;
	if (access->mask != 0) {
		vcpu->arch.sys.vsiselect = new_value(access, *value) & SELECT_MASK;
		axvm_hal_sysreg_flush(vcpu);
	}
	return true;
}

/* The priority of a local interrupt is that of its number: the bytes read as 0. */
static bool access_priority(uint64_t select, uint64_t *value)
{
	*value = 0;
	return select % 2 == 0;
}

static bool access_register(struct axvm_vcpu *vcpu, const struct csr_access *access,
			    uint64_t *value)
{
	uint64_t select = vcpu->arch.sys.vsiselect;

	if (select >= SELECT_IPRIO_FIRST && select <= SELECT_IPRIO_LAST)
		return access_priority(select, value);
	return select >= SELECT_IMSIC_FIRST && select <= SELECT_IMSIC_LAST &&
	       axvm_imsic_update(vcpu, select, access->mask, access->value, value);
}

/* A write claims what was read, whatever it writes. */
static bool access_top(struct axvm_vcpu *vcpu, const struct csr_access *access, uint64_t *value)
{
	*value = axvm_imsic_top(vcpu);
	if (access->writes && *value != 0)
		axvm_imsic_claim(vcpu, (uint32_t)*value);
	return true;
}

/* The local interrupt that comes first, in the default order [AIA 6.3.4]. */
static bool access_topi(struct axvm_vcpu *vcpu, const struct csr_access *access, uint64_t *value)
{
	static const struct {
		uint64_t bit;
		unsigned number;
	} order[] = { { AXVM_RISCV64_VSEI, 9 },
		      { AXVM_RISCV64_VSSI, 1 },
		      { AXVM_RISCV64_VSTI, 5 } };

	axvm_hal_irq_sync(vcpu);
	uint64_t ready = (vcpu->arch.vsip | vcpu->arch.hvip) & vcpu->arch.vsie;

	*value = 0;
	for (unsigned i = 3; i > 0; i--) {
		if ((ready & order[i - 1].bit) != 0)
			*value = (uint64_t)order[i - 1].number << EIID_SHIFT | TOPI_PRIORITY;
	}
	return !access->writes;
}

static bool access_imsic(struct axvm_vcpu *vcpu, const struct csr_access *access, uint64_t *value)
{
	switch (access->csr) {
	case CSR_SISELECT:
		return access_select(vcpu, access, value);
	case CSR_SIREG:
		return access_register(vcpu, access, value);
	case CSR_STOPEI:
		return access_top(vcpu, access, value);
	case CSR_STOPI:
		return access_topi(vcpu, access, value);
	default:
		return false;
	}
}

/* ---- all ---------------------------------------------------------------------------------------------- */

static enum axvm_verdict illegal(struct axvm_vcpu *vcpu, uint32_t instruction)
{
	axvm_riscv64_inject_illegal(vcpu, instruction);
	return AXVM_ENTER;
}

static enum axvm_verdict csr_instruction(struct axvm_vcpu *vcpu, uint32_t instruction, bool is_user)
{
	const struct csr_access access = csr_access(vcpu, instruction);
	uint64_t value = 0;
	bool answered = false;

	if (is_counter(access.csr))
		answered = access_counter(vcpu, &access, is_user, &value);
	else if (vcpu->vm->arch.has_imsic && !is_user)
		answered = access_imsic(vcpu, &access, &value);
	if (!answered)
		return illegal(vcpu, instruction);
	vcpu->arch.pc += 4;
	return axvm_riscv64_set_x(vcpu, access.rd, value);
}

static enum axvm_verdict answer(struct axvm_vcpu *vcpu, uint32_t instruction)
{
	if (instruction == WRS_NTO) { /* may end at any time */
		vcpu->arch.pc += 4;
		return AXVM_ENTER;
	}
	axvm_hal_sysreg_sync(vcpu);
	bool is_user = (vcpu->arch.sys.sstatus & AXVM_RISCV64_STATUS_SPP) == 0;

	if (instruction == WFI && !is_user) {
		vcpu->arch.pc += 4;
		return axvm_riscv64_wait(vcpu);
	}
	if ((instruction & OPCODE_MASK) == OPCODE_SYSTEM && (instruction >> 12 & 3) != 0)
		return csr_instruction(vcpu, instruction, is_user);
	return illegal(vcpu, instruction);
}

enum axvm_verdict axvm_riscv64_virtual_instruction(struct axvm_vcpu *vcpu, uint64_t instruction)
{
	uint32_t fetched = (uint32_t)instruction;

	if (fetched == 0 && !axvm_riscv64_fetch(vcpu, &fetched))
		return AXVM_ENTER;
	return answer(vcpu, fetched);
}
