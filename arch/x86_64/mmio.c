/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An access to what is no memory. The hardware tells the guest-physical address; the instruction tells the rest.
 * Where its address has the same place in the page, all of it is in that page and it goes the same way, the
 * guest's tables need not be followed again: what the hardware has found there is what the guest is allowed.
 */
#include "bus.h"
#include "emulate.h"
#include "exit.h"
#include "operand.h"
#include "regs.h"
#include "walk.h"

#define OUT_OF_LINE __attribute__((noinline))
#define PAGE_MASK (AXVM_PAGE_BYTES - 1)

/* ---- what was accessed ------------------------------------------------------------------------------ */

static bool is_device(struct axvm_vcpu *vcpu, uint64_t gpa)
{
	return axvm_bus_holds(vcpu->last_hit, gpa, 1) || axvm_bus_miss(vcpu, gpa, 1) != NULL;
}

/* Whether the mapping is there by now: an entry that changed under the access, see <axvm/aspace.h>. */
static bool is_mapped(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	uint32_t right = exit->is_write ? AXVM_MAP_WRITE : AXVM_MAP_READ;
	struct axvm_hpa hpa;
	uint64_t bytes;

	if (exit->is_fetch && !exit->is_walk)
		right = AXVM_MAP_EXECUTE;
	return axvm_aspace_translate(&vcpu->vm->aspace, axvm_gpa(exit->gpa), right, &hpa, &bytes) ==
	       0;
}

/* Not an instruction that is known, or none that can have done this: #UD, counted. */
OUT_OF_LINE static enum axvm_verdict refuse(struct axvm_vcpu *vcpu)
{
	axvm_bus_unclaimed(vcpu, vcpu->arch.exit.gpa, 1, vcpu->arch.exit.is_write);
	axvm_x86_64_inject_exception(vcpu, AXVM_X86_UD);
	return AXVM_ENTER;
}

static bool is_at(const struct axvm_x86_place *place, unsigned bytes, uint64_t gpa)
{
	return gpa - place->gpa < place->first_bytes ||
	       (bytes > place->first_bytes && gpa - place->second < bytes - place->first_bytes);
}

/* RETRY: it is not what faulted; the guest's tables or its code have changed since. */
enum outcome { LOCATED, INJECTED, RETRY };

static enum outcome locate_by_tables(struct axvm_vcpu *vcpu, uint64_t linear, unsigned bytes,
				     bool write, struct axvm_x86_place *place)
{
	struct axvm_x86_fault fault;

	if (!axvm_x86_64_locate(vcpu, linear, bytes, write ? AXVM_X86_ACCESS_WRITE : 0, place,
				&fault)) {
		axvm_x86_64_inject_fault(vcpu, &fault);
		return INJECTED;
	}
	return is_at(place, bytes, vcpu->arch.exit.gpa) ? LOCATED : RETRY;
}

static enum outcome locate(struct axvm_vcpu *vcpu, uint64_t linear, unsigned bytes, bool write,
			   struct axvm_x86_place *place)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	bool same_place = ((linear ^ exit->gpa) & PAGE_MASK) == 0;
	bool in_page = bytes <= AXVM_PAGE_BYTES - (linear & PAGE_MASK);

	if (!same_place || !in_page || write != exit->is_write || exit->is_walk)
		return locate_by_tables(vcpu, linear, bytes, write, place);
	*place = (struct axvm_x86_place){ .gpa = exit->gpa, .first_bytes = bytes };
	return LOCATED;
}

/* ---- strings ---------------------------------------------------------------------------------------- */

struct string {
	const struct axvm_x86_instruction *instruction;
	struct axvm_x86_cursor source; /* of MOVS only */
	struct axvm_x86_cursor destination;
};

static void set_up(struct string *string, const struct axvm_x86_instruction *instruction)
{
	const struct axvm_x86_memory *memory = &instruction->memory;

	string->instruction = instruction;
	string->source = (struct axvm_x86_cursor){ .segment = memory->segment,
						   .reg = AXVM_X86_RSI,
						   .address_bytes = memory->address_bytes,
						   .bytes = instruction->memory_bytes };
	string->destination = string->source;
	string->destination.segment = AXVM_X86_ES;
	string->destination.reg = AXVM_X86_RDI;
	string->destination.write = true;
}

static bool has_source(const struct string *string)
{
	return string->instruction->op == AXVM_X86_OP_MOVS;
}

/* Moves one element. False: the next one takes another exit. */
static bool move(struct axvm_vcpu *vcpu, struct string *string)
{
	unsigned bytes = string->instruction->memory_bytes;
	uint64_t value = has_source(string)
				 ? axvm_x86_64_place_read(vcpu, &string->source.place, bytes)
				 : axvm_x86_64_get_operand(&vcpu->arch, AXVM_X86_RAX, bytes);

	axvm_x86_64_place_write(vcpu, &string->destination.place, bytes, value);
	bool goes_on = axvm_x86_64_cursor_next(vcpu, &string->destination);

	if (has_source(string))
		goes_on &= axvm_x86_64_cursor_next(vcpu, &string->source);
	return goes_on;
}

static uint64_t move_all(struct axvm_vcpu *vcpu, struct string *string, uint64_t count)
{
	for (unsigned i = 0; i < AXVM_X86_64_ELEMENTS_MAX && count > 0; i++) {
		count--;
		if (!move(vcpu, string))
			break;
	}
	return count;
}

/* Whether one of the two is where the fault was. */
static bool is_of_fault(const struct axvm_vcpu *vcpu, const struct string *string)
{
	uint64_t gpa = vcpu->arch.exit.gpa;
	unsigned bytes = string->instruction->memory_bytes;

	return is_at(&string->destination.place, bytes, gpa) ||
	       (has_source(string) && is_at(&string->source.place, bytes, gpa));
}

OUT_OF_LINE static enum axvm_verdict string(struct axvm_vcpu *vcpu,
					    const struct axvm_x86_instruction *instruction)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	unsigned address_bytes = instruction->memory.address_bytes;
	uint64_t count = instruction->repeated ? axvm_x86_64_get_count(arch, address_bytes) : 1;
	struct string string;

	set_up(&string, instruction);
	if (count > 0) {
		if (has_source(&string) && !axvm_x86_64_cursor_begin(vcpu, &string.source))
			return AXVM_ENTER;
		if (!axvm_x86_64_cursor_begin(vcpu, &string.destination))
			return AXVM_ENTER;
		if (!is_of_fault(vcpu, &string))
			return AXVM_ENTER;
		count = move_all(vcpu, &string, count);
	}
	if (instruction->repeated)
		axvm_x86_64_set_count(arch, address_bytes, count);
	if (count == 0)
		axvm_x86_64_skip(vcpu, instruction->bytes);
	return AXVM_ENTER;
}

/* ---- the other instructions ------------------------------------------------------------------------- */

static uint64_t source_of(const struct axvm_arch_vcpu *arch,
			  const struct axvm_x86_instruction *instruction)
{
	if (instruction->other == AXVM_X86_OPERAND_IMMEDIATE)
		return instruction->immediate;
	return axvm_x86_64_get_operand(arch, instruction->reg, instruction->operand_bytes);
}

/* A bit's number in a register may lie outside of the operand, which is then elsewhere. */
static uint64_t bit_offset(const struct axvm_arch_vcpu *arch,
			   const struct axvm_x86_instruction *instruction)
{
	unsigned bits = 8u * instruction->operand_bytes;
	uint64_t sign = (uint64_t)1 << (bits - 1);

	if (instruction->op != AXVM_X86_OP_BT || instruction->other != AXVM_X86_OPERAND_REGISTER)
		return 0;
	uint64_t bit = (source_of(arch, instruction) ^ sign) - sign;

	return (uint64_t)((int64_t)(bit & ~(uint64_t)(bits - 1)) >> 3);
}

static uint64_t linear_of(const struct axvm_arch_vcpu *arch,
			  const struct axvm_x86_instruction *instruction)
{
	const struct axvm_x86_memory *memory = &instruction->memory;
	uint64_t offset = axvm_x86_64_offset(arch, memory, arch->rip + instruction->bytes);

	offset += bit_offset(arch, instruction);
	offset &= axvm_x86_64_address_mask(memory->address_bytes);
	return axvm_x86_64_linear(arch, memory->segment, offset);
}

static bool writes_memory(const struct axvm_x86_instruction *instruction)
{
	enum axvm_x86_op op = instruction->op;

	if (op == AXVM_X86_OP_XCHG)
		return true;
	return instruction->memory_is_destination && op != AXVM_X86_OP_CMP &&
	       op != AXVM_X86_OP_TEST && op != AXVM_X86_OP_BT;
}

static uint64_t extended(const struct axvm_x86_instruction *instruction, uint64_t value)
{
	uint64_t sign = (uint64_t)1 << (8 * instruction->memory_bytes - 1);

	return instruction->op == AXVM_X86_OP_MOVSX ? (value ^ sign) - sign : value;
}

/* MOV from memory in its forms, and nothing but that. */
static bool is_load(const struct axvm_x86_instruction *instruction)
{
	return instruction->op <= AXVM_X86_OP_MOVSX && !instruction->memory_is_destination;
}

static enum axvm_verdict load(struct axvm_vcpu *vcpu,
			      const struct axvm_x86_instruction *instruction,
			      const struct axvm_x86_place *place)
{
	uint64_t value = axvm_x86_64_place_read(vcpu, place, instruction->memory_bytes);

	axvm_x86_64_skip(vcpu, instruction->bytes);
	return axvm_x86_64_set_operand(&vcpu->arch, instruction->reg, instruction->operand_bytes,
				       extended(instruction, value));
}

static enum axvm_verdict store(struct axvm_vcpu *vcpu,
			       const struct axvm_x86_instruction *instruction,
			       const struct axvm_x86_place *place)
{
	uint64_t value = source_of(&vcpu->arch, instruction);

	axvm_x86_64_skip(vcpu, instruction->bytes);
	axvm_x86_64_place_write(vcpu, place, instruction->memory_bytes, value);
	return AXVM_ENTER;
}

static bool writes_register(const struct axvm_x86_instruction *instruction)
{
	return instruction->op == AXVM_X86_OP_XCHG ||
	       (!instruction->memory_is_destination && instruction->op != AXVM_X86_OP_CMP);
}

/* What both reads memory and calculates. */
OUT_OF_LINE static enum axvm_verdict calculate(struct axvm_vcpu *vcpu,
					       const struct axvm_x86_instruction *instruction,
					       const struct axvm_x86_place *place)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	unsigned bytes = instruction->memory_bytes;
	uint64_t memory = axvm_x86_64_place_read(vcpu, place, bytes);
	uint64_t other = source_of(arch, instruction);
	bool to_memory = instruction->memory_is_destination;
	uint64_t result = axvm_x86_64_calculate(instruction->op, to_memory ? memory : other,
						to_memory ? other : memory, bytes, &arch->rflags);

	axvm_x86_64_skip(vcpu, instruction->bytes);
	if (writes_memory(instruction))
		axvm_x86_64_place_write(vcpu, place, bytes, result);
	if (!writes_register(instruction))
		return AXVM_ENTER;
	return axvm_x86_64_set_operand(arch, instruction->reg, bytes,
				       instruction->op == AXVM_X86_OP_XCHG ? memory : result);
}

static enum axvm_verdict execute(struct axvm_vcpu *vcpu,
				 const struct axvm_x86_instruction *instruction)
{
	struct axvm_x86_place place;

	if (!instruction->has_memory || instruction->op >= AXVM_X86_OP_MOV_CR)
		return refuse(vcpu);
	if (instruction->op == AXVM_X86_OP_STOS || instruction->op == AXVM_X86_OP_MOVS)
		return string(vcpu, instruction);
	if (locate(vcpu, linear_of(&vcpu->arch, instruction), instruction->memory_bytes,
		   writes_memory(instruction), &place) != LOCATED)
		return AXVM_ENTER;
	if (is_load(instruction))
		return load(vcpu, instruction, &place);
	if (instruction->op == AXVM_X86_OP_MOV)
		return store(vcpu, instruction, &place);
	return calculate(vcpu, instruction, &place);
}

/* ---- the exit --------------------------------------------------------------------------------------- */

/* The guest executes what is no memory: ones, which are no instruction. */
OUT_OF_LINE static enum axvm_verdict refuse_fetch(struct axvm_vcpu *vcpu)
{
	if (vcpu->arch.exit.is_walk) {
		struct axvm_x86_fault fault;
		uint8_t code[AXVM_X86_INSTRUCTION_MAX];

		axvm_hal_sysreg_sync(vcpu);
		if (axvm_x86_64_fetch(vcpu, code, &fault) != 0)
			return AXVM_ENTER;
		axvm_x86_64_inject_fault(vcpu, &fault);
		return AXVM_ENTER;
	}
	return refuse(vcpu);
}

/* The delivery of an event met no memory: its tables or its stack are not there. */
OUT_OF_LINE static enum axvm_verdict refuse_delivery(struct axvm_vcpu *vcpu)
{
	axvm_bus_unclaimed(vcpu, vcpu->arch.exit.gpa, 1, vcpu->arch.exit.is_write);
	axvm_x86_64_inject_error(vcpu, AXVM_X86_GP, 0);
	return AXVM_ENTER;
}

OUT_OF_LINE static enum axvm_verdict emulate(struct axvm_vcpu *vcpu, const uint8_t *code,
					     unsigned count)
{
	struct axvm_x86_instruction instruction;

	if (!axvm_x86_decode(code, count, axvm_x86_64_code_bytes(&vcpu->arch), &instruction))
		return refuse(vcpu);
	return execute(vcpu, &instruction);
}

OUT_OF_LINE static enum axvm_verdict fetch_and_emulate(struct axvm_vcpu *vcpu)
{
	uint8_t code[AXVM_X86_INSTRUCTION_MAX];
	struct axvm_x86_fault fault;
	unsigned count = axvm_x86_64_fetch(vcpu, code, &fault);

	if (count == 0) {
		axvm_x86_64_inject_fault(vcpu, &fault);
		return AXVM_ENTER;
	}
	return emulate(vcpu, code, count);
}

enum axvm_verdict axvm_x86_64_mmio(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	const struct axvm_x86_exit *exit = &arch->exit;

	/* A region of the bus is a device's whatever is mapped there: its shadow is, for reading. */
	if (!is_device(vcpu, exit->gpa) && is_mapped(vcpu))
		return AXVM_ENTER;
	if (exit->is_fetch)
		return refuse_fetch(vcpu);
	if (arch->event.valid)
		return refuse_delivery(vcpu);
	axvm_hal_sysreg_sync(vcpu);
	if (exit->fetched_count == 0 || exit->fetched_count > sizeof(exit->fetched))
		return fetch_and_emulate(vcpu);
	return emulate(vcpu, exit->fetched, exit->fetched_count);
}
