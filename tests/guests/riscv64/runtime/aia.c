// SPDX-License-Identifier: Apache-2.0
/* APLIC and IMSIC drivers [AIA 3, 4]: of S mode's domain, with MSIs where the harts have files. */
#include "internal.h"

#include <libfdt.h>

#define DOMAINCFG 0x0000u
#define SOURCECFG 0x0004u
#define SETIENUM 0x1edcu
#define CLRIENUM 0x1fdcu
#define TARGET 0x3004u
#define IDC 0x4000u
#define IDC_BYTES 32u
#define CLAIMI 0x1cu
#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIE0 0xc0u

struct guest_aia guest_aia;

void guest_aia_write(uint32_t select, uint64_t value)
{
	WRITE_CSR(0x150, select); /* siselect */
	WRITE_CSR(0x151, value);  /* sireg */
}

uint64_t guest_aia_read(uint32_t select)
{
	WRITE_CSR(0x150, select);
	return READ_CSR(0x151);
}

/* Whose S-mode interrupts (irq 9) the node's interrupts-extended names, in its order. */
static bool read_targets(const void *fdt, int node, uint32_t targets[GUEST_CPUS_MAX])
{
	bool found = false;
	uint32_t phandle;
	uint32_t irq = 0;

	for (int i = 0; guest_fdt_cell(fdt, node, "interrupts-extended", 2 * i, &phandle); i++) {
		int cpu = guest_fdt_cpu_of_phandle(fdt, phandle);

		if (cpu >= 0 && guest_fdt_cell(fdt, node, "interrupts-extended", 2 * i + 1, &irq) &&
		    irq == 9) {
			targets[cpu] = (uint32_t)i;
			found = true;
		}
	}
	return found;
}

/* Machines have files for M mode, too. Returns the node's phandle, 0: there is none. */
static uint32_t read_imsic(const void *fdt)
{
	uint32_t guest_bits = 0;
	uint64_t bytes;
	int node;

	for (node = fdt_node_offset_by_compatible(fdt, -1, "riscv,imsics"); node >= 0;
	     node = fdt_node_offset_by_compatible(fdt, node, "riscv,imsics")) {
		if (!read_targets(fdt, node, guest_aia.target) ||
		    !guest_fdt_reg(fdt, node, 0, &guest_aia.imsic, &bytes))
			continue;
		(void)guest_fdt_cell(fdt, node, "riscv,guest-index-bits", 0, &guest_bits);
		(void)guest_fdt_cell(fdt, node, "riscv,num-ids", 0, &guest_aia.ids);
		guest_aia.file_bytes = 4096ull << (guest_bits & 7);
		return fdt_get_phandle(fdt, node);
	}
	return 0;
}

static bool is_ours(const void *fdt, int node, uint32_t imsic)
{
	uint32_t parent = 0;

	if (imsic == 0)
		return read_targets(fdt, node, guest_aia.target);
	return guest_fdt_cell(fdt, node, "msi-parent", 0, &parent) && parent == imsic;
}

void guest_aia_read_tree(const void *fdt)
{
	uint32_t imsic = read_imsic(fdt);
	uint64_t bytes;
	int node;

	for (node = fdt_node_offset_by_compatible(fdt, -1, "riscv,aplic"); node >= 0;
	     node = fdt_node_offset_by_compatible(fdt, node, "riscv,aplic")) {
		if (!is_ours(fdt, node, imsic) ||
		    !guest_fdt_reg(fdt, node, 0, &guest_aia.aplic, &bytes))
			continue;
		(void)guest_fdt_cell(fdt, node, "riscv,num-sources", 0, &guest_aia.sources);
		return;
	}
}

void guest_aia_start(void)
{
	uint64_t base = guest_aia.aplic;

	if (base == 0)
		return;
	guest_write32(base + DOMAINCFG, 1u << 8 | (guest_aia.imsic != 0 ? 4 : 0)); /* IE, DM */
	for (uint32_t source = 1; source <= guest_aia.sources; source++) {
		guest_write32(base + CLRIENUM, source);
		guest_write32(base + SOURCECFG + 4 * (uint64_t)(source - 1), 0);
	}
}

void guest_aia_start_cpu(void)
{
	uint64_t idc = guest_aia.aplic + IDC +
		       IDC_BYTES * (uint64_t)guest_aia.target[guest_this_cpu()->index];

	if (guest_aia.imsic != 0) {
		for (uint32_t i = 0; i <= guest_aia.ids / 64 * 2; i += 2)
			guest_aia_write(EIE0 + i, 0);
		guest_aia_write(EITHRESHOLD, 0);
		guest_aia_write(EIDELIVERY, 1);
	} else if (guest_aia.aplic != 0) {
		guest_write32(idc, 1);	   /* idelivery */
		guest_write32(idc + 8, 0); /* ithreshold */
	}
}

uint64_t guest_aia_file(uint32_t cpu)
{
	return guest_aia.imsic + guest_aia.file_bytes * guest_aia.target[cpu];
}

void guest_aia_enable_id(uint32_t id, bool on)
{
	uint32_t select = EIE0 + id / 64 * 2;
	uint64_t value = guest_aia_read(select);
	uint64_t bit = 1ull << id % 64;

	guest_aia_write(select, on ? value | bit : value & ~bit);
}

void guest_aia_route(uint32_t source, uint32_t cpu, uint32_t mode)
{
	uint64_t base = guest_aia.aplic;
	uint32_t low = guest_aia.imsic != 0 ? source : 1; /* the identity, or the priority */

	guest_write32(base + SOURCECFG + 4 * (uint64_t)(source - 1), mode);
	guest_write32(base + TARGET + 4 * (uint64_t)(source - 1),
		      guest_aia.target[cpu] << 18 | low);
	guest_write32(base + (mode != 0 ? SETIENUM : CLRIENUM), source);
}

static uint32_t claim(uint32_t cpu)
{
	uint64_t top;

	if (guest_aia.imsic == 0)
		return guest_read32(guest_aia.aplic + IDC + CLAIMI +
				    IDC_BYTES * (uint64_t)guest_aia.target[cpu]) >>
		       16;
	__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory"); /* stopei */
	return (uint32_t)(top >> 16) & 0x7ff;
}

bool guest_aia_took(uint32_t irq, void (*each)(uint32_t irq))
{
	uint32_t cpu = (uint32_t)guest_this_cpu()->index;

	if (irq != 9)
		return false;
	for (uint32_t id = claim(cpu); id != 0; id = claim(cpu))
		each(GUEST_IRQ_EXTERNAL + id);
	return true;
}
