// SPDX-License-Identifier: Apache-2.0
/* The FP and Advanced SIMD registers. */
#include <string.h>

#include "runtime.h"

struct fp_state {
	_Alignas(16) uint8_t v[32][16];
	uint64_t fpcr;
	uint64_t fpsr;
};

static struct fp_state wanted;
static struct fp_state found;
static uint64_t moved;
_Static_assert(sizeof(struct fp_state) == GUEST_FP_BYTES, "runtime.h");

void guest_fp_store(void *to)
{
	struct fp_state *state = to;

	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 "stp q0, q1, [%0]\n\tstp q2, q3, [%0, #32]\n\t"
			 "stp q4, q5, [%0, #64]\n\tstp q6, q7, [%0, #96]\n\t"
			 "stp q8, q9, [%0, #128]\n\tstp q10, q11, [%0, #160]\n\t"
			 "stp q12, q13, [%0, #192]\n\tstp q14, q15, [%0, #224]\n\t"
			 "stp q16, q17, [%0, #256]\n\tstp q18, q19, [%0, #288]\n\t"
			 "stp q20, q21, [%0, #320]\n\tstp q22, q23, [%0, #352]\n\t"
			 "stp q24, q25, [%0, #384]\n\tstp q26, q27, [%0, #416]\n\t"
			 "stp q28, q29, [%0, #448]\n\tstp q30, q31, [%0, #480]" ::"r"(state->v)
			 : "memory");
	state->fpcr = READ_SYSREG(fpcr);
	state->fpsr = READ_SYSREG(fpsr);
}

void guest_fp_load(const void *from)
{
	const struct fp_state *state = from;

	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 "ldp q0, q1, [%0]\n\tldp q2, q3, [%0, #32]\n\t"
			 "ldp q4, q5, [%0, #64]\n\tldp q6, q7, [%0, #96]\n\t"
			 "ldp q8, q9, [%0, #128]\n\tldp q10, q11, [%0, #160]\n\t"
			 "ldp q12, q13, [%0, #192]\n\tldp q14, q15, [%0, #224]\n\t"
			 "ldp q16, q17, [%0, #256]\n\tldp q18, q19, [%0, #288]\n\t"
			 "ldp q20, q21, [%0, #320]\n\tldp q22, q23, [%0, #352]\n\t"
			 "ldp q24, q25, [%0, #384]\n\tldp q26, q27, [%0, #416]\n\t"
			 "ldp q28, q29, [%0, #448]\n\tldp q30, q31, [%0, #480]" ::"r"(state->v)
			 : "memory");
	WRITE_SYSREG(fpcr, state->fpcr);
	WRITE_SYSREG(fpsr, state->fpsr);
}

void guest_fp_pattern(void *to, uint64_t seed)
{
	struct fp_state *state = to;
	uint64_t random = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < 32; i++) {
		for (size_t j = 0; j < 16; j++)
			state->v[i][j] = (uint8_t)guest_random(&random);
	}
	state->fpcr = (seed & 3) << 22;	       /* rounding mode */
	state->fpsr = (seed & 0xf) | 1u << 27; /* cumulative exceptions, QC */
}

/* Traps by CPACR_EL1 are the guest's own affair and must arrive at its own vectors. */
TEST(fp_switched_off_by_the_guest_traps_to_the_guest)
{
	guest_fp_pattern(&wanted, 4711);
	guest_fp_load(&wanted);
	WRITE_SYSREG(cpacr_el1, 0);
	struct guest_fault fault = PROBE(__asm__ volatile(".arch_extension fp\n\tfmov %0, d0"
							  : "=r"(moved)));
	WRITE_SYSREG(cpacr_el1, 3u << 20);
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), 0x07);
	guest_fp_store(&found);
	CHECK(memcmp(&wanted, &found, sizeof(wanted)) == 0);
}

AXTEST_MAIN(fp_switched_off_by_the_guest_traps_to_the_guest)
