/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of an ISA with the portable core: each directory under arch/
 * gives the same names. Pure knowledge: no assembly, no volatile, nothing
 * privileged, so that every ISA is built and tested on any host.
 */
#ifndef AXVM_ARCH_H
#define AXVM_ARCH_H

#include <axvm/device.h>
#include <axvm/hal.h>
#include <axvm/irq.h>
#include <axvm/platform.h>
#include <axvm/vm.h>

#include "vcpu_state.h"
#include "vm_state.h"

/* This build's ISA. */
extern const struct axvm_platform *const axvm_arch_platform;
/*
 * The same with the default machine that suits this host: for VM files that do not choose. After
 * axvm_init, any context.
 */
const struct axvm_platform *axvm_arch_host_platform(void);

/* Device types that only this ISA has (interrupt controllers). */
extern const struct axvm_device_type *const axvm_arch_device_types[];
extern const uint32_t axvm_arch_device_type_count;

/* After the aspace and vCPU objects exist, before the devices. AXVM_ENOMEM, AXVM_EINVAL. */
AXVM_MUST_USE int axvm_arch_vm_init(struct axvm_vm *vm);
AXVM_MUST_USE int axvm_arch_vcpu_init(struct axvm_vcpu *vcpu);

/* Power-on state; `entry` and `arg` as the ISA's boot protocol says (x0 or a1: device tree). */
void axvm_arch_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t arg);

/* What the platform's fdt_machine reads as axvm_guest_fdt.host; the VM's devices exist. May be NULL. */
const void *axvm_arch_fdt_host(struct axvm_vm *vm);

/* Stops what outlives the VM's pages (timers). vCPU unbound. Also before each reset of the VM. */
void axvm_arch_vcpu_fini(struct axvm_vcpu *vcpu);

/* What the exit path tells the world switch; the order is known to hal/bare's assembly. */
enum axvm_verdict {
	AXVM_ENTER = 0,	     /* enter again; callee-saved guest registers in vcpu->arch unchanged */
	AXVM_ENTER_FULL = 1, /* enter again; load every register from vcpu->arch */
	AXVM_LEAVE = 2,	     /* return from axvm_hal_vcpu_enter; vcpu->exit is filled */
};

/*
 * Takes requests. The world switch calls it, on the vCPU's CPU, when a handler has not said AXVM_LEAVE
 * and vcpu->requests is not 0: the last look before the guest is entered again. It says AXVM_ENTER_FULL
 * or AXVM_LEAVE.
 */
enum axvm_verdict axvm_vcpu_take_requests(struct axvm_vcpu *vcpu);

/* Interrupt controller, see <axvm/irq.h>; these are behind its functions. */
int axvm_arch_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level);
int axvm_arch_irq_pulse(struct axvm_vm *vm, uint32_t irq);
int axvm_arch_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level);
int axvm_arch_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq);

/* Brings deliverable interrupts into vcpu->arch's hardware slots; its CPU, synced. */
void axvm_arch_irq_fill(struct axvm_vcpu *vcpu);
/*
 * Any CPU: whether an interrupt is pending that the vCPU would take or wake for. Takes no lock: hosts
 * ask with their scheduler's lock held, and axvm_hal_vcpu_wake takes that one under an IRQ lock.
 */
bool axvm_arch_irq_pending(const struct axvm_vcpu *vcpu);

/*
 * Around bind and unbind, on the vCPU's CPU, for timers that run in hardware only while bound: just
 * before axvm_hal_vcpu_bind loads vcpu->arch, and just after axvm_hal_vcpu_unbind has stored it.
 * The first also brings interrupts that came meanwhile into the hardware slots.
 */
void axvm_arch_vcpu_bound(struct axvm_vcpu *vcpu);
void axvm_arch_vcpu_unbound(struct axvm_vcpu *vcpu);

/* General registers by number. AXVM_EINVAL. */
int axvm_arch_get_register(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value);
int axvm_arch_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value);
void axvm_arch_set_result(struct axvm_vcpu *vcpu, uint64_t value);

/* ---- what the core gives to the ISA --------------------------------------------------- */

/* What axvm_hal_probe found; valid from axvm_init on. */
const struct axvm_hal_caps *axvm_host_caps(void);

/*
 * Switches a vCPU of the same VM on (PSCI CPU_ON, HSM hart_start, SIPI). The
 * target starts with axvm_arch_vcpu_reset(target, entry, arg).
 * AXVM_ENOENT: no such vCPU. AXVM_EBUSY: being switched on. AXVM_EEXIST: on.
 */
AXVM_MUST_USE int axvm_vcpu_power_on(struct axvm_vm *vm, uint32_t index, uint64_t entry,
				     uint64_t arg);
/* The calling vCPU switches itself off; the ISA then leaves with AXVM_EXIT_CPU_DOWN. */
void axvm_vcpu_power_off(struct axvm_vcpu *vcpu);

/*
 * Sets request bits; kicks the CPU that the vCPU is bound to unless that is this one; wakes it
 * when it is bound to none. Any CPU, any lock held. See axvm_vcpu_has_work for why none is lost.
 */
void axvm_vcpu_request(struct axvm_vcpu *vcpu, uint32_t requests);

#endif
