/* SPDX-License-Identifier: Apache-2.0 */
/* Zydis' answer, put into our words. */
#include "oracle.h"

#include <Zydis/Zydis.h>
#include <string.h>

#include "regs.h"

struct answer {
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisMnemonic last;

const char *oracle_missing(void)
{
	return NULL;
}

static const struct {
	ZydisMnemonic mnemonic;
	enum axvm_x86_op op;
} ops[] = {
	{ ZYDIS_MNEMONIC_MOV, AXVM_X86_OP_MOV },     { ZYDIS_MNEMONIC_MOVZX, AXVM_X86_OP_MOVZX },
	{ ZYDIS_MNEMONIC_MOVSX, AXVM_X86_OP_MOVSX }, { ZYDIS_MNEMONIC_MOVSXD, AXVM_X86_OP_MOVSX },
	{ ZYDIS_MNEMONIC_STOSB, AXVM_X86_OP_STOS },  { ZYDIS_MNEMONIC_STOSW, AXVM_X86_OP_STOS },
	{ ZYDIS_MNEMONIC_STOSD, AXVM_X86_OP_STOS },  { ZYDIS_MNEMONIC_STOSQ, AXVM_X86_OP_STOS },
	{ ZYDIS_MNEMONIC_MOVSB, AXVM_X86_OP_MOVS },  { ZYDIS_MNEMONIC_MOVSW, AXVM_X86_OP_MOVS },
	{ ZYDIS_MNEMONIC_MOVSD, AXVM_X86_OP_MOVS },  { ZYDIS_MNEMONIC_MOVSQ, AXVM_X86_OP_MOVS },
	{ ZYDIS_MNEMONIC_AND, AXVM_X86_OP_AND },     { ZYDIS_MNEMONIC_OR, AXVM_X86_OP_OR },
	{ ZYDIS_MNEMONIC_XOR, AXVM_X86_OP_XOR },     { ZYDIS_MNEMONIC_ADD, AXVM_X86_OP_ADD },
	{ ZYDIS_MNEMONIC_SUB, AXVM_X86_OP_SUB },     { ZYDIS_MNEMONIC_TEST, AXVM_X86_OP_TEST },
	{ ZYDIS_MNEMONIC_CMP, AXVM_X86_OP_CMP },     { ZYDIS_MNEMONIC_XCHG, AXVM_X86_OP_XCHG },
	{ ZYDIS_MNEMONIC_BT, AXVM_X86_OP_BT },	     { ZYDIS_MNEMONIC_LMSW, AXVM_X86_OP_LMSW },
};

static const ZydisMnemonic others[] = {
	ZYDIS_MNEMONIC_CPUID,  ZYDIS_MNEMONIC_HLT,     ZYDIS_MNEMONIC_RDMSR,   ZYDIS_MNEMONIC_WRMSR,
	ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_XSETBV,  ZYDIS_MNEMONIC_CLTS,
	ZYDIS_MNEMONIC_INVD,   ZYDIS_MNEMONIC_WBINVD,  ZYDIS_MNEMONIC_PAUSE,   ZYDIS_MNEMONIC_RDTSC,
	ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDPMC,   ZYDIS_MNEMONIC_MONITOR, ZYDIS_MNEMONIC_MWAIT,
	ZYDIS_MNEMONIC_IN,     ZYDIS_MNEMONIC_OUT,     ZYDIS_MNEMONIC_INSB,    ZYDIS_MNEMONIC_INSW,
	ZYDIS_MNEMONIC_INSD,   ZYDIS_MNEMONIC_OUTSB,   ZYDIS_MNEMONIC_OUTSW,   ZYDIS_MNEMONIC_OUTSD,
};

bool oracle_is_other(void)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i] == last)
			return true;
	}
	return false;
}

static enum axvm_x86_op op_of(const struct answer *answer)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].mnemonic == answer->instruction.mnemonic)
			return ops[i].op;
	}
	return AXVM_X86_OP_OTHER;
}

static bool machine_of(unsigned code_bytes, ZydisDecoder *decoder)
{
	if (code_bytes == 8)
		return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64,
						     ZYDIS_STACK_WIDTH_64));
	if (code_bytes == 4)
		return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32,
						     ZYDIS_STACK_WIDTH_32));
	return ZYAN_SUCCESS(
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16));
}

static uint8_t register_number(ZydisRegister name)
{
	if (name == ZYDIS_REGISTER_NONE)
		return 0xff;
	if (name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP)
		return 0xfe;
	if (name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH)
		return (uint8_t)(0x80 + name - ZYDIS_REGISTER_AH);
	/* AH to BH are counted between BL and SPL. */
	if (name >= ZYDIS_REGISTER_SPL && name <= ZYDIS_REGISTER_R15B)
		return (uint8_t)(4 + name - ZYDIS_REGISTER_SPL);
	return (uint8_t)ZydisRegisterGetId(name);
}

static const uint8_t segments[] = { AXVM_X86_ES, AXVM_X86_CS, AXVM_X86_SS,
				    AXVM_X86_DS, AXVM_X86_FS, AXVM_X86_GS };

static struct axvm_x86_memory memory_of(const struct answer *answer,
					const ZydisDecodedOperand *operand)
{
	const ZydisDecodedInstruction *found = &answer->instruction;
	bool indexed = operand->mem.index != ZYDIS_REGISTER_NONE;

	/* With 32-bit addresses Zydis 4.0 takes R13D for the base that is none [SDM2 2.2.1.2]. */
	bool no_base = operand->mem.base == ZYDIS_REGISTER_R13D && found->raw.modrm.mod == 0;

	return (struct axvm_x86_memory){
		.segment = segments[operand->mem.segment - ZYDIS_REGISTER_ES],
		.base = no_base ? 0xff : register_number(operand->mem.base),
		.index = register_number(operand->mem.index),
		.scale = (uint8_t)(indexed ? operand->mem.scale : 1),
		.address_bytes = (uint8_t)(found->address_width / 8),
		.displacement = no_base				     ? found->raw.disp.value
				: operand->mem.disp.has_displacement ? operand->mem.disp.value
								     : 0,
	};
}

static void take_memory(const struct answer *answer, const ZydisDecodedOperand *operand,
			struct axvm_x86_instruction *out)
{
	out->has_memory = true;
	out->memory = memory_of(answer, operand);
	out->memory_bytes = (uint8_t)(operand->size / 8);
}

/* The register or immediate beside the memory. Which of two memory operands counts: decode.h says so. */
static void take_operand(const struct answer *answer, unsigned i, struct axvm_x86_instruction *out)
{
	const ZydisDecodedOperand *operand = &answer->operands[i];
	bool is_string = out->op == AXVM_X86_OP_MOVS;

	if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		if (is_string == (i == 1) || !is_string)
			take_memory(answer, operand, out);
		if (!is_string)
			out->memory_is_destination = i == 0 && out->op != AXVM_X86_OP_LMSW;
	}
	if (out->op == AXVM_X86_OP_OTHER)
		return;
	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		out->other = AXVM_X86_OPERAND_IMMEDIATE;
		out->immediate = operand->imm.value.u;
	} else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		out->other = AXVM_X86_OPERAND_REGISTER;
		out->reg = register_number(operand->reg.value);
	}
}

static bool is_control(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_CONTROL;
}

static bool is_debug(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_DEBUG;
}

/* MOV to or from CR and DR. */
static bool take_system_register(const struct answer *answer, struct axvm_x86_instruction *out)
{
	for (unsigned i = 0; i < 2; i++) {
		const ZydisDecodedOperand *operand = &answer->operands[i];

		if (!is_control(operand) && !is_debug(operand))
			continue;
		out->op = is_control(operand) ? AXVM_X86_OP_MOV_CR : AXVM_X86_OP_MOV_DR;
		out->index = register_number(operand->reg.value);
		out->reg = register_number(answer->operands[1 - i].reg.value);
		out->other = AXVM_X86_OPERAND_REGISTER;
		out->operand_bytes = (uint8_t)(answer->operands[1 - i].size / 8);
		return true;
	}
	return false;
}

static uint8_t operand_bytes_of(const struct answer *answer)
{
	const ZydisDecodedOperand *first = &answer->operands[0];

	return (uint8_t)(first->size / 8);
}

static void translate(const struct answer *answer, struct axvm_x86_instruction *out)
{
	const ZydisDecodedInstruction *found = &answer->instruction;

	*out = (struct axvm_x86_instruction){ .op = op_of(answer), .bytes = found->length };
	out->locked = (found->attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
	out->repeated = (found->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE)) != 0;
	if (found->mnemonic == ZYDIS_MNEMONIC_MOV && take_system_register(answer, out))
		return;
	if (found->mnemonic == ZYDIS_MNEMONIC_IN || found->mnemonic == ZYDIS_MNEMONIC_OUT)
		return;
	for (unsigned i = 0; i < found->operand_count; i++) {
		/* CR0 of LMSW, DX, rSI, rDI and rCX, flags. */
		bool hidden = answer->operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
		bool counts = !hidden || answer->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY ||
			      (out->op == AXVM_X86_OP_STOS && i == 1);

		if (counts)
			take_operand(answer, i, out);
	}
	out->operand_bytes = operand_bytes_of(answer);
}

bool oracle_decode(const uint8_t *code, unsigned count, unsigned code_bytes,
		   struct axvm_x86_instruction *instruction)
{
	ZydisDecoder decoder;
	struct answer answer;

	if (!machine_of(code_bytes, &decoder))
		return false;
	memset(&answer, 0, sizeof(answer));
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, count, &answer.instruction,
						 answer.operands)))
		return false;
	last = answer.instruction.mnemonic;
	translate(&answer, instruction);
	return true;
}
