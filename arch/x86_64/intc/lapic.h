/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's local APIC, in xAPIC and x2APIC mode [SDM3 11]. IRR is what any CPU may set; all other state is
 * the vCPU's own, so nothing here takes a lock.
 */
#ifndef AXVM_X86_64_LAPIC_H
#define AXVM_X86_64_LAPIC_H

#include <stdatomic.h>

#include <axvm/device.h>
#include <axvm/hal.h>
#include <axvm/types.h>

enum axvm_lapic_delivery { /* as ICR and LVT encode it */
			   AXVM_LAPIC_FIXED = 0,
			   AXVM_LAPIC_LOWEST = 1,
			   AXVM_LAPIC_SMI = 2,
			   AXVM_LAPIC_NMI = 4,
			   AXVM_LAPIC_INIT = 5,
			   AXVM_LAPIC_STARTUP = 6,
			   AXVM_LAPIC_EXTINT = 7,
};

struct axvm_lapic {
	_Atomic uint32_t irr[8];
	_Atomic uint32_t trigger[8]; /* TMR: set is level */
	uint32_t isr[8];
	uint32_t id; /* x2APIC id; the xAPIC one is its low 8 bits */
	uint32_t tpr;
	uint32_t ldr;
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;
	uint32_t esr_pending;
	uint64_t icr;
	uint32_t lvt[7]; /* CMCI, timer, thermal, performance, LINT0, LINT1, error */
	uint32_t divide;
	uint32_t initial_count;
	uint64_t timer_start;  /* host ticks at which the current period began */
	uint64_t timer_period; /* host ticks; 0: stopped */
	uint64_t tsc_deadline; /* guest TSC; 0: off */
	struct axvm_timer timer;
	_Atomic uint32_t extint; /* the PIC's line, at LINT0 */
};

/* Power-on (and INIT: `keeps_id`) state. On the vCPU's CPU, or not bound. */
void axvm_lapic_init(struct axvm_vcpu *vcpu);
void axvm_lapic_reset(struct axvm_vcpu *vcpu);
void axvm_lapic_fini(struct axvm_vcpu *vcpu);

/* An interrupt message for one vCPU: fixed, NMI, INIT, STARTUP, EXTINT. Any CPU. */
void axvm_lapic_accept(struct axvm_vcpu *vcpu, enum axvm_lapic_delivery delivery, uint8_t vector,
		       bool level);

/* A message from the IOAPIC or an MSI, to those that destination and mode name. Any CPU. */
struct axvm_lapic_message {
	uint32_t destination;
	bool logical;
	bool level;
	uint8_t vector;
	enum axvm_lapic_delivery delivery;
};
void axvm_lapic_send(struct axvm_vm *vm, const struct axvm_lapic_message *message);

/*
 * The vector that the CPU would take now: the highest of IRR above the processor priority, or the PIC's
 * (by LINT0 or EXTINT); -1: none. And taking it: IRR to ISR, or the PIC's acknowledgement. On its CPU.
 */
int axvm_lapic_pending(const struct axvm_vcpu *vcpu);
int axvm_lapic_take(struct axvm_vcpu *vcpu);
/* Any CPU: whether pending could be other than -1. */
bool axvm_lapic_has_pending(const struct axvm_vcpu *vcpu);

/* CR8. On the vCPU's CPU. */
uint64_t axvm_lapic_get_cr8(const struct axvm_vcpu *vcpu);
void axvm_lapic_set_cr8(struct axvm_vcpu *vcpu, uint64_t value);

/* x2APIC MSRs 0x800 to 0x8ff, IA32_APIC_BASE, IA32_TSC_DEADLINE; false: #GP. On the vCPU's CPU. */
bool axvm_lapic_read_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t *value);
bool axvm_lapic_write_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t value);

/* The xAPIC page at 0xfee00000 of each vCPU is one device of the VM; who accesses it says whose it is. */
extern const struct axvm_device_type axvm_lapic_device_type;

#endif
