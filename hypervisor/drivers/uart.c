/* SPDX-License-Identifier: Apache-2.0 */
/* Which UART the host has: /chosen/stdout-path, else the first of a known kind. */
#include "uart.h"

#include <string.h>

#include <libfdt.h>

#include "bare.h"

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
	int chosen = fdt_path_offset(fdt, "/chosen");
	int bytes = 0;
	const char *path = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "stdout-path", &bytes);

	if (path == NULL || bytes < 1 || path[bytes - 1] != '\0')
		return -1;
	const char *options = strchr(path, ':');
	return fdt_path_offset_namelen(fdt, path,
				       options == NULL ? (int)strlen(path) : (int)(options - path));
}

static int first_node(const void *fdt)
{
	for (uint32_t i = 0; i < KINDS; i++) {
		int node = fdt_node_offset_by_compatible(fdt, -1, kinds[i].compatible);
		if (node >= 0)
			return node;
	}
	return -1;
}

static uint32_t read_cell(const void *fdt, int node, const char *name, uint32_t otherwise)
{
	int bytes = 0;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &bytes);

	return cell == NULL || bytes != 4 ? otherwise : fdt32_to_cpu(*cell);
}

static bool read_place(const void *fdt, int node, struct axvm_uart_place *place)
{
	int bytes = 0;
	int cells = fdt_address_cells(fdt, fdt_parent_offset(fdt, node));
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);

	if (reg == NULL || cells < 1 || cells > 2 || bytes < cells * 4)
		return false;
	place->hpa = fdt32_to_cpu(reg[0]);
	if (cells == 2)
		place->hpa = place->hpa << 32 | fdt32_to_cpu(reg[1]);
	place->reg_shift = read_cell(fdt, node, "reg-shift", 0);
	place->reg_bytes = read_cell(fdt, node, "reg-io-width", 1);
	if (place->reg_shift > 4 || (place->reg_bytes != 1 && place->reg_bytes != 4))
		return false;
	const fdt32_t *interrupts = fdt_getprop(fdt, node, "interrupts", &bytes);
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
		if (fdt_node_check_compatible(fdt, node, kinds[i].compatible) != 0)
			continue;
		place->bytes = kinds[i].bytes;
		void *registers = axvm_bare_map_device(axvm_hpa(place->hpa), place->bytes);
		return registers == NULL ? NULL : kinds[i].open(registers, place);
	}
	return NULL;
}
