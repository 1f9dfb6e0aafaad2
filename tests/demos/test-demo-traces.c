/* SPDX-License-Identifier: MIT */
/* test-demo-traces.c - the traces of the demos of sleeping, deferring and panicking show what their stories say.
 *
 * The numbers in the comments are rows of the list of claims that the demos are about.
 */
#include "trace.h"

#include <string.h>

#define SLEEPS "SELECT count(*) FROM pause WHERE g = {sleeper} AND why = 'sleep'"
/* Nobody ran so long that it was preempted: what a busy machine makes of a thread that waits for a CPU. */
#define CALM "SELECT count(*) = 0 FROM e WHERE kind = 'preempt_request'"
#define FOR_PS(how)                                                                                \
  for (struct how how = { .procs = 1, .until = CALM }; how.procs <= 4; how.procs *= 2)

/* ---- sleep-defer ---- */

/* Row 17: the program ends with the sleeper in its first sleep. */
static void sleep_defer_as_printed_ends_in_the_first_sleep(void **state)
{
  (void)state;
  FOR_PS(how)
  {
    trace_record("sleep-defer", how);
    trace_expect("SELECT count(*) FROM e WHERE g = {sleeper} AND kind = 'defer_push'", 1);
    trace_expect(
        "SELECT count(*) FROM e WHERE g = {sleeper} AND kind IN ('defer_pop', 'defer_begin')", 0);
    trace_expect("SELECT kind = 'go_block' FROM e WHERE g = {sleeper} ORDER BY no DESC LIMIT 1", 1);
    trace_expect(SLEEPS, 1);
  }
}

/* Rows 2, 10, 11, 12, 14 and 18, of both sleeps. */
static void expect_sleeps_of_a_goroutine(void)
{
  trace_expect(SLEEPS, 2);
  /* a timer, not the G, enters the heap of the P that it ran on; the G is on no queue */
  trace_expect("SELECT count(*) FROM pause AS s JOIN e AS t ON t.no > s.first AND t.m = s.m AND "
               "t.kind = 'timer_add' "
               "AND t.a1 = s.p AND t.no = (SELECT min(no) FROM e AS n WHERE n.no > s.first AND n.m "
               "= s.m AND "
               "n.kind = 'timer_add') WHERE s.g = {sleeper} AND s.why = 'sleep'",
               2);
  /* until it is made ready it is on no queue, and the park itself changes none: it left its P's when it started */
  trace_expect("SELECT count(*) FROM e AS q JOIN pause AS s ON q.no > s.first AND q.no < (SELECT "
               "min(no) FROM e AS u WHERE u.kind = 'go_unblock' AND u.a0 = {sleeper} AND u.no > "
               "s.first) WHERE s.g = {sleeper} AND q.kind LIKE 'runq%' AND q.a0 = {sleeper}",
               0);
  /* who runs the timer makes it ready in its own runnext, and not on the global queue */
  trace_expect("SELECT count(*) FROM e AS u JOIN e AS q ON q.m = u.m AND q.seq = u.seq + 1 WHERE "
               "u.kind = 'go_unblock' AND u.a0 = {sleeper} AND u.p IS NOT NULL AND "
               "q.kind = 'runq_put_next' AND q.a0 = {sleeper} AND q.a2 = u.p",
               2);
  /* nobody asks it to stop, no signal is sent to it while it sleeps */
  trace_expect(
      "SELECT count(*) FROM e AS r JOIN pause AS s ON r.no BETWEEN s.first AND s.last WHERE "
      "r.kind = 'preempt_request' AND r.a0 = {sleeper}",
      0);
  /* it sleeps as long as it asked for, from its last event on; two clocks may differ a little */
  trace_expect("SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY s.first) AS nth, u.ts - "
               "b.ts AS ns FROM pause "
               "AS s JOIN e AS b ON b.no = (SELECT max(no) FROM e AS n WHERE n.g = s.g AND n.no < "
               "s.first) JOIN e AS u "
               "ON u.no = (SELECT min(no) FROM e AS n WHERE n.kind = 'go_unblock' AND n.a0 = s.g "
               "AND n.no > s.first) "
               "WHERE s.g = {sleeper} AND s.why = 'sleep') WHERE ns < nth * 5000000 - 100000",
               0);
  /* sysmon runs no timer */
  trace_expect("SELECT count(*) FROM e WHERE kind = 'timer_fire' AND p IS NULL", 0);
}

static void sleep_defer_reached_parks_inside_its_deferred_call(void **state)
{
  (void)state;
  FOR_PS(how)
  {
    trace_record("sleep-defer reached", how);
    expect_sleeps_of_a_goroutine();
    /* pop, begin, park, start, end: the record is off the list before the call begins */
    trace_expect("SELECT count(*) FROM e AS pop JOIN e AS b ON b.g = pop.g AND b.kind = "
                 "'defer_begin' AND b.no > pop.no "
                 "JOIN pause AS s ON s.g = pop.g AND s.first > b.no JOIN e AS d ON d.g = pop.g AND "
                 "d.kind = 'defer_end' "
                 "AND d.no > s.last WHERE pop.g = {sleeper} AND pop.kind = 'defer_pop'",
                 1);
  }
}

/* Rows 1 and 3: the scheduler does the same with a defer and without. */
static void a_defer_changes_nothing_in_how_a_goroutine_sleeps(void **state)
{
  static const char *const forms[] = { "sleep-defer reached", "sleep-defer plain" };
  (void)state;
  FOR_PS(how)
  {
    for (int i = 0; i < 2; i++) {
      trace_record(forms[i], how);
      expect_sleeps_of_a_goroutine();
      trace_expect("SELECT group_concat(kind, ' ') = 'go_start go_block go_unblock go_start "
                   "go_block go_unblock "
                   "go_start go_unblock go_destroy' FROM (SELECT kind FROM e WHERE (g = {sleeper} "
                   "AND kind IN "
                   "('go_block', 'go_stop', 'go_destroy', 'go_unblock')) OR (kind IN ('go_start', "
                   "'go_unblock') AND "
                   "a0 = {sleeper}) ORDER BY no)",
                   1);
    }
  }
}

/* Row 1, and what would be seen if it were false. */
static void others_run_during_a_sleep_unless_it_blocks_the_m(void **state)
{
  (void)state;
  trace_record("sleep-defer busy", (struct how){ 0 });
  trace_expect("SELECT count(DISTINCT s.first) FROM pause AS s JOIN e AS o ON o.no BETWEEN s.first "
               "AND s.last AND "
               "o.kind = 'go_start' AND o.a0 <> s.g WHERE s.g = {sleeper} AND s.why = 'sleep'",
               2);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'fault'", 0);
  trace_record("sleep-defer busy", (struct how){ .fault = "sleep-blocks-m" });
  trace_expect(SLEEPS, 0);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'fault' AND a1 = {sleeper}", 2);
  trace_expect("SELECT count(*) FROM e WHERE kind LIKE 'timer%'", 0);
  /* between the strike and the sleeper's next event nobody is started: there is one P */
  trace_expect("SELECT count(*) FROM e AS f JOIN e AS o ON o.kind = 'go_start' AND o.no > f.no AND "
               "o.no < (SELECT "
               "min(no) FROM e AS n WHERE n.g = f.a1 AND n.no > f.no) WHERE f.kind = 'fault' AND "
               "f.a1 = {sleeper}",
               0);
}

/* Rows 15 and 19: on any M, and on one only if it is locked. Where it goes is chance: seeds. */
static void only_a_locked_goroutine_keeps_its_m(void **state)
{
  (void)state;
  long long moved = 0;
  for (int seed = 1; seed <= 20; seed++) {
    trace_record("sleep-defer locked", (struct how){ .seed = seed });
    trace_expect("SELECT count(DISTINCT m) FROM g_state WHERE g = {sleeper} AND state = 'running'",
                 1);
    trace_record("sleep-defer reached", (struct how){ .seed = seed });
    moved += trace_ask(
        "SELECT count(DISTINCT m) > 1 FROM g_state WHERE g = {sleeper} AND state = 'running'");
  }
  assert_true(moved > 0 && moved < 20);
}

/* ---- defer-list, defer-pool, defer-cost, defer-kinds ---- */

/* Rows 23 to 27, 32 and 35. */
static void each_goroutine_has_one_chain_newest_first(void **state)
{
  (void)state;
  trace_record("defer-list", (struct how){ .procs = 1 });
  trace_expect("SELECT count(*) FROM event_kind WHERE kind = 'defer_push' AND a0 = 'frame' AND a1 "
               "= 'record' AND "
               "a2 = 'fn' AND a3 IS NULL",
               1);
  trace_expect("SELECT count(DISTINCT g) FROM e WHERE kind = 'defer_push'", 2);
  trace_expect("SELECT count(*) FROM (SELECT g, a0, count(*) AS n FROM e WHERE kind = 'defer_push' "
               "GROUP BY g, a0 "
               "HAVING n IN (2, 3))",
               6); /* three frames each */
  /* the chains grow at the same time */
  trace_expect_some("SELECT count(*) FROM e AS l JOIN e AS r ON r.no > l.no JOIN e AS k ON k.no > "
                    "r.no WHERE l.kind = "
                    "'defer_push' AND r.kind = l.kind AND k.kind = l.kind AND l.g = {left} AND r.g "
                    "= {right} AND k.g = "
                    "{left}");
  /* a call runs at the return of its own frame: no record of an inner frame is left, and none of an outer one runs */
  trace_expect("SELECT count(*) FROM e AS b WHERE b.kind = 'defer_begin' AND b.a0 <> (SELECT "
               "max(p.a0) FROM e AS p "
               "WHERE p.g = b.g AND p.kind = 'defer_push' AND p.no < b.no AND (SELECT count(*) "
               "FROM e AS q WHERE "
               "q.g = b.g AND q.a0 = p.a0 AND q.kind = 'defer_pop' AND q.no < b.no - 1) < (SELECT "
               "count(*) FROM e AS q "
               "WHERE q.g = b.g AND q.a0 = p.a0 AND q.kind = 'defer_push' AND q.no < b.no))",
               0);
  trace_expect("SELECT count(*) FROM e WHERE kind = 'defer_begin'", 14);
}

#define IN_REGION(name, kind)                                                                      \
  "SELECT count(*) FROM e JOIN region AS r ON r.name = '" name                                     \
  "' AND e.no BETWEEN r.first AND r.last WHERE e.kind = '" kind "'"

/* Rows 28 to 31. */
static void records_of_loops_come_from_pools(void **state)
{
  (void)state;
  trace_record("defer-pool", (struct how){ .procs = 1 });
  trace_expect(IN_REGION("first loop", "defer_alloc"), 40);
  trace_expect(IN_REGION("first loop", "defer_spill"), 1);
  trace_expect(IN_REGION("second loop", "defer_alloc"), 0);
  trace_expect(IN_REGION("second loop", "defer_refill"), 1);
  trace_expect("SELECT a0 FROM e WHERE kind = 'defer_refill' LIMIT 1", 16);
  trace_expect("SELECT max(a0) FROM e WHERE kind = 'defer_recycle'", 32);
  trace_expect(IN_REGION("no loop", "defer_push"), 1000);
  trace_expect(IN_REGION("no loop", "defer_alloc"), 0);
  trace_expect(IN_REGION("no loop", "defer_recycle"), 0);
  trace_expect("SELECT count(*) FROM defer_op WHERE op = 'defer_push' AND record = 'pool' AND ts "
               "BETWEEN (SELECT e.ts "
               "FROM e JOIN region AS r ON r.first = e.no WHERE r.name = 'no loop') AND (SELECT "
               "e.ts FROM e JOIN region "
               "AS r ON r.last = e.no WHERE r.name = 'no loop')",
               0);
}

/* Row 28: the pool is the P's: a goroutine takes a record from one and gives it to another. */
static void a_record_goes_back_to_the_pool_of_the_p_of_the_moment(void **state)
{
  (void)state;
  long long moved = 0;
  for (int seed = 1; seed <= 10; seed++) {
    trace_record("defer-pool", (struct how){ .seed = seed });
    moved += trace_ask("SELECT count(*) FROM e AS a JOIN e AS b ON b.g = a.g AND b.kind = "
                       "'defer_recycle' AND b.p <> "
                       "a.p WHERE a.kind = 'defer_push' AND a.a1 <> 0 AND a.g IN (SELECT g FROM g "
                       "WHERE name = 'mover')");
  }
  assert_true(moved > 0);
}

/* Row 46: a method records what a capturing call does. */
static void a_deferred_method_is_a_deferred_call(void **state)
{
  (void)state;
  trace_record("defer-cost", (struct how){ 0 });
  trace_expect(IN_REGION("plain", "defer_push"), 0);
  for (int i = 0; i < 3; i++) {
    static const char *const queries[][4] = {
      { IN_REGION("deferred", "defer_push"), IN_REGION("deferred", "defer_pop"),
        IN_REGION("deferred", "defer_begin"), IN_REGION("deferred", "defer_end") },
      { IN_REGION("through a value", "defer_push"), IN_REGION("through a value", "defer_pop"),
        IN_REGION("through a value", "defer_begin"), IN_REGION("through a value", "defer_end") },
      { IN_REGION("method", "defer_push"), IN_REGION("method", "defer_pop"),
        IN_REGION("method", "defer_begin"), IN_REGION("method", "defer_end") },
    };
    for (int j = 0; j < 4; j++)
      trace_expect(queries[i][j], 1000);
  }
  trace_expect(IN_REGION("method", "defer_recycle"), 0);
  trace_expect(IN_REGION("in a loop", "defer_recycle"), 1000);
}

#define PUSHES(name, record)                                                                       \
  "SELECT count(*) FROM e JOIN region AS r ON r.name = '" name                                     \
  "' AND e.no BETWEEN r.first AND r.last JOIN defer_op AS d ON d.ts = e.ts AND d.op = e.kind AND " \
  "d.g = e.g WHERE e.kind = 'defer_push' AND d.record = '" record "'"

/* Rows 22 and 43. */
static void a_loop_and_a_9th_defer_change_the_kind_and_a_capture_does_not(void **state)
{
  (void)state;
  trace_record("defer-kinds", (struct how){ 0 });
  trace_expect(PUSHES("no capture", "stack"), 1);
  trace_expect(PUSHES("capture", "stack"), 1);
  trace_expect(PUSHES("more returns", "stack"), 1);
  trace_expect(PUSHES("a loop", "pool"), 3);
  trace_expect(PUSHES("a loop", "stack"), 0);
  trace_expect(PUSHES("a 9th defer", "stack"), 8);
  trace_expect(PUSHES("a 9th defer", "pool"), 1);
}

/* ---- panic-recover ---- */

#define VERDICT(verdict)                                                                           \
  "SELECT count(*) FROM panic_op WHERE op = 'panic_recover_call' AND verdict = '" verdict "'"

/* Row 34. */
static void only_a_direct_recover_during_a_panic_counts(void **state)
{
  static const struct {
    const char *demo, *query;
    int fatal;
  } forms[] = {
    { "panic-recover helper", VERDICT("not called directly by a deferred function"), 1 },
    { "panic-recover defer-recover", VERDICT("not called directly by a deferred function"), 1 },
    { "panic-recover no-panic", VERDICT("no panic"), 0 },
    { "panic-recover goexit", VERDICT("Goexit cannot be recovered"), 0 },
    { "panic-recover nested", VERDICT("recovers"), 0 },
    { "panic-recover caller", VERDICT("recovers"), 0 },
  };
  (void)state;
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    trace_record(forms[i].demo, (struct how){ 0 });
    trace_expect(forms[i].query, 1);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'panic_recover_call'", 1);
    trace_expect("SELECT count(*) FROM e WHERE kind = 'panic_fatal'", forms[i].fatal);
  }
}

/* Rows 33, 39 and 41. */
static void a_recovery_runs_the_remaining_calls_and_goes_on_in_the_caller(void **state)
{
  (void)state;
  trace_record("panic-recover", (struct how){ 0 });
  trace_expect("SELECT count(*) FROM e WHERE kind = 'panic_recover_call'", 2);
  trace_expect(VERDICT("recovers"), 1);
  /* the panic is still there between recover and the return of who called it */
  trace_expect("SELECT count(*) FROM e AS c JOIN e AS d ON d.no > c.no AND d.kind = 'defer_end' "
               "JOIN e AS r ON r.no > d.no "
               "AND r.kind = 'panic_recovered' WHERE c.kind = 'panic_recover_call' AND c.a1 = 0 "
               "AND d.no = (SELECT "
               "min(no) FROM e AS n WHERE n.no > c.no AND n.kind = 'defer_end')",
               1);
  trace_expect("SELECT group_concat(because, ' ') = 'panic panic return return' FROM (SELECT "
               "because FROM defer_op "
               "WHERE op = 'defer_begin' ORDER BY rowid)",
               1);
}

/* Row 37: 2 records are pending at the recovery, one of them of the caller. Row 38: recover needs no record. */
static void a_recovery_leaves_the_caller_s_record_on_the_list(void **state)
{
#define PENDING_AT(kind_)                                                                          \
  "SELECT (SELECT count(*) FROM e AS a WHERE a.kind = 'defer_push' AND a.no < r.no) - (SELECT "    \
  "count(*) FROM e AS a WHERE a.kind = 'defer_pop' AND a.no < r.no) FROM e AS r WHERE r.kind = "   \
  "'" kind_ "'"
  (void)state;
  trace_record("panic-recover caller", (struct how){ 0 });
  trace_expect(PENDING_AT("panic_recovered"), 2);
  trace_record("panic-recover nested", (struct how){ 0 });
  trace_expect(PENDING_AT("panic_recover_call"), 0);
  trace_expect("SELECT count(*) FROM e WHERE kind IN ('panic_nested', 'panic_aborted')", 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sleep_defer_as_printed_ends_in_the_first_sleep),
    cmocka_unit_test(sleep_defer_reached_parks_inside_its_deferred_call),
    cmocka_unit_test(a_defer_changes_nothing_in_how_a_goroutine_sleeps),
    cmocka_unit_test(others_run_during_a_sleep_unless_it_blocks_the_m),
    cmocka_unit_test(only_a_locked_goroutine_keeps_its_m),
    cmocka_unit_test(each_goroutine_has_one_chain_newest_first),
    cmocka_unit_test(records_of_loops_come_from_pools),
    cmocka_unit_test(a_record_goes_back_to_the_pool_of_the_p_of_the_moment),
    cmocka_unit_test(a_deferred_method_is_a_deferred_call),
    cmocka_unit_test(a_loop_and_a_9th_defer_change_the_kind_and_a_capture_does_not),
    cmocka_unit_test(only_a_direct_recover_during_a_panic_counts),
    cmocka_unit_test(a_recovery_runs_the_remaining_calls_and_goes_on_in_the_caller),
    cmocka_unit_test(a_recovery_leaves_the_caller_s_record_on_the_list),
  };
  trace_choose_tests();
  return cmocka_run_group_tests(tests, trace_enter, trace_leave);
}
