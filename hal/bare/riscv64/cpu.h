/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of hal/bare/riscv64 share. */
#ifndef AXVM_BARE_CPU_H
#define AXVM_BARE_CPU_H

#include <axvm/hal_riscv64.h>

#include "bare.h"

/* host.c: what the harts have beside struct axvm_riscv64_host; constant from axvm_bare_cpus_init on. */
struct axvm_bare_features {
	bool has_fp;	   /* F and D */
	bool has_senvcfg;  /* and henvcfg */
	bool has_stateen;  /* hstateen0 and sstateen0 */
	bool has_indirect; /* vsiselect, hviprio1 and hviprio2 */
	bool has_svpbmt;
	bool has_zicbom;
	bool has_cycle; /* the CSRs, in S mode */
	bool has_instret;
};
extern struct axvm_bare_features axvm_bare_features;

/* string.S: bytes that memset may clear by CBO.ZERO; 0: it does not. */
extern uint64_t axvm_bare_zero_block;

/* Reads them; the CPUs' hart ids are known. False with a sentence. The tree stays. */
bool axvm_bare_host_init(const void *fdt, const char **why);
/* Whether a node is a CPU that may be used, and its hart id. */
bool axvm_bare_is_cpu(const void *fdt, int node, uint64_t *hart);

/* mmu.c: satp of the own map. */
uint64_t axvm_bare_satp(void);
/* Nothing that this hart has translated for guests before is used; before its first bind. */
void axvm_bare_mmu_cpu_init(void);
/* The CPUs that are on, this one not: bit n is CPU n. */
uint64_t axvm_bare_other_cpus(void);

/* switch.c: hgatp.MODE of all VMs, and how many VMIDs there are; before the first bind. */
void axvm_bare_gstage_init(uint32_t mode, uint32_t vmid_count);
/* The VMID that its translations have; 0 where the harts know none. */
uint32_t axvm_bare_vmid(const struct axvm_aspace *aspace);

/* vectors.S */
enum axvm_verdict axvm_bare_exit_irq(struct axvm_vcpu *vcpu);
_Noreturn void axvm_bare_own_exception(const uint64_t *frame);
void axvm_bare_fp_save(struct axvm_riscv64_fp *fp);
void axvm_bare_fp_load(const struct axvm_riscv64_fp *fp);
void axvm_bare_vector_save(struct axvm_riscv64_vector *vector);
void axvm_bare_vector_load(const struct axvm_riscv64_vector *vector);

#endif
