// SPDX-License-Identifier: Apache-2.0
/* The ways out of a VM. */
#include "runtime.h"

/* A debugger would end the whole machine. */
static void exit_by_semihosting(void)
{
	register uint64_t x0 __asm__("x0") = 0x20;
	register uint64_t x1 __asm__("x1") = guest_machine.ram_base;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

void guest_leave_once(uint64_t turn)
{
	void (*nowhere)(void) = (void (*)(void))(uintptr_t)(GUEST_NOWHERE + 4096);

	switch (turn % 9) {
	case 0:
		(void)guest_hvc(PSCI_VERSION, 0, 0, 0);
		break;
	case 1:
		(void)guest_smc(0x8400ffff, 1, 2, 3);
		break;
	case 2:
		guest_write32(GUEST_NOWHERE, 1);
		break;
	case 3:
		guest_write32(guest_gic.distributor + GICD_ISPENDR + 12, ~0u);
		break;
	case 4:
		guest_gic_send_others(1);
		break;
	case 5:
		(void)guest_hvc(PSCI_CPU_ON, ~0ull, GUEST_NOWHERE, 0);
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
}

void guest_leave_prepare(void)
{
	guest_gic_enable(1);
	guest_gic_enable(2);
}
