/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts from outside of the ISA's code: checked here, then the controller's own business. */
#include <axvm/irq.h>

#include "arch.h"

int axvm_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level)
{
	if (irq >= axvm_arch_platform->irq_count)
		return AXVM_EINVAL;
	return axvm_arch_irq_set_level(vm, irq, level);
}

int axvm_irq_pulse(struct axvm_vm *vm, uint32_t irq)
{
	if (irq >= axvm_arch_platform->irq_count)
		return AXVM_EINVAL;
	return axvm_arch_irq_pulse(vm, irq);
}

int axvm_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level)
{
	if (irq >= axvm_arch_platform->irq_count)
		return AXVM_EINVAL;
	return axvm_arch_irq_set_private(vcpu, irq, level);
}

int axvm_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq)
{
	uint64_t all = UINT64_MAX >> (AXVM_VCPUS_MAX - vm->vcpu_count);

	if (irq >= axvm_arch_platform->irq_count || vcpu_mask == 0 || (vcpu_mask & ~all) != 0)
		return AXVM_EINVAL;
	return axvm_arch_irq_inject(vm, vcpu_mask, irq);
}
