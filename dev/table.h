/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of device types that no ISA is needed for. A new one: a file in
 * dev/, its constant here, and its line in table.c.
 */
#ifndef AXVM_DEV_TABLE_H
#define AXVM_DEV_TABLE_H

#include <axvm/device.h>

/*
 * A UART whose transmitter is never busy [PL011]. What the guest sends is handed to
 * axvm_hal_console_write at the end of a line, when a driver has finished a burst, or 20 ms
 * later. What comes in from the outside waits in a ring beside its FIFO.
 */
extern const struct axvm_device_type axvm_dev_pl011;

/*
 * The UART of PCs and of QEMU's riscv64 machine, with FIFOs, byte registers [NS16550]. Output and
 * input as for the PL011. In memory or in I/O ports: its registers are the first 8 of its range.
 */
extern const struct axvm_device_type axvm_dev_ns16550;
/* Its `create` for another bus than that of memory; the device has the type axvm_dev_ns16550. */
AXVM_MUST_USE int axvm_dev_ns16550_make(struct axvm_device *device,
					const struct axvm_config_emu *config, struct axvm_bus *bus);

/* A real-time clock that counts seconds from a constant date, with an alarm [PL031]. */
extern const struct axvm_device_type axvm_dev_pl031;

#endif
