/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make up a VM give each other. */
#ifndef AXVM_VM_PARTS_H
#define AXVM_VM_PARTS_H

#include "text.h"
#include "vm_state.h"

/* ---- vm_list.c: the VMs that exist, and the VMIDs ---------------------------------------- */

/* One of the places for VMs, from 1: its VMID where the CPU has them. AXVM_ERANGE: all are taken. */
AXVM_MUST_USE int axvm_vm_slot_take(uint32_t *slot);
void axvm_vm_slot_give(uint32_t slot);

/* Puts the VM into the list, which holds a reference. AXVM_EEXIST: its id is there. */
AXVM_MUST_USE int axvm_vm_publish(struct axvm_vm *vm);
/* Takes it out; the list's reference is now the caller's. */
void axvm_vm_unpublish(struct axvm_vm *vm);

/* ---- vm.c ---------------------------------------------------------------------------------- */

/* Gives everything back, in reverse order of making; a VM that is made in part too. */
void axvm_vm_release(struct axvm_vm *vm);

/*
 * Brings the VM to where its guest starts: devices and vCPUs reset, images and
 * device tree in place; with `clear` RAM is cleared first. No vCPU is bound, no
 * lock held. The errors of axvm_plan_load.
 */
AXVM_MUST_USE int axvm_vm_reload(struct axvm_vm *vm, bool clear);

/* ---- vm_alloc.c ---------------------------------------------------------------------------- */

/* A zeroed page that nothing else shares, as axvm_vm_alloc; `hpa` is its address. NULL: none. */
void *axvm_vm_alloc_page(struct axvm_vm *vm, struct axvm_hpa *hpa);

void axvm_vm_free_chunks(struct axvm_vm *vm);

/* ---- memory.c: RAM ------------------------------------------------------------------------- */

/* Gives the VM all memory of its configuration, and maps it. On an error axvm_memory_release follows. */
AXVM_MUST_USE int axvm_memory_make(struct axvm_vm *vm, struct axvm_text *why);
void axvm_memory_clear(struct axvm_vm *vm);
/* Gives back the pages; nothing of the VM's address space may be in use any more. */
void axvm_memory_release(struct axvm_vm *vm);
/* The first region that overlaps the range, or NULL. */
const struct axvm_memory_region *axvm_memory_find(const struct axvm_vm *vm, uint64_t gpa,
						  uint64_t bytes);

/* ---- passthrough.c ------------------------------------------------------------------------- */

/* As many ranges as axvm_passthrough_plan may need. */
uint32_t axvm_passthrough_capacity(const struct axvm_config *config, uint32_t hole_count);

/*
 * The device ranges that a configuration passes through: rounded outward to
 * pages at both ends, merged where they touch and agree, without the pages that
 * the holes (emulated devices) touch; sorted by GPA. Entries that name a path
 * of the host's device tree have no range here. Pure.
 * AXVM_EINVAL: gpa and hpa have different offsets within their pages, or wrap.
 * AXVM_EEXIST: a guest page that two entries map to different host pages.
 * AXVM_ERANGE: capacity.
 */
AXVM_MUST_USE int axvm_passthrough_plan(const struct axvm_config *config,
					const struct axvm_config_range *holes, uint32_t hole_count,
					struct axvm_passthrough_range *ranges, uint32_t capacity,
					uint32_t *count, struct axvm_text *why);

/* Plans, checks with the HAL and with the VM's RAM, and maps. Devices exist. AXVM_EPERM and the above. */
AXVM_MUST_USE int axvm_passthrough_make(struct axvm_vm *vm, struct axvm_text *why);

/*
 * Attaches the interrupts of passed-through devices, each once: they may come from then on, so the VM
 * is complete but for its place in the list. The errors of axvm_hal_irq_attach. Afterwards, and
 * on an error, axvm_passthrough_detach, which takes them back in reverse order. No lock held.
 */
AXVM_MUST_USE int axvm_passthrough_attach(struct axvm_vm *vm, struct axvm_text *why);
void axvm_passthrough_detach(struct axvm_vm *vm);
/* Whether the VM has this interrupt of the host now. */
bool axvm_passthrough_has_irq(const struct axvm_vm *vm, uint32_t irq);

#endif
