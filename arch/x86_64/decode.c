/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An opcode's row says what it does and of which form it is; a form says where the operands are. Whatever has no
 * row is refused, so that the tables are all there is to know.
 */
#include "decode.h"

#include "decode_table.h"
#include "regs.h"

#define NO_REGISTER 0xffu
#define OF_RIP 0xfeu
#define HIGH_BYTE 0x80u
#define NO_SEGMENT 0xffu

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u
#define REX_W 8u

#define REP 0xf3u
#define REPNE 0xf2u

/* What is being read, and what its prefixes said. */
struct reader {
	const uint8_t *code;
	unsigned count;
	unsigned at;
	bool ended; /* before the instruction did */
	bool refused;
	unsigned code_bytes;
	unsigned operand_bytes;
	unsigned address_bytes;
	uint8_t rex;
	uint8_t repeat; /* 0, REP or REPNE */
	uint8_t segment;
	bool operand_size;
	bool address_size;
	bool lock;
	uint8_t modrm;
};

/* ---- bytes ---------------------------------------------------------------------------------------- */

static uint8_t next(struct reader *reader)
{
	if (reader->at >= reader->count) {
		reader->ended = true;
		return 0;
	}
	return reader->code[reader->at++];
}

/* `bytes` of 1, 2, 4 or 8, sign-extended. */
static uint64_t next_number(struct reader *reader, unsigned bytes)
{
	uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)next(reader) << 8 * i;
	return (value ^ sign) - sign;
}

/* ---- prefixes --------------------------------------------------------------------------------------- */

/* In 64-bit mode those of ES, CS, SS and DS mean nothing. Two that disagree are not relied on. */
static void take_segment(struct reader *reader, uint8_t segment)
{
	if (reader->code_bytes == 8 && segment < AXVM_X86_FS)
		return;
	if (reader->segment != NO_SEGMENT && reader->segment != segment)
		reader->refused = true;
	reader->segment = segment;
}

static void take_repeat(struct reader *reader, uint8_t prefix)
{
	if (reader->repeat != 0 && reader->repeat != prefix)
		reader->refused = true;
	reader->repeat = prefix;
}

static bool take_prefix(struct reader *reader, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		take_segment(reader, (uint8_t)(byte >> 3 & 3));
		return true;
	case 0x64:
	case 0x65:
		take_segment(reader, (uint8_t)(byte - 0x64 + AXVM_X86_FS));
		return true;
	case 0x66:
		reader->operand_size = true;
		return true;
	case 0x67:
		reader->address_size = true;
		return true;
	case 0xf0:
		reader->lock = true;
		return true;
	case REPNE:
	case REP:
		take_repeat(reader, byte);
		return true;
	default:
		return false;
	}
}

/* Returns the byte after them. A REX counts only right before the opcode. */
static uint8_t read_prefixes(struct reader *reader)
{
	uint8_t byte = next(reader);

	for (;;) {
		bool is_rex = reader->code_bytes == 8 && (byte & 0xf0) == 0x40;

		if (is_rex)
			reader->rex = byte;
		else if (take_prefix(reader, byte))
			reader->rex = 0;
		else
			return byte;
		byte = next(reader);
		if (reader->ended)
			return 0;
	}
}

static void settle_sizes(struct reader *reader)
{
	unsigned code_bytes = reader->code_bytes;

	reader->address_bytes = code_bytes;
	if (reader->address_size)
		reader->address_bytes = code_bytes == 4 ? 2 : 4;
	reader->operand_bytes = code_bytes == 2 ? 2 : 4;
	if (reader->operand_size)
		reader->operand_bytes = code_bytes == 2 ? 4 : 2;
	if ((reader->rex & REX_W) != 0)
		reader->operand_bytes = 8;
}

/* ---- ModRM ------------------------------------------------------------------------------------------ */

static unsigned modrm_mod(const struct reader *reader)
{
	return reader->modrm >> 6;
}

static unsigned modrm_middle(const struct reader *reader)
{
	return reader->modrm >> 3 & 7;
}

static unsigned modrm_low(const struct reader *reader)
{
	return reader->modrm & 7;
}

/* Bit 3 of a register's number, where the REX has it. */
static unsigned extension(const struct reader *reader, unsigned bit)
{
	return (reader->rex & bit) != 0 ? 8 : 0;
}

static uint8_t general_register(const struct reader *reader, unsigned bytes)
{
	unsigned number = modrm_middle(reader);

	if (bytes == 1 && reader->rex == 0 && number >= 4)
		return (uint8_t)(HIGH_BYTE + number - 4);
	return (uint8_t)(number + extension(reader, REX_R));
}

/* By bits 2:0 of ModRM [SDM2 2.1.5, table 2-1]. */
static const uint8_t bases_16[8] = { AXVM_X86_RBX, AXVM_X86_RBX, AXVM_X86_RBP, AXVM_X86_RBP,
				     AXVM_X86_RSI, AXVM_X86_RDI, AXVM_X86_RBP, AXVM_X86_RBX };
static const uint8_t indices_16[8] = { AXVM_X86_RSI, AXVM_X86_RDI, AXVM_X86_RSI, AXVM_X86_RDI,
				       NO_REGISTER,  NO_REGISTER,  NO_REGISTER,	 NO_REGISTER };

static void read_memory_16(struct reader *reader, struct axvm_x86_memory *memory)
{
	unsigned mod = modrm_mod(reader);
	unsigned low = modrm_low(reader);

	memory->base = bases_16[low];
	memory->index = indices_16[low];
	if (mod == 0 && low == 6) {
		memory->base = NO_REGISTER;
		mod = 2;
	}
	if (mod != 0)
		memory->displacement = (int64_t)next_number(reader, mod);
}

/* [SDM2 2.1.5, table 2-3]. Without a base there is always a displacement of 4 bytes. */
static void read_sib(struct reader *reader, struct axvm_x86_memory *memory)
{
	uint8_t sib = next(reader);
	unsigned index = (sib >> 3 & 7u) + extension(reader, REX_X);

	memory->scale = (uint8_t)(1u << (sib >> 6));
	if (index != AXVM_X86_RSP)
		memory->index = (uint8_t)index;
	if ((sib & 7) != AXVM_X86_RBP || modrm_mod(reader) != 0)
		memory->base = (uint8_t)((sib & 7u) + extension(reader, REX_B));
}

/* Scale without an index is not told. */
static void read_memory_32(struct reader *reader, struct axvm_x86_memory *memory)
{
	unsigned mod = modrm_mod(reader);
	unsigned low = modrm_low(reader);

	if (low == AXVM_X86_RSP)
		read_sib(reader, memory);
	else if (low != AXVM_X86_RBP || mod != 0)
		memory->base = (uint8_t)(low + extension(reader, REX_B));
	else if (reader->code_bytes == 8)
		memory->base = OF_RIP;
	if (memory->index == NO_REGISTER)
		memory->scale = 1;
	if (mod == 1)
		memory->displacement = (int64_t)next_number(reader, 1);
	else if (mod == 2 || memory->base == NO_REGISTER || memory->base == OF_RIP)
		memory->displacement = (int64_t)next_number(reader, 4);
}

static struct axvm_x86_memory memory_at(const struct reader *reader, uint8_t base)
{
	return (struct axvm_x86_memory){
		.segment = reader->segment != NO_SEGMENT ? reader->segment : AXVM_X86_DS,
		.base = base,
		.index = NO_REGISTER,
		.scale = 1,
		.address_bytes = (uint8_t)reader->address_bytes,
	};
}

/* A memory operand by ModRM. A register in its place: refused. */
static void read_memory(struct reader *reader, struct axvm_x86_memory *memory)
{
	*memory = memory_at(reader, NO_REGISTER);
	if (modrm_mod(reader) == 3)
		reader->refused = true;
	else if (reader->address_bytes == 2)
		read_memory_16(reader, memory);
	else
		read_memory_32(reader, memory);
	if (reader->segment == NO_SEGMENT &&
	    (memory->base == AXVM_X86_RSP || memory->base == AXVM_X86_RBP))
		memory->segment = AXVM_X86_SS;
}

/* ---- forms ------------------------------------------------------------------------------------------ */

static void choose_of_group(struct reader *reader, const struct axvm_x86_decode_row *row,
			    struct axvm_x86_instruction *instruction)
{
	unsigned middle = modrm_middle(reader);

	if (row->group == ARITHMETIC) {
		instruction->op = axvm_x86_decode_arithmetic[middle];
		reader->refused |= instruction->op == AXVM_X86_OP_OTHER;
	}
	reader->refused |= row->group == ONLY_0 && middle != 0;
	reader->refused |= row->group == ONLY_4 && middle != 4;
}

static void read_modrm(struct reader *reader, const struct axvm_x86_decode_row *row,
		       struct axvm_x86_instruction *instruction)
{
	reader->modrm = next(reader);
	choose_of_group(reader, row, instruction);
	instruction->has_memory = true;
	read_memory(reader, &instruction->memory);
}

static uint8_t memory_bytes_of(const struct axvm_x86_decode_row *row, unsigned operand_bytes)
{
	if ((row->flags & FROM_BYTE) != 0)
		return 1;
	if ((row->flags & FROM_WORD) != 0)
		return 2;
	if ((row->flags & FROM_DWORD) != 0)
		return 4;
	return (uint8_t)operand_bytes;
}

static void read_register_form(struct reader *reader, const struct axvm_x86_decode_row *row,
			       struct axvm_x86_instruction *instruction)
{
	read_modrm(reader, row, instruction);
	instruction->other = AXVM_X86_OPERAND_REGISTER;
	instruction->reg = general_register(reader, instruction->operand_bytes);
	instruction->memory_is_destination = row->form == MEMORY_REGISTER;
	/* MOVSXD with 16 bits: the makers do not agree on what it reads. */
	reader->refused |= instruction->memory_bytes > instruction->operand_bytes;
}

static void read_immediate_form(struct reader *reader, const struct axvm_x86_decode_row *row,
				struct axvm_x86_instruction *instruction)
{
	unsigned bytes = instruction->operand_bytes > 4 ? 4 : instruction->operand_bytes;

	read_modrm(reader, row, instruction);
	instruction->other = AXVM_X86_OPERAND_IMMEDIATE;
	instruction->memory_is_destination = true;
	instruction->immediate = next_number(reader, row->form == MEMORY_IMMEDIATE8 ? 1 : bytes);
}

static void read_full_address(struct reader *reader, const struct axvm_x86_decode_row *row,
			      struct axvm_x86_instruction *instruction)
{
	instruction->has_memory = true;
	instruction->other = AXVM_X86_OPERAND_REGISTER;
	instruction->reg = AXVM_X86_RAX;
	instruction->memory_is_destination = row->form == MEMORY_ACCUMULATOR;
	instruction->memory = memory_at(reader, NO_REGISTER);
	instruction->memory.displacement = (int64_t)next_number(reader, reader->address_bytes);
}

/* The port instructions have no 64-bit operands; nor has the memory side. */
static void read_string(const struct reader *reader, const struct axvm_x86_decode_row *row,
			struct axvm_x86_instruction *instruction)
{
	bool is_destination = row->form == TO_STRING;

	instruction->has_memory = true;
	instruction->memory_is_destination = is_destination;
	instruction->repeated = reader->repeat == REP;
	instruction->memory = memory_at(reader, is_destination ? AXVM_X86_RDI : AXVM_X86_RSI);
	if (is_destination)
		instruction->memory.segment = AXVM_X86_ES;
	if (instruction->op == AXVM_X86_OP_STOS) {
		instruction->other = AXVM_X86_OPERAND_REGISTER;
		instruction->reg = AXVM_X86_RAX;
	}
	if (instruction->op == AXVM_X86_OP_OTHER && instruction->operand_bytes == 8) {
		instruction->operand_bytes = 4;
		instruction->memory_bytes = 4;
	}
}

/* CR0, CR2, CR3, CR4 and CR8, DR0 to DR7: others do not exist. Bits 7:6 of ModRM mean nothing. */
#define CONTROL_REGISTERS 0x11du

static void read_system_register(struct reader *reader, const struct axvm_x86_decode_row *row,
				 struct axvm_x86_instruction *instruction)
{
	reader->modrm = next(reader);
	unsigned index = modrm_middle(reader) + extension(reader, REX_R);

	instruction->index = (uint8_t)index;
	instruction->reg = (uint8_t)(modrm_low(reader) + extension(reader, REX_B));
	instruction->other = AXVM_X86_OPERAND_REGISTER;
	instruction->operand_bytes = reader->code_bytes == 8 ? 8 : 4;
	instruction->memory_bytes = 0;
	if (row->form == CONTROL)
		reader->refused |= (CONTROL_REGISTERS >> index & 1) == 0;
	else
		reader->refused |= index > 7;
}

/* LMSW by 16 bits of a register or of memory. */
static void read_lmsw(struct reader *reader, struct axvm_x86_instruction *instruction)
{
	instruction->op = AXVM_X86_OP_LMSW;
	instruction->operand_bytes = 2;
	if (modrm_mod(reader) == 3) {
		instruction->other = AXVM_X86_OPERAND_REGISTER;
		instruction->reg = (uint8_t)(modrm_low(reader) + extension(reader, REX_B));
		return;
	}
	instruction->has_memory = true;
	instruction->memory_bytes = 2;
	read_memory(reader, &instruction->memory);
}

static void read_system(struct reader *reader, struct axvm_x86_instruction *instruction)
{
	reader->modrm = next(reader);
	instruction->memory_bytes = 0;
	if (modrm_middle(reader) == 6) {
		read_lmsw(reader, instruction);
		return;
	}
	switch (reader->modrm) {
	case 0xc1: /* VMCALL */
	case 0xc8: /* MONITOR */
	case 0xc9: /* MWAIT */
	case 0xd1: /* XSETBV */
	case 0xd9: /* VMMCALL */
	case 0xf9: /* RDTSCP */
		reader->refused |= reader->operand_size;
		break;
	default:
		reader->refused = true;
	}
}

static void read_form(struct reader *reader, const struct axvm_x86_decode_row *row,
		      struct axvm_x86_instruction *instruction)
{
	switch (row->form) {
	case MEMORY_REGISTER:
	case REGISTER_MEMORY:
		read_register_form(reader, row, instruction);
		break;
	case MEMORY_IMMEDIATE:
	case MEMORY_IMMEDIATE8:
		read_immediate_form(reader, row, instruction);
		break;
	case MEMORY_ACCUMULATOR:
	case ACCUMULATOR_MEMORY:
		read_full_address(reader, row, instruction);
		break;
	case TO_STRING:
	case FROM_STRING:
		read_string(reader, row, instruction);
		break;
	case CONTROL:
	case DEBUG:
		read_system_register(reader, row, instruction);
		break;
	case SYSTEM:
		read_system(reader, instruction);
		break;
	case PLAIN8:
		(void)next(reader);
		instruction->memory_bytes = 0;
		break;
	case PLAIN:
		instruction->memory_bytes = 0;
		break;
	default:
		reader->refused = true;
	}
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static bool is_string(const struct axvm_x86_decode_row *row)
{
	return row->form == TO_STRING || row->form == FROM_STRING;
}

/* What the prefixes say that the instruction can not do. */
static bool prefixes_fit(const struct reader *reader, const struct axvm_x86_decode_row *row,
			 const struct axvm_x86_instruction *instruction)
{
	bool rep_only = (row->flags & REP_ONLY) != 0;

	if (reader->repeat == REPNE || (reader->repeat == REP && !is_string(row) && !rep_only))
		return false;
	/* Without REP, or with a register of REX, it is an XCHG. */
	if (rep_only && (reader->repeat != REP || (reader->rex & REX_B) != 0))
		return false;
	if ((row->flags & LONG_ONLY) != 0 && reader->code_bytes != 8)
		return false;
	if (!reader->lock)
		return true;
	return instruction->memory_is_destination && instruction->op != AXVM_X86_OP_CMP &&
	       ((row->flags & LOCKABLE) != 0 || row->group == ARITHMETIC);
}

static const struct axvm_x86_decode_row *read_opcode(struct reader *reader)
{
	uint8_t byte = read_prefixes(reader);

	if (byte == 0x0f && !reader->ended)
		return &axvm_x86_decode_two_byte[next(reader)];
	return &axvm_x86_decode_one_byte[byte];
}

bool axvm_x86_decode(const uint8_t *code, unsigned count, unsigned code_bytes,
		     struct axvm_x86_instruction *instruction)
{
	struct reader reader = {
		.code = code,
		.count = count < AXVM_X86_INSTRUCTION_MAX ? count : AXVM_X86_INSTRUCTION_MAX,
		.code_bytes = code_bytes,
		.segment = NO_SEGMENT,
	};
	const struct axvm_x86_decode_row *row = read_opcode(&reader);

	settle_sizes(&reader);
	*instruction = (struct axvm_x86_instruction){ .op = row->op };
	instruction->operand_bytes = (uint8_t)((row->flags & BYTE) != 0 ? 1 : reader.operand_bytes);
	instruction->memory_bytes = memory_bytes_of(row, instruction->operand_bytes);
	instruction->locked = reader.lock;
	read_form(&reader, row, instruction);
	instruction->bytes = (uint8_t)reader.at;
	return !reader.ended && !reader.refused && prefixes_fit(&reader, row, instruction);
}
