/* SPDX-License-Identifier: Apache-2.0 */
#include "irq_fdt.h"

#include <libfdt.h>

#define EXTERNAL_S 9u
#define PAGE_SHIFT 12u
#define GUEST_BITS_MAX 6u  /* GEILEN is at most 63 */
#define INDEX_BITS_MAX 14u /* of an APLIC's target */
#define GROUP_SHIFT_DEFAULT 24u
#define IDS_MIN 63u
#define IDS_MAX 2047u

static uint64_t cells(const fdt32_t *cell, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 | fdt32_to_cpu(cell[i]);
	return value;
}

bool axvm_bare_irq_region(const void *fdt, int node, uint32_t index, struct axvm_irq_region *region)
{
	int parent = fdt_parent_offset(fdt, node);
	int address = fdt_address_cells(fdt, parent);
	int size = fdt_size_cells(fdt, parent);
	int bytes = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);

	if (reg == NULL || address < 1 || address > 2 || size < 1 || size > 2)
		return false;
	uint32_t entry = (uint32_t)(address + size);
	if ((uint64_t)(index + 1) * entry * 4 > (uint64_t)bytes)
		return false;
	region->hpa = cells(reg + index * entry, address);
	region->bytes = cells(reg + index * entry + address, size);
	return region->bytes != 0 && region->bytes <= UINT64_MAX - region->hpa;
}

uint32_t axvm_bare_irq_cell(const void *fdt, int node, const char *name, uint32_t otherwise)
{
	int bytes = 0;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &bytes);

	return cell == NULL || bytes != 4 ? otherwise : fdt32_to_cpu(*cell);
}

/* ---- which hart ---------------------------------------------------------------------------------- */

/* Of a hart's own interrupt controller; AXVM_CPUS_MAX: of none that we run on. */
static uint32_t cpu_of(const void *fdt, int controller)
{
	int hart = fdt_parent_offset(fdt, controller);
	int count = hart < 0 ? 0 : fdt_address_cells(fdt, fdt_parent_offset(fdt, hart));
	int bytes = 0;
	const fdt32_t *reg = hart < 0 ? NULL : fdt_getprop(fdt, hart, "reg", &bytes);

	if (reg == NULL || count < 1 || count > 2 || bytes < count * 4)
		return AXVM_CPUS_MAX;
	uint64_t id = cells(reg, count);
	for (uint32_t i = 0; i < axvm_cpu_count_present; i++) {
		if (axvm_cpus[i].hardware_id == id)
			return i;
	}
	return AXVM_CPUS_MAX;
}

/* Goes over one entry of interrupts-extended; AXVM_CPUS_MAX unless it is a CPU's of S level. */
static uint32_t next_target(const void *fdt, const fdt32_t **at, const fdt32_t *end)
{
	uint32_t phandle = fdt32_to_cpu(*(*at)++);
	int controller = fdt_node_offset_by_phandle(fdt, phandle);
	uint32_t count =
		controller < 0 ? 1 : axvm_bare_irq_cell(fdt, controller, "#interrupt-cells", 1);

	if (count > (uint32_t)(end - *at)) {
		*at = end;
		return AXVM_CPUS_MAX;
	}
	bool is_external = controller >= 0 && count == 1 && fdt32_to_cpu(**at) == EXTERNAL_S;
	*at += count;
	return is_external ? cpu_of(fdt, controller) : AXVM_CPUS_MAX;
}

uint32_t axvm_bare_irq_targets(const void *fdt, int node, uint32_t targets[AXVM_CPUS_MAX])
{
	int bytes = 0;
	const fdt32_t *at = fdt_getprop(fdt, node, "interrupts-extended", &bytes);
	const fdt32_t *end = at == NULL ? NULL : at + bytes / 4;
	uint32_t found = 0;

	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++)
		targets[i] = AXVM_IRQ_NO_TARGET;
	for (uint32_t position = 0; at != end; position++) {
		uint32_t cpu = next_target(fdt, &at, end);

		if (cpu == AXVM_CPUS_MAX || targets[cpu] != AXVM_IRQ_NO_TARGET)
			continue;
		targets[cpu] = position;
		found++;
	}
	return found;
}

/* ---- which controller ---------------------------------------------------------------------------- */

static bool reaches_first_cpu(const void *fdt, int node)
{
	uint32_t targets[AXVM_CPUS_MAX];

	return axvm_bare_irq_targets(fdt, node, targets) != 0 && targets[0] != AXVM_IRQ_NO_TARGET;
}

int axvm_bare_irq_find_plic(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0");

	return node >= 0 ? node : fdt_node_offset_by_compatible(fdt, -1, "sifive,plic-1.0.0");
}

int axvm_bare_irq_find_imsic(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "riscv,imsics");

	while (node >= 0 && !reaches_first_cpu(fdt, node))
		node = fdt_node_offset_by_compatible(fdt, node, "riscv,imsics");
	return node;
}

int axvm_bare_irq_find_aplic(const void *fdt, int imsic)
{
	uint32_t parent = imsic < 0 ? 0 : fdt_get_phandle(fdt, imsic);
	int node = fdt_node_offset_by_compatible(fdt, -1, "riscv,aplic");

	for (; node >= 0; node = fdt_node_offset_by_compatible(fdt, node, "riscv,aplic")) {
		if (imsic < 0 ? reaches_first_cpu(fdt, node)
			      : parent != 0 &&
					axvm_bare_irq_cell(fdt, node, "msi-parent", 0) == parent)
			return node;
	}
	return node;
}

/* ---- interrupt files ------------------------------------------------------------------------------ */

/* The bits of an address that say which file it is, low to high: page, guest, hart, group. */
struct bits {
	uint32_t guest;
	uint32_t hart;
	uint32_t group;
	uint32_t group_shift;
};

static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while (bits < 31 && (1u << bits) < count)
		bits++;
	return bits;
}

static bool read_bits(const void *fdt, int node, struct bits *bits)
{
	int bytes = 0;

	(void)fdt_getprop(fdt, node, "interrupts-extended", &bytes);
	uint32_t harts = bytes < 8 ? 1 : (uint32_t)bytes / 8;
	bits->guest = axvm_bare_irq_cell(fdt, node, "riscv,guest-index-bits", 0);
	bits->hart = axvm_bare_irq_cell(fdt, node, "riscv,hart-index-bits", bits_for(harts));
	bits->group = axvm_bare_irq_cell(fdt, node, "riscv,group-index-bits", 0);
	bits->group_shift =
		axvm_bare_irq_cell(fdt, node, "riscv,group-index-shift", GROUP_SHIFT_DEFAULT);
	return bits->guest <= GUEST_BITS_MAX && bits->hart <= INDEX_BITS_MAX &&
	       bits->group <= INDEX_BITS_MAX - bits->hart && bits->group_shift < 56 &&
	       (bits->group == 0 || bits->group_shift >= PAGE_SHIFT + bits->guest + bits->hart);
}

static bool read_regions(const void *fdt, int node, struct axvm_imsic_layout *layout)
{
	struct axvm_irq_region more;
	uint32_t count = 0;

	while (count < AXVM_IMSIC_REGIONS_MAX &&
	       axvm_bare_irq_region(fdt, node, count, &layout->regions[count]))
		count++;
	layout->region_count = count;
	return count > 0 &&
	       !(count == AXVM_IMSIC_REGIONS_MAX && axvm_bare_irq_region(fdt, node, count, &more));
}

/* The harts' files follow each other through all regions [DT, riscv,imsics]. 0: there is none. */
static uint64_t page_of(const struct axvm_imsic_layout *layout, uint32_t guest_bits,
			uint32_t position)
{
	uint64_t step = 1ULL << (PAGE_SHIFT + guest_bits);
	uint64_t at = position * step;

	for (uint32_t i = 0; i < layout->region_count; i++) {
		const struct axvm_irq_region *region = &layout->regions[i];

		if (at < region->bytes)
			return region->bytes - at >= step ? region->hpa + at : 0;
		uint64_t whole = (region->bytes + step - 1) & ~(step - 1);
		if (at < whole)
			return 0;
		at -= whole;
	}
	return 0;
}

static uint32_t index_of(const struct bits *bits, uint64_t page)
{
	uint64_t hart = page >> (PAGE_SHIFT + bits->guest) & ((1ULL << bits->hart) - 1);
	uint64_t group = page >> bits->group_shift & ((1ULL << bits->group) - 1);

	return (uint32_t)(group << bits->hart | hart);
}

bool axvm_bare_irq_read_imsic(const void *fdt, int node, struct axvm_imsic_layout *layout)
{
	uint32_t targets[AXVM_CPUS_MAX];
	struct bits bits;

	layout->ids = axvm_bare_irq_cell(fdt, node, "riscv,num-ids", 0);
	if (layout->ids < IDS_MIN || layout->ids > IDS_MAX || !read_bits(fdt, node, &bits) ||
	    !read_regions(fdt, node, layout) || axvm_bare_irq_targets(fdt, node, targets) == 0)
		return false;
	layout->guests = (1u << bits.guest) - 1;
	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++) {
		bool has = targets[i] != AXVM_IRQ_NO_TARGET;

		layout->pages[i] = has ? page_of(layout, bits.guest, targets[i]) : 0;
		layout->indexes[i] = index_of(&bits, layout->pages[i]);
		if (has && (layout->pages[i] == 0 || layout->pages[i] % AXVM_PAGE_BYTES != 0))
			return false;
	}
	return true;
}
