/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the hypervisor (hypervisor/, no ISA) and the CPU it runs on
 * (hal/bare/<isa>): what is privileged but not the library's business.
 */
#ifndef AXVM_BARE_H
#define AXVM_BARE_H

#include <axvm/hal.h>

#include "arch.h"

/* One per physical CPU. The library's CPU ids index them. */
struct axvm_cpu {
	uint32_t index;
	_Atomic bool online;
	uint64_t hardware_id;	   /* as the firmware and the interrupt controller name it */
	struct axvm_vcpu *vcpu;	   /* bound here, or NULL */
	struct axvm_timer *timers; /* sorted by deadline, under timers_lock */
	struct axvm_lock timers_lock;
	struct axvm_timer *running_timer; /* its callback is running */
	uint64_t interrupt_frame;	  /* ISA: redistributor, PLIC context, ... */
	uint64_t stack_top;
};

extern struct axvm_cpu axvm_cpus[AXVM_CPUS_MAX];
extern uint32_t axvm_cpu_count_present;

/* Given by the ISA ------------------------------------------------------------------------ */

struct axvm_cpu *axvm_bare_this_cpu(void);
void axvm_bare_set_this_cpu(struct axvm_cpu *cpu);

/* The virtualisation level and CPU features. False with a sentence. First of all. */
bool axvm_bare_check(const char **why);

/* The hypervisor's own map: W^X, guard pages. Needs axvm_hal_alloc_pages. */
AXVM_MUST_USE int axvm_bare_mmu_init(struct axvm_hpa image);
/* Switches to the own map. */
void axvm_bare_mmu_switch(void);
/* From the image's first byte to the end of its .bss. */
uint64_t axvm_bare_image_bytes(void);
/* Adds RAM to the direct map (not executable); `image` pages are left out. */
AXVM_MUST_USE int axvm_bare_map_ram(struct axvm_hpa hpa, uint64_t bytes);
/* Adds device registers; NULL when there is no memory for tables. Idempotent. */
void *axvm_bare_map_device(struct axvm_hpa hpa, uint64_t bytes);
/* Makes the stack of a CPU, with a guard page; returns its top, 0: no memory. */
uint64_t axvm_bare_make_stack(uint32_t cpu);
/* Goes on with `function` on that stack, for good. */
_Noreturn void axvm_bare_go_on(uint64_t stack_top, void (*function)(void));
/* Whether guests can run on this CPU as on CPU 0, which asks first. */
bool axvm_bare_cpu_is_like_first(struct axvm_cpu *cpu);
/* This CPU: trap controls, own vectors, timer, CPU interface. */
void axvm_bare_cpu_init(struct axvm_cpu *cpu);

/* Interrupt controller from the host's device tree. False with a sentence. */
bool axvm_bare_irq_init(const void *fdt, const char **why);
/* Calls `handler` for a shared interrupt, on CPU 0. One handler each. False: out of range. */
bool axvm_bare_irq_attach(uint32_t irq, bool edge, void (*handler)(uint32_t irq));
/* The controller's registers: never given to a guest. */
bool axvm_bare_irq_owns(struct axvm_hpa hpa, uint64_t bytes);
/* An interrupt number from a device tree's `interrupts` cells. */
uint32_t axvm_bare_irq_from_fdt(const uint32_t *cells, uint32_t count, bool *edge);

/* Starts CPU `index` at axvm_hypervisor_secondary(cpu). Negative: the firmware's error. */
int axvm_bare_cpu_start(struct axvm_cpu *cpu);
/* Finds the CPUs and how to start them. False with a sentence. */
bool axvm_bare_cpus_init(const void *fdt, const char **why);

/* Whether the vCPU must give up its CPU when it waits; from its next bind on. */
void axvm_bare_vcpu_set_shared(struct axvm_vcpu *vcpu, bool shared);
/* Waits for an interrupt, then takes those that are pending. Called without a vCPU. */
void axvm_bare_idle(void);
/* Programs this CPU's one-shot hypervisor timer; UINT64_MAX: off. */
void axvm_bare_timer_program(uint64_t deadline_ticks);

/*
 * The firmware's console, where it has one that works without the machine's UART being known. As
 * struct axvm_uart has them: how many bytes it took without waiting; the next byte, or -1.
 */
bool axvm_bare_has_firmware_console(void);
uint64_t axvm_bare_firmware_write(const char *data, uint64_t bytes);
int axvm_bare_firmware_read(void);

/* End the machine by its firmware. At any time, also at a level that the image cannot run at. */
_Noreturn void axvm_bare_power_off(void);
_Noreturn void axvm_bare_reset(void);
_Noreturn void axvm_bare_stop_cpu(void);

/* Given by the hypervisor to the ISA ------------------------------------------------------- */

void axvm_hypervisor_main(uint64_t dtb_hpa, uint64_t image_hpa);
void axvm_hypervisor_secondary(struct axvm_cpu *cpu);
/* The hypervisor timer of this CPU fired. */
void axvm_timer_interrupt(struct axvm_cpu *cpu);
/* An exception inside the hypervisor. Does not return. */
_Noreturn void axvm_panic_exception(const char *what, const uint64_t *registers, uint32_t count,
				    uint64_t pc, uint64_t syndrome, uint64_t address);

#endif
