/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's timer: SBI's and, where the host has Sstc, the CSR stimecmp, which are one there. With Sstc
 * it is hardware while the vCPU is bound and a host timer that wakes it while it is not; without, a host
 * timer always.
 */
#ifndef AXVM_RISCV64_TIMER_H
#define AXVM_RISCV64_TIMER_H

#include "arch.h"

void axvm_riscv64_timer_init(struct axvm_vcpu *vcpu);
/* Off and stopped. vCPU unbound. */
void axvm_riscv64_timer_reset(struct axvm_vcpu *vcpu);

/* SBI set_timer: guest time, UINT64_MAX: off. Clears the pending interrupt. Bound, on its CPU. */
void axvm_riscv64_timer_set(struct axvm_vcpu *vcpu, uint64_t deadline);

/* The stand-in: stopped before bind, started after unbind. */
void axvm_riscv64_timer_bound(struct axvm_vcpu *vcpu);
void axvm_riscv64_timer_unbound(struct axvm_vcpu *vcpu);

#endif
