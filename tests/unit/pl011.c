/* SPDX-License-Identifier: Apache-2.0 */
/* The PL011 UART (dev/pl011.c), register by register. [PL011] */
#include "../../dev/table.h"
#include "device_vm.h"

enum {
	DR = 0x000,
	RSR = 0x004,
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

	FR_CTS = 1 << 0,
	FR_DSR = 1 << 1,
	FR_DCD = 1 << 2,
	FR_BUSY = 1 << 3,
	FR_RXFE = 1 << 4,
	FR_TXFF = 1 << 5,
	FR_RXFF = 1 << 6,
	FR_TXFE = 1 << 7,
	FR_RI = 1 << 8,

	INT_MODEM = 0xf,
	INT_RX = 1 << 4,
	INT_TX = 1 << 5,
	INT_RT = 1 << 6,
	INT_BE = 1 << 9,
	INT_OE = 1 << 10,

	FEN = 1 << 4,
	LBE = 1 << 7,
};

#define RING_BYTES 256u

static void begin(void)
{
	device_vm_reset();
	CHECK_EQ(device_make(&axvm_dev_pl011), 0);
}

static void send(const char *text)
{
	for (; *text != '\0'; text++)
		reg_write(DR, (unsigned char)*text);
}

static uint64_t input(const char *text)
{
	return axvm_dev_pl011.input(&device, text, strlen(text));
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
	{ RSR, 0, 0 },	       { FR, FR_TXFE | FR_RXFE, 0 },
	{ ILPR, 0, 0xff },     { IBRD, 0, 0xffff },
	{ FBRD, 0, 0x3f },     { LCR_H, 0, 0xff },
	{ IFLS, 0x12, 0x3f },  { IMSC, 0, 0x7ff },
	{ RIS, 0, 0 },	       { MIS, 0, 0 },
	{ ICR, 0, 0 },	       { DMACR, 0, 7 },
	{ CR, 0x300, 0xff87 },
};
#define REGISTER_COUNT (sizeof(registers) / sizeof(registers[0]))

static void check_reset_values(void)
{
	for (unsigned i = 0; i < REGISTER_COUNT; i++)
		CHECK_EQ(reg_read(registers[i].offset), registers[i].at_reset);
	CHECK_EQ(reg_read(DR), 0);
}

TEST(every_register_has_its_reset_value_and_its_writable_bits)
{
	begin();
	check_reset_values();
	for (unsigned i = 0; i < REGISTER_COUNT; i++) {
		if (registers[i].writable == 0)
			continue;
		reg_write(registers[i].offset, UINT32_MAX);
		CHECK_EQ(reg_read(registers[i].offset), registers[i].writable);
		reg_write(registers[i].offset, 0);
		CHECK_EQ(reg_read(registers[i].offset), 0);
	}
	device_end();
}

TEST(a_reset_brings_the_power_on_state_back)
{
	begin();
	for (unsigned i = 0; i < REGISTER_COUNT; i++)
		reg_write(registers[i].offset, UINT32_MAX & ~(uint32_t)LBE);
	(void)input("typed");
	CHECK(irq_level);
	send("partial");
	axvm_dev_pl011.reset(&device);
	check_reset_values();
	CHECK(!irq_level);
	CHECK_STR_EQ(console(), "partial");
	device_end();
}

TEST(it_is_identified_as_an_arm_pl011_r1p4)
{
	static const uint8_t id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	begin();
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(reg_read(0xfe0 + 4 * i), id[i]);
	CHECK_EQ(bus_read(DEVICE_BASE + 0xfe1, 1), 0);
	CHECK_EQ(bus_read(DEVICE_BASE + 0xff8, 8), 0xb100000005);
	device_end();
}

/* Everything a guest can do to the registers: no crash, and what is no register is zero. */
TEST(holes_read_as_zero_and_odd_writes_are_ignored)
{
	begin();
	for (uint64_t offset = 0; offset < DEVICE_BYTES; offset++) {
		bool is_hole = offset / 4 * 4 > DMACR && offset < 0xfe0;

		for (uint8_t bytes = 1; bytes <= 8 && offset + bytes <= DEVICE_BYTES; bytes *= 2) {
			uint64_t before = bus_read(DEVICE_BASE + offset, bytes);

			if (offset % 4 == 0)
				continue;
			bus_write(DEVICE_BASE + offset, bytes, UINT64_MAX);
			CHECK_EQ(bus_read(DEVICE_BASE + offset, bytes), before);
			if (is_hole && offset + bytes <= 0xfe0)
				CHECK_EQ(before, 0);
		}
	}
	check_reset_values();
	device_end();
}

TEST(registers_can_be_read_in_each_width)
{
	begin();
	reg_write(IBRD, 0x1234);
	CHECK_EQ(bus_read(DEVICE_BASE + IBRD, 1), 0x34);
	CHECK_EQ(bus_read(DEVICE_BASE + IBRD, 2), 0x1234);
	CHECK_EQ(bus_read(DEVICE_BASE + IBRD + 1, 1), 0x12);
	reg_write(FBRD, 0x2a);
	CHECK_EQ(bus_read(DEVICE_BASE + IBRD, 8), 0x2a00001234);
	bus_write(DEVICE_BASE + DR, 1, 'x');
	bus_write(DEVICE_BASE + DR, 2, 'y');
	bus_write(DEVICE_BASE + DR, 8, '\n');
	CHECK_STR_EQ(console(), "xy\n");
	device_end();
}

/* ---- output --------------------------------------------------------------------------------- */

TEST(a_line_is_handed_on_when_it_ends)
{
	begin();
	send("one");
	CHECK_STR_EQ(console(), "");
	CHECK_EQ(reg_read(FR) & (FR_BUSY | FR_TXFF), 0);
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
	static const uint32_t ends[] = { IMSC, CR, ICR, LCR_H };

	begin();
	for (unsigned i = 0; i < 4; i++) {
		send("x");
		reg_write(ends[i], 0);
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
		reg_write(DR, 0xabcdef00 | c);
	reg_write(IMSC, 0);
	for (uint32_t c = 1; c < 256; c++)
		CHECK_EQ((unsigned char)console()[c - 1], c);
	device_end();
}

TEST(sending_raises_the_transmit_interrupt_when_it_is_unmasked)
{
	begin();
	reg_write(IMSC, INT_TX);
	CHECK(!irq_level);
	reg_write(DR, 'x');
	CHECK_EQ(reg_read(RIS), INT_TX);
	CHECK_EQ(reg_read(MIS), INT_TX);
	CHECK(irq_level);
	reg_write(ICR, INT_TX);
	CHECK(!irq_level);
	reg_write(IMSC, 0);
	reg_write(DR, 'y');
	CHECK_EQ(reg_read(RIS), INT_TX);
	CHECK_EQ(reg_read(MIS), 0);
	CHECK(!irq_level);
	reg_write(IMSC, INT_TX);
	CHECK(irq_level);
	device_end();
}

/* ---- input ---------------------------------------------------------------------------------- */

TEST(what_comes_in_is_read_in_order)
{
	begin();
	CHECK_EQ(input("ab\xff"), 3);
	CHECK_EQ(reg_read(FR) & FR_RXFE, 0);
	CHECK_EQ(reg_read(DR), 'a');
	CHECK_EQ(reg_read(DR), 'b');
	CHECK_EQ(reg_read(FR) & FR_RXFE, 0);
	CHECK_EQ(reg_read(DR), 0xff);
	CHECK_EQ(reg_read(FR) & FR_RXFE, FR_RXFE);
	CHECK_EQ(reg_read(DR), 0);
	device_end();
}

TEST(without_the_fifo_one_character_raises_the_receive_interrupt)
{
	begin();
	reg_write(IMSC, INT_RX);
	(void)input("ab");
	CHECK(irq_level);
	CHECK_EQ(reg_read(FR) & FR_RXFF, FR_RXFF);
	reg_write(ICR, INT_RX);
	CHECK(!irq_level);
	(void)reg_read(DR); /* the second one moves up */
	CHECK(irq_level);
	(void)reg_read(DR);
	CHECK(!irq_level);
	device_end();
}

TEST(the_receive_interrupt_comes_at_each_trigger_level)
{
	static const uint32_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	for (uint32_t select = 0; select < 8; select++) {
		begin();
		reg_write(LCR_H, FEN);
		reg_write(IFLS, select << 3);
		reg_write(IMSC, INT_RX);
		for (uint32_t i = 1; i <= levels[select]; i++) {
			CHECK(!irq_level);
			CHECK_EQ(input("x"), 1);
		}
		CHECK(irq_level);
		(void)reg_read(DR);
		CHECK(!irq_level);
		device_end();
	}
}

TEST(fewer_than_the_trigger_level_time_out)
{
	begin();
	reg_write(LCR_H, FEN);
	reg_write(IMSC, INT_RT);
	(void)input("x");
	CHECK_EQ(reg_read(RIS), INT_RT);
	CHECK(irq_level);
	reg_write(ICR, INT_RT);
	CHECK(!irq_level);
	(void)input("y");
	CHECK(irq_level);
	(void)reg_read(DR);
	CHECK(irq_level);
	(void)reg_read(DR);
	CHECK(!irq_level);
	CHECK_EQ(reg_read(RIS), 0);
	device_end();
}

/* As Linux's driver does it: until the line falls, clear and read until the FIFO is empty. */
TEST(a_driver_reads_a_pasted_text_without_a_loss)
{
	char text[RING_BYTES + 1];
	uint32_t got = 0;

	begin();
	for (uint32_t i = 0; i < RING_BYTES; i++)
		text[i] = (char)('0' + i % 64);
	text[RING_BYTES] = '\0';
	reg_write(LCR_H, FEN);
	reg_write(IMSC, INT_RX | INT_RT);
	CHECK_EQ(input(text), RING_BYTES);
	CHECK_EQ(input("more"), 0);
	CHECK_EQ(reg_read(RIS) & INT_OE, 0);
	while (irq_level && got <= RING_BYTES) {
		reg_write(ICR, reg_read(MIS));
		for (uint32_t i = 0; i < 16 && !(reg_read(FR) & FR_RXFE); i++)
			CHECK_EQ(reg_read(DR), (unsigned char)text[got++]);
	}
	CHECK_EQ(got, RING_BYTES);
	CHECK_EQ(reg_read(FR) & FR_RXFE, FR_RXFE);
	CHECK_EQ(input("more"), 4);
	device_end();
}

TEST(the_fifo_is_full_at_sixteen_and_without_it_at_one)
{
	begin();
	reg_write(LCR_H, FEN);
	(void)input("fifteen chars..");
	CHECK_EQ(reg_read(FR) & FR_RXFF, 0);
	(void)input("!");
	CHECK_EQ(reg_read(FR) & FR_RXFF, FR_RXFF);
	(void)reg_read(DR);
	CHECK_EQ(reg_read(FR) & FR_RXFF, 0);
	reg_write(LCR_H, 0);
	CHECK_EQ(reg_read(FR) & FR_RXFF, FR_RXFF);
	device_end();
}

TEST(a_lowered_trigger_level_is_noticed_with_the_next_character)
{
	begin();
	reg_write(LCR_H, FEN);
	reg_write(IFLS, 4 << 3);
	(void)input("abcd");
	CHECK_EQ(reg_read(RIS) & INT_RX, 0);
	reg_write(IFLS, 0);
	(void)input("e");
	CHECK_EQ(reg_read(RIS) & INT_RX, INT_RX);
	device_end();
}

/* ---- loopback ------------------------------------------------------------------------------- */

TEST(in_loopback_nothing_leaves_and_what_is_sent_is_received)
{
	begin();
	reg_write(CR, 0x300 | LBE);
	reg_write(DR, 'x');
	CHECK_EQ(reg_read(DR), 'x');
	CHECK_EQ(reg_read(FR) & FR_RXFE, FR_RXFE);
	reg_write(IMSC, 0);
	CHECK_STR_EQ(console(), "");
	device_end();
}

TEST(an_overrun_is_reported_in_each_place)
{
	begin();
	reg_write(LCR_H, FEN);
	reg_write(CR, 0x300 | LBE);
	reg_write(IMSC, INT_OE);
	for (unsigned i = 0; i < 16; i++)
		reg_write(DR, 'a' + i);
	CHECK(!irq_level);
	reg_write(DR, 'z'); /* lost */
	CHECK(irq_level);
	CHECK_EQ(reg_read(RSR), 8);
	reg_write(ICR, INT_OE);
	CHECK(!irq_level);
	CHECK_EQ(reg_read(DR), 'a');
	reg_write(DR, 'q');
	for (unsigned i = 1; i < 16; i++)
		CHECK_EQ(reg_read(DR), 'a' + i);
	CHECK_EQ(reg_read(DR), 'q' | 1 << 11);
	CHECK_EQ(reg_read(RSR), 8);
	reg_write(RSR, 0);
	CHECK_EQ(reg_read(RSR), 0);
	device_end();
}

TEST(a_break_is_received_in_loopback)
{
	begin();
	reg_write(CR, 0x300 | LBE);
	reg_write(IMSC, INT_BE);
	reg_write(LCR_H, 1);
	CHECK(irq_level);
	reg_write(LCR_H, 1); /* goes on, no second one */
	CHECK_EQ(reg_read(DR), 1 << 10);
	CHECK_EQ(reg_read(FR) & FR_RXFE, FR_RXFE);
	CHECK_EQ(reg_read(RSR), 4);
	device_end();
}

TEST(modem_outputs_drive_the_inputs_in_loopback)
{
	static const struct {
		uint32_t cr, fr, ris;
	} lines[] = {
		{ 1 << 11, FR_CTS, 1 << 1 },
		{ 1 << 10, FR_DSR, 1 << 3 },
		{ 1 << 12, FR_DCD, 1 << 2 },
		{ 1 << 13, FR_RI, 1 << 0 },
	};

	begin();
	for (unsigned i = 0; i < 4; i++) {
		reg_write(ICR, INT_MODEM);
		reg_write(CR, lines[i].cr); /* not looped: not connected */
		CHECK_EQ(reg_read(FR), FR_TXFE | FR_RXFE);
		CHECK_EQ(reg_read(RIS), 0);
		reg_write(CR, lines[i].cr | LBE);
		CHECK_EQ(reg_read(FR), FR_TXFE | FR_RXFE | lines[i].fr);
		CHECK_EQ(reg_read(RIS), lines[i].ris);
		reg_write(CR, 0);
		reg_write(ICR, INT_MODEM);
	}
	device_end();
}

/* ---- cost and failure ----------------------------------------------------------------------- */

TEST(the_interrupt_line_is_only_touched_when_it_changes)
{
	begin();
	reg_write(IMSC, INT_TX);
	for (unsigned i = 0; i < 100; i++)
		reg_write(DR, 'x');
	CHECK_EQ(irq_changes, 1);
	device_end();
}

TEST(without_memory_or_place_on_the_bus_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(device_make(&axvm_dev_pl011), AXVM_ENOMEM);
	CHECK_EQ(device_vm.mmio.count, 0);

	begin();
	CHECK_EQ(device_make(&axvm_dev_pl011), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(every_register_has_its_reset_value_and_its_writable_bits,
	    a_reset_brings_the_power_on_state_back, it_is_identified_as_an_arm_pl011_r1p4,
	    holes_read_as_zero_and_odd_writes_are_ignored, registers_can_be_read_in_each_width,
	    a_line_is_handed_on_when_it_ends, a_prompt_is_handed_on_after_twenty_milliseconds,
	    a_driver_that_ends_its_burst_is_heard_at_once,
	    a_text_without_line_ends_is_handed_on_in_pieces_and_complete,
	    each_byte_value_is_sent_as_it_is,
	    sending_raises_the_transmit_interrupt_when_it_is_unmasked,
	    what_comes_in_is_read_in_order,
	    without_the_fifo_one_character_raises_the_receive_interrupt,
	    the_receive_interrupt_comes_at_each_trigger_level,
	    fewer_than_the_trigger_level_time_out, a_driver_reads_a_pasted_text_without_a_loss,
	    the_fifo_is_full_at_sixteen_and_without_it_at_one,
	    a_lowered_trigger_level_is_noticed_with_the_next_character,
	    in_loopback_nothing_leaves_and_what_is_sent_is_received,
	    an_overrun_is_reported_in_each_place, a_break_is_received_in_loopback,
	    modem_outputs_drive_the_inputs_in_loopback,
	    the_interrupt_line_is_only_touched_when_it_changes,
	    without_memory_or_place_on_the_bus_it_is_not_made)
