/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vCPU is asked to take. Each line is one word that any CPU sets, before it asks the vCPU to look; the
 * vCPU's own CPU brings the words into hvip. Of hvip the guest itself changes VSSIP alone: once brought in, that
 * one is the guest's.
 */
#include "exit.h"
#include "regs.h"

/* Private interrupts, as sie and sip number them [RISCV-PRIV 10.1.3]. */
#define PRIVATE_SSI 1u
#define PRIVATE_STI 5u
#define PRIVATE_SEI 9u

/* seq_cst, here and in the request that follows: see axvm_vcpu_has_work */
static void set(struct axvm_vcpu *vcpu, _Atomic uint32_t *line, bool level)
{
	if (atomic_exchange_explicit(line, level, memory_order_seq_cst) != level)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
}

void axvm_riscv64_set_external(struct axvm_vcpu *vcpu, bool level)
{
	set(vcpu, &vcpu->arch.external, level);
}

void axvm_riscv64_set_timer(struct axvm_vcpu *vcpu, bool level)
{
	set(vcpu, &vcpu->arch.timer, level);
}

/* One that is set already was asked for by whoever set it, and takes this one along. */
void axvm_riscv64_set_software(struct axvm_vcpu *vcpu)
{
	set(vcpu, &vcpu->arch.software, true);
}

void axvm_riscv64_guest_file_signalled(struct axvm_vcpu *vcpu)
{
	set(vcpu, &vcpu->arch.guest_file_signal, true);
}

void axvm_riscv64_irq_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	arch->hvip = 0;
	arch->vsie = 0;
	arch->vsip = 0;
	atomic_store_explicit(&arch->software, 0, memory_order_relaxed);
	atomic_store_explicit(&arch->guest_file_signal, 0, memory_order_relaxed);
	axvm_riscv64_irq_note(vcpu);
}

/* relaxed: who asks for an unbound vCPU has acquired its state, which was released later */
void axvm_riscv64_irq_note(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t own = arch->hvip & AXVM_RISCV64_VSSI;

	if ((vcpu->vm->arch.extensions & AXVM_RISCV64_EXT_SSTC) != 0)
		own |= arch->vsip & AXVM_RISCV64_VSTI;
	if (arch->guest_file != 0)
		own |= arch->vsip & AXVM_RISCV64_VSEI;
	atomic_store_explicit(&arch->wake_enabled, (uint32_t)arch->vsie, memory_order_relaxed);
	atomic_store_explicit(&arch->wake_pending, (uint32_t)own, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint32_t *line, uint64_t bit)
{
	return atomic_load_explicit(line, memory_order_seq_cst) != 0 ? bit : 0;
}

/* The SSIP that others have set, once. */
static uint64_t take_software(struct axvm_arch_vcpu *arch)
{
	if (atomic_load_explicit(&arch->software, memory_order_relaxed) == 0)
		return 0;
	/* acquire: what its sender wrote before; pairs with the exchange in set */
	return atomic_exchange_explicit(&arch->software, 0, memory_order_seq_cst) != 0
		       ? AXVM_RISCV64_VSSI
		       : 0;
}

void axvm_arch_irq_fill(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	/* The file of a bound vCPU signals to the guest. */
	atomic_store_explicit(&arch->guest_file_signal, 0, memory_order_relaxed);
	arch->hvip = (arch->hvip & AXVM_RISCV64_VSSI) | take_software(arch) |
		     load(&arch->external, AXVM_RISCV64_VSEI) |
		     load(&arch->timer, AXVM_RISCV64_VSTI);
	axvm_riscv64_irq_note(vcpu);
}

bool axvm_arch_irq_pending(const struct axvm_vcpu *vcpu)
{
	const struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t pending = load(&arch->external, AXVM_RISCV64_VSEI) |
			   load(&arch->guest_file_signal, AXVM_RISCV64_VSEI) |
			   load(&arch->software, AXVM_RISCV64_VSSI) |
			   load(&arch->timer, AXVM_RISCV64_VSTI) |
			   atomic_load_explicit(&arch->wake_pending, memory_order_relaxed);

	return (pending & atomic_load_explicit(&arch->wake_enabled, memory_order_relaxed)) != 0;
}

/* ---- lines into the controller ------------------------------------------------------------------------ */

int axvm_arch_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level)
{
	if (vm->arch.plic != NULL)
		return axvm_plic_set_level(vm->arch.plic, irq, level);
	return vm->arch.aplic != NULL ? axvm_aplic_set_level(vm->arch.aplic, irq, level)
				      : AXVM_EINVAL;
}

int axvm_arch_irq_pulse(struct axvm_vm *vm, uint32_t irq)
{
	if (vm->arch.plic != NULL)
		return axvm_plic_pulse(vm->arch.plic, irq);
	return vm->arch.aplic != NULL ? axvm_aplic_pulse(vm->arch.aplic, irq) : AXVM_EINVAL;
}

int axvm_riscv64_host_interrupt(struct axvm_vm *vm, uint32_t irq, bool edge)
{
	if (vm->arch.plic != NULL)
		return axvm_plic_host_interrupt(vm->arch.plic, irq, edge);
	return vm->arch.aplic != NULL ? axvm_aplic_host_interrupt(vm->arch.aplic, irq, edge)
				      : AXVM_EINVAL;
}

int axvm_arch_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level)
{
	switch (irq) {
	case PRIVATE_SSI: /* an edge: there is nothing to take back */
		if (level)
			axvm_riscv64_set_software(vcpu);
		return 0;
	case PRIVATE_STI:
		axvm_riscv64_set_timer(vcpu, level);
		return 0;
	case PRIVATE_SEI:
		axvm_riscv64_set_external(vcpu, level);
		return 0;
	default:
		return AXVM_EINVAL;
	}
}

/* An MSI for each where the VM has them. Of a wired interrupt the controller says who takes it. */
int axvm_arch_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq)
{
	if (!vm->arch.has_imsic)
		return axvm_arch_irq_pulse(vm, irq);
	if (irq == 0 || irq >= AXVM_IMSIC_IDS)
		return AXVM_EINVAL;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if ((vcpu_mask >> i & 1) != 0)
			axvm_imsic_send(vm->vcpus[i], irq);
	}
	return 0;
}
