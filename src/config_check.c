/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks between values: address ranges against each other, load addresses
 * against memory, interrupt numbers. Entries that were refused on their own
 * take no part, so that one mistake makes one error.
 */
#include "config_private.h"

/* Of the PLIC: 4 KiB for each context behind priorities, pending and enable bits. [PLIC] */
#define PLIC_CONTEXTS_OFFSET 0x200000u
#define PLIC_CONTEXT_BYTES 0x1000u
#define PLIC_HART_CONTEXTS 2u /* M and S */

/* Of the APLIC: 32 bytes for each hart behind the sources [AIA 4.5]; of the IMSIC: a page [AIA 3.6]. */
#define APLIC_HARTS_OFFSET 0x4000u
#define APLIC_HART_BYTES 0x20u
#define IMSIC_HART_BYTES 0x1000u

enum span_kind { SPAN_MEMORY, SPAN_EMULATED, SPAN_PORTS, SPAN_PASSTHROUGH };

struct span {
	uint64_t base;
	uint64_t bytes;
	uint64_t hpa; /* passthrough: of the base */
	enum span_kind kind;
	const struct axvm_toml_node *node; /* NULL: a device of the platform */
	struct axvm_config_place place;
};

struct spans {
	struct span *list;
	uint32_t count;
};

static void add(struct spans *spans, enum span_kind kind, uint64_t base, uint64_t bytes,
		const struct axvm_toml_node *node, struct axvm_config_place place)
{
	spans->list[spans->count++] = (struct span){ base, bytes, base, kind, node, place };
}

static struct axvm_config_place entry(const char *key, uint32_t index)
{
	struct axvm_config_place place = axvm_config_place(key);

	place.index = (int32_t)index;
	return place;
}

static bool is_short_memory(const struct axvm_config_reader *reader)
{
	return axvm_config_get(reader->kernel, "memory") == reader->memory_marks[0].base;
}

static struct axvm_config_place memory_place(const struct axvm_config_reader *reader,
					     uint32_t index)
{
	return is_short_memory(reader) ? axvm_config_place("memory")
				       : entry("memory_regions", index);
}

static void add_memory(const struct axvm_config_reader *reader, struct spans *spans)
{
	for (uint32_t i = 0; i < reader->config->memory_count; i++) {
		if (reader->memory_marks[i].good)
			add(spans, SPAN_MEMORY, reader->memory[i].gpa.addr, reader->memory[i].bytes,
			    reader->memory_marks[i].base, memory_place(reader, i));
	}
}

static struct axvm_config_place emu_place(const struct axvm_config_reader *reader, uint32_t index)
{
	return reader->emu_marks[index].base != NULL ? entry("emu_devices", index)
						     : axvm_config_place(reader->emu[index].name);
}

static void add_emulated(const struct axvm_config_reader *reader, struct spans *spans)
{
	for (uint32_t i = 0; i < reader->config->emu_count; i++) {
		const struct axvm_config_emu *emu = &reader->emu[i];
		const bool ports = axvm_emu_uses_ports(reader->platform->isa, emu->type);

		if (reader->emu_marks[i].good)
			add(spans, ports ? SPAN_PORTS : SPAN_EMULATED, emu->base.addr, emu->bytes,
			    reader->emu_marks[i].base, emu_place(reader, i));
	}
}

static void add_passthrough(const struct axvm_config_reader *reader, struct spans *spans)
{
	const struct axvm_config *config = reader->config;

	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		const struct axvm_config_passthrough *device = &config->passthrough[i];

		if (!reader->passthrough_marks[i].good)
			continue;
		add(spans, SPAN_PASSTHROUGH, device->gpa.addr, device->bytes,
		    reader->passthrough_marks[i].base, entry("passthrough_devices", i));
		spans->list[spans->count - 1].hpa = device->hpa.addr;
	}
	for (uint32_t i = 0; i < config->passthrough_address_count; i++) {
		if (reader->address_marks[i].good)
			add(spans, SPAN_PASSTHROUGH, config->passthrough_addresses[i].base,
			    config->passthrough_addresses[i].bytes, reader->address_marks[i].base,
			    entry("passthrough_addresses", i));
	}
}

static uint64_t pages_of(uint64_t base, uint64_t bytes)
{
	const uint64_t head = base & (AXVM_PAGE_BYTES - 1);

	return axvm_align_down(head + bytes + AXVM_PAGE_BYTES - 1, AXVM_PAGE_BYTES);
}

/* Passthrough is mapped by whole pages. Two may share some if these are the same host pages. */
static bool disagree(const struct span *a, const struct span *b)
{
	const uint64_t a_base = axvm_align_down(a->base, AXVM_PAGE_BYTES);
	const uint64_t b_base = axvm_align_down(b->base, AXVM_PAGE_BYTES);

	return axvm_ranges_overlap(a_base, pages_of(a->base, a->bytes), b_base,
				   pages_of(b->base, b->bytes)) &&
	       a->hpa - a->base != b->hpa - b->base;
}

/* Whether both cannot be had. A passthrough range gets a hole where a device is emulated. */
static bool conflict(const struct span *a, const struct span *b)
{
	const bool a_passes = a->kind == SPAN_PASSTHROUGH;
	const bool b_passes = b->kind == SPAN_PASSTHROUGH;

	if ((a->kind == SPAN_PORTS) != (b->kind == SPAN_PORTS))
		return false;
	if (a_passes && b_passes)
		return disagree(a, b);
	if ((a_passes && b->kind == SPAN_EMULATED) || (b_passes && a->kind == SPAN_EMULATED))
		return false;
	return axvm_ranges_overlap(a->base, a->bytes, b->base, b->bytes);
}

static void put_span(struct axvm_text *text, const struct span *span)
{
	axvm_config_put_place(text, span->place);
	axvm_text_string(text, span->node == NULL ? ", the platform's device (" : " (");
	axvm_text_range(text, span->base, span->bytes);
	axvm_text_char(text, ')');
}

static const char *base_field(const struct span *span)
{
	if (span->place.index < 0)
		return NULL;
	return span->kind == SPAN_MEMORY ? "gpa" : "base_gpa";
}

static void report_conflict(struct axvm_config_reader *reader, const struct span *later,
			    const struct span *earlier)
{
	const bool both_pass = later->kind == SPAN_PASSTHROUGH && earlier->kind == SPAN_PASSTHROUGH;
	struct axvm_text *text;

	if (later->node == NULL) { /* the file's own line is where it can be changed */
		const struct span *swap = later;

		later = earlier;
		earlier = swap;
	}
	text = axvm_config_error_begin(
		reader, later->place.index < 0
				? later->place
				: axvm_config_field(later->place, base_field(later)));
	axvm_text_char(text, ' ');
	axvm_text_hex(text, later->base);
	axvm_text_string(text, " overlaps ");
	put_span(text, earlier);
	axvm_text_string(text, both_pass ? " with other host addresses" : "");
	axvm_config_error_end(reader, later->node);
}

static void check_overlaps(struct axvm_config_reader *reader, const struct spans *spans)
{
	for (uint32_t i = 1; i < spans->count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (conflict(&spans->list[k], &spans->list[i])) {
				report_conflict(reader, &spans->list[i], &spans->list[k]);
				break;
			}
		}
	}
}

static void check_memory_ends(struct axvm_config_reader *reader)
{
	for (uint32_t i = 0; i < reader->config->memory_count; i++) {
		struct axvm_config_mark *mark = &reader->memory_marks[i];
		const uint64_t base = reader->memory[i].gpa.addr;
		const uint64_t bytes = reader->memory[i].bytes;
		struct axvm_text *text;

		if (!mark->good || bytes <= AXVM_CONFIG_GPA_LIMIT - base)
			continue;
		mark->good = false;
		text = axvm_config_error_begin(reader, entry("memory_regions", i));
		axvm_text_char(text, ' ');
		axvm_text_range(text, base, bytes);
		axvm_text_string(text, " ends beyond ");
		axvm_text_hex(text, AXVM_CONFIG_GPA_LIMIT - 1);
		axvm_text_string(text, ", the last guest address there is");
		axvm_config_error_end(reader, mark->base);
	}
}

static void check_ranges(struct axvm_config_reader *reader)
{
	const struct axvm_config *config = reader->config;
	const uint32_t count = config->memory_count + config->emu_count +
			       config->passthrough_count + config->passthrough_address_count;
	struct spans spans = { axvm_config_take(reader, count, sizeof(struct span)), 0 };

	if (spans.list == NULL)
		return;
	check_memory_ends(reader);
	add_memory(reader, &spans);
	add_emulated(reader, &spans);
	add_passthrough(reader, &spans);
	check_overlaps(reader, &spans);
}

/* ---- addresses that must lie in memory ------------------------------------------------------- */

static bool all_memory_good(const struct axvm_config_reader *reader)
{
	for (uint32_t i = 0; i < reader->config->memory_count; i++) {
		if (!reader->memory_marks[i].good)
			return false;
	}
	return reader->config->memory_count > 0;
}

static void check_in_memory(struct axvm_config_reader *reader, const char *key, struct axvm_gpa gpa)
{
	const struct axvm_config *config = reader->config;
	const struct axvm_toml_node *node = axvm_config_get(reader->kernel, key);
	struct axvm_text *text;

	for (uint32_t i = 0; i < config->memory_count; i++) {
		if (axvm_range_contains(config->memory[i].gpa.addr, config->memory[i].bytes,
					gpa.addr, 1))
			return;
	}
	text = axvm_config_error_begin(reader, axvm_config_place(key));
	axvm_text_char(text, ' ');
	axvm_text_hex(text, gpa.addr);
	axvm_text_string(text, " is not in memory; main memory is ");
	axvm_text_range(text, config->memory[0].gpa.addr, config->memory[0].bytes);
	axvm_config_error_end(reader, node);
}

static void check_load_addresses(struct axvm_config_reader *reader)
{
	const struct axvm_config *config = reader->config;

	if (!all_memory_good(reader))
		return;
	if (config->has_entry && config->boot_protocol != AXVM_BOOT_UEFI)
		check_in_memory(reader, "entry_point", config->entry);
	if (config->kernel.has_load)
		check_in_memory(reader, "kernel_load_addr", config->kernel.load);
	if (config->initrd.has_load)
		check_in_memory(reader, "ramdisk_load_addr", config->initrd.load);
	if (config->dtb.has_load)
		check_in_memory(reader, "dtb_load_addr", config->dtb.load);
	if (config->bios.has_load)
		check_in_memory(reader, "bios_load_addr", config->bios.load);
}

/* ---- interrupts and single devices ------------------------------------------------------------- */

static void report_irq(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint32_t irq, uint32_t owner)
{
	struct axvm_text *text =
		axvm_config_error_begin(reader, axvm_config_field(place, "irq_id"));

	axvm_text_char(text, ' ');
	axvm_text_decimal(text, irq);
	axvm_text_string(text, " is used by ");
	axvm_config_put_place(text, emu_place(reader, owner));
	axvm_text_string(text, reader->emu_marks[owner].base == NULL
				       ? ", the platform's device, too"
				       : " too");
	axvm_config_error_end(reader, node);
}

/* The first of `count` emulated devices that has this interrupt, or `count`. */
static uint32_t find_irq(const struct axvm_config_reader *reader, uint32_t count, uint32_t irq)
{
	uint32_t i = 0;

	while (i < count && (irq == 0 || !reader->emu_marks[i].good || reader->emu[i].irq != irq))
		i++;
	return i;
}

/* Devices that are passed through may share a line among themselves, as hardware does. */
static void check_interrupts(struct axvm_config_reader *reader)
{
	const struct axvm_config *config = reader->config;

	for (uint32_t i = 0; i < config->emu_count; i++) {
		const uint32_t owner = find_irq(reader, i, config->emu[i].irq);

		if (reader->emu_marks[i].good && owner < i)
			report_irq(reader, entry("emu_devices", i), reader->emu_marks[i].irq,
				   config->emu[i].irq, owner);
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		const uint32_t irq = config->passthrough[i].irq;
		const uint32_t owner = find_irq(reader, config->emu_count, irq);

		if (reader->passthrough_marks[i].good && owner < config->emu_count)
			report_irq(reader, entry("passthrough_devices", i),
				   reader->passthrough_marks[i].irq, irq, owner);
	}
}

static bool is_controller(enum axvm_emu_type type)
{
	return type == AXVM_EMU_PPPT_GLOBAL || type == AXVM_EMU_PLIC || type == AXVM_EMU_APLIC ||
	       type == AXVM_EMU_GICV3;
}

static bool is_single(enum axvm_emu_type type)
{
	return is_controller(type) || type == AXVM_EMU_IMSIC || type == AXVM_EMU_IVC_CHANNEL ||
	       type == AXVM_EMU_X86_IOAPIC || type == AXVM_EMU_X86_PIT;
}

static void report_second(struct axvm_config_reader *reader, uint32_t index, uint32_t earlier)
{
	struct axvm_text *text = axvm_config_error_begin(reader, emu_place(reader, index));

	if (reader->emu[index].type == reader->emu[earlier].type) {
		axvm_text_string(text, " is a second \"");
		axvm_text_string(text, axvm_emu_type_name(reader->emu[index].type));
		axvm_text_string(text, "\"; a VM has at most one");
	} else {
		axvm_text_string(text, " is an interrupt controller beside ");
		axvm_config_put_place(text, emu_place(reader, earlier));
		axvm_text_string(text, "; a VM has at most one");
	}
	axvm_config_error_end(reader, reader->emu_marks[index].base);
}

static bool excludes(enum axvm_emu_type a, enum axvm_emu_type b)
{
	return a == b || (is_controller(a) && is_controller(b));
}

/* The first of `count` devices of which there cannot be another beside this type, or `count`. */
static uint32_t find_excluding(const struct axvm_config_reader *reader, uint32_t count,
			       enum axvm_emu_type type)
{
	uint32_t i = 0;

	while (i < count && (!reader->emu_marks[i].good || !excludes(reader->emu[i].type, type)))
		i++;
	return i;
}

static void check_singles(struct axvm_config_reader *reader)
{
	for (uint32_t i = 0; i < reader->config->emu_count; i++) {
		const enum axvm_emu_type type = reader->emu[i].type;
		const uint32_t earlier = find_excluding(reader, i, type);

		if (reader->emu_marks[i].good && is_single(type) && earlier < i)
			report_second(reader, i, earlier);
	}
}

/* An IMSIC takes messages, and there is nothing but an APLIC that would send any. */
static void check_imsic(struct axvm_config_reader *reader)
{
	const uint32_t count = reader->config->emu_count;
	uint32_t imsic = find_excluding(reader, count, AXVM_EMU_IMSIC);
	bool has_aplic = false;

	for (uint32_t i = 0; i < count; i++)
		has_aplic = has_aplic || reader->emu[i].type == AXVM_EMU_APLIC;
	if (imsic == count || has_aplic)
		return;
	axvm_text_string(axvm_config_error_begin(reader, emu_place(reader, imsic)),
			 " is an \"imsic\" without an \"aplic\", which would send it messages");
	axvm_config_error_end(reader, reader->emu_marks[imsic].base);
}

static uint64_t plic_bytes(uint64_t contexts)
{
	return contexts > AXVM_CONFIG_GPA_LIMIT / PLIC_CONTEXT_BYTES
		       ? UINT64_MAX
		       : PLIC_CONTEXTS_OFFSET + contexts * PLIC_CONTEXT_BYTES;
}

/* What cfg_list says, and all vCPUs, must fit into the device's range; 0: nothing follows from them. */
static uint64_t needed_bytes(const struct axvm_config_emu *emu, uint32_t vcpu_count)
{
	const uint64_t count = emu->arg_count > 0 ? emu->args[0] : 0;
	uint64_t bytes;

	switch (emu->type) {
	case AXVM_EMU_GPPT_REDISTRIBUTOR:
		if (emu->arg_count < 2)
			return 0;
		return __builtin_mul_overflow(count, emu->args[1], &bytes) ? UINT64_MAX : bytes;
	case AXVM_EMU_PPPT_GLOBAL:
		return plic_bytes(count);
	case AXVM_EMU_PLIC:
		return plic_bytes((uint64_t)PLIC_HART_CONTEXTS * vcpu_count);
	case AXVM_EMU_APLIC:
		return APLIC_HARTS_OFFSET + (uint64_t)APLIC_HART_BYTES * vcpu_count;
	case AXVM_EMU_IMSIC:
		return (uint64_t)IMSIC_HART_BYTES * vcpu_count;
	default:
		return 0;
	}
}

static void check_length(struct axvm_config_reader *reader, uint32_t index)
{
	const struct axvm_config_emu *emu = &reader->emu[index];
	const uint64_t needed = needed_bytes(emu, reader->config->vcpu_count);
	struct axvm_text *text;

	if (!reader->emu_marks[index].good || needed <= emu->bytes)
		return;
	text = axvm_config_error_begin(reader,
				       axvm_config_field(emu_place(reader, index), "length"));
	axvm_text_char(text, ' ');
	axvm_text_hex(text, emu->bytes);
	axvm_text_string(text, emu->arg_count > 0 ? " is too small for its cfg_list, which needs "
						  : " is too small for all vCPUs, which need ");
	axvm_text_hex(text, needed);
	axvm_config_error_end(reader, reader->emu_marks[index].base);
}

static void check_lengths(struct axvm_config_reader *reader)
{
	for (uint32_t i = 0; i < reader->config->emu_count; i++)
		check_length(reader, i);
}

void axvm_config_check(struct axvm_config_reader *reader)
{
	check_ranges(reader);
	check_load_addresses(reader);
	check_interrupts(reader);
	check_singles(reader);
	check_imsic(reader);
	check_lengths(reader);
}
