// SPDX-License-Identifier: Apache-2.0
/*
 * zlib's inflate over memory of a known size: its state (7 KiB), its window (32 KiB) and one piece
 * of output lie in pages that are taken for the time of one image only.
 */
#include "inflate.h"

#include <axvm/hal.h>

#include <string.h>

#define ZLIB_CONST /* zlib then takes its input as const */
#include <zlib.h>

#define HEAP_BYTES 0xb000u /* the state and the window, with room for their headers */
#define INPUT_BYTES_MAX 0x40000000u

struct axvm_inflate_work {
	z_stream stream;
	const uint8_t *next; /* input that zlib has not been given yet */
	uint64_t left;
	bool ended;
	uint32_t heap_used;
	_Alignas(16) uint8_t heap[HEAP_BYTES];
	uint8_t piece[AXVM_INFLATE_PIECE_BYTES];
};

#define WORK_PAGES ((sizeof(struct axvm_inflate_work) + AXVM_PAGE_BYTES - 1) / AXVM_PAGE_BYTES)

static voidpf heap_take(voidpf opaque, uInt items, uInt item_bytes)
{
	struct axvm_inflate_work *work = opaque;
	uint64_t bytes = axvm_align_down((uint64_t)items * item_bytes + 15, 16);

	if (bytes > HEAP_BYTES - work->heap_used)
		return NULL;
	work->heap_used += (uint32_t)bytes;
	return &work->heap[work->heap_used - bytes];
}

static void heap_give(voidpf opaque, voidpf address)
{
	(void)opaque; /* all of it goes with the pages */
	(void)address;
}

bool axvm_inflate_is_gzip(struct axvm_blob blob)
{
	static const uint8_t magic[3] = { 0x1f, 0x8b, 8 };

	return blob.bytes >= sizeof(magic) && memcmp(blob.data, magic, sizeof(magic)) == 0;
}

static void unmap_and_free(struct axvm_inflate *gzip)
{
	axvm_hal_unmap(gzip->work, WORK_PAGES * AXVM_PAGE_BYTES);
	axvm_hal_free_pages(gzip->pages, WORK_PAGES);
}

int axvm_inflate_begin(struct axvm_inflate *gzip, struct axvm_blob blob)
{
	int error = axvm_hal_alloc_pages(WORK_PAGES, AXVM_PAGE_BYTES, &gzip->pages);

	if (error)
		return error;

	struct axvm_inflate_work *work = axvm_hal_map(gzip->pages, WORK_PAGES * AXVM_PAGE_BYTES);

	gzip->work = work;
	memset(work, 0, offsetof(struct axvm_inflate_work, heap));
	work->next = blob.data;
	work->left = blob.bytes;
	work->stream.zalloc = heap_take;
	work->stream.zfree = heap_give;
	work->stream.opaque = work;
	if (inflateInit2(&work->stream, MAX_WBITS + 16) != Z_OK) {
		unmap_and_free(gzip);
		return AXVM_ENOMEM;
	}
	return 0;
}

static void feed(struct axvm_inflate_work *work)
{
	if (work->stream.avail_in > 0)
		return;

	uint32_t bytes = work->left < INPUT_BYTES_MAX ? (uint32_t)work->left : INPUT_BYTES_MAX;

	work->stream.next_in = work->next;
	work->stream.avail_in = bytes;
	work->next += bytes;
	work->left -= bytes;
}

int axvm_inflate_next(struct axvm_inflate *gzip, uint64_t limit, const uint8_t **piece,
		      uint64_t *bytes)
{
	struct axvm_inflate_work *work = gzip->work;
	z_stream *stream = &work->stream;

	stream->next_out = work->piece;
	stream->avail_out = (uInt)limit;
	while (!work->ended && stream->avail_out > 0) {
		feed(work);
		/* Without input or progress zlib says Z_BUF_ERROR: the file is cut short. */
		int result = inflate(stream, Z_NO_FLUSH);

		if (result == Z_STREAM_END)
			work->ended = true;
		else if (result != Z_OK)
			return AXVM_EFORMAT;
	}
	*piece = work->piece;
	*bytes = limit - stream->avail_out;
	return 0;
}

void axvm_inflate_end(struct axvm_inflate *gzip)
{
	(void)inflateEnd(&gzip->work->stream);
	unmap_and_free(gzip);
}
