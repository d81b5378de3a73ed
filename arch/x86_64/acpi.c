// SPDX-License-Identifier: Apache-2.0
/* The tables, from those that others point to up to the XSDT; the RSDP's room is kept for the end. */
#include "acpi.h"

#include "guest_fdt.h"

enum {
	HEADER_LENGTH = 4,
	HEADER_CHECKSUM = 9,
	HEADER_BYTES = 36,
	RSDP_BYTES = 36,
	RSDP_BYTES_V1 = 20, /* its first checksum's */
	RSDP_CHECKSUM = 8,
	RSDP_CHECKSUM_ALL = 32,
	FACS_BYTES = 64,
	TABLE_ALIGNMENT = 16,

	FADT_BYTES = 276,
	FADT_FACS = 36,
	FADT_DSDT = 40,
	FADT_SCI_INT = 46,
	FADT_PM1A_EVT = 56,
	FADT_PM1A_CNT = 64,
	FADT_PM_TMR = 76,
	FADT_PM1_EVT_LEN = 88,
	FADT_PM1_CNT_LEN = 89,
	FADT_PM_TMR_LEN = 91,
	FADT_C2_LATENCY = 96,
	FADT_C3_LATENCY = 98,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_EVT = 148,
	FADT_X_PM1A_CNT = 172,
	FADT_X_PM_TMR = 208,
	BOOT_ARCH_LEGACY = 1 << 0,
	BOOT_ARCH_NO_VGA = 1 << 2,
	FLAG_WBINVD = 1 << 0,
	FLAG_PROC_C1 = 1 << 2,
	FLAG_NO_POWER_BUTTON = 1 << 4,
	FLAG_NO_SLEEP_BUTTON = 1 << 5,
	FLAG_TIMER_32 = 1 << 8,
	FLAG_RESET_REG = 1 << 10,
	NO_LATENCY = 0xfff, /* more than what a C state may have: there is none */
	GAS_IO = 1,

	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
	MADT_PCAT_COMPAT = 1,
	MADT_ENABLED = 1,
	APIC_ID_BROADCAST = 0xff,
	OVERRIDE_CONFORMS = 0,
	OVERRIDE_LEVEL_HIGH = 0xd,
	PIT_PIN = 2,
};

#define FOUR_GIB ((uint64_t)1 << 32)
#define LAPIC_BASE 0xfee00000u
#define ALL_PROCESSORS 0xffffffffu
#define CREATOR_REVISION 1u

struct maker {
	struct axvm_x86_writer out;
	const struct axvm_config *config;
	uint64_t gpa;
	uint64_t facs, dsdt, fadt, madt, xsdt; /* addresses */
};

static uint8_t checksum(const uint8_t *data, uint64_t bytes)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + data[i]);
	return (uint8_t)-sum;
}

/* The table's address. */
static uint64_t table_begin(struct maker *m, const char *signature, uint8_t revision)
{
	struct axvm_x86_writer *out = &m->out;

	axvm_x86_put_padding(out, TABLE_ALIGNMENT);

	uint64_t gpa = m->gpa + out->at;

	axvm_x86_put_text(out, signature, 4);
	axvm_x86_put(out, 0, 4); /* length */
	axvm_x86_put(out, revision, 1);
	axvm_x86_put(out, 0, 1); /* checksum */
	axvm_x86_put_text(out, "AXVM  ", 6);
	axvm_x86_put_text(out, "AXVMVIRT", 8);
	axvm_x86_put(out, 1, 4);
	axvm_x86_put_text(out, "AXVM", 4);
	axvm_x86_put(out, CREATOR_REVISION, 4);
	return gpa;
}

static void table_end(struct maker *m, uint64_t gpa)
{
	uint64_t from = gpa - m->gpa;

	if (m->out.is_full)
		return;
	axvm_x86_put_at(&m->out, from + HEADER_LENGTH, m->out.at - from, 4);
	axvm_x86_put_at(&m->out, from + HEADER_CHECKSUM,
			checksum(m->out.data + from, m->out.at - from), 1);
}

static void put_facs(struct maker *m)
{
	axvm_x86_put_padding(&m->out, FACS_BYTES);
	m->facs = m->gpa + m->out.at;
	axvm_x86_put_text(&m->out, "FACS", 4);
	axvm_x86_put(&m->out, FACS_BYTES, 4);
	axvm_x86_put_zeros(&m->out, 24);
	axvm_x86_put(&m->out, 2, 1); /* version */
	axvm_x86_put_zeros(&m->out, FACS_BYTES - 33);
}

static void put_dsdt(struct maker *m)
{
	m->dsdt = table_begin(m, "DSDT", 2);
	axvm_x86_64_aml_put(&m->out, m->config);
	table_end(m, m->dsdt);
}

/* ---- FADT [ACPI 5.2.9] ---------------------------------------------------------------------- */

struct fadt_register {
	uint16_t offset;   /* of its address in 32 bits; 0: it has none */
	uint16_t x_offset; /* of its generic address */
	uint16_t port;
	uint8_t bytes;
	uint8_t access; /* of the generic address: 1 to 3 for 1 to 4 bytes */
};

static const struct fadt_register fadt_registers[] = {
	{ FADT_PM1A_EVT, FADT_X_PM1A_EVT, AXVM_ACPI_PM1A_EVENT, 4, 2 },
	{ FADT_PM1A_CNT, FADT_X_PM1A_CNT, AXVM_ACPI_PM1A_CONTROL, 2, 2 },
	{ FADT_PM_TMR, FADT_X_PM_TMR, AXVM_ACPI_PM_TIMER, 4, 3 },
	{ 0, FADT_RESET_REG, AXVM_ACPI_RESET, 1, 1 },
};

struct field {
	uint16_t offset;
	uint16_t bytes;
	uint32_t value;
};

static const struct field fadt_fields[] = {
	{ FADT_SCI_INT, 2, AXVM_ACPI_SCI },
	{ FADT_PM1_EVT_LEN, 1, 4 },
	{ FADT_PM1_CNT_LEN, 1, 2 },
	{ FADT_PM_TMR_LEN, 1, 4 },
	{ FADT_C2_LATENCY, 2, NO_LATENCY },
	{ FADT_C3_LATENCY, 2, NO_LATENCY },
	{ FADT_BOOT_ARCH, 2, BOOT_ARCH_LEGACY | BOOT_ARCH_NO_VGA },
	{ FADT_FLAGS, 4,
	  FLAG_WBINVD | FLAG_PROC_C1 | FLAG_NO_POWER_BUTTON | FLAG_NO_SLEEP_BUTTON | FLAG_TIMER_32 |
		  FLAG_RESET_REG },
	{ FADT_RESET_VALUE, 1, AXVM_ACPI_RESET_VALUE },
	{ FADT_MINOR, 1, 5 },
};

static void put_fadt_register(struct maker *m, uint64_t from, const struct fadt_register *reg)
{
	uint64_t x = from + reg->x_offset;

	if (reg->offset != 0)
		axvm_x86_put_at(&m->out, from + reg->offset, reg->port, 4);
	axvm_x86_put_at(&m->out, x, GAS_IO, 1);
	axvm_x86_put_at(&m->out, x + 1, 8u * reg->bytes, 1);
	axvm_x86_put_at(&m->out, x + 3, reg->access, 1);
	axvm_x86_put_at(&m->out, x + 4, reg->port, 8);
}

static void put_fadt(struct maker *m)
{
	m->fadt = table_begin(m, "FACP", 6);

	uint64_t from = m->fadt - m->gpa;

	axvm_x86_put_zeros(&m->out, FADT_BYTES - HEADER_BYTES);
	axvm_x86_put_at(&m->out, from + FADT_FACS, m->facs, 4);
	axvm_x86_put_at(&m->out, from + FADT_DSDT, m->dsdt, 4);
	axvm_x86_put_at(&m->out, from + FADT_X_DSDT, m->dsdt, 8);
	for (unsigned i = 0; i < sizeof(fadt_fields) / sizeof(fadt_fields[0]); i++)
		axvm_x86_put_at(&m->out, from + fadt_fields[i].offset, fadt_fields[i].value,
				fadt_fields[i].bytes);
	for (unsigned i = 0; i < sizeof(fadt_registers) / sizeof(fadt_registers[0]); i++)
		put_fadt_register(m, from, &fadt_registers[i]);
	table_end(m, m->fadt);
}

/* ---- MADT [ACPI 5.2.12] --------------------------------------------------------------------- */

static void put_vcpu(struct axvm_x86_writer *out, uint32_t apic_id, uint32_t uid)
{
	if (apic_id < APIC_ID_BROADCAST) {
		axvm_x86_put(out, MADT_LAPIC, 1);
		axvm_x86_put(out, 8, 1);
		axvm_x86_put(out, uid, 1);
		axvm_x86_put(out, apic_id, 1);
		axvm_x86_put(out, MADT_ENABLED, 4);
		return;
	}
	axvm_x86_put(out, MADT_X2APIC, 1);
	axvm_x86_put(out, 16, 1);
	axvm_x86_put(out, 0, 2);
	axvm_x86_put(out, apic_id, 4);
	axvm_x86_put(out, MADT_ENABLED, 4);
	axvm_x86_put(out, uid, 4);
}

/* NMI at LINT1 of all of them, by either kind of APIC. */
static void put_nmi(struct axvm_x86_writer *out)
{
	axvm_x86_put(out, MADT_LAPIC_NMI, 1);
	axvm_x86_put(out, 6, 1);
	axvm_x86_put(out, APIC_ID_BROADCAST, 1);
	axvm_x86_put(out, OVERRIDE_CONFORMS, 2);
	axvm_x86_put(out, 1, 1);
	axvm_x86_put(out, MADT_X2APIC_NMI, 1);
	axvm_x86_put(out, 12, 1);
	axvm_x86_put(out, OVERRIDE_CONFORMS, 2);
	axvm_x86_put(out, ALL_PROCESSORS, 4);
	axvm_x86_put(out, 1, 1);
	axvm_x86_put(out, 0, 3);
}

static void put_override(struct axvm_x86_writer *out, uint8_t isa_irq, uint32_t pin, uint16_t flags)
{
	axvm_x86_put(out, MADT_OVERRIDE, 1);
	axvm_x86_put(out, 10, 1);
	axvm_x86_put(out, 0, 1); /* ISA */
	axvm_x86_put(out, isa_irq, 1);
	axvm_x86_put(out, pin, 4);
	axvm_x86_put(out, flags, 2);
}

/* The first one's pins begin at 0; there is no second in a VM. */
static void put_ioapic(struct maker *m)
{
	for (uint32_t i = 0; i < m->config->emu_count; i++) {
		if (m->config->emu[i].type != AXVM_EMU_X86_IOAPIC)
			continue;
		axvm_x86_put(&m->out, MADT_IOAPIC, 1);
		axvm_x86_put(&m->out, 12, 1);
		axvm_x86_put(&m->out, 0, 1); /* its id */
		axvm_x86_put(&m->out, 0, 1);
		axvm_x86_put(&m->out, m->config->emu[i].base.addr, 4);
		axvm_x86_put(&m->out, 0, 4);
		put_override(&m->out, 0, PIT_PIN, OVERRIDE_CONFORMS);
		put_override(&m->out, AXVM_ACPI_SCI, AXVM_ACPI_SCI, OVERRIDE_LEVEL_HIGH);
		return;
	}
}

static int put_madt(struct maker *m)
{
	m->madt = table_begin(m, "APIC", 5);
	axvm_x86_put(&m->out, LAPIC_BASE, 4);
	axvm_x86_put(&m->out, MADT_PCAT_COMPAT, 4);
	for (uint32_t i = 0; i < m->config->vcpu_count; i++) {
		uint64_t apic_id = axvm_guest_cpu_id(m->config, AXVM_ISA_X86_64, i);

		if (apic_id >= ALL_PROCESSORS)
			return AXVM_ERANGE;
		put_vcpu(&m->out, (uint32_t)apic_id, i);
	}
	put_ioapic(m);
	put_nmi(&m->out);
	table_end(m, m->madt);
	return 0;
}

/* ---- their roots ---------------------------------------------------------------------------- */

static void put_xsdt(struct maker *m)
{
	m->xsdt = table_begin(m, "XSDT", 1);
	axvm_x86_put(&m->out, m->fadt, 8);
	axvm_x86_put(&m->out, m->madt, 8);
	table_end(m, m->xsdt);
}

static void put_rsdp(uint8_t *data, uint64_t xsdt)
{
	struct axvm_x86_writer out = { .data = data, .capacity = RSDP_BYTES };

	axvm_x86_put_text(&out, "RSD PTR ", 8);
	axvm_x86_put(&out, 0, 1); /* checksum */
	axvm_x86_put_text(&out, "AXVM  ", 6);
	axvm_x86_put(&out, 2, 1); /* revision */
	axvm_x86_put(&out, 0, 4); /* no RSDT */
	axvm_x86_put(&out, RSDP_BYTES, 4);
	axvm_x86_put(&out, xsdt, 8);
	axvm_x86_put(&out, 0, 4);
	data[RSDP_CHECKSUM] = checksum(data, RSDP_BYTES_V1);
	data[RSDP_CHECKSUM_ALL] = checksum(data, RSDP_BYTES);
}

int axvm_x86_64_acpi_make(const struct axvm_config *config, uint64_t gpa, void *buffer,
			  uint64_t capacity, uint64_t *bytes)
{
	if (!axvm_is_aligned(gpa, FACS_BYTES) || !axvm_range_contains(0, FOUR_GIB, gpa, capacity))
		return AXVM_EINVAL;

	struct maker m = {
		.out = { .data = buffer, .capacity = capacity },
		.config = config,
		.gpa = gpa,
	};

	axvm_x86_put_zeros(&m.out, RSDP_BYTES);
	put_facs(&m);
	put_dsdt(&m);
	put_fadt(&m);

	int error = put_madt(&m);

	if (error)
		return error;
	put_xsdt(&m);
	if (m.out.is_full)
		return AXVM_ENOMEM;
	put_rsdp(buffer, m.xsdt);
	*bytes = m.out.at;
	return 0;
}
