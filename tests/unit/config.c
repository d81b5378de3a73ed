/* SPDX-License-Identifier: Apache-2.0 */
/* What right VM files come to: defaults, every key, and the two forms of an entry. */
#include "axtest.h"
#include "config_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parsed text, or NULL after a failed check that shows the errors. */
static const struct axvm_config *parse_for(const struct axvm_platform *platform, const char *text)
{
	const struct config_run *run = config_run(platform, text);

	CHECK_STR_EQ(run->errors, "");
	CHECK_EQ(run->result, 0);
	return run->config;
}

static const struct axvm_config *parse(const char *text)
{
	return parse_for(&config_run_aarch64, text);
}

#define SHORTEST                                      \
	"[base]\nid = 7\nname = \"tiny\"\n[kernel]\n" \
	"kernel_path = \"Image\"\nmemory = \"512 MiB\"\n"

TEST(the_shortest_file_gets_all_defaults)
{
	const struct axvm_config *config = parse(SHORTEST);

	REQUIRE(config != NULL);
	CHECK_EQ(config->isa, AXVM_ISA_AARCH64);
	CHECK(!config->has_isa);
	CHECK_EQ(config->id, 7);
	CHECK_STR_EQ(config->name, "tiny");
	CHECK_EQ(config->type, AXVM_VM_LINUX);
	CHECK_EQ(config->vcpu_count, 1);
	CHECK(config->phys_cpu_ids == NULL && config->phys_cpu_sets == NULL);
	CHECK_STR_EQ(config->kernel.path, "Image");
	CHECK(!config->kernel.has_load && !config->has_entry);
	CHECK(config->initrd.path == NULL && config->dtb.path == NULL);
	CHECK(config->bios.path == NULL && config->disk_path == NULL);
	CHECK(!config->initrd.has_load && !config->dtb.has_load && !config->bios.has_load);
	CHECK_STR_EQ(config->cmdline, "");
	CHECK_EQ(config->boot_protocol, AXVM_BOOT_DIRECT);
	CHECK_EQ(config->image_location, AXVM_LOCATION_FS);
}

TEST(the_shortest_file_gets_the_platform)
{
	const struct axvm_config *config = parse(SHORTEST);

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->memory_count, 1);
	CHECK_EQ(config->memory[0].gpa.addr, 0x40000000);
	CHECK_EQ(config->memory[0].bytes, 0x20000000);
	CHECK_EQ(config->memory[0].flags, AXVM_MAP_RWX);
	CHECK_EQ(config->memory[0].map_type, AXVM_MEMORY_ALLOC);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_EMULATED);
	REQUIRE_EQ(config->emu_count, 2);
	CHECK_STR_EQ(config->emu[0].name, "gic");
	CHECK_EQ(config->emu[0].type, AXVM_EMU_GICV3);
	CHECK_STR_EQ(config->emu[1].name, "uart");
	CHECK_EQ(config->emu[1].base.addr, 0x09000000);
	CHECK_EQ(config->emu[1].bytes, 0x1000);
	CHECK_EQ(config->emu[1].irq, 33);
	CHECK_EQ(config->passthrough_count, 0);
	CHECK_EQ(config->excluded_count, 0);
	CHECK_EQ(config->passthrough_address_count, 0);
	CHECK_EQ(config->passthrough_port_count, 0);
	CHECK(!config->address_space_passthrough);
}

TEST(each_platform_has_its_own_ram)
{
	const struct axvm_config *config = parse_for(&config_run_riscv64, SHORTEST);

	REQUIRE(config != NULL);
	CHECK_EQ(config->memory[0].gpa.addr, 0x80000000);
	config = parse_for(&config_run_x86_64, SHORTEST);
	REQUIRE(config != NULL);
	CHECK_EQ(config->memory[0].gpa.addr, 0);
	CHECK_EQ(config->isa, AXVM_ISA_X86_64);
}

TEST(every_key_of_base_is_read)
{
	const struct axvm_config *config =
		parse(config_run_in_base("isa = \"aarch64\"\nvm_type = \"rtos\"\ncpu_num = 2\n"
					 "phys_cpu_ids = [0x100, 0xff_00ff_ffff]\n"
					 "phys_cpu_sets = [\"0xf000_0000_0000_0000\", 1]\n"));

	REQUIRE(config != NULL);
	CHECK(config->has_isa);
	CHECK_EQ(config->isa, AXVM_ISA_AARCH64);
	CHECK_EQ(config->type, AXVM_VM_RTOS);
	CHECK_EQ(config->vcpu_count, 2);
	REQUIRE(config->phys_cpu_ids != NULL && config->phys_cpu_sets != NULL);
	CHECK_EQ(config->phys_cpu_ids[0], 0x100);
	CHECK_EQ(config->phys_cpu_ids[1], 0xff00ffffff);
	CHECK_EQ(config->phys_cpu_sets[0], 0xf000000000000000);
	CHECK_EQ(config->phys_cpu_sets[1], 1);
}

static void check_vm_type(const char *value, enum axvm_vm_type type)
{
	char line[64];
	const struct axvm_config *config;

	snprintf(line, sizeof(line), "vm_type = %s\n", value);
	config = parse(config_run_in_base(line));
	REQUIRE(config != NULL);
	CHECK_EQ(config->type, type);
}

TEST(vm_types_have_numbers_and_names)
{
	check_vm_type("0", AXVM_VM_HOST);
	check_vm_type("1", AXVM_VM_RTOS);
	check_vm_type("2", AXVM_VM_LINUX);
	check_vm_type("\"host\"", AXVM_VM_HOST);
	check_vm_type("\"rtos\"", AXVM_VM_RTOS);
	check_vm_type("\"linux\"", AXVM_VM_LINUX);
}

TEST(ids_and_cpu_counts_reach_their_ends)
{
	const struct axvm_config *config = parse("[base]\nid = 0\nname = \"a\"\ncpu_num = 64\n"
						 "[kernel]\nkernel_path = \"k\"\nmemory = 4096\n");

	REQUIRE(config != NULL);
	CHECK_EQ(config->id, 0);
	CHECK_EQ(config->vcpu_count, AXVM_VCPUS_MAX);
	CHECK_EQ(config->memory[0].bytes, 4096);
	config =
		parse("[base]\nid = 4294967295\ncpu_num = 1\n"
		      "name = \"0123456789012345678901234567890123456789012345678901234567 !~xy\"\n"
		      "[kernel]\nkernel_path = \"k\"\nmemory = \"255 GiB\"\n");
	REQUIRE(config != NULL);
	CHECK_EQ(config->id, UINT32_MAX);
	CHECK_EQ(strlen(config->name), AXVM_NAME_BYTES - 1);
	CHECK_EQ(config->memory[0].bytes, (uint64_t)255 << 30);
}

TEST(every_key_of_kernel_is_read)
{
	const struct axvm_config *config = parse(config_run_in_kernel(
		"entry_point = 0x4008_0000\nkernel_load_addr = \"1 GiB\"\n"
		"image_location = \"memory\"\nbios_path = \"bios\"\nbios_load_addr = 0x4000_1000\n"
		"dtb_path = \"dtb\"\ndtb_load_addr = 0x4300_0000\nramdisk_path = \"initrd\"\n"
		"ramdisk_load_addr = 0x4200_0000\ncmdline = \"console=ttyAMA0 quiet\"\n"
		"disk_path = \"disk\"\nenable_bios = false\nboot_protocol = \"direct\"\n"));

	REQUIRE(config != NULL);
	CHECK(config->has_entry);
	CHECK_EQ(config->entry.addr, 0x40080000);
	CHECK(config->kernel.has_load);
	CHECK_EQ(config->kernel.load.addr, 0x40000000);
	CHECK_EQ(config->image_location, AXVM_LOCATION_MEMORY);
	CHECK_STR_EQ(config->bios.path, "bios");
	CHECK_EQ(config->bios.load.addr, 0x40001000);
	CHECK_STR_EQ(config->dtb.path, "dtb");
	CHECK_EQ(config->dtb.load.addr, 0x43000000);
	CHECK_STR_EQ(config->initrd.path, "initrd");
	CHECK_EQ(config->initrd.load.addr, 0x42000000);
	CHECK(config->bios.has_load && config->dtb.has_load && config->initrd.has_load);
	CHECK_STR_EQ(config->cmdline, "console=ttyAMA0 quiet");
	CHECK_STR_EQ(config->disk_path, "disk");
	CHECK_EQ(config->boot_protocol, AXVM_BOOT_DIRECT);
}

TEST(an_empty_optional_path_is_none)
{
	const struct axvm_config *config = parse(config_run_in_kernel(
		"dtb_path = \"\"\nramdisk_path = \"\"\nbios_path = \"\"\ndisk_path = \"\"\n"));

	REQUIRE(config != NULL);
	CHECK(config->dtb.path == NULL && config->initrd.path == NULL);
	CHECK(config->bios.path == NULL && config->disk_path == NULL);
}

static void check_size(const char *value, uint64_t bytes)
{
	char line[64];
	const struct axvm_config *config;

	snprintf(line, sizeof(line), "memory = %s\n", value);
	config = parse(config_run_in_memory(line));
	REQUIRE(config != NULL);
	CHECK_EQ(config->memory[0].bytes, bytes);
}

TEST(sizes_have_units)
{
	check_size("0x10_0000", 0x100000);
	check_size("\"1048576\"", 0x100000);
	check_size("\"0x10_0000\"", 0x100000);
	check_size("\"0o10000\"", 0x1000);
	check_size("\"0b1_0000_0000_0000\"", 0x1000);
	check_size("\"4K\"", 0x1000);
	check_size("\"4 K\"", 0x1000);
	check_size("\"4 KiB\"", 0x1000);
	check_size("\"512MiB\"", 0x20000000);
	check_size("\"512 M\"", 0x20000000);
	check_size("\"0x10 MiB\"", 0x1000000);
	check_size("\"1 GiB\"", 0x40000000);
	check_size("\"2G\"", 0x80000000);
	check_size("\"1_000 KiB\"", 1000 * 1024);
}

static void check_regions(const char *text)
{
	const struct axvm_config *config = parse(config_run_in_memory(text));

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->memory_count, 3);
	CHECK_EQ(config->memory[0].gpa.addr, 0x40000000);
	CHECK_EQ(config->memory[0].bytes, 0x10000000);
	CHECK_EQ(config->memory[0].flags, 0x7);
	CHECK_EQ(config->memory[0].map_type, AXVM_MEMORY_ALLOC);
	CHECK_EQ(config->memory[1].gpa.addr, 0x80000000);
	CHECK_EQ(config->memory[1].bytes, 0x1000);
	CHECK_EQ(config->memory[1].flags, 0x9);
	CHECK_EQ(config->memory[1].map_type, AXVM_MEMORY_IDENTICAL);
	CHECK_EQ(config->memory[2].gpa.addr, 0xfffffffff000);
	CHECK_EQ(config->memory[2].bytes, 0x1000);
	CHECK_EQ(config->memory[2].flags, 0x33);
	CHECK_EQ(config->memory[2].map_type, AXVM_MEMORY_RESERVED);
}

TEST(memory_regions_have_the_same_values_in_every_form)
{
	check_regions("memory_regions = [[0x4000_0000, 0x1000_0000, 0x7, 0], "
		      "[0x8000_0000, 0x1000, 0x9, 1], [0xffff_ffff_f000, 4096, 0x33, 2]]\n");
	check_regions("memory_regions = [[\"1 GiB\", \"256 MiB\", \"rwx\", \"alloc\"], "
		      "[\"2G\", \"4K\", \"ur\", \"identical\"], "
		      "[0xffff_ffff_f000, 4096, \"rwdn\", \"reserved\"]]\n");
	check_regions("memory_regions = [{ gpa = 0x4000_0000, size = \"256 MiB\" }, "
		      "{ map_type = 1, flags = 9, size = 0x1000, gpa = \"0x8000_0000\" }, "
		      "{ gpa = 0xffff_ffff_f000, size = 4096, flags = \"nwrd\", "
		      "map_type = \"reserved\" }]\n");
	check_regions("[[kernel.memory_regions]]\nsize = \"256 MiB\"\n"
		      "[[kernel.memory_regions]]\ngpa = 0x8000_0000\nsize = \"4 KiB\"\n"
		      "flags = \"ru\"\nmap_type = \"identical\"\n"
		      "[[kernel.memory_regions]]\ngpa = 0xffff_ffff_f000\nsize = \"4 KiB\"\n"
		      "flags = \"rwdn\"\nmap_type = \"reserved\"\n");
}

static void check_emulated(const char *text)
{
	const struct axvm_config *config = parse(config_run_in_devices(text));

	REQUIRE(config != NULL);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_NONE);
	REQUIRE_EQ(config->emu_count, 2);
	CHECK_STR_EQ(config->emu[0].name, "gicr");
	CHECK_EQ(config->emu[0].base.addr, 0x80a0000);
	CHECK_EQ(config->emu[0].bytes, 0x20000);
	CHECK_EQ(config->emu[0].irq, 0);
	CHECK_EQ(config->emu[0].type, AXVM_EMU_GPPT_REDISTRIBUTOR);
	REQUIRE_EQ(config->emu[0].arg_count, 3);
	CHECK_EQ(config->emu[0].args[0], 1);
	CHECK_EQ(config->emu[0].args[1], 0x20000);
	CHECK_EQ(config->emu[0].args[2], 0);
	CHECK_STR_EQ(config->emu[1].name, "uart");
	CHECK_EQ(config->emu[1].base.addr, 0x9000000);
	CHECK_EQ(config->emu[1].bytes, 0x1000);
	CHECK_EQ(config->emu[1].irq, 33);
	CHECK_EQ(config->emu[1].type, AXVM_EMU_PL011);
	CHECK_EQ(config->emu[1].arg_count, 0);
}

TEST(emulated_devices_have_the_same_values_in_every_form)
{
	check_emulated("emu_devices = [[\"gicr\", 0x80a_0000, 0x2_0000, 0, 0x20, [1, 0x2_0000, 0]],"
		       " [\"uart\", 0x900_0000, 0x1000, 33, 0x40, []]]\n");
	check_emulated("emu_devices = [[\"gicr\", 0x80a_0000, \"128 KiB\", 0, "
		       "\"gppt-redistributor\", [1, \"128K\", 0]], "
		       "[\"uart\", \"144 MiB\", \"4K\", 33, \"pl011\", []]]\n");
	check_emulated("emu_devices = [{ name = \"gicr\", base_gpa = 0x80a_0000, "
		       "length = 0x2_0000, emu_type = 0x20, cfg_list = [1, 0x2_0000, 0] }, "
		       "{ emu_type = \"pl011\" }]\n");
	check_emulated("[[devices.emu_devices]]\nname = \"gicr\"\nbase_gpa = 0x80a_0000\n"
		       "length = \"128 KiB\"\nemu_type = \"gppt-redistributor\"\n"
		       "cfg_list = [1, 0x2_0000, 0]\nirq_id = 0\n"
		       "[[devices.emu_devices]]\nemu_type = 0x40\nirq_id = 33\n");
}

TEST(every_device_type_has_its_number_and_name)
{
#define ROW(id, number, name) { AXVM_EMU_##id, #number, name },
	static const struct {
		enum axvm_emu_type type;
		const char *number;
		const char *name;
	} types[] = { AXVM_EMU_TYPES(ROW) };
#undef ROW
	char text[256];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *args = types[i].type == AXVM_EMU_GPPT_REDISTRIBUTOR ? "1, 4096, 0"
				   : types[i].type == AXVM_EMU_GPPT_ITS		? "0x8080000"
				   : types[i].type == AXVM_EMU_PPPT_GLOBAL	? "1"
										: "";
		/* Alone an IMSIC is refused. */
		const char *other = types[i].type == AXVM_EMU_IMSIC ? "aplic" : "dummy";
		const struct axvm_config *config;

		snprintf(text, sizeof(text),
			 "emu_devices = [[\"a\", 0x1000_0000, 0x60_0000, 5, %s, [%s]], "
			 "[\"b\", 0x2000_0000, 0x60_0000, 6, \"%s\", []]]\n",
			 types[i].number, args, other);
		config = parse(config_run_in_devices(text));
		REQUIRE(config != NULL);
		CHECK_EQ(config->emu[0].type, types[i].type);
		snprintf(text, sizeof(text),
			 "emu_devices = [[\"a\", 0x1000_0000, 0x60_0000, 5, \"%s\", [%s]], "
			 "[\"b\", 0x2000_0000, 0x60_0000, 6, \"%s\", []]]\n",
			 types[i].name, args, other);
		config = parse(config_run_in_devices(text));
		REQUIRE(config != NULL);
		CHECK_EQ(config->emu[0].type, types[i].type);
		CHECK_STR_EQ(axvm_emu_type_name(types[i].type), types[i].name);
	}
}

static void check_passthrough(const char *text, uint64_t hpa)
{
	const struct axvm_config *config = parse(config_run_in_devices(text));

	REQUIRE(config != NULL);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_NONE);
	CHECK_EQ(config->emu_count, 0);
	REQUIRE_EQ(config->passthrough_count, 2);
	CHECK_STR_EQ(config->passthrough[0].path, "/soc/uart@1");
	CHECK_EQ(config->passthrough[0].gpa.addr, 0);
	CHECK_EQ(config->passthrough[0].hpa.addr, 0);
	CHECK_EQ(config->passthrough[0].bytes, 0);
	CHECK_EQ(config->passthrough[0].irq, 0);
	CHECK(config->passthrough[1].path == NULL);
	CHECK_STR_EQ(config->passthrough[1].name, "gpu");
	CHECK_EQ(config->passthrough[1].gpa.addr, 0xa000800);
	CHECK_EQ(config->passthrough[1].hpa.addr, hpa);
	CHECK_EQ(config->passthrough[1].bytes, 0x1000);
	CHECK_EQ(config->passthrough[1].irq, 77);
}

TEST(passthrough_devices_have_the_same_values_in_every_form)
{
	check_passthrough("passthrough_devices = [[\"/soc/uart@1\"], "
			  "[\"gpu\", 0xa00_0800, 0xf_ffff_ffff_e800, 0x1000, 77]]\n",
			  0xfffffffffe800);
	check_passthrough("passthrough_devices = [\"/soc/uart@1\", { name = \"gpu\", irq_id = 77, "
			  "base_gpa = 0xa00_0800, base_hpa = 0x0800, length = \"4K\" }]\n",
			  0x800);
	check_passthrough(
		"passthrough_devices = [[\"/soc/uart@1\", 0, 0, 0, 0], "
		"{ name = \"gpu\", base_gpa = 0xa00_0800, length = 4096, irq_id = 77 }]\n",
		0xa000800);
	check_passthrough("[[devices.passthrough_devices]]\nname = \"/soc/uart@1\"\n"
			  "[[devices.passthrough_devices]]\nname = \"gpu\"\nbase_gpa = 0xa00_0800\n"
			  "length = 4096\nirq_id = 77\n",
			  0xa000800);
}

TEST(excluded_devices_become_one_list)
{
	const struct axvm_config *config = parse(config_run_in_devices(
		"excluded_devices = [[\"/a\", \"/b@1\"], [], \"/c\", [\"/d\"]]\n"));

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->excluded_count, 4);
	CHECK_STR_EQ(config->excluded[0], "/a");
	CHECK_STR_EQ(config->excluded[1], "/b@1");
	CHECK_STR_EQ(config->excluded[2], "/c");
	CHECK_STR_EQ(config->excluded[3], "/d");
}

TEST(addresses_have_the_same_values_in_both_forms)
{
	const struct axvm_config *config =
		parse(config_run_in_devices("passthrough_addresses = [[0x1000_0000, 0x1000], "
					    "{ length = \"32 KiB\", base_gpa = \"257 MiB\" }]\n"));

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->passthrough_address_count, 2);
	CHECK_EQ(config->passthrough_addresses[0].base, 0x10000000);
	CHECK_EQ(config->passthrough_addresses[0].bytes, 0x1000);
	CHECK_EQ(config->passthrough_addresses[1].base, 0x10100000);
	CHECK_EQ(config->passthrough_addresses[1].bytes, 0x8000);
}

TEST(ports_have_the_same_values_in_both_forms)
{
	const struct axvm_config *config =
		parse_for(&config_run_x86_64,
			  config_run_in_devices("passthrough_ports = [[0x6000, 0x80], "
						"{ base = 0xffff, length = 1 }, [0, 0x1_0000]]\n"));

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->passthrough_port_count, 3);
	CHECK_EQ(config->passthrough_ports[0].base, 0x6000);
	CHECK_EQ(config->passthrough_ports[0].bytes, 0x80);
	CHECK_EQ(config->passthrough_ports[1].base, 0xffff);
	CHECK_EQ(config->passthrough_ports[1].bytes, 1);
	CHECK_EQ(config->passthrough_ports[2].bytes, 0x10000);
}

static void check_mode(const char *name, enum axvm_irq_mode mode)
{
	char line[64];
	const struct axvm_config *config;

	snprintf(line, sizeof(line), "interrupt_mode = \"%s\"\n", name);
	config = parse(config_run_in_devices(line));
	REQUIRE(config != NULL);
	CHECK_EQ(config->irq_mode, mode);
}

TEST(interrupt_modes_have_their_aliases)
{
	check_mode("no_irq", AXVM_IRQ_NONE);
	check_mode("no", AXVM_IRQ_NONE);
	check_mode("none", AXVM_IRQ_NONE);
	check_mode("emu", AXVM_IRQ_EMULATED);
	check_mode("emulated", AXVM_IRQ_EMULATED);
	check_mode("passthrough", AXVM_IRQ_PASSTHROUGH);
	check_mode("pt", AXVM_IRQ_PASSTHROUGH);
}

static void check_policy(const char *name, bool passthrough)
{
	char line[64];
	const struct axvm_config *config;

	snprintf(line, sizeof(line), "address_space_policy = \"%s\"\n", name);
	config = parse(config_run_in_devices(line));
	REQUIRE(config != NULL);
	CHECK_EQ(config->address_space_passthrough, passthrough);
}

TEST(address_space_policies_have_their_aliases)
{
	check_policy("virtualized", false);
	check_policy("virtual", false);
	check_policy("passthrough", true);
	check_policy("pt", true);
}

static void check_protocol(const char *lines, enum axvm_boot_protocol protocol)
{
	const struct axvm_config *config =
		parse_for(&config_run_x86_64, config_run_in_kernel(lines));

	REQUIRE(config != NULL);
	CHECK_EQ(config->boot_protocol, protocol);
}

TEST(boot_protocols_follow_the_matrix)
{
	check_protocol("", AXVM_BOOT_DIRECT);
	check_protocol("enable_bios = false\n", AXVM_BOOT_DIRECT);
	check_protocol("boot_protocol = \"direct\"\n", AXVM_BOOT_DIRECT);
	check_protocol("boot_protocol = \"kernel\"\n", AXVM_BOOT_DIRECT);
	check_protocol("enable_bios = true\n", AXVM_BOOT_MULTIBOOT);
	check_protocol("bios_path = \"b\"\nbios_load_addr = 0x8000\n", AXVM_BOOT_MULTIBOOT);
	check_protocol("bios_path = \"b\"\nenable_bios = false\n", AXVM_BOOT_DIRECT);
	check_protocol("boot_protocol = \"multiboot\"\n", AXVM_BOOT_MULTIBOOT);
	check_protocol("boot_protocol = \"bios\"\nenable_bios = true\n", AXVM_BOOT_MULTIBOOT);
	check_protocol("boot_protocol = \"axvm-bios\"\n", AXVM_BOOT_MULTIBOOT);
	check_protocol("boot_protocol = \"uefi\"\nbios_path = \"f\"\nbios_load_addr = 0\n",
		       AXVM_BOOT_UEFI);
	check_protocol("boot_protocol = \"efi\"\nuefi_firmware_path = \"f\"\nbios_load_addr = 0\n",
		       AXVM_BOOT_UEFI);
}

TEST(the_uefi_firmware_goes_before_the_bios)
{
	const struct axvm_config *config = parse_for(
		&config_run_x86_64,
		config_run_in_kernel("boot_protocol = \"uefi\"\nbios_path = \"bios\"\n"
				     "bios_load_addr = 0x3ff_f000\nuefi_firmware_path = \"ovmf\"\n"
				     "entry_point = 0xffff_fff0\n"));

	REQUIRE(config != NULL);
	CHECK_STR_EQ(config->bios.path, "ovmf");
	CHECK_EQ(config->entry.addr, 0xfffffff0); /* the reset vector need not be in memory */
}

TEST(listed_devices_replace_the_platforms)
{
	const struct axvm_config *config =
		parse(config_run_in_devices("emu_devices = []\npassthrough_devices = []\n"));

	REQUIRE(config != NULL);
	CHECK_EQ(config->emu_count, 0);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_NONE);
	config = parse(config_run_in_devices("interrupt_mode = \"passthrough\"\n"));
	REQUIRE(config != NULL);
	CHECK_EQ(config->emu_count, 2);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_PASSTHROUGH);
	config = parse(config_run_in_devices(""));
	REQUIRE(config != NULL);
	CHECK_EQ(config->emu_count, 2);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_EMULATED);
}

TEST(a_passed_through_device_takes_the_place_of_the_platforms_one)
{
	const struct axvm_config *config = parse(config_run_in_devices(
		"interrupt_mode = \"emulated\"\n"
		"passthrough_devices = [[\"uart\", 0x900_0000, 0x900_0000, 0x1000, 33]]\n"));

	REQUIRE(config != NULL);
	REQUIRE_EQ(config->emu_count, 1);
	CHECK_EQ(config->emu[0].type, AXVM_EMU_GICV3);
	CHECK_EQ(config->passthrough_count, 1);
}

static void ignore(void *context, const struct axvm_config_error *error)
{
	(void)error;
	++*(uint32_t *)context;
}

static int peek(const char *text, enum axvm_isa *isa, uint32_t *errors)
{
	static char memory[32768];
	struct axvm_config_source source = { text, strlen(text), NULL, ignore, errors };

	return axvm_config_isa(&source, memory, sizeof(memory), isa);
}

TEST(the_isa_can_be_peeked_at)
{
	enum axvm_isa isa = AXVM_ISA_AARCH64;
	uint32_t errors = 0;

	CHECK_EQ(peek("[base]\nisa = \"riscv64\"\nother = 1\n", &isa, &errors), 0);
	CHECK_EQ(isa, AXVM_ISA_RISCV64);
	CHECK_EQ(peek("base = { isa = \"x86_64\" }\n", &isa, &errors), 0);
	CHECK_EQ(isa, AXVM_ISA_X86_64);
	CHECK_EQ(peek("[base]\nid = 1\n", &isa, &errors), AXVM_ENOENT);
	CHECK_EQ(peek("base = 1\n", &isa, &errors), AXVM_ENOENT);
	CHECK_EQ(peek("", &isa, &errors), AXVM_ENOENT);
	CHECK_EQ(errors, 0);
	CHECK_EQ(peek("[base]\nisa = \"mips\"\n", &isa, &errors), AXVM_EFORMAT);
	CHECK_EQ(errors, 1);
	CHECK_EQ(peek("[base\n", &isa, &errors), AXVM_EFORMAT);
	CHECK_EQ(errors, 2);
	CHECK_EQ(isa, AXVM_ISA_X86_64);
}

TEST(names_are_those_of_the_files)
{
	CHECK_STR_EQ(axvm_isa_name(AXVM_ISA_RISCV64), "riscv64");
	CHECK_STR_EQ(axvm_vm_type_name(AXVM_VM_LINUX), "linux");
	CHECK_STR_EQ(axvm_map_type_name(AXVM_MEMORY_IDENTICAL), "identical");
	CHECK_STR_EQ(axvm_emu_type_name(AXVM_EMU_VIRTIO_BLK), "virtio-blk");
	CHECK_STR_EQ(axvm_irq_mode_name(AXVM_IRQ_NONE), "no_irq");
	CHECK_STR_EQ(axvm_irq_mode_name(AXVM_IRQ_EMULATED), "emulated");
	CHECK_STR_EQ(axvm_boot_protocol_name(AXVM_BOOT_MULTIBOOT), "multiboot");
	CHECK_STR_EQ(axvm_image_location_name(AXVM_LOCATION_MEMORY), "memory");
	CHECK_STR_EQ(axvm_emu_type_name((enum axvm_emu_type)0xff), "?");
	CHECK_STR_EQ(axvm_map_type_name((enum axvm_map_type)3), "?");
}

AXTEST_MAIN(the_shortest_file_gets_all_defaults, the_shortest_file_gets_the_platform,
	    each_platform_has_its_own_ram, every_key_of_base_is_read,
	    vm_types_have_numbers_and_names, ids_and_cpu_counts_reach_their_ends,
	    every_key_of_kernel_is_read, an_empty_optional_path_is_none, sizes_have_units,
	    memory_regions_have_the_same_values_in_every_form,
	    emulated_devices_have_the_same_values_in_every_form,
	    every_device_type_has_its_number_and_name,
	    passthrough_devices_have_the_same_values_in_every_form,
	    excluded_devices_become_one_list, addresses_have_the_same_values_in_both_forms,
	    ports_have_the_same_values_in_both_forms, interrupt_modes_have_their_aliases,
	    address_space_policies_have_their_aliases, boot_protocols_follow_the_matrix,
	    the_uefi_firmware_goes_before_the_bios, listed_devices_replace_the_platforms,
	    a_passed_through_device_takes_the_place_of_the_platforms_one, the_isa_can_be_peeked_at,
	    names_are_those_of_the_files)
