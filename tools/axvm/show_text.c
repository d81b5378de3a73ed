// SPDX-License-Identifier: Apache-2.0
/* A VM for people to read: what it is, what lies where, who runs it. */
#include "map.h"

#include <stdlib.h>

static void show_map(FILE *out, const struct axvm_tool_map *map)
{
	fprintf(out, "\n  %-25s  %12s  %-16s  %s\n", "addresses", "size", "what", "");
	for (size_t i = 0; i < map->count; i++) {
		const struct axvm_tool_map_entry *entry = &map->entries[i];
		const bool is_port = entry->class == AXVM_TOOL_MAP_PORT;
		const int indent = entry->class == AXVM_TOOL_MAP_IMAGE ? 2 : 0;
		char *size = axvm_tool_size(entry->bytes);

		fprintf(out, "  %s0x%0*llx-0x%0*llx  %12s  %*s%-*s  %s\n",
			is_port ? "port      " : "", is_port ? 4 : 10,
			(unsigned long long)entry->base, is_port ? 4 : 10,
			(unsigned long long)(entry->base + (entry->bytes - 1)), size, indent, "",
			16 - indent, entry->name, entry->detail);
	}
}

static void show_cpu(FILE *out, const struct axvm_config *config, uint32_t index)
{
	fprintf(out, "  vCPU %-2u ", index);
	if (config->phys_cpu_ids)
		fprintf(out, "  id 0x%llx", (unsigned long long)config->phys_cpu_ids[index]);
	if (!config->phys_cpu_sets) {
		fprintf(out, "  on any CPU\n");
		return;
	}
	fprintf(out, "  on CPU");
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		if (config->phys_cpu_sets[index] >> cpu & 1)
			fprintf(out, " %u", cpu);
	}
	fputc('\n', out);
}

static void show_interrupts(FILE *out, const struct axvm_config *config)
{
	fprintf(out, "\n  interrupts: %s\n", axvm_irq_mode_name(config->irq_mode));
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (config->emu[i].irq)
			fprintf(out, "  %6u  %s\n", config->emu[i].irq, config->emu[i].name);
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		if (config->passthrough[i].irq)
			fprintf(out, "  %6u  %s (passthrough)\n", config->passthrough[i].irq,
				config->passthrough[i].name);
	}
}

static void show_discovered(FILE *out, const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		if (config->passthrough[i].path)
			fprintf(out, "  from the host's device tree: %s\n",
				config->passthrough[i].path);
	}
	for (uint32_t i = 0; i < config->excluded_count; i++)
		fprintf(out, "  but not: %s\n", config->excluded[i]);
}

void axvm_tool_show_text(FILE *out, const struct axvm_tool_vmfile *vm,
			 const struct axvm_tool_map *map, bool planned)
{
	const struct axvm_config *config = vm->config;

	fprintf(out, "%s: VM %u \"%s\", %s, type %s, %u vCPU%s, boots by %s\n", vm->path,
		config->id, config->name, axvm_isa_name(config->isa),
		axvm_vm_type_name(config->type), config->vcpu_count,
		config->vcpu_count == 1 ? "" : "s", axvm_boot_protocol_name(config->boot_protocol));
	show_map(out, map);
	if (!planned)
		fprintf(out, "  (without the images: see the complaint)\n");
	show_discovered(out, config);
	show_interrupts(out, config);
	fprintf(out, "\n  CPUs\n");
	for (uint32_t i = 0; i < config->vcpu_count; i++)
		show_cpu(out, config, i);
	fprintf(out, "\n  command line: %s\n", config->cmdline[0] ? config->cmdline : "(none)");
}
