// SPDX-License-Identifier: Apache-2.0
/* Interrupts of the simulated machine: which VM has which. They never arrive by themselves. */
#include <string.h>

#include "sim_private.h"

#define IRQS 1020u

static const struct axvm_vm *owners[IRQS];
static bool kept[IRQS];

void axvm_sim_irq_reset(void)
{
	memset(owners, 0, sizeof(owners));
	memset(kept, 0, sizeof(kept));
}

static int attach(struct axvm_vm *vm, uint32_t host_irq)
{
	if (kept[host_irq])
		return AXVM_EPERM;
	if (owners[host_irq] != NULL)
		return AXVM_EBUSY;
	owners[host_irq] = vm;
	return 0;
}

int axvm_hal_irq_attach(struct axvm_vm *vm, uint32_t host_irq)
{
	if (vm == NULL)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_irq_attach: no VM");
	if (host_irq >= IRQS)
		return AXVM_EINVAL;
	axvm_sim_lock();
	int error = attach(vm, host_irq);

	axvm_sim_unlock();
	return error;
}

void axvm_hal_irq_detach(struct axvm_vm *vm, uint32_t host_irq)
{
	if (host_irq >= IRQS || owners[host_irq] != vm)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_irq_detach: not this VM's");
	axvm_sim_lock();
	owners[host_irq] = NULL;
	axvm_sim_unlock();
}

void axvm_sim_keep_irq(uint32_t host_irq)
{
	if (host_irq >= IRQS)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_sim_keep_irq: no such interrupt");
	kept[host_irq] = true;
}

const struct axvm_vm *axvm_sim_irq_owner(uint32_t host_irq)
{
	return host_irq < IRQS ? owners[host_irq] : NULL;
}

uint32_t axvm_sim_attached_irqs(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < IRQS; i++)
		count += owners[i] != NULL;
	return count;
}
