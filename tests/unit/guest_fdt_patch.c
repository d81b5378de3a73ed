/* SPDX-License-Identifier: Apache-2.0 */
/* The user's own device tree, checked and patched (src/guest_fdt_patch.c). */
#include <stdlib.h>
#include <string.h>

#include "fdt_reader.h"

static _Alignas(8) uint8_t own[CAPACITY];

static void own_string(const char *name, const char *value)
{
	CHECK_EQ(fdt_property(own, name, value, (int)strlen(value) + 1), 0);
}

/* A board: four CPUs with a topology, two memory nodes, a bootargs and an initrd of its own. */
static struct axvm_blob make_own(uint32_t cells)
{
	char name[8] = "cpu@0";

	fdt_create(own, sizeof(own));
	fdt_finish_reservemap(own);
	fdt_begin_node(own, "");
	fdt_property_u32(own, "#address-cells", cells);
	fdt_property_u32(own, "#size-cells", cells);
	own_string("compatible", "acme,board");
	fdt_begin_node(own, "cpus");
	fdt_property_u32(own, "#address-cells", 1);
	fdt_property_u32(own, "#size-cells", 0);
	for (uint32_t i = 0; i < 4; i++) {
		name[4] = (char)('0' + i);
		fdt_begin_node(own, name);
		own_string("device_type", "cpu");
		own_string("compatible", "arm,cortex-a53");
		fdt_property_u32(own, "reg", i);
		fdt_property_u32(own, "phandle", 10 + i);
		fdt_end_node(own);
	}
	fdt_begin_node(own, "cpu-map");
	fdt_end_node(own);
	fdt_begin_node(own, "idle-states");
	fdt_end_node(own);
	fdt_end_node(own);
	fdt_begin_node(own, "memory@80000000");
	own_string("device_type", "memory");
	fdt_end_node(own);
	fdt_begin_node(own, "memory");
	own_string("device_type", "memory");
	fdt_end_node(own);
	fdt_begin_node(own, "memory-controller@1000");
	fdt_end_node(own);
	fdt_begin_node(own, "pl011@9000000");
	fdt_end_node(own);
	fdt_begin_node(own, "chosen");
	own_string("bootargs", "the user's");
	fdt_property_u64(own, "linux,initrd-start", 1);
	fdt_property_u64(own, "linux,initrd-end", 2);
	fdt_end_node(own);
	fdt_end_node(own);
	CHECK_EQ(fdt_finish(own), 0);
	return (struct axvm_blob){ .data = own, .bytes = fdt_totalsize(own) };
}

static unsigned count_memory(void)
{
	unsigned count = 0;
	int node;

	for (node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", 7); node >= 0;
	     node = fdt_node_offset_by_prop_value(tree, node, "device_type", "memory", 7))
		count++;
	return count;
}

static int patch(struct axvm_blob from)
{
	return axvm_guest_fdt_patch(&fdt, from, &config, &platform, &plan, &bytes);
}

TEST(the_users_tree_is_brought_in_line_with_the_vm)
{
	begin();
	fdt.seed = seed;
	plan.initrd_gpa = RAM + 0x1000;
	plan.initrd_bytes = 0x2000;
	config.memory_count = 2;
	memory[1] = (struct axvm_config_memory){ .gpa = { 0x100000000 },
						 .bytes = GIB,
						 .flags = AXVM_MAP_RWX };
	REQUIRE_EQ(patch(make_own(2)), 0);
	check_valid();
	check_string("/", "compatible", "acme,board");
	CHECK(!has_node("/memory@80000000"));
	CHECK_EQ(count_memory(), 2);
	CHECK(has_node("/memory-controller@1000"));
	check_cells("/memory@40000000", "reg", 4, 0, RAM, 0, GIB);
	check_cells("/memory@100000000", "reg", 4, 1, 0, 0, GIB);
	check_string("/memory@100000000", "device_type", "memory");
	CHECK(has_node("/cpus/cpu@0"));
	CHECK(has_node("/cpus/cpu@1"));
	CHECK(!has_node("/cpus/cpu@2"));
	CHECK(!has_node("/cpus/cpu@3"));
	CHECK(!has_node("/cpus/cpu-map"));
	CHECK(has_node("/cpus/idle-states"));
	check_string("/cpus/cpu@1", "compatible", "arm,cortex-a53");
	check_string("/chosen", "bootargs", "console=ttyAMA0");
	check_string("/chosen", "stdout-path", "/pl011@9000000");
	check_cells("/chosen", "linux,initrd-start", 2, 0, RAM + 0x1000, 0, 0);
	check_cells("/chosen", "linux,initrd-end", 2, 0, RAM + 0x3000, 0, 0);
	check_bytes("/chosen", "rng-seed", seed, 32);
	CHECK(has_property("/chosen", "kaslr-seed"));
}

TEST(what_the_configuration_leaves_open_stays_the_users)
{
	struct axvm_blob from;

	begin();
	config.cmdline = "";
	config.vcpu_count = 4;
	from = make_own(2);
	REQUIRE_EQ(patch(from), 0);
	check_string("/chosen", "bootargs", "the user's");
	CHECK(has_node("/cpus/cpu-map"));
	CHECK(!has_property("/chosen", "linux,initrd-start"));
	CHECK(!has_property("/chosen", "linux,initrd-end"));
	CHECK(!has_property("/chosen", "rng-seed"));
	REQUIRE_EQ(patch(from), 0); /* the user's file itself is as it was */
}

TEST(a_stdout_path_of_the_users_or_to_nowhere_is_left_alone)
{
	static _Alignas(8) uint8_t copy[CAPACITY];

	begin();
	struct axvm_blob from = make_own(2);

	CHECK_EQ(fdt_open_into(from.data, copy, sizeof(copy)), 0);
	CHECK_EQ(fdt_setprop(copy, fdt_path_offset(copy, "/chosen"), "stdout-path", "mine", 5), 0);
	REQUIRE_EQ(patch((struct axvm_blob){ copy, sizeof(copy) }), 0);
	check_string("/chosen", "stdout-path", "mine");

	CHECK_EQ(fdt_del_node(copy, fdt_path_offset(copy, "/chosen")), 0);
	CHECK_EQ(fdt_del_node(copy, fdt_path_offset(copy, "/pl011@9000000")), 0);
	REQUIRE_EQ(patch((struct axvm_blob){ copy, sizeof(copy) }), 0);
	CHECK(!has_property("/chosen", "stdout-path"));
	check_string("/chosen", "bootargs", "console=ttyAMA0");
}

TEST(cpus_are_chosen_by_their_ids_and_missing_ones_added)
{
	static const uint64_t ids[] = { 3, 0x100, 1 };

	begin();
	config.vcpu_count = 3;
	config.phys_cpu_ids = ids;
	REQUIRE_EQ(patch(make_own(2)), 0);
	check_valid();
	CHECK(!has_node("/cpus/cpu@0"));
	CHECK(has_node("/cpus/cpu@1"));
	CHECK(!has_node("/cpus/cpu@2"));
	CHECK(has_node("/cpus/cpu@3"));
	check_cells("/cpus/cpu@100", "reg", 1, 0x100, 0, 0, 0);
	check_string("/cpus/cpu@100", "device_type", "cpu");
	check_string("/cpus/cpu@100", "compatible", "arm,armv8");
	check_string("/cpus/cpu@100", "enable-method", "psci");
}

TEST(missing_cpus_that_cannot_be_made_are_refused)
{
	static const uint64_t wide[] = { 0, 0x100000000 };

	begin();
	platform.isa = AXVM_ISA_RISCV64;
	config.vcpu_count = 5;
	CHECK_EQ(patch(make_own(2)), AXVM_EFORMAT);
	config.vcpu_count = 4;
	CHECK_EQ(patch(make_own(2)), 0);
	begin();
	config.phys_cpu_ids = wide; /* two cells' worth, in a tree with one */
	CHECK_EQ(patch(make_own(2)), AXVM_ERANGE);
}

TEST(memory_that_the_trees_cells_cannot_say_is_refused)
{
	begin();
	CHECK_EQ(patch(make_own(1)), 0);
	check_cells("/memory@40000000", "reg", 2, RAM, GIB, 0, 0);
	memory[0].gpa = axvm_gpa(0x100000000);
	CHECK_EQ(patch(make_own(1)), AXVM_ERANGE);
	memory[0].gpa = axvm_gpa(RAM);
	CHECK_EQ(patch(make_own(3)), AXVM_ERANGE);
}

TEST(a_tree_without_cpus_is_refused_but_on_x86)
{
	begin();
	CHECK_EQ(fdt_create_empty_tree(own, 256), 0);
	CHECK_EQ(patch((struct axvm_blob){ own, 256 }), AXVM_EFORMAT);
	platform.isa = AXVM_ISA_X86_64;
	CHECK_EQ(patch((struct axvm_blob){ own, 256 }), 0);
	check_cells("/memory@40000000", "reg", 3, 0, RAM, GIB, 0); /* the default cells: 2 and 1 */
}

TEST(a_users_tree_cut_short_at_each_length_is_refused)
{
	begin();
	struct axvm_blob from = make_own(2);

	for (uint64_t length = 0; length < from.bytes; length++) {
		uint8_t *copy = malloc(length + (length == 0));

		memcpy(copy, own, length);
		bytes = 0;
		CHECK_EQ(patch((struct axvm_blob){ copy, length }), AXVM_EFORMAT);
		CHECK_EQ(bytes, 0);
		free(copy);
	}
}

TEST(a_users_tree_may_lie_unaligned)
{
	begin();
	struct axvm_blob from = make_own(2);
	uint8_t *copy = malloc(from.bytes + 1);

	memcpy(copy + 1, own, from.bytes);
	CHECK_EQ(patch((struct axvm_blob){ copy + 1, from.bytes }), 0);
	check_valid();
	free(copy);
}

TEST(a_patch_without_room_is_refused)
{
	begin();
	struct axvm_blob from = make_own(2);

	fdt.capacity = from.bytes - 1;
	CHECK_EQ(patch(from), AXVM_ENOMEM);
	fdt.capacity = from.bytes;
	fdt.seed = seed;
	CHECK_EQ(patch(from), AXVM_ENOMEM);
	CHECK_EQ(bytes, 0);
	fdt.capacity = from.bytes + 512;
	CHECK_EQ(patch(from), 0);
}

/* What a hostile or broken tree can do at worst is to be refused. */
TEST(random_damage_to_the_users_tree_is_safe)
{
	uint64_t random = 1;
	unsigned refused = 0;

	for (unsigned round = 0; round < 5000; round++) {
		begin();
		struct axvm_blob from = make_own(2);

		for (unsigned change = 0; change <= round % 3; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			own[(random >> 33) % from.bytes] = (uint8_t)(random >> 20);
		}
		uint8_t *copy = malloc(from.bytes);

		memcpy(copy, own, from.bytes);
		if (patch((struct axvm_blob){ copy, from.bytes }) == 0)
			check_valid();
		else
			refused++;
		free(copy);
	}
	CHECK(refused > 0);
}

AXTEST_MAIN(the_users_tree_is_brought_in_line_with_the_vm,
	    what_the_configuration_leaves_open_stays_the_users,
	    a_stdout_path_of_the_users_or_to_nowhere_is_left_alone,
	    cpus_are_chosen_by_their_ids_and_missing_ones_added,
	    missing_cpus_that_cannot_be_made_are_refused,
	    memory_that_the_trees_cells_cannot_say_is_refused,
	    a_tree_without_cpus_is_refused_but_on_x86,
	    a_users_tree_cut_short_at_each_length_is_refused, a_users_tree_may_lie_unaligned,
	    a_patch_without_room_is_refused, random_damage_to_the_users_tree_is_safe)
