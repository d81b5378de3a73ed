/* SPDX-License-Identifier: Apache-2.0 */
/* The bus (include/axvm/device.h, src/bus.c) and the list of device types. */
#include "../../dev/table.h"
#include "arch.h"
#include "device_vm.h"
#include "support/bus_access.h"

#define REGION_BYTES 0x1000u

/* A device that notes the last access and answers with what it was told to. */
static struct {
	struct axvm_device *device;
	struct axvm_vcpu *vcpu;
	uint64_t offset;
	unsigned bytes;
	uint64_t value;
	uint32_t count;
} noted;
static uint64_t answer;

static uint64_t note_read(struct axvm_device *at, struct axvm_vcpu *vcpu, uint64_t offset,
			  unsigned bytes)
{
	noted.device = at;
	noted.vcpu = vcpu;
	noted.offset = offset;
	noted.bytes = bytes;
	noted.count++;
	return answer;
}

static void note_write(struct axvm_device *at, struct axvm_vcpu *vcpu, uint64_t offset,
		       unsigned bytes, uint64_t value)
{
	(void)note_read(at, vcpu, offset, bytes);
	noted.value = value;
}

static const struct axvm_device_type noting = { .read = note_read, .write = note_write };
static struct axvm_device devices[AXVM_BUS_REGIONS_MAX + 1];

static void begin(void)
{
	device_vm_reset();
	memset(&noted, 0, sizeof(noted));
	for (uint32_t i = 0; i <= AXVM_BUS_REGIONS_MAX; i++)
		devices[i].type = &noting;
}

static int attach(uint32_t index, uint64_t base, uint64_t bytes)
{
	return axvm_bus_attach(&device_vm.mmio, &devices[index], base, bytes, 0);
}

TEST(an_access_reaches_the_device_that_was_attached_there)
{
	begin();
	REQUIRE_EQ(attach(1, 0x3000, REGION_BYTES), 0);
	REQUIRE_EQ(attach(0, 0x1000, REGION_BYTES), 0);
	REQUIRE_EQ(axvm_bus_attach(&device_vm.mmio, &devices[2], 0x2000, 0x100, 0x700), 0);

	answer = 0x1122334455667788;
	CHECK_EQ(bus_read(0x3010, 4), 0x55667788);
	CHECK_PTR_EQ(noted.device, &devices[1]);
	CHECK_PTR_EQ(noted.vcpu, &device_vcpu);
	CHECK_EQ(noted.offset, 0x10);
	CHECK_EQ(noted.bytes, 4);
	bus_write(0x1ff8, 8, 0xffeeddccbbaa9988);
	CHECK_PTR_EQ(noted.device, &devices[0]);
	CHECK_EQ(noted.offset, 0xff8);
	CHECK_EQ(noted.value, 0xffeeddccbbaa9988);
	CHECK_EQ(bus_read(0x20ff, 1), 0x88);
	CHECK_EQ(noted.offset, 0x7ff);
}

TEST(values_are_cut_to_the_width_of_the_access)
{
	static const uint8_t widths[] = { 1, 2, 4, 8 };

	begin();
	REQUIRE_EQ(attach(0, 0x1000, REGION_BYTES), 0);
	answer = UINT64_MAX;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t all = UINT64_MAX >> (64 - 8 * widths[i]);

		CHECK_EQ(bus_read(0x1000, widths[i]), all);
		bus_write(0x1000, widths[i], UINT64_MAX);
		CHECK_EQ(noted.value, all);
		CHECK_EQ(noted.bytes, widths[i]);
	}
}

TEST(overlaps_and_impossible_ranges_are_refused_and_change_nothing)
{
	begin();
	REQUIRE_EQ(attach(0, 0x2000, 0x1000), 0);
	REQUIRE_EQ(attach(1, 0x4000, 0x1000), 0);
	CHECK_EQ(attach(2, 0x2000, 0x1000), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0x1fff, 2), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0x2fff, 1), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0x1000, 0x8000), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0x3000, 0x1001), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0, UINT64_MAX), AXVM_EEXIST);
	CHECK_EQ(attach(2, 0x9000, 0), AXVM_EINVAL);
	CHECK_EQ(attach(2, UINT64_MAX, 2), AXVM_ERANGE);
	CHECK_EQ(axvm_bus_attach(&device_vm.mmio, &devices[2], 0x9000, 2, UINT64_MAX), AXVM_ERANGE);
	CHECK_EQ(device_vm.mmio.count, 2);
	CHECK_EQ(attach(2, 0x3000, 0x1000), 0);
	CHECK_EQ(attach(3, UINT64_MAX, 1), 0);
	CHECK_EQ(device_vm.mmio.count, 4);
}

TEST(a_full_bus_refuses_the_next_region)
{
	begin();
	for (uint32_t i = 0; i < AXVM_BUS_REGIONS_MAX; i++) {
		/* odd ones first, then even ones from the top: every place of insertion */
		uint32_t half = AXVM_BUS_REGIONS_MAX / 2;
		uint32_t place = i < half ? 2 * i + 1 : 2 * (AXVM_BUS_REGIONS_MAX - 1 - i);

		REQUIRE_EQ(attach(place, (uint64_t)place * REGION_BYTES, REGION_BYTES), 0);
	}
	CHECK_EQ(attach(AXVM_BUS_REGIONS_MAX, 0x10000000, 1), AXVM_ERANGE);
	for (uint32_t i = 0; i < AXVM_BUS_REGIONS_MAX; i++) {
		const struct axvm_bus_region *found =
			axvm_bus_find(&device_vm.mmio, (uint64_t)i * REGION_BYTES + 8, 8);

		REQUIRE(found != NULL);
		CHECK_PTR_EQ(found->device, &devices[i]);
	}
}

/* Against a flat model: whatever was asked before, the answer is that of a linear search. */
TEST(find_and_the_last_hit_agree_with_a_linear_search)
{
	uint64_t random = 1;

	begin();
	for (uint32_t i = 0; i < 8; i++)
		REQUIRE_EQ(attach(i, 0x100 + i * 0x40u, 0x10 + i * 4), 0);
	for (uint32_t round = 0; round < 20000; round++) {
		random = random * 6364136223846793005u + 1442695040888963407u;

		uint64_t addr = random >> 33 & 0x3ff;
		unsigned bytes = 1u << (random >> 60 & 3);
		uint64_t value;
		struct axvm_device *wanted = NULL;

		for (uint32_t i = 0; i < 8; i++) {
			if (axvm_range_contains(0x100 + i * 0x40u, 0x10 + i * 4, addr, bytes))
				wanted = &devices[i];
		}
		noted.device = NULL;
		CHECK_EQ(try_bus_read(&device_vcpu, addr, bytes, &value), wanted != NULL);
		CHECK_PTR_EQ(noted.device, wanted);
	}
}

TEST(an_access_that_straddles_the_end_of_a_region_is_not_claimed)
{
	begin();
	REQUIRE_EQ(attach(0, 0x1000, 0x1000), 0);
	REQUIRE_EQ(attach(1, 0x2000, 0x1000), 0);

	uint64_t value = 7;

	CHECK(!try_bus_read(&device_vcpu, 0x1ffd, 4, &value));
	(void)bus_read(0x1000, 4); /* with the region in the cache, too */
	CHECK(!try_bus_read(&device_vcpu, 0x1ffd, 4, &value));
	CHECK(!try_bus_read(&device_vcpu, 0xfff, 4, &value));
	CHECK(!try_bus_read(&device_vcpu, UINT64_MAX, 4, &value));
	CHECK_EQ(value, 7);
	CHECK_EQ(noted.count, 1);
}

TEST(unclaimed_accesses_are_counted_and_logged_once_per_page)
{
	uint64_t value;

	begin();
	CHECK(!try_bus_write(&device_vcpu, 0xdead0010, 4, 0));
	CHECK(!try_bus_write(&device_vcpu, 0xdead0018, 4, 0));
	CHECK_EQ(device_vm.unclaimed_accesses, 2);
	CHECK_STR_EQ(axvm_sim_log(), "warning: test: write of 4 bytes at 0xdead0010: "
				     "no device and no memory there\n");
	CHECK(!try_bus_read(&device_vcpu, 0xdead0018 + AXVM_PAGE_BYTES, 4, &value));
	CHECK_EQ(axvm_sim_log_count(AXVM_LOG_WARNING), 2);
}

TEST(a_guest_that_reads_everywhere_cannot_flood_the_log)
{
	begin();
	for (uint64_t page = 0; page < 1000; page++) {
		uint64_t value;

		CHECK(!try_bus_read(&device_vcpu, page << AXVM_PAGE_SHIFT, 1, &value));
	}
	CHECK_EQ(device_vm.unclaimed_accesses, 1000);
	CHECK_EQ(axvm_sim_log_count(AXVM_LOG_WARNING), AXVM_UNCLAIMED_PAGES_MAX);
}

TEST(types_are_found_in_the_portable_list_and_in_the_isa)
{
	CHECK_PTR_EQ(axvm_device_type_find(AXVM_EMU_PL011), &axvm_dev_pl011);
	CHECK_PTR_EQ(axvm_device_type_find(AXVM_EMU_PL031), &axvm_dev_pl031);
	for (uint32_t i = 0; i < axvm_arch_device_type_count; i++)
		CHECK_PTR_EQ(axvm_device_type_find(axvm_arch_device_types[i]->emu_type),
			     axvm_arch_device_types[i]);
	CHECK_PTR_EQ(axvm_device_type_find((enum axvm_emu_type)0xfe), NULL);
	CHECK_STR_EQ(axvm_dev_pl011.name, "pl011");
	CHECK_STR_EQ(axvm_dev_pl031.name, "pl031");
}

AXTEST_MAIN(an_access_reaches_the_device_that_was_attached_there,
	    values_are_cut_to_the_width_of_the_access,
	    overlaps_and_impossible_ranges_are_refused_and_change_nothing,
	    a_full_bus_refuses_the_next_region, find_and_the_last_hit_agree_with_a_linear_search,
	    an_access_that_straddles_the_end_of_a_region_is_not_claimed,
	    unclaimed_accesses_are_counted_and_logged_once_per_page,
	    a_guest_that_reads_everywhere_cannot_flood_the_log,
	    types_are_found_in_the_portable_list_and_in_the_isa)
