// SPDX-License-Identifier: Apache-2.0
/*
 * FP and Advanced SIMD registers belong to this VM alone. Run as two VMs with different `fp=` on
 * one CPU, each yields again and again and must find what it left, and a VM must begin with zeros.
 */
#include <string.h>

#include "runtime.h"

#define ROUNDS 2000u

struct fp_state {
	_Alignas(16) uint8_t v[32][16];
	uint64_t fpcr;
	uint64_t fpsr;
};

static struct fp_state wanted;
static struct fp_state found;
static uint64_t moved;

static void fp_store(struct fp_state *state)
{
	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 "stp q0, q1, [%0]\n\tstp q2, q3, [%0, #32]\n\t"
			 "stp q4, q5, [%0, #64]\n\tstp q6, q7, [%0, #96]\n\t"
			 "stp q8, q9, [%0, #128]\n\tstp q10, q11, [%0, #160]\n\t"
			 "stp q12, q13, [%0, #192]\n\tstp q14, q15, [%0, #224]\n\t"
			 "stp q16, q17, [%0, #256]\n\tstp q18, q19, [%0, #288]\n\t"
			 "stp q20, q21, [%0, #320]\n\tstp q22, q23, [%0, #352]\n\t"
			 "stp q24, q25, [%0, #384]\n\tstp q26, q27, [%0, #416]\n\t"
			 "stp q28, q29, [%0, #448]\n\tstp q30, q31, [%0, #480]" ::"r"(state->v)
			 : "memory");
	state->fpcr = READ_SYSREG(fpcr);
	state->fpsr = READ_SYSREG(fpsr);
}

static void fp_load(const struct fp_state *state)
{
	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"
			 "ldp q0, q1, [%0]\n\tldp q2, q3, [%0, #32]\n\t"
			 "ldp q4, q5, [%0, #64]\n\tldp q6, q7, [%0, #96]\n\t"
			 "ldp q8, q9, [%0, #128]\n\tldp q10, q11, [%0, #160]\n\t"
			 "ldp q12, q13, [%0, #192]\n\tldp q14, q15, [%0, #224]\n\t"
			 "ldp q16, q17, [%0, #256]\n\tldp q18, q19, [%0, #288]\n\t"
			 "ldp q20, q21, [%0, #320]\n\tldp q22, q23, [%0, #352]\n\t"
			 "ldp q24, q25, [%0, #384]\n\tldp q26, q27, [%0, #416]\n\t"
			 "ldp q28, q29, [%0, #448]\n\tldp q30, q31, [%0, #480]" ::"r"(state->v)
			 : "memory");
	WRITE_SYSREG(fpcr, state->fpcr);
	WRITE_SYSREG(fpsr, state->fpsr);
}

static void make_pattern(struct fp_state *state, uint64_t seed)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < 32; i++) {
		for (size_t j = 0; j < 16; j++)
			state->v[i][j] = (uint8_t)guest_random(&random);
	}
	state->fpcr = (seed & 3) << 22;	       /* rounding mode */
	state->fpsr = (seed & 0xf) | 1u << 27; /* cumulative exceptions, QC */
}

static bool same(void)
{
	fp_store(&found);
	return memcmp(&wanted, &found, sizeof(wanted)) == 0;
}

/* Gives the CPU away: a timer is the only thing that wakes it. */
static void on_irq(uint32_t intid)
{
	(void)intid;
	WRITE_SYSREG(cntv_ctl_el0, 0);
}

static uint64_t vm_seed(void)
{
	return guest_cmdline_number("fp", 1) * 1000;
}

/* First of all: nothing of another VM, or of the hypervisor, is in the registers. */
TEST(the_registers_are_zero_at_the_beginning)
{
	static const struct fp_state zero;

	fp_store(&found);
	CHECK(memcmp(zero.v, found.v, sizeof(zero.v)) == 0);
	CHECK_EQ(found.fpcr, 0);
	CHECK_EQ(found.fpsr, 0);
}

TEST(hypercalls_and_mmio_change_none)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		make_pattern(&wanted, vm_seed() + round);
		fp_load(&wanted);
		(void)guest_hvc(PSCI_VERSION, 0, 0, 0);
		(void)guest_read32(guest_machine.distributor + GICD_TYPER);
		REQUIRE(same());
	}
}

TEST(waiting_changes_none)
{
	guest_this_cpu()->on_irq = on_irq;
	guest_gic_enable(PPI_VIRTUAL_TIMER);
	guest_irq_enable();
	for (uint32_t round = 0; round < 500; round++) {
		make_pattern(&wanted, vm_seed() + round);
		fp_load(&wanted);
		guest_sleep(200);
		REQUIRE(same());
	}
	guest_irq_disable();
	guest_gic_disable(PPI_VIRTUAL_TIMER);
	guest_this_cpu()->on_irq = NULL;
}

/* Without any exit of its own: only a time slice can take the CPU away. */
TEST(being_preempted_changes_none)
{
	uint64_t end = guest_ticks() + guest_us(300000);

	for (uint32_t round = 0; guest_ticks() < end; round++) {
		make_pattern(&wanted, vm_seed() + round);
		fp_load(&wanted);
		for (uint32_t i = 0; i < 20000; i++)
			__asm__ volatile("" ::: "memory");
		REQUIRE(same());
	}
}

/* Traps by CPACR_EL1 are the guest's own affair and must arrive at its own vectors. */
TEST(fp_switched_off_by_the_guest_traps_to_the_guest)
{
	make_pattern(&wanted, vm_seed());
	fp_load(&wanted);
	WRITE_SYSREG(cpacr_el1, 0);
	struct guest_fault fault = PROBE(__asm__ volatile(".arch_extension fp\n\tfmov %0, d0"
							  : "=r"(moved)));
	WRITE_SYSREG(cpacr_el1, 3u << 20);
	CHECK_EQ(fault.count, 1);
	CHECK_EQ(guest_fault_class(fault), 0x07);
	CHECK(same());
}

AXTEST_MAIN(the_registers_are_zero_at_the_beginning, hypercalls_and_mmio_change_none,
	    waiting_changes_none, being_preempted_changes_none,
	    fp_switched_off_by_the_guest_traps_to_the_guest)
