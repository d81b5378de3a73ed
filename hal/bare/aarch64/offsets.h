/* SPDX-License-Identifier: Apache-2.0 */
/* Where vectors.S finds members of struct axvm_vcpu; switch.c asserts that they are there. */
#ifndef AXVM_BARE_OFFSETS_H
#define AXVM_BARE_OFFSETS_H

#define AXVM_OFFSET_PC 248
#define AXVM_OFFSET_HOST_SP 264
#define AXVM_OFFSET_REQUESTS 1744

#endif
