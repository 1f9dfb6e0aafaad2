/* SPDX-License-Identifier: MIT */
/* test-cli-read.c - info, check, dump, load, state and sql on one small trace, of which everything is known. */
#include "run-cli.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_up(void **state)
{
  (void)state;
  char text[4096];
  snprintf(text, sizeof text, "%s/tests/recorder/docs.trace", getenv("GMPSCOPE_SOURCE"));
  run_enter_new_directory();
  run_expect_silence(run_cli("load", text, "-o", "a.db", "-q", NULL));
  return 0;
}

/* The answer is fine and says this. */
static void expect_says(struct run run, const char *says)
{
  if (run.code != 0 || run.n_err || !strstr(run.out, says))
    fail_msg("wanted \"%s\", got %d:\n%s%s", says, run.code, run.out, run.err);
  run_free(&run);
}

static void what_was_dumped_loads_to_the_same_dump(void **state)
{
  (void)state;
  struct run first = run_cli("dump", "a.db", NULL);
  assert_int_equal(first.code, 0);
  struct run load = run_cli_input(first.out, "load", "-", "-o", "b.db", "-q", NULL);
  assert_int_equal(load.code, 0);
  assert_string_equal(load.err, "");
  struct run second = run_cli("dump", "b.db", NULL);
  assert_string_equal(first.out, second.out);
  assert_non_null(strstr(first.out, "meta program \"docs\""));
  run_free(&first);
  run_free(&load);
  run_free(&second);
}

static void losses_in_the_middle_and_at_the_end_survive_a_dump(void **state)
{
  (void)state;
  static const char text[] = "gmpscope-trace 1\n"
                             "meta lost_at_end.1 \"m0 7 60 70 its ring was full\"\n"
                             "@0 m0 p- g0 m_create tid=1 creator_m=0\n"
                             "@50 m0 p- g0 seq=12 m_park\n";
  struct run load = run_cli_input(text, "load", "-", "-o", "lossy.db", "-q", NULL);
  assert_string_equal(load.err, "");
  struct run dump = run_cli("dump", "lossy.db", NULL);
  assert_string_equal(dump.out, text);
  struct run info = run_cli("info", "lossy.db", NULL);
  assert_non_null(strstr(info.out, "18 lost"));
  assert_non_null(strstr(info.out, "lost: 7 events of M0"));
  run_free(&load);
  run_free(&dump);
  run_free(&info);
}

static void a_mistake_leaves_an_older_trace_as_it_is(void **state)
{
  (void)state;
  struct run before = run_cli("dump", "a.db", NULL);
  struct run load = run_cli_input("gmpscope-trace 1\nmeta lost_at_end.1 \"m0 many\"\n", "load", "-",
                                  "-o", "a.db", NULL);
  run_expect_refusal(&load, 3, "it does not tell a loss");
  struct run after = run_cli("dump", "a.db", NULL);
  assert_string_equal(before.out, after.out);
  run_free(&before);
  run_free(&load);
  run_free(&after);
}

static void a_filtered_dump_has_what_was_asked_for(void **state)
{
  (void)state;
  struct run run = run_cli("dump", "a.db", "--kind", "go_block,timer_fire", NULL);
  assert_non_null(strstr(run.out, "timer_fire timer=1"));
  assert_null(strstr(run.out, "go_start"));
  run_free(&run);
  run = run_cli("dump", "a.db", "--from", "@52000", "--to", "52.08us", "--g", "2", NULL);
  assert_non_null(strstr(run.out, "panic_begin"));
  assert_non_null(strstr(run.out, "panic_recovered"));
  assert_null(strstr(run.out, "because=\"return\""));
  run_free(&run);
}

static void a_mistake_in_a_text_is_told_with_its_line_and_makes_no_file(void **state)
{
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {
    { "", "line 1" },
    { "hello\n", "line 1" },
    { "gmpscope-trace 1\n@0 m0 p- g0 no_such_event\n", "line 2" },
    { "gmpscope-trace 1\n@0 m0 p- g0 m_create tid=1\n@5 m0 p- g0 go_block why=\"fun\"\n",
      "line 3" },
    { "gmpscope-trace 1\n@x m0 p- g0 m_create tid=1\n", "line 2" },
    { "gmpscope-trace 1\n@-5 m0 p- g0 m_create tid=1\n", "line 2: a time is between" },
    { "gmpscope-trace 1\n@9223372036854775807 m0 p- g0 m_create tid=1\n",
      "line 2: a time is between" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct run run = run_cli_input(cases[i].text, "load", "-", "-o", "wrong.db", NULL);
    run_expect_refusal(&run, 3, cases[i].says);
    assert_int_not_equal(access("wrong.db", F_OK), 0);
    run_free(&run);
  }
}

static void info_tells_what_the_trace_is(void **state)
{
  (void)state;
  expect_says(run_cli("info", "a.db", NULL), "the program ended with exit code 0");
  expect_says(run_cli("info", "a.db", NULL), "3 Gs, 3 Ms, 2 Ps, 1 timer");
  expect_says(run_cli("info", "a.db", "--json", NULL), "\"panic_begin\": 1");
  expect_says(run_cli("info", "a.db", "--json", NULL), "\"exit_code\": 0");
}

static void check_finds_nothing_wrong(void **state)
{
  (void)state;
  expect_says(run_cli("check", "a.db", NULL), "every rule holds, emitted = stored + lost");
  expect_says(run_cli("check", "--json", "a.db", NULL), "\"accounted\": true");
}

static void check_names_the_broken_rule_and_the_event(void **state)
{
  (void)state;
  struct run run = run_cli("dump", "a.db", NULL);
  char *at = strstr(run.out, "runq_get_next got_g=3");
  assert_non_null(at);
  at[strlen("runq_get_next got_g=")] = '2'; /* takes another G than the one that is there */
  struct run load = run_cli_input(run.out, "load", "-", "-o", "bad.db", "-q", NULL);
  assert_int_equal(load.code, 0);
  struct run check = run_cli("check", "bad.db", "a.db", NULL);
  assert_int_equal(check.code, 1);
  assert_non_null(strstr(check.out, "breaks runq.get: "));
  assert_non_null(strstr(check.out, "runq_get_next got_g=2"));
  assert_non_null(strstr(check.out, "a.db: "));
  run_free(&check);
  check = run_cli("check", "--json", "bad.db", NULL);
  assert_int_equal(check.code, 1);
  assert_non_null(strstr(check.out, "\"rule\": \"runq.get\""));
  run_free(&run);
  run_free(&load);
  run_free(&check);
}

static void the_worst_of_several_files_decides(void **state)
{
  (void)state;
  struct run run = run_cli("check", "a.db", "no-such.db", NULL);
  assert_int_equal(run.code, 1);
  assert_non_null(strstr(run.out, "a.db: "));
  assert_non_null(strstr(run.err, "no-such.db: there is no such file"));
  run_free(&run);
}

static void state_tells_everything_that_stands_at_a_time(void **state)
{
  (void)state;
  struct run run = run_cli("state", "a.db", "--at", "@7500", NULL);
  assert_int_equal(run.code, 0);
  assert_non_null(strstr(run.out, "3 Gs: 1 running, 1 in system calls, 0 runnable, 1 waiting"));
  assert_non_null(strstr(run.out, "waiting: chan receive on chan \"results\""));
  assert_non_null(strstr(run.out, "in a system call on M0 with P0"));
  run_free(&run);
  run = run_cli("state", "a.db", "--at", "@9000", NULL);
  assert_non_null(strstr(run.out, "T1 sleep of G2"));
  assert_non_null(strstr(run.out, "M1 sleeps in netpoll"));
  assert_non_null(strstr(run.out, "idle Ps, next to be taken first: P1"));
  run_free(&run);
  run = run_cli("state", "a.db", "--at", "@52045", NULL);
  assert_non_null(strstr(run.out, "panic 1: boom"));
  assert_non_null(strstr(run.out, "runs deferred 0xa1 of frame 100, because of panic"));
  assert_non_null(strstr(run.out, "defers 0xa0 in frame 100 (stack record)"));
  run_free(&run);
  expect_says(run_cli("state", "a.db", "--at", "@52045", "--json", NULL), "\"value\": \"boom\"");
  expect_says(run_cli("state", "a.db", "--at", "@2120", "--json", NULL), "\"place\": \"queue\"");
}

/* The window's words; sysmon is so from its first event, though only its later deeds tell. */
static void state_says_of_an_m_what_the_window_says(void **state)
{
  (void)state;
  for (int at = 1000; at <= 21000; at += 20000) {
    char when[16];
    snprintf(when, sizeof when, "@%d", at);
    expect_says(run_cli("state", "a.db", "--at", when, NULL),
                "M2    sysmon: watches, needs no P   thread 102");
    expect_says(run_cli("state", "a.db", "--at", when, "--json", NULL), "\"status\": \"sysmon\"");
  }
  expect_says(run_cli("state", "a.db", "--at", "@2100", NULL),
              "M1    starting: its thread has not begun yet");
  expect_says(run_cli("state", "a.db", "--at", "@4510", NULL), "M1    scheduling   P1");
  expect_says(run_cli("state", "a.db", "--at", "@20", NULL), "M0    awake, holds no P");
}

static void a_time_outside_the_trace_has_no_state(void **state)
{
  (void)state;
  struct run run = run_cli("state", "a.db", "--at", "1s", NULL);
  run_expect_refusal(&run, 1, "the trace goes from 0 ns to ");
  run_free(&run);
}

static void sql_answers_in_three_forms(void **state)
{
  (void)state;
  const char *query = "SELECT g, name FROM g WHERE name IS NOT NULL ORDER BY g";
  struct run run = run_cli("sql", "a.db", query, NULL);
  assert_string_equal(run.out, "g  name\n-  ------\n1  main\n2  worker\n");
  run_free(&run);
  run = run_cli("sql", "a.db", query, "--csv", NULL);
  assert_string_equal(run.out, "g,name\n1,main\n2,worker\n");
  run_free(&run);
  run = run_cli("sql", "a.db", query, "--json", NULL);
  assert_string_equal(run.out, "[\n  {\n    \"g\": 1,\n    \"name\": \"main\"\n  },\n"
                               "  {\n    \"g\": 2,\n    \"name\": \"worker\"\n  }\n]\n");
  run_free(&run);
  run = run_cli_input("SELECT 1;\nSELECT 2;", "sql", "a.db", "--csv", NULL);
  assert_string_equal(run.out, "1\n1\n2\n2\n");
  run_free(&run);
}

static void sql_describes_its_tables(void **state)
{
  (void)state;
  expect_says(run_cli("sql", "a.db", "--tables", NULL), "wake");
  struct run wake = run_cli("sql", "a.db", "--describe", "wake", "--csv", NULL);
  const char *ts = strstr(wake.out, "\nts,ns,"), *last = strstr(wake.out, "\nrun_p,");
  assert_true(ts && last && ts < last); /* in the order of the table */
  run_free(&wake);
  struct run run = run_cli("sql", "a.db", "--describe", "wakes", NULL);
  run_expect_refusal(&run, 1, "no table of this name");
  run_free(&run);
}

static void sql_refuses_all_but_questions(void **state)
{
  (void)state;
  static const char *const denied[] = {
    "DELETE FROM chunk",
    "CREATE TABLE t(x)",
    "ATTACH 'x.db' AS x",
    "PRAGMA journal_mode=WAL",
    "DROP TABLE g",
    "INSERT INTO note VALUES(1,2,3,4,5,'a','t')",
    "VACUUM",
    "SELECT load_extension('x')",
  };
  for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
    struct run run = run_cli("sql", "a.db", denied[i], NULL);
    if (run.code == 0)
      fail_msg("%s was done", denied[i]);
    run_expect_refusal(&run, run.code, "gmpscope: sql: ");
    run_free(&run);
  }
  assert_int_not_equal(access("x.db", F_OK), 0);
}

static void sql_stops_what_would_not_end(void **state)
{
  (void)state;
  struct run run = run_cli(
      "sql", "a.db", "SELECT a.no FROM event a, event b, event c, event d, event e", "--csv", NULL);
  run_expect_refusal(&run, 3, "cut short");
  run_free(&run);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_dumped_loads_to_the_same_dump),
    cmocka_unit_test(losses_in_the_middle_and_at_the_end_survive_a_dump),
    cmocka_unit_test(a_mistake_leaves_an_older_trace_as_it_is),
    cmocka_unit_test(a_filtered_dump_has_what_was_asked_for),
    cmocka_unit_test(a_mistake_in_a_text_is_told_with_its_line_and_makes_no_file),
    cmocka_unit_test(info_tells_what_the_trace_is),
    cmocka_unit_test(check_finds_nothing_wrong),
    cmocka_unit_test(check_names_the_broken_rule_and_the_event),
    cmocka_unit_test(the_worst_of_several_files_decides),
    cmocka_unit_test(state_tells_everything_that_stands_at_a_time),
    cmocka_unit_test(state_says_of_an_m_what_the_window_says),
    cmocka_unit_test(a_time_outside_the_trace_has_no_state),
    cmocka_unit_test(sql_answers_in_three_forms),
    cmocka_unit_test(sql_describes_its_tables),
    cmocka_unit_test(sql_refuses_all_but_questions),
    cmocka_unit_test(sql_stops_what_would_not_end),
  };
  return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
