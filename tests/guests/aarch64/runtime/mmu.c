// SPDX-License-Identifier: Apache-2.0
/*
 * Identity map of 39 bits: 1 GiB blocks of device memory, and one level 2 table for the GiB that
 * the image is in, whose RAM is normal memory. All of it may be executed: guests write code.
 */
#include "internal.h"

#define BLOCK 1u
#define TABLE 3u
#define ACCESSED (1u << 10)
#define INNER_SHAREABLE (3u << 8)
#define MIB2 (2ull << 20)

_Alignas(4096) uint64_t guest_level1[512];
_Alignas(4096) static uint64_t level2[512];

static uint64_t block(uint64_t address, enum guest_attribute attribute)
{
	return address | ACCESSED | INNER_SHAREABLE | (uint64_t)attribute << 2 | BLOCK;
}

static uint64_t image_gib(void)
{
	return (uint64_t)(uintptr_t)_start / GUEST_GIB;
}

/* Runs with the MMU off. */
void guest_mmu_build(void)
{
	uint64_t gib = image_gib();

	for (uint64_t i = 0; i < 512; i++) {
		guest_level1[i] = block(i * GUEST_GIB, GUEST_DEVICE);
		level2[i] = block(gib * GUEST_GIB + i * MIB2, GUEST_NORMAL);
	}
	guest_level1[gib] = (uint64_t)(uintptr_t)level2 | TABLE;
}

void guest_mmu_tighten(void)
{
	uint64_t base = image_gib() * GUEST_GIB;
	uint64_t ram_end = guest_machine.ram_base + guest_machine.ram_bytes;

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t at = base + i * MIB2;

		if (at + MIB2 <= guest_machine.ram_base || at >= ram_end)
			level2[i] = block(at, GUEST_DEVICE);
	}
	guest_tlb_flush();
}

uint32_t guest_pa_bits(void)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
	uint64_t range = READ_SYSREG(id_aa64mmfr0_el1) & 0xf;

	return bits[range < 5 ? range : 5];
}

void guest_mmu_on(void)
{
	uint64_t range = READ_SYSREG(id_aa64mmfr0_el1) & 0xf;
	uint64_t tcr = (64 - GUEST_VA_BITS) | 1u << 8 | 1u << 10 | 3u << 12 | 1u << 23;

	tcr |= (range < 5 ? range : 5) << 32;
	WRITE_SYSREG(mair_el1, 0x44ff04);
	WRITE_SYSREG(tcr_el1, tcr);
	WRITE_SYSREG(ttbr0_el1, (uintptr_t)guest_level1);
	WRITE_SYSREG(cpacr_el1, 3u << 20);
	guest_tlb_flush();
	/* RES1 bits of ARMv8.0, instruction and data cache, MMU; alignment is not checked. */
	WRITE_SYSREG(sctlr_el1, 0x30d00800u | 1u << 12 | 1u << 2 | 1u);
}

void guest_tlb_flush(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

void guest_tables_written(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

uint64_t guest_entry_table(uint64_t table)
{
	return table | TABLE;
}

/* A page's low bits are those of a table, one level further down. */
uint64_t guest_entry_page(uint64_t physical)
{
	return block(physical, GUEST_NORMAL) | TABLE;
}

static void set_window(uint64_t entry)
{
	guest_level1[511] = 0;
	guest_tlb_flush();
	guest_level1[511] = entry;
	guest_tlb_flush();
}

void guest_window(uint64_t gib, enum guest_attribute attribute)
{
	set_window(block(gib * GUEST_GIB, attribute));
}

void guest_window_table(uint64_t table)
{
	set_window(guest_entry_table(table));
}

void guest_sync_code(void *code, size_t bytes)
{
	uint64_t end = (uint64_t)(uintptr_t)code + bytes;

	for (uint64_t at = (uint64_t)(uintptr_t)code & ~15ull; at < end; at += 16)
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0" ::"r"(at) : "memory");
	guest_barrier();
}

void guest_write_function(uint32_t *code, uint32_t value)
{
	code[0] = 0xd2800000u | (value & 0xffff) << 5; /* mov x0, value */
	code[1] = 0xd65f03c0u;			       /* ret */
	guest_sync_code(code, 8);
}
