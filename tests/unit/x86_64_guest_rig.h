/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU with RAM, 4-level tables of its own, a device in memory and one at ports, for tests of what is
 * emulated. Exceptions and steps are recorded here in place of exit.c.
 */
#ifndef X86_64_GUEST_RIG_H
#define X86_64_GUEST_RIG_H

#include <string.h>

#include "axtest.h"
#include "bus.h"
#include "emulate.h"
#include "exit.h"
#include "operand.h"
#include "pte.h"
#include "regs.h"
#include "sim.h"
#include "vm_parts.h"
#include "walk.h"

#define RAM_GPA 0x100000ULL
#define RAM_BYTES 0x100000ULL
#define TABLES_GPA 0x180000ULL /* from here on */
#define DEVICE_GPA 0xfe000000ULL
#define DEVICE_BYTES 0x2000u
#define NOWHERE_GPA 0xfd000000ULL
#define PORT 0x3f8u
#define PORT_BYTES 8u

#define PTE_RW 3u
#define PTE_USER 4u

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpu;
static struct axvm_config rig_config;
static struct axvm_hpa rig_ram;
static uint64_t rig_next_table;

/* What the vCPU was made to take. */
static struct {
	unsigned count;
	unsigned vector;
	uint32_t error_code;
	uint64_t linear;
} rig_injected;

static inline void rig_record(unsigned vector, uint32_t error_code, uint64_t linear)
{
	rig_injected.count++;
	rig_injected.vector = vector;
	rig_injected.error_code = error_code;
	rig_injected.linear = linear;
}

void axvm_x86_64_inject_exception(struct axvm_vcpu *vcpu, uint8_t vector)
{
	(void)vcpu;
	rig_record(vector, 0, 0);
}

void axvm_x86_64_inject_error(struct axvm_vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
	(void)vcpu;
	rig_record(vector, error_code, 0);
}

void axvm_x86_64_inject_page_fault(struct axvm_vcpu *vcpu, uint64_t linear, uint32_t error_code)
{
	(void)vcpu;
	rig_record(AXVM_X86_PF, error_code, linear);
}

void axvm_x86_64_skip(struct axvm_vcpu *vcpu, unsigned bytes)
{
	vcpu->arch.rip += bytes;
}

unsigned axvm_x86_64_exit_length(struct axvm_vcpu *vcpu)
{
	return vcpu->arch.exit.instruction_bytes;
}

/* The registers of this vCPU are always where a test has put them. */
void axvm_hal_sysreg_sync(struct axvm_vcpu *vcpu)
{
	CHECK(vcpu == &rig_vcpu);
}

/* ---- devices: memory that counts ------------------------------------------------------------------------ */

struct rig_device {
	uint8_t memory[DEVICE_BYTES];
	unsigned reads;
	unsigned writes;
	unsigned bytes; /* of the last access */
};

static struct rig_device rig_mmio;
static struct rig_device rig_ports;

static uint64_t rig_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	struct rig_device *state = device->state;
	uint64_t value = 0x5555555555555555;

	(void)vcpu;
	CHECK(offset < DEVICE_BYTES && bytes <= DEVICE_BYTES - offset);
	CHECK(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
	memcpy(&value, &state->memory[offset], bytes);
	state->reads++;
	state->bytes = bytes;
	return value;
}

static void rig_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	struct rig_device *state = device->state;

	(void)vcpu;
	CHECK(offset < DEVICE_BYTES && bytes <= DEVICE_BYTES - offset);
	CHECK(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
	memcpy(&state->memory[offset], &value, bytes);
	state->writes++;
	state->bytes = bytes;
}

static const struct axvm_device_type rig_type = { .name = "test",
						  .read = rig_read,
						  .write = rig_write };
static struct axvm_device rig_mmio_device = { .type = &rig_type, .state = &rig_mmio };
static struct axvm_device rig_port_device = { .type = &rig_type, .state = &rig_ports };

/* ---- memory --------------------------------------------------------------------------------------------- */

static inline void ram_write(uint64_t gpa, const void *data, uint64_t bytes)
{
	CHECK_EQ(axvm_aspace_write(&rig_vm.aspace, axvm_gpa(gpa), data, bytes), 0);
}

static inline void ram_read(uint64_t gpa, void *data, uint64_t bytes)
{
	CHECK_EQ(axvm_aspace_read(&rig_vm.aspace, axvm_gpa(gpa), data, bytes), 0);
}

static inline uint64_t rig_new_table(void)
{
	rig_next_table += 4096;
	return rig_next_table - 4096;
}

/* Maps a page of linear memory in the guest's 4-level tables. */
static inline void rig_map(uint64_t linear, uint64_t gpa, uint64_t flags)
{
	uint64_t table = rig_vcpu.arch.sys.cr3;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t at = table + 8 * (linear >> shift & 511);
		uint64_t entry;

		ram_read(at, &entry, 8);
		if (entry == 0) {
			entry = rig_new_table() | PTE_RW | PTE_USER;
			ram_write(at, &entry, 8);
		}
		table = entry & ~(uint64_t)4095;
	}
	gpa |= flags;
	ram_write(table + 8 * (linear >> 12 & 511), &gpa, 8);
}

/* ---- beginning and end ------------------------------------------------------------------------------------ */

static inline void rig_start(void)
{
	struct axvm_vcpu *vcpu = &rig_vcpu;

	axvm_sim_reset(NULL);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(vcpu, 0, sizeof(*vcpu));
	memset(&rig_mmio, 0, sizeof(rig_mmio));
	memset(&rig_ports, 0, sizeof(rig_ports));
	memset(&rig_injected, 0, sizeof(rig_injected));
	rig_config = (struct axvm_config){ .name = "test", .vcpu_count = 1 };
	rig_vm.config = &rig_config;
	rig_vm.budget.limit_pages = 4096;
	vcpu->vm = &rig_vm;
	vcpu->last_hit = &axvm_bus_nowhere;
	REQUIRE_EQ(axvm_aspace_init(&rig_vm.aspace, axvm_x86_64_npt_format(4, true), 1,
				    &rig_vm.budget),
		   0);
	REQUIRE_EQ(axvm_hal_alloc_pages(RAM_BYTES / 4096, RAM_BYTES, &rig_ram), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(RAM_GPA), rig_ram, RAM_BYTES,
				   AXVM_MAP_RWX),
		   0);
	REQUIRE_EQ(axvm_aspace_fill(&rig_vm.aspace, axvm_gpa(RAM_GPA), 0, RAM_BYTES), 0);
	REQUIRE_EQ(axvm_bus_attach(&rig_vm.mmio, &rig_mmio_device, DEVICE_GPA, DEVICE_BYTES, 0), 0);
	REQUIRE_EQ(axvm_bus_attach(&rig_vm.arch.ports, &rig_port_device, PORT, PORT_BYTES, 0), 0);
	rig_next_table = TABLES_GPA;
	vcpu->arch.sys.cr3 = rig_new_table();
	vcpu->arch.sys.cr0 = AXVM_X86_CR0_PE | AXVM_X86_CR0_PG | AXVM_X86_CR0_WP;
	vcpu->arch.sys.cr4 = AXVM_X86_CR4_PAE;
	vcpu->arch.sys.efer = AXVM_X86_EFER_LMA | AXVM_X86_EFER_LME | AXVM_X86_EFER_NXE;
	vcpu->arch.sys.segment[AXVM_X86_CS].attributes = 0x29b;
	vcpu->arch.rflags = AXVM_X86_RFLAGS_FIXED;
}

static inline void rig_end(void)
{
	axvm_aspace_fini(&rig_vm.aspace);
	axvm_hal_free_pages(rig_ram, RAM_BYTES / 4096);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
}

/* No paging, flat segments of 4 GiB: what a guest has before it makes tables. */
static inline void rig_flat_mode(bool big)
{
	struct axvm_x86_sysregs *sys = &rig_vcpu.arch.sys;

	sys->cr0 = AXVM_X86_CR0_PE;
	sys->efer = 0;
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++) {
		sys->segment[i].attributes = i == AXVM_X86_CS ? 0x09b : 0x093;
		sys->segment[i].attributes |= big ? 0xc00 : 0;
		sys->segment[i].limit = big ? UINT32_MAX : UINT16_MAX;
	}
}

#endif
