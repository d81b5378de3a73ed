/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual PLIC. Each S context keeps what it could claim (pending and enabled) as bits sorted by
 * priority, with a summary of the words and one of the priorities: the best is found by three searches
 * for a lowest bit. Whatever makes a source pending or not, enables it or moves its priority keeps these
 * sets.
 *
 * One lock for changes. Registers that are only read, and a claim with nothing to claim, go without it.
 */
#include <axvm/hal.h>
#include <axvm/hal_riscv64.h>

#include <string.h>

#include "arch.h"
#include "bits.h"
#include "exit.h"
#include "plic.h"

#define PLIC_WORDS (AXVM_PLIC_SOURCES / 32)
/* A priority's rank, so that the lowest bit is the best: 0 for priority 7, 7 for the one that never is. */
#define PLIC_RANKS (AXVM_PLIC_PRIORITY_MAX + 1)
#define PLIC_RANK(priority) (AXVM_PLIC_PRIORITY_MAX - (priority))
#define PLIC_RANKS_CLAIMED ((1u << AXVM_PLIC_PRIORITY_MAX) - 1)

/* Memory map [PLIC 3]. */
#define PLIC_PENDING 0x1000u
#define PLIC_ENABLE 0x2000u
#define PLIC_ENABLE_BYTES 0x80u
#define PLIC_CONTEXT 0x200000u
#define PLIC_CONTEXT_BYTES 0x1000u
#define PLIC_THRESHOLD 0x0u
#define PLIC_CLAIM 0x4u

/* So that a plain register read pays for the registers that it uses itself. */
#define OUT_OF_LINE __attribute__((noinline))

/* The S context of the vCPU with the same index. Changed under the lock. */
struct plic_context {
	_Atomic uint32_t threshold;
	_Atomic uint32_t ranks; /* bit r: `ready[r]` has one */
	uint32_t index;
	bool line;		      /* as axvm_riscv64_set_external was told */
	uint32_t summary[PLIC_RANKS]; /* bit w: word w of `ready` is not 0 */
	uint32_t ready[PLIC_RANKS][PLIC_WORDS];
	_Atomic uint32_t enabled[PLIC_WORDS];
};

/* Bits and words are by source. Changed under the lock. */
struct axvm_plic {
	struct axvm_lock lock;
	struct axvm_vm *vm;
	uint32_t source_count;
	uint32_t priority_bytes; /* of their registers */
	uint32_t context_count;	 /* S contexts */
	struct plic_context *contexts;
	_Atomic uint32_t *priority;
	uint64_t *enabled_in; /* bit: context */
	_Atomic uint32_t pending[PLIC_WORDS];
	_Atomic uint32_t level[PLIC_WORDS]; /* lines */
	uint32_t latched[PLIC_WORDS];	    /* edges */
	uint32_t in_service[PLIC_WORDS];    /* claimed, not completed */
	uint32_t arrived[PLIC_WORDS];	    /* from the host, not claimed */
	uint32_t linked[PLIC_WORDS]; /* in service for the host: it hears of the completion */
};

static inline uint32_t get(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Under the lock nobody else writes: no read-modify-write is needed. */
static inline void set_bits(_Atomic uint32_t *word, uint32_t bits)
{
	put(word, get(word) | bits);
}

static inline void clear_bits(_Atomic uint32_t *word, uint32_t bits)
{
	put(word, get(word) & ~bits);
}

static inline uint32_t bit_of(uint32_t source)
{
	return 1u << (source & 31);
}

/* ---- what a context could claim ------------------------------------------------------------- */

static inline void add(struct plic_context *context, uint32_t source, uint32_t rank)
{
	context->ready[rank][source >> 5] |= bit_of(source);
	context->summary[rank] |= 1u << (source >> 5);
	set_bits(&context->ranks, 1u << rank);
}

static inline void drop(struct plic_context *context, uint32_t source, uint32_t rank)
{
	context->ready[rank][source >> 5] &= ~bit_of(source);
	if (context->ready[rank][source >> 5] != 0)
		return;
	context->summary[rank] &= ~(1u << (source >> 5));
	if (context->summary[rank] == 0)
		clear_bits(&context->ranks, 1u << rank);
}

static inline bool has_claimable(const struct plic_context *context)
{
	return (get(&context->ranks) & PLIC_RANKS_CLAIMED) != 0;
}

/* Of those that there are: the lowest number of the highest priority. The threshold does not count [PLIC 8]. */
static inline uint32_t best(const struct plic_context *context)
{
	uint32_t rank = axvm_riscv64_first_bit(get(&context->ranks));
	uint32_t word = axvm_riscv64_first_bit(context->summary[rank]);

	return word * 32 + axvm_riscv64_first_bit(context->ready[rank][word]);
}

/* Whether one has a priority above the threshold, and so above 0 [PLIC 7]: a rank below 7 less that. */
static inline void update_line(const struct axvm_plic *plic, struct plic_context *context)
{
	bool line = (get(&context->ranks) << get(&context->threshold) & PLIC_RANKS_CLAIMED) != 0;

	if (line == context->line)
		return;
	context->line = line;
	axvm_riscv64_set_external(plic->vm->vcpus[context->index], line);
}

OUT_OF_LINE static void set_pending(struct axvm_plic *plic, uint32_t source)
{
	uint32_t rank = PLIC_RANK(get(&plic->priority[source]));

	set_bits(&plic->pending[source >> 5], bit_of(source));
	for (uint64_t left = plic->enabled_in[source]; left != 0; left &= left - 1) {
		struct plic_context *context = &plic->contexts[axvm_riscv64_first_bit(left)];

		add(context, source, rank);
		update_line(plic, context);
	}
}

OUT_OF_LINE static void drop_everywhere(struct axvm_plic *plic, uint32_t source, uint32_t rank)
{
	for (uint64_t left = plic->enabled_in[source]; left != 0; left &= left - 1) {
		struct plic_context *context = &plic->contexts[axvm_riscv64_first_bit(left)];

		drop(context, source, rank);
		update_line(plic, context);
	}
}

/* Mostly the claimer is the only one that enables it. */
static inline void clear_pending(struct axvm_plic *plic, struct plic_context *claimer,
				 uint32_t source)
{
	uint32_t rank = PLIC_RANK(get(&plic->priority[source]));

	clear_bits(&plic->pending[source >> 5], bit_of(source));
	if (plic->enabled_in[source] != 1ULL << claimer->index) {
		drop_everywhere(plic, source, rank);
		return;
	}
	drop(claimer, source, rank);
	update_line(plic, claimer);
}

/* ---- gateways --------------------------------------------------------------------------------- */

/* Forwards a request unless one is pending or in service. */
static void forward(struct axvm_plic *plic, uint32_t source)
{
	uint32_t word = source >> 5;

	if (((get(&plic->pending[word]) | plic->in_service[word]) & bit_of(source)) == 0)
		set_pending(plic, source);
}

static inline bool has_source(const struct axvm_plic *plic, uint32_t source)
{
	return source != 0 && source < plic->source_count;
}

int axvm_plic_set_level(struct axvm_plic *plic, uint32_t source, bool level)
{
	if (!has_source(plic, source))
		return AXVM_EINVAL;

	_Atomic uint32_t *word = &plic->level[source >> 5];

	if (((get(word) & bit_of(source)) != 0) == level)
		return 0;
	axvm_lock_take(&plic->lock);
	if (level) {
		set_bits(word, bit_of(source));
		forward(plic, source);
	} else {
		clear_bits(word, bit_of(source));
	}
	axvm_lock_drop(&plic->lock);
	return 0;
}

int axvm_plic_pulse(struct axvm_plic *plic, uint32_t source)
{
	if (!has_source(plic, source))
		return AXVM_EINVAL;
	axvm_lock_take(&plic->lock);
	plic->latched[source >> 5] |= bit_of(source);
	forward(plic, source);
	axvm_lock_drop(&plic->lock);
	return 0;
}

int axvm_plic_host_interrupt(struct axvm_plic *plic, uint32_t source, bool edge)
{
	(void)edge;
	if (!has_source(plic, source))
		return AXVM_EINVAL;
	axvm_lock_take(&plic->lock);
	plic->arrived[source >> 5] |= bit_of(source);
	forward(plic, source);
	axvm_lock_drop(&plic->lock);
	return 0;
}

/* ---- claim and completion ------------------------------------------------------------------------ */

static inline void take(struct axvm_plic *plic, struct plic_context *context, uint32_t source)
{
	uint32_t word = source >> 5;
	uint32_t bit = bit_of(source);

	plic->latched[word] &= ~bit;
	plic->in_service[word] |= bit;
	plic->linked[word] |= plic->arrived[word] & bit;
	plic->arrived[word] &= ~bit;
	clear_pending(plic, context, source);
}

OUT_OF_LINE static uint64_t claim(struct axvm_plic *plic, struct plic_context *context)
{
	uint32_t source = 0;

	if (!has_claimable(context))
		return 0;
	axvm_lock_take(&plic->lock);
	if (has_claimable(context)) {
		source = best(context);
		take(plic, context, source);
	}
	axvm_lock_drop(&plic->lock);
	return source;
}

/* True: the host waits for it. */
static bool finish(struct axvm_plic *plic, uint32_t source)
{
	uint32_t word = source >> 5;
	uint32_t bit = bit_of(source);
	bool linked = (plic->linked[word] & bit) != 0;

	plic->in_service[word] &= ~bit;
	plic->linked[word] &= ~bit;
	if (((get(&plic->level[word]) | plic->latched[word] | plic->arrived[word]) & bit) != 0)
		set_pending(plic, source);
	return linked;
}

/* Of a source that the context does not enable: ignored; of one not in service too [PLIC 9]. */
OUT_OF_LINE static void complete(struct axvm_plic *plic, struct plic_context *context,
				 uint32_t source)
{
	bool linked = false;

	if (!has_source(plic, source))
		return;
	axvm_lock_take(&plic->lock);
	if ((get(&context->enabled[source >> 5]) & plic->in_service[source >> 5] &
	     bit_of(source)) != 0)
		linked = finish(plic, source);
	axvm_lock_drop(&plic->lock);
	if (linked)
		axvm_hal_riscv64_irq_complete(source);
}

/* ---- registers --------------------------------------------------------------------------------- */

/* NULL: nobody's, or of M mode. */
static inline struct plic_context *find_context(const struct axvm_plic *plic, uint64_t number)
{
	return (number & 1) != 0 && number >> 1 < plic->context_count ? &plic->contexts[number >> 1]
								      : NULL;
}

static inline uint32_t read_bits(const struct axvm_plic *plic, uint64_t offset)
{
	if (offset < PLIC_ENABLE)
		return offset < PLIC_PENDING + PLIC_WORDS * 4
			       ? get(&plic->pending[(offset - PLIC_PENDING) / 4])
			       : 0;
	const struct plic_context *context =
		find_context(plic, (offset - PLIC_ENABLE) / PLIC_ENABLE_BYTES);

	return context != NULL ? get(&context->enabled[offset % PLIC_ENABLE_BYTES / 4]) : 0;
}

static inline uint64_t read_context(struct axvm_plic *plic, uint64_t offset)
{
	struct plic_context *context = find_context(plic, offset / PLIC_CONTEXT_BYTES);

	if (context == NULL)
		return 0;
	switch (offset % PLIC_CONTEXT_BYTES) {
	case PLIC_CLAIM:
		return claim(plic, context);
	case PLIC_THRESHOLD:
		return get(&context->threshold);
	default:
		return 0;
	}
}

static uint64_t read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		     unsigned bytes)
{
	struct axvm_plic *plic = device->state;

	(void)vcpu;
	if (bytes != 4 || (offset & 3) != 0)
		return 0;
	if (offset < plic->priority_bytes)
		return get(&plic->priority[offset / 4]);
	if (offset >= PLIC_CONTEXT)
		return read_context(plic, offset - PLIC_CONTEXT);
	return offset >= PLIC_PENDING ? read_bits(plic, offset) : 0;
}

OUT_OF_LINE static void write_priority(struct axvm_plic *plic, uint32_t source, uint32_t priority)
{
	uint32_t bit = bit_of(source);

	if (!has_source(plic, source))
		return;
	axvm_lock_take(&plic->lock);
	uint32_t old = get(&plic->priority[source]);
	bool pending = (get(&plic->pending[source >> 5]) & bit) != 0 && old != priority;
	uint64_t left = pending ? plic->enabled_in[source] : 0;

	put(&plic->priority[source], priority);
	for (; left != 0; left &= left - 1) {
		struct plic_context *context = &plic->contexts[axvm_riscv64_first_bit(left)];

		drop(context, source, PLIC_RANK(old));
		add(context, source, PLIC_RANK(priority));
		update_line(plic, context);
	}
	axvm_lock_drop(&plic->lock);
}

static void flip_enable(struct axvm_plic *plic, struct plic_context *context, uint32_t source)
{
	bool pending = (get(&plic->pending[source >> 5]) & bit_of(source)) != 0;
	uint32_t rank = PLIC_RANK(get(&plic->priority[source]));

	plic->enabled_in[source] ^= 1ULL << context->index;
	if (!pending)
		return;
	if ((plic->enabled_in[source] >> context->index & 1) != 0)
		add(context, source, rank);
	else
		drop(context, source, rank);
}

OUT_OF_LINE static void write_enable(struct axvm_plic *plic, struct plic_context *context,
				     uint32_t word, uint32_t value)
{
	uint32_t bits = word == 0 ? value & ~1u : value; /* there is no source 0 */

	if (word >= plic->source_count / 32)
		return;
	axvm_lock_take(&plic->lock);
	for (uint32_t left = get(&context->enabled[word]) ^ bits; left != 0; left &= left - 1)
		flip_enable(plic, context, word * 32 + axvm_riscv64_first_bit(left));
	put(&context->enabled[word], bits);
	update_line(plic, context);
	axvm_lock_drop(&plic->lock);
}

static void write_threshold(struct axvm_plic *plic, struct plic_context *context, uint32_t value)
{
	axvm_lock_take(&plic->lock);
	put(&context->threshold, value);
	update_line(plic, context);
	axvm_lock_drop(&plic->lock);
}

static void write_context(struct axvm_plic *plic, uint64_t offset, uint32_t value)
{
	struct plic_context *context = find_context(plic, offset / PLIC_CONTEXT_BYTES);

	if (context == NULL)
		return;
	if (offset % PLIC_CONTEXT_BYTES == PLIC_CLAIM)
		complete(plic, context, value);
	else if (offset % PLIC_CONTEXT_BYTES == PLIC_THRESHOLD)
		write_threshold(plic, context, value & AXVM_PLIC_PRIORITY_MAX);
}

static void write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		  unsigned bytes, uint64_t value)
{
	struct axvm_plic *plic = device->state;

	(void)vcpu;
	if (bytes != 4 || (offset & 3) != 0)
		return;
	if (offset >= PLIC_CONTEXT) {
		write_context(plic, offset - PLIC_CONTEXT, (uint32_t)value);
	} else if (offset >= PLIC_ENABLE) {
		struct plic_context *context =
			find_context(plic, (offset - PLIC_ENABLE) / PLIC_ENABLE_BYTES);

		if (context != NULL)
			write_enable(plic, context, offset % PLIC_ENABLE_BYTES / 4,
				     (uint32_t)value);
	} else if (offset < PLIC_PENDING) {
		write_priority(plic, (uint32_t)offset / 4,
			       (uint32_t)value & AXVM_PLIC_PRIORITY_MAX);
	}
}

/* ---- the device ---------------------------------------------------------------------------------- */

static void reset_context(const struct axvm_plic *plic, struct plic_context *context)
{
	put(&context->threshold, 0);
	put(&context->ranks, 0);
	memset(context->summary, 0, sizeof(context->summary));
	memset(context->ready, 0, sizeof(context->ready));
	for (uint32_t word = 0; word < PLIC_WORDS; word++)
		put(&context->enabled[word], 0);
	update_line(plic, context);
}

/* Those of the word that the host waits for. */
static uint32_t reset_word(struct axvm_plic *plic, uint32_t word)
{
	uint32_t waited = plic->arrived[word] | plic->linked[word];

	put(&plic->pending[word], 0);
	put(&plic->level[word], 0);
	plic->latched[word] = 0;
	plic->in_service[word] = 0;
	plic->arrived[word] = 0;
	plic->linked[word] = 0;
	return waited;
}

/* Afterwards the host may bring at once what was in service: it is pending in the VM that begins. */
static void reset(struct axvm_device *device)
{
	struct axvm_plic *plic = device->state;
	uint32_t waited[PLIC_WORDS];

	axvm_lock_take(&plic->lock);
	for (uint32_t source = 0; source < plic->source_count; source++) {
		put(&plic->priority[source], 0);
		plic->enabled_in[source] = 0;
	}
	for (uint32_t word = 0; word < PLIC_WORDS; word++)
		waited[word] = reset_word(plic, word);
	for (uint32_t index = 0; index < plic->context_count; index++)
		reset_context(plic, &plic->contexts[index]);
	axvm_lock_drop(&plic->lock);
	for (uint32_t word = 0; word < PLIC_WORDS; word++) {
		for (uint32_t left = waited[word]; left != 0; left &= left - 1)
			axvm_hal_riscv64_irq_complete(word * 32 + axvm_riscv64_first_bit(left));
	}
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* S contexts within the device's range and, where the file says so, within its number of contexts. */
static uint32_t count_contexts(const struct axvm_vm *vm, const struct axvm_config_emu *config)
{
	uint64_t fit = config->bytes > PLIC_CONTEXT
			       ? (config->bytes - PLIC_CONTEXT) / PLIC_CONTEXT_BYTES
			       : 0;

	if (config->arg_count > 0)
		fit = min(fit, config->args[0]);
	return (uint32_t)min(fit / 2, vm->vcpu_count);
}

static struct axvm_plic *make(struct axvm_vm *vm, uint32_t context_count)
{
	struct axvm_plic *plic = axvm_vm_alloc(vm, sizeof(*plic));

	if (plic == NULL)
		return NULL;
	axvm_lock_init(&plic->lock, AXVM_LOCK_IRQ);
	plic->vm = vm;
	plic->source_count = axvm_plic_sources(vm->config);
	plic->priority_bytes = plic->source_count * 4;
	plic->context_count = context_count;
	plic->contexts = axvm_vm_alloc(vm, context_count * sizeof(*plic->contexts));
	plic->priority = axvm_vm_alloc(vm, plic->source_count * sizeof(*plic->priority));
	plic->enabled_in = axvm_vm_alloc(vm, plic->source_count * sizeof(*plic->enabled_in));
	if (!plic->contexts || !plic->priority || !plic->enabled_in)
		return NULL;
	for (uint32_t index = 0; index < context_count; index++)
		plic->contexts[index].index = index;
	return plic;
}

static int create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_vm *vm = device->vm;
	uint32_t context_count = count_contexts(vm, config);

	if (vm->arch.plic != NULL)
		return AXVM_EEXIST;
	if (context_count == 0 || !axvm_is_aligned(config->base.addr, AXVM_PAGE_BYTES))
		return AXVM_EINVAL;
	struct axvm_plic *plic = make(vm, context_count);

	if (plic == NULL)
		return AXVM_ENOMEM;
	int error = axvm_bus_attach(&vm->mmio, device, config->base.addr, config->bytes, 0);

	if (error != 0)
		return error;
	device->state = plic;
	vm->arch.plic = plic;
	return 0;
}

const struct axvm_device_type axvm_plic_device_type = {
	.name = "plic",
	.emu_type = AXVM_EMU_PLIC,
	.create = create,
	.reset = reset,
	.read = read,
	.write = write,
};

const struct axvm_device_type axvm_plic_passthrough_device_type = {
	.name = "pppt-global",
	.emu_type = AXVM_EMU_PPPT_GLOBAL,
	.create = create,
	.reset = reset,
	.read = read,
	.write = write,
};
