// SPDX-License-Identifier: Apache-2.0
/*
 * Changes of an address space. Each has three parts: look at the tables and count
 * the pages it will need, reserve them, and then do what can no longer fail.
 */
#include <axvm/aspace.h>

#include <string.h>

#include "budget.h"
#include "pagetable.h"

/* ---- init and fini -------------------------------------------------------------------------- */

static bool is_format_sound(const struct axvm_pte_format *format)
{
	uint32_t root_shift = axvm_level_shift(format, 0);
	uint32_t leaves = format->block_levels;
	uint32_t lowest = leaves & (0 - leaves);

	if (format->levels < 3 || format->levels > AXVM_TABLE_LEVELS_MAX)
		return false;
	return leaves != 0 && leaves + lowest == (uint32_t)1 << format->levels &&
	       format->input_bits > AXVM_PAGE_SHIFT && format->input_bits < 64 &&
	       format->output_bits < 64 &&
	       (uint64_t)1 << format->input_bits <=
		       (uint64_t)format->root_pages * AXVM_TABLE_ENTRIES << root_shift;
}

int axvm_aspace_init(struct axvm_aspace *aspace, const struct axvm_pte_format *format,
		     uint32_t vmid, struct axvm_budget *budget)
{
	struct axvm_hpa root;

	if (!is_format_sound(format))
		return AXVM_EINVAL;
	if (!axvm_budget_take(budget, format->root_pages))
		return AXVM_ENOMEM;
	if (axvm_hal_alloc_pages(format->root_pages, format->root_align_pages * AXVM_PAGE_BYTES,
				 &root) != 0) {
		axvm_budget_give(budget, format->root_pages);
		return AXVM_ENOMEM;
	}

	uint64_t bytes = axvm_level_table_bytes(format, 0);
	void *entries = axvm_hal_map(root, bytes);

	memset(entries, 0, bytes);
	axvm_hal_unmap(entries, bytes);
	memset(aspace, 0, sizeof(*aspace));
	aspace->format = format;
	aspace->budget = budget;
	aspace->root = root;
	aspace->vmid = vmid;
	aspace->table_pages = format->root_pages;
	return 0;
}

/* Goes up to the table that covers `next`; the tables left are in the list. */
static void collect(struct axvm_cursor *cursor, struct axvm_table_list *list, uint64_t next)
{
	while (!axvm_cursor_covers(cursor, next)) {
		axvm_cursor_up(cursor);
		axvm_tables_put(list, cursor->aspace->format->address(axvm_cursor_load(cursor),
								      cursor->level));
	}
}

void axvm_aspace_fini(struct axvm_aspace *aspace)
{
	const struct axvm_pte_format *format = aspace->format;
	struct axvm_table_list list = { 0 };
	struct axvm_cursor cursor;

	if (format == NULL)
		return;
	axvm_hal_tlb_flush(aspace, axvm_gpa(0), 0);
	axvm_cursor_open(&cursor, aspace);
	for (uint64_t at = 0; at < (uint64_t)1 << format->input_bits;
	     at = axvm_cursor_next(&cursor)) {
		collect(&cursor, &list, at);
		axvm_cursor_seek(&cursor, at, format->levels - 1);
	}
	collect(&cursor, &list, UINT64_MAX);
	axvm_cursor_close(&cursor);
	axvm_tables_free(aspace, &list);
	axvm_hal_free_pages(aspace->root, format->root_pages);
	axvm_budget_give(aspace->budget, format->root_pages);
	memset(aspace, 0, sizeof(*aspace));
}

/* ---- arguments ------------------------------------------------------------------------------ */

static int check_range(uint64_t base, uint64_t bytes, uint32_t address_bits)
{
	uint64_t limit = (uint64_t)1 << address_bits;

	if (bytes == 0 || !axvm_is_aligned(base | bytes, AXVM_PAGE_BYTES))
		return AXVM_EINVAL;
	return axvm_range_contains(0, limit, base, bytes) ? 0 : AXVM_ERANGE;
}

static bool are_flags_valid(uint32_t flags)
{
	return (flags & ~AXVM_MAP_FLAGS_ALL) == 0 && (flags & AXVM_MAP_RWX) != 0;
}

/* The flags that all formats can express alike. */
static uint32_t usual_flags(uint32_t flags)
{
	flags &= ~(uint32_t)AXVM_MAP_USER;
	flags |= AXVM_MAP_READ;
	if (flags & AXVM_MAP_DEVICE)
		flags &= ~(uint32_t)(AXVM_MAP_EXECUTE | AXVM_MAP_UNCACHED);
	return flags;
}

/* ---- counting the tables that a change will need ---------------------------------------------- */

struct table_count {
	const struct axvm_pte_format *format;
	uint64_t tables;
	uint64_t last[AXVM_TABLE_LEVELS_MAX]; /* of each level, the last that was counted */
	uint32_t counted_levels;	      /* bit n: last[n] is valid */
};

/* The new tables on the way from an entry at level `from` down to `to`. Addresses ascend. */
static void count_tables(struct table_count *count, uint64_t gpa, uint32_t from, uint32_t to)
{
	for (uint32_t level = from + 1; level <= to; level++) {
		uint64_t table = gpa >> axvm_level_shift(count->format, level - 1);

		if ((count->counted_levels >> level & 1) != 0 && count->last[level] == table)
			continue;
		count->counted_levels |= (uint32_t)1 << level;
		count->last[level] = table;
		count->tables++;
	}
}

/* ---- map -------------------------------------------------------------------------------------- */

/* The largest leaf, not above `level`, that may stand here. */
static uint32_t choose_level(const struct axvm_pte_format *format, uint32_t level, uint64_t gpa,
			     uint64_t hpa, uint64_t bytes)
{
	while (!axvm_level_has_leaf(format, level) || bytes < axvm_level_bytes(format, level) ||
	       !axvm_is_aligned(gpa | hpa, axvm_level_bytes(format, level)))
		level++;
	return level;
}

/* How many leaves of `level` the range gives from `gpa` to the end of their table; at least one. */
static uint64_t run_length(const struct axvm_pte_format *format, uint32_t level, uint64_t gpa,
			   uint64_t bytes)
{
	uint64_t wanted = bytes >> axvm_level_shift(format, level);
	uint64_t room = axvm_level_table_bytes(format, level) / sizeof(uint64_t) -
			axvm_level_index(format, level, gpa);

	return wanted < room ? wanted : room;
}

/* All of the range is absent, or AXVM_EEXIST. */
static int count_map(struct axvm_cursor *cursor, struct table_count *count, uint64_t gpa,
		     uint64_t hpa, uint64_t bytes)
{
	const struct axvm_pte_format *format = count->format;

	for (uint64_t at = 0; at < bytes;) {
		axvm_cursor_seek(cursor, gpa + at, format->levels - 1);
		if (format->is_present(axvm_cursor_load(cursor)))
			return AXVM_EEXIST;

		uint32_t level =
			choose_level(format, cursor->level, gpa + at, hpa + at, bytes - at);
		uint64_t run = 1;

		count_tables(count, gpa + at, cursor->level, level);
		if (level == cursor->level)
			run = axvm_cursor_count_absent(
				cursor, run_length(format, level, gpa + at, bytes - at));
		at += run << axvm_level_shift(format, level);
	}
	return 0;
}

static void do_map(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t gpa,
		   uint64_t hpa, uint64_t bytes, uint32_t flags)
{
	const struct axvm_pte_format *format = change->aspace->format;

	for (uint64_t at = 0; at < bytes;) {
		axvm_cursor_seek(cursor, gpa + at, format->levels - 1);

		uint32_t level =
			choose_level(format, cursor->level, gpa + at, hpa + at, bytes - at);

		while (cursor->level < level) {
			axvm_change_add_table(change, cursor);
			axvm_cursor_seek(cursor, gpa + at, level);
		}

		uint64_t run = run_length(format, level, gpa + at, bytes - at);

		axvm_change_fill(change, cursor, axvm_hpa(hpa + at), run, flags);
		at += run << axvm_level_shift(format, level);
	}
}

int axvm_aspace_map(struct axvm_aspace *aspace, struct axvm_gpa gpa, struct axvm_hpa hpa,
		    uint64_t bytes, uint32_t flags)
{
	struct axvm_change change = { .aspace = aspace };
	struct table_count count = { .format = aspace->format };
	struct axvm_cursor cursor;
	int error = are_flags_valid(flags) ? 0 : AXVM_EINVAL;

	if (error == 0)
		error = check_range(gpa.addr, bytes, aspace->format->input_bits);
	if (error == 0)
		error = check_range(hpa.addr, bytes, aspace->format->output_bits);
	if (error != 0)
		return error;
	axvm_cursor_open(&cursor, aspace);
	error = count_map(&cursor, &count, gpa.addr, hpa.addr, bytes);
	if (error == 0)
		error = axvm_tables_reserve(aspace, &change.spare, count.tables);
	if (error == 0)
		do_map(&change, &cursor, gpa.addr, hpa.addr, bytes, usual_flags(flags));
	axvm_cursor_close(&cursor);
	if (error == 0) {
		axvm_change_merge(&change, gpa.addr, bytes);
		axvm_change_finish(&change);
	}
	return error;
}

/* ---- unmap and protect ------------------------------------------------------------------------- */

/* Flags that no leaf has: those of an unmap, which every leaf at the range's ends must be split for. */
#define NO_FLAGS UINT32_MAX

/* Whether the leaf at the cursor must be split for the range to end or begin at `boundary`. */
static bool must_split(const struct axvm_cursor *cursor, uint64_t boundary, uint32_t flags)
{
	const struct axvm_pte_format *format = cursor->aspace->format;
	uint64_t entry = axvm_cursor_load(cursor);

	return format->is_present(entry) && format->flags(entry) != flags &&
	       !axvm_is_aligned(boundary, axvm_level_bytes(format, cursor->level));
}

/* Goes to the leaf that straddles `boundary`. False: none does. */
static bool find_straddling(struct axvm_cursor *cursor, uint64_t boundary, uint32_t flags)
{
	const struct axvm_pte_format *format = cursor->aspace->format;

	if (boundary >> format->input_bits != 0)
		return false; /* the end of all addresses */
	axvm_cursor_seek(cursor, boundary, format->levels - 1);
	return must_split(cursor, boundary, flags);
}

static uint32_t level_of_boundary(const struct axvm_pte_format *format, uint64_t boundary)
{
	uint32_t level = 0;

	while (!axvm_is_aligned(boundary, axvm_level_bytes(format, level)))
		level++;
	return level;
}

static int reserve_splits(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t gpa,
			  uint64_t bytes, uint32_t flags)
{
	const struct axvm_pte_format *format = change->aspace->format;
	struct table_count count = { .format = format };

	if (find_straddling(cursor, gpa, flags))
		count_tables(&count, gpa, cursor->level, level_of_boundary(format, gpa));
	if (find_straddling(cursor, gpa + bytes, flags))
		count_tables(&count, gpa + bytes, cursor->level,
			     level_of_boundary(format, gpa + bytes));
	return axvm_tables_reserve(change->aspace, &change->spare, count.tables);
}

static void do_splits(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t gpa,
		      uint64_t bytes, uint32_t flags)
{
	if (find_straddling(cursor, gpa, flags))
		axvm_change_split(change, cursor, gpa);
	if (find_straddling(cursor, gpa + bytes, flags))
		axvm_change_split(change, cursor, gpa + bytes);
}

static void do_unmap(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t gpa,
		     uint64_t bytes)
{
	const struct axvm_pte_format *format = change->aspace->format;

	for (uint64_t at = gpa; at < gpa + bytes; at = axvm_cursor_next(cursor)) {
		axvm_change_leave(change, cursor, at);
		axvm_cursor_seek(cursor, at, format->levels - 1);
		if (format->is_present(axvm_cursor_load(cursor)))
			axvm_change_store(change, cursor, 0);
	}
	axvm_change_leave(change, cursor, UINT64_MAX);
}

int axvm_aspace_unmap(struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes)
{
	struct axvm_change change = { .aspace = aspace };
	struct axvm_cursor cursor;
	int error = check_range(gpa.addr, bytes, aspace->format->input_bits);

	if (error != 0)
		return error;
	axvm_cursor_open(&cursor, aspace);
	error = reserve_splits(&change, &cursor, gpa.addr, bytes, NO_FLAGS);
	if (error == 0) {
		do_splits(&change, &cursor, gpa.addr, bytes, NO_FLAGS);
		/* From the root, so that a table is left, and looked at, only when it is done. */
		axvm_cursor_seek(&cursor, gpa.addr, 0);
		do_unmap(&change, &cursor, gpa.addr, bytes);
	}
	axvm_cursor_close(&cursor);
	if (error == 0)
		axvm_change_finish(&change);
	return error;
}

static int check_mapped(struct axvm_cursor *cursor, uint64_t gpa, uint64_t bytes)
{
	const struct axvm_pte_format *format = cursor->aspace->format;

	for (uint64_t at = gpa; at < gpa + bytes; at = axvm_cursor_next(cursor)) {
		axvm_cursor_seek(cursor, at, format->levels - 1);
		if (!format->is_present(axvm_cursor_load(cursor)))
			return AXVM_EFAULT;
	}
	return 0;
}

/* Rights of a live entry may change in place; its memory type may not where entries are broken. */
static void protect_leaf(struct axvm_change *change, const struct axvm_cursor *cursor,
			 uint32_t flags)
{
	const struct axvm_pte_format *format = change->aspace->format;
	uint64_t entry = axvm_cursor_load(cursor);
	uint32_t difference = format->flags(entry) ^ flags;

	if (difference == 0)
		return;
	if (format->break_before_make && (difference & ~(uint32_t)AXVM_MAP_RWX) != 0)
		axvm_change_break(change, cursor);
	else
		axvm_change_store(change, cursor,
				  format->make_leaf(format->address(entry, cursor->level),
						    cursor->level, flags));
}

static void mend_leaf(struct axvm_change *change, const struct axvm_cursor *cursor, uint32_t flags)
{
	struct axvm_hpa hpa;

	if (axvm_entry_broken(axvm_cursor_load(cursor), &hpa))
		axvm_change_store(change, cursor,
				  change->aspace->format->make_leaf(hpa, cursor->level, flags));
}

static void do_protect(struct axvm_change *change, struct axvm_cursor *cursor, uint64_t gpa,
		       uint64_t bytes, uint32_t flags)
{
	uint32_t last = change->aspace->format->levels - 1;

	for (uint64_t at = gpa; at < gpa + bytes; at = axvm_cursor_next(cursor)) {
		axvm_cursor_seek(cursor, at, last);
		protect_leaf(change, cursor, flags);
	}
	if (!change->is_breaking)
		return;
	axvm_change_flush(change);
	for (uint64_t at = gpa; at < gpa + bytes; at = axvm_cursor_next(cursor)) {
		axvm_cursor_seek(cursor, at, last);
		mend_leaf(change, cursor, flags);
	}
	axvm_change_mended(change);
}

int axvm_aspace_protect(struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes,
			uint32_t flags)
{
	struct axvm_change change = { .aspace = aspace };
	struct axvm_cursor cursor;
	int error = are_flags_valid(flags) ? 0 : AXVM_EINVAL;

	if (error == 0)
		error = check_range(gpa.addr, bytes, aspace->format->input_bits);
	if (error != 0)
		return error;
	flags = usual_flags(flags);
	axvm_cursor_open(&cursor, aspace);
	error = check_mapped(&cursor, gpa.addr, bytes);
	if (error == 0)
		error = reserve_splits(&change, &cursor, gpa.addr, bytes, flags);
	if (error == 0) {
		do_splits(&change, &cursor, gpa.addr, bytes, flags);
		do_protect(&change, &cursor, gpa.addr, bytes, flags);
	}
	axvm_cursor_close(&cursor);
	if (error == 0) {
		axvm_change_merge(&change, gpa.addr, bytes);
		axvm_change_finish(&change);
	}
	return error;
}
