// SPDX-License-Identifier: Apache-2.0
/*
 * Several threads at once: levels that rise while others end, IPIs from all sides, INIT and STARTUP against a
 * vCPU that starts and stops. A vCPU looks only when it was asked to, so a request that is lost is a test
 * that does not come to its end.
 */
#define _GNU_SOURCE

#include "x86_64_intc_rig.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define SECONDS_MAX 60
#define LEVELS 3000u
#define IPIS 3000u
#define STARTS 3000u

#define LEVEL_VECTOR 0x61u
#define IPI_VECTOR 0x71u
#define PIN 17u

static _Atomic uint32_t stop;
static _Atomic uint32_t handled[2][256];

static bool is_late(time_t since)
{
	return time(NULL) - since > SECONDS_MAX;
}

/* True: it became so in time. */
static bool wait_until_more(const _Atomic uint32_t *count, uint32_t before)
{
	time_t since = time(NULL);

	while (atomic_load(count) == before) {
		if (is_late(since))
			return false;
		sched_yield();
	}
	return true;
}

static void run_in_threads(uint32_t count, void *(*const bodies[])(void *))
{
	pthread_t threads[8];

	for (uint32_t i = 0; i < count; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

/* ---- interrupts ------------------------------------------------------------------------------------------ */

/* Before the EOI the handler makes its device let go, which may have more to say before the EOI, too. */
static void handle(uint32_t index, uint32_t vector)
{
	if (vector == LEVEL_VECTOR)
		(void)axvm_ioapic_set_level(rig_vm.arch.ioapic, PIN, false);
	atomic_fetch_add(&handled[index][vector], 1);
	sched_yield();
	(void)wrmsr(index, MSR(EOI), 0);
}

static void serve(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);

	if (atomic_exchange(&vcpu->requests, 0) == 0) {
		sched_yield();
		return;
	}
	do {
		axvm_arch_irq_fill(vcpu);
		if (vcpu->arch.event.valid) {
			vcpu->arch.event.valid = false;
			handle(index, vcpu->arch.event.vector);
		}
	} while (vcpu->arch.wants_window);
}

static void *vcpu_0(void *unused)
{
	(void)unused;
	while (atomic_load(&stop) < 3)
		serve(0);
	return NULL;
}

static void *vcpu_1(void *unused)
{
	(void)unused;
	while (atomic_load(&stop) < 3)
		serve(1);
	return NULL;
}

/* One request at a time, as a device that waits for its driver. */
static void *device(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < LEVELS; i++) {
		uint32_t before = atomic_load(&handled[0][LEVEL_VECTOR]);

		CHECK_EQ(axvm_ioapic_set_level(rig_vm.arch.ioapic, PIN, true), 0);
		bool came = wait_until_more(&handled[0][LEVEL_VECTOR], before);

		CHECK(came);
		if (!came)
			break;
	}
	atomic_fetch_add(&stop, 1);
	return NULL;
}

static void *sender(uint32_t target, uint32_t vector)
{
	const struct axvm_lapic_message message = { .destination = target,
						    .vector = (uint8_t)vector };

	for (uint32_t i = 0; i < IPIS; i++) {
		uint32_t before = atomic_load(&handled[target][vector]);

		CHECK(axvm_lapic_send(&rig_vm, &message));
		bool came = wait_until_more(&handled[target][vector], before);

		CHECK(came);
		if (!came)
			break;
	}
	atomic_fetch_add(&stop, 1);
	return NULL;
}

static void *sender_to_0(void *unused)
{
	(void)unused;
	return sender(0, IPI_VECTOR);
}

static void *sender_to_1(void *unused)
{
	(void)unused;
	return sender(1, IPI_VECTOR + 1);
}

TEST(nothing_is_lost_between_lines_messages_and_ends)
{
	static void *(*const bodies[])(void *) = { vcpu_0, vcpu_1, device, sender_to_0,
						   sender_to_1 };

	rig_start(2);
	atomic_store(&stop, 0);
	memset(handled, 0, sizeof(handled));
	for (uint32_t i = 0; i < 2; i++) {
		x2apic(i);
		enable(i);
	}
	route(PIN, 0, LEVEL | LEVEL_VECTOR);
	run_in_threads(5, bodies);
	(void)on(0);
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t word = 0; word < 8; word++) {
			CHECK_EQ(rd(i, IRR + 16 * word), 0);
			CHECK_EQ(rd(i, ISR + 16 * word), 0);
		}
	}
	CHECK_EQ(io_rd(0x10 + 2 * PIN), LEVEL | LEVEL_VECTOR);
	CHECK_EQ(handled[0][IPI_VECTOR], IPIS);
	CHECK_EQ(handled[1][IPI_VECTOR + 1], IPIS);
	rig_end();
}

/* ---- INIT and STARTUP ------------------------------------------------------------------------------------- */

static _Atomic uint32_t started_at; /* entry of the last start */

/* What axvm_vcpu_run does with power and requests. */
static void *vcpu_that_is_started(void *unused)
{
	struct axvm_vcpu *vcpu = on(1);

	(void)unused;
	while (atomic_load(&stop) < 3) {
		if (atomic_load(&vcpu->power) == AXVM_POWER_ON_PENDING) {
			uint32_t entry = (uint32_t)vcpu->power_on_entry;

			axvm_lapic_reset(vcpu);
			atomic_store(&vcpu->power, AXVM_POWER_ON);
			atomic_store(&started_at, entry);
		}
		if (atomic_load(&vcpu->power) != AXVM_POWER_ON ||
		    (atomic_exchange(&vcpu->requests, 0) & AXVM_REQUEST_LEAVE) == 0) {
			sched_yield();
			continue;
		}
		axvm_lapic_take_init(vcpu);
	}
	return NULL;
}

static void restart(uint32_t vector)
{
	const struct axvm_lapic_message init = { .destination = 1, .delivery = AXVM_LAPIC_INIT };
	const struct axvm_lapic_message startup = {
		.destination = 1,
		.delivery = AXVM_LAPIC_STARTUP,
		.vector = (uint8_t)vector,
	};

	CHECK(axvm_lapic_send(&rig_vm, &init));
	(void)axvm_lapic_send(&rig_vm, &startup);
}

/* Alone each pair must start it where it says. */
static void *one_starter(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < STARTS; i++) {
		uint32_t before = atomic_load(&started_at);

		restart(1 + i % 250);
		bool came = wait_until_more(&started_at, before);

		CHECK(came);
		if (!came)
			break;
		CHECK_EQ(started_at, (1 + i % 250) << 12);
	}
	atomic_store(&stop, 3);
	return NULL;
}

static void *starter(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < STARTS; i++)
		restart(1 + i % 250);
	/* The last to come here is alone. */
	if (atomic_fetch_add(&stop, 1) != 1)
		return NULL;
	atomic_store(&started_at, 0);
	restart(0xff);
	time_t since = time(NULL);

	while (atomic_load(&started_at) != 0xff000 && !is_late(since))
		sched_yield();
	CHECK_EQ(started_at, 0xff000);
	atomic_store(&stop, 3);
	return NULL;
}

static void start_rig(void)
{
	rig_start(2);
	enable(0);
	atomic_store(&rig_vcpus[1].power, AXVM_POWER_OFF);
	atomic_store(&started_at, 0);
	atomic_store(&stop, 0);
}

TEST(each_init_and_startup_starts_the_vcpu_anew)
{
	static void *(*const bodies[])(void *) = { vcpu_that_is_started, one_starter };

	start_rig();
	run_in_threads(2, bodies);
	rig_end();
}

TEST(two_who_start_a_vcpu_at_once_leave_it_startable)
{
	static void *(*const bodies[])(void *) = { vcpu_that_is_started, starter, starter };

	start_rig();
	run_in_threads(3, bodies);
	rig_end();
}

AXTEST_MAIN(nothing_is_lost_between_lines_messages_and_ends,
	    each_init_and_startup_starts_the_vcpu_anew,
	    two_who_start_a_vcpu_at_once_leave_it_startable)
