/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the host that a VM gets. What the configuration says becomes a
 * sorted list of whole pages in three steps: collect, merge, punch.
 */
#include <string.h>

#include <axvm/hal.h>

#include "arch.h"
#include "vm_parts.h"

#define PAGE_MASK (AXVM_PAGE_BYTES - 1)
#define PASSTHROUGH_FLAGS (AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_DEVICE)

struct list {
	struct axvm_passthrough_range *ranges;
	uint32_t count;
	uint32_t capacity;
};

static int say(struct axvm_text *why, uint64_t gpa, uint64_t bytes, const char *what, int error)
{
	axvm_text_string(why, "passthrough ");
	axvm_text_range(why, gpa, bytes);
	axvm_text_string(why, what);
	return error;
}

/* Rounds outward. False: it wraps. */
static bool round_out(uint64_t *base, uint64_t *bytes)
{
	uint64_t last = *base + (*bytes - 1);

	if (axvm_range_wraps(*base, *bytes) || (last | PAGE_MASK) == UINT64_MAX)
		return false;
	*base = axvm_align_down(*base, AXVM_PAGE_BYTES);
	*bytes = (last | PAGE_MASK) + 1 - *base;
	return true;
}

/* Inserts by GPA, behind those that begin at the same one. */
static int insert(struct list *list, struct axvm_passthrough_range range, struct axvm_text *why)
{
	uint32_t at = list->count;

	if (list->count == list->capacity)
		return say(why, range.gpa.addr, range.bytes, ": too many ranges", AXVM_ERANGE);
	for (; at > 0 && list->ranges[at - 1].gpa.addr > range.gpa.addr; at--)
		list->ranges[at] = list->ranges[at - 1];
	list->ranges[at] = range;
	list->count++;
	return 0;
}

static int collect_one(struct list *list, uint64_t gpa, uint64_t hpa, uint64_t bytes,
		       struct axvm_text *why)
{
	uint64_t gpa_base = gpa;
	uint64_t hpa_base = hpa;
	uint64_t gpa_bytes = bytes;
	uint64_t hpa_bytes = bytes;

	if (bytes == 0)
		return say(why, gpa, bytes, ": no length", AXVM_EINVAL);
	if (((gpa ^ hpa) & PAGE_MASK) != 0)
		return say(why, gpa, bytes,
			   ": guest and host address have different offsets within their pages",
			   AXVM_EINVAL);
	if (!round_out(&gpa_base, &gpa_bytes) || !round_out(&hpa_base, &hpa_bytes))
		return say(why, gpa, bytes, ": wraps around the end of addresses", AXVM_EINVAL);
	return insert(list,
		      (struct axvm_passthrough_range){ axvm_gpa(gpa_base), axvm_hpa(hpa_base),
						       gpa_bytes },
		      why);
}

static int collect(struct list *list, const struct axvm_config *config, struct axvm_text *why)
{
	int error = 0;

	for (uint32_t i = 0; i < config->passthrough_count && error == 0; i++) {
		const struct axvm_config_passthrough *device = &config->passthrough[i];

		if (device->path == NULL)
			error = collect_one(list, device->gpa.addr, device->hpa.addr, device->bytes,
					    why);
	}
	for (uint32_t i = 0; i < config->passthrough_address_count && error == 0; i++) {
		const struct axvm_config_range *range = &config->passthrough_addresses[i];

		error = collect_one(list, range->base, range->base, range->bytes, why);
	}
	return error;
}

/* Into as few ranges as possible, in place. */
static int merge(struct list *list, struct axvm_text *why)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		struct axvm_passthrough_range next = list->ranges[i];
		struct axvm_passthrough_range *last = kept > 0 ? &list->ranges[kept - 1] : NULL;
		uint64_t distance = last ? next.gpa.addr - last->gpa.addr : 0;

		if (last == NULL || distance > last->bytes) {
			list->ranges[kept++] = next;
			continue;
		}
		if (next.hpa.addr - last->hpa.addr == distance) { /* both modulo 2^64 */
			if (next.bytes > last->bytes - distance)
				last->bytes = distance + next.bytes;
			continue;
		}
		if (distance < last->bytes)
			return say(why, next.gpa.addr, next.bytes,
				   ": another entry gives the same guest page another host page",
				   AXVM_EEXIST);
		list->ranges[kept++] = next;
	}
	list->count = kept;
	return 0;
}

static void remove_at(struct list *list, uint32_t at)
{
	list->count--;
	memmove(&list->ranges[at], &list->ranges[at + 1],
		(list->count - at) * sizeof(list->ranges[0]));
}

/* Takes [base, base + bytes), whole pages, out of the range at `at`. */
static int cut(struct list *list, uint32_t at, uint64_t base, uint64_t bytes, struct axvm_text *why)
{
	struct axvm_passthrough_range *range = &list->ranges[at];
	uint64_t last = base + (bytes - 1);
	uint64_t range_last = range->gpa.addr + (range->bytes - 1);
	struct axvm_passthrough_range behind = { .bytes = 0 };

	if (last < range_last) {
		uint64_t skip = last + 1 - range->gpa.addr;

		behind.gpa = axvm_gpa(range->gpa.addr + skip);
		behind.hpa = axvm_hpa(range->hpa.addr + skip);
		behind.bytes = range->bytes - skip;
	}
	if (base > range->gpa.addr)
		range->bytes = base - range->gpa.addr;
	else
		remove_at(list, at);
	return behind.bytes > 0 ? insert(list, behind, why) : 0;
}

static int punch(struct list *list, const struct axvm_config_range *hole, struct axvm_text *why)
{
	uint64_t base = hole->base;
	uint64_t bytes = hole->bytes;
	int error = 0;

	if (bytes == 0)
		return 0;
	if (!round_out(&base, &bytes))
		return say(why, hole->base, hole->bytes, ": an emulated device that wraps",
			   AXVM_EINVAL);
	/* From the end: what a cut puts behind or removes has been looked at. */
	for (uint32_t i = list->count; i-- > 0 && error == 0;) {
		if (axvm_ranges_overlap(list->ranges[i].gpa.addr, list->ranges[i].bytes, base,
					bytes))
			error = cut(list, i, base, bytes, why);
	}
	return error;
}

uint32_t axvm_passthrough_capacity(const struct axvm_config *config, uint32_t hole_count)
{
	return config->passthrough_count + config->passthrough_address_count + hole_count;
}

int axvm_passthrough_plan(const struct axvm_config *config, const struct axvm_config_range *holes,
			  uint32_t hole_count, struct axvm_passthrough_range *ranges,
			  uint32_t capacity, uint32_t *count, struct axvm_text *why)
{
	struct list list = { .ranges = ranges, .capacity = capacity };
	int error = collect(&list, config, why);

	if (error == 0)
		error = merge(&list, why);
	for (uint32_t i = 0; i < hole_count && error == 0; i++)
		error = punch(&list, &holes[i], why);
	if (error == 0)
		*count = list.count;
	return error;
}

/* What is emulated: as configured, and as the devices really attached. */
static struct axvm_config_range *list_holes(struct axvm_vm *vm, uint32_t *count)
{
	const struct axvm_config *config = vm->config;
	uint32_t room = config->emu_count + vm->mmio.count;
	struct axvm_config_range *holes = axvm_vm_alloc(vm, (room + 1) * sizeof(*holes));

	*count = 0;
	for (uint32_t i = 0; holes != NULL && i < config->emu_count; i++)
		holes[(*count)++] = (struct axvm_config_range){ config->emu[i].base.addr,
								config->emu[i].bytes };
	for (uint32_t i = 0; holes != NULL && i < vm->mmio.count; i++)
		holes[(*count)++] = (struct axvm_config_range){ vm->mmio.regions[i].base,
								vm->mmio.regions[i].bytes };
	return holes;
}

static int map_one(struct axvm_vm *vm, const struct axvm_passthrough_range *range,
		   struct axvm_text *why)
{
	if (axvm_memory_find(vm, range->gpa.addr, range->bytes) != NULL)
		return say(why, range->gpa.addr, range->bytes, ": overlaps the VM's memory",
			   AXVM_EEXIST);
	if (!axvm_hal_may_pass_through(range->hpa, range->bytes))
		return say(why, range->hpa.addr, range->bytes,
			   ": the host does not leave this range to guests", AXVM_EPERM);
	int error = axvm_aspace_map(&vm->aspace, range->gpa, range->hpa, range->bytes,
				    PASSTHROUGH_FLAGS);

	return error ? say(why, range->gpa.addr, range->bytes, ": cannot be mapped", error) : 0;
}

int axvm_passthrough_make(struct axvm_vm *vm, struct axvm_text *why)
{
	const struct axvm_config *config = vm->config;

	if (config->address_space_passthrough) {
		axvm_text_string(why, "address_space_policy \"passthrough\" is not available; name "
				      "the ranges in passthrough_addresses");
		return AXVM_EUNSUPPORTED;
	}
	if (config->passthrough_count + config->passthrough_address_count == 0)
		return 0;

	uint32_t hole_count;
	struct axvm_config_range *holes = list_holes(vm, &hole_count);
	uint32_t capacity = axvm_passthrough_capacity(config, hole_count);

	vm->passthrough = axvm_vm_alloc(vm, capacity * sizeof(*vm->passthrough));
	if (holes == NULL || vm->passthrough == NULL)
		return AXVM_ENOMEM;
	int error = axvm_passthrough_plan(config, holes, hole_count, vm->passthrough, capacity,
					  &vm->passthrough_count, why);

	for (uint32_t i = 0; i < vm->passthrough_count && error == 0; i++)
		error = map_one(vm, &vm->passthrough[i], why);
	return error;
}

/* ---- interrupts ---------------------------------------------------------------------------- */

/* Whether entry `at` brings an interrupt that none before it has brought: devices may share. */
static bool brings_irq(const struct axvm_config *config, uint32_t at)
{
	uint32_t irq = config->passthrough[at].irq;

	if (config->irq_mode != AXVM_IRQ_EMULATED || irq < axvm_arch_platform->irq_first)
		return false;
	for (uint32_t i = 0; i < at; i++) {
		if (config->passthrough[i].irq == irq)
			return false;
	}
	return true;
}

static const char *irq_problem(int error)
{
	switch (error) {
	case AXVM_EPERM:
		return ": the host uses this interrupt itself";
	case AXVM_EBUSY:
		return ": another VM has this interrupt";
	case AXVM_EINVAL:
		return ": the host has no such interrupt";
	default:
		return ": this interrupt cannot be passed through";
	}
}

int axvm_passthrough_attach(struct axvm_vm *vm, struct axvm_text *why)
{
	const struct axvm_config *config = vm->config;

	for (; vm->irqs_attached < config->passthrough_count; vm->irqs_attached++) {
		uint32_t irq = config->passthrough[vm->irqs_attached].irq;
		int error =
			brings_irq(config, vm->irqs_attached) ? axvm_hal_irq_attach(vm, irq) : 0;

		if (error == 0)
			continue;
		axvm_text_string(why, "passthrough irq ");
		axvm_text_decimal(why, irq);
		axvm_text_string(why, irq_problem(error));
		return error;
	}
	return 0;
}

void axvm_passthrough_detach(struct axvm_vm *vm)
{
	while (vm->irqs_attached > 0) {
		uint32_t at = --vm->irqs_attached;

		if (brings_irq(vm->config, at))
			axvm_hal_irq_detach(vm, vm->config->passthrough[at].irq);
	}
}

bool axvm_passthrough_has_irq(const struct axvm_vm *vm, uint32_t irq)
{
	for (uint32_t i = 0; i < vm->irqs_attached; i++) {
		if (vm->config->passthrough[i].irq == irq && brings_irq(vm->config, i))
			return true;
	}
	return false;
}
