/* SPDX-License-Identifier: Apache-2.0 */
/* Which UART the host has: /chosen/stdout-path, else the first of a known kind. */
#include "uart.h"

#include <string.h>

#include "bare.h"
#include "tree.h"

static const struct {
	const char *compatible;
	const struct axvm_uart *(*open)(void *registers, const struct axvm_uart_place *place);
	uint32_t bytes;
} kinds[] = {
	{ "arm,pl011", axvm_uart_pl011, 0x1000 },
	{ "ns16550a", axvm_uart_ns16550, 0x100 },
	{ "snps,dw-apb-uart", axvm_uart_ns16550, 0x100 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int stdout_node(const void *fdt)
{
	int chosen = axvm_tree_path(fdt, "/chosen", sizeof("/chosen") - 1);
	const char *path = axvm_tree_string(fdt, chosen, "stdout-path");

	if (path == NULL)
		return -1;
	const char *options = strchr(path, ':');
	return axvm_tree_path(fdt, path, options == NULL ? strlen(path) : (size_t)(options - path));
}

static int first_node(const void *fdt)
{
	for (uint32_t i = 0; i < KINDS; i++) {
		int node = axvm_tree_compatible(fdt, -1, kinds[i].compatible);
		if (node >= 0)
			return node;
	}
	return -1;
}

static bool read_place(const void *fdt, int node, struct axvm_uart_place *place)
{
	uint64_t its_bytes;
	int bytes;

	if (!axvm_tree_reg(fdt, axvm_tree_parent(fdt, node), node, 0, &place->hpa, &its_bytes))
		return false;
	place->reg_shift = axvm_tree_cell(fdt, node, "reg-shift", 0);
	place->reg_bytes = axvm_tree_cell(fdt, node, "reg-io-width", 1);
	if (place->reg_shift > 4 || (place->reg_bytes != 1 && place->reg_bytes != 4))
		return false;
	const uint32_t *interrupts = axvm_tree_property(fdt, node, "interrupts", &bytes);
	place->irq = interrupts == NULL ? UINT32_MAX
					: axvm_bare_irq_from_fdt(interrupts, (uint32_t)bytes / 4,
								 &place->edge);
	return true;
}

const struct axvm_uart *axvm_uart_find(const void *fdt, struct axvm_uart_place *place)
{
	int node = stdout_node(fdt);

	if (node < 0)
		node = first_node(fdt);
	if (node < 0 || !read_place(fdt, node, place))
		return NULL;
	for (uint32_t i = 0; i < KINDS; i++) {
		if (!axvm_tree_lists(fdt, node, "compatible", kinds[i].compatible))
			continue;
		place->bytes = kinds[i].bytes;
		void *registers = axvm_bare_map_device(axvm_hpa(place->hpa), place->bytes);
		return registers == NULL ? NULL : kinds[i].open(registers, place);
	}
	return NULL;
}
