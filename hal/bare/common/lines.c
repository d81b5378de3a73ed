/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which of the host's shared interrupts. A VM's is looked up on any CPU without a lock, while
 * another CPU may be taking it away: `busy` tells that one how long to wait.
 */
#include "lines.h"

#include <libfdt.h>

#define HANDLERS_MAX 16u
#define CELLS_MAX 4u

/*
 * `taken` from the beginning of attach to the end of detach; `vm` while interrupts go to it;
 * `busy`: CPUs that may be at it, for which detach waits.
 */
struct line {
	struct axvm_vm *_Atomic vm;
	_Atomic uint32_t busy;
	_Atomic uint32_t taken;
};

struct handler {
	uint32_t irq;
	void (*call)(uint32_t irq);
};

static struct line lines[AXVM_LINES];
static struct handler handlers[HANDLERS_MAX];
static uint32_t handler_count;
static const void *tree;
static uint32_t controller; /* its phandle */
static uint32_t cells;	    /* of one interrupt */

void axvm_bare_lines_init(const void *fdt, int node)
{
	const fdt32_t *count = fdt_getprop(fdt, node, "#interrupt-cells", NULL);

	tree = fdt;
	controller = fdt_get_phandle(fdt, node);
	cells = count == NULL ? 0 : fdt32_to_cpu(*count);
	if (cells > CELLS_MAX)
		cells = 0;
}

/* ---- what the host's device tree says of a line ------------------------------------------ */

/* The line's entry in a node whose interrupts are the controller's; NULL: it has none. */
static const fdt32_t *listed(int node, uint32_t irq, bool *edge)
{
	int bytes = 0;
	const fdt32_t *cell = fdt_getprop(tree, node, "interrupts", &bytes);
	uint32_t count = cell == NULL || cells == 0 ? 0 : (uint32_t)bytes / 4 / cells;

	for (; count > 0; count--, cell += cells) {
		if (axvm_bare_irq_from_fdt(cell, cells, edge) == irq)
			return cell;
	}
	return NULL;
}

static const fdt32_t *find_listed(uint32_t irq, bool *edge)
{
	for (int node = fdt_next_node(tree, -1, NULL); node >= 0;
	     node = fdt_next_node(tree, node, NULL)) {
		const fdt32_t *parent = fdt_getprop(tree, node, "interrupt-parent", NULL);

		if (parent != NULL && fdt32_to_cpu(*parent) != controller)
			continue;
		const fdt32_t *cell = listed(node, irq, edge);
		if (cell != NULL)
			return cell;
	}
	*edge = false;
	return NULL;
}

uint32_t axvm_bare_line_flags(uint32_t irq)
{
	bool edge;
	const fdt32_t *cell = find_listed(irq, &edge);

	return cell == NULL || cells < 2 ? 0 : fdt32_to_cpu(cell[cells - 1]);
}

/* ---- the hypervisor's own ---------------------------------------------------------------------- */

static const struct handler *find_handler(uint32_t irq)
{
	for (uint32_t i = 0; i < handler_count; i++) {
		if (handlers[i].irq == irq)
			return &handlers[i];
	}
	return NULL;
}

bool axvm_bare_irq_attach(uint32_t irq, bool edge, void (*handler)(uint32_t irq))
{
	if (!axvm_bare_line_exists(irq) || handler_count == HANDLERS_MAX)
		return false;
	handlers[handler_count].irq = irq;
	handlers[handler_count].call = handler;
	handler_count++;
	axvm_bare_line_open(irq, edge, &axvm_cpus[0]);
	return true;
}

bool axvm_bare_line_handle(uint32_t irq)
{
	const struct handler *handler = find_handler(irq);

	if (handler == NULL)
		return false;
	handler->call(irq);
	return true;
}

/* ---- VMs' ---------------------------------------------------------------------------------------- */

int axvm_hal_irq_attach(struct axvm_vm *vm, uint32_t host_irq)
{
	bool edge;

	if (host_irq >= AXVM_LINES || !axvm_bare_line_exists(host_irq))
		return AXVM_EINVAL;
	if (find_handler(host_irq) != NULL)
		return AXVM_EPERM;
	struct line *line = &lines[host_irq];
	/* acquire: pairs with the release at the end of detach */
	if (atomic_exchange_explicit(&line->taken, 1, memory_order_acquire) != 0)
		return AXVM_EBUSY;
	(void)find_listed(host_irq, &edge);
	/* seq_cst, here and below: a CPU that is not seen as busy sees what `vm` has become */
	atomic_store_explicit(&line->vm, vm, memory_order_seq_cst);
	axvm_bare_line_open(host_irq, edge, axvm_bare_this_cpu());
	return 0;
}

void axvm_hal_irq_detach(struct axvm_vm *vm, uint32_t host_irq)
{
	if (host_irq >= AXVM_LINES ||
	    atomic_load_explicit(&lines[host_irq].vm, memory_order_relaxed) != vm)
		return;
	struct line *line = &lines[host_irq];

	atomic_store_explicit(&line->vm, NULL, memory_order_seq_cst);
	while (atomic_load_explicit(&line->busy, memory_order_seq_cst) != 0)
		;
	axvm_bare_line_close(host_irq);
	atomic_store_explicit(&line->taken, 0, memory_order_release);
}

bool axvm_bare_line_is_a_vms(uint32_t irq)
{
	return irq < AXVM_LINES &&
	       atomic_load_explicit(&lines[irq].vm, memory_order_relaxed) != NULL;
}

bool axvm_bare_line_arrived(uint32_t irq)
{
	if (!axvm_bare_line_is_a_vms(irq))
		return false;
	struct line *line = &lines[irq];

	atomic_fetch_add_explicit(&line->busy, 1, memory_order_seq_cst);
	struct axvm_vm *vm = atomic_load_explicit(&line->vm, memory_order_seq_cst);
	bool taken = vm != NULL && axvm_bare_line_bring(vm, irq);

	atomic_fetch_sub_explicit(&line->busy, 1, memory_order_seq_cst);
	return taken;
}
