// SPDX-License-Identifier: Apache-2.0
/*
 * What an exit costs, in instructions: under QEMU's `-icount shift=0,sleep=off` one instruction
 * takes one nanosecond, so that `time` counts them, in steps of its period. Each row is the mean of
 * 10,000, without the loop around it. Prints "bench: ROW INSTRUCTIONS". Where it has an IMSIC it
 * measures that alone: what is there with no exit.
 */
#include "runtime.h"

#define COUNT 10000u

typedef uint64_t measured_loop(uint64_t count, uint64_t a, uint64_t b);
measured_loop bench_empty, bench_ten_nops, bench_call, bench_call_one, bench_read_word,
	bench_read_byte, bench_ipi, bench_sbi_timer, bench_sstc_timer, bench_imsic_ipi, bench_wired;
extern const char bench_ipi_vector[];
extern const char bench_sbi_timer_vector[];
extern const char bench_sstc_timer_vector[];
extern const char bench_imsic_ipi_vector[];
extern const char bench_wired_vector[];

struct row {
	const char *name;
	measured_loop *loop;
	uint64_t a;
	uint64_t b;
	uint32_t beside; /* instructions in the loop that are not measured, without addi and bnez */
};

/* Tenths of an instruction per turn. */
static uint64_t tenths(const struct row *row)
{
	uint64_t ns_per_tick = 1000000000ull / guest_hz();

	(void)row->loop(100, row->a, row->b); /* first uses: tables, caches of the hypervisor */
	return row->loop(COUNT, row->a, row->b) * ns_per_tick * 10 / COUNT;
}

static void print(const char *name, uint64_t value)
{
	axtest_puts("bench: ");
	axtest_puts(name);
	axtest_puts(" ");
	axtest_put_dec(value / 10);
	axtest_puts(".");
	axtest_put_dec(value % 10);
	axtest_puts("\n");
}

static void measure(const struct row *row, uint64_t empty)
{
	uint64_t value = tenths(row);
	uint64_t around = empty + row->beside * 10;

	print(row->name, value > around ? value - around : 0);
}

static void measure_interrupt(const struct row *row, uint64_t empty, const char *vector,
			      uint64_t enabled)
{
	WRITE_CSR(stvec, (uintptr_t)vector);
	WRITE_CSR(sie, enabled);
	guest_irq_enable();
	measure(row, empty);
	guest_irq_disable();
	WRITE_CSR(sie, 0);
}

static void measure_exits(uint64_t loop)
{
	const struct row calls[] = {
		{ "sbi_get_spec_version", bench_call, SBI_BASE, 0, 0 },
		{ "sbi_set_timer", bench_call_one, SBI_TIME, 0, 1 },
		{ "uart_lsr_read", bench_read_byte, guest_machine.uart + 5, 0, 0 },
	};
	const struct row controller = { "controller_read", bench_read_word,
					guest_plic.base + PLIC_PRIORITY + 4, 0, 0 };
	const struct row ipi = { "ipi_to_self", bench_ipi, SBI_IPI, guest_this_cpu()->id, 4 };
	const struct row sbi_timer = { "sbi_timer", bench_sbi_timer, SBI_TIME, 0, 3 };
	const struct row sstc_timer = { "sstc_timer", bench_sstc_timer, 0, 0, 1 };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		measure(&calls[i], loop);
	if (guest_plic.base != 0)
		measure(&controller, loop);
	measure_interrupt(&ipi, loop, bench_ipi_vector, IRQ_BIT_SOFTWARE);
	measure_interrupt(&sbi_timer, loop, bench_sbi_timer_vector, 0);
	guest_timers[0].off();
	if (guest_timers[1].is_there())
		measure_interrupt(&sstc_timer, loop, bench_sstc_timer_vector, IRQ_BIT_TIMER);
}

/* The UART is the machine's own here, its interrupt has its number as identity. */
static void measure_imsic(uint64_t loop)
{
	const uint32_t id = guest_aia.ids;
	const uint32_t irq = guest_machine.uart_irq;
	const struct row ipi = { "imsic_ipi_to_self", bench_imsic_ipi, guest_aia_file(0), id, 1 };
	const struct row wired = { "imsic_passed_interrupt", bench_wired, guest_machine.uart, 2,
				   1 };

	guest_aia_start();
	guest_aia_start_cpu();
	guest_aia_enable_id(id, true);
	measure_interrupt(&ipi, loop, bench_imsic_ipi_vector, IRQ_BIT_EXTERNAL);
	guest_aia_enable_id(irq, true);
	guest_aia_route(irq, 0, GUEST_APLIC_LEVEL);
	measure_interrupt(&wired, loop, bench_wired_vector, IRQ_BIT_EXTERNAL);
	guest_aia_route(irq, 0, 0);
}

void guest_main(void)
{
	const struct row empty = { "empty_loop", bench_empty, 0, 0, 0 };
	const struct row nops = { "ten_nops", bench_ten_nops, 0, 0, 0 };
	uint64_t loop = tenths(&empty);

	print(empty.name, loop);
	measure(&nops, loop);
	if (guest_aia.imsic != 0)
		measure_imsic(loop);
	else
		measure_exits(loop);
	axtest_puts("bench: end\n");
	guest_power_off();
}
