/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of hal/bare/aarch64 share. */
#ifndef AXVM_BARE_CPU_H
#define AXVM_BARE_CPU_H

#include "bare.h"

/* mmu.c */
void axvm_bare_mmu_harden(void);
/* Writes cached data back to memory, for who reads it with the MMU off. */
void axvm_bare_clean(const void *start, uint64_t bytes);

/* FEAT_S2FWB. */
bool axvm_bare_forces_write_back(void);

/* switch.c: VTCR_EL2 as axvm_hal_probe chose it */
void axvm_bare_stage2_init(void);

/* gic.c */
void axvm_bare_gic_cpu_init(struct axvm_cpu *cpu);
/* Makes a private interrupt of this CPU active or not, as seen by its redistributor. */
void axvm_bare_gic_set_active(struct axvm_cpu *cpu, uint32_t intid, bool active);

/* Shared interrupts, from AXVM_INTID_SPI to below the limit. Any CPU. */
uint32_t axvm_bare_gic_spi_limit(void);
void axvm_bare_gic_enable_spi(uint32_t intid, bool edge, const struct axvm_cpu *cpu);
void axvm_bare_gic_route_spi(uint32_t intid, const struct axvm_cpu *cpu); /* and enables it */
void axvm_bare_gic_disable_spi(uint32_t intid); /* in effect when it returns */

/* vectors.S */
enum axvm_verdict axvm_bare_exit_irq(struct axvm_vcpu *vcpu);
_Noreturn void axvm_bare_own_exception(const uint64_t *frame, uint64_t vector);
void axvm_bare_fp_save(struct axvm_aarch64_fp *fp);
void axvm_bare_fp_load(const struct axvm_aarch64_fp *fp);

/* This CPU runs at EL2, not at EL1 where it can only say so. */
bool axvm_bare_at_el2(void);

#define AXVM_INTID_MAINTENANCE 25u
#define AXVM_INTID_HYPERVISOR_TIMER 26u
#define AXVM_INTID_VIRTUAL_TIMER 27u
#define AXVM_INTID_KICK 0u
#define AXVM_INTID_SPI 32u /* the first */

#endif
