// SPDX-License-Identifier: Apache-2.0
/*
 * Every encoding of MRS and MSR (op0 2 and 3) and of SYS and SYSL (op0 1), by an instruction that
 * the guest writes itself: each completes or is undefined, and the guest goes on.
 */
#include "runtime.h"

#define ENCODING(op0, op1, crn, crm, op2)                                       \
	((uint32_t)(op0) << 14 | (uint32_t)(op1) << 11 | (uint32_t)(crn) << 7 | \
	 (uint32_t)(crm) << 3 | (uint32_t)(op2))

/* A wild value in these would break the guest's own legs, which proves nothing. */
static const uint32_t own[] = {
	ENCODING(3, 0, 1, 0, 0),  /* SCTLR_EL1 */
	ENCODING(3, 0, 1, 0, 1),  /* ACTLR_EL1 */
	ENCODING(3, 0, 1, 0, 2),  /* CPACR_EL1 */
	ENCODING(3, 0, 1, 0, 3),  /* SCTLR2_EL1 */
	ENCODING(3, 0, 2, 0, 0),  /* TTBR0_EL1 */
	ENCODING(3, 0, 2, 0, 2),  /* TCR_EL1 */
	ENCODING(3, 0, 2, 0, 3),  /* TCR2_EL1 */
	ENCODING(3, 0, 4, 2, 0),  /* SPSel */
	ENCODING(3, 0, 4, 2, 3),  /* PAN */
	ENCODING(3, 3, 4, 2, 1),  /* DAIF */
	ENCODING(3, 0, 4, 3, 0),  /* ALLINT */
	ENCODING(3, 0, 10, 2, 0), /* MAIR_EL1 */
	ENCODING(3, 0, 12, 0, 0), /* VBAR_EL1 */
	ENCODING(3, 0, 13, 0, 4), /* TPIDR_EL1 */
	ENCODING(2, 0, 0, 2, 2),  /* MDSCR_EL1 */
	ENCODING(3, 3, 4, 2, 2),  /* SVCR: streaming mode makes other instructions undefined */
	ENCODING(3, 0, 2, 5, 0),  /* GCSCR_EL1 */
};

static uint32_t code[16];
_Alignas(4096) static uint8_t scratch[8192];
static uint64_t completed_count;
static uint64_t undefined_count;
static uint64_t other_count;
static uint64_t random_state = 99;

static bool is_own(uint32_t encoding)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i] == encoding)
			return true;
	}
	return false;
}

/* `instruction` with x0 as its register; what the probe met. */
static struct guest_fault run(uint32_t instruction, uint64_t *value)
{
	uint64_t (*function)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)code;
	uint64_t result = *value;

	code[0] = instruction;
	code[1] = 0xd65f03c0u; /* ret */
	guest_sync_code(code, 8);
	struct guest_fault fault = PROBE(result = function(result));
	*value = result;
	return fault;
}

static bool count(struct guest_fault fault, uint32_t encoding)
{
	uint32_t class = guest_fault_class(fault);

	if (fault.count == 0) {
		completed_count++;
		return true;
	}
	/* Undefined, or an FP, SVE or SME register that the guest's own CPACR_EL1 traps. */
	if (fault.count == 1 && (class == EC_UNKNOWN || class == 0x18 || class == 0x07 ||
				 class == 0x19 || class == 0x1d)) {
		undefined_count++;
		return false;
	}
	other_count++;
	axtest_puts("# encoding ");
	axtest_put_hex(encoding);
	axtest_puts(" esr ");
	axtest_put_hex(fault.cause);
	axtest_puts("\n");
	return false;
}

static void begin(void)
{
	completed_count = 0;
	undefined_count = 0;
	other_count = 0;
}

#define MRS 0xd5200000u
#define MSR 0xd5000000u

TEST(every_system_register_can_be_tried_for_reading)
{
	begin();
	for (uint32_t encoding = ENCODING(2, 0, 0, 0, 0); encoding < 1u << 16; encoding++) {
		uint64_t value = 0;

		(void)count(run(MRS | encoding << 5, &value), encoding);
	}
	CHECK_EQ(completed_count + undefined_count, 32768);
	CHECK(completed_count > 100);
	CHECK(undefined_count > 10000);
	CHECK_EQ(other_count, 0);
}

/* Wild, then what was there before where that could be read. */
TEST(every_system_register_can_be_tried_for_writing)
{
	begin();
	for (uint32_t encoding = ENCODING(2, 0, 0, 0, 0); encoding < 1u << 16; encoding++) {
		uint64_t old = 0;
		uint64_t wild = guest_random(&random_state);
		bool readable = run(MRS | encoding << 5, &old).count == 0;

		if (is_own(encoding))
			wild = old;
		(void)count(run(MSR | encoding << 5, &wild), encoding);
		if (readable)
			(void)run(MSR | encoding << 5, &old);
	}
	CHECK_EQ(completed_count + undefined_count, 32768);
	CHECK_EQ(other_count, 0);
}

/* Cache, address translation, TLB: on the guest's own scratch memory. */
TEST(every_system_instruction_can_be_tried)
{
	uint32_t aborted_count = 0;

	begin();
	for (uint32_t encoding = ENCODING(1, 0, 0, 0, 0); encoding < 1u << 15; encoding++) {
		uint64_t value = (uintptr_t)scratch + 4096;
		struct guest_fault fault = run(MSR | encoding << 5, &value);
		uint32_t class = guest_fault_class(fault);

		aborted_count += fault.count == 1 && class == EC_DATA_ABORT;
		if (fault.count > 1 || (fault.count == 1 && class != EC_DATA_ABORT &&
					class != EC_UNKNOWN && class != 0x18 && class != 0x2d))
			(void)count(fault, encoding);
	}
	CHECK_EQ(other_count, 0);
	CHECK(aborted_count < 100);
}

TEST(the_guest_is_as_it_was)
{
	CHECK_EQ(READ_SYSREG(tpidr_el1), (uintptr_t)&guest_cpus[0]);
	CHECK(guest_hvc(PSCI_VERSION, 0, 0, 0) > 0);
}

AXTEST_MAIN(every_system_register_can_be_tried_for_reading,
	    every_system_register_can_be_tried_for_writing, every_system_instruction_can_be_tried,
	    the_guest_is_as_it_was)
