// SPDX-License-Identifier: Apache-2.0
/* Interrupt storms, and random writes over all of the interrupt controller from two CPUs. */
#include "runtime.h"

#define SPI_FIRST 80u

static uint32_t taken_count;
static uint32_t spi_taken_count;

static void on_sgi(uint32_t intid)
{
	(void)intid;
	taken_count++;
}

static void quiet(void)
{
	guest_irq_disable();
	guest_gic_start_distributor();
	guest_gic_start_cpu();
	guest_this_cpu()->on_irq = NULL;
}

TEST(a_million_interrupts_to_self)
{
	uint64_t mpidr = guest_this_cpu()->id;
	uint64_t value = 1ull << (mpidr & 0xf) | (mpidr >> 8 & 0xff) << 16 | 5ull << 24;

	taken_count = 0;
	guest_this_cpu()->on_irq = on_sgi;
	guest_gic_enable(5);
	guest_irq_enable();
	for (uint32_t i = 1; i <= 1000000; i++) {
		WRITE_SYSREG(s3_0_c12_c11_5, value);
		while (__atomic_load_n(&taken_count, __ATOMIC_RELAXED) < i)
			;
	}
	CHECK_EQ(taken_count, 1000000);
	quiet();
}

/* Nobody waits: pending ones coalesce, none is lost at the end. */
TEST(interrupts_faster_than_they_are_handled)
{
	taken_count = 0;
	guest_this_cpu()->on_irq = on_sgi;
	for (uint32_t sgi = 0; sgi < 16; sgi++)
		guest_gic_enable(sgi);
	for (uint32_t i = 0; i < 100000; i++) {
		if (i % 64 == 0)
			guest_irq_enable();
		WRITE_SYSREG(s3_0_c12_c11_5,
			     1ull << (guest_this_cpu()->id & 0xf) | (uint64_t)(i % 16) << 24);
		if (i % 64 == 32)
			guest_irq_disable();
	}
	guest_irq_enable();
	guest_barrier();
	guest_irq_disable();
	for (uint32_t sgi = 0; sgi < 16; sgi++)
		CHECK(!guest_gic_is_pending(sgi));
	CHECK(taken_count >= 16);
	quiet();
}

static void on_spi(uint32_t intid)
{
	if (intid < SPI_FIRST || intid >= SPI_FIRST + 16)
		guest_give_up("only the SPIs of the storm interrupt");
	__atomic_fetch_add(&spi_taken_count, 1, __ATOMIC_RELAXED);
}

static uint32_t storm_ends;

static void storm_cpu(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	guest_this_cpu()->on_irq = on_spi;
	guest_irq_enable();
	while (__atomic_load_n(&storm_ends, __ATOMIC_RELAXED) == 0) {
		uint32_t spi = SPI_FIRST + (uint32_t)(guest_random(&state) % 16);

		guest_gic_set_pending(spi);
		if (state % 3 == 0)
			guest_gic_disable(spi);
		else
			guest_gic_enable(spi);
		if (state % 7 == 0)
			guest_gic_route(spi, guest_cpus[state / 7 % 2].id);
	}
	guest_irq_disable();
}

static void storm_main(uint32_t rounds)
{
	uint64_t state = 3;

	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t spi = SPI_FIRST + (uint32_t)(guest_random(&state) % 16);

		guest_gic_set_pending(spi);
		guest_gic_enable(spi);
		if (i % 5 == 0)
			guest_gic_clear_pending(spi);
		if (i % 11 == 0)
			guest_gic_set_priority(spi, (uint8_t)(state & 0x78));
	}
}

TEST(two_cpus_make_the_same_interrupts_pending_and_toggle_them)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	storm_ends = 0;
	spi_taken_count = 0;
	guest_this_cpu()->on_irq = on_spi;
	for (uint32_t i = 0; i < 16; i++) {
		guest_gic_set_edge(SPI_FIRST + i, true);
		guest_gic_route(SPI_FIRST + i, guest_cpus[0].id);
	}
	REQUIRE_EQ(guest_cpu_start(1, storm_cpu, (void *)5), PSCI_SUCCESS);
	guest_irq_enable();
	storm_main(50000);
	__atomic_store_n(&storm_ends, 1, __ATOMIC_RELAXED);
	CHECK(guest_cpu_wait_off(1));
	CHECK(spi_taken_count > 100);
	quiet();
}

TEST(after_the_storm_an_interrupt_comes_exactly_once)
{
	spi_taken_count = 0;
	guest_this_cpu()->on_irq = on_spi;
	guest_gic_set_edge(SPI_FIRST, true);
	guest_gic_set_priority(SPI_FIRST, 0x80);
	guest_gic_route(SPI_FIRST, guest_cpus[0].id);
	guest_gic_enable(SPI_FIRST);
	guest_irq_enable();
	guest_gic_set_pending(SPI_FIRST);
	CHECK(guest_wait(&spi_taken_count, 1000000));
	CHECK(!guest_wait_for(&spi_taken_count, 2, 1000));
	quiet();
}

static void write_wildly(uint64_t at, uint32_t width, uint64_t value)
{
	if (width == 0)
		guest_write8(at, (uint8_t)value);
	else if (width == 1)
		guest_write16(at, (uint16_t)value);
	else if (width == 2)
		guest_write32(at, (uint32_t)value);
	else
		guest_write64(at, value);
}

/* Interrupts masked: only the controller is tried, not the handlers. */
static void scribble(void *argument)
{
	uint64_t state = (uintptr_t)argument;
	uint64_t redistributors = 0x20000ull * guest_cpu_count();

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t random = guest_random(&state);
		uint32_t width = random & 3;
		bool distributor = random >> 2 & 1;
		uint64_t base = distributor ? guest_gic.distributor : guest_gic.redistributors;
		uint64_t bytes = distributor ? 0x10000 : redistributors;
		uint64_t at = base + ((random >> 8) % bytes & ~((1ull << width) - 1));

		guest_probe_begin();
		if (random >> 3 & 1)
			write_wildly(at, width, guest_random(&state));
		else
			(void)guest_read32(at & ~3ull);
		(void)guest_probe_end();
	}
}

TEST(random_writes_all_over_the_controller)
{
	scribble((void *)11);
	quiet();
}

TEST(random_writes_from_two_cpus_at_once)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	REQUIRE_EQ(guest_cpu_start(1, scribble, (void *)21), PSCI_SUCCESS);
	scribble((void *)22);
	CHECK(guest_wait(&guest_cpus[1].done, 60000000));
	CHECK(guest_cpu_wait_off(1));
	quiet();
}

TEST(the_controller_can_be_set_up_again_and_works)
{
	taken_count = 0;
	guest_this_cpu()->on_irq = on_sgi;
	guest_gic_set_priority(5, 0x80);
	guest_gic_enable(5);
	guest_irq_enable();
	guest_gic_send_self(5);
	CHECK(guest_wait(&taken_count, 1000000));
	CHECK_EQ(taken_count, 1);
	quiet();
}

AXTEST_MAIN(a_million_interrupts_to_self, interrupts_faster_than_they_are_handled,
	    two_cpus_make_the_same_interrupts_pending_and_toggle_them,
	    after_the_storm_an_interrupt_comes_exactly_once, random_writes_all_over_the_controller,
	    random_writes_from_two_cpus_at_once, the_controller_can_be_set_up_again_and_works)
