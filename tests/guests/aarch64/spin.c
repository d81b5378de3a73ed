// SPDX-License-Identifier: Apache-2.0
/*
 * The bad neighbour: all of its CPUs leave the VM again and again, in every way there is, and never
 * end. Whoever runs beside it must not notice. It prints one line when all of them are at it.
 */
#include "runtime.h"

#define NOWHERE 0x0c000000ull

static uint32_t spinning_count;

static void on_irq(uint32_t intid)
{
	(void)intid;
	WRITE_SYSREG(cntv_cval_el0, 0); /* due again at once */
}

/* A debugger would end the whole machine. */
static void exit_by_semihosting(void)
{
	register uint64_t x0 __asm__("x0") = 0x20;
	register uint64_t x1 __asm__("x1") = guest_machine.ram_base;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

static void leave_once(uint64_t turn)
{
	void (*nowhere)(void) = (void (*)(void))(uintptr_t)(NOWHERE + 4096);

	guest_probe_begin();
	switch (turn % 9) {
	case 0:
		(void)guest_hvc(PSCI_VERSION, 0, 0, 0);
		break;
	case 1:
		(void)guest_smc(0x8400ffff, 1, 2, 3);
		break;
	case 2:
		guest_write32(NOWHERE, 1);
		break;
	case 3:
		guest_write32(guest_machine.distributor + GICD_ISPENDR + 12, ~0u);
		break;
	case 4:
		guest_gic_send_others(1);
		break;
	case 5:
		(void)guest_hvc(PSCI_CPU_ON, ~0ull, NOWHERE, 0);
		break;
	case 6:
		nowhere();
		break;
	case 7:
		exit_by_semihosting();
		break;
	default:
		guest_gic_send_self(2);
		guest_wfi();
		break;
	}
	(void)guest_probe_end();
}

static void spin(void *argument)
{
	(void)argument;
	guest_this_cpu()->on_irq = on_irq;
	guest_gic_enable(1);
	guest_gic_enable(2);
	guest_gic_enable(PPI_VIRTUAL_TIMER);
	WRITE_SYSREG(cntv_cval_el0, 0);
	WRITE_SYSREG(cntv_ctl_el0, 1);
	__atomic_fetch_add(&spinning_count, 1, __ATOMIC_RELEASE);
	for (uint64_t turn = 0;; turn++) {
		leave_once(turn);
		if (turn % 64 == 0) {
			guest_irq_enable();
			guest_irq_disable();
		}
	}
}

void guest_main(void)
{
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (guest_cpu_start(i, spin, NULL) != PSCI_SUCCESS)
			guest_give_up("every CPU starts");
	}
	if (!guest_wait_for(&spinning_count, guest_cpu_count() - 1, 5000000))
		guest_give_up("every CPU spins");
	axtest_puts("spinning\n");
	spin(NULL);
}
