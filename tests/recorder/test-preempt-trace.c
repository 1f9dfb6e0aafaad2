/* SPDX-License-Identifier: MIT */
/* test-preempt-trace.c - a recording tells of each preemption: asked for, sent, landed, taken.
 *
 * The demonstration has hogs that call and hogs that do not; both kinds must have been stopped, each in its way.
 */
#include "run-cli.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int times(const char *text, const char *what)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)); at++)
    n++;
  return n;
}

static void look_at(const char *dump)
{
  int requests = times(dump, " preempt_request "), sent = times(dump, " preempt_send ");
  int landed = times(dump, " preempt_land "),
      taken = times(dump, " preempt_land refusal=\"taken\"");
  int by_signal = times(dump, " preempt_taken by_signal=1");
  print_message("# %d asked, %d sent, %d landed, %d taken by signal, %d at a call\n", requests,
                sent, landed, by_signal, times(dump, " preempt_taken by_signal=0"));
  assert_true(requests > 0);
  assert_true(sent > 0);
  assert_true(landed <= sent);
  assert_true(by_signal > 0);
  assert_int_equal(by_signal, taken);
  assert_true(times(dump, " preempt_taken by_signal=0") > 0);
}

static void record(const char *demo)
{
  char path[600];
  snprintf(path, sizeof path, "runtime/demos/demo-%s", demo);
  struct run record = run_cli("record", "-q", "-o", "demo.db", run_built(path), NULL);
  assert_int_equal(record.code, 0);
  run_free(&record);
}

static void both_ways_of_stopping_a_hog_are_told(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip();
  run_enter_new_directory();
  for (int procs = 1; procs <= 8; procs *= 2) {
    char text[16];
    snprintf(text, sizeof text, "%d", procs);
    setenv("RT_MAXPROCS", text, 1);
    record("preempt");
    struct run check = run_cli("check", "demo.db", NULL), dump = run_cli("dump", "demo.db", NULL);
    assert_int_equal(check.code, 0);
    assert_int_equal(dump.code, 0);
    look_at(dump.out);
    run_free(&check);
    run_free(&dump);
  }
  run_leave();
}

static void why_there_is_no_preemption_by_signal_is_told(void **state)
{
  (void)state;
  run_enter_new_directory();
  setenv("RT_DEBUG", "asyncpreemptoff=1", 1);
  record("ping-pong");
  unsetenv("RT_DEBUG");
  struct run dump = run_cli("dump", "demo.db", NULL);
  assert_non_null(strstr(dump.out, "\"no preemption by signal\""));
  assert_non_null(strstr(dump.out, "\"RT_DEBUG says asyncpreemptoff=1\""));
  run_free(&dump);
  run_leave();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(both_ways_of_stopping_a_hog_are_told),
    cmocka_unit_test(why_there_is_no_preemption_by_signal_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
