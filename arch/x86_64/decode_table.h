/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the opcodes that decode.c knows; for it alone. */
#ifndef AXVM_X86_64_DECODE_TABLE_H
#define AXVM_X86_64_DECODE_TABLE_H

#include <stdint.h>

enum axvm_x86_decode_form {
	UNKNOWN,
	MEMORY_REGISTER, /* the destination first */
	REGISTER_MEMORY,
	MEMORY_IMMEDIATE,
	MEMORY_IMMEDIATE8,  /* sign-extended */
	MEMORY_ACCUMULATOR, /* at an address that the instruction has in full */
	ACCUMULATOR_MEMORY,
	TO_STRING, /* ES:rDI */
	FROM_STRING,
	PLAIN,	/* opcode only */
	PLAIN8, /* and a byte */
	CONTROL,
	DEBUG,
	SYSTEM, /* 0F 01: by all of ModRM */
};

/* Flags of a row. */
#define BYTE 1u
#define LOCKABLE 2u
#define LONG_ONLY 4u /* in 64-bit mode only */
#define FROM_BYTE 8u /* width of the memory side where it is not the operand's */
#define FROM_WORD 16u
#define FROM_DWORD 32u
#define REP_ONLY 64u

/* Opcodes that bits 5:3 of ModRM tell apart. */
enum axvm_x86_decode_group { NO_GROUP, ARITHMETIC, ONLY_0, ONLY_4 };

struct axvm_x86_decode_row {
	uint8_t form;
	uint8_t op;
	uint8_t flags;
	uint8_t group;
};

extern const struct axvm_x86_decode_row axvm_x86_decode_one_byte[256];
extern const struct axvm_x86_decode_row axvm_x86_decode_two_byte[256]; /* after 0F */
/* The operation by bits 5:3 of ModRM; OTHER: not known. */
extern const uint8_t axvm_x86_decode_arithmetic[8];

#endif
