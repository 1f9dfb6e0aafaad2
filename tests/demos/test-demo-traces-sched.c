/* SPDX-License-Identifier: MIT */
/* test-demo-traces-sched.c - the traces of the demos of Ms, preemption, system calls and timers show what
 * their stories say.
 *
 * The numbers in the comments are rows of the list of claims that the demos are about.
 */
#include "trace.h"

#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- m-idle ---- */

/* Who wakes whom, and with which P: an M that parked comes back by one m_wake of another M, or when the run ends. */
static void expect_each_wake_up_to_be_somebody_s(void)
{
  trace_expect(
      "SELECT count(*) FROM e AS u WHERE u.kind = 'm_unpark' AND u.no < (SELECT max(no) "
      "FROM e WHERE kind = 'stw_begin') AND (SELECT count(*) FROM e AS w WHERE w.kind = 'm_wake' "
      "AND w.a0 = u.m AND w.m <> u.m AND w.no < u.no AND w.no > (SELECT max(no) FROM e AS k WHERE "
      "k.kind = 'm_park' AND k.m = u.m AND k.no < u.no)) <> 1",
      0);
  trace_expect("SELECT count(*) FROM e AS w WHERE w.kind = 'm_wake' AND w.a1 IS NOT NULL AND "
               "(SELECT a0 FROM e "
               "AS s WHERE s.kind = 'proc_start' AND s.m = w.a0 AND s.no > w.no ORDER BY s.no "
               "LIMIT 1) <> w.a1",
               0);
  /* who was woken to look for work does so at once */
  trace_expect(
      "SELECT count(*) FROM e AS w JOIN e AS s ON s.no = (SELECT min(no) FROM e AS n WHERE n.m = "
      "w.a0 AND "
      "n.no > w.no AND n.kind = 'proc_start') JOIN e AS b ON b.m = s.m AND b.seq = s.seq + 1 WHERE "
      "w.kind = 'm_wake' AND w.a2 <> (b.kind = 'm_spinning_begin')",
      0);
  /* sysmon is woken once, by who made it, and without a P; whoever else wakes somebody has just made a G ready, found
   * one as a spinner, set a timer, given a P up, or started the world */
  trace_expect("SELECT count(*) FROM e WHERE kind = 'm_wake' AND a1 IS NULL", 1);
  trace_expect("SELECT count(*) FROM e AS w WHERE w.kind = 'm_wake' AND w.a1 IS NOT NULL AND w.m "
               "NOT IN (SELECT m "
               "FROM e WHERE kind LIKE 'sysmon%') AND (SELECT kind FROM e AS b WHERE b.m = w.m AND "
               "b.seq < w.seq AND "
               "b.kind NOT IN ('proc_unidle', 'string', 'string_part', 'clock_sync', "
               "'preempt_land') ORDER BY b.seq "
               "DESC LIMIT 1) NOT IN ('runq_put', 'runq_put_next', 'runq_put_global', "
               "'m_spinning_end', 'timer_add', "
               "'timer_modify', 'proc_stop', 'proc_steal', 'stw_end')",
               0);
}

/* The one poller: who begins to wait in netpoll is the next to end it. */
static void expect_one_poller(void)
{
  trace_expect("SELECT count(*) FROM (SELECT kind, m, lead(kind) OVER (ORDER BY no) AS next, "
               "lead(m) OVER (ORDER BY "
               "no) AS who FROM e WHERE kind IN ('m_poll_begin', 'm_poll_end')) WHERE kind = "
               "'m_poll_begin' AND next "
               "IS NOT NULL AND (next <> 'm_poll_end' OR who <> m)",
               0);
}

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
  expect_each_wake_up_to_be_somebody_s();
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

#define IO_WAITS "SELECT count(*) FROM pause WHERE g = 1 AND why = 'IO wait'"

static void one_m_waits_in_netpoll_for_a_timer_or_a_descriptor(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("m-idle sleep", (struct how){ .procs = procs });
    trace_expect("SELECT count(*) FROM pause WHERE g = 1 AND why = 'sleep'", 3);
    trace_expect_some(
        "SELECT count(*) FROM e AS b JOIN pause AS s ON b.no BETWEEN s.first AND s.last WHERE "
        "b.kind = 'm_poll_begin' AND b.a0 > 0");
    expect_one_poller();
    /* the kernel's 3 ms pass while this machine does something else, too: then there is nothing to wait for */
    trace_record("m-idle poll",
                 (struct how){ .procs = procs, .until = "SELECT (" IO_WAITS ") = 3" });
    trace_expect(IO_WAITS, 3);
    trace_expect_some(
        "SELECT count(*) FROM e AS b JOIN pause AS s ON b.no BETWEEN s.first AND s.last WHERE "
        "b.kind = 'm_poll_begin' AND b.a0 = -1");
    expect_one_poller();
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

/* How long a G ran when sysmon asked it to stop: 10 ms at least; and since sysmon looks each 10 ms, no more than 20,
 * but for what its thread loses. */
#define ASKED                                                                                      \
  "SELECT count(*) FROM e AS r JOIN e AS s ON s.no = (SELECT max(no) FROM e AS n WHERE n.kind = "  \
  "'go_start' AND n.a0 = r.a0 AND n.no < r.no) WHERE r.kind = 'preempt_request' AND r.a2 = 0 AND " \
  "s.a2 = 0 AND "
#define LOST_BY(m, from, to)                                                                       \
  "(SELECT coalesce(sum(c.a2), 0) FROM e AS c WHERE c.kind = 'choice' AND c.a0 = 5 AND c.m = " m   \
  " AND c.ts BETWEEN " from " - 20000000 AND " to ")"

/* In virtual time exactly: what a thread loses is a choice, which the trace tells; it may have begun 20 ms before. */
static void a_time_slice_is_of_10_to_20_ms(void **state)
{
  (void)state;
  for (int seed = 1; seed <= 2; seed++) {
    trace_record("preempt", (struct how){ .seed = seed });
    trace_expect_some(ASKED "true");
    trace_expect(ASKED "r.ts - s.ts < 10000000", 0);
    trace_expect(ASKED "r.ts - s.ts > 20100000 + " LOST_BY("r.m", "s.ts", "r.ts"), 0);
    /* and so long is the slice, for it stops at its next call; what its own thread loses comes on top */
    trace_expect("SELECT count(*) FROM e AS t JOIN e AS s ON s.no = (SELECT max(no) FROM e AS n "
                 "WHERE n.kind = "
                 "'go_start' AND n.a0 = t.g AND n.no < t.no) JOIN e AS r ON r.no = (SELECT max(no) "
                 "FROM e AS n WHERE "
                 "n.kind = 'preempt_request' AND n.a0 = t.g AND n.no < t.no) WHERE t.kind = "
                 "'preempt_taken' AND s.a2 = "
                 "0 AND (t.ts - s.ts < 10000000 OR t.ts - s.ts > 20200000 + " LOST_BY(
                     "r.m", "s.ts", "r.ts") " + " LOST_BY("t.m", "s.ts", "t.ts") ")",
                 0);
    trace_expect("SELECT count(*) FROM e AS t WHERE t.kind = 'preempt_taken' AND (SELECT kind FROM "
                 "e AS b WHERE b.no < "
                 "t.no AND (b.kind = 'preempt_request' OR b.kind = 'go_start') AND b.a0 = t.g "
                 "ORDER BY b.no DESC LIMIT "
                 "1) <> 'preempt_request'",
                 0);
  }
}

/* Rows 56 to 59: asked by sysmon or a stop of the world, sent, landed, taken; not before its slice of 10 ms. */
#define SOME_IN_TIME ASKED "r.ts - s.ts BETWEEN 10000000 AND 20100000"

static void a_hog_is_preempted_by_request_signal_and_landing(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 2; procs *= 2) {
    /* A busy machine makes slices longer, but not all of them each time. */
    trace_record("preempt", (struct how){ .procs = procs, .until = SOME_IN_TIME });
    trace_expect_some(SOME_IN_TIME);
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

/* The way out of a call, which x ends: it kept its P, or the M took the old one, another one that was idle, or none. */
#define WAY_OUT                                                                                    \
  "CASE WHEN x.kind = 'go_syscall_end' THEN 'kept' WHEN x.p IS NULL THEN 'none' WHEN x.p = c.p "   \
  "THEN 'old' ELSE 'idle' END"
#define WAYS(g, way)                                                                               \
  "SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last WHERE c.g = " g " AND " WAY_OUT     \
  " = '" way "'"

/* Rows 60 and 61: who enters a call gives nothing up; whose P is gone when it comes back lost it to a thief. */
static void expect_calls_to_give_nothing_up(void)
{
  trace_expect("SELECT count(*) FROM call AS c JOIN e AS s ON s.no > c.first AND s.no < c.last AND "
               "s.m = c.m WHERE "
               "s.kind IN ('proc_stop', 'm_park', 'm_wake')",
               0);
  trace_expect("SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last WHERE (x.kind = "
               "'go_syscall_end') = "
               "(SELECT count(*) > 0 FROM e AS s WHERE s.no BETWEEN c.first AND c.last AND s.kind "
               "= 'proc_steal' AND "
               "s.a0 = c.p AND s.a2 = c.m)",
               0);
  /* sysmon says why before it steals: it takes the P of that call */
  trace_expect("SELECT count(*) FROM e AS s WHERE s.kind = 'proc_steal' AND s.m IN (SELECT m FROM "
               "e WHERE kind LIKE "
               "'sysmon%') AND NOT EXISTS (SELECT 1 FROM e AS r WHERE r.m = s.m AND r.seq = s.seq "
               "- 1 AND r.kind = "
               "'sysmon_retake' AND r.a0 = s.a0 AND r.a1 IN (1, 2))",
               0);
}

/* Row 61: short calls keep their P. */
static void a_short_call_keeps_its_p(void **state)
{
  (void)state;
  trace_record("syscall-gc short", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM call", 50);
  trace_expect_some("SELECT count(*) FROM e WHERE kind = 'go_syscall_end'");
  trace_expect("SELECT count(*) FROM e WHERE kind IN ('go_syscall_end', 'go_syscall_end_blocked')",
               50);
  expect_calls_to_give_nothing_up();
}

/* Rows 64, 66 and 68, and row 62's ways out. */
static void the_world_stops_and_starts_inside_one_call(void **state)
{
  /* Out with a P that was idle, its own or another: it is taken off the idle list, and starts on the M of the call. On a
   * busy machine somebody may be about to look for work with it. */
  static const char out_with_an_idle_p[] =
      "SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last JOIN e AS s ON s.m = "
      "x.m AND s.seq = x.seq "
      "- 1 JOIN e AS i ON i.m = x.m AND i.seq = x.seq - 2 JOIN e AS g ON g.m = x.m AND "
      "g.seq = x.seq + 1 WHERE "
      "c.g = {reader} AND x.kind = 'go_syscall_end_blocked' AND s.kind = 'proc_start' "
      "AND s.a0 = x.p AND "
      "i.kind = 'proc_unidle' AND i.a0 = x.p AND g.kind = 'go_start' AND g.a0 = c.g";
  (void)state;
  for (int seed = 0; seed < 2; seed++) {
    trace_record("syscall-gc", (struct how){ .procs = seed + 1, .until = out_with_an_idle_p });
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
    trace_expect("SELECT count(*) FROM e WHERE kind = 'stack_scan'", 6);
    trace_expect("SELECT count(*) FROM e AS s WHERE s.kind = 'stack_scan' AND (SELECT kind FROM e "
                 "AS w WHERE w.kind LIKE "
                 "'stw%' AND w.no < s.no ORDER BY w.no DESC LIMIT 1) <> 'stw_stopped'",
                 0);
    expect_calls_to_give_nothing_up();
    trace_expect(out_with_an_idle_p, 1);
  }
}

/* Rows 63, 65 and 67. */
static void without_a_p_a_goroutine_goes_to_the_global_queue(void **state)
{
  static const char no_p[] = "SELECT count(*) FROM call AS c JOIN e AS x ON x.no = c.last JOIN e "
                             "AS q ON q.m = x.m AND q.seq = x.seq + 1 AND "
                             "q.kind = 'runq_put_global' AND q.a0 = {reader} AND q.a1 = 0 JOIN e "
                             "AS k ON k.m = x.m AND k.seq = (SELECT min(seq) "
                             "FROM e AS n WHERE n.m = x.m AND n.seq > q.seq AND n.kind NOT LIKE "
                             "'string%' AND n.kind <> 'clock_sync') AND "
                             "k.kind = 'm_park' WHERE c.g = {reader} AND " WAY_OUT " = 'none'";
  (void)state;
  trace_record("syscall-gc busy", (struct how){ .until = no_p });
  trace_expect(no_p, 1);
  expect_calls_to_give_nothing_up();
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
  trace_expect(WAYS("{reader}", "old"), 1);
  expect_calls_to_give_nothing_up();
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

/* The world stops for a scan and a dump while the sleeper sleeps; on a busy machine its time may be over by then. */
#define ASLEEP_WHEN_STOPPED(why)                                                                   \
  "SELECT count(*) FROM pause AS s JOIN e AS b ON b.no BETWEEN s.first AND s.last JOIN e AS x ON " \
  "x.no = (SELECT min(no) FROM e AS n WHERE n.no > b.no AND n.kind = 'stw_end') WHERE s.g = "      \
  "{sleeper} AND s.why = 'sleep' AND b.kind = 'stw_begin' AND b.a0 = " why                         \
  " AND x.no < (SELECT min(no) FROM e AS n WHERE n.no > s.first AND n.kind = 'go_unblock' AND "    \
  "n.a0 = s.g)"
#define ASLEEP_IN_BOTH                                                                             \
  "SELECT (" ASLEEP_WHEN_STOPPED("1") ") > 0 AND (" ASLEEP_WHEN_STOPPED("2") ") > 0"

/* Row 71: in the dump that "late" has made it sleeps in rt_sleep, called by the deferred call, called by the return of
 * its function, and nothing of the making of a record is there; its state then has the call begun and not ended. */
static void expect_the_parked_stack(void)
{
  long long stopped = trace_ask(
      "SELECT s.ts FROM e AS s JOIN e AS b ON b.no = (SELECT max(no) FROM e AS n WHERE n.kind "
      "= 'stw_begin' AND n.no < s.no) WHERE s.kind = 'stw_stopped' AND b.a0 = 2");
  assert_int_equal(said_by_dumps(trace_err, &stopped, 1), 1);
  char *differences = said_wrongly();
  assert_string_equal(differences, "");
  free(differences);
  trace_expect("SELECT count(*) FROM said WHERE id = {sleeper} AND (key = 'header' AND value LIKE "
               "'[sleep %' OR (key, "
               "value) IN (VALUES ('deferred', 'done'), ('in calls', 'sleep_deferred'), ('frames', "
               "'rt_sleep "
               "sleep_deferred rt_frame_exit sleeper')))",
               4);
  trace_expect_some("SELECT count(*) FROM pause AS s JOIN e AS x ON x.no BETWEEN s.first AND "
                    "s.last WHERE s.g = {sleeper} "
                    "AND x.kind = 'stack_scan' AND x.a0 = s.g AND x.a1 = 4 AND x.a2 > 0");
}

/* Row 70, and what would be seen if the claim were true. */
static void everything_goes_on_during_a_deferred_sleep_unless_it_blocks_the_m(void **state)
{
  (void)state;
  trace_record("deferred-sleep reached", (struct how){ .until = ASLEEP_IN_BOTH });
  trace_expect("SELECT count(*) FROM pause AS s WHERE s.g = {sleeper} AND s.why = 'sleep' AND NOT "
               "EXISTS (SELECT 1 FROM "
               "e AS b WHERE b.g = s.g AND b.kind = 'defer_begin' AND b.no < s.first)",
               0);
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_start' AND x.a0 = {ticker}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_create' AND x.a0 = {late}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'go_start' AND x.a0 = {late}"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'm_poll_begin'"));
  trace_expect_some(DURING_THE_SLEEP("x.kind = 'stw_end'"));
  expect_the_parked_stack();
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

/* Row 74. A lock is no event, but what it is for is seen: who changes a heap holds its P, or has said that it runs the
 * timers of that other one; and from an entry that fires, or is mended in a scan, until the order is restored nobody
 * else changes that heap. (A timer that is set anew or stopped stays in its place, under its own lock: by its owner.) */
#define CHANGES "('timer_add', 'timer_update', 'timer_remove', 'timer_fire', 'timer_heapify')"
static void expect_heaps_to_be_changed_under_their_locks(void)
{
  trace_do("CREATE TEMP VIEW change AS SELECT *, iif(kind = 'timer_heapify', a0, a1) AS heap, "
           "iif(kind IN "
           "('timer_update', 'timer_remove'), a3, -1) AS step FROM e WHERE kind IN " CHANGES);
  trace_expect("SELECT count(*) FROM change WHERE kind = 'timer_add' AND heap IS NOT p", 0);
  trace_expect(
      "SELECT count(*) FROM change AS t WHERE t.heap IS NOT t.p AND t.heap IS NOT (SELECT a0 FROM "
      "e AS o WHERE "
      "o.kind = 'timer_run_other' AND o.m = t.m AND o.seq < t.seq ORDER BY o.seq DESC LIMIT 1)",
      0);
  trace_expect("SELECT count(*) FROM (SELECT kind, step, m, a0, lead(kind) OVER h AS next, "
               "lead(step) OVER h AS "
               "next_step, lead(m) OVER h AS who, lead(a0) OVER h AS whom FROM change WINDOW h AS "
               "(PARTITION BY heap "
               "ORDER BY no)) WHERE (kind = 'timer_fire' AND (who IS NOT m OR whom IS NOT a0 OR "
               "next_step IS NOT 3)) OR "
               "(step = 1 AND (who IS NOT m OR next_step <> 1 AND next <> 'timer_heapify'))",
               0);
  trace_expect("SELECT count(*) FROM e AS t JOIN e AS n ON n.kind = 'timer_new' AND n.a0 = t.a0 "
               "WHERE t.kind IN "
               "('timer_modify', 'timer_stop') AND t.g IS NOT n.a2",
               0);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'timer_new' AND a2 IS NOT g", 0);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'timer_new'", 24);
}

/* Rows 23 and 74: two calls of each worker, told by the M that runs it and nobody else. */
static void expect_chains_to_be_their_owners(void)
{
  trace_expect("SELECT count(*) FROM (SELECT d.g FROM e AS d JOIN g ON g.g = d.g AND g.name = "
               "'worker' WHERE d.kind IN "
               "('defer_push', 'defer_pop', 'defer_begin', 'defer_end') GROUP BY d.g, d.kind "
               "HAVING count(*) = 2)",
               32);
  trace_expect("SELECT count(*) FROM e AS d WHERE d.kind LIKE 'defer%' AND d.g IS NOT (SELECT s.a0 "
               "FROM e AS s WHERE "
               "s.m = d.m AND s.kind = 'go_start' AND s.seq < d.seq ORDER BY s.seq DESC LIMIT 1)",
               0);
}

/* Rows 13 and 72 to 74. */
static void expect_timers_and_chains_apart(void)
{
  trace_expect("SELECT count(*) FROM e WHERE kind IN ('timer_heapify', 'timer_fire', "
               "'timer_run_other') AND "
               "(coalesce(g, 0) <> 0 OR p IS NULL)",
               0); /* on g0, by an M that holds a P: no goroutine of timers, no sysmon */
  expect_heaps_to_be_changed_under_their_locks();
  expect_chains_to_be_their_owners();
  trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_push'", 16);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_end'", 16);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'fault'", 0);
}

static void timers_and_deferred_calls_leave_each_other_alone(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 4; procs *= 2) {
    trace_record("timer-defer", (struct how){ .procs = procs });
    trace_expect_some("SELECT count(*) FROM e WHERE kind = 'timer_heapify'");
    /* sysmon has rounds of its own, 20 us to 10 ms apart, or sleeps until it is woken */
    trace_expect("SELECT count(*) FROM e WHERE kind = 'sysmon_sleep' AND a1 = 0 AND a0 NOT BETWEEN "
                 "20000 AND 10000000",
                 0);
    expect_timers_and_chains_apart();
  }
}

/* The same where an M may go on between any two steps of another one: without a heap's lock about each tenth seed tells. */
static void wherever_an_m_is_interrupted_its_heap_is_not_changed(void **state)
{
  (void)state;
  for (int procs = 2; procs <= 4; procs *= 2) {
    for (int seed = 1; seed <= 20; seed++) {
      trace_record("timer-defer", (struct how){ .procs = procs, .seed = seed });
      expect_timers_and_chains_apart();
    }
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

/* The list of the victim before, during and after each of its calls: the same two records. */
static void expect_the_same_list_throughout(void)
{
  long long calls = trace_ask("SELECT count(*) FROM call WHERE g = {victim}");
  for (int i = 0; i < calls; i++) {
    static const char *const moments[] = {
      "SELECT e.ts FROM e JOIN call AS c ON e.no = c.first WHERE c.g = {victim} ORDER BY e.no "
      "LIMIT 1 OFFSET %d",
      "SELECT w.ts FROM call AS c JOIN e AS w ON w.no = (SELECT max(no) FROM e AS n WHERE n.kind = "
      "'stw_end' AND n.no < "
      "c.last) WHERE c.g = {victim} ORDER BY c.first LIMIT 1 OFFSET %d",
      "SELECT e.ts FROM e JOIN call AS c ON e.no = c.last WHERE c.g = {victim} ORDER BY e.no LIMIT "
      "1 OFFSET %d",
    };
    for (int j = 0; j < 3; j++) {
      char query[300];
      snprintf(query, sizeof query, moments[j], i);
      trace_add_state(i * 3 + j, trace_ask(query));
    }
  }
#define VICTIM "FROM state, json_each(state.json, '$.gs') AS x WHERE x.value->>'g' = {victim}"
  trace_expect("SELECT count(*) " VICTIM, 9);
  trace_expect("SELECT count(DISTINCT x.value->>'defers') " VICTIM, 1);
  trace_expect("SELECT count(*) " VICTIM
               " AND json_array_length(x.value->'defers') = 2 AND x.value->>'$.defers[0]"
               ".function' = 'recover_it' AND x.value->>'$.defers[1].function' = 'cleanup'",
               9);
  trace_expect(
      "SELECT count(*) " VICTIM " AND state.id % 3 < 2 AND x.value->>'status' <> 'syscall'", 0);
}

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
  trace_expect("SELECT count(*) FROM e WHERE kind = 'go_create' AND a0 = {victim}", 1);
  expect_the_same_list_throughout();
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
    cmocka_unit_test(a_time_slice_is_of_10_to_20_ms),
    cmocka_unit_test(a_hog_is_preempted_by_request_signal_and_landing),
    cmocka_unit_test(a_short_call_keeps_its_p),
    cmocka_unit_test(the_world_stops_and_starts_inside_one_call),
    cmocka_unit_test(without_a_p_a_goroutine_goes_to_the_global_queue),
    cmocka_unit_test(a_goroutine_takes_its_old_p_from_another_call),
    cmocka_unit_test(the_article_s_function_never_reaches_its_deferred_call),
    cmocka_unit_test(everything_goes_on_during_a_deferred_sleep_unless_it_blocks_the_m),
    cmocka_unit_test(timers_and_deferred_calls_leave_each_other_alone),
    cmocka_unit_test(wherever_an_m_is_interrupted_its_heap_is_not_changed),
    cmocka_unit_test(the_race_would_lose_deferred_calls),
    cmocka_unit_test(deferred_calls_survive_the_loss_of_a_p),
    cmocka_unit_test(without_them_the_panic_is_fatal),
  };
  trace_choose_tests();
  return cmocka_run_group_tests(tests, trace_enter, trace_leave);
}
