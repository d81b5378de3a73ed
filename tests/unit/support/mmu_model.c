// SPDX-License-Identifier: Apache-2.0
#include "mmu_model.h"

#include <string.h>

#include "axtest.h"
#include "pagetable.h"
#include "sim.h"

#define CACHED_MAX 96u
#define PENDING_MAX 8192u

enum kind { NOTHING, LEAF, TABLE, ABSENCE };

struct cached {
	enum kind kind;
	uint64_t base;
	uint64_t bytes;
	uint64_t entry;
	uint32_t level;
};

/* A live entry that went away and of which the CPUs have not been told. */
struct pending {
	uint64_t base;
	uint64_t bytes;
	bool whole; /* all of it must be invalidated, not just a part */
};

static struct cached cache[CACHED_MAX];
static struct pending pending[PENDING_MAX];
static uint32_t pending_count;
static uint64_t violations;
static bool is_quiet;
static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void violation(const char *what, uint64_t gpa)
{
	violations++;
	if (is_quiet)
		return;
	axtest_puts("# MMU model: ");
	axtest_puts(what);
	axtest_puts(" at ");
	axtest_put_hex(gpa);
	axtest_puts("\n");
	CHECK_EQ(violations, 0);
}

/* ---- walking as hardware does ------------------------------------------------------------------ */

static void remember(enum kind kind, const struct axvm_pte_format *format, uint64_t gpa,
		     uint32_t level, uint64_t entry)
{
	uint64_t bytes = axvm_level_bytes(format, level);

	cache[next_random() % CACHED_MAX] = (struct cached){
		kind, axvm_align_down(gpa, bytes), bytes, entry, level,
	};
}

static bool load(const struct axvm_aspace *aspace, struct axvm_hpa table, uint32_t level,
		 uint64_t gpa, uint64_t *entry)
{
	const struct axvm_pte_format *format = aspace->format;
	uint64_t bytes = axvm_level_table_bytes(format, level);
	uint64_t *entries = axvm_hal_map(table, bytes);

	if (entries == NULL) {
		violation("a table page was freed while it was reachable", gpa);
		return false;
	}
	*entry = entries[axvm_level_index(format, level, gpa)];
	axvm_hal_unmap(entries, bytes);
	return true;
}

/* The deepest cached table entry for the address, or NULL. */
static const struct cached *find_cached_table(uint64_t gpa)
{
	const struct cached *best = NULL;

	for (uint32_t i = 0; i < CACHED_MAX; i++) {
		if (cache[i].kind == TABLE && gpa - cache[i].base < cache[i].bytes &&
		    (best == NULL || cache[i].level > best->level))
			best = &cache[i];
	}
	return best;
}

void mmu_model_touch(const struct axvm_aspace *aspace, uint64_t gpa)
{
	const struct axvm_pte_format *format = aspace->format;
	const struct cached *start = next_random() % 2 == 0 ? find_cached_table(gpa) : NULL;
	struct axvm_hpa table = aspace->root;
	uint32_t level = 0;
	uint64_t entry;

	if (gpa >> format->input_bits != 0)
		return;
	if (start != NULL) {
		table = format->address(start->entry, start->level);
		level = start->level + 1;
	}
	for (;; level++) {
		if (!load(aspace, table, level, gpa, &entry))
			return;
		if (!axvm_entry_is_table(format, level, entry))
			break;
		remember(TABLE, format, gpa, level, entry);
		table = format->address(entry, level);
	}
	if (format->is_present(entry))
		remember(LEAF, format, gpa, level, entry);
	else if (format->caches_absent)
		remember(ABSENCE, format, gpa, format->levels - 1, 0);
}

static void touch_around(const struct axvm_aspace *aspace, uint64_t base, uint64_t bytes)
{
	mmu_model_touch(aspace, base);
	mmu_model_touch(aspace, base + next_random() % bytes);
	mmu_model_touch(aspace, base + bytes - 1);
	mmu_model_touch(aspace, base + bytes);
	if (base > 0)
		mmu_model_touch(aspace, base - 1);
}

/* ---- what the library does --------------------------------------------------------------------- */

static bool is_pending(uint64_t base, uint64_t bytes)
{
	for (uint32_t i = 0; i < pending_count; i++) {
		if (axvm_ranges_overlap(base, bytes, pending[i].base, pending[i].bytes))
			return true;
	}
	return false;
}

static void check_replacement(const struct axvm_pte_format *format, uint64_t gpa, uint32_t level,
			      uint64_t before, uint64_t after)
{
	bool same_kind = format->is_leaf(before, level) && format->is_leaf(after, level);
	bool same_place = format->address(before, level).addr == format->address(after, level).addr;
	bool same_type =
		((format->flags(before) ^ format->flags(after)) & ~(uint32_t)AXVM_MAP_RWX) == 0;

	if (format->break_before_make && !(same_kind && same_place && same_type))
		violation("a live entry was replaced by another", gpa);
}

static void stored(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint32_t level,
		   uint64_t before, uint64_t after)
{
	const struct axvm_pte_format *format = aspace->format;
	uint64_t bytes = axvm_level_bytes(format, level);
	uint64_t base = axvm_align_down(gpa.addr, bytes);

	touch_around(aspace, base, bytes);
	if (!format->is_present(before)) {
		if (format->is_present(after) && format->break_before_make &&
		    is_pending(base, bytes))
			violation("an entry was made before the broken one was invalidated", base);
		return;
	}
	if (format->is_present(after)) {
		check_replacement(format, base, level, before, after);
	} else if (pending_count < PENDING_MAX) {
		bool emptied = axvm_entry_is_table(format, level, before) && after == 0;

		pending[pending_count++] = (struct pending){ base, bytes, !emptied };
	}
}

static bool is_told(const struct pending *of, uint64_t gpa, uint64_t bytes)
{
	if (bytes == 0)
		return true;
	if (of->whole)
		return axvm_range_contains(gpa, bytes, of->base, of->bytes);
	return axvm_ranges_overlap(of->base, of->bytes, gpa, bytes);
}

static void flushed(const struct axvm_sim_flush *flush)
{
	uint32_t kept = 0;

	/* A CPU may still look, up to the very invalidation. */
	for (uint32_t i = 0; i < pending_count; i++)
		mmu_model_touch(flush->aspace, pending[i].base);
	for (uint32_t i = 0; i < pending_count; i++) {
		if (!is_told(&pending[i], flush->gpa, flush->bytes))
			pending[kept++] = pending[i];
	}
	pending_count = kept;
	for (uint32_t i = 0; i < CACHED_MAX; i++) {
		if (flush->bytes == 0 ||
		    axvm_ranges_overlap(cache[i].base, cache[i].bytes, flush->gpa, flush->bytes))
			cache[i].kind = NOTHING;
	}
}

static void freed(struct axvm_hpa hpa, uint64_t pages)
{
	if (pending_count > 0)
		violation("pages were freed before an invalidation that is due", hpa.addr);
	for (uint32_t i = 0; i < CACHED_MAX; i++) {
		uint64_t table = axvm_align_down(cache[i].entry, AXVM_PAGE_BYTES);

		if (cache[i].kind == TABLE && table - hpa.addr < pages * AXVM_PAGE_BYTES)
			violation("a table that is still cached was freed", cache[i].base);
	}
}

void mmu_model_start(uint64_t seed)
{
	memset(cache, 0, sizeof(cache));
	pending_count = 0;
	violations = 0;
	is_quiet = false;
	state = seed | 1;
	axvm_sim_observe(
		(struct axvm_sim_observer){ .flushed = flushed, .freed = freed, .stored = stored });
}

/* ---- afterwards ---------------------------------------------------------------------------------- */

/* Whether the tables still say at `gpa` what was cached. */
static bool is_true(const struct axvm_aspace *aspace, const struct cached *of, uint64_t gpa)
{
	const struct axvm_pte_format *format = aspace->format;
	struct axvm_hpa table = aspace->root;
	uint32_t level = 0;
	uint64_t entry;

	while (load(aspace, table, level, gpa, &entry)) {
		bool is_table = axvm_entry_is_table(format, level, entry);

		if (of->kind == TABLE && level == of->level)
			return entry == of->entry;
		if (is_table) {
			table = format->address(entry, level++);
			continue;
		}
		if (of->kind != LEAF || !format->is_present(entry))
			return of->kind == ABSENCE && !format->is_present(entry);

		uint64_t now = format->address(entry, level).addr +
			       (gpa & (axvm_level_bytes(format, level) - 1));

		return now == format->address(of->entry, of->level).addr + (gpa - of->base) &&
		       format->flags(entry) == format->flags(of->entry);
	}
	return false;
}

bool mmu_model_settled(const struct axvm_aspace *aspace)
{
	if (pending_count > 0)
		violation("an invalidation was never made", pending[0].base);
	pending_count = 0;
	for (uint32_t i = 0; i < CACHED_MAX; i++) {
		if (cache[i].kind == NOTHING)
			continue;
		if (!is_true(aspace, &cache[i], cache[i].base) ||
		    !is_true(aspace, &cache[i], cache[i].base + cache[i].bytes / 2) ||
		    !is_true(aspace, &cache[i], cache[i].base + cache[i].bytes - 1))
			violation("something stale is cached", cache[i].base);
	}
	return violations == 0;
}

uint64_t mmu_model_violations(void)
{
	return violations;
}

void mmu_model_expect_violations(void)
{
	is_quiet = true;
}

/* ---- formats ------------------------------------------------------------------------------------- */

/* Present is bit 2, a table has bit 3; rights stand, in an order of their own, above the address. */
#define ODD_PRESENT 4u
#define ODD_TABLE 8u
#define ODD_ADDRESS 0x000ffffffffff000u
#define ODD_FLAGS_SHIFT 56

static uint64_t odd_make_table(struct axvm_hpa table)
{
	return table.addr | ODD_TABLE | ODD_PRESENT;
}

static uint64_t odd_make_leaf(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	(void)level;
	return hpa.addr | ODD_PRESENT | (uint64_t)(flags ^ AXVM_MAP_FLAGS_ALL) << ODD_FLAGS_SHIFT;
}

static bool odd_is_present(uint64_t entry)
{
	return (entry & ODD_PRESENT) != 0;
}

static bool odd_is_leaf(uint64_t entry, uint32_t level)
{
	(void)level;
	return (entry & ODD_TABLE) == 0;
}

static struct axvm_hpa odd_address(uint64_t entry, uint32_t level)
{
	(void)level;
	return axvm_hpa(entry & ODD_ADDRESS);
}

static uint32_t odd_flags(uint64_t entry)
{
	return (uint32_t)(entry >> ODD_FLAGS_SHIFT) ^ AXVM_MAP_FLAGS_ALL;
}

#define ODD(title, level_count, bits, leaves, breaks, caches)                                    \
	{                                                                                        \
		.name = title, .levels = (level_count), .input_bits = (bits), .output_bits = 52, \
		.root_pages = 2, .root_align_pages = 2, .block_levels = (leaves),                \
		.break_before_make = (breaks), .caches_absent = (caches),                        \
		.make_table = odd_make_table, .make_leaf = odd_make_leaf,                        \
		.is_present = odd_is_present, .is_leaf = odd_is_leaf, .address = odd_address,    \
		.flags = odd_flags,                                                              \
	}

static const struct axvm_pte_format pages_only =
	ODD("synthetic: 3 levels, pages only", 3, 40, 4u, false, false);
static const struct axvm_pte_format breaks_and_caches =
	ODD("synthetic: 5 levels, breaks, caches absences", 5, 58, 0x1cu, true, true);
static const struct axvm_pte_format narrow =
	ODD("synthetic: 3 levels, 33 bits, breaks", 3, 33, 7u, true, false);

const struct axvm_pte_format *const synthetic_formats[] = {
	&pages_only,
	&breaks_and_caches,
	&narrow,
};
const uint32_t synthetic_format_count = 3;

static void run(void (*test)(const struct axvm_pte_format *format),
		const struct axvm_pte_format *format)
{
	axvm_sim_reset(NULL);
	mmu_model_start(0x5eed);
	test(format);
	if (axvm_sim_used_pages() != 0 || axvm_sim_mapped_bytes() != 0 || violations != 0) {
		axtest_puts("# format: ");
		axtest_puts(format->name);
		axtest_puts("\n");
	}
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
}

void for_each_format(void (*test)(const struct axvm_pte_format *format))
{
	for (uint32_t i = 0; i < axvm_arch_pte_format_count; i++)
		run(test, axvm_arch_pte_formats[i]);
	for (uint32_t i = 0; i < synthetic_format_count; i++)
		run(test, synthetic_formats[i]);
}
