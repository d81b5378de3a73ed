/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions that touch emulated memory [SDM2]: MOV in all widths, MOVZX, MOVSX, MOVSXD, STOS, MOVS,
 * AND, OR, XOR, ADD, SUB, TEST, CMP, XCHG, BT; and, for lengths only, those that exit without a hardware's
 * word of their length: CPUID, HLT, RDMSR, WRMSR, VMMCALL, VMCALL, XSETBV, MOV to and from CR and DR, CLTS,
 * LMSW, INVD, WBINVD, PAUSE, RDTSC, RDTSCP, RDPMC, MONITOR, MWAIT, IN, OUT, INS, OUTS. What is not known is
 * refused: of the first group what has no memory operand, prefixes that mean nothing to the instruction
 * (LOCK where nothing is locked, REPNE, REP before what is no string instruction), two different segments. Pure.
 */
#ifndef AXVM_X86_64_DECODE_H
#define AXVM_X86_64_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#define AXVM_X86_INSTRUCTION_MAX 15u

enum axvm_x86_op {
	AXVM_X86_OP_MOV,
	AXVM_X86_OP_MOVZX,
	AXVM_X86_OP_MOVSX,
	AXVM_X86_OP_STOS,
	AXVM_X86_OP_MOVS,
	AXVM_X86_OP_AND,
	AXVM_X86_OP_OR,
	AXVM_X86_OP_XOR,
	AXVM_X86_OP_ADD,
	AXVM_X86_OP_SUB,
	AXVM_X86_OP_TEST,
	AXVM_X86_OP_CMP,
	AXVM_X86_OP_XCHG,
	AXVM_X86_OP_BT,
	AXVM_X86_OP_MOV_CR, /* `reg` the general one, `index` the control register's */
	AXVM_X86_OP_MOV_DR,
	AXVM_X86_OP_LMSW,
	AXVM_X86_OP_OTHER, /* only its length is of interest */
};

enum axvm_x86_operand { /* what the other side of the memory operand is */
			AXVM_X86_OPERAND_NONE,
			AXVM_X86_OPERAND_REGISTER,
			AXVM_X86_OPERAND_IMMEDIATE,
};

/* Of the string instructions: STOS, INS its destination; MOVS, OUTS its source. MOVS writes to ES:rDI. */
struct axvm_x86_memory {
	uint8_t segment;       /* enum axvm_x86_segment_index, by prefix or default */
	uint8_t base;	       /* general register; 0xff: none, 0xfe: RIP of the next instruction */
	uint8_t index;	       /* 0xff: none */
	uint8_t scale;	       /* 1, 2, 4, 8 */
	uint8_t address_bytes; /* 2, 4, 8 */
	int64_t displacement;
};

struct axvm_x86_instruction {
	enum axvm_x86_op op;
	uint8_t bytes;	       /* its length */
	uint8_t operand_bytes; /* of the register or flags side: 1, 2, 4, 8 */
	uint8_t memory_bytes;  /* of the memory side */
	uint8_t reg;	       /* REGISTER: its number; 8-bit AH, CH, DH, BH are 0x80 + 0 to 3 */
	uint8_t index;	       /* MOV_CR, MOV_DR */
	enum axvm_x86_operand other;
	bool has_memory;
	bool memory_is_destination;
	bool repeated; /* REP or REPE */
	bool locked;
	uint64_t immediate; /* sign-extended to 64 bits */
	struct axvm_x86_memory memory;
};

/* False: refused, or more than `count` bytes. `code_bytes`: 2, 4 or 8, of the code segment. */
bool axvm_x86_decode(const uint8_t *code, unsigned count, unsigned code_bytes,
		     struct axvm_x86_instruction *instruction);

#endif
