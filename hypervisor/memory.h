/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's pages: one bitmap per range of RAM. Single pages are found from a
 * hint, large runs by skipping whole words; exact ranges can be claimed.
 */
#ifndef AXVM_MEMORY_H
#define AXVM_MEMORY_H

#include <axvm/error.h>
#include <axvm/types.h>

/*
 * Adds RAM, all of it free but what was reserved before and the bitmap, which is put at or after
 * `bitmap_from` where nothing was reserved before. The bitmap's place must be mapped already.
 * AXVM_ERANGE: too many ranges, no room, or a part of it is there already.
 */
AXVM_MUST_USE int axvm_memory_add(struct axvm_hpa hpa, uint64_t bytes, struct axvm_hpa bitmap_from);

/* Takes the RAM of the range, what is there and what is added later, out of the allocator for good. */
void axvm_memory_reserve(struct axvm_hpa hpa, uint64_t bytes);

/* Whether any of it is RAM that was added. */
bool axvm_memory_is_ram(struct axvm_hpa hpa, uint64_t bytes);

uint64_t axvm_memory_free_pages(void);
uint64_t axvm_memory_total_pages(void);

#endif
