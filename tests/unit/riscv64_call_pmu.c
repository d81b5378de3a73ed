/* SPDX-License-Identifier: Apache-2.0 */
/* SBI PMU: counters found, configured, started, stopped and read. */
#include "pmu.h"
#include "riscv64_sbi.h"

#define NUM_COUNTERS SBI(SBI_PMU, 0, 0)
#define GET_INFO(...) SBI(SBI_PMU, 1, __VA_ARGS__)
#define CONFIG(...) SBI(SBI_PMU, 2, __VA_ARGS__)
#define START(...) SBI(SBI_PMU, 3, __VA_ARGS__)
#define STOP(...) SBI(SBI_PMU, 4, __VA_ARGS__)
#define FW_READ(...) SBI(SBI_PMU, 5, __VA_ARGS__)
#define FW_READ_HI(...) SBI(SBI_PMU, 6, __VA_ARGS__)

#define COUNTERS 10u
#define EVERY 0x3ffULL
#define CYCLES 1u
#define INSTRUCTIONS 2u
#define FIRMWARE(code) (0xf0000u + (code))
#define SET_TIMER FIRMWARE(5)
#define IPI_SENT FIRMWARE(6)

#define SKIP_MATCH 1u
#define CLEAR_VALUE 2u
#define AUTO_START 4u
#define SET_VALUE 1u
#define RESET 1u
#define SNAPSHOT 2u

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* All counters stopped and free, the hart's CSRs at 1000 and 2000. */
static void start_stopped(void)
{
	rig_start(2);
	axvm_sim_riscv64_set_counter(0, 1000);
	axvm_sim_riscv64_set_counter(1, 2000);
	CHECK_EQ(sbi_error(0, STOP(0, EVERY, RESET)), ALREADY_STOPPED); /* eight of them were */
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 0);
}

static void set_timers(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(sbi_error(0, SBI(SBI_TIME, 0, UINT64_MAX)), SUCCESS);
}

TEST(counters_are_told)
{
	static const uint64_t no[] = { COUNTERS, 32, 64, 1ULL << 32, UINT64_MAX };

	rig_start(1);
	CHECK_EQ(sbi_value(0, NUM_COUNTERS), COUNTERS);
	CHECK_EQ(sbi_value(0, GET_INFO(0)), 63u << 12 | 0xc00);
	CHECK_EQ(sbi_value(0, GET_INFO(1)), 63u << 12 | 0xc02);
	for (uint64_t n = 2; n < COUNTERS; n++)
		CHECK_EQ(sbi_value(0, GET_INFO(n)), 1ULL << 63);
	for (size_t i = 0; i < COUNT_OF(no); i++) {
		CHECK_EQ(sbi_error(0, GET_INFO(no[i])), INVALID_PARAM);
		CHECK_EQ(sbi_error(0, FW_READ(no[i])), INVALID_PARAM);
		CHECK_EQ(sbi_error(0, FW_READ_HI(no[i])), INVALID_PARAM);
	}
	for (uint64_t n = 0; n < 2; n++) {
		CHECK_EQ(sbi_error(0, FW_READ(n)), INVALID_PARAM); /* a hardware counter */
		CHECK_EQ(sbi_error(0, FW_READ_HI(n)), INVALID_PARAM);
	}
	CHECK_EQ(sbi_error(0, SBI(SBI_PMU, 7, RAM, 0, 0)), NOT_SUPPORTED); /* snapshots */
	CHECK_EQ(sbi_error(0, SBI(SBI_PMU, 8, RAM, 0, 0)), NOT_SUPPORTED);
	rig_end();
}

TEST(a_set_with_a_counter_that_there_is_not_is_refused)
{
	static const struct {
		uint64_t base;
		uint64_t mask;
	} sets[] = {
		{ 0, 0 },	   { 0, 1ULL << COUNTERS }, { 0, UINT64_MAX }, { 9, 2 },
		{ 9, 3 },	   { COUNTERS, 1 },	    { 63, 1 },	       { 64, 1 },
		{ 1ULL << 63, 1 }, { UINT64_MAX, 1 },	    { UINT64_MAX, 2 }, { 1, UINT64_MAX },
	};

	start_stopped();
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		uint64_t base = sets[i].base;
		uint64_t mask = sets[i].mask;

		CHECK_EQ(sbi_error(0, CONFIG(base, mask, 0, SET_TIMER, 0)), INVALID_PARAM);
		CHECK_EQ(sbi_error(0, START(base, mask, 0, 0)), INVALID_PARAM);
		CHECK_EQ(sbi_error(0, STOP(base, mask, 0)), INVALID_PARAM);
	}
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 0);
	rig_end();
}

TEST(an_event_finds_a_counter_that_can_count_it)
{
	static const struct {
		uint64_t event;
		uint64_t data;
		uint64_t error;
		uint64_t counter;
	} table[] = {
		{ CYCLES, 0, SUCCESS, 0 },
		{ CYCLES, 0, NOT_SUPPORTED, 0 }, /* there is one */
		{ INSTRUCTIONS, 0, SUCCESS, 1 },
		{ FIRMWARE(2), 0, SUCCESS, 2 },
		{ FIRMWARE(13), 0, SUCCESS, 3 },
		{ FIRMWARE(2), 0, SUCCESS, 4 },
		{ FIRMWARE(3), 1, NOT_SUPPORTED, 0 }, /* no event has data */
		{ 0, 0, NOT_SUPPORTED, 0 },
		{ 3, 0, NOT_SUPPORTED, 0 },
		{ 0x10000, 0, NOT_SUPPORTED, 0 }, /* cache */
		{ 0x20000, 5, NOT_SUPPORTED, 0 }, /* raw */
		{ FIRMWARE(0), 0, NOT_SUPPORTED, 0 },
		{ FIRMWARE(1), 0, NOT_SUPPORTED, 0 },
		{ FIRMWARE(14), 0, NOT_SUPPORTED, 0 }, /* HFENCE */
		{ FIRMWARE(256), 0, NOT_SUPPORTED, 0 },
		{ FIRMWARE(0xffff), 0, NOT_SUPPORTED, 0 },
		{ 1ULL << 32 | CYCLES, 0, NOT_SUPPORTED, 0 },
		{ UINT64_MAX, 0, NOT_SUPPORTED, 0 },
	};

	start_stopped();
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		CHECK_EQ(sbi_error(0, CONFIG(0, EVERY, 0xf8, table[i].event, table[i].data)),
			 table[i].error);
		CHECK_EQ(rig_vcpus[0].arch.x[11], table[i].counter);
	}
	for (uint64_t n = 5; n < COUNTERS; n++)
		CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, 0, SET_TIMER, 0)), n);
	CHECK_EQ(sbi_error(0, CONFIG(0, EVERY, 0, SET_TIMER, 0)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, STOP(7, 1, RESET)), ALREADY_STOPPED);
	CHECK_EQ(sbi_error(0, CONFIG(0, 0x7f, 0, SET_TIMER, 0)), NOT_SUPPORTED);
	CHECK_EQ(sbi_value(0, CONFIG(5, 0x1f, 0, SET_TIMER, 0)), 7); /* free again */
	CHECK_EQ(sbi_error(0, CONFIG(0, EVERY, 0x100, SET_TIMER, 0)), INVALID_PARAM);
	rig_end();
}

TEST(skip_match_takes_the_first_of_the_set)
{
	start_stopped();
	CHECK_EQ(sbi_value(0, CONFIG(0, 1 << 4, 0, SET_TIMER, 0)), 4);
	CHECK_EQ(sbi_value(0, CONFIG(2, 0x3c, SKIP_MATCH, IPI_SENT, 0)), 4); /* another event now */
	CHECK_EQ(rig_vcpus[0].arch.pmu.event[4], IPI_SENT);
	CHECK_EQ(sbi_error(0, CONFIG(0, EVERY, SKIP_MATCH, IPI_SENT, 0)), NOT_SUPPORTED);
	CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, SKIP_MATCH, CYCLES, 0)), 0);
	CHECK_EQ(sbi_error(0, START(4, 1, 0, 0)), SUCCESS);
	CHECK_EQ(sbi_error(0, CONFIG(4, 1, SKIP_MATCH, SET_TIMER, 0)), NOT_SUPPORTED);
	rig_end();
}

TEST(cycle_and_instret_count_from_power_on)
{
	rig_start(1);
	axvm_sim_riscv64_set_counter(0, 300);
	axvm_sim_riscv64_set_counter(1, 400);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 300);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 1), 400);
	CHECK_EQ(sbi_error(0, START(0, 3, SET_VALUE, 0)), ALREADY_STARTED);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 300);
	rig_end();
}

TEST(a_counter_counts_while_it_runs)
{
	start_stopped();
	CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, CLEAR_VALUE, CYCLES, 0)), 0);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 0);
	CHECK_EQ(sbi_error(0, START(0, 1, 0, 5555)), SUCCESS); /* the value is not asked for */
	axvm_sim_riscv64_set_counter(0, 1010);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 10);
	CHECK_EQ(sbi_error(0, START(0, 1, 0, 0)), ALREADY_STARTED);
	CHECK_EQ(sbi_error(0, STOP(0, 1, 0)), SUCCESS);
	axvm_sim_riscv64_set_counter(0, 1050);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 10);
	CHECK_EQ(sbi_error(0, STOP(0, 1, 0)), ALREADY_STOPPED);
	CHECK_EQ(sbi_error(0, START(0, 1, SET_VALUE, UINT64_MAX)), SUCCESS);
	axvm_sim_riscv64_set_counter(0, 1052);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 1);	 /* modulo 2^64 */
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 1), 2000); /* stood all the while */
	rig_end();
}

TEST(what_other_guests_use_of_the_hart_is_not_counted)
{
	start_stopped();
	CHECK_EQ(sbi_error(0, START(0, 3, SET_VALUE, 100)), SUCCESS);
	axvm_sim_riscv64_set_counter(0, 1001);
	axvm_sim_riscv64_set_counter(1, 2002);
	rig_unbind(0);
	axvm_sim_riscv64_set_counter(0, 7); /* as another hart's might be */
	axvm_sim_riscv64_set_counter(1, 8);
	rig_bind(0);
	axvm_sim_riscv64_set_counter(0, 17);
	axvm_sim_riscv64_set_counter(1, 28);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 100 + 1 + 10);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 1), 100 + 2 + 20);
	CHECK_EQ(sbi_error(0, STOP(0, 3, 0)), SUCCESS);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 111);
	rig_end();
}

TEST(firmware_counters_count_their_event)
{
	start_stopped();
	set_timers(3);
	CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, CLEAR_VALUE | AUTO_START, SET_TIMER, 0)), 2);
	CHECK_EQ(sbi_value(0, FW_READ(2)), 0);
	set_timers(4);
	CHECK_EQ(sbi_value(0, FW_READ(2)), 4);
	CHECK_EQ(sbi_value(0, FW_READ_HI(2)), 0);
	CHECK_EQ(sbi_error(0, STOP(2, 1, 0)), SUCCESS);
	set_timers(5);
	CHECK_EQ(sbi_value(0, FW_READ(2)), 4);
	CHECK_EQ(sbi_error(0, START(2, 1, 0, 0)), SUCCESS);
	set_timers(1);
	CHECK_EQ(sbi_value(0, FW_READ(2)), 5);
	CHECK_EQ(sbi_error(0, STOP(2, 1, RESET)), SUCCESS);
	CHECK_EQ(sbi_error(0, START(2, 1, 0, 0)), INVALID_PARAM); /* it counts nothing */
	CHECK_EQ(sbi_value(0, CONFIG(2, 1, 0, IPI_SENT, 0)), 2);
	CHECK_EQ(sbi_error(0, START(2, 1, SET_VALUE, 1ULL << 40)), SUCCESS);
	CHECK_EQ(sbi_error(0, SBI(SBI_IPI, 0, 3, 0)), SUCCESS);
	CHECK_EQ(sbi_value(0, FW_READ(2)), (1ULL << 40) + 2);
	CHECK_EQ(sbi_value(0, FW_READ_HI(2)), 0);
	serve_all();
	rig_end();
}

TEST(what_is_sent_is_received)
{
	static const struct {
		struct sbi call;
		unsigned sent;
	} table[] = {
		{ SBI(SBI_IPI, 0, 2, 0), 6 },
		{ SBI(SBI_RFENCE, 0, 2, 0), 8 },
		{ SBI(SBI_RFENCE, 1, 2, 0, 0, 0), 10 },
		{ SBI(SBI_RFENCE, 2, 2, 0, 0, 0, 1), 12 },
	};

	rig_start(2);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		_Atomic uint64_t *sent = &rig_vcpus[0].arch.pmu.events[table[i].sent];
		_Atomic uint64_t *received = &rig_vcpus[1].arch.pmu.events[table[i].sent + 1];

		CHECK_EQ(sbi_error(0, table[i].call), SUCCESS);
		serve(1);
		CHECK_EQ(sbi_error(0, table[i].call), SUCCESS);
		serve(1);
		CHECK_EQ(atomic_load(sent), 2);
		CHECK_EQ(atomic_load(received), 2);
	}
	rig_end();
}

TEST(a_set_is_dealt_with_as_a_whole)
{
	start_stopped();
	CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, 0, SET_TIMER, 0)), 2);
	/* 3 counts nothing: none is started */
	CHECK_EQ(sbi_error(0, START(0, 0xf, 0, 0)), INVALID_PARAM);
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 0);
	CHECK_EQ(sbi_error(0, START(1, 1, 0, 0)), SUCCESS);
	CHECK_EQ(sbi_error(0, START(0, 7, SET_VALUE, 9)), ALREADY_STARTED);
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 7);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 9);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 1), 2000); /* it ran already */
	CHECK_EQ(sbi_error(0, START(0, 7, SNAPSHOT, 0)), NO_SHMEM);
	CHECK_EQ(sbi_error(0, STOP(0, 7, SNAPSHOT)), NO_SHMEM);
	CHECK_EQ(sbi_error(0, START(0, 7, 4, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, STOP(0, 7, UINT64_MAX)), INVALID_PARAM);
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 7);
	CHECK_EQ(sbi_error(0, STOP(0, 0xf, RESET)), ALREADY_STOPPED); /* 3 stood, the others stop */
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 0);
	CHECK_EQ(rig_vcpus[0].arch.pmu.event[2], AXVM_RISCV64_PMU_FREE);
	rig_end();
}

TEST(a_reset_hart_has_its_counters_as_at_power_on)
{
	start_stopped();
	CHECK_EQ(sbi_value(0, CONFIG(0, EVERY, AUTO_START, SET_TIMER, 0)), 2);
	set_timers(2);
	rig_unbind(0);
	axvm_arch_vcpu_reset(on(0), RAM, 0);
	CHECK_EQ(rig_vcpus[0].arch.pmu.running, 3);
	for (unsigned n = 0; n < COUNTERS; n++)
		CHECK_EQ(rig_vcpus[0].arch.pmu.event[n], AXVM_RISCV64_PMU_FREE);
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_EVENTS; n++)
		CHECK_EQ(atomic_load(&rig_vcpus[0].arch.pmu.events[n]), 0);
	CHECK_EQ(rig_vcpus[0].arch.pmu.firmware[0], 0);
	axvm_sim_riscv64_set_counter(0, 50);
	rig_bind(0);
	axvm_sim_riscv64_set_counter(0, 60);
	CHECK_EQ(axvm_riscv64_pmu_read(on(0), 0), 10);
	rig_end();
}

AXTEST_MAIN(counters_are_told, a_set_with_a_counter_that_there_is_not_is_refused,
	    an_event_finds_a_counter_that_can_count_it, skip_match_takes_the_first_of_the_set,
	    cycle_and_instret_count_from_power_on, a_counter_counts_while_it_runs,
	    what_other_guests_use_of_the_hart_is_not_counted, firmware_counters_count_their_event,
	    what_is_sent_is_received, a_set_is_dealt_with_as_a_whole,
	    a_reset_hart_has_its_counters_as_at_power_on)
