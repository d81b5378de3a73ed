// SPDX-License-Identifier: Apache-2.0
/*
 * NS16550A UART [NS16550]. The transmitter sends at once, so it is always empty; the receiver sees
 * the front of a longer ring, so that what is pasted into a console is not lost.
 *
 * A guest's console is the hottest device of a boot: a driver writes its 16 characters and looks at
 * LSR before it writes the next. A character written only appends to `out`, which is handed on when
 * a line ends, when it is full, when a driver writes another register (as each does at the end of a
 * burst), and at the latest when the timer expires. LSR is kept ready and read without the lock,
 * unless it has an error bit, which reading clears.
 */
#include <axvm/hal.h>
#include <axvm/irq.h>

#include "table.h"
#include "vm_state.h"

enum ns16550_register {
	RBR = 0, /* written: THR; with LCR.DLAB: DLL */
	IER = 1, /* with LCR.DLAB: DLM */
	IIR = 2, /* written: FCR */
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
	REGISTERS = 8,
};

enum {
	IER_RX = 1 << 0,
	IER_TX = 1 << 1,
	IER_LINE = 1 << 2,
	IER_MODEM = 1 << 3,
	IER_ALL = 0xf,

	IIR_MODEM = 0x0,
	IIR_NONE = 0x1,
	IIR_TX = 0x2,
	IIR_RX = 0x4,
	IIR_LINE = 0x6,
	IIR_TIMEOUT = 0xc,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 1 << 0,
	FCR_CLEAR_RX = 1 << 1,
	FCR_TRIGGER_SHIFT = 6,

	LCR_DLAB = 1 << 7,

	MCR_DTR = 1 << 0,
	MCR_RTS = 1 << 1,
	MCR_OUT1 = 1 << 2,
	MCR_OUT2 = 1 << 3,
	MCR_LOOP = 1 << 4,
	MCR_ALL = 0x1f,

	LSR_DR = 1 << 0,
	LSR_OE = 1 << 1,
	LSR_THRE = 1 << 5,
	LSR_TEMT = 1 << 6,
	LSR_ERRORS = LSR_OE, /* a line that cannot be bad brings no others */

	MSR_TERI = 1 << 2,
	MSR_CTS = 1 << 4,
	MSR_DSR = 1 << 5,
	MSR_RI = 1 << 6,
	MSR_DCD = 1 << 7,
	MSR_CHANGES = 0xf,
	MSR_CHANGE_SHIFT = 4, /* from an input to the bit that says that it has changed */
	MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD, /* somebody listens, always */
};

#define DIVISOR_RESET 12u /* 9600 baud of a PC's clock */
#define FIFO_DEPTH 16u
#define RX_RING_BYTES 256u
#define OUT_BYTES 256u
#define OUT_DELAY_MS 20u

struct ns16550 {
	_Atomic uint32_t lsr; /* written under the lock, read without */
	struct axvm_lock lock;
	/* All below: under the lock. */
	uint32_t out_count; /* bytes in `out` */
	uint32_t out_limit; /* while out_count is below, sending is no more than appending */
	uint8_t ier;
	uint8_t fcr; /* enable and trigger level */
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	uint8_t divisor[2];
	bool has_tx_interrupt; /* to be told of; only while IER_TX */
	bool level;	       /* of the interrupt line */
	bool timer_runs;
	uint32_t rx_first; /* index into rx */
	uint32_t rx_count; /* in rx; the guest sees at most fifo_depth() of them */
	struct axvm_device *device;
	uint64_t out_delay_ticks;
	struct axvm_timer timer;
	uint8_t rx[RX_RING_BYTES];
	char out[OUT_BYTES];
};

static uint32_t get_lsr(const struct ns16550 *uart)
{
	return atomic_load_explicit(&uart->lsr, memory_order_relaxed);
}

/* ---- output ----------------------------------------------------------------------------- */

static void flush(struct ns16550 *uart)
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
static void update_out_limit(struct ns16550 *uart)
{
	bool is_plain = uart->timer_runs && !(uart->mcr & MCR_LOOP) && !(uart->lcr & LCR_DLAB) &&
			(!(uart->ier & IER_TX) || uart->has_tx_interrupt);

	uart->out_limit = is_plain ? OUT_BYTES - 1 : 0;
}

static void out_delay_expired(struct axvm_timer *timer)
{
	struct ns16550 *uart =
		(struct ns16550 *)(void *)((char *)timer - offsetof(struct ns16550, timer));

	axvm_lock_take(&uart->lock);
	uart->timer_runs = false;
	update_out_limit(uart);
	flush(uart);
	axvm_lock_drop(&uart->lock);
}

static void start_timer(struct ns16550 *uart)
{
	uart->timer_runs = true;
	axvm_hal_timer_start(&uart->timer, axvm_hal_time_ticks() + uart->out_delay_ticks);
}

/* ---- interrupts ----------------------------------------------------------------------------- */

static bool has_fifos(const struct ns16550 *uart)
{
	return (uart->fcr & FCR_ENABLE) != 0;
}

static uint32_t fifo_depth(const struct ns16550 *uart)
{
	return has_fifos(uart) ? FIFO_DEPTH : 1;
}

static uint32_t rx_trigger(const struct ns16550 *uart)
{
	static const uint8_t levels[4] = { 1, 4, 8, 14 };

	return has_fifos(uart) ? levels[uart->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/*
 * The best interrupt that is enabled, by priority [NS16550 8.5]. Nothing more comes for now, so fewer
 * characters than the trigger level have timed out as soon as they are there.
 */
static uint32_t interrupt(const struct ns16550 *uart)
{
	if (uart->ier & IER_LINE && get_lsr(uart) & LSR_ERRORS)
		return IIR_LINE;
	if (uart->ier & IER_RX && uart->rx_count > 0)
		return uart->rx_count >= rx_trigger(uart) ? IIR_RX : IIR_TIMEOUT;
	if (uart->ier & IER_TX && uart->has_tx_interrupt)
		return IIR_TX;
	if (uart->ier & IER_MODEM && uart->msr & MSR_CHANGES)
		return IIR_MODEM;
	return IIR_NONE;
}

/* After each change of what it looks at. */
static void update(struct ns16550 *uart)
{
	bool level = interrupt(uart) != IIR_NONE;

	update_out_limit(uart);
	if (level == uart->level)
		return;
	uart->level = level;
	(void)axvm_irq_set_level(uart->device->vm, uart->device->irq, level);
}

static void set_lsr_error(struct ns16550 *uart, uint32_t errors)
{
	uint32_t lsr = LSR_THRE | LSR_TEMT | errors | (uart->rx_count > 0 ? LSR_DR : 0u);

	atomic_store_explicit(&uart->lsr, lsr, memory_order_relaxed);
}

static void update_lsr(struct ns16550 *uart)
{
	set_lsr_error(uart, get_lsr(uart) & LSR_ERRORS);
}

/* In loopback the modem outputs drive the inputs; otherwise somebody is there and listens. */
static uint32_t modem_inputs(const struct ns16550 *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uart->mcr & MCR_RTS ? MSR_CTS : 0u) | (uart->mcr & MCR_DTR ? MSR_DSR : 0u) |
	       (uart->mcr & MCR_OUT1 ? MSR_RI : 0u) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0u);
}

/* Of the ring indicator only the trailing edge counts. */
static void update_modem(struct ns16550 *uart)
{
	uint32_t inputs = modem_inputs(uart);
	uint32_t changed = (uart->msr ^ inputs) & ~(uint32_t)MSR_CHANGES;

	if (inputs & MSR_RI)
		changed &= ~(uint32_t)MSR_RI;
	uart->msr = (uint8_t)(inputs | (uart->msr & MSR_CHANGES) | changed >> MSR_CHANGE_SHIFT);
}

/* ---- the receiver ------------------------------------------------------------------------- */

/* The room that is left is the caller's business. */
static void push(struct ns16550 *uart, uint8_t character)
{
	uart->rx[(uart->rx_first + uart->rx_count) % RX_RING_BYTES] = character;
	uart->rx_count++;
}

static void drop(struct ns16550 *uart, uint32_t count)
{
	uart->rx_first = (uart->rx_first + count) % RX_RING_BYTES;
	uart->rx_count -= count;
}

/* A FIFO keeps what it has; a single register takes the new one [NS16550 8.4]. */
static void receive_looped(struct ns16550 *uart, uint8_t character)
{
	bool is_full = uart->rx_count >= fifo_depth(uart);

	if (!is_full)
		push(uart, character);
	else if (!has_fifos(uart))
		uart->rx[uart->rx_first] = character;
	set_lsr_error(uart, (get_lsr(uart) & LSR_ERRORS) | (is_full ? LSR_OE : 0u));
}

static uint32_t pop(struct ns16550 *uart)
{
	if (uart->rx_count == 0)
		return 0;

	uint32_t character = uart->rx[uart->rx_first];

	drop(uart, 1);
	update_lsr(uart);
	update(uart);
	return character;
}

/* In loopback the line from outside is cut. */
static uint64_t ns16550_input(struct axvm_device *device, const char *data, uint64_t bytes)
{
	struct ns16550 *uart = device->state;
	uint64_t taken = 0;

	axvm_lock_take(&uart->lock);
	while (!(uart->mcr & MCR_LOOP) && taken < bytes && uart->rx_count < RX_RING_BYTES)
		push(uart, (uint8_t)data[taken++]);
	update_lsr(uart);
	update(uart);
	axvm_lock_drop(&uart->lock);
	return taken;
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint32_t read_iir(struct ns16550 *uart)
{
	uint32_t iir = interrupt(uart);

	if (iir == IIR_TX) {
		uart->has_tx_interrupt = false;
		update(uart);
	}
	return iir | (has_fifos(uart) ? IIR_FIFOS : 0u);
}

static uint32_t read_lsr(struct ns16550 *uart)
{
	uint32_t lsr = get_lsr(uart);

	set_lsr_error(uart, 0);
	update(uart);
	return lsr;
}

static uint32_t read_msr(struct ns16550 *uart)
{
	uint32_t msr = uart->msr;

	uart->msr &= (uint8_t)~MSR_CHANGES;
	update(uart);
	return msr;
}

static uint32_t read_register(struct ns16550 *uart, uint64_t offset)
{
	if (offset <= IER && uart->lcr & LCR_DLAB)
		return uart->divisor[offset];
	switch (offset) {
	case RBR:
		return pop(uart);
	case IER:
		return uart->ier;
	case IIR:
		return read_iir(uart);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return read_lsr(uart);
	case MSR:
		return read_msr(uart);
	default:
		return uart->scr;
	}
}

__attribute__((noinline)) static uint64_t read_other(struct ns16550 *uart, uint64_t offset)
{
	if (offset >= REGISTERS)
		return 0;
	axvm_lock_take(&uart->lock);
	uint32_t value = read_register(uart, offset);
	axvm_lock_drop(&uart->lock);
	return value;
}

/* One register, whatever the width: the data lines beyond a byte are not connected. */
static uint64_t ns16550_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			     unsigned bytes)
{
	struct ns16550 *uart = device->state;
	uint32_t lsr = get_lsr(uart);

	(void)vcpu;
	(void)bytes;
	return offset == LSR && !(lsr & LSR_ERRORS) ? lsr : read_other(uart, offset);
}

/* An empty transmitter says so as soon as it is asked to. */
static void write_ier(struct ns16550 *uart, uint32_t value)
{
	if ((value & IER_TX) && !(uart->ier & IER_TX))
		uart->has_tx_interrupt = true;
	uart->ier = value & IER_ALL;
}

/* The other bits are not looked at while the enable bit is not written with them. */
static void write_fcr(struct ns16550 *uart, uint32_t value)
{
	bool switches = ((value ^ uart->fcr) & FCR_ENABLE) != 0;
	uint32_t seen = uart->rx_count < fifo_depth(uart) ? uart->rx_count : fifo_depth(uart);

	if (switches || (value & (FCR_ENABLE | FCR_CLEAR_RX)) == (FCR_ENABLE | FCR_CLEAR_RX))
		drop(uart, seen);
	uart->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | 3u << FCR_TRIGGER_SHIFT) : 0;
	update_lsr(uart);
}

static void transmit(struct ns16550 *uart, char character)
{
	uart->has_tx_interrupt = (uart->ier & IER_TX) != 0;
	if (uart->mcr & MCR_LOOP) {
		receive_looped(uart, (uint8_t)character);
		return;
	}
	uart->out[uart->out_count++] = character;
	if (character == '\n' || uart->out_count == OUT_BYTES)
		flush(uart);
	else if (!uart->timer_runs)
		start_timer(uart);
}

static void write_register(struct ns16550 *uart, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case IER:
		write_ier(uart, value);
		break;
	case IIR:
		write_fcr(uart, value);
		break;
	case LCR:
		uart->lcr = (uint8_t)value;
		break;
	case MCR:
		uart->mcr = value & MCR_ALL;
		update_modem(uart);
		break;
	case SCR:
		uart->scr = (uint8_t)value;
		break;
	default: /* LSR and MSR: for the factory's tests */
		break;
	}
}

/* The lock is held, and dropped here: apart, so that appending needs no stack frame. */
__attribute__((noinline)) static void write_other(struct ns16550 *uart, uint64_t offset,
						  uint32_t value)
{
	bool has_divisor = (uart->lcr & LCR_DLAB) != 0;

	if (offset == RBR && !has_divisor) {
		transmit(uart, (char)value);
	} else if (offset < REGISTERS) {
		flush(uart);
		if (offset <= IER && has_divisor)
			uart->divisor[offset] = (uint8_t)value;
		else
			write_register(uart, offset, value);
	}
	update(uart);
	axvm_lock_drop(&uart->lock);
}

static void ns16550_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			  unsigned bytes, uint64_t value)
{
	struct ns16550 *uart = device->state;
	char character = (char)value;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&uart->lock);
	if (offset != RBR || character == '\n' || uart->out_count >= uart->out_limit) {
		write_other(uart, offset, (uint32_t)value);
		return;
	}
	uart->out[uart->out_count++] = character;
	axvm_lock_drop(&uart->lock);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void ns16550_destroy(struct axvm_device *device)
{
	struct ns16550 *uart = device->state;

	axvm_hal_timer_stop(&uart->timer);
	axvm_lock_take(&uart->lock);
	uart->timer_runs = false;
	update_out_limit(uart);
	flush(uart);
	axvm_lock_drop(&uart->lock);
}

static void ns16550_reset(struct axvm_device *device)
{
	struct ns16550 *uart = device->state;

	ns16550_destroy(device);
	axvm_lock_take(&uart->lock);
	uart->ier = 0;
	uart->fcr = 0;
	uart->lcr = 0;
	uart->mcr = 0;
	uart->msr = MSR_CONNECTED;
	uart->scr = 0;
	uart->divisor[0] = DIVISOR_RESET;
	uart->divisor[1] = 0;
	uart->has_tx_interrupt = false;
	uart->rx_first = 0;
	uart->rx_count = 0;
	set_lsr_error(uart, 0);
	update(uart);
	axvm_lock_drop(&uart->lock);
}

static int ns16550_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct ns16550 *uart = axvm_vm_alloc(device->vm, sizeof(*uart));

	if (!uart)
		return AXVM_ENOMEM;
	axvm_lock_init(&uart->lock, AXVM_LOCK_DEVICE);
	uart->device = device;
	uart->out_delay_ticks = axvm_hal_time_hz() / (1000 / OUT_DELAY_MS);
	uart->timer.expired = out_delay_expired;
	device->state = uart;
	device->irq = config->irq;
	int error = axvm_bus_attach(&device->vm->mmio, device, config->base.addr, config->bytes, 0);

	if (error == 0)
		ns16550_reset(device);
	return error;
}

const struct axvm_device_type axvm_dev_ns16550 = {
	.name = "ns16550",
	.emu_type = AXVM_EMU_NS16550,
	.create = ns16550_create,
	.reset = ns16550_reset,
	.destroy = ns16550_destroy,
	.read = ns16550_read,
	.write = ns16550_write,
	.input = ns16550_input,
};
