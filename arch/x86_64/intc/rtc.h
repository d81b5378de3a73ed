/* SPDX-License-Identifier: Apache-2.0 */
/* The MC146818 and its CMOS memory at ports 0x70 and 0x71 [MC146818]; IRQ 8. */
#ifndef AXVM_X86_64_RTC_H
#define AXVM_X86_64_RTC_H

#include <axvm/device.h>
#include <axvm/types.h>

/* No configuration entry of its own: part of the machine. AXVM_ENOMEM. */
AXVM_MUST_USE int axvm_rtc_make(struct axvm_vm *vm);
void axvm_rtc_reset(struct axvm_rtc *rtc);
void axvm_rtc_fini(struct axvm_rtc *rtc);

#endif
