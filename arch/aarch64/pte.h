/* SPDX-License-Identifier: Apache-2.0 */
/* VMSAv8-64 stage 2 with the 4 KiB granule, and the VTCR_EL2 that goes with each format. */
#ifndef AXVM_AARCH64_PTE_H
#define AXVM_AARCH64_PTE_H

#include "pte_format.h"

/*
 * The narrowest format that holds `ipa_bits`, with as few levels as concatenated
 * roots allow; NULL: more than 48. The width it has must not be more than that
 * of the CPU's physical addresses. `fwb`: for HCR_EL2.FWB, where normal memory is
 * write-back whatever stage 1 says, so that a guest with its caches off sees what
 * the host wrote. Pure. [ARM D8.2, D8.6.6]
 */
const struct axvm_pte_format *axvm_aarch64_stage2_format(uint32_t ipa_bits, bool fwb);

/*
 * VTCR_EL2 for a format on a CPU with that ID_AA64MMFR0_EL1.PARange. VS is left to
 * the caller: it may be set where ID_AA64MMFR1_EL1.VMIDBits is 2. Pure. [ARM D19.2]
 */
uint64_t axvm_aarch64_vtcr(const struct axvm_pte_format *format, uint32_t pa_range);
#define AXVM_AARCH64_VTCR_VS ((uint64_t)1 << 19) /* VMIDs have 16 bits */

/* The width that PARange stands for, at most 48; 0: unknown. */
uint32_t axvm_aarch64_pa_bits(uint32_t pa_range);

#endif
