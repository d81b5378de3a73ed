/* SPDX-License-Identifier: Apache-2.0 */
/* The page that a device of device_vm.h has mapped in its place, as the guest sees it (src/shadow.h). */
#ifndef SHADOW_PAGE_H
#define SHADOW_PAGE_H

#include "device_vm.h"

static inline bool page(struct axvm_mapping *mapping)
{
	return axvm_aspace_query(&device_vm.aspace, axvm_gpa(DEVICE_BASE), mapping) == 0;
}

static inline bool is_mapped(void)
{
	return page(NULL);
}

/* What an access of the guest to the mapped page would give. */
static inline uint64_t guest_load(uint64_t offset, uint64_t bytes)
{
	struct axvm_mapping mapping;
	uint64_t value = 0;

	CHECK(page(&mapping));
	if (!page(&mapping))
		return UINT64_MAX;
	const uint8_t *memory = axvm_hal_map(mapping.hpa, AXVM_PAGE_BYTES);

	memcpy(&value, memory + offset, bytes);
	axvm_hal_unmap((void *)(uintptr_t)memory, AXVM_PAGE_BYTES);
	return value;
}

#endif
