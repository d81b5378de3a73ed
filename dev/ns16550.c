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
 *
 * A driver that polls LSR for each character is soon spared the exits: when it has read LSR some times
 * in a row, and no read of any register has a side effect, the guest has a page (shadow.h) with the
 * registers' values mapped in the device's place. Whatever would give a read an effect (input,
 * loopback, interrupts of the transmitter) has the page unmapped first. That a few exits come before
 * each mapping keeps a driver that works by interrupts from mapping and unmapping all the time.
 */
#include <axvm/hal.h>
#include <axvm/irq.h>

#include "ns16550_regs.h"
#include "shadow.h"
#include "table.h"

#define DIVISOR_RESET 12u /* 9600 baud of a PC's clock */
#define FIFO_DEPTH 16u
#define RX_RING_BYTES 256u
#define OUT_BYTES 256u
#define OUT_DELAY_MS 20u
#define POLLS 16u	       /* in a row, for the page to be mapped: about what mapping costs */
#define POLLS_NEVER UINT32_MAX /* not for long, at least */

struct ns16550 {
	_Atomic uint64_t lsr; /* written under the lock, read without */
	_Atomic uint32_t
		polls; /* reads of LSR that still exit; no lock: one lost does not matter */
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
	bool is_offered;   /* the page may be mapped: is_quiet() until take_back() */
	uint32_t rx_first; /* index into rx */
	uint32_t rx_count; /* in rx; the guest sees at most fifo_depth() of them */
	struct axvm_device *device;
	uint64_t out_delay_ticks;
	struct axvm_timer timer;
	struct axvm_shadow shadow; /* under the VM's lock; the words in its page: under this one */
	uint8_t rx[RX_RING_BYTES];
	char out[OUT_BYTES];
};

static uint32_t get_lsr(const struct ns16550 *uart)
{
	return (uint32_t)atomic_load_explicit(&uart->lsr, memory_order_relaxed);
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

/* ---- the page ------------------------------------------------------------------------------- */

/*
 * No read of any register has a side effect. While IER asks for interrupts of the transmitter this
 * is not so, for each character that is sent may raise one, which reading IIR takes back.
 */
static bool is_quiet(const struct ns16550 *uart)
{
	return uart->rx_count == 0 && !(uart->ier & IER_TX) && !(uart->mcr & MCR_LOOP) &&
	       !(uart->msr & MSR_CHANGES) && !(get_lsr(uart) & LSR_ERRORS);
}

/* What reads give, while that is quiet. */
static void fill_page(struct ns16550 *uart)
{
	bool has_divisor = (uart->lcr & LCR_DLAB) != 0;
	uint32_t rbr = has_divisor ? uart->divisor[RBR] : 0;
	uint32_t ier = has_divisor ? uart->divisor[IER] : uart->ier;
	uint32_t iir = IIR_NONE | (has_fifos(uart) ? IIR_FIFOS : 0u);

	axvm_shadow_set(&uart->shadow, RBR, rbr | ier << 8 | iir << 16 | (uint32_t)uart->lcr << 24);
	axvm_shadow_set(&uart->shadow, MCR,
			uart->mcr | get_lsr(uart) << 8 | (uint32_t)uart->msr << 16 |
				(uint32_t)uart->scr << 24);
}

static uint32_t get_polls(const struct ns16550 *uart)
{
	return atomic_load_explicit(&uart->polls, memory_order_relaxed);
}

static void set_polls(struct ns16550 *uart, uint32_t polls)
{
	atomic_store_explicit(&uart->polls, polls, memory_order_relaxed);
}

/* They count while it is quiet, and from the beginning each time. */
static void update_polls(struct ns16550 *uart)
{
	if (!is_quiet(uart))
		set_polls(uart, POLLS_NEVER);
	else if (get_polls(uart) > POLLS)
		set_polls(uart, POLLS);
}

/* The guest has read LSR often enough. What ends the quiet waits for the VM's lock, once it is offered. */
__attribute__((noinline)) static void offer(struct ns16550 *uart)
{
	struct axvm_lock *vm_lock = &uart->device->vm->lock;

	axvm_lock_take(vm_lock);
	axvm_lock_take(&uart->lock);
	bool quiet = is_quiet(uart);

	if (quiet) {
		uart->is_offered = true;
		fill_page(uart);
	}
	set_polls(uart, quiet ? POLLS : POLLS_NEVER); /* should mapping it fail */
	axvm_lock_drop(&uart->lock);
	if (quiet)
		axvm_shadow_map(&uart->shadow);
	axvm_lock_drop(vm_lock);
}

/* With the lock held, which is dropped on the way: the guest does not read the page any more. */
__attribute__((noinline)) static void take_back(struct ns16550 *uart)
{
	struct axvm_lock *vm_lock = &uart->device->vm->lock;

	axvm_lock_drop(&uart->lock);
	axvm_lock_take(vm_lock);
	axvm_shadow_unmap(&uart->shadow);
	axvm_lock_take(&uart->lock);
	uart->is_offered = false;
	axvm_lock_drop(vm_lock);
}

/* After each change of what it looks at. */
static void update(struct ns16550 *uart)
{
	bool level = interrupt(uart) != IIR_NONE;

	update_out_limit(uart);
	if (uart->is_offered)
		fill_page(uart);
	update_polls(uart);
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
	if (uart->is_offered && bytes > 0)
		take_back(uart);
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

/* A wide read is one of each register, in order: what the page gives is the same. */
__attribute__((noinline)) static uint64_t read_other(struct ns16550 *uart, uint64_t offset,
						     unsigned bytes)
{
	uint64_t value = 0;

	axvm_lock_take(&uart->lock);
	for (unsigned i = 0; i < bytes && offset + i < REGISTERS; i++)
		value |= (uint64_t)read_register(uart, offset + i) << 8 * i;
	axvm_lock_drop(&uart->lock);
	return value;
}

__attribute__((noinline)) static uint64_t read_offering(struct ns16550 *uart, uint64_t offset,
							unsigned bytes)
{
	offer(uart);
	return read_other(uart, offset, bytes);
}

static uint64_t ns16550_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			     unsigned bytes)
{
	struct ns16550 *uart = device->state;
	uint32_t polls = get_polls(uart);
	uint64_t lsr = atomic_load_explicit(&uart->lsr, memory_order_relaxed);

	(void)vcpu;
	if (offset != LSR || bytes != 1 || lsr & LSR_ERRORS)
		return read_other(uart, offset, bytes);
	if (polls == 0)
		return read_offering(uart, offset, bytes);
	set_polls(uart, polls - 1);
	return lsr;
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

static bool ends_quiet(const struct ns16550 *uart, uint64_t offset, uint32_t value)
{
	if (offset == IER && !(uart->lcr & LCR_DLAB))
		return (value & IER_TX) != 0;
	return offset == MCR && (value & MCR_LOOP) != 0;
}

/* The lock is held, and dropped here: apart, so that appending needs no stack frame. */
__attribute__((noinline)) static void write_other(struct ns16550 *uart, uint64_t offset,
						  uint32_t value)
{
	if (uart->is_offered && ends_quiet(uart, offset, value))
		take_back(uart);

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

int axvm_dev_ns16550_make(struct axvm_device *device, const struct axvm_config_emu *config,
			  struct axvm_bus *bus)
{
	struct ns16550 *uart = axvm_vm_alloc(device->vm, sizeof(*uart));
	uint64_t memory_bytes =
		bus == &device->vm->mmio ? config->bytes : 0; /* ports have no page */

	if (!uart ||
	    axvm_shadow_make(&uart->shadow, device->vm, config->base, memory_bytes, REGISTERS))
		return AXVM_ENOMEM;
	axvm_lock_init(&uart->lock, AXVM_LOCK_DEVICE);
	uart->device = device;
	uart->out_delay_ticks = axvm_hal_time_hz() / (1000 / OUT_DELAY_MS);
	uart->timer.expired = out_delay_expired;
	device->state = uart;
	device->irq = config->irq;
	int error = axvm_bus_attach(bus, device, config->base.addr, config->bytes, 0);

	if (error == 0)
		ns16550_reset(device);
	return error;
}

static int ns16550_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	return axvm_dev_ns16550_make(device, config, &device->vm->mmio);
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
