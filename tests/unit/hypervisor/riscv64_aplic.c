/* SPDX-License-Identifier: Apache-2.0 */
/* The host's APLIC over a model of one, in direct mode and in MSI mode [AIA 4.5 to 4.9]. */
#include "riscv64_registers.h"

#include "../../../hal/bare/riscv64/aplic.c"

#define BYTES 0x8000u
#define SOURCES 96u
#define HARTS 4u
#define UART 10u
#define RTC 11u
#define IDS 255u

static struct {
	uint32_t domaincfg;
	bool line[SOURCES + 1];
	bool pending[SOURCES + 1];
	bool enabled[SOURCES + 1];
	uint32_t mode[SOURCES + 1];
	uint32_t target[SOURCES + 1];
	uint32_t delivery[HARTS];
	uint32_t fixed_mode; /* DM cannot be written: 1 it is 0, 2 it is 1 */
	uint32_t sent[16];   /* MSIs: the target's value */
	uint32_t sent_count;
} model;

static bool is_high(uint32_t irq)
{
	return model.line[irq] != (model.mode[irq] == 5 || model.mode[irq] == 7);
}

/* MSI mode: what pends and is enabled is sent, once. */
static void forward(uint32_t irq)
{
	if ((model.domaincfg & DOMAINCFG_DM) == 0 || !model.pending[irq] || !model.enabled[irq] ||
	    model.mode[irq] == 0)
		return;
	model.pending[irq] = false;
	CHECK(model.sent_count < 16);
	model.sent[model.sent_count++ % 16] = model.target[irq];
}

static void set_line(uint32_t irq, bool high)
{
	bool was = is_high(irq);

	model.line[irq] = high;
	if (model.mode[irq] == 0)
		return;
	if (!was && is_high(irq))
		model.pending[irq] = true;
	else if (model.mode[irq] >= 6 && !is_high(irq))
		model.pending[irq] = false;
	forward(irq);
}

static void set_pending(uint32_t irq)
{
	bool dm = (model.domaincfg & DOMAINCFG_DM) != 0;

	if (model.mode[irq] >= 6 ? dm && is_high(irq) : model.mode[irq] != 0)
		model.pending[irq] = true;
	forward(irq);
}

static void set_mode(uint32_t irq, uint32_t mode)
{
	model.mode[irq] = mode;
	if (mode == 0) {
		model.pending[irq] = model.enabled[irq] = false;
		model.target[irq] = 0;
	} else if (mode >= 6) {
		model.pending[irq] = is_high(irq);
	}
}

static uint32_t claim_idc(uint32_t idc)
{
	for (uint32_t i = 1; i <= SOURCES && model.delivery[idc] == 1; i++) {
		if (!model.pending[i] || !model.enabled[i] || model.target[i] >> 18 != idc)
			continue;
		if (model.mode[i] < 6)
			model.pending[i] = false;
		return i << 16 | (model.target[i] & 0xff);
	}
	return 0;
}

static uint32_t model_read(uint64_t offset)
{
	if (offset == 0)
		return 0x80000000u | model.domaincfg;
	if (offset >= 0x4000 && offset % 32 == 0x1c && (offset - 0x4000) / 32 < HARTS)
		return claim_idc((uint32_t)(offset - 0x4000) / 32);
	CHECK(false);
	return 0;
}

static void write_numbered(uint64_t offset, uint32_t irq)
{
	if (irq == 0 || irq > SOURCES)
		return;
	if (offset == 0x1cdc)
		set_pending(irq);
	else if (offset == 0x1ddc)
		model.pending[irq] = model.mode[irq] >= 6 && (model.domaincfg & 4) == 0
					     ? model.pending[irq]
					     : false;
	else if (offset == 0x1edc)
		model.enabled[irq] = model.mode[irq] != 0;
	else
		model.enabled[irq] = false;
	forward(irq);
}

static void model_write(uint64_t offset, uint32_t value)
{
	if (offset == 0) {
		model.domaincfg = value;
		if (model.fixed_mode != 0)
			model.domaincfg = (value & ~DOMAINCFG_DM) |
					  (model.fixed_mode == 2 ? DOMAINCFG_DM : 0);
	} else if (offset <= SOURCES * 4) {
		set_mode((uint32_t)offset / 4, value);
	} else if (offset == 0x1cdc || offset == 0x1ddc || offset == 0x1edc || offset == 0x1fdc) {
		write_numbered(offset, value);
	} else if (offset >= 0x1f00 && offset < 0x1f80) {
		for (uint32_t i = 0; i < 32 && (offset - 0x1f00) * 8 + i <= SOURCES; i++) {
			if ((value >> i & 1) != 0)
				model.enabled[(offset - 0x1f00) * 8 + i] = false;
		}
	} else if (offset > 0x3000 && offset <= 0x3000 + SOURCES * 4) {
		uint32_t irq = (uint32_t)(offset - 0x3000) / 4;
		model.target[irq] = model.mode[irq] == 0 ? 0 : value;
	} else if (offset >= 0x4000 && (offset - 0x4000) / 32 < HARTS && offset % 32 <= 8) {
		if (offset % 32 == 0)
			model.delivery[(offset - 0x4000) / 32] = value;
		else
			CHECK_EQ(value, 0); /* nothing forced, all priorities */
	} else {
		CHECK(false);
	}
}

/* ---- what aplic.c uses of the rest --------------------------------------------------------------- */

static uint32_t line_flags;
static uint32_t claimed_eiid;
static uint32_t ids = IDS;

uint32_t axvm_bare_line_flags(uint32_t irq)
{
	(void)irq;
	return line_flags;
}

uint32_t axvm_bare_imsic_ids(void)
{
	return ids;
}

/* CPU 3 has no file. */
uint32_t axvm_bare_imsic_index(uint32_t cpu)
{
	return cpu == 3 ? AXVM_IRQ_NO_TARGET : cpu + 0x20;
}

uint32_t axvm_bare_imsic_claim(void)
{
	return claimed_eiid;
}

void axvm_bare_imsic_cpu_init(struct axvm_cpu *cpu)
{
	(void)cpu;
}

static const struct axvm_irq_chip *begin(bool msi)
{
	const char *why = NULL;

	fake_device(HARTS, BYTES, SOURCES);
	memset(&model, 0, sizeof(model));
	line_flags = 4;
	claimed_eiid = 0;
	ids = IDS;
	for (uint32_t i = 0; i < 3 && !msi; i++)
		fake_targets[i] = 2 - i; /* not in the CPUs' order */
	const struct axvm_irq_chip *found = axvm_bare_aplic_init(NULL, 0, msi, &why);
	CHECK(found != NULL && why == NULL);
	for (uint32_t i = 0; i < HARTS; i++)
		found->cpu_init(&axvm_cpus[i]);
	return found;
}

/* ---- direct mode ---------------------------------------------------------------------------------- */

TEST(a_level_is_masked_from_its_claim_to_its_completion)
{
	const struct axvm_irq_chip *found = begin(false);

	CHECK_EQ(found->controller, AXVM_RISCV64_APLIC);
	found->open(UART, false, 1);
	CHECK_EQ(model.mode[UART], 6);
	CHECK_EQ(model.target[UART], 1u << 18 | 1);
	set_line(UART, true);
	for (uint32_t round = 0; round < 4; round++) {
		CHECK_EQ(found->claim(&axvm_cpus[1]), UART);
		CHECK(!model.enabled[UART]);
		for (uint32_t i = 0; i < 10; i++)
			CHECK_EQ(found->claim(&axvm_cpus[1]), AXVM_IRQ_NONE);
		found->complete(UART);
	}
	set_line(UART, false);
	CHECK_EQ(found->claim(&axvm_cpus[1]), AXVM_IRQ_NONE);
}

TEST(an_edge_comes_again_without_a_completion)
{
	const struct axvm_irq_chip *found = begin(false);

	found->open(RTC, true, 0);
	CHECK_EQ(model.mode[RTC], 4);
	for (uint32_t round = 0; round < 4; round++) {
		set_line(RTC, true);
		set_line(RTC, false);
		CHECK_EQ(found->claim(&axvm_cpus[0]), RTC);
		CHECK(model.enabled[RTC]);
		CHECK_EQ(found->claim(&axvm_cpus[0]), AXVM_IRQ_NONE);
	}
}

TEST(the_trees_flags_turn_the_polarity)
{
	const struct axvm_irq_chip *found = begin(false);

	line_flags = 8;
	found->open(UART, false, 0);
	CHECK_EQ(model.mode[UART], 7);
	CHECK_EQ(found->claim(&axvm_cpus[0]), UART); /* low */
	line_flags = 2;
	found->open(RTC, true, 0);
	CHECK_EQ(model.mode[RTC], 5);
	set_line(RTC, true);
	CHECK_EQ(found->claim(&axvm_cpus[0]), AXVM_IRQ_NONE);
	set_line(RTC, false);
	CHECK_EQ(found->claim(&axvm_cpus[0]), RTC);
}

TEST(a_masked_source_moves_and_comes_at_its_new_cpu)
{
	const struct axvm_irq_chip *found = begin(false);

	found->open(UART, false, 0);
	set_line(UART, true);
	CHECK_EQ(found->claim(&axvm_cpus[0]), UART);
	found->route(UART, 2);
	CHECK_EQ(found->claim(&axvm_cpus[2]), AXVM_IRQ_NONE);
	found->complete(UART);
	CHECK_EQ(found->claim(&axvm_cpus[0]), AXVM_IRQ_NONE);
	CHECK_EQ(found->claim(&axvm_cpus[2]), UART);
	found->complete(UART);
	found->route(UART, 3); /* it has no place in the domain */
	CHECK_EQ(found->claim(&axvm_cpus[3]), AXVM_IRQ_NONE);
	CHECK_EQ(found->claim(&axvm_cpus[0]), UART);
}

TEST(a_source_closed_while_it_is_masked_comes_for_the_next)
{
	const struct axvm_irq_chip *found = begin(false);

	found->open(UART, false, 0);
	set_line(UART, true);
	CHECK_EQ(found->claim(&axvm_cpus[0]), UART);
	found->close(UART);
	found->complete(UART); /* too late: nothing */
	CHECK_EQ(found->claim(&axvm_cpus[0]), AXVM_IRQ_NONE);
	CHECK_EQ(model.mode[UART], 0);
	found->open(UART, false, 1);
	CHECK_EQ(found->claim(&axvm_cpus[1]), UART);
}

/* ---- MSI mode ------------------------------------------------------------------------------------- */

TEST(a_level_is_sent_once_and_again_when_its_completion_finds_it_high)
{
	const struct axvm_irq_chip *found = begin(true);

	CHECK_EQ(found->controller, AXVM_RISCV64_AIA);
	found->open(UART, false, 1);
	CHECK_EQ(model.sent_count, 0);
	set_line(UART, true);
	CHECK_EQ(model.sent_count, 1);
	CHECK_EQ(model.sent[0], 0x21u << 18 | (UART + AXVM_EIID_WIRED));
	found->complete(UART);
	CHECK_EQ(model.sent_count, 2);
	set_line(UART, false);
	found->complete(UART);
	CHECK_EQ(model.sent_count, 2);
}

TEST(a_line_that_is_high_when_it_is_opened_is_sent)
{
	const struct axvm_irq_chip *found = begin(true);

	set_line(UART, true);
	found->open(UART, false, 0);
	CHECK_EQ(model.sent_count, 1);
	found->close(UART);
	CHECK_EQ(model.target[UART], 0);
	found->complete(UART);
	CHECK_EQ(model.sent_count, 1);
	found->open(UART, false, 2);
	CHECK_EQ(model.sent_count, 2);
	CHECK_EQ(model.sent[1] >> 18, 0x22);
}

TEST(an_edge_is_sent_for_each_and_its_completion_sends_none)
{
	const struct axvm_irq_chip *found = begin(true);

	found->open(RTC, true, 0);
	for (uint32_t round = 1; round <= 3; round++) {
		set_line(RTC, true);
		found->complete(RTC);
		set_line(RTC, false);
		CHECK_EQ(model.sent_count, round);
	}
}

TEST(numbers_of_the_file_are_sources_and_the_kick_is_none)
{
	const struct axvm_irq_chip *found = begin(true);

	CHECK_EQ(found->claim(&axvm_cpus[0]), AXVM_IRQ_NONE);
	claimed_eiid = AXVM_EIID_KICK;
	CHECK_EQ(found->claim(&axvm_cpus[0]), 0);
	claimed_eiid = UART + AXVM_EIID_WIRED;
	CHECK_EQ(found->claim(&axvm_cpus[0]), UART);
}

TEST(a_source_goes_to_a_guests_file_and_back)
{
	const struct axvm_irq_chip *found = begin(true);

	found->open(UART, false, 0);
	axvm_bare_aplic_route(UART, 2, 5, 77);
	set_line(UART, true);
	CHECK_EQ(model.sent[0], 0x22u << 18 | 5u << 12 | 77);
	set_line(UART, false);
	axvm_bare_aplic_route(UART, 3, 0, UART + AXVM_EIID_WIRED); /* no file: the first CPU's */
	set_line(UART, true);
	CHECK_EQ(model.sent[1], 0x20u << 18 | (UART + AXVM_EIID_WIRED));
}

/* ---- what it refuses ------------------------------------------------------------------------------ */

TEST(what_the_firmware_left_is_off_and_sources_without_numbers_are_none)
{
	const struct axvm_irq_chip *found = begin(true);

	CHECK_EQ(found->limit(), SOURCES + 1);
	for (uint32_t i = 1; i <= SOURCES; i++) {
		model.mode[i] = 6;
		model.enabled[i] = true;
	}
	ids = 63;
	const char *why = NULL;
	fake_sources = 62; /* and the number of kicks: what 63 numbers are enough for */
	found = axvm_bare_aplic_init(NULL, 0, true, &why);
	REQUIRE(found != NULL);
	CHECK_EQ(found->limit(), 63);
	for (uint32_t i = 1; i <= 62; i++)
		CHECK(model.mode[i] == 0 && !model.enabled[i]);
	fake_sources = 96;
	found = axvm_bare_aplic_init(NULL, 0, true, &why);
	REQUIRE(found != NULL);
	CHECK_EQ(found->limit(), 63);
}

TEST(an_aplic_that_cannot_be_is_refused_with_a_sentence)
{
	const char *why = NULL;

	(void)begin(false);
	fake_targets[1] = (BYTES - 0x4000) / 32;
	CHECK(axvm_bare_aplic_init(NULL, 0, false, &why) == NULL && strstr(why, "malformed"));
	fake_targets[1] = 1;
	fake_sources = 0;
	CHECK(axvm_bare_aplic_init(NULL, 0, false, &why) == NULL && strstr(why, "malformed"));
	fake_sources = SOURCES;
	model.fixed_mode = 2;
	CHECK(axvm_bare_aplic_init(NULL, 0, false, &why) == NULL && strstr(why, "MSIs only"));
	model.fixed_mode = 1;
	CHECK(axvm_bare_aplic_init(NULL, 0, true, &why) == NULL && strstr(why, "domaincfg.DM"));
	fake_map_fails = true;
	CHECK(axvm_bare_aplic_init(NULL, 0, true, &why) == NULL && strstr(why, "no memory"));
}

AXTEST_MAIN(a_level_is_masked_from_its_claim_to_its_completion,
	    an_edge_comes_again_without_a_completion, the_trees_flags_turn_the_polarity,
	    a_masked_source_moves_and_comes_at_its_new_cpu,
	    a_source_closed_while_it_is_masked_comes_for_the_next,
	    a_level_is_sent_once_and_again_when_its_completion_finds_it_high,
	    a_line_that_is_high_when_it_is_opened_is_sent,
	    an_edge_is_sent_for_each_and_its_completion_sends_none,
	    numbers_of_the_file_are_sources_and_the_kick_is_none,
	    a_source_goes_to_a_guests_file_and_back,
	    what_the_firmware_left_is_off_and_sources_without_numbers_are_none,
	    an_aplic_that_cannot_be_is_refused_with_a_sentence)
