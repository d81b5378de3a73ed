/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <string.h>

#include <libfdt.h>

static uint64_t take_cells(const fdt32_t **cell, int count)
{
	uint64_t value = 0;

	for (; count > 0; count--)
		value = value << 32 | fdt32_to_cpu(*(*cell)++);
	return value;
}

/* A property that is a terminated string, or NULL. */
static const char *read_string(const void *fdt, int node, const char *name)
{
	int bytes = 0;
	const char *text = fdt_getprop(fdt, node, name, &bytes);

	return text != NULL && bytes > 0 && text[bytes - 1] == '\0' ? text : NULL;
}

typedef void (*add_range)(struct axvm_host *host, uint64_t base, uint64_t bytes);

/* What does not fit is left out, which only loses RAM. */
static void add_ram(struct axvm_host *host, uint64_t base, uint64_t bytes)
{
	if (bytes > 0 && !axvm_range_wraps(base, bytes) && host->ram_count < AXVM_HOST_RANGES_MAX)
		host->ram[host->ram_count++] = (struct axvm_config_range){ base, bytes };
}

/* What does not fit becomes one with the last, and what lies between: that only loses RAM, too. */
static void add_reserved(struct axvm_host *host, uint64_t base, uint64_t bytes)
{
	uint64_t last = bytes - 1 > UINT64_MAX - base ? UINT64_MAX : base + (bytes - 1);

	if (bytes == 0)
		return;
	if (host->reserved_count == AXVM_HOST_RANGES_MAX) {
		const struct axvm_config_range *old = &host->reserved[--host->reserved_count];
		base = old->base < base ? old->base : base;
		last = old->base + (old->bytes - 1) > last ? old->base + (old->bytes - 1) : last;
	}
	/* All of the address space has no size that fits: its last byte is nobody's RAM. */
	bytes = last - base == UINT64_MAX ? UINT64_MAX : last - base + 1;
	host->reserved[host->reserved_count++] = (struct axvm_config_range){ base, bytes };
}

static void add_reg(struct axvm_host *host, int node, add_range add)
{
	const void *fdt = host->fdt;

	int parent = fdt_parent_offset(fdt, node);
	int address = fdt_address_cells(fdt, parent);
	int size = fdt_size_cells(fdt, parent);
	int bytes = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);

	if (reg == NULL || address < 1 || address > 2 || size < 1 || size > 2)
		return;
	for (int left = bytes / 4; left >= address + size; left -= address + size) {
		uint64_t base = take_cells(&reg, address);
		add(host, base, take_cells(&reg, size));
	}
}

/* A node that says so is not for us: QEMU's and firmware's memory of the secure world. */
static bool is_disabled(const void *fdt, int node)
{
	const char *status = read_string(fdt, node, "status");

	return status != NULL && strcmp(status, "okay") != 0 && strcmp(status, "ok") != 0;
}

static bool is_memory(const void *fdt, int node)
{
	int bytes = 0;
	const char *type = fdt_getprop(fdt, node, "device_type", &bytes);

	return type != NULL && bytes == 7 && memcmp(type, "memory", 7) == 0 &&
	       !is_disabled(fdt, node);
}

static void read_memory(struct axvm_host *host)
{
	int node;
	uint64_t base, bytes;

	fdt_for_each_subnode(node, host->fdt, 0)
	{
		if (is_memory(host->fdt, node))
			add_reg(host, node, add_ram);
	}
	int reserved = fdt_path_offset(host->fdt, "/reserved-memory");
	if (reserved >= 0) {
		fdt_for_each_subnode(node, host->fdt, reserved) add_reg(host, node, add_reserved);
	}
	for (int i = 0; i < fdt_num_mem_rsv(host->fdt); i++) {
		if (fdt_get_mem_rsv(host->fdt, i, &base, &bytes) == 0)
			add_reserved(host, base, bytes);
	}
}

static uint64_t read_address(const void *fdt, int node, const char *name)
{
	int bytes = 0;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &bytes);

	return cell == NULL || (bytes != 4 && bytes != 8) ? 0 : take_cells(&cell, bytes / 4);
}

static void read_chosen(struct axvm_host *host)
{
	int chosen = fdt_path_offset(host->fdt, "/chosen");

	host->arguments = "";
	if (chosen < 0)
		return;
	uint64_t start = read_address(host->fdt, chosen, "linux,initrd-start");
	uint64_t end = read_address(host->fdt, chosen, "linux,initrd-end");
	if (start < end)
		host->bundle = (struct axvm_config_range){ start, end - start };
	const char *arguments = read_string(host->fdt, chosen, "bootargs");
	if (arguments != NULL)
		host->arguments = arguments;
}

bool axvm_host_read(struct axvm_host *host, const void *fdt, const char **why)
{
	if (fdt_check_header(fdt) != 0) {
		*why = "the firmware gave no valid device tree";
		return false;
	}
	host->fdt = fdt;
	read_memory(host);
	read_chosen(host);
	if (host->ram_count == 0) {
		*why = "the machine's device tree names no memory";
		return false;
	}
	return true;
}

bool axvm_host_has_argument(const struct axvm_host *host, const char *word)
{
	size_t bytes = strlen(word);
	const char *at = host->arguments;

	while (*at != '\0') {
		const char *end = strchr(at, ' ');
		size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
		if (length == bytes && memcmp(at, word, bytes) == 0)
			return true;
		at += length;
		while (*at == ' ')
			at++;
	}
	return false;
}
