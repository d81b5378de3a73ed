/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared interrupts of the host that VMs have. One that arrives stays active at the
 * distributor until its guest deactivates it through a list register, so it can neither
 * storm nor be lost while the guest does not run.
 */
#include <libfdt.h>

#include <axvm/hal_aarch64.h>

#include "cpu.h"
#include "exit.h"

#define SPI_FIRST 32u
#define SPI_COUNT 988u

/*
 * `taken` from the beginning of attach to the end of detach; `vm` while interrupts go to it;
 * `busy`: CPUs that may be at it, for which detach waits.
 */
struct line {
	struct axvm_vm *_Atomic vm;
	_Atomic uint32_t busy;
	_Atomic uint32_t taken;
};

static struct line lines[SPI_COUNT];
static const void *tree;
static uint32_t controller; /* its phandle */

void axvm_bare_spi_init(const void *fdt, int node)
{
	tree = fdt;
	controller = fdt_get_phandle(fdt, node);
}

/* ---- what the host's device tree says of a line ------------------------------------------ */

/* Of a node whose interrupts are the GIC's. */
static bool is_listed_as_edge(int node, uint32_t intid)
{
	int bytes = 0;
	const fdt32_t *cells = fdt_getprop(tree, node, "interrupts", &bytes);

	for (int i = 0; cells != NULL && (i + 3) * 4 <= bytes; i += 3) {
		bool edge = false;

		if (axvm_bare_irq_from_fdt(&cells[i], 3, &edge) == intid)
			return edge;
	}
	return false;
}

static bool is_edge(uint32_t intid)
{
	for (int node = fdt_next_node(tree, -1, NULL); node >= 0;
	     node = fdt_next_node(tree, node, NULL)) {
		const fdt32_t *parent = fdt_getprop(tree, node, "interrupt-parent", NULL);

		if ((parent == NULL || fdt32_to_cpu(*parent) == controller) &&
		    is_listed_as_edge(node, intid))
			return true;
	}
	return false;
}

/* ---- attach and detach --------------------------------------------------------------------- */

static struct line *find(uint32_t intid)
{
	return intid >= SPI_FIRST && intid < axvm_bare_gic_spi_limit() ? &lines[intid - SPI_FIRST]
								       : NULL;
}

int axvm_hal_irq_attach(struct axvm_vm *vm, uint32_t host_irq)
{
	struct line *line = find(host_irq);

	if (line == NULL)
		return AXVM_EINVAL;
	if (axvm_bare_gic_is_own(host_irq))
		return AXVM_EPERM;
	/* acquire: pairs with the release at the end of detach */
	if (atomic_exchange_explicit(&line->taken, 1, memory_order_acquire) != 0)
		return AXVM_EBUSY;
	/* seq_cst, here and below: a CPU that is not seen as busy sees what `vm` has become */
	atomic_store_explicit(&line->vm, vm, memory_order_seq_cst);
	axvm_bare_gic_enable_spi(host_irq, is_edge(host_irq), axvm_bare_this_cpu());
	return 0;
}

void axvm_hal_irq_detach(struct axvm_vm *vm, uint32_t host_irq)
{
	struct line *line = find(host_irq);

	if (line == NULL || atomic_load_explicit(&line->vm, memory_order_relaxed) != vm)
		return;
	atomic_store_explicit(&line->vm, NULL, memory_order_seq_cst);
	while (atomic_load_explicit(&line->busy, memory_order_seq_cst) != 0)
		;
	axvm_bare_gic_disable_spi(host_irq);
	axvm_hal_aarch64_irq_deactivate(host_irq);
	atomic_store_explicit(&line->taken, 0, memory_order_release);
}

/* ---- arrival ----------------------------------------------------------------------------------- */

/* The next one comes where the first vCPU runs now. */
static void follow(const struct axvm_vm *vm, uint32_t intid)
{
	uint32_t cpu = atomic_load_explicit(&vm->vcpus[0]->cpu, memory_order_relaxed);

	if (cpu != AXVM_CPU_NONE && cpu != axvm_bare_this_cpu()->index)
		axvm_bare_gic_route_spi(intid, &axvm_cpus[cpu]);
}

static bool deliver(struct axvm_vm *vm, uint32_t intid)
{
	if (axvm_aarch64_physical_spi(vm, intid) != 0) {
		axvm_bare_gic_disable_spi(intid); /* nobody would quiet the device */
		return false;
	}
	follow(vm, intid);
	return true;
}

bool axvm_bare_spi_arrived(uint32_t intid)
{
	struct line *line = find(intid);

	if (line == NULL || atomic_load_explicit(&line->vm, memory_order_relaxed) == NULL)
		return false;
	atomic_fetch_add_explicit(&line->busy, 1, memory_order_seq_cst);

	struct axvm_vm *vm = atomic_load_explicit(&line->vm, memory_order_seq_cst);
	bool delivered = vm != NULL && deliver(vm, intid);

	atomic_fetch_sub_explicit(&line->busy, 1, memory_order_seq_cst);
	return delivered;
}
