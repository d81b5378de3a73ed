/* SPDX-License-Identifier: Apache-2.0 */
/* What an x86 guest is started with, read as the guest reads it: offsets are the documents' own. */
#include <stdio.h>
#include <string.h>

#include "axtest.h"
#include "image_samples.h"
#include "regs.h"
#include "start.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define GPA AXVM_X86_BOOT_GPA

static struct axvm_config config;
static struct axvm_config_memory memory[AXVM_CONFIG_MEMORY_MAX];
static struct axvm_plan plan;
static struct axvm_x86_memory_map map;
static struct axvm_x86_start start;
static struct axvm_vcpu vcpu;
static uint8_t block[AXVM_X86_BOOT_BYTES + 1];
static const char *why;

static void add_memory(uint64_t base, uint64_t bytes, uint32_t flags)
{
	memory[config.memory_count++] =
		(struct axvm_config_memory){ .gpa = { base }, .bytes = bytes, .flags = flags };
}

/* A bzImage at 16 MiB, an initrd at 96 MiB, 128 MiB of RAM and 1 GiB above 4 GiB. */
static void begin(void)
{
	memset(&config, 0, sizeof(config));
	memset(&plan, 0, sizeof(plan));
	memset(block, 0xa5, sizeof(block));
	why = "";
	config.memory = memory;
	config.vcpu_count = 2;
	config.cmdline = "console=ttyS0 quiet";
	add_memory(0, 128 * MIB, AXVM_MAP_RWX);
	add_memory(4 * GIB, GIB, AXVM_MAP_RWX);
	(void)make_bzimage();
	put(0x201, 0x6a, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x238, 2047, 4);
	CHECK_EQ(axvm_image_probe(blob(0x1000), &plan.kernel, &why), 0);
	plan.kernel_gpa = 16 * MIB;
	plan.entry = 16 * MIB + 0x200;
	plan.initrd_gpa = 96 * MIB;
	plan.initrd_bytes = 0x12345;
}

static int make(void)
{
	return axvm_x86_64_boot_make(&config, &plan, GPA, block, &why);
}

static uint64_t get(uint64_t at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = bytes; i > 0; i--)
		value = value << 8 | block[at + i - 1];
	return value;
}

/* ---- memory map ----------------------------------------------------------------------------- */

static void check_entry(uint32_t index, uint64_t base, uint64_t bytes, unsigned type)
{
	CHECK_EQ(map.entries[index].base, base);
	CHECK_EQ(map.entries[index].bytes, bytes);
	CHECK_EQ(map.entries[index].type, type);
}

TEST(memory_is_told_with_the_firmware_hole_and_what_is_above_four_gib)
{
	begin();
	axvm_x86_64_memory_map(&config, GPA, AXVM_X86_BOOT_BYTES, &map);
	REQUIRE_EQ(map.count, 4);
	check_entry(0, 0, 0xa0000, 1);
	check_entry(1, 0xa0000, 0x60000, 2);
	check_entry(2, MIB, 127 * MIB, 1);
	check_entry(3, 4 * GIB, GIB, 1);
}

TEST(a_block_outside_of_the_hole_is_reserved_as_well)
{
	begin();
	axvm_x86_64_memory_map(&config, 64 * MIB, 0xf000, &map);
	REQUIRE_EQ(map.count, 6);
	check_entry(2, MIB, 63 * MIB, 1);
	check_entry(3, 64 * MIB, 0xf000, 2);
	check_entry(4, 64 * MIB + 0xf000, 64 * MIB - 0xf000, 1);
}

TEST(regions_in_any_order_are_told_sorted_and_what_they_share_once)
{
	begin();
	config.memory_count = 0;
	add_memory(32 * MIB, 32 * MIB, AXVM_MAP_RWX);
	add_memory(0, MIB, AXVM_MAP_RWX);
	add_memory(16 * MIB, 32 * MIB, AXVM_MAP_RWX);
	add_memory(0, 4096, AXVM_MAP_RWX);
	add_memory(GIB, MIB, AXVM_MAP_READ | AXVM_MAP_DEVICE);
	axvm_x86_64_memory_map(&config, GPA, AXVM_X86_BOOT_BYTES, &map);
	REQUIRE_EQ(map.count, 3);
	check_entry(0, 0, 0xa0000, 1);
	check_entry(1, 0xa0000, 0x60000, 2);
	check_entry(2, 16 * MIB, 48 * MIB, 1);
}

TEST(the_most_regions_there_may_be_fit_into_the_map)
{
	begin();
	config.memory_count = 0;
	for (unsigned i = 0; i < AXVM_CONFIG_MEMORY_MAX; i++)
		add_memory(i * 0x20000, 0x10000, AXVM_MAP_RWX);
	axvm_x86_64_memory_map(&config, GPA, AXVM_X86_BOOT_BYTES, &map);
	CHECK_EQ(map.count, AXVM_CONFIG_MEMORY_MAX);
	for (unsigned i = 0; i < AXVM_CONFIG_MEMORY_MAX; i++)
		check_entry(i, i * 0x20000, 0x10000, i >= 5 && i < 8 ? 2 : 1);
	config.memory_count = 0;
	axvm_x86_64_memory_map(&config, GPA, AXVM_X86_BOOT_BYTES, &map);
	CHECK_EQ(map.count, 0);
}

/* ---- the block ------------------------------------------------------------------------------ */

TEST(the_zero_page_has_the_setup_header_and_what_the_loader_says)
{
	const uint64_t zp = AXVM_X86_BOOT_ZERO_PAGE;

	begin();
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(block[AXVM_X86_BOOT_BYTES], 0xa5);
	CHECK_EQ(get(zp + 0x1fe, 2), 0xaa55);
	CHECK_EQ(get(zp + 0x202, 4), 0x53726448);
	CHECK_EQ(get(zp + 0x206, 2), 0x20f);
	CHECK_EQ(get(zp + 0x260, 4), 0x500000);
	CHECK_EQ(get(zp + 0x210, 1), 0xff);
	CHECK_EQ(get(zp + 0x214, 4), 16 * MIB);
	CHECK_EQ(get(zp + 0x218, 4), 96 * MIB);
	CHECK_EQ(get(zp + 0x21c, 4), 0x12345);
	CHECK_EQ(get(zp + 0x070, 8), GPA);
	CHECK_EQ(get(zp + 0x1ef, 1), 0); /* the sentinel */
	CHECK_EQ(get(zp + 0x228, 4), GPA + AXVM_X86_BOOT_CMDLINE);
	CHECK_STR_EQ((const char *)block + AXVM_X86_BOOT_CMDLINE, "console=ttyS0 quiet");
	REQUIRE_EQ(get(zp + 0x1e8, 1), 4);
	CHECK_EQ(get(zp + 0x2d0, 8), 0);
	CHECK_EQ(get(zp + 0x2d0 + 20, 8), 0xa0000);
	CHECK_EQ(get(zp + 0x2d0 + 20 + 16, 4), 2);
	CHECK_EQ(get(zp + 0x2d0 + 60, 8), 4 * GIB);
	CHECK_EQ(get(zp + 0x2d0 + 68, 8), GIB);
	CHECK_EQ(get(zp + 0x2d0 + 76, 4), 1);
	CHECK_EQ(get(zp + 0x2d0 + 80, 8), 0);
}

TEST(an_initrd_above_four_gib_is_told_in_two_halves)
{
	begin();
	put(0x236, 3, 2);
	REQUIRE_EQ(axvm_image_probe(blob(0x1000), &plan.kernel, &why), 0);
	plan.initrd_gpa = 4 * GIB + 0x1000;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(AXVM_X86_BOOT_ZERO_PAGE + 0x218, 4), 0x1000);
	CHECK_EQ(get(AXVM_X86_BOOT_ZERO_PAGE + 0x0c0, 4), 1);
	CHECK_EQ(get(AXVM_X86_BOOT_ZERO_PAGE + 0x0c4, 4), 0);
}

TEST(a_setup_header_cannot_bring_a_list_of_its_own)
{
	begin();
	put(0x250, 0x4141414141414141, 8);
	REQUIRE_EQ(axvm_image_probe(blob(0x1000), &plan.kernel, &why), 0);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(AXVM_X86_BOOT_ZERO_PAGE + 0x250, 8), 0);
}

TEST(an_elf_kernel_gets_a_setup_header_that_is_made)
{
	const uint64_t zp = AXVM_X86_BOOT_ZERO_PAGE;

	begin();
	plan.kernel.kind = AXVM_IMAGE_ELF;
	plan.kernel.setup_bytes = 0;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(zp + 0x1fe, 2), 0xaa55);
	CHECK_EQ(get(zp + 0x202, 4), 0x53726448);
	CHECK_EQ(get(zp + 0x206, 2), 0x20f);
	CHECK_EQ(get(zp + 0x211, 1), 1);
	CHECK_EQ(get(zp + 0x230, 4), 0x1000000);
	CHECK_EQ(get(zp + 0x218, 4), 96 * MIB);
}

TEST(pvh_start_info_leads_to_initrd_command_line_tables_and_memory)
{
	const uint64_t info = AXVM_X86_BOOT_START_INFO;

	begin();
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(info, 4), 0x336ec578);
	CHECK_EQ(get(info + 4, 4), 1);
	CHECK_EQ(get(info + 12, 4), 1);
	CHECK_EQ(get(info + 24, 8), GPA + AXVM_X86_BOOT_CMDLINE);
	CHECK_EQ(get(info + 32, 8), GPA);
	CHECK(memcmp(block, "RSD PTR ", 8) == 0);

	uint64_t module = get(info + 16, 8) - GPA;
	uint64_t entries = get(info + 40, 8) - GPA;

	CHECK_EQ(get(module, 8), 96 * MIB);
	CHECK_EQ(get(module + 8, 8), 0x12345);
	CHECK_EQ(entries % 8, 0);
	REQUIRE_EQ(get(info + 48, 4), 4);
	CHECK_EQ(get(entries + 24, 8), 0xa0000);
	CHECK_EQ(get(entries + 32, 8), 0x60000);
	CHECK_EQ(get(entries + 40, 4), 2);
	CHECK_EQ(get(entries + 72, 8), 4 * GIB);

	plan.initrd_bytes = 0;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(info + 12, 4), 0);
	CHECK_EQ(get(info + 16, 8), 0);
}

TEST(multiboot_information_has_memory_modules_and_the_command_line)
{
	const uint64_t info = AXVM_X86_BOOT_MULTIBOOT;

	begin();
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(info, 4), 0x4d);
	CHECK_EQ(get(info + 4, 4), 640);
	CHECK_EQ(get(info + 8, 4), 127 * 1024);
	CHECK_EQ(get(info + 16, 4), GPA + AXVM_X86_BOOT_CMDLINE);
	CHECK_EQ(get(info + 20, 4), 1);

	uint64_t module = get(info + 24, 4) - GPA;
	uint64_t entries = get(info + 48, 4) - GPA;

	CHECK_EQ(get(module, 4), 96 * MIB);
	CHECK_EQ(get(module + 4, 4), 96 * MIB + 0x12345);
	CHECK_EQ(get(info + 44, 4), 4 * 24);
	CHECK_EQ(get(entries, 4), 20);
	CHECK_EQ(get(entries + 24 + 4, 8), 0xa0000);
	CHECK_EQ(get(entries + 24 + 20, 4), 2);

	plan.kernel.kind = AXVM_IMAGE_RAW;
	plan.initrd_gpa = 4 * GIB - 0x12345;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(get(info + 20, 4), 0);
}

/* Walks PML4, PDPT and PD for a linear address below 512 GiB; UINT64_MAX: not mapped writable. */
static uint64_t walk(uint64_t linear)
{
	uint64_t table = AXVM_X86_BOOT_TABLES;

	for (unsigned shift = 39; shift >= 30; shift -= 9) {
		uint64_t entry = get(table + 8 * (linear >> shift & 511), 8);

		if ((entry & 0x83) != 3 || (entry & 0xfffff000) < GPA)
			return UINT64_MAX;
		table = (entry & 0xfffff000) - GPA;
	}

	uint64_t entry = get(table + 8 * (linear >> 21 & 511), 8);

	return (entry & 0x83) == 0x83 ? (entry & ~(uint64_t)0x1fffff) | (linear & 0x1fffff)
				      : UINT64_MAX;
}

TEST(the_page_tables_map_four_gib_to_themselves)
{
	begin();
	REQUIRE_EQ(make(), 0);
	for (uint64_t at = 0; at < 4 * GIB; at += 2 * MIB)
		REQUIRE_EQ(walk(at + 0x1234), at + 0x1234);
	CHECK_EQ(walk(4 * GIB), UINT64_MAX);
}

TEST(what_the_kernel_cannot_reach_is_refused)
{
	static char cmdline[4200];

	begin();
	plan.initrd_gpa = 0x7fffffff - 0x12345 + 1;
	CHECK_EQ(make(), 0);
	plan.initrd_gpa++;
	CHECK_EQ(make(), AXVM_ERANGE);
	CHECK_STR_EQ(why, "the initrd is above what the kernel can reach");
	plan.initrd_gpa = UINT64_MAX;
	CHECK_EQ(make(), AXVM_ERANGE);
	plan.kernel.kind = AXVM_IMAGE_ELF;
	plan.initrd_gpa = 4 * GIB - 0x12345;
	CHECK_EQ(make(), 0);
	plan.initrd_gpa++;
	CHECK_EQ(make(), AXVM_ERANGE);

	begin();
	plan.kernel_gpa = 4 * GIB - plan.kernel.image_bytes;
	CHECK_EQ(make(), 0);
	plan.kernel_gpa++;
	CHECK_EQ(make(), AXVM_ERANGE);
	CHECK_STR_EQ(why, "the kernel does not end below 4 GiB, where it is started");

	begin();
	memset(cmdline, 'x', 2048);
	config.cmdline = cmdline;
	CHECK_EQ(make(), AXVM_ERANGE);
	CHECK_STR_EQ(why, "the command line is longer than this kernel takes");
	cmdline[2047] = '\0';
	CHECK_EQ(make(), 0);
	memset(cmdline, 'x', 4096);
	plan.kernel.kind = AXVM_IMAGE_ELF;
	CHECK_EQ(make(), AXVM_ERANGE);
	CHECK_STR_EQ(why, "the command line is longer than 4095 bytes");
	cmdline[4095] = '\0';
	CHECK_EQ(make(), 0);
}

TEST(a_block_is_a_page_below_four_gib)
{
	begin();
	CHECK_EQ(axvm_x86_64_boot_make(&config, &plan, GPA + 64, block, &why), AXVM_EINVAL);
	CHECK_EQ(axvm_x86_64_boot_make(&config, &plan, 0xffff2000, block, &why), AXVM_EINVAL);
	CHECK_EQ(block[0], 0xa5);
	CHECK_EQ(axvm_x86_64_boot_make(&config, &plan, 0xffff1000, block, &why), 0);
}

TEST(debians_kernel_takes_the_block)
{
	static const char *const paths[] = { "guests/x86_64/bzImage", "../../guests/x86_64/bzImage",
					     "../../../../guests/x86_64/bzImage" };
	static uint8_t front[0x10000]; /* more than its setup part */
	FILE *stream = NULL;

	begin();
	for (unsigned i = 0; i < 3 && stream == NULL; i++)
		stream = fopen(paths[i], "rb");
	if (stream == NULL)
		SKIP("no kernel in guests/: make guests");

	uint64_t bytes = fread(front, 1, sizeof(front), stream);

	fclose(stream);
	CHECK_EQ(bytes, sizeof(front));
	REQUIRE_EQ(axvm_image_probe((struct axvm_blob){ front, bytes }, &plan.kernel, &why), 0);
	CHECK_EQ(plan.kernel.kind, AXVM_IMAGE_BZIMAGE);
	REQUIRE_EQ(make(), 0);
	CHECK(memcmp(block + AXVM_X86_BOOT_ZERO_PAGE + 0x234, front + 0x234, 0x264 - 0x234) == 0);
	CHECK(get(AXVM_X86_BOOT_ZERO_PAGE + 0x206, 2) >= 0x20f);
}

/* ---- the start ------------------------------------------------------------------------------ */

static void choose(void)
{
	axvm_x86_64_start_choose(&config, &plan, GPA, &start);
	memset(&vcpu, 0x5a, sizeof(vcpu));
	axvm_x86_64_start_apply(&start, &vcpu.arch);
}

/* The descriptor that the selector names in the block's GDT says what the register has. */
static void check_segment(const struct axvm_x86_segment *segment)
{
	uint64_t at = vcpu.arch.sys.gdtr.base - GPA + segment->selector;
	uint64_t descriptor = get(at, 8);
	uint64_t limit = (descriptor & 0xffff) | (descriptor >> 32 & 0xf0000);

	CHECK(segment->selector + 7u <= vcpu.arch.sys.gdtr.limit);
	CHECK_EQ(segment->attributes, (descriptor >> 40 & 0xff) | (descriptor >> 44 & 0xf00));
	CHECK_EQ(segment->limit, descriptor >> 55 & 1 ? limit << 12 | 0xfff : limit);
	CHECK_EQ(segment->base, 0);
}

static void check_flat(void)
{
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++)
		check_segment(&vcpu.arch.sys.segment[i]);
	check_segment(&vcpu.arch.sys.tr);
	CHECK_EQ(vcpu.arch.rflags, 2);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RSP], 0);
}

TEST(a_bzimage_starts_in_long_mode_with_the_zero_page)
{
	begin();
	config.has_entry = true;
	config.entry = axvm_gpa(0x8000); /* the firmware stub of other hypervisors */
	REQUIRE_EQ(make(), 0);
	choose();
	CHECK_EQ(start.mode, AXVM_X86_START_LONG);
	CHECK_EQ(vcpu.arch.rip, 16 * MIB + 0x200);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RSI], GPA + AXVM_X86_BOOT_ZERO_PAGE);
	CHECK_EQ(vcpu.arch.sys.cr0, 0x80000031);
	CHECK_EQ(vcpu.arch.sys.cr3, GPA + AXVM_X86_BOOT_TABLES);
	CHECK_EQ(vcpu.arch.sys.cr4, 0x20);
	CHECK_EQ(vcpu.arch.sys.efer, 0x500);
	CHECK_EQ(vcpu.arch.sys.segment[AXVM_X86_CS].selector, 0x10);
	CHECK_EQ(vcpu.arch.sys.segment[AXVM_X86_DS].selector, 0x18);
	check_flat();
	config.entry = axvm_gpa(16 * MIB); /* the load address, as files often say */
	choose();
	CHECK_EQ(vcpu.arch.rip, 16 * MIB + 0x200);
}

TEST(an_elf_file_starts_by_its_pvh_note_or_else_in_long_mode)
{
	begin();
	plan.kernel.kind = AXVM_IMAGE_ELF;
	plan.kernel.entry = 0x40;
	plan.kernel.has_pvh = true;
	plan.kernel.pvh_entry = 0x80;
	REQUIRE_EQ(make(), 0);
	choose();
	CHECK_EQ(start.mode, AXVM_X86_START_PROTECTED);
	CHECK_EQ(vcpu.arch.rip, 16 * MIB + 0x80);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RBX], GPA + AXVM_X86_BOOT_START_INFO);
	CHECK_EQ(vcpu.arch.sys.cr0, 0x31);
	CHECK_EQ(vcpu.arch.sys.efer, 0);
	CHECK_EQ(vcpu.arch.sys.cr4, 0);
	CHECK_EQ(vcpu.arch.sys.segment[AXVM_X86_CS].attributes, 0xc9b);
	check_flat();
	plan.kernel.has_pvh = false;
	choose();
	CHECK_EQ(start.mode, AXVM_X86_START_LONG);
	CHECK_EQ(vcpu.arch.rip, 16 * MIB + 0x40);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RSI], GPA + AXVM_X86_BOOT_ZERO_PAGE);
	config.has_entry = true;
	config.entry = axvm_gpa(16 * MIB + 0x1000);
	choose();
	CHECK_EQ(vcpu.arch.rip, 16 * MIB + 0x1000);
}

TEST(a_flat_binary_starts_in_32_bits_as_multiboot_has_it)
{
	begin();
	plan.kernel.kind = AXVM_IMAGE_RAW;
	plan.kernel_gpa = 2 * MIB;
	config.has_entry = true;
	config.entry = axvm_gpa(0x8000);
	REQUIRE_EQ(make(), 0);
	choose();
	CHECK_EQ(start.mode, AXVM_X86_START_PROTECTED);
	CHECK_EQ(vcpu.arch.rip, 2 * MIB);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RAX], 0x2badb002);
	CHECK_EQ(vcpu.arch.gpr[AXVM_X86_RBX], GPA + AXVM_X86_BOOT_MULTIBOOT);
	check_flat();
	config.entry = axvm_gpa(2 * MIB + plan.kernel.image_bytes - 1);
	choose();
	CHECK_EQ(vcpu.arch.rip, 2 * MIB + plan.kernel.image_bytes - 1);
	config.entry.addr++;
	choose();
	CHECK_EQ(vcpu.arch.rip, 2 * MIB);
}

TEST(firmware_starts_in_real_mode_at_its_entry)
{
	static const struct {
		uint64_t entry, base, rip;
		uint16_t selector;
	} cases[] = {
		{ 0x8000, 0, 0x8000, 0 },
		{ 0x1fffe, 0x10000, 0xfffe, 0x1000 },
		{ 0xffff0, 0xf0000, 0xfff0, 0xf000 },
		{ 0xfffffff0, 0xffff0000, 0xfff0, 0xf000 },
	};

	begin();
	plan.bios_bytes = 0x1000;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plan.entry = cases[i].entry;
		choose();

		const struct axvm_x86_segment *cs = &vcpu.arch.sys.segment[AXVM_X86_CS];

		CHECK_EQ(start.mode, AXVM_X86_START_REAL);
		CHECK_EQ(vcpu.arch.rip, cases[i].rip);
		CHECK_EQ(cs->base, cases[i].base);
		CHECK_EQ(cs->selector, cases[i].selector);
		CHECK_EQ(cs->attributes, 0x09b);
		CHECK_EQ(cs->limit, 0xffff);
		CHECK_EQ(vcpu.arch.sys.segment[AXVM_X86_SS].attributes, 0x093);
		CHECK_EQ(vcpu.arch.sys.idtr.limit, 0xffff);
		CHECK_EQ(vcpu.arch.sys.idtr.base, 0);
		CHECK_EQ(vcpu.arch.sys.cr0, 0x60000010);
		CHECK_EQ(vcpu.arch.sys.cr3, 0);
		CHECK_EQ(vcpu.arch.sys.efer, 0);
		CHECK_EQ(vcpu.arch.rflags, 2);
	}
}

AXTEST_MAIN(memory_is_told_with_the_firmware_hole_and_what_is_above_four_gib,
	    a_block_outside_of_the_hole_is_reserved_as_well,
	    regions_in_any_order_are_told_sorted_and_what_they_share_once,
	    the_most_regions_there_may_be_fit_into_the_map,
	    the_zero_page_has_the_setup_header_and_what_the_loader_says,
	    an_initrd_above_four_gib_is_told_in_two_halves,
	    a_setup_header_cannot_bring_a_list_of_its_own,
	    an_elf_kernel_gets_a_setup_header_that_is_made,
	    pvh_start_info_leads_to_initrd_command_line_tables_and_memory,
	    multiboot_information_has_memory_modules_and_the_command_line,
	    the_page_tables_map_four_gib_to_themselves, what_the_kernel_cannot_reach_is_refused,
	    a_block_is_a_page_below_four_gib, debians_kernel_takes_the_block,
	    a_bzimage_starts_in_long_mode_with_the_zero_page,
	    an_elf_file_starts_by_its_pvh_note_or_else_in_long_mode,
	    a_flat_binary_starts_in_32_bits_as_multiboot_has_it,
	    firmware_starts_in_real_mode_at_its_entry)
