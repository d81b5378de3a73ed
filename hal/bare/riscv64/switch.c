/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bind and unbind: a vCPU's VS-level CSRs, its view of the hart and its FP and vector registers go into
 * the hart and come back. Nothing of it is touched between the two: at an exit only general registers
 * move.
 */
#include "bare.h"
#include "cpu.h"
#include "csr.h"
#include "irq.h"
#include "isa.h"
#include "offsets.h"
#include "pte.h"
#include "regs.h"

_Static_assert(offsetof(struct axvm_vcpu, arch.x) == 0, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, arch.pc) == AXVM_OFFSET_PC, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, arch.host_sp) == AXVM_OFFSET_HOST_SP, "vectors.S");
_Static_assert(offsetof(struct axvm_vcpu, requests) == AXVM_OFFSET_REQUESTS, "vectors.S");
_Static_assert(AXVM_ENTER_FULL == 1, "vectors.S");

/* clang-format off */
/* X(register), members of struct axvm_riscv64_sysregs */
#define VS_REGISTERS(X)                                                                  \
	X(vsstatus) X(vstvec) X(vsscratch) X(vsepc) X(vscause) X(vstval) X(vsatp) X(scounteren)
#define AIA_REGISTERS(X)                                                                 \
	X(vsiselect) X(hviprio1) X(hviprio2)
/* clang-format on */

#define HIE_SGEIE (1ULL << AXVM_IRQ_GUEST_EXTERNAL)
#define HVICTL_EXTERNAL (9ULL << 16) /* IID */
#define HVICTL_PRIORITY 1ULL

static uint32_t gstage_mode;
static bool has_vmids;
static uint64_t status_of_guest; /* bits of sstatus: a unit that is not moved stays off */
/* Where a hart has no VMIDs: whose translations it holds, its own to read and write. */
static const struct axvm_aspace *last_aspace[AXVM_CPUS_MAX];

void axvm_bare_gstage_init(uint32_t mode, uint32_t vmid_count)
{
	gstage_mode = mode;
	has_vmids = vmid_count > 1;
	status_of_guest = AXVM_RISCV64_STATUS_SPP;
	if (axvm_bare_features.has_fp)
		status_of_guest |= AXVM_RISCV64_STATUS_FS;
	if (axvm_hal_riscv64_host()->vlen_bytes != 0)
		status_of_guest |= AXVM_RISCV64_STATUS_VS;
}

uint32_t axvm_bare_vmid(const struct axvm_aspace *aspace)
{
	return has_vmids ? aspace->vmid : 0;
}

void axvm_bare_vcpu_set_shared(struct axvm_vcpu *vcpu, bool shared)
{
	vcpu->arch.wfi_traps = shared;
}

/* ---- interrupts ------------------------------------------------------------------------------ */

void axvm_hal_irq_sync(struct axvm_vcpu *vcpu)
{
	vcpu->arch.hvip = read_hvip();
	vcpu->arch.vsie = read_hie() & AXVM_RISCV64_HIDELEG;
	vcpu->arch.vsip = read_hip() & AXVM_RISCV64_HIDELEG;
}

/*
 * Without a guest interrupt file stopi tells of an external interrupt what stands here: with a priority that
 * there is one [AIA 6.3.3]. That it tells of one without a priority too, as specified, not every hart knows.
 */
static void load_top(const struct axvm_vcpu *vcpu)
{
	bool has_external = (vcpu->arch.hvip & AXVM_RISCV64_VSEI) != 0;

	write_hvictl(HVICTL_EXTERNAL | (has_external ? HVICTL_PRIORITY : 0));
}

void axvm_hal_irq_flush(struct axvm_vcpu *vcpu)
{
	write_hvip(vcpu->arch.hvip);
	if (vcpu->vm->arch.has_imsic && vcpu->arch.guest_file == 0)
		load_top(vcpu);
}

void axvm_hal_riscv64_set_vstimecmp(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	(void)vcpu;
	write_vstimecmp(deadline);
}

/* ---- system registers ------------------------------------------------------------------------ */

/* To where sret goes: VS or VU mode, as sstatus.SPP says too. */
static uint64_t hstatus_of(const struct axvm_vcpu *vcpu)
{
	uint64_t value = vcpu->arch.sys.hstatus | AXVM_RISCV64_HSTATUS_VSXL64 |
			 AXVM_RISCV64_HSTATUS_SPV |
			 (uint64_t)vcpu->arch.guest_file << AXVM_RISCV64_HSTATUS_VGEIN_SHIFT;

	value |= (vcpu->arch.sys.sstatus & AXVM_RISCV64_STATUS_SPP) != 0 ? AXVM_RISCV64_HSTATUS_SPVP
									 : 0;
	return value | (vcpu->arch.wfi_traps ? AXVM_RISCV64_HSTATUS_VTW : 0);
}

void axvm_hal_sysreg_flush(struct axvm_vcpu *vcpu)
{
	const struct axvm_riscv64_sysregs *sys = &vcpu->arch.sys;

	write_hstatus(hstatus_of(vcpu));
	write_sstatus((read_sstatus() & ~status_of_guest) | (sys->sstatus & status_of_guest));
#define LOAD(name) write_##name(sys->name);
	VS_REGISTERS(LOAD)
	if (axvm_bare_features.has_senvcfg)
		write_senvcfg(sys->senvcfg);
	if (axvm_bare_features.has_stateen)
		write_sstateen0(sys->sstateen0);
	if (axvm_bare_features.has_indirect) {
		AIA_REGISTERS(LOAD)
	}
#undef LOAD
}

void axvm_hal_sysreg_sync(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_sysregs *sys = &vcpu->arch.sys;

	sys->sstatus = read_sstatus() & status_of_guest;
#define STORE(name) sys->name = read_##name();
	VS_REGISTERS(STORE)
	if (axvm_bare_features.has_senvcfg)
		sys->senvcfg = read_senvcfg();
	if (axvm_bare_features.has_stateen)
		sys->sstateen0 = read_sstateen0();
	if (axvm_bare_features.has_indirect) {
		AIA_REGISTERS(STORE)
	}
#undef STORE
}

/* What the guest is let at: no more than its extensions need [RISCV-H 18.2.5, Smstateen 2.1]. */
static void load_permissions(const struct axvm_vcpu *vcpu)
{
	uint64_t extensions = vcpu->vm->arch.extensions;
	uint64_t state = AXVM_RISCV64_HSTATEEN_SE0 | AXVM_RISCV64_HSTATEEN_ENVCFG;

	if (axvm_bare_features.has_senvcfg)
		write_henvcfg(axvm_riscv64_henvcfg(extensions));
	if (!axvm_bare_features.has_stateen)
		return;
	if (vcpu->vm->arch.has_imsic)
		state |= AXVM_RISCV64_HSTATEEN_AIA | AXVM_RISCV64_HSTATEEN_CSRIND;
	if (vcpu->arch.guest_file != 0)
		state |= AXVM_RISCV64_HSTATEEN_IMSIC;
	write_hstateen0(state);
}

/* ---- FP and vector registers ----------------------------------------------------------------- */

/* Only for the moment that the hypervisor itself moves the registers. */
static uint64_t open_units(void)
{
	uint64_t status = read_sstatus();

	write_sstatus(status | AXVM_RISCV64_FS_INITIAL | AXVM_RISCV64_VS_INITIAL);
	return status;
}

static bool has_vector(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.vector.v != NULL && axvm_hal_riscv64_host()->vlen_bytes != 0;
}

static void load_units(const struct axvm_vcpu *vcpu)
{
	uint64_t status = open_units();

	if (axvm_bare_features.has_fp)
		axvm_bare_fp_load(&vcpu->arch.fp);
	if (has_vector(vcpu))
		axvm_bare_vector_load(&vcpu->arch.vector);
	write_sstatus(status);
}

static void store_units(struct axvm_vcpu *vcpu)
{
	uint64_t status = open_units();

	if (axvm_bare_features.has_fp)
		axvm_bare_fp_save(&vcpu->arch.fp);
	if (has_vector(vcpu))
		axvm_bare_vector_save(&vcpu->arch.vector);
	write_sstatus(status & ~(AXVM_RISCV64_STATUS_FS | AXVM_RISCV64_STATUS_VS));
}

/* ---- bind and unbind ------------------------------------------------------------------------- */

static void load_aspace(struct axvm_vcpu *vcpu, uint32_t cpu)
{
	const struct axvm_aspace *aspace = &vcpu->vm->aspace;
	bool fence = atomic_exchange_explicit(&vcpu->arch.fence, 0, memory_order_seq_cst) != 0;

	write_hgatp(axvm_riscv64_make_hgatp(gstage_mode, axvm_bare_vmid(aspace), aspace->root));
	if (!has_vmids && last_aspace[cpu] != aspace) {
		axvm_hfence_gvma_all();
		fence = true;
	}
	last_aspace[cpu] = aspace;
	if (!fence && !vcpu->tlb_is_stale)
		return;
	axvm_hfence_vvma_all();
	axvm_fence_i();
}

void axvm_hal_vcpu_bind(struct axvm_vcpu *vcpu)
{
	struct axvm_cpu *cpu = axvm_bare_this_cpu();

	cpu->vcpu = vcpu;
	load_aspace(vcpu, cpu->index);
	load_permissions(vcpu);
	axvm_hal_sysreg_flush(vcpu);
	load_units(vcpu);
	write_htimedelta(vcpu->vm->arch.htimedelta);
	if (axvm_hal_riscv64_host()->has_sstc)
		write_vstimecmp(vcpu->arch.vstimecmp);
	write_hvip(vcpu->arch.hvip);
	if (axvm_hal_riscv64_host()->has_aia)
		load_top(vcpu);
	write_hie((vcpu->arch.vsie & AXVM_RISCV64_HIDELEG) | HIE_SGEIE);
	axvm_bare_guest_file_bound(vcpu);
}

void axvm_hal_vcpu_unbind(struct axvm_vcpu *vcpu)
{
	axvm_hal_irq_sync(vcpu);
	write_hie(HIE_SGEIE);
	write_hvip(0);
	if (axvm_hal_riscv64_host()->has_sstc) {
		vcpu->arch.vstimecmp = read_vstimecmp();
		write_vstimecmp(UINT64_MAX);
	}
	axvm_hal_sysreg_sync(vcpu);
	store_units(vcpu);
	write_vsatp(0);
	write_hgatp(0);
	write_hstatus(AXVM_RISCV64_HSTATUS_VSXL64);
	axvm_bare_guest_file_unbound(vcpu);
	axvm_bare_this_cpu()->vcpu = NULL;
}

/* ---- accesses on the guest's behalf ----------------------------------------------------------- */

/*
 * HLV and HLVX, of which a trap goes on behind them. What it changes of the guest's own trap is put
 * back: sstatus and hstatus say to which privilege sret goes; sepc is written before each entry.
 */
#define ACCESS(instruction, va, value, trap, trapped)                        \
	uint64_t vectors, scratch;                                           \
	uint64_t status = read_sstatus();                                    \
	uint64_t hyper = read_hstatus();                                     \
	uint64_t trapped = 1;                                                \
	__asm__ volatile("lla %0, 1f\n\tcsrrw %0, stvec, %0\n\t" instruction \
			 "\n\tli %2, 0\n\t.balign 4\n1:\tcsrw stvec, %0"     \
			 : "=&r"(vectors), "=&r"(scratch), "+&r"(trapped)    \
			 : "r"(va)                                           \
			 : "memory");                                        \
	if (trapped != 0) {                                                  \
		*(trap) = (struct axvm_riscv64_trap){                        \
			.cause = read_scause(),                              \
			.tval = read_stval(),                                \
			.htval = read_htval(),                               \
			.htinst = read_htinst(),                             \
		};                                                           \
		write_sstatus(status);                                       \
		write_hstatus(hyper);                                        \
	}                                                                    \
	*(value) = scratch

#define HLVX_HU ".insn r 0x73, 4, 0x32, %1, %3, x3"
#define HLV_D ".insn r 0x73, 4, 0x36, %1, %3, x0"

static bool fetch_half(uint64_t pc, uint64_t *value, struct axvm_riscv64_trap *trap)
{
	ACCESS(HLVX_HU, pc, value, trap, trapped);
	return trapped == 0;
}

bool axvm_hal_riscv64_load(struct axvm_vcpu *vcpu, uint64_t va, uint64_t *value,
			   struct axvm_riscv64_trap *trap)
{
	(void)vcpu;
	ACCESS(HLV_D, va, value, trap, trapped);
	return trapped == 0;
}

/* HLVX traps as a load does: for the guest it is its fetch. */
static uint64_t fetch_cause(uint64_t cause)
{
	switch (cause) {
	case AXVM_RISCV64_CAUSE_LOAD_MISALIGNED:
		return AXVM_RISCV64_CAUSE_FETCH_MISALIGNED;
	case AXVM_RISCV64_CAUSE_LOAD_ACCESS:
		return AXVM_RISCV64_CAUSE_FETCH_ACCESS;
	case AXVM_RISCV64_CAUSE_LOAD_PAGE:
		return AXVM_RISCV64_CAUSE_FETCH_PAGE;
	case AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE:
		return AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE;
	default:
		return cause;
	}
}

bool axvm_hal_riscv64_fetch(struct axvm_vcpu *vcpu, uint64_t pc, uint32_t *instruction,
			    struct axvm_riscv64_trap *trap)
{
	uint64_t low = 0;
	uint64_t high = 0;

	(void)vcpu;
	bool good = fetch_half(pc, &low, trap);
	if (good && (low & 3) == 3)
		good = fetch_half(pc + 2, &high, trap);
	if (!good) {
		trap->cause = fetch_cause(trap->cause);
		return false;
	}
	*instruction = (uint32_t)(low | high << 16);
	return true;
}
