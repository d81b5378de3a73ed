/* SPDX-License-Identifier: Apache-2.0 */
/* Control registers, EFER and XCR0: which writes are #GP, and the ways into and out of long mode. */
#include "x86_64_rig.h"

#define PE AXVM_X86_CR0_PE
#define PG AXVM_X86_CR0_PG
#define PAE AXVM_X86_CR4_PAE
#define PCIDE ((uint64_t)1 << 17)
#define LME AXVM_X86_EFER_LME
#define LMA AXVM_X86_EFER_LMA
#define OK true
#define BAD false

static struct axvm_x86_sysregs *sys;

static bool cr(unsigned index, uint64_t value)
{
	return axvm_x86_64_write_cr(on(0), index, value);
}

static void start(void)
{
	rig_start(1);
	sys = &rig_vcpus[0].arch.sys;
}

TEST(CR0_refuses_what_no_CPU_takes)
{
	static const struct {
		uint64_t value;
		bool taken;
	} table[] = {
		{ PE, OK },
		{ 0, OK },
		{ PG, BAD },
		{ AXVM_X86_CR0_NW, BAD },
		{ AXVM_X86_CR0_NW | AXVM_X86_CR0_CD, OK },
		{ AXVM_X86_CR0_CD, OK },
		{ (uint64_t)1 << 32, BAD },
		{ UINT64_MAX, BAD },
		{ PE | 0x0ffaffc0, OK }, /* of the low half unknown bits are ignored */
	};

	start();
	rig_protected_mode(0);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t before = sys->cr0;

		CHECK_EQ(cr(0, table[i].value), table[i].taken);
		CHECK(table[i].taken || sys->cr0 == before);
		CHECK(sys->cr0 & AXVM_X86_CR0_ET);
	}
	CHECK_EQ(sys->cr0, PE | AXVM_X86_CR0_ET);
	rig_end();
}

TEST(long_mode_begins_with_paging_and_ends_with_it)
{
	start();
	rig_protected_mode(0);
	CHECK(axvm_x86_64_write_efer(on(0), LME));
	CHECK_EQ(sys->efer, LME);
	CHECK(!cr(0, PE | PG)); /* without PAE */
	CHECK(cr(4, PAE));
	CHECK(cr(3, PML4));
	sys->segment[AXVM_X86_CS].attributes |= 0x200;
	CHECK(!cr(0, PE | PG)); /* CS.L before it means anything */
	sys->segment[AXVM_X86_CS].attributes &= 0xdff;
	CHECK(cr(0, PE | PG));
	CHECK_EQ(sys->efer, LME | LMA);
	CHECK(!cr(4, 0));			       /* PAE stays */
	CHECK(!axvm_x86_64_write_efer(on(0), LMA));    /* LME stays */
	CHECK(axvm_x86_64_write_efer(on(0), LME | 1)); /* LMA is not written */
	CHECK_EQ(sys->efer, LME | LMA | 1);
	sys->segment[AXVM_X86_CS].attributes |= 0x200;
	CHECK(!cr(0, PE)); /* not from 64-bit code */
	sys->segment[AXVM_X86_CS].attributes &= 0xdff;
	CHECK(cr(0, PE));
	CHECK_EQ(sys->efer, LME | 1);
	CHECK(axvm_x86_64_write_efer(on(0), 0));
	rig_end();
}

TEST(PAE_wants_right_entries_at_the_top)
{
	start();
	rig_protected_mode(0);
	CHECK(cr(3, 0x9000));
	CHECK(cr(4, PAE));
	CHECK(cr(0, PE | PG));		      /* nothing present */
	ram_write_64(0xa008, 0xb000 | 1 | 2); /* R/W is reserved there */
	CHECK(!cr(3, 0xa000));
	CHECK_EQ(sys->cr3, 0x9000);
	ram_write_64(0xa008, 0xb000 | 1);
	CHECK(cr(3, 0xa000));
	ram_write_64(0xa008, (uint64_t)1 << 52 | 1);
	CHECK(!cr(4, PAE | 1u << 7));
	CHECK(cr(4, PAE | 4)); /* no reason to read them */
	CHECK(cr(0, PE));
	CHECK(!cr(0, PE | PG));
	CHECK(!(sys->cr0 & PG));
	CHECK(cr(3, 0xfffff000)); /* no memory; without paging nobody looks */
	CHECK(!cr(0, PE | PG));
	rig_end();
}

TEST(CR3_is_as_wide_as_physical_addresses)
{
	start();
	CHECK(cr(3, 0xfffffff000));
	CHECK(!cr(3, (uint64_t)1 << 40));
	CHECK(!cr(3, (uint64_t)1 << 63));
	CHECK_EQ(sys->cr3, 0xfffffff000);
	rig_end();
}

TEST(PCIDE_comes_only_in_long_mode_with_PCID_0)
{
	start();
	sys->cr3 = PML4 | 5;
	CHECK(!cr(4, PAE | PCIDE));
	sys->cr3 = PML4;
	CHECK(cr(4, PAE | PCIDE));
	CHECK(cr(3, PML4 | 5 | (uint64_t)1 << 63));
	CHECK_EQ(sys->cr3, PML4 | 5);
	CHECK(cr(4, PAE | PCIDE)); /* it is set already */
	sys->segment[AXVM_X86_CS].attributes &= 0xdff;
	CHECK(!cr(0, PE));
	CHECK(cr(4, PAE));
	CHECK(cr(0, PE));
	CHECK(!cr(4, PAE | PCIDE));
	rig_end();
}

TEST(CR4_has_only_what_CPUID_shows)
{
	start();
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = PAE | (uint64_t)1 << bit;
		bool is_allowed = (axvm_x86_64_cr4_allowed(on(0)) & value) == value;

		sys->cr3 = PML4;
		CHECK_EQ(cr(4, value), is_allowed);
	}
	CHECK(!cr(4, PAE | AXVM_X86_CR4_VMXE));
	CHECK(!cr(4, PAE | AXVM_X86_CR4_LA57));
	rig_end();
}

TEST(EFER_has_only_what_is_known)
{
	start();
	for (unsigned bit = 0; bit < 64; bit++) {
		bool is_known = bit == 0 || bit == 8 || bit == 10 || bit == 11;

		CHECK_EQ(axvm_x86_64_write_efer(on(0), LME | (uint64_t)1 << bit), is_known);
	}
	rig_end();
}

TEST(CR8_and_CR2_are_written_and_other_numbers_are_not)
{
	start();
	CHECK(cr(8, 15));
	CHECK_EQ(axvm_lapic_get_cr8(on(0)), 15);
	CHECK(!cr(8, 16));
	CHECK(!cr(8, UINT64_MAX));
	CHECK_EQ(axvm_lapic_get_cr8(on(0)), 15);
	CHECK(cr(2, UINT64_MAX));
	CHECK_EQ(sys->cr2, UINT64_MAX);
	for (unsigned index = 0; index < 20; index++) {
		if (index != 0 && index != 2 && index != 3 && index != 4 && index != 8)
			CHECK(!cr(index, 0));
	}
	rig_end();
}

TEST(XCR0_takes_whole_parts_that_are_allowed)
{
	struct axvm_x86_64_host host;
	static const struct {
		uint64_t value;
		bool taken;
	} table[] = {
		{ 0, BAD },    { 1, OK },     { 2, BAD },    { 3, OK },	       { 5, BAD },
		{ 7, OK },     { 0x27, BAD }, { 0xe7, OK },  { 0xe3, BAD },    { 0x67, BAD },
		{ 0x201, OK }, { 0x2e7, OK }, { 0x1f, BAD }, { 0x60007, BAD }, { UINT64_MAX, BAD },
	};

	start();
	host = *axvm_hal_x86_64_host();
	host.xcr0 = 0x2e7;
	axvm_sim_x86_64_set_host(&host);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t sets = axvm_sim_x86_64_xcr0_sets();

		CHECK_EQ(axvm_x86_64_write_xcr0(on(0), table[i].value), table[i].taken);
		CHECK_EQ(axvm_sim_x86_64_xcr0_sets() - sets, table[i].taken);
	}
	CHECK_EQ(rig_vcpus[0].arch.xcr0, 0x2e7);
	rig_end();
}

AXTEST_MAIN(CR0_refuses_what_no_CPU_takes, long_mode_begins_with_paging_and_ends_with_it,
	    PAE_wants_right_entries_at_the_top, CR3_is_as_wide_as_physical_addresses,
	    PCIDE_comes_only_in_long_mode_with_PCID_0, CR4_has_only_what_CPUID_shows,
	    EFER_has_only_what_is_known, CR8_and_CR2_are_written_and_other_numbers_are_not,
	    XCR0_takes_whole_parts_that_are_allowed)
