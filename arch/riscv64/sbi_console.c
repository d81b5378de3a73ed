/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console input for SBI: a ring. Readers hold its lock while they write to guest memory, so that bytes
 * are neither lost nor given twice; that write takes no lock itself.
 */
#include <string.h>

#include "vm_state.h"

#include "sbi_console.h"

#define RING_BYTES 256u

struct sbi_console {
	struct axvm_lock lock;
	uint32_t first; /* under the lock, as the following */
	uint32_t count;
	char ring[RING_BYTES];
};

static void reset(struct axvm_device *device)
{
	struct sbi_console *console = device->state;

	axvm_lock_take(&console->lock);
	console->first = 0;
	console->count = 0;
	axvm_lock_drop(&console->lock);
}

static uint64_t input(struct axvm_device *device, const char *data, uint64_t bytes)
{
	struct sbi_console *console = device->state;
	uint64_t taken = 0;

	axvm_lock_take(&console->lock);
	while (taken < bytes && console->count < RING_BYTES) {
		console->ring[(console->first + console->count) % RING_BYTES] = data[taken++];
		console->count++;
	}
	axvm_lock_drop(&console->lock);
	return taken;
}

/* On no bus: nothing reads or writes it. */
static const struct axvm_device_type console_type = {
	.name = "sbi-console",
	.reset = reset,
	.input = input,
};

static bool has_input(const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		const struct axvm_device_type *type = axvm_device_type_find(config->emu[i].type);

		if (type != NULL && type->input != NULL)
			return true;
	}
	return false;
}

int axvm_sbi_console_create(struct axvm_vm *vm)
{
	if (has_input(vm->config))
		return 0;
	if (vm->config->emu_count >= AXVM_VM_DEVICES_MAX)
		return AXVM_ERANGE;

	struct sbi_console *console = axvm_vm_alloc(vm, sizeof(*console));
	struct axvm_device *device = &vm->devices[vm->device_count];

	if (console == NULL)
		return AXVM_ENOMEM;
	axvm_lock_init(&console->lock, AXVM_LOCK_DEVICE);
	*device = (struct axvm_device){
		.type = &console_type,
		.vm = vm,
		.name = "sbi-console",
		.state = console,
	};
	vm->device_count++;
	vm->console = device;
	return 0;
}

static struct sbi_console *console_of(const struct axvm_vm *vm)
{
	return vm->console != NULL && vm->console->type == &console_type ? vm->console->state
									 : NULL;
}

static uint64_t peek_locked(const struct sbi_console *console, char *data, uint64_t bytes)
	AXVM_REQUIRES(console->lock)
{
	uint64_t count = bytes < console->count ? bytes : console->count;

	for (uint64_t i = 0; i < count; i++)
		data[i] = console->ring[(console->first + i) % RING_BYTES];
	return count;
}

static void drop_locked(struct sbi_console *console, uint64_t count) AXVM_REQUIRES(console->lock)
{
	console->first = (uint32_t)(console->first + count) % RING_BYTES;
	console->count -= (uint32_t)count;
}

uint64_t axvm_sbi_console_take(struct axvm_vm *vm, char *data, uint64_t bytes)
{
	struct sbi_console *console = console_of(vm);

	if (console == NULL)
		return 0;
	axvm_lock_take(&console->lock);
	uint64_t count = peek_locked(console, data, bytes);

	drop_locked(console, count);
	axvm_lock_drop(&console->lock);
	return count;
}

int axvm_sbi_console_read(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t bytes, uint64_t *taken)
{
	struct sbi_console *console = console_of(vm);
	char data[AXVM_SBI_CONSOLE_BYTES];

	*taken = 0;
	if (console == NULL)
		return 0;
	axvm_lock_take(&console->lock);
	uint64_t count = peek_locked(console, data, bytes < sizeof(data) ? bytes : sizeof(data));
	int error = axvm_aspace_write(&vm->aspace, gpa, data, count);

	if (error == 0) {
		drop_locked(console, count);
		*taken = count;
	}
	axvm_lock_drop(&console->lock);
	return error;
}
