/* SPDX-License-Identifier: Apache-2.0 */
/* Trapped system registers, ID registers, timers, and a vCPU's registers by number. */
#include "aarch64_rig.h"
#include "pte_format.h"

#define PC 0x40001000ULL
#define VBAR 0x40002000ULL
#define ENC(op0, op1, crn, crm, op2)                                             \
	((uint64_t)(op0) << 20 | (uint64_t)(op2) << 17 | (uint64_t)(op1) << 14 | \
	 (uint64_t)(crn) << 10 | (uint64_t)(crm) << 1)
#define CNTP_TVAL ENC(3, 3, 14, 2, 0)
#define CNTP_CTL ENC(3, 3, 14, 2, 1)
#define CNTP_CVAL ENC(3, 3, 14, 2, 2)
#define CNTPCT ENC(3, 3, 14, 0, 1)
#define MDSCR ENC(2, 0, 0, 2, 2)
#define OSLAR ENC(2, 0, 1, 0, 4)
#define OSLSR ENC(2, 0, 1, 1, 4)
#define SGI1R ENC(3, 0, 12, 11, 5)

static enum axvm_verdict trap(uint64_t reg, unsigned target, bool read)
{
	struct axvm_vcpu *vcpu = on(0);

	vcpu->arch.pc = PC;
	vcpu->arch.pstate = 0x3c5;
	vcpu->arch.sys.vbar_el1 = VBAR;
	return axvm_aarch64_exit_sync(vcpu,
				      (uint64_t)0x18 << 26 | 1ULL << 25 | reg |
					      (uint64_t)target << 5 | (read ? 1 : 0),
				      0, 0);
}

static uint64_t get(uint64_t reg)
{
	rig_vcpus[0].arch.x[3] = 0xdead;
	CHECK_EQ(trap(reg, 3, true), AXVM_ENTER);
	CHECK_EQ(rig_vcpus[0].arch.pc, PC + 4);
	return rig_vcpus[0].arch.x[3];
}

static void put(uint64_t reg, uint64_t value)
{
	rig_vcpus[0].arch.x[3] = value;
	CHECK_EQ(trap(reg, 3, false), AXVM_ENTER);
	CHECK_EQ(rig_vcpus[0].arch.pc, PC + 4);
}

static bool undefined(uint64_t reg, bool read)
{
	CHECK_EQ(trap(reg, 3, read), AXVM_ENTER);
	if (rig_vcpus[0].arch.pc == PC + 4)
		return false;
	CHECK_EQ(rig_vcpus[0].arch.pc, VBAR + 0x200);
	CHECK_EQ(rig_vcpus[0].arch.sys.esr_el1, 1ULL << 25);
	return true;
}

/* ---- ID registers ------------------------------------------------------------------------- */

TEST(a_cpu_with_everything_shows_what_is_virtualised)
{
	/* Every field at 0xf or its largest defined value, then what a guest may see of it. */
	static const struct {
		unsigned crm;
		unsigned op2;
		uint64_t host;
		uint64_t guest;
	} table[] = {
		{ 4, 0, 0x1201111121111122, 0x1101000001111012 }, /* PFR0 */
		{ 4, 1, 0x1111111111111321, 0x0000000100000021 }, /* PFR1: no MTE, SME, NMI, GCS */
		{ 4, 2, UINT64_MAX, 0 },
		{ 4, 4, UINT64_MAX, 0 },			  /* ZFR0: SVE */
		{ 4, 5, UINT64_MAX, 0 },			  /* SMFR0: SME */
		{ 5, 0, 0x0000111111f0f61a, 0x000000f000101006 }, /* DFR0: no PMU, SPE, trace */
		{ 5, 0, 0x0000000010305106, 0x000000f000101006 },
		{ 5, 1, UINT64_MAX, 0 },
		{ 6, 0, 0x1221111110312120, 0x1221111110212120 }, /* ISAR0 */
		{ 6, 0, 0x0000000001000000, 0 },		  /* TME */
		{ 6, 1, 0x2112211111311552, 0x0011211111211552 }, /* ISAR1: pointer auth stays */
		{ 6, 2, 0x0000000000001231, 0x0000000000001210 },
		{ 6, 3, UINT64_MAX, 0 },
		{ 7, 0, 0x2100032310222126, 0x0000000010100022 }, /* MMFR0, 40 bits of IPA */
		{ 7, 0, 0x0000000000001101, 0x0000000000000001 },
		{ 7, 1, 0x1111112112312122, 0x1001102000302002 },
		{ 7, 2, 0x1221011112111111, 0x1021001110110111 }, /* MMFR2: no NV */
		{ 7, 3, UINT64_MAX, 0 },
		{ 7, 7, UINT64_MAX, 0 },
		{ 1, 0, 0x0000000021010131, 0x0000000001010131 }, /* ID_PFR0: no RAS */
		{ 1, 1, 0x0000000010111111, 0x0000000010010111 },
		{ 1, 2, 0x000000000f010068 | 0xf0000000, 0x0000000000000066 },
		{ 2, 0, 0x0000000002101110, 0x0000000002101110 },
		{ 3, 1, 0x0000000013211111, 0x0000000013211111 },
		{ 0, 0, UINT64_MAX, 0 },
		{ 8, 0, UINT64_MAX, 0 },
		{ 4, 8, UINT64_MAX, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_EQ(axvm_aarch64_id_register(table[i].crm, table[i].op2, table[i].host, 40),
			 table[i].guest);
}

TEST(pa_range_is_what_stage_2_can_hold)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };

	for (unsigned ipa = 0; ipa < 7; ipa++) {
		for (uint64_t host = 0; host < 7; host++)
			CHECK_EQ(axvm_aarch64_id_register(7, 0, host, bits[ipa]),
				 host < ipa ? host : ipa);
	}
	CHECK_EQ(axvm_aarch64_id_register(7, 0, 5, 39), 1);
}

/* Whatever the host has: no field shows more than it has, and the hidden ones nothing. */
TEST(no_id_register_shows_more_than_the_host_has)
{
	for (unsigned crm = 0; crm < 8; crm++) {
		for (unsigned op2 = 0; op2 < 8; op2++) {
			uint64_t least = axvm_aarch64_id_register(crm, op2, 0, 48);

			for (unsigned field = 0; field < 16; field++) {
				for (uint64_t n = 0; n < 16; n++) {
					uint64_t value = axvm_aarch64_id_register(
								 crm, op2, n << field * 4, 48) &
							 ~least;

					CHECK((value & ~(15ULL << field * 4)) == 0);
					CHECK(value >> field * 4 <= n);
				}
			}
		}
	}
}

TEST(trapped_id_reads_get_the_vms_table)
{
	rig_start(1);
	CHECK_EQ(get(ENC(3, 0, 0, 4, 0)), 0x01000011);
	CHECK_EQ(get(ENC(3, 0, 0, 5, 0)), 0x000000f000101006);
	CHECK_EQ(get(ENC(3, 0, 0, 7, 0)),
		 axvm_aarch64_id_register(7, 0, 0x1122, rig_vm.aspace.format->input_bits));
	CHECK_EQ(get(ENC(3, 0, 0, 15, 7)), 0);
	CHECK_EQ(trap(ENC(3, 0, 0, 4, 0), 25, true), AXVM_ENTER_FULL);
	CHECK_EQ(rig_vcpus[0].arch.x[25], 0x01000011);
	CHECK_EQ(trap(ENC(3, 0, 0, 4, 0), 31, true), AXVM_ENTER);
	CHECK(undefined(ENC(3, 0, 0, 4, 0), false));
	rig_end();
}

/* ---- the rest -------------------------------------------------------------------------------- */

TEST(registers_that_linux_touches_at_boot_are_answered)
{
	rig_start(1);
	CHECK_EQ(get(OSLSR), 0xa); /* locked at reset */
	put(OSLAR, 0);
	CHECK_EQ(get(OSLSR), 0x8);
	put(MDSCR, 0x8000);
	CHECK_EQ(get(MDSCR), 0x8000);
	CHECK_EQ(rig_vcpus[0].arch.sys.mdscr_el1, 0);
	CHECK_EQ(axvm_sim_vcpu_counts(&rig_vcpus[0]).sysreg_flushes, 0);
	put(MDSCR, 0x1001); /* software step reaches the hardware */
	CHECK_EQ(rig_vcpus[0].arch.sys.mdscr_el1, 1);
	CHECK_EQ(get(MDSCR), 0x1001);
	put(MDSCR, 0);
	CHECK_EQ(rig_vcpus[0].arch.sys.mdscr_el1, 0);
	for (unsigned n = 0; n < 2; n++) {
		for (unsigned op2 = 4; op2 < 8; op2++) {
			put(ENC(2, 0, 0, n, op2), UINT64_MAX);
			CHECK_EQ(get(ENC(2, 0, 0, n, op2)), 0);
		}
	}
	put(ENC(2, 0, 1, 3, 4), 0);		/* OSDLR_EL1 */
	CHECK_EQ(get(ENC(3, 0, 1, 0, 1)), 0);	/* ACTLR_EL1 */
	CHECK_EQ(get(ENC(3, 0, 12, 12, 5)), 7); /* ICC_SRE_EL1 */
	put(ENC(3, 0, 12, 12, 5), 0);
	put(ENC(1, 0, 7, 6, 2), 0); /* DC ISW */
	put(ENC(1, 0, 7, 10, 2), 0);
	put(ENC(1, 0, 7, 14, 2), 0);
	rig_end();
}

TEST(hidden_registers_are_undefined)
{
	static const uint64_t table[] = {
		ENC(3, 3, 9, 12, 0),			 /* PMCR_EL0 */
		ENC(3, 3, 9, 13, 0),			 /* PMCCNTR_EL0 */
		ENC(3, 0, 9, 14, 1),			 /* PMINTENSET_EL1 */
		ENC(3, 3, 14, 8, 0),			 /* PMEVCNTR0_EL0 */
		ENC(3, 0, 9, 9, 0),			 /* PMSCR_EL1: SPE */
		ENC(3, 0, 9, 11, 0),			 /* TRBLIMITR_EL1 */
		ENC(2, 1, 0, 1, 0),			 /* TRCPRGCTLR */
		ENC(3, 0, 5, 3, 0),			 /* ERRIDR_EL1 */
		ENC(3, 0, 10, 4, 3),			 /* LORC_EL1 */
		ENC(3, 0, 10, 5, 0),			 /* MPAM1_EL1 */
		ENC(3, 0, 13, 0, 7),			 /* SCXTNUM_EL1 */
		ENC(3, 3, 13, 2, 0),			 /* AMCR_EL0 */
		ENC(3, 0, 15, 0, 0),			 /* IMPLEMENTATION DEFINED */
		ENC(3, 3, 11, 0, 0), ENC(2, 0, 0, 2, 4), /* DBGBVR2_EL1: only two are shown */
		ENC(2, 0, 0, 15, 7), ENC(3, 4, 1, 1, 0), /* HCR_EL2 */
		ENC(3, 0, 1, 2, 0),			 /* ZCR_EL1 */
		ENC(1, 0, 7, 8, 0),  SGI1R,		 /* cannot be read */
	};

	rig_start(1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		CHECK(undefined(table[i], true));
		if (table[i] != SGI1R)
			CHECK(undefined(table[i], false));
	}
	CHECK(undefined(OSLAR, true)); /* cannot be read */
	CHECK(undefined(ENC(1, 0, 7, 6, 2), true));
	rig_end();
}

TEST(a_trapped_sgi_write_sends)
{
	rig_start(2);
	gic_on();
	enable_private(0, 2);
	enable_private(1, 2);
	put(SGI1R, 2ULL << 24 | 3);
	serve_all();
	CHECK_EQ(ack(0), 2);
	CHECK_EQ(ack(1), 2);
	put(ENC(3, 0, 12, 11, 7), 2ULL << 24 | 3); /* SGI0R: not of its group */
	put(ENC(3, 0, 12, 11, 6), 2ULL << 24 | 3);
	serve_all();
	eoi(1, 2);
	CHECK_EQ(ack(1), 1023);
	put(ENC(3, 0, 12, 11, 1), 2); /* ICC_DIR_EL1 */
	CHECK_EQ(rd(ISACTIVER(GICR_SGI(0), 0)), 0);
	rig_end();
}

/* ---- timers ---------------------------------------------------------------------------------------- */

TEST(the_physical_timer_raises_its_level_and_drops_it)
{
	rig_start(1);
	gic_on();
	enable_private(0, 30);
	axvm_sim_advance(1000);
	CHECK_EQ(get(CNTPCT), 1000);
	put(CNTP_CVAL, 1500);
	put(CNTP_CTL, 1);
	CHECK_EQ(get(CNTP_CTL), 1);
	CHECK_EQ(get(CNTP_TVAL), 500);
	axvm_sim_advance(499);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	axvm_sim_advance(1);
	serve_all();
	CHECK_EQ(get(CNTP_CTL), 5);
	CHECK_EQ(ack(0), 30);
	put(CNTP_TVAL, 100);
	serve_all();
	CHECK_EQ(get(CNTP_CTL), 1);
	CHECK_EQ(get(CNTP_CVAL), 1600);
	eoi(0, 30);
	serve_all();
	CHECK_EQ(ack(0), 1023);
	axvm_sim_advance(100);
	serve_all();
	put(CNTP_CTL, 3); /* masked: the condition is still met */
	serve_all();
	CHECK_EQ(get(CNTP_CTL), 7);
	CHECK_EQ(ack(0), 1023);
	put(CNTP_CTL, 1); /* due at once */
	serve_all();
	CHECK_EQ(ack(0), 30);
	put(CNTP_CTL, 0);
	put(CNTP_TVAL, 0xffffffff); /* a tick ago */
	CHECK_EQ(get(CNTP_CVAL), 1599);
	CHECK_EQ(get(CNTP_TVAL), 0xffffffff);
	rig_end();
}

TEST(an_unbound_vcpu_is_woken_by_its_virtual_timer)
{
	struct axvm_aarch64_sysregs *sys = &rig_vcpus[0].arch.sys;

	rig_start(1);
	axvm_sim_advance(50);
	sys->cntv_cval_el0 = 1000;
	sys->cntv_ctl_el0 = 1;
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 1);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[0]));
	uint64_t wakes = axvm_sim_wake_count(&rig_vcpus[0]);

	axvm_sim_advance(950);
	CHECK_EQ(axvm_sim_wake_count(&rig_vcpus[0]), wakes + 1);
	CHECK(axvm_arch_irq_pending(&rig_vcpus[0]));
	rig_bind(0);
	CHECK(!axvm_arch_irq_pending(&rig_vcpus[0])); /* the hardware raises it now */
	sys->cntv_ctl_el0 = 3;
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0); /* masked */
	rig_bind(0);
	sys->cntv_ctl_el0 = 1;
	axvm_aarch64_virtual_timer_fired(on(0));
	rig_unbind(0);
	CHECK_EQ(axvm_sim_armed_timers(), 0); /* it has fired already */
	rig_end();
}

/* ---- a vCPU ----------------------------------------------------------------------------------------- */

TEST(reset_gives_the_power_on_state)
{
	struct axvm_arch_vcpu *arch = &rig_vcpus[0].arch;

	rig_start(1);
	rig_unbind(0);
	memset(arch->x, 0x55, sizeof(arch->x));
	memset(&arch->sys, 0x55, sizeof(arch->sys));
	memset(&arch->fp, 0x55, sizeof(arch->fp));
	axvm_arch_vcpu_reset(&rig_vcpus[0], 0x40200000, 0x48000000);
	CHECK_EQ(arch->pc, 0x40200000);
	CHECK_EQ(arch->x[0], 0x48000000);
	CHECK_EQ(arch->x[1] | arch->x[30], 0);
	CHECK_EQ(arch->pstate, 0x3c5);
	CHECK_EQ(arch->sys.sctlr_el1, 0x30d00800);
	CHECK_EQ(arch->sys.cntv_ctl_el0 | arch->sys.vbar_el1 | arch->fp.fpcr, 0);
	CHECK_EQ(arch->fp.v[31][15], 0);
	CHECK_EQ(arch->hcr, AXVM_AARCH64_HCR);
	rig_end();
}

TEST(affinities_are_qemus_or_the_configured_ones)
{
	static const uint64_t ids[] = { 0x100, 0x80000201, 0xff00000003ULL };

	rig_start(33);
	CHECK_EQ(rig_vcpus[15].arch.mpidr, 0x8000000f);
	CHECK_EQ(rig_vcpus[16].arch.mpidr, 0x80000100);
	CHECK_EQ(rig_vcpus[32].arch.mpidr, 0x80000200);
	rig_end();
	rig_start_with(3, ids);
	CHECK_EQ(rig_vcpus[0].arch.mpidr, 0x80000100);
	CHECK_EQ(rig_vcpus[1].arch.mpidr, 0x80000201);
	CHECK_EQ(rig_vcpus[2].arch.mpidr, 0xff80000003ULL);
	CHECK_PTR_EQ(axvm_aarch64_vcpu_by_affinity(&rig_vm, 0xff00000003ULL), &rig_vcpus[2]);
	CHECK_PTR_EQ(axvm_aarch64_vcpu_by_affinity(&rig_vm, 0), NULL);
	rig_end();
}

TEST(registers_have_numbers)
{
	uint64_t value = 0;

	rig_start(1);
	for (unsigned i = 0; i < 31; i++)
		CHECK_EQ(axvm_vcpu_set_register(&rig_vcpus[0], i, i * 3 + 1), 0);
	for (unsigned i = 0; i < 31; i++) {
		CHECK_EQ(axvm_vcpu_get_register(&rig_vcpus[0], i, &value), 0);
		CHECK_EQ(value, i * 3 + 1);
	}
	CHECK_EQ(axvm_vcpu_set_register(&rig_vcpus[0], 31, PC), 0);
	CHECK_EQ(axvm_vcpu_get_register(&rig_vcpus[0], 31, &value), 0);
	CHECK_EQ(value, PC);
	CHECK_EQ(axvm_vcpu_set_register(&rig_vcpus[0], 32, UINT64_MAX), 0);
	CHECK_EQ(rig_vcpus[0].arch.pstate, 0xf00003c5);
	CHECK_EQ(axvm_vcpu_get_register(&rig_vcpus[0], 33, &value), AXVM_EINVAL);
	CHECK_EQ(axvm_vcpu_set_register(&rig_vcpus[0], 33, 0), AXVM_EINVAL);
	CHECK_EQ(value, PC);
	rig_end();
}

AXTEST_MAIN(a_cpu_with_everything_shows_what_is_virtualised, pa_range_is_what_stage_2_can_hold,
	    no_id_register_shows_more_than_the_host_has, trapped_id_reads_get_the_vms_table,
	    registers_that_linux_touches_at_boot_are_answered, hidden_registers_are_undefined,
	    a_trapped_sgi_write_sends, the_physical_timer_raises_its_level_and_drops_it,
	    an_unbound_vcpu_is_woken_by_its_virtual_timer, reset_gives_the_power_on_state,
	    affinities_are_qemus_or_the_configured_ones, registers_have_numbers)
