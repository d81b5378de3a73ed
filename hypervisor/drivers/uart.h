/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the host's UART in its device tree and gives its driver. */
#ifndef AXVM_UART_H
#define AXVM_UART_H

#include "console.h"

struct axvm_uart_place {
	uint64_t hpa;
	uint32_t bytes;	    /* of its registers; 0: it has none of its own */
	uint32_t reg_shift; /* registers are 1 << reg_shift bytes apart: 0 to 4 */
	uint32_t reg_bytes; /* as wide an access they take: 1 or 4 */
	uint32_t irq;	    /* UINT32_MAX: none */
	bool edge;
};

/* NULL: no UART, or none of a kind that we drive. */
const struct axvm_uart *axvm_uart_find(const void *fdt, struct axvm_uart_place *place);

/* The firmware's console; NULL: it has none. */
const struct axvm_uart *axvm_uart_firmware(void);

/* One function per kind; each takes the mapped registers. */
const struct axvm_uart *axvm_uart_pl011(void *registers, const struct axvm_uart_place *place);
const struct axvm_uart *axvm_uart_ns16550(void *registers, const struct axvm_uart_place *place);

#endif
