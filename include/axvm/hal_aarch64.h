/* SPDX-License-Identifier: Apache-2.0 */
/* What the library needs on aarch64 beside <axvm/hal.h>. Context as there. */
#ifndef AXVM_HAL_AARCH64_H
#define AXVM_HAL_AARCH64_H

#include <stdbool.h>
#include <stdint.h>

#include <axvm/types.h>

struct axvm_vcpu;

/*
 * The host's ID register S3_0_C0_C<crm>_<op2>, crm 1 to 7, op2 0 to 7: what every
 * CPU that may run guests has (on unlike CPUs the field-wise least). 0 where the
 * architecture has none.
 */
uint64_t axvm_hal_aarch64_id_register(unsigned crm, unsigned op2);

/*
 * Deactivates a physical interrupt that the guest can no longer deactivate through
 * its list register: the controller was reset, or its state was written by hand.
 * Below 32 it is this CPU's. Idempotent.
 */
void axvm_hal_aarch64_irq_deactivate(uint32_t intid);

/*
 * Whether the vCPU's virtual timer asks for its interrupt now: enabled, not masked, its condition
 * met. On the vCPU's CPU, bound or as unbind has left it.
 */
bool axvm_hal_aarch64_virtual_timer_is_due(const struct axvm_vcpu *vcpu);

/*
 * The guest-physical address that the guest's own tables, those that it uses now,
 * give for a virtual one that EL1 may read, or AXVM_AARCH64_NO_GPA: none any more.
 * The vCPU is bound on this CPU; its registers stay as they are. In the exit path.
 */
#define AXVM_AARCH64_NO_GPA UINT64_MAX
uint64_t axvm_hal_aarch64_translate(struct axvm_vcpu *vcpu, uint64_t va);

#endif
