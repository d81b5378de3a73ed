// SPDX-License-Identifier: Apache-2.0
/* Starting CPUs, and waiting: for a time, for a flag, for a CPU's end. */
#include "runtime.h"

int64_t guest_cpu_start(uint32_t index, void (*run)(void *argument), void *argument)
{
	struct guest_cpu *cpu = &guest_cpus[index];

	cpu->run = run;
	cpu->argument = argument;
	__atomic_store_n(&cpu->done, 0, __ATOMIC_RELEASE);
	guest_barrier();
	return guest_firmware_start(cpu->id, (uintptr_t)guest_other_cpu_entry, (uintptr_t)cpu);
}

uint64_t guest_us(uint64_t us)
{
	return us * (guest_hz() / 1000000);
}

void guest_sleep(uint64_t us)
{
	uint64_t end = guest_ticks() + guest_us(us);

	guest_timers[0].set(end);
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

bool guest_cpu_wait_off(uint32_t index)
{
	if (!guest_wait(&guest_cpus[index].done, 5000000))
		return false;
	uint64_t end = guest_ticks() + guest_us(5000000);
	while (guest_ticks() < end) {
		if (guest_cpu_is_off(index))
			return true;
	}
	return false;
}
