/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random traces against an executable specification: for each source a gateway and a pending bit, for
 * each target a notification, and everything else found by looking at all sources [PLIC 1]. Registers,
 * notifications and completions at the host agree at each step, and so does each claim.
 */
#include "riscv64_plic_rig.h"

#define HARTS 3u
#define LAST 255u
#define SOURCES (LAST + 1)

/* ---- the specification --------------------------------------------------------------------------- */

enum gateway {
	IDLE,	   /* may forward a request */
	FORWARDED, /* its request is in IP */
	CLAIMED,   /* waits for the completion */
};

struct source {
	enum gateway gateway;
	bool line;
	bool edge_seen;	 /* one that is not forwarded yet, or was with the request that waits */
	bool host_waits; /* for the service of a request that is not claimed yet */
	bool host_served;
	uint32_t priority;
	bool enabled[HARTS];
	uint64_t host_completions;
};

static struct source sources[SOURCES];
static uint32_t thresholds[HARTS];

static void model_forward(struct source *source)
{
	if (source->gateway == IDLE && (source->line || source->edge_seen || source->host_waits))
		source->gateway = FORWARDED;
}

static bool model_notified(uint32_t hart)
{
	for (uint32_t id = 1; id < SOURCES; id++) {
		const struct source *source = &sources[id];

		if (source->gateway == FORWARDED && source->enabled[hart] &&
		    source->priority > thresholds[hart])
			return true;
	}
	return false;
}

static uint32_t model_best(uint32_t hart)
{
	uint32_t best = 0;

	for (uint32_t id = 1; id < SOURCES; id++) {
		const struct source *source = &sources[id];

		if (source->gateway == FORWARDED && source->enabled[hart] &&
		    source->priority > (best == 0 ? 0 : sources[best].priority))
			best = id;
	}
	return best;
}

static uint32_t model_claim(uint32_t hart)
{
	uint32_t best = model_best(hart);

	if (best != 0) {
		sources[best].gateway = CLAIMED;
		sources[best].edge_seen = false;
		sources[best].host_served = sources[best].host_waits;
		sources[best].host_waits = false;
	}
	return best;
}

static void model_complete(uint32_t hart, uint32_t id)
{
	if (id == 0 || id >= SOURCES)
		return;
	struct source *source = &sources[id];

	if (!source->enabled[hart] || source->gateway != CLAIMED)
		return;
	source->host_completions += source->host_served;
	source->host_served = false;
	source->gateway = IDLE;
	model_forward(source);
}

static void model_reset(void)
{
	for (uint32_t id = 1; id < SOURCES; id++) {
		struct source *source = &sources[id];
		uint64_t completions =
			source->host_completions + (source->host_waits || source->host_served);

		memset(source, 0, sizeof(*source));
		source->host_completions = completions;
	}
	memset(thresholds, 0, sizeof(thresholds));
}

/* ---- the trace ------------------------------------------------------------------------------------- */

static uint64_t state;
static uint32_t spread; /* of how many sources a trace is about: few meet often */

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * below >> 32);
}

/* Spread over the words: 7 has no common divisor with 255. */
static uint32_t any_source(void)
{
	return 1 + pick(spread) * 7 % LAST;
}

static void step_line(uint32_t hart)
{
	uint32_t id = any_source();

	(void)hart;
	sources[id].line = pick(2) == 0;
	model_forward(&sources[id]);
	set_level(id, sources[id].line);
}

static void step_edge(uint32_t hart)
{
	uint32_t id = any_source();

	(void)hart;
	sources[id].edge_seen = true;
	model_forward(&sources[id]);
	pulse(id);
}

static void step_host(uint32_t hart)
{
	uint32_t id = any_source();

	(void)hart;
	sources[id].host_waits = true;
	model_forward(&sources[id]);
	from_host(id);
}

static void step_enable(uint32_t hart)
{
	uint32_t first = any_source() & ~31u;
	uint32_t word = pick(UINT32_MAX);

	if (pick(4) != 0)
		word |= pick(UINT32_MAX);
	for (uint32_t i = 0; i < 32; i++)
		sources[first + i].enabled[hart] = first + i != 0 && (word >> i & 1) != 0;
	wr(ENABLE(hart, first), word);
}

static void step_flip(uint32_t hart)
{
	uint32_t id = any_source();

	sources[id].enabled[hart] = !sources[id].enabled[hart];
	wr(ENABLE(hart, id), rd(ENABLE(hart, id)) ^ BIT(id));
}

static void step_priority(uint32_t hart)
{
	uint32_t id = any_source();
	uint32_t value = pick(2) == 0 ? pick(8) : pick(UINT32_MAX);

	(void)hart;
	sources[id].priority = value % 8;
	wr(PRIORITY(id), value);
}

static void step_threshold(uint32_t hart)
{
	uint32_t value = pick(4) == 0 ? pick(UINT32_MAX) : pick(8);

	thresholds[hart] = value % 8;
	wr(THRESHOLD(hart), value);
}

static void step_claim(uint32_t hart)
{
	CHECK_EQ(rd(CLAIM(hart)), model_claim(hart));
}

/* Mostly of one that is in service, by whomever. */
static void step_complete(uint32_t hart)
{
	uint32_t id = any_source();

	for (uint32_t tries = 0; tries < 40 && sources[id].gateway != CLAIMED; tries++)
		id = any_source();
	model_complete(hart, id);
	wr(CLAIM(hart), id);
}

static void step_wild_complete(uint32_t hart)
{
	uint32_t id = pick(2) == 0 ? pick(2048) : pick(UINT32_MAX);

	model_complete(hart, id);
	wr(CLAIM(hart), id);
}

static void step_ignored(uint32_t hart)
{
	uint32_t id = any_source();

	wr(PENDING(id), pick(UINT32_MAX));
	wr(PRIORITY(0), 7);
	wr(PRIORITY(SOURCES + id), 7);
	wr(ENABLE(hart, 0) - 0x80, pick(UINT32_MAX)); /* M mode */
	wr(THRESHOLD(hart) - 0x1000, pick(UINT32_MAX));
	wr(THRESHOLD(hart) + 8 + 4ULL * pick(100), pick(UINT32_MAX));
	CHECK_EQ(rd(THRESHOLD(hart) - 0x1000 + 4), 0);
}

static void (*const steps[])(uint32_t hart) = {
	step_line,	step_line,     step_line,     step_edge,     step_edge,
	step_host,	step_host,     step_enable,   step_flip,     step_flip,
	step_priority,	step_priority, step_claim,    step_claim,    step_claim,
	step_complete,	step_complete, step_complete, step_complete, step_wild_complete,
	step_threshold, step_ignored,
};

/* ---- comparison --------------------------------------------------------------------------------------- */

static bool agree(uint32_t *at, uint32_t got, uint32_t expected)
{
	CHECK_EQ(got, expected);
	*at += got != expected;
	return got == expected;
}

static bool check_word(uint32_t first)
{
	uint32_t pending = 0;
	uint32_t enabled[HARTS] = { 0 };
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < 32; i++) {
		const struct source *source = &sources[first + i];

		pending |= (uint32_t)(source->gateway == FORWARDED) << i;
		for (uint32_t hart = 0; hart < HARTS; hart++)
			enabled[hart] |= (uint32_t)source->enabled[hart] << i;
		agree(&wrong, rd(PRIORITY(first + i)), source->priority);
		agree(&wrong, (uint32_t)axvm_sim_riscv64_completions(first + i),
		      (uint32_t)source->host_completions);
	}
	agree(&wrong, rd(PENDING(first)), pending);
	for (uint32_t hart = 0; hart < HARTS; hart++)
		agree(&wrong, rd(ENABLE(hart, first)), enabled[hart]);
	return wrong == 0;
}

static bool check_step(uint32_t at)
{
	uint32_t wrong = 0;

	for (uint32_t hart = 0; hart < HARTS; hart++) {
		agree(&wrong, line(hart), model_notified(hart));
		agree(&wrong, rd(THRESHOLD(hart)), thresholds[hart]);
	}
	/* a word in turn, so that each step stays cheap */
	return check_word(at % (SOURCES / 32) * 32) && wrong == 0;
}

/* What is left comes in the model's order. */
static void check_drain(void)
{
	for (uint32_t hart = 0; hart < HARTS; hart++) {
		uint32_t got = 1;

		for (uint32_t i = 0; got != 0 && i < SOURCES; i++) {
			got = rd(CLAIM(hart));
			CHECK_EQ(got, model_claim(hart));
		}
		CHECK_EQ(got, 0);
	}
}

static void run_trace(uint64_t seed, uint32_t about, uint32_t length)
{
	rig_start(HARTS, LAST);
	memset(sources, 0, sizeof(sources));
	memset(thresholds, 0, sizeof(thresholds));
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	spread = about;
	for (uint32_t at = 0; at < length; at++) {
		uint32_t which = pick(sizeof(steps) / sizeof(steps[0]));

		steps[which](pick(HARTS));
		if (pick(400) == 0) {
			model_reset();
			rig_reset();
		}
		if (check_step(at))
			continue;
		axtest_puts("# seed ");
		axtest_put_dec(seed);
		axtest_puts(", step ");
		axtest_put_dec(at);
		axtest_puts(", kind ");
		axtest_put_dec(which);
		axtest_puts("\n");
		break;
	}
	check_drain();
	rig_end();
}

TEST(random_traces_of_few_sources_agree_with_the_specification)
{
	for (uint64_t seed = 1; seed <= 30; seed++)
		run_trace(seed, 5, 800);
}

TEST(random_traces_of_many_sources_agree_with_the_specification)
{
	for (uint64_t seed = 100; seed <= 130; seed++)
		run_trace(seed, LAST, 1500);
}

TEST(random_traces_of_a_moderate_number_of_sources_agree_with_the_specification)
{
	for (uint64_t seed = 200; seed <= 230; seed++)
		run_trace(seed, 40, 1000);
}

AXTEST_MAIN(random_traces_of_few_sources_agree_with_the_specification,
	    random_traces_of_many_sources_agree_with_the_specification,
	    random_traces_of_a_moderate_number_of_sources_agree_with_the_specification)
