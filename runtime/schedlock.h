/* SPDX-License-Identifier: MIT */
/* schedlock.h - sched.lock, which can be biased to the M that takes it most (schedlock.c). */
#pragma once
#include "runtime.h"

/* Takes and releases it; each is a full barrier, as lock2's and Go's are. From any thread. */
void lock_sched(void);
void unlock_sched(void);
/* Nobody has it. For the simulation's invariants, which look when nothing moves. */
bool sched_is_unlocked(void);

void lock_sched_slow(struct m *mp);

/* The same for the switch itself: mp is the caller's M, and nothing that comes before or behind relies on a barrier but
 * what a lock means. */
static ALWAYS_INLINE void lock_sched_often(struct m *mp)
{
  atomic_store_explicit(&mp->in_sched, true, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst); /* the rest of it is in evict's fence */
  if (unlikely(!atomic_load_explicit(&mp->biased, memory_order_relaxed)))
    lock_sched_slow(mp);
}
static ALWAYS_INLINE void unlock_sched_often(struct m *mp)
{
  if (likely(atomic_load_explicit(&mp->in_sched, memory_order_relaxed)))
    atomic_store_explicit(&mp->in_sched, false, memory_order_release); /* pairs with evict */
  else
    unlock2(&sched.lock);
}
