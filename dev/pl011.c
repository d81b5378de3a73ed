// SPDX-License-Identifier: Apache-2.0
/*
 * PL011 UART [PL011]. The transmitter sends at once, so its FIFO is always empty; the receiver
 * sees the front of a longer ring, so that what is pasted into a console is not lost.
 *
 * A guest's console is the hottest device of a boot: one FR read and one DR write a character.
 * A DR write only appends to `out`, which is handed on when a line ends, when it is full, when a
 * driver writes another register (as each does at the end of a burst), and at the latest when the
 * timer expires. Reads mostly do not come here: the registers live in a shadow page (shadow.h),
 * which the guest has mapped while reading has no side effect, that is, while the receiver is
 * empty. It can fill in two ways. For input from outside and for turning loopback on the page is
 * unmapped first, and the VM's lock held until it is done; without loopback nothing else fills
 * it, so whoever has found it empty under the VM's lock may map the page.
 */
#include <axvm/hal.h>
#include <axvm/irq.h>

#include "shadow.h"
#include "table.h"

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

/* For size: what is called from many places, and not for a character that is only appended. */
#define OUT_OF_LINE __attribute__((noinline))

struct pl011 {
	struct axvm_shadow shadow; /* every register but DR; written under the lock, read without */
	struct axvm_lock lock;
	/* All below: under the lock. */
	bool level; /* of the interrupt line */
	bool timer_runs;
	bool has_overrun;   /* the next character received carries DR.OE */
	uint32_t out_count; /* bytes in `out` */
	uint32_t out_limit; /* while out_count is below, sending is no more than appending */
	uint32_t rx_first;  /* index into rx */
	uint32_t rx_count;  /* in rx; the guest sees at most fifo_depth() of them */
	struct axvm_device *device;
	uint64_t out_delay_ticks;
	struct axvm_timer timer;
	uint16_t rx[RX_RING_BYTES]; /* DR images */
	char out[OUT_BYTES];
};

static inline uint32_t get(const struct pl011 *uart, enum pl011_register offset)
{
	return axvm_shadow_get(&uart->shadow, offset);
}

OUT_OF_LINE static void set(struct pl011 *uart, enum pl011_register offset, uint32_t value)
{
	axvm_shadow_set(&uart->shadow, offset, value);
}

static void raise_status(struct pl011 *uart, uint32_t bits)
{
	set(uart, RIS, get(uart, RIS) | bits);
}

static void clear_status(struct pl011 *uart, uint32_t bits)
{
	set(uart, RIS, get(uart, RIS) & ~bits);
}

/* ---- output ----------------------------------------------------------------------------- */

OUT_OF_LINE static void flush(struct pl011 *uart)
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
OUT_OF_LINE static void update_out_limit(struct pl011 *uart)
{
	bool is_plain = uart->timer_runs && !(get(uart, CR) & CR_LBE) &&
			!(get(uart, IMSC) & INT_TX) && get(uart, RIS) & INT_TX;

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

OUT_OF_LINE static void update_line(struct pl011 *uart)
{
	uint32_t masked = get(uart, RIS) & get(uart, IMSC);
	bool level = masked != 0;

	set(uart, MIS, masked);
	if (level == uart->level)
		return;
	uart->level = level;
	(void)axvm_irq_set_level(uart->device->vm, uart->device->irq, level);
}

static uint32_t fifo_depth(const struct pl011 *uart)
{
	return get(uart, LCR_H) & LCR_H_FEN ? FIFO_DEPTH : 1;
}

/* How many characters raise RXRIS: IFLS.RXIFLSEL in eighths of the FIFO. */
static uint32_t rx_trigger(const struct pl011 *uart)
{
	static const uint8_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	return get(uart, LCR_H) & LCR_H_FEN ? levels[(get(uart, IFLS) >> 3) & 7] : 1;
}

/* In loopback the modem outputs drive the inputs; otherwise nothing is connected to them. */
static uint32_t modem_flags(const struct pl011 *uart)
{
	if (!(get(uart, CR) & CR_LBE))
		return 0;
	return (get(uart, CR) & CR_RTS ? FR_CTS : 0u) | (get(uart, CR) & CR_DTR ? FR_DSR : 0u) |
	       (get(uart, CR) & CR_OUT1 ? FR_DCD : 0u) | (get(uart, CR) & CR_OUT2 ? FR_RI : 0u);
}

static void update_flags(struct pl011 *uart)
{
	uint32_t fr = FR_TXFE | modem_flags(uart);
	uint32_t changed = (get(uart, FR) ^ fr) & FR_MODEM;

	fr |= uart->rx_count == 0 ? FR_RXFE : 0u;
	fr |= uart->rx_count >= fifo_depth(uart) ? FR_RXFF : 0u;
	raise_status(uart, (changed & FR_CTS ? INT_CTS : 0u) | (changed & FR_DSR ? INT_DSR : 0u) |
				   (changed & FR_DCD ? INT_DCD : 0u) |
				   (changed & FR_RI ? INT_RI : 0u));
	set(uart, FR, fr);
}

/* ---- the receiver ------------------------------------------------------------------------- */

/* The room that is left is the caller's business. */
OUT_OF_LINE static void push(struct pl011 *uart, uint32_t image)
{
	if (uart->has_overrun)
		image |= DR_OE;
	uart->has_overrun = false;
	uart->rx[(uart->rx_first + uart->rx_count) % RX_RING_BYTES] = (uint16_t)image;
	uart->rx_count++;
	if (image & DR_BE)
		raise_status(uart, INT_BE);
	if (uart->rx_count >= rx_trigger(uart))
		raise_status(uart, INT_RX);
}

/* Nothing more comes for now: fewer than the trigger level time out at once. */
OUT_OF_LINE static void end_burst(struct pl011 *uart)
{
	if (uart->rx_count > 0 && uart->rx_count < rx_trigger(uart))
		raise_status(uart, INT_RT);
	update_flags(uart);
}

static void receive_looped(struct pl011 *uart, uint32_t image)
{
	if (uart->rx_count >= fifo_depth(uart)) {
		uart->has_overrun = true;
		set(uart, RSR, get(uart, RSR) | RSR_OE);
		raise_status(uart, INT_OE);
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
	set(uart, RSR, image >> DR_ERROR_SHIFT);
	if (uart->rx_count >= fifo_depth(uart))
		raise_status(uart, INT_RX); /* the next of the ring has moved up into the FIFO */
	else if (uart->rx_count < rx_trigger(uart))
		clear_status(uart, INT_RX);
	if (uart->rx_count == 0)
		clear_status(uart, INT_RT);
	end_burst(uart);
	update_line(uart);
	return image;
}

/* Whether it stays empty as long as the VM's lock is held, see above. */
static bool stays_empty(const struct pl011 *uart)
{
	return uart->rx_count == 0 && !(get(uart, CR) & CR_LBE);
}

/* Under the VM's lock only: its next taker may find it otherwise. */
OUT_OF_LINE static void map_when_empty(struct pl011 *uart)
{
	axvm_lock_take(&uart->lock);
	bool is_safe = stays_empty(uart);
	axvm_lock_drop(&uart->lock);

	if (is_safe)
		axvm_shadow_map(&uart->shadow);
}

static void receive(struct pl011 *uart, const char *data, uint64_t bytes, uint64_t *taken)
{
	axvm_lock_take(&uart->lock);
	while (*taken < bytes && uart->rx_count < RX_RING_BYTES)
		push(uart, (uint8_t)data[(*taken)++]);
	end_burst(uart);
	update_line(uart);
	axvm_lock_drop(&uart->lock);
}

static uint64_t pl011_input(struct axvm_device *device, const char *data, uint64_t bytes)
{
	struct pl011 *uart = device->state;
	uint64_t taken = 0;

	if (bytes == 0)
		return 0;
	axvm_lock_take(&device->vm->lock);
	axvm_shadow_unmap(&uart->shadow);
	receive(uart, data, bytes, &taken);
	axvm_lock_drop(&device->vm->lock);
	return taken;
}

/* ---- registers ------------------------------------------------------------------------------ */

static void write_identification(struct pl011 *uart)
{
	static const uint8_t bytes[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		axvm_shadow_set(&uart->shadow, ID_FIRST + 4 * i, bytes[i]);
}

/* RSR is DR's neighbour in a doubleword. */
OUT_OF_LINE static uint64_t read_data(struct pl011 *uart)
{
	struct axvm_lock *vm_lock = &uart->device->vm->lock;

	axvm_lock_take(&uart->lock);
	bool was_empty = uart->rx_count == 0;
	uint64_t value = pop(uart);
	bool is_safe = !was_empty && stays_empty(uart);

	value |= (uint64_t)get(uart, RSR) << 32;
	axvm_lock_drop(&uart->lock);
	if (is_safe) {
		axvm_lock_take(vm_lock);
		map_when_empty(uart);
		axvm_lock_drop(vm_lock);
	}
	return value;
}

/*
 * Memory, but for DR: a byte of a register is that byte, what is no register is zero. A read of
 * DR's upper bytes alone takes nothing out.
 */
static uint64_t pl011_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			   unsigned bytes)
{
	struct pl011 *uart = device->state;

	(void)vcpu;
	return offset == DR ? read_data(uart) : axvm_shadow_load(&uart->shadow, offset, bytes);
}

static void write_lcr_h(struct pl011 *uart, uint32_t value)
{
	bool begins_break = (value & ~get(uart, LCR_H) & LCR_H_BRK) != 0;

	set(uart, LCR_H, value & 0xff);
	if (begins_break && get(uart, CR) & CR_LBE)
		receive_looped(uart, DR_BE);
	end_burst(uart);
}

static void write_register(struct pl011 *uart, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case RSR:
		set(uart, RSR, 0);
		break;
	case ILPR:
		set(uart, ILPR, value & 0xff);
		break;
	case IBRD:
		set(uart, IBRD, value & 0xffff);
		break;
	case FBRD:
		set(uart, FBRD, value & 0x3f);
		break;
	case LCR_H:
		write_lcr_h(uart, value);
		break;
	case CR:
		set(uart, CR, value & 0xff87);
		update_flags(uart);
		break;
	case IFLS:
		set(uart, IFLS, value & 0x3f);
		end_burst(uart);
		break;
	case IMSC:
		set(uart, IMSC, value & INT_ALL);
		break;
	case ICR:
		clear_status(uart, value);
		break;
	case DMACR:
		set(uart, DMACR, value & 7);
		break;
	default:
		break;
	}
}

/* CR's enable bits are not looked at: a guest's first words come before it has set them. */
static void transmit(struct pl011 *uart, char character)
{
	raise_status(uart, INT_TX);
	if (get(uart, CR) & CR_LBE) {
		receive_looped(uart, (uint8_t)character);
		return;
	}
	uart->out[uart->out_count++] = character;
	if (character == '\n' || uart->out_count == OUT_BYTES)
		flush(uart);
	else if (!uart->timer_runs)
		start_timer(uart);
}

/*
 * What is sent is received from now on, or no longer. Another CPU may write CR at the same time:
 * whatever it was, it becomes `value`.
 */
static void switch_loopback(struct pl011 *uart, uint32_t value)
{
	struct axvm_lock *vm_lock = &uart->device->vm->lock;

	axvm_lock_take(vm_lock);
	if (value & CR_LBE)
		axvm_shadow_unmap(&uart->shadow);
	axvm_lock_take(&uart->lock);
	write_register(uart, CR, value);
	update_line(uart);
	update_out_limit(uart);
	axvm_lock_drop(&uart->lock);
	map_when_empty(uart);
	axvm_lock_drop(vm_lock);
}

/* The lock is held, and dropped here: apart, so that appending needs no stack frame. */
OUT_OF_LINE static void write_other(struct pl011 *uart, uint64_t offset, uint32_t value)
{
	bool switches = offset == CR && ((value ^ get(uart, CR)) & CR_LBE) != 0;

	if (offset == DR) {
		transmit(uart, (char)value);
	} else {
		flush(uart);
		if (!switches)
			write_register(uart, offset, value);
	}
	update_line(uart);
	update_out_limit(uart);
	axvm_lock_drop(&uart->lock);
	if (switches)
		switch_loopback(uart, value);
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

static void clear_registers(struct pl011 *uart)
{
	for (uint32_t offset = 0; offset <= DMACR; offset += 4)
		axvm_shadow_set(&uart->shadow, offset, 0);
	set(uart, CR, CR_TXE | CR_RXE);
	set(uart, IFLS, 0x12);
	set(uart, FR, FR_TXFE | FR_RXFE);
}

static void pl011_reset(struct axvm_device *device)
{
	struct pl011 *uart = device->state;

	pl011_destroy(device);
	axvm_lock_take(&device->vm->lock);
	axvm_lock_take(&uart->lock);
	clear_registers(uart);
	uart->rx_first = 0;
	uart->rx_count = 0;
	uart->has_overrun = false;
	update_out_limit(uart);
	update_line(uart);
	axvm_lock_drop(&uart->lock);
	map_when_empty(uart);
	axvm_lock_drop(&device->vm->lock);
}

static int pl011_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct pl011 *uart = axvm_vm_alloc(device->vm, sizeof(*uart));

	if (!uart || axvm_shadow_make(&uart->shadow, device->vm, config->base, config->bytes,
				      AXVM_PAGE_BYTES))
		return AXVM_ENOMEM;
	axvm_lock_init(&uart->lock, AXVM_LOCK_DEVICE);
	uart->device = device;
	uart->out_delay_ticks = axvm_hal_time_hz() / (1000 / OUT_DELAY_MS);
	uart->timer.expired = out_delay_expired;
	device->state = uart;
	device->irq = config->irq;
	write_identification(uart);
	int error = axvm_bus_attach(&device->vm->mmio, device, config->base.addr, config->bytes, 0);

	if (error == 0)
		pl011_reset(device);
	return error;
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
