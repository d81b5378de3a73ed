/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types that carry meaning: a guest-physical and a host-physical address can
 * not be mixed up, because they are structs with one member.
 */
#ifndef AXVM_TYPES_H
#define AXVM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXVM_PAGE_SHIFT 12u
#define AXVM_PAGE_BYTES ((uint64_t)1 << AXVM_PAGE_SHIFT)

/* Capacities of the library; configuration beyond them is refused by name. */
#define AXVM_VCPUS_MAX 64u /* per VM */
#define AXVM_CPUS_MAX 64u  /* physical CPUs */
#define AXVM_VMS_MAX 64u
#define AXVM_NAME_BYTES 64u /* with the final NUL */

#define AXVM_CPU_NONE UINT32_MAX

struct axvm_gpa {
	uint64_t addr;
};

struct axvm_hpa {
	uint64_t addr;
};

static inline struct axvm_gpa axvm_gpa(uint64_t addr)
{
	return (struct axvm_gpa){ addr };
}

static inline struct axvm_hpa axvm_hpa(uint64_t addr)
{
	return (struct axvm_hpa){ addr };
}

/* Rights and memory type of a mapping; the numbers are those of the VM files' `flags`. */
enum axvm_map_flags {
	AXVM_MAP_READ = 1u << 0,
	AXVM_MAP_WRITE = 1u << 1,
	AXVM_MAP_EXECUTE = 1u << 2,
	AXVM_MAP_USER = 1u << 3,
	AXVM_MAP_DEVICE = 1u << 4,
	AXVM_MAP_UNCACHED = 1u << 5,
};
#define AXVM_MAP_FLAGS_ALL 0x3fu
#define AXVM_MAP_RWX (AXVM_MAP_READ | AXVM_MAP_WRITE | AXVM_MAP_EXECUTE)

struct axvm_vm;
struct axvm_vcpu;
struct axvm_device;
struct axvm_config;

/* Range helpers that cannot wrap. `bytes` may be 0: an empty range is in no range's way. */
static inline bool axvm_range_wraps(uint64_t base, uint64_t bytes)
{
	return bytes > 0 && bytes - 1 > UINT64_MAX - base;
}

static inline bool axvm_ranges_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a_bytes > 0 && b_bytes > 0 && (a <= b ? b - a < a_bytes : a - b < b_bytes);
}

/* Whether [base, base + bytes) lies in [outer, outer + outer_bytes). */
static inline bool axvm_range_contains(uint64_t outer, uint64_t outer_bytes, uint64_t base,
				       uint64_t bytes)
{
	return base >= outer && base - outer <= outer_bytes &&
	       bytes <= outer_bytes - (base - outer);
}

static inline uint64_t axvm_align_down(uint64_t value, uint64_t alignment)
{
	return value & ~(alignment - 1);
}

static inline bool axvm_is_aligned(uint64_t value, uint64_t alignment)
{
	return (value & (alignment - 1)) == 0;
}

#endif
