// SPDX-License-Identifier: Apache-2.0
/*
 * The 8254 [8254]. Nothing ticks: a channel knows how many clocks it has counted until some moment, and all
 * that can be seen is worked out from that. Only channel 0 has a timer, for the next rise of its output.
 */
#include "pit.h"

#include <axvm/hal.h>
#include <axvm/irq.h>
#include <axvm/vm.h>

#include "vm_state.h"

#define PIT_HZ 1193182u
#define CHANNELS 3u
#define SPEAKER 2u /* the channel whose gate is in port 0x61 */
/* Rises of a periodic output that are closer than this are one interrupt. */
#define RISES_PER_SECOND_MAX 10000u
#define NEVER UINT64_MAX

enum { CONTROL = 3, PORT_61 = 4 }; /* offsets behind the channels */

enum {
	READ_BACK_NO_COUNT = 1 << 5,
	READ_BACK_NO_STATUS = 1 << 4,
	STATUS_OUTPUT = 1 << 7,
	STATUS_NULL = 1 << 6,
	PORT_61_GATE = 1 << 0,
	PORT_61_WRITABLE = 0xf,
	PORT_61_REFRESH = 1 << 4,
	PORT_61_OUTPUT = 1 << 5,
};
#define REFRESH_CLOCKS 18u /* 15 us */

enum pit_access { LOW = 1, HIGH = 2, LOW_THEN_HIGH = 3 };

enum pit_mode {
	TERMINAL_COUNT,
	ONE_SHOT,
	RATE,
	SQUARE,
	SOFTWARE_STROBE,
	HARDWARE_STROBE,
};

struct pit_channel {
	uint8_t mode;	/* enum pit_mode */
	uint8_t access; /* enum pit_access */
	bool bcd;
	bool gate;
	bool running;  /* clocks are counted */
	bool started;  /* `count` is being or was counted down: loaded, triggered */
	bool switches; /* `reload` takes the place of `count` after `switch_at` clocks */
	bool null;     /* `reload` is not in the counter yet */
	bool wants_high;
	bool reads_high;
	bool has_status;
	uint8_t low;
	uint8_t status;
	uint8_t latched_bytes; /* yet to be read */
	uint16_t latched;
	uint32_t count;	  /* 1 to 0x10000 */
	uint32_t reload;  /* as written last; 0: not yet */
	uint64_t counted; /* clocks, until `since` */
	uint64_t since;	  /* host ticks */
	uint64_t switch_at;
};

struct axvm_pit {
	struct axvm_lock lock;
	/* All below: under the lock. */
	struct pit_channel channels[CHANNELS];
	uint8_t port_61;
	bool due_is_rise; /* else a new count takes over */
	uint64_t due;	  /* host ticks; NEVER: nothing is */
	uint64_t last_rise;
	struct axvm_device *device;
	struct axvm_timer timer;
};

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t clocks_of(uint64_t ticks)
{
	uint64_t hz = axvm_hal_time_hz();

	return ticks / hz * PIT_HZ + ticks % hz * PIT_HZ / hz;
}

/* The first tick at which so many clocks have passed. */
static uint64_t ticks_of(uint64_t clocks)
{
	uint64_t hz = axvm_hal_time_hz();

	return clocks / PIT_HZ * hz + (clocks % PIT_HZ * hz + PIT_HZ - 1) / PIT_HZ;
}

static uint64_t counted_at(const struct pit_channel *channel, uint64_t now)
{
	return channel->counted + (channel->running ? clocks_of(now - channel->since) : 0);
}

static bool is_periodic(const struct pit_channel *channel)
{
	return channel->mode == RATE || channel->mode == SQUARE;
}

static bool is_triggered(const struct pit_channel *channel)
{
	return channel->mode == ONE_SHOT || channel->mode == HARDWARE_STROBE;
}

/* An odd count is high for one clock more than it is low. */
static uint32_t high_clocks(uint32_t count)
{
	return (count + 1) / 2;
}

/* A new count of a periodic mode takes over at the end of the period, of the half in mode 3. */
static void catch_up(struct pit_channel *channel, uint64_t now)
{
	if (!channel->switches || counted_at(channel, now) < channel->switch_at)
		return;
	bool half = channel->switch_at % channel->count != 0;

	channel->since += ticks_of(channel->switch_at - channel->counted);
	channel->counted = half ? high_clocks(channel->reload) : 0;
	channel->count = channel->reload;
	channel->switches = false;
	channel->null = false;
}

/* ---- what can be seen ------------------------------------------------------------------------- */

static bool output_at(const struct pit_channel *channel, uint64_t now)
{
	uint64_t counted = counted_at(channel, now);
	uint32_t count = channel->count;

	if (!channel->started)
		return channel->mode != TERMINAL_COUNT;
	switch (channel->mode) {
	case RATE:
		return !channel->gate || counted % count != count - 1;
	case SQUARE:
		return !channel->gate || counted % count < high_clocks(count);
	case SOFTWARE_STROBE:
	case HARDWARE_STROBE:
		return counted != count;
	default:
		return counted >= count;
	}
}

static uint32_t square_counter(const struct pit_channel *channel, uint64_t counted)
{
	uint32_t phase = (uint32_t)(counted % channel->count);
	uint32_t high = high_clocks(channel->count);

	return (channel->count & ~1u) - 2 * (phase < high ? phase : phase - high);
}

static uint32_t to_bcd(uint32_t value)
{
	return value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 % 10 << 12;
}

/* Digits above 9 count as what they are. */
static uint32_t from_bcd(uint32_t value)
{
	return ((value & 0xf) + (value >> 4 & 0xf) * 10 + (value >> 8 & 0xf) * 100 +
		(value >> 12 & 0xf) * 1000) %
	       10000;
}

static uint16_t counter_at(const struct pit_channel *channel, uint64_t now)
{
	uint64_t counted = counted_at(channel, now);
	uint32_t modulus = channel->bcd ? 10000 : 0x10000;
	uint32_t value;

	if (!channel->started)
		value = channel->reload;
	else if (channel->mode == RATE)
		value = channel->count - (uint32_t)(counted % channel->count);
	else if (channel->mode == SQUARE)
		value = square_counter(channel, counted);
	else
		value = channel->count + modulus - (uint32_t)(counted % modulus);
	value %= modulus;
	return (uint16_t)(channel->bcd ? to_bcd(value) : value);
}

/* The clock at which the output rises next, after `counted`. */
static uint64_t next_rise(const struct pit_channel *channel, uint64_t counted)
{
	uint32_t count = channel->count;

	if (!channel->running || !channel->started)
		return NEVER;
	switch (channel->mode) {
	case RATE:
	case SQUARE:
		return (counted / count + 1) * count;
	case TERMINAL_COUNT:
	case ONE_SHOT:
		return counted < count ? count : NEVER;
	default:
		return counted <= count ? (uint64_t)count + 1 : NEVER;
	}
}

/* ---- channel 0's interrupt --------------------------------------------------------------------- */

static void arm(struct axvm_pit *pit, uint64_t now)
{
	const struct pit_channel *channel = &pit->channels[0];
	uint64_t clock = next_rise(channel, counted_at(channel, now));

	pit->due = NEVER;
	pit->due_is_rise = true;
	if (channel->switches && channel->switch_at <= clock) {
		clock = channel->switch_at;
		pit->due_is_rise = clock % channel->count == 0;
	}
	if (clock == NEVER)
		return;
	uint64_t earliest = pit->last_rise + axvm_hal_time_hz() / RISES_PER_SECOND_MAX;

	pit->due = channel->since + ticks_of(clock - channel->counted);
	if (is_periodic(channel) && pit->due < earliest)
		pit->due = earliest;
	axvm_hal_timer_start(&pit->timer, pit->due);
}

/* Rises that the host was late for are one. A guest's access may come before the late timer does. */
static void run_due(struct axvm_pit *pit, uint64_t now)
{
	if (now < pit->due)
		return;
	if (pit->due_is_rise) {
		pit->last_rise = now;
		(void)axvm_irq_pulse(pit->device->vm, pit->device->irq);
	}
	catch_up(&pit->channels[0], now);
	arm(pit, now);
}

static void expired(struct axvm_timer *timer)
{
	struct axvm_pit *pit =
		(struct axvm_pit *)(void *)((char *)timer - offsetof(struct axvm_pit, timer));

	axvm_lock_take(&pit->lock);
	run_due(pit, axvm_hal_time_ticks());
	axvm_lock_drop(&pit->lock);
}

/* ---- what a guest does ------------------------------------------------------------------------- */

static void start(struct pit_channel *channel, uint64_t now, bool running)
{
	channel->count = channel->reload;
	channel->counted = 0;
	channel->since = now;
	channel->running = running;
	channel->started = true;
	channel->switches = false;
	channel->null = false;
}

static void load(struct pit_channel *channel, uint32_t value, uint64_t now)
{
	if (channel->bcd)
		value = from_bcd(value);
	channel->reload = value ? value : channel->bcd ? 10000 : 0x10000;
	channel->null = true;
	if (is_triggered(channel))
		return;
	if (!is_periodic(channel) || !channel->started) {
		start(channel, now, channel->gate);
		return;
	}
	uint64_t counted = counted_at(channel, now);
	uint64_t period = counted - counted % channel->count;
	uint32_t high = high_clocks(channel->count);
	bool half = channel->mode == SQUARE && counted - period < high;

	channel->switches = true;
	channel->switch_at = period + (half ? high : channel->count);
}

static void write_count(struct pit_channel *channel, uint8_t value, uint64_t now)
{
	if (channel->access == LOW) {
		load(channel, value, now);
	} else if (channel->access == HIGH) {
		load(channel, (uint32_t)value << 8, now);
	} else if (!channel->wants_high) {
		channel->wants_high = true;
		channel->low = value;
		if (channel->mode == TERMINAL_COUNT) { /* the first byte stops it */
			channel->running = false;
			channel->started = false;
		}
	} else {
		channel->wants_high = false;
		load(channel, (uint32_t)value << 8 | channel->low, now);
	}
}

static void latch_count(struct pit_channel *channel, uint64_t now)
{
	if (channel->latched_bytes > 0)
		return;
	channel->latched = counter_at(channel, now);
	channel->latched_bytes = channel->access == LOW_THEN_HIGH ? 2 : 1;
}

static void latch_status(struct pit_channel *channel, uint64_t now)
{
	if (channel->has_status)
		return;
	channel->has_status = true;
	channel->status = (uint8_t)((output_at(channel, now) ? STATUS_OUTPUT : 0) |
				    (channel->null ? STATUS_NULL : 0) | channel->access << 4 |
				    channel->mode << 1 | channel->bcd);
}

static void read_back(struct axvm_pit *pit, uint8_t value, uint64_t now)
{
	for (uint32_t i = 0; i < CHANNELS; i++) {
		if ((value >> (i + 1) & 1) == 0)
			continue;
		if ((value & READ_BACK_NO_COUNT) == 0)
			latch_count(&pit->channels[i], now);
		if ((value & READ_BACK_NO_STATUS) == 0)
			latch_status(&pit->channels[i], now);
	}
}

static void write_control(struct axvm_pit *pit, uint8_t value, uint64_t now)
{
	if (value >> 6 == CHANNELS) {
		read_back(pit, value, now);
		return;
	}
	struct pit_channel *channel = &pit->channels[value >> 6];
	uint8_t access = value >> 4 & 3;
	uint8_t mode = value >> 1 & 7;

	if (access == 0) {
		latch_count(channel, now);
		return;
	}
	*channel = (struct pit_channel){
		.mode = mode > HARDWARE_STROBE ? mode & 3 : mode,
		.access = access,
		.bcd = value & 1,
		.gate = channel->gate,
		.null = true,
	};
}

static void set_gate(struct pit_channel *channel, bool gate, uint64_t now)
{
	bool rises = gate && !channel->gate;
	bool falls = !gate && channel->gate;

	channel->gate = gate;
	if (rises && (is_triggered(channel) || is_periodic(channel))) {
		if (channel->reload != 0)
			start(channel, now, true);
	} else if (rises) {
		channel->since = now;
		channel->running = channel->started;
	} else if (falls && !is_triggered(channel)) {
		channel->counted = counted_at(channel, now);
		channel->running = false;
	}
}

static uint8_t read_latched(struct pit_channel *channel)
{
	bool high = channel->access == HIGH ||
		    (channel->access == LOW_THEN_HIGH && channel->latched_bytes == 1);

	channel->latched_bytes--;
	return (uint8_t)(high ? channel->latched >> 8 : channel->latched);
}

static uint8_t read_channel(struct pit_channel *channel, uint64_t now)
{
	if (channel->has_status) {
		channel->has_status = false;
		return channel->status;
	}
	if (channel->latched_bytes > 0)
		return read_latched(channel);
	bool high = channel->access == HIGH ||
		    (channel->access == LOW_THEN_HIGH && channel->reads_high);
	uint16_t value = counter_at(channel, now);

	channel->reads_high = channel->access == LOW_THEN_HIGH && !high;
	return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t read_port_61(const struct axvm_pit *pit, uint64_t now)
{
	bool refresh = clocks_of(now) / REFRESH_CLOCKS & 1;
	bool output = output_at(&pit->channels[SPEAKER], now);

	return (uint8_t)(pit->port_61 | (refresh ? PORT_61_REFRESH : 0) |
			 (output ? PORT_61_OUTPUT : 0));
}

static void catch_up_all(struct axvm_pit *pit, uint64_t now)
{
	run_due(pit, now);
	for (uint32_t i = 0; i < CHANNELS; i++)
		catch_up(&pit->channels[i], now);
}

static uint64_t pit_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	struct axvm_pit *pit = device->state;
	uint8_t value = 0xff; /* nobody drives the bus */

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&pit->lock);
	uint64_t now = axvm_hal_time_ticks();

	catch_up_all(pit, now);
	if (offset < CHANNELS)
		value = read_channel(&pit->channels[offset], now);
	else if (offset == PORT_61)
		value = read_port_61(pit, now);
	axvm_lock_drop(&pit->lock);
	return value;
}

static void write_port_61(struct axvm_pit *pit, uint8_t value, uint64_t now)
{
	pit->port_61 = value & PORT_61_WRITABLE;
	set_gate(&pit->channels[SPEAKER], value & PORT_61_GATE, now);
}

static void pit_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	struct axvm_pit *pit = device->state;
	bool of_channel_0 = offset == 0 || (offset == CONTROL && (value & 0xf0) < 0x40);

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&pit->lock);
	uint64_t now = axvm_hal_time_ticks();

	catch_up_all(pit, now);
	if (offset < CHANNELS)
		write_count(&pit->channels[offset], (uint8_t)value, now);
	else if (offset == CONTROL)
		write_control(pit, (uint8_t)value, now);
	else
		write_port_61(pit, (uint8_t)value, now);
	if (of_channel_0)
		arm(pit, now);
	axvm_lock_drop(&pit->lock);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void pit_destroy(struct axvm_device *device)
{
	struct axvm_pit *pit = device->state;

	axvm_hal_timer_stop(&pit->timer);
}

/* The manual leaves the power-on state open: nothing counts until a guest has said what. */
static void pit_reset(struct axvm_device *device)
{
	struct axvm_pit *pit = device->state;

	pit_destroy(device);
	axvm_lock_take(&pit->lock);
	for (uint32_t i = 0; i < CHANNELS; i++)
		pit->channels[i] = (struct pit_channel){
			.access = LOW_THEN_HIGH,
			.gate = i != SPEAKER,
			.null = true,
		};
	pit->port_61 = 0;
	pit->due = NEVER;
	axvm_lock_drop(&pit->lock);
}

static int pit_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_bus *ports = &device->vm->arch.ports;

	if (config->bytes < CONTROL + 1)
		return AXVM_EINVAL;
	struct axvm_pit *pit = axvm_vm_alloc(device->vm, sizeof(*pit));

	if (!pit)
		return AXVM_ENOMEM;
	axvm_lock_init(&pit->lock, AXVM_LOCK_DEVICE);
	pit->device = device;
	pit->timer.expired = expired;
	device->state = pit;
	device->irq = config->irq;
	pit_reset(device);
	int error = axvm_bus_attach(ports, device, config->base.addr, CONTROL + 1, 0);

	if (error == 0)
		error = axvm_bus_attach(ports, device, 0x61, 1, PORT_61);
	if (error == 0)
		device->vm->arch.pit = pit;
	return error;
}

const struct axvm_device_type axvm_pit_device_type = {
	.name = "pit",
	.emu_type = AXVM_EMU_X86_PIT,
	.create = pit_create,
	.reset = pit_reset,
	.destroy = pit_destroy,
	.read = pit_read,
	.write = pit_write,
};
