// SPDX-License-Identifier: Apache-2.0
/* PSCI by HVC, and the other CPUs. */
#include "internal.h"

int64_t guest_hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	return (int64_t)x0;
}

int64_t guest_smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	/* smc #0, which the assembler gives only to CPUs that have EL3. */
	__asm__ volatile(".inst 0xd4000003" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	return (int64_t)x0;
}

void guest_power_off(void)
{
	(void)guest_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		guest_wfi();
}

void guest_other_cpu(struct guest_cpu *cpu)
{
	cpu->arrived[0] = READ_SYSREG(mpidr_el1) & 0xff00ffffffull;
	guest_gic_start_cpu();
	cpu->run(cpu->argument);
	__atomic_store_n(&cpu->done, 1, __ATOMIC_RELEASE);
	(void)guest_hvc(PSCI_CPU_OFF, 0, 0, 0);
	for (;;)
		guest_wfi();
}

int64_t guest_firmware_version(void)
{
	return guest_hvc(PSCI_VERSION, 0, 0, 0);
}

int64_t guest_firmware_start(uint64_t id, uint64_t entry, uint64_t argument)
{
	return guest_hvc(PSCI_CPU_ON, id, entry, argument);
}

int64_t guest_firmware_suspend(void)
{
	return guest_hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
}

bool guest_cpu_is_off(uint32_t index)
{
	return guest_hvc(PSCI_AFFINITY_INFO, guest_cpus[index].id, 0, 0) == 1;
}
