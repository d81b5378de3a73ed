// SPDX-License-Identifier: Apache-2.0
/*
 * What an exit costs, in instructions: under QEMU's `-icount shift=0,sleep=off` one instruction
 * takes one nanosecond, so that CNTVCT_EL0 counts them, in steps of its period. Each row is the
 * mean of 10,000, without the loop around it. Prints "bench: ROW INSTRUCTIONS".
 */
#include "runtime.h"

#define COUNT 10000u
#define SPI_WORD 80u /* IPRIORITYR of SPIs that no device uses, and ISENABLER2's bit 16 */

typedef uint64_t measured_loop(uint64_t count, uint64_t a, uint64_t b);
measured_loop bench_empty, bench_ten_nops, bench_hvc, bench_smc, bench_read, bench_write,
	bench_id_register, bench_sgi, bench_timer;
extern const char bench_vectors[];
extern const char bench_timer_vectors[];

struct row {
	const char *name;
	measured_loop *loop;
	uint64_t a;
	uint64_t b;
	uint32_t beside; /* instructions in the loop that are not measured, without subs and b.ne */
};

/* Tenths of an instruction per turn. */
static uint64_t tenths(const struct row *row)
{
	uint64_t ns_per_tick_16 = 16000000000ull / guest_hz();
	uint64_t ns;

	(void)row->loop(100, row->a, row->b); /* first uses: tables, caches of the hypervisor */
	ns = row->loop(COUNT, row->a, row->b) * ns_per_tick_16 / 16;
	return ns * 10 / COUNT;
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

static void use_vectors(const char *vectors)
{
	WRITE_SYSREG(vbar_el1, (uintptr_t)vectors);
	guest_irq_enable();
}

void guest_main(void)
{
	uint64_t distributor = guest_gic.distributor;
	uint64_t self = guest_this_cpu()->id & 0xf;
	const struct row empty = { "empty_loop", bench_empty, 0, 0, 0 };
	const struct row calls[] = {
		{ "ten_nops", bench_ten_nops, 0, 0, 0 },
		{ "hvc_psci_version", bench_hvc, PSCI_VERSION, 0, 1 },
		{ "gicd_typer_read", bench_read, distributor + GICD_TYPER, 0, 0 },
		{ "gicd_ipriorityr_read", bench_read, distributor + GICD_IPRIORITYR + SPI_WORD, 0,
		  0 },
		{ "gicd_isenabler_write", bench_write, distributor + GICD_ISENABLER + 8, 1u << 16,
		  0 },
		{ "uart_fr_read", bench_read, guest_machine.uart + 0x18, 0, 0 },
		{ "id_register_read", bench_id_register, 0, 0, 0 },
	};
	const struct row smc = { "smc_psci_version", bench_smc, PSCI_VERSION, 0, 1 };
	const struct row sgi = { "sgi_to_self", bench_sgi, 1ull << self | 1ull << 24, 0, 1 };
	const struct row timer = { "virtual_timer", bench_timer, 1, 0, 1 };
	uint64_t loop = tenths(&empty);

	print(empty.name, loop);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		measure(&calls[i], loop);
	if (guest_cmdline_has("axvm")) /* QEMU's own machine has no EL3 */
		measure(&smc, loop);
	guest_gic_enable(1);
	use_vectors(bench_vectors);
	measure(&sgi, loop);
	guest_irq_disable();
	guest_gic_enable(PPI_VIRTUAL_TIMER);
	WRITE_SYSREG(cntv_cval_el0, 0);
	use_vectors(bench_timer_vectors);
	measure(&timer, loop);
	guest_irq_disable();
	axtest_puts("bench: end\n");
	guest_power_off();
}
