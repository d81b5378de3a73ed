/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the harts have: from riscv,isa of the device tree, and by trying, since firmware may keep what a
 * hart has. Harts that differ run no guests (docs/limits.md).
 */
#include <string.h>

#include <libfdt.h>

#include "cpu.h"
#include "csr.h"
#include "irq.h"
#include "isa.h"
#include "pte.h"
#include "regs.h"
#include "sbi.h"
#include "text.h"

#define ISA_BYTES AXVM_RISCV64_ISA_BYTES

struct axvm_bare_features axvm_bare_features;

static struct axvm_riscv64_host host;
static char isa[ISA_BYTES];
static struct axvm_bare_hart_model first_model;
static const void *tree;
static uint64_t hz;

const struct axvm_riscv64_host *axvm_hal_riscv64_host(void)
{
	return &host;
}

uint64_t axvm_hal_time_hz(void)
{
	return hz;
}

/* ---- the device tree ------------------------------------------------------------------------- */

static uint64_t read_number(int node, const char *name)
{
	int bytes = 0;
	const fdt32_t *cell = fdt_getprop(tree, node, name, &bytes);

	if (cell == NULL || bytes < 4)
		return 0;
	uint64_t value = fdt32_to_cpu(cell[0]);
	return bytes < 8 ? value : value << 32 | fdt32_to_cpu(cell[1]);
}

bool axvm_bare_is_cpu(const void *fdt, int node, uint64_t *hart)
{
	int bytes = 0;
	const char *type = fdt_getprop(fdt, node, "device_type", &bytes);
	const char *status = fdt_getprop(fdt, node, "status", NULL);
	int reg_bytes = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &reg_bytes);

	if (type == NULL || !fdt_stringlist_contains(type, bytes, "cpu") || reg == NULL ||
	    reg_bytes < 4 || (status != NULL && status[0] != 'o'))
		return false;
	*hart = fdt32_to_cpu(reg[0]);
	if (reg_bytes >= 8)
		*hart = *hart << 32 | fdt32_to_cpu(reg[1]);
	return true;
}

static int node_of_hart(uint64_t wanted)
{
	int cpus = fdt_path_offset(tree, "/cpus");
	uint64_t hart;
	int node;

	fdt_for_each_subnode(node, tree, cpus)
	{
		if (axvm_bare_is_cpu(tree, node, &hart) && hart == wanted)
			return node;
	}
	return -1;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The newer form: riscv,isa-base, and riscv,isa-extensions as a list of names. */
static void join_extensions(int node, struct axvm_text *text)
{
	int bytes = 0;
	const char *base = fdt_getprop(tree, node, "riscv,isa-base", &bytes);

	if (base == NULL || bytes < 5)
		return;
	axvm_text_string(text, "rv64");
	for (int i = 0; i < fdt_stringlist_count(tree, node, "riscv,isa-extensions"); i++) {
		int length = 0;
		const char *name =
			fdt_stringlist_get(tree, node, "riscv,isa-extensions", i, &length);

		if (name != NULL && length > 1)
			axvm_text_char(text, '_');
		if (name != NULL)
			axvm_text_string(text, name);
	}
}

static void read_isa(uint64_t hart, char out[ISA_BYTES])
{
	int node = node_of_hart(hart);
	struct axvm_text text = axvm_text(out, ISA_BYTES);
	int bytes = 0;
	const char *words = node < 0 ? NULL : fdt_getprop(tree, node, "riscv,isa", &bytes);

	if (node >= 0 && (words == NULL || bytes < 1 || words[bytes - 1] != '\0'))
		join_extensions(node, &text);
	else if (words != NULL)
		axvm_text_string(&text, words);
	for (char *c = out; *c != '\0'; c++)
		*c = lower(*c);
}

/* ---- what is there --------------------------------------------------------------------------- */

static bool has_hypervisor_extension(void)
{
	uint64_t value;

	return try_read_hgatp(&value);
}

bool axvm_bare_check(const char **why)
{
	uint64_t value;

	if (!axvm_bare_sbi_init(why))
		return false;
	if (!has_hypervisor_extension()) {
		*why = "the harts have no hypervisor extension (H), or the firmware keeps it: a "
		       "hypervisor needs it, in QEMU -cpu rv64,h=true";
		return false;
	}
	if (!try_read_time(&value)) {
		*why = "the firmware keeps the CSR time from S mode (mcounteren.TM)";
		return false;
	}
	return true;
}

static void probe_csrs(void)
{
	struct axvm_bare_features *features = &axvm_bare_features;
	uint64_t value;

	features->has_fp = axvm_riscv64_isa_has(isa, "d");
	features->has_svpbmt = axvm_riscv64_isa_has(isa, "svpbmt");
	features->has_zicbom = axvm_riscv64_isa_has(isa, "zicbom") && host.cbom_block_bytes != 0;
	features->has_senvcfg = try_read_henvcfg(&value) && try_read_senvcfg(&value);
	features->has_stateen = try_read_hstateen0(&value) && try_read_sstateen0(&value);
	features->has_indirect = axvm_riscv64_isa_has(isa, "ssaia") && try_read_vsiselect(&value);
	features->has_cycle = try_read_cycle(&value);
	features->has_instret = try_read_instret(&value);
}

/* Firmware switches Sstc on for S mode with menvcfg.STCE, without which henvcfg's is read-only 0. */
static bool has_sstc(void)
{
	uint64_t value;

	if (!axvm_riscv64_isa_has(isa, "sstc") || !try_read_stimecmp(&value))
		return false;
	write_henvcfg(AXVM_RISCV64_HENVCFG_STCE);
	bool holds = (read_henvcfg() & AXVM_RISCV64_HENVCFG_STCE) != 0;
	write_henvcfg(0);
	return holds;
}

static uint32_t vector_bytes(void)
{
	if (!axvm_riscv64_isa_has(isa, "v"))
		return 0;
	uint64_t status = read_sstatus();

	write_sstatus(status | AXVM_RISCV64_VS_INITIAL);
	uint32_t bytes =
		(read_sstatus() & AXVM_RISCV64_STATUS_VS) != 0 ? (uint32_t)read_vlenb() : 0;
	write_sstatus(status & ~AXVM_RISCV64_STATUS_VS);
	return bytes;
}

/* The widest mode of vsatp that holds: a guest's own translation [RISCV-H 18.2.13]. */
static uint32_t mmu_levels(void)
{
	uint32_t levels = 3;

	for (uint64_t mode = 9; mode <= 10; mode++) {
		write_vsatp(mode << 60);
		if (read_vsatp() >> 60 == mode)
			levels = (uint32_t)mode - 5;
	}
	write_vsatp(0);
	return levels;
}

/* What CBO.ZERO clears, where it is there and fits into a page. */
static uint64_t zero_block(void)
{
	uint64_t bytes = host.cboz_block_bytes;
	bool fits = bytes >= 8 && bytes <= AXVM_PAGE_BYTES / 4 && (bytes & (bytes - 1)) == 0;

	return fits && axvm_riscv64_isa_has(isa, "zicboz") ? bytes : 0;
}

bool axvm_bare_host_init(const void *fdt, const char **why)
{
	tree = fdt;
	hz = read_number(fdt_path_offset(tree, "/cpus"), "timebase-frequency");
	int node = node_of_hart(axvm_cpus[0].hardware_id);
	if (hz == 0)
		hz = read_number(node, "timebase-frequency");
	if (hz == 0) {
		*why = "the machine's device tree has no timebase-frequency";
		return false;
	}
	read_isa(axvm_cpus[0].hardware_id, isa);
	host.isa = isa;
	host.cbom_block_bytes = (uint32_t)read_number(node, "riscv,cbom-block-size");
	host.cboz_block_bytes = (uint32_t)read_number(node, "riscv,cboz-block-size");
	host.cbop_block_bytes = (uint32_t)read_number(node, "riscv,cbop-block-size");
	probe_csrs();
	host.has_sstc = has_sstc();
	host.has_aia = axvm_bare_features.has_indirect;
	axvm_bare_zero_block = zero_block();
	host.vlen_bytes = vector_bytes();
	host.mmu_levels = mmu_levels();
	return true;
}

static bool is_same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return *a == *b;
}

/*
 * What a guest is shown is read on one CPU and holds on all that run guests: a CPU that differs runs
 * none.
 */
bool axvm_bare_cpu_is_like_first(struct axvm_cpu *cpu)
{
	struct axvm_bare_hart_model model = axvm_bare_sbi_model();
	char its_isa[ISA_BYTES];

	if (cpu->index == 0) {
		first_model = model;
		host.mvendorid = model.mvendorid;
		host.marchid = model.marchid;
		host.mimpid = model.mimpid;
		return true;
	}
	read_isa(cpu->hardware_id, its_isa);
	return is_same(isa, its_isa) && model.mvendorid == first_model.mvendorid &&
	       model.marchid == first_model.marchid && model.mimpid == first_model.mimpid;
}

/* ---- for the library ------------------------------------------------------------------------- */

/* A word of the firmware's boot arguments, to measure and test with; 0: it is not there. */
static uint64_t wanted_gstage_mode(void)
{
	static const char word[] = "axvm.gstage=sv";
	int bytes = 0;
	int chosen = fdt_path_offset(tree, "/chosen");
	const char *at = chosen < 0 ? NULL : fdt_getprop(tree, chosen, "bootargs", &bytes);
	int length = (int)sizeof(word) - 1;

	for (; at != NULL && bytes >= length + 2; at++, bytes--) {
		if (memcmp(at, word, (size_t)length) != 0)
			continue;
		return at[length] == '4'   ? AXVM_RISCV64_HGATP_SV48X4
		       : at[length] == '5' ? AXVM_RISCV64_HGATP_SV57X4
					   : 0;
	}
	return 0;
}

static bool holds_gstage_mode(uint64_t mode)
{
	write_hgatp(mode << 60);
	bool holds = read_hgatp() >> 60 == mode;
	write_hgatp(0);
	return holds;
}

/* Fewer levels are faster, and three reach 2 TiB; wider ones for a hart that lacks Sv39x4. */
static uint32_t choose_gstage_mode(void)
{
	uint64_t mode = wanted_gstage_mode();

	if (mode != 0 && holds_gstage_mode(mode))
		return (uint32_t)mode;
	for (mode = AXVM_RISCV64_HGATP_SV39X4; mode <= AXVM_RISCV64_HGATP_SV57X4; mode++) {
		if (holds_gstage_mode(mode))
			return (uint32_t)mode;
	}
	return 0;
}

/* How many values of hgatp.VMID the hart keeps apart. */
static uint32_t probe_vmids(uint32_t mode)
{
	write_hgatp(axvm_riscv64_make_hgatp(mode, 0x3fff, axvm_hpa(0)));
	uint32_t highest = (uint32_t)(read_hgatp() >> 44 & 0x3fff);

	write_hgatp(0);
	axvm_hfence_gvma_all();
	return highest + 1;
}

int axvm_hal_probe(struct axvm_hal_caps *caps, const char **why)
{
	uint32_t mode = choose_gstage_mode();

	caps->format = axvm_riscv64_gstage_format(mode, axvm_bare_features.has_svpbmt);
	if (caps->format == NULL) {
		*why = "the harts translate guest-physical addresses in no known way (hgatp.MODE)";
		return AXVM_EUNSUPPORTED;
	}
	caps->ipa_bits = caps->format->input_bits;
	caps->pa_bits = caps->format->output_bits;
	caps->vmid_count = probe_vmids(mode);
	caps->list_registers = 0;
	host.controller = axvm_bare_irq_controller();
	host.guest_files = axvm_bare_guest_files();
	axvm_bare_gstage_init(mode, caps->vmid_count);
	return 0;
}
