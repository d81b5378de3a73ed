/* SPDX-License-Identifier: Apache-2.0 */
/* VM files of this ISA: the choice of the interrupt controller, and files as upstream writes them. */
#include "axtest.h"
#include "config_run.h"

#include <string.h>

static const struct config_run *run_devices(const char *lines)
{
	return config_run(&axvm_platform_riscv64, config_run_in_devices(lines));
}

static void check_refused(const char *lines, const char *errors)
{
	const struct config_run *run = run_devices(lines);

	CHECK_EQ(run->result, AXVM_EFORMAT);
	CHECK_STR_EQ(run->errors, errors);
}

static void check_types(const struct config_run *run, uint32_t count, enum axvm_emu_type a,
			enum axvm_emu_type b, enum axvm_emu_type c)
{
	const enum axvm_emu_type types[3] = { a, b, c };

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	REQUIRE_EQ(run->config->emu_count, count);
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQ(run->config->emu[i].type, types[i]);
	CHECK_EQ(run->config->irq_mode, AXVM_IRQ_EMULATED);
}

/* ---- the choice ------------------------------------------------------------------------------- */

TEST(a_file_chooses_its_interrupt_controller)
{
	check_types(run_devices("interrupt_controller = \"plic\"\n"), 2, AXVM_EMU_PLIC,
		    AXVM_EMU_NS16550, 0);
	check_types(run_devices("interrupt_controller = \"aplic\"\n"), 2, AXVM_EMU_APLIC,
		    AXVM_EMU_NS16550, 0);
	check_types(run_devices("interrupt_controller = \"aia\"\n"), 3, AXVM_EMU_APLIC,
		    AXVM_EMU_IMSIC, AXVM_EMU_NS16550);
}

TEST(a_file_that_does_not_choose_gets_the_hosts)
{
	check_types(config_run(&axvm_platform_riscv64, config_run_in_kernel("")), 2, AXVM_EMU_PLIC,
		    AXVM_EMU_NS16550, 0);
	check_types(config_run(&axvm_platform_riscv64_aplic, config_run_in_kernel("")), 2,
		    AXVM_EMU_APLIC, AXVM_EMU_NS16550, 0);
	check_types(config_run(&axvm_platform_riscv64_aia, config_run_in_kernel("")), 3,
		    AXVM_EMU_APLIC, AXVM_EMU_IMSIC, AXVM_EMU_NS16550);
	check_types(config_run(&axvm_platform_riscv64_aia,
			       config_run_in_devices("interrupt_controller = \"plic\"\n")),
		    2, AXVM_EMU_PLIC, AXVM_EMU_NS16550, 0);
}

TEST(the_choice_goes_with_devices_that_are_passed_through)
{
	check_types(run_devices("interrupt_controller = \"aplic\"\n"
				"passthrough_devices = [[\"serial@10000000\", 0x1000_0000, "
				"0x1000_0000, 0x1000, 10]]\n"),
		    1, AXVM_EMU_APLIC, 0, 0);
}

TEST(a_choice_from_which_nothing_would_follow_is_refused)
{
	check_refused(
		"interrupt_controller = \"gicv3\"\n",
		"7:24: interrupt_controller \"gicv3\" is unknown; allowed: \"plic\", \"aplic\", "
		"\"aia\"\n");
	check_refused("interrupt_controller = 1\n",
		      "7:24: interrupt_controller: expected a name, found 1\n");
	check_refused("interrupt_controller = \"aia\"\nemu_devices = []\n",
		      "7:24: interrupt_controller chooses the platform's machine, but emu_devices "
		      "lists another: put the controller there, or leave one of the two out\n");
	check_refused("interrupt_controller = \"aia\"\ninterrupt_mode = \"no_irq\"\n",
		      "7:24: interrupt_controller needs interrupt_mode \"emulated\"\n");
}

/* ---- controllers in the list ------------------------------------------------------------------- */

TEST(each_device_of_each_machine_can_be_asked_for_by_type_alone)
{
	for (uint32_t i = 0; i < axvm_platform_riscv64.machine_count; i++) {
		const struct axvm_machine *machine = &axvm_platform_riscv64.machines[i];
		char lines[256] = "emu_devices = [";

		for (uint32_t k = 0; k < machine->device_count; k++) {
			strcat(lines, "{ emu_type = \"");
			strcat(lines, axvm_emu_type_name(machine->devices[k].type));
			strcat(lines, "\" },");
		}
		strcat(lines, "]\n");

		const struct config_run *run = run_devices(lines);

		CHECK_STR_EQ(run->errors, "");
		REQUIRE_EQ(run->result, 0);
		for (uint32_t k = 0; k < machine->device_count; k++) {
			CHECK_EQ(run->config->emu[k].base.addr, machine->devices[k].base.addr);
			CHECK_EQ(run->config->emu[k].bytes, machine->devices[k].bytes);
			CHECK_EQ(run->config->emu[k].irq, machine->devices[k].irq);
		}
	}
}

TEST(what_cannot_work_together_is_refused_where_it_stands)
{
	check_refused(
		"emu_devices = [{ emu_type = \"plic\" }, { emu_type = \"aplic\" }]\n",
		"7:39: emu_devices[1] is an interrupt controller beside emu_devices[0]; a VM has "
		"at most one\n");
	check_refused(
		"emu_devices = [{ emu_type = \"plic\" }, [\"p\", 0x2000_0000, 0x60_0000, 0, "
		"0x30, [2]]]\n",
		"7:45: emu_devices[1] is an interrupt controller beside emu_devices[0]; a VM has "
		"at most one\n");
	check_refused(
		"emu_devices = [{ emu_type = \"imsic\" }]\n",
		"7:16: emu_devices[0] is an \"imsic\" without an \"aplic\", which would send it "
		"messages\n");
	check_refused("emu_devices = [{ emu_type = \"aplic\" }, [\"b\", 0x2000_0000, 0x8000, 0, "
		      "0x45, []]]\n",
		      "7:46: emu_devices[1] is a second \"aplic\"; a VM has at most one\n");
}

TEST(a_controller_has_room_for_all_vcpus)
{
	static const struct {
		const char *type, *too_small, *enough, *needed;
	} rows[] = {
		{ "plic", "0x20_3000", "0x20_4000", "0x204000" },
		{ "aplic", "0x4020", "0x4040", "0x4040" },
	};
	char lines[256];

	for (unsigned i = 0; i < 2; i++) {
		const struct config_run *run;

		for (unsigned fits = 0; fits < 2; fits++) {
			strcpy(lines, "[base]\nid = 1\nname = \"vm\"\ncpu_num = 2\n[kernel]\n"
				      "kernel_path = \"Image\"\nmemory = \"64 MiB\"\n[devices]\n"
				      "emu_devices = [{ emu_type = \"");
			strcat(lines, rows[i].type);
			strcat(lines, "\", length = ");
			strcat(lines, fits ? rows[i].enough : rows[i].too_small);
			strcat(lines, " }]\n");
			run = config_run(&axvm_platform_riscv64, lines);
			CHECK_EQ(run->result, fits ? 0 : AXVM_EFORMAT);
			CHECK_EQ(strstr(run->errors, rows[i].needed) != NULL, !fits);
		}
	}
	check_refused("emu_devices = [{ emu_type = \"aplic\" }, { emu_type = \"imsic\", "
		      "length = 0xfff }]\n",
		      "7:40: emu_devices[1].length 0xfff is too small for all vCPUs, which need "
		      "0x1000\n");
}

/* ---- as upstream writes them -------------------------------------------------------------------- */

TEST(linux_as_upstream_runs_it_on_qemu)
{
	static const char text[] =
		"[base]\nid = 1\nname = \"linux-qemu\"\nvm_type = 1\ncpu_num = 1\n"
		"phys_cpu_ids = [0]\n"
		"[kernel]\nentry_point = 0x9020_0000\nimage_location = \"memory\"\n"
		"kernel_path = \"Image\"\nkernel_load_addr = 0x9020_0000\n"
		"dtb_path = \"linux-qemu.dtb\"\ndtb_load_addr = 0x9300_0000\n"
		"memory_regions = [[0x9000_0000, 0x400_0000, 0x7, 1]]\n"
		"[devices]\n"
		"emu_devices = [[\"plic\", 0x0c00_0000, 0x60_0000, 0, 0x30, [2]]]\n"
		"passthrough_devices = [[\"/soc/serial@10000000\"], "
		"[\"/soc/virtio_mmio@10001000\"], [\"/soc/virtio_mmio@10002000\"], "
		"[\"/soc/virtio_mmio@10003000\"], [\"/soc/virtio_mmio@10004000\"], "
		"[\"/soc/virtio_mmio@10005000\"], [\"/soc/virtio_mmio@10006000\"], "
		"[\"/soc/virtio_mmio@10007000\"], [\"/soc/virtio_mmio@10008000\"]]\n"
		"passthrough_addresses = [[0x1000_0000, 0x1000], [0x1000_1000, 0x8000]]\n"
		"interrupt_mode = \"passthrough\"\n";
	const struct config_run *run = config_run(&axvm_platform_riscv64, text);
	const struct axvm_config *config = run->config;

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	CHECK_EQ(config->kernel.load.addr, 0x90200000);
	CHECK_EQ(config->entry.addr, 0x90200000);
	CHECK_EQ(config->dtb.load.addr, 0x93000000);
	CHECK_EQ(config->memory[0].map_type, AXVM_MEMORY_IDENTICAL);
	CHECK_EQ(config->irq_mode, AXVM_IRQ_PASSTHROUGH);
	REQUIRE_EQ(config->emu_count, 1);
	CHECK_EQ(config->emu[0].type, AXVM_EMU_PPPT_GLOBAL);
	CHECK_EQ(config->emu[0].args[0], 2);
	REQUIRE_EQ(config->passthrough_count, 9);
	CHECK_STR_EQ(config->passthrough[0].path, "/soc/serial@10000000");
	CHECK_STR_EQ(config->passthrough[8].path, "/soc/virtio_mmio@10008000");
	REQUIRE_EQ(config->passthrough_address_count, 2);
	CHECK_EQ(config->passthrough_addresses[1].base, 0x10001000);
}

TEST(arceos_as_upstream_runs_it_on_qemu)
{
	static const char text[] =
		"[base]\nid = 1\nname = \"arceos\"\nvm_type = 1\ncpu_num = 1\nphys_cpu_ids = [0]\n"
		"[kernel]\nentry_point = 0x8020_0000\nimage_location = \"memory\"\n"
		"kernel_path = \"arceos.bin\"\nkernel_load_addr = 0x8020_0000\n"
		"dtb_load_addr = 0x8220_0000\n"
		"memory_regions = [[0x8000_0000, 0x400_0000, 0x7, 0]]\n"
		"[devices]\ninterrupt_mode = \"passthrough\"\nemu_devices = []\n"
		"passthrough_devices = []\n";
	const struct config_run *run = config_run(&axvm_platform_riscv64, text);

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	CHECK_EQ(run->config->memory[0].map_type, AXVM_MEMORY_ALLOC);
	CHECK_EQ(run->config->dtb.load.addr, 0x82200000);
	CHECK_EQ(run->config->emu_count, 0);
	CHECK_EQ(run->config->passthrough_count, 0);
	CHECK_EQ(run->config->irq_mode, AXVM_IRQ_PASSTHROUGH);
}

TEST(interrupts_go_up_to_1023)
{
	check_refused("emu_devices = [{ emu_type = \"ns16550\", irq_id = 1024 }]\n",
		      "7:49: emu_devices[0].irq_id 1024 is out of range; allowed: 0 to 1023\n");
	CHECK_EQ(run_devices("emu_devices = [{ emu_type = \"ns16550\", irq_id = 1023 }]\n")->result,
		 0);
}

AXTEST_MAIN(a_file_chooses_its_interrupt_controller, a_file_that_does_not_choose_gets_the_hosts,
	    the_choice_goes_with_devices_that_are_passed_through,
	    a_choice_from_which_nothing_would_follow_is_refused,
	    each_device_of_each_machine_can_be_asked_for_by_type_alone,
	    what_cannot_work_together_is_refused_where_it_stands,
	    a_controller_has_room_for_all_vcpus, linux_as_upstream_runs_it_on_qemu,
	    arceos_as_upstream_runs_it_on_qemu, interrupts_go_up_to_1023)
