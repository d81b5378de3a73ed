/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM that is just enough for local APICs and an IOAPIC: vCPUs, a bus, requests and power as the core keeps
 * them, a PIC that a test plays.
 */
#ifndef X86_64_INTC_RIG_H
#define X86_64_INTC_RIG_H

#include <string.h>

#include "axtest.h"
#include "exit.h"
#include "intc/ioapic.h"
#include "intc/pic.h"
#include "sim.h"
#include "support/bus_access.h"
#include "vm_parts.h"

#define RIG_VCPUS_MAX 64u
#define PAGE 0xfee00000ULL
#define IOAPIC 0xfec00000ULL

#define ID 0x020u
#define VERSION 0x030u
#define TPR 0x080u
#define PPR 0x0a0u
#define EOI 0x0b0u
#define LDR 0x0d0u
#define DFR 0x0e0u
#define SVR 0x0f0u
#define ISR 0x100u
#define TMR 0x180u
#define IRR 0x200u
#define ESR 0x280u
#define LVT_CMCI 0x2f0u
#define ICR 0x300u
#define ICR2 0x310u
#define LVT_TIMER 0x320u
#define LVT_THERMAL 0x330u
#define LVT_PERFORMANCE 0x340u
#define LVT_LINT0 0x350u
#define LVT_LINT1 0x360u
#define LVT_ERROR 0x370u
#define COUNT 0x380u
#define CURRENT 0x390u
#define DIVIDE 0x3e0u
#define SELF 0x3f0u

#define APIC_BASE 0x1bu
#define DEADLINE 0x6e0u
#define MSR(reg) (0x800u + (reg) / 16)

#define EN (1ULL << 11)
#define EXTD (1ULL << 10)
#define BSP (1ULL << 8)

#define LOGICAL (1u << 11)
#define LEVEL (1u << 15)
#define MASKED (1u << 16)
#define REMOTE_IRR (1u << 14)
#define NMI (4u << 8)
#define INIT (5u << 8)
#define STARTUP (6u << 8)
#define EXTINT (7u << 8)

struct axvm_pic {
	bool output;
	uint8_t vector;
	uint32_t acknowledged;
	uint32_t lines;
	uint32_t rises[16];
};

static struct axvm_vm rig_vm;
static struct axvm_vcpu rig_vcpus[RIG_VCPUS_MAX];
static struct axvm_device rig_ioapic;
static struct axvm_pic rig_pic;

/* ---- in place of the core and of the PIC ---------------------------------------------------------- */

/* What happens elsewhere at the moment of a request. NULL: nothing. */
static void (*rig_requested)(struct axvm_vcpu *vcpu);

void axvm_vcpu_request(struct axvm_vcpu *vcpu, uint32_t requests)
{
	atomic_fetch_or(&vcpu->requests, requests);
	if (rig_requested != NULL)
		rig_requested(vcpu);
}

int axvm_vcpu_power_on(struct axvm_vm *vm, uint32_t index, uint64_t entry, uint64_t arg)
{
	struct axvm_vcpu *vcpu = vm->vcpus[index];
	uint32_t power = AXVM_POWER_OFF;

	if (!atomic_compare_exchange_strong(&vcpu->power, &power, AXVM_POWER_CLAIMED))
		return power == AXVM_POWER_ON ? AXVM_EEXIST : AXVM_EBUSY;
	vcpu->power_on_entry = entry;
	vcpu->power_on_arg = arg;
	atomic_store(&vcpu->power, AXVM_POWER_ON_PENDING);
	return 0;
}

void axvm_vcpu_power_off(struct axvm_vcpu *vcpu)
{
	atomic_store(&vcpu->power, AXVM_POWER_OFF);
}

int axvm_pic_set_level(struct axvm_pic *pic, uint32_t irq, bool level)
{
	if (irq >= 16)
		return AXVM_EINVAL;
	pic->rises[irq] += level && (pic->lines >> irq & 1) == 0;
	pic->lines = (pic->lines & ~(1u << irq)) | (uint32_t)level << irq;
	return 0;
}

uint8_t axvm_pic_acknowledge(struct axvm_pic *pic)
{
	pic->acknowledged++;
	return pic->vector;
}

/* ---- the VM ------------------------------------------------------------------------------------------ */

static inline struct axvm_vcpu *on(uint32_t index)
{
	axvm_sim_set_cpu(index);
	return &rig_vcpus[index];
}

static inline void rig_make_vcpu(uint32_t index)
{
	struct axvm_vcpu *vcpu = &rig_vcpus[index];

	vcpu->vm = &rig_vm;
	vcpu->last_hit = &axvm_bus_nowhere;
	vcpu->index = index;
	atomic_store(&vcpu->cpu, index);
	atomic_store(&vcpu->power, AXVM_POWER_ON);
	vcpu->arch.rflags = AXVM_X86_RFLAGS_FIXED | AXVM_X86_RFLAGS_IF;
	rig_vm.vcpus[index] = vcpu;
	axvm_lapic_init(vcpu, index);
	axvm_x86_64_irq_note(vcpu);
}

static inline void rig_start(uint32_t vcpus)
{
	const struct axvm_config_emu config = { .base = { IOAPIC }, .bytes = 0x1000 };
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.cpu_count = RIG_VCPUS_MAX;
	axvm_sim_reset(&machine);
	memset(&rig_vm, 0, sizeof(rig_vm));
	memset(rig_vcpus, 0, sizeof(rig_vcpus));
	memset(&rig_pic, 0, sizeof(rig_pic));
	rig_requested = NULL;
	rig_vm.budget.limit_pages = 64;
	atomic_store(&rig_vm.state, AXVM_VM_RUNNING);
	rig_vm.vcpu_count = vcpus;
	for (uint32_t i = 0; i < vcpus; i++)
		rig_make_vcpu(i);
	REQUIRE_EQ(axvm_lapic_make(&rig_vm), 0);
	rig_ioapic = (struct axvm_device){ .type = &axvm_ioapic_device_type, .vm = &rig_vm };
	REQUIRE_EQ(axvm_ioapic_device_type.create(&rig_ioapic, &config), 0);
	(void)on(0);
}

static inline void rig_end(void)
{
	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		axvm_lapic_fini(&rig_vcpus[i]);
	axvm_vm_free_chunks(&rig_vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

/* ---- registers --------------------------------------------------------------------------------------- */

static inline bool rdmsr(uint32_t vcpu, uint32_t msr, uint64_t *value)
{
	return axvm_lapic_read_msr(on(vcpu), msr, value);
}

static inline bool wrmsr(uint32_t vcpu, uint32_t msr, uint64_t value)
{
	return axvm_lapic_write_msr(on(vcpu), msr, value);
}

static inline bool is_x2apic(uint32_t vcpu)
{
	return atomic_load(&rig_vcpus[vcpu].arch.lapic.mode) == AXVM_LAPIC_X2APIC;
}

/* A register in whichever mode the vCPU is. */
static inline uint32_t rd(uint32_t vcpu, uint32_t reg)
{
	uint64_t value = 0xdead;

	if (is_x2apic(vcpu))
		CHECK(rdmsr(vcpu, MSR(reg), &value));
	else
		CHECK(try_bus_read(on(vcpu), PAGE + reg, 4, &value));
	return (uint32_t)value;
}

static inline void wr(uint32_t vcpu, uint32_t reg, uint32_t value)
{
	if (is_x2apic(vcpu))
		CHECK(wrmsr(vcpu, MSR(reg), value));
	else
		CHECK(try_bus_write(on(vcpu), PAGE + reg, 4, value));
}

static inline void enable(uint32_t vcpu)
{
	wr(vcpu, SVR, 0x1ff);
}

static inline void x2apic(uint32_t vcpu)
{
	CHECK(wrmsr(vcpu, APIC_BASE, PAGE | EN | EXTD));
}

static inline bool bit(uint32_t vcpu, uint32_t array, uint32_t vector)
{
	return (rd(vcpu, array + vector / 32 * 16) >> vector % 32 & 1) != 0;
}

/* An IPI to a destination, in either mode. */
static inline void ipi(uint32_t vcpu, uint32_t destination, uint32_t low)
{
	if (is_x2apic(vcpu)) {
		CHECK(wrmsr(vcpu, MSR(ICR), (uint64_t)destination << 32 | low));
		return;
	}
	wr(vcpu, ICR2, destination << 24);
	wr(vcpu, ICR, low);
}

static inline uint32_t io_rd(uint32_t reg)
{
	uint64_t value = 0;

	CHECK(try_bus_write(&rig_vcpus[0], IOAPIC, 4, reg));
	CHECK(try_bus_read(&rig_vcpus[0], IOAPIC + 0x10, 4, &value));
	return (uint32_t)value;
}

static inline void io_wr(uint32_t reg, uint32_t value)
{
	CHECK(try_bus_write(&rig_vcpus[0], IOAPIC, 4, reg));
	CHECK(try_bus_write(&rig_vcpus[0], IOAPIC + 0x10, 4, value));
}

/* A pin's entry: to this APIC, or these. */
static inline void route(uint32_t pin, uint32_t destination, uint32_t low)
{
	io_wr(0x11 + 2 * pin, destination << 24);
	io_wr(0x10 + 2 * pin, low);
}

/* ---- the CPU ------------------------------------------------------------------------------------------- */

/* What it takes now, with IF set: a vector, or -1. `type` as in the event. */
static inline int take_typed(uint32_t index, uint8_t *type)
{
	struct axvm_vcpu *vcpu = on(index);
	struct axvm_x86_event event;

	atomic_store(&vcpu->requests, 0);
	axvm_arch_irq_fill(vcpu);
	CHECK_EQ(atomic_load(&vcpu->requests) & AXVM_REQUEST_LEAVE, 0);
	event = vcpu->arch.event;
	vcpu->arch.event.valid = false;
	*type = event.type;
	return event.valid ? event.vector : -1;
}

/* An interrupt, or -1. */
static inline int take(uint32_t index)
{
	uint8_t type = 0;
	int vector = take_typed(index, &type);

	if (vector >= 0)
		CHECK_EQ(type, AXVM_X86_EVENT_INTERRUPT);
	return vector;
}

static inline void eoi(uint32_t index)
{
	wr(index, EOI, 0);
}

#endif
