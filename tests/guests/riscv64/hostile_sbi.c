// SPDX-License-Identifier: Apache-2.0
/*
 * SBI from inside: every function id with arguments that nobody means, ranges across the ends of RAM, hart
 * masks beyond, harts that start, stop, sleep and ask each other all at once.
 */
#include "runtime.h"

#define LEGACY_SET_TIMER 0u
#define LEGACY_GETCHAR 2u
#define LEGACY_CLEAR_IPI 3u
#define LEGACY_SEND_IPI 4u
#define LEGACY_FENCE_ASID 7u
#define SBI_HVC 0x485643u
#define PMU_COUNTERS 10u
#define HSM_NON_RETENTIVE 0x80000000u
#define SBI_HART_SUSPENDED 4u
#define NOBODY 0x1000u /* a hart that no machine of ours has */

static uint64_t random_state = 815;
static uint32_t ipis;
static uint32_t started;
static uint32_t go;
static uint32_t stop;

static const uint64_t extensions[] = { SBI_BASE, SBI_TIME, SBI_IPI,  SBI_RFENCE, SBI_HSM,
				       SBI_SRST, SBI_PMU,  SBI_DBCN, SBI_SUSP,	 SBI_HVC };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_in_vm(void)
{
	return guest_cmdline_has("axvm");
}

static uint64_t ram_end(void)
{
	return guest_machine.ram_base + guest_machine.ram_bytes;
}

static int64_t error_of(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
			uint64_t a2)
{
	return guest_sbi(extension, function, a0, a1, a2).error;
}

static uint64_t absurd(void)
{
	static const uint64_t values[] = { 0,		1,	     2,		  63,
					   64,		0x7fffffff,  0x80000000u, 0xffffffffu,
					   1ull << 32,	1ull << 63,  ~0ull,	  ~0ull - 1,
					   0x10000000u, 0x0c000000u, 0x80000001u, 1ull << 38 };
	uint64_t wild = guest_random(&random_state);

	return wild % 4 == 0 ? wild : values[(wild >> 8) % COUNT_OF(values)];
}

/* Would end the VM or this hart, put it to sleep, start another anywhere, or print what is in RAM. */
static bool does_something(uint64_t extension, uint64_t function)
{
	switch (extension) {
	case SBI_SRST:
	case SBI_SUSP:
		return function == 0;
	case SBI_DBCN:
		return function == 0 || function == 2;
	case SBI_HSM:
		return function <= 1 || function == 3;
	default:
		return false;
	}
}

static void off(void)
{
	(void)guest_sbi(SBI_TIME, 0, ~0ull, 0, 0);
	guest_ipi_clear();
}

TEST(every_function_with_absurd_arguments)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		for (uint64_t function = 0; function <= 40; function++) {
			if (does_something(extensions[i], function))
				continue;
			for (unsigned round = 0; round < 40; round++) {
				const uint64_t arguments[6] = { absurd(), absurd(), absurd(),
								absurd(), absurd(), absurd() };
				struct guest_sbi answer = { 0 };
				struct guest_fault fault = PROBE(
					answer = guest_sbi6(extensions[i], function, arguments));

				CHECK_EQ(fault.count, 0);
				CHECK(extensions[i] == SBI_HVC ||
				      (answer.error <= 0 && answer.error >= -9));
				if (is_in_vm() && extensions[i] != SBI_HVC && function > 7)
					CHECK_EQ(answer.error, SBI_ERR_NOT_SUPPORTED);
			}
		}
	}
	off();
}

TEST(unknown_extensions_are_not_supported)
{
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t id = guest_random(&random_state);
		struct guest_sbi answer = { 0 };

		if (i % 2)
			id = 0x10000 + id % 0x10000;
		struct guest_fault fault = PROBE(answer = guest_sbi(id, i % 41, id, ~0ull, 0));

		CHECK_EQ(fault.count, 0);
		CHECK_EQ(answer.error, SBI_ERR_NOT_SUPPORTED);
	}
}

TEST(hypercalls_of_any_number_are_answered)
{
	for (uint64_t number = 0; number < 0x20000; number += number < 64 ? 1 : 251) {
		struct guest_fault fault =
			PROBE((void)guest_sbi(SBI_HVC, number, absurd(), absurd(), absurd()));

		CHECK_EQ(fault.count, 0);
	}
}

/* Where no table and no memory answers. */
TEST(a_legacy_mask_that_is_nowhere_faults_at_the_ecall)
{
	static const uint64_t nowhere[] = { 1ull << 38, 1ull << 63, ~0ull - 7, 0x1000 };

	for (uint64_t id = LEGACY_SEND_IPI; id <= LEGACY_FENCE_ASID; id++) {
		for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
			struct guest_fault fault = PROBE((void)guest_sbi(id, 0, nowhere[i], 0, 0));

			CHECK(fault.count <= 1);
			if (!is_in_vm() || nowhere[i] == ~0ull - 7)
				continue;
			CHECK_EQ(fault.count, 1);
			CHECK(fault.cause == CAUSE_LOAD_PAGE || fault.cause == CAUSE_LOAD_ACCESS);
			CHECK_EQ(guest_read32(fault.pc), 0x73); /* ECALL */
		}
	}
}

TEST(legacy_masks_are_masks)
{
	static const uint64_t mine[1] = { 1 };
	uint64_t none = 0;

	if (guest_this_cpu()->id != 0)
		SKIP("the first hart is not hart 0");
	for (uint64_t id = LEGACY_SEND_IPI; id <= LEGACY_FENCE_ASID; id++) {
		CHECK_EQ(error_of(id, 0, (uintptr_t)mine, 0, 0x1000), 0);
		CHECK_EQ(error_of(id, 0, (uintptr_t)&none, 0, 0x1000), 0);
	}
	for (uint64_t id = 9; id < 16; id++)
		CHECK_EQ(error_of(id, 0, 1, 2, 3), SBI_ERR_NOT_SUPPORTED);
	off();
}

TEST(an_ipi_of_its_own_can_be_cleared)
{
	(void)guest_sbi(SBI_IPI, 0, 1, guest_this_cpu()->id, 0);
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_SOFTWARE, IRQ_BIT_SOFTWARE);
	int64_t was_pending = error_of(LEGACY_CLEAR_IPI, 0, 0, 0, 0);

	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_SOFTWARE, 0);
	if (is_in_vm()) {
		CHECK_EQ(was_pending, 1);
		CHECK_EQ(error_of(LEGACY_CLEAR_IPI, 0, 0, 0, 0), 0);
	}
	CHECK_EQ(error_of(LEGACY_GETCHAR, 0, 0, 0, 0), -1);
	CHECK_EQ(error_of(LEGACY_SET_TIMER, 0, ~0ull, 0, 0), 0);
}

TEST(the_console_takes_ram_alone)
{
	const struct {
		uint64_t bytes;
		uint64_t low;
		uint64_t high;
	} bad[] = {
		{ 1, ram_end(), 0 },
		{ 2, ram_end() - 1, 0 },
		{ guest_machine.ram_bytes + 1, guest_machine.ram_base, 0 },
		{ ~0ull, guest_machine.ram_base, 0 },
		{ 1, 1ull << 50, 0 },
		{ 2, ~0ull, 0 },
		{ 1, guest_machine.ram_base, 1 },
		{ 1, guest_machine.ram_base, ~0ull },
	};

	for (size_t i = 0; i < COUNT_OF(bad) && is_in_vm(); i++) {
		CHECK_EQ(error_of(SBI_DBCN, 0, bad[i].bytes, bad[i].low, bad[i].high),
			 SBI_ERR_INVALID_PARAM);
		CHECK_EQ(error_of(SBI_DBCN, 1, bad[i].bytes, bad[i].low, bad[i].high),
			 SBI_ERR_INVALID_PARAM);
	}
	struct guest_sbi answer = guest_sbi(SBI_DBCN, 0, 0, guest_machine.ram_base, 0);

	CHECK_EQ(answer.error, SBI_SUCCESS);
	CHECK_EQ(answer.value, 0);
	if (!is_in_vm())
		return; /* firmware's line ends would not be ours */
	guest_write8(ram_end() - 1, '\n');
	answer = guest_sbi(SBI_DBCN, 0, 1, ram_end() - 1, 0);
	CHECK_EQ(answer.error, SBI_SUCCESS);
	CHECK_EQ(answer.value, 1);
}

TEST(no_reset_that_there_is_not)
{
	static const uint64_t types[] = { 3, 0xefffffff, 0xf0000000, 0xffffffff, ~0ull };
	static const uint64_t reasons[] = { 2, 0xdfffffff, 0xe0000000, 0xf0000000, ~0ull };

	for (size_t i = 0; i < COUNT_OF(types); i++)
		CHECK_EQ(error_of(SBI_SRST, 0, types[i], 0, 0), SBI_ERR_INVALID_PARAM);
	for (size_t i = 0; i < COUNT_OF(reasons) && is_in_vm(); i++)
		CHECK_EQ(error_of(SBI_SRST, 0, 1, reasons[i], 0), SBI_ERR_INVALID_PARAM);
}

TEST(masks_and_ranges_that_are_wrong_are_refused)
{
	CHECK_EQ(error_of(SBI_IPI, 0, 1, NOBODY, 0), SBI_ERR_INVALID_PARAM);
	if (!is_in_vm())
		SKIP("firmware looks less closely");
	CHECK_EQ(error_of(SBI_IPI, 0, ~0ull, 0, 0), SBI_ERR_INVALID_PARAM);
	CHECK_EQ(error_of(SBI_IPI, 0, 4, ~0ull - 1, 0), SBI_ERR_INVALID_PARAM);
	for (uint64_t function = 0; function < 3; function++)
		CHECK_EQ(error_of(SBI_RFENCE, function, 1, NOBODY, 0), SBI_ERR_INVALID_PARAM);
	for (uint64_t function = 3; function < 7; function++)
		CHECK_EQ(error_of(SBI_RFENCE, function, 1, 0, 0), SBI_ERR_NOT_SUPPORTED);
	const uint64_t wraps[6] = { 0, ~0ull, 0x1000, ~0ull - 0xffe, 0, 0 };

	CHECK_EQ(guest_sbi6(SBI_RFENCE, 1, wraps).error, SBI_ERR_INVALID_ADDRESS);
	CHECK_EQ(guest_sbi6(SBI_RFENCE, 2, wraps).error, SBI_ERR_INVALID_ADDRESS);
}

TEST(harts_that_are_not_there_cannot_be_started)
{
	uint64_t entry = (uintptr_t)guest_other_cpu_entry;
	const uint64_t entries[] = { 0,		 1,	   entry + 1, ram_end(), guest_machine.uart,
				     1ull << 50, ~0ull - 1 };

	for (unsigned i = 0; i < 64; i++) {
		uint64_t hart = NOBODY + guest_random(&random_state) % (1ull << 40);

		CHECK_EQ(error_of(SBI_HSM, SBI_HSM_START, hart, entry, 0), SBI_ERR_INVALID_PARAM);
		CHECK_EQ(error_of(SBI_HSM, SBI_HSM_STATUS, hart, 0, 0), SBI_ERR_INVALID_PARAM);
	}
	CHECK_EQ(error_of(SBI_HSM, SBI_HSM_START, guest_this_cpu()->id, entry, 0),
		 SBI_ERR_ALREADY_AVAILABLE);
	REQUIRE(guest_cpu_count() >= 2);
	for (size_t i = 0; i < COUNT_OF(entries) && is_in_vm(); i++)
		CHECK_EQ(error_of(SBI_HSM, SBI_HSM_START, guest_cpus[1].id, entries[i], 0),
			 SBI_ERR_INVALID_ADDRESS);
	CHECK(guest_cpu_is_off(1));
}

TEST(sleeps_that_there_are_not_are_refused)
{
	static const uint64_t types[] = { 1, 0x0fffffff, 0x80000001, 0x8fffffff };
	uint64_t entry = (uintptr_t)guest_other_cpu_entry;

	for (size_t i = 0; i < COUNT_OF(types); i++)
		CHECK_EQ(error_of(SBI_HSM, SBI_HSM_SUSPEND, types[i], entry, 0),
			 SBI_ERR_INVALID_PARAM);
	if (!is_in_vm())
		SKIP("not every firmware has the system suspend");
	CHECK_EQ(error_of(SBI_HSM, SBI_HSM_SUSPEND, HSM_NON_RETENTIVE, ram_end(), 0),
		 SBI_ERR_INVALID_ADDRESS);
	CHECK_EQ(error_of(SBI_SUSP, 0, 1, entry, 0), SBI_ERR_INVALID_PARAM);
	CHECK_EQ(error_of(SBI_SUSP, 0, 0, ram_end(), 0), SBI_ERR_INVALID_ADDRESS);
}

/* ---- several at once ------------------------------------------------------------------------------- */

static void count_ipi(uint32_t irq)
{
	if (irq == GUEST_IRQ_IPI)
		__atomic_fetch_add(&ipis, 1, __ATOMIC_RELEASE);
}

static void stay(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		;
}

TEST(the_system_does_not_sleep_while_another_hart_runs)
{
	REQUIRE(guest_cpu_count() >= 2);
	if (!is_in_vm())
		SKIP("not every firmware has the system suspend");
	started = 0;
	stop = 0;
	REQUIRE_EQ(guest_cpu_start(1, stay, NULL), SBI_SUCCESS);
	CHECK_EQ(error_of(SBI_SUSP, 0, 0, (uintptr_t)guest_other_cpu_entry, 0), SBI_ERR_DENIED);
	CHECK(guest_wait(&started, 5000000));
	CHECK_EQ(error_of(SBI_SUSP, 0, 0, (uintptr_t)guest_other_cpu_entry, 0), SBI_ERR_DENIED);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
}

static uint32_t sleeps;
static uint32_t may_wake;

/* Comes here when it is started, and from each sleep, which has lost all. It may wake for nothing. */
static void sleep_deeply(void *argument)
{
	struct guest_cpu *cpu = guest_this_cpu();

	(void)argument;
	__atomic_fetch_add(&sleeps, 1, __ATOMIC_ACQ_REL);
	if (__atomic_load_n(&may_wake, __ATOMIC_ACQUIRE) != 0)
		return;
	guest_ipi_enable();
	(void)guest_sbi(SBI_HSM, SBI_HSM_SUSPEND, HSM_NON_RETENTIVE,
			(uintptr_t)guest_other_cpu_entry, (uintptr_t)cpu);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE); /* it must not return */
}

TEST(a_sleeping_hart_wakes_at_its_address)
{
	uint64_t status = SBI_HART_STARTED;

	REQUIRE(guest_cpu_count() >= 2);
	sleeps = 0;
	may_wake = 0;
	stop = 0;
	REQUIRE_EQ(guest_cpu_start(1, sleep_deeply, NULL), SBI_SUCCESS);
	CHECK(guest_wait_for(&sleeps, 1, 5000000));
	for (unsigned i = 0; i < 1000000 && status != SBI_HART_SUSPENDED; i++)
		status = guest_sbi(SBI_HSM, SBI_HSM_STATUS, guest_cpus[1].id, 0, 0).value;
	CHECK_EQ(status, SBI_HART_SUSPENDED);
	uint32_t before = __atomic_load_n(&sleeps, __ATOMIC_ACQUIRE);

	__atomic_store_n(&may_wake, 1, __ATOMIC_RELEASE);
	guest_ipi_send(1);
	CHECK(guest_wait_for(&sleeps, before + 1, 5000000));
	CHECK(guest_cpu_wait_off(1));
	CHECK_EQ(stop, 0);
}

static void note_start(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
}

#define RACES 300u
static uint32_t race_wins[2];

static void race(uint32_t who)
{
	for (uint32_t round = 1; round <= RACES; round++) {
		if (who == 0) {
			guest_cpus[2].run = note_start;
			guest_barrier();
			__atomic_store_n(&go, 2 * round, __ATOMIC_RELEASE);
		} else if (!guest_wait_for(&go, 2 * round, 5000000)) {
			return;
		}
		int64_t answer =
			guest_firmware_start(guest_cpus[2].id, (uintptr_t)guest_other_cpu_entry,
					     (uintptr_t)&guest_cpus[2]);

		if (answer == SBI_SUCCESS)
			__atomic_fetch_add(&race_wins[who], 1, __ATOMIC_RELEASE);
		else if (answer != SBI_ERR_ALREADY_AVAILABLE && is_in_vm())
			__atomic_fetch_add(&race_wins[who], 1000000, __ATOMIC_RELEASE);
		if (who == 0) {
			/* Both have tried, and the hart is off again, before the next round. */
			if (!guest_wait_for(&stop, round, 5000000) || !guest_cpu_wait_off(2))
				return;
		} else {
			__atomic_store_n(&stop, round, __ATOMIC_RELEASE);
		}
	}
}

static void race_too(void *argument)
{
	(void)argument;
	race(1);
}

TEST(of_two_that_start_a_third_exactly_one_does)
{
	if (guest_cpu_count() < 3)
		SKIP("needs three harts");
	started = 0;
	go = 0;
	stop = 0;
	REQUIRE_EQ(guest_cpu_start(1, race_too, NULL), SBI_SUCCESS);
	race(0);
	CHECK(guest_cpu_wait_off(1));
	CHECK(guest_cpu_wait_off(2));
	/* One may come so late that the third has run and stopped: then it starts it again. */
	CHECK_EQ(started, race_wins[0] + race_wins[1]);
	CHECK(started >= RACES);
	CHECK(started <= 2 * RACES);
}

#define FENCE_ROUNDS 200u

static void fence_all(uint64_t round)
{
	const uint64_t range[6] = { 0, ~0ull, 0x1000 * round, 0x1000 * (round % 70), round, 0 };

	CHECK_EQ(guest_sbi6(SBI_RFENCE, round % 3, range).error, SBI_SUCCESS);
	CHECK_EQ(error_of(SBI_IPI, 0, 0, ~0ull, 0), SBI_SUCCESS);
}

static void ask_all(void *argument)
{
	guest_this_cpu()->on_irq = count_ipi;
	guest_ipi_enable();
	guest_irq_enable();
	for (uint64_t round = 0; round < FENCE_ROUNDS; round++)
		fence_all(round + (uintptr_t)argument);
	guest_irq_disable();
	guest_ipi_disable();
}

TEST(harts_that_ask_each_other_at_once_all_get_on)
{
	uint32_t count = guest_cpu_count();

	REQUIRE(count >= 2);
	ipis = 0;
	guest_this_cpu()->on_irq = count_ipi;
	for (uint32_t i = 1; i < count; i++)
		REQUIRE_EQ(guest_cpu_start(i, ask_all, (void *)(uintptr_t)i), SBI_SUCCESS);
	ask_all(NULL);
	for (uint32_t i = 1; i < count; i++)
		CHECK(guest_cpu_wait_off(i));
	CHECK(ipis >= FENCE_ROUNDS); /* at least those to itself that were taken one by one */
	off();
	guest_this_cpu()->on_irq = NULL;
}

/* ---- counters ---------------------------------------------------------------------------------------- */

TEST(counters_count_what_they_are_told_to)
{
	if (!is_in_vm())
		SKIP("the machine's counters are its own");
	CHECK_EQ(guest_sbi(SBI_PMU, 0, 0, 0, 0).value, PMU_COUNTERS);
	(void)guest_sbi(SBI_PMU, 4, 0, (1u << PMU_COUNTERS) - 1, 1);
	uint64_t stood = READ_CSR(instret);

	CHECK_EQ(READ_CSR(instret), stood);
	const uint64_t start[6] = { 0, 3, 1, 1000, 0, 0 };

	CHECK_EQ(guest_sbi6(SBI_PMU, 3, start).error, SBI_SUCCESS);
	uint64_t first = READ_CSR(instret);
	uint64_t second = READ_CSR(instret);

	/* How far they are apart says nothing: QEMU counts its host's clock when it does not count instructions. */
	CHECK(first >= 1000 && second > first);
	/* set_timer: 0xf0005 */
	const uint64_t config[6] = { 2, 1, 6, 0xf0005, 0, 0 };
	struct guest_sbi found = guest_sbi6(SBI_PMU, 2, config);

	CHECK_EQ(found.error, SBI_SUCCESS);
	CHECK_EQ(found.value, 2);
	for (unsigned i = 0; i < 7; i++)
		(void)guest_sbi(SBI_TIME, 0, ~0ull, 0, 0);
	CHECK_EQ(guest_sbi(SBI_PMU, 5, 2, 0, 0).value, 7);
	CHECK_EQ(error_of(SBI_PMU, 4, 0, 7, 1), SBI_SUCCESS);
}

AXTEST_MAIN(every_function_with_absurd_arguments, unknown_extensions_are_not_supported,
	    hypercalls_of_any_number_are_answered,
	    a_legacy_mask_that_is_nowhere_faults_at_the_ecall, legacy_masks_are_masks,
	    an_ipi_of_its_own_can_be_cleared, the_console_takes_ram_alone,
	    no_reset_that_there_is_not, masks_and_ranges_that_are_wrong_are_refused,
	    harts_that_are_not_there_cannot_be_started, sleeps_that_there_are_not_are_refused,
	    the_system_does_not_sleep_while_another_hart_runs, a_sleeping_hart_wakes_at_its_address,
	    of_two_that_start_a_third_exactly_one_does,
	    harts_that_ask_each_other_at_once_all_get_on, counters_count_what_they_are_told_to)
