/* SPDX-License-Identifier: MIT */
/* defer-pool - where the records of deferred calls come from, and where they go.
 *
 * A record of a loop comes from the pool of the P that the G runs on, which keeps up to 32; an empty pool gets 16 from
 * the central one, a full one gives 16 back; only when both are empty is memory allocated.  Four regions:
 *   first loop     40 deferred calls in a loop: all records are new; at the return they fill the pool and spill
 *   second loop    40 again: no record is new; the pool is empty after a while and is refilled from the central one
 *   no loop        1000 times a call that captures 8, 64 or 1024 bytes: records of one size, in the frame; no pool
 *   change of P    "mover" defers on one P, waits, and returns on another: the records stay with the second
 *
 * What to look at: defer_alloc, defer_refill, defer_recycle and defer_spill, with the length of the pool after each; a
 * G has no pool, a P has.  What a call captures is not in the record: it only points there.
 */
#include "demo.h"

#define LOOP   40
#define MOVERS 8

static struct rt_waitgroup movers;
static long sum;

static void add_first(void *capture)
{
  sum += *(const char *)capture;
}

static void loop(void)
{
  static char one = 1;
  RT_FRAME(fr, { return; });
  for (int i = 0; i < LOOP; i++)
    RT_DEFER_LOOP(fr, add_first, &one);
}

static void capture(size_t size)
{
  char bytes[1024] = { 1 };
  memset(bytes + 1, 2, size - 1);
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, add_first, bytes);
}

static void done(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&movers);
}

static void nothing(void *unused)
{
  (void)unused;
}

static void mover(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, NULL);
  for (int i = 0; i < 4; i++)
    RT_DEFER_LOOP(fr, nothing, NULL);
  rt_sleep(MS); /* all are due at the same time: idle Ps come and steal */
  demo_compute(MS / 10);
}

static int start(int argc, char **argv)
{
  static const size_t sizes[] = { 8, 64, 1024 };
  (void)argc, (void)argv;
  rt_lock_os_thread(); /* main keeps its M: the pools of the loops are those of few Ps */
  for (int i = 0; i < 2; i++) {
    rt_region_begin(i == 0 ? "first loop" : "second loop");
    loop();
    rt_region_end();
  }
  rt_region_begin("no loop");
  for (int i = 0; i < 1000; i++)
    capture(sizes[i % 3]);
  rt_region_end();
  rt_unlock_os_thread();
  rt_region_begin("change of P");
  rt_waitgroup_add(&movers, MOVERS);
  for (int i = 0; i < MOVERS; i++)
    rt_go_named("mover", mover, NULL);
  rt_waitgroup_wait(&movers);
  rt_region_end();
  printf("%ld deferred calls ran, with captures of 8 to 1024 bytes\n", sum);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
