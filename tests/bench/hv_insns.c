// SPDX-License-Identifier: Apache-2.0
/*
 * A QEMU plugin that counts executed instructions exactly, by exception level: what runs at EL2 is
 * the hypervisor, at EL1 and EL0 its guest. QEMU translates code once per exception level, so the
 * level is read once, when a block is translated; no address can be confused, whatever guest and
 * hypervisor map. At EL2 each instruction is counted by its address too, which shows where they go.
 *
 * Arguments (key=value): out=FILE; marker=TEXT ends the count when the text has been written to the
 * UART (otherwise QEMU's end does); uart=ADDRESS (physical, 0x9000000); guest_console=on looks at
 * what EL1 writes to the UART as well (passed through, or no hypervisor); detail=off counts EL2 by
 * blocks only, and not by address.
 *
 * One CPU only. The file: "el0 N", "el1 N", "el2 N", "marker 0|1", "first_guest N" (EL2 before the
 * first instruction at EL1), then "boot ADDRESS N" (before that instruction) and "pc ADDRESS N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

#define EXPORT __attribute__((visibility("default")))
#define PLACES (1u << 17) /* addresses at EL2, a power of two */
#define MARKER_MAX 128u

struct place {
	uint64_t address;
	uint64_t count;
	uint64_t boot_count;
	bool used;
};

static struct place places[PLACES];
static uint64_t level_count[4];
static uint64_t first_guest;
static bool guest_has_run;
static bool ended;
static bool marker_seen;
static bool detail = true;
static bool guest_console;
static uint64_t uart = 0x9000000;
static const char *marker = "";
static const char *out_path = "hv_insns.txt";
static char last[MARKER_MAX];
static struct qemu_plugin_register *cpsr;
static struct qemu_array *bytes;

static void fail(const char *why)
{
	fprintf(stderr, "hv_insns: %s\n", why);
	exit(1);
}

static struct place *place_of(uint64_t address)
{
	uint64_t at = (address >> 2) * 0x9e3779b97f4a7c15u >> 40;

	for (uint32_t tries = 0; tries < PLACES; tries++, at++) {
		struct place *place = &places[at % PLACES];

		if (place->used && place->address != address)
			continue;
		place->used = true;
		place->address = address;
		return place;
	}
	fail("the hypervisor has more instructions than there are places");
	return NULL;
}

static void write_result(void)
{
	FILE *file = fopen(out_path, "w");

	if (file == NULL)
		fail("the output file cannot be written");
	for (int level = 0; level < 3; level++)
		fprintf(file, "el%d %llu\n", level, (unsigned long long)level_count[level]);
	fprintf(file, "marker %d\nfirst_guest %llu\n", marker_seen,
		(unsigned long long)first_guest);
	for (uint32_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];

		if (place->boot_count > 0)
			fprintf(file, "boot %#llx %llu\n", (unsigned long long)place->address,
				(unsigned long long)place->boot_count);
		if (place->count > 0)
			fprintf(file, "pc %#llx %llu\n", (unsigned long long)place->address,
				(unsigned long long)place->count);
	}
	fclose(file);
	ended = true;
}

static unsigned int current_level(void)
{
	uint32_t value = 0;

	g_byte_array_set_size(bytes, 0);
	if (qemu_plugin_read_register(cpsr, bytes) < 4)
		fail("the register cpsr cannot be read");
	memcpy(&value, bytes->data, sizeof(value));
	if (value & 0x10)
		fail("the CPU is in AArch32 state");
	return value >> 2 & 3;
}

static void end_of_boot(void)
{
	guest_has_run = true;
	first_guest = level_count[2];
	for (uint32_t i = 0; i < PLACES; i++)
		places[i].boot_count = places[i].count;
}

/* data: level in the low two bits, number of instructions above. */
static void block_runs(unsigned int cpu, void *data)
{
	uintptr_t what = (uintptr_t)data;

	(void)cpu;
	if (ended)
		return;
	if (!guest_has_run && (what & 3) < 2)
		end_of_boot();
	level_count[what & 3] += what >> 2;
}

static void instruction_runs(unsigned int cpu, void *data)
{
	struct place *place = data;

	(void)cpu;
	if (ended)
		return;
	place->count++;
	level_count[2]++;
}

static void console_byte(char byte)
{
	size_t length = strlen(marker);

	memmove(last, last + 1, length);
	last[length - 1] = byte;
	if (memcmp(last, marker, length) == 0) {
		marker_seen = true;
		write_result();
	}
}

static void stores(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	struct qemu_plugin_hwaddr *where;

	(void)cpu;
	(void)data;
	if (ended || (address & 0xfff) != (uart & 0xfff))
		return;
	where = qemu_plugin_get_hwaddr(info, address);
	if (where != NULL && qemu_plugin_hwaddr_is_io(where) &&
	    qemu_plugin_hwaddr_phys_addr(where) == uart)
		console_byte((char)qemu_plugin_mem_get_value(info).data.u8);
}

static void watch_block(struct qemu_plugin_tb *block, unsigned int level, size_t count)
{
	bool console = marker[0] != '\0' && (level == 2 || (level == 1 && guest_console));

	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);

		if (level == 2 && detail)
			qemu_plugin_register_vcpu_insn_exec_cb(
				instruction, instruction_runs, QEMU_NO_REGISTERS,
				place_of(qemu_plugin_insn_vaddr(instruction)));
		if (console)
			qemu_plugin_register_vcpu_mem_cb(instruction, stores, QEMU_NO_REGISTERS,
							 QEMU_STORES, NULL);
	}
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
	size_t count = qemu_plugin_tb_n_insns(block);
	unsigned int level = current_level();

	(void)id;
	if (level != 2 || !detail)
		qemu_plugin_register_vcpu_tb_exec_cb(block, block_runs, QEMU_NO_REGISTERS,
						     (void *)(count << 2 | level));
	watch_block(block, level, count);
}

static void cpu_starts(uint64_t id, unsigned int cpu)
{
	struct qemu_array *registers = qemu_plugin_get_registers();
	const struct qemu_register_descriptor *descriptor = (void *)registers->data;

	(void)id;
	if (cpu > 0)
		fail("one CPU only");
	for (unsigned int i = 0; i < registers->length; i++) {
		if (strcmp(descriptor[i].name, "cpsr") == 0)
			cpsr = descriptor[i].handle;
	}
	if (cpsr == NULL)
		fail("the CPU has no register cpsr: not aarch64");
}

static void qemu_ends(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	if (!ended)
		write_result();
}

static void take_argument(char *argument)
{
	char *value = strchr(argument, '=');

	if (value == NULL)
		fail("an argument is key=value");
	*value++ = '\0';
	if (strcmp(argument, "out") == 0)
		out_path = value;
	else if (strcmp(argument, "marker") == 0)
		marker = value;
	else if (strcmp(argument, "uart") == 0)
		uart = strtoull(value, NULL, 0);
	else if (strcmp(argument, "guest_console") == 0)
		guest_console = strcmp(value, "on") == 0;
	else if (strcmp(argument, "detail") == 0)
		detail = strcmp(value, "on") == 0;
	else
		fail("an argument is out, marker, uart, guest_console or detail");
	if (strlen(marker) >= MARKER_MAX)
		fail("the marker is too long");
}

EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		take_argument(argv[i]);
	bytes = g_byte_array_new();
	qemu_plugin_register_vcpu_init_cb(id, cpu_starts);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, qemu_ends, NULL);
	return 0;
}
