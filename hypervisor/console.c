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
#define ESCAPE 0x1d /* Ctrl-] */

/* One writer at a time (the VM's device lock, or own_lock), one reader (who holds `draining`). */
struct speaker {
	struct axvm_vm *_Atomic vm; /* NULL: free; the hypervisor's is speakers[0] */
	_Atomic uint32_t head;	    /* bytes ever written */
	_Atomic uint32_t tail;	    /* bytes ever sent */
	char ring[RING_BYTES];
};

static struct speaker speakers[SPEAKERS_MAX];
static struct axvm_lock own_lock = {.rank = AXVM_LOCK_LEAF};
static const struct axvm_uart *uart;
static atomic_flag draining = ATOMIC_FLAG_INIT;
static _Atomic uint32_t drain_again;
static _Atomic uint32_t vm_count;
static _Atomic uint32_t focus; /* index of a speaker; 0: nobody */

/* The reader's: whose line the cursor stands in, and whether at its start. */
static uint32_t line_owner;
static bool at_line_start = true;

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
		send(name, strnlen(name, AXVM_NAME_BYTES));
		send("] ", 2);
	}
}

/* Up to the end of the line; returns how many bytes that is. */
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
	send(data, piece);
	at_line_start = data[piece - 1] == '\n';
	return piece;
}

static bool drain_speaker(uint32_t index)
{
	struct speaker *speaker = &speakers[index];
	uint32_t tail = atomic_load_explicit(&speaker->tail, memory_order_relaxed);
	/* acquire: pairs with the release in append, whose bytes are now visible */
	uint32_t head = atomic_load_explicit(&speaker->head, memory_order_acquire);

	if (head == tail)
		return false;
	uint32_t at = tail % RING_BYTES;
	uint32_t bytes = head - tail;
	if (bytes > RING_BYTES - at)
		bytes = RING_BYTES - at;
	bytes = (uint32_t)send_piece(index, &speaker->ring[at], bytes);
	/* release: the bytes were read before their place is free */
	atomic_store_explicit(&speaker->tail, tail + bytes, memory_order_release);
	return true;
}

static void drain_all(void)
{
	bool any;

	do {
		any = false;
		for (uint32_t i = 0; i <= AXVM_VMS_MAX; i++)
			any |= drain_speaker(i);
	} while (any);
}

/* Whoever comes while another drains leaves a note, and does not wait. */
static void drain(void)
{
	atomic_store_explicit(&drain_again, 1, memory_order_seq_cst);
	while (atomic_load_explicit(&drain_again, memory_order_seq_cst) != 0) {
		if (atomic_flag_test_and_set_explicit(&draining, memory_order_acquire))
			return;
		atomic_store_explicit(&drain_again, 0, memory_order_seq_cst);
		drain_all();
		atomic_flag_clear_explicit(&draining, memory_order_release);
	}
}

static void append(struct speaker *speaker, const char *data, uint64_t bytes)
{
	while (bytes > 0) {
		uint32_t head = atomic_load_explicit(&speaker->head, memory_order_relaxed);
		uint32_t tail = atomic_load_explicit(&speaker->tail, memory_order_acquire);
		uint32_t room = RING_BYTES - (head - tail);
		uint32_t at = head % RING_BYTES;
		uint32_t piece = bytes < room ? (uint32_t)bytes : room;
		if (piece > RING_BYTES - at)
			piece = RING_BYTES - at;
		memcpy(&speaker->ring[at], data, piece);
		/* release: pairs with the acquire in drain_speaker */
		atomic_store_explicit(&speaker->head, head + piece, memory_order_release);
		data += piece;
		bytes -= piece;
		if (bytes > 0)
			drain();
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

	if (uart == NULL || index == 0)
		return;
	append(&speakers[index], data, bytes);
	drain();
}

void axvm_console_line(const char *text)
{
	if (uart == NULL)
		return;
	axvm_lock_take(&own_lock);
	append(&speakers[0], text, strlen(text));
	append(&speakers[0], "\r\n", 2);
	axvm_lock_drop(&own_lock);
	drain();
}

void axvm_console_finish(void)
{
	if (uart == NULL)
		return;
	while (atomic_flag_test_and_set_explicit(&draining, memory_order_acquire))
		;
	drain_all();
	atomic_flag_clear_explicit(&draining, memory_order_release);
}

void axvm_console_seize(void)
{
	axvm_lock_init(&own_lock, AXVM_LOCK_LEAF);
	atomic_flag_clear(&draining);
}

void axvm_hal_log(enum axvm_log_level level, const char *text)
{
	static const char *const levels[] = {"error: ", "warning: ", "", ""};
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
	axvm_console_finish();
	atomic_store(&speakers[index].vm, NULL);
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
	while ((character = uart->read()) >= 0) {
		if (escaped)
			command((char)character);
		else if (character != ESCAPE)
			input_to_focus((char)character);
		escaped = !escaped && character == ESCAPE;
	}
}

static struct axvm_uart_place place;

bool axvm_console_init(const void *fdt)
{
	uart = axvm_uart_find(fdt, &place);
	return uart != NULL;
}

void axvm_console_start_input(void)
{
	if (uart != NULL && axvm_bare_irq_attach(place.irq, place.edge, received))
		uart->enable_receive();
}

bool axvm_console_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	return uart != NULL &&
	       axvm_ranges_overlap(hpa.addr, bytes, axvm_align_down(place.hpa, AXVM_PAGE_BYTES),
				   AXVM_PAGE_BYTES);
}
