// SPDX-License-Identifier: Apache-2.0
/* Page tables that change under the feet, and code where no code is. */
#include "runtime.h"

#define PLACES 8u

_Alignas(4096) static uint64_t table[2][512];
_Alignas(4096) static uint8_t page[3][4096];

static struct guest_fault call(uint64_t address)
{
	void (*run)(void) = (void (*)(void))(uintptr_t)address;

	return PROBE(run());
}

/* The window shows `table[1]`, 2 MiB by pages, at its beginning. */
static void window_of_pages(void)
{
	guest_window_table((uintptr_t)table[0]);
	table[0][0] = guest_entry_table((uintptr_t)table[1]);
	guest_tlb_flush();
	for (uint32_t i = 0; i < 3; i++)
		page[i][0] = (uint8_t)(i + 1);
}

/* An abort of the fetch, or whatever instruction the device's registers spell. */
static void check_cannot_run(uint64_t address)
{
	struct guest_fault fault = call(address);

	CHECK_EQ(fault.count, 1);
	if (!guest_cmdline_has("axvm") && guest_fault_kind(fault) == GUEST_FAULT_UNDEFINED)
		return;
	CHECK_EQ(guest_fault_kind(fault), GUEST_FAULT_FETCH);
	CHECK(guest_fault_is_external(fault));
	CHECK_EQ(fault.pc, address);
	CHECK_EQ(fault.address, address);
}

TEST(code_cannot_run_from_devices)
{
	uint64_t places[PLACES];
	uint32_t count = guest_device_places(places, PLACES);

	REQUIRE(count > 0);
	for (uint32_t attribute = 0; attribute < GUEST_ATTRIBUTES; attribute++) {
		guest_window(0, (enum guest_attribute)attribute);
		for (uint32_t i = 0; i < count; i++)
			check_cannot_run(GUEST_WINDOW + places[i] + 0x100);
	}
}

TEST(code_cannot_run_from_nowhere)
{
	guest_window(0, GUEST_NORMAL);
	for (uint32_t i = 0; i < 1000; i++)
		check_cannot_run(GUEST_WINDOW + GUEST_NOWHERE + 4096 * i);
	guest_window(600, GUEST_NORMAL);
	for (uint32_t i = 0; i < 1000; i++)
		check_cannot_run(GUEST_WINDOW + 4096 * i);
}

TEST(a_table_in_nowhere_aborts_the_walk)
{
	static const uint64_t places[] = { GUEST_NOWHERE, 600 * GUEST_GIB };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		guest_window_table(places[i]);
		struct guest_fault fault = PROBE((void)guest_read32(GUEST_WINDOW));
		CHECK_EQ(fault.count, 1);
		CHECK(guest_fault_is_walk(fault, GUEST_FAULT_DATA));
		CHECK_EQ(fault.address, GUEST_WINDOW);
		fault = call(GUEST_WINDOW);
		CHECK_EQ(fault.count, 1);
		CHECK(guest_fault_is_walk(fault, GUEST_FAULT_FETCH));
		fault = PROBE(guest_write64(GUEST_WINDOW, 1));
		CHECK_EQ(fault.count, 1);
	}
}

TEST(a_table_in_a_device_is_survived)
{
	uint64_t places[PLACES];
	uint32_t count = guest_device_places(places, PLACES);

	for (size_t i = 0; i < count; i++) {
		guest_window_table(places[i]);
		for (uint32_t step = 0; step < 512; step += 3) {
			uint64_t at = GUEST_WINDOW + (uint64_t)step * (2u << 20);
			struct guest_fault fault = PROBE((void)guest_read32(at));

			CHECK(fault.count <= 1);
		}
	}
}

TEST(a_page_is_moved_ten_thousand_times)
{
	window_of_pages();
	for (uint32_t round = 0; round < 10000; round++) {
		table[1][5] = 0;
		guest_tlb_flush();
		table[1][5] = guest_entry_page((uintptr_t)page[round % 3]);
		guest_tables_written();
		REQUIRE_EQ(guest_read8(GUEST_WINDOW + 5 * 4096), round % 3 + 1);
	}
}

/* Without the invalidation that the architecture asks for: old or new, nothing else. */
TEST(a_page_is_moved_without_a_flush)
{
	uint32_t odd = 0;

	window_of_pages();
	table[1][7] = guest_entry_page((uintptr_t)page[0]);
	guest_tables_written();
	for (uint32_t round = 0; round < 10000; round++) {
		table[1][7] = guest_entry_page((uintptr_t)page[round % 3]);
		guest_barrier();
		uint8_t seen = guest_read8(GUEST_WINDOW + 7 * 4096);
		odd += seen < 1 || seen > 3;
	}
	CHECK_EQ(odd, 0);
}

TEST(random_descriptors_are_survived)
{
	uint64_t random = 31337;

	guest_window_table((uintptr_t)table[0]);
	for (uint32_t round = 0; round < 20000; round++) {
		uint64_t descriptor = guest_random(&random);
		struct guest_fault fault;

		/* Away from the guest's own memory, which reads would not hurt but walks may. */
		table[0][1] = descriptor | 1ull << 39;
		guest_tlb_flush();
		fault = PROBE((void)guest_read32(GUEST_WINDOW + (2u << 20) + (descriptor & 0xffc)));
		CHECK(fault.count <= 1);
	}
	table[0][1] = 0;
}

TEST(code_that_rewrites_itself_runs_as_written)
{
	uint32_t *code = (uint32_t *)(uintptr_t)page[0];
	uint64_t (*run)(void) = (uint64_t(*)(void))(uintptr_t)page[0];

	for (uint32_t i = 0; i < 20000; i++) {
		guest_write_function(code, i % 2048);
		REQUIRE_EQ(run(), i % 2048);
	}
}

GUEST_SHARED_TESTS(code_cannot_run_from_devices, code_cannot_run_from_nowhere,
		   a_table_in_nowhere_aborts_the_walk, a_table_in_a_device_is_survived,
		   a_page_is_moved_ten_thousand_times, a_page_is_moved_without_a_flush,
		   random_descriptors_are_survived, code_that_rewrites_itself_runs_as_written)
