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

/*
 * The names in VM files. X(identifier, number, name): files may give either.
 * X(identifier, name, alias, alias): by name only; the first is what axvm writes.
 */
#define AXVM_ISAS(X)             \
	X(AARCH64, 0, "aarch64") \
	X(RISCV64, 1, "riscv64") \
	X(X86_64, 2, "x86_64")

enum axvm_isa {
#define AXVM_ISA_ID(id, number, name) AXVM_ISA_##id = (number),
	AXVM_ISAS(AXVM_ISA_ID)
#undef AXVM_ISA_ID
};

#define AXVM_VM_TYPES(X)   \
	X(HOST, 0, "host") \
	X(RTOS, 1, "rtos") \
	X(LINUX, 2, "linux")

enum axvm_vm_type {
#define AXVM_VM_TYPE(id, number, name) AXVM_VM_##id = (number),
	AXVM_VM_TYPES(AXVM_VM_TYPE)
#undef AXVM_VM_TYPE
};

#define AXVM_MAP_TYPES(X)            \
	X(ALLOC, 0, "alloc")         \
	X(IDENTICAL, 1, "identical") \
	X(RESERVED, 2, "reserved")

enum axvm_map_type {
#define AXVM_MAP_TYPE(id, number, name) AXVM_MEMORY_##id = (number),
	AXVM_MAP_TYPES(AXVM_MAP_TYPE)
#undef AXVM_MAP_TYPE
};

#define AXVM_IRQ_MODES(X)                    \
	X(NONE, "no_irq", "no", "none")      \
	X(EMULATED, "emulated", "emu", NULL) \
	X(PASSTHROUGH, "passthrough", "pt", NULL)

enum axvm_irq_mode {
#define AXVM_IRQ_MODE(id, name, alias, alias2) AXVM_IRQ_##id,
	AXVM_IRQ_MODES(AXVM_IRQ_MODE)
#undef AXVM_IRQ_MODE
};

#define AXVM_BOOT_PROTOCOLS(X)                         \
	X(DIRECT, "direct", "kernel", NULL)            \
	X(MULTIBOOT, "multiboot", "bios", "axvm-bios") \
	X(UEFI, "uefi", "efi", NULL)

enum axvm_boot_protocol {
#define AXVM_BOOT_PROTOCOL(id, name, alias, alias2) AXVM_BOOT_##id,
	AXVM_BOOT_PROTOCOLS(AXVM_BOOT_PROTOCOL)
#undef AXVM_BOOT_PROTOCOL
};

/* Where upstream takes images from; here both come from the bundle. */
#define AXVM_IMAGE_LOCATIONS(X) \
	X(FS, "fs", NULL, NULL) \
	X(MEMORY, "memory", NULL, NULL)

enum axvm_image_location {
#define AXVM_IMAGE_LOCATION(id, name, alias, alias2) AXVM_LOCATION_##id,
	AXVM_IMAGE_LOCATIONS(AXVM_IMAGE_LOCATION)
#undef AXVM_IMAGE_LOCATION
};

/* X(identifier, number in VM files, name in VM files) */
#define AXVM_EMU_TYPES(X)                                     \
	X(DUMMY, 0x00, "dummy")                               \
	X(INTERRUPT_CONTROLLER, 0x01, "interrupt-controller") \
	X(CONSOLE, 0x02, "console")                           \
	X(FW_CFG, 0x03, "fw-cfg")                             \
	X(IVC_CHANNEL, 0x0a, "ivc-channel")                   \
	X(GPPT_REDISTRIBUTOR, 0x20, "gppt-redistributor")     \
	X(GPPT_DISTRIBUTOR, 0x21, "gppt-distributor")         \
	X(GPPT_ITS, 0x22, "gppt-its")                         \
	X(X86_IOAPIC, 0x23, "x86-ioapic")                     \
	X(X86_PIT, 0x24, "x86-pit")                           \
	X(PPPT_GLOBAL, 0x30, "pppt-global")                   \
	X(PL011, 0x40, "pl011")                               \
	X(NS16550, 0x41, "ns16550")                           \
	X(PL031, 0x42, "pl031")                               \
	X(GICV3, 0x43, "gicv3")                               \
	X(PLIC, 0x44, "plic")                                 \
	X(APLIC, 0x45, "aplic")                               \
	X(IMSIC, 0x46, "imsic")                               \
	X(VIRTIO_BLK, 0xe1, "virtio-blk")                     \
	X(VIRTIO_NET, 0xe2, "virtio-net")                     \
	X(VIRTIO_CONSOLE, 0xe3, "virtio-console")

enum axvm_emu_type {
#define AXVM_EMU_TYPE(id, number, name) AXVM_EMU_##id = (number),
	AXVM_EMU_TYPES(AXVM_EMU_TYPE)
#undef AXVM_EMU_TYPE
};

/* Capacities of a VM file; more is refused by name. */
#define AXVM_CONFIG_MEMORY_MAX 16u	/* memory regions */
#define AXVM_CONFIG_EMU_MAX 32u		/* emulated devices */
#define AXVM_CONFIG_PASSTHROUGH_MAX 64u /* passthrough devices, addresses, ports: each */
#define AXVM_CONFIG_EXCLUDED_MAX 64u	/* device-tree paths */
#define AXVM_CONFIG_ARGS_MAX 16u	/* cfg_list of one device */

/* An image that the file names. `path` is NULL when there is none. */
struct axvm_config_image {
	const char *path;
	struct axvm_gpa load; /* valid when has_load; otherwise the loader chooses */
	bool has_load;
};

struct axvm_config_memory {
	struct axvm_gpa gpa; /* page aligned */
	uint64_t bytes;	     /* a multiple of the page size, not 0 */
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

/* Whether a device of that type is reached by I/O ports: its base is a port then. */
bool axvm_emu_uses_ports(enum axvm_isa isa, enum axvm_emu_type type);

/* All strings and arrays live in the arena given to axvm_config_parse. */
struct axvm_config {
	/* [base] */
	enum axvm_isa isa; /* the platform's */
	bool has_isa;	   /* the file says so itself */
	uint32_t id;
	const char *name;
	enum axvm_vm_type type;
	uint32_t vcpu_count; /* 1 to AXVM_VCPUS_MAX */
	const uint64_t
		*phys_cpu_ids; /* vcpu_count of them: MPIDR affinity, hart or APIC id; or NULL */
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
	enum axvm_image_location image_location;
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

/* One complaint about a file. Lines and columns count from 1; a column counts bytes. */
struct axvm_config_error {
	uint32_t line;
	uint32_t column;
	const char *text; /* names key, found value, what is allowed; valid during the call */
};

/* A VM file, and who hears what is wrong with it. */
struct axvm_config_source {
	const char *text; /* need not be terminated */
	size_t bytes;
	const char *file; /* for messages: the reporter's; may be NULL */
	/* Called once for each error. NULL: nobody listens. */
	void (*report)(void *context, const struct axvm_config_error *error);
	void *context;
};

/* After so many errors of one file a last one says that there are more. */
#define AXVM_CONFIG_ERRORS_MAX 64u

/* Memory that suffices for any text of that many bytes; ordinary files take a tenth of it. */
#define AXVM_CONFIG_MEMORY_BYTES(text_bytes) ((size_t)256 * (text_bytes) + 32768)

/*
 * Parses and validates a VM file for `platform`, which supplies the defaults.
 * *config and all that it refers to live in memory[0..bytes), except the
 * platform's own devices; the text may go. Nothing else is kept.
 *
 * AXVM_EFORMAT: every error of the file has been reported, *config is unchanged.
 * AXVM_ENOMEM: `memory` is too small; errors met until then have been reported.
 * AXVM_EINVAL: the text is longer than 16 MiB.
 * Any context; no lock, no allocation, stack use does not depend on the text.
 */
AXVM_MUST_USE int axvm_config_parse(const struct axvm_config_source *source,
				    const struct axvm_platform *platform, void *memory,
				    size_t bytes, const struct axvm_config **config);

/*
 * The ISA that the file says it is for ([base] isa), before a platform is
 * chosen. The memory may be used again afterwards.
 * AXVM_ENOENT: it does not say. AXVM_EFORMAT (reported): not TOML, or no ISA that
 * there is. AXVM_ENOMEM, AXVM_EINVAL as above.
 */
AXVM_MUST_USE int axvm_config_isa(const struct axvm_config_source *source, void *memory,
				  size_t bytes, enum axvm_isa *isa);

/* The names as in VM files; "?" for a value outside of the enumeration. Static storage. */
const char *axvm_isa_name(enum axvm_isa isa);
const char *axvm_vm_type_name(enum axvm_vm_type type);
const char *axvm_map_type_name(enum axvm_map_type type);
const char *axvm_emu_type_name(enum axvm_emu_type type);
const char *axvm_irq_mode_name(enum axvm_irq_mode mode);
const char *axvm_boot_protocol_name(enum axvm_boot_protocol protocol);
const char *axvm_image_location_name(enum axvm_image_location location);

#endif
