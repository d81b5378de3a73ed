// SPDX-License-Identifier: Apache-2.0
/*
 * A QEMU plugin that counts executed instructions exactly, by who runs them: a guest's user mode and
 * kernel, the hypervisor, the firmware. QEMU translates code once per mode of the CPU, so the mode is
 * read once, when a block is translated; no address can be confused, whatever guest and hypervisor map.
 * The hypervisor's instructions are counted by their addresses too, which shows where they go.
 *
 * aarch64: EL0, EL1, EL2; there is no firmware. riscv64: M mode is the firmware; S mode is the guest's
 * kernel while a second stage is in place (hgatp) and stvec is not the hypervisor's own, which it puts
 * into its image's virtual range (hypervisor=ADDRESS) before it has a second stage: VS mode has another
 * stvec under the same name. With hypervisor=0 there is none, and S mode is the kernel.
 *
 * Arguments (key=value): out=FILE; marker=TEXT ends the count when the text has been written to the
 * UART (otherwise QEMU's end does); uart=ADDRESS (physical; `virt`'s own); guest_console=on looks at
 * what the guest's kernel writes to the UART as well (passed through, or no hypervisor); detail=off
 * counts the hypervisor by blocks only, and not by address.
 *
 * One CPU only. The file: "user N", "kernel N", "hypervisor N", "firmware N", "marker 0|1",
 * "first_guest N" (hypervisor before the first instruction of a guest), "firmware_boot N" (firmware
 * before the first instruction of anyone else), then "boot ADDRESS N" (the hypervisor before that
 * guest's instruction) and "pc ADDRESS N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

#define EXPORT __attribute__((visibility("default")))
#define PLACES (1u << 17) /* addresses of the hypervisor, a power of two */
#define MARKER_MAX 128u
#define IMAGE_BYTES (1ull << 30) /* more than the hypervisor's */

enum level { USER, KERNEL, HYPERVISOR, FIRMWARE, LEVELS };
static const char *const level_names[] = { "user", "kernel", "hypervisor", "firmware" };

static enum level level_of_aarch64(void);
static enum level level_of_riscv64(void);

/* An ISA is known by its first register here. */
static const struct isa {
	const char *registers[3];
	uint64_t uart;
	enum level (*current_level)(void);
} isas[] = {
	{ { "cpsr", NULL, NULL }, 0x9000000, level_of_aarch64 },
	{ { "priv", "hgatp", "stvec" }, 0x10000000, level_of_riscv64 },
};

struct place {
	uint64_t address;
	uint64_t count;
	uint64_t boot_count;
	bool used;
};

static struct place places[PLACES];
static uint64_t level_count[LEVELS];
static uint64_t first_guest;
static uint64_t firmware_boot;
static bool boot_is_over;
static bool guest_has_run;
static bool ended;
static bool marker_seen;
static bool detail = true;
static bool guest_console;
static uint64_t uart;
static uint64_t image = 0x3f00000000;
static const char *marker = "";
static const char *out_path = "hv_insns.txt";
static char last[MARKER_MAX];
static const struct isa *isa;
static struct qemu_plugin_register *handles[3];
static struct qemu_array *bytes;

static void fail(const char *why)
{
	fprintf(stderr, "hv_insns: %s\n", why);
	exit(1);
}

static struct place *place_of(uint64_t address)
{
	uint64_t at = (address >> 1) * 0x9e3779b97f4a7c15u >> 40;

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
	for (int level = 0; level < LEVELS; level++)
		fprintf(file, "%s %llu\n", level_names[level],
			(unsigned long long)level_count[level]);
	fprintf(file, "marker %d\nfirst_guest %llu\nfirmware_boot %llu\n", marker_seen,
		(unsigned long long)first_guest, (unsigned long long)firmware_boot);
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

static uint64_t read_register(unsigned int index)
{
	uint64_t value = 0;
	int length;

	g_byte_array_set_size(bytes, 0);
	length = qemu_plugin_read_register(handles[index], bytes);
	if (length < 4 || (size_t)length > sizeof(value))
		fail("a register of the CPU cannot be read");
	memcpy(&value, bytes->data, (size_t)length);
	return value;
}

static enum level level_of_aarch64(void)
{
	uint64_t cpsr = read_register(0);

	if (cpsr & 0x10)
		fail("the CPU is in AArch32 state");
	return (enum level)(cpsr >> 2 & 3);
}

static enum level level_of_riscv64(void)
{
	uint64_t mode = read_register(0) & 3;

	if (mode == 0)
		return USER;
	if (mode == 3)
		return FIRMWARE;
	if (image == 0)
		return KERNEL;
	if (read_register(1) == 0 || read_register(2) - image < IMAGE_BYTES)
		return HYPERVISOR;
	return KERNEL;
}

static void end_of_boot(void)
{
	guest_has_run = true;
	first_guest = level_count[HYPERVISOR];
	for (uint32_t i = 0; i < PLACES; i++)
		places[i].boot_count = places[i].count;
}

static void end_of_firmware_boot(void)
{
	boot_is_over = true;
	firmware_boot = level_count[FIRMWARE];
}

/* data: level in the low two bits, number of instructions above. */
static void block_runs(unsigned int cpu, void *data)
{
	uintptr_t what = (uintptr_t)data;

	(void)cpu;
	if (ended)
		return;
	if (!guest_has_run && (what & 3) < HYPERVISOR)
		end_of_boot();
	if (!boot_is_over && (what & 3) != FIRMWARE)
		end_of_firmware_boot();
	level_count[what & 3] += what >> 2;
}

static void instruction_runs(unsigned int cpu, void *data)
{
	struct place *place = data;

	(void)cpu;
	if (ended)
		return;
	if (!boot_is_over)
		end_of_firmware_boot();
	place->count++;
	level_count[HYPERVISOR]++;
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

static void watch_block(struct qemu_plugin_tb *block, enum level level, size_t count)
{
	bool console =
		marker[0] != '\0' && (level >= HYPERVISOR || (level == KERNEL && guest_console));

	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);

		if (level == HYPERVISOR && detail)
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
	enum level level = isa->current_level();

	(void)id;
	if (level != HYPERVISOR || !detail)
		qemu_plugin_register_vcpu_tb_exec_cb(block, block_runs, QEMU_NO_REGISTERS,
						     (void *)(count << 2 | (size_t)level));
	watch_block(block, level, count);
}

static struct qemu_plugin_register *find(const struct qemu_array *registers, const char *name)
{
	const struct qemu_register_descriptor *descriptor = (const void *)registers->data;

	for (unsigned int i = 0; i < registers->length; i++) {
		if (strcmp(descriptor[i].name, name) == 0)
			return descriptor[i].handle;
	}
	return NULL;
}

static void cpu_starts(uint64_t id, unsigned int cpu)
{
	struct qemu_array *registers = qemu_plugin_get_registers();

	(void)id;
	if (cpu > 0)
		fail("one CPU only");
	for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); i++) {
		if (find(registers, isas[i].registers[0]) != NULL)
			isa = &isas[i];
	}
	if (isa == NULL)
		fail("an ISA that is not known here");
	for (size_t i = 0; i < 3 && isa->registers[i] != NULL; i++) {
		handles[i] = find(registers, isa->registers[i]);
		if (handles[i] == NULL && image != 0)
			fail("the CPU lacks a register");
	}
	if (uart == 0)
		uart = isa->uart;
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
	else if (strcmp(argument, "hypervisor") == 0)
		image = strtoull(value, NULL, 0);
	else if (strcmp(argument, "guest_console") == 0)
		guest_console = strcmp(value, "on") == 0;
	else if (strcmp(argument, "detail") == 0)
		detail = strcmp(value, "on") == 0;
	else
		fail("an argument is out, marker, uart, hypervisor, guest_console or detail");
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
