// SPDX-License-Identifier: Apache-2.0
/* PLIC driver [PLIC 3]: S mode's contexts, found by interrupts-extended. */
#include "internal.h"

#include <libfdt.h>

struct guest_plic guest_plic;

static uint64_t context_register(uint32_t cpu, uint32_t offset)
{
	return guest_plic.base + offset + PLIC_CONTEXT * guest_plic.context_of_cpu[cpu];
}

void guest_plic_priority(uint32_t source, uint32_t priority)
{
	guest_write32(guest_plic.base + PLIC_PRIORITY + 4 * (uint64_t)source, priority);
}

void guest_plic_enable(uint32_t cpu, uint32_t source, bool on)
{
	uint64_t at = guest_plic.base + PLIC_ENABLE +
		      PLIC_ENABLE_CONTEXT * guest_plic.context_of_cpu[cpu] + 4 * (source / 32);
	uint32_t bit = 1u << source % 32;
	uint32_t value = guest_read32(at);

	guest_write32(at, on ? value | bit : value & ~bit);
}

void guest_plic_threshold(uint32_t cpu, uint32_t threshold)
{
	guest_write32(context_register(cpu, PLIC_THRESHOLD), threshold);
}

bool guest_plic_is_pending(uint32_t source)
{
	return guest_read32(guest_plic.base + PLIC_PENDING + 4 * (source / 32)) >> source % 32 & 1;
}

uint32_t guest_plic_claim(uint32_t cpu)
{
	return guest_read32(context_register(cpu, PLIC_CLAIM));
}

void guest_plic_complete(uint32_t cpu, uint32_t source)
{
	guest_write32(context_register(cpu, PLIC_CLAIM), source);
}

void guest_plic_take(void)
{
	struct guest_cpu *cpu = guest_this_cpu();

	for (;;) {
		uint32_t source = guest_plic_claim((uint32_t)cpu->index);

		if (source == 0)
			return;
		cpu->on_irq(GUEST_IRQ_EXTERNAL + source);
		guest_plic_complete((uint32_t)cpu->index, source);
	}
}

void guest_plic_read(const void *fdt)
{
	int node = guest_fdt_find(fdt, "sifive,plic-1.0.0");

	if (node < 0)
		node = guest_fdt_find(fdt, "riscv,plic0");
	if (node < 0)
		return;
	if (!guest_fdt_reg(fdt, node, 0, &guest_plic.base, &guest_plic.bytes) ||
	    !guest_fdt_cell(fdt, node, "riscv,ndev", 0, &guest_plic.sources))
		guest_give_up("the PLIC's node is whole");
}

void guest_plic_start(const void *fdt)
{
	int node = guest_fdt_find(fdt, "sifive,plic-1.0.0");
	uint32_t phandle;
	uint32_t irq;

	if (guest_plic.base == 0)
		return;
	if (node < 0)
		node = guest_fdt_find(fdt, "riscv,plic0");
	for (int i = 0; guest_fdt_cell(fdt, node, "interrupts-extended", 2 * i, &phandle); i++) {
		int cpu = guest_fdt_cpu_of_phandle(fdt, phandle);

		if (cpu >= 0 && guest_fdt_cell(fdt, node, "interrupts-extended", 2 * i + 1, &irq) &&
		    irq == 9)
			guest_plic.context_of_cpu[cpu] = (uint32_t)i;
	}
	for (uint32_t source = 1; source <= guest_plic.sources; source++)
		guest_plic_priority(source, 0);
}

void guest_plic_start_cpu(void)
{
	uint32_t cpu = (uint32_t)guest_this_cpu()->index;

	if (guest_plic.base != 0) {
		for (uint32_t source = 0; source <= guest_plic.sources; source += 32)
			guest_write32(guest_plic.base + PLIC_ENABLE +
					      PLIC_ENABLE_CONTEXT * guest_plic.context_of_cpu[cpu] +
					      source / 8,
				      0);
		guest_plic_threshold(cpu, 0);
	}
}
