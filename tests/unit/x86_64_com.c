/* SPDX-License-Identifier: Apache-2.0 */
/* COM1 in I/O ports (arch/x86_64/intc/com.c); what the UART itself does is tested in ns16550.c. */
#include "intc/com.h"

#include "port_vm.h"

#define COM1 0x3f8

static int make(void)
{
	static const struct axvm_config_emu config = {
		.name = "com1",
		.base = { COM1 },
		.bytes = 8,
		.irq = 4,
		.type = AXVM_EMU_CONSOLE,
	};

	device_irq = 4;
	device.type = &axvm_com_device_type;
	device.vm = &device_vm;
	device.name = config.name;
	return axvm_com_device_type.create(&device, &config);
}

static void begin(void)
{
	device_vm_reset();
	REQUIRE_EQ(make(), 0);
}

TEST(it_is_in_ports_and_not_in_memory)
{
	begin();
	CHECK_EQ(device_vm.mmio.count, 0);
	CHECK_EQ(device_vm.arch.ports.count, 1);
	CHECK(axvm_bus_find(&device_vm.arch.ports, COM1 - 1, 1) == NULL);
	CHECK(axvm_bus_find(&device_vm.arch.ports, COM1 + 8, 1) == NULL);
	CHECK_EQ(inb(COM1 + 5), 0x60); /* LSR: empty */
	outb(COM1 + 7, 0x5a);
	CHECK_EQ(inb(COM1 + 7), 0x5a);
	device_end();
}

TEST(what_a_guest_sends_is_its_console_and_what_comes_in_is_irq_4)
{
	begin();
	for (const char *c = "hello\n"; *c; c++)
		outb(COM1, (unsigned char)*c);
	CHECK_STR_EQ(axvm_sim_console(&device_vm), "hello\n");
	outb(COM1 + 1, 1);
	CHECK(!irq_level);
	REQUIRE(device.type->input != NULL);
	CHECK_EQ(device.type->input(&device, "x", 1), 1);
	CHECK(irq_level);
	CHECK_EQ(inb(COM1), 'x');
	CHECK(!irq_level);
	device_end();
}

TEST(its_type_takes_input_so_that_it_becomes_the_console)
{
	begin();
	CHECK_EQ(axvm_com_device_type.input(&device, "ab", 2), 2);
	CHECK_EQ(axvm_com_device_type.read(&device, &device_vcpu, 0, 1), 'a');
	axvm_com_device_type.write(&device, &device_vcpu, 7, 1, 3);
	CHECK_EQ(inb(COM1 + 7), 3);
	axvm_com_device_type.reset(&device);
	CHECK_EQ(inb(COM1 + 5), 0x60);
	device_end();
}

TEST(without_memory_or_ports_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(make(), AXVM_ENOMEM);

	begin();
	CHECK_EQ(make(), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(it_is_in_ports_and_not_in_memory,
	    what_a_guest_sends_is_its_console_and_what_comes_in_is_irq_4,
	    its_type_takes_input_so_that_it_becomes_the_console,
	    without_memory_or_ports_it_is_not_made)
