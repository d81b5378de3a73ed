// SPDX-License-Identifier: Apache-2.0
/*
 * Where a VM's images go. What the file fixes is placed first, so that what it leaves open can
 * go around it: above the kernel, at the lowest address that is free.
 */
#include "image.h"

#include "text.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* [LINUX-BOOT]: the kernel's base; kernel and initrd within a 1 GiB aligned window; the tree. */
#define KERNEL_ALIGNMENT (2 * MIB)
#define INITRD_WINDOW_BYTES (32 * GIB)
#define DTB_BYTES_MAX (2 * MIB)
#define DTB_ALIGNMENT 8u

#define PLACE_ALIGNMENT 0x10000u /* of what we place: initrd and device tree */
#define DTB_ROOM_BYTES 0x10000u	 /* for a tree made, and for what is added to the user's own */
#define DTB_ROOM_VCPUS 16u	 /* for fewer vCPUs than these, and again for each so many */

enum item_kind { KERNEL, BIOS, BOOT, DTB, INITRD, ITEM_COUNT };

static const char *const item_names[ITEM_COUNT] = { "kernel", "bios", "boot block", "device tree",
						    "initrd" };

struct item {
	uint64_t gpa;
	uint64_t bytes; /* 0: absent */
	bool placed;
};

struct planner {
	const struct axvm_config *config;
	const struct axvm_platform *platform;
	const struct axvm_vm_params *blobs;
	struct axvm_plan *plan;
	struct item items[ITEM_COUNT];
	struct axvm_text why;
};

static uint64_t text_bytes(const char *text)
{
	uint64_t bytes = 0;

	while (text && text[bytes] != '\0')
		bytes++;
	return bytes;
}

/* ---- sentences ------------------------------------------------------------------------------ */

static int refuse(struct planner *p, int error, const char *subject, const char *sentence)
{
	axvm_text_string(&p->why, subject);
	axvm_text_string(&p->why, ": ");
	axvm_text_string(&p->why, sentence);
	return error;
}

static const struct axvm_config_memory *main_memory(const struct planner *p)
{
	return &p->config->memory[0];
}

/* "kernel: image of 0x2400000 bytes at 0x40200000" */
static void say_item(struct planner *p, enum item_kind kind)
{
	axvm_text_string(&p->why, item_names[kind]);
	axvm_text_string(&p->why, ": image of ");
	axvm_text_hex(&p->why, p->items[kind].bytes);
	axvm_text_string(&p->why, " bytes at ");
	axvm_text_hex(&p->why, p->items[kind].gpa);
}

static int refuse_fit(struct planner *p, enum item_kind kind)
{
	const struct axvm_config_memory *memory = main_memory(p);
	const struct item *item = &p->items[kind];
	uint64_t base = memory->gpa.addr;

	say_item(p, kind);
	axvm_text_string(&p->why, " does not fit into main memory ");
	axvm_text_range(&p->why, base, memory->bytes);
	if (item->gpa < base || axvm_range_wraps(item->gpa, item->bytes) ||
	    item->gpa - base > UINT64_MAX - item->bytes - MIB) {
		axvm_text_string(&p->why, " or another region");
		return AXVM_ERANGE;
	}
	axvm_text_string(&p->why, ": give it at least ");
	axvm_text_decimal(&p->why, (item->gpa - base + item->bytes + MIB - 1) / MIB);
	axvm_text_string(&p->why, " MiB");
	return AXVM_ERANGE;
}

static int refuse_overlap(struct planner *p, enum item_kind kind, enum item_kind other)
{
	axvm_text_string(&p->why, item_names[kind]);
	axvm_text_string(&p->why, ": ");
	axvm_text_range(&p->why, p->items[kind].gpa, p->items[kind].bytes);
	axvm_text_string(&p->why, " overlaps the ");
	axvm_text_string(&p->why, item_names[other]);
	axvm_text_string(&p->why, " at ");
	axvm_text_range(&p->why, p->items[other].gpa, p->items[other].bytes);
	return AXVM_EEXIST;
}

static int refuse_alignment(struct planner *p, enum item_kind kind, uint64_t alignment,
			    uint64_t offset)
{
	axvm_text_string(&p->why, item_names[kind]);
	axvm_text_string(&p->why, ": load address ");
	axvm_text_hex(&p->why, p->items[kind].gpa);
	axvm_text_string(&p->why, " must be a multiple of ");
	axvm_text_hex(&p->why, alignment);
	if (offset > 0) {
		axvm_text_string(&p->why, " plus ");
		axvm_text_hex(&p->why, offset);
	}
	return AXVM_ERANGE;
}

/* ---- placing -------------------------------------------------------------------------------- */

static bool fits_ram(const struct planner *p, const struct item *item)
{
	for (uint32_t i = 0; i < p->config->memory_count; i++) {
		const struct axvm_config_memory *memory = &p->config->memory[i];

		if (!(memory->flags & AXVM_MAP_DEVICE) &&
		    axvm_range_contains(memory->gpa.addr, memory->bytes, item->gpa, item->bytes))
			return true;
	}
	return false;
}

/* The placed item that [gpa, gpa + bytes) overlaps, or ITEM_COUNT. */
static enum item_kind find_overlap(const struct planner *p, uint64_t gpa, uint64_t bytes)
{
	unsigned i = 0;

	while (i < ITEM_COUNT &&
	       !(p->items[i].placed &&
		 axvm_ranges_overlap(gpa, bytes, p->items[i].gpa, p->items[i].bytes)))
		i++;
	return (enum item_kind)i;
}

static int place_at(struct planner *p, enum item_kind kind, uint64_t gpa)
{
	struct item *item = &p->items[kind];

	item->gpa = gpa;
	if (!fits_ram(p, item))
		return refuse_fit(p, kind);

	enum item_kind other = find_overlap(p, gpa, item->bytes);

	if (other != ITEM_COUNT)
		return refuse_overlap(p, kind, other);
	item->placed = true;
	return 0;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return value > UINT64_MAX - (alignment - 1)
		       ? UINT64_MAX - (alignment - 1)
		       : axvm_align_down(value + (alignment - 1), alignment);
}

/* Steps over one placed item at a time, so it ends. */
static int place_above(struct planner *p, enum item_kind kind, uint64_t from)
{
	uint64_t bytes = p->items[kind].bytes;
	uint64_t gpa = align_up(from, PLACE_ALIGNMENT);
	enum item_kind other = find_overlap(p, gpa, bytes);

	while (other != ITEM_COUNT) {
		gpa = align_up(p->items[other].gpa + p->items[other].bytes, PLACE_ALIGNMENT);
		other = find_overlap(p, gpa, bytes);
	}
	return place_at(p, kind, gpa);
}

/* ---- kernel --------------------------------------------------------------------------------- */

static const char *isa_name(enum axvm_isa isa)
{
	static const char *const names[] = { "aarch64", "riscv64", "x86_64" };

	return names[isa];
}

static int check_isa(struct planner *p, const struct axvm_image_info *info)
{
	if (!info->isa_known || info->isa == p->platform->isa)
		return 0;
	axvm_text_string(&p->why, "kernel: an image for ");
	axvm_text_string(&p->why, isa_name(info->isa));
	axvm_text_string(&p->why, ", but this VM runs on ");
	axvm_text_string(&p->why, p->platform->name);
	axvm_text_string(&p->why, ": give it an image for ");
	axvm_text_string(&p->why, p->platform->name);
	return AXVM_EUNSUPPORTED;
}

static bool is_linux_image(const struct axvm_image_info *info)
{
	return info->kind == AXVM_IMAGE_ARM64 || info->kind == AXVM_IMAGE_RISCV;
}

static uint64_t choose_kernel_address(const struct planner *p)
{
	const struct axvm_image_info *info = &p->plan->kernel;

	if (info->fixed)
		return info->load;
	if (p->config->kernel.has_load)
		return p->config->kernel.load.addr;
	if (info->kind == AXVM_IMAGE_BZIMAGE)
		return info->load;
	return align_up(main_memory(p)->gpa.addr, KERNEL_ALIGNMENT) + info->text_offset;
}

static int plan_kernel(struct planner *p)
{
	struct axvm_image_info *info = &p->plan->kernel;
	const struct axvm_config_image *wanted = &p->config->kernel;
	const char *sentence = "";
	int error = axvm_image_probe(p->blobs->kernel, info, &sentence);

	if (error)
		return refuse(p, error, "kernel", sentence);
	error = check_isa(p, info);
	if (error)
		return error;

	struct item *item = &p->items[KERNEL];

	/* A riscv64 kernel maps itself by 2 MiB, and drops an initrd that lies in the last of them. */
	item->bytes = info->kind == AXVM_IMAGE_RISCV ? align_up(info->image_bytes, KERNEL_ALIGNMENT)
						     : info->image_bytes;
	item->gpa = choose_kernel_address(p);
	/* Loaded below its preferred address, a bzImage moves itself there. */
	if (info->kind == AXVM_IMAGE_BZIMAGE && !info->fixed && item->gpa < info->load) {
		if (item->bytes > UINT64_MAX - (info->load - item->gpa))
			return refuse(p, AXVM_EFORMAT, "kernel", "it does not fit into memory");
		item->bytes += info->load - item->gpa;
	}
	if (info->fixed && wanted->has_load && wanted->load.addr != info->load) {
		item->gpa = wanted->load.addr;
		say_item(p, KERNEL);
		axvm_text_string(&p->why, " is linked to run at ");
		axvm_text_hex(&p->why, info->load);
		axvm_text_string(&p->why, ": make that the load address, or leave it out");
		return AXVM_ERANGE;
	}
	if (is_linux_image(info) &&
	    !axvm_is_aligned(item->gpa - info->text_offset, KERNEL_ALIGNMENT))
		return refuse_alignment(p, KERNEL, KERNEL_ALIGNMENT,
					info->text_offset % KERNEL_ALIGNMENT);
	return place_at(p, KERNEL, item->gpa);
}

/* ---- the others ----------------------------------------------------------------------------- */

static int plan_bios(struct planner *p)
{
	p->items[BIOS].bytes = p->blobs->bios.bytes;
	if (p->blobs->bios.bytes == 0)
		return 0;
	if (!p->config->bios.has_load)
		return refuse(p, AXVM_ERANGE, "bios", "there is no load address for it");
	return place_at(p, BIOS, p->config->bios.load.addr);
}

/*
 * For identical memory the address follows from the memory's, whatever the file says; where the
 * memory is too small for that, it stays open.
 */
static int plan_dtb_identical(struct planner *p)
{
	const struct axvm_config_memory *memory = main_memory(p);
	uint64_t low_bytes = memory->bytes < 512 * MIB ? memory->bytes : 512 * MIB;
	uint64_t bytes = p->items[DTB].bytes;

	if (bytes > low_bytes)
		return 0;

	uint64_t gpa = axvm_align_down(memory->gpa.addr + (low_bytes - bytes), 2 * MIB);

	if (gpa < memory->gpa.addr || find_overlap(p, gpa, bytes) != ITEM_COUNT)
		return 0;
	return place_at(p, DTB, gpa);
}

static bool wants_dtb(const struct planner *p)
{
	return p->blobs->dtb.bytes > 0 || p->platform->fdt_machine != NULL;
}

static int size_dtb(struct planner *p)
{
	uint64_t cmdline_bytes = text_bytes(p->config->cmdline);
	uint64_t room = DTB_ROOM_BYTES * (1 + p->config->vcpu_count / DTB_ROOM_VCPUS);

	if (p->blobs->dtb.bytes > DTB_BYTES_MAX - room ||
	    cmdline_bytes > DTB_BYTES_MAX - room - p->blobs->dtb.bytes)
		return refuse(p, AXVM_ERANGE, "device tree",
			      "it and the command line are larger than 2 MiB");
	p->items[DTB].bytes = align_up(p->blobs->dtb.bytes + cmdline_bytes + room, AXVM_PAGE_BYTES);
	return 0;
}

/* What has a fixed address; the rest is placed around it. */
static int plan_dtb(struct planner *p)
{
	if (!wants_dtb(p))
		return 0;

	int error = size_dtb(p);

	if (error)
		return error;
	if (main_memory(p)->map_type == AXVM_MEMORY_IDENTICAL)
		return plan_dtb_identical(p);
	if (!p->config->dtb.has_load)
		return 0;
	p->items[DTB].gpa = p->config->dtb.load.addr;
	if (!axvm_is_aligned(p->config->dtb.load.addr, DTB_ALIGNMENT))
		return refuse_alignment(p, DTB, DTB_ALIGNMENT, 0);
	return place_at(p, DTB, p->config->dtb.load.addr);
}

static int plan_initrd(struct planner *p)
{
	p->items[INITRD].bytes = p->blobs->initrd.bytes;
	if (p->blobs->initrd.bytes == 0 || !p->config->initrd.has_load)
		return 0;
	return place_at(p, INITRD, p->config->initrd.load.addr);
}

static int place_boot_block(struct planner *p, uint64_t from)
{
	const struct axvm_boot_block *block = p->platform->boot_block;
	struct item *item = &p->items[BOOT];

	if (block == NULL)
		return 0;
	*item = (struct item){ .gpa = block->gpa, .bytes = block->bytes };
	if (fits_ram(p, item) && find_overlap(p, item->gpa, item->bytes) == ITEM_COUNT)
		return place_at(p, BOOT, item->gpa);
	return place_above(p, BOOT, from);
}

static int place_the_rest(struct planner *p)
{
	uint64_t from = main_memory(p)->gpa.addr;
	int error = 0;

	if (p->items[KERNEL].placed &&
	    axvm_range_contains(from, main_memory(p)->bytes, p->items[KERNEL].gpa, 1))
		from = p->items[KERNEL].gpa + p->items[KERNEL].bytes;
	error = place_boot_block(p, from);
	for (unsigned kind = DTB; kind <= INITRD && !error; kind++) {
		if (p->items[kind].bytes > 0 && !p->items[kind].placed)
			error = place_above(p, (enum item_kind)kind, from);
	}
	return error;
}

/* Only arm64 has the rule, and only where there are both. */
static int check_initrd_window(struct planner *p)
{
	const struct item *kernel = &p->items[KERNEL];
	const struct item *initrd = &p->items[INITRD];

	if (p->plan->kernel.kind != AXVM_IMAGE_ARM64 || initrd->bytes == 0)
		return 0;

	uint64_t low = kernel->gpa < initrd->gpa ? kernel->gpa : initrd->gpa;
	uint64_t kernel_last = kernel->gpa + (kernel->bytes - 1);
	uint64_t initrd_last = initrd->gpa + (initrd->bytes - 1);
	uint64_t last = kernel_last > initrd_last ? kernel_last : initrd_last;

	if (last - axvm_align_down(low, GIB) < INITRD_WINDOW_BYTES)
		return 0;
	say_item(p, INITRD);
	axvm_text_string(&p->why, " is farther than 32 GiB from the kernel at ");
	axvm_text_hex(&p->why, kernel->gpa);
	return AXVM_ERANGE;
}

static int check_missing(struct planner *p, const struct axvm_config_image *wanted,
			 struct axvm_blob blob, const char *name)
{
	if (!wanted->path || wanted->path[0] == '\0' || blob.bytes > 0)
		return 0;

	uint64_t path_bytes = text_bytes(wanted->path);

	axvm_text_string(&p->why, name);
	axvm_text_string(&p->why, ": ");
	axvm_text_bytes(&p->why, wanted->path, path_bytes < 80 ? path_bytes : 80);
	axvm_text_string(&p->why, " is empty or missing");
	return AXVM_EFORMAT;
}

static int plan_fixed(struct planner *p)
{
	const struct axvm_config *config = p->config;
	const struct axvm_vm_params *blobs = p->blobs;
	int error = check_missing(p, &config->kernel, blobs->kernel, "kernel");

	error = error ? error : check_missing(p, &config->initrd, blobs->initrd, "initrd");
	error = error ? error : check_missing(p, &config->dtb, blobs->dtb, "device tree");
	error = error ? error : check_missing(p, &config->bios, blobs->bios, "bios");
	if (!error && (blobs->kernel.bytes > 0 || blobs->bios.bytes == 0))
		error = plan_kernel(p);
	error = error ? error : plan_bios(p);
	error = error ? error : plan_dtb(p);
	return error ? error : plan_initrd(p);
}

static uint64_t entry_of(const struct planner *p)
{
	if (p->config->has_entry)
		return p->config->entry.addr;
	if (p->items[KERNEL].bytes == 0)
		return p->items[BIOS].gpa;
	return p->items[KERNEL].gpa + p->plan->kernel.entry;
}

int axvm_plan_make(const struct axvm_config *config, const struct axvm_platform *platform,
		   const struct axvm_vm_params *blobs, struct axvm_plan *plan,
		   char why[AXVM_WHY_BYTES])
{
	struct axvm_plan found = { 0 };
	struct planner p = {
		.config = config,
		.platform = platform,
		.blobs = blobs,
		.plan = &found,
		.why = axvm_text(why, why ? AXVM_WHY_BYTES : 0),
	};
	int error = plan_fixed(&p);

	error = error ? error : place_the_rest(&p);
	error = error ? error : check_initrd_window(&p);
	if (error)
		return error;

	found.kernel_gpa = p.items[KERNEL].gpa;
	found.entry = entry_of(&p);
	found.initrd_gpa = p.items[INITRD].gpa;
	found.initrd_bytes = p.items[INITRD].bytes;
	found.dtb_gpa = p.items[DTB].gpa;
	found.dtb_bytes = p.items[DTB].bytes;
	found.bios_gpa = p.items[BIOS].gpa;
	found.bios_bytes = p.items[BIOS].bytes;
	found.boot_gpa = p.items[BOOT].gpa;
	found.boot_bytes = p.items[BOOT].bytes;
	*plan = found;
	return 0;
}
