/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual platform: what a guest sees when its file names no addresses. It
 * mirrors QEMU's machine of the same ISA, so that an image that runs there runs
 * here unchanged. One constant per ISA, all of them linked into the tool.
 */
#ifndef AXVM_PLATFORM_H
#define AXVM_PLATFORM_H

#include <axvm/config.h>

struct axvm_guest_fdt; /* src/guest_fdt.h: the tree being written */

struct axvm_plan; /* src/image.h: where images go */

/*
 * What a guest is started with where that is not a device tree: a block of the ISA's own in guest memory,
 * whose address vCPU 0 is reset with, as it otherwise is with the tree's.
 */
struct axvm_boot_block {
	uint64_t gpa; /* where it goes if that is RAM and free; otherwise to where there is room */
	uint64_t bytes; /* a multiple of the page size */
	/*
	 * Writes all of it to `buffer`, for a guest that sees it at `gpa`. Pure. An error of axvm/error.h and
	 * *why, a static sentence.
	 */
	int (*make)(const struct axvm_config *config, const struct axvm_plan *plan, uint64_t gpa,
		    void *buffer, const char **why);
};

/* A way to build the machine: by its interrupt controller. */
#define AXVM_MACHINES_MAX 4u /* of a platform */
struct axvm_machine {
	const char *controller; /* as VM files name it: interrupt_controller */
	const struct axvm_config_emu *devices;
	uint32_t device_count;
};

struct axvm_platform {
	enum axvm_isa isa;
	const char *name;   /* "aarch64" */
	uint64_t ram_base;  /* GPA of main memory when the file gives only a size */
	uint64_t ram_limit; /* first GPA beyond what main memory may reach */
	/* Where memory of a mere size goes on when it does not end below ram_limit; 0 and 0: nowhere. */
	uint64_t high_ram_base;
	uint64_t high_ram_limit;
	uint32_t irq_first; /* of the shared interrupts; files have meaningless numbers below it */
	uint32_t irq_count; /* interrupt numbers are below it */
	const struct axvm_config_emu *devices; /* the default machine: controller, UART, ... */
	uint32_t device_count;
	const struct axvm_machine *machines; /* all there are to choose from, the default one too */
	uint32_t machine_count;
	/*
	 * Whether the tree's root names the controller, for all nodes that name none. Not where CPUs have
	 * controllers of their own, which have no parent.
	 */
	bool fdt_has_root_controller;
	const struct axvm_boot_block *boot_block; /* NULL: none */
	/* Writes /cpus, the controller and the timer; returns 0 or AXVM_ENOMEM. */
	int (*fdt_machine)(struct axvm_guest_fdt *fdt, const struct axvm_config *config);
};

extern const struct axvm_platform axvm_platform_aarch64;
extern const struct axvm_platform axvm_platform_riscv64;
extern const struct axvm_platform axvm_platform_x86_64;
/* The same with another default: an APLIC alone, an APLIC and IMSICs. */
extern const struct axvm_platform axvm_platform_riscv64_aplic;
extern const struct axvm_platform axvm_platform_riscv64_aia;

#endif
