/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm of QEMU's goldfish RTC: a device that holds its line high until it is told not to, and that a
 * VM can have. An alarm in the past is due at once; what the alarm was set to is kept over a VM's reset.
 */
#ifndef GUEST_RISCV64_RTC_H
#define GUEST_RISCV64_RTC_H

#include "runtime.h"

#define RTC 0x101000ull
#define RTC_IRQ 11u
#define RTC_TIME_LOW (RTC + 0x00)
#define RTC_TIME_HIGH (RTC + 0x04)
#define RTC_ALARM_LOW (RTC + 0x08)
#define RTC_ALARM_HIGH (RTC + 0x0c)
#define RTC_IRQ_ENABLED (RTC + 0x10)
#define RTC_CLEAR_INTERRUPT (RTC + 0x1c)

static inline void rtc_alarm(uint64_t ns)
{
	guest_write32(RTC_IRQ_ENABLED, 1);
	guest_write32(RTC_ALARM_HIGH, (uint32_t)(ns >> 32));
	guest_write32(RTC_ALARM_LOW, (uint32_t)ns);
}

static inline uint64_t rtc_now(void)
{
	uint64_t low = guest_read32(RTC_TIME_LOW);

	return (uint64_t)guest_read32(RTC_TIME_HIGH) << 32 | low;
}

static inline void rtc_quiet(void)
{
	guest_write32(RTC_CLEAR_INTERRUPT, 1);
}

/* The same alarm is due again: the line falls and rises. */
static inline void rtc_again(void)
{
	rtc_quiet();
	guest_write32(RTC_ALARM_LOW, guest_read32(RTC_ALARM_LOW));
}

/* Who takes a level as an MSI looks at its line once more before it is done [AIA 4.9.2]. */
static inline void rtc_look_again(void)
{
	if (guest_aia.imsic != 0)
		guest_write32(guest_aia.aplic + GUEST_APLIC_SETIPNUM, RTC_IRQ);
}

#endif
