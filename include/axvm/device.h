/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emulated devices and the buses that find them. A device is a type (constant
 * operations) and an instance whose state lives in the VM's own pages.
 */
#ifndef AXVM_DEVICE_H
#define AXVM_DEVICE_H

#include <axvm/config.h>
#include <axvm/error.h>
#include <axvm/types.h>

/*
 * Operations run on the vCPU's physical CPU, in the exit path, with no lock
 * held; they may be called on several CPUs at once. `offset` is below the
 * region's size and `bytes` is 1, 2, 4 or 8, but neither alignment nor a
 * documented register may be assumed.
 */
struct axvm_device_type {
	const char *name;
	enum axvm_emu_type emu_type;
	/* What create asks of the machine, "harts with Ssaia"; NULL: nothing. */
	const char *needs;
	/*
	 * Allocates the state (axvm_vm_alloc), attaches regions. AXVM_ENOMEM, AXVM_EINVAL, AXVM_EEXIST.
	 * AXVM_EUNSUPPORTED: the machine has not what it needs.
	 */
	int (*create)(struct axvm_device *device, const struct axvm_config_emu *config);
	/* Power-on state. No vCPU of the VM runs. */
	void (*reset)(struct axvm_device *device);
	/* Stops what outlives the VM's pages (timers, host back ends). May be NULL. */
	void (*destroy)(struct axvm_device *device);
	uint64_t (*read)(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes);
	void (*write)(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value);
	/*
	 * Bytes for the guest from the outside (axvm_vm_console_input); returns how many were taken.
	 * NULL: it takes none. Any CPU. The first device of a VM that has it is the VM's console.
	 */
	uint64_t (*input)(struct axvm_device *device, const char *data, uint64_t bytes);
};

struct axvm_device {
	const struct axvm_device_type *type;
	struct axvm_vm *vm;
	const char *name;
	void *state;
	uint32_t irq; /* its line */
};

struct axvm_bus_region {
	uint64_t base;
	uint64_t bytes;
	struct axvm_device *device;
	uint64_t offset; /* of the region's first byte within the device */
};

/* Regions sorted by address. Built at creation, constant while vCPUs run: lookups take no lock. */
#define AXVM_BUS_REGIONS_MAX 64u
struct axvm_bus {
	uint32_t count;
	struct axvm_bus_region regions[AXVM_BUS_REGIONS_MAX];
};

/* AXVM_EEXIST: overlap. AXVM_ERANGE: bus full or the range wraps. AXVM_EINVAL: empty. */
AXVM_MUST_USE int axvm_bus_attach(struct axvm_bus *bus, struct axvm_device *device, uint64_t base,
				  uint64_t bytes, uint64_t offset);

/* The region that holds all of [addr, addr + bytes), or NULL. O(log n). */
const struct axvm_bus_region *axvm_bus_find(const struct axvm_bus *bus, uint64_t addr,
					    uint64_t bytes);

/* The types of dev/ (ISA-independent) and of the ISA, searched by emu_type; NULL when there is none. */
const struct axvm_device_type *axvm_device_type_find(enum axvm_emu_type type);

#endif
