// SPDX-License-Identifier: Apache-2.0
/* The calendar of the MC146818: Gregorian, years that begin in March, so that leap days are last. */
#include "rtc_time.h"

#define DAY_SECONDS 86400u
#define YEARS 400u /* until the calendar repeats */
#define YEARS_DAYS 146097u

bool axvm_rtc_is_time(uint8_t index)
{
	return index == RTC_CENTURY || (index <= RTC_YEAR && !axvm_rtc_is_alarm(index));
}

bool axvm_rtc_is_alarm(uint8_t index)
{
	return index == RTC_SECONDS_ALARM || index == RTC_MINUTES_ALARM || index == RTC_HOURS_ALARM;
}

static uint32_t to_number(const uint8_t *memory, uint32_t value)
{
	return memory[RTC_B] & RTC_B_BINARY ? value : (value >> 4) * 10 + (value & 0xf);
}

static uint8_t to_register(const uint8_t *memory, uint64_t number)
{
	return (uint8_t)(memory[RTC_B] & RTC_B_BINARY ? number : number / 10 << 4 | number % 10);
}

static uint32_t to_hour(const uint8_t *memory, uint32_t value)
{
	if (memory[RTC_B] & RTC_B_24_HOURS)
		return to_number(memory, value);
	return to_number(memory, value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

static uint8_t hour_to_register(const uint8_t *memory, uint32_t hour)
{
	if (memory[RTC_B] & RTC_B_24_HOURS)
		return to_register(memory, hour);
	return (uint8_t)(to_register(memory, (hour + 11) % 12 + 1) | (hour < 12 ? 0 : 0x80));
}

uint64_t axvm_rtc_decode(const uint8_t *memory)
{
	uint64_t month = to_number(memory, memory[RTC_MONTH]);
	uint64_t year = to_number(memory, memory[RTC_CENTURY]) * 100 +
			to_number(memory, memory[RTC_YEAR]) + YEARS - (month <= 2);
	uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 +
			((month + 9) % 12 * 153 + 2) / 5 + to_number(memory, memory[RTC_DAY]) - 1;

	return days * DAY_SECONDS + to_hour(memory, memory[RTC_HOURS]) * 3600 +
	       to_number(memory, memory[RTC_MINUTES]) * 60 + to_number(memory, memory[RTC_SECONDS]);
}

static void encode_date(uint8_t *memory, uint64_t days)
{
	uint64_t day = days % YEARS_DAYS;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;

	day -= year * 365 + year / 4 - year / 100;
	uint64_t month = (day * 5 + 2) / 153; /* from March */

	year += days / YEARS_DAYS * YEARS + (month >= 10);
	memory[RTC_WEEKDAY] = to_register(memory, (days + 3) % 7 + 1);
	memory[RTC_DAY] = to_register(memory, day - (month * 153 + 2) / 5 + 1);
	memory[RTC_MONTH] = to_register(memory, (month + 2) % 12 + 1);
	memory[RTC_YEAR] = to_register(memory, year % 100);
	memory[RTC_CENTURY] = to_register(memory, (year - YEARS) / 100 % 100);
}

void axvm_rtc_encode(uint8_t *memory, uint64_t seconds)
{
	uint32_t of_day = (uint32_t)(seconds % DAY_SECONDS);

	memory[RTC_SECONDS] = to_register(memory, of_day % 60);
	memory[RTC_MINUTES] = to_register(memory, of_day / 60 % 60);
	memory[RTC_HOURS] = hour_to_register(memory, of_day / 3600);
	encode_date(memory, seconds / DAY_SECONDS);
}

/* The two high bits of an alarm register set: each value matches. */
static bool is_any(uint8_t alarm)
{
	return alarm >= 0xc0;
}

/* The first value from `from` on, below the limit, that matches; the limit when there is none. */
static uint32_t next_match(uint8_t alarm, uint32_t number, uint32_t from, uint32_t limit)
{
	if (is_any(alarm))
		return from;
	return number >= from && number < limit ? number : limit;
}

uint64_t axvm_rtc_next_alarm(const uint8_t *memory, uint64_t seconds)
{
	const uint8_t alarms[3] = { memory[RTC_HOURS_ALARM], memory[RTC_MINUTES_ALARM],
				    memory[RTC_SECONDS_ALARM] };
	const uint32_t numbers[3] = { to_hour(memory, alarms[0]), to_number(memory, alarms[1]),
				      to_number(memory, alarms[2]) };
	uint64_t day = (seconds + 1) / DAY_SECONDS;
	uint32_t of_day = (uint32_t)((seconds + 1) % DAY_SECONDS);
	uint32_t h = of_day / 3600;
	uint32_t m = of_day / 60 % 60;
	uint32_t s = of_day % 60;

	/* Each turn but the last goes to the next minute, hour or day: a match comes soon or never. */
	for (uint32_t turn = 0; turn < 8; turn++) {
		uint32_t hour = next_match(alarms[0], numbers[0], h, 24);

		m = hour > h ? 0 : m;
		s = hour > h ? 0 : s;
		uint32_t minute = hour < 24 ? next_match(alarms[1], numbers[1], m, 60) : 60;

		s = minute > m ? 0 : s;
		uint32_t second = minute < 60 ? next_match(alarms[2], numbers[2], s, 60) : 60;

		if (second < 60)
			return day * DAY_SECONDS + hour * 3600 + minute * 60 + second;
		s = 0;
		m = minute < 60 ? minute + 1 : 0;
		h = minute < 60 ? hour : hour + 1;
		if (hour >= 24) {
			day++;
			h = 0;
		}
	}
	return UINT64_MAX;
}
