/* SPDX-License-Identifier: MIT */
/* test-demo-mutants.c - what the demos assert sees a runtime that is wrong, and passes one that is not.
 *
 * The tests of the demos run with the libraries of the folder wrong, one test at a time (GMPSCOPE_TEST).
 */
#include "test.h"

#include "mutants.h"
#include "run-cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_MUTANTS (sizeof mutants / sizeof mutants[0])

/* True if the test of this name ended so: "ok" or "not ok". A long message may stand before it on its line. */
static bool ended(const struct run *run, const char *how, const char *name)
{
  char line[200];
  snprintf(line, sizeof line, "%s 1 - %s", how, name);
  return strstr(run->out, line) != NULL;
}

static struct run run_one(size_t i, int mutant)
{
  char number[16], test[100];
  snprintf(number, sizeof number, "%d", mutant);
  snprintf(test, sizeof test, "tests/demos/%s", mutants[i].test);
  setenv("GMPSCOPE_MUTANT", number, 1);
  setenv("GMPSCOPE_TEST", mutants[i].name, 1);
  char *argv[] = { (char *)(uintptr_t)run_built(test), NULL };
  return run_argv(argv, NULL, false);
}

static void every_mutant_is_seen(void **state)
{
  size_t alive = 0;
  (void)state;
  setenv("GMPSCOPE_TRIES", "3", 1); /* what waits for a calm moment would wait in vain */
  for (size_t i = 0; i < N_MUTANTS; i++) {
    struct run run = run_one(i, mutants[i].number);
    if (!ended(&run, "not ok", mutants[i].name)) {
      alive++;
      print_message("# mutant %d (%s) lives in %s: %s%s\n", mutants[i].number, mutants[i].what,
                    mutants[i].name, run.out, run.err);
    }
    run_free(&run);
  }
  assert_int_equal(alive, 0);
}

/* So it is the mutant that is seen, and not the library that it is in. */
static void without_a_mutant_the_same_tests_pass(void **state)
{
  (void)state;
  unsetenv("GMPSCOPE_TRIES");
  for (size_t i = 0; i < N_MUTANTS; i++) {
    size_t first = 0;
    while (strcmp(mutants[first].name, mutants[i].name) != 0)
      first++;
    if (first < i)
      continue;
    struct run run = run_one(i, 0);
    if (run.code != 0 || !ended(&run, "ok", mutants[i].name))
      fail_msg("%s: %s%s", mutants[i].name, run.out, run.err);
    run_free(&run);
  }
}

int main(void)
{
  char *libraries = strdup(run_built("tests/demos/wrong"));
  setenv("LD_LIBRARY_PATH", libraries, 1);
  setenv("CMOCKA_MESSAGE_OUTPUT", "TAP", 1);
  free(libraries);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_mutant_is_seen),
    cmocka_unit_test(without_a_mutant_the_same_tests_pass),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
