/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv3: distributor, redistributors, SGIs, PPIs, SPIs and the queue
 * into the list registers, as a state machine [GICv3].
 */
#ifndef AXVM_AARCH64_VGIC_H
#define AXVM_AARCH64_VGIC_H

#include <axvm/hal.h>

#include "lock.h"

#define AXVM_VGIC_LRS_MAX 16u

/* The hardware side of one vCPU: what hal/bare writes to and reads from the CPU interface. */
struct axvm_vgic_cpu {
	uint64_t lr[AXVM_VGIC_LRS_MAX]; /* ICH_LRn_EL2 images */
	uint32_t lr_count;		/* that the host has */
	uint32_t lr_used;		/* bit n: lr[n] is not empty, as of the last sync */
	uint32_t lr_dirty;		/* bit n: flush must write lr[n] */
	uint64_t vmcr;			/* ICH_VMCR_EL2, stored at unbind */
	uint64_t hcr;			/* ICH_HCR_EL2 */
	uint64_t apr[2][4];		/* ICH_AP0Rn_EL2, ICH_AP1Rn_EL2 */
};

struct axvm_vgic {
	struct axvm_lock lock;
};

#endif
