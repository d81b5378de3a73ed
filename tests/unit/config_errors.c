/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused value by value, with the words, the line and the column of each error. */
#include "axtest.h"
#include "config_run.h"

#include <stdio.h>
#include <string.h>

struct wrong {
	const char *line;     /* line 7 of a file that is right otherwise */
	const char *expected; /* all that is reported */
};

static void check_all(const struct axvm_platform *platform, const char *(*compose)(const char *),
		      const struct wrong *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_run *run = config_run(platform, compose(cases[i].line));

		CHECK_STR_EQ(run->errors, cases[i].expected);
		CHECK_EQ(run->result, AXVM_EFORMAT);
		CHECK(run->config == NULL);
	}
}

#define CHECK_ALL(platform, compose, cases) \
	check_all(platform, compose, cases, sizeof(cases) / sizeof((cases)[0]))

TEST(values_of_base_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "isa = 1\n", "7:7: isa: expected a name, found 1\n" },
		{ "isa = \"arm\"\n", "7:7: isa \"arm\" is unknown; allowed: \"aarch64\", "
				     "\"riscv64\", \"x86_64\"\n" },
		{ "isa = \"riscv64\"\n", "7:7: isa \"riscv64\": this machine is \"aarch64\"\n" },
		{ "vm_type = 3\n", "7:11: vm_type 3 is unknown; allowed: \"host\" (0x0), \"rtos\" "
				   "(0x1), \"linux\" (0x2)\n" },
		{ "vm_type = \"bsd\"\n", "7:11: vm_type \"bsd\" is unknown; allowed: \"host\" "
					 "(0x0), \"rtos\" (0x1), \"linux\" (0x2)\n" },
		{ "vm_type = true\n",
		  "7:11: vm_type: expected a name or its number, found true\n" },
		{ "cpu_num = 0\n", "7:11: cpu_num 0 is out of range; allowed: 1 to 64\n" },
		{ "cpu_num = 65\n", "7:11: cpu_num 65 is out of range; allowed: 1 to 64\n" },
		{ "cpu_num = -3\n", "7:11: cpu_num -3 is out of range; allowed: 1 to 64\n" },
		{ "cpu_num = 70000\n", "7:11: cpu_num 70000 is out of range; allowed: 1 to 64\n" },
		{ "cpu_num = \"2\"\n", "7:11: cpu_num: expected an integer, found \"2\"\n" },
		{ "cpu_num = 1.5\n", "7:11: cpu_num: expected an integer, found a float\n" },
		{ "phys_cpu_ids = 0\n", "7:16: phys_cpu_ids: expected an array, found 0\n" },
		{ "phys_cpu_ids = []\n", "7:16: phys_cpu_ids has 0 entries; expected one for each "
					 "vCPU: cpu_num is 1\n" },
		{ "phys_cpu_ids = [0, 1]\n", "7:16: phys_cpu_ids has 2 entries; expected one for "
					     "each vCPU: cpu_num is 1\n" },
		{ "phys_cpu_ids = [false]\n", "7:17: phys_cpu_ids[0]: expected an integer or a "
					      "string such as \"0xff\", found false\n" },
		{ "phys_cpu_ids = [0x100_0000_0000]\n",
		  "7:17: phys_cpu_ids[0] 0x10000000000 is out of range; allowed: 0x0 to "
		  "0xffffffffff\n" },
		{ "cpu_num = 2\nphys_cpu_ids = [5, 5]\n",
		  "8:20: phys_cpu_ids[1] 0x5 is given twice; it is phys_cpu_ids[0] too\n" },
		{ "phys_cpu_sets = [0]\n", "7:18: phys_cpu_sets[0] 0 is out of range; allowed: 0x1 "
					   "to 0xffffffffffffffff\n" },
		{ "phys_cpu_sets = [\"0x1_0000_0000_0000_0000\"]\n",
		  "7:18: phys_cpu_sets[0] \"0x1_0000_0000_0000_0000\" is out of range; allowed: "
		  "0x1 to 0xffffffffffffffff\n" },
		{ "phys_cpu_sets = [\"1K\"]\n", "7:18: phys_cpu_sets[0]: expected an integer or a "
						"string such as \"0xff\", found \"1K\"\n" },
		{ "phys_cpu_sets = [1, 2, 4]\n", "7:17: phys_cpu_sets has 3 entries; expected one "
						 "for each vCPU: cpu_num is 1\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_base, cases);
}

static const char *alone(const char *text)
{
	return text;
}

#define KERNEL "[kernel]\nkernel_path = \"k\"\nmemory = \"1M\"\n"

TEST(ids_and_names_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "[base]\nid = -1\nname = \"a\"\n" KERNEL,
		  "2:6: id -1 is out of range; allowed: 0 to 4294967295\n" },
		{ "[base]\nid = 4294967296\nname = \"a\"\n" KERNEL,
		  "2:6: id 4294967296 is out of range; allowed: 0 to 4294967295\n" },
		{ "[base]\nid = \"1\"\nname = \"a\"\n" KERNEL,
		  "2:6: id: expected an integer, found \"1\"\n" },
		{ "[base]\nid = 1\nname = 7\n" KERNEL, "3:8: name: expected a string, found 7\n" },
		{ "[base]\nid = 1\nname = \"\"\n" KERNEL,
		  "3:8: name is empty; allowed: 1 to 63 characters\n" },
		{ "[base]\nid = 1\nname = \"a\\tb\"\n" KERNEL,
		  "3:8: name: only printable ASCII characters are allowed\n" },
		{ "[base]\nid = 1\nname = \"\xc3\xa4\"\n" KERNEL,
		  "3:8: name: only printable ASCII characters are allowed\n" },
		{ "[base]\nid = 1\nname = \"a\\u0000b\"\n" KERNEL,
		  "3:8: name contains a NUL character\n" },
		{ "[base]\nid = 1\n"
		  "name = \"0123456789012345678901234567890123456789012345678901234567890123\"\n" KERNEL,
		  "3:8: name has 64 bytes; allowed: at most 63\n" },
	};

	CHECK_ALL(&config_run_aarch64, alone, cases);
}

TEST(values_of_kernel_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "entry_point = \"here\"\n", "7:15: entry_point: expected an address such as "
					      "0x4000_0000 or \"1 GiB\", found \"here\"\n" },
		{ "entry_point = -1\n", "7:15: entry_point -1 is out of range; allowed: 0x0 to "
					"0xffffffffffff\n" },
		{ "entry_point = 0x1_0000_0000_0000\n",
		  "7:15: entry_point 0x1000000000000 is out of range; allowed: 0x0 to "
		  "0xffffffffffff\n" },
		{ "entry_point = \"4 XiB\"\n", "7:15: entry_point: expected an address such as "
					       "0x4000_0000 or \"1 GiB\", found \"4 XiB\"\n" },
		{ "entry_point = \"4_\"\n", "7:15: entry_point: expected an address such as "
					    "0x4000_0000 or \"1 GiB\", found \"4_\"\n" },
		{ "entry_point = \"16777216 TiB\"\n",
		  "7:15: entry_point \"16777216 TiB\" is out of range; allowed: 0x0 to "
		  "0xffffffffffff\n" },
		{ "image_location = \"disk\"\n", "7:18: image_location \"disk\" is unknown; "
						 "allowed: \"fs\", \"memory\"\n" },
		{ "image_location = 0\n", "7:18: image_location: expected a name, found 0\n" },
		{ "kernel_load_addr = true\n",
		  "7:20: kernel_load_addr: expected an address such as 0x4000_0000 or \"1 GiB\", "
		  "found true\n" },
		{ "kernel_load_addr = 0x4400_0000\n",
		  "7:20: kernel_load_addr 0x44000000 is not in memory; main memory is "
		  "0x40000000-0x43ffffff\n" },
		{ "ramdisk_load_addr = 0x3fff_ffff\n",
		  "7:21: ramdisk_load_addr 0x3fffffff is not in memory; main memory is "
		  "0x40000000-0x43ffffff\n" },
		{ "dtb_load_addr = 0\n", "7:17: dtb_load_addr 0x0 is not in memory; main memory is "
					 "0x40000000-0x43ffffff\n" },
		{ "bios_load_addr = 0\n", "7:18: bios_load_addr 0x0 is not in memory; main memory "
					  "is 0x40000000-0x43ffffff\n" },
		{ "entry_point = 0\n", "7:15: entry_point 0x0 is not in memory; main memory is "
				       "0x40000000-0x43ffffff\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_kernel, cases);
}

TEST(names_and_switches_of_kernel_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "ramdisk_path = 1\n", "7:16: ramdisk_path: expected a string, found 1\n" },
		{ "dtb_path = [1]\n", "7:12: dtb_path: expected a string, found an array\n" },
		{ "bios_path = {}\n", "7:13: bios_path: expected a string, found a table\n" },
		{ "disk_path = 1979-05-27\n",
		  "7:13: disk_path: expected a string, found a date\n" },
		{ "cmdline = 1\n", "7:11: cmdline: expected a string, found 1\n" },
		{ "cmdline = \"a\\u0000\"\n", "7:11: cmdline contains a NUL character\n" },
		{ "enable_bios = 1\n", "7:15: enable_bios: expected true or false, found 1\n" },
		{ "boot_protocol = 1\n", "7:17: boot_protocol: expected a name, found 1\n" },
		{ "boot_protocol = \"pxe\"\n",
		  "7:17: boot_protocol \"pxe\" is unknown; allowed: \"direct\", \"kernel\", "
		  "\"multiboot\", \"bios\", \"axvm-bios\", \"uefi\", \"efi\"\n" },
		{ "boot_protocol = \"direct\"\nenable_bios = true\n",
		  "7:17: boot_protocol \"direct\" contradicts enable_bios = true\n" },
		{ "boot_protocol = \"uefi\"\n",
		  "7:17: boot_protocol \"uefi\" is for x86_64 only; allowed: \"direct\"\n" },
		{ "boot_protocol = \"multiboot\"\n",
		  "7:17: boot_protocol: \"multiboot\" is for x86_64 only; allowed: \"direct\"\n" },
		{ "enable_bios = true\n",
		  "7:15: enable_bios: \"multiboot\" is for x86_64 only; allowed: \"direct\"\n" },
		{ "uefi_firmware_path = \"f\"\n",
		  "7:22: uefi_firmware_path is for boot_protocol \"uefi\" only\n" },
		{ "uefi_firmware_path = 3\n",
		  "7:22: uefi_firmware_path: expected a string, found 3\n" },
		{ "memory_regions = []\n",
		  "7:18: memory_regions: give either memory or memory_regions, not both\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_kernel, cases);
}

TEST(firmware_is_asked_for_where_it_is_needed)
{
	static const struct wrong cases[] = {
		{ "boot_protocol = \"uefi\"\n",
		  "7:17: boot_protocol \"uefi\" needs uefi_firmware_path or bios_path\n"
		  "7:17: boot_protocol \"uefi\" needs bios_load_addr\n" },
		{ "boot_protocol = \"uefi\"\nbios_path = \"f\"\n",
		  "7:17: boot_protocol \"uefi\" needs bios_load_addr\n" },
		{ "boot_protocol = \"uefi\"\nbios_load_addr = 0\n",
		  "7:17: boot_protocol \"uefi\" needs uefi_firmware_path or bios_path\n" },
		{ "boot_protocol = \"uefi\"\nbios_load_addr = 0\nuefi_firmware_path = \"\"\n",
		  "9:22: uefi_firmware_path is empty; boot_protocol \"uefi\" needs a firmware\n" },
		{ "enable_bios = true\nbios_path = \"b\"\n",
		  "8:13: bios_path needs bios_load_addr with boot_protocol \"multiboot\"\n" },
	};

	CHECK_ALL(&config_run_x86_64, config_run_in_kernel, cases);
}

TEST(memory_is_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "memory = 0\n", "7:10: memory 0 is out of range; allowed: 4 KiB to 256 TiB\n" },
		{ "memory = 5000\n",
		  "7:10: memory 0x1388 is no multiple of the page size, 4 KiB\n" },
		{ "memory = \"half\"\n", "7:10: memory: expected a size such as 0x2000_0000 or "
					 "\"512 MiB\", found \"half\"\n" },
		{ "memory = \"256 GiB\"\n",
		  "7:10: memory 256 GiB does not fit; the platform has room for 255 GiB at "
		  "0x40000000-0x3fffffffff\n" },
		{ "cmdline = \"\"\n", "5:2: [kernel] has no memory; give memory = \"512 MiB\" or "
				      "memory_regions\n" },
		{ "memory_regions = 1\n", "7:18: memory_regions: expected an array, found 1\n" },
		{ "memory_regions = []\n", "7:18: memory_regions is empty; expected [gpa, size, "
					   "flags, map_type] at least once\n" },
		{ "memory_regions = [1]\n",
		  "7:19: memory_regions[0]: expected an array or a table, found 1\n" },
		{ "memory_regions = [[1, 2, 3]]\n",
		  "7:19: memory_regions[0] has 3 elements; expected 4: [gpa, size, flags, "
		  "map_type]\n" },
		{ "memory_regions = [[0, 4096, 7, 0], { size = 4096 }]\n",
		  "7:36: memory_regions[1] has no gpa\n" },
		{ "memory_regions = [{ gpa = 0 }]\n", "7:19: memory_regions[0] has no size\n" },
		{ "memory_regions = [[1, 4096, 7, 0]]\n",
		  "7:20: memory_regions[0].gpa 0x1 is not aligned to a page, 4 KiB\n" },
		{ "memory_regions = [[0, 4097, 7, 0]]\n",
		  "7:23: memory_regions[0].size 0x1001 is no multiple of the page size, 4 KiB\n" },
		{ "memory_regions = [[0, 4096, 64, 0]]\n",
		  "7:29: memory_regions[0].flags 64 is out of range; allowed: 0x1 to 0x3f\n" },
		{ "memory_regions = [[0, 4096, 0, 0]]\n",
		  "7:29: memory_regions[0].flags 0 is out of range; allowed: 0x1 to 0x3f\n" },
		{ "memory_regions = [[0, 4096, 8, 0]]\n",
		  "7:29: memory_regions[0].flags gives no right at all; allowed: at least one of "
		  "r, w, x\n" },
		{ "memory_regions = [[0, 4096, \"rwz\", 0]]\n",
		  "7:29: memory_regions[0].flags: expected a number or letters of \"rwxudn\" (read, "
		  "write, execute, user, device, uncached), found \"rwz\"\n" },
		{ "memory_regions = [[0, 4096, \"rr\", 0]]\n",
		  "7:29: memory_regions[0].flags: expected a number or letters of \"rwxudn\" (read, "
		  "write, execute, user, device, uncached), found \"rr\"\n" },
		{ "memory_regions = [[0, 4096, 0x17, 0]]\n",
		  "7:29: memory_regions[0].flags 0x17 makes RAM a device; only \"reserved\" memory "
		  "may be one: give devices in passthrough_devices\n" },
		{ "memory_regions = [[0, 4096, 7, 3]]\n",
		  "7:32: memory_regions[0].map_type 3 is unknown; allowed: \"alloc\" (0x0), "
		  "\"identical\" (0x1), \"reserved\" (0x2)\n" },
		{ "memory_regions = [[0xffff_ffff_f000, 8192, 7, 0]]\n",
		  "7:20: memory_regions[0] 0xfffffffff000-0x1000000000fff ends beyond "
		  "0xffffffffffff, the last guest address there is\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_memory, cases);
}

TEST(emulated_devices_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "emu_devices = 1\n", "7:15: emu_devices: expected an array, found 1\n" },
		{ "emu_devices = [[\"u\", 0, 1, 0, 0x40]]\n",
		  "7:16: emu_devices[0] has 5 elements; expected 6: [name, base_gpa, length, "
		  "irq_id, emu_type, cfg_list]\n" },
		{ "emu_devices = [{ name = \"u\" }]\n", "7:16: emu_devices[0] has no emu_type\n" },
		{ "emu_devices = [{ emu_type = \"virtio-blk\" }]\n",
		  "7:16: emu_devices[0] has no base_gpa\n7:16: emu_devices[0] has no length\n" },
		{ "emu_devices = [[1, 0, 1, 0, 0x40, []]]\n",
		  "7:17: emu_devices[0].name: expected a string, found 1\n" },
		{ "emu_devices = [[\"u\", -1, 1, 0, 0x40, []]]\n",
		  "7:22: emu_devices[0].base_gpa -1 is out of range; allowed: 0x0 to "
		  "0xffffffffffff\n" },
		{ "emu_devices = [[\"u\", 0, 0, 0, 0x40, []]]\n",
		  "7:25: emu_devices[0].length 0 is out of range; allowed: 1 byte to 256 TiB\n" },
		{ "emu_devices = [[\"u\", 0xffff_ffff_ffff, 2, 0, 0x40, []]]\n",
		  "7:40: emu_devices[0] 0xffffffffffff-0x1000000000000 ends beyond "
		  "0xffffffffffff, the last there is\n" },
		{ "emu_devices = [[\"u\", 0, 1, 1020, 0x40, []]]\n",
		  "7:28: emu_devices[0].irq_id 1020 is out of range; allowed: 0 to 1019\n" },
		{ "emu_devices = [[\"u\", 0, 1, 0, 0x40, [1]]]\n",
		  "7:37: emu_devices[0].cfg_list: \"pl011\" takes none: []\n" },
		{ "emu_devices = [[\"u\", 0, 1, 0, 0x40, 1]]\n",
		  "7:37: emu_devices[0].cfg_list: expected an array, found 1\n" },
		{ "emu_devices = [[\"u\", 0, 1, 0, 0, [1, true]]]\n",
		  "7:38: emu_devices[0].cfg_list[1]: expected an address such as 0x4000_0000 or "
		  "\"1 GiB\", found true\n" },
		{ "emu_devices = [[\"r\", 0, 1, 0, 0x20, [1, 2]]]\n",
		  "7:37: emu_devices[0].cfg_list: \"gppt-redistributor\" takes 3 numbers: "
		  "[cpu_num, stride, pcpu_id]\n" },
		{ "emu_devices = [[\"d\", 0, 1, 0, 0x21, [1]]]\n",
		  "7:37: emu_devices[0].cfg_list: \"gppt-distributor\" takes none: []\n" },
		{ "emu_devices = [[\"i\", 0, 1, 0, 0x22, []]]\n",
		  "7:37: emu_devices[0].cfg_list: \"gppt-its\" takes 1 number: [host_gits_base]\n" },
		{ "emu_devices = [[\"p\", 0, 1, 0, 0x30, []]]\n",
		  "7:37: emu_devices[0].cfg_list: \"pppt-global\" takes 1 number: [context_num]\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_devices, cases);
}

TEST(passthrough_is_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "interrupt_mode = \"on\"\n",
		  "7:18: interrupt_mode \"on\" is unknown; allowed: \"no_irq\", \"no\", \"none\", "
		  "\"emulated\", \"emu\", \"passthrough\", \"pt\"\n" },
		{ "interrupt_mode = 1\n", "7:18: interrupt_mode: expected a name, found 1\n" },
		{ "address_space_policy = \"all\"\n",
		  "7:24: address_space_policy \"all\" is unknown; allowed: \"virtualized\", "
		  "\"virtual\", \"passthrough\", \"pt\"\n" },
		{ "passthrough_devices = [[\"uart\"]]\n",
		  "7:25: passthrough_devices[0] \"uart\" is no device-tree path; expected one such "
		  "as \"/pcie@10000000\"\n" },
		{ "passthrough_devices = [[\"u\", 0, 0]]\n",
		  "7:24: passthrough_devices[0] has 3 elements; expected 5: [name, base_gpa, "
		  "base_hpa, length, irq_id]\n" },
		{ "passthrough_devices = [[\"u\", 0, 0, 0, 0]]\n",
		  "7:36: passthrough_devices[0].length 0 is out of range; allowed: 1 byte to "
		  "256 TiB\n" },
		{ "passthrough_devices = [{ name = \"u\" }]\n",
		  "7:24: passthrough_devices[0] has no base_gpa\n"
		  "7:24: passthrough_devices[0] has no length\n" },
		{ "passthrough_devices = [[\"u\", 0x1234, 0x2000, 4, 0]]\n",
		  "7:38: passthrough_devices[0].base_hpa 0x2000 and base_gpa 0x1234 differ within a "
		  "page; their last 12 bits must be equal\n" },
		{ "passthrough_devices = [[\"u\", 0, 0x10_0000_0000_0000, 4, 0]]\n",
		  "7:33: passthrough_devices[0].base_hpa 0x10000000000000 is out of range; allowed: "
		  "0x0 to 0xfffffffffffff\n" },
		{ "passthrough_devices = [[\"u\", 0, 0xf_ffff_ffff_f000, 0x2000, 0]]\n",
		  "7:33: passthrough_devices[0].base_hpa 0xffffffffff000-0x10000000000fff ends "
		  "beyond 0xfffffffffffff, the last there is\n" },
		{ "passthrough_devices = [[\"u\", 0, 0, 4096, 1020]]\n",
		  "7:42: passthrough_devices[0].irq_id 1020 is out of range; allowed: 0 to 1019\n" },
		{ "passthrough_addresses = [[0]]\n",
		  "7:26: passthrough_addresses[0] has 1 element; expected 2: [base_gpa, length]\n" },
		{ "passthrough_addresses = [[0, 0]]\n",
		  "7:30: passthrough_addresses[0].length 0 is out of range; allowed: 1 byte to "
		  "256 TiB\n" },
		{ "passthrough_addresses = [[0xffff_ffff_ffff, 2]]\n",
		  "7:45: passthrough_addresses[0] 0xffffffffffff-0x1000000000000 ends beyond "
		  "0xffffffffffff, the last there is\n" },
		{ "passthrough_ports = [[0, 1]]\n",
		  "7:21: passthrough_ports: only x86_64 has I/O ports; allowed here: []\n" },
		{ "excluded_devices = [[\"a\"]]\n",
		  "7:22: excluded_devices[0][0] \"a\" is no device-tree path; expected one such as "
		  "\"/pcie@10000000\"\n" },
		{ "excluded_devices = [\"/a\", 3]\n",
		  "7:27: excluded_devices[1]: expected a string, found 3\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_devices, cases);
}

TEST(ports_are_refused_with_what_is_allowed)
{
	static const struct wrong cases[] = {
		{ "passthrough_ports = [[0x1_0000, 1]]\n",
		  "7:23: passthrough_ports[0].base 0x10000 is out of range; allowed: 0x0 to "
		  "0xffff\n" },
		{ "passthrough_ports = [[0x6000, 0]]\n",
		  "7:31: passthrough_ports[0].length 0 is out of range; allowed: 1 byte to "
		  "64 KiB\n" },
		{ "passthrough_ports = [[0xffff, 2]]\n",
		  "7:31: passthrough_ports[0] 0xffff-0x10000 ends beyond 0xffff, the last there "
		  "is\n" },
		{ "emu_devices = [[\"com\", 0x1_0000, 8, 4, \"console\", []]]\n",
		  "7:24: emu_devices[0].base_gpa 0x10000 is out of range; allowed: 0x0 to "
		  "0xffff\n" },
	};

	CHECK_ALL(&config_run_x86_64, config_run_in_devices, cases);
}

TEST(an_unknown_key_names_the_nearest_one_or_its_section)
{
	static const struct wrong cases[] = {
		{ "kernal_path = 1\n",
		  "7:1: unknown key \"kernal_path\" in [kernel]; did you mean \"kernel_path\"?\n" },
		{ "cmd_line = 1\n",
		  "7:1: unknown key \"cmd_line\" in [kernel]; did you mean \"cmdline\"?\n" },
		{ "cpu_num = 1\n", "7:1: unknown key \"cpu_num\" in [kernel]; it belongs in "
				   "[base]\n" },
		{ "zzzzzzzzzz = 1\n",
		  "7:1: unknown key \"zzzzzzzzzz\" in [kernel]; known keys: entry_point, "
		  "image_location, kernel_path, kernel_load_addr, bios_path, bios_load_addr, "
		  "dtb_path, dtb_load_addr, ramdisk_path, ramdisk_load_addr, cmdline, disk_path, "
		  "memory, memory_regions, enable_bios, boot_protocol, uefi_firmware_path\n" },
		{ "[device]\n", "7:2: unknown key \"device\" in the file; did you mean "
				"\"devices\"?\n" },
		{ "[base.restart]\n",
		  "7:7: unknown key \"restart\" in [base]; known keys: isa, id, "
		  "name, vm_type, cpu_num, phys_cpu_ids, phys_cpu_sets\n" },
		{ "[devices]\nemu_devices = [{ emu_type = 0x40, irq = 3 }]\n",
		  "8:35: unknown key \"irq\" in emu_devices[0]; did you mean \"irq_id\"?\n" },
		{ "[devices]\npassthrough_addresses = [{ base_hpa = 0, length = 1 }]\n",
		  "8:28: unknown key \"base_hpa\" in passthrough_addresses[0]; did you mean "
		  "\"base_gpa\"?\n" },
	};

	CHECK_ALL(&config_run_aarch64, config_run_in_kernel, cases);
}

TEST(what_is_missing_is_named)
{
	static const struct wrong cases[] = {
		{ "", "1:1: base: this table is required, and the file has none\n"
		      "1:1: kernel: this table is required, and the file has none\n" },
		{ "base = 1\n" KERNEL, "1:8: base: expected a table, found 1\n" },
		{ "base = { id = 1, name = \"a\" }\n[kernel]\nmemory = \"1M\"\n",
		  "2:2: [kernel] has no \"kernel_path\", which is required\n" },
		{ "base = { id = 1, name = \"a\" }\n[kernel]\nkernel_path = \"\"\nmemory = \"1M\"\n",
		  "3:15: kernel_path is empty; expected the kernel's file\n" },
		{ "[base]\n" KERNEL, "1:2: [base] has no \"id\", which is required\n"
				     "1:2: [base] has no \"name\", which is required\n" },
		{ "[bsae]\nid = 1\n" KERNEL,
		  "1:2: unknown key \"bsae\" in the file; did you mean \"base\"?\n" },
		{ "base = { id = 1, nmae = \"a\" }\n" KERNEL,
		  "1:18: unknown key \"nmae\" in [base]; did you mean \"name\"?\n" },
	};

	CHECK_ALL(&config_run_aarch64, alone, cases);
}

TEST(bad_toml_is_reported_with_its_place)
{
	const struct config_run *run = config_run(&config_run_aarch64, "[base]\nid = = 1\n");

	CHECK_EQ(run->result, AXVM_EFORMAT);
	CHECK_EQ(run->error_count, 1);
	CHECK(strncmp(run->errors, "2:6: ", 5) == 0);
	run = config_run(&config_run_aarch64, "[base]\nid = 1\nid = 2\n");
	CHECK_EQ(run->error_count, 1);
	CHECK(strncmp(run->errors, "3:1: ", 5) == 0);
	CHECK(strstr(run->errors, "first at line 2, column 1") != NULL);
}

TEST(ten_mistakes_make_exactly_ten_errors)
{
	const struct config_run *run =
		config_run(&config_run_aarch64, "[base]\n"
						"id = \"one\"\n"
						"nmae = \"x\"\n"
						"cpu_num = 0\n"
						"phys_cpu_ids = [1, 1]\n"
						"[kernel]\n"
						"kernal_path = \"k\"\n"
						"entry_point = 0x100\n"
						"memory_regions = [\n"
						"    [0x4000_0000, \"1 GiB\", \"rwx\", 1],\n"
						"    [0x4800_0000, 4096, 7, 0],\n"
						"    [0x9000_0000, 5000, 7, 0],\n"
						"]\n"
						"[devices]\n"
						"interrupt_mode = \"on\"\n"
						"emu_devices = [[\"u\", 0x900_0000, 4096, 33, "
						"\"uart\", []]]\n"
						"passthrough_devices = [[\"/\"], [\"x\"]]\n");

	CHECK_STR_EQ(
		run->errors,
		"2:6: id: expected an integer, found \"one\"\n"
		"3:1: unknown key \"nmae\" in [base]; did you mean \"name\"?\n"
		"4:11: cpu_num 0 is out of range; allowed: 1 to 64\n"
		"5:20: phys_cpu_ids[1] 0x1 is given twice; it is phys_cpu_ids[0] too\n"
		"7:1: unknown key \"kernal_path\" in [kernel]; did you mean \"kernel_path\"?\n"
		"12:19: memory_regions[2].size 0x1388 is no multiple of the page size, 4 KiB\n"
		"15:18: interrupt_mode \"on\" is unknown; allowed: \"no_irq\", \"no\", \"none\", "
		"\"emulated\", \"emu\", \"passthrough\", \"pt\"\n"
		"16:44: emu_devices[0].emu_type \"uart\" is unknown; allowed: \"dummy\" (0x0), "
		"\"interrupt-controller\" (0x1), \"console\" (0x2), \"fw-cfg\" (0x3), "
		"\"ivc-channel\" (0xa), \"gppt-redistributor\" (0x20), \"gppt-distributor\" "
		"(0x21), \"gppt-its\" (0x22), \"x86-ioapic\" (0x23), \"x86-pit\" (0x24), "
		"\"pppt-global\" (0x30), \"pl011\" (0x40), \"ns16550\" (0x41), \"pl031\" (0x42), "
		"\"gicv3\" (0x43), \"plic\" (0x44), \"aplic\" (0x45), \"imsic\" (0x46), "
		"\"virtio-blk\" (0xe1), \"virtio-net\" (0xe2), "
		"\"virtio-console\" (0xe3)\n"
		"17:32: passthrough_devices[1] \"x\" is no device-tree path; expected one such "
		"as \"/pcie@10000000\"\n"
		"11:6: memory_regions[1].gpa 0x48000000 overlaps memory_regions[0] "
		"(0x40000000-0x7fffffff)\n");
	CHECK_EQ(run->error_count, 10);
}

TEST(more_than_64_errors_end_with_one_that_says_so)
{
	char text[4096] = "";
	const struct config_run *run;

	for (unsigned i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "zz%u = 1\n", i);
	run = config_run(&config_run_aarch64, config_run_in_base(text));
	CHECK_EQ(run->result, AXVM_EFORMAT);
	CHECK_EQ(run->error_count, AXVM_CONFIG_ERRORS_MAX + 1);
	CHECK(strstr(run->errors, "\"zz63\"") != NULL);
	CHECK(strstr(run->errors, "\"zz64\"") == NULL);
	CHECK(strstr(run->errors, "71:1: and more errors, which are not shown\n") != NULL);
}

TEST(what_a_file_says_is_shown_safely_and_cut)
{
	const struct config_run *run = config_run(
		&config_run_aarch64,
		config_run_in_kernel("image_location = \"\\u001b[2J and a value that is much too "
				     "long to be shown in full\"\n"));

	CHECK_STR_EQ(run->errors,
		     "7:18: image_location \"?[2J and a value that is much too long t...\" is "
		     "unknown; allowed: \"fs\", \"memory\"\n");
}

AXTEST_MAIN(values_of_base_are_refused_with_what_is_allowed,
	    ids_and_names_are_refused_with_what_is_allowed,
	    values_of_kernel_are_refused_with_what_is_allowed,
	    names_and_switches_of_kernel_are_refused_with_what_is_allowed,
	    firmware_is_asked_for_where_it_is_needed, memory_is_refused_with_what_is_allowed,
	    emulated_devices_are_refused_with_what_is_allowed,
	    passthrough_is_refused_with_what_is_allowed, ports_are_refused_with_what_is_allowed,
	    an_unknown_key_names_the_nearest_one_or_its_section, what_is_missing_is_named,
	    bad_toml_is_reported_with_its_place, ten_mistakes_make_exactly_ten_errors,
	    more_than_64_errors_end_with_one_that_says_so, what_a_file_says_is_shown_safely_and_cut)
