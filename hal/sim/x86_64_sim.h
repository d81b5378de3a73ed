/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated machine has of x86_64 (<axvm/hal_x86_64.h>). Reset by axvm_sim_reset. */
#ifndef AXVM_X86_64_SIM_H
#define AXVM_X86_64_SIM_H

#include <axvm/hal_x86_64.h>

/* SVM without next RIP and decode assists, TSC at the machine's frequency, XSAVE with x87, SSE and AVX. */
struct axvm_x86_64_host axvm_sim_x86_64_default_host(void);
void axvm_sim_x86_64_set_host(const struct axvm_x86_64_host *host);

/*
 * A leaf of the host's CPUID from now on; at most 64. `subleaf` UINT32_MAX: of each that has no other. A leaf
 * that was never set has all bits set, so that a test sees what gets through; 0, 0x80000000 and 0xd are a small AMD
 * CPU's at first.
 */
void axvm_sim_x86_64_set_cpuid(uint32_t leaf, uint32_t subleaf, const uint32_t value[4]);

/* How often the library asked for each. */
uint64_t axvm_sim_x86_64_xcr0_sets(void);
uint64_t axvm_sim_x86_64_tsc_offset_sets(void);
uint64_t axvm_sim_x86_64_completions(uint32_t host_irq);

#endif
