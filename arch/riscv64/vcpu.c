/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU and a VM of this ISA: initial state, registers by number, what goes around bind and unbind. */
#include <string.h>

#include "exit.h"
#include "guest_fdt.h"
#include "pmu.h"
#include "regs.h"
#include "sbi_console.h"
#include "timer.h"

#define A0 10u
#define A1 11u

#define REGISTER_PC 32u
#define REGISTER_COUNT 33u

#define SCOUNTEREN_CY_TM_IR 7u
#define VTYPE_VILL ((uint64_t)1 << 63)

const struct axvm_platform *const axvm_arch_platform = &axvm_platform_riscv64;

/* What the host has works best for a guest too; an IMSIC needs Ssaia of the harts as well. */
const struct axvm_platform *axvm_arch_host_platform(void)
{
	const struct axvm_riscv64_host *host = axvm_hal_riscv64_host();

	if (host->controller == AXVM_RISCV64_PLIC)
		return &axvm_platform_riscv64;
	return host->controller == AXVM_RISCV64_AIA && host->has_aia ? &axvm_platform_riscv64_aia
								     : &axvm_platform_riscv64_aplic;
}

const struct axvm_device_type *const axvm_arch_device_types[] = {
	&axvm_plic_device_type,
	&axvm_plic_passthrough_device_type,
	&axvm_aplic_device_type,
	&axvm_imsic_device_type,
};
const uint32_t axvm_arch_device_type_count = 4;

/* ---- the VM -------------------------------------------------------------------------------------- */

static bool has_device(const struct axvm_config *config, enum axvm_emu_type type)
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (config->emu[i].type == type)
			return true;
	}
	return false;
}

int axvm_arch_vm_init(struct axvm_vm *vm)
{
	struct axvm_arch_vm *arch = &vm->arch;
	char isa[AXVM_RISCV64_ISA_BYTES];

	arch->htimedelta = 0 - axvm_hal_time_ticks();
	arch->view.host = axvm_hal_riscv64_host();
	arch->view.has_imsic = has_device(vm->config, AXVM_EMU_IMSIC);
	arch->extensions = axvm_riscv64_guest_isa(&arch->view, isa);
	return axvm_sbi_console_create(vm);
}

const void *axvm_arch_fdt_host(struct axvm_vm *vm)
{
	return &vm->arch.view;
}

/* ---- the vCPU -------------------------------------------------------------------------------------- */

static bool has_extension(const struct axvm_vcpu *vcpu, uint64_t extension)
{
	return (vcpu->vm->arch.extensions & extension) != 0;
}

static uint64_t vector_bytes(const struct axvm_vcpu *vcpu)
{
	uint32_t vlen_bytes = vcpu->vm->arch.view.host->vlen_bytes;

	return has_extension(vcpu, AXVM_RISCV64_EXT_V) ? (uint64_t)32 * vlen_bytes : 0;
}

int axvm_arch_vcpu_init(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t bytes = vector_bytes(vcpu);

	arch->hart = (uint32_t)axvm_guest_cpu_id(vcpu->vm->config, AXVM_ISA_RISCV64, vcpu->index);
	if (bytes > 0) {
		arch->vector.v = axvm_vm_alloc(vcpu->vm, bytes);
		if (arch->vector.v == NULL)
			return AXVM_ENOMEM;
	}
	axvm_riscv64_timer_init(vcpu);
	axvm_arch_vcpu_reset(vcpu, 0, 0);
	return 0;
}

void axvm_riscv64_sysregs_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_sysregs *sys = &vcpu->arch.sys;

	memset(sys, 0, sizeof(*sys));
	sys->hstatus = AXVM_RISCV64_HSTATUS_VSXL64;
	sys->sstatus = AXVM_RISCV64_STATUS_SPP | AXVM_RISCV64_STATUS_UXL64;
	if (has_extension(vcpu, AXVM_RISCV64_EXT_F))
		sys->sstatus |= AXVM_RISCV64_FS_INITIAL;
	if (has_extension(vcpu, AXVM_RISCV64_EXT_V))
		sys->sstatus |= AXVM_RISCV64_VS_INITIAL;
	sys->vsstatus = AXVM_RISCV64_STATUS_UXL64;
	sys->scounteren = SCOUNTEREN_CY_TM_IR; /* as firmware leaves it; kernels count on time */
}

static void registers_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	memset(arch->x, 0, sizeof(arch->x));
	memset(&arch->fp, 0, sizeof(arch->fp));
	if (arch->vector.v != NULL)
		memset(arch->vector.v, 0, vector_bytes(vcpu));
	arch->vector.vstart = 0;
	arch->vector.vcsr = 0;
	arch->vector.vl = 0;
	arch->vector.vtype = VTYPE_VILL;
}

/* [SBI 9.1]; what it leaves undefined is 0. */
void axvm_arch_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t arg)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_riscv64_timer_reset(vcpu);
	axvm_riscv64_irq_reset(vcpu);
	axvm_imsic_reset(vcpu);
	axvm_riscv64_sysregs_reset(vcpu);
	registers_reset(vcpu);
	axvm_riscv64_pmu_reset(vcpu);
	/* seq_cst: another hart's get_status may look */
	atomic_store_explicit(&arch->suspended, 0, memory_order_seq_cst);
	arch->x[A0] = arch->hart;
	arch->x[A1] = arg;
	arch->pc = entry;
}

void axvm_arch_vcpu_fini(struct axvm_vcpu *vcpu)
{
	axvm_hal_timer_stop(&vcpu->arch.timer_wait);
	axvm_imsic_fini(vcpu);
}

/* ---- around bind and unbind -------------------------------------------------------------------------- */

void axvm_arch_vcpu_bound(struct axvm_vcpu *vcpu)
{
	if (vcpu->vm->arch.has_imsic)
		axvm_imsic_bound(vcpu);
	axvm_riscv64_timer_bound(vcpu);
	axvm_arch_irq_fill(vcpu);
	axvm_riscv64_pmu_bound(vcpu);
}

void axvm_arch_vcpu_unbound(struct axvm_vcpu *vcpu)
{
	axvm_riscv64_pmu_unbound(vcpu);
	axvm_riscv64_irq_note(vcpu);
	axvm_riscv64_timer_unbound(vcpu);
}

/* ---- registers ------------------------------------------------------------------------------------- */

int axvm_arch_get_register(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value)
{
	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	*value = index == REGISTER_PC ? vcpu->arch.pc : vcpu->arch.x[index];
	return 0;
}

/* x0 takes nothing. */
int axvm_arch_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value)
{
	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	if (index == REGISTER_PC)
		vcpu->arch.pc = value;
	else if (index != 0)
		vcpu->arch.x[index] = value;
	return 0;
}

void axvm_arch_set_result(struct axvm_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.x[A0] = value;
}

struct axvm_vcpu *axvm_riscv64_vcpu_by_hart(struct axvm_vm *vm, uint64_t hart)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->arch.hart == hart)
			return vm->vcpus[i];
	}
	return NULL;
}
