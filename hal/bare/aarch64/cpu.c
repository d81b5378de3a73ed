/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU at EL2: what it must have, how it is set up, how others are started [PSCI]. */
#include <libfdt.h>

#include "bare.h"
#include "cpu.h"
#include "layout.h"
#include "map.h"
#include "pte.h"
#include "regs.h"
#include "sysreg.h"

extern const char axvm_vectors[], axvm_secondary_start[];

/* What axvm_secondary_start reads with the MMU off. */
struct axvm_bare_start {
	uint64_t stack_top;
	struct axvm_cpu *cpu;
};

static _Alignas(64) struct axvm_bare_start starts[AXVM_CPUS_MAX];
static bool psci_by_smc;

struct axvm_cpu *axvm_bare_this_cpu(void)
{
	return (struct axvm_cpu *)(uintptr_t)read_tpidr_el2();
}

void axvm_bare_set_this_cpu(struct axvm_cpu *cpu)
{
	write_tpidr_el2((uintptr_t)cpu);
}

static unsigned field(uint64_t value, unsigned shift)
{
	return (unsigned)(value >> shift) & 0xf;
}

bool axvm_bare_at_el2(void)
{
	return read_currentel() >> 2 == 2;
}

bool axvm_bare_check(const char **why)
{
	if (!axvm_bare_at_el2()) {
		*why = "started at EL1, and a hypervisor needs EL2: boot it from firmware that "
		       "stays at EL2, in QEMU with -M virt,virtualization=on";
		return false;
	}
	unsigned granule = field(read_id_aa64mmfr0_el1(), 28);
	if (granule == 0xf) {
		*why = "the CPU does not support 4 KiB pages (ID_AA64MMFR0_EL1.TGran4)";
		return false;
	}
	if (field(read_id_aa64pfr0_el1(), 4) == 0) {
		*why = "the CPU's EL1 does not support AArch64 (ID_AA64PFR0_EL1.EL1)";
		return false;
	}
	return true;
}

/* MDCR_EL2.HPMN: all event counters, where the CPU has any [ARM D19.3.16]. */
static uint64_t event_counters(void)
{
	unsigned version = field(read_id_aa64dfr0_el1(), 8);
	uint64_t pmcr;

	if (version == 0 || version == 0xf)
		return 0;
	__asm__ volatile("mrs %0, pmcr_el0" : "=r"(pmcr));
	return pmcr >> 11 & 0x1f;
}

void axvm_bare_cpu_init(struct axvm_cpu *cpu)
{
	axvm_bare_set_this_cpu(cpu);
	write_vbar_el2((uintptr_t)axvm_vectors);
	axvm_bare_mmu_harden();
	write_hcr_el2(AXVM_AARCH64_HCR_HOST);
	write_vttbr_el2(0);
	write_cptr_el2(AXVM_AARCH64_CPTR);
	write_hstr_el2(0);
	write_mdcr_el2(AXVM_AARCH64_MDCR | event_counters());
	write_cnthctl_el2(AXVM_AARCH64_CNTHCTL);
	write_cntv_ctl_el0(0);
	write_cnthp_ctl_el2(0);
	axvm_bare_stage2_init();
	axvm_isb();
	axvm_bare_gic_cpu_init(cpu);
	cpu->online = true;
}

#define SMCCC_CLOBBERS                                                                       \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
		"x17", "memory"

static int64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	if (axvm_bare_at_el2())
		__asm__ volatile("smc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				 :
				 : SMCCC_CLOBBERS);
	else
		__asm__ volatile("hvc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				 :
				 : SMCCC_CLOBBERS);
	return (int64_t)x0;
}

#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_CPU_ON 0xc4000003u

int axvm_bare_cpu_start(struct axvm_cpu *cpu)
{
	struct axvm_bare_start *start = &starts[cpu->index];

	if (!psci_by_smc)
		return -1;
	start->stack_top = cpu->stack_top;
	start->cpu = cpu;
	axvm_bare_clean(start, sizeof(*start));
	return (int)psci(PSCI_CPU_ON, cpu->hardware_id, axvm_bare_image_hpa(axvm_secondary_start),
			 axvm_bare_image_hpa(start));
}

static uint64_t unit_of(const void *fdt, int node, int cells)
{
	int bytes = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);

	if (reg == NULL || bytes < cells * 4)
		return UINT64_MAX;
	return cells == 2 ? (uint64_t)fdt32_to_cpu(reg[0]) << 32 | fdt32_to_cpu(reg[1])
			  : fdt32_to_cpu(reg[0]);
}

static bool is_cpu(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);
	const char *status = fdt_getprop(fdt, node, "status", NULL);

	return type != NULL && fdt_stringlist_contains(type, 4, "cpu") &&
	       (status == NULL || status[0] == 'o');
}

#define MPIDR_AFFINITY 0xff00ffffffULL

bool axvm_bare_cpus_init(const void *fdt, const char **why)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-1.0");
	int cpus = fdt_path_offset(fdt, "/cpus");

	if (node < 0)
		node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-0.2");
	const char *method = node < 0 ? NULL : fdt_getprop(fdt, node, "method", NULL);
	psci_by_smc = method != NULL && method[0] == 's';

	uint64_t self = read_mpidr_el1() & MPIDR_AFFINITY;
	axvm_cpus[0].hardware_id = self;
	axvm_cpu_count_present = 1;
	if (cpus < 0) {
		*why = "the machine's device tree has no /cpus";
		return false;
	}
	int cells = fdt_address_cells(fdt, cpus);
	fdt_for_each_subnode(node, fdt, cpus)
	{
		if (!is_cpu(fdt, node) || axvm_cpu_count_present == AXVM_CPUS_MAX)
			continue;
		uint64_t id = unit_of(fdt, node, cells) & MPIDR_AFFINITY;
		if (id != self)
			axvm_cpus[axvm_cpu_count_present++].hardware_id = id;
	}
	for (uint32_t i = 0; i < axvm_cpu_count_present; i++)
		axvm_cpus[i].index = i;
	return true;
}

void axvm_bare_timer_program(uint64_t deadline_ticks)
{
	if (deadline_ticks == UINT64_MAX) {
		write_cnthp_ctl_el2(0);
		return;
	}
	write_cnthp_cval_el2(deadline_ticks);
	write_cnthp_ctl_el2(1);
}

uint64_t axvm_hal_time_ticks(void)
{
	axvm_isb();
	return read_cntpct_el0();
}

uint64_t axvm_hal_time_hz(void)
{
	return read_cntfrq_el0();
}

bool axvm_hal_random(void *buffer, uint64_t bytes)
{
	uint64_t isar0;
	uint8_t *out = buffer;

	__asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	if (field(isar0, 60) == 0)
		return false;
	for (uint64_t i = 0; i < bytes; i++) {
		uint64_t value, good;
		/* RNDR; Z says that there was none in a reasonable time [ARM D19.2.117] */
		__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, ne"
				 : "=r"(value), "=r"(good)
				 :
				 : "cc");
		if (good == 0)
			return false;
		out[i] = (uint8_t)(value >> 32);
	}
	return true;
}

_Noreturn void axvm_bare_power_off(void)
{
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	axvm_bare_stop_cpu();
}

_Noreturn void axvm_bare_reset(void)
{
	psci(PSCI_SYSTEM_RESET, 0, 0, 0);
	axvm_bare_stop_cpu();
}

_Noreturn void axvm_bare_stop_cpu(void)
{
	for (;;)
		axvm_wfi();
}

static const char *const vector_names[] = {
	"synchronous exception (SP0)", "IRQ (SP0)", "FIQ (SP0)", "SError (SP0)",
	"synchronous exception",       "IRQ",	    "FIQ",	 "SError",
};

_Noreturn void axvm_bare_own_exception(const uint64_t *frame, uint64_t vector)
{
	axvm_panic_exception(vector_names[vector & 7], frame, 32, read_elr_el2(), read_esr_el2(),
			     read_far_el2());
}

/* ---- the firmware's console: there is none ------------------------------------------------------ */

bool axvm_bare_has_firmware_console(void)
{
	return false;
}

uint64_t axvm_bare_firmware_write(const char *data, uint64_t bytes)
{
	(void)data;
	return bytes;
}

int axvm_bare_firmware_read(void)
{
	return -1;
}
