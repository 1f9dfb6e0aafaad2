/* SPDX-License-Identifier: MIT */
/* test-sim-seeds.c - many seeds, each another order of everything: the scheduler's invariants hold in all. */
#include "test.h"

#include "run.h"

#include <stdlib.h>

#define SEEDS 10000

static void every_seed_keeps_the_invariants(void **state)
{
  static char text[8192];
  const char *asked = getenv("GMPSCOPE_SIM_SEEDS");
  uint64_t n = asked ? strtoull(asked, NULL, 10) : SEEDS;
  (void)state;
  assert_true(n > 0);
  if (sim_run_many(1, n, 0, text, sizeof text) != n)
    fail_msg("%s(repeat it: sim-try SEED)", text);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(every_seed_keeps_the_invariants) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
