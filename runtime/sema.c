/* SPDX-License-Identifier: MIT */
/* sema.c - "sleep until another G adds one": what mutexes, wait groups and semaphores park on.
 *
 * Go's semaphores are bare words; their waiters hang in a global table of trees, found by the word's
 * address.  Here the queue lies beside the word: no table, no tree, no lock that strangers share.  It costs
 * 28 bytes a mutex.
 *
 * I1  n_waiters is raised, under the lock, before the value is looked at for the last time; semrelease
 *     raises the value before it looks at n_waiters.  Both are sequentially consistent: nobody sleeps
 *     through a release.
 * I2  A waiter is out of the queue before it is made ready; its sudog lies in its own frame.
 *
 * Cost: uncontended one CAS; else the lock, and a park or a ready.
 */
#include "sema.h"
#include "proc.h"
#include "sim.h"

bool cansemacquire(struct rt_sema *s)
{
  uint32_t value = atomic_load(atomic32(&s->value));
  while (value > 0)
    if (atomic_compare_exchange_weak(atomic32(&s->value), &value, value - 1))
      return true;
  return false;
}

static void enqueue(struct rt_sema *s, struct sudog *sg, bool lifo)
{
  struct sudog *first = s->first, *last = s->last;
  sg->next = lifo ? first : NULL;
  if (!first)
    s->first = s->last = sg;
  else if (lifo)
    s->first = sg;
  else
    s->last = last->next = sg;
}

static struct sudog *dequeue(struct rt_sema *s)
{
  struct sudog *sg = s->first;
  if (!sg)
    return NULL;
  s->first = sg->next;
  if (!s->first)
    s->last = NULL;
  return sg;
}

void semacquire(struct rt_sema *s, bool lifo, waitreason reason, uint64_t obj)
{
  if (cansemacquire(s))
    return;
  struct sudog sg = { .g = getg() };
  for (;;) {
    lock_with_p(sema_lock(s));
    atomic_fetch_add(atomic32(&s->n_waiters), 1);
    if (MUTANT(13, false, cansemacquire(s))) {
      atomic_fetch_sub(atomic32(&s->n_waiters), 1);
      unlock_with_p(sema_lock(s));
      return;
    }
    enqueue(s, &sg, lifo);
    goparkunlock(sema_lock(s), reason, obj);
    if (sg.ticket != 0 || cansemacquire(s)) /* handed over, or nobody was faster */
      return;
  }
}

void semrelease(struct rt_sema *s, bool handoff, uint64_t obj)
{
  atomic_fetch_add(atomic32(&s->value), 1);
  if (atomic_load(atomic32(&s->n_waiters)) == 0)
    return;
  lock_with_p(sema_lock(s));
  struct sudog *sg = dequeue(s);
  if (sg)
    atomic_fetch_sub(atomic32(&s->n_waiters), 1);
  unlock_with_p(sema_lock(s));
  if (!sg)
    return; /* it took the value without waiting */
  struct g *gp = sg->g;
  bool handed_over = handoff && cansemacquire(s);
  sg->ticket = handed_over;
  MUTANT(6, (goready(gp, obj), goready(gp, obj)), goready(gp, obj));
  if (handed_over && getm()->locks == 0)
    goyield(); /* gp is in runnext: it runs now, in our time slice */
}
