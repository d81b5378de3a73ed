/* SPDX-License-Identifier: Apache-2.0 */
/* Where vectors.S finds members of struct axvm_vcpu; switch.c asserts that they are there. */
#ifndef AXVM_BARE_OFFSETS_H
#define AXVM_BARE_OFFSETS_H

#define AXVM_OFFSET_PC 256
#define AXVM_OFFSET_HOST_SP 264
#define AXVM_OFFSET_REQUESTS 1152

/* [RISCV-H 18.2]; assemblers before H was ratified do not know the names. */
#define AXVM_CSR_HTVAL 0x643
#define AXVM_CSR_HTINST 0x64a

#endif
