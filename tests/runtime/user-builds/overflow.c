/* SPDX-License-Identifier: MIT */
/* overflow.c - a G whose frames are larger than a page comes out of its stack, in the way that the argument says. */
#include <gmpscope/rt.h>
#include <stdio.h>
#include <string.h>

static __attribute__((noinline)) int fall(int depth)
{
  volatile char frame[20000];
  frame[0] = (char)depth;
  return depth < 0 ? 0 : fall(depth + 1) + frame[0];
}

static __attribute__((noinline)) int use_a_large_array(int value)
{
  volatile char frame[200000];
  for (int i = 0; i < value; i++)
    frame[i] = (char)i;
  return frame[value];
}

static __attribute__((noinline)) int use_as_much_as(int n)
{
  volatile char frame[n];
  frame[0] = (char)n;
  return frame[0];
}

static void culprit(void *way)
{
  int sum = 0;
  if (strcmp(way, "recursion") == 0)
    sum = fall(0);
  else if (strcmp(way, "array") == 0)
    sum = use_a_large_array(100);
  else if (strcmp(way, "70000") == 0)
    sum = use_as_much_as(70000);
  else
    sum = use_as_much_as(1 << 20);
  printf("%d\n", sum);
}

static int body(int argc, char **argv)
{
  (void)argc;
  rt_go_named("culprit", culprit, argv[1]);
  while (rt_num_goroutine() > 1)
    rt_yield();
  puts("not told");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
