// SPDX-License-Identifier: Apache-2.0
/* The IMSIC: registers, delivery, claims, MSIs, and hardware files in place of the software one. */
#define _GNU_SOURCE

#include "riscv64_aia_rig.h"

#include <pthread.h>
#include <sched.h>

/* ---- registers [AIA 3.8] ------------------------------------------------------------------------ */

TEST(a_file_is_off_and_empty_at_power_on)
{
	rig_start(2, true);
	ei_on(0);
	axvm_imsic_send(&rig_vcpus[0], 9);
	CHECK(line(0));
	axvm_imsic_reset(&rig_vcpus[0]);
	CHECK(!line(0));
	CHECK_EQ(ei_read(0, EIDELIVERY), 0);
	CHECK_EQ(ei_read(0, EITHRESHOLD), 0);
	for (uint32_t i = 0; i < 64; i += 2) {
		CHECK_EQ(ei_read(0, EIP + i), 0);
		CHECK_EQ(ei_read(0, EIE + i), 0);
	}
	rig_end();
}

TEST(registers_that_do_not_exist_are_refused_and_reserved_ones_read_as_zero)
{
	uint64_t value = 0xdead;

	rig_start(1, true);
	for (uint64_t select = 0; select < 0x400; select++) {
		bool is_array = select >= EIP && select < 0x100;
		bool exists = select >= 0x70 && select < 0x100 && !(is_array && select % 2 == 1);

		CHECK_EQ(axvm_imsic_write(&rig_vcpus[0], select, UINT64_MAX), exists);
		CHECK_EQ(axvm_imsic_read(&rig_vcpus[0], select, &value), exists);
		if (exists && select != EIDELIVERY && select != EITHRESHOLD && !is_array)
			CHECK_EQ(value, 0);
	}
	CHECK(!axvm_imsic_read(&rig_vcpus[0], UINT64_MAX, &value));
	CHECK(!axvm_imsic_read(&rig_vcpus[0], 1ULL << 32 | EIP, &value));
	rig_end();
}

TEST(only_bits_that_are_implemented_can_be_written)
{
	rig_start(1, true);
	for (uint32_t i = 0; i < 64; i += 2) {
		uint64_t mask = i == 0 ? ~1ULL : i < 8 ? UINT64_MAX : 0;

		ei_write(0, EIP + i, UINT64_MAX);
		ei_write(0, EIE + i, UINT64_MAX);
		CHECK_EQ(ei_read(0, EIP + i), mask);
		CHECK_EQ(ei_read(0, EIE + i), mask);
	}
	ei_write(0, EITHRESHOLD, UINT64_MAX);
	CHECK_EQ(ei_read(0, EITHRESHOLD), 255);
	ei_write(0, EIDELIVERY, 0x40000000); /* from an APLIC: a guest's file has no such thing */
	CHECK_EQ(ei_read(0, EIDELIVERY), 0);
	ei_write(0, EIDELIVERY, UINT64_MAX);
	CHECK_EQ(ei_read(0, EIDELIVERY), 1);
	rig_end();
}

TEST(an_access_changes_the_bits_of_its_mask_and_tells_what_was_before)
{
	uint64_t before = 0;

	rig_start(1, true);
	ei_write(0, EIP, 0xf0);
	CHECK(axvm_imsic_update(&rig_vcpus[0], EIP, 0x30, 0x10, &before));
	CHECK_EQ(before, 0xf0);
	CHECK_EQ(ei_read(0, EIP), 0xd0);
	CHECK(axvm_imsic_update(&rig_vcpus[0], EIP, 0x0e, 0x0e, &before));
	CHECK_EQ(before, 0xd0);
	CHECK_EQ(ei_read(0, EIP), 0xde);
	CHECK(axvm_imsic_update(&rig_vcpus[0], EIP, 0, UINT64_MAX, &before));
	CHECK_EQ(ei_read(0, EIP), 0xde);
	ei_write(0, EITHRESHOLD, 0x35);
	CHECK(axvm_imsic_update(&rig_vcpus[0], EITHRESHOLD, 0x0f, 0x02, &before));
	CHECK_EQ(before, 0x35);
	CHECK_EQ(ei_read(0, EITHRESHOLD), 0x32);
	rig_end();
}

/* ---- delivery and claims [AIA 3.9, 3.10] --------------------------------------------------------- */

TEST(the_lowest_number_that_is_pending_and_enabled_comes_first)
{
	rig_start(1, true);
	ei_on(0);
	ei_write(0, EIE + 2, ~(1ULL << (70 - 64)));
	axvm_imsic_send(&rig_vcpus[0], 255);
	axvm_imsic_send(&rig_vcpus[0], 130);
	axvm_imsic_send(&rig_vcpus[0], 70); /* not enabled */
	axvm_imsic_send(&rig_vcpus[0], 71);
	CHECK_EQ(ei_claim(0), 71);
	CHECK_EQ(ei_claim(0), 130);
	CHECK(line(0));
	CHECK_EQ(ei_claim(0), 255);
	CHECK(!line(0));
	CHECK_EQ(ei_claim(0), 0);
	CHECK(ei_pending(0, 70));
	rig_end();
}

TEST(the_threshold_holds_back_its_own_number_and_those_above)
{
	rig_start(1, true);
	ei_on(0);
	axvm_imsic_send(&rig_vcpus[0], 20);
	ei_write(0, EITHRESHOLD, 20);
	CHECK(!line(0));
	CHECK_EQ(axvm_imsic_top(&rig_vcpus[0]), 0);
	ei_write(0, EITHRESHOLD, 21);
	CHECK(line(0));
	CHECK_EQ(axvm_imsic_top(&rig_vcpus[0]), 20 << 16 | 20);
	ei_write(0, EITHRESHOLD, 20);
	CHECK_EQ(ei_claim(0), 0); /* claims nothing */
	CHECK(ei_pending(0, 20));
	ei_write(0, EITHRESHOLD, 0);
	CHECK_EQ(ei_claim(0), 20);
	rig_end();
}

TEST(without_delivery_there_is_no_signal_but_a_top)
{
	rig_start(1, true);
	ei_on(0);
	ei_write(0, EIDELIVERY, 0);
	axvm_imsic_send(&rig_vcpus[0], 3);
	CHECK(!line(0));
	CHECK_EQ(axvm_imsic_top(&rig_vcpus[0]), 3 << 16 | 3);
	ei_write(0, EIDELIVERY, 1);
	CHECK(line(0));
	ei_write(0, EIP, 0);
	CHECK(!line(0));
	rig_end();
}

TEST(a_claim_clears_the_number_that_was_read_though_a_better_one_came)
{
	rig_start(1, true);
	ei_on(0);
	axvm_imsic_send(&rig_vcpus[0], 50);
	uint32_t top = axvm_imsic_top(&rig_vcpus[0]);

	axvm_imsic_send(&rig_vcpus[0], 5);
	axvm_imsic_claim(&rig_vcpus[0], top);
	CHECK(!ei_pending(0, 50));
	CHECK(ei_pending(0, 5));
	CHECK(line(0));
	axvm_imsic_claim(&rig_vcpus[0], 0xffff);
	axvm_imsic_claim(&rig_vcpus[0], 256);
	axvm_imsic_claim(&rig_vcpus[0], 0);
	CHECK(ei_pending(0, 5));
	rig_end();
}

/* ---- MSIs [AIA 3.5] ------------------------------------------------------------------------------- */

TEST(a_store_to_a_page_reaches_that_vcpu_and_no_other)
{
	rig_start(3, true);
	wr(IMSIC + 0x1000, 77);
	CHECK(!ei_pending(0, 77));
	CHECK(ei_pending(1, 77));
	CHECK(!ei_pending(2, 77));
	CHECK_EQ(rd(IMSIC + 0x1000), 0);
	rig_end();
}

TEST(stores_elsewhere_of_other_sizes_and_of_wild_numbers_do_nothing)
{
	static const uint32_t wild[] = { 0, 256, 257, 0x7ff, 0x800, 0x10005, UINT32_MAX };
	uint64_t value = 0;

	rig_start(2, true);
	for (uint64_t offset = 4; offset < 0x1000; offset += 4)
		wr(IMSIC + offset, 8);
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		for (uint64_t offset = 0; offset < 16; offset++) {
			if (bytes != 4 || offset % 4 != 0)
				CHECK(try_bus_write(&rig_vcpus[0], IMSIC + offset, bytes, 8));
			CHECK(try_bus_read(&rig_vcpus[0], IMSIC + offset, bytes, &value));
			CHECK_EQ(value, 0);
		}
	}
	for (uint32_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
		wr(IMSIC, wild[i]);
	for (uint32_t i = 0; i < 64; i += 2)
		CHECK_EQ(ei_read(0, EIP + i), 0);
	CHECK(!try_bus_write(&rig_vcpus[0], IMSIC + 0x2000, 4, 8)); /* no third vCPU */
	rig_end();
}

TEST(an_imsic_needs_a_page_for_each_vcpu_and_there_is_one)
{
	struct axvm_device other;

	rig_start(3, false);
	CHECK_EQ(rig_make(&other, &axvm_imsic_device_type, IMSIC, 0x2000), AXVM_EINVAL);
	CHECK_EQ(rig_make(&other, &axvm_imsic_device_type, IMSIC + 0x800, 0x3000), AXVM_EINVAL);
	CHECK_EQ(rig_make(&other, &axvm_imsic_device_type, APLIC, 0x3000), AXVM_EEXIST);
	CHECK(!rig_vm.arch.has_imsic);
	CHECK_EQ(rig_make(&rig_imsic, &axvm_imsic_device_type, IMSIC, 0x3000), 0);
	CHECK_EQ(rig_make(&other, &axvm_imsic_device_type, IMSIC + 0x10000, 0x3000), AXVM_EEXIST);
	CHECK_EQ(rig_vm.arch.imsic_base, IMSIC);
	rig_end();
}

/* ---- several CPUs ---------------------------------------------------------------------------------- */

#define ROUNDS 100000u
#define IDLE_MAX 20000000u

/* The same number again only when it was claimed: two that pend at once would be one. */
static void *send_all(void *argument)
{
	(void)argument;
	axvm_sim_set_cpu(1);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint32_t eiid = 1 + round % 255;

		for (uint32_t spins = 0; spins < IDLE_MAX && ei_pending(0, eiid); spins++)
			sched_yield();
		axvm_imsic_send(&rig_vcpus[0], eiid);
	}
	return NULL;
}

TEST(an_msi_that_comes_during_a_claim_is_neither_lost_nor_without_a_signal)
{
	pthread_t sender;
	uint32_t seen = 0;
	uint32_t idle = 0;

	rig_start(2, true);
	ei_on(0);
	CHECK_EQ(pthread_create(&sender, NULL, send_all, NULL), 0);
	while (seen < ROUNDS && idle < IDLE_MAX) {
		/* As the guest would: only when it is signalled. */
		if (!line(0)) {
			idle++;
			sched_yield();
			continue;
		}
		idle = 0;
		seen += ei_claim(0) != 0;
	}
	CHECK_EQ(seen, ROUNDS);
	CHECK_EQ(pthread_join(sender, NULL), 0);
	CHECK_EQ(ei_claim(0), 0);
	CHECK(!line(0));
	rig_end();
}

/* ---- hardware files [AIA 6.1] ---------------------------------------------------------------------- */

static void bind(uint32_t vcpu, uint32_t cpu)
{
	axvm_sim_set_cpu(cpu);
	axvm_imsic_bound(&rig_vcpus[vcpu]);
}

static bool is_mapped(uint32_t vcpu, uint64_t *hpa)
{
	struct axvm_mapping mapping;

	if (axvm_aspace_query(&rig_vm.aspace, axvm_gpa(IMSIC + vcpu * 0x1000ULL), &mapping) != 0)
		return false;
	CHECK((mapping.flags & AXVM_MAP_DEVICE) != 0);
	CHECK((mapping.flags & AXVM_MAP_WRITE) != 0);
	CHECK((mapping.flags & AXVM_MAP_EXECUTE) == 0);
	*hpa = mapping.hpa.addr;
	return true;
}

TEST(a_bound_vcpu_gets_a_file_and_keeps_it)
{
	uint64_t hpa = 0;

	rig_start_with(2, true, 2, NULL, 0);
	ei_on(0);
	axvm_imsic_send(&rig_vcpus[0], 6);
	CHECK(line(0));
	bind(0, 0);
	CHECK_EQ(rig_vcpus[0].arch.guest_file, 1);
	CHECK(!line(0)); /* the file signals, not we */
	CHECK_EQ(axvm_sim_riscv64_file_loads(), 1);
	CHECK(is_mapped(0, &hpa));
	CHECK_EQ(hpa, AXVM_SIM_RISCV64_FILES);
	axvm_imsic_send(&rig_vcpus[0], 9);
	CHECK(axvm_sim_riscv64_file_has(0, 1, 9));
	CHECK(!line(0));
	wr(IMSIC, 10); /* a store that trapped while it was not mapped */
	CHECK(axvm_sim_riscv64_file_has(0, 1, 10));
	bind(0, 0);
	CHECK_EQ(axvm_sim_riscv64_file_loads(), 1);
	CHECK_EQ(axvm_sim_riscv64_files_in_use(), 1);
	bind(1, 0);
	CHECK_EQ(rig_vcpus[1].arch.guest_file, 2);
	CHECK(is_mapped(1, &hpa));
	CHECK_EQ(hpa, AXVM_SIM_RISCV64_FILES + 0x1000);
	rig_end();
}

static void stored(struct axvm_vcpu *vcpu, const uint64_t *pending)
{
	for (uint32_t i = 0; i < AXVM_IMSIC_WORDS; i++)
		atomic_fetch_or(&vcpu->arch.imsic.pending[i], pending[i]);
}

static void loaded(struct axvm_vcpu *vcpu, uint64_t *pending)
{
	for (uint32_t i = 0; i < AXVM_IMSIC_WORDS; i++)
		pending[i] |= atomic_load(&vcpu->arch.imsic.pending[i]);
}

TEST(what_pends_follows_a_vcpu_to_the_file_of_another_cpu)
{
	uint64_t hpa = 0;

	rig_start_with(1, true, 1, NULL, 0);
	axvm_sim_riscv64_move_files(stored, loaded);
	bind(0, 0);
	axvm_imsic_send(&rig_vcpus[0], 100);
	bind(0, 3);
	CHECK_EQ(axvm_sim_riscv64_file_stores(), 1);
	CHECK(axvm_sim_riscv64_file_has(3, 1, 100));
	CHECK_EQ(axvm_sim_riscv64_files_in_use(), 1);
	CHECK(axvm_sim_riscv64_file_owner(0, 1) == NULL);
	CHECK_EQ(ei_read(0, EIP + 2), 0);
	CHECK(is_mapped(0, &hpa));
	CHECK_EQ(hpa, AXVM_SIM_RISCV64_FILES + 3 * 8 * 0x1000);
	rig_end();
}

TEST(what_pends_comes_back_where_the_other_cpu_has_no_file)
{
	rig_start_with(2, true, 1, NULL, 0);
	axvm_sim_riscv64_move_files(stored, loaded);
	bind(1, 3);
	bind(0, 0);
	ei_on(0);
	axvm_imsic_send(&rig_vcpus[0], 100);
	CHECK(!line(0));
	bind(0, 3);
	CHECK_EQ(rig_vcpus[0].arch.guest_file, 0);
	CHECK(line(0));
	CHECK_EQ(ei_claim(0), 100);
	rig_end();
}

TEST(without_a_free_file_it_is_software_until_there_is_one)
{
	uint64_t hpa;

	rig_start_with(2, true, 1, NULL, 0);
	bind(0, 0);
	bind(1, 0);
	CHECK_EQ(rig_vcpus[1].arch.guest_file, 0);
	CHECK(!is_mapped(1, &hpa));
	ei_on(1);
	wr(IMSIC + 0x1000, 4);
	CHECK(line(1));
	axvm_imsic_reset(&rig_vcpus[0]); /* gives its file back */
	CHECK(!is_mapped(0, &hpa));
	CHECK_EQ(rig_vcpus[0].arch.guest_file, 0);
	bind(1, 0);
	CHECK_EQ(rig_vcpus[1].arch.guest_file, 1);
	CHECK(!line(1));
	rig_end();
}

TEST(without_memory_for_a_table_the_stores_trap_and_are_sent_on)
{
	uint64_t hpa;

	rig_start_with(1, true, 1, NULL, 0);
	axvm_sim_fail_allocation_after(0);
	bind(0, 0);
	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
	CHECK_EQ(rig_vcpus[0].arch.guest_file, 1);
	CHECK(!is_mapped(0, &hpa));
	wr(IMSIC, 12);
	CHECK(axvm_sim_riscv64_file_has(0, 1, 12));
	rig_end();
}

TEST(a_vm_without_an_imsic_takes_no_file)
{
	rig_start_with(1, false, 2, NULL, 0);
	bind(0, 0);
	CHECK_EQ(axvm_sim_riscv64_files_in_use(), 0);
	rig_end();
}

AXTEST_MAIN(a_file_is_off_and_empty_at_power_on,
	    registers_that_do_not_exist_are_refused_and_reserved_ones_read_as_zero,
	    only_bits_that_are_implemented_can_be_written,
	    an_access_changes_the_bits_of_its_mask_and_tells_what_was_before,
	    the_lowest_number_that_is_pending_and_enabled_comes_first,
	    the_threshold_holds_back_its_own_number_and_those_above,
	    without_delivery_there_is_no_signal_but_a_top,
	    a_claim_clears_the_number_that_was_read_though_a_better_one_came,
	    a_store_to_a_page_reaches_that_vcpu_and_no_other,
	    stores_elsewhere_of_other_sizes_and_of_wild_numbers_do_nothing,
	    an_imsic_needs_a_page_for_each_vcpu_and_there_is_one,
	    an_msi_that_comes_during_a_claim_is_neither_lost_nor_without_a_signal,
	    a_bound_vcpu_gets_a_file_and_keeps_it,
	    what_pends_follows_a_vcpu_to_the_file_of_another_cpu,
	    what_pends_comes_back_where_the_other_cpu_has_no_file,
	    without_a_free_file_it_is_software_until_there_is_one,
	    without_memory_for_a_table_the_stores_trap_and_are_sent_on,
	    a_vm_without_an_imsic_takes_no_file)
