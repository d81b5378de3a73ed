/* SPDX-License-Identifier: Apache-2.0 */
/* A hart in HS mode: how it is set up, how others are started [SBI 9], interrupts, timer, the end. */
#include "cpu.h"

#include <libfdt.h>

#include "bare.h"
#include "csr.h"
#include "irq.h"
#include "map.h"
#include "regs.h"
#include "sbi.h"

extern const char axvm_vectors[], axvm_secondary_start[];
extern const uint64_t axvm_bare_boot_hart;

/* What axvm_secondary_start reads before it translates. */
struct axvm_bare_start {
	uint64_t stack_top;
	struct axvm_cpu *cpu;
	uint64_t satp;
};

static struct axvm_bare_start starts[AXVM_CPUS_MAX];

struct axvm_cpu *axvm_bare_this_cpu(void)
{
	struct axvm_cpu *cpu;

	__asm__ volatile("mv %0, tp" : "=r"(cpu));
	return cpu;
}

void axvm_bare_set_this_cpu(struct axvm_cpu *cpu)
{
	__asm__ volatile("mv tp, %0" : : "r"(cpu));
}

void axvm_bare_cpu_init(struct axvm_cpu *cpu)
{
	axvm_bare_set_this_cpu(cpu);
	write_stvec((uintptr_t)axvm_vectors);
	write_hedeleg(AXVM_RISCV64_HEDELEG);
	write_hideleg(AXVM_RISCV64_HIDELEG);
	write_hcounteren(AXVM_RISCV64_HCOUNTEREN);
	write_hie(1ULL << AXVM_IRQ_GUEST_EXTERNAL);
	write_hvip(0);
	axvm_bare_mmu_cpu_init();
	axvm_bare_timer_program(UINT64_MAX);
	write_sie(1ULL << AXVM_IRQ_SOFTWARE | 1ULL << AXVM_IRQ_TIMER | 1ULL << AXVM_IRQ_EXTERNAL);
	axvm_bare_irq_cpu_init(cpu);
	cpu->online = true;
}

/* ---- the other harts ------------------------------------------------------------------------- */

int axvm_bare_cpu_start(struct axvm_cpu *cpu)
{
	struct axvm_bare_start *start = &starts[cpu->index];

	if (!axvm_bare_sbi_has(AXVM_SBI_HSM) || !axvm_bare_sbi_has(AXVM_SBI_IPI) ||
	    !axvm_bare_sbi_has(AXVM_SBI_RFENCE))
		return -1;
	start->stack_top = cpu->stack_top;
	start->cpu = cpu;
	start->satp = axvm_bare_satp();
	axvm_fence();
	return (int)axvm_bare_sbi_hart_start(cpu->hardware_id,
					     axvm_bare_image_hpa(axvm_secondary_start),
					     axvm_bare_image_hpa(start));
}

bool axvm_bare_cpus_init(const void *fdt, const char **why)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;
	uint64_t hart;

	axvm_cpus[0].hardware_id = axvm_bare_boot_hart;
	axvm_cpu_count_present = 1;
	if (cpus < 0) {
		*why = "the machine's device tree has no /cpus";
		return false;
	}
	fdt_for_each_subnode(node, fdt, cpus)
	{
		if (axvm_bare_is_cpu(fdt, node, &hart) && hart != axvm_bare_boot_hart &&
		    axvm_cpu_count_present < AXVM_CPUS_MAX)
			axvm_cpus[axvm_cpu_count_present++].hardware_id = hart;
	}
	for (uint32_t i = 0; i < axvm_cpu_count_present; i++)
		axvm_cpus[i].index = i;
	return axvm_bare_host_init(fdt, why) &&
	       axvm_bare_sbi_check(axvm_cpu_count_present, !axvm_hal_riscv64_host()->has_sstc, why);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

void axvm_hal_cpu_kick(uint32_t cpu)
{
	axvm_fence(); /* what the other CPU shall see is visible before the interrupt */
	axvm_bare_irq_kick(&axvm_cpus[cpu]);
}

static void take(struct axvm_cpu *cpu, uint64_t number)
{
	switch (number) {
	case AXVM_IRQ_SOFTWARE: /* a kick: to be out of the guest, or of wfi, is all it asks */
		clear_sip(1ULL << AXVM_IRQ_SOFTWARE);
		break;
	case AXVM_IRQ_TIMER:
		axvm_timer_interrupt(cpu);
		break;
	case AXVM_IRQ_EXTERNAL:
		axvm_bare_irq_external(cpu);
		break;
	case AXVM_IRQ_GUEST_EXTERNAL:
		axvm_bare_irq_guest_external(cpu);
		break;
	default:
		break;
	}
}

enum axvm_verdict axvm_bare_exit_irq(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	take(axvm_bare_this_cpu(), read_scause() & 0xff);
	return AXVM_ENTER;
}

/* Guests' own interrupts stay away: hie is 0 of them while no vCPU is bound. */
static uint64_t pending(void)
{
	return (read_sip() & read_sie()) | (read_hip() & read_hie());
}

void axvm_bare_idle(void)
{
	if (pending() == 0)
		axvm_wfi();
	for (uint64_t now = pending(); now != 0; now &= now - 1)
		take(axvm_bare_this_cpu(), (uint64_t)__builtin_ctzll(now));
}

/* ---- time ------------------------------------------------------------------------------------ */

void axvm_bare_timer_program(uint64_t deadline_ticks)
{
	if (axvm_hal_riscv64_host()->has_sstc)
		write_stimecmp(deadline_ticks);
	else
		axvm_bare_sbi_set_timer(deadline_ticks);
}

uint64_t axvm_hal_time_ticks(void)
{
	return read_time();
}

/* The CSR seed is the firmware's in general, and what it gives would have to be conditioned. */
bool axvm_hal_random(void *buffer, uint64_t bytes)
{
	(void)buffer;
	(void)bytes;
	return false;
}

uint64_t axvm_hal_riscv64_counter(unsigned which)
{
	uint64_t value = 0;

	if (which == 0 && axvm_bare_features.has_cycle)
		value = read_cycle();
	if (which == 1 && axvm_bare_features.has_instret)
		value = read_instret();
	return value;
}

/* ---- the end --------------------------------------------------------------------------------- */

_Noreturn void axvm_bare_power_off(void)
{
	axvm_bare_sbi_reset(false);
	axvm_bare_stop_cpu();
}

_Noreturn void axvm_bare_reset(void)
{
	axvm_bare_sbi_reset(true);
	axvm_bare_stop_cpu();
}

_Noreturn void axvm_bare_stop_cpu(void)
{
	write_sie(0);
	for (;;)
		axvm_wfi();
}

static const char *const cause_names[] = {
	"fetch from a misaligned address",
	"fetch access fault",
	"illegal instruction",
	"breakpoint",
	"misaligned load",
	"load access fault",
	"misaligned store",
	"store access fault",
	"ecall",
	"ecall",
	"ecall",
	"ecall",
	"fetch page fault",
	"load page fault",
	"exception",
	"store page fault",
};

_Noreturn void axvm_bare_own_exception(const uint64_t *frame)
{
	uint64_t cause = read_scause();
	uint64_t known = sizeof(cause_names) / sizeof(cause_names[0]);

	axvm_panic_exception(cause < known ? cause_names[cause] : "exception or interrupt", frame,
			     32, read_sepc(), cause, read_stval());
}
