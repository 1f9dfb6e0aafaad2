/* SPDX-License-Identifier: MIT */
/* descent.c - one way of compiling a function that defers, panics, and goes on after the recovery. */
#include "descent.h"

#include <gmpscope/rt.h>

static void add_what_is_recovered(void *sum)
{
  struct rt_value value;
  if (rt_recover(&value))
    *(volatile int *)sum += (int)value.i;
}

/* In registers over the calls, and so in what a recovery must bring back. */
static __attribute__((noinline)) int scaled(int depth, int by)
{
  __asm__ volatile("" : "+r"(depth));
  return depth * by;
}

/* 2 * depth + what the deeper ones return, if the frame was right. */
static int descend(int depth)
{
  volatile int sum = depth;
  const int a = scaled(depth, 3), b = scaled(depth, 5), c = scaled(depth, 7);
  RT_FRAME(fr, { return a == depth * 3 && b == depth * 5 && c == depth * 7 ? sum : -1000; });
  RT_DEFER_LOOP(fr, add_what_is_recovered, (void *)&sum);
  RT_DEFER(fr, add_what_is_recovered, (void *)&sum);
  if (depth < DEEPEST)
    sum += descend_on(depth + 1);
  rt_panic_value((struct rt_value){ .type = "int", .i = depth });
}

static descent *const entry __attribute__((section("descents"), used)) = descend;
