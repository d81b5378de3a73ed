/* SPDX-License-Identifier: Apache-2.0 */
/* IN, OUT, INS and OUTS: to a device, to nobody, with memory that is there and that is not. */
#include "x86_64_guest_rig.h"

#define CODE 0x7000000000ULL
#define CODE_GPA (RAM_GPA + 0x10000)
#define BUFFER 0x5000000000ULL
#define BUFFER_GPA (RAM_GPA + 0x20000)
#define OLD 0x1122334455667788ULL
#define HOSTILE_EXITS 100000u

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
	rig_map(CODE, CODE_GPA, PTE_RW);
	rig_map(BUFFER, BUFFER_GPA, PTE_RW);
	for (unsigned i = 0; i < PORT_BYTES; i++)
		rig_ports.memory[i] = (uint8_t)(0xa0 + i);
	arch()->rip = CODE;
}

static void access(uint16_t port, uint8_t bytes, bool write)
{
	arch()->rip = CODE;
	arch()->exit = (struct axvm_x86_exit){ .kind = AXVM_X86_EXIT_IO,
					       .port = port,
					       .bytes = bytes,
					       .is_write = write,
					       .instruction_bytes = 2 };
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(arch()->rip, CODE + 2);
}

static void string(bool write, uint8_t bytes, bool repeated)
{
	arch()->rip = CODE;
	arch()->exit = (struct axvm_x86_exit){ .kind = AXVM_X86_EXIT_IO,
					       .port = PORT,
					       .bytes = bytes,
					       .is_write = write,
					       .is_string = true,
					       .is_repeated = repeated,
					       .address_bytes = 8,
					       .segment = write ? AXVM_X86_DS : AXVM_X86_ES,
					       .instruction_bytes = 2 };
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
}

static uint64_t unclaimed(void)
{
	return atomic_load(&rig_vm.unclaimed_accesses);
}

TEST(in_fills_as_much_of_rax_as_its_width_says)
{
	start();
	*gpr(AXVM_X86_RAX) = OLD;
	access(PORT + 1, 1, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0x11223344556677a1);
	access(PORT + 2, 2, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0x112233445566a3a2);
	access(PORT + 4, 4, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0xa7a6a5a4);
	CHECK_EQ(rig_ports.reads, 3);
	CHECK_EQ(unclaimed(), 0);
	rig_end();
}

TEST(out_gives_as_much_of_rax_as_its_width_says)
{
	start();
	*gpr(AXVM_X86_RAX) = OLD;
	access(PORT, 1, true);
	access(PORT + 2, 2, true);
	access(PORT + 4, 4, true);
	CHECK(memcmp(rig_ports.memory, "\x88\xa1\x88\x77\x88\x77\x66\x55", 8) == 0);
	CHECK_EQ(rig_ports.writes, 3);
	CHECK_EQ(*gpr(AXVM_X86_RAX), OLD);
	rig_end();
}

TEST(a_port_that_nobody_has_reads_as_ones)
{
	static const uint64_t values[] = { 0x11223344556677ff, 0x112233445566ffff, 0xffffffff };

	start();
	for (unsigned i = 0; i < 3; i++) {
		*gpr(AXVM_X86_RAX) = OLD;
		access(0x80, (uint8_t)(1u << i), false);
		CHECK_EQ(*gpr(AXVM_X86_RAX), values[i]);
		access(0x80, (uint8_t)(1u << i), true);
	}
	CHECK_EQ(unclaimed(), 6);
	CHECK_EQ(rig_ports.reads + rig_ports.writes, 0);
	CHECK_EQ(rig_injected.count, 0);
	rig_end();
}

TEST(an_access_across_the_end_of_a_device_is_split)
{
	start();
	access(PORT + 6, 4, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0xffffa7a6);
	access(PORT - 1, 2, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0xffffa0ff);
	*gpr(AXVM_X86_RAX) = 0x44332211;
	access(PORT + 7, 4, true);
	CHECK_EQ(rig_ports.memory[7], 0x11);
	CHECK_EQ(rig_ports.writes, 1);
	CHECK_EQ(unclaimed(), 3);
	rig_end();
}

TEST(there_is_nothing_beyond_the_last_port)
{
	struct axvm_bus *ports = &rig_vm.arch.ports;

	start();
	CHECK_EQ(axvm_bus_attach(ports, &rig_port_device, 0xfffe, 2, 0), 0);
	CHECK_EQ(axvm_bus_attach(ports, &rig_port_device, 0x10000, 8, 8), 0);
	CHECK_EQ(axvm_bus_attach(ports, &rig_port_device, 0, 8, 16), 0);
	access(0xffff, 4, false);
	CHECK_EQ(*gpr(AXVM_X86_RAX), 0xffffffa1);
	access(0xffff, 4, true);
	CHECK_EQ(rig_ports.reads, 1);
	CHECK_EQ(rig_ports.writes, 1);
	rig_end();
}

TEST(strings_go_between_port_and_memory)
{
	uint8_t found[6];

	start();
	ram_write(BUFFER_GPA + 8, "\x01\x02\x03\x04", 4);
	*gpr(AXVM_X86_RSI) = BUFFER + 8;
	string(true, 2, false);
	CHECK(memcmp(rig_ports.memory, "\x01\x02", 2) == 0);
	CHECK_EQ(*gpr(AXVM_X86_RSI), BUFFER + 10);
	CHECK_EQ(arch()->rip, CODE + 2);
	*gpr(AXVM_X86_RDI) = BUFFER + 0x104;
	*gpr(AXVM_X86_RCX) = 3;
	arch()->rflags |= AXVM_X86_RFLAGS_DF;
	string(false, 2, true);
	ram_read(BUFFER_GPA + 0x100, found, 6);
	CHECK(memcmp(found, "\x01\x02\x01\x02\x01\x02", 6) == 0);
	CHECK_EQ(*gpr(AXVM_X86_RDI), BUFFER + 0xfe);
	CHECK_EQ(*gpr(AXVM_X86_RCX), 0);
	CHECK_EQ(arch()->rip, CODE + 2);
	rig_end();
}

TEST(a_repeated_string_goes_on_exit_by_exit)
{
	unsigned exits = 1;

	start();
	*gpr(AXVM_X86_RDI) = BUFFER;
	*gpr(AXVM_X86_RCX) = 300;
	string(false, 1, true);
	CHECK_EQ(rig_ports.reads, AXVM_X86_64_ELEMENTS_MAX);
	CHECK_EQ(*gpr(AXVM_X86_RCX), 300 - AXVM_X86_64_ELEMENTS_MAX);
	CHECK_EQ(arch()->rip, CODE);
	for (; exits < 100 && arch()->rip == CODE; exits++)
		string(false, 1, true);
	CHECK_EQ(rig_ports.reads, 300);
	CHECK_EQ(exits, (300 + AXVM_X86_64_ELEMENTS_MAX - 1) / AXVM_X86_64_ELEMENTS_MAX);
	/* With nothing to do nothing is done. */
	string(false, 1, true);
	CHECK_EQ(rig_ports.reads, 300);
	CHECK_EQ(arch()->rip, CODE + 2);
	rig_end();
}

TEST(a_fault_comes_before_the_port_is_read)
{
	start();
	*gpr(AXVM_X86_RDI) = BUFFER + 0x1000;
	string(false, 4, false);
	CHECK_EQ(rig_injected.vector, AXVM_X86_PF);
	CHECK_EQ(rig_injected.error_code, 2);
	CHECK_EQ(rig_injected.linear, BUFFER + 0x1000);
	*gpr(AXVM_X86_RDI) = BUFFER + 0xffe; /* in its second page */
	string(false, 4, false);
	CHECK_EQ(rig_injected.linear, BUFFER + 0x1000);
	*gpr(AXVM_X86_RDI) = 0x0000800000000000;
	string(false, 4, false);
	CHECK_EQ(rig_injected.vector, AXVM_X86_GP);
	CHECK_EQ(rig_injected.count, 3);
	CHECK_EQ(rig_ports.reads, 0);
	CHECK_EQ(arch()->rip, CODE);
	rig_end();
}

TEST(the_memory_of_a_string_may_be_a_device_or_nobody)
{
	start();
	rig_map(BUFFER, DEVICE_GPA, PTE_RW);
	rig_map(BUFFER + 0x1000, NOWHERE_GPA, PTE_RW);
	*gpr(AXVM_X86_RDI) = BUFFER + 0x20;
	string(false, 4, false);
	CHECK(memcmp(&rig_mmio.memory[0x20], "\xa0\xa1\xa2\xa3", 4) == 0);
	*gpr(AXVM_X86_RSI) = BUFFER + 0x1000;
	string(true, 4, false);
	CHECK(memcmp(rig_ports.memory, "\xff\xff\xff\xff", 4) == 0);
	CHECK_EQ(unclaimed(), 1);
	rig_end();
}

TEST(the_segment_of_outs_is_decoded_where_it_is_not_known)
{
	start();
	ram_write(CODE_GPA, "\x65\x6e", 2);
	ram_write(BUFFER_GPA + 0x44, "\x77", 1);
	arch()->sys.segment[AXVM_X86_GS].base = BUFFER;
	arch()->exit = (struct axvm_x86_exit){ .kind = AXVM_X86_EXIT_IO,
					       .port = PORT,
					       .bytes = 1,
					       .is_write = true,
					       .is_string = true,
					       .address_bytes = 8,
					       .segment = 0xff,
					       .instruction_bytes = 2 };
	*gpr(AXVM_X86_RSI) = 0x44;
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_ports.memory[0], 0x77);
	CHECK_EQ(arch()->rip, CODE + 2);
	/* The code is another by now. */
	arch()->rip = CODE;
	ram_write(CODE_GPA, "\x0f\x0b", 2);
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_injected.vector, AXVM_X86_UD);
	arch()->rip = CODE + 0x1000;
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_injected.vector, AXVM_X86_PF);
	CHECK_EQ(rig_injected.count, 2);
	CHECK_EQ(rig_ports.writes, 1);
	rig_end();
}

/* By type and limit of the segment [SDM3 5.3, 5.5]. */
TEST(outside_of_64_bit_mode_segments_limit_strings)
{
	static const struct {
		uint16_t attributes;
		uint32_t limit;
		uint64_t offset;
		bool write;
		bool allowed;
	} rows[] = {
		{ 0xc93, 0xffff, 0xfffc, true, true },
		{ 0xc93, 0xffff, 0xfffd, true, false },
		{ 0xc93, 0xffff, 0x10000, true, false },
		{ 0xc91, 0xffff, 0, true, false },
		{ 0xc91, 0xffff, 0, false, true },
		{ 0xc13, 0xffff, 0, false, false },
		{ 0xc9b, 0xffff, 0, false, true },
		{ 0xc9b, 0xffff, 0, true, false },
		{ 0xc99, 0xffff, 0, false, false },
		{ 0xc97, 0xffff, 0xffff, true, false },
		{ 0xc97, 0xffff, 0x10000, true, true },
		{ 0x897, 0x0fff, 0xfffd, true, false },
		{ 0x897, 0x0fff, 0xfffc, true, true },
		{ 0xc97, 0xffff, 0xfffffffc, true, true },
		{ 0xc97, 0xffff, 0xfffffffd, true, false },
	};

	start();
	rig_flat_mode(true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct axvm_x86_segment *segment = &arch()->sys.segment[AXVM_X86_ES];

		segment->attributes = rows[i].attributes;
		segment->limit = rows[i].limit;
		CHECK_EQ(axvm_x86_64_segment_allows(arch(), AXVM_X86_ES, rows[i].offset, 4,
						    rows[i].write),
			 rows[i].allowed);
	}
	*gpr(AXVM_X86_RSI) = 0x10000;
	arch()->sys.segment[AXVM_X86_SS].limit = 0xffff;
	string(true, 4, false);
	CHECK_EQ(rig_injected.count, 0);
	arch()->exit.segment = AXVM_X86_SS;
	arch()->rip = CODE;
	*gpr(AXVM_X86_RSI) = 0x10000;
	CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
	CHECK_EQ(rig_injected.vector, 12);
	CHECK_EQ(arch()->rip, CODE);
	rig_end();
}

/* Types are not looked at there, limits are. */
TEST(in_real_mode_any_segment_is_written)
{
	start();
	rig_flat_mode(false);
	arch()->sys.cr0 = 0;
	CHECK(axvm_x86_64_segment_allows(arch(), AXVM_X86_CS, 0xfffc, 4, true));
	CHECK(!axvm_x86_64_segment_allows(arch(), AXVM_X86_CS, 0xfffd, 4, true));
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

static void make_wild(void)
{
	for (unsigned reg = 0; reg < 16; reg++)
		*gpr(reg) = random_number() % 4 == 0 ? random_number() << 3
						     : BUFFER + random_number() % 4200;
	arch()->rip = CODE;
	arch()->rflags = random_number() & 0x240cd5;
	arch()->exit = (struct axvm_x86_exit){
		.kind = AXVM_X86_EXIT_IO,
		.port = (uint16_t)(random_number() % 2 == 0 ? random_number()
							    : PORT - 4 + random_number() % 16),
		.bytes = (uint8_t)(1u << random_number() % 3),
		.is_write = random_number() % 2 == 0,
		.is_string = random_number() % 2 == 0,
		.is_repeated = random_number() % 2 == 0,
		.address_bytes = (uint8_t)(2u << random_number() % 3),
		.segment = (uint8_t)(random_number() % 8),
		.instruction_bytes = (uint8_t)(random_number() % 16),
	};
	for (unsigned i = 0; i < AXVM_X86_SEGMENTS; i++)
		arch()->sys.segment[i].base = random_number() % 4 == 0 ? random_number() << 3 : 0;
}

TEST(whatever_a_guest_does_an_exit_is_bounded)
{
	unsigned worked = 0;

	start();
	ram_write(CODE_GPA, "\x65\x6f", 2);
	for (unsigned i = 0; i < HOSTILE_EXITS; i++) {
		unsigned before = rig_injected.count;

		make_wild();
		rig_ports.reads = 0;
		rig_ports.writes = 0;
		CHECK_EQ(axvm_x86_64_port(&rig_vcpu), AXVM_ENTER);
		CHECK(rig_injected.count - before <= 1);
		CHECK(rig_ports.reads + rig_ports.writes <= 4 * AXVM_X86_64_ELEMENTS_MAX);
		worked += rig_ports.reads + rig_ports.writes > 0;
	}
	CHECK(worked > HOSTILE_EXITS / 100);
	rig_end();
}

AXTEST_MAIN(in_fills_as_much_of_rax_as_its_width_says, out_gives_as_much_of_rax_as_its_width_says,
	    a_port_that_nobody_has_reads_as_ones, an_access_across_the_end_of_a_device_is_split,
	    there_is_nothing_beyond_the_last_port, strings_go_between_port_and_memory,
	    a_repeated_string_goes_on_exit_by_exit, a_fault_comes_before_the_port_is_read,
	    the_memory_of_a_string_may_be_a_device_or_nobody,
	    the_segment_of_outs_is_decoded_where_it_is_not_known,
	    outside_of_64_bit_mode_segments_limit_strings, in_real_mode_any_segment_is_written,
	    whatever_a_guest_does_an_exit_is_bounded)
