/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's IMSIC: one supervisor-level interrupt file [AIA 3]. Software here; where the hart has a guest
 * interrupt file for the vCPU the guest's accesses reach that one, and what stands here is not used.
 */
#ifndef AXVM_RISCV64_IMSIC_H
#define AXVM_RISCV64_IMSIC_H

#include <stdatomic.h>

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_IMSIC_IDS 256u /* numbers; 0 is none, so 255 interrupts */
#define AXVM_IMSIC_WORDS (AXVM_IMSIC_IDS / 64u)

/* `pending` and `enabled` change on any CPU; the others on the vCPU's own. */
struct axvm_imsic_file {
	_Atomic uint64_t pending[AXVM_IMSIC_WORDS];
	_Atomic uint64_t enabled[AXVM_IMSIC_WORDS];
	_Atomic uint32_t delivery;  /* eidelivery: 0 or 1 */
	_Atomic uint32_t threshold; /* eithreshold */
};

extern const struct axvm_device_type axvm_imsic_device_type;

/* An MSI for the vCPU: its hardware file's, or the software one's. Any CPU. Of 0 and beyond no notice. */
void axvm_imsic_send(struct axvm_vcpu *vcpu, uint32_t eiid);
/* Power-on state. */
void axvm_imsic_reset(struct axvm_vcpu *vcpu);

/* Indirect registers by siselect (0x70 to 0xff), and stopei, of the software file. On the vCPU's CPU. */
bool axvm_imsic_read(struct axvm_vcpu *vcpu, uint64_t select, uint64_t *value);
bool axvm_imsic_write(struct axvm_vcpu *vcpu, uint64_t select, uint64_t value);
/* The best pending and enabled interrupt as stopei has it, or 0. */
uint32_t axvm_imsic_top(const struct axvm_vcpu *vcpu);
void axvm_imsic_claim(struct axvm_vcpu *vcpu, uint32_t eiid);

/*
 * Around bind: gets a hardware file on this CPU where there is one and maps it in place of the MMIO page;
 * fini gives it back. imsic_bound is called before axvm_hal_vcpu_bind.
 */
void axvm_imsic_bound(struct axvm_vcpu *vcpu);
void axvm_imsic_fini(struct axvm_vcpu *vcpu);

#endif
