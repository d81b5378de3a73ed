/* SPDX-License-Identifier: Apache-2.0 */
/* Affinities: what MPIDR_EL1, PSCI targets, GIC routes and /cpus agree on. */
#ifndef AXVM_AARCH64_AFFINITY_H
#define AXVM_AARCH64_AFFINITY_H

#include <stdint.h>

/* The affinity fields of MPIDR_EL1 and of PSCI's target arguments [ARM D19.2.101]. */
#define AXVM_AARCH64_AFFINITY 0xff00ffffffULL

/* Aff3 to Aff0 in 32 bits, as GICR_TYPER has them. */
static inline uint32_t axvm_aarch64_pack_affinity(uint64_t affinity)
{
	return (uint32_t)(affinity >> 8 & 0xff000000u) | (uint32_t)(affinity & 0xffffffu);
}

#endif
