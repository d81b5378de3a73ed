/* SPDX-License-Identifier: Apache-2.0 */
/* Parses VM files in tests and keeps what was reported. */
#ifndef CONFIG_RUN_H
#define CONFIG_RUN_H

#include <axvm/config.h>
#include <axvm/platform.h>

/*
 * Machines of the tests' own, so that what they expect does not change with the real ones:
 * RAM at 1 GiB to 256 GiB, at 2 GiB to 1 TiB, at 0 to 3 GiB; 1020, 96 and 24 interrupts; a
 * controller and a UART each ("gic", "uart"; "plic", "uart"; "ioapic", "com1").
 */
extern const struct axvm_platform config_run_aarch64;
extern const struct axvm_platform config_run_riscv64;
extern const struct axvm_platform config_run_x86_64;

struct config_run {
	int result;
	const struct axvm_config *config; /* NULL unless result is 0 */
	uint32_t error_count;
	char errors[32768]; /* "line:column: text\n" each */
};

/* The result stays valid until the next call. */
const struct config_run *config_run(const struct axvm_platform *platform, const char *text);
/* As above with a text of that many bytes and only so much memory. */
const struct config_run *config_run_in(const struct axvm_platform *platform, const char *text,
				       size_t bytes, size_t memory_bytes);

/* `extra` in [base], [kernel] or [devices] of a file that is right otherwise, on line 7. */
const char *config_run_in_base(const char *extra);
const char *config_run_in_kernel(const char *extra);
/* The same without `memory`. */
const char *config_run_in_memory(const char *extra);
const char *config_run_in_devices(const char *extra);

#endif
