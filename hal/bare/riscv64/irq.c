/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of the host, by whichever controllers it has: a PLIC, an APLIC, or an APLIC that sends
 * MSIs to IMSICs. One that a VM has stays claimed, or masked, until its guest is done with it, so that
 * it can neither storm nor be lost while the guest does not run.
 */
#include "irq.h"

#include <libfdt.h>

#include "exit.h"
#include "irq_fdt.h"
#include "lines.h"
#include "sbi.h"

#define TAKEN_AT_ONCE 64u

static const struct axvm_irq_chip *chip;
static struct axvm_irq_region registers; /* the chip's */

/* Of a source that a VM has. */
struct source {
	_Atomic uint32_t in_flight; /* its guest has not completed it yet */
	_Atomic uint32_t routed;    /* it goes to a guest interrupt file, past us */
	_Atomic uint32_t home;	    /* the CPU where it comes */
	bool edge;
};

static struct source list[AXVM_LINES];

/* ---- which controllers --------------------------------------------------------------------------- */

static const struct axvm_irq_chip *find_aia(const void *fdt, int imsic, int *node, const char **why)
{
	*node = axvm_bare_irq_find_aplic(fdt, imsic);
	if (*node < 0) {
		*why = "the machine's device tree has IMSICs, and no APLIC of supervisor level "
		       "that sends to them (msi-parent)";
		return NULL;
	}
	return axvm_bare_imsic_init(fdt, imsic, why) ? axvm_bare_aplic_init(fdt, *node, true, why)
						     : NULL;
}

static const struct axvm_irq_chip *find_chip(const void *fdt, int *node, const char **why)
{
	int imsic = axvm_bare_irq_find_imsic(fdt);

	if (imsic >= 0)
		return find_aia(fdt, imsic, node, why);
	*node = axvm_bare_irq_find_aplic(fdt, -1);
	if (*node >= 0)
		return axvm_bare_aplic_init(fdt, *node, false, why);
	*node = axvm_bare_irq_find_plic(fdt);
	if (*node >= 0)
		return axvm_bare_plic_init(fdt, *node, why);
	*why = "the machine's device tree has no interrupt controller for supervisor level: a PLIC "
	       "(\"riscv,plic0\", \"sifive,plic-1.0.0\"), an APLIC (\"riscv,aplic\") or IMSICs "
	       "(\"riscv,imsics\") are needed";
	return NULL;
}

bool axvm_bare_irq_init(const void *fdt, const char **why)
{
	int node = -1;

	chip = find_chip(fdt, &node, why);
	if (chip == NULL)
		return false;
	/* It was mapped, so it is there. */
	(void)axvm_bare_irq_region(fdt, node, 0, &registers);
	axvm_bare_lines_init(fdt, node);
	return true;
}

void axvm_bare_irq_cpu_init(struct axvm_cpu *cpu)
{
	chip->cpu_init(cpu);
}

bool axvm_bare_irq_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	return axvm_ranges_overlap(hpa.addr, bytes, registers.hpa, registers.bytes) ||
	       axvm_bare_imsic_owns(hpa, bytes);
}

enum axvm_riscv64_controller axvm_bare_irq_controller(void)
{
	return chip->controller;
}

/*
 * [DT]: a PLIC's is the number alone; an APLIC's has flags too (1 and 2 edge, 4 and 8 level). The console
 * asks before there is a controller; what it takes for the flags of a PLIC's, that one does not heed.
 */
uint32_t axvm_bare_irq_from_fdt(const uint32_t *cell, uint32_t count, bool *edge)
{
	*edge = count >= 2 && (fdt32_to_cpu(cell[1]) & 3) != 0;
	return count == 0 ? UINT32_MAX : fdt32_to_cpu(cell[0]);
}

/* ---- lines --------------------------------------------------------------------------------------- */

bool axvm_bare_line_exists(uint32_t irq)
{
	return irq != 0 && irq < chip->limit();
}

void axvm_bare_line_open(uint32_t irq, bool edge, struct axvm_cpu *cpu)
{
	struct source *source = &list[irq];

	source->edge = edge;
	atomic_store_explicit(&source->in_flight, 0, memory_order_relaxed);
	atomic_store_explicit(&source->routed, 0, memory_order_relaxed);
	atomic_store_explicit(&source->home, cpu->index, memory_order_relaxed);
	chip->open(irq, edge, cpu->index);
}

void axvm_bare_line_close(uint32_t irq)
{
	atomic_store_explicit(&list[irq].in_flight, 0, memory_order_relaxed);
	/* Closed it goes nowhere, so also the way past us is gone: a later completion is nobody's. */
	atomic_store_explicit(&list[irq].routed, 0, memory_order_relaxed);
	chip->close(irq);
}

/* To where the VM's first vCPU runs now. */
static void follow(const struct axvm_vm *vm, uint32_t irq)
{
	struct source *source = &list[irq];
	uint32_t cpu = atomic_load_explicit(&vm->vcpus[0]->cpu, memory_order_relaxed);

	if (cpu == AXVM_CPU_NONE ||
	    cpu == atomic_load_explicit(&source->home, memory_order_relaxed))
		return;
	atomic_store_explicit(&source->home, cpu, memory_order_relaxed);
	chip->route(irq, cpu);
}

bool axvm_bare_line_bring(struct axvm_vm *vm, uint32_t irq)
{
	struct source *source = &list[irq];

	follow(vm, irq);
	/* release: who completes it, on any CPU, knows where it was routed */
	atomic_store_explicit(&source->in_flight, 1, memory_order_release);
	if (axvm_riscv64_host_interrupt(vm, irq, source->edge) != 0)
		axvm_bare_line_close(irq); /* nobody would quiet the device */
	return true;
}

void axvm_hal_riscv64_irq_complete(uint32_t host_irq)
{
	if (!axvm_bare_line_exists(host_irq))
		return;
	struct source *source = &list[host_irq];

	if (atomic_load_explicit(&source->routed, memory_order_acquire) != 0 ||
	    atomic_exchange_explicit(&source->in_flight, 0, memory_order_acquire) != 0)
		chip->complete(host_irq);
}

bool axvm_hal_riscv64_irq_route(uint32_t host_irq, uint32_t cpu, uint32_t file, uint32_t eiid)
{
	if (chip->controller != AXVM_RISCV64_AIA || !axvm_bare_line_is_a_vms(host_irq))
		return false;
	struct source *source = &list[host_irq];

	if (eiid == 0) {
		uint32_t home = atomic_load_explicit(&source->home, memory_order_relaxed);

		axvm_bare_aplic_route(host_irq, home, 0, AXVM_EIID_WIRED + host_irq);
		/* Its source looks at its line once more: what the file had is not ours to know. */
		chip->complete(host_irq);
		atomic_store_explicit(&source->routed, 0, memory_order_release);
		return true;
	}
	if (eiid > axvm_bare_imsic_ids() || file == 0 || !axvm_bare_imsic_has_file(cpu, file))
		return false;
	atomic_store_explicit(&source->routed, 1, memory_order_release);
	axvm_bare_aplic_route(host_irq, cpu, file, eiid);
	return true;
}

/* ---- arrival ------------------------------------------------------------------------------------- */

static void take(uint32_t irq)
{
	if (irq >= chip->limit() || axvm_bare_line_arrived(irq))
		return;
	/* Without a handler it was closed while it came. */
	(void)axvm_bare_line_handle(irq);
	chip->complete(irq);
}

void axvm_bare_irq_external(struct axvm_cpu *cpu)
{
	axvm_bare_imsic_serve(cpu);
	for (uint32_t i = 0; i < TAKEN_AT_ONCE; i++) {
		uint32_t irq = chip->claim(cpu);

		if (irq == AXVM_IRQ_NONE)
			return;
		if (irq != 0)
			take(irq);
	}
}

void axvm_bare_irq_kick(struct axvm_cpu *cpu)
{
	if (chip->controller == AXVM_RISCV64_AIA)
		axvm_bare_imsic_kick(cpu);
	else
		axvm_bare_sbi_send_ipi(1ULL << cpu->index);
}
