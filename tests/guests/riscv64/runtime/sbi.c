// SPDX-License-Identifier: Apache-2.0
/* SBI, the other CPUs, and time [SBI 3 to 9]. */
#include "internal.h"

struct guest_sbi guest_sbi6(uint64_t extension, uint64_t function, const uint64_t arguments[6])
{
	register uint64_t a0 __asm__("a0") = arguments[0];
	register uint64_t a1 __asm__("a1") = arguments[1];
	register uint64_t a2 __asm__("a2") = arguments[2];
	register uint64_t a3 __asm__("a3") = arguments[3];
	register uint64_t a4 __asm__("a4") = arguments[4];
	register uint64_t a5 __asm__("a5") = arguments[5];
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct guest_sbi){ (int64_t)a0, a1 };
}

struct guest_sbi guest_sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
			   uint64_t a2)
{
	const uint64_t arguments[6] = { a0, a1, a2, 0, 0, 0 };

	return guest_sbi6(extension, function, arguments);
}

void guest_power_off(void)
{
	(void)guest_sbi(SBI_SRST, 0, 0, 0, 0);
	for (;;)
		guest_wfi();
}

void guest_other_cpu(struct guest_cpu *cpu)
{
	guest_controller_start_cpu();
	cpu->run(cpu->argument);
	__atomic_store_n(&cpu->done, 1, __ATOMIC_RELEASE);
	(void)guest_sbi(SBI_HSM, SBI_HSM_STOP, 0, 0, 0);
	for (;;)
		guest_wfi();
}

int64_t guest_firmware_version(void)
{
	return (int64_t)guest_sbi(SBI_BASE, 0, 0, 0, 0).value;
}

int64_t guest_firmware_start(uint64_t id, uint64_t entry, uint64_t argument)
{
	return guest_sbi(SBI_HSM, SBI_HSM_START, id, entry, argument).error;
}

int64_t guest_firmware_suspend(void)
{
	return guest_sbi(SBI_HSM, SBI_HSM_SUSPEND, 0, 0, 0).error;
}

bool guest_cpu_is_off(uint32_t index)
{
	struct guest_sbi answer = guest_sbi(SBI_HSM, SBI_HSM_STATUS, guest_cpus[index].id, 0, 0);

	return answer.error == SBI_SUCCESS && answer.value == SBI_HART_STOPPED;
}

void guest_ipi_enable(void)
{
	SET_CSR(sie, IRQ_BIT_SOFTWARE);
}

void guest_ipi_disable(void)
{
	CLEAR_CSR(sie, IRQ_BIT_SOFTWARE);
}

void guest_ipi_send(uint32_t index)
{
	(void)guest_sbi(SBI_IPI, 0, 1, guest_cpus[index].id, 0);
}

void guest_ipi_clear(void)
{
	CLEAR_CSR(sip, IRQ_BIT_SOFTWARE);
}

uint64_t guest_ticks(void)
{
	return READ_CSR(time);
}

static bool always(void)
{
	return true;
}

static bool has_sstc(void)
{
	return guest_isa_has("sstc");
}

static void sbi_set(uint64_t deadline)
{
	(void)guest_sbi(SBI_TIME, 0, deadline, 0, 0);
}

static void sbi_off(void)
{
	sbi_set(~0ull);
}

static void sstc_set(uint64_t deadline)
{
	WRITE_CSR(0x14d, deadline);
}

static void sstc_off(void)
{
	sstc_set(~0ull);
}

static void irq_enable(void)
{
	SET_CSR(sie, IRQ_BIT_TIMER);
}

static void irq_disable(void)
{
	CLEAR_CSR(sie, IRQ_BIT_TIMER);
}

const struct guest_timer guest_timers[2] = {
	{ GUEST_IRQ_TIMER, always, guest_ticks, sbi_set, sbi_off, irq_enable, irq_disable },
	{ GUEST_IRQ_TIMER, has_sstc, guest_ticks, sstc_set, sstc_off, irq_enable, irq_disable },
};
