/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of VM files: an NS16550A in I/O ports, COM1 at 0x3f8 with IRQ 4 where a file says nothing
 * else [NS16550]. The device is one of axvm_dev_ns16550 from its creation on.
 */
#ifndef AXVM_X86_64_COM_H
#define AXVM_X86_64_COM_H

#include <axvm/device.h>

extern const struct axvm_device_type axvm_com_device_type;

#endif
