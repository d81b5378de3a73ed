/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's console as if it were a UART, for machines whose own is not known, or is a guest's. */
#include "uart.h"

#include "bare.h"

static void no_interrupt(void)
{
}

static const struct axvm_uart firmware = {
	.write = axvm_bare_firmware_write,
	.read = axvm_bare_firmware_read,
	.enable_receive = no_interrupt,
};

const struct axvm_uart *axvm_uart_firmware(void)
{
	return axvm_bare_has_firmware_console() ? &firmware : NULL;
}
