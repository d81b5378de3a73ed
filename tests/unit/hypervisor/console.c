/* SPDX-License-Identifier: Apache-2.0 */
/* The console that all VMs share: whole lines, bounded work, and VMs that come and go. */
#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <unistd.h>

#include "fake_bare.h"
#include "vm_parts.h"

#include "../../../hypervisor/console.c"

#define SENT_MAX (1u << 20)
#define STRESS_LINES 5000u

static const struct timespec a_while = { .tv_nsec = 20000000 };

static struct axvm_vm vms[3];
static const struct axvm_config configs[3] = { { .name = "one", .id = 1 },
					       { .name = "two", .id = 2 },
					       { .name = "three", .id = 3 } };

static char sent[SENT_MAX + 1];
static _Atomic uint32_t sent_bytes;
static _Atomic uint64_t room; /* of the UART */
static bool has_uart;
static bool has_firmware;
static const char *typed;
static char received_by[3][64];
static void (*irq_handler)(uint32_t irq);
static _Atomic uint32_t armed;
static struct axvm_timer *armed_timer;
static void (*on_input)(void);

/* ---- what the console stands on --------------------------------------------------------------- */

static uint64_t uart_write(const char *data, uint64_t bytes)
{
	uint32_t at = atomic_load(&sent_bytes);
	uint64_t take = atomic_load(&room);

	take = take < bytes ? take : bytes;
	if (at + take > SENT_MAX)
		abort();
	memcpy(&sent[at], data, take);
	atomic_fetch_sub(&room, take);
	atomic_store(&sent_bytes, at + (uint32_t)take);
	return take;
}

static int uart_read(void)
{
	return typed == NULL || *typed == '\0' ? -1 : (unsigned char)*typed++;
}

static void uart_enable(void)
{
}

static const struct axvm_uart fake_uart = { uart_write, uart_read, uart_enable };

const struct axvm_uart *axvm_uart_find(const void *fdt, struct axvm_uart_place *found)
{
	(void)fdt;
	if (!has_uart)
		return NULL;
	found->hpa = 0x9000010;
	found->bytes = 0x1000;
	found->irq = 33;
	return &fake_uart;
}

const struct axvm_uart *axvm_uart_firmware(void)
{
	return has_firmware ? &fake_uart : NULL;
}

bool axvm_bare_irq_attach(uint32_t irq, bool edge, void (*handler)(uint32_t))
{
	(void)edge;
	CHECK_EQ(irq, 33);
	irq_handler = handler;
	return true;
}

void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks)
{
	CHECK(deadline_ticks > 0);
	CHECK(fake_held == 0 || fake_ranks[fake_held - 1] < AXVM_LOCK_LEAF);
	armed_timer = timer;
	atomic_fetch_add(&armed, 1);
}

const char *axvm_vm_name(const struct axvm_vm *vm)
{
	return vm->config->name;
}

uint32_t axvm_vm_id(const struct axvm_vm *vm)
{
	return vm->config->id;
}

uint64_t axvm_vm_console_input(struct axvm_vm *vm, const char *data, uint64_t bytes)
{
	strncat(received_by[vm - vms], data, bytes);
	if (on_input != NULL)
		on_input();
	return bytes;
}

_Noreturn void axvm_vms_fail(void)
{
	axvm_hal_panic(__FILE__, __LINE__, "the machine ends");
}

static void reset(uint32_t vm_total)
{
	fake_machine(3);
	alarm(120);
	for (uint32_t i = 0; i < SPEAKERS_MAX; i++) {
		atomic_store(&speakers[i].vm, NULL);
		atomic_store(&speakers[i].head, 0);
		atomic_store(&speakers[i].tail, 0);
	}
	axvm_lock_init(&own_lock, AXVM_LOCK_LEAF);
	atomic_flag_clear(&draining);
	atomic_store(&drain_again, 0);
	atomic_store(&vm_count, 0);
	atomic_store(&focus, 0);
	atomic_store(&input_busy, 0);
	atomic_store(&seized, false);
	line_owner = turn = 0;
	turn_bytes = 0;
	at_line_start = true;
	atomic_store(&sent_bytes, 0);
	memset(sent, 0, sizeof(sent));
	atomic_store(&room, UINT64_MAX / 2);
	atomic_store(&armed, 0);
	on_input = NULL;
	typed = NULL;
	memset(received_by, 0, sizeof(received_by));
	has_uart = true;
	has_firmware = false;
	irq_handler = NULL;
	is_polled = false;
	CHECK(axvm_console_init(NULL, false));
	axvm_console_start_input();
	for (uint32_t i = 0; i < 3; i++)
		vms[i].config = &configs[i];
	for (uint32_t i = 0; i < vm_total; i++)
		axvm_console_add_vm(&vms[i]);
}

static void says(uint32_t vm, const char *text)
{
	axvm_hal_console_write(&vms[vm], text, strlen(text));
}

static void type(const char *keys)
{
	typed = keys;
	irq_handler(33);
}

static void fire(void)
{
	atomic_store(&armed, 0);
	armed_timer->expired(armed_timer);
}

/* ---- lines ------------------------------------------------------------------------------------- */

TEST(one_vm_speaks_as_it_is)
{
	reset(1);
	says(0, "a\r\nb");
	says(0, "c\n");
	axvm_console_line("own");
	says(0, "d");
	axvm_console_line("own again");
	CHECK_STR_EQ(sent, "a\r\nbc\naxvm: own\r\nd\r\naxvm: own again\r\n");
	CHECK(axvm_console_owns(axvm_hpa(0x9000000), 0x1000));
	CHECK(!axvm_console_owns(axvm_hpa(0x9001000), 0x1000));
}

TEST(two_vms_have_their_names_before_their_lines)
{
	reset(2);
	says(0, "a\nb\n");
	says(1, "c");
	says(1, "d\n");
	says(0, "e");
	says(1, "f\n");
	says(0, "g\n");
	CHECK_STR_EQ(sent, "[one] a\n[one] b\n[two] cd\n[one] e\r\n[two] f\n[one] g\n");
	says(2, "nobody knows it\n");
	CHECK(strstr(sent, "nobody") == NULL);
}

/* What the UART does not take stays in order and whole, also in the middle of a line. */
TEST(a_full_uart_is_not_waited_for_and_a_timer_goes_on)
{
	reset(2);
	atomic_store(&room, 10);
	says(0, "abcdefgh\n"); /* 6 are the prefix */
	CHECK_STR_EQ(sent, "[one] abcd");
	CHECK_EQ(armed, 1);
	says(1, "other\n");
	CHECK_STR_EQ(sent, "[one] abcd");
	atomic_store(&room, 1000);
	fire();
	CHECK_STR_EQ(sent, "[one] abcdefgh\n[two] other\n");
	CHECK_EQ(armed, 0);
}

static void fill(uint32_t vm, char character, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		speakers[1 + vm].ring[i] = character;
	atomic_store(&speakers[1 + vm].head, bytes);
}

TEST(one_call_sends_no_more_than_its_share_of_what_others_said)
{
	reset(3);
	fill(1, 'y', RING_BYTES);
	fill(2, 'z', RING_BYTES);
	says(0, "x\n");
	CHECK(sent_bytes < DRAIN_BYTES + 100);
	CHECK_EQ(armed, 1);
	for (uint32_t i = 0; i < 10 && atomic_load(&armed) != 0; i++)
		fire();
	CHECK_EQ(armed, 0);
	CHECK(sent_bytes > 2 * RING_BYTES);
	CHECK_EQ(waiting_bytes(&speakers[2]) + waiting_bytes(&speakers[3]), 0);
}

TEST(a_line_without_an_end_does_not_keep_others_out)
{
	reset(2);
	fill(0, 'x', RING_BYTES);
	says(1, "hello\n");
	CHECK(strstr(sent, "\r\n[two] hello\n") != NULL);
	CHECK(waiting_bytes(&speakers[1]) > 0);
}

/* ---- threads ------------------------------------------------------------------------------------ */

static void *writer(void *index)
{
	uint32_t vm = (uint32_t)(uintptr_t)index;
	char line[64];

	fake_cpu = vm + 1;
	for (uint32_t i = 0; i < STRESS_LINES; i++) {
		snprintf(line, sizeof(line), "line %u of %u\n", i, vm);
		says(vm, line);
	}
	return NULL;
}

static uint32_t whole_lines(uint32_t vm)
{
	char line[80];
	const char *at = sent;
	uint32_t count = 0;

	for (; count < STRESS_LINES; count++) {
		int bytes = snprintf(line, sizeof(line), "[%s] line %u of %u\n", configs[vm].name,
				     count, vm);
		at = strstr(at, line);
		if (at == NULL)
			break;
		at += bytes;
	}
	return count;
}

TEST(two_writers_lose_nothing_and_their_lines_stay_whole)
{
	pthread_t one, two;

	reset(2);
	pthread_create(&one, NULL, writer, (void *)(uintptr_t)0);
	pthread_create(&two, NULL, writer, (void *)(uintptr_t)1);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	/* Nobody is left with bytes and without a timer to send them. */
	if (atomic_load(&armed) == 0)
		CHECK_EQ(waiting_bytes(&speakers[1]) + waiting_bytes(&speakers[2]), 0);
	axvm_console_finish();
	CHECK_EQ(whole_lines(0), STRESS_LINES);
	CHECK_EQ(whole_lines(1), STRESS_LINES);
}

static _Atomic uint32_t over, slow_started;

static void *floods(void *unused)
{
	(void)unused;
	fake_cpu = 1;
	while (atomic_load(&over) == 0) {
		says(0, "more and more\n");
		atomic_store(&slow_started, 1);
		if (atomic_load(&sent_bytes) > SENT_MAX / 2)
			atomic_store(&sent_bytes, 0);
	}
	return NULL;
}

TEST(a_removed_vm_has_said_all_and_does_not_wait_for_others)
{
	pthread_t thread;

	reset(2);
	atomic_store(&over, 0);
	atomic_store(&slow_started, 0);
	pthread_create(&thread, NULL, floods, NULL);
	while (atomic_load(&slow_started) == 0)
		sched_yield();
	says(1, "last words\n");
	axvm_console_remove_vm(&vms[1]);
	CHECK_EQ(waiting_bytes(&speakers[2]), 0);
	axvm_console_finish(); /* neither does this wait for ever */
	atomic_store(&over, 1);
	pthread_join(thread, NULL);
	CHECK(speakers[2].vm == NULL);
	CHECK_EQ(vm_count, 1);
}

static _Atomic uint32_t in_input, was_removed, removed_early;

static void linger(void)
{
	atomic_store(&in_input, 1);
	thrd_sleep(&a_while, NULL);
	if (atomic_load(&was_removed) != 0)
		atomic_store(&removed_early, 1);
}

static void *types(void *keys)
{
	type(keys);
	return NULL;
}

TEST(a_vm_stays_while_it_gets_input)
{
	static char keys[] = "k";
	pthread_t thread;

	reset(2);
	atomic_store(&in_input, 0);
	atomic_store(&was_removed, 0);
	atomic_store(&removed_early, 0);
	on_input = linger;
	pthread_create(&thread, NULL, types, keys);
	while (atomic_load(&in_input) == 0)
		sched_yield();
	fake_cpu = 1;
	axvm_console_remove_vm(&vms[0]);
	atomic_store(&was_removed, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(removed_early, 0);
	CHECK_EQ(focus, 2);
}

/* ---- a panic ------------------------------------------------------------------------------------- */

/* One that held the lock and the UART goes on for a while, and must not stop the end. */
TEST(a_panic_speaks_whoever_had_the_console)
{
	reset(2);
	fake_cpu = 1;
	axvm_lock_take(&own_lock);
	CHECK(try_take_uart());
	fake_cpu = 0;
	fake_held = 0;
	axvm_console_seize();
	axvm_console_line("first");
	fake_cpu = 1;
	says(0, "silenced\n");
	axvm_console_line("silenced");
	drop_uart();
	fake_ranks[fake_held++] = AXVM_LOCK_LEAF;
	axvm_lock_drop(&own_lock);
	fake_cpu = 0;
	axvm_console_line("second");
	axvm_console_finish();
	CHECK_STR_EQ(sent, "axvm: first\r\naxvm: second\r\n");
	CHECK_EQ(armed, 0);
}

/* ---- input --------------------------------------------------------------------------------------- */

TEST(the_escape_key_moves_the_focus)
{
	reset(3);
	type("a\x1dnb\x1d"
	     "3c\x1d\x1d\x1d"
	     "9d");
	CHECK_STR_EQ(received_by[0], "a");
	CHECK_STR_EQ(received_by[1], "b");
	CHECK_STR_EQ(received_by[2], "c\x1d"
				     "d");
	CHECK(strstr(sent, "axvm: console: two\r\naxvm: console: three\r\n") != NULL);
	type("\x1dn");
	type("e\x1d"); /* the key and its letter in two interrupts */
	type("h");
	CHECK_STR_EQ(received_by[0], "ae");
	CHECK(strstr(sent, "Ctrl-] n: next VM") != NULL);
	axvm_console_remove_vm(&vms[0]);
	type("f");
	CHECK_STR_EQ(received_by[1], "bf");
	axvm_console_remove_vm(&vms[1]);
	axvm_console_remove_vm(&vms[2]);
	type("g\x1dn");
	CHECK(strstr(sent, "axvm: console: no VM\r\n") != NULL);
}

TEST(the_escape_key_ends_the_machine)
{
	reset(1);
	CHECK(FAKE_PANICS(type("\x1dq")));
	CHECK_STR_EQ(sent, "axvm: ended from the console\r\n");
}

TEST(a_machine_whose_uart_is_not_known_speaks_and_listens_by_its_firmware)
{
	reset(1);
	has_uart = false;
	CHECK(!axvm_console_init(NULL, false));
	has_firmware = true;
	REQUIRE(axvm_console_init(NULL, false));
	CHECK(!axvm_console_owns(axvm_hpa(0), 0x10000000));
	typed = "a";
	axvm_console_start_input();
	CHECK_STR_EQ(received_by[0], "a");
	CHECK_EQ(atomic_load(&armed), 1);
	typed = "b";
	fire();
	CHECK_STR_EQ(received_by[0], "ab");
	CHECK_EQ(atomic_load(&armed), 1);
	says(0, "hello\n");
	CHECK_STR_EQ(sent, "hello\n");
}

TEST(the_uart_is_left_alone_when_the_firmware_is_to_speak)
{
	reset(1);
	irq_handler = NULL;
	has_firmware = true;
	REQUIRE(axvm_console_init(NULL, true));
	axvm_console_start_input();
	CHECK(irq_handler == NULL);
	CHECK_EQ(atomic_load(&armed), 0);
	CHECK(!axvm_console_owns(axvm_hpa(0x9000000), 0x1000));
	has_firmware = false; /* then there is only the UART */
	REQUIRE(axvm_console_init(NULL, true));
	CHECK(axvm_console_owns(axvm_hpa(0x9000000), 0x1000));
}

AXTEST_MAIN(one_vm_speaks_as_it_is, two_vms_have_their_names_before_their_lines,
	    a_full_uart_is_not_waited_for_and_a_timer_goes_on,
	    one_call_sends_no_more_than_its_share_of_what_others_said,
	    a_line_without_an_end_does_not_keep_others_out,
	    two_writers_lose_nothing_and_their_lines_stay_whole,
	    a_removed_vm_has_said_all_and_does_not_wait_for_others, a_vm_stays_while_it_gets_input,
	    a_panic_speaks_whoever_had_the_console, the_escape_key_moves_the_focus,
	    a_machine_whose_uart_is_not_known_speaks_and_listens_by_its_firmware,
	    the_uart_is_left_alone_when_the_firmware_is_to_speak, the_escape_key_ends_the_machine)
