/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HAL for tests on a host: memory with exact accounting, time that stands
 * still until it is advanced, failures on demand, and a record of all that the
 * library asked for. One machine per process; every test begins with
 * axvm_sim_reset.
 */
#ifndef AXVM_SIM_H
#define AXVM_SIM_H

#include <axvm/hal.h>

struct axvm_sim_machine {
	uint64_t ram_base; /* HPA, page aligned */
	uint64_t ram_bytes;
	uint32_t cpu_count;
	uint64_t time_hz;
	struct axvm_hal_caps caps; /* what axvm_hal_probe answers; format NULL: the ISA's first */
	const char *unsupported;   /* not NULL: axvm_hal_probe fails with this sentence */
};

/* 2 GiB at 0x40000000, 4 CPUs, 62.5 MHz, 40 bits in and out, 256 VMIDs, 4 list registers. */
struct axvm_sim_machine axvm_sim_default_machine(void);

/* A new machine: all pages free, time 0, no timer, logs and counters empty. NULL: the default. */
void axvm_sim_reset(const struct axvm_sim_machine *machine);

/* ---- memory -------------------------------------------------------------------------- */

uint64_t axvm_sim_used_pages(void);	  /* allocated and claimed */
uint64_t axvm_sim_allocation_count(void); /* successful axvm_hal_alloc_pages since the reset */

/* `count` more axvm_hal_alloc_pages succeed, the one after them fails, later ones succeed. */
void axvm_sim_fail_allocation_after(uint64_t count);
#define AXVM_SIM_NEVER UINT64_MAX /* for the above: no failure */
/* Whether that failure has happened. */
bool axvm_sim_has_failed_allocation(void);

/* Memory of the platform (reserved regions): mappable, never allocated, may be passed through. */
void axvm_sim_reserve(struct axvm_hpa hpa, uint64_t bytes);
/* A device range outside of RAM that no guest may have (the interrupt controller). */
void axvm_sim_forbid(struct axvm_hpa hpa, uint64_t bytes);

/* Bytes now mapped with axvm_hal_map and not unmapped. */
uint64_t axvm_sim_mapped_bytes(void);
/* Bytes given to axvm_hal_cache_clean since the reset. */
uint64_t axvm_sim_cleaned_bytes(void);
/* The same of axvm_hal_cache_push. */
uint64_t axvm_sim_pushed_bytes(void);

/* ---- interrupts that VMs have ----------------------------------------------------------- */

/* An interrupt of the host's own: no VM gets it. */
void axvm_sim_keep_irq(uint32_t host_irq);
/* The VM that has it, or NULL; and how many are attached. */
const struct axvm_vm *axvm_sim_irq_owner(uint32_t host_irq);
uint32_t axvm_sim_attached_irqs(void);

/* ---- CPUs and time --------------------------------------------------------------------- */

/* Which CPU the calling thread is. */
void axvm_sim_set_cpu(uint32_t cpu);

uint64_t axvm_sim_kick_count(uint32_t cpu);
uint64_t axvm_sim_wake_count(const struct axvm_vcpu *vcpu);

/* Lets time pass, running each timer that becomes due at its deadline, in order. */
void axvm_sim_advance(uint64_t ticks);
/* Sets the clock without running timers; never backwards while a timer is armed. */
void axvm_sim_set_ticks(uint64_t ticks);
uint32_t axvm_sim_armed_timers(void);

/* Locks that the calling thread holds now. Order and balance are checked at each. */
uint32_t axvm_sim_held_locks(void);

/* ---- logs ------------------------------------------------------------------------------ */

/* All lines since the reset, each "<level>: text\n"; cut at 64 KiB. */
const char *axvm_sim_log(void);
uint32_t axvm_sim_log_count(enum axvm_log_level level);
/* What a guest wrote to its console since the reset, with a final NUL; cut at 16 KiB. */
const char *axvm_sim_console(const struct axvm_vm *vm);

/* ---- invalidation ----------------------------------------------------------------------- */

struct axvm_sim_flush {
	const struct axvm_aspace *aspace;
	uint32_t vmid;
	uint64_t gpa;
	uint64_t bytes; /* 0: the whole VMID */
};

/* All axvm_hal_tlb_flush since the reset, and the n-th of them; only the first 4096 are kept. */
uint64_t axvm_sim_flush_count(void);
struct axvm_sim_flush axvm_sim_flush(uint64_t index);

/* Called as things happen, for tests that model what the hardware would see. Members may be NULL. */
struct axvm_sim_observer {
	void (*flushed)(const struct axvm_sim_flush *flush);
	void (*freed)(struct axvm_hpa hpa, uint64_t pages); /* before their contents are lost */
	/* An entry of a linked second-stage table is about to change; level 0 is the root's. */
	void (*stored)(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint32_t level,
		       uint64_t before, uint64_t after);
};
void axvm_sim_observe(struct axvm_sim_observer observer); /* until the reset */

#endif
