/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder: what each form says, what is refused, and that no input is read beyond its end. */
#include "decode.h"

#include <string.h>

#include "../fuzz/fuzz.h"
#include "axtest.h"
#include "axvm_arch_types.h"
#include "regs.h"

#define RANDOM_INPUTS 3000000u
#define NONE 0xffu
#define RIP 0xfeu

#define REFUSED 0u

struct sample {
	const char *code;
	unsigned count;
	unsigned code_bytes;
	unsigned bytes; /* REFUSED */
};

#define CODE(text) text, sizeof(text) - 1

static bool decode(const char *code, unsigned count, unsigned code_bytes,
		   struct axvm_x86_instruction *instruction)
{
	return axvm_x86_decode((const uint8_t *)code, count, code_bytes, instruction);
}

static void check_all(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct axvm_x86_instruction instruction;
		bool known = decode(samples[i].code, samples[i].count, samples[i].code_bytes,
				    &instruction);

		if (known != (samples[i].bytes != REFUSED) ||
		    (known && instruction.bytes != samples[i].bytes)) {
			axtest_puts("# sample ");
			axtest_put_dec(i);
			axtest_puts("\n");
		}
		CHECK_EQ(known, samples[i].bytes != REFUSED);
		if (known)
			CHECK_EQ(instruction.bytes, samples[i].bytes);
	}
}

#define CHECK_ALL(samples) check_all(samples, sizeof(samples) / sizeof(samples[0]))

TEST(lock_is_only_for_what_can_be_locked)
{
	static const struct sample samples[] = {
		{ CODE("\xf0\x01\x03"), 8, 3 },		  /* ADD [rbx], eax */
		{ CODE("\xf0\x80\x23\x01"), 8, 4 },	  /* AND byte [rbx], 1 */
		{ CODE("\xf0\x87\x03"), 8, 3 },		  /* XCHG */
		{ CODE("\xf0\x03\x03"), 8, REFUSED },	  /* ADD eax, [rbx] */
		{ CODE("\xf0\x39\x03"), 8, REFUSED },	  /* CMP */
		{ CODE("\xf0\x80\x3b\x01"), 8, REFUSED }, /* CMP by an immediate */
		{ CODE("\xf0\x85\x03"), 8, REFUSED },	  /* TEST */
		{ CODE("\xf0\x89\x03"), 8, REFUSED },	  /* MOV */
		{ CODE("\xf0\x0f\xa3\x03"), 8, REFUSED }, /* BT */
		{ CODE("\xf0\xf3\xaa"), 8, REFUSED },	  /* STOS */
		{ CODE("\xf0\x0f\xa2"), 8, REFUSED },	  /* CPUID */
		{ CODE("\xf0\x0f\x22\xc0"), 8, REFUSED }, /* MOV CR8 on some */
		{ CODE("\xf0\xf6\x03\x01"), 8, REFUSED }, /* TEST by an immediate */
	};

	CHECK_ALL(samples);
}

TEST(rep_is_only_for_strings_and_pause)
{
	static const struct sample samples[] = {
		{ CODE("\xf3\xaa"), 8, 2 },	      { CODE("\xf3\x48\xa5"), 8, 3 },
		{ CODE("\xf3\x90"), 8, 2 },	      { CODE("\x90"), 8, REFUSED },
		{ CODE("\xf3\x41\x90"), 8, REFUSED }, { CODE("\xf2\xaa"), 8, REFUSED },
		{ CODE("\xf3\x89\x03"), 8, REFUSED }, { CODE("\xf2\x8b\x03"), 8, REFUSED },
		{ CODE("\xf3\x0f\xa2"), 8, REFUSED }, { CODE("\xf3\xf2\xaa"), 8, REFUSED },
		{ CODE("\xf3\x6c"), 4, 2 },	      { CODE("\xf3\x6f"), 2, 2 },
	};

	CHECK_ALL(samples);
}

/* Fourteen prefixes and an opcode are 15 bytes; one more is too many. */
TEST(an_instruction_has_fifteen_bytes_at_most)
{
	static const struct sample samples[] = {
		{ CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xaa"), 8, 15 },
		{ CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xaa"), 8,
		  REFUSED },
		{ CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"), 8,
		  REFUSED },
		/* MOV dword fs:[rbx + rcx*4 + 12345678h], 11223344h has 12 */
		{ CODE("\x64\xc7\x84\x8b\x78\x56\x34\x12\x44\x33\x22\x11"), 8, 12 },
		{ CODE("\x64\xc7\x84\x8b\x78\x56\x34\x12\x44\x33\x22"), 8, REFUSED },
		{ CODE(""), 8, REFUSED },
		{ CODE("\x0f"), 8, REFUSED },
		{ CODE("\x48"), 8, REFUSED },
		{ CODE("\x8b"), 8, REFUSED },
		{ CODE("\x8b\x04"), 8, REFUSED },
	};

	CHECK_ALL(samples);
}

TEST(what_is_not_known_is_refused)
{
	static const struct sample samples[] = {
		{ CODE("\x10\x03"), 8, REFUSED },		  /* ADC */
		{ CODE("\x80\x13\x01"), 8, REFUSED },		  /* ADC by an immediate */
		{ CODE("\x8b\xc3"), 8, REFUSED },		  /* no memory */
		{ CODE("\x63\x03"), 4, REFUSED },		  /* ARPL */
		{ CODE("\x66\x63\x03"), 8, REFUSED },		  /* MOVSXD with 16 bits */
		{ CODE("\x82\x03\x01"), 4, REFUSED },		  /* an alias of 80 */
		{ CODE("\xc6\x0b\x01"), 8, REFUSED },		  /* no MOV */
		{ CODE("\xc7\xf8\x01\x02\x03\x04"), 8, REFUSED }, /* XBEGIN */
		{ CODE("\xf6\x0b\x01"), 8, REFUSED },		  /* TEST undocumented */
		{ CODE("\xc5\xf8\x28\x03"), 8, REFUSED },	  /* VEX */
		{ CODE("\x62\xf1\x7c\x48\x28\x03"), 8, REFUSED },
		{ CODE("\x0f\x28\x03"), 8, REFUSED },	  /* MOVAPS */
		{ CODE("\x0f\xb1\x03"), 8, REFUSED },	  /* CMPXCHG */
		{ CODE("\x0f\xba\x2b\x01"), 8, REFUSED }, /* BTS */
		{ CODE("\x0f\x20\xc8"), 8, REFUSED },	  /* CR1 */
		{ CODE("\x44\x0f\x20\xc8"), 8, REFUSED }, /* CR9 */
		{ CODE("\x44\x0f\x21\xc0"), 8, REFUSED }, /* DR8 */
		{ CODE("\x0f\x01\xd8"), 8, REFUSED },	  /* VMRUN */
		{ CODE("\x0f\x01\x13"), 8, REFUSED },	  /* LGDT */
		{ CODE("\x64\x65\x8b\x03"), 8, REFUSED }, /* two segments */
		{ CODE("\x26\x64\x8b\x03"), 4, REFUSED },
		{ CODE("\x26\x64\x8b\x03"), 8, 4 }, /* of which one means nothing */
		{ CODE("\x64\x64\x8b\x03"), 8, 4 },
	};

	CHECK_ALL(samples);
}

/* What exits without a word of its length. */
TEST(the_length_of_what_exits_is_known)
{
	static const struct sample samples[] = {
		{ CODE("\x0f\xa2"), 8, 2 },
		{ CODE("\xf4"), 8, 1 },
		{ CODE("\x0f\x32"), 8, 2 },
		{ CODE("\x0f\x30"), 8, 2 },
		{ CODE("\x0f\x01\xd9"), 8, 3 },
		{ CODE("\x0f\x01\xc1"), 8, 3 },
		{ CODE("\x0f\x01\xd1"), 8, 3 },
		{ CODE("\x0f\x06"), 8, 2 },
		{ CODE("\x0f\x08"), 8, 2 },
		{ CODE("\x0f\x09"), 8, 2 },
		{ CODE("\x0f\x31"), 8, 2 },
		{ CODE("\x0f\x01\xf9"), 8, 3 },
		{ CODE("\x0f\x33"), 8, 2 },
		{ CODE("\x0f\x01\xc8"), 8, 3 },
		{ CODE("\x0f\x01\xc9"), 8, 3 },
		{ CODE("\xe4\x60"), 8, 2 },
		{ CODE("\xe5\x60"), 8, 2 },
		{ CODE("\xe6\x60"), 8, 2 },
		{ CODE("\x66\xe7\x60"), 8, 3 },
		{ CODE("\xec"), 8, 1 },
		{ CODE("\x66\xed"), 8, 2 },
		{ CODE("\xee"), 8, 1 },
		{ CODE("\xef"), 8, 1 },
		{ CODE("\x6c"), 8, 1 },
		{ CODE("\x66\x6d"), 8, 2 },
		{ CODE("\x6e"), 8, 1 },
		{ CODE("\x64\x6f"), 8, 2 },
		{ CODE("\x0f\x01\xf0"), 8, 3 },
		{ CODE("\x44\x0f\x22\xc0"), 8, 4 },
		{ CODE("\x0f\x23\xf8"), 8, 3 },
	};

	CHECK_ALL(samples);
}

/* [SDM2 2.1.5, tables 2-1 to 2-3] */
static const struct {
	const char *code;
	unsigned count;
	unsigned code_bytes;
	struct axvm_x86_memory memory;
} addresses[] = {
	{ CODE("\x8b\x00"), 2, { AXVM_X86_DS, AXVM_X86_RBX, AXVM_X86_RSI, 1, 2, 0 } },
	{ CODE("\x8b\x42\xff"), 2, { AXVM_X86_SS, AXVM_X86_RBP, AXVM_X86_RSI, 1, 2, -1 } },
	{ CODE("\x8b\x06\x34\x12"), 2, { AXVM_X86_DS, NONE, NONE, 1, 2, 0x1234 } },
	{ CODE("\x8b\x86\x34\x12"), 2, { AXVM_X86_SS, AXVM_X86_RBP, NONE, 1, 2, 0x1234 } },
	{ CODE("\x3e\x8b\x46\x10"), 2, { AXVM_X86_DS, AXVM_X86_RBP, NONE, 1, 2, 16 } },
	{ CODE("\x67\x8b\x07"), 4, { AXVM_X86_DS, AXVM_X86_RBX, NONE, 1, 2, 0 } },
	{ CODE("\x67\x8b\x07"), 2, { AXVM_X86_DS, AXVM_X86_RDI, NONE, 1, 4, 0 } },
	{ CODE("\x8b\x05\x78\x56\x34\x12"), 4, { AXVM_X86_DS, NONE, NONE, 1, 4, 0x12345678 } },
	{ CODE("\x8b\x05\xfc\xff\xff\xff"), 8, { AXVM_X86_DS, RIP, NONE, 1, 8, -4 } },
	{ CODE("\x49\x8b\x05\xfc\xff\xff\xff"), 8, { AXVM_X86_DS, RIP, NONE, 1, 8, -4 } },
	{ CODE("\x8b\x45\x08"), 8, { AXVM_X86_SS, AXVM_X86_RBP, NONE, 1, 8, 8 } },
	{ CODE("\x41\x8b\x45\x08"), 8, { AXVM_X86_DS, 13, NONE, 1, 8, 8 } },
	{ CODE("\x8b\x04\x24"), 8, { AXVM_X86_SS, AXVM_X86_RSP, NONE, 1, 8, 0 } },
	{ CODE("\x41\x8b\x04\x24"), 8, { AXVM_X86_DS, 12, NONE, 1, 8, 0 } },
	{ CODE("\x42\x8b\x04\xa0"), 8, { AXVM_X86_DS, AXVM_X86_RAX, 12, 4, 8, 0 } },
	{ CODE("\x8b\x04\xcd\x00\x00\x00\x80"),
	  8,
	  { AXVM_X86_DS, NONE, AXVM_X86_RCX, 8, 8, INT32_MIN } },
	{ CODE("\x41\x8b\x04\xcd\x01\x00\x00\x00"),
	  8,
	  { AXVM_X86_DS, NONE, AXVM_X86_RCX, 8, 8, 1 } },
	{ CODE("\x65\xa1\x88\x77\x66\x55\x44\x33\x22\x11"),
	  8,
	  { AXVM_X86_GS, NONE, NONE, 1, 8, 0x1122334455667788 } },
	{ CODE("\x67\xa1\x88\x77\x66\x55"), 8, { AXVM_X86_DS, NONE, NONE, 1, 4, 0x55667788 } },
	{ CODE("\x2e\x8b\x03"), 8, { AXVM_X86_DS, AXVM_X86_RBX, NONE, 1, 8, 0 } },
	{ CODE("\x2e\x8b\x03"), 4, { AXVM_X86_CS, AXVM_X86_RBX, NONE, 1, 4, 0 } },
	{ CODE("\x2e\xa4"), 4, { AXVM_X86_CS, AXVM_X86_RSI, NONE, 1, 4, 0 } },
	{ CODE("\x2e\xaa"), 4, { AXVM_X86_ES, AXVM_X86_RDI, NONE, 1, 4, 0 } },
	{ CODE("\x64\x6e"), 4, { AXVM_X86_FS, AXVM_X86_RSI, NONE, 1, 4, 0 } },
};

TEST(every_addressing_mode_is_decoded)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const struct axvm_x86_memory *wanted = &addresses[i].memory;
		struct axvm_x86_instruction instruction;

		REQUIRE(decode(addresses[i].code, addresses[i].count, addresses[i].code_bytes,
			       &instruction));
		CHECK_EQ(instruction.bytes, addresses[i].count);
		CHECK(instruction.has_memory);
		CHECK_EQ(instruction.memory.segment, wanted->segment);
		CHECK_EQ(instruction.memory.base, wanted->base);
		CHECK_EQ(instruction.memory.index, wanted->index);
		CHECK_EQ(instruction.memory.scale, wanted->scale);
		CHECK_EQ(instruction.memory.address_bytes, wanted->address_bytes);
		CHECK_EQ(instruction.memory.displacement, wanted->displacement);
	}
}

/* 66, REX.W and their absence, in each code size: the width of MOV. */
TEST(the_operand_has_the_width_that_prefixes_and_mode_give)
{
	static const struct {
		const char *code;
		unsigned count;
		uint8_t bytes[3]; /* with 16-, 32- and 64-bit code; 0: something else there */
	} widths[] = {
		{ CODE("\x88\x03\x00"), { 1, 1, 1 } },
		{ CODE("\x89\x03\x00"), { 2, 4, 4 } },
		{ CODE("\x66\x89\x03\x00"), { 4, 2, 2 } },
		{ CODE("\x48\x89\x03"), { 0, 0, 8 } },
		{ CODE("\x66\x48\x89\x03"), { 0, 0, 8 } },
		{ CODE("\x48\x66\x89\x03"), { 0, 0, 2 } }, /* a REX that is not the last one */
	};

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (unsigned mode = 0; mode < 3; mode++) {
			struct axvm_x86_instruction instruction;
			bool known =
				decode(widths[i].code, widths[i].count, 2u << mode, &instruction);

			CHECK_EQ(known, widths[i].bytes[mode] != 0);
			if (known)
				CHECK_EQ(instruction.operand_bytes, widths[i].bytes[mode]);
		}
	}
}

TEST(byte_registers_are_high_ones_without_rex)
{
	struct axvm_x86_instruction instruction;

	REQUIRE(decode(CODE("\x8a\x23"), 8, &instruction));
	CHECK_EQ(instruction.reg, 0x80);
	REQUIRE(decode(CODE("\x8a\x3b"), 8, &instruction));
	CHECK_EQ(instruction.reg, 0x83);
	REQUIRE(decode(CODE("\x40\x8a\x23"), 8, &instruction));
	CHECK_EQ(instruction.reg, AXVM_X86_RSP);
	REQUIRE(decode(CODE("\x44\x8a\x23"), 8, &instruction));
	CHECK_EQ(instruction.reg, 12);
	/* MOVZX writes all of a register, however little it reads. */
	REQUIRE(decode(CODE("\x0f\xb6\x23"), 8, &instruction));
	CHECK_EQ(instruction.reg, AXVM_X86_RSP);
	CHECK_EQ(instruction.memory_bytes, 1);
	CHECK_EQ(instruction.operand_bytes, 4);
}

TEST(immediates_are_sign_extended)
{
	struct axvm_x86_instruction instruction;

	REQUIRE(decode(CODE("\x48\xc7\x03\xff\xff\xff\xff"), 8, &instruction));
	CHECK_EQ(instruction.immediate, UINT64_MAX);
	REQUIRE(decode(CODE("\x48\x83\x03\x80"), 8, &instruction));
	CHECK_EQ(instruction.immediate, (uint64_t)-128);
	CHECK_EQ(instruction.op, AXVM_X86_OP_ADD);
	REQUIRE(decode(CODE("\x66\x81\x33\x34\x12"), 8, &instruction));
	CHECK_EQ(instruction.immediate, 0x1234);
	CHECK_EQ(instruction.op, AXVM_X86_OP_XOR);
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static uint64_t state = 0x2545f4914f6cdd1d;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void random_input(uint8_t input[18], unsigned from)
{
	for (unsigned i = from; i < 18; i++)
		input[i] = (uint8_t)(random_number() >> 24);
}

/* The checks are those of the fuzzer's target, which ends the program. */
TEST(no_opcode_breaks_the_rules)
{
	uint8_t input[18];
	unsigned known = 0;

	for (unsigned map = 0; map < 2; map++) {
		for (unsigned opcode = 0; opcode < 65536; opcode++) {
			for (unsigned mode = 0; mode < 3; mode++) {
				struct axvm_x86_instruction instruction;
				unsigned at = 0;

				input[at++] = (uint8_t)mode;
				if (map == 1)
					input[at++] = 0x0f;
				input[at++] = (uint8_t)(opcode >> 8);
				input[at++] = (uint8_t)opcode;
				random_input(input, at);
				CHECK_EQ(LLVMFuzzerTestOneInput(input, sizeof(input)), 0);
				known += axvm_x86_decode(input + 1, 15, 2u << mode, &instruction);
			}
		}
	}
	CHECK(known > 20000);
}

TEST(no_random_input_breaks_the_rules)
{
	uint8_t input[18];

	for (unsigned i = 0; i < RANDOM_INPUTS; i++) {
		random_input(input, 0);
		(void)LLVMFuzzerTestOneInput(input, (size_t)(1 + input[0] % 18));
	}
}

AXTEST_MAIN(lock_is_only_for_what_can_be_locked, rep_is_only_for_strings_and_pause,
	    an_instruction_has_fifteen_bytes_at_most, what_is_not_known_is_refused,
	    the_length_of_what_exits_is_known, every_addressing_mode_is_decoded,
	    the_operand_has_the_width_that_prefixes_and_mode_give,
	    byte_registers_are_high_ones_without_rex, immediates_are_sign_extended,
	    no_opcode_breaks_the_rules, no_random_input_breaks_the_rules)
