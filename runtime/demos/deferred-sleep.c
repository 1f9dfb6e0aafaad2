/* SPDX-License-Identifier: MIT */
/* deferred-sleep - a sleep inside a deferred call holds up nobody, even with a single P.
 *
 * The article says that it keeps its M, and freezes the program.  Two forms:
 *   printed    the article's function: it defers a sleep, starts a goroutine, and waits for ever (select {}).  It never
 *              returns, so the deferred call is never reached: all goroutines are asleep, which is told at once
 *   reached    the function returns, on one P.  Its deferred call sleeps until "ticker" has ticked 10 times: if
 *              it kept the M, or the P, this would never end.  In the middle "late" is started and the world
 *              stops for a look at all stacks, and for a dump of them
 *
 * What to look at: after the sleeper parks (sleep), the same M with the same P runs the others, or waits for the next
 * timer in netpoll; the sleeper's deferred call has begun and not ended (see its calls in the state panel); its timer
 * is one entry of the P's heap, beside the ticker's. In the dump it is in rt_sleep, called by the deferred call, and
 * nothing of the making of a record is there.
 * With the fault sleep-blocks-m, reached: the ticker ticks only when the sleeper's thread is back.
 */
#include "demo.h"

#define TICKS 10

static int ticks, ticks_meanwhile;
static bool late_ran, in_sleep;
static struct rt_waitgroup all;

static void sleep_once(void *ns)
{
  rt_sleep(*(int64_t *)ns);
}

static void say(void *what)
{
  puts(what);
}

static void as_printed(void)
{
  int64_t ns = 5000 * MS;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, sleep_once, &ns);
  rt_go_named("spawned", say, "spawned");
  rt_select(NULL, 0); /* for ever */
}

static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}

static void sleep_deferred(void *unused)
{
  (void)unused;
  for (; ticks < TICKS; in_sleep = false) {
    rt_safepoint(); /* who is to be preempted is so before the sleep, not in it */
    in_sleep = true;
    rt_sleep(3 * MS);
  }
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
  late_ran = in_sleep;
  rt_gc();
  rt_stack_dump(2, true);
  rt_waitgroup_done(&all);
}

static void ticker(void *unused)
{
  (void)unused;
  for (; ticks < TICKS; ticks++) {
    ticks_meanwhile += in_sleep;
    if (ticks == TICKS / 2)
      rt_go_named("late", late, NULL);
    demo_compute(MS / 4);
    rt_sleep(MS / 2);
  }
  rt_waitgroup_done(&all);
}

static void reached(void)
{
  rt_gomaxprocs(1);
  rt_name(&all, "all");
  rt_waitgroup_add(&all, 3);
  rt_go_named("ticker", ticker, NULL);
  rt_go_named("sleeper", sleeper, NULL);
  rt_waitgroup_wait(&all);
  printf("ticks during the deferred sleep: %s\n", ticks_meanwhile > 0 ? "yes" : "no");
  printf("a new goroutine ran during it: %s\n", late_ran ? "yes" : "no");
}

static int start(int argc, char **argv)
{
  static const char *const forms[] = { "printed", "reached", NULL };
  demo_form(argc, argv, forms) ? reached() : as_printed();
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
