// SPDX-License-Identifier: Apache-2.0
/* The list of device types, and the search in it and in the ISA's own. */
#include "table.h"

#include "arch.h"

static const struct axvm_device_type *const device_types[] = {
	&axvm_dev_ns16550,
	&axvm_dev_pl011,
	&axvm_dev_pl031,
};

static const struct axvm_device_type *find(const struct axvm_device_type *const *types,
					   uint32_t count, enum axvm_emu_type wanted)
{
	for (uint32_t i = 0; i < count; i++) {
		if (types[i]->emu_type == wanted)
			return types[i];
	}
	return NULL;
}

const struct axvm_device_type *axvm_device_type_find(enum axvm_emu_type type)
{
	const struct axvm_device_type *found =
		find(device_types, sizeof(device_types) / sizeof(device_types[0]), type);

	return found ? found : find(axvm_arch_device_types, axvm_arch_device_type_count, type);
}
