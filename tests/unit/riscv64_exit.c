/* SPDX-License-Identifier: Apache-2.0 */
/* Exits: emulated accesses of every width, and the exceptions that a guest is made to take. */
#include "decode.h"
#include "riscv64_rig.h"

#define FETCH_GUEST AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE
#define LOAD_GUEST AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE
#define STORE_GUEST AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE
#define SPP AXVM_RISCV64_STATUS_SPP
#define SPIE AXVM_RISCV64_STATUS_SPIE
#define SIE AXVM_RISCV64_STATUS_SIE

#define DEVICE_GPA 0x0b000000ULL
#define DEVICE_BYTES 0x1800ULL /* its last page is half of one */
#define NOWHERE 0x0a000000ULL
#define VECTORS 0xffffffff80000100ULL
#define PC 0xffffffff80201000ULL
#define VA_OFFSET 0xffff000000000000ULL

/* Instructions, and how htinst shows them: no address, and bit 1 clear when they had 16 bits. */
#define LOADS(funct3, rd) ((uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7 | 0x03)
#define STORES(funct3, rs2) ((uint32_t)(rs2) << 20 | (uint32_t)(funct3) << 12 | 0x23)
#define SHORT(htinst) ((htinst) & ~2u)
#define FROM(rs1) ((uint32_t)(rs1) << 15)

/* A device that remembers the last write and reads a constant. */
static uint64_t device_value;
static uint64_t device_offset;
static unsigned device_bytes;
static unsigned device_accesses;

static uint64_t device_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			    unsigned bytes)
{
	(void)device;
	(void)vcpu;
	device_offset = offset;
	device_bytes = bytes;
	device_accesses++;
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

static uint64_t filled(unsigned x)
{
	return x == 0 ? 0 : 0x1111111111111111ULL * (x % 15 + 1);
}

static void refill(struct axvm_vcpu *vcpu)
{
	for (unsigned x = 0; x < 32; x++)
		vcpu->arch.x[x] = filled(x);
	vcpu->arch.pc = PC;
}

static struct axvm_vcpu *start(void)
{
	rig_start(1);
	CHECK_EQ(axvm_bus_attach(&rig_vm.mmio, &test_device, DEVICE_GPA, DEVICE_BYTES, 0), 0);
	struct axvm_vcpu *vcpu = on(0);

	vcpu->arch.sys.vstvec = VECTORS | 1;
	device_accesses = 0;
	refill(vcpu);
	return vcpu;
}

static enum axvm_verdict fault_at(struct axvm_vcpu *vcpu, uint64_t cause, uint64_t gpa,
				  uint64_t htinst)
{
	return axvm_riscv64_exit(vcpu, cause, VA_OFFSET + gpa, gpa >> 2, htinst);
}

/* What an exception into VS mode does [RISCV-H 18.6]; `from` is sstatus.SPP of before. */
static void check_taken(const struct axvm_vcpu *vcpu, uint64_t cause, uint64_t tval, uint64_t from)
{
	const struct axvm_riscv64_sysregs *sys = &vcpu->arch.sys;

	CHECK_EQ(sys->vscause, cause);
	CHECK_EQ(sys->vstval, tval);
	CHECK_EQ(sys->vsepc, PC);
	CHECK_EQ(sys->vsstatus & SPP, from);
	CHECK_EQ(sys->vsstatus & SIE, 0);
	CHECK((sys->sstatus & SPP) != 0);
	CHECK_EQ(vcpu->arch.pc, VECTORS);
	CHECK_EQ(device_accesses, 0);
}

/* By funct3. */
static const struct {
	uint64_t device;
	uint64_t value;
} loads[7] = {
	{ 0xffffff80, 0xffffffffffffff80 },
	{ 0x123456787fff, 0x7fff },
	{ 0x80000000, 0xffffffff80000000 },
	{ 0x8123456789abcdef, 0x8123456789abcdef },
	{ 0xffffff80, 0x80 },
	{ 0xffff8000, 0x8000 },
	{ 0xf80000000, 0x80000000 },
};

static void check_load(struct axvm_vcpu *vcpu, enum axvm_verdict verdict, unsigned funct3,
		       unsigned rd, unsigned length)
{
	bool kept = (AXVM_RISCV64_KEPT >> rd & 1) != 0;

	CHECK_EQ(verdict, kept ? AXVM_ENTER_FULL : AXVM_ENTER);
	CHECK_EQ(device_bytes, 1u << (funct3 & 3));
	CHECK_EQ(vcpu->arch.pc, PC + length);
	for (unsigned x = 0; x < 32; x++)
		CHECK_EQ(vcpu->arch.x[x], x == rd && rd != 0 ? loads[funct3].value : filled(x));
}

/* Those that the way back loads at once are the caller-saved ones, x3 and x4 apart. */
TEST(the_registers_that_are_kept_are_those_of_the_contract)
{
	for (unsigned x = 0; x < 32; x++) {
		bool loaded =
			x == 1 || x == 2 || (x >= 4 && x <= 7) || (x >= 10 && x <= 17) || x >= 28;

		if (x != 0)
			CHECK_EQ(AXVM_RISCV64_KEPT >> x & 1, loaded ? 0 : 1);
	}
}

TEST(a_load_fills_the_register_as_the_instruction_says)
{
	struct axvm_vcpu *vcpu = start();

	for (unsigned funct3 = 0; funct3 < 7; funct3++) {
		for (unsigned rd = 0; rd < 32; rd++) {
			for (unsigned length = 2; length <= 4; length += 2) {
				uint32_t htinst = LOADS(funct3, rd);

				device_value = loads[funct3].device;
				refill(vcpu);
				check_load(vcpu,
					   fault_at(vcpu, LOAD_GUEST, DEVICE_GPA + 0x238,
						    length == 2 ? SHORT(htinst) : htinst),
					   funct3, rd, length);
				CHECK_EQ(device_offset, 0x238);
			}
		}
	}
	CHECK_EQ(axvm_sim_riscv64_fetches(), 0);
	rig_end();
}

TEST(a_store_gives_the_register_and_its_width)
{
	struct axvm_vcpu *vcpu = start();

	for (unsigned funct3 = 0; funct3 < 4; funct3++) {
		for (unsigned rs2 = 0; rs2 < 32; rs2++) {
			for (unsigned length = 2; length <= 4; length += 2) {
				uint32_t htinst = STORES(funct3, rs2);

				refill(vcpu);
				CHECK_EQ(fault_at(vcpu, STORE_GUEST, DEVICE_GPA + 0x1238,
						  length == 2 ? SHORT(htinst) : htinst),
					 AXVM_ENTER);
				CHECK_EQ(device_value,
					 filled(rs2) & UINT64_MAX >> (64 - (8u << funct3)));
				CHECK_EQ(device_bytes, 1u << funct3);
				CHECK_EQ(device_offset, 0x1238);
				CHECK_EQ(vcpu->arch.pc, PC + length);
			}
		}
	}
	CHECK_EQ(axvm_sim_riscv64_fetches(), 0);
	rig_end();
}

/* ---- where htinst is 0 ----------------------------------------------------------------------------- */

TEST(without_htinst_the_instruction_is_fetched)
{
	struct axvm_vcpu *vcpu = start();

	for (unsigned funct3 = 0; funct3 < 7; funct3++) {
		for (unsigned rd = 0; rd < 32; rd++) {
			unsigned base = rd % 7 + 1;

			refill(vcpu);
			device_value = loads[funct3].device;
			/* LB .. LWU rd, -8(base) */
			axvm_sim_riscv64_set_fetch(LOADS(funct3, rd) | FROM(base) | 0xff8u << 20,
						   NULL);
			enum axvm_verdict verdict =
				axvm_riscv64_exit(vcpu, LOAD_GUEST, filled(base) - 8,
						  (DEVICE_GPA + 0x20 + (filled(base) & 7)) >> 2, 0);

			CHECK_EQ(axvm_sim_riscv64_last_address(), PC);
			check_load(vcpu, verdict, funct3, rd, 4);
		}
	}
	CHECK_EQ(axvm_sim_riscv64_fetches(), 7 * 32);
	rig_end();
}

/* A compressed store at the address that its own registers say; the encoding's upper half is another's. */
TEST(compressed_stores_that_are_fetched_are_given_to_the_device)
{
	static const struct {
		uint32_t encoding;
		unsigned base;
		unsigned reg;
		unsigned offset;
		unsigned bytes;
	} table[] = {
		{ 0xc398, 15, 14, 0, 4 }, /* c.sw a4, 0(a5) */
		{ 0xe398, 15, 14, 0, 8 }, /* c.sd a4, 0(a5) */
		{ 0xc3d8, 15, 14, 4, 4 }, /* c.sw a4, 4(a5) */
		{ 0xc03a, 2, 14, 0, 4 },  /* c.swsp a4, 0(sp) */
		{ 0xe43a, 2, 14, 8, 8 },  /* c.sdsp a4, 8(sp) */
		{ 0x8b98, 15, 14, 0, 1 }, /* c.sb a4, 0(a5) */
		{ 0x8f98, 15, 14, 0, 2 }, /* c.sh a4, 0(a5) */
	};
	struct axvm_vcpu *vcpu = start();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t va = VA_OFFSET + DEVICE_GPA;

		refill(vcpu);
		vcpu->arch.x[table[i].base] = va;
		axvm_sim_riscv64_set_fetch(table[i].encoding | 0x12340000, NULL);
		CHECK_EQ(fault_at(vcpu, STORE_GUEST, DEVICE_GPA + table[i].offset, 0), AXVM_ENTER);
		CHECK_EQ(device_offset, table[i].offset);
		CHECK_EQ(device_bytes, table[i].bytes);
		CHECK_EQ(device_value,
			 filled(table[i].reg) & UINT64_MAX >> (64 - 8 * table[i].bytes));
		CHECK_EQ(vcpu->arch.pc, PC + 2);
	}
	rig_end();
}

/* What a fetch meets is the guest's, as a fault of its fetch; stage-2 ones as access faults. */
TEST(a_fault_of_the_fetch_goes_to_the_guest)
{
	static const struct {
		uint64_t met;
		uint64_t taken;
	} table[] = {
		{ AXVM_RISCV64_CAUSE_FETCH_PAGE, AXVM_RISCV64_CAUSE_FETCH_PAGE },
		{ AXVM_RISCV64_CAUSE_LOAD_PAGE, AXVM_RISCV64_CAUSE_FETCH_PAGE },
		{ AXVM_RISCV64_CAUSE_LOAD_ACCESS, AXVM_RISCV64_CAUSE_FETCH_ACCESS },
		{ AXVM_RISCV64_CAUSE_FETCH_ACCESS, AXVM_RISCV64_CAUSE_FETCH_ACCESS },
		{ AXVM_RISCV64_CAUSE_LOAD_MISALIGNED, AXVM_RISCV64_CAUSE_FETCH_MISALIGNED },
		{ FETCH_GUEST, AXVM_RISCV64_CAUSE_FETCH_ACCESS },
		{ LOAD_GUEST, AXVM_RISCV64_CAUSE_FETCH_ACCESS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct axvm_riscv64_trap trap = { .cause = table[i].met,
							.tval = PC + 2,
							.htval = NOWHERE >> 2 };
		struct axvm_vcpu *vcpu = start();

		axvm_sim_riscv64_set_fetch(0, &trap);
		CHECK(fault_at(vcpu, LOAD_GUEST, DEVICE_GPA, 0) != AXVM_LEAVE);
		check_taken(vcpu, table[i].taken, PC + 2, SPP);
		rig_end();
	}
}

TEST(a_fetch_that_meets_an_entry_in_change_is_tried_again)
{
	const struct axvm_riscv64_trap trap = { .cause = LOAD_GUEST,
						.tval = PC,
						.htval = (RAM + 0x1000) >> 2 };
	const struct axvm_riscv64_trap walk = {
		.cause = LOAD_GUEST, .tval = PC, .htval = (RAM + 0x2000) >> 2, .htinst = 0x3000
	};
	struct axvm_vcpu *vcpu = start();

	axvm_sim_riscv64_set_fetch(0, &trap);
	CHECK_EQ(fault_at(vcpu, LOAD_GUEST, DEVICE_GPA, 0), AXVM_ENTER);
	axvm_sim_riscv64_set_fetch(0, &walk);
	CHECK_EQ(fault_at(vcpu, LOAD_GUEST, DEVICE_GPA, 0), AXVM_ENTER);
	CHECK_EQ(vcpu->arch.pc, PC);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
	rig_end();
}

/* ---- what is no device's ----------------------------------------------------------------------------- */

/* An entry may be absent for a moment while its block is split. */
TEST(a_fault_on_memory_that_is_mapped_by_now_is_tried_again)
{
	static const struct {
		uint64_t cause;
		uint64_t htinst;
	} table[] = {
		{ LOAD_GUEST, LOADS(2, 5) }, { LOAD_GUEST, 0 },	      { STORE_GUEST, STORES(3, 5) },
		{ STORE_GUEST, 0 },	     { STORE_GUEST, 0x202f }, { FETCH_GUEST, 0 },
		{ LOAD_GUEST, 0x3000 },	     { STORE_GUEST, 0x3000 }, { FETCH_GUEST, 0x3000 },
		{ STORE_GUEST, 0x3020 },     { LOAD_GUEST, 0x2000 },  { LOAD_GUEST, 0x2020 },
	};
	struct axvm_vcpu *vcpu = start();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		CHECK_EQ(fault_at(vcpu, table[i].cause, RAM + 0x40, table[i].htinst), AXVM_ENTER);
		CHECK_EQ(vcpu->arch.pc, PC);
	}
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
	CHECK_EQ(axvm_sim_riscv64_fetches(), 0);
	CHECK_EQ(vcpu->vm->unclaimed_accesses, 0);
	rig_end();
}

/* htinst, what a fetch finds, where; each is counted and an access fault of its kind. */
static const struct refused {
	uint64_t cause;
	uint64_t htinst;
	uint32_t instruction;
	uint64_t gpa;
} refused[] = {
	{ LOAD_GUEST, LOADS(2, 5), 0, NOWHERE },
	{ STORE_GUEST, STORES(2, 5), 0, NOWHERE },
	{ LOAD_GUEST, 0, 0x00053283, NOWHERE },		     /* ld t0, 0(a0) */
	{ LOAD_GUEST, LOADS(3, 5), 0, DEVICE_GPA + 0x17fc }, /* straddles the device's end */
	{ LOAD_GUEST, LOADS(2, 5), 0, DEVICE_GPA + 0xffe },  /* straddles a page's */
	{ STORE_GUEST, STORES(1, 5), 0, DEVICE_GPA + 0xfff },
	{ LOAD_GUEST, LOADS(2, 5) | FROM(2), 0, DEVICE_GPA + 2 }, /* began two bytes before */
	{ LOAD_GUEST, LOADS(7, 5), 0, DEVICE_GPA + 4 },		  /* no such load */
	{ LOAD_GUEST, 0x2007, 0, DEVICE_GPA },			  /* FLW */
	{ STORE_GUEST, 0x3027, 0, DEVICE_GPA },			  /* FSD */
	{ LOAD_GUEST, 0x0207, 0, DEVICE_GPA },			  /* VLE8 */
	{ LOAD_GUEST, 0x1000202f, 0, DEVICE_GPA },		  /* LR.W */
	{ STORE_GUEST, 0x0000302f, 0, DEVICE_GPA },		  /* AMOADD.D */
	{ STORE_GUEST, 0x0040200f, 0, DEVICE_GPA },		  /* CBO.ZERO */
	{ LOAD_GUEST, STORES(2, 5), 0, DEVICE_GPA },		  /* not what faulted */
	{ STORE_GUEST, LOADS(2, 5), 0, DEVICE_GPA },
	{ STORE_GUEST, 0, 0x0005202f, DEVICE_GPA }, /* the same, fetched */
	{ LOAD_GUEST, 0, 0x00000013, DEVICE_GPA },
	{ LOAD_GUEST, 0, 0x0000a283, DEVICE_GPA },     /* LW from elsewhere than the fault */
	{ LOAD_GUEST, 0x102, 0x00000013, DEVICE_GPA }, /* a custom htinst */
	{ LOAD_GUEST, 0x3000, 0, NOWHERE },	       /* the guest's tables */
	{ STORE_GUEST, 0x3020, 0, NOWHERE },
	{ STORE_GUEST, 0x3000, 0, NOWHERE },
	{ LOAD_GUEST, 0x3000, 0, DEVICE_GPA },
	{ FETCH_GUEST, 0, 0, NOWHERE },
	{ FETCH_GUEST, 0, 0, DEVICE_GPA },
	{ FETCH_GUEST, 0x3000, 0, NOWHERE },
	{ LOAD_GUEST, UINT64_MAX, 0, DEVICE_GPA },
	{ LOAD_GUEST, LOADS(2, 5) | 1ULL << 40, 0, DEVICE_GPA },
};

static uint64_t access_fault(uint64_t cause)
{
	return cause == FETCH_GUEST ? 1 : cause == LOAD_GUEST ? 5 : 7;
}

TEST(what_cannot_be_emulated_is_an_access_fault_and_is_counted)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		for (unsigned from = 0; from < 2; from++) {
			struct axvm_vcpu *vcpu = start();
			uint64_t mode = from == 0 ? 0 : SPP;

			vcpu->arch.sys.sstatus = (vcpu->arch.sys.sstatus & ~SPP) | mode;
			vcpu->arch.sys.vsstatus |= from == 0 ? SIE : SPIE;
			axvm_sim_riscv64_set_fetch(refused[i].instruction, NULL);
			CHECK(fault_at(vcpu, refused[i].cause, refused[i].gpa, refused[i].htinst) !=
			      AXVM_LEAVE);
			check_taken(vcpu, access_fault(refused[i].cause),
				    VA_OFFSET + refused[i].gpa, mode);
			CHECK_EQ(vcpu->arch.sys.vsstatus & SPIE, from == 0 ? SPIE : 0);
			CHECK_EQ(vcpu->vm->unclaimed_accesses, 1);
			CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 1);
			CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_flushes, 1);
			for (unsigned x = 0; x < 32; x++)
				CHECK_EQ(vcpu->arch.x[x], filled(x));
			rig_end();
		}
	}
}

/* Devices are told of an address that is not aligned as it is. */
TEST(a_misaligned_access_within_a_device_is_the_devices)
{
	struct axvm_vcpu *vcpu = start();

	device_value = 0x80000001;
	CHECK_EQ(fault_at(vcpu, LOAD_GUEST, DEVICE_GPA + 0x41, LOADS(2, 5)), AXVM_ENTER);
	CHECK_EQ(device_offset, 0x41);
	CHECK_EQ(device_bytes, 4);
	CHECK_EQ(vcpu->arch.x[5], 0xffffffff80000001);
	CHECK_EQ(fault_at(vcpu, STORE_GUEST, DEVICE_GPA + 0x17f9, STORES(1, 6)), AXVM_ENTER);
	CHECK_EQ(device_offset, 0x17f9);
	CHECK_EQ(device_value, filled(6) & 0xffff);
	CHECK_EQ(vcpu->arch.pc, PC + 8);
	rig_end();
}

TEST(a_store_to_a_shadowed_device_is_the_devices)
{
	struct axvm_vcpu *vcpu = start();

	CHECK_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(DEVICE_GPA), rig_ram, 0x1000,
				 AXVM_MAP_READ | AXVM_MAP_DEVICE),
		 0);
	CHECK_EQ(fault_at(vcpu, STORE_GUEST, DEVICE_GPA + 0x10, STORES(2, 7)), AXVM_ENTER);
	CHECK_EQ(device_offset, 0x10);
	CHECK_EQ(device_value, filled(7) & UINT32_MAX);
	CHECK_EQ(vcpu->arch.pc, PC + 4);
	CHECK_EQ(axvm_sim_vcpu_counts(vcpu).sysreg_syncs, 0);
	rig_end();
}

TEST(a_store_to_read_only_memory_is_an_access_fault)
{
	struct axvm_vcpu *vcpu = start();

	CHECK_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(NOWHERE), rig_ram, 0x1000, AXVM_MAP_READ),
		 0);
	CHECK(fault_at(vcpu, STORE_GUEST, NOWHERE + 8, STORES(2, 7)) != AXVM_LEAVE);
	check_taken(vcpu, AXVM_RISCV64_CAUSE_STORE_ACCESS, VA_OFFSET + NOWHERE + 8, SPP);
	rig_end();
}

/* ---- the rest ----------------------------------------------------------------------------------------- */

TEST(a_guests_own_exceptions_go_in_as_they_are)
{
	static const uint8_t causes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 15, 18, 19 };

	for (size_t i = 0; i < sizeof(causes); i++) {
		struct axvm_vcpu *vcpu = start();

		CHECK(axvm_riscv64_exit(vcpu, causes[i], 0x1234, UINT64_MAX, UINT64_MAX) !=
		      AXVM_LEAVE);
		check_taken(vcpu, causes[i], 0x1234, SPP);
		rig_end();
	}
}

TEST(an_exception_that_no_guest_can_cause_stops_the_vm)
{
	static const uint64_t causes[] = { 9, 11, 14, 16, 17, 24, 48, 63, 64, 1ULL << 62 };

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct axvm_vcpu *vcpu = start();

		CHECK_EQ(axvm_riscv64_exit(vcpu, causes[i], 0x1234, 0, 0), AXVM_LEAVE);
		CHECK_EQ(vcpu->exit.reason, AXVM_EXIT_FAULT);
		CHECK_EQ(vcpu->exit.fault.syndrome, causes[i]);
		CHECK_EQ(vcpu->exit.fault.pc, PC);
		CHECK_EQ(vcpu->exit.fault.address, 0x1234);
		rig_end();
	}
}

TEST(a_trap_of_a_load_on_the_guests_behalf_is_its_own)
{
	const struct axvm_riscv64_trap page = { .cause = AXVM_RISCV64_CAUSE_LOAD_PAGE,
						.tval = 0x123 };
	const struct axvm_riscv64_trap stage2 = { .cause = LOAD_GUEST, .tval = 0x456 };
	struct axvm_vcpu *vcpu = start();

	axvm_riscv64_inject_trap(vcpu, &page);
	check_taken(vcpu, AXVM_RISCV64_CAUSE_LOAD_PAGE, 0x123, SPP);
	vcpu->arch.pc = PC;
	axvm_riscv64_inject_trap(vcpu, &stage2);
	check_taken(vcpu, AXVM_RISCV64_CAUSE_LOAD_ACCESS, 0x456, SPP);
	rig_end();
}

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Some of what hardware writes, and some of what it never would. */
static uint64_t wild_htinst(void)
{
	uint64_t word = random_word();

	switch (word >> 60 & 7) {
	case 0:
		return LOADS(word & 7, word >> 8 & 31) & ~(word >> 13 & 2);
	case 1:
		return STORES(word & 7, word >> 8 & 31) & ~(word >> 13 & 2);
	case 2:
		return 0;
	case 3:
		return 0x2000 | (word & 0x1020);
	case 4:
		return word;
	default:
		return word & UINT32_MAX;
	}
}

/* Every cause with random values: nothing but the guest may suffer. */
TEST(wild_exits_are_answered)
{
	static const uint64_t places[] = { DEVICE_GPA, DEVICE_GPA + 0x17f8, NOWHERE, RAM, PLIC,
					   0,	       UINT64_MAX - 16 };
	struct axvm_vcpu *vcpu = start();

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t word = random_word();
		uint64_t gpa = places[word % 7] + (word >> 8 & 0xf);

		axvm_sim_riscv64_set_fetch((uint32_t)random_word(), NULL);
		vcpu->arch.x[10] = random_word();
		vcpu->arch.x[17] = word >> 40 & 31;
		vcpu->exit.reason = AXVM_EXIT_NONE;
		enum axvm_verdict verdict =
			axvm_riscv64_exit(vcpu,
					  i % 3 == 0   ? LOAD_GUEST
					  : i % 3 == 1 ? STORE_GUEST
						       : i % 25,
					  gpa, i % 64 == 0 ? word : gpa >> 2, wild_htinst());

		CHECK(verdict == AXVM_ENTER || verdict == AXVM_ENTER_FULL ||
		      (verdict == AXVM_LEAVE && vcpu->exit.reason != AXVM_EXIT_NONE));
		CHECK_EQ(vcpu->arch.x[0], 0);
		atomic_store(&vcpu->power, AXVM_POWER_ON);
		serve(0);
	}
	rig_end();
}

AXTEST_MAIN(the_registers_that_are_kept_are_those_of_the_contract,
	    a_load_fills_the_register_as_the_instruction_says,
	    a_store_gives_the_register_and_its_width, without_htinst_the_instruction_is_fetched,
	    compressed_stores_that_are_fetched_are_given_to_the_device,
	    a_fault_of_the_fetch_goes_to_the_guest,
	    a_fetch_that_meets_an_entry_in_change_is_tried_again,
	    a_fault_on_memory_that_is_mapped_by_now_is_tried_again,
	    what_cannot_be_emulated_is_an_access_fault_and_is_counted,
	    a_misaligned_access_within_a_device_is_the_devices,
	    a_store_to_a_shadowed_device_is_the_devices,
	    a_store_to_read_only_memory_is_an_access_fault,
	    a_guests_own_exceptions_go_in_as_they_are,
	    an_exception_that_no_guest_can_cause_stops_the_vm,
	    a_trap_of_a_load_on_the_guests_behalf_is_its_own, wild_exits_are_answered)
