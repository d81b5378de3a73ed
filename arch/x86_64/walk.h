/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's own translation, followed in software [SDM3 4]: none, 32-bit, PAE, 4 and 5 levels, with the
 * rights of CPL, WP, SMEP, SMAP and NX. Accessed and dirty bits are not written: the hardware does that when
 * the guest goes on.
 */
#ifndef AXVM_X86_64_WALK_H
#define AXVM_X86_64_WALK_H

#include "arch.h"

#define AXVM_X86_ACCESS_WRITE 1u
#define AXVM_X86_ACCESS_FETCH 2u
#define AXVM_X86_ACCESS_SYSTEM 4u /* whatever CPL is: descriptor tables */

struct axvm_x86_fault {
	bool is_page_fault; /* otherwise the tables, or the page, are no memory of the VM */
	uint64_t linear;
	uint32_t error_code;
};

/* The registers are synced (vcpu->arch.sys). False: *fault. */
bool axvm_x86_64_translate(struct axvm_vcpu *vcpu, uint64_t linear, unsigned access,
			   struct axvm_gpa *gpa, struct axvm_x86_fault *fault);

/* Reads or writes guest-linear memory, across pages. Only RAM. False: *fault, nothing written. */
bool axvm_x86_64_read(struct axvm_vcpu *vcpu, uint64_t linear, void *data, uint64_t bytes,
		      unsigned access, struct axvm_x86_fault *fault);
bool axvm_x86_64_write(struct axvm_vcpu *vcpu, uint64_t linear, const void *data, uint64_t bytes,
		       unsigned access, struct axvm_x86_fault *fault);

/* Up to 15 bytes of code at RIP, fewer at the end of what can be fetched; 0: *fault. */
unsigned axvm_x86_64_fetch(struct axvm_vcpu *vcpu, uint8_t code[15], struct axvm_x86_fault *fault);

#endif
