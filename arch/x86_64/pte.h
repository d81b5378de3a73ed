/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's extended page tables and AMD's nested page tables. */
#ifndef AXVM_X86_64_PTE_H
#define AXVM_X86_64_PTE_H

#include "pte_format.h"

/*
 * EPT with 4 or 5 levels; `gib_pages`: IA32_VMX_EPT_VPID_CAP bit 17. NULL: another
 * number of levels. Pure. [SDM3 29.3]
 */
const struct axvm_pte_format *axvm_x86_64_ept_format(uint32_t levels, bool gib_pages);

/* EPTP: write-back, accessed and dirty flags off. [SDM3 25.6.11] */
uint64_t axvm_x86_64_make_eptp(const struct axvm_pte_format *format, struct axvm_hpa root);

/*
 * Nested tables with 4 levels, or 5 when the host runs with CR4.LA57; `gib_pages`:
 * CPUID 8000_0001h EDX bit 26. NULL: another number. The host's PAT must have its
 * value at reset in entries 0, 2 and 3: WB, UC- and UC; its EFER.NXE must be set. [APM2 15.25]
 */
const struct axvm_pte_format *axvm_x86_64_npt_format(uint32_t levels, bool gib_pages);

#endif
