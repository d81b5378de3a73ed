/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU of this ISA as it starts, the interrupts that it is asked to take, and its timer. */
#include "riscv64_rig.h"

#define ARG 0x87654321ULL
#define ENTRY (RAM + 0x1000)

/* ---- power-on ---------------------------------------------------------------------------------------- */

TEST(a_hart_starts_as_sbi_says)
{
	static const uint64_t ids[] = { 7, 3 };

	rig_start_with(2, NULL, ids);
	struct axvm_vcpu *vcpu = on(1);
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	rig_unbind(1);
	for (unsigned x = 1; x < 32; x++)
		arch->x[x] = UINT64_MAX;
	memset(&arch->sys, 0xff, sizeof(arch->sys));
	memset(&arch->fp, 0xff, sizeof(arch->fp));
	enable_all(1);
	arch->hvip = AXVM_RISCV64_VSSI;
	axvm_riscv64_set_software(vcpu);
	arch->vstimecmp = 0;
	axvm_arch_vcpu_reset(vcpu, ENTRY, ARG);
	for (unsigned x = 0; x < 32; x++)
		CHECK_EQ(arch->x[x], x == 10 ? 3 : x == 11 ? ARG : 0);
	CHECK_EQ(arch->pc, ENTRY);
	CHECK_EQ(arch->sys.vsatp, 0);
	CHECK_EQ(arch->sys.vsstatus & AXVM_RISCV64_STATUS_SIE, 0);
	CHECK((arch->sys.sstatus & AXVM_RISCV64_STATUS_SPP) != 0);
	CHECK((arch->sys.sstatus & AXVM_RISCV64_STATUS_FS) != 0);
	CHECK_EQ(arch->sys.sstatus & AXVM_RISCV64_STATUS_VS, 0);
	CHECK_EQ(arch->fp.f[31], 0);
	CHECK_EQ(arch->vsie, 0);
	CHECK_EQ(arch->vstimecmp, UINT64_MAX);
	CHECK(!axvm_arch_irq_pending(vcpu));
	rig_bind(1);
	CHECK_EQ(arch->hvip, 0);
	CHECK_PTR_EQ(axvm_riscv64_vcpu_by_hart(&rig_vm, 3), vcpu);
	CHECK_PTR_EQ(axvm_riscv64_vcpu_by_hart(&rig_vm, 7), &rig_vcpus[0]);
	CHECK(axvm_riscv64_vcpu_by_hart(&rig_vm, 0) == NULL);
	CHECK(axvm_riscv64_vcpu_by_hart(&rig_vm, UINT64_MAX) == NULL);
	rig_end();
}

TEST(vector_registers_have_the_vms_memory_and_start_at_zero)
{
	struct axvm_riscv64_host host = axvm_sim_riscv64_default_host();

	host.isa = "rv64imafdcvh_zicsr_zifencei_sstc";
	host.vlen_bytes = 32;
	rig_start_with(1, &host, NULL);
	struct axvm_vcpu *vcpu = on(0);

	rig_unbind(0);
	REQUIRE(vcpu->arch.vector.v != NULL);
	CHECK((rig_vm.arch.extensions & AXVM_RISCV64_EXT_V) != 0);
	memset(vcpu->arch.vector.v, 0xff, 32 * 32);
	axvm_arch_vcpu_reset(vcpu, ENTRY, ARG);
	for (unsigned i = 0; i < 32 * 32; i++)
		CHECK_EQ(vcpu->arch.vector.v[i], 0);
	CHECK_EQ(vcpu->arch.vector.vtype, 1ULL << 63);
	CHECK((vcpu->arch.sys.sstatus & AXVM_RISCV64_STATUS_VS) != 0);
	rig_end();
	rig_start(1);
	CHECK(rig_vcpus[0].arch.vector.v == NULL);
	rig_end();
}

TEST(registers_go_by_number)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);
	uint64_t value = 1;

	for (unsigned i = 0; i < 33; i++)
		CHECK_EQ(axvm_arch_set_register(vcpu, i, i + 100), 0);
	for (unsigned i = 0; i < 33; i++) {
		CHECK_EQ(axvm_arch_get_register(vcpu, i, &value), 0);
		CHECK_EQ(value, i == 0 ? 0 : i + 100);
	}
	CHECK_EQ(vcpu->arch.pc, 132);
	axvm_arch_set_result(vcpu, 5);
	CHECK_EQ(vcpu->arch.x[10], 5);
	CHECK_EQ(axvm_arch_get_register(vcpu, 33, &value), AXVM_EINVAL);
	CHECK_EQ(axvm_arch_set_register(vcpu, 33, 0), AXVM_EINVAL);
	rig_end();
}

/* ---- lines -------------------------------------------------------------------------------------------- */

TEST(a_line_is_brought_in_and_taken_away)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	enable_all(0);
	axvm_riscv64_set_external(vcpu, true);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSEI);
	axvm_riscv64_set_timer(vcpu, true);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSEI | AXVM_RISCV64_VSTI);
	axvm_riscv64_set_external(vcpu, true);
	CHECK_EQ(atomic_load(&vcpu->requests), 0); /* as it was: nothing is asked for */
	axvm_riscv64_set_external(vcpu, false);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSTI);
	axvm_riscv64_set_timer(vcpu, false);
	CHECK_EQ(taken(0), 0);
	rig_end();
}

TEST(a_software_interrupt_is_brought_in_once_and_is_the_guests_then)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	enable_all(0);
	axvm_riscv64_set_software(vcpu);
	axvm_riscv64_set_software(vcpu);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSSI);
	axvm_riscv64_set_external(vcpu, true);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSSI | AXVM_RISCV64_VSEI); /* not taken yet: it stays */
	vcpu->arch.hvip &= ~AXVM_RISCV64_VSSI;			   /* csrc sip, SSIP */
	axvm_riscv64_set_external(vcpu, false);
	CHECK_EQ(taken(0), 0);
	axvm_riscv64_set_software(vcpu);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSSI);
	rig_unbind(0);
	rig_bind(0);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSSI);
	rig_end();
}

TEST(another_cpu_kicks_or_wakes)
{
	rig_start(2);
	struct axvm_vcpu *vcpu = &rig_vcpus[1];
	uint64_t kicks = axvm_sim_kick_count(1);

	enable_all(1);
	(void)on(0);
	axvm_riscv64_set_software(vcpu);
	CHECK_EQ(axvm_sim_kick_count(1), kicks + 1);
	CHECK_EQ(taken(1), AXVM_RISCV64_VSSI);
	vcpu->arch.hvip = 0;
	rig_unbind(1);
	(void)on(0);
	axvm_riscv64_set_external(vcpu, true);
	CHECK_EQ(axvm_sim_wake_count(vcpu), 1);
	CHECK_EQ(axvm_sim_kick_count(1), kicks + 1);
	CHECK(axvm_arch_irq_pending(vcpu));
	rig_bind(1);
	CHECK_EQ(taken(1), AXVM_RISCV64_VSEI);
	rig_end();
}

/* What each line is, against each set of enables: bit 0 external, 1 timer, 2 software, 3 the file's signal. */
TEST(pending_is_what_is_enabled)
{
	static const uint64_t bits[] = { AXVM_RISCV64_VSEI, AXVM_RISCV64_VSTI, AXVM_RISCV64_VSSI,
					 AXVM_RISCV64_VSEI };

	for (unsigned lines = 0; lines < 16; lines++) {
		for (unsigned enables = 0; enables < 8; enables++) {
			rig_start(1);
			struct axvm_vcpu *vcpu = &rig_vcpus[0];
			uint64_t enabled = (enables & 1 ? AXVM_RISCV64_VSEI : 0) |
					   (enables & 2 ? AXVM_RISCV64_VSTI : 0) |
					   (enables & 4 ? AXVM_RISCV64_VSSI : 0);
			uint64_t pending = 0;

			vcpu->arch.vsie = enabled;
			rig_unbind(0);
			(void)on(1);
			if (lines & 1)
				axvm_riscv64_set_external(vcpu, true);
			if (lines & 2)
				axvm_riscv64_set_timer(vcpu, true);
			if (lines & 4)
				axvm_riscv64_set_software(vcpu);
			if (lines & 8)
				axvm_riscv64_guest_file_signalled(vcpu);
			for (unsigned i = 0; i < 4; i++)
				pending |= lines >> i & 1 ? bits[i] : 0;
			CHECK_EQ(axvm_arch_irq_pending(vcpu), (pending & enabled) != 0);
			rig_end();
		}
	}
}

/* What hardware alone knows: SSIP that the guest set, Sstc's timer, the file of the vCPU. */
TEST(what_hardware_held_at_unbind_is_pending)
{
	for (unsigned file = 0; file < 2; file++) {
		rig_start(1);
		struct axvm_vcpu *vcpu = on(0);

		enable_all(0);
		vcpu->arch.hvip = AXVM_RISCV64_VSSI;
		rig_unbind(0);
		CHECK(axvm_arch_irq_pending(vcpu));
		rig_bind(0);
		vcpu->arch.hvip = 0;
		vcpu->arch.vsip = AXVM_RISCV64_VSTI;
		rig_unbind(0);
		CHECK(axvm_arch_irq_pending(vcpu));
		rig_bind(0);
		vcpu->arch.guest_file = file;
		vcpu->arch.vsip = AXVM_RISCV64_VSEI;
		rig_unbind(0);
		CHECK_EQ(axvm_arch_irq_pending(vcpu), file != 0);
		vcpu->arch.guest_file = 0;
		rig_end();
	}
}

TEST(private_interrupts_are_three)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	enable_all(0);
	for (uint32_t irq = 0; irq < 64; irq++)
		CHECK_EQ(axvm_irq_set_private(vcpu, irq, true),
			 irq == 1 || irq == 5 || irq == 9 ? 0 : AXVM_EINVAL);
	CHECK_EQ(taken(0), AXVM_RISCV64_HIDELEG);
	CHECK_EQ(axvm_irq_set_private(vcpu, 5, false), 0);
	CHECK_EQ(axvm_irq_set_private(vcpu, 9, false), 0);
	CHECK_EQ(axvm_irq_set_private(vcpu, 1, false), 0);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSSI);
	rig_end();
}

#define PRIORITY(source) (PLIC + 4ULL * (source))
#define ENABLE (PLIC + 0x2080)
#define CLAIM (PLIC + 0x201004)

TEST(injection_is_the_controllers_or_a_message_for_each)
{
	rig_start(3);
	enable_all(0);
	mmio_write(0, PRIORITY(5), 4, 1);
	mmio_write(0, ENABLE, 4, 1u << 5);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1, 5), 0);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSEI);
	CHECK_EQ(mmio_read(0, CLAIM, 4), 5);
	CHECK_EQ(taken(0), 0);
	rig_vm.arch.has_imsic = true;
	CHECK_EQ(axvm_irq_inject(&rig_vm, 5, 33), 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(atomic_load(&rig_vcpus[i].arch.imsic.pending[0]), i == 1 ? 0 : 1ULL << 33);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1, 0), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1, AXVM_IMSIC_IDS), AXVM_EINVAL);
	rig_vm.arch.has_imsic = false;
	struct axvm_plic *plic = rig_vm.arch.plic;

	rig_vm.arch.plic = NULL; /* a VM without a controller */
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1, 5), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 5, true), AXVM_EINVAL);
	CHECK_EQ(axvm_riscv64_host_interrupt(&rig_vm, 5, true), AXVM_EINVAL);
	rig_vm.arch.plic = plic;
	rig_end();
}

/* ---- the timer --------------------------------------------------------------------------------------------- */

TEST(with_sstc_the_timer_is_hardware_while_bound_and_wakes_while_not)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	enable_all(0);
	axvm_riscv64_timer_set(vcpu, 1000);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp(), 1000);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp_count(), 1);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(atomic_load(&vcpu->requests), 0);
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	CHECK(!axvm_arch_irq_pending(vcpu));
	axvm_sim_advance(999);
	CHECK(!axvm_arch_irq_pending(vcpu));
	axvm_sim_advance(1);
	CHECK(axvm_arch_irq_pending(vcpu));
	CHECK_EQ(axvm_sim_wake_count(vcpu), 1);
	rig_bind(0);
	CHECK_EQ(taken(0), 0); /* the hardware's own, not hvip's */
	rig_unbind(0);
	CHECK(axvm_arch_irq_pending(vcpu)); /* due, and nobody has moved it */
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	rig_bind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	axvm_riscv64_timer_set(vcpu, 5000);
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	rig_bind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(vcpu->arch.vstimecmp, 5000);
	rig_end();
}

TEST(a_timer_that_is_off_masked_or_beyond_all_time_wakes_nobody)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	rig_vm.arch.htimedelta = 0 - 5000ULL; /* the VM began at 5000 of the host's */
	axvm_sim_set_ticks(6000);
	enable_all(0);
	axvm_riscv64_timer_set(vcpu, UINT64_MAX);
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	rig_bind(0);
	axvm_riscv64_timer_set(vcpu, UINT64_MAX - 4000);
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK(!axvm_arch_irq_pending(vcpu));
	rig_bind(0);
	axvm_riscv64_timer_set(vcpu, 1001);
	vcpu->arch.vsie &= ~AXVM_RISCV64_VSTI;
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	rig_bind(0);
	enable_all(0);
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	axvm_sim_advance(1);
	CHECK(axvm_arch_irq_pending(vcpu));
	rig_end();
}

static void start_without_sstc(void)
{
	struct axvm_riscv64_host host = axvm_sim_riscv64_default_host();

	host.isa = "rv64imafdch_zicsr_zifencei";
	host.has_sstc = false;
	rig_start_with(1, &host, NULL);
	enable_all(0);
}

TEST(without_sstc_a_timer_of_the_host_raises_the_line)
{
	start_without_sstc();
	struct axvm_vcpu *vcpu = on(0);

	axvm_riscv64_timer_set(vcpu, 1000);
	CHECK_EQ(axvm_sim_riscv64_vstimecmp_count(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	CHECK_EQ(taken(0), 0);
	axvm_sim_advance(1000);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSTI);
	axvm_riscv64_timer_set(vcpu, 3000); /* clears it */
	CHECK_EQ(taken(0), 0);
	axvm_riscv64_timer_set(vcpu, 2000); /* earlier replaces later */
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	rig_unbind(0);
	axvm_sim_advance(1000);
	CHECK(axvm_arch_irq_pending(vcpu));
	rig_bind(0);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSTI);
	axvm_riscv64_timer_set(vcpu, 2000); /* due already */
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSTI);
	axvm_riscv64_timer_set(vcpu, UINT64_MAX);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	CHECK_EQ(taken(0), 0);
	axvm_riscv64_timer_set(vcpu, 9000);
	rig_unbind(0);
	axvm_arch_vcpu_reset(vcpu, 0, 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
	rig_end();
}

AXTEST_MAIN(a_hart_starts_as_sbi_says, vector_registers_have_the_vms_memory_and_start_at_zero,
	    registers_go_by_number, a_line_is_brought_in_and_taken_away,
	    a_software_interrupt_is_brought_in_once_and_is_the_guests_then,
	    another_cpu_kicks_or_wakes, pending_is_what_is_enabled,
	    what_hardware_held_at_unbind_is_pending, private_interrupts_are_three,
	    injection_is_the_controllers_or_a_message_for_each,
	    with_sstc_the_timer_is_hardware_while_bound_and_wakes_while_not,
	    a_timer_that_is_off_masked_or_beyond_all_time_wakes_nobody,
	    without_sstc_a_timer_of_the_host_raises_the_line)
