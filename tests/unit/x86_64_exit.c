/* SPDX-License-Identifier: Apache-2.0 */
/* Exits: what each kind does to the guest, what leaves, and what the hardware does not tell. */
#include "x86_64_rig.h"

#define GPR (rig_vcpus[0].arch.gpr)
#define ARCH (&rig_vcpus[0].arch)

static enum axvm_verdict exit_of(enum axvm_x86_exit_kind kind, unsigned bytes)
{
	struct axvm_vcpu *vcpu = on(0);

	vcpu->exit = (struct axvm_exit){ .reason = AXVM_EXIT_NONE };
	vcpu->arch.exit.kind = kind;
	vcpu->arch.exit.instruction_bytes = (uint8_t)bytes;
	return axvm_x86_64_exit(vcpu);
}

static void code(const char *bytes, unsigned count)
{
	ram_write(CODE, bytes, count);
	ARCH->rip = CODE;
}

static bool took(uint8_t vector)
{
	bool taken = ARCH->event.valid && ARCH->event.type == AXVM_X86_EVENT_EXCEPTION &&
		     ARCH->event.vector == vector;

	ARCH->event.valid = false;
	return taken;
}

TEST(CPUID_answers_and_goes_on)
{
	rig_start(1);
	GPR[AXVM_X86_RAX] = 0xffffffff00000000 | 0x40000000;
	GPR[AXVM_X86_RCX] = 0xffffffff00000000;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 2), AXVM_ENTER_FULL); /* rbx is the guest's */
	CHECK_EQ(GPR[AXVM_X86_RAX], 0x40000010);
	CHECK_EQ(GPR[AXVM_X86_RBX], 0x4d565841);
	CHECK_EQ(ARCH->rip, CODE + 2);
	rig_end();
}

TEST(a_length_that_nobody_tells_is_found_once)
{
	rig_start(1);
	code("\x48\x0f\xa2", 3); /* REX.W CPUID */
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 0), AXVM_ENTER_FULL);
	CHECK_EQ(ARCH->rip, CODE + 3);
	uint64_t syncs = axvm_sim_vcpu_counts(&rig_vcpus[0]).sysreg_syncs;

	ARCH->rip = CODE;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 0), AXVM_ENTER_FULL);
	CHECK_EQ(ARCH->rip, CODE + 3);
	CHECK_EQ(axvm_sim_vcpu_counts(&rig_vcpus[0]).sysreg_syncs, syncs); /* nothing was fetched */
	code("\x0f\x01\xd9", 3);
	GPR[AXVM_X86_RAX] = UINT64_MAX;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_HYPERCALL, 0),
		 AXVM_ENTER); /* another kind, another length */
	CHECK_EQ(ARCH->rip, CODE + 3);
	rig_end();
}

TEST(code_that_cannot_be_fetched_or_read_is_the_guests_fault)
{
	rig_start(1);
	ARCH->rip = 0x40000000; /* not mapped by its tables */
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->rip, 0x40000000);
	CHECK(took(14));
	CHECK_EQ(ARCH->sys.cr2, 0x40000000);
	code("\x0f\x0b", 2); /* UD2, where another vCPU has just put it */
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 0), AXVM_ENTER);
	CHECK(took(6));
	CHECK_EQ(ARCH->rip, CODE);
	rig_end();
}

TEST(hypercalls_leave_with_their_arguments)
{
	rig_start(1);
	for (unsigned i = 0; i < 16; i++)
		GPR[i] = 100 + i;
	GPR[AXVM_X86_RAX] = 3;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_HYPERCALL, 3), AXVM_LEAVE);
	const struct axvm_exit *exit = &rig_vcpus[0].exit;

	CHECK_EQ(exit->reason, AXVM_EXIT_HYPERCALL);
	CHECK_EQ(exit->hypercall.number, 3);
	CHECK_EQ(exit->hypercall.args[0], 107);
	CHECK_EQ(exit->hypercall.args[1], 106);
	CHECK_EQ(exit->hypercall.args[2], 102);
	CHECK_EQ(exit->hypercall.args[3], 101);
	CHECK_EQ(exit->hypercall.args[4], 108);
	CHECK_EQ(exit->hypercall.args[5], 109);
	CHECK_EQ(ARCH->rip, CODE + 3);
	axvm_arch_set_result(&rig_vcpus[0], 77);
	CHECK_EQ(GPR[AXVM_X86_RAX], 77);
	rig_end();
}

TEST(calls_of_others_and_of_programs_are_refused)
{
	static const uint64_t numbers[] = { 0xff00, 0x84000000, 1ULL << 32, UINT64_MAX };

	rig_start(1);
	for (unsigned i = 0; i < 4; i++) {
		GPR[AXVM_X86_RAX] = numbers[i];
		CHECK_EQ(exit_of(AXVM_X86_EXIT_HYPERCALL, 3), AXVM_ENTER);
		CHECK_EQ(GPR[AXVM_X86_RAX], UINT64_MAX);
	}
	ARCH->sys.cpl = 3;
	GPR[AXVM_X86_RAX] = 3;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_HYPERCALL, 3), AXVM_ENTER);
	CHECK_EQ(GPR[AXVM_X86_RAX], UINT64_MAX);
	rig_end();
}

TEST(MSRs_go_through_two_halves)
{
	rig_start(1);
	GPR[AXVM_X86_RCX] = 0xffffffff00000000 | 0xc0000082;
	GPR[AXVM_X86_RAX] = 0xdeadbeef81000000;
	GPR[AXVM_X86_RDX] = 0xdeadbeefffffffff;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_WRMSR, 2), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.lstar, 0xffffffff81000000);
	CHECK_EQ(exit_of(AXVM_X86_EXIT_RDMSR, 2), AXVM_ENTER);
	CHECK_EQ(GPR[AXVM_X86_RAX], 0x81000000);
	CHECK_EQ(GPR[AXVM_X86_RDX], 0xffffffff);
	CHECK_EQ(ARCH->rip, CODE + 4);
	GPR[AXVM_X86_RCX] = 0x1234;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_RDMSR, 2), AXVM_ENTER);
	CHECK_EQ(ARCH->event.error_code, 0);
	CHECK(ARCH->event.has_error_code);
	CHECK(took(13));
	CHECK_EQ(exit_of(AXVM_X86_EXIT_WRMSR, 2), AXVM_ENTER);
	CHECK(took(13));
	CHECK_EQ(ARCH->rip, CODE + 4);
	rig_end();
}

TEST(control_registers_move_both_ways)
{
	rig_start(1);
	ARCH->exit.index = 4;
	ARCH->exit.reg = 9;
	ARCH->exit.is_write = false;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 3), AXVM_ENTER_FULL);
	CHECK_EQ(GPR[9], AXVM_X86_CR4_PAE);
	ARCH->exit.is_write = true;
	GPR[9] = AXVM_X86_CR4_PAE | AXVM_X86_CR4_VMXE;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 3), AXVM_ENTER);
	CHECK(took(13));
	GPR[9] = AXVM_X86_CR4_PAE | AXVM_X86_CR4_PSE;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 3), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr4, AXVM_X86_CR4_PAE | AXVM_X86_CR4_PSE);
	CHECK_EQ(ARCH->rip, CODE + 6);
	ARCH->exit.index = 5;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 3), AXVM_ENTER);
	CHECK(took(6));
	rig_end();
}

TEST(control_registers_are_decoded_where_the_hardware_is_silent)
{
	uint64_t cr0;

	rig_start(1);
	cr0 = ARCH->sys.cr0;
	ARCH->exit.index = 0;
	ARCH->exit.reg = 0xff;
	ARCH->exit.is_write = true;
	code("\x41\x0f\x22\xc2", 4); /* MOV CR0, R10 */
	GPR[10] = cr0 | AXVM_X86_CR0_TS;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr0, cr0 | AXVM_X86_CR0_TS);
	CHECK_EQ(ARCH->rip, CODE + 4);
	code("\x0f\x06", 2); /* CLTS */
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr0, cr0);
	CHECK_EQ(ARCH->rip, CODE + 2);
	code("\x0f\x01\xf0", 3); /* LMSW AX: sets, but does not clear PE */
	GPR[AXVM_X86_RAX] = 0xfff2;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr0, cr0 | AXVM_X86_CR0_MP);
	code("\x0f\x01\x33", 3); /* LMSW [RBX] */
	GPR[AXVM_X86_RBX] = 0x4000;
	ram_write_64(0x4000, AXVM_X86_CR0_TS | 1);
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr0, cr0 | AXVM_X86_CR0_TS);
	code("\x0f\x01\x33", 3);
	GPR[AXVM_X86_RBX] = 0x40000000;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CR, 0), AXVM_ENTER);
	CHECK(took(14));
	rig_end();
}

TEST(debug_registers_are_kept_with_their_fixed_bits)
{
	rig_start(1);
	for (unsigned index = 0; index < 8; index++) {
		ARCH->exit.index = (uint8_t)index;
		ARCH->exit.reg = 2;
		ARCH->exit.is_write = true;
		GPR[2] = 0xffffffff;
		CHECK_EQ(exit_of(AXVM_X86_EXIT_DR, 3), AXVM_ENTER_FULL);
		ARCH->exit.is_write = false;
		CHECK_EQ(exit_of(AXVM_X86_EXIT_DR, 3), AXVM_ENTER_FULL);
		CHECK_EQ(GPR[2], index < 4	    ? 0xffffffff
				 : (index & 1) != 0 ? 0xffff2fff
						    : 0xffffefff);
	}
	ARCH->exit.is_write = true;
	ARCH->exit.index = 7;
	GPR[2] = 1ULL << 32;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_DR, 3), AXVM_ENTER);
	CHECK(took(13));
	ARCH->sys.cr4 |= 8; /* DE */
	ARCH->exit.index = 4;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_DR, 3), AXVM_ENTER);
	CHECK(took(6));
	rig_end();
}

TEST(XSETBV_wants_OSXSAVE_privilege_and_a_right_value)
{
	rig_start(1);
	GPR[AXVM_X86_RDX] = 0;
	GPR[AXVM_X86_RAX] = 7;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_XSETBV, 3), AXVM_ENTER);
	CHECK(took(6));
	ARCH->sys.cr4 |= AXVM_X86_CR4_OSXSAVE;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_XSETBV, 3), AXVM_ENTER);
	CHECK_EQ(ARCH->xcr0, 7);
	CHECK_EQ(ARCH->rip, CODE + 3);
	GPR[AXVM_X86_RCX] = 1;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_XSETBV, 3), AXVM_ENTER);
	CHECK(took(13));
	GPR[AXVM_X86_RCX] = 0;
	ARCH->sys.cpl = 3;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_XSETBV, 3), AXVM_ENTER);
	CHECK(took(13));
	rig_end();
}

TEST(HLT_waits_unless_something_is_there)
{
	rig_start(1);
	ARCH->rflags |= AXVM_X86_RFLAGS_IF;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_HLT, 1), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(ARCH->rip, CODE + 1);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[0]));
	CHECK(axvm_lapic_accept(on(0), AXVM_LAPIC_NMI, 0, false));
	CHECK(axvm_arch_irq_pending(&rig_vcpus[0]));
	atomic_store(&rig_vcpus[0].requests, 0);
	CHECK_EQ(exit_of(AXVM_X86_EXIT_HLT, 1), AXVM_ENTER);
	CHECK(ARCH->event.valid);
	CHECK_EQ(ARCH->event.type, AXVM_X86_EVENT_NMI);
	rig_end();
}

TEST(exceptions_during_exceptions_become_double_faults)
{
	/* of [SDM3 6.15]: first, second, what is delivered */
	static const struct {
		uint8_t first, second, taken;
	} table[] = {
		{ 13, 13, 8 }, { 13, 14, 14 }, { 14, 13, 8 }, { 14, 14, 8 },
		{ 10, 11, 8 }, { 0, 12, 8 },   { 6, 13, 13 }, { 13, 6, 6 },
		{ 14, 6, 6 },  { 1, 14, 14 },  { 8, 13, 8 },  { 8, 14, 8 },
	};

	rig_start(1);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ARCH->event = (struct axvm_x86_event){ .valid = true,
						       .vector = table[i].first,
						       .type = AXVM_X86_EVENT_EXCEPTION };
		axvm_x86_64_inject_error(on(0), table[i].second, 0x18);
		CHECK_EQ(ARCH->event.error_code, table[i].taken == 8 ? 0 : 0x18);
		CHECK(took(table[i].taken));
	}
	rig_end();
}

TEST(interrupts_that_were_cut_off_come_before_exceptions)
{
	rig_start(1);
	ARCH->event = (struct axvm_x86_event){ .valid = true, .vector = 0x31 };
	axvm_x86_64_inject_exception(on(0), 6);
	axvm_x86_64_inject_page_fault(on(0), 0x1000, 2);
	CHECK_EQ(ARCH->event.type, AXVM_X86_EVENT_INTERRUPT);
	CHECK_EQ(ARCH->event.vector, 0x31);
	CHECK_EQ(ARCH->sys.cr2, 0);
	ARCH->event.valid = false;
	rig_end();
}

TEST(error_codes_are_of_those_that_have_one_and_not_in_real_mode)
{
	static const uint8_t with[] = { 8, 10, 11, 12, 13, 14, 17, 21 };

	rig_start(1);
	for (uint8_t vector = 0; vector < 32; vector++) {
		bool expected = memchr(with, vector, sizeof(with)) != NULL;

		ARCH->event.valid = false;
		axvm_x86_64_inject_error(on(0), vector, 0);
		CHECK_EQ(ARCH->event.has_error_code, expected);
	}
	ARCH->event.valid = false;
	ARCH->sys.cr0 = AXVM_X86_CR0_ET;
	axvm_x86_64_inject_error(on(0), 13, 0);
	CHECK(!ARCH->event.has_error_code);
	CHECK(took(13));
	rig_end();
}

TEST(a_stepped_instruction_is_followed_by_its_trap)
{
	rig_start(1);
	ARCH->rflags |= AXVM_X86_RFLAGS_TF;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_CPUID, 2), AXVM_ENTER_FULL);
	CHECK_EQ(ARCH->rip, CODE + 2);
	CHECK(took(1));
	CHECK(ARCH->sys.dr6 & 1u << 14);
	rig_end();
}

TEST(delivery_by_way_of_no_memory_ends_the_VM_and_by_memory_goes_on)
{
	rig_start(1);
	ARCH->event = (struct axvm_x86_event){ .valid = true, .vector = 0x31 };
	ARCH->exit.gpa = 0x3000; /* mapped meanwhile */
	CHECK_EQ(exit_of(AXVM_X86_EXIT_NESTED_FAULT, 0), AXVM_ENTER);
	CHECK(ARCH->event.valid);
	ARCH->exit.gpa = 0xfee00000;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_NESTED_FAULT, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_FAULT);
	CHECK_EQ(rig_vcpus[0].exit.fault.address, 0xfee00000);
	ARCH->event.valid = false;
	rig_end();
}

TEST(each_other_kind_has_its_answer)
{
	static const struct {
		enum axvm_x86_exit_kind kind;
		enum axvm_verdict verdict;
		enum axvm_exit_reason reason;
		int vector;	/* -1: none */
		unsigned steps; /* over the instruction of 2 bytes */
	} table[] = {
		{ AXVM_X86_EXIT_UNKNOWN, AXVM_LEAVE, AXVM_EXIT_FAULT, -1, 0 },
		{ AXVM_X86_EXIT_PAUSE, AXVM_ENTER, AXVM_EXIT_NONE, -1, 2 },
		{ AXVM_X86_EXIT_INTERRUPT, AXVM_ENTER, AXVM_EXIT_NONE, -1, 0 },
		{ AXVM_X86_EXIT_NMI, AXVM_ENTER, AXVM_EXIT_NONE, -1, 0 },
		{ AXVM_X86_EXIT_WINDOW, AXVM_ENTER, AXVM_EXIT_NONE, -1, 0 },
		{ AXVM_X86_EXIT_SHUTDOWN, AXVM_LEAVE, AXVM_EXIT_RESET, -1, 0 },
		{ AXVM_X86_EXIT_INVALIDATE, AXVM_ENTER, AXVM_EXIT_NONE, -1, 2 },
		{ AXVM_X86_EXIT_MONITOR, AXVM_ENTER, AXVM_EXIT_NONE, 6, 0 },
		{ AXVM_X86_EXIT_VIRTUALIZATION, AXVM_ENTER, AXVM_EXIT_NONE, 6, 0 },
		{ AXVM_X86_EXIT_TASK_SWITCH, AXVM_LEAVE, AXVM_EXIT_FAULT, -1, 0 },
		{ AXVM_X86_EXIT_INVALID, AXVM_LEAVE, AXVM_EXIT_FAIL_ENTRY, -1, 0 },
	};

	rig_start(1);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ARCH->rip = CODE;
		CHECK_EQ(exit_of(table[i].kind, 2), table[i].verdict);
		CHECK_EQ(rig_vcpus[0].exit.reason, table[i].reason);
		CHECK_EQ(ARCH->rip, CODE + table[i].steps);
		CHECK_EQ(ARCH->event.valid, table[i].vector >= 0);
		if (table[i].vector >= 0)
			CHECK(took((uint8_t)table[i].vector));
	}
	rig_end();
}

TEST(counters_are_the_TSC_and_no_others)
{
	rig_start(1);
	axvm_sim_advance(0x100000007);
	ARCH->tsc_aux = 5;
	ARCH->exit.index = AXVM_X86_RDTSCP;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_COUNTER, 3), AXVM_ENTER);
	CHECK_EQ(GPR[AXVM_X86_RAX], 7);
	CHECK_EQ(GPR[AXVM_X86_RDX], 1);
	CHECK_EQ(GPR[AXVM_X86_RCX], 5);
	ARCH->exit.index = AXVM_X86_RDPMC;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_COUNTER, 2), AXVM_ENTER);
	CHECK(took(13));
	rig_end();
}

TEST(exceptions_that_exit_are_the_guests)
{
	rig_start(1);
	ARCH->exit.index = 14;
	ARCH->exit.linear = 0xffff900000000123;
	ARCH->exit.error_code = 2;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_EXCEPTION, 0), AXVM_ENTER);
	CHECK_EQ(ARCH->sys.cr2, 0xffff900000000123);
	CHECK_EQ(ARCH->event.error_code, 2);
	CHECK(took(14));
	ARCH->exit.index = 17;
	CHECK_EQ(exit_of(AXVM_X86_EXIT_EXCEPTION, 0), AXVM_ENTER);
	CHECK(took(17));
	rig_end();
}

TEST(a_STARTUP_begins_in_real_mode_at_its_page)
{
	rig_start(2);
	rig_unbind(1);
	rig_vcpus[1].arch.sys.pat = 0x0606060606060606;
	axvm_arch_vcpu_reset(&rig_vcpus[1], 0x9a000, 0);
	const struct axvm_arch_vcpu *arch = &rig_vcpus[1].arch;

	CHECK_EQ(arch->rip, 0);
	CHECK_EQ(arch->sys.segment[AXVM_X86_CS].selector, 0x9a00);
	CHECK_EQ(arch->sys.segment[AXVM_X86_CS].base, 0x9a000);
	CHECK_EQ(arch->sys.segment[AXVM_X86_CS].limit, 0xffff);
	CHECK_EQ(arch->sys.cr0, 0x60000010);
	CHECK_EQ(arch->sys.efer, 0);
	CHECK_EQ(arch->sys.cr4, 0);
	CHECK_EQ(arch->rflags, 2);
	CHECK_EQ(arch->sys.dr6, 0xffff0ff0);
	CHECK_EQ(arch->sys.dr7, 0x400);
	CHECK_EQ(arch->sys.pat, 0x0606060606060606); /* INIT leaves it */
	axvm_arch_vcpu_fini(&rig_vcpus[1]);
	CHECK_EQ(arch->sys.pat, 0x0007040600070406);
	CHECK_EQ(arch->xcr0, 1);
	CHECK_EQ((uintptr_t)arch->xsave & 63, 0);
	CHECK_EQ(arch->xsave[0] | arch->xsave[1] << 8, 0x37f);
	CHECK_EQ(arch->xsave[24] | arch->xsave[25] << 8, 0x1f80);
	rig_end();
}

TEST(registers_go_by_their_numbers)
{
	uint64_t value;

	rig_start(1);
	for (unsigned i = 0; i < 17; i++) {
		CHECK_EQ(axvm_arch_set_register(on(0), i, 1000 + i), 0);
		CHECK_EQ(axvm_arch_get_register(on(0), i, &value), 0);
		CHECK_EQ(value, 1000 + i);
	}
	CHECK_EQ(ARCH->rip, 1016);
	CHECK_EQ(axvm_arch_set_register(on(0), 17, UINT64_MAX), 0);
	CHECK_EQ(axvm_arch_get_register(on(0), 17, &value), 0);
	CHECK_EQ(value, 0x240fd7); /* neither VM nor IOPL nor NT */
	CHECK_EQ(axvm_arch_set_register(on(0), 18, 0), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_get_register(on(0), 18, &value), AXVM_EINVAL);
	rig_end();
}

AXTEST_MAIN(CPUID_answers_and_goes_on, a_length_that_nobody_tells_is_found_once,
	    code_that_cannot_be_fetched_or_read_is_the_guests_fault,
	    hypercalls_leave_with_their_arguments, calls_of_others_and_of_programs_are_refused,
	    MSRs_go_through_two_halves, control_registers_move_both_ways,
	    control_registers_are_decoded_where_the_hardware_is_silent,
	    debug_registers_are_kept_with_their_fixed_bits,
	    XSETBV_wants_OSXSAVE_privilege_and_a_right_value, HLT_waits_unless_something_is_there,
	    exceptions_during_exceptions_become_double_faults,
	    interrupts_that_were_cut_off_come_before_exceptions,
	    error_codes_are_of_those_that_have_one_and_not_in_real_mode,
	    a_stepped_instruction_is_followed_by_its_trap,
	    delivery_by_way_of_no_memory_ends_the_VM_and_by_memory_goes_on,
	    each_other_kind_has_its_answer, counters_are_the_TSC_and_no_others,
	    exceptions_that_exit_are_the_guests, a_STARTUP_begins_in_real_mode_at_its_page,
	    registers_go_by_their_numbers)
