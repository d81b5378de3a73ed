/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared interrupts of the host in the virtual GICv3: each one that arrives is delivered by a
 * list register that is linked to it, or deactivated for the guest, whatever happens in between.
 */
#include <pthread.h>

#include "aarch64_rig.h"

#define SPI 100u
#define ROUNDS 300000u

static uint64_t lr0(void)
{
	return rig_vcpus[0].arch.vgic.lr[0];
}

static bool is_linked(uint64_t lr)
{
	return (lr & AXVM_ICH_LR_HW) != 0 && (lr >> AXVM_ICH_LR_PINTID_SHIFT & 0x3ff) == SPI;
}

static void begin(void)
{
	rig_start(2);
	gic_on();
	enable_spi(SPI);
}

static void arrive(void)
{
	CHECK_EQ(axvm_aarch64_physical_spi(&rig_vm, SPI), 0);
}

/* In a list register with the state, linked; nothing was deactivated behind the guest's back. */
static void check_linked(uint64_t state)
{
	CHECK_EQ(LR_STATE(lr0()), state);
	CHECK(is_linked(lr0()));
	CHECK_EQ(axvm_sim_deactivations(SPI), 0);
}

TEST(one_that_arrives_before_the_end_of_the_last_was_seen_is_linked)
{
	begin();
	arrive();
	serve_all();
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(ack(0), SPI);
		check_linked(2);
		eoi(0, SPI); /* the host's is inactive now, and the list register not read yet */
		arrive();
		serve_all();
		check_linked(1);
	}
	rig_end();
}

TEST(one_that_arrives_behind_the_guests_own_is_linked_at_its_turn)
{
	begin();
	wr(ISPENDR(GICD, SPI), BIT(SPI));
	serve_all();
	CHECK_EQ(LR_STATE(lr0()), 1);
	CHECK(!is_linked(lr0()));
	arrive(); /* while the guest's is pending: the two are one */
	serve_all();
	check_linked(1);
	CHECK_EQ(ack(0), SPI);
	eoi(0, SPI);
	axvm_vgic_refill(on(0));
	CHECK_EQ(ack(0), 1023);

	wr(ISPENDR(GICD, SPI), BIT(SPI));
	serve_all();
	CHECK_EQ(ack(0), SPI);
	arrive(); /* while the guest's is active: afterwards */
	serve_all();
	CHECK_EQ(LR_STATE(lr0()), 2);
	CHECK(!is_linked(lr0()));
	eoi(0, SPI);
	check_linked(1);
	rig_end();
}

TEST(one_that_cannot_be_delivered_waits_linked)
{
	begin();
	wr(ICENABLER(GICD, SPI), BIT(SPI));
	arrive();
	serve_all();
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr_used, 0);
	mmio_write(0, IROUTER(SPI), 8, 1);
	enable_spi(SPI);
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr_used, 0);
	CHECK(is_linked(rig_vcpus[1].arch.vgic.lr[0]));
	CHECK_EQ(axvm_sim_deactivations(SPI), 0);
	rig_end();
}

TEST(one_that_the_guest_clears_is_deactivated)
{
	begin();
	wr(ICENABLER(GICD, SPI), BIT(SPI));
	arrive();
	wr(ICPENDR(GICD, SPI), BIT(SPI));
	CHECK_EQ(axvm_sim_deactivations(SPI), 1);
	enable_spi(SPI);
	CHECK_EQ(ack(0), 1023);
	arrive();
	serve_all();
	wr(ICPENDR(GICD, SPI), BIT(SPI)); /* from the list register */
	serve_all();
	CHECK_EQ(axvm_sim_deactivations(SPI), 2);
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

TEST(a_reset_deactivates_what_waits_and_what_is_held)
{
	begin();
	arrive();
	rig_unbind(0);
	axvm_vgic_device_type.reset(&rig_gic);
	CHECK_EQ(axvm_sim_deactivations(SPI), 1);
	axvm_vgic_device_type.reset(&rig_gic);
	CHECK_EQ(axvm_sim_deactivations(SPI), 1);
	rig_bind(0);
	gic_on();
	enable_spi(SPI);
	CHECK_EQ(ack(0), 1023);
	arrive();
	serve_all();
	rig_unbind(0);
	axvm_vgic_device_type.reset(&rig_gic);
	CHECK_EQ(axvm_sim_deactivations(SPI), 2);
	rig_bind(0);
	rig_end();
}

/* ---- a device that fires again at once, on another CPU ------------------------------------- */

static _Atomic bool is_active; /* at the host's distributor */
static _Atomic bool is_over;

static void *fire(void *unused)
{
	(void)unused;
	axvm_sim_set_cpu(1);
	while (!atomic_load(&is_over)) {
		if (atomic_load(&is_active))
			continue;
		atomic_store(&is_active, true);
		(void)axvm_aarch64_physical_spi(&rig_vm, SPI);
	}
	return NULL;
}

/* The guest's stroke: the list register's state ends, and the host's with it if it is linked. */
static uint32_t take_one(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t taken = 0;

	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1) {
		uint64_t *lr = &cpu->lr[__builtin_ctz(left)];

		if (LR_STATE(*lr) == 0)
			continue;
		*lr &= ~(AXVM_ICH_LR_PENDING | AXVM_ICH_LR_ACTIVE);
		if (is_linked(*lr)) {
			taken++;
			atomic_store(&is_active, false);
		}
		axvm_vgic_refill(vcpu);
	}
	return taken;
}

TEST(none_is_lost_when_the_end_and_the_next_arrival_meet)
{
	uint32_t taken = 0;
	uint64_t idle = 0;
	pthread_t device;

	begin();
	atomic_store(&is_over, false);
	atomic_store(&is_active, false);
	REQUIRE_EQ(pthread_create(&device, NULL, fire, NULL), 0);
	struct axvm_vcpu *vcpu = on(0);

	while (taken < ROUNDS && idle < UINT64_C(200000000)) {
		uint32_t now;

		if (atomic_load(&vcpu->requests) != 0)
			(void)axvm_vcpu_take_requests(vcpu);
		now = take_one(vcpu);
		idle = now == 0 ? idle + 1 : 0;
		taken += now;
	}
	atomic_store(&is_over, true);
	pthread_join(device, NULL);
	CHECK_EQ(taken, ROUNDS);
	for (unsigned i = 0; i < 4; i++) {
		(void)axvm_vcpu_take_requests(vcpu);
		(void)take_one(vcpu);
	}
	CHECK(!atomic_load(&is_active));
	rig_end();
}

AXTEST_MAIN(one_that_arrives_before_the_end_of_the_last_was_seen_is_linked,
	    one_that_arrives_behind_the_guests_own_is_linked_at_its_turn,
	    one_that_cannot_be_delivered_waits_linked, one_that_the_guest_clears_is_deactivated,
	    a_reset_deactivates_what_waits_and_what_is_held,
	    none_is_lost_when_the_end_and_the_next_arrival_meet)
