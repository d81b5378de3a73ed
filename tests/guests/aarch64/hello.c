// SPDX-License-Identifier: Apache-2.0
/* What else is true on aarch64. */
#include "runtime.h"

TEST(the_first_cpu_runs_at_el1)
{
	CHECK_EQ(READ_SYSREG(currentel) >> 2, 1);
	CHECK_EQ(READ_SYSREG(mpidr_el1) & 0xff00ffffffull, guest_machine.cpu_id[0]);
}

TEST(the_device_tree_names_the_interrupt_controller)
{
	CHECK(guest_gic.distributor != 0);
	CHECK(guest_gic.redistributors != 0);
}

TEST(psci_is_there)
{
	int64_t version = guest_hvc(PSCI_VERSION, 0, 0, 0);

	CHECK(version >= 0x10000 && version < 0x20000);
	CHECK_EQ(guest_hvc(PSCI_FEATURES, PSCI_CPU_ON, 0, 0), PSCI_SUCCESS);
}

AXTEST_MAIN(the_first_cpu_runs_at_el1, the_device_tree_names_the_interrupt_controller,
	    psci_is_there)
