/* SPDX-License-Identifier: MIT */
/* deferred-sleep - a sleep inside a deferred call holds up nobody, even with a single P.
 *
 * It is said that a sleep in a deferred call keeps its thread.  Here is one P only.  "sleeper" returns, and
 * its deferred call sleeps for as long as "ticker" has not ticked 20 times.  If it kept the thread, or the P,
 * this would never end.  In the middle "ticker" starts "late", which runs at once.
 *
 * What to look at: after the sleeper parks (sleep), the same M with the same P runs the others; the sleeper's
 * deferred call has begun and not ended (see its calls in the state panel); its timer is one entry of
 * the P's heap, beside the ticker's.
 */
#include "rt.h"

#include <stdio.h>

#define MS 1000000

static int ticks;
static bool late_ran;
static struct rt_waitgroup all;

static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}

static void sleep_deferred(void *unused)
{
  (void)unused;
  int before = ticks;
  while (ticks < 20)
    rt_sleep(10 * MS);
  printf("ticks during the deferred sleep: %s\n", ticks > before ? "yes" : "no");
}

static void sleeper(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &all);
  RT_DEFER(fr, sleep_deferred, NULL);
}

static void late(void *unused)
{
  (void)unused;
  late_ran = true;
  rt_waitgroup_done(&all);
}

static void ticker(void *unused)
{
  (void)unused;
  for (; ticks < 20; ticks++) {
    if (ticks == 10)
      rt_go_named("late", late, NULL);
    rt_sleep(2 * MS);
  }
  rt_waitgroup_done(&all);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_gomaxprocs(1);
  rt_name(&all, "all");
  rt_waitgroup_add(&all, 3);
  rt_go_named("ticker", ticker, NULL);
  rt_go_named("sleeper", sleeper, NULL);
  rt_waitgroup_wait(&all);
  printf("a new goroutine ran: %s\n", late_ran ? "yes" : "no");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
