/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest is started with: one block in guest memory (start.h has the registers). It has the
 * ACPI tables with the RSDP first, so that it is found where PCs have it; the zero page [LINUX-X86], PVH's
 * start info [PVH] and Multiboot's information [MULTIBOOT], whichever the image wants; page tables and GDT.
 */
#ifndef AXVM_X86_64_BOOT_H
#define AXVM_X86_64_BOOT_H

#include <axvm/error.h>

#include "image.h"
#include "writer.h"

/* Where the block lies in a PC, in what is reserved for firmware. It may lie elsewhere below 4 GiB. */
#define AXVM_X86_BOOT_GPA 0xe0000u

/* Offsets in the block, and its size. Each part has all of its room. */
#define AXVM_X86_BOOT_ACPI 0x0000u
#define AXVM_X86_BOOT_GDT 0x4000u
#define AXVM_X86_BOOT_ZERO_PAGE 0x5000u
#define AXVM_X86_BOOT_START_INFO 0x6000u
#define AXVM_X86_BOOT_MULTIBOOT 0x7000u
#define AXVM_X86_BOOT_CMDLINE 0x8000u
#define AXVM_X86_BOOT_TABLES 0x9000u /* PML4, PDPT, four PDs: identity up to 4 GiB */
#define AXVM_X86_BOOT_BYTES 0xf000u

/* Selectors of its GDT, as [LINUX-X86] wants them. */
#define AXVM_X86_BOOT_CODE_32 0x08u
#define AXVM_X86_BOOT_CODE_64 0x10u
#define AXVM_X86_BOOT_DATA 0x18u
#define AXVM_X86_BOOT_TSS 0x20u
#define AXVM_X86_BOOT_GDT_BYTES 0x30u

/* ---- linux.c: memory map, zero page, start info ------------------------------------------------ */

enum axvm_x86_memory_type { /* as E820, PVH and Multiboot number them */
			    AXVM_X86_MEMORY_RAM = 1,
			    AXVM_X86_MEMORY_RESERVED = 2,
};

struct axvm_x86_memory {
	uint64_t base;
	uint64_t bytes;
	enum axvm_x86_memory_type type;
};

/* Each region may be cut by the firmware's hole and by the block: five parts. */
#define AXVM_X86_MEMORY_MAX (5u * AXVM_CONFIG_MEMORY_MAX)

struct axvm_x86_memory_map {
	uint32_t count;
	struct axvm_x86_memory entries[AXVM_X86_MEMORY_MAX];
};

/*
 * The memory of the configuration as a PC tells it: sorted, without overlap, what two regions share
 * once. Of RAM, 640 KiB to 1 MiB and [reserved, reserved + bytes) are told as reserved. Devices are not told.
 */
void axvm_x86_64_memory_map(const struct axvm_config *config, uint64_t reserved, uint64_t bytes,
			    struct axvm_x86_memory_map *map);

/* What the three formats are made of. GPAs; initrd_bytes 0: there is none. */
struct axvm_x86_boot {
	const struct axvm_x86_memory_map *map;
	const struct axvm_image_info *kernel;
	uint64_t kernel_gpa;
	uint64_t initrd_gpa;
	uint64_t initrd_bytes;
	uint64_t cmdline_gpa; /* below 4 GiB */
	uint64_t rsdp_gpa;
};

/* Each writes to the writer, whose first byte the guest sees at `gpa`; see is_full. */
void axvm_x86_64_put_zero_page(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot);
void axvm_x86_64_put_start_info(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot,
				uint64_t gpa);
void axvm_x86_64_put_multiboot(struct axvm_x86_writer *writer, const struct axvm_x86_boot *boot,
			       uint64_t gpa);

/* ---- boot.c: the block --------------------------------------------------------------------- */

/*
 * Writes the block for `gpa` to buffer[0..AXVM_X86_BOOT_BYTES). Pure: any context. `why` gets a static
 * sentence. AXVM_EINVAL: `gpa` is no page that leaves the block below 4 GiB. AXVM_ERANGE: the kernel or the
 * initrd is where it cannot be reached, the command line longer than the kernel takes, an APIC id too large.
 */
AXVM_MUST_USE int axvm_x86_64_boot_make(const struct axvm_config *config,
					const struct axvm_plan *plan, uint64_t gpa, void *buffer,
					const char **why);

#endif
