/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs: each row of the table, and everything a hostile guest can ask for. */
#include "x86_64_rig.h"

#define NON_CANONICAL 0x0000800000000000ULL

static bool reads(uint32_t msr, uint64_t *value)
{
	return axvm_x86_64_read_msr(on(0), msr, value);
}

static bool writes(uint32_t msr, uint64_t value)
{
	return axvm_x86_64_write_msr(on(0), msr, value);
}

static uint64_t value_of(uint32_t msr)
{
	uint64_t value = 0xbadbadbad;

	CHECK(reads(msr, &value));
	return value;
}

TEST(state_that_is_written_is_read_again)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} table[] = {
		{ 0xc0000081, 0x0023001000000000 },
		{ 0xc0000082, 0xffffffff81000000 },
		{ 0xc0000083, 0x00007fffffffffff },
		{ 0xc0000084, 0x47700 },
		{ 0xc0000100, 0xffff800000000000 },
		{ 0xc0000101, 0x1000 },
		{ 0xc0000102, 0xffff888000000000 },
		{ 0xc0000103, 0x12345678 },
		{ 0x174, 0x10 },
		{ 0x175, 0xfffffe0000001000 },
		{ 0x176, 0xffffffff81001000 },
		{ 0x277, 0x0407050600070106 },
		{ 0x200, 0x80000006 },
		{ 0x20f, 0xff80000800 },
		{ 0x250, 0x0606060606060606 },
		{ 0x259, 0x0000000000000000 },
		{ 0x268, 0x0505050505050505 },
		{ 0x26f, 0x0401000506040100 },
		{ 0x2ff, 0xc06 },
		{ 0x1a0, 0x850089 },
		{ 0xc0000080, 0xd01 },
	};

	rig_start(1);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK(writes(table[i].msr, table[i].value));
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_EQ(value_of(table[i].msr), table[i].value);
	CHECK_EQ(rig_vcpus[0].arch.sys.lstar, 0xffffffff81000000);
	CHECK_EQ(rig_vcpus[0].arch.sys.segment[AXVM_X86_FS].base, 0xffff800000000000);
	CHECK_EQ(rig_vcpus[0].arch.sys.segment[AXVM_X86_GS].base, 0x1000);
	CHECK_EQ(rig_vcpus[0].arch.mtrr_fixed[10], 0x0401000506040100);
	CHECK_EQ(rig_vcpus[0].arch.mtrr_fixed[2], 0);
	CHECK_EQ(rig_vcpus[0].arch.mtrr_variable[15], 0xff80000800);
	rig_end();
}

TEST(values_that_the_register_cannot_have_are_refused)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} table[] = {
		{ 0xc0000082, NON_CANONICAL },
		{ 0xc0000083, NON_CANONICAL },
		{ 0xc0000100, NON_CANONICAL },
		{ 0xc0000101, 1ULL << 63 },
		{ 0xc0000102, NON_CANONICAL },
		{ 0x175, NON_CANONICAL },
		{ 0x176, NON_CANONICAL },
		{ 0xc0000103, 1ULL << 32 },
		{ 0x277, 2 },
		{ 0x277, 3ULL << 56 },
		{ 0x277, 8 },
		{ 0x250, 7 },
		{ 0x26f, 2ULL << 56 },
		{ 0x2ff, 1ULL << 8 },
		{ 0x2ff, 2 },
		{ 0x200, 1ULL << 40 },
		{ 0x200, 3 },
		{ 0x200, 0x106 },
		{ 0x201, 1 },
		{ 0x201, 1ULL << 40 },
		{ 0x1a0, 1ULL << 34 },
		{ 0xc0000080, AXVM_X86_EFER_SVME },
		{ 0xc0000080, 1ULL << 14 },
		{ 0xfe, 0x508 },
		{ 0x3a, 5 },
		{ 0x179, 0 },
		{ 0xc0010114, 0 },
	};

	rig_start(1);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t before = value_of(table[i].msr);

		CHECK(!writes(table[i].msr, table[i].value));
		CHECK_EQ(value_of(table[i].msr), before);
	}
	rig_end();
}

TEST(constants_are_what_the_machine_is)
{
	rig_start(1);
	CHECK_EQ(value_of(0xfe), 0x508);
	CHECK_EQ(value_of(0x3a), 1);
	CHECK_EQ(value_of(0x179), 0);
	CHECK_EQ(value_of(0xc0010114), 0x18);
	CHECK(writes(0x8b, 0));
	CHECK_EQ(value_of(0x8b), 0);
	CHECK(writes(0xc0010015, 0));
	CHECK_EQ(value_of(0xc0010015), 1u << 24);
	CHECK(writes(0xc0011029, UINT64_MAX));
	CHECK_EQ(value_of(0xc0011029), 2);
	rig_end();
}

TEST(the_TSC_and_its_adjustment_move_together)
{
	rig_start(1);
	axvm_sim_advance(5000);
	CHECK_EQ(value_of(0x10), 5000);
	CHECK(writes(0x10, 1000000));
	CHECK_EQ(value_of(0x10), 1000000);
	CHECK_EQ(value_of(0x3b), 995000);
	CHECK(writes(0x3b, 0));
	CHECK_EQ(value_of(0x10), 5000);
	axvm_sim_advance(7);
	CHECK_EQ(value_of(0x10), 5007);
	CHECK_EQ(axvm_sim_x86_64_tsc_offset_sets(), 2);
	CHECK(writes(0x10, UINT64_MAX));
	CHECK_EQ(value_of(0x10), UINT64_MAX);
	rig_end();
}

TEST(the_local_APICs_MSRs_are_its_own)
{
	uint64_t value;

	rig_start(2);
	CHECK_EQ(value_of(0x1b), 0xfee00900);
	CHECK(!reads(0x802, &value)); /* xAPIC mode */
	CHECK(writes(0x1b, 0xfee00d00));
	CHECK_EQ(value_of(0x802), 0);
	CHECK(writes(0x808, 0x20));
	CHECK_EQ(value_of(0x808), 0x20);
	rig_end();
}

/* Nothing panics, nothing is read that was not written by the table's rules. */
TEST(no_number_and_no_value_hurts)
{
	static const uint32_t starts[] = { 0,	       0xc0000000, 0xc0010000,
					   0x40000000, 0x4b564d00, 0xfffff000 };
	uint64_t known = 0;

	rig_start(1);
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		uint32_t count = starts[i] == 0xfffff000 ? 0x1000 : 0x2000;

		for (uint32_t n = 0; n < count; n++) {
			uint64_t value;

			(void)writes(starts[i] + n, UINT64_MAX);
			(void)writes(starts[i] + n, (uint64_t)1 << (n & 63));
			known += reads(starts[i] + n, &value);
		}
	}
	CHECK(known > 40 && known < 140);
	CHECK_EQ(rig_vcpus[0].arch.sys.efer & AXVM_X86_EFER_SVME, 0);
	rig_end();
}

TEST(only_what_the_hardware_switches_is_direct)
{
	uint32_t direct = 0;

	for (uint64_t msr = 0; msr < 0xc0012000; msr = msr == 0x1fff ? 0xc0000000 : msr + 1) {
		bool read = axvm_x86_64_msr_is_direct((uint32_t)msr, false);

		CHECK_EQ(read, axvm_x86_64_msr_is_direct((uint32_t)msr, true));
		direct += read;
	}
	CHECK_EQ(direct, 10);
	CHECK(axvm_x86_64_msr_is_direct(0xc0000102, true));
	CHECK(!axvm_x86_64_msr_is_direct(0xc0000080, false)); /* EFER has SVME */
	CHECK(!axvm_x86_64_msr_is_direct(0x10, false));
	CHECK(!axvm_x86_64_msr_is_direct(0x830, true));
}

AXTEST_MAIN(state_that_is_written_is_read_again, values_that_the_register_cannot_have_are_refused,
	    constants_are_what_the_machine_is, the_TSC_and_its_adjustment_move_together,
	    the_local_APICs_MSRs_are_its_own, no_number_and_no_value_hurts,
	    only_what_the_hardware_switches_is_direct)
