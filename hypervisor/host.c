/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <string.h>

#include <libfdt.h>

#include "tree.h"

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

static void add_reg(struct axvm_host *host, int parent, int node, add_range add)
{
	uint64_t base, bytes;

	for (uint32_t i = 0; axvm_tree_reg(host->fdt, parent, node, i, &base, &bytes); i++)
		add(host, base, bytes);
}

/* A node that says so is not for us: QEMU's and firmware's memory of the secure world. */
static bool is_disabled(const void *fdt, int node)
{
	const char *status = axvm_tree_string(fdt, node, "status");

	return status != NULL && strcmp(status, "okay") != 0 && strcmp(status, "ok") != 0;
}

static bool is_memory(const void *fdt, int node)
{
	const char *type = axvm_tree_string(fdt, node, "device_type");

	return type != NULL && strcmp(type, "memory") == 0 && !is_disabled(fdt, node);
}

static int find_node(const struct axvm_host *host, const char *path)
{
	return axvm_tree_path(host->fdt, path, strlen(path));
}

static void read_memory(struct axvm_host *host)
{
	const void *fdt = host->fdt;
	uint64_t base, bytes;

	for (int node = axvm_tree_child(fdt, 0, -1); node >= 0;
	     node = axvm_tree_child(fdt, 0, node)) {
		if (is_memory(fdt, node))
			add_reg(host, 0, node, add_ram);
	}
	int reserved = find_node(host, "/reserved-memory");
	for (int node = axvm_tree_child(fdt, reserved, -1); node >= 0;
	     node = axvm_tree_child(fdt, reserved, node))
		add_reg(host, reserved, node, add_reserved);
	for (int i = 0; i < fdt_num_mem_rsv(host->fdt); i++) {
		if (fdt_get_mem_rsv(host->fdt, i, &base, &bytes) == 0)
			add_reserved(host, base, bytes);
	}
}

static void read_chosen(struct axvm_host *host)
{
	int chosen = find_node(host, "/chosen");

	host->arguments = "";
	if (chosen < 0)
		return;
	uint64_t start = axvm_tree_number(host->fdt, chosen, "linux,initrd-start");
	uint64_t end = axvm_tree_number(host->fdt, chosen, "linux,initrd-end");
	if (start < end)
		host->bundle = (struct axvm_config_range){ start, end - start };
	const char *arguments = axvm_tree_string(host->fdt, chosen, "bootargs");
	if (arguments != NULL)
		host->arguments = arguments;
}

bool axvm_host_read(struct axvm_host *host, const void *fdt, const char **why)
{
	if (!axvm_tree_check(fdt)) {
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
