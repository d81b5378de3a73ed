/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every small guest has, on any ISA: a console, its command line, memory functions and the
 * test macros. The guest's runtime (tests/guests/<isa>/runtime) brings the machine up and calls
 * guest_main() on the first CPU with caches and interrupt controller on, interrupts masked.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axtest.h"

#define GUEST_CPUS_MAX 8u

/* The guest itself. Most guests take the one of common/test_main.c: the shared tests, then the ISA's. */
void guest_main(void);

/*
 * A guest NAME is common/NAME.c, whose tests stand in GUEST_SHARED_TESTS, and tests/guests/<isa>/NAME.c,
 * whose tests stand in AXTEST_MAIN; one of the two may be missing.
 */
#define GUEST_SHARED_TESTS(...)                                                   \
	int guest_shared_tests(void)                                              \
	{                                                                         \
		static const struct axtest_case *const cases[] = { __VA_ARGS__ }; \
		return axtest_run(cases, sizeof(cases) / sizeof(cases[0]), NULL); \
	}
int guest_shared_tests(void);

/* Ends the VM. Does not return. */
_Noreturn void guest_power_off(void);

/* Prints "axtest: N passed, M failed" from what axtest_puts() has seen and ends the VM. */
_Noreturn void guest_finish(void);

/* One test line for what is not a test's check: an exception nobody expected. Ends the VM. */
_Noreturn void guest_give_up(const char *what);

/* The machine's console; one byte, waits while the transmitter is full. */
void guest_console_put(char byte);

/* /chosen/bootargs, "" when there is none. */
const char *guest_cmdline(void);
/* "name=12" in the command line; `otherwise` when it is not there. */
uint64_t guest_cmdline_number(const char *name, uint64_t otherwise);
/* Whether the word is there: VM files say "axvm", a run on QEMU's own machine does not. */
bool guest_cmdline_has(const char *word);

/* xorshift64*: the same numbers in every run. The state must not be 0. */
uint64_t guest_random(uint64_t *state);

#endif
