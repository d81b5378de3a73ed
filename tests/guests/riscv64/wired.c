// SPDX-License-Identifier: Apache-2.0
/* An interrupt of the machine that the VM has, by whichever controller: the RTC's alarm. */
#include "rtc.h"

static uint32_t taken_count;
static uint32_t left_high; /* how often it is not quieted */
static uint32_t stop;
static uint64_t due; /* of the alarm that is set; 0: none */

static void arm(uint64_t ns)
{
	__atomic_store_n(&due, ns, __ATOMIC_RELEASE);
	rtc_alarm(ns);
}

/* QEMU's APLIC shows a level once more that has fallen meanwhile. */
static bool is_due(void)
{
	uint64_t ns = __atomic_load_n(&due, __ATOMIC_ACQUIRE);

	return ns != 0 && rtc_now() >= ns;
}

static void take_it(void)
{
	if (left_high > 0) {
		left_high--;
	} else {
		rtc_quiet();
		due = 0;
	}
	__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
}

static void on_alarm(uint32_t irq)
{
	if (guest_aia_took(irq, on_alarm))
		return;
	if (irq != GUEST_IRQ_EXTERNAL + RTC_IRQ)
		guest_give_up("only the alarm interrupts");
	if (is_due())
		take_it();
	rtc_look_again();
}

static void begin(void)
{
	guest_irq_disable();
	rtc_quiet();
	taken_count = 0;
	left_high = 0;
	stop = 0;
	due = 0;
	guest_this_cpu()->on_irq = on_alarm;
}

static void enable(void)
{
	guest_external_enable(RTC_IRQ);
	guest_irq_enable();
}

static void end(void)
{
	guest_irq_disable();
	guest_external_disable(RTC_IRQ);
}

TEST(each_alarm_arrives_once)
{
	begin();
	enable();
	for (uint32_t round = 1; round <= 200; round++) {
		arm(1);
		REQUIRE(guest_wait_for(&taken_count, round, 5000000));
	}
	CHECK(!guest_wait_for(&taken_count, 201, 1000));
	end();
}

TEST(an_alarm_in_the_future_wakes_the_cpu)
{
	begin();
	enable();
	guest_irq_disable();
	for (uint32_t round = 1; round <= 10; round++) {
		uint64_t then = rtc_now() + 2000000;

		arm(then);
		while (taken_count < round) {
			guest_wfi();
			guest_irq_enable();
			guest_irq_disable();
		}
		CHECK(rtc_now() >= then);
	}
	CHECK_EQ(taken_count, 10);
	end();
}

TEST(one_that_was_due_before_it_was_wanted_arrives)
{
	begin();
	arm(1);
	enable();
	CHECK(guest_wait_for(&taken_count, 1, 5000000));
	end();
}

TEST(a_line_that_stays_high_comes_again_for_each_completion)
{
	if (guest_plic.base != 0)
		SKIP("QEMU's PLIC looks at a line when it moves alone");
	begin();
	left_high = 1000;
	enable();
	arm(1);
	CHECK(guest_wait_for(&taken_count, 1001, 20000000));
	CHECK(!guest_wait_for(&taken_count, 1002, 1000));
	end();
}

static void take_alarms(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_alarm;
	enable();
	arm(1);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		;
	end();
}

TEST(it_goes_to_the_cpu_that_wants_it)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin();
	REQUIRE_EQ(guest_cpu_start(1, take_alarms, NULL), 0);
	for (uint32_t round = 1; round <= 100; round++) {
		REQUIRE(guest_wait_for(&taken_count, round, 5000000));
		arm(1);
	}
	CHECK(guest_wait_for(&taken_count, 101, 5000000));
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
}

AXTEST_MAIN(each_alarm_arrives_once, an_alarm_in_the_future_wakes_the_cpu,
	    one_that_was_due_before_it_was_wanted_arrives,
	    a_line_that_stays_high_comes_again_for_each_completion,
	    it_goes_to_the_cpu_that_wants_it)
