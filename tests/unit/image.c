/* SPDX-License-Identifier: Apache-2.0 */
/* What an image is (src/image.c) and how it gets into guest memory (src/image_load.c, inflate.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axtest.h"
#include "gzip_sample.h"
#include "image.h"
#include "pte_format.h"
#include "sim.h"
#include "vm_state.h"

#define MIB ((uint64_t)1 << 20)

/* ---- making images -------------------------------------------------------------------------- */

static uint8_t file[0x4000];

static void put(uint64_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		file[at + i] = (uint8_t)(value >> (8 * i));
}

static void fill(uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++)
		file[at + i] = (uint8_t)(i * 7 + (i >> 8) + 1);
}

static struct axvm_blob blob(uint64_t bytes)
{
	return (struct axvm_blob){ .data = file, .bytes = bytes };
}

static struct axvm_blob make_arm64(void)
{
	memset(file, 0, sizeof(file));
	fill(64, 0x1000);
	put(8, 0x80000, 8);
	put(16, 0x24000, 8);
	put(24, 0xa, 8);
	memcpy(&file[56], "ARM\x64", 4);
	return blob(0x1040);
}

static struct axvm_blob make_riscv(void)
{
	memset(file, 0, sizeof(file));
	put(8, 0x200000, 8);
	put(16, 0x30000, 8);
	memcpy(&file[48], "RISCV\0\0\0", 8);
	memcpy(&file[56], "RSC\x05", 4);
	return blob(0x1000);
}

static struct axvm_blob make_bzimage(void)
{
	memset(file, 0, sizeof(file));
	put(0x1f1, 3, 1);
	memcpy(&file[0x1fe], "\x55\xaa", 2);
	memcpy(&file[0x202], "HdrS", 4);
	put(0x206, 0x20f, 2);
	put(0x211, 1, 1);
	put(0x234, 1, 1);
	put(0x236, 1, 2);
	put(0x258, 0x1000000, 8);
	put(0x260, 0x500000, 4);
	fill(0x800, 0x800);
	return blob(0x1000);
}

enum { PHOFF = 64, PH_BYTES = 56 };

static void put_segment(unsigned index, uint64_t offset, uint64_t vaddr, uint64_t paddr,
			uint64_t file_bytes, uint64_t memory_bytes)
{
	uint64_t at = PHOFF + index * PH_BYTES;

	put(at, 1, 4);
	put(at + 8, offset, 8);
	put(at + 16, vaddr, 8);
	put(at + 24, paddr, 8);
	put(at + 32, file_bytes, 8);
	put(at + 40, memory_bytes, 8);
}

/* Text at 0x40080000 (linked at 0xffff000000080000), data with .bss at 0x40090000; a note. */
static struct axvm_blob make_elf(void)
{
	memset(file, 0, sizeof(file));
	memcpy(file, "\x7f" "ELF\x02\x01\x01", 7);
	put(16, 2, 2);
	put(18, 183, 2);
	put(24, 0xffff000000080040, 8);
	put(32, PHOFF, 8);
	put(54, PH_BYTES, 2);
	put(56, 3, 2);
	put_segment(0, 0x1000, 0xffff000000080000, 0x40080000, 0x1000, 0x1000);
	put(PHOFF + PH_BYTES, 4, 4); /* PT_NOTE: not to be loaded */
	put_segment(2, 0x2000, 0xffff000000090000, 0x40090000, 0x800, 0x3000);
	fill(0x1000, 0x1800);
	return blob(0x2800);
}

/* ---- probing -------------------------------------------------------------------------------- */

static struct axvm_image_info info;
static const char *sentence;

static int probe(struct axvm_blob image)
{
	sentence = NULL;
	return axvm_image_probe(image, &info, &sentence);
}

/* Refused, with this sentence, and nothing written. */
static void check_refused(struct axvm_blob image, const char *expected)
{
	memset(&info, 0x5a, sizeof(info));
	CHECK_EQ(probe(image), AXVM_EFORMAT);
	CHECK(sentence != NULL);
	if (sentence)
		CHECK_STR_EQ(sentence, expected);
	CHECK_EQ(info.file_bytes, 0x5a5a5a5a5a5a5a5a);
}

TEST(what_has_no_magic_is_raw)
{
	memset(file, 0, sizeof(file));
	REQUIRE_EQ(probe(blob(1)), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_RAW);
	CHECK(!info.isa_known);
	CHECK(!info.compressed);
	CHECK_EQ(info.file_bytes, 1);
	CHECK_EQ(info.image_bytes, 1);
	CHECK_EQ(info.segment_count, 1);
	CHECK_EQ(info.segments[0].file_bytes, 1);
	check_refused(blob(0), "the file is empty");
}

TEST(an_arm64_image_is_described_by_its_header)
{
	REQUIRE_EQ(probe(make_arm64()), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_ARM64);
	CHECK(info.isa_known);
	CHECK_EQ(info.isa, AXVM_ISA_AARCH64);
	CHECK_EQ(info.file_bytes, 0x1040);
	CHECK_EQ(info.image_bytes, 0x24000);
	CHECK_EQ(info.text_offset, 0x80000);
	CHECK_EQ(info.entry, 0);
	CHECK(!info.fixed);
	CHECK_EQ(info.segments[0].file_offset, 0);
	CHECK_EQ(info.segments[0].file_bytes, 0x1040);
	CHECK_EQ(info.segments[0].memory_bytes, 0x1040);

	put(16, 0x10, 8); /* shorter than the file: what follows is loaded too */
	REQUIRE_EQ(probe(blob(0x1040)), 0);
	CHECK_EQ(info.image_bytes, 0x1040);
	put(16, 0, 8); /* before Linux 3.17 */
	put(8, 0, 8);
	REQUIRE_EQ(probe(blob(0x1040)), 0);
	CHECK_EQ(info.text_offset, 0x80000);
}

TEST(a_linux_image_that_cannot_be_placed_is_refused)
{
	struct axvm_blob image = make_arm64();

	put(8, 2 * MIB + 0x1000, 8);
	check_refused(image, "text_offset of the Linux Image is no page below 2 MiB");
	put(8, 0x123, 8);
	check_refused(image, "text_offset of the Linux Image is no page below 2 MiB");
	put(8, UINT64_MAX, 8);
	check_refused(image, "text_offset of the Linux Image is no page below 2 MiB");
	(void)make_arm64();
	put(24, 0xb, 8);
	check_refused(image, "a big-endian kernel; only little-endian ones can be run");
	(void)make_arm64();
	check_refused(blob(60), "the Linux Image header is cut short");
}

TEST(a_riscv_image_is_described_by_its_header)
{
	REQUIRE_EQ(probe(make_riscv()), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_RISCV);
	CHECK_EQ(info.isa, AXVM_ISA_RISCV64);
	CHECK_EQ(info.text_offset, 2 * MIB);
	CHECK_EQ(info.image_bytes, 0x30000);
	file[48] = 'r'; /* the second magic alone is none */
	REQUIRE_EQ(probe(blob(0x1000)), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_RAW);
}

TEST(a_bzimage_is_described_by_its_header)
{
	REQUIRE_EQ(probe(make_bzimage()), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_BZIMAGE);
	CHECK_EQ(info.isa, AXVM_ISA_X86_64);
	CHECK_EQ(info.load, 0x1000000);
	CHECK_EQ(info.image_bytes, 0x500000);
	CHECK_EQ(info.entry, 0x200);
	CHECK(!info.fixed);
	CHECK_EQ(info.segments[0].file_offset, 0x800);
	CHECK_EQ(info.segments[0].file_bytes, 0x800);
	put(0x234, 0, 1);
	REQUIRE_EQ(probe(blob(0x1000)), 0);
	CHECK(info.fixed);
	put(0x1f1, 0, 1); /* means 4 */
	REQUIRE_EQ(probe(blob(0x1000)), 0);
	CHECK_EQ(info.segments[0].file_offset, 0xa00);
}

TEST(a_bzimage_without_a_64_bit_entry_is_refused)
{
	static const char *const why = "the bzImage has no 64-bit entry (boot protocol 2.12)";
	struct axvm_blob image = make_bzimage();

	put(0x206, 0x20b, 2);
	check_refused(image, why);
	(void)make_bzimage();
	put(0x211, 0, 1);
	check_refused(image, why);
	(void)make_bzimage();
	put(0x236, 0, 2);
	check_refused(image, why);
	(void)make_bzimage();
	put(0x1f1, 7, 1);
	check_refused(image, "the bzImage ends within its setup part");
	check_refused(blob(0x263), "the bzImage header is cut short");
}

TEST(an_elf_file_is_described_by_its_segments)
{
	REQUIRE_EQ(probe(make_elf()), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_ELF);
	CHECK_EQ(info.isa, AXVM_ISA_AARCH64);
	CHECK(info.fixed);
	CHECK_EQ(info.load, 0x40080000);
	CHECK_EQ(info.image_bytes, 0x13000);
	CHECK_EQ(info.entry, 0x40); /* the virtual entry, in physical terms */
	CHECK_EQ(info.segment_count, 2);
	CHECK_EQ(info.segments[0].offset, 0);
	CHECK_EQ(info.segments[1].offset, 0x10000);
	CHECK_EQ(info.segments[1].file_offset, 0x2000);
	CHECK_EQ(info.segments[1].file_bytes, 0x800);
	CHECK_EQ(info.segments[1].memory_bytes, 0x3000);

	put(24, 0x40090010, 8); /* a physical entry */
	put(16, 3, 2);
	put(18, 243, 2);
	REQUIRE_EQ(probe(blob(0x2800)), 0);
	CHECK_EQ(info.entry, 0x10010);
	CHECK_EQ(info.isa, AXVM_ISA_RISCV64);
	CHECK(!info.fixed);
	put(18, 62, 2);
	REQUIRE_EQ(probe(blob(0x2800)), 0);
	CHECK_EQ(info.isa, AXVM_ISA_X86_64);
}

/* One field wrong each. */
TEST(a_wrong_elf_file_is_refused_with_what_is_wrong)
{
	static const struct {
		uint64_t at, value;
		unsigned bytes;
		const char *why;
	} wrongs[] = {
		{ 4, 1, 1, "the ELF file is not a 64-bit little-endian one" },
		{ 5, 2, 1, "the ELF file is not a 64-bit little-endian one" },
		{ 16, 1, 2, "the ELF file is not an executable" },
		{ 18, 40, 2, "an ELF file for a machine other than aarch64, riscv64 and x86_64" },
		{ 54, 32, 2, "the ELF program headers have an unknown size" },
		{ 32, 0x2800, 8, "the ELF program headers are cut short" },
		{ 32, UINT64_MAX - 8, 8, "the ELF program headers are cut short" },
		{ 56, 0xffff, 2, "the ELF program headers are cut short" },
		{ 56, 0, 2, "the ELF file has nothing to load" },
		{ 24, 0, 8, "the ELF entry point lies in no segment" },
		{ 24, UINT64_MAX, 8, "the ELF entry point lies in no segment" },
		{ PHOFF + 8, 0x2000, 8, NULL },
		{ PHOFF + 8, 0x1801, 8, "an ELF segment lies beyond the end of the file" },
		{ PHOFF + 8, UINT64_MAX, 8, "an ELF segment lies beyond the end of the file" },
		{ PHOFF + 32, 0x1001, 8, "an ELF segment is larger in the file than in memory" },
		{ PHOFF + 24, UINT64_MAX - 0xfff, 8, "an ELF segment wraps around the address space" },
		{ PHOFF + 40, UINT64_MAX, 8, "an ELF segment wraps around the address space" },
	};

	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct axvm_blob image = make_elf();

		put(wrongs[i].at, wrongs[i].value, wrongs[i].bytes);
		if (i == 11) /* so that the one after it is the last that is beyond */
			image.bytes = 0x3000;
		if (wrongs[i].why)
			check_refused(image, wrongs[i].why);
		else
			CHECK_EQ(probe(image), 0);
	}
}

TEST(more_elf_segments_than_there_is_room_for_are_refused)
{
	struct axvm_blob image = make_elf();

	for (unsigned i = 0; i < AXVM_IMAGE_SEGMENTS_MAX + 1; i++)
		put_segment(i, 0x2000, 0, 0x1000u * i, 1, 1);
	put(24, 0, 8);
	put(56, AXVM_IMAGE_SEGMENTS_MAX, 2);
	CHECK_EQ(probe(image), 0);
	CHECK_EQ(info.segment_count, AXVM_IMAGE_SEGMENTS_MAX);
	put(56, AXVM_IMAGE_SEGMENTS_MAX + 1, 2);
	check_refused(image, "the ELF file has more than 16 segments to load");
}

/* What a probe accepted describes only bytes that are in the file and an end that does not wrap. */
static void check_sane(uint64_t bytes)
{
	for (uint32_t i = 0; i < info.segment_count; i++) {
		const struct axvm_image_segment *segment = &info.segments[i];

		CHECK(axvm_range_contains(0, bytes, segment->file_offset, segment->file_bytes));
		CHECK(segment->file_bytes <= segment->memory_bytes);
		CHECK(axvm_range_contains(0, info.image_bytes, segment->offset,
					  segment->memory_bytes));
	}
	CHECK(info.segment_count > 0);
	CHECK(info.image_bytes > 0);
}

/* In memory of exactly that size, so that the sanitizer sees a read beyond it. */
static void probe_exactly(struct axvm_blob image, uint64_t bytes)
{
	uint8_t *copy = malloc(bytes + (bytes == 0));

	memcpy(copy, image.data, bytes);
	if (probe((struct axvm_blob){ .data = copy, .bytes = bytes }) == 0)
		check_sane(info.file_bytes);
	else
		CHECK(sentence != NULL);
	free(copy);
}

static struct axvm_blob make_kind(unsigned kind)
{
	struct axvm_blob (*const makers[])(void) = { make_arm64, make_riscv, make_bzimage,
						     make_elf };

	return makers[kind]();
}

TEST(images_cut_short_at_each_length_are_safe)
{
	axvm_sim_reset(NULL);
	for (unsigned kind = 0; kind < 4; kind++) {
		struct axvm_blob image = make_kind(kind);

		for (uint64_t bytes = 0; bytes <= image.bytes; bytes += bytes < 0x300 ? 1 : 0x7f)
			probe_exactly(image, bytes);
	}
	for (uint64_t bytes = 0; bytes <= sizeof(gzip_sample); bytes++)
		probe_exactly((struct axvm_blob){ .data = gzip_sample,
						  .bytes = sizeof(gzip_sample) }, bytes);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(images_with_random_headers_are_safe)
{
	uint64_t random = 1;

	axvm_sim_reset(NULL);
	for (unsigned round = 0; round < 20000; round++) {
		struct axvm_blob image = make_kind(round % 4);

		for (unsigned change = 0; change < 4; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			put(random >> 32 & 0x3f, random >> 56, 1);
			put(random >> 20 & 0x2ff, round & 1 ? 0xff : random >> 40, 1);
		}
		probe_exactly(image, image.bytes);
	}
}

/* ---- gzip ----------------------------------------------------------------------------------- */

static const struct axvm_blob sample = { .data = gzip_sample, .bytes = sizeof(gzip_sample) };

TEST(a_compressed_image_is_described_by_what_is_in_it)
{
	axvm_sim_reset(NULL);
	REQUIRE_EQ(probe(sample), 0);
	CHECK_EQ(info.kind, AXVM_IMAGE_ARM64);
	CHECK(info.compressed);
	CHECK_EQ(info.file_bytes, GZIP_SAMPLE_PLAIN_BYTES);
	CHECK_EQ(info.image_bytes, GZIP_SAMPLE_IMAGE_BYTES);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
}

TEST(a_damaged_gzip_header_is_refused)
{
	axvm_sim_reset(NULL);
	memcpy(file, gzip_sample, sizeof(gzip_sample));
	file[3] = 0xff;
	check_refused(blob(sizeof(gzip_sample)), "the gzip file is damaged or cut short");
	check_refused((struct axvm_blob){ .data = gzip_sample, .bytes = 17 },
		      "the gzip file is cut short");
	memcpy(file, gzip_sample, sizeof(gzip_sample));
	memset(&file[sizeof(gzip_sample) - 4], 0, 4);
	check_refused(blob(sizeof(gzip_sample)),
		      "the size in the gzip file's trailer is wrong: cut short?");
}

TEST(without_memory_to_inflate_the_probe_says_so)
{
	axvm_sim_reset(NULL);
	axvm_sim_fail_allocation_after(0);
	CHECK_EQ(probe(sample), AXVM_ENOMEM);
	CHECK_STR_EQ(sentence, "no memory to inflate the gzip file");
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

/* ---- loading -------------------------------------------------------------------------------- */

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
					   pages[i], AXVM_PAGE_BYTES, AXVM_MAP_RWX), 0);
	}
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

#define DAMAGED "kernel: loading it at 0x40000000 failed: the gzip file is damaged, cut short or of " \
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

/* ---- the kernels that guests run ------------------------------------------------------------ */

/* The file at the top of the tree, from there or from build/<folder>. */
static uint64_t read_guest(const char *path, uint8_t *buffer, uint64_t bytes)
{
	static const char *const tops[] = { "", "../../", "../../../../" };

	for (unsigned i = 0; i < 3; i++) {
		char full[128];

		snprintf(full, sizeof(full), "%s%s", tops[i], path);
		FILE *stream = fopen(full, "rb");

		if (!stream)
			continue;
		uint64_t got = fread(buffer, 1, bytes, stream);

		fclose(stream);
		return got;
	}
	return 0;
}

TEST(debians_kernels_are_recognised)
{
	static const struct {
		const char *path;
		enum axvm_image_kind kind;
		uint64_t text_offset;
	} kernels[] = {
		{ "guests/aarch64/Image", AXVM_IMAGE_ARM64, 0 },
		{ "guests/riscv64/Image", AXVM_IMAGE_RISCV, 2 * MIB },
		{ "guests/x86_64/bzImage", AXVM_IMAGE_BZIMAGE, 0 },
	};
	unsigned found = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint8_t *whole = malloc(64 * MIB);
		uint64_t bytes = read_guest(kernels[i].path, whole, 64 * MIB);

		if (bytes == 0) {
			free(whole);
			continue;
		}
		found++;
		CHECK_EQ(probe((struct axvm_blob){ .data = whole, .bytes = bytes }), 0);
		CHECK_EQ(info.kind, kernels[i].kind);
		CHECK_EQ(info.text_offset, kernels[i].text_offset);
		CHECK(info.image_bytes >= 8 * MIB && info.image_bytes < 128 * MIB);
		check_sane(bytes);
		free(whole);
	}
	if (found == 0)
		SKIP("no kernels in guests/: make guests");
}

AXTEST_MAIN(what_has_no_magic_is_raw, an_arm64_image_is_described_by_its_header,
	    a_linux_image_that_cannot_be_placed_is_refused,
	    a_riscv_image_is_described_by_its_header, a_bzimage_is_described_by_its_header,
	    a_bzimage_without_a_64_bit_entry_is_refused, an_elf_file_is_described_by_its_segments,
	    a_wrong_elf_file_is_refused_with_what_is_wrong,
	    more_elf_segments_than_there_is_room_for_are_refused,
	    images_cut_short_at_each_length_are_safe, images_with_random_headers_are_safe,
	    a_compressed_image_is_described_by_what_is_in_it, a_damaged_gzip_header_is_refused,
	    without_memory_to_inflate_the_probe_says_so,
	    images_are_copied_to_where_the_plan_says_and_nowhere_else,
	    elf_segments_are_placed_and_the_rest_of_their_memory_is_zeroed,
	    of_a_bzimage_only_what_is_behind_the_setup_part_is_loaded,
	    a_compressed_image_is_inflated_into_guest_memory,
	    what_inflates_to_more_or_less_than_planned_is_refused_and_stays_in_its_place,
	    damaged_gzip_files_are_never_loaded_as_if_they_were_right,
	    a_place_that_is_not_mapped_is_refused, without_memory_to_inflate_the_load_says_so,
	    debians_kernels_are_recognised)
