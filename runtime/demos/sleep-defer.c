/* SPDX-License-Identifier: MIT */
/* sleep-defer - a goroutine sleeps, and the program does not wait for it.
 *
 * The well-known first example: a goroutine defers a call that prints and sleeps, then sleeps 150 ms itself.  The
 * main goroutine sleeps 10 ms and returns.  So the deferred call is never reached: it belongs to the return
 * of its function, and that function is still asleep when the program ends.
 *
 *   sleep-defer            as printed: "main exit" is all
 *   sleep-defer-reached    main waits 300 ms: now the deferred call begins, prints, and parks again
 *
 * What to look at: no M is blocked by a sleep.  Each sleep is a timer in a P's heap; the G is parked (sleep), its
 * M looks for other work and finally sleeps in netpoll until the first timer is due.  In the second form the
 * G parks a second time *inside* its deferred call: its defer chain is empty by then, because a record is
 * unlinked before its call begins.
 */
#include "rt.h"

#include <stdio.h>

#define MS 1000000
#ifndef REACHED /* the build makes both programs of this file */
#define REACHED false
#endif

static void deferred(void *unused)
{
  (void)unused;
  puts("defer executed");
  rt_sleep(20 * MS);
}

static void sleeper(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, deferred, NULL);
  rt_sleep(150 * MS);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_go_named("sleeper", sleeper, NULL);
  rt_sleep((REACHED ? 300 : 10) * MS);
  rt_gc(); /* a look at every goroutine, which stops the world for a moment */
  puts("main exit");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
