// SPDX-License-Identifier: Apache-2.0
/*
 * TOML dates and times: those of RFC 3339, with or without date, time and offset.
 */
#include "toml_private.h"

struct cursor {
	const char *at;
	const char *end;
};

static bool take(struct cursor *c, char a, char b)
{
	if (c->at == c->end || (*c->at != a && *c->at != b))
		return false;
	c->at++;
	return true;
}

/* Exactly `digits` digits with a value in [low, high]. */
static bool number(struct cursor *c, size_t digits, unsigned int low, unsigned int high,
		   unsigned int *out)
{
	unsigned int value = 0;

	if ((size_t)(c->end - c->at) < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (!axvm_toml_is_digit(c->at[i]))
			return false;
		value = value * 10 + (unsigned int)(c->at[i] - '0');
	}
	c->at += digits;
	*out = value;
	return value >= low && value <= high;
}

static unsigned int days_in_month(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool date(struct cursor *c, struct axvm_toml_datetime *out)
{
	unsigned int year;
	unsigned int month;
	unsigned int day;

	if (!number(c, 4, 0, 9999, &year) || !take(c, '-', '-') || !number(c, 2, 1, 12, &month) ||
	    !take(c, '-', '-') || !number(c, 2, 1, days_in_month(year, month), &day))
		return false;
	out->year = (uint16_t)year;
	out->month = (uint8_t)month;
	out->day = (uint8_t)day;
	return true;
}

/* What follows the dot: one digit or more, of which nine count. */
static bool fraction(struct cursor *c, struct axvm_toml_datetime *out)
{
	const char *start = c->at;
	uint32_t unit = 100000000;

	for (; c->at < c->end && axvm_toml_is_digit(*c->at); c->at++) {
		out->nanosecond += (uint32_t)(*c->at - '0') * unit;
		unit /= 10;
	}
	return c->at > start;
}

static bool time_of_day(struct cursor *c, struct axvm_toml_datetime *out)
{
	unsigned int hour;
	unsigned int minute;
	unsigned int second;

	if (!number(c, 2, 0, 23, &hour) || !take(c, ':', ':') || !number(c, 2, 0, 59, &minute) ||
	    !take(c, ':', ':') || !number(c, 2, 0, 60, &second))
		return false;
	out->hour = (uint8_t)hour;
	out->minute = (uint8_t)minute;
	out->second = (uint8_t)second;
	return !take(c, '.', '.') || fraction(c, out);
}

static bool offset(struct cursor *c, struct axvm_toml_datetime *out)
{
	unsigned int hours;
	unsigned int minutes;

	if (take(c, 'Z', 'z'))
		return true;

	bool west = *c->at == '-';

	if (!take(c, '+', '-') || !number(c, 2, 0, 23, &hours) || !take(c, ':', ':') ||
	    !number(c, 2, 0, 59, &minutes))
		return false;
	out->offset_minutes = (int16_t)(hours * 60 + minutes);
	if (west)
		out->offset_minutes = (int16_t)-out->offset_minutes;
	return true;
}

static bool all_digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!axvm_toml_is_digit(text[i]))
			return false;
	return true;
}

bool axvm_toml_looks_like_date(const char *text, size_t bytes)
{
	return bytes >= 5 && all_digits(text, 4) && text[4] == '-';
}

bool axvm_toml_looks_like_time(const char *text, size_t bytes)
{
	return bytes >= 3 && all_digits(text, 2) && text[2] == ':';
}

const char *axvm_toml_parse_datetime(const char *text, size_t bytes, struct axvm_toml_node *node)
{
	struct cursor c = { text, text + bytes };
	struct axvm_toml_datetime *out = &node->u.datetime;

	*out = (struct axvm_toml_datetime){ 0 };
	if (axvm_toml_looks_like_time(text, bytes)) {
		node->type = AXVM_TOML_LOCAL_TIME;
		return time_of_day(&c, out) && c.at == c.end ? NULL : "not a valid time";
	}
	if (!date(&c, out))
		return "not a valid date";
	node->type = AXVM_TOML_LOCAL_DATE;
	if (c.at == c.end)
		return NULL;
	if (!(take(&c, 'T', 't') || take(&c, ' ', ' ')) || !time_of_day(&c, out))
		return "not a valid date and time";
	node->type = AXVM_TOML_LOCAL_DATETIME;
	if (c.at == c.end)
		return NULL;
	node->type = AXVM_TOML_OFFSET_DATETIME;
	return offset(&c, out) && c.at == c.end ? NULL : "not a valid time offset";
}
