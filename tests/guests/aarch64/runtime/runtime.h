/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The aarch64 guests' machine: EL1, identity mapped with caches on, GICv3 by system registers,
 * PSCI by HVC. The same image runs on QEMU's own `virt` machine, which is the oracle, and in a VM.
 */
#ifndef GUEST_AARCH64_RUNTIME_H
#define GUEST_AARCH64_RUNTIME_H

#include "machine.h"
#include "offsets.h"

#define GUEST_EARLY_UART 0x09000000
#define GUEST_NOWHERE 0x0c000000ull
#define GUEST_DEVICES 0x08000000ull
#define GUEST_DEVICES_END 0x0a200000ull
#define GUEST_ALREADY_ON PSCI_ALREADY_ON
#define GUEST_STARTING PSCI_ON_PENDING
#define GUEST_NO_CPU PSCI_INVALID_PARAMETERS
#define GUEST_NO_CPU_ID 0x00ff0f07ull
#define GUEST_FP_RESET 0
#define GUEST_FP_BYTES (32 * 16 + 16)

/* ---- CPU ------------------------------------------------------------------------------ */

#define READ_SYSREG(name)                                                \
	__extension__({                                                  \
		uint64_t sysreg_value;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(sysreg_value)); \
		sysreg_value;                                            \
	})
/* With the barrier that makes it take effect. */
#define WRITE_SYSREG(name, value) \
	__asm__ volatile("msr " #name ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

struct guest_frame {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
	uint64_t unused;
};
_Static_assert(sizeof(struct guest_frame) == FRAME_BYTES, "vectors.S");

_Static_assert(offsetof(struct guest_cpu, stack) == CPU_STACK, "start.S");

static inline void guest_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

static inline void guest_irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

static inline void guest_wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

static inline void guest_barrier(void)
{
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

/* ---- probing -------------------------------------------------------------------------- */

static inline uint32_t guest_fault_class(struct guest_fault fault)
{
	return (uint32_t)(fault.cause >> 26) & 0x3f;
}
#define EC_UNKNOWN 0x00u
#define EC_INSTRUCTION_ABORT 0x21u
#define EC_PC_ALIGNMENT 0x22u
#define EC_DATA_ABORT 0x25u
/* Fault status codes. */
#define FSC_SYNC_EXTERNAL 0x10u
#define FSC_ALIGNMENT 0x21u

/* ---- memory --------------------------------------------------------------------------- */

static inline uint8_t guest_read8(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return (uint8_t)value;
}

static inline uint16_t guest_read16(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return (uint16_t)value;
}

static inline uint32_t guest_read32(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline uint64_t guest_read64(uint64_t address)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void guest_write8(uint64_t address, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" ::"r"((uint32_t)value), "r"(address) : "memory");
}

static inline void guest_write16(uint64_t address, uint16_t value)
{
	__asm__ volatile("strh %w0, [%1]" ::"r"((uint32_t)value), "r"(address) : "memory");
}

static inline void guest_write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

static inline void guest_write64(uint64_t address, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" ::"r"(value), "r"(address) : "memory");
}

#define GUEST_VA_BITS 39u
/* The last GiB of the virtual addresses shows any other. */
#define GUEST_WINDOW (511 * GUEST_GIB)
extern uint64_t guest_level1[512]; /* the table of TTBR0_EL1: 1 GiB per entry */

/* ---- PSCI ----------------------------------------------------------------------------- */

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2 0xc4000012u
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INVALID_ADDRESS (-9)

int64_t guest_hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
int64_t guest_smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

/* ---- interrupts ------------------------------------------------------------------------ */

/* What on_irq is called with: INTIDs. */
#define GUEST_IRQ_IPI 3u
#define GUEST_IRQ_TIMER PPI_VIRTUAL_TIMER

#define GUEST_TIMER_1 virtual
#define GUEST_TIMER_2 physical

/* ---- GICv3 ---------------------------------------------------------------------------- */

#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IIDR 0x0008u
#define GICD_IGROUPR 0x0080u
#define GICD_ISENABLER 0x0100u
#define GICD_ICENABLER 0x0180u
#define GICD_ISPENDR 0x0200u
#define GICD_ICPENDR 0x0280u
#define GICD_ISACTIVER 0x0300u
#define GICD_ICACTIVER 0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ICFGR 0x0c00u
#define GICD_IROUTER 0x6000u
#define GICD_PIDR2 0xffe8u
#define GICR_WAKER 0x0014u
#define GICR_TYPER 0x0008u
#define GICR_SGI 0x10000u
#define INTID_SPURIOUS 1023u
#define PPI_VIRTUAL_TIMER 27u
#define PPI_PHYSICAL_TIMER 30u

struct guest_gic {
	uint64_t distributor;
	uint64_t redistributors;
	uint64_t redistributors_bytes;
	uint64_t redistributor[GUEST_CPUS_MAX];
};
extern struct guest_gic guest_gic;
/* This CPU's. */
uint64_t guest_gic_redistributor(void);

void guest_gic_start_distributor(void);
void guest_gic_start_cpu(void);
/* SGIs and PPIs: of this CPU. */
void guest_gic_enable(uint32_t intid);
void guest_gic_disable(uint32_t intid);
void guest_gic_set_priority(uint32_t intid, uint8_t priority);
void guest_gic_set_edge(uint32_t intid, bool edge);
void guest_gic_set_pending(uint32_t intid);
void guest_gic_clear_pending(uint32_t intid);
bool guest_gic_is_pending(uint32_t intid);
bool guest_gic_is_active(uint32_t intid);
void guest_gic_set_active(uint32_t intid);
void guest_gic_clear_active(uint32_t intid);
void guest_gic_route(uint32_t spi, uint64_t mpidr);
void guest_gic_priority_mask(uint8_t mask);
/* Ending an interrupt only drops the priority: the handler deactivates. */
void guest_gic_eoi_split(bool split);
void guest_gic_deactivate(uint32_t intid);
/* To the CPUs with the same affinity 3, 2, 1 as the target, bit n of targets: affinity 0 is n. */
void guest_gic_send(uint64_t mpidr, uint32_t targets, uint32_t sgi);
void guest_gic_send_self(uint32_t sgi);
void guest_gic_send_others(uint32_t sgi);

#endif
