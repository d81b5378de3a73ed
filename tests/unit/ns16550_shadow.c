/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NS16550's registers as a guest that polls reads them without an exit: what the mapped page holds is
 * what a read that exits gives, and it is mapped only while no read has a side effect.
 */
#include <pthread.h>

#include "../../dev/table.h"
#include "device_vm.h"
#include "shadow_page.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, REGISTERS };
enum { DLAB = 0x80, LOOP = 0x10, IER_RX = 1, IER_TX = 2, DR = 1, OE = 2, EMPTY = 0x60, NONE = 1 };

#define POLLS_MAX 64u /* as many reads of LSR map the page, if anything does */
#define STEPS 1000u

static uint32_t in(uint64_t offset)
{
	return (uint32_t)bus_read(DEVICE_BASE + offset, 1);
}

static void out(uint64_t offset, uint32_t value)
{
	bus_write(DEVICE_BASE + offset, 1, value);
}

static uint64_t input(const char *text)
{
	return axvm_dev_ns16550.input(&device, text, strlen(text));
}

static void poll(void)
{
	for (unsigned i = 0; i < POLLS_MAX; i++)
		(void)in(LSR);
}

static void make_on(struct axvm_bus *bus, uint64_t base, uint64_t bytes)
{
	const struct axvm_config_emu config = {
		.name = "device",
		.base = { base },
		.bytes = bytes,
		.irq = DEVICE_IRQ,
		.type = AXVM_EMU_NS16550,
	};

	device_vm_reset();
	device.type = &axvm_dev_ns16550;
	device.vm = &device_vm;
	REQUIRE_EQ(axvm_dev_ns16550_make(&device, &config, bus), 0);
}

static void make_at(uint64_t base, uint64_t bytes)
{
	make_on(&device_vm.mmio, base, bytes);
}

/* As on QEMU's machine: far less than the page. */
static void begin(void)
{
	make_at(DEVICE_BASE, 0x100);
}

/* Each access to the page, and that none of the reads changes what the others give. */
static void check_same(void)
{
	uint32_t changes = irq_changes;

	for (uint8_t bytes = 1; bytes <= 8; bytes *= 2) {
		for (uint64_t offset = 0; offset < 0x20; offset++)
			CHECK_EQ(guest_load(offset, bytes), bus_read(DEVICE_BASE + offset, bytes));
	}
	CHECK(is_mapped());
	CHECK_EQ(irq_changes, changes);
}

/* ---- what is mapped -------------------------------------------------------------------------- */

TEST(a_guest_that_polls_has_it_mapped_read_only_as_a_device)
{
	struct axvm_mapping mapping = { .flags = 0 };
	uint32_t value = 0;

	begin();
	CHECK(!is_mapped());
	poll();
	REQUIRE(page(&mapping));
	CHECK_EQ(mapping.flags, AXVM_MAP_READ | AXVM_MAP_DEVICE);
	CHECK_EQ(mapping.block_bytes, AXVM_PAGE_BYTES);
	CHECK_EQ(guest_load(LSR, 1), EMPTY);
	check_same();
	for (uint64_t offset = REGISTERS; offset < AXVM_PAGE_BYTES; offset += 8)
		CHECK_EQ(guest_load(offset, 8), 0);
	CHECK_EQ(axvm_aspace_read(&device_vm.aspace, axvm_gpa(DEVICE_BASE), &value, 4),
		 AXVM_EFAULT);
	CHECK_EQ(axvm_aspace_write(&device_vm.aspace, axvm_gpa(DEVICE_BASE), &value, 4),
		 AXVM_EFAULT);
	device_end();
}

TEST(each_change_is_in_the_page_and_pushed_out_of_the_cache)
{
	begin();
	poll();
	uint64_t before = axvm_sim_pushed_bytes();

	out(SCR, 0x5a);
	CHECK_EQ(guest_load(SCR, 1), 0x5a);
	CHECK_EQ(axvm_sim_pushed_bytes(), before + 4);
	out(SCR, 0x5a);
	CHECK_EQ(axvm_sim_pushed_bytes(), before + 4);
	out(LCR, DLAB | 3);
	out(0, 0x34);
	out(1, 0x12);
	CHECK_EQ(guest_load(0, 2), 0x1234);
	check_same();
	out(LCR, 3);
	out(IER, IER_RX);
	out(IIR, 1);
	out(MCR, 0xf);
	check_same();
	device_end();
}

TEST(what_is_sent_while_it_is_mapped_arrives)
{
	begin();
	poll();
	for (const char *text = "a line\n"; *text != '\0'; text++) {
		out(RBR, (unsigned char)*text);
		CHECK_EQ(guest_load(LSR, 1), EMPTY);
	}
	CHECK_STR_EQ(axvm_sim_console(&device_vm), "a line\n");
	CHECK(is_mapped());
	device_end();
}

/* ---- whose page it is ------------------------------------------------------------------------ */

/* All of its registers, and at the beginning of a page. */
TEST(whether_it_is_mapped_is_a_matter_of_its_place)
{
	static const struct {
		uint64_t base, bytes;
		bool is_mapped;
	} places[] = {
		{ DEVICE_BASE, 7, false },
		{ DEVICE_BASE, 8, true },
		{ DEVICE_BASE + 0x3f8, 8, false },
		{ DEVICE_BASE, 0x10000, true },
	};

	for (unsigned i = 0; i < 4; i++) {
		make_at(places[i].base, places[i].bytes);
		for (unsigned k = 0; k < POLLS_MAX; k++)
			CHECK_EQ(bus_read(places[i].base + LSR, 1), EMPTY);
		CHECK_EQ(is_mapped(), places[i].is_mapped);
		CHECK_EQ(axvm_aspace_query(&device_vm.aspace, axvm_gpa(DEVICE_BASE + 0x1000), NULL),
			 AXVM_EFAULT);
		device_end();
	}
}

static const struct {
	uint64_t base, bytes;
	bool is_alone;
} others[] = {
	{ DEVICE_BASE + 0x100, 0x100, false },	 { DEVICE_BASE + 0xfff, 1, false },
	{ DEVICE_BASE + 0x800, 0x10000, false }, { DEVICE_BASE - 0x1000, 0x1000, true },
	{ DEVICE_BASE + 0x1000, 0x1000, true },
};

TEST(with_another_device_in_its_page_it_is_not_mapped)
{
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct axvm_device other = { .type = &axvm_dev_pl031 };

		begin();
		REQUIRE_EQ(axvm_bus_attach(&device_vm.mmio, &other, others[i].base, others[i].bytes,
					   0),
			   0);
		poll();
		CHECK_EQ(is_mapped(), others[i].is_alone);
		CHECK_EQ(in(LSR), EMPTY);
		device_end();
	}
}

TEST(in_io_ports_it_has_no_page)
{
	static struct axvm_bus ports;
	struct axvm_device other = { .type = &axvm_dev_pl031 };

	make_on(&ports, DEVICE_BASE, 0x1000);
	REQUIRE_EQ(axvm_bus_attach(&device_vm.mmio, &other, DEVICE_BASE, 0x1000, 0), 0);
	for (unsigned i = 0; i < POLLS_MAX; i++)
		CHECK_EQ(device.type->read(&device, &device_vcpu, LSR, 1), EMPTY);
	CHECK(!is_mapped());
	device_end();
}

/* Memory, or a range of the host's: what is mapped there stays. */
TEST(with_something_mapped_in_its_page_it_is_not_mapped)
{
	struct axvm_mapping mapping = { .flags = 0 };

	begin();
	REQUIRE_EQ(axvm_aspace_map(&device_vm.aspace, axvm_gpa(DEVICE_BASE), axvm_hpa(0x40000000),
				   AXVM_PAGE_BYTES, AXVM_MAP_READ | AXVM_MAP_WRITE),
		   0);
	poll();
	REQUIRE(page(&mapping));
	CHECK_EQ(mapping.hpa.addr, 0x40000000);
	CHECK_EQ(mapping.flags, AXVM_MAP_READ | AXVM_MAP_WRITE);
	CHECK_EQ(input("a"), 1);
	CHECK(page(&mapping)); /* not unmapped by a device that has not mapped it */
	CHECK_EQ(in(RBR), 'a');
	device_end();
}

/* A mapping that failed is tried again, but not soon. */
TEST(without_memory_for_tables_reads_just_exit)
{
	begin();
	device_vm.budget.limit_pages = device_vm.budget.used_pages;
	poll();
	CHECK(!is_mapped());
	CHECK_EQ(input("b"), 1);
	CHECK_EQ(in(RBR), 'b');
	device_vm.budget.limit_pages = 64;
	for (unsigned i = 0; i < 10000 && !is_mapped(); i++)
		CHECK_EQ(in(LSR), EMPTY);
	check_same();
	device_end();
}

TEST(without_its_page_it_is_not_made_and_keeps_nothing)
{
	bool was_made = false;

	for (uint64_t limit = 0; limit < 16 && !was_made; limit++) {
		device_vm_reset();
		device_vm.budget.limit_pages = device_vm.budget.used_pages + limit;
		int error = device_make(&axvm_dev_ns16550);

		was_made = error == 0;
		if (!was_made)
			CHECK_EQ(error, AXVM_ENOMEM);
		device_end();
	}
	CHECK(was_made);
}

/* ---- when it is mapped ------------------------------------------------------------------------- */

TEST(input_unmaps_it_until_all_is_read_and_the_guest_polls_again)
{
	begin();
	poll();
	CHECK_EQ(axvm_dev_ns16550.input(&device, "", 0), 0);
	CHECK(is_mapped());
	for (unsigned round = 0; round < 3; round++) {
		uint64_t flushes = axvm_sim_flush_count();

		CHECK_EQ(input("ab"), 2);
		CHECK(!is_mapped());
		CHECK(axvm_sim_flush_count() > flushes);
		poll();
		CHECK(!is_mapped());
		CHECK_EQ(in(RBR), 'a');
		CHECK_EQ(in(LSR), EMPTY | DR);
		CHECK_EQ(in(RBR), 'b');
		CHECK(!is_mapped());
		poll();
		check_same();
	}
	device_end();
}

/* At the moment of the invalidation nothing of the byte is to be seen. */
static uint32_t status_at_flush;

static void note_status(const struct axvm_sim_flush *flush)
{
	(void)flush;
	status_at_flush = in(LSR);
}

TEST(a_byte_is_visible_only_after_the_invalidation)
{
	begin();
	poll();
	status_at_flush = 0;
	axvm_sim_observe((struct axvm_sim_observer){ .flushed = note_status });
	CHECK_EQ(input("a"), 1);
	axvm_sim_observe((struct axvm_sim_observer){ 0 });
	CHECK_EQ(status_at_flush, EMPTY);
	CHECK_EQ(in(LSR), EMPTY | DR);
	device_end();
}

TEST(while_the_transmitter_may_interrupt_it_is_not_mapped)
{
	begin();
	out(IIR, 1);
	poll();
	out(IER, IER_TX);
	CHECK(!is_mapped());
	CHECK(irq_level);
	poll();
	CHECK(!is_mapped());
	CHECK(irq_level);
	CHECK_EQ(in(IIR), 0xc2);
	poll();
	CHECK(!is_mapped());
	out(RBR, 'x');
	CHECK(irq_level);
	CHECK_EQ(in(IIR), 0xc2);
	out(IER, 0);
	CHECK(!is_mapped());
	poll();
	check_same();
	out(LCR, DLAB);
	out(IER, IER_TX); /* half of the divisor */
	CHECK(is_mapped());
	device_end();
}

TEST(in_loopback_it_is_not_mapped_nor_with_what_it_leaves)
{
	begin();
	poll();
	out(MCR, LOOP);
	CHECK(!is_mapped());
	out(RBR, 'x');
	out(RBR, 'y');
	out(MCR, 0);
	CHECK_EQ(in(LSR), EMPTY | DR | OE);
	CHECK_EQ(in(RBR), 'y');
	poll();
	CHECK(!is_mapped()); /* the modem lines have changed */
	CHECK_EQ(in(MSR), 0xbb);
	CHECK(!is_mapped());
	poll();
	check_same();
	device_end();
}

/* As Linux's driver sends: nothing is mapped and unmapped for each burst. */
TEST(a_driver_that_works_by_interrupts_has_nothing_mapped)
{
	begin();
	out(IIR, 1);
	uint64_t flushes = axvm_sim_flush_count();

	for (unsigned burst = 0; burst < 100; burst++) {
		out(IER, IER_RX | IER_TX);
		CHECK_EQ(in(IIR), 0xc2);
		CHECK_EQ(in(LSR), EMPTY);
		for (unsigned i = 0; i < 16; i++)
			out(RBR, 'x');
		out(IER, IER_RX);
		CHECK_EQ(in(LSR), EMPTY);
		CHECK_EQ(input("y"), 1);
		CHECK_EQ(in(LSR), EMPTY | DR);
		CHECK_EQ(in(RBR), 'y');
		CHECK_EQ(in(LSR), EMPTY);
		CHECK(!is_mapped());
	}
	CHECK_EQ(axvm_sim_flush_count(), flushes);
	device_end();
}

TEST(after_a_reset_it_is_mapped_for_who_polls)
{
	begin();
	poll();
	out(SCR, 0x5a);
	out(LCR, DLAB);
	axvm_dev_ns16550.reset(&device);
	check_same(); /* it was mapped, and nothing has an effect after a reset */
	CHECK_EQ(guest_load(0, 8), 0x00b0600000010000);
	(void)input("typed");
	out(MCR, LOOP);
	axvm_dev_ns16550.reset(&device);
	CHECK(!is_mapped());
	poll();
	CHECK_EQ(guest_load(0, 8), 0x00b0600000010000);
	check_same();
	device_end();
}

/* ---- all of it together ------------------------------------------------------------------------ */

static uint64_t state;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static void random_write(void)
{
	uint64_t offset = next_random() % REGISTERS;
	uint32_t value = (uint32_t)next_random() & 0xff;

	if (offset == MCR && next_random() % 4 != 0)
		value &= ~(uint32_t)LOOP;
	if (offset == IER && next_random() % 4 != 0)
		value &= ~(uint32_t)IER_TX;
	out(offset, value);
}

static void random_step(void)
{
	uint64_t choice = next_random() % 12;

	if (choice == 0)
		(void)input("xy");
	else if (choice <= 4)
		(void)in(next_random() % REGISTERS);
	else if (choice <= 9)
		random_write();
	else
		poll();
}

TEST(in_any_state_the_page_says_what_a_read_says)
{
	unsigned mapped = 0;

	state = 1;
	begin();
	for (unsigned i = 0; i < STEPS; i++) {
		random_step();
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

#define TYPED 3000u

static void *type(void *unused)
{
	(void)unused;
	axvm_sim_set_cpu(1);
	for (unsigned i = 0; i < TYPED;) {
		char character = (char)('a' + i % 26);

		i += (unsigned)axvm_dev_ns16550.input(&device, &character, 1);
	}
	return NULL;
}

/* A guest that polls: without an exit while the page is there, which never hides a character. */
TEST(what_is_typed_while_the_guest_polls_arrives_whole_and_in_order)
{
	pthread_t thread;
	unsigned got = 0;

	begin();
	out(IIR, 1);
	REQUIRE_EQ(pthread_create(&thread, NULL, type, NULL), 0);
	while (got < TYPED) {
		if (is_mapped() || !(in(LSR)&DR))
			continue;
		CHECK_EQ(in(RBR), (uint64_t)('a' + got % 26));
		got++;
	}
	pthread_join(thread, NULL);
	poll();
	check_same();
	device_end();
}

static struct axvm_vcpu second_vcpu;
static _Atomic bool done;

/* All that ends the quiet and what brings it back; then a while of it. */
static void *write_registers(void *unused)
{
	static const uint32_t writes[][2] = {
		{ IER, IER_TX }, { RBR, 'x' }, { IER, 0 },    { MCR, LOOP }, { RBR, 'y' },
		{ MCR, 0 },	 { SCR, 1 },   { LCR, DLAB }, { IER, 2 },    { LCR, 0 },
	};

	(void)unused;
	axvm_sim_set_cpu(1);
	while (!atomic_load(&done)) {
		uint64_t value;

		for (unsigned i = 0; i < 10; i++)
			CHECK(try_bus_write(&second_vcpu, DEVICE_BASE + writes[i][0], 1,
					    writes[i][1]));
		CHECK(try_bus_read(&second_vcpu, DEVICE_BASE + MSR, 1, &value));
		CHECK(try_bus_read(&second_vcpu, DEVICE_BASE + RBR, 1, &value));
		for (uint32_t i = 0; i < 100; i++)
			CHECK(try_bus_write(&second_vcpu, DEVICE_BASE + SCR, 1, i));
	}
	return NULL;
}

/*
 * Whatever two CPUs do: where the page is mapped under the VM's lock, so that it stays, a read that exits
 * finds nothing received, no error and no interrupt of the transmitter.
 */
static bool check_quiet(void)
{
	axvm_lock_take(&device_vm.lock);
	bool mapped = is_mapped();

	if (mapped) {
		CHECK_EQ(guest_load(LSR, 1), EMPTY);
		CHECK_EQ(in(IIR)&NONE, NONE);
		CHECK_EQ(in(MCR)&LOOP, 0);
		CHECK_EQ(bus_read(DEVICE_BASE + LSR, 2), EMPTY | 0xb0 << 8); /* not a poll */
	}
	axvm_lock_drop(&device_vm.lock);
	return mapped;
}

TEST(while_one_cpu_polls_and_another_writes_what_is_mapped_is_quiet)
{
	pthread_t thread;
	unsigned mapped = 0;

	begin();
	second_vcpu = device_vcpu;
	atomic_store(&done, false);
	REQUIRE_EQ(pthread_create(&thread, NULL, write_registers, NULL), 0);
	while (mapped < 200) {
		poll();
		mapped += check_quiet();
	}
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	axvm_dev_ns16550.reset(&device);
	poll();
	check_same();
	device_end();
}

static void *reset(void *unused)
{
	(void)unused;
	axvm_sim_set_cpu(1);
	for (unsigned i = 0; i < 1000; i++)
		axvm_dev_ns16550.reset(&device);
	return NULL;
}

TEST(input_during_a_reset_leaves_both_in_agreement)
{
	pthread_t thread;

	begin();
	REQUIRE_EQ(pthread_create(&thread, NULL, reset, NULL), 0);
	for (unsigned i = 0; i < 1000; i++) {
		(void)input("x");
		poll();
	}
	pthread_join(thread, NULL);
	CHECK(!is_mapped() || !(in(LSR)&DR));
	axvm_dev_ns16550.reset(&device);
	poll();
	check_same();
	device_end();
}

AXTEST_MAIN(a_guest_that_polls_has_it_mapped_read_only_as_a_device,
	    each_change_is_in_the_page_and_pushed_out_of_the_cache,
	    what_is_sent_while_it_is_mapped_arrives, whether_it_is_mapped_is_a_matter_of_its_place,
	    with_another_device_in_its_page_it_is_not_mapped, in_io_ports_it_has_no_page,
	    with_something_mapped_in_its_page_it_is_not_mapped,
	    without_memory_for_tables_reads_just_exit,
	    without_its_page_it_is_not_made_and_keeps_nothing,
	    input_unmaps_it_until_all_is_read_and_the_guest_polls_again,
	    a_byte_is_visible_only_after_the_invalidation,
	    while_the_transmitter_may_interrupt_it_is_not_mapped,
	    in_loopback_it_is_not_mapped_nor_with_what_it_leaves,
	    a_driver_that_works_by_interrupts_has_nothing_mapped,
	    after_a_reset_it_is_mapped_for_who_polls, in_any_state_the_page_says_what_a_read_says,
	    what_is_typed_while_the_guest_polls_arrives_whole_and_in_order,
	    while_one_cpu_polls_and_another_writes_what_is_mapped_is_quiet,
	    input_during_a_reset_leaves_both_in_agreement)
