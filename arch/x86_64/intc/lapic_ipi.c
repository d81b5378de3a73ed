// SPDX-License-Identifier: Apache-2.0
/*
 * Messages between APICs: whom a destination names [SDM3 11.6.2], what ICR sends, INIT and STARTUP.
 *
 * INIT takes a running vCPU out of its guest and off; arch.init_sipi has AXVM_X86_INIT from the message until
 * it is off, and a STARTUP that comes in between stands beside it. "Off" is stored before the word is
 * emptied, and who puts INIT into the word looks at "off" afterwards: so one of the two empties it, and, for that
 * is an exchange, only one sees a STARTUP that has to switch the vCPU on.
 */
#include "exit.h"
#include "lapic_private.h"

#define ICR_DELIVERY(icr) ((enum axvm_lapic_delivery)((icr) >> 8 & 7))
#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT (1u << 14)
#define ICR_LEVEL (1u << 15)
#define ICR_SHORTHAND(icr) ((icr) >> 18 & 3)
#define SHORTHAND_NONE 0u
#define SHORTHAND_SELF 1u
#define SHORTHAND_ALL 2u

#define XAPIC_BROADCAST 0xffu
#define DFR_FLAT 0xfu

/* ---- destinations ------------------------------------------------------------------------------ */

static struct axvm_vcpu *by_id(struct axvm_vm *vm, uint32_t id)
{
	if (id < vm->vcpu_count && vm->vcpus[id]->arch.lapic.id == id)
		return vm->vcpus[id];
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->arch.lapic.id == id)
			return vm->vcpus[i];
	}
	return NULL;
}

static bool matches_x2apic(uint32_t ldr, uint32_t destination)
{
	return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0;
}

static bool matches_xapic(uint32_t ldr, uint32_t dfr, uint32_t destination)
{
	uint32_t id = ldr >> 24;

	if (destination > 0xff)
		return false;
	if (dfr >> 28 == DFR_FLAT)
		return (id & destination) != 0;
	return id >> 4 == destination >> 4 && (id & destination & 0xf) != 0;
}

static bool matches_logical(const struct axvm_vcpu *vcpu, uint32_t destination)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;
	uint32_t ldr = lapic_look(&lapic->ldr);

	if (lapic_mode(vcpu) == AXVM_LAPIC_X2APIC)
		return matches_x2apic(ldr, destination);
	return matches_xapic(ldr, lapic_look(&lapic->dfr), destination);
}

static bool matches(const struct axvm_vcpu *vcpu, const struct axvm_lapic_message *message)
{
	if (lapic_mode(vcpu) == AXVM_LAPIC_OFF)
		return false;
	if (message->destination == AXVM_LAPIC_BROADCAST)
		return true;
	return message->logical ? matches_logical(vcpu, message->destination)
				: vcpu->arch.lapic.id == message->destination;
}

static bool deliver(struct axvm_vcpu *vcpu, const struct axvm_lapic_message *message)
{
	return axvm_lapic_accept(vcpu, message->delivery, message->vector, message->level);
}

/* Of those that are named the one with the lowest processor priority, the first of several. */
OUT_OF_LINE static bool send_lowest(struct axvm_vm *vm, const struct axvm_lapic_message *message)
{
	struct axvm_vcpu *best = NULL;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];
		const struct axvm_lapic *lapic = &vcpu->arch.lapic;

		if (matches(vcpu, message) && (lapic_look(&lapic->svr) & LAPIC_SVR_ENABLE) != 0 &&
		    (best == NULL || lapic_look(&lapic->ppr) < lapic_look(&best->arch.lapic.ppr)))
			best = vcpu;
	}
	return best != NULL && deliver(best, message);
}

/* `except`: not to this one; may be NULL. */
static bool send_many(struct axvm_vm *vm, const struct axvm_lapic_message *message,
		      const struct axvm_vcpu *except)
{
	bool taken = false;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		if (vcpu != except && matches(vcpu, message))
			taken |= deliver(vcpu, message);
	}
	return taken;
}

bool axvm_lapic_send(struct axvm_vm *vm, const struct axvm_lapic_message *message)
{
	if (message->delivery == AXVM_LAPIC_LOWEST)
		return send_lowest(vm, message);
	if (message->logical || message->destination == AXVM_LAPIC_BROADCAST)
		return send_many(vm, message, NULL);
	struct axvm_vcpu *vcpu = by_id(vm, message->destination);

	return vcpu != NULL && lapic_mode(vcpu) != AXVM_LAPIC_OFF && deliver(vcpu, message);
}

/* ---- ICR ------------------------------------------------------------------------------------------ */

void axvm_lapic_self_ipi(struct axvm_vcpu *vcpu, uint8_t vector)
{
	if (vector < LAPIC_VECTOR_FIRST)
		axvm_lapic_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
	else
		(void)axvm_lapic_accept(vcpu, AXVM_LAPIC_FIXED, vector, false);
}

/* What may be in ICR at all; a level INIT that is de-asserted is for processors of long ago. */
static bool may_send(uint32_t icr)
{
	switch (ICR_DELIVERY(icr)) {
	case AXVM_LAPIC_FIXED:
	case AXVM_LAPIC_LOWEST:
	case AXVM_LAPIC_SMI:
	case AXVM_LAPIC_NMI:
	case AXVM_LAPIC_STARTUP:
		return true;
	case AXVM_LAPIC_INIT:
		return (icr & (ICR_LEVEL | ICR_ASSERT)) != ICR_LEVEL;
	default:
		return false;
	}
}

static uint32_t destination_of(const struct axvm_vcpu *vcpu)
{
	uint64_t icr = vcpu->arch.lapic.icr;

	if (lapic_mode(vcpu) == AXVM_LAPIC_X2APIC)
		return (uint32_t)(icr >> 32);
	return icr >> 56 == XAPIC_BROADCAST ? AXVM_LAPIC_BROADCAST : (uint32_t)(icr >> 56);
}

/* To oneself, and to all with oneself, only fixed ones are sent [SDM3 table 11-4]. */
static void send_shorthand(struct axvm_vcpu *vcpu, struct axvm_lapic_message *message,
			   uint32_t shorthand)
{
	message->destination = AXVM_LAPIC_BROADCAST;
	if (shorthand != SHORTHAND_SELF && shorthand != SHORTHAND_ALL)
		(void)send_many(vcpu->vm, message, vcpu);
	else if (message->delivery == AXVM_LAPIC_FIXED)
		(void)(shorthand == SHORTHAND_SELF ? deliver(vcpu, message)
						   : send_many(vcpu->vm, message, NULL));
}

void axvm_lapic_ipi(struct axvm_vcpu *vcpu)
{
	uint32_t icr = (uint32_t)vcpu->arch.lapic.icr;
	struct axvm_lapic_message message = {
		.logical = (icr & ICR_LOGICAL) != 0,
		.vector = (uint8_t)icr,
		.delivery = ICR_DELIVERY(icr),
	};

	if (!may_send(icr))
		return;
	if (message.delivery <= AXVM_LAPIC_LOWEST && message.vector < LAPIC_VECTOR_FIRST) {
		axvm_lapic_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
		return;
	}
	if (ICR_SHORTHAND(icr) != SHORTHAND_NONE) {
		send_shorthand(vcpu, &message, ICR_SHORTHAND(icr));
		return;
	}
	message.destination = destination_of(vcpu);
	(void)axvm_lapic_send(vcpu->vm, &message);
}

/* ---- INIT and STARTUP ------------------------------------------------------------------------------ */

static bool is_off(const struct axvm_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->power, memory_order_seq_cst) == AXVM_POWER_OFF;
}

static bool start(struct axvm_vcpu *vcpu, uint32_t vector)
{
	return axvm_vcpu_power_on(vcpu->vm, vcpu->index, (uint64_t)vector << 12, 0) == 0;
}

/* The vCPU is off: INIT is done, a STARTUP that came after it is obeyed. */
static void finish_init(struct axvm_vcpu *vcpu)
{
	uint32_t came = atomic_exchange_explicit(&vcpu->arch.init_sipi, 0, memory_order_seq_cst);

	if ((came & AXVM_X86_SIPI) != 0)
		(void)start(vcpu, came & 0xff);
}

bool axvm_lapic_accept_init(struct axvm_vcpu *vcpu)
{
	if (is_off(vcpu)) /* and waits for STARTUP */
		return true;
	atomic_store_explicit(&vcpu->arch.init_sipi, AXVM_X86_INIT, memory_order_seq_cst);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_LEAVE);
	if (is_off(vcpu))
		finish_init(vcpu);
	return true;
}

/* False: the vCPU does not wait for one. Of two after one INIT the first counts. */
bool axvm_lapic_accept_startup(struct axvm_vcpu *vcpu, uint8_t vector)
{
	_Atomic uint32_t *word = &vcpu->arch.init_sipi;
	uint32_t init = AXVM_X86_INIT;

	if (atomic_compare_exchange_strong_explicit(word, &init,
						    AXVM_X86_INIT | AXVM_X86_SIPI | vector,
						    memory_order_seq_cst, memory_order_seq_cst))
		return true;
	return init == 0 && start(vcpu, vector);
}

void axvm_lapic_take_init(struct axvm_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->arch.init_sipi, memory_order_seq_cst) == 0)
		return;
	axvm_lapic_reset(vcpu);
	axvm_vcpu_power_off(vcpu);
	finish_init(vcpu);
}
