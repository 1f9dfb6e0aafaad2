/* SPDX-License-Identifier: MIT */
/* st.c - State Threads: it has no channel, and yields by a sleep of no length. */
#include "bench.h"

#include <st.h>

static void *yielder(void *arg)
{
  for (long i = *(long *)arg; i > 0; i--)
    st_sleep(0);
  return NULL;
}

static void yield(long n)
{
  long half = n / 2;
  st_thread_t a = st_thread_create(yielder, &half, 1, 0);
  st_thread_t b = st_thread_create(yielder, &half, 1, 0);
  st_thread_join(a, NULL);
  st_thread_join(b, NULL);
}

static void *nothing(void *arg)
{
  return arg;
}

static void spawn(long n)
{
  for (long i = 0; i < n; i++)
    st_thread_join(st_thread_create(nothing, NULL, 1, 0), NULL);
}

int main(int argc, char **argv)
{
  static const struct bench benches[] = { { "yield", 2000000, yield },
                                          { "spawn", 1000000, spawn } };
  if (argc != 2 || st_init() != 0)
    return 2;
  return bench_run(benches, sizeof benches / sizeof benches[0], argv[1]);
}
