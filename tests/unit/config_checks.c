/* SPDX-License-Identifier: Apache-2.0 */
/* Checks between values: ranges against each other, interrupts, capacities. */
#include "axtest.h"
#include "config_run.h"

#include <stdio.h>
#include <string.h>

static void check(const struct axvm_platform *platform, const char *text, const char *expected)
{
	const struct config_run *run = config_run(platform, text);

	CHECK_STR_EQ(run->errors, expected);
	CHECK_EQ(run->result, expected[0] == '\0' ? 0 : AXVM_EFORMAT);
}

static void memory(const char *line, const char *expected)
{
	check(&config_run_aarch64, config_run_in_memory(line), expected);
}

static void devices(const char *lines, const char *expected)
{
	check(&config_run_aarch64, config_run_in_devices(lines), expected);
}

TEST(memory_regions_may_touch_but_not_overlap)
{
	memory("memory_regions = [[0x4000_0000, 0x1000, 7, 0], [0x4000_1000, 0x1000, 7, 0], "
	       "[0x3fff_f000, 0x1000, 7, 0]]\n",
	       "");
	memory("memory_regions = [[0x4000_0000, 0x2000, 7, 0], [0x4000_1000, 0x1000, 7, 0]]\n",
	       "7:49: memory_regions[1].gpa 0x40001000 overlaps memory_regions[0] "
	       "(0x40000000-0x40001fff)\n");
	memory("memory_regions = [[0x4000_1000, 0x1000, 7, 0], [0x4000_0000, 0x2000, 7, 0]]\n",
	       "7:49: memory_regions[1].gpa 0x40000000 overlaps memory_regions[0] "
	       "(0x40001000-0x40001fff)\n");
}

TEST(a_scratch_region_inside_main_memory_is_an_overlap)
{
	check(&config_run_x86_64,
	      config_run_in_memory("memory_regions = [[0, 0x800_0000, 7, 1], "
				   "[0, 0x10_0000, 7, 0]]\n"),
	      "7:43: memory_regions[1].gpa 0x0 overlaps memory_regions[0] (0x0-0x7ffffff)\n");
}

TEST(memory_must_not_lie_over_devices)
{
	memory("memory_regions = [[0x0800_0000, \"1 MiB\", 7, 0]]\n",
	       "7:20: memory_regions[0].gpa 0x8000000 overlaps gic, the platform's device "
	       "(0x8000000-0x800ffff)\n");
	devices("emu_devices = [[\"u\", 0x43ff_ffff, 1, 0, 0x40, []], "
		"[\"v\", 0x4400_0000, 1, 0, 0x40, []]]\n",
		"7:22: emu_devices[0].base_gpa 0x43ffffff overlaps memory (0x40000000-0x43ffffff)\n");
	devices("passthrough_devices = [[\"u\", 0x3fff_f000, 0x1000, 0x1001, 0], "
		"[\"v\", 0x4400_0000, 0, 1, 0]]\n",
		"7:30: passthrough_devices[0].base_gpa 0x3ffff000 overlaps memory "
		"(0x40000000-0x43ffffff)\n");
	devices("passthrough_addresses = [[0x4000_0000, 1]]\n",
		"7:27: passthrough_addresses[0].base_gpa 0x40000000 overlaps memory "
		"(0x40000000-0x43ffffff)\n");
}

TEST(emulated_devices_must_not_overlap)
{
	devices("emu_devices = [[\"u\", 0x900_0000, 0x1000, 1, 0x40, []], "
		"[\"v\", 0x900_0fff, 1, 2, 0x40, []]]\n",
		"7:62: emu_devices[1].base_gpa 0x9000fff overlaps emu_devices[0] "
		"(0x9000000-0x9000fff)\n");
}

TEST(an_emulated_device_punches_a_hole_into_passthrough)
{
	devices("emu_devices = [[\"u\", 0x900_0000, 0x1000, 1, 0x40, []]]\n"
		"passthrough_devices = [[\"all\", 0, 0, 0x4000_0000, 0]]\n"
		"passthrough_addresses = [[0x900_0000, 4096]]\n",
		"");
}

TEST(passthrough_ranges_may_overlap_if_they_agree)
{
	devices("passthrough_devices = [[\"a\", 0x1000, 0x1000, 0x2000, 0], "
		"[\"b\", 0x2000, 0x2000, 0x2000, 0]]\npassthrough_addresses = [[0, 0x8000]]\n",
		"");
	devices("passthrough_devices = [[\"a\", 0x1000, 0x1000, 0x2000, 0], "
		"[\"b\", 0x2000, 0x3000, 0x2000, 0]]\n",
		"7:64: passthrough_devices[1].base_gpa 0x2000 overlaps passthrough_devices[0] "
		"(0x1000-0x2fff) with other host addresses\n");
	/* Apart by bytes, in one page all the same. */
	devices("passthrough_devices = [[\"a\", 0x1000, 0x5000, 0x10, 0], "
		"[\"b\", 0x1800, 0x7800, 0x10, 0]]\n",
		"7:62: passthrough_devices[1].base_gpa 0x1800 overlaps passthrough_devices[0] "
		"(0x1000-0x100f) with other host addresses\n");
}

TEST(ports_are_apart_from_addresses)
{
	const char *lines = "emu_devices = [[\"a\", 0x3f8, 8, 4, \"console\", []], "
			    "[\"b\", 0x3ff, 8, 3, \"console\", []]]\n";

	check(&config_run_x86_64, config_run_in_kernel(""), ""); /* COM1's port 0x3f8, RAM at 0 */
	check(&config_run_x86_64, config_run_in_devices(lines),
	      "7:57: emu_devices[1].base_gpa 0x3ff overlaps emu_devices[0] (0x3f8-0x3ff)\n");
	CHECK(axvm_emu_uses_ports(AXVM_ISA_X86_64, AXVM_EMU_CONSOLE));
	CHECK(axvm_emu_uses_ports(AXVM_ISA_X86_64, AXVM_EMU_X86_PIT));
	CHECK(!axvm_emu_uses_ports(AXVM_ISA_X86_64, AXVM_EMU_X86_IOAPIC));
	CHECK(!axvm_emu_uses_ports(AXVM_ISA_AARCH64, AXVM_EMU_CONSOLE));
}

TEST(an_interrupt_has_one_emulated_owner)
{
	devices("emu_devices = [[\"u\", 0x900_0000, 1, 33, 0x40, []], "
		"[\"v\", 0x901_0000, 1, 33, 0x40, []], [\"w\", 0x902_0000, 1, 0, 0x40, []], "
		"[\"x\", 0x903_0000, 1, 0, 0x40, []]]\n",
		"7:73: emu_devices[1].irq_id 33 is used by emu_devices[0] too\n");
	devices("interrupt_mode = \"emulated\"\n"
		"passthrough_devices = [[\"d\", 0xa00_0000, 0xa00_0000, 4096, 33]]\n",
		"8:60: passthrough_devices[0].irq_id 33 is used by uart, the platform's device, "
		"too\n");
	/* Shared lines exist in hardware. */
	devices("passthrough_devices = [[\"d\", 0xa00_0000, 0xa00_0000, 4096, 40], "
		"[\"e\", 0xa01_0000, 0xa01_0000, 4096, 40]]\n",
		"");
}

TEST(some_devices_come_only_once)
{
	devices("emu_devices = [[\"a\", 0x1000_0000, 0x1000, 0, \"ivc-channel\", []], "
		"[\"b\", 0x1001_0000, 0x1000, 0, 0xa, []]]\n",
		"7:72: emu_devices[1] is a second \"ivc-channel\"; a VM has at most one\n");
	devices("emu_devices = [[\"a\", 0x1000_0000, 0x100, 1, \"pl011\", []], "
		"[\"b\", 0x1001_0000, 0x100, 2, \"pl011\", []]]\n",
		"");
}

TEST(a_controllers_range_holds_what_its_list_says)
{
	devices("emu_devices = [[\"r\", 0x80a_0000, 0x4_0000, 0, 0x20, [2, 0x2_0000, 0]]]\n", "");
	devices("emu_devices = [[\"r\", 0x80a_0000, 0x3_0000, 0, 0x20, [2, 0x2_0000, 0]]]\n",
		"7:22: emu_devices[0].length 0x30000 is too small for its cfg_list, which needs "
		"0x40000\n");
	devices("emu_devices = [[\"r\", 0x80a_0000, 0x3_0000, 0, 0x20, "
		"[\"0x8000_0000_0000_0000\", 2, 0]]]\n",
		"7:22: emu_devices[0].length 0x30000 is too small for its cfg_list, which needs "
		"0xffffffffffffffff\n");
	check(&config_run_riscv64,
	      config_run_in_devices(
		      "emu_devices = [[\"p\", 0xc00_0000, 0x20_2000, 0, 0x30, [2]]]\n"),
	      "");
	check(&config_run_riscv64,
	      config_run_in_devices(
		      "emu_devices = [[\"p\", 0xc00_0000, 0x20_1fff, 0, 0x30, [2]]]\n"),
	      "7:22: emu_devices[0].length 0x201fff is too small for its cfg_list, which needs "
	      "0x202000\n");
}

/* "key = [entry, entry, ...]", each entry made from its number. */
static const char *many(const char *key, const char *format, unsigned count)
{
	static char text[32768];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s = [", key);

	for (unsigned i = 0; i < count && used < sizeof(text) - 100; i++) {
		char number[16];
		const char *mark = strchr(format, '#');

		snprintf(number, sizeof(number), "%u", i);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s%s%s,",
					 (int)(mark - format), format, number, mark + 1);
	}
	snprintf(text + used, sizeof(text) - used, "]\n");
	return text;
}

static void capacity(const char *(*compose)(const char *), const char *key, const char *format,
		     unsigned max)
{
	char expected[128];

	check(&config_run_x86_64, compose(many(key, format, max)), "");
	snprintf(expected, sizeof(expected), "7:%u: %s has %u entries; allowed: at most %u\n",
		 (unsigned)strlen(key) + 4, key, max + 1, max);
	check(&config_run_x86_64, compose(many(key, format, max + 1)), expected);
}

TEST(capacities_are_reached_and_not_exceeded)
{
	capacity(config_run_in_memory, "memory_regions", "[\"# MiB\", \"1 MiB\", 7, 0]",
		 AXVM_CONFIG_MEMORY_MAX);
	capacity(config_run_in_devices, "emu_devices", "[\"d\", \"4#G\", 1, 0, 0xe1, []]",
		 AXVM_CONFIG_EMU_MAX);
	capacity(config_run_in_devices, "passthrough_devices", "[\"/p#\"]",
		 AXVM_CONFIG_PASSTHROUGH_MAX);
	capacity(config_run_in_devices, "passthrough_addresses", "[\"4#G\", 4096]",
		 AXVM_CONFIG_PASSTHROUGH_MAX);
	capacity(config_run_in_devices, "passthrough_ports", "[#, 1]", AXVM_CONFIG_PASSTHROUGH_MAX);
	capacity(config_run_in_devices, "excluded_devices", "[\"/e#\"]", AXVM_CONFIG_EXCLUDED_MAX);
}

TEST(no_more_numbers_or_paths_than_allowed)
{
	devices("emu_devices = [[\"d\", 0, 1, 0, 0, [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]]]\n",
		"7:34: emu_devices[0].cfg_list has 17 entries; allowed: at most 16\n");
	devices("excluded_devices = [['/','/','/','/','/','/','/','/','/','/','/','/','/','/','/',"
		"'/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/'],"
		"['/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/','/',"
		"'/','/','/','/','/','/','/','/','/','/','/','/']]\n",
		"7:20: excluded_devices has more than 64 paths\n");
}

TEST(long_texts_are_refused_at_their_limit)
{
	char line[4096];
	const struct config_run *run;

	snprintf(line, sizeof(line), "cmdline = \"%02047d\"\nramdisk_path = \"%01023d\"\n", 1, 1);
	run = config_run(&config_run_aarch64, config_run_in_kernel(line));
	CHECK_EQ(run->result, 0);
	snprintf(line, sizeof(line), "cmdline = \"%02048d\"\nramdisk_path = \"%01024d\"\n", 1, 1);
	check(&config_run_aarch64, config_run_in_kernel(line),
	      "7:11: cmdline has 2048 bytes; allowed: at most 2047\n"
	      "8:16: ramdisk_path has 1024 bytes; allowed: at most 1023\n");
}

AXTEST_MAIN(memory_regions_may_touch_but_not_overlap,
	    a_scratch_region_inside_main_memory_is_an_overlap, memory_must_not_lie_over_devices,
	    emulated_devices_must_not_overlap, an_emulated_device_punches_a_hole_into_passthrough,
	    passthrough_ranges_may_overlap_if_they_agree, ports_are_apart_from_addresses,
	    an_interrupt_has_one_emulated_owner, some_devices_come_only_once,
	    a_controllers_range_holds_what_its_list_says, capacities_are_reached_and_not_exceeded,
	    no_more_numbers_or_paths_than_allowed, long_texts_are_refused_at_their_limit)
