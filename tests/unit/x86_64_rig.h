/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM of this ISA that is just enough for its architecture code: vCPUs bound to the CPUs of the same number, RAM
 * from 0 on, local APICs and PIC. vCPU 0 is in 64-bit mode over identity tables, its code where `rig_code` puts it.
 */
#ifndef X86_64_RIG_H
#define X86_64_RIG_H

#include <string.h>

#include "axtest.h"
#include "exit.h"
#include "regs.h"
#include "sim.h"
#include "support/bus_access.h"
#include "vcpu_sim.h"
#include "vm_parts.h"
#include "x86_64_sim.h"

#define RAM_BYTES 0x200000ULL
#define RIG_VCPUS_MAX 64u
#define CODE 0x8000ULL
#define PML4 0x10000ULL
#define PDPT 0x11000ULL
#define PD 0x12000ULL

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[RIG_VCPUS_MAX];
static struct axvm_config rig_config;
static struct axvm_hpa rig_ram;

static inline struct axvm_vcpu *on(uint32_t index)
{
	axvm_sim_set_cpu(index);
	return &rig_vcpus[index];
}

static inline void ram_write(uint64_t gpa, const void *data, uint64_t bytes)
{
	CHECK_EQ(axvm_aspace_write(&rig_vm.aspace, axvm_gpa(gpa), data, bytes), 0);
}

static inline void ram_write_64(uint64_t gpa, uint64_t value)
{
	ram_write(gpa, &value, sizeof(value));
}

/* 64-bit mode, the first GiB mapped as it is by a large page. */
static inline void rig_long_mode(uint32_t index)
{
	struct axvm_arch_vcpu *arch = &rig_vcpus[index].arch;

	ram_write_64(PML4, PDPT | 3);
	ram_write_64(PDPT, PD | 3);
	ram_write_64(PD, 0x83);
	arch->sys.cr0 = AXVM_X86_CR0_PE | AXVM_X86_CR0_PG | AXVM_X86_CR0_ET | AXVM_X86_CR0_NE |
			AXVM_X86_CR0_WP;
	arch->sys.cr3 = PML4;
	arch->sys.cr4 = AXVM_X86_CR4_PAE;
	arch->sys.efer = AXVM_X86_EFER_LME | AXVM_X86_EFER_LMA;
	arch->sys.segment[AXVM_X86_CS].attributes = 0x29b;
	arch->sys.segment[AXVM_X86_CS].base = 0;
	arch->rip = CODE;
}

/* A segment that code of 32 bits runs in, without paging. */
static inline void rig_protected_mode(uint32_t index)
{
	struct axvm_arch_vcpu *arch = &rig_vcpus[index].arch;

	arch->sys.cr0 = AXVM_X86_CR0_PE | AXVM_X86_CR0_ET;
	arch->sys.cr4 = 0;
	arch->sys.efer = 0;
	arch->sys.segment[AXVM_X86_CS] =
		(struct axvm_x86_segment){ .attributes = 0xc9b, .limit = UINT32_MAX };
	arch->rip = CODE;
}

static inline void rig_make_vcpus(uint32_t vcpus)
{
	rig_vm.vcpu_count = vcpus;
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_vcpus[i].vm = &rig_vm;
		rig_vcpus[i].last_hit = &axvm_bus_nowhere;
		rig_vcpus[i].index = i;
		atomic_store(&rig_vcpus[i].cpu, AXVM_CPU_NONE);
		atomic_store(&rig_vcpus[i].power, i == 0 ? AXVM_POWER_ON : AXVM_POWER_OFF);
		rig_vm.vcpus[i] = &rig_vcpus[i];
	}
}

static inline void rig_bind(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);

	atomic_store(&vcpu->cpu, index);
	axvm_arch_vcpu_bound(vcpu);
	axvm_hal_vcpu_bind(vcpu);
}

static inline void rig_unbind(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);

	axvm_hal_vcpu_unbind(vcpu);
	axvm_arch_vcpu_unbound(vcpu);
	atomic_store(&vcpu->cpu, AXVM_CPU_NONE);
}

/* `host` NULL: the default one. */
static inline void rig_start_on(uint32_t vcpus, const struct axvm_x86_64_host *host)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = RIG_VCPUS_MAX;
	machine.time_hz = 2400000000;
	axvm_sim_reset(&machine);
	if (host != NULL)
		axvm_sim_x86_64_set_host(host);
	REQUIRE_EQ(axvm_init(NULL), 0);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	rig_config = (struct axvm_config){ .name = "test", .vcpu_count = vcpus };
	rig_vm.config = &rig_config;
	rig_vm.budget.limit_pages = 4096;
	atomic_store(&rig_vm.state, AXVM_VM_RUNNING);
	rig_make_vcpus(vcpus);
	REQUIRE_EQ(axvm_aspace_init(&rig_vm.aspace, axvm_host_caps()->format, 1, &rig_vm.budget),
		   0);
	REQUIRE_EQ(axvm_hal_alloc_pages(RAM_BYTES / 4096, RAM_BYTES, &rig_ram), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(0), rig_ram, RAM_BYTES, AXVM_MAP_RWX),
		   0);
	REQUIRE_EQ(axvm_aspace_fill(&rig_vm.aspace, axvm_gpa(0), 0, RAM_BYTES), 0);
	REQUIRE_EQ(axvm_arch_vm_init(&rig_vm), 0);
	for (uint32_t i = 0; i < vcpus; i++)
		REQUIRE_EQ(axvm_arch_vcpu_init(&rig_vcpus[i]), 0);
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_bind(i);
		rig_long_mode(i);
	}
	(void)on(0);
}

static inline void rig_start(uint32_t vcpus)
{
	rig_start_on(vcpus, NULL);
}

/* What every test ends with: nothing is left behind. */
static inline void rig_end(void)
{
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++) {
		if (atomic_load(&rig_vcpus[i].cpu) != AXVM_CPU_NONE)
			rig_unbind(i);
		axvm_arch_vcpu_fini(&rig_vcpus[i]);
		axvm_sim_forget(&rig_vcpus[i]);
	}
	(void)on(0);
	axvm_aspace_fini(&rig_vm.aspace);
	axvm_hal_free_pages(rig_ram, RAM_BYTES / 4096);
	axvm_vm_free_chunks(&rig_vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

#endif
