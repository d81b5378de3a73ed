// SPDX-License-Identifier: Apache-2.0
/*
 * What a vCPU is given when it is entered next, and the lines of the VM. There is one place for an event:
 * what cannot go into it asks for a window, an exit as soon as the guest can take an interrupt.
 */
#include "exit.h"
#include "intc/ioapic.h"
#include "intc/lapic.h"
#include "intc/pic.h"

#define ISA_IRQS 16u
#define CASCADE 2u /* the PICs' own; pin 2 is IRQ 0's */

/* ---- into the vCPU -------------------------------------------------------------------------------- */

static void put(struct axvm_arch_vcpu *arch, enum axvm_x86_event_type type, uint32_t vector)
{
	arch->event = (struct axvm_x86_event){
		.valid = true,
		.vector = (uint8_t)vector,
		.type = (uint8_t)type,
	};
}

#define NMI_VECTOR 2u

/*
 * NMIs that come while one waits are one [SDM3 6.7.1]. An interrupt shadow does not hold one back, for no window
 * would tell its end while IF is clear.
 */
static void fill_nmi(struct axvm_arch_vcpu *arch)
{
	if (atomic_load_explicit(&arch->nmi, memory_order_relaxed) != 0 &&
	    atomic_exchange_explicit(&arch->nmi, 0, memory_order_seq_cst) != 0)
		arch->nmi_pending = true;
	if (!arch->nmi_pending || arch->event.valid || arch->sys.nmi_masked)
		return;
	arch->nmi_pending = false;
	put(arch, AXVM_X86_EVENT_NMI, NMI_VECTOR);
}

static void fill_interrupt(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	if (arch->event.valid || arch->sys.interrupt_shadow ||
	    (arch->rflags & AXVM_X86_RFLAGS_IF) == 0)
		return;
	int vector = axvm_lapic_take(vcpu);

	if (vector >= 0)
		put(arch, AXVM_X86_EVENT_INTERRUPT, (uint32_t)vector);
}

void axvm_arch_irq_fill(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_lapic_service(vcpu);
	fill_nmi(arch);
	if (axvm_lapic_pending(vcpu) >= 0)
		fill_interrupt(vcpu);
	arch->wants_window =
		axvm_lapic_pending(vcpu) >= 0 || (arch->nmi_pending && !arch->sys.nmi_masked);
	axvm_x86_64_irq_note(vcpu);
}

/* relaxed: who asks for an unbound vCPU has acquired its state, which was released later */
void axvm_x86_64_irq_note(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint32_t wake = 0;

	if ((arch->rflags & AXVM_X86_RFLAGS_IF) != 0)
		wake |= AXVM_X86_WAKE_INTERRUPT;
	if (!arch->sys.nmi_masked)
		wake |= AXVM_X86_WAKE_NMI;
	if (arch->event.valid || (arch->nmi_pending && !arch->sys.nmi_masked))
		wake |= AXVM_X86_WAKE_NOW;
	atomic_store_explicit(&arch->wake, wake, memory_order_relaxed);
}

bool axvm_arch_irq_pending(const struct axvm_vcpu *vcpu)
{
	const struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint32_t wake = atomic_load_explicit(&arch->wake, memory_order_relaxed);

	if ((wake & AXVM_X86_WAKE_NOW) != 0 ||
	    atomic_load_explicit(&arch->init_sipi, memory_order_seq_cst) != 0)
		return true;
	if ((wake & AXVM_X86_WAKE_NMI) != 0 &&
	    atomic_load_explicit(&arch->nmi, memory_order_seq_cst) != 0)
		return true;
	return (wake & AXVM_X86_WAKE_INTERRUPT) != 0 && axvm_lapic_has_pending(vcpu);
}

/* ---- lines ---------------------------------------------------------------------------------------- */

/* Both controllers have the line; the guest uses one and masks the other. */
int axvm_arch_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level)
{
	struct axvm_arch_vm *arch = &vm->arch;

	if (irq == CASCADE || irq >= AXVM_IOAPIC_PINS ||
	    (arch->ioapic == NULL && arch->pic == NULL))
		return AXVM_EINVAL;
	if (arch->ioapic != NULL)
		(void)axvm_ioapic_set_level(arch->ioapic, irq == 0 ? CASCADE : irq, level);
	if (arch->pic != NULL && irq < ISA_IRQS)
		(void)axvm_pic_set_level(arch->pic, irq, level);
	return 0;
}

int axvm_arch_irq_pulse(struct axvm_vm *vm, uint32_t irq)
{
	struct axvm_arch_vm *arch = &vm->arch;

	if (irq == CASCADE || irq >= AXVM_IOAPIC_PINS ||
	    (arch->ioapic == NULL && arch->pic == NULL))
		return AXVM_EINVAL;
	if (arch->ioapic != NULL)
		(void)axvm_ioapic_pulse(arch->ioapic, irq == 0 ? CASCADE : irq);
	if (arch->pic != NULL && irq < ISA_IRQS) {
		(void)axvm_pic_set_level(arch->pic, irq, true);
		(void)axvm_pic_set_level(arch->pic, irq, false);
	}
	return 0;
}

int axvm_arch_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level)
{
	switch (irq) {
	case AXVM_LAPIC_LINT0:
	case AXVM_LAPIC_LINT1:
		axvm_lapic_set_line(vcpu, (enum axvm_lapic_lvt)irq, level);
		return 0;
	case AXVM_LAPIC_CMCI:
	case AXVM_LAPIC_THERMAL:
	case AXVM_LAPIC_PERFORMANCE: /* edges: there is nothing to take back */
		if (level)
			axvm_lapic_signal(vcpu, (enum axvm_lapic_lvt)irq);
		return 0;
	default:
		return AXVM_EINVAL;
	}
}

/* Who takes it the IOAPIC says. */
int axvm_arch_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq)
{
	(void)vcpu_mask;
	return axvm_arch_irq_pulse(vm, irq);
}

void axvm_x86_64_pic_output(struct axvm_vm *vm, bool level)
{
	axvm_lapic_set_line(vm->vcpus[0], AXVM_LAPIC_LINT0, level);
	if (vm->arch.ioapic != NULL)
		(void)axvm_ioapic_set_level(vm->arch.ioapic, 0, level);
}
