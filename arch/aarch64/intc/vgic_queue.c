/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From pending interrupts to list registers and back. After a sync each list
 * register in use is reviewed: what the guest did to it goes into the words, what
 * happened meanwhile goes into it. Then free ones are filled. Only when there are
 * more interrupts than room are priorities compared: the hardware sorts what it has.
 *
 * An interrupt in a list register carries its pending state with it: the latch is
 * consumed when it is put in, and given back when it is taken out. One that is pending
 * because its line is high follows the line; it asks for maintenance at its end only
 * while the line is high, since every change of a line comes through here.
 */
#include <axvm/hal_aarch64.h>

#include "vgic_private.h"

/* Keeps a rare path's registers and stack out of every fill. */
#define OUT_OF_LINE __attribute__((noinline))

#define HCR_OURS (AXVM_ICH_HCR_EN | AXVM_ICH_HCR_LRENPIE | AXVM_ICH_HCR_NPIE | AXVM_ICH_HCR_TDIR)

static inline uint32_t free_lrs(const struct axvm_vgic_cpu *cpu)
{
	return ((1u << cpu->lr_count) - 1) & ~cpu->lr_used;
}

/* Follows its line, as opposed to edges, SGIs and linked ones. */
static inline bool follows_line(const struct axvm_vgic_bank *bank, uint32_t bit)
{
	return ((vgic_get(&bank->edge) | vgic_get(&bank->linked)) & bit) == 0;
}

static inline bool is_deliverable(const struct axvm_vcpu *vcpu, const struct axvm_vgic_bank *bank,
				  uint32_t id)
{
	uint32_t bits = vgic_get(&bank->enabled) &
			vgic_in_enabled_group(bank, vgic_get(&vcpu->vm->arch.vgic.ctlr));

	if (id >= AXVM_VGIC_PRIVATE)
		bits &= vgic_get(&vcpu->arch.vgic.routed[id >> 5]);
	return (bits >> (id & 31) & 1) != 0;
}

void axvm_vgic_look_again(struct axvm_vcpu *vcpu, struct axvm_vgic_bank *bank, uint32_t id)
{
	uint32_t word = id >> 5;
	uint32_t bit = 1u << (id & 31);

	if (word == 0 || (vgic_waiting(bank) & bit) == 0)
		return;
	if ((vgic_get(&vcpu->arch.vgic.routed[word]) & bit) != 0)
		vgic_set_if(&vcpu->arch.vgic.spi_hint, 1u << word);
	else
		axvm_vgic_notify(vcpu->vm, word, bit);
}

/* List register n becomes empty, and its interrupt free for whoever may take it. */
static void release(struct axvm_vcpu *vcpu, uint32_t n, struct axvm_vgic_bank *bank, uint32_t id)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t bit = 1u << (id & 31);

	cpu->lr[n] = 0;
	cpu->lr_used &= ~(1u << n);
	cpu->lr_eoi &= ~(1u << n);
	vgic_put(&cpu->lr_pending, vgic_get(&cpu->lr_pending) & ~(1u << n));
	vgic_clear_if(&bank->held_pending, bit);
	vgic_clear(&bank->held, bit);
	axvm_vgic_look_again(vcpu, bank, id);
}

/* The guest has ended it; a linked one is deactivated at the host by the same stroke. */
static void finish(struct axvm_vcpu *vcpu, uint32_t n, struct axvm_vgic_bank *bank, uint32_t id)
{
	uint32_t bit = 1u << (id & 31);

	if ((vcpu->arch.vgic.lr_eoi >> n & 1) != 0) {
		vcpu->arch.vgic.lr_dirty |= 1u << n; /* ends its request for maintenance */
	}
	vgic_clear_if(&bank->held_latch, bit);
	vgic_clear_if(&bank->active, bit);
	/* One that arrives anew is linked after this (vgic_fill.c; insert, for a shared one). */
	vgic_clear_if(&bank->linked, bit);
	release(vcpu, n, bank, id);
}

void axvm_vgic_unlink_host(struct axvm_vgic_bank *bank, uint32_t id)
{
	uint32_t bit = 1u << (id & 31);

	if ((vgic_get(&bank->linked) & bit) != 0) {
		vgic_clear(&bank->linked, bit);
		axvm_hal_aarch64_irq_deactivate(id);
	}
}

/* What others wrote to ICPENDR and ICACTIVER. Returns the new state. */
static uint32_t take_wishes(struct axvm_vgic_bank *bank, uint32_t id, uint32_t state)
{
	uint32_t bit = 1u << (id & 31);

	if ((vgic_get(&bank->drop_pending) & bit) != 0) {
		vgic_clear(&bank->drop_pending, bit);
		state &= ~VGIC_STATE_PENDING;
	}
	if ((vgic_get(&bank->drop_active) & bit) != 0) {
		vgic_clear(&bank->drop_active, bit);
		state &= ~VGIC_STATE_ACTIVE;
	}
	if (state == 0)
		axvm_vgic_unlink_host(bank, id);
	return state;
}

/* Wishes for private interrupts that are not held: what is linked and not pending is let go. */
static void take_stray_wishes(struct axvm_vgic_bank *bank)
{
	uint32_t stray = (vgic_get(&bank->drop_pending) | vgic_get(&bank->drop_active)) &
			 ~vgic_get(&bank->held);

	if (stray == 0)
		return;
	vgic_clear(&bank->drop_pending, stray);
	vgic_clear(&bank->drop_active, stray);
	for (uint32_t left = stray & ~vgic_get(&bank->latch); left != 0; left &= left - 1)
		axvm_vgic_unlink_host(bank, (uint32_t)__builtin_ctz(left));
}

/*
 * The latch that a list register stood for beside the line goes back, unless the guest has
 * acknowledged the interrupt or ICPENDR cleared it: then it is gone, as opposed to a newer one.
 */
static inline void return_latch(struct axvm_vgic_bank *bank, uint32_t bit, uint32_t state)
{
	if ((vgic_get(&bank->held_latch) & bit) == 0)
		return;
	vgic_clear(&bank->held_latch, bit);
	if ((state & VGIC_STATE_PENDING) != 0)
		vgic_set(&bank->latch, bit);
}

/* A list register that is pending for a line, ours or the host's: it stands for the latch too. */
static inline void keep_latch(struct axvm_vgic_bank *bank, uint32_t bit)
{
	if ((vgic_get(&bank->latch) & bit) != 0 && (vgic_clear(&bank->latch, bit) & bit) != 0)
		vgic_set(&bank->held_latch, bit);
}

/* The state of one that follows its line; *eoi: it is pending because the line is high. */
static uint32_t review_level(struct axvm_vgic_bank *bank, uint32_t bit, uint32_t state,
			     bool deliverable, bool *eoi)
{
	if (!*eoi && (state & VGIC_STATE_PENDING) != 0)
		vgic_set(&bank->latch, bit);
	*eoi = false;
	state &= ~VGIC_STATE_PENDING;
	if (!deliverable)
		return state;
	if ((vgic_get(&bank->level) & bit) != 0) {
		*eoi = true;
		keep_latch(bank, bit);
		return state | VGIC_STATE_PENDING;
	}
	if ((vgic_get(&bank->latch) & bit) != 0) {
		vgic_clear(&bank->latch, bit);
		state |= VGIC_STATE_PENDING;
	}
	return state;
}

/* The state of an edge, an SGI or a linked one. */
static uint32_t review_edge(struct axvm_vgic_bank *bank, uint32_t bit, uint32_t state,
			    bool deliverable)
{
	bool linked = (vgic_get(&bank->linked) & bit) != 0;

	if (!deliverable) {
		if ((state & VGIC_STATE_PENDING) != 0)
			vgic_set(&bank->latch, bit);
		return state & ~VGIC_STATE_PENDING;
	}
	if (linked && state == VGIC_STATE_PENDING)
		keep_latch(bank, bit);
	/* The hardware has no state "active and pending" for a linked one. */
	if ((vgic_get(&bank->latch) & bit) != 0 && !(linked && state == VGIC_STATE_ACTIVE)) {
		vgic_clear(&bank->latch, bit);
		state |= VGIC_STATE_PENDING;
	}
	return state;
}

/*
 * A shared one has arrived from the host while it is in a list register that is not linked to
 * it (ISPENDR put it there). It waits for another list register; also where its latch was
 * taken above as if it were the guest's own.
 */
static uint32_t put_off_arrival(struct axvm_vgic_bank *bank, uint32_t bit, uint32_t state)
{
	if ((vgic_get(&bank->arrived) & bit) == 0)
		return state;
	vgic_set(&bank->latch, bit);
	return state & ~VGIC_STATE_PENDING;
}

/* Writes list register n, where it differs, and the words that mirror it. */
static void store(struct axvm_vgic_cpu *cpu, uint32_t n, struct axvm_vgic_bank *bank, uint32_t id,
		  uint64_t lr)
{
	uint32_t bit = 1u << (id & 31);
	uint32_t slot = 1u << n;
	uint32_t pending = vgic_get(&cpu->lr_pending) & ~slot;

	if (cpu->lr[n] != lr) {
		cpu->lr[n] = lr;
		cpu->lr_dirty |= slot;
	}
	cpu->lr_eoi = (cpu->lr_eoi & ~slot) |
		      ((lr & AXVM_ICH_LR_HW) == 0 && (lr & AXVM_ICH_LR_EOI) != 0 ? slot : 0);
	if ((lr & AXVM_ICH_LR_PENDING) != 0) {
		pending |= slot;
		vgic_set_if(&bank->held_pending, bit);
	} else {
		vgic_clear_if(&bank->held_pending, bit);
	}
	vgic_put(&cpu->lr_pending, pending);
	if ((lr & AXVM_ICH_LR_ACTIVE) != 0)
		vgic_set_if(&bank->active, bit);
	else
		vgic_clear_if(&bank->active, bit);
}

static void review(struct axvm_vcpu *vcpu, uint32_t n)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t id = cpu->lr_id[n];
	uint32_t bit = 1u << (id & 31);
	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);
	uint32_t state = (uint32_t)(cpu->lr[n] >> VGIC_LR_STATE_SHIFT);

	if (state == 0) {
		finish(vcpu, n, bank, id);
		return;
	}

	bool eoi = (cpu->lr_eoi >> n & 1) != 0;
	bool deliverable = is_deliverable(vcpu, bank, id);

	state = take_wishes(bank, id, state);
	return_latch(bank, bit, state);
	if (follows_line(bank, bit)) {
		state = review_level(bank, bit, state, deliverable, &eoi);
	} else {
		state = review_edge(bank, bit, state, deliverable);
		eoi = false;
	}
	state = put_off_arrival(bank, bit, state);

	if (state == 0) {
		cpu->lr_dirty |= 1u << n;
		vgic_clear_if(&bank->active, bit);
		release(vcpu, n, bank, id);
		return;
	}
	/* Pending again, but elsewhere or not yet: at its end somebody must be told. */
	if ((state & VGIC_STATE_PENDING) == 0 && (vgic_waiting(bank) & bit) != 0)
		eoi = true;
	store(cpu, n, bank, id, vgic_compose(bank, id, state, eoi));
}

/* Marks it as ours. False: another vCPU was faster (a route that changes). */
static bool claim(struct axvm_vcpu *vcpu, struct axvm_vgic_bank *bank, uint32_t id)
{
	uint32_t bit = 1u << (id & 31);

	if (id < AXVM_VGIC_PRIVATE) {
		vgic_put(&bank->held,
			 vgic_get(&bank->held) | bit); /* its own CPU alone writes it */
	} else {
		if ((vgic_set(&bank->held, bit) & bit) != 0)
			return false;
		vgic_put(&vcpu->vm->arch.vgic.holder[id], vcpu->index);
	}
	vgic_clear_if(&bank->drop_pending, bit);
	vgic_clear_if(&bank->drop_active, bit);
	return true;
}

/* Puts a candidate into a free list register. False: there is none. */
static bool insert(struct axvm_vcpu *vcpu, struct axvm_vgic_bank *bank, uint32_t id)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t bit = 1u << (id & 31);
	uint32_t room = free_lrs(cpu);

	if (room == 0)
		return false;
	if (!claim(vcpu, bank, id))
		return true;

	bool line = follows_line(bank, bit) && (vgic_get(&bank->level) & bit) != 0;

	if (!line && (vgic_clear(&bank->latch, bit) & bit) == 0) { /* gone since we looked */
		vgic_clear(&bank->held, bit);
		axvm_vgic_look_again(vcpu, bank, id);
		return true;
	}

	uint32_t n = (uint32_t)__builtin_ctz(room);

	if (line)
		keep_latch(bank, bit);
	/* The latch first: whoever brings one in sets it last. */
	if ((vgic_get(&bank->arrived) & bit) != 0) {
		vgic_clear(&bank->arrived, bit);
		vgic_set(&bank->linked, bit);
	}
	cpu->lr_used |= 1u << n;
	cpu->lr_id[n] = id;
	store(cpu, n, bank, id, vgic_compose(bank, id, VGIC_STATE_PENDING, line));
	return true;
}

static bool fill_private(struct axvm_vcpu *vcpu, uint32_t ctlr)
{
	struct axvm_vgic_bank *bank = &vcpu->arch.vgic.bank;

	for (uint32_t left = vgic_candidates(bank, ctlr); left != 0; left &= left - 1) {
		if (!insert(vcpu, bank, (uint32_t)__builtin_ctz(left)))
			return false;
	}
	return true;
}

static inline uint32_t shared_candidates(struct axvm_vcpu *vcpu, uint32_t word, uint32_t ctlr)
{
	return vgic_candidates(&vcpu->vm->arch.vgic.spi[word], ctlr) &
	       vgic_get(&vcpu->arch.vgic.routed[word]);
}

/* The hint goes before the look: whoever makes something pending sets it after that. */
static bool fill_shared(struct axvm_vcpu *vcpu, uint32_t ctlr)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;

	for (uint32_t words = vgic_get(&cpu->spi_hint); words != 0; words &= words - 1) {
		uint32_t word = (uint32_t)__builtin_ctz(words);

		vgic_clear(&cpu->spi_hint, 1u << word);
		for (uint32_t left = shared_candidates(vcpu, word, ctlr); left != 0;
		     left &= left - 1) {
			uint32_t id = word * 32 + (uint32_t)__builtin_ctz(left);

			if (!insert(vcpu, &vcpu->vm->arch.vgic.spi[word], id)) {
				vgic_set(&cpu->spi_hint, 1u << word);
				return false;
			}
		}
	}
	return true;
}

/* ---- more interrupts than list registers ----------------------------------------------- */

/* Takes one that is only pending back out of its list register. */
static void give_back(struct axvm_vcpu *vcpu, uint32_t n)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t id = cpu->lr_id[n];
	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);
	uint32_t bit = 1u << (id & 31);

	return_latch(bank, bit, VGIC_STATE_PENDING);
	if ((cpu->lr_eoi >> n & 1) == 0)
		vgic_set(&bank->latch, bit);
	cpu->lr_dirty |= 1u << n;
	release(vcpu, n, bank, id);
}

/* The active one that matters least: not linked, if it can be, then of the lowest priority. */
static uint32_t least_active(const struct axvm_vgic_cpu *cpu)
{
	uint64_t worst_key = 0;
	uint32_t worst = 0;

	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1) {
		uint32_t n = (uint32_t)__builtin_ctz(left);
		uint64_t key = (cpu->lr[n] >> AXVM_ICH_LR_PRIORITY_SHIFT & 0xff) + 1;

		if ((cpu->lr[n] & AXVM_ICH_LR_HW) == 0)
			key += 0x100;
		if (key > worst_key) {
			worst_key = key;
			worst = n;
		}
	}
	return worst;
}

/* It stays active; its end will be counted by the hardware, or trapped, for want of an entry. */
static void evict_active(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t n = least_active(cpu);
	uint32_t id = cpu->lr_id[n];
	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);

	vgic_set(&bank->evicted, 1u << (id & 31));
	cpu->evicted_count++;
	if ((cpu->lr[n] & AXVM_ICH_LR_PENDING) != 0) {
		give_back(vcpu, n);
		return;
	}
	cpu->lr_dirty |= 1u << n;
	release(vcpu, n, bank, id);
}

/* The most important candidates, sorted; keys are priority, then number. */
struct selection {
	uint32_t keys[AXVM_VGIC_LRS_MAX];
	uint32_t count;
	uint32_t room; /* at most AXVM_VGIC_LRS_MAX */
};

static void select_word(struct selection *best, const struct axvm_vgic_bank *bank, uint32_t word,
			uint32_t candidates)
{
	for (uint32_t left = candidates; left != 0; left &= left - 1) {
		uint32_t id = word * 32 + (uint32_t)__builtin_ctz(left);
		uint32_t key = vgic_priority(bank, id) << 16 | id;
		uint32_t at = best->count;

		if (at == best->room) {
			if (key >= best->keys[at - 1])
				continue;
			at--;
		} else {
			best->count++;
		}
		for (; at > 0 && best->keys[at - 1] > key; at--)
			best->keys[at] = best->keys[at - 1];
		best->keys[at] = key;
	}
}

OUT_OF_LINE static void fill_best(struct axvm_vcpu *vcpu, uint32_t ctlr)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	struct selection best = { .count = 0 };

	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1) {
		uint32_t n = (uint32_t)__builtin_ctz(left);

		if (cpu->lr[n] >> VGIC_LR_STATE_SHIFT == VGIC_STATE_PENDING)
			give_back(vcpu, n);
	}
	if (free_lrs(cpu) == 0 && cpu->lr_count > 0)
		evict_active(vcpu);

	for (uint32_t room = free_lrs(cpu); room != 0; room &= room - 1)
		best.room++;
	if (best.room == 0)
		return;
	select_word(&best, &cpu->bank, 0, vgic_candidates(&cpu->bank, ctlr));
	for (uint32_t words = vgic_get(&cpu->spi_hint); words != 0; words &= words - 1) {
		uint32_t word = (uint32_t)__builtin_ctz(words);

		select_word(&best, &vcpu->vm->arch.vgic.spi[word], word,
			    shared_candidates(vcpu, word, ctlr));
	}
	for (uint32_t i = 0; i < best.count; i++) {
		uint32_t id = best.keys[i] & 0xffff;

		(void)insert(vcpu, vgic_bank(vcpu, id), id);
	}
}

/* ---- the virtual timer's line -------------------------------------------------------------- */

/* False: the guest has acknowledged it. True: what is pending of it is the guest's own latch. */
static bool withdraw_timer(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t bit = 1u << AXVM_VGIC_VIRTUAL_TIMER;

	if ((vgic_get(&cpu->bank.active) & bit) != 0)
		return false;
	if ((vgic_get(&cpu->bank.held) & bit) == 0) {
		vgic_clear(&cpu->bank.latch, bit);
		return true;
	}
	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1) {
		uint32_t n = (uint32_t)__builtin_ctz(left);

		if (cpu->lr_id[n] != AXVM_VGIC_VIRTUAL_TIMER)
			continue;
		if (cpu->lr[n] >> VGIC_LR_STATE_SHIFT != VGIC_STATE_PENDING)
			return false;
		return_latch(&cpu->bank, bit, VGIC_STATE_PENDING);
		cpu->lr_dirty |= 1u << n;
		release(vcpu, n, &cpu->bank, AXVM_VGIC_VIRTUAL_TIMER);
		return true;
	}
	return false;
}

/* The host took it once, when the line rose; the guest may have moved the deadline since. */
OUT_OF_LINE static void follow_timer(struct axvm_vcpu *vcpu)
{
	if (!axvm_hal_aarch64_virtual_timer_is_due(vcpu) && withdraw_timer(vcpu))
		axvm_vgic_unlink_host(&vcpu->arch.vgic.bank, AXVM_VGIC_VIRTUAL_TIMER);
}

void axvm_vgic_resample_timer(struct axvm_vcpu *vcpu)
{
	if ((vgic_get(&vcpu->arch.vgic.bank.linked) & 1u << AXVM_VGIC_VIRTUAL_TIMER) == 0)
		return;
	axvm_hal_irq_sync(vcpu);
	axvm_vgic_fill(vcpu);
	axvm_hal_irq_flush(vcpu);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static inline void store_hcr(struct axvm_vgic_cpu *cpu, bool full)
{
	uint64_t hcr = AXVM_ICH_HCR_EN;

	if (full)
		hcr |= AXVM_ICH_HCR_NPIE;
	if (cpu->evicted_count > 0)
		hcr |= AXVM_ICH_HCR_LRENPIE | AXVM_ICH_HCR_TDIR;
	if ((cpu->hcr & HCR_OURS) != hcr) {
		cpu->hcr = hcr;
		cpu->hcr_dirty = 1;
	}
}

void axvm_vgic_fill(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t ctlr = vgic_get(&vcpu->vm->arch.vgic.ctlr);

	if ((cpu->hcr & AXVM_ICH_HCR_LRENPIE) != 0)
		axvm_vgic_take_eoi_count(vcpu);
	take_stray_wishes(&cpu->bank);
	if ((vgic_get(&cpu->bank.linked) & 1u << AXVM_VGIC_VIRTUAL_TIMER) != 0)
		follow_timer(vcpu);
	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1)
		review(vcpu, (uint32_t)__builtin_ctz(left));

	bool fits = fill_private(vcpu, ctlr);

	fits = fill_shared(vcpu, ctlr) && fits;
	if (!fits)
		fill_best(vcpu, ctlr);
	store_hcr(cpu, !fits);
}
