/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of a VM: lines into its controller. Numbers are the controller's
 * own (INTID, PLIC source, GSI) in full width.
 */
#ifndef AXVM_IRQ_H
#define AXVM_IRQ_H

#include <axvm/error.h>
#include <axvm/types.h>

/*
 * Sets a shared line's level. Devices of the VM call it in the exit path; any
 * CPU may, also on behalf of another VM. Never blocks; out-of-range lines are
 * AXVM_EINVAL. Edge-configured lines latch on the rise.
 */
int axvm_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level);

/* One edge: latched until acknowledged. Otherwise as set_level. */
int axvm_irq_pulse(struct axvm_vm *vm, uint32_t irq);

/* A private interrupt (PPI, timer) of one vCPU. Otherwise as set_level. */
int axvm_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level);

/* Injects `irq` as an edge into every vCPU of the mask (bit = index). Any CPU, any VM. */
int axvm_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq);

#endif
