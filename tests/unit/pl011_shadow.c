/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PL011's registers as the guest reads them without an exit: what the mapped page holds is
 * what a read that exits gives, and it is mapped only while no read has a side effect.
 */
#include <pthread.h>

#include "../../dev/table.h"
#include "device_vm.h"
#include "shadow_page.h"

enum { DR = 0x000, FR = 0x018, LCR_H = 0x02c, CR = 0x030, IMSC = 0x038 };
enum { FR_RXFE = 1 << 4, LBE = 1 << 7, FEN = 1 << 4, BRK = 1 << 0 };

#define STEPS 3000u

static void begin(void)
{
	device_vm_reset();
	CHECK_EQ(device_make(&axvm_dev_pl011), 0);
}

static uint64_t input(const char *text)
{
	return axvm_dev_pl011.input(&device, text, strlen(text));
}

/* ---- the guest's side ---------------------------------------------------------------------- */

static void check_same(void)
{
	for (uint8_t bytes = 1; bytes <= 8; bytes *= 2) {
		for (uint64_t offset = 0; offset + bytes <= 0x60; offset++)
			CHECK_EQ(guest_load(offset, bytes), bus_read(DEVICE_BASE + offset, bytes));
		for (uint64_t offset = 0xfd0; offset + bytes <= DEVICE_BYTES; offset++)
			CHECK_EQ(guest_load(offset, bytes), bus_read(DEVICE_BASE + offset, bytes));
	}
}

/* ---- what is mapped -------------------------------------------------------------------------- */

TEST(it_is_mapped_read_only_as_a_device)
{
	struct axvm_mapping mapping = { .flags = 0 };
	uint32_t value = 0;

	begin();
	REQUIRE(page(&mapping));
	CHECK_EQ(mapping.flags, AXVM_MAP_READ | AXVM_MAP_DEVICE);
	CHECK_EQ(mapping.block_bytes, AXVM_PAGE_BYTES);
	check_same();
	CHECK_EQ(axvm_aspace_read(&device_vm.aspace, axvm_gpa(DEVICE_BASE), &value, 4),
		 AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_write(&device_vm.aspace, axvm_gpa(DEVICE_BASE), &value, 4),
		 AXVM_EFAULT);
	device_end();
}

TEST(each_change_is_pushed_out_of_the_cache)
{
	begin();
	uint64_t before = axvm_sim_pushed_bytes();

	reg_write(IMSC, 0x10);
	CHECK_EQ(axvm_sim_pushed_bytes(), before + 4);
	reg_write(IMSC, 0x10);
	CHECK_EQ(axvm_sim_pushed_bytes(), before + 4);
	device_end();
}

TEST(a_device_that_shares_its_page_is_not_mapped)
{
	static const struct {
		uint64_t base, bytes;
	} places[] = { { DEVICE_BASE + 0x800, 0x1000 }, { DEVICE_BASE, 0x800 } };

	for (unsigned i = 0; i < 2; i++) {
		const struct axvm_config_emu config = {
			.name = "device",
			.base = { places[i].base },
			.bytes = places[i].bytes,
			.irq = DEVICE_IRQ,
			.type = AXVM_EMU_PL011,
		};

		device_vm_reset();
		device.type = &axvm_dev_pl011;
		device.vm = &device_vm;
		CHECK_EQ(axvm_dev_pl011.create(&device, &config), 0);
		CHECK(!is_mapped());
		CHECK_EQ(bus_read(places[i].base + FR, 4), 0x90);
		device_end();
	}
}

TEST(of_a_larger_device_the_first_page_is_mapped)
{
	const struct axvm_config_emu config = {
		.name = "device",
		.base = { DEVICE_BASE },
		.bytes = 0x10000,
		.irq = DEVICE_IRQ,
		.type = AXVM_EMU_PL011,
	};

	device_vm_reset();
	device.type = &axvm_dev_pl011;
	device.vm = &device_vm;
	CHECK_EQ(axvm_dev_pl011.create(&device, &config), 0);
	check_same();
	CHECK_EQ(axvm_aspace_query(&device_vm.aspace, axvm_gpa(DEVICE_BASE + 0x1000), NULL),
		 AXVM_EFAULT);
	CHECK_EQ(bus_read(DEVICE_BASE + 0xffc, 8), 0xb1);
	CHECK_EQ(bus_read(DEVICE_BASE + 0x1018, 4), 0);
	CHECK_EQ(bus_read(DEVICE_BASE + 0xfff8, 8), 0);
	device_end();
}

/* ---- when it is mapped ------------------------------------------------------------------------- */

TEST(input_unmaps_it_until_the_guest_has_read_all)
{
	begin();
	CHECK_EQ(input(""), 0);
	CHECK(is_mapped());
	for (unsigned round = 0; round < 3; round++) {
		uint64_t flushes = axvm_sim_flush_count();

		CHECK_EQ(input("ab"), 2);
		CHECK(!is_mapped());
		CHECK(axvm_sim_flush_count() > flushes);
		CHECK_EQ(reg_read(DR), 'a');
		CHECK(!is_mapped());
		CHECK_EQ(reg_read(DR), 'b');
		check_same();
		CHECK_EQ(guest_load(FR, 4) & FR_RXFE, FR_RXFE);
	}
	device_end();
}

/* At the moment of the invalidation nothing of the byte is to be seen. */
static uint32_t flags_at_flush;

static void note_flags(const struct axvm_sim_flush *flush)
{
	(void)flush;
	flags_at_flush = (uint32_t)bus_read(DEVICE_BASE + FR, 4);
}

TEST(a_byte_is_visible_only_after_the_invalidation)
{
	begin();
	flags_at_flush = 0;
	axvm_sim_observe((struct axvm_sim_observer){ .flushed = note_flags });
	CHECK_EQ(input("a"), 1);
	axvm_sim_observe((struct axvm_sim_observer){ 0 });
	CHECK_EQ(flags_at_flush & FR_RXFE, FR_RXFE);
	CHECK_EQ(reg_read(FR) & FR_RXFE, 0);
	CHECK(!irq_level);
	device_end();
}

TEST(in_loopback_it_is_not_mapped)
{
	begin();
	reg_write(CR, 0x300 | LBE);
	CHECK(!is_mapped());
	reg_write(DR, 'x');
	CHECK_EQ(reg_read(DR), 'x');
	CHECK(!is_mapped());
	reg_write(LCR_H, BRK);
	reg_write(CR, 0x300);
	CHECK(!is_mapped()); /* the break is still there */
	(void)reg_read(DR);
	CHECK(is_mapped());
	reg_write(CR, 0x301);
	check_same();
	device_end();
}

TEST(a_reset_maps_it_again)
{
	begin();
	(void)input("typed");
	reg_write(CR, 0x300 | LBE);
	axvm_dev_pl011.reset(&device);
	CHECK(is_mapped());
	CHECK_EQ(guest_load(CR, 4), 0x300);
	CHECK_EQ(guest_load(FR, 4), 0x90);
	check_same();
	axvm_dev_pl011.reset(&device);
	check_same();
	device_end();
}

TEST(without_memory_for_tables_reads_just_exit)
{
	begin();
	(void)input("a");
	device_vm.budget.limit_pages = device_vm.budget.used_pages;
	CHECK_EQ(reg_read(DR), 'a');
	CHECK(!is_mapped());
	CHECK_EQ(reg_read(FR), 0x90);
	CHECK_EQ(input("b"), 1);
	device_vm.budget.limit_pages = 64;
	CHECK_EQ(reg_read(DR), 'b');
	check_same();
	device_end();
}

TEST(without_its_page_it_is_not_made_and_keeps_nothing)
{
	bool was_made = false;

	for (uint64_t limit = 0; limit < 16 && !was_made; limit++) {
		device_vm_reset();
		device_vm.budget.limit_pages = device_vm.budget.used_pages + limit;
		int error = device_make(&axvm_dev_pl011);

		was_made = error == 0;
		if (!was_made)
			CHECK_EQ(error, AXVM_ENOMEM);
		device_end();
	}
	CHECK(was_made);
}

/* ---- all of it together ------------------------------------------------------------------------ */

static uint64_t state;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static bool loops;

static void random_step(void)
{
	uint64_t choice = next_random() % 12;
	uint64_t offset = next_random() % 20 * 4;
	uint32_t value = (uint32_t)next_random();

	if (choice == 0) {
		(void)input("xy");
	} else if (choice <= 5) {
		(void)reg_read(DR);
	} else {
		if (offset == CR) {
			value &= next_random() % 2 ? UINT32_MAX : ~(uint32_t)LBE;
			loops = (value & LBE) != 0;
		}
		reg_write(offset, value);
	}
}

TEST(in_any_state_the_page_says_what_a_read_says)
{
	unsigned mapped = 0;

	state = 1;
	loops = false;
	begin();
	for (unsigned i = 0; i < STEPS; i++) {
		random_step();
		bool is_empty = (reg_read(FR) & FR_RXFE) != 0;

		CHECK_EQ(is_mapped(), is_empty && !loops);
		if (is_mapped()) {
			check_same();
			mapped++;
		}
	}
	CHECK(mapped > STEPS / 20);
	CHECK(mapped < STEPS - STEPS / 20);
	device_end();
}

/* ---- races --------------------------------------------------------------------------------------- */

#define TYPED 20000u

static void *type(void *unused)
{
	(void)unused;
	axvm_sim_set_cpu(1);
	for (unsigned i = 0; i < TYPED;) {
		char character = (char)('a' + i % 26);

		i += (unsigned)axvm_dev_pl011.input(&device, &character, 1);
	}
	return NULL;
}

/* A guest that polls: without an exit while the page is there, which never hides a character. */
TEST(what_is_typed_while_the_guest_reads_arrives_whole_and_in_order)
{
	pthread_t thread;
	unsigned got = 0;

	begin();
	reg_write(LCR_H, FEN);
	REQUIRE_EQ(pthread_create(&thread, NULL, type, NULL), 0);
	while (got < TYPED) {
		if (is_mapped() || (reg_read(FR) & FR_RXFE) != 0)
			continue;
		CHECK_EQ(reg_read(DR), (uint64_t)('a' + got % 26));
		got++;
	}
	pthread_join(thread, NULL);
	CHECK(is_mapped());
	check_same();
	device_end();
}

static void *reset(void *unused)
{
	(void)unused;
	axvm_sim_set_cpu(1);
	for (unsigned i = 0; i < 2000; i++)
		axvm_dev_pl011.reset(&device);
	return NULL;
}

TEST(input_during_a_reset_leaves_both_in_agreement)
{
	pthread_t thread;

	begin();
	REQUIRE_EQ(pthread_create(&thread, NULL, reset, NULL), 0);
	for (unsigned i = 0; i < 2000; i++)
		(void)input("x");
	pthread_join(thread, NULL);
	CHECK_EQ(is_mapped(), (reg_read(FR) & FR_RXFE) != 0);
	axvm_dev_pl011.reset(&device);
	check_same();
	device_end();
}

AXTEST_MAIN(it_is_mapped_read_only_as_a_device, each_change_is_pushed_out_of_the_cache,
	    a_device_that_shares_its_page_is_not_mapped,
	    of_a_larger_device_the_first_page_is_mapped,
	    input_unmaps_it_until_the_guest_has_read_all,
	    a_byte_is_visible_only_after_the_invalidation, in_loopback_it_is_not_mapped,
	    a_reset_maps_it_again, without_memory_for_tables_reads_just_exit,
	    without_its_page_it_is_not_made_and_keeps_nothing,
	    in_any_state_the_page_says_what_a_read_says,
	    what_is_typed_while_the_guest_reads_arrives_whole_and_in_order,
	    input_during_a_reset_leaves_both_in_agreement)
