// SPDX-License-Identifier: Apache-2.0
/* An NS16550A whose registers are ports; dev/ns16550.c is all of it but its place. */
#include "com.h"

#include "../../../dev/table.h"
#include "vm_state.h"

static int com_create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	/* So that an access calls it at once. */
	device->type = &axvm_dev_ns16550;
	return axvm_dev_ns16550_make(device, config, &device->vm->arch.ports);
}

/* Of a device that is made, these are never asked for: it has another type by then. */
static void com_reset(struct axvm_device *device)
{
	axvm_dev_ns16550.reset(device);
}

static uint64_t com_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	return axvm_dev_ns16550.read(device, vcpu, offset, bytes);
}

static void com_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	axvm_dev_ns16550.write(device, vcpu, offset, bytes, value);
}

static uint64_t com_input(struct axvm_device *device, const char *data, uint64_t bytes)
{
	return axvm_dev_ns16550.input(device, data, bytes);
}

const struct axvm_device_type axvm_com_device_type = {
	.name = "com",
	.emu_type = AXVM_EMU_CONSOLE,
	.create = com_create,
	.reset = com_reset,
	.read = com_read,
	.write = com_write,
	.input = com_input,
};
