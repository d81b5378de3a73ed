/* SPDX-License-Identifier: Apache-2.0 */
/* The riscv64 part of a vCPU and of a VM. */
#ifndef AXVM_ARCH_TYPES_H
#define AXVM_ARCH_TYPES_H

#include <stdint.h>

struct axvm_arch_vcpu {
	uint64_t x[32]; /* general registers by number */
	uint64_t pc;
};

struct axvm_arch_vm {
	uint64_t machine; /* nothing yet beside the address space */
};

#endif
