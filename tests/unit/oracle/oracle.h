/* SPDX-License-Identifier: Apache-2.0 */
/* Another decoder of x86 instructions, in the terms of ours. The build takes the one that is there. */
#ifndef AXVM_TEST_ORACLE_H
#define AXVM_TEST_ORACLE_H

#include "decode.h"

/* NULL: there is one; else what is missing. */
const char *oracle_missing(void);

/* What it finds at `code`; of OTHER only the length, and the memory side of INS and OUTS. False: nothing valid. */
bool oracle_decode(const uint8_t *code, unsigned count, unsigned code_bytes,
		   struct axvm_x86_instruction *instruction);

/* Whether it is one of the instructions of OTHER that decode.h names. */
bool oracle_is_other(void);

#endif
