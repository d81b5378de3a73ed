/* SPDX-License-Identifier: Apache-2.0 */
/* Exits of instructions that move to and from control and debug registers. What may be written cr.c says. */
#include "decode.h"
#include "exit.h"
#include "operand.h"
#include "walk.h"

#define REG_UNKNOWN 0xffu
#define LMSW_BITS (AXVM_X86_CR0_PE | AXVM_X86_CR0_MP | AXVM_X86_CR0_EM | AXVM_X86_CR0_TS)
#define CR4_DE ((uint64_t)1 << 3)
#define DR6_ONES 0xffff0ff0u
#define DR6_KNOWN 0xe00fu
#define DR7_ONES 0x400u
#define DR7_KNOWN 0xffff2bffu

static enum axvm_verdict general_protection(struct axvm_vcpu *vcpu)
{
	axvm_x86_64_inject_error(vcpu, AXVM_X86_GP, 0);
	return AXVM_ENTER;
}

static enum axvm_verdict undefined(struct axvm_vcpu *vcpu)
{
	axvm_x86_64_inject_exception(vcpu, AXVM_X86_UD);
	return AXVM_ENTER;
}

/* MOV of these is of 64 bits in 64-bit mode and of 32 elsewhere, whatever the prefixes. */
static uint64_t width(const struct axvm_arch_vcpu *arch)
{
	return axvm_x86_64_code_bytes(arch) == 8 ? UINT64_MAX : UINT32_MAX;
}

/* ---- control registers ------------------------------------------------------------------------------------ */

static bool read_cr(const struct axvm_vcpu *vcpu, unsigned index, uint64_t *value)
{
	const struct axvm_x86_sysregs *sys = &vcpu->arch.sys;

	switch (index) {
	case 0:
		*value = sys->cr0;
		return true;
	case 2:
		*value = sys->cr2;
		return true;
	case 3:
		*value = sys->cr3;
		return true;
	case 4:
		*value = sys->cr4;
		return true;
	case 8:
		*value = axvm_lapic_get_cr8(vcpu);
		return true;
	default:
		return false;
	}
}

static bool is_cr(unsigned index)
{
	return index < 9 && (0x11d >> index & 1) != 0;
}

static enum axvm_verdict write_cr(struct axvm_vcpu *vcpu, unsigned index, uint64_t value,
				  unsigned bytes)
{
	if (!axvm_x86_64_write_cr(vcpu, index, value))
		return general_protection(vcpu);
	axvm_hal_sysreg_flush(vcpu);
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}

static enum axvm_verdict move_cr(struct axvm_vcpu *vcpu, unsigned index, unsigned reg,
				 unsigned bytes)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t value = 0;

	if (!is_cr(index))
		return undefined(vcpu);
	if (arch->exit.is_write)
		return write_cr(vcpu, index, arch->gpr[reg & 15] & width(arch), bytes);
	(void)read_cr(vcpu, index, &value);
	arch->gpr[reg & 15] = value & width(arch);
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER_FULL;
}

/* The 16 bits that LMSW loads. False: an exception was injected. */
static bool read_lmsw(struct axvm_vcpu *vcpu, const struct axvm_x86_instruction *instruction,
		      uint64_t *value)
{
	const struct axvm_arch_vcpu *arch = &vcpu->arch;
	const struct axvm_x86_memory *memory = &instruction->memory;
	struct axvm_x86_fault fault;
	uint16_t word;

	if (!instruction->has_memory) {
		*value = arch->gpr[instruction->reg & 15];
		return true;
	}
	uint64_t offset = axvm_x86_64_offset(arch, memory, arch->rip + instruction->bytes);

	if (!axvm_x86_64_segment_allows(arch, memory->segment, offset, 2, false)) {
		(void)general_protection(vcpu);
		return false;
	}
	if (!axvm_x86_64_read(vcpu, axvm_x86_64_linear(arch, memory->segment, offset), &word,
			      sizeof(word), 0, &fault)) {
		axvm_x86_64_inject_fault(vcpu, &fault);
		return false;
	}
	*value = word;
	return true;
}

/* It sets PE and does not clear it. */
static enum axvm_verdict load_machine_status(struct axvm_vcpu *vcpu,
					     const struct axvm_x86_instruction *instruction)
{
	uint64_t cr0 = vcpu->arch.sys.cr0;
	uint64_t value;

	if (!read_lmsw(vcpu, instruction, &value))
		return AXVM_ENTER;
	value = (cr0 & (~LMSW_BITS | AXVM_X86_CR0_PE)) | (value & LMSW_BITS);
	return write_cr(vcpu, 0, value, instruction->bytes);
}

/* What has no number of a register: by decoding; what is left then is CLTS. */
static enum axvm_verdict decoded_cr_access(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	struct axvm_x86_instruction instruction;

	if (!axvm_x86_64_fetch_exited(vcpu, &instruction))
		return AXVM_ENTER;
	if (instruction.op == AXVM_X86_OP_MOV_CR)
		return move_cr(vcpu, instruction.index, instruction.reg, instruction.bytes);
	if (instruction.op == AXVM_X86_OP_LMSW)
		return load_machine_status(vcpu, &instruction);
	if (instruction.op != AXVM_X86_OP_OTHER || exit->index != 0 || !exit->is_write)
		return undefined(vcpu);
	return write_cr(vcpu, 0, vcpu->arch.sys.cr0 & ~AXVM_X86_CR0_TS, instruction.bytes);
}

enum axvm_verdict axvm_x86_64_cr_access(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	unsigned bytes;

	if (exit->reg == REG_UNKNOWN)
		return decoded_cr_access(vcpu);
	bytes = axvm_x86_64_exit_length(vcpu);
	if (bytes == 0)
		return AXVM_ENTER;
	axvm_hal_sysreg_sync(vcpu);
	return move_cr(vcpu, exit->index, exit->reg, bytes);
}

/* ---- debug registers ---------------------------------------------------------------------------------------- */

/* DR4 and DR5 are other names of the next two, unless CR4.DE. False: #UD. */
static bool resolve_dr(const struct axvm_x86_sysregs *sys, unsigned *index)
{
	if (*index > 7)
		return false;
	if (*index == 4 || *index == 5) {
		if ((sys->cr4 & CR4_DE) != 0)
			return false;
		*index += 2;
	}
	return true;
}

static bool write_dr(struct axvm_x86_sysregs *sys, unsigned index, uint64_t value)
{
	if (index < 4) {
		sys->dr[index] = value;
		return true;
	}
	if (value > UINT32_MAX)
		return false;
	if (index == 6)
		sys->dr6 = (value & DR6_KNOWN) | DR6_ONES;
	else
		sys->dr7 = (value & DR7_KNOWN) | DR7_ONES;
	return true;
}

static enum axvm_verdict move_dr(struct axvm_vcpu *vcpu, unsigned index, unsigned reg,
				 unsigned bytes)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	struct axvm_x86_sysregs *sys = &arch->sys;

	if (!resolve_dr(sys, &index))
		return undefined(vcpu);
	if (arch->exit.is_write) {
		if (!write_dr(sys, index, arch->gpr[reg & 15] & width(arch)))
			return general_protection(vcpu);
		axvm_hal_sysreg_flush(vcpu);
	} else if (index < 4) {
		arch->gpr[reg & 15] = sys->dr[index] & width(arch);
	} else {
		arch->gpr[reg & 15] = index == 6 ? sys->dr6 : sys->dr7;
	}
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER_FULL;
}

enum axvm_verdict axvm_x86_64_dr_access(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	struct axvm_x86_instruction instruction;
	unsigned bytes;

	if (exit->reg == REG_UNKNOWN) {
		if (!axvm_x86_64_fetch_exited(vcpu, &instruction))
			return AXVM_ENTER;
		return instruction.op == AXVM_X86_OP_MOV_DR
			       ? move_dr(vcpu, instruction.index, instruction.reg,
					 instruction.bytes)
			       : undefined(vcpu);
	}
	bytes = axvm_x86_64_exit_length(vcpu);
	if (bytes == 0)
		return AXVM_ENTER;
	axvm_hal_sysreg_sync(vcpu);
	return move_dr(vcpu, exit->index, exit->reg, bytes);
}

/* ---- XCR0 ---------------------------------------------------------------------------------------------------- */

enum axvm_verdict axvm_x86_64_xsetbv(struct axvm_vcpu *vcpu)
{
	const struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t value = arch->gpr[AXVM_X86_RDX] << 32 | (uint32_t)arch->gpr[AXVM_X86_RAX];
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	axvm_hal_sysreg_sync(vcpu);
	if ((arch->sys.cr4 & AXVM_X86_CR4_OSXSAVE) == 0)
		return undefined(vcpu);
	if (arch->sys.cpl != 0 || (uint32_t)arch->gpr[AXVM_X86_RCX] != 0 ||
	    !axvm_x86_64_write_xcr0(vcpu, value))
		return general_protection(vcpu);
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}
