// SPDX-License-Identifier: Apache-2.0
/*
 * The IOAPIC. A message is sent at once, so the delivery status is always idle. What a masked pin signals is
 * ignored, but a level is looked at again when the pin is let through, when the message before it has
 * ended, and when its entry is written [82093AA 3.2.4].
 */
#include "ioapic.h"

#include "arch.h"
#include "lapic.h"

#define SELECT 0x00u
#define WINDOW 0x10u
#define EOI 0x40u
#define BYTES_MIN 0x44u

#define REG_ID 0x00u
#define REG_VERSION 0x01u
#define REG_ARBITRATION 0x02u
#define REG_REDIRECTION 0x10u

/* Version 0x20: it has the EOI register. */
#define VERSION (0x20u | (AXVM_IOAPIC_PINS - 1u) << 16)
#define ID_BITS 0x0f000000u

#define ENTRY_LOGICAL (1u << 11)
#define ENTRY_REMOTE_IRR (1u << 14)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_LOW_BITS 0x1afffu /* but delivery status and remote IRR */
#define ENTRY_HIGH_BITS 0xff000000u

#define BROADCAST 0xffu

struct axvm_ioapic {
	struct axvm_lock lock;
	struct axvm_vm *vm;
	uint32_t select;
	uint32_t id;
	uint32_t lines;
	uint32_t held; /* pulses on level pins, not sent yet */
	uint64_t entries[AXVM_IOAPIC_PINS];
};

/* ---- messages ------------------------------------------------------------------------------------ */

static enum axvm_lapic_delivery delivery_of(uint64_t entry)
{
	return (enum axvm_lapic_delivery)(entry >> 8 & 7);
}

/* The other delivery modes are edges whatever the bit says [82093AA 3.2.4]. */
static bool is_level(uint64_t entry)
{
	return (entry & ENTRY_LEVEL) != 0 && delivery_of(entry) <= AXVM_LAPIC_LOWEST;
}

static bool may_send(enum axvm_lapic_delivery delivery)
{
	switch (delivery) {
	case AXVM_LAPIC_FIXED:
	case AXVM_LAPIC_LOWEST:
	case AXVM_LAPIC_SMI:
	case AXVM_LAPIC_NMI:
	case AXVM_LAPIC_INIT:
	case AXVM_LAPIC_EXTINT:
		return true;
	default:
		return false;
	}
}

static bool send(struct axvm_ioapic *ioapic, uint64_t entry)
{
	uint32_t destination = (uint32_t)(entry >> 56);
	const struct axvm_lapic_message message = {
		.destination = destination == BROADCAST ? AXVM_LAPIC_BROADCAST : destination,
		.logical = (entry & ENTRY_LOGICAL) != 0,
		.level = is_level(entry),
		.vector = (uint8_t)entry,
		.delivery = delivery_of(entry),
	};

	return may_send(message.delivery) && axvm_lapic_send(ioapic->vm, &message);
}

/*
 * A level that nobody took waits on: it has no remote IRR, for nobody would end it. An end that comes while
 * the message is being sent waits for the lock.
 */
static void send_level(struct axvm_ioapic *ioapic, uint32_t pin) AXVM_REQUIRES(ioapic->lock)
{
	uint64_t entry = ioapic->entries[pin];
	uint32_t bit = 1u << pin;

	if ((entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) != 0 || !is_level(entry) ||
	    ((ioapic->lines | ioapic->held) & bit) == 0)
		return;
	if (!send(ioapic, entry))
		return;
	ioapic->entries[pin] |= ENTRY_REMOTE_IRR;
	ioapic->held &= ~bit;
}

static void rise(struct axvm_ioapic *ioapic, uint32_t pin) AXVM_REQUIRES(ioapic->lock)
{
	uint64_t entry = ioapic->entries[pin];

	if (is_level(entry))
		send_level(ioapic, pin);
	else if ((entry & ENTRY_MASKED) == 0)
		(void)send(ioapic, entry);
}

int axvm_ioapic_set_level(struct axvm_ioapic *ioapic, uint32_t pin, bool level)
{
	if (pin >= AXVM_IOAPIC_PINS)
		return AXVM_EINVAL;

	uint32_t bit = 1u << pin;

	axvm_lock_take(&ioapic->lock);
	bool before = (ioapic->lines & bit) != 0;

	ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
	if (level && !before)
		rise(ioapic, pin);
	axvm_lock_drop(&ioapic->lock);
	return 0;
}

int axvm_ioapic_pulse(struct axvm_ioapic *ioapic, uint32_t pin)
{
	if (pin >= AXVM_IOAPIC_PINS)
		return AXVM_EINVAL;
	axvm_lock_take(&ioapic->lock);
	if (is_level(ioapic->entries[pin]))
		ioapic->held |= 1u << pin;
	rise(ioapic, pin);
	axvm_lock_drop(&ioapic->lock);
	return 0;
}

void axvm_ioapic_end(struct axvm_ioapic *ioapic, uint8_t vector)
{
	axvm_lock_take(&ioapic->lock);
	for (uint32_t pin = 0; pin < AXVM_IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->entries[pin];

		if ((entry & ENTRY_REMOTE_IRR) == 0 || (uint8_t)entry != vector)
			continue;
		ioapic->entries[pin] = entry & ~(uint64_t)ENTRY_REMOTE_IRR;
		send_level(ioapic, pin);
	}
	axvm_lock_drop(&ioapic->lock);
}

/* ---- registers ------------------------------------------------------------------------------------- */

static uint32_t read_register(const struct axvm_ioapic *ioapic, uint32_t reg)
{
	uint32_t index = reg - REG_REDIRECTION;

	if (index < 2 * AXVM_IOAPIC_PINS)
		return (uint32_t)(ioapic->entries[index / 2] >> 32 * (index % 2));
	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id;
	case REG_VERSION:
		return VERSION;
	default:
		return 0;
	}
}

/* What ends a level where there is no EOI register: the pin is an edge's for a moment. */
static uint64_t with_low(uint64_t entry, uint32_t value)
{
	uint64_t kept = entry & ~(uint64_t)ENTRY_LOW_BITS;

	if ((value & ENTRY_LEVEL) == 0)
		kept &= ~(uint64_t)ENTRY_REMOTE_IRR;
	return kept | (value & ENTRY_LOW_BITS);
}

static void write_entry(struct axvm_ioapic *ioapic, uint32_t index, uint32_t value)
	AXVM_REQUIRES(ioapic->lock)
{
	uint64_t *entry = &ioapic->entries[index / 2];

	if (index % 2 != 0)
		*entry = (uint32_t)*entry | (uint64_t)(value & ENTRY_HIGH_BITS) << 32;
	else
		*entry = with_low(*entry, value);
	send_level(ioapic, index / 2);
}

static void write_register(struct axvm_ioapic *ioapic, uint32_t value) AXVM_REQUIRES(ioapic->lock)
{
	uint32_t index = ioapic->select - REG_REDIRECTION;

	if (index < 2 * AXVM_IOAPIC_PINS)
		write_entry(ioapic, index, value);
	else if (ioapic->select == REG_ID)
		ioapic->id = value & ID_BITS;
}

/* Registers are 32 bits wide; of reads their bytes can be had too. */
static uint64_t read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		     unsigned bytes)
{
	struct axvm_ioapic *ioapic = device->state;
	uint32_t byte = offset & 3;
	uint32_t value = 0;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&ioapic->lock);
	if (offset - byte == SELECT)
		value = ioapic->select;
	else if (offset - byte == WINDOW)
		value = read_register(ioapic, ioapic->select);
	axvm_lock_drop(&ioapic->lock);
	return value >> 8 * byte;
}

static void write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		  unsigned bytes, uint64_t value)
{
	struct axvm_ioapic *ioapic = device->state;

	(void)vcpu;
	if (offset == EOI) {
		axvm_ioapic_end(ioapic, (uint8_t)value);
		return;
	}
	axvm_lock_take(&ioapic->lock);
	if (offset == SELECT)
		ioapic->select = (uint8_t)value;
	else if (offset == WINDOW && bytes >= 4)
		write_register(ioapic, (uint32_t)value);
	axvm_lock_drop(&ioapic->lock);
}

/* ---- the device -------------------------------------------------------------------------------------- */

/* Devices keep their lines as they are, and are reset themselves. */
static void reset(struct axvm_device *device)
{
	struct axvm_ioapic *ioapic = device->state;

	axvm_lock_take(&ioapic->lock);
	ioapic->select = 0;
	ioapic->id = 0;
	ioapic->held = 0;
	for (uint32_t pin = 0; pin < AXVM_IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
	axvm_lock_drop(&ioapic->lock);
}

static int create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_vm *vm = device->vm;
	struct axvm_ioapic *ioapic;

	if (vm->arch.ioapic != NULL)
		return AXVM_EEXIST;
	if (config->bytes < BYTES_MIN)
		return AXVM_EINVAL;
	ioapic = axvm_vm_alloc(vm, sizeof(*ioapic));
	if (ioapic == NULL)
		return AXVM_ENOMEM;
	int error = axvm_bus_attach(&vm->mmio, device, config->base.addr, config->bytes, 0);

	if (error)
		return error;
	axvm_lock_init(&ioapic->lock, AXVM_LOCK_IRQ);
	ioapic->vm = vm;
	device->state = ioapic;
	reset(device);
	vm->arch.ioapic = ioapic;
	return 0;
}

const struct axvm_device_type axvm_ioapic_device_type = {
	.name = "ioapic",
	.emu_type = AXVM_EMU_X86_IOAPIC,
	.create = create,
	.reset = reset,
	.read = read,
	.write = write,
};
