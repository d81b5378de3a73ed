/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID as the guest sees it [SDM2 CPUID, APM3 E]. One table: of each leaf and register the bits of the host's that
 * get through, the bits that are set whatever the host has, and what fills in the rest. A leaf without a row is
 * zeros; so is one beyond the last, on whichever CPU.
 *
 * Not shown, as nothing here virtualises it: SVM, VMX, SMX, MONITOR, the performance counters, IBS, TSX, SGX,
 * MPX, CET, protection keys of the supervisor, PT, RDT, AMX, 57-bit linear addresses, WAITPKG, UINTR, XSAVES,
 * the controls of speculation (their MSRs are not switched), thermal and power management, encrypted memory.
 */
#include <axvm/hal_x86_64.h>

#include "regs.h"

#define HYPERVISOR_BASE 0x40000000u
#define EXTENDED_BASE 0x80000000u
#define BASIC_LAST 0x1fu
#define HYPERVISOR_LAST 0x40000010u
#define EXTENDED_LAST 0x80000021u

#define ALL UINT32_MAX
#define PASS           \
	{              \
		ALL, 0 \
	}

/* Bits that depend on others. */
#define F1_ECX_FMA (1u << 12)
#define F1_ECX_XSAVE (1u << 26)
#define F1_ECX_OSXSAVE (1u << 27)
#define F1_ECX_AVX (1u << 28)
#define F1_ECX_F16C (1u << 29)
#define F1_EDX_HTT (1u << 28)
#define F7_EBX_AVX2 (1u << 5)
#define F7_EBX_AVX512 0xdc230000u /* F, DQ, IFMA, PF, ER, CD, BW, VL */
#define F7_ECX_PKU (1u << 3)
#define F7_ECX_OSPKE (1u << 4)
#define F7_ECX_AVX 0x00000600u	  /* VAES, VPCLMULQDQ */
#define F7_ECX_AVX512 0x00005842u /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
#define F7_EDX_AVX512 0x0080010cu /* 4VNNIW, 4FMAPS, VP2INTERSECT, FP16 */
#define X1_ECX_AVX 0x00010800u	  /* XOP, FMA4 */
#define XCR0_AVX ((uint64_t)1 << 2)
#define XCR0_AVX512 ((uint64_t)7 << 5)
#define XCR0_PKRU ((uint64_t)1 << 9)
#define CR4_PKE ((uint64_t)1 << 22)

#define XSAVE_HEADER_END 576u
#define XSAVE_ALIGNED 2u /* ECX of subleaves of 0xd */
#define XSAVE_MAIN 0xdu
#define TOPOLOGY_THREADS 0x100u /* level types of 0xb and 0x1f, in ECX */
#define TOPOLOGY_CORES 0x200u

struct policy {
	uint32_t pass;
	uint32_t set;
};

struct row {
	struct policy eax, ebx, ecx, edx;
	void (*fill)(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out);
};

static struct axvm_x86_cpuid host_cpuid(uint32_t leaf, uint32_t subleaf)
{
	uint32_t out[4];

	axvm_hal_x86_64_cpuid(leaf, subleaf, out);
	return (struct axvm_x86_cpuid){ out[0], out[1], out[2], out[3] };
}

static uint64_t host_xcr0(void)
{
	return axvm_hal_x86_64_host()->xcr0;
}

/* ---- topology: one package of cores with a thread each ---------------------------------------------- */

/* Bits of an APIC id that tell the VM's vCPUs apart. */
static uint32_t id_bits(const struct axvm_vcpu *vcpu)
{
	uint32_t ids = vcpu->vm->vcpu_count - 1;
	uint32_t bits = 0;

	for (uint32_t i = 0; i < vcpu->vm->vcpu_count; i++)
		ids |= vcpu->vm->vcpus[i]->arch.lapic.id;
	while (bits < 32 && ids >> bits != 0)
		bits++;
	return bits;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

static void fill_features(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			  struct axvm_x86_cpuid *out)
{
	uint32_t count = vcpu->vm->vcpu_count;

	(void)subleaf;
	out->ebx |= vcpu->arch.lapic.id << 24;
	if (count > 1) {
		out->ebx |= at_most(count, 0xff) << 16;
		out->edx |= F1_EDX_HTT;
	}
	if (host_xcr0() == 0)
		out->ecx &= ~F1_ECX_XSAVE;
	if ((host_xcr0() & XCR0_AVX) == 0)
		out->ecx &= ~(F1_ECX_AVX | F1_ECX_FMA | F1_ECX_F16C);
	if ((vcpu->arch.sys.cr4 & AXVM_X86_CR4_OSXSAVE) != 0)
		out->ecx |= F1_ECX_OSXSAVE;
}

/* A cache of each kind is a core's own, but for the last level, which is everybody's. */
static void fill_cache(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out)
{
	uint32_t level = out->eax >> 5 & 7;
	uint32_t cores = ((uint32_t)1 << at_most(id_bits(vcpu), 6)) - 1;

	(void)subleaf;
	if ((out->eax & 0x1f) == 0) {
		*out = (struct axvm_x86_cpuid){ 0 };
		return;
	}
	out->eax &= 0x3ff;
	out->eax |= cores << 26;
	if (level > 2)
		out->eax |= cores << 14;
}

/* The leaf of AMD's CPUs says it as 4 does, without the number of cores. */
static void fill_cache_amd(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			   struct axvm_x86_cpuid *out)
{
	fill_cache(vcpu, subleaf, out);
	out->eax &= 0x03ffffff;
}

static void fill_topology(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			  struct axvm_x86_cpuid *out)
{
	out->edx = vcpu->arch.lapic.id;
	out->ecx = subleaf & 0xff;
	if (subleaf == 0) {
		out->ebx = 1;
		out->ecx |= TOPOLOGY_THREADS;
	} else if (subleaf == 1) {
		out->eax = id_bits(vcpu);
		out->ebx = vcpu->vm->vcpu_count;
		out->ecx |= TOPOLOGY_CORES;
	}
}

static void fill_sizes(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out)
{
	(void)subleaf;
	out->eax = (axvm_host_caps()->ipa_bits & 0xff) | 48 << 8;
	out->ecx = (vcpu->vm->vcpu_count - 1) | at_most(id_bits(vcpu), 15) << 12;
}

static void fill_core(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out)
{
	(void)subleaf;
	out->eax = vcpu->arch.lapic.id;
	out->ebx = vcpu->arch.lapic.id & 0xff;
}

/* ---- features and XSAVE ------------------------------------------------------------------------------- */

static void fill_structured(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			    struct axvm_x86_cpuid *out)
{
	uint64_t xcr0 = host_xcr0();

	if (subleaf != 0) {
		*out = (struct axvm_x86_cpuid){ 0 };
		return;
	}
	if ((xcr0 & XCR0_AVX) == 0) {
		out->ebx &= ~F7_EBX_AVX2;
		out->ecx &= ~F7_ECX_AVX;
	}
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512) {
		out->ebx &= ~F7_EBX_AVX512;
		out->ecx &= ~F7_ECX_AVX512;
		out->edx &= ~F7_EDX_AVX512;
	}
	if ((xcr0 & XCR0_PKRU) == 0)
		out->ecx &= ~F7_ECX_PKU;
	else if ((vcpu->arch.sys.cr4 & CR4_PKE) != 0)
		out->ecx |= F7_ECX_OSPKE;
}

/* Bytes of a save area of these components, as XSAVE lays them out. */
static uint32_t standard_bytes(uint64_t components)
{
	uint32_t bytes = XSAVE_HEADER_END;

	for (uint32_t i = 2; i < 63; i++) {
		if ((components >> i & 1) == 0)
			continue;
		struct axvm_x86_cpuid part = host_cpuid(XSAVE_MAIN, i);

		if (part.ebx + part.eax > bytes)
			bytes = part.ebx + part.eax;
	}
	return bytes;
}

/* The same as XSAVEC does. */
static uint32_t compact_bytes(uint64_t components)
{
	uint32_t bytes = XSAVE_HEADER_END;

	for (uint32_t i = 2; i < 63; i++) {
		if ((components >> i & 1) == 0)
			continue;
		struct axvm_x86_cpuid part = host_cpuid(XSAVE_MAIN, i);

		if ((part.ecx & XSAVE_ALIGNED) != 0)
			bytes = (bytes + 63) & ~63u;
		bytes += part.eax;
	}
	return bytes;
}

static void fill_xsave(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out)
{
	uint64_t allowed = host_xcr0();
	struct axvm_x86_cpuid part = *out;

	*out = (struct axvm_x86_cpuid){ 0 };
	if (allowed == 0)
		return;
	if (subleaf == 0) {
		out->eax = (uint32_t)allowed;
		out->ebx = standard_bytes(vcpu->arch.xcr0);
		out->ecx = standard_bytes(allowed);
		out->edx = (uint32_t)(allowed >> 32);
	} else if (subleaf == 1) {
		out->eax = part.eax & 7; /* XSAVEOPT, XSAVEC, XGETBV of 1 */
		out->ebx = (out->eax & 2) != 0 ? compact_bytes(vcpu->arch.xcr0) : 0;
	} else if (subleaf < 63 && (allowed >> subleaf & 1) != 0) {
		out->eax = part.eax;
		out->ebx = part.ebx;
		out->ecx = part.ecx & XSAVE_ALIGNED;
	}
}

/* ---- clocks: the TSC is the local APIC's clock times a power of 2, exactly ------------------------------ */

static void fill_tsc(const struct axvm_vcpu *vcpu, uint32_t subleaf, struct axvm_x86_cpuid *out)
{
	(void)vcpu;
	(void)subleaf;
	out->ebx = 1u << AXVM_LAPIC_CLOCK_SHIFT;
	out->ecx = (uint32_t)(axvm_hal_x86_64_host()->tsc_hz >> AXVM_LAPIC_CLOCK_SHIFT);
}

static void fill_megahertz(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			   struct axvm_x86_cpuid *out)
{
	uint32_t megahertz = (uint32_t)(axvm_hal_x86_64_host()->tsc_hz / 1000000) & 0xffff;

	(void)vcpu;
	(void)subleaf;
	out->eax = megahertz;
	out->ebx = megahertz;
}

/* The leaf that VMware began, and others understand. */
static void fill_kilohertz(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			   struct axvm_x86_cpuid *out)
{
	uint64_t hz = axvm_hal_x86_64_host()->tsc_hz;

	(void)vcpu;
	(void)subleaf;
	out->eax = (uint32_t)(hz / 1000);
	out->ebx = (uint32_t)((hz >> AXVM_LAPIC_CLOCK_SHIFT) / 1000);
}

static void fill_extended(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			  struct axvm_x86_cpuid *out)
{
	(void)vcpu;
	(void)subleaf;
	if ((host_xcr0() & XCR0_AVX) == 0)
		out->ecx &= ~X1_ECX_AVX;
}

static void fill_extended_last(const struct axvm_vcpu *vcpu, uint32_t subleaf,
			       struct axvm_x86_cpuid *out)
{
	(void)vcpu;
	(void)subleaf;
	out->eax = at_most(out->eax, EXTENDED_LAST);
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static const struct row basic[BASIC_LAST + 1] = {
	[0x00] = { .eax = { 0, BASIC_LAST }, .ebx = PASS, .ecx = PASS, .edx = PASS },
	[0x01] = {
		.eax = PASS,
		.ebx = { 0x0000ff00, 0 }, /* the line that CLFLUSH flushes */
		/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND;
		   x2APIC, TSC deadline, a hypervisor */
		.ecx = { 0x76da3203, 0x81200000 },
		/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFLUSH MMX FXSR SSE
		   SSE2 SS */
		.edx = { 0x0f8bfbff, 0 },
		.fill = fill_features,
	},
	[0x02] = { .eax = PASS, .ebx = PASS, .ecx = PASS, .edx = PASS },
	[0x04] = { .eax = PASS, .ebx = PASS, .ecx = PASS, .edx = { 7, 0 }, .fill = fill_cache },
	[0x06] = { .eax = { 0, 4 } }, /* ARAT: the local APIC's timer never stops */
	[0x07] = {
		/* FSGSBASE BMI1 AVX2 FDP_EXCPTN_ONLY SMEP BMI2 ERMS INVPCID no-FPU-CS AVX512* RDSEED ADX SMAP
		   CLFLUSHOPT CLWB SHA; TSC_ADJUST */
		.ebx = { 0xfdbf27e9, 2 },
		/* PREFETCHWT1 UMIP PKU GFNI RDPID CLDEMOTE MOVDIRI MOVDIR64B, and vectors' */
		.ecx = { 0x1a40010d | F7_ECX_AVX | F7_ECX_AVX512, 0 },
		/* FSRM MD_CLEAR SERIALIZE, and vectors' */
		.edx = { 0x00004410 | F7_EDX_AVX512, 0 },
		.fill = fill_structured,
	},
	[0x0b] = { .fill = fill_topology },
	[0x0d] = { .eax = PASS, .ebx = PASS, .ecx = PASS, .fill = fill_xsave },
	[0x15] = { .eax = { 0, 1 }, .fill = fill_tsc },
	[0x16] = { .fill = fill_megahertz },
	[0x1f] = { .fill = fill_topology },
};

static const struct row hypervisor[HYPERVISOR_LAST - HYPERVISOR_BASE + 1] = {
	/* "AXVMAXVMAXVM" */
	[0x00] = { { 0, HYPERVISOR_LAST },
		   { 0, 0x4d565841 },
		   { 0, 0x4d565841 },
		   { 0, 0x4d565841 },
		   NULL },
	[0x10] = { .fill = fill_kilohertz },
};

static const struct row extended[EXTENDED_LAST - EXTENDED_BASE + 1] = {
	[0x00] = { PASS, PASS, PASS, PASS, fill_extended_last },
	[0x01] = {
		.eax = PASS,
		.ebx = PASS,
		/* LAHF CMP_LEGACY CR8 ABM SSE4A MISALIGNSSE PREFETCHW XOP FMA4 TBM TOPOEXT */
		.ecx = { 0x006109f3, 0 },
		/* leaf 1's, SYSCALL NX MMXEXT FXSR 1-GiB-pages RDTSCP LM 3DNOWEXT 3DNOW */
		.edx = { 0xedd3fbff, 0 },
		.fill = fill_extended,
	},
	[0x02] = { PASS, PASS, PASS, PASS, NULL },
	[0x03] = { PASS, PASS, PASS, PASS, NULL },
	[0x04] = { PASS, PASS, PASS, PASS, NULL },
	[0x05] = { PASS, PASS, PASS, PASS, NULL },
	[0x06] = { PASS, PASS, PASS, PASS, NULL },
	[0x07] = { .edx = { 1u << 8, 0 } }, /* the TSC runs at one rate */
	[0x08] = { .ebx = { 0x205, 0 }, .fill = fill_sizes }, /* CLZERO XSAVEERPTR WBNOINVD */
	[0x19] = { PASS, PASS, PASS, PASS, NULL },
	[0x1a] = { .eax = { 7, 0 } },
	[0x1d] = { .eax = PASS, .ebx = PASS, .ecx = PASS, .edx = { 3, 0 }, .fill = fill_cache_amd },
	[0x1e] = { .fill = fill_core },
	[0x21] = { .eax = { 0x45, 0 } }, /* no nested data breakpoints, LFENCE serialises, null selectors clear */
};

static const struct row *row_of(uint32_t leaf)
{
	if (leaf <= BASIC_LAST)
		return &basic[leaf];
	if (leaf - EXTENDED_BASE <= EXTENDED_LAST - EXTENDED_BASE)
		return &extended[leaf - EXTENDED_BASE];
	if (leaf - HYPERVISOR_BASE <= HYPERVISOR_LAST - HYPERVISOR_BASE)
		return &hypervisor[leaf - HYPERVISOR_BASE];
	return NULL;
}

static uint32_t apply(struct policy policy, uint32_t host)
{
	return (host & policy.pass) | policy.set;
}

/* Leaves that this CPU has not, a CPU of the other make has: of an Intel CPU the last is 0x80000008. */
static bool host_has(uint32_t leaf)
{
	uint32_t base = leaf & EXTENDED_BASE;

	return host_cpuid(base, 0).eax >= leaf;
}

struct axvm_x86_cpuid axvm_x86_64_cpuid(const struct axvm_vcpu *vcpu, uint32_t leaf,
					uint32_t subleaf)
{
	const struct row *row = row_of(leaf);
	struct axvm_x86_cpuid out = { 0 };

	if (row == NULL)
		return out;
	if ((row->eax.pass | row->ebx.pass | row->ecx.pass | row->edx.pass) != 0 && host_has(leaf))
		out = host_cpuid(leaf, subleaf);
	out.eax = apply(row->eax, out.eax);
	out.ebx = apply(row->ebx, out.ebx);
	out.ecx = apply(row->ecx, out.ecx);
	out.edx = apply(row->edx, out.edx);
	if (row->fill != NULL)
		row->fill(vcpu, subleaf, &out);
	return out;
}

/* ---- what follows from it ----------------------------------------------------------------------------- */

struct feature {
	uint32_t bit; /* of the register */
	uint32_t cr4; /* the bit that it allows */
};

static uint64_t bits_of(const struct feature *features, unsigned count, uint32_t value)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < count; i++) {
		if ((value >> features[i].bit & 1) != 0)
			bits |= (uint64_t)1 << features[i].cr4;
	}
	return bits;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint64_t axvm_x86_64_cr4_allowed(const struct axvm_vcpu *vcpu)
{
	static const struct feature edx_1[] = {
		{ 1, 0 },  { 1, 1 },   /* VME: VME, PVI */
		{ 4, 2 },	       /* TSC: TSD */
		{ 2, 3 },	       /* DE */
		{ 3, 4 },  { 6, 5 },   /* PSE, PAE */
		{ 7, 6 },  { 13, 7 },  /* MCE, PGE */
		{ 5, 8 },	       /* PCE: of no counters */
		{ 24, 9 }, { 25, 10 }, /* FXSR: OSFXSR; SSE: OSXMMEXCPT */
	};
	static const struct feature ecx_1[] = { { 17, 17 }, { 26, 18 } }; /* PCIDE, OSXSAVE */
	static const struct feature ebx_7[] = { { 0, 16 }, { 7, 20 }, { 20, 21 } };
	static const struct feature ecx_7[] = { { 2, 11 }, { 3, 22 } }; /* UMIP, PKE */
	struct axvm_x86_cpuid one = axvm_x86_64_cpuid(vcpu, 1, 0);
	struct axvm_x86_cpuid seven = axvm_x86_64_cpuid(vcpu, 7, 0);

	return bits_of(edx_1, COUNT(edx_1), one.edx) | bits_of(ecx_1, COUNT(ecx_1), one.ecx) |
	       bits_of(ebx_7, COUNT(ebx_7), seven.ebx) | bits_of(ecx_7, COUNT(ecx_7), seven.ecx);
}

uint64_t axvm_x86_64_xcr0_allowed(const struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	return host_xcr0();
}
