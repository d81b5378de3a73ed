/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop for all formats: what differs between them is how many bits of the address each level has, and how
 * wide an entry is. Rights are gathered on the way and judged at the end, as the CPU does [SDM3 4.6].
 */
#include "walk.h"

#include <string.h>

#include "operand.h"
#include "regs.h"

#define PRESENT ((uint64_t)1 << 0)
#define WRITABLE ((uint64_t)1 << 1)
#define USER ((uint64_t)1 << 2)
#define LARGE ((uint64_t)1 << 7)
#define NO_EXECUTE ((uint64_t)1 << 63)
#define ADDRESS 0x000ffffffffff000ULL

#define ERROR_PRESENT 1u
#define ERROR_WRITE 2u
#define ERROR_USER 4u
#define ERROR_RESERVED 8u
#define ERROR_FETCH 16u

#define RFLAGS_AC ((uint64_t)1 << 18)
#define PAGE_MASK (AXVM_PAGE_BYTES - 1)

/* A format of tables, and where in it a walk is. */
struct tables {
	unsigned levels;
	unsigned index_bits;
	unsigned entry_bytes;
	bool is_pae_root; /* 4 entries, which have no rights */
	uint64_t reserved;
	uint64_t root;
};

struct rights {
	bool writable;
	bool user;
	bool executable;
};

/* ---- formats ---------------------------------------------------------------------------------------- */

static struct tables tables_of(const struct axvm_x86_sysregs *sys)
{
	struct tables tables = { .entry_bytes = 8, .index_bits = 9 };

	tables.reserved = (sys->efer & AXVM_X86_EFER_NXE) == 0 ? NO_EXECUTE : 0;
	tables.root = sys->cr3 & ADDRESS;
	if ((sys->efer & AXVM_X86_EFER_LMA) != 0) {
		tables.levels = (sys->cr4 & AXVM_X86_CR4_LA57) != 0 ? 5 : 4;
	} else if ((sys->cr4 & AXVM_X86_CR4_PAE) != 0) {
		tables.levels = 3;
		tables.is_pae_root = true;
		tables.root = sys->cr3 & 0xffffffe0;
	} else {
		tables.levels = 2;
		tables.entry_bytes = 4;
		tables.index_bits = 10;
		tables.reserved = 0;
		tables.root = sys->cr3 & 0xfffff000;
	}
	return tables;
}

/* Bits of the address below those that this level's index has. Level 1 is the last. */
static unsigned shift_of(const struct tables *tables, unsigned level)
{
	return AXVM_PAGE_SHIFT + tables->index_bits * (level - 1);
}

static bool is_canonical(const struct tables *tables, uint64_t linear)
{
	unsigned unused = 64 - shift_of(tables, tables->levels + 1);

	if (tables->levels < 4)
		return linear >> 32 == 0;
	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

static bool may_be_large(const struct axvm_x86_sysregs *sys, const struct tables *tables,
			 unsigned level)
{
	if (tables->levels == 2)
		return level == 2 && (sys->cr4 & AXVM_X86_CR4_PSE) != 0;
	return level == 2 || (level == 3 && tables->levels > 3);
}

/* ---- entries ---------------------------------------------------------------------------------------- */

static bool load_entry(struct axvm_vcpu *vcpu, const struct tables *tables, uint64_t table,
		       unsigned level, uint64_t linear, uint64_t *entry)
{
	uint64_t index = linear >> shift_of(tables, level) & ((1u << tables->index_bits) - 1);

	*entry = 0;
	return axvm_aspace_read(&vcpu->vm->aspace, axvm_gpa(table + index * tables->entry_bytes),
				entry, tables->entry_bytes) == 0;
}

/* Those of PAE's root have no rights, and more reserved bits [SDM3 4.4.1]. */
static bool is_root_without_rights(const struct tables *tables, unsigned level)
{
	return tables->is_pae_root && level == 3;
}

static void restrict_rights(struct rights *rights, uint64_t entry)
{
	rights->writable &= (entry & WRITABLE) != 0;
	rights->user &= (entry & USER) != 0;
	rights->executable &= (entry & NO_EXECUTE) == 0;
}

static bool has_reserved(const struct tables *tables, unsigned level, uint64_t entry, bool large)
{
	uint64_t reserved = tables->reserved;

	if (is_root_without_rights(tables, level))
		reserved |= NO_EXECUTE | 0x1e6;
	else if (tables->levels > 3 && level > 3)
		reserved |= LARGE;
	/* PAT is bit 12 of a large page's entry; of 4 MiB bits 20 to 13 are address bits 39 to 32. */
	if (large && tables->entry_bytes == 8)
		reserved |= (((uint64_t)1 << shift_of(tables, level)) - 1) & ~(uint64_t)0x1fff;
	else if (large)
		reserved |= (uint64_t)1 << 21;
	return (entry & reserved) != 0;
}

static uint64_t page_of(const struct tables *tables, unsigned level, uint64_t entry,
			uint64_t linear)
{
	uint64_t mask = ((uint64_t)1 << shift_of(tables, level)) - 1;
	uint64_t base = entry & ADDRESS & ~mask;

	if (tables->entry_bytes == 4 && level == 2)
		base |= (entry >> 13 & 0xff) << 32;
	return base | (linear & mask);
}

/* ---- rights ----------------------------------------------------------------------------------------- */

static bool is_user(const struct axvm_x86_sysregs *sys, unsigned access)
{
	return sys->cpl == 3 && (access & AXVM_X86_ACCESS_SYSTEM) == 0;
}

static bool user_may(const struct rights *rights, unsigned access)
{
	return rights->user && (rights->writable || (access & AXVM_X86_ACCESS_WRITE) == 0);
}

/* With AC set what the program itself asks for goes past SMAP [SDM3 4.6.1]. */
static bool supervisor_may(const struct axvm_arch_vcpu *arch, const struct rights *rights,
			   unsigned access)
{
	const struct axvm_x86_sysregs *sys = &arch->sys;
	bool is_fetch = (access & AXVM_X86_ACCESS_FETCH) != 0;
	bool allowed = (arch->rflags & RFLAGS_AC) != 0 && (access & AXVM_X86_ACCESS_SYSTEM) == 0;

	if (rights->user && is_fetch && (sys->cr4 & AXVM_X86_CR4_SMEP) != 0)
		return false;
	if (rights->user && !is_fetch && (sys->cr4 & AXVM_X86_CR4_SMAP) != 0 && !allowed)
		return false;
	return rights->writable || (access & AXVM_X86_ACCESS_WRITE) == 0 ||
	       (sys->cr0 & AXVM_X86_CR0_WP) == 0;
}

static bool may_access(const struct axvm_arch_vcpu *arch, const struct rights *rights,
		       unsigned access)
{
	if ((access & AXVM_X86_ACCESS_FETCH) != 0 && !rights->executable)
		return false;
	return is_user(&arch->sys, access) ? user_may(rights, access)
					   : supervisor_may(arch, rights, access);
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static bool refuse(struct axvm_x86_fault *fault, uint64_t linear)
{
	*fault = (struct axvm_x86_fault){ .linear = linear };
	return false;
}

/* The error code tells of a fetch only where fetches can be forbidden [SDM3 4.7]. */
static bool page_fault(const struct axvm_x86_sysregs *sys, struct axvm_x86_fault *fault,
		       uint64_t linear, unsigned access, uint32_t error_code)
{
	bool pae = (sys->cr4 & AXVM_X86_CR4_PAE) != 0;

	if ((access & AXVM_X86_ACCESS_WRITE) != 0)
		error_code |= ERROR_WRITE;
	if (is_user(sys, access))
		error_code |= ERROR_USER;
	if ((access & AXVM_X86_ACCESS_FETCH) != 0 &&
	    ((sys->cr4 & AXVM_X86_CR4_SMEP) != 0 || (pae && (sys->efer & AXVM_X86_EFER_NXE) != 0)))
		error_code |= ERROR_FETCH;
	*fault = (struct axvm_x86_fault){ .is_page_fault = true,
					  .linear = linear,
					  .error_code = error_code };
	return false;
}

static bool walk(struct axvm_vcpu *vcpu, uint64_t linear, unsigned access, struct axvm_gpa *gpa,
		 struct axvm_x86_fault *fault)
{
	const struct axvm_x86_sysregs *sys = &vcpu->arch.sys;
	const struct tables tables = tables_of(sys);
	struct rights rights = { true, true, true };
	uint64_t table = tables.root;

	if (!is_canonical(&tables, linear))
		return refuse(fault, linear);
	for (unsigned level = tables.levels; level > 0; level--) {
		uint64_t entry;

		if (!load_entry(vcpu, &tables, table, level, linear, &entry))
			return refuse(fault, linear);
		if ((entry & PRESENT) == 0)
			return page_fault(sys, fault, linear, access, 0);
		bool large = (entry & LARGE) != 0 && may_be_large(sys, &tables, level);

		if (has_reserved(&tables, level, entry, large))
			return page_fault(sys, fault, linear, access,
					  ERROR_PRESENT | ERROR_RESERVED);
		if (!is_root_without_rights(&tables, level))
			restrict_rights(&rights, entry);
		if (level == 1 || large) {
			*gpa = axvm_gpa(page_of(&tables, level, entry, linear));
			break;
		}
		table = entry & ADDRESS;
	}
	if (!may_access(&vcpu->arch, &rights, access))
		return page_fault(sys, fault, linear, access, ERROR_PRESENT);
	return true;
}

bool axvm_x86_64_translate(struct axvm_vcpu *vcpu, uint64_t linear, unsigned access,
			   struct axvm_gpa *gpa, struct axvm_x86_fault *fault)
{
	if ((vcpu->arch.sys.cr0 & AXVM_X86_CR0_PG) != 0)
		return walk(vcpu, linear, access, gpa, fault);
	*gpa = axvm_gpa(linear & UINT32_MAX);
	return true;
}

/* ---- memory ----------------------------------------------------------------------------------------- */

/* Of [linear, linear + bytes) what is in its first page. */
static uint64_t part_of(uint64_t linear, uint64_t bytes)
{
	uint64_t part = AXVM_PAGE_BYTES - (linear & PAGE_MASK);

	return part < bytes ? part : bytes;
}

/* Whether each page is there, so that nothing is written when one is not. */
static bool check_pages(struct axvm_vcpu *vcpu, uint64_t linear, uint64_t bytes, unsigned access,
			struct axvm_x86_fault *fault)
{
	uint32_t right = (access & AXVM_X86_ACCESS_WRITE) != 0 ? AXVM_MAP_WRITE : AXVM_MAP_READ;
	uint64_t part;

	for (uint64_t at = 0; at < bytes; at += part) {
		struct axvm_gpa gpa;
		struct axvm_mapping mapping;

		part = part_of(linear + at, bytes - at);
		if (!axvm_x86_64_translate(vcpu, linear + at, access, &gpa, fault))
			return false;
		if (axvm_aspace_query(&vcpu->vm->aspace, gpa, &mapping) != 0 ||
		    (mapping.flags & right) == 0 || (mapping.flags & AXVM_MAP_DEVICE) != 0)
			return refuse(fault, linear + at);
	}
	return true;
}

bool axvm_x86_64_read(struct axvm_vcpu *vcpu, uint64_t linear, void *data, uint64_t bytes,
		      unsigned access, struct axvm_x86_fault *fault)
{
	uint8_t *to = data;
	uint64_t part;

	for (uint64_t at = 0; at < bytes; at += part) {
		struct axvm_gpa gpa;

		part = part_of(linear + at, bytes - at);
		if (!axvm_x86_64_translate(vcpu, linear + at, access, &gpa, fault))
			return false;
		if (axvm_aspace_read(&vcpu->vm->aspace, gpa, to + at, part) != 0)
			return refuse(fault, linear + at);
	}
	return true;
}

bool axvm_x86_64_write(struct axvm_vcpu *vcpu, uint64_t linear, const void *data, uint64_t bytes,
		       unsigned access, struct axvm_x86_fault *fault)
{
	const uint8_t *from = data;
	uint64_t part;

	access |= AXVM_X86_ACCESS_WRITE;
	if (!check_pages(vcpu, linear, bytes, access, fault))
		return false;
	for (uint64_t at = 0; at < bytes; at += part) {
		struct axvm_gpa gpa;

		part = part_of(linear + at, bytes - at);
		if (!axvm_x86_64_translate(vcpu, linear + at, access, &gpa, fault))
			return false;
		if (axvm_aspace_write(&vcpu->vm->aspace, gpa, from + at, part) != 0)
			return refuse(fault, linear + at);
	}
	return true;
}

unsigned axvm_x86_64_fetch(struct axvm_vcpu *vcpu, uint8_t code[15], struct axvm_x86_fault *fault)
{
	uint64_t linear = axvm_x86_64_linear(&vcpu->arch, AXVM_X86_CS, vcpu->arch.rip);
	unsigned first = (unsigned)part_of(linear, AXVM_X86_INSTRUCTION_MAX);
	unsigned rest = AXVM_X86_INSTRUCTION_MAX - first;
	struct axvm_x86_fault ignored;

	if (!axvm_x86_64_read(vcpu, linear, code, first, AXVM_X86_ACCESS_FETCH, fault))
		return 0;
	if (rest == 0 || !axvm_x86_64_read(vcpu, linear + first, code + first, rest,
					   AXVM_X86_ACCESS_FETCH, &ignored))
		return first;
	return AXVM_X86_INSTRUCTION_MAX;
}
