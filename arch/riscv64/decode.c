/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding by shape: where the fields are, then what the few bits of the operation mean. */
#include "decode.h"

#define OPCODE_MASK 0x7fu
#define OPCODE_LOAD 0x03u
#define OPCODE_STORE 0x23u

#define SP 2u

static uint32_t bits(uint32_t value, unsigned low, unsigned count)
{
	return value >> low & ((1u << count) - 1);
}

/* ---- 32 bits --------------------------------------------------------------------------------------- */

static int16_t sign_extend_12(uint32_t value)
{
	return (int16_t)((int32_t)(value ^ 0x800u) - 0x800);
}

static bool decode_load(uint32_t instruction, struct axvm_riscv64_access *access)
{
	uint32_t kind = bits(instruction, 12, 3);

	if (kind == 7)
		return false;
	*access = (struct axvm_riscv64_access){
		.bytes = (uint8_t)(1u << (kind & 3)),
		.length = 4,
		.reg = (uint8_t)bits(instruction, 7, 5),
		.base = (uint8_t)bits(instruction, 15, 5),
		.offset = sign_extend_12(bits(instruction, 20, 12)),
		.is_signed = kind < 4,
	};
	return true;
}

static bool decode_store(uint32_t instruction, struct axvm_riscv64_access *access)
{
	uint32_t kind = bits(instruction, 12, 3);

	if (kind > 3)
		return false;
	*access = (struct axvm_riscv64_access){
		.bytes = (uint8_t)(1u << kind),
		.length = 4,
		.reg = (uint8_t)bits(instruction, 20, 5),
		.base = (uint8_t)bits(instruction, 15, 5),
		.offset = sign_extend_12(bits(instruction, 25, 7) << 5 | bits(instruction, 7, 5)),
		.is_store = true,
	};
	return true;
}

/* ---- 16 bits --------------------------------------------------------------------------------------- */

/* uimm[5:3] with uimm[2] and [6], or with uimm[7:6]; words and doublewords, by register. */
static uint32_t offset_word(uint32_t i)
{
	return bits(i, 10, 3) << 3 | bits(i, 6, 1) << 2 | bits(i, 5, 1) << 6;
}

static uint32_t offset_double(uint32_t i)
{
	return bits(i, 10, 3) << 3 | bits(i, 5, 2) << 6;
}

static uint32_t offset_load_word_sp(uint32_t i)
{
	return bits(i, 12, 1) << 5 | bits(i, 4, 3) << 2 | bits(i, 2, 2) << 6;
}

static uint32_t offset_load_double_sp(uint32_t i)
{
	return bits(i, 12, 1) << 5 | bits(i, 5, 2) << 3 | bits(i, 2, 3) << 6;
}

static uint32_t offset_store_word_sp(uint32_t i)
{
	return bits(i, 9, 4) << 2 | bits(i, 7, 2) << 6;
}

static uint32_t offset_store_double_sp(uint32_t i)
{
	return bits(i, 10, 3) << 3 | bits(i, 7, 3) << 6;
}

/* x8 to x15 of both fields; a load unless the caller says otherwise. */
static struct axvm_riscv64_access by_register(uint32_t i, unsigned bytes, uint32_t offset)
{
	return (struct axvm_riscv64_access){
		.bytes = (uint8_t)bytes,
		.length = 2,
		.reg = (uint8_t)(8 + bits(i, 2, 3)),
		.base = (uint8_t)(8 + bits(i, 7, 3)),
		.offset = (int16_t)offset,
		.is_signed = true,
	};
}

static struct axvm_riscv64_access by_stack(uint32_t reg, unsigned bytes, uint32_t offset)
{
	return (struct axvm_riscv64_access){
		.bytes = (uint8_t)bytes,
		.length = 2,
		.reg = (uint8_t)reg,
		.base = SP,
		.offset = (int16_t)offset,
		.is_signed = true,
	};
}

static bool make_store(struct axvm_riscv64_access *access)
{
	access->is_store = true;
	access->is_signed = false;
	return true;
}

/* Zcb: bytes and halfwords [RISCV-U 27.6]. */
static bool decode_zcb(uint32_t i, struct axvm_riscv64_access *access)
{
	bool bit6 = bits(i, 6, 1) != 0;
	uint32_t byte_offset = bits(i, 6, 1) | bits(i, 5, 1) << 1;
	uint32_t half_offset = bits(i, 5, 1) << 1;

	switch (bits(i, 10, 3)) {
	case 0:
		*access = by_register(i, 1, byte_offset);
		access->is_signed = false;
		return true;
	case 1:
		*access = by_register(i, 2, half_offset);
		access->is_signed = bit6;
		return true;
	case 2:
		*access = by_register(i, 1, byte_offset);
		return make_store(access);
	case 3:
		*access = by_register(i, 2, half_offset);
		return make_store(access) && !bit6;
	default:
		return false;
	}
}

static bool decode_quadrant_0(uint32_t i, struct axvm_riscv64_access *access)
{
	switch (bits(i, 13, 3)) {
	case 2:
		*access = by_register(i, 4, offset_word(i));
		return true;
	case 3:
		*access = by_register(i, 8, offset_double(i));
		return true;
	case 4:
		return decode_zcb(i, access);
	case 6:
		*access = by_register(i, 4, offset_word(i));
		return make_store(access);
	case 7:
		*access = by_register(i, 8, offset_double(i));
		return make_store(access);
	default:
		return false;
	}
}

static bool decode_quadrant_2(uint32_t i, struct axvm_riscv64_access *access)
{
	uint32_t rd = bits(i, 7, 5);
	uint32_t rs2 = bits(i, 2, 5);

	switch (bits(i, 13, 3)) {
	case 2:
		*access = by_stack(rd, 4, offset_load_word_sp(i));
		return rd != 0;
	case 3:
		*access = by_stack(rd, 8, offset_load_double_sp(i));
		return rd != 0;
	case 6:
		*access = by_stack(rs2, 4, offset_store_word_sp(i));
		return make_store(access);
	case 7:
		*access = by_stack(rs2, 8, offset_store_double_sp(i));
		return make_store(access);
	default:
		return false;
	}
}

/* ---- all ------------------------------------------------------------------------------------------- */

bool axvm_riscv64_decode(uint32_t instruction, struct axvm_riscv64_access *access)
{
	switch (instruction & 3) {
	case 0:
		return decode_quadrant_0(instruction, access);
	case 2:
		return decode_quadrant_2(instruction, access);
	case 1:
		return false;
	default:
		break;
	}
	switch (instruction & OPCODE_MASK) {
	case OPCODE_LOAD:
		return decode_load(instruction, access);
	case OPCODE_STORE:
		return decode_store(instruction, access);
	default:
		return false;
	}
}

/* Bit 1 says that the instruction had 32 bits; the rest is that of such a one, its address replaced. */
bool axvm_riscv64_decode_transformed(uint64_t htinst, struct axvm_riscv64_access *access)
{
	if ((htinst & 1) == 0 || htinst > UINT32_MAX ||
	    !axvm_riscv64_decode((uint32_t)htinst | 2u, access) || access->offset != 0)
		return false;
	access->length = (htinst & 2) != 0 ? 4 : 2;
	access->offset = access->base; /* Addr. Offset stands where rs1 did */
	access->base = 0;
	return true;
}
