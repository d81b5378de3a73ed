// SPDX-License-Identifier: Apache-2.0
/*
 * From pending and enabled to the hart: its line in direct mode [AIA 4.8], an MSI in MSI mode [AIA 4.9].
 * No lock: a line is set from what the words say and looked at again afterwards, and of those who would
 * send an MSI only the one that has cleared the pending bit does.
 */
#include "aplic_private.h"
#include "exit.h"

/* Others may change the words while a line is set, or claim what was found. */
#define ROUNDS 4u

/* ---- the best of a hart ------------------------------------------------------------------------- */

static uint32_t ready(const struct aplic_word *word)
{
	uint32_t pending = aplic_pending(word, false);

	return pending == 0 ? 0 : pending & aplic_look(&word->enabled);
}

/* Of a priority: identity and priority as in topi, or 0. */
static uint32_t find(struct axvm_aplic *aplic, struct aplic_hart *hart, uint32_t priority)
{
	for (uint32_t left = aplic_look(&hart->hint[priority]); left != 0; left &= left - 1) {
		uint32_t w = (uint32_t)__builtin_ctz(left);
		const _Atomic uint32_t *mine = &hart->mine[priority][w];
		uint32_t bits = ready(&aplic->words[w]) & aplic_look(mine);

		if (bits == 0) {
			/* It may have come to be between the look and this. */
			aplic_clear(&hart->hint[priority], 1u << w);
			bits = ready(&aplic->words[w]) & aplic_look(mine);
			if (bits == 0)
				continue;
			aplic_set(&hart->hint[priority], 1u << w);
		}
		return (w * 32 + (uint32_t)__builtin_ctz(bits)) << 16 | priority;
	}
	return 0;
}

uint32_t axvm_aplic_top(struct axvm_aplic *aplic, uint32_t index)
{
	struct aplic_hart *hart = &aplic->harts[index];
	uint32_t threshold = aplic_look(&hart->threshold);
	uint32_t end = threshold == 0 ? APLIC_PRIORITIES : threshold;

	if (aplic_is_msi(aplic))
		return 0;
	for (uint32_t priority = 1; priority < end; priority++) {
		if (aplic_look(&hart->hint[priority]) == 0)
			continue;
		uint32_t top = find(aplic, hart, priority);

		if (top != 0)
			return top;
	}
	return 0;
}

/* ---- direct mode ---------------------------------------------------------------------------------- */

static bool signals(struct axvm_aplic *aplic, uint32_t index)
{
	struct aplic_hart *hart = &aplic->harts[index];

	if (aplic_look(&aplic->domaincfg) != DOMAINCFG_IE || aplic_look(&hart->delivery) == 0)
		return false;
	return aplic_look(&hart->force) != 0 || axvm_aplic_top(aplic, index) != 0;
}

/*
 * Harts with an IMSIC take nothing else: eidelivery cannot be 0x40000000. At the end of all rounds a
 * line that is high for nothing, a spurious interrupt, is better than one that stays low.
 */
void axvm_aplic_settle(struct axvm_aplic *aplic, uint32_t index)
{
	struct axvm_vcpu *vcpu = aplic->vm->vcpus[index];

	if (aplic->vm->arch.has_imsic)
		return;
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool level = signals(aplic, index);

		axvm_riscv64_set_external(vcpu, level);
		if (signals(aplic, index) == level)
			return;
	}
	axvm_riscv64_set_external(vcpu, true);
}

static void tell_harts(struct axvm_aplic *aplic, uint32_t word, uint32_t bits)
{
	uint64_t harts = 0;

	for (uint32_t left = bits; left != 0; left &= left - 1) {
		uint32_t source = word * 32 + (uint32_t)__builtin_ctz(left);
		uint32_t target = aplic_look(&aplic->target[source]);
		uint32_t index = aplic_hart_of(target);

		if (index >= aplic->hart_count)
			continue;
		_Atomic uint32_t *hint = &aplic->harts[index].hint[aplic_priority_of(target)];

		/* Who clears it afterwards looks once more, and sees what was changed before this. */
		if ((aplic_look(hint) >> word & 1) == 0)
			aplic_set(hint, 1u << word);
		harts |= 1ULL << index;
	}
	for (; harts != 0; harts &= harts - 1)
		axvm_aplic_settle(aplic, (uint32_t)__builtin_ctzll(harts));
}

/* ---- claims ---------------------------------------------------------------------------------------- */

/* False: another hart, or another mode, was faster. */
static bool take(struct axvm_aplic *aplic, uint32_t source)
{
	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = 1u << source % 32;

	if ((aplic_look(&word->leveled) & bit) == 0)
		return (aplic_clear(&word->latch, bit) & bit) != 0;
	if ((aplic_get(&word->held) & bit) != 0 && (aplic_clear(&word->held, bit) & bit) != 0)
		aplic_clear(&word->wire, bit);
	return true;
}

/*
 * A claim does not say that the guest is done with the source, but a hart that claims again is done with
 * what it has claimed before: only then is a level of the host's looked at anew.
 */
static void finish(struct axvm_aplic *aplic, struct aplic_hart *hart)
{
	uint32_t source = atomic_exchange_explicit(&hart->claimed, 0, memory_order_seq_cst);

	if (source != 0)
		axvm_aplic_resample(aplic, source / 32, 1u << source % 32);
}

static void begin(struct axvm_aplic *aplic, struct aplic_hart *hart, uint32_t source)
{
	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = 1u << source % 32;

	if ((aplic_get(&word->linked) & bit) == 0)
		return;
	if ((aplic_get(&word->wire) & bit) != 0)
		aplic_put(&hart->claimed, source);
	else
		axvm_aplic_resample(aplic, source / 32, bit);
}

uint32_t axvm_aplic_claim(struct axvm_aplic *aplic, uint32_t index)
{
	struct aplic_hart *hart = &aplic->harts[index];
	uint32_t top = 0;

	if (aplic_get(&hart->claimed) != 0)
		finish(aplic, hart);
	for (unsigned round = 0; round < ROUNDS; round++) {
		top = axvm_aplic_top(aplic, index);
		if (top == 0 || take(aplic, top >> 16))
			break;
		top = 0;
	}
	if (top == 0)
		aplic_put(&hart->force, 0);
	else
		begin(aplic, hart, top >> 16);
	axvm_aplic_settle(aplic, index);
	return top;
}

/* ---- MSI mode -------------------------------------------------------------------------------------- */

static void send(struct axvm_aplic *aplic, uint32_t source)
{
	uint32_t target = aplic_look(&aplic->target[source]);
	uint32_t index = aplic_hart_of(target);

	if (index < aplic->hart_count)
		axvm_imsic_send(aplic->vm->vcpus[index], target & TARGET_EIID);
}

/* A pulse ends as soon as it is sent; and the host's edge then may come again. */
static void sent(struct axvm_aplic *aplic, uint32_t w, uint32_t bit)
{
	struct aplic_word *word = &aplic->words[w];

	if ((aplic_get(&word->held) & bit) != 0 && (aplic_clear(&word->held, bit) & bit) != 0)
		aplic_clear(&word->wire, bit);
	if ((aplic_get(&word->linked) & bit) != 0 && (aplic_get(&word->wire) & bit) == 0)
		axvm_aplic_resample(aplic, w, bit);
}

static void forward(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	struct aplic_word *word = &aplic->words[w];

	if ((aplic_look(&aplic->domaincfg) & DOMAINCFG_IE) == 0)
		return;
	for (uint32_t left = aplic_pending(word, true) & aplic_look(&word->enabled) & bits;
	     left != 0; left &= left - 1) {
		uint32_t bit = left & -left;

		if ((aplic_clear(&word->latch, bit) & bit) == 0)
			continue;
		send(aplic, w * 32 + (uint32_t)__builtin_ctz(bit));
		sent(aplic, w, bit);
	}
}

/* ---- both ------------------------------------------------------------------------------------------ */

void axvm_aplic_deliver(struct axvm_aplic *aplic, uint32_t word, uint32_t bits)
{
	if (aplic_is_msi(aplic))
		forward(aplic, word, bits);
	else
		tell_harts(aplic, word, bits);
}

/* IE or the mode has changed. A level-sensitive source that pends in direct mode still does in the other. */
void axvm_aplic_deliver_all(struct axvm_aplic *aplic)
{
	bool msi = aplic_is_msi(aplic);

	for (uint32_t w = 0; w < APLIC_WORDS; w++) {
		uint32_t pending = aplic_pending(&aplic->words[w], msi);

		if (pending != 0)
			axvm_aplic_deliver(aplic, w, pending);
	}
	for (uint32_t index = 0; index < aplic->hart_count; index++)
		axvm_aplic_settle(aplic, index);
}
