/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's device tree as it is made (src/guest_fdt.c, src/guest_fdt_write.c). */
#include <stdlib.h>
#include <string.h>

#include "fdt_reader.h"

TEST(the_tree_has_the_shape_of_qemus_virt_machine)
{
	begin();
	REQUIRE_EQ(make(), 0);
	check_valid();
	check_string("/", "compatible", "linux,dummy-virt");
	check_string("/", "model", "linux,dummy-virt");
	check_cells("/", "#address-cells", 1, 2, 0, 0, 0);
	check_cells("/", "#size-cells", 1, 2, 0, 0, 0);
	check_cells("/", "interrupt-parent", 1, 0x8002, 0, 0, 0);
	check_string("/memory@40000000", "device_type", "memory");
	check_cells("/memory@40000000", "reg", 4, 0, RAM, 0, GIB);
	check_bytes("/pl011@9000000", "compatible", "arm,pl011\0arm,primecell", 24);
	check_cells("/pl011@9000000", "reg", 4, 0, 0x9000000, 0, 0x1000);
	check_cells("/pl011@9000000", "interrupts", 3, 0, 1, 4, 0);
	check_cells("/pl011@9000000", "interrupt-parent", 1, 0x8002, 0, 0, 0);
	check_cells("/pl011@9000000", "clocks", 2, 0x8000, 0x8000, 0, 0);
	check_bytes("/pl011@9000000", "clock-names", "uartclk\0apb_pclk", 17);
	check_bytes("/pl031@9010000", "compatible", "arm,pl031\0arm,primecell", 24);
	check_cells("/pl031@9010000", "interrupts", 3, 0, 2, 4, 0);
	check_cells("/pl031@9010000", "clocks", 1, 0x8000, 0, 0, 0);
	check_string("/pl031@9010000", "clock-names", "apb_pclk");
	check_cells("/apb-pclk", "phandle", 1, 0x8000, 0, 0, 0);
	check_cells("/apb-pclk", "clock-frequency", 1, 24000000, 0, 0, 0);
	check_cells("/apb-pclk", "#clock-cells", 1, 0, 0, 0, 0);
	check_string("/apb-pclk", "compatible", "fixed-clock");
	check_string("/aliases", "serial0", "/pl011@9000000");
	check_string("/chosen", "stdout-path", "/pl011@9000000");
	check_string("/chosen", "bootargs", "console=ttyAMA0");
	CHECK(has_node("/cpus/cpu@1"));
	CHECK(has_node("/intc@8000000"));
	check_bytes("/intc@8000000", "compatible", "arm,gic-v3\0arm,gic", 19);
}

TEST(a_uart_that_is_passed_through_by_its_name_has_a_node)
{
	const struct axvm_config_passthrough devices[] = {
		{ .name = "pl01", .gpa = { 0x9020000 }, .bytes = 0x1000, .irq = 41 },
		{ .name = "/pl011", .path = "/pl011" },
		{ .name = "pl011-second", .gpa = { 0x9040000 }, .bytes = 0x1000, .irq = 40 },
	};

	begin();
	config.emu_count = 0;
	config.passthrough = devices;
	config.passthrough_count = 3;
	REQUIRE_EQ(make(), 0);
	check_valid();
	check_bytes("/pl011@9040000", "compatible", "arm,pl011\0arm,primecell", 24);
	check_cells("/pl011@9040000", "reg", 4, 0, 0x9040000, 0, 0x1000);
	check_cells("/pl011@9040000", "interrupts", 3, 0, 8, 4, 0);
	check_string("/chosen", "stdout-path", "/pl011@9040000");
	CHECK(has_node("/apb-pclk"));
	CHECK(!has_node("/pl011@9020000"));
}

TEST(what_there_is_none_of_is_not_in_the_tree)
{
	begin();
	config.emu_count = 1;
	config.cmdline = "";
	platform.fdt_machine = NULL;
	REQUIRE_EQ(make(), 0);
	check_valid();
	CHECK(has_node("/chosen"));
	CHECK(!has_node("/apb-pclk"));
	CHECK(!has_node("/aliases"));
	CHECK(!has_node("/cpus"));
	CHECK(!has_property("/chosen", "stdout-path"));
	CHECK(!has_property("/chosen", "bootargs"));
	CHECK(!has_property("/chosen", "linux,initrd-start"));
	CHECK(!has_property("/chosen", "rng-seed"));
	CHECK(!has_property("/chosen", "kaslr-seed"));
}

TEST(the_initrd_is_told_by_its_ends)
{
	begin();
	plan.initrd_gpa = 0x123456789000;
	plan.initrd_bytes = 0x1001;
	REQUIRE_EQ(make(), 0);
	check_cells("/chosen", "linux,initrd-start", 2, 0x1234, 0x56789000, 0, 0);
	check_cells("/chosen", "linux,initrd-end", 2, 0x1234, 0x5678a001, 0, 0);
}

TEST(a_seed_gives_both_seeds_and_can_be_changed_in_place)
{
	int length;
	uint64_t first;

	begin();
	fdt.seed = seed;
	REQUIRE_EQ(make(), 0);
	check_bytes("/chosen", "rng-seed", seed, 32);
	const void *kaslr = get("/chosen", "kaslr-seed", &length);

	REQUIRE_EQ(length, 8);
	memcpy(&first, kaslr, 8);
	CHECK(first != 0);
	seed[31] ^= 1;
	axvm_guest_fdt_reseed(tree, seed);
	check_bytes("/chosen", "rng-seed", seed, 32);
	CHECK(memcmp(get("/chosen", "kaslr-seed", &length), &first, 8) != 0);
	check_valid();

	begin(); /* one without a seed stays without */
	REQUIRE_EQ(make(), 0);
	axvm_guest_fdt_reseed(tree, seed);
	CHECK(!has_property("/chosen", "rng-seed"));
	check_valid();
}

TEST(each_memory_region_has_its_node_but_devices_have_none)
{
	begin();
	config.memory_count = 2;
	memory[1] = (struct axvm_config_memory){ .gpa = { 0x8080000000 },
						 .bytes = 5 * GIB,
						 .flags = AXVM_MAP_RWX };
	REQUIRE_EQ(make(), 0);
	CHECK(has_node("/memory@40000000"));
	check_cells("/memory@8080000000", "reg", 4, 0x80, 0x80000000, 1, 0x40000000);
	begin();
	config.memory_count = 2;
	memory[1].flags = AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE;
	REQUIRE_EQ(make(), 0);
	CHECK(!has_node("/memory@8080000000"));
}

TEST(the_controllers_phandle_is_the_platforms_choice)
{
	begin();
	controller_phandle = 7;
	REQUIRE_EQ(make(), 0);
	check_cells("/", "interrupt-parent", 1, 7, 0, 0, 0);
	check_cells("/pl011@9000000", "interrupt-parent", 1, 7, 0, 0, 0);
}

TEST(riscv64_devices_have_its_shapes)
{
	begin();
	platform.isa = AXVM_ISA_RISCV64;
	emu[1] = (struct axvm_config_emu){ .name = "uart",
					   .base = { 0x10000000 },
					   .bytes = 0x100,
					   .irq = 10,
					   .type = AXVM_EMU_NS16550 };
	emu[2] = (struct axvm_config_emu){ .name = "disk",
					   .base = { 0x10001000 },
					   .bytes = 0x1000,
					   .irq = 1,
					   .type = AXVM_EMU_VIRTIO_BLK };
	REQUIRE_EQ(make(), 0);
	check_string("/serial@10000000", "compatible", "ns16550a");
	check_cells("/serial@10000000", "interrupts", 1, 10, 0, 0, 0);
	check_cells("/serial@10000000", "clock-frequency", 1, 3686400, 0, 0, 0);
	check_string("/virtio_mmio@10001000", "compatible", "virtio,mmio");
	check_cells("/virtio_mmio@10001000", "interrupts", 1, 1, 0, 0, 0);
	check_string("/chosen", "stdout-path", "/serial@10000000");
	CHECK(!has_node("/apb-pclk"));
}

TEST(virtio_devices_have_edge_interrupts_on_the_gic)
{
	static const enum axvm_emu_type types[] = { AXVM_EMU_VIRTIO_BLK, AXVM_EMU_VIRTIO_NET,
						    AXVM_EMU_VIRTIO_CONSOLE };

	for (unsigned i = 0; i < 3; i++) {
		begin();
		emu[2] = (struct axvm_config_emu){ .name = "virtio",
						   .base = { 0xa000000 },
						   .bytes = 0x200,
						   .irq = 48,
						   .type = types[i] };
		REQUIRE_EQ(make(), 0);
		check_cells("/virtio_mmio@a000000", "interrupts", 3, 0, 16, 1, 0);
		check_bytes("/virtio_mmio@a000000", "dma-coherent", "", 0);
	}
}

TEST(a_device_without_an_interrupt_line_says_none)
{
	begin();
	emu[1].irq = 0;
	emu[2].irq = 31; /* no SPI */
	REQUIRE_EQ(make(), 0);
	CHECK(!has_property("/pl011@9000000", "interrupts"));
	CHECK(!has_property("/pl031@9010000", "interrupts"));
}

TEST(a_buffer_that_is_too_small_is_refused_at_each_size)
{
	begin();
	config.cmdline = "a command line";
	fdt.seed = seed;
	REQUIRE_EQ(make(), 0);

	uint64_t needed = bytes;
	uint64_t refused = 0;

	for (uint64_t capacity = 0; capacity < needed + 64; capacity++) {
		uint8_t *exact = aligned_alloc(8, (capacity + 8) & ~(uint64_t)7);

		fdt = (struct axvm_guest_fdt){ .buffer = exact,
					       .capacity = capacity,
					       .seed = seed };
		bytes = 0;
		int error = make();

		CHECK(error == 0 || error == AXVM_ENOMEM);
		CHECK(error == 0 ? bytes <= capacity : bytes == 0);
		refused += error != 0;
		free(exact);
	}
	CHECK(refused >= needed);
	CHECK(refused < needed + 64);
}

TEST(a_failing_platform_fails_the_tree)
{
	begin();
	machine_error = AXVM_ENOMEM;
	CHECK_EQ(make(), AXVM_ENOMEM);
	CHECK_EQ(bytes, 0);
}

TEST(cpus_are_numbered_as_qemu_numbers_them)
{
	static const uint64_t ids[] = { 0x80000100, 0x8100000203 };

	begin();
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 15), 15);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 16), 0x100);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 63), 0x30f);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_RISCV64, 63), 63);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_X86_64, 16), 16);
	config.phys_cpu_ids = ids;
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 0), 0x100);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 1), 0x8100000203);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_RISCV64, 0), 0x80000100);
}

AXTEST_MAIN(the_tree_has_the_shape_of_qemus_virt_machine,
	    a_uart_that_is_passed_through_by_its_name_has_a_node,
	    what_there_is_none_of_is_not_in_the_tree, the_initrd_is_told_by_its_ends,
	    a_seed_gives_both_seeds_and_can_be_changed_in_place,
	    each_memory_region_has_its_node_but_devices_have_none,
	    the_controllers_phandle_is_the_platforms_choice, riscv64_devices_have_its_shapes,
	    virtio_devices_have_edge_interrupts_on_the_gic,
	    a_device_without_an_interrupt_line_says_none,
	    a_buffer_that_is_too_small_is_refused_at_each_size, a_failing_platform_fails_the_tree,
	    cpus_are_numbered_as_qemu_numbers_them)
