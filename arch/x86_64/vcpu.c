/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU and a VM of this ISA: initial state, registers by number, what goes around bind and unbind. Some state
 * outlives INIT (the TSC, MTRRs, PAT, FP registers [SDM3 10.1.1]): that is set at creation and by fini, which
 * is also what a reset of the VM begins with.
 */
#include <string.h>

#include "exit.h"
#include "guest_fdt.h"
#include "intc/com.h"
#include "intc/ioapic.h"
#include "intc/pic.h"
#include "intc/pit.h"
#include "start.h"
#include "vm_parts.h"

#define REGISTER_RIP 16u
#define REGISTER_RFLAGS 17u
#define REGISTER_COUNT 18u
#define RFLAGS_SETTABLE 0x240fd5u /* flags, TF, IF, DF, AC, ID */

#define PAT_RESET 0x0007040600070406u
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u
#define MISC_ENABLE_RESET 0x1801u /* fast strings; neither BTS nor PEBS */
#define XCR0_X87 1u

#define XSAVE_BYTES_MIN 576u
#define XSAVE_FCW 0
#define XSAVE_MXCSR 24
#define FCW_RESET 0x37fu
#define MXCSR_RESET 0x1f80u

const struct axvm_platform *const axvm_arch_platform = &axvm_platform_x86_64;

const struct axvm_platform *axvm_arch_host_platform(void)
{
	return &axvm_platform_x86_64;
}

const struct axvm_device_type *const axvm_arch_device_types[] = {
	&axvm_ioapic_device_type,
	&axvm_pit_device_type,
	&axvm_com_device_type,
};
const uint32_t axvm_arch_device_type_count = 3;

/* ---- the VM -------------------------------------------------------------------------------------- */

int axvm_arch_vm_init(struct axvm_vm *vm)
{
	int error = axvm_lapic_make(vm);

	vm->arch.tsc_at_start = axvm_hal_time_ticks();
	return error ? error : axvm_pic_make(vm);
}

const void *axvm_arch_fdt_host(struct axvm_vm *vm)
{
	(void)vm;
	return NULL; /* guests of this ISA have no tree */
}

/* ---- the vCPU -------------------------------------------------------------------------------------- */

static uint32_t xsave_bytes(void)
{
	uint32_t bytes = axvm_hal_x86_64_host()->xsave_bytes;

	return bytes < XSAVE_BYTES_MIN ? XSAVE_BYTES_MIN : bytes;
}

/* Where XSAVE and FXSAVE have them: all components in their initial state, but for the legacy part's words. */
static void fp_reset(uint8_t *xsave)
{
	const uint16_t fcw = FCW_RESET;
	const uint32_t mxcsr = MXCSR_RESET;

	memset(xsave, 0, xsave_bytes());
	memcpy(&xsave[XSAVE_FCW], &fcw, sizeof(fcw));
	memcpy(&xsave[XSAVE_MXCSR], &mxcsr, sizeof(mxcsr));
}

/* What INIT leaves alone. */
static void power_on_state(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	fp_reset(arch->xsave);
	arch->xcr0 = XCR0_X87;
	arch->sys.pat = PAT_RESET;
	arch->tsc_offset = 0 - vcpu->vm->arch.tsc_at_start;
	arch->tsc_adjust = 0;
	arch->tsc_aux = 0;
	arch->misc_enable = MISC_ENABLE_RESET;
	arch->mtrr_def_type = 0;
	memset(arch->mtrr_fixed, 0, sizeof(arch->mtrr_fixed));
	memset(arch->mtrr_variable, 0, sizeof(arch->mtrr_variable));
}

int axvm_arch_vcpu_init(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t id = axvm_guest_cpu_id(vcpu->vm->config, AXVM_ISA_X86_64, vcpu->index);
	uint8_t *xsave = axvm_vm_alloc(vcpu->vm, (uint64_t)xsave_bytes() + 63);

	if (id > UINT32_MAX - 1)
		return AXVM_EINVAL;
	if (xsave == NULL)
		return AXVM_ENOMEM;
	arch->hardware = axvm_vm_alloc_page(vcpu->vm, &arch->hardware_hpa);
	if (arch->hardware == NULL)
		return AXVM_ENOMEM;
	arch->xsave = xsave + (-(uintptr_t)xsave & 63);
	arch->hlt_exits = true;
	axvm_lapic_init(vcpu, (uint32_t)id);
	power_on_state(vcpu);
	axvm_arch_vcpu_reset(vcpu, 0, 0);
	return 0;
}

/* [SDM3 10.1.1]; PAT stays, see above. */
static void sysregs_reset(struct axvm_x86_sysregs *sys)
{
	uint64_t pat = sys->pat;

	memset(sys, 0, sizeof(*sys));
	sys->pat = pat;
	sys->dr6 = DR6_RESET;
	sys->dr7 = DR7_RESET;
}

/* STARTUP begins at IP 0 of the segment that its vector names. */
static void start_up(struct axvm_arch_vcpu *arch, uint64_t entry)
{
	const struct axvm_x86_start start = { .mode = AXVM_X86_START_REAL, .rip = entry };

	axvm_x86_64_start_apply(&start, arch);
	arch->sys.segment[AXVM_X86_CS].selector = (uint16_t)(entry >> 4);
	arch->sys.segment[AXVM_X86_CS].base = entry;
	arch->rip = 0;
}

/* vCPU 0 starts as the VM's image wants it, unless it is a STARTUP that begins at `entry`, as all others'. */
void axvm_arch_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry, uint64_t arg)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_lapic_reset(vcpu);
	sysregs_reset(&arch->sys);
	(void)arg;
	if (vcpu->index == 0 && axvm_vcpu_power(vcpu) != AXVM_POWER_ON_PENDING) {
		struct axvm_x86_start start;

		axvm_x86_64_start_choose(vcpu->vm->config, &vcpu->vm->plan, vcpu->vm->plan.boot_gpa,
					 &start);
		axvm_x86_64_start_apply(&start, arch);
	} else {
		start_up(arch, entry);
	}
	if ((arch->sys.cr0 & AXVM_X86_CR0_PE) == 0)
		arch->gpr[AXVM_X86_RDX] = axvm_x86_64_cpuid(vcpu, 1, 0).eax;
	arch->event = (struct axvm_x86_event){ .valid = false };
	arch->wants_window = false;
	arch->nmi_pending = false;
	memset(arch->lengths, 0, sizeof(arch->lengths));
	axvm_x86_64_irq_note(vcpu);
}

void axvm_arch_vcpu_fini(struct axvm_vcpu *vcpu)
{
	axvm_lapic_fini(vcpu);
	power_on_state(vcpu);
}

/* ---- around bind and unbind -------------------------------------------------------------------------- */

void axvm_arch_vcpu_bound(struct axvm_vcpu *vcpu)
{
	axvm_arch_irq_fill(vcpu);
}

void axvm_arch_vcpu_unbound(struct axvm_vcpu *vcpu)
{
	axvm_x86_64_irq_note(vcpu);
	axvm_lapic_take_init(vcpu);
}

/* ---- registers ------------------------------------------------------------------------------------- */

int axvm_arch_get_register(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value)
{
	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	if (index == REGISTER_RIP)
		*value = vcpu->arch.rip;
	else if (index == REGISTER_RFLAGS)
		*value = vcpu->arch.rflags;
	else
		*value = vcpu->arch.gpr[index];
	return 0;
}

/* Of RFLAGS what programs may set, and IF. */
int axvm_arch_set_register(struct axvm_vcpu *vcpu, unsigned index, uint64_t value)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	if (index >= REGISTER_COUNT)
		return AXVM_EINVAL;
	if (index == REGISTER_RIP)
		arch->rip = value;
	else if (index == REGISTER_RFLAGS)
		arch->rflags =
			(arch->rflags & ~(uint64_t)RFLAGS_SETTABLE) | (value & RFLAGS_SETTABLE);
	else
		arch->gpr[index] = value;
	return 0;
}

void axvm_arch_set_result(struct axvm_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.gpr[AXVM_X86_RAX] = value;
}

struct axvm_vcpu *axvm_x86_64_vcpu_by_apic(struct axvm_vm *vm, uint32_t apic_id)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->arch.lapic.id == apic_id)
			return vm->vcpus[i];
	}
	return NULL;
}
