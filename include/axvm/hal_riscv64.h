/* SPDX-License-Identifier: Apache-2.0 */
/* What the library needs on riscv64 beside <axvm/hal.h>. Context as there. */
#ifndef AXVM_HAL_RISCV64_H
#define AXVM_HAL_RISCV64_H

#include <stdbool.h>
#include <stdint.h>

#include <axvm/types.h>

struct axvm_vcpu;

enum axvm_riscv64_controller {
	AXVM_RISCV64_PLIC,
	AXVM_RISCV64_APLIC, /* direct mode */
	AXVM_RISCV64_AIA,   /* APLIC in MSI mode, IMSIC */
};

/* What every hart has that may run guests. Constant from axvm_hal_probe on. */
struct axvm_riscv64_host {
	const char *isa;	   /* as in riscv,isa: "rv64imafdch_zicbom_...", lower case */
	uint32_t cbom_block_bytes; /* 0: unknown */
	uint32_t cboz_block_bytes;
	uint32_t cbop_block_bytes;
	uint32_t vlen_bytes; /* vlenb; 0: no V, or not on */
	bool has_sstc;	     /* and henvcfg.STCE holds */
	bool has_aia;	     /* Ssaia: guests may have an IMSIC */
	enum axvm_riscv64_controller controller;
	uint32_t guest_files; /* GEILEN of each hart; 0: IMSICs for guests are software */
	uint32_t mmu_levels;  /* 3, 4 or 5: vsatp modes up to Sv39, Sv48, Sv57 */
	uint64_t mvendorid;
	uint64_t marchid;
	uint64_t mimpid;
};
const struct axvm_riscv64_host *axvm_hal_riscv64_host(void);

/* An access on the guest's behalf that did not work: what the guest would have got. */
struct axvm_riscv64_trap {
	uint64_t cause; /* scause */
	uint64_t tval;	/* stval: the guest-virtual address */
	uint64_t htval; /* of guest-page faults */
	uint64_t htinst;
};

/*
 * The 2 or 4 bytes of the instruction at guest-virtual `pc`, read with the privilege and the rights
 * of the guest's fetch (HLVX). False: *trap. The vCPU is bound here; in the exit path.
 */
bool axvm_hal_riscv64_fetch(struct axvm_vcpu *vcpu, uint64_t pc, uint32_t *instruction,
			    struct axvm_riscv64_trap *trap);
/* The doubleword at guest-virtual `va`, as the guest's load would read it (HLV). Likewise. */
bool axvm_hal_riscv64_load(struct axvm_vcpu *vcpu, uint64_t va, uint64_t *value,
			   struct axvm_riscv64_trap *trap);

/*
 * Fences of the guest on other harts [SBI 8]: on each CPU of `cpu_mask` (this one may be among them)
 * before it returns, for the VMID of `vcpu`, which is bound here. One request for all of them. `bytes`
 * UINT64_MAX, or start and bytes both 0: all addresses.
 */
enum axvm_riscv64_fence {
	AXVM_RISCV64_FENCE_I,
	AXVM_RISCV64_FENCE_VMA,
	AXVM_RISCV64_FENCE_VMA_ASID,
};
void axvm_hal_riscv64_fence(struct axvm_vcpu *vcpu, uint64_t cpu_mask, enum axvm_riscv64_fence kind,
			    uint64_t start, uint64_t bytes, uint64_t asid);

/* Sets vstimecmp (guest time). The vCPU is bound here. Only where has_sstc. */
void axvm_hal_riscv64_set_vstimecmp(struct axvm_vcpu *vcpu, uint64_t deadline);

/* This hart's cycle (0) or instret (1). */
uint64_t axvm_hal_riscv64_counter(unsigned which);

/* ---- interrupts of the host that VMs have ---------------------------------------------------- */

/*
 * The guest has dealt with an interrupt that axvm_riscv64_host_interrupt brought: it may come again,
 * at once when its line is still high. Any CPU. Idempotent.
 */
void axvm_hal_riscv64_irq_complete(uint32_t host_irq);

/* ---- hardware guest interrupt files (AIA) ----------------------------------------------------- */

/*
 * Gives the vCPU an interrupt file of this CPU's hart, empty, and says where it is: at guest-physical
 * level it is one page. Returns its number, 1 and on; 0: none is free. Given back by put. Called on the
 * CPU that the vCPU is about to be bound to.
 */
uint32_t axvm_hal_riscv64_guest_file_get(struct axvm_vcpu *vcpu, struct axvm_hpa *page);
/* vCPU not bound; any CPU. Nothing signals from it any more when this returns. */
void axvm_hal_riscv64_guest_file_put(struct axvm_vcpu *vcpu, uint32_t file, uint32_t cpu);
/* Sets interrupt `eiid` pending in the vCPU's file, that it has on `cpu`. Any CPU. */
void axvm_hal_riscv64_guest_file_set(uint32_t cpu, uint32_t file, uint32_t eiid);
/*
 * The contents of the file that the vCPU has on `cpu` into the software one (enables, threshold, delivery;
 * what pends is added), when it loses its file; vCPU not bound. Any CPU, no lock held: the one that has
 * the file does it, and is waited for.
 */
void axvm_hal_riscv64_guest_file_store(struct axvm_vcpu *vcpu, uint32_t cpu, uint32_t file);
/* And back, what pends added to what does already. On the CPU whose file it is. vCPU not bound. */
void axvm_hal_riscv64_guest_file_load(struct axvm_vcpu *vcpu, uint32_t file);

/*
 * Lets a wired interrupt that a VM has go to the vCPU's file as `eiid` without an exit. False: the
 * host cannot, and the interrupt goes on coming by axvm_riscv64_host_interrupt. eiid 0 undoes it.
 */
bool axvm_hal_riscv64_irq_route(uint32_t host_irq, uint32_t cpu, uint32_t file, uint32_t eiid);

#endif
