/* SPDX-License-Identifier: Apache-2.0 */
/* Our decoder against another one: where ours accepts, length and operands are the same. */
#include <string.h>

#include "axtest.h"
#include "oracle/oracle.h"

#define RANDOM_INPUTS 1500000u
#define DIFFERENCES_SHOWN 8u

static unsigned differences;
static unsigned accepted[AXVM_X86_OP_OTHER + 1];

static void show(const char *what, const uint8_t *code, unsigned code_bytes)
{
	differences++;
	if (differences > DIFFERENCES_SHOWN)
		return;
	axtest_puts("# ");
	axtest_puts(what);
	axtest_puts(" differs, code of ");
	axtest_put_dec(code_bytes);
	axtest_puts(" bytes:");
	for (unsigned i = 0; i < AXVM_X86_INSTRUCTION_MAX; i++) {
		axtest_puts(" ");
		axtest_put_hex(code[i]);
	}
	axtest_puts("\n");
}

/* As far as an address of that width has bits. */
static bool same_displacement(const struct axvm_x86_memory *a, const struct axvm_x86_memory *b)
{
	uint64_t unused = a->address_bytes < 8 ? UINT64_MAX << 8 * a->address_bytes : 0;

	return (((uint64_t)a->displacement ^ (uint64_t)b->displacement) & ~unused) == 0;
}

static bool same_memory(const struct axvm_x86_instruction *a, const struct axvm_x86_instruction *b)
{
	return a->memory.segment == b->memory.segment && a->memory.base == b->memory.base &&
	       a->memory.index == b->memory.index && a->memory.scale == b->memory.scale &&
	       a->memory.address_bytes == b->memory.address_bytes &&
	       same_displacement(&a->memory, &b->memory) && a->memory_bytes == b->memory_bytes;
}

static const char *difference(const struct axvm_x86_instruction *ours,
			      const struct axvm_x86_instruction *theirs)
{
	if (ours->bytes != theirs->bytes)
		return "length";
	if (ours->op != theirs->op)
		return "operation";
	if (ours->has_memory != theirs->has_memory)
		return "having memory";
	if (ours->has_memory && !same_memory(ours, theirs))
		return "memory";
	if (ours->locked != theirs->locked ||
	    (ours->has_memory && ours->repeated != theirs->repeated))
		return "LOCK or REP";
	if (ours->op == AXVM_X86_OP_OTHER)
		return oracle_is_other() ? NULL : "the instruction";
	if (ours->operand_bytes != theirs->operand_bytes)
		return "operand width";
	if (ours->memory_is_destination != theirs->memory_is_destination)
		return "direction";
	if (ours->other != theirs->other || ours->reg != theirs->reg ||
	    ours->index != theirs->index)
		return "register";
	/* The other one does not sign-extend a bit's number. */
	uint64_t mask = ours->op == AXVM_X86_OP_BT ? 0xff : UINT64_MAX;

	return ((ours->immediate ^ theirs->immediate) & mask) == 0 ? NULL : "immediate";
}

static bool compare(const uint8_t *code, unsigned count, unsigned code_bytes)
{
	struct axvm_x86_instruction ours;
	struct axvm_x86_instruction theirs;

	if (!axvm_x86_decode(code, count, code_bytes, &ours))
		return false;
	const char *what = oracle_decode(code, count, code_bytes, &theirs)
				   ? difference(&ours, &theirs)
				   : "being valid";

	if (what != NULL)
		show(what, code, code_bytes);
	accepted[ours.op]++;
	return true;
}

/* Registers of segments, and second encodings, are not known to ours. */
static bool may_be_refused(const uint8_t *code)
{
	return code[0] == 0x8c || code[0] == 0x8e || code[0] == 0x82 ||
	       ((code[0] & 0xfe) == 0xf6 && (code[1] >> 3 & 7) == 1);
}

static bool is_prefix(uint8_t byte)
{
	return (byte & 0xe7) == 0x26 || (byte & 0xfc) == 0x64 || (byte & 0xf0) == 0x40 ||
	       byte == 0xf0 || byte == 0xf2 || byte == 0xf3;
}

/* Of code without prefixes: whether ours knows it too when it is of the instructions that it should know. */
static void compare_knowledge(const uint8_t *code, unsigned code_bytes)
{
	struct axvm_x86_instruction theirs;
	struct axvm_x86_instruction ours;

	if (is_prefix(code[0]) || may_be_refused(code) ||
	    !oracle_decode(code, 15, code_bytes, &theirs))
		return;
	bool wanted = theirs.op == AXVM_X86_OP_OTHER ? oracle_is_other() : theirs.has_memory;

	if (wanted && !axvm_x86_decode(code, 15, code_bytes, &ours))
		show("being known", code, code_bytes);
}

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill(uint8_t *code, unsigned from)
{
	for (unsigned i = from; i < 16; i++)
		code[i] = (uint8_t)(random_number() >> 24);
}

static const unsigned sizes[] = { 2, 4, 8 };
static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2,
				    0xf3, 0x40, 0x41, 0x42, 0x44, 0x48, 0x4f, 0x66, 0x67, 0xf3 };

static void begin(void)
{
	differences = 0;
	memset(accepted, 0, sizeof(accepted));
}

/* Every opcode of both maps, every ModRM, after no prefix and after each one. */
TEST(every_opcode_with_every_modrm_is_decoded_alike)
{
	uint8_t code[16];

	if (oracle_missing() != NULL)
		SKIP(oracle_missing());
	begin();
	for (unsigned prefix = 0; prefix <= sizeof(prefixes); prefix++) {
		for (unsigned which = 0; which < 2u * 65536; which++) {
			unsigned at = 0;

			fill(code, 0);
			if (prefix > 0)
				code[at++] = prefixes[prefix - 1];
			if (which >= 65536)
				code[at++] = 0x0f;
			code[at++] = (uint8_t)(which >> 8);
			code[at] = (uint8_t)which;
			(void)compare(code, 15, sizes[which % 3]);
			(void)compare(code, 15, 8);
			if (prefix == 0)
				compare_knowledge(code, sizes[random_number() % 3]);
		}
	}
	CHECK_EQ(differences, 0);
	for (unsigned op = 0; op <= AXVM_X86_OP_OTHER; op++)
		CHECK(accepted[op] > 0);
}

TEST(random_prefixes_before_random_bytes_are_decoded_alike)
{
	uint8_t code[16];
	unsigned valid = 0;

	if (oracle_missing() != NULL)
		SKIP(oracle_missing());
	begin();
	for (unsigned i = 0; i < RANDOM_INPUTS; i++) {
		unsigned count = (unsigned)(random_number() >> 20) % 6;

		fill(code, 0);
		for (unsigned at = 0; at < count; at++)
			code[at] = prefixes[(random_number() >> 20) % sizeof(prefixes)];
		valid += compare(code, 1 + (unsigned)(random_number() >> 30) % 15, sizes[i % 3]);
	}
	CHECK_EQ(differences, 0);
	CHECK(valid > RANDOM_INPUTS / 20);
}

AXTEST_MAIN(every_opcode_with_every_modrm_is_decoded_alike,
	    random_prefixes_before_random_bytes_are_decoded_alike)
