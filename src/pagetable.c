// SPDX-License-Identifier: Apache-2.0
/*
 * The walker of second-stage tables. Other CPUs' table walkers and lock-free readers
 * look at the tables at any moment, so: a table is filled before it is linked (release),
 * an entry is replaced as its format demands, and an unlinked page is freed only after
 * the invalidation that covers it and the departure of the readers.
 */
#include "pagetable.h"

#include <string.h>

#include "budget.h"

static _Atomic uint64_t *map_table(struct axvm_hpa table)
{
	return axvm_hal_map(table, AXVM_PAGE_BYTES);
}

static void unmap_table(_Atomic uint64_t *table)
{
	axvm_entries_unmap(table, AXVM_PAGE_BYTES);
}

/* Into a table that is not linked; its link will be the release. */
static void fill_entry(_Atomic uint64_t *entry, uint64_t value)
{
	atomic_store_explicit(entry, value, memory_order_relaxed);
}

/* ---- cursor ------------------------------------------------------------------------------- */

void axvm_cursor_open(struct axvm_cursor *cursor, const struct axvm_aspace *aspace)
{
	*cursor = (struct axvm_cursor){ .aspace = aspace };
	cursor->tables[0] = axvm_hal_map(aspace->root, axvm_level_table_bytes(aspace->format, 0));
}

void axvm_cursor_up(struct axvm_cursor *cursor)
{
	unmap_table(cursor->tables[cursor->level]);
	cursor->level--;
}

void axvm_cursor_close(struct axvm_cursor *cursor)
{
	while (cursor->level > 0)
		axvm_cursor_up(cursor);
	axvm_entries_unmap(cursor->tables[0], axvm_level_table_bytes(cursor->aspace->format, 0));
}

bool axvm_cursor_covers(const struct axvm_cursor *cursor, uint64_t gpa)
{
	if (cursor->level == 0)
		return true;

	uint32_t shift = axvm_level_shift(cursor->aspace->format, cursor->level - 1);

	return gpa >> shift == cursor->gpa >> shift;
}

void axvm_cursor_seek(struct axvm_cursor *cursor, uint64_t gpa, uint32_t max_level)
{
	const struct axvm_pte_format *format = cursor->aspace->format;

	while (cursor->level > max_level || !axvm_cursor_covers(cursor, gpa))
		axvm_cursor_up(cursor);
	cursor->gpa = gpa;
	while (cursor->level < max_level) {
		uint64_t entry = axvm_cursor_load(cursor);

		if (!axvm_entry_is_table(format, cursor->level, entry))
			return;
		cursor->tables[cursor->level + 1] =
			map_table(format->address(entry, cursor->level));
		cursor->level++;
	}
}

uint64_t axvm_cursor_count_absent(const struct axvm_cursor *cursor, uint64_t limit)
{
	bool (*is_present)(uint64_t) = cursor->aspace->format->is_present;
	_Atomic uint64_t *entry = axvm_cursor_entry(cursor);
	uint64_t count = 1;

	while (count < limit && !is_present(axvm_entry_load(&entry[count])))
		count++;
	return count;
}

/* ---- table pages ------------------------------------------------------------------------- */

void axvm_tables_put(struct axvm_table_list *list, struct axvm_hpa table)
{
	_Atomic uint64_t *entries = map_table(table);

	/*
	 * release: a reader that is still in the table and finds its first entry absent sees that
	 * an entry was broken
	 */
	atomic_store_explicit(&entries[0], list->first.addr, memory_order_release);
	unmap_table(entries);
	list->first = table;
	list->count++;
}

static struct axvm_hpa take_table(struct axvm_table_list *list)
{
	struct axvm_hpa table = list->first;
	_Atomic uint64_t *entries = map_table(table);

	list->first = axvm_hpa(axvm_entry_load(&entries[0]));
	list->count--;
	fill_entry(&entries[0], 0);
	unmap_table(entries);
	return table;
}

void axvm_tables_free(struct axvm_aspace *aspace, struct axvm_table_list *list)
{
	while (list->count > 0) {
		axvm_hal_free_pages(take_table(list), 1);
		axvm_budget_give(aspace->budget, 1);
		aspace->table_pages--;
	}
}

static int reserve_one(struct axvm_aspace *aspace, struct axvm_table_list *list)
{
	struct axvm_hpa table;

	if (!axvm_budget_take(aspace->budget, 1))
		return AXVM_ENOMEM;
	if (axvm_hal_alloc_pages(1, AXVM_PAGE_BYTES, &table) != 0) {
		axvm_budget_give(aspace->budget, 1);
		return AXVM_ENOMEM;
	}

	void *entries = axvm_hal_map(table, AXVM_PAGE_BYTES);

	memset(entries, 0, AXVM_PAGE_BYTES);
	axvm_hal_unmap(entries, AXVM_PAGE_BYTES);
	aspace->table_pages++;
	axvm_tables_put(list, table);
	return 0;
}

int axvm_tables_reserve(struct axvm_aspace *aspace, struct axvm_table_list *list, uint64_t count)
{
	while (list->count < count) {
		if (reserve_one(aspace, list) != 0) {
			axvm_tables_free(aspace, list);
			return AXVM_ENOMEM;
		}
	}
	return 0;
}

/* ---- entries ------------------------------------------------------------------------------ */

/* Bits 0 to 2 are clear, so it is absent in every format; it is not 0, so it is not empty. */
#define BROKEN ((uint64_t)1 << 11)

bool axvm_entry_broken(uint64_t entry, struct axvm_hpa *hpa)
{
	if ((entry & (AXVM_PAGE_BYTES - 1)) != BROKEN)
		return false;
	hpa->addr = axvm_align_down(entry, AXVM_PAGE_BYTES);
	return true;
}

static void note(struct axvm_change *change, const struct axvm_cursor *cursor)
{
	uint64_t high = axvm_cursor_next(cursor);
	uint64_t low = high - axvm_level_bytes(cursor->aspace->format, cursor->level);
	bool is_first = change->low == change->high;

	if (is_first || low < change->low)
		change->low = low;
	if (is_first || high > change->high)
		change->high = high;
}

static void store_at(const struct axvm_cursor *cursor, _Atomic uint64_t *entry, uint64_t value)
{
	axvm_entry_check(cursor->aspace, axvm_gpa(cursor->gpa), cursor->level,
			 axvm_entry_load(entry), value);
	/* release: pairs with the acquire of axvm_entry_load, and with the walkers' dependency */
	atomic_store_explicit(entry, value, memory_order_release);
}

static void store(const struct axvm_cursor *cursor, uint64_t value)
{
	store_at(cursor, axvm_cursor_entry(cursor), value);
}

/* A table that is unlinked needs no note: what was cleared under it has one in its range. */
void axvm_change_store(struct axvm_change *change, const struct axvm_cursor *cursor, uint64_t value)
{
	const struct axvm_pte_format *format = cursor->aspace->format;
	uint64_t before = axvm_cursor_load(cursor);

	if (format->is_present(value) && format->is_leaf(value, cursor->level))
		change->leaf_levels |= (uint32_t)1 << cursor->level;
	if (format->is_present(before)) {
		change->has_replaced = true;
		if (format->is_leaf(before, cursor->level))
			note(change, cursor);
	} else if (format->caches_absent && format->is_present(value) &&
		   (before != 0 || format->is_leaf(value, cursor->level))) {
		/* A new table needs none: the leaves under it have theirs. A broken entry does. */
		note(change, cursor);
	}
	store(cursor, value);
}

void axvm_change_fill(struct axvm_change *change, struct axvm_cursor *cursor, struct axvm_hpa hpa,
		      uint64_t count, uint32_t flags)
{
	const struct axvm_pte_format *format = cursor->aspace->format;
	_Atomic uint64_t *entry = axvm_cursor_entry(cursor);
	uint64_t bytes = axvm_level_bytes(format, cursor->level);

	change->leaf_levels |= (uint32_t)1 << cursor->level;
	if (format->caches_absent)
		note(change, cursor);
	for (;;) {
		store_at(cursor, entry, format->make_leaf(hpa, cursor->level, flags));
		if (--count == 0)
			break;
		entry++;
		hpa.addr += bytes;
		cursor->gpa += bytes;
	}
	if (format->caches_absent)
		note(change, cursor);
}

void axvm_change_add_table(struct axvm_change *change, const struct axvm_cursor *cursor)
{
	axvm_change_store(change, cursor,
			  cursor->aspace->format->make_table(take_table(&change->spare)));
}

void axvm_change_break(struct axvm_change *change, const struct axvm_cursor *cursor)
{
	struct axvm_hpa hpa =
		cursor->aspace->format->address(axvm_cursor_load(cursor), cursor->level);

	if (!change->is_breaking) {
		change->is_breaking = true;
		/* The entries below are stored with release: who sees one absent sees this. */
		atomic_fetch_add_explicit(&change->aspace->breaking, 1, memory_order_relaxed);
	}
	change->has_replaced = true;
	note(change, cursor);
	store(cursor, hpa.addr | BROKEN);
}

void axvm_change_flush(struct axvm_change *change)
{
	uint64_t bytes = change->high - change->low;

	if (bytes == 0)
		return;
	if (bytes > AXVM_FLUSH_PAGES_MAX * AXVM_PAGE_BYTES)
		axvm_hal_tlb_flush(change->aspace, axvm_gpa(0), 0);
	else
		axvm_hal_tlb_flush(change->aspace, axvm_gpa(change->low), bytes);
	change->low = 0;
	change->high = 0;
}

void axvm_change_mended(struct axvm_change *change)
{
	change->is_breaking = false;
	/* release: who sees the end sees the entries; pairs with the acquire in find_mapping */
	atomic_fetch_add_explicit(&change->aspace->breaking, 1, memory_order_release);
}

void axvm_change_finish(struct axvm_change *change)
{
	axvm_change_flush(change);
	if (change->has_replaced)
		axvm_aspace_wait_for_readers(change->aspace);
	axvm_tables_free(change->aspace, &change->unlinked);
	axvm_tables_free(change->aspace, &change->spare);
}

/* ---- split and merge ----------------------------------------------------------------------- */

/* A table, not yet linked, that says what the leaf of `level` said. */
static struct axvm_hpa expand(struct axvm_change *change, uint64_t leaf, uint32_t level)
{
	const struct axvm_pte_format *format = change->aspace->format;
	uint64_t base = format->address(leaf, level).addr;
	uint64_t bytes = axvm_level_bytes(format, level + 1);
	struct axvm_hpa table = take_table(&change->spare);
	_Atomic uint64_t *entries = map_table(table);

	for (uint64_t i = 0; i < AXVM_TABLE_ENTRIES; i++)
		fill_entry(&entries[i], format->make_leaf(axvm_hpa(base + i * bytes), level + 1,
							  format->flags(leaf)));
	unmap_table(entries);
	return table;
}

/* Expands one entry of a table that is not yet linked. */
static struct axvm_hpa expand_entry(struct axvm_change *change, struct axvm_hpa table,
				    uint32_t level, uint64_t gpa)
{
	const struct axvm_pte_format *format = change->aspace->format;
	_Atomic uint64_t *entries = map_table(table);
	_Atomic uint64_t *entry = &entries[axvm_level_index(format, level, gpa)];
	struct axvm_hpa below = expand(change, axvm_entry_load(entry), level);

	fill_entry(entry, format->make_table(below));
	unmap_table(entries);
	return below;
}

void axvm_change_split(struct axvm_change *change, const struct axvm_cursor *cursor,
		       uint64_t boundary)
{
	const struct axvm_pte_format *format = change->aspace->format;
	struct axvm_hpa top = expand(change, axvm_cursor_load(cursor), cursor->level);
	struct axvm_hpa table = top;

	for (uint32_t level = cursor->level + 1;
	     !axvm_is_aligned(boundary, axvm_level_bytes(format, level)); level++)
		table = expand_entry(change, table, level, boundary);
	if (!format->break_before_make) {
		axvm_change_store(change, cursor, format->make_table(top));
		return;
	}
	axvm_change_break(change, cursor);
	axvm_change_flush(change);
	axvm_change_store(change, cursor, format->make_table(top));
	axvm_change_mended(change);
}

/* Whether the table of `level` says the same as one leaf of the level above would. */
static bool is_uniform(const struct axvm_pte_format *format, _Atomic uint64_t *entries,
		       uint32_t level)
{
	uint64_t first = axvm_entry_load(&entries[0]);

	if (!format->is_present(first) || !format->is_leaf(first, level))
		return false;

	uint64_t base = format->address(first, level).addr;
	uint32_t flags = format->flags(first);

	if (!axvm_is_aligned(base, axvm_level_bytes(format, level - 1)))
		return false;
	/* From the end: a table that is being filled is seldom full. */
	for (uint64_t i = AXVM_TABLE_ENTRIES; i-- > 0;) {
		struct axvm_hpa hpa = axvm_hpa(base + i * axvm_level_bytes(format, level));

		if (axvm_entry_load(&entries[i]) != format->make_leaf(hpa, level, flags))
			return false;
	}
	return true;
}

/* Breaks the entries of `level` that point to uniform tables. */
static void break_uniform(struct axvm_change *change, uint32_t level, uint64_t gpa, uint64_t bytes)
{
	const struct axvm_pte_format *format = change->aspace->format;
	struct axvm_cursor cursor;

	axvm_cursor_open(&cursor, change->aspace);
	for (uint64_t at = gpa; at - gpa < bytes; at = axvm_cursor_next(&cursor)) {
		axvm_cursor_seek(&cursor, at, level);

		uint64_t entry = axvm_cursor_load(&cursor);

		if (cursor.level < level || !axvm_entry_is_table(format, level, entry))
			continue;

		_Atomic uint64_t *below = map_table(format->address(entry, level));
		bool uniform = is_uniform(format, below, level + 1);

		unmap_table(below);
		if (uniform)
			axvm_change_break(change, &cursor);
	}
	axvm_cursor_close(&cursor);
}

/* Puts the block in place of the table that was broken away. */
static void make_block(struct axvm_change *change, const struct axvm_cursor *cursor,
		       struct axvm_hpa table)
{
	const struct axvm_pte_format *format = change->aspace->format;
	_Atomic uint64_t *below = map_table(table);
	uint64_t first = axvm_entry_load(&below[0]);

	unmap_table(below);
	axvm_change_store(change, cursor,
			  format->make_leaf(format->address(first, cursor->level + 1),
					    cursor->level, format->flags(first)));
	axvm_tables_put(&change->unlinked, table);
}

static void make_blocks(struct axvm_change *change, uint32_t level, uint64_t gpa, uint64_t bytes)
{
	struct axvm_cursor cursor;
	struct axvm_hpa table;

	axvm_change_flush(change);
	axvm_cursor_open(&cursor, change->aspace);
	for (uint64_t at = gpa; at - gpa < bytes; at = axvm_cursor_next(&cursor)) {
		axvm_cursor_seek(&cursor, at, level);
		if (axvm_entry_broken(axvm_cursor_load(&cursor), &table))
			make_block(change, &cursor, table);
	}
	axvm_cursor_close(&cursor);
	axvm_change_mended(change);
}

void axvm_change_merge(struct axvm_change *change, uint64_t gpa, uint64_t bytes)
{
	const struct axvm_pte_format *format = change->aspace->format;

	for (uint32_t level = format->levels - 1; level-- > 0;) {
		if (!axvm_level_has_leaf(format, level))
			return;
		if ((change->leaf_levels >> (level + 1) & 1) == 0)
			continue; /* no table there says anything new */
		break_uniform(change, level, gpa, bytes);
		if (change->is_breaking)
			make_blocks(change, level, gpa, bytes);
	}
}

static bool is_empty(_Atomic uint64_t *entries)
{
	for (uint64_t i = 0; i < AXVM_TABLE_ENTRIES; i++) {
		if (axvm_entry_load(&entries[i]) != 0)
			return false;
	}
	return true;
}

void axvm_change_leave(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t next)
{
	while (!axvm_cursor_covers(cursor, next)) {
		bool empty = is_empty(cursor->tables[cursor->level]);

		axvm_cursor_up(cursor);
		if (!empty)
			continue;

		struct axvm_hpa table =
			cursor->aspace->format->address(axvm_cursor_load(cursor), cursor->level);

		axvm_change_store(change, cursor, 0);
		axvm_tables_put(&change->unlinked, table);
	}
}
