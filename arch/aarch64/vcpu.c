/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU and a VM of this ISA: initial state, registers by number, what goes around bind and unbind. */
#include <string.h>

#include "exit.h"
#include "guest_fdt.h"
#include "regs.h"
#include "timer.h"

#define MPIDR_RES1 (1ULL << 31)

#define REGISTER_PC 31u
#define REGISTER_PSTATE 32u
#define REGISTER_COUNT 33u

const struct axvm_platform *const axvm_arch_platform = &axvm_platform_aarch64;

const struct axvm_platform *axvm_arch_host_platform(void)
{
	return &axvm_platform_aarch64;
}

const struct axvm_device_type *const axvm_arch_device_types[] = { &axvm_vgic_device_type };
const uint32_t axvm_arch_device_type_count = 1;

int axvm_arch_vm_init(struct axvm_vm *vm)
{
	axvm_lock_init(&vm->arch.vgic.lock, AXVM_LOCK_IRQ);
	vm->arch.cntvoff = axvm_hal_time_ticks();
	axvm_aarch64_id_registers_init(vm);
	return 0;
}

int axvm_arch_vcpu_init(struct axvm_vcpu *vcpu)
{
	uint32_t lrs = axvm_host_caps()->list_registers;

	vcpu->arch.mpidr =
		MPIDR_RES1 | (axvm_guest_cpu_id(vcpu->vm->config, AXVM_ISA_AARCH64, vcpu->index) &
			      AXVM_AARCH64_AFFINITY);
	vcpu->arch.vgic.lr_count = lrs < AXVM_VGIC_LRS_MAX ? lrs : AXVM_VGIC_LRS_MAX;
	axvm_aarch64_timer_init(vcpu);
	axvm_arch_vcpu_reset(vcpu, 0, 0);
	return 0;
}

const void *axvm_arch_fdt_host(struct axvm_vm *vm)
{
	(void)vm;
	return NULL; /* the tree says nothing of the CPU: its ID registers do */
}

/* [ARM D1.3.5]; what the architecture leaves UNKNOWN is 0. CNTV is the timer's. */
void axvm_aarch64_sysregs_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;
	uint64_t ctl = sys->cntv_ctl_el0;
	uint64_t cval = sys->cntv_cval_el0;

	memset(sys, 0, sizeof(*sys));
	sys->sctlr_el1 = AXVM_AARCH64_SCTLR_RESET;
	sys->cntv_ctl_el0 = ctl;
	sys->cntv_cval_el0 = cval;
}

void axvm_arch_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t arg)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_aarch64_timer_reset(vcpu);
	axvm_vgic_cpu_reset(vcpu);
	axvm_aarch64_sysregs_reset(vcpu);
	memset(arch->x, 0, sizeof(arch->x));
	memset(&arch->fp, 0, sizeof(arch->fp));
	arch->x[0] = arg;
	arch->pc = entry;
	arch->pstate = AXVM_AARCH64_PSTATE_EL1H | AXVM_AARCH64_PSTATE_DAIF;
	arch->hcr = AXVM_AARCH64_HCR;
	arch->os_locked = true;
	arch->mdscr = 0;
	arch->mdscr_step = 0;
}

void axvm_arch_vcpu_fini(struct axvm_vcpu *vcpu)
{
	axvm_hal_timer_stop(&vcpu->arch.physical_timer);
	axvm_hal_timer_stop(&vcpu->arch.virtual_timer);
}

void axvm_arch_vcpu_bound(struct axvm_vcpu *vcpu)
{
	axvm_aarch64_timer_bound(vcpu);
	axvm_arch_irq_fill(vcpu);
}

/* The list registers were stored: what the guest did to them goes into the controller's words. */
void axvm_arch_vcpu_unbound(struct axvm_vcpu *vcpu)
{
	axvm_arch_irq_fill(vcpu);
	axvm_aarch64_timer_unbound(vcpu);
}

int axvm_arch_get_register(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value)
{
	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	if (index == REGISTER_PC)
		*value = vcpu->arch.pc;
	else if (index == REGISTER_PSTATE)
		*value = vcpu->arch.pstate;
	else
		*value = vcpu->arch.x[index];
	return 0;
}

/* Of PSTATE only flags and masks: the mode stays what it is. */
int axvm_arch_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value)
{
	const uint64_t settable = AXVM_AARCH64_PSTATE_NZCV | AXVM_AARCH64_PSTATE_DAIF;

	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	if (index == REGISTER_PC)
		vcpu->arch.pc = value;
	else if (index == REGISTER_PSTATE)
		vcpu->arch.pstate = (vcpu->arch.pstate & ~settable) | (value & settable);
	else
		vcpu->arch.x[index] = value;
	return 0;
}

void axvm_arch_set_result(struct axvm_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.x[0] = value;
}

struct axvm_vcpu *axvm_aarch64_vcpu_by_affinity(struct axvm_vm *vm, uint64_t affinity)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if ((vm->vcpus[i]->arch.mpidr & AXVM_AARCH64_AFFINITY) == affinity)
			return vm->vcpus[i];
	}
	return NULL;
}
