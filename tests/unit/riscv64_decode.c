/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding against tables of its own: each compressed encoding, each 32-bit one by its fixed bits, written as
 * the manual's diagrams are.
 */
#include <string.h>

#include "axtest.h"
#include "decode.h"

/*
 * Diagrams, from bit 15 on: 0 and 1 are fixed; d: the register, either 3 bits (x8 to x15) or 5; s: the
 * base in 3 bits (none: sp); a letter from A on: bit A is offset bit 0, B bit 1, and so on.
 */
static const struct form {
	const char *diagram;
	uint8_t bytes;
	bool is_store;
	bool is_signed;
	bool not_x0;
} forms[] = {
	{ "010FEDsssCGddd00", 4, false, true, false },	/* C.LW */
	{ "011FEDsssHGddd00", 8, false, true, false },	/* C.LD */
	{ "110FEDsssCGddd00", 4, true, false, false },	/* C.SW */
	{ "111FEDsssHGddd00", 8, true, false, false },	/* C.SD */
	{ "100000sssABddd00", 1, false, false, false }, /* C.LBU */
	{ "100001sss0Bddd00", 2, false, false, false }, /* C.LHU */
	{ "100001sss1Bddd00", 2, false, true, false },	/* C.LH */
	{ "100010sssABddd00", 1, true, false, false },	/* C.SB */
	{ "100011sss0Bddd00", 2, true, false, false },	/* C.SH */
	{ "010FdddddEDCHG10", 4, false, true, true },	/* C.LWSP */
	{ "011FdddddEDIHG10", 8, false, true, true },	/* C.LDSP */
	{ "110FEDCHGddddd10", 4, true, false, false },	/* C.SWSP */
	{ "111FEDIHGddddd10", 8, true, false, false },	/* C.SDSP */
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

struct fields {
	uint32_t reg;
	uint32_t reg_bits;
	uint32_t base;
	uint32_t base_bits;
	uint32_t offset;
};

/* Whether the encoding is of the form, and what its letters say. */
static bool matches(const char *diagram, uint32_t encoding, struct fields *fields)
{
	memset(fields, 0, sizeof(*fields));
	for (unsigned i = 0; i < 16; i++) {
		uint32_t bit = encoding >> (15 - i) & 1;
		char c = diagram[i];

		if (c == '0' || c == '1') {
			if (bit != (uint32_t)(c - '0'))
				return false;
		} else if (c == 'd') {
			fields->reg = fields->reg << 1 | bit;
			fields->reg_bits++;
		} else if (c == 's') {
			fields->base = fields->base << 1 | bit;
			fields->base_bits++;
		} else {
			fields->offset |= bit << (c - 'A');
		}
	}
	if (fields->reg_bits == 3)
		fields->reg += 8;
	fields->base = fields->base_bits == 3 ? fields->base + 8 : 2;
	return true;
}

static const struct form *find(uint32_t encoding, struct fields *fields)
{
	for (size_t i = 0; i < FORMS; i++) {
		if (matches(forms[i].diagram, encoding, fields))
			return forms[i].not_x0 && fields->reg == 0 ? NULL : &forms[i];
	}
	return NULL;
}

static void check(const struct axvm_riscv64_access *access, const struct form *form,
		  const struct fields *fields, unsigned length)
{
	CHECK_EQ(access->bytes, form->bytes);
	CHECK_EQ(access->length, length);
	CHECK_EQ(access->reg, fields->reg);
	CHECK_EQ(access->base, fields->base);
	CHECK_EQ(access->offset, (int16_t)fields->offset);
	CHECK_EQ(access->is_store, form->is_store);
	CHECK_EQ(access->is_signed, form->is_signed);
}

TEST(every_compressed_encoding_is_as_the_diagrams_say)
{
	uint32_t found = 0;

	for (uint32_t encoding = 0; encoding < 65536; encoding++) {
		struct axvm_riscv64_access access;
		struct fields fields;

		if ((encoding & 3) == 3)
			continue;
		const struct form *form = find(encoding, &fields);
		bool known = axvm_riscv64_decode(encoding | 0xabcd0000, &access);

		CHECK_EQ(known, form != NULL);
		if (known && form != NULL) {
			check(&access, form, &fields, 2);
			found++;
		}
	}
	/* Two to the power of the bits that are free in each diagram, without those of x0. */
	CHECK_EQ(found, 4u * 2048 + 256 * 2 + 128 * 3 + 2 * (2048 - 64) + 2 * 2048);
}

/* funct3 of loads and stores [RISCV-U, RV32/64G instruction set listings]. */
static const struct {
	uint8_t bytes;
	bool is_signed;
} loads[8] = { { 1, true },  { 2, true },  { 4, true },	 { 8, true },
	       { 1, false }, { 2, false }, { 4, false }, { 0, false } };

static const uint8_t stores[8] = { 1, 2, 4, 8 };

static uint32_t load_of(uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t offset)
{
	return (offset & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x03;
}

static uint32_t store_of(uint32_t funct3, uint32_t rs2, uint32_t rs1, uint32_t offset)
{
	return (offset >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 |
	       (offset & 0x1f) << 7 | 0x23;
}

static void check_long(uint32_t instruction, const struct form *form, const struct fields *fields)
{
	struct axvm_riscv64_access access;
	bool known = axvm_riscv64_decode(instruction, &access);

	CHECK_EQ(known, form->bytes != 0);
	if (known)
		check(&access, form, fields, 4);
}

TEST(every_load_and_store_of_32_bits_is_decoded)
{
	for (uint32_t funct3 = 0; funct3 < 8; funct3++) {
		const struct form load = { "", loads[funct3].bytes, false, loads[funct3].is_signed,
					   false };
		const struct form store = { "", stores[funct3], true, false, false };

		for (uint32_t regs = 0; regs < 1024; regs++) {
			/* every offset with some registers, every pair of registers with some offsets */
			for (uint32_t offset = regs % 7; offset < 4096; offset += 61) {
				const struct fields fields = {
					.reg = regs % 32,
					.base = regs / 32,
					.offset = offset < 2048 ? offset : offset - 4096,
				};

				check_long(load_of(funct3, fields.reg, fields.base, offset), &load,
					   &fields);
				check_long(store_of(funct3, fields.reg, fields.base, offset),
					   &store, &fields);
			}
		}
	}
}

TEST(no_other_opcode_is_a_load_or_a_store)
{
	struct axvm_riscv64_access access;

	for (uint32_t opcode = 3; opcode < 128; opcode += 4) {
		for (uint32_t funct3 = 0; funct3 < 8; funct3++) {
			bool known = axvm_riscv64_decode(funct3 << 12 | opcode, &access);

			CHECK_EQ(known,
				 (opcode == 0x03 && funct3 != 7) || (opcode == 0x23 && funct3 < 4));
		}
	}
}

static bool transformed(uint64_t htinst, struct axvm_riscv64_access *access)
{
	return axvm_riscv64_decode_transformed(htinst, access);
}

TEST(a_transformed_instruction_has_a_length_and_how_far_in_the_fault_was)
{
	struct axvm_riscv64_access access;

	for (uint32_t funct3 = 0; funct3 < 8; funct3++) {
		for (uint32_t reg = 0; reg < 32; reg++) {
			uint32_t load = load_of(funct3, reg, reg % 8, 0);
			uint32_t store = store_of(funct3, reg, reg % 8, 0);

			for (uint32_t length = 2; length <= 4; length += 2) {
				uint32_t clear = length == 2 ? 2 : 0;

				CHECK_EQ(transformed(load & ~clear, &access),
					 loads[funct3].bytes != 0);
				if (loads[funct3].bytes != 0) {
					CHECK_EQ(access.length, length);
					CHECK_EQ(access.bytes, loads[funct3].bytes);
					CHECK_EQ(access.is_signed, loads[funct3].is_signed);
					CHECK_EQ(access.reg, reg);
					CHECK_EQ(access.offset, reg % 8);
					CHECK(!access.is_store);
				}
				CHECK_EQ(transformed(store & ~clear, &access), stores[funct3] != 0);
				if (stores[funct3] != 0) {
					CHECK_EQ(access.length, length);
					CHECK_EQ(access.bytes, stores[funct3]);
					CHECK_EQ(access.reg, reg);
					CHECK_EQ(access.offset, reg % 8);
					CHECK(access.is_store);
				}
			}
		}
	}
}

TEST(what_is_no_transformed_instruction_is_none)
{
	static const uint64_t none[] = {
		0,	     0x2000, 0x2020, 0x3000, 0x3020, 0x00002102, /* custom */
		0x100002103,						 /* beyond 32 bits */
		0x00102083,						 /* LW with an offset */
		0x0020a0a3,						 /* SW with one */
		0x00002087,						 /* FLW */
		0x0000202f,						 /* AMO */
		0x4010,	     0x4012, /* C.LW as it stands in memory */
		UINT64_MAX,
	};
	struct axvm_riscv64_access access;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		CHECK(!transformed(none[i], &access));
}

AXTEST_MAIN(every_compressed_encoding_is_as_the_diagrams_say,
	    every_load_and_store_of_32_bits_is_decoded, no_other_opcode_is_a_load_or_a_store,
	    a_transformed_instruction_has_a_length_and_how_far_in_the_fault_was,
	    what_is_no_transformed_instruction_is_none)
