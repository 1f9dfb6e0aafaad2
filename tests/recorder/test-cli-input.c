/* SPDX-License-Identifier: MIT */
/* test-cli-input.c - bad input, given to every command that reads a trace: one line, the right exit code, nothing
 * lost. Every command meets every kind of bad file. */
#include "run-cli.h"
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good_text[] = "gmpscope-trace 1\n"
                                "meta program \"test\"\n"
                                "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
                                "@0 m0 p- g0 m_create tid=100 creator_m=-\n"
                                "@90 m0 p- g0 trace_end exit_code=0\n";

/* How each command is given a FILE; NULL stands for it. */
static const char *const readers[][6] = {
  { "info", NULL },
  { "info", NULL, "--json" },
  { "check", NULL },
  { "check", NULL, "--json" },
  { "dump", NULL },
  { "state", NULL, "--at", "@50" },
  { "sql", NULL, "SELECT 1" },
  { "recover", NULL },
  { "materialise", NULL },
  { "view", NULL },
  { "render", NULL, "-o", "x.png" },
};
#define N_READERS     (sizeof readers / sizeof readers[0])
#define N_OWN_READERS (N_READERS - 2) /* view and render go on in programs of their own */

static struct run run_reader(size_t i, const char *file, bool as_nobody)
{
  char *argv[8] = { (char *)run_built("recorder/gmpscope") };
  int n = 1;
  argv[n++] = (char *)readers[i][0];
  argv[n++] = (char *)file;
  for (int word = 2; readers[i][word]; word++)
    argv[n++] = (char *)readers[i][word];
  return run_argv(argv, NULL, as_nobody);
}

static void every_reader_refuses(const char *file, int code, const char *says, bool as_nobody)
{
  for (size_t i = 0; i < N_READERS; i++) {
    struct run run = run_reader(i, file, as_nobody);
    bool is_json_list = strcmp(readers[i][0], "check") == 0 && readers[i][2];
    run_expect_refusal(&run, code, says);
    assert_true(is_json_list || run.n_out == 0);
    run_free(&run);
  }
}

static int set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  run_expect_silence(run_cli_input(good_text, "load", "-", "-o", "good.db", "-q", NULL));
  return 0;
}

static char *read_good(size_t *n)
{
  FILE *from = fopen("good.db", "re");
  assert_non_null(from);
  fseek(from, 0, SEEK_END);
  *n = (size_t)ftell(from);
  rewind(from);
  char *bytes = malloc(*n);
  assert_int_equal(fread(bytes, 1, *n, from), *n);
  fclose(from);
  return bytes;
}

static void make_database(const char *name, const char *sql)
{
  sqlite3 *db;
  unlink(name);
  assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_good_file_is_read_by_every_command(void **state)
{
  (void)state;
  for (size_t i = 0; i < N_OWN_READERS; i++) {
    struct run run = run_reader(i, "good.db", false);
    if (run.code != 0)
      fail_msg("%s: %d %s", readers[i][0], run.code, run.err);
    run_free(&run);
  }
}

static void a_missing_file_is_said_to_be_missing(void **state)
{
  (void)state;
  every_reader_refuses("no-such.db", 1, "no-such.db: there is no such file", false);
  every_reader_refuses("no-such-dir/x.db", 1, "there is no such file", false);
}

static void a_directory_is_refused(void **state)
{
  (void)state;
  assert_int_equal(mkdir("dir.db", 0755), 0);
  every_reader_refuses("dir.db", 4, "it is a directory", false);
}

static void a_pipe_is_refused_without_waiting_for_its_writer(void **state)
{
  (void)state;
  assert_int_equal(mkfifo("pipe.db", 0644), 0);
  every_reader_refuses("pipe.db", 4, "it is a pipe", false);
}

static void a_device_is_refused(void **state)
{
  (void)state;
  every_reader_refuses("/dev/zero", 4, "it is a device", false);
}

static void an_empty_file_is_said_to_be_empty(void **state)
{
  (void)state;
  run_write("empty.db", "", 0);
  every_reader_refuses("empty.db", 3, "it is empty", false);
}

static void a_text_is_no_database(void **state)
{
  (void)state;
  run_write("text.db", good_text, strlen(good_text));
  every_reader_refuses("text.db", 4, "not a gmpscope trace", false);
}

static void another_programs_database_is_refused_and_left_as_it_is(void **state)
{
  (void)state;
  make_database("other.db", "CREATE TABLE song(title TEXT); INSERT INTO song VALUES('one')");
  struct stat before, after;
  assert_int_equal(stat("other.db", &before), 0);
  every_reader_refuses("other.db", 4, "another program's database", false);
  struct run run = run_cli_input(good_text, "load", "-", "-o", "other.db", NULL);
  run_expect_refusal(&run, 4, "other.db");
  run_free(&run);
  assert_int_equal(stat("other.db", &after), 0);
  assert_int_equal(before.st_size, after.st_size);
  assert_int_equal(before.st_mtime, after.st_mtime);
  assert_int_equal(before.st_ino, after.st_ino);
}

static void a_newer_major_version_is_refused_in_words(void **state)
{
  (void)state;
  size_t n;
  char *bytes = read_good(&n);
  memcpy(bytes + 60, "\0\0\x75\x30", 4); /* 30000: 3.0.0 */
  run_write("future.db", bytes, n);
  free(bytes);
  every_reader_refuses("future.db", 4, "its format is version 3.0", false);
}

static void a_truncated_file_is_said_to_be_cut_short(void **state)
{
  (void)state;
  size_t n;
  char *bytes = read_good(&n);
  const size_t lengths[] = { 50, 99, 100, 4095, 4096, n / 2, n - 1 };
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    run_write("cut.db", bytes, lengths[i]);
    every_reader_refuses("cut.db", 3, "cut short", false);
  }
  free(bytes);
}

static void a_file_with_a_trigger_in_it_is_refused(void **state)
{
  (void)state;
  size_t n;
  char *bytes = read_good(&n);
  run_write("hostile.db", bytes, n);
  free(bytes);
  sqlite3 *db;
  assert_int_equal(sqlite3_open("hostile.db", &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_exec(db, "CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM chunk; END", NULL,
                   NULL, NULL),
      SQLITE_OK);
  sqlite3_close(db);
  every_reader_refuses("hostile.db", 4, "that no trace has", false);
}

static void a_database_that_only_says_it_is_a_trace_is_damaged(void **state)
{
  (void)state;
  make_database("claims.db", "PRAGMA application_id=1196249171; PRAGMA user_version=10000; VACUUM");
  every_reader_refuses("claims.db", 3, "claims.db", false);
}

static void a_file_that_may_not_be_read_is_refused(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  size_t n;
  char *bytes = read_good(&n);
  run_write("secret.db", bytes, n);
  free(bytes);
  assert_int_equal(chmod("secret.db", 0), 0);
  every_reader_refuses("secret.db", 4, "you may not read it", run_as_nobody());
}

static void a_name_cannot_speak_to_the_terminal(void **state)
{
  (void)state;
  struct run run = run_cli("info", "\x1b]0;x\x07.db", NULL);
  run_expect_refusal(&run, 1, "\\x1b]0;x\\x07.db");
  assert_null(strchr(run.err, '\x1b'));
  run_free(&run);
}

static void a_flipped_byte_in_a_chunk_is_damage_and_the_rest_is_read(void **state)
{
  (void)state;
  size_t n;
  char *bytes = read_good(&n);
  run_write("flipped.db", bytes, n);
  free(bytes);
  sqlite3 *db;
  assert_int_equal(sqlite3_open("flipped.db", &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_exec(db, "UPDATE chunk SET data = zeroblob(length(data))", NULL, NULL, NULL),
      SQLITE_OK);
  sqlite3_close(db);
  struct run run = run_cli("check", "flipped.db", NULL);
  assert_int_equal(run.code, 3);
  assert_non_null(strstr(run.out, "damage: chunk"));
  assert_non_null(strstr(run.out, "cannot be read"));
  assert_null(strstr(run.out, " 0 rings not accounted for"));
  run_free(&run);
  run = run_cli("check", "--json", "flipped.db", NULL);
  assert_non_null(strstr(run.out, "\"equal\": false"));
  assert_null(strstr(run.out, "\"equal\": true"));
  run_free(&run);
  run = run_cli("dump", "flipped.db", NULL);
  run_expect_refusal(&run, 3, "damaged chunk");
  assert_non_null(strstr(run.out, "meta program"));
  run_free(&run);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_good_file_is_read_by_every_command),
    cmocka_unit_test(a_missing_file_is_said_to_be_missing),
    cmocka_unit_test(a_directory_is_refused),
    cmocka_unit_test(a_pipe_is_refused_without_waiting_for_its_writer),
    cmocka_unit_test(a_device_is_refused),
    cmocka_unit_test(an_empty_file_is_said_to_be_empty),
    cmocka_unit_test(a_text_is_no_database),
    cmocka_unit_test(another_programs_database_is_refused_and_left_as_it_is),
    cmocka_unit_test(a_newer_major_version_is_refused_in_words),
    cmocka_unit_test(a_truncated_file_is_said_to_be_cut_short),
    cmocka_unit_test(a_file_with_a_trigger_in_it_is_refused),
    cmocka_unit_test(a_database_that_only_says_it_is_a_trace_is_damaged),
    cmocka_unit_test(a_file_that_may_not_be_read_is_refused),
    cmocka_unit_test(a_name_cannot_speak_to_the_terminal),
    cmocka_unit_test(a_flipped_byte_in_a_chunk_is_damage_and_the_rest_is_read),
  };
  return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
