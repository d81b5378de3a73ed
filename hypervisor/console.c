/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <string.h>

#include <libfdt.h>

#include "bare.h"
#include "drivers/uart.h"
#include "text.h"
#include "vms.h"

#define SPEAKERS_MAX (AXVM_VMS_MAX + 1)
#define RING_BYTES 4096u
#define DRAIN_BYTES 2048u
#define TURN_BYTES 512u
#define LATER_US 500u
#define POLL_MS 20u
#define ESCAPE 0x1d /* Ctrl-] */

/* One writer at a time (the VM's device lock, or own_lock), one reader (who holds `draining`). */
struct speaker {
	struct axvm_vm *_Atomic vm; /* NULL: free; the hypervisor's is speakers[0] */
	_Atomic uint32_t head;	    /* bytes ever written */
	_Atomic uint32_t tail;	    /* bytes ever sent */
	char ring[RING_BYTES];
};

static struct speaker speakers[SPEAKERS_MAX];
static struct axvm_lock own_lock = { .rank = AXVM_LOCK_LEAF };
static const struct axvm_uart *uart;
static atomic_flag draining = ATOMIC_FLAG_INIT;
static _Atomic uint32_t drain_again;
static _Atomic uint32_t vm_count;
static _Atomic uint32_t last_speaker; /* the highest index that any VM has had */
static _Atomic uint32_t focus;	      /* index of a speaker; 0: nobody */

static struct axvm_timer later[AXVM_CPUS_MAX];
static _Atomic bool has_timers;
static _Atomic uint32_t input_busy; /* the input's CPU uses a VM */
static const struct axvm_cpu *seizer;
static _Atomic bool seized;

/* The reader's: whose line the cursor stands in, and whether at its start. */
static uint32_t line_owner;
static bool at_line_start = true;
static uint32_t turn; /* who sends next, and how much of a line it has sent already */
static uint64_t turn_bytes;

static void send(const char *data, uint64_t bytes)
{
	while (bytes > 0) {
		uint64_t sent = uart->write(data, bytes);
		data += sent;
		bytes -= sent;
	}
}

static void send_prefix(uint32_t index)
{
	struct axvm_vm *vm = atomic_load_explicit(&speakers[index].vm, memory_order_relaxed);

	if (index == 0) {
		send("axvm: ", 6);
	} else if (vm != NULL && atomic_load_explicit(&vm_count, memory_order_relaxed) > 1) {
		const char *name = axvm_vm_name(vm);
		send("[", 1);
		send(name, strlen(name));
		send("] ", 2);
	}
}

/* Up to the end of the line, and not beyond what the UART takes at once; returns how many bytes. */
static uint64_t send_piece(uint32_t index, const char *data, uint64_t bytes)
{
	bool plain = index != 0 && atomic_load_explicit(&vm_count, memory_order_relaxed) <= 1;
	const char *end = plain ? NULL : memchr(data, '\n', bytes);
	uint64_t piece = end == NULL ? bytes : (uint64_t)(end - data) + 1;

	if (!at_line_start && line_owner != index) {
		send("\r\n", 2);
		at_line_start = true;
	}
	if (at_line_start)
		send_prefix(index);
	line_owner = index;
	at_line_start = false;
	uint64_t sent = uart->write(data, piece);
	if (sent > 0)
		at_line_start = data[sent - 1] == '\n';
	return sent;
}

static uint32_t waiting_bytes(const struct speaker *speaker)
{
	/* acquire: pairs with the release in append, whose bytes are now visible */
	return atomic_load_explicit(&speaker->head, memory_order_acquire) -
	       atomic_load_explicit(&speaker->tail, memory_order_relaxed);
}

static uint32_t room_taken(const struct speaker *speaker)
{
	/* acquire: pairs with the release in drain_speaker, which has read what is overwritten now */
	return atomic_load_explicit(&speaker->head, memory_order_relaxed) -
	       atomic_load_explicit(&speaker->tail, memory_order_acquire);
}

/* Sends at most `limit` bytes of a ring that is not empty; returns how many, 0: the UART is full. */
static uint64_t drain_speaker(uint32_t index, uint64_t limit)
{
	struct speaker *speaker = &speakers[index];
	uint32_t tail = atomic_load_explicit(&speaker->tail, memory_order_relaxed);
	uint32_t at = tail % RING_BYTES;
	uint64_t bytes = waiting_bytes(speaker);

	if (bytes > RING_BYTES - at)
		bytes = RING_BYTES - at;
	bytes = send_piece(index, &speaker->ring[at], bytes < limit ? bytes : limit);
	/* release: the bytes were read before their place is free */
	atomic_store_explicit(&speaker->tail, tail + (uint32_t)bytes, memory_order_release);
	return bytes;
}

static uint32_t speakers_in_use(void)
{
	return atomic_load_explicit(&last_speaker, memory_order_relaxed) + 1;
}

static void next_turn(void)
{
	turn = (turn + 1) % speakers_in_use();
	turn_bytes = 0;
}

/*
 * Line by line in turn; nobody breaks into a line that goes on, unless it has no end. Returns what
 * is left of the budget; 0: also when the UART is full.
 */
static uint64_t drain_some(uint64_t budget)
{
	uint32_t empty = 0;

	while (empty < speakers_in_use() && budget > 0) {
		if (waiting_bytes(&speakers[turn]) == 0) {
			empty++;
			next_turn();
			continue;
		}
		uint64_t limit = TURN_BYTES - turn_bytes;
		uint64_t sent = drain_speaker(turn, limit < budget ? limit : budget);
		if (sent == 0)
			return 0;
		empty = 0;
		budget -= sent;
		turn_bytes += sent;
		if (at_line_start || turn_bytes >= TURN_BYTES)
			next_turn();
	}
	return budget;
}

/* All that a ring holds now, waiting for the UART; what comes meanwhile does not count. */
static void flush_speaker(uint32_t index)
{
	struct speaker *speaker = &speakers[index];
	uint32_t head = atomic_load_explicit(&speaker->head, memory_order_acquire);
	uint32_t left = waiting_bytes(speaker);

	while (left > 0 && left <= RING_BYTES) {
		(void)drain_speaker(index, left);
		left = head - atomic_load_explicit(&speaker->tail, memory_order_relaxed);
	}
}

static void flush_all(void)
{
	uint32_t first = turn;

	for (uint32_t i = 0; i < SPEAKERS_MAX; i++)
		flush_speaker((first + i) % SPEAKERS_MAX);
}

static bool try_take_uart(void)
{
	return !atomic_flag_test_and_set_explicit(&draining, memory_order_seq_cst);
}

/* seq_cst: before the look at the note that another may have left */
static void drop_uart(void)
{
	atomic_flag_clear_explicit(&draining, memory_order_seq_cst);
}

/* After a panic only the CPU that tells of it speaks. */
static bool is_silenced(void)
{
	return atomic_load_explicit(&seized, memory_order_acquire) &&
	       axvm_bare_this_cpu() != seizer;
}

/*
 * Whoever comes while another drains leaves a note, and does not wait. Nobody drains more than
 * DRAIN_BYTES, since they are others' bytes. True: there is more to do, see come_back.
 */
static bool drain(void)
{
	uint64_t budget = DRAIN_BYTES;

	if (atomic_load_explicit(&seized, memory_order_acquire)) {
		if (!is_silenced())
			flush_all();
		return false;
	}
	atomic_store_explicit(&drain_again, 1, memory_order_seq_cst);
	while (atomic_load_explicit(&drain_again, memory_order_seq_cst) != 0) {
		if (!try_take_uart())
			return false;
		atomic_store_explicit(&drain_again, 0, memory_order_seq_cst);
		budget = drain_some(budget);
		drop_uart();
		if (budget == 0)
			return true;
	}
	return false;
}

static void come_back(void);

static void time_has_come(struct axvm_timer *timer)
{
	(void)timer;
	if (drain())
		come_back();
}

/* This CPU goes on later; its timer is started by nobody else. Before there are timers: at once. */
static void come_back(void)
{
	if (!atomic_load_explicit(&has_timers, memory_order_acquire)) {
		axvm_console_finish();
		return;
	}
	struct axvm_timer *timer = &later[axvm_bare_this_cpu()->index];
	timer->expired = time_has_come;
	axvm_hal_timer_start(timer,
			     axvm_hal_time_ticks() + axvm_hal_time_hz() * LATER_US / 1000000 + 1);
}

/* At the ring's head, around its end; seen by the reader all at once. */
static void put(struct speaker *speaker, const char *data, uint32_t bytes)
{
	uint32_t head = atomic_load_explicit(&speaker->head, memory_order_relaxed);
	uint32_t at = head % RING_BYTES;
	uint32_t first = bytes < RING_BYTES - at ? bytes : RING_BYTES - at;

	memcpy(&speaker->ring[at], data, first);
	memcpy(speaker->ring, data + first, bytes - first);
	/* release: pairs with the acquire in waiting_bytes */
	atomic_store_explicit(&speaker->head, head + bytes, memory_order_release);
}

/* What fits into a ring goes there in one piece: a line is not torn where the ring is full. */
static void append(struct speaker *speaker, const char *data, uint64_t bytes)
{
	while (bytes > 0) {
		uint32_t piece = bytes < RING_BYTES ? (uint32_t)bytes : RING_BYTES;
		while (RING_BYTES - room_taken(speaker) < piece)
			(void)drain();
		put(speaker, data, piece);
		data += piece;
		bytes -= piece;
	}
}

static uint32_t speaker_of(const struct axvm_vm *vm)
{
	for (uint32_t i = 1; i < SPEAKERS_MAX; i++) {
		if (atomic_load_explicit(&speakers[i].vm, memory_order_relaxed) == vm)
			return i;
	}
	return 0;
}

void axvm_hal_console_write(struct axvm_vm *vm, const char *data, uint64_t bytes)
{
	uint32_t index = speaker_of(vm);

	if (uart == NULL || index == 0 || is_silenced())
		return;
	append(&speakers[index], data, bytes);
	if (drain())
		come_back();
}

void axvm_console_line(const char *text)
{
	bool locks = !atomic_load_explicit(&seized, memory_order_acquire);

	if (uart == NULL || is_silenced())
		return;
	if (locks) /* else its holder may never drop it */
		axvm_lock_take(&own_lock);
	append(&speakers[0], text, strlen(text));
	append(&speakers[0], "\r\n", 2);
	if (locks)
		axvm_lock_drop(&own_lock);
	if (drain())
		come_back();
}

void axvm_console_finish(void)
{
	if (uart == NULL)
		return;
	bool waits = !atomic_load_explicit(&seized, memory_order_acquire);

	while (waits && !try_take_uart())
		;
	flush_all();
	if (waits)
		drop_uart();
}

void axvm_console_seize(void)
{
	seizer = axvm_bare_this_cpu();
	atomic_store_explicit(&seized, true, memory_order_release);
}

void axvm_hal_log(enum axvm_log_level level, const char *text)
{
	static const char *const levels[] = { "error: ", "warning: ", "", "" };
	char line[256];
	struct axvm_text out = axvm_text(line, sizeof(line));

	if (level == AXVM_LOG_DEBUG)
		return;
	axvm_text_string(&out, levels[level]);
	axvm_text_string(&out, text);
	axvm_console_line(line);
}

void axvm_console_add_vm(struct axvm_vm *vm)
{
	uint32_t index = speaker_of(NULL);

	if (index == 0)
		return;
	/* VMs are added one at a time, and before they write. */
	if (index > atomic_load(&last_speaker))
		atomic_store(&last_speaker, index);
	atomic_store(&speakers[index].vm, vm);
	atomic_fetch_add(&vm_count, 1);
	if (atomic_load(&focus) == 0)
		atomic_store(&focus, index);
}

/* The VM with the lowest index after `index`, around the end; 0: none. */
static uint32_t next_speaker(uint32_t index)
{
	for (uint32_t step = 1; step < SPEAKERS_MAX; step++) {
		uint32_t at = 1 + (index + step - 1) % AXVM_VMS_MAX;
		if (atomic_load(&speakers[at].vm) != NULL)
			return at;
	}
	return 0;
}

void axvm_console_remove_vm(struct axvm_vm *vm)
{
	uint32_t index = speaker_of(vm);

	if (index == 0)
		return;
	while (!try_take_uart())
		;
	if (uart != NULL)
		flush_speaker(index);
	atomic_store(&speakers[index].vm, NULL);
	drop_uart();
	while (atomic_load(&input_busy) != 0)
		; /* it may have found the VM before */
	atomic_fetch_sub(&vm_count, 1);
	if (atomic_load(&focus) == index)
		atomic_store(&focus, next_speaker(index));
}

/* ---- input -------------------------------------------------------------------------------- */

static void say_focus(void)
{
	struct axvm_vm *vm = atomic_load(&speakers[atomic_load(&focus)].vm);
	char line[AXVM_NAME_BYTES + 32];
	struct axvm_text out = axvm_text(line, sizeof(line));

	axvm_text_string(&out, "console: ");
	axvm_text_string(&out, vm == NULL ? "no VM" : axvm_vm_name(vm));
	axvm_console_line(line);
}

static void focus_id(uint32_t id)
{
	for (uint32_t i = 1; i < SPEAKERS_MAX; i++) {
		struct axvm_vm *vm = atomic_load(&speakers[i].vm);
		if (vm != NULL && axvm_vm_id(vm) == id)
			atomic_store(&focus, i);
	}
	say_focus();
}

static void input_to_focus(char character)
{
	struct axvm_vm *vm = atomic_load(&speakers[atomic_load(&focus)].vm);

	if (vm != NULL)
		(void)axvm_vm_console_input(vm, &character, 1);
}

static void command(char character)
{
	if (character == ESCAPE) {
		input_to_focus(ESCAPE);
	} else if (character == 'n') {
		atomic_store(&focus, next_speaker(atomic_load(&focus)));
		say_focus();
	} else if (character >= '1' && character <= '9') {
		focus_id((uint32_t)(character - '0'));
	} else if (character == 'q') {
		axvm_console_line("ended from the console");
		axvm_vms_fail();
	} else {
		axvm_console_line("Ctrl-] n: next VM; Ctrl-] 1-9: VM by id; Ctrl-] q: power off; "
				  "Ctrl-] Ctrl-]: the key itself");
	}
}

static void received(uint32_t irq)
{
	static bool escaped;
	int character;

	(void)irq;
	atomic_store(&input_busy, 1);
	while ((character = uart->read()) >= 0) {
		if (escaped)
			command((char)character);
		else if (character != ESCAPE)
			input_to_focus((char)character);
		escaped = !escaped && character == ESCAPE;
	}
	atomic_store(&input_busy, 0);
}

static struct axvm_uart_place place;

static struct axvm_timer poll_timer;
static bool is_polled;

static bool take_firmware(void)
{
	place = (struct axvm_uart_place){ .irq = UINT32_MAX };
	uart = axvm_uart_firmware();
	return uart != NULL;
}

bool axvm_console_init(const void *fdt, bool by_firmware)
{
	if (by_firmware && take_firmware())
		return true;
	uart = axvm_uart_find(fdt, &place);
	if (uart == NULL)
		is_polled = take_firmware();
	return uart != NULL;
}

/* The firmware's console has no interrupt. */
static void poll(struct axvm_timer *timer)
{
	received(UINT32_MAX);
	axvm_hal_timer_start(timer, axvm_hal_time_ticks() + axvm_hal_time_hz() * POLL_MS / 1000);
}

void axvm_console_start_input(void)
{
	atomic_store_explicit(&has_timers, true, memory_order_release);
	if (uart != NULL && is_polled) {
		poll_timer.expired = poll;
		poll(&poll_timer);
	} else if (uart != NULL && place.irq != UINT32_MAX &&
		   axvm_bare_irq_attach(place.irq, place.edge, received)) {
		uart->enable_receive();
	}
}

bool axvm_console_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	return place.bytes != 0 &&
	       axvm_ranges_overlap(hpa.addr, bytes, axvm_align_down(place.hpa, AXVM_PAGE_BYTES),
				   AXVM_PAGE_BYTES);
}
