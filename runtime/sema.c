/* SPDX-License-Identifier: MIT */
/* sema.c - "sleep until another G adds one": what mutexes, wait groups and semaphores park on.
 *
 * Go's semaphores are bare words; their waiters hang in a global table of trees, found by the word's
 * address.  Here the queue lies beside the word: no table, no tree, no lock that strangers share.  It costs
 * 32 bytes in place of 4.
 *
 * The count is what can be taken, or, below zero, how many wait.  Who waits does not come back to look: a release
 * that finds somebody waiting gives the one away instead of adding it, so that nobody is faster, and the woken G
 * has nothing to do with the semaphore any more.  Go adds it, and lets the woken G and newcomers race for it.  Who
 * can tell the difference?  A mutex has its race about its own state; a wait group and an rwmutex release as many
 * as wait; for a semaphore first come, first served is what golang.org/x/sync promises.
 *
 * I1  Below zero the count changes under the lock only, and is minus the length of the queue.  From zero up it
 *     changes by compare and exchange, by anybody.
 * I2  A waiter is out of the queue before it is made ready; its sudog lies in its own frame.
 * I3  A release touches nothing of the semaphore after it let somebody go: that one may free it.
 *
 * Cost: uncontended one CAS; else the lock, and a park or a ready.
 */
#include "sema.h"
#include "proc.h"
#include "sim.h"

static _Atomic int64_t *count_of(struct rt_sema *s)
{
  return (_Atomic int64_t *)&s->count;
}

bool cansemacquire(struct rt_sema *s)
{
  int64_t count = atomic_load_explicit(count_of(s), memory_order_relaxed);
  while (count > 0)
    if (atomic_compare_exchange_weak(count_of(s), &count, count - 1))
      return true;
  return false;
}

/* Adds one if nobody waits. */
static bool add_one(struct rt_sema *s)
{
  int64_t count = atomic_load_explicit(count_of(s), memory_order_relaxed);
  while (count >= 0)
    if (atomic_compare_exchange_weak(count_of(s), &count, count + 1))
      return true;
  return false;
}

/* Under the lock. */
static void enqueue(struct rt_sema *s, struct sudog *sg, bool lifo)
{
  struct sudog *first = s->first, *last = s->last;
  in_this_run(&s->run, first);
  sg->next = lifo ? first : NULL;
  if (!first)
    s->first = s->last = sg;
  else if (lifo)
    s->first = sg;
  else
    s->last = last->next = sg;
}

/* Under the lock; NULL if nobody waits. */
static struct sudog *dequeue(struct rt_sema *s)
{
  struct sudog *sg = s->first;
  if (!sg)
    return NULL;
  in_this_run(&s->run, sg);
  s->first = sg->next;
  if (!s->first)
    s->last = NULL;
  int64_t count = atomic_load_explicit(count_of(s), memory_order_relaxed);
  atomic_store_explicit(count_of(s), count + 1, memory_order_relaxed);
  return sg;
}

void semacquire(struct rt_sema *s, bool lifo, waitreason reason, uint64_t obj)
{
  if (cansemacquire(s))
    return;
  lock_with_p(sema_lock(s));
  int64_t count = atomic_load_explicit(count_of(s), memory_order_relaxed);
  while (!atomic_compare_exchange_weak(count_of(s), &count, count - 1))
    continue;
  if (MUTANT(13, false, count > 0)) { /* somebody added it since we looked */
    unlock_with_p(sema_lock(s));
    return;
  }
  struct sudog sg = { .g = getg() };
  enqueue(s, &sg, lifo);
  goparkunlock(sema_lock(s), reason, obj);
}

void semrelease(struct rt_sema *s, bool handoff, uint64_t obj)
{
  struct sudog *sg = NULL;
  while (!sg) {
    if (add_one(s))
      return;
    lock_with_p(sema_lock(s));
    sg = dequeue(s);
    unlock_with_p(sema_lock(s));
  }
  struct g *gp = sg->g;
  MUTANT(6, (goready(gp, obj), goready(gp, obj)), goready(gp, obj));
  if (handoff && getm()->locks == 0)
    goyield(); /* gp is in runnext: it runs now, in our time slice */
}
