/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space: the second-stage translation of one VM, GPA to HPA. One
 * walker over a table that describes the format of the entries.
 */
#ifndef AXVM_ASPACE_H
#define AXVM_ASPACE_H

#include <stdatomic.h>

#include <axvm/error.h>
#include <axvm/types.h>

struct axvm_pte_format; /* src/pte_format.h */

/* Pages that an object may still take from the host. Counted, never exceeded. */
struct axvm_budget {
	_Atomic uint64_t used_pages;
	uint64_t limit_pages;
};

/*
 * The owner serialises changes (the vm's lock); query, translate and guest memory
 * access take no lock and may run beside a change of another range. When an unmap
 * or protect has returned, neither a CPU nor a guest memory access in flight uses
 * what was there before.
 *
 * While a block is split or merged its entry is absent for a moment, and an entry
 * that was just made may not yet be seen by other CPUs: a guest may then fault on
 * memory that is mapped. Whoever handles a stage-2 fault asks axvm_aspace_translate
 * first, and lets the guest try again when it finds the address with the right.
 */
struct axvm_aspace {
	const struct axvm_pte_format *format;
	struct axvm_budget *budget; /* pays for table pages */
	struct axvm_hpa root;
	uint32_t vmid;	      /* tag in the TLB; unique among live aspaces */
	uint64_t table_pages; /* root included */
	_Atomic uint64_t
		cpus; /* physical CPUs that have it loaded: whom an invalidation must reach */
	_Atomic uint32_t breaking;   /* odd while a live entry is absent for its replacement */
	_Atomic uint32_t epoch;	     /* counts the waits for readers; its parity is theirs */
	_Atomic uint32_t readers[2]; /* guest memory accesses and look-ups in flight */
};

struct axvm_mapping {
	struct axvm_hpa hpa;  /* of the address asked for */
	uint64_t block_bytes; /* 4 KiB, 2 MiB or 1 GiB */
	uint32_t flags;	      /* enum axvm_map_flags */
};

/*
 * Makes an empty address space with a zeroed root table. May not block.
 * AXVM_EINVAL: `format` contradicts itself.
 * AXVM_ENOMEM: no pages or no budget. The aspace is the caller's memory.
 */
AXVM_MUST_USE int axvm_aspace_init(struct axvm_aspace *aspace, const struct axvm_pte_format *format,
				   uint32_t vmid, struct axvm_budget *budget);

/*
 * Gives back every table page and invalidates the VMID everywhere. Mapped memory is its owners'.
 * No CPU and no reader uses it any more. A zeroed or finished aspace is left as it is.
 */
void axvm_aspace_fini(struct axvm_aspace *aspace);

/*
 * Maps [gpa, gpa + bytes) to [hpa, ...) with the largest blocks that alignment
 * allows. Nothing changes on an error. WRITE and EXECUTE imply READ, for not every
 * format has them alone; USER says nothing here; DEVICE goes before UNCACHED and is
 * never executable: query answers with what is left.
 * AXVM_EINVAL: unaligned to 4 KiB, empty, unknown flags, or no right at all.
 * AXVM_ERANGE: beyond the format's input or output addresses, or wraps.
 * AXVM_EEXIST: a part is mapped already. AXVM_ENOMEM: no table page.
 */
AXVM_MUST_USE int axvm_aspace_map(struct axvm_aspace *aspace, struct axvm_gpa gpa,
				  struct axvm_hpa hpa, uint64_t bytes, uint32_t flags);

/*
 * Unmaps the range; holes in it are fine; blocks that straddle its ends are
 * split first (AXVM_ENOMEM, then nothing is unmapped). Empty tables are freed
 * after the invalidation that covers them. EINVAL and ERANGE as above. What was
 * mapped in parts that continue each other may have become one block: unmapping
 * one of the parts may need a page, too.
 */
AXVM_MUST_USE int axvm_aspace_unmap(struct axvm_aspace *aspace, struct axvm_gpa gpa,
				    uint64_t bytes);

/*
 * Changes the rights and memory type of a range that is mapped throughout
 * (else AXVM_EFAULT and nothing changes); otherwise as unmap.
 */
AXVM_MUST_USE int axvm_aspace_protect(struct axvm_aspace *aspace, struct axvm_gpa gpa,
				      uint64_t bytes, uint32_t flags);

/* AXVM_EFAULT: not mapped. `mapping` may be NULL. Any context, no lock. */
AXVM_MUST_USE int axvm_aspace_query(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				    struct axvm_mapping *mapping);

/*
 * The host address of `gpa`, and how many bytes from there on are contiguous
 * in the same block. AXVM_EFAULT: not mapped with all of `rights`.
 */
AXVM_MUST_USE int axvm_aspace_translate(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
					uint32_t rights, struct axvm_hpa *hpa, uint64_t *bytes);

/*
 * Copies between the caller's buffer and guest memory across pages, all or
 * nothing: AXVM_EFAULT before the first byte when a part is not RAM with the
 * right (READ, WRITE); device mappings are never touched.
 */
AXVM_MUST_USE int axvm_aspace_read(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				   void *buffer, uint64_t bytes);
AXVM_MUST_USE int axvm_aspace_write(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				    const void *buffer, uint64_t bytes);
AXVM_MUST_USE int axvm_aspace_fill(const struct axvm_aspace *aspace, struct axvm_gpa gpa,
				   uint8_t byte, uint64_t bytes);

#endif
