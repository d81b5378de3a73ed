/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID: what gets through of a CPU that has everything, what is the VM's own, what follows from it. */
#include "x86_64_rig.h"

#define ANY UINT32_MAX

static struct axvm_x86_cpuid leaf_of(uint32_t index, uint32_t leaf, uint32_t subleaf)
{
	return axvm_x86_64_cpuid(&rig_vcpus[index], leaf, subleaf);
}

static void set(uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	const uint32_t value[4] = { a, b, c, d };

	axvm_sim_x86_64_set_cpuid(leaf, subleaf, value);
}

/* A CPU whose every leaf has all bits set, with AVX-512 and PKU. */
static void start_full(uint32_t vcpus)
{
	const struct axvm_x86_64_host host = {
		.tsc_hz = 2400000000,
		.xcr0 = 0x2e7,
		.xsave_bytes = 2696,
	};

	rig_start_on(vcpus, &host);
	set(0, ANY, 0x20, 0x68747541, 0x444d4163, 0x69746e65);
	set(0x80000000, ANY, 0x80000028, 0x68747541, 0x444d4163, 0x69746e65);
}

TEST(nothing_gets_through_that_is_not_virtualised)
{
	/* bit by bit, from the manuals: MONITOR, VMX, SMX, EIST, TM2, PDCM, DCA, ... */
	static const struct {
		uint32_t leaf;
		uint32_t hidden[4];
	} table[] = {
		{ 1,
		  { 0, 0,
		    1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 2 | 1u << 4 | 1u << 10 |
			    1u << 11 | 1u << 14 | 1u << 15 | 1u << 18,
		    1u << 21 | 1u << 22 | 1u << 29 | 1u << 31 | 1u << 18 } },
		/* SGX HLE RTM PQM MPX PQE PT; WAITPKG CET TME LA57 KL ENQCMD SGX_LC PKS; UINTR TSXLDTRK PCONFIG
		   LBR IBT AMX and the controls of speculation */
		{ 7,
		  { 0, 1u << 2 | 1u << 4 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 15 | 1u << 25,
		    1u << 5 | 1u << 7 | 1u << 13 | 1u << 16 | 1u << 23 | 1u << 29 | 1u << 30 |
			    1u << 31,
		    1u << 5 | 1u << 16 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 22 | 1u << 24 |
			    1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29 | 1u << 31 } },
		/* SVM EXTAPIC OSVW IBS SKINIT WDT LWP PERFCTR MONITORX */
		{ 0x80000001,
		  { 0, 0,
		    1u << 2 | 1u << 3 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 13 | 1u << 15 |
			    1u << 23 | 1u << 24 | 1u << 27 | 1u << 28 | 1u << 29,
		    0 } },
		{ 5, { ANY, ANY, ANY, ANY } },
		{ 6, { ~4u, ANY, ANY, ANY } },
		{ 0xa, { ANY, ANY, ANY, ANY } },
		{ 0xf, { ANY, ANY, ANY, ANY } },
		{ 0x10, { ANY, ANY, ANY, ANY } },
		{ 0x12, { ANY, ANY, ANY, ANY } },
		{ 0x14, { ANY, ANY, ANY, ANY } },
		{ 0x18, { ANY, ANY, ANY, ANY } },
		{ 0x1d, { ANY, ANY, ANY, ANY } },
		{ 0x20, { ANY, ANY, ANY, ANY } },
		{ 0x8000000a, { ANY, ANY, ANY, ANY } },
		{ 0x8000001b, { ANY, ANY, ANY, ANY } },
		{ 0x8000001f, { ANY, ANY, ANY, ANY } },
		{ 0x80000022, { ANY, ANY, ANY, ANY } },
		{ 0x40000001, { ANY, ANY, ANY, ANY } },
		{ 0x40000011, { ANY, ANY, ANY, ANY } },
		{ 0x20000000, { ANY, ANY, ANY, ANY } },
		{ 0xffffffff, { ANY, ANY, ANY, ANY } },
		{ 0xc0000000, { ANY, ANY, ANY, ANY } },
	};

	start_full(1);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct axvm_x86_cpuid out = leaf_of(0, table[i].leaf, 0);

		CHECK_EQ(out.eax & table[i].hidden[0], 0);
		CHECK_EQ(out.ebx & table[i].hidden[1], 0);
		CHECK_EQ(out.ecx & table[i].hidden[2], 0);
		CHECK_EQ(out.edx & table[i].hidden[3], 0);
	}
	rig_end();
}

TEST(what_guests_need_gets_through)
{
	struct axvm_x86_cpuid out;

	start_full(1);
	out = leaf_of(0, 1, 0);
	CHECK_EQ(out.ecx, 0xf7fa3203 & ~(1u << 27)); /* OSXSAVE is CR4's */
	CHECK_EQ(out.edx, 0x0f8bfbff);
	out = leaf_of(0, 7, 0);
	CHECK_EQ(out.eax, 0);
	CHECK_EQ(out.ebx, 0xfdbf27eb);
	CHECK_EQ(out.ecx, 0x1a405f4f);
	CHECK_EQ(out.edx, 0x0080451c);
	CHECK_EQ(leaf_of(0, 0x80000001, 0).edx, 0xedd3fbff);
	CHECK_EQ(leaf_of(0, 0, 0).eax, 0x1f);
	CHECK_EQ(leaf_of(0, 0, 0).ebx, 0x68747541);
	CHECK_EQ(leaf_of(0, 0x80000000, 0).eax, 0x80000021);
	CHECK_EQ(leaf_of(0, 0x80000002, 0).edx, ANY);
	rig_end();
}

TEST(a_CPU_without_a_leaf_gives_only_what_is_set)
{
	start_full(1);
	set(0, ANY, 1, 0, 0, 0);
	set(0x80000000, ANY, 0x80000001, 0, 0, 0);
	CHECK_EQ(leaf_of(0, 7, 0).ebx, 2); /* TSC_ADJUST */
	CHECK_EQ(leaf_of(0, 7, 0).ecx, 0);
	CHECK_EQ(leaf_of(0, 0x80000002, 0).eax, 0);
	CHECK_EQ(leaf_of(0, 0x80000000, 0).eax, 0x80000001);
	set(1, ANY, 0x800f12, 0, 0, 0);
	CHECK_EQ(leaf_of(0, 1, 0).ecx, 1u << 21 | 1u << 24 | 1u << 31);
	rig_end();
}

TEST(instructions_with_state_come_with_the_state)
{
	struct axvm_x86_64_host host;

	start_full(1);
	host = *axvm_hal_x86_64_host();
	host.xcr0 = 3;
	axvm_sim_x86_64_set_host(&host);
	CHECK_EQ(leaf_of(0, 1, 0).ecx & (1u << 28 | 1u << 12 | 1u << 29), 0);
	CHECK(leaf_of(0, 1, 0).ecx & 1u << 26);
	CHECK_EQ(leaf_of(0, 7, 0).ebx & (1u << 5 | 0xdc230000u), 0);
	CHECK_EQ(leaf_of(0, 7, 0).ecx, 0x1a400105);
	CHECK_EQ(leaf_of(0, 0x80000001, 0).ecx & 0x10800, 0);
	host.xcr0 = 0;
	axvm_sim_x86_64_set_host(&host);
	CHECK_EQ(leaf_of(0, 1, 0).ecx & 1u << 26, 0);
	CHECK_EQ(leaf_of(0, 0xd, 0).eax, 0);
	rig_end();
}

TEST(each_vcpu_has_its_place_in_the_topology)
{
	start_full(3);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(leaf_of(i, 1, 0).ebx >> 24, i);
		CHECK_EQ(leaf_of(i, 1, 0).ebx >> 16 & 0xff, 3);
		CHECK(leaf_of(i, 1, 0).edx & 1u << 28);
		for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
			struct axvm_x86_cpuid threads = leaf_of(i, leaf, 0);
			struct axvm_x86_cpuid cores = leaf_of(i, leaf, 1);

			CHECK_EQ(threads.eax, 0);
			CHECK_EQ(threads.ebx, 1);
			CHECK_EQ(threads.ecx, 0x100);
			CHECK_EQ(threads.edx, i);
			CHECK_EQ(cores.eax, 2);
			CHECK_EQ(cores.ebx, 3);
			CHECK_EQ(cores.ecx, 0x201);
			CHECK_EQ(cores.edx, i);
			CHECK_EQ(leaf_of(i, leaf, 2).ebx, 0);
			CHECK_EQ(leaf_of(i, leaf, 2).ecx, 2);
		}
		CHECK_EQ(leaf_of(i, 0x8000001e, 0).eax, i);
		CHECK_EQ(leaf_of(i, 0x8000001e, 0).ebx, i);
		CHECK_EQ(leaf_of(i, 0x80000008, 0).ecx, 2u << 12 | 2);
		CHECK_EQ(leaf_of(i, 0x80000008, 0).eax, 48 << 8 | 40);
	}
	rig_end();
}

TEST(caches_are_shared_by_the_vms_own_vcpus)
{
	start_full(3);
	set(4, 2, 0xffffc000u | 2u << 5 | 3, 0x01c0003f, 0x3ff, 0xffffffff);
	set(4, 3, 0xffffc000u | 3u << 5 | 3, 0x02c0003f, 0xfff, 0xffffffff);
	set(4, 4, 0, 1, 2, 3);
	CHECK_EQ(leaf_of(0, 4, 2).eax, 3u << 26 | 2u << 5 | 3);
	CHECK_EQ(leaf_of(0, 4, 2).ebx, 0x01c0003f);
	CHECK_EQ(leaf_of(0, 4, 2).edx, 7);
	CHECK_EQ(leaf_of(0, 4, 3).eax, 3u << 26 | 3u << 14 | 3u << 5 | 3);
	CHECK_EQ(leaf_of(0, 4, 4).ebx, 0);
	set(0x8000001d, 3, 0xffffc000u | 3u << 5 | 3, 1, 2, 3);
	CHECK_EQ(leaf_of(0, 0x8000001d, 3).eax, 3u << 14 | 3u << 5 | 3);
	rig_end();
}

TEST(the_save_areas_sizes_follow_XCR0)
{
	start_full(1);
	set(0xd, 2, 256, 576, 0, 0);
	set(0xd, 5, 64, 1088, 0, 0);
	set(0xd, 6, 512, 1152, 0, 0);
	set(0xd, 7, 1024, 1664, 2, 0);
	set(0xd, 9, 8, 2688, 5, 0);
	rig_vcpus[0].arch.xcr0 = 7;
	CHECK_EQ(leaf_of(0, 0xd, 0).eax, 0x2e7);
	CHECK_EQ(leaf_of(0, 0xd, 0).ebx, 832);
	CHECK_EQ(leaf_of(0, 0xd, 0).ecx, 2696);
	CHECK_EQ(leaf_of(0, 0xd, 1).eax, 7); /* no XSAVES */
	CHECK_EQ(leaf_of(0, 0xd, 1).ebx, 832);
	CHECK_EQ(leaf_of(0, 0xd, 1).ecx, 0);
	rig_vcpus[0].arch.xcr0 = 0x201;
	CHECK_EQ(leaf_of(0, 0xd, 0).ebx, 2696);
	CHECK_EQ(leaf_of(0, 0xd, 1).ebx, 584);
	rig_vcpus[0].arch.xcr0 = 0x281;
	CHECK_EQ(leaf_of(0, 0xd, 1).ebx, 576 + 1024 + 8);
	CHECK_EQ(leaf_of(0, 0xd, 7).ebx, 1664);
	CHECK_EQ(leaf_of(0, 0xd, 7).ecx, 2);
	CHECK_EQ(leaf_of(0, 0xd, 9).ecx, 0);  /* no bit of IA32_XSS */
	CHECK_EQ(leaf_of(0, 0xd, 17).eax, 0); /* AMX */
	CHECK_EQ(leaf_of(0, 0xd, 63).eax, 0);
	CHECK_EQ(leaf_of(0, 0xd, ANY).eax, 0);
	rig_end();
}

TEST(the_clocks_are_told_exactly)
{
	struct axvm_x86_cpuid out;

	start_full(1); /* 2.4 GHz */
	out = leaf_of(0, 0x15, 0);
	CHECK_EQ((uint64_t)out.ecx * out.ebx / out.eax, 2400000000);
	CHECK_EQ(out.ecx, 600000000); /* the local APIC's */
	CHECK_EQ(leaf_of(0, 0x16, 0).eax, 2400);
	out = leaf_of(0, 0x40000000, 0);
	CHECK_EQ(out.eax, 0x40000010);
	CHECK_EQ(out.ebx, 0x4d565841);
	out = leaf_of(0, 0x40000010, 0);
	CHECK_EQ(out.eax, 2400000);
	CHECK_EQ(out.ebx, 600000);
	rig_end();
}

TEST(bits_that_mirror_control_registers_follow_them)
{
	start_full(1);
	CHECK_EQ(leaf_of(0, 1, 0).ecx & 1u << 27, 0);
	CHECK_EQ(leaf_of(0, 7, 0).ecx & 1u << 4, 0);
	rig_vcpus[0].arch.sys.cr4 |= AXVM_X86_CR4_OSXSAVE | 1u << 22;
	CHECK(leaf_of(0, 1, 0).ecx & 1u << 27);
	CHECK(leaf_of(0, 7, 0).ecx & 1u << 4);
	rig_end();
}

TEST(CR4_may_have_what_CPUID_shows)
{
	start_full(1);
	/* VME to PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE */
	CHECK_EQ(axvm_x86_64_cr4_allowed(&rig_vcpus[0]), 0x770fff);
	set(1, ANY, 0, 0, 0, 0);
	set(7, ANY, 0, 0, 0, 0);
	CHECK_EQ(axvm_x86_64_cr4_allowed(&rig_vcpus[0]), 0);
	CHECK_EQ(axvm_x86_64_xcr0_allowed(&rig_vcpus[0]), 0x2e7);
	rig_end();
}

AXTEST_MAIN(nothing_gets_through_that_is_not_virtualised, what_guests_need_gets_through,
	    a_CPU_without_a_leaf_gives_only_what_is_set,
	    instructions_with_state_come_with_the_state, each_vcpu_has_its_place_in_the_topology,
	    caches_are_shared_by_the_vms_own_vcpus, the_save_areas_sizes_follow_XCR0,
	    the_clocks_are_told_exactly, bits_that_mirror_control_registers_follow_them,
	    CR4_may_have_what_CPUID_shows)
