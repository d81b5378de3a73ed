// SPDX-License-Identifier: Apache-2.0
/*
 * AML, as far as a list of devices needs it [ACPI 20.2]. A package's length is written in its three-byte
 * form whatever it is, so that it can be filled in when the package ends.
 */
#include <axvm/types.h>

#include "acpi.h"

enum {
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_DWORD = 0x0c,
	AML_STRING = 0x0d,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_ROOT = 0x5c,
	AML_EXTENDED = 0x5b,
	AML_DEVICE = 0x82, /* after EXTENDED */

	LENGTH_BYTES = 3,
	LENGTH_FOLLOW_2 = 2 << 6, /* two bytes follow the first, which has the low four bits */

	/* Resource descriptors [ACPI 6.4]. */
	RESOURCE_IO = 0x47,
	RESOURCE_IO_DECODE_16 = 1,
	RESOURCE_END = 0x79,
	RESOURCE_MEMORY_32 = 0x86,
	RESOURCE_INTERRUPT = 0x89,
	RESOURCE_ADDRESS_64 = 0x8a,
	INTERRUPT_CONSUMER = 1 << 0,
	INTERRUPT_EDGE = 1 << 1,
	MEMORY_WRITABLE = 1 << 0,
	ADDRESS_CONSUMER = 1 << 0,
	ADDRESS_FIXED = 3 << 2, /* minimum and maximum */

	UART_PORTS = 8,
	RTC_PORT = 0x70,
	RTC_PORTS = 2,
	RTC_IRQ = 8,
};

#define FOUR_GIB ((uint64_t)1 << 32)
#define EISA_PNP 0xd041u /* "PNP", as it stands in memory */

/* The place of a length that package_end fills in. */
static uint64_t package_begin(struct axvm_x86_writer *writer, uint8_t opcode)
{
	axvm_x86_put(writer, opcode, 1);
	axvm_x86_put_zeros(writer, LENGTH_BYTES);
	return writer->at;
}

static void package_end(struct axvm_x86_writer *writer, uint64_t from)
{
	if (writer->is_full)
		return;

	uint64_t bytes = writer->at - from + LENGTH_BYTES;

	axvm_x86_put_at(writer, from - LENGTH_BYTES, LENGTH_FOLLOW_2 | (bytes & 0xf), 1);
	axvm_x86_put_at(writer, from - 2, bytes >> 4, 2);
}

static void put_name(struct axvm_x86_writer *writer, const char segment[4])
{
	axvm_x86_put(writer, AML_NAME, 1);
	axvm_x86_put_text(writer, segment, 4);
}

static void put_byte(struct axvm_x86_writer *writer, uint8_t value)
{
	axvm_x86_put(writer, AML_BYTE, 1);
	axvm_x86_put(writer, value, 1);
}

/* Device (Xnnn) with its _HID and _UID to come. */
static uint64_t device_begin(struct axvm_x86_writer *writer, char letter, unsigned index)
{
	static const char digits[] = "0123456789ABCDEF";

	axvm_x86_put(writer, AML_EXTENDED, 1);

	uint64_t from = package_begin(writer, AML_DEVICE);

	axvm_x86_put(writer, (uint8_t)letter, 1);
	for (unsigned i = 0; i < 3; i++)
		axvm_x86_put(writer, (uint8_t)digits[index >> (8 - 4 * i) & 0xf], 1);
	return from;
}

static void put_pnp_id(struct axvm_x86_writer *writer, uint16_t number, uint8_t uid)
{
	put_name(writer, "_HID");
	axvm_x86_put(writer, AML_DWORD, 1);
	axvm_x86_put(writer, EISA_PNP, 2);
	axvm_x86_put(writer, number >> 8, 1);
	axvm_x86_put(writer, number & 0xff, 1);
	put_name(writer, "_UID");
	put_byte(writer, uid);
}

/* ---- resources ------------------------------------------------------------------------------ */

struct resources {
	uint64_t package;
	uint64_t first; /* byte of the template; the one before it is its size */
};

static struct resources resources_begin(struct axvm_x86_writer *writer)
{
	struct resources resources;

	put_name(writer, "_CRS");
	resources.package = package_begin(writer, AML_BUFFER);
	put_byte(writer, 0);
	resources.first = writer->at;
	return resources;
}

/* A checksum of 0 says that there is none. */
static void resources_end(struct axvm_x86_writer *writer, const struct resources *resources)
{
	axvm_x86_put(writer, RESOURCE_END, 1);
	axvm_x86_put(writer, 0, 1);
	axvm_x86_put_at(writer, resources->first - 1, writer->at - resources->first, 1);
	package_end(writer, resources->package);
}

static void put_ports(struct axvm_x86_writer *writer, uint64_t port, uint8_t count)
{
	axvm_x86_put(writer, RESOURCE_IO, 1);
	axvm_x86_put(writer, RESOURCE_IO_DECODE_16, 1);
	axvm_x86_put(writer, port, 2);
	axvm_x86_put(writer, port, 2);
	axvm_x86_put(writer, 1, 1); /* alignment */
	axvm_x86_put(writer, count, 1);
}

/* Active high; 0: it has none. */
static void put_interrupt(struct axvm_x86_writer *writer, uint32_t irq, uint8_t trigger)
{
	if (irq == 0)
		return;
	axvm_x86_put(writer, RESOURCE_INTERRUPT, 1);
	axvm_x86_put(writer, 6, 2);
	axvm_x86_put(writer, (uint64_t)(INTERRUPT_CONSUMER | trigger), 1);
	axvm_x86_put(writer, 1, 1);
	axvm_x86_put(writer, irq, 4);
}

static void put_memory(struct axvm_x86_writer *writer, uint64_t base, uint64_t bytes)
{
	if (axvm_range_contains(0, FOUR_GIB, base, bytes)) {
		axvm_x86_put(writer, RESOURCE_MEMORY_32, 1);
		axvm_x86_put(writer, 9, 2);
		axvm_x86_put(writer, MEMORY_WRITABLE, 1);
		axvm_x86_put(writer, base, 4);
		axvm_x86_put(writer, bytes, 4);
		return;
	}
	axvm_x86_put(writer, RESOURCE_ADDRESS_64, 1);
	axvm_x86_put(writer, 0x2b, 2);
	axvm_x86_put(writer, 0, 1); /* memory */
	axvm_x86_put(writer, ADDRESS_CONSUMER | ADDRESS_FIXED, 1);
	axvm_x86_put(writer, MEMORY_WRITABLE, 1);
	axvm_x86_put(writer, 0, 8); /* granularity */
	axvm_x86_put(writer, base, 8);
	axvm_x86_put(writer, base + bytes - 1, 8);
	axvm_x86_put(writer, 0, 8); /* translation */
	axvm_x86_put(writer, bytes, 8);
}

/* ---- devices -------------------------------------------------------------------------------- */

static void put_uart(struct axvm_x86_writer *writer, const struct axvm_config_emu *emu,
		     uint8_t index)
{
	uint64_t device = device_begin(writer, 'U', index);

	put_pnp_id(writer, 0x0501, index);

	struct resources resources = resources_begin(writer);

	put_ports(writer, emu->base.addr, UART_PORTS);
	put_interrupt(writer, emu->irq, INTERRUPT_EDGE);
	resources_end(writer, &resources);
	package_end(writer, device);
}

static void put_virtio(struct axvm_x86_writer *writer, const struct axvm_config_emu *emu,
		       uint8_t index)
{
	uint64_t device = device_begin(writer, 'V', index);

	put_name(writer, "_HID");
	axvm_x86_put(writer, AML_STRING, 1);
	axvm_x86_put_text(writer, "LNRO0005", sizeof("LNRO0005"));
	put_name(writer, "_UID");
	put_byte(writer, index);

	struct resources resources = resources_begin(writer);

	put_memory(writer, emu->base.addr, emu->bytes);
	put_interrupt(writer, emu->irq, 0);
	resources_end(writer, &resources);
	package_end(writer, device);
}

static void put_rtc(struct axvm_x86_writer *writer)
{
	uint64_t device = device_begin(writer, 'R', 0);

	put_pnp_id(writer, 0x0b00, 0);

	struct resources resources = resources_begin(writer);

	put_ports(writer, RTC_PORT, RTC_PORTS);
	put_interrupt(writer, RTC_IRQ, INTERRUPT_EDGE);
	resources_end(writer, &resources);
	package_end(writer, device);
}

/* Name (_S5, Package { SLP_TYPa, SLP_TYPb, 0, 0 }) */
static void put_s5(struct axvm_x86_writer *writer)
{
	put_name(writer, "_S5_");

	uint64_t package = package_begin(writer, AML_PACKAGE);

	axvm_x86_put(writer, 4, 1);
	put_byte(writer, AXVM_ACPI_S5_TYPE);
	for (unsigned i = 0; i < 3; i++)
		put_byte(writer, 0);
	package_end(writer, package);
}

static bool is_virtio(enum axvm_emu_type type)
{
	return type == AXVM_EMU_VIRTIO_BLK || type == AXVM_EMU_VIRTIO_NET ||
	       type == AXVM_EMU_VIRTIO_CONSOLE;
}

void axvm_x86_64_aml_put(struct axvm_x86_writer *writer, const struct axvm_config *config)
{
	uint8_t uart_count = 0;
	uint8_t virtio_count = 0;

	put_s5(writer);

	uint64_t scope = package_begin(writer, AML_SCOPE);

	axvm_x86_put(writer, AML_ROOT, 1);
	axvm_x86_put_text(writer, "_SB_", 4);
	for (uint32_t i = 0; i < config->emu_count; i++) {
		const struct axvm_config_emu *emu = &config->emu[i];

		if (emu->type == AXVM_EMU_CONSOLE)
			put_uart(writer, emu, uart_count++);
		else if (is_virtio(emu->type))
			put_virtio(writer, emu, virtio_count++);
	}
	put_rtc(writer);
	package_end(writer, scope);
}
