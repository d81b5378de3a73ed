/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small VM for tests of the core, on the simulated machine: 4 MiB of memory, a
 * raw kernel, the platform's own devices. Tests change what they need before
 * they create it.
 */
#ifndef TEST_VM_H
#define TEST_VM_H

#include <string.h>

#include "arch.h"
#include "axtest.h"
#include "sim.h"
#include "vcpu_sim.h"

#define TEST_RAM UINT64_C(0x40000000)
#define TEST_RAM_BYTES (UINT64_C(4) << 20)
#define TEST_MEMORY_MAX 8u
#define TEST_DEVICES_MAX 8u

struct test_vm {
	struct axvm_config config;
	struct axvm_config_memory memory[TEST_MEMORY_MAX];
	struct axvm_config_emu devices[TEST_DEVICES_MAX];
	struct axvm_vm_params params;
	char why[AXVM_WHY_BYTES];
	struct axvm_vm *vm;
};

static const uint8_t test_kernel[5000] = { 'r', 'a', 'w', [4999] = 'k' };

/* What differs from ISA to ISA: registers by number, and where its emulated UART is. */
struct test_isa {
	unsigned pc;
	unsigned result; /* of a hypercall */
	unsigned arg;	 /* where the device tree is, at power-on */
	uint64_t uart;
	bool uart_is_shadowed; /* src/shadow.h */
};

static inline struct test_isa test_isa(void)
{
	static const struct test_isa aarch64 = { 31, 0, 0, 0x09000000, true };
	static const struct test_isa riscv64 = { 32, 10, 11, 0x10000000, false };

	return axvm_arch_platform->isa == AXVM_ISA_RISCV64 ? riscv64 : aarch64;
}

static inline uint64_t test_register(const struct axvm_vcpu *vcpu, unsigned index)
{
	uint64_t value = 0;

	CHECK_EQ(axvm_vcpu_get_register(vcpu, index, &value), 0);
	return value;
}

/* What would make a VM; nothing is made yet. */
static inline void test_vm_init(struct test_vm *test, uint32_t id)
{
	const struct axvm_platform *platform = axvm_arch_platform;

	memset(test, 0, sizeof(*test));
	test->memory[0] = (struct axvm_config_memory){
		.gpa = axvm_gpa(TEST_RAM),
		.bytes = TEST_RAM_BYTES,
		.flags = AXVM_MAP_RWX,
	};
	for (uint32_t i = 0; i < platform->device_count && i < TEST_DEVICES_MAX; i++)
		test->devices[i] = platform->devices[i];
	test->config = (struct axvm_config){
		.isa = platform->isa,
		.id = id,
		.name = "test",
		.type = AXVM_VM_LINUX,
		.vcpu_count = 1,
		.cmdline = "",
		.memory = test->memory,
		.memory_count = 1,
		.irq_mode = AXVM_IRQ_EMULATED,
		.emu = test->devices,
		.emu_count = platform->device_count,
	};
	test->params = (struct axvm_vm_params){
		.config = &test->config,
		.kernel = { test_kernel, sizeof(test_kernel) },
	};
}

static inline int test_vm_create(struct test_vm *test)
{
	test->why[0] = '\0';
	return axvm_vm_create(&test->params, &test->vm, test->why);
}

/* A new machine, and one VM in it with `vcpu_count` vCPUs. False (and a failed check): none. */
static inline bool test_vm_begin(struct test_vm *test, uint32_t vcpu_count)
{
	axvm_sim_reset(NULL);
	if (axvm_init(NULL) != 0)
		return false;
	test_vm_init(test, 1);
	test->config.vcpu_count = vcpu_count;
	int error = test_vm_create(test);

	CHECK_EQ(error, 0);
	CHECK_STR_EQ(test->why, "");
	return error == 0;
}

/* Its end, from whatever state it is in; every page is back. */
static inline void test_vm_end(struct test_vm *test)
{
	int error = axvm_vm_shutdown(test->vm, AXVM_STOP_FORCED);

	(void)error;
	CHECK_EQ(axvm_vm_destroy(test->vm), 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

#endif
