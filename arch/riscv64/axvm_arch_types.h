/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The riscv64 part of a vCPU and of a VM. x, pc and host_sp stay where they are: the world switch of
 * hal/bare/riscv64 is assembly and pins them (offsets.h).
 */
#ifndef AXVM_ARCH_TYPES_H
#define AXVM_ARCH_TYPES_H

#include <axvm/hal.h>

#include "intc/aplic.h"
#include "intc/imsic.h"
#include "intc/plic.h"
#include "isa.h"

/* State that bind loads and unbind stores [RISCV-H 18.2], and axvm_hal_sysreg_sync and flush too. */
struct axvm_riscv64_sysregs {
	uint64_t hstatus; /* SPV, SPVP, VTW and VGEIN are the HAL's to add */
	uint64_t sstatus; /* of the interrupted guest: SPP, FS and VS */
	uint64_t vsstatus;
	uint64_t vstvec;
	uint64_t vsscratch;
	uint64_t vsepc;
	uint64_t vscause;
	uint64_t vstval;
	uint64_t vsatp;
	uint64_t scounteren; /* shared with VS: no CSR of its own */
	uint64_t senvcfg;    /* the same */
	uint64_t sstateen0;
	uint64_t vsiselect;
	uint64_t hviprio1;
	uint64_t hviprio2;
};

/* F and D registers; eagerly loaded at bind, never seen by another vCPU. */
struct axvm_riscv64_fp {
	uint64_t f[32];
	uint64_t fcsr;
};

/* The V extension's registers; `v` is 32 * vlenb bytes of the VM's pages, NULL: harts have no V. */
struct axvm_riscv64_vector {
	uint8_t *v;
	uint64_t vstart;
	uint64_t vcsr;
	uint64_t vl;
	uint64_t vtype;
};

/* Counters that a guest programs by SBI PMU. */
#define AXVM_RISCV64_PMU_FIRMWARE 8u /* firmware counters, beside cycle and instret */
#define AXVM_RISCV64_PMU_EVENTS 16u  /* codes of firmware events that may be counted are below */

struct axvm_riscv64_pmu {
	/* Guest's cycle (0) and instret (1): the value while stopped, the difference to the host's CSR
	   while running. */
	uint64_t base[2];
	uint32_t running;			       /* bit: logical counter */
	uint32_t event[2 + AXVM_RISCV64_PMU_FIRMWARE]; /* event_idx configured, UINT32_MAX: free */
	/* As `base`, of the event that is counted. */
	uint64_t firmware[AXVM_RISCV64_PMU_FIRMWARE];
	/* Occurrences of SBI firmware events since reset, by event code; see pmu.h for who counts. */
	_Atomic uint64_t events[AXVM_RISCV64_PMU_EVENTS];
};

/* hvip, hie, vsip bits [RISCV-H 18.2.3]. */
#define AXVM_RISCV64_VSSI ((uint64_t)1 << 2)
#define AXVM_RISCV64_VSTI ((uint64_t)1 << 6)
#define AXVM_RISCV64_VSEI ((uint64_t)1 << 10)

struct axvm_arch_vcpu {
	uint64_t x[32];	  /* x[0] is not used and stays 0 */
	uint64_t pc;	  /* sepc */
	uint64_t host_sp; /* the world switch's */
	/*
	 * Virtual interrupts: hvip as the hardware has it (axvm_hal_irq_sync) or shall get it (flush);
	 * `vsie` and `vsip` as sync or unbind read them, in the positions of hvip.
	 */
	uint64_t hvip;
	uint64_t vsie;
	uint64_t vsip;
	/*
	 * For axvm_arch_irq_pending, which any CPU asks: vsie, and what of vsip the lines below do not say
	 * (VSSIP, and with Sstc or a hardware interrupt file the timer and SEIP). Noted by irq.c.
	 */
	_Atomic uint32_t wake_enabled;
	_Atomic uint32_t wake_pending;
	uint32_t hart;		   /* what the guest calls this vCPU: axvm_guest_cpu_id */
	_Atomic uint32_t external; /* the controller's line, SEIP */
	_Atomic uint32_t software; /* an SSIP that fill has not brought into hvip yet */
	_Atomic uint32_t
		timer; /* STIP: of the SBI timer without Sstc; with it: due while unbound */
	_Atomic uint32_t
		guest_file_signal; /* its hardware interrupt file signalled while unbound */
	/* Set by others: before this vCPU is entered next, its own translations and its fetches are
	   made anew. Taken at bind. */
	_Atomic uint32_t fence;
	/* Its last wait was an HSM or system suspend, not WFI; axvm_riscv64_wait clears it first. */
	_Atomic uint32_t suspended;
	uint64_t vstimecmp; /* guest time; UINT64_MAX: off. With Sstc the CSR while bound */
	struct axvm_timer timer_wait;
	bool wfi_traps; /* hstatus.VTW: set where several vCPUs share the hart */
	/* Hardware guest interrupt file, 1 and on; 0: none, interrupts come from the software one. */
	uint32_t guest_file;
	struct axvm_riscv64_sysregs sys;
	struct axvm_riscv64_fp fp;
	struct axvm_riscv64_vector vector;
	struct axvm_riscv64_pmu pmu;
	struct axvm_imsic_file imsic; /* the software interrupt file */
};

struct axvm_arch_vm {
	uint64_t htimedelta;	       /* guest time = host ticks + htimedelta */
	uint64_t extensions;	       /* AXVM_RISCV64_EXT_* that the guest may use, see isa.h */
	struct axvm_riscv64_view view; /* axvm_arch_fdt_host */
	struct axvm_plic *plic;	       /* NULL: the VM has none */
	struct axvm_aplic *aplic;
	bool has_imsic;
	uint64_t imsic_base; /* GPA of hart index 0's file; a page per vCPU */
};

#endif
