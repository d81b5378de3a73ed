/* SPDX-License-Identifier: Apache-2.0 */
/* An OUT or OUTS that ends the VM leaves the guest, and no other does (arch/x86_64/port.c). */
#include "power.h"
#include "x86_64_guest_rig.h"

#define CONTROL 0x604
#define SWITCH_OFF (5u << 10 | 1u << 13)

static void begin(void)
{
	rig_start();
	REQUIRE_EQ(axvm_power_make(&rig_vm), 0);
}

static void end(void)
{
	axvm_vm_free_chunks(&rig_vm);
	rig_end();
}

static enum axvm_verdict out(uint16_t port, uint8_t bytes, uint64_t value)
{
	rig_vcpu.arch.gpr[AXVM_X86_RAX] = value;
	rig_vcpu.arch.exit = (struct axvm_x86_exit){
		.kind = AXVM_X86_EXIT_IO,
		.instruction_bytes = 1,
		.is_write = true,
		.bytes = bytes,
		.port = port,
	};
	return axvm_x86_64_port(&rig_vcpu);
}

TEST(an_out_that_ends_the_vm_leaves_past_the_instruction)
{
	begin();
	rig_vcpu.arch.rip = 0x1000;
	CHECK_EQ(out(0x80, 1, 1), AXVM_ENTER);
	CHECK_EQ(out(CONTROL, 2, SWITCH_OFF), AXVM_LEAVE);
	CHECK_EQ(rig_vcpu.exit.reason, AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(rig_vcpu.arch.rip, 0x1002);
	CHECK_EQ(out(0x80, 1, 1), AXVM_ENTER);
	CHECK_EQ(out(0x64, 1, 0xfe), AXVM_LEAVE);
	CHECK_EQ(rig_vcpu.exit.reason, AXVM_EXIT_RESET);
	CHECK_EQ(out(0xcf9, 1, 6), AXVM_LEAVE);
	CHECK_EQ(rig_vcpu.exit.reason, AXVM_EXIT_RESET);
	end();
}

TEST(a_string_of_outs_does_it_too)
{
	const uint16_t values[3] = { 0, SWITCH_OFF, 0 };

	begin();
	rig_flat_mode(true);
	ram_write(RAM_GPA, values, sizeof(values));
	rig_vcpu.arch.gpr[AXVM_X86_RSI] = RAM_GPA;
	rig_vcpu.arch.gpr[AXVM_X86_RCX] = 3;
	rig_vcpu.arch.exit = (struct axvm_x86_exit){
		.kind = AXVM_X86_EXIT_IO,
		.instruction_bytes = 2,
		.is_write = true,
		.is_string = true,
		.is_repeated = true,
		.bytes = 2,
		.address_bytes = 4,
		.segment = AXVM_X86_DS,
		.port = CONTROL,
	};
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_LEAVE);
	CHECK_EQ(rig_vcpu.exit.reason, AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(rig_vcpu.arch.gpr[AXVM_X86_RCX], 0);
	CHECK_EQ(rig_injected.count, 0);
	end();
}

AXTEST_MAIN(an_out_that_ends_the_vm_leaves_past_the_instruction, a_string_of_outs_does_it_too)
