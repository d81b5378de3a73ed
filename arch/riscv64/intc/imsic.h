/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's IMSIC: one supervisor-level interrupt file [AIA 3]. Software here; where the hart has a guest
 * interrupt file for the vCPU the guest's accesses reach that one, and what stands here is not used.
 *
 * Without a hardware file (VGEIN 0) these of VS mode trap as virtual instructions [AIA 2.3, 6.1]: sireg
 * while vsiselect is 0x30 to 0x3f (iprio; with a file, too) or 0x70 to 0xff, and stopei. siselect and
 * stopi (vstopi) do not, unless hstateen0 forbids them.
 */
#ifndef AXVM_RISCV64_IMSIC_H
#define AXVM_RISCV64_IMSIC_H

#include <stdatomic.h>

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_IMSIC_IDS 256u /* numbers; 0 is none, so 255 interrupts */
#define AXVM_IMSIC_WORDS (AXVM_IMSIC_IDS / 64u)

/* `pending` and `enabled` change on any CPU; `delivery` and `threshold` on the vCPU's own. */
struct axvm_imsic_file {
	_Atomic uint64_t pending[AXVM_IMSIC_WORDS];
	_Atomic uint64_t enabled[AXVM_IMSIC_WORDS];
	_Atomic uint32_t delivery;  /* eidelivery: 0 or 1 */
	_Atomic uint32_t threshold; /* eithreshold */
	/* The hardware file in its place: CPU in bits 31:16, number in 15:0; 0: none. */
	_Atomic uint32_t place;
	_Atomic uint32_t senders; /* MSIs on their way to where `place` said */
	bool is_mapped; /* the hardware file's page, in the guest's page; under the VM's lock */
};

extern const struct axvm_device_type axvm_imsic_device_type;

/* An MSI for the vCPU: its hardware file's, or the software one's. Any CPU. Of 0 and beyond no notice. */
void axvm_imsic_send(struct axvm_vcpu *vcpu, uint32_t eiid);
/* Power-on state; a hardware file is given back. As axvm_imsic_fini. */
void axvm_imsic_reset(struct axvm_vcpu *vcpu);

/*
 * An access to the register that siselect (0x70 to 0xff) names, of the software file, at once: those of
 * its bits that are in `mask` become as in `value`; *before is what a read gives. So CSRRW's mask is all
 * ones, CSRRS's is rs1 with value rs1, CSRRC's is rs1 with value 0, and a mask of 0 only reads. False:
 * no such register (the odd ones of eip and eie, for XLEN is 64). On the vCPU's CPU.
 */
bool axvm_imsic_update(struct axvm_vcpu *vcpu, uint64_t select, uint64_t mask, uint64_t value,
		       uint64_t *before);

/* The same for a read alone, and for a write alone. */
static inline bool axvm_imsic_read(struct axvm_vcpu *vcpu, uint64_t select, uint64_t *value)
{
	return axvm_imsic_update(vcpu, select, 0, 0, value);
}

static inline bool axvm_imsic_write(struct axvm_vcpu *vcpu, uint64_t select, uint64_t value)
{
	uint64_t before;

	return axvm_imsic_update(vcpu, select, UINT64_MAX, value, &before);
}

/* The best pending and enabled interrupt below the threshold as stopei has it, or 0. */
uint32_t axvm_imsic_top(const struct axvm_vcpu *vcpu);
/* A write of stopei, after `top` was read in the same instruction: its number, or the whole value. */
void axvm_imsic_claim(struct axvm_vcpu *vcpu, uint32_t top);

/* The hardware file that stands in for the software one. False: none. Any CPU. */
static inline bool axvm_imsic_place(const struct axvm_imsic_file *imsic, uint32_t *cpu,
				    uint32_t *number)
{
	/* seq_cst: what moves the file changes this first, then redoes what was sent there */
	uint32_t place = atomic_load_explicit(&imsic->place, memory_order_seq_cst);

	*cpu = place >> 16;
	*number = place & 0xffff;
	return place != 0;
}

/*
 * Around bind: gets a hardware file on this CPU where there is one and maps it in place of the MMIO page;
 * one of another CPU is given back first. arch.guest_file follows. imsic_bound is called before
 * axvm_hal_vcpu_bind and before the interrupts are filled in; fini when the vCPU is not bound. Both take
 * the VM's lock.
 */
void axvm_imsic_bound(struct axvm_vcpu *vcpu);
void axvm_imsic_fini(struct axvm_vcpu *vcpu);

#endif
