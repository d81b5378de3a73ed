/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operand is nearly always in one page and there in one region. All that is not so goes byte by byte: slow,
 * and right whatever lies beside what.
 */
#include "operand.h"

#include "bus.h"
#include "emulate.h"
#include "exit.h"
#include "regs.h"

#define OUT_OF_LINE __attribute__((noinline))

#define OF_RIP 0xfeu
#define NO_REGISTER 0xffu

#define RFLAGS_VM ((uint64_t)1 << 17)
#define STACK_FAULT 12u
#define PAGE_MASK (AXVM_PAGE_BYTES - 1)

/* Of a segment's attributes. */
#define ATTRIBUTE_WRITABLE 0x002u /* of data; of code: readable */
#define ATTRIBUTE_DOWN 0x004u	  /* of data: expands down */
#define ATTRIBUTE_CODE 0x008u
#define ATTRIBUTE_PRESENT 0x080u
#define ATTRIBUTE_LONG 0x200u
#define ATTRIBUTE_BIG 0x400u

/* What a walk of the guest's tables that ends in nothing finds: an entry of ones. */
#define ERROR_PRESENT 1u
#define ERROR_USER 4u
#define ERROR_RESERVED 8u

/* ---- addresses -------------------------------------------------------------------------------------- */

unsigned axvm_x86_64_code_bytes(const struct axvm_arch_vcpu *arch)
{
	const struct axvm_x86_sysregs *sys = &arch->sys;
	uint32_t attributes = sys->segment[AXVM_X86_CS].attributes;

	if ((sys->efer & AXVM_X86_EFER_LMA) != 0 && (attributes & ATTRIBUTE_LONG) != 0)
		return 8;
	return (attributes & ATTRIBUTE_BIG) != 0 ? 4 : 2;
}

uint64_t axvm_x86_64_offset(const struct axvm_arch_vcpu *arch, const struct axvm_x86_memory *memory,
			    uint64_t next_rip)
{
	uint64_t offset = (uint64_t)memory->displacement;

	if (memory->base == OF_RIP)
		offset += next_rip;
	else if (memory->base != NO_REGISTER)
		offset += arch->gpr[memory->base & 15];
	if (memory->index != NO_REGISTER)
		offset += arch->gpr[memory->index & 15] * memory->scale;
	return offset & axvm_x86_64_address_mask(memory->address_bytes);
}

uint64_t axvm_x86_64_linear(const struct axvm_arch_vcpu *arch, unsigned segment, uint64_t offset)
{
	uint64_t base = arch->sys.segment[segment].base;

	if (axvm_x86_64_code_bytes(arch) != 8)
		return (base + offset) & UINT32_MAX;
	return segment >= AXVM_X86_FS ? base + offset : offset;
}

static bool is_canonical(const struct axvm_arch_vcpu *arch, uint64_t linear)
{
	unsigned unused = (arch->sys.cr4 & AXVM_X86_CR4_LA57) != 0 ? 7 : 16;

	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

static bool type_allows(const struct axvm_arch_vcpu *arch, uint32_t attributes, bool write)
{
	bool is_code = (attributes & ATTRIBUTE_CODE) != 0;

	/* In real mode, and in what looks like it, types are not looked at. */
	if ((arch->sys.cr0 & AXVM_X86_CR0_PE) == 0 || (arch->rflags & RFLAGS_VM) != 0)
		return true;
	if ((attributes & ATTRIBUTE_PRESENT) == 0)
		return false;
	if (write)
		return !is_code && (attributes & ATTRIBUTE_WRITABLE) != 0;
	return !is_code || (attributes & ATTRIBUTE_WRITABLE) != 0;
}

static bool limit_allows(const struct axvm_x86_segment *segment, uint64_t offset, uint64_t bytes)
{
	uint32_t kind = segment->attributes & (ATTRIBUTE_CODE | ATTRIBUTE_DOWN);
	uint64_t top = (segment->attributes & ATTRIBUTE_BIG) != 0 ? UINT32_MAX : UINT16_MAX;

	if (kind != ATTRIBUTE_DOWN)
		return offset <= segment->limit && bytes - 1 <= segment->limit - offset;
	return offset > segment->limit && offset <= top && bytes - 1 <= top - offset;
}

bool axvm_x86_64_segment_allows(const struct axvm_arch_vcpu *arch, unsigned segment,
				uint64_t offset, unsigned bytes, bool write)
{
	const struct axvm_x86_segment *found = &arch->sys.segment[segment];

	if (axvm_x86_64_code_bytes(arch) == 8) {
		uint64_t linear = axvm_x86_64_linear(arch, segment, offset);

		return is_canonical(arch, linear) && is_canonical(arch, linear + bytes - 1);
	}
	return type_allows(arch, found->attributes, write) && limit_allows(found, offset, bytes);
}

bool axvm_x86_64_locate(struct axvm_vcpu *vcpu, uint64_t linear, unsigned bytes, unsigned access,
			struct axvm_x86_place *place, struct axvm_x86_fault *fault)
{
	unsigned room = (unsigned)(AXVM_PAGE_BYTES - (linear & PAGE_MASK));
	uint64_t beyond = linear + room;
	struct axvm_gpa gpa;

	if (!axvm_x86_64_translate(vcpu, linear, access, &gpa, fault))
		return false;
	*place = (struct axvm_x86_place){ .gpa = gpa.addr, .first_bytes = bytes };
	if (bytes <= room)
		return true;
	if (axvm_x86_64_code_bytes(&vcpu->arch) != 8)
		beyond &= UINT32_MAX;
	if (!axvm_x86_64_translate(vcpu, beyond, access, &gpa, fault))
		return false;
	place->second = gpa.addr;
	place->first_bytes = room;
	return true;
}

/* ---- accesses --------------------------------------------------------------------------------------- */

static const struct axvm_bus_region *region_of(struct axvm_vcpu *vcpu, uint64_t gpa, unsigned bytes)
{
	if (axvm_bus_holds(vcpu->last_hit, gpa, bytes))
		return vcpu->last_hit;
	return axvm_bus_miss(vcpu, gpa, bytes);
}

static uint64_t address_of(const struct axvm_x86_place *place, unsigned i)
{
	return i < place->first_bytes ? place->gpa + i : place->second + (i - place->first_bytes);
}

static bool read_byte(struct axvm_vcpu *vcpu, uint64_t gpa, uint8_t *byte)
{
	const struct axvm_bus_region *region = region_of(vcpu, gpa, 1);

	if (region == NULL)
		return axvm_aspace_read(&vcpu->vm->aspace, axvm_gpa(gpa), byte, 1) == 0;
	*byte = (uint8_t)axvm_bus_read(vcpu, region, gpa, 1);
	return true;
}

static bool write_byte(struct axvm_vcpu *vcpu, uint64_t gpa, uint8_t byte)
{
	const struct axvm_bus_region *region = region_of(vcpu, gpa, 1);

	if (region == NULL)
		return axvm_aspace_write(&vcpu->vm->aspace, axvm_gpa(gpa), &byte, 1) == 0;
	axvm_bus_write(vcpu, region, gpa, 1, byte);
	return true;
}

OUT_OF_LINE static uint64_t read_bytes(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
				       unsigned bytes)
{
	bool unclaimed = false;
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		uint8_t byte = 0xff;

		unclaimed |= !read_byte(vcpu, address_of(place, i), &byte);
		value |= (uint64_t)byte << 8 * i;
	}
	if (unclaimed)
		axvm_bus_unclaimed(vcpu, place->gpa, bytes, false);
	return value;
}

OUT_OF_LINE static void write_bytes(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
				    unsigned bytes, uint64_t value)
{
	bool unclaimed = false;

	for (unsigned i = 0; i < bytes; i++)
		unclaimed |= !write_byte(vcpu, address_of(place, i), (uint8_t)(value >> 8 * i));
	if (unclaimed)
		axvm_bus_unclaimed(vcpu, place->gpa, bytes, true);
}

uint64_t axvm_x86_64_place_read(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
				unsigned bytes)
{
	uint64_t value = 0;

	if (bytes > place->first_bytes)
		return read_bytes(vcpu, place, bytes);
	const struct axvm_bus_region *region = region_of(vcpu, place->gpa, bytes);

	if (region != NULL)
		return axvm_bus_read(vcpu, region, place->gpa, bytes);
	/* A region may begin within the access: then it is not RAM's. */
	if (axvm_bus_find(&vcpu->vm->mmio, place->gpa, 1) == NULL &&
	    axvm_bus_find(&vcpu->vm->mmio, place->gpa + bytes - 1, 1) == NULL &&
	    axvm_aspace_read(&vcpu->vm->aspace, axvm_gpa(place->gpa), &value, bytes) == 0)
		return value;
	return read_bytes(vcpu, place, bytes);
}

void axvm_x86_64_place_write(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
			     unsigned bytes, uint64_t value)
{
	if (bytes > place->first_bytes) {
		write_bytes(vcpu, place, bytes, value);
		return;
	}
	const struct axvm_bus_region *region = region_of(vcpu, place->gpa, bytes);

	if (region != NULL) {
		axvm_bus_write(vcpu, region, place->gpa, bytes, value);
		return;
	}
	if (axvm_bus_find(&vcpu->vm->mmio, place->gpa, 1) == NULL &&
	    axvm_bus_find(&vcpu->vm->mmio, place->gpa + bytes - 1, 1) == NULL &&
	    axvm_aspace_write(&vcpu->vm->aspace, axvm_gpa(place->gpa), &value, bytes) == 0)
		return;
	write_bytes(vcpu, place, bytes, value);
}

void axvm_x86_64_inject_fault(struct axvm_vcpu *vcpu, const struct axvm_x86_fault *fault)
{
	uint32_t error_code = fault->error_code;

	if (!fault->is_page_fault) {
		axvm_bus_unclaimed(vcpu, vcpu->arch.exit.gpa, 8, false);
		error_code = ERROR_PRESENT | ERROR_RESERVED;
		error_code |= vcpu->arch.sys.cpl == 3 ? ERROR_USER : 0;
	}
	axvm_x86_64_inject_page_fault(vcpu, fault->linear, error_code);
}

/* ---- strings ---------------------------------------------------------------------------------------- */

static unsigned access_of(const struct axvm_x86_cursor *cursor)
{
	return cursor->write ? AXVM_X86_ACCESS_WRITE : 0;
}

bool axvm_x86_64_cursor_begin(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	struct axvm_x86_fault fault;

	cursor->offset = axvm_x86_64_get_operand(arch, cursor->reg, cursor->address_bytes);
	if (!axvm_x86_64_segment_allows(arch, cursor->segment, cursor->offset, cursor->bytes,
					cursor->write)) {
		bool is_stack = cursor->segment == AXVM_X86_SS;

		axvm_x86_64_inject_error(vcpu, is_stack ? STACK_FAULT : AXVM_X86_GP, 0);
		return false;
	}
	if (axvm_x86_64_locate(vcpu, axvm_x86_64_linear(arch, cursor->segment, cursor->offset),
			       cursor->bytes, access_of(cursor), &cursor->place, &fault))
		return true;
	axvm_x86_64_inject_fault(vcpu, &fault);
	return false;
}

bool axvm_x86_64_cursor_next(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	bool is_down = (arch->rflags & AXVM_X86_RFLAGS_DF) != 0;
	uint64_t step = is_down ? -(uint64_t)cursor->bytes : cursor->bytes;
	uint64_t offset = cursor->offset + step;
	uint64_t next = cursor->place.gpa + step;
	bool same_page = ((next ^ cursor->place.gpa) & ~PAGE_MASK) == 0 &&
			 ((next ^ (next + cursor->bytes - 1)) & ~PAGE_MASK) == 0;
	bool wraps = offset != (offset & axvm_x86_64_address_mask(cursor->address_bytes));

	(void)axvm_x86_64_set_operand(arch, cursor->reg, cursor->address_bytes, offset);
	cursor->offset = offset;
	if (!same_page || wraps || cursor->place.first_bytes < cursor->bytes)
		return false;
	cursor->place.gpa = next;
	return axvm_x86_64_segment_allows(arch, cursor->segment, offset, cursor->bytes,
					  cursor->write);
}

uint64_t axvm_x86_64_get_count(const struct axvm_arch_vcpu *arch, unsigned address_bytes)
{
	return axvm_x86_64_get_operand(arch, AXVM_X86_RCX, address_bytes);
}

void axvm_x86_64_set_count(struct axvm_arch_vcpu *arch, unsigned address_bytes, uint64_t count)
{
	(void)axvm_x86_64_set_operand(arch, AXVM_X86_RCX, address_bytes, count);
}
