/* SPDX-License-Identifier: Apache-2.0 */
/* Between the runtime's own files. */
#ifndef GUEST_AARCH64_INTERNAL_H
#define GUEST_AARCH64_INTERNAL_H

#include "boot.h"

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
