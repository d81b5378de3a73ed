/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the APLIC only. */
#ifndef AXVM_RISCV64_APLIC_PRIVATE_H
#define AXVM_RISCV64_APLIC_PRIVATE_H

#include <stdatomic.h>

#include <axvm/hal_riscv64.h>

#include "aplic.h"
#include "arch.h"

#define APLIC_WORDS (AXVM_APLIC_SOURCES / 32u)
#define APLIC_BYTES_MIN 0x4000u /* without delivery control structures */

/* domaincfg [AIA 4.5.1]; BE is read-only 0. */
#define DOMAINCFG_FIXED 0x80000000u
#define DOMAINCFG_IE (1u << 8)
#define DOMAINCFG_DM (1u << 2)

/* sourcecfg [AIA 4.5.2]. */
#define SOURCECFG_D (1u << 10)
#define SOURCECFG_SM 7u
#define MODE_INACTIVE 0u
#define MODE_DETACHED 1u
#define MODE_EDGE1 4u
#define MODE_EDGE0 5u
#define MODE_LEVEL1 6u
#define MODE_LEVEL0 7u

/*
 * target [AIA 4.5.16]: the hart index, and one number that is IPRIO in direct mode (IPRIOLEN bits, never
 * 0) and EIID in MSI mode. A change of the mode leaves either with a value of the other's, which the
 * specification leaves open.
 */
#define TARGET_HART_SHIFT 18
#define TARGET_EIID 0xffu
#define APLIC_PRIORITY_BITS 3u
#define APLIC_PRIORITIES (1u << APLIC_PRIORITY_BITS) /* 0 is none */

/* 32 sources; bit n is the n-th. The configuration changes under the lock, the state on any CPU. */
struct aplic_word {
	/* Configuration. */
	_Atomic uint32_t active;
	_Atomic uint32_t edge;	   /* modes Edge1 and Edge0 */
	_Atomic uint32_t leveled;  /* modes Level1 and Level0 */
	_Atomic uint32_t inverted; /* modes Edge0 and Level0 */
	uint32_t hosted;	   /* the host's: its controller has rectified them. Constant */
	uint32_t routed; /* sent by the host to a hardware interrupt file. Under the lock */
	/* State. */
	_Atomic uint32_t wire;
	/* The pending bit; of level-sensitive sources in MSI mode, while the wire asserts it, and in direct
	   mode not used: what pends there is the wire. */
	_Atomic uint32_t latch;
	_Atomic uint32_t enabled;
	_Atomic uint32_t held;	 /* the wire is high for one pulse: until it is claimed or sent */
	_Atomic uint32_t linked; /* the host waits for the completion */
};

/* An interrupt delivery control structure [AIA 4.8.1], and which sources are this hart's. */
struct aplic_hart {
	_Atomic uint32_t delivery;
	_Atomic uint32_t force;
	_Atomic uint32_t threshold;
	_Atomic uint32_t claimed; /* the source that was claimed last and that the host waits for */
	_Atomic uint32_t
		hint[APLIC_PRIORITIES]; /* bit w: word w may have something of this priority */
	_Atomic uint32_t mine[APLIC_PRIORITIES][APLIC_WORDS]; /* under the lock */
};

struct axvm_aplic {
	struct axvm_vm *vm;
	struct axvm_lock lock; /* the configuration; the VM's own vCPUs take it, nobody else */
	uint32_t hart_count;
	_Atomic uint32_t domaincfg; /* IE and DM */
	_Atomic uint32_t genmsi;
	struct aplic_word words[APLIC_WORDS];
	_Atomic uint32_t target[AXVM_APLIC_SOURCES];
	struct aplic_hart harts[];
};

static inline uint32_t aplic_get(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void aplic_put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_seq_cst);
}

/* Looks after a change of one's own: of two that change and look at least one sees both changes. */
static inline uint32_t aplic_look(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_seq_cst);
}

/* Both return the old value. */
static inline uint32_t aplic_set(_Atomic uint32_t *word, uint32_t bits)
{
	return atomic_fetch_or_explicit(word, bits, memory_order_seq_cst);
}

static inline uint32_t aplic_clear(_Atomic uint32_t *word, uint32_t bits)
{
	return atomic_fetch_and_explicit(word, ~bits, memory_order_seq_cst);
}

static inline void aplic_assign(_Atomic uint32_t *word, uint32_t bits, bool value)
{
	if (value)
		aplic_set(word, bits);
	else
		aplic_clear(word, bits);
}

static inline bool aplic_is_msi(const struct axvm_aplic *aplic)
{
	return (aplic_look(&aplic->domaincfg) & DOMAINCFG_DM) != 0;
}

/* The rectified input values of a word [AIA 4.5.2]. */
static inline uint32_t aplic_rectified(const struct aplic_word *word)
{
	uint32_t inverted = aplic_look(&word->inverted) & ~word->hosted;

	return (aplic_look(&word->wire) ^ inverted) &
	       (aplic_look(&word->edge) | aplic_look(&word->leveled));
}

/* The pending bits of a word [AIA 4.7]. */
static inline uint32_t aplic_pending(const struct aplic_word *word, bool msi)
{
	uint32_t leveled = aplic_look(&word->leveled);
	uint32_t latch = aplic_look(&word->latch);

	if (leveled != 0) {
		uint32_t asserted = aplic_rectified(word) & leveled;

		latch = (latch & ~leveled) | (msi ? latch & asserted : asserted);
	}
	return latch & aplic_look(&word->active);
}

static inline uint32_t aplic_hart_of(uint32_t target)
{
	return target >> TARGET_HART_SHIFT;
}

static inline uint32_t aplic_priority_of(uint32_t target)
{
	uint32_t priority = target & (APLIC_PRIORITIES - 1);

	return priority == 0 ? 1 : priority;
}

/* ---- aplic_deliver.c ------------------------------------------------------------------------------ */

/* After a change of these sources of a word: their harts' lines follow, or MSIs are sent. Any CPU. */
void axvm_aplic_deliver(struct axvm_aplic *aplic, uint32_t word, uint32_t bits);
void axvm_aplic_deliver_all(struct axvm_aplic *aplic);
/* After a change of a hart's own registers. Any CPU. */
void axvm_aplic_settle(struct axvm_aplic *aplic, uint32_t hart);
/* topi; and a read of claimi. */
uint32_t axvm_aplic_top(struct axvm_aplic *aplic, uint32_t hart);
uint32_t axvm_aplic_claim(struct axvm_aplic *aplic, uint32_t hart);

/* ---- aplic_host.c --------------------------------------------------------------------------------- */

/*
 * The guest has dealt with these of the host's, or looks at them again: their wires are low until the
 * host brings them once more, at once when its line is still high. An edge that waits stays.
 */
void axvm_aplic_resample(struct axvm_aplic *aplic, uint32_t word, uint32_t bits);
/* Something changed of what these depend on that the host may send to a hardware file itself. */
void axvm_aplic_route(struct axvm_aplic *aplic, uint32_t word, uint32_t bits);
void axvm_aplic_route_all(struct axvm_aplic *aplic);

/* ---- aplic_registers.c ---------------------------------------------------------------------------- */

uint64_t axvm_aplic_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes);
void axvm_aplic_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value);

#endif
