// SPDX-License-Identifier: Apache-2.0
/*
 * Interrupts of the host behind sources. The host brings one and waits for its completion; meanwhile the
 * source's wire is what was brought ("linked"). When the guest is done is what the APLIC is not told:
 *
 *	an edge		when it is claimed, or sent as an MSI, or cleared
 *	a level, direct	at the hart's next claim after that of the source, or when it is enabled again
 *			(handlers that run in threads disable it until they are done)
 *	a level, MSI	when it is written to setipnum, which [AIA 4.9.2] asks handlers to do, or in_clrip
 *			is read instead, or when it is enabled again
 *
 * and whenever the source is configured or its pending bit cleared. The wire then falls and the host
 * brings it again at once where its line is still high. So nothing is lost, and a level that stays high
 * costs the guest no more than its own handler's rounds.
 *
 * Where the target has a hardware interrupt file the host sends the interrupt there itself ("routed"),
 * with no exit, and setipnum alone comes to us.
 */
#include <axvm/hal_riscv64.h>

#include "aplic_private.h"
#include "vm_parts.h"

void axvm_aplic_resample(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	struct aplic_word *word = &aplic->words[w];
	uint32_t waiting = aplic_look(&word->latch) & ~aplic_look(&word->leveled) &
			   ~aplic_look(&word->wire) & aplic_look(&word->active);

	for (uint32_t left = bits & aplic_look(&word->linked) & ~waiting; left != 0;
	     left &= left - 1) {
		uint32_t bit = left & -left;

		if ((aplic_clear(&word->linked, bit) & bit) == 0)
			continue;
		aplic_clear(&word->held, bit);
		aplic_clear(&word->wire, bit);
		axvm_hal_riscv64_irq_complete(w * 32 + (uint32_t)__builtin_ctz(bit));
	}
}

int axvm_aplic_host_interrupt(struct axvm_aplic *aplic, uint32_t source, bool edge)
{
	if (source == 0 || source >= AXVM_APLIC_SOURCES)
		return AXVM_EINVAL;
	aplic_set(&aplic->words[source / 32].linked, 1u << source % 32);
	return edge ? axvm_aplic_pulse(aplic, source) : axvm_aplic_set_level(aplic, source, true);
}

/* ---- routes to hardware interrupt files --------------------------------------------------------- */

struct route {
	uint32_t cpu;
	uint32_t file;
	uint32_t eiid;
};

/* Where the guest wants this source to go, as far as the host could send it there. */
static bool find_route(struct axvm_aplic *aplic, uint32_t source, struct route *route)
{
	const struct aplic_word *word = &aplic->words[source / 32];
	uint32_t on = aplic_get(&word->enabled) & aplic_get(&word->active) &
		      (aplic_get(&word->edge) | aplic_get(&word->leveled));
	uint32_t target = aplic_get(&aplic->target[source]);
	uint32_t index = aplic_hart_of(target);

	route->eiid = target & TARGET_EIID;
	return aplic_get(&aplic->domaincfg) == (DOMAINCFG_IE | DOMAINCFG_DM) &&
	       (on >> source % 32 & 1) != 0 && route->eiid != 0 && index < aplic->hart_count &&
	       axvm_imsic_place(&aplic->vm->vcpus[index]->arch.imsic, &route->cpu, &route->file);
}

static void route_one(struct axvm_aplic *aplic, uint32_t source)
{
	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = 1u << source % 32;
	struct route route;

	if (find_route(aplic, source, &route) &&
	    axvm_hal_riscv64_irq_route(source, route.cpu, route.file, route.eiid)) {
		word->routed |= bit;
	} else if ((word->routed & bit) != 0) {
		(void)axvm_hal_riscv64_irq_route(source, 0, 0, 0);
		word->routed &= ~bit;
	}
}

/* What the VM does not have, at birth and in death, the host is not asked for. */
static void route_bits(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	for (uint32_t left = bits & aplic->words[w].hosted; left != 0; left &= left - 1) {
		uint32_t source = w * 32 + (uint32_t)__builtin_ctz(left);

		if (axvm_passthrough_has_irq(aplic->vm, source))
			route_one(aplic, source);
	}
}

void axvm_aplic_route(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	if ((bits & aplic->words[w].hosted) == 0)
		return;
	axvm_lock_take(&aplic->lock);
	route_bits(aplic, w, bits);
	axvm_lock_drop(&aplic->lock);
}

void axvm_aplic_route_all(struct axvm_aplic *aplic)
{
	for (uint32_t w = 0; w < APLIC_WORDS; w++)
		axvm_aplic_route(aplic, w, UINT32_MAX);
}

void axvm_aplic_file_moved(struct axvm_aplic *aplic, struct axvm_vcpu *vcpu)
{
	for (uint32_t w = 0; w < APLIC_WORDS; w++) {
		for (uint32_t left = aplic->words[w].hosted; left != 0; left &= left - 1) {
			uint32_t bit = left & -left;
			uint32_t source = w * 32 + (uint32_t)__builtin_ctz(bit);

			if (aplic_hart_of(aplic_look(&aplic->target[source])) == vcpu->index)
				axvm_aplic_route(aplic, w, bit);
		}
	}
}
