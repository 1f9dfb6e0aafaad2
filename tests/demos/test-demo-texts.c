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

static void expect_text(char *text, const char *wanted)
{
  assert_string_equal(text, wanted);
  free(text);
}

/* How many Gs are said to be on an M, or on none. */
#define WITH_M "SELECT count(*) FROM said WHERE key = 'm'"

/* Row 78: a dump shows each G that there is, whatever the level; with the deferred calls that wait, and the one that it
 * is in. The world is stopped once for all of them. */
static void a_dump_has_every_g_of_the_stopped_world(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("diagnose dumps", (struct how){ .procs = procs });
    long long at = trace_ask("SELECT ts FROM e WHERE kind = 'stw_stopped' AND no > (SELECT no FROM "
                             "e WHERE kind = 'stw_begin' AND a0 = 5) ORDER BY no LIMIT 1");
    long long stopped[3] = { at, at, at };
    assert_int_equal(said_by_dumps(trace_out, stopped, 3), 3);
    trace_expect("SELECT count(*) FROM said WHERE id = {sleeper} AND key = 'in calls' AND value = "
                 "'sleep_deferred'",
                 3);
    trace_expect("SELECT count(*) FROM said WHERE id IN ({sleeper}, {waiter}) AND key = 'deferred' "
                 "AND value = 'done'",
                 6);
    trace_expect(WITH_M, 0);
    expect_nothing(said_wrongly(), "dumps");
    expect_text(said_nothing_of(), "");
  }
}

/* ---- the last words of a program, at each level ---- */

#define BOTH_WAIT                                                                                  \
  "SELECT count(*) = 2 FROM g_state WHERE g IN ({sleeper}, {waiter}) AND state = 'waiting' AND "   \
  "t_end IS NULL"

/* Lays what it printed beside the state in which it ended. Returns how many Gs that was. A busy machine may hold one up
 * that is about to park. */
static long long record_death(const char *form, int procs)
{
  trace_record(form, (struct how){ .procs = procs, .until = BOTH_WAIT });
  long long end = trace_ask("SELECT ts FROM e WHERE kind = 'trace_end'");
  if (said_by_dumps(trace_err, &end, 1) == 0)
    trace_add_state(0, end);
  return trace_ask("SELECT count(*) FROM said WHERE key = 'header'");
}

#define WAITER  "[chan receive labels:{\"name\": \"waiter\"}]:\n"
#define SLEEPER "[sleep labels:{\"name\": \"sleeper\"}]:\n"

/* What the trace has at each level, and the levels none and single hide. */
static void expect_the_trace_to_have_all(void)
{
  trace_expect("SELECT count(*) FROM fact WHERE key = 'header'", 3);
  trace_expect("SELECT count(*) FROM fact WHERE id IN ({sleeper}, {waiter}) AND key = 'deferred' "
               "AND value = 'done'",
               2);
  trace_expect("SELECT value FROM meta WHERE key = 'exit_code'", 2);
  trace_expect("SELECT value FROM meta WHERE key = 'complete'", 1);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'panic_fatal' AND g = 1", 1);
  /* a panic runs no deferred calls but those of its own G */
  trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_begin'", 1);
}

/* Row 78: at level none the panic alone, at single the G that panicked, and nothing of the others. */
static void below_all_a_dying_program_hides_the_others(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    assert_int_equal(record_death("diagnose dies-none", procs), 0);
    assert_string_equal(trace_err, "panic: nobody recovers this\n");
    expect_the_trace_to_have_all();
    expect_text(said_nothing_of(), WAITER "[running]:\n" SLEEPER);

    assert_int_equal(record_death("diagnose dies-single", procs), 1);
    expect_the_trace_to_have_all();
    expect_text(said_nothing_of(), WAITER SLEEPER);
    char *differences = said_wrongly(); /* nothing of G1: it is shown as it is */
    assert_null(strstr(differences, ": G1 "));
    free(differences);
  }
}

/* How many Gs are said to be in the function that begins each G, which is the runtime's own. */
#define IN_GSTART                                                                                  \
  "SELECT count(*) FROM said WHERE key = 'frames' AND ' ' || value || ' ' LIKE '% gstart %'"

/* Row 78: at level all every G of the trace; at system the same ones, with the runtime's frames and their Ms. */
static void from_all_on_a_dying_program_shows_every_g(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    assert_int_equal(record_death("diagnose dies-all", procs), 3);
    expect_the_trace_to_have_all();
    expect_nothing(said_wrongly(), "dies-all");
    trace_expect(IN_GSTART, 0);
    trace_expect(WITH_M, 0);

    assert_int_equal(record_death("diagnose dies-system", procs), 3);
    expect_the_trace_to_have_all();
    expect_nothing(said_wrongly(), "dies-system");
    trace_expect(IN_GSTART, 3);
    trace_expect(WITH_M, 3);
    trace_expect(WITH_M " AND value = 'nil'", 2);
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
    cmocka_unit_test(below_all_a_dying_program_hides_the_others),
    cmocka_unit_test(from_all_on_a_dying_program_shows_every_g),
    cmocka_unit_test(the_report_of_a_deadlock_is_the_last_state),
  };
  trace_choose_tests();
  return cmocka_run_group_tests(tests, trace_enter, trace_leave);
}
