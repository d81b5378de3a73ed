// SPDX-License-Identifier: Apache-2.0
/*
 * The MC146818 [MC146818]. The time of day is worked out from the host's ticks when it is looked at; while
 * the guest sets it (SET, or the divider held) the registers are memory. One timer, for the next flag that
 * is enabled and not set yet: a guest that does not read register C gets no further interrupt.
 */
#include "rtc.h"

#include <axvm/hal.h>
#include <axvm/irq.h>
#include <axvm/vm.h>

#include "rtc_time.h"
#include "vm_state.h"

#define NEVER UINT64_MAX
#define RTC_IRQ 8u
#define CRYSTAL_HZ 32768u
#define UPDATE_SHIFT 12u /* UIP rises 1/4096 s, 244 us, before the second ends */

struct axvm_rtc {
	struct axvm_lock lock;
	/* All below: under the lock. */
	uint8_t index;
	uint8_t memory[128];   /* of the time: valid while it is stopped */
	bool level;	       /* of the interrupt line */
	uint64_t base_seconds; /* the time at base_ticks */
	uint64_t base_ticks;
	uint64_t seen_second; /* UF and AF tell of what came after it */
	uint64_t alarm_at;    /* the next second that the alarm matches; NEVER */
	uint64_t phase_ticks; /* when the periodic rate was set */
	uint64_t seen_period; /* PF tells of what came after it */
	uint64_t due;
	struct axvm_device device;
	struct axvm_timer timer;
};

/* ---- time ------------------------------------------------------------------------------------- */

static bool is_stopped(const struct axvm_rtc *rtc)
{
	return (rtc->memory[RTC_B] & RTC_B_SET) != 0 ||
	       (rtc->memory[RTC_A] & RTC_A_DIVIDER_RESET) == RTC_A_DIVIDER_RESET;
}

static uint64_t seconds_at(const struct axvm_rtc *rtc, uint64_t now)
{
	return rtc->base_seconds + (now - rtc->base_ticks) / axvm_hal_time_hz();
}

static uint64_t ticks_at(const struct axvm_rtc *rtc, uint64_t second)
{
	return rtc->base_ticks + (second - rtc->base_seconds) * axvm_hal_time_hz();
}

static bool is_updating(const struct axvm_rtc *rtc, uint64_t now)
{
	uint64_t hz = axvm_hal_time_hz();

	return !is_stopped(rtc) && (now - rtc->base_ticks) % hz >= hz - (hz >> UPDATE_SHIFT);
}

/* Clocks of the crystal in a period, as a shift; 0: register A selects none. */
static uint32_t period_shift(const struct axvm_rtc *rtc)
{
	uint32_t rate = rtc->memory[RTC_A] & RTC_A_RATE;

	if (rate == 0 || is_stopped(rtc))
		return 0;
	return rate < 3 ? rate + 6 : rate - 1; /* 1 and 2 are 256 Hz and 128 Hz, as 8 and 9 */
}

static uint64_t period_at(const struct axvm_rtc *rtc, uint64_t now)
{
	uint64_t hz = axvm_hal_time_hz();
	uint64_t ticks = now - rtc->phase_ticks;

	return (ticks / hz * CRYSTAL_HZ + ticks % hz * CRYSTAL_HZ / hz) >> period_shift(rtc);
}

static uint64_t period_ticks(const struct axvm_rtc *rtc, uint64_t period)
{
	uint64_t hz = axvm_hal_time_hz();
	uint64_t clocks = period << period_shift(rtc);

	return rtc->phase_ticks + clocks / CRYSTAL_HZ * hz +
	       (clocks % CRYSTAL_HZ * hz + CRYSTAL_HZ - 1) / CRYSTAL_HZ;
}

/* What is counted from now on: no flag tells of what was before. */
static void restart(struct axvm_rtc *rtc, uint64_t now)
{
	rtc->seen_second = seconds_at(rtc, now);
	rtc->alarm_at = axvm_rtc_next_alarm(rtc->memory, rtc->seen_second);
}

/* ---- flags and the line ------------------------------------------------------------------------ */

static void update_flags(struct axvm_rtc *rtc, uint64_t now)
{
	uint8_t *flags = &rtc->memory[RTC_C];

	if (!is_stopped(rtc) && seconds_at(rtc, now) > rtc->seen_second) {
		rtc->seen_second = seconds_at(rtc, now);
		*flags |= RTC_UPDATE;
		if (rtc->seen_second >= rtc->alarm_at) {
			*flags |= RTC_ALARM;
			rtc->alarm_at = axvm_rtc_next_alarm(rtc->memory, rtc->seen_second);
		}
	}
	if (period_shift(rtc) != 0 && period_at(rtc, now) != rtc->seen_period) {
		rtc->seen_period = period_at(rtc, now);
		*flags |= RTC_PERIODIC;
	}
}

static void update_line(struct axvm_rtc *rtc)
{
	uint8_t *flags = &rtc->memory[RTC_C];
	bool level = (*flags & rtc->memory[RTC_B] & RTC_EVENTS) != 0;

	*flags = (uint8_t)((*flags & RTC_EVENTS) | (level ? RTC_C_IRQ : 0));
	if (level == rtc->level)
		return;
	rtc->level = level;
	(void)axvm_irq_set_level(rtc->device.vm, RTC_IRQ, level);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void arm(struct axvm_rtc *rtc)
{
	uint8_t wanted = rtc->memory[RTC_B] & (uint8_t)~rtc->memory[RTC_C];

	rtc->due = NEVER;
	if (wanted & RTC_UPDATE && !is_stopped(rtc))
		rtc->due = ticks_at(rtc, rtc->seen_second + 1);
	if (wanted & RTC_ALARM && !is_stopped(rtc) && rtc->alarm_at != NEVER)
		rtc->due = earlier(rtc->due, ticks_at(rtc, rtc->alarm_at));
	if (wanted & RTC_PERIODIC && period_shift(rtc) != 0)
		rtc->due = earlier(rtc->due, period_ticks(rtc, rtc->seen_period + 1));
	if (rtc->due != NEVER)
		axvm_hal_timer_start(&rtc->timer, rtc->due);
}

static void expired(struct axvm_timer *timer)
{
	struct axvm_rtc *rtc =
		(struct axvm_rtc *)(void *)((char *)timer - offsetof(struct axvm_rtc, timer));

	axvm_lock_take(&rtc->lock);
	uint64_t now = axvm_hal_time_ticks();

	if (now >= rtc->due) {
		update_flags(rtc, now);
		update_line(rtc);
		arm(rtc);
	}
	axvm_lock_drop(&rtc->lock);
}

/* ---- registers ----------------------------------------------------------------------------------- */

static void stop_clock(struct axvm_rtc *rtc, uint64_t now)
{
	axvm_rtc_encode(rtc->memory, seconds_at(rtc, now));
}

static void start_clock(struct axvm_rtc *rtc, uint64_t now)
{
	rtc->base_seconds = axvm_rtc_decode(rtc->memory);
	rtc->base_ticks = now;
	restart(rtc, now);
}

/* Of a clock that runs: the second goes on where it is. */
static void write_time(struct axvm_rtc *rtc, uint8_t index, uint8_t value, uint64_t now)
{
	uint64_t second = seconds_at(rtc, now);

	axvm_rtc_encode(rtc->memory, second);
	rtc->memory[index] = value;
	rtc->base_ticks = ticks_at(rtc, second);
	rtc->base_seconds = axvm_rtc_decode(rtc->memory);
	restart(rtc, now);
}

static void write_control(struct axvm_rtc *rtc, uint8_t index, uint8_t value, uint64_t now)
{
	bool was_stopped = is_stopped(rtc);
	uint8_t rate = rtc->memory[RTC_A];

	if (index == RTC_A)
		value &= (uint8_t)~RTC_A_UPDATING;
	else if (value & RTC_B_SET)
		value &= (uint8_t)~RTC_UPDATE;
	rtc->memory[index] = value;
	if (was_stopped && !is_stopped(rtc))
		start_clock(rtc, now);
	else if (!was_stopped && is_stopped(rtc))
		stop_clock(rtc, now);
	else
		rtc->alarm_at = axvm_rtc_next_alarm(rtc->memory, rtc->seen_second);
	if (rate != rtc->memory[RTC_A] || was_stopped != is_stopped(rtc)) {
		rtc->phase_ticks = now;
		rtc->seen_period = 0;
	}
}

static void write_register(struct axvm_rtc *rtc, uint8_t index, uint8_t value, uint64_t now)
{
	switch (index) {
	case RTC_A:
	case RTC_B:
		write_control(rtc, index, value, now);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		if (axvm_rtc_is_time(index) && !is_stopped(rtc)) {
			write_time(rtc, index, value, now);
			break;
		}
		rtc->memory[index] = value;
		if (axvm_rtc_is_alarm(index))
			rtc->alarm_at = axvm_rtc_next_alarm(rtc->memory, rtc->seen_second);
		break;
	}
}

static uint8_t read_register(struct axvm_rtc *rtc, uint8_t index, uint64_t now)
{
	uint8_t value = rtc->memory[index];

	if (axvm_rtc_is_time(index) && !is_stopped(rtc)) {
		axvm_rtc_encode(rtc->memory, seconds_at(rtc, now));
		return rtc->memory[index];
	}
	if (index == RTC_A)
		return (uint8_t)(value | (is_updating(rtc, now) ? RTC_A_UPDATING : 0));
	if (index == RTC_C)
		rtc->memory[RTC_C] = 0;
	return value;
}

static uint64_t rtc_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	struct axvm_rtc *rtc = device->state;

	(void)vcpu;
	(void)bytes;
	if (offset == 0) /* can only be written */
		return 0xff;
	axvm_lock_take(&rtc->lock);
	uint64_t now = axvm_hal_time_ticks();

	update_flags(rtc, now);
	update_line(rtc);
	uint8_t value = read_register(rtc, rtc->index, now);

	if (rtc->index == RTC_C) {
		update_line(rtc);
		arm(rtc);
	}
	axvm_lock_drop(&rtc->lock);
	return value;
}

/* The high bit of the index masks the NMIs of a chipset; this one has none. */
static void rtc_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	struct axvm_rtc *rtc = device->state;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&rtc->lock);
	if (offset == 0) {
		rtc->index = value & 0x7f;
	} else {
		uint64_t now = axvm_hal_time_ticks();

		update_flags(rtc, now);
		write_register(rtc, rtc->index, (uint8_t)value, now);
		update_line(rtc);
		arm(rtc);
	}
	axvm_lock_drop(&rtc->lock);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static const struct axvm_device_type rtc_type = {
	.name = "rtc",
	.read = rtc_read,
	.write = rtc_write,
};

void axvm_rtc_fini(struct axvm_rtc *rtc)
{
	axvm_hal_timer_stop(&rtc->timer);
}

/* Time and memory outlive it, as they do with a battery. */
void axvm_rtc_reset(struct axvm_rtc *rtc)
{
	axvm_rtc_fini(rtc);
	axvm_lock_take(&rtc->lock);
	rtc->index = 0;
	rtc->memory[RTC_B] &= (uint8_t) ~(RTC_EVENTS | RTC_B_SQUARE_WAVE);
	rtc->memory[RTC_C] = 0;
	rtc->due = NEVER;
	update_line(rtc);
	axvm_lock_drop(&rtc->lock);
}

int axvm_rtc_make(struct axvm_vm *vm)
{
	struct axvm_rtc *rtc = axvm_vm_alloc(vm, sizeof(*rtc));

	if (!rtc)
		return AXVM_ENOMEM;
	axvm_lock_init(&rtc->lock, AXVM_LOCK_DEVICE);
	rtc->device =
		(struct axvm_device){ .type = &rtc_type, .vm = vm, .name = "rtc", .state = rtc };
	rtc->timer.expired = expired;
	rtc->memory[RTC_A] = 0x26; /* 32768 Hz, 1024 Hz: as every BIOS leaves it */
	rtc->memory[RTC_B] = RTC_B_24_HOURS;
	rtc->memory[RTC_D] = RTC_D_VALID;
	rtc->base_seconds = AXVM_RTC_START;
	rtc->base_ticks = axvm_hal_time_ticks();
	rtc->phase_ticks = rtc->base_ticks;
	restart(rtc, rtc->base_ticks);
	axvm_rtc_reset(rtc);
	/* Two regions: a word written to both is an index and its data. */
	int error = axvm_bus_attach(&vm->arch.ports, &rtc->device, 0x70, 1, 0);

	if (error == 0)
		error = axvm_bus_attach(&vm->arch.ports, &rtc->device, 0x71, 1, 1);
	if (error == 0)
		vm->arch.rtc = rtc;
	return error;
}
