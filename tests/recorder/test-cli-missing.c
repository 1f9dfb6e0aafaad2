/* SPDX-License-Identifier: MIT */
/* test-cli-missing.c - chunks that are missing from a file, or unreadable, asked for with every command that reads events:
 * each says so in one line and ends with 3, and a dump hands the loss on to the file that is loaded from it. */
#include "run-cli.h"
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF_M0 10000 /* three chunks: 4096, 4096, 1808 */
#define N_OF_M1 7     /* two: 4, and, behind 5 that were lost, 3 */
#define N_LOST  8

/* M0 says something every 10 ns; M1 does now and then, and loses 5 events and its last 3. */
static char *make_text(void)
{
  char *text;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  assert_non_null(to);
  fputs("gmpscope-trace 1\nmeta lost_at_end.1 \"m1 3 60000 90000 the ring was full\"\n"
        "@0 m0 p- g0 m_create tid=100\n@0 m1 p- g0 m_create tid=101\n"
        "@1 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n",
        to);
  for (int i = 2, k = 1; i < N_OF_M0; i++) {
    fprintf(to, "@%d m0 p- g0 clock_sync mono=1000 wall=1700000000000000000\n", i * 10);
    for (; i == k * 1000 && k < N_OF_M1; k++)
      fprintf(to,
              k == 4 ? "@%d m1 p- g0 seq=9 lost n_lost=5 since=30000\n"
                     : "@%d m1 p- g0 clock_sync mono=1000 wall=1700000000000000000\n",
              i * 10);
  }
  fclose(to);
  return text;
}

static int set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  char *text = make_text();
  run_write("good.trace", text, strlen(text));
  free(text);
  run_expect_silence(
      run_cli("load", "good.trace", "-o", "good.db", "-q", "--tables", "none", NULL));
  return 0;
}

/* bad.db: the good file, and this done to it. */
static void make_bad(const char *sql)
{
  sqlite3 *db;
  assert_int_equal(system("cp good.db bad.db"), 0);
  assert_int_equal(sqlite3_open("bad.db", &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_changes(db) > 0, true);
  sqlite3_close(db);
}

static const struct {
  const char *sql, *says;
  int n; /* events that it takes */
} damages[] = {
  { "DELETE FROM chunk WHERE m = 0 AND first_seq = 4096", "4096 events whose chunks are missing",
    4096 },
  { "DELETE FROM chunk WHERE m = 0 AND first_seq = 8192", "1808 events whose chunks are missing",
    1808 },
  { "DELETE FROM chunk WHERE m = 1", "7 events whose chunks are missing", 7 },
  { "DELETE FROM chunk WHERE m = 0 AND first_seq > 0", "5904 events whose chunks are missing",
    5904 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 4096",
    "1 damaged chunk could", 4096 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq > 0",
    "2 damaged chunks could", 5904 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 1", "2 damaged chunks could", 7 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 8192;"
    "DELETE FROM chunk WHERE m = 0 AND first_seq = 4096",
    "1 damaged chunk and 4096 events whose chunks are missing", 5904 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 4096;"
    "DELETE FROM chunk WHERE m = 0 AND first_seq = 8192",
    "1 damaged chunk and 1808 events whose chunks are missing", 5904 },
  { "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 1 AND first_seq = 9",
    "1 damaged chunk could", 3 },
  /* a row that claims another place: what is missing is where it was */
  { "UPDATE chunk SET first_seq = 1056768 WHERE m = 0 AND first_seq = 8192",
    "1 damaged chunk and 1808 events whose chunks are missing", 1808 },
  { "UPDATE chunk SET first_seq = 4095 WHERE m = 0 AND first_seq = 8192",
    "1 damaged chunk and 1808 events whose chunks are missing", 1808 },
  { "UPDATE chunk SET first_seq = 4097, data = zeroblob(length(data)) WHERE m = 0 AND first_seq = "
    "8192;"
    "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 4096",
    "2 damaged chunks and 1808 events whose chunks are missing", 5904 },
};
#define N_DAMAGES (sizeof damages / sizeof damages[0])

static const char *const readers[][6] = {
  { "info" },
  { "info", "--json" },
  { "dump" },
  { "dump", "--kind", "clock_sync" },
  { "state", "--at", "@90000" },
  { "sql", "SELECT count(*) FROM event" },
  { "sql", "SELECT count(*) FROM event", "--json" },
  { "render", "-o", "x.png" },
};
/* The last one's libraries are not built with the thread sanitizer, which so sees races in them that there are not. */
#define N_READERS (sizeof readers / sizeof readers[0] - UNDER_THREAD_SANITIZER)

static struct run ask(const char *file, size_t i)
{
  char *argv[8] = { (char *)run_built("recorder/gmpscope"), (char *)readers[i][0], (char *)file };
  for (int n = 3, word = 1; readers[i][word]; word++)
    argv[n++] = (char *)readers[i][word];
  return run_argv(argv, NULL, false);
}

static void of_a_whole_file_no_command_says_a_word(void **state)
{
  (void)state;
  for (size_t i = 0; i < N_READERS; i++) {
    struct run run = ask("good.db", i);
    bool is_note = strcmp(readers[i][0], "render") == 0 && strstr(run.err, "note: ");
    if (run.code != 0 || (run.n_err && !is_note))
      fail_msg("%s ended with %d: %s", readers[i][0], run.code, run.err);
    run_free(&run);
  }
  struct run run = run_cli("check", "good.db", NULL);
  if (run.code != 0 || !strstr(run.out, "every rule holds up to the first loss"))
    fail_msg("%d: %s", run.code, run.out);
  run_free(&run);
}

static void every_command_that_reads_events_tells_of_the_damage(void **state)
{
  (void)state;
  for (size_t k = 0; k < N_DAMAGES; k++) {
    make_bad(damages[k].sql);
    for (size_t i = 0; i < N_READERS; i++) {
      struct run run = ask("bad.db", i);
      run_expect_refusal(&run, 3, damages[k].says);
      run_free(&run);
    }
    struct run run = run_cli("check", "bad.db", NULL);
    assert_int_equal(run.code, 3);
    assert_non_null(strstr(run.out, "  damage: "));
    run_free(&run);
  }
}

static void json_tells_how_many_events_are_missing(void **state)
{
  (void)state;
  make_bad(damages[0].sql);
  struct run run = run_cli("info", "bad.db", "--json", NULL);
  assert_non_null(strstr(run.out, "\"damaged_chunks\": 0"));
  assert_non_null(strstr(run.out, "\"missing_events\": 4096"));
  run_free(&run);
  run = run_cli("check", "bad.db", "--json", NULL);
  assert_int_equal(run.code, 3);
  assert_non_null(strstr(run.out, "\"chunk\": null"));
  assert_non_null(strstr(run.out, "\"n_missing\": 4096"));
  run_free(&run);
}

static void a_state_before_the_hole_is_right_and_one_in_it_is_told_to_be_wrong(void **state)
{
  (void)state;
  make_bad(damages[1].sql); /* from @81910 on */
  struct run run = run_cli("state", "bad.db", "--at", "@40000", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
  run = run_cli("state", "bad.db", "--at", "@99990", NULL); /* no event is there any more */
  run_expect_refusal(&run, 3, "the state may be wrong");
  run_free(&run);
  run = run_cli("state", "bad.db", "--at", "@100000", NULL); /* and here none ever was */
  run_expect_refusal(&run, 1, "the trace goes from");
  run_free(&run);
}

static void a_question_that_reads_no_chunk_is_answered_without_a_word(void **state)
{
  (void)state;
  make_bad(damages[0].sql);
  struct run run = run_cli("sql", "bad.db", "SELECT count(*) FROM m", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
}

static void materialise_says_what_its_tables_lack(void **state)
{
  (void)state;
  make_bad(damages[0].sql);
  struct run run = run_cli("materialise", "bad.db", "-q", NULL);
  run_expect_refusal(&run, 3, "4096 events whose chunks are missing could not be read: not in");
  run_free(&run);
  run = run_cli("sql", "bad.db", "SELECT count(*) FROM event", "--csv", NULL);
  assert_string_equal(run.out, "count(*)\n5911\n");
  run_free(&run);
}

/* The sum over all Ms, from the account of a file. */
static uint64_t sum_of(const char *file, const char *column)
{
  char query[100];
  snprintf(query, sizeof query, "SELECT coalesce(sum(n), 0) AS n FROM %s", column);
  struct run run = run_cli("sql", file, query, "--csv", NULL);
  assert_int_equal(run.code, 0);
  uint64_t n = strtoull(run.out + strlen("n\n"), NULL, 10);
  run_free(&run);
  return n;
}

static void what_damage_took_is_lost_in_the_file_that_is_loaded_from_the_dump(void **state)
{
  (void)state;
  for (size_t k = 0; k < N_DAMAGES; k++) {
    make_bad(damages[k].sql);
    struct run first = run_cli("dump", "bad.db", NULL);
    assert_int_equal(first.code, 3);
    struct run load =
        run_cli_input(first.out, "load", "-", "-o", "loaded.db", "-q", "--tables", "none", NULL);
    assert_string_equal(load.err, "");
    assert_int_equal(sum_of("loaded.db", "chunk"), N_OF_M0 + N_OF_M1 - damages[k].n);
    assert_int_equal(sum_of("loaded.db", "loss"), N_LOST + damages[k].n);
    struct run second = run_cli("dump", "loaded.db", NULL);
    assert_int_equal(second.code, 0);
    assert_string_equal(first.out, second.out);
    char says[40];
    snprintf(says, sizeof says, "\"lost\": %d,", N_LOST + damages[k].n);
    struct run info = run_cli("info", "loaded.db", "--json", NULL);
    assert_int_equal(info.code, 0);
    assert_non_null(strstr(info.out, says));
    run_free(&first);
    run_free(&load);
    run_free(&second);
    run_free(&info);
  }
}

static void the_dump_says_why_they_are_lost(void **state)
{
  (void)state;
  make_bad(damages[8].sql);
  struct run run = run_cli("dump", "bad.db", NULL);
  assert_non_null(strstr(run.out, "\nmeta lost_at_end.1 \"m0 4096 40960 81910 their chunk was "
                                  "damaged: its checksum is wrong\"\n"));
  assert_non_null(strstr(run.out, "\nmeta lost_at_end.2 \"m0 1808 81910 99990 their chunks were "
                                  "missing in the file\"\n"));
  assert_non_null(strstr(run.out, "\nmeta lost_at_end.3 \"m1 3 60000 90000 the ring was full\"\n"));
  assert_null(strstr(run.out, "lost_at_end.4"));
  run_free(&run);
}

static void damaged_chunks_that_follow_each_other_are_one_line(void **state)
{
  (void)state;
  make_bad(damages[5].sql);
  struct run run = run_cli("dump", "bad.db", NULL);
  assert_non_null(strstr(run.out, "\nmeta lost_at_end.1 \"m0 5904 40960 99990 their chunk"));
  assert_non_null(strstr(run.out, "\nmeta lost_at_end.2 \"m1 3 "));
  run_free(&run);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(of_a_whole_file_no_command_says_a_word),
    cmocka_unit_test(every_command_that_reads_events_tells_of_the_damage),
    cmocka_unit_test(json_tells_how_many_events_are_missing),
    cmocka_unit_test(a_state_before_the_hole_is_right_and_one_in_it_is_told_to_be_wrong),
    cmocka_unit_test(a_question_that_reads_no_chunk_is_answered_without_a_word),
    cmocka_unit_test(materialise_says_what_its_tables_lack),
    cmocka_unit_test(what_damage_took_is_lost_in_the_file_that_is_loaded_from_the_dump),
    cmocka_unit_test(the_dump_says_why_they_are_lost),
    cmocka_unit_test(damaged_chunks_that_follow_each_other_are_one_line),
  };
  return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
