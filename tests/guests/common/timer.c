// SPDX-License-Identifier: Apache-2.0
/* Both timers of the ISA: one-shot, cancelled, in the past, waking WFI. */
#include "runtime.h"

static const struct guest_timer *current;
static uint32_t fired_count;
static uint64_t fired_at;

static void on_irq(uint32_t irq)
{
	if (irq != current->irq)
		guest_give_up("only the timer interrupts");
	fired_at = current->count();
	current->off();
	__atomic_fetch_add(&fired_count, 1, __ATOMIC_RELEASE);
}

static void begin(const struct guest_timer *timer)
{
	current = timer;
	fired_count = 0;
	fired_at = 0;
	timer->off();
	guest_this_cpu()->on_irq = on_irq;
	timer->irq_enable();
	guest_irq_enable();
}

static void end(void)
{
	guest_irq_disable();
	current->off();
	current->irq_disable();
	guest_this_cpu()->on_irq = NULL;
}

static void fires_once(const struct guest_timer *timer)
{
	begin(timer);
	uint64_t deadline = timer->count() + guest_us(2000);
	timer->set(deadline);
	CHECK(guest_wait(&fired_count, 1000000));
	CHECK(fired_at >= deadline);
	CHECK(!guest_wait_for(&fired_count, 2, 5000));
	end();
}

static void stays_quiet_when_cancelled(const struct guest_timer *timer)
{
	begin(timer);
	timer->set(timer->count() + guest_us(200000));
	timer->off();
	CHECK(!guest_wait(&fired_count, 250000));
	timer->set(timer->count() + guest_us(200000));
	timer->set(timer->count() + guest_us(100000000));
	CHECK(!guest_wait(&fired_count, 250000));
	end();
}

static void fires_at_once_for_the_past(const struct guest_timer *timer)
{
	begin(timer);
	timer->set(0);
	CHECK(guest_wait(&fired_count, 100000));
	CHECK_EQ(fired_count, 1);
	begin(timer);
	timer->set(timer->count());
	CHECK(guest_wait(&fired_count, 100000));
	end();
}

static void wakes_wfi(const struct guest_timer *timer)
{
	begin(timer);
	for (uint32_t round = 1; round <= 20; round++) {
		guest_irq_disable();
		uint64_t deadline = timer->count() + guest_us(2000);
		timer->set(deadline);
		for (uint32_t i = 0; i < 1000 && timer->count() < deadline; i++)
			guest_wfi();
		CHECK(timer->count() >= deadline);
		guest_irq_enable();
		REQUIRE(guest_wait_for(&fired_count, round, 100000));
	}
	CHECK_EQ(fired_count, 20);
	end();
}

/* Hundreds of deadlines, none lost and none doubled. */
static void never_loses_one(const struct guest_timer *timer)
{
	begin(timer);
	for (uint32_t round = 1; round <= 500; round++) {
		timer->set(timer->count() + guest_us(round % 100));
		REQUIRE(guest_wait_for(&fired_count, round, 1000000));
	}
	CHECK_EQ(fired_count, 500);
	end();
}

#define ONE(timer, index, what)                              \
	TEST(the_##timer##_timer_##what)                     \
	{                                                    \
		if (!guest_timers[index].is_there())         \
			SKIP("the machine has no such one"); \
		what(&guest_timers[index]);                  \
	}
/* Names are expanded once more before they are pasted. */
#define ONE_OF(timer, index, what) ONE(timer, index, what)
#define FOR_BOTH(what)                 \
	ONE_OF(GUEST_TIMER_1, 0, what) \
	ONE_OF(GUEST_TIMER_2, 1, what)

FOR_BOTH(fires_once)
FOR_BOTH(stays_quiet_when_cancelled)
FOR_BOTH(fires_at_once_for_the_past)
FOR_BOTH(wakes_wfi)
FOR_BOTH(never_loses_one)

TEST(time_never_goes_back)
{
	uint64_t last = guest_ticks();

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t now = guest_ticks();

		REQUIRE(now >= last);
		last = now;
	}
}

#define NAME(timer, what) the_##timer##_timer_##what
#define NAME_OF(timer, what) NAME(timer, what)
#define BOTH(what) NAME_OF(GUEST_TIMER_1, what), NAME_OF(GUEST_TIMER_2, what)

GUEST_SHARED_TESTS(BOTH(fires_once), BOTH(stays_quiet_when_cancelled),
		   BOTH(fires_at_once_for_the_past), BOTH(wakes_wfi), BOTH(never_loses_one),
		   time_never_goes_back)
