// SPDX-License-Identifier: Apache-2.0
/* Guest memory through the address space, over every format of the ISA and some of no CPU. */
#include "support/aspace_rig.h"

#define RAM_PAGES 1024u

/* Guest pages at 1 GiB: the first half is in host memory behind the second, so nothing is contiguous. */
static struct axvm_hpa map_ram(void)
{
	struct axvm_hpa ram;

	if (axvm_hal_alloc_pages(RAM_PAGES, MIB2, &ram) != 0)
		CHECK_EQ(ram.addr, 0);
	CHECK_EQ(map(GIB, ram.addr + MIB2, MIB2, RW), 0);
	CHECK_EQ(map(GIB + MIB2, ram.addr, MIB2 - 2 * KIB4, RW), 0);
	CHECK_EQ(map(GIB + 2 * MIB2 - 2 * KIB4, ram.addr + MIB2 - 2 * KIB4, KIB4, AXVM_MAP_READ),
		 0);
	CHECK_EQ(map(GIB + 2 * MIB2 - KIB4, ram.addr + MIB2 - KIB4, KIB4, RW | AXVM_MAP_DEVICE), 0);
	return ram;
}

static void check_memory(const struct axvm_pte_format *format)
{
	uint8_t out[3 * 4096];
	uint8_t in[3 * 4096];

	start(format);
	struct axvm_hpa ram = map_ram();
	uint8_t *host = axvm_hal_map(ram, RAM_PAGES * KIB4);

	memset(host, 0, RAM_PAGES * KIB4);
	for (uint32_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 256 + 1);
	/* Over the seam between the halves. */
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(GIB + MIB2 - 5000), out, sizeof(out)), 0);
	CHECK_EQ(memcmp(host + 2 * MIB2 - 5000, out, 5000), 0);
	CHECK_EQ(memcmp(host, out + 5000, sizeof(out) - 5000), 0);
	CHECK_EQ(host[2 * MIB2 - 5001], 0);
	CHECK_EQ(host[sizeof(out) - 5000], 0);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(GIB + MIB2 - 5000), in, sizeof(in)), 0);
	CHECK_EQ(memcmp(in, out, sizeof(in)), 0);
	CHECK_EQ(axvm_aspace_fill(&as, axvm_gpa(GIB + MIB2 - 2), 0xee, 4), 0);
	CHECK_EQ(host[2 * MIB2 - 3], out[4997]);
	CHECK_EQ(host[2 * MIB2 - 1], 0xee);
	CHECK_EQ(host[1], 0xee);
	CHECK_EQ(host[2], out[5002]);
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(UINT64_MAX), out, 0), 0);
	axvm_hal_unmap(host, RAM_PAGES * KIB4);
	CHECK_EQ(unmap(GIB, 2 * MIB2), 0);
	axvm_hal_free_pages(ram, RAM_PAGES);
	end();
}

TEST(guest_memory_is_copied_across_pages)
{
	for_each_format(check_memory);
}

static void check_memory_refusals(const struct axvm_pte_format *format)
{
	uint64_t limit = (uint64_t)1 << format->input_bits;
	uint64_t read_only = GIB + 2 * MIB2 - 2 * KIB4;
	uint8_t bytes[2 * 4096];

	start(format);
	struct axvm_hpa ram = map_ram();
	uint8_t *host = axvm_hal_map(ram, RAM_PAGES * KIB4);

	memset(host, 0x11, RAM_PAGES * KIB4);
	memset(bytes, 0x22, sizeof(bytes));
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(read_only - 8), bytes, 9), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_fill(&as, axvm_gpa(read_only - 8), 0x22, 9), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_fill(&as, axvm_gpa(GIB), 0x22, 2 * MIB2), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(GIB - 1), bytes, 2), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(read_only), bytes, KIB4 + 1), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(read_only + KIB4), bytes, 1), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(limit - 1), bytes, 2), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(UINT64_MAX), bytes, 1), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(UINT64_MAX), bytes, 2), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(GIB), bytes, UINT64_MAX), AXVM_EFAULT);
	for (uint64_t i = 0; i < RAM_PAGES * KIB4; i += 8) {
		if (host[i] != 0x11 || host[i + 7] != 0x11) {
			CHECK_EQ(host[i], 0x11);
			break;
		}
	}
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		REQUIRE_EQ(bytes[i], 0x22);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(read_only), bytes, 1), 0);
	CHECK_EQ(bytes[0], 0x11);
	axvm_hal_unmap(host, RAM_PAGES * KIB4);
	CHECK_EQ(unmap(GIB, 2 * MIB2), 0);
	axvm_hal_free_pages(ram, RAM_PAGES);
	end();
}

TEST(a_refused_access_touches_no_byte)
{
	for_each_format(check_memory_refusals);
}

static void check_no_host_memory(const struct axvm_pte_format *format)
{
	uint8_t byte = 1;

	start(format);
	/* Mapped, with rights, but at the end of host RAM and beyond. */
	CHECK_EQ(map(0, 4 * GIB, KIB4, RW), 0);
	CHECK_EQ(axvm_aspace_read(&as, axvm_gpa(0), &byte, 1), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_write(&as, axvm_gpa(8), &byte, 1), AXVM_EFAULT);
	CHECK_EQ(byte, 1);
	end();
}

TEST(memory_that_the_host_cannot_reach_is_refused)
{
	for_each_format(check_no_host_memory);
}

static void check_translate(const struct axvm_pte_format *format)
{
	struct axvm_hpa hpa = { 1 };
	uint64_t bytes = 2;

	start(format);
	CHECK_EQ(map(GIB, GIB, MIB2, RW), 0);
	CHECK_EQ(axvm_aspace_translate(&as, axvm_gpa(GIB + MIB2), 0, &hpa, &bytes), AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_translate(&as, axvm_gpa(GIB), AXVM_MAP_EXECUTE, &hpa, &bytes),
		 AXVM_EFAULT);
	CHECK_EQ(hpa.addr, 1);
	CHECK_EQ(bytes, 2);
	CHECK_EQ(axvm_aspace_translate(&as, axvm_gpa(GIB + 100), RW, &hpa, &bytes), 0);
	CHECK_EQ(hpa.addr, GIB + 100);
	CHECK_EQ(bytes, largest_block(format, MIB2) - 100);
	CHECK_EQ(axvm_aspace_translate(&as, axvm_gpa(GIB + MIB2 - 1), 0, &hpa, &bytes), 0);
	CHECK_EQ(bytes, 1);
	end();
}

TEST(translate_asks_for_rights_and_tells_the_rest_of_the_block)
{
	for_each_format(check_translate);
}

AXTEST_MAIN(guest_memory_is_copied_across_pages, a_refused_access_touches_no_byte,
	    memory_that_the_host_cannot_reach_is_refused,
	    translate_asks_for_rights_and_tells_the_rest_of_the_block)
