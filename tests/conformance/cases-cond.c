/* SPDX-License-Identifier: MIT */
/* cases-cond.c - sync.Cond: who is woken by Signal and Broadcast, and with what held. */
#include "case.h"

static struct rt_mutex mu;
static struct rt_cond cond;
static struct rt_waitgroup wg;
static int ready, n_woken;

FN(wait_say)
{
  rt_mutex_lock(&mu);
  rt_cond_wait(&cond);
  say("%d ", num(arg));
  rt_mutex_unlock(&mu);
}
static void start_waiters(int n)
{
  rt_cond_init(&cond, &mu);
  for (int i = 1; i <= n; i++) {
    go(wait_say, NUM(i));
    settle();
  }
}

CASE(cond_signal_wakes_one, "sync.Cond.Signal: wakes one goroutine waiting on c, if there is any",
     PRINTS("1 end "))
{
  start_waiters(3);
  rt_cond_signal(&cond);
  settle();
  say("end ");
}
CASE(cond_signal_in_order, "sync.Cond: waiters are woken first come first served", PRINTS("1 2 3 "))
{
  start_waiters(3);
  for (int i = 0; i < 3; i++) {
    rt_cond_signal(&cond);
    settle();
  }
}
CASE(cond_broadcast_wakes_all, "sync.Cond.Broadcast: wakes all goroutines waiting on c",
     PRINTS("3 1 2 "))
{
  start_waiters(3);
  rt_cond_broadcast(&cond);
  settle();
}
CASE(cond_signal_without_waiter_is_lost,
     "sync.Cond.Signal: wakes those that wait; is not remembered", PRINTS("end "))
{
  rt_cond_init(&cond, &mu);
  rt_cond_signal(&cond);
  rt_cond_broadcast(&cond);
  go(wait_say, NUM(1));
  settle();
  say("end ");
}
CASE(cond_signal_may_be_called_unlocked,
     "sync.Cond.Signal: it is allowed but not required to hold c.L", PRINTS("1 2 "))
{
  start_waiters(2);
  rt_cond_signal(&cond);
  settle();
  rt_mutex_lock(&mu);
  rt_cond_signal(&cond);
  rt_mutex_unlock(&mu);
  settle();
}
CASE(cond_wait_unlocks, "sync.Cond.Wait: atomically unlocks c.L and suspends", PRINTS("true "))
{
  start_waiters(1);
  say(rt_mutex_try_lock(&mu) ? "true " : "false ");
}
CASE(cond_wait_returns_locked, "sync.Cond.Wait: locks c.L before returning",
     PRINTS("still holding 1 "))
{
  start_waiters(1);
  rt_mutex_lock(&mu);
  rt_cond_signal(&cond);
  settle();
  say("still holding ");
  rt_mutex_unlock(&mu);
  settle();
}
FN(wait_until_ready)
{
  rt_mutex_lock(&mu);
  while (ready < num(arg))
    rt_cond_wait(&cond);
  n_woken++;
  rt_mutex_unlock(&mu);
  rt_waitgroup_done(&wg);
}
CASE(cond_wait_in_a_loop, "sync.Cond.Wait: the caller should Wait in a loop", PROCS(4),
     PRINTS("100 "))
{
  rt_cond_init(&cond, &mu);
  rt_waitgroup_add(&wg, 100);
  for (int i = 1; i <= 100; i++)
    go(wait_until_ready, NUM(i));
  for (int i = 1; i <= 100; i++) {
    rt_mutex_lock(&mu);
    ready = i;
    rt_mutex_unlock(&mu);
    rt_cond_broadcast(&cond);
  }
  rt_waitgroup_wait(&wg);
  say("%d ", n_woken);
}
CASE(cond_wait_unlocked, "sync.Cond.Wait: unlocks c.L, which must be locked",
     FATAL("sync: unlock of unlocked mutex", "running"))
{
  rt_cond_init(&cond, &mu);
  rt_cond_wait(&cond);
}
static int queue[4], n_queued, n_put, n_taken, sum;
static struct rt_cond not_full, not_empty;
FN(producer)
{
  for (int i = 1; i <= 500; i++) {
    rt_mutex_lock(&mu);
    while (n_queued == 4)
      rt_cond_wait(&not_full);
    queue[n_put++ % 4] = i;
    n_queued++;
    rt_mutex_unlock(&mu);
    rt_cond_signal(&not_empty);
  }
  rt_waitgroup_done(&wg);
}
FN(consumer)
{
  for (int i = 1; i <= 500; i++) {
    rt_mutex_lock(&mu);
    while (n_queued == 0)
      rt_cond_wait(&not_empty);
    sum += queue[n_taken++ % 4];
    n_queued--;
    rt_mutex_unlock(&mu);
    rt_cond_signal(&not_full);
  }
  rt_waitgroup_done(&wg);
}
CASE(cond_bounded_queue, "sync.Cond: a rendezvous point; a bounded queue loses nothing", PROCS(4),
     PRINTS("375750 "))
{
  rt_cond_init(&not_full, &mu);
  rt_cond_init(&not_empty, &mu);
  rt_waitgroup_add(&wg, 6);
  for (int i = 0; i < 3; i++) {
    go(producer, NULL);
    go(consumer, NULL);
  }
  rt_waitgroup_wait(&wg);
  say("%d ", sum);
}
