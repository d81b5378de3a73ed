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

AXTEST_MAIN(the_shortest_file_is_right_for_the_platform,
	    each_default_device_can_be_asked_for_by_type_alone)
