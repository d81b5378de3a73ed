/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's APLIC of supervisor level [AIA 4]. Direct mode: a level that was claimed is masked until it
 * is completed, since it pends as long as its line is high; an edge needs nothing. MSI mode: a level sends
 * once, and once more when its completion finds the line still high (setipnum, [AIA 4.9.2]).
 */
#include "irq.h"
#include "irq_fdt.h"
#include "lines.h"
#include "mmio.h"

#define DOMAINCFG 0x0000
#define DOMAINCFG_DM (1u << 2)
#define DOMAINCFG_IE (1u << 8)
#define SOURCECFG 0x0004
#define CLRIPNUM 0x1ddc
#define SETIPNUM 0x1cdc
#define SETIENUM 0x1edc
#define CLRIE 0x1f00
#define CLRIENUM 0x1fdc
#define TARGET 0x3004
#define IDC 0x4000
#define IDC_BYTES 32u
#define IDELIVERY 0x00
#define IFORCE 0x04
#define ITHRESHOLD 0x08
#define CLAIMI 0x1c
#define TARGET_HART_SHIFT 18
#define TARGET_GUEST_SHIFT 12

#define SM_EDGE_RISING 4u
#define SM_EDGE_FALLING 5u
#define SM_LEVEL_HIGH 6u
#define SM_LEVEL_LOW 7u
#define FLAGS_INVERTED (2u | 8u) /* falling, low */

static uintptr_t aplic;
static uint32_t sources; /* one more than the last */
static uint32_t idcs[AXVM_CPUS_MAX];
static bool levels[AXVM_LINES]; /* of open sources; those are level-sensitive */

static uint32_t limit(void)
{
	return sources;
}

static void set_source(uint32_t irq, uint32_t mode)
{
	axvm_mmio_write32(aplic + SOURCECFG + (irq - 1) * 4ULL, mode);
}

static void set_target(uint32_t irq, uint32_t target)
{
	axvm_mmio_write32(aplic + TARGET + (irq - 1) * 4ULL, target);
}

static uint32_t mode_for(uint32_t irq, bool edge)
{
	bool inverted = (axvm_bare_line_flags(irq) & FLAGS_INVERTED) != 0;

	if (edge)
		return inverted ? SM_EDGE_FALLING : SM_EDGE_RISING;
	return inverted ? SM_LEVEL_LOW : SM_LEVEL_HIGH;
}

static void close(uint32_t irq)
{
	axvm_mmio_write32(aplic + CLRIENUM, irq);
	axvm_mmio_write32(aplic + CLRIPNUM, irq);
	set_source(irq, 0); /* inactive: nothing enables it before it is opened */
}

static void start(uint32_t irq, bool edge)
{
	levels[irq] = !edge;
	axvm_mmio_write32(aplic + CLRIPNUM, irq);
	axvm_mmio_write32(aplic + SETIENUM, irq);
}

/* ---- direct mode --------------------------------------------------------------------------------- */

static void direct_cpu_init(struct axvm_cpu *cpu)
{
	uint32_t idc = idcs[cpu->index];

	cpu->interrupt_frame = 0;
	if (idc == AXVM_IRQ_NO_TARGET)
		return;
	cpu->interrupt_frame = aplic + IDC + (uintptr_t)idc * IDC_BYTES;
	axvm_mmio_write32(cpu->interrupt_frame + IFORCE, 0);
	axvm_mmio_write32(cpu->interrupt_frame + ITHRESHOLD, 0);
	axvm_mmio_write32(cpu->interrupt_frame + IDELIVERY, 1);
}

static uint32_t direct_claim(struct axvm_cpu *cpu)
{
	uint32_t irq = cpu->interrupt_frame == 0
			       ? 0
			       : axvm_mmio_read32(cpu->interrupt_frame + CLAIMI) >> 16 & 0x3ff;

	if (irq == 0)
		return AXVM_IRQ_NONE;
	if (irq < sources && levels[irq])
		axvm_mmio_write32(aplic + CLRIENUM, irq);
	return irq;
}

static void direct_complete(uint32_t irq)
{
	if (levels[irq])
		axvm_mmio_write32(aplic + SETIENUM, irq);
}

/* A hart without a place in the domain takes none: the first CPU does. Priority 1 for all. */
static void direct_route(uint32_t irq, uint32_t cpu)
{
	uint32_t idc = idcs[cpu] == AXVM_IRQ_NO_TARGET ? idcs[0] : idcs[cpu];

	set_target(irq, idc << TARGET_HART_SHIFT | 1);
}

static void direct_open(uint32_t irq, bool edge, uint32_t cpu)
{
	set_source(irq, mode_for(irq, edge));
	direct_route(irq, cpu);
	start(irq, edge);
}

static const struct axvm_irq_chip direct_chip = {
	.controller = AXVM_RISCV64_APLIC,
	.limit = limit,
	.cpu_init = direct_cpu_init,
	.claim = direct_claim,
	.open = direct_open,
	.close = close,
	.route = direct_route,
	.complete = direct_complete,
};

/* ---- MSI mode ------------------------------------------------------------------------------------ */

static uint32_t msi_claim(struct axvm_cpu *cpu)
{
	uint32_t eiid = axvm_bare_imsic_claim();

	(void)cpu;
	if (eiid == 0)
		return AXVM_IRQ_NONE;
	return eiid <= AXVM_EIID_WIRED ? 0 : eiid - AXVM_EIID_WIRED;
}

/* Pends, and so sends, if the line is high still. */
static void msi_complete(uint32_t irq)
{
	if (levels[irq])
		axvm_mmio_write32(aplic + SETIPNUM, irq);
}

void axvm_bare_aplic_route(uint32_t irq, uint32_t cpu, uint32_t file, uint32_t eiid)
{
	uint32_t index = axvm_bare_imsic_index(cpu);

	if (index == AXVM_IRQ_NO_TARGET)
		index = axvm_bare_imsic_index(0);
	set_target(irq, index << TARGET_HART_SHIFT | file << TARGET_GUEST_SHIFT | eiid);
}

static void msi_route(uint32_t irq, uint32_t cpu)
{
	axvm_bare_aplic_route(irq, cpu, 0, AXVM_EIID_WIRED + irq);
}

/* A level that is high already has no edge any more to send at: setipnum asks for it. */
static void msi_open(uint32_t irq, bool edge, uint32_t cpu)
{
	set_source(irq, mode_for(irq, edge));
	msi_route(irq, cpu);
	start(irq, edge);
	msi_complete(irq);
}

static const struct axvm_irq_chip msi_chip = {
	.controller = AXVM_RISCV64_AIA,
	.limit = limit,
	.cpu_init = axvm_bare_imsic_cpu_init,
	.claim = msi_claim,
	.open = msi_open,
	.close = close,
	.route = msi_route,
	.complete = msi_complete,
};

/* ---- finding it ----------------------------------------------------------------------------------- */

static void quiet(void)
{
	axvm_mmio_write32(aplic + DOMAINCFG, 0);
	for (uint32_t i = 0; i < sources; i += 32)
		axvm_mmio_write32(aplic + CLRIE + i / 8, UINT32_MAX);
	for (uint32_t irq = 1; irq < sources; irq++)
		set_source(irq, 0);
}

static bool has_room(uint64_t bytes, bool msi)
{
	uint64_t needed = IDC;

	for (uint32_t i = 0; !msi && i < AXVM_CPUS_MAX; i++) {
		uint64_t end =
			idcs[i] == AXVM_IRQ_NO_TARGET ? 0 : IDC + (idcs[i] + 1ULL) * IDC_BYTES;
		needed = end > needed ? end : needed;
	}
	return bytes >= needed;
}

const struct axvm_irq_chip *axvm_bare_aplic_init(const void *fdt, int node, bool msi,
						 const char **why)
{
	struct axvm_irq_region region;
	uint32_t last = axvm_bare_irq_cell(fdt, node, "riscv,num-sources", 0);

	(void)axvm_bare_irq_targets(fdt, node, idcs);
	/* A wired source needs a number of its own in the interrupt files. */
	if (msi && last > axvm_bare_imsic_ids() - AXVM_EIID_WIRED)
		last = axvm_bare_imsic_ids() - AXVM_EIID_WIRED;
	sources = last < AXVM_LINES ? last + 1 : AXVM_LINES;
	if (last == 0 || !axvm_bare_irq_region(fdt, node, 0, &region) ||
	    !has_room(region.bytes, msi)) {
		*why = "the APLIC's reg or riscv,num-sources property in the machine's device tree "
		       "is malformed";
		return NULL;
	}
	aplic = (uintptr_t)axvm_bare_map_device(axvm_hpa(region.hpa), region.bytes);
	if (aplic == 0) {
		*why = "no memory to map the interrupt controller";
		return NULL;
	}
	quiet();
	axvm_mmio_write32(aplic + DOMAINCFG, DOMAINCFG_IE | (msi ? DOMAINCFG_DM : 0));
	if (((axvm_mmio_read32(aplic + DOMAINCFG) & DOMAINCFG_DM) != 0) != msi) {
		*why = msi ? "the machine's APLIC does not send MSIs to its IMSICs (domaincfg.DM)"
			   : "the machine's APLIC sends MSIs only, and there is no IMSIC for "
			     "supervisor level in the device tree";
		return NULL;
	}
	return msi ? &msi_chip : &direct_chip;
}
