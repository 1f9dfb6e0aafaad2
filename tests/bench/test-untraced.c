/* SPDX-License-Identifier: MIT */
/* test-untraced.c - the runtime with its tracing compiled out, which bench compares the shipped one with: it runs, and
 * it is what it says. */
#include "test.h"

#include "run-cli.h"

#include <string.h>

static void compiled_out_means_that_nothing_is_told(void **state)
{
  (void)state;
  run_enter_new_directory();
  struct run r = run_cli("record", "-o", "t.db", "--",
                         run_built("tests/bench/bench-runtime-untraced"), "spawn", NULL);
  assert_int_equal(strncmp(r.out, "spawn ", 6), 0);
  assert_non_null(
      strstr(r.err, "no run of the gmpscope runtime began in it, so there is no trace"));
  run_free(&r);
  run_leave();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(compiled_out_means_that_nothing_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
