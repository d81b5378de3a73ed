/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance counters for guests [SBI 11]. Cycle and instret count themselves alone, any firmware
 * counter any event; there is no snapshot memory. A set of counters is looked at as a whole before
 * anything is done to one of them.
 */
#include "call.h"

#include "pmu.h"

#define PMU_NUM_COUNTERS 0u
#define PMU_COUNTER_GET_INFO 1u
#define PMU_COUNTER_CONFIG_MATCHING 2u
#define PMU_COUNTER_START 3u
#define PMU_COUNTER_STOP 4u
#define PMU_COUNTER_FW_READ 5u
#define PMU_COUNTER_FW_READ_HI 6u

#define INFO_FIRMWARE ((uint64_t)1 << 63)
#define INFO_64_BITS (63u << 12)
#define CSR_CYCLE 0xc00u
#define CSR_INSTRET 0xc02u

#define CONFIG_SKIP_MATCH 0x1u
#define CONFIG_CLEAR_VALUE 0x2u
#define CONFIG_AUTO_START 0x4u
#define CONFIG_FLAGS 0xffu /* with the inhibit bits, which are hints */
#define START_SET_VALUE 0x1u
#define START_SNAPSHOT 0x2u
#define START_FLAGS 0x3u
#define STOP_RESET 0x1u
#define STOP_SNAPSHOT 0x2u
#define STOP_FLAGS 0x3u

#define EVENT_CYCLES 1u
#define EVENT_INSTRUCTIONS 2u
#define EVENT_FIRMWARE 0xf0000u

#define NOTHING AXVM_RISCV64_PMU_COUNTERS

static bool is_firmware(unsigned n)
{
	return n >= AXVM_RISCV64_PMU_HARDWARE;
}

static bool is_running(const struct axvm_riscv64_pmu *pmu, unsigned n)
{
	return (pmu->running >> n & 1) != 0;
}

static uint64_t *stored(struct axvm_riscv64_pmu *pmu, unsigned n)
{
	return is_firmware(n) ? &pmu->firmware[n - AXVM_RISCV64_PMU_HARDWARE] : &pmu->base[n];
}

/* What the counter follows. */
static uint64_t source(const struct axvm_riscv64_pmu *pmu, unsigned n)
{
	if (!is_firmware(n))
		return axvm_hal_riscv64_counter(n);
	return atomic_load_explicit(&pmu->events[pmu->event[n] % AXVM_RISCV64_PMU_EVENTS],
				    memory_order_relaxed);
}

static void start_one(struct axvm_riscv64_pmu *pmu, unsigned n)
{
	*stored(pmu, n) -= source(pmu, n);
	pmu->running |= 1u << n;
}

static void stop_one(struct axvm_riscv64_pmu *pmu, unsigned n)
{
	*stored(pmu, n) += source(pmu, n);
	pmu->running &= ~(1u << n);
}

/* Arguments 0 and 1: the counters, as bits. False: one that there is not. */
static bool find_counters(const struct axvm_vcpu *vcpu, uint32_t *set)
{
	uint64_t base = axvm_sbi_argument(vcpu, 0);
	uint64_t mask = axvm_sbi_argument(vcpu, 1);
	const uint64_t all = ((uint64_t)1 << AXVM_RISCV64_PMU_COUNTERS) - 1;

	if (mask == 0 || base >= AXVM_RISCV64_PMU_COUNTERS || (mask & ~(all >> base)) != 0)
		return false;
	*set = (uint32_t)(mask << base);
	return true;
}

static enum axvm_verdict get_info(struct axvm_vcpu *vcpu)
{
	uint64_t n = axvm_sbi_argument(vcpu, 0);

	if (n >= AXVM_RISCV64_PMU_COUNTERS)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (is_firmware((unsigned)n))
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, INFO_FIRMWARE);
	return axvm_sbi_answer(vcpu, SBI_SUCCESS,
			       INFO_64_BITS | (n == 0 ? CSR_CYCLE : CSR_INSTRET));
}

static bool can_count(unsigned n, uint64_t event)
{
	if (!is_firmware(n))
		return event == (n == 0 ? EVENT_CYCLES : EVENT_INSTRUCTIONS);
	return event >= EVENT_FIRMWARE + AXVM_RISCV64_EVENT_ACCESS_LOAD &&
	       event <= EVENT_FIRMWARE + AXVM_RISCV64_EVENT_SFENCE_VMA_ASID_RECEIVED;
}

/* The first of the set that could take the event, or NOTHING. */
static unsigned match(const struct axvm_riscv64_pmu *pmu, uint32_t set, uint64_t event, bool skip)
{
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_COUNTERS; n++) {
		if ((set >> n & 1) == 0)
			continue;
		if (can_count(n, event) && !is_running(pmu, n) &&
		    (skip || pmu->event[n] == AXVM_RISCV64_PMU_FREE))
			return n;
		if (skip)
			break;
	}
	return NOTHING;
}

static enum axvm_verdict config_matching(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;
	uint64_t flags = axvm_sbi_argument(vcpu, 2);
	uint64_t event = axvm_sbi_argument(vcpu, 3);
	uint32_t set;

	if (!find_counters(vcpu, &set) || (flags & ~(uint64_t)CONFIG_FLAGS) != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);

	/* The events that there are have no data: with some it is another one. */
	unsigned n = axvm_sbi_argument(vcpu, 4) == 0
			     ? match(pmu, set, event, (flags & CONFIG_SKIP_MATCH) != 0)
			     : NOTHING;

	if (n == NOTHING)
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	pmu->event[n] = (uint32_t)event;
	if ((flags & CONFIG_CLEAR_VALUE) != 0)
		*stored(pmu, n) = 0;
	if ((flags & CONFIG_AUTO_START) != 0)
		start_one(pmu, n);
	return axvm_sbi_answer(vcpu, SBI_SUCCESS, n);
}

/* A firmware counter that counts nothing cannot be started. */
static bool can_start(const struct axvm_riscv64_pmu *pmu, uint32_t set)
{
	for (unsigned n = AXVM_RISCV64_PMU_HARDWARE; n < AXVM_RISCV64_PMU_COUNTERS; n++) {
		if ((set >> n & 1) != 0 && pmu->event[n] == AXVM_RISCV64_PMU_FREE)
			return false;
	}
	return true;
}

static enum axvm_verdict start(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;
	uint64_t flags = axvm_sbi_argument(vcpu, 2);
	uint32_t set;

	if (!find_counters(vcpu, &set) || !can_start(pmu, set) ||
	    (flags & ~(uint64_t)START_FLAGS) != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if ((flags & START_SNAPSHOT) != 0)
		return axvm_sbi_error(vcpu, SBI_NO_SHMEM);

	int64_t result = (set & pmu->running) != 0 ? SBI_ALREADY_STARTED : SBI_SUCCESS;

	set &= ~pmu->running;
	for (unsigned n = 0; n < AXVM_RISCV64_PMU_COUNTERS; n++) {
		if ((set >> n & 1) == 0)
			continue;
		if ((flags & START_SET_VALUE) != 0)
			*stored(pmu, n) = axvm_sbi_argument(vcpu, 3);
		start_one(pmu, n);
	}
	return axvm_sbi_error(vcpu, result);
}

/* Reset is for those too that stood already: how Linux gives a counter back that it has stopped. */
static enum axvm_verdict stop(struct axvm_vcpu *vcpu)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;
	uint64_t flags = axvm_sbi_argument(vcpu, 2);
	uint32_t set;

	if (!find_counters(vcpu, &set) || (flags & ~(uint64_t)STOP_FLAGS) != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if ((flags & STOP_SNAPSHOT) != 0)
		return axvm_sbi_error(vcpu, SBI_NO_SHMEM);

	int64_t result = (set & ~pmu->running) != 0 ? SBI_ALREADY_STOPPED : SBI_SUCCESS;

	for (unsigned n = 0; n < AXVM_RISCV64_PMU_COUNTERS; n++) {
		if ((set >> n & 1) == 0)
			continue;
		if (is_running(pmu, n))
			stop_one(pmu, n);
		if ((flags & STOP_RESET) != 0)
			pmu->event[n] = AXVM_RISCV64_PMU_FREE;
	}
	return axvm_sbi_error(vcpu, result);
}

static enum axvm_verdict firmware_read(struct axvm_vcpu *vcpu, bool is_high)
{
	struct axvm_riscv64_pmu *pmu = &vcpu->arch.pmu;
	uint64_t asked = axvm_sbi_argument(vcpu, 0);
	unsigned n = (unsigned)asked;

	if (asked >= AXVM_RISCV64_PMU_COUNTERS || !is_firmware(n))
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);

	uint64_t value = *stored(pmu, n) + (is_running(pmu, n) ? source(pmu, n) : 0);

	return axvm_sbi_answer(vcpu, SBI_SUCCESS, is_high ? 0 : value);
}

enum axvm_verdict axvm_sbi_pmu(struct axvm_vcpu *vcpu, uint64_t function)
{
	switch (function) {
	case PMU_NUM_COUNTERS:
		return axvm_sbi_answer(vcpu, SBI_SUCCESS, AXVM_RISCV64_PMU_COUNTERS);
	case PMU_COUNTER_GET_INFO:
		return get_info(vcpu);
	case PMU_COUNTER_CONFIG_MATCHING:
		return config_matching(vcpu);
	case PMU_COUNTER_START:
		return start(vcpu);
	case PMU_COUNTER_STOP:
		return stop(vcpu);
	case PMU_COUNTER_FW_READ:
		return firmware_read(vcpu, false);
	case PMU_COUNTER_FW_READ_HI:
		return firmware_read(vcpu, true);
	default:
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	}
}
