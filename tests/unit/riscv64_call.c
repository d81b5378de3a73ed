/* SPDX-License-Identifier: Apache-2.0 */
/* SBI: the convention, BASE, TIME, SRST, the hypercalls, the legacy extensions; and all with absurd arguments. */
#include "riscv64_sbi.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t ids[] = { SBI_BASE, SBI_TIME, SBI_IPI,  SBI_RFENCE, SBI_HSM,
				SBI_SRST, SBI_PMU,  SBI_DBCN, SBI_SUSP,	  SBI_HVC };

TEST(base_tells_what_there_is)
{
	rig_start(1);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 0, 1)), 0x2000000);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 1, 1)), 0x6178766d);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 2, 1)), 1);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 4, 1)), axvm_hal_riscv64_host()->mvendorid);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 5, 1)), axvm_hal_riscv64_host()->marchid);
	CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 6, 1)), axvm_hal_riscv64_host()->mimpid);
	CHECK_EQ(sbi_error(0, SBI(SBI_BASE, 7, 1)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, SBI(SBI_BASE, UINT64_MAX, 1)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, SBI(SBI_BASE, 1ULL << 32, 1)), NOT_SUPPORTED);
	rig_end();
}

TEST(probing_names_exactly_the_extensions_that_answer)
{
	static const uint64_t others[] = {
		9,	  15,	      0x11,	  0x43505043, 0x4e41434c,	 0x535441,
		0x535345, 0x46574654, 0x0a000000, 0x09000000, 1ULL << 32 | 0x10, UINT64_MAX
	};

	rig_start(1);
	for (uint64_t id = 0; id <= 8; id++)
		CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 3, id)), 1);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 3, ids[i])), 1);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		CHECK_EQ(sbi_value(0, SBI(SBI_BASE, 3, others[i])), 0);
		for (uint64_t function = 0; function <= 40; function++)
			CHECK_EQ(sbi_error(0, SBI(others[i], function, 1, 2, 3)), NOT_SUPPORTED);
	}
	rig_end();
}

TEST(set_timer_sets_it)
{
	rig_start(1);
	CHECK_EQ(sbi_value(0, SBI(SBI_TIME, 0, 0x123456789abcULL)), 0);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp(), 0x123456789abcULL);
	CHECK_EQ(rig_vcpus[0].arch.vstimecmp, 0x123456789abcULL);
	CHECK_EQ(sbi_error(0, SBI(SBI_TIME, 1, 77)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, SBI(SBI_TIME, 1ULL << 63, 77)), NOT_SUPPORTED);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp_count(), 1);
	/* legacy: a1 is left alone, a6 does not matter */
	CHECK_EQ(sbi_error(0, SBI(0, 55, UINT64_MAX, 66)), SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 66);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp(), UINT64_MAX);
	rig_end();
}

TEST(the_system_goes_off_or_is_reset)
{
	static const struct {
		uint64_t type;
		uint64_t reason;
		uint64_t exit;
		uint32_t reset_type;
	} good[] = {
		{ 0, 0, AXVM_EXIT_SHUTDOWN, 0 },
		{ 0, 1, AXVM_EXIT_SHUTDOWN, 0 },
		{ 1, 0, AXVM_EXIT_RESET, 0 },
		{ 2, 1, AXVM_EXIT_RESET, 2 },
		{ 1ULL << 32 | 1, 5ULL << 32, AXVM_EXIT_RESET, 0 }, /* 32 bits count */
	};
	static const struct {
		uint64_t type;
		uint64_t reason;
	} bad[] = {
		{ 3, 0 },	   { 0xefffffff, 0 }, { 0xf0000000, 0 },
		{ UINT64_MAX, 0 }, { 0, 2 },	      { 1, 0xdfffffff },
		{ 2, 0xe0000000 }, { 0, 0xf0000000 }, { 0, UINT64_MAX },
	};

	rig_start(1);
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		CHECK_EQ(sbi_call(0, SBI(SBI_SRST, 0, good[i].type, good[i].reason)), AXVM_LEAVE);
		CHECK_EQ(rig_vcpus[0].exit.reason, good[i].exit);
		CHECK_EQ(rig_vcpus[0].exit.reset.type, good[i].reset_type);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_EQ(sbi_error(0, SBI(SBI_SRST, 0, bad[i].type, bad[i].reason)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, SBI(SBI_SRST, 1, 0, 0)), NOT_SUPPORTED);
	CHECK_EQ(sbi_call(0, SBI(8, 0, 1, 2)), AXVM_LEAVE); /* legacy */
	CHECK_EQ(rig_vcpus[0].exit.reason, AXVM_EXIT_SHUTDOWN);
	rig_end();
}

TEST(hypercalls_are_handed_to_the_caller)
{
	static const uint64_t numbers[] = { 0, 3, 6, 7, 0xfeff };

	rig_start(1);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const struct axvm_exit *exit = &rig_vcpus[0].exit;

		CHECK_EQ(sbi_call(0, SBI(SBI_HVC, numbers[i], 10, 20, 30, 40, 50, 60)), AXVM_LEAVE);
		CHECK_EQ(exit->reason, AXVM_EXIT_HYPERCALL);
		CHECK_EQ(exit->hypercall.number, numbers[i]);
		for (uint64_t n = 0; n < 6; n++)
			CHECK_EQ(exit->hypercall.args[n], 10 * (n + 1));
		axvm_vcpu_set_result(&rig_vcpus[0], UINT64_MAX);
		CHECK_EQ(rig_vcpus[0].arch.x[10], UINT64_MAX);
		CHECK_EQ(rig_vcpus[0].arch.x[11], 0);
	}
	CHECK_EQ(sbi_error(0, SBI(SBI_HVC, 0xff00, 1)), NOT_SUPPORTED);
	CHECK_EQ(sbi_error(0, SBI(SBI_HVC, UINT64_MAX, 1)), NOT_SUPPORTED);
	rig_end();
}

TEST(a_reserved_legacy_extension_changes_a0_alone)
{
	rig_start(1);
	for (uint64_t id = 9; id < 16; id++) {
		CHECK_EQ(sbi_error(0, SBI(id, 0, 1, 2)), NOT_SUPPORTED);
		CHECK_EQ(rig_vcpus[0].arch.x[11], 2);
	}
	rig_end();
}

TEST(clear_ipi_tells_whether_one_was_pending)
{
	rig_start(1);
	CHECK_EQ(sbi_error(0, SBI(3, 0, 9, 8)), 0);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 8);
	axvm_riscv64_set_software(on(0)); /* not brought in yet */
	CHECK_EQ(sbi_error(0, SBI(3, 0, 9, 8)), 1);
	CHECK_EQ(sbi_error(0, SBI(3, 0, 9, 8)), 0);
	axvm_riscv64_set_software(on(0));
	serve(0);
	CHECK_EQ(rig_vcpus[0].arch.hvip & AXVM_RISCV64_VSSI, AXVM_RISCV64_VSSI);
	CHECK_EQ(sbi_error(0, SBI(3, 0, 9, 8)), 1);
	CHECK_EQ(rig_vcpus[0].arch.hvip & AXVM_RISCV64_VSSI, 0);
	serve(0);
	CHECK_EQ(rig_vcpus[0].arch.hvip & AXVM_RISCV64_VSSI, 0);
	rig_end();
}

TEST(a_legacy_hart_mask_is_read_where_the_guest_says)
{
	rig_start(3);
	axvm_sim_riscv64_set_load(6, NULL); /* harts 1 and 2 */
	CHECK_EQ(sbi_error(0, SBI(4, 0, 0x1008, 5)), SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 5);
	CHECK_EQ(axvm_sim_riscv64_last_address(), 0x1008);
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.software), 0);
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.software), 1);
	CHECK_EQ(atomic_load(&rig_vcpus[2].arch.software), 1);
	axvm_sim_riscv64_set_load(8, NULL); /* no such hart */
	CHECK_EQ(sbi_error(0, SBI(4, 0, 0x1008)), INVALID_PARAM);
	CHECK_EQ(axvm_sim_riscv64_loads(), 2);
	CHECK_EQ(sbi_error(0, SBI(4, 0, 0)), SUCCESS); /* no mask: all */
	CHECK_EQ(atomic_load(&rig_vcpus[0].arch.software), 1);
	CHECK_EQ(axvm_sim_riscv64_loads(), 2);
	serve_all();
	rig_end();
}

TEST(legacy_fences_are_fences)
{
	struct axvm_sim_riscv64_fence fence;

	rig_start(2);
	axvm_sim_riscv64_set_load(2, NULL);
	CHECK_EQ(sbi_error(0, SBI(5, 0, 0x1008, 0x5000, 0x6000)), SUCCESS);
	CHECK_EQ(sbi_error(0, SBI(6, 0, 0x1008, 0x5000, 0x6000, 7)), SUCCESS);
	CHECK_EQ(sbi_error(0, SBI(7, 0, 0x1008, 0x5000, 0x6000, 7)), SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 0x5000);
	CHECK_EQ(sbi_error(0, SBI(7, 0, 0x1008, 0x5000, 0ULL - 0x4fff, 7)), INVALID_ADDRESS);
	REQUIRE_EQ(axvm_sim_riscv64_fence_count(), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(axvm_sim_riscv64_fence(i).cpu_mask, 2);
	CHECK_EQ(axvm_sim_riscv64_fence(0).kind, AXVM_RISCV64_FENCE_I);
	fence = axvm_sim_riscv64_fence(1);
	CHECK_EQ(fence.kind, AXVM_RISCV64_FENCE_VMA);
	CHECK_EQ(fence.start, 0x5000);
	CHECK_EQ(fence.bytes, 0x6000);
	fence = axvm_sim_riscv64_fence(2);
	CHECK_EQ(fence.kind, AXVM_RISCV64_FENCE_VMA_ASID);
	CHECK_EQ(fence.asid, 7);
	rig_end();
}

TEST(a_fault_on_a_legacy_mask_is_the_guests_at_its_ecall)
{
	static const struct {
		uint64_t cause;
		uint64_t expected;
	} table[] = {
		{ AXVM_RISCV64_CAUSE_LOAD_PAGE, AXVM_RISCV64_CAUSE_LOAD_PAGE },
		{ AXVM_RISCV64_CAUSE_LOAD_MISALIGNED, AXVM_RISCV64_CAUSE_LOAD_MISALIGNED },
		{ AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE, AXVM_RISCV64_CAUSE_LOAD_ACCESS },
	};
	struct axvm_arch_vcpu *arch = &rig_vcpus[0].arch;

	rig_start(2);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		for (uint64_t id = 4; id <= 7; id++) {
			const struct axvm_riscv64_trap trap = { .cause = table[i].cause,
								.tval = 0xdead008 };
			const struct sbi call = SBI(id, 0, 0xdead008, 2, 3, 4);

			axvm_sim_riscv64_set_load(0, &trap);
			arch->sys.vstvec = 0x80002000;
			CHECK_EQ(sbi_begin(0, &call), AXVM_ENTER_FULL);
			CHECK_EQ(arch->sys.vscause, table[i].expected);
			CHECK_EQ(arch->sys.vstval, 0xdead008);
			CHECK_EQ(arch->sys.vsepc, PC);
			CHECK_EQ(arch->pc, 0x80002000);
			CHECK_EQ(arch->x[10], 0xdead008);
			CHECK_EQ(arch->x[11], 2);
		}
	}
	CHECK_EQ(atomic_load(&rig_vcpus[1].arch.software), 0);
	CHECK_EQ(axvm_sim_riscv64_fence_count(), 0);
	rig_end();
}

/* ---- everything, with arguments that no guest means --------------------------------------------- */

static const uint64_t absurd[] = {
	0,	     1,
	2,	     63,
	64,	     0x80000000,
	0xffffffff,  1ULL << 32,
	1ULL << 63,  INT64_MAX,
	UINT64_MAX,  UINT64_MAX - 1,
	RAM,	     RAM + RAM_BYTES - 1,
	RAM + 0x801, 0ULL - RAM,
};

static bool is_allowed_exit(uint64_t id, enum axvm_exit_reason reason)
{
	switch (reason) {
	case AXVM_EXIT_HYPERCALL:
		return id == SBI_HVC;
	case AXVM_EXIT_SHUTDOWN:
		return id == SBI_SRST || id == 8;
	case AXVM_EXIT_RESET:
		return id == SBI_SRST;
	case AXVM_EXIT_CPU_UP:
	case AXVM_EXIT_CPU_DOWN:
		return id == SBI_HSM;
	case AXVM_EXIT_HALT:
		return id == SBI_HSM || id == SBI_SUSP;
	default:
		return false;
	}
}

static void try_it(struct sbi call)
{
	struct axvm_vcpu *vcpu = &rig_vcpus[0];
	enum axvm_verdict verdict = sbi_begin(0, &call);
	int64_t error = (int64_t)vcpu->arch.x[10];

	CHECK(verdict != AXVM_LEAVE || is_allowed_exit(call.id, vcpu->exit.reason));
	if (vcpu->arch.pc == PC + 4)
		sbi_check_kept(0, &call);
	else /* a sleep that loses the registers */
		CHECK(call.id == SBI_HSM || call.id == SBI_SUSP);
	if (verdict == AXVM_ENTER && call.id > 8)
		CHECK(error <= 0 && error >= -9);
	if (call.id > 16 && call.id != SBI_HVC && call.function > 8)
		CHECK_EQ(error, NOT_SUPPORTED);
	atomic_store(&vcpu->power, AXVM_POWER_ON);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_OFF);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

static uint64_t pick(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return absurd[*seed % COUNT_OF(absurd)];
}

static void try_arguments(uint64_t id, uint64_t function, uint64_t *seed)
{
	for (size_t i = 0; i < COUNT_OF(absurd); i++)
		try_it(SBI(id, function, absurd[i], absurd[i], absurd[i], absurd[i], absurd[i],
			   absurd[i]));
	for (unsigned i = 0; i < 24; i++)
		try_it(SBI(id, function, pick(seed), pick(seed), pick(seed), pick(seed), pick(seed),
			   pick(seed)));
}

TEST(every_function_survives_absurd_arguments)
{
	uint64_t seed = 0x5b1;

	rig_start(2);
	rig_unbind(1);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_OFF);
	(void)on(0);
	for (uint64_t function = 0; function <= 40; function++) {
		for (size_t i = 0; i < COUNT_OF(ids); i++)
			try_arguments(ids[i], function, &seed);
	}
	for (uint64_t id = 0; id <= 16; id++)
		try_arguments(id, UINT64_MAX, &seed);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		try_arguments(ids[i], UINT64_MAX, &seed);
	rig_end();
}

AXTEST_MAIN(base_tells_what_there_is, probing_names_exactly_the_extensions_that_answer,
	    set_timer_sets_it, the_system_goes_off_or_is_reset, hypercalls_are_handed_to_the_caller,
	    a_reserved_legacy_extension_changes_a0_alone, clear_ipi_tells_whether_one_was_pending,
	    a_legacy_hart_mask_is_read_where_the_guest_says, legacy_fences_are_fences,
	    a_fault_on_a_legacy_mask_is_the_guests_at_its_ecall,
	    every_function_survives_absurd_arguments)
