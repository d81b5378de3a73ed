// SPDX-License-Identifier: Apache-2.0
/*
 * System registers: what EL1 may use keeps what is written, what is hidden is undefined, what
 * identifies the CPU is in order, and nothing of another VM is ever seen. Two VMs with different
 * `vm=` on one CPU make the last test meaningful.
 */
#include "runtime.h"

static const uint64_t patterns[] = { 0, ~0ull, 0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a,
				     0x0123456789abcdef };

#define ROUND_TRIP(name, mask)                                                        \
	do {                                                                          \
		uint64_t old_value = READ_SYSREG(name);                               \
		uint64_t differing = 0;                                               \
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) { \
			WRITE_SYSREG(name, patterns[i] & (mask));                     \
			differing |= READ_SYSREG(name) ^ (patterns[i] & (mask));      \
		}                                                                     \
		WRITE_SYSREG(name, old_value);                                        \
		CHECK_EQ(differing &(mask), 0);                                       \
	} while (0)

#define IS_UNDEFINED(name)                                                                      \
	__extension__({                                                                         \
		struct guest_fault undefined_fault = PROBE((void)READ_SYSREG(name));            \
		undefined_fault.count == 1 && guest_fault_class(undefined_fault) == EC_UNKNOWN; \
	})

static uint64_t field(uint64_t value, uint32_t shift)
{
	return value >> shift & 0xf;
}

/* The first test: nothing else has written these. */
TEST(the_registers_are_clean_at_the_beginning)
{
	CHECK_EQ(READ_SYSREG(tpidr_el0), 0);
	CHECK_EQ(READ_SYSREG(tpidrro_el0), 0);
	CHECK_EQ(READ_SYSREG(contextidr_el1), 0);
	CHECK_EQ(READ_SYSREG(sp_el0), 0);
	CHECK_EQ(READ_SYSREG(ttbr1_el1), 0);
	CHECK_EQ(READ_SYSREG(cntv_ctl_el0) & 3, 0);
	CHECK_EQ(READ_SYSREG(cntp_ctl_el0) & 3, 0);
}

TEST(thread_registers_keep_what_is_written)
{
	ROUND_TRIP(tpidr_el0, ~0ull);
	ROUND_TRIP(tpidrro_el0, ~0ull);
	ROUND_TRIP(tpidr_el1, ~0ull);
	ROUND_TRIP(contextidr_el1, 0xffffffffull);
	ROUND_TRIP(sp_el0, ~0ull);
}

TEST(exception_registers_keep_what_is_written)
{
	ROUND_TRIP(elr_el1, ~0ull);
	ROUND_TRIP(spsr_el1, 0xf00003c5ull);
	ROUND_TRIP(esr_el1, 0xffffffffull);
	ROUND_TRIP(far_el1, ~0ull);
	ROUND_TRIP(vbar_el1, 0x0000fffffffff800ull);
}

TEST(translation_registers_keep_what_is_written)
{
	ROUND_TRIP(ttbr1_el1, 0x0000fffffffff000ull);
	ROUND_TRIP(mair_el1, 0xff000000ff000000ull); /* fields that no mapping uses */
	ROUND_TRIP(csselr_el1, 0x3ull);
	ROUND_TRIP(cpacr_el1, 3ull << 20);
	ROUND_TRIP(par_el1, 0x0000fffffffff000ull);
}

TEST(timer_registers_keep_what_is_written)
{
	ROUND_TRIP(cntkctl_el1, 0x3ull);
	ROUND_TRIP(cntv_cval_el0, ~0ull);
	ROUND_TRIP(cntp_cval_el0, ~0ull);
	WRITE_SYSREG(cntv_ctl_el0, 2);
	CHECK_EQ(READ_SYSREG(cntv_ctl_el0) & 3, 2);
	WRITE_SYSREG(cntp_ctl_el0, 2);
	CHECK_EQ(READ_SYSREG(cntp_ctl_el0) & 3, 2);
	WRITE_SYSREG(cntv_ctl_el0, 0);
	WRITE_SYSREG(cntp_ctl_el0, 0);
}

TEST(pointer_authentication_keys_keep_what_is_written)
{
	uint64_t isar1 = READ_SYSREG(id_aa64isar1_el1);
	uint64_t isar2 = READ_SYSREG(s3_0_c0_c6_2);

	if (field(isar1, 4) == 0 && field(isar1, 8) == 0 && field(isar2, 12) == 0)
		SKIP("the CPU has no pointer authentication");
	ROUND_TRIP(s3_0_c2_c1_0, ~0ull);
	ROUND_TRIP(s3_0_c2_c1_1, ~0ull);
	ROUND_TRIP(s3_0_c2_c1_2, ~0ull);
	ROUND_TRIP(s3_0_c2_c1_3, ~0ull);
	ROUND_TRIP(s3_0_c2_c2_0, ~0ull);
	ROUND_TRIP(s3_0_c2_c2_3, ~0ull);
	ROUND_TRIP(s3_0_c2_c3_0, ~0ull);
	ROUND_TRIP(s3_0_c2_c3_1, ~0ull);
}

TEST(interrupt_registers_keep_what_is_written)
{
	ROUND_TRIP(s3_0_c4_c6_0, 0xf8ull);		   /* ICC_PMR_EL1 */
	ROUND_TRIP(s3_0_c12_c12_7, 1ull);		   /* ICC_IGRPEN1_EL1 */
	CHECK_EQ(READ_SYSREG(s3_0_c12_c12_5) & 1, 1);	   /* ICC_SRE_EL1 */
	CHECK(field(READ_SYSREG(s3_0_c12_c12_4), 8) >= 3); /* ICC_CTLR_EL1.PRIbits */
}

/* Self-modified: mrs x0, S3_0_c0_c<crm>_<op2>; ret. */
static uint32_t code[16];

static uint32_t read_id(uint32_t crm, uint32_t op2, uint64_t *value)
{
	uint64_t (*run)(void) = (uint64_t(*)(void))(uintptr_t)code;
	uint64_t result = 0;

	code[0] = 0xd5380000u | crm << 8 | op2 << 5;
	code[1] = 0xd65f03c0u;
	guest_sync_code(code, 8);
	struct guest_fault fault = PROBE(result = run());
	*value = result;
	return (uint32_t)fault.count;
}

TEST(the_whole_identification_space_can_be_read)
{
	uint64_t first;
	uint64_t second;

	for (uint32_t crm = 1; crm < 8; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++) {
			CHECK_EQ(read_id(crm, op2, &first), 0);
			CHECK_EQ(read_id(crm, op2, &second), 0);
			CHECK_EQ(first, second);
		}
	}
}

TEST(the_cpu_is_identified)
{
	uint64_t pfr0 = READ_SYSREG(id_aa64pfr0_el1);

	CHECK(READ_SYSREG(midr_el1) != 0);
	CHECK_EQ(READ_SYSREG(mpidr_el1) >> 31 & 1, 1);
	CHECK(field(pfr0, 0) == 1 || field(pfr0, 0) == 2);
	CHECK(field(pfr0, 4) == 1 || field(pfr0, 4) == 2);
	CHECK_EQ(field(pfr0, 8), 0);  /* no EL2 */
	CHECK_EQ(field(pfr0, 12), 0); /* no EL3 */
	CHECK(field(pfr0, 24) != 0);  /* GIC system registers */
	CHECK(field(READ_SYSREG(ctr_el0), 16) >= 2);
	(void)READ_SYSREG(dczid_el0);
	(void)READ_SYSREG(clidr_el1);
	(void)READ_SYSREG(revidr_el1);
	(void)READ_SYSREG(aidr_el1);
}

TEST(el2_and_el3_registers_are_undefined)
{
	CHECK(IS_UNDEFINED(s3_4_c1_c1_0));   /* HCR_EL2 */
	CHECK(IS_UNDEFINED(s3_4_c2_c1_0));   /* VTTBR_EL2 */
	CHECK(IS_UNDEFINED(s3_4_c12_c11_0)); /* ICH_HCR_EL2 */
	CHECK(IS_UNDEFINED(s3_5_c1_c0_0));   /* SCTLR_EL12 */
	CHECK(IS_UNDEFINED(s3_6_c1_c1_0));   /* SCR_EL3 */
}

TEST(registers_that_do_not_exist_are_undefined)
{
	CHECK(IS_UNDEFINED(s3_0_c3_c0_0));
	CHECK(IS_UNDEFINED(s3_0_c8_c0_0));
	CHECK(IS_UNDEFINED(s3_3_c3_c7_7));
	CHECK(IS_UNDEFINED(s3_7_c1_c1_1));
	CHECK(IS_UNDEFINED(s2_5_c3_c3_3));
}

TEST(what_is_not_virtualised_is_hidden)
{
	uint64_t pfr0 = READ_SYSREG(id_aa64pfr0_el1);
	uint64_t pfr1 = READ_SYSREG(id_aa64pfr1_el1);
	uint64_t pmu = field(READ_SYSREG(id_aa64dfr0_el1), 8);

	if (!guest_cmdline_has("axvm"))
		SKIP("on its own machine the CPU may have everything");
	CHECK_EQ(field(pfr0, 32), 0); /* SVE */
	CHECK_EQ(field(pfr0, 44), 0); /* AMU */
	CHECK_EQ(field(pfr1, 8), 0);  /* MTE */
	CHECK_EQ(field(pfr1, 24), 0); /* SME */
	CHECK(pmu == 0 || pmu == 0xf);
	CHECK_EQ(READ_SYSREG(s3_0_c0_c4_4), 0); /* ID_AA64ZFR0_EL1 */
	CHECK_EQ(READ_SYSREG(s3_0_c0_c4_5), 0); /* ID_AA64SMFR0_EL1 */
}

TEST(what_is_hidden_is_undefined)
{
	struct guest_fault fault;

	if (!guest_cmdline_has("axvm"))
		SKIP("on its own machine the CPU may have everything");
	/* The guest's own traps off: they would come first. */
	WRITE_SYSREG(cpacr_el1, 3u << 20 | 3u << 16 | 3u << 24);
	CHECK(IS_UNDEFINED(s3_0_c1_c2_0));			      /* ZCR_EL1 */
	CHECK(IS_UNDEFINED(s3_0_c1_c2_6));			      /* SMCR_EL1 */
	CHECK(IS_UNDEFINED(s3_3_c4_c2_2));			      /* SVCR */
	CHECK(IS_UNDEFINED(s3_0_c1_c0_6));			      /* GCR_EL1 */
	CHECK(IS_UNDEFINED(s3_3_c9_c12_0));			      /* PMCR_EL0 */
	CHECK(IS_UNDEFINED(s3_3_c9_c13_0));			      /* PMCCNTR_EL0 */
	fault = PROBE(__asm__ volatile(".inst 0x04bf5020" ::: "x0")); /* rdvl x0, #1 */
	CHECK(fault.count == 1 && guest_fault_class(fault) == EC_UNKNOWN);
	fault = PROBE(__asm__ volatile(".inst 0x04bf5820" ::: "x0")); /* rdsvl x0, #1 */
	CHECK(fault.count == 1 && guest_fault_class(fault) == EC_UNKNOWN);
	WRITE_SYSREG(cpacr_el1, 3u << 20);
}

static void on_irq(uint32_t intid)
{
	(void)intid;
	WRITE_SYSREG(cntv_ctl_el0, 0);
}

TEST(no_register_changes_while_another_vm_runs)
{
	uint64_t seed = guest_cmdline_number("vm", 1);

	guest_this_cpu()->on_irq = on_irq;
	guest_gic_enable(PPI_VIRTUAL_TIMER);
	guest_irq_enable();
	for (uint64_t round = 0; round < 300; round++) {
		uint64_t value = seed << 48 | round;

		WRITE_SYSREG(tpidr_el0, value);
		WRITE_SYSREG(tpidrro_el0, value + 1);
		WRITE_SYSREG(contextidr_el1, (uint32_t)value);
		WRITE_SYSREG(sp_el0, value + 2);
		WRITE_SYSREG(ttbr1_el1, round << 12);
		WRITE_SYSREG(cntp_cval_el0, value + 3);
		WRITE_SYSREG(csselr_el1, round & 1);
		guest_sleep(200);
		REQUIRE_EQ(READ_SYSREG(tpidr_el0), value);
		REQUIRE_EQ(READ_SYSREG(tpidrro_el0), value + 1);
		REQUIRE_EQ(READ_SYSREG(contextidr_el1), (uint32_t)value);
		REQUIRE_EQ(READ_SYSREG(sp_el0), value + 2);
		REQUIRE_EQ(READ_SYSREG(ttbr1_el1), round << 12);
		REQUIRE_EQ(READ_SYSREG(cntp_cval_el0), value + 3);
		REQUIRE_EQ(READ_SYSREG(csselr_el1), round & 1);
	}
	guest_irq_disable();
	guest_gic_disable(PPI_VIRTUAL_TIMER);
}

AXTEST_MAIN(the_registers_are_clean_at_the_beginning, thread_registers_keep_what_is_written,
	    exception_registers_keep_what_is_written, translation_registers_keep_what_is_written,
	    timer_registers_keep_what_is_written, pointer_authentication_keys_keep_what_is_written,
	    interrupt_registers_keep_what_is_written, the_whole_identification_space_can_be_read,
	    the_cpu_is_identified, el2_and_el3_registers_are_undefined,
	    registers_that_do_not_exist_are_undefined, what_is_not_virtualised_is_hidden,
	    what_is_hidden_is_undefined, no_register_changes_while_another_vm_runs)
