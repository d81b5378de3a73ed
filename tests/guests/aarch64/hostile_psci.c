// SPDX-License-Identifier: Apache-2.0
/*
 * Every function number, every immediate, targets and entry points that do not exist; calls of a
 * debugger.
 */
#include "runtime.h"

static uint64_t random_state = 4711;
static uint32_t code[16];

/* These would end the VM, this CPU, or its sleep would have no end. */
static bool ends_something(uint32_t function)
{
	switch (function & ~0x40000000u) {
	case 0x84000001: /* CPU_SUSPEND */
	case 0x84000002: /* CPU_OFF */
	case 0x84000008: /* SYSTEM_OFF */
	case 0x84000009: /* SYSTEM_RESET */
	case 0x8400000c: /* CPU_DEFAULT_SUSPEND */
	case 0x8400000e: /* SYSTEM_SUSPEND */
	case 0x84000012: /* SYSTEM_RESET2 */
		return true;
	default:
		return false;
	}
}

static uint64_t no_cpu(void)
{
	/* Affinity 3 or reserved bits that no machine of ours has. */
	return guest_random(&random_state) | 0xff0000ff00ull;
}

static void sweep(uint32_t first, int64_t (*call)(uint64_t, uint64_t, uint64_t, uint64_t))
{
	uint32_t faults = 0;

	for (uint32_t i = 0; i < 0x10000; i++) {
		uint64_t wild = guest_random(&random_state);
		struct guest_fault fault;

		if (ends_something(first + i))
			continue;
		fault = PROBE((void)call(first + i, no_cpu(), wild, wild >> 7));
		faults += fault.count > 0;
		CHECK(fault.count <= 1);
	}
	/* SMC is undefined on a machine without EL3, which a VM's must not be. */
	if (guest_cmdline_has("axvm"))
		CHECK_EQ(faults, 0);
}

TEST(every_32_bit_function_by_hvc)
{
	sweep(0x84000000, guest_hvc);
}

TEST(every_64_bit_function_by_hvc)
{
	sweep(0xc4000000, guest_hvc);
}

TEST(every_32_bit_function_by_smc)
{
	sweep(0x84000000, guest_smc);
}

TEST(every_64_bit_function_by_smc)
{
	sweep(0xc4000000, guest_smc);
}

TEST(random_functions_by_either)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t function = guest_random(&random_state);
		uint64_t wild = guest_random(&random_state);

		if (i % 2)
			function = (uint32_t)function;
		if (((uint32_t)function & 0xbf000000u) == 0x84000000u)
			continue;
		CHECK(PROBE((void)guest_hvc(function, wild, ~wild, wild << 3)).count <= 1);
		CHECK(PROBE((void)guest_smc(function, wild, ~wild, wild << 3)).count <= 1);
	}
}

/* Small numbers are hypercalls of ours or of others: wild addresses must be refused. */
TEST(small_functions_with_wild_addresses)
{
	static const uint64_t wild[] = { 0, 1, ~0ull, 0x0c000000, 0x40000000, 1ull << 47 };

	for (uint64_t function = 0; function < 256; function++) {
		for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
			CHECK(PROBE((void)guest_hvc(function, wild[i], wild[i], wild[i])).count <=
			      1);
	}
}

/* hvc #n or smc #n with PSCI_VERSION: the answer, or undefined. */
static void every_immediate(uint32_t instruction)
{
	int64_t (*run)(uint64_t) = (int64_t(*)(uint64_t))(uintptr_t)code;

	for (uint32_t immediate = 0; immediate < 0x10000; immediate += 13) {
		code[0] = instruction | immediate << 5;
		code[1] = 0xd65f03c0u;
		guest_sync_code(code, 8);
		CHECK(PROBE((void)run(PSCI_VERSION)).count <= 1);
	}
}

TEST(every_immediate_of_hvc)
{
	every_immediate(0xd4000002u);
}

TEST(every_immediate_of_smc)
{
	every_immediate(0xd4000003u);
}

/* x0: the operation; x1: its block, {ADP_Stopped_ApplicationExit, status}. */
static void semihosting_call(uint64_t operation)
{
	static const uint64_t block[2] = { 0x20026, 0 };
	register uint64_t x0 __asm__("x0") = operation;
	register uint64_t x1 __asm__("x1") = (uintptr_t)block;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

/* A debugger's calls: SYS_EXIT would end the whole machine, SYS_SYSTEM run commands on its host. */
TEST(calls_of_semihosting_are_undefined)
{
	static const uint64_t operations[] = { 0x18, 0x20, 0x12, 0x01, 0x31, ~0ull };

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		struct guest_fault fault = PROBE(semihosting_call(operations[i]));

		CHECK_EQ(fault.count, 1);
		CHECK_EQ(guest_fault_class(fault), EC_UNKNOWN);
	}
}

/* hlt #n, outside of a debugger. */
TEST(every_immediate_of_hlt_is_undefined)
{
	void (*run)(uint64_t) = (void (*)(uint64_t))(uintptr_t)code;

	for (uint32_t immediate = 0; immediate < 0x10000; immediate += 13) {
		code[0] = 0xd4400000u | immediate << 5;
		code[1] = 0xd65f03c0u;
		guest_sync_code(code, 8);
		CHECK_EQ(PROBE(run(0x18)).count, 1);
	}
}

TEST(targets_that_do_not_exist_are_refused)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t target = no_cpu();

		CHECK_EQ(guest_hvc(PSCI_CPU_ON, target, guest_machine.ram_base, 0),
			 PSCI_INVALID_PARAMETERS);
		CHECK_EQ(guest_hvc(PSCI_AFFINITY_INFO, target, 0, 0), PSCI_INVALID_PARAMETERS);
	}
}

TEST(affinity_levels_above_zero_are_answered)
{
	for (uint64_t level = 0; level < 300; level++) {
		int64_t answer = guest_hvc(PSCI_AFFINITY_INFO, guest_cpus[0].id, level, 0);

		CHECK(answer == 0 || answer == PSCI_INVALID_PARAMETERS ||
		      answer == PSCI_NOT_SUPPORTED);
	}
}

/* Its first instruction does not exist, nor does its handler: it faults for ever. */
TEST(a_cpu_started_nowhere_hurts_no_other)
{
	int64_t answer;

	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	answer = guest_hvc(PSCI_CPU_ON, guest_cpus[1].id, 0x0c000000, 0);
	CHECK(answer == PSCI_SUCCESS || answer == PSCI_INVALID_ADDRESS);
	uint64_t end = guest_ticks() + guest_us(100000);
	while (guest_ticks() < end)
		CHECK(guest_hvc(PSCI_VERSION, 0, 0, 0) > 0);
	if (answer == PSCI_SUCCESS)
		CHECK_EQ(guest_hvc(PSCI_AFFINITY_INFO, guest_cpus[1].id, 0, 0), 0);
}

/* And the machine is switched off while it does so. */
AXTEST_MAIN(every_32_bit_function_by_hvc, every_64_bit_function_by_hvc,
	    every_32_bit_function_by_smc, every_64_bit_function_by_smc, random_functions_by_either,
	    small_functions_with_wild_addresses, every_immediate_of_hvc, every_immediate_of_smc,
	    calls_of_semihosting_are_undefined, every_immediate_of_hlt_is_undefined,
	    targets_that_do_not_exist_are_refused, affinity_levels_above_zero_are_answered,
	    a_cpu_started_nowhere_hurts_no_other)
