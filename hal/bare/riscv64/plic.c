/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's PLIC [PLIC]. A claimed source does not come again until it is completed, which its
 * context must be enabled for: so a guest's interrupt stays claimed until its guest is done, and
 * moves to another hart only before the guest knows of it.
 */
#include "irq.h"
#include "irq_fdt.h"
#include "lines.h"
#include "mmio.h"

#define PRIORITY 0x000000
#define ENABLE 0x002000
#define ENABLE_BYTES 0x80u
#define CONTEXT 0x200000
#define CONTEXT_BYTES 0x1000u
#define THRESHOLD 0x0
#define CLAIM 0x4

static uintptr_t plic;
static uint32_t sources; /* one more than the last */
static uint32_t contexts[AXVM_CPUS_MAX];
static _Atomic uint32_t homes[AXVM_LINES]; /* the CPU that a source is enabled for */
static struct axvm_lock enable_lock = { .rank = AXVM_LOCK_LEAF };

static uint32_t limit(void)
{
	return sources;
}

static uintptr_t context(uint32_t cpu)
{
	return plic + CONTEXT + (uintptr_t)contexts[cpu] * CONTEXT_BYTES;
}

static uintptr_t enable_word(uint32_t cpu, uint32_t irq)
{
	return plic + ENABLE + (uintptr_t)contexts[cpu] * ENABLE_BYTES + irq / 32 * 4;
}

static void set_priority(uint32_t irq, uint32_t priority)
{
	axvm_mmio_write32(plic + PRIORITY + irq * 4ULL, priority);
}

static void set_enable(uint32_t cpu, uint32_t irq, bool on)
{
	uint32_t bit = 1u << irq % 32;
	uint32_t word = axvm_mmio_read32(enable_word(cpu, irq));

	axvm_mmio_write32(enable_word(cpu, irq), on ? word | bit : word & ~bit);
}

/* Also the harts that have no context take part: what goes to them goes to the first CPU. */
static uint32_t home_for(uint32_t cpu)
{
	return contexts[cpu] == AXVM_IRQ_NO_TARGET ? 0 : cpu;
}

static void cpu_init(struct axvm_cpu *cpu)
{
	cpu->interrupt_frame = 0;
	if (contexts[cpu->index] == AXVM_IRQ_NO_TARGET)
		return;
	cpu->interrupt_frame = context(cpu->index);
	axvm_mmio_write32(cpu->interrupt_frame + THRESHOLD, 0);
}

static uint32_t claim(struct axvm_cpu *cpu)
{
	uint32_t irq =
		cpu->interrupt_frame == 0 ? 0 : axvm_mmio_read32(cpu->interrupt_frame + CLAIM);

	return irq == 0 ? AXVM_IRQ_NONE : irq;
}

static void complete(uint32_t irq)
{
	uint32_t home = atomic_load_explicit(&homes[irq], memory_order_relaxed);

	axvm_mmio_write32(context(home) + CLAIM, irq);
}

static void route(uint32_t irq, uint32_t cpu)
{
	uint32_t home = home_for(cpu);
	uint32_t old = atomic_load_explicit(&homes[irq], memory_order_relaxed);

	if (home == old)
		return;
	axvm_lock_take(&enable_lock);
	set_enable(home, irq, true);
	set_enable(old, irq, false);
	axvm_lock_drop(&enable_lock);
	atomic_store_explicit(&homes[irq], home, memory_order_relaxed);
}

/*
 * A CPU that claimed it when it was closing may have completed it in vain. One completion too many
 * does no harm, so one is made here, while priority 0 keeps it from coming.
 */
static void open(uint32_t irq, bool edge, uint32_t cpu)
{
	uint32_t home = home_for(cpu);

	(void)edge; /* its gateway knows */
	axvm_lock_take(&enable_lock);
	set_enable(home, irq, true);
	axvm_lock_drop(&enable_lock);
	atomic_store_explicit(&homes[irq], home, memory_order_relaxed);
	complete(irq);
	set_priority(irq, 1);
}

static void close(uint32_t irq)
{
	set_priority(irq, 0);
	complete(irq);
	axvm_lock_take(&enable_lock);
	set_enable(atomic_load_explicit(&homes[irq], memory_order_relaxed), irq, false);
	axvm_lock_drop(&enable_lock);
}

static const struct axvm_irq_chip chip = {
	.controller = AXVM_RISCV64_PLIC,
	.limit = limit,
	.cpu_init = cpu_init,
	.claim = claim,
	.open = open,
	.close = close,
	.route = route,
	.complete = complete,
};

static bool fits(uint64_t bytes)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++) {
		if (contexts[i] != AXVM_IRQ_NO_TARGET && contexts[i] > last)
			last = contexts[i];
	}
	return bytes >= CONTEXT && last < (bytes - CONTEXT) / CONTEXT_BYTES;
}

static void quiet(void)
{
	for (uint32_t irq = 1; irq < sources; irq++)
		set_priority(irq, 0);
	for (uint32_t i = 0; i < AXVM_CPUS_MAX; i++) {
		for (uint32_t irq = 0; contexts[i] != AXVM_IRQ_NO_TARGET && irq < sources;
		     irq += 32)
			axvm_mmio_write32(enable_word(i, irq), 0);
	}
}

const struct axvm_irq_chip *axvm_bare_plic_init(const void *fdt, int node, const char **why)
{
	struct axvm_irq_region region;

	if (axvm_bare_irq_targets(fdt, node, contexts) == 0 || contexts[0] == AXVM_IRQ_NO_TARGET) {
		*why = "the PLIC in the machine's device tree has no supervisor-level context for "
		       "this hart (interrupts-extended)";
		return NULL;
	}
	uint32_t last = axvm_bare_irq_cell(fdt, node, "riscv,ndev", 0);
	sources = last < AXVM_LINES ? last + 1 : AXVM_LINES;
	if (last == 0 || !axvm_bare_irq_region(fdt, node, 0, &region) || !fits(region.bytes)) {
		*why = "the PLIC's reg or riscv,ndev property in the machine's device tree is "
		       "malformed";
		return NULL;
	}
	plic = (uintptr_t)axvm_bare_map_device(axvm_hpa(region.hpa), region.bytes);
	if (plic == 0) {
		*why = "no memory to map the interrupt controller";
		return NULL;
	}
	quiet();
	return &chip;
}
