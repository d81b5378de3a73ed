/* SPDX-License-Identifier: Apache-2.0 */
#include "config_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t plic_args[] = { 4 };

static const struct axvm_config_emu aarch64_devices[] = {
	{ "gic", { 0x08000000 }, 0x10000, 0, AXVM_EMU_GICV3, NULL, 0 },
	{ "uart", { 0x09000000 }, 0x1000, 33, AXVM_EMU_PL011, NULL, 0 },
};
static const struct axvm_config_emu riscv64_devices[] = {
	{ "plic", { 0x0c000000 }, 0x600000, 0, AXVM_EMU_PPPT_GLOBAL, plic_args, 1 },
	{ "uart", { 0x10000000 }, 0x100, 10, AXVM_EMU_NS16550, NULL, 0 },
};
static const struct axvm_config_emu x86_64_devices[] = {
	{ "ioapic", { 0xfec00000 }, 0x1000, 0, AXVM_EMU_X86_IOAPIC, NULL, 0 },
	{ "com1", { 0x3f8 }, 8, 4, AXVM_EMU_CONSOLE, NULL, 0 },
};

const struct axvm_platform config_run_aarch64 = {
	.isa = AXVM_ISA_AARCH64,
	.name = "aarch64",
	.ram_base = 0x40000000,
	.ram_limit = 0x4000000000,
	.irq_count = 1020,
	.devices = aarch64_devices,
	.device_count = 2,
};
const struct axvm_platform config_run_riscv64 = {
	.isa = AXVM_ISA_RISCV64,
	.name = "riscv64",
	.ram_base = 0x80000000,
	.ram_limit = 0x10000000000,
	.irq_count = 96,
	.devices = riscv64_devices,
	.device_count = 2,
};
const struct axvm_platform config_run_x86_64 = {
	.isa = AXVM_ISA_X86_64,
	.name = "x86_64",
	.ram_base = 0,
	.ram_limit = 0xc0000000,
	.irq_count = 24,
	.devices = x86_64_devices,
	.device_count = 2,
};

static struct config_run run;

static void keep(void *context, const struct axvm_config_error *error)
{
	struct config_run *to = context;
	const size_t used = strlen(to->errors);

	to->error_count++;
	snprintf(to->errors + used, sizeof(to->errors) - used, "%u:%u: %s\n", error->line,
		 error->column, error->text);
}

const struct config_run *config_run_in(const struct axvm_platform *platform, const char *text,
				       size_t bytes, size_t memory_bytes)
{
	static void *memory;
	struct axvm_config_source source = { text, bytes, "test.toml", keep, &run };

	/* Of exactly that size, so that the sanitizer sees a byte too far. */
	free(memory);
	memory = malloc(memory_bytes + 1);
	if (memory == NULL)
		abort();
	memset(memory, 0xa5, memory_bytes);
	memset(&run, 0, sizeof(run));
	run.result =
		axvm_config_parse(&source, platform, (char *)memory + 1, memory_bytes, &run.config);
	return &run;
}

const struct config_run *config_run(const struct axvm_platform *platform, const char *text)
{
	const size_t bytes = strlen(text);
	char *copy = malloc(bytes + 1);
	const struct config_run *done;

	if (copy == NULL)
		abort();
	memcpy(copy, text, bytes); /* and what is kept must not point into the text */
	done = config_run_in(platform, copy, bytes, AXVM_CONFIG_MEMORY_BYTES(bytes));
	free(copy);
	return done;
}

static const char *compose(const char *before, const char *extra)
{
	static char text[65536];

	snprintf(text, sizeof(text), "%s%s", before, extra);
	return text;
}

const char *config_run_in_base(const char *extra)
{
	return compose("[kernel]\nkernel_path = \"Image\"\nmemory = \"64 MiB\"\n"
		       "[base]\nid = 1\nname = \"vm\"\n",
		       extra);
}

const char *config_run_in_kernel(const char *extra)
{
	return compose("[base]\nid = 1\nname = \"vm\"\n"
		       "[kernel]\nkernel_path = \"Image\"\nmemory = \"64 MiB\"\n",
		       extra);
}

const char *config_run_in_memory(const char *extra)
{
	return compose("[base]\nid = 1\nname = \"vm\"\n\n[kernel]\nkernel_path = \"Image\"\n",
		       extra);
}

const char *config_run_in_devices(const char *extra)
{
	return compose("base = { id = 1, name = \"vm\" }\n[kernel]\nkernel_path = \"Image\"\n"
		       "memory = \"64 MiB\"\n\n[devices]\n",
		       extra);
}
