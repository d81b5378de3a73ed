// SPDX-License-Identifier: Apache-2.0
/* PSCI by HVC, the other CPUs, and time. */
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
	guest_gic_start_cpu();
	cpu->run(cpu->argument);
	__atomic_store_n(&cpu->done, 1, __ATOMIC_RELEASE);
	(void)guest_hvc(PSCI_CPU_OFF, 0, 0, 0);
	for (;;)
		guest_wfi();
}

int64_t guest_cpu_start(uint32_t index, void (*run)(void *argument), void *argument)
{
	struct guest_cpu *cpu = &guest_cpus[index];

	cpu->run = run;
	cpu->argument = argument;
	__atomic_store_n(&cpu->done, 0, __ATOMIC_RELEASE);
	guest_barrier();
	return guest_hvc(PSCI_CPU_ON, cpu->mpidr, (uintptr_t)guest_other_cpu_entry, (uintptr_t)cpu);
}

bool guest_cpu_wait_off(uint32_t index)
{
	struct guest_cpu *cpu = &guest_cpus[index];

	if (!guest_wait(&cpu->done, 5000000))
		return false;
	uint64_t end = guest_ticks() + guest_us(5000000);
	while (guest_ticks() < end) {
		if (guest_hvc(PSCI_AFFINITY_INFO, cpu->mpidr, 0, 0) == 1)
			return true;
	}
	return false;
}

uint64_t guest_ticks(void)
{
	__asm__ volatile("isb" ::: "memory");
	return READ_SYSREG(cntvct_el0);
}

uint64_t guest_hz(void)
{
	return READ_SYSREG(cntfrq_el0);
}

uint64_t guest_us(uint64_t us)
{
	return us * (guest_hz() / 1000000);
}

void guest_sleep(uint64_t us)
{
	uint64_t end = guest_ticks() + guest_us(us);

	WRITE_SYSREG(cntv_cval_el0, end);
	WRITE_SYSREG(cntv_ctl_el0, 1);
	/* Masked from the look to the WFI, which a pending interrupt ends all the same. */
	guest_irq_disable();
	while (guest_ticks() < end) {
		guest_wfi();
		guest_irq_enable();
		guest_barrier();
		guest_irq_disable();
	}
	guest_irq_enable();
}

bool guest_wait_for(const uint32_t *counter, uint32_t at_least, uint64_t us)
{
	uint64_t end = guest_ticks() + guest_us(us);

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < at_least) {
		if (guest_ticks() > end)
			return false;
	}
	return true;
}

bool guest_wait(const uint32_t *flag, uint64_t us)
{
	return guest_wait_for(flag, 1, us);
}
