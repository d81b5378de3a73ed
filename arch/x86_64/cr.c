/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest may write to CR0, CR2 to CR4, CR8, EFER and XCR0 [SDM3 2.5, 2.6, 4.1.2; APM2 3.1, 14.6]. Paging on
 * with EFER.LME is what makes EFER.LMA; nothing else does.
 */
#include <axvm/hal_x86_64.h>

#include "regs.h"

#define CR0_KNOWN                                                                                  \
	(AXVM_X86_CR0_PE | AXVM_X86_CR0_MP | AXVM_X86_CR0_EM | AXVM_X86_CR0_TS | AXVM_X86_CR0_ET | \
	 AXVM_X86_CR0_NE | AXVM_X86_CR0_WP | AXVM_X86_CR0_AM | AXVM_X86_CR0_NW | AXVM_X86_CR0_CD | \
	 AXVM_X86_CR0_PG)
#define CR3_KEEPS_TLB ((uint64_t)1 << 63) /* with PCIDE, and not kept itself */
#define CR3_PCID 0xfffu
#define CR4_PGE ((uint64_t)1 << 7)
#define CR4_PCIDE ((uint64_t)1 << 17)
#define EFER_KNOWN (AXVM_X86_EFER_SCE | AXVM_X86_EFER_LME | AXVM_X86_EFER_LMA | AXVM_X86_EFER_NXE)
#define SEGMENT_LONG ((uint16_t)1 << 9) /* of `attributes` */

#define PDPTES 4u
#define PDPTE_PRESENT 1u
#define PDPTE_RESERVED 0x1e6u
#define PDPTES_MASK 0xffffffe0u

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u
#define XCR0_MPX 0x18u
#define XCR0_AVX512 0xe0u

#define LEAF_EXTENDED 0x80000001u
#define EXTENDED_NX (1u << 20)
#define EXTENDED_LM (1u << 29)

static uint64_t above_physical(void)
{
	uint32_t bits = axvm_host_caps()->ipa_bits;

	return bits < 52 ? UINT64_MAX << bits : UINT64_MAX << 52;
}

/* PAE without long mode: the four top entries are read when it begins, and must be right. */
static bool has_pdptes(struct axvm_vcpu *vcpu, uint64_t cr3)
{
	uint64_t entries[PDPTES];

	if (axvm_aspace_read(&vcpu->vm->aspace, axvm_gpa(cr3 & PDPTES_MASK), entries,
			     sizeof(entries)) != 0)
		return false;
	for (unsigned i = 0; i < PDPTES; i++) {
		if ((entries[i] & PDPTE_PRESENT) != 0 &&
		    (entries[i] & (PDPTE_RESERVED | above_physical())) != 0)
			return false;
	}
	return true;
}

static bool is_64_bit(const struct axvm_x86_sysregs *sys)
{
	return (sys->efer & AXVM_X86_EFER_LMA) != 0 &&
	       (sys->segment[AXVM_X86_CS].attributes & SEGMENT_LONG) != 0;
}

static bool enable_paging(struct axvm_vcpu *vcpu)
{
	struct axvm_x86_sysregs *sys = &vcpu->arch.sys;
	bool is_pae = (sys->cr4 & AXVM_X86_CR4_PAE) != 0;

	if ((sys->efer & AXVM_X86_EFER_LME) == 0)
		return !is_pae || has_pdptes(vcpu, sys->cr3);
	if (!is_pae || (sys->segment[AXVM_X86_CS].attributes & SEGMENT_LONG) != 0)
		return false;
	sys->efer |= AXVM_X86_EFER_LMA;
	return true;
}

static bool disable_paging(struct axvm_x86_sysregs *sys)
{
	if (is_64_bit(sys) || (sys->cr4 & CR4_PCIDE) != 0)
		return false;
	sys->efer &= ~AXVM_X86_EFER_LMA;
	return true;
}

/* Of the low half unknown bits are ignored, of the high half they are not. */
static bool write_cr0(struct axvm_vcpu *vcpu, uint64_t value)
{
	struct axvm_x86_sysregs *sys = &vcpu->arch.sys;
	uint64_t changed;

	if (value > UINT32_MAX)
		return false;
	value = (value & CR0_KNOWN) | AXVM_X86_CR0_ET;
	if ((value & AXVM_X86_CR0_PG) != 0 && (value & AXVM_X86_CR0_PE) == 0)
		return false;
	if ((value & AXVM_X86_CR0_NW) != 0 && (value & AXVM_X86_CR0_CD) == 0)
		return false;
	changed = sys->cr0 ^ value;
	if ((changed & AXVM_X86_CR0_PG) != 0 &&
	    !((value & AXVM_X86_CR0_PG) != 0 ? enable_paging(vcpu) : disable_paging(sys)))
		return false;
	sys->cr0 = value;
	return true;
}

static bool write_cr3(struct axvm_vcpu *vcpu, uint64_t value)
{
	struct axvm_x86_sysregs *sys = &vcpu->arch.sys;

	if ((sys->efer & AXVM_X86_EFER_LMA) != 0) {
		if ((sys->cr4 & CR4_PCIDE) != 0)
			value &= ~CR3_KEEPS_TLB;
		if ((value & above_physical()) != 0)
			return false;
	} else if ((sys->cr0 & AXVM_X86_CR0_PG) != 0 && (sys->cr4 & AXVM_X86_CR4_PAE) != 0 &&
		   !has_pdptes(vcpu, value)) {
		return false;
	}
	sys->cr3 = value;
	return true;
}

static bool write_cr4(struct axvm_vcpu *vcpu, uint64_t value)
{
	struct axvm_x86_sysregs *sys = &vcpu->arch.sys;
	const uint64_t paging = AXVM_X86_CR4_PAE | AXVM_X86_CR4_PSE | CR4_PGE | AXVM_X86_CR4_SMEP;
	bool is_long = (sys->efer & AXVM_X86_EFER_LMA) != 0;
	uint64_t changed = sys->cr4 ^ value;

	if ((value & ~axvm_x86_64_cr4_allowed(vcpu)) != 0)
		return false;
	if (is_long && (value & AXVM_X86_CR4_PAE) == 0)
		return false;
	if ((changed & value & CR4_PCIDE) != 0 && (!is_long || (sys->cr3 & CR3_PCID) != 0))
		return false;
	if (!is_long && (sys->cr0 & AXVM_X86_CR0_PG) != 0 && (value & AXVM_X86_CR4_PAE) != 0 &&
	    (changed & paging) != 0 && !has_pdptes(vcpu, sys->cr3))
		return false;
	sys->cr4 = value;
	return true;
}

bool axvm_x86_64_write_cr(struct axvm_vcpu *vcpu, unsigned index, uint64_t value)
{
	switch (index) {
	case 0:
		return write_cr0(vcpu, value);
	case 2:
		vcpu->arch.sys.cr2 = value;
		return true;
	case 3:
		return write_cr3(vcpu, value);
	case 4:
		return write_cr4(vcpu, value);
	case 8:
		if (value > 15)
			return false;
		axvm_lapic_set_cr8(vcpu, value);
		return true;
	default:
		return false;
	}
}

/* LMA is paging's alone: what is written there does not matter. */
bool axvm_x86_64_write_efer(struct axvm_vcpu *vcpu, uint64_t value)
{
	struct axvm_x86_sysregs *sys = &vcpu->arch.sys;
	uint32_t features = axvm_x86_64_cpuid(vcpu, LEAF_EXTENDED, 0).edx;
	uint64_t changed = sys->efer ^ value;

	if ((value & ~EFER_KNOWN) != 0)
		return false;
	if ((value & AXVM_X86_EFER_NXE) != 0 && (features & EXTENDED_NX) == 0)
		return false;
	if ((value & AXVM_X86_EFER_LME) != 0 && (features & EXTENDED_LM) == 0)
		return false;
	if ((changed & AXVM_X86_EFER_LME) != 0 && (sys->cr0 & AXVM_X86_CR0_PG) != 0)
		return false;
	sys->efer = (value & ~AXVM_X86_EFER_LMA) | (sys->efer & AXVM_X86_EFER_LMA);
	return true;
}

/* Parts that come together or not at all [SDM1 13.3]. */
static bool is_whole(uint64_t value, uint64_t parts)
{
	return (value & parts) == 0 || (value & parts) == parts;
}

bool axvm_x86_64_write_xcr0(struct axvm_vcpu *vcpu, uint64_t value)
{
	if ((value & XCR0_X87) == 0 || (value & ~axvm_x86_64_xcr0_allowed(vcpu)) != 0)
		return false;
	if ((value & XCR0_AVX) != 0 && (value & XCR0_SSE) == 0)
		return false;
	if ((value & XCR0_AVX512) != 0 && (value & XCR0_AVX) == 0)
		return false;
	if (!is_whole(value, XCR0_AVX512) || !is_whole(value, XCR0_MPX))
		return false;
	vcpu->arch.xcr0 = value;
	axvm_hal_x86_64_set_xcr0(vcpu);
	return true;
}
