/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM from its making to its end. Making is a list of steps; each leaves in the
 * struct what it has made, so that axvm_vm_release gives back exactly that, in
 * reverse order, after any of them: creation that fails, and destruction, are
 * the same code.
 */
#include <string.h>

#include <axvm/hal.h>

#include "arch.h"
#include "bus.h"
#include "guest_fdt.h"
#include "pte_format.h"
#include "vm_parts.h"

#define MEMORY_COUNT_MAX 1024u
#define OVERHEAD_PAGES 512u /* of the default, beside what grows with memory and vCPUs */

/* ---- what can be refused before anything is made ---------------------------------------- */

static int say(struct axvm_text *why, const char *what, int error)
{
	axvm_text_string(why, what);
	return error;
}

static int check_config(const struct axvm_config *config, struct axvm_text *why)
{
	if (config->name == NULL || config->memory == NULL || config->memory_count == 0)
		return say(why, "a VM needs a name and a memory region", AXVM_EINVAL);
	if (config->memory_count > MEMORY_COUNT_MAX)
		return say(why, "more than 1024 memory regions", AXVM_ERANGE);
	if (config->vcpu_count == 0 || config->vcpu_count > AXVM_VCPUS_MAX) {
		axvm_text_decimal(why, config->vcpu_count);
		return say(why, " vCPUs: 1 to 64 are possible", AXVM_ERANGE);
	}
	if (config->emu_count > AXVM_VM_DEVICES_MAX) {
		axvm_text_decimal(why, config->emu_count);
		return say(why, " emulated devices: 32 are possible", AXVM_ERANGE);
	}
	return 0;
}

_Static_assert(AXVM_VCPUS_MAX == 64 && AXVM_VM_DEVICES_MAX == 32, "check_config's sentences");

static int check_id(uint32_t id, struct axvm_text *why)
{
	struct axvm_vm *other = axvm_vm_find(id);

	if (other == NULL)
		return 0;
	axvm_text_string(why, "id ");
	axvm_text_decimal(why, id);
	axvm_text_string(why, " is that of VM ");
	axvm_text_bytes(why, other->config->name, AXVM_NAME_BYTES);
	axvm_vm_put(other);
	return AXVM_EEXIST;
}

static bool is_bad(struct axvm_blob blob)
{
	return blob.bytes > 0 && blob.data == NULL;
}

static int check(const struct axvm_vm_params *params, struct axvm_text *why)
{
	if (axvm_host_caps() == NULL)
		return say(why, "axvm_init has not been called", AXVM_ESTATE);
	if (params->config == NULL)
		return say(why, "a VM needs a configuration", AXVM_EINVAL);
	if (is_bad(params->kernel) || is_bad(params->initrd) || is_bad(params->dtb) ||
	    is_bad(params->bios))
		return say(why, "an image has a size but no data", AXVM_EINVAL);
	int error = check_config(params->config, why);

	return error ? error : check_id(params->config->id, why);
}

/* ---- the steps ----------------------------------------------------------------------------- */

/* Tables take a page for each 2 MiB of memory that comes in single pages. */
static uint64_t default_overhead(const struct axvm_config *config, uint64_t memory_pages)
{
	return OVERHEAD_PAGES + memory_pages / 256 + (uint64_t)config->vcpu_count * 16;
}

static uint64_t memory_pages(const struct axvm_config *config)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < config->memory_count; i++) {
		if (config->memory[i].map_type != AXVM_MEMORY_RESERVED)
			pages += config->memory[i].bytes / AXVM_PAGE_BYTES;
	}
	return pages; /* at most MEMORY_COUNT_MAX times 2^52 */
}

static uint64_t own_pages(void)
{
	return (sizeof(struct axvm_vm) + AXVM_PAGE_BYTES - 1) / AXVM_PAGE_BYTES;
}

/* The struct itself, the first of what its budget pays. */
static struct axvm_vm *make_object(const struct axvm_vm_params *params,
				   const struct axvm_plan *plan)
{
	uint64_t memory = memory_pages(params->config);
	uint64_t overhead = params->overhead_pages != 0 ? params->overhead_pages
							: default_overhead(params->config, memory);
	struct axvm_hpa hpa;

	if (overhead < own_pages() || axvm_hal_alloc_pages(own_pages(), AXVM_PAGE_BYTES, &hpa))
		return NULL;
	struct axvm_vm *vm = axvm_hal_map(hpa, own_pages() * AXVM_PAGE_BYTES);

	memset(vm, 0, own_pages() * AXVM_PAGE_BYTES);
	vm->hpa = hpa;
	vm->params = *params;
	vm->config = params->config;
	vm->plan = *plan;
	vm->budget.limit_pages = overhead > UINT64_MAX - memory ? UINT64_MAX : overhead + memory;
	atomic_init(&vm->budget.used_pages, own_pages());
	atomic_init(&vm->references, 1);
	atomic_init(&vm->state, AXVM_VM_READY);
	axvm_lock_init(&vm->lock, AXVM_LOCK_VM);
	return vm;
}

static int take_slot(struct axvm_vm *vm, struct axvm_text *why)
{
	int error = axvm_vm_slot_take(&vm->slot);

	if (error)
		return say(why, "as many VMs as the library or the CPU's VMIDs allow exist already",
			   error);
	return 0;
}

static int make_aspace(struct axvm_vm *vm, struct axvm_text *why)
{
	const struct axvm_hal_caps *caps = axvm_host_caps();
	uint32_t vmid = caps->vmid_count < 2 ? 0 : vm->slot;
	int error = axvm_aspace_init(&vm->aspace, caps->format, vmid, &vm->budget);

	return error ? say(why, "no memory for the second-stage tables", error) : 0;
}

/* A copy in the VM's memory; `from` may be NULL when `count` is 0. False: no memory. */
static bool keep(struct axvm_vm *vm, const void *from, uint64_t count, uint64_t bytes, void **copy)
{
	*copy = NULL;
	if (count == 0 || from == NULL)
		return true;
	*copy = axvm_vm_alloc(vm, count * bytes);
	if (*copy != NULL)
		memcpy(*copy, from, count * bytes);
	return *copy != NULL;
}

static bool keep_devices(struct axvm_vm *vm, struct axvm_config *config)
{
	void *copy;

	if (!keep(vm, config->emu, config->emu_count, sizeof(*config->emu), &copy))
		return false;
	struct axvm_config_emu *emu = copy;

	config->emu = emu;
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (!keep(vm, emu[i].args, emu[i].arg_count, sizeof(*emu[i].args), &copy))
			return false;
		emu[i].args = copy;
	}
	return true;
}

/* The caller's arrays become the VM's; strings stay the caller's. */
static bool keep_arrays(struct axvm_vm *vm, struct axvm_config *config)
{
#define KEEP(array, count)                                                          \
	if (!keep(vm, config->array, config->count, sizeof(*config->array), &copy)) \
		return false;                                                       \
	config->array = copy
	void *copy;

	KEEP(phys_cpu_ids, vcpu_count);
	KEEP(phys_cpu_sets, vcpu_count);
	KEEP(memory, memory_count);
	KEEP(passthrough, passthrough_count);
	KEEP(excluded, excluded_count);
	KEEP(passthrough_addresses, passthrough_address_count);
	KEEP(passthrough_ports, passthrough_port_count);
#undef KEEP
	return keep_devices(vm, config);
}

static int keep_config(struct axvm_vm *vm, struct axvm_text *why)
{
	struct axvm_config *config = axvm_vm_alloc(vm, sizeof(*config));

	if (config == NULL)
		return say(why, "no memory to keep the configuration", AXVM_ENOMEM);
	*config = *vm->params.config;
	if (!keep_arrays(vm, config))
		return say(why, "no memory to keep the configuration", AXVM_ENOMEM);
	vm->config = config;
	vm->params.config = config;
	return 0;
}

static bool alloc_vcpus(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = axvm_vm_alloc(vm, sizeof(*vcpu));

		if (vcpu == NULL)
			return false;
		vcpu->vm = vm;
		vcpu->last_hit = &axvm_bus_nowhere;
		vcpu->index = i;
		atomic_init(&vcpu->state, AXVM_VCPU_CREATED);
		atomic_init(&vcpu->power, AXVM_POWER_OFF);
		atomic_init(&vcpu->cpu, AXVM_CPU_NONE);
		vcpu->last_cpu = AXVM_CPU_NONE;
		vm->vcpus[i] = vcpu;
		vm->vcpu_count = i + 1;
	}
	return true;
}

static int make_vcpus(struct axvm_vm *vm, struct axvm_text *why)
{
	int error = alloc_vcpus(vm) ? axvm_arch_vm_init(vm) : AXVM_ENOMEM;

	while (error == 0 && vm->vcpus_made < vm->vcpu_count) {
		error = axvm_arch_vcpu_init(vm->vcpus[vm->vcpus_made]);
		if (error == 0)
			vm->vcpus_made++;
	}
	return error ? say(why, "the vCPUs could not be made", error) : 0;
}

static int make_device(struct axvm_vm *vm, const struct axvm_config_emu *emu)
{
	const struct axvm_device_type *type = axvm_device_type_find(emu->type);
	struct axvm_device *device = &vm->devices[vm->device_count];

	if (type == NULL)
		return AXVM_EUNSUPPORTED;
	*device = (struct axvm_device){
		.type = type,
		.vm = vm,
		.name = emu->name,
		.irq = emu->irq,
	};
	int error = type->create(device, emu);

	if (error)
		return error;
	vm->device_count++;
	if (type->input != NULL && vm->console == NULL)
		vm->console = device;
	return 0;
}

static void say_device_problem(struct axvm_text *why, const struct axvm_device_type *type,
			       int error)
{
	if (type == NULL) {
		axvm_text_string(why, "this build has no such emu_type");
	} else if (error == AXVM_EUNSUPPORTED) {
		axvm_text_string(why, "this machine lacks what it needs: ");
		axvm_text_string(why, type->needs);
	} else if (error == AXVM_EEXIST) {
		axvm_text_string(why, "its addresses overlap another emulated device");
	} else {
		axvm_text_string(why, axvm_strerror(error));
	}
}

static int make_devices(struct axvm_vm *vm, struct axvm_text *why)
{
	for (uint32_t i = 0; i < vm->config->emu_count; i++) {
		const struct axvm_config_emu *emu = &vm->config->emu[i];
		int error = make_device(vm, emu);

		if (error == 0)
			continue;
		axvm_text_string(why, "device ");
		axvm_text_bytes(why, emu->name != NULL ? emu->name : "?", AXVM_NAME_BYTES);
		axvm_text_string(why, ": ");
		say_device_problem(why, axvm_device_type_find(emu->type), error);
		return error;
	}
	return 0;
}

/* An emulated register that is RAM as well would never be seen by its device. */
static int check_devices(struct axvm_vm *vm, struct axvm_text *why)
{
	for (uint32_t i = 0; i < vm->mmio.count; i++) {
		const struct axvm_bus_region *region = &vm->mmio.regions[i];

		if (axvm_memory_find(vm, region->base, region->bytes) == NULL)
			continue;
		axvm_text_string(why, "device at ");
		axvm_text_range(why, region->base, region->bytes);
		axvm_text_string(why, " overlaps the VM's memory");
		return AXVM_EEXIST;
	}
	return 0;
}

static int write_dtb(struct axvm_vm *vm, void *buffer, struct axvm_text *why)
{
	uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES];
	bool has_seed = axvm_hal_random(seed, sizeof(seed));
	struct axvm_guest_fdt fdt = {
		.buffer = buffer,
		.capacity = vm->plan.dtb_bytes,
		.timer_hz = axvm_hal_time_hz(),
		.host = axvm_arch_fdt_host(vm),
		.seed = has_seed ? seed : NULL,
	};
	int error = vm->params.dtb.bytes > 0
			    ? axvm_guest_fdt_patch(&fdt, vm->params.dtb, vm->config,
						   axvm_arch_platform, &vm->plan, &vm->dtb_bytes)
			    : axvm_guest_fdt_make(&fdt, vm->config, axvm_arch_platform, &vm->plan,
						  &vm->dtb_bytes);

	if (error) {
		axvm_text_string(why, "the guest's device tree: ");
		return say(why, axvm_strerror(error), error);
	}
	vm->dtb = axvm_vm_alloc(vm, vm->dtb_bytes);
	if (vm->dtb == NULL)
		return say(why, "no memory to keep the device tree", AXVM_ENOMEM);
	memcpy(vm->dtb, buffer, vm->dtb_bytes);
	return 0;
}

/* Written in a buffer as large as it may become, kept in one as large as it is. */
static int make_dtb(struct axvm_vm *vm, struct axvm_text *why)
{
	uint64_t pages = (vm->plan.dtb_bytes + AXVM_PAGE_BYTES - 1) / AXVM_PAGE_BYTES;
	struct axvm_hpa hpa;

	if (pages == 0)
		return 0;
	if (axvm_hal_alloc_pages(pages, AXVM_PAGE_BYTES, &hpa))
		return say(why, "no memory to write the device tree", AXVM_ENOMEM);
	void *buffer = axvm_hal_map(hpa, pages * AXVM_PAGE_BYTES);
	int error = write_dtb(vm, buffer, why);

	axvm_hal_unmap(buffer, pages * AXVM_PAGE_BYTES);
	axvm_hal_free_pages(hpa, pages);
	return error;
}

static void reset_vcpus(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];
		bool is_first = i == 0;

		axvm_arch_vcpu_fini(vcpu);
		axvm_arch_vcpu_reset(vcpu, is_first ? vm->plan.entry : 0,
				     is_first ? vm->plan.dtb_gpa : 0);
		atomic_store_explicit(&vcpu->requests, 0, memory_order_relaxed);
		atomic_store_explicit(&vcpu->state, AXVM_VCPU_FREE, memory_order_relaxed);
		/* seq_cst: as every change of power; the VM's state lets nobody in yet */
		atomic_store_explicit(&vcpu->power, is_first ? AXVM_POWER_ON : AXVM_POWER_OFF,
				      memory_order_seq_cst);
	}
}

static int load(struct axvm_vm *vm, char why[AXVM_WHY_BYTES])
{
	uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES];
	int error = axvm_plan_load(vm, &vm->plan, why);

	if (error || vm->dtb_bytes == 0)
		return error;
	if (axvm_hal_random(seed, sizeof(seed)))
		axvm_guest_fdt_reseed(vm->dtb, seed);
	return axvm_image_copy(&vm->aspace, axvm_gpa(vm->plan.dtb_gpa), vm->dtb, vm->dtb_bytes);
}

static int start_over(struct axvm_vm *vm, char why[AXVM_WHY_BYTES])
{
	for (uint32_t i = 0; i < vm->device_count; i++)
		vm->devices[i].type->reset(&vm->devices[i]);
	reset_vcpus(vm);
	return load(vm, why);
}

int axvm_vm_reload(struct axvm_vm *vm, bool clear)
{
	char why[AXVM_WHY_BYTES] = "";

	if (clear)
		axvm_memory_clear(vm);
	int error = start_over(vm, why);

	if (error)
		axvm_hal_log(AXVM_LOG_ERROR, why);
	return error;
}

/* RAM is clear already. */
static int load_first(struct axvm_vm *vm, struct axvm_text *why)
{
	char sentence[AXVM_WHY_BYTES] = "the images could not be loaded";
	int error = start_over(vm, sentence);

	return error ? say(why, sentence, error) : 0;
}

static int publish(struct axvm_vm *vm, struct axvm_text *why)
{
	int error = axvm_vm_publish(vm);

	return error ? say(why, "another VM has got the same id meanwhile", error) : 0;
}

static int make_all(struct axvm_vm *vm, struct axvm_text *why)
{
	static int (*const steps[])(struct axvm_vm *, struct axvm_text *) = {
		take_slot,
		make_aspace,
		keep_config,
		make_vcpus,
		axvm_memory_make,
		make_devices,
		check_devices,
		axvm_passthrough_make,
		make_dtb,
		load_first,
		axvm_passthrough_attach,
		publish,
	};

	for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int error = steps[i](vm, why);

		if (error)
			return error;
	}
	return 0;
}

static int create(const struct axvm_vm_params *params, struct axvm_vm **vm, struct axvm_text *why)
{
	char sentence[AXVM_WHY_BYTES] = "";
	struct axvm_plan plan;
	int error = check(params, why);

	if (error)
		return error;
	error = axvm_plan_make(params->config, axvm_arch_platform, params, &plan, sentence);
	if (error)
		return say(why, sentence, error);
	struct axvm_vm *made = make_object(params, &plan);

	if (made == NULL)
		return say(why, "no memory for the VM itself", AXVM_ENOMEM);
	error = make_all(made, why);
	if (error)
		axvm_vm_release(made);
	else
		*vm = made;
	return error;
}

int axvm_vm_create(const struct axvm_vm_params *params, struct axvm_vm **vm,
		   char why[AXVM_WHY_BYTES])
{
	char sentence[AXVM_WHY_BYTES];
	struct axvm_text text = axvm_text(sentence, sizeof(sentence));
	int error = create(params, vm, &text);

	if (error == 0 || why == NULL)
		return error;
	if (text.length == 0)
		axvm_text_string(&text, axvm_strerror(error));
	memcpy(why, sentence, text.length + 1);
	return error;
}

void axvm_vm_release(struct axvm_vm *vm)
{
	axvm_passthrough_detach(vm);
	for (uint32_t i = vm->vcpus_made; i-- > 0;)
		axvm_arch_vcpu_fini(vm->vcpus[i]);
	while (vm->device_count > 0) {
		struct axvm_device *device = &vm->devices[--vm->device_count];

		if (device->type->destroy != NULL)
			device->type->destroy(device);
	}
	if (vm->aspace.format != NULL)
		axvm_aspace_fini(&vm->aspace);
	axvm_memory_release(vm);
	axvm_vm_free_chunks(vm);
	if (vm->slot != 0)
		axvm_vm_slot_give(vm->slot);
	struct axvm_hpa hpa = vm->hpa;

	axvm_hal_unmap(vm, own_pages() * AXVM_PAGE_BYTES);
	axvm_hal_free_pages(hpa, own_pages());
}

/* ---- what a VM tells of itself ------------------------------------------------------------ */

uint32_t axvm_vm_id(const struct axvm_vm *vm)
{
	return vm->config->id;
}

const char *axvm_vm_name(const struct axvm_vm *vm)
{
	return vm->config->name;
}

uint32_t axvm_vm_vcpu_count(const struct axvm_vm *vm)
{
	return vm->vcpu_count;
}

struct axvm_vcpu *axvm_vm_vcpu(struct axvm_vm *vm, uint32_t index)
{
	return index < vm->vcpu_count ? vm->vcpus[index] : NULL;
}

const struct axvm_config *axvm_vm_config(const struct axvm_vm *vm)
{
	return vm->config;
}

struct axvm_aspace *axvm_vm_aspace(struct axvm_vm *vm)
{
	return &vm->aspace;
}

uint64_t axvm_vm_used_pages(const struct axvm_vm *vm)
{
	return atomic_load_explicit(&vm->budget.used_pages, memory_order_relaxed);
}

int axvm_vm_read(struct axvm_vm *vm, struct axvm_gpa gpa, void *buffer, uint64_t bytes)
{
	return axvm_aspace_read(&vm->aspace, gpa, buffer, bytes);
}

int axvm_vm_write(struct axvm_vm *vm, struct axvm_gpa gpa, const void *buffer, uint64_t bytes)
{
	return axvm_aspace_write(&vm->aspace, gpa, buffer, bytes);
}

uint64_t axvm_vm_console_input(struct axvm_vm *vm, const char *data, uint64_t bytes)
{
	return vm->console != NULL ? vm->console->type->input(vm->console, data, bytes) : 0;
}
