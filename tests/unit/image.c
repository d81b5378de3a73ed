/* SPDX-License-Identifier: Apache-2.0 */
/* What an image is (src/image.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axtest.h"
#include "gzip_sample.h"
#include "image_samples.h"
#include "sim.h"

#define MIB ((uint64_t)1 << 20)

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

/* Its end is where the jump over it goes; no zero page has room for more than 159 bytes. */
TEST(the_setup_header_of_a_bzimage_is_kept_as_far_as_it_can_be_true)
{
	struct axvm_blob image = make_bzimage();

	put(0x201, 0x6a, 1);
	put(0x26b, 0x77, 1);
	put(0x28f, 0x99, 1);
	REQUIRE_EQ(probe(image), 0);
	CHECK_EQ(info.setup_bytes, 0x202 + 0x6a - 0x1f1);
	CHECK_EQ(info.setup[0], 3);
	CHECK_EQ(info.setup[0x26b - 0x1f1], 0x77);
	CHECK(memcmp(&info.setup[0x11], "HdrS", 4) == 0);
	put(0x201, 0, 1);
	REQUIRE_EQ(probe(image), 0);
	CHECK_EQ(info.setup_bytes, 0x264 - 0x1f1);
	put(0x201, 0xff, 1);
	REQUIRE_EQ(probe(image), 0);
	CHECK_EQ(info.setup_bytes, 0x290 - 0x1f1);
	CHECK_EQ(info.setup[0x28f - 0x1f1], 0x99);
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
/* The sample's PT_NOTE gets two notes at 0x1900: another one of Xen's, and the entry 0x40080100. */
static struct axvm_blob make_pvh(void)
{
	static const uint8_t notes[] = { 4, 0,	 0,   0,   8,	0,   0, 0,    6,    0,	  0,
					 0, 'X', 'e', 'n', 0,	1,   2, 3,    4,    5,	  6,
					 7, 8,	 4,   0,   0,	0,   4, 0,    0,    0,	  18,
					 0, 0,	 0,   'X', 'e', 'n', 0, 0x00, 0x01, 0x08, 0x40 };
	struct axvm_blob image = make_elf();
	uint64_t at = SAMPLE_PHOFF + SAMPLE_PH_BYTES;

	memcpy(&file[0x1900], notes, sizeof(notes));
	put(at + 8, 0x1900, 8);
	put(at + 32, sizeof(notes), 8);
	return image;
}

TEST(a_pvh_note_gives_an_elf_file_a_second_entry)
{
	REQUIRE_EQ(probe(make_elf()), 0);
	CHECK(!info.has_pvh);
	REQUIRE_EQ(probe(make_pvh()), 0);
	CHECK(info.has_pvh);
	CHECK_EQ(info.pvh_entry, 0x100);
	CHECK_EQ(info.entry, 0x40);
}

TEST(a_pvh_note_that_cannot_be_true_is_no_note)
{
	const uint64_t header = SAMPLE_PHOFF + SAMPLE_PH_BYTES;
	static const struct {
		uint64_t at, value;
		unsigned bytes;
	} changes[] = {
		{ 0x1900, UINT32_MAX, 4 }, /* a name as long as can be said */
		{ 0x1904, UINT32_MAX, 4 }, /* a descriptor */
		{ 0x1918, 5, 4 },	   /* "Xen" is not its name */
		{ 0x191c, 5, 4 },	   /* runs into what is not there */
		{ 0x191c, 0, 4 },	   /* has no entry */
		{ 0x1920, 19, 4 },	   /* another type */
		{ 0x1924, 0x6e6558ff, 4 }, /* another name */
		{ 0x1928, 0x4007ffff, 4 }, /* below the image */
		{ 0x1928, 0x40093000, 4 }, /* above it */
	};

	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct axvm_blob image = make_pvh();

		put(changes[i].at, changes[i].value, changes[i].bytes);
		REQUIRE_EQ(probe(image), 0);
		CHECK(!info.has_pvh);
	}
	for (uint64_t bytes = 0; bytes < 44; bytes++) {
		struct axvm_blob image = make_pvh();

		put(header + 32, bytes, 8);
		REQUIRE_EQ(probe(image), 0);
		CHECK(!info.has_pvh);
	}

	struct axvm_blob image = make_pvh();

	put(header + 8, UINT64_MAX - 8, 8);
	REQUIRE_EQ(probe(image), 0);
	CHECK(!info.has_pvh);
	put(header + 8, 0x2800 - 43, 8);
	REQUIRE_EQ(probe(image), 0);
	CHECK(!info.has_pvh);
}

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
		{ SAMPLE_PHOFF + 8, 0x2000, 8, NULL },
		{ SAMPLE_PHOFF + 8, 0x1801, 8, "an ELF segment lies beyond the end of the file" },
		{ SAMPLE_PHOFF + 8, UINT64_MAX, 8,
		  "an ELF segment lies beyond the end of the file" },
		{ SAMPLE_PHOFF + 32, 0x1001, 8,
		  "an ELF segment is larger in the file than in memory" },
		{ SAMPLE_PHOFF + 24, UINT64_MAX - 0xfff, 8,
		  "an ELF segment wraps around the address space" },
		{ SAMPLE_PHOFF + 40, UINT64_MAX, 8,
		  "an ELF segment wraps around the address space" },
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
		probe_exactly(
			(struct axvm_blob){ .data = gzip_sample, .bytes = sizeof(gzip_sample) },
			bytes);
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
	    the_setup_header_of_a_bzimage_is_kept_as_far_as_it_can_be_true,
	    a_pvh_note_gives_an_elf_file_a_second_entry, a_pvh_note_that_cannot_be_true_is_no_note,
	    a_bzimage_without_a_64_bit_entry_is_refused, an_elf_file_is_described_by_its_segments,
	    a_wrong_elf_file_is_refused_with_what_is_wrong,
	    more_elf_segments_than_there_is_room_for_are_refused,
	    images_cut_short_at_each_length_are_safe, images_with_random_headers_are_safe,
	    a_compressed_image_is_described_by_what_is_in_it, a_damaged_gzip_header_is_refused,
	    without_memory_to_inflate_the_probe_says_so, debians_kernels_are_recognised)
