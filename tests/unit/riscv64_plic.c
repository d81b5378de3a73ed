/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual PLIC, sentence by sentence of [PLIC]. */
#include "riscv64_plic_rig.h"

/* ---- registers --------------------------------------------------------------------------------- */

TEST(registers_are_zero_at_first_and_keep_three_bits_of_priority_and_threshold)
{
	rig_start(2, 0);
	CHECK_EQ(rd(PRIORITY(1)), 0);
	CHECK_EQ(rd(THRESHOLD(1)), 0);
	CHECK_EQ(rd(ENABLE(1, 0)), 0);
	wr(PRIORITY(1), UINT32_MAX);
	wr(PRIORITY(95), 8 + 5);
	wr(THRESHOLD(0), UINT32_MAX);
	wr(THRESHOLD(1), 16 + 3);
	CHECK_EQ(rd(PRIORITY(1)), 7);
	CHECK_EQ(rd(PRIORITY(2)), 0);
	CHECK_EQ(rd(PRIORITY(95)), 5);
	CHECK_EQ(rd(THRESHOLD(0)), 7);
	CHECK_EQ(rd(THRESHOLD(1)), 3);
	rig_end();
}

TEST(enables_are_of_each_context_and_there_is_no_source_0)
{
	rig_start(2, 0);
	wr(PRIORITY(0), 7);
	wr(ENABLE(0, 0), UINT32_MAX);
	wr(ENABLE(1, 64), 0x80000001);
	CHECK_EQ(rd(PRIORITY(0)), 0);
	CHECK_EQ(rd(ENABLE(0, 0)), 0xfffffffe);
	CHECK_EQ(rd(ENABLE(0, 64)), 0);
	CHECK_EQ(rd(ENABLE(1, 0)), 0);
	CHECK_EQ(rd(ENABLE(1, 64)), 0x80000001);
	CHECK_EQ(axvm_plic_set_level(plic(), 0, true), AXVM_EINVAL);
	CHECK_EQ(axvm_plic_pulse(plic(), 0), AXVM_EINVAL);
	CHECK_EQ(axvm_plic_host_interrupt(plic(), 0, false), AXVM_EINVAL);
	CHECK_EQ(rd(PENDING(0)), 0);
	rig_end();
}

TEST(sources_are_as_many_as_the_configuration_needs)
{
	static const uint32_t lasts[][2] = { { 0, 96 },	    { 95, 96 },	   { 96, 128 },
					     { 127, 128 },  { 128, 160 },  { 991, 992 },
					     { 992, 1024 }, { 1023, 1024 } };

	for (uint32_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
		uint32_t count = lasts[i][1];

		rig_start(1, lasts[i][0]);
		CHECK_EQ(axvm_plic_sources(&rig_config), count);
		for (uint32_t source = 0; source < 1024; source += 31) {
			wr(PRIORITY(source), 1);
			wr(ENABLE(0, source), BIT(source));
			CHECK_EQ(rd(PRIORITY(source)), source != 0 && source < count);
			CHECK_EQ(rd(ENABLE(0, source)),
				 source == 0 || source >= count ? 0 : BIT(source));
		}
		CHECK_EQ(axvm_plic_set_level(plic(), count - 1, true), 0);
		CHECK(is_pending(count - 1));
		CHECK_EQ(axvm_plic_set_level(plic(), count, true), AXVM_EINVAL);
		CHECK_EQ(axvm_plic_pulse(plic(), UINT32_MAX), AXVM_EINVAL);
		CHECK_EQ(axvm_plic_host_interrupt(plic(), count + 32, true), AXVM_EINVAL);
		rig_end();
	}
}

TEST(pending_bits_are_read_only)
{
	rig_start(1, 0);
	want(0, 3, 1);
	want(0, 4, 1);
	set_level(3, true);
	wr(PENDING(0), 0);
	CHECK_EQ(rd(PENDING(0)), BIT(3));
	wr(PENDING(0), BIT(4));
	CHECK_EQ(rd(PENDING(0)), BIT(3));
	CHECK_EQ(rd(CLAIM(0)), 3);
	CHECK_EQ(rd(CLAIM(0)), 0);
	rig_end();
}

TEST(contexts_of_m_mode_read_0_and_deliver_nothing)
{
	const uint64_t enable_m = PLIC + 0x2000;
	const uint64_t threshold_m = PLIC + 0x200000;

	rig_start(2, 0);
	wr(PRIORITY(5), 7);
	for (uint32_t hart = 0; hart < 2; hart++) {
		wr(enable_m + 0x100 * hart, UINT32_MAX);
		wr(threshold_m + 0x2000 * hart, 3);
		CHECK_EQ(rd(enable_m + 0x100 * hart), 0);
		CHECK_EQ(rd(threshold_m + 0x2000 * hart), 0);
	}
	set_level(5, true);
	CHECK(!line(0) && !line(1));
	CHECK_EQ(rd(threshold_m + 4), 0);
	CHECK(is_pending(5));
	enable(0, 5);
	CHECK_EQ(rd(CLAIM(0)), 5);
	set_level(5, false);
	wr(threshold_m + 4, 5); /* not the context that enables it */
	pulse(5);
	CHECK(!is_pending(5));
	wr(CLAIM(0), 5);
	CHECK(is_pending(5));
	rig_end();
}

TEST(contexts_end_with_the_vcpus_with_cfg_list_and_with_the_range)
{
	static const struct {
		uint32_t vcpus;
		uint64_t args;
		uint64_t bytes;
		uint32_t contexts;
	} cases[] = { { 4, 8, PLIC_BYTES, 4 },	      { 2, 128, PLIC_BYTES, 2 },
		      { 4, 5, PLIC_BYTES, 2 },	      { 4, UINT64_MAX, PLIC_BYTES, 4 },
		      { 4, 8, 0x200000 + 0x6fff, 3 }, { 64, 128, 0x200000 + 0x80000, 64 } };

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct axvm_config_emu config = rig_emu;

		config.args = &cases[i].args;
		config.bytes = cases[i].bytes;
		rig_make_vm(cases[i].vcpus, 0);
		REQUIRE_EQ(rig_create(&axvm_plic_passthrough_device_type, &config), 0);
		wr(PRIORITY(7), 1);
		for (uint32_t hart = 0; THRESHOLD(hart) + 8 <= PLIC + config.bytes && hart < 80;
		     hart++) {
			wr(THRESHOLD(hart), 1);
			wr(ENABLE(hart, 7), BIT(7));
			CHECK_EQ(rd(THRESHOLD(hart)), hart < cases[i].contexts);
			CHECK_EQ(rd(ENABLE(hart, 7)), hart < cases[i].contexts ? BIT(7) : 0);
			wr(THRESHOLD(hart), 0);
		}
		set_level(7, true);
		for (uint32_t hart = 0; hart < cases[i].vcpus; hart++)
			CHECK_EQ(line(hart), hart < cases[i].contexts);
		rig_end();
	}
}

TEST(accesses_that_are_not_aligned_words_do_nothing)
{
	static const unsigned widths[] = { 1, 2, 4, 8 };

	rig_start(1, 0);
	want(0, 1, 3);
	set_level(1, true);
	for (uint32_t i = 0; i < 4; i++) {
		for (uint64_t skew = 0; skew < 8; skew++) {
			if (widths[i] == 4 && skew % 4 == 0)
				continue;
			CHECK_EQ(rd_bytes(PRIORITY(1) + skew, widths[i]), 0);
			CHECK_EQ(rd_bytes(CLAIM(0) + skew, widths[i]), 0);
			wr_bytes(PRIORITY(1) + skew, widths[i], 1);
			wr_bytes(ENABLE(0, 1) + skew, widths[i], 0);
			wr_bytes(THRESHOLD(0) + skew, widths[i], 7);
		}
	}
	CHECK_EQ(rd(PRIORITY(1)), 3);
	CHECK_EQ(rd(ENABLE(0, 1)), BIT(1));
	CHECK_EQ(rd(THRESHOLD(0)), 0);
	CHECK_EQ(rd(CLAIM(0)), 1);
	rig_end();
}

/* ---- gateways ---------------------------------------------------------------------------------- */

TEST(a_high_line_is_one_request_until_it_is_completed)
{
	rig_start(1, 0);
	want(0, 10, 1);
	set_level(10, true);
	CHECK(line(0) && is_pending(10));
	CHECK_EQ(rd(CLAIM(0)), 10);
	CHECK(!line(0) && !is_pending(10));
	set_level(10, true);
	set_level(10, false);
	set_level(10, true);
	CHECK(!line(0) && !is_pending(10));
	CHECK_EQ(rd(CLAIM(0)), 0);
	wr(CLAIM(0), 10);
	CHECK(line(0) && is_pending(10));
	CHECK_EQ(rd(CLAIM(0)), 10);
	set_level(10, false);
	wr(CLAIM(0), 10);
	CHECK(!line(0) && !is_pending(10));
	rig_end();
}

TEST(a_request_stays_when_its_line_falls)
{
	rig_start(1, 0);
	want(0, 10, 1);
	set_level(10, true);
	set_level(10, false);
	CHECK(line(0) && is_pending(10));
	CHECK_EQ(rd(CLAIM(0)), 10);
	wr(CLAIM(0), 10);
	CHECK(!line(0) && !is_pending(10));
	rig_end();
}

TEST(edges_during_service_are_kept_as_one)
{
	rig_start(1, 0);
	want(0, 11, 1);
	pulse(11);
	pulse(11);
	CHECK_EQ(rd(CLAIM(0)), 11);
	CHECK(!line(0));
	pulse(11);
	pulse(11);
	CHECK(!line(0) && !is_pending(11));
	wr(CLAIM(0), 11);
	CHECK(line(0) && is_pending(11));
	CHECK_EQ(rd(CLAIM(0)), 11);
	wr(CLAIM(0), 11);
	CHECK(!line(0) && !is_pending(11));
	rig_end();
}

/* ---- which one, and who is told ---------------------------------------------------------------- */

TEST(the_highest_priority_is_first_and_then_the_lowest_number)
{
	static const uint32_t order[] = { 40, 90, 3, 33, 64, 95, 2 };

	rig_start(1, 0);
	want(0, 40, 7);
	want(0, 90, 6);
	want(0, 3, 4);
	want(0, 33, 4);
	want(0, 64, 4);
	want(0, 95, 4);
	want(0, 2, 1);
	want(0, 1, 0);
	for (uint32_t source = 95; source > 0; source--)
		pulse(source);
	for (uint32_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		CHECK_EQ(rd(CLAIM(0)), order[i]);
	CHECK_EQ(rd(CLAIM(0)), 0);
	CHECK(is_pending(1) && is_pending(4));
	rig_end();
}

TEST(priority_0_never_interrupts)
{
	rig_start(1, 0);
	want(0, 9, 0);
	set_level(9, true);
	CHECK(!line(0) && is_pending(9));
	CHECK_EQ(rd(CLAIM(0)), 0);
	CHECK(is_pending(9));
	wr(PRIORITY(9), 1);
	CHECK(line(0));
	wr(PRIORITY(9), 0);
	CHECK(!line(0));
	wr(PRIORITY(9), 8); /* 3 bits of it are 0 */
	CHECK(!line(0));
	CHECK_EQ(rd(CLAIM(0)), 0);
	rig_end();
}

TEST(a_threshold_holds_back_the_notification_but_not_the_claim)
{
	rig_start(1, 0);
	want(0, 9, 4);
	set_level(9, true);
	for (uint32_t threshold = 0; threshold < 8; threshold++) {
		wr(THRESHOLD(0), threshold);
		CHECK_EQ(line(0), threshold < 4);
	}
	CHECK_EQ(rd(CLAIM(0)), 9);
	wr(THRESHOLD(0), 0);
	CHECK(!line(0));
	rig_end();
}

TEST(every_pair_of_priority_and_threshold_is_told_as_the_rule_says)
{
	rig_start(1, 0);
	enable(0, 77);
	set_level(77, true);
	for (uint32_t priority = 0; priority < 8; priority++) {
		for (uint32_t threshold = 0; threshold < 8; threshold++) {
			wr(PRIORITY(77), priority);
			wr(THRESHOLD(0), threshold);
			CHECK_EQ(line(0), priority > threshold);
			wr(PRIORITY(77), 0);
			wr(PRIORITY(77), priority);
			CHECK_EQ(line(0), priority > threshold);
		}
	}
	rig_end();
}

TEST(enables_and_priorities_of_a_pending_source_count_at_once)
{
	rig_start(2, 0);
	set_level(50, true);
	set_level(51, true);
	wr(PRIORITY(50), 2);
	wr(PRIORITY(51), 2);
	CHECK(!line(0) && !line(1));
	wr(ENABLE(1, 50), BIT(50) | BIT(51));
	CHECK(!line(0) && line(1));
	enable(0, 50);
	CHECK(line(0));
	disable(0, 50);
	CHECK(!line(0) && line(1));
	wr(PRIORITY(51), 3);
	CHECK_EQ(rd(CLAIM(1)), 51);
	wr(PRIORITY(50), 0);
	CHECK(!line(1));
	wr(PRIORITY(50), 7);
	CHECK(line(1));
	wr(ENABLE(1, 50), 0);
	CHECK(!line(1));
	CHECK_EQ(rd(CLAIM(1)), 0);
	CHECK(is_pending(50));
	rig_end();
}

TEST(a_claim_by_one_context_takes_it_from_all)
{
	rig_start(3, 0);
	for (uint32_t hart = 0; hart < 3; hart++)
		want(hart, 20, 1);
	set_level(20, true);
	CHECK(line(0) && line(1) && line(2));
	CHECK_EQ(rd(CLAIM(2)), 20);
	CHECK(!line(0) && !line(1) && !line(2));
	CHECK_EQ(rd(CLAIM(0)), 0);
	CHECK_EQ(rd(CLAIM(1)), 0);
	wr(CLAIM(1), 20); /* any context that enables it may */
	CHECK(line(0) && line(1) && line(2));
	rig_end();
}

TEST(a_completion_counts_only_where_it_is_enabled_and_in_service)
{
	rig_start(2, 0);
	want(0, 20, 1);
	set_level(20, true);
	wr(CLAIM(0), 20); /* pending, not in service */
	CHECK(is_pending(20));
	CHECK_EQ(rd(CLAIM(0)), 20);
	wr(CLAIM(1), 20);
	CHECK(!is_pending(20));
	wr(CLAIM(0), 21);
	wr(CLAIM(0), 0);
	wr(CLAIM(0), 96);
	wr(CLAIM(0), 1024 + 20);
	wr(CLAIM(0), UINT32_MAX);
	CHECK(!is_pending(20));
	disable(0, 20);
	wr(CLAIM(0), 20);
	CHECK(!is_pending(20));
	enable(0, 20);
	wr(CLAIM(0), 20);
	CHECK(is_pending(20));
	rig_end();
}

/* ---- the host's interrupts ----------------------------------------------------------------------- */

TEST(the_host_hears_of_the_completion_once_and_of_nothing_else)
{
	rig_start(2, 0);
	want(0, 30, 3);
	want(1, 30, 3);
	from_host(30);
	CHECK(line(0) && line(1));
	wr(CLAIM(0), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 0);
	CHECK_EQ(rd(CLAIM(0)), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 0);
	wr(PRIORITY(30), 0);
	wr(PRIORITY(30), 3);
	wr(CLAIM(1), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 1);
	wr(CLAIM(0), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 1);
	CHECK(!is_pending(30));
	from_host(30);
	CHECK_EQ(rd(CLAIM(1)), 30);
	wr(CLAIM(1), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 2);
	rig_end();
}

TEST(the_host_hears_nothing_of_what_it_did_not_bring)
{
	rig_start(1, 0);
	for (uint32_t source = 1; source < 96; source++) {
		want(0, source, 1);
		pulse(source);
	}
	for (uint32_t source = 1; source < 96; source++) {
		CHECK_EQ(rd(CLAIM(0)), source);
		wr(CLAIM(0), source);
		CHECK_EQ(axvm_sim_riscv64_completions(source), 0);
	}
	rig_end();
}

TEST(a_host_interrupt_during_the_service_of_a_local_one_waits_for_its_own_completion)
{
	rig_start(1, 0);
	want(0, 30, 3);
	pulse(30);
	CHECK_EQ(rd(CLAIM(0)), 30);
	from_host(30);
	CHECK(!is_pending(30));
	wr(CLAIM(0), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 0);
	CHECK_EQ(rd(CLAIM(0)), 30);
	wr(CLAIM(0), 30);
	CHECK_EQ(axvm_sim_riscv64_completions(30), 1);
	CHECK(!is_pending(30));
	rig_end();
}

TEST(reset_gives_back_what_the_host_waits_for_and_leaves_nothing)
{
	rig_start(2, 0);
	for (uint32_t source = 30; source < 34; source++)
		want(1, source, source - 28);
	wr(THRESHOLD(1), 1);
	from_host(30);
	CHECK_EQ(rd(CLAIM(1)), 30);
	from_host(31);
	set_level(32, true);
	CHECK_EQ(rd(CLAIM(1)), 32);
	pulse(32);
	pulse(33);
	CHECK(line(1));
	rig_reset();
	CHECK(!line(0) && !line(1));
	for (uint32_t source = 1; source < 96; source++) {
		CHECK_EQ(axvm_sim_riscv64_completions(source), source == 30 || source == 31);
		CHECK_EQ(rd(PRIORITY(source)), 0);
		CHECK_EQ(rd(PENDING(source)), 0);
		CHECK_EQ(rd(ENABLE(1, source)), 0);
	}
	CHECK_EQ(rd(THRESHOLD(1)), 0);
	for (uint32_t source = 1; source < 96; source++)
		want(1, source, 1);
	CHECK_EQ(rd(CLAIM(1)), 0);
	pulse(32);
	CHECK_EQ(rd(CLAIM(1)), 32);
	wr(CLAIM(1), 32);
	CHECK_EQ(rd(CLAIM(1)), 0);
	rig_end();
}

/* ---- creation ------------------------------------------------------------------------------------ */

static int create_with(const struct axvm_config_emu *config)
{
	rig_make_vm(1, 0);
	int error = rig_create(&axvm_plic_device_type, config);

	CHECK_EQ(rig_vm.arch.plic != NULL, error == 0);
	rig_end();
	return error;
}

TEST(creation_refuses_what_cannot_work)
{
	static const uint64_t one_context[] = { 1 };
	struct axvm_config_emu config = rig_emu;

	CHECK_EQ(create_with(&config), 0);
	config.arg_count = 0;
	CHECK_EQ(create_with(&config), 0);
	config.base.addr += 4;
	CHECK_EQ(create_with(&config), AXVM_EINVAL);
	config = rig_emu;
	config.bytes = 0x201fff;
	CHECK_EQ(create_with(&config), AXVM_EINVAL);
	config.bytes = 0x202000;
	CHECK_EQ(create_with(&config), 0);
	config.args = one_context;
	CHECK_EQ(create_with(&config), AXVM_EINVAL);
	config = rig_emu;
	config.base.addr = UINT64_MAX - 0xfff;
	CHECK_EQ(create_with(&config), AXVM_ERANGE);
	rig_make_vm(1, 0);
	REQUIRE_EQ(rig_create(&axvm_plic_device_type, &rig_emu), 0);
	config = rig_emu;
	config.base.addr += 0x10000000;
	CHECK_EQ(rig_create(&axvm_plic_passthrough_device_type, &config), AXVM_EEXIST);
	rig_end();
}

TEST(creation_without_memory_is_refused_and_leaves_nothing)
{
	bool failed = true;

	for (uint64_t n = 0; failed; n++) {
		rig_make_vm(64, 1023);
		axvm_sim_fail_allocation_after(n);
		int error = rig_create(&axvm_plic_device_type, &rig_emu);

		failed = axvm_sim_has_failed_allocation();
		CHECK_EQ(error, failed ? AXVM_ENOMEM : 0);
		CHECK_EQ(rig_vm.arch.plic != NULL, !failed);
		CHECK(n < 20);
		if (n >= 20)
			break;
		rig_end();
	}
}

TEST(a_vm_of_one_vcpu_pays_one_page)
{
	rig_start(1, 0);
	CHECK_EQ(rig_vm.budget.used_pages, 1);
	rig_end();
	rig_start(4, 0);
	CHECK(rig_vm.budget.used_pages <= 3);
	rig_end();
}

AXTEST_MAIN(registers_are_zero_at_first_and_keep_three_bits_of_priority_and_threshold,
	    enables_are_of_each_context_and_there_is_no_source_0,
	    sources_are_as_many_as_the_configuration_needs, pending_bits_are_read_only,
	    contexts_of_m_mode_read_0_and_deliver_nothing,
	    contexts_end_with_the_vcpus_with_cfg_list_and_with_the_range,
	    accesses_that_are_not_aligned_words_do_nothing,
	    a_high_line_is_one_request_until_it_is_completed, a_request_stays_when_its_line_falls,
	    edges_during_service_are_kept_as_one,
	    the_highest_priority_is_first_and_then_the_lowest_number, priority_0_never_interrupts,
	    a_threshold_holds_back_the_notification_but_not_the_claim,
	    every_pair_of_priority_and_threshold_is_told_as_the_rule_says,
	    enables_and_priorities_of_a_pending_source_count_at_once,
	    a_claim_by_one_context_takes_it_from_all,
	    a_completion_counts_only_where_it_is_enabled_and_in_service,
	    the_host_hears_of_the_completion_once_and_of_nothing_else,
	    the_host_hears_nothing_of_what_it_did_not_bring,
	    a_host_interrupt_during_the_service_of_a_local_one_waits_for_its_own_completion,
	    reset_gives_back_what_the_host_waits_for_and_leaves_nothing,
	    creation_refuses_what_cannot_work,
	    creation_without_memory_is_refused_and_leaves_nothing, a_vm_of_one_vcpu_pays_one_page)
