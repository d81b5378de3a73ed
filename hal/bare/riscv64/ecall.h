/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the firmware [SBI 3], apart from sbi.c for the tests that play the firmware. */
#ifndef AXVM_BARE_ECALL_H
#define AXVM_BARE_ECALL_H

#include "sbi.h"

static inline struct axvm_sbi_result axvm_ecall(uint64_t eid, uint64_t fid, uint64_t a, uint64_t b,
						uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t a0 __asm__("a0") = a;
	register uint64_t a1 __asm__("a1") = b;
	register uint64_t a2 __asm__("a2") = c;
	register uint64_t a3 __asm__("a3") = d;
	register uint64_t a4 __asm__("a4") = e;
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = eid;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct axvm_sbi_result){ (int64_t)a0, a1 };
}

#endif
