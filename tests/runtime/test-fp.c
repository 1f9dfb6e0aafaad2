/* SPDX-License-Identifier: MIT */
/* test-fp.c - how a G rounds is its own, over every park, and begins as the run began. */
#include "program.h"

#include <fenv.h>
#include <stdatomic.h>

#define TURNS 300

static struct rt_waitgroup wg;
static _Atomic int n_wrong;

static void *nothing(void *arg)
{
  return arg;
}

static void park(int how)
{
  if (how % 4 == 0)
    rt_sleep(1000);
  else if (how % 4 == 1)
    rt_blocking(nothing, NULL);
  else
    rt_yield();
}

/* fegetround looks at x87's control word alone. */
static void expect_rounding(int rounding)
{
  volatile double one = 1, three = 3;
  bool is_above = one / three > 0.33333333333333331;
  n_wrong += fegetround() != rounding || is_above != (rounding == FE_UPWARD);
}

static void round_and_park(void *rounding)
{
  int mine = (int)(intptr_t)rounding;
  fesetround(mine);
  for (int i = 0; i < TURNS; i++) {
    park(i);
    expect_rounding(mine);
  }
  rt_waitgroup_done(&wg); /* and it ends with its rounding */
}

static void expect_as_begun(void *rounding)
{
  expect_rounding((int)(intptr_t)rounding);
  rt_waitgroup_done(&wg);
}

static void round_in_many_ways(int begun)
{
  const int ways[] = { FE_UPWARD, FE_DOWNWARD, FE_TONEAREST, FE_TOWARDZERO };
  rt_waitgroup_add(&wg, 8 + 50);
  for (int i = 0; i < 8; i++)
    rt_go(round_and_park, (void *)(intptr_t)ways[i % 4]);
  for (int i = 0; i < 50; i++) {
    rt_go(expect_as_begun, (void *)(intptr_t)begun);
    rt_yield();
  }
  rt_waitgroup_wait(&wg);
  for (int i = 0; i < 50; i++) {
    rt_waitgroup_add(&wg, 1);
    rt_go(expect_as_begun, (void *)(intptr_t)begun);
    rt_waitgroup_wait(&wg);
  }
  expect_rounding(begun);
}

static void run_nearest(void *unused)
{
  (void)unused;
  round_in_many_ways(FE_TONEAREST);
}
static void run_upward(void *unused)
{
  (void)unused;
  round_in_many_ways(FE_UPWARD);
}
static int two_runs(void *unused)
{
  if (rt_run(run_nearest, unused, NULL) != 0)
    return 1;
  fesetround(FE_UPWARD);
  if (rt_run(run_upward, unused, NULL) != 0)
    return 1;
  expect_rounding(FE_UPWARD);
  printf("%d wrong\n", n_wrong);
  return 0;
}
static void a_g_rounds_as_it_was_told_and_begins_as_the_run_did(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(two_runs, NULL, n, "0 wrong\n");
}

/* ---- traps ---- */

static void divide_by_zero(void *unused)
{
  volatile long double one = 1, zero = 0, inf = one / zero; /* which leaves a flag in the x87 */
  (void)unused, (void)inf;
}
PROGRAM(traps_what_it_does_itself)
{
  volatile long double one = 1;
  rt_go(divide_by_zero, NULL);
  feclearexcept(FE_ALL_EXCEPT);
  feenableexcept(FE_DIVBYZERO);
  rt_yield();
  printf("%d\n", one + one == 2);
  return 0;
}
static void a_g_that_wants_traps_is_not_trapped_by_what_others_did(void **state)
{
  (void)state;
  assert_prints(traps_what_it_does_itself, 1, "1\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_g_rounds_as_it_was_told_and_begins_as_the_run_did),
    cmocka_unit_test(a_g_that_wants_traps_is_not_trapped_by_what_others_did),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
