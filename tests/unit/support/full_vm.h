/* SPDX-License-Identifier: Apache-2.0 */
/* A VM with everything: all kinds of memory, four vCPUs, an initrd, a passthrough device. */
#ifndef FULL_VM_H
#define FULL_VM_H

#include "test_vm.h"

#define FULL_VM_RESERVED UINT64_C(0x0f000000)
#define FULL_VM_IDENTICAL UINT64_C(0x70000000)

static const uint8_t full_vm_initrd[3000] = { 'i', 'n', [2999] = 'd' };

static const struct axvm_config_passthrough full_vm_device = {
	.name = "a", .gpa = { 0x0a000000 }, .hpa = { 0x0b000000 }, .bytes = 0x1000
};

static inline void init_full(struct test_vm *test)
{
	test_vm_init(test, 1);
	test->config.vcpu_count = 4;
	test->memory[1] = (struct axvm_config_memory){
		.gpa = { FULL_VM_IDENTICAL },
		.bytes = 0x200000,
		.flags = AXVM_MAP_RWX,
		.map_type = AXVM_MEMORY_IDENTICAL,
	};
	test->memory[2] = (struct axvm_config_memory){
		.gpa = { FULL_VM_RESERVED },
		.bytes = 0x3000,
		.flags = AXVM_MAP_READ | AXVM_MAP_WRITE,
		.map_type = AXVM_MEMORY_RESERVED,
	};
	test->memory[3] = (struct axvm_config_memory){
		.gpa = { 0x60001000 },
		.bytes = 0x5000,
		.flags = AXVM_MAP_READ,
	};
	test->config.memory_count = 4;
	test->config.passthrough = &full_vm_device;
	test->config.passthrough_count = 1;
	test->params.initrd = (struct axvm_blob){ full_vm_initrd, sizeof(full_vm_initrd) };
}

static inline void new_machine(void)
{
	axvm_sim_reset(NULL);
	CHECK_EQ(axvm_init(NULL), 0);
}

static inline bool holds(struct axvm_vm *vm, uint64_t gpa, const void *data, uint64_t bytes)
{
	static uint8_t buffer[8192];

	return bytes <= sizeof(buffer) && axvm_vm_read(vm, axvm_gpa(gpa), buffer, bytes) == 0 &&
	       memcmp(buffer, data, bytes) == 0;
}

#endif
