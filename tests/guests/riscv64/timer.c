// SPDX-License-Identifier: Apache-2.0
/* The bit STIP of both timers, which are one where there is Sstc [SBI 6, RISCV-PRIV 14]. */
#include "runtime.h"

static bool pending(void)
{
	return READ_CSR(sip) & IRQ_BIT_TIMER;
}

static bool becomes_pending(uint64_t us)
{
	uint64_t end = guest_ticks() + guest_us(us);

	while (!pending()) {
		if (guest_ticks() > end)
			return false;
	}
	return true;
}

/* It is pending for as long as the condition holds, and no longer. */
static void line_is_a_level(const struct guest_timer *timer)
{
	timer->off();
	CHECK(!pending());
	timer->set(0);
	CHECK(becomes_pending(100000));
	timer->set(guest_ticks() + guest_us(1000000000));
	CHECK(!pending());
	timer->set(guest_ticks() + guest_us(1000));
	CHECK(becomes_pending(1000000));
	timer->off();
	CHECK(!pending());
}

TEST(the_sbi_timer_line_is_a_level)
{
	line_is_a_level(&guest_timers[0]);
}

TEST(the_sstc_timer_line_is_a_level)
{
	if (!guest_timers[1].is_there())
		SKIP("the machine has no such one");
	line_is_a_level(&guest_timers[1]);
}

TEST(the_pending_bit_cannot_be_written)
{
	guest_timers[0].off();
	SET_CSR(sip, IRQ_BIT_TIMER);
	CHECK(!pending());
	guest_timers[0].set(0);
	REQUIRE(becomes_pending(100000));
	CLEAR_CSR(sip, IRQ_BIT_TIMER);
	CHECK(pending());
	guest_timers[0].off();
}

TEST(the_sbi_timer_sets_stimecmp)
{
	uint64_t deadline = guest_ticks() + guest_us(1000000000);

	if (!guest_timers[1].is_there())
		SKIP("the machine has no such one");
	guest_timers[0].set(deadline);
	CHECK_EQ(READ_CSR(0x14d), deadline);
	guest_timers[0].off();
}

TEST(the_deadlines_bits_are_all_there)
{
	static const uint64_t values[] = { ~0ull, 1ull << 63, 0x8000000080000000,
					   0xfffffffffffffff0 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		guest_timers[0].set(values[i]);
		CHECK(!becomes_pending(2000));
	}
	guest_timers[0].off();
}

AXTEST_MAIN(the_sbi_timer_line_is_a_level, the_sstc_timer_line_is_a_level,
	    the_pending_bit_cannot_be_written, the_sbi_timer_sets_stimecmp,
	    the_deadlines_bits_are_all_there)
