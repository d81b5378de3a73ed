/* SPDX-License-Identifier: Apache-2.0 */
/* How vCPU 0 starts, as a description that axvm_arch_vcpu_reset applies. */
#ifndef AXVM_X86_64_START_H
#define AXVM_X86_64_START_H

#include "boot.h"
#include "vcpu_state.h"

enum axvm_x86_start_mode {
	AXVM_X86_START_REAL,	  /* firmware */
	AXVM_X86_START_PROTECTED, /* 32 bits, flat, no paging: PVH, Multiboot, flat binaries */
	AXVM_X86_START_LONG,	  /* 64 bits, identity-mapped: Linux */
};

struct axvm_x86_start {
	enum axvm_x86_start_mode mode;
	uint64_t rip; /* linear; real mode's CS:IP is made from it */
	uint64_t rax, rbx, rsi;
	uint64_t gdt_gpa; /* not in real mode; the same below */
	uint64_t cr3;	  /* in long mode */
};

/*
 * How vCPU 0 starts: in firmware if there is some, and else in the kernel, at the file's entry point if
 * that lies in the kernel's image. `gpa` is the block's. Pure.
 */
void axvm_x86_64_start_choose(const struct axvm_config *config, const struct axvm_plan *plan,
			      uint64_t gpa, struct axvm_x86_start *start);

/* Sets general, segment and control registers, RIP and RFLAGS; nothing else of the vCPU. Not bound. */
void axvm_x86_64_start_apply(const struct axvm_x86_start *start, struct axvm_arch_vcpu *arch);

#endif
