/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's device tree, written with libfdt from the configuration, or the
 * user's own, checked and patched.
 */
#ifndef AXVM_GUEST_FDT_H
#define AXVM_GUEST_FDT_H

#include <axvm/config.h>
#include <axvm/platform.h>
#include <axvm/vm.h>

#include "image.h"

struct axvm_guest_fdt {
	void *buffer;
	uint64_t capacity; /* bytes */
	uint64_t timer_hz; /* riscv64's timebase */
	const uint8_t *seed; /* rng-seed of 32 bytes, or NULL */
	uint32_t intc_phandle; /* set by fdt_machine; devices' interrupt-parent */
	int error; /* the first libfdt error, sticky; 0: none */
};

/*
 * Writes the tree: /, /memory, /chosen (bootargs, initrd, stdout-path), what
 * platform->fdt_machine adds, a node for each emulated device. AXVM_ENOMEM: the
 * capacity does not suffice. *bytes is the size used.
 */
AXVM_MUST_USE int axvm_guest_fdt_make(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
				      const struct axvm_platform *platform,
				      const struct axvm_plan *plan, uint64_t *bytes);

/*
 * The user's own tree copied to the buffer with /memory, /chosen and the CPU
 * nodes brought in line with the configuration. AXVM_EFORMAT: not a valid tree.
 */
AXVM_MUST_USE int axvm_guest_fdt_patch(struct axvm_guest_fdt *fdt, struct axvm_blob own,
				       const struct axvm_config *config,
				       const struct axvm_platform *platform,
				       const struct axvm_plan *plan, uint64_t *bytes);

#endif
