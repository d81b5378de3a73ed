// SPDX-License-Identifier: Apache-2.0
/*
 * Wild accesses over the whole address space, all widths, reads and writes, with every attribute that
 * memory can have: each must end in completion or in one fault in this guest.
 */
#include "runtime.h"

#define KINDS GUEST_ACCESS_KINDS

static uint64_t random_state = 0x1234567;
static uint64_t access_count;
static uint64_t fault_count;

static bool is_ram(uint64_t address)
{
	uint64_t base = guest_machine.ram_base & ~(GUEST_GIB - 1);
	uint64_t end = guest_machine.ram_base + guest_machine.ram_bytes;

	return address >= base && address < end + 32;
}

/* Its own console shall stay usable, and on QEMU's machine not everything may be written. */
static bool may_write(uint64_t address)
{
	if (is_ram(address) || address >> 12 == guest_machine.uart >> 12)
		return false;
	return guest_cmdline_has("axvm") || guest_access_is_harmless(address);
}

/* The GiB of the address is in the window. */
static void touch(uint64_t address, uint32_t kind)
{
	uint64_t at = GUEST_WINDOW + address % GUEST_GIB;
	struct guest_fault fault;

	if (is_ram(address))
		return;
	fault = PROBE(guest_access_read(at, kind));
	CHECK(fault.count <= 1);
	fault_count += fault.count;
	if (may_write(address)) {
		fault = PROBE(guest_access_write(at, kind, guest_random(&random_state)));
		CHECK(fault.count <= 1);
		fault_count += fault.count;
	}
	access_count++;
}

static void sweep(uint64_t start, uint64_t end, uint64_t step, enum guest_attribute attribute)
{
	uint32_t turn = 0;

	guest_window(start / GUEST_GIB, attribute);
	for (uint64_t at = start; at < end; at += step)
		touch(at, turn++ % KINDS);
}

TEST(every_64_kib_of_the_first_gib)
{
	sweep(0, GUEST_GIB, 65536, GUEST_DEVICE);
	sweep(0x8, GUEST_GIB, 65536, GUEST_NORMAL);
	CHECK(fault_count > 0);
}

TEST(every_page_where_devices_are)
{
	sweep(GUEST_DEVICES, GUEST_DEVICES_END, 4096, GUEST_DEVICE);
	sweep(GUEST_DEVICES + 4, GUEST_DEVICES_END, 4096, GUEST_UNCACHED);
}

TEST(every_register_of_the_console_can_be_read_in_all_widths)
{
	guest_window(0, GUEST_DEVICE);
	for (uint64_t at = guest_machine.uart + 4; at < guest_machine.uart + 4096; at++) {
		struct guest_fault fault = PROBE(guest_access_read(at, (uint32_t)at % 4));

		CHECK(fault.count <= 1);
	}
}

TEST(unaligned_accesses_to_devices_mapped_as_memory)
{
	uint64_t places[8];
	uint32_t count = guest_device_places(places, 7);

	REQUIRE(count > 0);
	places[count++] = GUEST_NOWHERE;
	guest_window(0, GUEST_NORMAL);
	for (size_t i = 0; i < count; i++) {
		for (uint32_t offset = 0; offset < 32; offset++) {
			for (uint32_t kind = 0; kind < KINDS; kind++)
				touch(places[i] + offset, kind);
		}
	}
}

TEST(every_gib_of_the_first_tib)
{
	uint64_t limit = 1ull << guest_pa_bits();

	for (uint64_t gib = 1; gib < 1024 && gib * GUEST_GIB < limit; gib++) {
		guest_window(gib, gib % 2 ? GUEST_DEVICE : GUEST_NORMAL);
		for (uint32_t i = 0; i < 8; i++) {
			uint64_t offset = guest_random(&random_state) % (GUEST_GIB - 64);

			if (guest_cmdline_has("axvm") || gib >= 600)
				touch(gib * GUEST_GIB + (offset & ~15ull), i % KINDS);
		}
	}
}

TEST(random_places_up_to_the_last_address)
{
	uint64_t gibs = (1ull << guest_pa_bits()) / GUEST_GIB;

	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t gib = guest_random(&random_state) % gibs;
		uint64_t offset = guest_random(&random_state) % (GUEST_GIB - 64) & ~15ull;

		if (gib < 600 && !guest_cmdline_has("axvm"))
			continue;
		guest_window(gib, GUEST_DEVICE);
		touch(gib * GUEST_GIB + offset, i % KINDS);
	}
	guest_window(gibs - 1, GUEST_DEVICE);
	touch(gibs * GUEST_GIB - 16, 4);
	touch(gibs * GUEST_GIB - 8, 3);
}

static void wild(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t at = guest_random(&state) % (GUEST_GIB - 64) & ~15ull;

		guest_probe_begin();
		guest_access_read(at, i % KINDS);
		if (may_write(at) && i % 2 == 0)
			guest_access_write(at, i % KINDS, at);
		(void)guest_probe_end();
	}
}

TEST(two_cpus_at_once)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	REQUIRE_EQ(guest_cpu_start(1, wild, (void *)77), 0);
	wild((void *)78);
	CHECK(guest_wait(&guest_cpus[1].done, 60000000));
	CHECK(guest_cpu_wait_off(1));
}

TEST(the_guest_is_as_it_was)
{
	CHECK(access_count > 10000);
	CHECK(guest_firmware_version() > 0);
}

GUEST_SHARED_TESTS(every_64_kib_of_the_first_gib, every_page_where_devices_are,
		   every_register_of_the_console_can_be_read_in_all_widths,
		   unaligned_accesses_to_devices_mapped_as_memory, every_gib_of_the_first_tib,
		   random_places_up_to_the_last_address, two_cpus_at_once, the_guest_is_as_it_was)
