/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the firmware [SBI 3]. */
#ifndef AXVM_BARE_SBI_H
#define AXVM_BARE_SBI_H

#include <stdbool.h>
#include <stdint.h>

#include "bare.h"

struct axvm_sbi_result {
	int64_t error;
	uint64_t value;
};

/* Extensions; a bit each in what axvm_bare_sbi_has knows. */
enum axvm_sbi_extension {
	AXVM_SBI_TIME,
	AXVM_SBI_IPI,
	AXVM_SBI_RFENCE,
	AXVM_SBI_HSM,
	AXVM_SBI_SRST,
	AXVM_SBI_DBCN,
	AXVM_SBI_EXTENSIONS
};

/* Asks the firmware which extensions it has. False with a sentence: it is older than SBI 0.2. */
bool axvm_bare_sbi_init(const char **why);
bool axvm_bare_sbi_has(enum axvm_sbi_extension extension);

/* Says on the log what lacks that this machine would use; `harts` of it run. False: it cannot go on. */
bool axvm_bare_sbi_check(uint32_t harts, bool needs_timer, const char **why);

void axvm_bare_sbi_set_timer(uint64_t deadline_ticks);
/* 0, or the firmware's error. */
int64_t axvm_bare_sbi_hart_start(uint64_t hart, uint64_t entry_hpa, uint64_t arg);

/*
 * One request each for the CPUs of `mask` (bit: index), this one may be among them. More than one only
 * where their hart ids lie more than 63 apart. Back when all have done it.
 */
void axvm_bare_sbi_send_ipi(uint64_t mask);
void axvm_bare_sbi_fence_i(uint64_t mask);
void axvm_bare_sbi_sfence_vma(uint64_t mask);
/* bytes 0: all addresses. */
void axvm_bare_sbi_hfence_gvma(uint64_t mask, uint64_t gpa, uint64_t bytes, uint32_t vmid);
/* Of the VMID that is in this hart's hgatp. `by_asid` false: of all address spaces. */
void axvm_bare_sbi_hfence_vvma(uint64_t mask, uint64_t va, uint64_t bytes, bool by_asid,
			       uint64_t asid);

/* The hart that calls. */
struct axvm_bare_hart_model {
	uint64_t mvendorid;
	uint64_t marchid;
	uint64_t mimpid;
};
struct axvm_bare_hart_model axvm_bare_sbi_model(void);

/* System reset; returns when the firmware has none. */
void axvm_bare_sbi_reset(bool reboot);

/* Debug console: how many of the bytes at this host-physical address it took. 0: not there, or busy. */
uint64_t axvm_bare_sbi_write(uint64_t hpa, uint64_t bytes);
/* Likewise: how many bytes it has put there. */
uint64_t axvm_bare_sbi_read(uint64_t hpa, uint64_t bytes);

#endif
