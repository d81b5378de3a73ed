/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables of a VM [ACPI 5]: RSDP, FACS, DSDT, FADT, MADT, XSDT. The machine is not a
 * hardware-reduced one: guests switch off by PM1a, as on a PC, and have its timer.
 */
#ifndef AXVM_X86_64_ACPI_H
#define AXVM_X86_64_ACPI_H

#include <axvm/config.h>
#include <axvm/error.h>

#include "writer.h"

/* I/O ports that the FADT names, for those who emulate them. */
#define AXVM_ACPI_PM1A_EVENT 0x600u   /* status, enable: 2 bytes each */
#define AXVM_ACPI_PM1A_CONTROL 0x604u /* 2 bytes */
#define AXVM_ACPI_PM_TIMER 0x608u     /* 4 bytes; all 32 bits count, at 3.579545 MHz */
#define AXVM_ACPI_RESET 0xcf9u
#define AXVM_ACPI_RESET_VALUE 6u
#define AXVM_ACPI_SCI 9u     /* GSI, level, active high */
#define AXVM_ACPI_S5_TYPE 5u /* SLP_TYP that switches off */

/* Suffices for any configuration. */
#define AXVM_ACPI_BYTES 0x4000u

/*
 * Writes the tables to buffer[0..capacity), which the guest sees at `gpa`, a multiple of 64 below
 * 4 GiB; the RSDP is at its beginning. Pure: any context.
 * AXVM_EINVAL: `gpa`. AXVM_ERANGE: an APIC id that has no 32 bits. AXVM_ENOMEM: capacity.
 */
AXVM_MUST_USE int axvm_x86_64_acpi_make(const struct axvm_config *config, uint64_t gpa,
					void *buffer, uint64_t capacity, uint64_t *bytes);

/*
 * aml.c: the definition block of the DSDT, without the table's header: \_S5, and in \_SB the UARTs at I/O
 * ports (PNP0501), the RTC (PNP0B00) and the virtio-mmio devices (LNRO0005) of the configuration.
 */
void axvm_x86_64_aml_put(struct axvm_x86_writer *writer, const struct axvm_config *config);

#endif
