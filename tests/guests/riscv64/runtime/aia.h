/* SPDX-License-Identifier: Apache-2.0 */
/*
 * APLIC and IMSIC [AIA 3, 4] where QEMU's `virt` machine has them: a page of the IMSIC for each hart, hart
 * index and hart id are one.
 */
#ifndef GUEST_RISCV64_AIA_H
#define GUEST_RISCV64_AIA_H

#include "runtime.h"

#define APLIC 0x0d000000ull
#define APLIC_BYTES 0x8000ull
#define IMSIC 0x28000000ull
#define IMSIC_PAGE 0x1000ull

#define APLIC_DOMAINCFG (APLIC + 0x0000)
#define APLIC_SOURCECFG(source) (APLIC + 4ull * (source))
#define APLIC_SETIP(word) (APLIC + 0x1c00 + 4ull * (word))
#define APLIC_SETIPNUM (APLIC + 0x1cdc)
#define APLIC_IN_CLRIP(word) (APLIC + 0x1d00 + 4ull * (word))
#define APLIC_CLRIPNUM (APLIC + 0x1ddc)
#define APLIC_SETIE(word) (APLIC + 0x1e00 + 4ull * (word))
#define APLIC_SETIENUM (APLIC + 0x1edc)
#define APLIC_CLRIENUM (APLIC + 0x1fdc)
#define APLIC_SETIPNUM_LE (APLIC + 0x2000)
#define APLIC_GENMSI (APLIC + 0x3000)
#define APLIC_TARGET(source) (APLIC + 0x3000 + 4ull * (source))
#define APLIC_IDELIVERY(hart) (APLIC + 0x4000 + 32ull * (hart))
#define APLIC_IFORCE(hart) (APLIC_IDELIVERY(hart) + 0x04)
#define APLIC_ITHRESHOLD(hart) (APLIC_IDELIVERY(hart) + 0x08)
#define APLIC_TOPI(hart) (APLIC_IDELIVERY(hart) + 0x18)
#define APLIC_CLAIMI(hart) (APLIC_IDELIVERY(hart) + 0x1c)

#define APLIC_IE 0x100u
#define APLIC_DM 0x4u
#define APLIC_INACTIVE 0u
#define APLIC_DETACHED 1u
#define APLIC_LEVEL1 6u
#define APLIC_SOURCES 1024u /* at most */

#define UART_IER (guest_machine.uart + 1)
#define UART_IIR (guest_machine.uart + 2)
#define UART_THRE_INTERRUPT 2u

#define CSR_SISELECT 0x150
#define CSR_SIREG 0x151
#define CSR_STOPEI 0x15c
#define CSR_STOPI 0xdb0
#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP 0x80u
#define EIE 0xc0u
#define EI_NUMBERS 256u

static inline uint64_t ei_read(uint64_t select)
{
	WRITE_CSR(0x150, select);
	return READ_CSR(0x151);
}

static inline void ei_write(uint64_t select, uint64_t value)
{
	WRITE_CSR(0x150, select);
	WRITE_CSR(0x151, value);
}

/* The number that was claimed, 0: none. */
static inline uint32_t ei_claim(void)
{
	uint64_t top;

	__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
	return (uint32_t)(top >> 16);
}

/* This CPU's file: empty, all numbers enabled and delivered. */
static inline void ei_start(void)
{
	for (uint32_t i = 0; i < EI_NUMBERS / 32; i += 2) {
		ei_write(EIP + i, 0);
		ei_write(EIE + i, ~0ull);
	}
	ei_write(EITHRESHOLD, 0);
	ei_write(EIDELIVERY, 1);
}

static inline void msi_send(uint32_t cpu, uint32_t number)
{
	guest_barrier();
	guest_write32(IMSIC + guest_cpus[cpu].id * IMSIC_PAGE, number);
}

/* All sources inactive, the domain in this mode. */
static inline void aplic_start(uint32_t domaincfg)
{
	guest_write32(APLIC_DOMAINCFG, 0);
	for (uint32_t source = 1; source < APLIC_SOURCES; source++)
		guest_write32(APLIC_SOURCECFG(source), APLIC_INACTIVE);
	guest_write32(APLIC_DOMAINCFG, domaincfg);
}

static inline void aplic_source(uint32_t source, uint32_t mode, uint32_t cpu, uint32_t number)
{
	guest_write32(APLIC_SOURCECFG(source), mode);
	guest_write32(APLIC_TARGET(source), (uint32_t)guest_cpus[cpu].id << 18 | number);
	guest_write32(APLIC_SETIENUM, source);
}

static inline bool external_is_pending(void)
{
	return (READ_CSR(sip) & IRQ_BIT_EXTERNAL) != 0;
}

/* MSIs and lines may take their time. */
static inline bool external_becomes(bool pending)
{
	uint64_t end = guest_ticks() + guest_us(1000000);

	while (external_is_pending() != pending) {
		if (guest_ticks() > end)
			return false;
	}
	return true;
}

#endif
