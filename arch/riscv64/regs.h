/* SPDX-License-Identifier: Apache-2.0 */
/* CSRs: how HS mode's must stand for what this directory assumes, and the answers to what traps. */
#ifndef AXVM_RISCV64_REGS_H
#define AXVM_RISCV64_REGS_H

#include "arch.h"
#include "isa.h"

/* Exception causes [RISCV-PRIV 10.1.8, RISCV-H 18.6.1]. */
#define AXVM_RISCV64_CAUSE_FETCH_MISALIGNED 0u
#define AXVM_RISCV64_CAUSE_FETCH_ACCESS 1u
#define AXVM_RISCV64_CAUSE_ILLEGAL 2u
#define AXVM_RISCV64_CAUSE_BREAKPOINT 3u
#define AXVM_RISCV64_CAUSE_LOAD_MISALIGNED 4u
#define AXVM_RISCV64_CAUSE_LOAD_ACCESS 5u
#define AXVM_RISCV64_CAUSE_STORE_MISALIGNED 6u
#define AXVM_RISCV64_CAUSE_STORE_ACCESS 7u
#define AXVM_RISCV64_CAUSE_ECALL_U 8u
#define AXVM_RISCV64_CAUSE_ECALL_VS 10u
#define AXVM_RISCV64_CAUSE_FETCH_PAGE 12u
#define AXVM_RISCV64_CAUSE_LOAD_PAGE 13u
#define AXVM_RISCV64_CAUSE_STORE_PAGE 15u
#define AXVM_RISCV64_CAUSE_FETCH_GUEST_PAGE 20u
#define AXVM_RISCV64_CAUSE_LOAD_GUEST_PAGE 21u
#define AXVM_RISCV64_CAUSE_VIRTUAL_INSTRUCTION 22u
#define AXVM_RISCV64_CAUSE_STORE_GUEST_PAGE 23u

/* sstatus and vsstatus. */
#define AXVM_RISCV64_STATUS_SIE ((uint64_t)1 << 1)
#define AXVM_RISCV64_STATUS_SPIE ((uint64_t)1 << 5)
#define AXVM_RISCV64_STATUS_SPP ((uint64_t)1 << 8)
#define AXVM_RISCV64_STATUS_VS ((uint64_t)3 << 9)
#define AXVM_RISCV64_STATUS_FS ((uint64_t)3 << 13)
#define AXVM_RISCV64_STATUS_SUM ((uint64_t)1 << 18)
#define AXVM_RISCV64_STATUS_MXR ((uint64_t)1 << 19)
#define AXVM_RISCV64_STATUS_UXL64 ((uint64_t)2 << 32)
#define AXVM_RISCV64_FS_INITIAL ((uint64_t)1 << 13)
#define AXVM_RISCV64_VS_INITIAL ((uint64_t)1 << 9)

/* hstatus [RISCV-H 18.2.1]. */
#define AXVM_RISCV64_HSTATUS_GVA ((uint64_t)1 << 6)
#define AXVM_RISCV64_HSTATUS_SPV ((uint64_t)1 << 7)
#define AXVM_RISCV64_HSTATUS_SPVP ((uint64_t)1 << 8)
#define AXVM_RISCV64_HSTATUS_VGEIN_SHIFT 12
#define AXVM_RISCV64_HSTATUS_VTW ((uint64_t)1 << 21)
#define AXVM_RISCV64_HSTATUS_VSXL64 ((uint64_t)2 << 32)

/*
 * hedeleg: what the guest takes itself, so that its own faults never exit: misaligned fetch, illegal
 * instruction, breakpoint, misaligned load and store, ECALL from U, the three page faults. Access faults
 * are the host's business, and go in by injection.
 */
#define AXVM_RISCV64_HEDELEG 0xb15dULL
/* hideleg: VSSI, VSTI, VSEI. */
#define AXVM_RISCV64_HIDELEG (AXVM_RISCV64_VSSI | AXVM_RISCV64_VSTI | AXVM_RISCV64_VSEI)
/* hcounteren: time; cycle and instret trap, so that a guest counts itself alone. */
#define AXVM_RISCV64_HCOUNTEREN 0x2ULL

/* hstateen0 [Smstateen 2.1]. */
#define AXVM_RISCV64_HSTATEEN_IMSIC ((uint64_t)1 << 58)
#define AXVM_RISCV64_HSTATEEN_AIA ((uint64_t)1 << 59)
#define AXVM_RISCV64_HSTATEEN_CSRIND ((uint64_t)1 << 60)
#define AXVM_RISCV64_HSTATEEN_ENVCFG ((uint64_t)1 << 62)
#define AXVM_RISCV64_HSTATEEN_SE0 ((uint64_t)1 << 63)

/* A virtual-instruction exception (stval has the instruction, or 0): answered, or injected. */
enum axvm_verdict axvm_riscv64_virtual_instruction(struct axvm_vcpu *vcpu, uint64_t instruction);

/* vcpu->arch.sys as at power-on; of the timer and of the interrupts it says nothing. Not in the CPU. */
void axvm_riscv64_sysregs_reset(struct axvm_vcpu *vcpu);

/* The vCPU with this hart id, or NULL. */
struct axvm_vcpu *axvm_riscv64_vcpu_by_hart(struct axvm_vm *vm, uint64_t hart);

/* General register by number: x0 reads as 0. */
static inline uint64_t axvm_riscv64_get_x(const struct axvm_vcpu *vcpu, unsigned index)
{
	return vcpu->arch.x[index & 31];
}

/* Registers that the way back into the guest does not load unless it is told to: x3, x8, x9, x18 to x27. */
#define AXVM_RISCV64_KEPT 0x0ffc0308u

/* Returns what the exit must say. */
static inline enum axvm_verdict axvm_riscv64_set_x(struct axvm_vcpu *vcpu, unsigned index,
						   uint64_t value)
{
	if (index == 0)
		return AXVM_ENTER;
	vcpu->arch.x[index & 31] = value;
	return (enum axvm_verdict)(AXVM_RISCV64_KEPT >> (index & 31) & 1);
}

#endif
