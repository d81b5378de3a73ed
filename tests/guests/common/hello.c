// SPDX-License-Identifier: Apache-2.0
/* The smallest guest: it has come up, and what it was told about its machine is true. */
#include "runtime.h"

TEST(the_device_tree_names_the_machine)
{
	CHECK(guest_machine.uart != 0);
	CHECK(guest_machine.uart_irq != 0);
	CHECK(guest_machine.cpu_count >= 1);
	CHECK(guest_hz() > 0);
}

TEST(all_of_the_memory_is_there_and_keeps_what_is_written)
{
	uint64_t end = guest_machine.ram_base + guest_machine.ram_bytes;
	uint64_t old = guest_read64(end - 8);

	REQUIRE(guest_machine.ram_bytes >= 8u << 20);
	for (uint64_t at = end - 8; at > end - (4u << 20); at -= 4096) {
		uint64_t kept = guest_read64(at);

		guest_write64(at, ~at);
		CHECK_EQ(guest_read64(at), ~at);
		guest_write64(at, kept);
	}
	CHECK_EQ(guest_read64(end - 8), old);
}

TEST(the_firmware_answers)
{
	CHECK(guest_firmware_version() > 0);
}

GUEST_SHARED_TESTS(the_device_tree_names_the_machine,
		   all_of_the_memory_is_there_and_keeps_what_is_written, the_firmware_answers)
