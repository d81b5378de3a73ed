/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of interrupts that had no list register: the hardware counts them (EOIcount), or
 * ICC_DIR_EL1 traps.
 */
#include "vgic_private.h"

#define HCR_EOICOUNT (0x1fULL << AXVM_ICH_HCR_EOICOUNT_SHIFT)

static void deactivate_evicted(struct axvm_vcpu *vcpu, uint32_t id)
{
	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);
	uint32_t bit = 1u << (id & 31);

	axvm_vgic_unlink_host(bank, id);
	vgic_clear(&bank->evicted, bit);
	vgic_clear(&bank->active, bit);
	axvm_vgic_look_again(vcpu, bank, id);
}

/* This vCPU's evicted interrupt of the highest priority: the guest ends that one first. */
static uint32_t first_evicted(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;
	uint32_t best = UINT32_MAX;

	for (uint32_t word = 0; word < vgic_word_count(vgic); word++) {
		struct axvm_vgic_bank *bank = vgic_bank(vcpu, word * 32);

		for (uint32_t left = vgic_get(&bank->evicted); left != 0; left &= left - 1) {
			uint32_t id = word * 32 + (uint32_t)__builtin_ctz(left);
			uint32_t key = vgic_priority(bank, id) << 16 | id;

			if (word != 0 && vgic_get(&vgic->holder[id]) != vcpu->index)
				continue;
			best = key < best ? key : best;
		}
	}
	return best;
}

void axvm_vgic_take_eoi_count(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint64_t count = (cpu->hcr & HCR_EOICOUNT) >> AXVM_ICH_HCR_EOICOUNT_SHIFT;

	if (count != 0) {
		cpu->hcr &= ~HCR_EOICOUNT;
		cpu->hcr_dirty = 1;
	}
	for (; count > 0 && cpu->evicted_count > 0; count--) {
		uint32_t key = first_evicted(vcpu);

		if (key == UINT32_MAX) { /* others were cleared by ICACTIVER */
			cpu->evicted_count = 0;
			break;
		}
		deactivate_evicted(vcpu, key & 0xffff);
		cpu->evicted_count--;
	}
}

void axvm_vgic_deactivate(struct axvm_vcpu *vcpu, uint64_t value)
{
	struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;
	uint32_t id = (uint32_t)(value & 0xffffff);

	if (id >= vgic->line_count)
		return;

	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);
	uint32_t bit = 1u << (id & 31);

	if ((vgic_get(&bank->held) & bit) != 0) {
		vgic_set(&bank->drop_active, bit);
		if (id >= AXVM_VGIC_PRIVATE)
			axvm_vgic_notify_holders(vcpu->vm, id >> 5, bit);
	} else if ((vgic_get(&bank->active) & bit) != 0) {
		if ((vgic_get(&bank->evicted) & bit) != 0 && vcpu->arch.vgic.evicted_count > 0)
			vcpu->arch.vgic.evicted_count--;
		deactivate_evicted(vcpu, id);
	}
	axvm_vgic_refill(vcpu);
}
