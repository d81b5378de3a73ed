// SPDX-License-Identifier: Apache-2.0
/* The APLIC: sources, delivery to harts, forwarding by MSI, and what a hostile guest writes. */
#include "riscv64_aia_rig.h"

#define SOURCES 1024u

/* ---- registers [AIA 4.5] ------------------------------------------------------------------------ */

TEST(a_domain_is_off_at_reset_and_its_sources_are_inactive)
{
	rig_start(2, true);
	wr(DOMAINCFG, IE | DM);
	source_on(9, DETACHED, 1, 5);
	wr(GENMSI, 1 << 18 | 7);
	axvm_aplic_device_type.reset(&rig_aplic);
	CHECK_EQ(rd(DOMAINCFG), 0x80000000);
	for (uint32_t source = 1; source < SOURCES; source++) {
		CHECK_EQ(rd(SOURCECFG(source)), INACTIVE);
		CHECK_EQ(rd(TARGET(source)), 0);
	}
	CHECK_EQ(rd(SETIE(0)), 0);
	CHECK_EQ(rd(SETIP(0)), 0);
	wr(DOMAINCFG, DM);
	CHECK_EQ(rd(GENMSI), 0);
	rig_end();
}

TEST(the_mode_can_be_changed_only_where_there_is_an_imsic)
{
	rig_start(1, false);
	wr(DOMAINCFG, UINT32_MAX);
	CHECK_EQ(rd(DOMAINCFG), 0x80000000 | IE);
	wr(GENMSI, 5);
	CHECK_EQ(rd(GENMSI), 0);
	rig_end();
	rig_start(1, true);
	wr(DOMAINCFG, UINT32_MAX);
	CHECK_EQ(rd(DOMAINCFG), 0x80000000 | IE | DM);
	rig_end();
}

TEST(reserved_modes_and_delegation_make_a_source_inactive)
{
	static const uint32_t expected[] = { 0, 1, 0, 0, 4, 5, 6, 7 };

	rig_start(1, false);
	for (uint32_t value = 0; value < 0x800; value++) {
		wr(SOURCECFG(3), value);
		CHECK_EQ(rd(SOURCECFG(3)), (value & 0x400) != 0 ? 0 : expected[value & 7]);
	}
	rig_end();
}

TEST(an_inactive_source_has_no_state)
{
	rig_start(1, false);
	direct_on();
	source_on(5, DETACHED, 0, 3);
	wr(SETIPNUM, 5);
	CHECK(line(0));
	wr(SOURCECFG(5), INACTIVE);
	CHECK(!line(0));
	wr(SETIPNUM, 5);
	wr(SETIENUM, 5);
	wr(SETIP(0), UINT32_MAX);
	wr(SETIE(0), UINT32_MAX);
	wr(TARGET(5), 7);
	CHECK_EQ(rd(SETIP(0)), 0);
	CHECK_EQ(rd(SETIE(0)), 0);
	CHECK_EQ(rd(TARGET(5)), 0);
	wr(SOURCECFG(5), DETACHED);
	CHECK_EQ(rd(SETIP(0)), 0);
	CHECK_EQ(rd(SETIE(0)), 0);
	rig_end();
}

TEST(source_0_does_not_exist)
{
	rig_start(1, true);
	wr(DOMAINCFG, IE | DM);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 0, true), AXVM_EINVAL);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 0), AXVM_EINVAL);
	CHECK_EQ(axvm_aplic_host_interrupt(rig_vm.arch.aplic, 0, true), AXVM_EINVAL);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, SOURCES, true), AXVM_EINVAL);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(axvm_aplic_host_interrupt(rig_vm.arch.aplic, SOURCES, true), AXVM_EINVAL);
	wr(SETIP(0), 1);
	wr(SETIE(0), 1);
	wr(SETIPNUM, 0);
	wr(SETIENUM, 0);
	CHECK_EQ(rd(SETIP(0)), 0);
	CHECK_EQ(rd(SETIE(0)), 0);
	rig_end();
}

TEST(target_has_a_priority_that_is_not_0_or_an_eiid)
{
	rig_start(2, true);
	wr(SOURCECFG(8), EDGE1);
	wr(TARGET(8), UINT32_MAX);
	CHECK_EQ(rd(TARGET(8)), 0x3fffu << 18 | 7);
	wr(TARGET(8), 1 << 18 | 8);
	CHECK_EQ(rd(TARGET(8)), 1 << 18 | 1);
	wr(DOMAINCFG, DM);
	wr(TARGET(8), UINT32_MAX);
	CHECK_EQ(rd(TARGET(8)), 0x3fffu << 18 | 255); /* no guest index */
	wr(TARGET(8), 1 << 18 | 256);
	CHECK_EQ(rd(TARGET(8)), 1 << 18);
	rig_end();
}

/* ---- direct mode [AIA 4.8] ------------------------------------------------------------------------- */

TEST(an_interrupt_needs_the_domain_the_enable_and_the_delivery)
{
	rig_start(2, false);
	wr(SOURCECFG(40), EDGE1);
	wr(TARGET(40), 1 << 18 | 2);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 40), 0);
	CHECK_EQ(rd(TOPI(1)), 0);
	wr(SETIENUM, 40);
	CHECK_EQ(rd(TOPI(1)), 40 << 16 | 2);
	CHECK(!line(1));
	wr(IDELIVERY(1), 1);
	CHECK(!line(1));
	wr(DOMAINCFG, IE);
	CHECK(line(1));
	CHECK(!line(0));
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK_EQ(rd(CLAIMI(1)), 40 << 16 | 2);
	CHECK(!line(1));
	CHECK_EQ(rd(CLAIMI(1)), 0);
	rig_end();
}

TEST(the_smallest_number_of_priority_and_then_of_source_comes_first)
{
	static const uint32_t order[] = { 700, 33, 1023, 2, 64 };

	rig_start(1, false);
	direct_on();
	source_on(64, EDGE1, 0, 7);
	source_on(1023, EDGE1, 0, 3);
	source_on(33, EDGE1, 0, 3);
	source_on(2, EDGE1, 0, 5);
	source_on(700, EDGE1, 0, 1);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, order[4 - i]), 0);
	for (uint32_t i = 0; i < 5; i++) {
		CHECK(line(0));
		CHECK_EQ(rd(CLAIMI(0)) >> 16, order[i]);
	}
	CHECK(!line(0));
	rig_end();
}

TEST(the_threshold_holds_back_its_own_priority_and_those_behind)
{
	rig_start(1, false);
	direct_on();
	source_on(10, EDGE1, 0, 4);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 10), 0);
	wr(ITHRESHOLD(0), 4);
	CHECK(!line(0));
	CHECK_EQ(rd(CLAIMI(0)), 0);
	wr(ITHRESHOLD(0), 5);
	CHECK(line(0));
	wr(ITHRESHOLD(0), 1);
	CHECK(!line(0));
	wr(ITHRESHOLD(0), 0);
	CHECK_EQ(rd(CLAIMI(0)), 10 << 16 | 4);
	rig_end();
}

TEST(a_level_pends_as_long_as_it_is_high_whatever_is_claimed_and_written)
{
	rig_start(1, false);
	direct_on();
	source_on(10, LEVEL1, 0, 1);
	wr(SETIPNUM, 10);
	CHECK(!line(0));
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(rd(CLAIMI(0)), 10 << 16 | 1);
	wr(CLRIPNUM, 10);
	wr(IN_CLRIP(0), UINT32_MAX);
	CHECK_EQ(rd(SETIP(0)), 1 << 10);
	CHECK_EQ(rd(IN_CLRIP(0)), 1 << 10);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, false), 0);
	CHECK(!line(0));
	CHECK_EQ(rd(CLAIMI(0)), 0);
	rig_end();
}

TEST(inverted_sources_are_asserted_by_the_low_wire)
{
	rig_start(1, false);
	direct_on();
	source_on(10, LEVEL0, 0, 1);
	CHECK(line(0));
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	CHECK(!line(0));
	source_on(11, EDGE0, 0, 1);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 11, true), 0);
	CHECK(!line(0));
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 11, false), 0);
	CHECK_EQ(rd(CLAIMI(0)) >> 16, 11);
	rig_end();
}

TEST(a_pulse_to_a_level_source_lasts_until_it_is_claimed)
{
	rig_start(1, false);
	direct_on();
	source_on(10, LEVEL1, 0, 1);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 10), 0);
	CHECK(line(0));
	CHECK_EQ(rd(CLAIMI(0)) >> 16, 10);
	CHECK(!line(0));
	CHECK_EQ(rd(SETIP(0)), 0);
	rig_end();
}

TEST(a_forced_interrupt_is_spurious_and_ends_with_its_claim)
{
	rig_start(1, false);
	direct_on();
	wr(IFORCE(0), 1);
	CHECK(line(0));
	CHECK_EQ(rd(TOPI(0)), 0);
	CHECK(line(0));
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK(!line(0));
	CHECK_EQ(rd(IFORCE(0)), 0);
	rig_end();
}

TEST(a_new_target_takes_what_pends_along)
{
	rig_start(3, false);
	direct_on();
	source_on(100, LEVEL1, 0, 1);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 100, true), 0);
	CHECK(line(0));
	wr(TARGET(100), 2 << 18 | 6);
	CHECK(!line(0));
	CHECK(line(2));
	CHECK_EQ(rd(TOPI(2)), 100 << 16 | 6);
	wr(TARGET(100), 77 << 18 | 6); /* no such hart */
	CHECK(!line(2));
	CHECK_EQ(rd(TOPI(2)), 0);
	CHECK_EQ(rd(SETIP(3)), 1 << 4);
	wr(TARGET(100), 1 << 18);
	CHECK(line(1));
	rig_end();
}

TEST(harts_with_an_imsic_take_nothing_directly)
{
	rig_start(1, true);
	ei_on(0);
	direct_on();
	source_on(10, EDGE1, 0, 1);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 10), 0);
	CHECK(!line(0));
	CHECK_EQ(rd(TOPI(0)), 10 << 16 | 1);
	rig_end();
}

/* ---- MSI mode [AIA 4.9] ------------------------------------------------------------------------------ */

static void msi_on(uint32_t vcpus)
{
	rig_start(vcpus, true);
	for (uint32_t i = 0; i < vcpus; i++)
		ei_on(i);
	wr(DOMAINCFG, IE | DM);
}

TEST(an_edge_is_forwarded_once)
{
	msi_on(2);
	source_on(10, EDGE1, 1, 200);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	CHECK(line(1));
	CHECK_EQ(rd(SETIP(0)), 0);
	CHECK_EQ(ei_claim(1), 200);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	CHECK_EQ(ei_claim(1), 0);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 10), 0);
	CHECK_EQ(ei_claim(1), 200);
	CHECK_EQ(ei_claim(0), 0);
	rig_end();
}

TEST(what_pends_is_forwarded_when_the_domain_and_the_source_are_enabled)
{
	msi_on(1);
	wr(DOMAINCFG, DM);
	source_on(10, EDGE1, 0, 20);
	source_on(900, EDGE1, 0, 21);
	wr(CLRIENUM, 900);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 10), 0);
	CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, 900), 0);
	CHECK_EQ(ei_claim(0), 0);
	wr(DOMAINCFG, IE | DM);
	CHECK_EQ(ei_claim(0), 20);
	CHECK_EQ(ei_claim(0), 0);
	wr(SETIENUM, 900);
	CHECK_EQ(ei_claim(0), 21);
	rig_end();
}

TEST(a_level_is_forwarded_again_when_setipnum_finds_it_high)
{
	msi_on(1);
	source_on(10, LEVEL1, 0, 20);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	CHECK_EQ(ei_claim(0), 20);
	CHECK_EQ(ei_claim(0), 0);
	wr(SETIPNUM_LE, 10);
	CHECK_EQ(ei_claim(0), 20);
	wr(SETIPNUM_BE, 10);
	CHECK_EQ(ei_claim(0), 0);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, false), 0);
	wr(SETIPNUM_LE, 10);
	CHECK_EQ(ei_claim(0), 0);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	CHECK_EQ(ei_claim(0), 20);
	rig_end();
}

TEST(no_msi_goes_to_a_hart_that_is_not_there_or_with_number_0)
{
	msi_on(2);
	source_on(10, EDGE1, 0, 0);
	source_on(11, EDGE1, 2, 9);
	source_on(12, EDGE1, 0x3fff, 9);
	for (uint32_t source = 10; source < 13; source++) {
		CHECK_EQ(axvm_aplic_pulse(rig_vm.arch.aplic, source), 0);
		CHECK_EQ(rd(SETIP(0)), 0); /* sent, to nobody */
	}
	wr(GENMSI, 2 << 18 | 9);
	wr(GENMSI, 0x3fffu << 18 | 9);
	wr(GENMSI, 0);
	CHECK_EQ(ei_claim(0), 0);
	CHECK_EQ(ei_claim(1), 0);
	rig_end();
}

TEST(an_extempore_msi_needs_no_domain_that_is_enabled)
{
	msi_on(2);
	wr(DOMAINCFG, DM);
	wr(GENMSI, 1 << 18 | 33);
	CHECK_EQ(rd(GENMSI), 1 << 18 | 33); /* and is not busy */
	CHECK_EQ(ei_claim(1), 33);
	rig_end();
}

TEST(a_level_that_pends_goes_on_pending_when_the_mode_changes)
{
	msi_on(1);
	wr(DOMAINCFG, IE);
	source_on(10, LEVEL1, 0, 20);
	CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 10, true), 0);
	wr(DOMAINCFG, DM);
	wr(TARGET(10), 20);
	CHECK_EQ(rd(SETIP(0)), 1 << 10);
	wr(DOMAINCFG, IE | DM);
	CHECK_EQ(ei_claim(0), 20);
	wr(DOMAINCFG, IE);
	CHECK_EQ(rd(SETIP(0)), 1 << 10);
	rig_end();
}

/* ---- hostile -------------------------------------------------------------------------------------------- */

static uint64_t state = 88172645463325252ULL;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

TEST(accesses_that_are_no_aligned_words_do_nothing)
{
	uint64_t value = 1;

	msi_on(1);
	source_on(1, DETACHED, 0, 5);
	for (uint64_t offset = 0; offset < 0x8000; offset++) {
		for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
			if ((bytes == 4 && offset % 4 == 0) || offset + bytes > 0x8000)
				continue;
			CHECK(try_bus_write(&rig_vcpus[0], APLIC + offset, bytes, 1));
			CHECK(try_bus_read(&rig_vcpus[0], APLIC + offset, bytes, &value));
			CHECK_EQ(value, 0);
		}
	}
	CHECK_EQ(ei_claim(0), 0);
	CHECK_EQ(rd(DOMAINCFG), 0x80000000 | IE | DM);
	CHECK_EQ(rd(SOURCECFG(1)), DETACHED);
	CHECK_EQ(rd(SETIE(0)), 2);
	rig_end();
}

TEST(reserved_words_read_as_zero_whatever_was_written)
{
	rig_start(2, true);
	for (uint64_t offset = 0x1000; offset < 0x8000; offset += 4) {
		uint64_t in_page = offset & 0xff;
		bool is_array = offset >= 0x1c00 && offset < 0x2000 && in_page < 0x80;
		bool is_idc = offset >= 0x4000 && offset < 0x4040 &&
			      (offset % 32 < 12 || offset % 32 >= 24);

		if (is_array || is_idc || (offset >= 0x3000 && offset < 0x4000))
			continue;
		wr(APLIC + offset, UINT32_MAX);
		CHECK_EQ(rd(APLIC + offset), 0);
	}
	rig_end();
}

TEST(random_words_everywhere_are_survived_in_both_modes)
{
	for (unsigned with_imsic = 0; with_imsic < 2; with_imsic++) {
		rig_start(5, with_imsic != 0);
		for (uint32_t i = 0; i < 200000; i++) {
			uint64_t offset = next() % 0x2000 * 4;
			uint32_t value = (uint32_t)next();

			if (i % 7 == 0)
				offset &= 0x403f; /* domaincfg and the first delivery controls */
			if (i % 3 == 0)
				(void)rd(APLIC + offset);
			else
				wr(APLIC + offset, i % 2 == 0 ? value : value & 0x107);
			if (i % 16 == 0)
				CHECK_EQ(axvm_aplic_set_level(rig_vm.arch.aplic, 1 + value % 1023,
							      i % 32 == 0),
					 0);
		}
		axvm_aplic_device_type.reset(&rig_aplic);
		for (uint32_t i = 0; i < 5 && with_imsic == 0; i++)
			CHECK(!line(i));
		rig_end();
	}
}

TEST(a_vm_has_one_aplic_and_it_has_room_for_its_registers)
{
	struct axvm_device other;

	rig_start(1, false);
	CHECK_EQ(rig_make(&other, &axvm_aplic_device_type, APLIC + 0x10000, 0x8000), AXVM_EEXIST);
	rig_vm.arch.aplic = NULL;
	CHECK_EQ(rig_make(&other, &axvm_aplic_device_type, APLIC + 0x10000, 0x3000), AXVM_EINVAL);
	CHECK_EQ(rig_make(&other, &axvm_aplic_device_type, APLIC + 0x4000, 0x8000), AXVM_EEXIST);
	axvm_sim_fail_allocation_after(0);
	CHECK_EQ(rig_make(&other, &axvm_aplic_device_type, APLIC + 0x10000, 0x8000), AXVM_ENOMEM);
	CHECK(rig_vm.arch.aplic == NULL);
	rig_end();
}

AXTEST_MAIN(a_domain_is_off_at_reset_and_its_sources_are_inactive,
	    the_mode_can_be_changed_only_where_there_is_an_imsic,
	    reserved_modes_and_delegation_make_a_source_inactive, an_inactive_source_has_no_state,
	    source_0_does_not_exist, target_has_a_priority_that_is_not_0_or_an_eiid,
	    an_interrupt_needs_the_domain_the_enable_and_the_delivery,
	    the_smallest_number_of_priority_and_then_of_source_comes_first,
	    the_threshold_holds_back_its_own_priority_and_those_behind,
	    a_level_pends_as_long_as_it_is_high_whatever_is_claimed_and_written,
	    inverted_sources_are_asserted_by_the_low_wire,
	    a_pulse_to_a_level_source_lasts_until_it_is_claimed,
	    a_forced_interrupt_is_spurious_and_ends_with_its_claim,
	    a_new_target_takes_what_pends_along, harts_with_an_imsic_take_nothing_directly,
	    an_edge_is_forwarded_once,
	    what_pends_is_forwarded_when_the_domain_and_the_source_are_enabled,
	    a_level_is_forwarded_again_when_setipnum_finds_it_high,
	    no_msi_goes_to_a_hart_that_is_not_there_or_with_number_0,
	    an_extempore_msi_needs_no_domain_that_is_enabled,
	    a_level_that_pends_goes_on_pending_when_the_mode_changes,
	    accesses_that_are_no_aligned_words_do_nothing,
	    reserved_words_read_as_zero_whatever_was_written,
	    random_words_everywhere_are_survived_in_both_modes,
	    a_vm_has_one_aplic_and_it_has_room_for_its_registers)
