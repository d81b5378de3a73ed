/* SPDX-License-Identifier: Apache-2.0 */
/* What the VM-exit information fields tell. */
#include <string.h>

#include "axtest.h"
#include "exit.h"

static struct axvm_arch_vcpu arch;

static const struct axvm_x86_exit *decode(const struct axvm_vmx_exit_fields *fields)
{
	memset(&arch, 0, sizeof(arch));
	memset(&arch.exit, 0xa5, sizeof(arch.exit));
	axvm_x86_64_vmx_decode(fields, &arch);
	return &arch.exit;
}

#define DECODE(...) decode(&(const struct axvm_vmx_exit_fields){ __VA_ARGS__ })

TEST(each_reason_has_the_kind_of_the_manual)
{
	static const struct {
		uint64_t first, last;
		enum axvm_x86_exit_kind kind;
	} table[] = {
		{ 0, 0, AXVM_X86_EXIT_EXCEPTION },
		{ 1, 1, AXVM_X86_EXIT_INTERRUPT },
		{ 2, 2, AXVM_X86_EXIT_SHUTDOWN },
		{ 3, 6, AXVM_X86_EXIT_UNKNOWN }, /* INIT, SIPI, SMI */
		{ 7, 8, AXVM_X86_EXIT_WINDOW },
		{ 9, 9, AXVM_X86_EXIT_TASK_SWITCH },
		{ 10, 10, AXVM_X86_EXIT_CPUID },
		{ 11, 11, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 12, 12, AXVM_X86_EXIT_HLT },
		{ 13, 13, AXVM_X86_EXIT_INVALIDATE },
		{ 14, 14, AXVM_X86_EXIT_UNKNOWN }, /* INVLPG does not exit */
		{ 15, 16, AXVM_X86_EXIT_COUNTER },
		{ 17, 17, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 18, 18, AXVM_X86_EXIT_HYPERCALL },
		{ 19, 27, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 28, 28, AXVM_X86_EXIT_CR },
		{ 29, 29, AXVM_X86_EXIT_DR },
		{ 30, 30, AXVM_X86_EXIT_IO },
		{ 31, 31, AXVM_X86_EXIT_RDMSR },
		{ 32, 32, AXVM_X86_EXIT_WRMSR },
		{ 33, 34, AXVM_X86_EXIT_INVALID },
		{ 35, 35, AXVM_X86_EXIT_UNKNOWN },
		{ 36, 36, AXVM_X86_EXIT_MONITOR },
		{ 39, 39, AXVM_X86_EXIT_MONITOR },
		{ 40, 40, AXVM_X86_EXIT_PAUSE },
		{ 41, 41, AXVM_X86_EXIT_INVALID },
		{ 48, 48, AXVM_X86_EXIT_NESTED_FAULT },
		{ 49, 49, AXVM_X86_EXIT_UNKNOWN }, /* EPT misconfiguration: ours, never a guest's */
		{ 50, 50, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 51, 51, AXVM_X86_EXIT_COUNTER },
		{ 53, 53, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 54, 54, AXVM_X86_EXIT_INVALIDATE },
		{ 55, 55, AXVM_X86_EXIT_XSETBV },
		{ 59, 60, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 61, 200, AXVM_X86_EXIT_UNKNOWN },
		{ 0xffff, 0xffff, AXVM_X86_EXIT_UNKNOWN },
		{ 0x80000021, 0x80000021, AXVM_X86_EXIT_INVALID },
		{ 0x80000001, 0x80000001, AXVM_X86_EXIT_INVALID },
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (uint64_t reason = table[i].first; reason <= table[i].last; reason++) {
			CHECK_EQ(DECODE(.reason = reason)->kind, table[i].kind);
			CHECK_EQ(arch.exit.hardware, reason);
		}
	}
	CHECK_EQ(DECODE(.reason = 0, .interruption_info = 0x80000202)->kind, AXVM_X86_EXIT_NMI);
}

TEST(the_counters_are_told_apart)
{
	CHECK_EQ(DECODE(.reason = 15)->index, AXVM_X86_RDPMC);
	CHECK_EQ(DECODE(.reason = 16)->index, AXVM_X86_RDTSC);
	CHECK_EQ(DECODE(.reason = 51)->index, AXVM_X86_RDTSCP);
}

TEST(a_length_beyond_any_instruction_is_none)
{
	CHECK_EQ(DECODE(.reason = 10, .instruction_bytes = 2)->instruction_bytes, 2);
	CHECK_EQ(DECODE(.reason = 10, .instruction_bytes = 15)->instruction_bytes, 15);
	CHECK_EQ(DECODE(.reason = 10, .instruction_bytes = 16)->instruction_bytes, 0);
}

TEST(a_control_register_access_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit = DECODE(.reason = 28, .qualification = 0x904);

	CHECK(exit->is_write);
	CHECK_EQ(exit->index, 4);
	CHECK_EQ(exit->reg, 9);
	exit = DECODE(.reason = 28, .qualification = 0xf18);
	CHECK(!exit->is_write);
	CHECK_EQ(exit->index, 8);
	CHECK_EQ(exit->reg, 15);
	exit = DECODE(.reason = 28, .qualification = 0x20); /* CLTS */
	CHECK(exit->is_write);
	CHECK_EQ(exit->index, 0);
	CHECK_EQ(exit->reg, 0xff);
	exit = DECODE(.reason = 28, .qualification = 0x12340030); /* LMSW */
	CHECK(exit->is_write);
	CHECK_EQ(exit->reg, 0xff);
}

TEST(a_debug_register_access_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit = DECODE(.reason = 29, .qualification = 0xa07);

	CHECK(exit->is_write);
	CHECK_EQ(exit->index, 7);
	CHECK_EQ(exit->reg, 10);
	CHECK(!DECODE(.reason = 29, .qualification = 0xa16)->is_write);
}

TEST(a_port_access_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit = DECODE(.reason = 30, .qualification = 0x03f80008);

	CHECK(!exit->is_write && !exit->is_string && !exit->is_repeated);
	CHECK_EQ(exit->bytes, 1);
	CHECK_EQ(exit->port, 0x3f8);
	exit = DECODE(.reason = 30, .qualification = 0xcfc00033,
		      .instruction_info = 2u << 7 | 4u << 15);
	CHECK(exit->is_write && exit->is_string && exit->is_repeated);
	CHECK_EQ(exit->bytes, 4);
	CHECK_EQ(exit->port, 0xcfc0);
	CHECK_EQ(exit->address_bytes, 8);
	CHECK_EQ(exit->segment, AXVM_X86_FS);
	CHECK_EQ(DECODE(.reason = 30, .qualification = 0x11, .instruction_info = 0)->address_bytes,
		 2);
}

TEST(a_nested_fault_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit = DECODE(.reason = 48, .qualification = 0x182,
						  .gpa = 0xfee000b0, .linear = 0xffff0b0);

	CHECK(exit->is_write && !exit->is_fetch && !exit->is_walk);
	CHECK_EQ(exit->gpa, 0xfee000b0);
	CHECK_EQ(exit->linear, 0xffff0b0);
	CHECK_EQ(exit->error_code, 2);
	CHECK_EQ(DECODE(.reason = 48, .qualification = 0x18c)->error_code, 0x11);
	CHECK(arch.exit.is_fetch);
	CHECK(DECODE(.reason = 48, .qualification = 0x81)->is_walk);
	CHECK(!DECODE(.reason = 48, .qualification = 0x1)->is_walk);
}

TEST(an_exception_is_told_with_its_error_and_address)
{
	const struct axvm_x86_exit *exit = DECODE(.reason = 0, .interruption_info = 0x80000b0e,
						  .interruption_error = 2, .qualification = 0x1234);

	CHECK_EQ(exit->index, 14);
	CHECK_EQ(exit->error_code, 2);
	CHECK_EQ(exit->linear, 0x1234);
	CHECK_EQ(DECODE(.reason = 0, .interruption_info = 0x80000306, .interruption_error = 7)
			 ->error_code,
		 0);
}

TEST(an_event_that_was_cut_off_comes_again)
{
	(void)DECODE(.reason = 48, .vectoring_info = 0x800000ef);
	CHECK(arch.event.valid && !arch.event.has_error_code);
	CHECK_EQ(arch.event.vector, 0xef);
	CHECK_EQ(arch.event.type, AXVM_X86_EVENT_INTERRUPT);
	(void)DECODE(.reason = 48, .vectoring_info = 0x80000b0e, .vectoring_error = 6);
	CHECK(arch.event.valid && arch.event.has_error_code);
	CHECK_EQ(arch.event.error_code, 6);
	CHECK_EQ(arch.event.type, AXVM_X86_EVENT_EXCEPTION);
	for (uint64_t type = 4; type < 8; type++) { /* software's are executed again */
		(void)DECODE(.reason = 48, .vectoring_info = 0x80000003 | type << 8);
		CHECK(!arch.event.valid);
	}
	(void)DECODE(.reason = 48, .vectoring_info = 0x000000ef);
	CHECK(!arch.event.valid);
}

AXTEST_MAIN(each_reason_has_the_kind_of_the_manual, the_counters_are_told_apart,
	    a_length_beyond_any_instruction_is_none,
	    a_control_register_access_is_told_in_all_its_parts,
	    a_debug_register_access_is_told_in_all_its_parts,
	    a_port_access_is_told_in_all_its_parts, a_nested_fault_is_told_in_all_its_parts,
	    an_exception_is_told_with_its_error_and_address, an_event_that_was_cut_off_comes_again)
