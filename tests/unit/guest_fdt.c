/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's device tree, made and patched (src/guest_fdt*.c), read back with libfdt. */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "axtest.h"
#include "guest_fdt.h"

#define RAM 0x40000000u
#define GIB ((uint64_t)1 << 30)
#define CAPACITY 0x10000u

static struct axvm_config config;
static struct axvm_config_memory memory[2];
static struct axvm_config_emu emu[6];
static struct axvm_plan plan;
static struct axvm_guest_fdt fdt;
static uint64_t bytes;
static _Alignas(8) uint8_t tree[CAPACITY];
static _Alignas(8) uint8_t own[CAPACITY];
static uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES];
static uint32_t controller_phandle;
static int machine_error;

/* What a platform does: CPUs and a controller. */
static int write_machine(struct axvm_guest_fdt *at, const struct axvm_config *wanted)
{
	axvm_guest_fdt_begin(at, "cpus");
	axvm_guest_fdt_u32(at, "#address-cells", 1);
	axvm_guest_fdt_u32(at, "#size-cells", 0);
	for (uint32_t i = 0; i < wanted->vcpu_count; i++) {
		uint64_t id = axvm_guest_cpu_id(wanted, AXVM_ISA_AARCH64, i);

		axvm_guest_fdt_begin_at(at, "cpu", id);
		axvm_guest_fdt_u32(at, "reg", (uint32_t)id);
		axvm_guest_fdt_string(at, "device_type", "cpu");
		axvm_guest_fdt_end(at);
	}
	axvm_guest_fdt_end(at);
	if (controller_phandle != 0)
		at->intc_phandle = controller_phandle;
	axvm_guest_fdt_begin_at(at, "intc", 0x8000000);
	axvm_guest_fdt_u32(at, "phandle", at->intc_phandle);
	axvm_guest_fdt_flag(at, "interrupt-controller");
	axvm_guest_fdt_strings(at, "compatible", "arm,gic-v3\0arm,gic");
	axvm_guest_fdt_end(at);
	return machine_error;
}

static struct axvm_platform platform;

static void begin(void)
{
	memset(&config, 0, sizeof(config));
	memset(&plan, 0, sizeof(plan));
	memset(tree, 0xee, sizeof(tree));
	platform = (struct axvm_platform){
		.isa = AXVM_ISA_AARCH64, .name = "aarch64", .fdt_machine = write_machine
	};
	memory[0] = (struct axvm_config_memory){ .gpa = { RAM }, .bytes = GIB, .flags = AXVM_MAP_RWX };
	emu[0] = (struct axvm_config_emu){ .name = "gic", .base = { 0x8000000 }, .bytes = 0x10000,
					   .type = AXVM_EMU_GICV3 };
	emu[1] = (struct axvm_config_emu){ .name = "uart", .base = { 0x9000000 }, .bytes = 0x1000,
					   .irq = 33, .type = AXVM_EMU_PL011 };
	emu[2] = (struct axvm_config_emu){ .name = "rtc", .base = { 0x9010000 }, .bytes = 0x1000,
					   .irq = 34, .type = AXVM_EMU_PL031 };
	config.name = "test";
	config.cmdline = "console=ttyAMA0";
	config.vcpu_count = 2;
	config.memory = memory;
	config.memory_count = 1;
	config.emu = emu;
	config.emu_count = 3;
	fdt = (struct axvm_guest_fdt){ .buffer = tree, .capacity = sizeof(tree) };
	controller_phandle = 0;
	machine_error = 0;
	bytes = 0;
	for (unsigned i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(i + 100);
}

static int make(void)
{
	return axvm_guest_fdt_make(&fdt, &config, &platform, &plan, &bytes);
}

/* ---- reading back --------------------------------------------------------------------------- */

static bool has_node(const char *path)
{
	return fdt_path_offset(tree, path) >= 0;
}

static const void *get(const char *path, const char *name, int *length)
{
	int node = fdt_path_offset(tree, path);

	*length = -1;
	return node < 0 ? NULL : fdt_getprop(tree, node, name, length);
}

static void check_string(const char *path, const char *name, const char *expected)
{
	int length;
	const char *value = get(path, name, &length);

	CHECK(value != NULL);
	if (!value)
		return;
	CHECK_EQ(length, strlen(expected) + 1);
	CHECK_STR_EQ(value, expected);
}

static void check_bytes(const char *path, const char *name, const void *expected, int expected_length)
{
	int length;
	const void *value = get(path, name, &length);

	CHECK_EQ(length, expected_length);
	CHECK(value != NULL && memcmp(value, expected, (size_t)expected_length) == 0);
}

/* Up to four cells. */
static void check_cells(const char *path, const char *name, int count, uint32_t a, uint32_t b,
			uint32_t c, uint32_t d)
{
	const uint32_t expected[4] = { a, b, c, d };
	int length;
	const fdt32_t *value = get(path, name, &length);

	CHECK_EQ(length, 4 * count);
	for (int i = 0; value && length == 4 * count && i < count; i++)
		CHECK_EQ(fdt32_ld(value + i), expected[i]);
}

static bool has_property(const char *path, const char *name)
{
	int length;

	return get(path, name, &length) != NULL;
}

static void check_valid(void)
{
	CHECK_EQ(fdt_check_full(tree, bytes), 0);
	CHECK_EQ(fdt_totalsize(tree), bytes);
	CHECK(bytes <= fdt.capacity);
}

/* ---- making --------------------------------------------------------------------------------- */

TEST(the_tree_has_the_shape_of_qemus_virt_machine)
{
	begin();
	REQUIRE_EQ(make(), 0);
	check_valid();
	check_string("/", "compatible", "linux,dummy-virt");
	check_string("/", "model", "linux,dummy-virt");
	check_cells("/", "#address-cells", 1, 2, 0, 0, 0);
	check_cells("/", "#size-cells", 1, 2, 0, 0, 0);
	check_cells("/", "interrupt-parent", 1, 0x8002, 0, 0, 0);
	check_string("/memory@40000000", "device_type", "memory");
	check_cells("/memory@40000000", "reg", 4, 0, RAM, 0, GIB);
	check_bytes("/pl011@9000000", "compatible", "arm,pl011\0arm,primecell", 24);
	check_cells("/pl011@9000000", "reg", 4, 0, 0x9000000, 0, 0x1000);
	check_cells("/pl011@9000000", "interrupts", 3, 0, 1, 4, 0);
	check_cells("/pl011@9000000", "interrupt-parent", 1, 0x8002, 0, 0, 0);
	check_cells("/pl011@9000000", "clocks", 2, 0x8000, 0x8000, 0, 0);
	check_bytes("/pl011@9000000", "clock-names", "uartclk\0apb_pclk", 17);
	check_bytes("/pl031@9010000", "compatible", "arm,pl031\0arm,primecell", 24);
	check_cells("/pl031@9010000", "interrupts", 3, 0, 2, 4, 0);
	check_cells("/pl031@9010000", "clocks", 1, 0x8000, 0, 0, 0);
	check_string("/pl031@9010000", "clock-names", "apb_pclk");
	check_cells("/apb-pclk", "phandle", 1, 0x8000, 0, 0, 0);
	check_cells("/apb-pclk", "clock-frequency", 1, 24000000, 0, 0, 0);
	check_cells("/apb-pclk", "#clock-cells", 1, 0, 0, 0, 0);
	check_string("/apb-pclk", "compatible", "fixed-clock");
	check_string("/aliases", "serial0", "/pl011@9000000");
	check_string("/chosen", "stdout-path", "/pl011@9000000");
	check_string("/chosen", "bootargs", "console=ttyAMA0");
	CHECK(has_node("/cpus/cpu@1"));
	CHECK(has_node("/intc@8000000"));
	check_bytes("/intc@8000000", "compatible", "arm,gic-v3\0arm,gic", 19);
}

TEST(what_there_is_none_of_is_not_in_the_tree)
{
	begin();
	config.emu_count = 1;
	config.cmdline = "";
	platform.fdt_machine = NULL;
	REQUIRE_EQ(make(), 0);
	check_valid();
	CHECK(has_node("/chosen"));
	CHECK(!has_node("/apb-pclk"));
	CHECK(!has_node("/aliases"));
	CHECK(!has_node("/cpus"));
	CHECK(!has_property("/chosen", "stdout-path"));
	CHECK(!has_property("/chosen", "bootargs"));
	CHECK(!has_property("/chosen", "linux,initrd-start"));
	CHECK(!has_property("/chosen", "rng-seed"));
	CHECK(!has_property("/chosen", "kaslr-seed"));
}

TEST(the_initrd_is_told_by_its_ends)
{
	begin();
	plan.initrd_gpa = 0x123456789000;
	plan.initrd_bytes = 0x1001;
	REQUIRE_EQ(make(), 0);
	check_cells("/chosen", "linux,initrd-start", 2, 0x1234, 0x56789000, 0, 0);
	check_cells("/chosen", "linux,initrd-end", 2, 0x1234, 0x5678a001, 0, 0);
}

TEST(a_seed_gives_both_seeds_and_can_be_changed_in_place)
{
	int length;
	uint64_t first;

	begin();
	fdt.seed = seed;
	REQUIRE_EQ(make(), 0);
	check_bytes("/chosen", "rng-seed", seed, 32);
	const void *kaslr = get("/chosen", "kaslr-seed", &length);

	REQUIRE_EQ(length, 8);
	memcpy(&first, kaslr, 8);
	CHECK(first != 0);
	seed[31] ^= 1;
	axvm_guest_fdt_reseed(tree, seed);
	check_bytes("/chosen", "rng-seed", seed, 32);
	CHECK(memcmp(get("/chosen", "kaslr-seed", &length), &first, 8) != 0);
	check_valid();

	begin(); /* one without a seed stays without */
	REQUIRE_EQ(make(), 0);
	axvm_guest_fdt_reseed(tree, seed);
	CHECK(!has_property("/chosen", "rng-seed"));
	check_valid();
}

TEST(each_memory_region_has_its_node_but_devices_have_none)
{
	begin();
	config.memory_count = 2;
	memory[1] = (struct axvm_config_memory){
		.gpa = { 0x8080000000 }, .bytes = 5 * GIB, .flags = AXVM_MAP_RWX
	};
	REQUIRE_EQ(make(), 0);
	CHECK(has_node("/memory@40000000"));
	check_cells("/memory@8080000000", "reg", 4, 0x80, 0x80000000, 1, 0x40000000);
	begin();
	config.memory_count = 2;
	memory[1].flags = AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE;
	REQUIRE_EQ(make(), 0);
	CHECK(!has_node("/memory@8080000000"));
}

TEST(the_controllers_phandle_is_the_platforms_choice)
{
	begin();
	controller_phandle = 7;
	REQUIRE_EQ(make(), 0);
	check_cells("/", "interrupt-parent", 1, 7, 0, 0, 0);
	check_cells("/pl011@9000000", "interrupt-parent", 1, 7, 0, 0, 0);
}

TEST(riscv64_devices_have_its_shapes)
{
	begin();
	platform.isa = AXVM_ISA_RISCV64;
	emu[1] = (struct axvm_config_emu){ .name = "uart", .base = { 0x10000000 }, .bytes = 0x100,
					   .irq = 10, .type = AXVM_EMU_NS16550 };
	emu[2] = (struct axvm_config_emu){ .name = "disk", .base = { 0x10001000 }, .bytes = 0x1000,
					   .irq = 1, .type = AXVM_EMU_VIRTIO_BLK };
	REQUIRE_EQ(make(), 0);
	check_string("/serial@10000000", "compatible", "ns16550a");
	check_cells("/serial@10000000", "interrupts", 1, 10, 0, 0, 0);
	check_cells("/serial@10000000", "clock-frequency", 1, 3686400, 0, 0, 0);
	check_string("/virtio_mmio@10001000", "compatible", "virtio,mmio");
	check_cells("/virtio_mmio@10001000", "interrupts", 1, 1, 0, 0, 0);
	check_string("/chosen", "stdout-path", "/serial@10000000");
	CHECK(!has_node("/apb-pclk"));
}

TEST(virtio_devices_have_edge_interrupts_on_the_gic)
{
	static const enum axvm_emu_type types[] = { AXVM_EMU_VIRTIO_BLK, AXVM_EMU_VIRTIO_NET,
						    AXVM_EMU_VIRTIO_CONSOLE };

	for (unsigned i = 0; i < 3; i++) {
		begin();
		emu[2] = (struct axvm_config_emu){ .name = "virtio", .base = { 0xa000000 },
						   .bytes = 0x200, .irq = 48, .type = types[i] };
		REQUIRE_EQ(make(), 0);
		check_cells("/virtio_mmio@a000000", "interrupts", 3, 0, 16, 1, 0);
		check_bytes("/virtio_mmio@a000000", "dma-coherent", "", 0);
	}
}

TEST(a_device_without_an_interrupt_line_says_none)
{
	begin();
	emu[1].irq = 0;
	emu[2].irq = 31; /* no SPI */
	REQUIRE_EQ(make(), 0);
	CHECK(!has_property("/pl011@9000000", "interrupts"));
	CHECK(!has_property("/pl031@9010000", "interrupts"));
}

TEST(a_buffer_that_is_too_small_is_refused_at_each_size)
{
	begin();
	config.cmdline = "a command line";
	fdt.seed = seed;
	REQUIRE_EQ(make(), 0);

	uint64_t needed = bytes;
	uint64_t refused = 0;

	for (uint64_t capacity = 0; capacity < needed + 64; capacity++) {
		uint8_t *exact = aligned_alloc(8, (capacity + 8) & ~(uint64_t)7);

		fdt = (struct axvm_guest_fdt){ .buffer = exact, .capacity = capacity, .seed = seed };
		bytes = 0;
		int error = make();

		CHECK(error == 0 || error == AXVM_ENOMEM);
		CHECK(error == 0 ? bytes <= capacity : bytes == 0);
		refused += error != 0;
		free(exact);
	}
	CHECK(refused >= needed);
	CHECK(refused < needed + 64);
}

TEST(a_failing_platform_fails_the_tree)
{
	begin();
	machine_error = AXVM_ENOMEM;
	CHECK_EQ(make(), AXVM_ENOMEM);
	CHECK_EQ(bytes, 0);
}

TEST(cpus_are_numbered_as_qemu_numbers_them)
{
	static const uint64_t ids[] = { 0x80000100, 0x8100000203 };

	begin();
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 15), 15);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 16), 0x100);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 63), 0x30f);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_RISCV64, 63), 63);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_X86_64, 16), 16);
	config.phys_cpu_ids = ids;
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 0), 0x100);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_AARCH64, 1), 0x8100000203);
	CHECK_EQ(axvm_guest_cpu_id(&config, AXVM_ISA_RISCV64, 0), 0x80000100);
}

/* ---- patching ------------------------------------------------------------------------------- */

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
	memory[1] = (struct axvm_config_memory){
		.gpa = { 0x100000000 }, .bytes = GIB, .flags = AXVM_MAP_RWX
	};
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

AXTEST_MAIN(the_tree_has_the_shape_of_qemus_virt_machine,
	    what_there_is_none_of_is_not_in_the_tree, the_initrd_is_told_by_its_ends,
	    a_seed_gives_both_seeds_and_can_be_changed_in_place,
	    each_memory_region_has_its_node_but_devices_have_none,
	    the_controllers_phandle_is_the_platforms_choice, riscv64_devices_have_its_shapes,
	    virtio_devices_have_edge_interrupts_on_the_gic,
	    a_device_without_an_interrupt_line_says_none,
	    a_buffer_that_is_too_small_is_refused_at_each_size, a_failing_platform_fails_the_tree,
	    cpus_are_numbered_as_qemu_numbers_them, the_users_tree_is_brought_in_line_with_the_vm,
	    what_the_configuration_leaves_open_stays_the_users,
	    a_stdout_path_of_the_users_or_to_nowhere_is_left_alone,
	    cpus_are_chosen_by_their_ids_and_missing_ones_added,
	    missing_cpus_that_cannot_be_made_are_refused,
	    memory_that_the_trees_cells_cannot_say_is_refused,
	    a_tree_without_cpus_is_refused_but_on_x86,
	    a_users_tree_cut_short_at_each_length_is_refused, a_users_tree_may_lie_unaligned,
	    a_patch_without_room_is_refused, random_damage_to_the_users_tree_is_safe)
