// SPDX-License-Identifier: Apache-2.0
/* Time that passes only when a test says so, and the timers that then become due. */
#include "sim_private.h"

static uint64_t now;
static uint64_t frequency;
static struct axvm_timer *armed; /* by deadline, earliest first */

void axvm_sim_time_reset(uint64_t hz)
{
	now = 0;
	frequency = hz;
	armed = NULL;
}

uint64_t axvm_hal_time_ticks(void)
{
	return now;
}

uint64_t axvm_hal_time_hz(void)
{
	return frequency;
}

static void disarm(struct axvm_timer *timer)
{
	struct axvm_timer **at = &armed;

	while (*at != NULL && *at != timer)
		at = &(*at)->next;
	if (*at != NULL)
		*at = timer->next;
	timer->armed = 0;
}

void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks)
{
	struct axvm_timer **at = &armed;

	axvm_sim_lock();
	disarm(timer);
	while (*at != NULL && (*at)->deadline_ticks <= deadline_ticks)
		at = &(*at)->next;
	timer->deadline_ticks = deadline_ticks;
	timer->cpu = axvm_hal_cpu_id();
	timer->next = *at;
	timer->armed = 1;
	*at = timer;
	axvm_sim_unlock();
}

void axvm_hal_timer_stop(struct axvm_timer *timer)
{
	axvm_sim_lock();
	disarm(timer);
	axvm_sim_unlock();
}

/* Takes the first timer that is due at `end`, and moves the clock to its deadline. */
static struct axvm_timer *take_due(uint64_t end)
{
	axvm_sim_lock();
	struct axvm_timer *timer = armed;

	if (timer != NULL && timer->deadline_ticks <= end) {
		disarm(timer);
		if (timer->deadline_ticks > now)
			now = timer->deadline_ticks;
	} else {
		timer = NULL;
	}
	axvm_sim_unlock();
	return timer;
}

void axvm_sim_advance(uint64_t ticks)
{
	uint64_t end = now + ticks;
	struct axvm_timer *timer = take_due(end);

	if (axvm_sim_held_locks() > 0)
		axvm_hal_panic(__FILE__, __LINE__, "timers run with no lock held");
	while (timer != NULL) {
		timer->expired(timer);
		timer = take_due(end);
	}
	now = end;
}

void axvm_sim_set_ticks(uint64_t ticks)
{
	if (armed != NULL && ticks < now)
		axvm_hal_panic(__FILE__, __LINE__, "time goes backwards under an armed timer");
	now = ticks;
}

uint32_t axvm_sim_armed_timers(void)
{
	uint32_t count = 0;

	for (const struct axvm_timer *timer = armed; timer != NULL; timer = timer->next)
		count++;
	return count;
}
