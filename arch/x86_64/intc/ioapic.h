/* SPDX-License-Identifier: Apache-2.0 */
/* The IOAPIC [82093AA]: 24 pins, level and edge, remote IRR. State under a lock of rank IRQ. */
#ifndef AXVM_X86_64_IOAPIC_H
#define AXVM_X86_64_IOAPIC_H

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_IOAPIC_PINS 24u

struct axvm_ioapic;

extern const struct axvm_device_type axvm_ioapic_device_type;

/*
 * A pin's line, asserted or not, whatever the polarity is. Any CPU. AXVM_EINVAL: no such pin. A pulse on a pin
 * that is sensitive to levels lasts until it was sent.
 */
int axvm_ioapic_set_level(struct axvm_ioapic *ioapic, uint32_t pin, bool level);
int axvm_ioapic_pulse(struct axvm_ioapic *ioapic, uint32_t pin);
/* A local APIC's end of a level interrupt of that vector. Any CPU. */
void axvm_ioapic_end(struct axvm_ioapic *ioapic, uint8_t vector);

#endif
