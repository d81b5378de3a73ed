/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's NS16550A [NS16550] or what is compatible with it: bytes out, bytes in. Speed and format
 * stay as the firmware set them.
 */
#include "uart.h"

enum {
	RBR = 0, /* written: THR */
	IER = 1,
	IIR = 2, /* written: FCR */
	MCR = 4,
	LSR = 5,

	IER_RX = 1 << 0,
	IIR_KIND = 0x3f,
	IIR_TIMEOUT = 0xc,
	IIR_FIFOS = 0xc0,
	FCR_ENABLE = 1 << 0,
	MCR_READY = 0xb, /* DTR, RTS, and OUT2, which lets a PC's interrupt through */
	LSR_DR = 1 << 0,
	LSR_THRE = 1 << 5,
};

#define FIFO_DEPTH 16u

static volatile uint8_t *base;
static uint32_t shift; /* registers are 1 << shift bytes apart */
static bool by_words;  /* and take accesses of 4 bytes */
static uint64_t depth; /* of the transmit FIFO */

static uint32_t get(uint32_t number)
{
	volatile uint8_t *place = base + ((uint64_t)number << shift);

	return by_words ? *(volatile uint32_t *)(volatile void *)place : *place;
}

static void set(uint32_t number, uint32_t value)
{
	volatile uint8_t *place = base + ((uint64_t)number << shift);

	if (by_words)
		*(volatile uint32_t *)(volatile void *)place = value;
	else
		*place = (uint8_t)value;
}

static uint64_t write(const char *data, uint64_t bytes)
{
	uint64_t sent = 0;

	/* An empty FIFO takes its depth without a further look at the status. */
	while (sent < bytes && (get(LSR) & LSR_THRE) != 0) {
		for (uint64_t room = depth; room > 0 && sent < bytes; room--)
			set(RBR, (uint8_t)data[sent++]);
	}
	return sent;
}

/* Some tell of a time-out with nothing there, until somebody reads nevertheless. */
static void end_empty_timeout(void)
{
	if ((get(IIR) & IIR_KIND) == IIR_TIMEOUT && (get(LSR) & LSR_DR) == 0)
		(void)get(RBR);
}

static int read(void)
{
	if ((get(LSR) & LSR_DR) == 0)
		end_empty_timeout();
	if ((get(LSR) & LSR_DR) == 0)
		return -1;
	return (int)(get(RBR) & 0xff);
}

static void enable_receive(void)
{
	set(MCR, get(MCR) | MCR_READY);
	set(IER, IER_RX);
}

static const struct axvm_uart ns16550 = {
	.write = write,
	.read = read,
	.enable_receive = enable_receive,
};

const struct axvm_uart *axvm_uart_ns16550(void *registers, const struct axvm_uart_place *place)
{
	base = registers;
	shift = place->reg_shift;
	by_words = place->reg_bytes == 4;
	if ((get(IIR) & IIR_FIFOS) != IIR_FIFOS) /* nobody used it: QEMU, some firmware */
		set(IIR, FCR_ENABLE);
	depth = (get(IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO_DEPTH : 1;
	return &ns16550;
}
