/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AxVisor's own VM files, kept outside of this tree ($AXVM_SHARED/axvisor-configs, or
 * ../shared/axvisor-configs seen from the source root). What each must come to was written down
 * from reading it.
 */
#include "axtest.h"
#include "config_run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 8
#define NONE UINT64_MAX

struct expected {
	const char *file;
	const struct axvm_platform *platform;
	uint32_t id;
	const char *name;
	uint32_t cpu_count;
	uint64_t ids[CPUS]; /* all of cpu_count, or the first is NONE: no such key */
	bool has_sets;	    /* then vCPU i has bit i */
	uint64_t entry;
	enum axvm_image_location location;
	const char *kernel;
	uint64_t kernel_load;
	uint64_t dtb_load; /* NONE: no such key */
	const char *dtb;
	const char *bios;
	uint64_t bios_load;
	uint32_t memory_count;
	struct axvm_config_memory memory[2];
	enum axvm_irq_mode mode;
	enum axvm_boot_protocol protocol;
	uint32_t passthrough_count;
	struct axvm_config_passthrough passthrough[6];
	const char *excluded; /* one path or NULL */
	struct axvm_config_range address;
};

#define IDENTICAL(base, size)                              \
	{                                                  \
		{ base }, size, 0x7, AXVM_MEMORY_IDENTICAL \
	}
#define EVERYTHING .passthrough_count = 1, .passthrough = { { "/", "/", { 0 }, { 0 }, 0, 0 } }
#define SAME(name, base, size, irq)                       \
	{                                                 \
		name, NULL, { base }, { base }, size, irq \
	}

static const struct expected all[] = {
	{
		.file = "arceos-aarch64-e2000-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 2,
		.name = "arceos",
		.cpu_count = 1,
		.ids = { 0 },
		.entry = 0x2020080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/guest/arceos/phytiumpi",
		.kernel_load = 0x2020080000,
		.dtb_load = 0x2020000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2020000000, 0x20000000) },
		.mode = AXVM_IRQ_NONE,
		EVERYTHING,
	},
	{
		.file = "arceos-aarch64-e2000-smp2.toml",
		.platform = &config_run_aarch64,
		.id = 2,
		.name = "arceos",
		.cpu_count = 2,
		.ids = { 0x201, 0x100 },
		.entry = 0x2020080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/guest/arceos/phytiumpi",
		.kernel_load = 0x2020080000,
		.dtb_load = 0x2020000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2020000000, 0x20000000) },
		.mode = AXVM_IRQ_NONE,
		EVERYTHING,
	},
	{
		.file = "arceos-aarch64-qemu-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "arceos-qemu",
		.cpu_count = 1,
		.ids = { 0 },
		.entry = 0x80200000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "path/arceos-aarch64-dyn-smp1.bin",
		.kernel_load = 0x80200000,
		.dtb_load = 0x80000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x80000000, 0x40000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
		.excluded = "/pcie@10000000",
	},
	{
		.file = "arceos-aarch64-rk3568-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "arceos",
		.cpu_count = 1,
		.ids = { 0x200 },
		.entry = 0x70080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/userdata/rootfs_overlay/guest/arceos/roc-rk3568-pc",
		.kernel_load = 0x70080000,
		.dtb_load = 0x70000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x70000000, 0x10000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "arceos-aarch64-rk3568-smp2.toml",
		.platform = &config_run_aarch64,
		.id = 2,
		.name = "arceos",
		.cpu_count = 2,
		.ids = { 0, 0x100 },
		.entry = 0x70080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/userdata/rootfs_overlay/guest/arceos/roc-rk3568-pc",
		.kernel_load = 0x70080000,
		.dtb_load = 0x70000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x70000000, 0x10000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "arceos-aarch64-tac_e400-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 2,
		.name = "arceos",
		.cpu_count = 1,
		.ids = { 0x200 },
		.entry = 0x2020080000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/path/to/arceos_aarch64-dyn_smp1.bin",
		.kernel_load = 0x2020080000,
		.dtb_load = 0x2020000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2020000000, 0x20000000) },
		.mode = AXVM_IRQ_NONE,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-a1000-smp8.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 8,
		.ids = { 0, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700 },
		.has_sets = true,
		.entry = 0x1ce800000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/path/to/kernel",
		.kernel_load = 0x1ce800000,
		.dtb_load = 0x1cef00000,
		.dtb = "/path/to/dtb",
		.memory_count = 2,
		.memory = { IDENTICAL(0x1ce800000, 0x20000000),
			    { { 0x80000000 }, 0x70000000, 0xf, AXVM_MEMORY_RESERVED } },
		.mode = AXVM_IRQ_PASSTHROUGH,
		.passthrough_count = 1,
		.passthrough = { SAME("most-devices", 0, 0x80000000, 1) },
	},
	{
		.file = "linux-aarch64-e2000-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 1,
		.ids = { 0x100 },
		.entry = 0x2040080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/guest/linux/phytiumpi",
		.kernel_load = 0x2040080000,
		.dtb_load = 0x2040000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2040000000, 0x40000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-e2000-smp2.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 2,
		.ids = { 0x200, 0 },
		.entry = 0x2040080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/guest/linux/phytiumpi",
		.kernel_load = 0x2040080000,
		.dtb_load = 0x2040000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2040000000, 0x40000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-qemu-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux-qemu",
		.cpu_count = 1,
		.ids = { 0 },
		.entry = 0x80200000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/tmp/axvisor/qemu_aarch64_linux/qemu-aarch64",
		.kernel_load = 0x80200000,
		.dtb_load = 0x80000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x80000000, 0x10000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-rk3568-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 2,
		.name = "linux",
		.cpu_count = 1,
		.ids = { 0 },
		.entry = 0x80080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/userdata/rootfs_overlay/guest/linux/roc-rk3568-pc",
		.kernel_load = 0x80080000,
		.dtb_load = 0x80000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x80000000, 0x60000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-rk3568-smp2.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 2,
		.ids = { 0x200, 0x300 },
		.entry = 0x80080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/userdata/rootfs_overlay/guest/linux/roc-rk3568-pc",
		.kernel_load = 0x80080000,
		.dtb_load = 0x80000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x80000000, 0x60000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "linux-aarch64-rk3588-smp8.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 8,
		.ids = { 0, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700 },
		.has_sets = true,
		.entry = 0x10080000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/path/to/kernel",
		.kernel_load = 0x10080000,
		.dtb_load = 0x10000000,
		.dtb = "/path/to/dtb",
		.memory_count = 2,
		.memory = { IDENTICAL(0x9400000, 0xd5500000),
			    { { 0x9200000 }, 0x2000, 0xf, AXVM_MEMORY_RESERVED } },
		.mode = AXVM_IRQ_PASSTHROUGH,
		.passthrough_count = 6,
		.passthrough = { SAME("ramoops", 0x110000, 0xf0000, 0x17),
				 SAME("sram", 0x10f000, 0x1000, 0x17),
				 SAME("gpu", 0xfb000000, 0x200000, 0x17),
				 SAME("uart8250 UART", 0xfd000000, 0x2000000, 0x17),
				 SAME("usb", 0xfc000000, 0x1000000, 0x17),
				 SAME("uncached", 0, 0x10f000, 0x17) },
	},
	{
		.file = "linux-aarch64-tac_e400-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "linux",
		.cpu_count = 1,
		.ids = { 0x100 },
		.entry = 0x2040080000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/path/to/Image",
		.kernel_load = 0x2040080000,
		.dtb_load = 0x2040000000,
		.memory_count = 1,
		.memory = { IDENTICAL(0x2040000000, 0x40000000) },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
	},
	{
		.file = "nimbos-aarch64-qemu-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "nimbos",
		.cpu_count = 1,
		.ids = { 0 },
		.entry = 0x40080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "nimbos-aarch64.bin",
		.kernel_load = 0x40080000,
		.dtb_load = NONE,
		.memory_count = 1,
		.memory = { { { 0x40000000 }, 0x1000000, 0x7, AXVM_MEMORY_ALLOC } },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
		.excluded = "/pcie@10000000",
	},
	{
		.file = "nimbos-riscv64-qemu-smp1.toml",
		.platform = &config_run_riscv64,
		.id = 1,
		.name = "nimbos",
		.cpu_count = 1,
		.ids = { NONE },
		.has_sets = true,
		.entry = 0x90200000,
		.location = AXVM_LOCATION_FS,
		.kernel = "nimbos-riscv64.bin",
		.kernel_load = 0x90200000,
		.dtb_load = NONE,
		.memory_count = 1,
		.memory = { { { 0x90000000 }, 0x1000000, 0xf, AXVM_MEMORY_ALLOC } },
		.mode = AXVM_IRQ_NONE,
		.passthrough_count = 2,
		.passthrough = { SAME("PLIC@c000000", 0xc000000, 0x210000, 1),
				 SAME("UART@10000000", 0x10000000, 0x1000, 1) },
	},
	{
		.file = "nimbos-x86_64-qemu-smp1.toml",
		.platform = &config_run_x86_64,
		.id = 1,
		.name = "nimbos",
		.cpu_count = 1,
		.ids = { NONE },
		.has_sets = true,
		.entry = 0x8000,
		.location = AXVM_LOCATION_MEMORY,
		.kernel = "/tmp/.axvisor-images/qemu_x86_64_nimbos/qemu-x86_64",
		.kernel_load = 0x200000,
		.dtb_load = NONE,
		.bios = "/tmp/.axvisor-images/qemu_x86_64_nimbos/axvm-bios.bin",
		.bios_load = 0x8000,
		.memory_count = 1,
		.memory = { { { 0 }, 0x1000000, 0x7, AXVM_MEMORY_ALLOC } },
		.mode = AXVM_IRQ_PASSTHROUGH,
		.protocol = AXVM_BOOT_MULTIBOOT,
		.passthrough_count = 3,
		.passthrough = { SAME("IO APIC", 0xfec00000, 0x1000, 1),
				 SAME("Local APIC", 0xfee00000, 0x1000, 1),
				 SAME("HPET", 0xfed00000, 0x1000, 1) },
	},
	{
		.file = "rtthread-aarch64-e2000-smp1.toml",
		.platform = &config_run_aarch64,
		.id = 1,
		.name = "rtthread",
		.cpu_count = 1,
		.ids = { 0x100 },
		.entry = 0x80080000,
		.location = AXVM_LOCATION_FS,
		.kernel = "/guest/rtthread/phytiumpi",
		.kernel_load = 0x80080000,
		.dtb_load = NONE,
		.memory_count = 1,
		.memory = { { { 0x80000000 }, 0x10000000, 0x7, AXVM_MEMORY_ALLOC } },
		.mode = AXVM_IRQ_PASSTHROUGH,
		EVERYTHING,
		.address = { 0x32b30000, 0x1000 },
	},
};

static char folder[1024];

static bool find_folder(void)
{
	const char *shared = getenv("AXVM_SHARED");
	const char *candidates[] = { shared, "../shared", "../../shared", "../../../shared" };

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		DIR *found;

		if (candidates[i] == NULL)
			continue;
		snprintf(folder, sizeof(folder), "%s/axvisor-configs", candidates[i]);
		found = opendir(folder);
		if (found == NULL)
			continue;
		closedir(found);
		return true;
	}
	return false;
}

static const char *load(const char *file)
{
	static char text[65536];
	char path[2048];
	FILE *stream;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	stream = fopen(path, "rb");
	if (stream == NULL)
		return NULL;
	bytes = fread(text, 1, sizeof(text) - 1, stream);
	fclose(stream);
	text[bytes] = '\0';
	return text;
}

static void check_string(const char *got, const char *wanted)
{
	if (wanted == NULL)
		CHECK(got == NULL);
	else if (got == NULL)
		CHECK(got != NULL);
	else
		CHECK_STR_EQ(got, wanted);
}

static void check_base(const struct axvm_config *config, const struct expected *wanted)
{
	CHECK_EQ(config->isa, wanted->platform->isa);
	CHECK(!config->has_isa);
	CHECK_EQ(config->id, wanted->id);
	CHECK_STR_EQ(config->name, wanted->name);
	CHECK_EQ(config->type, AXVM_VM_RTOS); /* all of them say 1, Linux too */
	CHECK_EQ(config->vcpu_count, wanted->cpu_count);
	CHECK_EQ(config->phys_cpu_ids != NULL, wanted->ids[0] != NONE);
	CHECK_EQ(config->phys_cpu_sets != NULL, wanted->has_sets);
	for (uint32_t i = 0; i < wanted->cpu_count; i++) {
		if (config->phys_cpu_ids != NULL)
			CHECK_EQ(config->phys_cpu_ids[i], wanted->ids[i]);
		if (config->phys_cpu_sets != NULL)
			CHECK_EQ(config->phys_cpu_sets[i], 1u << i);
	}
}

static void check_kernel(const struct axvm_config *config, const struct expected *wanted)
{
	CHECK(config->has_entry);
	CHECK_EQ(config->entry.addr, wanted->entry);
	CHECK_EQ(config->image_location, wanted->location);
	check_string(config->kernel.path, wanted->kernel);
	CHECK(config->kernel.has_load);
	CHECK_EQ(config->kernel.load.addr, wanted->kernel_load);
	check_string(config->dtb.path, wanted->dtb);
	CHECK_EQ(config->dtb.has_load, wanted->dtb_load != NONE);
	if (config->dtb.has_load)
		CHECK_EQ(config->dtb.load.addr, wanted->dtb_load);
	check_string(config->bios.path, wanted->bios);
	CHECK_EQ(config->bios.has_load, wanted->bios != NULL);
	CHECK_EQ(config->bios.load.addr, wanted->bios_load);
	CHECK(config->initrd.path == NULL && !config->initrd.has_load);
	CHECK(config->disk_path == NULL);
	CHECK_STR_EQ(config->cmdline, "");
	CHECK_EQ(config->boot_protocol, wanted->protocol);
}

static void check_memory(const struct axvm_config *config, const struct expected *wanted)
{
	REQUIRE_EQ(config->memory_count, wanted->memory_count);
	for (uint32_t i = 0; i < wanted->memory_count; i++) {
		CHECK_EQ(config->memory[i].gpa.addr, wanted->memory[i].gpa.addr);
		CHECK_EQ(config->memory[i].bytes, wanted->memory[i].bytes);
		CHECK_EQ(config->memory[i].flags, wanted->memory[i].flags);
		CHECK_EQ(config->memory[i].map_type, wanted->memory[i].map_type);
	}
}

static void check_passthrough(const struct axvm_config *config, const struct expected *wanted)
{
	REQUIRE_EQ(config->passthrough_count, wanted->passthrough_count);
	for (uint32_t i = 0; i < wanted->passthrough_count; i++) {
		const struct axvm_config_passthrough *got = &config->passthrough[i];

		check_string(got->name, wanted->passthrough[i].name);
		check_string(got->path, wanted->passthrough[i].path);
		CHECK_EQ(got->gpa.addr, wanted->passthrough[i].gpa.addr);
		CHECK_EQ(got->hpa.addr, wanted->passthrough[i].hpa.addr);
		CHECK_EQ(got->bytes, wanted->passthrough[i].bytes);
		CHECK_EQ(got->irq, wanted->passthrough[i].irq);
	}
}

static void check_devices(const struct axvm_config *config, const struct expected *wanted)
{
	CHECK_EQ(config->irq_mode, wanted->mode);
	CHECK_EQ(config->emu_count, 0);
	CHECK_EQ(config->excluded_count, wanted->excluded != NULL);
	if (config->excluded_count > 0)
		check_string(config->excluded[0], wanted->excluded);
	CHECK_EQ(config->passthrough_address_count, wanted->address.bytes != 0);
	if (config->passthrough_address_count > 0) {
		CHECK_EQ(config->passthrough_addresses[0].base, wanted->address.base);
		CHECK_EQ(config->passthrough_addresses[0].bytes, wanted->address.bytes);
	}
	CHECK_EQ(config->passthrough_port_count, 0);
	CHECK(!config->address_space_passthrough);
}

static void check_file(const struct expected *wanted)
{
	const char *text = load(wanted->file);
	const struct config_run *run;

	CHECK_STR_EQ(text != NULL ? wanted->file : "(cannot be read)", wanted->file);
	if (text == NULL)
		return;
	run = config_run(wanted->platform, text);
	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	check_base(run->config, wanted);
	check_kernel(run->config, wanted);
	check_memory(run->config, wanted);
	check_passthrough(run->config, wanted);
	check_devices(run->config, wanted);
}

TEST(every_upstream_file_has_the_values_that_it_says)
{
	if (!find_folder())
		SKIP("no axvisor-configs in $AXVM_SHARED or ../shared");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_file(&all[i]);
}

TEST(no_upstream_file_is_left_out)
{
	const struct dirent *entry;
	size_t count = 0;
	DIR *files;

	if (!find_folder())
		SKIP("no axvisor-configs in $AXVM_SHARED or ../shared");
	files = opendir(folder);
	REQUIRE(files != NULL);
	while ((entry = readdir(files)) != NULL)
		count += strstr(entry->d_name, ".toml") != NULL;
	closedir(files);
	CHECK_EQ(count, sizeof(all) / sizeof(all[0]));
}

AXTEST_MAIN(every_upstream_file_has_the_values_that_it_says, no_upstream_file_is_left_out)
