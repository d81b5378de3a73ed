// SPDX-License-Identifier: Apache-2.0
/* Escape sequences and control characters are left out, so that `^login:` means what one sees. */
#include "console.h"

#include <string.h>

enum { PLAIN, ESCAPE, SEQUENCE };

static bool is_own(const struct axvm_tool_console *console)
{
	return strncmp(console->line, AXVM_TOOL_OWN_PREFIX, strlen(AXVM_TOOL_OWN_PREFIX)) == 0;
}

static bool matches(struct axvm_tool_console *console, bool ended)
{
	console->line[console->used] = '\0';
	return console->regex && !is_own(console) &&
	       regexec(console->regex, console->line, 0, NULL, ended ? 0 : REG_NOTEOL) == 0;
}

static bool end_line(struct axvm_tool_console *console)
{
	const bool found = matches(console, true);

	if (is_own(console))
		snprintf(console->last_own, sizeof(console->last_own), "%.255s", console->line);
	console->used = 0;
	return found;
}

/* Whether `c` is a character of the line, not of an escape sequence. */
static bool is_shown(struct axvm_tool_console *console, char c)
{
	const unsigned char byte = (unsigned char)c;

	switch (console->escape) {
	case ESCAPE: /* "[" begins a long one; otherwise this is the only character */
		console->escape = c == '[' ? SEQUENCE : PLAIN;
		return false;
	case SEQUENCE:
		if (byte >= 0x40 && byte <= 0x7e)
			console->escape = PLAIN;
		return false;
	default:
		console->escape = byte == 0x1b ? ESCAPE : PLAIN;
		return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
	}
}

bool axvm_tool_console_take(struct axvm_tool_console *console, const char *data, size_t bytes)
{
	bool found = false;

	for (size_t i = 0; i < bytes; i++) {
		if (data[i] == '\n') {
			console->escape = PLAIN;
			found |= end_line(console);
		} else if (is_shown(console, data[i])) {
			console->line[console->used++] = data[i];
			if (console->used == AXVM_TOOL_LINE_BYTES - 1)
				found |= end_line(console);
		}
	}
	return found || (console->used > 0 && matches(console, false));
}
