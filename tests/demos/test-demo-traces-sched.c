/* SPDX-License-Identifier: MIT */
/* test-demo-traces-sched.c - the traces of the demos of Ms, preemption, system calls and timers show what
 * their stories say.
 *
 * The numbers in the comments are rows of the list of claims that the demos are about.
 */
#include "trace.h"

#include "run-cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- m-idle ---- */

/* Rows 52 and 54: before an M parks there is nothing but a search that found nothing. */
static void expect_parks_after_an_empty_search(void)
{
  trace_expect("SELECT count(*) FROM e AS k WHERE k.kind = 'm_park' AND (SELECT kind FROM e AS b "
               "WHERE b.m = k.m AND "
               "b.seq < k.seq AND b.kind NOT IN ('string', 'string_part', 'clock_sync', 'choice') "
               "ORDER BY b.seq DESC "
               "LIMIT 1) NOT IN ('proc_idle', 'm_spinning_end', 'm_poll_end', 'm_create', "
               "'m_unpark', 'proc_gcstop', "
               "'runq_put_global', 'proc_stop')",
               0);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'm_park' AND p IS NOT NULL", 0);
  /* each wake-up was somebody's: no M wakes by itself */
  trace_expect("SELECT count(*) FROM e AS u WHERE u.kind = 'm_unpark' AND u.no < (SELECT max(no) "
               "FROM e WHERE "
               "kind = 'stw_begin') AND NOT EXISTS (SELECT 1 FROM e AS w WHERE w.kind = 'm_wake' "
               "AND w.a0 = u.m AND "
               "w.no < u.no)",
               0);
}

#define PARKS "SELECT count(*) FROM e WHERE kind = 'm_park'"

static void ms_park_when_they_find_nothing_whoever_sleeps_or_polls(void **state)
{
  (void)state;
  for (int procs = 2; procs <= 4; procs *= 2) {
    trace_record("m-idle", (struct how){ .procs = procs, .until = PARKS });
    trace_expect_some(PARKS);
    expect_parks_after_an_empty_search();
    trace_record("m-idle neither", (struct how){ .procs = procs, .until = PARKS });
    trace_expect_some(PARKS);
    expect_parks_after_an_empty_search();
    trace_expect(
        "SELECT count(*) FROM g_state WHERE state = 'waiting' AND why IN ('sleep', 'IO wait')", 0);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'm_poll_begin'", 0);
  }
}

static void one_m_waits_in_netpoll_for_a_timer_or_a_descriptor(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("m-idle sleep", (struct how){ .procs = procs });
    trace_expect("SELECT count(*) FROM pause WHERE g = 1 AND why = 'sleep'", 3);
    trace_expect_some(
        "SELECT count(*) FROM e AS b JOIN pause AS s ON b.no BETWEEN s.first AND s.last WHERE "
        "b.kind = 'm_poll_begin' AND b.a0 > 0");
    trace_record("m-idle poll", (struct how){ .procs = procs });
    trace_expect("SELECT count(*) FROM pause WHERE g = 1 AND why = 'IO wait'", 3);
    trace_expect_some(
        "SELECT count(*) FROM e AS b JOIN pause AS s ON b.no BETWEEN s.first AND s.last WHERE "
        "b.kind = 'm_poll_begin' AND b.a0 = -1");
    trace_expect("SELECT count(*) FROM e WHERE kind LIKE 'timer%'", 0);
  }
}

/* Row 55: rt_sleep is no system call; a sleep of the kernel is one. */
static void a_sleep_is_no_system_call_but_the_kernel_s_is(void **state)
{
  (void)state;
  trace_record("m-idle sleep", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM call", 0);
  trace_record("m-idle nanosleep", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM call", 3);
  trace_expect("SELECT count(*) FROM pause WHERE why = 'sleep'", 0);
}

/* ---- preempt ---- */

/* Rows 56 to 59: asked by sysmon or a stop of the world, sent, landed, taken; not before its slice of 10 ms. */
static void a_hog_is_preempted_by_request_signal_and_landing(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 2; procs *= 2) {
    trace_record("preempt", (struct how){ .procs = procs });
    trace_expect_some("SELECT count(*) FROM e WHERE kind = 'preempt_taken' AND a0 = 1");
    trace_expect_some("SELECT count(*) FROM e WHERE kind = 'preempt_taken' AND a0 = 0");
    trace_expect("SELECT count(*) FROM e AS t WHERE t.kind = 'preempt_taken' AND NOT EXISTS "
                 "(SELECT 1 FROM e AS r WHERE "
                 "r.kind = 'preempt_request' AND r.a0 = t.g AND r.no < t.no)",
                 0);
    trace_expect(
        "SELECT count(*) FROM e AS t WHERE t.kind = 'preempt_taken' AND t.a0 = 1 AND NOT EXISTS "
        "(SELECT 1 FROM e "
        "AS l JOIN e AS s ON s.kind = 'preempt_send' AND s.a0 = l.m AND s.no < l.no WHERE l.kind = "
        "'preempt_land' AND l.m = t.m AND l.a0 = 0 AND l.seq < t.seq)",
        0);
    /* The slices that sysmon ended: of 10 ms, but for those of who took over just then. */
    trace_expect(
        "SELECT count(*) >= 2 * total(dur < 10000000) FROM (SELECT DISTINCT s.g, s.t_start, "
        "s.dur FROM "
        "g_state AS s JOIN g ON g.g = s.g JOIN e AS o ON o.kind = 'go_stop' AND o.g = s.g "
        "AND o.ts = "
        "s.t_end JOIN e AS r ON r.kind = 'sysmon_retake' AND r.a0 = s.p AND r.ts BETWEEN "
        "s.t_start AND "
        "s.t_end WHERE g.name LIKE 'hog%' AND s.state = 'running' AND NOT EXISTS (SELECT "
        "1 FROM e AS w "
        "WHERE w.kind = 'stw_begin' AND w.ts BETWEEN s.t_start AND s.t_end))",
        1);
  }
}

/* ---- syscall-gc ---- */

/* Row 61: short calls keep their P. */
static void a_short_call_keeps_its_p(void **state)
{
  (void)state;
  trace_record("syscall-gc short", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM call", 50);
  trace_expect_some("SELECT count(*) FROM e WHERE kind = 'go_syscall_end'");
  trace_expect("SELECT count(*) FROM e WHERE kind IN ('go_syscall_end', 'go_syscall_end_blocked')",
               50);
  trace_expect("SELECT (SELECT count(*) FROM e WHERE kind = 'go_syscall_end_blocked') <= (SELECT "
               "count(*) FROM e WHERE "
               "kind = 'proc_steal')",
               1);
}

/* Rows 64, 66 and 68, and row 62's ways out. */
static void the_world_stops_and_starts_inside_one_call(void **state)
{
  (void)state;
  for (int seed = 0; seed < 2; seed++) {
    trace_record("syscall-gc", (struct how){ .procs = seed + 1 });
    trace_expect("SELECT count(*) FROM e AS b JOIN call AS c ON b.no BETWEEN c.first AND c.last "
                 "JOIN e AS d ON d.no = "
                 "(SELECT min(no) FROM e AS n WHERE n.no > b.no AND n.kind = 'stw_end') AND d.no < "
                 "c.last WHERE "
                 "b.kind = 'stw_begin' AND c.g = {reader}",
                 2);
    /* every G that has a stack is visited, in whatever state: the waiting one is on no queue */
    trace_expect("SELECT count(*) FROM e WHERE kind = 'stack_scan' AND a0 = {reader} AND a1 = 3",
                 2);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'stack_scan' AND a0 = {waiter} AND a1 = 4",
                 2);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'stack_scan' AND a0 = 1 AND a1 = 2", 2);
    trace_expect_some("SELECT count(*) FROM e AS s JOIN call AS c ON s.no BETWEEN c.first AND "
                      "c.last AND c.m = s.a2 "
                      "WHERE s.kind = 'proc_steal'");
    trace_expect("SELECT count(*) FROM g_state WHERE g = {reader} AND state NOT IN ('runnable', "
                 "'running', 'syscall')",
                 0);
    /* out with a P that was idle: it starts at once, on the M that it is on */
    trace_expect("SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last WHERE x.kind = "
                 "'go_syscall_end_blocked'",
                 1);
  }
}

/* Rows 63, 65 and 67. */
static void without_a_p_a_goroutine_goes_to_the_global_queue(void **state)
{
  static const char no_p[] =
      "SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last JOIN e AS q ON q.m = x.m AND "
      "q.seq > x.seq "
      "AND q.kind = 'runq_put_global' AND q.a0 = {reader} JOIN e AS k ON k.m = x.m AND k.seq > "
      "q.seq AND "
      "k.kind = 'm_park' WHERE x.kind = 'go_syscall_end_blocked' AND c.g = {reader} AND NOT EXISTS "
      "(SELECT 1 "
      "FROM e AS w WHERE w.m = x.m AND w.seq BETWEEN x.seq AND k.seq AND w.kind = 'm_wake')";
  (void)state;
  trace_record("syscall-gc busy", (struct how){ .until = no_p });
  trace_expect(no_p, 1);
}

/* Row 62: who comes back takes its old P, if that is in a system call again. */
static void a_goroutine_takes_its_old_p_from_another_call(void **state)
{
  static const char taken[] =
      "SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last JOIN e AS s ON s.m = x.m AND "
      "s.seq < x.seq AND s.no > c.first AND s.kind = 'proc_steal' AND s.a0 = c.p JOIN call AS w "
      "ON "
      "w.m = s.a2 AND s.no BETWEEN w.first AND w.last WHERE x.kind = 'go_syscall_end_blocked' "
      "AND "
      "c.g = {reader}";
  (void)state;
  trace_record("syscall-gc old", (struct how){ .until = taken });
  trace_expect(taken, 1);
}

/* ---- deferred-sleep ---- */

/* Row 69. */
static void the_article_s_function_never_reaches_its_deferred_call(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("deferred-sleep", (struct how){ .procs = procs });
    trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_push'", 1);
    trace_expect("SELECT count(*) FROM e WHERE kind IN ('defer_pop', 'defer_begin')", 0);
    trace_expect("SELECT count(*) FROM e WHERE kind LIKE 'timer%'", 0); /* so nobody ever slept */
    trace_expect("SELECT a0 FROM e WHERE kind = 'trace_end'", 2);
    assert_non_null(strstr(trace_err, "fatal error: all goroutines are asleep - deadlock!"));
  }
}

#define DURING_THE_SLEEP(what)                                                                     \
  "SELECT count(*) FROM pause AS s JOIN e AS x ON x.no BETWEEN s.first AND s.last WHERE s.g = "    \
  "{sleeper} AND s.why = 'sleep' AND " what

/* Row 70, and what would be seen if the claim were true. */
static void everything_goes_on_during_a_deferred_sleep_unless_it_blocks_the_m(void **state)
{
  (void)state;
  trace_record("deferred-sleep reached", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM pause AS s WHERE s.g = {sleeper} AND s.why = 'sleep' AND NOT "
               "EXISTS (SELECT 1 FROM "
               "e AS b WHERE b.g = s.g AND b.kind = 'defer_begin' AND b.no < s.first)",
               0);
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_start' AND x.a0 = {ticker}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_create' AND x.a0 = {late}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_start' AND x.a0 = {late}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'm_poll_begin'"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'stw_end'"));
  trace_record("deferred-sleep reached", (struct how){ .fault = "sleep-blocks-m" });
  trace_expect_some("SELECT count(*) FROM e WHERE kind = 'fault' AND a1 = {sleeper}");
  trace_expect("SELECT count(*) FROM pause WHERE why = 'sleep'", 0);
  trace_expect(
      "SELECT count(*) FROM e AS f JOIN e AS x ON x.kind IN ('go_start', 'm_poll_begin') AND x.p = "
      "f.p AND "
      "x.no > f.no AND x.no < (SELECT min(no) FROM e AS n WHERE n.g = f.a1 AND n.no > f.no) WHERE "
      "f.kind = 'fault' AND f.a1 = {sleeper}",
      0);
}

/* ---- timer-defer ---- */

/* Rows 13 and 72 to 74. */
static void timers_and_deferred_calls_leave_each_other_alone(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("timer-defer", (struct how){ .procs = procs });
    trace_expect_some("SELECT count(*) FROM e WHERE kind = 'timer_heapify'");
    trace_expect("SELECT count(*) FROM e WHERE kind IN ('timer_heapify', 'timer_fire', "
                 "'timer_run_other') AND "
                 "(coalesce(g, 0) <> 0 OR p IS NULL)",
                 0); /* on g0, by an M that holds a P: no goroutine of timers, no sysmon */
    /* sysmon has rounds of its own, 20 us to 10 ms apart, or sleeps until it is woken */
    trace_expect("SELECT count(*) FROM e WHERE kind = 'sysmon_sleep' AND a1 = 0 AND a0 NOT BETWEEN "
                 "20000 AND 10000000",
                 0);
    trace_expect("SELECT count(*) FROM e WHERE kind LIKE 'defer%' AND coalesce(g, 0) = 0", 0);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_push'", 16);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_end'", 16);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'fault'", 0);
  }
}

static void the_race_would_lose_deferred_calls(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("timer-defer", (struct how){ .procs = procs, .fault = "timer-defer-race" });
    trace_expect_some("SELECT count(*) FROM e WHERE kind = 'fault' AND a2 = 1");
    trace_expect("SELECT (SELECT count(*) FROM e WHERE kind = 'defer_push') - (SELECT count(*) "
                 "FROM e WHERE kind = "
                 "'defer_begin') - (SELECT count(*) FROM e WHERE kind = 'fault' AND a1 <> 0)",
                 0);
    /* it is not the owner that does it, and the owner sleeps meanwhile */
    trace_expect("SELECT count(*) FROM e AS f WHERE f.kind = 'fault' AND f.a1 <> 0 AND "
                 "(coalesce(f.g, 0) = f.a1 OR NOT "
                 "EXISTS (SELECT 1 FROM pause AS s WHERE s.g = f.a1 AND s.why = 'sleep' AND f.no "
                 "BETWEEN s.first AND "
                 "s.last))",
                 0);
  }
}

/* ---- syscall-panic ---- */

/* Rows 76 and 77. */
static void deferred_calls_survive_the_loss_of_a_p(void **state)
{
  (void)state;
  trace_record("syscall-panic", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM call WHERE g = {victim}", 3);
  trace_expect("SELECT count(DISTINCT c.first) FROM call AS c JOIN e AS s ON s.no BETWEEN c.first "
               "AND c.last AND s.kind "
               "= 'proc_steal' AND s.a2 = c.m JOIN e AS w ON w.no > s.no AND w.no < c.last AND "
               "w.kind = 'stw_end'",
               3);
  trace_expect("SELECT count(*) FROM e JOIN call AS c ON e.no BETWEEN c.first AND c.last AND e.g = "
               "c.g WHERE "
               "e.kind LIKE 'defer%'",
               0);
  trace_expect("SELECT count(*) FROM e WHERE g = {victim} AND kind = 'panic_recovered'", 3);
  trace_expect("SELECT count(*) FROM e WHERE g = {victim} AND kind = 'defer_end'", 6);
}

static void without_them_the_panic_is_fatal(void **state)
{
  (void)state;
  trace_record("syscall-panic", (struct how){ .fault = "lose-defers-on-preempt" });
  trace_expect("SELECT count(*) FROM e WHERE kind = 'fault' AND a1 = {victim} AND a2 = 2", 1);
  trace_expect("SELECT count(*) FROM e WHERE kind IN ('defer_begin', 'panic_recovered')", 0);
  trace_expect("SELECT count(*) FROM e WHERE g = {victim} AND kind = 'panic_fatal'", 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(ms_park_when_they_find_nothing_whoever_sleeps_or_polls),
    cmocka_unit_test(one_m_waits_in_netpoll_for_a_timer_or_a_descriptor),
    cmocka_unit_test(a_sleep_is_no_system_call_but_the_kernel_s_is),
    cmocka_unit_test(a_hog_is_preempted_by_request_signal_and_landing),
    cmocka_unit_test(a_short_call_keeps_its_p),
    cmocka_unit_test(the_world_stops_and_starts_inside_one_call),
    cmocka_unit_test(without_a_p_a_goroutine_goes_to_the_global_queue),
    cmocka_unit_test(a_goroutine_takes_its_old_p_from_another_call),
    cmocka_unit_test(the_article_s_function_never_reaches_its_deferred_call),
    cmocka_unit_test(everything_goes_on_during_a_deferred_sleep_unless_it_blocks_the_m),
    cmocka_unit_test(timers_and_deferred_calls_leave_each_other_alone),
    cmocka_unit_test(the_race_would_lose_deferred_calls),
    cmocka_unit_test(deferred_calls_survive_the_loss_of_a_p),
    cmocka_unit_test(without_them_the_panic_is_fatal),
  };
  return cmocka_run_group_tests(tests, trace_enter, trace_leave);
}
