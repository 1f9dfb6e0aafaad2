/* SPDX-License-Identifier: MIT */
/* sync-waitgroup.c - waiting until a counter is zero.
 *
 * Go's sync.WaitGroup: the counter in the high half of one word, the number of waiters in the low half, so
 * that "zero, and somebody waits" is seen in one look.
 */
#include "proc.h"
#include "sema.h"

static _Atomic uint64_t *state_of(struct rt_waitgroup *wg)
{
  return (_Atomic uint64_t *)&wg->state;
}

/* The counter is 0 and Gs wait: nobody may add now, so the state stays as it is until we reset it. */
static __attribute__((noinline)) void release_all(struct rt_waitgroup *wg, uint64_t state)
{
  if (atomic_load(state_of(wg)) != state)
    rt_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  atomic_store(state_of(wg), 0);
  for (uint32_t waiters = (uint32_t)state; waiters > 0; waiters--)
    semrelease(&wg->sema, false, obj_of(wg));
  preemption_point();
}

void rt_waitgroup_add(struct rt_waitgroup *wg, int delta)
{
  struct g *gp = need_m("rt_waitgroup_add");
  uint64_t change = (uint64_t)(uint32_t)delta << 32;
  uint64_t state = change;
  if (one_p()) {
    state += atomic_load_explicit(state_of(wg), memory_order_relaxed);
    atomic_store_explicit(state_of(wg), state, memory_order_release);
  } else {
    state += atomic_fetch_add(state_of(wg), change);
  }
  int32_t counter = (int32_t)(state >> 32);
  uint32_t waiters = (uint32_t)state;
  if (counter < 0)
    rt_panic("sync: negative WaitGroup counter");
  if (waiters != 0 && delta > 0 && counter == delta)
    rt_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  if (counter == 0 && waiters > 0)
    release_all(wg, state);
  else if (gp)
    checkpreempt(gp);
}

void rt_waitgroup_done(struct rt_waitgroup *wg)
{
  rt_waitgroup_add(wg, -1);
}

void rt_waitgroup_wait(struct rt_waitgroup *wg)
{
  preemption_point_of("rt_waitgroup_wait");
  uint64_t state = atomic_load(state_of(wg));
  while ((int32_t)(state >> 32) != 0) {
    if (!atomic_compare_exchange_weak(state_of(wg), &state, state + 1))
      continue;
    semacquire(&wg->sema, false, TRACE_WAIT_WAITGROUP, obj_of(wg));
    if (atomic_load(state_of(wg)) != 0)
      rt_panic("sync: WaitGroup is reused before previous Wait has returned");
    return;
  }
}
