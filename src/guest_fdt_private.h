/* SPDX-License-Identifier: Apache-2.0 */
/* What making and patching a device tree share. */
#ifndef AXVM_GUEST_FDT_PRIVATE_H
#define AXVM_GUEST_FDT_PRIVATE_H

#include "guest_fdt.h"
#include "text.h"

/* "uart@9000000": a node's name with its address. */
void axvm_guest_fdt_name(struct axvm_text *text, const char *name, uint64_t address);

/* "/pl011@9000000", the path of the first UART that has a node; false: there is none. */
bool axvm_guest_fdt_stdout(const struct axvm_config *config, char path[64]);

/* 0, AXVM_ENOMEM, or AXVM_EFORMAT for a libfdt error. */
int axvm_guest_fdt_error(int fdt_error);

/* libfdt counts in int. */
int axvm_guest_fdt_capacity(const struct axvm_guest_fdt *fdt);

/* Whether the region is memory that the guest may use as such. */
static inline bool axvm_guest_fdt_is_ram(const struct axvm_config_memory *memory)
{
	return !(memory->flags & AXVM_MAP_DEVICE);
}

/*
 * The value of kaslr-seed that goes with a seed. Whoever knows one may know the other: Linux wipes
 * both out of its tree before anyone could read them.
 */
uint64_t axvm_guest_fdt_kaslr_seed(const uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES]);

#endif
