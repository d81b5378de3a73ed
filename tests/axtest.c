// SPDX-License-Identifier: Apache-2.0
/*
 * What stands behind axtest.h. It needs nothing but axtest_puts(), so that it runs on bare metal too.
 */
#include "axtest.h"

struct outcome {
	unsigned int failed_checks;
	const char *skip_reason;
};

static struct outcome current;

void axtest_put_hex(unsigned long long value)
{
	char text[2 + 16 + 1] = "0x";
	size_t length = 2;
	int shift = 60;

	while (shift > 0 && (value >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		text[length++] = "0123456789abcdef"[(value >> shift) & 0xf];
	text[length] = '\0';
	axtest_puts(text);
}

void axtest_put_dec(unsigned long long value)
{
	char text[20 + 1];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = "0123456789"[value % 10];
		value /= 10;
	} while (value > 0);
	axtest_puts(&text[at]);
}

static void put_place(const char *file, int line, const char *text)
{
	axtest_puts("# ");
	axtest_puts(file);
	axtest_puts(":");
	axtest_put_dec((unsigned long long)line);
	axtest_puts(": ");
	axtest_puts(text);
	axtest_puts("\n");
}

bool axtest_true(bool held, const char *file, int line, const char *text)
{
	if (held)
		return true;
	current.failed_checks++;
	put_place(file, line, text);
	return false;
}

static void put_value(const char *label, unsigned long long value)
{
	axtest_puts(label);
	axtest_put_hex(value);
	if (value >> 63) {
		axtest_puts(" (-");
		axtest_put_dec(0 - value);
		axtest_puts(")");
	}
	axtest_puts("\n");
}

bool axtest_equal(unsigned long long a, unsigned long long b, const char *file, int line,
		  const char *text)
{
	if (axtest_true(a == b, file, line, text))
		return true;
	put_value("#   left  ", a);
	put_value("#   right ", b);
	return false;
}

static bool same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void put_text(const char *label, const char *text)
{
	axtest_puts(label);
	axtest_puts(text == NULL ? "(null)" : text);
	axtest_puts("\n");
}

bool axtest_str_equal(const char *a, const char *b, const char *file, int line, const char *text)
{
	if (axtest_true(same_text(a, b), file, line, text))
		return true;
	put_text("#   left  ", a);
	put_text("#   right ", b);
	return false;
}

void axtest_skip(const char *why)
{
	current.skip_reason = why;
}

static bool contains(const char *text, const char *part)
{
	for (; *text != '\0'; text++) {
		size_t i = 0;

		while (part[i] != '\0' && text[i] == part[i])
			i++;
		if (part[i] == '\0')
			return true;
	}
	return false;
}

static bool run_one(const struct axtest_case *test)
{
	/* A test of these macros runs tests inside a test. */
	struct outcome outer = current;

	current = (struct outcome){ 0 };
	test->run();

	bool failed = current.failed_checks > 0;
	bool skipped = !failed && current.skip_reason != NULL;

	axtest_puts(failed ? "not ok - " : skipped ? "skip - " : "ok - ");
	axtest_puts(test->name);
	if (skipped) {
		axtest_puts(": ");
		axtest_puts(current.skip_reason);
	}
	axtest_puts("\n");
	current = outer;
	return !failed;
}

int axtest_run(const struct axtest_case *const *cases, size_t case_count, const char *filter)
{
	int status = 0;

	for (size_t i = 0; i < case_count; i++) {
		if (filter != NULL && !contains(cases[i]->name, filter))
			continue;
		if (!run_one(cases[i]))
			status = 1;
	}
	return status;
}
