/* SPDX-License-Identifier: MIT */
/* test-cli-record.c - gmpscope record, from outside: what a script sees that puts it before a command. */
#include "run-cli.h"
#include "test.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int count_files(void)
{
  int n = 0;
  DIR *directory = opendir(".");
  assert_non_null(directory);
  for (struct dirent *entry; (entry = readdir(directory));)
    n += entry->d_name[0] != '.';
  closedir(directory);
  return n;
}

static const char *fake(void)
{
  return run_built("tests/recorder/fake-program");
}

static void a_program_that_is_not_there_is_said_to_be_missing(void **state)
{
  (void)state;
  struct run run = run_cli("record", "./no-such-program", NULL);
  run_expect_refusal(&run, 1, "./no-such-program: there is no such program");
  run_free(&run);
  run = run_cli("record", "no-such-program-on-path", NULL);
  run_expect_refusal(&run, 1, "no such program");
  run_free(&run);
  assert_int_equal(count_files(), 0);
}

static void a_program_that_may_not_be_executed_is_refused(void **state)
{
  (void)state;
  run_write("plain.txt", "#!/bin/sh\n", 10);
  struct run run = run_cli("record", "./plain.txt", NULL);
  run_expect_refusal(&run, 4, "it may not be executed");
  run_free(&run);
  run = run_cli("record", "/", NULL);
  assert_true(run.code == 1 || run.code == 4);
  run_expect_refusal(&run, run.code, "it is a directory");
  run_free(&run);
  assert_int_equal(count_files(), 1);
  unlink("plain.txt");
}

static void a_program_without_the_runtime_keeps_its_exit_status(void **state)
{
  (void)state;
  struct run run = run_cli("record", "--", "/bin/sh", "-c", "echo out; exit 7", NULL);
  run_expect_refusal(&run, 7,
                     "/bin/sh: no run of the gmpscope runtime began in it, so there is no trace");
  assert_string_equal(run.out, "out\n");
  run_free(&run);
  run = run_cli("record", "-q", "--", "/bin/sh", "-c", "kill -TERM $$", NULL);
  assert_int_equal(run.code, 128 + 15);
  assert_string_equal(run.err, "");
  run_free(&run);
  assert_int_equal(count_files(), 0);
}

/* The seconds, size and such of a file that stays the same one. */
static struct stat look_at(const char *name)
{
  struct stat st;
  assert_int_equal(stat(name, &st), 0);
  return st;
}

static void an_older_trace_stays_until_the_new_one_holds_events(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "-o", "kept.db", "--", fake(), "2", "100", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  struct stat first = look_at("kept.db");
  run = run_cli("record", "-q", "-o", "kept.db", "--", "/bin/true", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  run = run_cli("record", "-q", "-o", "kept.db", "--", "./no-such-program", NULL);
  assert_int_equal(run.code, 1);
  run_free(&run);
  struct stat second = look_at("kept.db");
  assert_int_equal(first.st_ino, second.st_ino);
  assert_int_equal(first.st_size, second.st_size);
  run = run_cli("record", "-q", "-o", "kept.db", "--", fake(), "2", "300", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  assert_int_not_equal(look_at("kept.db").st_ino, first.st_ino);
  run = run_cli("info", "kept.db", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  assert_int_equal(count_files(), 1); /* nothing that was put aside is left */
  unlink("kept.db");
}

static void a_program_that_finds_no_library_is_told_apart_from_one_without_the_runtime(void **state)
{
  (void)state;
  struct run run = run_cli("record", "--", "/bin/sh", "-c", "exit 127", NULL);
  run_expect_refusal(&run, 127, "it may not have been able to start");
  run_free(&run);
}

static void the_programs_own_options_are_left_to_it(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "/bin/echo", "--tables=none", "-o", "x", "--help", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.out, "--tables=none -o x --help\n");
  run_free(&run);
}

static void stdin_goes_to_the_program(void **state)
{
  (void)state;
  struct run run = run_cli_input("hello\n", "record", "-q", "/bin/cat", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.out, "hello\n");
  run_free(&run);
}

static void a_recording_is_named_after_the_program_and_never_replaces_a_file(void **state)
{
  (void)state;
  for (int i = 1; i <= 3; i++) {
    char name[64];
    snprintf(name, sizeof name, i == 1 ? "fake-program.db" : "fake-program-%d.db", i);
    struct run run = run_cli("record", "--", fake(), "2", "100", NULL);
    if (run.code != 0 || !strstr(run.err, name) || !strstr(run.err, " 0 lost"))
      fail_msg("%d %s", run.code, run.err);
    assert_int_equal(access(name, R_OK), 0);
    run_free(&run);
  }
  assert_int_equal(count_files(), 3);
  struct run run = run_cli("info", "fake-program.db", "--json", NULL);
  assert_int_equal(run.code, 0);
  assert_non_null(strstr(run.out, "\"finished\": true"));
  run_free(&run);
}

static int count_in(const char *text, const char *part)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
    n++;
  return n;
}

static void rings_that_were_given_up_are_told_as_losses_by_everybody(void **state)
{
  static const char *const readers[] = { "check", "info" };
  (void)state;
  struct run run = run_cli("record", "-o", "head.db", "--", fake(), "2", "100", "head", NULL);
  assert_int_equal(run.code, 0);
  assert_non_null(strstr(run.err, ", 2 lost"));
  run_free(&run);
  for (int i = 0; i < 2; i++) {
    run = run_cli(readers[i], "head.db", NULL);
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, " 2 lost"));
    assert_int_equal(count_in(run.out, "lost: 1 event of M"), 2);
    assert_int_equal(count_in(run.out, ": the ring was given up, for its counters were impossible"),
                     2);
    run_free(&run);
  }
}

static void quiet_says_nothing(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "-o", "quiet.db", "--", fake(), "2", "100", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.err, "");
  assert_int_equal(access("quiet.db", R_OK), 0);
  run_free(&run);
}

static void an_older_trace_is_replaced_but_nothing_else(void **state)
{
  (void)state;
  struct stat before, after;
  struct run run = run_cli("record", "-q", "-o", "again.db", "--", fake(), "2", "100", NULL);
  run_free(&run);
  run = run_cli("record", "-o", "again.db", "--", fake(), "2", "100", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  run_write("letter.txt", "dear\n", 5);
  assert_int_equal(stat("letter.txt", &before), 0);
  run = run_cli("record", "-o", "letter.txt", "--", fake(), "2", "100", NULL);
  run_expect_refusal(&run, 4, "letter.txt");
  run_free(&run);
  assert_int_equal(stat("letter.txt", &after), 0);
  assert_int_equal(before.st_size, after.st_size);
  assert_int_equal(before.st_ino, after.st_ino);
}

static void a_place_that_cannot_be_written_is_refused_before_the_program_runs(void **state)
{
  (void)state;
  struct run run =
      run_cli("record", "-o", "no-such-dir/x.db", "--", "/bin/sh", "-c", "echo ran", NULL);
  assert_string_equal(run.out, "");
  assert_true(run.code == 1 || run.code == 4);
  run_expect_refusal(&run, run.code, "no-such-dir/x.db");
  run_free(&run);
}

/* A number that a query of a trace gives, even while it is being written; 0 when it gives none. */
static int64_t ask(const char *path, const char *query)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *row = NULL;
  int64_t answer = 0;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
      sqlite3_prepare_v2(db, query, -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
    answer = sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  sqlite3_close(db);
  return answer;
}

static pid_t start_recording(const char *path)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    execl(run_built("recorder/gmpscope"), "gmpscope", "record", "-q", "-o", path, "--", fake(), "2",
          "100000000", "pause=100", NULL);
    _exit(127);
  }
  while (ask(path, "SELECT count(*) FROM chunk") == 0) {
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    sched_yield();
  }
  return pid;
}

static void a_trace_whose_recorder_was_killed_is_recovered(void **state)
{
  (void)state;
  pid_t recorder = start_recording("killed.db");
  struct run run = run_cli("recover", "killed.db", NULL);
  run_expect_refusal(&run, 4, "is recording into it");
  run_free(&run);
  kill(recorder, SIGKILL);
  waitpid(recorder, NULL, 0);
  kill((pid_t)ask("killed.db", "SELECT value FROM meta WHERE key='pid'"), SIGKILL);
  int64_t stored = ask("killed.db", "SELECT sum(n) FROM chunk");
  assert_true(stored > 0);
  run = run_cli("recover", "killed.db", "no-such.db", NULL);
  assert_int_equal(run.code, 1);
  assert_non_null(strstr(run.err, "gmpscope: killed.db: "));
  assert_non_null(strstr(run.err, "gmpscope: no-such.db: "));
  run_free(&run);
  assert_int_equal(ask("killed.db", "SELECT count(*) FROM event"), stored);
  run = run_cli("check", "killed.db", "--json", NULL);
  assert_non_null(strstr(run.out, "\"finished\": true"));
  run_free(&run);
  run = run_cli("recover", "-q", "killed.db", NULL); /* again: nothing to do */
  assert_int_equal(run.code, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
  assert_int_equal(count_files(), 1);
}

/* Each leaves its files where the next one does not see them. */
#define IN_NEW_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, run_set_up, run_tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_NEW_DIRECTORY(a_program_that_is_not_there_is_said_to_be_missing),
    IN_NEW_DIRECTORY(a_program_that_may_not_be_executed_is_refused),
    IN_NEW_DIRECTORY(a_program_without_the_runtime_keeps_its_exit_status),
    IN_NEW_DIRECTORY(an_older_trace_stays_until_the_new_one_holds_events),
    IN_NEW_DIRECTORY(a_program_that_finds_no_library_is_told_apart_from_one_without_the_runtime),
    IN_NEW_DIRECTORY(the_programs_own_options_are_left_to_it),
    IN_NEW_DIRECTORY(stdin_goes_to_the_program),
    IN_NEW_DIRECTORY(a_recording_is_named_after_the_program_and_never_replaces_a_file),
    IN_NEW_DIRECTORY(rings_that_were_given_up_are_told_as_losses_by_everybody),
    IN_NEW_DIRECTORY(quiet_says_nothing),
    IN_NEW_DIRECTORY(an_older_trace_is_replaced_but_nothing_else),
    IN_NEW_DIRECTORY(a_place_that_cannot_be_written_is_refused_before_the_program_runs),
    IN_NEW_DIRECTORY(a_trace_whose_recorder_was_killed_is_recovered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
