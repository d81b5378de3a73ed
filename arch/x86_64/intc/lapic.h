/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's local APIC, in xAPIC and x2APIC mode [SDM3 11]. Others set bits of few words, all other state is
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

enum axvm_lapic_mode { /* bits 11 (EN) and 10 (EXTD) of IA32_APIC_BASE say it */
		       AXVM_LAPIC_OFF,
		       AXVM_LAPIC_XAPIC,
		       AXVM_LAPIC_X2APIC,
};

enum axvm_lapic_lvt { /* also the bits of `events`, and the private interrupts of <axvm/irq.h> */
		      AXVM_LAPIC_CMCI,
		      AXVM_LAPIC_TIMER,
		      AXVM_LAPIC_THERMAL,
		      AXVM_LAPIC_PERFORMANCE,
		      AXVM_LAPIC_LINT0,
		      AXVM_LAPIC_LINT1,
		      AXVM_LAPIC_ERROR,
		      AXVM_LAPIC_LVTS,
};

/*
 * `irr`, `trigger`, `esr_pending`, `events` and `lines` change on any CPU. The other atomic ones change on
 * the vCPU's own, and others read them: where a message goes, whether the vCPU sleeps on.
 */
struct axvm_lapic {
	_Atomic uint32_t irr[8];
	_Atomic uint32_t trigger[8]; /* TMR: set is level */
	_Atomic uint32_t esr_pending;
	_Atomic uint32_t
		events; /* bit: that entry of the LVT is to be delivered by the vCPU's CPU */
	_Atomic uint32_t lines; /* AXVM_LAPIC_LINE_... */
	_Atomic uint32_t mode;	/* enum axvm_lapic_mode */
	_Atomic uint32_t ppr;
	_Atomic uint32_t ldr;
	_Atomic uint32_t dfr;
	_Atomic uint32_t svr;
	_Atomic uint32_t lvt[AXVM_LAPIC_LVTS];
	uint32_t isr[8];
	uint32_t id; /* x2APIC id; the xAPIC one is its low 8 bits */
	uint32_t tpr;
	uint32_t esr;
	uint64_t icr;
	uint32_t divide;
	uint32_t initial_count;
	uint64_t timer_period; /* host ticks; 0: stopped */
	uint64_t timer_due;    /* host ticks at which it expires next; UINT64_MAX: never */
	uint64_t tsc_deadline; /* guest TSC; 0: off */
	struct axvm_timer timer;
};

#define AXVM_LAPIC_LINE_LINT0 1u /* the pin's level; of vCPU 0's the PIC's output is on it */
#define AXVM_LAPIC_LINE_LINT1 2u
#define AXVM_LAPIC_LINE_EXTINT 4u /* an EXTINT message came */

/*
 * The timer counts at the host's TSC / 4, before its own divider: so that the frequency fits into the 32 bits
 * that CPUID 0x15 has for it. The ratio of the TSC to it is 4, exactly.
 */
#define AXVM_LAPIC_CLOCK_SHIFT 2u

/*
 * The vCPU's page at 0xfee00000 on the VM's MMIO bus: one device of the VM, who accesses it says whose it
 * is. No configuration entry of its own: part of the machine. AXVM_ENOMEM.
 */
AXVM_MUST_USE int axvm_lapic_make(struct axvm_vm *vm);

/* At creation: power-on state, whose timer is not running. `id` is arch.lapic.id. */
void axvm_lapic_init(struct axvm_vcpu *vcpu, uint32_t id);
/*
 * What INIT leaves, which is the power-on state but for id, mode and IA32_APIC_BASE [SDM3 11.4.7.3]: of
 * axvm_arch_vcpu_reset. On the vCPU's CPU, or not bound.
 */
void axvm_lapic_reset(struct axvm_vcpu *vcpu);
/* Of axvm_arch_vcpu_fini: stops the timer, forgets INIT and NMI; IA32_APIC_BASE as at power-on. Not bound. */
void axvm_lapic_fini(struct axvm_vcpu *vcpu);

/*
 * INIT came (arch.init_sipi) and asked the vCPU to leave: it waits for STARTUP now, that is, is switched off;
 * with a STARTUP that came meanwhile it is switched on again. Of axvm_arch_vcpu_unbound. Cheap without INIT.
 */
void axvm_lapic_take_init(struct axvm_vcpu *vcpu);

/*
 * A message or a pin's signal for one vCPU, also one that is off. True: it was taken. A STARTUP is
 * axvm_vcpu_power_on with entry vector << 12, argument 0. SMI is taken and of no effect. Any CPU.
 */
bool axvm_lapic_accept(struct axvm_vcpu *vcpu, enum axvm_lapic_delivery delivery, uint8_t vector,
		       bool level);

/*
 * A message from the IOAPIC or an MSI, to those that destination and mode name. Any CPU. True: somebody took
 * it. Those who have 8 bits for the destination give AXVM_LAPIC_BROADCAST for 0xff.
 */
struct axvm_lapic_message {
	uint32_t destination;
	bool logical;
	bool level;
	uint8_t vector;
	enum axvm_lapic_delivery delivery;
};
#define AXVM_LAPIC_BROADCAST UINT32_MAX
bool axvm_lapic_send(struct axvm_vm *vm, const struct axvm_lapic_message *message);

/* The LVT's own sources: an edge at that entry. Any CPU. */
void axvm_lapic_signal(struct axvm_vcpu *vcpu, enum axvm_lapic_lvt entry);
/* The level of LINT0 or LINT1. Any CPU, any lock held. */
void axvm_lapic_set_line(struct axvm_vcpu *vcpu, enum axvm_lapic_lvt entry, bool level);
/* Delivers what `events` has. On the vCPU's CPU; does not request. */
void axvm_lapic_service(struct axvm_vcpu *vcpu);

/*
 * The vector that the CPU would take now: the highest of IRR above the processor priority; the PIC's
 * (AXVM_LAPIC_EXTINT_PENDING), whose vector only its acknowledgement tells; -1: none. And taking it: IRR to
 * ISR, or the PIC's acknowledgement; the vector. On its CPU, no lock of rank IRQ held.
 */
#define AXVM_LAPIC_EXTINT_PENDING 256
int axvm_lapic_pending(const struct axvm_vcpu *vcpu);
int axvm_lapic_take(struct axvm_vcpu *vcpu);
/* Any CPU: whether pending could be other than -1. */
bool axvm_lapic_has_pending(const struct axvm_vcpu *vcpu);

/* CR8. On the vCPU's CPU. */
uint64_t axvm_lapic_get_cr8(const struct axvm_vcpu *vcpu);
void axvm_lapic_set_cr8(struct axvm_vcpu *vcpu, uint64_t value);

/* The guest's TSC offset has changed: its deadline is at another time of the host's. On the vCPU's CPU. */
void axvm_lapic_tsc_changed(struct axvm_vcpu *vcpu);

/* x2APIC MSRs 0x800 to 0x8ff, IA32_APIC_BASE, IA32_TSC_DEADLINE; false: #GP. On the vCPU's CPU. */
bool axvm_lapic_read_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t *value);
bool axvm_lapic_write_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t value);

#endif
