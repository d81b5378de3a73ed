/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of general registers, in the forms in which an exit shows them. Pure. */
#ifndef AXVM_RISCV64_DECODE_H
#define AXVM_RISCV64_DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct axvm_riscv64_access {
	uint8_t bytes;	/* 1, 2, 4 or 8 */
	uint8_t length; /* of the instruction: 2 or 4 */
	uint8_t reg;	/* loaded, or stored */
	uint8_t base;	/* its value and `offset` are the address */
	int16_t offset;
	bool is_store;
	bool is_signed;
};

/*
 * An instruction as it stands in memory, of 16 bits (the upper ones do not matter) or 32: LB to LD, LBU to
 * LWU, SB to SD [RISCV-U 2.6, 4.3], the compressed ones [RISCV-U 26.3] and Zcb's. False: any other, those
 * of floating point, vectors and atomics too.
 */
bool axvm_riscv64_decode(uint32_t instruction, struct axvm_riscv64_access *access);

/*
 * A transformed instruction of htinst [RISCV-H 18.6.3]: no base and no offset, but `offset` is how far the
 * faulting part lies behind the beginning of the access. False: it is none, or not one of the above.
 */
bool axvm_riscv64_decode_transformed(uint64_t htinst, struct axvm_riscv64_access *access);

#endif
