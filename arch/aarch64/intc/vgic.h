/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv3: distributor, redistributors, SGIs, PPIs, SPIs and the queue
 * into the list registers, as a state machine [GICv3].
 *
 * State stands in words of 32 interrupts. Any CPU, of any VM, may set line
 * levels and pending latches: atomic operations and a request to the target
 * vCPU, no lock. What is in a list register belongs to its vCPU's CPU ("held");
 * others leave wishes in `drop_pending` and `drop_active`, taken at its next fill.
 */
#ifndef AXVM_AARCH64_VGIC_H
#define AXVM_AARCH64_VGIC_H

#include <axvm/hal.h>

#include "lock.h"

#define AXVM_VGIC_LRS_MAX 16u
#define AXVM_VGIC_PRIVATE 32u	 /* SGIs 0 to 15 and PPIs 16 to 31 */
#define AXVM_VGIC_LINES_MIN 288u /* INTIDs without a larger number in the configuration, as QEMU */
#define AXVM_VGIC_LINES_MAX 1020u
#define AXVM_VGIC_WORDS 32u

#define AXVM_VGIC_VIRTUAL_TIMER 27u
#define AXVM_VGIC_PHYSICAL_TIMER 30u

/* ICH_HCR_EL2 [GICv3 12.4.8]. */
#define AXVM_ICH_HCR_EN (1ULL << 0)
#define AXVM_ICH_HCR_LRENPIE \
	(1ULL << 2)		      /* maintenance: an end of interrupt without a list register */
#define AXVM_ICH_HCR_NPIE (1ULL << 3) /* maintenance: no list register is pending */
#define AXVM_ICH_HCR_TDIR (1ULL << 14) /* ICC_DIR_EL1 traps */
#define AXVM_ICH_HCR_EOICOUNT_SHIFT 27

/* ICH_LRn_EL2 [GICv3 12.4.9]. */
#define AXVM_ICH_LR_PENDING (1ULL << 62)
#define AXVM_ICH_LR_ACTIVE (1ULL << 63)
#define AXVM_ICH_LR_HW (1ULL << 61)
#define AXVM_ICH_LR_GROUP1 (1ULL << 60)
#define AXVM_ICH_LR_PRIORITY_SHIFT 48
#define AXVM_ICH_LR_EOI (1ULL << 41) /* HW 0: maintenance at its end */
#define AXVM_ICH_LR_PINTID_SHIFT 32
#define AXVM_ICH_LR_VINTID 0xffffffffULL

/* 32 interrupts; bit n is the n-th. */
struct axvm_vgic_bank {
	_Atomic uint32_t level;	  /* input lines that are high */
	_Atomic uint32_t latch;	  /* pending apart from the level, and not in a list register */
	_Atomic uint32_t enabled; /* ISENABLER */
	_Atomic uint32_t group1;  /* IGROUPR */
	_Atomic uint32_t edge;	  /* ICFGR */
	_Atomic uint32_t active;  /* ISACTIVER; of those held as of the last sync */
	_Atomic uint32_t held;	  /* in a list register */
	_Atomic uint32_t held_pending; /* of those held: pending there, as of the last sync */
	_Atomic uint32_t held_latch;   /* of those held for their line, or linked: latched too */
	_Atomic uint32_t drop_pending; /* wishes of others for those held */
	_Atomic uint32_t drop_active;
	_Atomic uint32_t
		linked; /* the physical interrupt is active until the guest deactivates it */
	_Atomic uint32_t arrived; /* SPIs: the same, not in a list register yet; then linked */
	_Atomic uint32_t evicted; /* active, acknowledged by the guest, not held for lack of room */
	_Atomic uint32_t priority[8]; /* IPRIORITYR words */
};

/*
 * One vCPU: the hardware side, what hal/bare writes to and reads from the CPU
 * interface, then its private interrupts.
 */
struct axvm_vgic_cpu {
	uint64_t lr[AXVM_VGIC_LRS_MAX]; /* ICH_LRn_EL2 images; sync reads those in lr_used */
	uint32_t lr_count;		/* that the host has */
	uint32_t lr_used;		/* bit n: lr[n] is not empty, as of the last sync */
	uint32_t lr_dirty;		/* bit n: flush must write lr[n], and clear the bit */
	uint64_t vmcr;			/* ICH_VMCR_EL2, stored at unbind */
	/*
	 * ICH_HCR_EL2 while bound. Flush writes it when hcr_dirty, and clears that. Sync reads it back
	 * while LRENPIE is set in it: EOIcount.
	 */
	uint64_t hcr;
	uint64_t apr[2][4]; /* ICH_AP0Rn_EL2, ICH_AP1Rn_EL2 */
	uint32_t hcr_dirty;
	uint32_t lr_eoi;		   /* bit n: lr[n] asks for maintenance at its end */
	uint32_t lr_id[AXVM_VGIC_LRS_MAX]; /* INTID in lr[n]; while in lr_used */

	struct axvm_vgic_bank bank;  /* SGIs and PPIs */
	_Atomic uint32_t lr_pending; /* bit n: lr[n] is pending, as of the last sync or fill */
	_Atomic uint32_t waker;	     /* GICR_WAKER */
	_Atomic uint32_t
		spi_hint; /* bit w: SPI word w may hold something deliverable to this vCPU */
	_Atomic uint32_t routed[AXVM_VGIC_WORDS]; /* SPIs whose route is this vCPU */
	uint32_t evicted_count; /* at most so many of those it held are `evicted` */
};

struct axvm_vgic {
	struct axvm_lock lock; /* routes only; the VM's own vCPUs take it, nobody else */
	uint32_t line_count; /* INTIDs are below it; a multiple of 32, or 1020; 0: no controller */
	_Atomic uint32_t ctlr;	    /* GICD_CTLR.EnableGrp0 and EnableGrp1 */
	struct axvm_vgic_bank *spi; /* by INTID / 32; the first is not used */
	_Atomic uint64_t *route;    /* by INTID: see vgic_private.h */
	_Atomic uint32_t *holder;   /* by INTID: the vCPU that holds or has evicted it */
};

/*
 * Sync, fill, flush: after a change of this vCPU's own interrupts. On its CPU, bound.
 * Cost: the list registers in use, and the words that have something new.
 */
void axvm_vgic_refill(struct axvm_vcpu *vcpu);

/* A write of ICC_SGI1R_EL1, or of ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 (`group1` false) [GICv3 12.2]. */
void axvm_vgic_send_sgi(struct axvm_vcpu *vcpu, uint64_t value, bool group1);

/* A trapped write of ICC_DIR_EL1. */
void axvm_vgic_deactivate(struct axvm_vcpu *vcpu, uint64_t value);

/*
 * A private interrupt became pending, by the vCPU's own doing (an SGI), or at the host: then it is
 * active there, and the guest's deactivation goes through to the host. Refills. On the vCPU's
 * CPU, bound. `irq` below 32.
 */
void axvm_vgic_take_private(struct axvm_vcpu *vcpu, uint32_t irq);
void axvm_vgic_take_linked(struct axvm_vcpu *vcpu, uint32_t irq);

/* The same of an SPI at the host, on any CPU. AXVM_EINVAL: no such line. */
int axvm_vgic_linked_shared(struct axvm_vm *vm, uint32_t irq);

/*
 * Takes the virtual timer's interrupt back if it is pending but the timer's condition no longer
 * holds, before the guest looks at it. On the vCPU's CPU, bound.
 */
void axvm_vgic_resample_timer(struct axvm_vcpu *vcpu);

/* Power-on state of the CPU interface; what it held goes back to the controller. vCPU unbound. */
void axvm_vgic_cpu_reset(struct axvm_vcpu *vcpu);

extern const struct axvm_device_type axvm_vgic_device_type;

#endif
