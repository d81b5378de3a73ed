// SPDX-License-Identifier: Apache-2.0
/*
 * The APLIC against an executable specification: for each source the state of [AIA 4.5 to 4.9] in the
 * plainest form, found by looking at all of them. Random traces of wires, register accesses and claims, in
 * direct mode on three harts, and of a domain whose guest changes between both modes. After each step pending,
 * enabled and input bits, what each hart would claim, its line and its interrupt file must agree.
 */
#include "riscv64_aia_rig.h"

#define HARTS 3u
#define SOURCES 1024u

static struct source {
	uint32_t mode;
	bool wire;
	bool pending;
	bool enabled;
	uint32_t hart;
	uint32_t number; /* IPRIO or EIID, as it was written */
} sources[SOURCES];

static struct {
	bool delivery;
	bool force;
	uint32_t threshold;
	bool file[256];
} harts[HARTS];

static bool enable;
static bool msi;
static bool has_imsic;
static uint64_t state;

static uint32_t pick(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % limit;
}

/* ---- the specification --------------------------------------------------------------------------------- */

static bool is_level(const struct source *source)
{
	return source->mode == LEVEL1 || source->mode == LEVEL0;
}

static bool rectified(const struct source *source)
{
	bool inverted = source->mode == EDGE0 || source->mode == LEVEL0;

	return source->mode >= EDGE1 && source->wire != inverted;
}

/* 4.7: what follows the input at any time. */
static void follow_levels(void)
{
	for (uint32_t i = 1; i < SOURCES; i++) {
		struct source *source = &sources[i];

		if (is_level(source) && (!msi || !rectified(source)))
			source->pending = rectified(source);
	}
}

static uint32_t priority(const struct source *source)
{
	uint32_t low = source->number & 7; /* IPRIOLEN is 3 */

	return low == 0 ? 1 : low;
}

static uint32_t top(uint32_t hart)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < SOURCES && !msi; i++) {
		const struct source *source = &sources[i];

		if (!source->pending || !source->enabled || source->hart != hart ||
		    (harts[hart].threshold != 0 && priority(source) >= harts[hart].threshold))
			continue;
		if (best == 0 || priority(source) < (best & 0xff))
			best = i << 16 | priority(source);
	}
	return best;
}

/* 4.9: all that can be sent is sent. */
static void forward(void)
{
	for (uint32_t i = 1; i < SOURCES && msi && enable; i++) {
		struct source *source = &sources[i];

		if (!source->pending || !source->enabled)
			continue;
		source->pending = false;
		if (source->hart < HARTS && (source->number & 0xff) != 0)
			harts[source->hart].file[source->number & 0xff] = true;
	}
}

static void settle(void)
{
	follow_levels();
	forward();
}

/* ---- steps: the device's and the model's ----------------------------------------------------------------- */

static uint32_t any_source(void)
{
	switch (pick(4)) {
	case 0:
		return 1 + pick(SOURCES - 1);
	case 1:
		return 1020 + pick(4);
	default:
		return 1 + pick(8) * 5;
	}
}

static void step_wire(uint32_t i)
{
	struct source *source = &sources[i];
	bool level = pick(2) != 0;
	bool before = rectified(source);

	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, i, level), 0);
	source->wire = level;
	if (rectified(source) && !before)
		source->pending = true;
}

/* A source that was inactive has a target that is not specified: written at once. */
static void step_sourcecfg(uint32_t i)
{
	static const uint32_t modes[] = { 0,	  DETACHED, EDGE1,  EDGE0, LEVEL1,
					  LEVEL0, LEVEL1,   LEVEL0, 2,	   0x400 | LEVEL1 };
	struct source *source = &sources[i];
	uint32_t value = modes[pick(sizeof(modes) / sizeof(modes[0]))];
	uint32_t mode = value == 2 || value >= 0x400 ? 0 : value;

	if (pick(3) == 0)
		wr(CLRIENUM, i);
	source->enabled = source->enabled && (rd(SETIE(i / 32)) >> i % 32 & 1) != 0;
	wr(SOURCECFG(i), value | (value == 0 ? 0x1f8 : 0));
	CHECK_EQ(rd(SOURCECFG(i)), mode);
	if (mode == 0)
		*source = (struct source){ .wire = source->wire };
	source->mode = mode;
	if (is_level(source) && rectified(source))
		source->pending = true;
	if (mode == 0)
		CHECK_EQ(rd(TARGET(i)), 0);
}

static void step_target(uint32_t i)
{
	struct source *source = &sources[i];
	uint32_t hart = pick(8) == 0 ? pick(16384) : pick(HARTS);
	uint32_t number = pick(256);

	wr(TARGET(i), hart << 18 | pick(64) << 12 | number);
	if (source->mode == 0) {
		CHECK_EQ(rd(TARGET(i)), 0);
		return;
	}
	source->hart = hart;
	source->number = number;
	CHECK_EQ(rd(TARGET(i)), hart << 18 | (msi ? number : priority(source)));
}

static void set_pending(uint32_t i)
{
	struct source *source = &sources[i];

	if (source->mode != 0 && (!is_level(source) || (msi && rectified(source))))
		source->pending = true;
}

static void clear_pending(uint32_t i)
{
	struct source *source = &sources[i];

	if (!is_level(source) || msi)
		source->pending = false;
}

static void step_pend(uint32_t i)
{
	bool set = pick(3) != 0;

	if (pick(2) != 0)
		wr(set ? SETIP(i / 32) : IN_CLRIP(i / 32), 1u << i % 32);
	else
		wr(set ? (pick(2) != 0 ? SETIPNUM : SETIPNUM_LE) : CLRIPNUM, i);
	if (set)
		set_pending(i);
	else
		clear_pending(i);
}

static void step_enable(uint32_t i)
{
	bool set = pick(3) != 0;
	uint32_t bits = 1u << i % 32 | 1u << pick(32);

	if (pick(2) != 0) {
		wr(set ? SETIENUM : CLRIENUM, i);
		bits = 1u << i % 32;
	} else {
		wr(set ? SETIE(i / 32) : CLRIE(i / 32), bits);
	}
	for (uint32_t n = 0; n < 32; n++) {
		struct source *source = &sources[i / 32 * 32 + n];

		if ((bits >> n & 1) != 0)
			source->enabled = set && source->mode != 0;
	}
}

static void step_domain(uint32_t i)
{
	uint32_t value = (pick(4) != 0 ? IE : 0) | (pick(3) == 0 ? pick(2) * DM : msi * DM);

	(void)i;
	wr(DOMAINCFG, value | 1);
	if (has_imsic)
		msi = (value & DM) != 0;
	enable = (value & IE) != 0;
	CHECK_EQ(rd(DOMAINCFG), 0x80000000u | enable * IE | msi * DM);
}

static void step_hart(uint32_t i)
{
	uint32_t hart = pick(HARTS);

	switch (i % 8) {
	case 0:
		harts[hart].force = pick(2) != 0;
		wr(IFORCE(hart), harts[hart].force | pick(2) << 4);
		break;
	case 1:
		harts[hart].threshold = pick(8);
		wr(ITHRESHOLD(hart), harts[hart].threshold | pick(2) << 3);
		break;
	case 2:
		harts[hart].delivery = pick(2) != 0;
		wr(IDELIVERY(hart), harts[hart].delivery);
		break;
	default:
		harts[hart].delivery = true;
		harts[hart].threshold = 0;
		wr(IDELIVERY(hart), 1);
		wr(ITHRESHOLD(hart), 0);
		break;
	}
}

static void step_claim(uint32_t i)
{
	uint32_t hart = i % HARTS;
	uint32_t expected = top(hart);

	CHECK_EQ(rd(CLAIMI(hart)), expected);
	if (expected == 0)
		harts[hart].force = false;
	else if (!is_level(&sources[expected >> 16]))
		sources[expected >> 16].pending = false;
}

static void step_genmsi(uint32_t i)
{
	uint32_t hart = pick(HARTS + 1);
	uint32_t value = hart << 18 | (i & 0xff);

	wr(GENMSI, value | 1u << 12);
	CHECK_EQ(rd(GENMSI), msi ? value : 0);
	if (msi && hart < HARTS && (i & 0xff) != 0)
		harts[hart].file[i & 0xff] = true;
}

static void step_take(uint32_t i)
{
	uint32_t hart = i % HARTS;

	if (!has_imsic)
		return;
	for (uint32_t eiid = 1; eiid < 256; eiid++) {
		if (!harts[hart].file[eiid])
			continue;
		CHECK_EQ(ei_claim(hart), eiid);
		harts[hart].file[eiid] = false;
		return;
	}
	CHECK_EQ(ei_claim(hart), 0);
}

static void (*const steps[])(uint32_t i) = {
	step_wire,   step_wire,	  step_wire,   step_wire, step_sourcecfg, step_sourcecfg,
	step_target, step_target, step_pend,   step_pend, step_pend,	  step_enable,
	step_enable, step_enable, step_domain, step_hart, step_claim,	  step_claim,
	step_claim,  step_claim,  step_genmsi, step_take, step_take,
};

/* ---- comparison --------------------------------------------------------------------------------------------- */

static bool same_words(void)
{
	bool same = true;

	for (uint32_t w = 0; w < SOURCES / 32; w++) {
		uint32_t pending = 0;
		uint32_t enabled = 0;
		uint32_t input = 0;

		for (uint32_t n = 0; n < 32; n++) {
			const struct source *source = &sources[w * 32 + n];

			pending |= (uint32_t)source->pending << n;
			enabled |= (uint32_t)source->enabled << n;
			input |= (uint32_t)rectified(source) << n;
		}
		same = same && rd(SETIP(w)) == pending && rd(SETIE(w)) == enabled &&
		       rd(IN_CLRIP(w)) == input;
	}
	return same;
}

static bool same_harts(void)
{
	bool same = true;

	for (uint32_t hart = 0; hart < HARTS; hart++) {
		bool signal = enable && !has_imsic && harts[hart].delivery &&
			      (harts[hart].force || top(hart) != 0);

		same = same && rd(IFORCE(hart)) == harts[hart].force;
		same = same && rd(TOPI(hart)) == top(hart);
		if (!has_imsic) {
			same = same && line(hart) == signal;
			continue;
		}
		for (uint32_t eiid = 1; eiid < 256; eiid++)
			same = same && ei_pending(hart, eiid) == harts[hart].file[eiid];
	}
	return same;
}

/* What a change of the mode leaves in target is not specified: it is what is read. */
static void adopt_targets(void)
{
	for (uint32_t i = 1; i < SOURCES; i++) {
		uint32_t target = rd(TARGET(i));

		if (sources[i].mode == 0)
			continue;
		sources[i].hart = target >> 18;
		if ((sources[i].number & 7) != (target & 7) || msi)
			sources[i].number = target & 0xff;
	}
}

static void run_trace(uint64_t seed, bool imsic, uint32_t length)
{
	rig_start(HARTS, imsic);
	memset(sources, 0, sizeof(sources));
	memset(harts, 0, sizeof(harts));
	enable = false;
	msi = false;
	has_imsic = imsic;
	for (uint32_t hart = 0; hart < HARTS && imsic; hart++)
		ei_on(hart);
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (uint32_t at = 0; at < length; at++) {
		uint32_t which = pick(sizeof(steps) / sizeof(steps[0]));
		uint32_t i = any_source();
		bool before = msi;

		steps[which](i);
		if (msi != before)
			adopt_targets();
		settle();
		bool same = same_words() && same_harts();

		CHECK(same);
		if (!same) {
			axtest_puts("# seed ");
			axtest_put_dec(seed);
			axtest_puts(", step ");
			axtest_put_dec(at);
			axtest_puts(", kind ");
			axtest_put_dec(which);
			axtest_puts(", source ");
			axtest_put_dec(i);
			axtest_puts("\n");
			break;
		}
	}
	rig_end();
}

TEST(random_traces_in_direct_mode_agree_with_the_specification)
{
	for (uint64_t seed = 1; seed <= 24; seed++)
		run_trace(seed, false, 800);
}

TEST(random_traces_with_an_imsic_agree_with_the_specification)
{
	for (uint64_t seed = 100; seed <= 124; seed++)
		run_trace(seed, true, 800);
}

AXTEST_MAIN(random_traces_in_direct_mode_agree_with_the_specification,
	    random_traces_with_an_imsic_agree_with_the_specification)
