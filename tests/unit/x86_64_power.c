/* SPDX-License-Identifier: Apache-2.0 */
/* The ports that end a VM (arch/x86_64/power.c). [ACPI 4.8.3] */
#include "acpi.h"
#include "port_vm.h"
#include "power.h"

enum { EVENT = 0x600, CONTROL = 0x604, TIMER = 0x608, RESET = 0xcf9, FAST_A20 = 0x92 };
enum { KEYBOARD_DATA = 0x60, KEYBOARD = 0x64 };

static void begin(void)
{
	device_vm_reset();
	REQUIRE_EQ(axvm_power_make(&device_vm), 0);
}

/* What the vCPU has asked for since the last look. */
static enum axvm_exit_reason asked(void)
{
	if (!axvm_power_has_ended(&device_vcpu))
		return AXVM_EXIT_NONE;
	CHECK(!axvm_power_has_ended(&device_vcpu));
	return device_vcpu.exit.reason;
}

TEST(a_write_of_s5_with_sleep_enabled_switches_off)
{
	begin();
	CHECK_EQ(port_read(CONTROL, 2), 1); /* ACPI mode, always */
	port_write(CONTROL, 2, AXVM_ACPI_S5_TYPE << 10);
	CHECK_EQ(asked(), AXVM_EXIT_NONE);
	CHECK_EQ(port_read(CONTROL, 2), AXVM_ACPI_S5_TYPE << 10 | 1);
	port_write(CONTROL, 2, AXVM_ACPI_S5_TYPE << 10 | 1 << 13);
	CHECK_EQ(asked(), AXVM_EXIT_SHUTDOWN);
	CHECK_EQ(port_read(CONTROL, 2) & 1 << 13, 0);
	axvm_power_reset(device_vm.arch.power);
	CHECK_EQ(port_read(CONTROL, 2), 1);
	device_end();
}

TEST(a_byte_at_a_time_does_it_too)
{
	begin();
	outb(CONTROL, 0);
	CHECK_EQ(inb(CONTROL), 1);
	outb(CONTROL + 1, AXVM_ACPI_S5_TYPE << 2 | 1 << 5);
	CHECK_EQ(asked(), AXVM_EXIT_SHUTDOWN);
	device_end();
}

TEST(other_sleep_types_are_none)
{
	begin();
	for (uint32_t type = 0; type < 8; type++) {
		port_write(CONTROL, 2, type << 10 | 1 << 13);
		CHECK_EQ(asked(), type == AXVM_ACPI_S5_TYPE ? AXVM_EXIT_SHUTDOWN : AXVM_EXIT_NONE);
	}
	device_end();
}

TEST(the_reset_register_resets_when_its_bit_rises)
{
	begin();
	outb(RESET, 2);
	CHECK_EQ(asked(), AXVM_EXIT_NONE);
	CHECK_EQ(inb(RESET), 2);
	outb(RESET, AXVM_ACPI_RESET_VALUE);
	CHECK_EQ(asked(), AXVM_EXIT_RESET);
	outb(RESET, AXVM_ACPI_RESET_VALUE);
	CHECK_EQ(asked(), AXVM_EXIT_NONE);
	outb(RESET, 0xfb);
	CHECK_EQ(inb(RESET), 2);
	outb(RESET, 4);
	CHECK_EQ(asked(), AXVM_EXIT_RESET);
	axvm_power_reset(device_vm.arch.power);
	CHECK_EQ(inb(RESET), 0);
	device_end();
}

TEST(the_keyboard_controller_and_port_92_reset)
{
	begin();
	for (uint32_t command = 0; command < 256; command++) {
		outb(KEYBOARD, command);
		CHECK_EQ(asked(), command == 0xfe ? AXVM_EXIT_RESET : AXVM_EXIT_NONE);
		outb(KEYBOARD_DATA, command);
		CHECK_EQ(asked(), AXVM_EXIT_NONE);
		outb(FAST_A20, command);
		CHECK_EQ(asked(), command & 1 ? AXVM_EXIT_RESET : AXVM_EXIT_NONE);
	}
	CHECK_EQ(inb(KEYBOARD) & 3, 0); /* ready for a command, nothing to read */
	CHECK_EQ(inb(FAST_A20), 2);
	device_end();
}

TEST(the_power_management_timer_counts_at_its_frequency)
{
	begin();
	CHECK_EQ(port_read(TIMER, 4), 0);
	axvm_sim_advance(axvm_hal_time_hz());
	CHECK_EQ(port_read(TIMER, 4), 3579545);
	CHECK_EQ(port_read(TIMER, 2), 3579545 & 0xffff);
	CHECK_EQ(inb(TIMER + 2), 3579545 >> 16);
	port_write(TIMER, 4, 0);
	CHECK_EQ(port_read(TIMER, 4), 3579545);
	axvm_sim_advance(axvm_hal_time_hz() * 2000);
	CHECK_EQ(port_read(TIMER, 4), (uint32_t)(3579545ull * 2001));
	device_end();
}

TEST(no_event_ever_happened_and_what_is_enabled_is_kept)
{
	begin();
	port_write(EVENT, 2, 0xffff);
	CHECK_EQ(port_read(EVENT, 4), 0);
	port_write(EVENT + 2, 2, 0x0120);
	CHECK_EQ(port_read(EVENT + 2, 2), 0x0120);
	CHECK_EQ(port_read(EVENT, 4), 0x01200000);
	port_write(EVENT, 4, 0x0001ffff);
	CHECK_EQ(port_read(EVENT, 4), 0x00010000);
	outb(EVENT + 3, 2);
	CHECK_EQ(port_read(EVENT + 2, 2), 0x0201);
	device_end();
}

TEST(delays_are_of_no_effect)
{
	begin();
	outb(0x80, 0x12);
	outb(0xed, 0x34);
	CHECK_EQ(inb(0x80), 0xff);
	CHECK_EQ(inb(0xed), 0xff);
	CHECK_EQ(asked(), AXVM_EXIT_NONE);
	CHECK(axvm_bus_find(&device_vm.arch.ports, 0xe9, 1) == NULL);
	device_end();
}

/* Each port, width and value: nothing but the four ways ends the VM. */
TEST(wild_accesses_are_survived)
{
	static const uint16_t ports[] = { EVENT, EVENT + 1, EVENT + 3, CONTROL,	   TIMER,
					  RESET, FAST_A20,  KEYBOARD,  CONTROL + 1 };

	begin();
	for (unsigned i = 0; i < 9; i++) {
		for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
			if (!axvm_bus_find(&device_vm.arch.ports, ports[i], bytes))
				continue;
			for (uint32_t value = 0; value < 0x10000; value += 0x3f) {
				port_write(ports[i], bytes, value);
				(void)asked();
				if (bytes < 4)
					CHECK_EQ(port_read(ports[i], bytes) >> 8 * bytes, 0);
			}
		}
	}
	device_end();
}

TEST(without_memory_or_ports_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(axvm_power_make(&device_vm), AXVM_ENOMEM);
	CHECK(device_vm.arch.power == NULL);

	begin();
	CHECK_EQ(axvm_power_make(&device_vm), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(a_write_of_s5_with_sleep_enabled_switches_off, a_byte_at_a_time_does_it_too,
	    other_sleep_types_are_none, the_reset_register_resets_when_its_bit_rises,
	    the_keyboard_controller_and_port_92_reset,
	    the_power_management_timer_counts_at_its_frequency,
	    no_event_ever_happened_and_what_is_enabled_is_kept, delays_are_of_no_effect,
	    wild_accesses_are_survived, without_memory_or_ports_it_is_not_made)
