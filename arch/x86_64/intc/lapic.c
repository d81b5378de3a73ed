// SPDX-License-Identifier: Apache-2.0
/*
 * What a local APIC does with interrupts: takes them from anywhere, orders them by priority, gives them to
 * its CPU, ends them [SDM3 11.8]. Who sets a bit that was not set asks the vCPU to look; a bit that was set
 * has been asked for.
 */
#include "exit.h"
#include "ioapic.h"
#include "lapic_private.h"
#include "pic.h"

/* ---- what is pending ------------------------------------------------------------------------- */

/* Vectors below 16 are never set, so 0 is none. */
static uint32_t highest_irr(const struct axvm_lapic *lapic)
{
	for (uint32_t word = 8; word-- > 0;) {
		uint32_t bits = atomic_load_explicit(&lapic->irr[word], memory_order_seq_cst);

		if (bits != 0)
			return word * 32 + 31 - (uint32_t)__builtin_clz(bits);
	}
	return 0;
}

static uint32_t highest_isr(const struct axvm_lapic *lapic)
{
	for (uint32_t word = 8; word-- > 0;) {
		if (lapic->isr[word] != 0)
			return word * 32 + 31 - (uint32_t)__builtin_clz(lapic->isr[word]);
	}
	return 0;
}

static bool is_above(const struct axvm_lapic *lapic, uint32_t vector)
{
	return vector >> 4 > lapic_look(&lapic->ppr) >> 4;
}

static bool lint0_is_extint(const struct axvm_lapic *lapic)
{
	uint32_t lvt = lapic_look(&lapic->lvt[AXVM_LAPIC_LINT0]);

	/* Without its APIC the CPU has the pin as INTR. */
	return lapic_look(&lapic->mode) == AXVM_LAPIC_OFF ||
	       ((lvt & LAPIC_LVT_MASKED) == 0 && LAPIC_LVT_DELIVERY(lvt) == AXVM_LAPIC_EXTINT);
}

OUT_OF_LINE static bool extint_is_pending(const struct axvm_vcpu *vcpu, uint32_t lines)
{
	if (vcpu->vm->arch.pic == NULL)
		return false;
	return (lines & AXVM_LAPIC_LINE_EXTINT) != 0 ||
	       ((lines & AXVM_LAPIC_LINE_LINT0) != 0 && lint0_is_extint(&vcpu->arch.lapic));
}

int axvm_lapic_pending(const struct axvm_vcpu *vcpu)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t lines = atomic_load_explicit(&lapic->lines, memory_order_seq_cst);

	if (lines != 0 && extint_is_pending(vcpu, lines))
		return AXVM_LAPIC_EXTINT_PENDING;
	uint32_t vector = highest_irr(lapic);

	return is_above(lapic, vector) ? (int)vector : -1;
}

/* What the entry would become when the vCPU's CPU delivers it. */
static bool event_is_pending(const struct axvm_lapic *lapic, uint32_t entry)
{
	uint32_t lvt = lapic_look(&lapic->lvt[entry]);

	if (lapic_look(&lapic->mode) == AXVM_LAPIC_OFF)
		return entry == AXVM_LAPIC_LINT1;
	if ((lvt & LAPIC_LVT_MASKED) != 0)
		return false;
	return LAPIC_LVT_DELIVERY(lvt) != AXVM_LAPIC_FIXED || is_above(lapic, lvt & 0xff);
}

bool axvm_lapic_has_pending(const struct axvm_vcpu *vcpu)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t events = atomic_load_explicit(&lapic->events, memory_order_seq_cst);

	for (; events != 0; events &= events - 1) {
		if (event_is_pending(lapic, (uint32_t)__builtin_ctz(events)))
			return true;
	}
	return axvm_lapic_pending(vcpu) >= 0;
}

/* ---- taken and ended --------------------------------------------------------------------------- */

/* The PIC may have more: its output, which is vCPU 0's LINT0, is still high then. */
OUT_OF_LINE static int take_extint(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	const struct axvm_lapic *first = &vcpu->vm->vcpus[0]->arch.lapic;
	uint32_t before = atomic_fetch_and_explicit(&lapic->lines, ~AXVM_LAPIC_LINE_EXTINT,
						    memory_order_seq_cst);
	uint8_t vector = axvm_pic_acknowledge(vcpu->vm->arch.pic);
	uint32_t output = atomic_load_explicit(&first->lines, memory_order_seq_cst);

	if ((before & AXVM_LAPIC_LINE_EXTINT) != 0 && (output & AXVM_LAPIC_LINE_LINT0) != 0)
		(void)axvm_lapic_accept(vcpu, AXVM_LAPIC_EXTINT, 0, false);
	return vector;
}

int axvm_lapic_take(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	int pending = axvm_lapic_pending(vcpu);

	if (pending < 0)
		return -1;
	if (pending == AXVM_LAPIC_EXTINT_PENDING)
		return take_extint(vcpu);
	uint32_t vector = (uint32_t)pending;

	atomic_fetch_and_explicit(&lapic->irr[vector / 32], ~(1u << vector % 32),
				  memory_order_seq_cst);
	lapic->isr[vector / 32] |= 1u << vector % 32;
	lapic_put(&lapic->ppr, vector & 0xf0); /* above TPR, for it was above PPR */
	return pending;
}

static void set_ppr(struct axvm_lapic *lapic)
{
	uint32_t served = highest_isr(lapic);

	lapic_put(&lapic->ppr, lapic->tpr >> 4 >= served >> 4 ? lapic->tpr : served & 0xf0);
}

void axvm_lapic_update(struct axvm_vcpu *vcpu)
{
	set_ppr(&vcpu->arch.lapic);
	if (axvm_lapic_pending(vcpu) >= 0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
}

/* A pin that is still high signals again. */
static void end_lint(struct axvm_vcpu *vcpu, uint32_t vector)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t lvt = lapic_look(&lapic->lvt[AXVM_LAPIC_LINT0]);

	if ((lvt & LAPIC_LVT_REMOTE_IRR) == 0 || (lvt & 0xff) != vector)
		return;
	lapic_put(&lapic->lvt[AXVM_LAPIC_LINT0], lvt & ~LAPIC_LVT_REMOTE_IRR);
	if ((lapic_look(&lapic->lines) & AXVM_LAPIC_LINE_LINT0) != 0)
		axvm_lapic_signal(vcpu, AXVM_LAPIC_LINT0);
}

OUT_OF_LINE static void end_level(struct axvm_vcpu *vcpu, uint32_t vector)
{
	struct axvm_ioapic *ioapic = vcpu->vm->arch.ioapic;

	end_lint(vcpu, vector);
	if (ioapic != NULL && (lapic_look(&vcpu->arch.lapic.svr) & LAPIC_SVR_NO_BROADCAST) == 0)
		axvm_ioapic_end(ioapic, (uint8_t)vector);
}

void axvm_lapic_end(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t vector = highest_isr(lapic);
	uint32_t bit = 1u << vector % 32;

	if (vector == 0)
		return;
	lapic->isr[vector / 32] &= ~bit;
	set_ppr(lapic); /* what the end sends may go by the priority */
	if ((lapic_look(&lapic->trigger[vector / 32]) & bit) != 0)
		end_level(vcpu, vector);
	if (axvm_lapic_pending(vcpu) >= 0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
}

/* ---- accepted ---------------------------------------------------------------------------------- */

/* An error that is there already has been told: one whose own vector is illegal ends here. */
OUT_OF_LINE void axvm_lapic_error(struct axvm_vcpu *vcpu, uint32_t bits)
{
	uint32_t before =
		atomic_fetch_or_explicit(&vcpu->arch.lapic.esr_pending, bits, memory_order_relaxed);

	if ((bits & ~before) != 0)
		axvm_lapic_signal(vcpu, AXVM_LAPIC_ERROR);
}

/* True: the bit was not set before. */
static bool raise(struct axvm_lapic *lapic, uint32_t vector, bool level)
{
	_Atomic uint32_t *trigger = &lapic->trigger[vector / 32];
	uint32_t bit = 1u << vector % 32;

	/* Before IRR, so that who ends it sees it. */
	if (level)
		atomic_fetch_or_explicit(trigger, bit, memory_order_relaxed);
	else if ((lapic_look(trigger) & bit) != 0)
		atomic_fetch_and_explicit(trigger, ~bit, memory_order_relaxed);
	return (atomic_fetch_or_explicit(&lapic->irr[vector / 32], bit, memory_order_seq_cst) &
		bit) == 0;
}

static bool accept_fixed(struct axvm_vcpu *vcpu, uint8_t vector, bool level)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (lapic_look(&lapic->mode) == AXVM_LAPIC_OFF ||
	    (lapic_look(&lapic->svr) & LAPIC_SVR_ENABLE) == 0)
		return false;
	if (vector < LAPIC_VECTOR_FIRST) {
		axvm_lapic_error(vcpu, LAPIC_ESR_RECEIVE_ILLEGAL);
		return false;
	}
	if (raise(lapic, vector, level))
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	return true;
}

static bool accept_nmi(struct axvm_vcpu *vcpu)
{
	if (atomic_exchange_explicit(&vcpu->arch.nmi, 1, memory_order_seq_cst) == 0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	return true;
}

static bool accept_extint(struct axvm_vcpu *vcpu)
{
	uint32_t before = atomic_fetch_or_explicit(&vcpu->arch.lapic.lines, AXVM_LAPIC_LINE_EXTINT,
						   memory_order_seq_cst);

	if ((before & AXVM_LAPIC_LINE_EXTINT) == 0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	return true;
}

OUT_OF_LINE static bool accept_other(struct axvm_vcpu *vcpu, enum axvm_lapic_delivery delivery,
				     uint8_t vector)
{
	switch (delivery) {
	case AXVM_LAPIC_NMI:
		return accept_nmi(vcpu);
	case AXVM_LAPIC_INIT:
		return axvm_lapic_accept_init(vcpu);
	case AXVM_LAPIC_STARTUP:
		return axvm_lapic_accept_startup(vcpu, vector);
	case AXVM_LAPIC_EXTINT:
		return accept_extint(vcpu);
	case AXVM_LAPIC_SMI: /* there is no system management mode */
		return true;
	default:
		return false;
	}
}

bool axvm_lapic_accept(struct axvm_vcpu *vcpu, enum axvm_lapic_delivery delivery, uint8_t vector,
		       bool level)
{
	if (delivery == AXVM_LAPIC_FIXED || delivery == AXVM_LAPIC_LOWEST)
		return accept_fixed(vcpu, vector, level);
	return accept_other(vcpu, delivery, vector);
}

/* ---- the local vector table ---------------------------------------------------------------------- */

void axvm_lapic_signal(struct axvm_vcpu *vcpu, enum axvm_lapic_lvt entry)
{
	uint32_t bit = 1u << entry;

	if ((atomic_fetch_or_explicit(&vcpu->arch.lapic.events, bit, memory_order_seq_cst) & bit) ==
	    0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
}

void axvm_lapic_set_line(struct axvm_vcpu *vcpu, enum axvm_lapic_lvt entry, bool level)
{
	uint32_t line = entry == AXVM_LAPIC_LINT0 ? AXVM_LAPIC_LINE_LINT0 : AXVM_LAPIC_LINE_LINT1;
	_Atomic uint32_t *lines = &vcpu->arch.lapic.lines;

	if (!level)
		atomic_fetch_and_explicit(lines, ~line, memory_order_seq_cst);
	else if ((atomic_fetch_or_explicit(lines, line, memory_order_seq_cst) & line) == 0)
		axvm_lapic_signal(vcpu, entry);
}

/* LINT1 is sensitive to edges only [SDM3 11.5.1]. */
static void deliver_fixed(struct axvm_vcpu *vcpu, uint32_t entry, uint32_t lvt)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;
	bool level = entry == AXVM_LAPIC_LINT0 && (lvt & LAPIC_LVT_LEVEL) != 0;

	if (level && (lvt & LAPIC_LVT_REMOTE_IRR) != 0)
		return;
	if ((lvt & 0xff) < LAPIC_VECTOR_FIRST) {
		axvm_lapic_error(vcpu, LAPIC_ESR_RECEIVE_ILLEGAL);
		return;
	}
	if (level)
		lapic_put(&lapic->lvt[entry], lvt | LAPIC_LVT_REMOTE_IRR);
	(void)raise(lapic, lvt & 0xff, level);
}

static void deliver(struct axvm_vcpu *vcpu, uint32_t entry)
{
	uint32_t lvt = lapic_look(&vcpu->arch.lapic.lvt[entry]);

	if (lapic_mode(vcpu) == AXVM_LAPIC_OFF) {
		if (entry == AXVM_LAPIC_LINT1) /* the CPU's NMI pin */
			(void)accept_nmi(vcpu);
		return;
	}
	if ((lvt & LAPIC_LVT_MASKED) != 0)
		return;
	switch (LAPIC_LVT_DELIVERY(lvt)) {
	case AXVM_LAPIC_FIXED:
		deliver_fixed(vcpu, entry, lvt);
		return;
	case AXVM_LAPIC_NMI:
	case AXVM_LAPIC_INIT:
		(void)accept_other(vcpu, LAPIC_LVT_DELIVERY(lvt), 0);
		return;
	default: /* EXTINT is looked at where the line is */
		return;
	}
}

void axvm_lapic_service(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (atomic_load_explicit(&lapic->events, memory_order_seq_cst) == 0)
		return;
	uint32_t events = atomic_exchange_explicit(&lapic->events, 0, memory_order_seq_cst);

	for (; events != 0; events &= events - 1) {
		uint32_t entry = (uint32_t)__builtin_ctz(events);

		if (entry != AXVM_LAPIC_TIMER || axvm_lapic_timer_expire(vcpu))
			deliver(vcpu, entry);
	}
}
