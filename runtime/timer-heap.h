/* SPDX-License-Identifier: MIT */
/* timer-heap.h - what the life of timers (timer.c) and their heaps (timer-heap.c) know of each other. */
#pragma once
#include "runtime.h"
#include "sim.h"
#include "tracedoor.h"

#include <stdlib.h>

/* ---- The two locks; only an M with a P takes them ---- */

static inline void lock_timer(struct m *mp, struct timer *t)
{
  lock_with_p(&t->lock);
  tr_stamp_after(mp);
}

static inline void unlock_timer(struct timer *t)
{
  atomic_store_explicit(&t->astate, t->state, memory_order_release);
  unlock_with_p(&t->lock);
}

static inline void lock_timers(struct m *mp, struct timers *ts)
{
  MUTANT(115, (void)0, lock_with_p(&ts->lock));
  tr_stamp_after(mp);
}

/* The heap's ids, for a reader to check its copy by. ts.lock held. */
void timers_tell_check(struct m *mp, struct timers *ts);
#define CHECK_EVERY 64u /* changes between two timer_check events; more in a large heap */
static inline void unlock_timers(struct m *mp, struct timers *ts)
{
  if (ts->changes >= CHECK_EVERY && ts->changes >= ts->n && tr_on(mp, TRACE_FAMILY_TIMER))
    timers_tell_check(mp, ts);
  atomic_store_explicit(&ts->len, ts->n, memory_order_relaxed);
  unlock_with_p(&ts->lock);
}

static inline void unlock_and_free(struct timer *t, bool free_it)
{
  unlock_timer(t);
  if (free_it)
    free(t);
}

/* A timer's lock is held, not its heap's. */
static inline void count_zombies(struct timers *ts, int32_t more)
{
  if (one_p())
    atomic_store_explicit(&ts->zombies,
                          atomic_load_explicit(&ts->zombies, memory_order_relaxed) + more,
                          memory_order_relaxed);
  else
    atomic_fetch_add(&ts->zombies, more);
}

/* Its entry in a heap is not as it should be. From anywhere. */
static inline bool stale(const struct timer *t)
{
  return atomic_load_explicit(&t->astate, memory_order_acquire) & (timer_modified | timer_zombie);
}

/* ---- The heap; ts.lock held ---- */

/* There is memory for one entry more. */
bool has_room(struct timers *ts);
/* Appends t, whose lock is held or which nobody knows, and sifts it up. Fatal without room. */
void add_heap(struct m *mp, struct timers *ts, struct timer *t);
/* Mends the root, t, whose lock is held. True: it changed; *free_it: t is out and must be freed. */
bool update_heap(struct m *mp, struct timers *ts, struct timer *t, uint32_t step, bool *free_it);
/* Zombies at the tail and stale entries at the root, before an insertion. */
void clean_head(struct m *mp, struct timers *ts);
/* Mends the whole heap if a modified timer may be due, or if forced. */
void adjust(struct m *mp, struct timers *ts, int64_t now, bool force);
/* A modified timer may be due as early as when. Without the lock, too. */
void lower_min_when_modified(struct timers *ts, int64_t when);
