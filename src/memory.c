/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RAM of a VM. A configured region becomes one piece of host memory, or
 * several where the host has none that large: each piece is a record in
 * vm->regions, written before the piece is mapped, so that giving back is a walk
 * over the records, however far making them came.
 */
#include <string.h>

#include <axvm/hal.h>

#include "budget.h"
#include "pte_format.h"
#include "vm_parts.h"

#define BLOCK_BYTES ((uint64_t)1 << 21) /* a block in every format's tables */
#define LARGE_BYTES ((uint64_t)1 << 30)
#define FIRST_CAPACITY 8u

static int say_range(struct axvm_text *why, const char *what, uint64_t base, uint64_t bytes,
		     const char *end, int error)
{
	axvm_text_string(why, what);
	axvm_text_range(why, base, bytes);
	axvm_text_string(why, end);
	return error;
}

/* Room for one more record. The outgrown array stays in the VM's memory, at most as large again. */
static bool grow(struct axvm_vm *vm)
{
	if (vm->region_count < vm->region_capacity)
		return true;
	uint32_t capacity = vm->region_capacity == 0 ? FIRST_CAPACITY : vm->region_capacity * 2;
	struct axvm_memory_region *regions = axvm_vm_alloc(vm, capacity * sizeof(*regions));

	if (regions == NULL)
		return false;
	if (vm->region_count > 0)
		memcpy(regions, vm->regions, vm->region_count * sizeof(*regions));
	vm->regions = regions;
	vm->region_capacity = capacity;
	return true;
}

static void clear(const struct axvm_memory_region *region)
{
	void *address = axvm_hal_map(region->hpa, region->bytes);

	memset(address, 0, region->bytes);
	axvm_hal_cache_clean(address, region->bytes);
	axvm_hal_unmap(address, region->bytes);
}

/* Records and maps a piece. On an error an owned piece is given back by axvm_memory_release. */
static int add_piece(struct axvm_vm *vm, const struct axvm_memory_region *piece)
{
	vm->regions[vm->region_count++] = *piece;
	return axvm_aspace_map(&vm->aspace, piece->gpa, piece->hpa, piece->bytes, piece->flags);
}

/* Host pages for at most `bytes`, aligned as well as the size is worth. */
static int take_piece(struct axvm_vm *vm, uint64_t bytes, struct axvm_hpa *hpa)
{
	uint64_t pages = bytes / AXVM_PAGE_BYTES;
	int error = AXVM_ENOMEM;

	if (!axvm_budget_take(&vm->budget, pages))
		return AXVM_ENOMEM;
	if (bytes >= LARGE_BYTES)
		error = axvm_hal_alloc_pages(pages, LARGE_BYTES, hpa);
	if (error && bytes >= BLOCK_BYTES)
		error = axvm_hal_alloc_pages(pages, BLOCK_BYTES, hpa);
	if (error)
		error = axvm_hal_alloc_pages(pages, AXVM_PAGE_BYTES, hpa);
	if (error)
		axvm_budget_give(&vm->budget, pages);
	return error;
}

/* Half of it, in whole blocks as long as it is more than one; 0: no smaller piece is possible. */
static uint64_t smaller(uint64_t bytes)
{
	uint64_t half = bytes / 2;

	return axvm_align_down(half, half >= BLOCK_BYTES ? BLOCK_BYTES : AXVM_PAGE_BYTES);
}

static int say_too_little(const struct axvm_config_memory *memory, uint64_t missing,
			  struct axvm_text *why)
{
	say_range(why, "memory ", memory->gpa.addr, memory->bytes, ": the host lacks ", 0);
	axvm_text_size(why, missing);
	axvm_text_string(why, " of free memory");
	return AXVM_ENOMEM;
}

static int make_allocated(struct axvm_vm *vm, const struct axvm_config_memory *memory,
			  struct axvm_text *why)
{
	uint64_t done = 0;
	uint64_t piece_bytes = memory->bytes;

	while (done < memory->bytes) {
		struct axvm_memory_region piece = {
			.gpa = axvm_gpa(memory->gpa.addr + done),
			.flags = memory->flags,
			.owned = true,
			.cleared_on_reset = true,
		};

		if (piece_bytes > memory->bytes - done)
			piece_bytes = memory->bytes - done;
		if (piece_bytes == 0 || !grow(vm))
			return say_too_little(memory, memory->bytes - done, why);
		if (take_piece(vm, piece_bytes, &piece.hpa)) {
			piece_bytes = smaller(piece_bytes);
			continue;
		}
		piece.bytes = piece_bytes;
		done += piece_bytes;
		int error = add_piece(vm, &piece);

		if (error)
			return say_range(why, "memory ", memory->gpa.addr, memory->bytes,
					 ": cannot be mapped", error);
	}
	return 0;
}

static int claim(struct axvm_vm *vm, const struct axvm_memory_region *piece)
{
	uint64_t pages = piece->bytes / AXVM_PAGE_BYTES;

	if (!axvm_budget_take(&vm->budget, pages))
		return AXVM_ENOMEM;
	int error = axvm_hal_claim_pages(piece->hpa, pages);

	if (error)
		axvm_budget_give(&vm->budget, pages);
	return error;
}

/* Identical and reserved memory: the host range of the same address. */
static int make_same(struct axvm_vm *vm, const struct axvm_config_memory *memory,
		     struct axvm_text *why)
{
	bool owned = memory->map_type == AXVM_MEMORY_IDENTICAL;
	const struct axvm_memory_region piece = {
		.gpa = memory->gpa,
		.hpa = axvm_hpa(memory->gpa.addr),
		.bytes = memory->bytes,
		.flags = memory->flags,
		.owned = owned,
		.cleared_on_reset = owned,
	};

	if (!grow(vm))
		return say_too_little(memory, AXVM_PAGE_BYTES, why);
	if (!owned && !axvm_hal_may_pass_through(piece.hpa, piece.bytes))
		return say_range(why, "reserved memory ", piece.hpa.addr, piece.bytes,
				 ": the host does not leave this range to guests", AXVM_EPERM);
	int error = owned ? claim(vm, &piece) : 0;

	if (error)
		return say_range(why, "identical memory ", piece.hpa.addr, piece.bytes,
				 ": not free in the host", error);
	error = add_piece(vm, &piece);
	if (error)
		return say_range(why, "memory ", piece.gpa.addr, piece.bytes, ": cannot be mapped",
				 error);
	return 0;
}

static int check_one(const struct axvm_vm *vm, const struct axvm_config_memory *memory,
		     struct axvm_text *why)
{
	uint64_t gpa = memory->gpa.addr;
	uint64_t limit = (uint64_t)1 << vm->aspace.format->input_bits;

	if (memory->bytes == 0 || !axvm_is_aligned(gpa | memory->bytes, AXVM_PAGE_BYTES) ||
	    (unsigned)memory->map_type > AXVM_MEMORY_RESERVED)
		return say_range(why, "memory ", gpa, memory->bytes,
				 ": not whole pages, empty, or of an unknown map_type",
				 AXVM_EINVAL);
	if (!axvm_range_contains(0, limit, gpa, memory->bytes))
		return say_range(why, "memory ", gpa, memory->bytes,
				 ": beyond the guest-physical addresses of this CPU", AXVM_ERANGE);
	return 0;
}

static int check_all(const struct axvm_vm *vm, struct axvm_text *why)
{
	const struct axvm_config *config = vm->config;

	for (uint32_t i = 0; i < config->memory_count; i++) {
		const struct axvm_config_memory *a = &config->memory[i];
		int error = check_one(vm, a, why);

		if (error)
			return error;
		for (uint32_t k = 0; k < i; k++) {
			const struct axvm_config_memory *b = &config->memory[k];

			if (axvm_ranges_overlap(a->gpa.addr, a->bytes, b->gpa.addr, b->bytes))
				return say_range(why, "memory ", a->gpa.addr, a->bytes,
						 ": overlaps another memory region", AXVM_EEXIST);
		}
	}
	return 0;
}

void axvm_memory_clear(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->region_count; i++) {
		if (vm->regions[i].cleared_on_reset)
			clear(&vm->regions[i]);
	}
}

int axvm_memory_make(struct axvm_vm *vm, struct axvm_text *why)
{
	int error = check_all(vm, why);

	for (uint32_t i = 0; i < vm->config->memory_count && error == 0; i++) {
		const struct axvm_config_memory *memory = &vm->config->memory[i];

		error = memory->map_type == AXVM_MEMORY_ALLOC ? make_allocated(vm, memory, why)
							      : make_same(vm, memory, why);
	}
	if (error == 0) /* only now: clearing takes long, too long for what is then refused */
		axvm_memory_clear(vm);
	return error;
}

void axvm_memory_release(struct axvm_vm *vm)
{
	while (vm->region_count > 0) {
		const struct axvm_memory_region *region = &vm->regions[--vm->region_count];
		uint64_t pages = region->bytes / AXVM_PAGE_BYTES;

		if (!region->owned)
			continue;
		axvm_hal_free_pages(region->hpa, pages);
		axvm_budget_give(&vm->budget, pages);
	}
}

const struct axvm_memory_region *axvm_memory_find(const struct axvm_vm *vm, uint64_t gpa,
						  uint64_t bytes)
{
	for (uint32_t i = 0; i < vm->region_count; i++) {
		const struct axvm_memory_region *region = &vm->regions[i];

		if (axvm_ranges_overlap(region->gpa.addr, region->bytes, gpa, bytes))
			return region;
	}
	return NULL;
}

/* Whether the range meets RAM, an emulated device or a device that is passed through. */
static bool is_taken(const struct axvm_vm *vm, uint64_t gpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < vm->mmio.count; i++) {
		if (axvm_ranges_overlap(vm->mmio.regions[i].base, vm->mmio.regions[i].bytes, gpa,
					bytes))
			return true;
	}
	for (uint32_t i = 0; i < vm->passthrough_count; i++) {
		if (axvm_ranges_overlap(vm->passthrough[i].gpa.addr, vm->passthrough[i].bytes, gpa,
					bytes))
			return true;
	}
	return axvm_memory_find(vm, gpa, bytes) != NULL;
}

static int map_locked(struct axvm_vm *vm, const struct axvm_memory_region *region)
	AXVM_REQUIRES(vm->lock)
{
	if (axvm_vm_state(vm) == AXVM_VM_GONE)
		return AXVM_ESTATE;
	if (is_taken(vm, region->gpa.addr, region->bytes))
		return AXVM_EEXIST;
	if (!grow(vm))
		return AXVM_ENOMEM;
	int error = axvm_aspace_map(&vm->aspace, region->gpa, region->hpa, region->bytes,
				    region->flags);

	if (error == 0)
		vm->regions[vm->region_count++] = *region;
	return error;
}

int axvm_vm_map_region(struct axvm_vm *vm, struct axvm_gpa gpa, struct axvm_hpa hpa, uint64_t bytes,
		       uint32_t flags)
{
	const struct axvm_memory_region region = {
		.gpa = gpa,
		.hpa = hpa,
		.bytes = bytes,
		.flags = flags,
		.mapped_later = true,
	};

	if (bytes == 0 || !axvm_is_aligned(gpa.addr | hpa.addr | bytes, AXVM_PAGE_BYTES))
		return AXVM_EINVAL;
	if (axvm_range_wraps(gpa.addr, bytes) || axvm_range_wraps(hpa.addr, bytes))
		return AXVM_ERANGE;
	if (!axvm_hal_may_pass_through(hpa, bytes))
		return AXVM_EPERM;
	axvm_lock_take(&vm->lock);
	int error = map_locked(vm, &region);

	axvm_lock_drop(&vm->lock);
	return error;
}

static int unmap_locked(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t bytes)
	AXVM_REQUIRES(vm->lock)
{
	if (axvm_vm_state(vm) == AXVM_VM_GONE)
		return AXVM_ESTATE;
	for (uint32_t i = 0; i < vm->region_count; i++) {
		struct axvm_memory_region *region = &vm->regions[i];

		if (!region->mapped_later || region->gpa.addr != gpa.addr || region->bytes != bytes)
			continue;
		int error = axvm_aspace_unmap(&vm->aspace, gpa, bytes);

		if (error == 0)
			*region = vm->regions[--vm->region_count];
		return error;
	}
	return AXVM_ENOENT;
}

int axvm_vm_unmap_region(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t bytes)
{
	axvm_lock_take(&vm->lock);
	int error = unmap_locked(vm, gpa, bytes);

	axvm_lock_drop(&vm->lock);
	return error;
}
