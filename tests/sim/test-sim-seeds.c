/* SPDX-License-Identifier: MIT */
/* test-sim-seeds.c - many seeds, each another order of everything: the scheduler's invariants hold in all. */
#include "test.h"

#include "found.h"
#include "run.h"

#include <stdlib.h>
#include <sys/wait.h>

#define SEEDS 10000

static void every_seed_keeps_the_invariants(void **state)
{
  static char text[8192];
  const char *asked = getenv("GMPSCOPE_SIM_SEEDS");
  uint64_t n = asked ? strtoull(asked, NULL, 10) : SEEDS;
  (void)state;
  assert_true(n > 0);
  if (sim_run_many(1, n, NULL, 0, text, sizeof text) != n)
    fail_msg("%s(repeat it: sim-try SEED)", text);
}

static void the_runs_that_found_bugs_do_well(void **state)
{
  static char text[8192];
  (void)state;
  for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
    struct sim_run run = sim_run_of(found[i].program, found[i].procs, found[i].seed);
    int status;
    sim_run_start(&run);
    assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
    if (!sim_run_ended(&run, status, text, sizeof text))
      fail_msg("%s%s", text, found[i].bug);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(the_runs_that_found_bugs_do_well),
                                      cmocka_unit_test(every_seed_keeps_the_invariants) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
