/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own map at EL2. It is an axvm_aspace like a guest's, over
 * the format of stage 1 at EL2, so that one walker serves both. VMID 0 marks
 * it for axvm_hal_tlb_flush.
 */
#include "bare.h"
#include "cpu.h"
#include "layout.h"
#include "pte_format.h"
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

extern const char axvm_image_start[], axvm_text_end[], axvm_rodata_end[], axvm_image_end[];

uint64_t axvm_bare_root; /* TTBR0_EL2 of the final map, for the other CPUs' start */

static struct axvm_aspace own;
static struct axvm_budget own_budget = { .limit_pages = UINT64_MAX };
static struct axvm_hpa image_hpa;

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

static int map_section(const char *from, const char *to, uint32_t flags)
{
	uint64_t offset = (uint64_t)(from - axvm_image_start);

	if (from == to)
		return 0;
	return axvm_aspace_map(&own, axvm_gpa((uintptr_t)from), axvm_hpa(image_hpa.addr + offset),
			       (uint64_t)(to - from), flags);
}

int axvm_bare_mmu_init(struct axvm_hpa image)
{
	image_hpa = image;
	int error = axvm_aspace_init(&own, &stage1_el2, 0, &own_budget);

	if (error == 0)
		error = map_section(axvm_image_start, axvm_text_end,
				    AXVM_MAP_READ | AXVM_MAP_EXECUTE);
	if (error == 0)
		error = map_section(axvm_text_end, axvm_rodata_end, AXVM_MAP_READ);
	if (error == 0)
		error = map_section(axvm_rodata_end, axvm_image_end,
				    AXVM_MAP_READ | AXVM_MAP_WRITE);
	axvm_bare_root = own.root.addr;
	return error;
}

/* Switches to the final map; the caller runs at an address that both maps have. */
void axvm_bare_mmu_switch(void)
{
	axvm_dsb_ish();
	if (!axvm_bare_at_el2()) {
		write_ttbr0_el1(own.root.addr);
		axvm_isb();
		__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
		return;
	}
	write_ttbr0_el2(own.root.addr);
	axvm_isb();
	__asm__ volatile("tlbi alle2\n\tdsb nsh\n\tisb" : : : "memory");
}

uint64_t axvm_bare_image_bytes(void)
{
	return (uint64_t)(axvm_image_end - axvm_image_start);
}

/* Turns on WXN: nothing writable is executable from now on [ARM D19.2.130]. */
void axvm_bare_mmu_harden(void)
{
	write_sctlr_el2(read_sctlr_el2() | 1ULL << 19);
	axvm_isb();
}

int axvm_bare_map_ram(struct axvm_hpa hpa, uint64_t bytes)
{
	if (!axvm_range_contains(0, AXVM_DIRECT_LIMIT, hpa.addr, bytes))
		return AXVM_ERANGE;
	return axvm_aspace_map(&own, axvm_gpa(AXVM_DIRECT_BASE + hpa.addr), hpa, bytes,
			       AXVM_MAP_READ | AXVM_MAP_WRITE);
}

#define DEVICE_FLAGS (AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE)

static int map_device_pages(uint64_t first, uint64_t bytes)
{
	return axvm_aspace_map(&own, axvm_gpa(AXVM_DIRECT_BASE + first), axvm_hpa(first), bytes,
			       DEVICE_FLAGS);
}

/* Page by page: a part of the range is mapped already. */
static int map_missing_pages(uint64_t first, uint64_t bytes)
{
	for (uint64_t page = first; page - first < bytes; page += AXVM_PAGE_BYTES) {
		int error = map_device_pages(page, AXVM_PAGE_BYTES);

		if (error != 0 && error != AXVM_EEXIST)
			return error;
	}
	return 0;
}

void *axvm_bare_map_device(struct axvm_hpa hpa, uint64_t bytes)
{
	uint64_t first = axvm_align_down(hpa.addr, AXVM_PAGE_BYTES);

	if (bytes == 0 || axvm_range_wraps(hpa.addr, bytes) ||
	    !axvm_range_contains(0, AXVM_DIRECT_LIMIT, hpa.addr, bytes))
		return NULL;
	uint64_t last = axvm_align_down(hpa.addr + bytes - 1, AXVM_PAGE_BYTES);
	uint64_t page_bytes = last - first + AXVM_PAGE_BYTES;
	int error = map_device_pages(first, page_bytes);

	if (error == AXVM_EEXIST)
		error = map_missing_pages(first, page_bytes);
	return error == 0 ? (void *)(uintptr_t)(AXVM_DIRECT_BASE + hpa.addr) : NULL;
}

uint64_t axvm_bare_make_stack(uint32_t cpu)
{
	uint64_t bottom = AXVM_STACK_BASE + (uint64_t)cpu * AXVM_STACK_SLOT_BYTES + AXVM_PAGE_BYTES;
	struct axvm_hpa hpa;

	if (axvm_hal_alloc_pages(AXVM_STACK_BYTES / AXVM_PAGE_BYTES, AXVM_PAGE_BYTES, &hpa) != 0)
		return 0;
	if (axvm_aspace_map(&own, axvm_gpa(bottom), hpa, AXVM_STACK_BYTES,
			    AXVM_MAP_READ | AXVM_MAP_WRITE) != 0) {
		axvm_hal_free_pages(hpa, AXVM_STACK_BYTES / AXVM_PAGE_BYTES);
		return 0;
	}
	return bottom + AXVM_STACK_BYTES;
}

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	(void)bytes;
	return (void *)(uintptr_t)(AXVM_DIRECT_BASE + hpa.addr);
}

void axvm_hal_unmap(void *map, uint64_t bytes)
{
	(void)map;
	(void)bytes;
}

/* The host-physical address of an object of the image. */
uint64_t axvm_bare_image_hpa(const void *object)
{
	return image_hpa.addr + (uint64_t)((const char *)object - axvm_image_start);
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
	if (aspace->vmid != 0) {
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
