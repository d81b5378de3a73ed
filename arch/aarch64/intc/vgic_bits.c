/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers that the distributor and the redistributors have alike, on one
 * word of 32 interrupts: groups, enables, pending, active, priorities, triggers
 * [GICv3 12.9, 12.11].
 *
 * Pending and active state of an interrupt in a list register is that of the last
 * sync. Reads by the vCPU that holds it sync first; what another running vCPU
 * has in its list registers may be newer than what is read, as it may be on
 * hardware by the time the read has returned.
 */
#include <axvm/hal_aarch64.h>

#include "vgic_private.h"

/* Whom a change of these interrupts concerns: the redistributor's vCPU, or targets of SPIs. */
static void notify(const struct vgic_bits *at, uint32_t bits)
{
	if (at->owner)
		axvm_vcpu_request(at->owner, AXVM_REQUEST_IRQ);
	else
		axvm_vgic_notify(at->vm, at->word, bits);
}

static void notify_holders(const struct vgic_bits *at, uint32_t bits)
{
	bits &= atomic_load_explicit(&at->bank->held, memory_order_seq_cst);
	if (bits == 0)
		return;
	if (at->owner)
		axvm_vcpu_request(at->owner, AXVM_REQUEST_IRQ);
	else
		axvm_vgic_notify_holders(at->vm, at->word, bits);
}

/* Pending interrupts of these may be deliverable now; those held are looked at again. */
static void refresh(const struct vgic_bits *at, uint32_t bits)
{
	uint32_t waiting = vgic_waiting(at->bank) & bits;

	if (waiting != 0)
		notify(at, waiting);
	notify_holders(at, bits);
}

/* What the list registers of the vCPU that asks have done since. */
static void sync_own(const struct vgic_bits *at)
{
	if (at->self->arch.vgic.lr_used != 0)
		axvm_vgic_refill(at->self);
}

/* The same before it sees what is pending. */
static void sync_own_lines(const struct vgic_bits *at)
{
	if (at->owner == at->self)
		axvm_vgic_resample_timer(at->self);
	sync_own(at);
}

static void write_enable(const struct vgic_bits *at, uint32_t value)
{
	uint32_t fresh = value & ~vgic_set(&at->bank->enabled, value);

	if (fresh != 0)
		refresh(at, fresh);
}

static void write_disable(const struct vgic_bits *at, uint32_t value)
{
	uint32_t gone = value & vgic_clear(&at->bank->enabled, value);

	if (gone != 0)
		notify_holders(at, gone);
}

static void write_group(const struct vgic_bits *at, uint32_t value)
{
	uint32_t old = vgic_get(&at->bank->group1);
	uint32_t now = (old & ~at->mask) | value;

	atomic_store_explicit(&at->bank->group1, now, memory_order_seq_cst);
	if (old != now)
		refresh(at, old ^ now);
}

static void set_pending(const struct vgic_bits *at, uint32_t value)
{
	vgic_set(&at->bank->latch, value);
	refresh(at, value & vgic_get(&at->bank->enabled));
}

static void deactivate(const struct vgic_bits *at, uint32_t bits)
{
	for (; bits != 0; bits &= bits - 1)
		axvm_hal_aarch64_irq_deactivate(at->word * 32 + (uint32_t)__builtin_ctz(bits));
}

/* Linked interrupts that are no longer pending: nobody would deactivate them at the host. */
static void unlink_host(const struct vgic_bits *at, uint32_t bits)
{
	uint32_t gone = bits & vgic_get(&at->bank->linked) & ~vgic_get(&at->bank->held);

	if (gone == 0)
		return;
	if (at->owner && at->owner != at->self) { /* active at the CPU of that one, which does it */
		vgic_set(&at->bank->drop_pending, gone);
		axvm_vcpu_request(at->owner, AXVM_REQUEST_IRQ);
		return;
	}
	deactivate(at, gone & vgic_clear(&at->bank->linked, gone));
}

static void clear_pending(const struct vgic_bits *at, uint32_t value)
{
	uint32_t latched;

	sync_own(at);
	latched = value & vgic_clear(&at->bank->latch, value);
	if ((latched & vgic_get(&at->bank->arrived)) != 0)
		deactivate(at, latched & vgic_clear(&at->bank->arrived, latched));
	unlink_host(at, latched & ~vgic_get(&at->bank->active));

	uint32_t held = value & vgic_get(&at->bank->held);

	if (held != 0) {
		vgic_set(&at->bank->drop_pending, held);
		notify_holders(at, held);
	}
}

/* Nothing that the CPU interface knows of; only ICACTIVER or ICC_DIR_EL1 ends it. */
static void set_active(const struct vgic_bits *at, uint32_t value)
{
	sync_own(at);
	vgic_set(&at->bank->active, value & ~vgic_get(&at->bank->held));
}

static void clear_active(const struct vgic_bits *at, uint32_t value)
{
	sync_own(at);

	uint32_t held = value & vgic_get(&at->bank->held);
	uint32_t active = value & vgic_get(&at->bank->active) & ~held;

	if (held != 0) { /* another vCPU's may be active by now without our knowing */
		vgic_set(&at->bank->drop_active, held);
		notify_holders(at, held);
	}
	if (active == 0)
		return;
	unlink_host(at, active);
	vgic_clear(&at->bank->evicted, active);
	vgic_clear(&at->bank->active, active);
	refresh(at, active);
}

uint32_t axvm_vgic_read_bits(const struct vgic_bits *at, enum vgic_bit_register which)
{
	const struct axvm_vgic_bank *bank = at->bank;

	switch (which) {
	case VGIC_IGROUPR:
		return vgic_get(&bank->group1) & at->mask;
	case VGIC_ISENABLER:
	case VGIC_ICENABLER:
		return vgic_get(&bank->enabled);
	case VGIC_ISPENDR:
	case VGIC_ICPENDR:
		sync_own_lines(at);
		return (vgic_waiting(bank) | vgic_get(&bank->held_pending)) & at->mask;
	case VGIC_ISACTIVER:
	case VGIC_ICACTIVER:
		sync_own(at);
		return vgic_get(&bank->active);
	case VGIC_BIT_REGISTERS:
		break;
	}
	return 0;
}

void axvm_vgic_write_bits(const struct vgic_bits *at, enum vgic_bit_register which, uint32_t value)
{
	value &= at->mask;
	switch (which) {
	case VGIC_IGROUPR:
		write_group(at, value);
		break;
	case VGIC_ISENABLER:
		write_enable(at, value);
		break;
	case VGIC_ICENABLER:
		write_disable(at, value);
		break;
	case VGIC_ISPENDR:
		set_pending(at, value);
		break;
	case VGIC_ICPENDR:
		clear_pending(at, value);
		break;
	case VGIC_ISACTIVER:
		set_active(at, value);
		break;
	case VGIC_ICACTIVER:
		clear_active(at, value);
		break;
	case VGIC_BIT_REGISTERS:
		break;
	}
}

/* ---- priorities: words and bytes ------------------------------------------------------------- */

/* Bytes of a priority word that exist, of the last bank. */
static uint32_t priority_mask(const struct vgic_bits *at, uint64_t offset)
{
	uint32_t four = at->mask >> (offset & 0x1c) & 0xf;

	return four == 0xf ? VGIC_PRIORITY_MASK : 0;
}

uint32_t axvm_vgic_read_priority(const struct vgic_bits *at, uint64_t offset, unsigned bytes)
{
	uint32_t word = vgic_get(&at->bank->priority[offset >> 2 & 7]);

	return bytes == 4 ? word : word >> ((offset & 3) * 8) & 0xff;
}

/* A priority takes effect when the interrupt is next put into a list register, or reviewed there. */
void axvm_vgic_write_priority(const struct vgic_bits *at, uint64_t offset, unsigned bytes,
			      uint32_t value)
{
	_Atomic uint32_t *word = &at->bank->priority[offset >> 2 & 7];
	uint32_t shift = (uint32_t)(offset & 3) * 8;
	uint32_t mask = bytes == 4 ? UINT32_MAX : 0xffu << shift;
	uint32_t old = vgic_get(word);
	uint32_t wanted;

	value = (bytes == 4 ? value : value << shift) & priority_mask(at, offset);
	do {
		wanted = (old & ~mask) | (value & mask);
	} while (!atomic_compare_exchange_weak_explicit(word, &old, wanted, memory_order_relaxed,
							memory_order_relaxed));
	if (old != wanted)
		notify_holders(at, 0xfu << (offset & 0x1c));
}

/* ---- triggers: two bits each, of which the upper one counts ------------------------------------- */

uint32_t axvm_vgic_read_config(const struct vgic_bits *at, bool high)
{
	uint32_t bits = vgic_get(&at->bank->edge) >> (high ? 16 : 0) & 0xffff;

	/* Bit n to bit 2n + 1. */
	bits = (bits | bits << 8) & 0x00ff00ffu;
	bits = (bits | bits << 4) & 0x0f0f0f0fu;
	bits = (bits | bits << 2) & 0x33333333u;
	bits = (bits | bits << 1) & 0x55555555u;
	return bits << 1;
}

void axvm_vgic_write_config(const struct vgic_bits *at, bool high, uint32_t value)
{
	uint32_t shift = high ? 16 : 0;
	uint32_t bits = value >> 1 & 0x55555555u;

	bits = (bits | bits >> 1) & 0x33333333u;
	bits = (bits | bits >> 2) & 0x0f0f0f0fu;
	bits = (bits | bits >> 4) & 0x00ff00ffu;
	bits = ((bits | bits >> 8) & 0xffffu) << shift;
	bits &= at->mask;

	uint32_t all = (0xffffu << shift) & at->mask;
	uint32_t old = vgic_get(&at->bank->edge);
	uint32_t wanted;

	do {
		wanted = (old & ~all) | bits;
	} while (!atomic_compare_exchange_weak_explicit(
		&at->bank->edge, &old, wanted, memory_order_seq_cst, memory_order_relaxed));
	if (old != wanted)
		refresh(at, old ^ wanted);
}
