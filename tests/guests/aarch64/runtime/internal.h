/* SPDX-License-Identifier: Apache-2.0 */
/* Between the runtime's own files. */
#ifndef GUEST_AARCH64_INTERNAL_H
#define GUEST_AARCH64_INTERNAL_H

#include "runtime.h"

/* The image's beginning and end, .bss included; from the linker script. */
extern const char _start[];
extern const char __bss_end[];

/* start.S calls these, in this order. */
void guest_mmu_build(void);
void guest_mmu_on(void);
void guest_first_cpu(const void *fdt);
void guest_other_cpu(struct guest_cpu *cpu);
/* vectors.S. */
void guest_exception(struct guest_frame *frame, uint64_t slot);

/* Takes the normal attribute from what is not RAM. */
void guest_mmu_tighten(void);

#endif
