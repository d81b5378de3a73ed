/* SPDX-License-Identifier: Apache-2.0 */
/* A VM and its platform for tests of device trees, and what reads a tree back with libfdt. */
#ifndef FDT_READER_H
#define FDT_READER_H

#include <string.h>

#include <libfdt.h>

#include "axtest.h"
#include "guest_fdt.h"

#define RAM 0x40000000u
#define GIB ((uint64_t)1 << 30)
#define CAPACITY 0x10000u

static struct axvm_config config;
static struct axvm_config_memory memory[2];
static struct axvm_config_emu emu[6];
static struct axvm_plan plan;
static struct axvm_guest_fdt fdt;
static uint64_t bytes;
static _Alignas(8) uint8_t tree[CAPACITY];
static uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES];
static uint32_t controller_phandle;
static int machine_error;

static struct axvm_platform platform;

/* What a platform does: CPUs and a controller. */
static inline int write_machine(struct axvm_guest_fdt *at, const struct axvm_config *wanted)
{
	axvm_guest_fdt_begin(at, "cpus");
	axvm_guest_fdt_u32(at, "#address-cells", 1);
	axvm_guest_fdt_u32(at, "#size-cells", 0);
	for (uint32_t i = 0; i < wanted->vcpu_count; i++) {
		uint64_t id = axvm_guest_cpu_id(wanted, AXVM_ISA_AARCH64, i);

		axvm_guest_fdt_begin_at(at, "cpu", id);
		axvm_guest_fdt_u32(at, "reg", (uint32_t)id);
		axvm_guest_fdt_string(at, "device_type", "cpu");
		axvm_guest_fdt_end(at);
	}
	axvm_guest_fdt_end(at);
	if (controller_phandle != 0)
		at->intc_phandle = controller_phandle;
	axvm_guest_fdt_begin_at(at, "intc", 0x8000000);
	axvm_guest_fdt_u32(at, "phandle", at->intc_phandle);
	axvm_guest_fdt_flag(at, "interrupt-controller");
	axvm_guest_fdt_strings(at, "compatible", "arm,gic-v3\0arm,gic");
	axvm_guest_fdt_end(at);
	if (platform.isa == AXVM_ISA_AARCH64) {
		at->irq_cells = 3;
		at->irq_first = 32;
	}
	return machine_error;
}

static inline void begin(void)
{
	memset(&config, 0, sizeof(config));
	memset(&plan, 0, sizeof(plan));
	memset(tree, 0xee, sizeof(tree));
	platform = (struct axvm_platform){ .isa = AXVM_ISA_AARCH64,
					   .name = "aarch64",
					   .fdt_has_root_controller = true,
					   .fdt_machine = write_machine };
	memory[0] =
		(struct axvm_config_memory){ .gpa = { RAM }, .bytes = GIB, .flags = AXVM_MAP_RWX };
	emu[0] = (struct axvm_config_emu){
		.name = "gic", .base = { 0x8000000 }, .bytes = 0x10000, .type = AXVM_EMU_GICV3
	};
	emu[1] = (struct axvm_config_emu){ .name = "uart",
					   .base = { 0x9000000 },
					   .bytes = 0x1000,
					   .irq = 33,
					   .type = AXVM_EMU_PL011 };
	emu[2] = (struct axvm_config_emu){ .name = "rtc",
					   .base = { 0x9010000 },
					   .bytes = 0x1000,
					   .irq = 34,
					   .type = AXVM_EMU_PL031 };
	config.name = "test";
	config.cmdline = "console=ttyAMA0";
	config.vcpu_count = 2;
	config.memory = memory;
	config.memory_count = 1;
	config.emu = emu;
	config.emu_count = 3;
	fdt = (struct axvm_guest_fdt){ .buffer = tree, .capacity = sizeof(tree) };
	controller_phandle = 0;
	machine_error = 0;
	bytes = 0;
	for (unsigned i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(i + 100);
}

static inline int make(void)
{
	return axvm_guest_fdt_make(&fdt, &config, &platform, &plan, &bytes);
}

/* ---- reading back --------------------------------------------------------------------------- */

static inline bool has_node(const char *path)
{
	return fdt_path_offset(tree, path) >= 0;
}

static const void *get(const char *path, const char *name, int *length)
{
	int node = fdt_path_offset(tree, path);

	*length = -1;
	return node < 0 ? NULL : fdt_getprop(tree, node, name, length);
}

static inline void check_string(const char *path, const char *name, const char *expected)
{
	int length;
	const char *value = get(path, name, &length);

	CHECK(value != NULL);
	if (!value)
		return;
	CHECK_EQ(length, strlen(expected) + 1);
	CHECK_STR_EQ(value, expected);
}

static inline void check_bytes(const char *path, const char *name, const void *expected,
			       int expected_length)
{
	int length;
	const void *value = get(path, name, &length);

	CHECK_EQ(length, expected_length);
	CHECK(value != NULL && memcmp(value, expected, (size_t)expected_length) == 0);
}

/* Up to four cells. */
static inline void check_cells(const char *path, const char *name, int count, uint32_t a,
			       uint32_t b, uint32_t c, uint32_t d)
{
	const uint32_t expected[4] = { a, b, c, d };
	int length;
	const fdt32_t *value = get(path, name, &length);

	CHECK_EQ(length, 4 * count);
	for (int i = 0; value && length == 4 * count && i < count; i++)
		CHECK_EQ(fdt32_ld(value + i), expected[i]);
}

static inline bool has_property(const char *path, const char *name)
{
	int length;

	return get(path, name, &length) != NULL;
}

static inline void check_valid(void)
{
	CHECK_EQ(fdt_check_full(tree, bytes), 0);
	CHECK_EQ(fdt_totalsize(tree), bytes);
	CHECK(bytes <= fdt.capacity);
}

#endif
