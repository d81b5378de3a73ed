/* SPDX-License-Identifier: Apache-2.0 */
/* A VM that is just enough for an APLIC and an IMSIC: vCPUs, an address space, the devices on its bus. */
#ifndef RISCV64_AIA_RIG_H
#define RISCV64_AIA_RIG_H

#include <string.h>

#include "axtest.h"
#include "exit.h"
#include "riscv64_sim.h"
#include "sim.h"
#include "support/bus_access.h"
#include "vcpu_sim.h"
#include "vm_parts.h"

#define APLIC 0x0d000000ULL
#define IMSIC 0x28000000ULL
#define AIA_VCPUS_MAX 64u

#define DOMAINCFG (APLIC + 0x0000)
#define SOURCECFG(source) (APLIC + 4ULL * (source))
#define SETIP(word) (APLIC + 0x1c00 + 4ULL * (word))
#define SETIPNUM (APLIC + 0x1cdc)
#define IN_CLRIP(word) (APLIC + 0x1d00 + 4ULL * (word))
#define CLRIPNUM (APLIC + 0x1ddc)
#define SETIE(word) (APLIC + 0x1e00 + 4ULL * (word))
#define SETIENUM (APLIC + 0x1edc)
#define CLRIE(word) (APLIC + 0x1f00 + 4ULL * (word))
#define CLRIENUM (APLIC + 0x1fdc)
#define SETIPNUM_LE (APLIC + 0x2000)
#define SETIPNUM_BE (APLIC + 0x2004)
#define GENMSI (APLIC + 0x3000)
#define TARGET(source) (APLIC + 0x3000 + 4ULL * (source))
#define IDELIVERY(hart) (APLIC + 0x4000 + 32ULL * (hart))
#define IFORCE(hart) (IDELIVERY(hart) + 0x04)
#define ITHRESHOLD(hart) (IDELIVERY(hart) + 0x08)
#define TOPI(hart) (IDELIVERY(hart) + 0x18)
#define CLAIMI(hart) (IDELIVERY(hart) + 0x1c)

#define IE 0x100u
#define DM 0x4u

#define INACTIVE 0u
#define DETACHED 1u
#define EDGE1 4u
#define EDGE0 5u
#define LEVEL1 6u
#define LEVEL0 7u

#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP 0x80u
#define EIE 0xc0u

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[AIA_VCPUS_MAX];
static struct axvm_config rig_config;
static struct axvm_device rig_aplic;
static struct axvm_device rig_imsic;

static inline struct axvm_vcpu *on(uint32_t index)
{
	axvm_sim_set_cpu(index);
	return &rig_vcpus[index];
}

static inline int rig_make(struct axvm_device *device, const struct axvm_device_type *type,
			   uint64_t base, uint64_t bytes)
{
	const struct axvm_config_emu config = { .base = { base }, .bytes = bytes };

	*device = (struct axvm_device){ .type = type, .vm = &rig_vm, .name = type->name };
	return type->create(device, &config);
}

/* `files`: guest interrupt files of each hart. `passthrough`: what the VM has of the host's. */
static inline void rig_start_with(uint32_t vcpus, bool with_imsic, uint32_t files,
				  const struct axvm_config_passthrough *passthrough, uint32_t count)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = AIA_VCPUS_MAX;
	axvm_sim_reset(&machine);

	struct axvm_riscv64_host host = axvm_sim_riscv64_default_host();

	host.has_aia = true;
	host.guest_files = files;
	host.controller = AXVM_RISCV64_AIA;
	axvm_sim_riscv64_set_host(&host);
	REQUIRE_EQ(axvm_init(NULL), 0);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	rig_config = (struct axvm_config){ .name = "test",
					   .vcpu_count = vcpus,
					   .irq_mode = AXVM_IRQ_EMULATED,
					   .passthrough = passthrough,
					   .passthrough_count = count };
	rig_vm.config = &rig_config;
	rig_vm.irqs_attached = count;
	rig_vm.budget.limit_pages = 4096;
	axvm_lock_init(&rig_vm.lock, AXVM_LOCK_VM);
	atomic_store(&rig_vm.state, AXVM_VM_RUNNING);
	rig_vm.vcpu_count = vcpus;
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_vcpus[i].vm = &rig_vm;
		rig_vcpus[i].last_hit = &axvm_bus_nowhere;
		rig_vcpus[i].index = i;
		atomic_store(&rig_vcpus[i].cpu, AXVM_CPU_NONE);
		atomic_store(&rig_vcpus[i].power, AXVM_POWER_ON);
		rig_vm.vcpus[i] = &rig_vcpus[i];
	}
	REQUIRE_EQ(axvm_aspace_init(&rig_vm.aspace, axvm_host_caps()->format, 1, &rig_vm.budget),
		   0);
	REQUIRE_EQ(rig_make(&rig_aplic, &axvm_aplic_device_type, APLIC, 0x8000), 0);
	if (with_imsic)
		REQUIRE_EQ(rig_make(&rig_imsic, &axvm_imsic_device_type, IMSIC, vcpus * 0x1000ULL),
			   0);
	(void)on(0);
}

static inline void rig_start(uint32_t vcpus, bool with_imsic)
{
	rig_start_with(vcpus, with_imsic, 0, NULL, 0);
}

/* What every test ends with: nothing is left behind. */
static inline void rig_end(void)
{
	rig_vm.irqs_attached = 0;
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		axvm_imsic_fini(&rig_vcpus[i]);
	CHECK_EQ(axvm_sim_riscv64_files_in_use(), 0);
	axvm_aspace_fini(&rig_vm.aspace);
	axvm_vm_free_chunks(&rig_vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

static inline uint32_t rd(uint64_t addr)
{
	uint64_t value = 0;

	CHECK(try_bus_read(&rig_vcpus[0], addr, 4, &value));
	return (uint32_t)value;
}

static inline void wr(uint64_t addr, uint32_t value)
{
	CHECK(try_bus_write(&rig_vcpus[0], addr, 4, value));
}

/* The line from the controller to the hart. */
static inline bool line(uint32_t vcpu)
{
	return atomic_load(&rig_vcpus[vcpu].arch.external) != 0;
}

/* A register of a vCPU's interrupt file. */
static inline uint64_t ei_read(uint32_t vcpu, uint64_t select)
{
	uint64_t value = 0xdead;

	CHECK(axvm_imsic_read(&rig_vcpus[vcpu], select, &value));
	return value;
}

static inline void ei_write(uint32_t vcpu, uint64_t select, uint64_t value)
{
	CHECK(axvm_imsic_write(&rig_vcpus[vcpu], select, value));
}

static inline bool ei_pending(uint32_t vcpu, uint32_t eiid)
{
	return (ei_read(vcpu, EIP + eiid / 64 * 2) >> eiid % 64 & 1) != 0;
}

/* CSRRW rd, stopei, x0: the number that was claimed. */
static inline uint32_t ei_claim(uint32_t vcpu)
{
	uint32_t top = axvm_imsic_top(&rig_vcpus[vcpu]);

	axvm_imsic_claim(&rig_vcpus[vcpu], top);
	CHECK_EQ(top >> 16, top & 0x7ff);
	return top >> 16;
}

/* All of a file's interrupts are enabled and delivered. */
static inline void ei_on(uint32_t vcpu)
{
	for (uint32_t i = 0; i < 4; i++)
		ei_write(vcpu, EIE + 2 * i, UINT64_MAX);
	ei_write(vcpu, EIDELIVERY, 1);
}

/* A source of the mode, enabled, for a hart, with a priority or an EIID. */
static inline void source_on(uint32_t source, uint32_t mode, uint32_t hart, uint32_t number)
{
	wr(SOURCECFG(source), mode);
	wr(TARGET(source), hart << 18 | number);
	wr(SETIENUM, source);
}

/* The domain and the delivery to all harts. */
static inline void direct_on(void)
{
	wr(DOMAINCFG, IE);
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		wr(IDELIVERY(i), 1);
}

#endif
