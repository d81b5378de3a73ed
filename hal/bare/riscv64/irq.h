/* SPDX-License-Identifier: Apache-2.0 */
/* The host's interrupt controllers: what the rest of hal/bare/riscv64 calls, and what each one gives. */
#ifndef AXVM_BARE_IRQ_H
#define AXVM_BARE_IRQ_H

#include <axvm/hal_riscv64.h>

#include "bare.h"

/* ---- for the rest; with interrupts masked, on the CPU itself unless said otherwise ---------------- */

/* This CPU's part of the controller; after axvm_bare_irq_init. */
void axvm_bare_irq_cpu_init(struct axvm_cpu *cpu);
/* sip.SEIP is pending: takes what waits. Bounded; what is left pends. */
void axvm_bare_irq_external(struct axvm_cpu *cpu);
/* sip.SGEIP is pending: guest interrupt files of vCPUs that are not bound have something. */
void axvm_bare_irq_guest_external(struct axvm_cpu *cpu);
/* An interrupt at that CPU, which may do nothing else. From any CPU; cheap where there is an IMSIC. */
void axvm_bare_irq_kick(struct axvm_cpu *cpu);

/* After bind has set hstatus: VGEIN is the vCPU's file's, which does not signal while it is bound. */
void axvm_bare_guest_file_bound(struct axvm_vcpu *vcpu);
/* The vCPU is not in the hardware any more: its file signals from now on. */
void axvm_bare_guest_file_unbound(struct axvm_vcpu *vcpu);

/* For axvm_hal_probe; after axvm_bare_irq_cpu_init of this CPU. */
enum axvm_riscv64_controller axvm_bare_irq_controller(void);
/* Of this CPU; 0: none, or too small for what guests are promised. */
uint32_t axvm_bare_guest_files(void);

/* ---- a controller of wired interrupts ------------------------------------------------------------- */

#define AXVM_IRQ_NONE UINT32_MAX

/* `irq` is one of its sources, and open where it says nothing else. */
struct axvm_irq_chip {
	enum axvm_riscv64_controller controller;
	/* Beyond the last source that can be used. */
	uint32_t (*limit)(void);
	void (*cpu_init)(struct axvm_cpu *cpu);
	/* The next that waits on this CPU, which has it until `complete`; 0: none that is wired, look
	   again; AXVM_IRQ_NONE. */
	uint32_t (*claim)(struct axvm_cpu *cpu);
	void (*open)(uint32_t irq, bool edge, uint32_t cpu);
	/* Not open any more, and not held back from the next who opens it. */
	void (*close)(uint32_t irq);
	/* The next one goes to `cpu`. While it is not claimed, or before its VM knows that it is. */
	void (*route)(uint32_t irq, uint32_t cpu);
	/* Any CPU, in the exit path. */
	void (*complete)(uint32_t irq);
};

/* NULL with a sentence. `node`: of the controller. `fdt` stays. */
const struct axvm_irq_chip *axvm_bare_plic_init(const void *fdt, int node, const char **why);
/* Direct mode; `imsic` is not negative: MSI mode, after axvm_bare_imsic_init. */
const struct axvm_irq_chip *axvm_bare_aplic_init(const void *fdt, int node, bool msi,
						 const char **why);

/* APLIC in MSI mode alone: the interrupt goes to the CPU's guest interrupt file; eiid 0: back. */
void axvm_bare_aplic_route(uint32_t irq, uint32_t cpu, uint32_t file, uint32_t eiid);

/* ---- imsic.c ---------------------------------------------------------------------------------------- */

#define AXVM_EIID_KICK 1u
#define AXVM_EIID_WIRED 1u /* a wired source's is this plus its own number */

bool axvm_bare_imsic_init(const void *fdt, int node, const char **why);
void axvm_bare_imsic_cpu_init(struct axvm_cpu *cpu);
/* The best one that pends in this CPU's file, which it is no longer; 0: none. */
uint32_t axvm_bare_imsic_claim(void);
/* AXVM_EIID_KICK at that CPU; nothing before its cpu_init. Any CPU. */
void axvm_bare_imsic_kick(const struct axvm_cpu *cpu);
/* After a kick: another CPU may wait for what one of this CPU's guest interrupt files holds. */
void axvm_bare_imsic_serve(const struct axvm_cpu *cpu);
/* Numbers are 1 to this. */
uint32_t axvm_bare_imsic_ids(void);
/* As an APLIC's target has it. UINT32_MAX: the CPU has no file. */
uint32_t axvm_bare_imsic_index(uint32_t cpu);
/* Whether the CPU has that guest interrupt file. */
bool axvm_bare_imsic_has_file(uint32_t cpu, uint32_t file);
bool axvm_bare_imsic_owns(struct axvm_hpa hpa, uint64_t bytes);

#endif
