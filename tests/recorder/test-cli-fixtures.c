/* SPDX-License-Identifier: MIT */
/* test-cli-fixtures.c - every text trace of tests/traces goes the way of a person's: gmpscope load, then check.
 *
 * A trace file is more than its events: losses are in a table, times are sorted.  So what the replay says of a fixture by
 * itself (tests/trace/test-fixtures.c) must come out of the command, too. */
#include "run-cli.h"
#include "test.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The rule that a fixture says is broken first. */
static void read_rule(const char *path, char rule[64])
{
  char line[1000];
  FILE *from = fopen(path, "re");
  assert_non_null(from);
  rule[0] = '\0';
  while (fgets(line, sizeof line, from) && sscanf(line, "verdict bad %63s", rule) != 1)
    ;
  fclose(from);
}

/* Every table that names an M or a P names one of m or p, also such as never did anything by themselves. */
static void expect_all_listed(const char *path)
{
  static const char *const queries[] = {
    "SELECT p FROM p_state EXCEPT SELECT p FROM p",
    "SELECT m FROM m_state EXCEPT SELECT m FROM m",
    "SELECT p FROM g_state WHERE p IS NOT NULL EXCEPT SELECT p FROM p",
    "SELECT m FROM g_state WHERE m IS NOT NULL EXCEPT SELECT m FROM m",
    "SELECT m FROM p_state WHERE m IS NOT NULL EXCEPT SELECT m FROM m",
    "SELECT queue_p FROM runq_op WHERE queue_p IS NOT NULL EXCEPT SELECT p FROM p",
    "SELECT heap FROM timer_op WHERE heap IS NOT NULL EXCEPT SELECT p FROM p",
    "SELECT run_p FROM wake WHERE run_p IS NOT NULL EXCEPT SELECT p FROM p",
    "SELECT creator_m FROM m WHERE creator_m IS NOT NULL EXCEPT SELECT m FROM m",
    "SELECT a0 FROM event WHERE kind = 'm_wake' EXCEPT SELECT m FROM m",
    "SELECT m FROM m WHERE (events = 0) <> (t_first IS NULL)",
  };
  sqlite3 *db;
  assert_int_equal(sqlite3_open("x.db", &db), SQLITE_OK);
  for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
    sqlite3_stmt *row;
    if (sqlite3_prepare_v2(db, queries[i], -1, &row, NULL) != SQLITE_OK)
      fail_msg("%s: %s", queries[i], sqlite3_errmsg(db));
    if (sqlite3_step(row) == SQLITE_ROW)
      fail_msg("%s: %s: %d is missing", path, queries[i], sqlite3_column_int(row, 0));
    sqlite3_finalize(row);
  }
  sqlite3_close(db);
}

static void expect_good(const char *path)
{
  struct run load = run_cli("load", path, "-o", "x.db", "-q", NULL);
  struct run check = run_cli("check", "x.db", NULL);
  if (load.code != 0 || check.code != 0 || !strstr(check.out, ": every rule holds"))
    fail_msg("%s: %s%s%s", path, load.err, check.out, check.err);
  expect_all_listed(path);
  run_free(&load);
  run_free(&check);
}

/* Its first broken rule is the first that check names; or load refuses it with a line. */
static void expect_bad(const char *path)
{
  char rule[64], says[64];
  int event;
  read_rule(path, rule);
  unlink("x.db");
  struct run load = run_cli("load", path, "-o", "x.db", "-q", NULL);
  if (load.code != 0) {
    run_expect_refusal(&load, 3, ".trace: line ");
    assert_int_not_equal(access("x.db", F_OK), 0);
    run_free(&load);
    return;
  }
  struct run check = run_cli("check", "x.db", NULL);
  bool is_named = sscanf(check.out, " event %d breaks %63[^:,]", &event, says) == 2;
  if (check.code != 1 || !is_named || strcmp(says, rule) != 0 ||
      strstr(check.out, "every rule holds"))
    fail_msg("%s: wanted 1 and %s, got %d and:\n%s%s", path, rule, check.code, check.out,
             check.err);
  run_free(&load);
  run_free(&check);
}

static int each_in(const char *folder, void (*expect)(const char *path))
{
  char path[4096];
  int n = 0;
  snprintf(path, sizeof path, "%s/tests/traces/%s", getenv("GMPSCOPE_SOURCE"), folder);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    const char *dot = strrchr(entry->d_name, '.');
    if (!dot || strcmp(dot, ".trace") != 0)
      continue;
    snprintf(path, sizeof path, "%s/tests/traces/%s/%s", getenv("GMPSCOPE_SOURCE"), folder,
             entry->d_name);
    expect(path);
    n++;
  }
  closedir(dir);
  return n;
}

static void every_good_trace_loads_keeps_every_rule_and_lists_its_ms_and_ps(void **state)
{
  (void)state;
  assert_in_range(each_in("good", expect_good), 20, 10000);
}

static void every_bad_trace_is_refused_with_its_line_or_breaks_its_rule(void **state)
{
  (void)state;
  assert_in_range(each_in("bad", expect_bad), 20, 10000);
}

static void a_time_that_goes_back_is_told_with_its_line(void **state)
{
  (void)state;
  static const char text[] = "gmpscope-trace 1\n"
                             "@10 m0 p- g0 m_create tid=1\n"
                             "@5 m1 p- g0 m_create tid=2\n" /* of another M: the file sorts them */
                             "@9 m0 p- g0 m_park\n";
  struct run load = run_cli_input(text, "load", "-", "-o", "back.db", NULL);
  run_expect_refusal(&load, 3, "line 4: time goes back within an M, whose event before is at @10");
  assert_int_not_equal(access("back.db", F_OK), 0);
  run_free(&load);
}

/* A zombie that nobody waits on, and one that was stopped. */
static void state_says_what_made_a_zombie_one(void **state)
{
  static const struct {
    const char *trace, *at, *says;
  } asked[] = {
    { "channel-timer", "@345",
      "T1 ticker of G1 0x1000 at 400 ns, nobody waits on its channel (a zombie" },
    { "stop-and-modify-are-lazy", "@135", "T2 sleep of G1 0x1000 at 500 ns, stopped (a zombie" },
  };
  (void)state;
  for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/traces/good/%s.trace", getenv("GMPSCOPE_SOURCE"),
             asked[i].trace);
    struct run load = run_cli("load", path, "-o", "zombie.db", "-q", NULL);
    assert_int_equal(load.code, 0);
    struct run run = run_cli("state", "zombie.db", "--at", asked[i].at, NULL);
    if (!strstr(run.out, asked[i].says))
      fail_msg("%s", run.out);
    run_free(&load);
    run_free(&run);
    unlink("zombie.db");
  }
}

static void check_says_how_far_it_judged(void **state)
{
  (void)state;
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/traces/good/loss-that-is-told.trace",
           getenv("GMPSCOPE_SOURCE"));
  struct run load = run_cli("load", path, "-o", "lossy.db", "-q", NULL);
  struct run check = run_cli("check", "lossy.db", NULL);
  assert_int_equal(check.code, 0);
  assert_non_null(strstr(check.out, "3 lost: every rule holds up to the first loss at 60 ns; the 4 "
                                    "events after it are not judged; emitted = stored + lost\n"));
  struct run json = run_cli("check", "--json", "lossy.db", NULL);
  assert_non_null(strstr(json.out, "\"judged_until\": 60,"));
  assert_non_null(strstr(json.out, "\"not_judged\": 4,"));
  run_free(&load);
  run_free(&check);
  run_free(&json);
}

/* G2 ends though it was never made: a broken rule, but behind a loss of M1. */
static void what_breaks_behind_a_loss_is_not_judged_and_that_is_said(void **state)
{
  (void)state;
  static const char text[] = "gmpscope-trace 1\n"
                             "@0 m0 p- g0 m_create tid=1\n"
                             "@0 m1 p- g0 m_create tid=2\n"
                             "@1 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
                             "@45 m1 p- g0 m_park\n"
                             "@47 m1 p- g0 seq=3 lost n_lost=1 since=46\n"
                             "@50 m0 p- g2 go_destroy\n";
  struct run load = run_cli_input(text, "load", "-", "-o", "behind.db", "-q", NULL);
  assert_string_equal(load.err, "");
  struct run check = run_cli("check", "behind.db", NULL);
  assert_int_equal(check.code, 0);
  assert_non_null(strstr(check.out, "1 lost: every rule holds up to the first loss at 45 ns; the 3 "
                                    "events after it are not judged"));
  run_free(&load);
  run_free(&check);
  char *whole = strdup(text), *lost = strstr(whole, "@47"), *rest = strstr(whole, "@50");
  memmove(lost, rest, strlen(rest) + 1);
  load = run_cli_input(whole, "load", "-", "-o", "behind.db", "-q", NULL);
  check = run_cli("check", "behind.db", NULL);
  assert_int_equal(check.code, 1); /* so it would be broken */
  run_free(&load);
  run_free(&check);
  free(whole);
}

/* Ms beyond the last ring: how many events they lost is known, and since when it may have been. */
static void losses_of_ms_without_a_ring_are_told_and_survive_a_dump(void **state)
{
  (void)state;
  static const char text[] = "gmpscope-trace 1\n"
                             "meta lost_at_end.1 \"m- 7 20 60 no ring was left for their Ms\"\n"
                             "@0 m0 p- g0 m_create tid=1 creator_m=-\n"
                             "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
                             "@50 m0 p- g2 go_destroy\n"; /* which nobody made here */
  struct run load = run_cli_input(text, "load", "-", "-o", "unringed.db", "-q", NULL);
  assert_string_equal(load.err, "");
  struct run dump = run_cli("dump", "unringed.db", NULL);
  assert_string_equal(dump.out, text);
  struct run info = run_cli("info", "unringed.db", NULL);
  assert_non_null(strstr(info.out, "; 7 lost\n"));
  assert_non_null(strstr(info.out, "lost: 7 events, between 20 ns and 60 ns: no ring was left"));
  assert_non_null(strstr(info.out, "7 events of all families were lost"));
  struct run check = run_cli("check", "unringed.db", NULL);
  assert_int_equal(check.code, 0);
  assert_non_null(strstr(check.out, "7 lost: every rule holds up to the first loss at 20 ns; the 1 "
                                    "event after it is not judged"));
  run_free(&load);
  run_free(&dump);
  run_free(&info);
  run_free(&check);
}

static void of_a_trace_without_a_loss_all_is_judged(void **state)
{
  (void)state;
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/recorder/docs.trace", getenv("GMPSCOPE_SOURCE"));
  struct run load = run_cli("load", path, "-o", "whole.db", "-q", NULL);
  struct run json = run_cli("check", "--json", "whole.db", NULL);
  assert_non_null(strstr(json.out, "\"judged_until\": null,"));
  assert_non_null(strstr(json.out, "\"not_judged\": 0,"));
  run_free(&load);
  run_free(&json);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_good_trace_loads_keeps_every_rule_and_lists_its_ms_and_ps),
    cmocka_unit_test(every_bad_trace_is_refused_with_its_line_or_breaks_its_rule),
    cmocka_unit_test(a_time_that_goes_back_is_told_with_its_line),
    cmocka_unit_test(state_says_what_made_a_zombie_one),
    cmocka_unit_test(check_says_how_far_it_judged),
    cmocka_unit_test(what_breaks_behind_a_loss_is_not_judged_and_that_is_said),
    cmocka_unit_test(losses_of_ms_without_a_ring_are_told_and_survive_a_dump),
    cmocka_unit_test(of_a_trace_without_a_loss_all_is_judged),
  };
  return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
