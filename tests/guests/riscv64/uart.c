// SPDX-License-Identifier: Apache-2.0
/*
 * Has the machine's UART, on which others speak too, so it is silent: it takes the transmitter's interrupt
 * two thousand times and ends. It does not end when one is lost.
 */
#include "runtime.h"

#define UART_IER (guest_machine.uart + 1)
#define UART_IER_THRI 2u

static uint32_t taken_count;

static void on_uart(uint32_t irq)
{
	if (guest_aia_took(irq, on_uart))
		return;
	/* QEMU's APLIC shows a level once more that has fallen meanwhile. */
	if (irq == GUEST_IRQ_EXTERNAL + guest_machine.uart_irq && guest_read8(UART_IER) != 0) {
		guest_write8(UART_IER, 0);
		__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
	}
	if (guest_aia.imsic != 0)
		guest_write32(guest_aia.aplic + GUEST_APLIC_SETIPNUM, guest_machine.uart_irq);
}

void guest_main(void)
{
	guest_this_cpu()->on_irq = on_uart;
	guest_external_enable(guest_machine.uart_irq);
	guest_irq_enable();
	for (uint32_t round = 1; round <= 2000; round++) {
		guest_write8(UART_IER, UART_IER_THRI);
		while (__atomic_load_n(&taken_count, __ATOMIC_ACQUIRE) < round)
			;
	}
	guest_power_off();
}
