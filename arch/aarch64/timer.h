/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic timer [ARM D12]. The virtual timer is hardware while its vCPU is
 * bound, and a host timer that wakes it while it is not. The EL1 physical timer is
 * emulated; physical time is the host's.
 */
#ifndef AXVM_AARCH64_TIMER_H
#define AXVM_AARCH64_TIMER_H

#include "arch.h"

#define AXVM_AARCH64_TIMER_ENABLE (1ULL << 0)
#define AXVM_AARCH64_TIMER_MASK (1ULL << 1)
#define AXVM_AARCH64_TIMER_STATUS (1ULL << 2)

void axvm_aarch64_timer_init(struct axvm_vcpu *vcpu);
/* Both timers off and stopped. vCPU unbound. */
void axvm_aarch64_timer_reset(struct axvm_vcpu *vcpu);

/* CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTP_TVAL_EL0. On the vCPU's CPU. */
uint64_t axvm_aarch64_timer_read_ctl(const struct axvm_vcpu *vcpu);
void axvm_aarch64_timer_write_ctl(struct axvm_vcpu *vcpu, uint64_t value);
uint64_t axvm_aarch64_timer_read_cval(const struct axvm_vcpu *vcpu);
void axvm_aarch64_timer_write_cval(struct axvm_vcpu *vcpu, uint64_t value);
uint64_t axvm_aarch64_timer_read_tval(const struct axvm_vcpu *vcpu);
void axvm_aarch64_timer_write_tval(struct axvm_vcpu *vcpu, uint64_t value);

/* The virtual timer's stand-in: stopped before bind, started after unbind. */
void axvm_aarch64_timer_bound(struct axvm_vcpu *vcpu);
void axvm_aarch64_timer_unbound(struct axvm_vcpu *vcpu);

#endif
