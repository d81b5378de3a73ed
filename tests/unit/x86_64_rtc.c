/* SPDX-License-Identifier: Apache-2.0 */
/* The MC146818 and its memory (arch/x86_64/intc/rtc.c), seen through its ports. [MC146818] */
#include "intc/rtc.h"

#include <time.h>

#include "intc/rtc_time.h"
#include "port_vm.h"

#define YEAR_2026 1767225600u /* since 1970 */
#define HZ 32768000u

static int make(void)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.time_hz = HZ;
	device_vm_reset_on(&machine);
	device_irq = 8;
	return axvm_rtc_make(&device_vm);
}

static void begin(void)
{
	REQUIRE_EQ(make(), 0);
}

static void end(void)
{
	axvm_rtc_fini(device_vm.arch.rtc);
	device_end();
}

static uint8_t get(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void put(uint8_t index, uint32_t value)
{
	outb(0x70, index | 0x80u); /* as guests that mask NMIs */
	outb(0x71, value);
}

static void pass(uint64_t seconds)
{
	axvm_sim_advance(seconds * HZ);
}

static void put_time(uint32_t hours, uint32_t minutes, uint32_t seconds)
{
	put(RTC_B, get(RTC_B) | RTC_B_SET);
	put(RTC_HOURS, hours);
	put(RTC_MINUTES, minutes);
	put(RTC_SECONDS, seconds);
	put(RTC_B, get(RTC_B) & ~(uint32_t)RTC_B_SET);
}

static void put_date(uint32_t century, uint32_t year, uint32_t month, uint32_t day)
{
	put(RTC_B, get(RTC_B) | RTC_B_SET);
	put(RTC_CENTURY, century);
	put(RTC_YEAR, year);
	put(RTC_MONTH, month);
	put(RTC_DAY, day);
	put(RTC_B, get(RTC_B) & ~(uint32_t)RTC_B_SET);
}

static void check_time(uint32_t hours, uint32_t minutes, uint32_t seconds)
{
	CHECK_EQ(get(RTC_HOURS), hours);
	CHECK_EQ(get(RTC_MINUTES), minutes);
	CHECK_EQ(get(RTC_SECONDS), seconds);
}

static void check_date(uint32_t century, uint32_t year, uint32_t month, uint32_t day,
		       uint32_t weekday)
{
	CHECK_EQ(get(RTC_CENTURY), century);
	CHECK_EQ(get(RTC_YEAR), year);
	CHECK_EQ(get(RTC_MONTH), month);
	CHECK_EQ(get(RTC_DAY), day);
	CHECK_EQ(get(RTC_WEEKDAY), weekday);
}

TEST(it_starts_at_the_date_of_all_our_clocks_in_bcd)
{
	begin();
	check_date(0x20, 0x26, 1, 1, 5); /* a Thursday */
	check_time(0, 0, 0);
	CHECK_EQ(get(RTC_A), 0x26);
	CHECK_EQ(get(RTC_B), RTC_B_24_HOURS);
	CHECK_EQ(get(RTC_D), RTC_D_VALID);
	CHECK_EQ(inb(0x70), 0xff);
	pass(86400 + 13 * 3600 + 59 * 60 + 10);
	check_date(0x20, 0x26, 1, 2, 6);
	check_time(0x13, 0x59, 0x10);
	end();
}

TEST(hours_are_told_in_four_formats)
{
	begin();
	for (uint32_t hour = 0; hour < 24; hour++) {
		uint32_t twelve = hour % 12 == 0 ? 12 : hour % 12;
		uint32_t pm = hour < 12 ? 0 : 0x80;

		put(RTC_B, RTC_B_24_HOURS | RTC_B_BINARY);
		CHECK_EQ(get(RTC_HOURS), hour);
		put(RTC_B, RTC_B_BINARY);
		CHECK_EQ(get(RTC_HOURS), twelve | pm);
		put(RTC_B, 0);
		CHECK_EQ(get(RTC_HOURS), (twelve / 10 * 16 + twelve % 10) | pm);
		put_time(get(RTC_HOURS), 0, 0); /* and set as they are told */
		put(RTC_B, RTC_B_24_HOURS);
		CHECK_EQ(get(RTC_HOURS), hour / 10 * 16 + hour % 10);
		pass(3600);
	}
	end();
}

/* Against the C library's calendar. */
TEST(each_day_of_four_hundred_years_is_right)
{
	begin();
	put(RTC_B, RTC_B_24_HOURS | RTC_B_BINARY);
	for (unsigned day = 0; day < 146097; day += 11) {
		time_t seconds = (time_t)YEAR_2026 + (time_t)day * 86400;
		const struct tm *now = gmtime(&seconds);

		REQUIRE(now != NULL);
		const struct tm tm = *now;
		uint32_t year = (uint32_t)tm.tm_year + 1900;

		check_date(year / 100, year % 100, (uint32_t)tm.tm_mon + 1, (uint32_t)tm.tm_mday,
			   (uint32_t)tm.tm_wday + 1);
		pass(11 * 86400);
	}
	end();
}

TEST(what_is_set_is_kept_and_goes_on)
{
	begin();
	put_date(0x20, 0x28, 2, 0x28);
	put_time(0x23, 0x59, 0x58);
	check_date(0x20, 0x28, 2, 0x28, 2);
	pass(2);
	check_date(0x20, 0x28, 2, 0x29, 3);
	check_time(0, 0, 0);
	pass(86400);
	check_date(0x20, 0x28, 3, 1, 4);
	put_date(0x19, 0x99, 0x12, 0x31);
	pass(86400);
	check_date(0x20, 0, 1, 1, 7);
	end();
}

TEST(while_it_is_set_the_registers_are_memory_and_nothing_updates)
{
	begin();
	put(RTC_B, RTC_B_SET | RTC_UPDATE | RTC_B_24_HOURS);
	CHECK_EQ(get(RTC_B), RTC_B_SET | RTC_B_24_HOURS);
	put(RTC_SECONDS, 0x33);
	pass(10);
	CHECK_EQ(get(RTC_SECONDS), 0x33);
	CHECK_EQ(get(RTC_C), 0);
	CHECK_EQ(get(RTC_A), 0x26);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	put(RTC_B, RTC_B_24_HOURS);
	pass(1);
	check_time(0, 0, 0x34);
	put(RTC_A, 0x66); /* the divider is held */
	pass(10);
	CHECK_EQ(get(RTC_SECONDS), 0x34);
	put(RTC_A, 0x26);
	pass(1);
	CHECK_EQ(get(RTC_SECONDS), 0x35);
	end();
}

TEST(a_register_written_while_it_runs_keeps_the_others)
{
	begin();
	axvm_sim_advance(HZ / 2);
	put(RTC_MINUTES, 0x30);
	put(RTC_YEAR, 0x30);
	axvm_sim_advance(HZ / 2);
	check_time(0, 0x30, 1);
	check_date(0x20, 0x30, 1, 1, 3);
	end();
}

TEST(an_update_is_announced_244_microseconds_before)
{
	begin();
	axvm_sim_advance(HZ - HZ / 4096 - 1);
	CHECK_EQ(get(RTC_A), 0x26);
	axvm_sim_advance(1);
	CHECK_EQ(get(RTC_A), 0xa6);
	CHECK_EQ(get(RTC_SECONDS), 0);
	axvm_sim_advance(HZ / 4096);
	CHECK_EQ(get(RTC_A), 0x26);
	CHECK_EQ(get(RTC_SECONDS), 1);
	end();
}

TEST(each_second_interrupts_until_register_c_is_read)
{
	begin();
	pass(1);
	CHECK(!irq_level);
	CHECK_EQ(get(RTC_C), RTC_UPDATE | RTC_PERIODIC); /* told, though not enabled */
	put(RTC_B, RTC_B_24_HOURS | RTC_UPDATE);
	for (unsigned i = 0; i < 3; i++) {
		axvm_sim_advance(HZ - 1);
		CHECK(!irq_level);
		axvm_sim_advance(1);
		CHECK(irq_level);
		CHECK_EQ(get(RTC_C) & ~RTC_PERIODIC, RTC_C_IRQ | RTC_UPDATE);
		CHECK(!irq_level);
	}
	uint32_t changes = irq_changes;

	pass(100); /* nobody reads it: one more */
	CHECK_EQ(irq_changes, changes + 1);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	end();
}

TEST(the_periodic_interrupt_has_each_rate)
{
	static const uint32_t rates[16] = { 0,	 256, 128, 8192, 4096, 2048, 1024, 512,
					    256, 128, 64,  32,	 16,   8,    4,	   2 };

	begin();
	for (uint32_t rate = 0; rate < 16; rate++) {
		uint32_t count = 0;

		put(RTC_A, 0x20 | rate);
		put(RTC_B, RTC_B_24_HOURS | RTC_PERIODIC);
		(void)get(RTC_C);
		for (unsigned i = 0; i < 32768 / 4; i++) {
			axvm_sim_advance(HZ / 32768 * 4);
			if (irq_level) {
				count++;
				CHECK_EQ(get(RTC_C) & ~RTC_UPDATE, RTC_C_IRQ | RTC_PERIODIC);
			}
		}
		CHECK_EQ(count, rates[rate]);
		put(RTC_B, RTC_B_24_HOURS);
	}
	end();
}

TEST(the_alarm_comes_at_its_time_once_a_day)
{
	begin();
	put(RTC_HOURS_ALARM, 1);
	put(RTC_MINUTES_ALARM, 2);
	put(RTC_SECONDS_ALARM, 3);
	put(RTC_B, RTC_B_24_HOURS | RTC_ALARM);
	for (unsigned day = 0; day < 3; day++) {
		pass(day ? 86400 - 1 : 3722);
		CHECK(!irq_level);
		pass(1);
		CHECK(irq_level);
		CHECK_EQ(get(RTC_C) & (RTC_ALARM | RTC_C_IRQ), RTC_ALARM | RTC_C_IRQ);
		CHECK(!irq_level);
	}
	end();
}

TEST(an_alarm_may_leave_fields_open_and_has_the_clocks_format)
{
	begin();
	put(RTC_HOURS_ALARM, 0xff);
	put(RTC_MINUTES_ALARM, 0xc0);
	put(RTC_SECONDS_ALARM, 0x30);
	put(RTC_B, RTC_B_24_HOURS | RTC_ALARM);
	for (unsigned i = 0; i < 3; i++) {
		pass(i ? 59 : 29);
		CHECK(!irq_level);
		pass(1);
		CHECK(irq_level);
		(void)get(RTC_C);
	}
	put(RTC_B, RTC_B_BINARY | RTC_ALARM);
	put_time(11, 59, 59);
	put(RTC_HOURS_ALARM, 0x80 | 12);
	put(RTC_MINUTES_ALARM, 0);
	put(RTC_SECONDS_ALARM, 0);
	(void)get(RTC_C);
	pass(1);
	CHECK(irq_level);
	end();
}

/* The search for the next match against trying each second. */
TEST(the_next_alarm_is_found)
{
	static const uint8_t values[] = { 0, 1, 5, 22, 23, 30, 58, 59, 60, 0x7f, 0xc0, 0xff };
	uint8_t memory[128] = { [RTC_B] = RTC_B_BINARY | RTC_B_24_HOURS };
	uint64_t start = AXVM_RTC_START + 22 * 3600 + 59 * 60 + 30;

	for (unsigned i = 0; i < 12 * 12 * 12; i++) {
		uint8_t h = memory[RTC_HOURS_ALARM] = values[i / 144];
		uint8_t m = memory[RTC_MINUTES_ALARM] = values[i / 12 % 12];
		uint8_t s = memory[RTC_SECONDS_ALARM] = values[i % 12];
		uint64_t found = axvm_rtc_next_alarm(memory, start);
		bool possible =
			(h < 24 || h >= 0xc0) && (m < 60 || m >= 0xc0) && (s < 60 || s >= 0xc0);
		uint64_t expected = start + 1;

		for (; possible; expected++) {
			uint64_t day = expected % 86400;

			if ((h >= 0xc0 || day / 3600 == h) && (m >= 0xc0 || day / 60 % 60 == m) &&
			    (s >= 0xc0 || day % 60 == s))
				break;
		}
		CHECK_EQ(found, possible ? expected : UINT64_MAX);
	}
}

TEST(a_new_time_or_alarm_replaces_the_old_one)
{
	begin();
	put(RTC_SECONDS_ALARM, 0x10);
	put(RTC_MINUTES_ALARM, 0xff);
	put(RTC_HOURS_ALARM, 0xff);
	put(RTC_B, RTC_B_24_HOURS | RTC_ALARM);
	put(RTC_SECONDS_ALARM, 0x20);
	pass(15);
	CHECK(!irq_level);
	put_time(0, 0, 0x40);
	pass(39);
	CHECK(!irq_level);
	pass(1);
	CHECK(irq_level);
	end();
}

TEST(a_host_that_is_late_loses_no_flag)
{
	begin();
	put(RTC_SECONDS_ALARM, 0x10);
	put(RTC_MINUTES_ALARM, 0);
	put(RTC_HOURS_ALARM, 0);
	put(RTC_B, RTC_B_24_HOURS | RTC_EVENTS);
	axvm_sim_set_ticks((uint64_t)HZ * 3600);
	CHECK_EQ(get(RTC_C), RTC_C_IRQ | RTC_EVENTS);
	CHECK_EQ(irq_changes, 2);
	end();
}

TEST(memory_is_kept_and_outlives_a_reset_as_the_time_does)
{
	begin();
	for (uint32_t i = 0xe; i < 128; i++) {
		if (i != RTC_CENTURY)
			put((uint8_t)i, i ^ 0xff);
	}
	put(RTC_D, 0);
	put(RTC_C, 0xff);
	put(RTC_B, RTC_B_24_HOURS | RTC_EVENTS | RTC_B_SQUARE_WAVE);
	pass(1);
	CHECK(irq_level);
	axvm_rtc_reset(device_vm.arch.rtc);
	CHECK(!irq_level);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	for (uint32_t i = 0xe; i < 128; i++) {
		if (i != RTC_CENTURY)
			CHECK_EQ(get((uint8_t)i), i ^ 0xff);
	}
	CHECK_EQ(get(RTC_D), RTC_D_VALID);
	CHECK_EQ(get(RTC_B), RTC_B_24_HOURS);
	CHECK_EQ(get(RTC_C), 0);
	CHECK_EQ(get(RTC_SECONDS), 1);
	end();
}

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

/* Any bytes in any registers at any time: no crash, no storm. */
TEST(wild_accesses_are_survived)
{
	begin();
	random_state = 11;
	for (uint32_t i = 0; i < 30000; i++) {
		uint32_t before = irq_changes;

		put((uint8_t)(draw(4) ? draw(14) : draw(128)), draw(256));
		(void)get((uint8_t)draw(128));
		axvm_sim_advance(draw(8) ? draw(HZ / 1000) : (uint64_t)draw(400) * HZ * 86400);
		CHECK(irq_changes - before <= 6);
	}
	end();
}

TEST(without_memory_or_ports_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(axvm_rtc_make(&device_vm), AXVM_ENOMEM);
	CHECK(device_vm.arch.rtc == NULL);

	begin();
	CHECK_EQ(axvm_rtc_make(&device_vm), AXVM_EEXIST);
	end();
}

AXTEST_MAIN(it_starts_at_the_date_of_all_our_clocks_in_bcd, hours_are_told_in_four_formats,
	    each_day_of_four_hundred_years_is_right, what_is_set_is_kept_and_goes_on,
	    while_it_is_set_the_registers_are_memory_and_nothing_updates,
	    a_register_written_while_it_runs_keeps_the_others,
	    an_update_is_announced_244_microseconds_before,
	    each_second_interrupts_until_register_c_is_read, the_periodic_interrupt_has_each_rate,
	    the_alarm_comes_at_its_time_once_a_day,
	    an_alarm_may_leave_fields_open_and_has_the_clocks_format, the_next_alarm_is_found,
	    a_new_time_or_alarm_replaces_the_old_one, a_host_that_is_late_loses_no_flag,
	    memory_is_kept_and_outlives_a_reset_as_the_time_does, wild_accesses_are_survived,
	    without_memory_or_ports_it_is_not_made)
