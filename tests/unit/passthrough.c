/* SPDX-License-Identifier: Apache-2.0 */
/* Passthrough ranges: the plan as a pure function, and what a VM then has mapped. */
#include "test_vm.h"
#include "vm_parts.h"

#define RANGES_MAX 16u
#define DEVICE UINT64_C(0x0a000000) /* outside of the simulated RAM, no emulated device there */

static struct axvm_passthrough_range ranges[RANGES_MAX];
static uint32_t range_count;

static int plan(const struct axvm_config_passthrough *devices, uint32_t device_count,
		const struct axvm_config_range *addresses, uint32_t address_count,
		const struct axvm_config_range *holes, uint32_t hole_count)
{
	const struct axvm_config config = {
		.passthrough = devices,
		.passthrough_count = device_count,
		.passthrough_addresses = addresses,
		.passthrough_address_count = address_count,
	};
	uint32_t capacity = axvm_passthrough_capacity(&config, hole_count);
	struct axvm_text none = axvm_text(NULL, 0);

	range_count = 99;
	return axvm_passthrough_plan(&config, holes, hole_count, ranges,
				     capacity < RANGES_MAX ? capacity : RANGES_MAX, &range_count,
				     &none);
}

static int plan_addresses(const struct axvm_config_range *addresses, uint32_t count)
{
	return plan(NULL, 0, addresses, count, NULL, 0);
}

static void check_range(uint32_t index, uint64_t gpa, uint64_t hpa, uint64_t bytes)
{
	CHECK(index < range_count);
	CHECK_EQ(ranges[index].gpa.addr, gpa);
	CHECK_EQ(ranges[index].hpa.addr, hpa);
	CHECK_EQ(ranges[index].bytes, bytes);
}

TEST(ranges_are_rounded_outward_at_both_ends)
{
	const struct axvm_config_range addresses[] = {
		{ 0x1ff0, 0x20 },
		{ 0x10000, 1 },
		{ 0x20fff, 1 },
		{ 0x30001, 0x1000 },
	};

	REQUIRE_EQ(plan_addresses(addresses, 4), 0);
	CHECK_EQ(range_count, 4);
	check_range(0, 0x1000, 0x1000, 0x2000);
	check_range(1, 0x10000, 0x10000, 0x1000);
	check_range(2, 0x20000, 0x20000, 0x1000);
	check_range(3, 0x30000, 0x30000, 0x2000);
}

TEST(ranges_that_touch_and_agree_become_one)
{
	const struct axvm_config_range addresses[] = {
		{ 0x9000, 0x1000 }, { 0x5000, 0x1000 }, { 0x6000, 0x800 }, { 0x6800, 0x100 },
		{ 0x5000, 0x1000 }, { 0x4000, 0x4000 }, { 0xa000, 0x10 },
	};

	REQUIRE_EQ(plan_addresses(addresses, 7), 0);
	CHECK_EQ(range_count, 2);
	check_range(0, 0x4000, 0x4000, 0x4000);
	check_range(1, 0x9000, 0x9000, 0x2000);
}

TEST(the_host_address_is_honoured)
{
	const struct axvm_config_passthrough devices[] = {
		{ .name = "a", .gpa = { 0x5010 }, .hpa = { 0x80010 }, .bytes = 0x10 },
		{ .name = "b", .gpa = { 0x6000 }, .hpa = { 0x81000 }, .bytes = 0x1000 },
		{ .name = "c", .gpa = { 0x7000 }, .hpa = { 0x3000 }, .bytes = 0x1000 },
		{ .name = "/soc/found@0", .path = "/soc/found@0" },
	};

	REQUIRE_EQ(plan(devices, 4, NULL, 0, NULL, 0), 0);
	CHECK_EQ(range_count, 2); /* a and b are one, c goes elsewhere, the path is not ours */
	check_range(0, 0x5000, 0x80000, 0x2000);
	check_range(1, 0x7000, 0x3000, 0x1000);
}

TEST(entries_that_cannot_be_are_refused_by_their_kind)
{
	const struct axvm_config_passthrough offsets = {
		.name = "a", .gpa = { 0x5010 }, .hpa = { 0x80020 }, .bytes = 0x10
	};
	const struct axvm_config_passthrough host_wraps = {
		.name = "a", .gpa = { 0x5000 }, .hpa = { UINT64_MAX - 0xfff }, .bytes = 0x2000
	};
	const struct axvm_config_passthrough two[] = {
		{ .name = "a", .gpa = { 0x5000 }, .hpa = { 0x80000 }, .bytes = 0x2000 },
		{ .name = "b", .gpa = { 0x6800 }, .hpa = { 0x90800 }, .bytes = 0x10 },
	};
	const struct axvm_config_range empty = { 0x5000, 0 };
	const struct axvm_config_range last = { UINT64_MAX - 0xfff, 0x1000 };
	const struct axvm_config_range wraps = { UINT64_MAX, 2 };

	CHECK_EQ(plan(&offsets, 1, NULL, 0, NULL, 0), AXVM_EINVAL);
	CHECK_EQ(plan(&host_wraps, 1, NULL, 0, NULL, 0), AXVM_EINVAL);
	CHECK_EQ(plan(two, 2, NULL, 0, NULL, 0), AXVM_EEXIST);
	CHECK_EQ(plan_addresses(&empty, 1), AXVM_EINVAL);
	CHECK_EQ(plan_addresses(&last, 1), AXVM_EINVAL);
	CHECK_EQ(plan_addresses(&wraps, 1), AXVM_EINVAL);
	CHECK_EQ(range_count, 99); /* written on success only */
}

TEST(emulated_devices_are_holes_of_whole_pages)
{
	const struct axvm_config_passthrough device = {
		.name = "a", .gpa = { 0x10000 }, .hpa = { 0x70000 }, .bytes = 0x10000
	};
	const struct axvm_config_range holes[] = {
		{ 0x1f000, 0x8000 }, /* over the end */
		{ 0x12ffc, 8 },	     /* in the middle, on two pages */
		{ 0xf000, 0x1001 },  /* over the beginning */
		{ 0x30000, 0x1000 }, /* elsewhere */
		{ 0x15000, 0 },	     /* nothing */
		{ 0x13000, 0x10 },   /* in the middle's again */
	};

	REQUIRE_EQ(plan(&device, 1, NULL, 0, holes, 6), 0);
	CHECK_EQ(range_count, 2);
	check_range(0, 0x11000, 0x71000, 0x1000);
	check_range(1, 0x14000, 0x74000, 0xb000);
}

TEST(a_hole_over_everything_leaves_nothing)
{
	const struct axvm_config_range addresses[] = { { 0x5000, 0x1000 }, { 0x8000, 0x3000 } };
	const struct axvm_config_range hole = { 0, 0x100000 };

	REQUIRE_EQ(plan(NULL, 0, addresses, 2, &hole, 1), 0);
	CHECK_EQ(range_count, 0);
}

/* Against a flat array of pages: random ranges and holes within 64 pages. */
static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static struct axvm_config_range random_range(void)
{
	uint64_t base = random_below(63 * 4096);

	return (struct axvm_config_range){ base, 1 + random_below(64 * 4096 - base) / 8 };
}

static void mark(bool *pages, struct axvm_config_range range, bool value)
{
	for (uint64_t page = range.base / 4096; page <= (range.base + range.bytes - 1) / 4096;
	     page++)
		pages[page] = value;
}

TEST(random_ranges_and_holes_agree_with_an_array_of_pages)
{
	for (unsigned round = 0; round < 2000; round++) {
		struct axvm_config_range addresses[4];
		struct axvm_config_range holes[4];
		bool pages[64] = { false };
		bool planned[64] = { false };

		for (unsigned i = 0; i < 4; i++) {
			addresses[i] = random_range();
			mark(pages, addresses[i], true);
		}
		for (unsigned i = 0; i < 4; i++) {
			holes[i] = random_range();
			holes[i].bytes = 1 + holes[i].bytes / 4;
			mark(pages, holes[i], false);
		}
		REQUIRE_EQ(plan(NULL, 0, addresses, 4, holes, 4), 0);
		for (uint32_t i = 0; i < range_count; i++) {
			CHECK_EQ(ranges[i].gpa.addr, ranges[i].hpa.addr);
			CHECK(i == 0 ||
			      ranges[i - 1].gpa.addr + ranges[i - 1].bytes < ranges[i].gpa.addr);
			mark(planned,
			     (struct axvm_config_range){ ranges[i].gpa.addr, ranges[i].bytes },
			     true);
		}
		REQUIRE(memcmp(pages, planned, sizeof(pages)) == 0);
	}
}

/* ---- in a VM -------------------------------------------------------------------------------- */

static bool maps(struct axvm_vm *vm, uint64_t gpa, uint64_t hpa)
{
	struct axvm_mapping mapping;

	return axvm_aspace_query(axvm_vm_aspace(vm), axvm_gpa(gpa), &mapping) == 0 &&
	       mapping.hpa.addr == hpa && (mapping.flags & AXVM_MAP_DEVICE) != 0 &&
	       (mapping.flags & AXVM_MAP_EXECUTE) == 0;
}

static bool is_unmapped(struct axvm_vm *vm, uint64_t gpa)
{
	return axvm_aspace_query(axvm_vm_aspace(vm), axvm_gpa(gpa), NULL) == AXVM_EFAULT;
}

/* The page in the place of an emulated UART: the VM's own, to be read only. */
static bool is_shadowed(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	return axvm_aspace_query(axvm_vm_aspace(vm), axvm_gpa(gpa), &mapping) == 0 &&
	       mapping.hpa.addr != gpa && mapping.block_bytes == AXVM_PAGE_BYTES &&
	       mapping.flags == (AXVM_MAP_READ | AXVM_MAP_DEVICE);
}

static void check_uart(struct axvm_vm *vm, uint64_t gpa)
{
	CHECK(test_isa().uart_is_shadowed ? is_shadowed(vm, gpa) : is_unmapped(vm, gpa));
}

TEST(a_vm_has_its_devices_mapped_and_its_emulated_ones_not)
{
	const struct axvm_config_passthrough device = {
		.name = "a", .gpa = { DEVICE }, .hpa = { 0x0b000000 }, .bytes = 0x1800
	};
	const uint64_t uart = test_isa().uart;
	/* All around the emulated UART of the platform, and the clock that may be behind it. */
	const struct axvm_config_range around = { uart - 0x1000, 0x20000 };
	struct test_vm test;

	axvm_sim_reset(NULL);
	REQUIRE_EQ(axvm_init(NULL), 0);
	test_vm_init(&test, 1);
	test.config.passthrough = &device;
	test.config.passthrough_count = 1;
	test.config.passthrough_addresses = &around;
	test.config.passthrough_address_count = 1;
	REQUIRE_EQ(test_vm_create(&test), 0);
	CHECK(maps(test.vm, DEVICE, 0x0b000000));
	CHECK(maps(test.vm, DEVICE + 0x1000, 0x0b001000));
	CHECK(is_unmapped(test.vm, DEVICE + 0x2000));
	CHECK(maps(test.vm, uart - 0x1000, uart - 0x1000));
	check_uart(test.vm, uart);
	CHECK(maps(test.vm, uart + 0x1000, uart + 0x1000));
	for (uint32_t i = 0; i < test.config.emu_count; i++) {
		uint64_t base = test.devices[i].base.addr;

		CHECK(base == uart || is_unmapped(test.vm, base));
	}
	CHECK(maps(test.vm, uart + 0x1e000, uart + 0x1e000));
	CHECK(is_unmapped(test.vm, uart + 0x1f000));
	CHECK_EQ(axvm_vm_console_input(test.vm, "a", 1), 1);
	CHECK(is_unmapped(test.vm, uart));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	check_uart(test.vm, uart);
	test_vm_end(&test);
}

static int create_with(struct test_vm *test, const struct axvm_config_passthrough *device)
{
	test_vm_init(test, 1);
	test->config.passthrough = device;
	test->config.passthrough_count = 1;
	return test_vm_create(test);
}

TEST(what_the_host_keeps_or_what_is_memory_is_refused)
{
	const struct axvm_config_passthrough ram = {
		.name = "a", .gpa = { DEVICE }, .hpa = { 0x50000000 }, .bytes = 0x1000
	};
	const struct axvm_config_passthrough over_ram = { .name = "a",
							  .gpa = { TEST_RAM + 0x1000 },
							  .hpa = { DEVICE + 0x1000 },
							  .bytes = 0x1000 };
	const struct axvm_config_passthrough controller = {
		.name = "a", .gpa = { DEVICE }, .hpa = { 0x0c000000 }, .bytes = 0x1000
	};
	struct test_vm test;

	axvm_sim_reset(NULL);
	axvm_sim_forbid(axvm_hpa(0x0c000000), 0x10000);
	REQUIRE_EQ(axvm_init(NULL), 0);
	CHECK_EQ(create_with(&test, &ram), AXVM_EPERM);
	CHECK_STR_EQ(test.why, "passthrough 0x50000000-0x50000fff: the host does not leave this "
			       "range to guests");
	CHECK_EQ(create_with(&test, &controller), AXVM_EPERM);
	CHECK_EQ(create_with(&test, &over_ram), AXVM_EEXIST);
	CHECK_STR_EQ(test.why, "passthrough 0x40001000-0x40001fff: overlaps the VM's memory");
	CHECK_EQ(axvm_sim_used_pages(), 0);
	test_vm_init(&test, 1);
	test.config.address_space_passthrough = true;
	CHECK_EQ(test_vm_create(&test), AXVM_EUNSUPPORTED);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

/* ---- interrupts ---------------------------------------------------------------------------- */

#define DEVICES 4u

/* Two devices share 70; upstream's files have numbers below the platform's first that mean nothing. */
static struct axvm_config_passthrough with_irqs[DEVICES] = {
	{ .name = "a", .gpa = { DEVICE }, .hpa = { DEVICE }, .bytes = 0x1000, .irq = 70 },
	{ .name = "b", .gpa = { DEVICE + 0x1000 }, .hpa = { DEVICE }, .bytes = 0x1000 },
	{ .name = "c", .gpa = { DEVICE + 0x2000 }, .hpa = { DEVICE }, .bytes = 0x1000, .irq = 70 },
	{ .name = "d", .gpa = { DEVICE + 0x3000 }, .hpa = { DEVICE }, .bytes = 0x1000, .irq = 32 },
};

static void begin_irqs(struct test_vm *test)
{
	axvm_sim_reset(NULL);
	REQUIRE_EQ(axvm_init(NULL), 0);
	test_vm_init(test, 1);
	with_irqs[1].irq = axvm_arch_platform->irq_first - 1;
	test->config.passthrough = with_irqs;
	test->config.passthrough_count = DEVICES;
}

TEST(interrupts_are_the_vms_from_its_creation_to_its_end)
{
	struct test_vm test;

	begin_irqs(&test);
	REQUIRE_EQ(test_vm_create(&test), 0);
	CHECK_EQ(axvm_sim_attached_irqs(), 2);
	CHECK(axvm_sim_irq_owner(70) == test.vm);
	CHECK(axvm_sim_irq_owner(32) == test.vm);
	test_vm_end(&test);
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
}

TEST(only_emulated_interrupts_are_attached)
{
	struct test_vm test;

	begin_irqs(&test);
	test.config.irq_mode = AXVM_IRQ_NONE;
	REQUIRE_EQ(test_vm_create(&test), 0);
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
	test_vm_end(&test);
}

TEST(an_interrupt_that_cannot_be_had_ends_the_creation_and_gives_back_the_others)
{
	struct test_vm test;

	begin_irqs(&test);
	axvm_sim_keep_irq(32);
	CHECK_EQ(test_vm_create(&test), AXVM_EPERM);
	CHECK_STR_EQ(test.why, "passthrough irq 32: the host uses this interrupt itself");
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);

	const struct axvm_config_passthrough none = {
		.name = "a", .gpa = { DEVICE }, .hpa = { DEVICE }, .bytes = 0x1000, .irq = 1020
	};

	CHECK_EQ(create_with(&test, &none), AXVM_EINVAL);
	CHECK_STR_EQ(test.why, "passthrough irq 1020: the host has no such interrupt");
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(an_interrupt_belongs_to_one_vm)
{
	struct test_vm first;
	struct test_vm second;

	begin_irqs(&first);
	REQUIRE_EQ(test_vm_create(&first), 0);
	test_vm_init(&second, 2);
	second.config.passthrough = &with_irqs[2];
	second.config.passthrough_count = 2;
	CHECK_EQ(test_vm_create(&second), AXVM_EBUSY);
	CHECK_STR_EQ(second.why, "passthrough irq 70: another VM has this interrupt");
	CHECK_EQ(axvm_sim_attached_irqs(), 2);
	CHECK(axvm_sim_irq_owner(70) == first.vm);
	test_vm_end(&first);
	REQUIRE_EQ(test_vm_create(&second), 0);
	CHECK(axvm_sim_irq_owner(70) == second.vm);
	test_vm_end(&second);
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
}

TEST(whichever_allocation_fails_no_interrupt_stays_attached)
{
	struct test_vm test;
	uint64_t n = 0;
	int error;

	begin_irqs(&test);
	do {
		axvm_sim_fail_allocation_after(n++);
		error = test_vm_create(&test);
		CHECK_EQ(axvm_sim_attached_irqs(), error == 0 ? 2 : 0);
		CHECK(error == 0 || axvm_sim_used_pages() == 0);
	} while (error != 0 && n < 1000);
	CHECK(n > 3);
	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
	REQUIRE_EQ(error, 0);
	test_vm_end(&test);
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
}

TEST(an_id_that_is_taken_gives_the_interrupts_back)
{
	struct test_vm first;
	struct test_vm second;

	begin_irqs(&first);
	second = first;
	first.config.passthrough_count = 0;
	REQUIRE_EQ(test_vm_create(&first), 0);
	second.params.config = &second.config;
	second.config.memory = second.memory;
	second.config.emu = second.devices;
	CHECK_EQ(test_vm_create(&second), AXVM_EEXIST);
	CHECK_EQ(axvm_sim_attached_irqs(), 0);
	test_vm_end(&first);
}

AXTEST_MAIN(ranges_are_rounded_outward_at_both_ends, ranges_that_touch_and_agree_become_one,
	    the_host_address_is_honoured, entries_that_cannot_be_are_refused_by_their_kind,
	    emulated_devices_are_holes_of_whole_pages, a_hole_over_everything_leaves_nothing,
	    random_ranges_and_holes_agree_with_an_array_of_pages,
	    a_vm_has_its_devices_mapped_and_its_emulated_ones_not,
	    what_the_host_keeps_or_what_is_memory_is_refused,
	    interrupts_are_the_vms_from_its_creation_to_its_end,
	    only_emulated_interrupts_are_attached,
	    an_interrupt_that_cannot_be_had_ends_the_creation_and_gives_back_the_others,
	    an_interrupt_belongs_to_one_vm, whichever_allocation_fails_no_interrupt_stays_attached,
	    an_id_that_is_taken_gives_the_interrupts_back)
