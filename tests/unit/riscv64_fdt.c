/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of this ISA's own machine in the guest's device tree (arch/riscv64/platform.c). */
#include "fdt_reader.h"
#include "isa.h"

#define NOBODY UINT32_MAX

static struct axvm_riscv64_host host;
static struct axvm_riscv64_view view;

static void use(const struct axvm_platform *wanted)
{
	begin();
	platform = *wanted;
	config.emu = wanted->devices;
	config.emu_count = wanted->device_count;
	memory[0].gpa = axvm_gpa(wanted->ram_base);
	fdt.timer_hz = 10000000;
}

static void check_make(void)
{
	REQUIRE_EQ(make(), 0);
	check_valid();
}

TEST(each_hart_has_a_node_and_a_controller_of_its_own)
{
	use(&axvm_platform_riscv64);
	check_make();
	check_cells("/cpus", "timebase-frequency", 1, 10000000, 0, 0, 0);
	check_cells("/cpus", "#address-cells", 1, 1, 0, 0, 0);
	check_cells("/cpus", "#size-cells", 1, 0, 0, 0, 0);
	check_string("/cpus/cpu@1", "device_type", "cpu");
	check_string("/cpus/cpu@1", "compatible", "riscv");
	check_string("/cpus/cpu@1", "status", "okay");
	check_cells("/cpus/cpu@1", "reg", 1, 1, 0, 0, 0);
	check_string("/cpus/cpu@1", "riscv,isa", "rv64imafdc_zicntr_zicsr_zifencei");
	check_string("/cpus/cpu@1", "riscv,isa-base", "rv64i");
	check_bytes("/cpus/cpu@1", "riscv,isa-extensions",
		    "i\0m\0a\0f\0d\0c\0zicntr\0zicsr\0zifencei", 34);
	check_string("/cpus/cpu@1", "mmu-type", "riscv,sv39");
	CHECK(!has_property("/cpus/cpu@1", "riscv,cbom-block-size"));
	check_string("/cpus/cpu@1/interrupt-controller", "compatible", "riscv,cpu-intc");
	check_cells("/cpus/cpu@1/interrupt-controller", "#interrupt-cells", 1, 1, 0, 0, 0);
	check_cells("/cpus/cpu@0/interrupt-controller", "phandle", 1, 1, 0, 0, 0);
	check_cells("/cpus/cpu@1/interrupt-controller", "phandle", 1, 2, 0, 0, 0);
	CHECK(!has_property("/cpus/cpu@1/interrupt-controller", "interrupt-parent"));
	CHECK(has_property("/cpus/cpu@0/interrupt-controller", "interrupt-controller"));
	CHECK(!has_node("/cpus/cpu@2"));
}

TEST(harts_are_described_as_the_host_has_them)
{
	static const char *const types[] = { "riscv,sv39", "riscv,sv39", "riscv,sv48", "riscv,sv57",
					     "riscv,sv39" };

	host = (struct axvm_riscv64_host){ .isa = "rv64imach_zicbom_zicbop_zicboz_svpbmt",
					   .cbom_block_bytes = 64,
					   .cboz_block_bytes = 128,
					   .cbop_block_bytes = 32 };
	view.host = &host;
	for (uint32_t levels = 2; levels < 7; levels++) {
		host.mmu_levels = levels;
		use(&axvm_platform_riscv64);
		fdt.host = &view;
		check_make();
		check_string("/cpus/cpu@0", "mmu-type", types[levels - 2]);
	}
	check_string("/cpus/cpu@0", "riscv,isa", "rv64imac_zicbom_zicbop_zicboz_svpbmt");
	check_bytes("/cpus/cpu@0", "riscv,isa-extensions",
		    "i\0m\0a\0c\0zicbom\0zicbop\0zicboz\0svpbmt", 36);
	check_cells("/cpus/cpu@0", "riscv,cbom-block-size", 1, 64, 0, 0, 0);
	check_cells("/cpus/cpu@0", "riscv,cboz-block-size", 1, 128, 0, 0, 0);
	check_cells("/cpus/cpu@0", "riscv,cbop-block-size", 1, 32, 0, 0, 0);
}

TEST(harts_have_the_configured_numbers)
{
	static const uint64_t ids[] = { 7, 0x123 };

	use(&axvm_platform_riscv64);
	config.phys_cpu_ids = ids;
	check_make();
	check_cells("/cpus/cpu@7", "reg", 1, 7, 0, 0, 0);
	check_cells("/cpus/cpu@123", "reg", 1, 0x123, 0, 0, 0);
	check_cells("/cpus/cpu@123/interrupt-controller", "phandle", 1, 2, 0, 0, 0);
}

TEST(a_plic_has_a_context_of_each_mode_and_says_interrupts_by_number)
{
	static const uint32_t outputs[8] = { 1, NOBODY, 1, 9, 2, NOBODY, 2, 9 };
	int length;
	const fdt32_t *cells;

	use(&axvm_platform_riscv64);
	check_make();
	check_bytes("/plic@c000000", "compatible", "sifive,plic-1.0.0\0riscv,plic0", 30);
	check_cells("/plic@c000000", "reg", 4, 0, 0xc000000, 0, 0x600000);
	check_cells("/plic@c000000", "riscv,ndev", 1, 95, 0, 0, 0);
	check_cells("/plic@c000000", "#interrupt-cells", 1, 1, 0, 0, 0);
	check_cells("/plic@c000000", "#address-cells", 1, 0, 0, 0, 0);
	CHECK(has_property("/plic@c000000", "interrupt-controller"));
	cells = get("/plic@c000000", "interrupts-extended", &length);
	REQUIRE_EQ(length, sizeof(outputs));
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(fdt32_ld(cells + i), outputs[i]);
	check_cells("/plic@c000000", "phandle", 1, 0x8002, 0, 0, 0);
	CHECK(!has_property("/", "interrupt-parent")); /* it would be the harts' controllers' too */
	check_cells("/serial@10000000", "interrupts", 1, 10, 0, 0, 0);
	check_cells("/serial@10000000", "interrupt-parent", 1, 0x8002, 0, 0, 0);
	check_cells("/serial@10000000", "reg", 4, 0, 0x10000000, 0, 0x100);
	check_string("/serial@10000000", "compatible", "ns16550a");
	check_string("/chosen", "stdout-path", "/serial@10000000");
}

TEST(an_aplic_alone_is_wired_to_the_harts)
{
	use(&axvm_platform_riscv64_aplic);
	check_make();
	check_bytes("/interrupt-controller@d000000", "compatible", "qemu,aplic\0riscv,aplic", 23);
	check_cells("/interrupt-controller@d000000", "reg", 4, 0, 0xd000000, 0, 0x8000);
	check_cells("/interrupt-controller@d000000", "riscv,num-sources", 1, 95, 0, 0, 0);
	check_cells("/interrupt-controller@d000000", "#interrupt-cells", 1, 2, 0, 0, 0);
	check_cells("/interrupt-controller@d000000", "interrupts-extended", 4, 1, 9, 2, 9);
	CHECK(!has_property("/interrupt-controller@d000000", "msi-parent"));
	check_cells("/serial@10000000", "interrupts", 2, 10, 4, 0, 0);
	CHECK(!has_node("/plic@c000000"));
	CHECK(!has_node("/interrupt-controller@28000000"));
}

TEST(an_aplic_with_imsics_sends_messages_to_them)
{
	use(&axvm_platform_riscv64_aia);
	check_make();
	check_bytes("/interrupt-controller@28000000", "compatible", "qemu,imsics\0riscv,imsics",
		    25);
	check_cells("/interrupt-controller@28000000", "reg", 4, 0, 0x28000000, 0, 0x2000);
	check_cells("/interrupt-controller@28000000", "riscv,num-ids", 1, 255, 0, 0, 0);
	check_cells("/interrupt-controller@28000000", "interrupts-extended", 4, 1, 9, 2, 9);
	check_cells("/interrupt-controller@28000000", "#interrupt-cells", 1, 0, 0, 0, 0);
	CHECK(has_property("/interrupt-controller@28000000", "msi-controller"));
	CHECK(!has_property("/interrupt-controller@28000000", "riscv,guest-index-bits"));
	check_cells("/interrupt-controller@28000000", "phandle", 1, 0x8003, 0, 0, 0);
	check_cells("/interrupt-controller@d000000", "msi-parent", 1, 0x8003, 0, 0, 0);
	CHECK(!has_property("/interrupt-controller@d000000", "interrupts-extended"));
	check_cells("/serial@10000000", "interrupts", 2, 10, 4, 0, 0);
	check_cells("/serial@10000000", "interrupt-parent", 1, 0x8002, 0, 0, 0);
}

TEST(a_plic_with_the_hosts_sources_or_the_hosts_own_has_the_same_node)
{
	static const struct axvm_config_emu partial = { .name = "plic",
							.base = { 0xc000000 },
							.bytes = 0x600000,
							.type = AXVM_EMU_PPPT_GLOBAL };
	static const struct axvm_config_passthrough devices[] = {
		{ .name = "PLIC@c000000", .gpa = { 0xc000000 }, .bytes = 0x210000, .irq = 1 },
		{ .name = "serial@10000000", .gpa = { 0x10000000 }, .bytes = 0x1000, .irq = 10 },
	};

	use(&axvm_platform_riscv64);
	config.emu = &partial;
	config.emu_count = 1;
	check_make();
	CHECK(has_node("/plic@c000000"));
	use(&axvm_platform_riscv64);
	config.emu_count = 0;
	config.passthrough = devices;
	config.passthrough_count = 2;
	check_make();
	CHECK(has_node("/plic@c000000"));
	check_cells("/serial@10000000", "interrupts", 1, 10, 0, 0, 0);
	check_cells("/serial@10000000", "reg", 4, 0, 0x10000000, 0, 0x1000);
	check_string("/chosen", "stdout-path", "/serial@10000000");
	CHECK(!has_node("/apb-pclk"));
}

TEST(without_a_controller_devices_have_no_interrupts)
{
	use(&axvm_platform_riscv64);
	config.emu = &axvm_platform_riscv64.devices[1];
	config.emu_count = 1;
	check_make();
	CHECK(!has_node("/plic@c000000"));
	CHECK(has_node("/serial@10000000"));
	CHECK(!has_property("/serial@10000000", "interrupts"));
	CHECK(!has_property("/", "interrupt-parent"));
}

TEST(the_room_that_is_planned_holds_as_many_harts_as_there_can_be)
{
	static char isa[AXVM_RISCV64_ISA_BYTES] = "rv64imafdcv";
	static _Alignas(8) uint8_t large[0x10000 * (1 + AXVM_VCPUS_MAX / 16)];

	for (unsigned i = 0; i < 90; i++) /* longer than any host's of today */
		strcat(isa, "_ziccamoa");
	host = (struct axvm_riscv64_host){ .isa = isa, .vlen_bytes = 16, .mmu_levels = 5 };
	view.host = &host;
	use(&axvm_platform_riscv64);
	fdt.host = &view;
	fdt.buffer = large;
	fdt.capacity = sizeof(large);
	config.vcpu_count = AXVM_VCPUS_MAX;
	REQUIRE_EQ(make(), 0);
	CHECK_EQ(fdt_check_full(large, bytes), 0);
	for (uint64_t capacity = 0x100; capacity < 0x2000; capacity += 0x100) {
		use(&axvm_platform_riscv64_aia);
		fdt.host = &view;
		fdt.capacity = capacity;
		config.vcpu_count = 8;
		CHECK_EQ(make(), AXVM_ENOMEM);
	}
}

AXTEST_MAIN(each_hart_has_a_node_and_a_controller_of_its_own,
	    harts_are_described_as_the_host_has_them, harts_have_the_configured_numbers,
	    a_plic_has_a_context_of_each_mode_and_says_interrupts_by_number,
	    an_aplic_alone_is_wired_to_the_harts, an_aplic_with_imsics_sends_messages_to_them,
	    a_plic_with_the_hosts_sources_or_the_hosts_own_has_the_same_node,
	    without_a_controller_devices_have_no_interrupts,
	    the_room_that_is_planned_holds_as_many_harts_as_there_can_be)
