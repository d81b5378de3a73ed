/* SPDX-License-Identifier: Apache-2.0 */
/* What a VMCB tells of an exit. */
#include <string.h>

#include "axtest.h"
#include "exit.h"
#include "sim.h"
#include "vmcb.h"
#include "x86_64_sim.h"

static struct axvm_vmcb vmcb;
static struct axvm_arch_vcpu arch;

static void start(bool helps)
{
	struct axvm_x86_64_host host;

	axvm_sim_reset(NULL);
	host = axvm_sim_x86_64_default_host();
	host.has_next_rip = helps;
	host.has_decode_assists = helps;
	axvm_sim_x86_64_set_host(&host);
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&arch, 0, sizeof(arch));
}

static const struct axvm_x86_exit *decode(uint64_t code, uint64_t info_1, uint64_t info_2)
{
	memset(&arch.exit, 0xa5, sizeof(arch.exit)); /* nothing of the exit before it may remain */
	vmcb.control.exit_code = code;
	vmcb.control.exit_info_1 = info_1;
	vmcb.control.exit_info_2 = info_2;
	axvm_x86_64_svm_decode(&vmcb, &arch);
	return &arch.exit;
}

TEST(each_exit_code_has_the_kind_of_the_manual)
{
	static const struct {
		uint64_t code;
		enum axvm_x86_exit_kind kind;
	} table[] = {
		{ 0x00, AXVM_X86_EXIT_CR },
		{ 0x0f, AXVM_X86_EXIT_CR },
		{ 0x10, AXVM_X86_EXIT_CR },
		{ 0x1f, AXVM_X86_EXIT_CR },
		{ 0x20, AXVM_X86_EXIT_DR },
		{ 0x3f, AXVM_X86_EXIT_DR },
		{ 0x40, AXVM_X86_EXIT_EXCEPTION },
		{ 0x5f, AXVM_X86_EXIT_EXCEPTION },
		{ 0x60, AXVM_X86_EXIT_INTERRUPT },
		{ 0x61, AXVM_X86_EXIT_NMI },
		{ 0x64, AXVM_X86_EXIT_WINDOW },
		{ 0x65, AXVM_X86_EXIT_CR },
		{ 0x6e, AXVM_X86_EXIT_COUNTER },
		{ 0x6f, AXVM_X86_EXIT_COUNTER },
		{ 0x70, AXVM_X86_EXIT_UNKNOWN }, /* never intercepted */
		{ 0x72, AXVM_X86_EXIT_CPUID },
		{ 0x73, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x76, AXVM_X86_EXIT_INVALIDATE },
		{ 0x77, AXVM_X86_EXIT_PAUSE },
		{ 0x78, AXVM_X86_EXIT_HLT },
		{ 0x7a, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x7b, AXVM_X86_EXIT_IO },
		{ 0x7c, AXVM_X86_EXIT_RDMSR },
		{ 0x7d, AXVM_X86_EXIT_TASK_SWITCH },
		{ 0x7f, AXVM_X86_EXIT_SHUTDOWN },
		{ 0x80, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x81, AXVM_X86_EXIT_HYPERCALL },
		{ 0x82, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x83, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x84, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x85, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x86, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x87, AXVM_X86_EXIT_COUNTER },
		{ 0x89, AXVM_X86_EXIT_INVALIDATE },
		{ 0x8a, AXVM_X86_EXIT_MONITOR },
		{ 0x8b, AXVM_X86_EXIT_MONITOR },
		{ 0x8c, AXVM_X86_EXIT_MONITOR },
		{ 0x8d, AXVM_X86_EXIT_XSETBV },
		{ 0x8e, AXVM_X86_EXIT_VIRTUALIZATION },
		{ 0x8f, AXVM_X86_EXIT_UNKNOWN },
		{ 0x90, AXVM_X86_EXIT_UNKNOWN },
		{ 0x400, AXVM_X86_EXIT_NESTED_FAULT },
		{ 0x401, AXVM_X86_EXIT_UNKNOWN },
		{ UINT64_MAX - 1, AXVM_X86_EXIT_UNKNOWN },
		{ UINT64_MAX, AXVM_X86_EXIT_INVALID },
	};

	start(false);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		CHECK_EQ(decode(table[i].code, 0, 0)->kind, table[i].kind);
		CHECK_EQ(arch.exit.hardware, table[i].code);
		CHECK(!arch.event.valid);
	}
}

TEST(a_write_of_an_MSR_is_told_from_a_read)
{
	start(false);
	CHECK_EQ(decode(AXVM_SVM_MSR, 0, 0)->kind, AXVM_X86_EXIT_RDMSR);
	CHECK_EQ(decode(AXVM_SVM_MSR, 1, 0)->kind, AXVM_X86_EXIT_WRMSR);
}

TEST(the_counters_are_told_apart)
{
	start(false);
	CHECK_EQ(decode(AXVM_SVM_RDPMC, 0, 0)->index, AXVM_X86_RDPMC);
	CHECK_EQ(decode(AXVM_SVM_RDTSC, 0, 0)->index, AXVM_X86_RDTSC);
	CHECK_EQ(decode(AXVM_SVM_RDTSCP, 0, 0)->index, AXVM_X86_RDTSCP);
}

TEST(a_length_is_told_only_where_the_CPU_does)
{
	start(true);
	vmcb.save.rip = 0xfffffffffffffff0ULL;
	vmcb.control.next_rip = 0xfffffffffffffff2ULL;
	CHECK_EQ(decode(AXVM_SVM_CPUID, 0, 0)->instruction_bytes, 2);
	vmcb.control.next_rip = 0; /* what intercepts other than instructions' leave */
	vmcb.save.rip = 0x1000;
	CHECK_EQ(decode(AXVM_SVM_NPF, 0, 0)->instruction_bytes, 0);
	start(false);
	vmcb.save.rip = 0x1000;
	vmcb.control.next_rip = 0x1002;
	CHECK_EQ(decode(AXVM_SVM_CPUID, 0, 0)->instruction_bytes, 0);
}

TEST(a_port_access_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit;

	start(false);
	vmcb.save.rip = 0x7ffe;
	exit = decode(AXVM_SVM_IOIO, 0x03f80000 | 1 << 4 | 1, 0x8000); /* IN AL */
	CHECK(!exit->is_write && !exit->is_string && !exit->is_repeated);
	CHECK_EQ(exit->bytes, 1);
	CHECK_EQ(exit->port, 0x3f8);
	CHECK_EQ(exit->instruction_bytes, 2);
	exit = decode(AXVM_SVM_IOIO, 0xcfc00000 | 4 << 4 | 1 << 9 | 4 | 8 | 3 << 10, 0x8001);
	CHECK(exit->is_write && exit->is_string && exit->is_repeated);
	CHECK_EQ(exit->bytes, 4);
	CHECK_EQ(exit->address_bytes, 8);
	CHECK_EQ(exit->segment, 0xff); /* not told without decode assists */
	CHECK_EQ(exit->port, 0xcfc0);
	CHECK_EQ(exit->instruction_bytes, 3);
	CHECK_EQ(decode(AXVM_SVM_IOIO, 4 | 2 << 4, 0x8001)->address_bytes, 0);
	start(true);
	exit = decode(AXVM_SVM_IOIO, 4 | 2 << 4 | 1 << 7 | 5 << 10, 0);
	CHECK_EQ(exit->segment, AXVM_X86_GS);
	CHECK_EQ(exit->bytes, 2);
	CHECK_EQ(exit->address_bytes, 2);
	CHECK_EQ(decode(AXVM_SVM_IOIO, 4 | 2 << 4 | 1 << 8, 0)->address_bytes, 4);
}

TEST(a_nested_fault_is_told_in_all_its_parts)
{
	const struct axvm_x86_exit *exit;

	start(true);
	vmcb.control.fetched_count = 3;
	memcpy(vmcb.control.fetched, "\x89\x03\x90", 3);
	exit = decode(AXVM_SVM_NPF, 0x100000007, 0xfee00300);
	CHECK(exit->is_write && !exit->is_fetch && !exit->is_walk);
	CHECK_EQ(exit->gpa, 0xfee00300);
	CHECK_EQ(exit->error_code, 7);
	CHECK_EQ(exit->fetched_count, 3);
	CHECK_EQ(memcmp(exit->fetched, "\x89\x03\x90", 3), 0);
	vmcb.control.fetched_count = 0xff; /* 4 bits */
	CHECK_EQ(decode(AXVM_SVM_NPF, 0x100000014, 0)->fetched_count, 15);
	CHECK(arch.exit.is_fetch && !arch.exit.is_write);
	CHECK(decode(AXVM_SVM_NPF, 0x200000006, 0)->is_walk);
	start(false);
	vmcb.control.fetched_count = 3;
	CHECK_EQ(decode(AXVM_SVM_NPF, 0, 0)->fetched_count, 0);
}

TEST(a_control_register_is_told_and_its_partner_where_the_CPU_knows)
{
	const struct axvm_x86_exit *exit;

	start(true);
	exit = decode(AXVM_SVM_CR_WRITE + 4, 1ULL << 63 | 9, 0);
	CHECK(exit->is_write);
	CHECK_EQ(exit->index, 4);
	CHECK_EQ(exit->reg, 9);
	exit = decode(AXVM_SVM_CR_READ + 8, 1ULL << 63 | 15, 0);
	CHECK(!exit->is_write);
	CHECK_EQ(exit->index, 8);
	CHECK_EQ(exit->reg, 15);
	CHECK_EQ(decode(AXVM_SVM_CR_WRITE, 3, 0)->reg, 0xff); /* LMSW or CLTS */
	CHECK_EQ(decode(AXVM_SVM_DR_WRITE + 7, 3, 0)->reg, 3);
	CHECK_EQ(arch.exit.index, 7);
	CHECK(arch.exit.is_write);
	CHECK(!decode(AXVM_SVM_DR_READ + 6, 3, 0)->is_write);
	exit = decode(AXVM_SVM_CR0_SEL_WRITE, 1ULL << 63 | 2, 0);
	CHECK(exit->is_write);
	CHECK_EQ(exit->index, 0);
	CHECK_EQ(exit->reg, 2);
	start(false);
	CHECK_EQ(decode(AXVM_SVM_CR_WRITE + 4, 1ULL << 63 | 9, 0)->reg, 0xff);
	CHECK_EQ(decode(AXVM_SVM_DR_READ, 9, 0)->reg, 0xff);
}

TEST(an_exception_is_told_with_its_error_and_address)
{
	const struct axvm_x86_exit *exit;

	start(false);
	exit = decode(AXVM_SVM_EXCEPTION + 14, 0x15, 0xffff800000001234ULL);
	CHECK_EQ(exit->index, 14);
	CHECK_EQ(exit->error_code, 0x15);
	CHECK_EQ(exit->linear, 0xffff800000001234ULL);
}

TEST(an_event_that_was_cut_off_comes_again)
{
	start(false);
	vmcb.control.exit_interrupt_info = 0x800000ef; /* external */
	(void)decode(AXVM_SVM_NPF, 0, 0);
	CHECK(arch.event.valid && !arch.event.has_error_code);
	CHECK_EQ(arch.event.vector, 0xef);
	CHECK_EQ(arch.event.type, AXVM_X86_EVENT_INTERRUPT);
	vmcb.control.exit_interrupt_info = 0x0000001080000b0eULL; /* #PF */
	(void)decode(AXVM_SVM_NPF, 0, 0);
	CHECK(arch.event.valid && arch.event.has_error_code);
	CHECK_EQ(arch.event.vector, 14);
	CHECK_EQ(arch.event.type, AXVM_X86_EVENT_EXCEPTION);
	CHECK_EQ(arch.event.error_code, 0x10);
	vmcb.control.exit_interrupt_info = 0x80000202;
	(void)decode(AXVM_SVM_NPF, 0, 0);
	CHECK_EQ(arch.event.type, AXVM_X86_EVENT_NMI);
}

TEST(instructions_that_interrupt_are_executed_again)
{
	static const uint64_t infos[] = { 0x80000480, 0x80000303, 0x80000304 };

	for (unsigned i = 0; i < 3; i++) {
		start(false);
		vmcb.control.exit_interrupt_info = infos[i];
		(void)decode(AXVM_SVM_NPF, 0, 0);
		CHECK(!arch.event.valid);
	}
}

TEST(an_event_that_waits_stays_when_none_was_cut_off)
{
	start(false);
	arch.event = (struct axvm_x86_event){ .valid = true, .vector = 0x31 };
	vmcb.control.exit_interrupt_info = 0x000000ef; /* not valid */
	(void)decode(AXVM_SVM_INTR, 0, 0);
	CHECK(arch.event.valid);
	CHECK_EQ(arch.event.vector, 0x31);
}

AXTEST_MAIN(each_exit_code_has_the_kind_of_the_manual, a_write_of_an_MSR_is_told_from_a_read,
	    the_counters_are_told_apart, a_length_is_told_only_where_the_CPU_does,
	    a_port_access_is_told_in_all_its_parts, a_nested_fault_is_told_in_all_its_parts,
	    a_control_register_is_told_and_its_partner_where_the_CPU_knows,
	    an_exception_is_told_with_its_error_and_address, an_event_that_was_cut_off_comes_again,
	    instructions_that_interrupt_are_executed_again,
	    an_event_that_waits_stays_when_none_was_cut_off)
