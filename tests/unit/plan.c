/* SPDX-License-Identifier: Apache-2.0 */
/* Where images go, and what users are told when they do not fit (src/plan.c). */
#include <string.h>

#include "axtest.h"
#include "gzip_sample.h"
#include "image.h"
#include "sim.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define RAM 0x40000000u

static struct axvm_config config;
static struct axvm_config_memory memory[3];
static struct axvm_vm_params blobs;
static struct axvm_plan plan;
static char why[AXVM_WHY_BYTES];
static uint8_t kernel[64];
static uint8_t other[0x3000];

static int no_machine(struct axvm_guest_fdt *fdt, const struct axvm_config *wanted)
{
	(void)fdt;
	(void)wanted;
	return 0;
}

static struct axvm_platform platform;

static void put(uint64_t at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		kernel[at + i] = (uint8_t)(value >> (8 * i));
}

/* An arm64 Image of 36 MiB in memory; 1 GiB of RAM; nothing has an address. */
static void begin(void)
{
	axvm_sim_reset(NULL);
	memset(&config, 0, sizeof(config));
	memset(memory, 0, sizeof(memory));
	memset(&blobs, 0, sizeof(blobs));
	memset(&plan, 0x5a, sizeof(plan));
	memset(kernel, 0, sizeof(kernel));
	memset(why, 0, sizeof(why));
	platform = (struct axvm_platform){ .isa = AXVM_ISA_AARCH64,
					   .name = "aarch64",
					   .ram_base = RAM,
					   .fdt_machine = no_machine };
	put(16, 0x2400000);
	memcpy(&kernel[56], "ARM\x64", 4);
	blobs.kernel = (struct axvm_blob){ kernel, sizeof(kernel) };
	memory[0] =
		(struct axvm_config_memory){ .gpa = { RAM }, .bytes = GIB, .flags = AXVM_MAP_RWX };
	config.memory = memory;
	config.memory_count = 1;
	config.cmdline = "";
}

static int make(void)
{
	return axvm_plan_make(&config, &platform, &blobs, &plan, why);
}

static void set_load(struct axvm_config_image *image, uint64_t gpa)
{
	image->load = axvm_gpa(gpa);
	image->has_load = true;
}

static void give_initrd(uint64_t bytes)
{
	blobs.initrd = (struct axvm_blob){ other, bytes };
}

static void check_refused(int error, const char *sentence)
{
	CHECK_EQ(make(), error);
	CHECK_STR_EQ(why, sentence);
	CHECK_EQ(plan.entry, 0x5a5a5a5a5a5a5a5a);
	CHECK_EQ(axvm_plan_make(&config, &platform, &blobs, &plan, NULL), error);
}

TEST(a_file_without_addresses_gets_a_linux_layout)
{
	begin();
	give_initrd(0x2345);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM);
	CHECK_EQ(plan.entry, RAM);
	CHECK_EQ(plan.kernel.kind, AXVM_IMAGE_ARM64);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x2400000);
	CHECK_EQ(plan.dtb_bytes, 0x10000);
	CHECK_EQ(plan.initrd_gpa, RAM + 0x2410000);
	CHECK_EQ(plan.initrd_bytes, 0x2345);
	CHECK_EQ(plan.bios_bytes, 0);
}

/* It takes the rest of the 2 MiB where its image ends for itself; a base is a multiple of that too. */
TEST(on_riscv64_the_others_go_beyond_the_two_mebibytes_where_the_kernel_ends)
{
	begin();
	platform.isa = AXVM_ISA_RISCV64;
	put(8, 2 * MIB);
	put(16, 0x1e90000);
	memcpy(&kernel[48], "RISCV", 5);
	memcpy(&kernel[56], "RSC\x05", 4);
	give_initrd(0x2345);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel.kind, AXVM_IMAGE_RISCV);
	CHECK_EQ(plan.kernel_gpa, RAM + 2 * MIB);
	CHECK_EQ(plan.entry, RAM + 2 * MIB);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x2200000);
	CHECK_EQ(plan.initrd_gpa, RAM + 0x2210000);
	put(16, 0x1e00000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x2000000);
}

TEST(text_offset_is_honoured)
{
	begin();
	put(8, 0x80000);
	memory[0].gpa = axvm_gpa(RAM + 0x1000); /* the base is the next multiple of 2 MiB */
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + 2 * MIB + 0x80000);
}

TEST(configured_addresses_are_honoured)
{
	begin();
	give_initrd(0x1000);
	set_load(&config.kernel, RAM + 0x4000000);
	set_load(&config.initrd, RAM + 0x123);
	set_load(&config.dtb, RAM + 0x3000008);
	config.entry = axvm_gpa(RAM + 0x4000040);
	config.has_entry = true;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + 0x4000000);
	CHECK_EQ(plan.entry, RAM + 0x4000040);
	CHECK_EQ(plan.initrd_gpa, RAM + 0x123);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x3000008);
}

TEST(what_is_open_goes_around_what_is_fixed)
{
	begin();
	give_initrd(0x3000);
	set_load(&config.dtb,
		 RAM + 0x2400000); /* where the initrd would go, right behind the kernel */
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.initrd_gpa, RAM + 0x2410000);
	config.dtb.has_load = false;
	set_load(&config.initrd, RAM + 0x2408000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x2410000);
}

TEST(images_may_lie_in_other_regions_of_memory)
{
	begin();
	memory[1] = (struct axvm_config_memory){ .gpa = { 0x80000000 },
						 .bytes = 64 * MIB,
						 .flags = AXVM_MAP_RWX };
	config.memory_count = 2;
	set_load(&config.kernel, 0x80200000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, 0x80200000);
	CHECK_EQ(plan.dtb_gpa, RAM);
	memory[1].flags |= AXVM_MAP_DEVICE;
	CHECK_EQ(make(), AXVM_ERANGE);
}

/* Upstream's rule: align_down(gpa + min(size, 512 MiB) - size of the tree, 2 MiB). */
TEST(identical_memory_has_its_device_tree_at_its_end_whatever_the_file_says)
{
	begin();
	memory[0].map_type = AXVM_MEMORY_IDENTICAL;
	set_load(&config.dtb, RAM + 0x100000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + 510 * MIB);
	memory[0].bytes = 64 * MIB;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + 62 * MIB);
	memory[0].bytes = 37 * MIB; /* the place would be in the kernel */
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + 36 * MIB);
	memory[0].gpa = axvm_gpa(RAM + MIB); /* or below the memory */
	memory[0].bytes = MIB;
	memset(kernel, 0, sizeof(kernel));
	set_load(&config.kernel, RAM + MIB);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_gpa, RAM + MIB + 0x10000);
}

TEST(the_room_of_the_device_tree_covers_the_users_own_and_the_command_line)
{
	static char cmdline[5001];

	begin();
	memset(cmdline, 'x', 5000);
	config.cmdline = cmdline;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_bytes, 0x12000);
	blobs.dtb = (struct axvm_blob){ other, 0x3000 };
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_bytes, 0x15000);
	config.cmdline = NULL;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_bytes, 0x13000);
}

TEST(a_platform_without_a_device_tree_gets_one_only_from_the_user)
{
	begin();
	platform.fdt_machine = NULL;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.dtb_bytes, 0);
	blobs.dtb = (struct axvm_blob){ other, 0x100 };
	REQUIRE_EQ(make(), 0);
	CHECK(plan.dtb_bytes > 0);
}

TEST(a_raw_image_goes_to_its_address_and_starts_there)
{
	begin();
	memset(kernel, 0, sizeof(kernel));
	set_load(&config.kernel, RAM + 0x80004);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + 0x80004);
	CHECK_EQ(plan.entry, RAM + 0x80004);
	CHECK_EQ(plan.dtb_gpa, RAM + 0x90000);
}

/* An ELF file with one segment of 0x20000 bytes at RAM + 1 MiB. */
static void give_elf(uint16_t type)
{
	static uint8_t elf[120];

	memset(elf, 0, sizeof(elf));
	memcpy(elf,
	       "\x7f"
	       "ELF\x02\x01\x01",
	       7);
	memcpy(&elf[16], &type, 2);
	elf[18] = 183;
	elf[32] = 64;
	elf[54] = 56;
	elf[56] = 1;
	elf[64] = 1;

	const uint64_t paddr = RAM + MIB, entry = paddr + 0x10, bytes = 0x20000;

	memcpy(&elf[24], &entry, 8);
	memcpy(&elf[64 + 24], &paddr, 8);
	memcpy(&elf[64 + 40], &bytes, 8);
	blobs.kernel = (struct axvm_blob){ elf, sizeof(elf) };
}

TEST(an_elf_file_goes_where_it_is_linked)
{
	begin();
	give_elf(2);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + MIB);
	CHECK_EQ(plan.entry, RAM + MIB + 0x10);
	CHECK_EQ(plan.dtb_gpa, RAM + MIB + 0x20000);
	set_load(&config.kernel, RAM + MIB);
	CHECK_EQ(make(), 0);
	begin();
	give_elf(2);
	set_load(&config.kernel, RAM);
	check_refused(AXVM_ERANGE,
		      "kernel: image of 0x20000 bytes at 0x40000000 is linked to run at "
		      "0x40100000: make that the load address, or leave it out");
}

TEST(a_position_independent_elf_file_goes_where_the_file_says)
{
	begin();
	give_elf(3);
	set_load(&config.kernel, RAM + 4 * MIB);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + 4 * MIB);
	CHECK_EQ(plan.entry, RAM + 4 * MIB + 0x10);
}

TEST(a_compressed_kernel_is_planned_with_the_size_it_has_in_memory)
{
	begin();
	blobs.kernel = (struct axvm_blob){ gzip_sample, sizeof(gzip_sample) };
	REQUIRE_EQ(make(), 0);
	CHECK(plan.kernel.compressed);
	CHECK_EQ(plan.dtb_gpa, RAM + GZIP_SAMPLE_IMAGE_BYTES);
	axvm_sim_fail_allocation_after(0);
	CHECK_EQ(make(), AXVM_ENOMEM);
}

TEST(firmware_alone_starts_the_vm)
{
	begin();
	blobs.kernel = (struct axvm_blob){ NULL, 0 };
	blobs.bios = (struct axvm_blob){ other, 0x2000 };
	set_load(&config.bios, RAM + 0x8000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.entry, RAM + 0x8000);
	CHECK_EQ(plan.bios_gpa, RAM + 0x8000);
	CHECK_EQ(plan.bios_bytes, 0x2000);
	CHECK_EQ(plan.kernel.segment_count, 0);
	begin();
	blobs.bios = (struct axvm_blob){ other, 0x2000 };
	check_refused(AXVM_ERANGE, "bios: there is no load address for it");
}

/* ---- refusals ------------------------------------------------------------------------------- */

TEST(too_little_memory_is_said_with_what_would_do)
{
	begin();
	memory[0].bytes = 16 * MIB;
	set_load(&config.kernel, RAM + 0x200000);
	check_refused(AXVM_ERANGE,
		      "kernel: image of 0x2400000 bytes at 0x40200000 does not fit into "
		      "main memory 0x40000000-0x40ffffff: give it at least 38 MiB");
	begin();
	memory[0].bytes = 36 * MIB;
	check_refused(AXVM_ERANGE,
		      "device tree: image of 0x10000 bytes at 0x42400000 does not fit "
		      "into main memory 0x40000000-0x423fffff: give it at least 37 MiB");
	memory[0].bytes = 37 * MIB;
	CHECK_EQ(make(), 0);
	begin();
	memory[0].bytes = 36 * MIB + 0x10000;
	give_initrd(0x1000);
	check_refused(AXVM_ERANGE,
		      "initrd: image of 0x1000 bytes at 0x42410000 does not fit into main "
		      "memory 0x40000000-0x4240ffff: give it at least 37 MiB");
}

TEST(an_address_outside_of_memory_is_refused)
{
	begin();
	set_load(&config.kernel, 0x20000000);
	check_refused(AXVM_ERANGE,
		      "kernel: image of 0x2400000 bytes at 0x20000000 does not fit into "
		      "main memory 0x40000000-0x7fffffff or another region");
	begin();
	give_initrd(0x1000);
	set_load(&config.initrd, UINT64_MAX - 0x7ff);
	check_refused(AXVM_ERANGE,
		      "initrd: image of 0x1000 bytes at 0xfffffffffffff800 does not fit "
		      "into main memory 0x40000000-0x7fffffff or another region");
}

TEST(overlaps_are_refused_with_both_ranges)
{
	begin();
	give_initrd(0x1000);
	set_load(&config.initrd, RAM + 0x23ff800);
	check_refused(AXVM_EEXIST, "initrd: 0x423ff800-0x424007ff overlaps the kernel at "
				   "0x40000000-0x423fffff");
	begin();
	set_load(&config.dtb, RAM);
	check_refused(AXVM_EEXIST, "device tree: 0x40000000-0x4000ffff overlaps the kernel at "
				   "0x40000000-0x423fffff");
	begin();
	blobs.bios = (struct axvm_blob){ other, 0x2000 };
	set_load(&config.bios, RAM + 0x1000);
	check_refused(AXVM_EEXIST, "bios: 0x40001000-0x40002fff overlaps the kernel at "
				   "0x40000000-0x423fffff");
}

TEST(a_kernel_of_another_isa_is_named)
{
	begin();
	platform.isa = AXVM_ISA_RISCV64;
	platform.name = "riscv64";
	check_refused(AXVM_EUNSUPPORTED,
		      "kernel: an image for aarch64, but this VM runs on riscv64: "
		      "give it an image for riscv64");
}

TEST(misaligned_addresses_are_refused)
{
	begin();
	put(8, 0x80000);
	set_load(&config.kernel, RAM + 0x200000);
	check_refused(AXVM_ERANGE, "kernel: load address 0x40200000 must be a multiple of 0x200000 "
				   "plus 0x80000");
	begin();
	set_load(&config.dtb, RAM + 0x3000004);
	check_refused(AXVM_ERANGE,
		      "device tree: load address 0x43000004 must be a multiple of 0x8");
}

TEST(the_initrd_must_be_near_the_kernel)
{
	begin();
	memory[0].bytes = 64 * GIB;
	give_initrd(0x1000);
	set_load(&config.initrd, RAM + 32 * GIB - 0x1000);
	CHECK_EQ(make(), 0);
	begin();
	memory[0].bytes = 64 * GIB;
	give_initrd(0x1000);
	set_load(&config.initrd, RAM + 32 * GIB - 0xfff);
	check_refused(AXVM_ERANGE,
		      "initrd: image of 0x1000 bytes at 0x83ffff001 is farther than 32 "
		      "GiB from the kernel at 0x40000000");
}

TEST(files_that_are_named_but_not_there_are_named)
{
	begin();
	config.kernel.path = "guest/Image";
	blobs.kernel.bytes = 0;
	check_refused(AXVM_EFORMAT, "kernel: guest/Image is empty or missing");
	begin();
	config.initrd.path = "initrd.gz";
	check_refused(AXVM_EFORMAT, "initrd: initrd.gz is empty or missing");
	begin();
	config.dtb.path = "vm.dtb";
	check_refused(AXVM_EFORMAT, "device tree: vm.dtb is empty or missing");
	begin();
	config.bios.path = "bios.bin";
	check_refused(AXVM_EFORMAT, "bios: bios.bin is empty or missing");
	begin();
	config.dtb.path = ""; /* none */
	CHECK_EQ(make(), 0);
	begin();
	blobs.kernel.bytes = 0;
	check_refused(AXVM_EFORMAT, "kernel: the file is empty");
}

TEST(what_is_wrong_with_the_image_is_passed_on)
{
	begin();
	kernel[24] = 1;
	check_refused(AXVM_EFORMAT,
		      "kernel: a big-endian kernel; only little-endian ones can be run");
}

TEST(a_device_tree_beyond_two_mebibytes_is_refused)
{
	begin();
	blobs.dtb = (struct axvm_blob){ other, 2 * MIB };
	check_refused(AXVM_ERANGE, "device tree: it and the command line are larger than 2 MiB");
}

/* Sizes at the ends of the number range: refused, or a plan that is within memory. */
TEST(extreme_numbers_never_make_a_plan_outside_of_memory)
{
	static const uint64_t extremes[] = { 0,		1,	    0x1fffff,	 0x200000,
					     RAM - 1,	RAM,	    RAM + MIB,	 RAM + GIB - 1,
					     RAM + GIB, 1ull << 63, 0 - 2 * MIB, UINT64_MAX };
	const unsigned count = sizeof(extremes) / sizeof(extremes[0]);
	unsigned made = 0;

	for (unsigned i = 0; i < count * count * count; i++) {
		begin();
		put(16, extremes[i % count]);
		give_initrd(1);
		set_load(&config.kernel, extremes[i / count % count]);
		set_load(&config.initrd, extremes[i / count / count]);
		if (make() != 0) {
			CHECK(why[0] != '\0');
			continue;
		}
		made++;
		CHECK(axvm_range_contains(RAM, GIB, plan.kernel_gpa, plan.kernel.image_bytes));
		CHECK(axvm_range_contains(RAM, GIB, plan.initrd_gpa, 1));
		CHECK(axvm_range_contains(RAM, GIB, plan.dtb_gpa, plan.dtb_bytes));
		CHECK(!axvm_ranges_overlap(plan.kernel_gpa, plan.kernel.image_bytes,
					   plan.initrd_gpa, 1));
		CHECK(!axvm_ranges_overlap(plan.kernel_gpa, plan.kernel.image_bytes, plan.dtb_gpa,
					   plan.dtb_bytes));
	}
	CHECK(made > 0);
}

/* ---- boot block ----------------------------------------------------------------------------- */

static int no_block(const struct axvm_config *wanted, const struct axvm_plan *made, uint64_t gpa,
		    void *buffer, const char **sentence)
{
	(void)wanted;
	(void)made;
	(void)gpa;
	(void)buffer;
	(void)sentence;
	return 0;
}

static const struct axvm_boot_block block = { .gpa = RAM + 0xe0000,
					      .bytes = 0xf000,
					      .make = no_block };

static void begin_with_block(void)
{
	begin();
	platform.fdt_machine = NULL;
	platform.boot_block = &block;
	config.kernel.has_load = true;
	config.kernel.load = axvm_gpa(RAM + 32 * MIB);
}

TEST(a_boot_block_goes_where_the_platform_has_it)
{
	begin_with_block();
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.boot_gpa, RAM + 0xe0000);
	CHECK_EQ(plan.boot_bytes, 0xf000);
	CHECK_EQ(plan.dtb_bytes, 0);
	platform.boot_block = NULL;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.boot_gpa, 0);
	CHECK_EQ(plan.boot_bytes, 0);
}

TEST(a_boot_block_whose_place_is_taken_goes_above_the_kernel)
{
	begin_with_block();
	config.bios = (struct axvm_config_image){ .path = "bios" };
	set_load(&config.bios, RAM + 0xee000);
	blobs.bios = (struct axvm_blob){ other, 0x1000 };
	give_initrd(0x2000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.boot_gpa, RAM + 32 * MIB + 0x2400000);
	CHECK_EQ(plan.initrd_gpa, RAM + 32 * MIB + 0x2410000);
	set_load(&config.bios, RAM + 0xef000);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.boot_gpa, RAM + 0xe0000);
	memory[0].gpa = axvm_gpa(RAM + MIB);
	set_load(&config.bios, RAM + 2 * MIB);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.boot_gpa, RAM + 32 * MIB + 0x2400000);
}

TEST(an_initrd_is_not_put_where_a_bzimage_moves_itself)
{
	static uint8_t image[0x1000];

	begin_with_block();
	platform.isa = AXVM_ISA_X86_64;
	platform.name = "x86_64";
	image[0x1f1] = 3;
	memcpy(&image[0x1fe], "\x55\xaa", 2);
	memcpy(&image[0x202], "HdrS\x0f\x02", 6);
	image[0x211] = 1;
	image[0x234] = 1;
	image[0x236] = 1;
	image[0x25b] = (RAM >> 24) + 1; /* prefers 16 MiB from there */
	image[0x262] = 0x50;		/* and takes 5 MiB */
	blobs.kernel = (struct axvm_blob){ image, sizeof(image) };
	give_initrd(0x2000);
	set_load(&config.kernel, RAM + 2 * MIB);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.kernel_gpa, RAM + 2 * MIB);
	CHECK_EQ(plan.entry, RAM + 2 * MIB + 0x200);
	CHECK_EQ(plan.initrd_gpa, RAM + 21 * MIB);
	set_load(&config.kernel, RAM + 20 * MIB);
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(plan.initrd_gpa, RAM + 25 * MIB);
	memory[0].bytes = 20 * MIB;
	set_load(&config.kernel, RAM + 2 * MIB);
	CHECK_EQ(make(), AXVM_ERANGE);
}

AXTEST_MAIN(a_boot_block_goes_where_the_platform_has_it,
	    a_boot_block_whose_place_is_taken_goes_above_the_kernel,
	    an_initrd_is_not_put_where_a_bzimage_moves_itself,
	    a_file_without_addresses_gets_a_linux_layout,
	    on_riscv64_the_others_go_beyond_the_two_mebibytes_where_the_kernel_ends,
	    text_offset_is_honoured, configured_addresses_are_honoured,
	    what_is_open_goes_around_what_is_fixed, images_may_lie_in_other_regions_of_memory,
	    identical_memory_has_its_device_tree_at_its_end_whatever_the_file_says,
	    the_room_of_the_device_tree_covers_the_users_own_and_the_command_line,
	    a_platform_without_a_device_tree_gets_one_only_from_the_user,
	    a_raw_image_goes_to_its_address_and_starts_there, an_elf_file_goes_where_it_is_linked,
	    a_position_independent_elf_file_goes_where_the_file_says,
	    a_compressed_kernel_is_planned_with_the_size_it_has_in_memory,
	    firmware_alone_starts_the_vm, too_little_memory_is_said_with_what_would_do,
	    an_address_outside_of_memory_is_refused, overlaps_are_refused_with_both_ranges,
	    a_kernel_of_another_isa_is_named, misaligned_addresses_are_refused,
	    the_initrd_must_be_near_the_kernel, files_that_are_named_but_not_there_are_named,
	    what_is_wrong_with_the_image_is_passed_on,
	    a_device_tree_beyond_two_mebibytes_is_refused,
	    extreme_numbers_never_make_a_plan_outside_of_memory)
