/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits from the guest: what happened, and who answers it. The order of the tests is that of frequency. An
 * access to a device whose instruction htinst describes is a few comparisons away from the bus; all else about
 * accesses is out of line.
 */
#include "exit.h"

#include "bus.h"
#include "decode.h"
#include "pmu.h"
#include "regs.h"

/* Keeps a rare path's registers and code out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))
#define IN_LINE static inline __attribute__((always_inline))

/* Which way the compiler lays out first. */
#define LIKELY(condition) __builtin_expect((condition), 1)
#define UNLIKELY(condition) __builtin_expect((condition), 0)

/*
 * htinst of a load or store [RISCV-H 18.6.3]: without these fields the opcode remains, bit 1 of which says how
 * long the instruction was. Addr. Offset is not among the fields: it is 0 here.
 */
#define LOAD 0x01u
#define LOAD_FIELDS 0x7f82u /* funct3, rd */
#define STORE 0x21u
#define STORE_FIELDS 0x01f07002u /* rs2, funct3 */
#define FUNCT3_SHIFT 12
#define FUNCT3_UNSIGNED 4u /* and above */
#define RD_SHIFT 7
#define RS2_SHIFT 20
#define LONG 2u

/* A pseudoinstruction: an implicit access, for the guest's translation; 32 or 64 bits, read or write. */
#define PSEUDO 0x2000u
#define PSEUDO_64 0x1000u
#define PSEUDO_WRITE 0x20u

#define PAGE_MASK 0xfffu

/* ---- exceptions into the guest ------------------------------------------------------------------ */

void axvm_riscv64_inject(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	struct axvm_riscv64_sysregs *sys = &arch->sys;

	axvm_hal_sysreg_sync(vcpu);
	uint64_t status = sys->vsstatus & ~(AXVM_RISCV64_STATUS_SPP | AXVM_RISCV64_STATUS_SPIE |
					    AXVM_RISCV64_STATUS_SIE);

	status |= sys->sstatus & AXVM_RISCV64_STATUS_SPP;
	if ((sys->vsstatus & AXVM_RISCV64_STATUS_SIE) != 0)
		status |= AXVM_RISCV64_STATUS_SPIE;
	sys->vsstatus = status;
	sys->vsepc = arch->pc;
	sys->vscause = cause;
	sys->vstval = tval;
	arch->pc = sys->vstvec & ~(uint64_t)3; /* vectored or not: that is for interrupts */
	sys->sstatus |= AXVM_RISCV64_STATUS_SPP;
	axvm_hal_sysreg_flush(vcpu);
}

void axvm_riscv64_inject_illegal(struct axvm_vcpu *vcpu, uint64_t instruction)
{
	axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_ILLEGAL);
	axvm_riscv64_inject(vcpu, AXVM_RISCV64_CAUSE_ILLEGAL, instruction);
}

/* The access fault that stands for a stage-2 fault. */
static uint64_t access_fault_of(uint64_t cause)
{
	switch (cause) {
	case AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE:
		return AXVM_RISCV64_CAUSE_FETCH_ACCESS;
	case AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE:
		return AXVM_RISCV64_CAUSE_LOAD_ACCESS;
	case AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE:
		return AXVM_RISCV64_CAUSE_STORE_ACCESS;
	default:
		return cause;
	}
}

void axvm_riscv64_inject_trap(struct axvm_vcpu *vcpu, const struct axvm_riscv64_trap *trap)
{
	uint64_t cause = access_fault_of(trap->cause);

	if (cause == AXVM_RISCV64_CAUSE_LOAD_ACCESS)
		axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_ACCESS_LOAD);
	if (cause == AXVM_RISCV64_CAUSE_STORE_ACCESS)
		axvm_riscv64_pmu_count(vcpu, AXVM_RISCV64_EVENT_ACCESS_STORE);
	axvm_riscv64_inject(vcpu, cause, trap->tval);
}

static enum axvm_verdict inject_access_fault(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	const struct axvm_riscv64_trap trap = { .cause = cause, .tval = tval };

	axvm_riscv64_inject_trap(vcpu, &trap);
	return AXVM_ENTER;
}

/* ---- stage-2 faults -------------------------------------------------------------------------------- */

static inline uint64_t gpa_of(uint64_t tval, uint64_t htval)
{
	return htval << 2 | (tval & 3);
}

static bool is_walk(uint64_t htinst)
{
	return (htinst & ~(uint64_t)(PSEUDO_64 | PSEUDO_WRITE)) == PSEUDO;
}

/* Whether the mapping is there by now: an entry that changed under the access, see <axvm/aspace.h>. */
static bool is_mapped(struct axvm_vcpu *vcpu, uint64_t gpa, uint32_t right)
{
	struct axvm_hpa hpa;
	uint64_t bytes;

	return axvm_aspace_translate(&vcpu->vm->aspace, axvm_gpa(gpa), right, &hpa, &bytes) == 0;
}

/* What the access needed, by its cause or, of a walk, by its pseudoinstruction. */
static uint32_t right_of(uint64_t cause, uint64_t htinst)
{
	if (is_walk(htinst))
		return (htinst & PSEUDO_WRITE) != 0 ? AXVM_MAP_WRITE : AXVM_MAP_READ;
	if (cause == AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE)
		return AXVM_MAP_EXECUTE;
	return cause == AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE ? AXVM_MAP_WRITE : AXVM_MAP_READ;
}

/* HLVX reports what it meets as a load's; it was a fetch. */
static uint64_t fetch_cause_of(uint64_t cause)
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

bool axvm_riscv64_fetch(struct axvm_vcpu *vcpu, uint32_t *instruction)
{
	struct axvm_riscv64_trap trap;

	if (axvm_hal_riscv64_fetch(vcpu, vcpu->arch.pc, instruction, &trap))
		return true;
	trap.cause = fetch_cause_of(trap.cause);
	if (trap.cause != AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE ||
	    !is_mapped(vcpu, gpa_of(trap.tval, trap.htval), right_of(trap.cause, trap.htinst)))
		axvm_riscv64_inject_trap(vcpu, &trap);
	return false;
}

/* What is to be done with an access, and where. */
struct fault {
	uint64_t cause;
	uint64_t tval;
	uint64_t htinst;
	uint64_t gpa;
};

/* Nobody's: counted, and an access fault. */
static enum axvm_verdict refuse(struct axvm_vcpu *vcpu, const struct fault *fault, unsigned bytes)
{
	axvm_bus_unclaimed(vcpu, fault->gpa, bytes,
			   fault->cause == AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE);
	return inject_access_fault(vcpu, fault->cause, fault->tval);
}

/*
 * The load or store that faulted; `bytes` 0: one that no device is asked for. A part of one beyond its first
 * byte is such: it began elsewhere. So is one that does not address what faulted: another vCPU has
 * written a different instruction there. False: it could not be fetched.
 */
static bool describe(struct axvm_vcpu *vcpu, const struct fault *fault,
		     struct axvm_riscv64_access *access)
{
	bool is_store = fault->cause == AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE;
	bool known = axvm_riscv64_decode_transformed(fault->htinst, access) && access->offset == 0;

	if ((fault->htinst & 1) == 0) {
		uint32_t instruction;

		if (!axvm_riscv64_fetch(vcpu, &instruction))
			return false;
		known = axvm_riscv64_decode(instruction, access) &&
			axvm_riscv64_get_x(vcpu, access->base) + (uint64_t)access->offset ==
				fault->tval;
	}
	if (!known || access->is_store != is_store ||
	    access->bytes > PAGE_MASK + 1 - (fault->gpa & PAGE_MASK))
		access->bytes = 0;
	return true;
}

static enum axvm_verdict load_into(struct axvm_vcpu *vcpu, const struct axvm_riscv64_access *access,
				   uint64_t value)
{
	if (access->is_signed) {
		uint64_t sign = (uint64_t)1 << (8 * access->bytes - 1);

		value = (value ^ sign) - sign;
	}
	vcpu->arch.pc += access->length;
	return axvm_riscv64_set_x(vcpu, access->reg, value);
}

static enum axvm_verdict emulate(struct axvm_vcpu *vcpu, const struct fault *fault,
				 const struct axvm_bus_region *region,
				 const struct axvm_riscv64_access *access)
{
	if (!access->is_store)
		return load_into(vcpu, access,
				 axvm_bus_read(vcpu, region, fault->gpa, access->bytes));
	vcpu->arch.pc += access->length;
	axvm_bus_write(vcpu, region, fault->gpa, access->bytes,
		       axvm_riscv64_get_x(vcpu, access->reg));
	return AXVM_ENTER;
}

static const struct axvm_bus_region *region_of(struct axvm_vcpu *vcpu, uint64_t gpa)
{
	return axvm_bus_holds(vcpu->last_hit, gpa, 1) ? vcpu->last_hit
						      : axvm_bus_miss(vcpu, gpa, 1);
}

/*
 * Any load or store. A region of the bus is a device's whatever is mapped there: its shadow
 * (src/shadow.h) is, for reading.
 */
OUT_OF_LINE static enum axvm_verdict access(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval,
					    uint64_t htval, uint64_t htinst)
{
	const struct fault fault = { cause, tval, htinst, gpa_of(tval, htval) };
	struct axvm_riscv64_access found;

	if (is_walk(htinst))
		return is_mapped(vcpu, fault.gpa, right_of(cause, htinst))
			       ? AXVM_ENTER
			       : refuse(vcpu, &fault, 8);
	const struct axvm_bus_region *region = region_of(vcpu, fault.gpa);

	if (region == NULL && is_mapped(vcpu, fault.gpa, right_of(cause, htinst)))
		return AXVM_ENTER;
	if (!describe(vcpu, &fault, &found))
		return AXVM_ENTER;
	if (region == NULL || found.bytes == 0 || !axvm_bus_holds(region, fault.gpa, found.bytes))
		return refuse(vcpu, &fault, found.bytes != 0 ? found.bytes : 1);
	return emulate(vcpu, &fault, region, &found);
}

/* An access that its region holds all of. A function of its own: only what it keeps over the device is saved. */
OUT_OF_LINE static enum axvm_verdict load_from(struct axvm_vcpu *vcpu,
					       const struct axvm_bus_region *region,
					       uint64_t offset, unsigned bytes, uint64_t htinst)
{
	uint64_t value = axvm_bus_read_at(vcpu, region, offset, bytes);
	uint64_t funct3 = htinst >> FUNCT3_SHIFT;
	uint64_t unused_bits = (UINT64_MAX - 7) << (funct3 & 3);

	vcpu->arch.pc += 2 + (htinst & LONG);
	value <<= unused_bits & 63;
	if (funct3 < FUNCT3_UNSIGNED)
		value = (uint64_t)((int64_t)value >> (unused_bits & 63));
	else
		value >>= unused_bits & 63;
	return axvm_riscv64_set_x(vcpu, (unsigned)(htinst >> RD_SHIFT) & 31, value);
}

/*
 * Aligned, described by htinst, where the vCPU's last access went: then its first byte tells that all of it is
 * there, see axvm_bus_miss. Of the others `access` takes care.
 */
IN_LINE enum axvm_verdict load(struct axvm_vcpu *vcpu, uint64_t tval, uint64_t htval,
			       uint64_t htinst)
{
	const struct axvm_bus_region *region = vcpu->last_hit;
	uint64_t bytes = (uint64_t)1 << (htinst >> FUNCT3_SHIFT & 3);
	uint64_t offset = gpa_of(tval, htval) - region->base;

	if (UNLIKELY((htinst & ~(uint64_t)LOAD_FIELDS) != LOAD))
		return access(vcpu, AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE, tval, htval, htinst);
	if (UNLIKELY((tval & (bytes - 1)) != 0))
		return access(vcpu, AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE, tval, htval, htinst);
	if (UNLIKELY(offset >= region->bytes))
		return access(vcpu, AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE, tval, htval, htinst);
	return load_from(vcpu, region, offset, (unsigned)bytes, htinst);
}

/* Steps first: nothing is left to be kept over the device's work. */
OUT_OF_LINE static enum axvm_verdict store(struct axvm_vcpu *vcpu, uint64_t tval, uint64_t htval,
					   uint64_t htinst)
{
	const struct axvm_bus_region *region = vcpu->last_hit;
	uint64_t gpa = gpa_of(tval, htval);
	uint64_t bytes = (uint64_t)1 << (htinst >> FUNCT3_SHIFT & 3);

	if (UNLIKELY((htinst & ~(uint64_t)STORE_FIELDS) != STORE))
		return access(vcpu, AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE, tval, htval, htinst);
	if (UNLIKELY((tval & (bytes - 1)) != 0))
		return access(vcpu, AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE, tval, htval, htinst);
	if (UNLIKELY(gpa - region->base >= region->bytes))
		return access(vcpu, AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE, tval, htval, htinst);
	vcpu->arch.pc += 2 + (htinst & LONG);
	axvm_bus_write(vcpu, region, gpa, (unsigned)bytes,
		       axvm_riscv64_get_x(vcpu, (unsigned)(htinst >> RS2_SHIFT)));
	return AXVM_ENTER;
}

static enum axvm_verdict fetch_fault(struct axvm_vcpu *vcpu, const struct fault *fault)
{
	if (is_mapped(vcpu, fault->gpa, right_of(fault->cause, fault->htinst)))
		return AXVM_ENTER;
	return refuse(vcpu, fault, 4);
}

/* ---- the rest ---------------------------------------------------------------------------------------- */

enum axvm_verdict axvm_riscv64_wait(struct axvm_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->arch.suspended, 0, memory_order_relaxed);
	if (atomic_load_explicit(&vcpu->requests, memory_order_relaxed) != 0)
		return AXVM_ENTER;
	axvm_hal_irq_sync(vcpu);
	axvm_riscv64_irq_note(vcpu);
	if (axvm_arch_irq_pending(vcpu))
		return AXVM_ENTER;
	vcpu->exit.reason = AXVM_EXIT_HALT;
	return AXVM_LEAVE;
}

/* What a guest may cause by itself, whether it was delegated or not: it takes it. */
#define CAUSES_OF_GUESTS 0xcb1ffULL /* 0 to 8, 12, 13, 15, software check, hardware error */

static bool is_of_guests(uint64_t cause)
{
	return cause < 64 && (CAUSES_OF_GUESTS >> cause & 1) != 0;
}

OUT_OF_LINE static enum axvm_verdict rare_exit(struct axvm_vcpu *vcpu, uint64_t cause,
					       uint64_t tval, uint64_t htval, uint64_t htinst)
{
	const struct fault fault = { cause, tval, htinst, gpa_of(tval, htval) };

	if (cause == AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE)
		return fetch_fault(vcpu, &fault);
	if (is_of_guests(cause))
		return inject_access_fault(vcpu, cause, tval);
	vcpu->exit.reason = AXVM_EXIT_FAULT;
	vcpu->exit.fault.what = "an exception that no guest can cause";
	vcpu->exit.fault.pc = vcpu->arch.pc;
	vcpu->exit.fault.address = tval;
	vcpu->exit.fault.syndrome = cause;
	return AXVM_LEAVE;
}

/* Only tail calls, so that a frequent exit pays for the registers that it uses itself. */
enum axvm_verdict axvm_riscv64_exit(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval,
				    uint64_t htval, uint64_t htinst)
{
	if (LIKELY(cause == AXVM_RISCV64_CAUSE_ECALL_VS))
		return axvm_riscv64_call(vcpu);
	if (LIKELY(cause == AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE))
		return load(vcpu, tval, htval, htinst);
	if (cause == AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE)
		return store(vcpu, tval, htval, htinst);
	if (cause == AXVM_RISCV64_CAUSE_VIRTUAL_INSTRUCTION)
		return axvm_riscv64_virtual_instruction(vcpu, tval);
	return rare_exit(vcpu, cause, tval, htval, htinst);
}
