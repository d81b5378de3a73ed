/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own virtual addresses in HS mode: Sv39, which every hart that runs Linux has
 * [RISCV-PRIV 10.4]. Nothing depends on where the machine has its RAM or devices; the direct map is all
 * of the upper half, everything else is in the lower one.
 */
#ifndef AXVM_BARE_LAYOUT_H
#define AXVM_BARE_LAYOUT_H

#define AXVM_VA_BITS 39
#define AXVM_IMAGE_BASE 0x3f00000000	    /* as hypervisor.ld */
#define AXVM_DIRECT_BASE 0xffffffc000000000 /* host-physical RAM and devices, at this offset */
#define AXVM_DIRECT_LIMIT 0x4000000000	    /* physical addresses below this can be mapped */
#define AXVM_STACK_BASE 0x3e00000000	    /* a slot for each CPU: guard page, then its stack */
#define AXVM_STACK_SLOT_BYTES 0x10000
#define AXVM_STACK_BYTES 0x8000

#define AXVM_SATP_SV39_SHIFT 63 /* satp.MODE 8 */

#endif
