/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSRs as pairs of inline functions: read_hgatp(), write_hgatp(v). By number, since assemblers do not
 * know the names of all of them; try_read_ and try_write_ for those that a hart may not have.
 */
#ifndef AXVM_BARE_CSR_H
#define AXVM_BARE_CSR_H

#include <stdbool.h>
#include <stdint.h>

#define AXVM_CSR_READ(name, number)                                  \
	static inline uint64_t read_##name(void)                     \
	{                                                            \
		uint64_t value;                                      \
		__asm__ volatile("csrr %0, " #number : "=r"(value)); \
		return value;                                        \
	}
#define AXVM_CSR_WRITE(name, number)                                                 \
	static inline void write_##name(uint64_t value)                              \
	{                                                                            \
		__asm__ volatile("csrw " #number ", %0" : : "rK"(value) : "memory"); \
	}
#define AXVM_CSR(name, number)      \
	AXVM_CSR_READ(name, number) \
	AXVM_CSR_WRITE(name, number)

/* Bits set and cleared at once. */
#define AXVM_CSR_BITS(name, number)                                                 \
	static inline void set_##name(uint64_t bits)                                \
	{                                                                           \
		__asm__ volatile("csrs " #number ", %0" : : "rK"(bits) : "memory"); \
	}                                                                           \
	static inline void clear_##name(uint64_t bits)                              \
	{                                                                           \
		__asm__ volatile("csrc " #number ", %0" : : "rK"(bits) : "memory"); \
	}

/* One instruction that may trap: it then goes on after it, and `trapped` stays. No vCPU is bound. */
#define AXVM_CSR_TRY(instruction, operand)                                   \
	uint64_t vectors;                                                    \
	uint64_t trapped = 1;                                                \
	__asm__ volatile("lla %0, 1f\n\tcsrrw %0, stvec, %0\n\t" instruction \
			 "\n\tli %1, 0\n\t.balign 4\n1:\tcsrw stvec, %0"     \
			 : "=&r"(vectors), "+&r"(trapped), operand           \
			 :                                                   \
			 : "memory")
/* False: the hart has no such CSR, or the firmware keeps it. */
#define AXVM_CSR_TRY_READ(name, number)                           \
	static inline bool try_read_##name(uint64_t *value)       \
	{                                                         \
		uint64_t result = 0;                              \
		AXVM_CSR_TRY("csrr %2, " #number, "+&r"(result)); \
		*value = result;                                  \
		return trapped == 0;                              \
	}

AXVM_CSR(sstatus, 0x100)
AXVM_CSR(sie, 0x104)
AXVM_CSR(stvec, 0x105)
AXVM_CSR(scounteren, 0x106)
AXVM_CSR(senvcfg, 0x10a)
AXVM_CSR(sstateen0, 0x10c)
AXVM_CSR(sscratch, 0x140)
AXVM_CSR(sepc, 0x141)
AXVM_CSR_READ(scause, 0x142)
AXVM_CSR_READ(stval, 0x143)
AXVM_CSR(sip, 0x144)
AXVM_CSR_WRITE(stimecmp, 0x14d)
AXVM_CSR(siselect, 0x150)
AXVM_CSR(sireg, 0x151)
AXVM_CSR(satp, 0x180)
AXVM_CSR(vsstatus, 0x200)
AXVM_CSR(vstvec, 0x205)
AXVM_CSR(vsscratch, 0x240)
AXVM_CSR(vsepc, 0x241)
AXVM_CSR(vscause, 0x242)
AXVM_CSR(vstval, 0x243)
AXVM_CSR(vstimecmp, 0x24d)
AXVM_CSR(vsiselect, 0x250)
AXVM_CSR(vsireg, 0x251)
AXVM_CSR_BITS(vsireg, 0x251)
AXVM_CSR(vsatp, 0x280)
AXVM_CSR(hstatus, 0x600)
AXVM_CSR_BITS(hstatus, 0x600)
AXVM_CSR(hedeleg, 0x602)
AXVM_CSR(hideleg, 0x603)
AXVM_CSR(hie, 0x604)
AXVM_CSR(htimedelta, 0x605)
AXVM_CSR(hcounteren, 0x606)
AXVM_CSR(hgeie, 0x607)
AXVM_CSR_BITS(hgeie, 0x607)
AXVM_CSR(henvcfg, 0x60a)
AXVM_CSR(hstateen0, 0x60c)
AXVM_CSR_READ(htval, 0x643)
AXVM_CSR_READ(hip, 0x644)
AXVM_CSR(hvictl, 0x609)
AXVM_CSR(hvip, 0x645)
AXVM_CSR(hviprio1, 0x646)
AXVM_CSR(hviprio2, 0x647)
AXVM_CSR_READ(htinst, 0x64a)
AXVM_CSR(hgatp, 0x680)
AXVM_CSR_READ(time, 0xc01)
AXVM_CSR_READ(cycle, 0xc00)
AXVM_CSR_READ(instret, 0xc02)
AXVM_CSR_READ(vlenb, 0xc22)
AXVM_CSR_READ(hgeip, 0xe12)

AXVM_CSR_TRY_READ(senvcfg, 0x10a)
AXVM_CSR_TRY_READ(sstateen0, 0x10c)
AXVM_CSR_TRY_READ(stimecmp, 0x14d)
AXVM_CSR_TRY_READ(vsiselect, 0x250)
AXVM_CSR_TRY_READ(henvcfg, 0x60a)
AXVM_CSR_TRY_READ(hstateen0, 0x60c)
AXVM_CSR_TRY_READ(hgatp, 0x680)
AXVM_CSR_TRY_READ(cycle, 0xc00)
AXVM_CSR_TRY_READ(time, 0xc01)
AXVM_CSR_TRY_READ(instret, 0xc02)

/* sie, sip and the causes of interrupts [RISCV-PRIV 10.1.3, RISCV-H 18.2.3]. */
#define AXVM_IRQ_SOFTWARE 1u
#define AXVM_IRQ_TIMER 5u
#define AXVM_IRQ_EXTERNAL 9u
#define AXVM_IRQ_GUEST_EXTERNAL 12u

/* The best interrupt of this hart's own file, which it is no longer pending in: claimed [AIA 3.10]. */
static inline uint64_t claim_stopei(void)
{
	uint64_t value = 0;

	__asm__ volatile("csrrw %0, 0x15c, %0" : "+r"(value) : : "memory");
	return value;
}

static inline void clear_sip(uint64_t bits)
{
	__asm__ volatile("csrc 0x144, %0" : : "r"(bits) : "memory");
}

static inline void axvm_sfence_vma_all(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

/* [RISCV-H 18.3.2]: of the VMID in hgatp, all addresses and address spaces. */
static inline void axvm_hfence_vvma_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" : : : "memory");
}

static inline void axvm_hfence_vvma_page(uint64_t va)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, x0" : : "r"(va) : "memory");
}

static inline void axvm_hfence_vvma_asid(uint64_t asid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, %0" : : "r"(asid) : "memory");
}

static inline void axvm_hfence_vvma_page_asid(uint64_t va, uint64_t asid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, %1" : : "r"(va), "r"(asid) : "memory");
}

static inline void axvm_hfence_gvma_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");
}

static inline void axvm_hfence_gvma_vmid(uint64_t vmid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" : : "r"(vmid) : "memory");
}

/* The instruction takes the address without its two lowest bits. */
static inline void axvm_hfence_gvma_page(uint64_t gpa, uint64_t vmid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, %1"
			 :
			 : "r"(gpa >> 2), "r"(vmid)
			 : "memory");
}

static inline void axvm_fence_i(void)
{
	__asm__ volatile("fence.i" : : : "memory");
}

static inline void axvm_fence(void)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

/* Memory before registers: what was stored is seen by who is told by an MMIO store. */
static inline void axvm_fence_to_device(void)
{
	__asm__ volatile("fence w, o" : : : "memory");
}

static inline void axvm_wfi(void)
{
	__asm__ volatile("fence iorw, iorw\n\twfi" : : : "memory");
}

#endif
