// SPDX-License-Identifier: Apache-2.0
/*
 * The APLIC as a device of the VM, and the ways into it: lines and pulses. These may come from any CPU,
 * also for another VM, so they take no lock: one atomic operation on a word, and whom it concerns is told.
 */
#include <string.h>

#include "aplic_private.h"

/* ---- lines ---------------------------------------------------------------------------------------- */

int axvm_aplic_set_level(struct axvm_aplic *aplic, uint32_t source, bool level)
{
	if (source == 0 || source >= AXVM_APLIC_SOURCES)
		return AXVM_EINVAL;

	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = 1u << source % 32;
	uint32_t before = level ? aplic_set(&word->wire, bit) : aplic_clear(&word->wire, bit);

	if (((before & bit) != 0) == level)
		return 0;
	if ((aplic_rectified(word) & bit) != 0)
		aplic_set(&word->latch, bit);
	axvm_aplic_deliver(aplic, source / 32, bit);
	return 0;
}

/*
 * To a source that is sensitive to levels a pulse is one that lasts until it is claimed or sent, as is to
 * one that is inactive now.
 */
int axvm_aplic_pulse(struct axvm_aplic *aplic, uint32_t source)
{
	if (source == 0 || source >= AXVM_APLIC_SOURCES)
		return AXVM_EINVAL;

	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = 1u << source % 32;

	if ((aplic_look(&word->edge) & bit) != 0) {
		aplic_set(&word->latch, bit);
		axvm_aplic_deliver(aplic, source / 32, bit);
		return 0;
	}
	if ((aplic_look(&word->leveled) & bit) == 0)
		return 0;
	aplic_set(&word->held, bit);
	return axvm_aplic_set_level(aplic, source, true);
}

/* ---- the device ------------------------------------------------------------------------------------ */

/* Others may set the wire meanwhile: only what was ours to hold falls. */
static void reset_word(struct axvm_aplic *aplic, uint32_t w)
{
	struct aplic_word *word = &aplic->words[w];

	aplic_put(&word->active, 0);
	aplic_put(&word->enabled, 0);
	axvm_aplic_route(aplic, w, word->hosted);
	aplic_put(&word->latch, 0);
	axvm_aplic_resample(aplic, w, UINT32_MAX);
	aplic_clear(&word->wire, atomic_exchange_explicit(&word->held, 0, memory_order_seq_cst));
	aplic_put(&word->edge, 0);
	aplic_put(&word->leveled, 0);
	aplic_put(&word->inverted, 0);
}

/* Every source is hart 0's, as target 0 says. */
static void reset_harts(struct axvm_aplic *aplic)
{
	memset(aplic->harts, 0, aplic->hart_count * sizeof(aplic->harts[0]));
	for (uint32_t w = 0; w < APLIC_WORDS; w++)
		aplic_put(&aplic->harts[0].mine[1][w], UINT32_MAX);
	for (uint32_t source = 0; source < AXVM_APLIC_SOURCES; source++)
		aplic_put(&aplic->target[source], 0);
}

/* Devices keep their lines as they are, and are reset themselves. */
static void reset(struct axvm_device *device)
{
	struct axvm_aplic *aplic = device->state;

	aplic_put(&aplic->domaincfg, 0);
	aplic_put(&aplic->genmsi, 0);
	for (uint32_t w = 0; w < APLIC_WORDS; w++)
		reset_word(aplic, w);
	reset_harts(aplic);
	for (uint32_t index = 0; index < aplic->hart_count; index++)
		axvm_aplic_settle(aplic, index);
}

static void note_hosted(struct axvm_aplic *aplic)
{
	const struct axvm_config *config = aplic->vm->config;

	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		uint32_t source = config->passthrough[i].irq;

		if (source != 0 && source < AXVM_APLIC_SOURCES)
			aplic->words[source / 32].hosted |= 1u << source % 32;
	}
}

static int create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_vm *vm = device->vm;
	struct axvm_aplic *aplic;

	if (vm->arch.aplic != NULL)
		return AXVM_EEXIST;
	if (config->bytes < APLIC_BYTES_MIN)
		return AXVM_EINVAL;
	aplic = axvm_vm_alloc(vm, sizeof(*aplic) + vm->vcpu_count * sizeof(aplic->harts[0]));
	if (aplic == NULL)
		return AXVM_ENOMEM;
	int error = axvm_bus_attach(&vm->mmio, device, config->base.addr, config->bytes, 0);

	if (error)
		return error;
	axvm_lock_init(&aplic->lock, AXVM_LOCK_IRQ);
	aplic->vm = vm;
	aplic->hart_count = vm->vcpu_count;
	note_hosted(aplic);
	reset_harts(aplic);
	device->state = aplic;
	vm->arch.aplic = aplic;
	return 0;
}

const struct axvm_device_type axvm_aplic_device_type = {
	.name = "aplic",
	.emu_type = AXVM_EMU_APLIC,
	.create = create,
	.reset = reset,
	.read = axvm_aplic_read,
	.write = axvm_aplic_write,
};
