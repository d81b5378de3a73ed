/* SPDX-License-Identifier: Apache-2.0 */
/* Taking pages of a budget and giving them back. Any CPU, no lock. */
#ifndef AXVM_BUDGET_H
#define AXVM_BUDGET_H

#include <axvm/aspace.h>

/* False: it would exceed the limit; nothing was taken. */
static inline bool axvm_budget_take(struct axvm_budget *budget, uint64_t pages)
{
	/* relaxed: a count, which publishes nothing */
	uint64_t used = atomic_load_explicit(&budget->used_pages, memory_order_relaxed);

	do {
		if (used > budget->limit_pages || pages > budget->limit_pages - used)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&budget->used_pages, &used, used + pages,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

static inline void axvm_budget_give(struct axvm_budget *budget, uint64_t pages)
{
	atomic_fetch_sub_explicit(&budget->used_pages, pages, memory_order_relaxed);
}

#endif
