/* SPDX-License-Identifier: MIT */
/* sync-once.c - doing a thing once, while the others wait for it.
 *
 * Go's sync.Once.  Both steps at the end are deferred, so that they happen also when fn panics or calls
 * rt_goexit: then it counts as done.
 */
#include "proc.h"
#include "sema.h"

static void mark_done(void *once)
{
  atomic_store_explicit(atomic32(&((struct rt_once *)once)->done), 1, memory_order_release);
}

static void unlock(void *once)
{
  rt_mutex_unlock(&((struct rt_once *)once)->mutex);
}

static void do_slow(struct rt_once *once, void (*fn)(void *), void *arg)
{
  RT_FRAME(fr, { return; });
  rt_mutex_lock(&once->mutex);
  RT_DEFER(fr, unlock, once);
  if (atomic_load_explicit(atomic32(&once->done), memory_order_acquire) != 0)
    return;
  RT_DEFER(fr, mark_done, once);
  rt_function_(fn)(arg);
}

void rt_once_do(struct rt_once *once, void (*fn)(void *), void *arg)
{
  struct g *gp = need_m("rt_once_do");
  if (atomic_load_explicit(atomic32(&once->done), memory_order_acquire) == 0)
    do_slow(once, fn, arg); /* which has such points enough */
  else if (gp)
    checkpreempt(gp);
}
