// SPDX-License-Identifier: Apache-2.0
/*
 * Look-ups and guest memory access, without a lock. A reader counts itself in, under the
 * parity of the epoch; whoever frees what it may look at moves the epoch on and waits for
 * the readers of the old one. A reader that finds nothing while an entry is being replaced
 * looks again.
 */
#include <axvm/aspace.h>

#include <string.h>

#include "pagetable.h"

/* ---- readers -------------------------------------------------------------------------------- */

/* Its counters are the only thing of an aspace that a reader changes. */
static struct axvm_aspace *counters_of(const struct axvm_aspace *aspace)
{
	return (struct axvm_aspace *)(uintptr_t)aspace;
}

/*
 * Sequentially consistent, as store and load of different objects must not pass each other:
 * either the reader sees the new epoch, or who waits sees the reader.
 */
static uint32_t enter(const struct axvm_aspace *aspace)
{
	struct axvm_aspace *counters = counters_of(aspace);

	for (;;) {
		uint32_t epoch = atomic_load_explicit(&counters->epoch, memory_order_seq_cst);

		atomic_fetch_add_explicit(&counters->readers[epoch & 1], 1, memory_order_seq_cst);
		if (atomic_load_explicit(&counters->epoch, memory_order_seq_cst) == epoch)
			return epoch;
		atomic_fetch_sub_explicit(&counters->readers[epoch & 1], 1, memory_order_relaxed);
	}
}

static void leave(const struct axvm_aspace *aspace, uint32_t epoch)
{
	/* release: pairs with the load in axvm_aspace_wait_for_readers */
	atomic_fetch_sub_explicit(&counters_of(aspace)->readers[epoch & 1], 1,
				  memory_order_release);
}

void axvm_aspace_wait_for_readers(struct axvm_aspace *aspace)
{
	uint32_t epoch = atomic_load_explicit(&aspace->epoch, memory_order_relaxed);

	atomic_store_explicit(&aspace->epoch, epoch + 1, memory_order_seq_cst);
	while (atomic_load_explicit(&aspace->readers[epoch & 1], memory_order_seq_cst) != 0)
		;
}

/* ---- look-up --------------------------------------------------------------------------------- */

static uint64_t load_entry(const struct axvm_pte_format *format, struct axvm_hpa table,
			   uint32_t level, uint64_t gpa)
{
	uint64_t bytes = axvm_level_table_bytes(format, level);
	_Atomic uint64_t *entries = axvm_hal_map(table, bytes);
	uint64_t entry = axvm_entry_load(&entries[axvm_level_index(format, level, gpa)]);

	axvm_entries_unmap(entries, bytes);
	return entry;
}

static bool walk(const struct axvm_aspace *aspace, uint64_t gpa, struct axvm_mapping *mapping)
{
	const struct axvm_pte_format *format = aspace->format;
	uint32_t level = 0;
	uint64_t entry = load_entry(format, aspace->root, 0, gpa);

	while (axvm_entry_is_table(format, level, entry)) {
		struct axvm_hpa table = format->address(entry, level);

		level++;
		entry = load_entry(format, table, level, gpa);
	}
	if (!format->is_present(entry))
		return false;
	mapping->block_bytes = axvm_level_bytes(format, level);
	mapping->hpa =
		axvm_hpa(format->address(entry, level).addr + (gpa & (mapping->block_bytes - 1)));
	mapping->flags = format->flags(entry);
	return true;
}

/* The caller is a reader. It waits only for entries that are being replaced. */
static int find_mapping(const struct axvm_aspace *aspace, uint64_t gpa,
			struct axvm_mapping *mapping)
{
	if (gpa >> aspace->format->input_bits != 0)
		return AXVM_EFAULT;
	for (;;) {
		uint32_t before =
			atomic_load_explicit(&counters_of(aspace)->breaking, memory_order_acquire);

		if (walk(aspace, gpa, mapping))
			return 0;
		/* The acquire of the entry that was absent keeps this load behind the walk. */
		uint32_t after =
			atomic_load_explicit(&counters_of(aspace)->breaking, memory_order_relaxed);

		if (before == after && (before & 1) == 0)
			return AXVM_EFAULT;
	}
}

int axvm_aspace_query(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
		      struct axvm_mapping *mapping)
{
	struct axvm_mapping found;
	uint32_t epoch = enter(aspace);
	int error = find_mapping(aspace, gpa.addr, &found);

	leave(aspace, epoch);
	if (error == 0 && mapping != NULL)
		*mapping = found;
	return error;
}

static bool has_rights(const struct axvm_mapping *mapping, uint32_t rights)
{
	return (rights & AXVM_MAP_RWX & ~mapping->flags) == 0;
}

int axvm_aspace_translate(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint32_t rights,
			  struct axvm_hpa *hpa, uint64_t *bytes)
{
	struct axvm_mapping mapping;
	int error = axvm_aspace_query(aspace, gpa, &mapping);

	if (error != 0)
		return error;
	if (!has_rights(&mapping, rights))
		return AXVM_EFAULT;
	*hpa = mapping.hpa;
	*bytes = mapping.block_bytes - (gpa.addr & (mapping.block_bytes - 1));
	return 0;
}

/* ---- guest memory ------------------------------------------------------------------------------ */

/* What is to be done with guest memory. */
struct access {
	enum { READ, WRITE, FILL } kind;
	uint8_t *to;
	const uint8_t *from;
	uint8_t fill;
};

static uint32_t right_for(const struct access *access)
{
	return access->kind == READ ? AXVM_MAP_READ : AXVM_MAP_WRITE;
}

/* The part of [gpa, gpa + bytes) in one block: its host memory and *part bytes, or NULL. */
static uint8_t *map_part(const struct axvm_aspace *aspace, const struct access *access,
			 uint64_t gpa, uint64_t bytes, uint64_t *part)
{
	struct axvm_mapping mapping;

	if (find_mapping(aspace, gpa, &mapping) != 0 || !has_rights(&mapping, right_for(access)) ||
	    (mapping.flags & AXVM_MAP_DEVICE) != 0)
		return NULL;
	*part = mapping.block_bytes - (gpa & (mapping.block_bytes - 1));
	if (*part > bytes)
		*part = bytes;
	return axvm_hal_map(mapping.hpa, *part);
}

static void do_part(const struct access *access, uint64_t at, uint8_t *host, uint64_t bytes)
{
	if (access->kind == READ)
		memcpy(access->to + at, host, bytes);
	else if (access->kind == WRITE)
		memcpy(host, access->from + at, bytes);
	else
		memset(host, access->fill, bytes);
}

/* Whether all of it can be accessed. */
static int check_access(const struct axvm_aspace *aspace, const struct access *access, uint64_t gpa,
			uint64_t bytes)
{
	uint64_t part;

	for (uint64_t at = 0; at < bytes; at += part) {
		uint8_t *host = map_part(aspace, access, gpa + at, bytes - at, &part);

		if (host == NULL)
			return AXVM_EFAULT;
		axvm_hal_unmap(host, part);
	}
	return 0;
}

static int do_access(const struct axvm_aspace *aspace, const struct access *access, uint64_t gpa,
		     uint64_t bytes)
{
	uint64_t part;

	for (uint64_t at = 0; at < bytes; at += part) {
		uint8_t *host = map_part(aspace, access, gpa + at, bytes - at, &part);

		if (host == NULL)
			return AXVM_EFAULT;
		/* The first part may be all: then this is the check as well. */
		if (at == 0 && part < bytes &&
		    check_access(aspace, access, gpa + part, bytes - part) != 0) {
			axvm_hal_unmap(host, part);
			return AXVM_EFAULT;
		}
		do_part(access, at, host, part);
		axvm_hal_unmap(host, part);
	}
	return 0;
}

static int access_memory(const struct axvm_aspace *aspace, const struct access *access,
			 struct axvm_gpa gpa, uint64_t bytes)
{
	if (axvm_range_wraps(gpa.addr, bytes))
		return AXVM_EFAULT;

	uint32_t epoch = enter(aspace);
	int error = do_access(aspace, access, gpa.addr, bytes);

	leave(aspace, epoch);
	return error;
}

int axvm_aspace_read(const struct axvm_aspace *aspace, struct axvm_gpa gpa, void *buffer,
		     uint64_t bytes)
{
	struct access access = { .kind = READ, .to = buffer };

	return access_memory(aspace, &access, gpa, bytes);
}

int axvm_aspace_write(const struct axvm_aspace *aspace, struct axvm_gpa gpa, const void *buffer,
		      uint64_t bytes)
{
	struct access access = { .kind = WRITE, .from = buffer };

	return access_memory(aspace, &access, gpa, bytes);
}

int axvm_aspace_fill(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint8_t byte,
		     uint64_t bytes)
{
	struct access access = { .kind = FILL, .fill = byte };

	return access_memory(aspace, &access, gpa, bytes);
}
