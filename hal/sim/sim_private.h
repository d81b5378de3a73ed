/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the simulated HAL. */
#ifndef AXVM_SIM_PRIVATE_H
#define AXVM_SIM_PRIVATE_H

#include "sim.h"

/* One lock for the bookkeeping of the simulation; never held while calling out. */
void axvm_sim_lock(void);
void axvm_sim_unlock(void);

void axvm_sim_memory_reset(uint64_t base, uint64_t bytes);
void axvm_sim_cpu_reset(void);
void axvm_sim_time_reset(uint64_t hz);
void axvm_sim_log_reset(void);
void axvm_sim_tlb_reset(void);
void axvm_sim_irq_reset(void);
void axvm_sim_aarch64_reset(void);
void axvm_sim_riscv64_reset(void);
void axvm_sim_x86_64_reset(void);

/* tlb.c: tells the observer. */
void axvm_sim_note_freed(struct axvm_hpa hpa, uint64_t pages);

/*
 * machine.c. The scripted vCPUs announce themselves when they are first used, so that tests of what
 * has no vCPU link without them, and without the run loop.
 */
void axvm_sim_use_vcpus(void (*reset)(void));
const struct axvm_sim_machine *axvm_sim_machine(void);

#endif
