/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses the code segment's size, the rest is code. */
#include "fuzz.h"

#include <string.h>

#include "axvm_arch_types.h"
#include "decode.h"

static bool is_register(unsigned reg)
{
	return reg < 16 || (reg >= 0x80 && reg < 0x84);
}

static bool is_width(unsigned bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static void check_memory(const struct axvm_x86_memory *memory)
{
	FUZZ_CHECK(memory->segment < AXVM_X86_SEGMENTS);
	FUZZ_CHECK(memory->base < 16 || memory->base >= 0xfe);
	FUZZ_CHECK(memory->index < 16 || memory->index == 0xff);
	FUZZ_CHECK(is_width(memory->scale));
	FUZZ_CHECK(is_width(memory->address_bytes) && memory->address_bytes != 1);
}

static void check(const struct axvm_x86_instruction *instruction, size_t count)
{
	FUZZ_CHECK(instruction->bytes >= 1 && instruction->bytes <= count);
	FUZZ_CHECK(instruction->bytes <= AXVM_X86_INSTRUCTION_MAX);
	FUZZ_CHECK(instruction->op <= AXVM_X86_OP_OTHER);
	FUZZ_CHECK(is_width(instruction->operand_bytes));
	FUZZ_CHECK(is_register(instruction->reg));
	FUZZ_CHECK(instruction->index < 16);
	if (instruction->has_memory) {
		FUZZ_CHECK(is_width(instruction->memory_bytes));
		FUZZ_CHECK(instruction->memory_bytes <= instruction->operand_bytes);
		check_memory(&instruction->memory);
	}
	if (instruction->locked)
		FUZZ_CHECK(instruction->has_memory && instruction->memory_is_destination);
	if (instruction->op < AXVM_X86_OP_MOV_CR)
		FUZZ_CHECK(instruction->has_memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct axvm_x86_instruction first;
	struct axvm_x86_instruction again;

	if (bytes == 0)
		return 0;
	unsigned code_bytes = 2u << data[0] % 3;
	/* Memory of its own, so that a read beyond the end is seen. */
	uint8_t code[AXVM_X86_INSTRUCTION_MAX + 1];
	unsigned count = (unsigned)(bytes - 1 < sizeof(code) ? bytes - 1 : sizeof(code));

	memcpy(code, data + 1, count);
	if (!axvm_x86_decode(code, count, code_bytes, &first))
		return 0;
	check(&first, count);
	/* What follows an instruction does not change it, and none of its bytes may be missing. */
	FUZZ_CHECK(axvm_x86_decode(code, first.bytes, code_bytes, &again));
	FUZZ_CHECK(again.bytes == first.bytes && again.op == first.op);
	FUZZ_CHECK(!axvm_x86_decode(code, first.bytes - 1u, code_bytes, &again));
	return 0;
}
