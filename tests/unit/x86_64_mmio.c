/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses to devices: what is retried, refused, crosses something, or comes from a hostile guest. */
#include "x86_64_guest_rig.h"

#define CODE 0x7000000000ULL
#define CODE_GPA (RAM_GPA + 0x10000)
#define DEVICE 0x5000000000ULL /* linear; the page before it is RAM, that after it is nobody's */
#define RAM_LINEAR (DEVICE - 0x1000)
#define RAM_PAGE (RAM_GPA + 0x20000)
#define HOSTILE_EXITS 150000u

#define PRESENT 1u
#define WRITE 2u
#define USER 4u
#define RESERVED 8u

static struct axvm_arch_vcpu *arch(void)
{
	return &rig_vcpu.arch;
}

static uint64_t *gpr(unsigned reg)
{
	return &rig_vcpu.arch.gpr[reg];
}

static void start(void)
{
	rig_start();
	rig_map(CODE, CODE_GPA, PTE_RW | PTE_USER);
	rig_map(RAM_LINEAR, RAM_PAGE, PTE_RW | PTE_USER);
	for (uint64_t at = 0; at < DEVICE_BYTES; at += 4096)
		rig_map(DEVICE + at, DEVICE_GPA + at, PTE_RW | PTE_USER);
	rig_map(DEVICE + DEVICE_BYTES, DEVICE_GPA + DEVICE_BYTES, PTE_RW | PTE_USER);
	for (unsigned i = 0; i < DEVICE_BYTES; i++)
		rig_mmio.memory[i] = (uint8_t)(i * 7 + 1);
	arch()->rip = CODE;
}

static enum axvm_verdict again(uint64_t gpa, bool write)
{
	arch()->exit = (struct axvm_x86_exit){ .kind = AXVM_X86_EXIT_NESTED_FAULT,
					       .gpa = gpa,
					       .is_write = write };
	return axvm_x86_64_mmio(&rig_vcpu);
}

static enum axvm_verdict run_at(uint64_t gpa, bool write, const char *code, unsigned bytes)
{
	ram_write(CODE_GPA, code, bytes);
	return again(gpa, write);
}

#define RUN(gpa, write, code) run_at(gpa, write, code, sizeof(code) - 1)

static uint64_t unclaimed(void)
{
	return atomic_load(&rig_vm.unclaimed_accesses);
}

static void check_nothing_done(void)
{
	CHECK_EQ(arch()->rip, CODE);
	CHECK_EQ(rig_mmio.reads + rig_mmio.writes, 0);
}

static void check_injected(unsigned vector, uint32_t error_code, uint64_t linear)
{
	CHECK_EQ(rig_injected.count, 1);
	CHECK_EQ(rig_injected.vector, vector);
	CHECK_EQ(rig_injected.error_code, error_code);
	CHECK_EQ(rig_injected.linear, linear);
}

TEST(what_is_mapped_by_now_is_tried_again)
{
	start();
	CHECK_EQ(RUN(RAM_PAGE, true, "\x89\x03"), AXVM_ENTER);
	check_nothing_done();
	arch()->exit.is_fetch = true;
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	check_nothing_done();
	CHECK_EQ(rig_injected.count, 0);
	CHECK_EQ(unclaimed(), 0);
	rig_end();
}

TEST(nobody_reads_as_ones_and_drops_writes)
{
	uint64_t linear = DEVICE + DEVICE_BYTES;

	start();
	*gpr(AXVM_X86_RBX) = linear;
	*gpr(AXVM_X86_RAX) = 0x1111111111111111;
	CHECK_EQ(RUN(DEVICE_GPA + DEVICE_BYTES, false, "\x8b\x03"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0xffffffff);
	CHECK_EQ(arch()->rip, CODE + 2);
	CHECK_EQ(unclaimed(), 1);
	arch()->rip = CODE;
	CHECK_EQ(RUN(DEVICE_GPA + DEVICE_BYTES, true, "\x48\x89\x03"), AXVM_ENTER);
	CHECK_EQ(arch()->rip, CODE + 3);
	CHECK_EQ(unclaimed(), 2);
	CHECK_EQ(rig_injected.count, 0);
	rig_end();
}

TEST(what_is_not_known_is_an_invalid_opcode)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x0f\x28\x03"), AXVM_ENTER); /* MOVAPS */
	check_injected(AXVM_X86_UD, 0, 0);
	check_nothing_done();
	CHECK_EQ(unclaimed(), 1);
	/* Nor is what has no memory operand, or only the length of which is known. */
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x0f\xa2"), AXVM_ENTER);
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x0f\x01\x33"), AXVM_ENTER); /* LMSW [rbx] */
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x6f"), AXVM_ENTER);	      /* OUTS */
	CHECK_EQ(rig_injected.count, 4);
	check_nothing_done();
	rig_end();
}

TEST(code_outside_of_memory_is_an_invalid_opcode)
{
	start();
	arch()->exit = (struct axvm_x86_exit){ .gpa = NOWHERE_GPA, .is_fetch = true };
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	check_injected(AXVM_X86_UD, 0, 0);
	CHECK_EQ(unclaimed(), 1);
	arch()->exit.gpa = DEVICE_GPA; /* a device is no code either */
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_injected.count, 2);
	check_nothing_done();
	rig_end();
}

TEST(the_bytes_that_the_hardware_fetched_are_used)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE + 8;
	ram_write(CODE_GPA, "\x0f\x0b", 2);
	arch()->exit = (struct axvm_x86_exit){ .gpa = DEVICE_GPA + 8,
					       .fetched_count = 3,
					       .fetched = { 0x0f, 0xb6, 0x0b } };
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RCX), 8 * 7 + 1);
	CHECK_EQ(arch()->rip, CODE + 3);
	rig_end();
}

TEST(a_register_that_the_switch_does_not_load_is_told)
{
	start();
	*gpr(AXVM_X86_RSI) = DEVICE;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x8b\x1e"), AXVM_ENTER_FULL); /* rbx */
	arch()->rip = CODE;
	CHECK_EQ(RUN(DEVICE_GPA, true, "\x87\x2e"), AXVM_ENTER_FULL); /* XCHG with rbp */
	arch()->rip = CODE;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x44\x03\x26"), AXVM_ENTER_FULL); /* ADD r12d */
	arch()->rip = CODE;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x3b\x1e"), AXVM_ENTER); /* CMP ebx: it stays */
	rig_end();
}

/* Another vCPU has written a different instruction, or the guest its tables. */
TEST(an_instruction_that_is_not_of_this_fault_is_tried_again)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE + 0x10;
	CHECK_EQ(RUN(DEVICE_GPA + 0x20, false, "\x8b\x03"), AXVM_ENTER);
	CHECK_EQ(RUN(DEVICE_GPA + 0x1010, true, "\x8b\x03"), AXVM_ENTER);
	*gpr(AXVM_X86_RDI) = DEVICE + 0x10;
	CHECK_EQ(RUN(DEVICE_GPA + 0x20, true, "\xaa"), AXVM_ENTER);
	check_nothing_done();
	CHECK_EQ(rig_injected.count, 0);
	rig_end();
}

/* An emulator of the CPU may report the read of a read-modify-write: that gives no right to write. */
TEST(a_user_does_not_write_where_it_may_only_read)
{
	start();
	rig_map(DEVICE, DEVICE_GPA, PRESENT | PTE_USER);
	arch()->sys.cpl = 3;
	*gpr(AXVM_X86_RBX) = DEVICE + 4;
	CHECK_EQ(RUN(DEVICE_GPA + 4, false, "\x01\x03"), AXVM_ENTER);
	check_injected(AXVM_X86_PF, PRESENT | WRITE | USER, DEVICE + 4);
	CHECK_EQ(RUN(DEVICE_GPA + 4, false, "\x89\x03"), AXVM_ENTER);
	*gpr(AXVM_X86_RDI) = DEVICE + 4;
	CHECK_EQ(RUN(DEVICE_GPA + 4, false, "\xaa"), AXVM_ENTER);
	CHECK_EQ(rig_injected.count, 3);
	check_nothing_done();
	/* It may read. */
	CHECK_EQ(RUN(DEVICE_GPA + 4, false, "\x39\x03"), AXVM_ENTER);
	CHECK_EQ(arch()->rip, CODE + 2);
	rig_end();
}

TEST(an_access_across_the_end_of_a_device_is_both)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE + DEVICE_BYTES - 3;
	CHECK_EQ(RUN(DEVICE_GPA + DEVICE_BYTES - 3, false, "\x48\x8b\x03"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX) >> 24, 0xffffffffff);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(*gpr(AXVM_X86_RAX) >> 8 * i & 0xff, rig_mmio.memory[DEVICE_BYTES - 3 + i]);
	CHECK_EQ(rig_mmio.reads, 3);
	CHECK_EQ(unclaimed(), 1);
	arch()->rip = CODE;
	*gpr(AXVM_X86_RAX) = 0x8877665544332211;
	/* The part that faulted may be the second. */
	CHECK_EQ(RUN(DEVICE_GPA + DEVICE_BYTES, true, "\x48\x89\x03"), AXVM_ENTER);
	CHECK(memcmp(&rig_mmio.memory[DEVICE_BYTES - 3], "\x11\x22\x33", 3) == 0);
	CHECK_EQ(unclaimed(), 2);
	rig_end();
}

TEST(an_access_across_memory_and_device_is_both)
{
	uint8_t found[2];

	start();
	*gpr(AXVM_X86_RBX) = DEVICE - 2;
	*gpr(AXVM_X86_RAX) = 0x44332211;
	CHECK_EQ(RUN(DEVICE_GPA, true, "\x89\x03"), AXVM_ENTER);
	CHECK_EQ(arch()->rip, CODE + 2);
	ram_read(RAM_PAGE + 0xffe, found, 2);
	CHECK(memcmp(found, "\x11\x22", 2) == 0);
	CHECK(memcmp(rig_mmio.memory, "\x33\x44", 2) == 0);
	arch()->rip = CODE;
	*gpr(AXVM_X86_RAX) = 0;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x8b\x03"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0x44332211);
	CHECK_EQ(unclaimed(), 0);
	rig_end();
}

TEST(a_second_page_that_is_not_there_is_a_page_fault)
{
	start();
	rig_map(DEVICE + 0x1000, 0, 0);
	*gpr(AXVM_X86_RBX) = DEVICE + 0xffe;
	CHECK_EQ(RUN(DEVICE_GPA + 0xffe, true, "\x89\x03"), AXVM_ENTER);
	check_injected(AXVM_X86_PF, WRITE, DEVICE + 0x1000);
	check_nothing_done();
	rig_end();
}

TEST(tables_outside_of_memory_are_a_page_fault)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE;
	rig_map(DEVICE, DEVICE_GPA, PTE_RW);
	ram_write(CODE_GPA, "\x8b\x03", 2);
	uint64_t entry = NOWHERE_GPA | PTE_RW | PTE_USER;

	ram_write(arch()->sys.cr3 + 8 * (DEVICE >> 39 & 511), &entry, 8);
	arch()->exit = (struct axvm_x86_exit){ .gpa = NOWHERE_GPA, .is_walk = true };
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	/* CODE has its tables under the same entry. */
	check_injected(AXVM_X86_PF, PRESENT | RESERVED, CODE);
	check_nothing_done();
	CHECK_EQ(unclaimed(), 1);
	arch()->exit.is_fetch = true;
	CHECK_EQ(axvm_x86_64_mmio(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_injected.count, 2);
	rig_end();
}

TEST(a_delivery_that_meets_no_memory_is_a_protection_fault)
{
	start();
	*gpr(AXVM_X86_RBX) = DEVICE;
	arch()->event.valid = true;
	CHECK_EQ(RUN(DEVICE_GPA, true, "\x89\x03"), AXVM_ENTER);
	check_injected(AXVM_X86_GP, 0, 0);
	check_nothing_done();
	rig_end();
}

TEST(segments_have_the_base_that_the_mode_gives_them)
{
	start();
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++)
		arch()->sys.segment[i].base = 0x100 * (i + 1);
	*gpr(AXVM_X86_RBX) = DEVICE;
	CHECK_EQ(RUN(DEVICE_GPA + 0x600, false, "\x65\x0f\xb6\x03"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX), rig_mmio.memory[0x600]);
	arch()->rip = CODE;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\x36\x0f\xb6\x03"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX), rig_mmio.memory[0]);
	/* RIP of the next instruction. */
	arch()->rip = CODE;
	rig_map(CODE + 0x1000, DEVICE_GPA, PTE_RW);
	CHECK_EQ(RUN(DEVICE_GPA + 7, false, "\x0f\xb6\x05\x00\x10\x00\x00"), AXVM_ENTER);
	CHECK_EQ(*gpr(AXVM_X86_RAX), rig_mmio.memory[7]);
	CHECK_EQ(rig_injected.count, 0);
	rig_end();
}

TEST(code_of_32_and_16_bits_is_emulated)
{
	start();
	rig_flat_mode(true);
	arch()->rip = CODE_GPA;
	*gpr(AXVM_X86_RBX) = DEVICE_GPA - 0x10;
	CHECK_EQ(RUN(DEVICE_GPA + 0x30, false, "\x8b\x43\x40"), AXVM_ENTER);
	CHECK_EQ(arch()->rip, CODE_GPA + 3);
	CHECK_EQ((uint8_t)*gpr(AXVM_X86_RAX), rig_mmio.memory[0x30]);
	rig_flat_mode(false);
	arch()->sys.segment[AXVM_X86_CS].base = CODE_GPA;
	arch()->sys.segment[AXVM_X86_ES].base = DEVICE_GPA;
	arch()->rip = 0;
	*gpr(AXVM_X86_RDI) = 0xabcd1001;
	*gpr(AXVM_X86_RAX) = 0x9876;
	CHECK_EQ(RUN(DEVICE_GPA + 0x1001, true, "\xab"), AXVM_ENTER);
	CHECK(memcmp(&rig_mmio.memory[0x1001], "\x76\x98", 2) == 0);
	CHECK_EQ(*gpr(AXVM_X86_RDI), 0xabcd1003);
	CHECK_EQ(rig_injected.count, 0);
	rig_end();
}

TEST(a_repeated_string_goes_on_exit_by_exit)
{
	start();
	*gpr(AXVM_X86_RDI) = DEVICE;
	*gpr(AXVM_X86_RCX) = 1000;
	*gpr(AXVM_X86_RAX) = 0x5a;
	CHECK_EQ(RUN(DEVICE_GPA, true, "\xf3\xaa"), AXVM_ENTER);
	CHECK_EQ(rig_mmio.writes, AXVM_X86_64_ELEMENTS_MAX);
	CHECK_EQ(*gpr(AXVM_X86_RCX), 1000 - AXVM_X86_64_ELEMENTS_MAX);
	CHECK_EQ(*gpr(AXVM_X86_RDI), DEVICE + AXVM_X86_64_ELEMENTS_MAX);
	CHECK_EQ(arch()->rip, CODE);
	for (unsigned i = 0; i < 100 && arch()->rip == CODE; i++)
		CHECK_EQ(again(DEVICE_GPA + *gpr(AXVM_X86_RDI) - DEVICE, true), AXVM_ENTER);
	CHECK_EQ(rig_mmio.writes, 1000);
	CHECK_EQ(*gpr(AXVM_X86_RCX), 0);
	CHECK_EQ(arch()->rip, CODE + 2);
	rig_end();
}

TEST(a_string_takes_the_fault_of_its_other_side)
{
	start();
	*gpr(AXVM_X86_RSI) = 0x1000;
	*gpr(AXVM_X86_RDI) = DEVICE;
	CHECK_EQ(RUN(DEVICE_GPA, true, "\xa4"), AXVM_ENTER);
	check_injected(AXVM_X86_PF, 0, 0x1000);
	check_nothing_done();
	/* Outside of 64-bit mode limits count: of the destination nothing was asked yet. */
	rig_flat_mode(true);
	arch()->sys.segment[AXVM_X86_ES].limit = 0xffff;
	arch()->rip = CODE_GPA;
	*gpr(AXVM_X86_RSI) = DEVICE_GPA;
	*gpr(AXVM_X86_RDI) = 0xfffe;
	CHECK_EQ(RUN(DEVICE_GPA, false, "\xa5"), AXVM_ENTER);
	CHECK_EQ(rig_injected.vector, AXVM_X86_GP);
	CHECK_EQ(rig_injected.count, 2);
	CHECK_EQ(rig_mmio.reads, 0);
	rig_end();
}

/* ---- hostile -------------------------------------------------------------------------------------------- */

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 3;
}

static uint64_t wild_address(void)
{
	static const uint64_t bases[] = { DEVICE,     DEVICE + DEVICE_BYTES,
					  RAM_LINEAR, CODE,
					  DEVICE_GPA, RAM_PAGE,
					  0,	      0x00007ffffffffff0 };

	return bases[random_number() % 8] + random_number() % 32 - 16 +
	       (random_number() % 2) * 4096;
}

static void make_wild(uint8_t code[15])
{
	struct axvm_x86_exit *exit = &arch()->exit;

	for (unsigned i = 0; i < 15; i++)
		code[i] = (uint8_t)random_number();
	if (random_number() % 2 == 0)
		memcpy(code, "\xf3\xa5", 2);
	for (unsigned reg = 0; reg < 16; reg++)
		*gpr(reg) = random_number() % 8 == 0 ? random_number() << 3 : wild_address();
	*exit = (struct axvm_x86_exit){ .gpa = wild_address(),
					.is_write = random_number() % 2 == 0,
					.is_fetch = random_number() % 16 == 0,
					.is_walk = random_number() % 16 == 0,
					.fetched_count = (uint8_t)(random_number() % 17) };
	memcpy(exit->fetched, code, 15);
	if (exit->fetched_count == 16)
		exit->fetched_count = 255;
	arch()->rip = random_number() % 4 == 0 ? wild_address() : CODE;
	arch()->rflags = random_number() & 0x240cd5;
	arch()->sys.cr4 = random_number() & 0x301030;
	arch()->sys.cpl = random_number() % 4;
	arch()->event.valid = random_number() % 16 == 0;
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++) {
		arch()->sys.segment[i].attributes = (uint16_t)(random_number() & 0xfff);
		arch()->sys.segment[i].limit = (uint32_t)random_number();
	}
}

/* So that much of it is carried out: an access of the device, that the exit tells. */
static void make_plausible(uint8_t code[15])
{
	static const uint8_t opcodes[] = { 0x01, 0x03, 0x20, 0x31, 0x86, 0x87,
					   0x88, 0x89, 0x8a, 0x8b, 0xaa, 0xa5 };
	static const uint8_t some_prefixes[] = { 0xf3, 0x48, 0x66, 0xf0, 0x65, 0x4f, 0x40 };
	uint64_t at = random_number() % (DEVICE_BYTES + 16);
	unsigned prefixes = (unsigned)(random_number() % 3);

	for (unsigned i = 0; i < prefixes; i++)
		code[i] = some_prefixes[random_number() % sizeof(some_prefixes)];
	code[prefixes] = opcodes[random_number() % sizeof(opcodes)];
	code[prefixes + 1] = (uint8_t)((random_number() % 8) << 3 | AXVM_X86_RBX);
	*gpr(AXVM_X86_RBX) = DEVICE + at;
	*gpr(AXVM_X86_RDI) = DEVICE + at;
	arch()->rip = CODE;
	arch()->exit.gpa = DEVICE_GPA + at;
	arch()->exit.fetched_count = 0;
	arch()->exit.is_fetch = false;
}

TEST(whatever_a_guest_does_an_exit_is_bounded)
{
	unsigned worked = 0;

	start();
	for (unsigned i = 0; i < HOSTILE_EXITS; i++) {
		uint8_t code[15];
		unsigned before = rig_injected.count;

		make_wild(code);
		if (i % 2 != 0)
			make_plausible(code);
		arch()->sys.cr0 = AXVM_X86_CR0_PE | (i % 4 != 0 ? AXVM_X86_CR0_PG : 0);
		arch()->sys.efer = i % 8 == 0 ? 0 : AXVM_X86_EFER_LMA | AXVM_X86_EFER_NXE;
		ram_write(CODE_GPA, code, 15);
		rig_mmio.reads = 0;
		rig_mmio.writes = 0;
		CHECK(axvm_x86_64_mmio(&rig_vcpu) != AXVM_LEAVE);
		CHECK(rig_injected.count - before <= 1);
		/* An element that lies across something is read byte by byte. */
		CHECK(rig_mmio.reads + rig_mmio.writes <= 2 * (AXVM_X86_64_ELEMENTS_MAX + 7));
		worked += rig_mmio.reads + rig_mmio.writes > 0;
	}
	CHECK(worked > HOSTILE_EXITS / 100);
	rig_end();
}

AXTEST_MAIN(what_is_mapped_by_now_is_tried_again, nobody_reads_as_ones_and_drops_writes,
	    what_is_not_known_is_an_invalid_opcode, code_outside_of_memory_is_an_invalid_opcode,
	    the_bytes_that_the_hardware_fetched_are_used,
	    a_register_that_the_switch_does_not_load_is_told,
	    an_instruction_that_is_not_of_this_fault_is_tried_again,
	    a_user_does_not_write_where_it_may_only_read,
	    an_access_across_the_end_of_a_device_is_both,
	    an_access_across_memory_and_device_is_both,
	    a_second_page_that_is_not_there_is_a_page_fault,
	    tables_outside_of_memory_are_a_page_fault,
	    a_delivery_that_meets_no_memory_is_a_protection_fault,
	    segments_have_the_base_that_the_mode_gives_them, code_of_32_and_16_bits_is_emulated,
	    a_repeated_string_goes_on_exit_by_exit, a_string_takes_the_fault_of_its_other_side,
	    whatever_a_guest_does_an_exit_is_bounded)
