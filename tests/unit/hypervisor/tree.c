/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of the host's device tree, beside libfdt as the model, and over trees that are broken. */
#include "tree.h"

#include <libfdt.h>

#include "fake_bare.h"

#define TREE_BYTES 8192
#define BE(value) ((fdt32_t)__builtin_bswap32(value))

static _Alignas(8) char tree[TREE_BYTES];

static int node(int parent, const char *name)
{
	int at = fdt_add_subnode(tree, parent, name);

	CHECK(at > 0);
	return at;
}

/* libfdt puts new nodes before the others: made from the last to the first. */
static void begin(void)
{
	CHECK_EQ(fdt_create_empty_tree(tree, TREE_BYTES), 0);
	CHECK_EQ(fdt_setprop_u32(tree, 0, "#address-cells", 2), 0);
	CHECK_EQ(fdt_setprop_u32(tree, 0, "#size-cells", 2), 0);
	int aliases = node(0, "aliases");
	CHECK_EQ(fdt_setprop_string(tree, aliases, "serial0", "/soc/uart@2000"), 0);
	CHECK_EQ(fdt_setprop_string(tree, aliases, "again", "serial0"), 0);
	int soc = node(0, "soc");
	CHECK_EQ(fdt_setprop_u32(tree, soc, "#address-cells", 1), 0);
	int uart = node(soc, "uart@2000");
	static const char kinds[] = "vendor,uart\0ns16550a";
	CHECK_EQ(fdt_setprop(tree, uart, "compatible", kinds, sizeof(kinds)), 0);
	CHECK_EQ(fdt_setprop_u32(tree, uart, "phandle", 7), 0);
	static const fdt32_t reg[] = { BE(0x2000), BE(0x100), BE(0x3000), BE(0x80), BE(1) };
	CHECK_EQ(fdt_setprop(tree, uart, "reg", reg, sizeof(reg)), 0);
	(void)node(uart, "inside");
	uart = node(soc, "uart@1000");
	CHECK_EQ(fdt_setprop_string(tree, uart, "compatible", "ns16550a"), 0);
	CHECK_EQ(fdt_setprop_u64(tree, uart, "wide", 0x123456789abcdef0), 0);
	CHECK_EQ(fdt_setprop(tree, uart, "unended", "abc", 3), 0);
	CHECK_EQ(fdt_setprop(tree, uart, "empty", "", 0), 0);
	(void)node(0, "abc");
	(void)node(0, "abcd");
	(void)node(0, "abcdefg");
	REQUIRE(axvm_tree_check(tree));
}

static int find(const char *path)
{
	return axvm_tree_path(tree, path, strlen(path));
}

TEST(nodes_follow_each_other_as_libfdt_has_them)
{
	int seen = 0;

	begin();
	for (int at = fdt_next_node(tree, -1, NULL), own = axvm_tree_next(tree, -1); at >= 0;
	     at = fdt_next_node(tree, at, NULL), own = axvm_tree_next(tree, own)) {
		int first = fdt_first_subnode(tree, at);
		int next = at == 0 ? -1 : fdt_next_subnode(tree, at);
		int parent = fdt_parent_offset(tree, at);

		CHECK_EQ(own, at);
		CHECK_EQ(axvm_tree_child(tree, at, -1), first < 0 ? -1 : first);
		CHECK_EQ(axvm_tree_parent(tree, at), parent < 0 ? -1 : parent);
		if (at != 0)
			CHECK_EQ(axvm_tree_child(tree, parent, at), next < 0 ? -1 : next);
		seen++;
	}
	CHECK_EQ(seen, 9);
	CHECK_EQ(axvm_tree_child(tree, -1, -1), -1);
	CHECK_EQ(axvm_tree_parent(tree, -1), -1);
}

TEST(paths_and_aliases_find_what_libfdt_finds)
{
	static const char *const paths[] = { "/",
					     "/soc",
					     "/soc/uart",
					     "/soc/uart@2000",
					     "//soc//uart@1000/",
					     "/soc/uart@2",
					     "/so",
					     "/abc",
					     "/abcd",
					     "/abcdefg",
					     "/abcdef",
					     "serial0",
					     "serial1",
					     "/soc/uart@2000/inside",
					     "/soc/uart/none" };

	begin();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int wanted = fdt_path_offset(tree, paths[i]);

		CHECK_EQ(find(paths[i]), wanted < 0 ? -1 : wanted);
	}
	CHECK_EQ(find("again"), -1);
	CHECK_EQ(find(""), -1);
	CHECK_EQ(find("an-alias-that-is-longer-than-any-can-be"), -1);
	CHECK_EQ(axvm_tree_path(tree, "/soc:115200", 4), find("/soc"));
}

TEST(nodes_are_found_by_compatible_and_phandle)
{
	begin();
	int first = axvm_tree_compatible(tree, -1, "ns16550a");
	CHECK_EQ(first, find("/soc/uart@1000"));
	int second = axvm_tree_compatible(tree, first, "ns16550a");
	CHECK_EQ(second, find("/soc/uart@2000"));
	CHECK_EQ(axvm_tree_compatible(tree, second, "ns16550a"), -1);
	CHECK_EQ(axvm_tree_compatible(tree, -1, "ns16550"), -1);
	CHECK_EQ(axvm_tree_by_phandle(tree, 7), second);
	CHECK_EQ(axvm_tree_by_phandle(tree, 8), -1);
	CHECK_EQ(axvm_tree_by_phandle(tree, 0), -1);
}

TEST(properties_are_what_they_have_to_be_or_absent)
{
	int bytes = 5;

	begin();
	int uart = find("/soc/uart@1000");
	CHECK_EQ(axvm_tree_number(tree, uart, "wide"), 0x123456789abcdef0);
	CHECK_EQ(axvm_tree_cell(tree, uart, "wide", 9), 9);
	CHECK_EQ(axvm_tree_number(tree, uart, "unended"), 0);
	CHECK(axvm_tree_string(tree, uart, "unended") == NULL);
	CHECK(axvm_tree_string(tree, uart, "empty") == NULL);
	CHECK(!axvm_tree_lists(tree, uart, "unended", "abc"));
	CHECK(!axvm_tree_lists(tree, uart, "empty", ""));
	CHECK(axvm_tree_lists(tree, find("/soc/uart@2000"), "compatible", "vendor,uart"));
	CHECK(axvm_tree_property(tree, -1, "reg", &bytes) == NULL);
	CHECK_EQ(bytes, 0);
}

TEST(reg_is_counted_in_the_parents_cells)
{
	uint64_t base, bytes;

	begin();
	int soc = find("/soc");
	int uart = find("/soc/uart@2000");
	REQUIRE(axvm_tree_reg(tree, soc, uart, 1, &base, &bytes));
	CHECK_EQ(base, 0x3000);
	CHECK_EQ(bytes, 0x80);
	CHECK(!axvm_tree_reg(tree, soc, uart, 2, &base, &bytes));
	CHECK(!axvm_tree_reg(tree, soc, uart, UINT32_MAX, &base, &bytes));
	REQUIRE(axvm_tree_reg(tree, 0, uart, 0, &base, &bytes));
	CHECK_EQ(base, 0x200000000100);
	CHECK_EQ(fdt_setprop_inplace_u32(tree, soc, "#address-cells", 3), 0);
	CHECK(!axvm_tree_reg(tree, soc, uart, 0, &base, &bytes));
	CHECK_EQ(fdt_setprop_inplace_u32(tree, soc, "#address-cells", 0), 0);
	CHECK(!axvm_tree_reg(tree, soc, uart, 0, &base, &bytes));
}

static void look_at_all(const void *fdt)
{
	uint64_t base, bytes;

	for (int at = axvm_tree_next(fdt, -1); at >= 0; at = axvm_tree_next(fdt, at)) {
		(void)axvm_tree_reg(fdt, axvm_tree_parent(fdt, at), at, 0, &base, &bytes);
		(void)axvm_tree_lists(fdt, at, "compatible", "ns16550a");
		for (int child = axvm_tree_child(fdt, at, -1); child >= 0;
		     child = axvm_tree_child(fdt, at, child))
			(void)axvm_tree_string(fdt, child, "compatible");
	}
	(void)axvm_tree_path(fdt, "serial0", 7);
}

/* Whatever the check lets through is read to its end, from memory of exactly its size. */
TEST(a_broken_word_is_refused_or_does_no_harm)
{
	static const uint32_t words[] = { 0, 1,		 2,	     3,		 4,
					  9, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffd };
	int refused = 0;

	begin();
	CHECK_EQ(fdt_pack(tree), 0);
	size_t bytes = fdt_totalsize(tree);
	for (size_t at = 0; at + 4 <= bytes; at += 4) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			char *copy = malloc(bytes);
			fdt32_t word = cpu_to_fdt32(words[i]);

			memcpy(copy, tree, bytes);
			memcpy(copy + at, &word, sizeof(word));
			if (fdt_totalsize(copy) <= bytes && axvm_tree_check(copy))
				look_at_all(copy);
			else
				refused++;
			free(copy);
		}
	}
	CHECK(refused > 100);
}

TEST(a_tree_that_is_too_deep_or_old_is_refused)
{
	int at = 0;

	begin();
	CHECK(!axvm_tree_check(tree + 1));
	fdt_set_version(tree, 16);
	CHECK(!axvm_tree_check(tree));
	fdt_set_version(tree, 17);
	for (uint32_t i = 1; i < AXVM_TREE_DEPTH_MAX; i++)
		at = node(at, "deeper");
	CHECK(axvm_tree_check(tree));
	CHECK(axvm_tree_parent(tree, at) > 0);
	(void)node(at, "deeper");
	CHECK(!axvm_tree_check(tree));
}

AXTEST_MAIN(nodes_follow_each_other_as_libfdt_has_them, paths_and_aliases_find_what_libfdt_finds,
	    nodes_are_found_by_compatible_and_phandle,
	    properties_are_what_they_have_to_be_or_absent, reg_is_counted_in_the_parents_cells,
	    a_broken_word_is_refused_or_does_no_harm, a_tree_that_is_too_deep_or_old_is_refused)
