/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits from the guest: what happened, and who answers it. The order of the tests
 * is that of frequency; the common data abort is one comparison away from the bus.
 */
#include "exit.h"

#include <axvm/hal_aarch64.h>

#include "bus.h"
#include "regs.h"

/* Exception classes [ARM D19.2.37]. */
#define EC_WFX 0x01u
#define EC_CP15 0x03u
#define EC_CP15_64 0x04u
#define EC_CP14 0x05u
#define EC_CP14_LS 0x06u
#define EC_VMRS 0x08u
#define EC_CP14_64 0x0cu
#define EC_HVC64 0x16u
#define EC_SMC64 0x17u
#define EC_SYS64 0x18u
#define EC_INSTRUCTION_ABORT 0x20u
#define EC_DATA_ABORT 0x24u

#define ESR_EC_SHIFT 26
#define ESR_IL (1ULL << 25)

/* Of a data abort. */
#define ISS_ISV (1ULL << 24)
#define ISS_SAS_SHIFT 22
#define ISS_SSE (1ULL << 21)
#define ISS_SRT_SHIFT 16
#define ISS_SF (1ULL << 15)
#define ISS_FNV (1ULL << 10)
#define ISS_CM (1ULL << 8)
#define ISS_S1PTW (1ULL << 7)
#define ISS_WNR (1ULL << 6)
#define FSC_CLASS 0x3cULL
#define FSC_TRANSLATION 0x04ULL
#define FSC_PERMISSION 0x0cULL
#define FSC_EXTERNAL 0x10ULL

/* Of 32 bits of a syndrome: a data abort, a translation fault, which says what was accessed. */
/* EC, IL and ISV of a load or store that the syndrome describes: no walk, no cache maintenance. */
#define ACCESS (EC_DATA_ABORT << 2 | 3)
#define ACCESS_SHIFT 24

#define ISS_WFE 1ULL

/* Keeps a rare path's registers and code out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))

/* ---- exceptions into the guest ------------------------------------------------------------ */

/* Which quarter of the vector table [ARM D1.3.1.1]. */
static uint64_t vector_offset(uint64_t pstate)
{
	if ((pstate & AXVM_AARCH64_PSTATE_A32) != 0)
		return 0x600;
	switch (pstate & AXVM_AARCH64_PSTATE_MODE) {
	case AXVM_AARCH64_PSTATE_EL1H:
		return 0x200;
	case AXVM_AARCH64_PSTATE_EL1T:
		return 0x000;
	default:
		return 0x400;
	}
}

static bool from_el1(const struct axvm_vcpu *vcpu)
{
	return vector_offset(vcpu->arch.pstate) < 0x400;
}

/* PSTATE as taking an exception to EL1 makes it: AArch64.TakeException of [ARM J1]. */
static uint64_t exception_pstate(uint64_t old, uint64_t sctlr)
{
	uint64_t pstate = AXVM_AARCH64_PSTATE_EL1H | AXVM_AARCH64_PSTATE_DAIF |
			  (old & (AXVM_AARCH64_PSTATE_NZCV | AXVM_AARCH64_PSTATE_PAN |
				  AXVM_AARCH64_PSTATE_DIT));

	if ((sctlr & AXVM_AARCH64_SCTLR_SPAN) == 0)
		pstate |= AXVM_AARCH64_PSTATE_PAN;
	if ((sctlr & AXVM_AARCH64_SCTLR_DSSBS) != 0)
		pstate |= AXVM_AARCH64_PSTATE_SSBS;
	return pstate;
}

void axvm_aarch64_inject_sync(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	axvm_hal_sysreg_sync(vcpu);
	arch->sys.esr_el1 = esr;
	arch->sys.far_el1 = far;
	arch->sys.elr_el1 = arch->pc;
	arch->sys.spsr_el1 = arch->pstate;
	arch->pc = arch->sys.vbar_el1 + vector_offset(arch->pstate);
	arch->pstate = exception_pstate(arch->pstate, arch->sys.sctlr_el1);
	axvm_hal_sysreg_flush(vcpu);
}

void axvm_aarch64_inject_undefined(struct axvm_vcpu *vcpu, uint64_t esr)
{
	axvm_aarch64_inject_sync(vcpu, esr & ESR_IL, 0);
}

/*
 * A synchronous external abort at the address of the access. Of the trap's syndrome
 * only what this fault status leaves valid goes along.
 */
static enum axvm_verdict inject_abort(struct axvm_vcpu *vcpu, uint32_t ec, uint64_t esr,
				      uint64_t far)
{
	uint64_t kept = esr & (ISS_FNV | ESR_IL);

	if (ec == EC_DATA_ABORT)
		kept |= esr & (ISS_CM | ISS_WNR);
	/* The class for "from the same level" is the next one. */
	ec += from_el1(vcpu) ? 1 : 0;
	axvm_aarch64_inject_sync(vcpu, (uint64_t)ec << ESR_EC_SHIFT | kept | FSC_EXTERNAL, far);
	/* Not AXVM_ENTER, so that no compiler sees a constant in store() and spoils its tail call. */
	return AXVM_ENTER_FULL;
}

/* ---- stepping over an instruction --------------------------------------------------------- */

/* IT[7:2] and IT[1:0] of an AArch32 PSTATE. */
#define PSTATE_T (1ULL << 5)
#define PSTATE_IT_HIGH 0xfc00ULL
#define PSTATE_IT_LOW 0x06000000ULL

static void advance_it(struct axvm_arch_vcpu *arch)
{
	uint64_t it = (arch->pstate & PSTATE_IT_HIGH) >> 8 | (arch->pstate & PSTATE_IT_LOW) >> 25;

	if ((it & 7) == 0)
		it = 0;
	else
		it = (it & 0xe0) | (it << 1 & 0x1f);
	arch->pstate &= ~(PSTATE_IT_HIGH | PSTATE_IT_LOW);
	arch->pstate |= (it & 0xfc) << 8 | (it & 3) << 25;
}

OUT_OF_LINE void axvm_aarch64_skip_a32(struct axvm_vcpu *vcpu, uint64_t esr)
{
	vcpu->arch.pc += (esr & ESR_IL) != 0 ? 4 : 2;
	vcpu->arch.pstate &= ~AXVM_AARCH64_PSTATE_SS;
	if ((vcpu->arch.pstate & PSTATE_T) != 0)
		advance_it(&vcpu->arch);
}

/* ---- aborts ---------------------------------------------------------------------------------- */

/* What the register gets of `bytes` that were read: sign and width of the instruction. */
static inline uint64_t extend(uint64_t value, unsigned bytes, uint64_t esr)
{
	if ((esr & ISS_SSE) != 0) {
		uint64_t sign = 1ULL << (bytes * 8 - 1);

		value = (value ^ sign) - sign;
		if ((esr & ISS_SF) == 0)
			value &= UINT32_MAX;
	}
	return value;
}

/* An access that the syndrome describes, and the region that holds its address. */
struct access {
	const struct axvm_bus_region *region;
	uint64_t esr;
	uint64_t gpa;
};

static inline unsigned bytes_of(uint64_t esr)
{
	return 1u << (esr >> ISS_SAS_SHIFT & 3);
}

static inline enum axvm_verdict load_from(struct axvm_vcpu *vcpu, struct access access)
{
	unsigned bytes = bytes_of(access.esr);
	uint64_t value = axvm_bus_read(vcpu, access.region, access.gpa, bytes);

	axvm_aarch64_skip(vcpu, access.esr);
	return axvm_aarch64_set_x(vcpu, (unsigned)(access.esr >> ISS_SRT_SHIFT) & 31,
				  extend(value, bytes, access.esr));
}

/* Steps first: nothing is left to be kept over the device's work. */
static inline enum axvm_verdict store_to(struct axvm_vcpu *vcpu, struct access access)
{
	uint64_t value = axvm_aarch64_get_x(vcpu, (unsigned)(access.esr >> ISS_SRT_SHIFT) & 31);

	axvm_aarch64_skip(vcpu, access.esr);
	axvm_bus_write(vcpu, access.region, access.gpa, bytes_of(access.esr), value);
	return AXVM_ENTER;
}

/* Whether the mapping is there by now: an entry that changed under the access, see <axvm/aspace.h>. */
static bool is_mapped(struct axvm_vcpu *vcpu, uint64_t gpa, uint32_t right)
{
	struct axvm_hpa hpa;
	uint64_t bytes;

	return axvm_aspace_translate(&vcpu->vm->aspace, axvm_gpa(gpa), right, &hpa, &bytes) == 0;
}

/* Of a permission fault the syndrome does not say where it was [ARM D19.2.61]. */
static bool is_spurious(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t gpa, uint32_t right)
{
	return (esr & FSC_CLASS) == FSC_TRANSLATION && is_mapped(vcpu, gpa, right);
}

static uint32_t right_of(uint64_t esr)
{
	return (esr & ISS_WNR) != 0 ? AXVM_MAP_WRITE : AXVM_MAP_READ;
}

/* Elsewhere than the vCPU's last access. */
OUT_OF_LINE static enum axvm_verdict missed(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					    uint64_t gpa)
{
	bool is_store = (esr & ISS_WNR) != 0;
	struct access access = { axvm_bus_miss(vcpu, gpa, bytes_of(esr)), esr, gpa };

	if (access.region != NULL)
		return is_store ? store_to(vcpu, access) : load_from(vcpu, access);
	if (is_spurious(vcpu, esr, gpa, right_of(esr)))
		return AXVM_ENTER;
	axvm_bus_unclaimed(vcpu, gpa, bytes_of(esr), is_store);
	return inject_abort(vcpu, EC_DATA_ABORT, esr, far);
}

/* Each of the two saves only the registers that it uses itself. */
OUT_OF_LINE static enum axvm_verdict load(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					  uint64_t gpa)
{
	if (!axvm_bus_holds(vcpu->last_hit, gpa, bytes_of(esr)))
		return missed(vcpu, esr, far, gpa);
	return load_from(vcpu, (struct access){ vcpu->last_hit, esr, gpa });
}

OUT_OF_LINE static enum axvm_verdict store(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					   uint64_t gpa)
{
	if (!axvm_bus_holds(vcpu->last_hit, gpa, bytes_of(esr)))
		return missed(vcpu, esr, far, gpa);
	return store_to(vcpu, (struct access){ vcpu->last_hit, esr, gpa });
}

/* The guest tries again when its tables have changed since, or the mapping. */
OUT_OF_LINE static enum axvm_verdict denied_elsewhere(struct axvm_vcpu *vcpu, uint64_t esr,
						      uint64_t far, uint64_t gpa)
{
	if (gpa == AXVM_AARCH64_NO_GPA)
		return AXVM_ENTER;
	struct access access = { axvm_bus_miss(vcpu, gpa, bytes_of(esr)), esr, gpa };

	if (access.region != NULL)
		return store_to(vcpu, access);
	if (is_mapped(vcpu, gpa, AXVM_MAP_WRITE))
		return AXVM_ENTER;
	return inject_abort(vcpu, EC_DATA_ABORT, esr, far);
}

OUT_OF_LINE static enum axvm_verdict denied_at(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					       uint64_t gpa)
{
	if (!axvm_bus_holds(vcpu->last_hit, gpa, bytes_of(esr)))
		return denied_elsewhere(vcpu, esr, far, gpa);
	return store_to(vcpu, (struct access){ vcpu->last_hit, esr, gpa });
}

/*
 * A store to a page that is mapped read-only: the shadow of a device (src/shadow.h), or
 * memory. Where it was only the guest's tables say: HPFAR_EL2 is not valid.
 */
OUT_OF_LINE static enum axvm_verdict denied(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far)
{
	return denied_at(vcpu, esr, far, axvm_hal_aarch64_translate(vcpu, far));
}

/*
 * Cache maintenance by address where no memory is has nothing to do. The rest, an
 * access that the syndrome does not describe, a table walk outside of memory, a
 * right that the mapping does not give, is an external abort.
 */
static enum axvm_verdict rare_abort(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
				    uint64_t gpa)
{
	bool is_walk = (esr & ISS_S1PTW) != 0;

	if (is_spurious(vcpu, esr, gpa, is_walk ? AXVM_MAP_READ : right_of(esr)))
		return AXVM_ENTER;
	if ((esr & ISS_CM) != 0 && !is_walk && (esr & FSC_CLASS) == FSC_TRANSLATION) {
		axvm_aarch64_skip(vcpu, esr);
		return AXVM_ENTER;
	}
	return inject_abort(vcpu, EC_DATA_ABORT, esr, far);
}

static enum axvm_verdict instruction_abort(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					   uint64_t gpa)
{
	uint32_t right = (esr & ISS_S1PTW) != 0 ? AXVM_MAP_READ : AXVM_MAP_EXECUTE;

	if (is_spurious(vcpu, esr, gpa, right))
		return AXVM_ENTER;
	return inject_abort(vcpu, EC_INSTRUCTION_ABORT, esr, far);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

enum axvm_verdict axvm_aarch64_wait(struct axvm_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->requests, memory_order_relaxed) != 0)
		return AXVM_ENTER;
	if (vcpu->arch.vgic.lr_used != 0)
		axvm_vgic_refill(vcpu); /* the guest may have ended what was pending */
	if (axvm_arch_irq_pending(vcpu))
		return AXVM_ENTER;
	vcpu->exit.reason = AXVM_EXIT_HALT;
	return AXVM_LEAVE;
}

static enum axvm_verdict wfx(struct axvm_vcpu *vcpu, uint64_t esr)
{
	axvm_aarch64_skip(vcpu, esr);
	if ((esr & ISS_WFE) != 0)
		return AXVM_ENTER;
	axvm_vgic_resample_timer(vcpu); /* what is no longer pending does not end the wait */
	return axvm_aarch64_wait(vcpu);
}

/* Whether PSTATE's flags pass a condition code [ARM C1.2.4]. */
static bool passes(uint64_t pstate, uint64_t condition)
{
	bool n = (pstate >> 31 & 1) != 0;
	bool z = (pstate >> 30 & 1) != 0;
	bool c = (pstate >> 29 & 1) != 0;
	bool v = (pstate >> 28 & 1) != 0;
	const bool base[8] = { z, c, n, v, c && !z, n == v, n == v && !z, true };
	bool result = base[condition >> 1];

	return (condition & 1) != 0 && condition != 15 ? !result : result;
}

/*
 * A coprocessor access of AArch32 at EL0. A conditional one may trap although its
 * condition fails; ISS.CV says whether the condition is in the syndrome.
 */
static enum axvm_verdict coprocessor(struct axvm_vcpu *vcpu, uint64_t esr)
{
	if ((esr >> 24 & 1) != 0 && !passes(vcpu->arch.pstate, esr >> 20 & 0xf)) {
		axvm_aarch64_skip_a32(vcpu, esr);
		return AXVM_ENTER;
	}
	axvm_aarch64_inject_undefined(vcpu, esr);
	return AXVM_ENTER;
}

OUT_OF_LINE static enum axvm_verdict rare_exit(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					       uint64_t gpa)
{
	switch ((uint32_t)esr >> ESR_EC_SHIFT) {
	case EC_WFX:
		return wfx(vcpu, esr);
	case EC_DATA_ABORT:
		return rare_abort(vcpu, esr, far, gpa);
	case EC_INSTRUCTION_ABORT:
		return instruction_abort(vcpu, esr, far, gpa);
	case EC_CP15:
	case EC_CP15_64:
	case EC_CP14:
	case EC_CP14_LS:
	case EC_VMRS:
	case EC_CP14_64:
		return coprocessor(vcpu, esr);
	default: /* a feature that the ID registers do not show */
		axvm_aarch64_inject_undefined(vcpu, esr);
		return AXVM_ENTER;
	}
}

/* Only tail calls, so that a frequent exit pays for the registers that it uses itself. */
enum axvm_verdict axvm_aarch64_exit_sync(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t far,
					 uint64_t hpfar)
{
	uint32_t ec = (uint32_t)esr >> ESR_EC_SHIFT;
	uint64_t gpa = (hpfar & 0xfffffffffff0ULL) << 8 | (far & 0xfff);

	if (ec == EC_HVC64)
		return axvm_aarch64_call(vcpu);
	if ((uint32_t)esr >> ACCESS_SHIFT == ACCESS) {
		if ((esr & FSC_CLASS) == FSC_TRANSLATION)
			return (esr & ISS_WNR) != 0 ? store(vcpu, esr, far, gpa)
						    : load(vcpu, esr, far, gpa);
		if ((esr & (FSC_CLASS | ISS_WNR)) == (FSC_PERMISSION | ISS_WNR))
			return denied(vcpu, esr, far);
	}
	if (ec == EC_SYS64)
		return axvm_aarch64_system_register(vcpu, esr);
	if (ec == EC_SMC64) { /* trapped, so not stepped over yet */
		axvm_aarch64_skip_a64(vcpu);
		return axvm_aarch64_call(vcpu);
	}
	return rare_exit(vcpu, esr, far, gpa);
}

/* HCR_EL2.VSE goes in, and comes out when the guest has taken it, with the other registers. */
enum axvm_verdict axvm_aarch64_exit_serror(struct axvm_vcpu *vcpu, uint64_t esr)
{
	(void)esr; /* without RAS a virtual SError carries no syndrome */
	axvm_hal_sysreg_sync(vcpu);
	vcpu->arch.hcr |= AXVM_AARCH64_HCR_VSE;
	axvm_hal_sysreg_flush(vcpu);
	return AXVM_ENTER;
}

void axvm_aarch64_virtual_timer_fired(struct axvm_vcpu *vcpu)
{
	axvm_vgic_take_linked(vcpu, AXVM_VGIC_VIRTUAL_TIMER);
}

void axvm_aarch64_maintenance(struct axvm_vcpu *vcpu)
{
	axvm_vgic_refill(vcpu);
}

uint32_t axvm_aarch64_linked_interrupts(const struct axvm_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->arch.vgic.bank.linked, memory_order_relaxed);
}

int axvm_aarch64_physical_spi(struct axvm_vm *vm, uint32_t intid)
{
	return axvm_vgic_linked_shared(vm, intid);
}
