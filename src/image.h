/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest images: what kind they are, where they go, how they get there. And the
 * plan of a VM's memory that follows: shared by the library and the tool.
 */
#ifndef AXVM_IMAGE_H
#define AXVM_IMAGE_H

#include <axvm/config.h>
#include <axvm/platform.h>
#include <axvm/vm.h>

enum axvm_image_kind {
	AXVM_IMAGE_RAW,
	AXVM_IMAGE_ARM64,   /* arm64 Linux Image */
	AXVM_IMAGE_RISCV,   /* RISC-V Linux Image */
	AXVM_IMAGE_ELF,	    /* ELF64 little-endian, PT_LOAD by physical address */
	AXVM_IMAGE_BZIMAGE, /* x86 Linux boot protocol */
};

/* A part of the (uncompressed) file and where it goes; the rest of its memory is zeroed. */
struct axvm_image_segment {
	uint64_t file_offset;
	uint64_t file_bytes;
	uint64_t offset;       /* from the image's load address */
	uint64_t memory_bytes; /* at least file_bytes */
};

#define AXVM_IMAGE_SEGMENTS_MAX 16u
#define AXVM_IMAGE_SETUP_BYTES 159u /* what a zero page has room for [LINUX-X86] */

struct axvm_image_info {
	enum axvm_image_kind kind;
	bool compressed; /* gzip around it */
	bool isa_known;
	enum axvm_isa isa;    /* valid when isa_known */
	uint64_t file_bytes;  /* uncompressed */
	uint64_t image_bytes; /* in memory, .bss included */
	uint64_t text_offset; /* from a 2 MiB aligned base (Image) */
	uint64_t entry;	      /* from the load address */
	uint64_t load;	      /* ELF: lowest physical address; bzImage: the preferred address */
	bool fixed;	      /* it runs at `load` only */
	bool has_pvh;	      /* ELF with a PVH note [PVH] */
	uint64_t pvh_entry;   /* of that, from the load address */
	uint32_t setup_bytes; /* bzImage: of its setup header */
	uint8_t setup[AXVM_IMAGE_SETUP_BYTES]; /* as in the file, from 0x1f1 on */
	uint32_t segment_count;
	struct axvm_image_segment segments[AXVM_IMAGE_SEGMENTS_MAX];
};

/*
 * Looks at the header; of a gzip file only the first 4 KiB are inflated.
 * AXVM_EFORMAT: cut short or contradicts itself, AXVM_ENOMEM: no room to
 * inflate; *why gets a static sentence. Never reads outside the blob.
 */
AXVM_MUST_USE int axvm_image_probe(struct axvm_blob blob, struct axvm_image_info *info,
				   const char **why);

/* Where everything goes. All GPAs. bytes 0: absent. */
struct axvm_plan {
	struct axvm_image_info kernel;
	uint64_t kernel_gpa;
	uint64_t entry;
	uint64_t initrd_gpa;
	uint64_t initrd_bytes;
	uint64_t dtb_gpa;
	uint64_t dtb_bytes; /* room for it */
	uint64_t bios_gpa;
	uint64_t bios_bytes;
	uint64_t boot_gpa; /* the platform's boot block */
	uint64_t boot_bytes;
};

/*
 * Chooses what the file leaves open and checks that all fits and nothing
 * overlaps. `why` gets a sentence with the numbers. AXVM_EFORMAT, AXVM_ERANGE,
 * AXVM_EEXIST, AXVM_EUNSUPPORTED (a kernel of another ISA).
 */
AXVM_MUST_USE int axvm_plan_make(const struct axvm_config *config,
				 const struct axvm_platform *platform,
				 const struct axvm_vm_params *blobs, struct axvm_plan *plan,
				 char why[AXVM_WHY_BYTES]);

/*
 * Copies (decompresses, places segments of) kernel, initrd and firmware into guest RAM, and cleans
 * caches; the device tree is the caller's. AXVM_EFORMAT: the compressed data is damaged.
 * AXVM_EFAULT: not RAM. AXVM_ENOMEM: no room to inflate. Before the VM runs only.
 */
AXVM_MUST_USE int axvm_plan_load(struct axvm_vm *vm, const struct axvm_plan *plan,
				 char why[AXVM_WHY_BYTES]);

/* Copies to guest RAM whatever its rights, and cleans caches. AXVM_EFAULT: not mapped throughout. */
AXVM_MUST_USE int axvm_image_copy(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				  const void *data, uint64_t bytes);

#endif
