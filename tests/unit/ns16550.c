/* SPDX-License-Identifier: Apache-2.0 */
/* The NS16550A UART (dev/ns16550.c), register by register. [NS16550] */
#include <pthread.h>
#include <stdatomic.h>

#include "../../dev/table.h"
#include "device_vm.h"

enum {
	RBR = 0,
	IER = 1,
	IIR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
	REGISTERS = 8,

	IER_RX = 1,
	IER_TX = 2,
	IER_LINE = 4,
	IER_MODEM = 8,

	NONE = 1,
	TX = 2,
	RX = 4,
	LINE = 6,
	TIMEOUT = 0xc,
	FIFOS = 0xc0,

	DLAB = 0x80,
	LOOP = 0x10,
	EMPTY = 0x60, /* LSR */
	DR = 1,
	OE = 2,
	CONNECTED = 0xb0, /* MSR */
};

#define RING_BYTES 256u

static void begin(void)
{
	device_vm_reset();
	CHECK_EQ(device_make(&axvm_dev_ns16550), 0);
}

static uint32_t in(uint64_t offset)
{
	return (uint32_t)bus_read(DEVICE_BASE + offset, 1);
}

static void out(uint64_t offset, uint32_t value)
{
	bus_write(DEVICE_BASE + offset, 1, value);
}

static void send(const char *text)
{
	for (; *text != '\0'; text++)
		out(RBR, (unsigned char)*text);
}

static uint64_t input(const char *text)
{
	return axvm_dev_ns16550.input(&device, text, strlen(text));
}

static const char *console(void)
{
	return axvm_sim_console(&device_vm);
}

/* ---- registers ------------------------------------------------------------------------------ */

static const struct {
	uint32_t offset;
	uint32_t at_reset;
	uint32_t writable;
} registers[] = {
	{ IER, 0, 0x0f },  { IIR, NONE, 0 },	  { LCR, 0, 0x7f }, { MCR, 0, 0x0f },
	{ LSR, EMPTY, 0 }, { MSR, CONNECTED, 0 }, { SCR, 0, 0xff },
};
#define REGISTER_COUNT (sizeof(registers) / sizeof(registers[0]))

static void check_reset_values(void)
{
	for (unsigned i = 0; i < REGISTER_COUNT; i++)
		CHECK_EQ(in(registers[i].offset), registers[i].at_reset);
	CHECK_EQ(in(RBR), 0);
	out(LCR, DLAB);
	CHECK_EQ(in(0), 12);
	CHECK_EQ(in(1), 0);
	out(LCR, 0);
}

TEST(every_register_has_its_reset_value_and_its_writable_bits)
{
	begin();
	check_reset_values();
	for (unsigned i = 0; i < REGISTER_COUNT; i++) {
		if (registers[i].writable == 0)
			continue;
		out(registers[i].offset, registers[i].writable | (0xe0u & ~(uint32_t)DLAB));
		CHECK_EQ(in(registers[i].offset) & ~registers[i].writable & 0x1f, 0);
		out(registers[i].offset, registers[i].writable);
		CHECK_EQ(in(registers[i].offset), registers[i].writable);
		out(registers[i].offset, 0);
		CHECK_EQ(in(registers[i].offset), 0);
	}
	out(IER, 0xff);
	CHECK_EQ(in(IER), 0xf);
	out(MCR, 0xff);
	CHECK_EQ(in(MCR), 0x1f);
	device_end();
}

TEST(a_reset_brings_the_power_on_state_back)
{
	begin();
	out(IIR, 0xc1);
	out(SCR, 0x5a);
	out(MCR, 0xb);
	out(IER, 0xf);
	(void)input("typed");
	CHECK(irq_level);
	send("partial");
	out(LCR, DLAB);
	out(0, 1);
	out(LCR, DLAB | 3);
	axvm_dev_ns16550.reset(&device);
	check_reset_values();
	CHECK(!irq_level);
	CHECK_STR_EQ(console(), "partial");
	device_end();
}

TEST(the_divisor_stands_in_place_of_two_registers)
{
	begin();
	out(IER, IER_LINE);
	out(LCR, DLAB | 3);
	out(0, 0x34);
	out(1, 0x12);
	CHECK_EQ(in(0), 0x34);
	CHECK_EQ(in(1), 0x12);
	CHECK_EQ(in(LCR), DLAB | 3);
	out(LCR, 3);
	CHECK_EQ(in(IER), IER_LINE);
	CHECK_EQ(in(RBR), 0);
	CHECK_STR_EQ(console(), "");
	device_end();
}

TEST(a_driver_finds_a_16550a)
{
	begin();
	out(MCR, LOOP | 0xa); /* what Linux looks at first */
	CHECK_EQ(in(MSR)&0xf0, 0x90);
	out(MCR, 0);
	out(IIR, 1);
	CHECK_EQ(in(IIR), FIFOS | NONE);
	out(LCR, 0xbf); /* no enhanced registers */
	CHECK_EQ(in(IIR), FIFOS | NONE);
	out(LCR, DLAB);
	out(IIR, 0x21); /* no 64-byte FIFO */
	CHECK_EQ(in(IIR)&0x20, 0);
	out(LCR, 0);
	out(IIR, 0);
	CHECK_EQ(in(IIR), NONE);
	device_end();
}

/* Everything a guest can do to the registers: no crash, and what is no register is zero. */
TEST(holes_read_as_zero_in_each_width_and_take_nothing)
{
	begin();
	for (uint64_t offset = REGISTERS; offset < DEVICE_BYTES; offset++) {
		for (uint8_t bytes = 1; bytes <= 8 && offset + bytes <= DEVICE_BYTES; bytes *= 2) {
			bus_write(DEVICE_BASE + offset, bytes, UINT64_MAX);
			CHECK_EQ(bus_read(DEVICE_BASE + offset, bytes), 0);
		}
	}
	check_reset_values();
	device_end();
}

TEST(a_write_reaches_one_register_whatever_its_width_and_a_read_each_that_it_covers)
{
	begin();
	for (uint8_t bytes = 1; bytes <= 8; bytes *= 2) {
		bus_write(DEVICE_BASE + SCR, bytes, 0xffffff42);
		CHECK_EQ(bus_read(DEVICE_BASE + SCR, bytes), 0x42);
		CHECK_EQ(bus_read(DEVICE_BASE + LSR, bytes),
			 (EMPTY | CONNECTED << 8 | 0x42 << 16) & axvm_bus_mask(bytes));
		bus_write(DEVICE_BASE + RBR, bytes, 0xabcdef00 | 'x');
	}
	CHECK_EQ(in(IER), 0);
	bus_write(DEVICE_BASE + RBR, 8, 0xff0a);
	CHECK_STR_EQ(console(), "xxxx\n");
	device_end();
}

/* Each value to each register in each state: bounded, and the level follows IIR. */
TEST(each_value_in_each_register_is_survived)
{
	static const uint32_t modes[] = { 0, LOOP, 0x1f };

	begin();
	for (unsigned mode = 0; mode < 3; mode++) {
		for (uint32_t offset = 0; offset < REGISTERS; offset++) {
			for (uint32_t value = 0; value < 256; value++) {
				out(LCR, 0);
				out(MCR, modes[mode]);
				out(offset, value);
				out(RBR, value);
				(void)input("z");
				bool level = irq_level;

				CHECK_EQ((in(IIR)&NONE) == 0, level);
				for (uint32_t i = 0; i < REGISTERS; i++)
					CHECK_EQ(in(i) & ~0xffu, 0);
				out(LCR, 0);
				for (unsigned i = 0; i < 4 && !(in(IIR)&NONE); i++) {
					(void)in(LSR);
					(void)in(MSR);
					while (in(LSR)&DR)
						(void)in(RBR);
				}
				CHECK(!irq_level);
				axvm_dev_ns16550.reset(&device);
			}
		}
	}
	device_end();
}

/* ---- output --------------------------------------------------------------------------------- */

TEST(a_line_is_handed_on_when_it_ends)
{
	begin();
	send("one");
	CHECK_STR_EQ(console(), "");
	CHECK_EQ(in(LSR), EMPTY);
	send(" line\r\n");
	CHECK_STR_EQ(console(), "one line\r\n");
	device_end();
}

TEST(a_prompt_is_handed_on_after_twenty_milliseconds)
{
	begin();
	send("/ # ");
	axvm_sim_advance(axvm_hal_time_hz() / 1000 * 19);
	CHECK_STR_EQ(console(), "");
	axvm_sim_advance(axvm_hal_time_hz() / 1000 * 2);
	CHECK_STR_EQ(console(), "/ # ");
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	send("again");
	axvm_sim_advance(axvm_hal_time_hz());
	CHECK_STR_EQ(console(), "/ # again");
	device_end();
}

TEST(a_driver_that_ends_its_burst_is_heard_at_once)
{
	static const uint32_t ends[] = { IER, LCR, MCR, SCR };

	begin();
	for (unsigned i = 0; i < 4; i++) {
		send("x");
		out(ends[i], 0);
		CHECK_EQ(strlen(console()), i + 1);
	}
	device_end();
}

TEST(a_text_without_line_ends_is_handed_on_in_pieces_and_complete)
{
	char sent[1001];

	begin();
	for (unsigned i = 0; i < 1000; i++)
		sent[i] = (char)('a' + i % 26);
	sent[1000] = '\0';
	send(sent);
	CHECK(strlen(console()) >= 1000 - 256);
	device_end(); /* destroying it hands on the rest */
	CHECK_STR_EQ(console(), sent);
}

TEST(each_byte_value_is_sent_as_it_is)
{
	begin();
	for (uint32_t c = 1; c < 256; c++)
		out(RBR, c);
	out(IER, 0);
	for (uint32_t c = 1; c < 256; c++)
		CHECK_EQ((unsigned char)console()[c - 1], c);
	device_end();
}

/* As Linux's driver does it: enable, be told, read IIR, send 16, be told again; disable. */
TEST(an_empty_transmitter_interrupts_once_for_each_time_it_is_asked_or_written)
{
	begin();
	out(IIR, 1);
	CHECK(!irq_level);
	out(IER, IER_TX);
	CHECK(irq_level);
	for (unsigned burst = 0; burst < 3; burst++) {
		CHECK_EQ(in(IIR), FIFOS | TX);
		CHECK(!irq_level);
		CHECK_EQ(in(IIR), FIFOS | NONE);
		send("0123456789abcdef");
		CHECK(irq_level);
	}
	out(IER, 0);
	CHECK(!irq_level);
	send("x");
	CHECK(!irq_level);
	out(IER, IER_TX);
	out(IER, IER_TX); /* asked once */
	CHECK_EQ(in(IIR), FIFOS | TX);
	out(IER, IER_TX | IER_LINE);
	CHECK_EQ(in(IIR), FIFOS | NONE);
	CHECK(!irq_level);
	device_end();
}

TEST(the_interrupt_line_is_only_touched_when_it_changes)
{
	begin();
	out(IER, IER_TX);
	for (unsigned i = 0; i < 100; i++)
		out(RBR, 'x');
	CHECK_EQ(irq_changes, 1);
	device_end();
}

/* ---- input ---------------------------------------------------------------------------------- */

TEST(what_comes_in_is_read_in_order)
{
	begin();
	CHECK_EQ(input("ab\xff"), 3);
	CHECK_EQ(in(LSR), EMPTY | DR);
	CHECK_EQ(in(RBR), 'a');
	CHECK_EQ(in(RBR), 'b');
	CHECK_EQ(in(LSR), EMPTY | DR);
	CHECK_EQ(in(RBR), 0xff);
	CHECK_EQ(in(LSR), EMPTY);
	CHECK_EQ(in(RBR), 0);
	CHECK_EQ(axvm_dev_ns16550.input(&device, "", 0), 0);
	device_end();
}

TEST(without_fifos_one_character_interrupts)
{
	begin();
	out(IER, IER_RX);
	(void)input("ab");
	CHECK(irq_level);
	CHECK_EQ(in(IIR), RX);
	(void)in(RBR);
	CHECK(irq_level); /* the second one has moved up */
	(void)in(RBR);
	CHECK(!irq_level);
	CHECK_EQ(in(IIR), NONE);
	device_end();
}

TEST(the_receiver_interrupts_at_each_trigger_level_and_below_it_by_the_time_out)
{
	static const uint32_t levels[4] = { 1, 4, 8, 14 };

	for (uint32_t select = 0; select < 4; select++) {
		begin();
		out(IIR, 1 | select << 6);
		out(IER, IER_RX);
		for (uint32_t i = 1; i < levels[select]; i++) {
			CHECK_EQ(input("x"), 1);
			CHECK_EQ(in(IIR), FIFOS | TIMEOUT);
		}
		CHECK_EQ(input("x"), 1);
		CHECK_EQ(in(IIR), FIFOS | RX);
		(void)in(RBR);
		CHECK_EQ(in(IIR), FIFOS | (levels[select] > 1 ? TIMEOUT : NONE));
		CHECK_EQ(irq_level, levels[select] > 1);
		for (uint32_t i = 1; i < levels[select]; i++)
			(void)in(RBR);
		CHECK_EQ(in(IIR), FIFOS | NONE);
		CHECK(!irq_level);
		device_end();
	}
}

TEST(a_driver_reads_a_pasted_text_without_a_loss)
{
	char text[RING_BYTES + 1];
	uint32_t got = 0;

	begin();
	for (uint32_t i = 0; i < RING_BYTES; i++)
		text[i] = (char)('0' + i % 64);
	text[RING_BYTES] = '\0';
	out(IIR, 0x81);
	out(IER, IER_RX);
	CHECK_EQ(input(text), RING_BYTES);
	CHECK_EQ(input("more"), 0);
	CHECK_EQ(in(LSR)&OE, 0);
	while (irq_level && got <= RING_BYTES) {
		CHECK_EQ(in(IIR)&NONE, 0);
		for (uint32_t i = 0; i < 16 && in(LSR)&DR; i++)
			CHECK_EQ(in(RBR), (unsigned char)text[got++]);
	}
	CHECK_EQ(got, RING_BYTES);
	CHECK_EQ(in(LSR), EMPTY);
	CHECK_EQ(input("more"), 4);
	device_end();
}

/* What waits behind the FIFO has not been received yet, as far as the guest can tell. */
TEST(clearing_the_fifo_drops_what_is_in_it_and_no_more)
{
	begin();
	out(IIR, 1);
	(void)input("0123456789abcdefgh");
	out(IIR, 2); /* without the enable bit: FIFOs off, which clears them too */
	CHECK_EQ(in(RBR), 'g');
	CHECK_EQ(in(IIR), NONE);
	out(IIR, 1); /* on: clears the single register */
	CHECK_EQ(in(LSR), EMPTY);
	(void)input("xyz");
	out(IIR, 1);
	CHECK_EQ(in(RBR), 'x');
	out(IIR, 5); /* the transmitter's alone */
	CHECK_EQ(in(RBR), 'y');
	out(IIR, 3);
	CHECK_EQ(in(LSR), EMPTY);
	CHECK_EQ(in(IIR), FIFOS | NONE);
	device_end();
}

/* ---- priorities, loopback, modem ------------------------------------------------------------- */

TEST(the_worst_interrupt_is_told_first)
{
	begin();
	out(IER, 0xf);
	out(MCR, LOOP);
	out(RBR, 'a');
	out(RBR, 'b'); /* overruns the single register */
	CHECK_EQ(in(IIR), LINE);
	CHECK_EQ(in(LSR), EMPTY | DR | OE);
	CHECK_EQ(in(LSR), EMPTY | DR);
	CHECK_EQ(in(IIR), RX);
	CHECK_EQ(in(RBR), 'b');
	CHECK_EQ(in(IIR), TX);
	CHECK_EQ(in(IIR), 0); /* the modem lines fell with loopback */
	CHECK(irq_level);
	CHECK_EQ(in(MSR), 0xb);
	CHECK_EQ(in(MSR), 0);
	CHECK_EQ(in(IIR), NONE);
	CHECK(!irq_level);
	device_end();
}

TEST(in_loopback_nothing_leaves_or_comes_and_what_is_sent_is_received)
{
	begin();
	out(IIR, 1);
	out(MCR, LOOP);
	out(RBR, 'x');
	CHECK_EQ(input("from outside"), 0);
	CHECK_EQ(in(RBR), 'x');
	CHECK_EQ(in(LSR), EMPTY);
	out(MCR, 0);
	CHECK_STR_EQ(console(), "");
	CHECK_EQ(input("o"), 1);
	device_end();
}

TEST(a_full_fifo_keeps_what_it_has_and_tells_of_the_loss)
{
	begin();
	out(IIR, 1);
	out(MCR, LOOP);
	out(IER, IER_LINE);
	for (unsigned i = 0; i < 16; i++)
		out(RBR, 'a' + i);
	CHECK(!irq_level);
	out(RBR, 'z'); /* lost */
	CHECK(irq_level);
	CHECK_EQ(in(LSR), EMPTY | DR | OE);
	CHECK(!irq_level);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(in(RBR), 'a' + i);
	CHECK_EQ(in(LSR), EMPTY);
	device_end();
}

TEST(modem_outputs_drive_the_inputs_in_loopback)
{
	static const struct {
		uint32_t mcr, msr;
	} lines[] = { { 2, 0x10 }, { 1, 0x20 }, { 4, 0x40 }, { 8, 0x80 } };

	begin();
	out(MCR, LOOP);
	(void)in(MSR);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t change = lines[i].msr >> 4;
		bool is_ring = lines[i].msr == 0x40;

		out(MCR, LOOP | lines[i].mcr);
		CHECK_EQ(in(MSR), lines[i].msr | (is_ring ? 0 : change));
		CHECK_EQ(in(MSR), lines[i].msr);
		out(MCR, LOOP);
		CHECK_EQ(in(MSR), change); /* of the ring indicator this edge counts */
	}
	out(MCR, 0);
	CHECK_EQ(in(MSR), CONNECTED | 0xb);
	device_end();
}

/* ---- two at once, failure -------------------------------------------------------------------- */

static _Atomic bool done;

static void *type_forever(void *argument)
{
	(void)argument;
	while (!atomic_load(&done))
		(void)input("abc");
	return NULL;
}

/* Under the thread sanitizer's eyes or not: what is counted stays within bounds, and it ends. */
TEST(input_from_another_cpu_disturbs_neither_registers_nor_resets)
{
	pthread_t typist;

	begin();
	atomic_store(&done, false);
	REQUIRE_EQ(pthread_create(&typist, NULL, type_forever, NULL), 0);
	for (unsigned i = 0; i < 3000; i++) {
		out(IIR, i & 0xff);
		out(IER, i & 0xf);
		out(MCR, i & 0x1f);
		out(RBR, 'a' + i % 26);
		for (uint32_t k = 0; k < REGISTERS; k++)
			CHECK_EQ(in(k) & ~0xffu, 0);
		if (i % 64 == 0)
			axvm_dev_ns16550.reset(&device);
	}
	atomic_store(&done, true);
	REQUIRE_EQ(pthread_join(typist, NULL), 0);
	axvm_dev_ns16550.reset(&device);
	check_reset_values();
	CHECK(!irq_level);
	device_end();
}

TEST(without_memory_or_place_on_the_bus_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(device_make(&axvm_dev_ns16550), AXVM_ENOMEM);
	CHECK_EQ(device_vm.mmio.count, 0);

	begin();
	CHECK_EQ(device_make(&axvm_dev_ns16550), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(every_register_has_its_reset_value_and_its_writable_bits,
	    a_reset_brings_the_power_on_state_back, the_divisor_stands_in_place_of_two_registers,
	    a_driver_finds_a_16550a, holes_read_as_zero_in_each_width_and_take_nothing,
	    a_write_reaches_one_register_whatever_its_width_and_a_read_each_that_it_covers,
	    each_value_in_each_register_is_survived, a_line_is_handed_on_when_it_ends,
	    a_prompt_is_handed_on_after_twenty_milliseconds,
	    a_driver_that_ends_its_burst_is_heard_at_once,
	    a_text_without_line_ends_is_handed_on_in_pieces_and_complete,
	    each_byte_value_is_sent_as_it_is,
	    an_empty_transmitter_interrupts_once_for_each_time_it_is_asked_or_written,
	    the_interrupt_line_is_only_touched_when_it_changes, what_comes_in_is_read_in_order,
	    without_fifos_one_character_interrupts,
	    the_receiver_interrupts_at_each_trigger_level_and_below_it_by_the_time_out,
	    a_driver_reads_a_pasted_text_without_a_loss,
	    clearing_the_fifo_drops_what_is_in_it_and_no_more, the_worst_interrupt_is_told_first,
	    in_loopback_nothing_leaves_or_comes_and_what_is_sent_is_received,
	    a_full_fifo_keeps_what_it_has_and_tells_of_the_loss,
	    modem_outputs_drive_the_inputs_in_loopback,
	    input_from_another_cpu_disturbs_neither_registers_nor_resets,
	    without_memory_or_place_on_the_bus_it_is_not_made)
