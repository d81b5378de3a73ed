/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowest set bit, for harts without Zbb, where __builtin_ctzll is some thirty instructions: a
 * de Bruijn multiplication and a table are ten.
 */
#ifndef AXVM_RISCV64_BITS_H
#define AXVM_RISCV64_BITS_H

#include <stdint.h>

/* Each value of 6 consecutive bits occurs once in it. */
#define AXVM_RISCV64_DE_BRUIJN 0x03f79d71b4cb0a89ULL

static const uint8_t axvm_riscv64_bit_numbers[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

/* Of a value that is not 0. */
static inline uint32_t axvm_riscv64_first_bit(uint64_t value)
{
	return axvm_riscv64_bit_numbers[(value & -value) * AXVM_RISCV64_DE_BRUIJN >> 58];
}

#endif
