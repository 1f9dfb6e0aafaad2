/* SPDX-License-Identifier: MIT */
/* nested-panic - a deferred call that panics itself, three times over.
 *
 * inner_recovered: the deferred call panics and recovers that itself; the first panic goes on.
 * superseded: the deferred call panics, nobody inside recovers; the second panic takes over, and recovering
 * it ends both.  The last one is not recovered at all, so the program ends as Go programs do: with both
 * panics printed, oldest first, a goroutine dump, and exit code 2.
 *
 * What to look at: the depth of each panic; which one supersedes which; the one that is aborted
 * because a newer one was recovered beyond its frame.
 */
#include "rt.h"

#include <stdio.h>

static void recover_it(void *who)
{
  struct rt_value why;
  if (rt_recover(&why))
    printf("%s recovered: %s\n", (const char *)who, why.s);
}

static void panic_inside(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_it, "deferred call");
  rt_panic("second");
}

static void panic_on(void *message)
{
  rt_panic(message);
}

static void inner_recovered(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_it, "inner_recovered");
  RT_DEFER(fr, panic_inside, NULL);
  rt_panic("first");
}

static void superseded(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_it, "superseded");
  RT_DEFER(fr, panic_on, "second");
  rt_panic("first");
}

static void recover_and_panic(void *unused)
{
  (void)unused;
  if (rt_recover(NULL))
    rt_panic("a new one while cleaning up");
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  inner_recovered();
  superseded();
  fflush(stdout);
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, recover_and_panic, NULL);
  rt_panic("the original");
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
