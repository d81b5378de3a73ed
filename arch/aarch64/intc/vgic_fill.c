/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills, and the short cut of nearly all of them: one private interrupt is there, and
 * what the only list register in use held, if one was, has ended. Then the one takes the
 * other's place with a few plain stores, and leaves what the queue (vgic_queue.c)
 * would have left.
 */
#include "vgic_private.h"

/* So that the short cut needs no stack frame. */
#define ALWAYS_INLINE __attribute__((always_inline))
#define OUT_OF_LINE __attribute__((noinline))

/* Nothing but what the short cut handles: no shared interrupts, no wishes, no overflow. */
static inline bool is_plain(const struct axvm_vcpu *vcpu)
{
	const struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t held = vgic_get(&cpu->bank.held);

	/* lr[0] is the only one in use, for a private interrupt, or none is */
	return cpu->lr_used == (held != 0) && cpu->lr[0] >> VGIC_LR_STATE_SHIFT == 0 &&
	       (cpu->lr_eoi | vgic_get(&cpu->spi_hint) | vgic_get(&cpu->bank.held_latch) |
		vgic_get(&cpu->bank.drop_pending) | vgic_get(&cpu->bank.drop_active) |
		(cpu->hcr ^ AXVM_ICH_HCR_EN)) == 0;
}

/*
 * True: done. `fresh`, one bit at most, is pending but not latched yet: it does not need to be,
 * if it goes straight into the list register. Only the vCPU's own CPU writes `held`,
 * `held_pending` and `linked` of its private interrupts. `link`: `fresh`, if it is linked.
 */
static inline ALWAYS_INLINE bool fill_one(struct axvm_vcpu *vcpu, uint32_t fresh, uint32_t link)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	struct axvm_vgic_bank *bank = &cpu->bank;

	if (!is_plain(vcpu))
		return false;

	uint32_t ended = vgic_get(&bank->held);
	uint32_t latch = vgic_get(&bank->latch);
	uint32_t edge = vgic_get(&bank->edge);
	uint32_t active = vgic_get(&bank->active);
	uint32_t linked = (vgic_get(&bank->linked) & ~ended) | link;
	uint32_t one = (latch | fresh | (vgic_get(&bank->level) & ~edge)) &
		       vgic_get(&bank->enabled) & ~(active & ~ended) &
		       vgic_in_enabled_group(bank, vgic_get(&vcpu->vm->arch.vgic.ctlr));

	/* exactly one, not one that follows its line, and `fresh` if that is there */
	if ((one & (one - 1)) != 0 || (one & (edge | linked)) == 0 || (fresh & ~one) != 0)
		return false;
	if ((latch & one) != 0) {
		if (link != 0) /* the guest's latch, and the line */
			return false;
		latch = vgic_clear(&bank->latch, one);
	}
	if (((latch | fresh) & one) == 0) /* gone since we looked */
		return false;
	if ((active & ended) != 0)
		vgic_clear(&bank->active, ended);
	vgic_put(&bank->linked, linked);
	vgic_put(&bank->held, one);
	vgic_put(&bank->held_pending, one);
	vgic_put(&cpu->lr_pending, 1);
	cpu->lr_used = 1;
	cpu->lr_dirty |= 1;
	cpu->lr_id[0] = (uint32_t)__builtin_ctz(one);
	cpu->lr[0] = vgic_compose(bank, cpu->lr_id[0], VGIC_STATE_PENDING, false);
	return true;
}

void axvm_arch_irq_fill(struct axvm_vcpu *vcpu)
{
	if (!fill_one(vcpu, 0, 0))
		axvm_vgic_fill(vcpu);
}

/* An earlier one that has ended is seen to before: its link ends, the new one's begins. */
OUT_OF_LINE static void fill_latched(struct axvm_vcpu *vcpu, uint32_t fresh, uint32_t link)
{
	if (link != 0) {
		axvm_vgic_fill(vcpu);
		vgic_set(&vcpu->arch.vgic.bank.linked, link);
	}
	vgic_set(&vcpu->arch.vgic.bank.latch, fresh);
	axvm_vgic_fill(vcpu);
	axvm_hal_irq_flush(vcpu);
}

/* A private interrupt of this vCPU became pending, on its CPU. `link`: it, or 0. */
OUT_OF_LINE static void take(struct axvm_vcpu *vcpu, uint32_t bit, uint32_t link)
{
	if (fill_one(vcpu, bit, link))
		axvm_hal_irq_flush(vcpu);
	else
		fill_latched(vcpu, bit, link);
}

void axvm_vgic_take_private(struct axvm_vcpu *vcpu, uint32_t irq)
{
	axvm_hal_irq_sync(vcpu);
	take(vcpu, 1u << irq, 0);
}

void axvm_vgic_take_linked(struct axvm_vcpu *vcpu, uint32_t irq)
{
	axvm_hal_irq_sync(vcpu);
	take(vcpu, 1u << irq, 1u << irq);
}

void axvm_vgic_refill(struct axvm_vcpu *vcpu)
{
	axvm_hal_irq_sync(vcpu);
	axvm_arch_irq_fill(vcpu);
	axvm_hal_irq_flush(vcpu);
}

bool axvm_arch_irq_pending(const struct axvm_vcpu *vcpu)
{
	const struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	const struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;
	uint32_t ctlr = vgic_get(&vgic->ctlr);

	if (atomic_load_explicit(&vcpu->arch.timer_expired, memory_order_relaxed) != 0 ||
	    vgic_get(&cpu->lr_pending) != 0 || vgic_candidates(&cpu->bank, ctlr) != 0)
		return true;
	for (uint32_t words = vgic_get(&cpu->spi_hint); words != 0; words &= words - 1) {
		uint32_t word = (uint32_t)__builtin_ctz(words);

		if ((vgic_candidates(&vgic->spi[word], ctlr) & vgic_get(&cpu->routed[word])) != 0)
			return true;
	}
	return false;
}
