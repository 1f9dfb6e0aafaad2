/* SPDX-License-Identifier: MIT */
/* test-demo-texts.c - what schedtrace and goroutine dumps say is the state that the trace has at the same instant.
 *
 * The numbers in the comments are rows of the list of claims that the demos are about.
 */
#include "trace.h"

#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_nothing(char *differences, const char *what)
{
  if (*differences)
    print_message("%s:\n%s", what, differences);
  assert_string_equal(differences, "");
  free(differences);
}

#define LOGS "SELECT count(*) FROM event WHERE kind = 'user_log'"

/* Records until a whole text agrees. What is printed under sched.lock must agree in each; the rest is looked at while
 * its owners go on, and so a line may be in the middle of a change; not all lines of so many recordings. */
static void expect_lines_of_schedtrace(const char *demo, int procs)
{
  char *moment = NULL;
  for (int i = 0; i < trace_tries(); i++) {
    trace_record(demo, (struct how){ .procs = procs, .until = LOGS });
    long long logs = trace_ask(LOGS);
    int lines = said_by_schedtrace(trace_err);
    assert_true(logs > 0); /* sysmon may get no CPU while the program lives, but not each time */
    /* The process may end between the two, and lines after the trace's end have no log. */
    assert_true(lines >= logs - 1);
    expect_nothing(said_wrongly(), demo);
    free(moment);
    moment = said_of_a_moment_ago();
    if (!*moment)
      break;
  }
  expect_nothing(moment, demo);
}

/* Rows 16, 79 and 80: a line for each log of the trace, with the same numbers, and no G. */
static void a_line_of_schedtrace_has_the_numbers_of_its_instant(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    expect_lines_of_schedtrace("diagnose", procs);
    trace_expect("SELECT count(*) FROM said WHERE thing = 'G'", 0);
    /* One each 5 ms at most. A log comes late when the machine is busy, never early: so that two are close says nothing,
     * but that there are more of them than the time since the first event has room for would. */
    trace_expect(
        "SELECT count(*) <= 1 + (max(ts) - (SELECT min(ts) FROM e)) / 5000000 FROM e WHERE "
        "kind = 'user_log'",
        1);
  }
}

/* Row 81: every P, M and G; the sleeper is plain to see, asleep in its deferred call. */
static void scheddetail_has_every_p_m_and_g_of_its_instant(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    expect_lines_of_schedtrace("diagnose detail", procs);
    trace_expect_some(
        "SELECT count(*) FROM said WHERE thing = 'G' AND id = {sleeper} AND value = '4(sleep)'");
    trace_expect("SELECT count(*) FROM pause AS s WHERE s.g = {sleeper} AND s.why = 'sleep' AND "
                 "EXISTS (SELECT 1 FROM e AS b "
                 "WHERE b.g = s.g AND b.kind = 'defer_begin' AND b.no < s.first)",
                 1);
  }
}

/* Row 78: each G that there is, at each level; with the deferred calls that wait, and the one that it is in. */
static void a_dump_has_every_g_of_the_stopped_world(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    long long stopped[3];
    trace_record("diagnose dumps", (struct how){ .procs = procs });
    for (int i = 0; i < 3; i++) {
      char query[200];
      snprintf(query, sizeof query,
               "SELECT ts FROM e WHERE kind = 'stw_stopped' AND no > (SELECT no FROM e WHERE "
               "kind = 'stw_begin' AND a0 = 2 ORDER BY no LIMIT 1 OFFSET %d) LIMIT 1",
               i);
      stopped[i] = trace_ask(query);
    }
    assert_int_equal(said_by_dumps(trace_out, stopped, 3), 3);
    trace_expect("SELECT count(*) FROM said WHERE id = {sleeper} AND key = 'in calls' AND value = "
                 "'sleep_deferred'",
                 3);
    trace_expect(
        "SELECT count(*) FROM said WHERE id = {sleeper} AND key = 'deferred' AND value = 'done'",
        3);
    expect_nothing(said_wrongly(), "dumps");
  }
}

/* Row 69: the report of the deadlock is the state in which the program ended. */
static void the_report_of_a_deadlock_is_the_last_state(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("deferred-sleep", (struct how){ .procs = procs });
    long long end = trace_ask("SELECT ts FROM e WHERE kind = 'trace_end'");
    assert_int_equal(said_by_dumps(trace_err, &end, 1), 1);
    trace_expect(
        "SELECT count(*) FROM said WHERE id = 1 AND key = 'deferred' AND value = 'sleep_once'", 1);
    expect_nothing(said_wrongly(), "report");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_of_schedtrace_has_the_numbers_of_its_instant),
    cmocka_unit_test(scheddetail_has_every_p_m_and_g_of_its_instant),
    cmocka_unit_test(a_dump_has_every_g_of_the_stopped_world),
    cmocka_unit_test(the_report_of_a_deadlock_is_the_last_state),
  };
  trace_choose_tests();
  return cmocka_run_group_tests(tests, trace_enter, trace_leave);
}
