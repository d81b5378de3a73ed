/* SPDX-License-Identifier: Apache-2.0 */
/* Small images of each kind, made in `file`. */
#ifndef IMAGE_SAMPLES_H
#define IMAGE_SAMPLES_H

#include <stdint.h>
#include <string.h>

#include "image.h"

static uint8_t file[0x4000];

static inline void put(uint64_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		file[at + i] = (uint8_t)(value >> (8 * i));
}

static inline void fill(uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++)
		file[at + i] = (uint8_t)(i * 7 + (i >> 8) + 1);
}

static inline struct axvm_blob blob(uint64_t bytes)
{
	return (struct axvm_blob){ .data = file, .bytes = bytes };
}

static inline struct axvm_blob make_arm64(void)
{
	memset(file, 0, sizeof(file));
	fill(64, 0x1000);
	put(8, 0x80000, 8);
	put(16, 0x24000, 8);
	put(24, 0xa, 8);
	memcpy(&file[56], "ARM\x64", 4);
	return blob(0x1040);
}

static inline struct axvm_blob make_riscv(void)
{
	memset(file, 0, sizeof(file));
	put(8, 0x200000, 8);
	put(16, 0x30000, 8);
	memcpy(&file[48], "RISCV\0\0\0", 8);
	memcpy(&file[56], "RSC\x05", 4);
	return blob(0x1000);
}

static inline struct axvm_blob make_bzimage(void)
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

enum { SAMPLE_PHOFF = 64, SAMPLE_PH_BYTES = 56 };

static inline void put_segment(unsigned index, uint64_t offset, uint64_t vaddr, uint64_t paddr,
			       uint64_t file_bytes, uint64_t memory_bytes)
{
	uint64_t at = SAMPLE_PHOFF + index * SAMPLE_PH_BYTES;

	put(at, 1, 4);
	put(at + 8, offset, 8);
	put(at + 16, vaddr, 8);
	put(at + 24, paddr, 8);
	put(at + 32, file_bytes, 8);
	put(at + 40, memory_bytes, 8);
}

/* Text at 0x40080000 (linked at 0xffff000000080000), data with .bss at 0x40090000; a note. */
static inline struct axvm_blob make_elf(void)
{
	memset(file, 0, sizeof(file));
	memcpy(file,
	       "\x7f"
	       "ELF\x02\x01\x01",
	       7);
	put(16, 2, 2);
	put(18, 183, 2);
	put(24, 0xffff000000080040, 8);
	put(32, SAMPLE_PHOFF, 8);
	put(54, SAMPLE_PH_BYTES, 2);
	put(56, 3, 2);
	put_segment(0, 0x1000, 0xffff000000080000, 0x40080000, 0x1000, 0x1000);
	put(SAMPLE_PHOFF + SAMPLE_PH_BYTES, 4, 4); /* PT_NOTE: not to be loaded */
	put_segment(2, 0x2000, 0xffff000000090000, 0x40090000, 0x800, 0x3000);
	fill(0x1000, 0x1800);
	return blob(0x2800);
}

#endif
