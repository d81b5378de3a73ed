/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions: of what the host's harts have, what a guest may use, and how its device tree says so. One
 * table in isa.c: name, and whether guests get it always, on a condition, or never.
 */
#ifndef AXVM_RISCV64_ISA_H
#define AXVM_RISCV64_ISA_H

#include <axvm/hal_riscv64.h>

/* Those that something here or in the HAL depends on; the others are names in the table alone. */
#define AXVM_RISCV64_EXT_SSTC ((uint64_t)1 << 0)
#define AXVM_RISCV64_EXT_SVPBMT ((uint64_t)1 << 1)
#define AXVM_RISCV64_EXT_SVADU ((uint64_t)1 << 2)
#define AXVM_RISCV64_EXT_ZICBOM ((uint64_t)1 << 3)
#define AXVM_RISCV64_EXT_ZICBOZ ((uint64_t)1 << 4)
#define AXVM_RISCV64_EXT_V ((uint64_t)1 << 5)
#define AXVM_RISCV64_EXT_SSAIA ((uint64_t)1 << 6)
#define AXVM_RISCV64_EXT_F ((uint64_t)1 << 7)

#define AXVM_RISCV64_ISA_BYTES 1024u

/* What a guest's tree is written from: the host's harts, and whether the VM has an IMSIC. */
struct axvm_riscv64_view {
	const struct axvm_riscv64_host *host; /* NULL: on a desk; a plain RV64GC is assumed */
	bool has_imsic;
};

/*
 * riscv,isa of the guest's harts: the names of the host's that it may use, in the host's order.
 * Returns its extensions that have a bit above. Names that the table does not know are left out: what
 * is not known is not isolated. `view` NULL: as on a desk. Pure.
 */
uint64_t axvm_riscv64_guest_isa(const struct axvm_riscv64_view *view,
				char isa[AXVM_RISCV64_ISA_BYTES]);

/* The view's host, or that of a desk. Never NULL. */
const struct axvm_riscv64_host *axvm_riscv64_view_host(const struct axvm_riscv64_view *view);

/* Whether an riscv,isa string has the extension: a letter, or a name of several. Pure. */
bool axvm_riscv64_isa_has(const char *isa, const char *name);

/* henvcfg [RISCV-H 18.2.5]; the HAL sets of these what the guest's extensions say. */
#define AXVM_RISCV64_HENVCFG_CBIE_FLUSH \
	((uint64_t)1 << 4) /* CBO.INVAL flushes: no data of the host's is dropped */
#define AXVM_RISCV64_HENVCFG_CBCFE ((uint64_t)1 << 6)
#define AXVM_RISCV64_HENVCFG_CBZE ((uint64_t)1 << 7)
#define AXVM_RISCV64_HENVCFG_ADUE ((uint64_t)1 << 61)
#define AXVM_RISCV64_HENVCFG_PBMTE ((uint64_t)1 << 62)
#define AXVM_RISCV64_HENVCFG_STCE ((uint64_t)1 << 63)

/* henvcfg for a guest with these extensions. Pure. */
uint64_t axvm_riscv64_henvcfg(uint64_t extensions);

#endif
