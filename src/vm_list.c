/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's only global state: what the machine can do, the VMs that
 * exist, and which places for VMs are taken. A VM in the list is held by it with one
 * reference, so that finding one never meets a VM on its way out.
 */
#include <axvm/hal.h>

#include "arch.h"
#include "lifecycle.h"
#include "vm_parts.h"

static struct {
	struct axvm_lock lock;
	bool is_ready;
	struct axvm_hal_caps caps;
	struct axvm_vm *first;
	uint64_t slots; /* bit n: place n + 1, and the VMID of that number, is taken */
} host = { .lock = { .rank = AXVM_LOCK_LIST } };

_Static_assert(AXVM_VMS_MAX == 64, "one bit of host.slots for each");

int axvm_init(const char **why)
{
	const char *sentence = "the machine cannot run virtual machines";
	struct axvm_hal_caps caps = { .format = NULL };

	axvm_lock_take(&host.lock);
	bool busy = host.first != NULL || host.slots != 0;

	axvm_lock_drop(&host.lock);
	if (busy)
		return AXVM_EBUSY;
	int error = axvm_hal_probe(&caps, &sentence);

	if (error) {
		if (why != NULL)
			*why = sentence;
		return error;
	}
	axvm_lock_take(&host.lock);
	host.caps = caps;
	host.is_ready = true;
	axvm_lock_drop(&host.lock);
	return 0;
}

const struct axvm_hal_caps *axvm_host_caps(void)
{
	return host.is_ready ? &host.caps : NULL;
}

/* How many VMs may live at once: each needs a VMID, where the CPU has them. */
static uint32_t slot_limit(void)
{
	if (host.caps.vmid_count < 2 || host.caps.vmid_count > AXVM_VMS_MAX)
		return AXVM_VMS_MAX;
	return host.caps.vmid_count - 1;
}

int axvm_vm_slot_take(uint32_t *slot)
{
	int error = AXVM_ERANGE;

	axvm_lock_take(&host.lock);
	for (uint32_t i = 0; i < slot_limit(); i++) {
		if (host.slots >> i & 1)
			continue;
		host.slots |= (uint64_t)1 << i;
		*slot = i + 1;
		error = 0;
		break;
	}
	axvm_lock_drop(&host.lock);
	return error;
}

void axvm_vm_slot_give(uint32_t slot)
{
	axvm_lock_take(&host.lock);
	host.slots &= ~((uint64_t)1 << (slot - 1));
	axvm_lock_drop(&host.lock);
}

static struct axvm_vm *find_locked(uint32_t id)
{
	struct axvm_vm *vm = host.first;

	while (vm != NULL && vm->config->id != id)
		vm = vm->next;
	return vm;
}

int axvm_vm_publish(struct axvm_vm *vm)
{
	axvm_lock_take(&host.lock);
	bool exists = find_locked(vm->config->id) != NULL;

	if (!exists) {
		axvm_vm_get(vm);
		vm->next = host.first;
		host.first = vm;
	}
	axvm_lock_drop(&host.lock);
	return exists ? AXVM_EEXIST : 0;
}

void axvm_vm_unpublish(struct axvm_vm *vm)
{
	axvm_lock_take(&host.lock);
	struct axvm_vm **link = &host.first;

	while (*link != vm)
		link = &(*link)->next;
	*link = vm->next;
	axvm_lock_drop(&host.lock);
}

struct axvm_vm *axvm_vm_find(uint32_t id)
{
	axvm_lock_take(&host.lock);
	struct axvm_vm *vm = find_locked(id);

	if (vm != NULL)
		axvm_vm_get(vm);
	axvm_lock_drop(&host.lock);
	return vm;
}

struct axvm_vm *axvm_vm_get(struct axvm_vm *vm)
{
	/* relaxed: who gets one has one already, or the list's */
	atomic_fetch_add_explicit(&vm->references, 1, memory_order_relaxed);
	return vm;
}

void axvm_vm_put(struct axvm_vm *vm)
{
	/* release what this holder did, acquire what all others did */
	if (atomic_fetch_sub_explicit(&vm->references, 1, memory_order_acq_rel) == 1)
		axvm_vm_release(vm);
}

int axvm_vm_destroy(struct axvm_vm *vm)
{
	int error = axvm_lifecycle_apply(vm, AXVM_EVENT_DESTROY, NULL);

	if (error)
		return error;
	axvm_vm_unpublish(vm);
	axvm_vm_put(vm); /* the list's */
	axvm_vm_put(vm); /* the caller's */
	return 0;
}
