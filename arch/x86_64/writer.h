/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian fields one after the other into a buffer; what does not fit is dropped, and known. */
#ifndef AXVM_X86_64_WRITER_H
#define AXVM_X86_64_WRITER_H

#include <stdbool.h>
#include <stdint.h>

struct axvm_x86_writer {
	uint8_t *data;
	uint64_t capacity; /* bytes */
	uint64_t at;	   /* where the next field goes; never above capacity */
	bool is_full;	   /* something did not fit; from then on nothing is written */
};

static inline void axvm_x86_put(struct axvm_x86_writer *writer, uint64_t value, unsigned bytes)
{
	if (bytes > writer->capacity - writer->at)
		writer->is_full = true;
	if (writer->is_full)
		return;
	for (unsigned i = 0; i < bytes; i++)
		writer->data[writer->at++] = (uint8_t)(value >> (8 * i));
}

/* Changes what is written already; `at + bytes` is not above writer->at, or nothing happens. */
static inline void axvm_x86_put_at(struct axvm_x86_writer *writer, uint64_t at, uint64_t value,
				   unsigned bytes)
{
	if (writer->is_full || at > writer->at || bytes > writer->at - at)
		return;
	for (unsigned i = 0; i < bytes; i++)
		writer->data[at + i] = (uint8_t)(value >> (8 * i));
}

static inline void axvm_x86_put_text(struct axvm_x86_writer *writer, const char *text,
				     unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		axvm_x86_put(writer, (uint8_t)text[i], 1);
}

static inline void axvm_x86_put_zeros(struct axvm_x86_writer *writer, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes && !writer->is_full; i++)
		axvm_x86_put(writer, 0, 1);
}

/* `alignment` is a power of two. */
static inline void axvm_x86_put_padding(struct axvm_x86_writer *writer, uint64_t alignment)
{
	axvm_x86_put_zeros(writer, (0 - writer->at) & (alignment - 1));
}

#endif
