// SPDX-License-Identifier: Apache-2.0
/*
 * The ports by which a guest ends its VM. A device's write has no result, so it is noted in the vCPU that
 * wrote, and port.c asks for it.
 */
#include "power.h"

#include <axvm/hal.h>
#include <axvm/vm.h>

#include "acpi.h"
#include "vm_state.h"

#define PM_TIMER_HZ 3579545u /* [ACPI 4.8.2.1] */

enum power_register {		 /* offsets within the device: one byte each, whatever the port */
		      EVENT = 0, /* status and enable, 16 bits each */
		      CONTROL = 4,
		      TIMER = 8,
		      RESET = 12,
		      FAST_A20 = 13,
		      KEYBOARD_DATA = 14,
		      KEYBOARD_COMMAND = 15,
		      DELAY = 16,
};

enum {
	CONTROL_SCI = 1 << 0, /* there is no SMI mode to leave */
	CONTROL_SLEEP_TYPE_SHIFT = 10,
	CONTROL_SLEEP = 1 << 13,
	RESET_FULL = 1 << 1,
	RESET_CPU = 1 << 2,
	FAST_A20_RESET = 1 << 0,
	FAST_A20_ON = 1 << 1,
	KEYBOARD_PULSE_RESET = 0xfe,
};

struct axvm_power {
	struct axvm_lock lock;
	uint16_t enable;  /* under the lock; no event ever happens */
	uint16_t control; /* under the lock */
	uint8_t reset;	  /* under the lock */
	struct axvm_device device;
};

static void end(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason)
{
	vcpu->exit = (struct axvm_exit){ .reason = reason };
	vcpu->arch.has_ended_vm = true;
}

bool axvm_power_has_ended(struct axvm_vcpu *vcpu)
{
	bool ended = vcpu->arch.has_ended_vm;

	vcpu->arch.has_ended_vm = false;
	return ended;
}

static uint32_t timer_now(void)
{
	uint64_t ticks = axvm_hal_time_ticks();
	uint64_t hz = axvm_hal_time_hz();

	return (uint32_t)(ticks / hz * PM_TIMER_HZ + ticks % hz * PM_TIMER_HZ / hz);
}

/* The registers from 0 on as one string of bytes. */
static uint64_t read_acpi(const struct axvm_power *power, uint64_t offset)
{
	if (offset >= TIMER)
		return (uint64_t)timer_now() >> 8 * (offset - TIMER);
	if (offset >= CONTROL)
		return (uint64_t)power->control >> 8 * (offset - CONTROL);
	return (uint64_t)power->enable << 16 >> 8 * (offset - EVENT);
}

static uint64_t power_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			   unsigned bytes)
{
	struct axvm_power *power = device->state;
	uint64_t value;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&power->lock);
	switch (offset) {
	case RESET:
		value = power->reset;
		break;
	case FAST_A20:
		value = FAST_A20_ON;
		break;
	case KEYBOARD_DATA:
	case KEYBOARD_COMMAND: /* nothing to read, ready to be written */
		value = 0;
		break;
	case DELAY:
		value = 0xff;
		break;
	default:
		value = read_acpi(power, offset);
		break;
	}
	axvm_lock_drop(&power->lock);
	return value;
}

/* `value` in the bytes from `shift` on of a register. */
static uint16_t merge(uint16_t old, uint64_t shift, unsigned bytes, uint64_t value)
{
	uint64_t mask = bytes == 1 ? 0xff : 0xffff;

	return (uint16_t)((old & ~(mask << shift)) | (value & mask) << shift);
}

static void write_control(struct axvm_power *power, struct axvm_vcpu *vcpu, uint16_t value)
{
	uint32_t type = value >> CONTROL_SLEEP_TYPE_SHIFT & 7;

	power->control = (uint16_t)((value & ~CONTROL_SLEEP) | CONTROL_SCI);
	if (value & CONTROL_SLEEP && type == AXVM_ACPI_S5_TYPE)
		end(vcpu, AXVM_EXIT_SHUTDOWN);
}

static void write_acpi(struct axvm_power *power, struct axvm_vcpu *vcpu, uint64_t offset,
		       unsigned bytes, uint64_t value)
{
	if (offset >= CONTROL) {
		uint64_t shift = 8 * (offset - CONTROL);

		write_control(power, vcpu, merge(power->control, shift, bytes, value));
		return;
	}
	/* The status clears with ones what is not there; behind it stands the enable register. */
	if (offset < EVENT + 2 && bytes < 4)
		return;
	if (offset < EVENT + 2) {
		value >>= 16;
		offset = EVENT + 2;
		bytes = 2;
	}
	power->enable = merge(power->enable, 8 * (offset - EVENT - 2), bytes, value);
}

/* A rise of the bit resets. */
static void write_reset(struct axvm_power *power, struct axvm_vcpu *vcpu, uint8_t value)
{
	bool rises = value & ~power->reset & RESET_CPU;

	power->reset = value & (RESET_FULL | RESET_CPU);
	if (rises)
		end(vcpu, AXVM_EXIT_RESET);
}

static void write_locked(struct axvm_power *power, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes, uint64_t value)
{
	switch (offset) {
	case RESET:
		write_reset(power, vcpu, (uint8_t)value);
		break;
	case FAST_A20:
		if (value & FAST_A20_RESET)
			end(vcpu, AXVM_EXIT_RESET);
		break;
	case KEYBOARD_COMMAND:
		if (value == KEYBOARD_PULSE_RESET)
			end(vcpu, AXVM_EXIT_RESET);
		break;
	case KEYBOARD_DATA:
	case DELAY:
		break;
	default:
		if (offset < TIMER)
			write_acpi(power, vcpu, offset, bytes, value);
		break;
	}
}

static void power_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			unsigned bytes, uint64_t value)
{
	struct axvm_power *power = device->state;

	axvm_lock_take(&power->lock);
	write_locked(power, vcpu, offset, bytes, value);
	axvm_lock_drop(&power->lock);
}

static const struct axvm_device_type power_type = {
	.name = "power",
	.read = power_read,
	.write = power_write,
};

void axvm_power_reset(struct axvm_power *power)
{
	axvm_lock_take(&power->lock);
	power->enable = 0;
	power->control = CONTROL_SCI;
	power->reset = 0;
	axvm_lock_drop(&power->lock);
}

static int attach_all(struct axvm_power *power)
{
	static const struct {
		uint16_t port, bytes, offset;
	} regions[] = {
		{ AXVM_ACPI_PM1A_EVENT, 4, EVENT },
		{ AXVM_ACPI_PM1A_CONTROL, 2, CONTROL },
		{ AXVM_ACPI_PM_TIMER, 4, TIMER },
		{ AXVM_ACPI_RESET, 1, RESET },
		{ 0x92, 1, FAST_A20 },
		{ 0x60, 1, KEYBOARD_DATA },
		{ 0x64, 1, KEYBOARD_COMMAND },
		{ 0x80, 1, DELAY },
		{ 0xed, 1, DELAY },
	};
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < sizeof(regions) / sizeof(regions[0]); i++)
		error = axvm_bus_attach(&power->device.vm->arch.ports, &power->device,
					regions[i].port, regions[i].bytes, regions[i].offset);
	return error;
}

int axvm_power_make(struct axvm_vm *vm)
{
	struct axvm_power *power = axvm_vm_alloc(vm, sizeof(*power));

	if (!power)
		return AXVM_ENOMEM;
	axvm_lock_init(&power->lock, AXVM_LOCK_DEVICE);
	power->device = (struct axvm_device){
		.type = &power_type, .vm = vm, .name = "power", .state = power
	};
	axvm_power_reset(power);
	int error = attach_all(power);

	if (error == 0)
		vm->arch.power = power;
	return error;
}
