// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the guests' runtime that no ISA changes: counting what the tests said, the command
 * line, pseudo-random numbers.
 */
#include "guest.h"

static unsigned int passed_count;
static unsigned int failed_count;

static bool begins_with(const char *text, const char *start)
{
	while (*start != '\0' && *text == *start) {
		text++;
		start++;
	}
	return *start == '\0';
}

/* axtest.c writes a test line's verdict as one string of its own. */
static void count(const char *text)
{
	if (begins_with(text, "ok - "))
		passed_count++;
	else if (begins_with(text, "not ok - "))
		failed_count++;
}

void axtest_puts(const char *text)
{
	count(text);
	for (; *text != '\0'; text++)
		guest_console_put(*text);
}

void guest_finish(void)
{
	axtest_puts("axtest: ");
	axtest_put_dec(passed_count);
	axtest_puts(" passed, ");
	axtest_put_dec(failed_count);
	axtest_puts(" failed\n");
	guest_power_off();
}

void guest_give_up(const char *what)
{
	axtest_puts("\nnot ok - ");
	axtest_puts(what);
	axtest_puts("\n");
	failed_count++;
	guest_finish();
}

/* Finds "word" at a word's beginning; returns what follows it. */
static const char *after_word(const char *word)
{
	const char *text = guest_cmdline();
	size_t bytes = 0;

	while (word[bytes] != '\0')
		bytes++;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if ((i == 0 || text[i - 1] == ' ') && begins_with(&text[i], word))
			return &text[i + bytes];
	}
	return NULL;
}

bool guest_cmdline_has(const char *word)
{
	const char *rest = after_word(word);

	return rest != NULL && (*rest == '\0' || *rest == ' ');
}

uint64_t guest_cmdline_number(const char *name, uint64_t otherwise)
{
	const char *rest = after_word(name);
	uint64_t value = 0;

	if (rest == NULL || *rest != '=')
		return otherwise;
	for (rest++; *rest >= '0' && *rest <= '9'; rest++)
		value = value * 10 + (uint64_t)(*rest - '0');
	return value;
}

uint64_t guest_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}
