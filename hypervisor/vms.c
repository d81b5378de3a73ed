/* SPDX-License-Identifier: Apache-2.0 */
#include "vms.h"

#include <string.h>

#include "bare.h"
#include "bundle.h"
#include "console.h"
#include "memory.h"
#include "sched.h"
#include "text.h"

#define LINE_BYTES 320u

/* A VM of the bundle, from its file to its end. */
struct slot {
	struct axvm_vm *vm; /* NULL before and after */
	const struct axvm_config *config;
	struct axvm_hpa memory; /* of the configuration */
	uint64_t memory_pages;
	_Atomic uint32_t look; /* its end may have come */
	_Atomic uint32_t busy; /* a CPU looks */
};

static struct slot slots[AXVM_VMS_MAX];
static uint32_t slot_count;
static _Atomic uint32_t alive;
static _Atomic uint32_t any_look;
static _Atomic bool failed; /* the end of the machine tells it */
static bool reset_on_failure;
static uint64_t pages_before;

/* ---- the end of the machine ------------------------------------------------------------------ */

void axvm_vms_reset_on_failure(bool reset)
{
	reset_on_failure = reset;
}

_Noreturn void axvm_vms_power_off(void)
{
	axvm_console_finish();
	axvm_bare_power_off();
}

_Noreturn void axvm_vms_fail(void)
{
	axvm_console_finish();
	if (reset_on_failure)
		axvm_bare_reset();
	axvm_bare_power_off();
}

static void all_have_ended(void)
{
	char line[LINE_BYTES];
	struct axvm_text text = axvm_text(line, sizeof(line));
	uint64_t now = axvm_memory_free_pages();

	if (now != pages_before) {
		axvm_text_string(&text, "error: ");
		axvm_text_decimal(&text, pages_before - now);
		axvm_text_string(&text, " pages were not given back");
		axvm_console_line(line);
		atomic_store(&failed, true);
	}
	axvm_console_line("all VMs have ended");
	if (atomic_load(&failed))
		axvm_vms_fail();
	axvm_vms_power_off();
}

/* ---- from the bundle to a VM ------------------------------------------------------------------ */

struct file {
	struct axvm_blob bundle;
	const char *name;
	struct axvm_blob append;
};

static void complain(const char *name, const char *what)
{
	char line[LINE_BYTES];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, name);
	axvm_text_string(&text, ": ");
	axvm_text_string(&text, what);
	axvm_console_line(line);
}

static void report_config(void *context, const struct axvm_config_error *error)
{
	char line[LINE_BYTES];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, context);
	axvm_text_char(&text, ':');
	axvm_text_decimal(&text, error->line);
	axvm_text_char(&text, ':');
	axvm_text_decimal(&text, error->column);
	axvm_text_string(&text, ": ");
	axvm_text_string(&text, error->text);
	axvm_console_line(line);
}

/* The guest's command line with what the bundle adds for all of them, in the slot's memory. */
static const char *join_cmdline(char *buffer, const char *own, struct axvm_blob append)
{
	size_t own_bytes = strlen(own);

	memcpy(buffer, own, own_bytes);
	if (own_bytes > 0)
		buffer[own_bytes++] = ' ';
	memcpy(buffer + own_bytes, append.data, append.bytes);
	buffer[own_bytes + append.bytes] = '\0';
	return buffer;
}

/* Parses into pages of the slot's own. */
static bool parse(struct slot *slot, struct file *file, struct axvm_blob toml)
{
	uint64_t tail = sizeof(struct axvm_config) + toml.bytes + file->append.bytes + 64;
	uint64_t arena = AXVM_CONFIG_MEMORY_BYTES(toml.bytes);
	union {
		const char *in;
		void *out;
	} name = { .in = file->name };
	struct axvm_config_source source = {
		.text = toml.data,
		.bytes = toml.bytes,
		.file = file->name,
		.report = report_config,
		.context = name.out,
	};

	slot->memory_pages = (arena + tail + AXVM_PAGE_BYTES - 1) / AXVM_PAGE_BYTES;
	if (axvm_hal_alloc_pages(slot->memory_pages, AXVM_PAGE_BYTES, &slot->memory) != 0) {
		slot->memory_pages = 0;
		complain(file->name, "no memory for its configuration");
		return false;
	}
	char *memory = axvm_hal_map(slot->memory, arena + tail);
	const struct axvm_config *parsed;
	if (axvm_config_parse(&source, axvm_arch_host_platform(), memory, arena, &parsed) != 0)
		return false;
	struct axvm_config *config = (void *)(memory + arena);
	*config = *parsed;
	if (file->append.bytes > 0)
		config->cmdline = join_cmdline(memory + arena + sizeof(*config), parsed->cmdline,
					       file->append);
	slot->config = config;
	return true;
}

static bool find_image(const struct file *file, const char *key,
		       const struct axvm_config_image *image, struct axvm_blob *blob)
{
	char what[LINE_BYTES];
	struct axvm_text text = axvm_text(what, sizeof(what));

	if (image->path == NULL || axvm_bundle_find(file->bundle, image->path, blob) == 0)
		return true;
	axvm_text_string(&text, key);
	axvm_text_string(&text, " \"");
	axvm_text_string(&text, image->path);
	axvm_text_string(&text, "\" is not in the bundle: make it with axvm bundle");
	complain(file->name, what);
	return false;
}

static bool create(struct slot *slot, const struct file *file)
{
	struct axvm_vm_params params = { .config = slot->config };
	const struct axvm_config *config = slot->config;
	char why[AXVM_WHY_BYTES] = "";

	if (!find_image(file, "kernel_path", &config->kernel, &params.kernel) ||
	    !find_image(file, "ramdisk_path", &config->initrd, &params.initrd) ||
	    !find_image(file, "dtb_path", &config->dtb, &params.dtb) ||
	    !find_image(file, "bios_path", &config->bios, &params.bios))
		return false;
	int error = axvm_vm_create(&params, &slot->vm, why);
	if (error == 0) {
		error = axvm_sched_add(slot->vm, why);
		if (error == 0)
			return true;
		(void)axvm_vm_destroy(slot->vm);
		slot->vm = NULL;
	}
	complain(file->name, why[0] != '\0' ? why : axvm_strerror(error));
	return false;
}

static void give_back(struct slot *slot)
{
	if (slot->memory_pages != 0)
		axvm_hal_free_pages(slot->memory, slot->memory_pages);
	slot->memory_pages = 0;
}

static bool make_vm(struct file *file, struct axvm_blob toml)
{
	struct slot *slot = &slots[slot_count];

	if (slot_count == AXVM_VMS_MAX) {
		complain(file->name, "there are more VMs in the bundle than axvm can hold");
		return false;
	}
	if (!parse(slot, file, toml) || !create(slot, file)) {
		give_back(slot);
		return false;
	}
	slot_count++;
	axvm_console_add_vm(slot->vm);
	return true;
}

static bool make_all(struct axvm_blob bundle)
{
	struct file file = { .bundle = bundle };
	struct axvm_bundle_entry entry;
	uint64_t offset = 0;
	bool good = true;

	if (axvm_bundle_find(bundle, "cmdline-append", &file.append) != 0)
		file.append.bytes = 0;
	while (axvm_bundle_next(bundle, &offset, &entry, NULL) == 0) {
		if (!axvm_bundle_is_vm(&entry))
			continue;
		file.name = entry.name;
		good &= make_vm(&file, entry.data);
	}
	return good;
}

bool axvm_vms_start(struct axvm_blob bundle)
{
	char why[AXVM_WHY_BYTES] = "";
	uint32_t count;

	if (bundle.bytes == 0) {
		axvm_console_line("no bundle of VMs was given: load one as initial ramdisk "
				  "(axvm bundle makes it)");
		return false;
	}
	if (axvm_bundle_check(bundle, &count, why) != 0) {
		axvm_console_line(why);
		return false;
	}
	pages_before = axvm_memory_free_pages();
	if (!make_all(bundle))
		atomic_store(&failed, true);
	atomic_store(&alive, slot_count);
	for (uint32_t i = 0; i < slot_count; i++) {
		if (axvm_vm_boot(slots[i].vm) == 0)
			axvm_sched_start(slots[i].vm);
	}
	return slot_count > 0;
}

/* ---- from a VM to its end --------------------------------------------------------------------- */

void axvm_vms_look(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < slot_count; i++) {
		if (slots[i].vm == vm)
			atomic_store(&slots[i].look, 1);
	}
	atomic_store(&any_look, 1);
}

static void say_end(struct axvm_vm *vm)
{
	struct axvm_stop stop = axvm_vm_stop(vm);
	char line[LINE_BYTES];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, "VM ");
	axvm_text_decimal(&text, axvm_vm_id(vm));
	axvm_text_string(&text, " (");
	axvm_text_string(&text, axvm_vm_name(vm));
	axvm_text_string(&text, ") ended: ");
	axvm_text_string(&text, axvm_stop_name(stop.reason));
	if (stop.exit.reason == AXVM_EXIT_FAULT) {
		axvm_text_string(&text, ": ");
		axvm_text_string(&text, stop.exit.fault.what);
		axvm_text_string(&text, ", pc ");
		axvm_text_hex(&text, stop.exit.fault.pc);
		axvm_text_string(&text, ", address ");
		axvm_text_hex(&text, stop.exit.fault.address);
	}
	axvm_console_line(line);
	if (stop.reason != AXVM_STOP_GUEST_SHUTDOWN)
		atomic_store(&failed, true);
}

static void restart(struct axvm_vm *vm)
{
	if (axvm_vm_boot(vm) == 0) {
		axvm_console_line("a VM restarts: its guest asked for a reset");
		axvm_sched_start(vm);
	}
}

static void end(struct slot *slot)
{
	struct axvm_vm *vm = slot->vm;

	say_end(vm);
	axvm_console_remove_vm(vm);
	axvm_sched_remove(vm);
	slot->vm = NULL;
	if (axvm_vm_destroy(vm) != 0)
		axvm_hal_panic(__FILE__, __LINE__, "a stopped VM could not be destroyed");
	give_back(slot);
	if (atomic_fetch_sub(&alive, 1) == 1)
		all_have_ended();
}

static void look_at(struct slot *slot)
{
	if (slot->vm == NULL || axvm_vm_settle(slot->vm) != 0)
		return; /* busy: its last vCPU to leave makes us look again */
	enum axvm_vm_state state = axvm_vm_state(slot->vm);
	if (state == AXVM_VM_READY)
		restart(slot->vm);
	else if ((state == AXVM_VM_STOPPED || state == AXVM_VM_FAILED) &&
		 axvm_vm_is_quiet(slot->vm))
		end(slot);
}

void axvm_vms_settle(void)
{
	if (atomic_load_explicit(&any_look, memory_order_relaxed) == 0 ||
	    atomic_exchange(&any_look, 0) == 0)
		return;
	for (uint32_t i = 0; i < slot_count; i++) {
		while (atomic_load(&slots[i].look) != 0) {
			if (atomic_exchange(&slots[i].busy, 1) != 0)
				break;
			if (atomic_exchange(&slots[i].look, 0) != 0)
				look_at(&slots[i]);
			atomic_store(&slots[i].busy, 0);
		}
	}
}
