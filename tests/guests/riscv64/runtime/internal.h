/* SPDX-License-Identifier: Apache-2.0 */
/* Between the runtime's own files. */
#ifndef GUEST_RISCV64_INTERNAL_H
#define GUEST_RISCV64_INTERNAL_H

#include "boot.h"

/* start.S calls these, in this order. */
void guest_mmu_build(void);
void guest_mmu_on(void);
void guest_first_cpu(const void *fdt, uint64_t hart);
void guest_other_cpu(struct guest_cpu *cpu);
/* vectors.S. */
void guest_vector(void);
void guest_trap(struct guest_frame *frame);

/* plic.c: after guest_machine_read(), sources disabled; nothing where the machine has none. */
void guest_plic_read(const void *fdt);
void guest_plic_start(const void *fdt);
void guest_plic_start_cpu(void);
/* Claims, tells on_irq, completes, until there is none. */
void guest_plic_take(void);

/* boot.c: whichever there is. */
void guest_controller_start_cpu(void);
/* aia.c: the same. */
void guest_aia_read_tree(const void *fdt);

/* The guest_cpus index of the CPU whose interrupt controller has this phandle, or -1. */
int guest_fdt_cpu_of_phandle(const void *fdt, uint32_t phandle);

#endif
