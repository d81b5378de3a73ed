// SPDX-License-Identifier: Apache-2.0
/* Memory of this process for the library: all that looking at images needs of a HAL. */
#include "tool.h"

#include <stdlib.h>

#include <axvm/hal.h>

static void *pointer(struct axvm_hpa hpa)
{
	return (void *)(uintptr_t)hpa.addr;
}

int axvm_hal_alloc_pages(uint64_t pages, uint64_t align_bytes, struct axvm_hpa *hpa)
{
	void *memory;

	if (pages > SIZE_MAX / AXVM_PAGE_BYTES ||
	    posix_memalign(&memory, align_bytes, pages * AXVM_PAGE_BYTES) != 0)
		return AXVM_ENOMEM;
	*hpa = axvm_hpa((uintptr_t)memory);
	return 0;
}

void axvm_hal_free_pages(struct axvm_hpa hpa, uint64_t pages)
{
	(void)pages;
	free(pointer(hpa));
}

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	(void)bytes;
	return pointer(hpa);
}

void axvm_hal_unmap(void *address, uint64_t bytes)
{
	(void)address;
	(void)bytes;
}
