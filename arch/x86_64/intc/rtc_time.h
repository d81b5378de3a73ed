/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of the MC146818 and the calendar in them [MC146818]. Pure: no clock, no state. */
#ifndef AXVM_X86_64_RTC_TIME_H
#define AXVM_X86_64_RTC_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum axvm_rtc_register {
	RTC_SECONDS = 0,
	RTC_SECONDS_ALARM = 1,
	RTC_MINUTES = 2,
	RTC_MINUTES_ALARM = 3,
	RTC_HOURS = 4,
	RTC_HOURS_ALARM = 5,
	RTC_WEEKDAY = 6,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 0xa,
	RTC_B = 0xb,
	RTC_C = 0xc,
	RTC_D = 0xd,
	RTC_CENTURY = 0x32, /* as the FADT of PCs says */
};

enum {
	RTC_A_RATE = 0xf,
	RTC_A_DIVIDER_RESET = 0x60,
	RTC_A_UPDATING = 0x80,
	RTC_B_24_HOURS = 0x02,
	RTC_B_BINARY = 0x04,
	RTC_B_SQUARE_WAVE = 0x08,
	RTC_B_SET = 0x80,
	RTC_C_IRQ = 0x80,
	RTC_D_VALID = 0x80,
	/* In B they enable, in C they tell. */
	RTC_UPDATE = 0x10,
	RTC_ALARM = 0x20,
	RTC_PERIODIC = 0x40,
	RTC_EVENTS = 0x70,
};

/* Seconds since March 1st of the year -400: 2026-01-01T00:00:00, the date of all our clocks. */
#define AXVM_RTC_START 76552041600u

bool axvm_rtc_is_time(uint8_t index);
bool axvm_rtc_is_alarm(uint8_t index);

/* From and to the time registers in memory[0..127], in the format that register B says. Any bytes. */
uint64_t axvm_rtc_decode(const uint8_t *memory);
void axvm_rtc_encode(uint8_t *memory, uint64_t seconds);

/* The first second after `seconds` that the alarm registers match; UINT64_MAX: none ever. */
uint64_t axvm_rtc_next_alarm(const uint8_t *memory, uint64_t seconds);

#endif
