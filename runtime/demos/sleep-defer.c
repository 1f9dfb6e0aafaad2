/* SPDX-License-Identifier: MIT */
/* sleep-defer - a goroutine sleeps, then sleeps again in its deferred call; no M and no P sleeps with it.
 *
 * The article's first example.  "sleeper" defers a call that prints and sleeps, and sleeps itself.
 *   printed    main returns after 10 ms: the deferred call is never reached
 *   reached    main waits: the deferred call begins, prints, and parks inside itself
 *   busy       the same while two others have something to do, on one P: they go on during both sleeps
 *   plain      the same two sleeps without a defer: the same park, wake-up and start, event for event
 *   locked     sleeper is locked to its M: only now does it come back on the M that it left
 *
 * What to look at: a sleep is a timer in the heap of the P that the G ran on.  The G is parked (sleep), its M goes
 * on with another G, or looks for one and then sleeps in netpoll until the first timer is due; sysmon has no part
 * in it, nobody is preempted, no signal is sent.  In the deferred call the G's chain is empty already: a record is
 * unlinked before its call begins.  Who runs the timer makes the G ready in its own runnext.
 * With the fault sleep-blocks-m the P sleeps too: on one P, busy, nobody else runs meanwhile.
 */
#include "demo.h"

static const char *const forms[] = { "printed", "reached", "busy", "plain", "locked", NULL };
enum {
  PRINTED,
  REACHED,
  BUSY,
  PLAIN,
  LOCKED
};
static int form;
static struct rt_waitgroup all;
static bool asleep, over, others_ran;

static void nap(int64_t ns)
{
  asleep = true;
  rt_sleep(ns);
  asleep = false;
}

static void deferred(void *unused)
{
  (void)unused;
  puts("defer executed");
  nap(form == PRINTED ? 100 * MS : 10 * MS);
}

static void with_defer(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, deferred, NULL);
  nap(form == PRINTED ? 150 * MS : 5 * MS);
}

static void sleeper(void *unused)
{
  (void)unused;
  if (form == LOCKED)
    rt_lock_os_thread();
  if (form == PLAIN)
    nap(5 * MS), nap(10 * MS);
  else
    with_defer();
  over = true;
  rt_waitgroup_done(&all);
}

static void other(void *unused)
{
  (void)unused;
  for (; !over; rt_yield()) {
    others_ran |= asleep;
    demo_compute(MS);
  }
  rt_waitgroup_done(&all);
}

static int start(int argc, char **argv)
{
  form = demo_form(argc, argv, forms);
  if (form == BUSY)
    rt_gomaxprocs(1);
  rt_name(&all, "all");
  rt_waitgroup_add(&all, form == BUSY ? 3 : 1);
  rt_go_named("sleeper", sleeper, NULL);
  for (int i = 0; form == BUSY && i < 2; i++)
    rt_go_named("other", other, NULL);
  if (form == PRINTED)
    rt_sleep(10 * MS);
  else
    rt_waitgroup_wait(&all);
  if (form == BUSY)
    printf("others ran during the sleeps: %s\n", others_ran ? "yes" : "no");
  rt_gc(); /* a look at every goroutine, which stops the world for a moment */
  puts("main exit");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
