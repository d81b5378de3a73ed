/* SPDX-License-Identifier: Apache-2.0 */
/* G-stage translation: Sv39x4, Sv48x4 and Sv57x4, and the hgatp that goes with each. */
#ifndef AXVM_RISCV64_PTE_H
#define AXVM_RISCV64_PTE_H

#include "pte_format.h"

/* What the harts have; `mode` is a value of hgatp.MODE that the hart accepts. [RISCV-H 18.2.10] */
#define AXVM_RISCV64_HGATP_SV39X4 8u
#define AXVM_RISCV64_HGATP_SV48X4 9u
#define AXVM_RISCV64_HGATP_SV57X4 10u

/*
 * The format of an hgatp mode, with memory types in the entries when the harts
 * have Svpbmt; otherwise the platform's physical memory attributes decide.
 * NULL: not a mode of RV64 that translates. Pure.
 */
const struct axvm_pte_format *axvm_riscv64_gstage_format(uint32_t mode, bool svpbmt);

/* hgatp for a root and a VMID of at most 14 bits. Pure. */
uint64_t axvm_riscv64_make_hgatp(uint32_t mode, uint32_t vmid, struct axvm_hpa root);

#endif
