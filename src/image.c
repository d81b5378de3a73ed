// SPDX-License-Identifier: Apache-2.0
/*
 * What kind of image a file is, from its header. Whatever the kind, the result is a list of
 * segments, so that the loader needs to know none of the formats.
 */
#include "image.h"

#include <string.h>

#include "inflate.h"

/* The front of the uncompressed file: all of it, or what was inflated of it. */
struct head {
	const uint8_t *data;
	uint64_t bytes;	     /* that are here */
	uint64_t file_bytes; /* that there are */
};

/* All three ISAs are little-endian, and so are the formats. The caller has checked the bounds. */
static uint64_t field(const struct head *head, uint64_t offset, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)head->data[offset + i] << (8 * i);
	return value;
}

static bool has_bytes(const struct head *head, uint64_t offset, const void *expected,
		      uint64_t bytes)
{
	return axvm_range_contains(0, head->bytes, offset, bytes) &&
	       memcmp(head->data + offset, expected, bytes) == 0;
}

static int malformed(const char **why, const char *sentence)
{
	*why = sentence;
	return AXVM_EFORMAT;
}

static void set_one_segment(struct axvm_image_info *info, uint64_t file_offset)
{
	uint64_t bytes = info->file_bytes - file_offset;

	info->segment_count = 1;
	info->segments[0] = (struct axvm_image_segment){ .file_offset = file_offset,
							 .file_bytes = bytes,
							 .memory_bytes = bytes };
	if (info->image_bytes < bytes)
		info->image_bytes = bytes;
}

/* ---- Linux Image [LINUX-BOOT] --------------------------------------------------------------- */

enum {
	IMAGE_HEADER_BYTES = 64,
	IMAGE_TEXT_OFFSET = 8,
	IMAGE_SIZE = 16,
	IMAGE_FLAGS = 24,
	IMAGE_RISCV_MAGIC = 48,
	IMAGE_MAGIC = 56,
	IMAGE_FLAG_BIG_ENDIAN = 1 << 0,
	ARM64_LEGACY_TEXT_OFFSET = 0x80000, /* where image_size is 0, before Linux 3.17 */
};

#define IMAGE_BASE_ALIGNMENT ((uint64_t)2 << 20)

static int probe_linux(const struct head *head, struct axvm_image_info *info, const char **why)
{
	if (head->bytes < IMAGE_HEADER_BYTES)
		return malformed(why, "the Linux Image header is cut short");
	if (field(head, IMAGE_FLAGS, 8) & IMAGE_FLAG_BIG_ENDIAN)
		return malformed(why, "a big-endian kernel; only little-endian ones can be run");
	info->isa_known = true;
	info->image_bytes = field(head, IMAGE_SIZE, 8);
	info->text_offset = field(head, IMAGE_TEXT_OFFSET, 8);
	if (info->image_bytes == 0 && info->kind == AXVM_IMAGE_ARM64)
		info->text_offset = ARM64_LEGACY_TEXT_OFFSET;
	if (info->text_offset > IMAGE_BASE_ALIGNMENT || info->text_offset % AXVM_PAGE_BYTES != 0)
		return malformed(why, "text_offset of the Linux Image is no page below 2 MiB");
	set_one_segment(info, 0);
	return 0;
}

/* ---- ELF [ELF] ------------------------------------------------------------------------------ */

enum {
	ELF_CLASS = 4,
	ELF_DATA = 5,
	ELF_TYPE = 16,
	ELF_MACHINE = 18,
	ELF_ENTRY = 24,
	ELF_PHOFF = 32,
	ELF_PHENTSIZE = 54,
	ELF_PHNUM = 56,
	ELF_HEADER_BYTES = 64,
	ELF_CLASS_64 = 2,
	ELF_DATA_LITTLE = 1,
	ELF_TYPE_EXEC = 2,
	ELF_TYPE_DYN = 3,

	PH_TYPE = 0,
	PH_OFFSET = 8,
	PH_VADDR = 16,
	PH_PADDR = 24,
	PH_FILESZ = 32,
	PH_MEMSZ = 40,
	PH_BYTES = 56,
	PH_TYPE_LOAD = 1,
	PH_TYPE_NOTE = 4,

	NOTE_BYTES = 12, /* sizes of name and descriptor, type */
	NOTE_XEN_BYTES = 4,
	NOTE_PVH = 18, /* XEN_ELFNOTE_PHYS32_ENTRY */
	NOTES_MAX = 64,
};

static int elf_machine(const struct head *head, struct axvm_image_info *info, const char **why)
{
	switch (field(head, ELF_MACHINE, 2)) {
	case 183:
		info->isa = AXVM_ISA_AARCH64;
		break;
	case 243:
		info->isa = AXVM_ISA_RISCV64;
		break;
	case 62:
		info->isa = AXVM_ISA_X86_64;
		break;
	default:
		return malformed(why, "an ELF file for a machine other than aarch64, riscv64 "
				      "and x86_64");
	}
	info->isa_known = true;
	return 0;
}

/* The header proper: on success the program headers are within what is here. */
static int elf_header(const struct head *head, struct axvm_image_info *info, const char **why)
{
	if (head->bytes < ELF_HEADER_BYTES)
		return malformed(why, "the ELF header is cut short");
	if (head->data[ELF_CLASS] != ELF_CLASS_64 || head->data[ELF_DATA] != ELF_DATA_LITTLE)
		return malformed(why, "the ELF file is not a 64-bit little-endian one");

	uint64_t type = field(head, ELF_TYPE, 2);

	if (type != ELF_TYPE_EXEC && type != ELF_TYPE_DYN)
		return malformed(why, "the ELF file is not an executable");
	info->fixed = type == ELF_TYPE_EXEC;
	if (field(head, ELF_PHENTSIZE, 2) != PH_BYTES)
		return malformed(why, "the ELF program headers have an unknown size");
	if (!axvm_range_contains(0, head->bytes, field(head, ELF_PHOFF, 8),
				 field(head, ELF_PHNUM, 2) * PH_BYTES))
		return malformed(why, head->bytes < head->file_bytes
					      ? "the ELF program headers are not in the first 4 KiB"
					      : "the ELF program headers are cut short");
	return elf_machine(head, info, why);
}

/* Adds a PT_LOAD with its physical address in `offset`; info->load is the lowest so far. */
static int elf_add_segment(const struct head *head, uint64_t at, struct axvm_image_info *info,
			   const char **why)
{
	struct axvm_image_segment segment = {
		.file_offset = field(head, at + PH_OFFSET, 8),
		.file_bytes = field(head, at + PH_FILESZ, 8),
		.offset = field(head, at + PH_PADDR, 8),
		.memory_bytes = field(head, at + PH_MEMSZ, 8),
	};

	if (segment.memory_bytes == 0)
		return 0;
	if (segment.memory_bytes < segment.file_bytes)
		return malformed(why, "an ELF segment is larger in the file than in memory");
	if (!axvm_range_contains(0, head->file_bytes, segment.file_offset, segment.file_bytes))
		return malformed(why, "an ELF segment lies beyond the end of the file");
	if (segment.memory_bytes > UINT64_MAX - segment.offset)
		return malformed(why, "an ELF segment wraps around the address space");
	if (info->segment_count == AXVM_IMAGE_SEGMENTS_MAX)
		return malformed(why, "the ELF file has more than 16 segments to load");
	if (info->segment_count == 0 || segment.offset < info->load)
		info->load = segment.offset;
	info->segments[info->segment_count++] = segment;
	return 0;
}

/* The entry is a virtual address: of the segment that holds it, or already physical. */
static bool elf_find_entry(const struct head *head, struct axvm_image_info *info)
{
	uint64_t entry = field(head, ELF_ENTRY, 8);
	uint64_t phoff = field(head, ELF_PHOFF, 8);
	uint64_t count = field(head, ELF_PHNUM, 2);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = phoff + i * PH_BYTES;
		uint64_t vaddr = field(head, at + PH_VADDR, 8);

		if (field(head, at + PH_TYPE, 4) == PH_TYPE_LOAD && entry >= vaddr &&
		    entry - vaddr < field(head, at + PH_MEMSZ, 8)) {
			info->entry = entry - vaddr + field(head, at + PH_PADDR, 8) - info->load;
			return true;
		}
	}
	info->entry = entry - info->load;
	return entry >= info->load && info->entry < info->image_bytes;
}

/*
 * Takes the entry of a PVH note, if it lies in the image. Name and descriptor are padded to 4 bytes; notes
 * that are not here, or contradict themselves, are no reason to refuse a file that can do without.
 */
static void elf_note(const struct head *head, uint64_t at, uint64_t end,
		     struct axvm_image_info *info)
{
	for (unsigned i = 0; i < NOTES_MAX && end - at >= NOTE_BYTES; i++) {
		uint64_t name_bytes = (field(head, at, 4) + 3) & ~(uint64_t)3;
		uint64_t bytes = (field(head, at + 4, 4) + 3) & ~(uint64_t)3;
		uint64_t name = at + NOTE_BYTES;

		if (name_bytes > end - name || bytes > end - name - name_bytes)
			return;
		if (field(head, at + 8, 4) == NOTE_PVH && bytes >= 4 &&
		    field(head, at, 4) == NOTE_XEN_BYTES && has_bytes(head, name, "Xen", 4)) {
			uint64_t entry = field(head, name + name_bytes, 4);

			info->has_pvh =
				entry >= info->load && entry - info->load < info->image_bytes;
			info->pvh_entry = info->has_pvh ? entry - info->load : 0;
			return;
		}
		at = name + name_bytes + bytes;
	}
}

static void elf_find_pvh(const struct head *head, struct axvm_image_info *info)
{
	uint64_t phoff = field(head, ELF_PHOFF, 8);
	uint64_t count = field(head, ELF_PHNUM, 2);

	for (uint64_t i = 0; i < count && !info->has_pvh; i++) {
		uint64_t at = phoff + i * PH_BYTES;
		uint64_t offset = field(head, at + PH_OFFSET, 8);
		uint64_t bytes = field(head, at + PH_FILESZ, 8);

		if (field(head, at + PH_TYPE, 4) == PH_TYPE_NOTE &&
		    axvm_range_contains(0, head->bytes, offset, bytes))
			elf_note(head, offset, offset + bytes, info);
	}
}

static int probe_elf(const struct head *head, struct axvm_image_info *info, const char **why)
{
	int error = elf_header(head, info, why);

	if (error)
		return error;

	uint64_t phoff = field(head, ELF_PHOFF, 8);
	uint64_t count = field(head, ELF_PHNUM, 2);

	for (uint64_t i = 0; i < count && !error; i++) {
		if (field(head, phoff + i * PH_BYTES + PH_TYPE, 4) == PH_TYPE_LOAD)
			error = elf_add_segment(head, phoff + i * PH_BYTES, info, why);
	}
	if (error)
		return error;
	if (info->segment_count == 0)
		return malformed(why, "the ELF file has nothing to load");

	for (uint32_t i = 0; i < info->segment_count; i++) {
		struct axvm_image_segment *segment = &info->segments[i];

		segment->offset -= info->load;
		if (info->image_bytes < segment->offset + segment->memory_bytes)
			info->image_bytes = segment->offset + segment->memory_bytes;
	}
	if (!elf_find_entry(head, info))
		return malformed(why, "the ELF entry point lies in no segment");
	elf_find_pvh(head, info);
	return 0;
}

/* ---- bzImage: the x86 Linux boot protocol [LINUX-X86] --------------------------------------- */

enum {
	BZ_SETUP_SECTS = 0x1f1, /* the setup header's first field */
	BZ_BOOT_FLAG = 0x1fe,
	BZ_JUMP = 0x201, /* over the setup header: its end, from BZ_MAGIC on */
	BZ_MAGIC = 0x202,
	BZ_VERSION = 0x206,
	BZ_LOADFLAGS = 0x211,
	BZ_RELOCATABLE = 0x234,
	BZ_XLOADFLAGS = 0x236,
	BZ_PREF_ADDRESS = 0x258,
	BZ_INIT_SIZE = 0x260,
	BZ_HEADER_BYTES = 0x264, /* of version 2.12 */
	BZ_HEADER_END = BZ_SETUP_SECTS + AXVM_IMAGE_SETUP_BYTES,
	BZ_VERSION_MIN = 0x20c, /* xloadflags and the 64-bit entry */
	BZ_LOADED_HIGH = 1 << 0,
	BZ_XLF_KERNEL_64 = 1 << 0,
	BZ_ENTRY_64 = 0x200,
	BZ_SECTOR_BYTES = 512,
};

/* Kept for the zero page. What the file says of its length is believed as far as it can be true. */
static void keep_setup(const struct head *head, struct axvm_image_info *info)
{
	uint64_t end = BZ_MAGIC + field(head, BZ_JUMP, 1);

	if (end < BZ_HEADER_BYTES)
		end = BZ_HEADER_BYTES;
	if (end > BZ_HEADER_END)
		end = BZ_HEADER_END;
	if (end > head->bytes)
		end = head->bytes;
	info->setup_bytes = (uint32_t)(end - BZ_SETUP_SECTS);
	memcpy(info->setup, head->data + BZ_SETUP_SECTS, info->setup_bytes);
}

static int probe_bzimage(const struct head *head, struct axvm_image_info *info, const char **why)
{
	if (head->bytes < BZ_HEADER_BYTES)
		return malformed(why, "the bzImage header is cut short");
	if (field(head, BZ_VERSION, 2) < BZ_VERSION_MIN ||
	    !(field(head, BZ_LOADFLAGS, 1) & BZ_LOADED_HIGH) ||
	    !(field(head, BZ_XLOADFLAGS, 2) & BZ_XLF_KERNEL_64))
		return malformed(why, "the bzImage has no 64-bit entry (boot protocol 2.12)");

	uint64_t sectors = field(head, BZ_SETUP_SECTS, 1);
	uint64_t setup_bytes = ((sectors == 0 ? 4 : sectors) + 1) * BZ_SECTOR_BYTES;

	if (setup_bytes >= info->file_bytes)
		return malformed(why, "the bzImage ends within its setup part");
	info->isa_known = true;
	info->isa = AXVM_ISA_X86_64;
	info->image_bytes = field(head, BZ_INIT_SIZE, 4);
	info->load = field(head, BZ_PREF_ADDRESS, 8);
	info->fixed = field(head, BZ_RELOCATABLE, 1) == 0;
	info->entry = BZ_ENTRY_64;
	set_one_segment(info, setup_bytes);
	keep_setup(head, info);
	return 0;
}

/* ---- all kinds ------------------------------------------------------------------------------ */

static int probe_head(const struct head *head, struct axvm_image_info *info, const char **why)
{
	info->file_bytes = head->file_bytes;
	if (has_bytes(head, IMAGE_MAGIC, "ARM\x64", 4)) {
		info->kind = AXVM_IMAGE_ARM64;
		info->isa = AXVM_ISA_AARCH64;
		return probe_linux(head, info, why);
	}
	if (has_bytes(head, IMAGE_MAGIC, "RSC\x05", 4) &&
	    has_bytes(head, IMAGE_RISCV_MAGIC, "RISCV", 5)) {
		info->kind = AXVM_IMAGE_RISCV;
		info->isa = AXVM_ISA_RISCV64;
		return probe_linux(head, info, why);
	}
	if (has_bytes(head, 0,
		      "\x7f"
		      "ELF",
		      4)) {
		info->kind = AXVM_IMAGE_ELF;
		return probe_elf(head, info, why);
	}
	if (has_bytes(head, BZ_BOOT_FLAG, "\x55\xaa", 2) && has_bytes(head, BZ_MAGIC, "HdrS", 4)) {
		info->kind = AXVM_IMAGE_BZIMAGE;
		return probe_bzimage(head, info, why);
	}
	info->kind = AXVM_IMAGE_RAW;
	set_one_segment(info, 0);
	return 0;
}

/* The trailer's last word is the size of what was compressed; the loader holds it to that. */
static uint64_t gzip_size(struct axvm_blob blob)
{
	struct head tail = { .data = (const uint8_t *)blob.data + (blob.bytes - 4) };

	return field(&tail, 0, 4);
}

static int probe_gzip(struct axvm_blob blob, struct axvm_image_info *info, const char **why)
{
	enum { GZIP_BYTES_MIN = 18 };
	struct axvm_inflate gzip;
	struct head head = { 0 };

	if (blob.bytes < GZIP_BYTES_MIN)
		return malformed(why, "the gzip file is cut short");

	int error = axvm_inflate_begin(&gzip, blob);

	if (error) {
		*why = "no memory to inflate the gzip file";
		return error;
	}
	head.file_bytes = gzip_size(blob);
	error = axvm_inflate_next(&gzip, AXVM_INFLATE_HEAD_BYTES, &head.data, &head.bytes);
	info->compressed = true;
	if (error)
		*why = "the gzip file is damaged or cut short";
	else if (head.bytes == 0 || head.bytes > head.file_bytes)
		error = malformed(why, "the size in the gzip file's trailer is wrong: cut short?");
	else
		error = probe_head(&head, info, why);
	axvm_inflate_end(&gzip);
	return error;
}

int axvm_image_probe(struct axvm_blob blob, struct axvm_image_info *info, const char **why)
{
	struct axvm_image_info found = { 0 };
	struct head head = { .data = blob.data, .bytes = blob.bytes, .file_bytes = blob.bytes };
	int error;

	if (blob.bytes == 0)
		error = malformed(why, "the file is empty");
	else if (axvm_inflate_is_gzip(blob))
		error = probe_gzip(blob, &found, why);
	else
		error = probe_head(&head, &found, why);
	if (!error)
		*info = found;
	return error;
}
