/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bind and unbind: a vCPU's system registers, FP registers, timer and list
 * registers go into the CPU and come back. Nothing of it is touched between
 * the two.
 */
#include <axvm/hal_aarch64.h>

#include "bare.h"
#include "cpu.h"
#include "exit.h"
#include "offsets.h"
#include "pte.h"
#include "regs.h"
#include "sysreg.h"
#include "timer.h"

_Static_assert(offsetof(struct axvm_vcpu, arch.x) == 0, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, arch.pc) == AXVM_OFFSET_PC, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, arch.host_sp) == AXVM_OFFSET_HOST_SP, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, requests) == AXVM_OFFSET_REQUESTS, "vectors.S");

/* clang-format off */
/* X(register, member of struct axvm_aarch64_sysregs) */
#define EL1_REGISTERS(X)                                                                      \
	X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(mair_el1)            \
	X(amair_el1) X(vbar_el1) X(esr_el1) X(far_el1) X(afsr0_el1) X(afsr1_el1)              \
	X(contextidr_el1) X(tpidr_el0) X(tpidrro_el0) X(tpidr_el1) X(par_el1) X(sp_el0)       \
	X(sp_el1) X(elr_el1) X(spsr_el1) X(csselr_el1) X(cntkctl_el1) X(mdscr_el1)

#define PAUTH_REGISTERS(X)                                                                    \
	X(0, s3_0_c2_c1_0) X(1, s3_0_c2_c1_1) X(2, s3_0_c2_c1_2) X(3, s3_0_c2_c1_3)           \
	X(4, s3_0_c2_c2_0) X(5, s3_0_c2_c2_1) X(6, s3_0_c2_c2_2) X(7, s3_0_c2_c2_3)           \
	X(8, s3_0_c2_c3_0) X(9, s3_0_c2_c3_1)

#define LIST_REGISTERS(X)                                                                     \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
/* clang-format on */

#define PAUTH_SYSREG(index, name) AXVM_SYSREG(name)
PAUTH_REGISTERS(PAUTH_SYSREG)
#undef PAUTH_SYSREG

/* Keeps a rare path's registers out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))

static uint64_t vtcr;
static bool has_pauth;
static uint64_t hcr_of_cpu;	    /* HCR_EL2 bits that not every CPU has */
static uint32_t priority_registers; /* ICH_AP1Rn_EL2 that exist */

static inline uint64_t read_lr(uint32_t index)
{
	uint64_t value = 0;

	switch (index) {
#define READ_LR(n)                                                          \
	case n:                                                             \
		__asm__ volatile("mrs %0, ich_lr" #n "_el2" : "=r"(value)); \
		break;
		LIST_REGISTERS(READ_LR)
#undef READ_LR
	default:
		break;
	}
	return value;
}

static inline void write_lr(uint32_t index, uint64_t value)
{
	switch (index) {
#define WRITE_LR(n)                                                          \
	case n:                                                              \
		__asm__ volatile("msr ich_lr" #n "_el2, %0" : : "r"(value)); \
		break;
		LIST_REGISTERS(WRITE_LR)
#undef WRITE_LR
	default:
		break;
	}
}

/* The first list register is mostly the only one in use: the others are out of its way. */
OUT_OF_LINE static void sync_others(struct axvm_vgic_cpu *vgic, uint32_t empty)
{
	for (uint32_t left = vgic->lr_used & ~1u; left != 0; left &= left - 1) {
		uint32_t index = (uint32_t)__builtin_ctz(left);
		vgic->lr[index] = (empty >> index & 1) != 0 ? 0 : read_lr(index);
	}
}

void axvm_hal_irq_sync(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *vgic = &vcpu->arch.vgic;

	if ((vgic->hcr & AXVM_ICH_HCR_LRENPIE) != 0)
		vgic->hcr = read_ich_hcr_el2(); /* EOIcount */

	uint32_t empty = (uint32_t)read_ich_elrsr_el2();
	uint32_t used = vgic->lr_used;

	if ((used & 1) != 0)
		vgic->lr[0] = (empty & 1) != 0 ? 0 : read_lr(0);
	if (used > 1)
		sync_others(vgic, empty);
}

OUT_OF_LINE static void flush_others(struct axvm_vgic_cpu *vgic, uint32_t dirty)
{
	for (uint32_t left = dirty & ~1u; left != 0; left &= left - 1) {
		uint32_t index = (uint32_t)__builtin_ctz(left);
		write_lr(index, vgic->lr[index]);
	}
	if (vgic->hcr_dirty != 0) {
		vgic->hcr_dirty = 0;
		write_ich_hcr_el2(vgic->hcr);
	}
}

void axvm_hal_irq_flush(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *vgic = &vcpu->arch.vgic;
	uint32_t dirty = vgic->lr_dirty;

	vgic->lr_dirty = 0;
	if ((dirty & 1) != 0)
		write_lr(0, vgic->lr[0]);
	if (dirty > 1 || vgic->hcr_dirty != 0)
		flush_others(vgic, dirty);
}

/* The GIC has one or more 32-bit active-priority registers of each group [GICv3 12.4]. */
static void load_active_priorities(const struct axvm_vgic_cpu *vgic)
{
	__asm__ volatile("msr ich_ap0r0_el2, %0" : : "r"(vgic->apr[0][0]));
	__asm__ volatile("msr ich_ap1r0_el2, %0" : : "r"(vgic->apr[1][0]));
	if (priority_registers > 1) {
		__asm__ volatile("msr ich_ap0r1_el2, %0" : : "r"(vgic->apr[0][1]));
		__asm__ volatile("msr ich_ap1r1_el2, %0" : : "r"(vgic->apr[1][1]));
	}
	if (priority_registers > 2) {
		__asm__ volatile("msr ich_ap0r2_el2, %0" : : "r"(vgic->apr[0][2]));
		__asm__ volatile("msr ich_ap1r2_el2, %0" : : "r"(vgic->apr[1][2]));
		__asm__ volatile("msr ich_ap0r3_el2, %0" : : "r"(vgic->apr[0][3]));
		__asm__ volatile("msr ich_ap1r3_el2, %0" : : "r"(vgic->apr[1][3]));
	}
}

static void store_active_priorities(struct axvm_vgic_cpu *vgic)
{
	__asm__ volatile("mrs %0, ich_ap0r0_el2" : "=r"(vgic->apr[0][0]));
	__asm__ volatile("mrs %0, ich_ap1r0_el2" : "=r"(vgic->apr[1][0]));
	if (priority_registers > 1) {
		__asm__ volatile("mrs %0, ich_ap0r1_el2" : "=r"(vgic->apr[0][1]));
		__asm__ volatile("mrs %0, ich_ap1r1_el2" : "=r"(vgic->apr[1][1]));
	}
	if (priority_registers > 2) {
		__asm__ volatile("mrs %0, ich_ap0r2_el2" : "=r"(vgic->apr[0][2]));
		__asm__ volatile("mrs %0, ich_ap1r2_el2" : "=r"(vgic->apr[1][2]));
		__asm__ volatile("mrs %0, ich_ap0r3_el2" : "=r"(vgic->apr[0][3]));
		__asm__ volatile("mrs %0, ich_ap1r3_el2" : "=r"(vgic->apr[1][3]));
	}
}

/* A linked interrupt is active at this CPU's redistributor while its vCPU is bound, and only then. */
static void carry_linked_interrupts(const struct axvm_vcpu *vcpu, bool active)
{
	for (uint32_t left = axvm_aarch64_linked_interrupts(vcpu); left != 0; left &= left - 1)
		axvm_bare_gic_set_active(axvm_bare_this_cpu(), (uint32_t)__builtin_ctz(left),
					 active);
}

static void load_interrupts(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *vgic = &vcpu->arch.vgic;

	for (uint32_t index = 0; index < vgic->lr_count; index++)
		write_lr(index, (vgic->lr_used >> index & 1) != 0 ? vgic->lr[index] : 0);
	vgic->lr_dirty = 0;
	vgic->hcr_dirty = 0;
	load_active_priorities(vgic);
	write_ich_vmcr_el2(vgic->vmcr);
	write_ich_hcr_el2(vgic->hcr);
	carry_linked_interrupts(vcpu, true);
}

static void store_interrupts(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *vgic = &vcpu->arch.vgic;

	axvm_hal_irq_sync(vcpu);
	store_active_priorities(vgic);
	vgic->vmcr = read_ich_vmcr_el2();
	write_ich_hcr_el2(0);
	carry_linked_interrupts(vcpu, false);
}

static uint64_t hcr_of(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.hcr | hcr_of_cpu | (vcpu->arch.wfi_traps ? AXVM_AARCH64_HCR_TWI : 0);
}

void axvm_bare_vcpu_set_shared(struct axvm_vcpu *vcpu, bool shared)
{
	vcpu->arch.wfi_traps = shared;
}

void axvm_hal_sysreg_flush(struct axvm_vcpu *vcpu)
{
	const struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;

	write_hcr_el2(hcr_of(vcpu));

#define LOAD(name) write_##name(sys->name);
	EL1_REGISTERS(LOAD)
#undef LOAD
	if (has_pauth) {
#define LOAD(index, name) write_##name(sys->pauth_keys[index]);
		PAUTH_REGISTERS(LOAD)
#undef LOAD
	}
}

void axvm_hal_sysreg_sync(struct axvm_vcpu *vcpu)
{
	struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;

	/* The CPU clears VSE when the guest takes the virtual SError. */
	vcpu->arch.hcr &= read_hcr_el2() | ~AXVM_AARCH64_HCR_VSE;
#define STORE(name) sys->name = read_##name();
	EL1_REGISTERS(STORE)
#undef STORE
	if (has_pauth) {
#define STORE(index, name) sys->pauth_keys[index] = read_##name();
		PAUTH_REGISTERS(STORE)
#undef STORE
	}
}

#define PAR_F 1ULL
#define PAR_PA 0x000ffffffffff000ULL

/* PAR_EL1 is the guest's: it may stand between an AT of its own and the reading of the result. */
uint64_t axvm_hal_aarch64_translate(struct axvm_vcpu *vcpu, uint64_t va)
{
	uint64_t of_guest = read_par_el1();

	(void)vcpu;
	__asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(va) : "memory");
	uint64_t par = read_par_el1();

	write_par_el1(of_guest);
	if ((par & PAR_F) != 0)
		return AXVM_AARCH64_NO_GPA;
	return (par & PAR_PA) | (va & 0xfff);
}

void axvm_hal_vcpu_bind(struct axvm_vcpu *vcpu)
{
	const struct axvm_aspace *aspace = &vcpu->vm->aspace;

	axvm_bare_this_cpu()->vcpu = vcpu;
	write_vttbr_el2((uint64_t)aspace->vmid << 48 | aspace->root.addr);
	if (vcpu->tlb_is_stale) /* of this VMID, stage 1, this CPU [ARM D8.17.5] */
		__asm__ volatile("isb\n\ttlbi vmalle1\n\tdsb nsh" : : : "memory");
	write_vmpidr_el2(vcpu->arch.mpidr);
	write_vpidr_el2(read_midr_el1());
	axvm_hal_sysreg_flush(vcpu);
	axvm_bare_fp_load(&vcpu->arch.fp);
	load_interrupts(vcpu);
	write_cntvoff_el2(vcpu->vm->arch.cntvoff);
	write_cntv_cval_el0(vcpu->arch.sys.cntv_cval_el0);
	axvm_isb();
	write_cntv_ctl_el0(vcpu->arch.sys.cntv_ctl_el0);
	axvm_isb();
}

void axvm_hal_vcpu_unbind(struct axvm_vcpu *vcpu)
{
	vcpu->arch.sys.cntv_ctl_el0 = read_cntv_ctl_el0();
	vcpu->arch.sys.cntv_cval_el0 = read_cntv_cval_el0();
	write_cntv_ctl_el0(0);
	axvm_isb();
	store_interrupts(vcpu);
	axvm_bare_fp_save(&vcpu->arch.fp);
	axvm_hal_sysreg_sync(vcpu);
	write_hcr_el2(AXVM_AARCH64_HCR_HOST);
	write_vttbr_el2(0);
	axvm_isb();
	axvm_bare_this_cpu()->vcpu = NULL;
}

bool axvm_hal_aarch64_virtual_timer_is_due(const struct axvm_vcpu *vcpu)
{
	const uint64_t all =
		AXVM_AARCH64_TIMER_ENABLE | AXVM_AARCH64_TIMER_MASK | AXVM_AARCH64_TIMER_STATUS;
	const struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;

	if (axvm_bare_this_cpu()->vcpu == vcpu)
		return (read_cntv_ctl_el0() & all) ==
		       (AXVM_AARCH64_TIMER_ENABLE | AXVM_AARCH64_TIMER_STATUS);
	return (sys->cntv_ctl_el0 & (AXVM_AARCH64_TIMER_ENABLE | AXVM_AARCH64_TIMER_MASK)) ==
		       AXVM_AARCH64_TIMER_ENABLE &&
	       axvm_hal_time_ticks() - vcpu->vm->arch.cntvoff >= sys->cntv_cval_el0;
}

static uint32_t pa_bits(void)
{
	return axvm_aarch64_pa_bits((uint32_t)read_id_aa64mmfr0_el1() & 0xf);
}

static bool has_vmid16(void)
{
	return (read_id_aa64mmfr1_el1() >> 4 & 0xf) == 2;
}

int axvm_hal_probe(struct axvm_hal_caps *caps, const char **why)
{
	uint64_t vtr = read_ich_vtr_el2();
	uint64_t isar1 = read_id_aa64isar1_el1();
	uint32_t bits = pa_bits();

	has_pauth = (isar1 >> 4 & 0xff) != 0 || (isar1 >> 24 & 0xff) != 0;
	priority_registers = 1u << ((vtr >> 26 & 7) < 4 ? 0 : (vtr >> 26 & 7) - 4);
	caps->list_registers = (uint32_t)(vtr & 0x1f) + 1;
	if (caps->list_registers > AXVM_VGIC_LRS_MAX)
		caps->list_registers = AXVM_VGIC_LRS_MAX;
	caps->pa_bits = bits;
	caps->vmid_count = has_vmid16() ? 65536 : 256;
	caps->format =
		axvm_aarch64_stage2_format(bits < 40 ? bits : 40, axvm_bare_forces_write_back());
	hcr_of_cpu = axvm_bare_forces_write_back() ? AXVM_AARCH64_HCR_FWB : 0;
	if (caps->format == NULL) {
		*why = "no stage-2 format fits the CPU's physical address size";
		return AXVM_EUNSUPPORTED;
	}
	caps->ipa_bits = caps->format->input_bits;
	vtcr = axvm_aarch64_vtcr(caps->format, read_id_aa64mmfr0_el1() & 0xf) |
	       (has_vmid16() ? AXVM_AARCH64_VTCR_VS : 0);
	axvm_bare_stage2_init();
	return 0;
}

void axvm_bare_stage2_init(void)
{
	write_vtcr_el2(vtcr);
	axvm_isb();
	/* What an earlier owner of the machine left under our VMIDs. */
	__asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" : : : "memory");
}
