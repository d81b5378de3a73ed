/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as every ISA's runtime shows it, so that a test that is not about an ISA is one source.
 * Included by the ISA's runtime.h, which brings what is declared inline here and the constants:
 *
 *   GUEST_IRQ_TIMER, GUEST_IRQ_IPI  what on_irq is called with
 *   GUEST_WINDOW                    virtual address of the GiB that shows any physical one
 *   GUEST_TIMER_1, GUEST_TIMER_2    names of the timers that guest_timers describes
 *   GUEST_NOWHERE                   16 MiB below 4 GiB where the machine has nothing
 *   GUEST_DEVICES, _END             where most of its devices are
 *   GUEST_ALREADY_ON, GUEST_STARTING, GUEST_NO_CPU  what guest_firmware_start() says
 *   GUEST_NO_CPU_ID                 an id that no CPU has
 *   GUEST_FP_RESET                  what the firmware may leave in each 8 bytes of an FP register
 *   GUEST_FP_BYTES                  what guest_fp_store() writes
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include "guest.h"

#define GUEST_GIB (1ull << 30)

/* ---- the machine of the device tree ---------------------------------------------------- */

struct guest_machine {
	uint64_t ram_base;
	uint64_t ram_bytes;
	uint64_t uart;
	uint32_t uart_irq; /* as the controller counts */
	uint32_t cpu_count;
	uint64_t cpu_id[GUEST_CPUS_MAX]; /* MPIDR's affinity, hart id; the first CPU's first */
	const char *cmdline;
};
extern struct guest_machine guest_machine;

/* ---- CPUs ------------------------------------------------------------------------------ */

/* What a probed instruction met. */
struct guest_fault {
	uint64_t count;	  /* synchronous exceptions since guest_probe_begin() */
	uint64_t cause;	  /* of the last one: ESR_EL1, scause */
	uint64_t address; /* FAR_EL1, stval */
	uint64_t pc;
};

enum guest_fault_kind {
	GUEST_FAULT_NONE,
	GUEST_FAULT_UNDEFINED, /* or illegal */
	GUEST_FAULT_FETCH,     /* no memory answers, or a table on the way to it */
	GUEST_FAULT_DATA,
	GUEST_FAULT_OTHER,
};
enum guest_fault_kind guest_fault_kind(struct guest_fault fault);
/* FETCH or DATA: whether it was an access that nobody answers, and not a guest's own table. */
bool guest_fault_is_external(struct guest_fault fault);
/* Whether it is of this kind, because nobody answers on the way through the tables. */
bool guest_fault_is_walk(struct guest_fault fault, enum guest_fault_kind kind);

struct guest_cpu {
	uint64_t stack;
	uint64_t arrived[3]; /* its own id, and what else the ISA's start code found */
	uint64_t index;
	uint64_t id;
	bool probing;
	struct guest_fault fault;
	void (*on_irq)(uint32_t irq);
	void (*run)(void *argument);
	void *argument;
	uint32_t done; /* set with release order when run has returned */
};

extern struct guest_cpu guest_cpus[GUEST_CPUS_MAX];
uint32_t guest_cpu_count(void);
struct guest_cpu *guest_this_cpu(void);

/* Starts a CPU that is off with run(argument); it switches itself off when that returns. 0, or what
   the firmware says. */
int64_t guest_cpu_start(uint32_t index, void (*run)(void *argument), void *argument);
/* What the firmware says of it. */
bool guest_cpu_is_off(uint32_t index);
/* Entry point of guest_cpu_start, for tests that start CPUs themselves; argument: its guest_cpu. */
void guest_other_cpu_entry(void);
/* Waits, up to some seconds, until run has returned and the CPU is off. */
bool guest_cpu_wait_off(uint32_t index);
/* The shortest call of the firmware that there is; its version, above 0. */
int64_t guest_firmware_version(void);
/* Gives this CPU up until an interrupt is pending, masked or not. 0, or what the firmware says. */
int64_t guest_firmware_suspend(void);
/* A CPU by its id, entered at `entry` with `argument`; what the firmware says. */
int64_t guest_firmware_start(uint64_t id, uint64_t entry, uint64_t argument);

/* ---- probing --------------------------------------------------------------------------- */

/*
 * Between begin and end a synchronous exception on this CPU is noted and its instruction skipped; a
 * failed instruction fetch, and any exception outside the image, returns to the caller instead.
 * end() gives what was noted.
 */
void guest_probe_begin(void);
struct guest_fault guest_probe_end(void);
/* The statement between the two: `struct guest_fault fault = PROBE(guest_read32(address));` */
#define PROBE(...)                   \
	__extension__({              \
		guest_probe_begin(); \
		__VA_ARGS__;         \
		guest_probe_end();   \
	})

/* ---- interrupts and time ---------------------------------------------------------------- */

/*
 * The one interrupt between CPUs that tests use, of this CPU. on_irq is called with GUEST_IRQ_IPI once
 * it is no longer pending.
 */
void guest_ipi_enable(void);
void guest_ipi_disable(void);
void guest_ipi_send(uint32_t index);
/* Takes back one that is pending at this CPU. */
void guest_ipi_clear(void);

uint64_t guest_ticks(void);
uint64_t guest_hz(void);
uint64_t guest_us(uint64_t us); /* in ticks */

struct guest_timer {
	uint32_t irq;
	bool (*is_there)(void);
	uint64_t (*count)(void);
	/* In ticks of count(); a deadline in the past is due at once. */
	void (*set)(uint64_t deadline);
	void (*off)(void);
	void (*irq_enable)(void);
	void (*irq_disable)(void);
};
/* The first is there always and is what guest_sleep() uses. */
extern const struct guest_timer guest_timers[2];

/* By WFI and the first timer, whose interrupt is enabled; on_irq must quiet it. Interrupts end enabled. */
void guest_sleep(uint64_t us);
/* Spins until *flag is not 0, at most so long; whether it is. */
bool guest_wait(const uint32_t *flag, uint64_t us);
bool guest_wait_for(const uint32_t *counter, uint32_t at_least, uint64_t us);

/* ---- memory ----------------------------------------------------------------------------- */

enum guest_attribute { GUEST_DEVICE = 0, GUEST_NORMAL = 1, GUEST_UNCACHED = 2 };
#define GUEST_ATTRIBUTES 3u
/* Maps the GiB at physical address `gib * 1 GiB` at GUEST_WINDOW, executable. */
void guest_window(uint64_t gib, enum guest_attribute attribute);
/* The same by a table of 512 entries, wherever that is. */
void guest_window_table(uint64_t table);
/* Table entries: for the next table, and for a page or block. */
uint64_t guest_entry_table(uint64_t table);
uint64_t guest_entry_page(uint64_t physical);
/* Makes entries that were not valid before seen. */
void guest_tables_written(void);
void guest_tlb_flush(void);
/* Physical addresses of device registers that may be read and written, at most `max` of them. */
uint32_t guest_device_places(uint64_t *places, uint32_t max);
/* Physical address bits that a table entry can have. */
uint32_t guest_pa_bits(void);
/* Makes code that was written visible to fetches. */
void guest_sync_code(void *code, size_t bytes);
/* Writes a function to `code`, at most 16 bytes, that returns `value`, below 2048. */
void guest_write_function(uint32_t *code, uint32_t value);

/* ---- what the ISA's file of a guest supplies to the shared one -------------------------------- */

/* fp.c: the FP registers and their control registers; a state that depends on `seed` alone. */
void guest_fp_store(void *state);
void guest_fp_load(const void *state);
void guest_fp_pattern(void *state, uint64_t seed);

/* hostile_mmio.c: loads and stores, `kind` is below GUEST_ACCESS_KINDS and 0 to 3 are 1 to 8 bytes. */
#define GUEST_ACCESS_KINDS 6u
void guest_access_read(uint64_t at, uint32_t kind);
void guest_access_write(uint64_t at, uint32_t kind, uint64_t value);
/* Whether QEMU's own machine stays whole when something wild is written there. */
bool guest_access_is_harmless(uint64_t address);

/* spin.c: leaves the VM in one way of many. */
void guest_leave_once(uint64_t turn);
/* What it needs before; on every CPU. */
void guest_leave_prepare(void);

#endif
