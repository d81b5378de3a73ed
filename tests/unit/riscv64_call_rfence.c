/* SPDX-License-Identifier: Apache-2.0 */
/* SBI IPI and RFENCE: who is meant, and that no target misses a fence wherever it is. */
#define _GNU_SOURCE

#include <pthread.h>
#include <sched.h>

#include "riscv64_sbi.h"

#define SEND(...) SBI(SBI_IPI, 0, __VA_ARGS__)
#define FENCE_I(...) SBI(SBI_RFENCE, 0, __VA_ARGS__)
#define FENCE_VMA(...) SBI(SBI_RFENCE, 1, __VA_ARGS__)
#define FENCE_ASID(...) SBI(SBI_RFENCE, 2, __VA_ARGS__)
#define ALL UINT64_MAX

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Hart masks of a VM with harts 0 to 4, and the vCPUs that they mean. */
static const struct {
	uint64_t mask;
	uint64_t base;
	uint64_t error;
	uint64_t vcpus;
} masks[] = {
	{ 1, 0, SUCCESS, 0x01 },
	{ 0x1f, 0, SUCCESS, 0x1f },
	{ 1, 4, SUCCESS, 0x10 },
	{ 7, 2, SUCCESS, 0x1c },
	{ 0, 0, SUCCESS, 0 },
	{ 0, 4, SUCCESS, 0 },
	{ 0, ALL, SUCCESS, 0x1f }, /* the mask is not looked at */
	{ ALL, ALL, SUCCESS, 0x1f },
	{ 0x3f, 0, INVALID_PARAM, 0 }, /* one of them is not there */
	{ 1, 5, INVALID_PARAM, 0 },
	{ 2, 4, INVALID_PARAM, 0 },
	{ ALL, 0, INVALID_PARAM, 0 },
	{ 1ULL << 63, 0, INVALID_PARAM, 0 },
	{ 1, 64, INVALID_PARAM, 0 },
	{ 1, 1ULL << 32, INVALID_PARAM, 0 },
	{ 4, ALL - 1, INVALID_PARAM, 0 }, /* -2: bit 2 would be hart 0, modulo 2^64 */
};

static uint64_t has_software(void)
{
	uint64_t vcpus = 0;

	for (uint32_t i = 0; i < rig_vm.vcpu_count; i++)
		vcpus |= (uint64_t)atomic_exchange(&rig_vcpus[i].arch.software, 0) << i;
	return vcpus;
}

TEST(an_ipi_goes_to_the_harts_of_the_mask)
{
	rig_start(5);
	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		CHECK_EQ(sbi_error(1, SEND(masks[i].mask, masks[i].base)), masks[i].error);
		CHECK_EQ(rig_vcpus[1].arch.x[11], 0);
		CHECK_EQ(has_software(), masks[i].vcpus);
	}
	CHECK_EQ(sbi_error(1, SBI(SBI_IPI, 1, 1, 0)), NOT_SUPPORTED);
	CHECK_EQ(has_software(), 0);
	serve_all();
	rig_end();
}

TEST(a_fence_goes_to_the_cpus_of_the_mask_in_one_request)
{
	uint64_t count = 0;

	rig_start(5);
	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		CHECK_EQ(sbi_error(1, FENCE_VMA(masks[i].mask, masks[i].base, 0x4000, 0x3000)),
			 masks[i].error);
		count += masks[i].vcpus != 0;
		REQUIRE_EQ(axvm_sim_riscv64_fence_count(), count);
		if (masks[i].vcpus != 0)
			CHECK_EQ(axvm_sim_riscv64_fence(count - 1).cpu_mask, masks[i].vcpus);
	}
	rig_end();
}

TEST(sixty_four_harts_fill_a_mask)
{
	rig_start(64);
	CHECK_EQ(sbi_error(63, SEND(ALL, 0)), SUCCESS);
	CHECK_EQ(has_software(), ALL);
	CHECK_EQ(sbi_error(63, SEND(1ULL << 63, 0)), SUCCESS);
	CHECK_EQ(has_software(), 1ULL << 63);
	CHECK_EQ(sbi_error(63, SEND(0, ALL)), SUCCESS);
	CHECK_EQ(has_software(), ALL);
	CHECK_EQ(sbi_error(63, SEND(ALL, 1)), INVALID_PARAM);
	CHECK_EQ(has_software(), 0);
	CHECK_EQ(sbi_error(0, FENCE_I(ALL, 0)), SUCCESS);
	REQUIRE_EQ(axvm_sim_riscv64_fence_count(), 1);
	CHECK_EQ(axvm_sim_riscv64_fence(0).cpu_mask, ALL);
	serve_all();
	rig_end();
}

TEST(sparse_hart_ids_are_found)
{
	static const uint64_t ids[] = { 3, 66, 1000 };

	rig_start_with(3, NULL, ids);
	CHECK_EQ(sbi_error(0, SEND(1ULL << 63 | 1, 3)), SUCCESS);
	CHECK_EQ(has_software(), 3);
	CHECK_EQ(sbi_error(0, SEND(1, 1000)), SUCCESS);
	CHECK_EQ(has_software(), 4);
	CHECK_EQ(sbi_error(0, SEND(1, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, SEND(1, ALL)), SUCCESS);
	CHECK_EQ(has_software(), 7);
	serve_all();
	rig_end();
}

TEST(fences_carry_their_range)
{
	static const struct {
		struct sbi call;
		uint64_t error;
		struct axvm_sim_riscv64_fence fence; /* cpu_mask 0: none is asked for */
	} table[] = {
		{ FENCE_I(2, 0, 5, 6, 7), SUCCESS, { NULL, 2, AXVM_RISCV64_FENCE_I, 0, ALL, 0 } },
		{ FENCE_VMA(3, 0, 0x1234, 1, 99),
		  SUCCESS,
		  { NULL, 3, AXVM_RISCV64_FENCE_VMA, 0x1234, 1, 0 } },
		{ FENCE_VMA(3, 0, 0, 0), SUCCESS, { NULL, 3, AXVM_RISCV64_FENCE_VMA, 0, ALL, 0 } },
		{ FENCE_VMA(3, 0, 0x5000, ALL),
		  SUCCESS,
		  { NULL, 3, AXVM_RISCV64_FENCE_VMA, 0, ALL, 0 } },
		{ FENCE_VMA(1, 0, 0xfffffffffffff000ULL, 0x1000),
		  SUCCESS,
		  { NULL, 1, AXVM_RISCV64_FENCE_VMA, 0xfffffffffffff000ULL, 0x1000, 0 } },
		{ FENCE_VMA(1, 0, 0xfffffffffffff000ULL, 0x1001), INVALID_ADDRESS, { 0 } },
		{ FENCE_VMA(1, 0, 3, ALL - 1), INVALID_ADDRESS, { 0 } },
		{ FENCE_VMA(1, 0, 2, ALL - 1),
		  SUCCESS,
		  { NULL, 1, AXVM_RISCV64_FENCE_VMA, 0, ALL, 0 } },
		{ FENCE_VMA(1, 0, 0x5000, 512 * 4096),
		  SUCCESS,
		  { NULL, 1, AXVM_RISCV64_FENCE_VMA, 0x5000, 512 * 4096, 0 } },
		{ FENCE_VMA(1, 0, 0x5000, 512 * 4096 + 1), /* firmware is not to count so far */
		  SUCCESS,
		  { NULL, 1, AXVM_RISCV64_FENCE_VMA, 0, ALL, 0 } },
		{ FENCE_VMA(1, 0, 0x5000, 0), SUCCESS, { 0 } },
		{ FENCE_ASID(2, 0, 0x5000, 0x2000, 0xabcd),
		  SUCCESS,
		  { NULL, 2, AXVM_RISCV64_FENCE_VMA_ASID, 0x5000, 0x2000, 0xabcd } },
		{ FENCE_ASID(2, 0, 0, 0, ALL),
		  SUCCESS,
		  { NULL, 2, AXVM_RISCV64_FENCE_VMA_ASID, 0, ALL, 0xffff } },
		{ FENCE_ASID(2, 0, ALL, 2, 0), INVALID_ADDRESS, { 0 } },
	};
	uint64_t count = 0;

	rig_start(2);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		const struct axvm_sim_riscv64_fence *expected = &table[i].fence;

		CHECK_EQ(sbi_error(0, table[i].call), table[i].error);
		count += expected->cpu_mask != 0;
		REQUIRE_EQ(axvm_sim_riscv64_fence_count(), count);
		if (expected->cpu_mask == 0)
			continue;
		struct axvm_sim_riscv64_fence fence = axvm_sim_riscv64_fence(count - 1);

		CHECK(fence.vcpu == &rig_vcpus[0]);
		CHECK_EQ(fence.cpu_mask, expected->cpu_mask);
		CHECK_EQ(fence.kind, expected->kind);
		CHECK_EQ(fence.start, expected->start);
		CHECK_EQ(fence.bytes, expected->bytes);
		CHECK_EQ(fence.asid, expected->asid);
	}
	for (uint64_t function = 3; function <= 6; function++)
		CHECK_EQ(sbi_error(0, SBI(SBI_RFENCE, function, 1, 0)), NOT_SUPPORTED);
	CHECK_EQ(axvm_sim_riscv64_fence_count(), count);
	rig_end();
}

TEST(a_target_that_is_on_no_cpu_fences_when_it_is_bound)
{
	rig_start(3);
	rig_unbind(1);
	atomic_store(&rig_vcpus[1].arch.fence, 0);
	atomic_store(&rig_vcpus[2].arch.fence, 0);
	CHECK_EQ(sbi_error(0, FENCE_I(2, 0)), SUCCESS);
	CHECK_EQ(axvm_sim_riscv64_fence_count(), 0); /* nobody else to ask */
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.fence), 1);
	CHECK_EQ(atomic_load(&rig_vcpus[2].arch.fence), 0);
	atomic_store(&rig_vcpus[1].arch.fence, 0);
	CHECK_EQ(sbi_error(0, FENCE_VMA(7, 0, 0, 0)), SUCCESS);
	REQUIRE_EQ(axvm_sim_riscv64_fence_count(), 1);
	CHECK_EQ(axvm_sim_riscv64_fence(0).cpu_mask, 5);
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.fence), 0);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.fence), 1);
	/* What is refused leaves no note. */
	atomic_store(&rig_vcpus[1].arch.fence, 0);
	CHECK_EQ(sbi_error(0, FENCE_VMA(2, 0, 3, ALL - 1)), INVALID_ADDRESS);
	CHECK_EQ(sbi_error(0, FENCE_VMA(0xa, 0, 0, 0)), INVALID_PARAM);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.fence), 0);
	rig_end();
}

/* ---- a target that moves ----------------------------------------------------------------------- */

/*
 * vCPU 1 comes and goes on CPUs 2 and 3. The guest's tables have a version; a TLB is the version that
 * a CPU has last read them at. A bind reads them anew when it finds the note, or on another CPU than
 * before; a fence makes the CPUs of its mask read them. When a fence is done, no CPU that the
 * target is bound to from then on may have an older version.
 */
#define FENCES 250u /* of which the simulated machine keeps all */
#define ROUNDS 40u

static _Atomic uint64_t table_version;
static _Atomic uint64_t fenced_version;
static _Atomic uint64_t tlb_version[4];
static _Atomic bool mover_stops;
static _Atomic uint64_t mover_binds;
static _Atomic uint64_t mover_misses;

/* A TLB that was emptied twice is as new as the later time made it. */
static void renew(uint32_t cpu, uint64_t version)
{
	uint64_t before = atomic_load(&tlb_version[cpu]);

	while (before < version &&
	       !atomic_compare_exchange_weak(&tlb_version[cpu], &before, version))
		;
}

static void bind_on(struct axvm_vcpu *vcpu, uint32_t cpu, bool is_other)
{
	atomic_store(&vcpu->cpu, cpu);
	if (atomic_exchange(&vcpu->arch.fence, 0) != 0 || is_other)
		renew(cpu, atomic_load(&table_version));
	atomic_fetch_add(&mover_binds, 1);
}

static void *move(void *argument)
{
	struct axvm_vcpu *vcpu = argument;
	uint32_t last = 3;

	for (uint32_t turn = 0; !atomic_load(&mover_stops); turn++) {
		uint32_t cpu = 2 + (turn / 5 & 1);

		bind_on(vcpu, cpu, cpu != last);
		last = cpu;
		for (unsigned i = 0; i < 3; i++) {
			uint64_t fenced = atomic_load(&fenced_version);

			if (atomic_load(&tlb_version[cpu]) < fenced)
				atomic_fetch_add(&mover_misses, 1);
		}
		atomic_store(&vcpu->cpu, AXVM_CPU_NONE);
		if (turn % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* What the host's fence did on the CPUs it was for; `before` is how many it had been. */
static void apply_fence(uint64_t before, uint64_t version)
{
	if (axvm_sim_riscv64_fence_count() == before)
		return;
	uint64_t cpus = axvm_sim_riscv64_fence(before).cpu_mask;

	for (uint32_t cpu = 2; cpu < 4; cpu++) {
		if ((cpus >> cpu & 1) != 0)
			renew(cpu, version);
	}
}

static void fence_while_it_moves(void)
{
	for (uint64_t n = 0; n < FENCES; n++) {
		uint64_t before = axvm_sim_riscv64_fence_count();
		uint64_t version = atomic_fetch_add(&table_version, 1) + 1;

		CHECK_EQ(sbi_error(0, FENCE_VMA(2, 0, 0, 0)), SUCCESS);
		apply_fence(before, version);
		atomic_store(&fenced_version, version);
	}
}

TEST(no_target_that_moves_misses_a_fence)
{
	atomic_store(&mover_misses, 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		pthread_t thread;

		rig_start(2);
		rig_unbind(1);
		(void)on(0);
		atomic_store(&mover_stops, false);
		atomic_store(&mover_binds, 0);
		REQUIRE_EQ(pthread_create(&thread, NULL, move, &rig_vcpus[1]), 0);
		while (atomic_load(&mover_binds) == 0)
			sched_yield();
		fence_while_it_moves();
		atomic_store(&mover_stops, true);
		pthread_join(thread, NULL);
		rig_end();
	}
	CHECK_EQ(atomic_load(&mover_misses), 0);
}

AXTEST_MAIN(an_ipi_goes_to_the_harts_of_the_mask,
	    a_fence_goes_to_the_cpus_of_the_mask_in_one_request, sixty_four_harts_fill_a_mask,
	    sparse_hart_ids_are_found, fences_carry_their_range,
	    a_target_that_is_on_no_cpu_fences_when_it_is_bound, no_target_that_moves_misses_a_fence)
