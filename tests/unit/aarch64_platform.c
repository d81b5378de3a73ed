/* SPDX-License-Identifier: Apache-2.0 */
/* The platform of this ISA and its one machine. */
#include "axtest.h"
#include "config_run.h"

TEST(its_interrupt_controller_is_a_gicv3)
{
	const struct axvm_platform *platform = &axvm_platform_aarch64;
	const struct config_run *run =
		config_run(platform, config_run_in_devices("interrupt_controller = \"gicv3\"\n"));

	CHECK_STR_EQ(run->errors, "");
	REQUIRE_EQ(run->result, 0);
	CHECK_EQ(run->config->emu_count, platform->device_count);
	CHECK_EQ(run->config->emu[0].type, AXVM_EMU_GICV3);
	run = config_run(platform, config_run_in_devices("interrupt_controller = \"plic\"\n"));
	CHECK_STR_EQ(run->errors,
		     "7:24: interrupt_controller \"plic\" is unknown; allowed: \"gicv3\"\n");
}

AXTEST_MAIN(its_interrupt_controller_is_a_gicv3)
