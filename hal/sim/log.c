// SPDX-License-Identifier: Apache-2.0
/* What the library and the guests said, kept for the tests; and the end of a test that panicked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_private.h"

#define LOG_BYTES 65536u
#define CONSOLE_BYTES 16384u
#define CONSOLES_MAX 16u

struct console {
	const struct axvm_vm *vm;
	uint64_t bytes;
	char text[CONSOLE_BYTES + 1];
};

static char lines[LOG_BYTES + 1];
static size_t line_bytes;
static uint32_t counts[AXVM_LOG_DEBUG + 1];
static struct console consoles[CONSOLES_MAX];

void axvm_sim_log_reset(void)
{
	line_bytes = 0;
	lines[0] = '\0';
	memset(counts, 0, sizeof(counts));
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		consoles[i].vm = NULL;
		consoles[i].bytes = 0;
		consoles[i].text[0] = '\0';
	}
}

void axvm_hal_log(enum axvm_log_level level, const char *text)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };

	if (strchr(text, '\n') != NULL)
		axvm_hal_panic(__FILE__, __LINE__, "a log line contains a newline");
	axvm_sim_lock();
	counts[level]++;

	int written = snprintf(&lines[line_bytes], sizeof(lines) - line_bytes, "%s: %s\n",
			       names[level], text);

	line_bytes += (size_t)written;
	if (line_bytes >= sizeof(lines))
		line_bytes = sizeof(lines) - 1;
	axvm_sim_unlock();
}

const char *axvm_sim_log(void)
{
	return lines;
}

uint32_t axvm_sim_log_count(enum axvm_log_level level)
{
	return counts[level];
}

_Noreturn void axvm_hal_panic(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: panic: %s\n%s", file, line, what, lines);
	abort();
}

/* The VM's console, or one that is free. */
static struct console *find_console(const struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		if (consoles[i].vm == vm || consoles[i].vm == NULL)
			return &consoles[i];
	}
	axvm_hal_panic(__FILE__, __LINE__, "too many VMs write to their consoles");
}

void axvm_hal_console_write(struct axvm_vm *vm, const char *data, uint64_t bytes)
{
	axvm_sim_lock();
	struct console *console = find_console(vm);
	uint64_t room = CONSOLE_BYTES - console->bytes;

	console->vm = vm;
	memcpy(&console->text[console->bytes], data, bytes < room ? bytes : room);
	console->bytes += bytes < room ? bytes : room;
	console->text[console->bytes] = '\0';
	axvm_sim_unlock();
}

const char *axvm_sim_console(const struct axvm_vm *vm)
{
	return find_console(vm)->text;
}
