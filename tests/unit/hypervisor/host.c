/* SPDX-License-Identifier: Apache-2.0 */
/* What the hypervisor reads from the host's device tree, and from trees that are wrong. */
#include <libfdt.h>

#include "fake_bare.h"

#include "../../../hypervisor/host.c"

#define TREE_BYTES 16384

static _Alignas(8) char tree[TREE_BYTES];
static struct axvm_host host;

static void begin(uint32_t address_cells, uint32_t size_cells)
{
	memset(&host, 0, sizeof(host));
	CHECK_EQ(fdt_create_empty_tree(tree, TREE_BYTES), 0);
	CHECK_EQ(fdt_setprop_u32(tree, 0, "#address-cells", address_cells), 0);
	CHECK_EQ(fdt_setprop_u32(tree, 0, "#size-cells", size_cells), 0);
}

static int node(int parent, const char *name)
{
	int at = fdt_add_subnode(tree, parent, name);

	CHECK(at > 0);
	return at;
}

static int memory(const char *name, uint64_t base, uint64_t bytes)
{
	int at = node(0, name);

	CHECK_EQ(fdt_setprop_string(tree, at, "device_type", "memory"), 0);
	CHECK_EQ(fdt_setprop_u64(tree, at, "reg", base), 0);
	CHECK_EQ(fdt_appendprop_u64(tree, at, "reg", bytes), 0);
	return at;
}

/* From memory of exactly its size, so that a byte beyond is noticed. */
static bool read(const char **why)
{
	CHECK_EQ(fdt_pack(tree), 0);
	size_t bytes = fdt_totalsize(tree);
	void *copy = malloc(bytes);
	memcpy(copy, tree, bytes);
	bool good = axvm_host_read(&host, copy, why);
	if (host.arguments != NULL && host.arguments[0] != '\0')
		(void)axvm_host_has_argument(&host, "x");
	if (host.arguments != NULL) { /* what is looked at later */
		static char kept[256];
		strncpy(kept, host.arguments, sizeof(kept) - 1);
		host.arguments = kept;
	}
	free(copy);
	return good;
}

TEST(a_tree_like_qemus_is_read)
{
	const char *why = "";

	begin(2, 2);
	int chosen = node(0, "chosen");
	CHECK_EQ(fdt_setprop_string(tree, chosen, "bootargs", " one  axvm.on-failure=reset two"),
		 0);
	CHECK_EQ(fdt_setprop_u32(tree, chosen, "linux,initrd-start", 0x48000000), 0);
	CHECK_EQ(fdt_setprop_u64(tree, chosen, "linux,initrd-end", 0x48001000), 0);
	(void)memory("memory@40000000", 0x40000000, 0x80000000);
	CHECK_EQ(fdt_add_mem_rsv(tree, 0x50000000, 0x1000), 0);
	REQUIRE(read(&why));
	CHECK_EQ(host.ram_count, 1);
	CHECK_EQ(host.ram[0].base, 0x40000000);
	CHECK_EQ(host.ram[0].bytes, 0x80000000);
	CHECK_EQ(host.bundle.base, 0x48000000);
	CHECK_EQ(host.bundle.bytes, 0x1000);
	CHECK_EQ(host.reserved_count, 1);
	CHECK_EQ(host.reserved[0].base, 0x50000000);
	CHECK(axvm_host_has_argument(&host, "axvm.on-failure=reset"));
	CHECK(axvm_host_has_argument(&host, "one"));
	CHECK(axvm_host_has_argument(&host, "two"));
	CHECK(!axvm_host_has_argument(&host, "axvm.on-failure"));
	CHECK(!axvm_host_has_argument(&host, "wo"));
}

TEST(reserved_memory_has_cells_of_its_own)
{
	const char *why = "";

	begin(2, 2);
	(void)memory("memory@0", 0, 0x10000000);
	int reserved = node(0, "reserved-memory");
	CHECK_EQ(fdt_setprop_u32(tree, reserved, "#address-cells", 1), 0);
	CHECK_EQ(fdt_setprop_u32(tree, reserved, "#size-cells", 1), 0);
	int one = node(reserved, "one@1000");
	CHECK_EQ(fdt_setprop_u32(tree, one, "reg", 0x1000), 0);
	CHECK_EQ(fdt_appendprop_u32(tree, one, "reg", 0x2000), 0);
	(void)node(reserved, "dynamic"); /* no reg */
	REQUIRE(read(&why));
	CHECK_EQ(host.reserved_count, 1);
	CHECK_EQ(host.reserved[0].base, 0x1000);
	CHECK_EQ(host.reserved[0].bytes, 0x2000);
}

TEST(memory_that_is_disabled_is_not_ram)
{
	const char *why = "";

	begin(2, 2);
	int secure = memory("secram@e000000", 0xe000000, 0x1000000);
	CHECK_EQ(fdt_setprop_string(tree, secure, "status", "disabled"), 0);
	int good = memory("memory@40000000", 0x40000000, 0x1000);
	CHECK_EQ(fdt_setprop_string(tree, good, "status", "okay"), 0);
	REQUIRE(read(&why));
	CHECK_EQ(host.ram_count, 1);
	CHECK_EQ(host.ram[0].base, 0x40000000);
}

TEST(a_tree_without_memory_is_refused)
{
	const char *why = "";
	uint32_t zero[4] = { 0 };

	begin(2, 2);
	CHECK(!read(&why));
	CHECK_STR_EQ(why, "the machine's device tree names no memory");
	memset(&host, 0, sizeof(host));
	CHECK(!axvm_host_read(&host, zero, &why));
	CHECK_STR_EQ(why, "the firmware gave no valid device tree");
}

TEST(a_reg_that_is_cut_or_wraps_adds_nothing_wrong)
{
	const char *why = "";

	begin(2, 2);
	int cut = memory("memory@1000", 0x1000, 0x1000);
	CHECK_EQ(fdt_appendprop_u64(tree, cut, "reg", 0x8000), 0); /* no size */
	(void)memory("memory@f", UINT64_MAX - 10, 100);
	(void)memory("memory@e", 0x9000, 0);
	int missing = node(0, "memory@d");
	CHECK_EQ(fdt_setprop_string(tree, missing, "device_type", "memory"), 0);
	int odd = memory("memory@c", 0, 0);
	CHECK_EQ(fdt_setprop(tree, odd, "reg", "abc", 3), 0);
	REQUIRE(read(&why));
	CHECK_EQ(host.ram_count, 1);
	CHECK_EQ(host.ram[0].base, 0x1000);
}

TEST(cells_that_cannot_be_are_refused)
{
	static const uint32_t cells[][2] = {
		{ 0, 1 }, { 1, 0 }, { 3, 1 }, { 2, 3 }, { 0xffffffff, 1 }
	};
	const char *why = "";

	for (uint32_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(cells[i][0], cells[i][1]);
		(void)memory("memory@1000", 0x1000, 0x1000);
		CHECK(!read(&why));
	}
}

TEST(a_reserved_range_is_never_lost)
{
	const char *why = "";

	begin(2, 2);
	(void)memory("memory@0", 0, 0x100000000);
	for (uint64_t i = 0; i < 40; i++)
		CHECK_EQ(fdt_add_mem_rsv(tree, 0x1000000 + i * 0x100000, 0x1000), 0);
	CHECK_EQ(fdt_add_mem_rsv(tree, 0x800000, 0), 0);
	REQUIRE(read(&why));
	CHECK_EQ(host.reserved_count, AXVM_HOST_RANGES_MAX);
	for (uint64_t i = 0; i < 40; i++) {
		bool found = false;
		for (uint32_t at = 0; at < host.reserved_count; at++)
			found |=
				axvm_range_contains(host.reserved[at].base, host.reserved[at].bytes,
						    0x1000000 + i * 0x100000, 0x1000);
		CHECK(found);
	}
}

TEST(a_reserved_range_that_wraps_ends_at_the_top)
{
	const char *why = "";

	begin(2, 2);
	(void)memory("memory@0", 0, 0x100000000);
	CHECK_EQ(fdt_add_mem_rsv(tree, 0x1000, UINT64_MAX), 0);
	REQUIRE(read(&why));
	CHECK_EQ(host.reserved[0].base, 0x1000);
	CHECK_EQ(host.reserved[0].bytes, UINT64_MAX - 0xfff);
}

TEST(more_ram_than_fits_is_left_out)
{
	char name[32];
	const char *why = "";

	begin(2, 2);
	for (uint32_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "memory@%x", i * 0x1000);
		(void)memory(name, i * 0x1000ULL, 0x1000);
	}
	REQUIRE(read(&why));
	CHECK_EQ(host.ram_count, AXVM_HOST_RANGES_MAX);
}

TEST(strings_and_addresses_that_are_malformed_are_as_if_absent)
{
	const char *why = "";

	begin(2, 2);
	(void)memory("memory@0", 0, 0x100000000);
	int chosen = node(0, "chosen");
	CHECK_EQ(fdt_setprop(tree, chosen, "bootargs", "abcdefgh", 8), 0); /* not terminated */
	CHECK_EQ(fdt_setprop(tree, chosen, "linux,initrd-start", "abcdef", 6), 0);
	CHECK_EQ(fdt_setprop_u32(tree, chosen, "linux,initrd-end", 0), 0);
	REQUIRE(read(&why));
	CHECK_STR_EQ(host.arguments, "");
	CHECK_EQ(host.bundle.bytes, 0);
}

/* Any byte wrong: no read beyond the tree, and never an impossible range. */
TEST(no_tree_with_wrong_bytes_is_read_beyond_its_end)
{
	const char *why;

	begin(2, 2);
	(void)memory("memory@0", 0, 0x100000000);
	int chosen = node(0, "chosen");
	CHECK_EQ(fdt_setprop_string(tree, chosen, "bootargs", "some words"), 0);
	CHECK_EQ(fdt_setprop_u32(tree, chosen, "linux,initrd-start", 0x1000), 0);
	CHECK_EQ(fdt_setprop_u32(tree, chosen, "linux,initrd-end", 0x2000), 0);
	CHECK_EQ(fdt_add_mem_rsv(tree, 0x1000, 0x1000), 0);
	CHECK_EQ(fdt_pack(tree), 0);
	size_t bytes = fdt_totalsize(tree);
	size_t header = fdt_off_dt_struct(tree); /* the header's sizes are the firmware's word */
	for (uint32_t round = 0; round < 20000; round++) {
		uint8_t *copy = malloc(bytes);
		memcpy(copy, tree, bytes);
		for (uint64_t i = 1 + fake_random(4); i > 0; i--)
			copy[header + fake_random(bytes - header)] = (uint8_t)fake_random(256);
		memset(&host, 0, sizeof(host));
		if (axvm_host_read(&host, copy, &why))
			(void)axvm_host_has_argument(&host, "words");
		for (uint32_t i = 0; i < host.ram_count; i++)
			REQUIRE(!axvm_range_wraps(host.ram[i].base, host.ram[i].bytes));
		free(copy);
	}
}

AXTEST_MAIN(a_tree_like_qemus_is_read, reserved_memory_has_cells_of_its_own,
	    memory_that_is_disabled_is_not_ram, a_tree_without_memory_is_refused,
	    a_reg_that_is_cut_or_wraps_adds_nothing_wrong, cells_that_cannot_be_are_refused,
	    a_reserved_range_is_never_lost, a_reserved_range_that_wraps_ends_at_the_top,
	    more_ram_than_fits_is_left_out,
	    strings_and_addresses_that_are_malformed_are_as_if_absent,
	    no_tree_with_wrong_bytes_is_read_beyond_its_end)
