/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 8254 at ports 0x40 to 0x43, with port 0x61 that gates and reads channel 2 [8254]. Channel 0 drives
 * IRQ 0 (IOAPIC pin 2).
 */
#ifndef AXVM_X86_64_PIT_H
#define AXVM_X86_64_PIT_H

#include <axvm/device.h>

extern const struct axvm_device_type axvm_pit_device_type;

#endif
