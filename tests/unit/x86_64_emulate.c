/* SPDX-License-Identifier: Apache-2.0 */
/* Results and flags against those of the CPU that runs the test. */
#include "emulate.h"

#include <string.h>

#include "axtest.h"

#define FLAGS 0x8d5u /* CF PF AF ZF SF OF */

/* `operation` of the host on operands of one width; its result and flags. */
#define NATIVE(name, type, text)                                                    \
	static uint64_t name(uint64_t a, uint64_t b, uint64_t *flags)               \
	{                                                                           \
		type value = (type)a;                                               \
                                                                                    \
		__asm__("push %q1\n\tpopfq\n\t" text " %2, %0\n\tpushfq\n\tpop %q1" \
			: "+q"(value), "+r"(*flags)                                 \
			: "q"((type)b)                                              \
			: "cc", "memory");                                          \
		return value;                                                       \
	}

#define NATIVES(name)                         \
	NATIVE(name##_1, uint8_t, #name "b")  \
	NATIVE(name##_2, uint16_t, #name "w") \
	NATIVE(name##_4, uint32_t, #name "l") \
	NATIVE(name##_8, uint64_t, #name "q")

NATIVES(add)
NATIVES(sub)
NATIVES(and)
NATIVES(or)
NATIVES(xor)
NATIVES(cmp)
NATIVES(test)
NATIVE(bt_2, uint16_t, "btw")
NATIVE(bt_4, uint32_t, "btl")
NATIVE(bt_8, uint64_t, "btq")

typedef uint64_t (*native)(uint64_t a, uint64_t b, uint64_t *flags);

static const struct {
	enum axvm_x86_op op;
	native natives[4]; /* of 1, 2, 4, 8 bytes */
} operations[] = {
	{ AXVM_X86_OP_ADD, { add_1, add_2, add_4, add_8 } },
	{ AXVM_X86_OP_SUB, { sub_1, sub_2, sub_4, sub_8 } },
	{ AXVM_X86_OP_AND, { and_1, and_2, and_4, and_8 } },
	{ AXVM_X86_OP_OR, { or_1, or_2, or_4, or_8 } },
	{ AXVM_X86_OP_XOR, { xor_1, xor_2, xor_4, xor_8 } },
	{ AXVM_X86_OP_CMP, { cmp_1, cmp_2, cmp_4, cmp_8 } },
	{ AXVM_X86_OP_TEST, { test_1, test_2, test_4, test_8 } },
	{ AXVM_X86_OP_BT, { NULL, bt_2, bt_4, bt_8 } },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void compare(size_t which, unsigned width, uint64_t a, uint64_t b, uint64_t flags)
{
	enum axvm_x86_op op = operations[which].op;
	uint64_t expected_flags = flags;
	uint64_t expected = operations[which].natives[width](a, b, &expected_flags);
	uint64_t found_flags = flags;
	uint64_t found = axvm_x86_64_calculate(op, a, b, 1u << width, &found_flags);
	uint64_t mask = FLAGS;

	/* Of BT only CF is defined. Of the logical ones AF is not, but CPUs clear it. */
	if (op == AXVM_X86_OP_BT)
		mask = 1;
	CHECK_EQ(found, expected);
	CHECK_EQ(found_flags & mask, expected_flags & mask);
	CHECK_EQ(found_flags & ~(uint64_t)FLAGS, flags & ~(uint64_t)FLAGS);
}

TEST(every_pair_of_bytes_gives_the_result_and_flags_of_the_cpu)
{
	for (size_t which = 0; which < OPERATIONS; which++) {
		for (uint64_t pair = 0; pair < 65536; pair++) {
			if (operations[which].natives[0] != NULL)
				compare(which, 0, pair & 0xff, pair >> 8,
					0x202 | (pair % 3 == 0 ? FLAGS : 0));
		}
	}
}

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Random, or near one of the ends of some width. */
static uint64_t operand(void)
{
	uint64_t bits = random_number();
	uint64_t power = (uint64_t)1 << (8 * (bits >> 8 & 7) + 7);

	if ((bits & 3) == 0)
		return power + (bits >> 16 & 3) - 2;
	if ((bits & 3) == 1)
		return 2 * power + (bits >> 16 & 3) - 2;
	return random_number();
}

TEST(wider_operands_give_the_result_and_flags_of_the_cpu)
{
	for (size_t which = 0; which < OPERATIONS; which++) {
		for (unsigned width = 1; width < 4; width++) {
			for (unsigned i = 0; i < 20000; i++)
				compare(which, width, operand(), operand(),
					0x202 | (i % 2 == 0 ? FLAGS : 0));
		}
	}
}

TEST(mov_and_xchg_leave_the_flags)
{
	uint64_t flags = 0xad7;

	CHECK_EQ(axvm_x86_64_calculate(AXVM_X86_OP_MOV, 1, 0x1234, 1, &flags), 0x34);
	CHECK_EQ(axvm_x86_64_calculate(AXVM_X86_OP_XCHG, 1, 2, 8, &flags), 2);
	CHECK_EQ(flags, 0xad7);
}

#define OLD 0x1122334455667788ULL
#define NEW 0xaabbccddeeff99eeULL

TEST(a_register_takes_as_much_as_its_width_says)
{
	static const struct {
		unsigned bytes;
		uint64_t value;
	} widths[] = {
		{ 1, 0x11223344556677ee }, { 2, 0x11223344556699ee }, { 4, 0xeeff99ee }, { 8, NEW }
	};
	struct axvm_arch_vcpu arch;

	memset(&arch, 0, sizeof(arch));
	for (size_t i = 0; i < 4; i++) {
		for (unsigned reg = 0; reg < 16; reg++) {
			/* Those that the procedure call standard keeps, rsp apart, which has its own place. */
			bool kept = reg == 3 || reg == 5 || reg >= 12;

			arch.gpr[reg] = OLD;
			CHECK_EQ(axvm_x86_64_set_operand(&arch, reg, widths[i].bytes, NEW),
				 kept ? AXVM_ENTER_FULL : AXVM_ENTER);
			CHECK_EQ(arch.gpr[reg], widths[i].value);
			CHECK_EQ(axvm_x86_64_get_operand(&arch, reg, widths[i].bytes),
				 NEW & (UINT64_MAX >> (64 - 8 * widths[i].bytes)));
		}
	}
}

TEST(a_high_byte_is_the_second_one)
{
	struct axvm_arch_vcpu arch;

	memset(&arch, 0, sizeof(arch));
	for (unsigned reg = 0; reg < 4; reg++) {
		arch.gpr[reg] = OLD;
		CHECK_EQ(axvm_x86_64_set_operand(&arch, 0x80 + reg, 1, NEW),
			 reg == 3 ? AXVM_ENTER_FULL : AXVM_ENTER);
		CHECK_EQ(arch.gpr[reg], 0x112233445566ee88);
		CHECK_EQ(axvm_x86_64_get_operand(&arch, 0x80 + reg, 1), 0xee);
	}
}

AXTEST_MAIN(every_pair_of_bytes_gives_the_result_and_flags_of_the_cpu,
	    wider_operands_give_the_result_and_flags_of_the_cpu, mov_and_xchg_leave_the_flags,
	    a_register_takes_as_much_as_its_width_says, a_high_byte_is_the_second_one)
