/* SPDX-License-Identifier: Apache-2.0 */
/* Inflates a gzip file piece by piece, by zlib, in a few pages of its own. */
#ifndef AXVM_INFLATE_H
#define AXVM_INFLATE_H

#include <axvm/error.h>
#include <axvm/types.h>
#include <axvm/vm.h>

struct axvm_inflate_work; /* inflate.c */

struct axvm_inflate {
	struct axvm_hpa pages;
	struct axvm_inflate_work *work;
};

/* The largest piece, and what is inflated of a kernel to see what it is. */
#define AXVM_INFLATE_PIECE_BYTES 0x10000u
#define AXVM_INFLATE_HEAD_BYTES 0x1000u

/* Whether it begins as a gzip file does. */
bool axvm_inflate_is_gzip(struct axvm_blob blob);

/*
 * Takes the pages; `blob` must stay until `end`. AXVM_ENOMEM: none left, and
 * there is nothing to end.
 */
AXVM_MUST_USE int axvm_inflate_begin(struct axvm_inflate *gzip, struct axvm_blob blob);

/*
 * The next at most `limit` bytes (1 to AXVM_INFLATE_PIECE_BYTES), valid until the
 * next call; fewer only at the end, 0 after it. AXVM_EFORMAT: damaged or cut
 * short (the checksum is looked at too).
 */
AXVM_MUST_USE int axvm_inflate_next(struct axvm_inflate *gzip, uint64_t limit,
				    const uint8_t **piece, uint64_t *bytes);

void axvm_inflate_end(struct axvm_inflate *gzip);

#endif
