/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MSRs [SDM4 2; APM2 A]. The local APIC's come first, as guests use little else; the others stand in one table, and
 * what is not in it is #GP. A row is one of five kinds: state that the hardware holds while the vCPU is bound, state
 * that is only kept, a constant, one that takes anything and forgets it, and one with a function of its own.
 */
#include <axvm/hal_x86_64.h>

#include "regs.h"

#define MSR_TSC 0x10u
#define MSR_TSC_ADJUST 0x3bu
#define MSR_MISC_ENABLE 0x1a0u
#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC 0x800u
#define MSR_X2APIC_END 0x900u
#define MSR_EFER 0xc0000080u

#define MTRR_CAPABILITIES 0x508u /* 8 variable ranges, the fixed ones, write combining */
#define MTRR_DEFAULT_KNOWN 0xcffu
#define MTRR_MASK_VALID ((uint64_t)1 << 11)

#define MISC_ENABLE_KEPT 0xc51889u

#define HWCR_TSC_AT_P0 ((uint64_t)1 << 24)
#define VM_CR_LOCKED_OFF 0x18u /* SVMDIS, LOCK */
#define DE_CFG_LFENCE 2u       /* LFENCE serialises */
#define FEATURES_LOCKED 1u     /* no VMX, for good */

#define LINEAR_BITS 48

enum kind { HARDWARE, KEPT, CONSTANT, IGNORED, FUNCTION };

/* What a value must be for HARDWARE and KEPT. */
enum form { ANY, CANONICAL, LOW_HALF, TYPES_PAT, TYPES_MTRR, MTRR_DEFAULT, MTRR_VARIABLE };

struct row {
	uint32_t first;
	uint32_t last;
	uint8_t kind;
	uint8_t form;
	uint16_t offset; /* HARDWARE: in arch.sys; KEPT: in arch; of the first */
	uint64_t value;	 /* CONSTANT, and what IGNORED reads as */
	bool (*read)(struct axvm_vcpu *vcpu, uint64_t *value);
	bool (*write)(struct axvm_vcpu *vcpu, uint64_t value);
};

/* ---- rows with functions ------------------------------------------------------------------------------- */

static bool read_tsc(struct axvm_vcpu *vcpu, uint64_t *value)
{
	*value = axvm_hal_time_ticks() + vcpu->arch.tsc_offset;
	return true;
}

/* TSC and TSC_ADJUST move together [SDM3 18.17.3]. */
static void move_tsc(struct axvm_vcpu *vcpu, uint64_t by)
{
	vcpu->arch.tsc_offset += by;
	vcpu->arch.tsc_adjust += by;
	axvm_hal_x86_64_set_tsc_offset(vcpu);
	axvm_lapic_tsc_changed(vcpu);
}

static bool write_tsc(struct axvm_vcpu *vcpu, uint64_t value)
{
	move_tsc(vcpu, value - (axvm_hal_time_ticks() + vcpu->arch.tsc_offset));
	return true;
}

static bool read_tsc_adjust(struct axvm_vcpu *vcpu, uint64_t *value)
{
	*value = vcpu->arch.tsc_adjust;
	return true;
}

static bool write_tsc_adjust(struct axvm_vcpu *vcpu, uint64_t value)
{
	move_tsc(vcpu, value - vcpu->arch.tsc_adjust);
	return true;
}

static bool read_misc_enable(struct axvm_vcpu *vcpu, uint64_t *value)
{
	*value = vcpu->arch.misc_enable;
	return true;
}

/* Its switches switch nothing here; what firmware and kernels write is kept. */
static bool write_misc_enable(struct axvm_vcpu *vcpu, uint64_t value)
{
	if ((value & ~(uint64_t)MISC_ENABLE_KEPT) != 0)
		return false;
	vcpu->arch.misc_enable = value;
	return true;
}

static bool read_efer(struct axvm_vcpu *vcpu, uint64_t *value)
{
	axvm_hal_sysreg_sync(vcpu);
	*value = vcpu->arch.sys.efer;
	return true;
}

static bool write_efer(struct axvm_vcpu *vcpu, uint64_t value)
{
	axvm_hal_sysreg_sync(vcpu);
	if (!axvm_x86_64_write_efer(vcpu, value))
		return false;
	axvm_hal_sysreg_flush(vcpu);
	return true;
}

/* ---- the table -------------------------------------------------------------------------------------------- */

#define AT_SYS(member) offsetof(struct axvm_x86_sysregs, member)
#define AT_BASE(segment) (AT_SYS(segment) + offsetof(struct axvm_x86_segment, base))
#define AT_ARCH(member) offsetof(struct axvm_arch_vcpu, member)

#define CONSTANT_ROW(first, last, value)                         \
	{                                                        \
		first, last, CONSTANT, ANY, 0, value, NULL, NULL \
	}
#define IGNORED_ROW(first, last, value)                         \
	{                                                       \
		first, last, IGNORED, ANY, 0, value, NULL, NULL \
	}
#define HARDWARE_ROW(msr, form, offset)                         \
	{                                                       \
		msr, msr, HARDWARE, form, offset, 0, NULL, NULL \
	}
#define KEPT_ROW(first, last, form, member)                             \
	{                                                               \
		first, last, KEPT, form, AT_ARCH(member), 0, NULL, NULL \
	}
#define FUNCTION_ROW(msr, read, write)                     \
	{                                                  \
		msr, msr, FUNCTION, ANY, 0, 0, read, write \
	}

static const struct row table[] = {
	FUNCTION_ROW(MSR_EFER, read_efer, write_efer),
	HARDWARE_ROW(0xc0000081, ANY, AT_SYS(star)),
	HARDWARE_ROW(0xc0000082, CANONICAL, AT_SYS(lstar)),
	HARDWARE_ROW(0xc0000083, CANONICAL, AT_SYS(cstar)),
	HARDWARE_ROW(0xc0000084, LOW_HALF, AT_SYS(sfmask)),
	HARDWARE_ROW(0xc0000100, CANONICAL, AT_BASE(segment[AXVM_X86_FS])),
	HARDWARE_ROW(0xc0000101, CANONICAL, AT_BASE(segment[AXVM_X86_GS])),
	HARDWARE_ROW(0xc0000102, CANONICAL, AT_SYS(kernel_gs_base)),
	FUNCTION_ROW(MSR_TSC, read_tsc, write_tsc),
	FUNCTION_ROW(MSR_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust),
	HARDWARE_ROW(0x174, LOW_HALF, AT_SYS(sysenter_cs)),
	HARDWARE_ROW(0x175, CANONICAL, AT_SYS(sysenter_esp)),
	HARDWARE_ROW(0x176, CANONICAL, AT_SYS(sysenter_eip)),
	HARDWARE_ROW(0x277, TYPES_PAT, AT_SYS(pat)),
	IGNORED_ROW(0x000, 0x001, 0),  /* machine check address and type of the Pentium */
	CONSTANT_ROW(0x017, 0x017, 0), /* PLATFORM_ID */
	CONSTANT_ROW(0x034, 0x034, 0), /* SMI_COUNT */
	CONSTANT_ROW(0x03a, 0x03a, FEATURES_LOCKED),
	IGNORED_ROW(0x08b, 0x08b, 0),  /* microcode's revision */
	CONSTANT_ROW(0x0ce, 0x0ce, 0), /* PLATFORM_INFO */
	CONSTANT_ROW(0x0fe, 0x0fe, MTRR_CAPABILITIES),
	CONSTANT_ROW(0x179, 0x179, 0), /* MCG_CAP: no banks */
	IGNORED_ROW(0x17a, 0x17a, 0),  /* MCG_STATUS */
	FUNCTION_ROW(MSR_MISC_ENABLE, read_misc_enable, write_misc_enable),
	IGNORED_ROW(0x1d9, 0x1d9, 0), /* DEBUGCTL */
	KEPT_ROW(0x200, 0x20f, MTRR_VARIABLE, mtrr_variable),
	KEPT_ROW(0x250, 0x250, TYPES_MTRR, mtrr_fixed[0]),
	KEPT_ROW(0x258, 0x259, TYPES_MTRR, mtrr_fixed[1]),
	KEPT_ROW(0x268, 0x26f, TYPES_MTRR, mtrr_fixed[3]),
	KEPT_ROW(0x2ff, 0x2ff, MTRR_DEFAULT, mtrr_def_type),
	/* AMD's: what kernels touch without asking whether it is there */
	IGNORED_ROW(0xc0010010, 0xc0010010, 0), /* SYSCFG */
	IGNORED_ROW(0xc0010015, 0xc0010015, HWCR_TSC_AT_P0),
	IGNORED_ROW(0xc001001a, 0xc001001a, 0),	 /* TOP_MEM */
	IGNORED_ROW(0xc001001d, 0xc001001d, 0),	 /* TOP_MEM2 */
	IGNORED_ROW(0xc001001f, 0xc001001f, 0),	 /* NB_CFG */
	IGNORED_ROW(0xc0010055, 0xc0010055, 0),	 /* interrupt pending message */
	CONSTANT_ROW(0xc0010112, 0xc0010113, 0), /* SMM's memory */
	CONSTANT_ROW(0xc0010114, 0xc0010114, VM_CR_LOCKED_OFF),
	IGNORED_ROW(0xc0011020, 0xc0011023, 0), /* LS_CFG, IC_CFG, DC_CFG, BU_CFG */
	IGNORED_ROW(0xc0011029, 0xc0011029, DE_CFG_LFENCE),
	IGNORED_ROW(0xc001102a, 0xc001102a, 0), /* BU_CFG2 */
	/* with the flush the hardware gets it too, see regs.h */
	{ 0xc0000103, 0xc0000103, HARDWARE, LOW_HALF, UINT16_MAX, 0, NULL, NULL },
};

static const struct row *find(uint32_t msr)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (msr >= table[i].first && msr <= table[i].last)
			return &table[i];
	}
	return NULL;
}

static uint64_t *place(struct axvm_vcpu *vcpu, const struct row *row, uint32_t msr)
{
	uint8_t *base = row->kind == HARDWARE ? (uint8_t *)&vcpu->arch.sys : (uint8_t *)&vcpu->arch;

	if (row->offset == UINT16_MAX)
		return &vcpu->arch.tsc_aux;
	return (uint64_t *)(void *)(base + row->offset + (msr - row->first) * sizeof(uint64_t));
}

/* ---- what values may be --------------------------------------------------------------------------------- */

static bool is_canonical(uint64_t value)
{
	uint64_t high = value >> (LINEAR_BITS - 1);

	return high == 0 || high == UINT64_MAX >> (LINEAR_BITS - 1);
}

/* Each byte a memory type: 0, 1, 4, 5, 6 and, in PAT, 7. */
static bool are_types(uint64_t value, unsigned known)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t type = value >> (8 * i) & 0xff;

		if (type > 7 || (known >> type & 1) == 0)
			return false;
	}
	return true;
}

#define TYPES_OF_MTRR 0x73u
#define TYPES_OF_PAT 0xf3u

/* Even numbers are bases, with a type, odd ones masks. */
static bool is_variable(uint32_t msr, uint64_t value)
{
	uint64_t above = UINT64_MAX << axvm_host_caps()->ipa_bits;

	if ((value & above) != 0)
		return false;
	if ((msr & 1) != 0)
		return (value & (AXVM_PAGE_BYTES - 1) & ~MTRR_MASK_VALID) == 0;
	return (value & 0xf00) == 0 && are_types(value & 0xff, TYPES_OF_MTRR);
}

static bool is_default(uint64_t value)
{
	return (value & ~(uint64_t)MTRR_DEFAULT_KNOWN) == 0 &&
	       are_types(value & 0xff, TYPES_OF_MTRR);
}

static bool has_form(uint32_t msr, enum form form, uint64_t value)
{
	switch (form) {
	case CANONICAL:
		return is_canonical(value);
	case LOW_HALF:
		return value <= UINT32_MAX;
	case TYPES_PAT:
		return are_types(value, TYPES_OF_PAT);
	case TYPES_MTRR:
		return are_types(value, TYPES_OF_MTRR);
	case MTRR_DEFAULT:
		return is_default(value);
	case MTRR_VARIABLE:
		return is_variable(msr, value);
	default:
		return true;
	}
}

/* ---- reads and writes ----------------------------------------------------------------------------------- */

static bool is_lapic(uint32_t msr)
{
	return (msr >= MSR_X2APIC && msr < MSR_X2APIC_END) || msr == MSR_TSC_DEADLINE ||
	       msr == MSR_APIC_BASE;
}

static bool read_row(struct axvm_vcpu *vcpu, const struct row *row, uint32_t msr, uint64_t *value)
{
	if (row->kind == FUNCTION)
		return row->read(vcpu, value);
	if (row->kind == CONSTANT || row->kind == IGNORED) {
		*value = row->value;
		return true;
	}
	if (row->kind == HARDWARE)
		axvm_hal_sysreg_sync(vcpu);
	*value = *place(vcpu, row, msr);
	return true;
}

bool axvm_x86_64_read_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (is_lapic(msr))
		return axvm_lapic_read_msr(vcpu, msr, value);

	const struct row *row = find(msr);

	return row != NULL && read_row(vcpu, row, msr, value);
}

static bool write_row(struct axvm_vcpu *vcpu, const struct row *row, uint32_t msr, uint64_t value)
{
	if (row->kind == FUNCTION)
		return row->write(vcpu, value);
	if (row->kind == CONSTANT || !has_form(msr, (enum form)row->form, value))
		return false;
	if (row->kind == IGNORED)
		return true;
	if (row->kind == HARDWARE)
		axvm_hal_sysreg_sync(vcpu);
	*place(vcpu, row, msr) = value;
	if (row->kind == HARDWARE)
		axvm_hal_sysreg_flush(vcpu);
	return true;
}

bool axvm_x86_64_write_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (is_lapic(msr))
		return axvm_lapic_write_msr(vcpu, msr, value);

	const struct row *row = find(msr);

	return row != NULL && write_row(vcpu, row, msr, value);
}

/* Those that VMLOAD and VMSAVE switch, and VMX by fields or at bind; the CPU itself checks their form. */
bool axvm_x86_64_msr_is_direct(uint32_t msr, bool write)
{
	(void)write;
	return (msr >= 0xc0000081 && msr <= 0xc0000084) ||
	       (msr >= 0xc0000100 && msr <= 0xc0000102) || (msr >= 0x174 && msr <= 0x176);
}
