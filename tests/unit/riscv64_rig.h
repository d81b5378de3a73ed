/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM of this ISA that is just enough for its architecture code: vCPUs bound to the CPUs of
 * the same number, a mapped page of RAM, the virtual PLIC on its bus, and on vCPU i the interrupt enables
 * that a test sets.
 */
#ifndef RISCV64_RIG_H
#define RISCV64_RIG_H

#include <string.h>

#include "axtest.h"
#include "exit.h"
#include "regs.h"
#include "riscv64_sim.h"
#include "sim.h"
#include "support/bus_access.h"
#include "timer.h"
#include "vcpu_sim.h"
#include "vm_parts.h"

#define PLIC 0x0c000000ULL
#define PLIC_BYTES 0x600000ULL
#define RAM 0x80000000ULL
#define RAM_BYTES 0x200000ULL
#define RIG_VCPUS_MAX 64u

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[RIG_VCPUS_MAX];
static struct axvm_config rig_config;
static struct axvm_device rig_plic;
static struct axvm_hpa rig_ram;

static const uint64_t rig_plic_args[] = { 2 * AXVM_VCPUS_MAX };
static const struct axvm_config_emu rig_emu[] = { {
	.name = "plic",
	.base = { PLIC },
	.bytes = PLIC_BYTES,
	.type = AXVM_EMU_PLIC,
	.args = rig_plic_args,
	.arg_count = 1,
} };

/* On behalf of which vCPU, hence CPU, the following happens. */
static inline struct axvm_vcpu *on(uint32_t index)
{
	axvm_sim_set_cpu(index);
	return &rig_vcpus[index];
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

/* `host` NULL: the default one. `hart_ids` NULL: 0 and on. */
static inline void rig_start_with(uint32_t vcpus, const struct axvm_riscv64_host *host,
				  const uint64_t *hart_ids)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = RIG_VCPUS_MAX;
	axvm_sim_reset(&machine);
	if (host != NULL)
		axvm_sim_riscv64_set_host(host);
	REQUIRE_EQ(axvm_init(NULL), 0);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	rig_config = (struct axvm_config){ .name = "test",
					   .vcpu_count = vcpus,
					   .phys_cpu_ids = hart_ids,
					   .emu = rig_emu,
					   .emu_count = 1 };
	rig_vm.config = &rig_config;
	rig_vm.budget.limit_pages = 4096;
	atomic_store(&rig_vm.state, AXVM_VM_RUNNING);
	rig_make_vcpus(vcpus);
	REQUIRE_EQ(axvm_aspace_init(&rig_vm.aspace, axvm_host_caps()->format, 1, &rig_vm.budget),
		   0);
	REQUIRE_EQ(axvm_hal_alloc_pages(RAM_BYTES / 4096, RAM_BYTES, &rig_ram), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(RAM), rig_ram, RAM_BYTES, AXVM_MAP_RWX),
		   0);
	REQUIRE_EQ(axvm_arch_vm_init(&rig_vm), 0);
	for (uint32_t i = 0; i < vcpus; i++)
		REQUIRE_EQ(axvm_arch_vcpu_init(&rig_vcpus[i]), 0);
	rig_plic = (struct axvm_device){ .type = &axvm_plic_device_type,
					 .vm = &rig_vm,
					 .name = "plic" };
	REQUIRE_EQ(axvm_plic_device_type.create(&rig_plic, &rig_emu[0]), 0);
	for (uint32_t i = 0; i < vcpus; i++)
		rig_bind(i);
	(void)on(0);
}

static inline void rig_start(uint32_t vcpus)
{
	rig_start_with(vcpus, NULL, NULL);
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
	if (axvm_plic_device_type.destroy != NULL)
		axvm_plic_device_type.destroy(&rig_plic);
	axvm_aspace_fini(&rig_vm.aspace);
	axvm_hal_free_pages(rig_ram, RAM_BYTES / 4096);
	axvm_vm_free_chunks(&rig_vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

/* ---- MMIO, as the exit path does it -------------------------------------------------------- */

static inline uint64_t mmio_read(uint32_t vcpu, uint64_t addr, uint8_t bytes)
{
	uint64_t value = 0;

	CHECK(try_bus_read(on(vcpu), addr, bytes, &value));
	return value;
}

static inline void mmio_write(uint32_t vcpu, uint64_t addr, uint8_t bytes, uint64_t value)
{
	CHECK(try_bus_write(on(vcpu), addr, bytes, value));
}

/* ---- requests: what the exit path does before it enters ---------------------------------------- */

static inline void serve(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);

	for (unsigned i = 0; i < 4 && atomic_load(&vcpu->requests) != 0; i++)
		(void)axvm_vcpu_take_requests(vcpu);
	CHECK_EQ(atomic_load(&vcpu->requests), 0);
}

static inline void serve_all(void)
{
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
			serve(i);
	}
}

/* ---- the hart: what it would take now ------------------------------------------------------------ */

/* VSSI, VSTI and VSEI that are pending and enabled; vsie is what the guest has enabled. */
static inline uint64_t taken(uint32_t index)
{
	serve(index);
	return rig_vcpus[index].arch.hvip & rig_vcpus[index].arch.vsie;
}

static inline void enable_all(uint32_t index)
{
	rig_vcpus[index].arch.vsie = AXVM_RISCV64_HIDELEG;
}

#endif
