/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hardware could see of second-stage tables: a translation buffer that caches leaves,
 * tables and, where the format allows, absences, that looks at the tables at every store and
 * invalidation, and that forgets only what it is told to forget. It complains ("# ..." and a
 * failed check) where break-before-make is violated, where a page is freed while it is still
 * reachable, and where after an operation something it remembers is no longer true.
 */
#ifndef MMU_MODEL_H
#define MMU_MODEL_H

#include <axvm/aspace.h>

#include "pte_format.h"

/* After axvm_sim_reset; watches all aspaces, of which there is one. */
void mmu_model_start(uint64_t seed);
/* The CPU uses this address now. */
void mmu_model_touch(const struct axvm_aspace *aspace, uint64_t gpa);
/* The operation has returned: false when anything was wrong since the start. */
bool mmu_model_settled(const struct axvm_aspace *aspace);

/* Violations since the start, and to count them without failing the test: for tests of the model. */
uint64_t mmu_model_violations(void);
void mmu_model_expect_violations(void);

/* Formats of no CPU: only 4 KiB leaves; 5 levels with odd bits that break and cache absences. */
extern const struct axvm_pte_format *const synthetic_formats[];
extern const uint32_t synthetic_format_count;

/* Runs `test` for every format of the ISA and every synthetic one, each on a new machine. */
void for_each_format(void (*test)(const struct axvm_pte_format *format));

#endif
