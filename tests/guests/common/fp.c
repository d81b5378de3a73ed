// SPDX-License-Identifier: Apache-2.0
/*
 * The FP registers belong to this VM alone. Run as two VMs with different `fp=` on one CPU, each
 * yields again and again and must find what it left, and a VM must begin with zeros.
 */
#include <string.h>

#include "runtime.h"

#define ROUNDS 2000u

_Alignas(16) static uint8_t wanted[GUEST_FP_BYTES];
_Alignas(16) static uint8_t found[GUEST_FP_BYTES];

static void set(uint64_t seed)
{
	guest_fp_pattern(wanted, guest_cmdline_number("fp", 1) * 1000 + seed);
	guest_fp_load(wanted);
}

static bool same(void)
{
	guest_fp_store(found);
	return memcmp(wanted, found, sizeof(wanted)) == 0;
}

/* Gives the CPU away: a timer is the only thing that wakes it. */
static void on_irq(uint32_t irq)
{
	(void)irq;
	guest_timers[0].off();
}

/* First of all: nothing of another VM, or of the hypervisor, is in the registers. */
TEST(the_registers_are_zero_at_the_beginning)
{
	guest_fp_store(found);
	for (size_t i = 0; i < GUEST_FP_BYTES; i += 8) {
		uint64_t value;

		memcpy(&value, &found[i], 8);
		CHECK(value == 0 || (value == GUEST_FP_RESET && !guest_cmdline_has("axvm")));
	}
}

TEST(hypercalls_and_mmio_change_none)
{
	uint64_t devices[1];

	REQUIRE_EQ(guest_device_places(devices, 1), 1);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		set(round);
		(void)guest_firmware_version();
		(void)guest_read32(devices[0]);
		REQUIRE(same());
	}
}

TEST(waiting_changes_none)
{
	guest_this_cpu()->on_irq = on_irq;
	guest_timers[0].irq_enable();
	guest_irq_enable();
	for (uint32_t round = 0; round < 500; round++) {
		set(round);
		guest_sleep(200);
		REQUIRE(same());
	}
	guest_irq_disable();
	guest_timers[0].irq_disable();
	guest_this_cpu()->on_irq = NULL;
}

/* Without any exit of its own: only a time slice can take the CPU away. */
TEST(being_preempted_changes_none)
{
	uint64_t end = guest_ticks() + guest_us(300000);

	for (uint32_t round = 0; guest_ticks() < end; round++) {
		set(round);
		for (uint32_t i = 0; i < 20000; i++)
			__asm__ volatile("" ::: "memory");
		REQUIRE(same());
	}
}

GUEST_SHARED_TESTS(the_registers_are_zero_at_the_beginning, hypercalls_and_mmio_change_none,
		   waiting_changes_none, being_preempted_changes_none)
