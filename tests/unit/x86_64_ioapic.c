// SPDX-License-Identifier: Apache-2.0
/* The IOAPIC: registers, edges, levels and their ends, delivery modes, and the lines that lead to it. */
#include "x86_64_intc_rig.h"

#define PINS AXVM_IOAPIC_PINS
#define ENTRY(pin) (0x10 + 2 * (pin))

static struct axvm_ioapic *ioapic(void)
{
	return rig_vm.arch.ioapic;
}

static void start(uint32_t vcpus)
{
	rig_start(vcpus);
	for (uint32_t i = 0; i < vcpus; i++)
		enable(i);
}

static void line(uint32_t pin, bool level)
{
	CHECK_EQ(axvm_ioapic_set_level(ioapic(), pin, level), 0);
}

/* ---- registers ------------------------------------------------------------------------------------------ */

TEST(each_entry_keeps_what_can_be_written)
{
	start(1);
	CHECK_EQ(io_rd(1), 0x00170020);
	for (uint32_t pin = 0; pin < PINS; pin++) {
		CHECK_EQ(io_rd(ENTRY(pin)), MASKED);
		CHECK_EQ(io_rd(ENTRY(pin) + 1), 0);
		io_wr(ENTRY(pin), UINT32_MAX);
		io_wr(ENTRY(pin) + 1, UINT32_MAX);
		CHECK_EQ(io_rd(ENTRY(pin)), 0x1afff);
		CHECK_EQ(io_rd(ENTRY(pin) + 1), 0xff000000);
	}
	io_wr(0, UINT32_MAX);
	CHECK_EQ(io_rd(0), 0x0f000000);
	CHECK_EQ(io_rd(2), 0x0f000000);
	axvm_ioapic_device_type.reset(&rig_ioapic);
	CHECK_EQ(io_rd(0), 0);
	for (uint32_t pin = 0; pin < PINS; pin++)
		CHECK_EQ(io_rd(ENTRY(pin)), MASKED);
	rig_end();
}

TEST(registers_and_offsets_that_are_not_there_do_nothing)
{
	start(1);
	for (uint32_t reg = 0; reg < 256; reg++) {
		if (reg > 2 && (reg < 0x10 || reg >= 0x10 + 2 * PINS)) {
			io_wr(reg, UINT32_MAX);
			CHECK_EQ(io_rd(reg), 0);
		}
	}
	for (uint64_t offset = 0; offset < 0x1000; offset++) {
		for (unsigned bytes = 1; bytes <= 8 && offset + bytes <= 0x1000; bytes *= 2) {
			uint64_t value = 0;

			CHECK(try_bus_write(on(0), IOAPIC + offset, bytes, UINT64_MAX));
			CHECK(try_bus_read(on(0), IOAPIC + offset, bytes, &value));
			if (offset >= 0x14)
				CHECK_EQ(value, 0);
		}
	}
	CHECK_EQ(axvm_ioapic_set_level(ioapic(), PINS, true), AXVM_EINVAL);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(io_rd(1), 0x00170020);
	rig_end();
}

TEST(a_second_ioapic_and_one_that_is_too_small_are_refused)
{
	struct axvm_device other = { .type = &axvm_ioapic_device_type, .vm = &rig_vm };
	struct axvm_config_emu config = { .base = { 0xfec10000 }, .bytes = 0x1000 };

	start(1);
	CHECK_EQ(axvm_ioapic_device_type.create(&other, &config), AXVM_EEXIST);
	rig_vm.arch.ioapic = NULL;
	config.bytes = 0x40;
	CHECK_EQ(axvm_ioapic_device_type.create(&other, &config), AXVM_EINVAL);
	config.bytes = 0x1000;
	config.base.addr = IOAPIC;
	CHECK_EQ(axvm_ioapic_device_type.create(&other, &config), AXVM_EEXIST);
	rig_end();
}

/* ---- edges and levels -------------------------------------------------------------------------------------- */

TEST(an_edge_is_sent_at_its_rise_and_lost_behind_a_mask)
{
	start(2);
	route(5, 1, 0x55);
	line(5, true);
	CHECK_EQ(take(1), 0x55);
	line(5, true);
	eoi(1);
	CHECK_EQ(take(1), -1);
	line(5, false);
	line(5, true);
	CHECK(!bit(1, TMR, 0x55));
	CHECK_EQ(take(1), 0x55);
	eoi(1);
	line(5, false);
	route(5, 1, MASKED | 0x55);
	line(5, true);
	route(5, 1, 0x55);
	CHECK_EQ(take(1), -1);
	CHECK_EQ(take(0), -1);
	rig_end();
}

TEST(a_level_is_sent_until_it_falls_once_for_each_end)
{
	start(1);
	route(9, 0, LEVEL | 0x39);
	line(9, true);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | REMOTE_IRR | 0x39);
	CHECK(bit(0, TMR, 0x39));
	CHECK_EQ(take(0), 0x39);
	line(9, false);
	line(9, true);
	CHECK_EQ(take(0), -1);
	eoi(0);
	CHECK_EQ(take(0), 0x39);
	line(9, false);
	eoi(0);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | 0x39);
	CHECK_EQ(take(0), -1);
	rig_end();
}

TEST(a_masked_level_is_sent_when_it_is_let_through)
{
	start(1);
	route(9, 0, LEVEL | MASKED | 0x39);
	line(9, true);
	CHECK_EQ(take(0), -1);
	route(9, 0, LEVEL | 0x39);
	CHECK_EQ(take(0), 0x39);
	route(9, 0, LEVEL | MASKED | 0x39);
	eoi(0);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | MASKED | 0x39);
	CHECK_EQ(take(0), -1);
	route(9, 0, LEVEL | 0x39);
	CHECK_EQ(take(0), 0x39);
	rig_end();
}

TEST(a_level_that_nobody_takes_waits)
{
	start(2);
	route(9, 7, LEVEL | 0x39);
	line(9, true);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | 0x39);
	io_wr(ENTRY(9) + 1, 1u << 24);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | REMOTE_IRR | 0x39);
	CHECK_EQ(take(1), 0x39);
	rig_end();
}

TEST(a_level_ends_by_the_eoi_register_too_and_by_being_an_edge_for_a_moment)
{
	start(1);
	wr(0, SVR, 0x11ff); /* EOIs are not broadcast */
	route(9, 0, LEVEL | 0x39);
	line(9, true);
	CHECK_EQ(take(0), 0x39);
	eoi(0);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | REMOTE_IRR | 0x39);
	CHECK_EQ(take(0), -1);
	CHECK(try_bus_write(on(0), IOAPIC + 0x40, 4, 0x38));
	CHECK_EQ(take(0), -1);
	CHECK(try_bus_write(on(0), IOAPIC + 0x40, 4, 0x39));
	CHECK_EQ(take(0), 0x39);
	eoi(0);
	io_wr(ENTRY(9), MASKED | 0x39);
	io_wr(ENTRY(9), LEVEL | 0x39);
	CHECK_EQ(take(0), 0x39);
	rig_end();
}

TEST(pins_that_share_a_vector_end_together)
{
	start(1);
	route(9, 0, LEVEL | 0x39);
	route(10, 0, LEVEL | 0x39);
	line(9, true);
	line(10, true);
	CHECK_EQ(take(0), 0x39);
	line(9, false);
	eoi(0);
	CHECK_EQ(io_rd(ENTRY(9)), LEVEL | 0x39);
	CHECK_EQ(io_rd(ENTRY(10)), LEVEL | REMOTE_IRR | 0x39);
	CHECK_EQ(take(0), 0x39);
	rig_end();
}

TEST(a_pulse_on_a_level_pin_lasts_until_it_was_sent)
{
	start(1);
	route(9, 0, LEVEL | 0x39);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 9), 0);
	CHECK_EQ(take(0), 0x39);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 9), 0);
	eoi(0);
	CHECK_EQ(take(0), 0x39);
	eoi(0);
	CHECK_EQ(take(0), -1);
	route(9, 0, LEVEL | MASKED | 0x39);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 9), 0);
	route(9, 0, LEVEL | 0x39);
	CHECK_EQ(take(0), 0x39);
	route(4, 0, 0x34);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 4), 0);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 4), 0);
	eoi(0);
	CHECK_EQ(take(0), 0x34);
	rig_end();
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

TEST(messages_go_where_the_entry_says)
{
	uint8_t type = 0;

	start(4);
	for (uint32_t i = 0; i < 4; i++)
		wr(i, LDR, 1u << (24 + i));
	route(3, 0xff, 0x33);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQ(take(i), 0x33);
		eoi(i);
	}
	route(3, 0x0c, LOGICAL | 0x34);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	CHECK_EQ(take(0), -1);
	CHECK_EQ(take(2), 0x34);
	CHECK_EQ(take(3), 0x34);
	eoi(2);
	eoi(3);
	wr(1, TPR, 0x20);
	route(3, 0x06, LOGICAL | 1u << 8 | LEVEL | 0x35);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	CHECK_EQ(take(1), -1);
	CHECK_EQ(take(2), 0x35);
	eoi(2);
	route(3, 1, NMI | LEVEL);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	CHECK_EQ(take_typed(1, &type), 2);
	CHECK_EQ(type, AXVM_X86_EVENT_NMI);
	CHECK_EQ(io_rd(ENTRY(3)), NMI | LEVEL);
	route(3, 1, INIT);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.init_sipi), AXVM_X86_INIT);
	route(3, 2, STARTUP | 0x40); /* reserved here */
	atomic_store(&rig_vcpus[2].power, AXVM_POWER_OFF);
	CHECK_EQ(axvm_ioapic_pulse(ioapic(), 3), 0);
	CHECK_EQ(atomic_load(&rig_vcpus[2].power), AXVM_POWER_OFF);
	rig_end();
}

/* ---- lines of the VM ------------------------------------------------------------------------------------------ */

TEST(isa_lines_go_to_both_controllers_and_irq_0_to_pin_2)
{
	start(1);
	rig_vm.arch.pic = &rig_pic;
	route(2, 0, 0x42);
	route(4, 0, 0x44);
	route(20, 0, LEVEL | 0x60);
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 0, true), 0);
	CHECK_EQ(take(0), 0x42);
	eoi(0);
	CHECK_EQ(axvm_arch_irq_pulse(&rig_vm, 4), 0);
	CHECK_EQ(take(0), 0x44);
	eoi(0);
	CHECK_EQ(rig_pic.lines, 1);
	CHECK_EQ(rig_pic.rises[4], 1);
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 20, true), 0);
	CHECK_EQ(take(0), 0x60);
	CHECK_EQ(rig_pic.lines, 1);
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 20, false), 0);
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 2, true), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 24, true), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_irq_pulse(&rig_vm, UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_irq_inject(&rig_vm, 1, 4), 0);
	eoi(0);
	CHECK_EQ(take(0), 0x44);
	rig_vm.arch.ioapic = NULL;
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 20, false), 0);
	rig_vm.arch.pic = NULL;
	CHECK_EQ(axvm_arch_irq_set_level(&rig_vm, 4, true), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_irq_pulse(&rig_vm, 4), AXVM_EINVAL);
	rig_end();
}

AXTEST_MAIN(each_entry_keeps_what_can_be_written,
	    registers_and_offsets_that_are_not_there_do_nothing,
	    a_second_ioapic_and_one_that_is_too_small_are_refused,
	    an_edge_is_sent_at_its_rise_and_lost_behind_a_mask,
	    a_level_is_sent_until_it_falls_once_for_each_end,
	    a_masked_level_is_sent_when_it_is_let_through, a_level_that_nobody_takes_waits,
	    a_level_ends_by_the_eoi_register_too_and_by_being_an_edge_for_a_moment,
	    pins_that_share_a_vector_end_together, a_pulse_on_a_level_pin_lasts_until_it_was_sent,
	    messages_go_where_the_entry_says, isa_lines_go_to_both_controllers_and_irq_0_to_pin_2)
