/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own virtual addresses at EL2: 48 bits, one range. Nothing
 * depends on where the machine has its RAM or devices; the image's range is one
 * that no guest-physical or kernel address falls into.
 */
#ifndef AXVM_BARE_LAYOUT_H
#define AXVM_BARE_LAYOUT_H

#define AXVM_VA_BITS 48
#define AXVM_IMAGE_BASE 0xf00000000000	 /* as hypervisor.ld */
#define AXVM_DIRECT_BASE 0x400000000000	 /* host-physical RAM and devices, at this offset */
#define AXVM_DIRECT_LIMIT 0x400000000000 /* physical addresses below this can be mapped */
#define AXVM_STACK_BASE 0xe00000000000	 /* a slot for each CPU: guard page, then its stack */
#define AXVM_STACK_SLOT_BYTES 0x10000
#define AXVM_STACK_BYTES 0x8000

/* MAIR_EL2 attribute indices. */
#define AXVM_MAIR_NORMAL 0
#define AXVM_MAIR_DEVICE 1
#define AXVM_MAIR_UNCACHED 2
#define AXVM_MAIR 0x4404ff /* WB RAWA; device nGnRE; normal non-cacheable [ARM D19.2.100] */

#endif
