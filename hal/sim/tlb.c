// SPDX-License-Identifier: Apache-2.0
/* The record of invalidations, and the observer that sees them beside the release of pages. */
#include "pagetable.h"
#include "sim_private.h"

#define FLUSHES_MAX 4096u

static struct axvm_sim_flush flushes[FLUSHES_MAX];
static uint64_t flush_count;
static struct axvm_sim_observer observer;

void axvm_sim_tlb_reset(void)
{
	flush_count = 0;
	observer = (struct axvm_sim_observer){ 0 };
}

void axvm_sim_observe(struct axvm_sim_observer by)
{
	observer = by;
}

void axvm_hal_tlb_flush(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes)
{
	struct axvm_sim_flush flush = { aspace, aspace->vmid, gpa.addr, bytes };

	if (axvm_range_wraps(gpa.addr, bytes))
		axvm_hal_panic(__FILE__, __LINE__, "axvm_hal_tlb_flush: the range wraps");
	axvm_sim_lock();
	if (flush_count < FLUSHES_MAX)
		flushes[flush_count] = flush;
	flush_count++;
	axvm_sim_unlock();
	if (observer.flushed != NULL)
		observer.flushed(&flush);
}

void axvm_sim_note_freed(struct axvm_hpa hpa, uint64_t pages)
{
	if (observer.freed != NULL)
		observer.freed(hpa, pages);
}

void axvm_entry_check(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint32_t level,
		      uint64_t before, uint64_t after)
{
	if (observer.stored != NULL)
		observer.stored(aspace, gpa, level, before, after);
}

uint64_t axvm_sim_flush_count(void)
{
	return flush_count;
}

struct axvm_sim_flush axvm_sim_flush(uint64_t index)
{
	if (index >= flush_count || index >= FLUSHES_MAX)
		axvm_hal_panic(__FILE__, __LINE__, "axvm_sim_flush: no such record");
	return flushes[index];
}
