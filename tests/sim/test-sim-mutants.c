/* SPDX-License-Identifier: MIT */
/* test-sim-mutants.c - the simulation finds bugs: each of those that we put in, within a few thousand seeds,
 * and what is printed of it can be repeated. */
#include "test.h"

#include "mutants.h"
#include "run.h"

#include <string.h>

#define SEEDS 20000

/* What was told of it is told again when its seed runs alone, with all objects elsewhere: seed, step, and how it ended. */
static void expect_the_same_again(uint64_t seed, const char *only, int mutant,
                                  const char *first_line)
{
  static char text[8192];
  struct sim_run run = sim_run_of_seed(seed, only);
  run.mutant = mutant;
  run.stirs_heap = true;
  assert_false(sim_run_alone(&run, text, sizeof text));
  text[strcspn(text, "\n")] = '\0';
  assert_string_equal(text, first_line);
}

static void every_mutant_is_caught(void **state)
{
  static char text[8192];
  size_t alive = 0;
  (void)state;
  for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
    uint64_t well = sim_run_many(1, SEEDS, mutants[i].only, mutants[i].number, text, sizeof text);
    if (well == SEEDS) {
      alive++;
      print_message("# mutant %d (%s) lives\n", mutants[i].number, mutants[i].what);
      continue;
    }
    text[strcspn(text, "\n")] = '\0';
    print_message("# mutant %d (%s): %s\n", mutants[i].number, mutants[i].what, text);
    expect_the_same_again(1 + well, mutants[i].only, mutants[i].number, text);
  }
  assert_int_equal(alive, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(every_mutant_is_caught) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
