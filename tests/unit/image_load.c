/* SPDX-License-Identifier: Apache-2.0 */
/* How images get into guest memory (src/image_load.c, src/inflate.c). */
#include <string.h>

#include "axtest.h"
#include "gzip_sample.h"
#include "image_samples.h"
#include "pte_format.h"
#include "sim.h"
#include "vm_state.h"

static const struct axvm_blob sample = { .data = gzip_sample, .bytes = sizeof(gzip_sample) };

#define RAM_BASE 0x40000000u
#define RAM_BYTES 0x200000u

static struct axvm_vm vm;
static struct axvm_plan plan;
static char why[AXVM_WHY_BYTES];
static struct axvm_hpa pages[RAM_BYTES / AXVM_PAGE_BYTES];
static uint8_t ram[RAM_BYTES];

/* RAM in single pages that lie backwards in host memory, filled with rubbish. */
static void begin_load(struct axvm_blob kernel, uint64_t kernel_gpa)
{
	axvm_sim_reset(NULL);
	memset(&vm, 0, sizeof(vm));
	memset(&plan, 0, sizeof(plan));
	memset(why, 0, sizeof(why));
	vm.budget.limit_pages = 64;
	REQUIRE_EQ(axvm_aspace_init(&vm.aspace, axvm_arch_pte_formats[0], 1, &vm.budget), 0);

	struct axvm_hpa host;
	const uint64_t count = RAM_BYTES / AXVM_PAGE_BYTES;

	REQUIRE_EQ(axvm_hal_alloc_pages(count, AXVM_PAGE_BYTES, &host), 0);
	memset(axvm_hal_map(host, RAM_BYTES), 0xee, RAM_BYTES);
	for (uint64_t i = 0; i < count; i++) {
		pages[i] = axvm_hpa(host.addr + (count - 1 - i) * AXVM_PAGE_BYTES);
		REQUIRE_EQ(axvm_aspace_map(&vm.aspace, axvm_gpa(RAM_BASE + i * AXVM_PAGE_BYTES),
					   pages[i], AXVM_PAGE_BYTES, AXVM_MAP_RWX),
			   0);
	}
	const char *sentence;

	REQUIRE_EQ(axvm_image_probe(kernel, &plan.kernel, &sentence), 0);
	plan.kernel_gpa = kernel_gpa;
	vm.params.kernel = kernel;
}

static void read_ram(void)
{
	for (uint64_t i = 0; i < RAM_BYTES / AXVM_PAGE_BYTES; i++)
		memcpy(&ram[i * AXVM_PAGE_BYTES], axvm_hal_map(pages[i], AXVM_PAGE_BYTES),
		       AXVM_PAGE_BYTES);
}

/* Whether [at, at + bytes) of RAM still holds the rubbish. */
static bool is_untouched(uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (ram[at + i] != 0xee)
			return false;
	}
	return true;
}

static bool is_zero(uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (ram[at + i] != 0)
			return false;
	}
	return true;
}

TEST(images_are_copied_to_where_the_plan_says_and_nowhere_else)
{
	struct axvm_blob image = make_arm64();

	begin_load(image, RAM_BASE + 0x80004);
	vm.params.initrd = (struct axvm_blob){ .data = gzip_sample, .bytes = 100 };
	plan.initrd_gpa = RAM_BASE + RAM_BYTES - 100;
	plan.initrd_bytes = 100;
	vm.params.bios = (struct axvm_blob){ .data = "firmware", .bytes = 8 };
	plan.bios_gpa = RAM_BASE + 0x1ffc;
	plan.bios_bytes = 8;
	REQUIRE_EQ(axvm_plan_load(&vm, &plan, why), 0);
	read_ram();
	CHECK_EQ(memcmp(&ram[0x80004], image.data, image.bytes), 0);
	CHECK_EQ(memcmp(&ram[RAM_BYTES - 100], gzip_sample, 100), 0);
	CHECK_EQ(memcmp(&ram[0x1ffc], "firmware", 8), 0);
	CHECK(is_untouched(0, 0x1ffc));
	CHECK(is_untouched(0x2004, 0x80004 - 0x2004));
	CHECK(is_untouched(0x80004 + image.bytes, RAM_BYTES - 100 - 0x80004 - image.bytes));
	CHECK_EQ(axvm_sim_cleaned_bytes(), image.bytes + 108);
}

TEST(elf_segments_are_placed_and_the_rest_of_their_memory_is_zeroed)
{
	struct axvm_blob image = make_elf();

	begin_load(image, 0x40080000);
	REQUIRE_EQ(axvm_plan_load(&vm, &plan, why), 0);
	read_ram();
	CHECK_EQ(memcmp(&ram[0x80000], &file[0x1000], 0x1000), 0);
	CHECK_EQ(memcmp(&ram[0x90000], &file[0x2000], 0x800), 0);
	CHECK(is_zero(0x90800, 0x2800));
	CHECK(is_untouched(0, 0x80000));
	CHECK(is_untouched(0x81000, 0xf000));
	CHECK(is_untouched(0x93000, RAM_BYTES - 0x93000));
}

TEST(of_a_bzimage_only_what_is_behind_the_setup_part_is_loaded)
{
	begin_load(make_bzimage(), RAM_BASE + 0x100000);
	REQUIRE_EQ(axvm_plan_load(&vm, &plan, why), 0);
	read_ram();
	CHECK_EQ(memcmp(&ram[0x100000], &file[0x800], 0x800), 0);
	CHECK(is_untouched(0x100800, 0x1000));
}

TEST(a_compressed_image_is_inflated_into_guest_memory)
{
	static uint8_t plain[GZIP_SAMPLE_PLAIN_BYTES];

	gzip_sample_plain(plain);
	begin_load(sample, RAM_BASE);

	uint64_t used = axvm_sim_used_pages();

	REQUIRE_EQ(axvm_plan_load(&vm, &plan, why), 0);
	read_ram();
	CHECK_EQ(memcmp(ram, plain, sizeof(plain)), 0);
	CHECK(is_untouched(sizeof(plain), RAM_BYTES - sizeof(plain)));
	CHECK_EQ(axvm_sim_used_pages(), used);
}

static void check_load_refused(struct axvm_blob kernel, int error, const char *expected)
{
	uint64_t used = axvm_sim_used_pages();

	vm.params.kernel = kernel;
	CHECK_EQ(axvm_plan_load(&vm, &plan, why), error);
	CHECK_STR_EQ(why, expected);
	CHECK_EQ(axvm_sim_used_pages(), used);
}

#define DAMAGED                                                                               \
	"kernel: loading it at 0x40000000 failed: the gzip file is damaged, cut short or of " \
	"another size than its trailer says"

TEST(what_inflates_to_more_or_less_than_planned_is_refused_and_stays_in_its_place)
{
	begin_load(sample, RAM_BASE);
	plan.kernel.file_bytes = 0x11000;
	plan.kernel.segments[0].file_bytes = 0x11000;
	plan.kernel.segments[0].memory_bytes = 0x11000;
	check_load_refused(sample, AXVM_EFORMAT, DAMAGED);
	read_ram();
	CHECK(is_untouched(0x11000, RAM_BYTES - 0x11000));
	plan.kernel.file_bytes = GZIP_SAMPLE_PLAIN_BYTES + 1;
	check_load_refused(sample, AXVM_EFORMAT, DAMAGED);
}

/* Each byte of the gzip file inverted, and each length: loaded right or refused. */
TEST(damaged_gzip_files_are_never_loaded_as_if_they_were_right)
{
	static uint8_t plain[GZIP_SAMPLE_PLAIN_BYTES];
	unsigned accepted = 0;

	gzip_sample_plain(plain);
	begin_load(sample, RAM_BASE);
	vm.params.kernel = blob(sizeof(gzip_sample));
	for (unsigned i = 0; i < sizeof(gzip_sample); i++) {
		memcpy(file, gzip_sample, sizeof(gzip_sample));
		file[i] ^= 0xff;
		if (axvm_plan_load(&vm, &plan, why) == 0) {
			accepted++;
			read_ram();
			CHECK_EQ(memcmp(ram, plain, sizeof(plain)), 0);
		}
	}
	CHECK(accepted <= 6); /* the header's time, system and level alone may change */
	for (uint64_t bytes = 0; bytes < sizeof(gzip_sample); bytes++) {
		vm.params.kernel = (struct axvm_blob){ .data = gzip_sample, .bytes = bytes };
		CHECK_EQ(axvm_plan_load(&vm, &plan, why), AXVM_EFORMAT);
	}
	read_ram();
	CHECK(is_untouched(sizeof(plain), RAM_BYTES - sizeof(plain)));
}

TEST(a_place_that_is_not_mapped_is_refused)
{
	struct axvm_blob image = make_arm64();

	begin_load(image, RAM_BASE + RAM_BYTES - 0x1000);
	check_load_refused(image, AXVM_EFAULT,
			   "kernel: loading it at 0x401ff000 failed: a guest address that is not "
			   "backed by memory with these rights");
	plan.kernel_gpa = RAM_BASE;
	vm.params.initrd = image;
	plan.initrd_gpa = 0x1000;
	plan.initrd_bytes = image.bytes;
	check_load_refused(image, AXVM_EFAULT,
			   "initrd: loading it at 0x1000 failed: a guest address that is not "
			   "backed by memory with these rights");
	plan.initrd_bytes = 0;
	vm.params.bios = image;
	plan.bios_gpa = 0x2000;
	plan.bios_bytes = image.bytes;
	check_load_refused(image, AXVM_EFAULT,
			   "bios: loading it at 0x2000 failed: a guest address that is not "
			   "backed by memory with these rights");
	CHECK_EQ(axvm_plan_load(&vm, &plan, NULL), AXVM_EFAULT);
}

TEST(without_memory_to_inflate_the_load_says_so)
{
	begin_load(sample, RAM_BASE);
	axvm_sim_fail_allocation_after(0);
	check_load_refused(sample, AXVM_ENOMEM,
			   "kernel: loading it at 0x40000000 failed: no memory left, in the host "
			   "or in the VM's budget");
}

AXTEST_MAIN(images_are_copied_to_where_the_plan_says_and_nowhere_else,
	    elf_segments_are_placed_and_the_rest_of_their_memory_is_zeroed,
	    of_a_bzimage_only_what_is_behind_the_setup_part_is_loaded,
	    a_compressed_image_is_inflated_into_guest_memory,
	    what_inflates_to_more_or_less_than_planned_is_refused_and_stays_in_its_place,
	    damaged_gzip_files_are_never_loaded_as_if_they_were_right,
	    a_place_that_is_not_mapped_is_refused, without_memory_to_inflate_the_load_says_so)
