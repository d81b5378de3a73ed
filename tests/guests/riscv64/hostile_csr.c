// SPDX-License-Identifier: Apache-2.0
/*
 * Every one of the 4096 CSR numbers, by each of the six instructions, and every other instruction of the
 * opcode SYSTEM, written by the guest itself: each completes or is illegal, and the guest goes on.
 */
#include "runtime.h"

#define SYSTEM 0x73u
#define CSRRW 1u
#define CSRRS 2u
#define CSRRC 3u
#define CSRRWI 5u
#define A0 10u
#define RET 0x00008067u

/* A wild value in these would break the guest's own legs, which proves nothing. */
static const uint16_t own[] = { 0x100 /* sstatus */, 0x105 /* stvec */, 0x180 /* satp */ };

static uint32_t code[16];
_Alignas(4096) static uint8_t scratch[8192];
static uint64_t completed_count;
static uint64_t illegal_count;
static uint64_t other_count;
static uint64_t random_state = 99;

static bool is_own(uint32_t csr)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i] == csr)
			return true;
	}
	return false;
}

/* `instruction` with a0 as source and target; what the probe met. */
static struct guest_fault run(uint32_t instruction, uint64_t *value)
{
	uint64_t (*function)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)code;
	uint64_t result = *value;

	code[0] = instruction;
	code[1] = RET;
	guest_sync_code(code, 8);
	struct guest_fault fault = PROBE(result = function(result));
	*value = result;
	return fault;
}

static uint32_t csr_instruction(uint32_t csr, uint32_t funct3, uint32_t source)
{
	return csr << 20 | source << 15 | funct3 << 12 | A0 << 7 | SYSTEM;
}

static void count(struct guest_fault fault, uint32_t instruction)
{
	if (fault.count == 0) {
		completed_count++;
	} else if (fault.count == 1 && fault.cause == CAUSE_ILLEGAL) {
		illegal_count++;
	} else {
		other_count++;
		axtest_puts("# instruction ");
		axtest_put_hex(instruction);
		axtest_puts(" cause ");
		axtest_put_hex(fault.cause);
		axtest_puts("\n");
	}
}

static void begin(void)
{
	completed_count = 0;
	illegal_count = 0;
	other_count = 0;
}

TEST(every_csr_can_be_tried_for_reading)
{
	begin();
	for (uint32_t csr = 0; csr < 4096; csr++) {
		uint64_t value = 0;
		uint32_t instruction = csr_instruction(csr, CSRRS, 0);

		count(run(instruction, &value), instruction);
	}
	CHECK_EQ(completed_count + illegal_count, 4096);
	CHECK(completed_count > 10);
	CHECK(illegal_count > 1000);
	CHECK_EQ(other_count, 0);
}

/* Wild, then what was there before where that could be read. */
static void write_each(uint32_t funct3, uint32_t source)
{
	begin();
	for (uint32_t csr = 0; csr < 4096; csr++) {
		uint64_t old = 0;
		uint64_t wild = guest_random(&random_state);
		bool is_readable = run(csr_instruction(csr, CSRRS, 0), &old).count == 0;
		uint32_t instruction = csr_instruction(csr, funct3, source);

		if (is_own(csr)) {
			completed_count++;
			continue;
		}
		count(run(instruction, &wild), instruction);
		if (is_readable)
			(void)run(csr_instruction(csr, CSRRW, A0), &old);
	}
	CHECK_EQ(completed_count + illegal_count, 4096);
	CHECK_EQ(other_count, 0);
}

TEST(every_csr_can_be_tried_for_writing)
{
	write_each(CSRRW, A0);
}

TEST(every_csr_can_be_tried_for_setting_bits)
{
	write_each(CSRRS, A0);
}

TEST(every_csr_can_be_tried_for_clearing_bits)
{
	write_each(CSRRC, A0);
}

TEST(every_csr_can_be_tried_for_writing_a_constant)
{
	write_each(CSRRWI, 31);
}

/* What waits, returns from a trap or calls the firmware. */
static bool is_left_out(uint32_t funct12)
{
	return funct12 == 0x000 /* ecall */ || funct12 == 0x102 /* sret */ ||
	       funct12 == 0x105 /* wfi */ || funct12 == 0x00d || funct12 == 0x01d /* wrs */;
}

static void count_or_access(struct guest_fault fault, uint32_t instruction)
{
	bool is_access = fault.count == 1 && guest_fault_kind(fault) != GUEST_FAULT_UNDEFINED;

	/* On its own machine the CPU has loads and stores for guests that are not there. */
	if (is_access && (fault.cause == CAUSE_BREAKPOINT || !guest_cmdline_has("axvm")))
		completed_count++;
	else
		count(fault, instruction);
}

TEST(every_other_system_instruction_can_be_tried)
{
	begin();
	for (uint32_t funct12 = 0; funct12 < 4096; funct12++) {
		uint64_t value = (uintptr_t)scratch + 4096;
		uint32_t plain = funct12 << 20 | SYSTEM;
		uint32_t with_registers = plain | A0 << 15 | A0 << 7;

		if (!is_left_out(funct12))
			count_or_access(run(plain, &value), plain);
		value = (uintptr_t)scratch + 4096;
		count_or_access(run(with_registers, &value), with_registers);
		value = (uintptr_t)scratch + 4096;
		count_or_access(run(with_registers | 4u << 12, &value), with_registers | 4u << 12);
	}
	CHECK_EQ(other_count, 0);
	CHECK(illegal_count > 10000);
}

TEST(random_instructions_that_no_cpu_has)
{
	begin();
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t value = (uintptr_t)scratch + 4096;
		/* custom-0 to custom-3, and what is longer than 32 bits */
		static const uint32_t opcodes[] = { 0x0b, 0x2b, 0x5b, 0x7b, 0x1f, 0x3f, 0x7f };
		uint32_t instruction =
			((uint32_t)guest_random(&random_state) & ~0x7fu) | opcodes[i % 7];

		count(run(instruction, &value), instruction);
	}
	CHECK_EQ(illegal_count, 20000);
}

TEST(the_guest_is_as_it_was)
{
	uint64_t ticks = guest_ticks();

	CHECK(!guest_wait(&(const uint32_t){ 0 }, 100));
	CHECK(guest_ticks() > ticks);
	CHECK_EQ(READ_CSR(satp) << 20 >> 8, (uintptr_t)guest_root);
	CHECK(guest_firmware_version() > 0);
}

AXTEST_MAIN(every_csr_can_be_tried_for_reading, every_csr_can_be_tried_for_writing,
	    every_csr_can_be_tried_for_setting_bits, every_csr_can_be_tried_for_clearing_bits,
	    every_csr_can_be_tried_for_writing_a_constant,
	    every_other_system_instruction_can_be_tried, random_instructions_that_no_cpu_has,
	    the_guest_is_as_it_was)
