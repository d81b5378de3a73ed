/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library needs from whoever owns the machine. Two groups: the
 * *kernel* group a kernel's author writes; the *machine* group ships as
 * hal/bare/<isa> for kernels at the virtualisation level of the CPU.
 *
 * Unless said otherwise a function may be called on any CPU, with locks of the
 * library held, must not block and must not call back into the library.
 */
#ifndef AXVM_HAL_H
#define AXVM_HAL_H

#include <axvm/aspace.h>
#include <axvm/error.h>
#include <axvm/types.h>
#include <axvm/vcpu.h>

/* ---- kernel: memory ------------------------------------------------------------------ */

/*
 * Contiguous host pages, contents undefined, the first aligned to `align_bytes`
 * (a power of two, at least a page). AXVM_ENOMEM.
 */
AXVM_MUST_USE int axvm_hal_alloc_pages(uint64_t pages, uint64_t align_bytes, struct axvm_hpa *hpa);
void axvm_hal_free_pages(struct axvm_hpa hpa, uint64_t pages);

/*
 * Takes exactly these free RAM pages out of the allocator (identical memory);
 * given back with axvm_hal_free_pages. AXVM_EBUSY: a part is in use or not RAM.
 */
AXVM_MUST_USE int axvm_hal_claim_pages(struct axvm_hpa hpa, uint64_t pages);

/* Whether a guest may be given this host range as a device or reserved memory: not RAM in the
 * allocator, not the hypervisor's, not its interrupt controller's. */
bool axvm_hal_may_pass_through(struct axvm_hpa hpa, uint64_t bytes);

/*
 * Gives a VM an interrupt of the host: the guest's number is the host's. Each that arrives is
 * brought to the library (aarch64: axvm_aarch64_physical_spi of arch/aarch64/exit.h), active at the
 * host until the guest deactivates it. AXVM_EPERM: the host uses it itself. AXVM_EBUSY: a VM has it.
 * AXVM_EINVAL: the host has no such shared interrupt. No lock held.
 */
AXVM_MUST_USE int axvm_hal_irq_attach(struct axvm_vm *vm, uint32_t host_irq);
/* Takes it back, disabled and not active; no CPU is bringing one in any more. No lock held. */
void axvm_hal_irq_detach(struct axvm_vm *vm, uint32_t host_irq);

/* Host virtual address of host RAM, valid until unmap. Never NULL for allocated or claimed pages. */
void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes);
void axvm_hal_unmap(void *address, uint64_t bytes);

/* Makes what was written visible to a guest with caches off and to instruction fetches. */
void axvm_hal_cache_clean(void *address, uint64_t bytes);

/* Makes data that was written visible to a guest that reads it uncached. In the exit path. */
void axvm_hal_cache_push(const void *address, uint64_t bytes);

/* ---- kernel: CPUs, time, log ---------------------------------------------------------- */

uint32_t axvm_hal_cpu_id(void); /* index of this CPU, below AXVM_CPUS_MAX */
/* Makes `cpu` come out of a guest it may be in, now or at its next entry. */
void axvm_hal_cpu_kick(uint32_t cpu);

/* Lets a halted vCPU run again: it has work. Idempotent, no lost wake-ups (see axvm_vcpu_has_work). */
void axvm_hal_vcpu_wake(struct axvm_vcpu *vcpu);

/* The monotonic counter that guests see (before their offset), and its frequency. */
uint64_t axvm_hal_time_ticks(void);
uint64_t axvm_hal_time_hz(void);

/*
 * One-shot timers. The callback runs once, with no lock held, on any CPU, at or
 * after the deadline. `start` replaces an earlier deadline. After `stop` has
 * returned the callback neither runs nor will.
 */
struct axvm_timer {
	uint64_t deadline_ticks;
	void (*expired)(struct axvm_timer *timer);
	struct axvm_timer *next; /* the HAL's */
	uint32_t cpu;		 /* the HAL's */
	uint32_t armed;		 /* the HAL's */
};
void axvm_hal_timer_start(struct axvm_timer *timer, uint64_t deadline_ticks);
void axvm_hal_timer_stop(struct axvm_timer *timer);

enum axvm_log_level { AXVM_LOG_ERROR, AXVM_LOG_WARNING, AXVM_LOG_INFO, AXVM_LOG_DEBUG };
void axvm_hal_log(enum axvm_log_level level, const char *text); /* one line, no newline */

/* An invariant of the library is broken. Does not return. */
_Noreturn void axvm_hal_panic(const char *file, int line, const char *what);

/* Bytes that a guest's console sent. In the exit path: buffer, do not wait. */
void axvm_hal_console_write(struct axvm_vm *vm, const char *data, uint64_t bytes);

/* Randomness for guests' seeds; false: the machine has none. */
bool axvm_hal_random(void *buffer, uint64_t bytes);

/* ---- machine: the CPU's virtualisation ------------------------------------------------- */

struct axvm_hal_caps {
	uint32_t ipa_bits; /* guest-physical address width that tables may use */
	uint32_t pa_bits;
	uint32_t vmid_count; /* VMIDs 1 to vmid_count - 1 are usable; 0 or 1: the CPU has none */
	uint32_t list_registers; /* hardware slots for virtual interrupts */
	const struct axvm_pte_format *format;
};
/* AXVM_EUNSUPPORTED with `why` set: the CPU lacks what is needed. Called once, before the rest. */
AXVM_MUST_USE int axvm_hal_probe(struct axvm_hal_caps *caps, const char **why);

/* Loads, and stores back, the vCPU's system registers; on its CPU, once each in turn. */
void axvm_hal_vcpu_bind(struct axvm_vcpu *vcpu);
void axvm_hal_vcpu_unbind(struct axvm_vcpu *vcpu);

/*
 * Enters the guest. Each exit calls axvm_arch_exit_* of the ISA (src/arch.h) and
 * enters again while that says so. Bound, on this CPU.
 */
void axvm_hal_vcpu_enter(struct axvm_vcpu *vcpu);

/*
 * Copies the guest's EL1, VS or VMCB register state out of the hardware into vcpu->arch, and back,
 * between bind and unbind: for what must look at or change it there (injected exceptions). Slow.
 */
void axvm_hal_sysreg_sync(struct axvm_vcpu *vcpu);
void axvm_hal_sysreg_flush(struct axvm_vcpu *vcpu);

/* Copies the hardware's virtual-interrupt state into vcpu->arch, and what changed there back. */
void axvm_hal_irq_sync(struct axvm_vcpu *vcpu);
void axvm_hal_irq_flush(struct axvm_vcpu *vcpu);

/* Drops the translations of a range (bytes 0: of the whole VMID) on every CPU before it returns. */
void axvm_hal_tlb_flush(const struct axvm_aspace *aspace, struct axvm_gpa gpa, uint64_t bytes);

#endif
