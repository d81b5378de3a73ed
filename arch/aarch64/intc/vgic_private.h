/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the virtual GICv3 only. */
#ifndef AXVM_AARCH64_VGIC_PRIVATE_H
#define AXVM_AARCH64_VGIC_PRIVATE_H

#include "arch.h"
#include "vgic.h"

#define GICD_CTLR_ENABLE_GRP0 (1u << 0)
#define GICD_CTLR_ENABLE_GRP1 (1u << 1)
#define GICD_CTLR_ARE (1u << 4)
#define GICD_CTLR_DS (1u << 6) /* one security state */

#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_WAKER_CHILDREN (1u << 2)

/* Product 'A', variant 0, revision 0, implementer Arm. */
#define VGIC_IIDR 0x4100043bu

#define VGIC_PRIORITY_MASK 0xf8f8f8f8u /* 5 bits */
#define VGIC_SGI_MASK 0xffffu

/* Frames within the device: the distributor's 64 KiB, then two 64 KiB frames for each vCPU. */
#define VGIC_GICD_BYTES 0x10000u
#define VGIC_GICR_BYTES 0x20000u
#define VGIC_SGI_FRAME 0x10000u

/*
 * A route: Aff0 to Aff2 in bits 23:0 and Aff3 in 39:32 as in GICD_IROUTER, the target's index in
 * 55:48, or VGIC_NO_TARGET where no vCPU has that affinity.
 */
#define VGIC_ROUTE_AFFINITY 0xff00ffffffULL
#define VGIC_ROUTE_TARGET_SHIFT 48
#define VGIC_NO_TARGET 0xffu

/* Registers that all banks have, by offset / 0x80 from 0x80: one bit for each interrupt. */
enum vgic_bit_register {
	VGIC_IGROUPR,
	VGIC_ISENABLER,
	VGIC_ICENABLER,
	VGIC_ISPENDR,
	VGIC_ICPENDR,
	VGIC_ISACTIVER,
	VGIC_ICACTIVER,
	VGIC_BIT_REGISTERS
};

static inline uint32_t vgic_get(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void vgic_put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Both return the old value and order what stands before and after them [as vcpu.h asks]. */
static inline uint32_t vgic_set(_Atomic uint32_t *word, uint32_t bits)
{
	return atomic_fetch_or_explicit(word, bits, memory_order_seq_cst);
}

static inline uint32_t vgic_clear(_Atomic uint32_t *word, uint32_t bits)
{
	return atomic_fetch_and_explicit(word, ~bits, memory_order_seq_cst);
}

/* The same where mostly nothing is to do. */
static inline void vgic_clear_if(_Atomic uint32_t *word, uint32_t bits)
{
	if ((vgic_get(word) & bits) != 0)
		vgic_clear(word, bits);
}

static inline void vgic_set_if(_Atomic uint32_t *word, uint32_t bits)
{
	if ((~vgic_get(word) & bits) != 0)
		vgic_set(word, bits);
}

static inline struct axvm_vgic_bank *vgic_bank(struct axvm_vcpu *vcpu, uint32_t id)
{
	return id < AXVM_VGIC_PRIVATE ? &vcpu->arch.vgic.bank : &vcpu->vm->arch.vgic.spi[id >> 5];
}

static inline uint32_t vgic_priority(const struct axvm_vgic_bank *bank, uint32_t id)
{
	return vgic_get(&bank->priority[id >> 2 & 7]) >> ((id & 3) * 8) & 0xff;
}

/* Words of interrupts that the distributor has: 32 lines each, the last may be short. */
static inline uint32_t vgic_word_count(const struct axvm_vgic *vgic)
{
	return (vgic->line_count + 31) / 32;
}

/* Those of a word that exist: 1020 to 1023 do not. */
static inline uint32_t vgic_word_mask(const struct axvm_vgic *vgic, uint32_t word)
{
	uint32_t left = vgic->line_count - word * 32;

	return left >= 32 ? UINT32_MAX : (1u << left) - 1;
}

static inline uint32_t vgic_target(const struct axvm_vgic *vgic, uint32_t id)
{
	return (uint32_t)(atomic_load_explicit(&vgic->route[id], memory_order_seq_cst) >>
			  VGIC_ROUTE_TARGET_SHIFT) &
	       0xff;
}

/* Of a bank: those in groups that GICD_CTLR enables. */
static inline uint32_t vgic_in_enabled_group(const struct axvm_vgic_bank *bank, uint32_t ctlr)
{
	uint32_t group1 = vgic_get(&bank->group1);

	return ((ctlr & GICD_CTLR_ENABLE_GRP1) != 0 ? group1 : 0) |
	       ((ctlr & GICD_CTLR_ENABLE_GRP0) != 0 ? ~group1 : 0);
}

/* Of a bank: pending outside of list registers. Loads that follow a store in `vgic_notify`. */
static inline uint32_t vgic_waiting(const struct axvm_vgic_bank *bank)
{
	uint32_t level = atomic_load_explicit(&bank->level, memory_order_seq_cst);
	uint32_t latch = atomic_load_explicit(&bank->latch, memory_order_seq_cst);

	return latch | (level & ~vgic_get(&bank->edge));
}

/* Of a bank: what a list register could be given. */
static inline uint32_t vgic_candidates(const struct axvm_vgic_bank *bank, uint32_t ctlr)
{
	uint32_t waiting = vgic_waiting(bank);

	if (waiting == 0)
		return 0;
	return waiting & vgic_get(&bank->enabled) & ~vgic_get(&bank->held) &
	       ~vgic_get(&bank->active) & vgic_in_enabled_group(bank, ctlr);
}

#define VGIC_LR_STATE_SHIFT 62
#define VGIC_STATE_PENDING 1u
#define VGIC_STATE_ACTIVE 2u

/* The list register of an interrupt, from its words. */
static inline uint64_t vgic_compose(const struct axvm_vgic_bank *bank, uint32_t id, uint32_t state,
				    bool eoi)
{
	uint32_t bit = 1u << (id & 31);
	uint64_t lr = (uint64_t)state << VGIC_LR_STATE_SHIFT | id |
		      (uint64_t)vgic_priority(bank, id) << AXVM_ICH_LR_PRIORITY_SHIFT;

	if ((vgic_get(&bank->group1) & bit) != 0)
		lr |= AXVM_ICH_LR_GROUP1;
	if ((vgic_get(&bank->linked) & bit) != 0)
		lr |= AXVM_ICH_LR_HW | (uint64_t)id << AXVM_ICH_LR_PINTID_SHIFT;
	else if (eoi)
		lr |= AXVM_ICH_LR_EOI;
	return lr;
}

/* vgic_queue.c: axvm_arch_irq_fill without its short cut. */
void axvm_vgic_fill(struct axvm_vcpu *vcpu);
/* Something of ours may be deliverable again: this fill looks, or another vCPU is told. */
void axvm_vgic_look_again(struct axvm_vcpu *vcpu, struct axvm_vgic_bank *bank, uint32_t id);
/* Ends a link that the guest will not end. Of a private one on its CPU. */
void axvm_vgic_unlink_host(struct axvm_vgic_bank *bank, uint32_t id);

/* vgic_end.c: interrupts without a list register that the guest has ended since the last sync. */
void axvm_vgic_take_eoi_count(struct axvm_vcpu *vcpu);

/* vgic.c: lets the targets of these SPIs of a word look at them. Any CPU. */
void axvm_vgic_notify(struct axvm_vm *vm, uint32_t word, uint32_t bits);
/* The same for the vCPUs that hold them. */
void axvm_vgic_notify_holders(struct axvm_vm *vm, uint32_t word, uint32_t bits);
/* Everybody looks at everything: an enable of GICD_CTLR changed. */
void axvm_vgic_notify_all(struct axvm_vm *vm);

/*
 * vgic_bits.c: the bit-per-interrupt registers, configuration and priority of one bank. `self`
 * makes the access; `owner` is the redistributor's vCPU, NULL for SPIs. `mask`: that exist.
 */
struct vgic_bits {
	struct axvm_vm *vm;
	struct axvm_vcpu *self;
	struct axvm_vcpu *owner;
	struct axvm_vgic_bank *bank;
	uint32_t word;
	uint32_t mask;
};
uint32_t axvm_vgic_read_bits(const struct vgic_bits *at, enum vgic_bit_register which);
void axvm_vgic_write_bits(const struct vgic_bits *at, enum vgic_bit_register which, uint32_t value);
uint32_t axvm_vgic_read_priority(const struct vgic_bits *at, uint64_t offset, unsigned bytes);
void axvm_vgic_write_priority(const struct vgic_bits *at, uint64_t offset, unsigned bytes,
			      uint32_t value);
uint32_t axvm_vgic_read_config(const struct vgic_bits *at, bool high);
void axvm_vgic_write_config(const struct vgic_bits *at, bool high, uint32_t value);

/* vgic_gicd.c, vgic_gicr.c: `offset` within the frame; GICR's counts from the first vCPU's. */
uint64_t axvm_vgic_gicd_read(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes);
void axvm_vgic_gicd_write(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes, uint64_t value);
uint64_t axvm_vgic_gicr_read(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes);
void axvm_vgic_gicr_write(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes, uint64_t value);
/* The identification registers of every frame, 0xffd0 to 0xfffc. */
uint32_t axvm_vgic_read_id(uint64_t offset);

#endif
