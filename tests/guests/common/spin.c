// SPDX-License-Identifier: Apache-2.0
/*
 * The bad neighbour: all of its CPUs leave the VM again and again, in every way there is, and never
 * end. Whoever runs beside it must not notice. It prints one line when all of them are at it.
 */
#include "runtime.h"

static uint32_t spinning_count;

static void on_irq(uint32_t irq)
{
	(void)irq;
	guest_timers[0].set(0); /* due again at once */
}

static void spin(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_irq;
	guest_ipi_enable();
	guest_leave_prepare();
	guest_timers[0].irq_enable();
	guest_timers[0].set(0);
	__atomic_fetch_add(&spinning_count, 1, __ATOMIC_RELEASE);
	for (uint64_t turn = 0;; turn++) {
		guest_probe_begin();
		guest_leave_once(turn);
		(void)guest_probe_end();
		if (turn % 64 == 0) {
			guest_irq_enable();
			guest_irq_disable();
		}
	}
}

void guest_main(void)
{
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (guest_cpu_start(i, spin, NULL) != 0)
			guest_give_up("every CPU starts");
	}
	if (!guest_wait_for(&spinning_count, guest_cpu_count() - 1, 5000000))
		guest_give_up("every CPU spins");
	axtest_puts("spinning\n");
	spin(NULL);
}
