// SPDX-License-Identifier: Apache-2.0
/*
 * Wild accesses over the whole address space, all widths, reads and writes, as device memory and
 * as normal memory: each must end in completion or in one abort in this guest.
 */
#include "runtime.h"

#define WIDTHS 6u

static uint64_t random_state = 0x1234567;
static uint64_t access_count;
static uint64_t fault_count;

static bool is_ram(uint64_t address)
{
	uint64_t base = guest_machine.ram_base & ~(GUEST_GIB - 1);
	uint64_t end = guest_machine.ram_base + guest_machine.ram_bytes;

	return address >= base && address < end + 32;
}

/* Its own console shall stay usable, and on QEMU's machine devices with DMA are left alone. */
static bool may_write(uint64_t address)
{
	if (is_ram(address) || address >> 12 == guest_machine.uart >> 12)
		return false;
	return guest_cmdline_has("axvm") || address < 0x09000000 || address >= 1ull << 40;
}

static void read(uint64_t at, uint32_t width)
{
	switch (width) {
	case 0:
		(void)guest_read8(at);
		break;
	case 1:
		(void)guest_read16(at);
		break;
	case 2:
		(void)guest_read32(at);
		break;
	case 3:
		(void)guest_read64(at);
		break;
	case 4:
		__asm__ volatile("ldp x1, x2, [%0]" ::"r"(at) : "x1", "x2", "memory");
		break;
	default:
		__asm__ volatile("ldrsb x1, [%0], #1" : "+r"(at)::"x1", "memory");
		break;
	}
}

static void write(uint64_t at, uint32_t width, uint64_t value)
{
	switch (width) {
	case 0:
		guest_write8(at, (uint8_t)value);
		break;
	case 1:
		guest_write16(at, (uint16_t)value);
		break;
	case 2:
		guest_write32(at, (uint32_t)value);
		break;
	case 3:
		guest_write64(at, value);
		break;
	case 4:
		__asm__ volatile("stp %1, xzr, [%0]" ::"r"(at), "r"(value) : "memory");
		break;
	default:
		__asm__ volatile("strh %w1, [%0, #2]!" : "+&r"(at) : "r"(value) : "memory");
		break;
	}
}

/* The GiB of the address is in the window. */
static void touch(uint64_t address, uint32_t width)
{
	uint64_t at = GUEST_WINDOW + address % GUEST_GIB;
	struct guest_fault fault;

	if (is_ram(address))
		return;
	fault = PROBE(read(at, width));
	CHECK(fault.count <= 1);
	fault_count += fault.count;
	if (may_write(address)) {
		fault = PROBE(write(at, width, guest_random(&random_state)));
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
		touch(at, turn++ % WIDTHS);
}

TEST(every_64_kib_of_the_first_gib)
{
	sweep(0, GUEST_GIB, 65536, GUEST_DEVICE);
	sweep(0x8, GUEST_GIB, 65536, GUEST_NORMAL);
	CHECK(fault_count > 0);
}

TEST(every_page_where_devices_are)
{
	sweep(0x08000000, 0x0a200000, 4096, GUEST_DEVICE);
	sweep(0x08000004, 0x0a200000, 4096, GUEST_UNCACHED);
}

TEST(every_register_of_the_console_can_be_read_in_all_widths)
{
	guest_window(0, GUEST_DEVICE);
	for (uint64_t at = guest_machine.uart + 4; at < guest_machine.uart + 4096; at++) {
		struct guest_fault fault = PROBE(read(at, (uint32_t)at % 4));

		CHECK(fault.count <= 1);
	}
}

TEST(unaligned_accesses_to_devices_mapped_as_memory)
{
	uint64_t pages[] = { guest_machine.distributor + GICD_IPRIORITYR,
			     guest_machine.redistributors + GICR_SGI, 0x0c000000,
			     guest_machine.distributor + 0x10000 - 16 };

	guest_window(0, GUEST_NORMAL);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (uint32_t offset = 0; offset < 32; offset++) {
			for (uint32_t width = 0; width < WIDTHS; width++)
				touch(pages[i] + offset, width);
		}
	}
}

static void check_any(struct guest_fault fault)
{
	CHECK(fault.count <= 1);
}

TEST(cache_maintenance_and_atomics_on_devices_and_on_nothing)
{
	uint64_t places[] = { guest_machine.distributor, 0x0c000000 };

	guest_window(0, GUEST_NORMAL);
	for (size_t i = 0; i < 2; i++) {
		uint64_t at = GUEST_WINDOW + places[i];

		check_any(PROBE(__asm__ volatile("dc civac, %0" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("dc cvac, %0" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("dc ivac, %0" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("ic ivau, %0" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("prfm pldl1keep, [%0]" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("ldaxr w1, [%0]" ::"r"(at) : "x1", "memory")));
		check_any(PROBE(__asm__ volatile("stlr wzr, [%0]" ::"r"(at + 0xff0) : "memory")));
		check_any(PROBE(__asm__ volatile("at s1e1r, %0" ::"r"(at) : "memory")));
		/* Zeroes a block: the last, for what it does to the distributor. */
		check_any(PROBE(__asm__ volatile("dc zva, %0" ::"r"(at + 0xf000) : "memory")));
		struct guest_fault fault = PROBE(
			__asm__ volatile("1: ldxr w1, [%0]\n\tstxr w2, w1, [%0]" ::"r"(at + 0x800)
					 : "x1", "x2", "memory"));
		CHECK(fault.count <= 2);
		fault = PROBE(__asm__ volatile(".arch_extension simd\n\tldr q0, [%0]\n\t"
					       "str q0, [%0, #16]" ::"r"(at + 0x400)
					       : "memory"));
		CHECK(fault.count <= 2);
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
				touch(gib * GUEST_GIB + (offset & ~15ull), i % WIDTHS);
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
		touch(gib * GUEST_GIB + offset, i % WIDTHS);
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
		read(at, i % WIDTHS);
		if (may_write(at) && i % 2 == 0)
			write(at, i % WIDTHS, at);
		(void)guest_probe_end();
	}
}

TEST(two_cpus_at_once)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	REQUIRE_EQ(guest_cpu_start(1, wild, (void *)77), PSCI_SUCCESS);
	wild((void *)78);
	CHECK(guest_wait(&guest_cpus[1].done, 60000000));
	CHECK(guest_cpu_wait_off(1));
}

TEST(the_guest_is_as_it_was)
{
	CHECK(access_count > 10000);
	CHECK(guest_hvc(PSCI_VERSION, 0, 0, 0) > 0);
	CHECK_EQ(guest_read32(guest_machine.uart + 0xff0), 0x0d);
}

AXTEST_MAIN(every_64_kib_of_the_first_gib, every_page_where_devices_are,
	    every_register_of_the_console_can_be_read_in_all_widths,
	    unaligned_accesses_to_devices_mapped_as_memory,
	    cache_maintenance_and_atomics_on_devices_and_on_nothing, every_gib_of_the_first_tib,
	    random_places_up_to_the_last_address, two_cpus_at_once, the_guest_is_as_it_was)
