/* SPDX-License-Identifier: Apache-2.0 */
/* The format of the hypervisor's own map, stage 1 at EL2; invalidation; caches. */
#include "bare.h"
#include "cpu.h"
#include "layout.h"
#include "map.h"
#include "sysreg.h"

#define PTE_VALID (1ULL << 0)
#define PTE_TABLE_OR_PAGE (1ULL << 1)
#define PTE_ATTR(index) ((uint64_t)(index) << 2)
#define PTE_AP1 (1ULL << 6) /* RES1 in a regime with one range [ARM D8.4.1] */
#define PTE_READ_ONLY (1ULL << 7)
#define PTE_INNER_SHAREABLE (3ULL << 8)
#define PTE_AF (1ULL << 10)
#define PTE_XN (1ULL << 54)
#define PTE_ADDRESS 0x0000fffffffff000ULL
#define LAST_LEVEL 3u

uint64_t axvm_bare_root; /* TTBR0_EL2 of the final map, for the other CPUs' start */

static uint64_t make_table(struct axvm_hpa table)
{
	return table.addr | PTE_TABLE_OR_PAGE | PTE_VALID;
}

static uint64_t make_leaf(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	uint64_t entry = hpa.addr | PTE_VALID | PTE_AP1 | PTE_INNER_SHAREABLE | PTE_AF;

	if (level == LAST_LEVEL)
		entry |= PTE_TABLE_OR_PAGE;
	if ((flags & AXVM_MAP_WRITE) == 0)
		entry |= PTE_READ_ONLY;
	if ((flags & AXVM_MAP_EXECUTE) == 0)
		entry |= PTE_XN;
	if ((flags & AXVM_MAP_DEVICE) != 0)
		entry |= PTE_ATTR(AXVM_MAIR_DEVICE);
	else if ((flags & AXVM_MAP_UNCACHED) != 0)
		entry |= PTE_ATTR(AXVM_MAIR_UNCACHED);
	return entry;
}

static bool is_present(uint64_t entry)
{
	return (entry & PTE_VALID) != 0;
}

static bool is_leaf(uint64_t entry, uint32_t level)
{
	return is_present(entry) && (level == LAST_LEVEL || (entry & PTE_TABLE_OR_PAGE) == 0);
}

static struct axvm_hpa address(uint64_t entry, uint32_t level)
{
	(void)level;
	return axvm_hpa(entry & PTE_ADDRESS);
}

static uint32_t flags_of(uint64_t entry)
{
	uint32_t flags = AXVM_MAP_READ;

	if ((entry & PTE_READ_ONLY) == 0)
		flags |= AXVM_MAP_WRITE;
	if ((entry & PTE_XN) == 0)
		flags |= AXVM_MAP_EXECUTE;
	if ((entry & PTE_ATTR(7)) == PTE_ATTR(AXVM_MAIR_DEVICE))
		flags |= AXVM_MAP_DEVICE;
	if ((entry & PTE_ATTR(7)) == PTE_ATTR(AXVM_MAIR_UNCACHED))
		flags |= AXVM_MAP_UNCACHED;
	return flags;
}

static const struct axvm_pte_format stage1_el2 = {
	.name = "VMSAv8-64 stage 1 at EL2, 4 levels, 48 bits",
	.levels = 4,
	.input_bits = 48,
	.output_bits = 48,
	.root_pages = 1,
	.root_align_pages = 1,
	.block_levels = 1u << 1 | 1u << 2 | 1u << 3,
	.break_before_make = true,
	.make_table = make_table,
	.make_leaf = make_leaf,
	.is_present = is_present,
	.is_leaf = is_leaf,
	.address = address,
	.flags = flags_of,
};

const struct axvm_pte_format *axvm_bare_map_format(void)
{
	return &stage1_el2;
}

/* Switches to the final map; the caller runs at an address that both maps have. */
void axvm_bare_mmu_switch(void)
{
	axvm_bare_root = axvm_bare_map_root().addr;
	axvm_dsb_ish();
	if (!axvm_bare_at_el2()) {
		write_ttbr0_el1(axvm_bare_root);
		axvm_isb();
		__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
		return;
	}
	write_ttbr0_el2(axvm_bare_root);
	axvm_isb();
	__asm__ volatile("tlbi alle2\n\tdsb nsh\n\tisb" : : : "memory");
}

/* Turns on WXN: nothing writable is executable from now on [ARM D19.2.130]. */
void axvm_bare_mmu_harden(void)
{
	write_sctlr_el2(read_sctlr_el2() | 1ULL << 19);
	axvm_isb();
}

#define STAGE2_PAGES_AT_ONCE 512u

/* TLBI by VMID works on the VMID in VTTBR_EL2 [ARM D8.16]. */
static void flush_stage2(uint64_t vttbr, uint64_t gpa, uint64_t bytes)
{
	uint64_t before = read_vttbr_el2();

	if (before != vttbr) {
		write_vttbr_el2(vttbr);
		axvm_isb();
	}
	uint64_t pages = bytes / AXVM_PAGE_BYTES;
	if (pages == 0 || pages > STAGE2_PAGES_AT_ONCE) {
		__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	} else {
		for (uint64_t page = gpa / AXVM_PAGE_BYTES; pages > 0; page++, pages--)
			__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(page) : "memory");
		axvm_dsb_ish();
		/* Entries that combine both stages are found by VMID only. */
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	}
	axvm_dsb_ish();
	axvm_isb();
	if (before != vttbr) {
		write_vttbr_el2(before);
		axvm_isb();
	}
}

void axvm_hal_tlb_flush(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes)
{
	axvm_dsb_ish();
	if (!axvm_bare_at_el2())
		return; /* the own map alone, before axvm_bare_mmu_switch */
	if (!axvm_bare_map_is_own(aspace)) {
		flush_stage2((uint64_t)aspace->vmid << 48 | aspace->root.addr, gpa.addr, bytes);
		return;
	}
	__asm__ volatile("tlbi alle2is" : : : "memory");
	axvm_dsb_ish();
	axvm_isb();
}

#define CTR_IDC (1ULL << 28)
#define CTR_DIC (1ULL << 29)
#define CTR_DMIN_LINE(ctr) (4u << ((ctr) >> 16 & 0xf)) /* bytes */

bool axvm_bare_forces_write_back(void)
{
	return (read_id_aa64mmfr2_el1() >> 40 & 0xf) != 0;
}

void axvm_bare_clean(const void *start, uint64_t bytes)
{
	uintptr_t end = (uintptr_t)start + bytes;
	uintptr_t line_bytes = CTR_DMIN_LINE(read_ctr_el0());

	for (uintptr_t line = (uintptr_t)start & ~(line_bytes - 1); line < end; line += line_bytes)
		__asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
}

/*
 * A guest with its caches off reads memory past the caches, unless stage 2 forces write-back; and
 * instruction fetches look at the data cache only where CTR_EL0 says so [ARM D7.5].
 */
void axvm_hal_cache_clean(void *start, uint64_t bytes)
{
	uint64_t ctr = read_ctr_el0();

	axvm_dsb_ish();
	if (axvm_bare_forces_write_back() && (ctr & CTR_IDC) != 0 && (ctr & CTR_DIC) != 0)
		return;
	axvm_bare_clean(start, bytes);
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

void axvm_hal_cache_push(const void *start, uint64_t bytes)
{
	axvm_bare_clean(start, bytes);
}
