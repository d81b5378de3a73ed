/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Second-stage tables, of any format: a cursor that walks them, and changes that
 * keep the order which other CPUs' table walkers and lock-free readers rely on.
 */
#ifndef AXVM_PAGETABLE_H
#define AXVM_PAGETABLE_H

#include <axvm/hal.h>

#include "pte_format.h"

#define AXVM_TABLE_ENTRIES 512u
#define AXVM_TABLE_BITS 9u

/* What an entry of that level maps. */
static inline uint32_t axvm_level_shift(const struct axvm_pte_format *format, uint32_t level)
{
	return AXVM_PAGE_SHIFT + AXVM_TABLE_BITS * (format->levels - 1 - level);
}

static inline uint64_t axvm_level_bytes(const struct axvm_pte_format *format, uint32_t level)
{
	return (uint64_t)1 << axvm_level_shift(format, level);
}

static inline bool axvm_level_has_leaf(const struct axvm_pte_format *format, uint32_t level)
{
	return (format->block_levels >> level & 1) != 0;
}

/* The entry's number in its table; the root may be wider than 512. `gpa` is within input_bits. */
static inline uint64_t axvm_level_index(const struct axvm_pte_format *format, uint32_t level,
					uint64_t gpa)
{
	uint64_t index = gpa >> axvm_level_shift(format, level);

	return level == 0 ? index : index % AXVM_TABLE_ENTRIES;
}

static inline uint64_t axvm_level_table_bytes(const struct axvm_pte_format *format, uint32_t level)
{
	return (level == 0 ? format->root_pages : 1) * AXVM_PAGE_BYTES;
}

static inline bool axvm_entry_is_table(const struct axvm_pte_format *format, uint32_t level,
				       uint64_t entry)
{
	return level + 1 < format->levels && format->is_present(entry) &&
	       !format->is_leaf(entry, level);
}

/* acquire: pairs with the release of axvm_change_store, so that a linked table is seen filled. */
static inline uint64_t axvm_entry_load(_Atomic uint64_t *entry)
{
	return atomic_load_explicit(entry, memory_order_acquire);
}

/* Mapped table pages; axvm_hal_unmap takes no atomic pointer. */
static inline void axvm_entries_unmap(_Atomic uint64_t *entries, uint64_t bytes)
{
	axvm_hal_unmap((void *)(uintptr_t)entries, bytes);
}

#if defined(AXVM_CHECK_ENTRIES) /* host tests watch every change of a linked table (hal/sim) */
void axvm_entry_check(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint32_t level,
		      uint64_t before, uint64_t after);
#else
static inline void axvm_entry_check(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				    uint32_t level, uint64_t before, uint64_t after)
{
	(void)aspace;
	(void)gpa;
	(void)level;
	(void)before;
	(void)after;
}
#endif

/* ---- cursor: one entry, and the tables on the way to it ---------------------------------- */

struct axvm_cursor {
	const struct axvm_aspace *aspace;
	uint64_t gpa;
	uint32_t level; /* of the entry; those of levels 0 to it are mapped */
	_Atomic uint64_t *tables[AXVM_TABLE_LEVELS_MAX];
};

/* Stands at the root's entry for GPA 0. */
void axvm_cursor_open(struct axvm_cursor *cursor, const struct axvm_aspace *aspace);
void axvm_cursor_close(struct axvm_cursor *cursor);

/*
 * Goes to the entry that decides about `gpa`: the leaf, the absent entry, or the
 * entry at `max_level`. Cheap when it is near the present one. `gpa` is within input_bits.
 */
void axvm_cursor_seek(struct axvm_cursor *cursor, uint64_t gpa, uint32_t max_level);

/* Whether `gpa` lies under the deepest table on the way. */
bool axvm_cursor_covers(const struct axvm_cursor *cursor, uint64_t gpa);
/* Up to the entry that points to the deepest table; level is not 0. */
void axvm_cursor_up(struct axvm_cursor *cursor);

static inline _Atomic uint64_t *axvm_cursor_entry(const struct axvm_cursor *cursor)
{
	return &cursor->tables[cursor->level][axvm_level_index(cursor->aspace->format,
							       cursor->level, cursor->gpa)];
}

static inline uint64_t axvm_cursor_load(const struct axvm_cursor *cursor)
{
	return axvm_entry_load(axvm_cursor_entry(cursor));
}

/* The first address beyond what the entry maps. */
static inline uint64_t axvm_cursor_next(const struct axvm_cursor *cursor)
{
	uint64_t bytes = axvm_level_bytes(cursor->aspace->format, cursor->level);

	return axvm_align_down(cursor->gpa, bytes) + bytes;
}

/*
 * How many entries are absent from the cursor's on, which is; at most `limit`, which does not reach
 * beyond the table.
 */
uint64_t axvm_cursor_count_absent(const struct axvm_cursor *cursor, uint64_t limit);

/* ---- table pages ------------------------------------------------------------------------- */

/*
 * Pages linked through their first entry. The link is page aligned, hence an absent
 * entry for a table walker that still has the page in its cache.
 */
struct axvm_table_list {
	struct axvm_hpa first;
	uint64_t count;
};

/* Zeroed pages, paid for. AXVM_ENOMEM: nothing was taken. */
AXVM_MUST_USE int axvm_tables_reserve(struct axvm_aspace *aspace, struct axvm_table_list *list,
				      uint64_t count);
void axvm_tables_put(struct axvm_table_list *list, struct axvm_hpa table);
void axvm_tables_free(struct axvm_aspace *aspace, struct axvm_table_list *list);

/* ---- changes ------------------------------------------------------------------------------ */

/*
 * One operation on an aspace: begun with a zeroed struct and the aspace set, and
 * always finished. Between them nothing fails.
 */
struct axvm_change {
	struct axvm_aspace *aspace;
	struct axvm_table_list spare;	 /* reserved, not yet linked */
	struct axvm_table_list unlinked; /* free after the flush */
	uint64_t low;			 /* [low, high) needs an invalidation; none when equal */
	uint64_t high;
	uint32_t leaf_levels; /* bit n: a leaf was stored at level n */
	bool is_breaking;
	bool has_replaced; /* a live entry changed: readers may still use what it was */
};

/* Ranges of more pages are invalidated with the whole VMID. */
#define AXVM_FLUSH_PAGES_MAX 512u

/* Stores the entry at the cursor; notes what needs an invalidation. */
void axvm_change_store(struct axvm_change *change, const struct axvm_cursor *cursor,
		       uint64_t value);
/*
 * Stores `count` leaves for contiguous memory in absent entries, from the cursor's on, in one table; leaves
 * the cursor at the last of them.
 */
void axvm_change_fill(struct axvm_change *change, struct axvm_cursor *cursor, struct axvm_hpa hpa,
		      uint64_t count, uint32_t flags);
/* A new table under the absent entry at the cursor. */
void axvm_change_add_table(struct axvm_change *change, const struct axvm_cursor *cursor);

/*
 * Break before make: axvm_change_break makes the entry absent but keeps its address
 * for axvm_entry_broken; after axvm_change_flush it is stored anew; axvm_change_mended
 * ends the time in which readers wait instead of failing.
 */
void axvm_change_break(struct axvm_change *change, const struct axvm_cursor *cursor);
void axvm_change_flush(struct axvm_change *change);
void axvm_change_mended(struct axvm_change *change);

/* Whether an absent entry is one that was broken; then *hpa is the address it had. */
bool axvm_entry_broken(uint64_t entry, struct axvm_hpa *hpa);

/* Splits the leaf at the cursor until an entry begins at `boundary`, which is inside of it. */
void axvm_change_split(struct axvm_change *change, const struct axvm_cursor *cursor,
		       uint64_t boundary);

/* Makes blocks of what is uniform and contiguous in the tables that the range touches. */
void axvm_change_merge(struct axvm_change *change, uint64_t gpa, uint64_t bytes);

/* Leaves the tables that do not cover `next`, unlinking those that have become empty. */
void axvm_change_leave(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t next);

/* Invalidates, waits for readers of what was replaced, frees. */
void axvm_change_finish(struct axvm_change *change);

/* Returns when everyone who read the tables at the call has done so. */
void axvm_aspace_wait_for_readers(struct axvm_aspace *aspace);

#endif
