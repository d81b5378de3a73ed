// SPDX-License-Identifier: Apache-2.0
/* The F and D registers, and the V extension's where there is one [RISCV-U 30]. */
#include <string.h>

#include "runtime.h"

#define ALL(instruction)                                                                          \
	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29," \
	"30,31\n\t" instruction " f\\n, 8*\\n(%0)\n\t.endr"
#define FS_OFF() CLEAR_CSR(sstatus, SSTATUS_FS)
#define FS_ON() SET_CSR(sstatus, 1ull << 13)

#define VECTOR_BYTES_MAX (32u * 128u)

struct fp_state {
	uint64_t f[32];
	uint64_t fcsr;
};
_Static_assert(sizeof(struct fp_state) == GUEST_FP_BYTES, "runtime.h");

static struct fp_state wanted;
static struct fp_state found;
static uint8_t v_wanted[VECTOR_BYTES_MAX];
static uint8_t v_found[VECTOR_BYTES_MAX];

void guest_fp_store(void *to)
{
	struct fp_state *state = to;

	__asm__ volatile(ALL("fsd")::"r"(state->f) : "memory");
	state->fcsr = READ_CSR(fcsr);
}

void guest_fp_load(const void *from)
{
	const struct fp_state *state = from;

	__asm__ volatile(ALL("fld")::"r"(state->f) : "memory");
	WRITE_CSR(fcsr, state->fcsr);
}

void guest_fp_pattern(void *to, uint64_t seed)
{
	struct fp_state *state = to;
	uint64_t random = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < 32; i++)
		state->f[i] = guest_random(&random);
	state->fcsr = seed % 5 << 5 | (seed & 31); /* rounding mode, flags */
}

TEST(fp_switched_off_by_the_guest_traps_to_the_guest)
{
	guest_fp_pattern(&wanted, 4711);
	guest_fp_load(&wanted);
	FS_OFF();
	struct guest_fault fault = PROBE(__asm__ volatile("fmv.x.d a0, f1" ::: "a0"));
	FS_ON();
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(fault.cause, CAUSE_ILLEGAL);
	guest_fp_store(&found);
	CHECK(memcmp(&wanted, &found, sizeof(wanted)) == 0);
}

/* A guest saves its registers by what FS says, so it must become dirty, and stay as it is set. */
TEST(fs_says_what_the_guest_did)
{
	CLEAR_CSR(sstatus, SSTATUS_FS);
	SET_CSR(sstatus, 2ull << 13); /* clean */
	(void)guest_firmware_version();
	CHECK_EQ(READ_CSR(sstatus) & SSTATUS_FS, 2ull << 13);
	__asm__ volatile("fmv.d.x f1, zero");
	CHECK_EQ(READ_CSR(sstatus) & SSTATUS_FS, SSTATUS_FS);
	CHECK_EQ(READ_CSR(sstatus) >> 63, 1); /* SD */
	(void)guest_firmware_version();
	CHECK_EQ(READ_CSR(sstatus) & SSTATUS_FS, SSTATUS_FS);
}

/* Eight registers at once; 0xc22 is vlenb, 0x00f vcsr, 0xc20 vl, 0xc21 vtype. */
static void vector_load(const uint8_t *from)
{
	uint64_t bytes = READ_CSR(0xc22) * 8;

	__asm__ volatile(".word 0x0c3072d7\n\t"		     /* vsetvli t0, zero, e8, m8, ta, ma */
			 "mv a0, %0\n\t.word 0x02050007\n\t" /* vle8.v v0, (a0) */
			 "add a0, a0, %1\n\t.word 0x02050407\n\t"
			 "add a0, a0, %1\n\t.word 0x02050807\n\t"
			 "add a0, a0, %1\n\t.word 0x02050c07" ::"r"(from),
			 "r"(bytes)
			 : "a0", "t0", "memory");
}

static void vector_store(uint8_t *to)
{
	uint64_t bytes = READ_CSR(0xc22) * 8;

	__asm__ volatile(".word 0x0c3072d7\n\t"
			 "mv a0, %0\n\t.word 0x02050027\n\t" /* vse8.v v0, (a0) */
			 "add a0, a0, %1\n\t.word 0x02050427\n\t"
			 "add a0, a0, %1\n\t.word 0x02050827\n\t"
			 "add a0, a0, %1\n\t.word 0x02050c27" ::"r"(to),
			 "r"(bytes)
			 : "a0", "t0", "memory");
}

static bool vector_ready(void)
{
	if (!guest_isa_has("v"))
		return false;
	SET_CSR(sstatus, 1ull << 9);
	return READ_CSR(0xc22) * 32 <= VECTOR_BYTES_MAX;
}

TEST(the_vector_registers_are_zero_at_the_beginning)
{
	if (!vector_ready())
		SKIP("the CPU has no vectors");
	memset(v_wanted, 0, sizeof(v_wanted));
	vector_store(v_found);
	CHECK(memcmp(v_wanted, v_found, READ_CSR(0xc22) * 32) == 0);
	CHECK_EQ(READ_CSR(0x00f), 0);
}

static void on_irq(uint32_t irq)
{
	(void)irq;
	guest_timers[0].off();
}

TEST(no_vector_register_changes_while_another_vm_runs)
{
	uint64_t random = guest_cmdline_number("fp", 1) * 7919;

	if (!vector_ready())
		SKIP("the CPU has no vectors");
	guest_this_cpu()->on_irq = on_irq;
	guest_timers[0].irq_enable();
	guest_irq_enable();
	for (uint32_t round = 0; round < 300; round++) {
		for (uint32_t i = 0; i < VECTOR_BYTES_MAX; i++)
			v_wanted[i] = (uint8_t)guest_random(&random);
		vector_load(v_wanted);
		WRITE_CSR(0x00f, round % 8);
		guest_sleep(200);
		uint64_t vl = READ_CSR(0xc20);
		uint64_t vtype = READ_CSR(0xc21);
		uint64_t vcsr = READ_CSR(0x00f);
		vector_store(v_found);
		REQUIRE(memcmp(v_wanted, v_found, READ_CSR(0xc22) * 32) == 0);
		REQUIRE_EQ(vl, READ_CSR(0xc22) * 8);
		REQUIRE_EQ(vtype, 0xc3);
		REQUIRE_EQ(vcsr, round % 8);
	}
	guest_irq_disable();
	guest_timers[0].irq_disable();
	guest_this_cpu()->on_irq = NULL;
}

TEST(vectors_that_the_device_tree_does_not_name_are_illegal)
{
	if (guest_isa_has("v") || !guest_cmdline_has("axvm"))
		SKIP("the CPU has vectors, or may have them");
	SET_CSR(sstatus, SSTATUS_VS);
	struct guest_fault fault = PROBE(__asm__ volatile(".word 0x0c3072d7" ::: "t0"));
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(fault.cause, CAUSE_ILLEGAL);
	CLEAR_CSR(sstatus, SSTATUS_VS);
}

AXTEST_MAIN(fp_switched_off_by_the_guest_traps_to_the_guest, fs_says_what_the_guest_did,
	    the_vector_registers_are_zero_at_the_beginning,
	    no_vector_register_changes_while_another_vm_runs,
	    vectors_that_the_device_tree_does_not_name_are_illegal)
