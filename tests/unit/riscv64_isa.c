/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest is told that it may use, of what harts say they have (arch/riscv64/isa.c). */
#include <string.h>

#include "axtest.h"
#include "isa.h"

/* As QEMU 10.0 has them: -cpu rv64 and -cpu max. */
static const char qemu_rv64[] =
	"rv64imafdch_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicntr_z"
	"icsr_zifencei_zihintntl_zihintpause_zihpm_zmmul_za64rs_zaamo_zalrsc_zawrs_zfa_zc"
	"a_zcd_zba_zbb_zbc_zbs_shcounterenw_shgatpa_shtvala_shvsatpa_shvstvala_shvstvecd_"
	"ssccptr_sscounterenw_sstc_sstvala_sstvecd_ssu64xl_svadu_svvptc";
static const char guest_rv64[] =
	"rv64imafdc_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicntr_zi"
	"csr_zifencei_zihintntl_zihintpause_zihpm_zmmul_za64rs_zaamo_zalrsc_zawrs_zfa_zca"
	"_zcd_zba_zbb_zbc_zbs_ssccptr_sscounterenw_sstc_sstvala_sstvecd_ssu64xl_svadu_svv"
	"ptc";
static const char qemu_max[] =
	"rv64imafdcbvh_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicfil"
	"p_zicfiss_zicond_zicntr_zicsr_zifencei_zihintntl_zihintpause_zihpm_zimop_zmmul_z"
	"a64rs_zaamo_zabha_zacas_zama16b_zalrsc_zawrs_zfa_zfbfmin_zfh_zfhmin_zca_zcb_zcd_"
	"zcmop_zba_zbb_zbc_zbkb_zbkc_zbkx_zbs_zk_zkn_zknd_zkne_zknh_zkr_zks_zksed_zksh_zk"
	"t_ztso_zvbb_zvbc_zve32f_zve32x_zve64f_zve64d_zve64x_zvfbfmin_zvfbfwma_zvfh_zvfhm"
	"in_zvkb_zvkg_zvkn_zvknc_zvkned_zvkng_zvknha_zvknhb_zvks_zvksc_zvksed_zvksg_zvksh"
	"_zvkt_shcounterenw_sha_shgatpa_shtvala_shvsatpa_shvstvala_shvstvecd_smaia_smcdel"
	"eg_smcntrpmf_smcsrind_smepmp_smmpm_smnpm_smstateen_ssaia_ssccfg_ssccptr_sscofpmf"
	"_sscounterenw_sscsrind_ssdbltrp_ssnpm_sspm_ssstateen_sstc_sstvala_sstvecd_ssu64x"
	"l_supm_smctr_ssctr_svadu_svinval_svnapot_svpbmt_svvptc";
static const char guest_max[] =
	"rv64imafdcbv_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicond_"
	"zicntr_zicsr_zifencei_zihintntl_zihintpause_zihpm_zimop_zmmul_za64rs_zaamo_zabha"
	"_zacas_zama16b_zalrsc_zawrs_zfa_zfbfmin_zfh_zfhmin_zca_zcb_zcd_zcmop_zba_zbb_zbc"
	"_zbkb_zbkc_zbkx_zbs_zkn_zknd_zkne_zknh_zks_zksed_zksh_zkt_ztso_zvbb_zvbc_zve3"
	"2f_zve32x_zve64f_zve64d_zve64x_zvfbfmin_zvfbfwma_zvfh_zvfhmin_zvkb_zvkg_zvkn_zvk"
	"nc_zvkned_zvkng_zvknha_zvknhb_zvks_zvksc_zvksed_zvksg_zvksh_zvkt_ssaia_ssccptr_s"
	"scounterenw_sstc_sstvala_sstvecd_ssu64xl_svadu_svinval_svnapot_svpbmt_svvptc";

#define EVERY_BIT                                                                   \
	(AXVM_RISCV64_EXT_SSTC | AXVM_RISCV64_EXT_SVPBMT | AXVM_RISCV64_EXT_SVADU | \
	 AXVM_RISCV64_EXT_ZICBOM | AXVM_RISCV64_EXT_ZICBOZ | AXVM_RISCV64_EXT_V |   \
	 AXVM_RISCV64_EXT_SSAIA | AXVM_RISCV64_EXT_F)

static struct axvm_riscv64_host host;
static struct axvm_riscv64_view view;
static char isa[AXVM_RISCV64_ISA_BYTES + 8];
static uint64_t extensions;

static void begin(const char *text)
{
	host = (struct axvm_riscv64_host){
		.isa = text,
		.cbom_block_bytes = 64,
		.cboz_block_bytes = 64,
		.cbop_block_bytes = 64,
		.vlen_bytes = 16,
		.has_sstc = true,
		.has_aia = true,
		.controller = AXVM_RISCV64_AIA,
		.mmu_levels = 5,
	};
	view = (struct axvm_riscv64_view){ .host = &host, .has_imsic = true };
}

static void make(void)
{
	memset(isa, '#', sizeof(isa));
	extensions = axvm_riscv64_guest_isa(&view, isa);
	CHECK(memchr(isa, '\0', AXVM_RISCV64_ISA_BYTES) != NULL);
	for (unsigned i = AXVM_RISCV64_ISA_BYTES; i < sizeof(isa); i++)
		CHECK_EQ(isa[i], '#');
}

static void check_isa(const char *text, const char *expected)
{
	begin(text);
	make();
	CHECK_STR_EQ(isa, expected);
}

/* ---- QEMU's CPUs ------------------------------------------------------------------------------ */

TEST(qemus_cpus_lose_what_no_guest_may_use)
{
	begin(qemu_rv64);
	make();
	CHECK_STR_EQ(isa, guest_rv64);
	CHECK_EQ(extensions, AXVM_RISCV64_EXT_SSTC | AXVM_RISCV64_EXT_SVADU |
				     AXVM_RISCV64_EXT_ZICBOM | AXVM_RISCV64_EXT_ZICBOZ |
				     AXVM_RISCV64_EXT_F);
	begin(qemu_max);
	make();
	CHECK_STR_EQ(isa, guest_max);
	CHECK_EQ(extensions, EVERY_BIT);
}

TEST(nothing_of_machine_or_hypervisor_level_is_shown)
{
	static const char *const never[] = { "h",	"sha",	     "shgatpa",	  "smaia",
					     "smepmp",	"smstateen", "ssstateen", "sscofpmf",
					     "zk",	"zkr",	     "zicfiss",	  "zicfilp",
					     "ssnpm",	"supm",	     "ssdbltrp",  "ssctr",
					     "sscsrind" };

	begin(qemu_max);
	make();
	for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		CHECK(axvm_riscv64_isa_has(qemu_max, never[i]));
		CHECK(!axvm_riscv64_isa_has(isa, never[i]));
	}
}

/* ---- conditions ------------------------------------------------------------------------------- */

static void check_hidden(const char *name, uint64_t bit)
{
	make();
	CHECK(!axvm_riscv64_isa_has(isa, name));
	CHECK_EQ(extensions, EVERY_BIT & ~bit);
}

TEST(what_somebody_must_enable_is_shown_only_when_it_is)
{
	begin(qemu_max);
	host.has_sstc = false;
	check_hidden("sstc", AXVM_RISCV64_EXT_SSTC);
	begin(qemu_max);
	host.has_aia = false;
	check_hidden("ssaia", AXVM_RISCV64_EXT_SSAIA);
	begin(qemu_max);
	view.has_imsic = false;
	check_hidden("ssaia", AXVM_RISCV64_EXT_SSAIA);
	begin(qemu_max);
	host.cbom_block_bytes = 0;
	check_hidden("zicbom", AXVM_RISCV64_EXT_ZICBOM);
	begin(qemu_max);
	host.cboz_block_bytes = 0;
	check_hidden("zicboz", AXVM_RISCV64_EXT_ZICBOZ);
	begin(qemu_max);
	host.vlen_bytes = 0;
	check_hidden("v", AXVM_RISCV64_EXT_V);
}

TEST(without_vector_registers_nothing_that_works_on_them_is_shown)
{
	begin(qemu_max);
	host.vlen_bytes = 0;
	make();
	CHECK(strstr(isa, "_zv") == NULL);
	check_isa("rv64i_zve32x_zvl128b", "rv64i_zve32x_zvl128b");
	CHECK_EQ(extensions, AXVM_RISCV64_EXT_V);
	host.vlen_bytes = 0;
	make();
	CHECK_STR_EQ(isa, "rv64i");
	CHECK_EQ(extensions, 0);
}

TEST(bits_are_written_by_hardware_only_where_faults_are_not_in_force)
{
	check_isa("rv64i_svadu", "rv64i_svadu");
	CHECK_EQ(extensions, AXVM_RISCV64_EXT_SVADU);
	check_isa("rv64i_svade", "rv64i_svade");
	check_isa("rv64i_svade_svadu", "rv64i_svade");
	CHECK_EQ(extensions, 0);
}

/* ---- strings ---------------------------------------------------------------------------------- */

TEST(on_a_desk_it_is_a_plain_rv64gc)
{
	extensions = axvm_riscv64_guest_isa(NULL, isa);
	CHECK_STR_EQ(isa, "rv64imafdc_zicntr_zicsr_zifencei");
	CHECK_EQ(extensions, AXVM_RISCV64_EXT_F);
	view = (struct axvm_riscv64_view){ .host = NULL, .has_imsic = true };
	make();
	CHECK_STR_EQ(isa, "rv64imafdc_zicntr_zicsr_zifencei");
	CHECK_EQ(axvm_riscv64_view_host(&view)->mmu_levels, 3);
}

TEST(names_that_are_not_known_are_left_out)
{
	check_isa("rv64imac_xventanacondops_zfuture_sscool_zba", "rv64imac_zba");
	check_isa("rv64imachj", "rv64imac");
	check_isa("rv64", "rv64");
	check_isa("rv64_", "rv64");
	check_isa("rv64i__zba_", "rv64i_zba");
	check_isa("rv64izba", "rv64i_zba");
	check_isa("rv64i_zb", "rv64i");
	check_isa("rv64i_zbaa", "rv64i");
	check_isa("rv64i_m", "rv64im");
	check_isa("rv64i_zba_m", "rv64i_zba_m");
}

TEST(versions_are_not_looked_at)
{
	check_isa("rv64i2p1_m2p0_a2_zicsr2p0_zba1_zvl128b1p0_zic64b",
		  "rv64ima_zicsr_zba_zvl128b_zic64b");
	CHECK(axvm_riscv64_isa_has("rv64i2p1m2_zicsr2p0_zvl128b", "m"));
	CHECK(axvm_riscv64_isa_has("rv64i2p1m2_zicsr2p0_zvl128b", "zicsr"));
	CHECK(axvm_riscv64_isa_has("rv64i2p1m2_zicsr2p0_zvl128b", "zvl128b"));
	CHECK(!axvm_riscv64_isa_has("rv64i2p1m2_zicsr2p0_zvl128b", "p"));
}

TEST(g_stands_for_what_it_stands_for)
{
	static const char *const in[] = { "i", "m", "a", "f", "d", "c", "zicsr", "zifencei" };

	for (unsigned i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		CHECK(axvm_riscv64_isa_has("rv64gc", in[i]));
	CHECK(!axvm_riscv64_isa_has("rv64gc", "v"));
	CHECK(!axvm_riscv64_isa_has("rv64gc", "zic"));
	check_isa("rv64gcv", "rv64imafd_zicsr_zifencei_c_v");
	CHECK_EQ(extensions, AXVM_RISCV64_EXT_F | AXVM_RISCV64_EXT_V);
}

TEST(what_is_no_64_bit_isa_has_nothing)
{
	CHECK(!axvm_riscv64_isa_has("rv32imac", "m"));
	CHECK(!axvm_riscv64_isa_has("", "m"));
	CHECK(!axvm_riscv64_isa_has("rv6", "m"));
	check_isa("rv32imac", "rv64imafdc_zicntr_zicsr_zifencei");
}

TEST(a_long_string_is_cut_between_names)
{
	static char text[4096] = "rv64i";

	for (unsigned i = 0; i < 400; i++)
		strcat(text, "_zicsr");
	begin(text);
	make();
	CHECK_EQ(strlen(isa) % 6, 5);
	CHECK(strlen(isa) + 6 >= AXVM_RISCV64_ISA_BYTES);
	memset(text + 4, 'i', 4000);
	text[4004] = '\0';
	make();
	CHECK_EQ(strlen(isa), AXVM_RISCV64_ISA_BYTES - 1);
}

/* ---- henvcfg ---------------------------------------------------------------------------------- */

TEST(henvcfg_lets_a_guest_have_what_it_is_told_and_no_more)
{
	static const struct {
		uint64_t extension, henvcfg;
	} rows[] = {
		{ AXVM_RISCV64_EXT_SSTC, 1ull << 63 },	{ AXVM_RISCV64_EXT_SVPBMT, 1ull << 62 },
		{ AXVM_RISCV64_EXT_SVADU, 1ull << 61 }, { AXVM_RISCV64_EXT_ZICBOM, 0x50 },
		{ AXVM_RISCV64_EXT_ZICBOZ, 0x80 },	{ AXVM_RISCV64_EXT_V, 0 },
		{ AXVM_RISCV64_EXT_SSAIA, 0 },		{ AXVM_RISCV64_EXT_F, 0 },
	};
	uint64_t all = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(axvm_riscv64_henvcfg(rows[i].extension), rows[i].henvcfg);
		all |= rows[i].henvcfg;
	}
	CHECK_EQ(axvm_riscv64_henvcfg(EVERY_BIT), all);
}

AXTEST_MAIN(qemus_cpus_lose_what_no_guest_may_use, nothing_of_machine_or_hypervisor_level_is_shown,
	    what_somebody_must_enable_is_shown_only_when_it_is,
	    without_vector_registers_nothing_that_works_on_them_is_shown,
	    bits_are_written_by_hardware_only_where_faults_are_not_in_force,
	    on_a_desk_it_is_a_plain_rv64gc, names_that_are_not_known_are_left_out,
	    versions_are_not_looked_at, g_stands_for_what_it_stands_for,
	    what_is_no_64_bit_isa_has_nothing, a_long_string_is_cut_between_names,
	    henvcfg_lets_a_guest_have_what_it_is_told_and_no_more)
