// SPDX-License-Identifier: Apache-2.0
/* The local APIC's timer: one-shot, periodic, TSC deadline, the divider, and what a host pays for it. */
#include "x86_64_intc_rig.h"

#define PERIODIC (1u << 17)
#define BY_DEADLINE (2u << 17)
#define VECTOR 0xe0u

/* Host ticks of `count`, by the divider's setting. */
static uint64_t ticks(uint64_t count, uint32_t divide)
{
	static const uint32_t by[16] = {
		[0] = 2, [1] = 4, [2] = 8, [3] = 16, [8] = 32, [9] = 64, [10] = 128, [11] = 1
	};

	return count * by[divide] << AXVM_LAPIC_CLOCK_SHIFT;
}

static void start(uint32_t lvt)
{
	rig_start(1);
	enable(0);
	wr(0, DIVIDE, 11);
	wr(0, LVT_TIMER, lvt);
}

static bool fires(void)
{
	int vector = take(0);

	if (vector >= 0) {
		CHECK_EQ(vector, VECTOR);
		eoi(0);
	}
	return vector >= 0;
}

TEST(a_one_shot_timer_counts_to_zero_and_fires_once)
{
	static const uint32_t divides[] = { 0, 1, 2, 3, 8, 9, 10, 11 };

	start(VECTOR);
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t divide = divides[i];

		wr(0, DIVIDE, divide);
		CHECK_EQ(rd(0, DIVIDE), divide);
		wr(0, COUNT, 100);
		CHECK_EQ(rd(0, CURRENT), 100);
		axvm_sim_advance(ticks(30, divide));
		CHECK_EQ(rd(0, CURRENT), 70);
		axvm_sim_advance(ticks(70, divide) - 1);
		CHECK_EQ(rd(0, CURRENT), 1);
		CHECK(!fires());
		axvm_sim_advance(1);
		CHECK_EQ(rd(0, CURRENT), 0);
		CHECK(axvm_lapic_has_pending(on(0)));
		CHECK_EQ(atomic_load(&rig_vcpus[0].requests), AXVM_REQUEST_IRQ);
		CHECK(fires());
		axvm_sim_advance(ticks(1000, divide));
		CHECK(!fires());
		CHECK_EQ(rd(0, CURRENT), 0);
		CHECK_EQ(rd(0, COUNT), 100);
	}
	rig_end();
}

TEST(a_count_of_zero_stops_and_another_starts_anew)
{
	start(VECTOR);
	wr(0, COUNT, 1000);
	axvm_sim_advance(ticks(999, 11));
	wr(0, COUNT, 500);
	axvm_sim_advance(ticks(499, 11));
	CHECK(!fires());
	wr(0, COUNT, 0);
	CHECK_EQ(rd(0, CURRENT), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	axvm_sim_advance(ticks(1000, 11));
	CHECK(!fires());
	rig_end();
}

TEST(a_periodic_timer_keeps_its_rhythm_and_gathers_what_was_missed)
{
	start(PERIODIC | VECTOR);
	wr(0, COUNT, 100000);
	for (uint32_t i = 0; i < 5; i++) {
		axvm_sim_advance(ticks(100000, 11) - 1);
		CHECK_EQ(rd(0, CURRENT), 1);
		CHECK(!fires());
		axvm_sim_advance(1);
		CHECK(fires());
		CHECK(!fires());
		CHECK_EQ(rd(0, CURRENT), 100000);
	}
	axvm_sim_advance(ticks(350000, 11));
	CHECK_EQ(rd(0, CURRENT), 50000);
	CHECK(fires());
	CHECK(!fires());
	axvm_sim_advance(ticks(50000, 11));
	CHECK(fires());
	rig_end();
}

TEST(a_period_of_a_few_ticks_costs_the_host_one_timer_for_each_that_is_taken)
{
	start(PERIODIC | VECTOR);
	wr(0, COUNT, 1);
	for (uint32_t i = 0; i < 10; i++) {
		axvm_sim_advance(1000000);
		CHECK_EQ(axvm_sim_armed_timers(), 0); /* until the guest has taken it */
		CHECK(fires());
		CHECK_EQ(axvm_sim_armed_timers(), 1);
		axvm_sim_advance((axvm_hal_time_hz() >> 14) - 1);
		CHECK(!fires());
	}
	rig_end();
}

TEST(a_masked_timer_counts_but_neither_fires_nor_runs_on_the_host)
{
	start(MASKED | VECTOR);
	wr(0, COUNT, 1000);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	axvm_sim_advance(ticks(400, 11));
	CHECK_EQ(rd(0, CURRENT), 600);
	wr(0, LVT_TIMER, VECTOR); /* in time */
	axvm_sim_advance(ticks(600, 11));
	CHECK(fires());
	wr(0, LVT_TIMER, MASKED | VECTOR);
	wr(0, COUNT, 1000);
	axvm_sim_advance(ticks(1000, 11));
	wr(0, LVT_TIMER, VECTOR); /* too late */
	axvm_sim_advance(ticks(5000, 11));
	CHECK(!fires());
	wr(0, LVT_TIMER, MASKED | PERIODIC | VECTOR);
	wr(0, COUNT, 100000);
	axvm_sim_advance(ticks(250000, 11));
	CHECK_EQ(rd(0, CURRENT), 50000);
	wr(0, LVT_TIMER, PERIODIC | VECTOR);
	CHECK(!fires());
	axvm_sim_advance(ticks(50000, 11));
	CHECK(fires());
	rig_end();
}

TEST(what_is_due_comes_before_a_change_of_the_timer)
{
	start(VECTOR);
	wr(0, COUNT, 100);
	axvm_sim_set_ticks(ticks(100, 11)); /* the host is late */
	wr(0, COUNT, 100);
	CHECK(fires());
	axvm_sim_set_ticks(ticks(200, 11));
	wr(0, LVT_TIMER, MASKED | VECTOR);
	CHECK(fires());
	rig_end();
}

TEST(a_new_divider_goes_on_with_the_count)
{
	start(VECTOR);
	wr(0, COUNT, 1000);
	axvm_sim_advance(ticks(400, 11));
	wr(0, DIVIDE, 0);
	CHECK_EQ(rd(0, CURRENT), 600);
	axvm_sim_advance(ticks(600, 0) - 1);
	CHECK(!fires());
	axvm_sim_advance(1);
	CHECK(fires());
	rig_end();
}

static uint64_t deadline(void)
{
	uint64_t value = 0xdead;

	CHECK(rdmsr(0, DEADLINE, &value));
	return value;
}

TEST(a_deadline_is_the_guests_tsc_and_reads_as_zero_when_it_has_passed)
{
	start(BY_DEADLINE | VECTOR);
	rig_vcpus[0].arch.tsc_offset = 0 - (uint64_t)500;
	axvm_sim_advance(1000);
	CHECK(wrmsr(0, DEADLINE, 700));
	CHECK_EQ(deadline(), 700);
	axvm_sim_advance(199);
	CHECK(!fires());
	axvm_sim_advance(1);
	CHECK(fires());
	CHECK_EQ(deadline(), 0);
	CHECK(wrmsr(0, DEADLINE, 1)); /* has passed */
	CHECK(fires());
	CHECK(!fires());
	CHECK_EQ(deadline(), 0);
	CHECK(wrmsr(0, DEADLINE, 5000));
	CHECK(wrmsr(0, DEADLINE, 0));
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK(wrmsr(0, DEADLINE, UINT64_MAX));
	axvm_sim_advance(1000000);
	CHECK(!fires());
	rig_end();
}

TEST(a_deadline_moves_with_the_guests_tsc)
{
	start(BY_DEADLINE | VECTOR);
	CHECK(wrmsr(0, DEADLINE, 10000));
	rig_vcpus[0].arch.tsc_offset = 4000;
	axvm_lapic_tsc_changed(on(0));
	axvm_sim_advance(5999);
	CHECK(!fires());
	axvm_sim_advance(1);
	CHECK(fires());
	rig_end();
}

TEST(deadline_and_count_belong_to_their_modes)
{
	start(VECTOR);
	CHECK(wrmsr(0, DEADLINE, 1));
	CHECK_EQ(deadline(), 0);
	CHECK(!fires());
	wr(0, COUNT, 100);
	wr(0, LVT_TIMER, BY_DEADLINE | VECTOR); /* disarms */
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(rd(0, CURRENT), 0);
	wr(0, COUNT, 100);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK(wrmsr(0, DEADLINE, 1000));
	wr(0, LVT_TIMER, PERIODIC | VECTOR);
	CHECK_EQ(deadline(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	wr(0, LVT_TIMER, 3u << 17 | VECTOR); /* reserved */
	wr(0, COUNT, 1);
	CHECK(wrmsr(0, DEADLINE, 1));
	axvm_sim_advance(100000);
	CHECK(!fires());
	rig_end();
}

TEST(the_largest_count_and_divider_do_not_overflow)
{
	start(VECTOR);
	wr(0, DIVIDE, 10);
	wr(0, COUNT, UINT32_MAX);
	CHECK_EQ(rd(0, CURRENT), UINT32_MAX);
	axvm_sim_advance(ticks(UINT32_MAX, 10) - 1);
	CHECK_EQ(rd(0, CURRENT), 1);
	CHECK(!fires());
	axvm_sim_advance(1);
	CHECK(fires());
	rig_end();
}

AXTEST_MAIN(a_one_shot_timer_counts_to_zero_and_fires_once,
	    a_count_of_zero_stops_and_another_starts_anew,
	    a_periodic_timer_keeps_its_rhythm_and_gathers_what_was_missed,
	    a_period_of_a_few_ticks_costs_the_host_one_timer_for_each_that_is_taken,
	    a_masked_timer_counts_but_neither_fires_nor_runs_on_the_host,
	    what_is_due_comes_before_a_change_of_the_timer, a_new_divider_goes_on_with_the_count,
	    a_deadline_is_the_guests_tsc_and_reads_as_zero_when_it_has_passed,
	    a_deadline_moves_with_the_guests_tsc, deadline_and_count_belong_to_their_modes,
	    the_largest_count_and_divider_do_not_overflow)
