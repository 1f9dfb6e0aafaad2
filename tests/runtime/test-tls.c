/* SPDX-License-Identifier: MIT */
/* test-tls.c - a program with more thread-local variables than an M's stack is large. */
#include "program.h"

#include <stdatomic.h>

#define SIZE    (4u << 20)
#define THREADS 4

static _Thread_local char large[SIZE];
static struct rt_waitgroup wg;
static _Atomic int n_inside;

/* All at once, so each on a thread of its own. */
static void *fill(void *letter)
{
  memset(large, (int)(intptr_t)letter, SIZE);
  n_inside++;
  while (n_inside < THREADS)
    usleep(1000);
  return (void *)(intptr_t)large[SIZE - 1];
}
static void fill_in_a_call(void *letter)
{
  if (rt_blocking(fill, letter) != letter)
    puts("of another thread");
  rt_waitgroup_done(&wg);
}
PROGRAM(has_large_variables)
{
  rt_waitgroup_add(&wg, THREADS);
  for (intptr_t i = 0; i < THREADS; i++)
    rt_go(fill_in_a_call, (void *)('a' + i));
  rt_waitgroup_wait(&wg);
  puts("filled");
  return 0;
}
static void large_thread_local_variables_have_room(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(has_large_variables, n, "filled\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(large_thread_local_variables_have_room) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
