// SPDX-License-Identifier: Apache-2.0
/* satp: wild values, roots in devices and in nowhere, and translation switched off and on. */
#include "runtime.h"

_Alignas(4096) static uint64_t copy[512];
static uint64_t random_state = 271828;

/* For as long as it takes to write the old one again; every value tried maps this code, or is refused. */
static uint64_t try_satp(uint64_t value)
{
	uint64_t old = READ_CSR(satp);
	uint64_t seen;

	__asm__ volatile("csrw satp, %1\n\tcsrr %0, satp\n\tcsrw satp, %2\n\tsfence.vma"
			 : "=&r"(seen)
			 : "r"(value), "r"(old)
			 : "memory");
	return seen;
}

TEST(translation_is_switched_off_and_on_again)
{
	for (uint32_t i = 0; i < 1000; i++) {
		copy[7] = i;
		CHECK_EQ(try_satp(0), 0);
		REQUIRE_EQ(copy[7], i);
	}
}

TEST(modes_that_do_not_exist_change_nothing)
{
	uint64_t old = READ_CSR(satp);

	for (uint64_t mode = 1; mode < 16; mode++) {
		if (mode >= 8 && mode <= 10)
			continue; /* Sv39, Sv48, Sv57 */
		CHECK_EQ(try_satp(mode << 60 | (guest_random(&random_state) >> 4)), old);
	}
}

TEST(address_space_numbers_are_kept_or_zero)
{
	uint64_t old = READ_CSR(satp);

	for (uint64_t asid = 1; asid < 0x10000; asid = asid * 2 + 1) {
		uint64_t seen = try_satp(old | asid << 44);

		CHECK_EQ(seen & ~(0xffffull << 44), old);
		CHECK_EQ(seen >> 44 & 0xffff & ~asid, 0);
	}
}

TEST(other_roots_take_over_at_once)
{
	uint64_t old = READ_CSR(satp);

	for (uint32_t i = 0; i < 512; i++)
		copy[i] = guest_root[i];
	for (uint64_t round = 0; round < 2000; round++) {
		copy[510] = guest_entry_page(round % 8 * GUEST_GIB);
		WRITE_CSR(satp, SATP_SV39 | (round & 0xff) << 44 | (uintptr_t)copy >> 12);
		guest_tlb_flush();
		struct guest_fault fault =
			PROBE((void)guest_read32(GUEST_WINDOW - GUEST_GIB + 0x18000000));
		WRITE_CSR(satp, old);
		guest_tlb_flush();
		REQUIRE(fault.count <= 1);
	}
}

/*
 * Nothing maps the next instruction, so its fetch faults, and so does the one of the trap's vector, for
 * ever. Only a host that interrupts gets the CPU back: it is CPU 1 that ends so.
 */
static void lose_all(void *argument)
{
	uint64_t root = (uintptr_t)argument;

	__atomic_store_n(&guest_this_cpu()->done, 1, __ATOMIC_RELEASE);
	WRITE_CSR(satp, SATP_SV39 | root >> 12);
	guest_tlb_flush();
	for (;;)
		guest_wfi();
}

static void lose_a_cpu(uint64_t root)
{
	if (!guest_cmdline_has("axvm"))
		SKIP("the CPU would be lost on its own machine, too");
	if (guest_cpu_count() < 4)
		SKIP("needs CPUs to lose");
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (!guest_cpu_is_off(i))
			continue;
		REQUIRE_EQ(guest_cpu_start(i, lose_all, (void *)(uintptr_t)root), 0);
		CHECK(guest_wait(&guest_cpus[i].done, 5000000));
		uint64_t end = guest_ticks() + guest_us(100000);
		while (guest_ticks() < end)
			(void)guest_firmware_version();
		return;
	}
	CHECK(false);
}

TEST(a_root_in_a_device_loses_that_cpu_alone)
{
	lose_a_cpu(guest_plic.base != 0 ? guest_plic.base : guest_machine.uart);
}

TEST(a_root_in_nowhere_loses_that_cpu_alone)
{
	lose_a_cpu(GUEST_NOWHERE);
}

TEST(a_root_beyond_all_addresses_loses_that_cpu_alone)
{
	lose_a_cpu(0xfffffffffff000);
}

TEST(the_guest_is_as_it_was)
{
	CHECK_EQ(READ_CSR(satp) << 20 >> 8, (uintptr_t)guest_root);
	CHECK(guest_firmware_version() > 0);
}

AXTEST_MAIN(translation_is_switched_off_and_on_again, modes_that_do_not_exist_change_nothing,
	    address_space_numbers_are_kept_or_zero, other_roots_take_over_at_once,
	    a_root_in_a_device_loses_that_cpu_alone, a_root_in_nowhere_loses_that_cpu_alone,
	    a_root_beyond_all_addresses_loses_that_cpu_alone, the_guest_is_as_it_was)
