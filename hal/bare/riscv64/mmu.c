/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The own map's format, Sv39; invalidation, here and on other harts; caches. Other harts are reached by
 * the firmware, with one request for a whole range and all harts: nothing is asked of it as long as only
 * this CPU is concerned.
 */
#include "bare.h"
#include "cpu.h"
#include "csr.h"
#include "layout.h"
#include "map.h"
#include "pte.h"
#include "sbi.h"

#define PTE_U (1ULL << 4)
#define PTE_G (1ULL << 5)
#define LOCAL_PAGES_AT_ONCE 64u

static struct axvm_pte_format sv39;

/* The entries of the G stage [RISCV-H 18.5.1], but of the supervisor and in all address spaces. */
static uint64_t make_leaf(struct axvm_hpa hpa, uint32_t level, uint32_t flags)
{
	const struct axvm_pte_format *gstage =
		axvm_riscv64_gstage_format(AXVM_RISCV64_HGATP_SV39X4, false);

	return (gstage->make_leaf(hpa, level, flags) & ~PTE_U) | PTE_G;
}

const struct axvm_pte_format *axvm_bare_map_format(void)
{
	sv39 = *axvm_riscv64_gstage_format(AXVM_RISCV64_HGATP_SV39X4, false);
	sv39.name = "Sv39";
	sv39.input_bits = AXVM_VA_BITS;
	sv39.root_pages = 1;
	sv39.root_align_pages = 1;
	sv39.make_leaf = make_leaf;
	return &sv39;
}

uint64_t axvm_bare_satp(void)
{
	return 1ULL << AXVM_SATP_SV39_SHIFT | axvm_bare_map_root().addr >> AXVM_PAGE_SHIFT;
}

void axvm_bare_mmu_switch(void)
{
	axvm_fence();
	write_satp(axvm_bare_satp());
	axvm_sfence_vma_all();
}

void axvm_bare_mmu_cpu_init(void)
{
	write_hgatp(0);
	axvm_hfence_gvma_all();
}

/* ---- invalidation ---------------------------------------------------------------------------- */

static uint64_t this_cpu_bit(void)
{
	const struct axvm_cpu *cpu = axvm_bare_this_cpu();

	return 1ULL << (cpu == NULL ? 0 : cpu->index);
}

uint64_t axvm_bare_other_cpus(void)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < axvm_cpu_count_present; i++)
		mask |= (uint64_t)axvm_cpus[i].online << i;
	return mask & ~this_cpu_bit();
}

static void flush_own(void)
{
	uint64_t others = axvm_bare_other_cpus();

	axvm_sfence_vma_all();
	if (others != 0)
		axvm_bare_sbi_sfence_vma(others);
}

static void flush_gstage_here(uint32_t vmid, uint64_t gpa, uint64_t bytes)
{
	uint64_t pages = bytes / AXVM_PAGE_BYTES;

	if (vmid == 0) {
		axvm_hfence_gvma_all();
	} else if (pages == 0 || pages > LOCAL_PAGES_AT_ONCE) {
		axvm_hfence_gvma_vmid(vmid);
	} else {
		for (; pages > 0; pages--, gpa += AXVM_PAGE_BYTES)
			axvm_hfence_gvma_page(gpa, vmid);
	}
}

/* A CPU that has never had the VM has nothing of it; one that gets it now reads the tables after this. */
void axvm_hal_tlb_flush(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes)
{
	axvm_fence();
	if (axvm_bare_map_is_own(aspace)) {
		flush_own();
		return;
	}
	uint64_t cpus = atomic_load_explicit(&aspace->cpus, memory_order_seq_cst);
	uint32_t vmid = axvm_bare_vmid(aspace);

	if ((cpus & ~this_cpu_bit()) != 0)
		axvm_bare_sbi_hfence_gvma(cpus, gpa.addr, bytes, vmid);
	else if (cpus != 0)
		flush_gstage_here(vmid, gpa.addr, bytes);
}

/* ---- fences of guests ------------------------------------------------------------------------ */

static void fence_vma_here(uint64_t start, uint64_t bytes, bool by_asid, uint64_t asid)
{
	uint64_t pages = bytes / AXVM_PAGE_BYTES;
	bool all = bytes == 0 || pages >= LOCAL_PAGES_AT_ONCE;

	if (all && by_asid)
		axvm_hfence_vvma_asid(asid);
	else if (all)
		axvm_hfence_vvma_all();
	if (all)
		return;
	uint64_t first = axvm_align_down(start, AXVM_PAGE_BYTES);
	for (uint64_t offset = 0; offset < bytes + (start - first); offset += AXVM_PAGE_BYTES) {
		if (by_asid)
			axvm_hfence_vvma_page_asid(first + offset, asid);
		else
			axvm_hfence_vvma_page(first + offset);
	}
}

void axvm_hal_riscv64_fence(struct axvm_vcpu *vcpu, uint64_t cpu_mask, enum axvm_riscv64_fence kind,
			    uint64_t start, uint64_t bytes, uint64_t asid)
{
	bool is_remote = (cpu_mask & ~this_cpu_bit()) != 0;
	bool by_asid = kind == AXVM_RISCV64_FENCE_VMA_ASID;

	(void)vcpu; /* its VMID is in hgatp */
	if (cpu_mask == 0)
		return;
	if (bytes == UINT64_MAX)
		start = bytes = 0;
	if (kind == AXVM_RISCV64_FENCE_I && is_remote)
		axvm_bare_sbi_fence_i(cpu_mask);
	else if (kind == AXVM_RISCV64_FENCE_I)
		axvm_fence_i();
	else if (is_remote)
		axvm_bare_sbi_hfence_vvma(cpu_mask, start, bytes, by_asid, asid);
	else
		fence_vma_here(start, bytes, by_asid, asid);
}

/* ---- caches ---------------------------------------------------------------------------------- */

#define CBO_CLEAN ".insn i 0x0f, 2, x0, %0, 1"

/* Harts without Zicbom are coherent with whoever reads past the caches, or have no way to be. */
static void clean(const void *start, uint64_t bytes)
{
	uint64_t block = axvm_hal_riscv64_host()->cbom_block_bytes;
	uintptr_t end = (uintptr_t)start + bytes;

	axvm_fence();
	if (!axvm_bare_features.has_zicbom || block == 0)
		return;
	for (uintptr_t line = (uintptr_t)start & ~(block - 1); line < end; line += block)
		__asm__ volatile(CBO_CLEAN : : "r"(line) : "memory");
	axvm_fence();
}

/*
 * Instruction fetches do not see what was stored. Nor does a guest that maps its memory as not cached
 * with Svpbmt: it would find what the memory held before, which may be of another VM.
 */
void axvm_hal_cache_clean(void *start, uint64_t bytes)
{
	uint64_t others = axvm_bare_other_cpus();

	if (axvm_bare_features.has_svpbmt)
		clean(start, bytes);
	axvm_fence_i();
	if (others != 0)
		axvm_bare_sbi_fence_i(others);
}

void axvm_hal_cache_push(const void *start, uint64_t bytes)
{
	if (axvm_bare_features.has_svpbmt)
		clean(start, bytes);
}
