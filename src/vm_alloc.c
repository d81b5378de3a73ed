/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives as long as its VM. Small pieces are cut from pages that
 * begin with their own record; from a page on, whole pages, whose record is
 * such a small piece. Records are pushed in front, so that walking the list
 * frees a record's page after everything that the record describes.
 */
#include <string.h>

#include <axvm/hal.h>

#include "budget.h"
#include "vm_parts.h"

#define PIECE_BYTES 16u /* alignment, and granularity */
#define HEAD_BYTES ((sizeof(struct axvm_vm_chunk) + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES)

/* Zeroed pages, paid for; `chunk` says which. False: no memory or no budget. */
static bool take_pages(struct axvm_vm *vm, uint64_t pages, struct axvm_vm_chunk *chunk)
{
	if (!axvm_budget_take(&vm->budget, pages))
		return false;
	if (axvm_hal_alloc_pages(pages, AXVM_PAGE_BYTES, &chunk->hpa)) {
		axvm_budget_give(&vm->budget, pages);
		return false;
	}
	chunk->pages = pages;
	chunk->address = axvm_hal_map(chunk->hpa, pages * AXVM_PAGE_BYTES);
	memset(chunk->address, 0, pages * AXVM_PAGE_BYTES);
	return true;
}

static void give_pages(struct axvm_vm *vm, const struct axvm_vm_chunk *chunk)
{
	axvm_hal_unmap(chunk->address, chunk->pages * AXVM_PAGE_BYTES);
	axvm_hal_free_pages(chunk->hpa, chunk->pages);
	axvm_budget_give(&vm->budget, chunk->pages);
}

/* The front page of small pieces, a new one when it has no room. */
static struct axvm_vm_chunk *page_with_room(struct axvm_vm *vm, uint64_t bytes)
{
	struct axvm_vm_chunk chunk = { .used_bytes = HEAD_BYTES };

	for (struct axvm_vm_chunk *at = vm->chunks; at != NULL; at = at->next) {
		if (at->address == at && bytes <= AXVM_PAGE_BYTES - at->used_bytes)
			return at;
	}
	if (!take_pages(vm, 1, &chunk))
		return NULL;
	struct axvm_vm_chunk *page = chunk.address;

	*page = chunk;
	page->next = vm->chunks;
	vm->chunks = page;
	return page;
}

static void *take_piece(struct axvm_vm *vm, uint64_t bytes)
{
	uint64_t whole = axvm_align_down(bytes + PIECE_BYTES - 1, PIECE_BYTES);
	struct axvm_vm_chunk *page = page_with_room(vm, whole);

	if (page == NULL)
		return NULL;
	void *piece = (uint8_t *)page->address + page->used_bytes;

	page->used_bytes += whole;
	return piece;
}

/* When it fails the record stays unused until the VM goes: 16-byte pieces are not given back. */
static void *take_large(struct axvm_vm *vm, uint64_t bytes)
{
	struct axvm_vm_chunk chunk = { .used_bytes = bytes };
	uint64_t pages = (bytes - 1) / AXVM_PAGE_BYTES + 1;
	struct axvm_vm_chunk *record = take_piece(vm, sizeof(*record));

	if (record == NULL || !take_pages(vm, pages, &chunk))
		return NULL;
	*record = chunk;
	record->next = vm->chunks;
	vm->chunks = record;
	return chunk.address;
}

void *axvm_vm_alloc(struct axvm_vm *vm, uint64_t bytes)
{
	if (bytes == 0 || bytes > UINT64_MAX / 2)
		return NULL;
	if (bytes <= AXVM_PAGE_BYTES - HEAD_BYTES)
		return take_piece(vm, bytes);
	return take_large(vm, bytes);
}

/* The record of what take_large has taken is the first of the list. */
void *axvm_vm_alloc_page(struct axvm_vm *vm, struct axvm_hpa *hpa)
{
	void *page = take_large(vm, AXVM_PAGE_BYTES);

	if (page != NULL)
		*hpa = vm->chunks->hpa;
	return page;
}

void axvm_vm_free_chunks(struct axvm_vm *vm)
{
	while (vm->chunks != NULL) {
		const struct axvm_vm_chunk chunk = *vm->chunks;

		vm->chunks = chunk.next;
		give_pages(vm, &chunk);
	}
}
