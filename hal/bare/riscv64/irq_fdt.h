/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's device tree says of its interrupt controllers. Pure: the tree, and the hardware ids in
 * axvm_cpus. A tree is firmware's, so what is malformed is refused, not believed.
 */
#ifndef AXVM_BARE_IRQ_FDT_H
#define AXVM_BARE_IRQ_FDT_H

#include "bare.h"

#define AXVM_IRQ_NO_TARGET UINT32_MAX
#define AXVM_IMSIC_REGIONS_MAX 16u

struct axvm_irq_region {
	uint64_t hpa;
	uint64_t bytes;
};

/* Entry `index` of the node's reg. */
bool axvm_bare_irq_region(const void *fdt, int node, uint32_t index,
			  struct axvm_irq_region *region);

/* A property of one cell; `otherwise` where it is not there. */
uint32_t axvm_bare_irq_cell(const void *fdt, int node, const char *name, uint32_t otherwise);

/*
 * Which entry of the node's interrupts-extended is each CPU's external interrupt of S level (9):
 * targets[CPU], AXVM_IRQ_NO_TARGET where there is none. Returns how many CPUs have one.
 */
uint32_t axvm_bare_irq_targets(const void *fdt, int node, uint32_t targets[AXVM_CPUS_MAX]);

/* The nodes, from which the search begins again; negative: none. */
int axvm_bare_irq_find_plic(const void *fdt);
/* The IMSICs of S level. */
int axvm_bare_irq_find_imsic(const void *fdt);
/* The first APLIC whose interrupts go to S level, by MSI to `imsic` (negative: directly). */
int axvm_bare_irq_find_aplic(const void *fdt, int imsic);

/* Where the interrupt files are [AIA 3.6]. */
struct axvm_imsic_layout {
	uint32_t ids;	 /* the largest number */
	uint32_t guests; /* guest interrupt files beside each hart's own that have an address */
	uint32_t region_count;
	struct axvm_irq_region regions[AXVM_IMSIC_REGIONS_MAX];
	uint64_t pages[AXVM_CPUS_MAX];	 /* each CPU's own file; 0: none. Those of guests follow */
	uint32_t indexes[AXVM_CPUS_MAX]; /* hart index, as an APLIC's target has it [AIA 4.9.1] */
};

/* Of an IMSIC node. False: it is malformed. */
bool axvm_bare_irq_read_imsic(const void *fdt, int node, struct axvm_imsic_layout *layout);

#endif
