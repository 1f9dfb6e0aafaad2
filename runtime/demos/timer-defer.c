/* SPDX-License-Identifier: MIT */
/* timer-defer - heaps of timers and chains of deferred calls have nothing in common.
 *
 * It is said that a goroutine for timers moves them in a global heap while a deferred call sets one, and that both
 * read and write the same data.  Here 8 goroutines, on all Ps, each arm timers, and in their deferred calls set one of
 * them anew, sleep, and stop it; the first thing that each deferred is to count.
 *
 * What to look at: a heap belongs to a P and changes under its lock: sorted anew when a timer that was set anew may
 * be due (timer_update, timer_heapify), on whatever M looks for work (g0, inside findRunnable), or one with another P
 * (timer_run_other).  Each event of a chain is by the goroutine that owns it.  sysmon runs no timer.
 * With the fault timer-defer-race, a timer that is moved in the heap takes the newest deferred call of its goroutine
 * with it, and that never runs: some are not counted.
 */
#include "demo.h"

#include <stdatomic.h>

#define WORKERS 8

static struct rt_waitgroup workers;
static _Atomic int counted;

static void fire(void *unused)
{
  (void)unused;
  rt_log("timer", "fired");
}

static void count(void *unused)
{
  (void)unused;
  atomic_fetch_add(&counted, 1);
}

/* The timer was to fire in 10 s: now in 1 ms, in the middle of the sleep. */
static void set_anew_and_sleep(void *timer)
{
  rt_timer_reset(timer, MS);
  rt_sleep(2 * MS);
  rt_timer_stop(timer);
}

static void use(struct rt_timer *timer)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, count, NULL);
  RT_DEFER(fr, set_anew_and_sleep, timer);
}

static void worker(void *unused)
{
  (void)unused;
  demo_compute(MS / 4); /* long enough that the other Ps come and steal */
  struct rt_timer *first = rt_after_func(5000 * MS, fire, NULL); /* so that timer is not the root */
  struct rt_timer *timer = rt_after_func(10000 * MS, fire, NULL);
  rt_name(timer, "set anew");
  use(timer);
  rt_timer_free(timer);
  rt_timer_free(first);
  rt_waitgroup_done(&workers);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_name(&workers, "workers");
  rt_waitgroup_add(&workers, WORKERS);
  for (int i = 0; i < WORKERS; i++)
    rt_go_named("worker", worker, NULL);
  rt_waitgroup_wait(&workers);
  printf("%d of %d deferred calls counted\n", atomic_load(&counted), WORKERS);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
