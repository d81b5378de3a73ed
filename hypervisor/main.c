/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type-1 hypervisor, from the first C function to the CPUs' loops: memory
 * and the own map, console, interrupts, the other CPUs, the VMs.
 */
#include <libfdt.h>

#include "bare.h"
#include "console.h"
#include "host.h"
#include "memory.h"
#include "sched.h"
#include "text.h"
#include "vms.h"

#define CPU_START_SECONDS 2u

struct axvm_cpu axvm_cpus[AXVM_CPUS_MAX];
uint32_t axvm_cpu_count_present = 1;

static struct axvm_host host;
static struct axvm_hpa image;
static uint64_t image_bytes;
static struct axvm_hpa dtb;
static uint64_t dtb_bytes;
static _Atomic uint32_t may_run; /* the other CPUs wait for it */

_Noreturn static void give_up(const char *why)
{
	axvm_console_line(why);
	axvm_vms_fail();
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Before any RAM is added: what comes later heeds it. */
static void reserve_all(void)
{
	axvm_memory_reserve(image, image_bytes);
	axvm_memory_reserve(dtb, dtb_bytes);
	for (uint32_t i = 0; i < host.reserved_count; i++)
		axvm_memory_reserve(axvm_hpa(host.reserved[i].base), host.reserved[i].bytes);
	if (host.bundle.bytes != 0)
		axvm_memory_reserve(axvm_hpa(host.bundle.base), host.bundle.bytes);
}

/* The range of RAM that this image lies in; its surroundings are mapped already. */
static uint32_t own_range(void)
{
	uint32_t at = 0;

	while (at < host.ram_count &&
	       !axvm_range_contains(host.ram[at].base, host.ram[at].bytes, image.addr, image_bytes))
		at++;
	return at;
}

/* Where the bitmap of the own range goes: the image's end, or after the bundle when that is there. */
static struct axvm_hpa bitmap_place(void)
{
	uint64_t place = image.addr + image_bytes;
	uint64_t room = 2 * 1024 * 1024;

	if (axvm_ranges_overlap(place, room, host.bundle.base, host.bundle.bytes))
		place = host.bundle.base + host.bundle.bytes;
	return axvm_hpa(place);
}

static int map_ram(const struct axvm_config_range *ram)
{
	uint64_t end = ram->base + ram->bytes;
	uint64_t image_end = image.addr + image_bytes;

	if (!axvm_ranges_overlap(ram->base, ram->bytes, image.addr, image_bytes))
		return axvm_bare_map_ram(axvm_hpa(ram->base), ram->bytes);
	int error = 0;
	if (ram->base < image.addr)
		error = axvm_bare_map_ram(axvm_hpa(ram->base), image.addr - ram->base);
	if (error == 0 && image_end < end)
		error = axvm_bare_map_ram(axvm_hpa(image_end), end - image_end);
	return error;
}

static bool init_memory(void)
{
	uint32_t own = own_range();

	reserve_all();
	if (own == host.ram_count ||
	    axvm_memory_add(axvm_hpa(host.ram[own].base), host.ram[own].bytes, bitmap_place()) != 0)
		return false;
	if (axvm_bare_mmu_init(image) != 0)
		return false;
	for (uint32_t i = 0; i < host.ram_count; i++) {
		if (map_ram(&host.ram[i]) != 0)
			return false;
	}
	axvm_bare_mmu_switch();
	for (uint32_t i = 0; i < host.ram_count; i++) {
		struct axvm_hpa base = axvm_hpa(host.ram[i].base);
		/* A range too small for its bitmap is not worth having. */
		bool is_used = i == own || axvm_memory_add(base, host.ram[i].bytes, base) == 0;
		(void)is_used;
	}
	return true;
}

bool axvm_hal_may_pass_through(struct axvm_hpa hpa, uint64_t bytes)
{
	return !axvm_memory_is_ram(hpa, bytes) && !axvm_bare_irq_owns(hpa, bytes) &&
	       !axvm_console_owns(hpa, bytes);
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

static void say_number(const char *before, uint64_t number, const char *after)
{
	char line[160];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, before);
	axvm_text_decimal(&text, number);
	axvm_text_string(&text, after);
	axvm_console_line(line);
}

static void start_cpu(struct axvm_cpu *cpu)
{
	uint64_t deadline = axvm_hal_time_ticks() + axvm_hal_time_hz() * CPU_START_SECONDS;

	axvm_lock_init(&cpu->timers_lock, AXVM_LOCK_LEAF);
	cpu->stack_top = axvm_bare_make_stack(cpu->index);
	if (cpu->stack_top == 0 || axvm_bare_cpu_start(cpu) != 0) {
		say_number("warning: CPU ", cpu->index, " could not be started");
		return;
	}
	while (!cpu->online && axvm_hal_time_ticks() < deadline)
		;
	if (!cpu->online)
		say_number("warning: CPU ", cpu->index,
			   " did not come up, or is of another kind than CPU 0");
}

void axvm_hypervisor_secondary(struct axvm_cpu *cpu)
{
	if (!axvm_bare_cpu_is_like_first(cpu))
		axvm_bare_stop_cpu();
	axvm_bare_cpu_init(cpu);
	while (atomic_load_explicit(&may_run, memory_order_acquire) == 0)
		;
	axvm_sched_loop();
}

static void start_cpus(void)
{
	for (uint32_t i = 1; i < axvm_cpu_count_present; i++)
		start_cpu(&axvm_cpus[i]);
}

/* ---- the way up ------------------------------------------------------------------------------ */

static void say_machine(void)
{
	char line[80];
	struct axvm_text text = axvm_text(line, sizeof(line));
	uint32_t online = 0;

	for (uint32_t i = 0; i < axvm_cpu_count_present; i++)
		online += axvm_cpus[i].online;
	axvm_text_string(&text, "axvm on ");
	axvm_text_decimal(&text, online);
	axvm_text_string(&text, online == 1 ? " CPU, " : " CPUs, ");
	axvm_text_decimal(&text, axvm_memory_free_pages() * AXVM_PAGE_BYTES >> 20);
	axvm_text_string(&text, " MiB free");
	axvm_console_line(line);
}

/* With the own map, on a stack with a guard page, and with a console. */
static void start(void)
{
	const char *why = "";

	if (!axvm_bare_check(&why) || !axvm_bare_cpus_init(host.fdt, &why) ||
	    !axvm_bare_irq_init(host.fdt, &why))
		give_up(why);
	axvm_lock_init(&axvm_cpus[0].timers_lock, AXVM_LOCK_LEAF);
	(void)axvm_bare_cpu_is_like_first(&axvm_cpus[0]);
	axvm_bare_cpu_init(&axvm_cpus[0]);
	axvm_console_start_input();
	if (axvm_init(&why) != 0)
		give_up(why);
	start_cpus();
	say_machine();

	struct axvm_blob bundle = {
		.data = axvm_hal_map(axvm_hpa(host.bundle.base), host.bundle.bytes),
		.bytes = host.bundle.bytes,
	};
	if (!axvm_vms_start(bundle))
		axvm_vms_fail();
	atomic_store_explicit(&may_run, 1, memory_order_release);
	axvm_sched_loop();
}

/* Boots on CPU 0 with the boot map: this image, the RAM around it, the device tree. */
void axvm_hypervisor_main(uint64_t dtb_hpa, uint64_t image_hpa)
{
	const char *why = "";

	image = axvm_hpa(image_hpa);
	image_bytes = axvm_bare_image_bytes();
	dtb = axvm_hpa(dtb_hpa);
	if (!axvm_host_read(&host, axvm_hal_map(dtb, 0), &why))
		axvm_bare_stop_cpu(); /* without a tree there is no console to say it on */
	dtb_bytes = fdt_totalsize(host.fdt);
	axvm_vms_reset_on_failure(axvm_host_has_argument(&host, "axvm.on-failure=reset"));
	bool by_firmware = axvm_host_has_argument(&host, "axvm.console=firmware");
	if (!init_memory() || !axvm_console_init(host.fdt, by_firmware))
		axvm_vms_fail();
	uint64_t stack_top = axvm_bare_make_stack(0);
	if (stack_top == 0)
		give_up("no memory for a stack");
	axvm_bare_go_on(stack_top, start);
}
