// SPDX-License-Identifier: Apache-2.0
/* The ways out of a VM. */
#include "runtime.h"

void guest_leave_once(uint64_t turn)
{
	void (*nowhere)(void) = (void (*)(void))(uintptr_t)(GUEST_NOWHERE + 4096);

	switch (turn % 10) {
	case 0:
		(void)guest_firmware_version();
		break;
	case 1:
		(void)guest_sbi(turn, turn >> 8, 1, 2, 3);
		break;
	case 2:
		guest_write32(GUEST_NOWHERE, 1);
		break;
	case 3:
		(void)guest_read32(guest_plic.base + PLIC_ENABLE);
		break;
	case 4:
		(void)guest_sbi(SBI_IPI, 0, ~0ull, ~0ull, 0); /* all harts */
		break;
	case 5:
		(void)guest_sbi(SBI_HSM, SBI_HSM_START, ~0ull, GUEST_NOWHERE, 0);
		break;
	case 6:
		nowhere();
		break;
	case 7:
		(void)guest_sbi(SBI_RFENCE, 1, ~0ull, ~0ull, 0); /* SFENCE.VMA everywhere */
		break;
	case 8:
		(void)READ_CSR(0x680); /* hgatp */
		break;
	default:
		guest_ipi_send((uint32_t)guest_this_cpu()->index);
		guest_wfi();
		break;
	}
}

void guest_leave_prepare(void)
{
}
