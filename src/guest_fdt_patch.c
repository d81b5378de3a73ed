// SPDX-License-Identifier: Apache-2.0
/*
 * Brings the user's own device tree in line with the VM: its memory, its CPUs, what its boot
 * loader would have written. All else in it is the user's business.
 */
#include "guest_fdt_private.h"

#include <libfdt.h>
#include <string.h>

/* A "reg" or a node's cells, as wide as the parent says. */
struct cells {
	fdt32_t value[4];
	uint32_t count;
};

/* False: the value does not fit into so few cells. */
static bool add_cells(struct cells *cells, uint64_t value, int width)
{
	if (width < 1 || width > 2 || (width == 1 && value > UINT32_MAX))
		return false;
	if (width == 2)
		cells->value[cells->count++] = cpu_to_fdt32((uint32_t)(value >> 32));
	cells->value[cells->count++] = cpu_to_fdt32((uint32_t)value);
	return true;
}

static int set_string(void *tree, int node, const char *name, const char *value)
{
	int bytes = 1;

	while (value[bytes - 1] != '\0') {
		if (bytes == INT32_MAX)
			return -FDT_ERR_NOSPACE;
		bytes++;
	}
	return fdt_setprop(tree, node, name, value, bytes);
}

static bool has_type(const void *tree, int node, const char *type, uint32_t type_bytes)
{
	int bytes;
	const void *value = fdt_getprop(tree, node, "device_type", &bytes);

	return value && (uint32_t)bytes == type_bytes && memcmp(value, type, type_bytes) == 0;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Each deletion moves the nodes, so the search begins anew. */
static int delete_memory(void *tree)
{
	int node = fdt_first_subnode(tree, 0);

	while (node >= 0) {
		if (!has_type(tree, node, "memory", sizeof("memory"))) {
			node = fdt_next_subnode(tree, node);
			continue;
		}

		int error = fdt_del_node(tree, node);

		if (error < 0)
			return axvm_guest_fdt_error(error);
		node = fdt_first_subnode(tree, 0);
	}
	return 0;
}

static int add_memory(void *tree, const struct axvm_config_memory *memory)
{
	char name[32];
	struct axvm_text text = axvm_text(name, sizeof(name));
	struct cells reg = { .count = 0 };

	if (!add_cells(&reg, memory->gpa.addr, fdt_address_cells(tree, 0)) ||
	    !add_cells(&reg, memory->bytes, fdt_size_cells(tree, 0)))
		return AXVM_ERANGE;
	axvm_guest_fdt_name(&text, "memory", memory->gpa.addr);

	int node = fdt_add_subnode(tree, 0, name);
	int error = node < 0 ? node : set_string(tree, node, "device_type", "memory");

	if (error >= 0)
		error = fdt_setprop(tree, node, "reg", reg.value,
				    (int)(reg.count * sizeof(fdt32_t)));
	return axvm_guest_fdt_error(error);
}

/* From the last to the first: libfdt puts each new node before the others. */
static int patch_memory(void *tree, const struct axvm_config *config)
{
	int error = delete_memory(tree);

	for (uint32_t i = config->memory_count; i > 0 && !error; i--) {
		if (axvm_guest_fdt_is_ram(&config->memory[i - 1]))
			error = add_memory(tree, &config->memory[i - 1]);
	}
	return error;
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

struct cpus {
	void *tree;
	const struct axvm_config *config;
	enum axvm_isa isa;
	int node; /* /cpus */
	int address_cells;
	uint64_t present; /* bit n: vCPU n has a node */
};

static bool is_cpu(const struct cpus *cpus, int node)
{
	return has_type(cpus->tree, node, "cpu", sizeof("cpu"));
}

/* The vCPU that the node describes, or vcpu_count. */
static uint32_t find_vcpu(const struct cpus *cpus, int node)
{
	int bytes;
	const fdt32_t *reg = fdt_getprop(cpus->tree, node, "reg", &bytes);
	uint32_t count = cpus->config->vcpu_count;
	uint64_t id = 0;

	if (!reg || bytes != cpus->address_cells * (int)sizeof(fdt32_t))
		return count;
	for (int i = 0; i < cpus->address_cells; i++)
		id = id << 32 | fdt32_ld(reg + i);
	for (uint32_t i = 0; i < count; i++) {
		if (axvm_guest_cpu_id(cpus->config, cpus->isa, i) == id)
			return i;
	}
	return count;
}

/* Notes which vCPUs have a node; the first node that none of them owns is `*spare`. */
static void scan_cpus(struct cpus *cpus, int *spare)
{
	int node;

	*spare = -1;
	cpus->present = 0;
	fdt_for_each_subnode(node, cpus->tree, cpus->node)
	{
		if (!is_cpu(cpus, node))
			continue;

		uint32_t index = find_vcpu(cpus, node);

		if (index < cpus->config->vcpu_count && !(cpus->present >> index & 1))
			cpus->present |= (uint64_t)1 << index;
		else if (*spare < 0)
			*spare = node;
	}
}

/* The topology points at CPU nodes; without it guests use the numbers. */
static int delete_spare_cpus(struct cpus *cpus)
{
	int spare;
	int error = 0;
	int map = fdt_subnode_offset(cpus->tree, cpus->node, "cpu-map");

	scan_cpus(cpus, &spare);
	if (spare >= 0 && map >= 0)
		error = fdt_del_node(cpus->tree, map);
	if (error >= 0)
		scan_cpus(cpus, &spare);
	while (spare >= 0 && error >= 0) {
		error = fdt_del_node(cpus->tree, spare);
		if (error >= 0)
			scan_cpus(cpus, &spare);
	}
	return axvm_guest_fdt_error(error);
}

static int add_cpu(const struct cpus *cpus, uint32_t index)
{
	uint64_t id = axvm_guest_cpu_id(cpus->config, cpus->isa, index);
	char name[32];
	struct axvm_text text = axvm_text(name, sizeof(name));
	struct cells reg = { .count = 0 };

	if (!add_cells(&reg, id, cpus->address_cells))
		return AXVM_ERANGE;
	axvm_guest_fdt_name(&text, "cpu", id);

	int node = fdt_add_subnode(cpus->tree, cpus->node, name);
	int error = node < 0 ? node : set_string(cpus->tree, node, "device_type", "cpu");

	if (error >= 0)
		error = set_string(cpus->tree, node, "compatible", "arm,armv8");
	if (error >= 0)
		error = set_string(cpus->tree, node, "enable-method", "psci");
	if (error >= 0)
		error = fdt_setprop(cpus->tree, node, "reg", reg.value,
				    (int)(reg.count * sizeof(fdt32_t)));
	return axvm_guest_fdt_error(error);
}

/* A riscv64 CPU needs an interrupt controller of its own, to which others then point. */
static int patch_cpus(void *tree, const struct axvm_config *config, enum axvm_isa isa)
{
	struct cpus cpus = { .tree = tree, .config = config, .isa = isa };

	cpus.node = fdt_path_offset(tree, "/cpus");
	if (cpus.node < 0)
		return isa == AXVM_ISA_X86_64 ? 0 : AXVM_EFORMAT;
	cpus.address_cells = fdt_address_cells(tree, cpus.node);
	if (cpus.address_cells < 1 || cpus.address_cells > 2)
		return AXVM_EFORMAT;

	int error = delete_spare_cpus(&cpus);

	for (uint32_t i = config->vcpu_count; i > 0 && !error; i--) {
		if (cpus.present >> (i - 1) & 1)
			continue;
		error = isa == AXVM_ISA_AARCH64 ? add_cpu(&cpus, i - 1) : AXVM_EFORMAT;
	}
	return error;
}

/* ---- chosen --------------------------------------------------------------------------------- */

static int patch_initrd(void *tree, int node, const struct axvm_plan *plan)
{
	if (plan->initrd_bytes == 0) {
		int error = fdt_delprop(tree, node, "linux,initrd-start");

		if (error == 0 || error == -FDT_ERR_NOTFOUND)
			error = fdt_delprop(tree, node, "linux,initrd-end");
		return error == -FDT_ERR_NOTFOUND ? 0 : error;
	}

	int error = fdt_setprop_u64(tree, node, "linux,initrd-start", plan->initrd_gpa);

	return error < 0 ? error
			 : fdt_setprop_u64(tree, node, "linux,initrd-end",
					   plan->initrd_gpa + plan->initrd_bytes);
}

static int patch_seed(void *tree, int node, const uint8_t *seed)
{
	if (!seed)
		return 0;

	int error = fdt_setprop_u64(tree, node, "kaslr-seed", axvm_guest_fdt_kaslr_seed(seed));

	return error < 0 ? error
			 : fdt_setprop(tree, node, "rng-seed", seed, AXVM_GUEST_FDT_SEED_BYTES);
}

/* The user's own stays; ours is named only when it is in the tree. */
static int patch_stdout(void *tree, int node, const struct axvm_config *config)
{
	char path[64];

	if (fdt_getprop(tree, node, "stdout-path", NULL) || !axvm_guest_fdt_stdout(config, path) ||
	    fdt_path_offset(tree, path) < 0)
		return 0;
	return set_string(tree, node, "stdout-path", path);
}

static int patch_chosen(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
			const struct axvm_plan *plan)
{
	void *tree = fdt->buffer;
	int node = fdt_path_offset(tree, "/chosen");
	int error = 0;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(tree, 0, "chosen");
	if (node < 0)
		return axvm_guest_fdt_error(node);
	if (config->cmdline && config->cmdline[0] != '\0')
		error = set_string(tree, node, "bootargs", config->cmdline);
	if (error >= 0)
		error = patch_initrd(tree, node, plan);
	if (error >= 0)
		error = patch_seed(tree, node, fdt->seed);
	if (error >= 0)
		error = patch_stdout(tree, node, config);
	return axvm_guest_fdt_error(error);
}

/* Into the buffer first: the user's may lie unaligned, which libfdt refuses. */
static int open_copy(struct axvm_guest_fdt *fdt, struct axvm_blob own)
{
	if (own.bytes > fdt->capacity || own.bytes > INT32_MAX)
		return AXVM_ENOMEM;
	if (own.bytes < sizeof(struct fdt_header))
		return AXVM_EFORMAT;
	memcpy(fdt->buffer, own.data, own.bytes);
	if (fdt_check_full(fdt->buffer, own.bytes) != 0)
		return AXVM_EFORMAT;
	return axvm_guest_fdt_error(
		fdt_open_into(fdt->buffer, fdt->buffer, axvm_guest_fdt_capacity(fdt)));
}

int axvm_guest_fdt_patch(struct axvm_guest_fdt *fdt, struct axvm_blob own,
			 const struct axvm_config *config, const struct axvm_platform *platform,
			 const struct axvm_plan *plan, uint64_t *bytes)
{
	int error = open_copy(fdt, own);

	error = error ? error : patch_chosen(fdt, config, plan);
	error = error ? error : patch_cpus(fdt->buffer, config, platform->isa);
	error = error ? error : patch_memory(fdt->buffer, config);
	error = error ? error : axvm_guest_fdt_error(fdt_pack(fdt->buffer));
	if (!error)
		*bytes = fdt_totalsize(fdt->buffer);
	return error;
}
