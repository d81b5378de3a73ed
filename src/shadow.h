/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shadow of a device: a page that holds the values of its registers. While no
 * read has a side effect the guest has it mapped, read-only, in the device's place
 * and reads without an exit. A write is a fault as before: the ISA's exit path
 * gives a write to a region of the bus to its device, whatever is mapped there.
 *
 * The page is the device's for good and is never anybody else's, so that it does
 * not matter which CPU still reads it; what a mapping changes is only who answers.
 */
#ifndef AXVM_SHADOW_H
#define AXVM_SHADOW_H

#include "vm_state.h"

struct axvm_shadow {
	struct axvm_vm *vm;
	_Atomic uint32_t *words; /* the page: register at offset n is words[n / 4] */
	struct axvm_gpa gpa;
	struct axvm_hpa hpa;
	bool has_registers; /* all of them are the device's, at the beginning of a page */
	bool is_mapped;	    /* under the VM's lock */
};

/*
 * A zeroed page of the VM's memory, as long as the VM lives. Not mapped. The device has `bytes` from
 * `gpa` on, and its registers are the page's first `register_bytes`, at most a page. AXVM_ENOMEM.
 */
AXVM_MUST_USE int axvm_shadow_make(struct axvm_shadow *shadow, struct axvm_vm *vm,
				   struct axvm_gpa gpa, uint64_t bytes, uint64_t register_bytes);

/*
 * Lets the guest read without exits from now on, or not any more; when unmap has
 * returned no CPU reads the page. Nothing happens where it is so already. Without
 * memory for the tables it stays unmapped: the guest's reads exit, and nobody need
 * know. So it does when the device has not all of the registers, or when something
 * else of the VM is in the page: another device, memory, a range of the host's. What
 * is nobody's there reads as the page while it is mapped. A device whose registers
 * take less than the page maps it when all of the VM's devices have been made.
 */
void axvm_shadow_map(struct axvm_shadow *shadow) AXVM_REQUIRES(shadow->vm->lock);
void axvm_shadow_unmap(struct axvm_shadow *shadow) AXVM_REQUIRES(shadow->vm->lock);

/* What a load of 1, 2, 4 or 8 bytes from the page gives, at any offset; zero beyond the page. */
uint64_t axvm_shadow_load(const struct axvm_shadow *shadow, uint64_t offset, unsigned bytes);

static inline uint32_t axvm_shadow_get(const struct axvm_shadow *shadow, uint64_t offset)
{
	/* relaxed: a register by itself */
	return atomic_load_explicit(&shadow->words[offset / 4], memory_order_relaxed);
}

/* Under the device's lock: one writer. `offset` is that of a word in the page. */
void axvm_shadow_put(struct axvm_shadow *shadow, uint64_t offset, uint32_t value);

static inline void axvm_shadow_set(struct axvm_shadow *shadow, uint64_t offset, uint32_t value)
{
	if (axvm_shadow_get(shadow, offset) != value)
		axvm_shadow_put(shadow, offset, value);
}

#endif
