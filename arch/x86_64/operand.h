/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory side of emulated instructions: from registers to a linear address, from there to one or two guest
 * pages, and the access itself: to a device, to RAM, or to nobody. On the vCPU's CPU, its registers synced.
 */
#ifndef AXVM_X86_64_OPERAND_H
#define AXVM_X86_64_OPERAND_H

#include "arch.h"
#include "decode.h"
#include "walk.h"

/* Of the code segment: 2, 4 or 8. */
unsigned axvm_x86_64_code_bytes(const struct axvm_arch_vcpu *arch);

/* All ones in an address of 2, 4 or 8 bytes. */
static inline uint64_t axvm_x86_64_address_mask(unsigned address_bytes)
{
	return UINT64_MAX >> (64u - 8u * address_bytes);
}

/* Base, index and displacement, as wide as addresses are; `next_rip` is that of the instruction after it. */
uint64_t axvm_x86_64_offset(const struct axvm_arch_vcpu *arch, const struct axvm_x86_memory *memory,
			    uint64_t next_rip);
/* The linear address of an offset in a segment (enum axvm_x86_segment_index). */
uint64_t axvm_x86_64_linear(const struct axvm_arch_vcpu *arch, unsigned segment, uint64_t offset);
/* Whether limit and type of the segment, or canonical form in 64-bit mode, allow the access. */
bool axvm_x86_64_segment_allows(const struct axvm_arch_vcpu *arch, unsigned segment,
				uint64_t offset, unsigned bytes, bool write);

/* Where an operand is: `first_bytes` of it at gpa, what remains at `second`. */
struct axvm_x86_place {
	uint64_t gpa;
	uint64_t second;
	unsigned first_bytes;
};

/* `bytes` is 1 to 8. False: *fault. */
bool axvm_x86_64_locate(struct axvm_vcpu *vcpu, uint64_t linear, unsigned bytes, unsigned access,
			struct axvm_x86_place *place, struct axvm_x86_fault *fault);

/*
 * A device gets an access that one region holds as it is, otherwise its bytes one by one. What nobody claims
 * reads as ones, and writes to it are dropped, as on a PC; counted, once per access.
 */
uint64_t axvm_x86_64_place_read(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
				unsigned bytes);
void axvm_x86_64_place_write(struct axvm_vcpu *vcpu, const struct axvm_x86_place *place,
			     unsigned bytes, uint64_t value);

/* A translation that failed, as the guest sees it: #PF. What the tables say nothing of is counted. */
void axvm_x86_64_inject_fault(struct axvm_vcpu *vcpu, const struct axvm_x86_fault *fault);

/* ---- strings ---------------------------------------------------------------------------------------- */

/* Elements that one exit does; the guest then goes on with the rest, and takes its interrupts. */
#define AXVM_X86_64_ELEMENTS_MAX 64u

/* rSI or rDI of a string instruction: an element after the other within a page. */
struct axvm_x86_cursor {
	uint8_t segment;
	uint8_t reg;
	uint8_t address_bytes;
	bool write;
	unsigned bytes; /* of an element */
	uint64_t offset;
	struct axvm_x86_place place;
};

/* The first element; segment, reg, address_bytes, write and bytes are set. False: an exception was injected. */
bool axvm_x86_64_cursor_begin(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor);
/* To the next element, also in the register. False: it is not simply beside this one, it takes another exit. */
bool axvm_x86_64_cursor_next(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor);

/* rCX, as wide as addresses are. */
uint64_t axvm_x86_64_get_count(const struct axvm_arch_vcpu *arch, unsigned address_bytes);
void axvm_x86_64_set_count(struct axvm_arch_vcpu *arch, unsigned address_bytes, uint64_t count);

#endif
