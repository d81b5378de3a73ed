/* SPDX-License-Identifier: Apache-2.0 */
/* Affinities: what MPIDR_EL1, PSCI targets, GIC routes and /cpus agree on. */
#ifndef AXVM_AARCH64_AFFINITY_H
#define AXVM_AARCH64_AFFINITY_H

#include <axvm/config.h>

/* The affinity fields of MPIDR_EL1 and of PSCI's target arguments [ARM D19.2.101]. */
#define AXVM_AARCH64_AFFINITY 0xff00ffffffULL

/* CPUs in a cluster where the configuration names no affinities: as QEMU's `virt` with a GICv3. */
#define AXVM_AARCH64_CLUSTER_CPUS 16u

/* The affinity of a vCPU: from the configuration, or as QEMU numbers its CPUs. */
static inline uint64_t axvm_aarch64_affinity(const struct axvm_config *config, uint32_t index)
{
	if (config->phys_cpu_ids)
		return config->phys_cpu_ids[index] & AXVM_AARCH64_AFFINITY;
	return (uint64_t)(index / AXVM_AARCH64_CLUSTER_CPUS) << 8 |
	       index % AXVM_AARCH64_CLUSTER_CPUS;
}

/* Aff3 to Aff0 in 32 bits, as GICR_TYPER has them. */
static inline uint32_t axvm_aarch64_pack_affinity(uint64_t affinity)
{
	return (uint32_t)(affinity >> 8 & 0xff000000u) | (uint32_t)(affinity & 0xffffffu);
}

#endif
