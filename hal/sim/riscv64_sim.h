/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated machine has of riscv64 (<axvm/hal_riscv64.h>). Reset by axvm_sim_reset. */
#ifndef AXVM_RISCV64_SIM_H
#define AXVM_RISCV64_SIM_H

#include <axvm/hal_riscv64.h>

/*
 * The harts; by default rv64imafdc with Sstc and Zicbom, no V, no AIA, a PLIC, Sv57. Before axvm_vm_create,
 * or whatever asks first.
 */
void axvm_sim_riscv64_set_host(const struct axvm_riscv64_host *host);
struct axvm_riscv64_host axvm_sim_riscv64_default_host(void);

/* ---- accesses on the guest's behalf ------------------------------------------------------------ */

/* What every fetch finds from now on: an instruction, or (not NULL) a trap. At first: an illegal one. */
void axvm_sim_riscv64_set_fetch(uint32_t instruction, const struct axvm_riscv64_trap *trap);
/* The same of loads. At first: 0. */
void axvm_sim_riscv64_set_load(uint64_t value, const struct axvm_riscv64_trap *trap);
/* How often each was done, and the last address. */
uint64_t axvm_sim_riscv64_fetches(void);
uint64_t axvm_sim_riscv64_loads(void);
uint64_t axvm_sim_riscv64_last_address(void);

/* ---- what the library asked for --------------------------------------------------------------- */

struct axvm_sim_riscv64_fence {
	const struct axvm_vcpu *vcpu;
	uint64_t cpu_mask;
	enum axvm_riscv64_fence kind;
	uint64_t start;
	uint64_t bytes;
	uint64_t asid;
};
/* All fences since the reset, and the n-th of them; only the first 256 are kept. */
uint64_t axvm_sim_riscv64_fence_count(void);
struct axvm_sim_riscv64_fence axvm_sim_riscv64_fence(uint64_t index);

/* How often vstimecmp was set, and to what last. */
uint64_t axvm_sim_riscv64_vstimecmp_count(void);
uint64_t axvm_sim_riscv64_vstimecmp(void);

/* What the harts' counters read: cycle (0) and instret (1). At first 0. */
void axvm_sim_riscv64_set_counter(unsigned which, uint64_t value);

/* How often an interrupt of the host below 1024 was completed. */
uint64_t axvm_sim_riscv64_completions(uint32_t host_irq);

/* ---- guest interrupt files ----------------------------------------------------------------------- */

/* Files of each hart are host.guest_files, at most 8. Their pages begin here, 8 for each hart. */
#define AXVM_SIM_RISCV64_FILES 0x28000000ULL

/* The vCPU that has the file, or NULL. */
const struct axvm_vcpu *axvm_sim_riscv64_file_owner(uint32_t cpu, uint32_t file);
uint32_t axvm_sim_riscv64_files_in_use(void);
/* Whether `eiid` below 2048 was set in the file since it was given. */
bool axvm_sim_riscv64_file_has(uint32_t cpu, uint32_t file, uint32_t eiid);
uint64_t axvm_sim_riscv64_file_stores(void);
/* What brings the pending bits of a file, 32 words, into the vCPU and back; at first nothing does. */
void axvm_sim_riscv64_move_files(void (*stored)(struct axvm_vcpu *vcpu, const uint64_t *pending),
				 void (*loaded)(struct axvm_vcpu *vcpu, uint64_t *pending));
uint64_t axvm_sim_riscv64_file_loads(void);

/* Whether axvm_hal_riscv64_irq_route can; at first not. */
void axvm_sim_riscv64_allow_routes(bool allowed);
struct axvm_sim_riscv64_route {
	uint32_t cpu;
	uint32_t file;
	uint32_t eiid; /* 0: none */
};
struct axvm_sim_riscv64_route axvm_sim_riscv64_route(uint32_t host_irq);

#endif
