/* SPDX-License-Identifier: Apache-2.0 */
/* VMs that do not get the memory they ask for, or not in one piece. */
#include "full_vm.h"

TEST(every_failing_allocation_of_create_is_an_error_or_a_smaller_piece)
{
	struct test_vm test;
	uint64_t n = 0;

	do {
		REQUIRE(n < 200);
		new_machine();
		init_full(&test);
		axvm_sim_fail_allocation_after(n++);
		int error = test_vm_create(&test);

		if (!axvm_sim_has_failed_allocation())
			CHECK_EQ(error, 0);
		CHECK(error == 0 || error == AXVM_ENOMEM);
		CHECK(error == 0 || test.why[0] != '\0');
		if (error == 0)
			test_vm_end(&test);
		CHECK_EQ(axvm_sim_used_pages(), 0);
		CHECK_EQ(axvm_sim_mapped_bytes(), 0);
		CHECK(axvm_vm_find(1) == NULL);
	} while (axvm_sim_has_failed_allocation());
	CHECK(n > 5);
}

enum operation { BOOT, MAP, UNMAP, RESET, DESTROY, OPERATIONS };

static int operate(struct axvm_vm *vm, enum operation operation)
{
	switch (operation) {
	case BOOT:
		return axvm_vm_boot(vm);
	case MAP:
		return axvm_vm_map_region(vm, axvm_gpa(0xf0000000), axvm_hpa(0x0b000000), 0x1000,
					  AXVM_MAP_READ | AXVM_MAP_DEVICE);
	case UNMAP:
		return axvm_vm_unmap_region(vm, axvm_gpa(0xf0000000), 0x1000);
	case RESET:
		return axvm_vm_reset(vm);
	default:
		return axvm_vm_destroy(vm);
	}
}

/* One operation with its n-th allocation failing; true when it came to that. */
static bool fail_in(enum operation operation, uint64_t n)
{
	struct test_vm test;

	if (!test_vm_begin(&test, 2))
		return false;
	if (operation == UNMAP)
		CHECK_EQ(operate(test.vm, MAP), 0);
	uint64_t pages = axvm_vm_used_pages(test.vm);
	uint32_t regions = test.vm->region_count;

	axvm_sim_fail_allocation_after(n);
	int error = operate(test.vm, operation);
	bool failed = axvm_sim_has_failed_allocation();

	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
	CHECK_EQ(error, failed ? AXVM_ENOMEM : 0);
	if (operation == DESTROY) {
		CHECK_EQ(axvm_sim_used_pages(), 0);
		return failed;
	}
	if (failed) {
		CHECK_EQ(axvm_vm_used_pages(test.vm), pages);
		CHECK_EQ(test.vm->region_count, regions);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
	}
	test_vm_end(&test);
	return failed;
}

TEST(a_failing_allocation_changes_nothing_in_any_operation)
{
	uint64_t failures[OPERATIONS] = { 0 };

	for (unsigned operation = BOOT; operation < OPERATIONS; operation++) {
		while (failures[operation] < 50 &&
		       fail_in((enum operation)operation, failures[operation]))
			failures[operation]++;
	}
	CHECK(failures[MAP] > 0);    /* tables for an address far away */
	CHECK_EQ(failures[BOOT], 0); /* these need no memory, and so cannot fail */
	CHECK_EQ(failures[RESET], 0);
	CHECK_EQ(failures[DESTROY], 0);
}

static uint32_t crc32_of(const uint8_t *data, size_t bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes * 8; i++) {
		uint32_t bit = (crc ^ (uint32_t)data[i / 8] >> i % 8) & 1;

		crc = crc >> 1 ^ (bit ? 0xedb88320 : 0);
	}
	return ~crc;
}

static size_t put(uint8_t *out, size_t at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[at + i] = (uint8_t)(value >> 8 * i);
	return at + bytes;
}

/* test_kernel in a gzip file of one stored block. */
static size_t gzip_kernel(uint8_t out[sizeof(test_kernel) + 32])
{
	static const uint8_t head[10] = { 0x1f, 0x8b, 8, [9] = 255 };
	uint32_t bytes = sizeof(test_kernel);
	size_t at = sizeof(head);

	memcpy(out, head, sizeof(head));
	at = put(out, at, 1, 1);
	at = put(out, at, bytes, 2);
	at = put(out, at, ~bytes, 2);
	memcpy(out + at, test_kernel, bytes);
	at = put(out, at + bytes, crc32_of(test_kernel, bytes), 4);
	return put(out, at, bytes, 4);
}

/* To inflate needs memory for a moment, which the host may not have any more. */
TEST(a_reset_that_cannot_load_its_kernel_fails_the_vm_until_the_next)
{
	static uint8_t gzip[sizeof(test_kernel) + 32];
	struct test_vm test;
	uint64_t failures = 0;

	new_machine();
	test_vm_init(&test, 1);
	test.params.kernel = (struct axvm_blob){ gzip, gzip_kernel(gzip) };
	REQUIRE_EQ(test_vm_create(&test), 0);
	uint64_t pages = axvm_sim_used_pages();

	for (;; failures++) {
		CHECK_EQ(axvm_vm_boot(test.vm), 0);
		axvm_sim_fail_allocation_after(failures);
		int error = axvm_vm_reset(test.vm);

		if (!axvm_sim_has_failed_allocation()) {
			CHECK_EQ(error, 0);
			break;
		}
		CHECK_EQ(error, AXVM_ENOMEM);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_FAILED);
		CHECK_EQ(axvm_vm_stop(test.vm).reason, AXVM_STOP_FAULT);
		CHECK_STR_EQ(axvm_vm_stop(test.vm).exit.fault.what, axvm_strerror(AXVM_ENOMEM));
		CHECK_EQ(axvm_sim_used_pages(), pages);
		CHECK_EQ(axvm_vm_reset(test.vm), 0);
		CHECK_EQ(axvm_vm_state(test.vm), AXVM_VM_READY);
		CHECK(holds(test.vm, test.vm->plan.kernel_gpa, test_kernel, sizeof(test_kernel)));
	}
	CHECK(failures > 0);
	axvm_sim_fail_allocation_after(AXVM_SIM_NEVER);
	test_vm_end(&test);
}

TEST(fragmented_host_memory_becomes_a_region_of_many_pieces)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();
	struct test_vm test;

	machine.ram_bytes = UINT64_C(16) << 20;
	axvm_sim_reset(&machine);
	REQUIRE_EQ(axvm_init(NULL), 0);
	/* A used page in each 256 KiB: no piece is larger than 63 pages. */
	for (uint64_t at = 0; at < machine.ram_bytes; at += 0x40000)
		REQUIRE_EQ(axvm_hal_claim_pages(axvm_hpa(machine.ram_base + at), 1), 0);
	uint64_t taken = axvm_sim_used_pages();

	test_vm_init(&test, 1);
	REQUIRE_EQ(test_vm_create(&test), 0);
	CHECK(test.vm->region_count > 16);
	CHECK(holds(test.vm, TEST_RAM, test_kernel, sizeof(test_kernel)));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	CHECK_EQ(axvm_vm_destroy(test.vm), 0);
	CHECK_EQ(axvm_sim_used_pages(), taken);
	test_vm_init(&test, 1);
	test.memory[0].bytes = machine.ram_bytes;
	CHECK_EQ(test_vm_create(&test), AXVM_ENOMEM);
	CHECK(strstr(test.why, "the host lacks") != NULL);
	CHECK_EQ(axvm_sim_used_pages(), taken);
}

AXTEST_MAIN(a_reset_that_cannot_load_its_kernel_fails_the_vm_until_the_next,
	    every_failing_allocation_of_create_is_an_error_or_a_smaller_piece,
	    a_failing_allocation_changes_nothing_in_any_operation,
	    fragmented_host_memory_becomes_a_region_of_many_pieces)
