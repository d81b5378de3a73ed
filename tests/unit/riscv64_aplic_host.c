// SPDX-License-Identifier: Apache-2.0
/* The host's interrupts behind the APLIC: when they are completed, and routes to hardware files. */
#define _GNU_SOURCE

#include "riscv64_aia_rig.h"

#include <pthread.h>
#include <sched.h>

#define SOURCE 40u

static const struct axvm_config_passthrough devices[] = { { .name = "a", .irq = SOURCE } };

static void start(uint32_t vcpus, bool with_imsic, uint32_t files)
{
	rig_start_with(vcpus, with_imsic, files, devices, 1);
	if (!with_imsic) {
		direct_on();
		return;
	}
	for (uint32_t i = 0; i < vcpus; i++)
		ei_on(i);
	wr(DOMAINCFG, IE | DM);
}

static void arrive(bool edge)
{
	CHECK_EQ(axvm_aplic_host_interrupt(rig_vm.arch.aplic, SOURCE, edge), 0);
}

static uint64_t completed(void)
{
	return axvm_sim_riscv64_completions(SOURCE);
}

/* ---- direct mode ------------------------------------------------------------------------------------ */

TEST(a_hosts_edge_is_completed_by_its_claim)
{
	start(1, false, 0);
	source_on(SOURCE, EDGE1, 0, 1);
	arrive(true);
	CHECK(line(0));
	CHECK_EQ(completed(), 0);
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	CHECK_EQ(completed(), 1);
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK_EQ(completed(), 1);
	rig_end();
}

TEST(a_hosts_level_is_completed_by_the_claim_after_its_own)
{
	start(1, false, 0);
	source_on(SOURCE, LEVEL1, 0, 1);
	arrive(false);
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	CHECK_EQ(completed(), 0);
	CHECK_EQ(rd(IN_CLRIP(1)), 1 << 8);
	CHECK_EQ(rd(CLAIMI(0)), 0); /* the handler is done; the host looks */
	CHECK_EQ(completed(), 1);
	CHECK(!line(0));
	arrive(false); /* and finds it high */
	CHECK(line(0));
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	rig_end();
}

TEST(a_level_that_was_disabled_in_its_handler_is_looked_at_when_it_is_enabled)
{
	start(1, false, 0);
	source_on(SOURCE, LEVEL1, 0, 1);
	arrive(false);
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	wr(CLRIENUM, SOURCE); /* a thread shall do it */
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK_EQ(completed(), 1);
	arrive(false); /* it has not yet */
	CHECK(!line(0));
	CHECK_EQ(completed(), 1);
	wr(SETIENUM, SOURCE);
	CHECK_EQ(completed(), 2);
	CHECK(!line(0));
	rig_end();
}

TEST(an_edge_that_waits_is_not_lost_when_it_is_enabled)
{
	start(1, false, 0);
	source_on(SOURCE, EDGE1, 0, 1);
	wr(CLRIENUM, SOURCE);
	arrive(true);
	CHECK_EQ(completed(), 0);
	wr(SETIENUM, SOURCE);
	CHECK(line(0));
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	CHECK_EQ(completed(), 1);
	rig_end();
}

TEST(a_low_active_source_of_the_hosts_is_asserted_when_it_arrives)
{
	start(1, false, 0);
	source_on(SOURCE, LEVEL0, 0, 1);
	CHECK(!line(0));
	arrive(false);
	CHECK(line(0));
	CHECK_EQ(rd(CLAIMI(0)) >> 16, SOURCE);
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK(!line(0));
	rig_end();
}

TEST(what_came_for_an_inactive_source_is_completed_when_it_is_configured)
{
	start(1, false, 0);
	arrive(false);
	CHECK_EQ(completed(), 0); /* so that it cannot storm */
	wr(SOURCECFG(SOURCE), LEVEL1);
	CHECK_EQ(completed(), 1);
	CHECK_EQ(rd(SETIP(1)), 0);
	rig_end();
}

TEST(an_edge_that_is_cleared_by_the_guest_is_completed)
{
	start(1, false, 0);
	source_on(SOURCE, EDGE1, 0, 1);
	wr(CLRIENUM, SOURCE);
	arrive(true);
	wr(CLRIPNUM, SOURCE);
	CHECK_EQ(completed(), 1);
	CHECK_EQ(rd(SETIP(1)), 0);
	rig_end();
}

TEST(a_reset_completes_what_the_host_waits_for)
{
	start(1, false, 0);
	source_on(SOURCE, LEVEL1, 0, 1);
	arrive(false);
	axvm_aplic_device_type.reset(&rig_aplic);
	CHECK_EQ(completed(), 1);
	CHECK(!line(0));
	axvm_aplic_device_type.reset(&rig_aplic);
	CHECK_EQ(completed(), 1);
	rig_end();
}

/* ---- MSI mode ----------------------------------------------------------------------------------------- */

TEST(a_hosts_edge_is_completed_when_it_is_sent)
{
	start(1, true, 0);
	source_on(SOURCE, EDGE1, 0, 30);
	arrive(true);
	CHECK_EQ(completed(), 1);
	CHECK_EQ(ei_claim(0), 30);
	wr(DOMAINCFG, DM);
	arrive(true);
	CHECK_EQ(completed(), 1);
	wr(DOMAINCFG, IE | DM);
	CHECK_EQ(completed(), 2);
	CHECK_EQ(ei_claim(0), 30);
	rig_end();
}

TEST(a_hosts_level_is_completed_by_setipnum_and_comes_again_while_it_is_high)
{
	start(1, true, 0);
	source_on(SOURCE, LEVEL1, 0, 30);
	arrive(false);
	CHECK_EQ(ei_claim(0), 30);
	CHECK_EQ(completed(), 0);
	wr(SETIPNUM_LE, SOURCE);
	CHECK_EQ(completed(), 1);
	CHECK_EQ(ei_claim(0), 0); /* it is the host that looks at the line */
	arrive(false);
	CHECK_EQ(ei_claim(0), 30);
	wr(SETIPNUM_LE, SOURCE);
	wr(SETIPNUM_LE, SOURCE);
	CHECK_EQ(completed(), 2);
	rig_end();
}

TEST(a_hosts_level_is_completed_when_the_handler_looks_at_its_input)
{
	start(1, true, 0);
	source_on(SOURCE, LEVEL1, 0, 30);
	wr(CLRIENUM, SOURCE);
	arrive(false);
	CHECK_EQ(rd(IN_CLRIP(1)), 1 << 8); /* not sent yet */
	CHECK_EQ(completed(), 0);
	wr(SETIENUM, SOURCE);
	CHECK_EQ(completed(), 1);
	arrive(false);
	CHECK_EQ(ei_claim(0), 30);
	CHECK_EQ(rd(IN_CLRIP(1)), 0);
	CHECK_EQ(completed(), 2);
	rig_end();
}

/* ---- routes ---------------------------------------------------------------------------------------------- */

static void check_route(uint32_t cpu, uint32_t file, uint32_t eiid)
{
	struct axvm_sim_riscv64_route route = axvm_sim_riscv64_route(SOURCE);

	CHECK_EQ(route.cpu, cpu);
	CHECK_EQ(route.file, file);
	CHECK_EQ(route.eiid, eiid);
}

static void bind(uint32_t vcpu, uint32_t cpu)
{
	axvm_sim_set_cpu(cpu);
	axvm_imsic_bound(&rig_vcpus[vcpu]);
}

TEST(the_host_sends_a_source_to_the_file_of_its_target)
{
	start(2, true, 2);
	axvm_sim_riscv64_allow_routes(true);
	bind(0, 3);
	bind(1, 3);
	wr(SOURCECFG(SOURCE), LEVEL1);
	wr(TARGET(SOURCE), 1 << 18 | 60);
	check_route(0, 0, 0);
	wr(SETIENUM, SOURCE);
	check_route(3, 2, 60);
	wr(SETIPNUM_LE, SOURCE); /* the host's APLIC looks again */
	CHECK_EQ(completed(), 1);
	wr(TARGET(SOURCE), 61);
	check_route(3, 1, 61);
	wr(DOMAINCFG, DM);
	check_route(0, 0, 0);
	wr(DOMAINCFG, IE | DM);
	check_route(3, 1, 61);
	wr(TARGET(SOURCE), 0);
	check_route(0, 0, 0);
	wr(TARGET(SOURCE), 62);
	check_route(3, 1, 62);
	wr(CLRIE(1), 1 << 8);
	check_route(0, 0, 0);
	rig_end();
}

TEST(a_source_that_the_vm_does_not_have_is_never_routed)
{
	start(1, true, 1);
	axvm_sim_riscv64_allow_routes(true);
	bind(0, 0);
	source_on(41, LEVEL1, 0, 9);
	CHECK_EQ(axvm_sim_riscv64_route(41).eiid, 0);
	rig_vm.irqs_attached = 0; /* while the VM is made, or destroyed */
	source_on(SOURCE, LEVEL1, 0, 9);
	check_route(0, 0, 0);
	rig_end();
}

TEST(without_routes_an_msi_to_the_file_is_ours)
{
	start(1, true, 1);
	bind(0, 0);
	source_on(SOURCE, LEVEL1, 0, 30);
	arrive(false);
	CHECK(axvm_sim_riscv64_file_has(0, 1, 30));
	CHECK(!line(0));
	wr(SETIPNUM_LE, SOURCE);
	CHECK_EQ(completed(), 1);
	rig_end();
}

TEST(a_route_ends_with_its_file_and_with_a_reset)
{
	start(1, true, 1);
	axvm_sim_riscv64_allow_routes(true);
	bind(0, 0);
	source_on(SOURCE, LEVEL1, 0, 30);
	check_route(0, 1, 30);
	axvm_imsic_reset(&rig_vcpus[0]);
	check_route(0, 0, 0);
	bind(0, 2);
	check_route(2, 1, 30);
	axvm_aplic_device_type.reset(&rig_aplic);
	check_route(0, 0, 0);
	rig_end();
}

/* ---- several CPUs ------------------------------------------------------------------------------------------ */

#define ROUNDS 50000u
#define IDLE_MAX 20000000u

static void *pulse_all(void *argument)
{
	(void)argument;
	axvm_sim_set_cpu(1);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint32_t source = 1 + round % 1000;

		for (uint32_t spins = 0;
		     spins < IDLE_MAX && (rd(SETIP(source / 32)) >> source % 32 & 1) != 0; spins++)
			sched_yield();
		(void)axvm_aplic_pulse(rig_vm.arch.aplic, source);
	}
	return NULL;
}

TEST(a_pulse_that_comes_during_a_claim_is_neither_lost_nor_without_a_signal)
{
	pthread_t sender;
	uint32_t seen = 0;
	uint32_t idle = 0;

	start(2, false, 0);
	for (uint32_t source = 1; source <= 1000; source++)
		source_on(source, EDGE1, 0, source);
	CHECK_EQ(pthread_create(&sender, NULL, pulse_all, NULL), 0);
	while (seen < ROUNDS && idle < IDLE_MAX) {
		if (!line(0)) {
			idle++;
			sched_yield();
			continue;
		}
		idle = 0;
		/* Between the two the guest moves what it handles. */
		if (seen % 16 == 0)
			wr(TARGET(1 + seen % 1000), seen);
		seen += rd(CLAIMI(0)) != 0;
	}
	CHECK_EQ(seen, ROUNDS);
	CHECK_EQ(pthread_join(sender, NULL), 0);
	CHECK_EQ(rd(CLAIMI(0)), 0);
	CHECK(!line(0));
	rig_end();
}

AXTEST_MAIN(a_hosts_edge_is_completed_by_its_claim,
	    a_hosts_level_is_completed_by_the_claim_after_its_own,
	    a_level_that_was_disabled_in_its_handler_is_looked_at_when_it_is_enabled,
	    an_edge_that_waits_is_not_lost_when_it_is_enabled,
	    a_low_active_source_of_the_hosts_is_asserted_when_it_arrives,
	    what_came_for_an_inactive_source_is_completed_when_it_is_configured,
	    an_edge_that_is_cleared_by_the_guest_is_completed,
	    a_reset_completes_what_the_host_waits_for, a_hosts_edge_is_completed_when_it_is_sent,
	    a_hosts_level_is_completed_by_setipnum_and_comes_again_while_it_is_high,
	    a_hosts_level_is_completed_when_the_handler_looks_at_its_input,
	    the_host_sends_a_source_to_the_file_of_its_target,
	    a_source_that_the_vm_does_not_have_is_never_routed,
	    without_routes_an_msi_to_the_file_is_ours, a_route_ends_with_its_file_and_with_a_reset,
	    a_pulse_that_comes_during_a_claim_is_neither_lost_nor_without_a_signal)
