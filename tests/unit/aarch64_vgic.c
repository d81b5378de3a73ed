/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual GICv3: lines, priorities, queue, SGIs, routes and linked interrupts. */
#include "aarch64_rig.h"

#include <axvm/irq.h>

/* ---- delivery -------------------------------------------------------------------------------- */

TEST(a_pending_interrupt_needs_enable_group_and_distributor)
{
	rig_start(1);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 40), 0);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	wr(ISENABLER(GICD, 40), BIT(40));
	serve_all();
	CHECK_EQ(ack(0), 1023);
	wr(GICD_CTLR, 2); /* group 1 only, and it is in group 0 */
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[0]));
	wr(IGROUPR(GICD, 40), BIT(40));
	serve_all();
	CHECK(axvm_arch_irq_pending(&rig_vcpus[0]));
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr[0], 1ULL << 62 | 1ULL << 60 | 40);
	CHECK_EQ(ack(0), 40);
	eoi(0, 40);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

TEST(group_0_goes_as_group_0)
{
	rig_start(1);
	wr(GICD_CTLR, 1);
	enable_spi(50);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 50), 0);
	serve_all();
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr[0], 1ULL << 62 | 50);
	rig_end();
}

TEST(a_level_stays_pending_until_the_line_falls)
{
	rig_start(1);
	gic_on();
	enable_spi(33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK((rig_vcpus[0].arch.vgic.lr[0] & AXVM_ICH_LR_EOI) != 0);
	for (unsigned i = 0; i < 3; i++) { /* the line is still high at its end */
		CHECK_EQ(ack(0), 33);
		eoi(0, 33);
		serve_all();
	}
	CHECK_EQ(rd(ISPENDR(GICD, 33)) & BIT(33), BIT(33));
	CHECK_EQ(ack(0), 33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, false), 0); /* by the handler */
	serve_all();
	CHECK((rig_vcpus[0].arch.vgic.lr[0] & AXVM_ICH_LR_EOI) == 0);
	CHECK_EQ(rd(ISACTIVER(GICD, 33)) & BIT(33), BIT(33));
	eoi(0, 33);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(rd(ISACTIVER(GICD, 33)), 0);
	rig_end();
}

TEST(a_level_that_falls_before_it_is_taken_is_gone)
{
	rig_start(1);
	gic_on();
	enable_spi(33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK(axvm_arch_irq_pending(&rig_vcpus[0]));
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, false), 0);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[0]));
	rig_end();
}

TEST(a_level_that_rises_while_active_is_taken_again)
{
	rig_start(1);
	gic_on();
	enable_spi(33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK_EQ(ack(0), 33);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, false), 0);
	serve_all();
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 33, true), 0);
	serve_all();
	CHECK_EQ(LR_STATE(rig_vcpus[0].arch.vgic.lr[0]), 3);
	eoi(0, 33);
	CHECK_EQ(ack(0), 33);
	rig_end();
}

TEST(an_edge_line_latches_on_the_rise)
{
	rig_start(1);
	gic_on();
	wr(ICFGR(GICD, 60), 2u << 60 % 16 * 2);
	enable_spi(60);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 60, true), 0);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 60, false), 0);
	serve_all();
	CHECK_EQ(ack(0), 60);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 60, true), 0); /* again, while active */
	serve_all();
	eoi(0, 60);
	serve_all();
	CHECK_EQ(ack(0), 60);
	eoi(0, 60);
	serve_all();
	CHECK_EQ(ack(0), 1023); /* the line is high: not an edge */
	rig_end();
}

TEST(the_highest_priority_comes_first_whatever_the_order)
{
	rig_start(1);
	gic_on();
	for (uint32_t i = 0; i < 12; i++) {
		mmio_write(0, IPRIORITYR(GICD, 40 + i), 1, (i * 7 % 12) << 3);
		wr(ISENABLER(GICD, 40 + i), BIT(40 + i));
		CHECK_EQ(axvm_irq_pulse(&rig_vm, 40 + i), 0);
	}
	serve_all();
	for (uint32_t rank = 0; rank < 12; rank++) {
		uint32_t id = ack(0);

		CHECK_EQ((id - 40) * 7 % 12, rank);
		eoi(0, id);
		serve_all();
	}
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

TEST(more_interrupts_than_list_registers_all_arrive_once)
{
	uint32_t seen[288] = { 0 };

	rig_start(1);
	gic_on();
	for (uint32_t id = 32; id < 288; id++) {
		wr(ISENABLER(GICD, id), BIT(id));
		CHECK_EQ(axvm_irq_pulse(&rig_vm, id), 0);
	}
	serve_all();
	CHECK((rig_vcpus[0].arch.vgic.hcr & AXVM_ICH_HCR_NPIE) != 0);
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t id = ack(0);

		REQUIRE(id < 288);
		seen[id]++;
		eoi(0, id);
	}
	serve_all();
	CHECK_EQ(ack(0), 1023);
	for (uint32_t id = 32; id < 288; id++)
		CHECK_EQ(seen[id], 1);
	CHECK((rig_vcpus[0].arch.vgic.hcr & AXVM_ICH_HCR_NPIE) == 0);
	rig_end();
}

/* Eight interrupts, each preempting the last, with four list registers. */
TEST(active_interrupts_that_lose_their_list_register_stay_active)
{
	rig_start(1);
	gic_on();
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t id = 40 + i;

		mmio_write(0, IPRIORITYR(GICD, id), 1, 0xb0 - i * 8);
		wr(ISENABLER(GICD, id), BIT(id));
		CHECK_EQ(axvm_irq_pulse(&rig_vm, id), 0);
		serve_all();
		CHECK_EQ(ack(0), id);
	}
	CHECK_EQ(rd(ISACTIVER(GICD, 40)), 0xffu << 8);
	for (uint32_t i = 8; i-- > 0;) {
		eoi(0, 40 + i);
		serve_all();
		CHECK_EQ(rd(ISACTIVER(GICD, 40)), ((1u << i) - 1) << 8);
	}
	CHECK_EQ(rig_vcpus[0].arch.vgic.hcr, AXVM_ICH_HCR_EN);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 40), 0);
	serve_all();
	CHECK_EQ(ack(0), 40);
	rig_end();
}

TEST(disabling_takes_a_pending_interrupt_back_and_enabling_returns_it)
{
	rig_start(1);
	gic_on();
	enable_spi(70);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 70), 0);
	serve_all();
	wr(ICENABLER(GICD, 70), BIT(70));
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(rd(ISPENDR(GICD, 70)) & BIT(70), BIT(70));
	enable_spi(70);
	CHECK_EQ(ack(0), 70);
	rig_end();
}

TEST(clearing_pending_and_active_reaches_list_registers)
{
	rig_start(1);
	gic_on();
	enable_spi(70);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 70), 0);
	serve_all();
	wr(ICPENDR(GICD, 70), BIT(70));
	serve_all();
	CHECK_EQ(rd(ISPENDR(GICD, 70)), 0);
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 70), 0);
	serve_all();
	CHECK_EQ(ack(0), 70);
	CHECK_EQ(rd(ISACTIVER(GICD, 70)), BIT(70));
	wr(ICACTIVER(GICD, 70), BIT(70));
	serve_all();
	CHECK_EQ(rd(ISACTIVER(GICD, 70)), 0);
	CHECK_EQ(LR_STATE(rig_vcpus[0].arch.vgic.lr[0]), 0);
	rig_end();
}

TEST(an_interrupt_activated_by_hand_is_not_delivered)
{
	rig_start(1);
	gic_on();
	enable_spi(70);
	wr(ISACTIVER(GICD, 70), BIT(70));
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 70), 0);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	wr(ICACTIVER(GICD, 70), BIT(70));
	serve_all();
	CHECK_EQ(ack(0), 70);
	rig_end();
}

/* ---- several vCPUs ------------------------------------------------------------------------------ */

TEST(an_spi_goes_where_its_route_says)
{
	rig_start(3);
	gic_on();
	enable_spi(80);
	for (uint32_t target = 0; target < 3; target++) {
		mmio_write(0, IROUTER(80), 8, target);
		CHECK_EQ(axvm_irq_pulse(&rig_vm, 80), 0);
		serve_all();
		for (uint32_t i = 0; i < 3; i++)
			CHECK_EQ(ack(i), i == target ? 80 : 1023);
		eoi(target, 80);
		serve_all();
	}
	mmio_write(0, IROUTER(80), 8, 0x500); /* nobody */
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 80), 0);
	serve_all();
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(ack(i), 1023);
	mmio_write(0, IROUTER(80), 8, 1);
	serve_all();
	CHECK_EQ(ack(1), 80);
	rig_end();
}

TEST(a_pending_spi_moves_with_its_route)
{
	rig_start(2);
	gic_on();
	enable_spi(80);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 80, true), 0);
	serve_all();
	CHECK_EQ(LR_STATE(rig_vcpus[0].arch.vgic.lr[0]), 1);
	mmio_write(0, IROUTER(80), 8, 1);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(ack(1), 80);
	rig_end();
}

TEST(an_active_spi_stays_when_its_route_moves)
{
	rig_start(2);
	gic_on();
	enable_spi(80);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 80), 0);
	serve_all();
	CHECK_EQ(ack(0), 80);
	mmio_write(0, IROUTER(80), 8, 1);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 80), 0);
	serve_all();
	CHECK_EQ(ack(1), 1023);
	eoi(0, 80);
	on(0);
	axvm_vgic_refill(&rig_vcpus[0]);
	serve_all();
	CHECK_EQ(ack(1), 80);
	rig_end();
}

/* A write of ICC_SGI1R_EL1. */
static void send_sgi(uint32_t from, uint64_t value)
{
	axvm_vgic_send_sgi(on(from), value, true);
	serve_all();
}

TEST(sgis_reach_exactly_their_target_list)
{
	rig_start(40);
	gic_on();
	for (uint32_t i = 0; i < 40; i++)
		enable_private(i, 5);
	/* Cluster 1, CPUs 0, 3 and 15: vCPUs 16, 19 and 31. */
	send_sgi(2, 5ULL << 24 | 1ULL << 16 | 0x8009);
	for (uint32_t i = 0; i < 40; i++)
		CHECK_EQ(ack(i), i == 16 || i == 19 || i == 31 ? 5 : 1023);
	rig_end();
}

TEST(the_range_selector_reaches_higher_aff0)
{
	static const uint64_t ids[] = { 0, 17, 35, 0x100000011ULL };

	rig_start_with(4, ids);
	gic_on();
	for (uint32_t i = 0; i < 4; i++)
		enable_private(i, 1);
	send_sgi(0, 1ULL << 24 | 1ULL << 44 | 2); /* Aff0 16 + 1 */
	send_sgi(0, 1ULL << 24 | 2ULL << 44 | 8); /* Aff0 32 + 3 */
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(ack(i), i == 1 || i == 2 ? 1 : 1023);
	send_sgi(0, 1ULL << 24 | 1ULL << 44 | 1ULL << 48 | 2); /* Aff3 1 */
	CHECK_EQ(ack(3), 1);
	CHECK_EQ(ack(1), 1023);
	rig_end();
}

TEST(a_broadcast_sgi_reaches_all_others)
{
	rig_start(5);
	gic_on();
	for (uint32_t i = 0; i < 5; i++)
		enable_private(i, 9);
	send_sgi(3, 9ULL << 24 | 1ULL << 40 | 0xffff);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(ack(i), i == 3 ? 1023 : 9);
	rig_end();
}

TEST(an_sgi_to_self_is_there_at_once)
{
	rig_start(1);
	gic_on();
	enable_private(0, 0);
	for (unsigned i = 0; i < 3; i++) {
		axvm_vgic_send_sgi(on(0), 1, true);
		CHECK_EQ(atomic_load(&rig_vcpus[0].requests), 0);
		CHECK_EQ(ack(0), 0);
		axvm_vgic_send_sgi(on(0), 1, true); /* while active: pending after its end */
		eoi(0, 0);
		CHECK_EQ(ack(0), 0);
		eoi(0, 0);
		CHECK_EQ(ack(0), 1023);
	}
	rig_end();
}

TEST(sgi_registers_make_only_sgis_of_their_group)
{
	rig_start(1);
	gic_on();
	enable_private(0, 3);
	axvm_vgic_send_sgi(on(0), 3ULL << 24 | 1, false);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	axvm_vgic_send_sgi(on(0), 3ULL << 24 | 1, true);
	CHECK_EQ(ack(0), 3);
	rig_end();
}

TEST(another_redistributor_can_be_written)
{
	rig_start(2);
	gic_on();
	mmio_write(0, ISENABLER(GICR_SGI(1), 0), 4, BIT(20));
	CHECK_EQ(mmio_read(1, ISENABLER(GICR_SGI(1), 0), 4), BIT(20));
	CHECK_EQ(mmio_read(1, ISENABLER(GICR_SGI(0), 0), 4), 0);
	CHECK_EQ(axvm_irq_set_private(&rig_vcpus[1], 20, true), 0);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	CHECK_EQ(ack(1), 20);
	mmio_write(0, ICACTIVER(GICR_SGI(1), 0), 4, BIT(20));
	CHECK_EQ(axvm_irq_set_private(&rig_vcpus[1], 20, false), 0);
	serve_all();
	CHECK_EQ(mmio_read(1, ISACTIVER(GICR_SGI(1), 0), 4), 0);
	rig_end();
}

/* ---- injection from outside ------------------------------------------------------------------------ */

TEST(lines_that_do_not_exist_are_refused)
{
	rig_start(2);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 31, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 288, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_private(&rig_vcpus[0], 15, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_private(&rig_vcpus[0], 32, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 4, 20), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1, 1020), AXVM_EINVAL);
	CHECK_EQ(axvm_aarch64_physical_spi(&rig_vm, 20), AXVM_EINVAL);
	rig_end();
}

TEST(injection_reaches_the_vcpus_of_the_mask)
{
	rig_start(3);
	gic_on();
	for (uint32_t i = 0; i < 3; i++)
		enable_private(i, 25);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 5, 25), 0);
	serve_all();
	CHECK_EQ(ack(0), 25);
	CHECK_EQ(ack(1), 1023);
	CHECK_EQ(ack(2), 25);
	rig_end();
}

TEST(an_injection_from_another_cpu_kicks_or_wakes)
{
	rig_start(2);
	gic_on();
	enable_spi(90);
	mmio_write(0, IROUTER(90), 8, 1);
	serve_all();
	uint64_t kicks = axvm_sim_kick_count(1);

	(void)on(0);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 90), 0);
	CHECK_EQ(axvm_sim_kick_count(1), kicks + 1);
	serve_all();
	CHECK_EQ(ack(1), 90);
	eoi(1, 90);
	rig_unbind(1);
	uint64_t wakes = axvm_sim_wake_count(&rig_vcpus[1]);

	(void)on(0);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 90), 0);
	CHECK_EQ(axvm_sim_wake_count(&rig_vcpus[1]), wakes + 1);
	CHECK(axvm_vcpu_has_work(&rig_vcpus[1]) || axvm_arch_irq_pending(&rig_vcpus[1]));
	rig_bind(1);
	CHECK_EQ(ack(1), 90);
	rig_end();
}

TEST(a_line_above_288_makes_the_controller_larger)
{
	static const struct axvm_config_emu emu[] = { { .irq = 1019 }, { .irq = 300 } };

	rig_start(1);
	rig_end();
	for (uint32_t skip = 0; skip < 2; skip++) {
		rig_start(1);
		rig_config.emu = emu + skip;
		rig_config.emu_count = 2 - skip;
		rig_vm.arch.vgic.line_count = 0;
		rig_vm.mmio.count = 0;
		REQUIRE_EQ(axvm_vgic_device_type.create(&rig_gic, &rig_gic_config), 0);
		CHECK_EQ(rig_vm.arch.vgic.line_count, skip == 0 ? 1020 : 320);
		CHECK_EQ(rd(GICD + 4) & 0x1f, skip == 0 ? 31 : 9);
		uint32_t last = skip == 0 ? 1019 : 319;

		gic_on();
		enable_spi(last);
		CHECK_EQ(axvm_irq_pulse(&rig_vm, last), 0);
		serve_all();
		CHECK_EQ(ack(0), last);
		wr(ISENABLER(GICD, last), UINT32_MAX);
		CHECK_EQ(rd(ISENABLER(GICD, last)), skip == 0 ? 0x0fffffff : UINT32_MAX);
		CHECK_EQ(axvm_irq_pulse(&rig_vm, last + 1), AXVM_EINVAL);
		rig_end();
	}
}

TEST(a_second_controller_or_an_odd_address_is_refused)
{
	struct axvm_config_emu odd = rig_gic_config;

	rig_start(1);
	CHECK_EQ(axvm_vgic_device_type.create(&rig_gic, &rig_gic_config), AXVM_EEXIST);
	rig_vm.arch.vgic.line_count = 0;
	CHECK_EQ(axvm_vgic_device_type.create(&rig_gic, &rig_gic_config), AXVM_EEXIST);
	odd.base.addr += 0x1000;
	CHECK_EQ(axvm_vgic_device_type.create(&rig_gic, &odd), AXVM_EINVAL);
	rig_vm.arch.vgic.line_count = 288;
	rig_end();
}

/* ---- linked interrupts --------------------------------------------------------------------------------- */

TEST(the_virtual_timer_is_linked_to_the_hardware)
{
	rig_start(1);
	gic_on();
	enable_private(0, 27);
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr[0],
		 1ULL << 62 | 1ULL << 61 | 1ULL << 60 | 0xa0ULL << 48 | 27ULL << 32 | 27);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), BIT(27));
	CHECK_EQ(ack(0), 27);
	rig_unbind(0);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), BIT(27));
	rig_bind(0);
	eoi(0, 27);
	axvm_vgic_refill(&rig_vcpus[0]);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	CHECK_EQ(axvm_sim_deactivations(27), 0);
	rig_end();
}

TEST(a_disabled_virtual_timer_waits_linked)
{
	rig_start(1);
	gic_on();
	axvm_aarch64_virtual_timer_fired(on(0));
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr_used, 0);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), BIT(27));
	wr(ICPENDR(GICR_SGI(0), 0), BIT(27)); /* nobody will deactivate it */
	CHECK_EQ(axvm_sim_deactivations(27), 1);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	axvm_aarch64_virtual_timer_fired(on(0));
	enable_private(0, 27);
	CHECK_EQ(ack(0), 27);
	wr(ICACTIVER(GICR_SGI(0), 0), BIT(27));
	serve_all();
	CHECK_EQ(axvm_sim_deactivations(27), 2);
	CHECK_EQ(axvm_aarch64_linked_interrupts(&rig_vcpus[0]), 0);
	rig_end();
}

TEST(a_passed_through_spi_is_deactivated_by_the_guest)
{
	rig_start(1);
	gic_on();
	enable_spi(100);
	CHECK_EQ(axvm_aarch64_physical_spi(&rig_vm, 100), 0);
	serve_all();
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr[0] >> 32 & 0x3ff, 100);
	CHECK((rig_vcpus[0].arch.vgic.lr[0] & AXVM_ICH_LR_HW) != 0);
	CHECK_EQ(ack(0), 100);
	eoi(0, 100);
	axvm_vgic_refill(on(0));
	CHECK_EQ(rig_vcpus[0].arch.vgic.lr_used, 0);
	CHECK_EQ(axvm_aarch64_physical_spi(&rig_vm, 100), 0);
	serve_all();
	rig_unbind(0);
	axvm_vgic_device_type.reset(&rig_gic); /* nobody else would */
	CHECK_EQ(axvm_sim_deactivations(100), 1);
	rig_bind(0);
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

AXTEST_MAIN(a_pending_interrupt_needs_enable_group_and_distributor, group_0_goes_as_group_0,
	    a_level_stays_pending_until_the_line_falls,
	    a_level_that_falls_before_it_is_taken_is_gone,
	    a_level_that_rises_while_active_is_taken_again, an_edge_line_latches_on_the_rise,
	    the_highest_priority_comes_first_whatever_the_order,
	    more_interrupts_than_list_registers_all_arrive_once,
	    active_interrupts_that_lose_their_list_register_stay_active,
	    disabling_takes_a_pending_interrupt_back_and_enabling_returns_it,
	    clearing_pending_and_active_reaches_list_registers,
	    an_interrupt_activated_by_hand_is_not_delivered, an_spi_goes_where_its_route_says,
	    a_pending_spi_moves_with_its_route, an_active_spi_stays_when_its_route_moves,
	    sgis_reach_exactly_their_target_list, the_range_selector_reaches_higher_aff0,
	    a_broadcast_sgi_reaches_all_others, an_sgi_to_self_is_there_at_once,
	    sgi_registers_make_only_sgis_of_their_group, another_redistributor_can_be_written,
	    lines_that_do_not_exist_are_refused, injection_reaches_the_vcpus_of_the_mask,
	    an_injection_from_another_cpu_kicks_or_wakes,
	    a_line_above_288_makes_the_controller_larger,
	    a_second_controller_or_an_odd_address_is_refused,
	    the_virtual_timer_is_linked_to_the_hardware, a_disabled_virtual_timer_waits_linked,
	    a_passed_through_spi_is_deactivated_by_the_guest)
