/* SPDX-License-Identifier: Apache-2.0 */
/* What an emulated instruction does to registers and flags. Pure. */
#ifndef AXVM_X86_64_EMULATE_H
#define AXVM_X86_64_EMULATE_H

#include "arch.h"
#include "decode.h"

/* A register operand as decode.h numbers it, zero-extended. `bytes`: 1, 2, 4, 8. */
uint64_t axvm_x86_64_get_operand(const struct axvm_arch_vcpu *arch, unsigned reg, unsigned bytes);
/*
 * Writes it: 32 bits clear the upper half, 8 and 16 leave the rest. AXVM_ENTER_FULL
 * for a register that the world switch does not load by itself.
 */
enum axvm_verdict axvm_x86_64_set_operand(struct axvm_arch_vcpu *arch, unsigned reg, unsigned bytes,
					  uint64_t value);

/*
 * The result for the destination, of `bytes`; *rflags changes as the operation says. MOV and XCHG: the source.
 * CMP, TEST and BT leave the destination; of BT the source is the bit's number, within the operand.
 */
uint64_t axvm_x86_64_calculate(enum axvm_x86_op op, uint64_t destination, uint64_t source,
			       unsigned bytes, uint64_t *rflags);

#endif
