/* SPDX-License-Identifier: Apache-2.0 */
#include "emulate.h"

#include "regs.h"

#define CARRY ((uint64_t)1 << 0)
#define PARITY ((uint64_t)1 << 2)
#define ADJUST ((uint64_t)1 << 4)
#define ZERO ((uint64_t)1 << 6)
#define SIGN ((uint64_t)1 << 7)
#define OVERFLOW ((uint64_t)1 << 11)
#define ARITHMETIC_FLAGS (CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW)

#define HIGH_BYTE 0x80u

/* rbx, rbp, r12 to r15: the procedure call standard keeps them, so the world switch does not load them. */
#define KEPT 0xf028u

static uint64_t mask_of(unsigned bytes)
{
	return UINT64_MAX >> ((64u - 8u * bytes) & 63u);
}

/* ---- registers -------------------------------------------------------------------------------------- */

uint64_t axvm_x86_64_get_operand(const struct axvm_arch_vcpu *arch, unsigned reg, unsigned bytes)
{
	if ((reg & HIGH_BYTE) != 0)
		return arch->gpr[reg & 3] >> 8 & 0xff;
	return arch->gpr[reg & 15] & mask_of(bytes);
}

enum axvm_verdict axvm_x86_64_set_operand(struct axvm_arch_vcpu *arch, unsigned reg, unsigned bytes,
					  uint64_t value)
{
	bool is_high = (reg & HIGH_BYTE) != 0;
	unsigned number = reg & (is_high ? 3u : 15u);
	unsigned shift = is_high ? 8 : 0;
	uint64_t written = bytes == 4 ? UINT64_MAX : mask_of(bytes) << shift;

	value = (value & mask_of(bytes)) << shift;
	arch->gpr[number] = (arch->gpr[number] & ~written) | value;
	return (KEPT >> number & 1) != 0 ? AXVM_ENTER_FULL : AXVM_ENTER;
}

/* ---- flags ------------------------------------------------------------------------------------------ */

/* Of a result: sign, zero and the parity of its lowest byte. */
static uint64_t result_flags(uint64_t result, unsigned bytes)
{
	unsigned low = result & 0xff;
	uint64_t flags = 0;

	low ^= low >> 4;
	/* 16 bits that tell for each nibble whether its bits are odd in number. */
	if ((0x6996u >> (low & 15) & 1) == 0)
		flags |= PARITY;
	if (result == 0)
		flags |= ZERO;
	if ((result >> (8 * bytes - 1) & 1) != 0)
		flags |= SIGN;
	return flags;
}

/* The sign bit of `overflows` tells. */
static uint64_t sum_flags(uint64_t a, uint64_t b, uint64_t result, unsigned bytes, bool carry,
			  uint64_t overflows)
{
	uint64_t flags = result_flags(result, bytes) | ((a ^ b ^ result) & ADJUST);

	if (carry)
		flags |= CARRY;
	if ((overflows >> (8 * bytes - 1) & 1) != 0)
		flags |= OVERFLOW;
	return flags;
}

static void set_flags(uint64_t *rflags, uint64_t flags)
{
	*rflags = (*rflags & ~ARITHMETIC_FLAGS) | flags;
}

static uint64_t add(uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags)
{
	uint64_t sum = (a + b) & mask_of(bytes);

	set_flags(rflags, sum_flags(a, b, sum, bytes, sum < a, (a ^ sum) & (b ^ sum)));
	return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags)
{
	uint64_t difference = (a - b) & mask_of(bytes);

	set_flags(rflags, sum_flags(a, b, difference, bytes, a < b, (a ^ b) & (a ^ difference)));
	return difference;
}

/* AF is undefined: cleared, as CPUs do. */
static uint64_t combine(uint64_t result, unsigned bytes, uint64_t *rflags)
{
	set_flags(rflags, result_flags(result, bytes));
	return result;
}

static void test_bit(uint64_t value, uint64_t bit, unsigned bytes, uint64_t *rflags)
{
	*rflags = (*rflags & ~CARRY) | (value >> (bit & (8 * bytes - 1)) & 1);
}

uint64_t axvm_x86_64_calculate(enum axvm_x86_op op, uint64_t destination, uint64_t source,
			       unsigned bytes, uint64_t *rflags)
{
	uint64_t a = destination & mask_of(bytes);
	uint64_t b = source & mask_of(bytes);

	switch (op) {
	case AXVM_X86_OP_ADD:
		return add(a, b, bytes, rflags);
	case AXVM_X86_OP_SUB:
		return subtract(a, b, bytes, rflags);
	case AXVM_X86_OP_CMP:
		(void)subtract(a, b, bytes, rflags);
		return a;
	case AXVM_X86_OP_AND:
		return combine(a & b, bytes, rflags);
	case AXVM_X86_OP_OR:
		return combine(a | b, bytes, rflags);
	case AXVM_X86_OP_XOR:
		return combine(a ^ b, bytes, rflags);
	case AXVM_X86_OP_TEST:
		(void)combine(a & b, bytes, rflags);
		return a;
	case AXVM_X86_OP_BT:
		test_bit(a, source, bytes, rflags);
		return a;
	default:
		return b;
	}
}
