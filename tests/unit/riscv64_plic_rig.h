/* SPDX-License-Identifier: Apache-2.0 */
/* A VM that has a PLIC on its bus, vCPUs that show their line, and nothing else. */
#ifndef RISCV64_PLIC_RIG_H
#define RISCV64_PLIC_RIG_H

#include <string.h>

#include "arch.h"
#include "axtest.h"
#include "intc/plic.h"
#include "riscv64_sim.h"
#include "sim.h"
#include "support/bus_access.h"
#include "vm_parts.h"

#define PLIC 0x0c000000ULL
#define PLIC_BYTES 0x600000ULL
#define PRIORITY(source) (PLIC + 4ULL * (source))
#define PENDING(source) (PLIC + 0x1000 + (source) / 32 * 4ULL)
/* Of S mode of a hart. */
#define ENABLE(hart, source) (PLIC + 0x2080 + 0x100ULL * (hart) + (source) / 32 * 4ULL)
#define THRESHOLD(hart) (PLIC + 0x201000 + 0x2000ULL * (hart))
#define CLAIM(hart) (THRESHOLD(hart) + 4)
#define BIT(source) (1u << ((source) % 32))

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[AXVM_VCPUS_MAX];
static struct axvm_config rig_config;
static struct axvm_config_passthrough rig_passed[1];
static struct axvm_device rig_device;
static const uint64_t rig_args[] = { 2 * AXVM_VCPUS_MAX };
static const struct axvm_config_emu rig_emu = {
	.name = "plic",
	.base = { PLIC },
	.bytes = PLIC_BYTES,
	.type = AXVM_EMU_PPPT_GLOBAL,
	.args = rig_args,
	.arg_count = 1,
};

/* A VM without a PLIC; `last` is the largest interrupt number that its file names. */
static inline void rig_make_vm(uint32_t vcpus, uint32_t last)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = AXVM_VCPUS_MAX;
	axvm_sim_reset(&machine);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	memset(&rig_device, 0, sizeof(rig_device));
	rig_passed[0] = (struct axvm_config_passthrough){ .name = "device", .irq = last };
	rig_config = (struct axvm_config){ .name = "test",
					   .vcpu_count = vcpus,
					   .passthrough = rig_passed,
					   .passthrough_count = 1 };
	rig_vm.config = &rig_config;
	rig_vm.budget.limit_pages = 64;
	rig_vm.vcpu_count = vcpus;
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_vcpus[i].vm = &rig_vm;
		rig_vcpus[i].index = i;
		rig_vcpus[i].last_hit = &axvm_bus_nowhere;
		atomic_store(&rig_vcpus[i].cpu, AXVM_CPU_NONE);
		rig_vm.vcpus[i] = &rig_vcpus[i];
	}
}

static inline int rig_create(const struct axvm_device_type *type,
			     const struct axvm_config_emu *config)
{
	rig_device = (struct axvm_device){ .type = type, .vm = &rig_vm, .name = config->name };
	return type->create(&rig_device, config);
}

static inline void rig_start(uint32_t vcpus, uint32_t last)
{
	rig_make_vm(vcpus, last);
	REQUIRE_EQ(rig_create(&axvm_plic_passthrough_device_type, &rig_emu), 0);
}

/* What every test ends with: nothing is left behind. */
static inline void rig_end(void)
{
	axvm_vm_free_chunks(&rig_vm);
	CHECK_EQ(rig_vm.budget.used_pages, 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

static inline struct axvm_plic *plic(void)
{
	return rig_vm.arch.plic;
}

static inline void rig_reset(void)
{
	rig_device.type->reset(&rig_device);
}

/* SEIP as the hart sees it. */
static inline bool line(uint32_t vcpu)
{
	return atomic_load(&rig_vcpus[vcpu].arch.external) != 0;
}

static inline uint64_t rd_bytes(uint64_t addr, unsigned bytes)
{
	uint64_t value = 0;

	CHECK(try_bus_read(&rig_vcpus[0], addr, bytes, &value));
	return value;
}

static inline void wr_bytes(uint64_t addr, unsigned bytes, uint64_t value)
{
	CHECK(try_bus_write(&rig_vcpus[0], addr, bytes, value));
}

static inline uint32_t rd(uint64_t addr)
{
	return (uint32_t)rd_bytes(addr, 4);
}

static inline void wr(uint64_t addr, uint32_t value)
{
	wr_bytes(addr, 4, value);
}

static inline bool is_pending(uint32_t source)
{
	return (rd(PENDING(source)) & BIT(source)) != 0;
}

static inline void enable(uint32_t hart, uint32_t source)
{
	wr(ENABLE(hart, source), rd(ENABLE(hart, source)) | BIT(source));
}

static inline void disable(uint32_t hart, uint32_t source)
{
	wr(ENABLE(hart, source), rd(ENABLE(hart, source)) & ~BIT(source));
}

/* Enabled for a hart with a priority. */
static inline void want(uint32_t hart, uint32_t source, uint32_t priority)
{
	wr(PRIORITY(source), priority);
	enable(hart, source);
}

static inline void set_level(uint32_t source, bool level)
{
	CHECK_EQ(axvm_plic_set_level(plic(), source, level), 0);
}

static inline void pulse(uint32_t source)
{
	CHECK_EQ(axvm_plic_pulse(plic(), source), 0);
}

static inline void from_host(uint32_t source)
{
	CHECK_EQ(axvm_plic_host_interrupt(plic(), source, false), 0);
}

#endif
