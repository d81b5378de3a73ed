// SPDX-License-Identifier: Apache-2.0
/*
 * Look-ups and guest memory accesses beside changes: what is not being changed is found at every
 * moment, and tables that go away are not looked at afterwards (ASan and the simulated RAM watch).
 */
#include <axvm/aspace.h>

#include <pthread.h>
#include <string.h>

#include "axtest.h"
#include "mmu_model.h"
#include "pagetable.h"
#include "sim.h"

#define KIB4 ((uint64_t)1 << 12)
#define MIB2 ((uint64_t)1 << 21)
#define BASE ((uint64_t)1 << 30)
#define ROUNDS 600u
#define READS_AT_LEAST 600u

static struct axvm_budget budget;
static struct axvm_aspace as;
static struct axvm_hpa ram;
static _Atomic uint32_t stop;
static _Atomic uint64_t reads;
static _Atomic uint64_t failures;

/* The first page of the block stays as it is; its third comes and goes. */
static void read_both(void)
{
	uint64_t value = 0;
	uint64_t bytes = 0;
	struct axvm_hpa hpa = { 0 };
	bool good =
		axvm_aspace_read(&as, axvm_gpa(BASE + 8), &value, sizeof(value)) == 0 &&
		value == 0x0123456789abcdef &&
		axvm_aspace_translate(&as, axvm_gpa(BASE + 8), AXVM_MAP_READ, &hpa, &bytes) == 0 &&
		hpa.addr == ram.addr + 8;
	int error = axvm_aspace_read(&as, axvm_gpa(BASE + 2 * KIB4), &value, sizeof(value));

	good = good && (error == 0 || error == AXVM_EFAULT);
	/* In a table of its own, which is freed each time. */
	error = axvm_aspace_query(&as, axvm_gpa(3 * BASE), NULL);
	good = good && (error == 0 || error == AXVM_EFAULT);
	failures += good ? 0 : 1;
	reads++;
}

static void *reader(void *argument)
{
	while (stop == 0)
		read_both();
	return argument;
}

static int change_round(void)
{
	int error = axvm_aspace_unmap(&as, axvm_gpa(BASE + 2 * KIB4), KIB4);

	if (error == 0)
		error = axvm_aspace_map(&as, axvm_gpa(BASE + 2 * KIB4),
					axvm_hpa(ram.addr + 2 * KIB4), KIB4, AXVM_MAP_RWX);
	if (error == 0)
		error = axvm_aspace_protect(&as, axvm_gpa(BASE + MIB2 / 2), MIB2 / 2,
					    AXVM_MAP_READ | AXVM_MAP_UNCACHED);
	if (error == 0)
		error = axvm_aspace_protect(&as, axvm_gpa(BASE), MIB2, AXVM_MAP_RWX);
	if (error == 0)
		error = axvm_aspace_map(&as, axvm_gpa(3 * BASE), ram, KIB4, AXVM_MAP_READ);
	if (error == 0)
		error = axvm_aspace_unmap(&as, axvm_gpa(3 * BASE), KIB4);
	return error;
}

static void change_beside_a_reader(void)
{
	pthread_t thread;
	int error = 0;

	stop = 0;
	reads = 0;
	failures = 0;
	REQUIRE_EQ(pthread_create(&thread, NULL, reader, NULL), 0);
	for (uint32_t i = 0; error == 0 && (i < ROUNDS || reads < READS_AT_LEAST); i++)
		error = change_round();
	stop = 1;
	pthread_join(thread, NULL);
	CHECK_EQ(error, 0);
	CHECK_EQ(failures, 0);
	CHECK_EQ(as.readers[0] + as.readers[1], 0);
	CHECK_EQ(as.breaking % 2, 0);
}

static void check_readers(const struct axvm_pte_format *format)
{
	uint64_t value = 0x0123456789abcdef;

	/* The MMU model keeps no lock: here only the readers look. */
	axvm_sim_reset(NULL);
	budget.limit_pages = 1000;
	atomic_store(&budget.used_pages, 0);
	REQUIRE_EQ(axvm_hal_alloc_pages(MIB2 / KIB4, MIB2, &ram), 0);
	REQUIRE_EQ(axvm_aspace_init(&as, format, 1, &budget), 0);
	CHECK_EQ(axvm_aspace_map(&as, axvm_gpa(BASE), ram, MIB2, AXVM_MAP_RWX), 0);
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(BASE + 8), &value, sizeof(value)), 0);
	change_beside_a_reader();
	axvm_aspace_fini(&as);
	axvm_hal_free_pages(ram, MIB2 / KIB4);
}

TEST(readers_find_what_does_not_change_and_never_a_freed_table)
{
	check_readers(axvm_arch_pte_formats[0]);
	check_readers(axvm_arch_pte_formats[axvm_arch_pte_format_count - 1]);
	check_readers(synthetic_formats[1]);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
}

static _Atomic uint32_t unmapped;

static void *unmapper(void *argument)
{
	failures += axvm_aspace_unmap(&as, axvm_gpa(BASE), KIB4) != 0 ? 1 : 0;
	unmapped = 1;
	return argument;
}

TEST(unmap_returns_only_when_the_readers_of_before_have_left)
{
	pthread_t thread;

	axvm_sim_reset(NULL);
	budget.limit_pages = 1000;
	atomic_store(&budget.used_pages, 0);
	REQUIRE_EQ(axvm_aspace_init(&as, axvm_arch_pte_formats[0], 1, &budget), 0);
	CHECK_EQ(axvm_aspace_map(&as, axvm_gpa(BASE), axvm_hpa(BASE), KIB4, AXVM_MAP_RWX), 0);

	uint64_t used = axvm_sim_used_pages();
	uint32_t epoch = as.epoch;

	unmapped = 0;
	failures = 0;
	/* A reader is inside. */
	as.readers[epoch & 1]++;
	REQUIRE_EQ(pthread_create(&thread, NULL, unmapper, NULL), 0);
	while (as.epoch == epoch && unmapped == 0)
		;
	CHECK_EQ(unmapped, 0);
	CHECK_EQ(axvm_sim_used_pages(), used);
	/* One that comes now is not waited for. */
	CHECK_EQ(axvm_aspace_query(&as, axvm_gpa(BASE), NULL), AXVM_EFAULT);
	as.readers[epoch & 1]--;
	pthread_join(thread, NULL);
	CHECK_EQ(failures, 0);
	CHECK(axvm_sim_used_pages() < used);
	axvm_aspace_fini(&as);
}

AXTEST_MAIN(unmap_returns_only_when_the_readers_of_before_have_left,
	    readers_find_what_does_not_change_and_never_a_freed_table)
