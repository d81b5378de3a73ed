/* SPDX-License-Identifier: Apache-2.0 */
/* The MC146818 and its CMOS memory at ports 0x70 and 0x71 [MC146818]; IRQ 8. */
#ifndef AXVM_X86_64_RTC_H
#define AXVM_X86_64_RTC_H

#include <axvm/device.h>
#include <axvm/types.h>

struct axvm_rtc;

/*
 * No configuration entry of its own: part of the machine; vm->arch.rtc is it from then on. AXVM_ENOMEM;
 * AXVM_EEXIST, AXVM_ERANGE: as axvm_bus_attach of its ports.
 */
AXVM_MUST_USE int axvm_rtc_make(struct axvm_vm *vm);
/* Ends interrupts; time and memory go on. No vCPU of the VM runs. */
void axvm_rtc_reset(struct axvm_rtc *rtc);
/* Stops the timer, before the VM's pages go. No vCPU of the VM runs; no lock held. */
void axvm_rtc_fini(struct axvm_rtc *rtc);

#endif
