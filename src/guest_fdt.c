// SPDX-License-Identifier: Apache-2.0
/*
 * Makes the guest's device tree. It has the shape of the tree of QEMU's virt machines, down to the
 * names of the nodes, because that is what guests are tried on.
 */
#include "guest_fdt_private.h"

#include <libfdt.h>

#define CLOCK_PHANDLE 0x8000u
#define INTC_PHANDLE 0x8002u
#define PL011_CLOCK_HZ 24000000u
#define NS16550_CLOCK_HZ 3686400u

#define MPIDR_AFFINITY 0xff00ffffffu /* Aff3 and Aff2 to Aff0 [ARM D19.2.101] */

/* Linux and its bindings number the triggers alike for all controllers [DT, arm,gic-v3]. */
#define IRQ_EDGE_RISING 1u
#define IRQ_LEVEL_HIGH 4u

/* How an emulated device stands in the tree. */
struct node_shape {
	enum axvm_emu_type type;
	const char *name;
	const char *compatible; /* a string list */
	uint32_t compatible_bytes;
	uint32_t trigger;
	void (*properties)(struct axvm_guest_fdt *fdt);
	bool is_uart;
	bool wants_clock;
};

static void pl011_properties(struct axvm_guest_fdt *fdt)
{
	static const uint32_t clocks[2] = { CLOCK_PHANDLE, CLOCK_PHANDLE };

	axvm_guest_fdt_strings(fdt, "clock-names", "uartclk\0apb_pclk");
	axvm_guest_fdt_cells(fdt, "clocks", clocks, 2);
}

static void pl031_properties(struct axvm_guest_fdt *fdt)
{
	axvm_guest_fdt_string(fdt, "clock-names", "apb_pclk");
	axvm_guest_fdt_u32(fdt, "clocks", CLOCK_PHANDLE);
}

static void ns16550_properties(struct axvm_guest_fdt *fdt)
{
	axvm_guest_fdt_u32(fdt, "clock-frequency", NS16550_CLOCK_HZ);
}

static void virtio_properties(struct axvm_guest_fdt *fdt)
{
	axvm_guest_fdt_flag(fdt, "dma-coherent");
}

#define COMPATIBLE(literal) .compatible = (literal), .compatible_bytes = sizeof(literal)
#define VIRTIO(id)                                                                       \
	{                                                                                \
		.type = AXVM_EMU_##id, .name = "virtio_mmio", COMPATIBLE("virtio,mmio"), \
		.trigger = IRQ_EDGE_RISING, .properties = virtio_properties              \
	}

static const struct node_shape shapes[] = {
	{ .type = AXVM_EMU_PL011,
	  .name = "pl011",
	  COMPATIBLE("arm,pl011\0arm,primecell"),
	  .trigger = IRQ_LEVEL_HIGH,
	  .properties = pl011_properties,
	  .is_uart = true,
	  .wants_clock = true },
	{ .type = AXVM_EMU_PL031,
	  .name = "pl031",
	  COMPATIBLE("arm,pl031\0arm,primecell"),
	  .trigger = IRQ_LEVEL_HIGH,
	  .properties = pl031_properties,
	  .wants_clock = true },
	{ .type = AXVM_EMU_NS16550,
	  .name = "serial",
	  COMPATIBLE("ns16550a"),
	  .trigger = IRQ_LEVEL_HIGH,
	  .properties = ns16550_properties,
	  .is_uart = true },
	VIRTIO(VIRTIO_BLK),
	VIRTIO(VIRTIO_NET),
	VIRTIO(VIRTIO_CONSOLE),
};

/* NULL: the device has no node, or the platform writes it. */
static const struct node_shape *find_shape(enum axvm_emu_type type)
{
	for (uint32_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (shapes[i].type == type)
			return &shapes[i];
	}
	return NULL;
}

static bool begins_with(const char *text, const char *prefix)
{
	uint32_t at = 0;

	while (prefix[at] != '\0' && text[at] == prefix[at])
		at++;
	return prefix[at] == '\0';
}

/*
 * A device that is passed through has a node when its name says what it is: "pl011" and more, or
 * "serial@10000000", or "ns16550".
 */
static const struct node_shape *find_passed(const struct axvm_config_passthrough *device,
					    struct axvm_config_emu *as)
{
	if (device->path != NULL || device->name == NULL)
		return NULL;
	for (uint32_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (!begins_with(device->name, shapes[i].name) &&
		    !begins_with(device->name, axvm_emu_type_name(shapes[i].type)))
			continue;
		*as = (struct axvm_config_emu){ .type = shapes[i].type,
						.base = device->gpa,
						.bytes = device->bytes,
						.irq = device->irq };
		return &shapes[i];
	}
	return NULL;
}

/* ---- shared with patching ------------------------------------------------------------------- */

void axvm_guest_fdt_name(struct axvm_text *text, const char *name, uint64_t address)
{
	static const char digits[] = "0123456789abcdef";
	unsigned shift = 60;

	axvm_text_string(text, name);
	axvm_text_char(text, '@');
	while (shift > 0 && address >> shift == 0)
		shift -= 4;
	for (; shift > 0; shift -= 4)
		axvm_text_char(text, digits[address >> shift & 0xf]);
	axvm_text_char(text, digits[address & 0xf]);
}

static bool uart_path(const struct axvm_config_emu *emu, char path[64])
{
	const struct node_shape *shape = find_shape(emu->type);
	struct axvm_text text = axvm_text(path, 64);

	if (!shape || !shape->is_uart)
		return false;
	axvm_text_char(&text, '/');
	axvm_guest_fdt_name(&text, shape->name, emu->base.addr);
	return true;
}

bool axvm_guest_fdt_stdout(const struct axvm_config *config, char path[64])
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (uart_path(&config->emu[i], path))
			return true;
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		struct axvm_config_emu as;

		if (find_passed(&config->passthrough[i], &as) && uart_path(&as, path))
			return true;
	}
	return false;
}

int axvm_guest_fdt_error(int fdt_error)
{
	if (fdt_error >= 0)
		return 0;
	return fdt_error == -FDT_ERR_NOSPACE ? AXVM_ENOMEM : AXVM_EFORMAT;
}

int axvm_guest_fdt_capacity(const struct axvm_guest_fdt *fdt)
{
	return fdt->capacity > INT32_MAX ? INT32_MAX : (int)fdt->capacity;
}

uint64_t axvm_guest_cpu_id(const struct axvm_config *config, enum axvm_isa isa, uint32_t index)
{
	if (config->phys_cpu_ids)
		return config->phys_cpu_ids[index] &
		       (isa == AXVM_ISA_AARCH64 ? MPIDR_AFFINITY : UINT64_MAX);
	if (isa == AXVM_ISA_AARCH64)
		return (uint64_t)(index / 16) << 8 | index % 16;
	return index;
}

uint64_t axvm_guest_fdt_kaslr_seed(const uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES])
{
	uint64_t mixed = 0;

	for (uint32_t i = 0; i < AXVM_GUEST_FDT_SEED_BYTES; i++) {
		mixed = (mixed ^ seed[i]) * 0x9e3779b97f4a7c15u;
		mixed ^= mixed >> 29;
	}
	return mixed;
}

void axvm_guest_fdt_reseed(void *tree, const uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES])
{
	int chosen = fdt_path_offset(tree, "/chosen");

	if (chosen < 0)
		return;
	/* They are of these sizes, or not there. */
	(void)fdt_setprop_inplace_u64(tree, chosen, "kaslr-seed", axvm_guest_fdt_kaslr_seed(seed));
	(void)fdt_setprop_inplace(tree, chosen, "rng-seed", seed, AXVM_GUEST_FDT_SEED_BYTES);
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static void write_root(struct axvm_guest_fdt *fdt, bool has_controller)
{
	if (has_controller)
		axvm_guest_fdt_u32(fdt, "interrupt-parent", fdt->intc_phandle);
	axvm_guest_fdt_string(fdt, "model", "linux,dummy-virt");
	axvm_guest_fdt_u32(fdt, "#size-cells", 2);
	axvm_guest_fdt_u32(fdt, "#address-cells", 2);
	axvm_guest_fdt_string(fdt, "compatible", "linux,dummy-virt");
}

static void write_memory(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->memory_count; i++) {
		const struct axvm_config_memory *memory = &config->memory[i];

		if (!axvm_guest_fdt_is_ram(memory))
			continue;
		axvm_guest_fdt_begin_at(fdt, "memory", memory->gpa.addr);
		axvm_guest_fdt_reg(fdt, memory->gpa.addr, memory->bytes);
		axvm_guest_fdt_string(fdt, "device_type", "memory");
		axvm_guest_fdt_end(fdt);
	}
}

static void write_interrupt(struct axvm_guest_fdt *fdt, uint32_t irq, uint32_t trigger)
{
	if (irq < fdt->irq_first || fdt->irq_cells == 0)
		return;

	const bool is_shared = fdt->irq_cells == 3;
	const uint32_t cells[3] = { 0, is_shared ? irq - fdt->irq_first : irq, trigger };

	axvm_guest_fdt_u32(fdt, "interrupt-parent", fdt->intc_phandle);
	axvm_guest_fdt_cells(fdt, "interrupts", is_shared ? cells : cells + 1, fdt->irq_cells);
}

static void write_device(struct axvm_guest_fdt *fdt, const struct axvm_config_emu *emu)
{
	const struct node_shape *shape = find_shape(emu->type);

	if (!shape)
		return;
	axvm_guest_fdt_begin_at(fdt, shape->name, emu->base.addr);
	shape->properties(fdt);
	write_interrupt(fdt, emu->irq, shape->trigger);
	axvm_guest_fdt_reg(fdt, emu->base.addr, emu->bytes);
	axvm_guest_fdt_bytes(fdt, "compatible", shape->compatible, shape->compatible_bytes);
	axvm_guest_fdt_end(fdt);
}

static void write_devices(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	bool wants_clock = false;

	for (uint32_t i = 0; i < config->emu_count; i++) {
		const struct node_shape *shape = find_shape(config->emu[i].type);

		wants_clock = wants_clock || (shape && shape->wants_clock);
		write_device(fdt, &config->emu[i]);
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		struct axvm_config_emu as;

		const struct node_shape *shape = find_passed(&config->passthrough[i], &as);

		if (shape) {
			wants_clock = wants_clock || shape->wants_clock;
			write_device(fdt, &as);
		}
	}
	if (!wants_clock)
		return;
	axvm_guest_fdt_begin(fdt, "apb-pclk");
	axvm_guest_fdt_u32(fdt, "phandle", CLOCK_PHANDLE);
	axvm_guest_fdt_string(fdt, "clock-output-names", "clk24mhz");
	axvm_guest_fdt_u32(fdt, "clock-frequency", PL011_CLOCK_HZ);
	axvm_guest_fdt_u32(fdt, "#clock-cells", 0);
	axvm_guest_fdt_string(fdt, "compatible", "fixed-clock");
	axvm_guest_fdt_end(fdt);
}

static void write_chosen(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
			 const struct axvm_plan *plan)
{
	char uart[64];
	bool has_uart = axvm_guest_fdt_stdout(config, uart);

	if (has_uart) {
		axvm_guest_fdt_begin(fdt, "aliases");
		axvm_guest_fdt_string(fdt, "serial0", uart);
		axvm_guest_fdt_end(fdt);
	}
	axvm_guest_fdt_begin(fdt, "chosen");
	if (has_uart)
		axvm_guest_fdt_string(fdt, "stdout-path", uart);
	if (config->cmdline && config->cmdline[0] != '\0')
		axvm_guest_fdt_string(fdt, "bootargs", config->cmdline);
	if (plan->initrd_bytes > 0) {
		axvm_guest_fdt_u64(fdt, "linux,initrd-start", plan->initrd_gpa);
		axvm_guest_fdt_u64(fdt, "linux,initrd-end", plan->initrd_gpa + plan->initrd_bytes);
	}
	if (fdt->seed) {
		axvm_guest_fdt_u64(fdt, "kaslr-seed", axvm_guest_fdt_kaslr_seed(fdt->seed));
		axvm_guest_fdt_bytes(fdt, "rng-seed", fdt->seed, AXVM_GUEST_FDT_SEED_BYTES);
	}
	axvm_guest_fdt_end(fdt);
}

int axvm_guest_fdt_make(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
			const struct axvm_platform *platform, const struct axvm_plan *plan,
			uint64_t *bytes)
{
	fdt->intc_phandle = INTC_PHANDLE;
	fdt->irq_cells = 1;
	fdt->irq_first = 1;
	fdt->error = fdt_create(fdt->buffer, axvm_guest_fdt_capacity(fdt));
	if (fdt->error == 0)
		fdt->error = fdt_finish_reservemap(fdt->buffer);
	axvm_guest_fdt_begin(fdt, "");
	write_root(fdt, platform->fdt_has_root_controller);
	if (platform->fdt_machine) {
		int error = platform->fdt_machine(fdt, config);

		if (error)
			return error;
	}
	write_memory(fdt, config);
	write_devices(fdt, config);
	write_chosen(fdt, config, plan);
	axvm_guest_fdt_end(fdt);
	if (fdt->error == 0)
		fdt->error = fdt_finish(fdt->buffer);
	if (fdt->error == 0 && platform->fdt_has_root_controller)
		fdt->error = fdt_setprop_inplace_u32(fdt->buffer, 0, "interrupt-parent",
						     fdt->intc_phandle);
	if (fdt->error != 0)
		return axvm_guest_fdt_error(fdt->error);
	*bytes = fdt_totalsize(fdt->buffer);
	return 0;
}
