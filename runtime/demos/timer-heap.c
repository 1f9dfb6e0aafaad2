/* SPDX-License-Identifier: MIT */
/* timer-heap - dozens of sleepers, and timers that are stopped before their time.
 *
 * 48 goroutines sleep between 1 and 48 ms.  Beside them 24 receivers wait for a message with a time limit of
 * 10 s: the message comes after some milliseconds, so every second of those timers is stopped, and the others
 * are moved to the far future and stopped at the end.
 *
 * What to look at: the 4-ary heaps of the Ps as trees; an armed timer rising to its place; stopped ones, which stay
 * as zombies until they reach the root or the tail or the heap is cleaned; how late each timer fires; and
 * one M with an empty queue running the timers of another P.
 */
#include "rt.h"

#include <stdio.h>

#define MS       1000000ll
#define SLEEPERS 48
#define LIMITS   24

static struct rt_waitgroup all;
static int fired;

static void sleeper(void *ms)
{
  rt_sleep((intptr_t)ms * MS);
  rt_waitgroup_done(&all);
}

static void limit_passed(void *unused)
{
  (void)unused;
  fired++;
}

static void limited(void *n)
{
  struct rt_timer *limit = rt_after_func(10000 * MS, limit_passed, NULL);
  rt_sleep((intptr_t)n % 7 * MS); /* the message */
  if ((intptr_t)n % 2)
    rt_timer_stop(limit);
  else
    rt_timer_reset(limit, 3600000 * MS); /* an hour */
  rt_sleep(20 * MS);
  rt_timer_free(limit);
  rt_waitgroup_done(&all);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_name(&all, "all");
  rt_waitgroup_add(&all, SLEEPERS + LIMITS);
  for (intptr_t i = 0; i < SLEEPERS; i++)
    rt_go_named("sleeper", sleeper, (void *)(i * 29 % SLEEPERS + 1)); /* not in order */
  for (intptr_t i = 0; i < LIMITS; i++)
    rt_go_named("limited", limited, (void *)i);
  rt_waitgroup_wait(&all);
  printf("%d slept, %d time limits stopped, %d passed\n", SLEEPERS, LIMITS, fired);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
