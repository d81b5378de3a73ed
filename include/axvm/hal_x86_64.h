/* SPDX-License-Identifier: Apache-2.0 */
/* What the library needs on x86_64 beside <axvm/hal.h>. Context as there. */
#ifndef AXVM_HAL_X86_64_H
#define AXVM_HAL_X86_64_H

#include <stdbool.h>
#include <stdint.h>

#include <axvm/types.h>

struct axvm_vcpu;

enum axvm_x86_engine { AXVM_X86_SVM, AXVM_X86_VMX };

/* Constant from axvm_hal_probe on. */
struct axvm_x86_64_host {
	enum axvm_x86_engine engine;
	uint64_t tsc_hz;      /* axvm_hal_time_ticks is the TSC */
	uint32_t xsave_bytes; /* of the state that guests may have; 512 without XSAVE */
	uint64_t xcr0;	      /* what guests may set in XCR0; 0: no XSAVE */
	bool has_next_rip;    /* exits tell an instruction's length */
	bool has_decode_assists;
	bool has_apic_virtualization; /* AVIC, APICv */
};
const struct axvm_x86_64_host *axvm_hal_x86_64_host(void);

/* The host's CPUID, of every CPU that runs guests. */
void axvm_hal_x86_64_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* XCR0 of the bound vCPU is arch.xcr0 from now on. */
void axvm_hal_x86_64_set_xcr0(struct axvm_vcpu *vcpu);
/* The guest's TSC offset has changed. The vCPU is bound here. */
void axvm_hal_x86_64_set_tsc_offset(struct axvm_vcpu *vcpu);

/* Ends a level interrupt of the host that a VM has; it may come again. Any CPU. Idempotent. */
void axvm_hal_x86_64_irq_complete(uint32_t host_irq);

#endif
