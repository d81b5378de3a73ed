/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI, SMCCC and hypercalls, by HVC and by SMC. */
#include "aarch64_rig.h"

#define HVC ((uint64_t)0x16 << 26 | 1ULL << 25)
#define SMC ((uint64_t)0x17 << 26 | 1ULL << 25)
#define PC 0x40001000ULL

#define NOT_SUPPORTED UINT64_MAX
#define INVALID_PARAMETERS (-2ULL)
#define ALREADY_ON (-4ULL)
#define ON_PENDING (-5ULL)
#define INVALID_ADDRESS (-9ULL)

static enum axvm_verdict call_by(uint64_t conduit, uint64_t function, uint64_t a, uint64_t b,
				 uint64_t c)
{
	struct axvm_vcpu *vcpu = on(0);

	vcpu->exit = (struct axvm_exit){ .reason = AXVM_EXIT_NONE };
	vcpu->arch.x[0] = function;
	vcpu->arch.x[1] = a;
	vcpu->arch.x[2] = b;
	vcpu->arch.x[3] = c;
	return axvm_aarch64_exit_sync(vcpu, conduit, 0, 0);
}

static enum axvm_verdict call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	return call_by(HVC, function, a, b, c);
}

/* The result of a call that returns to the guest at once. */
static uint64_t result(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	CHECK_EQ(call(function, a, b, c), AXVM_ENTER);
	return rig_vcpus[0].arch.x[0];
}

TEST(a_call_that_only_answers_gives_its_number)
{
	static const struct {
		uint64_t function;
		uint64_t argument;
		uint64_t value;
	} table[] = {
		{ 0x84000000, 0, 0x10001 },
		{ 0xabcd000084000000, 0, 0x10001 }, /* w0 alone counts */
		{ 0xc4000000, 0, NOT_SUPPORTED },   /* no 64-bit form */
		{ 0x84000006, 0, 2 },
		{ 0x80000000, 0, 0x10002 },
		{ 0x80000001, 0x80000000, 0 },
		{ 0x80000001, 0x80000001, 0 },
		{ 0x80000001, 0x80008000, NOT_SUPPORTED }, /* ARCH_WORKAROUND_1 */
		{ 0x80000001, 0x80007fff, NOT_SUPPORTED },
		{ 0x80000001, 0x80003fff, NOT_SUPPORTED },
		{ 0x80008000, 0, NOT_SUPPORTED },
		{ 0x84000005, 0, NOT_SUPPORTED }, /* MIGRATE */
		{ 0x8400000b, 0, NOT_SUPPORTED },
		{ 0x8400001f, 0, NOT_SUPPORTED },
		{ 0x84000050, 0, NOT_SUPPORTED }, /* TRNG */
		{ 0x86000000 + 0xff01, 0, NOT_SUPPORTED },
		{ 7, 0, NOT_SUPPORTED },
		{ 0x82000000, 0, NOT_SUPPORTED },
		{ 0xffffffff, 0, NOT_SUPPORTED },
	};

	rig_start(1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		rig_vcpus[0].arch.pc = PC;
		CHECK_EQ(call_by(HVC, table[i].function, table[i].argument, 0, 0), AXVM_ENTER);
		CHECK_EQ(rig_vcpus[0].arch.x[0], table[i].value);
		CHECK_EQ(rig_vcpus[0].arch.pc, PC); /* the hardware is past it */
		CHECK_EQ(call_by(SMC, table[i].function, table[i].argument, 0, 0), AXVM_ENTER);
		CHECK_EQ(rig_vcpus[0].arch.x[0], table[i].value);
		CHECK_EQ(rig_vcpus[0].arch.pc, PC + 4);
	}
	rig_end();
}

TEST(features_names_what_there_is)
{
	static const uint32_t there[] = { 0x84000000, 0x84000001, 0xc4000001, 0x84000002,
					  0x84000003, 0xc4000003, 0x84000004, 0xc4000004,
					  0x84000006, 0x84000008, 0x84000009, 0x8400000a,
					  0x84000012, 0xc4000012, 0x80000000 };

	rig_start(1);
	for (uint64_t width = 0x84000000; width <= 0xc4000000; width += 0x40000000) {
		for (uint64_t n = 0; n < 32; n++) {
			uint64_t expected = NOT_SUPPORTED;

			for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
				if (there[i] == width + n)
					expected = 0;
			}
			CHECK_EQ(result(0x8400000a, width + n, 0, 0), expected);
		}
	}
	CHECK_EQ(result(0x8400000a, 0x80000000, 0, 0), 0);
	rig_end();
}

TEST(cpu_on_switches_the_target_on)
{
	rig_start(20);
	rig_unbind(17);
	CHECK_EQ(call(0xc4000003, 0x101, RAM + 0x1000, 0x1234567890), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_CPU_UP);
	CHECK_EQ(rig_vcpus[0].exit.cpu_up.target, 17);
	CHECK_EQ(rig_vcpus[0].arch.x[0], 0);
	CHECK_EQ(rig_vcpus[17].power_on_entry, RAM + 0x1000);
	CHECK_EQ(rig_vcpus[17].power_on_arg, 0x1234567890);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[17]), AXVM_POWER_ON_PENDING);
	CHECK_EQ(result(0xc4000003, 0x101, RAM, 0), ON_PENDING);
	CHECK_EQ(result(0xc4000003, 0, RAM, 0), ALREADY_ON);
	/* 32 bits of each argument */
	CHECK_EQ(call(0x84000003, 0xff00000001ULL << 32 | 2, 1ULL << 32 | RAM, UINT64_MAX),
		 AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[2].power_on_arg, UINT32_MAX);
	rig_end();
}

TEST(cpu_on_refuses_bad_targets_and_entries)
{
	static const uint64_t targets[] = {
		2, 0x100, 1ULL << 32, 1ULL << 31 | 1, 1ULL << 24 | 1, 1ULL << 63 | 1, UINT64_MAX
	};
	static const uint64_t entries[] = { RAM + 1,	RAM + 2,	 0,
					    RAM - 4,	RAM + RAM_BYTES, 1ULL << 39,
					    1ULL << 52, UINT64_MAX - 3,	 GICD };

	rig_start(2);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		CHECK_EQ(result(0xc4000003, targets[i], RAM, 0), INVALID_PARAMETERS);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		CHECK_EQ(result(0xc4000003, 1, entries[i], 0), INVALID_ADDRESS);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[1]), AXVM_POWER_OFF);
	rig_end();
}

TEST(cpu_off_leaves_and_affinity_info_tells)
{
	rig_start(18);
	CHECK_EQ(result(0xc4000004, 0, 0, 0), 0);
	CHECK_EQ(result(0xc4000004, 1, 0, 0), 1);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_ON_PENDING);
	CHECK_EQ(result(0x84000004, 1, 0, 0), 2);
	CHECK_EQ(result(0xc4000004, 0x100, 1, 0), 1); /* the second cluster is off */
	CHECK_EQ(result(0xc4000004, 0, 1, 0), 0);
	CHECK_EQ(result(0xc4000004, 0, 3, 0), 0);
	CHECK_EQ(result(0xc4000004, 0, 4, 0), INVALID_PARAMETERS);
	CHECK_EQ(result(0xc4000004, 0x200, 0, 0), INVALID_PARAMETERS);
	CHECK_EQ(result(0xc4000004, 1ULL << 31, 0, 0), INVALID_PARAMETERS);
	CHECK_EQ(call(0x84000002, 0, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_CPU_DOWN);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[0]), AXVM_POWER_OFF);
	rig_end();
}

TEST(the_system_goes_off_or_is_reset)
{
	rig_start(1);
	CHECK_EQ(call(0x84000008, 0, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(call(0x84000009, 0, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_RESET);
	CHECK_EQ(rig_vcpus[0].exit.reset.type, 0);
	CHECK_EQ(call(0xc4000012, 0, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_RESET);
	CHECK_EQ(result(0x84000012, 1, 0, 0), INVALID_PARAMETERS);
	CHECK_EQ(result(0xc4000012, 0x80000000, 0, 0), NOT_SUPPORTED);
	rig_end();
}

TEST(standby_waits_like_wfi)
{
	rig_start(1);
	CHECK_EQ(call(0xc4000001, 0, 0, 0), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(rig_vcpus[0].arch.x[0], 0);
	gic_on();
	enable_private(0, 1);
	axvm_vgic_send_sgi(on(0), 1ULL << 24 | 1, true);
	CHECK_EQ(result(0x84000001, 0, 0, 0), 0);
	CHECK_EQ(result(0x84000001, 1u << 17, 0, 0), INVALID_PARAMETERS);
	rig_end();
}

TEST(power_down_comes_back_at_the_entry_with_a_fresh_cpu)
{
	struct axvm_arch_vcpu *arch = &rig_vcpus[0].arch;

	rig_start(1);
	gic_on();
	enable_private(0, 1);
	arch->sys.ttbr0_el1 = 0x1000;
	arch->sys.sctlr_el1 |= 1;
	arch->sys.cntv_cval_el0 = 55;
	arch->x[20] = 20;
	CHECK_EQ(result(0xc4000001, 1u << 16, RAM + 2, 3), INVALID_ADDRESS);
	CHECK_EQ(result(0xc4000001, 1u << 16, 0x1000, 3), INVALID_ADDRESS);
	CHECK_EQ(arch->sys.ttbr0_el1, 0x1000);
	CHECK_EQ(call(0xc4000001, 1u << 16, RAM + 0x40, 77), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(arch->pc, RAM + 0x40);
	CHECK_EQ(arch->x[0], 77);
	CHECK_EQ(arch->x[20], 0);
	CHECK_EQ(arch->pstate, 0x3c5);
	CHECK_EQ(arch->sys.ttbr0_el1, 0);
	CHECK_EQ(arch->sys.sctlr_el1, AXVM_AARCH64_SCTLR_RESET);
	CHECK_EQ(arch->sys.cntv_cval_el0, 55);
	CHECK_EQ(rd(ISENABLER(GICR_SGI(0), 0)), BIT(1)); /* the redistributor keeps its power */
	axvm_vgic_send_sgi(on(0), 1ULL << 24 | 1, true);
	CHECK_EQ(call(0xc4000001, 1u << 16, RAM, 78), AXVM_ENTER_FULL);
	CHECK_EQ(arch->x[0], 78);
	rig_end();
}

TEST(hypercalls_are_handed_to_the_caller)
{
	rig_start(1);
	for (uint64_t n = 0; n < 14; n++) {
		uint64_t function = n <= 6 ? n : (n % 2 ? 0xc6000000 : 0x86000000) + n;

		for (uint64_t i = 4; i <= 6; i++)
			rig_vcpus[0].arch.x[i] = i * 100;
		CHECK_EQ(call_by(n % 2 ? HVC : SMC, function, 101, 202, 303), AXVM_LEAVE);
		CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HYPERCALL);
		CHECK_EQ(rig_vcpus[0].exit.hypercall.number, n);
		CHECK_EQ(rig_vcpus[0].exit.hypercall.args[0], 101);
		CHECK_EQ(rig_vcpus[0].exit.hypercall.args[2], 303);
		CHECK_EQ(rig_vcpus[0].exit.hypercall.args[5], 600);
		axvm_vcpu_set_result(&rig_vcpus[0], UINT64_MAX);
		CHECK_EQ(rig_vcpus[0].arch.x[0], UINT64_MAX);
	}
	rig_end();
}

AXTEST_MAIN(a_call_that_only_answers_gives_its_number, features_names_what_there_is,
	    cpu_on_switches_the_target_on, cpu_on_refuses_bad_targets_and_entries,
	    cpu_off_leaves_and_affinity_info_tells, the_system_goes_off_or_is_reset,
	    standby_waits_like_wfi, power_down_comes_back_at_the_entry_with_a_fresh_cpu,
	    hypercalls_are_handed_to_the_caller)
