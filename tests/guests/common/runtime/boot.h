/* SPDX-License-Identifier: Apache-2.0 */
/* Between the shared and the ISA's part of the runtime. */
#ifndef GUEST_BOOT_H
#define GUEST_BOOT_H

#include "runtime.h"

/* The image's beginning and end, .bss included; from the linker script. */
extern const char _start[];
extern const char __bss_end[];
extern uint8_t guest_stacks[GUEST_CPUS_MAX][GUEST_STACK_BYTES];

/* ---- shared: boot.c --------------------------------------------------------------------- */

/* Reads the device tree; `self` is the id of the CPU that runs. */
void guest_machine_read(const void *fdt, uint64_t self);
/* The index-th (address, size) of a node's "reg". */
bool guest_fdt_reg(const void *fdt, int node, int index, uint64_t *address, uint64_t *bytes);
/* The first node with this `compatible`, or < 0. */
int guest_fdt_find(const void *fdt, const char *compatible);
/* The index-th cell of a property. */
bool guest_fdt_cell(const void *fdt, int node, const char *name, int index, uint32_t *value);

/* ---- the ISA's --------------------------------------------------------------------------- */

/* What the ISA needs beside guest_machine: console, interrupt controller. */
void guest_machine_read_isa(const void *fdt);

#endif
