/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's own tables, followed in software. */
#include "x86_64_guest_rig.h"

#define LINEAR 0x00007f1234567000ULL
#define PAGE_GPA (RAM_GPA + 0x10000)
#define OTHER_GPA (RAM_GPA + 0x20000)
#define NX ((uint64_t)1 << 63)
#define LARGE 0x80u
#define AC 0x40000u

#define PRESENT 1u
#define WRITE 2u
#define USER 4u
#define RESERVED 8u
#define FETCH 16u

static struct axvm_arch_vcpu *arch(void)
{
	return &rig_vcpu.arch;
}

static bool translate(uint64_t linear, unsigned access, uint64_t *gpa, struct axvm_x86_fault *fault)
{
	struct axvm_gpa found = { UINT64_MAX };
	bool ok = axvm_x86_64_translate(&rig_vcpu, linear, access, &found, fault);

	*gpa = found.addr;
	return ok;
}

static void check_at(uint64_t linear, uint64_t gpa)
{
	struct axvm_x86_fault fault;
	uint64_t found;

	CHECK(translate(linear, 0, &found, &fault));
	CHECK_EQ(found, gpa);
}

static void check_fault(uint64_t linear, unsigned access, uint32_t error_code)
{
	struct axvm_x86_fault fault;
	uint64_t found;

	CHECK(!translate(linear, access, &found, &fault));
	CHECK(fault.is_page_fault);
	CHECK_EQ(fault.linear, linear);
	CHECK_EQ(fault.error_code, error_code);
}

static void check_nothing(uint64_t linear)
{
	struct axvm_x86_fault fault;
	uint64_t found;

	CHECK(!translate(linear, 0, &found, &fault));
	CHECK(!fault.is_page_fault);
	CHECK_EQ(fault.linear, linear);
}

/* Puts an entry into a table, of 4 or 8 bytes. */
static void put(uint64_t table, uint64_t index, uint64_t entry, unsigned bytes)
{
	ram_write(table + index * bytes, &entry, bytes);
}

/* What the manual says of a page's rights, in its own order [SDM3 4.6.1]. */
struct rule {
	bool user_page, writable, executable;
	bool user_mode, wp, smep, smap, ac;
	unsigned access;
};

static bool manual_allows(const struct rule *rule)
{
	bool write = (rule->access & AXVM_X86_ACCESS_WRITE) != 0;
	bool fetch = (rule->access & AXVM_X86_ACCESS_FETCH) != 0;
	bool system = (rule->access & AXVM_X86_ACCESS_SYSTEM) != 0;

	if (rule->user_mode && !system) {
		if (!rule->user_page)
			return false;
		if (fetch)
			return rule->executable;
		return !write || rule->writable;
	}
	if (fetch)
		return rule->executable && !(rule->smep && rule->user_page);
	if (rule->user_page && rule->smap && (system || !rule->ac))
		return false;
	return !write || rule->writable || !rule->wp;
}

static const unsigned accesses[] = { 0, AXVM_X86_ACCESS_WRITE, AXVM_X86_ACCESS_FETCH,
				     AXVM_X86_ACCESS_SYSTEM };

static void check_rule(const struct rule *rule)
{
	struct axvm_x86_sysregs *sys = &arch()->sys;
	bool user_mode = rule->user_mode && (rule->access & AXVM_X86_ACCESS_SYSTEM) == 0;
	uint64_t gpa = OTHER_GPA | PRESENT;

	gpa |= rule->writable ? WRITE : 0;
	gpa |= rule->user_page ? USER : 0;
	gpa |= rule->executable ? 0 : NX;
	rig_map(LINEAR, gpa, 0);
	sys->cpl = rule->user_mode ? 3 : 0;
	sys->cr0 = AXVM_X86_CR0_PE | AXVM_X86_CR0_PG | (rule->wp ? AXVM_X86_CR0_WP : 0);
	sys->cr4 = AXVM_X86_CR4_PAE | (rule->smep ? AXVM_X86_CR4_SMEP : 0) |
		   (rule->smap ? AXVM_X86_CR4_SMAP : 0);
	arch()->rflags = AXVM_X86_RFLAGS_FIXED | (rule->ac ? AC : 0);
	if (manual_allows(rule)) {
		struct axvm_x86_fault fault;
		uint64_t found;

		CHECK(translate(LINEAR, rule->access, &found, &fault));
		CHECK_EQ(found, OTHER_GPA);
		return;
	}
	check_fault(LINEAR, rule->access,
		    PRESENT | (rule->access == AXVM_X86_ACCESS_WRITE ? WRITE : 0) |
			    (rule->access == AXVM_X86_ACCESS_FETCH ? FETCH : 0) |
			    (user_mode ? USER : 0));
}

TEST(rights_are_those_of_the_manual)
{
	rig_start();
	for (unsigned bits = 0; bits < 256; bits++) {
		for (unsigned i = 0; i < 4; i++) {
			const struct rule rule = {
				.user_page = (bits & 1) != 0,
				.writable = (bits & 2) != 0,
				.executable = (bits & 4) != 0,
				.user_mode = (bits & 8) != 0,
				.wp = (bits & 16) != 0,
				.smep = (bits & 32) != 0,
				.smap = (bits & 64) != 0,
				.ac = (bits & 128) != 0,
				.access = accesses[i],
			};

			check_rule(&rule);
		}
	}
	rig_end();
}

TEST(every_level_takes_rights_away)
{
	struct axvm_x86_sysregs *sys = &arch()->sys;

	rig_start();
	rig_map(LINEAR, OTHER_GPA, PTE_RW | PTE_USER);
	sys->cpl = 3;
	check_at(LINEAR + 0x123, OTHER_GPA + 0x123);
	for (unsigned level = 0; level < 3; level++) {
		uint64_t at = sys->cr3 + 8 * (LINEAR >> 39 & 511);
		uint64_t entry;

		for (unsigned i = 0; i < level; i++) {
			ram_read(at, &entry, 8);
			at = (entry & ~(uint64_t)4095) + 8 * (LINEAR >> (30 - 9 * i) & 511);
		}
		ram_read(at, &entry, 8);
		put(at, 0, entry & ~(uint64_t)USER, 8);
		check_fault(LINEAR, 0, PRESENT | USER);
		put(at, 0, entry & ~(uint64_t)WRITE, 8);
		check_fault(LINEAR, AXVM_X86_ACCESS_WRITE, PRESENT | USER | WRITE);
		put(at, 0, entry | NX, 8);
		check_fault(LINEAR, AXVM_X86_ACCESS_FETCH, PRESENT | USER | FETCH);
		put(at, 0, entry & ~(uint64_t)PRESENT, 8);
		check_fault(LINEAR, 0, USER);
		/* Bit 7 is an address of a large page, or reserved in the uppermost. */
		put(at, 0, level == 0 ? entry | LARGE : (entry & 0xfff) | LARGE, 8);
		if (level == 0)
			check_fault(LINEAR, 0, PRESENT | USER | RESERVED);
		else
			check_at(LINEAR, LINEAR & (level == 1 ? 0x3fffffff : 0x1fffff));
		/* An address bit below the page's. */
		put(at, 0, (entry & 0xfff) | LARGE | 0x2000, 8);
		if (level != 0)
			check_fault(LINEAR, 0, PRESENT | USER | RESERVED);
		sys->efer &= ~AXVM_X86_EFER_NXE;
		put(at, 0, entry | NX, 8);
		check_fault(LINEAR, 0, PRESENT | USER | RESERVED);
		sys->efer |= AXVM_X86_EFER_NXE;
		put(at, 0, NOWHERE_GPA | PRESENT | WRITE | USER, 8);
		check_nothing(LINEAR);
		put(at, 0, entry, 8);
		check_at(LINEAR, OTHER_GPA);
	}
	rig_end();
}

TEST(addresses_that_are_not_canonical_have_no_translation)
{
	rig_start();
	check_nothing(0x0000800000000000);
	check_nothing(0xffff7fffffffffff);
	check_nothing(0x8000000000000000);
	rig_map(0xffff800000000000, OTHER_GPA, PTE_RW);
	check_at(0xffff800000000fff, OTHER_GPA + 0xfff);
	arch()->sys.cr3 = NOWHERE_GPA;
	check_nothing(LINEAR);
	rig_end();
}

TEST(five_levels_are_followed)
{
	uint64_t root;

	rig_start();
	rig_map(LINEAR, OTHER_GPA, PTE_RW);
	root = rig_new_table();
	put(root, 0x100, arch()->sys.cr3 | PTE_RW, 8);
	arch()->sys.cr3 = root;
	arch()->sys.cr4 |= AXVM_X86_CR4_LA57;
	check_fault(LINEAR, 0, 0);
	check_at(0xff00000000000000 | LINEAR, OTHER_GPA);
	check_nothing(0xfe00000000000000 | LINEAR);
	rig_end();
}

TEST(tables_of_32_bits_are_followed)
{
	uint64_t table;

	rig_start();
	table = rig_new_table();
	rig_flat_mode(true);
	arch()->sys.cr0 |= AXVM_X86_CR0_PG;
	arch()->sys.cr4 = AXVM_X86_CR4_PSE;
	put(arch()->sys.cr3, 0x3ff, table | PTE_RW, 4);
	put(table, 0x3fe, OTHER_GPA | PTE_RW, 4);
	check_at(0xffffe123, OTHER_GPA + 0x123);
	check_fault(0xfffff000, AXVM_X86_ACCESS_FETCH, 0); /* of which nothing tells */
	check_nothing(0x1ffffe123);
	/* 4 MiB at bits 39 to 22: 32 GiB and 4 MiB. */
	put(arch()->sys.cr3, 1, 0x00400000 | 8u << 13 | LARGE | PTE_RW, 4);
	check_at(0x00654321, 0x800400000 + 0x254321);
	put(arch()->sys.cr3, 1, 0x00600000 | LARGE | PTE_RW, 4);
	check_fault(0x00654321, 0, PRESENT | RESERVED);
	/* Without PSE it is a table. */
	arch()->sys.cr4 = 0;
	put(arch()->sys.cr3, 1, table | LARGE | PTE_RW, 4);
	check_at(0x007fe001, OTHER_GPA + 1);
	rig_end();
}

TEST(tables_of_pae_are_followed)
{
	uint64_t directory;
	uint64_t table;

	rig_start();
	directory = rig_new_table();
	table = rig_new_table();
	rig_flat_mode(true);
	arch()->sys.cr0 |= AXVM_X86_CR0_PG;
	arch()->sys.efer = AXVM_X86_EFER_NXE;
	arch()->sys.cr3 += 0x20; /* its low bits count */
	put(arch()->sys.cr3, 3, directory | PRESENT, 8);
	put(directory, 511, table | PTE_RW | PTE_USER, 8);
	put(table, 510, OTHER_GPA | PTE_RW | PTE_USER, 8);
	arch()->sys.cpl = 3; /* the root has no rights to take away */
	check_at(0xffffe123, OTHER_GPA + 0x123);
	put(directory, 511, LARGE | 0x40000000 | PTE_RW | PTE_USER, 8);
	check_at(0xffffe123, 0x401fe123);
	put(arch()->sys.cr3, 3, directory | PRESENT | WRITE, 8);
	check_fault(0xffffe123, 0, PRESENT | RESERVED | USER);
	rig_end();
}

TEST(without_paging_linear_is_physical)
{
	rig_start();
	rig_flat_mode(true);
	check_at(0x12345678, 0x12345678);
	check_at(0x100000000, 0);
	rig_end();
}

/* ---- memory --------------------------------------------------------------------------------------------- */

TEST(memory_is_read_and_written_across_pages)
{
	static const uint8_t text[] = "across the pages";
	uint8_t found[sizeof(text)];
	struct axvm_x86_fault fault;

	rig_start();
	rig_map(LINEAR, OTHER_GPA, PTE_RW);
	rig_map(LINEAR + 4096, PAGE_GPA, PTE_RW); /* in the other order */
	CHECK(axvm_x86_64_write(&rig_vcpu, LINEAR + 4090, text, sizeof(text), 0, &fault));
	CHECK(axvm_x86_64_read(&rig_vcpu, LINEAR + 4090, found, sizeof(text), 0, &fault));
	CHECK(memcmp(found, text, sizeof(text)) == 0);
	ram_read(OTHER_GPA + 4090, found, 6);
	ram_read(PAGE_GPA, found + 6, sizeof(text) - 6);
	CHECK(memcmp(found, text, sizeof(text)) == 0);
	rig_end();
}

TEST(a_write_that_fails_in_its_second_page_writes_nothing)
{
	uint64_t value = UINT64_MAX;
	struct axvm_x86_fault fault;

	rig_start();
	rig_map(LINEAR, OTHER_GPA, PTE_RW);
	CHECK(!axvm_x86_64_write(&rig_vcpu, LINEAR + 4092, &value, 8, 0, &fault));
	CHECK(fault.is_page_fault);
	CHECK_EQ(fault.linear, LINEAR + 4096);
	CHECK_EQ(fault.error_code, WRITE);
	rig_map(LINEAR + 4096, NOWHERE_GPA, PTE_RW);
	CHECK(!axvm_x86_64_write(&rig_vcpu, LINEAR + 4092, &value, 8, 0, &fault));
	CHECK(!fault.is_page_fault);
	CHECK(!axvm_x86_64_read(&rig_vcpu, LINEAR + 4092, &value, 8, 0, &fault));
	CHECK_EQ(fault.linear, LINEAR + 4096);
	ram_read(OTHER_GPA + 4092, &value, 4);
	CHECK_EQ((uint32_t)value, 0);
	rig_end();
}

TEST(a_fetch_ends_where_code_ends)
{
	struct axvm_x86_fault fault;
	uint8_t code[15];

	rig_start();
	rig_map(LINEAR, OTHER_GPA, PTE_RW);
	arch()->rip = LINEAR + 0xff8;
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 8);
	rig_map(LINEAR + 4096, PAGE_GPA, PTE_RW | NX);
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 8);
	rig_map(LINEAR + 4096, PAGE_GPA, PTE_RW);
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 15);
	arch()->rip = LINEAR + 0x2000;
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 0);
	CHECK(fault.is_page_fault);
	CHECK_EQ(fault.error_code, FETCH);
	/* In 64-bit mode CS has no base, elsewhere it has. */
	arch()->sys.segment[AXVM_X86_CS].base = 0x1000;
	arch()->rip = LINEAR;
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 15);
	rig_flat_mode(false);
	arch()->sys.segment[AXVM_X86_CS].base = RAM_GPA;
	arch()->rip = 0x40;
	ram_write(RAM_GPA + 0x40, "\xab", 1);
	CHECK_EQ(axvm_x86_64_fetch(&rig_vcpu, code, &fault), 15);
	CHECK_EQ(code[0], 0xab);
	rig_end();
}

AXTEST_MAIN(rights_are_those_of_the_manual, every_level_takes_rights_away,
	    addresses_that_are_not_canonical_have_no_translation, five_levels_are_followed,
	    tables_of_32_bits_are_followed, tables_of_pae_are_followed,
	    without_paging_linear_is_physical, memory_is_read_and_written_across_pages,
	    a_write_that_fails_in_its_second_page_writes_nothing, a_fetch_ends_where_code_ends)
