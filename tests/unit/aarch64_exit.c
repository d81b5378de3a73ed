/* SPDX-License-Identifier: Apache-2.0 */
/* Exits: emulated accesses of every width, and the exceptions that a guest is made to take. */
#include "aarch64_rig.h"

#define EC(ec) ((uint64_t)(ec) << 26)
#define IL (1ULL << 25)
#define ISV (1ULL << 24)
#define SAS(n) ((uint64_t)(n) << 22)
#define SSE (1ULL << 21)
#define SRT(n) ((uint64_t)(n) << 16)
#define SF (1ULL << 15)
#define FNV (1ULL << 10)
#define CM (1ULL << 8)
#define S1PTW (1ULL << 7)
#define WNR (1ULL << 6)
#define DABT (EC(0x24) | IL)
#define TRANSLATION 6ULL
#define PERMISSION 15ULL

#define DEVICE_GPA 0x0b000000ULL
#define NOWHERE 0x0c000000ULL
#define VBAR 0xffff800010000000ULL
#define PC 0x40001000ULL

/* A device that remembers the last write and reads a constant. */
static uint64_t device_value;
static uint64_t device_offset;
static unsigned device_bytes;

static uint64_t device_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			    unsigned bytes)
{
	(void)device;
	(void)vcpu;
	device_offset = offset;
	device_bytes = bytes;
	return device_value;
}

static void device_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes, uint64_t value)
{
	(void)device_read(device, vcpu, offset, bytes);
	device_value = value;
}

static const struct axvm_device_type device_type = { .name = "test",
						     .read = device_read,
						     .write = device_write };
static struct axvm_device test_device = { .type = &device_type };

static struct axvm_vcpu *start(void)
{
	rig_start(1);
	CHECK_EQ(axvm_bus_attach(&rig_vm.mmio, &test_device, DEVICE_GPA, 0x1000, 0), 0);
	struct axvm_vcpu *vcpu = on(0);

	vcpu->arch.pc = PC;
	vcpu->arch.sys.vbar_el1 = VBAR;
	for (unsigned i = 0; i < 31; i++)
		vcpu->arch.x[i] = 0x1111111111111111ULL * (i % 15 + 1);
	return vcpu;
}

static enum axvm_verdict abort_at(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t gpa)
{
	uint64_t far = 0xffff000000000000ULL | (gpa & 0xffffff);

	return axvm_aarch64_exit_sync(vcpu, esr, far, gpa >> 8 & ~0xfULL);
}

TEST(a_read_fills_the_register_as_the_instruction_says)
{
	static const struct {
		uint64_t form; /* SAS, SSE, SF */
		uint64_t device;
		uint64_t value;
		unsigned bytes;
	} table[] = {
		{ SAS(0), 0x80, 0x80, 1 },
		{ SAS(0) | SF, 0xff80, 0x80, 1 },
		{ SAS(0) | SSE, 0x80, 0xffffff80, 1 },
		{ SAS(0) | SSE | SF, 0x80, 0xffffffffffffff80, 1 },
		{ SAS(0) | SSE | SF, 0x7f, 0x7f, 1 },
		{ SAS(1), 0x8000, 0x8000, 2 },
		{ SAS(1) | SSE, 0x8000, 0xffff8000, 2 },
		{ SAS(1) | SSE | SF, 0x8000, 0xffffffffffff8000, 2 },
		{ SAS(1) | SSE | SF, 0x17fff, 0x7fff, 2 },
		{ SAS(2), 0x80000000, 0x80000000, 4 },
		{ SAS(2) | SF, 0x180000000, 0x80000000, 4 },
		{ SAS(2) | SSE | SF, 0x80000000, 0xffffffff80000000, 4 },
		{ SAS(3) | SF, 0x8000000000000000, 0x8000000000000000, 8 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (unsigned target = 0; target < 32; target++) {
			struct axvm_vcpu *vcpu = start();
			uint64_t esr = DABT | ISV | TRANSLATION | table[i].form | SRT(target);
			bool saved = target >= 19 && target <= 29;

			device_value = table[i].device;
			CHECK_EQ(abort_at(vcpu, esr, DEVICE_GPA + 0x238),
				 saved ? AXVM_ENTER_FULL : AXVM_ENTER);
			CHECK_EQ(device_offset, 0x238);
			CHECK_EQ(device_bytes, table[i].bytes);
			CHECK_EQ(vcpu->arch.pc, PC + 4);
			for (unsigned x = 0; x < 31; x++)
				CHECK_EQ(vcpu->arch.x[x],
					 x == target ? table[i].value
						     : 0x1111111111111111ULL * (x % 15 + 1));
			rig_end();
		}
	}
}

TEST(a_write_takes_the_register_and_its_width)
{
	static const uint64_t masks[] = { 0xff, 0xffff, 0xffffffff, UINT64_MAX };

	for (unsigned size = 0; size < 4; size++) {
		for (unsigned source = 0; source < 32; source++) {
			struct axvm_vcpu *vcpu = start();
			uint64_t value = source == 31 ? 0 : vcpu->arch.x[source] & masks[size];
			uint64_t esr = DABT | ISV | WNR | TRANSLATION | SAS(size) | SRT(source);

			CHECK_EQ(abort_at(vcpu, esr, DEVICE_GPA + 8), AXVM_ENTER);
			CHECK_EQ(device_value, value);
			CHECK_EQ(device_bytes, 1u << size);
			CHECK_EQ(vcpu->arch.pc, PC + 4);
			rig_end();
		}
	}
}

TEST(stepping_over_an_instruction_completes_a_software_step)
{
	struct axvm_vcpu *vcpu = start();

	vcpu->arch.pstate |= AXVM_AARCH64_PSTATE_SS;
	(void)abort_at(vcpu, DABT | ISV | TRANSLATION | SAS(2), DEVICE_GPA);
	CHECK_EQ(vcpu->arch.pstate & AXVM_AARCH64_PSTATE_SS, 0);
	rig_end();
}

/* What EL1 is entered with, by where the exception came from [ARM D1.3.1]. */
static const struct origin {
	uint64_t pstate;
	uint64_t offset;
	bool same_level;
} origins[] = {
	{ 0x5, 0x200, true },
	{ 0x4, 0x000, true },
	{ 0x0, 0x400, false },
	{ 0x10, 0x600, false },
	{ 0x80000000 | 0x340 | 0x5, 0x200, true },
};
#define ORIGINS (sizeof(origins) / sizeof(origins[0]))

static void check_taken(struct axvm_vcpu *vcpu, const struct origin *from, uint64_t esr,
			uint64_t far)
{
	const struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;

	CHECK_EQ(sys->esr_el1, esr);
	CHECK_EQ(sys->far_el1, far);
	CHECK_EQ(sys->elr_el1, PC);
	CHECK_EQ(sys->spsr_el1, from->pstate);
	CHECK_EQ(vcpu->arch.pc, VBAR + from->offset);
	CHECK_EQ(vcpu->arch.pstate, (from->pstate & 0xf0000000) | 0x3c5);
}

/* An entry may be absent for a moment while its block is split. */
TEST(a_fault_on_memory_that_is_mapped_by_now_is_tried_again)
{
	static const uint64_t isses[] = {
		ISV | SAS(2) | TRANSLATION,
		ISV | SAS(2) | WNR | TRANSLATION,
		TRANSLATION,
		S1PTW | TRANSLATION,
	};

	for (size_t i = 0; i < sizeof(isses) / sizeof(isses[0]); i++) {
		struct axvm_vcpu *vcpu = start();

		CHECK(abort_at(vcpu, DABT | isses[i], RAM) != AXVM_LEAVE);
		CHECK_EQ(vcpu->arch.pc, PC);
		CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
		CHECK_EQ(vcpu->vm->unclaimed_accesses, 0);
		rig_end();
	}
}

/* ---- stores to what is mapped read-only --------------------------------------------------------- */

#define READ_ONLY 0x50000000ULL
#define DENIED (DABT | ISV | WNR | SAS(2) | PERMISSION)
#define VA_OFFSET 0xffff000000000000ULL

static struct axvm_vcpu *start_denied(uint64_t gpa, uint32_t flags)
{
	struct axvm_vcpu *vcpu = start();

	axvm_sim_set_stage1(true, VA_OFFSET);
	CHECK_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(gpa), rig_ram, 0x1000, flags), 0);
	return vcpu;
}

/* HPFAR_EL2 is wrong on purpose: a permission fault leaves it as it was. */
static enum axvm_verdict denied_at(struct axvm_vcpu *vcpu, uint64_t esr, uint64_t gpa)
{
	return axvm_aarch64_exit_sync(vcpu, esr, VA_OFFSET + gpa, NOWHERE >> 8);
}

TEST(a_store_to_a_shadowed_device_is_the_devices)
{
	static const uint64_t masks[] = { 0xff, 0xffff, 0xffffffff, UINT64_MAX };
	struct axvm_vcpu *vcpu = start_denied(DEVICE_GPA, AXVM_MAP_READ | AXVM_MAP_DEVICE);

	for (unsigned size = 0; size < 4; size++) {
		for (unsigned level = 0; level < 4; level++) {
			uint64_t esr = DABT | ISV | WNR | SAS(size) | SRT(3) | (0xc + level);

			device_offset = 0;
			vcpu->arch.pc = PC;
			CHECK_EQ(denied_at(vcpu, esr, DEVICE_GPA + 0x40), AXVM_ENTER);
			CHECK_EQ(device_value, vcpu->arch.x[3] & masks[size]);
			CHECK_EQ(device_offset, 0x40);
			CHECK_EQ(device_bytes, 1u << size);
			CHECK_EQ(vcpu->arch.pc, PC + 4);
		}
	}
	CHECK_EQ(axvm_sim_translations(), 16);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
	rig_end();
}

/* Only there is the address not in HPFAR_EL2. */
TEST(other_faults_do_not_ask_the_guests_tables)
{
	struct axvm_vcpu *vcpu = start();

	axvm_sim_set_stage1(false, 0);
	CHECK_EQ(abort_at(vcpu, DABT | ISV | TRANSLATION | SAS(2), DEVICE_GPA), AXVM_ENTER);
	CHECK_EQ(abort_at(vcpu, DABT | ISV | WNR | TRANSLATION | SAS(2), DEVICE_GPA), AXVM_ENTER);
	CHECK(abort_at(vcpu, DABT | WNR | PERMISSION, DEVICE_GPA) != AXVM_LEAVE);
	CHECK_EQ(axvm_sim_translations(), 0);
	rig_end();
}

TEST(a_store_to_read_only_memory_is_an_external_abort)
{
	struct axvm_vcpu *vcpu = start_denied(READ_ONLY, AXVM_MAP_READ | AXVM_MAP_EXECUTE);

	vcpu->arch.pstate = origins[0].pstate;
	CHECK(denied_at(vcpu, DENIED, READ_ONLY + 8) != AXVM_LEAVE);
	check_taken(vcpu, &origins[0], EC(0x25) | IL | WNR | 0x10, VA_OFFSET + READ_ONLY + 8);
	CHECK_EQ(vcpu->vm->unclaimed_accesses, 0);
	rig_end();
}

TEST(a_store_is_tried_again_when_the_tables_have_changed)
{
	struct axvm_vcpu *vcpu = start_denied(READ_ONLY, AXVM_MAP_READ | AXVM_MAP_WRITE);

	CHECK_EQ(denied_at(vcpu, DENIED, READ_ONLY), AXVM_ENTER);
	axvm_sim_set_stage1(false, VA_OFFSET);
	CHECK_EQ(denied_at(vcpu, DENIED, DEVICE_GPA), AXVM_ENTER);
	CHECK_EQ(vcpu->arch.pc, PC);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
	rig_end();
}

TEST(what_cannot_be_emulated_is_a_synchronous_external_abort)
{
	static const struct {
		uint64_t iss;
		uint64_t gpa;
		uint64_t kept;
	} table[] = {
		{ ISV | SAS(2) | TRANSLATION, NOWHERE, 0 },
		{ ISV | SAS(2) | WNR | TRANSLATION, NOWHERE, WNR },
		{ ISV | SAS(3) | TRANSLATION, DEVICE_GPA + 0xffc, 0 }, /* straddles the end */
		{ TRANSLATION, DEVICE_GPA, 0 },			       /* no syndrome */
		{ WNR | TRANSLATION, DEVICE_GPA, WNR },
		{ S1PTW | TRANSLATION, DEVICE_GPA, 0 },
		{ ISV | SAS(2) | WNR | PERMISSION, RAM, WNR },
		{ CM | WNR | PERMISSION, RAM, CM | WNR },
		{ FNV | 0x10, RAM, FNV },
		{ ISV | SAS(2) | 0x21, DEVICE_GPA, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (size_t from = 0; from < ORIGINS; from++) {
			struct axvm_vcpu *vcpu = start();
			uint64_t ec = origins[from].same_level ? EC(0x25) : EC(0x24);
			uint64_t far = 0xffff000000000000ULL | (table[i].gpa & 0xffffff);

			vcpu->arch.sys.sctlr_el1 |= AXVM_AARCH64_SCTLR_SPAN;
			vcpu->arch.pstate = origins[from].pstate;
			CHECK(abort_at(vcpu, DABT | table[i].iss, table[i].gpa) != AXVM_LEAVE);
			check_taken(vcpu, &origins[from], ec | IL | table[i].kept | 0x10, far);
			CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 1);
			CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_flushes, 1);
			rig_end();
		}
	}
}

TEST(fetching_from_nothing_is_an_external_instruction_abort)
{
	for (size_t from = 0; from < ORIGINS; from++) {
		struct axvm_vcpu *vcpu = start();
		uint64_t ec = origins[from].same_level ? EC(0x21) : EC(0x20);

		vcpu->arch.pstate = origins[from].pstate;
		CHECK(axvm_aarch64_exit_sync(vcpu, EC(0x20) | IL | TRANSLATION, 0x1234, 0) !=
		      AXVM_LEAVE);
		check_taken(vcpu, &origins[from], ec | IL | 0x10, 0x1234);
		rig_end();
	}
}

TEST(features_that_are_not_shown_are_undefined)
{
	/* FP, PAuth, illegal, SVE, ERET, SME, FP exception, breakpoints, BRK, and all reserved. */
	for (unsigned ec = 0; ec < 64; ec++) {
		static const uint8_t others[] = { 0x01, 0x03, 0x04, 0x05, 0x06, 0x08,
						  0x0c, 0x16, 0x17, 0x18, 0x20, 0x24 };
		bool other = false;

		for (size_t i = 0; i < sizeof(others); i++)
			other |= others[i] == ec;
		if (other)
			continue;
		for (size_t from = 0; from < ORIGINS; from++) {
			struct axvm_vcpu *vcpu = start();

			vcpu->arch.pstate = origins[from].pstate;
			CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(ec) | IL | 0x123, 0, 0),
				 AXVM_ENTER);
			check_taken(vcpu, &origins[from], IL, 0);
			rig_end();
		}
	}
}

TEST(taking_an_exception_sets_pan_and_ssbs_as_sctlr_says)
{
	struct axvm_vcpu *vcpu = start();

	vcpu->arch.pstate = 0xa0000000 | AXVM_AARCH64_PSTATE_SSBS | AXVM_AARCH64_PSTATE_DIT |
			    AXVM_AARCH64_PSTATE_SS | 1ULL << 23 | 0x4;
	vcpu->arch.sys.sctlr_el1 = 0;
	axvm_aarch64_inject_undefined(vcpu, 0);
	CHECK_EQ(vcpu->arch.pstate,
		 0xa0000000 | AXVM_AARCH64_PSTATE_DIT | AXVM_AARCH64_PSTATE_PAN | 0x3c5);
	vcpu->arch.pstate = 0x4;
	vcpu->arch.sys.sctlr_el1 = AXVM_AARCH64_SCTLR_SPAN | AXVM_AARCH64_SCTLR_DSSBS;
	axvm_aarch64_inject_undefined(vcpu, IL);
	CHECK_EQ(vcpu->arch.pstate, AXVM_AARCH64_PSTATE_SSBS | 0x3c5);
	CHECK_EQ(vcpu->arch.sys.esr_el1, IL);
	rig_end();
}

TEST(cache_maintenance_where_no_memory_is_does_nothing)
{
	struct axvm_vcpu *vcpu = start();

	device_value = 77;
	CHECK_EQ(abort_at(vcpu, DABT | CM | WNR | TRANSLATION, DEVICE_GPA), AXVM_ENTER);
	CHECK_EQ(abort_at(vcpu, DABT | CM | WNR | TRANSLATION, NOWHERE), AXVM_ENTER);
	CHECK_EQ(vcpu->arch.pc, PC + 8);
	CHECK_EQ(device_value, 77);
	rig_end();
}

TEST(wfi_halts_unless_something_is_pending_or_asked_for)
{
	struct axvm_vcpu *vcpu = start();

	CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(1) | IL, 0, 0), AXVM_LEAVE);
	CHECK_EQ(vcpu->exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(vcpu->arch.pc, PC + 4);
	CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(1) | IL | 1, 0, 0), AXVM_ENTER); /* WFE */
	CHECK_EQ(vcpu->arch.pc, PC + 8);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	CHECK(axvm_aarch64_exit_sync(vcpu, EC(1) | IL, 0, 0) != AXVM_LEAVE);
	serve(0);
	gic_on();
	enable_private(0, 3);
	axvm_vgic_send_sgi(vcpu, 3ULL << 24 | 1, true);
	CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(1) | IL, 0, 0), AXVM_ENTER);
	CHECK_EQ(ack(0), 3); /* without an exit: the next WFI must find out */
	eoi(0, 3);
	CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(1) | IL, 0, 0), AXVM_LEAVE);
	rig_end();
}

TEST(coprocessor_accesses_whose_condition_fails_are_stepped_over)
{
	/* Condition, NZCV, whether it passes. */
	static const struct {
		uint8_t condition;
		uint8_t flags;
		bool passes;
	} table[] = {
		{ 0, 4, true },	 { 0, 0, false },   { 1, 0, true },   { 1, 4, false },
		{ 2, 2, true },	 { 3, 2, false },   { 4, 8, true },   { 5, 8, false },
		{ 6, 1, true },	 { 7, 1, false },   { 8, 2, true },   { 8, 6, false },
		{ 9, 6, true },	 { 10, 9, true },   { 10, 8, false }, { 11, 1, true },
		{ 12, 9, true }, { 12, 13, false }, { 13, 4, true },  { 14, 0, true },
		{ 15, 0, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct axvm_vcpu *vcpu = start();
		uint64_t iss = 1ULL << 24 | (uint64_t)table[i].condition << 20;

		vcpu->arch.pstate = (uint64_t)table[i].flags << 28 | 0x10;
		CHECK_EQ(axvm_aarch64_exit_sync(vcpu, EC(3) | IL | iss, 0, 0), AXVM_ENTER);
		CHECK_EQ(vcpu->arch.pc, table[i].passes ? VBAR + 0x600 : PC + 4);
		rig_end();
	}
}

TEST(a_skipped_thumb_instruction_advances_its_it_block)
{
	struct axvm_vcpu *vcpu = start();

	/* ITTT EQ, third of four: IT 0b0000_1110 after the first; failing conditions. */
	vcpu->arch.pstate = 0x30 | (0x0eULL & 0xfc) << 8 | (0x0eULL & 3) << 25;
	(void)axvm_aarch64_exit_sync(vcpu, EC(5) | 1ULL << 24, 0, 0);
	CHECK_EQ(vcpu->arch.pc, PC + 2);
	CHECK_EQ((vcpu->arch.pstate >> 8 & 0xfc) | (vcpu->arch.pstate >> 25 & 3), 0x1c & 0xff);
	(void)axvm_aarch64_exit_sync(vcpu, EC(5) | 1ULL << 24, 0, 0);
	CHECK_EQ((vcpu->arch.pstate >> 8 & 0xfc) | (vcpu->arch.pstate >> 25 & 3), 0x18);
	(void)axvm_aarch64_exit_sync(vcpu, EC(5) | 1ULL << 24, 0, 0);
	CHECK_EQ((vcpu->arch.pstate >> 8 & 0xfc) | (vcpu->arch.pstate >> 25 & 3), 0);
	rig_end();
}

TEST(an_serror_becomes_a_virtual_one)
{
	struct axvm_vcpu *vcpu = start();

	CHECK_EQ(axvm_aarch64_exit_serror(vcpu, EC(0x2f) | IL), AXVM_ENTER);
	CHECK((vcpu->arch.hcr & AXVM_AARCH64_HCR_VSE) != 0);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_flushes, 1);
	CHECK_EQ(vcpu->arch.pc, PC);
	rig_end();
}

/* Every class with random syndromes: nothing but the guest may suffer. */
TEST(wild_syndromes_are_answered)
{
	struct axvm_vcpu *vcpu = start();
	uint64_t state = 88172645463325252ULL;

	for (uint32_t i = 0; i < 100000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		uint64_t esr = (uint64_t)(i % 64) << 26 | (state & 0x3ffffff);

		vcpu->arch.x[0] = state >> 20;
		enum axvm_verdict verdict =
			axvm_aarch64_exit_sync(vcpu, esr, state * 3, state >> 8 & ~0xfULL);

		CHECK(verdict == AXVM_ENTER || verdict == AXVM_ENTER_FULL ||
		      (verdict == AXVM_LEAVE && vcpu->exit.reason != AXVM_EXIT_NONE));
		atomic_store(&vcpu->power, AXVM_POWER_ON);
		serve(0);
	}
	rig_end();
}

AXTEST_MAIN(a_read_fills_the_register_as_the_instruction_says,
	    a_write_takes_the_register_and_its_width,
	    stepping_over_an_instruction_completes_a_software_step,
	    a_fault_on_memory_that_is_mapped_by_now_is_tried_again,
	    a_store_to_a_shadowed_device_is_the_devices, other_faults_do_not_ask_the_guests_tables,
	    a_store_to_read_only_memory_is_an_external_abort,
	    a_store_is_tried_again_when_the_tables_have_changed,
	    what_cannot_be_emulated_is_a_synchronous_external_abort,
	    fetching_from_nothing_is_an_external_instruction_abort,
	    features_that_are_not_shown_are_undefined,
	    taking_an_exception_sets_pan_and_ssbs_as_sctlr_says,
	    cache_maintenance_where_no_memory_is_does_nothing,
	    wfi_halts_unless_something_is_pending_or_asked_for,
	    coprocessor_accesses_whose_condition_fails_are_stepped_over,
	    a_skipped_thumb_instruction_advances_its_it_block, an_serror_becomes_a_virtual_one,
	    wild_syndromes_are_answered)
