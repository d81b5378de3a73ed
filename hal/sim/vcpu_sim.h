/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests of the simulated machine: a script per vCPU, of what happens in the
 * guest until each exit. axvm_sim_reset forgets all scripts.
 */
#ifndef AXVM_VCPU_SIM_H
#define AXVM_VCPU_SIM_H

#include "arch.h"

#define AXVM_SIM_ARGS 4u

/*
 * What happens at an exit: the test calls the ISA's exit function with the raw
 * values (axvm_aarch64_exit_sync with ESR, FAR and HPFAR from args), or fills
 * vcpu->exit and says AXVM_LEAVE. Runs where the world switch would call.
 */
typedef enum axvm_verdict (*axvm_sim_step)(struct axvm_vcpu *vcpu,
					   const uint64_t args[AXVM_SIM_ARGS]);

/* Adds to the script's end; at most 64 steps wait. `args` may be NULL: zeros. */
void axvm_sim_push(struct axvm_vcpu *vcpu, axvm_sim_step step, const uint64_t *args);
/* The guest leaves with this exit. */
void axvm_sim_push_exit(struct axvm_vcpu *vcpu, const struct axvm_exit *exit);
void axvm_sim_push_reason(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason);
/*
 * From here on the guest computes for ever: it comes out only when its CPU is
 * kicked and a request then says so. Panics after 20 s in which nobody did.
 */
void axvm_sim_push_busy(struct axvm_vcpu *vcpu);
/* Steps that have not happened. At the script's end the guest halts. */
uint32_t axvm_sim_steps_left(const struct axvm_vcpu *vcpu);

/* What the back end was asked for, since the reset. */
struct axvm_sim_vcpu_counts {
	uint64_t binds;
	uint64_t unbinds;
	uint64_t enters;
	uint64_t irq_syncs;
	uint64_t irq_flushes;
	uint64_t sysreg_syncs;
	uint64_t sysreg_flushes;
};
struct axvm_sim_vcpu_counts axvm_sim_vcpu_counts(const struct axvm_vcpu *vcpu);
bool axvm_sim_is_bound(const struct axvm_vcpu *vcpu);

/* Forgets the vCPU, script and counts: another may get its memory. Not bound. */
void axvm_sim_forget(const struct axvm_vcpu *vcpu);

#endif
