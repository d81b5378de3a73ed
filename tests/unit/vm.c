/* SPDX-License-Identifier: Apache-2.0 */
/* VMs: made, refused, reset, destroyed; every page accounted for. */
#include <libfdt.h>

#include "full_vm.h"
#include "vm_parts.h"

TEST(a_vm_with_everything_is_made_and_gives_all_back)
{
	struct test_vm test;
	static const uint8_t zeros[4096];

	new_machine();
	init_full(&test);
	REQUIRE_EQ(test_vm_create(&test), 0);
	struct axvm_vm *vm = test.vm;

	CHECK_EQ(axvm_vm_state(vm), AXVM_VM_READY);
	CHECK_EQ(axvm_vm_id(vm), 1);
	CHECK_STR_EQ(axvm_vm_name(vm), "test");
	CHECK_EQ(axvm_vm_vcpu_count(vm), 4);
	CHECK(axvm_vm_vcpu(vm, 3) != NULL);
	CHECK(axvm_vm_vcpu(vm, 4) == NULL);
	CHECK_EQ(axvm_vm_used_pages(vm), axvm_sim_used_pages());
	CHECK(holds(vm, vm->plan.kernel_gpa, test_kernel, sizeof(test_kernel)));
	CHECK(holds(vm, vm->plan.initrd_gpa, full_vm_initrd, sizeof(full_vm_initrd)));
	CHECK(holds(vm, vm->plan.dtb_gpa, "\xd0\x0d\xfe\xed", 4));
	CHECK(holds(vm, FULL_VM_IDENTICAL + 0x1ff000, zeros, 4096));
	CHECK(holds(vm, 0x60001000, zeros, 4096));
	CHECK_EQ(axvm_vcpu_power(axvm_vm_vcpu(vm, 0)), AXVM_POWER_ON);
	CHECK_EQ(axvm_vcpu_power(axvm_vm_vcpu(vm, 1)), AXVM_POWER_OFF);
	CHECK_EQ(axvm_vcpu_state(axvm_vm_vcpu(vm, 1)), AXVM_VCPU_FREE);
	test_vm_end(&test);
}

TEST(the_vm_keeps_its_own_copy_of_the_configuration)
{
	struct test_vm test;

	new_machine();
	init_full(&test);
	REQUIRE_EQ(test_vm_create(&test), 0);
	const struct axvm_config *config = axvm_vm_config(test.vm);

	memset(test.memory, 0xff, sizeof(test.memory));
	memset(test.devices, 0xff, sizeof(test.devices));
	memset(&test.config, 0xff, sizeof(test.config));
	CHECK_EQ(config->id, 1);
	CHECK_EQ(config->memory[0].gpa.addr, TEST_RAM);
	CHECK_EQ(config->emu[0].type, axvm_arch_platform->devices[0].type);
	CHECK_EQ(config->passthrough[0].hpa.addr, full_vm_device.hpa.addr);
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	test_vm_end(&test);
}

/* Creates, expecting an error and a sentence; the machine is as it was before. */
static void refuse(struct test_vm *test, int error, const char *why)
{
	struct axvm_vm *const untouched = (struct axvm_vm *)(void *)test;
	uint64_t pages = axvm_sim_used_pages();
	uint64_t mapped = axvm_sim_mapped_bytes();
	uint32_t timers = axvm_sim_armed_timers();

	test->vm = untouched;
	CHECK_EQ(test_vm_create(test), error);
	CHECK_PTR_EQ(test->vm, untouched);
	CHECK_STR_EQ(test->why, why);
	CHECK_EQ(axvm_sim_used_pages(), pages);
	CHECK_EQ(axvm_sim_mapped_bytes(), mapped);
	CHECK_EQ(axvm_sim_armed_timers(), timers);
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

TEST(each_bad_configuration_is_refused_with_a_sentence)
{
	struct test_vm test;

	new_machine();
	init_full(&test);
	test.params.config = NULL;
	refuse(&test, AXVM_EINVAL, "a VM needs a configuration");
	init_full(&test);
	test.params.initrd.data = NULL;
	refuse(&test, AXVM_EINVAL, "an image has a size but no data");
	init_full(&test);
	test.config.vcpu_count = 0;
	refuse(&test, AXVM_ERANGE, "0 vCPUs: 1 to 64 are possible");
	init_full(&test);
	test.config.vcpu_count = 65;
	refuse(&test, AXVM_ERANGE, "65 vCPUs: 1 to 64 are possible");
	init_full(&test);
	test.config.memory_count = 0;
	refuse(&test, AXVM_EINVAL, "a VM needs a name and a memory region");
	init_full(&test);
	test.config.emu_count = 33;
	refuse(&test, AXVM_ERANGE, "33 emulated devices: 32 are possible");
	init_full(&test);
	test.memory[3].gpa.addr = 0x60000800;
	refuse(&test, AXVM_EINVAL,
	       "memory 0x60000800-0x600057ff: not whole pages, empty, or of an unknown map_type");
	init_full(&test);
	test.memory[3].gpa.addr = UINT64_C(1) << 60;
	refuse(&test, AXVM_ERANGE,
	       "memory 0x1000000000000000-0x1000000000004fff: beyond the guest-physical addresses of "
	       "this CPU");
	init_full(&test);
	test.memory[3].gpa.addr = TEST_RAM + TEST_RAM_BYTES - 0x1000;
	refuse(&test, AXVM_EEXIST, "memory 0x403ff000-0x40403fff: overlaps another memory region");
	init_full(&test);
	test.devices[0].type = AXVM_EMU_X86_PIT;
	test.devices[0].name = "pit";
	refuse(&test, AXVM_EUNSUPPORTED, "device pit: this build has no such emu_type");
	init_full(&test);
	test.devices[1].base.addr = TEST_RAM;
	test.devices[1].bytes = 0x1000;
	refuse(&test, AXVM_EEXIST, "device at 0x40000000-0x40000fff overlaps the VM's memory");
	init_full(&test);
	test.devices[test.config.emu_count++] = test.devices[1];
	CHECK_EQ(test_vm_create(&test), AXVM_EEXIST);
}

TEST(host_memory_that_is_not_there_is_refused_with_its_address)
{
	struct test_vm test;

	new_machine();
	init_full(&test);
	test.memory[1].gpa.addr = UINT64_C(0xc0000000); /* not RAM of this machine */
	refuse(&test, AXVM_EBUSY, "identical memory 0xc0000000-0xc01fffff: not free in the host");
	init_full(&test);
	REQUIRE_EQ(axvm_hal_claim_pages(axvm_hpa(FULL_VM_IDENTICAL + 0x1000), 1), 0);
	refuse(&test, AXVM_EBUSY, "identical memory 0x70000000-0x701fffff: not free in the host");
	axvm_hal_free_pages(axvm_hpa(FULL_VM_IDENTICAL + 0x1000), 1);
	test.memory[2].gpa.addr = 0x50000000; /* the allocator's */
	refuse(&test, AXVM_EPERM,
	       "reserved memory 0x50000000-0x50002fff: the host does not leave this range to "
	       "guests");
}

TEST(too_little_host_memory_is_refused_with_what_is_missing)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();
	struct test_vm test;

	machine.ram_bytes = UINT64_C(32) << 20;
	axvm_sim_reset(&machine);
	REQUIRE_EQ(axvm_init(NULL), 0);
	test_vm_init(&test, 1);
	test.memory[0].bytes = UINT64_C(64) << 20;
	CHECK_EQ(test_vm_create(&test), AXVM_ENOMEM);
	CHECK(strstr(test.why, "memory 0x40000000-0x43ffffff: the host lacks ") == test.why);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	test.memory[0].bytes = UINT64_C(16) << 20; /* the allocator is whole */
	REQUIRE_EQ(test_vm_create(&test), 0);
	test_vm_end(&test);
}

TEST(the_budget_holds)
{
	struct test_vm test;

	new_machine();
	init_full(&test);
	test.params.overhead_pages = 1;
	refuse(&test, AXVM_ENOMEM, "no memory for the VM itself");
	/* Every budget from too small to just enough: refused cleanly, or never exceeded. */
	for (uint64_t pages = 2; pages < 200; pages++) {
		init_full(&test);
		test.params.overhead_pages = pages;
		int error = test_vm_create(&test);

		CHECK(error == 0 || error == AXVM_ENOMEM);
		if (error == 0) {
			CHECK(axvm_vm_used_pages(test.vm) <=
			      pages + (TEST_RAM_BYTES + 0x205000) / 4096);
			test_vm_end(&test);
			CHECK(pages > 10);
			return;
		}
		CHECK_EQ(axvm_sim_used_pages(), 0);
	}
	CHECK(false);
}

TEST(an_id_is_given_once)
{
	struct test_vm first;
	struct test_vm second;

	new_machine();
	test_vm_init(&first, 7);
	REQUIRE_EQ(test_vm_create(&first), 0);
	test_vm_init(&second, 7);
	refuse(&second, AXVM_EEXIST, "id 7 is that of VM test");
	struct axvm_vm *found = axvm_vm_find(7);

	CHECK_PTR_EQ(found, first.vm);
	CHECK(axvm_vm_find(8) == NULL);
	CHECK_EQ(axvm_vm_destroy(first.vm), 0);
	CHECK(axvm_vm_find(7) == NULL);
	CHECK_EQ(axvm_vm_state(found), AXVM_VM_GONE); /* held, so still there */
	CHECK_EQ(axvm_vm_destroy(found), AXVM_ESTATE);
	CHECK(axvm_sim_used_pages() > 0);
	axvm_vm_put(found);
	CHECK_EQ(axvm_sim_used_pages(), 0);
	REQUIRE_EQ(test_vm_create(&second), 0);
	test_vm_end(&second);
}

TEST(the_library_must_be_initialised_and_says_what_the_cpu_lacks)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();
	struct test_vm test;
	const char *why = NULL;

	machine.unsupported = "this CPU has no EL2";
	axvm_sim_reset(&machine);
	CHECK_EQ(axvm_init(&why), AXVM_EUNSUPPORTED);
	CHECK_STR_EQ(why, "this CPU has no EL2");
	CHECK(axvm_host_caps() == NULL); /* this test is the first of its program */
	test_vm_init(&test, 1);
	refuse(&test, AXVM_ESTATE, "axvm_init has not been called");
	new_machine();
	CHECK_EQ(axvm_host_caps()->vmid_count, 256);
	REQUIRE_EQ(test_vm_create(&test), 0);
	CHECK_EQ(axvm_init(&why), AXVM_EBUSY);
	test_vm_end(&test);
}

TEST(sixty_four_vms_live_and_the_next_one_does_not)
{
	static struct test_vm tests[AXVM_VMS_MAX];
	struct test_vm one_more;
	uint64_t vmids = 0;

	new_machine();
	for (uint32_t i = 0; i < AXVM_VMS_MAX; i++) {
		test_vm_init(&tests[i], 100 + i);
		REQUIRE_EQ(test_vm_create(&tests[i]), 0);
		uint32_t vmid = axvm_vm_aspace(tests[i].vm)->vmid;

		REQUIRE(vmid >= 1 && vmid <= 64);
		CHECK_EQ(vmids >> (vmid - 1) & 1, 0);
		vmids |= UINT64_C(1) << (vmid - 1);
	}
	test_vm_init(&one_more, 1);
	refuse(&one_more, AXVM_ERANGE,
	       "as many VMs as the library or the CPU's VMIDs allow exist already");
	CHECK_EQ(axvm_vm_destroy(tests[20].vm), 0);
	REQUIRE_EQ(test_vm_create(&one_more), 0);
	CHECK_EQ(axvm_vm_destroy(one_more.vm), 0);
	for (uint32_t i = 0; i < AXVM_VMS_MAX; i++) {
		if (i != 20)
			CHECK_EQ(axvm_vm_destroy(tests[i].vm), 0);
	}
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(few_vmids_are_few_vms)
{
	struct axvm_sim_machine machine = axvm_sim_default_machine();
	struct test_vm tests[3];

	machine.caps.vmid_count = 3;
	axvm_sim_reset(&machine);
	REQUIRE_EQ(axvm_init(NULL), 0);
	for (uint32_t i = 0; i < 3; i++) {
		test_vm_init(&tests[i], i);
		CHECK_EQ(test_vm_create(&tests[i]), i < 2 ? 0 : AXVM_ERANGE);
	}
	CHECK_EQ(axvm_vm_destroy(tests[0].vm), 0);
	CHECK_EQ(axvm_vm_destroy(tests[1].vm), 0);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(a_thousand_creations_and_destructions_lose_no_page)
{
	struct test_vm test;

	new_machine();
	for (unsigned i = 0; i < 1000; i++) {
		init_full(&test);
		test.memory[0].bytes = 0x200000;
		REQUIRE_EQ(test_vm_create(&test), 0);
		REQUIRE_EQ(axvm_vm_boot(test.vm), 0);
		REQUIRE_EQ(axvm_vm_shutdown(test.vm, AXVM_STOP_FORCED), 0);
		REQUIRE_EQ(axvm_vm_destroy(test.vm), 0);
		REQUIRE_EQ(axvm_sim_used_pages(), 0);
	}
	CHECK_EQ(axvm_sim_mapped_bytes(), 0);
	CHECK_EQ(axvm_sim_armed_timers(), 0);
}

/* ---- reset ---------------------------------------------------------------------------------- */

static uint64_t hash_ram(struct axvm_vm *vm, uint64_t gpa, uint64_t bytes)
{
	static uint8_t page[4096];
	uint64_t hash = 14695981039346656037u;

	for (uint64_t at = 0; at < bytes; at += sizeof(page)) {
		CHECK_EQ(axvm_vm_read(vm, axvm_gpa(gpa + at), page, sizeof(page)), 0);
		for (uint32_t i = 0; i < sizeof(page); i++)
			hash = (hash ^ page[i]) * 1099511628211u;
	}
	return hash;
}

/* The bytes of rng-seed in the guest's tree; *gpa is where. False: there is none. */
static bool read_seed(struct axvm_vm *vm, uint64_t *gpa, uint8_t seed[32])
{
	static uint8_t tree[8192];
	int bytes = 0;

	if (vm->dtb_bytes > sizeof(tree) ||
	    axvm_vm_read(vm, axvm_gpa(vm->plan.dtb_gpa), tree, vm->dtb_bytes) != 0)
		return false;
	const uint8_t *found =
		fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "rng-seed", &bytes);

	if (found == NULL || bytes != 32)
		return false;
	memcpy(seed, found, 32);
	*gpa = vm->plan.dtb_gpa + (uint64_t)(found - tree);
	return true;
}

TEST(each_life_of_a_guest_has_its_own_seed)
{
	struct test_vm test;
	uint8_t first[32];
	uint8_t second[32];
	uint64_t gpa;

	REQUIRE(test_vm_begin(&test, 1));
	REQUIRE(read_seed(test.vm, &gpa, first));
	CHECK_EQ(axvm_vm_reset(test.vm), 0);
	REQUIRE(read_seed(test.vm, &gpa, second));
	CHECK(memcmp(first, second, sizeof(first)) != 0);
	test_vm_end(&test);
}

/* Without the tree, whose seed differs. */
static uint64_t hash_main(struct axvm_vm *vm)
{
	uint64_t dtb = vm->plan.dtb_gpa & ~UINT64_C(0xfff);
	uint64_t behind = (dtb + vm->plan.dtb_bytes + 0xfff) & ~UINT64_C(0xfff);

	return hash_ram(vm, TEST_RAM, dtb - TEST_RAM) ^
	       hash_ram(vm, behind, TEST_RAM + TEST_RAM_BYTES - behind);
}

static void check_power_on_state(struct axvm_vm *vm)
{
	CHECK_EQ(test_register(vm->vcpus[0], 3), 0);
	CHECK_EQ(test_register(vm->vcpus[0], test_isa().arg), vm->plan.dtb_gpa);
	CHECK_EQ(test_register(vm->vcpus[0], test_isa().pc), vm->plan.entry);
	CHECK_EQ(axvm_vcpu_power(vm->vcpus[0]), AXVM_POWER_ON);
	CHECK_EQ(axvm_vcpu_power(vm->vcpus[2]), AXVM_POWER_OFF);
}

TEST(a_reset_gives_the_same_memory_again)
{
	struct test_vm test;

	new_machine();
	axvm_sim_reserve(axvm_hpa(0x7f000000), 0x3000);
	init_full(&test);
	test.memory[2].gpa.addr = 0x7f000000;
	REQUIRE_EQ(test_vm_create(&test), 0);
	struct axvm_vm *vm = test.vm;
	uint64_t pages = axvm_vm_used_pages(vm);
	uint64_t ram = hash_main(vm);
	uint64_t identical = hash_ram(vm, FULL_VM_IDENTICAL, 0x200000);

	CHECK_EQ(axvm_vm_write(vm, axvm_gpa(0x7f000000), "kept", 4), 0);
	for (unsigned round = 0; round < 3; round++) {
		CHECK_EQ(axvm_vm_boot(vm), 0);
		CHECK_EQ(axvm_aspace_fill(&vm->aspace, axvm_gpa(TEST_RAM), 0x5a, TEST_RAM_BYTES),
			 0);
		CHECK_EQ(axvm_aspace_fill(&vm->aspace, axvm_gpa(FULL_VM_IDENTICAL), 0x5a, 0x200000),
			 0);
		CHECK_EQ(axvm_vcpu_set_register(vm->vcpus[0], 3, 77), 0);
		CHECK_EQ(axvm_vcpu_power_on(vm, 2, 0x1000, 1), 0);
		CHECK_EQ(axvm_vm_reset(vm), 0);
		CHECK_EQ(axvm_vm_state(vm), AXVM_VM_READY);
		CHECK_EQ(hash_main(vm), ram);
		CHECK_EQ(hash_ram(vm, FULL_VM_IDENTICAL, 0x200000), identical);
		CHECK(holds(vm, vm->plan.dtb_gpa, "\xd0\x0d\xfe\xed", 4));
		CHECK(holds(vm, 0x7f000000, "kept", 4)); /* reserved memory is not ours to clear */
		check_power_on_state(vm);
		CHECK_EQ(axvm_vm_used_pages(vm), pages);
	}
	test_vm_end(&test);
}

/* ---- regions that are mapped later ---------------------------------------------------------- */

TEST(regions_are_mapped_and_unmapped_at_run_time)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 1));
	struct axvm_vm *vm = test.vm;
	const uint32_t flags = AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE;
	struct axvm_gpa gpa = axvm_gpa(0x0a000000);
	struct axvm_hpa hpa = axvm_hpa(0x0b000000);

	CHECK_EQ(axvm_vm_boot(vm), 0);
	CHECK_EQ(axvm_vm_map_region(vm, axvm_gpa(0x0a000800), hpa, 0x1000, flags), AXVM_EINVAL);
	CHECK_EQ(axvm_vm_map_region(vm, gpa, hpa, 0, flags), AXVM_EINVAL);
	CHECK_EQ(axvm_vm_map_region(vm, gpa, hpa, UINT64_MAX - 0xfff, flags), AXVM_ERANGE);
	CHECK_EQ(axvm_vm_map_region(vm, gpa, axvm_hpa(0x50000000), 0x1000, flags), AXVM_EPERM);
	CHECK_EQ(axvm_vm_map_region(vm, axvm_gpa(TEST_RAM), hpa, 0x1000, flags), AXVM_EEXIST);
	CHECK_EQ(axvm_vm_map_region(vm, axvm_gpa(test_isa().uart), hpa, 0x1000, flags),
		 AXVM_EEXIST);
	CHECK_EQ(axvm_vm_map_region(vm, gpa, hpa, 0x3000, flags), 0);
	CHECK_EQ(axvm_vm_map_region(vm, axvm_gpa(0x0a002000), hpa, 0x1000, flags), AXVM_EEXIST);
	CHECK_EQ(axvm_aspace_query(&vm->aspace, axvm_gpa(0x0a002000), NULL), 0);
	CHECK_EQ(axvm_vm_unmap_region(vm, gpa, 0x1000), AXVM_ENOENT);
	CHECK_EQ(axvm_vm_unmap_region(vm, axvm_gpa(TEST_RAM), TEST_RAM_BYTES), AXVM_ENOENT);
	CHECK_EQ(axvm_vm_unmap_region(vm, gpa, 0x3000), 0);
	CHECK_EQ(axvm_vm_unmap_region(vm, gpa, 0x3000), AXVM_ENOENT);
	CHECK_EQ(axvm_aspace_query(&vm->aspace, axvm_gpa(0x0a002000), NULL), AXVM_EFAULT);
	for (uint64_t i = 0; i < 100; i++) /* more than the first array of records holds */
		CHECK_EQ(axvm_vm_map_region(vm, axvm_gpa(0x0a000000 + i * 0x2000), hpa, 0x1000,
					    flags),
			 0);
	axvm_vm_get(vm);
	CHECK_EQ(axvm_vm_shutdown(vm, AXVM_STOP_FORCED), 0);
	CHECK_EQ(axvm_vm_destroy(vm), 0);
	CHECK_EQ(axvm_vm_map_region(vm, gpa, hpa, 0x1000, flags), AXVM_ESTATE);
	CHECK_EQ(axvm_vm_unmap_region(vm, gpa, 0x1000), AXVM_ESTATE);
	axvm_vm_put(vm);
	CHECK_EQ(axvm_sim_used_pages(), 0);
}

TEST(contiguous_memory_is_mapped_with_blocks)
{
	struct axvm_mapping mapping;
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 1));
	CHECK_EQ(test.vm->region_count, 1);
	CHECK_EQ(axvm_aspace_query(&test.vm->aspace, axvm_gpa(TEST_RAM + 0x212345), &mapping), 0);
	CHECK_EQ(mapping.block_bytes, 0x200000);
	CHECK_EQ(axvm_sim_cleaned_bytes() >= TEST_RAM_BYTES, true);
	test_vm_end(&test);
}

/* ---- small things --------------------------------------------------------------------------- */

TEST(vm_memory_is_zeroed_aligned_and_paid_for)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 1));
	for (uint64_t bytes = 1; bytes < 20000; bytes = bytes * 3 / 2 + 1) {
		uint64_t used = axvm_vm_used_pages(test.vm);
		uint8_t *memory = axvm_vm_alloc(test.vm, bytes);

		REQUIRE(memory != NULL);
		CHECK_EQ((uintptr_t)memory % (bytes >= 4096 ? 4096 : 16), 0);
		for (uint64_t i = 0; i < bytes; i++)
			REQUIRE(memory[i] == 0);
		memset(memory, 0xff, bytes);
		CHECK(axvm_vm_used_pages(test.vm) >= used + bytes / 4096);
	}
	CHECK(axvm_vm_alloc(test.vm, 0) == NULL);
	CHECK(axvm_vm_alloc(test.vm, UINT64_MAX) == NULL);
	CHECK(axvm_vm_alloc(test.vm, UINT64_C(1) << 40) == NULL); /* beyond its budget */
	test_vm_end(&test);
}

TEST(interrupts_that_are_none_are_refused)
{
	struct test_vm test;

	REQUIRE(test_vm_begin(&test, 2));
	uint32_t count = axvm_arch_platform->irq_count;

	CHECK_EQ(axvm_irq_set_level(test.vm, count, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_pulse(test.vm, UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_private(test.vm->vcpus[0], count, true), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(test.vm, 1, count), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(test.vm, 0, 40), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(test.vm, 4, 40), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_inject(test.vm, UINT64_MAX, 40), AXVM_EINVAL);
	CHECK_EQ(axvm_irq_set_level(test.vm, 40, true), 0);
	CHECK_EQ(axvm_irq_set_level(test.vm, 40, false), 0);
	test_vm_end(&test);
}

AXTEST_MAIN(the_library_must_be_initialised_and_says_what_the_cpu_lacks,
	    a_vm_with_everything_is_made_and_gives_all_back,
	    the_vm_keeps_its_own_copy_of_the_configuration,
	    each_bad_configuration_is_refused_with_a_sentence,
	    host_memory_that_is_not_there_is_refused_with_its_address,
	    too_little_host_memory_is_refused_with_what_is_missing, the_budget_holds,
	    an_id_is_given_once, sixty_four_vms_live_and_the_next_one_does_not,
	    few_vmids_are_few_vms, a_thousand_creations_and_destructions_lose_no_page,
	    each_life_of_a_guest_has_its_own_seed, a_reset_gives_the_same_memory_again,
	    regions_are_mapped_and_unmapped_at_run_time, contiguous_memory_is_mapped_with_blocks,
	    vm_memory_is_zeroed_aligned_and_paid_for, interrupts_that_are_none_are_refused)
