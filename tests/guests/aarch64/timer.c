// SPDX-License-Identifier: Apache-2.0
/* What else the EL1 virtual and physical timers can do [ARM D12]. */
#include "runtime.h"

#define ENABLE 1u
#define MASKED 2u
#define STATUS 4u

struct timer {
	uint32_t intid;
	uint64_t (*count)(void);
	void (*set)(uint64_t deadline, uint64_t control);
	void (*set_relative)(uint32_t ticks, uint64_t control);
	uint64_t (*control)(void);
};

static const struct timer *current;
static uint32_t fired_count;
static uint64_t fired_at;

static uint64_t virtual_control(void)
{
	return READ_SYSREG(cntv_ctl_el0);
}

static void virtual_set(uint64_t deadline, uint64_t control)
{
	WRITE_SYSREG(cntv_cval_el0, deadline);
	WRITE_SYSREG(cntv_ctl_el0, control);
}

static void virtual_set_relative(uint32_t ticks, uint64_t control)
{
	WRITE_SYSREG(cntv_tval_el0, ticks);
	WRITE_SYSREG(cntv_ctl_el0, control);
}

static uint64_t physical_count(void)
{
	__asm__ volatile("isb" ::: "memory");
	return READ_SYSREG(cntpct_el0);
}

static uint64_t physical_control(void)
{
	return READ_SYSREG(cntp_ctl_el0);
}

static void physical_set(uint64_t deadline, uint64_t control)
{
	WRITE_SYSREG(cntp_cval_el0, deadline);
	WRITE_SYSREG(cntp_ctl_el0, control);
}

static void physical_set_relative(uint32_t ticks, uint64_t control)
{
	WRITE_SYSREG(cntp_tval_el0, ticks);
	WRITE_SYSREG(cntp_ctl_el0, control);
}

static const struct timer virtual_timer = { PPI_VIRTUAL_TIMER, guest_ticks, virtual_set,
					    virtual_set_relative, virtual_control };
static const struct timer physical_timer = { PPI_PHYSICAL_TIMER, physical_count, physical_set,
					     physical_set_relative, physical_control };

static void on_irq(uint32_t intid)
{
	if (intid != current->intid)
		guest_give_up("only the timer interrupts");
	fired_at = current->count();
	current->set(~0ull, 0);
	__atomic_fetch_add(&fired_count, 1, __ATOMIC_RELEASE);
}

static void begin(const struct timer *timer)
{
	current = timer;
	fired_count = 0;
	fired_at = 0;
	timer->set(~0ull, 0);
	guest_this_cpu()->on_irq = on_irq;
	guest_gic_enable(timer->intid);
	guest_irq_enable();
}

static void end(void)
{
	guest_irq_disable();
	current->set(~0ull, 0);
	guest_gic_disable(current->intid);
	guest_this_cpu()->on_irq = NULL;
}

static void fires_after_relative_ticks(const struct timer *timer)
{
	begin(timer);
	uint64_t start = timer->count();
	timer->set_relative((uint32_t)guest_us(1000), ENABLE);
	CHECK(guest_wait(&fired_count, 1000000));
	CHECK(fired_at >= start + guest_us(1000));
	end();
}

static void shows_its_status_while_masked(const struct timer *timer)
{
	begin(timer);
	timer->set(timer->count() + guest_us(1000000000), ENABLE | MASKED);
	CHECK_EQ(timer->control() & 7, ENABLE | MASKED);
	timer->set(timer->count(), ENABLE | MASKED);
	CHECK_EQ(timer->control() & 7, ENABLE | MASKED | STATUS);
	CHECK(!guest_wait(&fired_count, 3000));
	CHECK(!guest_gic_is_pending(timer->intid));
	end();
}

/* A level: it is pending for as long as the condition holds, and no longer. */
static void line_is_a_level(const struct timer *timer)
{
	begin(timer);
	guest_irq_disable();
	timer->set(0, ENABLE);
	guest_barrier();
	CHECK(guest_gic_is_pending(timer->intid));
	timer->set(~0ull, ENABLE);
	guest_barrier();
	CHECK(!guest_gic_is_pending(timer->intid));
	guest_irq_enable();
	CHECK(!guest_wait(&fired_count, 3000));
	end();
}

#define FOR_BOTH(what)                  \
	TEST(the_virtual_timer_##what)  \
	{                               \
		what(&virtual_timer);   \
	}                               \
	TEST(the_physical_timer_##what) \
	{                               \
		what(&physical_timer);  \
	}

FOR_BOTH(fires_after_relative_ticks)
FOR_BOTH(shows_its_status_while_masked)
FOR_BOTH(line_is_a_level)

TEST(both_timers_fire_side_by_side)
{
	begin(&virtual_timer);
	guest_gic_enable(PPI_PHYSICAL_TIMER);
	guest_irq_disable();
	physical_set(0, ENABLE);
	virtual_set(0, ENABLE);
	guest_barrier();
	CHECK(guest_gic_is_pending(PPI_PHYSICAL_TIMER));
	CHECK(guest_gic_is_pending(PPI_VIRTUAL_TIMER));
	physical_set(~0ull, 0);
	guest_gic_disable(PPI_PHYSICAL_TIMER);
	guest_irq_enable();
	CHECK(guest_wait(&fired_count, 100000));
	end();
}

#define BOTH(what) the_virtual_timer_##what, the_physical_timer_##what

AXTEST_MAIN(BOTH(fires_after_relative_ticks), BOTH(shows_its_status_while_masked),
	    BOTH(line_is_a_level), both_timers_fire_side_by_side)
