// SPDX-License-Identifier: Apache-2.0
/*
 * Every form of a load and a store, from and to emulated registers whose values are known, with every
 * general register as target, source and base: the access is done, and no other register changes.
 */
#include <string.h>

#include "runtime.h"

#define SCRATCH 7u /* the UART's SCR: a byte */
#define IER 1u
#define IER_THRI 2u /* while it is asked for, each read is an exit */
#define LOAD(funct3, rd, rs1, offset)                                                  \
	((uint32_t)(offset) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 | \
	 (uint32_t)(rd) << 7 | 0x03u)
#define STORE(funct3, rs2, rs1, offset)                                                           \
	(((uint32_t)(offset) >> 5 & 0x7f) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | \
	 (uint32_t)(funct3) << 12 | ((uint32_t)(offset)&31) << 7 | 0x23u)
#define LB 0u
#define LH 1u
#define LW 2u
#define LD 3u
#define LBU 4u
#define LHU 5u
#define LWU 6u
#define RET 0x8082u
#define C_NOP 0x0001u

/*
 * One instruction, at decode_slot, with x1 to x31 from `x`, which gets them back. Interrupts are masked,
 * and nothing may trap to the guest, whose stack pointer may be anything.
 */
void decode_run(uint64_t x[32]);
extern uint16_t decode_slot[4];
__asm__("	.pushsection .text.decode, \"awx\"\n"
	"	.balign	4\n"
	"	.globl	decode_run\n"
	"decode_run:\n"
	"	addi	sp, sp, -256\n"
	"	.irp n,1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
	"	sd	x\\n, (8*\\n)(sp)\n"
	"	.endr\n"
	"	lla	t0, decode_stack\n"
	"	sd	sp, 0(t0)\n"
	"	csrw	sscratch, a0\n"
	"	mv	x31, a0\n"
	"	.irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	"29,30,31\n"
	"	ld	x\\n, (8*\\n)(x31)\n"
	"	.endr\n"
	"	.balign	4\n"
	"	.globl	decode_slot\n"
	"decode_slot:\n"
	"	.word	0, 0\n"
	"	csrrw	x31, sscratch, x31\n"
	"	.irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	"29,30\n"
	"	sd	x\\n, (8*\\n)(x31)\n"
	"	.endr\n"
	"	csrr	x30, sscratch\n"
	"	sd	x30, (8*31)(x31)\n"
	"	lla	t0, decode_stack\n"
	"	ld	sp, 0(t0)\n"
	"	.irp n,1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
	"	ld	x\\n, (8*\\n)(sp)\n"
	"	.endr\n"
	"	addi	sp, sp, 256\n"
	"	ret\n"
	"	.balign	8\n"
	"decode_stack:\n"
	"	.dword	0\n"
	"	.popsection\n");

static uint64_t uart;
static uint64_t word; /* 32 bits of the controller that hold anything */
static uint64_t random_state = 141421;
static uint64_t before[32];
static uint64_t after[32];
_Alignas(4096) static uint16_t pages[2][2048];
_Alignas(4096) static uint64_t table[2][512];

static void write_slot(uint32_t instruction)
{
	bool is_long = (instruction & 3) == 3;

	decode_slot[0] = (uint16_t)instruction;
	decode_slot[1] = is_long ? (uint16_t)(instruction >> 16) : C_NOP;
	decode_slot[2] = C_NOP;
	decode_slot[3] = C_NOP;
	guest_sync_code(decode_slot, 8);
}

/* Random registers, but `base`, which gets its value last. */
static void prepare(uint32_t instruction, uint32_t base, uint64_t address)
{
	uart = guest_machine.uart;
	word = guest_plic.base + PLIC_ENABLE + PLIC_ENABLE_CONTEXT * guest_plic.context_of_cpu[0] +
	       4;
	before[0] = 0;
	for (uint32_t i = 1; i < 32; i++)
		before[i] = guest_random(&random_state);
	before[base] = address;
	memcpy(after, before, sizeof(after));
	write_slot(instruction);
}

/* The register numbers that differ from before, as bits. */
static uint32_t run(void)
{
	uint32_t changed = 0;

	guest_irq_disable();
	decode_run(after);
	for (uint32_t i = 1; i < 32; i++)
		changed |= (uint32_t)(after[i] != before[i]) << i;
	return changed;
}

static uint32_t bit(uint32_t reg)
{
	return reg == 0 ? 0 : 1u << reg;
}

static void check_load(uint32_t instruction, uint32_t rd, uint32_t base, uint64_t address,
		       uint64_t value)
{
	prepare(instruction, base, address);
	if (before[rd] == value)
		before[rd]++;
	CHECK_EQ(run() & ~bit(rd), 0);
	if (rd != 0)
		CHECK_EQ(after[rd], value);
}

static void begin(uint32_t value)
{
	prepare(C_NOP, 1, 0);
	guest_write32(word, value);
	guest_write8(uart + IER, IER_THRI);
	guest_write8(uart + SCRATCH, (uint8_t)value);
}

static bool has_no_plic(void)
{
	return guest_plic.base == 0;
}
#define NEEDS_PLIC()                          \
	do {                                  \
		if (has_no_plic())            \
			SKIP("needs a PLIC"); \
	} while (0)

TEST(a_run_without_an_access_changes_nothing)
{
	for (uint32_t i = 0; i < 100; i++) {
		prepare(C_NOP, 5, i);
		CHECK_EQ(run(), 0);
	}
}

TEST(loads_extend_as_they_say)
{
	NEEDS_PLIC();
	begin(0xf0e0d0c0);
	check_load(LOAD(LW, 10, 11, 0), 10, 11, word, 0xfffffffff0e0d0c0);
	check_load(LOAD(LWU, 10, 11, 0), 10, 11, word, 0xf0e0d0c0);
	check_load(LOAD(LB, 10, 11, 0), 10, 11, uart + SCRATCH, 0xffffffffffffffc0);
	check_load(LOAD(LBU, 10, 11, 0), 10, 11, uart + SCRATCH, 0xc0);
	begin(0x70e0d04e);
	check_load(LOAD(LW, 10, 11, 0), 10, 11, word, 0x70e0d04e);
	check_load(LOAD(LWU, 10, 11, 0), 10, 11, word, 0x70e0d04e);
	check_load(LOAD(LB, 10, 11, 0), 10, 11, uart + SCRATCH, 0x4e);
	check_load(LOAD(LBU, 10, 11, 0), 10, 11, uart + SCRATCH, 0x4e);
}

TEST(every_register_is_loaded)
{
	NEEDS_PLIC();
	begin(0x81234567);
	for (uint32_t rd = 0; rd < 32; rd++) {
		uint32_t base = rd == 7 ? 8 : 7;

		check_load(LOAD(LW, rd, base, 0), rd, base, word, 0xffffffff81234567);
		check_load(LOAD(LBU, rd, base, 0), rd, base, uart + SCRATCH, 0x67);
	}
}

TEST(every_register_is_the_base_and_its_own_target)
{
	NEEDS_PLIC();
	begin(0x81234567);
	for (uint32_t base = 1; base < 32; base++) {
		check_load(LOAD(LW, base, base, 0), base, base, word, 0xffffffff81234567);
		check_load(LOAD(LWU, 9, base, 0), 9, base == 9 ? 9 : base, word, 0x81234567);
	}
}

TEST(every_register_is_stored)
{
	NEEDS_PLIC();
	for (uint32_t rs2 = 0; rs2 < 32; rs2++) {
		uint32_t base = rs2 == 7 ? 8 : 7;

		begin(0x55555555);
		prepare(STORE(LW, rs2, base, 0), base, word);
		CHECK_EQ(run(), 0);
		CHECK_EQ(guest_read32(word), (uint32_t)before[rs2]);
		prepare(STORE(LB, rs2, base, 0), base, uart + SCRATCH);
		CHECK_EQ(run(), 0);
		CHECK_EQ(guest_read8(uart + SCRATCH), (uint8_t)before[rs2]);
	}
}

TEST(every_offset_is_added)
{
	NEEDS_PLIC();
	begin(0x8badf00d);
	for (int32_t offset = -2048; offset < 2048; offset += 31) {
		uint64_t base = word - (uint64_t)(int64_t)offset;
		uint32_t value = (uint32_t)guest_random(&random_state);

		prepare(STORE(LW, 12, 13, offset), 13, base);
		before[12] = value;
		after[12] = value;
		CHECK_EQ(run(), 0);
		check_load(LOAD(LWU, 12, 13, offset), 12, 13, base, value);
	}
}

/* C.LW and C.SW: offset[5:3] at bit 10, base' at 7, offset[2|6] at 6 and 5, register' at 2. */
static uint32_t compressed(uint32_t opcode, uint32_t reg, uint32_t base, uint32_t offset)
{
	return opcode | (offset >> 3 & 7) << 10 | (base - 8) << 7 | (offset >> 2 & 1) << 6 |
	       (offset >> 6 & 1) << 5 | (reg - 8) << 2;
}

TEST(compressed_loads_and_stores_take_each_pair_of_registers)
{
	NEEDS_PLIC();
	for (uint32_t base = 8; base < 16; base++) {
		for (uint32_t reg = 8; reg < 16; reg++) {
			uint32_t offset = guest_random(&random_state) % 32 * 4;

			begin(0x92345678);
			check_load(compressed(0x4000, reg, base, offset), reg, base, word - offset,
				   0xffffffff92345678);
			if (reg == base)
				continue;
			prepare(compressed(0xc000, reg, base, offset), base, word - offset);
			CHECK_EQ(run(), 0);
			CHECK_EQ(guest_read32(word), (uint32_t)before[reg]);
		}
	}
}

TEST(compressed_loads_and_stores_on_the_stack_pointer_take_each_register)
{
	NEEDS_PLIC();
	for (uint32_t reg = 1; reg < 32; reg++) {
		uint32_t offset = guest_random(&random_state) % 64 * 4;
		uint32_t load = 0x4002 | (offset >> 5 & 1) << 12 | reg << 7 |
				(offset >> 2 & 7) << 4 | (offset >> 6 & 3) << 2;
		uint32_t store =
			0xc002 | (offset >> 2 & 15) << 9 | (offset >> 6 & 3) << 7 | reg << 2;

		begin(0xa2345678);
		check_load(load, reg, 2, word - offset, 0xffffffffa2345678);
		if (reg == 2)
			continue;
		prepare(store, 2, word - offset);
		CHECK_EQ(run(), 0);
		CHECK_EQ(guest_read32(word), (uint32_t)before[reg]);
	}
}

/* Done, or refused by one access fault or one for the address. */
static void check_done_or_refused(struct guest_fault fault, uint64_t address, bool done)
{
	if (fault.count == 0) {
		CHECK(done);
		return;
	}
	CHECK_EQ(fault.count, 1);
	CHECK(guest_fault_kind(fault) == GUEST_FAULT_DATA || fault.cause == CAUSE_LOAD_MISALIGNED ||
	      fault.cause == CAUSE_STORE_MISALIGNED);
	CHECK_EQ(fault.address, address);
}

/* The controller has registers of 32 bits only, and may ignore what is none. */
TEST(halfwords_and_doublewords_are_done_or_refused)
{
	uint64_t value = 0;
	struct guest_fault fault;

	NEEDS_PLIC();
	begin(0x80008001);
	fault = PROBE(__asm__ volatile("lh %0, 0(%1)" : "=r"(value) : "r"(word) : "memory"));
	check_done_or_refused(fault, word, value == 0xffffffffffff8001 || value == 0);
	fault = PROBE(__asm__ volatile("lhu %0, 0(%1)" : "=r"(value) : "r"(word) : "memory"));
	check_done_or_refused(fault, word, value == 0x8001 || value == 0);
	fault = PROBE(__asm__ volatile("ld %0, 0(%1)" : "=r"(value) : "r"(word + 4) : "memory"));
	check_done_or_refused(fault, word + 4, true);
	fault = PROBE(__asm__ volatile("sh %0, 0(%1)" ::"r"(7ull), "r"(word) : "memory"));
	check_done_or_refused(fault, word,
			      (guest_read32(word) & 0xffff) == 7 ||
				      guest_read32(word) == 0x80008001);
	fault = PROBE(__asm__ volatile("sd %0, 0(%1)" ::"r"(0ull), "r"(word + 4) : "memory"));
	check_done_or_refused(fault, word + 4, true);
}

TEST(misaligned_accesses_to_devices_are_done_or_refused)
{
	struct guest_fault fault;

	NEEDS_PLIC();
	begin(0x80008001);
	fault = PROBE((void)guest_read32(word + 1));
	check_done_or_refused(fault, word + 1, true);
	fault = PROBE(guest_write32(word + 3, 5));
	check_done_or_refused(fault, word + 3, true);
	fault = PROBE((void)guest_read64(word + 2));
	check_done_or_refused(fault, word + 2, true);
}

TEST(an_access_to_nothing_is_an_access_fault)
{
	struct guest_fault fault = PROBE((void)guest_read32(GUEST_NOWHERE + 8));

	CHECK_EQ(fault.count, 1);
	CHECK_EQ(fault.cause, CAUSE_LOAD_ACCESS);
	CHECK_EQ(fault.address, GUEST_NOWHERE + 8);
	fault = PROBE(guest_write8(GUEST_NOWHERE + 11, 1));
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(fault.cause, CAUSE_STORE_ACCESS);
	CHECK_EQ(fault.address, GUEST_NOWHERE + 11);
}

/* lw a0, 0(a0) with its two halves on two pages; ret. */
TEST(an_instruction_on_two_pages_is_decoded)
{
	uint64_t (*call)(uint64_t) = (uint64_t(*)(uint64_t))(uintptr_t)&pages[0][2047];
	uint32_t instruction = LOAD(LWU, 10, 10, 0);

	NEEDS_PLIC();
	pages[0][2047] = (uint16_t)instruction;
	pages[1][0] = (uint16_t)(instruction >> 16);
	pages[1][1] = RET;
	guest_sync_code(pages, sizeof(pages));
	for (uint32_t i = 0; i < 100; i++) {
		begin(0x83456700 + i);
		CHECK_EQ(call(word), 0x83456700 + i);
	}
}

/* The same pages in the window, the second one somewhere else. */
static void map_code(uint32_t instruction, uint64_t second_flags)
{
	pages[0][2047] = (uint16_t)instruction;
	pages[1][0] = (uint16_t)(instruction >> 16);
	pages[1][1] = RET;
	guest_sync_code(pages, sizeof(pages));
	table[0][0] = guest_entry_table((uintptr_t)table[1]);
	table[1][0] = guest_entry_page((uintptr_t)pages[0]);
	table[1][1] = PTE_OF((uintptr_t)pages[1]) | second_flags;
	guest_window_table((uintptr_t)table[0]);
}

TEST(code_that_can_only_be_executed_is_decoded)
{
	uint64_t (*call)(uint64_t) = (uint64_t(*)(uint64_t))(GUEST_WINDOW + 4094);

	NEEDS_PLIC();
	begin(0x83456789);
	map_code(LOAD(LWU, 10, 10, 0), PTE_V | PTE_X | PTE_A);
	CHECK_EQ(call(word), 0x83456789);
}

static uint32_t stop;

/* Takes the second page away and gives it back, without a word to the CPU that runs on it. */
static void pull(void *argument)
{
	uint64_t entry = table[1][1];

	(void)argument;
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0) {
		__atomic_store_n(&table[1][1], 0, __ATOMIC_RELEASE);
		for (uint32_t i = 0; i < 50; i++)
			guest_barrier();
		__atomic_store_n(&table[1][1], entry, __ATOMIC_RELEASE);
		for (uint32_t i = 0; i < 50; i++)
			guest_barrier();
	}
}

TEST(code_that_is_unmapped_while_it_runs_is_done_or_faults)
{
	uint64_t (*call)(uint64_t) = (uint64_t(*)(uint64_t))(GUEST_WINDOW + 4094);
	uint32_t done_count = 0;

	NEEDS_PLIC();
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin(0x83456789);
	map_code(LOAD(LWU, 10, 10, 0), PTE_LEAF);
	stop = 0;
	REQUIRE_EQ(guest_cpu_start(1, pull, NULL), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t value = 0;

		guest_tlb_flush();
		struct guest_fault fault = PROBE(value = call(word));
		if (fault.count == 0) {
			CHECK_EQ(value, 0x83456789);
			done_count++;
			continue;
		}
		CHECK_EQ(fault.count, 1);
		CHECK_EQ(fault.cause, CAUSE_FETCH_PAGE);
		/* The second half, the whole where its beginning is named, or RET. */
		CHECK(fault.address >= GUEST_WINDOW + 4094 && fault.address <= GUEST_WINDOW + 4098);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK(done_count > 0);
}

#define AMOADD_W 0x0005252fu /* amoadd.w a0, x0, (a0) */

/* No syndrome describes it, so that it is read from memory again after its trap: it may be gone by then. */
TEST(an_instruction_that_is_read_again_and_is_gone_faults_as_a_fetch)
{
	uint64_t (*call)(uint64_t) = (uint64_t(*)(uint64_t))(GUEST_WINDOW + 4094);
	uint32_t refused_count = 0;

	NEEDS_PLIC();
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	map_code(AMOADD_W, PTE_LEAF);
	stop = 0;
	REQUIRE_EQ(guest_cpu_start(1, pull, NULL), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		guest_tlb_flush();
		struct guest_fault fault = PROBE(call(word));
		if (fault.cause == CAUSE_FETCH_PAGE) {
			CHECK(fault.address >= GUEST_WINDOW + 4094 &&
			      fault.address <= GUEST_WINDOW + 4096);
			continue;
		}
		CHECK_EQ(fault.count, 1);
		CHECK_EQ(fault.cause, CAUSE_STORE_ACCESS);
		CHECK_EQ(fault.address, word);
		refused_count++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	CHECK(guest_cpu_wait_off(1));
	CHECK(refused_count > 0);
}

TEST(the_controller_is_quiet_again)
{
	NEEDS_PLIC();
	begin(0);
	CHECK_EQ(guest_read32(word), 0);
}

AXTEST_MAIN(a_run_without_an_access_changes_nothing, loads_extend_as_they_say,
	    every_register_is_loaded, every_register_is_the_base_and_its_own_target,
	    every_register_is_stored, every_offset_is_added,
	    compressed_loads_and_stores_take_each_pair_of_registers,
	    compressed_loads_and_stores_on_the_stack_pointer_take_each_register,
	    halfwords_and_doublewords_are_done_or_refused,
	    misaligned_accesses_to_devices_are_done_or_refused,
	    an_access_to_nothing_is_an_access_fault, an_instruction_on_two_pages_is_decoded,
	    code_that_can_only_be_executed_is_decoded,
	    code_that_is_unmapped_while_it_runs_is_done_or_faults,
	    an_instruction_that_is_read_again_and_is_gone_faults_as_a_fetch,
	    the_controller_is_quiet_again)
