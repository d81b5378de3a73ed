/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual PLIC under guests that mean no good, and under two harts at once. */
#include <pthread.h>

#include "riscv64_plic_rig.h"

/* ---- hostile guests --------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * below >> 32);
}

/* Registers and the best interrupt still agree with each other, as only an intact state does. */
static void check_drains(uint32_t harts)
{
	for (uint32_t hart = 0; hart < harts; hart++) {
		wr(THRESHOLD(hart), 0);
		for (uint32_t source = 0; source < 96; source += 32)
			wr(ENABLE(hart, source), UINT32_MAX);
	}
	for (uint32_t source = 1; source < 96; source++) {
		wr(PRIORITY(source), 1);
		wr(CLAIM(0), source);
		set_level(source, false);
	}
	for (uint32_t source = 1; source < 96; source++) {
		if (!is_pending(source))
			continue;
		CHECK(line(0));
		CHECK_EQ(rd(CLAIM(0)), source);
		wr(CLAIM(0), source);
	}
	for (uint32_t hart = 0; hart < harts; hart++) {
		CHECK(!line(hart));
		CHECK_EQ(rd(CLAIM(hart)), 0);
	}
}

TEST(wild_offsets_widths_and_values_end_in_an_intact_controller)
{
	static const unsigned widths[] = { 1, 2, 4, 4, 4, 4, 8 };
	static const uint64_t places[] = {
		0, 0x1000, 0x2000, 0x2080, 0x200000, 0x201000, 0x203000
	};

	rig_start(2, 0);
	random_state = 0x5eed;
	for (uint32_t i = 0; i < 300000; i++) {
		unsigned bytes = widths[pick(7)];
		uint64_t offset = pick(2) == 0 ? pick((uint32_t)PLIC_BYTES - 8)
					       : places[pick(7)] + pick(0x200);
		uint64_t value = pick(2) == 0 ? pick(128) : (uint64_t)pick(UINT32_MAX) << pick(32);

		if (pick(3) != 0)
			offset &= ~3ULL;
		if (pick(2) == 0)
			(void)rd_bytes(PLIC + offset, bytes);
		else
			wr_bytes(PLIC + offset, bytes, value);
		if (pick(8) == 0)
			set_level(1 + pick(95), pick(2) == 0);
		if (pick(8) == 0)
			pulse(1 + pick(95));
		if (i % 10000 == 0)
			check_drains(2);
	}
	check_drains(2);
	rig_end();
}

TEST(every_word_of_the_range_can_be_read_and_written)
{
	rig_start(2, 1023);
	for (uint64_t offset = 0; offset < PLIC_BYTES; offset += offset < 0x4000 ? 4 : 0x404) {
		(void)rd_bytes(PLIC + (offset & ~3ULL), 4);
		wr_bytes(PLIC + (offset & ~3ULL), 4, UINT64_MAX);
	}
	CHECK_EQ(rd(PRIORITY(1023)), 7);
	CHECK_EQ(rd(ENABLE(1, 1023)), UINT32_MAX);
	rig_end();
}

/* ---- several CPUs ----------------------------------------------------------------------------------- */

/* Two threads, since CI machines have two CPUs: a hart of its own, and one that is the device too. */
#define ROUNDS 3000u
#define EDGES 3100u /* a multiple of 31 */

struct hart {
	uint32_t index;
	uint32_t round;
	uint32_t claims[96];
};

static _Atomic bool stop;

/* Flips enables, priorities and its threshold, and serves what it gets. */
static void flip_and_serve(struct hart *self)
{
	struct axvm_vcpu *vcpu = &rig_vcpus[self->index];
	uint64_t enables = ENABLE(self->index, 0);
	uint32_t round = self->round++;
	uint64_t value = 0;

	(void)try_bus_write(vcpu, enables, 4, round % 3 == 0 ? 0 : UINT32_MAX);
	(void)try_bus_write(vcpu, PRIORITY(1 + round % 31), 4, 1 + round % 7);
	(void)try_bus_write(vcpu, enables, 4, UINT32_MAX);
	(void)try_bus_write(vcpu, THRESHOLD(self->index), 4, round % 8);
	(void)try_bus_read(vcpu, CLAIM(self->index), 4, &value);
	if (value == 0)
		return;
	self->claims[value]++;
	(void)try_bus_write(vcpu, CLAIM(self->index), 4, value);
}

static void *be_hart(void *argument)
{
	axvm_sim_set_cpu(1);
	while (!atomic_load(&stop))
		flip_and_serve(argument);
	return NULL;
}

TEST(two_harts_that_flip_enables_and_claim_get_each_interrupt_of_the_host_once)
{
	struct hart own = { .index = 0 };
	struct hart other = { .index = 1 };
	pthread_t thread;
	uint32_t brought = 0;

	rig_start(2, 0);
	for (uint32_t source = 1; source < 32; source++)
		wr(PRIORITY(source), 1);
	atomic_store(&stop, false);
	REQUIRE_EQ(pthread_create(&thread, NULL, be_hart, &other), 0);
	while (brought < EDGES) {
		uint32_t source = 1 + brought % 31;

		/* as a host does: none before the completion of the one before */
		if (axvm_sim_riscv64_completions(source) == brought / 31) {
			from_host(source);
			brought++;
		}
		flip_and_serve(&own);
	}
	for (uint32_t source = 1; source < 32; source++) {
		while (axvm_sim_riscv64_completions(source) < EDGES / 31)
			flip_and_serve(&own);
	}
	atomic_store(&stop, true);
	REQUIRE_EQ(pthread_join(thread, NULL), 0);
	for (uint32_t source = 1; source < 32; source++) {
		CHECK_EQ(axvm_sim_riscv64_completions(source), EDGES / 31);
		CHECK_EQ(own.claims[source] + other.claims[source], EDGES / 31);
	}
	check_drains(2);
	rig_end();
}

TEST(lines_that_move_while_harts_claim_leave_an_intact_controller)
{
	struct hart other = { .index = 1 };
	pthread_t thread;

	rig_start(2, 0);
	atomic_store(&stop, false);
	REQUIRE_EQ(pthread_create(&thread, NULL, be_hart, &other), 0);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		set_level(1 + round % 31, round % 2 == 0);
		pulse(1 + round * 7 % 31);
		if (round % 300 == 0)
			rig_reset();
	}
	atomic_store(&stop, true);
	REQUIRE_EQ(pthread_join(thread, NULL), 0);
	check_drains(2);
	rig_end();
}

AXTEST_MAIN(wild_offsets_widths_and_values_end_in_an_intact_controller,
	    every_word_of_the_range_can_be_read_and_written,
	    two_harts_that_flip_enables_and_claim_get_each_interrupt_of_the_host_once,
	    lines_that_move_while_harts_claim_leave_an_intact_controller)
