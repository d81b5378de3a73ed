/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's configuration: the TOML file parsed and validated. The tool on the
 * desk and the hypervisor at boot run the same code. docs/configuration.md is
 * the reference of the keys.
 */
#ifndef AXVM_CONFIG_H
#define AXVM_CONFIG_H

#include <axvm/error.h>
#include <axvm/types.h>

struct axvm_platform; /* <axvm/platform.h> */

enum axvm_isa { AXVM_ISA_AARCH64, AXVM_ISA_RISCV64, AXVM_ISA_X86_64 };

enum axvm_vm_type { AXVM_VM_HOST = 0, AXVM_VM_RTOS = 1, AXVM_VM_LINUX = 2 };

enum axvm_map_type { AXVM_MEMORY_ALLOC = 0, AXVM_MEMORY_IDENTICAL = 1, AXVM_MEMORY_RESERVED = 2 };

enum axvm_irq_mode { AXVM_IRQ_NONE, AXVM_IRQ_EMULATED, AXVM_IRQ_PASSTHROUGH };

enum axvm_boot_protocol { AXVM_BOOT_DIRECT, AXVM_BOOT_MULTIBOOT, AXVM_BOOT_UEFI };

/* X(identifier, number in VM files, name in VM files) */
#define AXVM_EMU_TYPES(X)                                    \
	X(DUMMY, 0x00, "dummy")                              \
	X(INTERRUPT_CONTROLLER, 0x01, "interrupt-controller") \
	X(CONSOLE, 0x02, "console")                          \
	X(FW_CFG, 0x03, "fw-cfg")                            \
	X(IVC_CHANNEL, 0x0a, "ivc-channel")                  \
	X(GPPT_REDISTRIBUTOR, 0x20, "gppt-redistributor")    \
	X(GPPT_DISTRIBUTOR, 0x21, "gppt-distributor")        \
	X(GPPT_ITS, 0x22, "gppt-its")                        \
	X(X86_IOAPIC, 0x23, "x86-ioapic")                    \
	X(X86_PIT, 0x24, "x86-pit")                          \
	X(PPPT_GLOBAL, 0x30, "pppt-global")                  \
	X(PL011, 0x40, "pl011")                              \
	X(NS16550, 0x41, "ns16550")                          \
	X(PL031, 0x42, "pl031")                              \
	X(GICV3, 0x43, "gicv3")                              \
	X(VIRTIO_BLK, 0xe1, "virtio-blk")                    \
	X(VIRTIO_NET, 0xe2, "virtio-net")                    \
	X(VIRTIO_CONSOLE, 0xe3, "virtio-console")

enum axvm_emu_type {
#define AXVM_EMU_TYPE(id, number, name) AXVM_EMU_##id = (number),
	AXVM_EMU_TYPES(AXVM_EMU_TYPE)
#undef AXVM_EMU_TYPE
};

/* An image that the file names. `path` is NULL when there is none. */
struct axvm_config_image {
	const char *path;
	struct axvm_gpa load; /* valid when has_load; otherwise the loader chooses */
	bool has_load;
};

struct axvm_config_memory {
	struct axvm_gpa gpa; /* page aligned */
	uint64_t bytes;      /* a multiple of the page size, not 0 */
	uint32_t flags;	     /* enum axvm_map_flags */
	enum axvm_map_type map_type;
};

struct axvm_config_emu {
	const char *name;
	struct axvm_gpa base;
	uint64_t bytes;
	uint32_t irq; /* the controller's number: an INTID for the GIC, a source for the PLIC */
	enum axvm_emu_type type;
	const uint64_t *args; /* cfg_list */
	uint32_t arg_count;
};

/* `path` set: discovered in the host's device tree, and the numbers are 0. */
struct axvm_config_passthrough {
	const char *name;
	const char *path;
	struct axvm_gpa gpa;
	struct axvm_hpa hpa;
	uint64_t bytes;
	uint32_t irq;
};

struct axvm_config_range {
	uint64_t base;
	uint64_t bytes;
};

/* All strings and arrays live in the arena given to axvm_config_parse. */
struct axvm_config {
	/* [base] */
	uint32_t id;
	const char *name;
	enum axvm_vm_type type;
	uint32_t vcpu_count;	       /* 1 to AXVM_VCPUS_MAX */
	const uint64_t *phys_cpu_ids;  /* vcpu_count of them: MPIDR affinity, hart or APIC id; or NULL */
	const uint64_t *phys_cpu_sets; /* vcpu_count masks of physical CPUs; or NULL: any */

	/* [kernel] */
	struct axvm_config_image kernel;
	struct axvm_config_image initrd;
	struct axvm_config_image dtb;
	struct axvm_config_image bios;
	struct axvm_gpa entry; /* valid when has_entry; otherwise from the image */
	bool has_entry;
	const char *cmdline; /* "" when absent */
	const char *disk_path;
	enum axvm_boot_protocol boot_protocol;
	const struct axvm_config_memory *memory;
	uint32_t memory_count; /* at least 1; the first is main memory */

	/* [devices] */
	enum axvm_irq_mode irq_mode;
	const struct axvm_config_emu *emu;
	uint32_t emu_count;
	const struct axvm_config_passthrough *passthrough;
	uint32_t passthrough_count;
	const char *const *excluded; /* device-tree paths */
	uint32_t excluded_count;
	const struct axvm_config_range *passthrough_addresses;
	uint32_t passthrough_address_count;
	const struct axvm_config_range *passthrough_ports;
	uint32_t passthrough_port_count;
	bool address_space_passthrough;
};

#endif
