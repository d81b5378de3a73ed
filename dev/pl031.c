// SPDX-License-Identifier: Apache-2.0
/*
 * PL031 real-time clock [PL031]. The machine has a monotonic counter and no calendar, so the
 * clock of every VM starts at one constant date when the VM is made; a guest may set it.
 */
#include <axvm/hal.h>
#include <axvm/irq.h>

#include "lock.h"
#include "table.h"
#include "vm_state.h"

enum pl031_register {
	DR = 0x000,
	MR = 0x004,
	LR = 0x008,
	CR = 0x00c,
	IMSC = 0x010,
	RIS = 0x014,
	MIS = 0x018,
	ICR = 0x01c,
	ID_FIRST = 0xfe0, /* PeriphID0 to 3, PCellID0 to 3 */
	ID_LAST = 0xffc,
};

#define START_SECONDS 1767225600u /* 2026-01-01T00:00:00Z */

struct pl031 {
	struct axvm_lock lock;
	/* All below: under the lock. */
	uint32_t base_seconds; /* the clock at base_ticks */
	uint32_t mr;
	uint32_t lr;
	bool pending;  /* RIS */
	bool unmasked; /* IMSC */
	bool level;    /* of the interrupt line */
	uint64_t base_ticks;
	uint64_t alarm_ticks; /* when the alarm is due; UINT64_MAX: none is set */
	struct axvm_device *device;
	struct axvm_timer timer;
};

static uint64_t elapsed_seconds(const struct pl031 *rtc)
{
	return (axvm_hal_time_ticks() - rtc->base_ticks) / axvm_hal_time_hz();
}

static uint32_t seconds_now(const struct pl031 *rtc)
{
	return rtc->base_seconds + (uint32_t)elapsed_seconds(rtc);
}

static void update_line(struct pl031 *rtc)
{
	bool level = rtc->pending && rtc->unmasked;

	if (level == rtc->level)
		return;
	rtc->level = level;
	(void)axvm_irq_set_level(rtc->device->vm, rtc->device->irq, level);
}

/* The next time that the clock becomes MR, at most 2^32 s away; now, when it is. */
static void set_alarm(struct pl031 *rtc)
{
	uint32_t left = rtc->mr - seconds_now(rtc);

	rtc->alarm_ticks = UINT64_MAX;
	if (left == 0) {
		rtc->pending = true;
		return;
	}
	rtc->alarm_ticks = rtc->base_ticks + (elapsed_seconds(rtc) + left) * axvm_hal_time_hz();
	axvm_hal_timer_start(&rtc->timer, rtc->alarm_ticks);
}

/* An alarm set anew between the expiry and the lock is not due, and has its own expiry. */
static void alarm_expired(struct axvm_timer *timer)
{
	struct pl031 *rtc = (struct pl031 *)(void *)((char *)timer - offsetof(struct pl031, timer));

	axvm_lock_take(&rtc->lock);
	if (axvm_hal_time_ticks() >= rtc->alarm_ticks) {
		rtc->alarm_ticks = UINT64_MAX;
		rtc->pending = true;
		update_line(rtc);
	}
	axvm_lock_drop(&rtc->lock);
}

static uint32_t identification(uint64_t offset)
{
	static const uint8_t bytes[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return bytes[(offset - ID_FIRST) / 4];
}

static uint32_t read_register(const struct pl031 *rtc, uint64_t offset)
{
	switch (offset) {
	case DR:
		return seconds_now(rtc);
	case MR:
		return rtc->mr;
	case LR:
		return rtc->lr;
	case CR:
		return 1; /* it always counts */
	case IMSC:
		return rtc->unmasked;
	case RIS:
		return rtc->pending;
	case MIS:
		return rtc->pending && rtc->unmasked;
	default:
		return 0;
	}
}

/* What is no register, or is not aligned to one, reads as zero and ignores writes. */
static uint64_t pl031_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			   unsigned bytes)
{
	struct pl031 *rtc = device->state;

	(void)vcpu;
	(void)bytes;
	if (offset >= ID_FIRST)
		return offset <= ID_LAST && offset % 4 == 0 ? identification(offset) : 0;

	axvm_lock_take(&rtc->lock);
	uint32_t value = read_register(rtc, offset);
	axvm_lock_drop(&rtc->lock);
	return value;
}

static void write_register(struct pl031 *rtc, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case MR:
		rtc->mr = value;
		set_alarm(rtc);
		break;
	case LR:
		rtc->lr = value;
		rtc->base_seconds = value;
		rtc->base_ticks = axvm_hal_time_ticks();
		set_alarm(rtc);
		break;
	case IMSC:
		rtc->unmasked = value & 1;
		break;
	case ICR:
		if (value & 1)
			rtc->pending = false;
		break;
	default:
		break;
	}
}

static void pl031_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			unsigned bytes, uint64_t value)
{
	struct pl031 *rtc = device->state;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&rtc->lock);
	write_register(rtc, offset, (uint32_t)value);
	update_line(rtc);
	axvm_lock_drop(&rtc->lock);
}

static void pl031_destroy(struct axvm_device *device)
{
	struct pl031 *rtc = device->state;

	axvm_hal_timer_stop(&rtc->timer);
}

/* The time of day outlives a reset, as it would with a battery. */
static void pl031_reset(struct axvm_device *device)
{
	struct pl031 *rtc = device->state;

	pl031_destroy(device);
	axvm_lock_take(&rtc->lock);
	rtc->mr = 0;
	rtc->lr = 0;
	rtc->alarm_ticks = UINT64_MAX;
	rtc->pending = false;
	rtc->unmasked = false;
	update_line(rtc);
	axvm_lock_drop(&rtc->lock);
}

static int pl031_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct pl031 *rtc = axvm_vm_alloc(device->vm, sizeof(*rtc));

	if (!rtc)
		return AXVM_ENOMEM;
	axvm_lock_init(&rtc->lock, AXVM_LOCK_DEVICE);
	rtc->device = device;
	rtc->base_seconds = START_SECONDS;
	rtc->base_ticks = axvm_hal_time_ticks();
	rtc->timer.expired = alarm_expired;
	device->state = rtc;
	device->irq = config->irq;
	pl031_reset(device);
	return axvm_bus_attach(&device->vm->mmio, device, config->base.addr, config->bytes, 0);
}

const struct axvm_device_type axvm_dev_pl031 = {
	.name = "pl031",
	.emu_type = AXVM_EMU_PL031,
	.create = pl031_create,
	.reset = pl031_reset,
	.destroy = pl031_destroy,
	.read = pl031_read,
	.write = pl031_write,
};
