// SPDX-License-Identifier: Apache-2.0
/* The block that a guest is started with, part by part. */
#include "boot.h"

#include <string.h>

#include "acpi.h"

#define MIB ((uint64_t)1 << 20)
#define FOUR_GIB ((uint64_t)1 << 32)
#define BLOCK_MIB (2 * MIB)

_Static_assert(AXVM_X86_BOOT_ACPI + AXVM_ACPI_BYTES <= AXVM_X86_BOOT_GDT, "the tables have room");
_Static_assert(AXVM_X86_BOOT_GPA + AXVM_X86_BOOT_BYTES <= MIB, "the block is within the hole");

enum {
	TABLE_PRESENT_WRITABLE = 3,
	TABLE_BLOCK = 1 << 7,
	TABLE_ENTRIES = 512,
	DIRECTORIES = 4, /* of 1 GiB each */
};

static const uint64_t gdt[AXVM_X86_BOOT_GDT_BYTES / 8] = {
	[AXVM_X86_BOOT_CODE_32 / 8] = 0x00cf9b000000ffff,
	[AXVM_X86_BOOT_CODE_64 / 8] = 0x00af9b000000ffff,
	[AXVM_X86_BOOT_DATA / 8] = 0x00cf93000000ffff,
	[AXVM_X86_BOOT_TSS / 8] = 0x00008b0000000067,
};

/* ---- the block ------------------------------------------------------------------------------ */

static void put_gdt(struct axvm_x86_writer *writer)
{
	for (unsigned i = 0; i < AXVM_X86_BOOT_GDT_BYTES / 8; i++)
		axvm_x86_put(writer, gdt[i], 8);
}

static void put_page_tables(struct axvm_x86_writer *writer, uint64_t gpa)
{
	uint64_t pdpt = gpa + AXVM_PAGE_BYTES;
	uint64_t pd = pdpt + AXVM_PAGE_BYTES;

	axvm_x86_put(writer, pdpt | TABLE_PRESENT_WRITABLE, 8);
	axvm_x86_put_padding(writer, AXVM_PAGE_BYTES);
	for (unsigned i = 0; i < DIRECTORIES; i++)
		axvm_x86_put(writer, (pd + i * AXVM_PAGE_BYTES) | TABLE_PRESENT_WRITABLE, 8);
	axvm_x86_put_padding(writer, AXVM_PAGE_BYTES);
	for (uint64_t i = 0; i < (uint64_t)DIRECTORIES * TABLE_ENTRIES; i++)
		axvm_x86_put(writer, i * BLOCK_MIB | TABLE_BLOCK | TABLE_PRESENT_WRITABLE, 8);
}

static int put_cmdline(struct axvm_x86_writer *writer, const char *cmdline, const char **why)
{
	uint64_t room = AXVM_X86_BOOT_TABLES - AXVM_X86_BOOT_CMDLINE;
	uint64_t bytes = 0;

	while (cmdline != NULL && cmdline[bytes] != '\0' && bytes < room)
		axvm_x86_put(writer, (uint8_t)cmdline[bytes++], 1);
	if (bytes == room) {
		*why = "the command line is longer than 4095 bytes";
		return AXVM_ERANGE;
	}
	axvm_x86_put(writer, 0, 1);
	return 0;
}

/* A writer at that offset of the block, up to the end of the block. */
static struct axvm_x86_writer part(uint8_t *buffer, uint64_t offset)
{
	return (struct axvm_x86_writer){ .data = buffer + offset,
					 .capacity = AXVM_X86_BOOT_BYTES - offset };
}

/* ---- what a kernel can be given ------------------------------------------------------------- */

enum { /* from the setup header's beginning [LINUX-X86] */
       SETUP_INITRD_ADDR_MAX = 0x22c - 0x1f1,
       SETUP_XLOADFLAGS = 0x236 - 0x1f1,
       SETUP_CMDLINE_SIZE = 0x238 - 0x1f1,
       XLF_ABOVE_4G = 1 << 1,
};

static uint64_t setup_field(const struct axvm_image_info *kernel, uint32_t offset, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && offset + i < kernel->setup_bytes; i++)
		value |= (uint64_t)kernel->setup[offset + i] << (8 * i);
	return value;
}

static int refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return AXVM_ERANGE;
}

static int check_initrd(const struct axvm_plan *plan, const char **why)
{
	const struct axvm_image_info *kernel = &plan->kernel;

	if (plan->initrd_bytes == 0 || (kernel->kind == AXVM_IMAGE_BZIMAGE &&
					setup_field(kernel, SETUP_XLOADFLAGS, 2) & XLF_ABOVE_4G))
		return 0;

	uint64_t max = kernel->kind == AXVM_IMAGE_BZIMAGE
			       ? setup_field(kernel, SETUP_INITRD_ADDR_MAX, 4)
			       : FOUR_GIB - 1;

	if (plan->initrd_gpa > max || plan->initrd_bytes - 1 > max - plan->initrd_gpa)
		return refuse(why, "the initrd is above what the kernel can reach");
	return 0;
}

static int check_kernel(const struct axvm_config *config, const struct axvm_plan *plan,
			const char **why)
{
	const struct axvm_image_info *kernel = &plan->kernel;
	uint64_t cmdline_bytes = 0;

	if (!axvm_range_contains(0, FOUR_GIB, plan->kernel_gpa, kernel->image_bytes))
		return refuse(why, "the kernel does not end below 4 GiB, where it is started");
	while (config->cmdline != NULL && config->cmdline[cmdline_bytes] != '\0')
		cmdline_bytes++;
	if (kernel->kind == AXVM_IMAGE_BZIMAGE &&
	    cmdline_bytes > setup_field(kernel, SETUP_CMDLINE_SIZE, 4))
		return refuse(why, "the command line is longer than this kernel takes");
	return check_initrd(plan, why);
}

int axvm_x86_64_boot_make(const struct axvm_config *config, const struct axvm_plan *plan,
			  uint64_t gpa, void *buffer, const char **why)
{
	struct axvm_x86_memory_map map;
	uint64_t acpi_bytes;
	int error = 0;

	if (!axvm_is_aligned(gpa, AXVM_PAGE_BYTES) ||
	    !axvm_range_contains(0, FOUR_GIB, gpa, AXVM_X86_BOOT_BYTES)) {
		*why = "the boot block is no page below 4 GiB";
		return AXVM_EINVAL;
	}
	error = check_kernel(config, plan, why);
	if (error)
		return error;

	memset(buffer, 0, AXVM_X86_BOOT_BYTES);
	error = axvm_x86_64_acpi_make(config, gpa + AXVM_X86_BOOT_ACPI, buffer, AXVM_ACPI_BYTES,
				      &acpi_bytes);
	if (error)
		return refuse(why, "an APIC id is larger than 0xfffffffe");

	axvm_x86_64_memory_map(config, gpa, AXVM_X86_BOOT_BYTES, &map);

	const struct axvm_x86_boot boot = {
		.map = &map,
		.kernel = &plan->kernel,
		.kernel_gpa = plan->kernel_gpa,
		.initrd_gpa = plan->initrd_gpa,
		.initrd_bytes = plan->initrd_bytes,
		.cmdline_gpa = gpa + AXVM_X86_BOOT_CMDLINE,
		.rsdp_gpa = gpa + AXVM_X86_BOOT_ACPI,
	};
	struct axvm_x86_writer writer = part(buffer, AXVM_X86_BOOT_GDT);

	put_gdt(&writer);
	writer = part(buffer, AXVM_X86_BOOT_ZERO_PAGE);
	axvm_x86_64_put_zero_page(&writer, &boot);
	writer = part(buffer, AXVM_X86_BOOT_START_INFO);
	axvm_x86_64_put_start_info(&writer, &boot, gpa + AXVM_X86_BOOT_START_INFO);
	writer = part(buffer, AXVM_X86_BOOT_MULTIBOOT);
	axvm_x86_64_put_multiboot(&writer, &boot, gpa + AXVM_X86_BOOT_MULTIBOOT);
	writer = part(buffer, AXVM_X86_BOOT_TABLES);
	put_page_tables(&writer, gpa + AXVM_X86_BOOT_TABLES);
	writer = part(buffer, AXVM_X86_BOOT_CMDLINE);
	return put_cmdline(&writer, config->cmdline, why);
}
