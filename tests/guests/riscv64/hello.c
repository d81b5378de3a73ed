// SPDX-License-Identifier: Apache-2.0
/* What else is true on riscv64. */
#include "runtime.h"

TEST(the_device_tree_names_the_extensions)
{
	CHECK(guest_isa_has("i"));
	CHECK(guest_isa_has("m"));
	CHECK(guest_isa_has("a"));
	CHECK(guest_isa_has("c"));
	/* A VM's CPU has no hypervisor extension; QEMU's own has. */
	CHECK(guest_isa_has("h") == !guest_cmdline_has("axvm"));
}

TEST(the_device_tree_names_the_interrupt_controller)
{
	CHECK((guest_plic.base != 0) != (guest_aia.aplic != 0));
	CHECK(guest_plic.sources + guest_aia.sources >= guest_machine.uart_irq);
}

TEST(sbi_is_there)
{
	struct guest_sbi version = guest_sbi(SBI_BASE, 0, 0, 0, 0);

	CHECK_EQ(version.error, SBI_SUCCESS);
	CHECK(version.value >= 2u << 24);
	CHECK(guest_sbi(SBI_BASE, 3, SBI_HSM, 0, 0).value != 0);
}

AXTEST_MAIN(the_device_tree_names_the_extensions, the_device_tree_names_the_interrupt_controller,
	    sbi_is_there)
