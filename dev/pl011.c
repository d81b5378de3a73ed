// SPDX-License-Identifier: Apache-2.0
/*
 * PL011 UART [PL011]. The transmitter sends at once, so its FIFO is always empty; the receiver
 * sees the front of a longer ring, so that what is pasted into a console is not lost.
 *
 * A guest's console is the hottest device of a boot: one FR read and one DR write a character.
 * FR is an atomic word that is read without the lock, and a DR write only appends to `out`.
 * `out` is handed on when a line ends, when it is full, when a driver writes another register
 * (as each does at the end of a burst), and at the latest when the timer expires.
 */
#include <axvm/hal.h>
#include <axvm/irq.h>

#include "lock.h"
#include "table.h"
#include "vm_state.h"

enum pl011_register {
	DR = 0x000,
	RSR = 0x004, /* written: ECR */
	FR = 0x018,
	ILPR = 0x020,
	IBRD = 0x024,
	FBRD = 0x028,
	LCR_H = 0x02c,
	CR = 0x030,
	IFLS = 0x034,
	IMSC = 0x038,
	RIS = 0x03c,
	MIS = 0x040,
	ICR = 0x044,
	DMACR = 0x048,
	ID_FIRST = 0xfe0, /* PeriphID0 to 3, PCellID0 to 3 */
	ID_LAST = 0xffc,
};

enum {
	DR_BE = 1 << 10,
	DR_OE = 1 << 11,
	DR_ERROR_SHIFT = 8, /* from DR's error bits to RSR's */
	RSR_OE = 1 << 3,

	FR_CTS = 1 << 0,
	FR_DSR = 1 << 1,
	FR_DCD = 1 << 2,
	FR_RXFE = 1 << 4,
	FR_RXFF = 1 << 6,
	FR_TXFE = 1 << 7,
	FR_RI = 1 << 8,
	FR_MODEM = FR_CTS | FR_DSR | FR_DCD | FR_RI,

	LCR_H_BRK = 1 << 0,
	LCR_H_FEN = 1 << 4,

	CR_LBE = 1 << 7,
	CR_TXE = 1 << 8,
	CR_RXE = 1 << 9,
	CR_DTR = 1 << 10,
	CR_RTS = 1 << 11,
	CR_OUT1 = 1 << 12,
	CR_OUT2 = 1 << 13,

	INT_RI = 1 << 0,
	INT_CTS = 1 << 1,
	INT_DCD = 1 << 2,
	INT_DSR = 1 << 3,
	INT_RX = 1 << 4,
	INT_TX = 1 << 5,
	INT_RT = 1 << 6,
	INT_BE = 1 << 9,
	INT_OE = 1 << 10,
	INT_ALL = 0x7ff,
};

#define FIFO_DEPTH 16u /* of revision r1p4, which PeriphID2 names */
#define RX_RING_BYTES 256u
#define OUT_BYTES 256u
#define OUT_DELAY_MS 20u

struct pl011 {
	_Atomic uint32_t fr; /* written under the lock, read without */
	struct axvm_lock lock;
	/* All below: under the lock. */
	bool level; /* of the interrupt line */
	bool timer_runs;
	bool has_overrun;   /* the next character received carries DR.OE */
	uint32_t out_count; /* bytes in `out` */
	uint32_t out_limit; /* while out_count is below, sending is no more than appending */
	uint32_t ris;
	uint32_t imsc;
	uint32_t cr;
	uint32_t lcr_h;
	uint32_t ifls;
	uint32_t rsr;
	uint32_t ilpr;
	uint32_t ibrd;
	uint32_t fbrd;
	uint32_t dmacr;
	uint32_t rx_first; /* index into rx */
	uint32_t rx_count; /* in rx; the guest sees at most fifo_depth() of them */
	struct axvm_device *device;
	uint64_t out_delay_ticks;
	struct axvm_timer timer;
	uint16_t rx[RX_RING_BYTES]; /* DR images */
	char out[OUT_BYTES];
};

/* ---- output ----------------------------------------------------------------------------- */

static void flush(struct pl011 *uart)
{
	if (uart->out_count == 0)
		return;
	axvm_hal_console_write(uart->device->vm, uart->out, uart->out_count);
	uart->out_count = 0;
}

/*
 * The last byte that fits, and every byte while there is more to do with it, goes the long way.
 * Called after each change of what it looks at.
 */
static void update_out_limit(struct pl011 *uart)
{
	bool is_plain = uart->timer_runs && !(uart->cr & CR_LBE) && !(uart->imsc & INT_TX);

	uart->out_limit = is_plain ? OUT_BYTES - 1 : 0;
}

static void out_delay_expired(struct axvm_timer *timer)
{
	struct pl011 *uart =
		(struct pl011 *)(void *)((char *)timer - offsetof(struct pl011, timer));

	axvm_lock_take(&uart->lock);
	uart->timer_runs = false;
	update_out_limit(uart);
	flush(uart);
	axvm_lock_drop(&uart->lock);
}

static void start_timer(struct pl011 *uart)
{
	uart->timer_runs = true;
	update_out_limit(uart);
	axvm_hal_timer_start(&uart->timer, axvm_hal_time_ticks() + uart->out_delay_ticks);
}

/* ---- interrupts and flags ----------------------------------------------------------------- */

static void update_line(struct pl011 *uart)
{
	bool level = (uart->ris & uart->imsc) != 0;

	if (level == uart->level)
		return;
	uart->level = level;
	(void)axvm_irq_set_level(uart->device->vm, uart->device->irq, level);
}

static uint32_t fifo_depth(const struct pl011 *uart)
{
	return uart->lcr_h & LCR_H_FEN ? FIFO_DEPTH : 1;
}

/* How many characters raise RXRIS: IFLS.RXIFLSEL in eighths of the FIFO. */
static uint32_t rx_trigger(const struct pl011 *uart)
{
	static const uint8_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	return uart->lcr_h & LCR_H_FEN ? levels[(uart->ifls >> 3) & 7] : 1;
}

/* In loopback the modem outputs drive the inputs; otherwise nothing is connected to them. */
static uint32_t modem_flags(const struct pl011 *uart)
{
	if (!(uart->cr & CR_LBE))
		return 0;
	return (uart->cr & CR_RTS ? FR_CTS : 0u) | (uart->cr & CR_DTR ? FR_DSR : 0u) |
	       (uart->cr & CR_OUT1 ? FR_DCD : 0u) | (uart->cr & CR_OUT2 ? FR_RI : 0u);
}

static void update_flags(struct pl011 *uart)
{
	uint32_t old = atomic_load_explicit(&uart->fr, memory_order_relaxed);
	uint32_t fr = FR_TXFE | modem_flags(uart);
	uint32_t changed = (old ^ fr) & FR_MODEM;

	fr |= uart->rx_count == 0 ? FR_RXFE : 0u;
	fr |= uart->rx_count >= fifo_depth(uart) ? FR_RXFF : 0u;
	uart->ris |= (changed & FR_CTS ? INT_CTS : 0u) | (changed & FR_DSR ? INT_DSR : 0u) |
		     (changed & FR_DCD ? INT_DCD : 0u) | (changed & FR_RI ? INT_RI : 0u);
	atomic_store_explicit(&uart->fr, fr, memory_order_relaxed);
}

/* ---- the receiver ------------------------------------------------------------------------- */

/* The room that is left is the caller's business. */
static void push(struct pl011 *uart, uint32_t image)
{
	if (uart->has_overrun)
		image |= DR_OE;
	uart->has_overrun = false;
	uart->rx[(uart->rx_first + uart->rx_count) % RX_RING_BYTES] = (uint16_t)image;
	uart->rx_count++;
	if (image & DR_BE)
		uart->ris |= INT_BE;
	if (uart->rx_count >= rx_trigger(uart))
		uart->ris |= INT_RX;
}

/* Nothing more comes for now: fewer than the trigger level time out at once. */
static void end_burst(struct pl011 *uart)
{
	if (uart->rx_count > 0 && uart->rx_count < rx_trigger(uart))
		uart->ris |= INT_RT;
	update_flags(uart);
}

static void receive_looped(struct pl011 *uart, uint32_t image)
{
	if (uart->rx_count >= fifo_depth(uart)) {
		uart->has_overrun = true;
		uart->rsr |= RSR_OE;
		uart->ris |= INT_OE;
		return;
	}
	push(uart, image);
	end_burst(uart);
}

static uint32_t pop(struct pl011 *uart)
{
	if (uart->rx_count == 0)
		return 0;

	uint32_t image = uart->rx[uart->rx_first];

	uart->rx_first = (uart->rx_first + 1) % RX_RING_BYTES;
	uart->rx_count--;
	uart->rsr = image >> DR_ERROR_SHIFT;
	if (uart->rx_count >= fifo_depth(uart))
		uart->ris |= INT_RX; /* the next of the ring has moved up into the FIFO */
	else if (uart->rx_count < rx_trigger(uart))
		uart->ris &= ~(uint32_t)INT_RX;
	if (uart->rx_count == 0)
		uart->ris &= ~(uint32_t)INT_RT;
	end_burst(uart);
	update_line(uart);
	return image;
}

static uint64_t pl011_input(struct axvm_device *device, const char *data, uint64_t bytes)
{
	struct pl011 *uart = device->state;
	uint64_t taken = 0;

	axvm_lock_take(&uart->lock);
	while (taken < bytes && uart->rx_count < RX_RING_BYTES)
		push(uart, (uint8_t)data[taken++]);
	end_burst(uart);
	update_line(uart);
	axvm_lock_drop(&uart->lock);
	return taken;
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint32_t identification(uint64_t offset)
{
	static const uint8_t bytes[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return bytes[(offset - ID_FIRST) / 4];
}

static uint32_t read_register(struct pl011 *uart, uint64_t offset)
{
	switch (offset) {
	case DR:
		return pop(uart);
	case RSR:
		return uart->rsr;
	case ILPR:
		return uart->ilpr;
	case IBRD:
		return uart->ibrd;
	case FBRD:
		return uart->fbrd;
	case LCR_H:
		return uart->lcr_h;
	case CR:
		return uart->cr;
	case IFLS:
		return uart->ifls;
	case IMSC:
		return uart->imsc;
	case RIS:
		return uart->ris;
	case MIS:
		return uart->ris & uart->imsc;
	case DMACR:
		return uart->dmacr;
	default:
		return 0;
	}
}

/* Apart, so that the flag register's path needs no stack frame. */
__attribute__((noinline)) static uint64_t read_other(struct pl011 *uart, uint64_t offset)
{
	if (offset >= ID_FIRST)
		return offset <= ID_LAST && offset % 4 == 0 ? identification(offset) : 0;

	axvm_lock_take(&uart->lock);
	uint32_t value = read_register(uart, offset);
	axvm_lock_drop(&uart->lock);
	return value;
}

/* What is no register, or is not aligned to one, reads as zero and ignores writes. */
static uint64_t pl011_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			   unsigned bytes)
{
	struct pl011 *uart = device->state;

	(void)vcpu;
	(void)bytes;
	if (offset == FR)
		return atomic_load_explicit(&uart->fr, memory_order_relaxed);
	return read_other(uart, offset);
}

static void write_lcr_h(struct pl011 *uart, uint32_t value)
{
	bool begins_break = (value & ~uart->lcr_h & LCR_H_BRK) != 0;

	uart->lcr_h = value & 0xff;
	if (begins_break && uart->cr & CR_LBE)
		receive_looped(uart, DR_BE);
	end_burst(uart);
}

static void write_register(struct pl011 *uart, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case RSR:
		uart->rsr = 0;
		break;
	case ILPR:
		uart->ilpr = value & 0xff;
		break;
	case IBRD:
		uart->ibrd = value & 0xffff;
		break;
	case FBRD:
		uart->fbrd = value & 0x3f;
		break;
	case LCR_H:
		write_lcr_h(uart, value);
		break;
	case CR:
		uart->cr = value & 0xff87;
		update_flags(uart);
		break;
	case IFLS:
		uart->ifls = value & 0x3f;
		end_burst(uart);
		break;
	case IMSC:
		uart->imsc = value & INT_ALL;
		break;
	case ICR:
		uart->ris &= ~value;
		break;
	case DMACR:
		uart->dmacr = value & 7;
		break;
	default:
		break;
	}
}

/* CR's enable bits are not looked at: a guest's first words come before it has set them. */
static void transmit(struct pl011 *uart, char character)
{
	uart->ris |= INT_TX;
	if (uart->cr & CR_LBE) {
		receive_looped(uart, (uint8_t)character);
		return;
	}
	uart->out[uart->out_count++] = character;
	if (character == '\n' || uart->out_count == OUT_BYTES)
		flush(uart);
	else if (!uart->timer_runs)
		start_timer(uart);
}

/* The lock is held, and dropped here: apart, as read_other. */
__attribute__((noinline)) static void write_other(struct pl011 *uart, uint64_t offset,
						  uint32_t value)
{
	if (offset == DR) {
		transmit(uart, (char)value);
	} else {
		flush(uart);
		write_register(uart, offset, value);
		update_out_limit(uart);
	}
	update_line(uart);
	axvm_lock_drop(&uart->lock);
}

static void pl011_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			unsigned bytes, uint64_t value)
{
	struct pl011 *uart = device->state;
	char character = (char)value;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&uart->lock);
	if (offset != DR || character == '\n' || uart->out_count >= uart->out_limit) {
		write_other(uart, offset, (uint32_t)value);
		return;
	}
	uart->ris |= INT_TX;
	uart->out[uart->out_count++] = character;
	axvm_lock_drop(&uart->lock);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void pl011_destroy(struct axvm_device *device)
{
	struct pl011 *uart = device->state;

	axvm_hal_timer_stop(&uart->timer);
	axvm_lock_take(&uart->lock);
	uart->timer_runs = false;
	update_out_limit(uart);
	flush(uart);
	axvm_lock_drop(&uart->lock);
}

static void pl011_reset(struct axvm_device *device)
{
	struct pl011 *uart = device->state;

	pl011_destroy(device);
	axvm_lock_take(&uart->lock);
	uart->ris = 0;
	uart->imsc = 0;
	uart->cr = CR_TXE | CR_RXE;
	uart->lcr_h = 0;
	uart->ifls = 0x12;
	uart->rsr = 0;
	uart->ilpr = 0;
	uart->ibrd = 0;
	uart->fbrd = 0;
	uart->dmacr = 0;
	uart->rx_first = 0;
	uart->rx_count = 0;
	uart->has_overrun = false;
	update_out_limit(uart);
	atomic_store_explicit(&uart->fr, FR_TXFE | FR_RXFE, memory_order_relaxed);
	update_line(uart);
	axvm_lock_drop(&uart->lock);
}

static int pl011_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct pl011 *uart = axvm_vm_alloc(device->vm, sizeof(*uart));

	if (!uart)
		return AXVM_ENOMEM;
	axvm_lock_init(&uart->lock, AXVM_LOCK_DEVICE);
	uart->device = device;
	uart->out_delay_ticks = axvm_hal_time_hz() / (1000 / OUT_DELAY_MS);
	uart->timer.expired = out_delay_expired;
	device->state = uart;
	device->irq = config->irq;
	pl011_reset(device);
	return axvm_bus_attach(&device->vm->mmio, device, config->base.addr, config->bytes, 0);
}

const struct axvm_device_type axvm_dev_pl011 = {
	.name = "pl011",
	.emu_type = AXVM_EMU_PL011,
	.create = pl011_create,
	.reset = pl011_reset,
	.destroy = pl011_destroy,
	.read = pl011_read,
	.write = pl011_write,
	.input = pl011_input,
};
