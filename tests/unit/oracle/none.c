/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

const char *oracle_missing(void)
{
	return "Zydis is not installed (libzydis-dev)";
}

bool oracle_decode(const uint8_t *code, unsigned count, unsigned code_bytes,
		   struct axvm_x86_instruction *instruction)
{
	(void)code;
	(void)count;
	(void)code_bytes;
	(void)instruction;
	return false;
}

bool oracle_is_other(void)
{
	return false;
}
