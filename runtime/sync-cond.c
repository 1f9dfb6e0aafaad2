/* SPDX-License-Identifier: MIT */
/* sync-cond.c - waiting for a condition under a mutex.
 *
 * Go gives out tickets, because a waiter must have its place before it unlocks the mutex, yet can park only
 * afterwards.  Here its sudog is in the queue from the start; ticket says whether its G has parked.  A signal
 * in between only marks it, and it does not park.
 */
#include "panic.h"
#include "proc.h"
#include "sema.h"

enum {
  PARKED = 1
};

void rt_cond_init(struct rt_cond *cond, struct rt_mutex *mutex)
{
  *cond = (struct rt_cond){ .mutex = mutex };
}

void rt_cond_wait(struct rt_cond *cond)
{
  struct rt_sema *q = &cond->queue;
  need_m("rt_cond_wait");
  if (!cond->mutex)
    panicerror("sync: Cond without a mutex; rt_cond_init gives it one");
  struct sudog sg = { .g = getg() };
  lock_with_p(sema_lock(q));
  in_this_run(&q->run, q->first);
  if (q->last)
    ((struct sudog *)q->last)->next = &sg;
  else
    q->first = &sg;
  q->last = &sg;
  unlock_with_p(sema_lock(q));
  rt_mutex_unlock(cond->mutex);

  lock_with_p(sema_lock(q));
  if (sg.success) {
    unlock_with_p(sema_lock(q));
  } else {
    sg.ticket = PARKED;
    goparkunlock(sema_lock(q), TRACE_WAIT_COND, obj_of(cond));
  }
  rt_mutex_lock(cond->mutex);
}

/* Takes out up to n waiters, first come first; those that have parked go to the queue. */
static void take_waiters(struct rt_sema *q, uint64_t n, struct gqueue *parked)
{
  lock_with_p(sema_lock(q));
  for (struct sudog *sg; n > 0 && (sg = q->first); n--) {
    in_this_run(&q->run, sg);
    q->first = sg->next;
    sg->success = true;
    if (sg->ticket == PARKED)
      gqueue_push(parked, sg->g);
  }
  if (!q->first)
    q->last = NULL;
  unlock_with_p(sema_lock(q));
}

static void wake(struct rt_cond *cond, uint64_t n)
{
  struct gqueue parked = { 0 };
  take_waiters(&cond->queue, n, &parked);
  for (struct g *gp; (gp = gqueue_pop(&parked));)
    goready(gp, obj_of(cond));
}

void rt_cond_signal(struct rt_cond *cond)
{
  preemption_point_of("rt_cond_signal");
  wake(cond, 1);
}

void rt_cond_broadcast(struct rt_cond *cond)
{
  preemption_point_of("rt_cond_broadcast");
  wake(cond, UINT64_MAX);
}
