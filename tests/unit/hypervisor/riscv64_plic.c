/* SPDX-License-Identifier: Apache-2.0 */
/* The host's PLIC over a model of one, whose completions count for enabled contexts alone [PLIC 9]. */
#include "riscv64_registers.h"

#include "../../../hal/bare/riscv64/plic.c"

#define BYTES 0x600000u
#define SOURCES 95u
#define CONTEXTS 8u
#define UART 10u
#define RTC 11u

static struct {
	bool line[SOURCES + 1];
	bool pending[SOURCES + 1];
	bool in_service[SOURCES + 1];
	uint32_t priority[SOURCES + 1];
	uint32_t enable[CONTEXTS][32];
	uint32_t threshold[CONTEXTS];
} model;

static void gateways(void)
{
	for (uint32_t i = 1; i <= SOURCES; i++)
		model.pending[i] |= model.line[i] && !model.in_service[i];
}

static bool is_enabled(uint32_t at, uint32_t irq)
{
	return (model.enable[at][irq / 32] >> irq % 32 & 1) != 0;
}

static uint32_t best(uint32_t at)
{
	uint32_t found = 0;

	gateways();
	for (uint32_t i = 1; i <= SOURCES; i++) {
		if (model.pending[i] && is_enabled(at, i) &&
		    model.priority[i] > model.threshold[at] &&
		    (found == 0 || model.priority[i] > model.priority[found]))
			found = i;
	}
	return found;
}

static uint32_t model_read(uint64_t offset)
{
	uint32_t at = (uint32_t)(offset - 0x200000) / 0x1000;

	if (offset >= 0x2000 && offset < 0x2000 + CONTEXTS * 0x80)
		return model.enable[(offset - 0x2000) / 0x80][offset % 0x80 / 4];
	if (offset < 0x200000 || at >= CONTEXTS || offset % 0x1000 != 4) {
		CHECK(false);
		return 0;
	}
	uint32_t irq = best(at);
	model.pending[irq] = false;
	model.in_service[irq] = true;
	return irq;
}

static void model_write(uint64_t offset, uint32_t value)
{
	uint32_t at = (uint32_t)(offset - 0x200000) / 0x1000;

	if (offset <= SOURCES * 4)
		model.priority[offset / 4] = value;
	else if (offset >= 0x2000 && offset < 0x2000 + CONTEXTS * 0x80)
		model.enable[(offset - 0x2000) / 0x80][offset % 0x80 / 4] = value;
	else if (offset >= 0x200000 && at < CONTEXTS && offset % 0x1000 == 0)
		model.threshold[at] = value;
	else if (offset >= 0x200000 && at < CONTEXTS && offset % 0x1000 == 4) {
		if (value <= SOURCES && is_enabled(at, value))
			model.in_service[value] = false;
	} else
		CHECK(false);
}

/* QEMU's: hart i has context 2i of machine level and 2i + 1 of supervisor level. */
static const struct axvm_irq_chip *begin(uint32_t cpus)
{
	const char *why = NULL;

	fake_device(cpus, BYTES, SOURCES);
	memset(&model, 0, sizeof(model));
	for (uint32_t i = 0; i < cpus; i++)
		fake_targets[i] = 2 * i + 1;
	const struct axvm_irq_chip *found = axvm_bare_plic_init(NULL, 0, &why);
	CHECK(found != NULL && why == NULL);
	for (uint32_t i = 0; i < cpus; i++)
		found->cpu_init(&axvm_cpus[i]);
	return found;
}

static uint32_t claim_at(const struct axvm_irq_chip *found, uint32_t cpu)
{
	return found->claim(&axvm_cpus[cpu]);
}

TEST(what_the_firmware_left_enabled_does_not_come)
{
	memset(&model, 0, sizeof(model));
	fake_device(2, BYTES, SOURCES);
	fake_targets[0] = 1;
	fake_targets[1] = 3;
	for (uint32_t i = 1; i <= SOURCES; i++) {
		model.line[i] = true;
		model.priority[i] = 7;
		model.enable[1][i / 32] = UINT32_MAX;
		model.enable[3][i / 32] = UINT32_MAX;
	}
	model.threshold[1] = 9;
	const char *why = NULL;
	const struct axvm_irq_chip *found = axvm_bare_plic_init(NULL, 0, &why);
	REQUIRE(found != NULL);
	for (uint32_t i = 0; i < 2; i++) {
		found->cpu_init(&axvm_cpus[i]);
		CHECK_EQ(claim_at(found, i), AXVM_IRQ_NONE);
	}
	CHECK_EQ(model.threshold[1], 0);
	found->open(UART, false, 0);
	CHECK_EQ(claim_at(found, 0), UART);
	CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
	CHECK_EQ(found->limit(), SOURCES + 1);
}

TEST(a_level_that_stays_high_comes_once_for_each_completion)
{
	const struct axvm_irq_chip *found = begin(1);

	found->open(UART, false, 0);
	model.line[UART] = true;
	for (uint32_t round = 0; round < 5; round++) {
		CHECK_EQ(claim_at(found, 0), UART);
		for (uint32_t i = 0; i < 10; i++)
			CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
		found->complete(UART);
	}
	model.line[UART] = false;
	model.pending[UART] = false;
	CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
}

TEST(a_source_that_moves_is_completed_where_it_is_now)
{
	const struct axvm_irq_chip *found = begin(3);

	found->open(UART, false, 0);
	model.line[UART] = true;
	CHECK_EQ(claim_at(found, 0), UART);
	found->route(UART, 2); /* while it is in service */
	CHECK_EQ(claim_at(found, 2), AXVM_IRQ_NONE);
	found->complete(UART);
	CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
	CHECK_EQ(claim_at(found, 1), AXVM_IRQ_NONE);
	CHECK_EQ(claim_at(found, 2), UART);
	found->complete(UART);
	found->route(UART, 2);
	CHECK_EQ(claim_at(found, 2), UART);
}

TEST(two_sources_of_two_cpus_do_not_disturb_each_other)
{
	const struct axvm_irq_chip *found = begin(2);

	found->open(UART, false, 0);
	found->open(RTC, false, 1);
	model.line[UART] = model.line[RTC] = true;
	CHECK_EQ(claim_at(found, 0), UART);
	CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
	CHECK_EQ(claim_at(found, 1), RTC);
	found->route(UART, 1);
	found->close(RTC);
	found->complete(UART);
	CHECK_EQ(claim_at(found, 1), UART);
	CHECK_EQ(claim_at(found, 1), AXVM_IRQ_NONE);
}

TEST(a_closed_source_is_quiet_and_comes_for_the_next)
{
	const struct axvm_irq_chip *found = begin(2);

	found->open(UART, false, 1);
	model.line[UART] = true;
	CHECK_EQ(claim_at(found, 1), UART); /* and never completed by its guest */
	found->close(UART);
	CHECK_EQ(claim_at(found, 0), AXVM_IRQ_NONE);
	CHECK_EQ(claim_at(found, 1), AXVM_IRQ_NONE);
	CHECK(!is_enabled(1, UART) && !is_enabled(3, UART));
	found->open(UART, false, 0);
	CHECK_EQ(claim_at(found, 0), UART);
	CHECK_EQ(claim_at(found, 1), AXVM_IRQ_NONE);
}

/* Claimed when it was closing; its completion came to a context that was not enabled any more. */
TEST(one_that_was_claimed_when_it_was_closed_is_not_lost)
{
	const struct axvm_irq_chip *found = begin(1);

	found->open(UART, false, 0);
	model.line[UART] = true;
	found->close(UART);
	model.in_service[UART] = true;
	found->complete(UART);
	CHECK(model.in_service[UART]);
	found->open(UART, false, 0);
	CHECK_EQ(claim_at(found, 0), UART);
}

TEST(harts_without_a_context_leave_theirs_to_the_first)
{
	fake_device(2, BYTES, SOURCES);
	memset(&model, 0, sizeof(model));
	fake_targets[0] = 0;
	const char *why = NULL;
	const struct axvm_irq_chip *found = axvm_bare_plic_init(NULL, 0, &why);
	REQUIRE(found != NULL);
	found->cpu_init(&axvm_cpus[0]);
	found->cpu_init(&axvm_cpus[1]);
	found->open(UART, false, 1);
	model.line[UART] = true;
	CHECK_EQ(claim_at(found, 1), AXVM_IRQ_NONE);
	CHECK_EQ(claim_at(found, 0), UART);
	found->complete(UART);
	found->route(UART, 1);
	CHECK_EQ(claim_at(found, 0), UART);
}

TEST(a_plic_that_cannot_be_is_refused_with_a_sentence)
{
	const char *why = NULL;

	fake_device(1, BYTES, SOURCES);
	CHECK(axvm_bare_plic_init(NULL, 0, &why) == NULL && strstr(why, "no supervisor-level"));
	fake_targets[0] = 0x400; /* one more than fits */
	CHECK(axvm_bare_plic_init(NULL, 0, &why) == NULL && strstr(why, "malformed"));
	fake_targets[0] = 1;
	fake_sources = 0;
	CHECK(axvm_bare_plic_init(NULL, 0, &why) == NULL && strstr(why, "malformed"));
	fake_sources = SOURCES;
	fake_bytes = 0x1000;
	CHECK(axvm_bare_plic_init(NULL, 0, &why) == NULL && strstr(why, "malformed"));
	fake_bytes = BYTES;
	fake_map_fails = true;
	CHECK(axvm_bare_plic_init(NULL, 0, &why) == NULL && strstr(why, "no memory"));
}

AXTEST_MAIN(what_the_firmware_left_enabled_does_not_come,
	    a_level_that_stays_high_comes_once_for_each_completion,
	    a_source_that_moves_is_completed_where_it_is_now,
	    two_sources_of_two_cpus_do_not_disturb_each_other,
	    a_closed_source_is_quiet_and_comes_for_the_next,
	    one_that_was_claimed_when_it_was_closed_is_not_lost,
	    harts_without_a_context_leave_theirs_to_the_first,
	    a_plic_that_cannot_be_is_refused_with_a_sentence)
