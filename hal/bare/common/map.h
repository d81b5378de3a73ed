/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own map, an axvm_aspace like a guest's, so that one walker serves both. What an ISA
 * gives is the format of its entries and layout.h: AXVM_VA_BITS, AXVM_IMAGE_BASE, AXVM_DIRECT_BASE and
 * AXVM_DIRECT_LIMIT, AXVM_STACK_BASE, AXVM_STACK_SLOT_BYTES and AXVM_STACK_BYTES.
 */
#ifndef AXVM_BARE_MAP_H
#define AXVM_BARE_MAP_H

#include "bare.h"
#include "pte_format.h"

/* The ISA's: of the entries that the CPU walks in the hypervisor. Called once. */
const struct axvm_pte_format *axvm_bare_map_format(void);

/* Its root table. Valid from axvm_bare_mmu_init on. */
struct axvm_hpa axvm_bare_map_root(void);
/* Whether axvm_hal_tlb_flush is asked for the own map, not for a VM's. */
bool axvm_bare_map_is_own(const struct axvm_aspace *aspace);

/* The host-physical address of an object of the image. From axvm_bare_mmu_init on. */
uint64_t axvm_bare_image_hpa(const void *object);

#endif
