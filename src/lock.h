/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticket spin locks and the order in which they may be taken. The library runs
 * with preemption off and is not entered from interrupt handlers that could
 * interrupt a holder, so a lock is never waited for by its own CPU.
 */
#ifndef AXVM_LOCK_H
#define AXVM_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* Taken in this order only: a holder may take locks of a higher rank. Checked by the host tests. */
enum axvm_lock_rank {
	AXVM_LOCK_LIST = 1, /* the list of VMs */
	AXVM_LOCK_VM,	    /* one VM: lifecycle, aspace */
	AXVM_LOCK_CHANNEL,  /* one IVC channel */
	AXVM_LOCK_DEVICE,   /* one emulated device */
	AXVM_LOCK_IRQ,	    /* a VM's interrupt controller */
	AXVM_LOCK_LEAF,	    /* takes nothing else */
};

#if defined(__clang__) /* thread-safety analysis is clang's alone */
#define AXVM_CAPABILITY __attribute__((capability("mutex")))
#define AXVM_ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define AXVM_RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define AXVM_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define AXVM_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define AXVM_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define AXVM_CAPABILITY
#define AXVM_ACQUIRES(...)
#define AXVM_RELEASES(...)
#define AXVM_REQUIRES(...)
#define AXVM_GUARDED_BY(x)
#define AXVM_UNCHECKED
#endif

struct AXVM_CAPABILITY axvm_lock {
	_Atomic uint32_t next;	/* the ticket of the next to come */
	_Atomic uint32_t owner; /* the ticket that holds it */
	uint32_t rank;		/* enum axvm_lock_rank */
};

static inline void axvm_lock_init(struct axvm_lock *lock, enum axvm_lock_rank rank)
{
	atomic_init(&lock->next, 0);
	atomic_init(&lock->owner, 0);
	lock->rank = (uint32_t)rank;
}

#if defined(AXVM_CHECK_LOCKS) /* host tests count and order every acquisition (hal/sim) */
void axvm_lock_check_take(const struct axvm_lock *lock);
void axvm_lock_check_drop(const struct axvm_lock *lock);
#else
static inline void axvm_lock_check_take(const struct axvm_lock *lock)
{
	(void)lock;
}
static inline void axvm_lock_check_drop(const struct axvm_lock *lock)
{
	(void)lock;
}
#endif

static inline void axvm_lock_take(struct axvm_lock *lock) AXVM_ACQUIRES(lock) AXVM_UNCHECKED
{
	axvm_lock_check_take(lock);
	uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
	/* acquire: pairs with the release in axvm_lock_drop */
	while (atomic_load_explicit(&lock->owner, memory_order_acquire) != ticket)
		;
}

static inline void axvm_lock_drop(struct axvm_lock *lock) AXVM_RELEASES(lock) AXVM_UNCHECKED
{
	axvm_lock_check_drop(lock);
	uint32_t ticket = atomic_load_explicit(&lock->owner, memory_order_relaxed);
	/* release: pairs with the acquire in axvm_lock_take */
	atomic_store_explicit(&lock->owner, ticket + 1, memory_order_release);
}

#endif
