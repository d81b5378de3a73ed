/* SPDX-License-Identifier: Apache-2.0 */
/* The platform that the shortest VM file gets passes every check of VM files. */
#include "axtest.h"
#include "config_run.h"

#include <stdio.h>

TEST(the_shortest_file_is_right_for_the_platform)
{
	const struct axvm_platform *platform = &axvm_platform_x86_64;
	const struct config_run *run = config_run(platform, config_run_in_kernel(""));

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	CHECK_EQ(run->config->isa, AXVM_ISA_X86_64);
	CHECK_STR_EQ(platform->name, axvm_isa_name(run->config->isa));
	CHECK_EQ(run->config->memory[0].gpa.addr, platform->ram_base);
	CHECK_EQ(run->config->emu_count, platform->device_count);
	CHECK(platform->device_count > 0);
}

TEST(each_default_device_can_be_asked_for_by_type_alone)
{
	const struct axvm_platform *platform = &axvm_platform_x86_64;

	for (uint32_t i = 0; i < platform->device_count; i++) {
		const struct axvm_config_emu *device = &platform->devices[i];
		char line[128];
		const struct config_run *run;

		snprintf(line, sizeof(line), "emu_devices = [{ emu_type = \"%s\" }]\n",
			 axvm_emu_type_name(device->type));
		run = config_run(platform, config_run_in_devices(line));
		CHECK_STR_EQ(run->errors, "");
		REQUIRE_EQ(run->result, 0);
		CHECK_EQ(run->config->emu[0].base.addr, device->base.addr);
		CHECK_EQ(run->config->emu[0].bytes, device->bytes);
		CHECK_EQ(run->config->emu[0].irq, device->irq);
		CHECK_EQ(run->config->emu[0].arg_count, device->arg_count);
	}
}

static const struct config_run *run_with_memory(const char *size)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "[base]\nid = 1\nname = \"vm\"\n[kernel]\nkernel_path = \"bzImage\"\n"
		 "memory = \"%s\"\n",
		 size);
	return config_run(&axvm_platform_x86_64, text);
}

TEST(memory_that_does_not_end_below_three_gib_goes_on_at_four)
{
	const struct config_run *run = run_with_memory("3 GiB");

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	CHECK_EQ(run->config->memory_count, 1);
	CHECK_EQ(run->config->memory[0].bytes, 0xc0000000);

	run = run_with_memory("3145732 KiB");
	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	REQUIRE_EQ(run->config->memory_count, 2);
	CHECK_EQ(run->config->memory[0].gpa.addr, 0);
	CHECK_EQ(run->config->memory[0].bytes, 0xc0000000);
	CHECK_EQ(run->config->memory[1].gpa.addr, 0x100000000);
	CHECK_EQ(run->config->memory[1].bytes, 0x1000);
	CHECK_EQ(run->config->memory[1].flags, AXVM_MAP_RWX);
}

TEST(memory_beyond_what_the_platform_has_room_for_is_refused)
{
	CHECK_EQ(run_with_memory("1023 GiB")->result, 0);
	CHECK_EQ(run_with_memory("1024 GiB")->result, AXVM_EFORMAT);
	CHECK_STR_EQ(run_with_memory("1024 GiB")->errors,
		     "6:10: memory 1 TiB does not fit; the platform has room for 1023 GiB at "
		     "0x0-0xbfffffff and 0x100000000-0xffffffffff\n");
}

AXTEST_MAIN(the_shortest_file_is_right_for_the_platform,
	    each_default_device_can_be_asked_for_by_type_alone,
	    memory_that_does_not_end_below_three_gib_goes_on_at_four,
	    memory_beyond_what_the_platform_has_room_for_is_refused)
