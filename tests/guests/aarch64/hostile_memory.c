// SPDX-License-Identifier: Apache-2.0
/* Page tables that change under the feet, and code where no code is. */
#include "runtime.h"

#define BLOCK_FLAGS (1u | 1u << 10 | 3u << 8)
#define NOWHERE 0x0c000000ull

_Alignas(4096) static uint64_t table[2][512];
_Alignas(4096) static uint8_t page[3][4096];

static void point_window(uint64_t descriptor)
{
	guest_level1[511] = 0;
	guest_tlb_flush();
	guest_level1[511] = descriptor;
	guest_tlb_flush();
}

static struct guest_fault call(uint64_t address)
{
	void (*run)(void) = (void (*)(void))(uintptr_t)address;

	return PROBE(run());
}

/* An abort of the fetch, or whatever instruction the device's registers spell. */
static void check_cannot_run(uint64_t address)
{
	struct guest_fault fault = call(address);
	uint32_t class = guest_fault_class(fault);

	CHECK_EQ(fault.count, 1);
	if (!guest_cmdline_has("axvm") && class == EC_UNKNOWN)
		return;
	CHECK_EQ(class, EC_INSTRUCTION_ABORT);
	CHECK_EQ(fault.esr & 0x3f, FSC_SYNC_EXTERNAL);
	CHECK_EQ(fault.pc, address);
	CHECK_EQ(fault.far, address);
}

TEST(code_cannot_run_from_devices)
{
	for (uint32_t attribute = GUEST_DEVICE; attribute <= GUEST_UNCACHED; attribute++) {
		guest_window(0, (enum guest_attribute)attribute);
		check_cannot_run(GUEST_WINDOW + guest_machine.uart + 0x100);
		check_cannot_run(GUEST_WINDOW + guest_machine.distributor + 0x8000);
		check_cannot_run(GUEST_WINDOW + guest_machine.redistributors + 0x200);
	}
}

TEST(code_cannot_run_from_nowhere)
{
	guest_window(0, GUEST_NORMAL);
	for (uint32_t i = 0; i < 1000; i++)
		check_cannot_run(GUEST_WINDOW + NOWHERE + 4096 * i);
	guest_window(600, GUEST_NORMAL);
	for (uint32_t i = 0; i < 1000; i++)
		check_cannot_run(GUEST_WINDOW + 4096 * i);
}

TEST(a_table_in_nowhere_aborts_the_walk)
{
	static const uint64_t places[] = { NOWHERE, 600 * GUEST_GIB };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		point_window(places[i] | 3);
		struct guest_fault fault = PROBE((void)guest_read32(GUEST_WINDOW));
		CHECK_EQ(fault.count, 1);
		CHECK_EQ(guest_fault_class(fault), EC_DATA_ABORT);
		/* Synchronous external abort on a walk; who emulates it may not know the level. */
		CHECK((fault.esr & 0x3c) == 0x14 || (fault.esr & 0x3f) == FSC_SYNC_EXTERNAL);
		fault = call(GUEST_WINDOW);
		CHECK_EQ(fault.count, 1);
		CHECK_EQ(guest_fault_class(fault), EC_INSTRUCTION_ABORT);
		fault = PROBE(guest_write64(GUEST_WINDOW, 1));
		CHECK_EQ(fault.count, 1);
	}
}

TEST(a_table_in_a_device_is_survived)
{
	uint64_t places[] = { guest_machine.distributor, guest_machine.redistributors,
			      guest_machine.uart };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		point_window(places[i] | 3);
		for (uint32_t step = 0; step < 512; step += 3) {
			uint64_t at = GUEST_WINDOW + (uint64_t)step * (2u << 20);
			struct guest_fault fault = PROBE((void)guest_read32(at));

			CHECK(fault.count <= 1);
		}
	}
}

TEST(a_page_is_moved_ten_thousand_times)
{
	point_window((uintptr_t)table[0] | 3);
	table[0][0] = (uintptr_t)table[1] | 3;
	for (uint32_t i = 0; i < 3; i++)
		page[i][0] = (uint8_t)(i + 1);
	for (uint32_t round = 0; round < 10000; round++) {
		uint64_t physical = (uintptr_t)page[round % 3];

		table[1][5] = 0;
		guest_tlb_flush();
		table[1][5] = physical | BLOCK_FLAGS | 2 | GUEST_NORMAL << 2;
		__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
		REQUIRE_EQ(guest_read8(GUEST_WINDOW + 5 * 4096), round % 3 + 1);
	}
}

/* Without the invalidation that the architecture asks for: old or new, nothing else. */
TEST(a_page_is_moved_without_a_flush)
{
	uint32_t odd = 0;

	point_window((uintptr_t)table[0] | 3);
	table[0][0] = (uintptr_t)table[1] | 3;
	for (uint32_t round = 0; round < 10000; round++) {
		table[1][7] = (uintptr_t)page[round % 3] | BLOCK_FLAGS | 2 | GUEST_NORMAL << 2;
		__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
		uint8_t seen = guest_read8(GUEST_WINDOW + 7 * 4096);
		odd += seen < 1 || seen > 3;
	}
	CHECK_EQ(odd, 0);
}

TEST(random_descriptors_are_survived)
{
	uint64_t random = 31337;
	uint64_t own = (uintptr_t)table[0];

	point_window(own | 3);
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
		code[0] = 0xd2800000u | (i & 0xffff) << 5; /* mov x0, #i */
		code[1] = 0xd65f03c0u;			   /* ret */
		guest_sync_code(code, 8);
		REQUIRE_EQ(run(), i & 0xffff);
	}
}

TEST(caches_and_translation_are_switched_off_and_on_again)
{
	uint64_t old = READ_SYSREG(sctlr_el1);

	for (uint32_t i = 0; i < 200; i++) {
		page[1][100] = (uint8_t)i;
		__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(&page[1][100]) : "memory");
		/* Identity mapped, so the next instruction is where it was. */
		WRITE_SYSREG(sctlr_el1, old & ~(1ull | 1ull << 2 | 1ull << 12));
		uint32_t seen = guest_read8((uintptr_t)&page[1][100]);
		WRITE_SYSREG(sctlr_el1, old);
		guest_tlb_flush();
		REQUIRE_EQ(seen, i & 0xff);
	}
}

TEST(set_and_way_maintenance_is_survived)
{
	for (uint64_t i = 0; i < 256; i++) {
		__asm__ volatile("dc cisw, %0\n\tdc csw, %0" ::"r"(i << 6) : "memory");
		__asm__ volatile("dc cisw, %0" ::"r"(i << 28 | i << 6 | 2) : "memory");
	}
	__asm__ volatile("ic iallu\n\tdsb sy\n\tisb" ::: "memory");
	CHECK_EQ(page[1][100], 199);
}

AXTEST_MAIN(code_cannot_run_from_devices, code_cannot_run_from_nowhere,
	    a_table_in_nowhere_aborts_the_walk, a_table_in_a_device_is_survived,
	    a_page_is_moved_ten_thousand_times, a_page_is_moved_without_a_flush,
	    random_descriptors_are_survived, code_that_rewrites_itself_runs_as_written,
	    caches_and_translation_are_switched_off_and_on_again,
	    set_and_way_maintenance_is_survived)
