// SPDX-License-Identifier: Apache-2.0
/*
 * The local APIC's timer [SDM3 11.5.4]. A host timer runs for the next expiry while the entry of the LVT
 * lets it through; the count is computed when it is read. The host's callback only tells the vCPU: what
 * follows, and the next period, is done on the vCPU's own CPU, so a guest that asks for an expiry every few
 * ticks gets as many as it can take, and nobody else pays.
 */
#include "exit.h"
#include "lapic_private.h"

#define NEVER UINT64_MAX
/* Of a periodic timer the host's runs no more often than hz >> 14: every 61 microseconds. */
#define HZ_SHIFT 14u

static uint32_t mode_of(const struct axvm_lapic *lapic)
{
	return LAPIC_LVT_TIMER_MODE(lapic_look(&lapic->lvt[AXVM_LAPIC_TIMER]));
}

static uint32_t shift_of(const struct axvm_lapic *lapic)
{
	uint32_t code = (lapic->divide & 3) | (lapic->divide >> 1 & 4);

	return AXVM_LAPIC_CLOCK_SHIFT + ((code + 1) & 7);
}

static void expired(struct axvm_timer *timer)
{
	char *arch = (char *)timer - offsetof(struct axvm_vcpu, arch.lapic.timer);

	axvm_lapic_signal((struct axvm_vcpu *)(void *)arch, AXVM_LAPIC_TIMER);
}

void axvm_lapic_timer_init(struct axvm_vcpu *vcpu)
{
	vcpu->arch.lapic.timer.expired = expired;
	vcpu->arch.lapic.timer_due = NEVER;
}

void axvm_lapic_timer_stop(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	axvm_hal_timer_stop(&lapic->timer);
	lapic->initial_count = 0;
	lapic->timer_period = 0;
	lapic->timer_due = NEVER;
	lapic->tsc_deadline = 0;
}

/* From `due` on by whole periods, to the first that is after `now`. */
static uint64_t next_due(const struct axvm_lapic *lapic, uint64_t now)
{
	uint64_t late = now - lapic->timer_due;

	return now + lapic->timer_period - late % lapic->timer_period;
}

static void arm(struct axvm_lapic *lapic, uint64_t earliest)
{
	uint32_t lvt = lapic_look(&lapic->lvt[AXVM_LAPIC_TIMER]);

	if (lapic->timer_due == NEVER || (lvt & LAPIC_LVT_MASKED) != 0)
		axvm_hal_timer_stop(&lapic->timer);
	else
		axvm_hal_timer_start(&lapic->timer,
				     lapic->timer_due > earliest ? lapic->timer_due : earliest);
}

bool axvm_lapic_timer_expire(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint64_t now = axvm_hal_time_ticks();

	if (lapic->timer_due > now)
		return false; /* of a deadline that was changed since */
	if (mode_of(lapic) == LAPIC_TIMER_PERIODIC) {
		lapic->timer_due = next_due(lapic, now);
		arm(lapic, now + (axvm_hal_time_hz() >> HZ_SHIFT));
	} else {
		lapic->timer_due = NEVER;
		lapic->tsc_deadline = 0;
	}
	return true;
}

/* What has passed while the entry was masked is lost. */
static void skip_passed(struct axvm_lapic *lapic, uint64_t now)
{
	if (lapic->timer_due > now)
		return;
	if (mode_of(lapic) == LAPIC_TIMER_PERIODIC) {
		lapic->timer_due = next_due(lapic, now);
		return;
	}
	lapic->timer_due = NEVER;
	lapic->tsc_deadline = 0;
}

/* An expiry that is due and not told yet comes before a change, under the entry as it is. */
static void settle(struct axvm_vcpu *vcpu, uint64_t now)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (lapic->timer_due > now)
		return;
	if ((lapic_look(&lapic->lvt[AXVM_LAPIC_TIMER]) & LAPIC_LVT_MASKED) != 0) {
		skip_passed(lapic, now);
		return;
	}
	axvm_lapic_signal(vcpu, AXVM_LAPIC_TIMER);
	axvm_lapic_service(vcpu);
}

/* Between the deadline and the counting modes nothing is carried over [SDM3 11.5.4.1]. */
void axvm_lapic_timer_set_lvt(struct axvm_vcpu *vcpu, uint32_t lvt)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t before = mode_of(lapic);
	uint32_t after = LAPIC_LVT_TIMER_MODE(lvt);

	settle(vcpu, axvm_hal_time_ticks());
	lapic_put(&lapic->lvt[AXVM_LAPIC_TIMER], lvt);
	if (before != after && (before >= LAPIC_TIMER_DEADLINE || after >= LAPIC_TIMER_DEADLINE))
		axvm_lapic_timer_stop(vcpu);
	arm(lapic, 0);
}

void axvm_lapic_timer_set_count(struct axvm_vcpu *vcpu, uint32_t count)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint64_t now = axvm_hal_time_ticks();

	if (mode_of(lapic) >= LAPIC_TIMER_DEADLINE)
		return;
	settle(vcpu, now);
	lapic->initial_count = count;
	lapic->timer_period = (uint64_t)count << shift_of(lapic);
	lapic->timer_due = count == 0 ? NEVER : now + lapic->timer_period;
	arm(lapic, 0);
}

static uint64_t ticks_left(const struct axvm_lapic *lapic, uint64_t now)
{
	if (lapic->timer_due == NEVER)
		return 0;
	if (lapic->timer_due > now)
		return lapic->timer_due - now;
	return mode_of(lapic) == LAPIC_TIMER_PERIODIC ? next_due(lapic, now) - now : 0;
}

uint32_t axvm_lapic_timer_count(const struct axvm_vcpu *vcpu)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t shift = shift_of(lapic);

	if (mode_of(lapic) >= LAPIC_TIMER_DEADLINE)
		return 0;
	uint64_t left = ticks_left(lapic, axvm_hal_time_ticks());

	return (uint32_t)((left + (1u << shift) - 1) >> shift);
}

void axvm_lapic_timer_set_divide(struct axvm_vcpu *vcpu, uint32_t divide)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint64_t now = axvm_hal_time_ticks();

	settle(vcpu, now);
	uint64_t left = axvm_lapic_timer_count(vcpu);

	lapic->divide = divide;
	if (mode_of(lapic) >= LAPIC_TIMER_DEADLINE || lapic->timer_due == NEVER)
		return;
	lapic->timer_period = (uint64_t)lapic->initial_count << shift_of(lapic);
	lapic->timer_due = now + (left << shift_of(lapic));
	arm(lapic, 0);
}

uint64_t axvm_lapic_timer_deadline(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.lapic.tsc_deadline;
}

/* [SDM3 11.5.4.1] A deadline that lies beyond the end of the host's counter never comes. */
void axvm_lapic_timer_set_deadline(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint64_t now = axvm_hal_time_ticks();
	uint64_t guest_now = now + vcpu->arch.tsc_offset;

	if (mode_of(lapic) != LAPIC_TIMER_DEADLINE)
		return;
	settle(vcpu, now);
	lapic->tsc_deadline = deadline;
	if (deadline == 0) {
		lapic->timer_due = NEVER;
	} else if (deadline <= guest_now) {
		lapic->timer_due = now;
		axvm_lapic_signal(vcpu, AXVM_LAPIC_TIMER);
		return; /* what the host's timer still says is that it is due */
	} else {
		uint64_t left = deadline - guest_now;

		lapic->timer_due = left < NEVER - now ? now + left : NEVER;
	}
	arm(lapic, 0);
}

void axvm_lapic_tsc_changed(struct axvm_vcpu *vcpu)
{
	if (vcpu->arch.lapic.tsc_deadline != 0)
		axvm_lapic_timer_set_deadline(vcpu, vcpu->arch.lapic.tsc_deadline);
}
