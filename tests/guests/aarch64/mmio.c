// SPDX-License-Identifier: Apache-2.0
/*
 * Loads and stores of each width, with sign extension into w and x registers, from and to emulated
 * registers whose values are known; and the forms that hardware does not decode for a hypervisor
 * (ESR_EL2.ISV is 0), which must either work or end in an external abort, nothing else.
 */
#include "runtime.h"

#define UART_IBRD 0x24u
#define UART_PERIPHID0 0xfe0u
#define SPI_WORD 96u /* IPRIORITYR of the unused SPIs 96 to 99 */

static uint64_t uart;
static uint64_t priorities;

static void begin(void)
{
	uart = guest_machine.uart;
	priorities = guest_gic.distributor + GICD_IPRIORITYR + SPI_WORD;
	guest_write32(priorities, 0xa0a0a0a0);
}

/* Loads into a 64-bit register that was all ones before. */
#define LOAD(instruction, width, address)                         \
	__extension__({                                           \
		uint64_t load_value = ~0ull;                      \
		__asm__ volatile(instruction " %" width "0, [%1]" \
				 : "+r"(load_value)               \
				 : "r"((uint64_t)(address))       \
				 : "memory");                     \
		load_value;                                       \
	})

TEST(identification_registers_read_as_the_manual_says)
{
	static const uint8_t id[] = { 0x11, 0x10, 0, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	begin();
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t value = guest_read32(uart + UART_PERIPHID0 + 4 * i);

		if (i == 2) /* the revision is in the upper half */
			CHECK_EQ(value & 0xf, 0x4);
		else
			CHECK_EQ(value, id[i]);
	}
	CHECK_EQ(guest_read32(guest_gic.distributor + GICD_PIDR2) >> 4 & 0xf, 3);
	CHECK_EQ(guest_read32(guest_gic.redistributors + GICD_PIDR2) >> 4 & 0xf, 3);
}

TEST(unsigned_loads_clear_the_upper_bits)
{
	begin();
	guest_write32(priorities, 0xf0e0d0c0);
	CHECK_EQ(LOAD("ldrb", "w", priorities), 0xc0);
	CHECK_EQ(LOAD("ldrb", "w", priorities + 3), 0xf0);
	CHECK_EQ(LOAD("ldr", "w", priorities), 0xf0e0d0c0);
	guest_write32(uart + UART_IBRD, 0xfedc);
	CHECK_EQ(LOAD("ldrh", "w", uart + UART_IBRD), 0xfedc);
	CHECK_EQ(LOAD("ldr", "w", uart + UART_IBRD), 0xfedc);
}

TEST(signed_byte_loads_extend_to_the_registers_width)
{
	begin();
	guest_write32(priorities, 0xf0e07040);
	CHECK_EQ(LOAD("ldrsb", "w", priorities), 0x40);
	CHECK_EQ(LOAD("ldrsb", "x", priorities), 0x40);
	CHECK_EQ(LOAD("ldrsb", "w", priorities + 2), 0xffffffe0);
	CHECK_EQ(LOAD("ldrsb", "x", priorities + 2), 0xffffffffffffffe0);
	CHECK_EQ(LOAD("ldrsb", "w", priorities + 3), 0xfffffff0);
	CHECK_EQ(LOAD("ldrsb", "x", priorities + 3), 0xfffffffffffffff0);
	CHECK_EQ(LOAD("ldrsb", "x", uart + UART_PERIPHID0 + 4 * 7), 0xffffffffffffffb1);
}

TEST(signed_halfword_loads_extend_to_the_registers_width)
{
	begin();
	guest_write32(uart + UART_IBRD, 0x8123);
	CHECK_EQ(LOAD("ldrsh", "w", uart + UART_IBRD), 0xffff8123);
	CHECK_EQ(LOAD("ldrsh", "x", uart + UART_IBRD), 0xffffffffffff8123);
	guest_write32(uart + UART_IBRD, 0x7123);
	CHECK_EQ(LOAD("ldrsh", "w", uart + UART_IBRD), 0x7123);
	CHECK_EQ(LOAD("ldrsh", "x", uart + UART_IBRD), 0x7123);
}

TEST(signed_word_loads_extend_to_64_bits)
{
	begin();
	guest_write32(priorities, 0xf0e0d0c0);
	CHECK_EQ(LOAD("ldrsw", "x", priorities), 0xfffffffff0e0d0c0);
	guest_write32(priorities, 0x70e0d0c0);
	CHECK_EQ(LOAD("ldrsw", "x", priorities), 0x70e0d0c0);
}

TEST(doublewords_are_read_and_written_whole)
{
	uint64_t router = guest_gic.distributor + GICD_IROUTER + 8 * 96;
	uint64_t typer = guest_read64(guest_gic_redistributor() + GICR_TYPER);

	begin();
	guest_write64(router, guest_cpus[0].id);
	CHECK_EQ(guest_read64(router), guest_cpus[0].id);
	guest_write64(router, 0x0000000700000100);
	CHECK_EQ(guest_read64(router), 0x0000000700000100);
	CHECK_EQ(guest_read32(router), 0x100);
	CHECK_EQ(guest_read32(router + 4), 7);
	guest_write32(router, 0);
	CHECK_EQ(guest_read64(router), 0x0000000700000000);
	guest_write64(router, 0);
	CHECK_EQ(typer & 0xffffffff, guest_read32(guest_gic_redistributor() + GICR_TYPER));
	CHECK_EQ(typer >> 32, guest_read32(guest_gic_redistributor() + GICR_TYPER + 4));
}

TEST(byte_stores_change_one_byte)
{
	begin();
	guest_write8(priorities + 1, 0x50);
	CHECK_EQ(guest_read32(priorities), 0xa0a050a0);
	guest_write8(priorities + 3, 0xf8);
	CHECK_EQ(guest_read32(priorities), 0xf8a050a0);
}

TEST(stores_take_the_low_bits_of_their_register)
{
	begin();
	__asm__ volatile("strb %w0, [%1]" ::"r"(0x123456789abcde30ull), "r"(priorities) : "memory");
	CHECK_EQ(guest_read32(priorities), 0xa0a0a030);
	__asm__ volatile("str %w0, [%1]" ::"r"(0x12345678d0c0b0a0ull), "r"(priorities) : "memory");
	CHECK_EQ(guest_read32(priorities), 0xd0c0b0a0);
	__asm__ volatile("strh %w0, [%1]" ::"r"(0x1234567812344321ull), "r"(uart + UART_IBRD)
			 : "memory");
	CHECK_EQ(guest_read32(uart + UART_IBRD), 0x4321);
}

/* Register number 31 is the zero register, not the stack pointer. */
TEST(the_zero_register_loads_nothing_and_stores_zero)
{
	uint64_t before;
	uint64_t after;

	begin();
	__asm__ volatile("mov %0, sp\n\tldr wzr, [%2]\n\tldrb wzr, [%2]\n\tldrsw xzr, [%2]\n\t"
			 "mov %1, sp"
			 : "=&r"(before), "=&r"(after)
			 : "r"(priorities)
			 : "memory");
	CHECK_EQ(before, after);
	__asm__ volatile("str wzr, [%0]" ::"r"(priorities) : "memory");
	CHECK_EQ(guest_read32(priorities), 0);
	__asm__ volatile("str xzr, [%0]" ::"r"(guest_gic.distributor + GICD_IROUTER + 8 * 96)
			 : "memory");
}

#define LOAD_INTO(number)                                                      \
	do {                                                                   \
		uint64_t into_value;                                           \
		__asm__ volatile("ldr w" #number ", [%1]\n\tmov %0, x" #number \
				 : "=r"(into_value)                            \
				 : "r"(priorities)                             \
				 : "x" #number, "memory");                     \
		CHECK_EQ(into_value, 0xf0e0d0c0);                              \
	} while (0)

TEST(every_register_can_be_the_target)
{
	begin();
	guest_write32(priorities, 0xf0e0d0c0);
	LOAD_INTO(0);
	LOAD_INTO(1);
	LOAD_INTO(2);
	LOAD_INTO(3);
	LOAD_INTO(4);
	LOAD_INTO(5);
	LOAD_INTO(6);
	LOAD_INTO(7);
	LOAD_INTO(8);
	LOAD_INTO(9);
	LOAD_INTO(10);
	LOAD_INTO(11);
	LOAD_INTO(12);
	LOAD_INTO(13);
	LOAD_INTO(14);
	LOAD_INTO(15);
	LOAD_INTO(16);
	LOAD_INTO(17);
	LOAD_INTO(20);
	LOAD_INTO(21);
	LOAD_INTO(22);
	LOAD_INTO(23);
	LOAD_INTO(24);
	LOAD_INTO(25);
	LOAD_INTO(26);
	LOAD_INTO(27);
	LOAD_INTO(28);
	LOAD_INTO(30);
}

/* x19 to x29 stay in the CPU across an exit, the others are stored: none may change. */
TEST(an_exit_changes_no_other_register)
{
	uint64_t differing = 0;

	begin();
	__asm__ volatile(
		".irp n,0,1,2,3,4,5,6,7,8,10,11,12,13,14,15,16,17,20,21,22,23,24,25,26,27,28,30\n\t"
		"mov x\\n, #(0x1234 + \\n)\n\t"
		".endr\n\t"
		"ldr w9, [%1]\n\tstr w9, [%1]\n\thvc #0\n\t"
		/* The call changed x0 to x3 at most; it is of no use to look at them. */
		".irp n,4,5,6,7,8,10,11,12,13,14,15,16,17,20,21,22,23,24,25,26,27,28,30\n\t"
		"mov x0, #(0x1234 + \\n)\n\t"
		"eor x0, x0, x\\n\n\t"
		"orr %0, %0, x0\n\t"
		".endr"
		: "+r"(differing)
		: "r"(priorities)
		: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		  "x13", "x14", "x15", "x16", "x17", "x20", "x21", "x22", "x23", "x24", "x25",
		  "x26", "x27", "x28", "x30", "memory");
	CHECK_EQ(differing, 0);
}

TEST(an_exit_keeps_the_condition_flags)
{
	uint64_t flags;

	begin();
	for (uint64_t nzcv = 0; nzcv < 16; nzcv++) {
		__asm__ volatile("msr nzcv, %1\n\tldr wzr, [%2]\n\tmrs %0, nzcv"
				 : "=r"(flags)
				 : "r"(nzcv << 28), "r"(priorities)
				 : "cc", "memory");
		CHECK_EQ(flags, nzcv << 28);
	}
}

/* Done, or refused by one external abort. */
static void check_done_or_aborted(struct guest_fault fault, bool done)
{
	if (fault.count == 0) {
		CHECK(done);
		return;
	}
	CHECK(guest_cmdline_has("axvm"));
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), EC_DATA_ABORT);
	CHECK_EQ(fault.cause & 0x3f, FSC_SYNC_EXTERNAL);
}

/* A pair of words may reach the device as one doubleword: IROUTER takes both. */
static uint64_t router96(void)
{
	return guest_gic.distributor + GICD_IROUTER + 8 * 96;
}

TEST(a_pair_load_works_or_aborts)
{
	uint32_t low = 0;
	uint32_t high = 0;

	begin();
	guest_write64(router96(), 0x0000000500020100);
	struct guest_fault fault = PROBE(__asm__ volatile("ldp %w0, %w1, [%2]"
							  : "=&r"(low), "=&r"(high)
							  : "r"(router96())
							  : "memory"));
	check_done_or_aborted(fault, low == 0x00020100 && high == 5);
	if (fault.count > 0)
		CHECK_EQ(fault.address & ~7ull, router96());
}

TEST(a_pair_store_works_or_aborts)
{
	begin();
	guest_write64(router96(), 0);
	struct guest_fault fault = PROBE(
		__asm__ volatile("stp %w0, %w1, [%2]" ::"r"(0x00030200), "r"(6), "r"(router96())
				 : "memory"));
	check_done_or_aborted(fault, guest_read64(router96()) == 0x0000000600030200);
	guest_write64(router96(), 0);
}

TEST(a_post_indexed_byte_store_works_or_aborts)
{
	uint64_t address;

	begin();
	address = priorities;
	struct guest_fault fault = PROBE(__asm__ volatile("strb %w1, [%0], #1"
							  : "+r"(address)
							  : "r"(0x50)
							  : "memory"));
	check_done_or_aborted(fault,
			      guest_read32(priorities) == 0xa0a0a050 && address == priorities + 1);
	if (fault.count > 0)
		CHECK_EQ(address, priorities);
}

TEST(a_pre_indexed_load_works_or_aborts)
{
	uint64_t address;
	uint64_t value = 0;

	begin();
	guest_write32(priorities, 0xf0e0d0c0);
	address = priorities - 4;
	struct guest_fault fault = PROBE(__asm__ volatile("ldr %w1, [%0, #4]!"
							  : "+r"(address), "=&r"(value)
							  :
							  : "memory"));
	check_done_or_aborted(fault, value == 0xf0e0d0c0 && address == priorities);
}

TEST(an_exclusive_load_works_or_aborts)
{
	uint64_t value = 0;

	begin();
	guest_write32(priorities, 0xf0e0d0c0);
	struct guest_fault fault = PROBE(__asm__ volatile("ldxr %w0, [%1]\n\tclrex"
							  : "=&r"(value)
							  : "r"(priorities)
							  : "memory"));
	check_done_or_aborted(fault, value == 0xf0e0d0c0);
}

/* The architecture's answer; QEMU with one CPU does not check, and then the access is done. */
TEST(an_unaligned_access_to_device_memory_faults_on_alignment_or_is_done)
{
	begin();
	struct guest_fault fault = PROBE((void)guest_read32(priorities + 1));

	if (fault.count == 0)
		return;
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), EC_DATA_ABORT);
	CHECK((fault.cause & 0x3f) == FSC_ALIGNMENT ||
	      (guest_cmdline_has("axvm") && (fault.cause & 0x3f) == FSC_SYNC_EXTERNAL));
	CHECK_EQ(fault.address, priorities + 1);
}

/* 0x0c00_0000 is left free by the machine's memory map. */
TEST(an_access_to_nothing_is_an_external_abort)
{
	struct guest_fault fault = PROBE((void)guest_read32(0x0c000008));

	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), EC_DATA_ABORT);
	CHECK_EQ(fault.cause & 0x3f, FSC_SYNC_EXTERNAL);
	CHECK_EQ(fault.address, 0x0c000008);
	CHECK_EQ(fault.cause >> 6 & 1, 0);
	fault = PROBE(guest_write8(0x0c00000b, 1));
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), EC_DATA_ABORT);
	CHECK_EQ(fault.cause & 0x3f, FSC_SYNC_EXTERNAL);
	CHECK_EQ(fault.address, 0x0c00000b);
	CHECK_EQ(fault.cause >> 6 & 1, 1); /* WnR */
}

AXTEST_MAIN(identification_registers_read_as_the_manual_says, unsigned_loads_clear_the_upper_bits,
	    signed_byte_loads_extend_to_the_registers_width,
	    signed_halfword_loads_extend_to_the_registers_width,
	    signed_word_loads_extend_to_64_bits, doublewords_are_read_and_written_whole,
	    byte_stores_change_one_byte, stores_take_the_low_bits_of_their_register,
	    the_zero_register_loads_nothing_and_stores_zero, every_register_can_be_the_target,
	    an_exit_changes_no_other_register, an_exit_keeps_the_condition_flags,
	    a_pair_load_works_or_aborts, a_pair_store_works_or_aborts,
	    a_post_indexed_byte_store_works_or_aborts, a_pre_indexed_load_works_or_aborts,
	    an_exclusive_load_works_or_aborts,
	    an_unaligned_access_to_device_memory_faults_on_alignment_or_is_done,
	    an_access_to_nothing_is_an_external_abort)
