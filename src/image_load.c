// SPDX-License-Identifier: Apache-2.0
/*
 * Brings images into guest RAM. A file comes as a stream of pieces (one piece when it is not
 * compressed); of each piece every segment takes its part.
 */
#include "image.h"

#include <axvm/hal.h>

#include <string.h>

#include "inflate.h"
#include "text.h"
#include "vm_state.h"

/* The longest stretch of host memory at `gpa`, at most `bytes`. */
static int map_guest(const struct axvm_aspace *aspace, uint64_t gpa, uint64_t bytes, void **host,
		     uint64_t *mapped)
{
	struct axvm_hpa hpa;
	int error = axvm_aspace_translate(aspace, axvm_gpa(gpa), AXVM_MAP_READ, &hpa, mapped);

	if (error)
		return error;
	if (*mapped > bytes)
		*mapped = bytes;
	*host = axvm_hal_map(hpa, *mapped);
	return *host ? 0 : AXVM_EFAULT;
}

int axvm_image_copy(const struct axvm_aspace *aspace, struct axvm_gpa gpa, const void *data,
		    uint64_t bytes)
{
	uint64_t mapped;

	for (uint64_t done = 0; done < bytes; done += mapped) {
		void *host;
		int error = map_guest(aspace, gpa.addr + done, bytes - done, &host, &mapped);

		if (error)
			return error;
		memcpy(host, (const uint8_t *)data + done, mapped);
		axvm_hal_cache_clean(host, mapped);
		axvm_hal_unmap(host, mapped);
	}
	return 0;
}

static int zero(const struct axvm_aspace *aspace, uint64_t gpa, uint64_t bytes)
{
	uint64_t mapped;

	for (uint64_t done = 0; done < bytes; done += mapped) {
		void *host;
		int error = map_guest(aspace, gpa + done, bytes - done, &host, &mapped);

		if (error)
			return error;
		memset(host, 0, mapped);
		axvm_hal_cache_clean(host, mapped);
		axvm_hal_unmap(host, mapped);
	}
	return 0;
}

/* The part of the piece [at, at + bytes) of the file that belongs to the segment. */
static int place(const struct axvm_aspace *aspace, uint64_t base,
		 const struct axvm_image_segment *segment, uint64_t at, const uint8_t *piece,
		 uint64_t bytes)
{
	uint64_t begin = at > segment->file_offset ? at : segment->file_offset;
	uint64_t end = segment->file_offset + segment->file_bytes;

	if (end > at + bytes)
		end = at + bytes;
	if (begin >= end)
		return 0;
	return axvm_image_copy(aspace,
			       axvm_gpa(base + segment->offset + (begin - segment->file_offset)),
			       piece + (begin - at), end - begin);
}

static int place_all(const struct axvm_aspace *aspace, const struct axvm_plan *plan, uint64_t at,
		     const uint8_t *piece, uint64_t bytes)
{
	int error = 0;

	for (uint32_t i = 0; i < plan->kernel.segment_count && !error; i++)
		error = place(aspace, plan->kernel_gpa, &plan->kernel.segments[i], at, piece,
			      bytes);
	return error;
}

/* What inflates to another size than the plan was made for is not loaded beyond it. */
static int inflate_kernel(const struct axvm_aspace *aspace, const struct axvm_plan *plan,
			  struct axvm_inflate *gzip)
{
	uint64_t at = 0;

	for (;;) {
		const uint8_t *piece;
		uint64_t bytes;
		int error = axvm_inflate_next(gzip, AXVM_INFLATE_PIECE_BYTES, &piece, &bytes);

		if (error)
			return error;
		if (bytes == 0)
			return at == plan->kernel.file_bytes ? 0 : AXVM_EFORMAT;
		if (bytes > plan->kernel.file_bytes - at)
			return AXVM_EFORMAT;
		error = place_all(aspace, plan, at, piece, bytes);
		if (error)
			return error;
		at += bytes;
	}
}

static int load_compressed(const struct axvm_aspace *aspace, const struct axvm_plan *plan,
			   struct axvm_blob blob)
{
	struct axvm_inflate gzip;
	int error = axvm_inflate_begin(&gzip, blob);

	if (error)
		return error;
	error = inflate_kernel(aspace, plan, &gzip);
	axvm_inflate_end(&gzip);
	return error;
}

static int load_kernel(const struct axvm_aspace *aspace, const struct axvm_plan *plan,
		       struct axvm_blob blob)
{
	int error = 0;

	for (uint32_t i = 0; i < plan->kernel.segment_count && !error; i++) {
		const struct axvm_image_segment *segment = &plan->kernel.segments[i];

		error = zero(aspace, plan->kernel_gpa + segment->offset + segment->file_bytes,
			     segment->memory_bytes - segment->file_bytes);
	}
	if (error)
		return error;
	if (plan->kernel.compressed)
		return load_compressed(aspace, plan, blob);
	return place_all(aspace, plan, 0, blob.data, blob.bytes);
}

static int failed(int error, const char *what, uint64_t gpa, char why[AXVM_WHY_BYTES])
{
	struct axvm_text text = axvm_text(why, why ? AXVM_WHY_BYTES : 0);

	axvm_text_string(&text, what);
	axvm_text_string(&text, ": loading it at ");
	axvm_text_hex(&text, gpa);
	axvm_text_string(&text, " failed: ");
	axvm_text_string(&text, error == AXVM_EFORMAT
					? "the gzip file is damaged, cut short or of another size "
					  "than its trailer says"
					: axvm_strerror(error));
	return error;
}

int axvm_plan_load(struct axvm_vm *vm, const struct axvm_plan *plan, char why[AXVM_WHY_BYTES])
{
	const struct axvm_aspace *aspace = &vm->aspace;
	const struct axvm_vm_params *blobs = &vm->params;
	int error = load_kernel(aspace, plan, blobs->kernel);

	if (error)
		return failed(error, "kernel", plan->kernel_gpa, why);
	error = axvm_image_copy(aspace, axvm_gpa(plan->initrd_gpa), blobs->initrd.data,
				plan->initrd_bytes);
	if (error)
		return failed(error, "initrd", plan->initrd_gpa, why);
	error = axvm_image_copy(aspace, axvm_gpa(plan->bios_gpa), blobs->bios.data,
				plan->bios_bytes);
	if (error)
		return failed(error, "bios", plan->bios_gpa, why);
	return 0;
}
