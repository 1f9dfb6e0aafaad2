/* SPDX-License-Identifier: MIT */
/* defer-cost - what a deferred call costs, and what it consists of.
 *
 * Five ways to call an empty function, 200 times each, in 5 rounds: plainly; deferred; deferred through a function value;
 * deferred as a method, that is with its receiver as what it captures; and deferred in a loop.  The least and the
 * greatest of the rounds are printed, beside what was measured for Go.  Both belong to one machine, and while a
 * recording runs, ours has its events in it.
 *
 * What to look at: the events of the regions.  Deferred, through a value and as a method are the same four: push, pop,
 * begin, end.  There is no boxing and no type assertion: a receiver is a pointer in the record.  In a loop the record
 * goes back to the pool, one event more.
 */
#include "demo.h"

#define CALLS  200
#define ROUNDS 5

struct counter {
  volatile long n;
};
static struct counter counter;
static void (*volatile value)(void *);

static __attribute__((noinline)) void nothing(void *unused)
{
  (void)unused;
  __asm__ volatile("");
}

static void counter_add(void *receiver)
{
  ((struct counter *)receiver)->n++;
}

static __attribute__((noinline)) void plain(void)
{
  nothing(NULL);
}

static __attribute__((noinline)) void deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, nothing, NULL);
}

static __attribute__((noinline)) void through_a_value(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, value, NULL);
}

static __attribute__((noinline)) void method(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, counter_add, &counter);
}

static __attribute__((noinline)) void in_a_loop(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 1; i++)
    RT_DEFER_LOOP(fr, nothing, NULL);
}

static void measure(const char *name, void (*call)(void), const char *go)
{
  double least = 1e9, most = 0;
  rt_region_begin(name);
  for (int round = 0; round < ROUNDS; round++) {
    int64_t before = rt_now();
    for (int i = 0; i < CALLS; i++)
      call();
    double ns = (double)(rt_now() - before) / CALLS;
    least = ns < least ? ns : least;
    most = ns > most ? ns : most;
  }
  rt_region_end();
  printf("%-16s %7.1f to %7.1f ns   Go, on its machine: %s\n", name, least, most, go);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  value = nothing;
  measure("plain", plain, "1.6 ns");
  measure("deferred", deferred, "3.0 ns");
  measure("through a value", through_a_value, "4.7 ns");
  measure("method", method, "5.8 ns");
  measure("in a loop", in_a_loop, "its heap kind, not in this row");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
