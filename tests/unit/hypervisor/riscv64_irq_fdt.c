/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt controllers in riscv64 hosts' device trees: those of QEMU's virt machine, with the cells and
 * phandles that it writes, boards whose harts are unlike each other, and trees that are wrong.
 */
#include <libfdt.h>

#include "fake_bare.h"

#include "../../../hal/bare/riscv64/irq_fdt.c"

#define TREE_BYTES 16384
#define M 11u
#define S 9u

static _Alignas(8) char tree[TREE_BYTES];
static uint32_t targets[AXVM_CPUS_MAX];
static struct axvm_imsic_layout layout;

static int node(int parent, const char *name)
{
	int at = fdt_add_subnode(tree, parent, name);

	CHECK(at > 0);
	return at;
}

static void put(int at, const char *name, const uint32_t *cell, uint32_t count)
{
	CHECK_EQ(fdt_setprop(tree, at, name, "", 0), 0);
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQ(fdt_appendprop_u32(tree, at, name, cell[i]), 0);
}

#define PUT(at, name, ...)                               \
	put(at, name, (const uint32_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void hart(int cpus, uint32_t id, uint32_t phandle)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu@%x", id);
	int at = node(cpus, name);
	PUT(at, "reg", id);
	int controller = node(at, "interrupt-controller");
	PUT(controller, "phandle", phandle);
	PUT(controller, "#interrupt-cells", 1);
	/* New properties stand at a node's beginning, so `at` is right still. */
}

/* QEMU's: the intc of hart i has phandle 2 * (harts - i). Returns the offset of /soc. */
static int begin(uint32_t harts)
{
	fake_machine(harts);
	CHECK_EQ(fdt_create_empty_tree(tree, TREE_BYTES), 0);
	PUT(0, "#address-cells", 2);
	PUT(0, "#size-cells", 2);
	int cpus = node(0, "cpus");
	PUT(cpus, "#address-cells", 1);
	PUT(cpus, "#size-cells", 0);
	for (uint32_t i = harts; i-- > 0;) {
		axvm_cpus[i].hardware_id = i;
		hart(fdt_path_offset(tree, "/cpus"), i, 2 * (harts - i));
	}
	int soc = node(0, "soc");
	PUT(soc, "#address-cells", 2);
	PUT(soc, "#size-cells", 2);
	return soc;
}

static int device(int soc, const char *name, const char *compatible, uint32_t base, uint32_t bytes)
{
	int at = node(soc, name);

	CHECK_EQ(fdt_setprop(tree, at, "compatible", compatible, (int)strlen(compatible) + 1), 0);
	PUT(at, "reg", 0, base, 0, bytes);
	return at;
}

TEST(the_plic_of_qemu_has_a_context_for_each_hart)
{
	int soc = begin(3);
	int plic = device(soc, "plic@c000000", "sifive,plic-1.0.0", 0xc000000, 0x600000);
	struct axvm_irq_region region;

	PUT(plic, "interrupts-extended", 6, M, 6, S, 4, M, 4, S, 2, M, 2, S);
	PUT(plic, "riscv,ndev", 0x5f);
	CHECK_EQ(axvm_bare_irq_find_plic(tree), plic);
	CHECK(axvm_bare_irq_find_aplic(tree, -1) < 0);
	CHECK(axvm_bare_irq_find_imsic(tree) < 0);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 3);
	CHECK_EQ(targets[0], 1);
	CHECK_EQ(targets[1], 3);
	CHECK_EQ(targets[2], 5);
	CHECK_EQ(targets[3], AXVM_IRQ_NO_TARGET);
	CHECK(axvm_bare_irq_region(tree, plic, 0, &region));
	CHECK_EQ(region.hpa, 0xc000000);
	CHECK_EQ(region.bytes, 0x600000);
	CHECK(!axvm_bare_irq_region(tree, plic, 1, &region));
	CHECK_EQ(axvm_bare_irq_cell(tree, plic, "riscv,ndev", 0), 0x5f);
	CHECK_EQ(axvm_bare_irq_cell(tree, plic, "absent", 77), 77);
}

/* As on SiFive's FU540, whose hart 0 has no S mode: its first context is alone. */
TEST(harts_without_a_supervisor_context_shift_the_others)
{
	int soc = begin(3);
	int plic = device(soc, "plic@c000000", "riscv,plic0", 0xc000000, 0x4000000);

	PUT(plic, "interrupts-extended", 6, M, 4, M, 4, S, 2, M, 2, S);
	CHECK_EQ(axvm_bare_irq_find_plic(tree), plic);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 2);
	CHECK_EQ(targets[0], AXVM_IRQ_NO_TARGET);
	CHECK_EQ(targets[1], 2);
	CHECK_EQ(targets[2], 4);
}

TEST(a_context_that_is_disabled_by_minus_one_keeps_its_place)
{
	int soc = begin(2);
	int plic = device(soc, "plic@c000000", "riscv,plic0", 0xc000000, 0x600000);

	PUT(plic, "interrupts-extended", 4, UINT32_MAX, 4, S, 2, UINT32_MAX, 2, S);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 2);
	CHECK_EQ(targets[0], 1);
	CHECK_EQ(targets[1], 3);
}

TEST(the_supervisor_aplic_is_told_from_the_machine_level_one)
{
	int soc = begin(2);
	int machine = device(soc, "interrupt-controller@c000000", "riscv,aplic", 0xc000000, 0x8000);
	PUT(machine, "interrupts-extended", 4, M, 2, M);
	int own = device(soc, "interrupt-controller@d000000", "riscv,aplic", 0xd000000, 0x8000);
	PUT(own, "interrupts-extended", 4, S, 2, S);
	own = fdt_path_offset(tree, "/soc/interrupt-controller@d000000");

	CHECK_EQ(axvm_bare_irq_find_aplic(tree, -1), own);
	CHECK_EQ(axvm_bare_irq_targets(tree, own, targets), 2);
	CHECK_EQ(targets[0], 0);
	CHECK_EQ(targets[1], 1);
}

static int imsic_at(int soc, const char *name, uint32_t base, uint32_t bytes, uint32_t phandle)
{
	int at = device(soc, name, "riscv,imsics", base, bytes);

	PUT(at, "phandle", phandle);
	PUT(at, "riscv,num-ids", 255);
	return at;
}

TEST(the_imsics_of_qemu_lie_behind_each_other_with_their_guests_files)
{
	int soc = begin(3);
	int at = imsic_at(soc, "interrupt-controller@24000000", 0x24000000, 0x3000, 7);
	PUT(at, "interrupts-extended", 6, M, 4, M, 2, M);
	at = imsic_at(soc, "interrupt-controller@28000000", 0x28000000, 0xc000, 8);
	PUT(at, "riscv,guest-index-bits", 2);
	PUT(at, "interrupts-extended", 6, S, 4, S, 2, S);
	at = device(soc, "interrupt-controller@c000000", "riscv,aplic", 0xc000000, 0x8000);
	PUT(at, "msi-parent", 7);
	at = device(soc, "interrupt-controller@d000000", "riscv,aplic", 0xd000000, 0x8000);
	PUT(at, "msi-parent", 8);

	int imsic = axvm_bare_irq_find_imsic(tree);
	CHECK_EQ(imsic, fdt_path_offset(tree, "/soc/interrupt-controller@28000000"));
	CHECK_EQ(axvm_bare_irq_find_aplic(tree, imsic),
		 fdt_path_offset(tree, "/soc/interrupt-controller@d000000"));
	REQUIRE(axvm_bare_irq_read_imsic(tree, imsic, &layout));
	CHECK_EQ(layout.ids, 255);
	CHECK_EQ(layout.guests, 3);
	CHECK_EQ(layout.region_count, 1);
	CHECK_EQ(layout.pages[0], 0x28000000);
	CHECK_EQ(layout.pages[1], 0x28004000);
	CHECK_EQ(layout.pages[2], 0x28008000);
	CHECK_EQ(layout.pages[3], 0);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(layout.indexes[i], i);
}

/* -numa node,cpus=0-1 -numa node,cpus=2-3 */
static int two_sockets(void)
{
	int soc = begin(4);
	int at = imsic_at(soc, "interrupt-controller@28000000", 0x28000000, 0x4000, 10);

	PUT(at, "reg", 0, 0x28000000, 0, 0x4000, 0, 0x29000000, 0, 0x4000);
	PUT(at, "interrupts-extended", 8, S, 6, S, 4, S, 2, S);
	PUT(at, "riscv,guest-index-bits", 1);
	PUT(at, "riscv,hart-index-bits", 1);
	PUT(at, "riscv,group-index-bits", 1);
	PUT(at, "riscv,group-index-shift", 24);
	return at;
}

TEST(groups_of_harts_are_in_the_hart_index)
{
	int at = two_sockets();

	REQUIRE(axvm_bare_irq_read_imsic(tree, at, &layout));
	CHECK_EQ(layout.region_count, 2);
	CHECK_EQ(layout.guests, 1);
	CHECK_EQ(layout.pages[1], 0x28002000);
	CHECK_EQ(layout.pages[2], 0x29000000);
	CHECK_EQ(layout.pages[3], 0x29002000);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(layout.indexes[i], i);
}

TEST(the_cpus_of_the_hypervisor_need_not_be_in_the_trees_order)
{
	int at = two_sockets();

	axvm_cpus[0].hardware_id = 3;
	axvm_cpus[3].hardware_id = 0;
	REQUIRE(axvm_bare_irq_read_imsic(tree, at, &layout));
	CHECK_EQ(layout.pages[0], 0x29002000);
	CHECK_EQ(layout.indexes[0], 3);
	CHECK_EQ(layout.pages[3], 0x28000000);
	CHECK_EQ(layout.indexes[3], 0);
}

TEST(imsics_that_cannot_be_are_refused)
{
	static const struct {
		const char *name;
		uint32_t value;
	} wrong[] = {
		{ "riscv,num-ids", 0 },
		{ "riscv,num-ids", 62 },
		{ "riscv,num-ids", 2048 },
		{ "riscv,num-ids", UINT32_MAX },
		{ "riscv,guest-index-bits", 7 },
		{ "riscv,guest-index-bits", UINT32_MAX },
		{ "riscv,hart-index-bits", 15 },
		{ "riscv,hart-index-bits", UINT32_MAX },
		{ "riscv,group-index-bits", 14 },
		{ "riscv,group-index-bits", UINT32_MAX },
		{ "riscv,group-index-shift", 13 },
		{ "riscv,group-index-shift", 56 },
		{ "riscv,group-index-shift", 64 },
		{ "riscv,group-index-shift", UINT32_MAX },
		{ "riscv,guest-index-bits", 2 }, /* the regions are too small for that */
	};

	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int at = two_sockets();

		CHECK(axvm_bare_irq_read_imsic(tree, at, &layout));
		PUT(at, wrong[i].name, wrong[i].value);
		CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
	}
}

TEST(an_imsic_without_room_for_a_hart_is_refused)
{
	int at = two_sockets();

	PUT(at, "reg", 0, 0x28000000, 0, 0x4000);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
	PUT(at, "reg", 0, 0x28000000, 0, 0x4000, 0, 0x29000000, 0, 0x3000);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
	PUT(at, "reg", 0, 0x28000800, 0, 0x4000, 0, 0x29000000, 0, 0x4000);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
	PUT(at, "reg", 0);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
	PUT(at, "reg", UINT32_MAX, 0xfffff000, 0, 0x4000, 0, 0x29000000, 0, 0x4000);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
}

TEST(more_regions_than_are_kept_are_refused)
{
	int at = two_sockets();

	for (uint32_t i = 2; i < AXVM_IMSIC_REGIONS_MAX; i++) {
		CHECK_EQ(fdt_appendprop_u64(tree, at, "reg", 0x28000000ULL + i * 0x1000000), 0);
		CHECK_EQ(fdt_appendprop_u64(tree, at, "reg", 0x4000), 0);
	}
	CHECK(axvm_bare_irq_read_imsic(tree, at, &layout));
	CHECK_EQ(layout.region_count, AXVM_IMSIC_REGIONS_MAX);
	CHECK_EQ(fdt_appendprop_u64(tree, at, "reg", 0x50000000), 0);
	CHECK_EQ(fdt_appendprop_u64(tree, at, "reg", 0x4000), 0);
	CHECK(!axvm_bare_irq_read_imsic(tree, at, &layout));
}

TEST(lists_of_targets_that_are_cut_or_name_nobody_are_read_to_their_end)
{
	int soc = begin(2);
	int plic = device(soc, "plic@c000000", "riscv,plic0", 0xc000000, 0x600000);

	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 0); /* no list */
	PUT(plic, "interrupts-extended", 4);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 0);
	PUT(plic, "interrupts-extended", 99, S, 2, S, 2);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 1);
	CHECK_EQ(targets[1], 1);
	CHECK_EQ(fdt_setprop(tree, plic, "interrupts-extended", "abcdef", 6), 0);
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 0);
	/* The same hart twice: the first counts. A hart that is none of ours: nobody's. */
	PUT(plic, "interrupts-extended", 4, S, 4, S, 2, S);
	axvm_cpu_count_present = 1;
	CHECK_EQ(axvm_bare_irq_targets(tree, plic, targets), 1);
	CHECK_EQ(targets[0], 0);
}

TEST(no_damaged_tree_is_read_beyond_its_end)
{
	static char damaged[TREE_BYTES];

	(void)two_sockets();
	CHECK_EQ(fdt_pack(tree), 0);
	size_t bytes = fdt_totalsize(tree);
	uint32_t accepted = 0;

	for (uint32_t round = 0; round < 4000; round++) {
		char *copy = malloc(bytes);

		memcpy(damaged, tree, bytes);
		for (uint32_t i = 0; i < 3; i++)
			damaged[sizeof(struct fdt_header) +
				fake_random(bytes - sizeof(struct fdt_header))] ^=
				(char)(1u << fake_random(8));
		memcpy(copy, damaged, bytes);
		int imsic = axvm_bare_irq_find_imsic(copy);
		accepted += imsic >= 0 && axvm_bare_irq_read_imsic(copy, imsic, &layout);
		(void)axvm_bare_irq_find_aplic(copy, imsic);
		(void)axvm_bare_irq_find_plic(copy);
		free(copy);
	}
	CHECK(accepted > 100 && accepted < 4000);
}

AXTEST_MAIN(the_plic_of_qemu_has_a_context_for_each_hart,
	    harts_without_a_supervisor_context_shift_the_others,
	    a_context_that_is_disabled_by_minus_one_keeps_its_place,
	    the_supervisor_aplic_is_told_from_the_machine_level_one,
	    the_imsics_of_qemu_lie_behind_each_other_with_their_guests_files,
	    groups_of_harts_are_in_the_hart_index,
	    the_cpus_of_the_hypervisor_need_not_be_in_the_trees_order,
	    imsics_that_cannot_be_are_refused, an_imsic_without_room_for_a_hart_is_refused,
	    more_regions_than_are_kept_are_refused,
	    lists_of_targets_that_are_cut_or_name_nobody_are_read_to_their_end,
	    no_damaged_tree_is_read_beyond_its_end)
