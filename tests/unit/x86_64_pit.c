/* SPDX-License-Identifier: Apache-2.0 */
/* The 8254 and port 0x61 (arch/x86_64/intc/pit.c), seen through their ports. [8254] */
#include "intc/pit.h"

#include "port_vm.h"

enum { CONTROL = 0x43, PORT_61 = 0x61 };
enum { LOW = 0x10, HIGH = 0x20, BOTH = 0x30, BCD = 1 };
enum { OUT = 0x80, NULL_COUNT = 0x40 };

#define PIT_HZ 1193182u

static int make(uint64_t hz)
{
	const struct axvm_config_emu config = {
		.name = "pit",
		.base = { 0x40 },
		.bytes = 4,
		.type = AXVM_EMU_X86_PIT,
	};
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.time_hz = hz;
	device_vm_reset_on(&machine);
	device_irq = 0;
	device.type = &axvm_pit_device_type;
	device.vm = &device_vm;
	device.name = config.name;
	return axvm_pit_device_type.create(&device, &config);
}

/* A host's tick is a clock of the 8254's: what is counted can be said to the clock. */
static void begin(void)
{
	REQUIRE_EQ(make(PIT_HZ), 0);
}

static void clocks(uint64_t count)
{
	axvm_sim_advance(count);
}

static void program(uint32_t channel, uint32_t mode, uint32_t count)
{
	outb(CONTROL, channel << 6 | BOTH | mode << 1);
	outb((uint16_t)(0x40 + channel), count & 0xff);
	outb((uint16_t)(0x40 + channel), count >> 8);
}

static uint32_t counter(uint32_t channel)
{
	outb(CONTROL, channel << 6);
	uint32_t low = inb((uint16_t)(0x40 + channel));

	return low | (uint32_t)inb((uint16_t)(0x40 + channel)) << 8;
}

static uint8_t status(uint32_t channel)
{
	outb(CONTROL, 0xe0 | 2u << channel);
	return inb((uint16_t)(0x40 + channel));
}

static bool output(uint32_t channel)
{
	return status(channel) & OUT;
}

/* The output, clock for clock from now, as the manual draws it: '-' high, '_' low. */
static void check_drawing(uint32_t channel, const char *drawing)
{
	for (; *drawing; drawing++) {
		CHECK_EQ(output(channel), *drawing == '-');
		clocks(1);
	}
}

TEST(nothing_counts_until_it_is_programmed)
{
	begin();
	clocks(200000);
	CHECK_EQ(irq_pulses, 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(counter(0), 0);
	CHECK_EQ(status(0), NULL_COUNT | BOTH);
	CHECK_EQ(inb(CONTROL), 0xff);
	device_end();
}

TEST(mode_0_rises_once_at_its_end_and_counts_on)
{
	begin();
	outb(CONTROL, BOTH);
	CHECK_EQ(status(0), NULL_COUNT | BOTH);
	outb(0x40, 4);
	outb(0x40, 0);
	CHECK_EQ(status(0), BOTH);
	check_drawing(0, "____-----");
	CHECK_EQ(irq_pulses, 1);
	CHECK_EQ(counter(0), 0x10000 - 5);
	clocks(300000);
	CHECK_EQ(irq_pulses, 1);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	outb(0x40, 10); /* the first byte stops it */
	CHECK(!output(0));
	clocks(100);
	CHECK_EQ(irq_pulses, 1);
	outb(0x40, 0);
	CHECK_EQ(counter(0), 10);
	clocks(9);
	CHECK_EQ(irq_pulses, 1);
	clocks(1);
	CHECK_EQ(irq_pulses, 2);
	device_end();
}

TEST(mode_2_is_low_for_the_last_clock_of_each_period)
{
	begin();
	program(2, 2, 4);
	check_drawing(2, "----");
	outb(PORT_61, 1);
	check_drawing(2, "---_---_---_");
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(counter(2), 4 - i % 4);
		clocks(1);
	}
	outb(PORT_61, 0);
	check_drawing(2, "-----");
	device_end();
}

TEST(mode_3_is_a_square_wave_and_an_odd_one_is_high_longer)
{
	begin();
	outb(PORT_61, 1);
	program(2, 3, 4);
	check_drawing(2, "--__--__");
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(counter(2), 4 - i % 2 * 2);
		clocks(1);
	}
	program(2, 3, 5);
	check_drawing(2, "---__---__");
	for (unsigned i = 0; i < 10; i++) {
		static const uint8_t values[5] = { 4, 2, 0, 4, 2 };

		CHECK_EQ(counter(2), values[i % 5]);
		clocks(1);
	}
	device_end();
}

TEST(mode_4_is_low_for_one_clock_at_its_end)
{
	begin();
	program(0, 4, 3);
	check_drawing(0, "---_--------");
	CHECK_EQ(irq_pulses, 1);
	clocks(200000);
	CHECK_EQ(irq_pulses, 1);
	device_end();
}

TEST(modes_1_and_5_wait_for_their_gate_and_start_again_with_it)
{
	begin();
	program(2, 1, 3);
	check_drawing(2, "-----");
	CHECK(status(2) & NULL_COUNT);
	outb(PORT_61, 1);
	CHECK(!(status(2) & NULL_COUNT));
	check_drawing(2, "___----");
	outb(PORT_61, 0);
	outb(PORT_61, 1);
	check_drawing(2, "__");
	outb(PORT_61, 0); /* neither the falling gate nor a new count disturbs it */
	outb(0x42, 2);
	outb(0x42, 0);
	check_drawing(2, "_--");
	outb(PORT_61, 1);
	check_drawing(2, "__--");

	program(2, 5, 2);
	check_drawing(2, "---");
	outb(PORT_61, 0);
	outb(PORT_61, 1);
	check_drawing(2, "--_---");

	program(0, 1, 3); /* whose gate never rises */
	program(1, 5, 3);
	clocks(100);
	CHECK(output(0));
	CHECK(output(1));
	CHECK_EQ(irq_pulses, 0);
	device_end();
}

TEST(a_low_gate_holds_the_count_in_modes_0_and_4)
{
	begin();
	outb(PORT_61, 1);
	program(2, 0, 10);
	clocks(4);
	outb(PORT_61, 0);
	clocks(100);
	CHECK_EQ(counter(2), 6);
	CHECK(!output(2));
	outb(PORT_61, 1);
	clocks(5);
	CHECK(!output(2));
	CHECK_EQ(inb(PORT_61) & 0x20, 0);
	clocks(1);
	CHECK(output(2));
	CHECK_EQ(inb(PORT_61) & 0x20, 0x20);
	device_end();
}

TEST(a_new_count_of_a_periodic_mode_takes_over_at_the_end_of_the_old_one)
{
	begin();
	outb(PORT_61, 1);
	program(2, 2, 6);
	clocks(2);
	outb(0x42, 3);
	outb(0x42, 0);
	CHECK(status(2) & NULL_COUNT);
	check_drawing(2, "---_--_--_");
	CHECK(!(status(2) & NULL_COUNT));

	program(2, 3, 8);
	clocks(1);
	outb(0x42, 4);
	outb(0x42, 0);
	check_drawing(2, "---__--__"); /* at the end of the half */
	program(2, 3, 8);
	clocks(5);
	outb(0x42, 4);
	outb(0x42, 0);
	check_drawing(2, "___--__--");
	device_end();
}

TEST(each_way_of_access_reads_and_writes_its_bytes)
{
	begin();
	outb(CONTROL, 0x80 | LOW);
	outb(0x42, 0x12);
	CHECK_EQ(inb(0x42), 0x12);
	CHECK_EQ(inb(0x42), 0x12);
	outb(CONTROL, 0x80 | HIGH);
	outb(0x42, 0x34);
	CHECK_EQ(inb(0x42), 0x34);
	outb(CONTROL, 0x80);
	CHECK_EQ(inb(0x42), 0x34);
	outb(CONTROL, 0x80 | BOTH);
	outb(0x42, 0x56);
	outb(0x42, 0x34);
	CHECK_EQ(inb(0x42), 0x56);
	CHECK_EQ(inb(0x42), 0x34);
	CHECK_EQ(inb(0x42), 0x56);
	device_end();
}

TEST(a_latched_count_stands_until_it_is_read)
{
	begin();
	program(0, 2, 0x1234);
	outb(CONTROL, 0);
	clocks(0x34);
	outb(CONTROL, 0); /* ignored: one is latched */
	CHECK_EQ(inb(0x40), 0x34);
	CHECK_EQ(inb(0x40), 0x12);
	CHECK_EQ(inb(0x40), 0); /* live again */
	CHECK_EQ(inb(0x40), 0x12);
	device_end();
}

TEST(read_back_latches_counts_and_status_of_several_channels)
{
	begin();
	program(0, 2, 0x1111);
	program(1, 3, 0x2222);
	program(2, 0, 0x3333);
	outb(CONTROL, 0xce); /* both, of all */
	clocks(3);
	CHECK_EQ(inb(0x40), OUT | BOTH | 2 << 1);
	CHECK_EQ(inb(0x40), 0x11);
	CHECK_EQ(inb(0x40), 0x11);
	CHECK_EQ(inb(0x41), OUT | BOTH | 3 << 1);
	CHECK_EQ(inb(0x41), 0x22);
	CHECK_EQ(inb(0x41), 0x22);
	CHECK_EQ(inb(0x42), BOTH);
	CHECK_EQ(inb(0x42), 0x33);
	CHECK_EQ(inb(0x42), 0x33);
	outb(CONTROL, 0xd4); /* the count of channel 1 alone */
	clocks(0x100);
	CHECK_EQ(inb(0x41), 0x1c);
	CHECK_EQ(inb(0x41), 0x22);
	device_end();
}

TEST(bcd_counts_in_decimal)
{
	begin();
	outb(PORT_61, 1);
	outb(CONTROL, 0x80 | BOTH | BCD); /* mode 0 */
	outb(0x42, 0x00);
	outb(0x42, 0x10);
	clocks(1);
	CHECK_EQ(counter(2), 0x0999);
	clocks(998);
	CHECK(!output(2));
	clocks(1);
	CHECK(output(2));
	clocks(1);
	CHECK_EQ(counter(2), 0x9999);
	CHECK_EQ(status(2) & 1, 1);
	outb(CONTROL, 0x80 | BOTH | BCD);
	outb(0x42, 0);
	outb(0x42, 0);
	clocks(9999);
	CHECK(!output(2));
	clocks(1);
	CHECK(output(2));
	device_end();
}

TEST(a_count_of_zero_is_the_largest)
{
	begin();
	program(0, 2, 0);
	clocks(65535);
	CHECK_EQ(irq_pulses, 0);
	clocks(1);
	CHECK_EQ(irq_pulses, 1);
	clocks(65536 * 9);
	CHECK_EQ(irq_pulses, 10);
	device_end();
}

TEST(channel_0_interrupts_once_in_each_period_without_drift)
{
	static const uint32_t modes[] = { 2, 3, 6, 7 };

	for (unsigned i = 0; i < 4; i++) {
		REQUIRE_EQ(make(62500001), 0);
		program(0, modes[i], 1193); /* 1000 Hz */
		axvm_sim_advance(62500001u * 10ull);
		CHECK_EQ(irq_pulses, 10ull * PIT_HZ / 1193);
		device_end();
	}
}

TEST(a_period_too_short_is_bounded_and_what_is_missed_is_one_interrupt)
{
	REQUIRE_EQ(make(1000000000), 0);
	for (uint32_t count = 1; count < 100; count += 7) {
		uint32_t before = irq_pulses;

		program(0, 2, count);
		axvm_sim_advance(1000000000 / 100);
		CHECK(irq_pulses - before <= 101);
		CHECK(irq_pulses - before >= 90);
	}
	uint32_t before = irq_pulses;

	program(0, 2, 11932);
	uint64_t late = axvm_hal_time_ticks() + 1000000000ull * 60;

	axvm_sim_set_ticks(late); /* the host was busy for a minute */
	axvm_sim_advance(0);
	CHECK_EQ(irq_pulses, before + 1);
	axvm_sim_advance(1000000000 / 10);
	CHECK_EQ(irq_pulses, before + 11);
	device_end();
}

TEST(a_new_count_of_channel_0_keeps_its_interrupts_in_step)
{
	begin();
	program(0, 2, 10000);
	clocks(4000);
	outb(0x40, 20000 & 0xff);
	outb(0x40, 20000 >> 8);
	clocks(5999);
	CHECK_EQ(irq_pulses, 0);
	clocks(1);
	CHECK_EQ(irq_pulses, 1);
	clocks(19999);
	CHECK_EQ(irq_pulses, 1);
	clocks(1);
	CHECK_EQ(irq_pulses, 2);

	program(0, 3, 10000);
	clocks(1000);
	outb(0x40, 20000 & 0xff);
	outb(0x40, 20000 >> 8);
	clocks(5000 - 1000 + 10000 - 1); /* high half of the old, low half of the new */
	CHECK_EQ(irq_pulses, 2);
	clocks(1);
	CHECK_EQ(irq_pulses, 3);
	device_end();
}

TEST(an_access_between_a_late_rise_and_its_timer_loses_nothing)
{
	begin();
	program(0, 2, 10000);
	axvm_sim_set_ticks(10001);
	CHECK_EQ(counter(0), 9999);
	CHECK_EQ(irq_pulses, 1);
	axvm_sim_set_ticks(20001);
	program(0, 0, 50);
	CHECK_EQ(irq_pulses, 2);
	axvm_sim_set_ticks(20051);
	program(0, 0, 50);
	CHECK_EQ(irq_pulses, 3);
	clocks(49);
	CHECK_EQ(irq_pulses, 3);
	clocks(1);
	CHECK_EQ(irq_pulses, 4);
	device_end();
}

TEST(port_61_keeps_four_bits_and_shows_the_refresh)
{
	uint32_t changes = 0;

	begin();
	outb(PORT_61, 0xff);
	CHECK_EQ(inb(PORT_61) & 0xcf, 0xf);
	outb(PORT_61, 0xf2);
	CHECK_EQ(inb(PORT_61) & 0xcf, 2);
	uint8_t before = inb(PORT_61) & 0x10;

	for (unsigned i = 0; i < 180; i++) {
		clocks(1);
		changes += (inb(PORT_61) & 0x10) != before;
		before = inb(PORT_61) & 0x10;
	}
	CHECK_EQ(changes, 10);
	device_end();
}

/* As Linux calibrates its clock by it. */
TEST(channel_2_measures_ten_milliseconds)
{
	REQUIRE_EQ(make(1000000000), 0);
	outb(PORT_61, (inb(PORT_61) & ~2u) | 1);
	program(2, 0, PIT_HZ / 100);
	uint64_t begun = axvm_hal_time_ticks();

	for (unsigned i = 0; i < 20000 && !(inb(PORT_61) & 0x20); i++)
		axvm_sim_advance(1000);
	uint64_t took = axvm_hal_time_ticks() - begun;

	CHECK(took > 9990000);
	CHECK(took < 10010000);
	device_end();
}

TEST(a_reset_stops_everything)
{
	begin();
	program(0, 2, 100);
	outb(PORT_61, 3);
	axvm_pit_device_type.reset(&device);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	clocks(100000);
	CHECK_EQ(irq_pulses, 0);
	CHECK_EQ(inb(PORT_61) & 0xf, 0);
	CHECK_EQ(status(0), NULL_COUNT | BOTH);
	device_end();
}

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

/* Nothing that a guest writes, at any moment, makes more interrupts than the bound allows. */
TEST(wild_accesses_are_survived_and_bounded)
{
	static const uint16_t ports[] = { 0x40, 0x41, 0x42, CONTROL, PORT_61 };
	uint64_t passed = 0;

	REQUIRE_EQ(make(1000000000), 0);
	random_state = 3;
	for (uint32_t i = 0; i < 40000; i++) {
		uint16_t port = ports[draw(5)];
		uint32_t step = draw(8) == 0 ? draw(3000000) : draw(2000);

		if (draw(2))
			outb(port, draw(256));
		CHECK_EQ(port_read(ports[draw(5)], 1) & ~0xffu, 0);
		axvm_sim_advance(step);
		passed += step;
		CHECK(irq_pulses <= passed / 100000 + 1 + i);
	}
	axvm_sim_set_ticks(UINT64_MAX / 4);
	for (unsigned i = 0; i < 5; i++)
		(void)inb(ports[i]);
	device_end();
}

TEST(without_memory_or_ports_it_is_not_made)
{
	struct axvm_config_emu config = { .name = "pit", .base = { 0x40 }, .bytes = 3 };

	begin();
	CHECK_EQ(axvm_pit_device_type.create(&device, &config), AXVM_EINVAL);
	config.bytes = 4;
	CHECK_EQ(axvm_pit_device_type.create(&device, &config), AXVM_EEXIST);
	device_end();

	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	device.vm = &device_vm;
	CHECK_EQ(axvm_pit_device_type.create(&device, &config), AXVM_ENOMEM);
}

AXTEST_MAIN(nothing_counts_until_it_is_programmed, mode_0_rises_once_at_its_end_and_counts_on,
	    mode_2_is_low_for_the_last_clock_of_each_period,
	    mode_3_is_a_square_wave_and_an_odd_one_is_high_longer,
	    mode_4_is_low_for_one_clock_at_its_end,
	    modes_1_and_5_wait_for_their_gate_and_start_again_with_it,
	    a_low_gate_holds_the_count_in_modes_0_and_4,
	    a_new_count_of_a_periodic_mode_takes_over_at_the_end_of_the_old_one,
	    each_way_of_access_reads_and_writes_its_bytes, a_latched_count_stands_until_it_is_read,
	    read_back_latches_counts_and_status_of_several_channels, bcd_counts_in_decimal,
	    a_count_of_zero_is_the_largest, channel_0_interrupts_once_in_each_period_without_drift,
	    a_period_too_short_is_bounded_and_what_is_missed_is_one_interrupt,
	    a_new_count_of_channel_0_keeps_its_interrupts_in_step,
	    an_access_between_a_late_rise_and_its_timer_loses_nothing,
	    port_61_keeps_four_bits_and_shows_the_refresh, channel_2_measures_ten_milliseconds,
	    a_reset_stops_everything, wild_accesses_are_survived_and_bounded,
	    without_memory_or_ports_it_is_not_made)
