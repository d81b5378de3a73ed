/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated machine has of aarch64 (<axvm/hal_aarch64.h>). Reset by axvm_sim_reset. */
#ifndef AXVM_AARCH64_SIM_H
#define AXVM_AARCH64_SIM_H

#include <stdbool.h>
#include <stdint.h>

/* The host's ID register; by default those of a plain Armv8.0 CPU with a GICv3. */
void axvm_sim_set_id_register(unsigned crm, unsigned op2, uint64_t value);

/* How often axvm_hal_aarch64_irq_deactivate was called for an interrupt below 1020. */
uint64_t axvm_sim_deactivations(uint32_t intid);

/* What axvm_hal_aarch64_virtual_timer_is_due says of every vCPU; true by default. */
void axvm_sim_set_virtual_timers_due(bool due);

/*
 * The guest's stage 1: a virtual address is its guest-physical one plus `offset`, or none is
 * mapped. At first they are the same.
 */
void axvm_sim_set_stage1(bool is_mapped, uint64_t offset);

/* How often axvm_hal_aarch64_translate was called. */
uint64_t axvm_sim_translations(void);

#endif
