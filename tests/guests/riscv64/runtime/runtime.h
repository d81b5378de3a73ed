/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The riscv64 guests' machine: S mode, Sv39, SBI, a PLIC or an APLIC with or without IMSICs. The same
 * image runs on QEMU's own `virt` machine, which is the oracle, and in a VM.
 */
#ifndef GUEST_RISCV64_RUNTIME_H
#define GUEST_RISCV64_RUNTIME_H

#include "machine.h"
#include "offsets.h"

#define GUEST_EARLY_UART 0x10000000
#define GUEST_NOWHERE 0x18000000ull
#define GUEST_DEVICES 0x0c000000ull
#define GUEST_DEVICES_END 0x10200000ull
#define GUEST_ALREADY_ON SBI_ERR_ALREADY_AVAILABLE
#define GUEST_STARTING SBI_ERR_INVALID_PARAM /* OpenSBI's answer while it starts */
#define GUEST_NO_CPU SBI_ERR_INVALID_PARAM
#define GUEST_NO_CPU_ID 0x00ff0f07ull
#define GUEST_FP_RESET 0xffffffff00000000ull /* 0.0f */
#define GUEST_FP_BYTES (33 * 8)

/* ---- CPU ------------------------------------------------------------------------------ */

/* By name or by number, as clang does not know the names of all. */
#define READ_CSR(name)                                                 \
	__extension__({                                                \
		uint64_t csr_value;                                    \
		__asm__ volatile("csrr %0, " #name : "=r"(csr_value)); \
		csr_value;                                             \
	})
#define WRITE_CSR(name, value) \
	__asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define SET_CSR(name, bits) \
	__asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define CLEAR_CSR(name, bits) \
	__asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define SSTATUS_SIE (1ull << 1)
#define SSTATUS_SPIE (1ull << 5)
#define SSTATUS_SPP (1ull << 8)
#define SSTATUS_VS (3ull << 9)
#define SSTATUS_FS (3ull << 13)
#define SSTATUS_SUM (1ull << 18)
#define SSTATUS_MXR (1ull << 19)
#define IRQ_BIT_SOFTWARE (1ull << 1)
#define IRQ_BIT_TIMER (1ull << 5)
#define IRQ_BIT_EXTERNAL (1ull << 9)

#define CAUSE_FETCH_MISALIGNED 0u
#define CAUSE_FETCH_ACCESS 1u
#define CAUSE_ILLEGAL 2u
#define CAUSE_BREAKPOINT 3u
#define CAUSE_LOAD_MISALIGNED 4u
#define CAUSE_LOAD_ACCESS 5u
#define CAUSE_STORE_MISALIGNED 6u
#define CAUSE_STORE_ACCESS 7u
#define CAUSE_ECALL_U 8u
#define CAUSE_FETCH_PAGE 12u
#define CAUSE_LOAD_PAGE 13u
#define CAUSE_STORE_PAGE 15u

struct guest_frame {
	uint64_t x[32]; /* x[0] is not used */
	uint64_t pc;
	uint64_t status;
};
_Static_assert(sizeof(struct guest_frame) == FRAME_BYTES, "vectors.S");
_Static_assert(offsetof(struct guest_cpu, stack) == CPU_STACK, "start.S");
_Static_assert(offsetof(struct guest_cpu, arrived) == CPU_ARRIVED, "start.S");

static inline void guest_irq_enable(void)
{
	SET_CSR(sstatus, SSTATUS_SIE);
}

static inline void guest_irq_disable(void)
{
	CLEAR_CSR(sstatus, SSTATUS_SIE);
}

static inline void guest_wfi(void)
{
	__asm__ volatile("fence\n\twfi" ::: "memory");
}

static inline void guest_barrier(void)
{
	__asm__ volatile("fence" ::: "memory");
}

/* Whether the device tree's riscv,isa has it: a letter, or a name in lower case. */
bool guest_isa_has(const char *extension);

/* ---- interrupts ------------------------------------------------------------------------ */

/*
 * What on_irq is called with: scause's numbers, and the PLIC's sources from 0x1000 on. Of other controllers it
 * gets the 9 of the external interrupt.
 */
#define GUEST_IRQ_IPI 1u
#define GUEST_IRQ_TIMER 5u
#define GUEST_IRQ_EXTERNAL 0x1000u

#define GUEST_TIMER_1 sbi
#define GUEST_TIMER_2 sstc

/* stimecmp by its number. */
#define CSR_STIMECMP 0x14d

/* The PLIC [PLIC 3]: registers at these offsets of plic.base. */
#define PLIC_PRIORITY 0u
#define PLIC_PENDING 0x1000u
#define PLIC_ENABLE 0x2000u
#define PLIC_ENABLE_CONTEXT 0x80u
#define PLIC_THRESHOLD 0x200000u
#define PLIC_CLAIM 0x200004u
#define PLIC_CONTEXT 0x1000u

struct guest_plic {
	uint64_t base; /* 0: the machine has none */
	uint64_t bytes;
	uint32_t sources;			 /* riscv,ndev */
	uint32_t context_of_cpu[GUEST_CPUS_MAX]; /* S mode's, by guest_cpu.index */
};
extern struct guest_plic guest_plic;

void guest_plic_priority(uint32_t source, uint32_t priority);
void guest_plic_enable(uint32_t cpu, uint32_t source, bool on);
void guest_plic_threshold(uint32_t cpu, uint32_t threshold);
bool guest_plic_is_pending(uint32_t source);
uint32_t guest_plic_claim(uint32_t cpu);
void guest_plic_complete(uint32_t cpu, uint32_t source);

/* The APLIC and the IMSICs of S mode [AIA 3, 4]. */
struct guest_aia {
	uint64_t aplic; /* 0: the machine has none */
	uint32_t sources;
	uint64_t imsic;	     /* the first hart's file; 0: the APLIC delivers itself */
	uint64_t file_bytes; /* between two harts' */
	uint32_t ids;
	uint32_t target[GUEST_CPUS_MAX]; /* hart index, by guest_cpu.index */
};
extern struct guest_aia guest_aia;
#define GUEST_APLIC_SETIPNUM 0x1cdcu
#define GUEST_APLIC_EDGE 4u
#define GUEST_APLIC_LEVEL 6u

/* All sources off; then this CPU takes interrupts, none of which is enabled. Nobody does it at boot. */
void guest_aia_start(void);
void guest_aia_start_cpu(void);
/* This CPU's registers behind siselect and sireg. */
void guest_aia_write(uint32_t select, uint64_t value);
uint64_t guest_aia_read(uint32_t select);
/* Where MSIs to a CPU are written. */
uint64_t guest_aia_file(uint32_t cpu);
/* Of this CPU's file. */
void guest_aia_enable_id(uint32_t id, bool on);
/* A source, with its own number as identity where it becomes an MSI; mode 0: off. */
void guest_aia_route(uint32_t source, uint32_t cpu, uint32_t mode);

/*
 * For on_irq, which gets 9 of these controllers: calls `each` with GUEST_IRQ_EXTERNAL plus the number of
 * each interrupt that it claims. False: `irq` is another.
 */
bool guest_aia_took(uint32_t irq, void (*each)(uint32_t irq));

/* By whichever controller the machine has: a level source to this CPU. */
void guest_external_enable(uint32_t source);
void guest_external_disable(uint32_t source);

/* ---- memory ---------------------------------------------------------------------------- */

#define GUEST_LOAD(name, type, instruction)                                                        \
	static inline type name(uint64_t address)                                                  \
	{                                                                                          \
		uint64_t value = 0;                                                                \
		__asm__ volatile(instruction " %0, (%1)" : "+r"(value) : "r"(address) : "memory"); \
		return (type)value;                                                                \
	}
#define GUEST_STORE(name, type, instruction)                                                  \
	static inline void name(uint64_t address, type value)                                 \
	{                                                                                     \
		__asm__ volatile(instruction " %0, (%1)" ::"r"((uint64_t)value), "r"(address) \
				 : "memory");                                                 \
	}
GUEST_LOAD(guest_read8, uint8_t, "lbu")
GUEST_LOAD(guest_read16, uint16_t, "lhu")
GUEST_LOAD(guest_read32, uint32_t, "lwu")
GUEST_LOAD(guest_read64, uint64_t, "ld")
GUEST_STORE(guest_write8, uint8_t, "sb")
GUEST_STORE(guest_write16, uint16_t, "sh")
GUEST_STORE(guest_write32, uint32_t, "sw")
GUEST_STORE(guest_write64, uint64_t, "sd")

/* Table entries [RISCV-PRIV 12.4]. */
#define PTE_V 1ull
#define PTE_R 2ull
#define PTE_W 4ull
#define PTE_X 8ull
#define PTE_U 16ull
#define PTE_A 64ull
#define PTE_D 128ull
#define PTE_LEAF (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)
#define PTE_OF(physical) ((uint64_t)(physical) >> 12 << 10)
#define SATP_SV39 (8ull << 60)

/* The upper half's last GiB; the lower half is mapped to what it names, 256 GiB. */
#define GUEST_WINDOW 0xffffffffc0000000ull
extern uint64_t guest_root[512]; /* 1 GiB per entry */

/* ---- SBI ------------------------------------------------------------------------------- */

struct guest_sbi {
	int64_t error;
	uint64_t value;
};

#define SBI_BASE 0x10u
#define SBI_TIME 0x54494d45u
#define SBI_IPI 0x735049u
#define SBI_RFENCE 0x52464e43u
#define SBI_HSM 0x48534du
#define SBI_SRST 0x53525354u
#define SBI_DBCN 0x4442434eu
#define SBI_PMU 0x504d55u
#define SBI_SUSP 0x53555350u
#define SBI_HSM_START 0u
#define SBI_HSM_STOP 1u
#define SBI_HSM_STATUS 2u
#define SBI_HSM_SUSPEND 3u
#define SBI_SUCCESS 0
#define SBI_ERR_FAILED (-1)
#define SBI_ERR_NOT_SUPPORTED (-2)
#define SBI_ERR_INVALID_PARAM (-3)
#define SBI_ERR_DENIED (-4)
#define SBI_ERR_INVALID_ADDRESS (-5)
#define SBI_ERR_ALREADY_AVAILABLE (-6)
#define SBI_HART_STARTED 0
#define SBI_HART_STOPPED 1
#define SBI_HART_START_PENDING 2

struct guest_sbi guest_sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
			   uint64_t a2);
struct guest_sbi guest_sbi6(uint64_t extension, uint64_t function, const uint64_t arguments[6]);

#endif
