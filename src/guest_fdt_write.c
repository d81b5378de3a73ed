// SPDX-License-Identifier: Apache-2.0
/* The writer of the guest's device tree: libfdt's sequential functions with an error that sticks. */
#include "guest_fdt_private.h"

#include <libfdt.h>

static void note(struct axvm_guest_fdt *fdt, int error)
{
	if (fdt->error == 0 && error < 0)
		fdt->error = error;
}

void axvm_guest_fdt_begin(struct axvm_guest_fdt *fdt, const char *name)
{
	if (fdt->error == 0)
		note(fdt, fdt_begin_node(fdt->buffer, name));
}

void axvm_guest_fdt_begin_at(struct axvm_guest_fdt *fdt, const char *name, uint64_t address)
{
	char full[64];
	struct axvm_text text = axvm_text(full, sizeof(full));

	axvm_guest_fdt_name(&text, name, address);
	axvm_guest_fdt_begin(fdt, full);
}

void axvm_guest_fdt_end(struct axvm_guest_fdt *fdt)
{
	if (fdt->error == 0)
		note(fdt, fdt_end_node(fdt->buffer));
}

void axvm_guest_fdt_bytes(struct axvm_guest_fdt *fdt, const char *name, const void *data,
			  uint64_t bytes)
{
	if (fdt->error != 0)
		return;
	if (bytes > fdt->capacity)
		note(fdt, -FDT_ERR_NOSPACE);
	else
		note(fdt, fdt_property(fdt->buffer, name, data, (int)bytes));
}

void axvm_guest_fdt_string(struct axvm_guest_fdt *fdt, const char *name, const char *value)
{
	uint64_t bytes = 1;

	while (value[bytes - 1] != '\0')
		bytes++;
	axvm_guest_fdt_bytes(fdt, name, value, bytes);
}

void axvm_guest_fdt_flag(struct axvm_guest_fdt *fdt, const char *name)
{
	axvm_guest_fdt_bytes(fdt, name, "", 0);
}

void axvm_guest_fdt_cells(struct axvm_guest_fdt *fdt, const char *name, const uint32_t *cells,
			  uint32_t count)
{
	void *value;

	if (fdt->error != 0)
		return;
	if (count > fdt->capacity / sizeof(fdt32_t)) {
		note(fdt, -FDT_ERR_NOSPACE);
		return;
	}
	note(fdt,
	     fdt_property_placeholder(fdt->buffer, name, (int)(count * sizeof(fdt32_t)), &value));
	for (uint32_t i = 0; i < count && fdt->error == 0; i++)
		fdt32_st((fdt32_t *)value + i, cells[i]);
}

void axvm_guest_fdt_u32(struct axvm_guest_fdt *fdt, const char *name, uint32_t value)
{
	axvm_guest_fdt_cells(fdt, name, &value, 1);
}

void axvm_guest_fdt_u64(struct axvm_guest_fdt *fdt, const char *name, uint64_t value)
{
	const uint32_t cells[2] = { (uint32_t)(value >> 32), (uint32_t)value };

	axvm_guest_fdt_cells(fdt, name, cells, 2);
}

void axvm_guest_fdt_reg(struct axvm_guest_fdt *fdt, uint64_t base, uint64_t bytes)
{
	const uint32_t cells[4] = { (uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(bytes >> 32),
				    (uint32_t)bytes };

	axvm_guest_fdt_cells(fdt, "reg", cells, 4);
}
