// SPDX-License-Identifier: Apache-2.0
/* Interrupts of each kind through the GICv3's whole path [GICv3]. */
#include <string.h>

#include "runtime.h"

#define SPI_FIRST 80u /* SPIs that no device of the machine uses: 80 to 103 */
#define SPI_COUNT 24u
#define LOG_MAX 128u

struct irq_log {
	uint32_t count;
	uint32_t intid[LOG_MAX];
	uint32_t depth;
	uint32_t depth_max;
	bool active[LOG_MAX]; /* as GICD_ISACTIVER said inside the handler */
	bool pending[LOG_MAX];
};

static struct irq_log logs[GUEST_CPUS_MAX];
static struct irq_log *const log0 = &logs[0];

static void note(uint32_t intid)
{
	struct irq_log *log = &logs[guest_this_cpu()->index];

	if (log->count == LOG_MAX)
		guest_give_up("an interrupt comes as often as it was made");
	log->intid[log->count] = intid;
	__atomic_fetch_add(&log->count, 1, __ATOMIC_RELEASE);
}

static void begin(void (*on_irq)(uint32_t intid))
{
	memset(logs, 0, sizeof(logs));
	guest_this_cpu()->on_irq = on_irq;
	guest_gic_priority_mask(0xff);
	guest_irq_disable();
}

static void end(void)
{
	guest_irq_disable();
	for (uint32_t intid = 0; intid < 32; intid++) {
		if (intid < 16 || intid == PPI_VIRTUAL_TIMER || intid == PPI_PHYSICAL_TIMER) {
			guest_gic_disable(intid);
			guest_gic_clear_pending(intid);
			guest_gic_set_priority(intid, 0xa0);
		}
	}
	for (uint32_t spi = SPI_FIRST; spi < SPI_FIRST + SPI_COUNT; spi++) {
		guest_gic_disable(spi);
		guest_gic_clear_pending(spi);
		guest_gic_clear_active(spi);
	}
	guest_this_cpu()->on_irq = NULL;
}

static void prepare_spi(uint32_t spi, uint8_t priority, bool edge)
{
	guest_gic_disable(spi);
	guest_gic_set_edge(spi, edge);
	guest_gic_set_priority(spi, priority);
	guest_gic_route(spi, guest_cpus[0].id);
	guest_gic_enable(spi);
}

/* Lets pending interrupts in for a moment. */
static void take(uint32_t at_least)
{
	guest_irq_enable();
	CHECK(guest_wait_for(&log0->count, at_least, 1000000));
	(void)guest_wait_for(&log0->count, at_least + 1, 200);
	guest_irq_disable();
}

/* ---- SGIs ------------------------------------------------------------------------------- */

TEST(an_sgi_to_self_arrives_once)
{
	begin(note);
	for (uint32_t sgi = 0; sgi < 16; sgi++) {
		guest_gic_enable(sgi);
		guest_gic_send_self(sgi);
		take(sgi + 1);
		CHECK_EQ(log0->count, sgi + 1);
		CHECK_EQ(log0->intid[sgi], sgi);
	}
	end();
}

TEST(an_sgi_that_is_not_enabled_waits)
{
	begin(note);
	guest_gic_send_self(4);
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 1000));
	guest_irq_disable();
	CHECK(guest_gic_is_pending(4));
	guest_gic_enable(4);
	take(1);
	CHECK_EQ(log0->count, 1);
	CHECK(!guest_gic_is_pending(4));
	end();
}

TEST(a_pending_sgi_can_be_withdrawn)
{
	begin(note);
	guest_gic_enable(4);
	guest_gic_send_self(4);
	CHECK(guest_gic_is_pending(4));
	guest_gic_clear_pending(4);
	CHECK(!guest_gic_is_pending(4));
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 1000));
	end();
}

static uint32_t others_ready;
static uint32_t others_release;

static void other_cpu(void *argument)
{
	struct guest_cpu *cpu = guest_this_cpu();

	(void)argument;
	cpu->on_irq = note;
	for (uint32_t sgi = 0; sgi < 16; sgi++)
		guest_gic_enable(sgi);
	guest_irq_enable();
	__atomic_fetch_add(&others_ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&others_release, __ATOMIC_ACQUIRE) == 0)
		;
	guest_irq_disable();
	for (uint32_t sgi = 0; sgi < 16; sgi++)
		guest_gic_disable(sgi);
}

static bool start_others(void)
{
	others_ready = 0;
	others_release = 0;
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		if (guest_cpu_start(i, other_cpu, NULL) != PSCI_SUCCESS)
			return false;
	}
	return guest_wait_for(&others_ready, guest_cpu_count() - 1, 5000000);
}

static void stop_others(void)
{
	__atomic_store_n(&others_release, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		CHECK(guest_cpu_wait_off(i));
}

TEST(an_sgi_reaches_the_cpu_it_names_and_no_other)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin(note);
	REQUIRE(start_others());
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		guest_gic_send(guest_cpus[i].id, 1u << (guest_cpus[i].id & 0xf), i);
		CHECK(guest_wait(&logs[i].count, 1000000));
		CHECK_EQ(logs[i].intid[0], i);
	}
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		CHECK_EQ(logs[i].count, 1);
	stop_others();
	end();
}

TEST(an_sgi_to_all_others_reaches_them_and_not_the_sender)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin(note);
	REQUIRE(start_others());
	guest_gic_enable(9);
	guest_irq_enable();
	guest_gic_send_others(9);
	for (uint32_t i = 1; i < guest_cpu_count(); i++)
		CHECK(guest_wait(&logs[i].count, 1000000));
	CHECK(!guest_wait(&log0->count, 1000));
	guest_irq_disable();
	stop_others();
	end();
}

TEST(an_spi_goes_to_the_cpu_it_is_routed_to)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin(note);
	REQUIRE(start_others());
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_irq_enable();
	for (uint32_t i = 1; i < guest_cpu_count(); i++) {
		guest_gic_route(SPI_FIRST, guest_cpus[i].id);
		guest_gic_set_pending(SPI_FIRST);
		CHECK(guest_wait(&logs[i].count, 1000000));
		CHECK_EQ(logs[i].intid[0], SPI_FIRST);
	}
	CHECK_EQ(log0->count, 0);
	guest_irq_disable();
	stop_others();
	end();
}

TEST(cpus_ping_each_other_a_thousand_times)
{
	if (guest_cpu_count() < 2)
		SKIP("needs two CPUs");
	begin(note);
	REQUIRE(start_others());
	for (uint32_t round = 0; round < 1000; round++) {
		logs[1].count = 0;
		guest_gic_send(guest_cpus[1].id, 1u << (guest_cpus[1].id & 0xf), round % 16);
		REQUIRE(guest_wait(&logs[1].count, 1000000));
		REQUIRE_EQ(logs[1].intid[0], round % 16);
	}
	stop_others();
	end();
}

static void note_timer(uint32_t intid)
{
	WRITE_SYSREG(cntv_ctl_el0, 0);
	note(intid);
}

TEST(a_ppi_arrives)
{
	begin(note_timer);
	guest_gic_enable(PPI_VIRTUAL_TIMER);
	WRITE_SYSREG(cntv_cval_el0, 0);
	WRITE_SYSREG(cntv_ctl_el0, 1);
	take(1);
	CHECK_EQ(log0->count, 1);
	CHECK_EQ(log0->intid[0], PPI_VIRTUAL_TIMER);
	end();
}

/* ---- SPIs ------------------------------------------------------------------------------- */

TEST(an_edge_spi_made_pending_arrives_once)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_set_pending(SPI_FIRST);
	CHECK(guest_gic_is_pending(SPI_FIRST));
	take(1);
	CHECK_EQ(log0->count, 1);
	CHECK_EQ(log0->intid[0], SPI_FIRST);
	CHECK(!guest_gic_is_pending(SPI_FIRST));
	end();
}

TEST(a_level_spi_made_pending_arrives_once)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, false);
	guest_gic_set_pending(SPI_FIRST);
	take(1);
	CHECK_EQ(log0->count, 1);
	CHECK(!guest_gic_is_pending(SPI_FIRST));
	end();
}

static void raise_again(uint32_t intid)
{
	note(intid);
	if (log0->count == 1)
		guest_gic_set_pending(intid);
}

TEST(an_edge_that_comes_during_its_handler_is_kept)
{
	begin(raise_again);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_set_pending(SPI_FIRST);
	take(2);
	CHECK_EQ(log0->count, 2);
	end();
}

#define UART_IMSC 0x38u
#define UART_RIS 0x3cu
#define UART_MIS 0x40u
#define UART_ICR 0x44u
#define UART_TX (1u << 5)

/* Acknowledged in the third handler only: a level must bring it back until then. */
static void uart_third_time(uint32_t intid)
{
	note(intid);
	if (log0->count == 3) {
		guest_write32(guest_machine.uart + UART_IMSC, 0);
		guest_write32(guest_machine.uart + UART_ICR, UART_TX);
	}
}

TEST(the_uarts_level_comes_back_until_it_is_served)
{
	uint64_t uart = guest_machine.uart;

	begin(uart_third_time);
	REQUIRE(guest_machine.uart_irq >= 32);
	prepare_spi(guest_machine.uart_irq, 0x80, false);
	guest_write32(uart + UART_ICR, 0x7ff);
	axtest_puts("# the transmitter is used\n");
	guest_write32(uart + UART_IMSC, UART_TX);
	CHECK_EQ(guest_read32(uart + UART_RIS) & UART_TX, UART_TX);
	CHECK_EQ(guest_read32(uart + UART_MIS) & UART_TX, UART_TX);
	take(3);
	CHECK_EQ(log0->count, 3);
	CHECK_EQ(guest_read32(uart + UART_MIS), 0);
	CHECK(!guest_gic_is_pending(guest_machine.uart_irq));
	guest_gic_disable(guest_machine.uart_irq);
	end();
}

TEST(the_uarts_masked_interrupt_stays_away)
{
	begin(note);
	REQUIRE(guest_machine.uart_irq >= 32);
	prepare_spi(guest_machine.uart_irq, 0x80, false);
	guest_write32(guest_machine.uart + UART_IMSC, 0);
	axtest_puts("# the transmitter is used\n");
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 2000));
	guest_irq_disable();
	guest_gic_disable(guest_machine.uart_irq);
	end();
}

/* ---- priorities --------------------------------------------------------------------------- */

TEST(the_highest_priority_comes_first)
{
	begin(note);
	for (uint32_t i = 0; i < 4; i++) {
		prepare_spi(SPI_FIRST + i, (uint8_t)(0xc0 - i * 0x20), true);
		guest_gic_set_pending(SPI_FIRST + i);
	}
	take(4);
	CHECK_EQ(log0->count, 4);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(log0->intid[i], SPI_FIRST + 3 - i);
	end();
}

TEST(more_pending_than_list_registers_come_in_priority_order)
{
	uint8_t priority[LOG_MAX];

	begin(note);
	for (uint32_t i = 0; i < SPI_COUNT; i++) {
		prepare_spi(SPI_FIRST + i, (uint8_t)((i * 7 % SPI_COUNT) * 8 + 8), true);
		priority[SPI_FIRST + i] = (uint8_t)((i * 7 % SPI_COUNT) * 8 + 8);
	}
	for (uint32_t i = 0; i < SPI_COUNT; i++)
		guest_gic_set_pending(SPI_FIRST + i);
	for (uint32_t sgi = 0; sgi < 5; sgi++) {
		guest_gic_set_priority(sgi, (uint8_t)(0xc8 + 8 * sgi));
		priority[sgi] = (uint8_t)(0xc8 + 8 * sgi);
		guest_gic_enable(sgi);
		guest_gic_send_self(sgi);
	}
	take(SPI_COUNT + 5);
	CHECK_EQ(log0->count, SPI_COUNT + 5);
	for (uint32_t i = 1; i < log0->count; i++)
		CHECK(priority[log0->intid[i - 1]] < priority[log0->intid[i]]);
	end();
}

/* Lets others in while it handles one. */
static void nest(uint32_t intid)
{
	note(intid);
	log0->depth++;
	if (log0->depth > log0->depth_max)
		log0->depth_max = log0->depth;
	guest_irq_enable();
	if (intid == SPI_FIRST) {
		guest_gic_set_pending(SPI_FIRST + 1); /* lower priority: waits */
		guest_gic_set_pending(SPI_FIRST + 2); /* higher: comes now */
		(void)guest_wait_for(&log0->count, 3, 1000);
	}
	guest_irq_disable();
	log0->depth--;
}

TEST(a_higher_priority_preempts_and_a_lower_one_waits)
{
	begin(nest);
	prepare_spi(SPI_FIRST, 0x80, true);
	prepare_spi(SPI_FIRST + 1, 0xc0, true);
	prepare_spi(SPI_FIRST + 2, 0x40, true);
	guest_gic_set_pending(SPI_FIRST);
	take(3);
	CHECK_EQ(log0->count, 3);
	CHECK_EQ(log0->intid[0], SPI_FIRST);
	CHECK_EQ(log0->intid[1], SPI_FIRST + 2);
	CHECK_EQ(log0->intid[2], SPI_FIRST + 1);
	CHECK_EQ(log0->depth_max, 2);
	end();
}

TEST(the_priority_mask_holds_back_what_is_not_above_it)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_priority_mask(0x80);
	guest_gic_set_pending(SPI_FIRST);
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 2000));
	guest_gic_priority_mask(0x88);
	CHECK(guest_wait(&log0->count, 100000));
	CHECK_EQ(log0->count, 1);
	end();
}

TEST(the_highest_pending_interrupt_can_be_asked_for)
{
	begin(note);
	CHECK_EQ(READ_SYSREG(s3_0_c12_c12_2), INTID_SPURIOUS); /* ICC_HPPIR1_EL1 */
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_set_pending(SPI_FIRST);
	CHECK_EQ(READ_SYSREG(s3_0_c12_c12_2), SPI_FIRST);
	take(1);
	CHECK_EQ(READ_SYSREG(s3_0_c12_c12_2), INTID_SPURIOUS);
	end();
}

static uint64_t running_priority;

static void note_priority(uint32_t intid)
{
	note(intid);
	running_priority = READ_SYSREG(s3_0_c12_c11_3); /* ICC_RPR_EL1 */
}

TEST(the_running_priority_is_that_of_the_active_interrupt)
{
	begin(note_priority);
	CHECK_EQ(READ_SYSREG(s3_0_c12_c11_3), 0xff);
	prepare_spi(SPI_FIRST, 0x60, true);
	guest_gic_set_pending(SPI_FIRST);
	take(1);
	CHECK_EQ(running_priority, 0x60);
	CHECK_EQ(READ_SYSREG(s3_0_c12_c11_3), 0xff);
	end();
}

/* ---- active state, end of interrupt ---------------------------------------------------------- */

static void note_state(uint32_t intid)
{
	log0->active[log0->count] = guest_gic_is_active(intid);
	log0->pending[log0->count] = guest_gic_is_pending(intid);
	note(intid);
}

TEST(an_interrupt_is_active_between_acknowledge_and_end)
{
	begin(note_state);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_set_pending(SPI_FIRST);
	take(1);
	CHECK(log0->active[0]);
	CHECK(!log0->pending[0]);
	CHECK(!guest_gic_is_active(SPI_FIRST));
	end();
}

TEST(split_end_of_interrupt_stays_active_until_deactivated)
{
	begin(note_state);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_eoi_split(true);
	guest_gic_set_pending(SPI_FIRST);
	take(1);
	CHECK(guest_gic_is_active(SPI_FIRST));
	guest_gic_set_pending(SPI_FIRST);
	guest_irq_enable();
	CHECK(!guest_wait_for(&log0->count, 2, 1000)); /* not while it is active */
	guest_gic_deactivate(SPI_FIRST);
	CHECK(guest_wait_for(&log0->count, 2, 100000));
	guest_irq_disable();
	guest_gic_deactivate(SPI_FIRST);
	guest_barrier();
	CHECK(!guest_gic_is_active(SPI_FIRST));
	CHECK_EQ(log0->count, 2);
	guest_gic_eoi_split(false);
	end();
}

TEST(split_end_of_interrupt_lets_the_same_priority_in)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	prepare_spi(SPI_FIRST + 1, 0x80, true);
	guest_gic_eoi_split(true);
	guest_gic_set_pending(SPI_FIRST);
	take(1);
	guest_gic_set_pending(SPI_FIRST + 1);
	take(2);
	CHECK_EQ(log0->count, 2);
	guest_gic_deactivate(SPI_FIRST + 1);
	guest_gic_deactivate(SPI_FIRST);
	guest_barrier();
	CHECK(!guest_gic_is_active(SPI_FIRST));
	CHECK(!guest_gic_is_active(SPI_FIRST + 1));
	guest_gic_eoi_split(false);
	end();
}

TEST(active_can_be_set_and_cleared_by_hand)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_gic_set_active(SPI_FIRST);
	CHECK(guest_gic_is_active(SPI_FIRST));
	guest_gic_set_pending(SPI_FIRST);
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 1000));
	guest_gic_clear_active(SPI_FIRST);
	CHECK(guest_wait(&log0->count, 100000));
	CHECK(!guest_gic_is_active(SPI_FIRST));
	end();
}

TEST(wfi_returns_for_a_pending_interrupt_that_is_masked)
{
	begin(note);
	guest_gic_enable(2);
	for (uint32_t i = 0; i < 100; i++) {
		guest_gic_send_self(2);
		guest_wfi();
		CHECK(guest_gic_is_pending(2));
		guest_gic_clear_pending(2);
	}
	CHECK_EQ(log0->count, 0);
	end();
}

TEST(a_disabled_distributor_delivers_nothing)
{
	uint64_t at = guest_gic.distributor + GICD_CTLR;
	uint32_t old = guest_read32(at);

	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	guest_write32(at, old & ~2u);
	guest_gic_set_pending(SPI_FIRST);
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 1000));
	guest_write32(at, old);
	CHECK(guest_wait(&log0->count, 100000));
	end();
}

TEST(a_disabled_group_delivers_nothing)
{
	begin(note);
	prepare_spi(SPI_FIRST, 0x80, true);
	WRITE_SYSREG(s3_0_c12_c12_7, 0); /* ICC_IGRPEN1_EL1 */
	guest_gic_set_pending(SPI_FIRST);
	guest_irq_enable();
	CHECK(!guest_wait(&log0->count, 1000));
	WRITE_SYSREG(s3_0_c12_c12_7, 1);
	CHECK(guest_wait(&log0->count, 100000));
	end();
}

AXTEST_MAIN(an_sgi_to_self_arrives_once, an_sgi_that_is_not_enabled_waits,
	    a_pending_sgi_can_be_withdrawn, an_sgi_reaches_the_cpu_it_names_and_no_other,
	    an_sgi_to_all_others_reaches_them_and_not_the_sender,
	    an_spi_goes_to_the_cpu_it_is_routed_to, cpus_ping_each_other_a_thousand_times,
	    a_ppi_arrives, an_edge_spi_made_pending_arrives_once,
	    a_level_spi_made_pending_arrives_once, an_edge_that_comes_during_its_handler_is_kept,
	    the_uarts_level_comes_back_until_it_is_served, the_uarts_masked_interrupt_stays_away,
	    the_highest_priority_comes_first,
	    more_pending_than_list_registers_come_in_priority_order,
	    a_higher_priority_preempts_and_a_lower_one_waits,
	    the_priority_mask_holds_back_what_is_not_above_it,
	    the_highest_pending_interrupt_can_be_asked_for,
	    the_running_priority_is_that_of_the_active_interrupt,
	    an_interrupt_is_active_between_acknowledge_and_end,
	    split_end_of_interrupt_stays_active_until_deactivated,
	    split_end_of_interrupt_lets_the_same_priority_in, active_can_be_set_and_cleared_by_hand,
	    wfi_returns_for_a_pending_interrupt_that_is_masked,
	    a_disabled_distributor_delivers_nothing, a_disabled_group_delivers_nothing)
