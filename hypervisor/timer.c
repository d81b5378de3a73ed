/* SPDX-License-Identifier: Apache-2.0 */
/* One-shot timers: a sorted list per CPU over the CPU's hypervisor timer. */
#include "bare.h"

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

static bool take_out(struct axvm_cpu *cpu, struct axvm_timer *timer)
{
	struct axvm_timer **at = &cpu->timers;

	while (*at != NULL && *at != timer)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = timer->next;
	timer->armed = 0;
	return true;
}

void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks)
{
	struct axvm_cpu *cpu = axvm_bare_this_cpu();

	axvm_hal_timer_stop(timer);
	axvm_lock_take(&cpu->timers_lock);
	timer->deadline_ticks = deadline_ticks;
	insert(cpu, timer);
	if (cpu->timers == timer)
		program_first(cpu);
	axvm_lock_drop(&cpu->timers_lock);
}

void axvm_hal_timer_stop(struct axvm_timer *timer)
{
	struct axvm_cpu *cpu = &axvm_cpus[timer->cpu];
	bool mine = cpu == axvm_bare_this_cpu();

	axvm_lock_take(&cpu->timers_lock);
	if (timer->armed != 0) {
		(void)take_out(cpu, timer);
	} else if (!mine) {
		/* Its callback may be running on the other CPU. */
		while (cpu->running_timer == timer) {
			axvm_lock_drop(&cpu->timers_lock);
			axvm_lock_take(&cpu->timers_lock);
		}
	}
	axvm_lock_drop(&cpu->timers_lock);
}

void axvm_timer_interrupt(struct axvm_cpu *cpu)
{
	axvm_lock_take(&cpu->timers_lock);
	while (cpu->timers != NULL && cpu->timers->deadline_ticks <= axvm_hal_time_ticks()) {
		struct axvm_timer *timer = cpu->timers;
		cpu->timers = timer->next;
		timer->armed = 0;
		cpu->running_timer = timer;
		axvm_lock_drop(&cpu->timers_lock);
		timer->expired(timer);
		axvm_lock_take(&cpu->timers_lock);
		cpu->running_timer = NULL;
	}
	program_first(cpu);
	axvm_lock_drop(&cpu->timers_lock);
}
