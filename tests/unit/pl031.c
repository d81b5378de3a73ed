/* SPDX-License-Identifier: Apache-2.0 */
/* The PL031 clock (dev/pl031.c), register by register. [PL031] */
#include "../../dev/table.h"
#include "device_vm.h"

enum {
	DR = 0x000,
	MR = 0x004,
	LR = 0x008,
	CR = 0x00c,
	IMSC = 0x010,
	RIS = 0x014,
	MIS = 0x018,
	ICR = 0x01c,
};

#define YEAR_2026 1767225600u

static void begin(void)
{
	device_vm_reset();
	CHECK_EQ(device_make(&axvm_dev_pl031), 0);
}

static void pass(uint64_t seconds)
{
	axvm_sim_advance(seconds * axvm_hal_time_hz());
}

TEST(it_tells_a_date_of_our_time_and_counts_seconds)
{
	begin();
	CHECK_EQ(reg_read(DR), YEAR_2026);
	axvm_sim_advance(axvm_hal_time_hz() - 1);
	CHECK_EQ(reg_read(DR), YEAR_2026);
	axvm_sim_advance(1);
	CHECK_EQ(reg_read(DR), YEAR_2026 + 1);
	pass(86400);
	CHECK_EQ(reg_read(DR), YEAR_2026 + 86401);
	device_end();
}

TEST(a_guest_can_set_it_and_the_time_outlives_a_reset)
{
	begin();
	reg_write(LR, 1000);
	CHECK_EQ(reg_read(LR), 1000);
	CHECK_EQ(reg_read(DR), 1000);
	pass(5);
	axvm_dev_pl031.reset(&device);
	CHECK_EQ(reg_read(LR), 0);
	CHECK_EQ(reg_read(DR), 1005);
	device_end();
}

TEST(every_register_has_its_reset_value_and_its_writable_bits)
{
	static const struct {
		uint32_t offset, at_reset, writable;
	} registers[] = {
		{ MR, 0, UINT32_MAX }, { LR, 0, UINT32_MAX }, { CR, 1, 0 },
		{ IMSC, 0, 1 },	       { ICR, 0, 0 },
	};

	begin();
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(reg_read(registers[i].offset), registers[i].at_reset);
		reg_write(registers[i].offset, UINT32_MAX);
		CHECK_EQ(reg_read(registers[i].offset),
			 registers[i].writable ? registers[i].writable : registers[i].at_reset);
	}
	device_end();
}

TEST(it_is_identified_as_an_arm_pl031)
{
	static const uint8_t id[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	begin();
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(reg_read(0xfe0 + 4 * i), id[i]);
	device_end();
}

TEST(the_alarm_rises_when_its_second_comes_and_not_before)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(MR, YEAR_2026 + 10);
	pass(9);
	CHECK(!irq_level);
	CHECK_EQ(reg_read(RIS), 0);
	pass(1);
	CHECK(irq_level);
	CHECK_EQ(reg_read(RIS), 1);
	CHECK_EQ(reg_read(MIS), 1);
	reg_write(ICR, 0);
	CHECK(irq_level);
	reg_write(ICR, 1);
	CHECK(!irq_level);
	pass(100);
	CHECK(!irq_level);
	device_end();
}

TEST(an_alarm_for_now_rises_at_once)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(MR, YEAR_2026);
	CHECK(irq_level);
	device_end();
}

TEST(a_masked_alarm_waits_for_its_mask)
{
	begin();
	reg_write(MR, YEAR_2026 + 1);
	pass(2);
	CHECK_EQ(reg_read(RIS), 1);
	CHECK_EQ(reg_read(MIS), 0);
	CHECK(!irq_level);
	reg_write(IMSC, 1);
	CHECK(irq_level);
	reg_write(IMSC, 0);
	CHECK(!irq_level);
	device_end();
}

TEST(an_alarm_that_runs_late_is_not_lost)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(MR, YEAR_2026 + 1);
	axvm_sim_set_ticks(7 * axvm_hal_time_hz()); /* the host was busy */
	axvm_sim_advance(0);
	CHECK(irq_level);
	device_end();
}

TEST(a_new_match_or_a_new_time_replaces_the_alarm)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(MR, YEAR_2026 + 5);
	reg_write(MR, YEAR_2026 + 50);
	pass(10);
	CHECK(!irq_level);
	reg_write(LR, YEAR_2026 + 48);
	pass(1);
	CHECK(!irq_level);
	pass(1);
	CHECK(irq_level);
	device_end();
}

TEST(a_match_in_the_past_is_reached_after_the_counter_wraps)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(LR, UINT32_MAX - 1);
	reg_write(MR, 1);
	pass(2);
	CHECK(!irq_level);
	CHECK_EQ(reg_read(DR), 0);
	pass(1);
	CHECK(irq_level);
	device_end();
}

TEST(a_reset_stops_the_alarm)
{
	begin();
	reg_write(IMSC, 1);
	reg_write(MR, YEAR_2026);
	CHECK(irq_level);
	reg_write(MR, YEAR_2026 + 5);
	axvm_dev_pl031.reset(&device);
	CHECK(!irq_level);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	reg_write(IMSC, 1);
	pass(10);
	CHECK(!irq_level);
	device_end();
}

TEST(holes_and_odd_accesses_read_as_zero_and_ignore_writes)
{
	begin();
	for (uint64_t offset = ICR + 4; offset < DEVICE_BYTES; offset++) {
		for (uint8_t bytes = 1; bytes <= 8 && offset + bytes <= DEVICE_BYTES; bytes *= 2) {
			bus_write(DEVICE_BASE + offset, bytes, UINT64_MAX);
			if (offset % 4 != 0 || offset < 0xfe0)
				CHECK_EQ(bus_read(DEVICE_BASE + offset, bytes), 0);
		}
	}
	CHECK_EQ(bus_read(DEVICE_BASE + 1, 1), 0);
	CHECK_EQ(reg_read(DR), YEAR_2026);
	CHECK_EQ(irq_changes, 0);
	device_end();
}

TEST(without_memory_or_place_on_the_bus_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(device_make(&axvm_dev_pl031), AXVM_ENOMEM);

	begin();
	CHECK_EQ(device_make(&axvm_dev_pl031), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(it_tells_a_date_of_our_time_and_counts_seconds,
	    a_guest_can_set_it_and_the_time_outlives_a_reset,
	    every_register_has_its_reset_value_and_its_writable_bits,
	    it_is_identified_as_an_arm_pl031, the_alarm_rises_when_its_second_comes_and_not_before,
	    an_alarm_for_now_rises_at_once, a_masked_alarm_waits_for_its_mask,
	    an_alarm_that_runs_late_is_not_lost, a_new_match_or_a_new_time_replaces_the_alarm,
	    a_match_in_the_past_is_reached_after_the_counter_wraps, a_reset_stops_the_alarm,
	    holes_and_odd_accesses_read_as_zero_and_ignore_writes,
	    without_memory_or_place_on_the_bus_it_is_not_made)
