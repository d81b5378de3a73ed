// SPDX-License-Identifier: Apache-2.0
/* Caches and translation switched off and on. */
#include "runtime.h"

_Alignas(4096) static uint8_t page[4096];

TEST(caches_and_translation_are_switched_off_and_on_again)
{
	uint64_t old = READ_SYSREG(sctlr_el1);

	for (uint32_t i = 0; i < 200; i++) {
		page[100] = (uint8_t)i;
		__asm__ volatile("dc civac, %0\n\tdsb sy" ::"r"(&page[100]) : "memory");
		/* Identity mapped, so the next instruction is where it was. */
		WRITE_SYSREG(sctlr_el1, old & ~(1ull | 1ull << 2 | 1ull << 12));
		uint32_t seen = guest_read8((uintptr_t)&page[100]);
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
	CHECK_EQ(page[100], 199);
}

AXTEST_MAIN(caches_and_translation_are_switched_off_and_on_again,
	    set_and_way_maintenance_is_survived)
