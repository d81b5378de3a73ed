/* SPDX-License-Identifier: Apache-2.0 */
/* The ACPI tables, followed from the RSDP as a guest does; the AML also by iasl where it is installed. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acpi.h"
#include "axtest.h"

#define GPA 0xe0000u

static uint8_t tables[AXVM_ACPI_BYTES];
static uint64_t tables_bytes;
static struct axvm_config config;
static struct axvm_config_emu emu[AXVM_CONFIG_EMU_MAX];
static uint64_t ids[AXVM_VCPUS_MAX];

static void add(enum axvm_emu_type type, uint64_t base, uint64_t bytes, uint32_t irq)
{
	emu[config.emu_count++] = (struct axvm_config_emu){
		.base = { base }, .bytes = bytes, .irq = irq, .type = type
	};
}

static void begin(void)
{
	memset(tables, 0xa5, sizeof(tables));
	memset(&config, 0, sizeof(config));
	config.emu = emu;
	config.vcpu_count = 4;
	add(AXVM_EMU_X86_IOAPIC, 0xfec00000, 0x1000, 0);
	add(AXVM_EMU_CONSOLE, 0x3f8, 8, 4);
	add(AXVM_EMU_X86_PIT, 0x40, 4, 0);
	add(AXVM_EMU_VIRTIO_BLK, 0xd0000000, 0x1000, 16);
	add(AXVM_EMU_VIRTIO_NET, 0x8000000000, 0x200, 17);
}

static int make(void)
{
	return axvm_x86_64_acpi_make(&config, GPA, tables, sizeof(tables), &tables_bytes);
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = bytes; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

static uint8_t sum(const uint8_t *at, uint64_t bytes)
{
	uint8_t total = 0;

	for (uint64_t i = 0; i < bytes; i++)
		total = (uint8_t)(total + at[i]);
	return total;
}

/* A table within the block whose checksum is right, or NULL. */
static const uint8_t *table_at(uint64_t gpa, const char *signature)
{
	const uint8_t *at = tables + (gpa - GPA);

	if (!axvm_range_contains(GPA, tables_bytes, gpa, 36) ||
	    !axvm_range_contains(GPA, tables_bytes, gpa, get(at + 4, 4)) || gpa % 16 != 0 ||
	    memcmp(at, signature, 4) != 0 || sum(at, get(at + 4, 4)) != 0)
		return NULL;
	return at;
}

static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = table_at(get(tables + 24, 8), "XSDT");

	for (uint64_t at = 36; xsdt && at < get(xsdt + 4, 4); at += 8) {
		const uint8_t *table = table_at(get(xsdt + at, 8), signature);

		if (table)
			return table;
	}
	return NULL;
}

TEST(the_rsdp_is_first_and_leads_to_every_table)
{
	begin();
	REQUIRE_EQ(make(), 0);
	CHECK(memcmp(tables, "RSD PTR ", 8) == 0);
	CHECK_EQ(tables[15], 2);
	CHECK_EQ(get(tables + 16, 4), 0);
	CHECK_EQ(get(tables + 20, 4), 36);
	CHECK_EQ(sum(tables, 20), 0);
	CHECK_EQ(sum(tables, 36), 0);
	REQUIRE(find("FACP") != NULL);
	REQUIRE(find("APIC") != NULL);
	CHECK(table_at(get(find("FACP") + 140, 8), "DSDT") != NULL);
}

/* Offsets as the specification's table of the FADT has them. */
TEST(the_fadt_names_the_ports_that_switch_off_reset_and_count)
{
	begin();
	REQUIRE_EQ(make(), 0);

	const uint8_t *fadt = find("FACP");

	REQUIRE(fadt != NULL);
	CHECK_EQ(get(fadt + 4, 4), 276);
	CHECK_EQ(fadt[8], 6);
	CHECK_EQ(get(fadt + 40, 4), get(fadt + 140, 8));
	CHECK_EQ(get(fadt + 46, 2), 9);
	CHECK_EQ(get(fadt + 48, 4), 0); /* no SMI_CMD: always in ACPI mode */
	CHECK_EQ(get(fadt + 56, 4), 0x600);
	CHECK_EQ(get(fadt + 64, 4), 0x604);
	CHECK_EQ(get(fadt + 76, 4), 0x608);
	CHECK_EQ(fadt[88], 4);
	CHECK_EQ(fadt[89], 2);
	CHECK_EQ(fadt[91], 4);
	CHECK_EQ(get(fadt + 112, 4) & (1u << 20), 0); /* not hardware-reduced */
	CHECK_EQ(get(fadt + 112, 4) & (1u << 8), 1u << 8);
	CHECK_EQ(get(fadt + 112, 4) & (1u << 10), 1u << 10);
	CHECK_EQ(get(fadt + 116, 4), 0x01000801);
	CHECK_EQ(get(fadt + 120, 8), 0xcf9);
	CHECK_EQ(fadt[128], 6);
	CHECK_EQ(get(fadt + 148, 4), 0x02002001);
	CHECK_EQ(get(fadt + 152, 8), 0x600);
	CHECK_EQ(get(fadt + 172, 4), 0x02001001);
	CHECK_EQ(get(fadt + 176, 8), 0x604);
	CHECK_EQ(get(fadt + 208, 4), 0x03002001);
	CHECK_EQ(get(fadt + 212, 8), 0x608);
	CHECK_EQ(get(fadt + 36, 4) % 64, 0);

	const uint8_t *facs = tables + (get(fadt + 36, 4) - GPA);

	CHECK(memcmp(facs, "FACS", 4) == 0);
	CHECK_EQ(get(facs + 4, 4), 64);
	CHECK_EQ(facs[32], 2);
}

/* The entry of that type which is the index-th, or NULL; the entries end where the table does. */
static const uint8_t *madt_entry(uint8_t type, unsigned index)
{
	const uint8_t *madt = find("APIC");
	uint64_t at = 44;

	while (madt && at + 2 <= get(madt + 4, 4) && madt[at + 1] >= 2) {
		if (madt[at] == type && index-- == 0)
			return madt + at;
		at += madt[at + 1];
	}
	return NULL;
}

TEST(the_madt_lists_each_vcpu_by_its_apic_id)
{
	static const uint64_t wanted[] = { 0, 254, 255, 0xfffffffe };

	begin();
	memcpy(ids, wanted, sizeof(wanted));
	config.phys_cpu_ids = ids;
	REQUIRE_EQ(make(), 0);
	REQUIRE(madt_entry(0, 1) && madt_entry(9, 1));
	CHECK(madt_entry(0, 2) == NULL);
	CHECK(madt_entry(9, 2) == NULL);
	CHECK_EQ(get(find("APIC") + 36, 4), 0xfee00000);
	CHECK_EQ(get(madt_entry(0, 0), 8), 0x0000000100000800);
	CHECK_EQ(get(madt_entry(0, 1), 8), 0x00000001fe010800);
	CHECK_EQ(get(madt_entry(9, 0) + 4, 4), 255);
	CHECK_EQ(get(madt_entry(9, 1) + 4, 4), 0xfffffffe);
	CHECK_EQ(get(madt_entry(9, 1) + 8, 4), 1);
	CHECK_EQ(get(madt_entry(9, 1) + 12, 4), 3);
}

TEST(the_madt_says_where_the_ioapic_is_and_which_pins_differ)
{
	begin();
	REQUIRE_EQ(make(), 0);
	REQUIRE(madt_entry(1, 0) && madt_entry(2, 1) && madt_entry(4, 0) && madt_entry(10, 0));
	CHECK_EQ(get(madt_entry(1, 0) + 4, 4), 0xfec00000);
	CHECK_EQ(get(madt_entry(1, 0) + 8, 4), 0);
	CHECK_EQ(get(madt_entry(2, 0) + 2, 2), 0x0000); /* ISA 0 */
	CHECK_EQ(get(madt_entry(2, 0) + 4, 4), 2);
	CHECK_EQ(get(madt_entry(2, 1) + 2, 2), 0x0900);
	CHECK_EQ(get(madt_entry(2, 1) + 4, 4), 9);
	CHECK_EQ(get(madt_entry(2, 1) + 8, 2), 0xd);
	CHECK_EQ(madt_entry(4, 0)[2], 0xff);
	CHECK_EQ(madt_entry(4, 0)[5], 1);
	CHECK_EQ(get(madt_entry(10, 0) + 4, 4), 0xffffffff);

	config.emu_count = 0;
	REQUIRE_EQ(make(), 0);
	CHECK(madt_entry(1, 0) == NULL);
	CHECK(madt_entry(2, 0) == NULL);
	CHECK(madt_entry(0, 3) != NULL);
}

TEST(an_apic_id_beyond_32_bits_is_refused)
{
	begin();
	config.vcpu_count = 1;
	config.phys_cpu_ids = ids;
	ids[0] = 0xffffffff; /* the broadcast */
	CHECK_EQ(make(), AXVM_ERANGE);
	ids[0] = (uint64_t)1 << 32;
	CHECK_EQ(make(), AXVM_ERANGE);
	ids[0] = 0xfffffffe;
	CHECK_EQ(make(), 0);
}

/* ---- AML ------------------------------------------------------------------------------------ */

/* A length as ACPI 20.2.4 encodes it, from its first byte on; how many bytes it is itself in *own. */
static uint64_t aml_length(const uint8_t *at, unsigned *own)
{
	unsigned following = at[0] >> 6;
	uint64_t length = at[0] & (following ? 0xf : 0x3f);

	for (unsigned i = 0; i < following; i++)
		length |= (uint64_t)at[1 + i] << (4 + 8 * i);
	*own = 1 + following;
	return length;
}

static const uint8_t *dsdt(void)
{
	return table_at(get(find("FACP") + 140, 8), "DSDT");
}

/* The body of the device with that name; its end in *end. Devices stand side by side in \_SB. */
static const uint8_t *aml_device(const char *name, const uint8_t **end)
{
	const uint8_t *table = dsdt();
	const uint8_t *at = table + 36;
	const uint8_t *last = table + get(table + 4, 4);
	unsigned own;

	at += 1 + 4; /* NameOp, _S5_ */
	at += 1 + aml_length(at + 1, &own);
	if (at[0] != 0x10 || at + 1 + aml_length(at + 1, &own) != last)
		return NULL;
	at += 1 + own;
	if (memcmp(at, "\\_SB_", 5) != 0)
		return NULL;
	at += 5;
	while (at < last && at[0] == 0x5b && at[1] == 0x82) {
		*end = at + 2 + aml_length(at + 2, &own);
		if (memcmp(at + 2 + own, name, 4) == 0)
			return at + 2 + own + 4;
		at = *end;
	}
	return NULL;
}

static bool device_has(const char *name, const void *bytes, uint64_t count)
{
	const uint8_t *end = NULL;
	const uint8_t *at = aml_device(name, &end);

	for (; at && (uint64_t)(end - at) >= count; at++) {
		if (memcmp(at, bytes, count) == 0)
			return true;
	}
	return false;
}

TEST(the_dsdt_switches_off_by_sleep_type_five)
{
	static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x8c, 0,	 0,
				      4,    0xa, 5,   0xa, 0,	0xa,  0,    0xa, 0 };

	begin();
	REQUIRE_EQ(make(), 0);
	REQUIRE(dsdt() != NULL);
	CHECK(memcmp(dsdt() + 36, s5, sizeof(s5)) == 0);
}

TEST(the_dsdt_describes_uarts_the_rtc_and_virtio_devices)
{
	static const uint8_t uart[] = { 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x89,
					6,    0, 3,    1, 4,	0, 0, 0, 0x79 };
	static const uint8_t block[] = { 0x86, 9, 0, 1, 0, 0,  0, 0xd0, 0, 0x10, 0, 0,
					 0x89, 6, 0, 1, 1, 16, 0, 0,	0, 0x79, 0 };
	static const uint8_t net[] = { 0x8a, 0x2b, 0, 0, 0xd, 1 };

	begin();
	REQUIRE_EQ(make(), 0);
	CHECK(device_has("U000", "\x08_HID\x0c\x41\xd0\x05\x01", 10));
	CHECK(device_has("U000", uart, sizeof(uart)));
	CHECK(device_has("R000", "\x08_HID\x0c\x41\xd0\x0b\x00", 10));
	CHECK(device_has("V000", "\x08_HID\x0dLNRO0005", 15));
	CHECK(device_has("V000", block, sizeof(block)));
	CHECK(device_has("V001", net, sizeof(net)));
	CHECK(device_has("V001", "\xff\x01\x00\x00\x80\x00\x00\x00", 8));

	const uint8_t *end;

	CHECK(aml_device("V002", &end) == NULL);
	CHECK(aml_device("U001", &end) == NULL);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void fill_up(void)
{
	begin();
	config.vcpu_count = AXVM_VCPUS_MAX;
	config.phys_cpu_ids = ids;
	for (unsigned i = 0; i < AXVM_VCPUS_MAX; i++)
		ids[i] = 1000 + i;
	while (config.emu_count < AXVM_CONFIG_EMU_MAX)
		add(AXVM_EMU_VIRTIO_BLK, 0x8000000000 + 0x1000 * config.emu_count, 0x1000, 23);
}

TEST(the_largest_configuration_has_room)
{
	const uint8_t *end;

	fill_up();
	REQUIRE_EQ(make(), 0);
	CHECK(tables_bytes <= AXVM_ACPI_BYTES);
	CHECK(madt_entry(9, AXVM_VCPUS_MAX - 1) != NULL);
	CHECK(aml_device("V01C", &end) != NULL);
}

TEST(too_small_a_buffer_is_refused_and_nothing_is_written_beyond_it)
{
	fill_up();
	REQUIRE_EQ(make(), 0);

	uint64_t needed = tables_bytes;

	for (uint64_t capacity = 0; capacity < needed; capacity++) {
		memset(tables, 0xa5, sizeof(tables));
		REQUIRE_EQ(axvm_x86_64_acpi_make(&config, GPA, tables, capacity, &tables_bytes),
			   AXVM_ENOMEM);
		REQUIRE_EQ(tables[capacity], 0xa5);
	}
	CHECK_EQ(tables_bytes, needed);
	CHECK_EQ(axvm_x86_64_acpi_make(&config, GPA, tables, needed, &tables_bytes), 0);
}

TEST(an_address_that_tables_cannot_have_is_refused)
{
	begin();
	CHECK_EQ(axvm_x86_64_acpi_make(&config, GPA + 16, tables, sizeof(tables), &tables_bytes),
		 AXVM_EINVAL);
	CHECK_EQ(axvm_x86_64_acpi_make(&config, 0xfffff000, tables, sizeof(tables), &tables_bytes),
		 AXVM_EINVAL);
	CHECK_EQ(axvm_x86_64_acpi_make(&config, UINT64_MAX - 63, tables, sizeof(tables),
				       &tables_bytes),
		 AXVM_EINVAL);
}

/* Disassembled and compiled again, so that both of iasl's readers have seen it. */
static bool iasl_takes(const char *folder, const char *name, const uint8_t *table)
{
	char path[128];
	char command[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.aml", folder, name);
	out = fopen(path, "wb");
	if (!out)
		return false;
	fwrite(table, 1, get(table + 4, 4), out);
	if (fclose(out) != 0)
		return false;
	snprintf(command, sizeof(command),
		 "cd %s && iasl -d %s.aml >%s.log 2>&1 && iasl -p again %s.dsl >>%s.log 2>&1 && "
		 "grep -q ' 0 Errors' %s.log || { cat %s.log; exit 1; }",
		 folder, name, name, name, name, name, name);
	return system(command) == 0;
}

TEST(iasl_reads_every_table)
{
	char folder[] = "/tmp/axvm-acpi-XXXXXX";
	char command[64];

	if (system("command -v iasl >/dev/null") != 0)
		SKIP("iasl (acpica-tools) is not installed");
	fill_up();
	REQUIRE_EQ(make(), 0);
	REQUIRE(mkdtemp(folder) != NULL);
	CHECK(iasl_takes(folder, "dsdt", dsdt()));
	CHECK(iasl_takes(folder, "fadt", find("FACP")));
	CHECK(iasl_takes(folder, "madt", find("APIC")));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

AXTEST_MAIN(the_rsdp_is_first_and_leads_to_every_table,
	    the_fadt_names_the_ports_that_switch_off_reset_and_count,
	    the_madt_lists_each_vcpu_by_its_apic_id,
	    the_madt_says_where_the_ioapic_is_and_which_pins_differ,
	    an_apic_id_beyond_32_bits_is_refused, the_dsdt_switches_off_by_sleep_type_five,
	    the_dsdt_describes_uarts_the_rtc_and_virtio_devices, the_largest_configuration_has_room,
	    too_small_a_buffer_is_refused_and_nothing_is_written_beyond_it,
	    an_address_that_tables_cannot_have_is_refused, iasl_reads_every_table)
