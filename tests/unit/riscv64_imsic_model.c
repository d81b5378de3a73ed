// SPDX-License-Identifier: Apache-2.0
/*
 * The IMSIC against an executable specification: an interrupt file as [AIA 3.8 to 3.10] describe it, in the
 * plainest form. Random traces of MSIs, register accesses and claims; after each step every register, the
 * top interrupt and the signal must agree.
 */
#include "riscv64_aia_rig.h"

#define IDS 256u

static struct {
	bool pending[IDS];
	bool enabled[IDS];
	uint32_t delivery;
	uint32_t threshold;
} model;

static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t pick(uint32_t limit)
{
	return (uint32_t)(next() >> 33) % limit;
}

/* Some numbers are busier than others. */
static uint32_t any_id(void)
{
	return pick(3) == 0 ? pick(IDS + 8) : pick(12) * 21;
}

static uint32_t model_top(void)
{
	for (uint32_t i = 1; i < IDS; i++) {
		if (model.threshold != 0 && i >= model.threshold)
			return 0;
		if (model.pending[i] && model.enabled[i])
			return i << 16 | i;
	}
	return 0;
}

static uint64_t array_word(const bool *bits, uint32_t index)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < 64 && index * 32 + i < IDS; i++)
		value |= (uint64_t)bits[index * 32 + i] << i;
	return value;
}

static void set_array_word(bool *bits, uint32_t index, uint64_t value)
{
	for (uint32_t i = 0; i < 64 && index * 32 + i < IDS; i++)
		bits[index * 32 + i] = index * 32 + i != 0 && (value >> i & 1) != 0;
}

static uint64_t model_read(uint32_t select)
{
	if (select == EIDELIVERY)
		return model.delivery;
	if (select == EITHRESHOLD)
		return model.threshold;
	if (select >= EIE)
		return array_word(model.enabled, select - EIE);
	return select >= EIP ? array_word(model.pending, select - EIP) : 0;
}

static void model_write(uint32_t select, uint64_t value)
{
	if (select == EIDELIVERY)
		model.delivery = value & 1;
	else if (select == EITHRESHOLD)
		model.threshold = value & (IDS - 1);
	else if (select >= EIE)
		set_array_word(model.enabled, select - EIE, value);
	else if (select >= EIP)
		set_array_word(model.pending, select - EIP, value);
}

/* ---- steps ------------------------------------------------------------------------------------------- */

static void step_msi(void)
{
	uint32_t id = any_id();

	if (pick(2) != 0)
		axvm_imsic_send(&rig_vcpus[0], id);
	else
		wr(IMSIC, id);
	if (id > 0 && id < IDS)
		model.pending[id] = true;
}

static uint32_t any_select(void)
{
	switch (pick(8)) {
	case 0:
		return EIDELIVERY;
	case 1:
		return EITHRESHOLD;
	case 2:
		return 0x70 + pick(0x90);
	case 3:
	case 4:
		return EIP + 2 * pick(5);
	default:
		return EIE + 2 * pick(5);
	}
}

/* CSRRW, CSRRS or CSRRC on sireg. */
static void step_register(void)
{
	uint32_t select = any_select();
	bool exists = select < EIP || select % 2 == 0;
	uint64_t operand = pick(3) == 0 ? next() : 1ULL << pick(64) | 1ULL << pick(64);
	uint64_t before = 0;
	bool done;

	switch (pick(3)) {
	case 0:
		done = axvm_imsic_update(&rig_vcpus[0], select, UINT64_MAX, operand, &before);
		break;
	case 1:
		done = axvm_imsic_update(&rig_vcpus[0], select, operand, operand, &before);
		operand |= model_read(select);
		break;
	default:
		done = axvm_imsic_update(&rig_vcpus[0], select, operand, 0, &before);
		operand = model_read(select) & ~operand;
		break;
	}
	CHECK_EQ(done, exists);
	if (!exists)
		return;
	CHECK_EQ(before, model_read(select));
	model_write(select, operand);
}

static void step_claim(void)
{
	uint32_t top = model_top();

	CHECK_EQ(ei_claim(0), top >> 16);
	model.pending[top >> 16] = false;
}

static void step_open(void)
{
	ei_write(0, EIDELIVERY, 1);
	ei_write(0, EITHRESHOLD, 0);
	model.delivery = 1;
	model.threshold = 0;
}

static void (*const steps[])(void) = {
	step_msi,      step_msi,   step_msi,   step_register,
	step_register, step_claim, step_claim, step_open,
};

/* ---- comparison --------------------------------------------------------------------------------------- */

static bool agree(void)
{
	bool same = axvm_imsic_top(&rig_vcpus[0]) == model_top() &&
		    line(0) == (model.delivery != 0 && model_top() != 0);

	for (uint32_t select = 0x70; select < 0x100; select++) {
		if (select < EIP || select % 2 == 0)
			same = same && ei_read(0, select) == model_read(select);
	}
	return same;
}

TEST(random_traces_agree_with_the_specification)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		rig_start(1, true);
		memset(&model, 0, sizeof(model));
		state = seed * 0x9e3779b97f4a7c15ULL | 1;
		for (uint32_t at = 0; at < 1000; at++) {
			uint32_t which = pick(sizeof(steps) / sizeof(steps[0]));

			steps[which]();
			bool same = agree();

			CHECK(same);
			if (!same) {
				axtest_puts("# seed ");
				axtest_put_dec(seed);
				axtest_puts(", step ");
				axtest_put_dec(at);
				axtest_puts(", kind ");
				axtest_put_dec(which);
				axtest_puts("\n");
				break;
			}
		}
		rig_end();
	}
}

AXTEST_MAIN(random_traces_agree_with_the_specification)
