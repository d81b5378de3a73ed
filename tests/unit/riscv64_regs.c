/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual-instruction exceptions: what is answered, with each form of a CSR instruction, and what is illegal. */
#include "riscv64_rig.h"

#define SPP AXVM_RISCV64_STATUS_SPP
#define VECTORS 0xffffffff80000100ULL
#define PC 0xffffffff80201000ULL

#define WFI 0x10500073u
#define WRS_NTO 0x00d00073u

#define CSRRW 1u
#define CSRRS 2u
#define CSRRC 3u
#define CSRRWI 5u
#define CSRRSI 6u
#define CSRRCI 7u
#define CSR(number, operation, rd, rs1) \
	((uint32_t)(number) << 20 | (uint32_t)(rs1) << 15 | (operation) << 12 | (rd) << 7 | 0x73u)
#define CSRR(number, rd) CSR(number, CSRRS, rd, 0)

#define CYCLE 0xc00u
#define TIME 0xc01u
#define INSTRET 0xc02u
#define SISELECT 0x150u
#define SIREG 0x151u
#define STOPEI 0x15cu
#define STOPI 0xdb0u

static struct axvm_vcpu *start(void)
{
	rig_start(1);
	struct axvm_vcpu *vcpu = on(0);

	vcpu->arch.sys.vstvec = VECTORS;
	vcpu->arch.pc = PC;
	for (unsigned x = 1; x < 32; x++)
		vcpu->arch.x[x] = x;
	return vcpu;
}

static struct axvm_vcpu *start_with_imsic(void)
{
	struct axvm_vcpu *vcpu = start();

	rig_vm.arch.has_imsic = true;
	return vcpu;
}

static void in_user_mode(struct axvm_vcpu *vcpu)
{
	vcpu->arch.sys.sstatus &= ~SPP;
}

static enum axvm_verdict meet(struct axvm_vcpu *vcpu, uint32_t instruction)
{
	vcpu->arch.pc = PC;
	return axvm_riscv64_exit(vcpu, AXVM_RISCV64_CAUSE_VIRTUAL_INSTRUCTION, instruction, 0, 0);
}

static void check_illegal(struct axvm_vcpu *vcpu, uint32_t instruction)
{
	uint64_t from = vcpu->arch.sys.sstatus & SPP;

	vcpu->arch.sys.vscause = 0;
	CHECK(meet(vcpu, instruction) != AXVM_LEAVE);
	CHECK_EQ(vcpu->arch.sys.vscause, AXVM_RISCV64_CAUSE_ILLEGAL);
	CHECK_EQ(vcpu->arch.sys.vstval, instruction);
	CHECK_EQ(vcpu->arch.sys.vsepc, PC);
	CHECK_EQ(vcpu->arch.sys.vsstatus & SPP, from);
	CHECK_EQ(vcpu->arch.pc, VECTORS);
	vcpu->arch.sys.sstatus = (vcpu->arch.sys.sstatus & ~SPP) | from;
}

/* Answered; the value is in `rd`. */
static uint64_t answer(struct axvm_vcpu *vcpu, uint32_t instruction)
{
	unsigned rd = instruction >> 7 & 31;
	bool kept = (AXVM_RISCV64_KEPT >> rd & 1) != 0;

	CHECK_EQ(meet(vcpu, instruction), kept ? AXVM_ENTER_FULL : AXVM_ENTER);
	CHECK_EQ(vcpu->arch.pc, PC + 4);
	CHECK_EQ(vcpu->arch.x[0], 0);
	return vcpu->arch.x[rd];
}

/* ---- waiting ------------------------------------------------------------------------------------------ */

TEST(wfi_halts_unless_something_is_pending_or_asked_for)
{
	struct axvm_vcpu *vcpu = start();

	CHECK_EQ(meet(vcpu, WFI), AXVM_LEAVE);
	CHECK_EQ(vcpu->exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(vcpu->arch.pc, PC + 4);
	axvm_riscv64_set_external(vcpu, true);
	CHECK_EQ(meet(vcpu, WFI), AXVM_ENTER); /* a request */
	serve(0);
	CHECK_EQ(meet(vcpu, WFI), AXVM_LEAVE); /* not enabled */
	vcpu->arch.vsie = AXVM_RISCV64_VSEI;
	CHECK_EQ(meet(vcpu, WFI), AXVM_ENTER);
	axvm_riscv64_set_external(vcpu, false);
	serve(0);
	CHECK_EQ(meet(vcpu, WFI), AXVM_LEAVE);
	rig_end();
}

/* The guest clears VSSIP by itself; WFI must find out. */
TEST(wfi_looks_at_what_the_guest_did_to_its_interrupts)
{
	struct axvm_vcpu *vcpu = start();

	vcpu->arch.vsie = AXVM_RISCV64_VSSI;
	axvm_riscv64_set_software(vcpu);
	serve(0);
	CHECK_EQ(meet(vcpu, WFI), AXVM_ENTER);
	vcpu->arch.hvip = 0;
	CHECK_EQ(meet(vcpu, WFI), AXVM_LEAVE);
	vcpu->arch.hvip = AXVM_RISCV64_VSSI; /* its own sip.SSIP */
	CHECK_EQ(meet(vcpu, WFI), AXVM_ENTER);
	vcpu->arch.hvip = 0;
	vcpu->arch.vsie = AXVM_RISCV64_VSTI;
	vcpu->arch.vsip = AXVM_RISCV64_VSTI; /* Sstc: the hardware's */
	CHECK_EQ(meet(vcpu, WFI), AXVM_ENTER);
	rig_end();
}

TEST(a_user_program_does_not_wait)
{
	struct axvm_vcpu *vcpu = start();

	in_user_mode(vcpu);
	check_illegal(vcpu, WFI);
	CHECK_EQ(meet(vcpu, WRS_NTO), AXVM_ENTER);
	CHECK_EQ(vcpu->arch.pc, PC + 4);
	rig_end();
}

/* ---- the instruction ------------------------------------------------------------------------------------ */

TEST(an_instruction_that_the_trap_does_not_tell_is_fetched)
{
	const struct axvm_riscv64_trap trap = { .cause = AXVM_RISCV64_CAUSE_LOAD_PAGE, .tval = PC };
	struct axvm_vcpu *vcpu = start();

	axvm_sim_riscv64_set_fetch(WFI, NULL);
	CHECK_EQ(meet(vcpu, 0), AXVM_LEAVE);
	CHECK_EQ(vcpu->exit.reason, AXVM_EXIT_HALT);
	CHECK_EQ(axvm_sim_riscv64_last_address(), PC);
	axvm_sim_riscv64_set_fetch(0, &trap);
	CHECK(meet(vcpu, 0) != AXVM_LEAVE);
	CHECK_EQ(vcpu->arch.sys.vscause, AXVM_RISCV64_CAUSE_FETCH_PAGE);
	CHECK_EQ(vcpu->arch.sys.vstval, PC);
	rig_end();
}

TEST(what_a_hart_without_it_does_not_know_is_illegal)
{
	static const uint32_t instructions[] = {
		0x10200073, /* SRET */
		0x12000073, /* SFENCE.VMA */
		0x22000073, /* HFENCE.VVMA */
		0x62000073, /* HFENCE.GVMA */
		0x60004073, /* HLV.B */
		0x6a004073, /* HSV.W */
		0x64304073, /* HLVX.HU */
		0x16000073, /* SINVAL.VMA */
		0x0010200f, /* CBO.CLEAN */
		0x30200073, /* MRET */
		0x00000073, /* ECALL */
		0xffffffff, 0x00000001, 0x00004073,
	};

	for (unsigned user = 0; user < 2; user++) {
		struct axvm_vcpu *vcpu = start_with_imsic();

		if (user)
			in_user_mode(vcpu);
		for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
			check_illegal(vcpu, instructions[i]);
		rig_end();
	}
}

/* Which CSRs are answered to a read, by mode and by whether the VM has an IMSIC. */
static bool is_answered(uint32_t csr, bool user, bool imsic)
{
	bool counter = csr >= 0xc00 && csr <= 0xc1f;
	bool aia = csr == SISELECT || csr == STOPEI || csr == STOPI;

	return counter || (aia && !user && imsic);
}

TEST(of_all_csrs_only_those_of_the_table_are_answered)
{
	for (unsigned i = 0; i < 4; i++) {
		bool user = (i & 1) != 0;
		bool imsic = (i & 2) != 0;
		struct axvm_vcpu *vcpu = start();

		rig_vm.arch.has_imsic = imsic;
		if (user)
			in_user_mode(vcpu);
		vcpu->arch.sys.scounteren = UINT32_MAX;
		for (uint32_t csr = 0; csr < 4096; csr++) {
			if (is_answered(csr, user, imsic))
				(void)answer(vcpu, CSRR(csr, 5));
			else
				check_illegal(vcpu, CSRR(csr, 5));
		}
		rig_end();
	}
}

/* ---- counters ---------------------------------------------------------------------------------------------- */

TEST(counters_are_the_guests_own_and_cannot_be_written)
{
	struct axvm_vcpu *vcpu = start();

	axvm_sim_riscv64_set_counter(0, 1000);
	axvm_sim_riscv64_set_counter(1, 500);
	axvm_sim_set_ticks(77);
	CHECK_EQ(answer(vcpu, CSRR(CYCLE, 5)), 1000);
	CHECK_EQ(answer(vcpu, CSRR(INSTRET, 9)), 500);
	CHECK_EQ(answer(vcpu, CSRR(TIME, 5)), 77);
	CHECK_EQ(answer(vcpu, CSRR(0xc03, 5)), 0);
	CHECK_EQ(answer(vcpu, CSRR(0xc1f, 5)), 0);
	CHECK_EQ(answer(vcpu, CSR(CYCLE, CSRRC, 5, 0)), 1000);
	CHECK_EQ(answer(vcpu, CSR(CYCLE, CSRRSI, 5, 0)), 1000);
	(void)answer(vcpu, CSRR(CYCLE, 0));
	check_illegal(vcpu, CSR(CYCLE, CSRRW, 5, 0));
	check_illegal(vcpu, CSR(CYCLE, CSRRWI, 0, 0));
	check_illegal(vcpu, CSR(CYCLE, CSRRS, 5, 3));
	check_illegal(vcpu, CSR(CYCLE, CSRRCI, 5, 1));
	rig_unbind(0);
	axvm_sim_riscv64_set_counter(0, 9000); /* somebody else's */
	rig_bind(0);
	axvm_sim_riscv64_set_counter(0, 9001);
	CHECK_EQ(answer(vcpu, CSRR(CYCLE, 5)), 1001);
	rig_end();
}

TEST(a_user_program_reads_the_counters_that_its_kernel_gives_it)
{
	struct axvm_vcpu *vcpu = start();

	in_user_mode(vcpu);
	for (unsigned n = 0; n < 32; n++) {
		vcpu->arch.sys.scounteren = 1u << n;
		(void)answer(vcpu, CSRR(CYCLE + n, 5));
		vcpu->arch.sys.scounteren = ~(1u << n);
		check_illegal(vcpu, CSRR(CYCLE + n, 5));
	}
	rig_end();
}

/* ---- the interrupt file in software ------------------------------------------------------------------------- */

static void select(struct axvm_vcpu *vcpu, uint64_t number)
{
	vcpu->arch.x[6] = number;
	(void)answer(vcpu, CSR(SISELECT, CSRRW, 0, 6));
	CHECK_EQ(vcpu->arch.sys.vsiselect, number);
}

static void write_register(struct axvm_vcpu *vcpu, uint64_t number, uint64_t value)
{
	select(vcpu, number);
	vcpu->arch.x[7] = value;
	(void)answer(vcpu, CSR(SIREG, CSRRW, 0, 7));
}

static uint64_t read_register(struct axvm_vcpu *vcpu, uint64_t number)
{
	select(vcpu, number);
	return answer(vcpu, CSRR(SIREG, 5));
}

#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP0 0x80u
#define EIE0 0xc0u

TEST(each_form_of_a_csr_instruction_changes_what_it_says)
{
	static const struct {
		unsigned operation;
		unsigned field; /* x6 is 0xf0, x0, or an immediate */
		uint64_t before;
		uint64_t after;
	} table[] = {
		{ CSRRW, 6, 0x3c, 0xf0 },  { CSRRW, 0, 0x3c, 0 },	 { CSRRS, 6, 0x3c, 0xfc },
		{ CSRRS, 0, 0x3c, 0x3c },  { CSRRC, 6, 0x3c, 0x0c },	 { CSRRC, 0, 0x3c, 0x3c },
		{ CSRRWI, 6, 0x3c, 0x06 }, { CSRRWI, 0, 0x3c, 0 },	 { CSRRSI, 3, 0x3c, 0x3f },
		{ CSRRSI, 0, 0x3c, 0x3c }, { CSRRCI, 0x1f, 0x3c, 0x20 }, { CSRRCI, 0, 0x3c, 0x3c },
	};
	struct axvm_vcpu *vcpu = start_with_imsic();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		vcpu->arch.sys.vsiselect = table[i].before;
		vcpu->arch.x[6] = 0xf0;
		CHECK_EQ(answer(vcpu, CSR(SISELECT, table[i].operation, 5, table[i].field)),
			 table[i].before);
		CHECK_EQ(vcpu->arch.sys.vsiselect, table[i].after);
		write_register(vcpu, EIE0, table[i].before);
		vcpu->arch.x[6] = 0xf0;
		CHECK_EQ(answer(vcpu, CSR(SIREG, table[i].operation, 5, table[i].field)),
			 table[i].before);
		CHECK_EQ(read_register(vcpu, EIE0), table[i].after & ~1ULL);
	}
	/* The register that is written is read first: csrrw a0, sireg, a0. */
	write_register(vcpu, EIE0, 0x10);
	vcpu->arch.x[10] = 0x20;
	CHECK_EQ(answer(vcpu, CSR(SIREG, CSRRW, 10, 10)), 0x10);
	CHECK_EQ(read_register(vcpu, EIE0), 0x20);
	rig_end();
}

TEST(registers_that_the_file_does_not_have_are_illegal)
{
	struct axvm_vcpu *vcpu = start_with_imsic();

	for (uint64_t number = 0; number < 0x200; number++) {
		bool priority = number >= 0x30 && number <= 0x3f && number % 2 == 0;
		bool file = number >= 0x70 && number <= 0xff && (number < 0x80 || number % 2 == 0);

		select(vcpu, number);
		if (priority || file)
			(void)answer(vcpu, CSRR(SIREG, 5));
		else
			check_illegal(vcpu, CSRR(SIREG, 5));
	}
	select(vcpu, 0x30);
	(void)answer(vcpu, CSR(SIREG, CSRRWI, 0, 31));
	CHECK_EQ(read_register(vcpu, 0x30), 0);
	rig_end();
}

TEST(a_write_of_stopei_claims_what_it_read)
{
	struct axvm_vcpu *vcpu = start_with_imsic();

	vcpu->arch.vsie = AXVM_RISCV64_VSEI;
	write_register(vcpu, EIDELIVERY, 1);
	write_register(vcpu, EIE0, 0xff);
	CHECK_EQ(answer(vcpu, CSRR(STOPEI, 5)), 0);
	axvm_imsic_send(vcpu, 5);
	axvm_imsic_send(vcpu, 3);
	CHECK_EQ(taken(0), AXVM_RISCV64_VSEI);
	CHECK_EQ(answer(vcpu, CSRR(STOPEI, 5)), 3 << 16 | 3);
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)), 9 << 16 | 1);
	CHECK_EQ(answer(vcpu, CSR(STOPEI, CSRRW, 5, 0)), 3 << 16 | 3);
	CHECK_EQ(answer(vcpu, CSR(STOPEI, CSRRSI, 9, 1)), 5 << 16 | 5);
	CHECK_EQ(answer(vcpu, CSR(STOPEI, CSRRW, 5, 0)), 0);
	CHECK_EQ(taken(0), 0);
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)), 0);
	axvm_imsic_send(vcpu, 7);
	(void)answer(vcpu, CSR(STOPEI, CSRRW, 0, 0)); /* nothing is read, and it is claimed */
	CHECK_EQ(answer(vcpu, CSRR(STOPEI, 5)), 0);
	check_illegal(vcpu, CSR(STOPI, CSRRW, 5, 0));
	rig_end();
}

TEST(the_first_local_interrupt_is_external_then_software_then_timer)
{
	struct axvm_vcpu *vcpu = start_with_imsic();

	enable_all(0);
	vcpu->arch.hvip = AXVM_RISCV64_HIDELEG;
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)) >> 16, 9);
	vcpu->arch.hvip &= ~AXVM_RISCV64_VSEI;
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)) >> 16, 1);
	vcpu->arch.hvip &= ~AXVM_RISCV64_VSSI;
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)) >> 16, 5);
	vcpu->arch.vsie = 0;
	CHECK_EQ(answer(vcpu, CSRR(STOPI, 5)), 0);
	rig_end();
}

AXTEST_MAIN(wfi_halts_unless_something_is_pending_or_asked_for,
	    wfi_looks_at_what_the_guest_did_to_its_interrupts, a_user_program_does_not_wait,
	    an_instruction_that_the_trap_does_not_tell_is_fetched,
	    what_a_hart_without_it_does_not_know_is_illegal,
	    of_all_csrs_only_those_of_the_table_are_answered,
	    counters_are_the_guests_own_and_cannot_be_written,
	    a_user_program_reads_the_counters_that_its_kernel_gives_it,
	    each_form_of_a_csr_instruction_changes_what_it_says,
	    registers_that_the_file_does_not_have_are_illegal,
	    a_write_of_stopei_claims_what_it_read,
	    the_first_local_interrupt_is_external_then_software_then_timer)
