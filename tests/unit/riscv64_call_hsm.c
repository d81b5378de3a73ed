/* SPDX-License-Identifier: Apache-2.0 */
/* SBI HSM and SUSP: harts that start, stop and sleep. */
#define _GNU_SOURCE

#include <pthread.h>
#include <sched.h>

#include "riscv64_sbi.h"

#define START(...) SBI(SBI_HSM, 0, __VA_ARGS__)
#define STOP SBI(SBI_HSM, 1, 0)
#define STATUS(hart) SBI(SBI_HSM, 2, hart)
#define SUSPEND(...) SBI(SBI_HSM, 3, __VA_ARGS__)
#define SYSTEM_SUSPEND(...) SBI(SBI_SUSP, 0, __VA_ARGS__)
#define NON_RETENTIVE 0x80000000ULL

#define STARTED 0
#define STOPPED 1
#define START_PENDING 2
#define SUSPENDED 4

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void start_with_stopped(uint32_t vcpus)
{
	rig_start(vcpus);
	for (uint32_t i = 1; i < vcpus; i++) {
		rig_unbind(i);
		atomic_store(&rig_vcpus[i].power, AXVM_POWER_OFF);
	}
	(void)on(0);
}

/* What the state says of a hart, and what a start of it answers: each from each state. */
TEST(a_hart_answers_as_its_state_says)
{
	static const struct {
		uint32_t power;
		uint32_t state;
		uint32_t suspended;
		uint64_t status;
		uint64_t start; /* the answer to hart_start */
	} table[] = {
		{ AXVM_POWER_OFF, AXVM_VCPU_FREE, 0, STOPPED, SUCCESS },
		{ AXVM_POWER_OFF, AXVM_VCPU_FREE, 1, STOPPED, SUCCESS },
		{ AXVM_POWER_CLAIMED, AXVM_VCPU_FREE, 0, START_PENDING, ALREADY_AVAILABLE },
		{ AXVM_POWER_ON_PENDING, AXVM_VCPU_FREE, 0, START_PENDING, ALREADY_AVAILABLE },
		{ AXVM_POWER_ON, AXVM_VCPU_FREE, 0, STARTED, ALREADY_AVAILABLE },
		{ AXVM_POWER_ON, AXVM_VCPU_RUNNING, 1, STARTED, ALREADY_AVAILABLE },
		{ AXVM_POWER_ON, AXVM_VCPU_BLOCKED, 0, STARTED, ALREADY_AVAILABLE },
		{ AXVM_POWER_ON, AXVM_VCPU_BLOCKED, 1, SUSPENDED, ALREADY_AVAILABLE },
	};

	start_with_stopped(2);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct axvm_vcpu *other = &rig_vcpus[1];

		atomic_store(&other->power, table[i].power);
		atomic_store(&other->state, table[i].state);
		atomic_store(&other->arch.suspended, table[i].suspended);
		CHECK_EQ(sbi_value(0, STATUS(1)), table[i].status);
		(void)sbi_call(0, START(1, RAM + 0x40, 5));
		CHECK_EQ(rig_vcpus[0].arch.x[10], table[i].start);
		CHECK_EQ(rig_vcpus[0].arch.x[11], 0);
		CHECK_EQ(atomic_load(&other->power),
			 table[i].start == SUCCESS ? AXVM_POWER_ON_PENDING : table[i].power);
	}
	atomic_store(&rig_vcpus[1].state, AXVM_VCPU_FREE);
	rig_end();
}

TEST(start_switches_the_target_on)
{
	start_with_stopped(3);
	CHECK_EQ(sbi_call(0, START(2, RAM + 0x1002, 0x1234567890)), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_CPU_UP);
	CHECK_EQ(rig_vcpus[0].exit.cpu_up.target, 2);
	CHECK_EQ(rig_vcpus[0].arch.x[10], SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 0);
	CHECK_EQ(rig_vcpus[2].power_on_entry, RAM + 0x1002);
	CHECK_EQ(rig_vcpus[2].power_on_arg, 0x1234567890);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[2]), AXVM_POWER_ON_PENDING);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[1]), AXVM_POWER_OFF);
	rig_end();
}

TEST(start_refuses_bad_harts_and_entries)
{
	static const uint64_t harts[] = { 2, 64, 1ULL << 32 | 1, 1ULL << 63 | 1, UINT64_MAX };
	static const uint64_t entries[] = { RAM + 1,	      0,
					    RAM - 2,	      RAM + RAM_BYTES,
					    0x10000000,	      1ULL << 41,
					    1ULL << 63 | RAM, UINT64_MAX - 1 };

	start_with_stopped(2);
	for (size_t i = 0; i < COUNT_OF(harts); i++) {
		CHECK_EQ(sbi_error(0, START(harts[i], RAM, 0)), INVALID_PARAM);
		CHECK_EQ(sbi_error(0, STATUS(harts[i])), INVALID_PARAM);
	}
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		CHECK_EQ(sbi_error(0, START(1, entries[i], 0)), INVALID_ADDRESS);
		CHECK_EQ(sbi_error(0, SUSPEND(NON_RETENTIVE, entries[i], 0)), INVALID_ADDRESS);
		CHECK_EQ(sbi_error(0, SYSTEM_SUSPEND(0, entries[i], 0)), INVALID_ADDRESS);
	}
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[1]), AXVM_POWER_OFF);
	CHECK_EQ(sbi_error(0, SBI(SBI_HSM, 4, 0)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, SBI(SBI_SUSP, 1, 0)), NOT_SUPPORTED);
	rig_end();
}

TEST(memory_that_cannot_be_executed_is_no_entry)
{
	struct axvm_hpa page;

	start_with_stopped(2);
	REQUIRE_EQ(axvm_hal_alloc_pages(1, 4096, &page), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(0x10000), page, 4096,
				   AXVM_MAP_READ | AXVM_MAP_WRITE),
		   0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(0x20000), page, 4096,
				   AXVM_MAP_RWX | AXVM_MAP_DEVICE),
		   0);
	CHECK_EQ(sbi_error(0, START(1, 0x10000, 0)), INVALID_ADDRESS);
	CHECK_EQ(sbi_error(0, START(1, 0x20000, 0)), INVALID_ADDRESS);
	CHECK_EQ(axvm_aspace_unmap(&rig_vm.aspace, axvm_gpa(0), 0x30000), 0);
	axvm_hal_free_pages(page, 1);
	rig_end();
}

TEST(stop_leaves)
{
	rig_start(2);
	CHECK_EQ(sbi_call(1, STOP), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[1].exit.reason, AXVM_EXIT_CPU_DOWN);
	CHECK_EQ(axvm_vcpu_power(&rig_vcpus[1]), AXVM_POWER_OFF);
	CHECK_EQ(sbi_value(0, STATUS(1)), STOPPED);
	rig_end();
}

TEST(a_retentive_suspend_waits_like_wfi)
{
	rig_start(1);
	CHECK_EQ(sbi_call(0, SUSPEND(0, 1, 2)), AXVM_LEAVE); /* the address does not matter */
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(rig_vcpus[0].arch.x[10], SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 0);
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.suspended), 1);
	/* Only 32 bits of the type count. */
	CHECK_EQ(sbi_call(0, SUSPEND(7ULL << 32, 1, 2)), AXVM_LEAVE);
	/* A wait for an interrupt after it is no suspend. */
	CHECK_EQ(axvm_riscv64_wait(on(0)), AXVM_LEAVE);
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.suspended), 0);
	axvm_riscv64_set_software(on(0));
	CHECK_EQ(sbi_value(0, SUSPEND(0, 0, 0)), 0); /* there is something to do */
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.suspended), 0);
	serve(0);
	rig_end();
}

TEST(suspend_refuses_types_that_there_are_not)
{
	static const uint64_t types[] = { 1,	      0x0fffffff, 0x10000000, 0x7fffffff,
					  0x80000001, 0x8fffffff, 0x90000000, UINT64_MAX };

	rig_start(1);
	for (size_t i = 0; i < COUNT_OF(types); i++)
		CHECK_EQ(sbi_error(0, SUSPEND(types[i], RAM, 0)), INVALID_PARAM);
	for (size_t i = 0; i < COUNT_OF(types); i++)
		CHECK_EQ(sbi_error(0, SYSTEM_SUSPEND(types[i], RAM, 0)), INVALID_PARAM);
	rig_end();
}

/* As a hart begins: a0, a1, no translation, no interrupts; the timer is kept, for it wakes. */
static void check_fresh(uint64_t entry, uint64_t opaque)
{
	const struct axvm_arch_vcpu *arch = &rig_vcpus[0].arch;

	CHECK_EQ(arch->pc, entry);
	CHECK_EQ(arch->x[10], arch->hart);
	CHECK_EQ(arch->x[11], opaque);
	for (unsigned i = 1; i < 32; i++) {
		if (i != 10 && i != 11)
			CHECK_EQ(arch->x[i], 0);
	}
	CHECK_EQ(arch->sys.vsatp, 0);
	CHECK_EQ(arch->sys.vstvec, 0);
	CHECK_EQ(arch->sys.vsstatus & AXVM_RISCV64_STATUS_SIE, 0);
	CHECK_EQ(arch->sys.sstatus & AXVM_RISCV64_STATUS_SPP, AXVM_RISCV64_STATUS_SPP);
	CHECK_EQ(arch->vstimecmp, 55);
}

static void use_the_cpu(void)
{
	struct axvm_arch_vcpu *arch = &rig_vcpus[0].arch;

	axvm_riscv64_timer_set(on(0), 55);
	arch->sys.vsatp = 8ULL << 60 | 0x80000;
	arch->sys.vstvec = 0x1000;
	arch->sys.vsstatus |= AXVM_RISCV64_STATUS_SIE;
}

TEST(a_non_retentive_suspend_comes_back_at_the_address_with_a_fresh_hart)
{
	const struct sbi call = SUSPEND(5ULL << 32 | NON_RETENTIVE, RAM + 0x42, 77);

	rig_start(2);
	use_the_cpu();
	CHECK_EQ(sbi_begin(0, &call), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.suspended), 1);
	check_fresh(RAM + 0x42, 77);
	use_the_cpu();
	axvm_riscv64_set_software(on(0));
	CHECK_EQ(sbi_begin(0, &call), AXVM_ENTER_FULL);
	check_fresh(RAM + 0x42, 77);
	serve(0);
	rig_end();
}

TEST(the_system_sleeps_only_when_all_other_harts_are_stopped)
{
	const struct sbi call = SYSTEM_SUSPEND(1ULL << 32, RAM + 0x10, 88);
	static const uint32_t powers[] = { AXVM_POWER_ON, AXVM_POWER_ON_PENDING,
					   AXVM_POWER_CLAIMED };

	start_with_stopped(3);
	for (size_t i = 0; i < COUNT_OF(powers); i++) {
		atomic_store(&rig_vcpus[2].power, powers[i]);
		CHECK_EQ(sbi_error(0, call), DENIED);
	}
	atomic_store(&rig_vcpus[2].power, AXVM_POWER_OFF);
	use_the_cpu();
	CHECK_EQ(sbi_begin(0, &call), AXVM_LEAVE);
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_HALT);
	check_fresh(RAM + 0x10, 88);
	rig_end();
}

/* ---- two at once ----------------------------------------------------------------------------------- */

#define ROUNDS 3000u

struct starter {
	_Atomic uint32_t begun;
	_Atomic uint32_t done;
	uint64_t answer;
};

static uint64_t start_third(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);

	vcpu->arch.x[10] = 2;
	vcpu->arch.x[11] = RAM + index * 0x100;
	vcpu->arch.x[12] = index;
	vcpu->arch.x[16] = 0;
	vcpu->arch.x[17] = SBI_HSM;
	(void)axvm_riscv64_call(vcpu);
	return vcpu->arch.x[10];
}

static void *start_too(void *argument)
{
	struct starter *self = argument;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		while (atomic_load(&self->begun) < round)
			sched_yield();
		self->answer = start_third(1);
		atomic_store(&self->done, round);
	}
	return NULL;
}

TEST(of_two_that_start_a_third_exactly_one_does)
{
	struct starter other = { 0 };
	pthread_t thread;

	start_with_stopped(3);
	rig_bind(1);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_ON);
	REQUIRE_EQ(pthread_create(&thread, NULL, start_too, &other), 0);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		atomic_store(&other.begun, round);
		uint64_t answer = start_third(0);

		while (atomic_load(&other.done) < round)
			sched_yield();
		uint64_t winner = answer == SUCCESS ? 0 : 1;

		CHECK_EQ(answer ^ other.answer, ALREADY_AVAILABLE);
		CHECK_EQ(rig_vcpus[2].power_on_entry, RAM + winner * 0x100);
		CHECK_EQ(rig_vcpus[2].power_on_arg, winner);
		axvm_vcpu_power_off(&rig_vcpus[2]);
	}
	pthread_join(thread, NULL);
	rig_end();
}

AXTEST_MAIN(a_hart_answers_as_its_state_says, start_switches_the_target_on,
	    start_refuses_bad_harts_and_entries, memory_that_cannot_be_executed_is_no_entry,
	    stop_leaves, a_retentive_suspend_waits_like_wfi,
	    suspend_refuses_types_that_there_are_not,
	    a_non_retentive_suspend_comes_back_at_the_address_with_a_fresh_hart,
	    the_system_sleeps_only_when_all_other_harts_are_stopped,
	    of_two_that_start_a_third_exactly_one_does)
