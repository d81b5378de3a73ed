/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions on emulated memory against the same ones executed by the CPU that runs the test. The guest's
 * linear addresses are those of the test's own memory, so all registers must come out the same.
 */
#define _GNU_SOURCE

#include <sys/mman.h>

#include "x86_64_guest_rig.h"

#define AREA 8192u
#define RAM_AREA_GPA 0x110000ULL
#define CODE_GPA 0x120000ULL
#define CODE 0x7000000000ULL /* linear, of the guest only */
#define FLAGS 0x8d5u
#define DF 0x400u
#define ROUNDS 40000u
#define STEPS_MAX 1000u

/* r15 holds its address while an instruction runs; rsp stays the test's. */
struct native {
	uint64_t gpr[16];
	uint64_t rflags;
	uint64_t code;
};

static uint8_t *device_area; /* of the host: what an instruction finds natively */
static uint8_t *ram_area;
static uint8_t *code_area;

#define LOAD_REGISTERS              \
	"mov 0(%%r15), %%rax\n\t"   \
	"mov 8(%%r15), %%rcx\n\t"   \
	"mov 16(%%r15), %%rdx\n\t"  \
	"mov 24(%%r15), %%rbx\n\t"  \
	"mov 40(%%r15), %%rbp\n\t"  \
	"mov 48(%%r15), %%rsi\n\t"  \
	"mov 56(%%r15), %%rdi\n\t"  \
	"mov 64(%%r15), %%r8\n\t"   \
	"mov 72(%%r15), %%r9\n\t"   \
	"mov 80(%%r15), %%r10\n\t"  \
	"mov 88(%%r15), %%r11\n\t"  \
	"mov 96(%%r15), %%r12\n\t"  \
	"mov 104(%%r15), %%r13\n\t" \
	"mov 112(%%r15), %%r14\n\t"
#define STORE_REGISTERS             \
	"mov %%rax, 0(%%r15)\n\t"   \
	"mov %%rcx, 8(%%r15)\n\t"   \
	"mov %%rdx, 16(%%r15)\n\t"  \
	"mov %%rbx, 24(%%r15)\n\t"  \
	"mov %%rbp, 40(%%r15)\n\t"  \
	"mov %%rsi, 48(%%r15)\n\t"  \
	"mov %%rdi, 56(%%r15)\n\t"  \
	"mov %%r8, 64(%%r15)\n\t"   \
	"mov %%r9, 72(%%r15)\n\t"   \
	"mov %%r10, 80(%%r15)\n\t"  \
	"mov %%r11, 88(%%r15)\n\t"  \
	"mov %%r12, 96(%%r15)\n\t"  \
	"mov %%r13, 104(%%r15)\n\t" \
	"mov %%r14, 112(%%r15)\n\t"

static void run_natively(struct native *native)
{
	/* What is pushed lies below the red zone. */
	__asm__ volatile("mov %0, %%rax\n\t"
			 "sub $128, %%rsp\n\t"
			 "push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\tpush %%r13\n\t"
			 "push %%r14\n\tpush %%r15\n\t"
			 "mov %%rax, %%r15\n\t"
			 "push 128(%%r15)\n\tpopfq\n\t"
			 /* what it is about */
			 LOAD_REGISTERS "call *136(%%r15)\n\t" STORE_REGISTERS
			 "pushfq\n\tpop 128(%%r15)\n\tcld\n\t"
			 "pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\t"
			 "pop %%rbp\n\tpop %%rbx\n\t"
			 "add $128, %%rsp"
			 :
			 : "r"(native)
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
			   "memory");
}

static uint64_t state = 0x2545f4914f6cdd1d;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 3;
}

static void *new_area(int rights)
{
	/* Low, so that addresses of 32 bits reach it. */
	return mmap(NULL, AREA, PROT_READ | PROT_WRITE | rights,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

static bool start(void)
{
	rig_start();
	device_area = new_area(0);
	ram_area = new_area(0);
	code_area = new_area(PROT_EXEC);
	if (device_area == MAP_FAILED || ram_area == MAP_FAILED || code_area == MAP_FAILED)
		return false;
	for (uint64_t at = 0; at < AREA; at += 4096) {
		rig_map((uintptr_t)device_area + at, DEVICE_GPA + at, PTE_RW);
		rig_map((uintptr_t)ram_area + at, RAM_AREA_GPA + at, PTE_RW);
		rig_map(CODE + at, CODE_GPA + at, PTE_RW);
	}
	return true;
}

static void end(void)
{
	(void)munmap(device_area, AREA);
	(void)munmap(ram_area, AREA);
	(void)munmap(code_area, AREA);
	rig_end();
}

/* ---- one instruction, here and there ------------------------------------------------------------------- */

static void fill_areas(void)
{
	for (unsigned i = 0; i < AREA; i += 8) {
		uint64_t value = random_number() * 0x9e3779b97f4a7c15;

		memcpy(&device_area[i], &value, 8);
		memcpy(&ram_area[AREA - 8 - i], &value, 8);
	}
}

static void copy_areas(void)
{
	memcpy(rig_mmio.memory, device_area, AREA);
	ram_write(RAM_AREA_GPA, ram_area, AREA);
}

static void set_code(const uint8_t *code, unsigned bytes)
{
	memcpy(code_area, code, bytes);
	code_area[bytes] = 0xc3;
	ram_write(CODE_GPA, code, bytes);
}

/* The address that the hardware would report for an element there; false: it is the RAM's. */
static bool gpa_of(uint64_t linear, uint64_t *gpa)
{
	*gpa = DEVICE_GPA + (linear - (uintptr_t)device_area);
	return linear - (uintptr_t)device_area < AREA;
}

/* Goes on until the instruction is over, as the guest would. */
static void run_emulated(const struct axvm_x86_instruction *instruction, uint64_t linear,
			 bool is_write)
{
	struct axvm_arch_vcpu *arch = &rig_vcpu.arch;

	for (unsigned i = 0; i < STEPS_MAX && arch->rip == CODE; i++) {
		uint64_t gpa;

		if (instruction->op == AXVM_X86_OP_STOS || instruction->op == AXVM_X86_OP_MOVS)
			linear = arch->gpr[AXVM_X86_RDI];
		if (!gpa_of(linear, &gpa)) {
			CHECK(gpa_of(arch->gpr[AXVM_X86_RSI], &gpa));
			is_write = false;
		}
		arch->exit = (struct axvm_x86_exit){ .kind = AXVM_X86_EXIT_NESTED_FAULT,
						     .gpa = gpa,
						     .is_write = is_write };
		CHECK(axvm_x86_64_mmio(&rig_vcpu) != AXVM_LEAVE);
		CHECK_EQ(rig_injected.count, 0);
	}
	CHECK_EQ(arch->rip, CODE + instruction->bytes);
}

static void compare_all(const struct native *native)
{
	uint8_t ram[AREA];

	for (unsigned reg = 0; reg < 15; reg++) {
		if (reg != AXVM_X86_RSP)
			CHECK_EQ(rig_vcpu.arch.gpr[reg], native->gpr[reg]);
	}
	CHECK_EQ(rig_vcpu.arch.rflags & FLAGS, native->rflags & FLAGS);
	CHECK(memcmp(rig_mmio.memory, device_area, AREA) == 0);
	ram_read(RAM_AREA_GPA, ram, AREA);
	CHECK(memcmp(ram, ram_area, AREA) == 0);
}

static void both(const uint8_t *code, const struct axvm_x86_instruction *instruction,
		 struct native *native, uint64_t linear, bool is_write)
{
	struct axvm_arch_vcpu *arch = &rig_vcpu.arch;

	set_code(code, instruction->bytes);
	copy_areas();
	memcpy(arch->gpr, native->gpr, sizeof(arch->gpr));
	arch->rflags = native->rflags;
	arch->rip = CODE;
	native->code = (uintptr_t)code_area;
	run_natively(native);
	run_emulated(instruction, linear, is_write);
	compare_all(native);
}

/* ---- instructions made by chance ------------------------------------------------------------------------ */

static const uint8_t opcodes[] = {
	0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29,
	0x2a, 0x2b, 0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x63, 0x80, 0x81, 0x83,
	0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7, 0xf6, 0xf7,
};
static const uint8_t opcodes_0f[] = { 0xa3, 0xb6, 0xb7, 0xba, 0xbe, 0xbf };

/* Prefixes, an opcode and anything; how the instruction ends the decoder says. */
static void make_code(uint8_t code[15])
{
	unsigned at = 0;

	if (random_number() % 4 == 0)
		code[at++] = 0x66;
	if (random_number() % 8 == 0)
		code[at++] = 0x67;
	if (random_number() % 8 == 0)
		code[at++] = 0xf0;
	if (random_number() % 2 == 0)
		code[at++] = (uint8_t)(0x40 + random_number() % 16);
	if (random_number() % 4 == 0) {
		code[at++] = 0x0f;
		code[at++] = opcodes_0f[random_number() % sizeof(opcodes_0f)];
	} else {
		code[at++] = opcodes[random_number() % sizeof(opcodes)];
	}
	while (at < 15)
		code[at++] = (uint8_t)(random_number() >> 7);
}

static bool is_free(unsigned reg)
{
	return reg != AXVM_X86_RSP && reg != 15;
}

/* rsp and r15 are the test's; without a base the address can not be chosen. */
static bool is_usable(const struct axvm_x86_instruction *instruction)
{
	const struct axvm_x86_memory *memory = &instruction->memory;
	bool is_bit = instruction->op == AXVM_X86_OP_BT &&
		      instruction->other == AXVM_X86_OPERAND_REGISTER;

	return memory->base < 15 && is_free(memory->base) && is_free(memory->index) &&
	       memory->index != memory->base && is_free(instruction->reg) &&
	       !(is_bit && instruction->reg == memory->base);
}

static void fill_registers(struct native *native)
{
	for (unsigned reg = 0; reg < 16; reg++)
		native->gpr[reg] = random_number() * 0x9e3779b97f4a7c15;
	native->rflags = 0x202 | (random_number() & FLAGS);
}

/* Where BT looks is beside what ModRM says, as far as its register's number goes: a small one here. */
static uint64_t bit_distance(const struct axvm_x86_instruction *instruction, struct native *native)
{
	unsigned bits = 8u * instruction->operand_bytes;
	uint64_t *reg = &native->gpr[instruction->reg & 15];
	int64_t number = (int64_t)(random_number() % 4096) - 2048;

	if (instruction->op != AXVM_X86_OP_BT || instruction->other != AXVM_X86_OPERAND_REGISTER)
		return 0;
	*reg = (uint64_t)number;
	return (uint64_t)((number & -(int64_t)bits) / 8);
}

static bool writes(const struct axvm_x86_instruction *instruction)
{
	enum axvm_x86_op op = instruction->op;

	return (instruction->memory_is_destination && op != AXVM_X86_OP_CMP &&
		op != AXVM_X86_OP_TEST && op != AXVM_X86_OP_BT) ||
	       op == AXVM_X86_OP_XCHG;
}

/* One that can be tried; false: not. */
static bool try_one(const uint8_t code[15])
{
	struct axvm_x86_instruction instruction;
	struct native native;
	struct axvm_arch_vcpu arch = { .rip = CODE };

	if (!axvm_x86_decode(code, 15, 8, &instruction) || !is_usable(&instruction))
		return false;
	fill_registers(&native);
	uint64_t distance = bit_distance(&instruction, &native);
	/* Somewhere in the device, across its pages too. */
	uint64_t target = (uintptr_t)device_area + 512 + random_number() % (AREA - 1024);

	if (random_number() % 16 == 0)
		target = (uintptr_t)device_area + 4096 - random_number() % 8;
	memcpy(arch.gpr, native.gpr, sizeof(arch.gpr));
	native.gpr[instruction.memory.base] +=
		target - distance - axvm_x86_64_offset(&arch, &instruction.memory, CODE);
	memcpy(arch.gpr, native.gpr, sizeof(arch.gpr));
	/* A displaced base of 32 bits has lost what it needs. */
	if (axvm_x86_64_offset(&arch, &instruction.memory, CODE) != target - distance)
		return false;
	/* An emulator of the CPU reads before it writes. */
	bool as_write = writes(&instruction) &&
			(instruction.op == AXVM_X86_OP_MOV || random_number() % 2 == 0);

	both(code, &instruction, &native, target, as_write);
	return true;
}

TEST(instructions_do_to_a_device_what_they_do_to_memory)
{
	unsigned tried = 0;

	REQUIRE(start());
	fill_areas();
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t code[15];

		make_code(code);
		tried += try_one(code);
	}
	CHECK(tried > ROUNDS / 8);
	CHECK(rig_mmio.reads > tried / 2);
	CHECK(rig_mmio.writes > tried / 8);
	end();
}

static uint64_t somewhere(const uint8_t *area)
{
	/* Near the boundary of the two pages, room for 128 elements on either side. */
	return (uintptr_t)area + 4096 - 512 + random_number() % 1024;
}

TEST(strings_do_to_a_device_what_they_do_to_memory)
{
	static const uint8_t string_opcodes[] = { 0xa4, 0xa5, 0xaa, 0xab };

	REQUIRE(start());
	for (unsigned i = 0; i < 2000; i++) {
		struct axvm_x86_instruction instruction;
		uint8_t code[15] = { 0 };
		struct native native;
		unsigned at = 0;
		/* What of source and destination is the device: at least one. */
		uint64_t where = random_number() % 3;

		fill_areas();
		if (random_number() % 2 == 0)
			code[at++] = 0xf3;
		if (random_number() % 3 == 0)
			code[at++] = 0x66;
		if (random_number() % 4 == 0)
			code[at++] = 0x67;
		if (random_number() % 3 == 0)
			code[at++] = 0x48;
		code[at] = string_opcodes[random_number() % 4];
		REQUIRE(axvm_x86_decode(code, 15, 8, &instruction));
		fill_registers(&native);
		native.rflags |= random_number() & DF;
		native.gpr[AXVM_X86_RCX] = 1 + random_number() % 200;
		bool ram_source = where == 0;
		bool ram_destination = where == 1 && instruction.op == AXVM_X86_OP_MOVS;

		native.gpr[AXVM_X86_RSI] = somewhere(ram_source ? ram_area : device_area);
		native.gpr[AXVM_X86_RDI] = somewhere(ram_destination ? ram_area : device_area);
		both(code, &instruction, &native, native.gpr[AXVM_X86_RDI], true);
	}
	end();
}

AXTEST_MAIN(instructions_do_to_a_device_what_they_do_to_memory,
	    strings_do_to_a_device_what_they_do_to_memory)
