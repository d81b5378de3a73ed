/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest sees of the CPU's features. ID registers are fields of four bits in
 * which more is more, so that one table of the largest value shown for each field
 * hides what is not virtualised, and what no one knew of when it was written. The
 * few signed fields, where 0xf means "none", are shown as they are, or forced.
 */
#include <axvm/hal_aarch64.h>

#include "pte_format.h"
#include "regs.h"

struct rule {
	uint64_t limit; /* by field: 0 hides it, 0xf shows the host's */
	uint64_t force; /* bits that are always set */
};

#define ALL UINT64_MAX

/* docs/aarch64.md gives the fields by name, and the reasons. Not in the table: hidden, RAZ. */
static const struct rule rules[AXVM_AARCH64_ID_ROWS][8] = {
	/* AArch32 at EL0: as the host, without RAS, AMU, PMU, trace, debug beyond v8, EL2 */
	[1][0] = { .limit = 0x0f0fffff }, /* ID_PFR0_EL1 */
	[1][1] = { .limit = 0x100f0fff }, /* ID_PFR1_EL1 */
	[1][2] = { .limit = 0x00000066 }, /* ID_DFR0_EL1 */
	[1][4] = { .limit = ALL },	  /* ID_MMFR0_EL1 */
	[1][5] = { .limit = ALL },	  /* ID_MMFR1_EL1 */
	[1][6] = { .limit = ALL },	  /* ID_MMFR2_EL1 */
	[1][7] = { .limit = ALL },	  /* ID_MMFR3_EL1 */
	[2][0] = { .limit = ALL },	  /* ID_ISAR0_EL1 */
	[2][1] = { .limit = ALL },	  /* ID_ISAR1_EL1 */
	[2][2] = { .limit = ALL },	  /* ID_ISAR2_EL1 */
	[2][3] = { .limit = ALL },	  /* ID_ISAR3_EL1 */
	[2][4] = { .limit = ALL },	  /* ID_ISAR4_EL1 */
	[2][5] = { .limit = ALL },	  /* ID_ISAR5_EL1 */
	[2][6] = { .limit = ALL },	  /* ID_MMFR4_EL1 */
	[2][7] = { .limit = ALL },	  /* ID_ISAR6_EL1 */
	[3][0] = { .limit = ALL },	  /* MVFR0_EL1 */
	[3][1] = { .limit = ALL },	  /* MVFR1_EL1 */
	[3][2] = { .limit = ALL },	  /* MVFR2_EL1 */
	[3][4] = { .limit = 0x00000011 }, /* ID_PFR2_EL1 */
	[3][6] = { .limit = ALL },	  /* ID_MMFR5_EL1 */
	/* CSV3 CSV2 - DIT, - - - -, - GIC AdvSIMD FP, EL3 - EL1 EL0 */
	[4][0] = { .limit = 0x1101000001ff1012 }, /* ID_AA64PFR0_EL1 */
	/* CSV2_frac, SSBS, BT */
	[4][1] = { .limit = 0x0000000100000021 }, /* ID_AA64PFR1_EL1 */
	/* DoubleLock none; two watchpoints, two breakpoints, DebugVer 8.0 */
	[5][0] = { .limit = 0x0000000000101006, .force = 0x000000f000000000 }, /* ID_AA64DFR0_EL1 */
	/* RNDR TLB TS FHM, DP SM4 SM3 SHA3, RDM - Atomic CRC32, SHA2 SHA1 AES - */
	[6][0] = { .limit = 0x1221111110212120 }, /* ID_AA64ISAR0_EL1 */
	/* - - I8MM DGH, BF16 SPECRES SB FRINTTS, GPI GPA LRCPC FCMA, JSCVT API APA DPB */
	[6][1] = { .limit = 0x00112111ff211ff2 }, /* ID_AA64ISAR1_EL1 */
	/* - - CSSC RPRFM, CLRBHB PAC_frac BC -, APA3 GPA3 RPRES - */
	[6][2] = { .limit = 0x001100001110ff10 }, /* ID_AA64ISAR2_EL1 */
	/* ExS; TGran4 TGran64 TGran16 -, - - ASIDBits PARange */
	[7][0] = { .limit = 0x00001000ff10002f }, /* ID_AA64MMFR0_EL1 */
	/* ECBHB - - nTLBPA, AFP - ETS -, - - PAN -, HPDS - - HAFDBS */
	[7][1] = { .limit = 0x1001102000302002 }, /* ID_AA64MMFR1_EL1 */
	/* E0PD - BBM TTL, - - IDS AT, ST - CCIDX VARange, - LSM UAO CnP */
	[7][2] = { .limit = 0x1021001110110111 }, /* ID_AA64MMFR2_EL1 */
};

static uint64_t limit_fields(uint64_t host, uint64_t limit)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 4) {
		uint64_t field = host >> shift & 0xf;
		uint64_t most = limit >> shift & 0xf;

		value |= (field < most ? field : most) << shift;
	}
	return value;
}

/* The largest PARange that stage 2 has room for [ARM D19.2.64]. */
static uint64_t pa_range(uint32_t ipa_bits)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };
	uint64_t range = 0;

	for (unsigned i = 0; i < sizeof(bits); i++) {
		if (bits[i] <= ipa_bits)
			range = i;
	}
	return range;
}

uint64_t axvm_aarch64_id_register(unsigned crm, unsigned op2, uint64_t host, uint32_t ipa_bits)
{
	const struct rule *rule;
	uint64_t value;

	if (crm >= AXVM_AARCH64_ID_ROWS || op2 > 7)
		return 0;
	rule = &rules[crm][op2];
	value = limit_fields(host, rule->limit) | rule->force;
	if (crm == 7 && op2 == 0 && (value & 0xf) > pa_range(ipa_bits))
		value = (value & ~0xfULL) | pa_range(ipa_bits);
	return value;
}

void axvm_aarch64_id_registers_init(struct axvm_vm *vm)
{
	for (unsigned crm = 1; crm < AXVM_AARCH64_ID_ROWS; crm++) {
		for (unsigned op2 = 0; op2 < 8; op2++) {
			uint64_t host = axvm_hal_aarch64_id_register(crm, op2);

			vm->arch.id_registers[crm][op2] = axvm_aarch64_id_register(
				crm, op2, host, vm->aspace.format->input_bits);
		}
	}
}
