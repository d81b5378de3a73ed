/* SPDX-License-Identifier: Apache-2.0 */
/* The host's ID registers by number: CRm 1 to 7, op2 0 to 7 [ARM D19.1]. */
#include <axvm/hal_aarch64.h>

#include "cpu.h"

#define CRM_FIRST 4u /* the AArch64 ones */
#define CRM_COUNT 4u
#define OP2_COUNT 8u

#define ROW(X, crm) X(crm, 0) X(crm, 1) X(crm, 2) X(crm, 3) X(crm, 4) X(crm, 5) X(crm, 6) X(crm, 7)

uint64_t axvm_hal_aarch64_id_register(unsigned crm, unsigned op2)
{
	uint64_t value = 0;

	switch (crm << 3 | op2) {
#define READ(m, n)                                                             \
	case m << 3 | n:                                                       \
		__asm__ volatile("mrs %0, s3_0_c0_c" #m "_" #n : "=r"(value)); \
		break;
		ROW(READ, 1)
		ROW(READ, 2)
		ROW(READ, 3)
		ROW(READ, 4)
		ROW(READ, 5)
		ROW(READ, 6)
		ROW(READ, 7)
#undef READ
	default:
		break;
	}
	return value;
}

static uint64_t first_cpu[CRM_COUNT][OP2_COUNT];

/*
 * What a guest is shown is read on one CPU and holds on all that run guests: a CPU that differs runs
 * none (docs/limits.md).
 */
bool axvm_bare_cpu_is_like_first(struct axvm_cpu *cpu)
{
	bool alike = true;

	for (unsigned crm = 0; crm < CRM_COUNT; crm++) {
		for (unsigned op2 = 0; op2 < OP2_COUNT; op2++) {
			uint64_t value = axvm_hal_aarch64_id_register(CRM_FIRST + crm, op2);

			if (cpu->index == 0)
				first_cpu[crm][op2] = value;
			alike &= value == first_cpu[crm][op2];
		}
	}
	return alike;
}
