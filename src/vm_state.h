/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a VM, for the library and its hal/ back ends. */
#ifndef AXVM_VM_STATE_H
#define AXVM_VM_STATE_H

#include <axvm/vm.h>

#include "image.h"
#include "lock.h"
#include "vcpu_state.h"

/* RAM of the VM, as it was really given: one per contiguous piece. */
struct axvm_memory_region {
	struct axvm_gpa gpa;
	struct axvm_hpa hpa;
	uint64_t bytes;
	uint32_t flags;
	bool owned; /* freed at destruction */
	bool cleared_on_reset;
	bool mapped_later; /* by axvm_vm_map_region */
};

/* A device range of the host that the guest has. Page aligned, sorted, not overlapping. */
struct axvm_passthrough_range {
	struct axvm_gpa gpa;
	struct axvm_hpa hpa;
	uint64_t bytes;
};

/* Chunk of pages that axvm_vm_alloc hands out; freed together at destruction. */
struct axvm_vm_chunk {
	struct axvm_vm_chunk *next;
	void *address; /* the pages, mapped */
	struct axvm_hpa hpa;
	uint64_t pages;
	uint64_t used_bytes;
};

#define AXVM_VM_DEVICES_MAX 32u
#define AXVM_UNCLAIMED_PAGES_MAX 16u

struct axvm_vm {
	_Atomic uint32_t references;
	_Atomic uint32_t state;	      /* enum axvm_vm_state; changed under the lock, read without */
	_Atomic uint32_t bound_vcpus; /* now on a physical CPU */
	struct axvm_lock lock;
	struct axvm_hpa hpa;		  /* of this struct */
	uint32_t slot;			  /* its place among the live VMs, from 1; 0: none yet */
	const struct axvm_config *config; /* the VM's own copy */
	struct axvm_vm_params params;	  /* its config is the copy too */
	struct axvm_plan plan;
	struct axvm_budget budget;
	struct axvm_aspace aspace;
	struct axvm_bus mmio;
	uint32_t vcpu_count;
	uint32_t vcpus_made; /* that axvm_arch_vcpu_init has seen; the rest was never set up */
	struct axvm_vcpu *vcpus[AXVM_VCPUS_MAX];
	/* Which was bound last on each physical CPU, its index plus 1; that CPU's alone. */
	uint8_t last_vcpu[AXVM_CPUS_MAX];
	uint32_t device_count;
	struct axvm_device devices[AXVM_VM_DEVICES_MAX];
	uint32_t region_count;
	uint32_t region_capacity;
	struct axvm_memory_region *regions;
	uint32_t passthrough_count;
	struct axvm_passthrough_range *passthrough;
	uint32_t irqs_attached; /* entries of config->passthrough whose interrupt was seen to */
	/* The finished device tree, written again, with a new seed, at each reset. */
	uint8_t *dtb;
	uint64_t dtb_bytes;
	struct axvm_vm_chunk *chunks;
	struct axvm_arch_vm arch;
	struct axvm_stop stop;
	bool reset_when_left; /* STOPPING ends in READY, by axvm_vm_settle */
	bool reloading;	      /* a thread is at that, without the lock */
	_Atomic uint64_t unclaimed_accesses;
	/* Pages whose unclaimed accesses were logged (number plus 1; 0: free); full: no more is logged. */
	_Atomic uint64_t unclaimed_pages[AXVM_UNCLAIMED_PAGES_MAX];
	struct axvm_device *console; /* takes axvm_vm_console_input; NULL: none */
	struct axvm_vm *next;	     /* the list of VMs, under its lock */
};

#endif
