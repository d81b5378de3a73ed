/* SPDX-License-Identifier: Apache-2.0 */
/* The host's PL011 [PL011 3.3]: bytes out, bytes in. Speed and format stay as the firmware set them. */
#include "uart.h"

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define IMSC 0x38
#define ICR 0x44
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define FR_TXFE (1u << 7)
#define CR_ENABLE (1u << 0 | 1u << 8 | 1u << 9) /* UART, transmit, receive */
#define LCR_H_8BITS (3u << 5)
#define LCR_H_FEN (1u << 4)
#define INT_RX (1u << 4)
#define INT_RT (1u << 6)
#define FIFO_DEPTH 16u

static volatile uint32_t *base;
static uint64_t depth; /* of the transmit FIFO */

static uint64_t write(const char *data, uint64_t bytes)
{
	uint64_t sent = 0;

	while (sent < bytes) {
		uint32_t flags = base[FR / 4];
		if ((flags & FR_TXFF) != 0)
			break;
		/* An empty FIFO takes its depth without a further look at the flags. */
		uint64_t room = (flags & FR_TXFE) != 0 ? depth : 1;
		for (; room > 0 && sent < bytes; room--)
			base[DR / 4] = (uint8_t)data[sent++];
	}
	return sent;
}

static int read(void)
{
	if ((base[FR / 4] & FR_RXFE) != 0) {
		base[ICR / 4] = INT_RX | INT_RT;
		return -1;
	}
	return (int)(base[DR / 4] & 0xff);
}

static void enable_receive(void)
{
	base[ICR / 4] = 0x7ff;
	base[IMSC / 4] = INT_RX | INT_RT;
}

static const struct axvm_uart pl011 = {
	.write = write,
	.read = read,
	.enable_receive = enable_receive,
};

const struct axvm_uart *axvm_uart_pl011(void *registers, const struct axvm_uart_place *place)
{
	(void)place;
	base = registers;
	if ((base[CR / 4] & 1) == 0) { /* nobody used it: QEMU, some firmware */
		base[LCR_H / 4] = LCR_H_8BITS | LCR_H_FEN;
		base[CR / 4] = CR_ENABLE;
	}
	depth = (base[LCR_H / 4] & LCR_H_FEN) != 0 ? FIFO_DEPTH : 1;
	return &pl011;
}
