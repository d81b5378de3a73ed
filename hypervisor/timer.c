/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-shot timers: a sorted list per CPU over the CPU's hypervisor timer.
 *
 * A callback takes its device's lock, and devices start their timers with that lock held: so a
 * start never waits for a callback. A stop does, since what follows it may free the timer.
 */
#include "bare.h"

#define CALLBACKS_MAX 32u /* in one interrupt: one that starts itself anew cannot hold the CPU */

static void program_first(struct axvm_cpu *cpu)
{
	axvm_bare_timer_program(cpu->timers == NULL ? UINT64_MAX : cpu->timers->deadline_ticks);
}

static void insert(struct axvm_cpu *cpu, struct axvm_timer *timer)
{
	struct axvm_timer **at = &cpu->timers;

	while (*at != NULL && (*at)->deadline_ticks <= timer->deadline_ticks)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
	timer->cpu = cpu->index;
	timer->armed = 1;
}

static void take_out(struct axvm_cpu *cpu, struct axvm_timer *timer)
{
	struct axvm_timer **at = &cpu->timers;

	while (*at != NULL && *at != timer)
		at = &(*at)->next;
	if (*at != NULL)
		*at = timer->next;
	timer->armed = 0;
}

static void set_running(struct axvm_cpu *cpu, struct axvm_timer *timer)
{
	/* release: pairs with the acquire in runs_elsewhere */
	__atomic_store_n(&cpu->running_timer, timer, __ATOMIC_RELEASE);
}

/* Whether its callback runs, other than around the caller. */
static bool runs_elsewhere(const struct axvm_timer *timer)
{
	const struct axvm_cpu *own = axvm_bare_this_cpu();

	for (uint32_t i = 0; i < axvm_cpu_count_present; i++) {
		const struct axvm_cpu *cpu = &axvm_cpus[i];
		if (cpu != own && __atomic_load_n(&cpu->running_timer, __ATOMIC_ACQUIRE) == timer)
			return true;
	}
	return false;
}

/*
 * Takes it off its list. Returns whether its callback runs, as seen in one step with the removal: a
 * callback begins under the lock of the list.
 */
static bool disarm(struct axvm_timer *timer)
{
	struct axvm_cpu *cpu = &axvm_cpus[timer->cpu];

	axvm_lock_take(&cpu->timers_lock);
	if (timer->armed != 0)
		take_out(cpu, timer);
	bool runs = runs_elsewhere(timer);
	axvm_lock_drop(&cpu->timers_lock);
	return runs;
}

void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks)
{
	struct axvm_cpu *cpu = axvm_bare_this_cpu();

	(void)disarm(timer);
	axvm_lock_take(&cpu->timers_lock);
	timer->deadline_ticks = deadline_ticks;
	insert(cpu, timer);
	if (cpu->timers == timer)
		program_first(cpu);
	axvm_lock_drop(&cpu->timers_lock);
}

void axvm_hal_timer_stop(struct axvm_timer *timer)
{
	while (disarm(timer))
		;
}

void axvm_timer_interrupt(struct axvm_cpu *cpu)
{
	uint32_t left = CALLBACKS_MAX;

	axvm_lock_take(&cpu->timers_lock);
	while (cpu->timers != NULL && left-- > 0 &&
	       cpu->timers->deadline_ticks <= axvm_hal_time_ticks()) {
		struct axvm_timer *timer = cpu->timers;
		cpu->timers = timer->next;
		timer->armed = 0;
		set_running(cpu, timer);
		axvm_lock_drop(&cpu->timers_lock);
		timer->expired(timer);
		set_running(cpu, NULL);
		axvm_lock_take(&cpu->timers_lock);
	}
	program_first(cpu);
	axvm_lock_drop(&cpu->timers_lock);
}
