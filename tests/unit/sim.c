// SPDX-License-Identifier: Apache-2.0
/* The simulated HAL: what it counts and refuses is what other tests rely on. */
#include "sim.h"

#include <string.h>

#include "axtest.h"
#include "lock.h"

#define PAGE AXVM_PAGE_BYTES

static struct axvm_sim_machine small_machine(void)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();

	machine.ram_base = 0x40001000;
	machine.ram_bytes = 15 * PAGE;
	return machine;
}

TEST(pages_are_counted_aligned_and_not_zero)
{
	struct axvm_sim_machine machine = small_machine();
	struct axvm_hpa a;
	struct axvm_hpa b;
	struct axvm_hpa c;

	axvm_sim_reset(&machine);
	REQUIRE_EQ(axvm_hal_alloc_pages(1, PAGE, &a), 0);
	REQUIRE_EQ(axvm_hal_alloc_pages(4, 4 * PAGE, &b), 0);
	CHECK_EQ(a.addr, 0x40001000);
	CHECK_EQ(b.addr, 0x40004000);
	CHECK_EQ(axvm_sim_used_pages(), 5);
	CHECK_EQ(axvm_hal_alloc_pages(9, PAGE, &c), AXVM_ENOMEM);
	CHECK_EQ(axvm_hal_alloc_pages(8, PAGE, &c), 0);
	uint8_t *bytes = axvm_hal_map(b, PAGE);

	CHECK(bytes[0] != 0 && bytes[PAGE - 1] != 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), PAGE);
	axvm_hal_unmap(bytes, PAGE);
	axvm_hal_free_pages(b, 4);
	CHECK_PTR_EQ(axvm_hal_map(b, 1), NULL);
	CHECK_EQ(axvm_sim_used_pages(), 9);
	CHECK_EQ(axvm_hal_alloc_pages(4, 4 * PAGE, &c), 0);
	CHECK_EQ(c.addr, b.addr);
	CHECK_EQ(axvm_sim_allocation_count(), 4);
}

TEST(exactly_the_chosen_allocation_fails)
{
	struct axvm_hpa hpa;

	axvm_sim_reset(NULL);
	axvm_sim_fail_allocation_after(2);
	CHECK_EQ(axvm_hal_alloc_pages(1, PAGE, &hpa), 0);
	CHECK_EQ(axvm_hal_alloc_pages(1, PAGE, &hpa), 0);
	CHECK(!axvm_sim_has_failed_allocation());
	CHECK_EQ(axvm_hal_alloc_pages(1, PAGE, &hpa), AXVM_ENOMEM);
	CHECK(axvm_sim_has_failed_allocation());
	CHECK_EQ(axvm_hal_alloc_pages(1, PAGE, &hpa), 0);
	CHECK_EQ(axvm_sim_used_pages(), 3);
}

TEST(claims_take_exactly_free_pages)
{
	struct axvm_sim_machine machine = small_machine();

	axvm_sim_reset(&machine);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x40003000), 2), 0);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x40004000), 2), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x40000000), 1), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x4000f000), 2), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(UINT64_MAX - PAGE + 1), UINT64_MAX), AXVM_EBUSY);
	CHECK_EQ(axvm_sim_used_pages(), 2);
	axvm_hal_free_pages(axvm_hpa(0x40003000), 2);
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x40004000), 2), 0);
}

TEST(only_devices_and_reserved_memory_pass_through)
{
	struct axvm_sim_machine machine = small_machine();

	axvm_sim_reset(&machine);
	axvm_sim_reserve(axvm_hpa(0x40005000), 2 * PAGE);
	axvm_sim_forbid(axvm_hpa(0x8000000), 0x10000);
	CHECK(axvm_hal_may_pass_through(axvm_hpa(0x9000000), PAGE));
	CHECK(axvm_hal_may_pass_through(axvm_hpa(0x40005000), 2 * PAGE));
	CHECK(axvm_hal_may_pass_through(axvm_hpa(0x40010000), PAGE));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(0x40005000), 3 * PAGE));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(0x40000000), 2 * PAGE));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(0x4000f000), 8 * PAGE));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(0x800f000), PAGE));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(0x9000000), 0));
	CHECK(!axvm_hal_may_pass_through(axvm_hpa(UINT64_MAX), PAGE));
	CHECK_EQ(axvm_hal_claim_pages(axvm_hpa(0x40005000), 1), AXVM_EBUSY);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

static uint64_t fired[4];
static uint32_t fired_count;

static void on_expiry(struct axvm_timer *timer)
{
	fired[fired_count++ % 4] = axvm_hal_time_ticks();
	if (fired_count == 3)
		axvm_hal_timer_start(timer, 70);
}

TEST(timers_run_once_at_their_deadlines_in_order)
{
	struct axvm_timer a = { .expired = on_expiry };
	struct axvm_timer b = { .expired = on_expiry };
	struct axvm_timer c = { .expired = on_expiry };

	axvm_sim_reset(NULL);
	fired_count = 0;
	axvm_hal_timer_start(&a, 50);
	axvm_hal_timer_start(&b, 20);
	axvm_hal_timer_start(&c, 30);
	axvm_hal_timer_start(&c, 40);
	axvm_sim_advance(19);
	CHECK_EQ(fired_count, 0);
	axvm_sim_advance(41);
	CHECK_EQ(fired_count, 3);
	CHECK_EQ(fired[0], 20);
	CHECK_EQ(fired[1], 40);
	CHECK_EQ(fired[2], 50);
	CHECK_EQ(axvm_hal_time_ticks(), 60);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	axvm_hal_timer_stop(&a);
	axvm_hal_timer_stop(&a);
	axvm_sim_advance(100);
	CHECK_EQ(fired_count, 3);
	/* In the past: at the next opportunity. */
	axvm_hal_timer_start(&b, 5);
	axvm_sim_advance(0);
	CHECK_EQ(fired_count, 4);
	CHECK_EQ(fired[3], 160);
}

TEST(locks_are_followed_through_take_and_drop_in_any_order)
{
	struct axvm_lock vm;
	struct axvm_lock device;

	axvm_sim_reset(NULL);
	axvm_lock_init(&vm, AXVM_LOCK_VM);
	axvm_lock_init(&device, AXVM_LOCK_DEVICE);
	axvm_lock_take(&vm);
	axvm_lock_take(&device);
	CHECK_EQ(axvm_sim_held_locks(), 2);
	axvm_lock_drop(&vm);
	CHECK_EQ(axvm_sim_held_locks(), 1);
	axvm_lock_drop(&device);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

TEST(logs_and_counters_are_kept_until_the_reset)
{
	axvm_sim_reset(NULL);
	axvm_hal_log(AXVM_LOG_WARNING, "one");
	axvm_hal_log(AXVM_LOG_INFO, "two");
	axvm_hal_cpu_kick(3);
	CHECK_STR_EQ(axvm_sim_log(), "warning: one\ninfo: two\n");
	CHECK_EQ(axvm_sim_log_count(AXVM_LOG_WARNING), 1);
	CHECK_EQ(axvm_sim_kick_count(3), 1);
	axvm_sim_reset(NULL);
	CHECK_STR_EQ(axvm_sim_log(), "");
	CHECK_EQ(axvm_sim_log_count(AXVM_LOG_WARNING), 0);
	CHECK_EQ(axvm_sim_kick_count(3), 0);
}

AXTEST_MAIN(pages_are_counted_aligned_and_not_zero, exactly_the_chosen_allocation_fails,
	    claims_take_exactly_free_pages, only_devices_and_reserved_memory_pass_through,
	    timers_run_once_at_their_deadlines_in_order,
	    locks_are_followed_through_take_and_drop_in_any_order,
	    logs_and_counters_are_kept_until_the_reset)
