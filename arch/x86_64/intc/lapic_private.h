/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the local APIC only. */
#ifndef AXVM_X86_64_LAPIC_PRIVATE_H
#define AXVM_X86_64_LAPIC_PRIVATE_H

#include "arch.h"
#include "lapic.h"

/* Registers by number: offset in the page / 16, MSR - 0x800 [SDM3 11.4.1, 11.12.1.2]. */
enum lapic_register {
	LAPIC_ID = 0x02,
	LAPIC_VERSION = 0x03,
	LAPIC_TPR = 0x08,
	LAPIC_APR = 0x09,
	LAPIC_PPR = 0x0a,
	LAPIC_EOI = 0x0b,
	LAPIC_RRD = 0x0c,
	LAPIC_LDR = 0x0d,
	LAPIC_DFR = 0x0e,
	LAPIC_SVR = 0x0f,
	LAPIC_ISR = 0x10,
	LAPIC_TMR = 0x18,
	LAPIC_IRR = 0x20,
	LAPIC_ESR = 0x28,
	LAPIC_LVT_CMCI = 0x2f,
	LAPIC_ICR = 0x30,
	LAPIC_ICR2 = 0x31,
	LAPIC_LVT_TIMER = 0x32,
	LAPIC_LVT_THERMAL = 0x33,
	LAPIC_LVT_PERFORMANCE = 0x34,
	LAPIC_LVT_LINT0 = 0x35,
	LAPIC_LVT_LINT1 = 0x36,
	LAPIC_LVT_ERROR = 0x37,
	LAPIC_INITIAL_COUNT = 0x38,
	LAPIC_CURRENT_COUNT = 0x39,
	LAPIC_DIVIDE = 0x3e,
	LAPIC_SELF_IPI = 0x3f,
	LAPIC_REGISTERS = 0x40,
};

#define LAPIC_SVR_ENABLE (1u << 8)
#define LAPIC_SVR_NO_BROADCAST (1u << 12) /* of the EOI */
#define LAPIC_SVR_BITS 0x11ffu

#define LAPIC_LVT_DELIVERY(lvt) ((enum axvm_lapic_delivery)((lvt) >> 8 & 7))
#define LAPIC_LVT_REMOTE_IRR (1u << 14)
#define LAPIC_LVT_LEVEL (1u << 15)
#define LAPIC_LVT_MASKED (1u << 16)
#define LAPIC_LVT_TIMER_MODE(lvt) ((lvt) >> 17 & 3)
#define LAPIC_TIMER_ONE_SHOT 0u
#define LAPIC_TIMER_PERIODIC 1u
#define LAPIC_TIMER_DEADLINE 2u

/* [SDM3 11.5.3] */
#define LAPIC_ESR_SEND_ILLEGAL (1u << 5)
#define LAPIC_ESR_RECEIVE_ILLEGAL (1u << 6)
#define LAPIC_ESR_ILLEGAL_REGISTER (1u << 7)

#define LAPIC_VECTOR_FIRST 16u

#define LAPIC_BASE_BSP ((uint64_t)1 << 8)
#define LAPIC_BASE_EXTD ((uint64_t)1 << 10)
#define LAPIC_BASE_EN ((uint64_t)1 << 11)
#define LAPIC_PAGE 0xfee00000u

#define OUT_OF_LINE __attribute__((noinline))

/* relaxed: one word by itself; what is ordered with a request is a read-modify-write, seq_cst */
static inline uint32_t lapic_look(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void lapic_put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline enum axvm_lapic_mode lapic_mode(const struct axvm_vcpu *vcpu)
{
	return (enum axvm_lapic_mode)lapic_look(&vcpu->arch.lapic.mode);
}

/* ---- lapic.c ------------------------------------------------------------------------------ */

/* Adds error bits; the interrupt for them follows. Any CPU. */
void axvm_lapic_error(struct axvm_vcpu *vcpu, uint32_t bits);
/* PPR follows TPR and ISR; a request when that makes something deliverable. */
void axvm_lapic_update(struct axvm_vcpu *vcpu);
void axvm_lapic_end(struct axvm_vcpu *vcpu);

/* ---- lapic_registers.c -------------------------------------------------------------------- */

/* All registers as at power-on. */
void axvm_lapic_clear(struct axvm_vcpu *vcpu);

/* ---- lapic_ipi.c --------------------------------------------------------------------------- */

/* What arch.lapic.icr says is sent. */
void axvm_lapic_ipi(struct axvm_vcpu *vcpu);
void axvm_lapic_self_ipi(struct axvm_vcpu *vcpu, uint8_t vector);
bool axvm_lapic_accept_init(struct axvm_vcpu *vcpu);
bool axvm_lapic_accept_startup(struct axvm_vcpu *vcpu, uint8_t vector);

/* ---- lapic_timer.c -------------------------------------------------------------------------- */

void axvm_lapic_timer_init(struct axvm_vcpu *vcpu);
void axvm_lapic_timer_stop(struct axvm_vcpu *vcpu);
/* Whether an expiry is due to be delivered; the next one of a periodic timer is arranged. */
bool axvm_lapic_timer_expire(struct axvm_vcpu *vcpu);
void axvm_lapic_timer_set_lvt(struct axvm_vcpu *vcpu, uint32_t lvt);
void axvm_lapic_timer_set_count(struct axvm_vcpu *vcpu, uint32_t count);
void axvm_lapic_timer_set_divide(struct axvm_vcpu *vcpu, uint32_t divide);
uint32_t axvm_lapic_timer_count(const struct axvm_vcpu *vcpu);
uint64_t axvm_lapic_timer_deadline(const struct axvm_vcpu *vcpu);
void axvm_lapic_timer_set_deadline(struct axvm_vcpu *vcpu, uint64_t deadline);

#endif
