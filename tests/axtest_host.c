// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a file of tests as a program of the host: `test [PART-OF-A-NAME]`. Every string is flushed
 * at once, so that what a test said stands before the report of its crash.
 */
#include <stdio.h>

#include "axtest.h"

static bool is_muted;

void axtest_host_mute(bool muted)
{
	is_muted = muted;
}

void axtest_puts(const char *text)
{
	if (is_muted)
		return;
	fputs(text, stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	return axtest_main(argc > 1 ? argv[1] : NULL);
}
