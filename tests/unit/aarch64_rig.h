/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM of this ISA that is just enough for its architecture code: vCPUs bound to the CPUs of
 * the same number, a mapped page of RAM, the virtual GICv3 on its bus; and what a guest and the
 * virtual CPU interface do to the list registers.
 */
#ifndef AARCH64_RIG_H
#define AARCH64_RIG_H

#include <string.h>

#include "aarch64_sim.h"
#include "axtest.h"
#include "exit.h"
#include "regs.h"
#include "sim.h"
#include "support/bus_access.h"
#include "timer.h"
#include "vcpu_sim.h"
#include "vm_parts.h"

#define GICD 0x08000000ULL
#define GICR 0x080a0000ULL
#define GICR_SGI(vcpu) (GICR + 0x20000ULL * (vcpu) + 0x10000)
#define RAM 0x40000000ULL
#define RAM_BYTES 0x200000ULL
#define RIG_VCPUS_MAX 64u

#define LR_STATE(lr) ((lr) >> 62)

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[RIG_VCPUS_MAX];
static struct axvm_config rig_config;
static struct axvm_device rig_gic;
static struct axvm_hpa rig_ram;

static const uint64_t rig_gic_args[] = { GICR };
static const struct axvm_config_emu rig_gic_config = {
	.name = "gicv3",
	.base = { GICD },
	.bytes = 0x10000,
	.type = AXVM_EMU_GICV3,
	.args = rig_gic_args,
	.arg_count = 1,
};

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

static inline void rig_start_with(uint32_t vcpus, const uint64_t *phys_cpu_ids)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = RIG_VCPUS_MAX;
	axvm_sim_reset(&machine);
	REQUIRE_EQ(axvm_init(NULL), 0);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	memset(&rig_gic, 0, sizeof(rig_gic));
	rig_config = (struct axvm_config){ .name = "test",
					   .vcpu_count = vcpus,
					   .phys_cpu_ids = phys_cpu_ids };
	rig_vm.config = &rig_config;
	rig_vm.budget.limit_pages = 4096;
	atomic_store(&rig_vm.state, AXVM_VM_RUNNING);
	rig_vm.vcpu_count = vcpus;
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_vcpus[i].vm = &rig_vm;
		rig_vcpus[i].last_hit = &axvm_bus_nowhere;
		rig_vcpus[i].index = i;
		atomic_store(&rig_vcpus[i].cpu, AXVM_CPU_NONE);
		atomic_store(&rig_vcpus[i].power, i == 0 ? AXVM_POWER_ON : AXVM_POWER_OFF);
		rig_vm.vcpus[i] = &rig_vcpus[i];
	}
	REQUIRE_EQ(axvm_aspace_init(&rig_vm.aspace, axvm_host_caps()->format, 1, &rig_vm.budget),
		   0);
	REQUIRE_EQ(axvm_hal_alloc_pages(RAM_BYTES / 4096, RAM_BYTES, &rig_ram), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(RAM), rig_ram, RAM_BYTES, AXVM_MAP_RWX),
		   0);
	REQUIRE_EQ(axvm_arch_vm_init(&rig_vm), 0);
	for (uint32_t i = 0; i < vcpus; i++)
		REQUIRE_EQ(axvm_arch_vcpu_init(&rig_vcpus[i]), 0);
	rig_gic = (struct axvm_device){ .type = &axvm_vgic_device_type,
					.vm = &rig_vm,
					.name = "gicv3" };
	REQUIRE_EQ(axvm_vgic_device_type.create(&rig_gic, &rig_gic_config), 0);
	for (uint32_t i = 0; i < vcpus; i++)
		rig_bind(i);
	(void)on(0);
}

static inline void rig_start(uint32_t vcpus)
{
	rig_start_with(vcpus, NULL);
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
	axvm_vgic_device_type.destroy(&rig_gic);
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

static inline uint32_t rd(uint64_t addr)
{
	return (uint32_t)mmio_read(0, addr, 4);
}

static inline void wr(uint64_t addr, uint32_t value)
{
	mmio_write(0, addr, 4, value);
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

/* ---- the virtual CPU interface -------------------------------------------------------------------- */

#define NO_LR 99u

static inline uint32_t lr_priority(uint64_t lr)
{
	return (uint32_t)(lr >> 48) & 0xff;
}

/* The list register that the hardware would signal: pending, not active, of the highest priority. */
static inline uint32_t first_pending(const struct axvm_vcpu *vcpu)
{
	uint32_t best = NO_LR;

	for (uint32_t n = 0; n < vcpu->arch.vgic.lr_count; n++) {
		if (LR_STATE(vcpu->arch.vgic.lr[n]) != 1)
			continue;
		if (best == NO_LR ||
		    lr_priority(vcpu->arch.vgic.lr[n]) < lr_priority(vcpu->arch.vgic.lr[best]))
			best = n;
	}
	return best;
}

/* What asks for maintenance happens until nothing does. */
static inline void maintain(struct axvm_vcpu *vcpu)
{
	for (unsigned i = 0; i < 8; i++) {
		struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
		bool wanted = (cpu->hcr & AXVM_ICH_HCR_NPIE) != 0 && first_pending(vcpu) == NO_LR;

		for (uint32_t n = 0; n < cpu->lr_count; n++)
			wanted |= LR_STATE(cpu->lr[n]) == 0 && (cpu->lr[n] & AXVM_ICH_LR_HW) == 0 &&
				  (cpu->lr[n] & AXVM_ICH_LR_EOI) != 0;
		wanted |= (cpu->hcr & AXVM_ICH_HCR_LRENPIE) != 0 &&
			  cpu->hcr >> AXVM_ICH_HCR_EOICOUNT_SHIFT != 0;
		if (!wanted)
			return;
		axvm_aarch64_maintenance(vcpu);
	}
	bool maintenance_is_satisfied = false;

	CHECK(maintenance_is_satisfied);
}

/* ICC_IAR1_EL1, for a CPU whose running priority is `running` (0x100: idle). 1023: nothing. */
static inline uint32_t ack_above(uint32_t index, uint32_t running)
{
	struct axvm_vcpu *vcpu = on(index);
	uint32_t n = first_pending(vcpu);

	if (n == NO_LR || lr_priority(vcpu->arch.vgic.lr[n]) >= running)
		return 1023;
	vcpu->arch.vgic.lr[n] ^= 3ULL << 62;
	uint32_t id = (uint32_t)vcpu->arch.vgic.lr[n];

	maintain(vcpu);
	return id;
}

static inline uint32_t ack(uint32_t index)
{
	return ack_above(index, 0x100);
}

/* ICC_EOIR1_EL1 of an active interrupt, EOImode 0. */
static inline void eoi(uint32_t index, uint32_t id)
{
	struct axvm_vcpu *vcpu = on(index);
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	bool found = false;

	for (uint32_t n = 0; n < cpu->lr_count && !found; n++) {
		if (LR_STATE(cpu->lr[n]) >= 2 && (uint32_t)cpu->lr[n] == id) {
			cpu->lr[n] &= ~AXVM_ICH_LR_ACTIVE;
			found = true;
		}
	}
	if (!found)
		cpu->hcr += 1ULL << AXVM_ICH_HCR_EOICOUNT_SHIFT;
	maintain(vcpu);
}

/* ---- registers of the controller -------------------------------------------------------------------- */

#define GICD_CTLR (GICD + 0x0)
#define IGROUPR(base, id) ((base) + 0x080 + (id) / 32 * 4)
#define ISENABLER(base, id) ((base) + 0x100 + (id) / 32 * 4)
#define ICENABLER(base, id) ((base) + 0x180 + (id) / 32 * 4)
#define ISPENDR(base, id) ((base) + 0x200 + (id) / 32 * 4)
#define ICPENDR(base, id) ((base) + 0x280 + (id) / 32 * 4)
#define ISACTIVER(base, id) ((base) + 0x300 + (id) / 32 * 4)
#define ICACTIVER(base, id) ((base) + 0x380 + (id) / 32 * 4)
#define IPRIORITYR(base, id) ((base) + 0x400 + (id))
#define ICFGR(base, id) ((base) + 0xc00 + (id) / 16 * 4)
#define IROUTER(id) (GICD + 0x6000 + 8ULL * (id))
#define BIT(id) (1u << ((id) % 32))

/* All in group 1, both groups on, priority 0xa0, as Linux does it. */
static inline void gic_on(void)
{
	wr(GICD_CTLR, 3);
	for (uint32_t id = 32; id < rig_vm.arch.vgic.line_count; id += 32)
		wr(IGROUPR(GICD, id), UINT32_MAX);
	for (uint32_t id = 32; id < rig_vm.arch.vgic.line_count; id += 4)
		wr(IPRIORITYR(GICD, id), 0xa0a0a0a0);
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++) {
		wr(IGROUPR(GICR_SGI(i), 0), UINT32_MAX);
		for (uint32_t id = 0; id < 32; id += 4)
			wr(IPRIORITYR(GICR_SGI(i), id), 0xa0a0a0a0);
	}
	serve_all();
}

static inline void enable_spi(uint32_t id)
{
	wr(ISENABLER(GICD, id), BIT(id));
	serve_all();
}

static inline void enable_private(uint32_t vcpu, uint32_t id)
{
	wr(ISENABLER(GICR_SGI(vcpu), 0), BIT(id));
	serve_all();
}

#endif
