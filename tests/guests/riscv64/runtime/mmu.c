// SPDX-License-Identifier: Apache-2.0
/*
 * Sv39: the lower 256 GiB as they are, by leaves of 1 GiB, and the window. All of it may be executed:
 * guests write code. The leaves have A and D set, since harts need not set them.
 */
#include "internal.h"

_Alignas(4096) uint64_t guest_root[512];

/* Runs with satp 0. */
void guest_mmu_build(void)
{
	for (uint64_t i = 0; i < 256; i++)
		guest_root[i] = PTE_OF(i * GUEST_GIB) | PTE_LEAF;
}

void guest_mmu_on(void)
{
	WRITE_CSR(satp, SATP_SV39 | (uintptr_t)guest_root >> 12);
	guest_tlb_flush();
	SET_CSR(sstatus, 1ull << 13); /* FS initial */
}

void guest_tlb_flush(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

void guest_tables_written(void)
{
	guest_tlb_flush(); /* entries that are not valid may be cached, too */
}

uint64_t guest_entry_table(uint64_t table)
{
	return PTE_OF(table) | PTE_V;
}

uint64_t guest_entry_page(uint64_t physical)
{
	return PTE_OF(physical) | PTE_LEAF;
}

static void set_window(uint64_t entry)
{
	guest_root[511] = entry;
	guest_tlb_flush();
}

/* Without Svpbmt the platform alone says what a place's attributes are. */
void guest_window(uint64_t gib, enum guest_attribute attribute)
{
	static const uint64_t types[] = { 2ull << 61, 0, 1ull << 61 }; /* IO, PMA, NC */

	set_window(PTE_OF(gib * GUEST_GIB) | PTE_LEAF |
		   (guest_isa_has("svpbmt") ? types[attribute] : 0));
}

void guest_window_table(uint64_t table)
{
	set_window(guest_entry_table(table));
}

uint32_t guest_pa_bits(void)
{
	return 56;
}

void guest_sync_code(void *code, size_t bytes)
{
	(void)code;
	(void)bytes;
	__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
}

void guest_write_function(uint32_t *code, uint32_t value)
{
	code[0] = (value & 0x7ff) << 20 | 10u << 7 | 0x13; /* li a0, value */
	code[1] = 0x00008067;				   /* ret */
	guest_sync_code(code, 8);
}
